// The seam to what can fail or differs from run to run: files, clocks, random numbers, the end of the process.
// Owns:       interfaces only. PosixEnv (posix_env()) is production, SimEnv (env_sim.h) is one seed's world.
// Thread:     Clock, FileSystem and Env may be called from any thread. One File is used by one thread at a time.
//             random() is the calling thread's own generator, so it takes no lock and is not to be handed on.
// Errors:     what a disk can cause comes back as a Status whose message names the call, the path and the errno's text:
//             ENOSPC, EDQUOT, EFBIG -> disk_full (53100); ENOENT -> undefined_file (58P01); everything else -> io_error
//             (58030).
//
// Calls block. The log writer and its preparer are threads that may; shards never call the file system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/random.h"
#include "storage/base/status.h"
#include "storage/base/wakeup.h"

namespace wandian {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Microseconds since 1970-01-01 00:00 UTC; may jump in either direction.
  virtual std::int64_t wall_us() = 0;
  /// Microseconds since an arbitrary moment; never goes back.
  virtual std::int64_t monotonic_us() = 0;
};

/// Smallest unit that a device writes as a whole; frames and segment headers are aligned to it.
inline constexpr std::size_t kSectorBytes = 512;

class File {
 public:
  virtual ~File() = default;
  /// Writes all pieces, one after the other, from `offset` on. Never partly done with an ok Status; with an error the
  /// bytes in that range are undefined. Durable only after sync().
  virtual Status write(std::span<const std::span<const char>> pieces, std::uint64_t offset) = 0;
  /// Reads up to `bytes`; fewer only at the end of the file.
  virtual Result<std::size_t> read(char* into, std::size_t bytes, std::uint64_t offset) = 0;
  /// fdatasync: written bytes, and the size if it changed, are on stable storage. After an error nothing is known
  /// about any byte written since the last success, and calling again proves nothing.
  virtual Status sync() = 0;
  /// write(), and these bytes are on stable storage. Not so whatever was written before and not synced. After an error as after
  /// one of sync().
  virtual Status write_durable(std::span<const std::span<const char>> pieces, std::uint64_t offset) {
    if (Status status = write(pieces, offset); !status.ok()) return status;
    return sync();
  }
  virtual Result<std::uint64_t> size() = 0;
  /// Grows the file's allocation to `bytes` so that writing zeros into it cannot meet a full disk (where the file
  /// system offers that); the content reads as zeros.
  virtual Status allocate(std::uint64_t bytes) = 0;
  virtual const std::string& path() const = 0;

  Status write(std::span<const char> piece, std::uint64_t offset) { return write(std::span(&piece, 1), offset); }
};

enum class OpenMode : std::uint8_t {
  kRead,    ///< must exist
  kWrite,   ///< must exist; read and write
  kCreate,  ///< read and write; an old file of that name is emptied
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  /// Replaces `to` if it exists. Durable only after sync_directory().
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// Durable only after sync_directory().
  virtual Status remove(const std::string& path) = 0;
  /// Names (without path) of the plain files in a directory, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  /// Creates the directory and its missing parents and syncs them; ok if it exists.
  virtual Status create_directory(const std::string& path) = 0;
  virtual Status sync_directory(const std::string& path) = 0;
};

class Env {
 public:
  virtual ~Env() = default;
  virtual Clock& clock() = 0;
  virtual FileSystem& files() = 0;
  /// The calling thread's generator (in simulation: the seed's only one). Not for secrets.
  virtual Random& random() = 0;
  /// Bytes nobody can guess (identities, nonces, keys); in simulation they come from the seed.
  virtual void entropy(void* into, std::size_t bytes) = 0;
  /// The outcome of something already promised is unknown: prints "PANIC: message" and ends the process with status 2.
  /// In simulation it marks the node dead and returns; callers then stop doing anything.
  virtual void fatal(const std::string& message) = 0;
};

/// The real machine. One for the process, never destroyed.
Env& posix_env();

}  // namespace wandian
