// Evaluation and printing of expressions.
#include <gtest/gtest.h>

#include "engine/array_value.h"
#include "sql/expr/deparse.h"
#include "sql/expr/expression.h"
#include "sql/expr/tree.h"
#include "tests/sql/bind_harness.h"

namespace wandian::sql::test {
namespace {

using namespace type_oid;

TEST(Expression, ComputesAsPostgreSqlDoes) {
  BindWorld world;
  const std::pair<const char*, const char*> cases[] = {
      {"SELECT 1 + 2 * 3", "7"},
      {"SELECT -7 / 2", "-3"},
      {"SELECT 2147483647 + 1", "22003 integer out of range"},
      {"SELECT 2147483647::int8 + 1", "2147483648"},
      {"SELECT 1 / 0", "22012 division by zero"},
      {"SELECT CASE WHEN false THEN 1 / 0 ELSE 5 END", "5"},
      {"SELECT false AND 1 / 0 = 1", "f"},
      {"SELECT true OR null", "t"},
      {"SELECT true AND null", "NULL"},
      {"SELECT NOT null::bool", "NULL"},
      {"SELECT 1 IN (1, null), 1", "t"},
      {"SELECT 2 IN (1, null)", "NULL"},
      {"SELECT 2 NOT IN (1, null)", "NULL"},
      {"SELECT 2 NOT IN (1, 3)", "t"},
      {"SELECT null::int IN (1, 2)", "NULL"},
      {"SELECT 'b' IN ('a', 'b')", "t"},
      {"SELECT 5 = ANY (ARRAY[1, 5])", "t"},
      {"SELECT 5 > ALL ('{1,2,3}')", "t"},
      {"SELECT 5 = ANY ('{}')", "f"},
      {"SELECT null::int = ANY ('{}'::int[])", "f"},
      {"SELECT (1, 2) < (1, 3)", "t"},
      {"SELECT (1, 2) <= (1, 2)", "t"},
      {"SELECT (2, null) > (1, 3)", "t"},
      {"SELECT (1, null) > (1, 3)", "NULL"},
      {"SELECT (1, 2) = (1, 2)", "t"},
      {"SELECT ROW(1, null) IS NULL", "f"},
      {"SELECT ROW(1, null) IS NOT NULL", "f"},
      {"SELECT ROW(null, null) IS NULL", "t"},
      {"SELECT 1 IS DISTINCT FROM null", "t"},
      {"SELECT null IS NOT DISTINCT FROM null", "t"},
      {"SELECT nullif(1, 1)", "NULL"},
      {"SELECT nullif('a', 'b')", "a"},
      {"SELECT coalesce(null, null, 3)", "3"},
      {"SELECT greatest(1, null, 3, 2)", "3"},
      {"SELECT least('b', 'a')", "a"},
      {"SELECT CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END", "two"},
      {"SELECT CASE 3 WHEN 1 THEN 'one' END", "NULL"},
      {"SELECT (ARRAY[1, 2, 3])[2]", "2"},
      {"SELECT (ARRAY[1, 2, 3])[2:3]", "{2,3}"},
      {"SELECT (ARRAY[1, 2, 3])[:2]", "{1,2}"},
      {"SELECT (ARRAY[1, 2, 3])[4]", "NULL"},
      {"SELECT ARRAY[[1, 2], [3, 4]]", "{{1,2},{3,4}}"},
      {"SELECT (ARRAY[[1, 2], [3, 4]])[2][1]", "3"},
      {"SELECT ARRAY[1, 2]::text[]", "{1,2}"},
      {"SELECT ARRAY[1.5, 2.4]::int[]", "{2,2}"},
      {"SELECT '{1,2}'::int[] || 3", "{1,2,3}"},
      {"SELECT 'abcdef'::varchar(3)", "abc"},
      {"SELECT 1.005::numeric(10,2)", "1.01"},
      {"SELECT 12345::text || 'x'", "12345x"},
      {"SELECT true::text", "true"},
      {"SELECT 'x'::char(3) || 'y'", "xy"},
      {"SELECT -1::oid::int8", "-1"},
      {"SELECT (-1)::oid::int8", "4294967295"},
      {"SELECT 4294967295::oid::int4", "-1"},
      {"SELECT concat('a', 1, null, true)", "a1t"},
      {"SELECT format('%s-%s', 'a', 2)", "a-2"},
      {"SELECT 5 BETWEEN 1 AND 10", "t"},
      {"SELECT 5 BETWEEN SYMMETRIC 10 AND 1", "t"},
      {"SELECT 'abc' LIKE 'a%'", "t"},
      {"SELECT 'abc' NOT ILIKE 'A_C'", "f"},
      {"SELECT 'abc' SIMILAR TO 'a(b|x)c'", "t"},
      {"SELECT extract(year from date '2020-02-03')", "2020"},
      {"SELECT date '2020-01-31' + interval '1 month'", "2020-02-29 00:00:00"},
      {"SELECT upper(substring('hello' from 2 for 3))", "ELL"},
      {"SELECT 2147483648 IS NULL", "f"},
      {"SELECT null::bool IS UNKNOWN", "t"},
      {"SELECT null::bool IS NOT TRUE", "t"},
      {"SELECT 'a' < 'B' COLLATE \"C\"", "f"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(world.value(text), expected) << text;
}

// A condition over the columns of `bare` and `stores`, evaluated against a row.
struct RowCase {
  BindWorld world;
  Arena arena;

  CompiledExpr compiled(std::string_view text, BoundExpression* bound) {
    StandaloneOptions options;
    options.use = StandaloneUse::kCheck;
    static const std::vector<StandaloneColumn> columns{{"a", kInt4}, {"b", kText}, {"c", kInt8}};
    options.columns = columns;
    options.table_name = "t";
    options.fold = true;
    auto result = bind_standalone_expression(text, world.context(), options);
    if (!result.ok()) {
      ADD_FAILURE() << error_text(result.status());
      return {};
    }
    *bound = result.take();
    CompileOptions compile_options;
    compile_options.columns_are_slots = true;
    auto out = compile(*bound->expr, arena, compile_options);
    EXPECT_TRUE(out.ok());
    return out.take();
  }
};

TEST(Expression, ReadsSlotsAndParameters) {
  RowCase rows;
  BoundExpression bound;
  const Value row[] = {Value::of_int(5), Value::of_bytes("abc"), Value::null()};
  ExprInput input;
  input.columns = row;
  Value out;
  const std::pair<const char*, const char*> cases[] = {
      {"a > 4", "t"}, {"a + 1 = 6", "t"}, {"c > 1", "N"}, {"b = 'abc'", "t"}, {"b <> 'abc'", "f"}, {"t.a < c OR a = 5", "t"},
      {"a = 5 AND c IS NULL", "t"}, {"a IN (1, 2, 3, 4, 6, 7, 8, 9, 10, 11)", "f"}, {"a IN (1, 5)", "t"}, {"length(b) = 3", "t"},
      {"a * 1000000000 > 0", "E"}, {"4 < a", "t"}, {"a <= a", "t"}, {"a::int8 >= 5::int8", "t"}, {"b || a = 'abc5'", "t"}};
  for (const auto& [text, expected] : cases) {
    const CompiledExpr expr = rows.compiled(text, &bound);
    if (!expr) continue;
    const bool ok = expr.eval(rows.world.eval(), input, &out);
    const std::string got = !ok ? "E" : out.is_null ? "N" : out.i != 0 ? "t" : "f";
    EXPECT_EQ(got, expected) << text;
  }
}

TEST(Expression, StandaloneExpressionsRefuseWhatTheyMayNotHold) {
  BindWorld world;
  const auto check = [&](StandaloneUse use, std::string_view text) {
    StandaloneOptions options;
    options.use = use;
    static const std::vector<StandaloneColumn> columns{{"a", kInt4}};
    options.columns = columns;
    auto bound = bind_standalone_expression(text, world.context(), options);
    return bound.ok() ? std::string("ok") : error_text(bound.status());
  };
  EXPECT_EQ(check(StandaloneUse::kDefault, "now() + interval '1 day'"), "ok");
  EXPECT_EQ(check(StandaloneUse::kDefault, "a + 1"), "0A000 cannot use column reference in DEFAULT expression");
  EXPECT_EQ(check(StandaloneUse::kDefault, "(SELECT 1)"), "0A000 cannot use subquery in DEFAULT expression");
  EXPECT_EQ(check(StandaloneUse::kDefault, "count(1)"), "42803 aggregate functions are not allowed in DEFAULT expressions");
  EXPECT_EQ(check(StandaloneUse::kCheck, "a > 0"), "ok");
  EXPECT_EQ(check(StandaloneUse::kCheck, "a"), "42804 argument of CHECK must be type boolean, not type integer");
  EXPECT_EQ(check(StandaloneUse::kCheck, "nope > 0"), "42703 column \"nope\" does not exist");
  EXPECT_EQ(check(StandaloneUse::kIndex, "random()"), "42P17 functions in index expression must be marked IMMUTABLE");
}

// In the form that definitions are kept in: as PostgreSQL prints it, but that IN stays IN and CASE on its line.
TEST(Expression, PrintsTheStoredForm) {
  BindWorld world;
  const auto print = [&](std::string_view text) {
    StandaloneOptions options;
    options.use = StandaloneUse::kUsing;
    static const std::vector<StandaloneColumn> columns{{"a", kInt4}, {"b", kText}, {"v", kVarchar, 14}, {"n", kNumeric}, {"d", kDate}, {"arr", 1007}};
    options.columns = columns;
    auto bound = bind_standalone_expression(text, world.context(), options);
    if (!bound.ok()) return error_text(bound.status());
    DefinitionStyle style;
    for (const StandaloneColumn& column : columns) style.columns.emplace_back(column.name);
    return deparse(bound->expr, style);
  };
  const std::pair<const char*, const char*> cases[] = {
      {"a > 0", "(a > 0)"},
      {"a > -1", "(a > '-1'::integer)"},
      {"n > 0", "(n > (0)::numeric)"},
      {"n > 1.5 AND NOT b = 'x'", "((n > 1.5) AND (NOT (b = 'x'::text)))"},
      {"v = 'x'", "((v)::text = 'x'::text)"},
      {"v IN ('a', 'b')", "(v IN ('a'::character varying, 'b'::character varying))"},
      {"b IN ('a', 'b')", "(b IN ('a'::text, 'b'::text))"},
      {"a IS NULL OR b IS NOT NULL", "((a IS NULL) OR (b IS NOT NULL))"},
      {"now() + interval '1 day'", "(now() + '1 day'::interval)"},
      {"'x'::varchar(5)", "'x'::character varying(5)"},
      {"lower(b) LIKE 'a%'", "(lower(b) ~~ 'a%'::text)"},
      {"a::text", "(a)::text"},
      {"a::numeric(10,2)", "(a)::numeric(10,2)"},
      {"coalesce(b, 'none')", "COALESCE(b, 'none'::text)"},
      {"CASE WHEN a > 1 THEN 'x' ELSE b END", "CASE WHEN (a > 1) THEN 'x'::text ELSE b END"},
      {"CASE a WHEN 1 THEN 'x' END", "CASE a WHEN 1 THEN 'x'::text ELSE NULL::text END"},
      {"extract(year from d)", "EXTRACT(year FROM d)"},
      {"arr[1] + 1", "(arr[1] + 1)"},
      {"current_timestamp", "CURRENT_TIMESTAMP"},
      {"a BETWEEN 1 AND 2", "((a >= 1) AND (a <= 2))"},
      {"- a", "(- a)"},
      {"b IS DISTINCT FROM 'x'", "(b IS DISTINCT FROM 'x'::text)"},
      {"nullif(a, 1)", "NULLIF(a, 1)"},
      {"true", "true"},
      {"5::bigint", "(5)::bigint"},
      {"'it''s'", "'it''s'::text"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(print(text), expected) << text;
}

TEST(ExpressionTree, SplitsNegatesAndCommutes) {
  BindWorld world;
  auto bound = world.bind("SELECT 1 FROM stores WHERE store_id = 1 AND (region = 'a' OR score > 2) AND name IS NULL");
  ASSERT_TRUE(bound.ok());
  Arena arena;
  const auto conjuncts = split_conjuncts((*bound)->query->where);
  ASSERT_EQ(conjuncts.size(), 3u);
  EXPECT_TRUE(equal(make_conjunction(arena, conjuncts), (*bound)->query->where));
  EXPECT_EQ(collect_columns((*bound)->query->where).size(), 4u);
  EXPECT_EQ(range_bits(conjuncts[0]), 1u);
  const Expr* negated = negate(arena, conjuncts[0]);
  EXPECT_EQ(negated->as<FunctionExpr>().op->name, "<>");
  const Expr* swapped = commute(arena, conjuncts[1]->as<BoolExpr>().args[1]->as<FunctionExpr>());
  ASSERT_NE(swapped, nullptr);
  EXPECT_EQ(swapped->as<FunctionExpr>().op->name, "<");
  EXPECT_TRUE(is_pure((*bound)->query->where));
  EXPECT_FALSE(contains_volatile((*bound)->query->where));
}

}  // namespace
}  // namespace wandian::sql::test
