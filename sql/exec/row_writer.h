// RowWriter: what all writing statements share: encoding rows, checking them, sending operations to owners in batches, and
// PostgreSQL's words for what goes wrong.
// Owns:       the operations under way and the bytes they refer to.
// Thread:     the session's shard, but for check_row(), which owners call, too.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sql/exec/operator.h"

namespace wandian::sql {

/// 23502 and 23514 for a row about to be stored. `values` by TableDef::columns.
Status check_not_null(const TableDef& table, std::span<const Value> values, EvalContext& eval);
/// CHECK constraints as only a session can evaluate them, where they call routines (RowChecks::waits()).
class SessionChecks : public RowChecks {
 public:
  /// Evaluated in `eval`, with its journal.
  virtual Status check_in(const TableDef& table, const char* row, EvalContext& eval) const = 0;
};
/// CHECK constraints of an encoded row; adds the detail that PostgreSQL gives. `waiting`: they are evaluated in `eval`.
Status check_row(const TableDef& table, const char* row, EvalContext& eval, const SessionChecks* waiting = nullptr);
/// "(1, null, abc)".
std::string failing_row(const TableDef& table, std::span<const Value> values, EvalContext& eval);
/// "Key (a, b)=(1, x)".
std::string describe_key(const TableDef& table, std::span<const std::uint16_t> columns, std::span<const Value> key_values, EvalContext& eval);
/// The same of an index's key, which may be of expressions: "Key (lower(a))=(x)".
std::string describe_index_key(const TableDef& table, std::size_t index, std::span<const Value> row, EvalContext& eval);
std::string describe_index_parts(const TableDef& table, const IndexDef& index, std::span<const Value> parts, EvalContext& eval);
/// 23505 for the index's constraint.
Status unique_violation(const Catalog& catalog, const TableDef& table, std::size_t index, std::span<const Value> row_values, EvalContext& eval);
std::string schema_name(const Catalog& catalog, Oid schema);

/// Takes the row's old place and stores `row` there.
class ReplaceRow final : public RowTransform {
 public:
  explicit ReplaceRow(std::string_view bytes) : row(bytes) {}
  Verdict apply(const RowView&, bool, Arena&, std::string_view* out, Status*) override {
    *out = row;
    return Verdict::kUpdate;
  }
  std::string_view row;
};
class DeleteRow final : public RowTransform {
 public:
  Verdict apply(const RowView&, bool, Arena&, std::string_view*, Status*) override { return Verdict::kDelete; }
};

/// A statement's rows of one write, by owner. Reused from batch to batch.
class RowWriter {
 public:
  explicit RowWriter(ExecContext& ctx) : ctx_(ctx), inputs_(ctx.memory_limit()) {}

  Arena& inputs() { return inputs_; }
  /// Keeps the definition alive and gives the address that operations name it by.
  std::shared_ptr<const TableDef>* keep(const std::shared_ptr<const TableDef>& table);
  /// A new operation; stays where it is until clear().
  RowOp& add(const std::shared_ptr<const TableDef>& table, PartitionId partition, KeyRef key);
  std::size_t pending() const { return pending_; }
  /// Runs all operations. The Status is the first error; conflicts and absences are outcomes.
  Task<Status> send();
  void clear();

 private:
  ExecContext& ctx_;
  Arena inputs_;
  std::deque<std::shared_ptr<const TableDef>> tables_;
  std::vector<std::unique_ptr<RowBatch>> by_owner_;
  std::vector<RowBatch*> active_;
  std::size_t pending_ = 0;
};

/// Encodes in the table's newest layout; the bytes are in `arena`. 54000 if too large.
Status encode_row(const TableDef& table, std::span<const Value> values, Arena& arena, std::string_view* out);
/// The key of index `index` from a whole row's values, in `arena`.
KeyRef key_of(const TableDef& table, unsigned index, std::span<const Value> values, Arena& arena);

/// A row of a global unique index's own table. False: the row has no entry (a null among its columns).
struct GlobalEntry {
  std::shared_ptr<const TableDef> table;
  PartitionId partition = kNoPartition;
  KeyRef key;
  std::string_view row;
};
Status make_global_entry(ExecContext& ctx, const TableDef& table, std::size_t index, std::span<const Value> values, Arena& arena,
                         bool* has_entry, GlobalEntry* out);

}  // namespace wandian::sql
