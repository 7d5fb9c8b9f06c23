// pg_class and what hangs on it: columns, indexes, constraints, defaults, sequences, rules, dependencies, comments.
#include <algorithm>

#include "engine/placement.h"
#include "engine/sequence.h"
#include "engine/shard.h"
#include "engine/table.h"
#include "sql/access/privileges.h"
#include "sql/catalog/each.h"
#include "sql/catalog/stored_objects.h"
#include "sql/catalog_objects.h"
#include "sql/functions/registry.h"
#include "sql/index_expressions.h"
#include "sql/partition/partitioning.h"
#include "sql/server.h"
#include "sql/statistics/statistics_store.h"
#include "sql/types/collation.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr Oid kHeapMethod = 2;
constexpr Oid kCCollation = 950;

std::int64_t live_rows(const TableDef& table) { return static_cast<std::int64_t>(count_live_rows(table)); }

// As reltuples has it: -1 until ANALYZE has seen the table.
std::int64_t analyzed_rows(const SystemContext& context, const TableDef& table) {
  const std::shared_ptr<const TableStatistics> known = context.server.statistics().find(table.oid);
  return known == nullptr ? -1 : static_cast<std::int64_t>(known->rows);
}

struct ClassRow {
  Oid oid = 0, schema = 0, row_type = 0, owner = 0, method = 0;
  std::string_view name;
  std::int64_t rows = -1;
  bool has_index = false, shared = false, temporary = false, has_rules = false, has_triggers = false, populated = true;
  bool row_security = false, forced_row_security = false;
  char kind = 'r', replica_identity = 'd';
  std::size_t columns = 0, checks = 0;
  const std::vector<std::pair<std::string, std::string>>* options = nullptr;
  bool has_subclass = false, is_partition = false;
  std::string bound;
};

void add_class(const SystemContext& context, SystemRows& rows, const ClassRow& r) {
  CatalogRow row(rows);
  row.i(r.oid).t(r.name).i(r.schema).i(r.row_type).i(0).i(r.owner).i(r.method);
  row.i(r.kind == 'v' || r.kind == 'c' || r.kind == 'p' || r.kind == 'I' ? 0 : r.oid).i(0).i(r.rows > 0 ? (r.rows + 99) / 100 : 0).d(static_cast<double>(r.rows)).i(0).i(0);
  row.b(r.has_index).b(r.shared).c(r.temporary ? 't' : 'p').c(r.kind).i(static_cast<std::int64_t>(r.columns)).i(static_cast<std::int64_t>(r.checks));
  row.b(r.has_rules).b(r.has_triggers).b(r.has_subclass).b(r.row_security).b(r.forced_row_security).b(r.populated).c(r.replica_identity).b(r.is_partition).i(0).i(0).i(0);
  const std::optional<Securable> object = r.kind == 'i' || r.kind == 'I' || r.kind == 'c' ? std::nullopt : securable_relation(context.catalog, r.oid);
  // What PostgreSQL does not have shows no privileges, which pg_dump would grant there.
  const bool own = r.oid >= kFirstOwnRelation && r.oid < kFirstUserOid;
  row.acl(context.catalog, object && !own ? shown_acl(context.catalog, *object) : std::nullopt);
  if (r.options != nullptr) row.options(*r.options);
  else row.null();
  if (r.bound.empty()) row.null();
  else row.t(r.bound);
  row.done();
}

bool is_shared_catalog(std::string_view name) {
  for (const std::string_view shared : {"pg_authid", "pg_auth_members", "pg_database", "pg_db_role_setting", "pg_parameter_acl", "pg_replication_origin",
                                        "pg_shdepend", "pg_shdescription", "pg_shseclabel", "pg_subscription", "pg_tablespace"})
    if (name == shared) return true;
  return false;
}

