// What the engine cannot read: CHECK constraints become its row checks, computed indexes its index keys, generated columns its row generator; definitions of types are decoded.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/table.h"
#include "sql/access/acl.h"
#include "sql/bind/binder.h"
#include "sql/catalog_objects.h"
#include "sql/exec/row_writer.h"
#include "sql/exec/triggers.h"
#include "sql/expr/domain_value.h"
#include "sql/expr/expression.h"
#include "sql/expr/tree.h"
#include "sql/functions/citext.h"
#include "sql/index_expressions.h"
#include "sql/partition/partitioning.h"
#include "sql/routine/routine.h"
#include "sql/routine/trigger_rows.h"
#include "sql/server.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

void publish_range_type(Oid oid, const UserType& type) {
  TypeInfo info{oid, {}, -1, Rep::kBytes, type.kind == 'r' ? Order::kRange : Order::kArray, 'R', false, 0, type.array, type.kind, type.base};
  const Order order = type.collation.empty() ? Order::kNone : collated_order(type.base, type.collation);
  if (is_collated(order)) info.bounds = order;
  publish_type(info);
  publish_type({type.array, {}, -1, Rep::kBytes, Order::kArray, 'A', false, oid, 0});
}

constexpr std::size_t kShownBytesPerValue = 64;

const FormatSettings& plain_format() {
  static const FormatSettings settings;
  return settings;
}

// The types that a table's checks meet, for the owner's thread, which runs them for no session.
class CapturedTypes final : public TypeCatalog {
 public:
  void capture(const Catalog& catalog, Oid type) {
    const TypeInfo* info = find_type(type);
    if (info == nullptr || type < kFirstUserOid) return;
    if (info->category == 'A' && info->element != 0) return capture(catalog, info->element);
    std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kType, type);
    if (types_.contains(type) || tables_.contains(type)) return;
    if (object != nullptr) {
      if (const auto schema = catalog.schema(object->parent)) schemas_.emplace(type, schema->name);
      types_.emplace(type, std::move(object));
    }
    if (info->kind == 'd' || info->kind == 'r' || info->kind == 'm') capture(catalog, info->base);
    if (info->kind != 'c') return;
    if (auto table = catalog.table(info->base)) tables_.emplace(type, std::move(table));
    std::vector<RowField> fields;
    (void)row_fields(type, &fields);
    for (const RowField& field : fields) capture(catalog, field.type);
  }
  bool has(Oid type) const { return types_.contains(type); }
  bool empty() const { return types_.empty() && tables_.empty(); }
  const UserType* user_type(Oid type) override {
    const auto found = types_.find(type);
    return found == types_.end() ? nullptr : static_cast<const UserType*>(found->second->compiled.get());
  }
  std::string user_type_name(Oid type) override {
    const auto found = types_.find(type);
    return found == types_.end() ? std::string() : found->second->name;
  }
  std::pair<std::string, std::string> type_identity(Oid type) override {
    const auto found = types_.find(type);
    const auto schema = schemas_.find(type);
    if (found == types_.end()) return {};
    return {schema == schemas_.end() ? std::string() : schema->second, found->second->name};
  }
  Oid find_user_type(std::string_view, std::string_view) override { return 0; }
  bool row_fields(Oid type, std::vector<RowField>* out) override {
    if (const auto table = tables_.find(type); table != tables_.end()) {
      fields_of_table(*table->second, out);
      return true;
    }
    const UserType* composite = user_type(type);
    if (composite == nullptr) return false;
    fields_of_composite(*composite, out);
    return true;
  }

 private:
  std::map<Oid, std::shared_ptr<const ObjectDef>> types_;
  std::map<Oid, std::string> schemas_;   // their schemas' names
  std::map<Oid, std::shared_ptr<const TableDef>> tables_;   ///< by row type
};

class CompiledChecks final : public SessionChecks {
 public:
  struct Check {
    std::string name;
    BoundExpression bound;
    CompiledExpr code;
  };

