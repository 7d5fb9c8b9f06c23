#include "sql/plpgsql/interpreter.h"

#include <algorithm>
#include <climits>

#include "engine/array_value.h"
#include "sql/co_try.h"
#include "sql/functions/quote.h"
#include "sql/messages.h"
#include "sql/plpgsql/array_assign.h"
#include "sql/plpgsql/parser.h"
#include "sql/plpgsql/run.h"
#include "sql/routine/value_cast.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql::plpgsql {

bool RowShape::operator==(const RowShape& other) const {
  return std::equal(fields.begin(), fields.end(), other.fields.begin(), other.fields.end(), [](const Field& a, const Field& b) {
    return a.type == b.type && a.typmod == b.typmod && a.name == b.name;
  });
}

ShapePtr live_shape(std::span<const RowField> fields) {
  auto shape = std::make_shared<RowShape>();
  for (const RowField& field : fields)
    if (!field.dropped) shape->fields.push_back({field.name, field.type, field.typmod});
  return shape;
}

Result<ShapePtr> relation_shape(const Catalog& catalog, Oid relation) {
  if (std::vector<RowField> fields; type_kind(relation) == 'c' && row_fields(relation, &fields)) return live_shape(fields);
  auto shape = std::make_shared<RowShape>();
  if (const auto table = catalog.table(relation)) {
    for (const ColumnDef& column : table->columns)
      if (!column.dropped) shape->fields.push_back({column.name, column.type, column.typmod});
    return ShapePtr(std::move(shape));
  }
  if (const auto view = catalog.object(ObjectKind::kView, relation)) {
    if (const auto definition = ViewDefinition::decode(view->definition)) {
      for (const ViewDefinition::Column& column : definition->columns) shape->fields.push_back({column.name, column.type, column.typmod});
      return ShapePtr(std::move(shape));
    }
  }
  return Status{sqlstate::undefined_table, "relation with OID " + std::to_string(relation) + " does not exist"};
}

Task<Status> PlpgsqlBody::run(RoutineRun& run) {
  Interpreter interpreter(*this, run);
  Status status = co_await interpreter.execute();
  if (!status.ok()) run.session.complete_context(status);
  co_return std::move(status);
}

// ---- A run as a whole ----

Interpreter::Interpreter(PlpgsqlBody& body, RoutineRun& run)
    : RoutineFrame(run.session), body_(body), run_(run), tree_(*body.tree), states_(body.tree->variables.size()) {}

void Interpreter::append_context(std::string& out) const {
  if (!statement_text_.empty()) append_context_line(out, statement_text_);
  std::string line = "PL/pgSQL function " + body_.signature;
  if (current_ != nullptr) {
    line += " line " + std::to_string(phase_line_ != 0 ? phase_line_ : current_->line);
    line += phase_.empty() ? " at " + std::string(statement_name(*current_)) : " " + std::string(phase_);
  } else if (!phase_.empty()) {
    line += " " + std::string(phase_);
  }
  append_context_line(out, line);
}

Task<Status> Interpreter::execute() {
  WANDIAN_CO_TRY(prepare_rows());
  const RoutineCall& call = run_.call;
  for (std::size_t i = 0; i < body_.inputs.size() && i < call.args.size(); ++i) {
    phase_ = "while storing call arguments into local variables";
    WANDIAN_CO_TRY(store_argument(body_.inputs[i], call.args[i], call.types[i]));
  }
  phase_ = {};
  set_found(false);
  if (call.trigger != nullptr) set_trigger_variables(*call.trigger);
  Flow flow = Flow::kNext;
  WANDIAN_CO_TRY(co_await statement(*tree_.body, &flow));
  current_ = nullptr;
  if (body_.is_trigger) co_return give_trigger_result(flow);
  co_return give_result(flow);
}

