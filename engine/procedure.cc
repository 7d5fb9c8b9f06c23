#include "engine/procedure.h"

#include <algorithm>
#include <boost/container/static_vector.hpp>

#include "engine/placement.h"
#include "engine/redo.h"
#include "engine/scan.h"
#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

// --- binding -----------------------------------------------------------------------------------------------------

ProcedureTable ProcedureBinder::table(std::string_view name, std::initializer_list<Oid> row) {
  ProcedureTable out;
  if (!status_.ok()) return out;
  const auto relation = catalog_->find_relation(schema_, name);
  if (!relation || relation->kind != Catalog::RelationName::Kind::kTable) {
    status_ = Status{sqlstate::undefined_table, "relation \"" + std::string(name) + "\" does not exist"};
    return out;
  }
  out.def_ = catalog_->table(relation->oid);
  for (const IndexDef& index : out.def_->indexes)
    if (index.checked_later()) {
      status_ = Status{sqlstate::feature_not_supported, "a procedure cannot bind table \"" + out.def_->name + "\", whose unique index \"" + index.name + "\" is checked at a statement's end"};
      return out;
    }
  out.insertable_ = std::equal(row.begin(), row.end(), out.def_->columns.begin(), out.def_->columns.end(),
                               [](Oid type, const ColumnDef& column) { return type == column.type && !column.dropped; });
  if (row.size() != 0 && !out.insertable_) {
    status_ = Status{sqlstate::datatype_mismatch, "table \"" + std::string(name) + "\" has other columns than the procedure fills"};
    return out;
  }
  if (out.def_->is_materialized_view()) {
    status_ = Status{sqlstate::feature_not_supported, "a procedure cannot use \"" + std::string(name) + "\", which is a materialized view"};
    return out;
  }
  if (out.def_->generator != nullptr) {
    status_ = Status{sqlstate::feature_not_supported, "a procedure cannot use table \"" + std::string(name) + "\", which has generated columns"};
    return out;
  }
  if (out.def_->is_partitioned() || out.def_->partition_of != 0) {
    status_ = Status{sqlstate::feature_not_supported, "a procedure cannot use table \"" + std::string(name) + "\", which is partitioned or a partition"};
    return out;
  }
  for (std::size_t i = 0; i < out.def_->indexes.size(); ++i) {
    // Whatever a computed index looks at: its entries are made again with every change.
    const bool computed = out.def_->is_computed(static_cast<unsigned>(i));
    std::vector<bool> columns(out.def_->layout_columns(), computed);
    for (const std::uint16_t column : out.def_->codec_columns[i])
      if (!computed) columns[column] = true;
    out.indexed_columns_.push_back(std::move(columns));
  }
  for (const ForeignKeyDef& key : out.def_->foreign_keys) {
    ProcedureTable::ForeignKey bound;
    bound.def = &key;
    bound.referenced = catalog_->table(key.referenced_table);
    if (bound.referenced->is_partitioned()) {
      status_ = Status{sqlstate::feature_not_supported, "a procedure cannot use table \"" + std::string(name) + "\", which refers to a partitioned table"};
      return out;
    }
    for (const std::uint16_t wanted : bound.referenced->codec_columns[0])
      for (std::size_t i = 0; i < key.referenced_columns.size(); ++i)
        if (key.referenced_columns[i] == wanted) bound.columns.push_back(key.columns[i]);
    // A check looks for the row by its primary key, so it has to be of that and of nothing else.
    if (bound.columns.size() != bound.referenced->codec_columns[0].size() || key.columns.size() != bound.columns.size()) bound.columns.clear();
    // Placed by the same key, the owner of one row owns the other.
    const Placement& own = out.def_->placement;
    const Placement& other = bound.referenced->placement;
    std::uint16_t placed_by = 0;
    bool colocated = own.kind == PlacementKind::kRegion && !bound.columns.empty();
    if (other.kind == PlacementKind::kDirectory) placed_by = bound.referenced->codec_columns[0][0];
    else if (other.kind == PlacementKind::kRegion) placed_by = other.columns[0];
    else colocated = false;
    if (colocated) {
      colocated = false;
      for (std::size_t i = 0; i < key.columns.size(); ++i)
        if (key.columns[i] == own.columns[0] && key.referenced_columns[i] == placed_by) colocated = true;
      // The key is encoded from the referencing row, so both have to be held alike.
      for (std::size_t i = 0; i < key.columns.size(); ++i)
        if (out.def_->columns[key.columns[i]].type != bound.referenced->columns[key.referenced_columns[i]].type) colocated = false;
    }
    bound.colocated = colocated;
    out.foreign_keys_.push_back(std::move(bound));
  }
  return out;
}

