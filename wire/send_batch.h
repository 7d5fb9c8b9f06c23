// SendBatch: sends on many sockets with one system call, through io_uring.
// Why:    each answer wakes a client that waits for it. After a send of its own the woken one takes the core from the shard, which is
//         switched back for the next answer; in a batch all are woken first.
// Thread: the one that made it.
// Errors: without io_uring (an older kernel, a sandbox that forbids it) make() gives null; who has none sends one by one.
// Source: io_uring_enter(2), io_uring_prep_sendmsg(3).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

namespace wandian::wire {

class SendBatch {
 public:
  static constexpr std::size_t kMost = 64;     ///< sends of a batch
  static constexpr std::size_t kPieces = 16;   ///< buffers of a send
  struct Send {
    int fd;
    std::size_t pieces;
    iovec piece[kPieces];
    std::ptrdiff_t sent;   ///< after submit(): bytes that the kernel took, or -errno
  };

  static std::unique_ptr<SendBatch> make();
  ~SendBatch();
  SendBatch(const SendBatch&) = delete;
  SendBatch& operator=(const SendBatch&) = delete;

  /// The next send, to be filled in; at most kMost before submit().
  Send& add() { return sends_[count_++]; }
  bool full() const { return count_ == kMost; }
  /// Sends them all, never waiting for room in a socket, and empties the batch. What is returned is good until the next add().
  std::span<const Send> submit();

 private:
  struct Ring;
  explicit SendBatch(std::unique_ptr<Ring> ring);
  std::unique_ptr<Ring> ring_;
  std::size_t count_ = 0;
  std::unique_ptr<Send[]> sends_;
};

}  // namespace wandian::wire