// Variables of a table's row type have its columns from the start, all null.
Status Interpreter::prepare_rows() {
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const VariableType& type = tree_.variables[i].type;
    Oid relation = type.relation;
    if (tree_.is_trigger && (i == tree_.new_row || i == tree_.old_row) && run_.call.trigger != nullptr) relation = run_.call.trigger->table->oid;
    if (!type.is_row || relation == 0) continue;
    WANDIAN_ASSIGN(ShapePtr shape, relation_shape(*session_.catalog(), relation));
    set_shape(states_[i], std::move(shape));
  }
  return {};
}

void Interpreter::set_shape(VariableState& state, ShapePtr shape) {
  state.shape = std::move(shape);
  std::deque<Cell> fields(state.shape == nullptr ? 0 : state.shape->fields.size());
  state.fields.swap(fields);
}

Status Interpreter::store_argument(std::uint32_t variable, const Value& value, Oid type) {
  const Variable& of = tree_.variables[variable];
  if (of.type.is_row) {
    Evaluated argument;
    argument.value = value;
    argument.type = type;
    WANDIAN_TRY(as_record(&argument));
    return assign_record(variable, argument.value, argument.shape);
  }
  states_[variable].cell.set(value, is_by_value(of.type.type));
  return {};
}

void Interpreter::set_found(bool found) { states_[tree_.found].cell.set(Value::of_bool(found), true); }

Status Interpreter::give_result(Flow flow) {
  RoutineCall& call = run_.call;
  const bool returned = flow == Flow::kReturn;
  if (body_.is_do) return {};
  if (body_.returns_set) return {};
  if (!body_.outputs.empty()) {
    std::vector<Value> values;
    std::vector<Oid> types;
    for (const std::uint32_t variable : body_.outputs) {
      Oid type = 0;
      values.push_back(variable_value(variable, *call.arena, &type));
      types.push_back(type);
    }
    if (values.size() == 1 && !body_.is_procedure) call.result = copy_value(types[0], values[0], *call.arena);
    else call.result = build_record(types, values, *call.arena);
    return {};
  }
  if (body_.is_procedure) return {};
  if (body_.result_type == type_oid::kVoid) {
    // As PostgreSQL's: a function returning void answers an empty value, not NULL.
    call.result = Value::of_int(0);
    return {};
  }
  if (!returned) return Status{sqlstate::function_executed_no_return_statement, "control reached end of function without RETURN"};
  if (body_.returns_row && !result_.is_null)
    WANDIAN_TRY(check_record(RecordView(result_), wanted_columns(), "returned record type does not match expected record type"));
  call.result = result_.is_null ? result_ : copy_value(body_.result_type, result_, *call.arena);
  return {};
}

// ---- Statements ----

Task<Status> Interpreter::statements(const Body& body, Flow* flow) {
  for (const Statement* next : body) {
    if (next->kind == StepKind::kAssign && next->targets[0].subscripts.empty() && next->targets[0].path.empty()) {
      // What needs nothing to wait for is done without a coroutine of its own.
      const Statement* const outer = std::exchange(current_, next);
      Status status;
      const Quick quick = assign_now(*next, &status);
      if (quick == Quick::kFailed) co_return std::move(status);
      if (quick == Quick::kDone) {
        current_ = outer;
        if (session_.must_settle()) WANDIAN_CO_TRY(co_await session_.settle_row());
        continue;
      }
      current_ = outer;
    }
    WANDIAN_CO_TRY(co_await statement(*next, flow));
    if (*flow != Flow::kNext) co_return Status{};
  }
  co_return Status{};
}

