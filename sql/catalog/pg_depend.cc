// pg_depend: which object needs which other one, as PostgreSQL records it, and pg_rewrite: the rules that views are.
#include <algorithm>
#include <set>

#include "sql/bind/stored_names.h"
#include "sql/bind/view_uses.h"
#include "sql/catalog/each.h"
#include "sql/routine/routine.h"
#include "sql/catalog/stored_objects.h"
#include "sql/catalog_objects.h"
#include "sql/expr/tree.h"
#include "sql/functions/citext.h"
#include "sql/functions/registry.h"
#include "sql/index_expressions.h"

namespace wandian::sql {

namespace {

namespace in = catalog_oid;

constexpr Oid kOperatorCatalog = 2617, kOperatorClassCatalog = 2616, kOperatorFamilyCatalog = 2753;

/// An object of a catalog, or a column of it.
struct Address {
  Oid catalog = 0;
  Oid oid = 0;
  std::int64_t column = 0;
};

class Dependencies {
 public:
  Dependencies(const SystemContext& context, SystemRows& rows) : context_(context), catalog_(context.catalog), rows_(rows) {}

  void table(const TableDef& table) {
    const Address self{in::kClass, table.oid};
    add(self, {in::kNamespace, table.schema}, 'n');
    row_type(table.oid);
    if (table.partition_of != 0) add(self, {in::kClass, table.partition_of}, 'a');
    for (const PartitionKeyPart& part : table.partition_key)
      if (part.column != kExpressionPart) add({in::kClass, table.oid, part.column + 1}, self, 'i');
    columns(table);
    indexes(table);
    for (const CheckDef& check : table.checks) {
      const Address its{in::kConstraint, check.oid};
      const std::vector<std::int16_t> named = named_columns(context_, table, check.expression);
      // It goes with the columns that it is about, or else with the table; and it names them.
      if (named.empty()) add(its, self, 'a');
      for (const std::int16_t column : named)
        for (const char kind : {'a', 'n'}) add(its, {in::kClass, table.oid, column}, kind);
      expression(its, check.expression);
    }
    for (const ForeignKeyDef& key : table.foreign_keys) foreign_key(table, key);
    triggers(table);
  }

  void triggers(const TableDef& table) {
    for (const TriggerDef& trigger : table.triggers) {
      const Address its{in::kTrigger, trigger.oid};
      add(its, {in::kClass, table.oid}, 'a');
      add(its, {in::kProc, trigger.function}, 'n');
      expression(its, trigger.condition);
    }
  }

  void sequence(const SequenceDef& sequence) {
    const Address self{in::kClass, sequence.oid};
    add(self, {in::kNamespace, sequence.schema}, 'n');
    if (sequence.owned_by_table == 0) return;
    add(self, {in::kClass, sequence.owned_by_table, sequence.owned_by_column + 1}, sequence.owned_kind == 'i' ? 'i' : 'a');
  }

  void of_default(Oid relation, std::size_t column, const std::string& text, char kind = 'a') {
    if (text.empty()) return;
    const Address value{in::kAttrDef, default_oid(relation, column)};
    add(value, {in::kClass, relation, static_cast<std::int64_t>(column + 1)}, kind);
    expression(value, text);
  }

  void view(Oid oid, const std::string& definition) {
    const Address rule{in::kRewrite, oid | kRuleBit};
    add(rule, {in::kClass, oid}, 'i');
    BindContext binding;
    binding.catalog = catalog_.shared_from_this();
    binding.database = context_.database;
    const ViewUses uses = view_uses(definition, binding);
    for (const Oid used : uses.relations) {
      const Oid of = catalog_of(used);
      const auto column = uses.columns.lower_bound({used, 0});
      const bool by_column = column != uses.columns.end() && column->first == used;
      if (of != 0 && !by_column) add(rule, {of, used}, 'n');
    }
    for (const auto& [relation, column] : uses.columns)
      if (relation >= kFirstUserOid) add(rule, {in::kClass, relation, column + 1}, 'n');
  }

  void routine(const ObjectDef& object) {
    const auto function = FunctionObject::decode(object.definition);
    if (!function) return;
    const Address self{in::kProc, object.oid};
    if (const Routine* made = routine_of(object); made != nullptr) {
      for (const auto& [relation, column] : made->declaration.body_columns) add(self, {in::kClass, relation, column}, 'n');
      for (const Oid function : made->declaration.body_functions) add(self, {in::kProc, function}, 'n');
    }
    add(self, {in::kNamespace, object.parent}, 'n');
    for (const FunctionObject::Parameter& parameter : function->parameters) {
      type(self, parameter.type);
      expression(self, parameter.default_text);
    }
    type(self, function->result);
    if (function->language == "internal") add(self, {in::kType, function->result}, 'i');
    if (function->result_relation != 0) add(self, {in::kType, row_type_of(function->result_relation)}, 'n');
  }

