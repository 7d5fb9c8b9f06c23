#include "sql/exec/row_writer.h"

#include <algorithm>

#include "sql/exec/table_access.h"
#include "sql/index_expressions.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

std::string schema_name(const Catalog& catalog, Oid schema) {
  if (schema == kPgCatalogSchema) return "pg_catalog";
  if (schema == kPublicSchema) return "public";
  const std::shared_ptr<const SchemaDef> found = catalog.schema(schema);
  return found != nullptr ? found->name : std::string();
}

namespace {

constexpr std::size_t kShownBytes = 64;   // of each value of a failing row

void append_value(std::string& out, EvalContext& eval, Oid type, const Value& value) {
  if (value.is_null) {
    out += "null";
    return;
  }
  std::string text;
  if (!append_text(eval, type, value, text)) {
    eval.error = {};
    return;
  }
  if (text.size() > kShownBytes) {
    std::size_t cut = kShownBytes;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
    text.resize(cut);
    text += "...";
  }
  out += text;
}

}  // namespace

std::string failing_row(const TableDef& table, std::span<const Value> values, EvalContext& eval) {
  std::string out = "Failing row contains (";
  bool first = true;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].dropped) continue;
    if (!first) out += ", ";
    first = false;
    append_value(out, eval, table.columns[i].type, values[i]);
  }
  out += ").";
  return out;
}

std::string describe_key(const TableDef& table, std::span<const std::uint16_t> columns, std::span<const Value> key_values,
                         EvalContext& eval) {
  std::string names, values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i != 0) names += ", ", values += ", ";
    names += table.columns[columns[i]].name;
    if (key_values[i].is_null) values += "null";
    else if (!append_text(eval, table.columns[columns[i]].type, key_values[i], values)) eval.error = {};
  }
  return "Key (" + names + ")=(" + values + ")";
}

Status check_not_null(const TableDef& table, std::span<const Value> values, EvalContext& eval) {
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnDef& column = table.columns[i];
    if (!values[i].is_null || column.dropped) continue;
    bool refused = column.not_null;
    if (!refused && !table.hidden_row_number) {
      const std::vector<std::uint16_t>& primary = table.codec_columns[0];
      refused = std::find(primary.begin(), primary.end(), i) != primary.end();
    }
    if (!refused) continue;
    TypeCatalog* types = types_of(eval);
    return Status(sqlstate::not_null_violation,
                  "null value in column \"" + column.name + "\" of relation \"" + table.name + "\" violates not-null constraint")
        .with_detail(failing_row(table, values, eval))
        .with_table(types != nullptr ? types->type_identity(row_type_of(table.oid)).first : std::string(), table.name)
        .with_column(column.name);
  }
  return {};
}

Status check_row(const TableDef& table, const char* row, EvalContext& eval, const SessionChecks* waiting) {
  if (table.row_checks == nullptr) return {};
  Status status = waiting != nullptr ? waiting->check_in(table, row, eval) : table.row_checks->check(table, row);
  if (!status.ok() && status.code() == sqlstate::check_violation && status.error().detail.empty()) {
    std::vector<Value> values(table.layout_columns());
    table.layouts->read_all(table.layouts->newest_id(), row, values);
    status.error().detail = failing_row(table, values, eval);
  }
  return status;
}

std::string describe_index_key(const TableDef& table, std::size_t index, std::span<const Value> row, EvalContext& eval) {
  Arena arena;
  std::vector<Value> values;
  if (!key_part_values(table, index, row, arena, &values).ok()) values.clear();
  return describe_index_parts(table, table.indexes[index], values, eval);
}

std::string describe_index_parts(const TableDef& table, const IndexDef& index, std::span<const Value> parts, EvalContext& eval) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) text += ", ";
    if (parts[i].is_null) text += "null";
    else if (!append_text(eval, key_part_type(table, index.parts[i]), parts[i], text)) eval.error = {};
  }
  return "Key (" + key_part_names(table, index, eval.session) + ")=(" + text + ")";
}

Status unique_violation(const Catalog& catalog, const TableDef& table, std::size_t position, std::span<const Value> row_values, EvalContext& eval) {
  const IndexDef& index = table.indexes[position];
  return Status(sqlstate::unique_violation, "duplicate key value violates unique constraint \"" + index.name + "\"")
      .with_detail(describe_index_key(table, position, row_values, eval) + " already exists.")
      .with_table(schema_name(catalog, table.schema), table.name)
      .with_constraint(index.name);
}