Task<Status> Interpreter::statement(const Statement& next, Flow* flow) {
  const Statement* const outer = std::exchange(current_, &next);
  Status status;
  switch (next.kind) {
    case StepKind::kBlock: status = co_await block(next, flow); break;
    case StepKind::kAssign: status = co_await assignment(next); break;
    case StepKind::kIf: status = co_await if_statement(next, flow); break;
    case StepKind::kCase: status = co_await case_statement(next, flow); break;
    case StepKind::kLoop:
    case StepKind::kWhile: status = co_await loop(next, flow); break;
    case StepKind::kForInteger: status = co_await for_integer(next, flow); break;
    case StepKind::kForQuery:
    case StepKind::kForExecute: status = co_await for_query(next, flow); break;
    case StepKind::kForCursor: status = co_await for_cursor(next, flow); break;
    case StepKind::kForeach: status = co_await foreach_loop(next, flow); break;
    case StepKind::kExit:
    case StepKind::kContinue: status = co_await exit_statement(next, flow); break;
    case StepKind::kReturn: status = co_await return_statement(next, flow); break;
    case StepKind::kReturnNext: status = co_await return_next(next); break;
    case StepKind::kReturnQuery: status = co_await return_query(next); break;
    case StepKind::kRaise: status = co_await raise(next); break;
    case StepKind::kAssert: status = co_await assert_statement(next); break;
    case StepKind::kExecute: status = co_await execute_dynamic(next); break;
    case StepKind::kSql:
    case StepKind::kPerform: status = co_await sql_statement(next); break;
    case StepKind::kCall: status = co_await call_statement(next); break;
    case StepKind::kGetDiagnostics: status = co_await diagnostics(next); break;
    case StepKind::kOpen: status = co_await open_cursor(next); break;
    case StepKind::kFetch:
    case StepKind::kMove: status = co_await fetch(next); break;
    case StepKind::kClose: status = close_cursor(next); break;
    case StepKind::kCommit:
    case StepKind::kRollback: status = co_await end_transaction(next); break;
    case StepKind::kNull: break;
  }
  // After an error the innermost statement stays current: it is the one that contexts name.
  if (status.ok()) current_ = outer;
  co_return std::move(status);
}

Task<Status> Interpreter::initialize(const Statement& block) {
  phase_ = "during statement block local variable initialization";
  for (const std::uint32_t number : block.variables) {
    const Variable& variable = tree_.variables[number];
    phase_line_ = variable.line;
    VariableState& state = states_[number];
    if (variable.type.is_row) {
      if (variable.type.relation == 0) set_shape(state, nullptr);
      else for (Cell& field : state.fields) field.set(Value::null(), true);
    } else {
      state.cell.set(Value::null(), true);
    }
    // A domain may refuse null.
    const bool domain = variable.type.domain != 0 || (!variable.type.is_row && type_kind(variable.type.type) == 'd');
    if (variable.initial == nullptr && !domain) continue;
    scratch_.reset();
    Evaluated value;
    value.type = type_oid::kUnknown;
    if (variable.initial != nullptr) WANDIAN_CO_TRY(co_await evaluate(*variable.initial, variable.type.is_row ? nullptr : &variable.type, &value));
    Target whole;
    whole.variable = number;
    if (domain) WANDIAN_CO_TRY(co_await awaited([&] { return assign(whole, value); }));
    else WANDIAN_CO_TRY(assign(whole, value));
  }
  phase_ = {};
  phase_line_ = 0;
  co_return Status{};
}

Task<Status> Interpreter::block(const Statement& next, Flow* flow) {
  if (!next.has_handlers) {
    WANDIAN_CO_TRY(co_await initialize(next));
    WANDIAN_CO_TRY(co_await statements(next.body, flow));
    end_of_labelled(next, flow);
    co_return Status{};
  }
  WANDIAN_CO_TRY(session_.begin_subtransaction());
  ++handlers_active_;
  const std::size_t frames = session_.frames().size();
  (void)frames;
  Status status = co_await initialize(next);
  if (status.ok()) status = co_await statements(next.body, flow);
  --handlers_active_;
  if (status.ok()) {
    session_.release_subtransaction();
    end_of_labelled(next, flow);
    co_return Status{};
  }
  session_.complete_context(status);
  const Handler* handler = find_handler(next, status);
  co_await session_.rollback_subtransaction();
  if (handler == nullptr) co_return std::move(status);
  statement_text_.clear();
  phase_ = {};
  phase_line_ = 0;
  current_ = &next;
  // What was caught is there for the handler, and for RAISE without arguments in it.
  const auto caught = std::make_unique<Status>(std::move(status));
  Status* const outer = std::exchange(caught_, caught.get());
  states_[next.sqlstate_variable].cell.set(Value::of_bytes(caught->error().code.text()), false);
  states_[next.sqlerrm_variable].cell.set(Value::of_bytes(caught->error().message), false);
  status = co_await statements(handler->body, flow);
  caught_ = outer;
  if (status.ok()) end_of_labelled(next, flow);
  co_return std::move(status);
}

