#include "procedures/hotdog_schema.h"

namespace wandian::procedures {

// Table for table what bench/postgres/hotdog.sql creates in PostgreSQL, with the chain's placement.
const std::string_view kHotdogSchema = R"sql(
CREATE TABLE stores (
    store_id int NOT NULL,
    region   text NOT NULL,
    name     text NOT NULL,
    CONSTRAINT stores_pkey PRIMARY KEY (store_id)
) PARTITION BY DIRECTORY (region);

CREATE TABLE menu (
    sku         int NOT NULL,
    name        text NOT NULL,
    price_cents bigint NOT NULL,
    CONSTRAINT menu_pkey PRIMARY KEY (sku),
    CONSTRAINT menu_price_cents_check CHECK (price_cents > 0)
);

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
) PARTITION BY REGION (store_id);

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
) PARTITION BY REGION (store_id);

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
) PARTITION BY REGION (store_id);

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
) PARTITION BY REGION (store_id);
)sql";

}  // namespace wandian::procedures
