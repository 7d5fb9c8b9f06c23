#include "engine/read_set.h"

#include <algorithm>
#include <cstring>

namespace wandian {

namespace {
constexpr std::size_t kLookedBack = 8;   // a statement run again and again reads the same ranges
}

std::string ReadSet::point(PartitionId partition, KeyRef primary_key) {
  std::string out(sizeof partition + primary_key.size, '\0');
  std::memcpy(out.data(), &partition, sizeof partition);
  if (primary_key.size != 0) std::memcpy(out.data() + sizeof partition, primary_key.data, primary_key.size);
  return out;
}

PartitionId ReadSet::partition_of(std::string_view point) {
  PartitionId partition;
  std::memcpy(&partition, point.data(), sizeof partition);
  return partition;
}

KeyRef ReadSet::key_of(std::string_view point) {
  return {point.data() + sizeof(PartitionId), static_cast<std::uint32_t>(point.size() - sizeof(PartitionId))};
}

const ReadSet::Table* ReadSet::find(const TableStorage& storage) const {
  const auto found = by_storage_.find(&storage);
  return found == by_storage_.end() ? nullptr : found->second;
}

ReadSet::Table& ReadSet::table(const std::shared_ptr<TableStorage>& storage) {
  Table*& slot = by_storage_[storage.get()];
  if (slot == nullptr) {
    tables_.push_back(std::make_unique<Table>());
    slot = tables_.back().get();
    slot->storage = storage;
  }
  return *slot;
}

void ReadSet::limit(Table& table) {
  if (table.points.size() + table.ranges.size() <= kMostEntries) return;
  table.whole = true;
  table.points.clear();
  table.ranges.clear();
}

void ReadSet::add_point(const TableDef& table, PartitionId partition, KeyRef primary_key) {
  Table& read = this->table(table.storage);
  if (read.whole) return;
  read.points.insert(point(partition, primary_key));
  limit(read);
}

void ReadSet::add_range(const TableDef& table, Range range) {
  Table& read = this->table(table.storage);
  if (read.whole) return;
  const std::size_t from = read.ranges.size() > kLookedBack ? read.ranges.size() - kLookedBack : 0;
  if (std::find(read.ranges.begin() + static_cast<std::ptrdiff_t>(from), read.ranges.end(), range) != read.ranges.end()) return;
  read.ranges.push_back(std::move(range));
  limit(read);
}

void ReadSet::add_all(const ReadSet& other) {
  for (const std::unique_ptr<Table>& from : other.tables_) {
    Table& to = table(from->storage);
    if (to.whole) continue;
    to.whole = from->whole;
    to.points.insert(from->points.begin(), from->points.end());
    to.ranges.insert(to.ranges.end(), from->ranges.begin(), from->ranges.end());
    if (to.whole) {
      to.points.clear();
      to.ranges.clear();
    }
    limit(to);
  }
}

void RangeProgress::begin(ReadSet& reads, const TableDef& table, const ReadSet::Range& full, bool in_order, bool backward) {
  table_ = &reads.table(table.storage);
  full_ = full;
  in_order_ = in_order;
  backward_ = backward;
  if (!in_order) {
    reads.add_range(table, full);
    return;
  }
  if (table_->whole) return;
  at_ = table_->ranges.size();
  ReadSet::Range& range = table_->ranges.emplace_back(full);
  // Nothing yet: an empty range at the end it starts from.
  range.has_lower = range.has_upper = true;
  range.upper_inclusive = false;
  range.lower.clear();
  range.upper.clear();
  ReadSet::limit(*table_);
}

void RangeProgress::passed(KeyRef key) {
  if (!in_order_ || table_->whole) return;
  ReadSet::Range& range = table_->ranges[at_];
  if (backward_) {
    range.lower = key.view();
    range.has_upper = full_.has_upper;
    range.upper = full_.upper;
    range.upper_inclusive = full_.upper_inclusive;
  } else {
    range.has_lower = full_.has_lower;
    range.lower = full_.lower;
    range.upper = key.view();
    range.upper_inclusive = true;
  }
}

void RangeProgress::ended() {
  if (!in_order_ || table_->whole) return;
  table_->ranges[at_] = full_;
  const auto begin = table_->ranges.begin() + static_cast<std::ptrdiff_t>(at_ > kLookedBack ? at_ - kLookedBack : 0);
  if (at_ + 1 == table_->ranges.size() && std::find(begin, table_->ranges.end() - 1, full_) != table_->ranges.end() - 1) {
    table_->ranges.pop_back();
    table_ = nullptr;   // what it read is there already
  }
}

}  // namespace wandian
