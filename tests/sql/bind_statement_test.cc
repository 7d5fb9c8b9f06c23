// Names, types, coercions and errors of statements, against PostgreSQL's answers.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>

#include "sql/expr/tree.h"
#include "tests/sql/bind_harness.h"

namespace wandian::sql::test {
namespace {

using namespace type_oid;

TEST(Binder, AnswersAsPostgreSqlDoes) {
  // Pairs of lines, the second as PostgreSQL 15 gave it (compare_bind).
  std::ifstream file(std::string(WANDIAN_SQL_TESTS) + "/bind_expected.txt");
  ASSERT_TRUE(file.is_open());
  BindWorld world;
  std::string statement, expected;
  int count = 0;
  while (std::getline(file, statement) && std::getline(file, expected)) {
    const std::string mine = std::regex_replace(world.describe(statement), std::regex(" @\\d+$"), " @");
    EXPECT_EQ(mine, expected.substr(2)) << statement;
    ++count;
  }
  EXPECT_GT(count, 200);
}

TEST(Binder, PositionsAreOneBasedCharacters) {
  BindWorld world;
  EXPECT_EQ(world.describe("SELECT 'é', nope FROM stores"), "42703 column \"nope\" does not exist @13");
  EXPECT_EQ(world.describe("SELECT 1; "), "?column?:integer");
}

TEST(Binder, InfersParameterTypesFromContext) {
  BindWorld world;
  EXPECT_EQ(world.parameters("SELECT * FROM stores WHERE store_id = $1 AND region = $2 AND opened > $3"), "integer, text, date");
  EXPECT_EQ(world.parameters("INSERT INTO orders (store_id, order_id, total, status) VALUES ($1, $2, $3, $4)"),
            "integer, bigint, numeric, character varying");
  EXPECT_EQ(world.parameters("INSERT INTO orders (store_id, order_id, note) VALUES ($1, $2, $3), ($4, $5, $6)"),
            "integer, bigint, text, integer, bigint, text");
  EXPECT_EQ(world.parameters("UPDATE stores SET name = $1, score = score + $2 WHERE store_id = ANY ($3)"),
            "character varying, double precision, integer[]");
  EXPECT_EQ(world.parameters("SELECT $1"), "text");
  EXPECT_EQ(world.parameters("SELECT $1::int8, $1"), "bigint");
  EXPECT_EQ(world.parameters("SELECT $1 + 1, $2 || 'x', $3 BETWEEN 1 AND 2.5 LIMIT $4"),
            "integer, text, integer, bigint");
  EXPECT_EQ(world.parameters("SELECT $2::int"), "42P18 could not determine data type of parameter $1");
  EXPECT_EQ(world.parameters("SELECT $1 WHERE $1 IS NULL"), "text");
  EXPECT_EQ(world.parameters("INSERT INTO stores (store_id, region) SELECT $1, $2"), "integer, text");
  EXPECT_EQ(world.parameters("SELECT 1 IN ($1, $2), 'a' = $3, coalesce($4, 1), CASE WHEN $5 THEN $6 ELSE 1.5 END"),
            "integer, integer, text, integer, boolean, numeric");
  EXPECT_EQ(world.parameters("SELECT 1 UNION SELECT $1"), "integer");
  EXPECT_EQ(world.parameters("SELECT * FROM stores WHERE (store_id, region) > ($1, $2) LIMIT $3 OFFSET $4"),
            "integer, text, bigint, bigint");
}

TEST(Binder, DeclaredParameterTypesHold) {
  BindWorld world;
  const Oid types[] = {kText};
  EXPECT_EQ(world.describe("SELECT $1 + 1", types), "42883 operator does not exist: text + integer @11");
  EXPECT_EQ(world.describe("SELECT $1", types), "?column?:text");
}

TEST(Binder, NativeProceduresAreStatementsOfTheirOwn) {
  BindWorld world;
  auto bound = world.bind("SELECT place_order(1, 2, '{1,2,3}')");
  ASSERT_TRUE(bound.ok());
  EXPECT_EQ((*bound)->kind, BoundKind::kCallProcedure);
  EXPECT_EQ((*bound)->procedure.id, 7u);
  ASSERT_EQ((*bound)->procedure.args.size(), 3u);
  EXPECT_EQ((*bound)->procedure.args[1]->type, kInt8);
  EXPECT_EQ(world.describe("SELECT place_order($1, $2, $3) AS n"), "n:bigint");
  EXPECT_EQ(world.describe("SELECT * FROM place_order(1, 2, '{}')"), "place_order:bigint");
  EXPECT_EQ(world.parameters("SELECT place_order($1, $2, $3)"), "integer, bigint, integer[]");
  EXPECT_TRUE(world.bind("CALL restock(1, 2)").ok());
  EXPECT_EQ(world.describe("SELECT place_order(1)"), "42883 function place_order(integer) does not exist @8");
  EXPECT_EQ(world.describe("CALL nothing(1)"), "42883 procedure nothing(integer) does not exist @6");
  EXPECT_EQ(world.describe("SELECT 1 + place_order(1, 2, '{}')").substr(0, 5), "0A000");
}

TEST(Binder, ViewsAreSubSelectsWithTheirOwnSearchPath) {
  BindWorld world;
  const std::vector<std::string> aliases{"id"};
  world.add_view("v", "SELECT store_id, region || '!' AS loud FROM stores WHERE score > 1", aliases);
  EXPECT_EQ(world.describe("SELECT * FROM v"), "id:integer, loud:text");
  EXPECT_EQ(world.describe("SELECT v.loud FROM v JOIN orders ON id = store_id"), "loud:text");
  world.context().search_path = {kPgCatalogSchema};
  EXPECT_EQ(world.describe("SELECT * FROM public.v"), "id:integer, loud:text");
  EXPECT_EQ(world.describe("INSERT INTO public.v VALUES (1, 'x')"), "0A000 cannot insert into column \"loud\" of view \"v\"");
}

TEST(Binder, KeepsWhatItDependsOn) {
  BindWorld world;
  auto bound = world.bind("INSERT INTO gen (v) SELECT region FROM stores");
  ASSERT_TRUE(bound.ok());
  EXPECT_EQ((*bound)->tables.size(), 2u);
  EXPECT_EQ((*bound)->sequences.size(), 2u);
  EXPECT_TRUE((*bound)->has_volatile);
  EXPECT_EQ((*bound)->catalog_version, world.context().catalog->version);
  EXPECT_EQ((*bound)->query->assignments.size(), 3u);
}

TEST(Binder, RecursionAndCorrelationAreMarked) {
  BindWorld world;
  auto bound = world.bind("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t");
  ASSERT_TRUE(bound.ok());
  const CommonTable& cte = *(*bound)->query->ctes[0];
  EXPECT_TRUE(cte.recursive);
  const SetOperation& operation = *cte.query->set_operation;
  ASSERT_EQ(operation.inputs.size(), 2u);
  const Query& step = *cte.query->ranges[operation.inputs[1].range]->query;
  EXPECT_TRUE(step.ranges[0]->self_reference);
  EXPECT_EQ(step.ranges[0]->cte_levels_up, 2);
  auto correlated = world.bind("SELECT (SELECT max(o.total) FROM orders o WHERE o.store_id = s.store_id) FROM stores s");
  ASSERT_TRUE(correlated.ok());
  EXPECT_TRUE((*correlated)->query->targets[0].expr->as<SubLinkExpr>().query->correlated);
}

TEST(Binder, SharesOneSubSelectAmongTheColumnsItSets) {
  BindWorld world;
  auto bound = world.bind("UPDATE stores SET (region, name) = (SELECT note, status FROM orders LIMIT 1)");
  ASSERT_TRUE(bound.ok());
  const auto field = [](const Expr* expr) {
    while (expr->kind != ExprKind::kField) {
      expr = expr->kind == ExprKind::kFunction ? expr->as<FunctionExpr>().args[0] : expr->as<UnaryExpr>().arg;
    }
    return &expr->as<FieldExpr>();
  };
  const auto& assignments = (*bound)->query->assignments;
  EXPECT_EQ(field(assignments[0].value)->record, field(assignments[1].value)->record);
}

TEST(Binder, DeepNestingIsAnErrorNotACrash) {
  BindWorld world;
  std::string text = "SELECT ";
  for (int i = 0; i < 4900; ++i) text += "abs(";
  text += "1";
  for (int i = 0; i < 4900; ++i) text += ")";
  const std::string answer = world.describe(text);
  EXPECT_TRUE(answer == "abs:integer" || answer.starts_with("54001")) << answer.substr(0, 100);
}

TEST(Binder, ClockLiteralsAreNotKeptForOtherStatements) {
  BindWorld world;
  EXPECT_FALSE((*world.bind("SELECT 'now'::timestamptz"))->cacheable);
  EXPECT_TRUE((*world.bind("SELECT '2020-01-01'::timestamptz"))->cacheable);
}

TEST(Binder, ResolvesTypeNames) {
  const auto name = [](std::string_view text) {
    const auto type = resolve_type(text);
    return type.ok() ? std::to_string(type.value().type) + "/" + std::to_string(type.value().typmod) : error_text(type.status());
  };
  EXPECT_EQ(name("int"), "23/-1");
  EXPECT_EQ(name("character varying(20)"), "1043/24");
  EXPECT_EQ(name("numeric(10,2)[]"), "1231/655366");
  EXPECT_EQ(name("timestamp(3) with time zone"), "1184/3");
  EXPECT_EQ(name("nope"), "42704 type \"nope\" does not exist");
  EXPECT_EQ(name("int; select 1"), "42601 invalid type name \"int; select 1\"");
}

}  // namespace
}  // namespace wandian::sql::test
