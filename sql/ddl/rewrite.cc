#include "sql/ddl/rewrite.h"

#include <algorithm>

#include "engine/placement.h"
#include "engine/scan.h"
#include "sql/ddl/partition.h"
#include "sql/exec/receiver.h"
#include "sql/exec/row_writer.h"
#include "sql/expr/expression.h"
#include "sql/functions/quote.h"
#include "sql/index_expressions.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kBatchRows = 256;

// A statement of our own over one table: scans it and writes rows in batches.
class RowPump {
 public:
  explicit RowPump(DdlContext& ctx) : ctx_(ctx), env_(ctx.session.execution_env()) {
    env_.catalog = ctx.catalog();
    exec_.env = &env_;
    exec_.shard = &ctx.session.shard();
    exec_.transaction = &ctx.transaction();
    exec_.row_memory.push_back(std::make_unique<RowMemory>(env_));
    // Everything committed up to now: a transaction's older snapshot must not lose rows.
    (void)ctx.transaction().newest_view(&view_);
    ctx.session.shard().hold_snapshot(view_.snapshot);
  }
  ~RowPump() { ctx_.session.shard().release_snapshot(view_.snapshot); }
  RowPump(const RowPump&) = delete;
  RowPump& operator=(const RowPump&) = delete;

  /// `ordered`: in the order of the primary key (or of insertion), so that what is numbered along the way is numbered in it.
  void open(std::shared_ptr<const TableDef> table, bool ordered = false) {
    table_ = std::move(table);
    TableScan::Options options;
    options.ordered = ordered;
    scan_.open(table_, options, {});
  }
  bool next(RowView* row) { return scan_.next(view_, row); }
  void pause() {
    scan_.pause();
    ctx_.transaction().raise_answer_floor(view_.floor);
  }
  ExecContext& exec() { return exec_; }
  const std::shared_ptr<const Catalog>& catalog() const { return env_.catalog; }

 private:
  DdlContext& ctx_;
  ExecutionEnv env_;
  ExecContext exec_;
  ReadView view_;
  std::shared_ptr<const TableDef> table_;
  TableScan scan_;
};

Status duplicated(DdlContext& ctx, const TableDef& table, const IndexDef& index, std::span<const Value> key, EvalContext& eval) {
  return Status(sqlstate::unique_violation, "could not create unique index " + quoted(index.name))
      .with_detail(describe_index_parts(table, index, key, eval) + " is duplicated.")
      .with_table(ctx.schema_name(table.schema), table.name)
      .with_constraint(index.name);
}

// One row on its way: the operation on the table and those on global indexes.
struct Written {
  RowOp* op = nullptr;
  std::size_t index = 0;
  const Value* values = nullptr;
};

class Copier {
 public:
  Copier(DdlContext& ctx, std::shared_ptr<const TableDef> old, std::vector<ComputedColumn> computed)
      : ctx_(ctx), pump_(ctx), writer_(pump_.exec()), old_(std::move(old)), computed_(std::move(computed)) {
    table_ = pump_.catalog()->table(old_->oid);
  }

  Status prepare() {
    CompileOptions options;
    options.columns_are_slots = true;
    for (const ComputedColumn& column : computed_) {
      WANDIAN_ASSIGN(CompiledExpr code, compile(*column.expression->expr, code_arena_, options));
      code_.push_back(code);
    }
    for (std::size_t i = 0; i < table_->indexes.size(); ++i)
      if (table_->indexes[i].global_table != 0) globals_.push_back(i);
    pump_.open(old_, !computed_.empty());
    old_values_.resize(old_->layout_columns());
    values_.resize(table_->layout_columns());
    return {};
  }

  // False in *more at the end of the table.
  Status fill_batch(bool* more) {
    RowView row;
    while (written_.size() < kBatchRows) {
      if (!pump_.next(&row)) {
        *more = false;
        return {};
      }
      WANDIAN_TRY(add(row));
    }
    return {};
  }
  Task<Status> flush() {
    pump_.pause();
    WANDIAN_CO_TRY(co_await writer_.send());
    for (const Written& row : written_)
      if (row.op->outcome == RowOutcome::kConflict) {
        const std::size_t index = row.index == 0 ? static_cast<std::size_t>(row.op->conflict_index) : row.index;
        std::vector<Value> key;
        WANDIAN_CO_TRY(key_part_values(*table_, index, {row.values, table_->layout_columns()}, eval().arena, &key));
        co_return duplicated(ctx_, *table_, table_->indexes[index], key, eval());
      }
    written_.clear();
    writer_.clear();
    co_return Status{};
  }

