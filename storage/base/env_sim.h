// A whole machine out of one seed: a clock that the scheduler moves, and a disk that forgets what was not synced.
// Owns:    the files (what a process sees, and what would survive a power cut), the clock, the generator, the faults.
// Thread:  one thread drives everything.
// Model of the disk: sectors of 512 bytes are written whole or not at all, in any order. sync() makes a file's dirty
//          sectors durable, sync_directory() its names. kill() ends the process: the page cache stays. crash() cuts the
//          power: of the dirty sectors and of the unsynced names a random part survives. After a failed sync() each
//          dirty sector is at random on the disk, or only in the cache but clean (so that no later sync writes it), or
//          dropped from both.
// Faults:  fired() counts what a process could notice: a failing call when it fails; what a crash or rot did to a file when
//          a read covers bytes that differ, to a name when its directory is listed or it is opened; a jump of the clock
//          when it is read.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/env.h"

namespace wandian {

class SimEnv final : public Env {
 public:
  enum class Fault : std::uint8_t {
    kWriteError,      ///< EIO from write()
    kShortWrite,      ///< some bytes written, then EIO
    kNoSpace,         ///< ENOSPC from open(kCreate), allocate() or write()
    kSyncFailure,     ///< EIO from sync()
    kReadError,       ///< EIO from read()
    kShortRead,       ///< some bytes read, then EIO
    kNameError,       ///< EIO from open, rename, remove, list or sync_directory
    kTornWrite,       ///< a crash kept a part of one write
    kLostWrite,       ///< a crash kept nothing of one write
    kReorderedWrite,  ///< a crash kept a later sector and lost an earlier one of the same file
    kLostName,        ///< a crash lost an unsynced directory operation
    kBitFlip,
    kClockJump,
    kDeath,  ///< the node died within a call
    kCount,
  };
  static constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::kCount);
  static std::string_view fault_name(Fault fault);
  using FaultCounts = std::array<std::uint64_t, kFaults>;

  explicit SimEnv(std::uint64_t seed);
  ~SimEnv() override;

  Clock& clock() override;
  FileSystem& files() override;
  Random& random() override { return random_; }
  void entropy(void* into, std::size_t bytes) override;
  /// The node is dead from then on: every call fails until restart().
  void fatal(const std::string& message) override;

  // --- the scheduler's -----------------------------------------------------------------------------------------------
  void advance(std::int64_t us) {
    monotonic_us_ += us;
    wall_us_ += us;
  }
  void jump_wall_clock(std::int64_t us);
  /// Time passes while a turn runs: each look at the monotonic clock takes so long. 0, as it begins: only advance() moves it.
  void set_look_us(std::int64_t us) { look_us_ = us; }

  /// Each call of that kind fails once in `calls` on average; 0 = never. Not for faults that crash() makes.
  void inject(Fault fault, std::uint64_t calls) { one_in_[static_cast<std::size_t>(fault)] = calls; }
  void inject_none() { one_in_.fill(0); }
  /// Bytes that files may occupy together before allocate() and growing writes meet ENOSPC.
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  std::uint64_t used_bytes() const;
  /// The node dies within the n-th file system call from now (1 = the next), which may have happened, in part, or not.
  void die_within_call(std::uint64_t n) { die_at_call_ = calls_ + n; }
  std::uint64_t calls() const { return calls_; }
  bool dead() const { return dead_; }
  const std::string& fatal_message() const { return fatal_message_; }

  /// The process ends; the page cache survives. Then restart() what is to run again.
  void kill() { dead_ = true; }
  /// The power is cut, then comes back.
  void crash();
  void restart();

  /// Damage at rest: flips one bit of a file, on the disk and in the cache; or undoes that.
  void flip_bit(const std::string& path, std::uint64_t bit, bool back = false);
  /// Overwrites at rest, for tests that build a certain state. The file must be that long.
  void overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes);
  /// What a process would read now.
  std::string content(const std::string& path) const;
  bool exists(const std::string& path) const { return names_.contains(path); }

  const FaultCounts& fired() const { return fired_; }

 private:
  friend class SimFile;
  friend class SimFileSystem;
  class SimClock;
  struct Inode;
  struct NameChange {
    std::string remove;  ///< name that goes, or empty
    std::string add;     ///< name that comes, or empty
    std::shared_ptr<Inode> inode;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  /// What a crash or rot changed and nobody has noticed yet.
  struct Scar {
    Fault fault;
    std::uint64_t begin, end;  ///< bytes of the file
  };

  bool fires(Fault fault);
  /// A process met `path` or, if it is empty, all names of `directory`: counts what a crash took there.
  void notice_names(const std::string& directory, const std::string& path);
  void count(Fault fault, std::uint64_t n = 1) { fired_[static_cast<std::size_t>(fault)] += n; }
  /// Begins a call: false if the node is dead. *dies is set if it dies within this one.
  bool enter(bool* dies);
  void crash_file(Inode& inode, std::uint64_t keep_in_256);
  static void apply(Names& names, const NameChange& change);
  void change_names(NameChange change);

  Random random_;
  std::int64_t wall_us_ = 1'700'000'000'000'000;
  std::int64_t monotonic_us_ = 1'000'000;
  std::int64_t look_us_ = 0;
  std::unique_ptr<SimClock> clock_;
  std::unique_ptr<FileSystem> files_;
  Names names_, durable_names_;
  std::vector<NameChange> unsynced_names_;
  std::vector<std::string> lost_names_;  ///< by the crash, not noticed yet
  bool clock_jumped_ = false;            ///< not noticed yet
  std::array<std::uint64_t, kFaults> one_in_{};
  FaultCounts fired_{};
  std::uint64_t capacity_ = ~std::uint64_t{0};
  std::uint64_t calls_ = 0, die_at_call_ = 0, writes_ = 0, generation_ = 0;
  bool dead_ = false;
  std::string fatal_message_;
};

}  // namespace wandian
