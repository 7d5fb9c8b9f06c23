#include "tests/sql/exec_world.h"

#include <algorithm>

namespace wandian::sql {

Oid World::add(const TableSpec& spec) {
  Transaction transaction(engine.database->shard(0));
  std::vector<std::shared_ptr<TableDef>> made;
  engine.at(0, [&](Shard&) {
    transaction.begin(Isolation::kReadCommitted, false);
    auto table = std::make_shared<TableDef>();
    table->oid = transaction.allocate_oid();
    table->schema = kPublicSchema;
    table->name = spec.name;
    table->storage_id = engine.database->allocate_storage_id();
    for (const ColumnSpec& column : spec.columns) {
      ColumnDef& def = table->columns.emplace_back();
      def.name = column.name;
      def.type = column.type;
      def.not_null = column.not_null;
    }
    const auto index = [&](const std::string& name, const std::vector<std::string>& columns, bool unique) {
      IndexDef& def = table->indexes.emplace_back();
      def.oid = transaction.allocate_oid();
      def.name = name;
      def.unique = unique;
      for (const std::string& column : columns) {
        const auto position = static_cast<std::uint16_t>(table->find_column(column));
        def.parts.push_back({position, false, false});
      }
      def.key_parts = static_cast<std::uint16_t>(columns.size());
      return table->indexes.size() - 1;
    };
    if (spec.key.empty()) {
      table->hidden_row_number = true;
      IndexDef& def = table->indexes.emplace_back();
      def.oid = transaction.allocate_oid();
      def.name = spec.name + "_row";
      def.primary = def.unique = true;
      def.parts.push_back({static_cast<std::uint16_t>(table->columns.size()), false, false});
      def.key_parts = 1;
    } else {
      table->indexes[index(spec.name + "_pkey", spec.key, true)].primary = true;
      for (const IndexPart& part : table->indexes[0].parts) table->columns[part.column].not_null = true;
    }
    const auto joined = [](const std::vector<std::string>& parts) {
      std::string out;
      for (const std::string& part : parts) out += "_" + part;
      return out;
    };
    for (const auto& columns : spec.indexes) index(spec.name + joined(columns) + "_idx", columns, false);
    for (const auto& columns : spec.uniques) index(spec.name + joined(columns) + "_key", columns, true);
    for (const auto& columns : spec.global_uniques) {
      auto internal = std::make_shared<TableDef>();
      internal->oid = transaction.allocate_oid();
      internal->schema = kPublicSchema;
      internal->name = spec.name + joined(columns) + "_global";
      internal->internal = true;
      internal->storage_id = engine.database->allocate_storage_id();
      IndexDef primary;
      primary.oid = transaction.allocate_oid();
      primary.name = internal->name;
      primary.primary = primary.unique = true;
      for (const std::string& column : columns) {
        primary.parts.push_back({static_cast<std::uint16_t>(internal->columns.size()), false, false});
        internal->columns.push_back(table->columns[static_cast<std::size_t>(table->find_column(column))]);
        internal->columns.back().not_null = true;
      }
      for (const std::string& column : spec.key) internal->columns.push_back(table->columns[static_cast<std::size_t>(table->find_column(column))]);
      primary.key_parts = static_cast<std::uint16_t>(columns.size());
      internal->indexes.push_back(primary);
      table->indexes[index(spec.name + joined(columns) + "_key", columns, true)].global_table = internal->oid;
      made.push_back(internal);
    }
    for (const TableSpec::Foreign& foreign : spec.foreign) {
      ForeignKeyDef& key = table->foreign_keys.emplace_back();
      key.oid = transaction.allocate_oid();
      key.name = spec.name + joined(foreign.columns) + "_fkey";
      for (const std::string& column : foreign.columns) key.columns.push_back(static_cast<std::uint16_t>(table->find_column(column)));
      const std::shared_ptr<const TableDef> other = engine.table(tables[foreign.table]);
      key.referenced_table = other->oid;
      for (const IndexPart& part : other->indexes[0].parts) key.referenced_columns.push_back(part.column);
      key.referenced_index = other->indexes[0].oid;
      key.on_delete = foreign.on_delete;
      key.on_update = foreign.on_update;
    }
    made.push_back(table);
    std::vector<CatalogChange> changes;
    for (const std::shared_ptr<TableDef>& def : made) {
      CatalogChange& change = changes.emplace_back();
      change.kind = ObjectKind::kTable;
      change.oid = def->oid;
      change.table = def;
    }
    const Status status = transaction.change_catalog(std::move(changes));
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  });
  Task<Status> commit = transaction.commit(SyncCommit::kOn);
  EXPECT_TRUE(engine.drive(0, commit));
  EXPECT_TRUE(commit.result().ok());
  engine.turns(3);
  tables[spec.name] = made.back()->oid;
  return made.back()->oid;
}

Result<std::shared_ptr<const Plan>> World::plan(std::string_view text, const std::shared_ptr<const Catalog>& catalog) {
  WANDIAN_ASSIGN(const ParsedStatements parsed, ParsedStatements::parse(text));
  Arena arena;
  EvalContext eval{arena, format, nullptr, 0, 0, {}};
  BindContext context;
  context.catalog = catalog;
  context.search_path = {kPgCatalogSchema, kPublicSchema};
  context.eval = &eval;
  WANDIAN_ASSIGN(std::shared_ptr<const BoundStatement> bound, bind_statement(parsed.statements()[0].node, parsed.text(), context));
  PlanContext planning;
  planning.catalog = catalog;
  planning.placement = &engine.database->placement();
  return plan_statement(bound, planning);
}

Answer World::run(std::string_view text, std::vector<std::string> param_texts, Client* within, std::uint64_t max_rows) {
  Answer answer;
  const auto fail = [&](const Status& status) {
    answer.error = std::string(status.error().code.text()) + ": " + status.error().message;
    answer.detail = status.error().detail;
    return answer;
  };
  std::unique_ptr<Client> own;
  if (within == nullptr) {
    own = std::make_unique<Client>(engine, shard);
    own->begin();
  }
  Client& client = within != nullptr ? *within : *own;
  Transaction& transaction = client.transaction;
  std::shared_ptr<const Catalog> catalog;
  engine.at(shard, [&](Shard&) { catalog = transaction.catalog(); });
  Result<std::shared_ptr<const Plan>> planned = plan(text, catalog);
  if (!planned.ok()) return fail(planned.status());
  std::shared_ptr<const Plan> plan = planned.take();
  Arena arena;
  EvalContext eval{arena, format, nullptr, 0, 0, {}};
  std::vector<Value> params;
  for (std::size_t i = 0; i < param_texts.size(); ++i) {
    Value value;
    if (param_texts[i] != "~") {
      EXPECT_TRUE(value_from_text(eval, plan->parameter_types[i], -1, param_texts[i], &value));
    }
    params.push_back(value);
  }
  for (bool begun = false; !begun;) {
    engine.at(shard, [&](Shard&) { begun = transaction.begin_statement(); });
    if (!begun) engine.turns();
  }
  struct Wake final : Runnable {
    void run() override { woken = true; }
    bool woken = false;
  } wake;
  ExecutionEnv env;
  env.shard = &engine.database->shard(shard);
  env.transaction = &transaction;
  env.catalog = catalog;
  env.format = &format;
  env.ready = &wake;
  env.checks_per_share = checks_per_share;
  TextRows rows(*plan, format);
  Status status;
  std::uint64_t processed = 0;
  bool done = false;
  if (use_fast_path) engine.at(shard, [&](Shard&) { done = run_fast(*plan, env, params, arena, rows, &processed, &status); });
  if (done) {
    ++fast;
    answer.tag = std::to_string(processed);
  } else {
    std::unique_ptr<Execution> execution = Execution::create(plan, env, params);
    for (int turns = 0; turns < 1000000; ++turns) {
      Progress progress = Progress::kPaused;
      engine.at(shard, [&](Shard& s) {
        s.start_budget();
        ++runs;
        progress = execution->run(max_rows, rows);
      });
      if (progress == Progress::kDone) break;
      if (progress == Progress::kFailed) {
        status = execution->take_error();
        break;
      }
      if (progress == Progress::kWaiting)
        for (int i = 0; i < 10000 && !wake.woken; ++i) engine.turns();
      wake.woken = false;
      if (progress == Progress::kPaused) engine.turns();
    }
    answer.tag = execution->tag(rows.rows.size());
    engine.at(shard, [&](Shard&) { execution.reset(); });
  }
  engine.at(shard, [&](Shard&) { transaction.end_statement(); });
  answer.rows = std::move(rows.rows);
  if (own != nullptr) {
    if (status.ok()) {
      const Status committed = own->commit();
      EXPECT_TRUE(committed.ok());
    } else {
      own->rollback();
    }
    engine.turns(2);
  }
  if (!status.ok()) return fail(status);
  return answer;
}

std::string World::explain(std::string_view text) {
  std::shared_ptr<const Catalog> catalog = engine.database->catalog();
  Result<std::shared_ptr<const Plan>> planned = plan(text, catalog);
  if (!planned.ok()) return planned.status().error().message;
  std::string out;
  ExplainOptions options;
  options.costs = false;
  for (const std::string& line : explain_plan(*planned.value(), options)) out += line + "\n";
  return out;
}

namespace {

TableSpec items() {
  TableSpec spec;
  spec.name = "items";
  spec.columns = {{"id", type_oid::kInt4}, {"grp", type_oid::kInt4}, {"name", type_oid::kText}, {"price", type_oid::kNumeric}};
  spec.key = {"id"};
  spec.indexes = {{"grp"}};
  return spec;
}

TEST(ExecSelect, ExpressionsWithoutTables) {
  World world;
  EXPECT_EQ(world.query("SELECT 1 + 2, 'a' || 'b'"), "3|ab\n");
  EXPECT_EQ(world.query("SELECT 1 WHERE false"), "");
  EXPECT_EQ(world.query("VALUES (1, 'x'), (2, 'y')"), "1|x\n2|y\n");
}

TEST(ExecSelect, SortsLimitsAndDistinct) {
  World world;
  EXPECT_EQ(world.query("SELECT * FROM (VALUES (3), (1), (NULL), (2)) v(a) ORDER BY a"), "1\n2\n3\n~\n");
  EXPECT_EQ(world.query("SELECT * FROM (VALUES (3), (1), (NULL), (2)) v(a) ORDER BY a DESC"), "~\n3\n2\n1\n");
  EXPECT_EQ(world.query("SELECT * FROM (VALUES (3), (1), (2)) v(a) ORDER BY a LIMIT 1 OFFSET 1"), "2\n");
  EXPECT_EQ(world.query("SELECT DISTINCT a FROM (VALUES (2), (1), (2), (1)) v(a) ORDER BY a"), "1\n2\n");
  EXPECT_EQ(world.query("SELECT DISTINCT ON (a) a, b FROM (VALUES (1, 2), (1, 1), (2, 5)) v(a, b) ORDER BY a, b"), "1|1\n2|5\n");
  EXPECT_EQ(world.query("SELECT g FROM generate_series(1, 5000) g ORDER BY -g LIMIT 3"), "5000\n4999\n4998\n");
  EXPECT_EQ(world.query("SELECT count(*) FROM (SELECT g FROM generate_series(1, 10000) g ORDER BY g DESC) x"), "10000\n");
}

TEST(ExecSelect, Aggregates) {
  World world;
  EXPECT_EQ(world.query("SELECT count(*), sum(a), min(a), max(a) FROM (VALUES (1), (2), (NULL)) v(a)"), "3|3|1|2\n");
  EXPECT_EQ(world.query("SELECT a % 2, count(*), sum(a) FROM generate_series(1, 10) a GROUP BY a % 2 ORDER BY 1"), "0|5|30\n1|5|25\n");
  EXPECT_EQ(world.query("SELECT a % 3 AS k FROM generate_series(1, 10) a GROUP BY 1 HAVING count(*) > 3"), "1\n");
  EXPECT_EQ(world.query("SELECT count(DISTINCT a % 3), count(*) FILTER (WHERE a > 5) FROM generate_series(1, 10) a"), "3|5\n");
  EXPECT_EQ(world.query("SELECT string_agg(b, ',' ORDER BY a DESC) FROM (VALUES (1, 'x'), (2, 'y')) v(a, b)"), "y,x\n");
  EXPECT_EQ(world.query("SELECT count(*) FROM (VALUES (1)) v(a) WHERE a > 1"), "0\n");
  EXPECT_EQ(world.query("SELECT a, sum(sum(a)) FROM generate_series(1,2) a GROUP BY a").substr(0, 5), "42803");
  EXPECT_EQ(world.query("SELECT sum(g) FROM (SELECT g, count(*) FROM generate_series(1, 30000) g GROUP BY g) x"), "450015000\n");
}

TEST(ExecSelect, JoinsOfEveryKind) {
  World world;
  const std::string a = "(VALUES (1, 'a'), (2, 'b'), (3, 'c')) a(x, n)", b = "(VALUES (2, 'B'), (3, 'C'), (4, 'D'), (3, 'E')) b(y, m)";
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + " JOIN " + b + " ON x = y ORDER BY 1, 2"), "b|B\nc|C\nc|E\n");
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + " LEFT JOIN " + b + " ON x = y ORDER BY 1, 2"), "a|~\nb|B\nc|C\nc|E\n");
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + " RIGHT JOIN " + b + " ON x = y ORDER BY 1, 2"), "b|B\nc|C\nc|E\n~|D\n");
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + " FULL JOIN " + b + " ON x = y ORDER BY 1, 2"), "a|~\nb|B\nc|C\nc|E\n~|D\n");
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + " LEFT JOIN " + b + " ON x = y AND m <> 'C' ORDER BY 1, 2"), "a|~\nb|B\nc|E\n");
  EXPECT_EQ(world.query("SELECT n FROM " + a + " LEFT JOIN " + b + " ON x = y WHERE y IS NULL"), "a\n");
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + ", " + b + " WHERE x > y ORDER BY 1, 2"), "c|B\n");
  EXPECT_EQ(world.query("SELECT n, m FROM " + a + " LEFT JOIN " + b + " ON x > y ORDER BY 1, 2"), "a|~\nb|~\nc|B\n");
  EXPECT_EQ(world.query("SELECT count(*) FROM " + a + " CROSS JOIN " + b), "12\n");
  EXPECT_EQ(world.query("SELECT x, g FROM " + a + ", LATERAL generate_series(1, x) g ORDER BY 1, 2"), "1|1\n2|1\n2|2\n3|1\n3|2\n3|3\n");
}