 private:
  EvalContext& eval() { return pump_.exec().eval(0); }

  Status add(const RowView& row) {
    eval().arena.reset();
    old_->layouts->read_all(row.layout, row.row, old_values_);
    std::fill(values_.begin(), values_.end(), Value::null());
    for (std::size_t c = 0; c < table_->columns.size() && c < old_->columns.size(); ++c)
      if (!table_->columns[c].dropped) values_[c] = old_values_[c];
    ExprInput input;
    input.columns = old_values_.data();
    for (std::size_t i = 0; i < computed_.size(); ++i) {
      Value value;
      if (!code_[i].eval(eval(), input, &value)) return std::move(eval().error);
      values_[computed_[i].column] = value;
    }
    if (table_->generator != nullptr) WANDIAN_TRY(table_->generator->generate(values_, eval().arena));
    if (table_->hidden_row_number) {
      std::int64_t number = 0;
      if (old_->hidden_row_number) {
        number = old_values_[old_->columns.size()].i;
        std::atomic<std::int64_t>& last = table_->storage->row_number;
        if (last.load(std::memory_order_relaxed) < number) last.store(number, std::memory_order_relaxed);
      } else {
        number = table_->storage->next_row_number();
      }
      values_[table_->columns.size()] = Value::of_int(number);
    }
    for (std::size_t c = 0; c < table_->columns.size(); ++c)
      if (table_->columns[c].not_null && !table_->columns[c].dropped && values_[c].is_null)
        return Status{sqlstate::not_null_violation,
                      "column " + quoted(table_->columns[c].name) + " of relation " + quoted(table_->name) + " contains null values"}
            .with_table(ctx_.schema_name(table_->schema), table_->name)
            .with_column(table_->columns[c].name);
    Arena& arena = writer_.inputs();
    std::string_view bytes;
    WANDIAN_TRY(encode_row(*table_, values_, arena, &bytes));
    const bool later = table_->row_checks != nullptr && table_->row_checks->waits();
    Status checked = later ? Status{} : check_row(*table_, bytes.data(), eval());
    if (!checked.ok()) {
      if (checked.code() != sqlstate::check_violation) return checked;
      const std::string name = checked.error().constraint;
      return Status{sqlstate::check_violation, "check constraint " + quoted(name) + " of relation " + quoted(table_->name) + " is violated by some row"}
          .with_table(ctx_.schema_name(table_->schema), table_->name)
          .with_constraint(name);
    }
    Value* kept = arena.allocate_array<Value>(values_.size());
    table_->layouts->read_all(table_->layouts->newest_id(), bytes.data(), {kept, values_.size()});
    WANDIAN_ASSIGN(const PartitionId place,
                   place_row(pump_.exec().shard->database().placement(), *table_, *pump_.catalog(), {kept, values_.size()}, true));
    if (place == kNoPartition)
      return Status{sqlstate::foreign_key_violation, "a row of relation " + quoted(table_->name) + " has no place: its directory does not know its key"};
    RowOp& op = writer_.add(table_, place, key_of(*table_, 0, {kept, values_.size()}, arena));
    op.kind = RowOp::Kind::kInsert;
    op.row = bytes;
    written_.push_back({&op, 0, kept});
    for (const std::size_t i : globals_) {
      bool has = false;
      GlobalEntry entry;
      WANDIAN_TRY(make_global_entry(pump_.exec(), *table_, i, {kept, values_.size()}, arena, &has, &entry));
      if (!has) continue;
      RowOp& global = writer_.add(entry.table, entry.partition, entry.key);
      global.kind = RowOp::Kind::kInsert;
      global.row = entry.row;
      written_.push_back({&global, i, kept});
    }
    return {};
  }

  DdlContext& ctx_;
  RowPump pump_;
  RowWriter writer_;
  std::shared_ptr<const TableDef> old_, table_;
  std::vector<ComputedColumn> computed_;
  std::vector<CompiledExpr> code_;
  Arena code_arena_;
  std::vector<std::size_t> globals_;
  std::vector<Value> old_values_, values_;
  std::vector<Written> written_;
};

}  // namespace

