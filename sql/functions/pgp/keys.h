// Key: a public or secret key that messages can be encrypted with (RFC 4880, sections 5.5 and 12.2).
// Thread:  any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/functions/pgp/packets.h"

namespace wandian::sql::pgp {

/// Section 9.1.
inline constexpr std::uint8_t kRsa = 1, kRsaEncrypt = 2, kRsaSign = 3, kElgamal = 16, kDsa = 17;

/// A number as packets have it: the count of its bits, then its bytes.
struct Number {
  std::size_t bits = 0;
  std::string bytes;

  Fault read(Reader& from);
  void append_to(std::string* out) const;
};

struct Key {
  std::uint8_t algorithm = 0;
  std::string id;                      ///< 8 bytes
  std::vector<Number> public_numbers;  ///< RSA: n, e. ElGamal: p, g, y. DSA: p, q, g, y
  std::vector<Number> secret_numbers;  ///< RSA: d, p, q, u. ElGamal and DSA: x. None in a public key

  bool can_encrypt() const { return algorithm == kRsa || algorithm == kRsaEncrypt || algorithm == kElgamal; }
};

/// The one subkey for encryption in a key as it is exported. `passphrase` is for a secret one that has one.
Fault read_key(std::string_view bytes, bool secret, std::optional<std::string_view> passphrase, Trace& trace, Key* out);
/// Of a key, or of a message's key, in hexadecimal; "SYMKEY" for a passphrase, "ANYKEY" where the message does not say.
Fault read_key_id(std::string_view bytes, Trace& trace, std::string* out);

}  // namespace wandian::sql::pgp
