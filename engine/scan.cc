#include "engine/scan.h"

#include <algorithm>
#include <utility>

#include "engine/index_entries.h"

namespace wandian {

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
  current_window_ = nullptr;
  wanted_ = 1;
  const TableStorage& storage = *table_->storage;
  std::size_t used = 0;
  const auto add = [&](PartitionId partition) {
    if (used == sources_.size()) sources_.push_back(std::make_unique<Source>());
    Source& source = *sources_[used++];
    source.window.partition = partition;
    source.window.at = source.window.count = 0;
    source.storage = nullptr;
    source.cursor.reset();
    source.positioned = source.again = source.finished = source.sought = source.moved = false;
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
  fresh_ = used > 1 && (options_.backward ? range_.has_upper : range_.has_lower);
}

// The cursor to the entry that was taken from the window last; the window stays.
KeyRef TableScan::Source::taken_key() {
  const std::uint32_t taken = covered - (window.count - window.at) - 1;
  cursor->pass(taken);
  covered -= taken;
  return cursor->key();
}

// Null: the owner has not made this new index there yet; it is empty as far as this view goes.
const OrderedIndex* TableScan::index_of(Source& source) {
  if (source.storage == nullptr) source.storage = table_->storage->find(source.window.partition);
  return source.storage == nullptr ? nullptr : source.storage->find_index(*table_, options_.index);
}

// Goes to where the range begins in all partitions at once: one after the other they would wait for memory that many times.
void TableScan::start_together() {
  fresh_ = false;
  together_.clear();
  for (const std::unique_ptr<Source>& source : sources_) {
    const OrderedIndex* const index = index_of(*source);
    if (index == nullptr) {
      source->finished = true;
      continue;
    }
    OrderedIndex::Cursor& cursor = source->cursor.emplace(*index);
    if (options_.backward ? range_.has_lower : range_.has_upper)
      cursor.stop_at(options_.backward ? range_.lower : range_.upper, options_.backward ? range_.lower_inclusive : range_.upper_inclusive);
    together_.push_back(&cursor);
  }
  if (options_.backward) OrderedIndex::Cursor::seek_together(together_, range_.upper, range_.upper_inclusive, false);
  else OrderedIndex::Cursor::seek_together(together_, range_.lower, range_.lower_inclusive, true);
  for (const std::unique_ptr<Source>& source : sources_) {
    if (!source->cursor) continue;
    source->sought = source->cursor->valid();
    source->finished = !source->sought;
    if (source->finished) source->cursor.reset();
  }
}

// Opens a partition's cursor where the scan stands. False: it has no entry there.
bool TableScan::seek(Source& source) {
  const OrderedIndex* index = index_of(source);
  if (index == nullptr) return false;
  OrderedIndex::Cursor& cursor = source.cursor.emplace(*index);
  const bool again = std::exchange(source.again, false);
  if (options_.backward) {
    if (range_.has_lower) cursor.stop_at(range_.lower, range_.lower_inclusive);
    if (source.positioned) return cursor.seek_last(source.key, again);
    return range_.has_upper ? cursor.seek_last(range_.upper, range_.upper_inclusive) : cursor.seek_last();
  }
  if (range_.has_upper) cursor.stop_at(range_.upper, range_.upper_inclusive);
  if (source.positioned) return cursor.seek(source.key, again);
  return range_.has_lower ? cursor.seek(range_.lower, range_.lower_inclusive) : cursor.seek_first();
}

// The next window of a partition. False at its end.
bool TableScan::look(Source& source, ReadView& view) {
  if (source.finished) return false;
  bool on;
  if (!source.cursor) {
    on = seek(source);
  } else if (std::exchange(source.sought, false)) {
    on = true;
  } else {
    const auto left = static_cast<std::uint32_t>(source.cursor->rest_of_batch().size());
    on = source.covered < left;
    source.cursor->pass(on ? source.covered : left - 1);
    if (!on) on = options_.backward ? source.cursor->prev() : source.cursor->next();
  }
  Window& window = source.window;
  window.at = window.count = 0;
  if (!on) {
    source.finished = true;
    source.cursor.reset();
    return false;
  }
  const std::span<void* const> entries = source.cursor->rest_of_batch();
  const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(entries.size(), wanted_));
  wanted_ = std::min(Window::kMost, wanted_ * 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    const Version* const version = visible_version(*static_cast<const Row*>(entries[i]), view);
    window.versions[i] = version == nullptr || version->tombstone() ? nullptr : version;
  }
  window.rows = entries.data();
  window.ahead = source.cursor->beyond_batch();
  window.count = source.covered = count;
  return true;
}

