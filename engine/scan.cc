#include "engine/scan.h"

#include <algorithm>
#include <optional>

#include "engine/index_entries.h"

namespace wandian {

// One partition's part of a scan.
struct TableScan::Source {
  PartitionId partition = kNoPartition;
  TablePartition* storage = nullptr;
  std::optional<OrderedIndex::Cursor> cursor;
  RowView row;              // the row found last; in a merge, the one that waits for its turn
  KeyBuffer key;            // its index key: where to go on after a pause
  bool positioned = false;  // `key` says where the scan stands
  bool again = false;       // after a pause the row at `key` itself is wanted again (a merge had not given it out yet)
  bool finished = false;
  bool moved = false;       // the cursor stands on an entry that was looked at
};

TableScan::TableScan() = default;
TableScan::~TableScan() = default;

void TableScan::open(std::shared_ptr<const TableDef> table, const Options& options, const ScanRange& range) {
  table_ = std::move(table);
  options_ = options;
  range_ = range;
  // Bounds are prefixes: "up to and with" means up to every key that begins so, and "above" means above all of those.
  if (range_.has_upper && range_.upper_inclusive) {
    range_.upper_inclusive = false;
    range_.has_upper = KeyCodec::successor(range_.upper);
  }
  bool empty = false;
  if (range_.has_lower && !range_.lower_inclusive) {
    range_.lower_inclusive = true;
    empty = !KeyCodec::successor(range_.lower);
  }
  current_ = 0;
  merging_started_ = false;
  heap_.clear();
  progress_.reset();
  const TableStorage& storage = *table_->storage;
  std::size_t used = 0;
  const auto add = [&](PartitionId partition) {
    if (used == sources_.size()) sources_.push_back(std::make_unique<Source>());
    Source& source = *sources_[used++];
    source.partition = partition;
    source.storage = nullptr;
    source.cursor.reset();
    source.positioned = source.again = source.finished = source.moved = false;
  };
  if (empty) {
    // Nothing is above all keys.
  } else if (options.partition != kNoPartition) {
    add(options.partition);
  } else {
    const PartitionId end = storage.highest.load(std::memory_order_acquire);
    for (PartitionId partition = 0; partition < end; ++partition)
      if (storage.find(partition) != nullptr) add(partition);
  }
  sources_.resize(used);
  unfinished_ = used;
}

// Moves to the next row of one partition that the view sees. False at its end.
bool TableScan::advance(Source& source, ReadView& view) {
  if (source.finished) return false;
  if (source.storage == nullptr) {
    source.storage = table_->storage->find(source.partition);
    if (source.storage == nullptr) {
      source.finished = true;
      return false;
    }
  }
  const bool backward = options_.backward;
  bool on;
  if (!source.cursor) {
    const OrderedIndex* index = source.storage->indexes[options_.index].load(std::memory_order_acquire);
    if (index == nullptr) {   // the owner has not made this new index here yet: it is empty as far as this view goes
      source.finished = true;
      return false;
    }
    OrderedIndex::Cursor& cursor = source.cursor.emplace(*index);
    if (backward) {
      if (range_.has_lower) cursor.stop_at(range_.lower, range_.lower_inclusive);
      if (source.positioned) on = cursor.seek_last(source.key, source.again);
      else on = range_.has_upper ? cursor.seek_last(range_.upper, range_.upper_inclusive) : cursor.seek_last();
    } else {
      if (range_.has_upper) cursor.stop_at(range_.upper, range_.upper_inclusive);
      if (source.positioned) on = cursor.seek(source.key, source.again);
      else on = range_.has_lower ? cursor.seek(range_.lower, range_.lower_inclusive) : cursor.seek_first();
    }
    source.again = false;
  } else {
    on = backward ? source.cursor->prev() : source.cursor->next();
  }
  KeyBuffer own_key;
  for (; on; on = backward ? source.cursor->prev() : source.cursor->next()) {
    Row* row = static_cast<Row*>(source.cursor->value());
    const Version* version = visible_version(*row, view);
    if (version == nullptr || version->tombstone()) continue;
    if (options_.index != 0) {
      // The entry may belong to another version of the row: it counts only if the version seen has this key.
      if (table_->is_computed(options_.index)) [[unlikely]] {
        if (entries_ == nullptr) entries_ = std::make_unique<IndexEntries>();
        entries_->remake(*table_, options_.index, version->layout, version->row());
        if (!entries_->has(source.cursor->key())) continue;
      } else {
        table_->codecs[options_.index].encode_from_row(*table_->layouts, version->layout, version->row(),
                                                       table_->codec_columns[options_.index], own_key);
        if (!(own_key.ref() == source.cursor->key())) continue;
      }
    }
    source.row.row = version->row();
    source.row.layout = version->layout;
    source.row.anchor = row;
    source.row.partition = source.partition;
    const std::uint64_t stamp = version->stamp.load(std::memory_order_acquire);
    source.row.stamp = (stamp & kStampActive) == 0 ? stamp : 0;
    return true;
  }
  source.finished = true;
  source.cursor.reset();
  return false;
}

// All partitions together, or the one: by key where rows come by key.
void TableScan::remember(ReadView& view) {
  ReadSet::Range range;
  range.partition = options_.partition;
  range.index = static_cast<std::uint16_t>(options_.index);
  range.has_lower = range_.has_lower;
  range.has_upper = range_.has_upper;
  range.upper_inclusive = range_.upper_inclusive;
  if (range_.has_lower) range.lower = range_.lower.ref().view();
  if (range_.has_upper) range.upper = range_.upper.ref().view();
  progress_.begin(*view.reads, *table_, range, options_.ordered || options_.partition != kNoPartition, options_.backward);
}

bool TableScan::next(ReadView& view, RowView* out) {
  // Absences depend on the DDL that made the storage.
  view.raise_floor(table_->storage->created.load(std::memory_order_relaxed));
  if (view.reads != nullptr && !progress_.begun()) [[unlikely]] remember(view);
  if (!options_.ordered || sources_.size() <= 1) {
    // By turns from each partition: rows that were inserted one after the other stand side by side in memory, whatever partition they
    // were dealt to, so a line or page that was fetched for one of them is still there for the next.
    while (unfinished_ != 0) {
      Source& source = *sources_[current_];
      if (advance(source, view)) {
        *out = source.row;
        if (view.reads != nullptr) [[unlikely]] progress_.passed(source.cursor->key());
        if (source.cursor->at_batch_end() && ++current_ == unfinished_) current_ = 0;
        return true;
      }
      std::swap(sources_[current_], sources_[--unfinished_]);
      if (current_ == unfinished_) current_ = 0;
    }
    if (view.reads != nullptr) [[unlikely]] progress_.ended();
    return false;
  }
  return advance_in_order(view, out);
}

bool TableScan::advance_in_order(ReadView& view, RowView* out) {
  const auto after = [&](std::size_t a, std::size_t b) {
    const KeyRef ka = sources_[a]->cursor->key(), kb = sources_[b]->cursor->key();
    return options_.backward ? ka < kb : kb < ka;
  };
  if (!merging_started_) {
    merging_started_ = true;
    heap_.clear();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (!advance(*sources_[i], view)) continue;
      heap_.push_back(i);
      std::push_heap(heap_.begin(), heap_.end(), after);
    }
  } else if (!heap_.empty() && sources_[heap_.front()]->moved) {
    // The front was given out last time: replace it by its successor.
    const std::size_t front = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), after);
    heap_.pop_back();
    sources_[front]->moved = false;
    if (advance(*sources_[front], view)) {
      heap_.push_back(front);
      std::push_heap(heap_.begin(), heap_.end(), after);
    }
  }
  if (heap_.empty()) {
    if (view.reads != nullptr) [[unlikely]] progress_.ended();
    return false;
  }
  Source& front = *sources_[heap_.front()];
  front.moved = true;
  *out = front.row;
  if (view.reads != nullptr) [[unlikely]] progress_.passed(front.cursor->key());
  return true;
}

void TableScan::pause() {
  for (const std::unique_ptr<Source>& source : sources_) {
    if (!source->cursor) continue;
    if (source->cursor->valid()) {
      source->key.assign(source->cursor->key());
      source->positioned = true;
      source->again = merging_started_ && !source->moved;
    }
    source->cursor.reset();
    source->moved = false;
  }
  // A merge is set up anew from where each partition stands.
  merging_started_ = false;
  heap_.clear();
}

bool find_row(const TableDef& table, PartitionId partition, KeyRef key, ReadView& view, RowView* out) {
  if (view.reads != nullptr) [[unlikely]] view.reads->add_point(table, partition, key);
  const TablePartition* storage = table.storage->find(partition);
  if (storage == nullptr) {
    view.raise_floor(table.storage->created.load(std::memory_order_relaxed));
    return false;
  }
  Row* row = static_cast<Row*>(storage->index(0).find(key));
  if (row == nullptr) return false;
  const Version* version = visible_version(*row, view);
  if (version == nullptr || version->tombstone()) return false;
  const std::uint64_t stamp = version->stamp.load(std::memory_order_acquire);
  *out = {version->row(), version->layout, row, partition, (stamp & kStampActive) == 0 ? stamp : 0};
  return true;
}

}  // namespace wandian