Task<Status> copy_rows(DdlContext& ctx, std::shared_ptr<const TableDef> old, std::vector<ComputedColumn> computed) {
  const Oid oid = old->oid;
  co_await ctx.session.begin_statement();
  Status result;
  {
    Copier copier(ctx, std::move(old), std::move(computed));
    result = copier.prepare();
    bool more = true;
    while (result.ok() && more) {
      result = copier.fill_batch(&more);
      if (result.ok()) result = co_await copier.flush();
      if (result.ok() && ctx.session.shard().out_of_budget()) result = co_await ctx.session.yield_turn();
    }
  }
  // Checks that call functions are made when the rows are there.
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(oid);
  if (table->row_checks != nullptr && table->row_checks->waits())
    for (std::size_t i = 0; result.ok() && i < table->checks.size(); ++i) {
      ctx.transaction().next_command();
      result = co_await check_check_rows(ctx, oid, table->checks[i].name, table->checks[i].expression);
    }
  co_return std::move(result);
}

Task<Status> fill_global_index(DdlContext& ctx, Oid table_oid, Oid index_oid) {
  co_await ctx.session.begin_statement();
  RowPump pump(ctx);
  RowWriter writer(pump.exec());
  const std::shared_ptr<const TableDef> table = pump.catalog()->table(table_oid);
  std::size_t index = 0;
  for (std::size_t i = 0; i < table->indexes.size(); ++i)
    if (table->indexes[i].oid == index_oid) index = i;
  std::vector<Written> written;
  pump.open(table);
  RowView row;
  for (bool more = true; more;) {
    while (written.size() < kBatchRows && (more = pump.next(&row))) {
      Value* values = writer.inputs().allocate_array<Value>(table->layout_columns());
      table->layouts->read_all(row.layout, row.row, {values, table->layout_columns()});
      bool has = false;
      GlobalEntry entry;
      WANDIAN_CO_TRY(make_global_entry(pump.exec(), *table, index, {values, table->layout_columns()}, writer.inputs(), &has, &entry));
      if (!has) continue;
      RowOp& op = writer.add(entry.table, entry.partition, entry.key);
      op.kind = RowOp::Kind::kInsert;
      op.row = entry.row;
      written.push_back({&op, index, values});
    }
    // The values point into rows, which stay while the turn lasts; conflicts are described from the entries' own bytes.
    const std::shared_ptr<const TableDef> entries = pump.catalog()->table(table->indexes[index].global_table);
    pump.pause();
    WANDIAN_CO_TRY(co_await writer.send());
    for (const Written& done : written) {
      if (done.op->outcome != RowOutcome::kConflict) continue;
      std::vector<Value> values;
      for (std::size_t i = 0; i < table->indexes[index].key_parts; ++i)
        values.push_back(entries->layouts->newest().read(done.op->row.data(), static_cast<unsigned>(i)));
      co_return duplicated(ctx, *table, table->indexes[index], values, pump.exec().eval(0));
    }
    written.clear();
    writer.clear();
    if (ctx.session.shard().out_of_budget()) WANDIAN_CO_TRY(co_await ctx.session.yield_turn());
  }
  co_return Status{};
}

Task<Status> build_local_indexes(DdlContext& ctx, Oid table_oid) {
  co_await ctx.session.begin_statement();
  RowPump pump(ctx);
  const std::shared_ptr<const TableDef> table = pump.catalog()->table(table_oid);
  const PartitionId end = table->storage->highest.load(std::memory_order_acquire);
  for (PartitionId partition = 0; partition < end; ++partition) {
    if (table->storage->find(partition) == nullptr) continue;
    // An insert of a row that is there: its owner takes up the newer definition, then answers that it conflicts.
    RowWriter writer(pump.exec());
    TableScan scan;
    TableScan::Options options;
    options.partition = partition;
    scan.open(table, options, {});
    ReadView view = ctx.transaction().view();
    RowView row;
    if (!scan.next(view, &row)) continue;
    std::vector<Value> values(table->layout_columns());
    table->layouts->read_all(row.layout, row.row, values);
    std::string_view bytes;
    WANDIAN_CO_TRY(encode_row(*table, values, writer.inputs(), &bytes));
    RowOp& op = writer.add(table, partition, key_of(*table, 0, values, writer.inputs()));
    op.kind = RowOp::Kind::kInsert;
    op.row = bytes;
    scan.pause();
    WANDIAN_CO_TRY(co_await writer.send());
    WANDIAN_CO_TRY(co_await ctx.session.yield_turn());
  }
  co_return Status{};
}