const Handler* Interpreter::find_handler(const Statement& block, const Status& status) const {
  const std::string_view state = status.error().code.text();
  // The end of the session, or of the statement from outside, is not for functions to stop.
  if (!session_.check_cancel().ok() && status.code() != sqlstate::lock_not_available) return nullptr;
  for (const Handler& handler : block.handlers)
    for (const Condition& condition : handler.conditions) {
      if (condition.state.empty()) {
        if (status.code() != sqlstate::query_canceled && status.code() != sqlstate::assert_failure) return &handler;
      } else if (condition.state == state ||
                 (condition.state.ends_with("000") && condition.state.substr(0, 2) == state.substr(0, 2))) {
        return &handler;
      }
    }
  return nullptr;
}

// EXIT with the label of a block or loop ends there.
void Interpreter::end_of_labelled(const Statement& next, Flow* flow) {
  if (*flow == Flow::kExit && !next.label.empty() && exit_label_ == next.label) {
    *flow = Flow::kNext;
    exit_label_.clear();
  }
}

// What a turn of a loop ended with. True: the loop goes on.
bool Interpreter::goes_on(const Statement& loop, Flow* flow) {
  switch (*flow) {
    case Flow::kNext: return true;
    case Flow::kReturn: return false;
    case Flow::kExit:
      if (exit_label_.empty() || exit_label_ == loop.label) {
        exit_label_.clear();
        *flow = Flow::kNext;
      }
      return false;
    case Flow::kContinue:
      if (exit_label_.empty() || exit_label_ == loop.label) {
        exit_label_.clear();
        *flow = Flow::kNext;
        return true;
      }
      return false;
  }
  return false;
}

Task<Status> Interpreter::condition(const Text& text, bool* holds) {
  static const VariableType boolean{false, 0, type_oid::kBool, -1};
  Status status;
  Evaluated value;
  switch (evaluate_now(text, nullptr, &value, &status)) {
    case Quick::kFailed: co_return std::move(status);
    case Quick::kSlow: WANDIAN_CO_TRY(co_await evaluate(text, nullptr, &value)); break;
    case Quick::kDone:
      if (session_.must_settle()) WANDIAN_CO_TRY(co_await session_.settle_row());
      break;
  }
  WANDIAN_CO_TRY(cast(&value, boolean.type, -1));
  *holds = !value.value.is_null && value.value.as_bool();
  co_return Status{};
}

Task<Status> Interpreter::assignment(const Statement& next) {
  scratch_.reset();
  const Target& target = next.targets[0];
  if (!target.path.empty()) co_return co_await assign_path(next);
  VariableType to;
  const bool known = target_type(target, &to);
  Evaluated value;
  WANDIAN_CO_TRY(co_await evaluate(*next.text, known ? &to : nullptr, &value));
  if (target.subscripts.empty() && checks_domains(next.targets)) co_return co_await awaited([&] { return assign(target, value); });
  if (target.subscripts.empty()) co_return assign(target, value);
  if (subscripts_json(target)) {
    std::vector<std::string_view> path;
    bool first_is_integer = false;
    for (const Text* text : target.subscripts) {
      Evaluated subscript;
      WANDIAN_CO_TRY(co_await evaluate(*text, nullptr, &subscript));
      if (path.empty()) first_is_integer = subscript.type == type_oid::kInt4 || subscript.type == type_oid::kInt2;
      if (subscript.value.is_null) co_return Status{sqlstate::null_value_not_allowed, "jsonb subscript in assignment must not be null"};
      WANDIAN_CO_TRY(cast(&subscript, type_oid::kText, -1));
      path.push_back(scratch_.copy(subscript.value.bytes()));
    }
    co_return assign_json_part(target, path, first_is_integer, value);
  }
  std::vector<std::int64_t> subscripts;
  for (const Text* text : target.subscripts) {
    Evaluated subscript;
    WANDIAN_CO_TRY(co_await evaluate(*text, nullptr, &subscript));
    WANDIAN_CO_TRY(cast(&subscript, type_oid::kInt4, -1));
    if (subscript.value.is_null)
      co_return Status{sqlstate::null_value_not_allowed, "array subscript in assignment must not be null"};
    subscripts.push_back(subscript.value.i);
  }
  co_return assign_array_element(target, subscripts, value);
}

