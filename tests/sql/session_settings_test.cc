// SET, SHOW, RESET, and what they do in transactions.
#include "sql/settings/setting.h"
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

std::string shown(TestClient& client, const std::string& name) {
  const std::string answer = client.query("SHOW " + name);
  const std::size_t begin = answer.find("D(");
  return begin == std::string::npos ? answer : answer.substr(begin + 2, answer.find(") C(SHOW)") - begin - 2);
}

TEST(Settings, ValuesAreCheckedAndShownAsPostgresDoes) {
  World world;
  TestClient client(world);
  const auto set = [&](const std::string& text) { return client.query("SET " + text); };
  EXPECT_EQ(shown(client, "work_mem"), "4MB");
  set("work_mem = '1.5MB'");
  EXPECT_EQ(shown(client, "work_mem"), "1536kB");
  EXPECT_EQ(set("work_mem = 'abc'"), "E(22023: invalid value for parameter \"work_mem\": \"abc\")");
  EXPECT_EQ(set("work_mem = 1"), "E(22023: 1 kB is outside the valid range for parameter \"work_mem\" (64 .. 2147483647))");
  set("statement_timeout = '1.5min'");
  EXPECT_EQ(shown(client, "statement_timeout"), "90s");
  set("statement_timeout = 0");
  EXPECT_EQ(set("datestyle = 'german'"), "C(SET) S(DateStyle=German, DMY)");
  EXPECT_EQ(set("datestyle = 'iso'"), "C(SET) S(DateStyle=ISO, DMY)");
  EXPECT_EQ(set("timezone = 'asia/shanghai'"), "C(SET) S(TimeZone=Asia/Shanghai)");
  EXPECT_EQ(set("timezone = 'nowhere'"), "E(22023: invalid value for parameter \"TimeZone\": \"nowhere\")");
  EXPECT_EQ(set("TIME ZONE INTERVAL '-03:30' HOUR TO MINUTE"), "C(SET) S(TimeZone=<-03:30>+03:30)");
  EXPECT_EQ(set("enable_seqscan = 'maybe'"), "E(22023: parameter \"enable_seqscan\" requires a Boolean value)");
  EXPECT_EQ(set("nosuch = 1"), "E(42704: unrecognized configuration parameter \"nosuch\")");
  set("my.own = 'x y'");
  EXPECT_EQ(shown(client, "my.own"), "x y");
  EXPECT_EQ(client.query("SHOW my.other"), "E(42704: unrecognized configuration parameter \"my.other\")");
  EXPECT_EQ(set("server_version = '3'"), "E(55P02: parameter \"server_version\" cannot be changed)");
  EXPECT_EQ(set("port = 3"), "E(55P02: parameter \"port\" cannot be changed without restarting the server)");
  EXPECT_EQ(set("search_path = a, \"B c\", '$user'"), "C(SET)");
  EXPECT_EQ(shown(client, "search_path"), "a, \"B c\", \"$user\"");
  EXPECT_EQ(set("synchronous_commit = yes"), "C(SET)");
  EXPECT_EQ(shown(client, "synchronous_commit"), "on");
  EXPECT_EQ(shown(client, "server_version_num"), "150000");
  EXPECT_EQ(set("deadlock_timeout = '2s'"), "C(SET)");
}

TEST(Settings, FollowTransactionsAndSavepoints) {
  World world;
  TestClient client(world);
  client.query("SET application_name = one");
  client.query("BEGIN");
  EXPECT_EQ(client.query("SET application_name = two"), "C(SET) S(application_name=two)");
  client.query("SAVEPOINT s");
  EXPECT_EQ(client.query("SET application_name = three"), "C(SET) S(application_name=three)");
  EXPECT_EQ(client.query("ROLLBACK TO s"), "C(ROLLBACK) S(application_name=two)");
  EXPECT_EQ(client.query("SET LOCAL application_name = four"), "C(SET) S(application_name=four)");
  EXPECT_EQ(client.query("COMMIT"), "C(COMMIT) S(application_name=two)");
  client.query("BEGIN");
  client.query("SET application_name = five");
  EXPECT_EQ(client.query("ROLLBACK"), "C(ROLLBACK) S(application_name=two)");
  client.query("BEGIN");
  client.query("SET application_name = six");
  EXPECT_EQ(client.query("SELECT 1/0"), "T(?column?) E(22012: division by zero) S(application_name=two)");
  client.query("ROLLBACK");
  EXPECT_EQ(client.query("SET LOCAL application_name = seven"), "N(25P01: SET LOCAL can only be used in transaction blocks) C(SET)");
  EXPECT_EQ(shown(client, "application_name"), "two");
  EXPECT_EQ(client.query("RESET application_name"), "C(RESET) S(application_name=)");
  EXPECT_EQ(client.query("SELECT set_config('application_name', 'eight', false)"),
            "T(set_config) D(eight) C(SELECT 1) S(application_name=eight)");
  EXPECT_EQ(client.query("DISCARD ALL"), "C(DISCARD ALL) S(application_name=)");
  EXPECT_EQ(client.query("BEGIN; DISCARD ALL"), "C(BEGIN) E(25001: DISCARD ALL cannot run inside a transaction block)");
}

TEST(Settings, StartupParametersAreWhatResetGoesBackTo) {
  World world(1, {{"work_mem", "8MB"}});
  TestClient client(world, 0, "wandian", {{"application_name", "app"}, {"DateStyle", "SQL, DMY"}});
  EXPECT_NE(client.greeting.find("S(application_name=app)"), std::string::npos);
  EXPECT_NE(client.greeting.find("S(DateStyle=SQL, DMY)"), std::string::npos);
  EXPECT_EQ(shown(client, "work_mem"), "8MB");
  client.query("SET application_name = other; SET work_mem = '1MB'");
  client.query("RESET ALL");
  EXPECT_EQ(shown(client, "application_name"), "app");
  EXPECT_EQ(shown(client, "work_mem"), "8MB");
  TestClient wrong(world, 0, "wandian", {{"work_mem", "x"}});
  EXPECT_EQ(wrong.failure.code(), sqlstate::invalid_parameter_value);
  TestClient unknown(world, 0, "wandian", {{"nosuch", "x"}});
  EXPECT_EQ(unknown.failure.code(), sqlstate::undefined_object);
}

TEST(Settings, TheTableIsInOrder) {
  for (const SettingDef& def : all_settings()) EXPECT_EQ(find_setting(def.name), &def) << def.name;
}

}  // namespace
}  // namespace wandian::sql
