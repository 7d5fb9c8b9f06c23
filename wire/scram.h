// SCRAM-SHA-256, server side (RFC 5802, RFC 7677), with verifiers in PostgreSQL's form.
// Thread:  a ScramServer belongs to one connection; the free functions to nobody.
// What a stranger can learn is the same for a role that exists and one that does not: a made-up verifier walks the same steps
// and fails at the end. Secrets are compared in constant time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace wandian::wire {

inline constexpr std::size_t kScramKeyBytes = 32;
inline constexpr int kScramDefaultIterations = 4096;
inline constexpr std::size_t kScramSaltBytes = 16;
using ScramKey = std::array<unsigned char, kScramKeyBytes>;

struct ScramVerifier {
  int iterations = kScramDefaultIterations;
  std::string salt;          ///< raw bytes
  ScramKey stored_key{};
  ScramKey server_key{};
  bool genuine = true;       ///< false: made up, no proof may pass
};

/// nullopt unless `text` is "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey".
std::optional<ScramVerifier> parse_scram_verifier(std::string_view text);

/// What CREATE ROLE stores. Takes milliseconds (`iterations` HMACs): call it on a helper thread.
/// A password is taken as its bytes; that is what SASLprep (RFC 4013) yields for ASCII, and what PostgreSQL falls back to
/// where SASLprep refuses a text.
std::string make_verifier(std::string_view password, int iterations, std::string_view salt);

/// For a role that has none: always the same salt for the same name, as a real role would show.
ScramVerifier mock_verifier(std::span<const unsigned char, 32> secret, std::string_view user);

class ScramServer {
 public:
  /// `nonce`: bytes nobody can guess, at least 18. `end_point`: what a channel can be bound to, "tls-server-end-point"; empty: nothing.
  ScramServer(ScramVerifier verifier, std::string_view nonce, std::string end_point = {});

  /// The mechanism that the client wants; false: it was not offered.
  bool choose(std::string_view mechanism);

  /// client-first-message -> server-first-message. Errors: 08P01, 0A000.
  Result<std::string> first(std::string_view message);
  /// client-final-message -> server-final-message, or nullopt: the proof is wrong. Errors: 08P01.
  Result<std::optional<std::string>> last(std::string_view message);

 private:
  Status take_binding_flag(std::string_view* message);

  ScramVerifier verifier_;
  std::string nonce_;                 ///< the client's and ours
  std::string server_nonce_;
  std::string client_first_bare_;
  std::string server_first_;
  const std::string end_point_;
  bool binding_ = false;              ///< SCRAM-SHA-256-PLUS
  char binding_flag_ = 'n';
};

std::string base64_encode(std::string_view raw);
std::optional<std::string> base64_decode(std::string_view text);
/// Takes the same time wherever the first difference is.
bool equal_in_constant_time(const void* a, const void* b, std::size_t size);

}  // namespace wandian::wire
