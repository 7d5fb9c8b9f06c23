#include "sql/ddl/dependency.h"

#include <algorithm>
#include <functional>

#include "sql/bind/stored_names.h"
#include "sql/ddl/table_builder.h"
#include "sql/expr/tree.h"
#include "sql/functions/citext.h"
#include "sql/functions/quote.h"
#include "sql/routine/routine.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMostListed = 100;   // as many as PostgreSQL shows a client

std::string default_mark(Oid sequence) { return "'" + std::to_string(sequence) + "'::regclass"; }

// Stored expressions name functions by OID.
bool calls_function(const std::string& expression, Oid function) { return expression.find(stored_object_name(function) + "(") != std::string::npos; }

}  // namespace

std::string describe(DdlContext& ctx, const ObjectRef& object) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  const auto table_text = [&](Oid oid) {
    const auto table = catalog->table(oid);
    if (table == nullptr && catalog->object(ObjectKind::kView, oid) != nullptr) return "view " + ctx.relation_text(oid);
    return (table != nullptr && table->is_materialized_view() ? "materialized view " : "table ") + ctx.relation_text(oid);
  };
  switch (object.kind) {
    case RefKind::kTable: return table_text(object.oid);
    case RefKind::kIndex: return "index " + ctx.relation_text(object.oid);
    case RefKind::kSequence: return "sequence " + ctx.relation_text(object.oid);
    case RefKind::kView: return "view " + ctx.relation_text(object.oid);
    case RefKind::kKeyConstraint:
    case RefKind::kForeignKey: {
      std::string name;
      if (const auto table = catalog->table(object.table)) {
        for (const ForeignKeyDef& key : table->foreign_keys)
          if (key.oid == object.oid) name = key.name;
        for (const IndexDef& index : table->indexes)
          if (index.constraint == object.oid) name = index.name;
      }
      return "constraint " + quote_identifier(name) + " on " + table_text(object.table);
    }
    case RefKind::kDefault:
    case RefKind::kColumn: {
      const auto table = catalog->table(object.oid);
      std::string column = table != nullptr ? quote_identifier(table->columns[object.column].name) : std::string();
      if (const auto view = catalog->object(ObjectKind::kView, object.oid))
        if (const auto definition = ViewDefinition::decode(view->definition)) column = quote_identifier(definition->columns[object.column].name);
      return (object.kind == RefKind::kDefault ? "default value for column " : "column ") + column + " of " + table_text(object.oid);
    }
    case RefKind::kTrigger: {
      std::string name;
      find_triggered(*catalog, [&](const TableDef& table) {
        for (const TriggerDef& trigger : table.triggers)
          if (table.oid == object.table && trigger.oid == object.oid) name = trigger.name;
        return !name.empty();
      });
      return "trigger " + quote_identifier(name) + " on " + table_text(object.table);
    }
    case RefKind::kFunction: return "function " + ctx.session.object_name(ObjectClass::kFunctionSignature, object.oid).value_or(std::to_string(object.oid));
    case RefKind::kType: return "type " + format_type(object.oid);
    case RefKind::kCollation: return "collation " + ctx.session.collation_name(object.oid);
    case RefKind::kAttribute: {
      const auto type = catalog->object(ObjectKind::kType, object.oid);
      const std::string name = type != nullptr ? static_cast<const UserType*>(type->compiled.get())->attributes[object.column].name : std::string();
      return "column " + quote_identifier(name) + " of composite type " + format_type(object.oid);
    }
    case RefKind::kDomainCheck: {
      std::string name;
      if (const auto type = catalog->object(ObjectKind::kType, object.table))
        for (const DomainCheck& check : static_cast<const UserType*>(type->compiled.get())->checks)
          if (check.oid == object.oid) name = check.name;
      return "constraint " + quote_identifier(name);
    }
    case RefKind::kCheck: {
      std::string name;
      if (const auto table = catalog->table(object.table))
        for (const CheckDef& check : table->checks)
          if (check.oid == object.oid) name = check.name;
      return "constraint " + quote_identifier(name) + " on " + table_text(object.table);
    }
    case RefKind::kSchema: return "schema " + quote_identifier(ctx.schema_name(object.oid));
    case RefKind::kExtension: {
      const auto extension = catalog->object(ObjectKind::kExtension, object.oid);
      return "extension " + quote_identifier(extension != nullptr ? extension->name : std::to_string(object.oid));
    }
  }
  return {};
}

const ViewUses& DropPlan::uses(Oid view, const std::string& definition) {
  const auto found = views_.find(view);
  if (found != views_.end()) return found->second;
  return views_.emplace(view, view_uses(definition, ctx_.bind_context())).first->second;
}