  void user_type(const ObjectDef& object) {
    const auto& definition = *static_cast<const UserType*>(object.compiled.get());
    const Address self{in::kType, object.oid};
    add(self, {in::kNamespace, object.parent}, 'n');
    if (definition.array != 0) add({in::kType, definition.array}, self, 'i');
    if (definition.kind == 'm') add(self, {in::kType, definition.base}, 'i');
    else if (definition.base != 0) type(self, definition.base);
    if (definition.difference >= kFirstUserOid) add(self, {in::kProc, definition.difference}, 'n');
    for (const DomainCheck& check : definition.checks) {
      add({in::kConstraint, check.oid}, self, 'a');
      expression({in::kConstraint, check.oid}, check.expression);
    }
    if (definition.kind != 'c') return;
    const Oid relation = relation_of_row_type(object.oid);
    add({in::kClass, relation}, self, 'i');
    for (std::size_t i = 0; i < definition.attributes.size(); ++i)
      if (!definition.attributes[i].dropped) type({in::kClass, relation, static_cast<std::int64_t>(i + 1)}, definition.attributes[i].type);
  }

  /// Of a table or a view.
  void row_type(Oid relation) { add({in::kType, row_type_of(relation)}, {in::kClass, relation}, 'i'); }

  void extension(const ObjectDef& object) {
    const auto extension = ExtensionObject::decode(object.definition);
    if (!extension) return;
    const Address self{in::kExtension, object.oid};
    add(self, {in::kNamespace, extension->schema}, 'n');
    for (const ExtensionObject::Member& member : extension->members) add({member.catalog, member.oid}, self, 'e');
    if (object.name != kCitextName) return;
    add({in::kType, type_oid::kCitext}, self, 'e');
    for (const FunctionDef& function : all_functions())
      if (is_citext_object(function.oid)) add({in::kProc, function.oid}, self, 'e');
    for (const AggregateDef& aggregate : all_aggregates())
      if (is_citext_object(aggregate.oid)) add({in::kProc, aggregate.oid}, self, 'e');
    for (const OperatorDef& op : all_operators())
      if (is_citext_object(op.oid)) add({kOperatorCatalog, op.oid}, self, 'e');
    for (const OperatorClass& known : operator_classes())
      if (is_citext_object(known.oid)) add({kOperatorClassCatalog, known.oid}, self, 'e');
    for (const Oid family : kCitextFamilies) add({kOperatorFamilyCatalog, family}, self, 'e');
  }

  void add(const Address& object, const Address& needed, char kind) {
    CatalogRow(rows_).i(object.catalog).i(object.oid).i(object.column).i(needed.catalog).i(needed.oid).i(needed.column).c(kind).done();
  }

 private:
  /// The catalog of an object that somebody made, or 0.
  Oid catalog_of(Oid oid) const {
    if (catalog_.object(ObjectKind::kFunction, oid) != nullptr) return in::kProc;
    if (catalog_.object(ObjectKind::kType, oid) != nullptr) return in::kType;
    const bool relation = catalog_.table(oid) != nullptr || catalog_.sequence(oid) != nullptr || catalog_.object(ObjectKind::kView, oid) != nullptr;
    return relation ? in::kClass : 0;
  }

  /// A type that somebody made, or the one that it is an array of.
  void type(const Address& object, Oid type) {
    if (const TypeInfo* info = find_type(type); info != nullptr && info->category == 'A' && info->element != 0) type = info->element;
    if (type >= kFirstUserOid || type == type_oid::kCitext) add(object, {in::kType, type}, 'n');
  }

  /// What a stored expression names: functions and types by OID, relations as regclass.
  void expression(const Address& object, const std::string& text) {
    static constexpr std::string_view kMark = "pg_catalog.\"";
    for (std::size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at + 1)) {
      const Oid named = static_cast<Oid>(std::strtoul(text.c_str() + at + kMark.size(), nullptr, 10));
      if (const Oid of = named == 0 ? 0 : catalog_of(named)) add(object, {of, named}, 'n');
    }
    for (const auto& [oid, sequence] : catalog_.sequences())
      if (text.find("'" + std::to_string(oid) + "'::regclass") != std::string::npos) add(object, {in::kClass, oid}, 'n');
  }

