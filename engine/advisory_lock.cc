#include "engine/advisory_lock.h"

#include <algorithm>

#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

Status advisory_locks_full() {
  return Status{sqlstate::out_of_memory, "out of shared memory"}.with_hint("You might need to increase max_locks_per_transaction.");
}

void AdvisoryRequest::deliver(Shard&) { done(context); }

bool AdvisoryLocks::grantable(const Entry& entry, bool shared, const AdvisoryLocker& locker, const AdvisoryRequest* until) {
  bool holds = false;
  for (const Holder& holder : entry.holders) {
    if (holder.locker == &locker) holds = true;
    else if (!shared || holder.exclusive != 0) return false;
  }
  if (holds) return true;   // who holds it already does not queue behind those who wait for that
  for (const AdvisoryRequest* waiter : entry.queue) {
    if (waiter == until) break;
    if (waiter->locker != &locker && (!shared || !waiter->shared)) return false;
  }
  return true;
}

AdvisoryLocks::Outcome AdvisoryLocks::take(Entry& entry, bool shared, AdvisoryLocker& locker) {
  Holder* own = nullptr;
  for (Holder& holder : entry.holders)
    if (holder.locker == &locker) own = &holder;
  if (own == nullptr) {
    if (holders_ >= kMaxHolders) return Outcome::kFull;
    entry.holders.push_back({&locker});
    own = &entry.holders.back();
    ++holders_;
  }
  ++(shared ? own->shared : own->exclusive);
  return Outcome::kGranted;
}

AdvisoryLocks::Outcome AdvisoryLocks::try_acquire(const AdvisoryKey& key, bool shared, AdvisoryLocker& locker) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(key);
  if (found != entries_.end() && !grantable(found->second, shared, locker, nullptr)) return Outcome::kHeld;
  Entry& entry = found != entries_.end() ? found->second : entries_[key];
  const Outcome outcome = take(entry, shared, locker);
  drop_if_idle(key, entry);
  return outcome;
}

AdvisoryLocks::Outcome AdvisoryLocks::acquire(AdvisoryRequest& request) {
  const std::lock_guard guard(mutex_);
  Entry& entry = entries_[request.key];
  if (!grantable(entry, request.shared, *request.locker, nullptr)) {
    entry.queue.push_back(&request);
    request.queued = true;
    return Outcome::kHeld;
  }
  const Outcome outcome = take(entry, request.shared, *request.locker);
  request.granted = outcome == Outcome::kGranted;
  drop_if_idle(request.key, entry);
  return outcome;
}

bool AdvisoryLocks::release(const AdvisoryKey& key, bool shared, AdvisoryLocker& locker, std::uint64_t floor, Shard& here) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  Entry& entry = found->second;
  for (std::size_t i = 0; i < entry.holders.size(); ++i) {
    Holder& holder = entry.holders[i];
    if (holder.locker != &locker) continue;
    std::uint64_t& count = shared ? holder.shared : holder.exclusive;
    if (count == 0) return false;
    if (--count != 0) return true;
    if (floor > floor_.load(std::memory_order_relaxed)) floor_.store(floor, std::memory_order_release);
    if (holder.shared == 0 && holder.exclusive == 0) {
      entry.holders.erase(entry.holders.begin() + static_cast<std::ptrdiff_t>(i));
      --holders_;
    }
    grant_waiters(entry, here);
    drop_if_idle(key, entry);
    return true;
  }
  return false;
}

void AdvisoryLocks::grant_waiters(Entry& entry, Shard& here) {
  for (std::size_t i = 0; i < entry.queue.size();) {
    AdvisoryRequest* waiter = entry.queue[i];
    if (!grantable(entry, waiter->shared, *waiter->locker, waiter) || take(entry, waiter->shared, *waiter->locker) != Outcome::kGranted) {
      ++i;
      continue;
    }
    entry.queue.erase(entry.queue.begin() + static_cast<std::ptrdiff_t>(i));
    waiter->granted = true;
    waiter->queued = false;
    if (waiter->origin == &here) waiter->done(waiter->context);
    else here.state().mailbox.send(waiter->origin->index(), *waiter);
  }
}

bool AdvisoryLocks::cancel(AdvisoryRequest& request, Shard& here) {
  const std::lock_guard guard(mutex_);
  if (!request.queued) return false;
  Entry& entry = entries_[request.key];
  std::erase(entry.queue, &request);
  request.queued = false;
  grant_waiters(entry, here);
  drop_if_idle(request.key, entry);
  return true;
}

void AdvisoryLocks::drop_if_idle(const AdvisoryKey& key, const Entry& entry) {
  if (entry.holders.empty() && entry.queue.empty()) entries_.erase(key);
}

void AdvisoryLocks::collect_waits(const Shard& shard, std::vector<WaitEdge>& edges) const {
  const std::lock_guard guard(mutex_);
  for (const auto& [key, entry] : entries_)
    for (const AdvisoryRequest* waiter : entry.queue) {
      if (waiter->origin != &shard) continue;
      const auto add = [&, key = key](const AdvisoryLocker& holder) {
        const std::uint64_t transaction = holder.transaction.load(std::memory_order_relaxed);
        if (&holder == waiter->locker || transaction == 0) return;
        edges.push_back({.waiter = waiter->locker->transaction.load(std::memory_order_relaxed), .holder = transaction,
                         .wait_number = waiter->wait_number, .waiter_process = waiter->locker->process_id,
                         .holder_process = holder.process_id, .what = WaitEdge::What::kAdvisory,
                         .mode = std::uint8_t{waiter->shared}, .advisory = key});
      };
      for (const Holder& holder : entry.holders)
        if (!waiter->shared || holder.exclusive != 0) add(*holder.locker);
      for (const AdvisoryRequest* before : entry.queue) {
        if (before == waiter) break;
        if (!waiter->shared || !before->shared) add(*before->locker);
      }
    }
}

std::vector<AdvisoryLocks::Info> AdvisoryLocks::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<Info> out;
  for (const auto& [key, entry] : entries_) {
    const auto add = [&, key = key](const AdvisoryLocker& locker, bool shared, bool granted) {
      out.push_back({key, shared, granted, locker.process_id, locker.transaction.load(std::memory_order_relaxed)});
    };
    for (const Holder& holder : entry.holders) {
      if (holder.exclusive != 0) add(*holder.locker, false, true);
      if (holder.shared != 0) add(*holder.locker, true, true);
    }
    for (const AdvisoryRequest* waiter : entry.queue) add(*waiter->locker, waiter->shared, false);
  }
  return out;
}

}  // namespace wandian
