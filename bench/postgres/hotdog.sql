-- The chain's schema and rules for PostgreSQL 15: the twin of Wandian's extension `hotdog`, table for table,
-- constraint for constraint, error for error. bench/README.md is the contract that both keep.
--
-- Written for speed: each function is as few statements as its rules allow, its usual path never looks at a row
-- twice, and what explains a refusal runs only after one. The store's row is the lock that puts the orders and
-- cancellations of one store in a line, so that order numbers have no gaps and stock rows cannot deadlock.

CREATE TABLE stores (
    store_id int NOT NULL,
    region   text NOT NULL,
    name     text NOT NULL,
    CONSTRAINT stores_pkey PRIMARY KEY (store_id)
);

CREATE TABLE menu (
    sku         int NOT NULL,
    name        text NOT NULL,
    price_cents bigint NOT NULL,
    CONSTRAINT menu_pkey PRIMARY KEY (sku),
    CONSTRAINT menu_price_cents_check CHECK (price_cents > 0)
);

-- The room left in pages keeps updates of stock and of an order's status off the indexes (heap-only tuples).
CREATE TABLE stock (
    store_id  int NOT NULL,
    sku       int NOT NULL,
    quantity  int NOT NULL,
    taken     bigint NOT NULL DEFAULT 0,
    restocked bigint NOT NULL DEFAULT 0,
    CONSTRAINT stock_pkey PRIMARY KEY (store_id, sku),
    CONSTRAINT stock_quantity_check CHECK (quantity >= 0),
    CONSTRAINT stock_store_id_fkey FOREIGN KEY (store_id) REFERENCES stores (store_id),
    CONSTRAINT stock_sku_fkey FOREIGN KEY (sku) REFERENCES menu (sku)
) WITH (fillfactor = 60);

CREATE TABLE orders (
    store_id    int NOT NULL,
    order_id    bigint NOT NULL,
    customer_id bigint NOT NULL,
    request_id  bigint NOT NULL,
    status      smallint NOT NULL DEFAULT 0,
    total_cents bigint NOT NULL,
    placed_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orders_pkey PRIMARY KEY (store_id, order_id),
    CONSTRAINT orders_request_key UNIQUE (store_id, request_id),
    CONSTRAINT orders_status_check CHECK (status >= 0 AND status <= 2),
    CONSTRAINT orders_total_cents_check CHECK (total_cents >= 0),
    CONSTRAINT orders_store_id_fkey FOREIGN KEY (store_id) REFERENCES stores (store_id)
) WITH (fillfactor = 85);

CREATE TABLE order_lines (
    store_id    int NOT NULL,
    order_id    bigint NOT NULL,
    line_no     smallint NOT NULL,
    sku         int NOT NULL,
    quantity    int NOT NULL,
    price_cents bigint NOT NULL,
    CONSTRAINT order_lines_pkey PRIMARY KEY (store_id, order_id, line_no),
    CONSTRAINT order_lines_quantity_check CHECK (quantity > 0),
    CONSTRAINT order_lines_order_fkey FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id)
);

CREATE TABLE payments (
    store_id     int NOT NULL,
    order_id     bigint NOT NULL,
    provider_ref bigint NOT NULL,
    amount_cents bigint NOT NULL,
    paid_at      timestamptz NOT NULL DEFAULT now(),
    refunded_at  timestamptz,
    CONSTRAINT payments_pkey PRIMARY KEY (store_id, order_id),
    CONSTRAINT payments_provider_ref_key UNIQUE (store_id, provider_ref),
    CONSTRAINT payments_amount_cents_check CHECK (amount_cents >= 0),
    CONSTRAINT payments_order_fkey FOREIGN KEY (store_id, order_id) REFERENCES orders (store_id, order_id)
);

-- Why place_order could not take line `line_no` of the lines it was given: always raises.
CREATE FUNCTION hotdog_refuse_line(store_id int, skus int[], quantities int[], line_no int) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    item     int := skus[line_no];
    wanted   int := quantities[line_no];
    in_stock int;
