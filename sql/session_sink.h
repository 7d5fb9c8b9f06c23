// What a sql::Session tells its connection. Implemented by wire, which turns it into protocol messages.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/oid.h"
#include "sql/output.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// One column of a RowDescription (protocol manual, 55.7).
struct ColumnDescription {
  std::string_view name;
  Oid table = 0;
  std::int16_t attribute = 0;
  Oid type = 0;
  std::int16_t type_length = -1;
  std::int32_t typmod = -1;
};

enum class Format : std::int16_t { kText = 0, kBinary = 1 };

class SessionSink {
 public:
  virtual ~SessionSink() = default;

  /// Where DataRow and CopyData messages are encoded, complete with type byte and length.
  virtual OutBuffer& out() = 0;

  virtual void parse_complete() = 0;
  virtual void bind_complete() = 0;
  virtual void close_complete() = 0;
  virtual void parameter_description(std::span<const Oid> types) = 0;
  /// `formats` as Bind gave them: empty (all text), one for all columns, or one a column.
  virtual void row_description(std::span<const ColumnDescription> columns, std::span<const Format> formats) = 0;
  virtual void no_data() = 0;
  virtual void command_complete(std::string_view tag) = 0;
  virtual void empty_query_response() = 0;
  virtual void portal_suspended() = 0;
  virtual void copy_in_response(Format format, std::uint16_t columns) = 0;
  virtual void copy_out_response(Format format, std::uint16_t columns) = 0;
  virtual void copy_done() = 0;
  virtual void parameter_status(std::string_view name, std::string_view value) = 0;
  virtual void notification(std::int32_t process, std::string_view channel, std::string_view payload) = 0;
  virtual void notice(const ErrorRecord& record) = 0;
  /// ErrorResponse. The session has already moved its transaction to the failed state where PostgreSQL does.
  virtual void error(const Status& status) = 0;

  /// Whether output beyond the limit is waiting for a slow client: the statement then pauses, and wire calls
  /// Session::proceed() when there is room again.
  virtual bool congested() const = 0;
  /// What was answered Poll::kPending can go on: wire calls Session::proceed() soon, never inside this call.
  virtual void resume() = 0;
};

}  // namespace wandian::sql
