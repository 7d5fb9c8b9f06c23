// The system relations: PostgreSQL's names, OIDs and columns, joined with whoever produces their rows.
#include "sql/catalog/system_relation.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "sql/catalog/producers.h"
#include "sql/functions/citext.h"
#include "sql/index_expressions.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr Oid kPlacementViewOid = kFirstOwnRelation, kStatementsViewOid = kFirstOwnRelation + 1;   // no catalog of PostgreSQL 15 has it, nor do users' objects

struct Fact {
  std::string_view relation, row;
};
constexpr Fact kFacts[] = {
#define WANDIAN_CATALOG_ROW(relation, row) {relation, row},
#include "sql/catalog/citext_facts.inc"
#include "sql/catalog/catalog_facts.inc"
};

std::vector<std::string_view> fields_of(std::string_view row) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t tab = row.find('\t');
    out.push_back(row.substr(0, tab));
    if (tab == std::string_view::npos) return out;
    row.remove_prefix(tab + 1);
  }
}

unsigned number(std::string_view text) {
  unsigned out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::vector<SystemColumn> columns_of(std::string_view list) {
  std::vector<SystemColumn> out;
  while (!list.empty()) {
    const std::size_t space = list.find(' ');
    const std::string_view item = list.substr(0, space);
    const std::size_t first = item.find(':'), second = item.find(':', first + 1);
    out.push_back({std::string(item.substr(0, first)), number(item.substr(first + 1, second - first - 1)), second + 1 < item.size()});
    if (space == std::string_view::npos) break;
    list.remove_prefix(space + 1);
  }
  return out;
}

std::vector<SystemRelation> make_relations() {
  std::vector<SystemRelation> out;
  const auto add = [&](Oid oid, Oid schema, std::string_view name, char kind, std::string_view columns) {
    SystemRelation& relation = out.emplace_back();
    relation.oid = oid;
    relation.schema = schema;
    relation.name = name;
    relation.kind = kind;
    relation.columns = columns_of(columns);
  };
#define WANDIAN_SYSTEM_RELATION(oid, schema, name, kind, columns) add(oid, schema, name, kind, columns);
#include "sql/catalog/catalog_facts.inc"
  add(kPlacementViewOid, kPgCatalogSchema, "wandian_placement", 'v',
      "schemaname:19: tablename:19: placement:25: columns:1009: directory:2205: region:25: partition:23: shard:23: live_rows:20:");
  add(kStatementsViewOid, kPgCatalogSchema, "wandian_statements", 'v',
      "userid:26: dbid:26: toplevel:16: queryid:20: query:25: plans:20: total_plan_time:701: min_plan_time:701: max_plan_time:701: "
      "mean_plan_time:701: stddev_plan_time:701: calls:20: total_exec_time:701: min_exec_time:701: max_exec_time:701: mean_exec_time:701: "
      "stddev_exec_time:701: rows:20: shared_blks_hit:20: shared_blks_read:20: shared_blks_dirtied:20: shared_blks_written:20: "
      "local_blks_hit:20: local_blks_read:20: local_blks_dirtied:20: local_blks_written:20: temp_blks_read:20: temp_blks_written:20: "
      "blk_read_time:701: blk_write_time:701: temp_blk_read_time:701: temp_blk_write_time:701: wal_records:20: wal_fpi:20: "
      "wal_bytes:1700: jit_functions:20: jit_generation_time:701: jit_inlining_count:20: jit_inlining_time:701: "
      "jit_optimization_count:20: jit_optimization_time:701: jit_emission_count:20: jit_emission_time:701:");
  add(kStatementsViewOid + 1, kPgCatalogSchema, "wandian_statements_info", 'v', "dealloc:20: stats_reset:1184:");
  std::map<std::string_view, bool> has_facts;
  for (const Fact& fact : kFacts) has_facts[fact.relation] = true;
  for (SystemRelation& relation : out) {
    if (relation.schema == kPgCatalogSchema) {
      for (const auto& producers : {class_producers(), partition_producers(), type_producers(), object_producers(), activity_producers(), statement_producers(), statistics_producers()})
        for (const SystemProducer& producer : producers)
          if (producer.relation == relation.name) relation.produce = producer.produce;
      if (!relation.produce && has_facts.contains(relation.name)) {
        const std::string name = relation.name;
        relation.produce = [name](const SystemContext& context, SystemRows& rows) { return produce_facts(name, context, rows); };
      }
    }
    for (const auto& views : {system_views(), information_schema_views(), constraint_views(), type_views(), routine_views(), privilege_views(), standard_tables()})
      for (const SystemView& view : views)
        if (view.schema == relation.schema && view.relation == relation.name) relation.view_definition = view.query;
    // The rest describes what cannot be there.
    if (!relation.produce && relation.view_definition.empty()) relation.produce = [](const SystemContext&, SystemRows&) { return Status(); };
  }
  return out;
}

const std::vector<SystemRelation>& relations() {
  static const std::vector<SystemRelation> all = make_relations();
  return all;
}

struct Lookup {
  std::unordered_map<Oid, const SystemRelation*> by_oid;
  std::map<std::pair<Oid, std::string_view>, const SystemRelation*> by_name;
};
const Lookup& lookup() {
  static const Lookup made = [] {
    Lookup out;
    for (const SystemRelation& relation : relations()) {
      out.by_oid[relation.oid] = &relation;
      out.by_name[{relation.schema, relation.name}] = &relation;
    }
    return out;
  }();
  return made;
}

}  // namespace