TEST(ExecSelect, SubSelects) {
  World world;
  const std::string a = "(VALUES (1), (2), (3)) a(x)", b = "(VALUES (2), (3), (4)) b(y)";
  EXPECT_EQ(world.query("SELECT x FROM " + a + " WHERE x IN (SELECT y FROM " + b + ") ORDER BY 1"), "2\n3\n");
  EXPECT_EQ(world.query("SELECT x FROM " + a + " WHERE x NOT IN (SELECT y FROM " + b + ")"), "1\n");
  EXPECT_EQ(world.query("SELECT x FROM " + a + " WHERE EXISTS (SELECT 1 FROM " + b + " WHERE y = x) ORDER BY 1"), "2\n3\n");
  EXPECT_EQ(world.query("SELECT x FROM " + a + " WHERE NOT EXISTS (SELECT 1 FROM " + b + " WHERE y = x)"), "1\n");
  EXPECT_EQ(world.query("SELECT x, (SELECT max(y) FROM " + b + " WHERE y <= x) FROM " + a + " ORDER BY 1"), "1|~\n2|2\n3|3\n");
  EXPECT_EQ(world.query("SELECT (SELECT y FROM " + b + ")").substr(0, 5), "21000");
  EXPECT_EQ(world.query("SELECT ARRAY(SELECT y FROM " + b + " ORDER BY y DESC)"), "{4,3,2}\n");
  EXPECT_EQ(world.query("SELECT x FROM " + a + " WHERE x > ALL (SELECT y - 2 FROM " + b + " WHERE y < 4)"), "2\n3\n");
  EXPECT_EQ(world.query("SELECT x IN (SELECT NULL::int) FROM " + a + " WHERE x = 1"), "~\n");
}

