// Variables and expressions: how texts are compiled, evaluated and assigned.
#include <algorithm>

#include "engine/array_value.h"
#include "sql/co_try.h"
#include "sql/expr/tree.h"
#include "sql/functions/jsonb_path.h"
#include "sql/messages.h"
#include "sql/plpgsql/array_assign.h"
#include "sql/plpgsql/parser.h"
#include "sql/plpgsql/run.h"
#include "sql/routine/value_cast.h"
#include "sql/types/text_io.h"

namespace wandian::sql::plpgsql {

namespace {

constexpr std::string_view kSelect = "SELECT ", kCaseVariable = "__Case__Variable_";

// A row without FROM, sub-selects and anything else that needs a plan.
bool is_simple(const Query& query) {
  return query.command == Command::kSelect && query.ranges.empty() && query.from.empty() && query.ctes.empty() && query.where == nullptr &&
         !query.has_aggregates && !query.grouped && !query.has_target_sets && !query.has_sublinks && query.having == nullptr && !query.distinct &&
         query.distinct_on.empty() && query.order_by.empty() && query.limit == nullptr && query.offset == nullptr &&
         query.set_operation == nullptr && query.row_marks.empty() && query.targets.size() == 1 && !contains_sublink(query.targets[0].expr);
}

// The columns of a record-valued expression, where it says them.
ShapePtr shape_of(const Expr* expr) {
  auto shape = std::make_shared<RowShape>();
  if (expr->kind == ExprKind::kRow) {
    const auto& row = expr->as<RowExpr>();
    for (std::size_t i = 0; i < row.args.size(); ++i)
      shape->fields.push_back({i < row.names.size() ? std::string(row.names[i]) : "f" + std::to_string(i + 1), row.args[i]->type, row.args[i]->typmod});
    return shape;
  }
  if (expr->kind == ExprKind::kFunction) {
    const FunctionDef& function = *expr->as<FunctionExpr>().function;
    for (std::size_t i = 0; i < function.out_names.size(); ++i)
      shape->fields.push_back({std::string(function.out_names[i]), function.out_types[i], -1});
    if (!shape->fields.empty()) return shape;
  }
  return nullptr;
}

}  // namespace

/// The names of one text while it is bound.
class TextVariables final : public BindVariables {
 public:
  TextVariables(const Interpreter& run, const Text& text, Compiled& compiled) : run_(run), text_(text), compiled_(compiled) {}

  Precedence precedence() const override {
    return run_.tree_.conflict == 'v' ? Precedence::kVariable : run_.tree_.conflict == 'c' ? Precedence::kColumn : Precedence::kNeither;
  }
  Result<bool> find(std::span<const std::string_view> names, Found* out) override {
    if (names.size() == 1 && names[0].starts_with(kCaseVariable)) {
      for (std::uint32_t i = 0; i < run_.tree_.variables.size(); ++i)
        if (run_.tree_.variables[i].name == names[0]) {
          out->scalar = add(i, -1, run_.type_of(i));
          return true;
        }
    }
    const Resolved found = resolve(run_.tree_, text_.names, names);
    if (found.name == nullptr) return false;
    const std::uint32_t variable = found.name->datum;
    if (!run_.tree_.variables[variable].type.is_row) {
      if (found.parts != names.size()) return false;
      out->scalar = add(variable, -1, run_.type_of(variable));
      return true;
    }
    if (names.size() > found.parts + 1) return false;
    const ShapePtr& shape = run_.states_[variable].shape;
    note_shape(variable, shape);
    if (names.size() == found.parts) {
      out->is_row = true;
      if (const Oid relation = run_.tree_.variables[variable].type.relation; relation != 0) out->row_type = FunctionObject::row_type(relation);
      if (shape == nullptr) return true;
      for (std::size_t i = 0; i < shape->fields.size(); ++i) out->fields.emplace_back(shape->fields[i].name, field(variable, i, *shape));
      return true;
    }
    const std::string& name = run_.tree_.variables[variable].name;
    if (shape == nullptr) {
      return Status{sqlstate::object_not_in_prerequisite_state, "record " + quoted(name) + " is not assigned yet"}
          .with_detail("The tuple structure of a not-yet-assigned record is indeterminate.")
          .with_context(run_.shown(text_));
    }
    for (std::size_t i = 0; i < shape->fields.size(); ++i) {
      if (shape->fields[i].name != names.back()) continue;
      out->scalar = field(variable, i, *shape);
      return true;
    }
    return Status{sqlstate::undefined_column, "record " + quoted(name) + " has no field " + quoted(names.back())}.with_context(run_.shown(text_));
  }
  Result<bool> find_number(std::uint32_t number, Found* out) override {
    const std::string name = "$" + std::to_string(number);
    const std::string_view names[] = {name};
    return find(names, out);
  }