  Status add(const BindContext& context, const TableDef& table, const CheckDef& check) {
    const std::vector<StandaloneColumn> columns = standalone_columns(table);
    StandaloneOptions options;
    options.use = StandaloneUse::kCheck;
    options.table_name = table.name;
    options.columns = columns;
    options.fold = true;
    WANDIAN_ASSIGN(BoundExpression bound, bind_standalone_expression(check.expression, context, options));
    CompileOptions compile_options;
    compile_options.columns_are_slots = true;
    compile_options.journaled = contains_routine(bound.expr);
    waits_ = waits_ || compile_options.journaled;
    WANDIAN_ASSIGN(const CompiledExpr code, compile(*bound.expr, code_arena_, compile_options));
    for (const ColumnUse& use : collect_columns(bound.expr)) {
      if (use.column < 0) return Status{sqlstate::feature_not_supported, "system columns cannot be used in a check constraint"};
      const auto column = static_cast<std::uint16_t>(use.column);
      if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) columns_.push_back(column);
    }
    any_node(bound.expr, [&](const Expr* node) {
      types_.capture(*context.catalog, node->type);
      return false;
    });
    for (const ColumnDef& column : table.columns) types_.capture(*context.catalog, column.type);
    checks_.push_back({check.name, std::move(bound), code});
    slots_ = table.columns.size();
    return {};
  }
  bool depends_on(Oid type) const override { return types_.has(type); }
  bool waits() const override { return waits_; }
  void set_schema(std::string name) { schema_ = std::move(name); }
  const std::vector<Check>& checks() const { return checks_; }

  Status check(const TableDef& table, const char* row) const override {
    // Written by the owner's thread between two rows of the same batch: one scratch a thread is enough.
    thread_local Arena arena;
    std::optional<TypeCatalogScope> scope;
    if (!types_.empty()) [[unlikely]] scope.emplace(&types_);
    arena.reset();
    EvalContext context{arena, plain_format(), nullptr, 0, 0, {}};
    return check_in(table, row, context);
  }
  Status check_in(const TableDef& table, const char* row, EvalContext& context) const override {
    thread_local std::vector<Value> values;
    if (values.size() < slots_) values.resize(slots_);
    const RowLayout& layout = table.layouts->newest();
    for (const std::uint16_t column : columns_) values[column] = layout.read(row, column);
    ExprInput input;
    input.columns = values.data();
    for (const Check& check : checks_) {
      Value result;
      if (!check.code.eval(context, input, &result)) [[unlikely]] return std::move(context.error);
      // NULL passes a CHECK.
      if (result.is_null || result.as_bool()) [[likely]] continue;
      return violated(table, row, check.name);
    }
    return {};
  }

 private:
  Status violated(const TableDef& table, const char* row, const std::string& name) const {
    Arena arena;
    EvalContext context{arena, plain_format(), nullptr, 0, 0, {}};
    std::string shown;
    const RowLayout& layout = table.layouts->newest();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].dropped) continue;
      if (!shown.empty()) shown += ", ";
      const Value value = layout.read(row, static_cast<unsigned>(i));
      std::string text = "null";
      if (!value.is_null) {
        text.clear();
        (void)append_text(context, table.columns[i].type, value, text);
        if (text.size() > kShownBytesPerValue) {
          std::size_t cut = kShownBytesPerValue;
          while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
          text.resize(cut);
          text += "...";
        }
      }
      shown += text;
    }
    return Status{sqlstate::check_violation, "new row for relation \"" + table.name + "\" violates check constraint \"" + name + "\""}
        .with_detail("Failing row contains (" + shown + ").")
        .with_table(schema_, table.name)
        .with_constraint(name);
  }

  Arena code_arena_;
  std::vector<Check> checks_;
  bool waits_ = false;
  std::vector<std::uint16_t> columns_;
  std::size_t slots_ = 0;
  std::string schema_;
  mutable CapturedTypes types_;
};

// The functions that an expression calls, put in place of their calls or not.
void note_called(const BoundExpression& bound, std::vector<Oid>* called) {
  for (const std::shared_ptr<const ObjectDef>& object : bound.objects)
    if (object->kind == ObjectKind::kFunction) called->push_back(object->oid);
}

Result<std::shared_ptr<const void>> compile_trigger_conditions(BindContext context, const TableDef& table) {
  auto out = std::make_shared<TriggerConditions>();
  for (const TriggerDef& trigger : table.triggers) {
    out->waits.push_back(0);
    if (trigger.condition.empty()) {
      out->conditions.emplace_back();
      continue;
    }
    TriggerRows rows(table);
    context.variables = &rows;
    StandaloneOptions options;
    options.use = StandaloneUse::kTriggerWhen;
    options.fold = true;
    WANDIAN_ASSIGN(BoundExpression bound, bind_standalone_expression(trigger.condition, context, options));
    CompileOptions compile_options;
    compile_options.journaled = contains_routine(bound.expr);
    out->waits.back() = compile_options.journaled ? 1 : 0;
    WANDIAN_ASSIGN(const CompiledExpr code, compile(*bound.expr, out->arena, compile_options));
    out->conditions.push_back(code);
    out->bound.push_back(std::move(bound));
  }
  return std::shared_ptr<const void>(std::move(out));
}

