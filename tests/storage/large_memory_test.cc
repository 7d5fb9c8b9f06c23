#include "storage/base/large_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/storage/request_memory_limit.h"

namespace wandian {
namespace {

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
  const RequestMemoryLimit limit(10 * kMegabyte);
  const large_memory::Block held = large_memory::allocate(6 * kMegabyte);
  EXPECT_THROW(large_memory::allocate(5 * kMegabyte), std::bad_alloc);
  EXPECT_THROW(large_memory::allocate(~std::size_t{0} / 2), std::bad_alloc);
  EXPECT_EQ(large_memory::held(), before + 6 * kMegabyte);
  EXPECT_NO_THROW(large_memory::allocate(4 * kMegabyte));
  EXPECT_NO_THROW(large_memory::allocate(100));   // small ones are nobody's business
}

TEST(LargeMemory, ABlockThatGrowsIsCountedByItsSize) {
  const std::size_t before = large_memory::held();
  const RequestMemoryLimit limit(10 * kMegabyte);
  char* block = large_memory::reallocate(nullptr, 0, 8192);
  EXPECT_EQ(large_memory::held(), before);
  block = large_memory::reallocate(block, 8192, 6 * kMegabyte);
  EXPECT_EQ(large_memory::held(), before + 6 * kMegabyte);
  EXPECT_EQ(large_memory::reallocate(block, 6 * kMegabyte, 11 * kMegabyte), nullptr);
  EXPECT_EQ(large_memory::held(), before + 6 * kMegabyte);
  block = large_memory::reallocate(block, 6 * kMegabyte, 10 * kMegabyte);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(large_memory::held(), before + 10 * kMegabyte);
  std::free(block);
  large_memory::give(10 * kMegabyte);
  EXPECT_EQ(large_memory::held(), before);
}

TEST(LargeMemory, AMessageOfEverydaySizeIsGrantedBeyondTheLimit) {
  const std::size_t before = large_memory::held();
  const RequestMemoryLimit limit(0);
  char* const block = large_memory::reallocate(nullptr, 0, large_memory::kAlwaysGranted);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(large_memory::held(), before + large_memory::kAlwaysGranted);
  EXPECT_EQ(large_memory::reallocate(block, large_memory::kAlwaysGranted, large_memory::kAlwaysGranted + 1), nullptr);
  std::free(block);
  large_memory::give(large_memory::kAlwaysGranted);
  EXPECT_EQ(large_memory::held(), before);
}

}  // namespace
}  // namespace wandian