TEST(ExecSelect, SetOperationsAndCtes) {
  World world;
  EXPECT_EQ(world.query("SELECT 1 UNION SELECT 2 UNION SELECT 1 ORDER BY 1"), "1\n2\n");
  EXPECT_EQ(world.query("SELECT 1 UNION ALL SELECT 1"), "1\n1\n");
  EXPECT_EQ(world.query("(VALUES (1), (2), (2)) INTERSECT ALL (VALUES (2), (2), (3))"), "2\n2\n");
  EXPECT_EQ(world.query("(VALUES (1), (2), (2)) EXCEPT (VALUES (2))"), "1\n");
  EXPECT_EQ(world.query("(VALUES (1), (2), (2)) EXCEPT ALL (VALUES (2)) ORDER BY 1"), "1\n2\n");
  EXPECT_EQ(world.query("WITH t AS (SELECT g FROM generate_series(1, 3) g) SELECT a.g, b.g FROM t a JOIN t b ON a.g = b.g + 1 ORDER BY 1"), "2|1\n3|2\n");
  EXPECT_EQ(world.query("WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t"), "15\n");
  EXPECT_EQ(world.query("WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT (n + 1) % 3 FROM t) SELECT n FROM t ORDER BY 1"), "0\n1\n2\n");
  EXPECT_EQ(world.query("SELECT generate_series(1, 2), 'x' "), "1|x\n2|x\n");
}

