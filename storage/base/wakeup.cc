#include "storage/base/wakeup.h"

#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "storage/base/assert.h"

namespace wandian {

EventfdWakeup::EventfdWakeup() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { DB_ASSERT(fd_ >= 0); }
EventfdWakeup::~EventfdWakeup() { ::close(fd_); }

void EventfdWakeup::wake() noexcept {
  if (!sleeping_.exchange(false, std::memory_order_acq_rel)) return;
  const std::uint64_t one = 1;
  // Cannot fail: the counter would have to hold 2^64 - 1 wake-ups that nobody took.
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
}

void EventfdWakeup::end_sleep() noexcept {
  sleeping_.exchange(false, std::memory_order_acq_rel);
  std::uint64_t count;
  [[maybe_unused]] const ssize_t taken = ::read(fd_, &count, sizeof count);  // EAGAIN: something else ended the wait
}

namespace {
long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* timeout) {
  static_assert(sizeof word == sizeof(std::uint32_t));
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation | FUTEX_PRIVATE_FLAG, value, timeout,
                   nullptr, 0);
}
}  // namespace

void ThreadWakeup::wake() noexcept {
  if (state_.exchange(kRunning, std::memory_order_acq_rel) != kRunning) futex(state_, FUTEX_WAKE, 1, nullptr);
}

void ThreadWakeup::nudge() noexcept {
  if (state_.fetch_or(0, std::memory_order_acq_rel) == kSleeping) wake();
}

void ThreadWakeup::sleep(std::int64_t timeout_us) noexcept {
  timespec timeout{};
  if (timeout_us >= 0) {
    timeout.tv_sec = timeout_us / 1'000'000;
    timeout.tv_nsec = (timeout_us % 1'000'000) * 1000;
  }
  // The kernel compares the word again under its own lock, so a wake() in between is not missed. A signal or a stray
  // wake-up only makes the caller look at its sources once more.
  if (const std::uint32_t state = state_.load(std::memory_order_acquire); state != kRunning)
    futex(state_, FUTEX_WAIT, state, timeout_us >= 0 ? &timeout : nullptr);
  state_.exchange(kRunning, std::memory_order_acq_rel);
}

}  // namespace wandian
