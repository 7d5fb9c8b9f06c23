#include "wire/send_batch.h"

#include <liburing.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "storage/base/assert.h"

namespace wandian::wire {

struct SendBatch::Ring {
  io_uring ring;
  msghdr messages[kMost];

  ~Ring() {
    if (made) io_uring_queue_exit(&ring);
  }
  bool made = false;
};

SendBatch::SendBatch(std::unique_ptr<Ring> ring) : ring_(std::move(ring)), sends_(std::make_unique<Send[]>(kMost)) {}
SendBatch::~SendBatch() = default;

std::unique_ptr<SendBatch> SendBatch::make() {
  auto ring = std::make_unique<Ring>();
  // Kernels before 6.0 do not know these; theirs would also interrupt the thread for what it learns anyway.
  constexpr unsigned kFlags = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SINGLE_ISSUER;
  ring->made = io_uring_queue_init(kMost, &ring->ring, kFlags) == 0;
  if (!ring->made) return nullptr;
  return std::unique_ptr<SendBatch>(new SendBatch(std::move(ring)));
}

std::span<const SendBatch::Send> SendBatch::submit() {
  const std::span<Send> sends(sends_.get(), std::exchange(count_, 0));
  io_uring& ring = ring_->ring;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    Send& send = sends[i];
    io_uring_sqe* const entry = io_uring_get_sqe(&ring);
    DB_ASSERT(entry != nullptr);
    if (send.pieces == 1) {
      io_uring_prep_send(entry, send.fd, send.piece[0].iov_base, send.piece[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      msghdr& message = ring_->messages[i];
      message = {};
      message.msg_iov = send.piece;
      message.msg_iovlen = send.pieces;
      io_uring_prep_sendmsg(entry, send.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    entry->user_data = i;
  }
  // The buffers are the caller's again when all are done. None waits for its socket, so they are done at once.
  for (std::size_t done = 0; done < sends.size();) {
    const int status = io_uring_submit_and_wait(&ring, static_cast<unsigned>(sends.size() - done));
    DB_ASSERT(status >= 0 || status == -EINTR || status == -EAGAIN || status == -EBUSY);
    io_uring_cqe* answer;
    while (io_uring_peek_cqe(&ring, &answer) == 0) {
      sends[answer->user_data].sent = answer->res;
      io_uring_cqe_seen(&ring, answer);
      ++done;
    }
  }
  return sends;
}

}  // namespace wandian::wire
