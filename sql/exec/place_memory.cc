#include "sql/exec/place_memory.h"

#include <utility>

namespace wandian::sql {

void PlaceMemory::remember(Oid table, std::int64_t place, PartitionId partition, KeyRef key) {
  if (newer_.size() >= kMost) {
    older_ = std::move(newer_);
    newer_ = {};
  }
  newer_.insert_or_assign(Name{table, place}, Entry{partition, std::string(key.view())});
}

const PlaceMemory::Entry* PlaceMemory::find(Oid table, std::int64_t place) const {
  for (const Generation* generation : {&newer_, &older_})
    if (const auto found = generation->find(Name{table, place}); found != generation->end()) return &found->second;
  return nullptr;
}

}  // namespace wandian::sql
