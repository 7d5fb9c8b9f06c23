// Status and Result: how everything that a client, a disk or a peer can cause is reported.
// Owns:    the SQLSTATE codes and the error record that only `wire` turns into an ErrorResponse.
// Thread:  plain values; may be moved between threads.
// A successful Status is one null pointer, so returning one costs nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/assert.h"

namespace wandian {

/// Five characters, as in PostgreSQL 15's Appendix A.
class SqlState {
 public:
  constexpr SqlState() = default;
  constexpr explicit SqlState(const char (&code)[6]) : code_{code[0], code[1], code[2], code[3], code[4], 0} {}
  /// From text that came from elsewhere (RAISE ... ERRCODE, a peer); empty unless it is five of [0-9A-Z].
  static std::optional<SqlState> parse(std::string_view text);
  constexpr std::string_view text() const { return {code_, 5}; }
  constexpr bool operator==(const SqlState& other) const { return text() == other.text(); }
  /// The condition name ("unique_violation"), or "" if the code has none.
  std::string_view condition_name() const;

 private:
  char code_[6] = {'0', '0', '0', '0', '0', 0};
};

namespace sqlstate {
#define WANDIAN_SQLSTATE(name, code) inline constexpr SqlState name{code};
#include "storage/base/sqlstate.def"
#undef WANDIAN_SQLSTATE
}  // namespace sqlstate

enum class Severity : std::uint8_t { kDebug, kLog, kInfo, kNotice, kWarning, kError, kFatal, kPanic };
std::string_view severity_name(Severity severity);

/// Every field that PostgreSQL fills in ErrorResponse and NoticeResponse (protocol manual, 55.8), but F, L and R
/// (file, line, routine), of which only R matters to clients and is given where one reads it.
struct ErrorRecord {
  Severity severity = Severity::kError;
  SqlState code;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;            ///< W
  std::int32_t position = 0;      ///< P: 1-based, in characters of the query text; 0 = none
  std::int32_t internal_position = 0;
  std::string internal_query;
  std::string schema, table, column, data_type, constraint;
  std::string routine;            ///< R
  bool context_complete = false;  ///< `context` names everything that was under way: nobody on the way out adds to it
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(SqlState code, std::string message);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const = delete;
  SqlState code() const { return error_ ? error_->code : sqlstate::successful_completion; }
  const ErrorRecord& error() const { DB_ASSERT(error_ != nullptr); return *error_; }
  ErrorRecord& error() { DB_ASSERT(error_ != nullptr); return *error_; }
  Status clone() const;

  Status&& with_detail(std::string text) &&;
  Status&& with_hint(std::string text) &&;
  /// Adds a line of context; the innermost call comes first, as PostgreSQL prints it.
  Status&& with_context(std::string_view text) &&;
  Status&& with_position(std::int32_t one_based) &&;
  Status&& with_table(std::string_view schema, std::string_view table) &&;
  Status&& with_column(std::string_view column) &&;
  Status&& with_constraint(std::string_view constraint) &&;
  Status&& with_data_type(std::string_view name) &&;
  Status&& with_severity(Severity severity) &&;
  Status&& with_routine(std::string_view name) &&;

 private:
  std::unique_ptr<ErrorRecord> error_;
};

/// A value or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}              // NOLINT: implicit on purpose, as return values are
  Result(Status status) : status_(std::move(status)) { DB_ASSERT(!status_.ok()); }  // NOLINT
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }
  Status take_status() { return std::move(status_); }
  T& value() { DB_ASSERT(value_.has_value()); return *value_; }
  const T& value() const { DB_ASSERT(value_.has_value()); return *value_; }
  T take() { DB_ASSERT(value_.has_value()); return std::move(*value_); }
  T* operator->() { return &value(); }
  T& operator*() { return value(); }

 private:
  std::optional<T> value_;
  Status status_;
};

// Returns the Status of `expr` from the calling function unless it is ok.
#define WANDIAN_TRY(expr)                                            \
  do {                                                               \
    ::wandian::Status wandian_try_status_ = (expr);                  \
    if (!wandian_try_status_.ok()) [[unlikely]] return wandian_try_status_; \
  } while (false)

#define WANDIAN_CONCAT_INNER(a, b) a##b
#define WANDIAN_CONCAT(a, b) WANDIAN_CONCAT_INNER(a, b)
// auto value = expr.take(), or return its Status: WANDIAN_ASSIGN(auto rows, read_rows(file));
#define WANDIAN_ASSIGN(target, expr)                                              \
  auto WANDIAN_CONCAT(wandian_result_, __LINE__) = (expr);                        \
  if (!WANDIAN_CONCAT(wandian_result_, __LINE__).ok()) [[unlikely]]               \
    return WANDIAN_CONCAT(wandian_result_, __LINE__).take_status();               \
  target = WANDIAN_CONCAT(wandian_result_, __LINE__).take()

}  // namespace wandian