void ProcedureBinder::find_column(const ProcedureTable& table, std::string_view name, std::size_t width, std::uint16_t* index,
                                  std::uint32_t* offset) {
  if (!status_.ok()) return;
  const int found = table.def().find_column(name);
  if (found < 0) {
    status_ = Status{sqlstate::undefined_column, "column \"" + std::string(name) + "\" of relation \"" + table.def().name + "\" does not exist"};
    return;
  }
  const RowLayout& layout = table.def().layouts->newest();
  const Rep rep = layout.rep(static_cast<unsigned>(found));
  if (rep == Rep::kBytes || rep == Rep::kFixed16 || fixed_bytes(rep) != width) {
    status_ = Status{sqlstate::datatype_mismatch, "column \"" + std::string(name) + "\" of relation \"" + table.def().name +
                                                      "\" is not of the width that the procedure expects"};
    return;
  }
  *index = static_cast<std::uint16_t>(found);
  *offset = layout.slot_offset(static_cast<unsigned>(found));
}

unsigned ProcedureBinder::index(const ProcedureTable& table, std::string_view name) {
  if (!status_.ok()) return 0;
  for (std::size_t i = 0; i < table.def().indexes.size(); ++i)
    if (table.def().indexes[i].name == name && table.def().indexes[i].global_table == 0 && !table.def().is_computed(static_cast<unsigned>(i)))
      return static_cast<unsigned>(i);
  status_ = Status{sqlstate::undefined_object, "index \"" + std::string(name) + "\" does not exist"};
  return 0;
}

Status ProcedureTable::refuse_values() const {
  return Status{sqlstate::external_routine_exception, "the procedure fills table \"" + def_->name + "\" without having bound its columns"};
}

// --- outcomes ----------------------------------------------------------------------------------------------------

bool LocalContext::fail(Status status) {
  if (outcome_ == Outcome::kRunning) {
    outcome_ = Outcome::kFailed;
    status_ = std::move(status);
  }
  return false;
}

void LocalContext::notice(std::string message) {
  ErrorRecord record;
  record.severity = Severity::kNotice;
  record.code = sqlstate::successful_completion;
  record.message = std::move(message);
  notices_->push_back(std::move(record));
}

bool LocalContext::blocked(Row& row, TablePartition& partition, RowLock mode) {
  if (outcome_ != Outcome::kRunning) return false;
  outcome_ = Outcome::kBlocked;
  blocked_row_ = &row;
  blocked_partition_ = &partition;
  blocked_mode_ = mode;
  return false;
}

// True: the write has to wait until a transaction that has read what it changes has ended.
bool LocalContext::meets_mark(const TableDef& table, KeyRef key, const Version* before, const char* after) {
  if (!owner_->has_marks()) [[likely]] return false;
  const Marks::Write write{table, partition_, key, before == nullptr ? nullptr : before->row(),
                           before == nullptr ? std::uint16_t{0} : before->layout, after};
  TxnDescriptor* holder = owner_->mark_met_by(write, descriptor_);
  if (holder == nullptr) return false;
  if (outcome_ == Outcome::kRunning) {
    outcome_ = Outcome::kBlocked;
    blocked_mark_ = holder;
  }
  return true;
}

// SERIALIZABLE: the keys of an index that begin with `prefix` have been looked at.
void LocalContext::remember(const ProcedureTable& table, unsigned index, KeyRef prefix) {
  ReadSet::Range range;
  range.partition = partition_;
  range.index = static_cast<std::uint16_t>(index);
  range.slot = table.def().indexes[index].slot;
  range.has_lower = true;
  range.lower = prefix.view();
  KeyBuffer end(prefix);
  range.has_upper = KeyCodec::successor(end);
  if (range.has_upper) range.upper = end.ref().view();
  view_.reads->add_range(table.def(), std::move(range));
}

bool LocalContext::overtaken() {
  if (outcome_ == Outcome::kRunning) outcome_ = Outcome::kOvertaken;
  return false;
}

