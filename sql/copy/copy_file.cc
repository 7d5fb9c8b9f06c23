#include "sql/copy/copy_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "sql/messages.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kChunk = 64 << 10;

// As errcode_for_file_access() of PostgreSQL maps them.
SqlState code_of(int error) {
  switch (error) {
    case EPERM: case EACCES: case EROFS: return sqlstate::insufficient_privilege;
    case ENOENT: return sqlstate::undefined_file;
    case EEXIST: return sqlstate::duplicate_file;
    case ENOTDIR: case EISDIR: case ENOTEMPTY: return sqlstate::wrong_object_type;
    case ENOSPC: return sqlstate::disk_full;
    case ENFILE: case EMFILE: return sqlstate::insufficient_resources;
    case EIO: return sqlstate::io_error;
    default: return sqlstate::internal_error;
  }
}

Status failure(int error, const std::string& what) {
  char text[128];
  return Status{code_of(error), what + ": " + ::strerror_r(error, text, sizeof text)};
}

Status cannot_open(int error, const std::string& path, std::string_view purpose, std::string_view hint) {
  Status out = failure(error, "could not open file " + quoted(path) + " for " + std::string(purpose));
  if (error != ENOENT && error != EACCES) return out;
  return std::move(out).with_hint(std::string(hint) + " You may want a client-side facility such as psql's \\copy.");
}

}  // namespace

CopyFile::CopyFile(CopyFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)), buffer_(std::move(other.buffer_)) {}

CopyFile& CopyFile::operator=(CopyFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  path_.swap(other.path_);
  buffer_.swap(other.buffer_);
  return *this;
}

CopyFile::~CopyFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<CopyFile> CopyFile::open_to_read(std::string path) {
  CopyFile out;
  out.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (out.descriptor_ < 0) return cannot_open(errno, path, "reading", "COPY FROM instructs the PostgreSQL server process to read a file.");
  struct stat about {};
  if (::fstat(out.descriptor_, &about) != 0) return failure(errno, "could not stat file " + quoted(path));
  if (S_ISDIR(about.st_mode)) return Status{sqlstate::wrong_object_type, quoted(path) + " is a directory"};
  // A pipe would hold up everybody on this thread until somebody writes into it.
  if (!S_ISREG(about.st_mode)) return Status{sqlstate::feature_not_supported, quoted(path) + " is not a regular file"};
  out.path_ = std::move(path);
  out.buffer_.resize(kChunk);
  return out;
}

Result<CopyFile> CopyFile::open_to_write(std::string path) {
  if (!path.starts_with('/')) return Status{sqlstate::invalid_name, "relative path not allowed for COPY to file"};
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0) {
    if (S_ISDIR(about.st_mode)) return Status{sqlstate::wrong_object_type, quoted(path) + " is a directory"};
    if (!S_ISREG(about.st_mode)) return Status{sqlstate::feature_not_supported, quoted(path) + " is not a regular file"};
  }
  CopyFile out;
  out.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out.descriptor_ < 0) return cannot_open(errno, path, "writing", "COPY TO instructs the PostgreSQL server process to write a file.");
  out.path_ = std::move(path);
  return out;
}

Result<std::string_view> CopyFile::read() {
  for (;;) {
    const ssize_t got = ::read(descriptor_, buffer_.data(), buffer_.size());
    if (got >= 0) return std::string_view(buffer_.data(), static_cast<std::size_t>(got));
    if (errno != EINTR) return failure(errno, "could not read from COPY file");
  }
}

Status CopyFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(descriptor_, bytes.data(), bytes.size());
    if (done < 0 && errno != EINTR) return failure(errno, "could not write to COPY file");
    if (done > 0) bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

Status CopyFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) return failure(errno, "could not close file " + quoted(path_));
  return {};
}

Status CopyFileSink::flush() {
  constexpr std::size_t kHead = 5;   // 'd' and the length, which counts itself
  lines_.clear();
  for (std::size_t at = 0; at < out_.size();) {
    std::uint32_t length = 0;
    std::memcpy(&length, out_.data() + at + 1, sizeof length);
    length = __builtin_bswap32(length) - 4;
    lines_.append(out_.data() + at + kHead, length);
    at += kHead + length;
  }
  out_.truncate(0);
  return file_.write(lines_);
}

Status CopyFileReceiver::row(std::span<const Value> values) {
  WANDIAN_TRY(writer_.row(values));
  return sink_.pending() < kChunk ? Status{} : sink_.flush();
}

}  // namespace wandian::sql
