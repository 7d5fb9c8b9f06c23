// Ciphers and digests as OpenPGP numbers them (RFC 4880, section 9) and pgcrypto names them, and the cipher feedback mode; by OpenSSL.
// Thread:  any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/functions/pgp/fault.h"

namespace wandian::sql::pgp {

inline constexpr std::size_t kMostKeyBytes = 32;

/// By pgcrypto's names; -1: none has it.
int cipher_number(std::string_view name);
int digest_number(std::string_view name);
/// 0 for an unknown one.
std::size_t cipher_key_bytes(int cipher);
std::size_t cipher_block_bytes(int cipher);
/// What crypto_digest() calls it; null: unknown.
const char* digest_name(int digest);

/// The whole of `data` in cipher feedback mode. `iv` may be empty: zeros.
Fault cipher_feedback(bool encrypts, int cipher, std::string_view key, std::string_view iv, std::string_view data, std::string* out);
/// The same, begun anew after the random prefix, as OpenPGP does where a message has no modification code (section 13.9).
Fault cipher_feedback_resync(bool encrypts, int cipher, std::string_view key, std::string_view data, std::string* out);

std::string sha1(std::string_view data);

}  // namespace wandian::sql::pgp