BEGIN
    IF item IS NULL OR wanted IS NULL THEN
        RAISE EXCEPTION 'order line % is null', line_no USING ERRCODE = '22004';
    END IF;
    IF wanted < 1 THEN
        RAISE EXCEPTION 'quantity of item % must be positive, not %', item, wanted USING ERRCODE = '22023';
    END IF;
    IF item = ANY (skus[:line_no - 1]) THEN
        RAISE EXCEPTION 'item % appears in more than one line', item USING ERRCODE = '22023';
    END IF;
    PERFORM FROM menu m WHERE m.sku = item;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'item % does not exist', item USING ERRCODE = 'HD003';
    END IF;
    SELECT s.quantity INTO in_stock FROM stock s WHERE s.store_id = hotdog_refuse_line.store_id AND s.sku = item;
    RAISE EXCEPTION 'item % is out of stock in store %', item, store_id
        USING ERRCODE = 'HD001', DETAIL = format('In stock: %s; ordered: %s.', coalesce(in_stock, 0), wanted);
END $$;

CREATE FUNCTION place_order(store_id int, customer_id bigint, request_id bigint, skus int[], quantities int[])
RETURNS bigint LANGUAGE plpgsql STRICT AS $$
#variable_conflict use_column
DECLARE
    lines       int := cardinality(place_order.skus);
    last_order  bigint;
    first_order bigint;
    item        int;
    wanted      int;
    price       bigint;
    prices      bigint[];
    total       bigint := 0;
BEGIN
    IF lines <> cardinality(place_order.quantities) THEN
        RAISE EXCEPTION 'skus and quantities differ in length: % and %', lines, cardinality(place_order.quantities)
            USING ERRCODE = '22023';
    END IF;
    IF lines < 1 OR lines > 20 THEN
        RAISE EXCEPTION 'an order has 1 to 20 lines, not %', lines USING ERRCODE = '22023';
    END IF;
    PERFORM FROM stores s WHERE s.store_id = place_order.store_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'store % does not exist', place_order.store_id USING ERRCODE = 'HD002';
    END IF;
    -- The store's row is locked, so nobody else numbers an order of this store until this one has committed.
    SELECT (SELECT max(o.order_id) FROM orders o WHERE o.store_id = place_order.store_id),
           (SELECT o.order_id FROM orders o
            WHERE o.store_id = place_order.store_id AND o.request_id = place_order.request_id)
        INTO last_order, first_order;
    IF first_order IS NOT NULL THEN
        PERFORM FROM orders o JOIN order_lines l ON l.store_id = o.store_id AND l.order_id = o.order_id
            WHERE o.store_id = place_order.store_id AND o.order_id = first_order
            GROUP BY o.customer_id
            HAVING o.customer_id = place_order.customer_id
               AND array_agg(l.sku ORDER BY l.line_no) = place_order.skus
               AND array_agg(l.quantity ORDER BY l.line_no) = place_order.quantities;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'request % of store % was another order', place_order.request_id, place_order.store_id
                USING ERRCODE = 'HD007';
        END IF;
        RETURN first_order;
    END IF;

    FOR i IN 1..lines LOOP
        item := place_order.skus[i];
        wanted := place_order.quantities[i];
        IF item = ANY (place_order.skus[:i - 1]) THEN
            PERFORM hotdog_refuse_line(place_order.store_id, place_order.skus, place_order.quantities, i);
        END IF;
        UPDATE stock s SET quantity = s.quantity - wanted, taken = s.taken + wanted
            FROM menu m
            WHERE s.store_id = place_order.store_id AND s.sku = item AND m.sku = item
                  AND s.quantity >= wanted AND wanted > 0
            RETURNING m.price_cents INTO price;
        IF NOT FOUND THEN
            PERFORM hotdog_refuse_line(place_order.store_id, place_order.skus, place_order.quantities, i);
        END IF;
        prices[i] := price;
        total := total + price * wanted;
    END LOOP;
    last_order := coalesce(last_order, 0) + 1;
    INSERT INTO orders (store_id, order_id, customer_id, request_id, total_cents)
        VALUES (place_order.store_id, last_order, place_order.customer_id, place_order.request_id, total);
    FOR i IN 1..lines LOOP
        INSERT INTO order_lines (store_id, order_id, line_no, sku, quantity, price_cents)
            VALUES (place_order.store_id, last_order, i, place_order.skus[i], place_order.quantities[i], prices[i]);
    END LOOP;
    RETURN last_order;