// Views and materialized views that `reads` something of.
void DropPlan::add_views(const std::function<bool(const ViewUses&)>& reads, std::vector<Dependent>* out) {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  for (auto it = catalog->objects().lower_bound(std::pair(ObjectKind::kView, Oid{0}));
       it != catalog->objects().end() && it->first.first == ObjectKind::kView; ++it)
    if (reads(uses(it->second->oid, it->second->definition))) out->push_back({{RefKind::kView, it->second->oid, 0, 0}, false});
  for (const auto& [oid, table] : catalog->tables())
    if (table->is_materialized_view() && reads(uses(oid, table->view_definition))) out->push_back({{RefKind::kTable, oid, 0, 0}, false});
}

// Functions whose body without quotes names a relation (or a column of it), or calls a function.
void DropPlan::add_bodies(Oid oid, std::int16_t column, std::vector<Dependent>* out) {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  for (auto it = catalog->objects().lower_bound(std::pair(ObjectKind::kFunction, Oid{0}));
       it != catalog->objects().end() && it->first.first == ObjectKind::kFunction; ++it) {
    const Routine* routine = routine_of(*it->second);
    if (routine == nullptr || !routine->declaration.sql_body) continue;
    const FunctionObject& function = routine->declaration;
    const bool uses = std::find(function.body_columns.begin(), function.body_columns.end(), std::pair(oid, column)) != function.body_columns.end() ||
                      std::find(function.body_functions.begin(), function.body_functions.end(), oid) != function.body_functions.end();
    if (uses) out->push_back({{RefKind::kFunction, it->second->oid, 0, 0}, false});
  }
}

// Who uses the type of the extension citext in one database: all have the same type.
void DropPlan::citext_dependents(Oid database, std::vector<Dependent>* out) {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  const auto here = [&](Oid schema) {
    const auto of = catalog->schema(schema);
    return of != nullptr && of->database == database;
  };
  std::vector<Dependent> all;
  type_dependents(type_oid::kCitext, &all);
  for (const Dependent& dependent : all) {
    const ObjectRef& object = dependent.object;
    const auto table = catalog->table(object.table != 0 ? object.table : object.oid);
    std::shared_ptr<const ObjectDef> other;
    for (const ObjectKind kind : {ObjectKind::kView, ObjectKind::kType, ObjectKind::kFunction})
      if (other == nullptr) other = catalog->object(kind, object.oid);
    if (table != nullptr ? here(table->schema) : other != nullptr && here(other->parent)) out->push_back(dependent);
  }
}

// Defaults of views' columns that name what is dropped.
void DropPlan::view_defaults(const std::function<bool(const std::string&)>& names_it, std::vector<Dependent>* out) {
  for (const auto& [key, object] : ctx_.catalog()->objects()) {
    const auto definition = key.first == ObjectKind::kView ? ViewDefinition::decode(object->definition) : std::nullopt;
    for (std::size_t c = 0; definition && c < definition->columns.size(); ++c)
      if (names_it(definition->columns[c].default_expression)) out->push_back({{RefKind::kDefault, object->oid, 0, static_cast<std::uint16_t>(c)}, false});
  }
}

// Whatever names a collation, which definitions do by its OID.
void DropPlan::collation_dependents(Oid collation, std::vector<Dependent>* out) {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  const std::string mark = "@" + std::to_string(collation) + "/";
  const auto names_it = [&](const std::string& text) { return text.find(mark) != std::string::npos; };
  for (const auto& [oid, table] : catalog->tables()) {
    if (table->internal) continue;
    for (std::size_t c = 0; c < table->columns.size(); ++c) {
      const ColumnDef& column = table->columns[c];
      if (column.dropped) continue;
      const auto number = static_cast<std::uint16_t>(c);
      if (names_it(column.collation)) {
        out->push_back({{RefKind::kColumn, oid, 0, number}, false});
      } else if (names_it(column.default_expression)) {
        out->push_back({{RefKind::kDefault, oid, 0, number}, false});
      }
    }
    for (const CheckDef& check : table->checks)
      if (names_it(check.expression)) out->push_back({{RefKind::kCheck, check.oid, oid, 0}, false});
    for (const IndexDef& index : table->indexes) {
      const bool names = names_it(index.predicate + index.written_predicate) || std::any_of(index.parts.begin(), index.parts.end(), [&](const IndexPart& part) {
        return names_it(part.expression + part.written) || (names_it(part.collation) && part.collation[0] != '=');
      });
      if (names && index.constraint == 0) out->push_back({{RefKind::kIndex, index.oid, oid, 0}, false});
    }
    if (table->is_materialized_view() && names_it(table->view_definition)) out->push_back({{RefKind::kTable, oid, 0, 0}, false});
  }
  for (const auto& [key, object] : catalog->objects()) {
    if (key.first == ObjectKind::kView && names_it(object->definition)) out->push_back({{RefKind::kView, object->oid, 0, 0}, false});
    if (key.first == ObjectKind::kFunction && names_it(object->definition)) out->push_back({{RefKind::kFunction, object->oid, 0, 0}, false});
    if (key.first != ObjectKind::kType) continue;
    const auto& type = *static_cast<const UserType*>(object->compiled.get());
    if (names_it(type.collation) || names_it(type.default_expression)) out->push_back({{RefKind::kType, object->oid, 0, 0}, false});
    for (std::size_t a = 0; a < type.attributes.size(); ++a)
      if (!type.attributes[a].dropped && names_it(type.attributes[a].collation))
        out->push_back({{RefKind::kAttribute, object->oid, 0, static_cast<std::uint16_t>(a)}, false});
  }
}