bool LocalContext::spend_slowly(std::uint32_t rows) {
  if (outcome_ != Outcome::kRunning) return false;
  if (rows <= rows_left_) {
    rows_left_ -= rows;
    if (shard_->database().env().clock().monotonic_us() < deadline_us_) return true;
  }
  return fail(Status{sqlstate::program_limit_exceeded, "local procedure exceeded its budget of rows or time"}
                  .with_hint("Split the work over several calls, or write it as a global procedure."));
}

// --- reading -----------------------------------------------------------------------------------------------------

TablePartition* LocalContext::partition_of(const ProcedureTable& table) const {
  return partition_ == kNoPartition ? nullptr : table.def().storage->find(partition_);
}

bool LocalContext::encode(const TableDef& table, unsigned index, std::initializer_list<std::int64_t> key, KeyBuffer* out) {
  return table.codecs[index].encode_integers(std::span<const std::int64_t>(key.begin(), key.size()), *out);
}

ProcedureRow LocalContext::see(const TableDef& table, Row* row) {
  const Version* version = visible_version(*row, view_);
  if (version == nullptr || version->tombstone()) return {};
  return {row, version, &table};
}

bool LocalContext::find(const ProcedureTable& table, std::initializer_list<std::int64_t> key, ProcedureRow* row) {
  *row = {};
  if (!spend(1)) return false;
  TablePartition* partition = partition_of(table);
  if (!encode(table.def(), 0, key, &key_)) return true;
  if (view_.reads != nullptr) [[unlikely]] remember(table, 0, key_);
  if (partition == nullptr) return true;
  if (auto* found = static_cast<Row*>(partition->index(0).find_own(key_))) *row = see(table.def(), found);
  return true;
}

bool LocalContext::find_anywhere(const ProcedureTable& table, std::initializer_list<std::int64_t> key, ProcedureRow* row) {
  *row = {};
  if (!spend(1)) return false;
  if (!encode(table.def(), 0, key, &key_)) return true;
  PartitionId partition = kNoPartition;
  if (table.def().placement.kind == PlacementKind::kKey) partition = hash_partition(key_);
  else if (table.def().placement.kind == PlacementKind::kDirectory) partition = shard_->database().placement().find(table.def().oid, key_);
  const TablePartition* storage = partition == kNoPartition ? nullptr : table.def().storage->find(partition);
  if (view_.reads != nullptr && partition != kNoPartition) [[unlikely]] view_.reads->add_point(table.def(), partition, key_);
  if (storage == nullptr) return true;
  if (auto* found = static_cast<Row*>(storage->index(0).find(key_))) *row = see(table.def(), found);
  return true;
}

// Turns a look at a prefix into one for the last key that begins with it. `end` holds the prefix and takes its successor; a
// prefix without one has no end, which a look cannot say.
static void set_last(OrderedIndex::Look& look, KeyBuffer& end) {
  look.lower = look.key;
  const bool bounded = KeyCodec::successor(end);
  look.want = bounded ? OrderedIndex::Want::kLast : OrderedIndex::Want::kPlace;
  if (bounded) look.key = end;
}

bool LocalContext::find_all(std::span<Lookup> lookups) {
  constexpr std::size_t kMost = 32;
  using Want = OrderedIndex::Want;
  if (lookups.size() > kMost) return fail(Status{sqlstate::program_limit_exceeded, "a local procedure looks up at most 32 rows at a time"});
  if (!spend(static_cast<std::uint32_t>(lookups.size()))) return false;
  // Made as they are needed: most calls look up a few.
  boost::container::static_vector<KeyBuffer, 2 * kMost> keys;
  boost::container::static_vector<OrderedIndex::Look, kMost> looks;
  std::uint8_t of[kMost];
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    Lookup& lookup = lookups[i];
    lookup.row = {};
    TablePartition* partition = partition_of(*lookup.table);
    if (partition == nullptr && view_.reads == nullptr) continue;
    KeyBuffer& key = keys.emplace_back();
    if (!lookup.table->def().codecs[lookup.index].encode_integers(std::span(lookup.key).first(lookup.parts), key)) continue;
    if (view_.reads != nullptr) [[unlikely]] {
      if (lookup.want != Want::kPlace) remember(*lookup.table, lookup.index, key);
      if (partition == nullptr) continue;
    }
    of[looks.size()] = static_cast<std::uint8_t>(i);
    OrderedIndex::Look& look = looks.emplace_back(OrderedIndex::Look{&partition->index(lookup.table->def(), lookup.index), key, lookup.want});
    if (lookup.want == Want::kLast || (lookup.want == Want::kExact && lookup.index != 0)) set_last(look, keys.emplace_back(key));
  }
  OrderedIndex::look_ahead(looks);
  for (const OrderedIndex::Look& look : looks)
    if (look.found != nullptr) __builtin_prefetch(static_cast<Row*>(look.found)->head.load(std::memory_order_acquire));
  for (std::size_t i = 0; i < looks.size(); ++i) {
    Lookup& lookup = lookups[of[i]];
    if (lookup.want == Want::kLast) {
      if (!take_last(*lookup.table, *partition_of(*lookup.table), looks[i], &lookup.row)) return false;
    } else if (lookup.want == Want::kExact && lookup.index != 0) {
      take_unique(*lookup.table, lookup.index, looks[i], &lookup.row);
    } else if (lookup.want == Want::kExact) {
      if (looks[i].found != nullptr) lookup.row = see(lookup.table->def(), static_cast<Row*>(looks[i].found));
    }
  }
  return true;
}