class CompiledGeneration final : public RowGenerator {
 public:
  Status add(const BindContext& context, const TableDef& table, std::uint16_t column) {
    const ColumnDef& def = table.columns[column];
    const std::vector<StandaloneColumn> columns = standalone_columns(table);
    StandaloneOptions options = generation_options(table, column, columns);
    options.fold = true;
    WANDIAN_ASSIGN(BoundExpression bound, bind_standalone_expression(def.default_expression, context, options));
    CompileOptions compile_options;
    compile_options.columns_are_slots = true;
    WANDIAN_ASSIGN(const CompiledExpr code, compile(*bound.expr, code_arena_, compile_options));
    columns_.push_back({column, std::move(bound), code});
    const auto in = [&](const std::vector<std::uint16_t>& key) { return std::find(key.begin(), key.end(), column) != key.end(); };
    generates_key_ = generates_key_ || in(table.placement.columns);
    for (const IndexPart& part : table.indexes[0].parts) generates_key_ = generates_key_ || part.column == column;
    return {};
  }
  Status generate(std::span<Value> values, Arena& arena) const override {
    EvalContext context{arena, plain_format(), nullptr, 0, 0, {}};
    ExprInput input;
    input.columns = values.data();
    // They do not refer to each other.
    for (const Column& column : columns_) {
      Value value;
      if (!column.code.eval(context, input, &value)) [[unlikely]] return std::move(context.error);
      values[column.column] = value;
    }
    return {};
  }
  bool generates_key() const override { return generates_key_; }

 private:
  struct Column {
    std::uint16_t column;
    BoundExpression bound;
    CompiledExpr code;
  };
  Arena code_arena_;
  std::vector<Column> columns_;
  bool generates_key_ = false;
};

// A view that has triggers, as the table that they take it for.
Result<std::shared_ptr<const void>> compile_view(const BindContext& context, const ObjectDef& view) {
  WANDIAN_ASSIGN(const std::shared_ptr<TableDef> out, view_as_table(view));
  if (out->triggers.empty()) return std::shared_ptr<const void>();
  WANDIAN_ASSIGN(out->trigger_conditions, compile_trigger_conditions(context, *out));
  return std::shared_ptr<const void>(out);
}

template <class Definition>
Status read_definition(ObjectDef& object, std::string_view what) {
  std::optional<Definition> definition = Definition::decode(object.definition);
  if (!definition) return Status{sqlstate::data_corrupted, "definition of " + std::string(what) + " \"" + object.name + "\" cannot be read"};
  object.compiled = std::make_shared<const Definition>(std::move(*definition));
  return {};
}

class Compiler final : public CatalogCompiler {
  // Stored expressions name what is not in pg_catalog by OID.
  static BindContext context_of(const Catalog& catalog, Oid schema) {
    BindContext context;
    context.catalog = catalog.weak_from_this().lock();
    // Not owned by a shared pointer: it outlives this call all the same.
    if (context.catalog == nullptr) context.catalog = std::shared_ptr<const Catalog>(std::shared_ptr<const void>(), &catalog);
    context.search_path = {kPgCatalogSchema, schema};
    if (const std::shared_ptr<const SchemaDef> def = catalog.schema(schema)) context.database = def->database;
    return context;
  }