Interpreter::Quick Interpreter::assign_now(const Statement& next, Status* status) {
  scratch_.reset();
  const Target& target = next.targets[0];
  if (type_of(target.variable).domain != 0) return Quick::kSlow;
  VariableType to;
  const bool known = target_type(target, &to);
  Evaluated value;
  const Quick quick = evaluate_now(*next.text, known ? &to : nullptr, &value, status);
  if (quick != Quick::kDone) return quick;
  *status = assign(target, value);
  return status->ok() ? Quick::kDone : Quick::kFailed;
}

Task<Status> Interpreter::if_statement(const Statement& next, Flow* flow) {
  for (const Branch& branch : next.branches) {
    bool holds = false;
    scratch_.reset();
    WANDIAN_CO_TRY(co_await condition(*branch.condition, &holds));
    if (holds) co_return co_await statements(branch.body, flow);
  }
  co_return co_await statements(next.body, flow);
}

Task<Status> Interpreter::case_statement(const Statement& next, Flow* flow) {
  if (next.text != nullptr) {
    scratch_.reset();
    Evaluated value;
    WANDIAN_CO_TRY(co_await evaluate(*next.text, nullptr, &value));
    VariableState& state = states_[next.case_variable];
    case_types_[next.case_variable] = {false, 0, value.type, value.typmod};
    state.cell.set(value.value, is_by_value(value.type));
  }
  for (const Branch& branch : next.branches) {
    bool holds = false;
    scratch_.reset();
    if (next.text != nullptr) WANDIAN_CO_TRY(co_await case_matches(next, branch, &holds));
    else WANDIAN_CO_TRY(co_await condition(*branch.condition, &holds));
    if (holds) co_return co_await statements(branch.body, flow);
  }
  if (!next.has_else)
    co_return Status{sqlstate::case_not_found, "case not found"}.with_hint("CASE statement is missing ELSE part.");
  co_return co_await statements(next.body, flow);
}

Task<Status> Interpreter::loop(const Statement& next, Flow* flow) {
  for (;;) {
    if (next.kind == StepKind::kWhile) {
      bool holds = false;
      scratch_.reset();
      WANDIAN_CO_TRY(co_await condition(*next.text, &holds));
      if (!holds) break;
    }
    WANDIAN_CO_TRY(co_await statements(next.body, flow));
    if (!goes_on(next, flow)) break;
    if (session_.share_used_up()) WANDIAN_CO_TRY(co_await session_.share_turn());
  }
  co_return Status{};
}

Task<Status> Interpreter::for_integer(const Statement& next, Flow* flow) {
  const auto bound = [this](const Text& text, std::string_view what, std::int64_t* out) -> Task<Status> {
    scratch_.reset();
    Evaluated value;
    WANDIAN_CO_TRY(co_await evaluate(text, nullptr, &value));
    WANDIAN_CO_TRY(cast(&value, type_oid::kInt4, -1));
    if (value.value.is_null) co_return Status{sqlstate::null_value_not_allowed, std::string(what) + " of FOR loop cannot be null"};
    *out = value.value.i;
    co_return Status{};
  };
  std::int64_t at = 0, last = 0, step = 1;
  WANDIAN_CO_TRY(co_await bound(*next.text, "lower bound", &at));
  WANDIAN_CO_TRY(co_await bound(*next.upper, "upper bound", &last));
  if (next.step != nullptr) {
    WANDIAN_CO_TRY(co_await bound(*next.step, "BY value", &step));
    if (step <= 0) co_return Status{sqlstate::invalid_parameter_value, "BY value of FOR loop must be greater than zero"};
  }
  bool found = false;
  for (;;) {
    if (next.reverse ? at < last : at > last) break;
    found = true;
    states_[next.loop_variable].cell.set(Value::of_int(at), true);
    WANDIAN_CO_TRY(co_await statements(next.body, flow));
    if (!goes_on(next, flow)) break;
    at += next.reverse ? -step : step;
    if (at > INT_MAX || at < INT_MIN) break;
    if (session_.share_used_up()) WANDIAN_CO_TRY(co_await session_.share_turn());
  }
  set_found(found);
  co_return Status{};
}

