// Ranges as bytes behind Value: how they are laid out, read, built and ordered. sql gives them text and binary form.
// Form:    u32 range type, u8 flags, 3 bytes of nothing; then the lower bound and the upper one, if they are there: u32 size and bytes for a
//          subtype of varying length, fixed_bytes(rep) otherwise.
// Thread:  plain data, host order, not aligned.
#pragma once

#include "engine/arena.h"
#include "engine/type.h"
#include "engine/value.h"

namespace wandian {

/// One end of a range.
struct RangeBound {
  Value value;                         ///< meaningless if infinite
  bool infinite = false;
  bool inclusive = false;
  bool lower = false;
};

struct RangeParts {
  Oid type = 0;
  bool empty = false;
  RangeBound lower{{}, false, false, true}, upper;
};

/// The flags byte, as in PostgreSQL's binary form.
inline constexpr unsigned char kRangeEmpty = 0x01, kRangeLowerInclusive = 0x02, kRangeUpperInclusive = 0x04, kRangeLowerInfinite = 0x08,
                               kRangeUpperInfinite = 0x10;

RangeParts load_range(const Value& value);
Value store_range(const RangeParts& range, Arena& arena);
/// The order of the subtype of a range type.
Order range_order(Oid range_type);
/// Which bound comes first: negative, 0, positive.
int compare_bounds(Order order, const RangeBound& a, const RangeBound& b);
int compare_ranges(const Value& a, const Value& b);
std::uint64_t hash_range(const Value& range);

}  // namespace wandian
