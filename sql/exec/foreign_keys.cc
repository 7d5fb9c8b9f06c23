#include "sql/exec/foreign_keys.h"

#include <algorithm>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "sql/exec/modify.h"
#include "sql/exec/table_access.h"

namespace wandian::sql {

namespace {

bool same_value(const TableDef& table, std::uint16_t column, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null && b.is_null;
  const TypeInfo* type = find_type(table.columns[column].type);
  if (type == nullptr || type->order == Order::kNone) return a.bytes() == b.bytes();
  return compare_values(type->order, a, b) == 0;
}

}  // namespace

Status ForeignKeys::written(const std::shared_ptr<const TableDef>& table, std::span<const Value> values, const Value* old_values) {
  for (const ForeignKeyDef& key : table->foreign_keys) {
    std::size_t nulls = 0;
    bool same = old_values != nullptr;
    for (const std::uint16_t column : key.columns) {
      nulls += values[column].is_null;
      same = same && same_value(*table, column, values[column], old_values[column]);
    }
    if (same) continue;
    if (nulls != 0) {
      if (key.match == 'f' && nulls != key.columns.size())
        return Status(sqlstate::foreign_key_violation, "insert or update on table \"" + table->name + "\" violates foreign key constraint \"" + key.name + "\"")
            .with_detail("MATCH FULL does not allow mixing of null and nonnull key values.")
            .with_table(schema_name(*ctx_.env->catalog, table->schema), table->name)
            .with_constraint(key.name);
      continue;
    }
    Check check{table, &key, {}};
    std::string seen(reinterpret_cast<const char*>(&key.oid), sizeof key.oid);
    for (const std::uint16_t column : key.columns) {
      const bool by_value = is_by_value(table->columns[column].type);
      if (by_value) seen.append(reinterpret_cast<const char*>(&values[column].i), sizeof(std::int64_t));
      else seen.append(values[column].bytes()).push_back('\0');
    }
    if (!seen_.insert(std::move(seen)).second) continue;   // this statement checks that key already
    for (const std::uint16_t column : key.columns)
      check.values.push_back(is_by_value(table->columns[column].type) ? values[column] : copy_bytes(values[column], ctx_.statement));
    checks_.push_back(std::move(check));
  }
  return {};
}

Status ForeignKeys::removed(const std::shared_ptr<const TableDef>& table, std::span<const Value> old_values, const Value* new_values,
                            unsigned depth) {
  for (const Oid oid : table->referencing) {
    const std::shared_ptr<const TableDef> referencing = ctx_.env->catalog->table(oid);
    if (referencing == nullptr) continue;
    for (const ForeignKeyDef& key : referencing->foreign_keys) {
      if (key.referenced_table != table->oid) continue;
      bool null = false, same = new_values != nullptr;
      for (const std::uint16_t column : key.referenced_columns) {
        null = null || old_values[column].is_null;
        same = same && same_value(*table, column, old_values[column], new_values[column]);
      }
      if (null || same) continue;
      Removal removal{table, referencing, &key, {}, {}, depth};
      for (const std::uint16_t column : key.referenced_columns) {
        const bool by_value = is_by_value(table->columns[column].type);
        removal.old_values.push_back(by_value ? old_values[column] : copy_bytes(old_values[column], ctx_.statement));
        if (new_values != nullptr) removal.new_values.push_back(by_value ? new_values[column] : copy_bytes(new_values[column], ctx_.statement));
      }
      removals_.push_back(std::move(removal));
    }
  }
  return {};
}

Task<Status> ForeignKeys::run() {
  while (pending()) {
    ctx_.transaction->next_command();
    if (!removals_.empty()) {
      // Actions may write rows that are to be checked, and remove rows that others refer to.
      const std::vector<Removal> removals = std::move(removals_);
      removals_.clear();
      for (const Removal& removal : removals) WANDIAN_CO_TRY(co_await follow(removal));
    } else {
      WANDIAN_CO_TRY(co_await check_all());
    }
  }
  co_return Status{};
}

Status ForeignKeys::violation(const Check& check) {
  const TableDef& table = *check.table;
  const std::shared_ptr<const TableDef> referenced = ctx_.env->catalog->table(check.key->referenced_table);
  return Status(sqlstate::foreign_key_violation, "insert or update on table \"" + table.name + "\" violates foreign key constraint \"" + check.key->name + "\"")
      .with_detail(describe_key(table, check.key->columns, check.values, ctx_.eval(0)) + " is not present in table \"" +
                   (referenced != nullptr ? referenced->name : std::string()) + "\".")
      .with_table(schema_name(*ctx_.env->catalog, table.schema), table.name)
      .with_constraint(check.key->name);
}

Status ForeignKeys::still_referenced(const Removal& removal) {
  return Status(sqlstate::foreign_key_violation, "update or delete on table \"" + removal.table->name + "\" violates foreign key constraint \"" +
                                                     removal.key->name + "\" on table \"" + removal.referencing->name + "\"")
      .with_detail(describe_key(*removal.table, removal.key->referenced_columns, removal.old_values, ctx_.eval(0)) +
                   " is still referenced from table \"" + removal.referencing->name + "\".")
      .with_table(schema_name(*ctx_.env->catalog, removal.referencing->schema), removal.referencing->name)
      .with_constraint(removal.key->name);
}

// Referenced rows are locked KEY SHARE, all of them in one round.
Task<Status> ForeignKeys::check_all() {
  const std::vector<Check> checks = std::move(checks_);
  checks_.clear();
  RowWriter writer(ctx_);
  std::vector<RowOp*> ops;
  for (const Check& check : checks) {
    const std::shared_ptr<const TableDef> table = ctx_.env->catalog->table(check.key->referenced_table);
    if (table == nullptr) co_return violation(check);
    std::size_t index = 0;
    for (std::size_t i = 0; i < table->indexes.size(); ++i)
      if (table->indexes[i].oid == check.key->referenced_index) index = i;
    const IndexDef& definition = table->indexes[index];
    // The values in the order of the index's columns.
    std::vector<Value> values;
    for (std::size_t part = 0; part < definition.key_parts; ++part)
      for (std::size_t i = 0; i < check.key->referenced_columns.size(); ++i)
        if (check.key->referenced_columns[i] == definition.parts[part].column) values.push_back(check.values[i]);
    if (values.size() != definition.key_parts) co_return violation(check);
    std::shared_ptr<const TableDef> locked = table;
    KeyBuffer key;
    PartitionId partition = kNoPartition;
    if (index == 0 || definition.global_table != 0) {
      if (definition.global_table != 0) locked = ctx_.env->catalog->table(definition.global_table);
      if (locked == nullptr) co_return violation(check);
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!locked->codecs[0].fits(static_cast<unsigned>(i), values[i])) co_return violation(check);
      locked->codecs[0].encode(values, key);
      partition = locate_key(*ctx_.shard, *locked, key, values);
      if (partition == kNoPartition) co_return violation(check);
    } else {
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!table->codecs[index].fits(static_cast<unsigned>(i), values[i])) co_return violation(check);
      ctx_.transaction->refresh_view();
      ReadView view = ctx_.transaction->view();
      ScanRange range;
      table->codecs[index].encode(values, range.lower);
      range.upper = range.lower;
      range.has_lower = true;
      range.has_upper = KeyCodec::successor(range.upper);
      range.upper_inclusive = false;
      TableScan scan;
      TableScan::Options options;
      options.index = static_cast<unsigned>(index);
      scan.open(table, options, range);
      RowView seen;
      const bool found = scan.next(view, &seen);
      ctx_.transaction->raise_answer_floor(view.floor);
      if (!found) co_return violation(check);
      table->codecs[0].encode_from_row(*table->layouts, seen.layout, seen.row, table->codec_columns[0], key);
      partition = seen.partition;
    }
    const std::string_view copied = writer.inputs().copy(key.ref().view());
    RowOp& op = writer.add(locked, partition, {copied.data(), static_cast<std::uint32_t>(copied.size())});
    op.kind = RowOp::Kind::kLock;
    op.lock = RowLock::kKeyShare;
    ops.push_back(&op);
  }
  WANDIAN_CO_TRY(co_await writer.send());
  for (std::size_t i = 0; i < ops.size(); ++i)
    if (ops[i]->outcome != RowOutcome::kLocked) co_return violation(checks[i]);
  co_return Status{};
}

