#include "engine/catalog.h"

#include <algorithm>
#include <atomic>
#include <bitset>
#include <set>

#include "engine/sequence.h"
#include "engine/table.h"
#include "engine/text_order.h"

namespace wandian {

int TableDef::find_column(std::string_view column_name) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (!columns[i].dropped && columns[i].name == column_name) return static_cast<int>(i);
  return -1;
}

bool IndexDef::computed() const {
  if (!predicate.empty() || inverted()) return true;
  return std::any_of(parts.begin(), parts.end(), [](const IndexPart& part) { return part.column == kExpressionPart; });
}

namespace {

template <class Map, class Key>
auto find_or_null(const Map& map, const Key& key) -> typename Map::mapped_type {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : found->second;
}

}  // namespace

std::shared_ptr<const TableDef> Catalog::table(Oid oid) const { return find_or_null(tables_, oid); }
std::shared_ptr<const SequenceDef> Catalog::sequence(Oid oid) const { return find_or_null(sequences_, oid); }
std::shared_ptr<const SchemaDef> Catalog::schema(Oid oid) const { return find_or_null(schemas_, oid); }
std::shared_ptr<const ObjectDef> Catalog::object(ObjectKind kind, Oid oid) const {
  return find_or_null(objects_, std::pair(kind, oid));
}

std::optional<Catalog::RelationName> Catalog::find_relation(Oid schema, std::string_view name) const {
  const auto found = relation_names_.find(std::pair<Oid, std::string>(schema, name));
  if (found == relation_names_.end()) return std::nullopt;
  return found->second;
}

std::optional<Oid> Catalog::find_schema(Oid database, std::string_view name) const {
  for (const auto& [oid, schema] : schemas_)
    if (schema->name == name && (schema->database == database || schema->database == 0)) return oid;
  return std::nullopt;
}

std::shared_ptr<const ObjectDef> Catalog::find_object(ObjectKind kind, Oid parent, std::string_view name) const {
  for (auto it = objects_.lower_bound(std::pair(kind, Oid{0})); it != objects_.end() && it->first.first == kind; ++it)
    if (it->second->parent == parent && it->second->name == name) return it->second;
  return nullptr;
}

void Catalog::rebuild_names() {
  relation_names_.clear();
  for (const auto& [oid, table] : tables_) {
    if (!table->internal) relation_names_[{table->schema, table->name}] = {RelationName::Kind::kTable, oid, oid};
    for (const IndexDef& index : table->indexes)
      if (index.oid != 0 && !table->internal)
        relation_names_[{table->schema, index.name}] = {RelationName::Kind::kIndex, index.oid, oid};
  }
  for (const auto& [oid, sequence] : sequences_)
    relation_names_[{sequence->schema, sequence->name}] = {RelationName::Kind::kSequence, oid, 0};
  for (const auto& [key, object] : objects_)
    if (key.first == ObjectKind::kView)
      relation_names_[{object->parent, object->name}] = {RelationName::Kind::kView, object->oid, 0};
}