Status pg_class(const SystemContext& context, SystemRows& rows) {
  for (const SystemRelation& relation : all_system_relations()) {
    ClassRow r;
    r.oid = relation.oid;
    r.schema = relation.schema;
    r.owner = kBootstrapRole;
    r.name = relation.name;
    r.kind = relation.kind;
    r.method = relation.kind == 'r' ? kHeapMethod : 0;
    r.columns = relation.columns.size();
    r.has_rules = relation.kind == 'v';
    r.shared = is_shared_catalog(relation.name);
    r.replica_identity = 'n';
    add_class(context, rows, r);
  }
  each_table(context, [&](const TableDef& table) {
    ClassRow r;
    r.oid = table.oid;
    r.schema = table.schema;
    r.row_type = row_type_of(table.oid);
    r.owner = table.owner;
    r.method = table.is_partitioned() ? 0 : kHeapMethod;
    if (table.is_partitioned()) r.kind = 'p';
    r.has_subclass = !table.partitions.empty();
    r.is_partition = table.partition_of != 0;
    if (const auto parent = context.catalog.table(table.partition_of); r.is_partition && parent != nullptr) r.bound = bound_text(*parent, table.bound);
    r.name = table.name;
    r.rows = table.is_partitioned() ? -1 : analyzed_rows(context, table);
    r.has_index = std::any_of(table.indexes.begin(), table.indexes.end(), [](const IndexDef& index) { return index.oid != 0; });
    r.has_triggers = !table.foreign_keys.empty() || !table.referencing.empty() || !table.triggers.empty();
    r.temporary = table.temporary;
    r.row_security = table.row_security;
    r.forced_row_security = table.forced_row_security;
    r.replica_identity = table.replica_identity;
    r.columns = table.columns.size();
    r.checks = table.checks.size();
    if (table.is_materialized_view()) r.kind = 'm', r.has_rules = true, r.populated = table.populated;
    r.options = &table.options;
    add_class(context, rows, r);
  });
  each_index(context, [&](const TableDef& table, const IndexDef& index) {
    ClassRow r;
    r.oid = index.oid;
    r.schema = table.schema;
    r.owner = table.owner;
    r.method = access_method(index);
    r.name = index.name;
    r.kind = table.is_partitioned() ? 'I' : 'i';
    r.has_subclass = table.is_partitioned() && !table.partitions.empty();
    r.is_partition = index.parent != 0;
    r.rows = table.is_partitioned() ? 0 : std::max<std::int64_t>(0, analyzed_rows(context, table));
    r.temporary = table.temporary;
    r.columns = index.parts.size();
    r.options = &index.options;
    r.replica_identity = 'n';
    add_class(context, rows, r);
  });
  each_sequence(context, [&](const SequenceDef& sequence) {
    ClassRow r;
    r.oid = sequence.oid;
    r.schema = sequence.schema;
    r.owner = sequence.owner;
    r.name = sequence.name;
    r.kind = 'S';
    r.rows = 1;
    r.temporary = sequence.temporary;
    r.columns = 3;
    r.replica_identity = 'n';
    add_class(context, rows, r);
  });
  each_composite(context, [&](const ObjectDef& object, const UserType& type) {
    ClassRow r;
    r.oid = relation_of_row_type(object.oid);
    r.schema = object.parent;
    r.row_type = object.oid;
    r.owner = object.owner;
    r.name = object.name;
    r.kind = 'c';
    r.columns = type.attributes.size();
    r.rows = 0;
    r.replica_identity = 'n';
    add_class(context, rows, r);
  });
  each_view(context, [&](const ObjectDef& view) {
    const auto definition = ViewDefinition::decode(view.definition);
    ClassRow r;
    r.oid = view.oid;
    r.schema = view.parent;
    r.row_type = row_type_of(view.oid);
    r.owner = view.owner;
    r.name = view.name;
    r.has_triggers = view_table(view) != nullptr;
    r.kind = 'v';
    r.has_rules = true;
    r.columns = definition ? definition->columns.size() : 0;
    r.replica_identity = 'n';
    if (definition && !definition->options.empty()) r.options = &definition->options;
    add_class(context, rows, r);
  });
  return {};
}

// ---- Columns ----

}  // namespace

Oid collation_of(Oid type, std::string_view given) {
  if (given.starts_with('=')) given.remove_prefix(1);
  const Collation* const found = given.empty() ? nullptr : find_collation(given);
  return found != nullptr ? found->oid : type_facts(type).collation;
}