// Whoever has values of a type, or of arrays of it, and the stored expressions that name it.
void DropPlan::type_dependents(Oid type, std::vector<Dependent>* out) {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  add_views([&](const ViewUses& reads) { return reads.relations.contains(type); }, out);
  const TypeInfo* info = find_type(type);
  const Oid array = info != nullptr ? info->array : 0;
  const auto is_of = [&](Oid other) { return other == type || (array != 0 && other == array); };
  const std::string mark = stored_type_name(type);
  const auto names_it = [&](const std::string& expression) { return expression.find(mark) != std::string::npos; };
  for (const auto& [oid, table] : catalog->tables()) {
    if (table->internal) continue;
    for (std::size_t c = 0; c < table->columns.size(); ++c) {
      const ColumnDef& column = table->columns[c];
      if (column.dropped) continue;
      const auto number = static_cast<std::uint16_t>(c);
      if (is_of(column.type)) out->push_back({{RefKind::kColumn, oid, 0, number}, false});
      else if (names_it(column.default_expression)) out->push_back({{RefKind::kDefault, oid, 0, number}, false});
    }
    for (const CheckDef& check : table->checks)
      if (names_it(check.expression)) out->push_back({{RefKind::kCheck, check.oid, oid, 0}, false});
  }
  for (const auto& [key, object] : catalog->objects()) {
    if (key.first == ObjectKind::kType && object->oid != type) {
      const auto& other = *static_cast<const UserType*>(object->compiled.get());
      const bool checked = std::any_of(other.checks.begin(), other.checks.end(), [&](const DomainCheck& c) { return names_it(c.expression); });
      for (std::size_t a = 0; a < other.attributes.size(); ++a)
        if (!other.attributes[a].dropped && is_of(other.attributes[a].type))
          out->push_back({{RefKind::kAttribute, object->oid, 0, static_cast<std::uint16_t>(a)}, false});
      if (is_of(other.base) || names_it(other.default_expression) || checked) out->push_back({{RefKind::kType, object->oid, 0, 0}, other.kind == 'm'});
    } else if (key.first == ObjectKind::kView) {
      const auto definition = ViewDefinition::decode(object->definition);
      const bool shows = definition && std::any_of(definition->columns.begin(), definition->columns.end(), [&](const auto& c) { return is_of(c.type); });
      if (shows && !uses(object->oid, object->definition).relations.contains(type)) out->push_back({{RefKind::kView, object->oid, 0, 0}, false});
    } else if (key.first == ObjectKind::kFunction) {
      const auto function = FunctionObject::decode(object->definition);
      if (!function) continue;
      const bool returns_row = function->result_relation != 0 && function->result_type() == type;
      const bool gives = std::any_of(function->parameters.begin(), function->parameters.end(), [&](const auto& parameter) { return is_of(parameter.type); });
      if (is_of(function->result) || returns_row || gives || std::any_of(function->arguments.begin(), function->arguments.end(), is_of))
        out->push_back({{RefKind::kFunction, object->oid, 0, 0}, function->language == "internal"});
    }
  }
}

// What makes values of a range type, and its multirange type, belong to it: the type that cannot do without the object, or 0.
Oid DropPlan::owning_range(const ObjectRef& object) const {
  if (object.kind == RefKind::kType) {
    const auto type = ctx_.catalog()->object(ObjectKind::kType, object.oid);
    const auto* definition = type != nullptr ? static_cast<const UserType*>(type->compiled.get()) : nullptr;
    return definition != nullptr && definition->kind == 'm' ? definition->base : 0;
  }
  if (object.kind != RefKind::kFunction) return 0;
  const auto found = ctx_.catalog()->object(ObjectKind::kFunction, object.oid);
  const auto function = found != nullptr ? FunctionObject::decode(found->definition) : std::nullopt;
  return function && function->language == "internal" ? function->result : 0;
}