TEST(ExecTable, InsertSelectUpdateDelete) {
  for (const unsigned shards : {1u, 2u}) {
    World world(shards);
    world.add(items());
    EXPECT_EQ(world.run("INSERT INTO items VALUES (1, 10, 'one', 1.5), (2, 10, 'two', 2.5), (3, 20, 'three', NULL)").tag, "INSERT 0 3");
    EXPECT_EQ(world.run("INSERT INTO items (id, grp) SELECT g, g % 5 FROM generate_series(100, 199) g").tag, "INSERT 0 100");
    EXPECT_EQ(world.query("SELECT name, price FROM items WHERE id = 2"), "two|2.5\n");
    EXPECT_EQ(world.query("SELECT id FROM items WHERE grp = 10 ORDER BY id DESC"), "2\n1\n");
    EXPECT_EQ(world.query("SELECT id FROM items WHERE id IN (3, 1, 999) ORDER BY id"), "1\n3\n");
    EXPECT_EQ(world.query("SELECT count(*) FROM items WHERE id >= 100 AND id < 110"), "10\n");
    EXPECT_EQ(world.query("SELECT id FROM items ORDER BY id LIMIT 3"), "1\n2\n3\n");
    EXPECT_EQ(world.query("SELECT id FROM items ORDER BY id DESC LIMIT 2"), "199\n198\n");
    EXPECT_EQ(world.query("UPDATE items SET price = price + 1 WHERE id = 1 RETURNING id, price"), "1|2.5\n");
    EXPECT_EQ(world.run("UPDATE items SET name = 'g' WHERE grp = 3 AND id > 100").tag, "UPDATE 20");
    EXPECT_EQ(world.query("SELECT count(*) FROM items WHERE name = 'g'"), "20\n");
    EXPECT_EQ(world.run("UPDATE items SET id = id + 1000 WHERE id = 3").tag, "UPDATE 1");
    EXPECT_EQ(world.query("SELECT name FROM items WHERE id = 1003"), "three\n");
    EXPECT_EQ(world.query("SELECT name FROM items WHERE id = 3"), "");
    EXPECT_EQ(world.run("DELETE FROM items WHERE id = 2 RETURNING name").text(), "two\n");
    EXPECT_EQ(world.run("DELETE FROM items WHERE id >= 100").tag, "DELETE 101");
    EXPECT_EQ(world.query("SELECT id FROM items"), "1\n");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (1, 1, 'x', 0)").detail, "Key (id)=(1) already exists.");
    EXPECT_EQ(world.query("INSERT INTO items VALUES (NULL, 1, 'x', 0)").substr(0, 5), "23502");
    EXPECT_GT(world.fast, 0u);
  }
}