namespace {

Oid collation_of_part(const TableDef& table, const IndexPart& part) {
  if (!part.collation.empty()) return collation_of(key_part_type(table, part), part.collation);
  return part.column == kExpressionPart ? collation_of(part.type, {}) : collation_of(table.columns[part.column].type, table.columns[part.column].collation);
}

bool is_array(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr && info->category == 'A';
}

struct AttributeRow {
  Oid relation = 0, type = 0;
  std::string_view name;
  std::int64_t number = 0;
  std::int32_t typmod = -1;
  bool not_null = false, has_default = false, has_missing = false, dropped = false;
  char identity = 0, generated = 0;
  Oid collation = 0;
  const ObjectAcl* lists = nullptr;
  bool inherited = false;
  std::int16_t statistics_target = -1;
  unsigned dimensions = 0;
};

void add_attribute(const SystemContext& context, SystemRows& rows, const AttributeRow& a) {
  const TypeInfo* type = find_type(a.type);
  const TypeFacts facts = type_facts(a.type);
  CatalogRow row(rows);
  row.i(a.relation).t(a.name).i(a.dropped ? 0 : a.type).i(a.number < 0 ? 0 : a.statistics_target).i(type != nullptr ? type->length : -1).i(a.number);
  row.i(a.dimensions).i(-1).i(a.typmod);
  row.b(facts.by_value).c(facts.align).c(facts.storage).c(0);
  row.b(a.not_null).b(a.has_default).b(a.has_missing).c(a.identity).c(a.generated).b(a.dropped).b(!a.inherited).i(a.inherited ? 1 : 0).i(a.collation);
  const bool granted = a.lists != nullptr && a.lists->columns.contains(static_cast<std::int16_t>(a.number));
  row.acl(context.catalog, granted ? std::optional(a.lists->columns.at(static_cast<std::int16_t>(a.number))) : std::nullopt);
  row.null(3);
  row.done();
}

void add_system_columns(const SystemContext& context, SystemRows& rows, Oid relation) {
  struct Column {
    const char* name;
    Oid type;
    std::int64_t number;
  };
  static constexpr Column kColumns[] = {{"tableoid", kOid, -6}, {"cmax", kCid, -5}, {"xmax", kXid, -4}, {"cmin", kCid, -3}, {"xmin", kXid, -2}, {"ctid", kTid, -1}};
  for (const Column& column : kColumns) {
    AttributeRow a;
    a.relation = relation;
    a.name = column.name;
    a.type = column.type;
    a.number = column.number;
    a.not_null = true;
    add_attribute(context, rows, a);
  }
}

Status pg_attribute(const SystemContext& context, SystemRows& rows) {
  for (const SystemRelation& relation : all_system_relations()) {
    if (relation.kind == 'r') add_system_columns(context, rows, relation.oid);
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      AttributeRow a;
      a.relation = relation.oid;
      a.name = relation.columns[i].name;
      a.type = relation.columns[i].type;
      a.number = static_cast<std::int64_t>(i + 1);
      a.not_null = relation.columns[i].not_null;
      a.dimensions = relation.kind == 'r' && is_array(a.type) ? 1 : 0;
      a.collation = relation.kind == 'r' && a.type == kText ? kCCollation : type_facts(a.type).collation;
      add_attribute(context, rows, a);
    }
  }
  each_table(context, [&](const TableDef& table) {
    const ObjectAcl* lists = find_acl(context.catalog, table.oid);
    add_system_columns(context, rows, table.oid);
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const ColumnDef& column = table.columns[i];
      AttributeRow a;
      a.relation = table.oid;
      a.lists = lists;
      a.name = column.name;
      a.type = column.type;
      a.number = static_cast<std::int64_t>(i + 1);
      a.typmod = column.typmod;
      a.not_null = column.not_null;
      a.has_default = !column.default_expression.empty();
      a.has_missing = column.has_missing_value;
      a.dropped = column.dropped;
      a.identity = column.identity;
      a.generated = column.generated;
      a.collation = collation_of(column.type, column.collation);
      if (column.collation.empty() && type_kind(column.type) == 'd') {
        const auto domain = context.catalog.object(ObjectKind::kType, column.type);
        if (domain != nullptr && domain->compiled != nullptr)
          a.collation = collation_of(base_type(column.type), static_cast<const UserType*>(domain->compiled.get())->collation);
      }
      a.inherited = table.partition_of != 0 && !column.dropped;
      a.statistics_target = column.statistics_target;
      a.dimensions = column.dimensions;
      add_attribute(context, rows, a);
    }
  });
  each_index(context, [&](const TableDef& table, const IndexDef& index) {
    for (std::size_t i = 0; i < index.parts.size(); ++i) {
      const IndexPart& part = index.parts[i];
      const bool expression = part.column == kExpressionPart;
      if (!expression && part.column >= table.columns.size()) continue;
      AttributeRow a;
      a.relation = index.oid;
      a.name = part.name.empty() ? std::string_view(table.columns[part.column].name) : std::string_view(part.name);
      a.type = key_part_type(table, part);
      a.number = static_cast<std::int64_t>(i + 1);
      a.typmod = expression ? part.typmod : table.columns[part.column].typmod;
      a.dimensions = expression ? 0 : table.columns[part.column].dimensions;
      a.collation = collation_of_part(table, part);
      a.statistics_target = part.statistics_target;
      if (index.method == IndexMethod::kHash) {   // what PostgreSQL keeps there is the hash
        a.type = kInt4;
        a.typmod = -1;
        a.collation = 0;
      }
      if (index.inverted()) {   // the elements'
        const TypeInfo* type = find_type(a.type);
        a.typmod = -1;
        a.type = a.type == kJsonb ? (part.opclass == "jsonb_path_ops" ? kInt4 : kText) : type != nullptr ? type->element : a.type;
        a.collation = collation_of(a.type, {});
      }
      add_attribute(context, rows, a);
    }
  });
  each_sequence(context, [&](const SequenceDef& sequence) {
    add_system_columns(context, rows, sequence.oid);
    struct Column {
      const char* name;
      Oid type;
    };
    static constexpr Column kColumns[] = {{"last_value", kInt8}, {"log_cnt", kInt8}, {"is_called", kBool}};
    for (std::size_t i = 0; i < 3; ++i) {
      AttributeRow a;
      a.relation = sequence.oid;
      a.name = kColumns[i].name;
      a.type = kColumns[i].type;
      a.number = static_cast<std::int64_t>(i + 1);
      a.not_null = true;
      add_attribute(context, rows, a);
    }
  });
  each_composite(context, [&](const ObjectDef& object, const UserType& type) {
    for (std::size_t i = 0; i < type.attributes.size(); ++i) {
      const Attribute& attribute = type.attributes[i];
      AttributeRow a;
      a.relation = relation_of_row_type(object.oid);
      a.name = attribute.name;
      a.type = attribute.type;
      a.number = static_cast<std::int64_t>(i + 1);
      a.typmod = attribute.typmod;
      a.dimensions = is_array(attribute.type) ? 1 : 0;
      a.dropped = attribute.dropped;
      a.collation = collation_of(attribute.type, attribute.collation);
      add_attribute(context, rows, a);
    }
  });
  each_view(context, [&](const ObjectDef& view) {
    const auto definition = ViewDefinition::decode(view.definition);
    for (std::size_t i = 0; definition && i < definition->columns.size(); ++i) {
      AttributeRow a;
      a.relation = view.oid;
      a.lists = find_acl(context.catalog, view.oid);
      a.name = definition->columns[i].name;
      a.type = definition->columns[i].type;
      a.number = static_cast<std::int64_t>(i + 1);
      a.typmod = definition->columns[i].typmod;
      a.has_default = !definition->columns[i].default_expression.empty();
      a.collation = collation_of(a.type, definition->columns[i].collation);
      add_attribute(context, rows, a);
    }
  });
  return {};
}

