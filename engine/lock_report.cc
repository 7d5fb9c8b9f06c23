#include "engine/lock_report.h"

#include <algorithm>
#include <coroutine>

#include "engine/shard_state.h"

namespace wandian {

namespace {

struct Gathering;

struct ReportMessage final : Message {
  Gathering* gathering = nullptr;
  LockReport report;
  void deliver(Shard& here) override;
};

// Stands in the asking coroutine's frame, which waits until all have answered.
struct Gathering final : Runnable {
  Shard* home = nullptr;
  std::vector<ReportMessage> messages;
  unsigned pending = 0;
  std::coroutine_handle<> waiting;
  void run() override { waiting.resume(); }

  bool await_ready() const noexcept { return pending == 0; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiting = handle; }
  void await_resume() const noexcept {}
};

void collect(Shard& here, LockReport* out) {
  collect_waits(here, &out->waits);
  for (const auto& [table, entry] : here.state().table_locks.entries()) {
    for (const TableLocks::Holder& holder : entry.holders)
      out->tables.push_back({table, holder.transaction, holder.process_id, holder.mode, true});
    for (const TableLockRequest* waiter : entry.queue)
      out->tables.push_back({table, waiter->transaction, waiter->process_id, waiter->mode, false});
  }
}

void ReportMessage::deliver(Shard& here) {
  if (&here != gathering->home) {
    collect(here, &report);
    here.state().mailbox.send(gathering->home->index(), *this);
    return;
  }
  if (--gathering->pending == 0) here.post(*gathering);
}

}  // namespace

void collect_waits(Shard& here, std::vector<WaitEdge>* edges) {
  here.state().owner.collect_waits(*edges);
  here.state().table_locks.collect_waits(*edges);
  here.database().advisory_locks().collect_waits(here, *edges);
}

std::vector<std::int32_t> LockReport::blockers_of(std::int32_t process) const {
  std::vector<std::int32_t> out;
  for (const WaitEdge& edge : waits)
    if (edge.waiter_process == process && std::find(out.begin(), out.end(), edge.holder_process) == out.end())
      out.push_back(edge.holder_process);
  return out;
}

Task<LockReport> report_locks(Shard& here) {
  Gathering gathering;
  gathering.home = &here;
  gathering.messages = std::vector<ReportMessage>(here.database().shards());
  for (unsigned i = 0; i < gathering.messages.size(); ++i) {
    ReportMessage& message = gathering.messages[i];
    message.gathering = &gathering;
    if (i == here.index()) {
      collect(here, &message.report);
      continue;
    }
    ++gathering.pending;
    here.state().mailbox.send(i, message);
  }
  co_await gathering;
  LockReport out;
  for (ReportMessage& message : gathering.messages) {
    out.tables.insert(out.tables.end(), message.report.tables.begin(), message.report.tables.end());
    out.waits.insert(out.waits.end(), message.report.waits.begin(), message.report.waits.end());
  }
  // False sorts first: of a lock that is given here and waited for there, the wait is kept.
  std::sort(out.tables.begin(), out.tables.end());
  const auto same = [](const LockReport::TableEntry& a, const LockReport::TableEntry& b) {
    return a.table == b.table && a.transaction == b.transaction && a.process == b.process && a.mode == b.mode;
  };
  out.tables.erase(std::unique(out.tables.begin(), out.tables.end(), same), out.tables.end());
  co_return out;
}

}  // namespace wandian
