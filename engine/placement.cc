#include "engine/placement.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <deque>

namespace wandian {

PartitionId hash_partition(KeyRef key) {
  return static_cast<PartitionId>(XXH3_64bits(key.data, key.size) % kKeyPartitions);
}

// One directory: a table of slots with linear probing, at most half full. A slot is written once and published by its tag; a
// table that is full is copied into a larger one and kept, since readers take no lock: all together are twice the last one.
struct PlacementMap::Directory {
  struct alignas(32) Slot {
    static constexpr std::size_t kInline = 16;
    std::atomic<std::uint64_t> tag{0};     ///< 0: free; else the key's hash with the lowest bit set
    PartitionId partition = kNoPartition;
    std::uint32_t size = 0;
    union {
      char bytes[kInline];                 ///< of a key that fits: a look-up then reads one cache line
      const std::string* key;
    };
    Slot() : bytes{} {}
    KeyRef ref() const { return size <= kInline ? KeyRef{bytes, size} : KeyRef{key->data(), size}; }
  };
  struct Table {
    explicit Table(std::size_t count) : slots(count) {}
    std::vector<Slot> slots;               // a power of two
    Slot& home(std::uint64_t tag, std::size_t step) { return slots[((tag >> 1) + step) & (slots.size() - 1)]; }
  };

  explicit Directory(Oid directory_oid) : oid(directory_oid) { grow(64); }

  const Oid oid;
  std::atomic<Table*> table{nullptr};
  std::vector<std::unique_ptr<Table>> kept;
  std::deque<std::string> long_keys;
  std::size_t used = 0;
  std::map<std::string, PartitionId, std::less<>> region_first;

  static std::uint64_t hash(KeyRef key) { return XXH3_64bits(key.data, key.size); }

  PartitionId find(KeyRef key) const {
    const std::uint64_t wanted = hash(key) | 1;
    Table& now = *table.load(std::memory_order_acquire);
    for (std::size_t step = 0;; ++step) {
      const Slot& slot = now.home(wanted, step);
      const std::uint64_t there = slot.tag.load(std::memory_order_acquire);   // pairs with fill()
      if (there == 0) return kNoPartition;
      if (there == wanted && slot.ref() == key) return slot.partition;
    }
  }

  void put(KeyRef key, PartitionId partition) {
    if (2 * (used + 1) > kept.back()->slots.size()) grow(2 * kept.back()->slots.size());
    const std::string* long_key = key.size <= Slot::kInline ? nullptr : &long_keys.emplace_back(key.view());
    fill(*kept.back(), hash(key) | 1, key, long_key, partition);
    ++used;
  }

