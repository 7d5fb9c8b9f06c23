// Network addresses: inet, cidr and macaddr.
// Form:    of inet and cidr, made so that their bytes compare as PostgreSQL orders them, in keys as well: family (2 or 3), the address
//          without the bits behind its mask, the length of the mask, the address. macaddr is its six bytes as an integer.
// Thread:  pure functions; memory comes from the arena.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct NetworkAddress {
  bool v6 = false;
  std::uint8_t bits = 0;                     ///< of the mask
  std::array<std::uint8_t, 16> bytes{};      ///< the first size() of them

  std::size_t size() const { return v6 ? 16 : 4; }
  unsigned most_bits() const { return v6 ? 128 : 32; }
  /// The address with the bits behind a mask of this length cleared, or set.
  NetworkAddress masked(unsigned length, bool set = false) const;
  friend bool operator==(const NetworkAddress&, const NetworkAddress&) = default;
};

NetworkAddress load_network(const Value& value);
Value store_network(const NetworkAddress& address, Arena& arena);

/// 22P02; a cidr has no bits behind its mask.
Status parse_network(std::string_view text, bool cidr, NetworkAddress* out);
/// Without its mask.
std::string address_text(const NetworkAddress& address);
/// As inet and cidr are printed: inet without a mask that covers the whole address.
std::string network_text(const NetworkAddress& address, bool cidr);

Status parse_macaddr(std::string_view text, std::int64_t* out);
std::string macaddr_text(std::int64_t address);
/// Eight bytes as an integer; six become eight with ff:fe in the middle.
Status parse_macaddr8(std::string_view text, std::int64_t* out);
std::string macaddr8_text(std::int64_t address);

}  // namespace wandian::sql
