// Env on the real machine: POSIX files, the kernel's clocks and random numbers.
#include <dirent.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "storage/base/env.h"

namespace wandian {
namespace {

Status errno_status(int error, std::string_view call, const std::string& path) {
  SqlState code = sqlstate::io_error;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) code = sqlstate::disk_full;
  if (error == ENOENT) code = sqlstate::undefined_file;
  char text[128];
  const char* reason = ::strerror_r(error, text, sizeof text);
  return Status{code, "could not " + std::string(call) + " \"" + path + "\": " + reason};
}

// Whole sectors go past the page cache, from a buffer of the file's own: the cache costs a segment of the log about ten times the
// processor time, and nobody reads what it would keep. Whatever the file system will not take that way goes the other one.
class PosixFile final : public File {
 public:
  PosixFile(int fd, int direct, std::string path) : fd_(fd), direct_(direct), path_(std::move(path)) {}
  ~PosixFile() override {
    ::close(fd_);
    stop_direct();
  }

  Status write(std::span<const std::span<const char>> pieces, std::uint64_t offset) override {
    if (!goes_direct(bytes_of(pieces), offset)) return write_cached(pieces, offset);
    Place from;
    while (const std::size_t filled = fill_staging(pieces, &from)) {
      WANDIAN_TRY(write_staging(filled, offset));
      offset += filled;
    }
    return {};
  }

  // One call to the system and to the device where it can take both at once (RWF_DSYNC of pwritev2(2): as fdatasync, for the
  // bytes of this write).
  Status write_durable(std::span<const std::span<const char>> pieces, std::uint64_t offset) override {
    const std::size_t bytes = bytes_of(pieces);
    if (bytes <= kStagingBytes && goes_direct(bytes, offset)) {
      Place from;
      fill_staging(pieces, &from);
      iovec vector{staging_.get(), bytes};
      const ssize_t done = ::pwritev2(direct_, &vector, 1, static_cast<off_t>(offset), RWF_DSYNC);
      if (done == static_cast<ssize_t>(bytes)) return {};
      // Nothing is known of it, as of a failed sync, unless the system said that it cannot, or was interrupted, before it began.
      if (done < 0 && errno != EINVAL && errno != EOPNOTSUPP && errno != EINTR) return errno_status(errno, "write", path_);
    }
    WANDIAN_TRY(write(pieces, offset));
    return sync();
  }

  Result<std::size_t> read(char* into, std::size_t bytes, std::uint64_t offset) override {
    std::size_t total = 0;
    while (total < bytes) {
      const ssize_t done = ::pread(fd_, into + total, bytes - total, static_cast<off_t>(offset + total));
      if (done < 0) {
        if (errno == EINTR) continue;
        return errno_status(errno, "read", path_);
      }
      if (done == 0) break;
      total += static_cast<std::size_t>(done);
    }
    return total;
  }

  Status sync() override {
    if (::fdatasync(fd_) != 0) return errno_status(errno, "fdatasync", path_);  // EINTR too: never call it again
    return {};
  }

  Result<std::uint64_t> size() override {
    struct stat info;
    if (::fstat(fd_, &info) != 0) return errno_status(errno, "stat", path_);
    return static_cast<std::uint64_t>(info.st_size);
  }

  Status allocate(std::uint64_t bytes) override {
    int error;
    do error = ::posix_fallocate(fd_, 0, static_cast<off_t>(bytes));
    while (error == EINTR);
    if (error != 0) return errno_status(error, "allocate space for", path_);
    return {};
  }

  const std::string& path() const override { return path_; }

 private:
  static constexpr std::size_t kPageBytes = 4096, kStagingBytes = 256 * 1024;
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };

  static std::size_t bytes_of(std::span<const std::span<const char>> pieces) {
    std::size_t bytes = 0;
    for (const std::span<const char> piece : pieces) bytes += piece.size();
    return bytes;
  }
  bool goes_direct(std::uint64_t bytes, std::uint64_t offset) {
    if (direct_ < 0 || bytes % kSectorBytes != 0 || offset % kSectorBytes != 0) return false;
    if (staging_ == nullptr) staging_.reset(static_cast<char*>(std::aligned_alloc(kPageBytes, kStagingBytes)));
    return staging_ != nullptr;
  }

  struct Place {
    std::size_t piece = 0, inside = 0;
  };
  // As much as fits, from `from` on, which is moved on; returns how many bytes that were.
  std::size_t fill_staging(std::span<const std::span<const char>> pieces, Place* from) {
    std::size_t filled = 0;
    while (from->piece < pieces.size() && filled < kStagingBytes) {
      const std::span<const char> rest = pieces[from->piece].subspan(from->inside);
      const std::size_t part = std::min(rest.size(), kStagingBytes - filled);
      if (part != 0) std::memcpy(staging_.get() + filled, rest.data(), part);   // an empty piece may be at no address
      filled += part;
      from->inside += part;
      if (part == rest.size()) *from = {from->piece + 1, 0};
    }
    return filled;
  }

