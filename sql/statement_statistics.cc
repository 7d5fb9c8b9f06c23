#include "sql/statement_statistics.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sql/parse/lexer.h"
#include "sql/parse/parser.h"

namespace wandian::sql {

namespace {

// PostgreSQL's: how much older calls count for, and how many entries go at a time.
constexpr double kUsageDecay = 0.99;
constexpr std::size_t kEvictedPercent = 5, kLeastEvicted = 1;

}  // namespace

void TimeSums::add(const TimeSums& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  const double mine = static_cast<double>(count), theirs = static_cast<double>(other.count), all = mine + theirs;
  const double distance = other.mean - mean;
  squares += other.squares + distance * distance * mine * theirs / all;
  mean += distance * theirs / all;
  total += other.total;
  least = std::min(least, other.least);
  most = std::max(most, other.most);
  count += other.count;
}

void RunningTimes::add(double ns) {
  constexpr auto relaxed = std::memory_order_relaxed;
  const std::uint64_t count = count_.load(relaxed) + 1;
  const double before = mean_.load(relaxed), mean = before + (ns - before) / static_cast<double>(count);
  squares_.store(squares_.load(relaxed) + (ns - before) * (ns - mean), relaxed);
  mean_.store(mean, relaxed);
  total_.store(total_.load(relaxed) + ns, relaxed);
  if (count == 1 || ns < least_.load(relaxed)) least_.store(ns, relaxed);
  if (ns > most_.load(relaxed)) most_.store(ns, relaxed);
  count_.store(count, relaxed);
}

TimeSums RunningTimes::read() const {
  constexpr auto relaxed = std::memory_order_relaxed;
  return {count_.load(relaxed), total_.load(relaxed), least_.load(relaxed), most_.load(relaxed), mean_.load(relaxed), squares_.load(relaxed)};
}

std::shared_ptr<StatementEntry> StatementStatistics::find(const StatementKey& key, std::string_view text, std::size_t most) {
  const std::lock_guard guard(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) return found->second;
  if (entries_.size() >= std::max<std::size_t>(most, 1)) evict();
  auto made = std::make_shared<StatementEntry>();
  made->key = key;
  made->text = text;
  entries_.emplace(key, made);
  return made;
}

void StatementStatistics::evict() {
  std::vector<StatementEntry*> all;
  for (const auto& [key, entry] : entries_) {
    const std::uint64_t calls = entry->executions.read().count + entry->plans.read().count;
    entry->usage = entry->usage * kUsageDecay + static_cast<double>(calls - entry->counted);
    entry->counted = calls;
    all.push_back(entry.get());
  }
  const std::size_t count = std::clamp<std::size_t>(all.size() * kEvictedPercent / 100, std::min(kLeastEvicted, all.size()), all.size());
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count - 1), all.end(),
                   [](const StatementEntry* a, const StatementEntry* b) { return a->usage < b->usage; });
  for (std::size_t i = 0; i < count; ++i) {
    all[i]->gone.store(true, std::memory_order_relaxed);
    entries_.erase(StatementKey(all[i]->key));
  }
  ++evictions_;
}

void StatementStatistics::reset(Oid role, Oid database, std::int64_t query) {
  const std::lock_guard guard(mutex_);
  std::erase_if(entries_, [&](const auto& entry) {
    const StatementKey& key = entry.first;
    const bool matches = (role == 0 || key.role == role) && (database == 0 || key.database == database) && (query == 0 || key.query == query);
    if (matches) entry.second->gone.store(true, std::memory_order_relaxed);
    return matches;
  });
  if (role == 0 && database == 0 && query == 0) evictions_ = 0;
}

std::vector<std::shared_ptr<const StatementEntry>> StatementStatistics::entries() const {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<const StatementEntry>> out;
  out.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) out.push_back(entry);
  return out;
}

std::uint64_t StatementStatistics::evictions() const {
  const std::lock_guard guard(mutex_);
  return evictions_;
}

QueryIdentity identify_query(std::string_view text, bool is_query) {
  while (!text.empty() && (is_space(text.back()) || text.back() == ';')) text.remove_suffix(1);
  QueryIdentity out;
  if (is_query) {
    std::uint64_t number = 0;
    if (fingerprint_query(text, &number, &out.text)) {
      out.query = static_cast<std::int64_t>(number);
      return out;
    }
  }
  out.text = text;
  out.query = static_cast<std::int64_t>(XXH3_64bits(text.data(), text.size()));
  return out;
}

}  // namespace wandian::sql