TEST(ExecTable, ParametersAndFastPaths) {
  World world(1);
  world.add(items());
  EXPECT_EQ(world.run("INSERT INTO items VALUES ($1, $2, $3, $4) RETURNING id, name", {"7", "70", "seven", "7.7"}).text(), "7|seven\n");
  EXPECT_EQ(world.run("SELECT grp + 1, name FROM items WHERE id = $1", {"7"}).text(), "71|seven\n");
  EXPECT_EQ(world.run("SELECT 1 FROM items WHERE id = $1", {"8"}).text(), "");
  EXPECT_EQ(world.run("SELECT 1 FROM items WHERE id = $1::bigint", {"8000000000"}).text(), "");
  EXPECT_EQ(world.run("UPDATE items SET grp = grp + $1 WHERE id = $2 RETURNING grp", {"5", "7"}).text(), "75\n");
  EXPECT_EQ(world.run("DELETE FROM items WHERE id = $1 RETURNING *", {"7"}).text(), "7|75|seven|7.7\n");
  EXPECT_EQ(world.fast, 6u);
}

TEST(ExecTable, OnConflict) {
  for (const unsigned shards : {1u, 2u}) {
    World world(shards);
    TableSpec spec = items();
    spec.global_uniques = {{"name"}};
    world.add(spec);
    EXPECT_EQ(world.run("INSERT INTO items VALUES (1, 10, 'one', 1)").error, "");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (1, 11, 'x', 2) ON CONFLICT DO NOTHING").tag, "INSERT 0 0");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (1, 11, 'y', 2) ON CONFLICT (id) DO UPDATE SET grp = excluded.grp + items.grp RETURNING grp, name").text(), "21|one\n");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (2, 11, 'one', 2) ON CONFLICT (name) DO UPDATE SET price = 9 RETURNING id, price").text(), "1|9\n");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (2, 11, 'one', 2)").detail, "Key (name)=(one) already exists.");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (5, 1, 'a', 1), (5, 2, 'b', 2) ON CONFLICT (id) DO UPDATE SET grp = 0").error.substr(0, 5), "21000");
    EXPECT_EQ(world.query("SELECT id FROM items WHERE name = 'one'"), "1\n");
    EXPECT_EQ(world.run("UPDATE items SET name = 'uno' WHERE id = 1").tag, "UPDATE 1");
    EXPECT_EQ(world.query("SELECT id FROM items WHERE name = 'uno'"), "1\n");
    EXPECT_EQ(world.query("SELECT id FROM items WHERE name = 'one'"), "");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (3, 11, 'one', 2)").error, "");
    EXPECT_EQ(world.run("DELETE FROM items WHERE id = 3").tag, "DELETE 1");
    EXPECT_EQ(world.run("INSERT INTO items VALUES (4, 11, 'one', 2)").error, "");
  }
}

