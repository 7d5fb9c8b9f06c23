// Advisory locks of a session: what it holds for itself, what for its transaction, and waiting for one.
#include <algorithm>

#include "engine/advisory_lock.h"
#include "sql/session_impl.h"
#include "sql/session_wait.h"

namespace wandian::sql {

namespace {

AdvisoryKey advisory_key(Oid database, std::int64_t key, bool two_keys) {
  return {database, static_cast<std::uint32_t>(static_cast<std::uint64_t>(key) >> 32), static_cast<std::uint32_t>(key), two_keys};
}

}  // namespace

void SessionImpl::note_advisory_lock(const AdvisoryHold& hold, bool of_transaction) {
  if (of_transaction) {
    transaction_advisory_.push_back(hold);
    return;
  }
  for (auto& [held, count] : session_advisory_)
    if (held == hold) {
      ++count;
      return;
    }
  session_advisory_.emplace_back(hold, 1);
}

// A row that has to wait for its lock is given first; the statement then waits before it goes on.
Result<bool> SessionImpl::advisory_lock(std::int64_t key, bool two_keys, bool shared, bool transaction, bool wait) {
  AdvisoryLocks& locks = engine_database().advisory_locks();
  const AdvisoryHold hold{advisory_key(database_, key, two_keys), shared};
  switch (locks.try_acquire(hold.key, shared, advisory_)) {
    case AdvisoryLocks::Outcome::kFull: return advisory_locks_full();
    case AdvisoryLocks::Outcome::kGranted:
      advisory_.transaction.store(transaction_.id(), std::memory_order_relaxed);
      transaction_.raise_answer_floor(locks.floor());
      note_advisory_lock(hold, transaction);
      return true;
    case AdvisoryLocks::Outcome::kHeld: break;
  }
  if (!wait) return false;
  if (!rows_can_wait_)
    return Status{sqlstate::feature_not_supported, "waiting for an advisory lock is not supported here"}.with_hint(
        "Take the lock in a statement of its own.");
  awaited_advisory_.push_back({hold, transaction});
  hold_rows_ = true;
  return true;
}

Task<void> SessionImpl::wait_for_advisory_locks() {
  const std::int64_t timeout = settings_.decoded().lock_timeout_ms;
  for (std::size_t i = 0; i < awaited_advisory_.size() && cancelled_.ok(); ++i) {
    const AwaitedAdvisory awaited = awaited_advisory_[i];
    if (timeout > 0) arm(lock_timer_, timeout);
    Status status = co_await settled(transaction_.lock_advisory(awaited.hold.key, awaited.hold.shared, advisory_));
    disarm(lock_timer_);
    if (status.ok()) note_advisory_lock(awaited.hold, awaited.of_transaction);
    else if (cancelled_.ok()) cancelled_ = std::move(status);
  }
  awaited_advisory_.clear();
}

Result<bool> SessionImpl::advisory_unlock(std::int64_t key, bool two_keys, bool shared) {
  const AdvisoryHold hold{advisory_key(database_, key, two_keys), shared};
  const auto found = std::find_if(session_advisory_.begin(), session_advisory_.end(), [&](const auto& held) { return held.first == hold; });
  if (found == session_advisory_.end()) {
    notice(Severity::kWarning, sqlstate::warning,
           std::string("you don't own a lock of type ") + (shared ? "ShareLock" : "ExclusiveLock"));
    return false;
  }
  release_advisory(hold);
  if (--found->second == 0) session_advisory_.erase(found);
  return true;
}

Status SessionImpl::advisory_unlock_all() {
  release_session_advisory();
  return {};
}

void SessionImpl::release_advisory(const AdvisoryHold& hold) {
  engine_database().advisory_locks().release(hold.key, hold.shared, advisory_, transaction_.answer_floor(), shard_);
}

void SessionImpl::release_session_advisory() {
  for (const auto& [hold, count] : session_advisory_)
    for (std::uint64_t i = 0; i < count; ++i) release_advisory(hold);
  session_advisory_.clear();
}

// Those that the transaction took since it had `from` of them.
void SessionImpl::release_transaction_advisory(std::size_t from) {
  while (transaction_advisory_.size() > from) {
    release_advisory(transaction_advisory_.back());
    transaction_advisory_.pop_back();
  }
}

}  // namespace wandian::sql