namespace {

// Columns of the primary key are the only ones that the byte forms of rows and keys hold as not null. So SET and DROP NOT
// NULL change no stored byte, and a new primary key, which means a new storage anyway, is the only thing that does.
bool in_primary_key(const TableDef& table, std::size_t column) {
  if (table.hidden_row_number) return column == table.columns.size();
  for (const IndexPart& part : table.indexes[0].parts)
    if (part.column == column) return true;
  return false;
}

RowColumn row_column(const TableDef& table, std::size_t column) {
  if (column >= table.columns.size()) return {Rep::kInt64, false};
  const TypeInfo* type = find_type(table.columns[column].type);
  return {type != nullptr ? type->rep : Rep::kBytes, !in_primary_key(table, column)};
}

KeyColumn key_column(const TableDef& table, std::uint16_t column, Order order, bool descending, bool nulls_first) {
  if (column >= table.columns.size()) return {Rep::kInt64, Order::kInteger, false, false, false};
  const TypeInfo* type = find_type(table.columns[column].type);
  return {type != nullptr ? type->rep : Rep::kBytes, order, !in_primary_key(table, column), descending, nulls_first};
}

// Of the primary key, which is of bytes under a collation that tells them all apart: rows are found by it in the log, too, and what a
// collation makes of a text may change with the library that knows it.
KeyColumn primary_key_column(const TableDef& table, std::uint16_t column, bool descending, bool nulls_first) {
  return key_column(table, column, column < table.columns.size() ? identity_order(table.columns[column]) : Order::kInteger, descending, nulls_first);
}

KeyColumn key_column(const TableDef& table, const IndexPart& part) {
  const Order order = key_part_order(table, part);
  if (part.column != kExpressionPart) return key_column(table, part.column, order, part.descending, part.nulls_first);
  const TypeInfo* type = find_type(part.type);
  return {type != nullptr ? type->rep : Rep::kBytes, order, true, part.descending, part.nulls_first};
}

}  // namespace

std::string_view key_part_collation(const TableDef& table, const IndexPart& part) {
  const std::string_view given = part.collation;
  if (given.starts_with('=')) return given.substr(1);
  return given.empty() && part.column < table.columns.size() ? std::string_view(table.columns[part.column].collation) : given;
}

Order key_part_order(const TableDef& table, const IndexPart& part) {
  if (part.column != kExpressionPart && part.column >= table.columns.size()) return Order::kInteger;   // the hidden row number
  return collated_order(part.column == kExpressionPart ? part.type : table.columns[part.column].type, key_part_collation(table, part));
}

Order identity_order(const ColumnDef& column) {
  const Order order = collated_order(column.type, column.collation);
  const TypeInfo* type = find_type(column.type);
  return is_deterministic(order) && type != nullptr ? type->order : order;
}

namespace {

Value missing_value(const ColumnDef& column, Rep rep) {
  if (!column.has_missing_value) return Value::null();
  if (rep == Rep::kBytes || rep == Rep::kFixed16) return Value::of_bytes(column.missing_value);
  std::int64_t bits = 0;
  std::memcpy(&bits, column.missing_value.data(), std::min<std::size_t>(sizeof bits, column.missing_value.size()));
  if (rep == Rep::kFloat32 || rep == Rep::kFloat64) return Value::of_double(std::bit_cast<double>(bits));
  return Value::of_int(bits);
}

Status compile_layouts(TableDef& table) {
  if (table.layout_columns() > RowLayout::kMaxColumns)
    return Status{sqlstate::too_many_columns, "tables can have at most 1600 columns"};
  std::vector<RowColumn> columns;
  for (std::size_t i = 0; i < table.layout_columns(); ++i) columns.push_back(row_column(table, i));
  auto layouts = std::make_shared<LayoutSet>();
  std::vector<std::uint16_t> counts = table.older_layouts;
  counts.push_back(static_cast<std::uint16_t>(columns.size()));
  std::size_t before = 0;
  for (const std::uint16_t count : counts) {
    if (count > columns.size() || count < before) return Status{sqlstate::data_corrupted, "row layouts out of order"};
    std::vector<Value> missing;
    if (layouts->size() != 0)
      for (std::size_t i = before; i < count; ++i) missing.push_back(missing_value(table.columns[i], columns[i].rep));
    layouts->add(RowLayout(std::span(columns).first(count)), missing);
    before = count;
  }
  table.layouts = std::move(layouts);
  table.layout = table.layouts->newest_id();
  return {};
}

Status compile_codecs(TableDef& table) {
  table.codecs.clear();
  table.codec_columns.clear();
  table.computed_indexes = 0;
  table.has_later_keys = std::any_of(table.indexes.begin(), table.indexes.end(), [](const IndexDef& index) { return index.checked_later(); });
  for (std::size_t i = 0; i < table.indexes.size(); ++i) {
    const IndexDef& index = table.indexes[i];
    if (index.computed()) table.computed_indexes |= std::uint32_t{1} << i;
    std::vector<KeyColumn> key;
    std::vector<std::uint16_t> columns;
    const std::size_t parts = index.key_parts == 0 ? index.parts.size() : index.key_parts;
    if (index.inverted()) {
      // An element's bytes, which say which of the parts it belongs to.
      key.push_back({Rep::kBytes, Order::kBytes, false, false, false});
      columns.push_back(kExpressionPart);
    }
    for (std::size_t p = 0; p < parts && !index.inverted(); ++p) {
      const IndexPart& part = index.parts[p];
      key.push_back(i == 0 && part.column != kExpressionPart ? primary_key_column(table, part.column, part.descending, part.nulls_first)
                                                             : key_column(table, part));
      columns.push_back(part.column);
    }
    if (i != 0)
      for (std::size_t p = 0; p < table.codec_columns[0].size(); ++p) {
        const std::uint16_t column = table.codec_columns[0][p];
        // Where a part's collation takes for equal what the primary key does not, its form of the column does not tell rows apart.
        bool told = false;
        for (std::size_t k = 0; k < columns.size(); ++k)
          told = told || (columns[k] == column && (is_deterministic(key[k].order) || key[k].order == table.codecs[0].column(static_cast<unsigned>(p)).order));
        if (told) continue;
        key.push_back(primary_key_column(table, column, false, false));
        columns.push_back(column);
      }
    table.codecs.emplace_back(key);
    if (!table.codecs.back().supported())
      return Status{sqlstate::undefined_object, "data type has no default operator class for access method \"btree\""}
          .with_hint("You must specify an operator class for the index or define a default operator class for the data type.");
    table.codec_columns.push_back(std::move(columns));
  }
  return {};
}

}  // namespace