Task<Status> Interpreter::foreach_loop(const Statement& next, Flow* flow) {
  scratch_.reset();
  Evaluated value;
  WANDIAN_CO_TRY(co_await evaluate(*next.text, nullptr, &value));
  if (value.value.is_null) co_return Status{sqlstate::null_value_not_allowed, "FOREACH expression must not be null"};
  const TypeInfo* type = find_type(value.type);
  if (type == nullptr || type->category != 'A' || type->element == 0)
    co_return Status{sqlstate::datatype_mismatch, "FOREACH expression must yield an array, not type " + format_type(value.type)};
  Arena kept;
  const Value array = copy_value(value.type, value.value, kept);
  const ArrayView view(array);
  if (next.slice < 0 || next.slice > view.dimensions())
    co_return Status{sqlstate::array_subscript_error, "slice dimension (" + std::to_string(next.slice) + ") is out of the valid range 0.." + std::to_string(view.dimensions())};
  VariableType to;
  const bool scalar = target_type(next.targets[0], &to);
  const TypeInfo* target = scalar ? find_type(to.type) : nullptr;
  const bool target_is_array = target != nullptr && target->category == 'A';
  if (next.slice > 0 && !target_is_array)
    co_return Status{sqlstate::datatype_mismatch, "FOREACH ... SLICE loop variable must be of an array type"};
  if (next.slice == 0 && target_is_array) co_return Status{sqlstate::datatype_mismatch, "FOREACH loop variable must not be of an array type"};
  std::uint32_t turns = view.count();
  for (int d = view.dimensions() - next.slice; d < view.dimensions() && next.slice > 0; ++d) turns /= std::max(1u, static_cast<unsigned>(view.length(d)));
  bool found = false;
  for (std::uint32_t turn = 0; turn < turns; ++turn) {
    found = true;
    scratch_.reset();
    Evaluated item;
    item.type = next.slice > 0 ? value.type : view.element_type();
    item.value = next.slice > 0 ? array_slice(view, next.slice, turn, scratch_) : view.element(turn);
    if (checks_domains(next.targets)) WANDIAN_CO_TRY(co_await awaited([&] { return assign(next.targets[0], item); }));
    else WANDIAN_CO_TRY(assign(next.targets[0], item));
    WANDIAN_CO_TRY(co_await statements(next.body, flow));
    if (!goes_on(next, flow)) break;
    if (session_.share_used_up()) WANDIAN_CO_TRY(co_await session_.share_turn());
  }
  set_found(found);
  co_return Status{};
}

Task<Status> Interpreter::exit_statement(const Statement& next, Flow* flow) {
  if (next.text != nullptr) {
    bool holds = false;
    scratch_.reset();
    WANDIAN_CO_TRY(co_await condition(*next.text, &holds));
    if (!holds) co_return Status{};
  }
  exit_label_ = next.label;
  *flow = next.kind == StepKind::kExit ? Flow::kExit : Flow::kContinue;
  co_return Status{};
}

// ---- Errors and messages ----

namespace {

Severity severity_of(RaiseLevel level) {
  switch (level) {
    case RaiseLevel::kDebug: return Severity::kDebug;
    case RaiseLevel::kLog: return Severity::kLog;
    case RaiseLevel::kInfo: return Severity::kInfo;
    case RaiseLevel::kNotice: return Severity::kNotice;
    case RaiseLevel::kWarning: return Severity::kWarning;
    case RaiseLevel::kException: break;
  }
  return Severity::kError;
}

struct ConditionCode {
  std::string_view name;
  SqlState state;
};
constexpr ConditionCode kConditionCodes[] = {
#define WANDIAN_SQLSTATE(name, code) {#name, SqlState{code}},
#include "storage/base/sqlstate.def"
#undef WANDIAN_SQLSTATE
};

std::optional<SqlState> state_of(std::string_view name) {
  for (const ConditionCode& condition : kConditionCodes)
    if (condition.name == name) return condition.state;
  return SqlState::parse(name);
}

}  // namespace