Status pg_attrdef(const SystemContext& context, SystemRows& rows) {
  each_table(context, [&](const TableDef& table) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].dropped || table.columns[i].default_expression.empty()) continue;
      CatalogRow(rows).i(default_oid(table.oid, i)).i(table.oid).i(static_cast<std::int64_t>(i + 1)).t(table.columns[i].default_expression).done();
    }
  });
  each_view(context, [&](const ObjectDef& view) {
    const auto definition = ViewDefinition::decode(view.definition);
    for (std::size_t i = 0; definition && i < definition->columns.size(); ++i) {
      const std::string& text = definition->columns[i].default_expression;
      if (!text.empty()) CatalogRow(rows).i(default_oid(view.oid, i)).i(view.oid).i(static_cast<std::int64_t>(i + 1)).t(text).done();
    }
  });
  return {};
}

// ---- Indexes and constraints ----

Status pg_index(const SystemContext& context, SystemRows& rows) {
  each_index(context, [&](const TableDef& table, const IndexDef& index) {
    std::vector<std::int16_t> columns, options;
    std::vector<Oid> collations, classes;
    std::string expressions;
    unsigned count = 0;
    for (std::size_t i = 0; i < index.parts.size(); ++i) {
      const IndexPart& part = index.parts[i];
      const bool expression = part.column == kExpressionPart;
      columns.push_back(expression ? std::int16_t{0} : static_cast<std::int16_t>(part.column + 1));
      if (expression) expressions += (count++ != 0 ? ", " : "") + part.shown();
      if (i >= index.key_parts || (!expression && part.column >= table.columns.size())) continue;
      collations.push_back(collation_of_part(table, part));
      classes.push_back(operator_class_of(table, index, part));
      options.push_back(static_cast<std::int16_t>((part.descending ? 1 : 0) | (part.nulls_first ? 2 : 0)));
    }
    CatalogRow row(rows);
    row.i(index.oid).i(table.oid).i(static_cast<std::int64_t>(index.parts.size())).i(index.key_parts).b(index.unique).b(index.nulls_not_distinct);
    row.b(index.primary).b(false).b(!index.deferrable).b(index.clustered).b(!index.invalid).b(false).b(true).b(true).b(index.replica_identity);
    row.short_vector(columns).oid_vector(collations).oid_vector(classes).short_vector(options);
    if (expressions.empty()) row.null();
    else row.t(count > 1 ? "ROW(" + expressions + ")" : expressions);
    if (index.predicate.empty()) row.null();
    else row.t(index.shown_predicate());
    row.done();
  });
  return {};
}

