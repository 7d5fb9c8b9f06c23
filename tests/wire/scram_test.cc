#include "wire/scram.h"

#include <gtest/gtest.h>

#include "tests/wire/scram_client.h"

namespace wandian::wire {
namespace {

using test::ScramClient;

ScramServer server_for(std::string_view password) {
  return ScramServer(*parse_scram_verifier(make_verifier(password, 4096, "0123456789abcdef")), "123456789012345678");
}

TEST(Scram, RightPasswordGetsTheServersSignature) {
  ScramServer server = server_for("secret");
  ScramClient client("secret");
  const auto challenge = server.first(client.first());
  ASSERT_TRUE(challenge.ok());
  const auto done = server.last(client.final_message(challenge.value()));
  ASSERT_TRUE(done.ok());
  ASSERT_TRUE(done.value().has_value());
  EXPECT_EQ(*done.value(), client.expected_server_final());
}

TEST(Scram, WrongPasswordIsNoError) {
  ScramServer server = server_for("secret");
  ScramClient client("guess");
  const auto done = server.last(client.final_message(server.first(client.first()).value()));
  ASSERT_TRUE(done.ok());
  EXPECT_FALSE(done.value().has_value());
}

// RFC 7677, section 3: the example exchange's keys.
TEST(Scram, VerifierMatchesTheRfcsExample) {
  const std::string salt = *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");
  EXPECT_EQ(make_verifier("pencil", 4096, salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(Scram, MockedVerifierIsSteadyAndNeverPasses) {
  const std::array<unsigned char, 32> secret{1, 2, 3};
  const ScramVerifier a = mock_verifier(secret, "nobody"), b = mock_verifier(secret, "nobody"), c = mock_verifier(secret, "else");
  EXPECT_EQ(a.salt, b.salt);
  EXPECT_NE(a.salt, c.salt);
  EXPECT_EQ(a.salt.size(), kScramSaltBytes);
  ScramServer server(a, "123456789012345678");
  ScramClient client("x");
  EXPECT_FALSE(server.last(client.final_message(server.first(client.first()).value())).value().has_value());
}

TEST(Scram, VerifiersThatAreNotOursAreRefused) {
  for (const char* text : {"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$0:AAAA$AAAA:AAAA", "SCRAM-SHA-256$4096:AAAA$AAAA:AAAA",
                           "SCRAM-SHA-256$4096:!$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                           "SCRAM-SHA-256$4x:AAAA$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="})
    EXPECT_FALSE(parse_scram_verifier(text).has_value()) << text;
}

TEST(Scram, BrokenMessagesAreProtocolViolations) {
  for (const std::string text : {"", "n", "n,", "n,,", "n,,n=", "n,,r=abc", "n,,n=,x=abc", "z,,n=,r=abc", "p=tls-unique,,n=,r=abc", "n,x=,n=,r=a",
                                 "n,,n=,r=a b"})
    EXPECT_EQ(server_for("x").first(text).status().code(), sqlstate::protocol_violation) << text;
  EXPECT_EQ(server_for("x").first("n,a=bob,n=,r=abc").status().code(), sqlstate::feature_not_supported);
  EXPECT_EQ(server_for("x").first("n,,m=ext,n=,r=abc").status().code(), sqlstate::feature_not_supported);
  for (const std::string text : {"", "c=", "c=biws", "c=biws,r=", "c=biws,r=abc,p=", "c=biws,r=abc,p=AAAA", "c=eSws,r=abc,p=AAAA", "r=abc", "c=biws,r=x,,"}) {
    ScramServer server = server_for("x");
    ASSERT_TRUE(server.first("n,,n=,r=abc").ok());
    EXPECT_EQ(server.last(text).status().code(), sqlstate::protocol_violation) << text;
  }
}

TEST(Scram, AChannelIsBoundOrTheExchangeEnds) {
  const auto bound = [](std::string_view mechanism, std::string_view first) {
    ScramServer server(*parse_scram_verifier(make_verifier("secret", 4096, "0123456789abcdef")), "123456789012345678", "hash");
    EXPECT_TRUE(server.choose(mechanism));
    return server.first(first).status().clone();
  };
  EXPECT_TRUE(bound("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=abc").ok());
  EXPECT_TRUE(bound("SCRAM-SHA-256", "n,,n=,r=abc").ok());
  EXPECT_EQ(bound("SCRAM-SHA-256-PLUS", "n,,n=,r=abc").code(), sqlstate::protocol_violation);
  EXPECT_EQ(bound("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=,r=abc").code(), sqlstate::protocol_violation);
  EXPECT_EQ(bound("SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=abc").code(), sqlstate::protocol_violation);
  EXPECT_EQ(bound("SCRAM-SHA-256", "y,,n=,r=abc").code(), sqlstate::invalid_authorization_specification) << "a downgrade";
  EXPECT_FALSE(server_for("secret").choose("SCRAM-SHA-256-PLUS")) << "without TLS there is nothing to bind to";

  for (const auto& [hash, code] : {std::pair("hash", sqlstate::protocol_violation), std::pair("other", sqlstate::invalid_authorization_specification)}) {
    ScramServer server(*parse_scram_verifier(make_verifier("secret", 4096, "0123456789abcdef")), "123456789012345678", "hash");
    ASSERT_TRUE(server.choose("SCRAM-SHA-256-PLUS"));
    const std::string nonce = server.first("p=tls-server-end-point,,n=,r=abc").value().substr(2, 27);
    const std::string binding = base64_encode("p=tls-server-end-point,," + std::string(hash));
    EXPECT_EQ(server.last("c=" + binding + ",r=" + nonce + ",p=AAAA").status().code(), code) << "the proof is looked at after the binding";
  }
}

TEST(Scram, AStrangersNonceIsRefused) {
  ScramServer server = server_for("secret");
  ScramClient client("secret");
  std::string challenge = server.first(client.first()).value();
  challenge[challenge.find(',') - 1] ^= 1;
  const auto done = server.last(client.final_message(challenge));
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.status().error().message, "invalid SCRAM response");
}

TEST(Base64, RefusesWhatIsNotBase64) {
  for (const char* text : {"A", "AAA", "A===", "AA==A", "=AAA", "AA A", "AAA\n"}) EXPECT_FALSE(base64_decode(text).has_value()) << text;
  EXPECT_EQ(base64_decode("").value(), "");
  EXPECT_EQ(base64_decode("YQ==").value(), "a");
  EXPECT_EQ(base64_encode("abcd"), "YWJjZA==");
}

}  // namespace
}  // namespace wandian::wire
