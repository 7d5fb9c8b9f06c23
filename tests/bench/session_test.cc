#include <gtest/gtest.h>

#include <cstdlib>

#include "bench/day/connection_url.h"
#include "bench/day/pg_session.h"
#include "bench/day/scram.h"

namespace wandian::bench {
namespace {

TEST(ConnectionUrl, ReadsEveryPart) {
  std::string error;
  const auto url = parse_connection_url("postgresql://ann%40x:p%3Aw@db.example:6000/shop?application_name=x", error);
  ASSERT_TRUE(url) << error;
  EXPECT_EQ(url->user, "ann@x");
  EXPECT_EQ(url->password, "p:w");
  EXPECT_EQ(url->host, "db.example");
  EXPECT_EQ(url->port, "6000");
  EXPECT_EQ(url->dbname, "shop");
  EXPECT_FALSE(url->unix_socket());
}

TEST(ConnectionUrl, DefaultsAsLibpqDoes) {
  ::unsetenv("PGPASSWORD");
  std::string error;
  const auto url = parse_connection_url("postgres://wandian@127.0.0.1", error);
  ASSERT_TRUE(url);
  EXPECT_EQ(url->port, "5432");
  EXPECT_EQ(url->dbname, "wandian");
  EXPECT_EQ(url->password, "");
}

TEST(ConnectionUrl, ReadsIpv6AndUnixSockets) {
  std::string error;
  const auto six = parse_connection_url("postgresql://u@[::1]:5433/d", error);
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, "5433");
  for (const char* text : {"postgresql://u@%2Ftmp%2Fs:5433/d", "postgresql:///d?host=/tmp/s&port=5433&user=u"}) {
    const auto local = parse_connection_url(text, error);
    ASSERT_TRUE(local) << text;
    EXPECT_TRUE(local->unix_socket());
    EXPECT_EQ(local->socket_path(), "/tmp/s/.s.PGSQL.5433");
    EXPECT_EQ(local->user, "u");
    EXPECT_EQ(local->dbname, "d");
  }
}

TEST(ConnectionUrl, RefusesWhatIsNone) {
  std::string error;
  for (const char* text : {"http://x", "postgresql://u@[::1/d", "postgresql://u%zz@h/d", "postgresql://h/d?x"}) {
    EXPECT_FALSE(parse_connection_url(text, error)) << text;
    EXPECT_FALSE(error.empty());
  }
}

// The exchange printed in RFC 7677, section 3.
TEST(Scram, FollowsTheStandardsExample) {
  ScramClient client("pencil", "rOprNGfwEbeRWgbNEkqO", "user");
  EXPECT_EQ(client.client_first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  EXPECT_EQ(client.client_final("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_TRUE(client.server_is_genuine("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  EXPECT_FALSE(client.server_is_genuine("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
}

TEST(Scram, RefusesANonceThatIsNotOurs) {
  ScramClient client("pencil", "abc");
  EXPECT_EQ(client.client_final("r=xyz123,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), "");
  EXPECT_EQ(client.client_final("r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"), "");
  EXPECT_FALSE(client.server_is_genuine("v="));
}

TEST(PgError, ReadsTheFieldsItKnows) {
  const std::string_view body("SERROR\0CHD001\0Mitem 4 is out of stock in store 1\0DIn stock: 1; ordered: 2.\0Fx.c\0\0", 80);
  const PgError error = read_error_fields(body);
  EXPECT_EQ(error.sqlstate, "HD001");
  EXPECT_EQ(error.message, "item 4 is out of stock in store 1");
  EXPECT_EQ(error.detail, "In stock: 1; ordered: 2.");
}

}  // namespace
}  // namespace wandian::bench
