#include "wire/gated_output.h"

#include <gtest/gtest.h>

#include <string>

namespace wandian::wire {
namespace {

std::string sendable(const GatedOutput& output) {
  iovec pieces[8];
  std::string text;
  const std::size_t count = output.gather(pieces, 8);
  for (std::size_t i = 0; i < count; ++i) text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  return text;
}

void append(GatedOutput& output, std::string_view text, std::uint64_t floor) {
  output.prepare();
  output.buffer().append(text);
  output.seal(Lsn{floor});
}

TEST(GatedOutput, NothingLeavesBeforeItsFloorIsReleased) {
  BufferPool pool;
  GatedOutput output(pool);
  append(output, "a", 10);
  EXPECT_EQ(sendable(output), "");
  output.release(Lsn{9});
  EXPECT_EQ(sendable(output), "");
  output.release(Lsn{10});
  EXPECT_EQ(sendable(output), "a");
}

TEST(GatedOutput, AnAnswerWaitsForTheOnesBeforeIt) {
  BufferPool pool;
  GatedOutput output(pool);
  append(output, "a", 10);
  append(output, "b", 0);
  append(output, "c", 20);
  append(output, "d", 5);
  output.release(Lsn{5});
  EXPECT_EQ(sendable(output), "");
  output.release(Lsn{10});
  EXPECT_EQ(sendable(output), "ab");
  EXPECT_EQ(output.newest_floor(), Lsn{20});
  output.release(Lsn{30});
  EXPECT_EQ(sendable(output), "abcd");
  EXPECT_FALSE(output.gated());
}

TEST(GatedOutput, UnsealedBytesStay) {
  BufferPool pool;
  GatedOutput output(pool);
  output.prepare();
  output.buffer().append("half");
  output.release(Lsn{100});
  EXPECT_EQ(sendable(output), "");
  output.seal(Lsn{});
  EXPECT_EQ(sendable(output), "half");
}

TEST(GatedOutput, PartsGoOutInOrderAcrossChunks) {
  BufferPool pool;
  GatedOutput output(pool);
  std::string expected, got;
  for (int i = 0; i < 40; ++i) {
    const std::string piece(50'000, static_cast<char>('a' + i % 26));
    expected += piece;
    append(output, piece, static_cast<std::uint64_t>(i));
    output.release(Lsn{static_cast<std::uint64_t>(i / 2)});
    const std::string some = sendable(output).substr(0, 30'000);
    got += some;
    output.consumed(some.size());
  }
  output.release(Lsn{100});
  while (!output.empty()) {
    const std::string some = sendable(output);
    ASSERT_FALSE(some.empty());
    got += some;
    output.consumed(some.size());
  }
  EXPECT_TRUE(got == expected);
}

// A deep pipeline fills a chunk in the middle of a turn: what it appends behind it must still be there in the next turn, when
// the pool has a buffer to offer.
TEST(GatedOutput, BytesBehindAFullChunkOutliveTheNextPrepare) {
  for (const bool sent_between : {false, true}) {
    BufferPool pool;
    GatedOutput warm(pool), output(pool);
    const std::string large(300'000, 'l');
    output.prepare();
    append(warm, "x", 0);
    warm.consumed(1);   // its buffer is in the pool now
    output.buffer().append(large);
    output.seal(Lsn{});
    output.buffer().append("behind");
    output.seal(Lsn{});
    if (sent_between) {
      EXPECT_EQ(sendable(output), large + "behind");
      output.consumed(large.size() + 6);
      EXPECT_FALSE(output.sendable());
    }
    append(output, "next", 0);
    EXPECT_EQ(sendable(output), (sent_between ? "" : large + "behind") + "next");
    output.consumed(sendable(output).size());
    EXPECT_TRUE(output.empty());
    EXPECT_FALSE(output.sendable());
  }
}

TEST(GatedOutput, AnEmptyOneKeepsNoMemory) {
  BufferPool pool(0);
  GatedOutput output(pool);
  append(output, "hello", 0);
  output.consumed(5);
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(output.buffer().data(), nullptr);
}

TEST(GatedOutput, ManyMarksAreForgottenAsTheyAreReleased) {
  BufferPool pool;
  GatedOutput output(pool);
  std::size_t got = 0;
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    append(output, "x", i);
    output.release(Lsn{i > 10 ? i - 10 : 0});
    const std::size_t some = sendable(output).size();
    got += some;
    output.consumed(some);
    EXPECT_EQ(got, i > 10 ? i - 10 : 0);
  }
}

}  // namespace
}  // namespace wandian::wire
