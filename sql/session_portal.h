// Portal: a statement with its parameters, on its way through its rows: extended protocol, simple statements, SQL cursors.
// Owns:       parameters, the execution, rows that were materialised.
// Thread:     its session's shard.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/arena.h"
#include "engine/version.h"
#include "sql/exec/execution.h"
#include "sql/exec/receiver.h"
#include "sql/expr/expression.h"
#include "sql/procedure_caller.h"
#include "sql/session_sink.h"
#include "sql/statement_cache.h"

namespace wandian::sql {

/// Rows kept in memory: what utility statements answer, and cursors that go backwards.
class KeptRows final : public RowReceiver {
 public:
  explicit KeptRows(std::vector<Oid> types) : types_(std::move(types)) {}
  /// Also keeps where each row came from, as `execution` says when it gives it.
  KeptRows(std::vector<Oid> types, const Execution& execution) : types_(std::move(types)), execution_(&execution) {}
  Status row(std::span<const Value> values) override {
    if (execution_ != nullptr) keep_place();
    for (std::size_t i = 0; i < types_.size(); ++i) values_.push_back(copy_value(types_[i], values[i], arena_));
    ++rows_;
    return {};
  }
  void add_text(std::span<const std::string> texts) {
    for (const std::string& text : texts) values_.push_back(Value::of_bytes(arena_.copy(text)));
    ++rows_;
  }
  std::size_t rows() const { return rows_; }
  std::span<const Value> at(std::size_t row) const { return {values_.data() + row * types_.size(), types_.size()}; }
  /// Null: it came from no place of its own.
  const Execution::RowPlace* place(std::size_t row) const { return row < places_.size() ? &places_[row] : nullptr; }
  /// No further rows come.
  void complete() { execution_ = nullptr; }

 private:
  void keep_place() {
    std::optional<Execution::RowPlace> place = execution_->place();
    if (!place) return;
    place->key = arena_.copy(place->key);
    places_.push_back(*place);
  }

  Arena arena_;
  std::vector<Oid> types_;
  std::vector<Value> values_;
  std::vector<Execution::RowPlace> places_;      // by row; none if the execution knows none
  const Execution* execution_ = nullptr;
  std::size_t rows_ = 0;
};

struct Portal {
  std::string name;
  CompiledPtr statement;
  Arena arena;                                   ///< the parameters' bytes
  std::vector<Value> params;
  std::vector<Format> formats;                   ///< of the result: none (text), one for all, or one a column

  std::unique_ptr<Execution> execution;
  std::unique_ptr<KeptRows> kept;
  std::size_t next_kept = 0;
  /// Of `kept`, where the columns are not the statement's own (SHOW, EXPLAIN, FETCH).
  std::vector<ResultColumn> columns;
  bool own_columns = false;
  std::string tag;                               ///< of `kept`, as the statement made it
  bool started = false, done = false;
  bool begun = false;                            ///< the execution is new, and its statement has been begun
  bool described = false;                        ///< RowDescription was sent: the shape is fixed
  std::size_t savepoint_depth = 0;               ///< savepoints open when it was made

  // Cursors.
  bool is_cursor = false, scroll = false, hold = false, binary = false;
  bool kept_all = false;                         ///< `kept` has every row (held, or scrolled)
  bool held = false;                             ///< its transaction has committed
  std::int64_t creation_time = 0;
  std::uint64_t position = 0;                    ///< rows before the next one
  bool at_end = false;                           ///< behind the last row
  ReadView view;                                 ///< as of DECLARE, until the first FETCH
  bool holds_snapshot = false;
  std::int64_t spent_ns = 0;                     ///< running the plan, for pg_stat_statements
  std::uint64_t given = 0;                       ///< rows, in that time

  const std::vector<ResultColumn>& result_columns() const { return own_columns ? columns : statement->columns; }
  void reset() {
    execution.reset();
    kept.reset();
    statement.reset();
    arena.reset();
    params.clear();
    formats.clear();
    columns.clear();
    next_kept = 0;
    tag.clear();
    own_columns = started = done = begun = described = false;
    is_cursor = scroll = hold = held = binary = kept_all = at_end = false;
    position = given = 0;
    spent_ns = 0;
  }
};

}  // namespace wandian::sql
