#include "engine/placement.h"

#include <xxhash.h>

#include <algorithm>

namespace wandian {

PartitionId hash_partition(KeyRef key) {
  return static_cast<PartitionId>(XXH3_64bits(key.data, key.size) % kKeyPartitions);
}

// One directory: pages of entries by hash of the key. A page is immutable; a change copies the page and publishes it with one
// store. Pages that were replaced are kept until the directory goes: they are small, and stores are opened rarely.
struct PlacementMap::Directory {
  struct Entry {
    std::uint64_t hash;
    PartitionId partition;
    std::string key;
  };
  struct Page {
    std::vector<Entry> entries;   // sorted by hash
  };
  static constexpr std::size_t kPages = 4096;

  explicit Directory(Oid directory_oid) : oid(directory_oid) {}

  const Oid oid;
  std::array<std::atomic<const Page*>, kPages> pages{};
  std::vector<std::unique_ptr<const Page>> kept;
  std::map<std::string, PartitionId, std::less<>> region_first;

  static std::uint64_t hash(KeyRef key) { return XXH3_64bits(key.data, key.size); }

  PartitionId find(KeyRef key) const {
    const std::uint64_t wanted = hash(key);
    const Page* page = pages[wanted % kPages].load(std::memory_order_acquire);
    if (page == nullptr) return kNoPartition;
    auto it = std::lower_bound(page->entries.begin(), page->entries.end(), wanted,
                               [](const Entry& entry, std::uint64_t h) { return entry.hash < h; });
    for (; it != page->entries.end() && it->hash == wanted; ++it)
      if (it->key == key.view()) return it->partition;
    return kNoPartition;
  }

  void put(KeyRef key, PartitionId partition) {
    const std::uint64_t h = hash(key);
    const Page* old = pages[h % kPages].load(std::memory_order_relaxed);
    auto page = std::make_unique<Page>();
    if (old != nullptr) page->entries = old->entries;
    auto it = std::lower_bound(page->entries.begin(), page->entries.end(), h,
                               [](const Entry& entry, std::uint64_t v) { return entry.hash < v; });
    page->entries.insert(it, Entry{h, partition, std::string(key.view())});
    pages[h % kPages].store(page.get(), std::memory_order_release);
    kept.push_back(std::move(page));
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
    key_columns.push_back({type != nullptr ? type->rep : Rep::kInt64, type != nullptr ? type->order : Order::kInteger, true, false, false});
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