namespace {

std::atomic<std::uint64_t> next_definition_id{1};

// Slots that are given already stay, unless the definition before has something else there: then they came with a copy.
void keep_slots(TableDef& table, const TableDef* previous) {
  std::bitset<256> used;
  const auto is_right = [&](const IndexDef& index) {
    if (index.slot >= kIndexSlots || used[index.slot]) return false;
    return previous == nullptr || std::none_of(previous->indexes.begin(), previous->indexes.end(),
                                               [&](const IndexDef& own) { return own.slot == index.slot && own.oid != index.oid; });
  };
  for (IndexDef& index : table.indexes) {
    if (!is_right(index)) index.slot = IndexDef::kNoSlot;
    else used[index.slot] = true;
  }
  const TableDef* const before[] = {previous};
  give_slots(table, previous == nullptr ? std::span<const TableDef* const>() : std::span<const TableDef* const>(before), false);
}

}  // namespace

void give_slots(TableDef& table, std::span<const TableDef* const> others, bool anew) {
  std::bitset<256> used;
  const auto known = [&](Oid oid) {
    for (const TableDef* other : others)
      for (const IndexDef& index : other->indexes)
        if (index.oid == oid) return index.slot;
    return IndexDef::kNoSlot;
  };
  for (const TableDef* other : others)
    for (const IndexDef& index : other->indexes) used[index.slot] = true;
  for (std::size_t i = 0; i < table.indexes.size(); ++i) {
    IndexDef& index = table.indexes[i];
    if (i == 0) index.slot = 0;
    else if (const std::uint8_t slot = known(index.oid); slot != IndexDef::kNoSlot) index.slot = slot;
    else if (anew) index.slot = IndexDef::kNoSlot;
    if (index.slot != IndexDef::kNoSlot) used[index.slot] = true;
  }
  for (IndexDef& index : table.indexes) {
    if (index.slot != IndexDef::kNoSlot) continue;
    for (index.slot = 1; used[index.slot];) ++index.slot;
    used[index.slot] = true;
  }
}

