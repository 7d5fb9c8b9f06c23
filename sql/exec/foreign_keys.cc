#include "sql/exec/foreign_keys.h"

#include <algorithm>

#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "sql/exec/modify.h"
#include "sql/exec/table_access.h"
#include "sql/expr/expression.h"
#include "sql/index_expressions.h"

namespace wandian::sql {

namespace {

bool same_value(const TableDef& table, std::uint16_t column, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) return a.is_null && b.is_null;
  const TypeInfo* type = find_type(table.columns[column].type);
  if (type == nullptr || type->order == Order::kNone) return a.bytes() == b.bytes();
  return compare_values(type->order, a, b) == 0;
}

// Where the row is that a foreign key's values refer to: in the table, or in that of a global index.
struct Referenced {
  std::shared_ptr<const TableDef> table;
  PartitionId partition = kNoPartition;
  KeyBuffer key;
};

std::size_t referenced_index(const TableDef& table, const ForeignKeyDef& key) {
  for (std::size_t i = 0; i < table.indexes.size(); ++i)
    if (table.indexes[i].oid == key.referenced_index) return i;
  return 0;
}

// Whether the row that a key refers to is found by looking into an index of each partition, at a view of everything committed.
bool is_looked_for_by_scan(const TableDef& table, const ForeignKeyDef& key) {
  const std::size_t index = referenced_index(table, key);
  return index != 0 && table.indexes[index].global_table == 0;
}

// False: there is no such row. Where only a row's own key tells its place, it is there as the transaction sees it; elsewhere it
// is for the caller to find out.
bool locate_referenced(ExecContext& ctx, const std::shared_ptr<const TableDef>& table, const ForeignKeyDef& key, std::span<const Value> given,
                       ReadView& view, Referenced* out) {
  const std::size_t index = referenced_index(*table, key);
  const IndexDef& definition = table->indexes[index];
  // The values in the order of the index's columns.
  std::vector<Value> values;
  for (std::size_t part = 0; part < definition.key_parts; ++part)
    for (std::size_t i = 0; i < key.referenced_columns.size(); ++i)
      if (key.referenced_columns[i] == definition.parts[part].column) values.push_back(given[i]);
  if (values.size() != definition.key_parts) return false;
  out->table = table;
  if (index == 0 || definition.global_table != 0) {
    if (definition.global_table != 0) out->table = ctx.env->catalog->table(definition.global_table);
    if (out->table == nullptr) return false;
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!out->table->codecs[0].fits(static_cast<unsigned>(i), values[i])) return false;
    out->table->codecs[0].encode(values, out->key);
    out->partition = locate_key(*ctx.shard, *out->table, out->key, values);
    return out->partition != kNoPartition;
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!table->codecs[index].fits(static_cast<unsigned>(i), values[i])) return false;
  TableScan scan;
  TableScan::Options options;
  options.index = static_cast<unsigned>(index);
  scan.open(table, options, ScanRange::prefix(table->codecs[index], values));
  RowView seen;
  const bool found = scan.next(view, &seen);
  ctx.transaction->raise_answer_floor(view.floor);
  if (!found) return false;
  table->codecs[0].encode_from_row(*table->layouts, seen.layout, seen.row, table->codec_columns[0], out->key);
  out->partition = seen.partition;
  return true;
}

}  // namespace

bool ForeignKeys::are_checked(const TableDef& table) const {
  return table.key_checks == 'A' || (table.key_checks != 'D' && (table.key_checks == 'R') == ctx_.env->is_replica);
}