std::vector<ObjectRef> DropPlan::lost_columns() const {
  std::vector<ObjectRef> out;
  for (const Entry& entry : order_)
    if (entry.object.kind == RefKind::kColumn && !entry.target && !planned(RefKind::kTable, entry.object.oid) &&
        ctx_.catalog()->table(entry.object.oid)->partition_of == 0)   // a partition loses its columns with the table above it
      out.push_back(entry.object);
  return out;
}

std::vector<DropPlan::Dependent> DropPlan::dependents(const ObjectRef& object) {
  std::vector<Dependent> out;
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  const auto views_of = [&](Oid oid) {
    add_views([&](const ViewUses& reads) { return reads.relations.contains(oid); }, &out);
    add_bodies(oid, 0, &out);
  };
  switch (object.kind) {
    case RefKind::kTable:
      for (const auto& [oid, sequence] : catalog->sequences())
        if (sequence->owned_by_table == object.oid) out.push_back({{RefKind::kSequence, oid, 0, 0}, true});
      for (const auto& [oid, table] : catalog->tables())
        for (const ForeignKeyDef& key : table->foreign_keys)
          if (key.referenced_table == object.oid && oid != object.oid) out.push_back({{RefKind::kForeignKey, key.oid, oid, 0}, key.parent != 0});
      if (const auto table = catalog->table(object.oid)) {
        for (const Oid partition : table->partitions) out.push_back({{RefKind::kTable, partition, 0, 0}, true});
        // A foreign key to the table above leads here, too.
        for (std::shared_ptr<const TableDef> above = catalog->table(table->partition_of); above != nullptr; above = catalog->table(above->partition_of)) {
          for (const Oid oid : above->referencing)
            for (const ForeignKeyDef& key : catalog->table(oid)->foreign_keys)
              if (key.referenced_table == above->oid && !planned(RefKind::kTable, above->oid)) out.push_back({{RefKind::kForeignKey, key.oid, oid, 0}, key.parent != 0});
          if (above->partition_of == 0) break;
        }
      }
      views_of(object.oid);
      type_dependents(row_type_of(object.oid), &out);
      break;
    case RefKind::kColumn:
      if (const auto table = catalog->table(object.oid); table != nullptr && table->generator != nullptr) {
        const Result<std::vector<std::uint16_t>> generated = generated_from(ctx_, *table, object.column);
        if (generated.ok())
          for (const std::uint16_t column : generated.value()) out.push_back({{RefKind::kColumn, object.oid, 0, column}, false});
      }
      for (const auto& [oid, sequence] : catalog->sequences())
        if (sequence->owned_by_table == object.oid && sequence->owned_by_column == object.column)
          out.push_back({{RefKind::kSequence, oid, 0, 0}, true});
      for (const auto& [oid, table] : catalog->tables())
        for (const ForeignKeyDef& key : table->foreign_keys)
          if (key.referenced_table == object.oid && oid != object.oid &&
              std::find(key.referenced_columns.begin(), key.referenced_columns.end(), object.column) != key.referenced_columns.end())
            out.push_back({{RefKind::kForeignKey, key.oid, oid, 0}, false});
      add_views([&](const ViewUses& reads) { return reads.columns.contains({object.oid, object.column}); }, &out);
      add_bodies(object.oid, static_cast<std::int16_t>(object.column + 1), &out);
      break;
    case RefKind::kSequence:
      for (const auto& [oid, table] : catalog->tables())
        for (std::size_t c = 0; c < table->columns.size(); ++c)
          if (!table->columns[c].dropped && table->columns[c].default_expression.find(default_mark(object.oid)) != std::string::npos)
            out.push_back({{RefKind::kDefault, oid, 0, static_cast<std::uint16_t>(c)}, false});
      view_defaults([&](const std::string& text) { return text.find(default_mark(object.oid)) != std::string::npos; }, &out);
      views_of(object.oid);
      break;
    case RefKind::kFunction:
      find_triggered(*catalog, [&](const TableDef& table) {
        for (const TriggerDef& trigger : table.triggers)
          if (trigger.function == object.oid || calls_function(trigger.condition, object.oid)) out.push_back({{RefKind::kTrigger, trigger.oid, table.oid, 0}, false});
        return false;
      });
      for (const auto& [oid, table] : catalog->tables()) {
        for (const CheckDef& check : table->checks)
          if (calls_function(check.expression, object.oid)) out.push_back({{RefKind::kCheck, check.oid, oid, 0}, false});
        for (const IndexDef& index : table->indexes) {
          // Bodies that stand in place of calls may call what an extension has.
          bool calls = calls_function(index.predicate + index.written_predicate, object.oid);
          for (const IndexPart& part : index.parts) calls = calls || calls_function(part.expression + part.written, object.oid);
          if (calls) out.push_back({{RefKind::kIndex, index.oid, oid, 0}, false});
        }
        for (std::size_t c = 0; c < table->columns.size(); ++c)
          if (!table->columns[c].dropped && calls_function(table->columns[c].default_expression, object.oid))
            out.push_back({{RefKind::kDefault, oid, 0, static_cast<std::uint16_t>(c)}, false});
      }
      view_defaults([&](const std::string& text) { return calls_function(text, object.oid); }, &out);
      for (const auto& [key, other] : catalog->objects()) {
        if (key.first == ObjectKind::kType)
          for (const DomainCheck& check : static_cast<const UserType*>(other->compiled.get())->checks)
            if (calls_function(check.expression, object.oid)) out.push_back({{RefKind::kDomainCheck, check.oid, other->oid, 0}, false});
        if (key.first == ObjectKind::kType && (calls_function(static_cast<const UserType*>(other->compiled.get())->default_expression, object.oid) ||
                                               static_cast<const UserType*>(other->compiled.get())->difference == object.oid))
          out.push_back({{RefKind::kType, other->oid, 0, 0}, false});
        const auto function = key.first == ObjectKind::kFunction ? FunctionObject::decode(other->definition) : std::nullopt;
        if (function && std::any_of(function->parameters.begin(), function->parameters.end(),
                                    [&](const FunctionObject::Parameter& parameter) { return calls_function(parameter.default_text, object.oid); }))
          out.push_back({{RefKind::kFunction, other->oid, 0, 0}, false});
      }
      views_of(object.oid);
      break;
    case RefKind::kView:
      type_dependents(row_type_of(object.oid), &out);
      views_of(object.oid);
      break;
    case RefKind::kKeyConstraint:
    case RefKind::kIndex: {
      const auto table = catalog->table(object.table);
      if (table == nullptr) break;
      for (const IndexDef& index : table->indexes) {
        if (index.oid != object.oid && index.constraint != object.oid) continue;
        for (const Oid partition : table->partitions)
          for (const IndexDef& part : catalog->table(partition)->indexes)
            if (part.parent == index.oid && object.kind == RefKind::kIndex) out.push_back({{RefKind::kIndex, part.oid, partition, 0}, true});
        for (const auto& [oid, other] : catalog->tables())
          for (const ForeignKeyDef& key : other->foreign_keys)
            if (key.referenced_index == index.oid) out.push_back({{RefKind::kForeignKey, key.oid, oid, 0}, false});
      }
      break;
    }
    case RefKind::kSchema:
      for (const auto& [oid, table] : catalog->tables())
        if (table->schema == object.oid && !table->internal) out.push_back({{RefKind::kTable, oid, 0, 0}, false});
      for (const auto& [oid, sequence] : catalog->sequences())
        if (sequence->schema == object.oid) out.push_back({{RefKind::kSequence, oid, 0, 0}, sequence->owned_by_table != 0});
      for (const auto& [key, other] : catalog->objects()) {
        if (key.first == ObjectKind::kExtension) {
          const auto stored = ExtensionObject::decode(other->definition);
          if (stored && stored->schema == object.oid) out.push_back({{RefKind::kExtension, other->oid, 0, 0}, false});
        }
        if (other->parent != object.oid) continue;
        if (key.first == ObjectKind::kView) out.push_back({{RefKind::kView, other->oid, 0, 0}, false});
        if (key.first == ObjectKind::kCollation) out.push_back({{RefKind::kCollation, other->oid, 0, 0}, false});
        if (key.first != ObjectKind::kFunction && key.first != ObjectKind::kType) continue;
        // What belongs to a range type takes that with it, wherever it is.
        ObjectRef dropped{key.first == ObjectKind::kFunction ? RefKind::kFunction : RefKind::kType, other->oid, 0, 0};
        while (const Oid owner = owning_range(dropped)) dropped = {RefKind::kType, owner, 0, 0};
        out.push_back({dropped, false});
      }
      std::stable_sort(out.begin(), out.end(), [](const Dependent& a, const Dependent& b) { return a.object.oid < b.object.oid; });
      break;
    case RefKind::kExtension:
      if (const auto extension = catalog->object(ObjectKind::kExtension, object.oid)) {
        const auto stored = ExtensionObject::decode(extension->definition);
        if (!stored) break;
        for (const ExtensionObject::Member& member : stored->members) {
          RefKind kind = RefKind::kFunction;
          if (member.catalog == catalog_oid::kType) {
            if (catalog->object(ObjectKind::kType, member.oid) != nullptr) out.push_back({{RefKind::kType, member.oid, 0, 0}, true});
            continue;
          }
          if (member.catalog == catalog_oid::kClass)
            kind = catalog->table(member.oid) != nullptr ? RefKind::kTable : catalog->sequence(member.oid) != nullptr ? RefKind::kSequence : RefKind::kView;
          const bool there = kind == RefKind::kTable      ? catalog->table(member.oid) != nullptr
                             : kind == RefKind::kSequence ? catalog->sequence(member.oid) != nullptr
                             : kind == RefKind::kView     ? catalog->object(ObjectKind::kView, member.oid) != nullptr
                                                          : catalog->object(ObjectKind::kFunction, member.oid) != nullptr;
          if (there) out.push_back({{kind, member.oid, 0, 0}, true});
        }
        if (extension->name == kCitextName) citext_dependents(extension->parent, &out);
      }
      break;
    case RefKind::kType: type_dependents(object.oid, &out); break;
    case RefKind::kCollation: collation_dependents(object.oid, &out); break;
    case RefKind::kForeignKey:
    case RefKind::kTrigger:
      if (const auto table = catalog->table(object.table))
        for (const Oid partition : table->partitions) {
          for (const ForeignKeyDef& key : catalog->table(partition)->foreign_keys)
            if (key.parent == object.oid) out.push_back({{RefKind::kForeignKey, key.oid, partition, 0}, true});
          for (const TriggerDef& trigger : catalog->table(partition)->triggers)
            if (trigger.parent == object.oid) out.push_back({{RefKind::kTrigger, trigger.oid, partition, 0}, true});
        }
      break;
    case RefKind::kCheck:
    case RefKind::kDomainCheck:
    case RefKind::kAttribute:
    case RefKind::kDefault: break;
  }
  return out;
}

