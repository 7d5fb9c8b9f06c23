// S2k: a cipher's key from a passphrase (RFC 4880, section 3.7).
// Thread:  any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/functions/pgp/packets.h"

namespace wandian::sql::pgp {

struct S2k {
  static constexpr int kSimple = 0, kSalted = 1, kIterated = 3;
  static constexpr int kLeastCount = 1024, kMostCount = 65011712;
  std::uint8_t mode = kSimple;
  std::uint8_t digest = 0;
  std::string salt;             ///< 8 bytes, but where the mode is kSimple
  std::uint8_t coded_count = 0; ///< where it is kIterated

  std::size_t count() const { return (std::size_t{16} + (coded_count & 15)) << ((coded_count >> 4) + 6); }
  /// The smallest count that is not below `count`.
  static std::uint8_t coded(std::size_t count);

  Fault read(Reader& from);
  void append_to(std::string* out) const;
  /// Of the length that `cipher` wants.
  Fault key(int cipher, std::string_view passphrase, std::string* out) const;
};

}  // namespace wandian::sql::pgp