Status ForeignKeys::written(const std::shared_ptr<const TableDef>& table, std::span<const Value> values, const Value* old_values) {
  if (!are_checked(*table)) return {};
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
    Check check{table, &key, {}, false};
    std::string seen(reinterpret_cast<const char*>(&key.oid), sizeof key.oid);
    for (const std::uint16_t column : key.columns) {
      const bool by_value = is_by_value(table->columns[column].type);
      if (by_value) seen.append(reinterpret_cast<const char*>(&values[column].i), sizeof(std::int64_t));
      else seen.append(values[column].bytes()).push_back('\0');
    }
    if (!seen_.insert(std::move(seen)).second) continue;   // this statement checks that key already
    if (ctx_.env->deferred != nullptr && ctx_.env->deferred->is_deferred(key)) {
      std::vector<Oid> types;
      for (const std::uint16_t column : key.columns) check.values.push_back(values[column]), types.push_back(table->columns[column].type);
      ctx_.env->deferred->add({table->oid, key.oid, DeferredConstraints::Kind::kReference, check.values}, types);
      continue;
    }
    for (const std::uint16_t column : key.columns)
      check.values.push_back(is_by_value(table->columns[column].type) ? values[column] : copy_bytes(values[column], ctx_.statement));
    checks_.push_back(std::move(check));
  }
  return {};
}

namespace {

// The index of a partition that an index of a table above it has its part in.
Oid index_below(const Catalog& catalog, const TableDef& leaf, Oid above) {
  for (const IndexDef& index : leaf.indexes) {
    Oid oid = index.oid, parent = index.parent;
    for (std::shared_ptr<const TableDef> table = catalog.table(leaf.partition_of); oid != above && parent != 0 && table != nullptr; table = catalog.table(table->partition_of)) {
      oid = parent;
      parent = 0;
      for (const IndexDef& one : table->indexes)
        if (one.oid == oid) parent = one.parent;
    }
    if (oid == above) return index.oid;
  }
  return 0;
}

}  // namespace

bool ForeignKeys::find_way(const std::shared_ptr<const TableDef>& table, const ForeignKeyDef& key, std::span<const Value> values, Way* out) {
  *out = {table, &key};
  if (!table->is_partitioned()) return true;
  std::unique_ptr<PartitionTree>& tree = trees_[table->oid];
  if (tree == nullptr || tree->root().table != table) tree = std::make_unique<PartitionTree>(*ctx_.env->catalog, table);
  // A unique constraint has all columns of the partition key.
  std::vector<Value> row(table->columns.size(), Value::null());
  for (std::size_t i = 0; i < key.referenced_columns.size(); ++i) row[key.referenced_columns[i]] = values[i];
  const Result<const PartitionNode*> leaf = tree->route(row, *ctx_.env->catalog, ctx_.eval(0));
  if (!leaf.ok()) return false;
  out->table = leaf.value()->table;
  std::unique_ptr<ForeignKeyDef>& way = ways_[{key.oid, out->table->oid}];
  if (way == nullptr) {
    way = std::make_unique<ForeignKeyDef>(key);
    way->referenced_table = out->table->oid;
    way->referenced_index = index_below(*ctx_.env->catalog, *out->table, key.referenced_index);
    for (std::uint16_t& column : way->referenced_columns) column = leaf.value()->columns[column];
  }
  out->key = way.get();
  return true;
}

Status ForeignKeys::removed(const std::shared_ptr<const TableDef>& table, std::span<const Value> old_values, const Value* new_values,
                            unsigned depth) {
  WANDIAN_TRY(removed_from(table, *table, {}, old_values, new_values, depth));
  const Catalog& catalog = *ctx_.env->catalog;
  for (std::shared_ptr<const TableDef> above = table; above->partition_of != 0;) {
    above = catalog.table(above->partition_of);
    if (above == nullptr) break;
    if (!above->referencing.empty()) WANDIAN_TRY(removed_from(above, *table, ColumnMap(*above, *table), old_values, new_values, depth));
  }
  return {};
}