Status encode_row(const TableDef& table, std::span<const Value> values, Arena& arena, std::string_view* out) {
  const RowLayout& layout = table.layouts->newest();
  const std::uint64_t size = layout.encoded_size(values);
  if (size > (std::uint64_t{1} << 30))
    return Status(sqlstate::program_limit_exceeded, "row is too big: size " + std::to_string(size) + ", maximum size 1073741824");
  char* bytes = static_cast<char*>(arena.allocate(size, 8));
  layout.encode(values, bytes);
  *out = {bytes, size};
  return {};
}

KeyRef key_of(const TableDef& table, unsigned index, std::span<const Value> values, Arena& arena) {
  const std::vector<std::uint16_t>& columns = table.codec_columns[index];
  constexpr std::size_t kSmall = 32;
  Value small[kSmall];
  std::vector<Value> large;
  if (columns.size() > kSmall) large.resize(columns.size());
  const std::span<Value> parts = columns.size() > kSmall ? std::span(large) : std::span(small, columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) parts[i] = values[columns[i]];
  KeyBuffer key;
  table.codecs[index].encode(parts, key);
  const std::string_view copied = arena.copy(key.ref().view());
  return {copied.data(), static_cast<std::uint32_t>(copied.size())};
}

Status make_global_entry(ExecContext& ctx, const TableDef& table, std::size_t position, std::span<const Value> values, Arena& arena,
                         bool* has_entry, GlobalEntry* out) {
  const IndexDef& index = table.indexes[position];
  *has_entry = false;
  out->table = ctx.env->catalog->table(index.global_table);
  if (out->table == nullptr) return Status(sqlstate::internal_error, "a global index has no table");
  std::vector<Value> entry;
  WANDIAN_TRY(key_part_values(table, position, values, arena, &entry));
  if (entry.empty()) return {};   // not in a partial index
  if (std::any_of(entry.begin(), entry.end(), [](const Value& value) { return value.is_null; })) return {};
  for (const std::uint16_t column : table.codec_columns[0]) entry.push_back(values[column]);
  KeyBuffer key;
  const std::span<const Value> key_values(entry.data(), index.key_parts);
  out->table->codecs[0].encode(key_values, key);
  const std::string_view copied = arena.copy(key.ref().view());
  out->key = {copied.data(), static_cast<std::uint32_t>(copied.size())};
  out->partition = locate_key(*ctx.shard, *out->table, out->key, key_values);
  *has_entry = true;
  return encode_row(*out->table, entry, arena, &out->row);
}

std::shared_ptr<const TableDef>* RowWriter::keep(const std::shared_ptr<const TableDef>& table) {
  for (std::shared_ptr<const TableDef>& kept : tables_)
    if (kept == table) return &kept;
  return &tables_.emplace_back(table);
}

RowOp& RowWriter::add(const std::shared_ptr<const TableDef>& table, PartitionId partition, KeyRef key) {
  const unsigned owner = ctx_.transaction->owner_of(partition);
  if (by_owner_.size() <= owner) by_owner_.resize(owner + 1);
  if (!by_owner_[owner]) by_owner_[owner] = std::make_unique<RowBatch>();
  RowBatch& batch = *by_owner_[owner];
  if (batch.ops.empty()) active_.push_back(&batch);
  RowOp& op = batch.ops.emplace_back();
  op.table = keep(table);
  op.partition = partition;
  op.key = key;
  ++pending_;
  return op;
}

Task<Status> RowWriter::send() {
  if (active_.empty()) co_return Status{};
  if (active_.size() == 1) {
    Status status;
    if (ctx_.transaction->try_write(*active_[0], &status)) co_return status;
  }
  co_return co_await ctx_.transaction->write(active_);
}

void RowWriter::clear() {
  for (RowBatch* batch : active_) {
    batch->ops.clear();
    batch->arena.reset();
    batch->redo.clear();
    batch->floor = 0;
    batch->next = 0;
  }
  active_.clear();
  inputs_.reset();
  pending_ = 0;
}

}  // namespace wandian::sql
