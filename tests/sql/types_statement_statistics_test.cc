// What pg_stat_statements counts: sums that add up, and tables that stay within their bounds.
#include "sql/statement_statistics.h"

#include <gtest/gtest.h>

namespace wandian::sql {
namespace {

TEST(StatementStatistics, SumsOfTwoShardsAreThoseOfOne) {
  RunningTimes whole, first, second;
  for (int i = 1; i <= 100; ++i) {
    const double ns = i * i % 37 * 10.0;
    whole.add(ns);
    (i % 3 == 0 ? first : second).add(ns);
  }
  TimeSums sum = first.read();
  sum.add(second.read());
  sum.add(TimeSums{});
  const TimeSums wanted = whole.read();
  EXPECT_EQ(sum.count, wanted.count);
  EXPECT_DOUBLE_EQ(sum.total, wanted.total);
  EXPECT_DOUBLE_EQ(sum.least, wanted.least);
  EXPECT_DOUBLE_EQ(sum.most, wanted.most);
  EXPECT_NEAR(sum.mean, wanted.mean, 1e-9);
  EXPECT_NEAR(sum.deviation(), wanted.deviation(), 1e-9);
}

TEST(StatementStatistics, TheLeastUsedMakeRoom) {
  StatementStatistics table;
  const auto busy = table.find({10, 5, 1}, "busy", 100);
  for (int i = 0; i < 50; ++i) busy->executions.add(1);
  const auto idle = table.find({10, 5, 2}, "idle", 100);
  for (std::int64_t i = 3; i < 500; ++i) {
    const auto entry = table.find({10, 5, i}, "other", 100);
    entry->executions.add(1);
    entry->executions.add(1);
  }
  EXPECT_LE(table.entries().size(), 100u);
  EXPECT_GT(table.evictions(), 0u);
  EXPECT_TRUE(idle->gone.load());
  EXPECT_FALSE(busy->gone.load());
  EXPECT_EQ(table.find({10, 5, 1}, "busy", 100), busy);
}

TEST(StatementStatistics, ResetForgetsWhatMatches) {
  StatementStatistics table;
  const auto mine = table.find({10, 5, 1}, "a", 100), other = table.find({11, 5, 1}, "a", 100);
  table.reset(10, 0, 0);
  EXPECT_TRUE(mine->gone.load());
  EXPECT_FALSE(other->gone.load());
  table.reset(0, 0, 0);
  EXPECT_TRUE(table.entries().empty());
}

TEST(StatementStatistics, QueriesThatDifferInConstantsAreOne) {
  const QueryIdentity one = identify_query("SELECT * FROM t WHERE a = 1 AND b = 'x'", true), two = identify_query("select *  from t where a = 2 and b = 'y' ; ", true),
                      parameters = identify_query("SELECT * FROM t WHERE a = $1 AND b = $2", true), other = identify_query("SELECT * FROM u WHERE a = 1", true);
  EXPECT_EQ(one.query, two.query);
  EXPECT_EQ(one.query, parameters.query);
  EXPECT_NE(one.query, other.query);
  EXPECT_EQ(one.text, "SELECT * FROM t WHERE a = $1 AND b = $2");
  EXPECT_EQ(identify_query("VACUUM;", false).text, "VACUUM");
}

}  // namespace
}  // namespace wandian::sql
