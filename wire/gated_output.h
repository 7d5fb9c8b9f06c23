// GatedOutput: a connection's bytes on their way out, each held back until the commits it depends on are released.
// Owns:       the buffer being filled, full ones behind it, and the marks (end of a stretch, LSN it waits for), in order.
// Thread:     the connection's shard.
// Invariants: sent <= releasable <= sealed <= appended; marks grow in offset and in LSN: a byte leaves after all before it,
//             so a mark's floor is at least its predecessor's.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "sql/output.h"
#include "storage/base/lsn.h"

namespace wandian::wire {

/// Emptied buffers of one shard, so that a warm connection finds one without the allocator and an idle one keeps none.
class BufferPool {
 public:
  explicit BufferPool(std::size_t limit = 64) : limit_(limit) {}
  void take(sql::OutBuffer& into) {
    if (free_.empty()) return;   // the buffer then allocates when it is written to
    into.swap(*free_.back());
    spare_.push_back(std::move(free_.back()));
    free_.pop_back();
  }
  void give(sql::OutBuffer& from, std::size_t used) {
    if (used > kLargestKept || free_.size() >= limit_) {
      from.release();
      return;
    }
    from.truncate(0);
    if (spare_.empty()) spare_.push_back(std::make_unique<sql::OutBuffer>());
    free_.push_back(std::move(spare_.back()));
    spare_.pop_back();
    free_.back()->swap(from);
  }

 private:
  static constexpr std::size_t kLargestKept = 64 * 1024;
  std::size_t limit_;
  std::vector<std::unique_ptr<sql::OutBuffer>> free_;    ///< with memory
  std::vector<std::unique_ptr<sql::OutBuffer>> spare_;   ///< without
};

class GatedOutput {
 public:
  explicit GatedOutput(BufferPool& pool) : pool_(pool) {}

  sql::OutBuffer& buffer() { return current_; }
  const sql::OutBuffer& buffer() const { return current_; }
  /// Before something is appended: gets memory from the pool if there is none.
  void prepare() {
    if (!current_.has_memory()) pool_.take(current_);
  }
  /// All appended since the last call must not leave before `floor` is released. The LSN that now gates the end is newest_floor().
  void seal(Lsn floor);
  /// What is released by now may leave.
  void release(Lsn released);
  /// Fills `pieces` with what may leave; returns how many are used.
  std::size_t gather(iovec* pieces, std::size_t limit) const;
  /// The client's kernel took `bytes` of what gather() offered.
  void consumed(std::size_t bytes);

  std::uint64_t appended() const { return base_ + current_.size(); }
  std::uint64_t sealed() const { return sealed_; }
  bool empty() const { return sent_ == appended(); }
  bool sealed_all() const { return sealed_ == appended(); }
  bool sendable() const { return releasable_ != sent_; }
  bool gated() const { return first_mark_ != marks_.size(); }
  Lsn newest_floor() const { return marks_.empty() ? Lsn{} : marks_.back().floor; }
  std::size_t waiting_bytes() const { return static_cast<std::size_t>(appended() - sent_); }
  std::size_t gated_bytes() const { return static_cast<std::size_t>(sealed_ - releasable_); }
  /// Gives back the buffer if all of it is gone.
  void trim();

 private:
  struct Mark {
    std::uint64_t end;
    Lsn floor;
  };
  struct Chunk {
    std::unique_ptr<sql::OutBuffer> buffer;
    std::uint64_t begin;
  };
  static constexpr std::size_t kChunkBytes = 256 * 1024;

  BufferPool& pool_;
  sql::OutBuffer current_;
  std::uint64_t base_ = 0;          ///< offset in the stream of current_'s first byte
  std::uint64_t sent_ = 0;
  std::uint64_t releasable_ = 0;
  std::uint64_t sealed_ = 0;
  std::vector<Chunk> chunks_;       ///< full, not all sent; before current_
  std::vector<Mark> marks_;
  std::size_t first_mark_ = 0;
  Lsn released_;                    ///< the last value given to release()
};

}  // namespace wandian::wire
