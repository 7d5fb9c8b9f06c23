#include "engine/arena.h"

#include <gtest/gtest.h>

#include <cstring>

namespace wandian {
namespace {

TEST(Arena, KeepsASmallFirstBlockAndGivesLargeOnesBack) {
  const std::size_t before = large_memory::held();
  Arena arena;
  std::memset(arena.allocate_bytes(100), 1, 100);
  EXPECT_EQ(arena.used_bytes(), Arena::kFirstBlockBytes);
  std::memset(arena.allocate_bytes(3 << 20), 2, 3 << 20);
  EXPECT_GE(large_memory::held(), before + (3 << 20));
  arena.reset();
  EXPECT_EQ(arena.used_bytes(), Arena::kFirstBlockBytes);
  EXPECT_EQ(large_memory::held(), before);
}

TEST(Arena, GivesALargeFirstBlockBackToo) {
  const std::size_t before = large_memory::held();
  Arena arena;
  std::memset(arena.allocate_bytes(2 << 20), 1, 2 << 20);
  arena.reset();
  EXPECT_EQ(arena.used_bytes(), 0u);
  EXPECT_EQ(large_memory::held(), before);
  EXPECT_EQ(arena.copy("again"), "again");
}

TEST(Arena, RefusesWhatPassesItsLimit) {
  Arena arena(16 * 1024);
  EXPECT_NO_THROW(arena.allocate(8 * 1024));
  EXPECT_THROW(arena.allocate(16 * 1024), std::bad_alloc);
  EXPECT_NO_THROW(arena.allocate(1024));
}

}  // namespace
}  // namespace wandian
