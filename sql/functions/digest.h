// MD5 (RFC 1321) and SHA-2 (FIPS 180-4) for the SQL functions of these names; passwords use the wire's own library.
// Thread:  pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace wandian::sql {

std::array<char, 16> md5(std::string_view bytes);
std::array<char, 32> sha256(std::string_view bytes, bool as_224 = false);   ///< SHA-224: the first 28 bytes
std::array<char, 64> sha512(std::string_view bytes, bool as_384 = false);   ///< SHA-384: the first 48 bytes

}  // namespace wandian::sql
