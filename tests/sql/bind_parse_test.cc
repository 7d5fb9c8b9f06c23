// Parsing, classification, and taking literals out of simple queries.
#include <gtest/gtest.h>

#include "sql/parse/normalize.h"
#include "sql/parse/parser.h"
#include "sql/parse/statement_kind.h"

namespace wandian::sql {
namespace {

std::string parse_error(std::string_view text) {
  const auto parsed = ParsedStatements::parse(text);
  if (parsed.ok()) return "ok " + std::to_string(parsed.value().statements().size());
  const ErrorRecord& error = parsed.status().error();
  return std::string(error.code.text()) + " " + error.message + " @" + std::to_string(error.position);
}

TEST(Parser, ErrorsHaveCodeMessageAndPositionInCharacters) {
  EXPECT_EQ(parse_error("select 1"), "ok 1");
  EXPECT_EQ(parse_error(""), "ok 0");
  EXPECT_EQ(parse_error(" ; ;"), "ok 0");
  EXPECT_EQ(parse_error("select é, x x x"), "42601 syntax error at or near \"x\" @15");
  EXPECT_EQ(parse_error("select * from"), "42601 syntax error at end of input @14");
  EXPECT_EQ(parse_error("select 'abc"), "42601 unterminated quoted string at or near \"'abc\" @8");
}

TEST(Parser, StatementsKnowTheirText) {
  const auto parsed = ParsedStatements::parse("select 1; /* x */ select 'é;' ;  insert into t values (1)");
  ASSERT_TRUE(parsed.ok());
  ASSERT_EQ(parsed.value().statements().size(), 3u);
  EXPECT_EQ(parsed.value().statement_text(0), "select 1");
  EXPECT_EQ(parsed.value().statement_text(2), "insert into t values (1)");
  EXPECT_EQ(classify(parsed.value().statements()[2].node), StatementKind::kInsert);
}

TEST(Parser, NestingBeyondTheStackIsRefused) {
  const auto chain = [](std::string_view part, int count, std::string_view last) {
    std::string out = "select ";
    for (int i = 0; i < count; ++i) out += part;
    return out + std::string(last);
  };
  EXPECT_EQ(parse_error(chain("1+", 200000, "1")), "54001 stack depth limit exceeded @0");
  EXPECT_EQ(parse_error(chain("(", 100000, "1")), "54001 stack depth limit exceeded @0");
  EXPECT_EQ(parse_error(chain("case when true then ", 100000, "1")), "54001 stack depth limit exceeded @0");
  EXPECT_EQ(parse_error(chain("1 union select ", 100000, "1")), "54001 stack depth limit exceeded @0");
  EXPECT_EQ(parse_error(chain("1+", 3000, "1")), "ok 1");
  EXPECT_EQ(parse_error(chain("(select ", 1500, "1") + std::string(1500, ')')), "ok 1");
  EXPECT_EQ(parse_error(chain("abs(", 4000, "1") + std::string(4000, ')')), "ok 1");
  EXPECT_EQ(parse_error(chain("not ", 9000, "true")), "ok 1");
  EXPECT_EQ(parse_error(chain("+-", 4000, "1")), "ok 1");
  EXPECT_EQ(parse_error(chain("+-", 400000, "1")), "54001 stack depth limit exceeded @0");
  // What the grammar flattens may be as long as it likes.
  EXPECT_EQ(parse_error(chain("a = 1 or ", 50000, "true")), "ok 1");
  EXPECT_EQ(parse_error(chain("1, ", 100000, "1")), "ok 1");
}

TEST(Parser, ClassifiesAndTagsStatements) {
  const auto tag = [](std::string_view text) {
    auto parsed = ParsedStatements::parse(text);
    return parsed.ok() ? std::string(command_tag(parsed.value().statements()[0].node)) : std::string("?");
  };
  EXPECT_EQ(tag("select 1"), "SELECT");
  EXPECT_EQ(tag("begin"), "BEGIN");
  EXPECT_EQ(tag("start transaction"), "START TRANSACTION");
  EXPECT_EQ(tag("rollback to x"), "ROLLBACK");
  EXPECT_EQ(tag("drop table x"), "DROP TABLE");
  EXPECT_EQ(tag("drop view x"), "DROP VIEW");
  EXPECT_EQ(tag("alter table x rename to y"), "ALTER TABLE");
  EXPECT_EQ(tag("alter table x rename column a to y"), "ALTER TABLE");
  EXPECT_EQ(tag("alter index x rename to y"), "ALTER INDEX");
  EXPECT_EQ(tag("reset all"), "RESET");
  EXPECT_EQ(tag("set x = 1"), "SET");
  EXPECT_EQ(tag("discard all"), "DISCARD ALL");
  EXPECT_EQ(tag("deallocate all"), "DEALLOCATE ALL");
  EXPECT_EQ(tag("create table x as select 1"), "CREATE TABLE AS");
  EXPECT_EQ(tag("analyze"), "ANALYZE");
  const auto explain = ParsedStatements::parse("explain analyze select 1");
  const ParseNode* node = explain.value().statements()[0].node;
  EXPECT_EQ(classify(node), StatementKind::kExplain);
  EXPECT_EQ(classify(inner_statement(node)), StatementKind::kSelect);
}

std::string normalized(std::string_view text) {
  NormalizedQuery out;
  if (!normalize_literals(text, &out)) return "no";
  std::string result = out.text;
  for (const NormalizedLiteral& literal : out.literals) {
    result += " | ";
    result += std::string("4").substr(0, literal.literal_class == LiteralClass::kInt4 ? 1 : 0);
    if (literal.literal_class == LiteralClass::kInt8) result += "8";
    if (literal.literal_class == LiteralClass::kNumeric) result += "n";
    if (literal.literal_class == LiteralClass::kUnknown) result += "u";
    result += ":" + std::string(literal.text);
  }
  return result;
}

TEST(Normalize, TakesLiteralsOutOfSimpleQueries) {
  EXPECT_EQ(normalized("SELECT abalance FROM pgbench_accounts WHERE aid = 12345;"),
            "SELECT abalance FROM pgbench_accounts WHERE aid = $1; | 4:12345");
  EXPECT_EQ(normalized("UPDATE t SET a = a + -5, b = 'it''s' WHERE c IN (1, 3000000000, 2.5)"),
            "UPDATE t SET a = a + $1, b = $2 WHERE c IN ($3, $4, $5) | 4:-5 | u:it's | 4:1 | 8:3000000000 | n:2.5");
  EXPECT_EQ(normalized("INSERT INTO t (a, b) VALUES (1, 'x'), (-2147483648, NULL)"),
            "INSERT INTO t (a, b) VALUES ($1, $2), ($3, NULL) | 4:1 | u:x | 4:-2147483648");
  EXPECT_EQ(normalized("select place_order(7, 9223372036854775808, '{1,2}')"),
            "select place_order($1, $2, $3) | 4:7 | n:9223372036854775808 | u:{1,2}");
  EXPECT_EQ(normalized("SELECT a - 1, a -1 FROM t LIMIT 5"), "SELECT a - $1, a -$2 FROM t LIMIT $3 | 4:1 | 4:1 | 4:5");
}

TEST(Normalize, LeavesWhatWouldChangeItsMeaning) {
  EXPECT_EQ(normalized("SELECT a FROM t ORDER BY 1 LIMIT 2"), "SELECT a FROM t ORDER BY 1 LIMIT $1 | 4:2");
  EXPECT_EQ(normalized("SELECT '1'::numeric(10,2), 5::int2"), "SELECT $1::numeric(10,2), $2::int2 | u:1 | 4:5");
  EXPECT_EQ(normalized("SELECT -5::int2 WHERE a = 1"), "SELECT -5::int2 WHERE a = $1 | 4:1");
  EXPECT_EQ(normalized("SELECT date '2020-01-01', interval '1 day', E'\\n', 1"), "SELECT date '2020-01-01', interval '1 day', E'\\n', $1 | 4:1");
  EXPECT_EQ(normalized("SELECT a FROM t WHERE b = $tag$x$tag$ AND c = 1"), "SELECT a FROM t WHERE b = $tag$x$tag$ AND c = $1 | 4:1");
  EXPECT_EQ(normalized("SELECT CAST('x' AS varchar(3)), 1 -- 2\n"), "SELECT CAST($1 AS varchar(3)), $2 -- 2\n | u:x | 4:1");
  EXPECT_EQ(normalized("SELECT now() AT TIME ZONE 'utc', 1"), "SELECT now() AT TIME ZONE 'utc', $1 | 4:1");
  for (const char* text : {"SELECT a + 1, count(*) FROM t GROUP BY a + 1", "SELECT DISTINCT 1", "SELECT 1 UNION SELECT 2", "WITH x AS (SELECT 1) SELECT 1",
                           "SELECT $1, 2", "SELECT a FROM t", "CREATE TABLE t (a int DEFAULT 5)", "SELECT 1; SELECT 2", "SELECT 'a' 'b'", "SELECT 1x",
                           "SELECT 'a", "SELECT char(3) 'abc'"}) {
    EXPECT_EQ(normalized(text), "no") << text;
  }
}

}  // namespace
}  // namespace wandian::sql