void DropPlan::visit(const ObjectRef& object, const ObjectRef* because, bool target, bool silent) {
  if (!seen_.insert(object).second) {
    if (target)
      for (Entry& entry : order_)
        if (entry.object == object) entry.target = true;
    return;
  }
  Entry entry{object, because != nullptr ? *because : ObjectRef{}, target, silent};
  order_.push_back(entry);
  std::vector<Dependent> next = dependents(object);
  // What is the object's own comes first, so that it is not reported as depending on something else.
  std::stable_sort(next.begin(), next.end(), [](const Dependent& a, const Dependent& b) {
    if (a.silent != b.silent) return a.silent;
    // What belongs to an extension goes with it; of that, views before the functions that they read.
    const auto is = [](const Dependent& d, RefKind kind) { return d.object.kind == kind; };
    if (is(a, RefKind::kExtension) != is(b, RefKind::kExtension)) return is(a, RefKind::kExtension);
    if (a.silent && is(a, RefKind::kFunction) != is(b, RefKind::kFunction)) return is(b, RefKind::kFunction);
    if (a.object.oid != b.object.oid) return a.object.oid < b.object.oid;
    return a.object.column > b.object.column;   // of one table the last column is reported first
  });
  for (const Dependent& dependent : next) visit(dependent.object, &object, false, dependent.silent);
}

