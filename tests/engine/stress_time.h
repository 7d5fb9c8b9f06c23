// How long each stress test runs, and the failure that its threads agree on.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdlib>

namespace wandian {

/// WANDIAN_STRESS_SECONDS, 2 unless it is set.
inline std::chrono::milliseconds stress_time() {
  const char* seconds = std::getenv("WANDIAN_STRESS_SECONDS");
  return std::chrono::milliseconds(static_cast<long>(1000 * (seconds != nullptr ? std::atof(seconds) : 2.0)));
}

/// The first broken promise that any thread met; everybody stops at it. Relaxed, so that it orders nothing that the test looks at.
class StressFailure {
 public:
  void check(bool holds, const char* what) {
    const char* none = nullptr;
    if (!holds) first_.compare_exchange_strong(none, what, std::memory_order_relaxed);
  }
  const char* first() const { return first_.load(std::memory_order_relaxed); }
  explicit operator bool() const { return first() != nullptr; }

 private:
  std::atomic<const char*> first_{nullptr};
};

}  // namespace wandian