Result<std::shared_ptr<const Catalog>> CatalogEditor::apply(const Catalog& base, std::span<const CatalogChange> changes,
                                                            CatalogCompiler* compiler) {
  auto next = std::make_shared<Catalog>(base);
  next->version = base.version + 1;
  if (compiler != nullptr)
    for (const CatalogChange& change : changes)
      if (change.kind == ObjectKind::kType && !change.drop) (void)compiler->declare_type(*change.object);
  std::set<Oid> compiled;   // tables that sql compiles: those that changed, and those that they are partitions of
  for (const CatalogChange& change : changes) {
    if (change.drop) next->objects_.erase({ObjectKind::kAcl, change.oid});
    switch (change.kind) {
      case ObjectKind::kTable: {
        if (const auto before = next->table(change.oid); before != nullptr && before->partition_of != 0) compiled.insert(before->partition_of);
        if (!change.drop) compiled.insert(change.table->oid);
        if (!change.drop && change.table->partition_of != 0) compiled.insert(change.table->partition_of);
        if (change.drop) {
          next->tables_.erase(change.oid);
          break;
        }
        auto table = std::make_shared<TableDef>(*change.table);
        table->definition_id = next_definition_id.fetch_add(1, std::memory_order_relaxed);
        const std::shared_ptr<const TableDef> previous = next->table(table->oid);
        keep_slots(*table, previous.get());
        WANDIAN_TRY(compile_layouts(*table));
        WANDIAN_TRY(compile_codecs(*table));
        if (table->storage == nullptr)
          table->storage = previous != nullptr && previous->storage_id == table->storage_id ? previous->storage
                                                                                          : std::make_shared<TableStorage>();
        next->tables_[table->oid] = std::move(table);
        break;
      }
      case ObjectKind::kSequence: {
        if (change.drop) {
          next->sequences_.erase(change.oid);
          break;
        }
        auto sequence = std::make_shared<SequenceDef>(*change.sequence);
        if (sequence->state == nullptr) {
          const auto previous = next->sequence(sequence->oid);
          if (previous != nullptr) {
            sequence->state = previous->state;
          } else {
            sequence->state = std::make_shared<SequenceState>();
            sequence->state->last_value = sequence->start;
          }
        }
        next->sequences_[sequence->oid] = std::move(sequence);
        break;
      }
      case ObjectKind::kSchema:
        if (change.drop) next->schemas_.erase(change.oid);
        else next->schemas_[change.schema->oid] = change.schema;
        break;
      default:
        if (change.drop) next->objects_.erase({change.kind, change.oid});
        else next->objects_[{change.kind, change.object->oid}] = std::make_shared<ObjectDef>(*change.object);
    }
  }
  // Who points at whom, then what sql compiles; definitions that did not change keep their address, so plans stay valid.
  std::map<Oid, std::vector<Oid>> referencing;   // by referenced table
  for (const auto& [oid, table] : next->tables_)
    for (const ForeignKeyDef& key : table->foreign_keys) {
      std::vector<Oid>& list = referencing[key.referenced_table];
      if (std::find(list.begin(), list.end(), oid) == list.end()) list.push_back(oid);
    }
  std::map<Oid, std::vector<Oid>> partitions;
  for (const auto& [oid, table] : next->tables_)
    if (table->partition_of != 0) partitions[table->partition_of].push_back(oid);
  for (auto& [oid, table] : next->tables_) {
    if (table->placement.kind == PlacementKind::kRegion && table->placement.directory_key_type == 0) {
      const auto directory = next->table(table->placement.directory);
      if (directory == nullptr || directory->codec_columns[0].size() != 1)
        return Status{sqlstate::invalid_table_definition, "PARTITION BY REGION needs a directory whose primary key is one column"};
      auto copy = std::make_shared<TableDef>(*table);
      copy->placement.directory_key_type = directory->columns[directory->codec_columns[0][0]].type;
      table = std::move(copy);
    }
    std::vector<Oid> wanted;
    if (const auto found = referencing.find(oid); found != referencing.end()) wanted = found->second;
    std::vector<Oid> parts;
    if (const auto found = partitions.find(oid); found != partitions.end()) parts = found->second;
    if (wanted == table->referencing && parts == table->partitions) continue;
    auto copy = std::make_shared<TableDef>(*table);
    copy->referencing = std::move(wanted);
    copy->partitions = std::move(parts);
    table = std::move(copy);
  }
  next->rebuild_names();
  if (compiler != nullptr) {
    const auto compile_table = [&](Oid oid) -> Status {
      const auto found = next->tables_.find(oid);
      if (found == next->tables_.end()) return {};   // dropped, perhaps by a later change
      auto copy = std::make_shared<TableDef>(*found->second);
      WANDIAN_TRY(compiler->compile_table(*next, *copy));
      found->second = std::move(copy);
      return {};
    };
    const auto compile_object = [&](ObjectKind kind, Oid oid) -> Status {
      const auto found = next->objects_.find({kind, oid});
      if (found == next->objects_.end()) return {};
      auto copy = std::make_shared<ObjectDef>(*found->second);
      WANDIAN_TRY(compiler->compile_object(*next, *copy));
      found->second = std::move(copy);
      return {};
    };
    // Functions first: what tables and types check may call them. Views last: their triggers may name anything.
    for (const CatalogChange& change : changes)
      if (!change.drop && change.kind == ObjectKind::kFunction) WANDIAN_TRY(compile_object(change.kind, change.oid));
    for (const CatalogChange& change : changes) {
      if (change.drop || change.kind == ObjectKind::kFunction || change.kind == ObjectKind::kView) continue;
      if (change.kind == ObjectKind::kTable) {
        if (compiled.erase(change.oid) != 0) WANDIAN_TRY(compile_table(change.oid));
      } else if (change.object != nullptr) {
        WANDIAN_TRY(compile_object(change.kind, change.object->oid));
      }
    }
    for (const CatalogChange& change : changes)
      if (!change.drop && change.kind == ObjectKind::kView) WANDIAN_TRY(compile_object(change.kind, change.oid));
    for (const Oid oid : compiled) WANDIAN_TRY(compile_table(oid));
    std::vector<Oid> made_anew;   // types and functions: tables that were compiled with them are, too
    for (const CatalogChange& change : changes) {
      if ((change.kind != ObjectKind::kType && change.kind != ObjectKind::kFunction) || change.drop) continue;
      made_anew.push_back(change.oid);
      if (change.kind != ObjectKind::kFunction || base.object(change.kind, change.oid) == nullptr) continue;
      for (const ObjectKind kind : {ObjectKind::kType, ObjectKind::kView})
        for (auto it = next->objects_.lower_bound({kind, Oid{0}}); it != next->objects_.end() && it->first.first == kind; ++it) {
          if (!compiler->calls(*it->second, change.oid)) continue;
          WANDIAN_TRY(compile_object(kind, it->first.second));
          if (kind == ObjectKind::kType) made_anew.push_back(it->first.second);
        }
    }
    for (const Oid changed : made_anew) {
      for (auto& [oid, table] : next->tables_) {
        const bool calls = std::find(table->called.begin(), table->called.end(), changed) != table->called.end();
        if (!calls && (table->row_checks == nullptr || !table->row_checks->depends_on(changed))) continue;
        auto copy = std::make_shared<TableDef>(*table);
        WANDIAN_TRY(compiler->compile_table(*next, *copy));
        table = std::move(copy);
      }
    }
  }
  return std::shared_ptr<const Catalog>(std::move(next));
}

