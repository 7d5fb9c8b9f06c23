#include "engine/shard.h"

#include <algorithm>
#include <map>

#include "engine/shard_state.h"

namespace wandian {

namespace {
thread_local Shard* current_shard = nullptr;
constexpr unsigned kMessagesPerStep = 512;
constexpr std::int64_t kMemoryCheckUs = 50'000;
/// What long statements together and one of them may take of a turn, and what each of many gets at least.
constexpr std::int64_t kTurnUs = 800, kMostShareUs = 800, kLeastShareUs = 100;
}  // namespace

struct Shard::Timers {
  std::map<std::pair<std::int64_t, TimerId>, Runnable*> by_time;
  std::unordered_map<TimerId, std::int64_t> deadlines;
  TimerId next = 1;
};

Shard::Shard(Database& database, unsigned index)
    : database_(database), index_(index), limbo_(database.quiescence(), index), timers_(std::make_unique<Timers>()) {
  state_ = std::make_unique<State>(*this, database.rings());
  catalog_ = database.catalog();
  catalog_version_ = catalog_->version;
}

// What waits for a grace period refers to the state: it goes first. No other shard runs any more.
Shard::~Shard() { limbo_.free_everything(); }

Shard* Shard::current() { return current_shard; }

void Shard::attach_wakeup(Wakeup* wakeup) {
  wakeup_ = wakeup;
  database_.rings().set_wakeup(index_, wakeup);
  database_.log().attach(index_, wakeup);
}

// The lowest snapshot in use that is not published as a long one, which happens here first where there are any.
std::uint64_t Shard::lowest_view() {
  std::uint64_t low = ~std::uint64_t{0};
  std::vector<std::uint64_t>& longs = state_->long_views;
  longs.clear();
  for (const Transaction* transaction : state_->views) {
    const std::uint64_t snapshot = transaction->view_.snapshot.bytes;
    if (snapshot >= aged_) low = std::min(low, snapshot);
    else longs.push_back(snapshot);
  }
  const auto young = state_->held_snapshots.lower_bound(aged_);   // ascending: of the young ones the first is enough
  longs.insert(longs.end(), state_->held_snapshots.begin(), young);
  if (young != state_->held_snapshots.end()) low = std::min(low, *young);
  has_young_views_ = low != ~std::uint64_t{0};
  if (longs.empty() && state_->published_longs == 0) [[likely]] return low;
  return std::min(low, publish_long_views());
}

// The lowest long snapshot that found no place in the list, or ~0.
std::uint64_t Shard::publish_long_views() {
  std::vector<std::uint64_t>& longs = state_->long_views;
  std::sort(longs.begin(), longs.end());
  longs.erase(std::unique(longs.begin(), longs.end()), longs.end());
  SnapshotSlot& slot = database_.snapshot_slot(index_);
  std::uint64_t low = ~std::uint64_t{0};
  for (unsigned at = 0; at < SnapshotSlot::kLongs; ++at) {
    const std::uint64_t there = slot.longs[at].load(std::memory_order_relaxed);
    if (there == 0) continue;
    const auto found = std::lower_bound(longs.begin(), longs.end(), there);
    if (found != longs.end() && *found == there) {
      longs.erase(found);   // it keeps its place
    } else {
      slot.longs[at].store(0, std::memory_order_release);
      --state_->published_longs;
    }
  }
  unsigned at = 0;
  for (const std::uint64_t snapshot : longs) {
    while (at < SnapshotSlot::kLongs && slot.longs[at].load(std::memory_order_relaxed) != 0) ++at;
    if (at == SnapshotSlot::kLongs) {
      low = std::min(low, snapshot);
      continue;
    }
    slot.longs[at].store(snapshot, std::memory_order_release);
    ++state_->published_longs;
    if (slot.longs_end.load(std::memory_order_relaxed) <= at) slot.longs_end.store(at + 1, std::memory_order_release);
  }
  return low;
}

// What was the newest snapshot at the last but one look, at least kLongViewUs ago, is old now.
void Shard::age_views() {
  if (now_us_ < next_ageing_us_) return;
  next_ageing_us_ = now_us_ + kLongViewUs;
  aged_ = ageing_;
  ageing_ = last_snapshot_.bytes;
}

void Shard::begin_turn() {
  current_shard = this;
  state_->shares_before = std::exchange(state_->shares, 0);
  database_.log().work(index_);
  now_us_ = database_.env().clock().monotonic_us();
  age_views();
  // Published before anything is read in this turn; the exchange in online() is the fence between them. Every snapshot that
  // this turn takes is at or above last_snapshot_.
  database_.snapshot_slot(index_).low.store(std::min(lowest_view(), last_snapshot_.bytes), std::memory_order_seq_cst);
  database_.quiescence().online(index_);
  // So that a shard that only serves others does not hold back what it published long ago.
  last_snapshot_ = database_.log().snapshot(last_snapshot_);
}

// Messages and timers; how many messages there were.
unsigned Shard::receive() {
  const unsigned delivered = state_->mailbox.receive(*this, kMessagesPerStep);
  while (!timers_->by_time.empty() && timers_->by_time.begin()->first.first <= now_us_) {
    const auto first = timers_->by_time.begin();
    Runnable* item = first->second;
    timers_->deadlines.erase(first->first.second);
    timers_->by_time.erase(first);
    item->run();
  }
  return delivered;
}

void Shard::run_queued() {
  unsigned budget = 4096;
  while (budget-- != 0) {
    Runnable* item = run_queue_.pop();
    if (item == nullptr) {
      if (!state_->owner.run_ready()) break;
      continue;
    }
    item->run();
  }
  state_->owner.run_ready();
  state_->mailbox.flush();
}

void Shard::catch_up() {
  receive();
  run_queued();
}

bool Shard::step() {
  const unsigned delivered = receive();
  // What was posted for the next turn becomes this turn's; what runs may post for the one after.
  RunQueue from_last_turn;
  std::swap(from_last_turn, next_turn_queue_);
  while (Runnable* item = from_last_turn.pop()) run_queue_.push(*item);
  run_queued();
  return delivered == kMessagesPerStep || !run_queue_.empty() || !next_turn_queue_.empty() || state_->mailbox.has_overflow();
}

void Shard::end_turn() {
  state_->mailbox.flush();
  if (demand_.bytes != 0) {
    database_.log().demand(index_, demand_);
    demand_ = {};
  }
  state_->owner.collect_garbage();
  if (now_us_ >= state_->next_memory_check_us) {
    state_->next_memory_check_us = now_us_ + kMemoryCheckUs;
    if (index_ == 0) database_.update_memory_state();
  }
  database_.quiescence().quiesce(index_);
  limbo_.collect();
  current_shard = nullptr;
}

bool Shard::prepare_sleep() {
  if (!run_queue_.empty() || !next_turn_queue_.empty() || state_->mailbox.has_mail() || state_->mailbox.has_overflow()) return false;
  database_.quiescence().offline(index_);
  database_.snapshot_slot(index_).low.store(lowest_view(), std::memory_order_seq_cst);
  database_.log().rest(index_);
  return true;
}

void Shard::send(unsigned to, Message& message) { state_->mailbox.send(to, message); }
bool Shard::talked() { return state_->mailbox.talked(); }
bool Shard::has_mail() const { return state_->mailbox.has_mail(); }

std::int64_t Shard::next_deadline_us() const {
  // Memory that waits for a grace period or a horizon is looked at again soon, though nothing wakes the shard for it.
  std::int64_t idle = limbo_.waiting() != 0 || state_->owner.has_garbage() ? now_us_ + 10'000 : INT64_MAX;
  // A snapshot that a sleeping shard's session keeps must grow old all the same.
  if (has_young_views_) idle = std::min(idle, std::max(next_ageing_us_, now_us_));
  return timers_->by_time.empty() ? idle : std::min(idle, timers_->by_time.begin()->first.first);
}

Shard::TimerId Shard::add_timer(std::int64_t deadline_us, Runnable& item) {
  const TimerId id = timers_->next++;
  timers_->by_time.emplace(std::pair(deadline_us, id), &item);
  timers_->deadlines.emplace(id, deadline_us);
  return id;
}

void Shard::cancel_timer(TimerId id) {
  const auto found = timers_->deadlines.find(id);
  if (found == timers_->deadlines.end()) return;
  timers_->by_time.erase({found->second, id});
  timers_->deadlines.erase(found);
}

std::int64_t Shard::wall_us() { return database_.env().clock().wall_us(); }

// Several long statements share a turn, so that it does not grow with their number: who sends a short one waits for the turn's end.
// (A statement that a session runs begins its share twice.)
void Shard::start_budget() {
  const auto shares = static_cast<std::int64_t>(std::max(++state_->shares, state_->shares_before));
  const std::int64_t now = database_.env().clock().monotonic_us();
  budget_end_us_ = now + std::clamp(kTurnUs / shares, kLeastShareUs, kMostShareUs);
  budget_least_end_us_ = now + kLeastShareUs;
  budget_ticks_ = 0;
}

// What another shard asks for is short and waits for this turn's end: it makes the turn shorter.
bool Shard::budget_used_up() {
  budget_ticks_ = 0;
  const std::int64_t now = database_.env().clock().monotonic_us();
  return now >= budget_end_us_ || (now >= budget_least_end_us_ && state_->mailbox.has_mail());
}

bool Shard::take_snapshot(Lsn need, Lsn* snapshot) {
  // Spinning helps only while the shard in its commit window runs; if it was stopped by the scheduler, the next turn is soon enough.
  for (int spin = 0; spin < 100; ++spin) {
    const Lsn taken = database_.log().snapshot(last_snapshot_);
    last_snapshot_ = taken;
    if (taken >= need) {
      *snapshot = taken;
      return true;
    }
  }
  return false;
}

void Shard::hold_snapshot(Lsn snapshot) { state_->held_snapshots.insert(snapshot.bytes); }

void Shard::release_snapshot(Lsn snapshot) {
  const auto found = state_->held_snapshots.find(snapshot.bytes);
  DB_ASSERT(found != state_->held_snapshots.end());
  state_->held_snapshots.erase(found);
}

const std::shared_ptr<const Catalog>& Shard::catalog() {
  if (catalog_version_ != database_.catalog_version()) [[unlikely]] {
    catalog_ = database_.catalog();
    catalog_version_ = catalog_->version;
  }
  return catalog_;
}

Status log_disk_full() {
  return Status{sqlstate::disk_full, "could not write to the log: no space left on device"}
      .with_hint("Free disk space; the server goes on by itself when there is room.");
}

void FinishMessage::deliver(Shard& here) {
  if (&here != group->origin) {
    here.state().owner.finish(*group->descriptor, group->committed ? &group->commit : nullptr);
    here.state().mailbox.send(group->origin->index(), *this);
    return;
  }
  if (--group->pending != 0) return;
  Shard::State& state = here.state();
  TxnDescriptor* descriptor = group->descriptor;
  group->catalogs.clear();
  state.free_groups.push_back(group);
  state.release_descriptor(here, descriptor, true);
}

}  // namespace wandian