Task<Status> Interpreter::text_of(const Text& text, std::optional<std::string>* out) {
  Evaluated value;
  WANDIAN_CO_TRY(co_await evaluate(text, nullptr, &value));
  out->reset();
  if (value.value.is_null) co_return Status{};
  std::string shown;
  EvalContext context = session_.eval_context(scratch_);
  if (!append_text(context, value.type, value.value, shown)) co_return std::move(context.error);
  *out = std::move(shown);
  co_return Status{};
}

Task<Status> Interpreter::raise(const Statement& next) {
  if (next.condition.empty() && !next.has_message && next.options.empty()) {
    if (caught_ == nullptr)
      co_return Status{sqlstate::stacked_diagnostics_accessed_without_active_handler,
                       "RAISE without parameters cannot be used outside an exception handler"};
    co_return caught_->clone();
  }
  scratch_.reset();
  ErrorRecord record;
  std::optional<SqlState> code;
  std::string condition_name;
  if (!next.condition.empty()) {
    code = state_of(next.condition);
    condition_name = next.condition;
  }
  std::optional<std::string> message;
  if (next.has_message) {
    std::string built;
    std::size_t argument = 0;
    for (std::size_t i = 0; i < next.message.size(); ++i) {
      if (next.message[i] != '%') {
        built += next.message[i];
        continue;
      }
      if (i + 1 < next.message.size() && next.message[i + 1] == '%') {
        built += '%';
        ++i;
        continue;
      }
      std::optional<std::string> shown;
      WANDIAN_CO_TRY(co_await text_of(*next.arguments[argument++], &shown));
      built += shown.value_or("<NULL>");
    }
    message = std::move(built);
  }
  const auto twice = [](std::string_view option) {
    return Status{sqlstate::syntax_error, "RAISE option already specified: " + std::string(option)};
  };
  for (const auto& [option, text] : next.options) {
    std::optional<std::string> shown;
    WANDIAN_CO_TRY(co_await text_of(*text, &shown));
    if (!shown) co_return Status{sqlstate::null_value_not_allowed, "RAISE statement option cannot be null"};
    std::string* field = nullptr;
    std::string_view name;
    switch (option) {
      case RaiseOption::kErrcode:
        if (code) co_return twice("ERRCODE");
        code = state_of(*shown);
        if (!code) co_return Status{sqlstate::undefined_object, "unrecognized exception condition " + quoted(*shown)};
        condition_name = *shown;
        break;
      case RaiseOption::kMessage:
        if (message) co_return twice("MESSAGE");
        message = std::move(*shown);
        break;
      case RaiseOption::kDetail: field = &record.detail, name = "DETAIL"; break;
      case RaiseOption::kHint: field = &record.hint, name = "HINT"; break;
      case RaiseOption::kColumn: field = &record.column, name = "COLUMN"; break;
      case RaiseOption::kConstraint: field = &record.constraint, name = "CONSTRAINT"; break;
      case RaiseOption::kDatatype: field = &record.data_type, name = "DATATYPE"; break;
      case RaiseOption::kTable: field = &record.table, name = "TABLE"; break;
      case RaiseOption::kSchema: field = &record.schema, name = "SCHEMA"; break;
    }
    if (field == nullptr) continue;
    if (!field->empty()) co_return twice(name);
    *field = std::move(*shown);
  }
  if (!code && next.level == RaiseLevel::kException) code = sqlstate::raise_exception;
  if (!message) message = !condition_name.empty() ? condition_name : std::string(code.value_or(sqlstate::raise_exception).text());
  record.message = std::move(*message);
  if (next.level != RaiseLevel::kException) {
    record.severity = severity_of(next.level);
    record.code = code.value_or(next.level == RaiseLevel::kWarning ? sqlstate::warning : sqlstate::successful_completion);
    record.context = session_.current_context();
    session_.notice(std::move(record));
    co_return Status{};
  }
  Status status{*code, record.message};
  record.code = *code;
  status.error() = std::move(record);
  co_return std::move(status);
}