bool LocalContext::find_unique(const ProcedureTable& table, unsigned index, std::initializer_list<std::int64_t> key, ProcedureRow* row) {
  *row = {};
  if (!spend(1)) return false;
  TablePartition* partition = partition_of(table);
  if (!encode(table.def(), index, key, &key_)) return true;
  if (view_.reads != nullptr) [[unlikely]] remember(table, index, key_);
  if (partition != nullptr) seek_unique(table, partition->index(index), index, key_, row);
  return true;
}

// Entries of a unique index are those of its versions: of the rows that are seen at most one has the key.
void LocalContext::seek_unique(const ProcedureTable& table, OrderedIndex& index, unsigned number, KeyRef key, ProcedureRow* row) {
  KeyBuffer own;
  OrderedIndex::Cursor cursor(index);
  bool on = index.seek_prefix(key, cursor);
  if (!on) remember_absent(index, key);
  for (; on; on = cursor.next()) {
    const ProcedureRow seen = see(table.def(), static_cast<Row*>(cursor.value()));
    if (!seen) continue;
    table.def().codecs[number].encode_from_row(*table.def().layouts, seen.version->layout, seen.version->row(), table.def().codec_columns[number], own);
    if (!(own.ref() == cursor.key())) continue;
    *row = seen;
    break;
  }
}

// By a look for the last entry of the key: that there is none is most often what a request's key is looked up for.
void LocalContext::take_unique(const ProcedureTable& table, unsigned number, const OrderedIndex::Look& look, ProcedureRow* row) {
  if (look.want == OrderedIndex::Want::kLast && look.known && look.found == nullptr) remember_absent(*look.index, look.lower);
  else seek_unique(table, *look.index, number, look.lower, row);
}

void LocalContext::remember_absent(const OrderedIndex& index, KeyRef key) {
  absent_from_ = &index;
  absent_.assign(key);
}

bool LocalContext::find_last(const ProcedureTable& table, std::initializer_list<std::int64_t> prefix, ProcedureRow* row) {
  *row = {};
  if (!spend(1)) return false;
  TablePartition* partition = partition_of(table);
  if (!encode(table.def(), 0, prefix, &key_)) return true;
  if (view_.reads != nullptr) [[unlikely]] remember(table, 0, key_);
  if (partition == nullptr) return true;
  KeyBuffer end(key_.ref());
  OrderedIndex::Look look{&partition->index(0), key_, OrderedIndex::Want::kLast};
  set_last(look, end);
  OrderedIndex::look_ahead(std::span(&look, 1));
  return take_last(table, *partition, look, row);
}

