#include "engine/marks.h"

#include <algorithm>

#include "engine/index_entries.h"
#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

namespace {
constexpr unsigned kSliceRows = 1000;   ///< that one turn looks at
}

// --- marks -------------------------------------------------------------------------------------------------------

void Marks::set(TxnDescriptor& descriptor, std::shared_ptr<const ReadSet> reads) { marks_.push_back({&descriptor, std::move(reads)}); }

void Marks::clear(const TxnDescriptor& descriptor, std::vector<Waiter*>& ready) {
  std::erase_if(marks_, [&](const Mark& mark) { return mark.descriptor == &descriptor; });
  std::erase_if(waiting_, [&](const Waiting& waiting) {
    if (waiting.descriptor != &descriptor) return false;
    if (!waiting.waiter->ready) {
      waiting.waiter->ready = true;
      ready.push_back(waiting.waiter);
    }
    return true;
  });
}

void Marks::wait(Waiter& waiter, const TxnDescriptor& descriptor) {
  waiter.waiting_on = nullptr;
  waiter.waiting_at_mark = true;
  waiting_.push_back({&waiter, &descriptor});
}

void Marks::forget(const Waiter& waiter) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.waiter == &waiter; });
}

TxnDescriptor* Marks::met_by(const Write& write, const TxnDescriptor* self) const {
  KeyBuffer key;
  IndexEntries entries;
  const auto covers = [&](const ReadSet::Range& range, const char* bytes, std::uint16_t layout) {
    if (bytes == nullptr) return false;
    if (range.index >= write.table.codecs.size()) return true;   // an index that this definition does not have
    if (write.table.indexes[range.index].global_table != 0) return true;
    if (write.table.is_computed(range.index)) {
      entries.remake(write.table, range.index, layout, bytes);
      return std::any_of(entries.keys().begin(), entries.keys().end(), [&](const KeyBuffer& entry) { return range.covers(entry); });
    }
    write.table.codecs[range.index].encode_from_row(*write.table.layouts, layout, bytes, write.table.codec_columns[range.index], key);
    return range.covers(key);
  };
  for (const Mark& mark : marks_) {
    if (mark.descriptor == self) continue;
    const ReadSet::Table* read = mark.reads->find(*write.table.storage);
    if (read == nullptr) continue;
    if (read->whole) return mark.descriptor;
    if (!read->points.empty() && read->points.contains(ReadSet::point(write.partition, write.key))) return mark.descriptor;
    for (const ReadSet::Range& range : read->ranges) {
      if (range.partition != kNoPartition && range.partition != write.partition) continue;
      if (covers(range, write.before, write.before_layout) || covers(range, write.after, write.table.layout)) return mark.descriptor;
    }
  }
  return nullptr;
}

// --- validation --------------------------------------------------------------------------------------------------

namespace {

// Whether the newest version of a row, own ones aside, is committed and not newer than `snapshot`.
bool unchanged_since(const Row& row, Lsn snapshot, const TxnDescriptor* self) {
  for (const Version* version = row.head.load(std::memory_order_acquire); version != nullptr;
       version = version->older.load(std::memory_order_acquire)) {
    std::uint64_t stamp = version->stamp.load(std::memory_order_acquire);
    if ((stamp & kStampActive) != 0) {
      const TxnDescriptor* descriptor = stamp_descriptor(stamp);
      if (descriptor == self) continue;
      stamp = descriptor->state.load(std::memory_order_acquire);
      if (stamp == TxnDescriptor::kActive) return false;
      if (stamp == TxnDescriptor::kAborted) continue;   // its undo is on the way
    }
    return stamp <= snapshot.bytes;
  }
  return true;
}

}  // namespace

bool ValidateMessage::holds_point(const ReadSet::Table& table, std::string_view point) const {
  const TablePartition* partition = table.storage->find(ReadSet::partition_of(point));
  const auto* row = partition == nullptr ? nullptr : static_cast<const Row*>(partition->index(0).find(ReadSet::key_of(point)));
  return row == nullptr || unchanged_since(*row, snapshot, descriptor);
}

bool ValidateMessage::look_at_range(const TablePartition& partition, const ReadSet::Range& range, unsigned* budget) {
  const OrderedIndex* index = partition.indexes[range.slot].load(std::memory_order_acquire);
  // An index that the owner has not made yet: whatever changed counts.
  const bool by_index = index != nullptr;
  if (!by_index) index = &partition.index(0);
  OrderedIndex::Cursor cursor(*index);
  if (by_index && range.has_upper)
    cursor.stop_at({range.upper.data(), static_cast<std::uint32_t>(range.upper.size())}, range.upper_inclusive);
  bool looked = false, on;
  const bool goes_on = inside_;
  if (inside_) on = cursor.seek(key_, false);
  else if (by_index && range.has_lower) on = cursor.seek({range.lower.data(), static_cast<std::uint32_t>(range.lower.size())}, true);
  else on = cursor.seek_first();
  inside_ = false;
  for (; on; on = cursor.next()) {
    if (*budget == 0) {
      inside_ = goes_on || looked;   // behind key_; else from the start again
      return false;
    }
    --*budget;
    looked = true;
    key_.assign(cursor.key());
    if (unchanged_since(*static_cast<const Row*>(cursor.value()), snapshot, descriptor)) continue;
    valid = false;
    return true;
  }
  return true;
}

// True: all that this shard owns of the read set was looked at, or something in it has changed.
bool ValidateMessage::slice() {
  static const ReadSet::Range kEverything;
  unsigned budget = kSliceRows;
  const unsigned shards = here_->database().shards();
  for (; table_ < reads->tables().size(); ++table_, range_ = 0) {
    const ReadSet::Table& table = *reads->tables()[table_];
    if (range_ == 0 && partition_ == 0 && !inside_)
      for (const std::string& point : table.points) {
        if (ReadSet::partition_of(point) % shards != here_->index()) continue;
        if (!holds_point(table, point)) return valid = false, true;
      }
    for (; range_ < (table.whole ? 1 : table.ranges.size()); ++range_, partition_ = 0) {
      const ReadSet::Range& range = table.whole ? kEverything : table.ranges[range_];
      const PartitionId end = table.storage->highest.load(std::memory_order_acquire);
      if (range.partition != kNoPartition) partition_ = range.partition;
      for (; partition_ < end; ++partition_) {
        if (range.partition != kNoPartition && partition_ != range.partition) break;
        const TablePartition* partition = table.storage->find(partition_);
        if (partition == nullptr || here_->database().owner_of(partition_) != here_->index()) continue;
        if (!look_at_range(*partition, range, &budget)) return false;
        if (!valid) return true;
      }
    }
    partition_ = 0;
  }
  return true;
}

bool ValidateMessage::start(Shard& here) {
  here_ = &here;
  here.state().owner.mark(*descriptor, reads);
  return slice();
}

void ValidateMessage::run() {
  if (stop->load(std::memory_order_relaxed)) valid = false;
  else if (!slice()) {
    here_->post_next_turn(*this);
    return;
  }
  answer();
}

void ValidateMessage::answer() {
  if (here_ == origin) done(context);
  else here_->state().mailbox.send(origin->index(), *this);
}

void ValidateMessage::deliver(Shard& here) {
  if (&here == origin) {
    done(context);
    return;
  }
  if (start(here)) answer();
  else here.post_next_turn(*this);
}

}  // namespace wandian
