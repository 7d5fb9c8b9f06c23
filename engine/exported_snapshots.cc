#include "engine/exported_snapshots.h"

#include <cstdio>

#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

namespace {

// Tells the shard that holds a snapshot that nobody needs it any more.
struct ReleaseMessage final : Message {
  Lsn snapshot;
  void deliver(Shard& here) override {
    here.release_snapshot(snapshot);
    delete this;
  }
};

}  // namespace

std::string ExportedSnapshots::add(Shard& exporter, const ExportedSnapshot& snapshot, std::uint64_t transaction) {
  const std::lock_guard guard(mutex_);
  char name[48];
  std::snprintf(name, sizeof name, "%08X-%08X-%llu", static_cast<unsigned>(transaction >> 32), static_cast<unsigned>(transaction),
                static_cast<unsigned long long>(next_++));
  exporter.hold_snapshot(snapshot.snapshot);
  entries_[name] = {snapshot, &exporter};
  return name;
}

std::optional<ExportedSnapshot> ExportedSnapshots::find(const std::string& name) const {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end() || !found->second.open) return std::nullopt;
  return found->second.snapshot;
}

std::optional<ExportedSnapshot> ExportedSnapshots::join(const std::string& name) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end() || !found->second.open) return std::nullopt;
  ++found->second.users;
  return found->second.snapshot;
}

void ExportedSnapshots::withdraw(const std::string& name, Shard& here) {
  const std::lock_guard guard(mutex_);
  const auto found = entries_.find(name);
  found->second.open = false;
  release_locked(found, here);
}

void ExportedSnapshots::release(const std::string& name, Shard& here) {
  const std::lock_guard guard(mutex_);
  release_locked(entries_.find(name), here);
}

void ExportedSnapshots::release_locked(std::map<std::string, Entry>::iterator entry, Shard& here) {
  Entry& of = entry->second;
  if (--of.users != 0) return;
  if (of.holder == &here) {
    here.release_snapshot(of.snapshot.snapshot);
  } else {
    auto* message = new ReleaseMessage;
    message->snapshot = of.snapshot.snapshot;
    here.state().mailbox.send(of.holder->index(), *message);
  }
  entries_.erase(entry);
}

}  // namespace wandian
