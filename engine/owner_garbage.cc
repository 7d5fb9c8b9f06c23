// What an owner frees: versions, rows and index entries that no snapshot sees any more.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/owner.h"
#include "engine/shard.h"

namespace wandian {

void Owner::retire_version(Row& row, Version* version) {
  if ((version->flags & Version::kInline) != 0)
    shard_.limbo().retire(&row, [](void* object, void*) { static_cast<Row*>(object)->inline_used = 0; });
  else
    shard_.limbo().retire(version, [](void* object, void*) { std::free(object); });
}

void Owner::retire_chain(Row& row, Version* version) {
  while (version != nullptr) {
    Version* older = version->older.load(std::memory_order_relaxed);
    retire_version(row, version);
    version = older;
  }
}

// Frees what nobody sees below a committed version, as far as that needs no look at indexes: not from below a tombstone, since the
// write above it may be undone and it needs the bytes below, and not where secondary keys changed, since their entries go with the
// versions. Both are left to the garbage queue.
void Owner::trim_below(Row& row, Version& version) {
  constexpr std::uint16_t kLeft = Version::kKeyChanged | Version::kTombstone;
  const std::uint64_t stamp = version.stamp.load(std::memory_order_relaxed);
  if ((stamp & kStampActive) != 0 || stamp > snapshots_.horizon.bytes || (version.flags & kLeft) != 0) return;
  Version* older = version.older.load(std::memory_order_relaxed);
  if (older == nullptr) return;
  if (snapshots_.longs.empty()) [[likely]] {
    for (const Version* v = older; v != nullptr; v = v->older.load(std::memory_order_relaxed))
      if ((v->flags & kLeft) != 0) return;
    version.older.store(nullptr, std::memory_order_release);
    retire_chain(row, older);
    return;
  }
  // Up to the first that a long snapshot sees; what is below that was looked at when it came to be there.
  while (older != nullptr && (older->flags & kLeft) == 0 && !snapshots_.needs(older->stamp.load(std::memory_order_relaxed), stamp)) {
    Version* next = older->older.load(std::memory_order_relaxed);
    version.older.store(next, std::memory_order_release);
    retire_version(row, older);
    older = next;
  }
}

void Owner::queue_garbage(TablePartition& partition, Row& row, std::uint64_t lsn) {
  // One entry a row: whoever sweeps it looks at the whole chain, and queues it again if something newer is left to do.
  if ((row.queued & Row::kQueued) != 0) return;
  row.queued |= Row::kQueued;
  partition.garbage.push_back({&row, lsn});
  if (partition.in_garbage_list) return;
  partition.in_garbage_list = true;
  garbage_.push_back({partition.storage.shared_from_this(), &partition});
}

// Removes a row that everybody sees deleted: `tombstone` is its newest version.
void Owner::free_row(TablePartition& partition, Row& row, Version& tombstone) {
  const TableDef& table = *partition.table;
  Version* garbage = tombstone.older.load(std::memory_order_relaxed);
  for (const Version* v = garbage; v != nullptr; v = v->older.load(std::memory_order_relaxed)) erase_secondary_keys(partition, row, *v, garbage);
  // The key comes from the last version that had bytes.
  const Version* last = garbage;
  while (last != nullptr && last->tombstone()) last = last->older.load(std::memory_order_relaxed);
  DB_ASSERT(last != nullptr);
  KeyBuffer key;
  table.codecs[0].encode_from_row(*table.layouts, last->layout, last->row(), table.codec_columns[0], key);
  partition.index(0).erase(key, shard_.limbo());
  for (Version* v = &tombstone; v != nullptr;) {
    Version* older = v->older.load(std::memory_order_relaxed);
    if ((v->flags & Version::kInline) == 0) shard_.limbo().retire(v, [](void* object, void*) { std::free(object); });
    v = older;
  }
  shard_.limbo().retire(&row, [](void* object, void*) { std::free(object); });
}

// Frees below `newest_visible`, which everybody but long snapshots sees, what those do not see. True: one of them sees something there.
bool Owner::trim_row(TablePartition& partition, Row& row, Version& newest_visible) {
  bool held = false;
  Version* newer = &newest_visible;
  while (Version* version = newer->older.load(std::memory_order_relaxed)) {
    const std::uint64_t until = newer->stamp.load(std::memory_order_relaxed);
    const bool needed = snapshots_.needs(version->stamp.load(std::memory_order_relaxed), until);
    held = held || needed;
    Version* older = version->older.load(std::memory_order_relaxed);
    // A tombstone needs a version with bytes below it, from which its key is taken when it goes. Where keys changed, the version above
    // must say so for both.
    const bool keeps = needed || newer->tombstone() || version->tombstone() ||
                       ((version->flags & Version::kKeyChanged) != 0 && (newer->flags & Version::kKeyChanged) == 0 && older != nullptr);
    if (keeps) {
      newer = version;
      continue;
    }
    erase_secondary_keys(partition, row, *version, nullptr);
    newer->older.store(older, std::memory_order_release);
    retire_version(row, version);
  }
  return held;
}

// Frees of one row what no snapshot sees, or says when to look again.
Owner::Swept Owner::sweep(TablePartition& partition, Row& row) {
  Version* newest_visible = row.head.load(std::memory_order_relaxed);
  while (newest_visible != nullptr) {
    const std::uint64_t stamp = newest_visible->stamp.load(std::memory_order_relaxed);
    if ((stamp & kStampActive) == 0 && stamp <= snapshots_.horizon.bytes) break;
    newest_visible = newest_visible->older.load(std::memory_order_relaxed);
  }
  if (newest_visible == nullptr) return Swept::kLater;
  Version* garbage = newest_visible->older.load(std::memory_order_relaxed);
  const bool dead = newest_visible->tombstone() && newest_visible == row.head.load(std::memory_order_relaxed);
  if (dead && row.lock_state != 0) return Swept::kLater;
  bool held = false;
  if (!snapshots_.longs.empty()) {
    std::uint64_t until = newest_visible->stamp.load(std::memory_order_relaxed);
    for (const Version* v = garbage; v != nullptr && !held; v = v->older.load(std::memory_order_relaxed)) {
      const std::uint64_t from = v->stamp.load(std::memory_order_relaxed);
      held = snapshots_.needs(from, until);
      until = from;
    }
  }
  if (held) {
    held = trim_row(partition, row, *newest_visible);
  } else if (dead) {
    if ((row.queued & Row::kHeld) != 0) return Swept::kHeld;   // its place in the list of held rows has to go first
    free_row(partition, row, *newest_visible);
    return Swept::kDone;
  } else if (!newest_visible->tombstone() && garbage != nullptr) {
    for (const Version* v = garbage; v != nullptr; v = v->older.load(std::memory_order_relaxed)) erase_secondary_keys(partition, row, *v, garbage);
    // A tombstone needs a version with bytes below it, from which its key is taken when it goes.
    newest_visible->older.store(nullptr, std::memory_order_release);
    retire_chain(row, garbage);
  }
  const Version* head = row.head.load(std::memory_order_relaxed);
  const bool committed_above = head != newest_visible && (head->stamp.load(std::memory_order_relaxed) & kStampActive) == 0;
  if (committed_above) return Swept::kLater;
  if (held) return Swept::kHeld;
  // What is uncommitted queues the row again when it commits; if it is undone instead, a tombstone is the head again.
  if (newest_visible->tombstone()) return Swept::kLater;
  row.queued &= static_cast<std::uint8_t>(~Row::kQueued);
  return Swept::kDone;
}

// The snapshots in use; when a long one has ended, what was held for it is garbage again.
void Owner::refresh_snapshots() {
  shard_.database().collect_snapshots(&new_snapshots_);
  const bool ended = !std::includes(new_snapshots_.longs.begin(), new_snapshots_.longs.end(), snapshots_.longs.begin(), snapshots_.longs.end());
  snapshots_.longs.swap(new_snapshots_.longs);
  snapshots_.horizon = std::max(snapshots_.horizon, new_snapshots_.horizon);
  if (!ended || held_.empty()) return;
  for (GarbageSource& source : std::exchange(held_, {})) {
    TablePartition& partition = *source.partition;
    for (Row* row : std::exchange(partition.held, {})) {
      row->queued &= static_cast<std::uint8_t>(~Row::kHeld);
      queue_garbage(partition, *row, 0);
    }
  }
}

void Owner::collect_garbage() {
  refresh_snapshots();
  std::size_t budget = 256;
  for (std::size_t sources = garbage_.size(); sources != 0 && budget != 0; --sources) {
    GarbageSource source = std::move(garbage_.front());
    garbage_.pop_front();
    TablePartition& partition = *source.partition;
    // What is put back is for a later turn, so only what was there at the start is looked at.
    for (std::size_t items = partition.garbage.size();
         items != 0 && budget != 0 && partition.garbage.front().lsn <= snapshots_.horizon.bytes; --items) {
      const TablePartition::Garbage item = partition.garbage.front();
      partition.garbage.pop_front();
      --budget;
      const Swept swept = sweep(partition, *item.row);
      if (swept == Swept::kDone) continue;
      if (swept == Swept::kHeld) {
        const bool listed = (item.row->queued & Row::kHeld) != 0;
        item.row->queued = Row::kHeld;
        if (listed) continue;
        if (partition.held.empty()) held_.push_back(source);
        partition.held.push_back(item.row);
        continue;
      }
      const std::uint64_t stamp = item.row->head.load(std::memory_order_relaxed)->stamp.load(std::memory_order_relaxed);
      partition.garbage.push_back({item.row, (stamp & kStampActive) != 0 ? snapshots_.horizon.bytes + 1 : stamp});
    }
    if (partition.garbage.empty()) partition.in_garbage_list = false;
    else garbage_.push_back(std::move(source));
  }
}

}  // namespace wandian