TEST(ExecTable, ForeignKeys) {
  for (const unsigned shards : {1u, 2u}) {
    World world(shards);
    TableSpec parent;
    parent.name = "parent";
    parent.columns = {{"id", type_oid::kInt4}, {"v", type_oid::kInt4}};
    parent.key = {"id"};
    world.add(parent);
    TableSpec child;
    child.name = "child";
    child.columns = {{"id", type_oid::kInt4}, {"p", type_oid::kInt4}};
    child.key = {"id"};
    child.indexes = {{"p"}};
    child.foreign = {{{"p"}, "parent", 'a', 'a'}};
    world.add(child);
    TableSpec other = child;
    other.name = "other";
    other.foreign[0].on_delete = 'c';
    other.foreign[0].on_update = 'c';
    world.add(other);
    EXPECT_EQ(world.run("INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3)").error, "");
    EXPECT_EQ(world.run("INSERT INTO child VALUES (10, 1), (11, NULL)").error, "");
    const Answer missing = world.run("INSERT INTO child VALUES (12, 9)");
    EXPECT_EQ(missing.error, "23503: insert or update on table \"child\" violates foreign key constraint \"child_p_fkey\"");
    EXPECT_EQ(missing.detail, "Key (p)=(9) is not present in table \"parent\".");
    const Answer used = world.run("DELETE FROM parent WHERE id = 1");
    EXPECT_EQ(used.error, "23503: update or delete on table \"parent\" violates foreign key constraint \"child_p_fkey\" on table \"child\"");
    EXPECT_EQ(used.detail, "Key (id)=(1) is still referenced from table \"child\".");
    EXPECT_EQ(world.run("UPDATE child SET p = 7 WHERE id = 10").error.substr(0, 5), "23503");
    EXPECT_EQ(world.run("INSERT INTO other VALUES (20, 2), (21, 2), (22, 3)").error, "");
    EXPECT_EQ(world.run("DELETE FROM parent WHERE id = 2").tag, "DELETE 1");
    EXPECT_EQ(world.query("SELECT id FROM other"), "22\n");
    EXPECT_EQ(world.run("UPDATE parent SET id = 30 WHERE id = 3").error, "");
    EXPECT_EQ(world.query("SELECT id, p FROM other"), "22|30\n");
    EXPECT_TRUE(world.run("UPDATE parent SET v = 5 WHERE id = 1").tag.ends_with("1"));
  }
}

TEST(ExecTable, JoinsOverTablesAndUpdateFrom) {
  World world;
  world.add(items());
  TableSpec lines;
  lines.name = "lines";
  lines.columns = {{"o", type_oid::kInt4}, {"l", type_oid::kInt4}, {"item", type_oid::kInt4}, {"n", type_oid::kInt4}};
  lines.key = {"o", "l"};
  world.add(lines);
  EXPECT_EQ(world.run("INSERT INTO items SELECT g, g % 10, 'i' || g, g FROM generate_series(1, 1000) g").tag, "INSERT 0 1000");
  EXPECT_EQ(world.run("INSERT INTO lines SELECT g / 3, g % 3, g % 1000 + 1, 2 FROM generate_series(0, 2999) g").tag, "INSERT 0 3000");
  EXPECT_EQ(world.query("SELECT count(*), sum(i.price * l.n) FROM lines l JOIN items i ON i.id = l.item"), "3000|3003000\n");
  EXPECT_EQ(world.query("SELECT l, name FROM lines JOIN items ON id = item WHERE o = 5 ORDER BY l"), "0|i16\n1|i17\n2|i18\n");
  EXPECT_EQ(world.query("SELECT grp, count(*) FROM items WHERE id <= 20 GROUP BY grp ORDER BY grp LIMIT 2"), "0|2\n1|2\n");
  EXPECT_EQ(world.run("UPDATE items SET price = price + l.n FROM lines l WHERE l.item = items.id AND l.o = 5").tag, "UPDATE 3");
  EXPECT_EQ(world.query("SELECT price FROM items WHERE id IN (16, 17, 18) ORDER BY id"), "18\n19\n20\n");
  EXPECT_EQ(world.run("DELETE FROM lines USING items WHERE item = id AND grp = 3").tag, "DELETE 300");
  EXPECT_EQ(world.query("SELECT id FROM items WHERE id < 5 ORDER BY id FOR UPDATE"), "1\n2\n3\n4\n");
  EXPECT_EQ(world.query("SELECT i.id FROM items i WHERE EXISTS (SELECT 1 FROM lines l WHERE l.item = i.id AND l.o < 3) ORDER BY 1 LIMIT 3"), "1\n2\n4\n");
}

TEST(ExecTable, TablesWithoutAPrimaryKey) {
  World world;
  TableSpec spec;
  spec.name = "log";
  spec.columns = {{"a", type_oid::kInt4}, {"b", type_oid::kText}};
  world.add(spec);
  EXPECT_EQ(world.run("INSERT INTO log VALUES (1, 'x'), (1, 'x'), (2, 'y')").tag, "INSERT 0 3");
  EXPECT_EQ(world.query("SELECT a, count(*) FROM log GROUP BY a ORDER BY a"), "1|2\n2|1\n");
  EXPECT_EQ(world.run("UPDATE log SET b = 'z' WHERE a = 1").tag, "UPDATE 2");
  EXPECT_EQ(world.run("DELETE FROM log WHERE b = 'z'").tag, "DELETE 2");
  EXPECT_EQ(world.query("SELECT * FROM log"), "2|y\n");
}

