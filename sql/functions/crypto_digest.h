// Digests by name, and what is made of them, by OpenSSL.
// Thread:  any.
#pragma once

#include <string>
#include <string_view>

namespace wandian::sql {

/// False if there is no such algorithm.
bool crypto_digest(std::string_view algorithm, std::string_view data, std::string* out);
bool crypto_hmac(std::string_view algorithm, std::string_view key, std::string_view data, std::string* out);

}  // namespace wandian::sql
