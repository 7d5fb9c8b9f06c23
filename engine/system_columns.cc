#include "engine/system_columns.h"

#include <cstddef>
#include <limits>

#include "engine/row_layout.h"

namespace wandian {

namespace {

constexpr unsigned kPlaceBits = 47;   // without the top bit, which tells the two forms apart
constexpr std::int64_t kAddressForm = std::int64_t{1} << kPlaceBits;
constexpr std::uint64_t kPlaceMask = (std::uint64_t{1} << kPlaceBits) - 1;

// Each step can be undone, so different addresses stay different.
std::int64_t scrambled(const Row* anchor, const PlaceSecret& secret) {
  static_assert(alignof(std::max_align_t) == 16, "rows are allocated so");
  std::uint64_t x = reinterpret_cast<std::uint64_t>(anchor) >> 4;
  DB_ASSERT((x & ~kPlaceMask) == 0);   // addresses have less than 52 bits
  x ^= x >> 24;
  x = (x * secret.first) & kPlaceMask;
  x ^= x >> 24;
  x = (x * secret.second) & kPlaceMask;
  x ^= x >> 24;
  return static_cast<std::int64_t>(x) | kAddressForm;
}

// The column whose value is the place, or -1; `narrow`: it has 32 bits at most, and all its values are places.
int place_column(const TableDef& table, bool* narrow) {
  *narrow = false;
  if (table.codec_columns.empty() || table.codec_columns[0].size() != 1 || table.is_computed(0)) return -1;
  const std::uint16_t column = table.codec_columns[0][0];
  if (table.hidden_row_number) return column;
  const Oid type = base_type(table.columns[column].type);
  *narrow = type == type_oid::kInt2 || type == type_oid::kInt4;
  return is_integer_type(type) ? column : -1;
}

}  // namespace

std::int64_t place_of(const TableDef& table, const PlaceSecret& secret, std::uint16_t layout, const char* row, const Row* anchor) {
  bool narrow;
  if (const int column = place_column(table, &narrow); column >= 0) {
    const Value key = table.layouts->read(layout, row, static_cast<unsigned>(column));
    if (narrow) return static_cast<std::uint32_t>(key.i);
    if (!key.is_null && key.i >= 0 && key.i < kAddressForm) return key.i;
  }
  return scrambled(anchor, secret);
}

std::optional<std::int64_t> key_of_place(const TableDef& table, std::int64_t place) {
  bool narrow;
  if ((place & kAddressForm) != 0 || place_column(table, &narrow) < 0) return std::nullopt;
  if (!narrow) return place;
  if (place > std::numeric_limits<std::uint32_t>::max()) return std::numeric_limits<std::int64_t>::max();   // no row has it
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(place));
}

SystemColumns system_columns(const TableDef& table, const PlaceSecret& secret, const RowView& row, const TxnDescriptor* own) {
  const Version& version = Version::of_row(row.row);
  SystemColumns out;
  out.ctid = place_of(table, secret, row.layout, row.row, row.anchor);
  out.xmin = writer_of(version);
  const std::uint64_t stamp = version.stamp.load(std::memory_order_acquire);
  if (own != nullptr && (stamp & kStampActive) != 0 && stamp_descriptor(stamp) == own) out.cmin = shown_command(version.command);
  const Version* newer = nullptr;
  for (const Version* at = row.anchor->head.load(std::memory_order_acquire); at != nullptr && at != &version; at = at->older.load(std::memory_order_acquire))
    newer = at;
  if (newer == nullptr) return out;
  const std::uint64_t newer_stamp = newer->stamp.load(std::memory_order_acquire);
  const bool undone = (newer_stamp & kStampActive) != 0 &&
                      stamp_descriptor(newer_stamp)->state.load(std::memory_order_acquire) == TxnDescriptor::kAborted;
  if (!undone) out.xmax = writer_of(*newer);
  return out;
}

}  // namespace wandian