// ---- Validation by queries ----

std::string full_name(DdlContext& ctx, const TableDef& table) {
  return quote_identifier(ctx.schema_name(table.schema)) + "." + quote_identifier(table.name);
}

namespace {

class FirstRow final : public RowReceiver {
 public:
  FirstRow(FoundRow& out, std::vector<Oid> types) : out_(out), types_(std::move(types)) {}
  Status row(std::span<const Value> values) override {
    if (out_.found) return {};
    out_.found = true;
    for (std::size_t i = 0; i < values.size(); ++i)
      out_.values.push_back(i < types_.size() && !values[i].is_null ? copy_value(types_[i], values[i], out_.arena) : values[i]);
    return {};
  }

 private:
  FoundRow& out_;
  std::vector<Oid> types_;
};

}  // namespace

std::string key_text(DdlContext& ctx, const TableDef& table, std::span<const std::uint16_t> columns, std::span<const Value> values) {
  Arena arena;
  EvalContext eval = ctx.session.eval_context(arena);
  return describe_key(table, columns, values, eval);
}

Task<Status> first_row(DdlContext& ctx, std::string sql, std::vector<Oid> types, FoundRow* out) {
  FirstRow receiver(*out, std::move(types));
  std::uint64_t processed = 0;
  co_return co_await ctx.session.run_sql(std::move(sql), receiver, &processed);
}

namespace {

struct UniqueQuery {
  std::string sql;
  std::vector<std::uint16_t> columns;
  std::vector<Oid> types;
};
std::string part_text(const TableDef& table, const IndexPart& part) {
  return part.column == kExpressionPart ? "(" + part.expression + ")" : quote_identifier(table.columns[part.column].name);
}
UniqueQuery unique_query(DdlContext& ctx, const TableDef& table, const IndexDef& index) {
  UniqueQuery out;
  std::string list, outer, condition = index.predicate.empty() ? std::string() : " WHERE (" + index.predicate + ")", not_null;
  for (std::size_t i = 0; i < index.key_parts; ++i) {
    const std::string name = "k" + std::to_string(i);
    list += (i != 0 ? ", " : "") + part_text(table, index.parts[i]) + " AS " + name;
    outer += (i != 0 ? ", " : "") + name;
    if (!index.nulls_not_distinct) not_null += (i != 0 ? " AND " : " WHERE ") + name + " IS NOT NULL";
    out.types.push_back(key_part_type(table, index.parts[i]));
  }
  out.sql = "SELECT " + outer + " FROM (SELECT " + list + " FROM " + full_name(ctx, table) + condition + ") AS k" + not_null + " GROUP BY " + outer +
            " HAVING count(*) > 1 LIMIT 1";
  return out;
}

}  // namespace

Task<Status> check_index_expressions(DdlContext& ctx, Oid table_oid, IndexDef index) {
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(table_oid);
  std::string list = "count(*)";
  for (std::size_t i = 0; i < index.key_parts; ++i)
    if (index.parts[i].column == kExpressionPart) list += ", count(" + index.parts[i].expression + ")";
  std::string sql = "SELECT " + list + " FROM " + full_name(ctx, *table);
  if (!index.predicate.empty()) sql += " WHERE (" + index.predicate + ")";
  FoundRow row;
  WANDIAN_CO_TRY(co_await first_row(ctx, sql, {}, &row));
  co_return Status{};
}

Task<Status> check_unique_rows(DdlContext& ctx, Oid table_oid, IndexDef index) {
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(table_oid);
  UniqueQuery query = unique_query(ctx, *table, index);
  FoundRow row;
  WANDIAN_CO_TRY(co_await first_row(ctx, query.sql, query.types, &row));
  if (!row.found) co_return Status{};
  Arena arena;
  EvalContext eval = ctx.session.eval_context(arena);
  co_return duplicated(ctx, *table, index, row.values, eval);
}

Task<Status> check_not_null_rows(DdlContext& ctx, Oid table_oid, std::string column) {
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(table_oid);
  FoundRow row;
  WANDIAN_CO_TRY(co_await first_row(ctx, "SELECT 1 FROM " + full_name(ctx, *table) + " WHERE " + quote_identifier(column) + " IS NULL LIMIT 1", {}, &row));
  if (!row.found) co_return Status{};
  co_return Status(sqlstate::not_null_violation, "column " + quoted(column) + " of relation " + quoted(table->name) + " contains null values")
      .with_table(ctx.schema_name(table->schema), table->name)
      .with_column(column);
}

