// CREATE, ALTER and DROP of tables and what belongs to them, as PostgreSQL 15 answers.
#include "sql/ddl/services.h"
#include "tests/sql/ddl_fixture.h"

namespace wandian::sql {
namespace {

class Ddl : public DdlFixture {
 protected:
  std::string detail() const { return client.sink.last_error.ok() ? "" : client.sink.last_error.error().detail; }
  std::string hint() const { return client.sink.last_error.ok() ? "" : client.sink.last_error.error().hint; }
};

TEST_F(Ddl, CreatesATableWithEveryKindOfConstraint) {
  EXPECT_EQ(query("CREATE TABLE t (id serial PRIMARY KEY, a int NOT NULL DEFAULT 5, b varchar(10) DEFAULT 'x', c numeric(10,2) CHECK (c > 0), UNIQUE (a))"),
            "C(CREATE TABLE)");
  EXPECT_EQ(query("INSERT INTO t (c) VALUES (1.5) RETURNING *"), "T(id,a,b,c) D(1,5,x,1.50) C(INSERT 0 1)");
  EXPECT_EQ(query("INSERT INTO t (a, c) VALUES (6, -1)"), "E(23514: new row for relation \"t\" violates check constraint \"t_c_check\")");
  EXPECT_EQ(query("INSERT INTO t (a, c) VALUES (5, 1)"), "E(23505: duplicate key value violates unique constraint \"t_a_key\")");
  EXPECT_EQ(detail(), "Key (a)=(5) already exists.");
  EXPECT_EQ(query("INSERT INTO t (a) VALUES (NULL)"),
            "E(23502: null value in column \"a\" of relation \"t\" violates not-null constraint)");
  EXPECT_EQ(query("CREATE TABLE t (a int)"), "E(42P07: relation \"t\" already exists)");
  EXPECT_EQ(query("CREATE TABLE IF NOT EXISTS t (a int)"), "N(42P07: relation \"t\" already exists, skipping) C(CREATE TABLE)");
}

TEST_F(Ddl, NamesConstraintsAsPostgresDoes) {
  query("CREATE TABLE t (a int UNIQUE, b int UNIQUE, c int CHECK (c > 0) CHECK (c < 10), d int CHECK (d > c), UNIQUE (a, b), CHECK (a > 0))");
  EXPECT_EQ(query("SELECT conname, contype FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY 1"),
            "T(conname,contype) D(t_a_b_key,u) D(t_a_check,c) D(t_a_key,u) D(t_b_key,u) D(t_c_check,c) D(t_c_check1,c) D(t_check,c) C(SELECT 7)");
  query("CREATE TABLE a_table_with_a_name_that_is_quite_long_indeed_for_a_table (a_column_with_a_long_name_too int UNIQUE)");
  EXPECT_EQ(query("SELECT conname FROM pg_constraint WHERE conname LIKE 'a_table%'"),
            "T(conname) D(a_table_with_a_name_that_is_q_a_column_with_a_long_name_too_key) C(SELECT 1)");
}

TEST_F(Ddl, RefusesWhatPostgresRefuses) {
  EXPECT_EQ(query("CREATE TABLE t (a int, a int)"), "E(42701: column \"a\" specified more than once)");
  EXPECT_EQ(query("CREATE TABLE t (a int PRIMARY KEY, b int PRIMARY KEY)"), "E(42P16: multiple primary keys for table \"t\" are not allowed)");
  EXPECT_EQ(query("CREATE TABLE t (a int, PRIMARY KEY (b))"), "E(42703: column \"b\" named in key does not exist)");
  EXPECT_EQ(query("CREATE TABLE t (a nothing)"), "E(42704: type \"nothing\" does not exist)");
  EXPECT_EQ(query("CREATE TABLE t (a int DEFAULT 'x')"), "E(22P02: invalid input syntax for type integer: \"x\")");
  EXPECT_EQ(query("CREATE TABLE t (a int NULL NOT NULL)"), "E(42601: conflicting NULL/NOT NULL declarations for column \"a\" of table \"t\")");
  EXPECT_EQ(query("CREATE TABLE t (ctid int)"), "E(42701: column name \"ctid\" conflicts with a system column name)");
  EXPECT_EQ(query("CREATE TABLE t (a json UNIQUE)"),
            "E(42704: data type json has no default operator class for access method \"btree\")");
  EXPECT_EQ(query("CREATE TABLE t (a int, b int) PARTITION BY LIST (a, b)"), "E(42P17: cannot use \"list\" partition strategy with more than one column)");
  EXPECT_EQ(query("CREATE TABLE t (a int) WITH (nonsense = 1)"), "E(22023: unrecognized parameter \"nonsense\")");
  EXPECT_EQ(query("CREATE TABLE nowhere.t (a int)"), "E(3F000: schema \"nowhere\" does not exist)");
}

TEST_F(Ddl, ChecksForeignKeys) {
  query("CREATE TABLE a (id int PRIMARY KEY, code text UNIQUE)");
  EXPECT_EQ(query("CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a ON DELETE CASCADE, code text REFERENCES a (code))"), "C(CREATE TABLE)");
  query("INSERT INTO a VALUES (1, 'x')");
  EXPECT_EQ(query("INSERT INTO b VALUES (1, 1, 'x')"), "C(INSERT 0 1)");
  EXPECT_EQ(query("INSERT INTO b VALUES (2, 2, NULL)"), "E(23503: insert or update on table \"b\" violates foreign key constraint \"b_a_id_fkey\")");
  EXPECT_EQ(query("CREATE TABLE c (x text REFERENCES a)"), "E(42804: foreign key constraint \"c_x_fkey\" cannot be implemented)");
  EXPECT_EQ(detail(), "Key columns \"x\" and \"id\" are of incompatible types: text and integer.");
  EXPECT_EQ(query("CREATE TABLE c (x int REFERENCES b (a_id))"),
            "E(42830: there is no unique constraint matching given keys for referenced table \"b\")");
  EXPECT_EQ(query("CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree)"), "C(CREATE TABLE)");
  EXPECT_EQ(query("INSERT INTO tree VALUES (1, 1), (2, 1)"), "C(INSERT 0 2)");
}

TEST_F(Ddl, DropsWithDependencies) {
  query("CREATE TABLE a (id int PRIMARY KEY)");
  query("CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a)");
  query("CREATE VIEW v AS SELECT id FROM a");
  EXPECT_EQ(query("DROP TABLE a"), "E(2BP01: cannot drop table a because other objects depend on it)");
  EXPECT_EQ(detail(), "constraint b_a_id_fkey on table b depends on table a\nview v depends on table a");
  EXPECT_EQ(hint(), "Use DROP ... CASCADE to drop the dependent objects too.");
  EXPECT_EQ(query("DROP TABLE a CASCADE"), "N(00000: drop cascades to 2 other objects) C(DROP TABLE)");
  EXPECT_EQ(query("INSERT INTO b VALUES (1, 7)"), "C(INSERT 0 1)");
  EXPECT_EQ(query("SELECT * FROM v"), "E(42P01: relation \"v\" does not exist)");
  EXPECT_EQ(query("DROP TABLE IF EXISTS a, b"), "N(00000: table \"a\" does not exist, skipping) C(DROP TABLE)");
  EXPECT_EQ(query("DROP TABLE b"), "E(42P01: table \"b\" does not exist)");
  query("CREATE SEQUENCE s");
  EXPECT_EQ(query("DROP TABLE s"), "E(42809: \"s\" is not a table)");
  EXPECT_EQ(hint(), "Use DROP SEQUENCE to remove a sequence.");
}

TEST_F(Ddl, AddsAndDropsColumns) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int)");
  query("INSERT INTO t VALUES (1, 10), (2, 20)");
  EXPECT_EQ(query("ALTER TABLE t ADD COLUMN b text DEFAULT 'new', ADD c int"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT * FROM t ORDER BY id"), "T(id,a,b,c) D(1,10,new,null) D(2,20,new,null) C(SELECT 2)");
  EXPECT_EQ(query("INSERT INTO t (id) VALUES (3)"), "C(INSERT 0 1)");
  EXPECT_EQ(query("ALTER TABLE t DROP COLUMN a"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT * FROM t ORDER BY id"), "T(id,b,c) D(1,new,null) D(2,new,null) D(3,new,null) C(SELECT 3)");
  EXPECT_EQ(query("ALTER TABLE t ADD n bigserial"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT id, n FROM t ORDER BY n"), "T(id,n) D(1,1) D(2,2) D(3,3) C(SELECT 3)");
  EXPECT_EQ(query("ALTER TABLE t ADD d int NOT NULL"), "E(23502: column \"d\" of relation \"t\" contains null values)");
  EXPECT_EQ(query("ALTER TABLE t ADD b int"), "E(42701: column \"b\" of relation \"t\" already exists)");
  EXPECT_EQ(query("ALTER TABLE t DROP zz"), "E(42703: column \"zz\" of relation \"t\" does not exist)");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT id, b, n FROM t ORDER BY id"), "T(id,b,n) D(1,new,1) D(2,new,2) D(3,new,3) C(SELECT 3)");
}

TEST_F(Ddl, ChangesTypesAndNullability) {
  query("CREATE TABLE t (id int PRIMARY KEY, a text, b int)");
  query("INSERT INTO t VALUES (1, '10', NULL), (2, '20', 5)");
  EXPECT_EQ(query("ALTER TABLE t ALTER a TYPE int"), "E(42804: column \"a\" cannot be cast automatically to type integer)");
  EXPECT_EQ(hint(), "You might need to specify \"USING a::integer\".");
  EXPECT_EQ(query("ALTER TABLE t ALTER a TYPE int USING a::int + 1"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT a FROM t ORDER BY id"), "T(a) D(11) D(21) C(SELECT 2)");
  EXPECT_EQ(query("ALTER TABLE t ALTER b SET NOT NULL"), "E(23502: column \"b\" of relation \"t\" contains null values)");
  query("UPDATE t SET b = 1 WHERE b IS NULL");
  EXPECT_EQ(query("ALTER TABLE t ALTER b SET NOT NULL"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER TABLE t ALTER id DROP NOT NULL"), "E(42P16: column \"id\" is in a primary key)");
  EXPECT_EQ(query("ALTER TABLE t ALTER b SET DEFAULT 7, ALTER b DROP NOT NULL"), "C(ALTER TABLE)");
  EXPECT_EQ(query("INSERT INTO t (id) VALUES (3) RETURNING b"), "T(b) D(7) C(INSERT 0 1)");
}

TEST_F(Ddl, AddsConstraintsToFilledTables) {
  query("CREATE TABLE t (a int, b int)");
  query("INSERT INTO t SELECT g, g % 3 FROM generate_series(1, 1000) g");
  EXPECT_EQ(query("ALTER TABLE t ADD UNIQUE (b)"), "E(23505: could not create unique index \"t_b_key\")");
  EXPECT_EQ(query("ALTER TABLE t ADD PRIMARY KEY (a)"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT count(*), sum(a) FROM t"), "T(count,sum) D(1000,500500) C(SELECT 1)");
  EXPECT_EQ(query("SELECT b FROM t WHERE a = 500"), "T(b) D(2) C(SELECT 1)");
  EXPECT_EQ(query("INSERT INTO t VALUES (500, 0)"), "E(23505: duplicate key value violates unique constraint \"t_pkey\")");
  EXPECT_EQ(query("ALTER TABLE t ADD CHECK (b < 2)"), "E(23514: check constraint \"t_b_check\" of relation \"t\" is violated by some row)");
  EXPECT_EQ(query("ALTER TABLE t ADD CONSTRAINT ok CHECK (b < 3)"), "C(ALTER TABLE)");
  query("CREATE TABLE p (id int PRIMARY KEY)");
  query("INSERT INTO p VALUES (0), (1)");
  EXPECT_EQ(query("ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p"),
            "E(23503: insert or update on table \"t\" violates foreign key constraint \"t_b_fkey\")");
  EXPECT_EQ(detail(), "Key (b)=(2) is not present in table \"p\".");
  query("INSERT INTO p VALUES (2)");
  EXPECT_EQ(query("ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES p"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER TABLE t DROP CONSTRAINT t_pkey"), "C(ALTER TABLE)");
  EXPECT_EQ(query("INSERT INTO t VALUES (500, 0)"), "C(INSERT 0 1)");
  EXPECT_EQ(query("SELECT count(*) FROM t WHERE a = 500"), "T(count) D(2) C(SELECT 1)");
}

TEST_F(Ddl, BuildsIndexesOverFilledTables) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int, b text)");
  query("INSERT INTO t SELECT g, g % 10, 'v' || g FROM generate_series(1, 500) g");
  EXPECT_EQ(query("CREATE INDEX ON t (a DESC)"), "C(CREATE INDEX)");
  EXPECT_EQ(query("SELECT count(*) FROM t WHERE a = 3"), "T(count) D(50) C(SELECT 1)");
  EXPECT_EQ(query("CREATE UNIQUE INDEX ON t (b)"), "C(CREATE INDEX)");
  EXPECT_EQ(query("INSERT INTO t VALUES (1000, 1, 'v7')"), "E(23505: duplicate key value violates unique constraint \"t_b_idx\")");
  EXPECT_EQ(query("CREATE UNIQUE INDEX u ON t (a)"), "E(23505: could not create unique index \"u\")");
  EXPECT_EQ(query("CREATE INDEX IF NOT EXISTS t_a_idx ON t (b)"), "N(42P07: relation \"t_a_idx\" already exists, skipping) C(CREATE INDEX)");
  EXPECT_EQ(query("CREATE INDEX ON t (lower(b))"), "C(CREATE INDEX)");
  EXPECT_EQ(query("SELECT indexdef FROM pg_indexes WHERE tablename = 't' ORDER BY indexname"),
            "T(indexdef) D(CREATE INDEX t_a_idx ON public.t USING btree (a DESC)) D(CREATE UNIQUE INDEX t_b_idx ON public.t USING btree (b)) "
            "D(CREATE INDEX t_lower_idx ON public.t USING btree (lower(b))) D(CREATE UNIQUE INDEX t_pkey ON public.t USING btree (id)) C(SELECT 4)");
  EXPECT_EQ(query("DROP INDEX t_pkey"), "E(2BP01: cannot drop index t_pkey because constraint t_pkey on table t requires it)");
  EXPECT_EQ(query("DROP INDEX t_a_idx"), "C(DROP INDEX)");
  EXPECT_EQ(query("SELECT count(*) FROM t WHERE a = 3"), "T(count) D(50) C(SELECT 1)");
}

TEST_F(Ddl, RollsBackWithItsTransaction) {
  query("BEGIN");
  query("CREATE TABLE t (id int PRIMARY KEY)");
  query("INSERT INTO t VALUES (1)");
  EXPECT_EQ(query("SELECT * FROM t"), "T(id) D(1) C(SELECT 1)");
  query("ROLLBACK");
  EXPECT_EQ(query("SELECT * FROM t"), "E(42P01: relation \"t\" does not exist)");
  query("CREATE TABLE t (id int PRIMARY KEY)");
  query("INSERT INTO t VALUES (1)");
  query("BEGIN");
  query("TRUNCATE t");
  EXPECT_EQ(query("SELECT * FROM t"), "T(id) C(SELECT 0)");
  query("ROLLBACK");
  EXPECT_EQ(query("SELECT * FROM t"), "T(id) D(1) C(SELECT 1)");
}

TEST_F(Ddl, Truncates) {
  query("CREATE TABLE a (id serial PRIMARY KEY, code text UNIQUE)");
  query("CREATE TABLE b (a_id int REFERENCES a)");
  query("INSERT INTO a (code) VALUES ('x'), ('y')");
  EXPECT_EQ(query("TRUNCATE a"), "E(0A000: cannot truncate a table referenced in a foreign key constraint)");
  EXPECT_EQ(detail(), "Table \"b\" references \"a\".");
  EXPECT_EQ(query("TRUNCATE a RESTART IDENTITY CASCADE"), "N(00000: truncate cascades to table \"b\") C(TRUNCATE TABLE)");
  EXPECT_EQ(query("INSERT INTO a (code) VALUES ('x') RETURNING id"), "T(id) D(1) C(INSERT 0 1)");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT * FROM a"), "T(id,code) D(1,x) C(SELECT 1)");
}

TEST_F(Ddl, TruncatesRowsOfTheSameTransaction) {
  query("CREATE TABLE t (id int PRIMARY KEY)");
  query("BEGIN");
  query("INSERT INTO t VALUES (1), (2)");
  EXPECT_EQ(query("TRUNCATE t"), "C(TRUNCATE TABLE)");
  query("INSERT INTO t VALUES (1)");
  query("COMMIT");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT * FROM t"), "T(id) D(1) C(SELECT 1)");
}

TEST_F(Ddl, Renames) {
  query("CREATE TABLE t (id serial PRIMARY KEY, a int CHECK (a > 0))");
  EXPECT_EQ(query("ALTER TABLE t RENAME a TO b"), "C(ALTER TABLE)");
  EXPECT_EQ(query("INSERT INTO t (b) VALUES (0)"), "E(23514: new row for relation \"t\" violates check constraint \"t_a_check\")");
  EXPECT_EQ(query("ALTER TABLE t RENAME TO u"), "C(ALTER TABLE)");
  EXPECT_EQ(query("ALTER SEQUENCE t_id_seq RENAME TO numbers"), "C(ALTER SEQUENCE)");
  EXPECT_EQ(query("INSERT INTO u (b) VALUES (1) RETURNING id"), "T(id) D(2) C(INSERT 0 1)");
  EXPECT_EQ(query("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'u'::regclass"),
            "T(pg_get_expr) D(nextval('numbers'::regclass)) C(SELECT 1)");
  EXPECT_EQ(query("ALTER TABLE u RENAME CONSTRAINT t_a_check TO positive"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'positive'"), "T(pg_get_constraintdef) D(CHECK ((b > 0))) C(SELECT 1)");
  query("CREATE SCHEMA s");
  EXPECT_EQ(query("ALTER TABLE u SET SCHEMA s"), "C(ALTER TABLE)");
  EXPECT_EQ(query("SELECT * FROM s.u"), "T(id,b) D(2,1) C(SELECT 1)");
}

TEST_F(Ddl, MakesSequences) {
  EXPECT_EQ(query("CREATE SEQUENCE s START 5 INCREMENT 2 MAXVALUE 9"), "C(CREATE SEQUENCE)");
  EXPECT_EQ(query("SELECT nextval('s'), nextval('s'), nextval('s')"), "T(nextval,nextval,nextval) D(5,7,9) C(SELECT 1)");
  EXPECT_EQ(query("SELECT nextval('s')"), "T(nextval) E(2200H: nextval: reached maximum value of sequence \"s\" (9))");
  EXPECT_EQ(query("ALTER SEQUENCE s RESTART"), "C(ALTER SEQUENCE)");
  EXPECT_EQ(query("SELECT nextval('s')"), "T(nextval) D(5) C(SELECT 1)");
  EXPECT_EQ(query("CREATE SEQUENCE z INCREMENT 0"), "E(22023: INCREMENT must not be zero)");
  EXPECT_EQ(query("CREATE SEQUENCE z MAXVALUE 3 START 4"), "E(22023: START value (4) cannot be greater than MAXVALUE (3))");
  query("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY (START 100), a int)");
  EXPECT_EQ(query("INSERT INTO t (a) VALUES (1) RETURNING id"), "T(id) D(100) C(INSERT 0 1)");
  EXPECT_EQ(query("SELECT pg_get_serial_sequence('t', 'id')"), "T(pg_get_serial_sequence) D(public.t_id_seq) C(SELECT 1)");
  EXPECT_EQ(query("DROP SEQUENCE s"), "C(DROP SEQUENCE)");
}

TEST_F(Ddl, PlacesTablesByDirectoryRegionAndShard) {
  EXPECT_EQ(query("CREATE TABLE stores (store_id int PRIMARY KEY, region text NOT NULL) PARTITION BY DIRECTORY (region)"), "C(CREATE TABLE)");
  EXPECT_EQ(query("CREATE TABLE orders (store_id int REFERENCES stores, order_id bigint, PRIMARY KEY (store_id, order_id)) PARTITION BY REGION (store_id)"),
            "C(CREATE TABLE)");
  EXPECT_EQ(query("CREATE TABLE lines (store_id int, order_id bigint, n int, PRIMARY KEY (store_id, order_id, n),"
                  " FOREIGN KEY (store_id, order_id) REFERENCES orders) PARTITION BY REGION (store_id)"),
            "C(CREATE TABLE)");
  EXPECT_EQ(query("CREATE TABLE customers (id bigint PRIMARY KEY) PARTITION BY SHARD (id)"), "C(CREATE TABLE)");
  query("INSERT INTO stores VALUES (1, 'north'), (2, 'east')");
  query("INSERT INTO orders VALUES (1, 1), (2, 1)");
  EXPECT_EQ(query("INSERT INTO lines VALUES (1, 1, 1)"), "C(INSERT 0 1)");
  EXPECT_EQ(query("SELECT tablename, placement, region, live_rows FROM wandian_placement WHERE tablename = 'orders' ORDER BY region"),
            "T(tablename,placement,region,live_rows) D(orders,region,east,1) D(orders,region,north,1) C(SELECT 2)");
  EXPECT_EQ(query("CREATE TABLE bad (a int PRIMARY KEY) PARTITION BY REGION (a)"),
            "E(42P16: column \"a\" of PARTITION BY REGION must have a foreign key that leads to a directory)");
  EXPECT_EQ(query("DROP TABLE stores CASCADE"), "E(2BP01: cannot drop table stores because other tables are placed by it)");
  EXPECT_EQ(query("DROP TABLE stores, orders, lines"), "C(DROP TABLE)");
}

TEST_F(Ddl, KeepsTemporaryTablesToTheirSession) {
  EXPECT_EQ(query("CREATE TEMP TABLE t (id int PRIMARY KEY)"), "C(CREATE TABLE)");
  query("INSERT INTO t VALUES (1)");
  EXPECT_EQ(query("SELECT * FROM t"), "T(id) D(1) C(SELECT 1)");
  TestClient other(world, 1);
  EXPECT_EQ(other.query("SELECT * FROM t"), "E(42P01: relation \"t\" does not exist)");
}

TEST_F(Ddl, MakesTablesFromQueries) {
  EXPECT_EQ(query("CREATE TABLE t AS SELECT g AS id, 'v' || g AS v FROM generate_series(1, 3) g"), "C(SELECT 3)");
  EXPECT_EQ(query("SELECT * FROM t ORDER BY id"), "T(id,v) D(1,v1) D(2,v2) D(3,v3) C(SELECT 3)");
  EXPECT_EQ(query("SELECT id INTO u FROM t WHERE id > 1"), "C(SELECT 2)");
  EXPECT_EQ(query("SELECT count(*) FROM u"), "T(count) D(2) C(SELECT 1)");
  EXPECT_EQ(query("CREATE TABLE w (LIKE t INCLUDING ALL, extra int)"), "C(CREATE TABLE)");
}

TEST_F(Ddl, TablesLiveUntilEveryShardHasEndedTheTransactionThatDropsThem) {
  // Rows on both shards; the owners hear of the end after the session has.
  const std::string insert = "INSERT INTO t SELECT g FROM generate_series(1, 50) g; ";
  EXPECT_EQ(query("CREATE TABLE t (a int PRIMARY KEY); " + insert + "DROP TABLE t"), "C(CREATE TABLE) C(INSERT 0 50) C(DROP TABLE)");
  query("CREATE TABLE t (a int PRIMARY KEY)");
  EXPECT_EQ(query(insert + "TRUNCATE t"), "C(INSERT 0 50) C(TRUNCATE TABLE)");
  query("BEGIN; CREATE TABLE u (a int PRIMARY KEY); INSERT INTO u SELECT g FROM generate_series(1, 50) g; DROP TABLE u; " + insert + "ROLLBACK");
  query("BEGIN; " + insert + "DROP TABLE t; COMMIT");
  EXPECT_EQ(query("SELECT 1 FROM t"), "E(42P01: relation \"t\" does not exist)");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT 1 FROM t"), "E(42P01: relation \"t\" does not exist)");
}

TEST_F(Ddl, KeepsViews) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int)");
  query("INSERT INTO t VALUES (1, 10)");
  EXPECT_EQ(query("CREATE VIEW v (x, y) AS SELECT id, a + 1 FROM t"), "C(CREATE VIEW)");
  EXPECT_EQ(query("SELECT * FROM v"), "T(x,y) D(1,11) C(SELECT 1)");
  EXPECT_EQ(query("CREATE OR REPLACE VIEW v (x) AS SELECT id FROM t"), "E(42P16: cannot drop columns from view)");
  EXPECT_EQ(query("ALTER TABLE t DROP COLUMN a"), "E(2BP01: cannot drop column a of table t because other objects depend on it)");
  EXPECT_EQ(query("DROP VIEW v"), "C(DROP VIEW)");
}

TEST_F(Ddl, SurvivesARestart) {
  query("CREATE SCHEMA s");
  query("CREATE TABLE s.t (id serial PRIMARY KEY, a int CHECK (a > 0), b text UNIQUE)");
  query("INSERT INTO s.t (a, b) VALUES (1, 'x'), (2, 'y')");
  query("COMMENT ON TABLE s.t IS 'a table'");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("INSERT INTO s.t (a, b) VALUES (0, 'z')"), "E(23514: new row for relation \"t\" violates check constraint \"t_a_check\")");
  EXPECT_EQ(after.query("INSERT INTO s.t (a, b) VALUES (3, 'x')"), "E(23505: duplicate key value violates unique constraint \"t_b_key\")");
  EXPECT_EQ(after.query("SELECT id, b FROM s.t WHERE a = 2"), "T(id,b) D(2,y) C(SELECT 1)");
  EXPECT_EQ(after.query("SELECT obj_description('s.t'::regclass)"), "T(obj_description) D(a table) C(SELECT 1)");
}

TEST_F(Ddl, IndexesOverFilledTablesAreThereAfterARestart) {
  query("CREATE TABLE t (id int PRIMARY KEY, a int)");
  query("INSERT INTO t VALUES (1, 10), (2, 20), (3, 30)");
  query("CREATE INDEX ON t (a)");
  restart();
  TestClient after(world);
  EXPECT_EQ(after.query("SELECT id FROM t WHERE a = 20"), "T(id) D(2) C(SELECT 1)");
  EXPECT_EQ(after.query("UPDATE t SET a = 21 WHERE id = 2"), "C(UPDATE 1)");
  EXPECT_EQ(after.query("SELECT id FROM t WHERE a = 21"), "T(id) D(2) C(SELECT 1)");
}

TEST_F(Ddl, ExtensionScriptsAndFunctionsGoWithTheirExtension) {
  class Source final : public ExtensionSource {
   public:
    Source() {
      info.name = "shop";
      info.version = "1.0";
      info.comment = "a shop";
      info.module = "shop";
      info.schema_sql = "CREATE TABLE goods (sku int PRIMARY KEY); CREATE TABLE sold (n serial PRIMARY KEY, sku int REFERENCES goods);";
      info.procedures.push_back({"sell", {"sku"}, {type_oid::kInt4}, type_oid::kInt8, true});
    }
    Result<const ExtensionInfo*> find_extension(std::string_view name) override { return name == "shop" ? &info : nullptr; }
    std::vector<const ExtensionInfo*> all_extensions() const override { return {&info}; }
    ExtensionInfo info;
  };
  Source source;
  ddl_services().extensions = &source;
  EXPECT_EQ(query("CREATE EXTENSION shop"), "C(CREATE EXTENSION)");
  EXPECT_EQ(query("INSERT INTO goods VALUES (1)"), "C(INSERT 0 1)");
  EXPECT_EQ(query("SELECT extname, extversion FROM pg_extension WHERE extname = 'shop'"), "T(extname,extversion) D(shop,1.0) C(SELECT 1)");
  EXPECT_EQ(query("SELECT name, installed_version FROM pg_available_extensions WHERE name = 'shop'"), "T(name,installed_version) D(shop,1.0) C(SELECT 1)");
  EXPECT_EQ(query("SELECT proname, pg_get_function_arguments(oid), pg_get_function_result(oid) FROM pg_proc WHERE proname = 'sell'"),
            "T(proname,pg_get_function_arguments,pg_get_function_result) D(sell,sku integer,bigint) C(SELECT 1)");
  EXPECT_EQ(query("DROP TABLE sold"), "E(2BP01: cannot drop table sold because extension shop requires it)");
  EXPECT_EQ(query("CREATE EXTENSION nothing"), "E(0A000: extension \"nothing\" is not available)");
  EXPECT_EQ(query("DROP EXTENSION shop"), "C(DROP EXTENSION)");
  EXPECT_EQ(query("SELECT * FROM goods"), "E(42P01: relation \"goods\" does not exist)");
  EXPECT_EQ(query("SELECT count(*) FROM pg_proc WHERE proname = 'sell'"), "T(count) D(0) C(SELECT 1)");
  ddl_services().extensions = nullptr;
}

TEST_F(Ddl, KeepsRoles) {
  EXPECT_EQ(query("CREATE USER clerk"), "C(CREATE ROLE)");
  EXPECT_EQ(query("SELECT rolname, rolcanlogin, rolsuper FROM pg_roles WHERE rolname = 'clerk'"), "T(rolname,rolcanlogin,rolsuper) D(clerk,t,f) C(SELECT 1)");
  EXPECT_EQ(query("CREATE ROLE clerk"), "E(42710: role \"clerk\" already exists)");
  EXPECT_EQ(query("ALTER ROLE clerk SUPERUSER"), "C(ALTER ROLE)");
  EXPECT_EQ(query("DROP ROLE IF EXISTS clerk, nobody"), "N(00000: role \"nobody\" does not exist, skipping) C(DROP ROLE)");
}

}  // namespace
}  // namespace wandian::sql
