// Spilling: blocks of rows that a statement writes into a temporary file when they are more than it may keep in memory.
// Owns:       SpillPool: the directory <data-dir>/spill and one thread, which alone calls the file system. SpillFile: one file without a
//             name, gone with it.
// Thread:     a SpillFile is used by its statement's shard. Calls that need the disk give a SpillWait to be looked at again in a later turn.
// Errors:     what the disk says (53100 where it is full), when the wait is over.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "storage/base/env.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// Something that the pool's thread does.
struct SpillJob {
  std::function<Status()> work;
  Status status;
  std::atomic<bool> done{false};         ///< released by the pool's thread after `status`, acquired by the shard
};
using SpillWait = std::shared_ptr<SpillJob>;

class SpillPool {
 public:
  /// `directory` is made when the first file is; what an earlier server left there goes then.
  SpillPool(Env& env, std::string directory);
  ~SpillPool();                          ///< what was asked for is finished first
  SpillPool(const SpillPool&) = delete;
  SpillPool& operator=(const SpillPool&) = delete;

  /// Any shard.
  SpillWait submit(std::function<Status()> work);
  /// On the pool's thread.
  Result<std::unique_ptr<File>> make_file();

 private:
  void run();
  Env& env_;
  const std::string directory_;
  bool prepared_ = false;                ///< the pool's thread
  std::uint64_t next_name_ = 0;          ///< the pool's thread
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<SpillWait> jobs_;
  bool ending_ = false;
  std::thread thread_;                   ///< started by the first job
};

class SpillFile {
 public:
  explicit SpillFile(SpillPool& pool) : pool_(pool), state_(std::make_shared<State>()) {}
  std::uint64_t size() const { return size_; }
  /// Appends a block, which is the file's until the wait is over.
  SpillWait append(std::shared_ptr<const std::string> block);
  /// Fills `into` from `offset` on; it has the size that is wanted.
  SpillWait read(std::uint64_t offset, std::shared_ptr<std::string> into);

 private:
  struct State {
    std::unique_ptr<File> file;          ///< the pool's thread
  };
  SpillPool& pool_;
  std::shared_ptr<State> state_;
  std::uint64_t size_ = 0;
};

}  // namespace wandian::sql