Task<Status> check_check_rows(DdlContext& ctx, Oid table_oid, std::string name, std::string expression) {
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(table_oid);
  FoundRow row;
  WANDIAN_CO_TRY(co_await first_row(ctx, "SELECT 1 FROM " + full_name(ctx, *table) + " WHERE NOT (" + expression + ") LIMIT 1", {}, &row));
  if (!row.found) co_return Status{};
  co_return Status(sqlstate::check_violation, "check constraint " + quoted(name) + " of relation " + quoted(table->name) + " is violated by some row")
      .with_table(ctx.schema_name(table->schema), table->name)
      .with_constraint(name);
}

namespace {

UniqueQuery foreign_key_query(DdlContext& ctx, const TableDef& table, const TableDef& referenced, const ForeignKeyDef& key) {
  UniqueQuery out;
  std::string list, join, some, all;
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const std::string mine = "fk." + quote_identifier(table.columns[key.columns[i]].name);
    const std::string theirs = "pk." + quote_identifier(referenced.columns[key.referenced_columns[i]].name);
    list += (i != 0 ? ", " : "") + mine;
    join += (i != 0 ? " AND " : "") + mine + " = " + theirs;
    all += (i != 0 ? " AND " : "") + mine + " IS NOT NULL";
    some += (i != 0 ? " OR " : "") + mine + " IS NOT NULL";
    out.columns.push_back(key.columns[i]);
    out.types.push_back(table.columns[key.columns[i]].type);
  }
  const std::string present = "pk." + quote_identifier(referenced.columns[key.referenced_columns[0]].name) + " IS NULL";
  out.sql = "SELECT " + list + " FROM " + full_name(ctx, table) + " fk LEFT JOIN " + full_name(ctx, referenced) + " pk ON " + join + " WHERE " + present +
            " AND (" + (key.match == 'f' ? some : all) + ") LIMIT 1";
  return out;
}

}  // namespace

Task<Status> check_foreign_key_rows(DdlContext& ctx, Oid table_oid, ForeignKeyDef key) {
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(table_oid);
  const std::shared_ptr<const TableDef> referenced = ctx.catalog()->table(key.referenced_table);
  UniqueQuery query = foreign_key_query(ctx, *table, *referenced, key);
  FoundRow row;
  WANDIAN_CO_TRY(co_await first_row(ctx, query.sql, query.types, &row));
  if (!row.found) co_return Status{};
  co_return Status(sqlstate::foreign_key_violation, "insert or update on table " + quoted(table->name) + " violates foreign key constraint " + quoted(key.name))
      .with_detail(key_text(ctx, *table, query.columns, row.values) + " is not present in table " + quoted(referenced->name) + ".")
      .with_table(ctx.schema_name(table->schema), table->name)
      .with_constraint(key.name);
}

Task<Status> check_partition_rows(DdlContext& ctx, Oid table_oid, bool is_default) {
  const std::shared_ptr<const TableDef> top = ctx.catalog()->table(table_oid);
  std::vector<std::shared_ptr<const TableDef>> tables = all_partitions(*ctx.catalog(), *top);
  tables.push_back(top);
  co_await ctx.session.begin_statement();
  for (const std::shared_ptr<const TableDef>& table : tables) {
    if (table->is_partitioned()) continue;
    RowPump pump(ctx);
    const PartitionGuard guard(*pump.catalog(), *table);
    std::vector<Value> values(table->layout_columns());
    pump.open(table);
    RowView row;
    while (pump.next(&row)) {
      pump.exec().reset_row(0);
      table->layouts->read_all(row.layout, row.row, values);
      bool belongs = true;
      WANDIAN_CO_TRY(guard.belongs(values, pump.exec().eval(0), &belongs));
      if (!belongs) {
        const std::string message = is_default ? "updated partition constraint for default partition " + quoted(table->name) + " would be violated by some row"
                                               : "partition constraint of relation " + quoted(table->name) + " is violated by some row";
        pump.pause();
        co_return Status(sqlstate::check_violation, message).with_table(ctx.schema_name(table->schema), table->name);
      }
      if (!ctx.session.shard().out_of_budget()) continue;
      pump.pause();
      WANDIAN_CO_TRY(co_await ctx.session.yield_turn());
    }
    pump.pause();
  }
  co_return Status{};
}

}  // namespace wandian::sql
