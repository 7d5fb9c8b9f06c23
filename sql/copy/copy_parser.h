// CopyParser: COPY's input, in pieces of any size, taken apart into rows and fields.
// Owns:       what was fed and not yet parsed, at most one row beyond the last piece.
// Thread:     its session's shard.
// Invariants: fields are good until the next call.
// Errors:     22P04 and 22021 with PostgreSQL's messages; context() says where.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/copy/copy_options.h"

namespace wandian::sql {

class CopyParser {
 public:
  enum class Next : std::uint8_t { kRow, kNeedMore, kEnd, kError };

  /// `force_not_null` and `force_null`: by field.
  CopyParser(const CopyOptions& options, std::vector<std::string> columns);
  void force(std::size_t field, bool not_null, bool null) {
    force_not_null_[field] = not_null;
    force_null_[field] = null;
  }

  void feed(std::string_view bytes);
  /// No more input: the last row need not end with a newline.
  void finish() { finished_ = true; }
  Next next();
  /// One a column; nullopt is NULL. Binary format: the value's bytes.
  const std::vector<std::optional<std::string_view>>& fields() const { return fields_; }
  Status take_error() { return std::move(error_); }
  std::uint64_t line() const { return line_; }
  /// ": \"the line\"", shortened, for errors of a whole line; empty in binary format.
  std::string line_context() const;

 private:
  Next next_line(std::string_view* line);
  Next next_binary();
  bool split_text(std::string_view line);
  bool split_csv(std::string_view line);
  bool check_header(std::string_view line);
  bool add_field(std::optional<std::string_view> field);
  Next fail(Status status) {
    error_ = std::move(status);
    return Next::kError;
  }
  bool bad_file(std::string message) {
    error_ = Status{sqlstate::bad_copy_file_format, std::move(message)};
    return false;
  }

  const CopyOptions options_;
  const std::vector<std::string> columns_;
  std::vector<bool> force_not_null_, force_null_;
  std::string input_;
  std::size_t at_ = 0;                 ///< consumed bytes of input_
  std::size_t scanned_ = 0;            ///< bytes of input_ that hold no end of the row
  bool in_quotes_ = false, escaped_ = false;
  bool finished_ = false, ended_ = false, header_left_, signature_read_ = false;
  std::uint64_t line_ = 0;
  std::string_view line_text_;
  std::string unescaped_;              ///< reserved before pointers into it are taken
  std::vector<std::optional<std::string_view>> fields_;
  Status error_;
};

/// Whether `text` is UTF-8; *bad is where the first wrong sequence begins.
bool is_valid_utf8(std::string_view text, std::size_t* bad);

}  // namespace wandian::sql