const SystemRelation* find_system_relation(Oid schema, std::string_view name) {
  const auto found = lookup().by_name.find({schema, name});
  return found == lookup().by_name.end() ? nullptr : found->second;
}
const SystemRelation* find_system_relation(Oid oid) {
  const auto found = lookup().by_oid.find(oid);
  return found == lookup().by_oid.end() ? nullptr : found->second;
}
std::span<const SystemRelation> all_system_relations() { return relations(); }

Status produce_facts(std::string_view relation_name, const SystemContext& context, SystemRows& rows) {
  const SystemRelation* relation = find_system_relation(kPgCatalogSchema, relation_name);
  static const FormatSettings plain;
  EvalContext eval{rows.arena, plain, &context.session, 0, 0, {}};
  std::vector<Value> values(relation->columns.size());
  const std::optional<Oid> citext = citext_schema(context.catalog, context.database);
  for (const Fact& fact : kFacts) {
    if (fact.relation != relation_name) continue;
    const std::vector<std::string_view> fields = fields_of(fact.row);
    const bool of_citext = std::find(fields.begin(), fields.end(), "@citext") != fields.end();
    if (of_citext && !citext) continue;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (of_citext && fields[i] == "@citext") {
        values[i] = Value::of_int(*citext);
        continue;
      }
      if (i >= fields.size() || fields[i] == "\\N") {
        values[i] = Value::null();
        continue;
      }
      // A regproc may be a function that is not here: its number is all that is known.
      const Oid type = relation->columns[i].type == type_oid::kRegproc ? type_oid::kOid : relation->columns[i].type;
      if (!value_from_text(eval, type, -1, fields[i], &values[i])) {
        if (type != type_oid::kOid) return std::move(eval.error);
        eval.error = {};
        values[i] = Value::of_int(0);
      }
    }
    rows.add(values);
  }
  return {};
}

TypeFacts type_facts(Oid type) {
  static const std::unordered_map<Oid, TypeFacts> facts = [] {
    std::unordered_map<Oid, TypeFacts> out;
    for (const Fact& fact : kFacts) {
      if (fact.relation != "pg_type") continue;
      const std::vector<std::string_view> fields = fields_of(fact.row);
      TypeFacts& entry = out[number(fields[0])];
      entry.by_value = fields[5] == "true";
      entry.align = fields[22][0];
      entry.storage = fields[23][0];
      entry.collation = number(fields[28]);
    }
    return out;
  }();
  const auto found = facts.find(base_type(type));
  if (found != facts.end()) return found->second;
  const TypeInfo* info = find_type(type);
  if (info == nullptr) return {};
  if (info->kind == 'e') return {true, 'i', 'p', 0};
  if (info->kind == 'c') return {false, 'd', 'x', 0};
  if (info->category != 'A') return {};
  const TypeFacts element = type_facts(info->element);
  return {false, element.align == 'd' ? 'd' : 'i', 'x', element.collation};
}