// An index entry may belong to another version of its row: it counts only if the version seen has this key.
bool TableScan::own_entry(Source& source, const RowView& row) {
  const KeyRef key = source.taken_key();
  if (table_->is_computed(options_.index)) [[unlikely]] {
    if (entries_ == nullptr) entries_ = std::make_unique<IndexEntries>();
    entries_->remake(*table_, options_.index, row.layout, row.row);
    return entries_->has(key);
  }
  KeyBuffer own_key;
  table_->codecs[options_.index].encode_from_row(*table_->layouts, row.layout, row.row, table_->codec_columns[options_.index], own_key);
  return own_key.ref() == key;
}

bool TableScan::take(Source& source, RowView* out) {
  while (source.window.take(out))
    if (options_.index == 0 || own_entry(source, *out)) return true;
  return false;
}

// Of a merge: moves to the next row of one partition that the view sees. False at its end.
bool TableScan::advance(Source& source, ReadView& view) {
  while (!take(source, &source.row))
    if (!look(source, view)) return false;
  return true;
}

// All partitions together, or the one: by key where rows come by key.
void TableScan::remember(ReadView& view) {
  ReadSet::Range range;
  range.partition = options_.partition;
  range.index = static_cast<std::uint16_t>(options_.index);
  range.slot = table_->indexes[options_.index].slot;
  range.has_lower = range_.has_lower;
  range.has_upper = range_.has_upper;
  range.upper_inclusive = range_.upper_inclusive;
  if (range_.has_lower) range.lower = range_.lower.ref().view();
  if (range_.has_upper) range.upper = range_.upper.ref().view();
  progress_.begin(*view.reads, *table_, range, options_.ordered || options_.partition != kNoPartition, options_.backward);
}

// To the next partition.
void TableScan::go_round() {
  Window& window = sources_[current_]->window;
  window.at = window.count = 0;
  if (++current_ == unfinished_) current_ = 0;
}

bool TableScan::next_slowly(ReadView& view, RowView* out) {
  // Absences depend on the DDL that made the storage.
  view.raise_floor(table_->storage->created.load(std::memory_order_relaxed));
  if (view.reads != nullptr && !progress_.begun()) [[unlikely]] remember(view);
  if (fresh_) start_together();
  if (options_.ordered && sources_.size() > 1) return advance_in_order(view, out);
  // By turns from each partition: rows that were inserted one after the other stand side by side in memory, whatever partition they
  // were dealt to, so a line or page that was fetched for one of them is still there for the next.
  while (unfinished_ != 0) {
    Source& source = *sources_[current_];
    if (take(source, out)) {
      if (view.reads != nullptr) [[unlikely]] progress_.passed(source.taken_key());
      current_window_ = options_.index == 0 && view.reads == nullptr ? &source.window : nullptr;
      return true;
    }
    if (source.at_batch_end()) {
      go_round();
      if (unfinished_ > 1) continue;
    }
    if (look(source, view)) {
      // What is wanted next are the rows of the next partition's next batch.
      const Source& next = *sources_[current_ + 1 == unfinished_ ? 0 : current_ + 1];
      if (&next != &source) source.window.ahead = next.cursor ? next.cursor->beyond_batch() : std::span<const void* const>();
      continue;
    }
    std::swap(sources_[current_], sources_[--unfinished_]);
    if (current_ == unfinished_) current_ = 0;
  }
  current_window_ = nullptr;
  if (view.reads != nullptr) [[unlikely]] progress_.ended();
  return false;
}

bool TableScan::advance_in_order(ReadView& view, RowView* out) {
  const auto after = [&](std::size_t a, std::size_t b) {
    const KeyRef ka = sources_[a]->taken_key(), kb = sources_[b]->taken_key();
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
  if (view.reads != nullptr) [[unlikely]] progress_.passed(front.taken_key());
  return true;
}

void TableScan::pause() {
  current_window_ = nullptr;
  // As it would go on without a pause, so that rows come in the same order.
  if (unfinished_ != 0 && !merging_started_ && sources_[current_]->at_batch_end()) go_round();
  for (const std::unique_ptr<Source>& source : sources_) {
    if (!source->cursor) continue;
    if (!std::exchange(source->sought, false) && source->cursor->valid()) {
      source->key.assign(source->taken_key());
      source->positioned = true;
      source->again = merging_started_ && !source->moved;
    }
    source->window.at = source->window.count = 0;
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
