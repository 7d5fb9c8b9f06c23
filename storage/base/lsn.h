// Lsn: a byte position in the log, and the database's only clock (docs/architecture.md, "The LSN is the clock").
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace wandian {

/// The LSN of the *end* of a record is its commit timestamp. LSN space is dense: frame headers, padding and
/// segment headers of the files do not count (storage/README.md).
struct Lsn {
  std::uint64_t bytes = 0;
  constexpr auto operator<=>(const Lsn&) const = default;
};

inline constexpr Lsn kLsnMax{~std::uint64_t{0} >> 1};  ///< the top bit is never set: version stamps use it

/// As PostgreSQL prints pg_lsn: two hexadecimal halves.
std::string to_string(Lsn lsn);

}  // namespace wandian
