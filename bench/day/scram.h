#pragma once

#include <string>
#include <string_view>

namespace wandian::bench {

// The client's side of SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677).
class ScramClient {
 public:
  /// @param nonce  printable characters but ',', fresh for each login
  /// @param user   left empty for PostgreSQL, which takes the name from the startup packet
  ScramClient(std::string password, std::string nonce, std::string_view user = {});

  std::string client_first() const { return "n,," + client_first_bare_; }
  /// Answers the server's first message. Returns an empty string if that is malformed or does not extend our nonce.
  std::string client_final(std::string_view server_first);
  /// Whether the server's last message proves that it knows the password too.
  bool server_is_genuine(std::string_view server_final) const;

 private:
  std::string password_, nonce_, client_first_bare_, server_signature_;
};

std::string base64_encode(std::string_view bytes);
/// An empty string if `text` is not base64.
std::string base64_decode(std::string_view text);

}  // namespace wandian::bench
