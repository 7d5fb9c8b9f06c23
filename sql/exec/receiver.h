// RowReceiver: where the rows of a statement go: DataRow messages, a collection in memory, a COPY stream.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/value.h"
#include "sql/functions/registry.h"
#include "sql/output.h"
#include "sql/plan/plan.h"
#include "sql/session_sink.h"

namespace wandian::sql {

class RowReceiver {
 public:
  virtual ~RowReceiver() = default;
  /// The values are good during the call. One a result column.
  virtual Status row(std::span<const Value> values) = 0;
  /// True: give no more rows for now.
  virtual bool congested() { return false; }
};

/// Encodes rows as DataRow messages straight into the session's output.
class DataRowEncoder final : public RowReceiver {
 public:
  /// `formats`: empty (all text), one for all columns, or one a column. Both spans outlive the encoder.
  /// `session` names what reg* values stand for; null prints their numbers.
  DataRowEncoder(SessionSink& sink, std::span<const ResultColumn> columns, std::span<const Format> formats,
                 const FormatSettings& format, SessionHooks* session);
  Status row(std::span<const Value> values) override;
  bool congested() override { return sink_.congested(); }

 private:
  SessionSink& sink_;
  std::span<const ResultColumn> columns_;
  std::span<const Format> formats_;
  Arena arena_;
  EvalContext context_;
};

/// Appends one DataRow message, type byte and length included. On failure `out` is as before and context.error says why.
bool append_data_row(EvalContext& context, std::span<const ResultColumn> columns, std::span<const Format> formats,
                     std::span<const Value> values, OutBuffer& out);

/// Keeps copies of all rows.
class RowCollector final : public RowReceiver {
 public:
  explicit RowCollector(Arena& arena, std::vector<Oid> types) : arena_(arena), types_(std::move(types)) {}
  Status row(std::span<const Value> values) override;
  std::size_t rows() const { return rows_; }
  std::span<const Value> at(std::size_t row) const { return {values_.data() + row * types_.size(), types_.size()}; }
  const std::vector<Value>& values() const { return values_; }

 private:
  Arena& arena_;
  std::vector<Oid> types_;
  std::vector<Value> values_;
  std::size_t rows_ = 0;
};

/// Throws everything away (EXPLAIN ANALYZE).
class RowCounter final : public RowReceiver {
 public:
  Status row(std::span<const Value>) override { return {}; }
};

}  // namespace wandian::sql
