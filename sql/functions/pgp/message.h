// Encrypting and decrypting a message with a passphrase or a key: what pgcrypto's pgp_sym_* and pgp_pub_* functions do.
// Thread:  any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/functions/pgp/session_key.h"

namespace wandian::sql::pgp {

/// What a message is to be like, and, once one has been decrypted, what it was like.
struct Form {
  int cipher = 7;               ///< AES with 128 bits
  int s2k_cipher = -1;          ///< -1: `cipher`
  int s2k_mode = 3;
  int s2k_count = -1;           ///< -1: by chance
  int s2k_digest = 2;           ///< SHA-1
  int compression = 0;
  int compression_level = 6;
  bool disable_mdc = false;     ///< no modification detection code
  bool session_key = false;     ///< the passphrase encrypts a key, which encrypts the message
  bool convert_crlf = false;
  bool unicode = false;
};

/// The options expect-*, for decryption: -1 expects nothing.
struct Expected {
  int cipher = -1, s2k_mode = -1, s2k_count = -1, s2k_digest = -1, session_key = -1, s2k_cipher = -1, disable_mdc = -1, compression = -1, unicode = -1;
};
struct Options {
  Form form;
  Expected expected;
  bool debug = false;
};

/// "name=value, ...", as the functions' last argument has it. kArgument, kUnsupportedCipher, kUnsupportedDigest.
Fault read_options(std::string_view text, Options* out);
/// What differs from what was expected, a line each.
std::vector<std::string> unexpected(const Expected& expected, const Form& form);

/// One of them.
struct Secret {
  std::optional<std::string_view> passphrase;
  const Key* key = nullptr;
};

/// @param time  seconds since 1970, which the message will bear.
Fault encrypt(const Form& form, const Secret& secret, bool text, std::string_view data, std::uint32_t time, const Random& random, std::string* out);
/// @param text  only text is wanted: kNotText otherwise.
Fault decrypt(const Secret& secret, bool text, std::string_view message, Trace& trace, Form* form, std::string* out);

}  // namespace wandian::sql::pgp