 private:
  static void fill(Table& into, std::uint64_t tag, KeyRef key, const std::string* long_key, PartitionId partition) {
    std::size_t step = 0;
    while (into.home(tag, step).tag.load(std::memory_order_relaxed) != 0) ++step;
    Slot& slot = into.home(tag, step);
    slot.partition = partition;
    slot.size = static_cast<std::uint32_t>(key.size);
    if (long_key != nullptr) slot.key = long_key;
    else std::memcpy(slot.bytes, key.data, key.size);
    slot.tag.store(tag, std::memory_order_release);
  }
  void grow(std::size_t slots) {
    auto larger = std::make_unique<Table>(slots);
    if (!kept.empty())
      for (const Slot& slot : kept.back()->slots)
        if (const std::uint64_t tag = slot.tag.load(std::memory_order_relaxed); tag != 0)
          fill(*larger, tag, slot.ref(), slot.size <= Slot::kInline ? nullptr : slot.key, slot.partition);
    table.store(larger.get(), std::memory_order_release);
    kept.push_back(std::move(larger));
  }
};

PlacementMap::PlacementMap() = default;
PlacementMap::~PlacementMap() {
  for (auto& slot : directories_) delete slot.load(std::memory_order_acquire);
}

PlacementMap::Directory* PlacementMap::directory(Oid oid, bool create) {
  for (auto& slot : directories_) {
    Directory* found = slot.load(std::memory_order_acquire);
    if (found == nullptr) {
      if (!create) return nullptr;
      found = new Directory(oid);
      slot.store(found, std::memory_order_release);
      return found;
    }
    if (found->oid == oid) return found;
  }
  return nullptr;
}

PartitionId PlacementMap::find(Oid oid, KeyRef key) const {
  for (const auto& slot : directories_) {
    const Directory* found = slot.load(std::memory_order_acquire);
    if (found == nullptr) return kNoPartition;
    if (found->oid == oid) return found->find(key);
  }
  return kNoPartition;
}

Result<PartitionId> PlacementMap::place(Oid oid, KeyRef key, std::string_view region) {
  const PartitionId known = find(oid, key);
  if (known != kNoPartition) return known;
  const std::lock_guard guard(mutex_);
  Directory* dir = directory(oid, true);
  if (dir == nullptr) return Status{sqlstate::program_limit_exceeded, "too many directories"};
  if (const PartitionId raced = dir->find(key); raced != kNoPartition) return raced;
  auto found = dir->region_first.find(region);
  if (found == dir->region_first.end()) {
    const PartitionId first = partitions_.load(std::memory_order_relaxed);
    if (first + kPartitionsPerRegion > kMaxPartitions)
      return Status{sqlstate::program_limit_exceeded, "too many regions"}
          .with_detail("A server has at most " + std::to_string(kMaxPartitions) + " partitions.");
    partitions_.store(first + kPartitionsPerRegion, std::memory_order_release);
    found = dir->region_first.emplace(std::string(region), first).first;
  }
  const PartitionId place = found->second + static_cast<PartitionId>(Directory::hash(key) % kPartitionsPerRegion);
  dir->put(key, place);
  return place;
}

Status PlacementMap::restore(Oid oid, KeyRef key, std::string_view region, PartitionId partition) {
  if (partition < kKeyPartitions || partition >= kMaxPartitions)
    return Status{sqlstate::data_corrupted, "the log places a store in a partition that cannot be"};
  const std::lock_guard guard(mutex_);
  Directory* dir = directory(oid, true);
  if (dir == nullptr) return Status{sqlstate::data_corrupted, "the log names too many directories"};
  const PartitionId first = kKeyPartitions + (partition - kKeyPartitions) / kPartitionsPerRegion * kPartitionsPerRegion;
  dir->region_first.emplace(std::string(region), first);
  const PartitionId end = std::max(partitions_.load(std::memory_order_relaxed), first + kPartitionsPerRegion);
  partitions_.store(end, std::memory_order_release);
  if (dir->find(key) == kNoPartition) dir->put(key, partition);
  return {};
}

std::vector<PlacementMap::Region> PlacementMap::regions(Oid oid) const {
  const std::lock_guard guard(mutex_);
  std::vector<Region> out;
  for (const auto& slot : directories_) {
    const Directory* found = slot.load(std::memory_order_acquire);
    if (found != nullptr && found->oid == oid)
      for (const auto& [name, first] : found->region_first) out.push_back({name, first});
  }
  return out;
}

namespace {

// The key by which the directory knows its rows, from the values of a table that follows it. The referencing column may be of
// another integer type than the directory's key, so it is encoded as the directory's.
bool encode_directory_key(const TableDef& directory, const Value& value, KeyBuffer& key) {
  if (!directory.codecs[0].fits(0, value)) return false;
  return directory.codecs[0].encode(std::span(&value, 1), key);
}

bool encode_columns(const TableDef& table, std::span<const std::uint16_t> columns, std::span<const Value> values, KeyBuffer& key) {
  // Values are encoded as an index over these columns would be; the codec of the primary index serves when it is one.
  std::vector<KeyColumn> key_columns;
  std::vector<Value> key_values;
  for (const std::uint16_t column : columns) {
    const TypeInfo* type = column < table.columns.size() ? find_type(table.columns[column].type) : nullptr;
    key_columns.push_back({type != nullptr ? type->rep : Rep::kInt64, type != nullptr ? identity_order(table.columns[column]) : Order::kInteger, true,
                           false, false});
    key_values.push_back(values[column]);
  }
  return KeyCodec(key_columns).encode(key_values, key);
}

}  // namespace

Result<PartitionId> place_row(PlacementMap& map, const TableDef& table, const Catalog& catalog, std::span<const Value> values,
                              bool inserting) {
  KeyBuffer key;
  switch (table.placement.kind) {
    case PlacementKind::kKey: {
      Value parts[64];
      const std::vector<std::uint16_t>& columns = table.codec_columns[0];
      DB_ASSERT(columns.size() <= 64);
      for (std::size_t i = 0; i < columns.size(); ++i) parts[i] = values[columns[i]];
      if (!table.codecs[0].encode(std::span(parts, columns.size()), key)) return kNoPartition;
      return hash_partition(key);
    }
    case PlacementKind::kShard:
      if (!encode_columns(table, table.placement.columns, values, key)) return kNoPartition;
      return hash_partition(key);
    case PlacementKind::kDirectory: {
      const Value& id = values[table.codec_columns[0][0]];
      const Value& region = values[table.placement.columns[0]];
      if (id.is_null || region.is_null || !encode_directory_key(table, id, key)) return kNoPartition;
      if (!inserting) return map.find(table.oid, key);
      return map.place(table.oid, key, region.bytes());
    }
    case PlacementKind::kRegion: {
      const Value& id = values[table.placement.columns[0]];
      const std::shared_ptr<const TableDef> directory = catalog.table(table.placement.directory);
      if (id.is_null || directory == nullptr || !encode_directory_key(*directory, id, key)) return kNoPartition;
      return map.find(directory->oid, key);
    }
  }
  return kNoPartition;
}

PartitionId place_lookup(const PlacementMap& map, const TableDef& table, std::span<const Value* const> known) {
  KeyBuffer key;
  const auto all_known = [&](std::span<const std::uint16_t> columns) {
    for (const std::uint16_t column : columns)
      if (column >= known.size() || known[column] == nullptr || known[column]->is_null) return false;
    return true;
  };
  switch (table.placement.kind) {
    case PlacementKind::kKey: {
      const std::vector<std::uint16_t>& columns = table.codec_columns[0];
      if (!all_known(columns) || columns.size() > 64) return kNoPartition;
      Value parts[64];
      for (std::size_t i = 0; i < columns.size(); ++i) {
        parts[i] = *known[columns[i]];
        if (!table.codecs[0].fits(static_cast<unsigned>(i), parts[i])) return kNoPartition;
      }
      if (!table.codecs[0].encode(std::span(parts, columns.size()), key)) return kNoPartition;
      return hash_partition(key);
    }
    case PlacementKind::kShard: {
      if (!all_known(table.placement.columns)) return kNoPartition;
      std::vector<Value> values(table.columns.size());
      for (const std::uint16_t column : table.placement.columns) values[column] = *known[column];
      if (!encode_columns(table, table.placement.columns, values, key)) return kNoPartition;
      return hash_partition(key);
    }
    case PlacementKind::kDirectory:
    case PlacementKind::kRegion: {
      // A key that its directory does not know yet may be placed while the statement runs, so it may be anywhere.
      const std::uint16_t column = table.placement.kind == PlacementKind::kDirectory ? table.codec_columns[0][0] : table.placement.columns[0];
      if (column >= known.size() || known[column] == nullptr || known[column]->is_null) return kNoPartition;
      const bool own = table.placement.kind == PlacementKind::kDirectory;
      const TypeInfo* type = find_type(own ? table.columns[column].type : table.placement.directory_key_type);
      if (type == nullptr) return kNoPartition;
      const KeyColumn key_column{type->rep, type->order, false, false, false};
      const KeyCodec codec(std::span(&key_column, 1));
      if (!codec.fits(0, *known[column]) || !codec.encode(std::span(known[column], 1), key)) return kNoPartition;
      return map.find(own ? table.oid : table.placement.directory, key);
    }
  }
  return kNoPartition;
}

}  // namespace wandian
