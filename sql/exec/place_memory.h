// PlaceMemory: the keys of rows whose places a session has shown lately, for places that do not say them (engine/system_columns.h).
// What it says is a hint: a row found by it counts only if it has that place.
// Owns:    copies of keys, those of the last few thousand rows.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "engine/key.h"
#include "engine/oid.h"
#include "engine/table.h"

namespace wandian::sql {

class PlaceMemory {
 public:
  struct Entry {
    PartitionId partition = kNoPartition;
    std::string key;
    KeyRef ref() const { return {key.data(), static_cast<std::uint32_t>(key.size())}; }
  };
  void remember(Oid table, std::int64_t place, PartitionId partition, KeyRef key);
  /// Null: it is not known. Good until remember() is called.
  const Entry* find(Oid table, std::int64_t place) const;

 private:
  static constexpr std::size_t kMost = 8192;   ///< of each generation; the older one is dropped when the newer is full
  struct Name {
    Oid table;
    std::int64_t place;
    bool operator==(const Name&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Name& name) const {
      return static_cast<std::size_t>((static_cast<std::uint64_t>(name.place) * 0x9e3779b97f4a7c15u) ^ name.table);
    }
  };
  using Generation = std::unordered_map<Name, Entry, Hash>;
  Generation newer_, older_;
};

}  // namespace wandian::sql
