// A message's key, encrypted with a public key (RFC 4880, sections 5.1 and 13.1): RSA and ElGamal over OpenSSL's big numbers.
// Thread:  any.
#pragma once

#include <functional>
#include <string>

#include "sql/functions/pgp/keys.h"

namespace wandian::sql::pgp {

/// So many bytes for keys, salts and padding.
using Random = std::function<std::string(std::size_t)>;

struct SessionKey {
  int cipher = 0;
  std::string key;
};

/// The packet's body.
Fault encrypt_session_key(const SessionKey& session, const Key& key, const Random& random, std::string* out);
Fault decrypt_session_key(Reader& from, const Key& key, SessionKey* out);

}  // namespace wandian::sql::pgp
