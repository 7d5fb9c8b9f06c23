#include "wire/send_batch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

namespace wandian::wire {
namespace {

// A connection: what is sent on `ours` arrives at `theirs`.
struct Pair {
  int ours = -1, theirs = -1;
  Pair() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    ours = fds[0];
    theirs = fds[1];
  }
  ~Pair() {
    ::close(ours);
    if (theirs >= 0) ::close(theirs);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  std::string arrived() const {
    std::string all;
    char part[4096];
    for (ssize_t size; (size = ::recv(theirs, part, sizeof part, 0)) > 0;) all.append(part, static_cast<std::size_t>(size));
    return all;
  }
};

iovec piece(const std::string& text) { return {const_cast<char*>(text.data()), text.size()}; }

class Batch : public testing::Test {
 protected:
  void SetUp() override {
    if (batch == nullptr) GTEST_SKIP() << "this system has no io_uring";
  }
  std::unique_ptr<SendBatch> batch = SendBatch::make();
};

TEST_F(Batch, BringsEachItsOwnAndIsUsedAgain) {
  std::vector<Pair> pairs(SendBatch::kMost);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < pairs.size(); ++i) texts.push_back(std::string(1 + i * 7, 'a') + std::to_string(i) + "/" + std::to_string(round));
    const std::string end = " and the rest";
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      EXPECT_FALSE(batch->full());
      SendBatch::Send& send = batch->add();
      send.fd = pairs[i].ours;
      send.pieces = 1 + i % 2;
      send.piece[0] = piece(texts[i]);
      send.piece[1] = piece(end);
    }
    EXPECT_TRUE(batch->full());
    const auto sends = batch->submit();
    ASSERT_EQ(sends.size(), pairs.size());
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const std::string wanted = texts[i] + (i % 2 == 1 ? end : "");
      EXPECT_EQ(sends[i].sent, static_cast<std::ptrdiff_t>(wanted.size()));
      EXPECT_EQ(pairs[i].arrived(), wanted);
    }
    EXPECT_FALSE(batch->full());
  }
}

// A client that does not read, one that went away and one that takes a part only hold up nobody.
TEST_F(Batch, TellsWhatTheKernelDidNotTake) {
  Pair full, gone, narrow, good;
  const std::string filler(1 << 16, 'f');
  while (::send(full.ours, filler.data(), filler.size(), MSG_NOSIGNAL) > 0) {
  }
  ASSERT_EQ(errno, EAGAIN);
  ::close(gone.theirs);
  gone.theirs = -1;
  const std::string much(16 << 20, 'm'), little = "little";
  const int fds[] = {full.ours, gone.ours, narrow.ours, good.ours};
  const std::string* const texts[] = {&little, &little, &much, &little};
  for (int i = 0; i < 4; ++i) {
    SendBatch::Send& send = batch->add();
    send.fd = fds[i];
    send.pieces = 1;
    send.piece[0] = piece(*texts[i]);
  }
  const auto sends = batch->submit();
  ASSERT_EQ(sends.size(), 4u);
  EXPECT_EQ(sends[0].sent, -EAGAIN);
  EXPECT_EQ(sends[1].sent, -EPIPE);   // and no signal
  EXPECT_GT(sends[2].sent, 0);
  EXPECT_LT(sends[2].sent, static_cast<std::ptrdiff_t>(much.size()));
  EXPECT_EQ(sends[3].sent, 6);
  EXPECT_EQ(good.arrived(), little);
  EXPECT_EQ(narrow.arrived().size(), static_cast<std::size_t>(sends[2].sent));
}

}  // namespace
}  // namespace wandian::wire