std::vector<std::int16_t> attribute_numbers(const std::vector<std::uint16_t>& columns) {
  std::vector<std::int16_t> out;
  for (const std::uint16_t column : columns) out.push_back(static_cast<std::int16_t>(column + 1));
  return out;
}

Oid equality_operator(Oid type) {
  type = base_type(type);
  if (type_kind(type) == 'e') type = kAnyEnum;
  for (const OperatorDef* op : find_operators("="))
    if (op->left == type && op->right == type) return op->oid;
  return type == kVarchar ? equality_operator(kText) : 0;
}

Status pg_trigger(const SystemContext& context, SystemRows& rows) {
  find_triggered(context.catalog, [&](const TableDef& table) {
    if (table.internal || !in_database(context, table.schema)) return false;
    for (const TriggerDef& trigger : table.triggers) {
      std::string arguments;
      for (const std::string& argument : trigger.arguments) arguments.append(argument).push_back('\0');
      std::vector<std::int16_t> columns;
      for (const std::uint16_t column : trigger.columns) columns.push_back(static_cast<std::int16_t>(column + 1));
      CatalogRow row(rows);
      row.i(trigger.oid).i(table.oid).i(trigger.parent).t(trigger.name).i(trigger.function).i(trigger.events).c(trigger.enabled).b(false);
      row.i(trigger.constraint_table).i(0).i(trigger.constraint).b(trigger.deferrable).b(trigger.initially_deferred);
      row.i(static_cast<std::int64_t>(trigger.arguments.size())).short_vector(columns).t(arguments);
      for (const std::string* text : {&trigger.condition, &trigger.old_table, &trigger.new_table}) {
        if (text->empty()) row.null();
        else row.t(*text);
      }
      row.done();
    }
    return false;
  });
  return {};
}

