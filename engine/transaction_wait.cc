#include "engine/transaction_wait.h"

#include <algorithm>
#include <functional>
#include <map>

#include "engine/lock_report.h"
#include "engine/shard_state.h"

namespace wandian {

void CancelMessage::deliver(Shard& here) {
  if (&here == origin) {
    done(context);
    return;
  }
  here.state().owner.cancel(*request, std::move(why));
  here.state().mailbox.send(origin->index(), *this);
}

void TableLockCancel::deliver(Shard& here) {
  if (&here == origin) {
    done(context);
    delete this;
    return;
  }
  // If it still waits here it comes back without being granted; if not, its own answer is under way already.
  if (here.state().table_locks.cancel(*request, here)) here.state().mailbox.send(origin->index(), *request);
  here.state().mailbox.send(origin->index(), *this);
}

void WaitsMessage::deliver(Shard& here) {
  Shard& home = search->transaction->shard();
  if (&here != &home) {
    collect_waits(here, &edges);
    here.state().mailbox.send(home.index(), *this);
    return;
  }
  if (--search->pending == 0) search->collected();
}

void DeadlockSearch::arm() {
  Shard& shard = transaction->shard();
  if (timer == 0 && !running) timer = shard.add_timer(shard.now_us() + shard.database().options().deadlock_timeout_us, *this);
}

void DeadlockSearch::disarm() {
  if (timer == 0) return;
  transaction->shard().cancel_timer(timer);
  timer = 0;
}

void DeadlockSearch::run() {
  timer = 0;
  second = false;
  cycles.clear();
  collect();
}

void DeadlockSearch::collect() {
  Shard& shard = transaction->shard();
  running = true;
  messages.resize(shard.database().shards());
  pending = 0;
  for (unsigned i = 0; i < messages.size(); ++i) {
    messages[i].search = this;
    messages[i].edges.clear();
    if (i == shard.index()) {
      collect_waits(shard, &messages[i].edges);
      continue;
    }
    ++pending;
    shard.state().mailbox.send(i, messages[i]);
  }
  if (pending == 0) collected();
}

void DeadlockSearch::collected() {
  running = false;
  if (transaction->pending_ == 0) {   // the wait ended meanwhile
    transaction->waiting_->resume_if_idle();
    return;
  }
  std::multimap<std::uint64_t, WaitEdge> waits;
  for (const WaitsMessage& message : messages)
    for (const WaitEdge& edge : message.edges) waits.emplace(edge.waiter, edge);
  // A path from this transaction back to itself.
  std::vector<WaitEdge> path;
  std::vector<std::uint64_t> seen;
  const std::uint64_t self = transaction->id_;
  const std::function<bool(std::uint64_t)> search = [&](std::uint64_t node) {
    seen.push_back(node);
    const auto [begin, end] = waits.equal_range(node);
    for (auto it = begin; it != end; ++it) {
      path.push_back(it->second);
      if (it->second.holder == self) return true;
      if (std::find(seen.begin(), seen.end(), it->second.holder) == seen.end() && search(it->second.holder)) return true;
      path.pop_back();
    }
    return false;
  };
  if (!search(self)) {
    arm();
    return;
  }
  const auto same = [](const WaitEdge& a, const WaitEdge& b) {
    return a.waiter == b.waiter && a.holder == b.holder && a.wait_number == b.wait_number;
  };
  if (!second) {
    second = true;
    cycles.assign(1, path);
    collect();
    return;
  }
  for (const WaitEdge& edge : cycles[0]) {
    bool still = false;
    const auto [begin, end] = waits.equal_range(edge.waiter);
    for (auto it = begin; it != end; ++it) still = still || same(it->second, edge);
    if (!still) {   // something moved: no deadlock, or another one
      second = false;
      arm();
      return;
    }
  }
  // All of a cycle may find it at the same moment; one victim is enough, and they agree on which.
  for (const WaitEdge& edge : cycles[0])
    if (edge.waiter > self) {
      arm();
      return;
    }
  std::string detail;
  for (const WaitEdge& edge : cycles[0]) {
    if (!detail.empty()) detail += '\n';
    detail += edge.text(transaction->database_);
  }
  transaction->cancel(Status{sqlstate::deadlock_detected, "deadlock detected"}
                          .with_detail(std::move(detail))
                          .with_hint("See server log for query details."));
}

}  // namespace wandian