std::shared_ptr<const Catalog> CatalogEditor::initial() {
  auto catalog = std::make_shared<Catalog>();
  auto schema = [&](Oid oid, const char* name) {
    auto def = std::make_shared<SchemaDef>();
    def->oid = oid;
    def->owner = 10;
    def->name = name;
    catalog->schemas_[oid] = std::move(def);
  };
  schema(kPgCatalogSchema, "pg_catalog");
  schema(kInformationSchema, "information_schema");
  return catalog;
}

namespace {

// The stored form: fields in order, integers little-endian, strings and lists with a 4-byte count.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void field(const T& v) {
    out_.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  void field(const std::string& text) {
    field(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  template <class A, class B>
  void field(const std::pair<A, B>& pair) {
    field(pair.first);
    field(pair.second);
  }
  template <class T>
  void field(const std::vector<T>& list) {
    field(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) visit(item);
  }
  template <class T>
  void visit(const T& v) {
    if constexpr (requires { fields(*this, const_cast<T&>(v)); }) fields(*this, const_cast<T&>(v));
    else field(v);
  }
  bool ok() const { return true; }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void field(T& v) {
    if (in_.size() < sizeof v) return fail();
    std::memcpy(&v, in_.data(), sizeof v);
    in_.remove_prefix(sizeof v);
  }
  void field(std::string& text) {
    std::uint32_t size = 0;
    field(size);
    if (in_.size() < size) return fail();
    text.assign(in_.substr(0, size));
    in_.remove_prefix(size);
  }
  template <class A, class B>
  void field(std::pair<A, B>& pair) {
    field(pair.first);
    field(pair.second);
  }
  template <class T>
  void field(std::vector<T>& list) {
    std::uint32_t count = 0;
    field(count);
    if (count > in_.size()) return fail();   // every item takes at least a byte
    list.resize(count);
    for (T& item : list) visit(item);
  }
  template <class T>
  void visit(T& v) {
    if constexpr (requires { fields(*this, v); }) fields(*this, v);
    else field(v);
  }
  bool ok() const { return ok_; }
  bool finished() const { return ok_ && in_.empty(); }

 private:
  void fail() {
    ok_ = false;
    in_ = {};
  }
  std::string_view in_;
  bool ok_ = true;
};

template <class C>
void fields(C& c, ColumnDef& v) {
  c.field(v.name), c.field(v.type), c.field(v.typmod), c.field(v.not_null), c.field(v.dropped), c.field(v.identity);
  c.field(v.default_expression), c.field(v.missing_value), c.field(v.has_missing_value), c.field(v.collation), c.field(v.generated);
  c.field(v.statistics_target), c.field(v.dimensions);
}
template <class C>
void fields(C& c, IndexPart& v) {
  c.field(v.column), c.field(v.descending), c.field(v.nulls_first), c.field(v.expression), c.field(v.type), c.field(v.typmod);
  c.field(v.name), c.field(v.opclass), c.field(v.collation), c.field(v.statistics_target);
  c.field(v.written);
}
template <class C>
void fields(C& c, IndexDef& v) {
  c.field(v.oid), c.field(v.name), c.field(v.parts), c.field(v.key_parts), c.field(v.primary), c.field(v.unique);
  c.field(v.nulls_not_distinct), c.field(v.constraint), c.field(v.global_table), c.field(v.options);
  c.field(v.method), c.field(v.predicate), c.field(v.deferrable), c.field(v.initially_deferred), c.field(v.clustered);
  c.field(v.replica_identity), c.field(v.counted), c.field(v.parent), c.field(v.invalid);
  c.field(v.written_predicate);
}
template <class C>
void fields(C& c, CheckDef& v) {
  c.field(v.oid), c.field(v.name), c.field(v.expression), c.field(v.validated), c.field(v.no_inherit);
}
template <class C>
void fields(C& c, ForeignKeyDef& v) {
  c.field(v.oid), c.field(v.name), c.field(v.columns), c.field(v.referenced_table), c.field(v.referenced_columns);
  c.field(v.referenced_index), c.field(v.on_update), c.field(v.on_delete), c.field(v.match);
  c.field(v.delete_columns), c.field(v.deferrable), c.field(v.initially_deferred), c.field(v.validated);
  c.field(v.parent);
}
template <class C>
void fields(C& c, Placement& v) {
  c.field(v.kind), c.field(v.columns), c.field(v.directory), c.field(v.directory_key_type);
}
template <class C>
void fields(C& c, TriggerDef& v) {
  c.field(v.oid), c.field(v.name), c.field(v.function), c.field(v.events), c.field(v.enabled), c.field(v.constraint);
  c.field(v.columns), c.field(v.arguments), c.field(v.condition), c.field(v.parent);
  c.field(v.deferrable), c.field(v.initially_deferred), c.field(v.constraint_table), c.field(v.old_table), c.field(v.new_table);
}
template <class C>
void fields(C& c, BoundDatum& v) {
  c.field(v.kind), c.field(v.text);
}
template <class C>
void fields(C& c, PartitionBound& v) {
  c.field(v.is_default), c.field(v.values), c.field(v.upper), c.field(v.modulus), c.field(v.remainder);
}
template <class C>
void fields(C& c, PartitionKeyPart& v) {
  c.field(v.column), c.field(v.expression), c.field(v.type), c.field(v.typmod), c.field(v.opclass), c.field(v.collation);
}
template <class C>
void fields(C& c, TableDef& v) {
  c.field(v.oid), c.field(v.schema), c.field(v.owner), c.field(v.name), c.field(v.columns), c.field(v.indexes);
  c.field(v.hidden_row_number), c.field(v.checks), c.field(v.foreign_keys), c.visit(v.placement), c.field(v.internal);
  c.field(v.temporary), c.field(v.storage_id), c.field(v.options), c.field(v.older_layouts);
  c.field(v.triggers), c.field(v.on_commit), c.field(v.view_definition), c.field(v.populated);
  c.field(v.row_security), c.field(v.forced_row_security);
  c.field(v.partition_strategy), c.field(v.partition_key), c.field(v.partition_of), c.visit(v.bound);
  c.field(v.key_checks), c.field(v.replica_identity);
}
template <class C>
void fields(C& c, SequenceDef& v) {
  c.field(v.oid), c.field(v.schema), c.field(v.owner), c.field(v.name), c.field(v.type), c.field(v.start);
  c.field(v.increment), c.field(v.minimum), c.field(v.maximum), c.field(v.cache), c.field(v.cycle), c.field(v.temporary);
  c.field(v.owned_by_table), c.field(v.owned_by_column), c.field(v.owned_kind);
}
template <class C>
void fields(C& c, SchemaDef& v) {
  c.field(v.oid), c.field(v.database), c.field(v.owner), c.field(v.name);
}
template <class C>
void fields(C& c, ObjectDef& v) {
  c.field(v.kind), c.field(v.oid), c.field(v.parent), c.field(v.owner), c.field(v.name), c.field(v.definition);
}

}  // namespace

void CatalogEditor::encode(const CatalogChange& change, std::string& out) {
  Writer writer(out);
  writer.field(change.kind);
  writer.field(change.drop);
  writer.field(change.oid);
  if (change.drop) return;
  if (change.table != nullptr) writer.visit(*change.table);
  else if (change.sequence != nullptr) writer.visit(*change.sequence);
  else if (change.schema != nullptr) writer.visit(*change.schema);
  else writer.visit(*change.object);
}

Result<CatalogChange> CatalogEditor::decode(std::string_view bytes) {
  CatalogChange change;
  Reader reader(bytes);
  reader.field(change.kind);
  reader.field(change.drop);
  reader.field(change.oid);
  if (reader.ok() && !change.drop) {
    switch (change.kind) {
      case ObjectKind::kTable:
        change.table = std::make_shared<TableDef>();
        reader.visit(*change.table);
        break;
      case ObjectKind::kSequence:
        change.sequence = std::make_shared<SequenceDef>();
        reader.visit(*change.sequence);
        break;
      case ObjectKind::kSchema:
        change.schema = std::make_shared<SchemaDef>();
        reader.visit(*change.schema);
        break;
      default:
        change.object = std::make_shared<ObjectDef>();
        reader.visit(*change.object);
    }
  }
  if (!reader.finished()) return Status{sqlstate::data_corrupted, "malformed catalog change in the log"};
  return change;
}

}  // namespace wandian
