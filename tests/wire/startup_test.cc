// From accept to ReadyForQuery, through real sockets.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "tests/wire/harness.h"
#include "tests/wire/scram_client.h"

namespace wandian::wire::test {
namespace {

std::string request(std::uint32_t code) { return be32(8) + be32(code); }

TEST(Startup, TrustLeadsToReadyForQuery) {
  Harness harness;
  harness.start();
  WireClient client = harness.connect();
  client.send(startup({{"user", "alice"}, {"database", "shop"}, {"options", "-c a=b"}, {"application_name", "till"}}));
  std::string types;
  for (const Reply& reply : client.read_until('Z')) types += reply.type;
  EXPECT_EQ(types, "RSSSSSSKZ");
  const std::lock_guard<std::mutex> lock(harness.database.mutex);
  EXPECT_EQ(harness.database.last_identity.user, "alice");
  EXPECT_EQ(harness.database.last_identity.client_address, "127.0.0.1");
  EXPECT_GT(harness.database.last_identity.client_port, 0);
  EXPECT_EQ(harness.database.last_identity.settings,
            (std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"application_name", "till"}}));
}

TEST(Startup, SslAndGssAreDeclinedOnceEach) {
  Harness harness;
  harness.start();
  WireClient client = harness.connect();
  client.send(request(80877104));
  EXPECT_EQ(client.read_byte(), 'N');
  client.send(request(80877103));
  EXPECT_EQ(client.read_byte(), 'N');
  EXPECT_TRUE(client.login());
  WireClient twice = harness.connect();
  twice.send(request(80877103));
  EXPECT_EQ(twice.read_byte(), 'N');
  twice.send(request(80877103));
  const auto error = twice.read();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field('C'), "0A000");
  EXPECT_TRUE(twice.closed());
}

TEST(Startup, NewerMinorVersionsAndOptionsAreNegotiated) {
  Harness harness;
  harness.start();
  WireClient client = harness.connect();
  client.send(startup({{"user", "alice"}, {"_pq_.compress", "1"}}, (3u << 16) + 2));
  const auto reply = client.read();
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->type, 'v');
  EXPECT_EQ(reply->body, be32(3u << 16) + be32(1) + cstr("_pq_.compress"));
  EXPECT_EQ(client.types_until_ready(), "RSSSSSSKZ");
}

TEST(Startup, OtherMajorVersionsAreRefused) {
  Harness harness;
  harness.start();
  WireClient newer = harness.connect();
  newer.send(startup({{"user", "alice"}}, 4u << 16));
  const auto error = newer.read();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field('C'), "0A000");
  EXPECT_EQ(error->field('S'), "FATAL");
  EXPECT_EQ(error->field('V'), "FATAL");
  EXPECT_TRUE(newer.closed());
  WireClient older = harness.connect();
  older.send(startup({{"user", "alice"}}, 2u << 16));
  std::string text;
  while (const auto c = older.read_byte()) text += *c;
  EXPECT_EQ(text, std::string("EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n") + '\0');
}

TEST(Startup, BytesSentAlongWithAnEncryptionRequestAreRefused) {
  Harness harness;
  harness.start();
  for (const std::uint32_t code : {80877103u, 80877104u}) {
    WireClient client = harness.connect();
    client.send(request(code) + startup({{"user", "alice"}}));
    EXPECT_EQ(client.read_byte(), 'N');
    EXPECT_EQ(client.read()->field('C'), "08P01");
    EXPECT_TRUE(client.closed());
  }
}