Task<Status> Interpreter::assert_statement(const Statement& next) {
  const std::optional<std::string> on = session_.settings().show("plpgsql.check_asserts");
  if (on && (*on == "off" || *on == "false" || *on == "0")) co_return Status{};
  bool holds = false;
  scratch_.reset();
  WANDIAN_CO_TRY(co_await condition(*next.text, &holds));
  if (holds) co_return Status{};
  std::optional<std::string> message;
  if (next.upper != nullptr) WANDIAN_CO_TRY(co_await text_of(*next.upper, &message));
  co_return Status{sqlstate::assert_failure, message.value_or("assertion failed")};
}

Task<Status> Interpreter::diagnostics(const Statement& next) {
  if (next.stacked && caught_ == nullptr)
    co_return Status{sqlstate::stacked_diagnostics_accessed_without_active_handler,
                     "GET STACKED DIAGNOSTICS cannot be used outside an exception handler"};
  for (std::size_t i = 0; i < next.items.size(); ++i) {
    scratch_.reset();
    Evaluated value;
    value.type = type_oid::kText;
    std::string text;
    const ErrorRecord* error = caught_ != nullptr ? &caught_->error() : nullptr;
    switch (next.items[i]) {
      case DiagnosticsItem::kRowCount:
        value.type = type_oid::kInt8;
        value.value = Value::of_int(static_cast<std::int64_t>(row_count_));
        break;
      case DiagnosticsItem::kContext: text = session_.current_context(); break;
      case DiagnosticsItem::kReturnedSqlstate: text = error->code.text(); break;
      case DiagnosticsItem::kMessageText: text = error->message; break;
      case DiagnosticsItem::kDetail: text = error->detail; break;
      case DiagnosticsItem::kHint: text = error->hint; break;
      case DiagnosticsItem::kErrorContext: text = error->context; break;
      case DiagnosticsItem::kColumnName: text = error->column; break;
      case DiagnosticsItem::kConstraintName: text = error->constraint; break;
      case DiagnosticsItem::kDatatypeName: text = error->data_type; break;
      case DiagnosticsItem::kTableName: text = error->table; break;
      case DiagnosticsItem::kSchemaName: text = error->schema; break;
    }
    if (value.type == type_oid::kText) value.value = Value::of_bytes(text);
    const Target& target = next.targets[i];
    if (target.subscripts.empty()) {
      WANDIAN_CO_TRY(assign(target, value));
      continue;
    }
    std::vector<std::int64_t> subscripts;
    for (const Text* subscript_text : target.subscripts) {
      Evaluated subscript;
      WANDIAN_CO_TRY(co_await evaluate(*subscript_text, nullptr, &subscript));
      WANDIAN_CO_TRY(cast(&subscript, type_oid::kInt4, -1));
      if (subscript.value.is_null) co_return Status{sqlstate::null_value_not_allowed, "array subscript in assignment must not be null"};
      subscripts.push_back(subscript.value.i);
    }
    WANDIAN_CO_TRY(assign_array_element(target, subscripts, value));
  }
  co_return Status{};
}

Task<Status> Interpreter::end_transaction(const Statement& next) {
  const bool commit = next.kind == StepKind::kCommit;
  if (!session_.may_end_transaction()) co_return Status{sqlstate::invalid_transaction_termination, "invalid transaction termination"};
  if (handlers_active_ > 0)
    co_return Status{sqlstate::invalid_transaction_termination,
                     std::string("cannot ") + (commit ? "commit" : "roll back") + " while a subtransaction is active"};
  co_return co_await session_.end_transaction_inside(commit, next.chain);
}

}  // namespace wandian::sql::plpgsql
