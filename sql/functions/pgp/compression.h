// ZIP and ZLIB of compressed data packets (RFC 4880, section 9.3), by zlib.
// Thread:  any.
#pragma once

#include <string>
#include <string_view>

#include "sql/functions/pgp/fault.h"

namespace wandian::sql::pgp {

inline constexpr int kUncompressed = 0, kZip = 1, kZlib = 2, kBzip2 = 3;
/// A value's most bytes.
inline constexpr std::size_t kMostBytes = 0x3fffffff;

Fault compress(int algorithm, int level, std::string_view data, std::string* out);
/// kCorruptData; kTooLong beyond kMostBytes.
Fault decompress(int algorithm, std::string_view data, Trace& trace, std::string* out);

}  // namespace wandian::sql::pgp
