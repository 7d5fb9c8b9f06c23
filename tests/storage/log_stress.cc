// Stress of what simulation cannot reach: orders of memory. Run it under tsan, for long with WANDIAN_STRESS_SECONDS.
#include <gtest/gtest.h>

#include <poll.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "storage/base/wakeup.h"
#include "tests/storage/log_stress_model.h"

namespace wandian {
namespace {

double stress_seconds() {
  const char* const text = std::getenv("WANDIAN_STRESS_SECONDS");
  return text != nullptr ? std::strtod(text, nullptr) : 2.0;
}

void check(unsigned shards, unsigned readers) {
  const LogStressResult result = run_log_stress(shards, readers, stress_seconds());
  std::printf("%llu commits, %llu snapshots, %llu bursts, %llu recovered, %llu waits for room\n",
              static_cast<unsigned long long>(result.commits), static_cast<unsigned long long>(result.snapshots),
              static_cast<unsigned long long>(result.bursts), static_cast<unsigned long long>(result.recovered),
              static_cast<unsigned long long>(result.waits_for_room));
  EXPECT_EQ(result.broken, "");
  EXPECT_EQ(result.uncovered, 0u);
  EXPECT_GT(result.commits, 0u);
}

TEST(LogStress, SnapshotsNeverCoverAnUnpublishedCommitWithTwoShards) { check(2, 0); }
TEST(LogStress, SnapshotsNeverCoverAnUnpublishedCommitWithReadersBeside) { check(3, 2); }

/// Every batch that a producer brought is seen: a lost wake-up would leave the consumer asleep until the deadline.
template <class Sleep>
void check_wakeups(Wakeup& wakeup, Sleep&& sleep) {
  std::atomic<std::uint64_t> brought{0}, taken{0};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> timeouts{0};
  std::thread consumer([&] {
    std::uint64_t seen = 0;
    while (!stop.load(std::memory_order_acquire)) {
      const std::uint64_t now = brought.load(std::memory_order_acquire);
      if (now != seen) {
        seen = now;
        taken.store(seen, std::memory_order_release);
        continue;
      }
      if (!sleep(
              [&] { return brought.load(std::memory_order_acquire) != seen || stop.load(std::memory_order_acquire); }))
        timeouts.fetch_add(1);
    }
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(stress_seconds());
  std::uint64_t batches = 0;
  while (std::chrono::steady_clock::now() < end) {
    brought.store(++batches, std::memory_order_release);
    wakeup.wake();
    while (taken.load(std::memory_order_acquire) != batches) std::this_thread::yield();
  }
  stop.store(true, std::memory_order_release);
  wakeup.wake();
  consumer.join();
  std::printf("%llu batches\n", static_cast<unsigned long long>(batches));
  EXPECT_EQ(timeouts.load(), 0u);
}

TEST(WakeupStress, NoEventfdWakeupIsLost) {
  EventfdWakeup wakeup;
  check_wakeups(wakeup, [&](auto&& has_work) {
    wakeup.begin_sleep();
    if (has_work()) {
      wakeup.cancel_sleep();
      return true;
    }
    pollfd waiting{wakeup.fd(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, 20'000);
    wakeup.end_sleep();
    return ready != 0;
  });
}

TEST(WakeupStress, NoThreadWakeupIsLost) {
  ThreadWakeup wakeup;
  check_wakeups(wakeup, [&](auto&& has_work) {
    wakeup.begin_sleep();
    if (has_work()) {
      wakeup.cancel_sleep();
      return true;
    }
    const auto before = std::chrono::steady_clock::now();
    wakeup.sleep(20'000'000);
    return std::chrono::steady_clock::now() - before < std::chrono::seconds(19);
  });
}

}  // namespace
}  // namespace wandian