  Status write_staging(std::size_t bytes, std::uint64_t offset) {
    std::size_t done = 0;
    while (done < bytes && done % kSectorBytes == 0 && direct_ >= 0) {
      const ssize_t now = ::pwrite(direct_, staging_.get() + done, bytes - done, static_cast<off_t>(offset + done));
      if (now >= 0) done += static_cast<std::size_t>(now);
      else if (errno == EINVAL) stop_direct();   // larger sectors than ours
      else if (errno != EINTR) return errno_status(errno, "write", path_);
    }
    if (done == bytes) return {};
    const std::span<const char> rest(staging_.get() + done, bytes - done);
    return write_cached(std::span(&rest, 1), offset + done);
  }

  Status write_cached(std::span<const std::span<const char>> pieces, std::uint64_t offset) {
    std::array<iovec, 256> vectors;
    std::size_t next = 0, inside = 0;  // first piece not wholly written, and the bytes of it that are
    while (next < pieces.size()) {
      std::size_t count = 0;
      for (std::size_t i = next; i < pieces.size() && count < vectors.size(); ++i) {
        const std::size_t skip = i == next ? inside : 0;
        vectors[count++] = {const_cast<char*>(pieces[i].data()) + skip, pieces[i].size() - skip};
      }
      const ssize_t done = ::pwritev(fd_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset));
      if (done < 0) {
        if (errno == EINTR) continue;
        return errno_status(errno, "write", path_);
      }
      offset += static_cast<std::uint64_t>(done);
      std::size_t left = static_cast<std::size_t>(done) + inside;
      while (next < pieces.size() && left >= pieces[next].size()) left -= pieces[next++].size();
      inside = left;
    }
    return {};
  }

  void stop_direct() {
    if (direct_ >= 0) ::close(direct_);
    direct_ = -1;
  }

  const int fd_;
  int direct_;                                ///< the same file without the page cache; -1: not offered
  const std::string path_;
  std::unique_ptr<char, Free> staging_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    int flags = O_CLOEXEC;
    if (mode == OpenMode::kRead) flags |= O_RDONLY;
    if (mode == OpenMode::kWrite) flags |= O_RDWR;
    if (mode == OpenMode::kCreate) flags |= O_RDWR | O_CREAT | O_TRUNC;
    int fd;
    do fd = ::open(path.c_str(), flags, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return errno_status(errno, mode == OpenMode::kCreate ? "create file" : "open file", path);
    const int direct = mode == OpenMode::kRead ? -1 : ::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
    return std::unique_ptr<File>(new PosixFile(fd, direct, path));
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return errno_status(errno, "rename file", from + "\" to \"" + to);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return errno_status(errno, "remove file", path);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    DIR* stream = ::opendir(directory.c_str());
    if (stream == nullptr) return errno_status(errno, "open directory", directory);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {
      bool plain = entry->d_type == DT_REG;
      if (entry->d_type == DT_UNKNOWN) {
        struct stat info;
        plain = ::fstatat(::dirfd(stream), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
      }
      if (plain) names.emplace_back(entry->d_name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(stream);
    if (error != 0) return errno_status(error, "read directory", directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status create_directory(const std::string& path) override {
    if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(parent_of(path));
    if (errno == EEXIST) {
      struct stat info;
      if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
      return errno_status(ENOTDIR, "create directory", path);
    }
    if (errno != ENOENT || parent_of(path) == path) return errno_status(errno, "create directory", path);
    WANDIAN_TRY(create_directory(parent_of(path)));
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_status(errno, "create directory", path);
    return sync_directory(parent_of(path));
  }

  Status sync_directory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno_status(errno, "open directory", path);
    Status status;
    if (::fsync(fd) != 0) status = errno_status(errno, "fsync directory", path);
    ::close(fd);
    return status;
  }

 private:
  static std::string parent_of(const std::string& path) {
    const std::size_t end = path.find_last_not_of('/');
    if (end == std::string::npos) return path.empty() ? "." : "/";
    const std::size_t slash = path.find_last_of('/', end);
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
  }
};

class PosixClock final : public Clock {
 public:
  std::int64_t wall_us() override { return now(CLOCK_REALTIME); }
  std::int64_t monotonic_us() override { return now(CLOCK_MONOTONIC); }

 private:
  static std::int64_t now(clockid_t which) {
    timespec time;
    ::clock_gettime(which, &time);
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000;
  }
};

void kernel_entropy(void* into, std::size_t bytes) {
  char* at = static_cast<char*>(into);
  while (bytes > 0) {
    const ssize_t done = ::getrandom(at, bytes, 0);
    if (done < 0) {
      DB_ASSERT(errno == EINTR);
      continue;
    }
    at += done;
    bytes -= static_cast<std::size_t>(done);
  }
}

class PosixEnv final : public Env {
 public:
  Clock& clock() override { return clock_; }
  FileSystem& files() override { return files_; }
  Random& random() override {
    thread_local Random generator = [] {
      std::uint64_t seed;
      kernel_entropy(&seed, sizeof seed);
      return Random(seed);
    }();
    return generator;
  }
  void entropy(void* into, std::size_t bytes) override { kernel_entropy(into, bytes); }
  void fatal(const std::string& message) override {
    std::fprintf(stderr, "PANIC: %s\n", message.c_str());
    std::fflush(stderr);
    ::_exit(2);
  }

 private:
  PosixClock clock_;
  PosixFileSystem files_;
};

}  // namespace

Env& posix_env() {
  static PosixEnv* const env = new PosixEnv;  // never destroyed: threads may outlive main's statics
  return *env;
}

}  // namespace wandian
