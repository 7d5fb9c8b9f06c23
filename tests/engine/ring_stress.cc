// SpscRing between two threads. Promises checked:
//   every pointer arrives once, in order, through any number of laps; the consumer sees what the producer wrote into the object
//   before it pushed it, and the producer what the consumer wrote before it gave the object back;
//   a full ring refuses and loses nothing; empty() told false means that pop() gives something.
// The objects' fields are plain, so that the thread sanitizer tells when a push or a pop orders nothing.
#include "engine/ring.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <thread>
#include <vector>

#include "tests/engine/stress_time.h"

namespace wandian {
namespace {

struct Parcel {
  std::uint64_t number = 0;
  std::uint64_t check = 0;
};

constexpr std::uint64_t sealed(std::uint64_t number) { return number * 0x9e3779b97f4a7c15u + 1; }

// Parcels go over one ring and come back over another, so both threads are producer and consumer, and memory is used again.
template <std::size_t kCapacity>
class Circle {
 public:
  explicit Circle(std::size_t parcels) : parcels_(parcels) {
    for (Parcel& parcel : parcels_) idle_.push_back(&parcel);
  }

  void run() {
    std::thread far([this] { serve(); });
    send();
    far.join();
    EXPECT_EQ(failure_.first(), nullptr) << failure_.first();
    EXPECT_GT(arrived_, kCapacity * 10);
  }

 private:
  void send() {
    std::mt19937_64 random(1);
    const auto end = std::chrono::steady_clock::now() + stress_time();
    std::uint64_t next = 0, back = 0;
    bool stopping = false;
    while (!failure_ && !(stopping && back == next)) {
      stopping = stopping || std::chrono::steady_clock::now() >= end;
      bool moved = false;
      for (std::uint64_t burst = random() % (2 * kCapacity); burst != 0 && !stopping && !idle_.empty(); --burst) {
        Parcel* parcel = idle_.back();
        parcel->number = next;
        parcel->check = sealed(next);
        if (!there_.push(parcel)) break;
        idle_.pop_back();
        ++next;
        moved = true;
      }
      const bool any = !back_.empty();
      while (Parcel* parcel = back_.pop()) {
        failure_.check(parcel->number == back && parcel->check == ~sealed(back), "a parcel came back out of order or without its answer");
        ++back;
        idle_.push_back(parcel);
        moved = true;
      }
      failure_.check(!any || moved, "a ring that was not empty gave nothing");
      if (!moved) std::this_thread::yield();
    }
    arrived_ = back;
    done_.store(true, std::memory_order_relaxed);
  }

  void serve() {
    std::mt19937_64 random(2);
    std::uint64_t expected = 0;
    Parcel* unsent = nullptr;
    while (!failure_ && !done_.load(std::memory_order_relaxed)) {
      bool moved = false;
      for (std::uint64_t burst = 1 + random() % (2 * kCapacity); burst != 0; --burst) {
        if (unsent == nullptr) {
          unsent = there_.pop();
          if (unsent == nullptr) break;
          failure_.check(unsent->number == expected && unsent->check == sealed(expected), "a parcel arrived out of order, or before its content");
          ++expected;
          unsent->check = ~unsent->check;
        }
        if (!back_.push(unsent)) break;
        unsent = nullptr;
        moved = true;
      }
      if (!moved) std::this_thread::yield();
    }
  }

  SpscRing<Parcel, kCapacity> there_, back_;
  std::vector<Parcel> parcels_;
  std::vector<Parcel*> idle_;
  std::uint64_t arrived_ = 0;
  StressFailure failure_;
  std::atomic<bool> done_{false};
};

TEST(RingStress, ASmallRingThatIsFullAllTheTime) { Circle<4>(64).run(); }
TEST(RingStress, ARingThatIsHardlyEverFull) { Circle<1024>(900).run(); }

}  // namespace
}  // namespace wandian
