#include "storage/base/large_memory.h"

#include <gtest/gtest.h>

namespace wandian {
namespace {

struct Limit {
  explicit Limit(std::size_t bytes) { large_memory::set_limit(bytes); }
  ~Limit() { large_memory::set_limit(~std::size_t{0}); }
};

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

TEST(LargeMemory, CountsBlocksFromAMegabyteOn) {
  const std::size_t before = large_memory::held();
  {
    const large_memory::Block small = large_memory::allocate(kMegabyte - 1);
    EXPECT_EQ(large_memory::held(), before);
    large_memory::Block large = large_memory::allocate(kMegabyte);
    EXPECT_EQ(large_memory::held(), before + kMegabyte);
    const large_memory::Block moved = std::move(large);
    EXPECT_EQ(large_memory::held(), before + kMegabyte);
  }
  EXPECT_EQ(large_memory::held(), before);
}

TEST(LargeMemory, RefusesWhatWouldPassTheLimitAndGivesBackNothingForIt) {
  const std::size_t before = large_memory::held();
  const Limit limit(before + 10 * kMegabyte);
  const large_memory::Block held = large_memory::allocate(6 * kMegabyte);
  EXPECT_THROW(large_memory::allocate(5 * kMegabyte), std::bad_alloc);
  EXPECT_THROW(large_memory::allocate(~std::size_t{0} / 2), std::bad_alloc);
  EXPECT_EQ(large_memory::held(), before + 6 * kMegabyte);
  EXPECT_NO_THROW(large_memory::allocate(4 * kMegabyte));
  EXPECT_NO_THROW(large_memory::allocate(100));   // small ones are nobody's business
}

TEST(LargeMemory, ABlockThatGrowsIsCountedByItsSize) {
  const std::size_t before = large_memory::held();
  const Limit limit(before + 10 * kMegabyte);
  ASSERT_TRUE(large_memory::resize(0, 8192));
  EXPECT_EQ(large_memory::held(), before);
  ASSERT_TRUE(large_memory::resize(8192, 2 * kMegabyte));
  EXPECT_EQ(large_memory::held(), before + 2 * kMegabyte);
  EXPECT_FALSE(large_memory::resize(2 * kMegabyte, 11 * kMegabyte));
  EXPECT_EQ(large_memory::held(), before + 2 * kMegabyte);
  ASSERT_TRUE(large_memory::resize(2 * kMegabyte, 10 * kMegabyte));
  ASSERT_TRUE(large_memory::resize(10 * kMegabyte, 8192));
  EXPECT_EQ(large_memory::held(), before);
}

}  // namespace
}  // namespace wandian