TEST(ExecPause, StatementsThatStopWhereverTheyCanGiveTheSame) {
  World world;
  TableSpec spec = items();
  spec.indexes.push_back({"name"});
  world.add(spec);
  TableSpec lines;
  lines.name = "lines";
  lines.columns = {{"o", type_oid::kInt4}, {"l", type_oid::kInt4}, {"sku", type_oid::kText}, {"n", type_oid::kNumeric}};
  lines.key = {"o", "l"};
  lines.foreign = {{{"o"}, "items", 'c', 'a'}};
  world.add(lines);
  ASSERT_EQ(world.run("INSERT INTO items SELECT g, g % 7, 'item' || g % 30, g * 1.5 FROM generate_series(1, 120) g").error, "");
  ASSERT_EQ(world.run("INSERT INTO lines SELECT g / 4 + 1, g % 4, 'sku' || g % 11, g * 0.5 FROM generate_series(0, 399) g").error, "");
  const char* const kQueries[] = {
      "SELECT id, name, price FROM items ORDER BY name DESC, id",
      "SELECT name || 'x' AS a, upper(name) FROM items WHERE substr(name, 5) = '3' ORDER BY id",
      "SELECT id, name FROM items WHERE name >= 'item2' AND name < 'item25' ORDER BY name, id",
      "SELECT name, count(*), sum(price), string_agg(id::text, ',' ORDER BY id DESC) FROM items GROUP BY name ORDER BY name",
      "SELECT i.name, l.sku, l.n FROM items i JOIN lines l ON l.o = i.id WHERE i.grp = 3 ORDER BY 1, 2, 3",
      "SELECT i.name, l.sku FROM items i LEFT JOIN lines l ON l.o = i.id AND l.n > 100 ORDER BY 1, 2",
      "SELECT i.name, x.sku FROM items i, LATERAL (SELECT sku FROM lines l WHERE l.o = i.id ORDER BY n DESC LIMIT 1) x ORDER BY 1, 2",
      "SELECT name, (SELECT string_agg(sku, '-' ORDER BY l) FROM lines WHERE o = items.id) FROM items ORDER BY id",
      "SELECT name FROM items WHERE EXISTS (SELECT 1 FROM lines WHERE o = id AND sku = 'sku3') ORDER BY id",
      "SELECT name FROM items WHERE name NOT IN (SELECT 'item' || l FROM lines) ORDER BY id",
      // The side that a join has read to its end must not come back into the frame while a sub-select above it pauses.
      "SELECT r.id, r.name, l.sku, (SELECT count(*) FROM lines x WHERE x.o = r.id), (SELECT string_agg(sku, ',' ORDER BY l) FROM lines y "
      "WHERE y.o = r.id) FROM (SELECT 1 AS k UNION ALL SELECT 3) h RIGHT JOIN (items r JOIN items s ON s.id = r.id LEFT JOIN lines l ON l.o = r.id "
      "AND l.l = 1) ON h.k = r.grp ORDER BY 1, 3",
      "SELECT i.id, x.name, x.sku FROM items i RIGHT JOIN (SELECT j.id, j.name, l.sku FROM items j JOIN lines l ON l.o = j.id ORDER BY 1, 3 LIMIT 40) x "
      "ON x.id = i.grp + 90 ORDER BY 2, 3, 1",
      "SELECT DISTINCT sku FROM lines ORDER BY 1",
      "SELECT a.name, b.name FROM items a, items b WHERE a.id < b.id AND a.name > b.name AND a.id < 20 AND b.id < 20 ORDER BY a.id, b.id",
      "SELECT sku FROM lines UNION SELECT name FROM items ORDER BY 1",
      "SELECT sku FROM lines EXCEPT SELECT 'sku' || g FROM generate_series(1, 5) g ORDER BY 1",
      "WITH t AS MATERIALIZED (SELECT name, grp FROM items) SELECT a.name, b.name FROM t a JOIN t b ON a.grp = b.grp ORDER BY 1, 2 LIMIT 50",
      "WITH RECURSIVE t(n, s) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, s || 'b' FROM t WHERE n < 20) SELECT s FROM t ORDER BY n",
      "SELECT DISTINCT ON (grp) grp, name FROM items ORDER BY grp, name DESC",
      "SELECT name, id FROM items ORDER BY name, id LIMIT 7 OFFSET 3",
      "SELECT id FROM items ORDER BY id FOR UPDATE",
      "SELECT id, row_number() OVER w, rank() OVER (ORDER BY grp), lag(name, 2, 'none') OVER w, first_value(name) OVER w, ntile(3) OVER w "
      "FROM items WINDOW w AS (PARTITION BY grp ORDER BY id DESC) ORDER BY id",
      "SELECT id, sum(price) OVER w, count(*) FILTER (WHERE id % 2 = 0) OVER w, max(name) OVER w, string_agg(name, ',') OVER (PARTITION BY grp "
      "ORDER BY id) FROM items WINDOW w AS (ORDER BY id ROWS BETWEEN 7 PRECEDING AND 5 FOLLOWING) ORDER BY id",
      "SELECT id, sum(price) OVER (ORDER BY price RANGE BETWEEN 10 PRECEDING AND 20.5 FOLLOWING), array_agg(id) OVER (ORDER BY grp GROUPS "
      "BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM items ORDER BY id",
      "SELECT grp, name, sum(price), GROUPING(grp, name) FROM items GROUP BY CUBE (grp, name) ORDER BY 1, 2, 4",
      "SELECT grp, percentile_cont(0.3) WITHIN GROUP (ORDER BY price), percentile_disc(ARRAY[0.2, 0.8]) WITHIN GROUP (ORDER BY name), mode() "
      "WITHIN GROUP (ORDER BY name), dense_rank('item2') WITHIN GROUP (ORDER BY name) FROM items GROUP BY grp ORDER BY grp",
  };
  for (const char* query : kQueries) {
    world.checks_per_share = 0;
    const std::string expected = world.query(query);
    EXPECT_NE(expected, "");
    for (const std::uint32_t checks : {4u, 5u, 9u}) {
      world.checks_per_share = checks;
      const unsigned before = world.runs;
      EXPECT_EQ(world.query(query), expected) << query;
      EXPECT_GT(world.runs, before + 1) << query;
    }
  }
  for (const std::uint32_t checks : {4u, 7u}) {
    world.checks_per_share = checks;
    EXPECT_EQ(world.run("UPDATE items SET name = name || '!' WHERE grp < 3").tag, "UPDATE 52");
    EXPECT_EQ(world.run("UPDATE items SET price = x.s FROM (SELECT o, sum(n) AS s FROM lines GROUP BY o) x WHERE x.o = id").tag, "UPDATE 100");
    EXPECT_EQ(world.run("INSERT INTO items SELECT id + 1000, grp, name, price FROM items WHERE id <= 120").tag, "INSERT 0 120");
    EXPECT_EQ(world.run("WITH i AS (INSERT INTO items SELECT id + 2000, grp, name, price FROM items WHERE id <= 20 RETURNING id) "
                        "UPDATE items SET price = 0 FROM i WHERE items.id + 2000 = i.id").tag, "UPDATE 20");
    EXPECT_EQ(world.query("WITH d AS (DELETE FROM items WHERE id > 2000 RETURNING id), u AS (UPDATE items SET price = 1 WHERE id <= 20) "
                          "SELECT count(*), min(id), (SELECT max(id) FROM d) FROM d"), "20|2001|2020\n");
    EXPECT_EQ(world.query("SELECT sum(price) FROM items WHERE id <= 20"), "20\n");
    EXPECT_EQ(world.run("DELETE FROM items WHERE id > 1000").tag, "DELETE 120");
  }
  EXPECT_EQ(world.query("SELECT count(*) FROM items WHERE name LIKE '%!!'"), "52\n");
}

