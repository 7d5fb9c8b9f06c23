#!/usr/bin/python3
"""SQLAlchemy: the core, dialect types, reflection and the inspector, the ORM's units of work, loading, locking, two-phase commits, pools."""

import datetime
import decimal
import enum
import sys
import uuid
import warnings

import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.automap import automap_base

from cases import Cases

case = Cases("SQLAlchemy")
SCHEMA = "client_sqlalchemy"


class Kind(enum.Enum):
    kiosk = 1
    shop = 2


Base = orm.declarative_base(metadata=sa.MetaData(schema=SCHEMA))

order_labels = sa.Table(
    "order_labels", Base.metadata,
    sa.Column("order_id", sa.ForeignKey(f"{SCHEMA}.orders.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("label_id", sa.ForeignKey(f"{SCHEMA}.labels.id"), primary_key=True))


class Store(Base):
    __tablename__ = "stores"
    __table_args__ = (sa.UniqueConstraint("city", "name", name="stores_once"), {"comment": "where hot dogs are sold"})
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(80), nullable=False, comment="over the door")
    city = sa.Column(sa.Text, nullable=False, server_default=sa.text("'Shanghai'"))
    kind = sa.Column(sa.Enum(Kind, name="kind", metadata=Base.metadata), nullable=False, default=Kind.shop)
    tags = sa.Column(pg.ARRAY(sa.Text), nullable=False, server_default="{}")
    settings = sa.Column(pg.JSONB)
    address = sa.Column(pg.INET)
    orders = orm.relationship("Order", back_populates="store", order_by="Order.id", cascade="all, delete-orphan")


class Order(Base):
    __tablename__ = "orders"
    id = sa.Column(sa.BigInteger, sa.Identity(start=100, increment=1), primary_key=True)
    store_id = sa.Column(sa.ForeignKey(Store.id, ondelete="CASCADE", name="orders_store"), nullable=False, index=True)
    total = sa.Column(sa.Numeric(10, 2), sa.CheckConstraint("total >= 0", name="orders_total"), nullable=False)
    cents = sa.Column(sa.Integer, sa.Computed("(total * 100)::int", persisted=True))
    paid = sa.Column(sa.Boolean, nullable=False, server_default=sa.false())
    at = sa.Column(sa.DateTime(timezone=True), server_default=sa.func.now())
    request = sa.Column(pg.UUID(as_uuid=True), default=uuid.uuid4)
    version = sa.Column(sa.Integer, nullable=False)
    store = orm.relationship(Store, back_populates="orders")
    labels = orm.relationship("Label", secondary=order_labels, order_by="Label.word")
    __mapper_args__ = {"version_id_col": version}


sa.Index("orders_unpaid", Order.total.desc(), postgresql_where=Order.paid == sa.false())
sa.Index("orders_hour", sa.func.lower(Store.name), postgresql_using="btree")
sa.Index("stores_settings", Store.settings, postgresql_using="gin")


class Label(Base):
    __tablename__ = "labels"
    id = sa.Column(sa.Integer, sa.Sequence("label_numbers", schema=SCHEMA), primary_key=True)
    word = sa.Column(sa.String, unique=True)


def refused(sqlstate, call):
    """Runs `call`, whose DBAPI error must have this SQLSTATE."""
    try:
        call()
    except exc.DBAPIError as error:
        assert error.orig.pgcode == sqlstate, error
        return
    raise AssertionError(f"SQLSTATE {sqlstate} expected, but it was accepted")


@case
def connects_and_makes_the_tables(engine):
    with engine.begin() as db:
        db.execute(sa.text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
        db.execute(sa.schema.CreateSchema(SCHEMA))
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)
    assert engine.dialect.server_version_info[0] == 15


@case
def the_inspector_tells_what_was_made(engine):
    inspector = sa.inspect(engine)
    assert SCHEMA in inspector.get_schema_names() and inspector.default_schema_name == "public"
    assert sorted(inspector.get_table_names(SCHEMA)) == ["labels", "order_labels", "orders", "stores"]
    columns = {column["name"]: column for column in inspector.get_columns("orders", SCHEMA)}
    assert str(columns["total"]["type"]) == "NUMERIC(10, 2)" and columns["paid"]["default"] == "false"
    assert columns["id"]["identity"]["start"] == 100 and columns["cents"]["computed"]["persisted"]
    stores = {column["name"]: column for column in inspector.get_columns("stores", SCHEMA)}
    assert isinstance(stores["kind"]["type"], pg.ENUM) and stores["kind"]["type"].enums == ["kiosk", "shop"]
    assert isinstance(stores["tags"]["type"], pg.ARRAY) and isinstance(stores["address"]["type"], pg.INET)
    assert stores["name"]["comment"] == "over the door" and stores["city"]["default"] == "'Shanghai'::text"
    assert inspector.get_table_comment("stores", SCHEMA) == {"text": "where hot dogs are sold"}
    assert inspector.get_pk_constraint("order_labels", SCHEMA)["constrained_columns"] == ["order_id", "label_id"]
    (key,) = inspector.get_foreign_keys("orders", SCHEMA)
    assert (key["name"], key["referred_table"], key["referred_columns"], key["options"]) \
        == ("orders_store", "stores", ["id"], {"ondelete": "CASCADE"}), key
    (unique,) = inspector.get_unique_constraints("stores", SCHEMA)
    assert (unique["name"], unique["column_names"]) == ("stores_once", ["city", "name"])
    assert inspector.get_check_constraints("orders", SCHEMA) == [{"name": "orders_total", "sqltext": "total >= (0)::numeric"}]
    indexes = {index["name"]: index for index in inspector.get_indexes("orders", SCHEMA)}
    assert indexes["orders_unpaid"]["column_sorting"] == {"total": ("desc",)}, indexes
    assert indexes["orders_unpaid"]["dialect_options"]["postgresql_where"] == "(paid = false)"
    stores = {index["name"]: index for index in inspector.get_indexes("stores", SCHEMA)}
    assert stores["stores_settings"]["dialect_options"]["postgresql_using"] == "gin"
    assert sorted(inspector.get_sequence_names(SCHEMA)) == ["label_numbers", "orders_id_seq", "stores_id_seq"]
    assert [(e["name"], e["labels"]) for e in inspector.get_enums(SCHEMA)] == [("kind", ["kiosk", "shop"])]
    assert inspector.has_table("stores", SCHEMA) and not inspector.has_table("nothing", SCHEMA)
    assert inspector.get_view_names(SCHEMA) == [] and isinstance(inspector.get_table_oid("stores", SCHEMA), int)


@case
def reflected_tables_make_the_same_tables_again(engine):
    reflected = sa.MetaData()
    reflected.reflect(engine, schema=SCHEMA)
    assert set(reflected.tables) == {f"{SCHEMA}.{name}" for name in ("stores", "orders", "labels", "order_labels")}
    copy = sa.MetaData()
    for table in reflected.tables.values():
        table.to_metadata(copy, schema=f"{SCHEMA}_copy", referred_schema_fn=lambda *_: f"{SCHEMA}_copy")
    with engine.begin() as db:
        db.execute(sa.text(f"DROP SCHEMA IF EXISTS {SCHEMA}_copy CASCADE"))
        db.execute(sa.schema.CreateSchema(f"{SCHEMA}_copy"))
        copy.create_all(db)
        columns = sa.inspect(db).get_columns("orders", f"{SCHEMA}_copy")
        assert [column["name"] for column in columns] == list(reflected.tables[f"{SCHEMA}.orders"].columns.keys())
        db.execute(sa.schema.DropSchema(f"{SCHEMA}_copy", cascade=True))
    mapped = automap_base(metadata=sa.MetaData(schema=SCHEMA))
    mapped.prepare(autoload_with=engine)
    assert {"stores", "orders", "labels"} <= set(mapped.classes.keys())


@case
def the_core_writes_and_reads(engine):
    stores, orders = Store.__table__, Order.__table__
    with engine.begin() as db:
        ids = db.execute(sa.insert(stores).returning(stores.c.id).values(
            [{"name": "North", "kind": Kind.kiosk, "tags": ["a", "b"], "settings": {"open": {"from": 8}}},
             {"name": "South", "kind": Kind.shop, "tags": [], "settings": {"open": {"from": 9}}}])).scalars().all()
        db.execute(sa.insert(orders), [{"store_id": ids[i % 2], "total": decimal.Decimal(i), "version": 1} for i in range(500)])
        upsert = pg.insert(stores).values(name="South", city="Shanghai", kind=Kind.kiosk)
        upsert = upsert.on_conflict_do_update(constraint="stores_once", set_={"kind": upsert.excluded.kind}).returning(stores.c.kind)
        assert db.execute(upsert).scalar_one() == Kind.kiosk
        assert db.execute(pg.insert(stores).values(name="South").on_conflict_do_nothing()).rowcount == 0
        done = db.execute(sa.update(orders).where(orders.c.store_id == stores.c.id, stores.c.name == "South", orders.c.total < 10).values(paid=True))
        assert done.rowcount == 5
        gone = db.execute(sa.delete(orders).where(orders.c.total >= 490).returning(orders.c.id, orders.c.cents)).all()
        assert len(gone) == 10 and max(gone)[1] == 49900


@case
def the_core_asks(engine):
    stores, orders = Store.__table__, Order.__table__
    with engine.connect() as db:
        sums = db.execute(sa.select(stores.c.name, sa.func.count(), sa.func.sum(orders.c.total).filter(orders.c.paid))
                          .join_from(stores, orders).group_by(stores.c.name).having(sa.func.count() > 10).order_by(stores.c.name)).all()
        assert sums == [("North", 245, None), ("South", 245, decimal.Decimal("25.00"))], sums
        ranked = sa.select(orders, sa.func.row_number().over(partition_by=orders.c.store_id, order_by=orders.c.total.desc()).label("place")).cte("ranked")
        assert db.execute(sa.select(ranked.c.total).where(ranked.c.place == 1).order_by(ranked.c.total)).scalars().all() == [488, 489]
        part = sa.select(sa.literal(1).label("n")).cte("part", recursive=True)
        part = part.union_all(sa.select(part.c.n + 1).where(part.c.n < 10))
        assert db.execute(sa.select(sa.func.sum(part.c.n))).scalar_one() == 55
        asked = sa.select(stores.c.name).where(stores.c.settings["open"]["from"].as_integer() > 8)
        assert db.execute(asked).scalars().all() == ["South"]
        assert db.execute(sa.select(stores.c.name).where(stores.c.settings.contains({"open": {"from": 8}}))).scalars().all() == ["North"]
        assert db.execute(sa.select(stores.c.name).where(stores.c.tags.contains(["a"]), stores.c.tags.any("b"))).scalars().all() == ["North"]
        lateral = sa.select(orders.c.total).where(orders.c.store_id == stores.c.id).order_by(orders.c.total).limit(1).lateral()
        assert db.execute(sa.select(stores.c.name, lateral.c.total).join(lateral, sa.true()).order_by(stores.c.name)).all() == [("North", 0), ("South", 1)]
        values = sa.values(sa.column("n", sa.Integer), sa.column("w", sa.String), name="v").data([(1, "a"), (2, "b")])
        assert db.execute(sa.select(values).order_by(values.c.n.desc())).all() == [(2, "b"), (1, "a")]
        both = sa.union(sa.select(stores.c.name), sa.select(sa.literal("East"))).order_by("name")
        assert db.execute(both).scalars().all() == ["East", "North", "South"]
        assert db.execute(sa.select(sa.exists().where(orders.c.total == 7))).scalar_one()
        assert db.execute(sa.select(sa.extract("year", sa.cast("2024-02-29", sa.Date)))).scalar_one() == 2024
        assert db.execute(sa.select(sa.func.array_agg(pg.aggregate_order_by(stores.c.name, stores.c.name.desc())))).scalar_one() == ["South", "North"]
        function = sa.func.json_each(sa.literal({"a": 1}, sa.JSON)).table_valued("key", sa.column("value", sa.JSON))
        assert db.execute(sa.select(function.c.key, function.c.value)).all() == [("a", 1)]
        assert db.execute(sa.select(stores.c.name).where(sa.tuple_(stores.c.city, stores.c.name).in_([("Shanghai", "North")]))).all() == [("North",)]
        series = sa.func.generate_series(1, 3).table_valued("value", with_ordinality="place").render_derived()
        assert db.execute(sa.select(series)).all() == [(1, 1), (2, 2), (3, 3)]


@case
def parameters_of_common_types_come_back(engine):
    with engine.connect() as db:
        for value, kind in ((True, sa.Boolean), (2**40, sa.BigInteger), (decimal.Decimal("12.340"), sa.Numeric), (1.5, sa.Float), ("万店 '\\", sa.Text),
                            (b"\x00\xff", sa.LargeBinary), (datetime.date(2024, 2, 29), sa.Date), (datetime.time(23, 59, 59, 1), sa.Time),
                            (datetime.datetime(2024, 2, 29, 12, 0, 0, 1), sa.DateTime), (datetime.timedelta(days=1, seconds=5), pg.INTERVAL),
                            (uuid.UUID(int=7), pg.UUID(as_uuid=True)), ({"a": [1, None]}, pg.JSONB), ([1, None, 3], pg.ARRAY(sa.Integer)),
                            (None, sa.Text), ("10.0.0.1", pg.INET), ("08:00:2b:01:02:03", pg.MACADDR)):
            assert db.execute(sa.select(sa.cast(sa.literal(value, kind), kind))).scalar_one() == value, (value, kind)


@case
def the_orm_flushes_loads_and_notices_others(engine):
    with orm.Session(engine) as session:
        store = session.execute(sa.select(Store).where(Store.name == "North")).scalar_one()
        store.orders.append(Order(total=1000, labels=[Label(word="hot"), Label(word="dog")]))
        session.add(Store(name="East", orders=[Order(total=n) for n in range(3)]))
        session.commit()
        newest = session.execute(sa.select(Order).order_by(Order.id.desc()).where(Order.total == 1000)).scalar_one()
        assert newest.cents == 100_000 and [label.word for label in newest.labels] == ["dog", "hot"]
        newest.labels.pop()
        newest.total = 999
        session.flush()
        assert newest.version == 2 and newest.cents == 99_900
        session.rollback()
        assert newest.version == 1 and len(newest.labels) == 2
        for options in (orm.selectinload(Store.orders), orm.joinedload(Store.orders), orm.subqueryload(Store.orders)):
            stores = session.execute(sa.select(Store).options(options).order_by(Store.name)).unique().scalars().all()
            assert [(store.name, len(store.orders)) for store in stores] == [("East", 3), ("North", 246), ("South", 245)]
            session.expunge_all()
        assert session.query(Order).join(Store).filter(Store.name.in_(["East", "South"])).count() == 248
        assert session.query(sa.func.max(Order.total)).scalar() == 1000
        assert session.query(Order).filter(Order.store.has(name="East")).update({"paid": True}, synchronize_session=False) == 3
        assert session.query(Order).filter(Order.labels.any(word="hot")).one().total == 1000
        session.delete(session.query(Store).filter_by(name="East").one())
        session.commit()
        assert session.query(Order).filter(Order.total < 3).count() == 3
        with orm.Session(engine) as other:
            a, b = session.get(Order, 100), other.get(Order, 100)
            a.paid = True
            session.commit()
            b.paid = False
            b.total = 5
            try:
                other.commit()
            except orm.exc.StaleDataError:
                other.rollback()
            else:
                raise AssertionError("a stale row was written")
        session.bulk_save_objects([Order(store_id=1, total=n, version=1) for n in range(1000, 1100)])
        session.bulk_insert_mappings(Order, [{"store_id": 1, "total": n, "version": 1} for n in range(1100, 1200)])
        session.commit()
        assert session.query(Order).filter(Order.total >= 1000).count() == 201


@case
def savepoints_locks_and_isolation(engine):
    with orm.Session(engine) as session:
        session.add(Label(word="kept"))
        try:
            with session.begin_nested():
                session.add(Label(word="hot"))
                session.flush()
        except exc.IntegrityError as error:
            assert error.orig.pgcode == "23505" and error.orig.diag.constraint_name == "labels_word_key"
        session.commit()
        assert session.query(Label).filter_by(word="kept").count() == 1
        first = session.query(Order).order_by(Order.id).limit(1).with_for_update().one()
        with orm.Session(engine) as other:
            skipped = other.query(Order).order_by(Order.id).limit(1).with_for_update(skip_locked=True, of=Order).one()
            assert skipped.id == first.id + 1
            refused("55P03", lambda: other.query(Order).filter_by(id=first.id).with_for_update(nowait=True).one())
            other.rollback()
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as db:
        assert db.execute(sa.text("SHOW transaction_isolation")).scalar_one() == "serializable"
    with engine.connect().execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True, postgresql_deferrable=True) as db:
        assert db.execute(sa.text("SHOW transaction_read_only")).scalar_one() == "on"
        refused("25006", lambda: db.execute(sa.insert(Label.__table__).values(word="x")))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as db:
        db.execute(sa.text("VACUUM"))


@case
def prepared_transactions(engine):
    with engine.connect() as db:
        if db.execute(sa.text("SHOW max_prepared_transactions")).scalar_one() == "0":
            return
        db.rollback() if db.in_transaction() else None
    with engine.connect() as db:
        transaction = db.begin_twophase()
        db.execute(sa.insert(Label.__table__).values(word="two-phase"))
        transaction.prepare()
        transaction.commit()
        assert db.execute(sa.select(sa.func.count()).select_from(Label.__table__).where(Label.__table__.c.word == "two-phase")).scalar_one() == 1


@case
def rows_stream_through_server_side_cursors(engine):
    with engine.connect().execution_options(stream_results=True, max_row_buffer=50) as db:
        result = db.execute(sa.select(Order.__table__.c.id).order_by(Order.__table__.c.id))
        seen = [len(part) for part in result.partitions(100)]
        assert sum(seen) == 691 and seen[0] == 100, seen


@case
def errors_are_told_apart(engine):
    stores, orders = Store.__table__, Order.__table__
    with engine.connect() as db:
        for kind, sqlstate, statement in (
                (exc.IntegrityError, "23505", sa.insert(stores).values(name="North", kind=Kind.shop)),
                (exc.IntegrityError, "23503", sa.insert(orders).values(store_id=-1, total=1, version=1)),
                (exc.IntegrityError, "23514", sa.insert(orders).values(store_id=1, total=-1, version=1)),
                (exc.DataError, "22003", sa.insert(orders).values(store_id=1, total=10**9, version=1)),
                (exc.ProgrammingError, "42P01", sa.text("SELECT * FROM no_such_table")),
                (exc.ProgrammingError, "42601", sa.text("SELEC 1"))):
            try:
                db.execute(statement)
            except kind as error:
                assert error.orig.pgcode == sqlstate, error
                db.get_transaction().rollback() if db.get_transaction() else None
            else:
                raise AssertionError(statement)


@case
def a_lost_connection_is_noticed_and_replaced(engine):
    pinging = sa.create_engine(engine.url, pool_pre_ping=True, pool_size=1)
    with pinging.connect() as db:
        lost = db.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
    with engine.connect() as db:
        db.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": lost})
    with pinging.connect() as db:
        found = db.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
        assert found != lost
        with engine.connect() as other:
            other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": found})
        try:
            db.execute(sa.text("SELECT 1"))
        except exc.OperationalError as error:
            assert error.connection_invalidated
        else:
            raise AssertionError("the connection was not lost")
    pinging.dispose()


@case
def all_goes(engine):
    Base.metadata.drop_all(engine)
    with engine.begin() as db:
        db.execute(sa.schema.DropSchema(SCHEMA))
    assert not sa.inspect(engine).has_table("stores", SCHEMA)


def main():
    warnings.simplefilter("ignore", exc.SAWarning)    # it says that it does not reflect indexes over expressions
    engine = sa.create_engine(case.url(), future=True)
    try:
        return case.run(engine)
    finally:
        engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
