// Files of the server that COPY reads and writes.
// Owns:    the open file.
// Thread:  its session's shard, which stands still while the file is read or written: 64 kB at a time, normally the page cache's.
// Errors:  58P01, 42501, 42809, 42602, 53100, 58030 as PostgreSQL's.
#pragma once

#include <string>
#include <string_view>

#include "sql/copy/copy_writer.h"
#include "sql/null_sink.h"

namespace wandian::sql {

class CopyFile {
 public:
  CopyFile() = default;
  CopyFile(CopyFile&& other) noexcept;
  CopyFile& operator=(CopyFile&& other) noexcept;
  ~CopyFile();

  static Result<CopyFile> open_to_read(std::string path);
  /// Makes or empties the file; its path must be absolute.
  static Result<CopyFile> open_to_write(std::string path);

  /// The next bytes, good until the next call; empty at the end.
  Result<std::string_view> read();
  Status write(std::string_view bytes);
  /// Closes a written file; what the system tells only then is an error, too.
  Status close();

 private:
  int descriptor_ = -1;
  std::string path_, buffer_;
};

/// Takes a CopyWriter's messages and keeps what stands in them.
class CopyFileSink final : public SilentSink {
 public:
  explicit CopyFileSink(CopyFile& file) : file_(file) {}
  OutBuffer& out() override { return out_; }
  void resume() override {}
  /// Writes the messages to the file.
  Status flush();
  std::size_t pending() const { return out_.size(); }

 private:
  CopyFile& file_;
  OutBuffer out_;
  std::string lines_;
};

/// Rows through a CopyWriter into a file.
class CopyFileReceiver final : public RowReceiver {
 public:
  CopyFileReceiver(CopyWriter& writer, CopyFileSink& sink) : writer_(writer), sink_(sink) {}
  Status row(std::span<const Value> values) override;

 private:
  CopyWriter& writer_;
  CopyFileSink& sink_;
};

}  // namespace wandian::sql