namespace {

class ActionMutation final : public Mutation {
 public:
  ActionMutation(const ForeignKeyDef& key, std::span<const Value> values) : key_(key), values_(values) {}
  Status decide(const Target&, bool, std::span<Value> row, Decision*) override {
    if (deletes) return {};
    for (std::size_t i = 0; i < key_.columns.size(); ++i) row[key_.columns[i]] = values_[i];
    return {};
  }
  Status done(const Target&, std::span<const Value>, std::span<const Value>) override { return {}; }

 private:
  const ForeignKeyDef& key_;
  std::span<const Value> values_;
};

}  // namespace

// What a foreign key's action does about the rows that refer to a key that is gone.
Task<Status> ForeignKeys::follow(const Removal& removal) {
  const std::shared_ptr<const TableDef>& table = removal.referencing;
  const ForeignKeyDef& key = *removal.key;
  const char action = removal.new_values.empty() ? key.on_delete : key.on_update;
  // The referenced row is locked, so nobody new can refer to it; what refers to it already is committed or waits for us.
  ctx_.transaction->refresh_view();
  ReadView view = ctx_.transaction->view();
  if (action == 'a') {
    // NO ACTION looks at the end: the key may be there again.
    std::vector<Value> primary;
    for (const std::uint16_t column : removal.table->codec_columns[0])
      for (std::size_t i = 0; i < key.referenced_columns.size(); ++i)
        if (key.referenced_columns[i] == column) primary.push_back(removal.old_values[i]);
    if (primary.size() == key.referenced_columns.size() && primary.size() == removal.table->codec_columns[0].size()) {
      KeyBuffer encoded;
      removal.table->codecs[0].encode(primary, encoded);
      const PartitionId partition = locate_key(*ctx_.shard, *removal.table, encoded, primary);
      RowView seen;
      if (partition != kNoPartition && find_row(*removal.table, partition, encoded, view, &seen)) co_return Status{};
    }
  }
  // An index that begins with the key's columns, in any order; else the whole table.
  std::size_t index = 0;
  std::vector<Value> prefix;
  for (std::size_t i = 0; i < table->indexes.size() && prefix.empty(); ++i) {
    if (table->indexes[i].global_table != 0 || (i == 0 && table->hidden_row_number)) continue;
    if (table->is_computed(static_cast<unsigned>(i)) || table->codec_columns[i].size() < key.columns.size()) continue;
    std::vector<Value> values;
    for (std::size_t c = 0; c < key.columns.size(); ++c)
      for (std::size_t k = 0; k < key.columns.size(); ++k)
        if (key.columns[k] == table->codec_columns[i][c]) values.push_back(removal.old_values[k]);
    if (values.size() != key.columns.size()) continue;
    bool fits = true;
    for (std::size_t c = 0; c < values.size(); ++c) fits = fits && table->codecs[i].fits(static_cast<unsigned>(c), values[c]);
    if (!fits) co_return Status{};   // no row of the table can hold that value
    index = i;
    prefix = std::move(values);
  }
  ScanRange range;
  if (!prefix.empty()) {
    table->codecs[index].encode(prefix, range.lower);
    range.upper = range.lower;
    range.has_lower = true;
    range.has_upper = KeyCodec::successor(range.upper);
    range.upper_inclusive = false;
  }
  Arena memory(ctx_.memory_limit());
  std::vector<Target> targets;
  TableScan scan;
  TableScan::Options options;
  options.index = static_cast<unsigned>(index);
  scan.open(table, options, range);
  RowView row;
  KeyBuffer primary;
  while (scan.next(view, &row)) {
    bool refers = true;
    for (std::size_t i = 0; i < key.columns.size() && refers; ++i)
      refers = same_value(*table, key.columns[i], table->layouts->read(row.layout, row.row, key.columns[i]), removal.old_values[i]);
    if (refers) {
      if (action == 'a' || action == 'r') {
        ctx_.transaction->raise_answer_floor(view.floor);
        co_return still_referenced(removal);
      }
      table->codecs[0].encode_from_row(*table->layouts, row.layout, row.row, table->codec_columns[0], primary);
      const std::string_view copied = memory.copy(primary.ref().view());
      targets.push_back({row.partition, {copied.data(), static_cast<std::uint32_t>(copied.size())}, nullptr});
    }
    if (ctx_.out_of_budget()) {
      scan.pause();
      ctx_.shard->hold_snapshot(view.snapshot);
      Status status = co_await ctx_.next_share();
      ctx_.shard->release_snapshot(view.snapshot);
      if (!status.ok()) co_return status;
    }
  }
  scan.pause();
  ctx_.transaction->raise_answer_floor(view.floor);
  if (targets.empty()) co_return Status{};
  std::vector<Value> values(key.columns.size());
  if (action == 'c' && !removal.new_values.empty()) values = removal.new_values;
  if (action == 'd') {
    // SET DEFAULT: only a column without a default expression can be given its default here.
    for (std::size_t i = 0; i < key.columns.size(); ++i)
      if (!table->columns[key.columns[i]].default_expression.empty())
        co_return Status(sqlstate::feature_not_supported, "SET DEFAULT of a column that has a default is not supported");
  }
  ActionMutation mutation(key, values);
  mutation.deletes = action == 'c' && removal.new_values.empty();
  for (const std::uint16_t column : key.columns) {
    const auto has = [&](const std::vector<std::uint16_t>& columns) { return std::find(columns.begin(), columns.end(), column) != columns.end(); };
    mutation.key_changes = mutation.key_changes || has(table->codec_columns[0]) || has(table->placement.columns);
  }
  WANDIAN_CO_TRY(co_await driver_.mutate(table, targets, mutation, removal.depth + 1, nullptr));
  co_return Status{};
}

}  // namespace wandian::sql