void DropPlan::add(const ObjectRef& object) { targets_.push_back(object); }

void DropPlan::mark_targets() {
  order_.clear();
  seen_.clear();
  for (const ObjectRef& target : targets_) visit(target, nullptr, true, false);
  // What goes with a table is not worth a word: its own defaults and constraints.
  std::erase_if(order_, [&](const Entry& entry) {
    if (entry.target) return false;
    if (entry.object.kind == RefKind::kForeignKey || entry.object.kind == RefKind::kTrigger || entry.object.kind == RefKind::kCheck)
      return planned(RefKind::kTable, entry.object.table) || planned(RefKind::kView, entry.object.table);
    if (entry.object.kind == RefKind::kAttribute) return planned(RefKind::kType, entry.object.oid);
    if (entry.object.kind == RefKind::kDomainCheck) return planned(RefKind::kType, entry.object.table);
    if (entry.object.kind == RefKind::kColumn) return planned(RefKind::kTable, entry.object.oid);
    if (entry.object.kind == RefKind::kDefault)
      return planned(RefKind::kTable, entry.object.oid) || planned(RefKind::kView, entry.object.oid) ||
             seen_.contains({RefKind::kColumn, entry.object.oid, 0, entry.object.column});
    return false;
  });
}

Status DropPlan::check(bool cascade) {
  mark_targets();
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  for (const ObjectRef& target : targets_) {
    const Oid range = owning_range(target);
    if (range != 0 && !planned(RefKind::kType, range))
      return Status{sqlstate::dependent_objects_still_exist, "cannot drop " + describe(ctx_, target) + " because type " + format_type(range) + " requires it"}
          .with_hint("You can drop type " + format_type(range) + " instead.");
  }
  for (const ObjectRef& target : targets_) {
    const Oid its_catalog = target.kind == RefKind::kFunction ? catalog_oid::kProc : target.kind == RefKind::kType ? catalog_oid::kType : catalog_oid::kClass;
    if (target.kind == RefKind::kExtension || target.kind == RefKind::kSchema || target.kind == RefKind::kColumn ||
        target.kind == RefKind::kKeyConstraint || target.kind == RefKind::kForeignKey)
      continue;
    const auto extension = owning_extension(*catalog, its_catalog, target.oid);
    if (extension == nullptr || planned(RefKind::kExtension, extension->oid) || ctx_.members != nullptr) continue;
    const std::string name = describe(ctx_, {RefKind::kExtension, extension->oid, 0, 0});
    return Status{sqlstate::dependent_objects_still_exist, "cannot drop " + describe(ctx_, target) + " because " + name + " requires it"}.with_hint(
        "You can drop " + name + " instead.");
  }
  // A table placed by a directory cannot stay without it.
  for (const auto& [oid, table] : catalog->tables()) {
    if (table->placement.kind != PlacementKind::kRegion || planned(RefKind::kTable, oid)) continue;
    if (!planned(RefKind::kTable, table->placement.directory)) continue;
    return Status{sqlstate::dependent_objects_still_exist,
                  "cannot drop " + describe(ctx_, {RefKind::kTable, table->placement.directory, 0, 0}) + " because other tables are placed by it"}
        .with_detail(describe(ctx_, {RefKind::kTable, oid, 0, 0}) + " is partitioned by region of that table.")
        .with_hint("Drop those tables, too.");
  }
  std::vector<std::string> lines;
  std::size_t dependents = 0;
  for (const Entry& entry : order_) {
    if (entry.target || entry.silent) continue;
    ++dependents;
    if (lines.size() >= kMostListed) continue;
    lines.push_back(cascade ? "drop cascades to " + describe(ctx_, entry.object)
                            : describe(ctx_, entry.object) + " depends on " + describe(ctx_, entry.because));
  }
  if (dependents == 0) return {};
  std::string listed = join(lines, "\n");
  if (dependents > lines.size())
    listed += "\nand " + std::to_string(dependents - lines.size()) + " other object" + (dependents - lines.size() == 1 ? "" : "s") +
              " (see server log for list)";
  if (!cascade) {
    const std::string what = targets_.size() == 1
                                 ? "cannot drop " + describe(ctx_, targets_[0]) + " because other objects depend on it"
                                 : std::string("cannot drop desired object(s) because other objects depend on them");
    return Status{sqlstate::dependent_objects_still_exist, what}.with_detail(listed).with_hint(
        "Use DROP ... CASCADE to drop the dependent objects too.");
  }
  if (dependents == 1) ctx_.notice(sqlstate::successful_completion, lines[0]);
  else ctx_.notice(sqlstate::successful_completion, "drop cascades to " + std::to_string(dependents) + " other objects", listed);
  return {};
}