// `columns`: what the values call the table's columns.
Status ForeignKeys::removed_from(const std::shared_ptr<const TableDef>& table, const TableDef& partition, const ColumnMap& columns, std::span<const Value> old_values,
                                 const Value* new_values, unsigned depth) {
  if (!are_checked(*table)) return {};
  for (const Oid oid : table->referencing) {
    const std::shared_ptr<const TableDef> referencing = ctx_.env->catalog->table(oid);
    if (referencing == nullptr || referencing->is_partitioned()) continue;   // its partitions have the rows, and the key
    for (const ForeignKeyDef& key : referencing->foreign_keys) {
      if (key.referenced_table != table->oid) continue;
      bool null = false, same = new_values != nullptr;
      for (const std::uint16_t theirs : key.referenced_columns) {
        const std::uint16_t column = columns[theirs];
        null = null || old_values[column].is_null;
        same = same && same_value(*table, theirs, old_values[column], new_values[column]);
      }
      if (null || same) continue;
      const char action = new_values == nullptr ? key.on_delete : key.on_update;
      if (action == 'a' && ctx_.env->deferred != nullptr && ctx_.env->deferred->is_deferred(key)) {
        std::vector<Value> values;
        std::vector<Oid> types;
        for (const std::uint16_t column : key.referenced_columns) values.push_back(old_values[columns[column]]), types.push_back(table->columns[column].type);
        ctx_.env->deferred->add({referencing->oid, key.oid, DeferredConstraints::Kind::kRemoval, values}, types);
        continue;
      }
      Removal removal{table, partition.name, referencing, &key, {}, {}, depth};
      for (const std::uint16_t theirs : key.referenced_columns) {
        const std::uint16_t column = columns[theirs];
        const bool by_value = is_by_value(table->columns[theirs].type);
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
    } else if (!checks_.empty()) {
      WANDIAN_CO_TRY(co_await check_all());
    } else {
      WANDIAN_CO_TRY(co_await check_uniques());
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
  return Status(sqlstate::foreign_key_violation, "update or delete on table \"" + removal.name + "\" violates foreign key constraint \"" +
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
  std::vector<std::pair<RowOp*, const Check*>> ops;
  for (const Check& check : checks) {
    const std::shared_ptr<const TableDef> table = ctx_.env->catalog->table(check.key->referenced_table);
    if (table == nullptr) co_return violation(check);
    Referenced place;
    ReadView view;
    Way way;
    const bool there = find_way(table, *check.key, check.values, &way);
    if (there && is_looked_for_by_scan(*way.table, *way.key))
      while (!ctx_.transaction->newest_view(&view)) WANDIAN_CO_TRY(co_await ctx_.next_share());
    if (!there || !locate_referenced(ctx_, way.table, *way.key, check.values, view, &place)) {
      WANDIAN_CO_TRY(co_await missing(check));
      continue;
    }
    const std::string_view copied = writer.inputs().copy(place.key.ref().view());
    RowOp& op = writer.add(place.table, place.partition, {copied.data(), static_cast<std::uint32_t>(copied.size())});
    op.kind = RowOp::Kind::kLock;
    op.lock = RowLock::kKeyShare;
    ops.emplace_back(&op, &check);
  }
  WANDIAN_CO_TRY(co_await writer.send());
  for (const auto& [op, check] : ops) {
    if (op->outcome == RowOutcome::kMoved)
      co_return Status(sqlstate::serialization_failure, "tuple to be locked was already moved to another partition due to concurrent update");
    if (op->outcome != RowOutcome::kLocked) WANDIAN_CO_TRY(co_await missing(*check));
  }
  co_return Status{};
}

Status ForeignKeys::written_unique(const std::shared_ptr<const TableDef>& table, std::span<const Value> values, const Value* old_values) {
  if (!are_checked(*table)) return {};
  for (std::size_t i = 0; i < table->indexes.size(); ++i) {
    const IndexDef& index = table->indexes[i];
    if (!index.checked_later()) continue;
    Arena arena;
    std::vector<Value> key, before;
    WANDIAN_TRY(key_part_values(*table, i, values, arena, &key));
    if (key.empty() || (!index.nulls_not_distinct && std::any_of(key.begin(), key.end(), [](const Value& value) { return value.is_null; }))) continue;
    if (old_values != nullptr) {
      WANDIAN_TRY(key_part_values(*table, i, {old_values, values.size()}, arena, &before));
      KeyBuffer a, b;
      table->codecs[i].encode(key, a);
      if (!before.empty()) table->codecs[i].encode(before, b);
      if (a.ref() == b.ref()) continue;
    }
    std::vector<Oid> types;
    for (std::size_t p = 0; p < key.size(); ++p) types.push_back(key_part_type(*table, index.parts[p]));
    if (ctx_.env->deferred != nullptr && ctx_.env->deferred->is_deferred(index)) {
      ctx_.env->deferred->add({table->oid, index.constraint, DeferredConstraints::Kind::kUnique, key}, types);
      continue;
    }
    for (std::size_t p = 0; p < key.size(); ++p)
      if (!key[p].is_null) key[p] = copy_value(types[p], key[p], ctx_.statement);
    uniques_.push_back({table, i, std::move(key)});
  }
  return {};
}

// A key may be in every partition, so each is asked how many rows have it there.
Task<Status> ForeignKeys::check_uniques() {
  const std::vector<Unique> uniques = std::move(uniques_);
  uniques_.clear();
  RowWriter writer(ctx_);
  std::vector<std::pair<RowOp*, const Unique*>> ops;
  for (const Unique& unique : uniques) {
    KeyBuffer key;
    unique.table->codecs[unique.index].encode(unique.values, key);
    const std::string_view copied = writer.inputs().copy(key.ref().view());
    const PartitionId end = unique.table->storage->highest.load(std::memory_order_acquire);
    for (PartitionId partition = 0; partition < end; ++partition) {
      if (unique.table->storage->find(partition) == nullptr) continue;
      RowOp& op = writer.add(unique.table, partition, {copied.data(), static_cast<std::uint32_t>(copied.size())});
      op.kind = RowOp::Kind::kCount;
      op.index = static_cast<std::uint16_t>(unique.index);
      ops.emplace_back(&op, &unique);
    }
  }
  WANDIAN_CO_TRY(co_await writer.send());
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (i != 0 && ops[i].second != ops[i - 1].second) found = 0;
    found += ops[i].first->found;
    if (found < 2) continue;
    const Unique& unique = *ops[i].second;
    const IndexDef& index = unique.table->indexes[unique.index];
    co_return Status(sqlstate::unique_violation, "duplicate key value violates unique constraint \"" + index.name + "\"")
        .with_detail(describe_index_parts(*unique.table, index, unique.values, ctx_.eval(0)) + " already exists.")
        .with_table(schema_name(*ctx_.env->catalog, unique.table->schema), unique.table->name)
        .with_constraint(index.name);
  }
  co_return Status{};
}

// What a key refers to is not there. That matters to a check that was put off only if the key still is.
Task<Status> ForeignKeys::missing(const Check& check) {
  if (!check.deferred) co_return violation(check);
  Arena memory(ctx_.memory_limit());
  std::vector<Target> referring;
  WANDIAN_CO_TRY(co_await find_referring(check.table, *check.key, check.values, true, memory, &referring));
  if (referring.empty()) co_return Status{};
  co_return violation(check);
}

void ForeignKeys::take_deferred(const DeferredConstraints::Event& event) {
  const std::shared_ptr<const TableDef> table = ctx_.env->catalog->table(event.table);
  if (table == nullptr) return;   // dropped since
  if (event.kind == DeferredConstraints::Kind::kUnique)
    for (std::size_t i = 0; i < table->indexes.size(); ++i)
      if (table->indexes[i].constraint == event.constraint) uniques_.push_back({table, i, {event.values.begin(), event.values.end()}});
  for (const ForeignKeyDef& key : table->foreign_keys) {
    if (key.oid != event.constraint) continue;
    const std::vector<Value> values(event.values.begin(), event.values.end());
    if (event.kind == DeferredConstraints::Kind::kReference) checks_.push_back({table, &key, values, true});
    else if (const auto referenced = ctx_.env->catalog->table(key.referenced_table)) removals_.push_back({referenced, referenced->name, table, &key, values, {}, 0});
  }
}

namespace {

class ActionMutation final : public Mutation {
 public:
  ActionMutation(std::span<const std::uint16_t> columns, std::span<const Value> values) : columns_(columns), values_(values) {}
  Status decide(const Target&, bool, std::span<Value> row, Decision*) override {
    if (deletes) return {};
    for (std::size_t i = 0; i < columns_.size(); ++i) row[columns_[i]] = values_[i];
    return {};
  }
  Status done(const Target&, std::span<const Value>, std::span<const Value>) override { return {}; }

 private:
  std::span<const std::uint16_t> columns_;
  std::span<const Value> values_;
};

}  // namespace

// Whether the key that is gone is there again, in the same row or another one.
bool ForeignKeys::is_referenced_again(const Removal& removal, ReadView& view) {
  Referenced place;
  RowView seen;
  Way way;
  return find_way(removal.table, *removal.key, removal.old_values, &way) && locate_referenced(ctx_, way.table, *way.key, removal.old_values, view, &place) &&
         find_row(*place.table, place.partition, place.key, view, &seen);
}

Task<Status> ForeignKeys::find_referring(std::shared_ptr<const TableDef> table, const ForeignKeyDef& key, std::span<const Value> values, bool any,
                                         Arena& memory, std::vector<Target>* out) {
  ReadView view;
  while (!ctx_.transaction->newest_view(&view)) WANDIAN_CO_TRY(co_await ctx_.next_share());
  // An index that begins with the key's columns, in any order; else the whole table.
  std::size_t index = 0;
  std::vector<Value> prefix;
  for (std::size_t i = 0; i < table->indexes.size() && prefix.empty(); ++i) {
    if (table->indexes[i].global_table != 0 || (i == 0 && table->hidden_row_number)) continue;
    if (table->is_computed(static_cast<unsigned>(i)) || table->codec_columns[i].size() < key.columns.size()) continue;
    std::vector<Value> ordered;
    for (std::size_t c = 0; c < key.columns.size(); ++c)
      for (std::size_t k = 0; k < key.columns.size(); ++k)
        if (key.columns[k] == table->codec_columns[i][c]) ordered.push_back(values[k]);
    if (ordered.size() != key.columns.size()) continue;
    bool fits = true;
    for (std::size_t c = 0; c < ordered.size(); ++c) fits = fits && table->codecs[i].fits(static_cast<unsigned>(c), ordered[c]);
    if (!fits) co_return Status{};   // no row of the table can hold that value
    index = i;
    prefix = std::move(ordered);
  }
  TableScan scan;
  TableScan::Options options;
  options.index = static_cast<unsigned>(index);
  scan.open(table, options, prefix.empty() ? ScanRange{} : ScanRange::prefix(table->codecs[index], prefix));
  RowView row;
  KeyBuffer primary;
  while (scan.next(view, &row)) {
    bool refers = true;
    for (std::size_t i = 0; i < key.columns.size() && refers; ++i)
      refers = same_value(*table, key.columns[i], table->layouts->read(row.layout, row.row, key.columns[i]), values[i]);
    if (refers) {
      table->codecs[0].encode_from_row(*table->layouts, row.layout, row.row, table->codec_columns[0], primary);
      const std::string_view copied = memory.copy(primary.ref().view());
      out->push_back({row.partition, {copied.data(), static_cast<std::uint32_t>(copied.size())}, nullptr});
      if (any) break;
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
  co_return Status{};
}

// The defaults of some columns, in the statement's memory.
Result<std::vector<Value>> ForeignKeys::default_values(const TableDef& table, std::span<const std::uint16_t> columns) {
  std::vector<Value> out;
  for (const std::uint16_t column : columns) {
    const ColumnDef& def = table.columns[column];
    Value& value = out.emplace_back();
    if (def.default_expression.empty()) continue;
    StandaloneOptions options;
    options.use = StandaloneUse::kDefault;
    options.fold = true;
    options.target_type = def.type;
    options.target_typmod = def.typmod;
    options.target_name = def.name;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(def.default_expression, definition_context(*ctx_.env->catalog, table), options));
    EvalContext& eval = ctx_.eval(0);
    WANDIAN_ASSIGN(const Value computed, evaluate_constant(*bound.expr, eval));
    value = computed.is_null ? Value::null() : copy_value(def.type, computed, ctx_.statement);
  }
  return out;
}

// Of a partition's copy of a key, the partitioned table that has the key itself.
std::shared_ptr<const TableDef> ForeignKeys::declared_for(std::shared_ptr<const TableDef> table, const ForeignKeyDef& key) const {
  for (Oid parent = key.parent; parent != 0;) {
    std::shared_ptr<const TableDef> above = ctx_.env->catalog->table(table->partition_of);
    if (above == nullptr) break;
    const auto found = std::find_if(above->foreign_keys.begin(), above->foreign_keys.end(), [&](const ForeignKeyDef& own) { return own.oid == parent; });
    if (found == above->foreign_keys.end()) break;
    parent = found->parent;
    table = std::move(above);
  }
  return table;
}

// What a foreign key's action does about the rows that refer to a key that is gone.
Task<Status> ForeignKeys::follow(const Removal& removal) {
  const std::shared_ptr<const TableDef>& table = removal.referencing;
  const ForeignKeyDef& key = *removal.key;
  const bool deleted = removal.new_values.empty();
  const char action = driver_ == nullptr ? 'a' : deleted ? key.on_delete : key.on_update;
  // Each key's action is a command of its own: it finds, and changes once more, what the one before has changed.
  ctx_.transaction->next_command();
  // The referenced row is locked, so nobody new can refer to it; what refers to it already is committed or waits for us.
  ReadView view;
  while (!ctx_.transaction->newest_view(&view)) WANDIAN_CO_TRY(co_await ctx_.next_share());
  // NO ACTION looks at the end: the key may be there again.
  if (action == 'a' && is_referenced_again(removal, view)) co_return Status{};
  const bool refuses = action == 'a' || action == 'r';
  Arena memory(ctx_.memory_limit());
  std::vector<Target> targets;
  // The action is a statement on the table that the key was declared for, whether or not it finds rows.
  const std::shared_ptr<const TableDef> declared = refuses ? nullptr : declared_for(table, key);
  if (!refuses) WANDIAN_CO_TRY(co_await driver_->before_action(declared, action == 'c' && deleted, key.columns));
  WANDIAN_CO_TRY(co_await find_referring(table, key, removal.old_values, refuses, memory, &targets));
  if (targets.empty()) {
    if (!refuses) driver_->after_action(declared, action == 'c' && deleted, key.columns);
    co_return Status{};
  }
  if (refuses) co_return still_referenced(removal);
  const bool some = deleted && (action == 'n' || action == 'd') && !key.delete_columns.empty();
  const std::vector<std::uint16_t>& columns = some ? key.delete_columns : key.columns;
  std::vector<Value> values(columns.size());
  if (action == 'c' && !deleted) values = removal.new_values;
  if (action == 'd') {
    Result<std::vector<Value>> defaults = default_values(*table, columns);
    if (!defaults.ok()) co_return defaults.take_status();
    values = defaults.take();
  }
  ActionMutation mutation(columns, values);
  mutation.deletes = action == 'c' && deleted;
  mutation.columns = columns;
  mutation.capture_table = declared;
  for (const std::uint16_t column : columns) {
    const auto has = [&](const std::vector<std::uint16_t>& list) { return std::find(list.begin(), list.end(), column) != list.end(); };
    mutation.key_changes = mutation.key_changes || has(table->codec_columns[0]) || has(table->placement.columns);
  }
  WANDIAN_CO_TRY(co_await driver_->mutate(table, targets, mutation, removal.depth + 1, nullptr));
  driver_->after_action(declared, mutation.deletes, columns);
  if (action != 'd') co_return Status{};
  // A default that is the key that went away changes nothing.
  targets.clear();
  ctx_.transaction->next_command();
  WANDIAN_CO_TRY(co_await find_referring(table, key, removal.old_values, true, memory, &targets));
  if (targets.empty()) co_return Status{};
  ReadView now;
  while (!ctx_.transaction->newest_view(&now)) WANDIAN_CO_TRY(co_await ctx_.next_share());
  if (is_referenced_again(removal, now)) co_return Status{};
  co_return still_referenced(removal);
}

}  // namespace wandian::sql