Status domain_constraints(const SystemContext& context, SystemRows& rows);

// The constraint that an index of a table makes.
Oid constraint_of(const Catalog& catalog, Oid table_oid, Oid index_oid) {
  const auto table = index_oid != 0 ? catalog.table(table_oid) : nullptr;
  if (table == nullptr) return 0;
  for (const IndexDef& index : table->indexes)
    if (index.oid == index_oid) return index.constraint;
  return 0;
}

Status pg_constraint(const SystemContext& context, SystemRows& rows) {
  struct Common {
    Oid oid;
    std::string_view name;
    char type;
    bool deferrable = false, deferred = false, validated = true;
    Oid parent = 0;
  };
  const auto begin = [&](CatalogRow& row, const TableDef& table, const Common& c, Oid index, Oid referenced) {
    row.i(c.oid).t(c.name).i(table.schema).c(c.type).b(c.deferrable).b(c.deferred).b(c.validated).i(table.oid).i(0).i(index).i(c.parent).i(referenced);
  };
  each_table(context, [&](const TableDef& table) {
    for (const CheckDef& check : table.checks) {
      CatalogRow row(rows);
      begin(row, table, {check.oid, check.name, 'c', false, false, check.validated}, 0, 0);
      const auto parent = context.catalog.table(table.partition_of);
      const bool inherited = table.partition_of != 0 && parent != nullptr &&
                             std::any_of(parent->checks.begin(), parent->checks.end(), [&](const CheckDef& c) { return c.name == check.name && !c.no_inherit; });
      row.c(' ').c(' ').c(' ').b(!inherited).i(inherited ? 1 : 0).b(check.no_inherit);
      const std::vector<std::int16_t> columns = named_columns(context, table, check.expression);
      if (columns.empty()) row.null();
      else row.shorts(columns);
      row.null(6).t(check.expression);
      row.done();
    }
    for (const IndexDef& index : table.indexes) {
      if (index.constraint == 0) continue;
      std::vector<std::int16_t> columns;
      for (std::size_t i = 0; i < index.key_parts; ++i) columns.push_back(static_cast<std::int16_t>(index.parts[i].column + 1));
      CatalogRow row(rows);
      begin(row, table, {index.constraint, index.name, index.primary ? 'p' : 'u', index.deferrable, index.initially_deferred, true, constraint_of(context.catalog, table.partition_of, index.parent)}, index.oid, 0);
      row.c(' ').c(' ').c(' ').b(index.parent == 0).i(index.parent != 0 ? 1 : 0).b(index.parent == 0).shorts(columns).null(7);
      row.done();
    }
    for (const ForeignKeyDef& key : table.foreign_keys) {
      CatalogRow row(rows);
      begin(row, table, {key.oid, key.name, 'f', key.deferrable, key.initially_deferred, key.validated, key.parent}, key.referenced_index, key.referenced_table);
      row.c(key.on_update).c(key.on_delete).c(key.match).b(key.parent == 0).i(key.parent != 0 ? 1 : 0).b(key.parent == 0 && !table.is_partitioned());
      std::vector<Oid> equal;
      for (const std::uint16_t column : key.columns) equal.push_back(equality_operator(table.columns[column].type));
      row.shorts(attribute_numbers(key.columns)).shorts(attribute_numbers(key.referenced_columns)).oids(equal).oids(equal).oids(equal);
      if (key.delete_columns.empty()) row.null();
      else row.shorts(attribute_numbers(key.delete_columns));
      row.null(2);
      row.done();
    }
    for (const TriggerDef& trigger : table.triggers) {
      if (trigger.constraint == 0) continue;
      Oid parent = 0;
      if (const auto above = context.catalog.table(table.partition_of))
        for (const TriggerDef& theirs : above->triggers)
          if (theirs.oid == trigger.parent) parent = theirs.constraint;
      CatalogRow row(rows);
      begin(row, table, {trigger.constraint, trigger.name, 't', trigger.deferrable, trigger.initially_deferred, true, parent}, 0, 0);
      row.c(' ').c(' ').c(' ').b(parent == 0).i(parent != 0 ? 1 : 0).b(true).null(8);
      row.done();
    }
  });
  return domain_constraints(context, rows);
}

