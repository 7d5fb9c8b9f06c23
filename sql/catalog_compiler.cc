// CHECK constraints as the engine's row checks, computed indexes as its index keys, generated columns as its row generator.
#include <algorithm>
#include <memory>
#include <vector>

#include "engine/table.h"
#include "sql/bind/binder.h"
#include "sql/expr/expression.h"
#include "sql/exec/triggers.h"
#include "sql/expr/tree.h"
#include "sql/index_expressions.h"
#include "sql/routine/routine.h"
#include "sql/routine/trigger_rows.h"
#include "sql/server.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kShownBytesPerValue = 64;

const FormatSettings& plain_format() {
  static const FormatSettings settings;
  return settings;
}

class CompiledChecks final : public RowChecks {
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
    WANDIAN_ASSIGN(const CompiledExpr code, compile(*bound.expr, code_arena_, compile_options));
    for (const ColumnUse& use : collect_columns(bound.expr)) {
      if (use.column < 0) return Status{sqlstate::feature_not_supported, "system columns cannot be used in a check constraint"};
      const auto column = static_cast<std::uint16_t>(use.column);
      if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) columns_.push_back(column);
    }
    checks_.push_back({check.name, std::move(bound), code});
    slots_ = table.columns.size();
    return {};
  }
  void set_schema(std::string name) { schema_ = std::move(name); }

  Status check(const TableDef& table, const char* row) const override {
    // Written by the owner's thread between two rows of the same batch: one scratch a thread is enough.
    thread_local Arena arena;
    thread_local std::vector<Value> values;
    arena.reset();
    if (values.size() < slots_) values.resize(slots_);
    const RowLayout& layout = table.layouts->newest();
    for (const std::uint16_t column : columns_) values[column] = layout.read(row, column);
    EvalContext context{arena, plain_format(), nullptr, 0, 0, {}};
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
  std::vector<std::uint16_t> columns_;
  std::size_t slots_ = 0;
  std::string schema_;
};

Result<std::shared_ptr<const void>> compile_trigger_conditions(BindContext context, const TableDef& table) {
  auto out = std::make_shared<TriggerConditions>();
  for (const TriggerDef& trigger : table.triggers) {
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
    WANDIAN_ASSIGN(const CompiledExpr code, compile(*bound.expr, out->arena));
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
    StandaloneOptions options;
    options.use = StandaloneUse::kGenerated;
    options.table_name = table.name;
    options.columns = columns;
    options.target_type = def.type;
    options.target_typmod = def.typmod;
    options.target_name = def.name;
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

class Compiler final : public CatalogCompiler {
 public:
  Status compile_table(const Catalog& catalog, TableDef& table) override {
    table.row_checks.reset();
    table.index_keys.reset();
    table.trigger_conditions.reset();
    table.generator.reset();
    const BindContext context = definition_context(catalog, table);
    if (table.computed_indexes != 0) {
      WANDIAN_ASSIGN(table.index_keys, CompiledIndexKeys::compile(table, context));
    }
    if (std::any_of(table.triggers.begin(), table.triggers.end(), [](const TriggerDef& trigger) { return !trigger.condition.empty(); })) {
      WANDIAN_ASSIGN(table.trigger_conditions, compile_trigger_conditions(context, table));
    }
    if (!table.checks.empty()) {
      const std::shared_ptr<const SchemaDef> schema = catalog.schema(table.schema);
      auto checks = std::make_shared<CompiledChecks>();
      for (const CheckDef& check : table.checks) WANDIAN_TRY(checks->add(context, table, check));
      if (schema != nullptr) checks->set_schema(schema->name);
      table.row_checks = std::move(checks);
    }
    std::shared_ptr<CompiledGeneration> generator;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].generated == 0) continue;
      if (generator == nullptr) generator = std::make_shared<CompiledGeneration>();
      WANDIAN_TRY(generator->add(context, table, static_cast<std::uint16_t>(i)));
    }
    table.generator = std::move(generator);
    return {};
  }

  Status compile_object(const Catalog& catalog, ObjectDef& object) override {
    if (object.kind == ObjectKind::kFunction) object.compiled = compile_routine(catalog, object);
    return {};
  }
};

}  // namespace

CatalogCompiler& catalog_compiler() {
  static Compiler compiler;
  return compiler;
}

}  // namespace wandian::sql