 public:
  Status compile_table(const Catalog& catalog, TableDef& table) override {
    table.row_checks.reset();
    table.index_keys.reset();
    table.trigger_conditions.reset();
    table.called.clear();
    table.generator.reset();
    table.partitioning.reset();
    const BindContext context = definition_context(catalog, table);
    CatalogTypes types(catalog, context.search_path, context.database);
    const TypeCatalogScope scope(&types);
    if (table.computed_indexes != 0) {
      WANDIAN_ASSIGN(const std::shared_ptr<const CompiledIndexKeys> keys, CompiledIndexKeys::compile(table, context));
      table.called.insert(table.called.end(), keys->called().begin(), keys->called().end());
      table.index_keys = keys;
    }
    if (std::any_of(table.triggers.begin(), table.triggers.end(), [](const TriggerDef& trigger) { return !trigger.condition.empty(); })) {
      WANDIAN_ASSIGN(table.trigger_conditions, compile_trigger_conditions(context, table));
      for (const BoundExpression& bound : static_cast<const TriggerConditions*>(table.trigger_conditions.get())->bound) note_called(bound, &table.called);
    }
    if (!table.checks.empty()) {
      const std::shared_ptr<const SchemaDef> schema = catalog.schema(table.schema);
      auto checks = std::make_shared<CompiledChecks>();
      for (const CheckDef& check : table.checks) WANDIAN_TRY(checks->add(context, table, check));
      if (schema != nullptr) checks->set_schema(schema->name);
      for (const CompiledChecks::Check& check : checks->checks()) note_called(check.bound, &table.called);
      table.row_checks = std::move(checks);
    }
    std::shared_ptr<CompiledGeneration> generator;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].generated == 0) continue;
      if (generator == nullptr) generator = std::make_shared<CompiledGeneration>();
      WANDIAN_TRY(generator->add(context, table, static_cast<std::uint16_t>(i)));
    }
    table.generator = std::move(generator);
    if (table.is_partitioned()) {
      WANDIAN_ASSIGN(table.partitioning, Partitioning::compile(catalog, table, context));
    }
    return {};
  }

  Status compile_object(const Catalog& catalog, ObjectDef& object) override {
    if (object.kind == ObjectKind::kFunction) object.compiled = compile_routine(catalog, object);
    if (object.kind == ObjectKind::kRole) return read_definition<RoleProperties>(object, "role");
    if (object.kind == ObjectKind::kView) {
      const BindContext context = context_of(catalog, object.parent);
      CatalogTypes types(catalog, context.search_path, context.database);
      const TypeCatalogScope scope(&types);
      WANDIAN_ASSIGN(object.compiled, compile_view(context, object));
      return {};
    }
    if (object.kind == ObjectKind::kAcl) return read_definition<ObjectAcl>(object, "privileges of object");
    if (object.kind == ObjectKind::kCollation) {
      std::optional<CollationDefinition> collation = CollationDefinition::decode(object.definition, object.oid);
      if (!collation) return Status{sqlstate::data_corrupted, "definition of collation \"" + object.name + "\" cannot be read"};
      object.compiled = std::make_shared<const CollationDefinition>(std::move(*collation));
    }
    if (object.kind != ObjectKind::kType) return {};
    std::optional<UserType> type = UserType::decode(object.definition);
    if (!type) return Status{sqlstate::data_corrupted, "definition of type \"" + object.name + "\" cannot be read"};
    if (type->kind == 'd') {
      BindContext context = context_of(catalog, object.parent);
      CatalogTypes types(catalog, context.search_path, context.database);
      const TypeCatalogScope scope(&types);
      WANDIAN_TRY(compile_domain_checks(context, &*type));
    }
    object.compiled = std::make_shared<const UserType>(std::move(*type));
    return {};
  }

  bool calls(const ObjectDef& object, Oid function) const override {
    std::vector<Oid> called;
    if (object.kind == ObjectKind::kType && object.compiled != nullptr) {
      const auto* checks = static_cast<const DomainChecks*>(static_cast<const UserType*>(object.compiled.get())->checks_compiled.get());
      if (checks != nullptr)
        for (const DomainChecks::Check& check : checks->checks) note_called(check.bound, &called);
    } else if (const auto view = object.kind == ObjectKind::kView ? view_table(object) : nullptr; view != nullptr) {
      for (const BoundExpression& bound : static_cast<const TriggerConditions*>(view->trigger_conditions.get())->bound) note_called(bound, &called);
    }
    return std::find(called.begin(), called.end(), function) != called.end();
  }

  Oid declare_type(const ObjectDef& object) override {
    const std::optional<UserType> type = UserType::decode(object.definition);
    if (!type) return object.oid;
    if (type->kind == 'e') {
      publish_type({object.oid, {}, 4, Rep::kInt64, Order::kInteger, 'E', false, 0, type->array, 'e', 0});
      publish_type({type->array, {}, -1, Rep::kBytes, Order::kArray, 'A', false, object.oid, 0});
    }
    if (type->kind == 'r' || type->kind == 'm') publish_range_type(object.oid, *type);
    const TypeInfo* base = type->kind == 'd' ? find_type(type->base) : nullptr;
    if (base != nullptr) {
      publish_type({object.oid, {}, base->length, base->rep, base->order, base->category, false, 0, type->array, 'd', type->base});
      publish_type({type->array, {}, -1, Rep::kBytes, Order::kArray, 'A', false, object.oid, 0});
    }
    const Oid own = type->kind == 'c' ? relation_of_row_type(object.oid) : object.oid;
    return std::max(own, type->highest_oid());
  }
};

}  // namespace

CatalogCompiler& catalog_compiler() {
  static Compiler compiler;
  static const bool published = [] {
    set_collation_source(order_of_collation);
    publish_citext();
    return true;
  }();
  (void)published;
  return compiler;
}

}  // namespace wandian::sql