// The newest row of those that the look is for: what it found, or the one before if that is gone.
bool LocalContext::take_last(const ProcedureTable& table, TablePartition& partition, const OrderedIndex::Look& look, ProcedureRow* row) {
  // Whether the search is over.
  const auto take = [&](Row* anchor) {
    const Owner::Head head = Owner::look_at(*anchor, descriptor_);
    if (head.state == Owner::HeadState::kHeldByOther && (head.version->flags & Version::kExclusive) != 0) {
      blocked(*anchor, partition, RowLock::kKeyShare);
      return true;
    }
    if (head.state == Owner::HeadState::kCommitted) view_.raise_floor(head.lsn);
    if (head.version->tombstone()) return false;
    *row = {anchor, head.version, &table.def()};
    return true;
  };
  const bool bounded = look.want == OrderedIndex::Want::kLast;
  if (bounded && look.known && (look.found == nullptr || take(static_cast<Row*>(look.found)))) return outcome_ == Outcome::kRunning;
  OrderedIndex::Cursor cursor(*look.index);
  cursor.stop_at(look.lower, true);
  for (bool on = bounded ? cursor.seek_last(look.key, false) : cursor.seek_last(); on; on = cursor.prev())
    if (take(static_cast<Row*>(cursor.value()))) break;
  return outcome_ == Outcome::kRunning;
}

bool LocalContext::find_range(const ProcedureTable& table, std::initializer_list<std::int64_t> prefix, std::vector<ProcedureRow>* rows) {
  TablePartition* partition = partition_of(table);
  if (!encode(table.def(), 0, prefix, &key_)) return true;
  if (view_.reads != nullptr) [[unlikely]] remember(table, 0, key_);
  if (partition == nullptr) return true;
  OrderedIndex::Cursor cursor(partition->index(0));
  for (bool on = partition->index(0).seek_prefix(key_, cursor); on; on = cursor.next()) {
    if (!spend(1)) return false;
    if (const ProcedureRow seen = see(table.def(), static_cast<Row*>(cursor.value()))) rows->push_back(seen);
  }
  return true;
}

// --- writing -----------------------------------------------------------------------------------------------------

namespace {

std::string key_detail(const TableDef& table, std::span<const std::uint16_t> columns, const char* bytes, std::string_view ending) {
  std::string names, values;
  for (const std::uint16_t column : columns) {
    if (column >= table.columns.size()) continue;
    if (!names.empty()) names += ", ", values += ", ";
    names += table.columns[column].name;
    const Value value = table.layouts->newest().read(bytes, column);
    const TypeInfo* type = find_type(table.columns[column].type);
    if (value.is_null) values += "null";
    else if (type->rep == Rep::kBytes) values += value.bytes();
    else values += std::to_string(value.i);
  }
  return "Key (" + names + ")=(" + values + ") " + std::string(ending);
}

std::span<const std::uint16_t> key_columns(const TableDef& table, unsigned index) {
  const IndexDef& def = table.indexes[index];
  if (table.is_computed(index)) return {};   // what is equal is no column
  const std::size_t parts = def.key_parts == 0 ? def.parts.size() : def.key_parts;
  return {table.codec_columns[index].data(), std::min(parts, table.codec_columns[index].size())};
}

}  // namespace

bool LocalContext::check_row(const ProcedureTable& table, const char* bytes) {
  const TableDef& def = table.def();
  if (def.row_checks == nullptr) return true;
  Status status = def.row_checks->check(def, bytes);
  return status.ok() || fail(std::move(status));
}

// What a procedure writes has to lie where its key does: nobody would find it elsewhere.
bool LocalContext::check_placement(const TableDef& table, std::span<const Value> values) {
  const Placement& placement = table.placement;
  const bool by_directory = placement.kind == PlacementKind::kRegion;
  if (by_directory && last_directory_ == placement.directory && !values[placement.columns[0]].is_null &&
      last_placed_ == values[placement.columns[0]].i) [[likely]]
    return true;
  Result<PartitionId> place = place_row(shard_->database().placement(), table, *shard_->catalog(), values, true);
  if (!place.ok()) return fail(place.take_status());
  if (place.value() != partition_)
    return fail(Status{sqlstate::feature_not_supported, "a local procedure cannot write a row of table \"" + table.name + "\" that belongs to another partition than its key"}
                    .with_hint("Write it in a global procedure."));
  if (by_directory) {
    last_directory_ = placement.directory;
    last_placed_ = values[placement.columns[0]].i;
  }
  return true;
}