END $$;

-- Which store or order is missing: always raises.
CREATE FUNCTION hotdog_refuse_order(store_id int, order_id bigint) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM stores s WHERE s.store_id = hotdog_refuse_order.store_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'store % does not exist', hotdog_refuse_order.store_id USING ERRCODE = 'HD002';
    END IF;
    RAISE EXCEPTION 'order % of store % does not exist', hotdog_refuse_order.order_id, hotdog_refuse_order.store_id
        USING ERRCODE = 'HD004';
END $$;

CREATE FUNCTION pay_order(store_id int, order_id bigint, provider_ref bigint, amount_cents bigint)
RETURNS bigint LANGUAGE plpgsql STRICT AS $$
#variable_conflict use_column
DECLARE
    found_order   record;
    found_payment record;
BEGIN
    UPDATE orders o SET status = 1
        WHERE o.store_id = pay_order.store_id AND o.order_id = pay_order.order_id
              AND o.status = 0 AND o.total_cents = pay_order.amount_cents;
    IF FOUND THEN
        INSERT INTO payments (store_id, order_id, provider_ref, amount_cents)
            VALUES (pay_order.store_id, pay_order.order_id, pay_order.provider_ref, pay_order.amount_cents)
            ON CONFLICT ON CONSTRAINT payments_provider_ref_key DO NOTHING;
        IF FOUND THEN
            RETURN pay_order.amount_cents;
        END IF;
    END IF;
    SELECT o.status, o.total_cents INTO found_order FROM orders o
        WHERE o.store_id = pay_order.store_id AND o.order_id = pay_order.order_id;
    IF NOT FOUND THEN
        PERFORM hotdog_refuse_order(pay_order.store_id, pay_order.order_id);
    END IF;
    SELECT p.order_id, p.amount_cents INTO found_payment FROM payments p
        WHERE p.store_id = pay_order.store_id AND p.provider_ref = pay_order.provider_ref;
    IF FOUND THEN
        IF found_payment.order_id = pay_order.order_id AND found_payment.amount_cents = pay_order.amount_cents THEN
            RETURN pay_order.amount_cents;
        END IF;
        RAISE EXCEPTION 'provider reference % of store % was another payment', pay_order.provider_ref, pay_order.store_id
            USING ERRCODE = 'HD007';
    END IF;
    IF found_order.status <> 0 THEN
        RAISE EXCEPTION 'order % of store % is %', pay_order.order_id, pay_order.store_id,
            (ARRAY['placed', 'paid', 'cancelled'])[found_order.status + 1] USING ERRCODE = 'HD005';
    END IF;
    RAISE EXCEPTION 'order % of store % costs % cents, not %', pay_order.order_id, pay_order.store_id,
        found_order.total_cents, pay_order.amount_cents USING ERRCODE = 'HD006';
END $$;

CREATE FUNCTION cancel_order(store_id int, order_id bigint) RETURNS void LANGUAGE plpgsql STRICT AS $$
#variable_conflict use_column
DECLARE
    old_status smallint;
BEGIN
    -- The store's row first, as place_order does, since both go on to several stock rows.
    PERFORM FROM stores s WHERE s.store_id = cancel_order.store_id FOR NO KEY UPDATE;
    SELECT o.status INTO old_status FROM orders o
        WHERE o.store_id = cancel_order.store_id AND o.order_id = cancel_order.order_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        PERFORM hotdog_refuse_order(cancel_order.store_id, cancel_order.order_id);
    END IF;
    IF old_status = 2 THEN
        RAISE EXCEPTION 'order % of store % is cancelled', cancel_order.order_id, cancel_order.store_id
            USING ERRCODE = 'HD005';
    END IF;
    UPDATE orders o SET status = 2 WHERE o.store_id = cancel_order.store_id AND o.order_id = cancel_order.order_id;
    IF old_status = 1 THEN
        UPDATE payments p SET refunded_at = now()
            WHERE p.store_id = cancel_order.store_id AND p.order_id = cancel_order.order_id;
    END IF;
    UPDATE stock s SET quantity = s.quantity + l.quantity, taken = s.taken - l.quantity
        FROM order_lines l
        WHERE l.store_id = cancel_order.store_id AND l.order_id = cancel_order.order_id
              AND s.store_id = cancel_order.store_id AND s.sku = l.sku;