Status domain_constraints(const SystemContext& context, SystemRows& rows) {
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kType, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kType; ++it) {
    const ObjectDef& domain = *it->second;
    if (domain.compiled == nullptr || !in_database(context, domain.parent)) continue;
    for (const DomainCheck& check : static_cast<const UserType*>(domain.compiled.get())->checks) {
      CatalogRow row(rows);
      row.i(check.oid).t(check.name).i(domain.parent).c('c').b(false).b(false).b(check.validated).i(0).i(domain.oid).i(0).i(0).i(0);
      row.c(' ').c(' ').c(' ').b(true).i(0).b(false).null(7).t(check.expression);
      row.done();
    }
  }
  return {};
}

// ---- Sequences, rules, dependencies, comments ----

Status pg_sequence(const SystemContext& context, SystemRows& rows) {
  each_sequence(context, [&](const SequenceDef& s) {
    CatalogRow(rows).i(s.oid).i(s.type).i(s.start).i(s.increment).i(s.maximum).i(s.minimum).i(s.cache).b(s.cycle).done();
  });
  return {};
}

Status pg_sequences(const SystemContext& context, SystemRows& rows) {
  each_sequence(context, [&](const SequenceDef& s) {
    const SequenceValue value = sequence_read(s);
    const auto owner = context.catalog.object(ObjectKind::kRole, s.owner);
    CatalogRow row(rows);
    row.t(schema_text(context.catalog, s.schema)).t(s.name).t(owner != nullptr ? owner->name : std::string()).i(s.type);
    row.i(s.start).i(s.minimum).i(s.maximum).i(s.increment).b(s.cycle).i(s.cache);
    if (value.is_called) row.i(value.last_value);
    else row.null();
    row.done();
  });
  return {};
}

Status sequence_state_rows(const SystemContext& context, SystemRows& rows) {
  each_sequence(context, [&](const SequenceDef& s) {
    const SequenceValue value = sequence_read(s);
    CatalogRow(rows).i(s.oid).i(value.last_value).i(0).b(value.is_called).done();
  });
  return {};
}

Status comments(const SystemContext& context, SystemRows& rows, bool shared) {
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kComment, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kComment; ++it) {
    const ObjectDef& comment = *it->second;
    const std::size_t dot = comment.name.find('.');
    const Oid catalog = static_cast<Oid>(std::stoul(comment.name.substr(0, dot)));
    const bool is_shared = catalog == catalog_oid::kDatabase || catalog == catalog_oid::kAuthId;
    if (is_shared != shared) continue;
    CatalogRow row(rows);
    row.i(comment.parent).i(catalog);
    if (!shared) row.i(std::stol(comment.name.substr(dot + 1)));
    row.t(comment.definition);
    row.done();
  }
  return {};
}
Status pg_description(const SystemContext& context, SystemRows& rows) { return comments(context, rows, false); }
Status pg_shdescription(const SystemContext& context, SystemRows& rows) { return comments(context, rows, true); }

// ---- Placement ----

Status wandian_placement(const SystemContext& context, SystemRows& rows) {
  static constexpr const char* kKinds[] = {"key", "shard", "directory", "region"};
  Database& database = context.shard.database();
  each_table(context, [&](const TableDef& table) {
    std::vector<std::string> columns;
    std::vector<std::uint16_t> positions = table.placement.columns;
    if (table.placement.kind == PlacementKind::kKey && !table.hidden_row_number) positions = table.codec_columns[0];
    for (const std::uint16_t column : positions)
      if (column < table.columns.size()) columns.push_back(table.columns[column].name);
    const Oid directory = table.placement.kind == PlacementKind::kDirectory ? table.oid : table.placement.directory;
    std::vector<PlacementMap::Region> regions;
    if (directory != 0) regions = database.placement().regions(directory);
    const PartitionId end = table.storage->highest.load(std::memory_order_acquire);
    for (PartitionId p = 0; p < end; ++p) {
      const TablePartition* partition = table.storage->find(p);
      if (partition == nullptr) continue;
      CatalogRow row(rows);
      row.t(schema_text(context.catalog, table.schema)).t(table.name).t(kKinds[static_cast<std::size_t>(table.placement.kind)]).texts(columns);
      if (directory != 0) row.i(directory);
      else row.null();
      const PlacementMap::Region* in = nullptr;
      for (const PlacementMap::Region& region : regions)
        if (p >= region.first && p < region.first + kPartitionsPerRegion) in = &region;
      if (in != nullptr) row.t(in->name);
      else row.null();
      row.i(p).i(database.owner_of(p)).i(partition->live_rows.load(std::memory_order_relaxed));
      row.done();
    }
  });
  return {};
}