bool LocalContext::check_foreign_keys(const ProcedureTable& table, const char* bytes, std::span<const Value> values) {
  const TableDef& def = table.def();
  for (const ProcedureTable::ForeignKey& foreign : table.foreign_keys_) {
    const TableDef& referenced = *foreign.referenced;
    if (!foreign.colocated)
      return fail(Status{sqlstate::feature_not_supported, "a local procedure cannot check foreign key constraint \"" + foreign.def->name +
                                                              "\", which leads to another partition"}
                      .with_hint("Write the rows in a global procedure."));
    bool null = false;
    for (const std::uint16_t column : foreign.columns) null = null || values[column].is_null;
    if (null) continue;
    referenced.codecs[0].encode_columns(values, foreign.columns, key_);
    if (last_foreign_table_ == &referenced && last_foreign_.ref() == key_.ref()) continue;
    if (!spend(1)) return false;
    TablePartition* partition = referenced.storage->find(partition_);
    Row* row = partition == nullptr ? nullptr : static_cast<Row*>(partition->index(0).find_own(key_));
    bool there = false;
    if (row != nullptr) {
      const Owner::Head head = Owner::look_at(*row, descriptor_);
      if (head.state == Owner::HeadState::kHeldByOther) {
        if ((head.version->flags & Version::kExclusive) != 0) return blocked(*row, *partition, RowLock::kKeyShare);
        there = true;
      } else {
        there = !head.version->tombstone();
        if (head.state == Owner::HeadState::kCommitted) view_.raise_floor(head.lsn);
      }
      // Until this transaction commits, nobody may delete the row: within the turn nobody can, over a longer one a lock holds it.
      if (there && in_block_) owner_->add_lock(*transaction_, *partition, *row, RowLock::kKeyShare, command_);
    }
    if (!there)
      return fail(Status{sqlstate::foreign_key_violation, "insert or update on table \"" + def.name + "\" violates foreign key constraint \"" +
                                                              foreign.def->name + "\""}
                      .with_detail(key_detail(def, foreign.columns, bytes, "is not present in table \"" + referenced.name + "\"."))
                      .with_table("public", def.name)
                      .with_constraint(foreign.def->name));
    last_foreign_table_ = &referenced;
    last_foreign_.assign(key_);
  }
  return true;
}