END $$;

-- Raises unless the store and the item exist and the quantity is positive.
CREATE FUNCTION hotdog_check_move(store_id int, sku int, quantity int) RETURNS void LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF hotdog_check_move.quantity < 1 THEN
        RAISE EXCEPTION 'quantity of item % must be positive, not %', hotdog_check_move.sku, hotdog_check_move.quantity
            USING ERRCODE = '22023';
    END IF;
    PERFORM FROM stores s WHERE s.store_id = hotdog_check_move.store_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'store % does not exist', hotdog_check_move.store_id USING ERRCODE = 'HD002';
    END IF;
    PERFORM FROM menu m WHERE m.sku = hotdog_check_move.sku;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'item % does not exist', hotdog_check_move.sku USING ERRCODE = 'HD003';
    END IF;
END $$;

CREATE FUNCTION restock(store_id int, sku int, quantity int) RETURNS int LANGUAGE plpgsql STRICT AS $$
#variable_conflict use_column
DECLARE
    in_stock int;
BEGIN
    IF restock.quantity > 0 THEN
        UPDATE stock s SET quantity = s.quantity + restock.quantity, restocked = s.restocked + restock.quantity
            WHERE s.store_id = restock.store_id AND s.sku = restock.sku
            RETURNING s.quantity INTO in_stock;
        IF FOUND THEN
            RETURN in_stock;
        END IF;
    END IF;
    PERFORM hotdog_check_move(restock.store_id, restock.sku, restock.quantity);
    INSERT INTO stock AS s (store_id, sku, quantity, restocked)
        VALUES (restock.store_id, restock.sku, restock.quantity, restock.quantity)
        ON CONFLICT ON CONSTRAINT stock_pkey
        DO UPDATE SET quantity = s.quantity + excluded.quantity, restocked = s.restocked + excluded.restocked
        RETURNING s.quantity INTO in_stock;
    RETURN in_stock;
END $$;

CREATE FUNCTION transfer_stock(from_store int, to_store int, sku int, quantity int) RETURNS void
LANGUAGE plpgsql STRICT AS $$
#variable_conflict use_column
DECLARE
    in_stock int;
BEGIN
    IF from_store = to_store THEN
        RAISE EXCEPTION 'store % cannot transfer stock to itself', from_store USING ERRCODE = '22023';
    END IF;
    PERFORM hotdog_check_move(from_store, transfer_stock.sku, transfer_stock.quantity);
    PERFORM hotdog_check_move(to_store, transfer_stock.sku, transfer_stock.quantity);
    -- In the order of their ids, so that two transfers in opposite directions do not deadlock.
    PERFORM FROM stock s WHERE s.store_id IN (from_store, to_store) AND s.sku = transfer_stock.sku
        ORDER BY s.store_id FOR NO KEY UPDATE;
    UPDATE stock s SET quantity = s.quantity - transfer_stock.quantity, restocked = s.restocked - transfer_stock.quantity
        WHERE s.store_id = from_store AND s.sku = transfer_stock.sku AND s.quantity >= transfer_stock.quantity;
    IF NOT FOUND THEN
        SELECT s.quantity INTO in_stock FROM stock s WHERE s.store_id = from_store AND s.sku = transfer_stock.sku;
        RAISE EXCEPTION 'item % is out of stock in store %', transfer_stock.sku, from_store USING ERRCODE = 'HD001',
            DETAIL = format('In stock: %s; ordered: %s.', coalesce(in_stock, 0), transfer_stock.quantity);
    END IF;
    PERFORM restock(to_store, transfer_stock.sku, transfer_stock.quantity);
END $$;

-- A session keeps the plans it made when the tables were empty and a scan of them cost nothing, and would go on to
-- read all of them for each order until the next ANALYZE: every row here is found by its key.
ALTER FUNCTION place_order(int, bigint, bigint, int[], int[]) SET enable_seqscan = off;
ALTER FUNCTION pay_order(int, bigint, bigint, bigint) SET enable_seqscan = off;
ALTER FUNCTION cancel_order(int, bigint) SET enable_seqscan = off;
ALTER FUNCTION restock(int, int, int) SET enable_seqscan = off;