Status pg_stat_tables(const SystemContext& context, SystemRows& rows) {
  each_table(context, [&](const TableDef& table) {
    CatalogRow row(rows);
    row.i(table.oid).t(schema_text(context.catalog, table.schema)).t(table.name);
    std::uint64_t inserts = 0, updates = 0, deletes = 0;
    for (PartitionId p = 0; p < table.storage->highest.load(std::memory_order_acquire); ++p) {
      const TablePartition* partition = table.storage->find(p);
      if (partition == nullptr) continue;
      inserts += partition->inserts.load(std::memory_order_relaxed);
      updates += partition->updates.load(std::memory_order_relaxed);
      deletes += partition->deletes.load(std::memory_order_relaxed);
    }
    const auto number = [](std::uint64_t count) { return static_cast<std::int64_t>(count); };
    row.i(0).i(0).i(0).i(0).i(number(inserts)).i(number(updates)).i(number(deletes)).i(0).i(live_rows(table)).i(0);
    const std::shared_ptr<const TableStatistics> known = context.server.statistics().find(table.oid);
    const std::int64_t rows_now = live_rows(table);
    row.i(known == nullptr ? rows_now : std::abs(rows_now - static_cast<std::int64_t>(known->rows))).i(number(inserts)).null(2);
    for (const bool automatic : {false, true})
      if (known != nullptr && known->automatic == automatic) row.i(known->collected);
      else row.null();
    row.i(0).i(0).i(known != nullptr && !known->automatic ? 1 : 0).i(known != nullptr && known->automatic ? 1 : 0);
    row.done();
  });
  return {};
}

Status pg_stat_indexes(const SystemContext& context, SystemRows& rows) {
  each_index(context, [&](const TableDef& table, const IndexDef& index) {
    CatalogRow(rows).i(table.oid).i(index.oid).t(schema_text(context.catalog, table.schema)).t(table.name).t(index.name).i(0).i(0).i(0).done();
  });
  return {};
}

constexpr SystemProducer kClassProducers[] = {
    {"pg_class", pg_class},           {"pg_attribute", pg_attribute},       {"pg_attrdef", pg_attrdef},
    {"pg_index", pg_index},           {"pg_trigger", pg_trigger},           {"pg_constraint", pg_constraint},     {"pg_sequence", pg_sequence},
    {"pg_sequences", pg_sequences},   {"pg_rewrite", pg_rewrite},           {"pg_depend", pg_depend},
    {"pg_description", pg_description}, {"pg_shdescription", pg_shdescription},
    {"wandian_placement", wandian_placement}, {"pg_stat_user_tables", pg_stat_tables}, {"pg_stat_all_tables", pg_stat_tables},
    {"pg_stat_user_indexes", pg_stat_indexes}, {"pg_stat_all_indexes", pg_stat_indexes},
};

}  // namespace

const SystemRelation& sequence_states() {
  static const SystemRelation relation = [] {
    using namespace type_oid;
    SystemRelation out;
    out.name = "pg_sequence_state";
    out.columns = {{"oid", kOid, true}, {"last_value", kInt8, true}, {"log_cnt", kInt8, true}, {"is_called", kBool, true}};
    out.produce = sequence_state_rows;
    return out;
  }();
  return relation;
}

std::span<const SystemProducer> class_producers() { return kClassProducers; }

}  // namespace wandian::sql
