// QuiescenceDomain and Limbo: one thread unlinks, others read. Promises checked:
//   what a reader found in a turn stays as it was until the turn ends, whatever the writer does meanwhile, also for a participant
//   that has just come back from sleep; what was retired is freed in the end although readers go on all the time.
// A freed object is used again at once with other content, and its fields are plain, so that both a look at it and the thread
// sanitizer tell when it was freed too early.
#include "engine/quiescence.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <thread>
#include <vector>

#include "tests/engine/stress_time.h"

namespace wandian {
namespace {

constexpr std::size_t kPlaces = 16;
constexpr unsigned kReaders = 3;

struct Node {
  std::uint64_t number = 0;
  std::uint64_t copies[6] = {};
};

class Stress {
 public:
  Stress() {
    for (std::atomic<Node*>& place : places_) place.store(make(), std::memory_order_release);
  }
  ~Stress() { limbo_.free_everything(); }

  void run() {
    std::vector<std::thread> readers;
    for (unsigned i = 1; i <= kReaders; ++i) readers.emplace_back([this, i] { read(i); });
    write();
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(failure_.first(), nullptr) << failure_.first();
    EXPECT_GT(freed_, 1000u);
    EXPECT_GT(turns_.load(), 100u);
  }

 private:
  Node* make() {
    if (idle_.empty()) {
      nodes_.push_back(std::make_unique<Node>());
      idle_.push_back(nodes_.back().get());
    }
    Node* node = idle_.back();
    idle_.pop_back();
    node->number = ++made_;
    for (std::uint64_t& copy : node->copies) copy = node->number;
    return node;
  }
  static void free_node(void* object, void* context) {
    Stress& self = *static_cast<Stress*>(context);
    Node* node = static_cast<Node*>(object);
    node->number = 0;
    for (std::uint64_t& copy : node->copies) copy = 0;
    self.idle_.push_back(node);
    ++self.freed_;
  }

  void write() {
    std::mt19937_64 random(1);
    domain_.online(0);
    const auto end = std::chrono::steady_clock::now() + stress_time();
    while (!failure_ && std::chrono::steady_clock::now() < end) {
      for (std::uint64_t burst = 1 + random() % 8; burst != 0; --burst) {
        std::atomic<Node*>& place = places_[random() % kPlaces];
        Node* old = place.load(std::memory_order_relaxed);
        place.store(make(), std::memory_order_release);
        limbo_.retire(old, free_node, this);
      }
      domain_.quiesce(0);
      limbo_.collect();
      if (random() % 64 == 0) {   // a writer sleeps too
        domain_.offline(0);
        std::this_thread::yield();
        domain_.online(0);
      }
      // Readers that hold back what waits must get a core.
      if (limbo_.waiting() > 1000) std::this_thread::yield();
    }
    domain_.offline(0);
    // Nobody is asked to stop before all of it is free: readers that keep passing turns hold nothing back for good.
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!failure_ && limbo_.waiting() != 0 && std::chrono::steady_clock::now() < patience) {
      limbo_.collect();
      std::this_thread::yield();
    }
    failure_.check(limbo_.waiting() == 0, "what was retired was never freed");
    done_.store(true, std::memory_order_relaxed);
  }

  void look(const Node* node, std::uint64_t number) {
    bool whole = node->number == number;
    for (const std::uint64_t copy : node->copies) whole = whole && copy == number;
    failure_.check(whole && number != 0, "an object was freed while a reader looked at it");
  }

  void read(unsigned self) {
    std::mt19937_64 random(self);
    std::array<const Node*, kPlaces> found{};
    std::array<std::uint64_t, kPlaces> numbers{};
    while (!failure_ && !done_.load(std::memory_order_relaxed)) {
      domain_.online(self);
      for (std::uint64_t turns = 1 + random() % 32; turns != 0; --turns) {
        for (std::size_t i = 0; i < kPlaces; ++i) {
          found[i] = places_[i].load(std::memory_order_acquire);
          numbers[i] = found[i]->number;
        }
        for (std::uint64_t looks = 1 + random() % 16; looks != 0; --looks)
          for (std::size_t i = 0; i < kPlaces; ++i) look(found[i], numbers[i]);
        // Long turns: the writer gets ahead in the middle of them.
        if (random() % 64 == 0) std::this_thread::yield();
        for (std::size_t i = 0; i < kPlaces; ++i) look(found[i], numbers[i]);
        domain_.quiesce(self);
        turns_.fetch_add(1, std::memory_order_relaxed);
      }
      domain_.offline(self);
      if (random() % 4 == 0) std::this_thread::yield();
    }
  }

  std::array<std::atomic<Node*>, kPlaces> places_{};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<Node*> idle_;
  std::uint64_t made_ = 0, freed_ = 0;
  QuiescenceDomain domain_{kReaders + 1};
  Limbo limbo_{domain_, 0};
  StressFailure failure_;
  std::atomic<bool> done_{false};
  std::atomic<std::uint64_t> turns_{0};
};

TEST(QuiescenceStress, WhatAReaderFoundStaysUntilItsTurnEnds) { Stress().run(); }

}  // namespace
}  // namespace wandian