bool LocalContext::insert(const ProcedureTable& table, std::initializer_list<Value> values) {
  if (!spend(1)) return false;
  const TableDef& def = table.def();
  if (!table.takes(values.size())) [[unlikely]] return fail(table.refuse_values());
  if (partition_ == kNoPartition) return fail(Status{sqlstate::internal_error, "the procedure's key has no partition"});
  if (shard_->database().memory_exhausted())
    return fail(Status{sqlstate::out_of_memory, "out of memory"}
                    .with_detail("The server has reached \"max_memory\".")
                    .with_hint("Delete data or raise \"max_memory\"; reads and deletes still work."));
  std::size_t column = 0;
  for (const Value& value : values) {
    if (value.is_null && def.columns[column].not_null)
      return fail(Status{sqlstate::not_null_violation, "null value in column \"" + def.columns[column].name + "\" of relation \"" + def.name +
                                                           "\" violates not-null constraint"}
                      .with_table("public", def.name)
                      .with_column(def.columns[column].name));
    ++column;
  }
  const std::span<const Value> row_values(values.begin(), values.size());
  const RowLayout& layout = def.layouts->newest();
  const std::size_t size = layout.encoded_size(row_values);
  // Straight into the log's bytes: they are what the row's memory is copied from.
  const std::size_t redo_at = redo_->size();
  redo_->resize(redo_at + redo::kInsertHeader + size);
  char* bytes = redo::write_insert_header(redo_->data() + redo_at, def.oid, partition_, def.layout, static_cast<std::uint32_t>(size));
  layout.encode(row_values, bytes);
  if (!check_row(table, bytes) || !check_foreign_keys(table, bytes, row_values) || !check_placement(def, row_values)) return false;
  TablePartition& partition = def.storage->at(def, partition_, shard_->limbo(), shard_);
  if (def.computed_indexes != 0) [[unlikely]]
    if (Status failed = owner_->make_entries(def, bytes); !failed.ok()) return fail(std::move(failed));
  for (unsigned i = 1; i < def.indexes.size(); ++i) {
    if (!def.indexes[i].enforced() || def.indexes[i].global_table != 0) continue;
    if (absent_from_ == &partition.index(def, i)) {   // as was seen, and nobody else has had this shard since
      def.codecs[i].encode_columns(row_values, key_columns(def, i), key_);
      if (absent_.ref() == key_.ref()) continue;
    }
    bool must_wait = false;
    std::uint64_t floor = 0;
    Row* other = owner_->unique_conflict(partition, i, bytes, def.layout, nullptr, descriptor_, &must_wait, &floor);
    view_.raise_floor(floor);
    if (other == nullptr) continue;
    if (must_wait) return blocked(*other, partition, RowLock::kUpdate);
    const Owner::Head head = Owner::look_at(*other, descriptor_);
    if (head.state == Owner::HeadState::kCommitted && head.lsn > view_.snapshot.bytes) return overtaken();
    return fail(Status{sqlstate::unique_violation, "duplicate key value violates unique constraint \"" + def.indexes[i].name + "\""}
                    .with_detail(key_detail(def, key_columns(def, i), bytes, "already exists."))
                    .with_table("public", def.name)
                    .with_constraint(def.indexes[i].name));
  }
  const auto copy = [&](char* at) { std::memcpy(at, bytes, size); };
  def.codecs[0].encode_columns(row_values, def.codec_columns[0], key_);
  if (meets_mark(def, key_, nullptr, bytes)) [[unlikely]] return false;
  auto make = [&]() -> void* { return owner_->make_row(*transaction_, partition, size, command_, copy); };
  const auto [there, fresh] = partition.index(0).insert(key_, [](void* maker) { return (*static_cast<decltype(make)*>(maker))(); }, &make);
  Row* row = static_cast<Row*>(there);
  if (!fresh) {
    const Owner::Head head = Owner::look_at(*row, descriptor_);
    if (head.state == Owner::HeadState::kHeldByOther) return blocked(*row, partition, RowLock::kUpdate);
    if (head.state == Owner::HeadState::kCommitted && head.lsn > view_.snapshot.bytes) return overtaken();
    if (!head.version->tombstone())
      return fail(Status{sqlstate::unique_violation, "duplicate key value violates unique constraint \"" + def.indexes[0].name + "\""}
                      .with_detail(key_detail(def, key_columns(def, 0), bytes, "already exists."))
                      .with_table("public", def.name)
                      .with_constraint(def.indexes[0].name));
    if (owner_->locked_by_others(*row, descriptor_, RowLock::kUpdate)) return blocked(*row, partition, RowLock::kUpdate);
    owner_->push_version(*transaction_, partition, *row, size, Version::kExclusive | Version::kKeyChanged, command_, copy);
  }
  for (unsigned i = 1; i < def.indexes.size(); ++i) {
    if (def.indexes[i].global_table != 0) continue;
    if (def.is_computed(i)) [[unlikely]] {
      owner_->insert_entry(def, partition, i, bytes, *row);
      continue;
    }
    def.codecs[i].encode_columns(row_values, def.codec_columns[i], key_);
    partition.index(def, i).insert(key_, row);
    if (absent_from_ == &partition.index(def, i)) absent_from_ = nullptr;
  }
  if (!def.referencing.empty()) {   // rows that refer to this one are likely to follow
    def.codecs[0].encode_columns(row_values, def.codec_columns[0], last_foreign_);
    last_foreign_table_ = &def;
  }
  partition.live_rows.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool LocalContext::update(const ProcedureTable& table, ProcedureRow* row, std::initializer_list<ColumnChange> changes) {
  if (!spend(1)) return false;
  const TableDef& def = table.def();
  TablePartition& partition = def.storage->at(def, partition_, shard_->limbo(), shard_);
  Row& anchor = *row->anchor;
  const Owner::Head head = Owner::look_at(anchor, descriptor_);
  if (head.state == Owner::HeadState::kHeldByOther) return blocked(anchor, partition, RowLock::kNoKeyUpdate);
  if (head.version != row->version) return overtaken();
  if (anchor.lock_state != 0 && owner_->locked_by_others(anchor, descriptor_, RowLock::kNoKeyUpdate)) return blocked(anchor, partition, RowLock::kNoKeyUpdate);
  const std::span<const ColumnChange> list(changes.begin(), changes.size());
  std::uint16_t flags = 0;
  std::uint64_t changed_indexes = 0;
  for (unsigned i = 0; i < def.indexes.size(); ++i)
    for (const ColumnChange& change : list) {
      if (!table.indexed_columns_[i][change.column]) continue;
      if (i == 0) return fail(Status{sqlstate::feature_not_supported, "a local procedure cannot change a primary key"});
      changed_indexes |= std::uint64_t{1} << i;
      flags |= Version::kKeyChanged;
    }
  const RowLayout& layout = def.layouts->newest();
  const char* old_bytes = row->version->row();
  std::string widened;
  if (row->version->layout != def.layout) [[unlikely]] {
    std::vector<Value> all(layout.columns());
    def.layouts->read_all(row->version->layout, old_bytes, all);
    widened.resize(layout.encoded_size(all));
    layout.encode(all, widened.data());
    old_bytes = widened.data();
  }
  const std::size_t size = layout.updated_size(old_bytes, list);
  char* bytes = arena_->allocate_bytes(size);
  layout.update(old_bytes, list, bytes);
  if (!check_row(table, bytes)) return false;
  if (def.computed_indexes != 0) [[unlikely]]
    if (Status failed = owner_->make_entries(def, bytes); !failed.ok()) return fail(std::move(failed));
  for (unsigned i = 1; changed_indexes != 0 && i < def.indexes.size(); ++i) {
    if ((changed_indexes >> i & 1) == 0 || !def.indexes[i].enforced() || def.indexes[i].global_table != 0) continue;
    bool must_wait = false;
    std::uint64_t floor = 0;
    Row* other = owner_->unique_conflict(partition, i, bytes, def.layout, &anchor, descriptor_, &must_wait, &floor);
    view_.raise_floor(floor);
    if (other == nullptr) continue;
    if (must_wait) return blocked(*other, partition, RowLock::kUpdate);
    return fail(Status{sqlstate::unique_violation, "duplicate key value violates unique constraint \"" + def.indexes[i].name + "\""}
                    .with_detail(key_detail(def, key_columns(def, i), bytes, "already exists."))
                    .with_table("public", def.name)
                    .with_constraint(def.indexes[i].name));
  }
  def.codecs[0].encode_from_row(layout, bytes, def.codec_columns[0], key_);
  if (meets_mark(def, key_, row->version, bytes)) [[unlikely]] return false;
  const std::size_t delta = layout.delta_size(list);
  const std::size_t redo_at = redo_->size();
  redo_->resize(redo_at + redo::kUpdateHeader + key_.size() + delta);
  char* at = redo::write_update_header(redo_->data() + redo_at, def.oid, partition_, def.layout, static_cast<std::uint16_t>(key_.size()),
                                       static_cast<std::uint32_t>(delta));
  std::memcpy(at, key_.data(), key_.size());
  layout.write_delta(list, at + key_.size());
  row->version = owner_->push_version(*transaction_, partition, anchor, size, flags, command_, [&](char* to) { std::memcpy(to, bytes, size); });
  for (unsigned i = 1; changed_indexes != 0 && i < def.indexes.size(); ++i) {
    if ((changed_indexes >> i & 1) == 0 || def.indexes[i].global_table != 0) continue;
    if (def.is_computed(i)) [[unlikely]] {
      owner_->insert_entry(def, partition, i, bytes, anchor);
      continue;
    }
    def.codecs[i].encode_from_row(layout, bytes, def.codec_columns[i], key_);
    partition.index(def, i).insert(key_, &anchor);
    if (absent_from_ == &partition.index(def, i)) absent_from_ = nullptr;
  }
  return true;
}

bool LocalContext::remove(const ProcedureTable& table, const ProcedureRow& row) {
  if (!spend(1)) return false;
  const TableDef& def = table.def();
  if (!def.referencing.empty())
    return fail(Status{sqlstate::feature_not_supported, "a local procedure cannot delete from table \"" + def.name + "\", which foreign keys reference"});
  TablePartition& partition = def.storage->at(def, partition_, shard_->limbo(), shard_);
  const Owner::Head head = Owner::look_at(*row.anchor, descriptor_);
  if (head.state == Owner::HeadState::kHeldByOther) return blocked(*row.anchor, partition, RowLock::kUpdate);
  if (head.version != row.version) return overtaken();
  if (owner_->locked_by_others(*row.anchor, descriptor_, RowLock::kUpdate)) return blocked(*row.anchor, partition, RowLock::kUpdate);
  def.codecs[0].encode_from_row(*def.layouts, row.version->layout, row.version->row(), def.codec_columns[0], key_);
  if (meets_mark(def, key_, row.version, nullptr)) [[unlikely]] return false;
  redo::append_delete(*redo_, def.oid, partition_, key_);
  owner_->push_version(*transaction_, partition, *row.anchor, 0, Version::kTombstone | Version::kExclusive, command_, [](char*) {});
  partition.live_rows.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

}  // namespace wandian
