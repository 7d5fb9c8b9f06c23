#include "wire/startup_packet.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/wire/wire_client.h"

namespace wandian::wire {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string body(const Settings& parameters) {
  std::string text;
  for (const auto& [name, value] : parameters) text += test::cstr(name) + test::cstr(value);
  return text + '\0';
}

TEST(StartupPacket, NamesUserDatabaseAndSettings) {
  const auto packet = parse_startup_packet(body({{"user", "alice"}, {"database", "shop"}, {"application_name", "till"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet.value().user, "alice");
  EXPECT_EQ(packet.value().database, "shop");
  EXPECT_EQ(packet.value().settings, (Settings{{"application_name", "till"}}));
}

TEST(StartupPacket, DatabaseIsTheUserUnlessNamed) {
  EXPECT_EQ(parse_startup_packet(body({{"user", "alice"}})).value().database, "alice");
}

TEST(StartupPacket, LongNamesAreCutAsPostgreSqlCutsThem) {
  EXPECT_EQ(parse_startup_packet(body({{"user", std::string(100, 'u')}})).value().user, std::string(63, 'u'));
}

TEST(StartupPacket, OptionsComeBeforeOtherSettings) {
  const auto packet = parse_startup_packet(
      body({{"search_path", "b"}, {"user", "a"}, {"options", "-c search_path=a --lock-timeout=5 -cx=y\\ z"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet.value().settings, (Settings{{"search_path", "a"}, {"lock_timeout", "5"}, {"x", "y z"}, {"search_path", "b"}}));
}

TEST(StartupPacket, BackslashEscapesInOptions) {
  EXPECT_EQ(split_options("  a\\ b\tc\\\\d  e\\"), (std::vector<std::string>{"a b", "c\\d", "e"}));
  EXPECT_TRUE(split_options("   ").empty());
}

TEST(StartupPacket, UnknownSwitchesAreRefused) {
  Settings settings;
  EXPECT_EQ(parse_options("-Z", settings).code(), sqlstate::syntax_error);
  EXPECT_EQ(parse_options("-c", settings).code(), sqlstate::syntax_error);
  const Status status = parse_options("--work_mem", settings);
  EXPECT_EQ(status.code(), sqlstate::syntax_error);
  EXPECT_EQ(status.error().message, "--work_mem requires a value");
}

TEST(StartupPacket, BrokenOptionsAreToldLater) {
  const auto packet = parse_startup_packet(body({{"user", "a"}, {"options", "-Z"}}));
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet.value().options_error.code(), sqlstate::syntax_error);
}

TEST(StartupPacket, BrokenLayoutsAreProtocolViolations) {
  for (const std::string& text : {std::string(), std::string("user"), std::string("user\0alice", 10), std::string("user\0alice\0", 11),
                                  body({{"user", "a"}}) + "x"})
    EXPECT_EQ(parse_startup_packet(text).status().code(), sqlstate::protocol_violation) << text;
}

TEST(StartupPacket, AUserIsRequired) {
  EXPECT_EQ(parse_startup_packet(body({{"database", "x"}})).status().code(), sqlstate::invalid_authorization_specification);
}

TEST(StartupPacket, ReplicationIsABooleanOrDatabase) {
  for (const char* value : {"true", "on", "1", "yes", "t", "database"})
    EXPECT_TRUE(parse_startup_packet(body({{"user", "a"}, {"replication", value}})).value().replication) << value;
  for (const char* value : {"false", "off", "0", "no"})
    EXPECT_FALSE(parse_startup_packet(body({{"user", "a"}, {"replication", value}})).value().replication) << value;
  EXPECT_EQ(parse_startup_packet(body({{"user", "a"}, {"replication", "maybe"}})).status().code(), sqlstate::invalid_parameter_value);
}

TEST(StartupPacket, ProtocolOptionsAreKeptApart) {
  const auto packet = parse_startup_packet(body({{"user", "a"}, {"_pq_.fancy", "1"}}));
  EXPECT_EQ(packet.value().unknown_protocol_options, std::vector<std::string>{"_pq_.fancy"});
  EXPECT_TRUE(packet.value().settings.empty());
}

}  // namespace
}  // namespace wandian::wire
