#include "engine/table_lock.h"

#include <algorithm>

#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

bool table_locks_conflict(TableLock a, TableLock b) {
  // PostgreSQL manual, table 13.2: in the row of mode a, bit m says that mode m conflicts.
  static constexpr auto bits = [](std::initializer_list<int> modes) {
    unsigned out = 0;
    for (const int mode : modes) out |= 1u << mode;
    return out;
  };
  static const unsigned conflicts[9] = {0,
                                        bits({8}),
                                        bits({7, 8}),
                                        bits({5, 6, 7, 8}),
                                        bits({4, 5, 6, 7, 8}),
                                        bits({3, 4, 6, 7, 8}),
                                        bits({3, 4, 5, 6, 7, 8}),
                                        bits({2, 3, 4, 5, 6, 7, 8}),
                                        bits({1, 2, 3, 4, 5, 6, 7, 8})};
  return (conflicts[static_cast<int>(a)] >> static_cast<int>(b) & 1) != 0;
}

bool TableLocks::grantable(const Entry& entry, TableLock mode, std::uint64_t transaction, const TableLockRequest* until) const {
  bool holds = false;
  for (const Holder& holder : entry.holders) {
    if (holder.transaction == transaction) holds = true;
    else if (table_locks_conflict(holder.mode, mode)) return false;
  }
  if (holds) return true;   // who holds the table already does not queue behind those who wait for it
  for (const TableLockRequest* waiter : entry.queue) {
    if (waiter == until) break;
    if (waiter->transaction != transaction && table_locks_conflict(waiter->mode, mode)) return false;
  }
  return true;
}

bool TableLocks::try_acquire(Oid table, TableLock mode, std::uint64_t transaction, std::int32_t process_id) {
  Entry& entry = entries_[table];
  if (!grantable(entry, mode, transaction, nullptr)) return false;
  entry.holders.push_back({transaction, process_id, mode});
  return true;
}

bool TableLocks::acquire(TableLockRequest& request) {
  Entry& entry = entries_[request.table];
  if (grantable(entry, request.mode, request.transaction, nullptr)) {
    entry.holders.push_back({request.transaction, request.process_id, request.mode});
    request.granted = true;
    return true;
  }
  if (request.no_wait) return false;
  entry.queue.push_back(&request);
  request.queued = true;
  return false;
}

void TableLocks::grant_waiters(Entry& entry, Shard& here) {
  for (std::size_t i = 0; i < entry.queue.size();) {
    TableLockRequest* waiter = entry.queue[i];
    if (!grantable(entry, waiter->mode, waiter->transaction, waiter)) {
      ++i;
      continue;
    }
    entry.queue.erase(entry.queue.begin() + static_cast<std::ptrdiff_t>(i));
    entry.holders.push_back({waiter->transaction, waiter->process_id, waiter->mode});
    waiter->granted = true;
    waiter->queued = false;
    if (waiter->origin == &here) waiter->done(waiter->context, *waiter);
    else here.state().mailbox.send(waiter->origin->index(), *waiter);
  }
}

void TableLocks::release(Oid table, TableLock mode, std::uint64_t transaction, Shard& here) {
  const auto found = entries_.find(table);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  const auto own = std::find_if(entry.holders.begin(), entry.holders.end(),
                                [&](const Holder& holder) { return holder.transaction == transaction && holder.mode == mode; });
  if (own == entry.holders.end()) return;
  entry.holders.erase(own);
  const bool strong = mode > TableLock::kRowExclusive;
  grant_waiters(entry, here);
  // An idle table keeps its entry, and the entry its memory: the next statement wants both. A strong lock may have dropped it.
  if (strong && entry.holders.empty() && entry.queue.empty()) entries_.erase(found);
}

bool TableLocks::cancel(TableLockRequest& request, Shard& here) {
  if (!request.queued) return false;
  Entry& entry = entries_[request.table];
  std::erase(entry.queue, &request);
  request.queued = false;
  grant_waiters(entry, here);
  return true;
}

void TableLocks::collect_waits(std::vector<WaitEdge>& edges) const {
  for (const auto& [table, entry] : entries_)
    for (const TableLockRequest* waiter : entry.queue) {
      const auto add = [&, table = table](std::uint64_t transaction, std::int32_t process) {
        edges.push_back({.waiter = waiter->transaction, .holder = transaction, .wait_number = waiter->wait_number,
                         .waiter_process = waiter->process_id, .holder_process = process, .what = WaitEdge::What::kTable,
                         .mode = static_cast<std::uint8_t>(waiter->mode), .table = table, .advisory = {}});
      };
      for (const Holder& holder : entry.holders)
        if (holder.transaction != waiter->transaction && table_locks_conflict(holder.mode, waiter->mode))
          add(holder.transaction, holder.process_id);
      for (const TableLockRequest* before : entry.queue) {
        if (before == waiter) break;
        if (before->transaction != waiter->transaction && table_locks_conflict(before->mode, waiter->mode))
          add(before->transaction, before->process_id);
      }
    }
}

void TableLockRequest::deliver(Shard& here) {
  if (&here == origin) {
    done(context, *this);
    return;
  }
  TableLocks& locks = here.state().table_locks;
  if (release) {
    locks.release(table, mode, transaction, here);
    here.state().mailbox.send(origin->index(), *this);
    return;
  }
  if (locks.acquire(*this) || no_wait) here.state().mailbox.send(origin->index(), *this);
}

}  // namespace wandian
