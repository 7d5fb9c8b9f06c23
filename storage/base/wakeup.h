// Wake-ups: how whoever brings work tells a sleeping consumer, without a syscall when the consumer runs.
// Protocol:   consumer: begin_sleep(); look at every source again; if there is work cancel_sleep(), else block and
//             end_sleep(). Producer: publish the work, then wake().
// Why no wake-up is lost: begin_sleep() and wake() are exchanges of one word. If wake() comes second, it reads that the
//             consumer sleeps and signals; if it comes first, begin_sleep() reads its value and so sees what was
//             published before it.
#pragma once

#include <atomic>
#include <cstdint>

namespace wandian {

class Wakeup {
 public:
  virtual ~Wakeup() = default;
  /// Any thread. Costs one atomic exchange if the consumer runs. Call it once a batch.
  virtual void wake() noexcept = 0;
};

/// For a loop that waits for file descriptors (a shard's): the descriptor becomes readable when it is to wake.
class EventfdWakeup final : public Wakeup {
 public:
  EventfdWakeup();
  ~EventfdWakeup() override;
  EventfdWakeup(const EventfdWakeup&) = delete;
  EventfdWakeup& operator=(const EventfdWakeup&) = delete;

  int fd() const { return fd_; }  ///< non-blocking; poll it for reading
  void wake() noexcept override;
  /// Consumer. After it, look at every source once more before blocking.
  void begin_sleep() noexcept { sleeping_.exchange(true, std::memory_order_acq_rel); }
  /// Consumer, instead of blocking: work was found. Cheap; the descriptor may stay readable for one spurious turn.
  void cancel_sleep() noexcept { sleeping_.exchange(false, std::memory_order_acq_rel); }
  /// Consumer, after blocking, for whatever reason it returned: empties the descriptor.
  void end_sleep() noexcept;
  bool sleeping() const noexcept { return sleeping_.load(std::memory_order_acquire); }

 private:
  alignas(64) std::atomic<bool> sleeping_{false};
  int fd_;
};

/// For a thread that waits for nothing else (the log writer): a futex word.
class ThreadWakeup final : public Wakeup {
 public:
  void wake() noexcept override;
  /// As wake(), but leaves a consumer alone that naps. It reads the word by an exchange too, so what was published before it is
  /// seen at the latest by the begin_sleep() after the nap.
  void nudge() noexcept;
  void begin_sleep() noexcept { state_.exchange(kSleeping, std::memory_order_acq_rel); }
  /// As begin_sleep(), for a sleep with a short limit during which more work is hoped for.
  void begin_nap() noexcept { state_.exchange(kNapping, std::memory_order_acq_rel); }
  void cancel_sleep() noexcept { state_.exchange(kRunning, std::memory_order_acq_rel); }
  /// Consumer, after begin_sleep() or begin_nap(): blocks until wake() or for `timeout_us`; negative = without limit.
  void sleep(std::int64_t timeout_us) noexcept;

 private:
  static constexpr std::uint32_t kRunning = 0, kSleeping = 1, kNapping = 2;
  alignas(64) std::atomic<std::uint32_t> state_{kRunning};
};

/// In simulation: notes that the consumer is to be scheduled.
class SimWakeup final : public Wakeup {
 public:
  void wake() noexcept override { pending_ = true; }
  bool pending() const { return pending_; }
  /// Returns whether there was a wake-up since the last call.
  bool take() {
    const bool was = pending_;
    pending_ = false;
    return was;
  }

 private:
  bool pending_ = false;
};

}  // namespace wandian