TEST(Startup, BadLengthsCloseWithoutAWord) {
  Harness harness;
  harness.start();
  for (const std::uint32_t length : {0u, 7u, 10'005u, 0x7fffffffu, 0xffffffffu}) {
    WireClient client = harness.connect();
    client.send(be32(length));
    EXPECT_TRUE(client.closed()) << length;
  }
  WireClient client = harness.connect();
  client.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(client.closed());
}

TEST(Startup, RefusalsCarryPostgreSqlsCodes) {
  Harness harness;
  harness.start();
  const std::vector<std::pair<std::vector<std::pair<std::string, std::string>>, std::string>> cases = {
      {{{"user", "nobody"}}, "28000"},
      {{{"user", "group"}}, "28000"},
      {{{"database", "shop"}}, "28000"},
      {{{"user", "alice"}, {"database", "nowhere"}}, "3D000"},
      {{{"user", "alice"}, {"replication", "database"}}, "0A000"},
      {{{"user", "alice"}, {"replication", "perhaps"}}, "22023"},
      {{{"user", "alice"}, {"options", "-X"}}, "42601"},
  };
  for (const auto& [parameters, code] : cases) {
    WireClient client = harness.connect();
    client.send(startup(parameters));
    const auto replies = client.read_until('E');
    ASSERT_FALSE(replies.empty()) << code;
    EXPECT_EQ(replies.back().field('C'), code);
    EXPECT_EQ(replies.back().field('V'), "FATAL");
    EXPECT_TRUE(client.closed());
  }
  EXPECT_TRUE(eventually([&] { return harness.server->admitted() == 0 && harness.server->connections() == 0; }));
}

TEST(Startup, BytesMayArriveOneByOne) {
  Harness harness;
  harness.start();
  WireClient client = harness.connect();
  for (const char c : request(80877103)) client.send(std::string(1, c));
  EXPECT_EQ(client.read_byte(), 'N');
  for (const char c : startup({{"user", "alice"}}) + query("select 1")) client.send(std::string(1, c));
  EXPECT_EQ(client.types_until_ready(), "RSSSSSSKZ");
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
}

TEST(Startup, OneDeadlineFromAcceptToReady) {
  Harness harness(1, [](WireOptions& options) { options.handshake_timeout_us = 150'000; });
  harness.start();
  WireClient quiet = harness.connect();
  WireClient ready = harness.connect();
  ASSERT_TRUE(ready.login());
  WireClient slow = harness.connect();
  const std::string packet = startup({{"user", "alice"}});
  for (std::size_t i = 0; i + 1 < packet.size() && slow.send(packet.substr(i, 1)); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(quiet.closed(2000));
  EXPECT_TRUE(slow.closed(2000));
  ready.send(query("select 1"));
  EXPECT_EQ(ready.types_until_ready(), "TDCZ");
}

TEST(Startup, MaxConnectionsKeepsPlacesForSuperusers) {
  Harness harness(2, [](WireOptions& options) {
    options.max_connections = 3;
    options.superuser_reserved_connections = 1;
  });
  harness.start();
  WireClient a = harness.connect(), b = harness.connect(), c = harness.connect(), d = harness.connect(), e = harness.connect();
  EXPECT_TRUE(a.login());
  EXPECT_TRUE(b.login());
  c.send(startup({{"user", "alice"}}));
  EXPECT_EQ(c.read_until('E').back().field('C'), "53300");
  EXPECT_TRUE(c.closed());
  EXPECT_TRUE(eventually([&] { return harness.server->admitted() == 2; }));
  EXPECT_TRUE(d.login("root"));
  e.send(startup({{"user", "root"}}));
  const Reply refusal = e.read_until('E').back();
  EXPECT_EQ(refusal.field('C'), "53300");
  EXPECT_EQ(refusal.field('M'), "sorry, too many clients already");
  a.close();
  EXPECT_TRUE(eventually([&] { return harness.server->admitted() == 2; }));
  WireClient f = harness.connect();
  EXPECT_TRUE(f.login("root"));
}

TEST(Startup, NotYetAcceptingIsSaid) {
  Harness harness;
  harness.server->set_accepting(false);
  harness.start();
  WireClient client = harness.connect();
  client.send(startup({{"user", "alice"}}));
  const auto error = client.read();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->field('C'), "57P03");
  harness.server->set_accepting(true);
  WireClient again = harness.connect();
  EXPECT_TRUE(again.login());
}

TEST(Startup, UnixSocketServesAndGoesAway) {
  char directory[] = "/tmp/wandian_wire_XXXXXX";
  ASSERT_NE(::mkdtemp(directory), nullptr);
  std::string path;
  {
    Harness harness(1, [&](WireOptions& options) { options.unix_socket_directory = directory; });
    harness.start();
    path = std::string(directory) + "/.s.PGSQL." + std::to_string(harness.server->port());
    WireClient client(path);
    ASSERT_TRUE(client.login());
    client.send(query("select 1"));
    EXPECT_EQ(client.types_until_ready(), "TDCZ");
    const std::lock_guard<std::mutex> lock(harness.database.mutex);
    EXPECT_EQ(harness.database.last_identity.client_address, "");
    EXPECT_EQ(harness.database.last_identity.client_port, -1);
  }
  struct stat info;
  EXPECT_NE(::stat(path.c_str(), &info), 0);
  ::rmdir(directory);
}

TEST(Startup, TrustListensOnLoopbackAlone) {
  Harness harness(1, [](WireOptions& options) { options.hosts = {"*"}; });
  const Status status = harness.server->start();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), sqlstate::invalid_parameter_value);
}

TEST(Startup, Ipv6LoopbackIsAnAddressLikeOthers) {
  Harness harness(1, [](WireOptions& options) { options.hosts = {"127.0.0.1", "::1"}; });
  const Status status = harness.server->start();
  ASSERT_TRUE(status.ok());
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  if (fd < 0) GTEST_SKIP() << "no IPv6 here";
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  address.sin6_port = htons(harness.server->port());
  const int connected = ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::close(fd);
  if (connected != 0) GTEST_SKIP() << "no IPv6 loopback here";
}

class ScramStartup : public ::testing::Test {
 protected:
  ScramStartup()
      : harness_(2, [](WireOptions& options) { options.authentication = Authentication::kScram; }) {
    RoleLogin& alice = harness_.authenticator.roles["alice"];
    alice.verifier = make_verifier("secret", 4096, "0123456789abcdef");
    harness_.start();
  }
  // Returns the last reply: 'Z' if the login succeeded, else the error.
  Reply login(WireClient& client, const std::string& user, const std::string& password) {
    client.send(startup({{"user", user}}));
    auto reply = client.read();
    if (!reply || reply->type != 'R' || reply->int32() != 10) return reply.value_or(Reply{});
    EXPECT_EQ(reply->body.substr(4), std::string("SCRAM-SHA-256\0\0", 15));
    ScramClient scram(password);
    const std::string first = scram.first();
    client.send(message('p', cstr("SCRAM-SHA-256") + be32(static_cast<std::uint32_t>(first.size())) + first));
    reply = client.read();
    if (!reply || reply->type != 'R') return reply.value_or(Reply{});
    EXPECT_EQ(reply->int32(), 11u);
    client.send(message('p', scram.final_message(reply->body.substr(4))));
    reply = client.read();
    if (!reply || reply->type != 'R') return reply.value_or(Reply{});
    EXPECT_EQ(reply->int32(), 12u);
    EXPECT_EQ(reply->body.substr(4), scram.expected_server_final());
    const auto rest = client.read_until('Z');
    return rest.empty() ? Reply{} : rest.back();
  }
  Harness harness_;
};

TEST_F(ScramStartup, RightPasswordEnters) {
  WireClient client = harness_.connect();
  EXPECT_EQ(login(client, "alice", "secret").type, 'Z');
}

TEST_F(ScramStartup, WrongPasswordUnknownRoleAndRoleWithoutPasswordLookAlike) {
  std::vector<std::string> messages;
  for (const char* user : {"alice", "nobody", "root"}) {
    WireClient client = harness_.connect();
    const Reply error = login(client, user, "guess");
    EXPECT_EQ(error.type, 'E');
    EXPECT_EQ(error.field('C'), "28P01");
    EXPECT_EQ(error.field('M'), std::string("password authentication failed for user \"") + user + "\"");
    EXPECT_TRUE(client.closed());
  }
}

TEST_F(ScramStartup, BrokenExchangesEndTheirConnectionAlone) {
  const std::string sasl = cstr("SCRAM-SHA-256");
  const std::vector<std::string> cases = {
      query("select 1"),
      message('p', cstr("SCRAM-SHA-256-PLUS") + be32(0)),
      message('p', sasl + be32(100) + "n,,"),
      message('p', sasl + be32(0xfffffffe) + "n,,"),
      message('p', sasl + be32(3) + "n,,"),
      message('p', "no zero byte"),
      message('p', ""),
      std::string("p") + be32(3),
      std::string("p") + be32(0x7fffffff),
  };
  for (const std::string& bytes : cases) {
    WireClient client = harness_.connect();
    client.send(startup({{"user", "alice"}}));
    ASSERT_TRUE(client.read().has_value());
    client.send(bytes);
    if (const auto reply = client.read(); reply.has_value()) {
      EXPECT_EQ(reply->field('V'), "FATAL");
    }
    EXPECT_TRUE(client.closed());
  }
  WireClient client = harness_.connect();
  EXPECT_EQ(login(client, "alice", "secret").type, 'Z');
}

}  // namespace
}  // namespace wandian::wire::test