std::set<Oid> DropPlan::tables() {
  if (order_.empty()) mark_targets();
  std::set<Oid> out;
  for (const Entry& entry : order_) {
    if (entry.object.kind == RefKind::kTable || entry.object.kind == RefKind::kView || entry.object.kind == RefKind::kDefault || entry.object.kind == RefKind::kColumn) out.insert(entry.object.oid);
    if (entry.object.table != 0) out.insert(entry.object.table);
    if (entry.object.kind == RefKind::kTable) {
      // Whose rows it checks: nobody may look for its foreign keys any more.
      const auto table = ctx_.catalog()->table(entry.object.oid);
      if (table != nullptr)
        for (const ForeignKeyDef& key : table->foreign_keys) out.insert(key.referenced_table);
    }
  }
  return out;
}

Status DropPlan::collect(Changes& changes) {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  std::map<Oid, std::shared_ptr<TableDef>> changed;
  const auto edit = [&](Oid oid) -> TableDef* {
    if (planned(RefKind::kTable, oid)) return nullptr;
    auto& slot = changed[oid];
    if (slot == nullptr) {
      const auto table = catalog->table(oid);
      if (table == nullptr) return nullptr;
      slot = std::make_shared<TableDef>(*table);
    }
    return slot.get();
  };
  std::map<Oid, UserType> changed_types;
  std::map<Oid, std::shared_ptr<ObjectDef>> changed_views;   // whose triggers and defaults go
  const auto change_view = [&](Oid oid, const auto& change) {
    const auto old = catalog->object(ObjectKind::kView, oid);
    if (old == nullptr || planned(RefKind::kView, oid)) return;
    auto& view = changed_views[oid];
    if (view == nullptr) view = std::make_shared<ObjectDef>(*old);
    std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
    change(*definition);
    view->definition = definition->encode();
  };
  std::set<Oid> gone;
  for (const Entry& entry : order_) {
    const ObjectRef& object = entry.object;
    gone.insert(object.oid);
    switch (object.kind) {
      case RefKind::kTable: {
        changes.drop(ObjectKind::kTable, object.oid);
        if (const auto table = catalog->table(object.oid))
          for (const IndexDef& index : table->indexes) {
            if (index.global_table != 0) changes.drop(ObjectKind::kTable, index.global_table);
            gone.insert(index.oid);
          }
        break;
      }
      case RefKind::kSequence: changes.drop(ObjectKind::kSequence, object.oid); break;
      case RefKind::kView: changes.drop(ObjectKind::kView, object.oid); break;
      case RefKind::kFunction: changes.drop(ObjectKind::kFunction, object.oid); break;
      case RefKind::kType: changes.drop(ObjectKind::kType, object.oid); break;
      case RefKind::kCollation: changes.drop(ObjectKind::kCollation, object.oid); break;
      case RefKind::kAttribute: {
        gone.erase(object.oid);
        const auto type = catalog->object(ObjectKind::kType, object.oid);
        if (type == nullptr || planned(RefKind::kType, object.oid)) break;
        auto& edited = changed_types.try_emplace(object.oid, *static_cast<const UserType*>(type->compiled.get())).first->second;
        drop_attribute(&edited, object.column);
        break;
      }
      case RefKind::kDomainCheck: {
        const auto type = catalog->object(ObjectKind::kType, object.table);
        if (type == nullptr || planned(RefKind::kType, object.table)) break;
        auto& edited = changed_types.try_emplace(object.table, *static_cast<const UserType*>(type->compiled.get())).first->second;
        std::erase_if(edited.checks, [&](const DomainCheck& check) { return check.oid == object.oid; });
        break;
      }
      case RefKind::kExtension: changes.drop(ObjectKind::kExtension, object.oid); break;
      case RefKind::kCheck:
        if (TableDef* table = edit(object.table)) std::erase_if(table->checks, [&](const CheckDef& check) { return check.oid == object.oid; });
        break;
      case RefKind::kSchema: changes.drop(ObjectKind::kSchema, object.oid); break;
      case RefKind::kForeignKey:
        if (TableDef* table = edit(object.table)) std::erase_if(table->foreign_keys, [&](const ForeignKeyDef& key) { return key.oid == object.oid; });
        break;
      case RefKind::kTrigger:
        if (catalog->table(object.table) == nullptr) {
          change_view(object.table, [&](ViewDefinition& definition) {
            std::erase_if(definition.triggers, [&](const TriggerDef& trigger) { return trigger.oid == object.oid; });
          });
          break;
        }
        if (TableDef* table = edit(object.table)) std::erase_if(table->triggers, [&](const TriggerDef& trigger) { return trigger.oid == object.oid; });
        break;
      case RefKind::kDefault:
        gone.erase(object.oid);
        if (catalog->table(object.oid) == nullptr) {
          change_view(object.oid, [&](ViewDefinition& definition) { definition.columns[object.column].default_expression.clear(); });
          break;
        }
        if (TableDef* table = edit(object.oid)) table->columns[object.column].default_expression.clear();
        break;
      case RefKind::kIndex:
        if (TableDef* table = edit(object.table)) {
          for (const IndexDef& index : table->indexes)
            if (index.oid == object.oid && index.global_table != 0) changes.drop(ObjectKind::kTable, index.global_table);
          std::erase_if(table->indexes, [&](const IndexDef& index) { return index.oid == object.oid; });
        }
        break;
      case RefKind::kColumn:
      case RefKind::kKeyConstraint:
        gone.erase(object.oid);
        break;   // ALTER TABLE does these itself
    }
  }
  for (auto it = catalog->objects().lower_bound(std::pair(ObjectKind::kComment, Oid{0}));
       it != catalog->objects().end() && it->first.first == ObjectKind::kComment; ++it)
    if (gone.contains(it->second->parent)) changes.drop(ObjectKind::kComment, it->second->oid);
  for (auto& [oid, type] : changed_types) {
    auto object = std::make_shared<ObjectDef>(*catalog->object(ObjectKind::kType, oid));
    object->definition = type.encode();
    object->compiled = nullptr;
    ctx_.session.note_changed_type(oid);
    changes.put(std::move(object));
  }
  for (auto& [oid, table] : changed)
    if (table != nullptr) changes.put(std::move(table));
  for (auto& [oid, view] : changed_views) changes.put(std::move(view));
  return {};
}

}  // namespace wandian::sql