std::span<const OperatorClass> operator_classes() {
  // oid, method, name, namespace, owner, family, intype, default, keytype
  static const std::vector<OperatorClass> classes = [] {
    std::vector<OperatorClass> out;
    for (const Fact& fact : kFacts) {
      if (fact.relation != "pg_opclass") continue;
      const std::vector<std::string_view> fields = fields_of(fact.row);
      out.push_back({number(fields[0]), number(fields[1]), number(fields[6]), fields[2], fields[7] == "true"});
    }
    return out;
  }();
  return classes;
}

bool accepts_type(const OperatorClass& known, Oid type) {
  using namespace type_oid;
  const TypeInfo* info = find_type(type);
  if (known.type == type || (type == kVarchar && known.type == kText)) return true;
  if (info == nullptr) return false;
  return (known.type == kAnyArray && info->category == 'A') || (known.type == kAnyEnum && info->kind == 'e') || (known.type == kAnyRange && info->kind == 'r') ||
         (known.type == kAnyMultirange && info->kind == 'm') || (known.type == kRecord && info->kind == 'c');
}

namespace {

Oid find_default_class(Oid method, Oid type) {
  for (const OperatorClass& known : operator_classes())
    if (known.method == method && known.type == type && known.is_default) return known.oid;
  if (type == type_oid::kVarchar) return find_default_class(method, type_oid::kText);
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->category == 'A' && type != type_oid::kAnyArray) return find_default_class(method, type_oid::kAnyArray);
  if (info != nullptr && info->kind == 'd') return find_default_class(method, base_type(type));
  if (info != nullptr && info->kind == 'r') return find_default_class(method, type_oid::kAnyRange);
  if (info != nullptr && info->kind == 'm') return find_default_class(method, type_oid::kAnyMultirange);
  if (info != nullptr && info->kind == 'e') return find_default_class(method, type_oid::kAnyEnum);
  if (info != nullptr && info->kind == 'c') return find_default_class(method, type_oid::kRecord);
  return 0;
}

}  // namespace

Oid default_opclass(Oid type) { return find_default_class(kBtreeAccess, type); }

Oid access_method(const IndexDef& index) {
  switch (index.method) {
    case IndexMethod::kBtree: return kBtreeAccess;
    case IndexMethod::kHash: return kHashAccess;
    case IndexMethod::kGin: return kGinAccess;
  }
  return kBtreeAccess;
}

Oid operator_class_of(const TableDef& table, const IndexDef& index, const IndexPart& part) {
  const Oid method = access_method(index);
  if (!part.opclass.empty())
    for (const OperatorClass& known : operator_classes())
      if (known.method == method && known.name == part.opclass) return known.oid;
  return find_default_class(method, key_part_type(table, part));
}

// ---- Rows ----

CatalogRow& CatalogRow::texts(const std::vector<std::string>& list, Oid element) {
  std::vector<Value> values;
  for (const std::string& text : list) values.push_back(Value::of_bytes(rows_.arena.copy(text)));
  return put(build_array(element, values, rows_.arena));
}

CatalogRow& CatalogRow::options(const std::vector<std::pair<std::string, std::string>>& list) {
  if (list.empty()) return null();
  std::vector<std::string> texts_list;
  for (const auto& [name, value] : list) texts_list.push_back(name + "=" + value);
  return texts(texts_list);
}

CatalogRow& CatalogRow::acl(const Catalog& catalog, const std::optional<Acl>& list) {
  if (!list) return null();
  std::vector<std::string> texts_list;
  for (const AclItem& item : *list) texts_list.push_back(acl_item_text(catalog, item));
  return texts(texts_list, type_oid::kAclItem);
}

void CatalogRow::done() {
  DB_ASSERT(values_.size() == rows_.columns);
  rows_.add(values_);
}

}  // namespace wandian::sql