  void columns(const TableDef& table) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const ColumnDef& column = table.columns[i];
      if (column.dropped) continue;
      const Address self{in::kClass, table.oid, static_cast<std::int64_t>(i + 1)};
      type(self, column.type);
      if (column.default_expression.empty()) continue;
      of_default(table.oid, i, column.default_expression, column.generated != 0 ? 'i' : 'a');
      if (column.generated == 0) continue;
      for (const std::int16_t used : named_columns(context_, table, column.default_expression))
        add({in::kAttrDef, default_oid(table.oid, i)}, {in::kClass, table.oid, used}, 'n');
    }
  }

  void indexes(const TableDef& table) {
    for (std::size_t i = 0; i < table.indexes.size(); ++i) {
      const IndexDef& index = table.indexes[i];
      if (index.oid == 0) continue;
      if (index.parent != 0) {
        add({in::kClass, index.oid}, {in::kClass, index.parent}, 'P');
        add({in::kClass, index.oid}, {in::kClass, table.oid}, 'S');
      }
      if (index.constraint != 0) {
        add({in::kClass, index.oid}, {in::kConstraint, index.constraint}, 'i');
        for (std::size_t p = 0; p < index.key_parts; ++p)
          add({in::kConstraint, index.constraint}, {in::kClass, table.oid, index.parts[p].column + 1}, 'a');
        continue;
      }
      std::set<std::uint16_t> plain;
      for (const IndexPart& part : index.parts)
        if (part.column != kExpressionPart) plain.insert(part.column);
      for (const std::uint16_t column : plain) add({in::kClass, index.oid}, {in::kClass, table.oid, column + 1}, 'a');
      if (plain.empty()) add({in::kClass, index.oid}, {in::kClass, table.oid}, 'a');
      if (!table.is_computed(static_cast<unsigned>(i))) continue;
      const CompiledIndexKeys::Index& compiled = index_expressions(table)->index(i);
      std::set<std::int16_t> computed, wanted;
      for (const CompiledIndexKeys::Part& part : compiled.parts) add_columns(part.bound.expr, computed);
      add_columns(compiled.predicate.expr, wanted);
      for (const std::set<std::int16_t>* columns : {&computed, &wanted})
        for (const std::int16_t column : *columns) add({in::kClass, index.oid}, {in::kClass, table.oid, column + 1}, 'a');
    }
  }

  static void add_columns(const Expr* expr, std::set<std::int16_t>& columns) {
    if (expr == nullptr) return;
    for (const ColumnUse& use : collect_columns(expr)) columns.insert(use.column);
  }

  void foreign_key(const TableDef& table, const ForeignKeyDef& key) {
    const Address self{in::kConstraint, key.oid};
    for (const std::uint16_t column : key.columns) add(self, {in::kClass, table.oid, column + 1}, 'a');
    for (const std::uint16_t column : key.referenced_columns) add(self, {in::kClass, key.referenced_table, column + 1}, 'n');
    add(self, {in::kClass, key.referenced_index}, 'n');
  }

  const SystemContext& context_;
  const Catalog& catalog_;
  SystemRows& rows_;
};

}  // namespace

std::vector<std::int16_t> named_columns(const SystemContext& context, const TableDef& table, const std::string& expression) {
  const std::vector<StandaloneColumn> columns = standalone_columns(table);
  StandaloneOptions options;
  options.use = StandaloneUse::kUsing;
  options.table_name = table.name;
  options.columns = columns;
  std::vector<std::int16_t> out;
  BindContext binding = definition_context(context.catalog, table);
  binding.keep_calls = true;
  const Result<BoundExpression> bound = bind_standalone_expression(expression, binding, options);
  if (!bound.ok()) return out;
  for (const ColumnUse& use : collect_columns(bound.value().expr)) {
    const auto number = static_cast<std::int16_t>(use.column + 1);
    if (use.column >= 0 && std::find(out.begin(), out.end(), number) == out.end()) out.push_back(number);
  }
  return out;
}

Status pg_rewrite(const SystemContext& context, SystemRows& rows) {
  each_defined_view(context, [&](Oid view, const std::string&) {
    CatalogRow(rows).i(view | kRuleBit).t("_RETURN").i(view).c('1').c('O').b(true).t("").t("").done();
  });
  return {};
}

Status pg_depend(const SystemContext& context, SystemRows& rows) {
  Dependencies out(context, rows);
  each_table(context, [&](const TableDef& table) { out.table(table); });
  each_sequence(context, [&](const SequenceDef& sequence) { out.sequence(sequence); });
  each_view(context, [&](const ObjectDef& view) {
    out.add({in::kClass, view.oid}, {in::kNamespace, view.parent}, 'n');
    out.row_type(view.oid);
    const auto definition = ViewDefinition::decode(view.definition);
    for (std::size_t i = 0; definition && i < definition->columns.size(); ++i) out.of_default(view.oid, i, definition->columns[i].default_expression);
  });
  each_defined_view(context, [&](Oid view, const std::string& definition) { out.view(view, definition); });
  each_view(context, [&](const ObjectDef& view) {
    if (const auto table = view_table(view)) out.triggers(*table);
  });
  for (const auto& [key, object] : context.catalog.objects()) {
    if (key.first == ObjectKind::kFunction && in_database(context, object->parent)) out.routine(*object);
    if (key.first == ObjectKind::kType && in_database(context, object->parent)) out.user_type(*object);
    if (key.first == ObjectKind::kExtension && object->parent == context.database) out.extension(*object);
  }
  return {};
}

}  // namespace wandian::sql