 private:
  Variable add(std::uint32_t variable, std::int32_t field, const VariableType& type) {
    std::uint32_t index = 0;
    while (index < compiled_.sources.size() && (compiled_.sources[index].variable != variable || compiled_.sources[index].field != field)) ++index;
    if (index == compiled_.sources.size()) compiled_.sources.push_back({variable, field});
    return {index, type.type, type.typmod};
  }
  Variable field(std::uint32_t variable, std::size_t i, const RowShape& shape) {
    return add(variable, static_cast<std::int32_t>(i), {false, 0, shape.fields[i].type, shape.fields[i].typmod});
  }
  void note_shape(std::uint32_t variable, const ShapePtr& shape) {
    for (const auto& [known, of] : compiled_.shapes)
      if (known == variable) return;
    compiled_.shapes.emplace_back(variable, shape);
  }

  const Interpreter& run_;
  const Text& text_;
  Compiled& compiled_;
};

// ---- Compiling ----

std::string Interpreter::shown(const Text& text) const {
  switch (text.kind) {
    case TextKind::kExpression: return "SQL expression \"" + text.text + "\"";
    case TextKind::kAssignment: return "PL/pgSQL assignment \"" + text.text + "\"";
    case TextKind::kStatement: break;
  }
  return "SQL statement \"" + text.text + "\"";
}

bool Interpreter::is_valid(const Compiled& compiled) {
  for (const auto& [variable, shape] : compiled.shapes) {
    const ShapePtr& now = states_[variable].shape;
    if (now == shape) continue;
    if (now == nullptr || shape == nullptr || !(*now == *shape)) return false;
  }
  return session_.is_current(*compiled.statement);
}

Result<CompiledTextPtr> Interpreter::compile(const Text& text, const VariableType* target) {
  CompiledTextPtr& slot = body_.texts[text.id];
  const bool is_case = target != nullptr && target->relation == kCaseMark;
  const ResolvedType to = target != nullptr && !is_case ? ResolvedType{target->type, target->typmod} : ResolvedType{};
  if (slot != nullptr && slot->target == to.type && slot->target_typmod == to.typmod && is_valid(*slot)) [[likely]] {
    if (slot->simple && !slot->bound->executed.empty()) WANDIAN_TRY(session_.check_access(*slot->statement));
    return slot;
  }
  auto compiled = std::make_shared<Compiled>();
  compiled->target = to.type;
  compiled->target_typmod = to.typmod;
  std::string sql;
  std::int32_t skipped = 0;
  if (text.kind == TextKind::kStatement) {
    sql = text.text;
  } else if (is_case) {
    sql = std::string(kSelect) + "\"" + std::string(kCaseVariable) + std::to_string(target->type) + "__\" IN (" + text.text + ")";
  } else {
    sql = std::string(kSelect) + (text.kind == TextKind::kAssignment ? text.text.substr(text.value) : text.text);
    skipped = static_cast<std::int32_t>(kSelect.size());
    if (text.kind == TextKind::kAssignment) skipped -= character_position(text.text, static_cast<std::int32_t>(text.value)) - 1;
  }
  const auto failed = [&](Status status) {
    make_internal(status, text.text, skipped);
    return status;
  };
  Result<ParsedStatements> parsed = ParsedStatements::parse(sql);
  if (!parsed.ok()) return failed(parsed.take_status());
  if (parsed->statements().size() != 1) return failed(Status{sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement"});
  compiled->parsed = std::make_shared<const ParsedStatements>(parsed.take());
  TextVariables variables(*this, text, *compiled);
  const ParseNode* node = compiled->parsed->statements()[0].node;
  if (text.kind == TextKind::kStatement) {
    Result<CompiledPtr> statement = session_.compile_nested(compiled->parsed, 0, &variables, {});
    if (!statement.ok()) return failed(statement.take_status());
    compiled->statement = statement.take();
    compiled->bound = compiled->statement->bound;
    slot = compiled;
    return slot;
  }
  Result<std::shared_ptr<const BoundStatement>> bound = session_.bind_nested(node, sql, &variables, &to);
  if (!bound.ok()) return failed(bound.take_status());
  compiled->bound = bound.take();
  const std::span<const TargetEntry> columns = compiled->bound->query != nullptr ? compiled->bound->result_columns() : std::span<const TargetEntry>();
  if (compiled->bound->query != nullptr && columns.size() != 1) {
    const std::string count = std::to_string(columns.size()) + (columns.size() == 1 ? " column" : " columns");
    if (text.kind == TextKind::kAssignment)
      return Status{sqlstate::syntax_error, "assignment source returned " + count}.with_context(shown(text));
    return Status{sqlstate::syntax_error, "query returned " + count}.with_context("query: " + text.text);
  }
  auto statement = std::make_shared<CompiledStatement>();
  statement->parsed = compiled->parsed;
  statement->kind = StatementKind::kSelect;
  statement->tag = "SELECT";
  statement->catalog = session_.catalog();
  statement->context = session_.plan_context();
  statement->bound = compiled->bound;
  if (compiled->bound->query != nullptr && is_simple(*compiled->bound->query)) {
    compiled->simple = true;
    const Expr* expr = columns[0].expr;
    CompileOptions options;
    options.journaled = compiled->waits = contains_routine(expr);
    Result<CompiledExpr> code = sql::compile(*expr, compiled->code_arena, options);
    if (!code.ok()) return failed(code.take_status());
    compiled->code = code.value();
    compiled->type = expr->type;
    compiled->typmod = expr->typmod;
    compiled->statement = std::move(statement);
    WANDIAN_TRY(session_.check_access(*compiled->statement));
  } else {
    // It needs a plan: a native procedure's call, or a query.
    compiled->sources.clear();
    compiled->shapes.clear();
    TextVariables again(*this, text, *compiled);
    Result<CompiledPtr> planned = session_.compile_nested(compiled->parsed, 0, &again, {});
    if (!planned.ok()) return failed(planned.take_status());
    compiled->statement = planned.take();
    compiled->bound = compiled->statement->bound;
  }
  slot = compiled;
  return slot;
}

std::unique_ptr<BindVariables> Interpreter::variables_of(const Text& text, const Compiled& compiled, Compiled* kept) const {
  if (compiled.statement == nullptr || compiled.statement->bound != nullptr) return nullptr;
  kept->sources = compiled.sources;
  kept->shapes = compiled.shapes;
  return std::make_unique<TextVariables>(*this, text, *kept);
}

// ---- Evaluating ----

Value Interpreter::variable_value(std::uint32_t variable, Arena& arena, Oid* type) const {
  const VariableState& state = states_[variable];
  const VariableType of = type_of(variable);
  if (!of.is_row) {
    *type = of.type;
    return state.cell.value;
  }
  *type = type_oid::kRecord;
  if (state.shape == nullptr || state.is_null) {
    if (of.relation != 0) *type = FunctionObject::row_type(of.relation);
    return Value::null();
  }
  std::vector<Oid> types;
  std::vector<Value> values;
  std::vector<RowField> fields;
  std::size_t next = 0;
  // A value of a named row type keeps the places of dropped columns.
  const auto live = [](const RowField& field) { return !field.dropped; };
  if (of.relation != 0 && session_.row_fields(FunctionObject::row_type(of.relation), &fields) &&
      std::count_if(fields.begin(), fields.end(), live) == std::ssize(state.fields))
    *type = FunctionObject::row_type(of.relation);
  else
    fields.clear();
  for (std::size_t i = 0; i < std::max(fields.size(), state.fields.size()); ++i) {
    const bool dropped = i < fields.size() && fields[i].dropped;
    types.push_back(dropped ? kInvalidOid : state.shape->fields[next].type);
    values.push_back(dropped ? Value::null() : state.fields[next].value);
    if (!dropped) ++next;
  }
  return build_record(types, values, arena);
}

VariableType Interpreter::type_of(std::uint32_t variable) const {
  const auto found = case_types_.find(variable);
  return found != case_types_.end() ? found->second : tree_.variables[variable].type;
}

void Interpreter::gather(const Compiled& compiled, std::vector<Value>* out) const {
  out->resize(compiled.sources.size());
  for (std::size_t i = 0; i < out->size(); ++i) {
    const ParameterSource& source = compiled.sources[i];
    const VariableState& state = states_[source.variable];
    (*out)[i] = source.field < 0 ? state.cell.value : state.fields[static_cast<std::size_t>(source.field)].value;
  }
}

Interpreter::Quick Interpreter::evaluate_now(const Text& text, const VariableType* target, Evaluated* out, Status* status) {
  Result<CompiledTextPtr> compiled = compile(text, target);
  if (!compiled.ok()) {
    *status = compiled.take_status();
    return Quick::kFailed;
  }
  const Compiled& code = *compiled.value();
  if (!code.simple || code.waits) return Quick::kSlow;
  gather(code, &params_);
  EvalContext context = session_.eval_context(scratch_);
  ExprInput input;
  input.params = params_.data();
  const bool could_wait = session_.set_rows_can_wait(true);
  const bool done = code.code.eval(context, input, &out->value);
  session_.set_rows_can_wait(could_wait);
  if (!done) {
    *status = std::move(context.error);
    // What fails without looking at a variable is what PostgreSQL's planner would have computed.
    if (code.sources.empty() && status->error().context.empty() && text.kind == TextKind::kAssignment) *status = std::move(*status).with_context(shown(text));
    return Quick::kFailed;
  }
  out->type = code.type;
  out->typmod = code.typmod;
  if (code.type == type_oid::kRecord) out->shape = shape_of(code.bound->result_columns()[0].expr);
  return Quick::kDone;
}

Task<Status> Interpreter::evaluate(const Text& text, const VariableType* target, Evaluated* out) {
  Status status;
  switch (evaluate_now(text, target, out, &status)) {
    case Quick::kFailed: co_return std::move(status);
    case Quick::kDone:
      if (session_.must_settle()) WANDIAN_CO_TRY(co_await session_.settle_row());
      co_return Status{};
    case Quick::kSlow: break;
  }
  Result<CompiledTextPtr> compiled = compile(text, target);
  if (!compiled.ok()) co_return compiled.take_status();
  const CompiledTextPtr code = compiled.take();
  if (!code->simple) co_return co_await evaluate_query(text, code, target, out);
  // Calls of routines: the values that it was begun with stay, whatever the routines do.
  std::vector<Value> params;
  Arena arena;
  gather(*code, &params);
  for (std::size_t i = 0; i < params.size(); ++i) params[i] = copy_value(code->bound->parameter_types[i], params[i], arena);
  CallJournal journal;
  for (;;) {
    journal.rewind();
    EvalContext context = session_.eval_context(scratch_);
    context.journal = &journal;
    ExprInput input;
    input.params = params.data();
    const bool could_wait = session_.set_rows_can_wait(true);
    const bool done = code->code.eval(context, input, &out->value);
    session_.set_rows_can_wait(could_wait);
    if (done) break;
    if (!journal.asked()) co_return std::move(context.error);
    WANDIAN_CO_TRY(co_await session_.run_routine(journal.call(), run_.view.read_only ? run_.view.callers : ReadView{}));
    journal.answer();
  }
  out->value = copy_value(code->type, out->value, scratch_);
  out->type = code->type;
  out->typmod = code->typmod;
  if (code->type == type_oid::kRecord) out->shape = shape_of(code->bound->result_columns()[0].expr);
  if (session_.must_settle()) WANDIAN_CO_TRY(co_await session_.settle_row());
  co_return Status{};
}

Task<Status> Interpreter::evaluate_query(const Text& text, CompiledTextPtr compiled, const VariableType* target, Evaluated* out) {
  for (;;) {
    const CompiledStatement& statement = *compiled->statement;
    std::vector<Oid> types;
    for (const ResultColumn& column : statement.columns) types.push_back(column.type);
    RowCollector rows(scratch_, types);
    std::vector<Value> params;
    gather(*compiled, &params);
    statement_text_ = shown(text);
    SessionImpl::NestedResult result;
    bool stale = false;
    WANDIAN_CO_TRY(co_await session_.run_nested(compiled->statement, params, 2, rows, run_.view, &result, &stale));
    statement_text_.clear();
    if (stale) {
      Result<CompiledTextPtr> again = compile(text, target);
      if (!again.ok()) co_return again.take_status();
      compiled = again.take();
      continue;
    }
    if (rows.rows() > 1) {
      co_return Status{sqlstate::cardinality_violation, "query returned more than one row"}.with_context("query: " + text.text);
    }
    out->type = types.empty() ? type_oid::kText : types[0];
    out->typmod = statement.columns.empty() ? -1 : statement.columns[0].typmod;
    out->value = rows.rows() == 0 ? Value::null() : rows.at(0)[0];
    if (out->type == type_oid::kRecord) out->shape = shape_of(statement.bound->result_columns()[0].expr);
    row_count_ = rows.rows();
    co_return Status{};
  }
}

// CASE x WHEN a, b: x IN (a, b), with x in a variable of the statement's own.
Task<Status> Interpreter::case_matches(const Statement& next, const Branch& branch, bool* holds) {
  const std::string& name = tree_.variables[next.case_variable].name;
  VariableType mark;
  mark.relation = kCaseMark;
  mark.type = static_cast<Oid>(std::stoul(name.substr(kCaseVariable.size())));
  // The variable has the value's type, which may differ from one turn to the next.
  const VariableType now = type_of(next.case_variable);
  if (last_case_types_[next.case_variable] != now.type) {
    for (const Branch& each : next.branches) body_.texts[each.condition->id].reset();
    last_case_types_[next.case_variable] = now.type;
  }
  Evaluated value;
  WANDIAN_CO_TRY(co_await evaluate(*branch.condition, &mark, &value));
  *holds = !value.value.is_null && value.value.as_bool();
  co_return Status{};
}

// ---- Assigning ----

Status Interpreter::cast(Evaluated* value, Oid type, std::int32_t typmod) {
  if (value->type == type && (typmod < 0 || typmod == value->typmod)) return {};
  if (value->type == type_oid::kRecord && type_kind(base_type(type)) == 'c') {
    WANDIAN_TRY(record_to_composite(value, base_type(type)));
    if (value->type == type) return {};
  }
  EvalContext context = session_.eval_context(scratch_);
  Value out;
  if (value->type == type_oid::kUnknown) value->type = type_oid::kText;
  if (value->value.is_null && type_kind(type) != 'd') {
    value->type = type;
    return {};
  }
  context.journal = journal_;
  WANDIAN_TRY(session_.casts().cast(session_.bind_context(), context, value->value, value->type, type, typmod, &out));
  if (journal_ != nullptr && journal_->asked()) return Status{sqlstate::internal_error, "a routine is to be run first"};   // awaited() does
  value->value = out;
  value->type = type;
  value->typmod = typmod;
  return {};
}

// A value of a row type or composite type as the record that it is, of the columns that the type has now.
Status Interpreter::as_record(Evaluated* value) {
  const Oid type = base_type(value->type);
  if (type_kind(type) != 'c') return {};
  std::vector<RowField> fields;
  if (!session_.row_fields(type, &fields)) return Status{sqlstate::undefined_object, "type with OID " + std::to_string(type) + " does not exist"};
  if (!value->value.is_null) value->value = live_record(fields, value->value, scratch_);
  value->type = type_oid::kRecord;
  value->typmod = -1;
  value->shape = live_shape(fields);
  return {};
}

bool Interpreter::target_type(const Target& target, VariableType* out) const {
  const VariableType type = type_of(target.variable);
  *out = type;
  if (!target.field.empty()) {
    const VariableState& state = states_[target.variable];
    if (state.shape == nullptr) return false;
    std::size_t field = 0;
    while (field < state.shape->fields.size() && state.shape->fields[field].name != target.field) ++field;
    if (field == state.shape->fields.size()) return false;
    *out = {false, 0, state.shape->fields[field].type, state.shape->fields[field].typmod};
  } else if (type.is_row) {
    return false;
  }
  if (!target.subscripts.empty()) {
    const TypeInfo* info = find_type(out->type);
    if (base_type(out->type) == type_oid::kJsonb) {
      out->type = type_oid::kJsonb;
      return true;
    }
    if (info == nullptr || info->element == 0 || info->category != 'A') return false;
    out->type = info->element;
  }
  return true;
}

Status Interpreter::field_of(const Target& target, std::size_t* field) const {
  const VariableState& state = states_[target.variable];
  const std::string& name = tree_.variables[target.variable].name;
  if (state.shape == nullptr)
    return Status{sqlstate::object_not_in_prerequisite_state, "record " + quoted(name) + " is not assigned yet"}.with_detail(
        "The tuple structure of a not-yet-assigned record is indeterminate.");
  for (std::size_t i = 0; i < state.shape->fields.size(); ++i)
    if (state.shape->fields[i].name == target.field) {
      *field = i;
      return {};
    }
  Status status{sqlstate::undefined_column, "record " + quoted(name) + " has no field " + quoted(target.field)};
  if (current_ != nullptr && current_->kind == StepKind::kAssign) status = std::move(status).with_context(shown(*current_->text));
  return status;
}

Status Interpreter::assign(const Target& target, const Evaluated& value) {
  VariableState& state = states_[target.variable];
  Evaluated copy = value;
  if (!target.field.empty()) {
    std::size_t field = 0;
    WANDIAN_TRY(field_of(target, &field));
    const RowShape::Field& of = state.shape->fields[field];
    WANDIAN_TRY(cast(&copy, of.type, of.typmod));
    state.fields[field].set(copy.value, is_by_value(of.type));
    state.is_null = false;
    return check_record_domain(target.variable);
  }
  const VariableType type = type_of(target.variable);
  if (type.is_row) {
    if (value.value.is_null) {
      WANDIAN_TRY(assign_record(target.variable, Value::null(), nullptr));
      return check_record_domain(target.variable);
    }
    WANDIAN_TRY(as_record(&copy));
    if (copy.type != type_oid::kRecord)
      return Status{sqlstate::datatype_mismatch, "cannot assign non-composite value to a record variable"};
    WANDIAN_TRY(assign_record(target.variable, copy.value, copy.shape));
    return check_record_domain(target.variable);
  }
  WANDIAN_TRY(cast(&copy, type.type, type.typmod));
  const Variable& variable = tree_.variables[target.variable];
  if (variable.not_null && copy.value.is_null)
    return Status{sqlstate::null_value_not_allowed, "null value cannot be assigned to variable " + quoted(variable.name) + " declared NOT NULL"};
  state.cell.set(copy.value, is_by_value(type.type));
  return {};
}

bool Interpreter::checks_domains(const std::vector<Target>& targets) const {
  return std::any_of(targets.begin(), targets.end(), [&](const Target& target) {
    const VariableType type = type_of(target.variable);
    if (!type.is_row) return type_kind(type.type) == 'd';
    if (type.domain != 0) return true;
    const ShapePtr& shape = states_[target.variable].shape;
    return shape != nullptr && std::any_of(shape->fields.begin(), shape->fields.end(), [](const RowShape::Field& field) { return type_kind(field.type) == 'd'; });
  });
}

Status Interpreter::check_record_domain(std::uint32_t variable) {
  const Oid domain = tree_.variables[variable].type.domain;
  if (domain == 0) return {};
  Evaluated now;
  now.value = variable_value(variable, scratch_, &now.type);
  return cast(&now, domain, -1);
}

Status Interpreter::assign_record(std::uint32_t variable, const Value& record, const ShapePtr& shape) {
  VariableState& state = states_[variable];
  const bool fixed = type_of(variable).relation != 0 || (tree_.is_trigger && (variable == tree_.new_row || variable == tree_.old_row));
  state.is_null = record.is_null;
  if (record.is_null) {
    if (!fixed) set_shape(state, nullptr);
    for (Cell& field : state.fields) field.set(Value::null(), true);
    return {};
  }
  const RecordView view(record);
  // The fields may point into this very variable.
  Arena arena;
  std::vector<Value> values;
  for (std::uint32_t i = 0; i < view.count(); ++i) values.push_back(copy_value(view.type(i), view.field(i), arena));
  if (!fixed) {
    ShapePtr made = shape;
    if (made == nullptr || made->fields.size() != view.count()) {
      auto built = std::make_shared<RowShape>();
      for (std::uint32_t i = 0; i < view.count(); ++i) built->fields.push_back({"f" + std::to_string(i + 1), view.type(i), -1});
      made = built;
    }
    if (state.shape == nullptr || !(*state.shape == *made)) set_shape(state, std::move(made));
  }
  for (std::size_t i = 0; i < state.fields.size(); ++i) {
    const RowShape::Field& of = state.shape->fields[i];
    Evaluated field;
    if (i < values.size()) {
      field.value = values[i];
      field.type = view.type(static_cast<std::uint32_t>(i));
      WANDIAN_TRY(cast(&field, of.type, of.typmod));
    }
    state.fields[i].set(field.value, is_by_value(of.type));
  }
  return {};
}

bool Interpreter::subscripts_json(const Target& target) const {
  VariableType type;
  if (target.subscripts.empty() || !target_type(target, &type) || type.type != type_oid::kJsonb) return false;
  Target whole = target;
  whole.subscripts.clear();
  return target_type(whole, &type) && base_type(type.type) == type_oid::kJsonb;
}

Status Interpreter::assign_json_part(const Target& target, std::span<const std::string_view> path, bool first_is_integer, const Evaluated& value) {
  VariableState& state = states_[target.variable];
  Cell* cell = &state.cell;
  if (!target.field.empty()) {
    std::size_t field = 0;
    WANDIAN_TRY(field_of(target, &field));
    cell = &state.fields[field];
  }
  Evaluated part = value;
  WANDIAN_TRY(cast(&part, type_oid::kJsonb, -1));
  EvalContext context = session_.eval_context(scratch_);
  Value made;
  if (!jsonb_assign(context, cell->value, path, first_is_integer, part.value, &made)) return std::move(context.error);
  cell->set(made, false);
  return {};
}

Status Interpreter::assign_array_element(const Target& target, std::span<const std::int64_t> subscripts, const Evaluated& value) {
  VariableState& state = states_[target.variable];
  Cell* cell = &state.cell;
  Oid array_type = type_of(target.variable).type;
  if (!target.field.empty()) {
    std::size_t field = 0;
    WANDIAN_TRY(field_of(target, &field));
    cell = &state.fields[field];
    state.is_null = false;
    array_type = state.shape->fields[field].type;
  }
  const TypeInfo* info = find_type(array_type);
  if (info == nullptr || info->element == 0 || info->category != 'A')
    return Status{sqlstate::datatype_mismatch, "cannot subscript type " + format_type(array_type) + " because it does not support subscripting"};
  Evaluated element = value;
  WANDIAN_TRY(cast(&element, info->element, -1));
  WANDIAN_ASSIGN(const Value made, assign_element(cell->value, info->element, subscripts, element.value, scratch_));
  cell->set(made, false);
  return {};
}

Status Interpreter::assign_row(const std::vector<Target>& targets, const std::vector<ResultColumn>& columns, const Value* row,
                               const ShapePtr& nested) {
  if (targets.size() == 1 && targets[0].field.empty() && type_of(targets[0].variable).is_row) {
    const std::uint32_t variable = targets[0].variable;
    // One column that is a row itself is that row.
    if (columns.size() == 1 && columns[0].type == type_oid::kRecord && (nested != nullptr || type_of(variable).relation != 0))
      return assign_record(variable, row != nullptr ? row[0] : Value::null(), nested);
    VariableState& state = states_[variable];
    state.is_null = row == nullptr;
    const bool fixed = type_of(variable).relation != 0 || (tree_.is_trigger && (variable == tree_.new_row || variable == tree_.old_row));
    if (!fixed) {
      auto shape = std::make_shared<RowShape>();
      for (const ResultColumn& column : columns) shape->fields.push_back({column.name, column.type, column.typmod});
      if (state.shape == nullptr || !(*state.shape == *shape)) set_shape(state, std::move(shape));
    }
    for (std::size_t i = 0; i < state.fields.size(); ++i) {
      const RowShape::Field& of = state.shape->fields[i];
      Evaluated field;
      if (row != nullptr && i < columns.size()) {
        field.value = row[i];
        field.type = columns[i].type;
        field.typmod = columns[i].typmod;
        WANDIAN_TRY(cast(&field, of.type, of.typmod));
      }
      state.fields[i].set(field.value, is_by_value(of.type));
    }
    return {};
  }
  for (std::size_t i = 0; i < targets.size(); ++i) {
    Evaluated value;
    value.type = type_oid::kUnknown;
    if (row != nullptr && i < columns.size()) {
      value.value = row[i];
      value.type = columns[i].type;
      value.typmod = columns[i].typmod;
    }
    WANDIAN_TRY(assign(targets[i], value));
  }
  return {};
}

}  // namespace wandian::sql::plpgsql