TEST(ExecPause, PortalsStopAtTheirRowLimit) {
  World world;
  world.add(items());
  ASSERT_EQ(world.run("INSERT INTO items SELECT g, g, 'n' || g, g FROM generate_series(1, 10) g").error, "");
  const unsigned before = world.runs;
  EXPECT_EQ(world.run("SELECT id FROM items ORDER BY id", {}, nullptr, 3).rows.size(), 10u);
  EXPECT_EQ(world.runs - before, 4u);
  EXPECT_EQ(world.run("UPDATE items SET grp = 0 WHERE id > 0 RETURNING id", {}, nullptr, 4).rows.size(), 10u);
}

TEST(ExecExplain, ShowsTheShapeOfPlans) {
  World world;
  world.add(items());
  EXPECT_EQ(world.explain("SELECT * FROM items WHERE id = 1"), "Index Scan using items_pkey on items\n  Index Cond: (id = 1)\n");
  EXPECT_EQ(world.explain("SELECT name FROM items WHERE price > 3"), "Seq Scan on items\n  Filter: (price > 3)\n");
  EXPECT_EQ(world.explain("DELETE FROM items WHERE id = $1"),
            "Delete on items\n  ->  Index Scan using items_pkey on items\n        Index Cond: (id = $1)\n");
}

}  // namespace
}  // namespace wandian::sql
