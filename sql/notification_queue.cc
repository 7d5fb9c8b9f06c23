#include "sql/notification_queue.h"

#include <algorithm>

namespace wandian::sql {

namespace {
constexpr std::int64_t kWarningIntervalUs = 5'000'000;
}  // namespace

NotificationQueue::DatabaseQueue& NotificationQueue::of_database(Oid database) {
  std::unique_ptr<DatabaseQueue>& queue = queues_[database];
  if (queue == nullptr) queue = std::make_unique<DatabaseQueue>();
  return *queue;
}

Lsn NotificationQueue::add(Reader& reader, Oid database, unsigned shard, std::int32_t process) {
  const std::lock_guard guard(mutex_);
  DatabaseQueue& queue = of_database(database);
  const std::uint64_t end = queue.end.load(std::memory_order_relaxed);
  queue.readers[end].push_back(&reader);
  ++queue.readers_of_shard[shard];
  queue.shards |= std::uint64_t{1} << shard;
  reader.queue_ = &queue;
  reader.position_ = end;
  reader.shard_ = shard;
  reader.process_ = process;
  return queue.newest;
}

void NotificationQueue::remove(Reader& reader) {
  if (!reader.listening()) return;
  const std::lock_guard guard(mutex_);
  DatabaseQueue& queue = *reader.queue_;
  take_out(reader);
  if (--queue.readers_of_shard[reader.shard_] == 0) queue.shards &= ~(std::uint64_t{1} << reader.shard_);
  reader.queue_ = nullptr;
  drop_read(queue);
}

void NotificationQueue::take_out(Reader& reader) {
  const auto at = reader.queue_->readers.find(reader.position_);
  std::erase(at->second, &reader);
  if (at->second.empty()) reader.queue_->readers.erase(at);
}

void NotificationQueue::move(Reader& reader, std::uint64_t to) {
  DatabaseQueue& queue = *reader.queue_;
  queue.readers[to].push_back(&reader);   // first what may fail
  take_out(reader);
  reader.position_ = to;
  drop_read(queue);
}

void NotificationQueue::drop_read(DatabaseQueue& queue) {
  const std::uint64_t end = queue.end.load(std::memory_order_relaxed);
  const std::uint64_t needed = queue.readers.empty() ? end : queue.readers.begin()->first;
  std::size_t bytes = 0;
  for (; queue.begin != needed; ++queue.begin) {
    bytes += queue.entries.front()->bytes();
    queue.entries.pop_front();
  }
  if (queue.entries.empty()) queue.entries.shrink_to_fit();
  used_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

bool NotificationQueue::reserve(std::size_t bytes) {
  if (used_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= limit_bytes_) return true;
  give_back(bytes);
  return false;
}

void NotificationQueue::give_back(std::size_t bytes) { used_bytes_.fetch_sub(bytes, std::memory_order_relaxed); }

double NotificationQueue::usage() const {
  return static_cast<double>(used_bytes_.load(std::memory_order_relaxed)) / static_cast<double>(limit_bytes_);
}

std::optional<std::int32_t> NotificationQueue::slowest_if_filling(Oid database, std::int64_t now_us) {
  if (usage() < 0.5) return std::nullopt;
  const std::lock_guard guard(mutex_);
  const DatabaseQueue& queue = of_database(database);
  if (queue.readers.empty() || (last_warning_us_ != 0 && now_us - last_warning_us_ < kWarningIntervalUs)) return std::nullopt;
  last_warning_us_ = now_us;
  return queue.readers.begin()->second.front()->process_;
}

void NotificationQueue::begin_append(Oid database, std::span<const NotificationPtr> sent, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  DatabaseQueue& queue = of_database(database);
  const std::size_t before = queue.entries.size();
  if (!queue.readers.empty()) {
    try {
      queue.entries.insert(queue.entries.end(), sent.begin(), sent.end());
    } catch (...) {
      queue.entries.resize(before);
      throw;
    }
  }
  appending_ = &queue;
  appended_ = queue.entries.size() - before;
  unheard_bytes_ = queue.readers.empty() ? bytes : 0;
  lock.release();   // end_append() unlocks
}

std::uint64_t NotificationQueue::end_append(Lsn commit) noexcept {
  const std::lock_guard guard(mutex_, std::adopt_lock);
  DatabaseQueue& queue = *appending_;
  queue.newest = commit;
  for (auto at = queue.entries.end() - static_cast<std::ptrdiff_t>(appended_); at != queue.entries.end(); ++at) (*at)->commit = commit;
  queue.end.fetch_add(appended_, std::memory_order_release);
  give_back(unheard_bytes_);
  return queue.shards;
}

}  // namespace wandian::sql
