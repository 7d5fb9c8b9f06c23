// SQL statements of a body, dynamic ones, cursors, and what a function gives back.
#include <algorithm>

#include "engine/array_value.h"
#include "sql/co_try.h"
#include "sql/messages.h"
#include "sql/plpgsql/parser.h"
#include "sql/plpgsql/run.h"
#include "sql/routine/value_cast.h"
#include "sql/types/text_io.h"

namespace wandian::sql::plpgsql {

namespace {

std::vector<Oid> types_of(const std::vector<ResultColumn>& columns) {
  std::vector<Oid> types;
  for (const ResultColumn& column : columns) types.push_back(column.type);
  return types;
}

bool writes(StatementKind kind) {
  return kind == StatementKind::kInsert || kind == StatementKind::kUpdate || kind == StatementKind::kDelete || kind == StatementKind::kMerge;
}

// SELECT t INTO r: the columns of the row that is the one column.
ShapePtr nested_shape(const CompiledStatement& statement) {
  if (statement.bound == nullptr || statement.bound->query == nullptr || statement.columns.size() != 1) return nullptr;
  const Expr* expr = statement.bound->result_columns()[0].expr;
  if (expr->kind != ExprKind::kRow || expr->as<RowExpr>().names.empty()) return nullptr;
  auto shape = std::make_shared<RowShape>();
  const auto& row = expr->as<RowExpr>();
  for (std::size_t i = 0; i < row.args.size(); ++i) shape->fields.push_back({std::string(row.names[i]), row.args[i]->type, row.args[i]->typmod});
  return shape;
}

Status too_many_rows(SqlState code) {
  return Status{code, "query returned more than one row"}.with_hint("Make sure the query returns a single row, or use LIMIT 1.");
}

}  // namespace

// ---- Statements with a text ----

// Runs a text; rows go to `receiver`, or are kept in *rows.
Task<Status> Interpreter::run_text(const Text& text, std::uint64_t max_rows, RowReceiver* receiver, std::unique_ptr<RowCollector>* rows,
                                   Arena& arena, SessionImpl::NestedResult* result, CompiledPtr* statement) {
  for (;;) {
    Result<CompiledTextPtr> compiled = compile(text, nullptr);
    if (!compiled.ok()) co_return compiled.take_status();
    const CompiledTextPtr code = compiled.take();
    *statement = code->statement;
    if (rows != nullptr) *rows = std::make_unique<RowCollector>(arena, types_of(code->statement->columns));
    std::vector<Value> params;
    gather(*code, &params);
    statement_text_ = shown(text);
    bool stale = false;
    Compiled kept;
    const std::unique_ptr<BindVariables> variables = variables_of(text, *code, &kept);
    WANDIAN_CO_TRY(co_await session_.run_nested(code->statement, params, max_rows, rows != nullptr ? static_cast<RowReceiver&>(**rows) : *receiver,
                                                run_.view, result, &stale, variables.get()));
    statement_text_.clear();
    if (!stale) co_return Status{};
  }
}

// What INTO does with the rows of a statement.
Status Interpreter::take_row(const Statement& next, const CompiledStatement& statement, const RowCollector& rows, bool writing) {
  if (rows.rows() == 0) {
    if (next.strict) return Status{sqlstate::no_data_found, "query returned no rows"};
    return assign_row(next.targets, statement.columns, nullptr, nested_shape(statement));
  }
  if (rows.rows() > 1 && (next.strict || writing)) return too_many_rows(sqlstate::too_many_rows);
  return assign_row(next.targets, statement.columns, rows.at(0).data(), nested_shape(statement));
}

Task<Status> Interpreter::sql_statement(const Statement& next) {
  scratch_.reset();
  Arena arena;
  SessionImpl::NestedResult result;
  CompiledPtr statement;
  if (next.kind == StepKind::kPerform) {
    RowCounter nowhere;
    WANDIAN_CO_TRY(co_await run_text(*next.text, 0, &nowhere, nullptr, arena, &result, &statement));
    row_count_ = result.processed;
    set_found(result.processed != 0);
    co_return Status{};
  }
  if (!next.into) {
    // Whether it gives rows is known before it runs.
    Result<CompiledTextPtr> compiled = compile(*next.text, nullptr);
    if (!compiled.ok()) co_return compiled.take_status();
    const CompiledStatement& known = *compiled.value()->statement;
    if (known.kind == StatementKind::kTransaction)
      co_return Status{sqlstate::feature_not_supported, "unsupported transaction command in PL/pgSQL"};
    if (known.returns_rows) {
      Status status{sqlstate::syntax_error, "query has no destination for result data"};
      if (known.kind == StatementKind::kSelect)
        status = std::move(status).with_hint("If you want to discard the results of a SELECT, use PERFORM instead.");
      co_return std::move(status);
    }
    RowCounter nowhere;
    WANDIAN_CO_TRY(co_await run_text(*next.text, 0, &nowhere, nullptr, arena, &result, &statement));
    if (result.returned_rows) co_return Status{sqlstate::syntax_error, "query has no destination for result data"};
    row_count_ = result.processed;
    if (writes(result.kind)) set_found(result.processed != 0);
    co_return Status{};
  }
  std::unique_ptr<RowCollector> rows;
  Result<CompiledTextPtr> compiled = compile(*next.text, nullptr);
  if (!compiled.ok()) co_return compiled.take_status();
  const bool writing = writes(compiled.value()->statement->kind);
  const std::uint64_t wanted = next.strict || writing ? 2 : 1;
  WANDIAN_CO_TRY(co_await run_text(*next.text, wanted, nullptr, &rows, arena, &result, &statement));
  if (!result.returned_rows) co_return Status{sqlstate::syntax_error, "INTO used with a command that cannot return data"};
  row_count_ = writing ? result.processed : rows->rows();
  set_found(writing ? result.processed != 0 : rows->rows() != 0);
  co_return co_await awaited([&] { return take_row(next, *statement, *rows, writing); });
}

// CALL p(...): what INOUT and OUT parameters come back with goes into the variables that were given for them.
Task<Status> Interpreter::call_statement(const Statement& next) {
  scratch_.reset();
  Arena arena;
  SessionImpl::NestedResult result;
  CompiledPtr statement;
  std::unique_ptr<RowCollector> rows;
  WANDIAN_CO_TRY(co_await run_text(*next.text, 0, nullptr, &rows, arena, &result, &statement));
  if (next.is_call_do || rows->rows() == 0 || statement->bound == nullptr || statement->bound->procedure.routine == nullptr) co_return Status{};
  const Routine& routine = *statement->bound->procedure.routine->routine;
  const PgQuery__FuncCall& call = *statement->node()->call_stmt->funccall;
  std::vector<Target> targets;
  std::size_t position = 0;
  for (std::size_t i = 0; i < routine.declaration.parameters.size(); ++i) {
    const FunctionObject::Parameter& parameter = routine.declaration.parameters[i];
    if (parameter.mode != 'o' && parameter.mode != 'b') {
      ++position;
      continue;
    }
    // The argument given for it must be a variable.
    const ParseNode* argument = nullptr;
    for (std::size_t a = 0; a < call.n_args; ++a)
      if (call.args[a]->node_case == PG_QUERY__NODE__NODE_NAMED_ARG_EXPR && call.args[a]->named_arg_expr->name == parameter.name)
        argument = call.args[a]->named_arg_expr->arg;
    if (argument == nullptr && position < call.n_args && call.args[position]->node_case != PG_QUERY__NODE__NODE_NAMED_ARG_EXPR)
      argument = call.args[position];
    ++position;
    Target target;
    bool found = false;
    if (argument != nullptr && argument->node_case == PG_QUERY__NODE__NODE_COLUMN_REF) {
      std::vector<std::string_view> parts;
      for (std::size_t f = 0; f < argument->column_ref->n_fields; ++f) parts.push_back(string_value(argument->column_ref->fields[f]));
      const Resolved resolved = resolve(tree_, next.text->names, parts);
      if (resolved.name != nullptr) {
        target.variable = resolved.name->datum;
        if (parts.size() > resolved.parts) target.field = parts[resolved.parts];
        found = true;
      }
    }
    if (!found) {
      const std::string name = parameter.name.empty() ? std::to_string(i + 1) : parameter.name;
      co_return Status{sqlstate::syntax_error, parameter.name.empty()
                                                   ? "procedure parameter " + name + " is an output parameter but corresponding argument is not writable"
                                                   : "procedure parameter " + quoted(name) + " is an output parameter but corresponding argument is not writable"};
    }
    targets.push_back(std::move(target));
  }
  const std::vector<ResultColumn>& columns = statement->columns;
  for (std::size_t i = 0; i < targets.size() && i < columns.size(); ++i) {
    Evaluated value;
    value.value = rows->at(0)[i];
    value.type = columns[i].type;
    value.typmod = columns[i].typmod;
    WANDIAN_CO_TRY(co_await awaited([&] { return assign(targets[i], value); }));
  }
  co_return Status{};
}

// ---- Dynamic statements ----

Task<Status> Interpreter::dynamic_text(const Text& text, const std::vector<const Text*>& arguments, std::string* command,
                                       std::vector<Value>* values, std::vector<Oid>* types, Arena& arena) {
  scratch_.reset();
  std::optional<std::string> shown_text;
  WANDIAN_CO_TRY(co_await text_of(text, &shown_text));
  if (!shown_text) co_return Status{sqlstate::null_value_not_allowed, "query string argument of EXECUTE is null"};
  *command = std::move(*shown_text);
  for (const Text* argument : arguments) {
    Evaluated value;
    WANDIAN_CO_TRY(co_await evaluate(*argument, nullptr, &value));
    if (value.type == type_oid::kUnknown) value.type = type_oid::kText;
    values->push_back(copy_value(value.type, value.value, arena));
    types->push_back(value.type);
  }
  co_return Status{};
}

namespace {

Result<CompiledPtr> compile_dynamic(SessionImpl& session, const std::shared_ptr<const ParsedStatements>& parsed, std::size_t index,
                                    std::span<const Oid> types) {
  Result<CompiledPtr> compiled = session.compile_nested(parsed, index, nullptr, types);
  if (compiled.ok()) return compiled;
  Status status = compiled.take_status();
  make_internal(status, parsed->text());
  return status;
}

}  // namespace

Task<Status> Interpreter::execute_dynamic(const Statement& next) {
  Arena arena;
  std::string command;
  std::vector<Value> values;
  std::vector<Oid> types;
  WANDIAN_CO_TRY(co_await dynamic_text(*next.text, next.arguments, &command, &values, &types, arena));
  Result<ParsedStatements> parsed_text = ParsedStatements::parse(command);
  if (!parsed_text.ok()) {
    Status status = parsed_text.take_status();
    make_internal(status, command);
    co_return std::move(status);
  }
  const auto parsed = std::make_shared<const ParsedStatements>(parsed_text.take());
  SessionImpl::NestedResult result;
  CompiledPtr statement;
  std::unique_ptr<RowCollector> rows;
  bool prepared = false;
  for (std::size_t i = 0; i < parsed->statements().size(); ++i) {
    for (;;) {
      Result<CompiledPtr> compiled = compile_dynamic(session_, parsed, i, types);
      if (!compiled.ok()) co_return compiled.take_status();
      statement = compiled.take();
      const ParseNode* node = statement->node();
      std::vector<Value> given = values;
      prepared = statement->kind == StatementKind::kExecute;
      if (prepared) WANDIAN_CO_TRY(session_.resolve_prepared(&statement, &given, arena));
      if (node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && node->select_stmt->into_clause != nullptr)
        co_return Status{sqlstate::feature_not_supported, "EXECUTE of SELECT ... INTO is not implemented"}.with_hint(
            "You might want to use EXECUTE ... INTO or EXECUTE CREATE TABLE ... AS instead.");
      rows = std::make_unique<RowCollector>(arena, types_of(statement->columns));
      statement_text_ = "SQL statement \"" + command + "\"";
      bool stale = false;
      RowCounter nowhere;
      const std::uint64_t wanted = next.into ? (next.strict ? 2 : 1) : 0;
      WANDIAN_CO_TRY(co_await session_.run_nested(statement, given, wanted, next.into ? static_cast<RowReceiver&>(*rows) : nowhere, run_.view, &result, &stale));
      statement_text_.clear();
      if (!stale) break;
    }
  }
  // Rows of a prepared statement are not counted.
  row_count_ = prepared || parsed->statements().empty() ? 0 : result.processed;
  if (!next.into) co_return Status{};
  if (statement == nullptr || !statement->returns_rows) co_return Status{sqlstate::syntax_error, "INTO used with a command that cannot return data"};
  co_return co_await awaited([&] { return take_row(next, *statement, *rows, false); });
}

// ---- Loops over rows ----

// The one query that EXECUTE's text is, for a loop or a cursor.
Task<Status> Interpreter::dynamic_query(const Text& text, const std::vector<const Text*>& arguments, std::string* command,
                                        CompiledPtr* statement, std::vector<Value>* params, Arena& arena) {
  std::vector<Oid> types;
  WANDIAN_CO_TRY(co_await dynamic_text(text, arguments, command, params, &types, arena));
  Result<ParsedStatements> parsed = ParsedStatements::parse(*command);
  if (!parsed.ok()) {
    Status status = parsed.take_status();
    make_internal(status, *command);
    co_return std::move(status);
  }
  if (parsed->statements().size() != 1) co_return Status{sqlstate::invalid_cursor_definition, "cannot open multi-query plan as cursor"};
  Result<CompiledPtr> compiled = compile_dynamic(session_, std::make_shared<const ParsedStatements>(parsed.take()), 0, types);
  if (!compiled.ok()) co_return compiled.take_status();
  *statement = compiled.take();
  if ((*statement)->kind == StatementKind::kExecute) WANDIAN_CO_TRY(session_.resolve_prepared(statement, params, arena));
  co_return Status{};
}

Task<Status> Interpreter::for_query(const Statement& next, Flow* flow) {
  if (next.kind == StepKind::kForExecute) {
    Arena arena;
    std::string command;
    std::vector<Value> values;
    CompiledPtr statement;
    WANDIAN_CO_TRY(co_await dynamic_query(*next.text, next.arguments, &command, &statement, &values, arena));
    statement_text_ = "SQL statement \"" + command + "\"";
    co_return co_await loop_over(next, std::move(statement), std::move(values), nullptr, flow);
  }
  Result<CompiledTextPtr> compiled = compile(*next.text, nullptr);
  if (!compiled.ok()) co_return compiled.take_status();
  const CompiledTextPtr code = compiled.take();
  std::vector<Value> params;
  gather(*code, &params);
  statement_text_ = shown(*next.text);
  Compiled kept;
  const std::unique_ptr<BindVariables> variables = variables_of(*next.text, *code, &kept);
  co_return co_await loop_over(next, code->statement, std::move(params), variables.get(), flow);
}

Task<Status> Interpreter::loop_over(const Statement& next, CompiledPtr statement, std::vector<Value> params, BindVariables* variables, Flow* flow) {
  constexpr std::uint64_t kPortion = 64;
  if (!statement->returns_rows && statement->bound != nullptr)
    co_return Status{sqlstate::invalid_cursor_definition, "cannot open " + std::string(statement->tag) + " query as cursor"};
  const std::string text_line = statement_text_;
  const std::vector<Oid> types = types_of(statement->columns);
  std::unique_ptr<Execution> execution;
  bool finished = false, found = false;
  const auto consume = [&](const RowCollector& rows, std::size_t row) {
    found = true;
    return assign_row(next.targets, statement->columns, rows.at(row).data(), nested_shape(*statement));
  };
  if (statement->plan == nullptr) {
    // EXPLAIN, SHOW and native procedures give all their rows at once.
    Arena arena;
    RowCollector rows(arena, types);
    SessionImpl::NestedResult result;
    bool stale = false;
    WANDIAN_CO_TRY(co_await session_.run_nested(statement, params, 0, rows, run_.view, &result, &stale, variables));
    statement_text_.clear();
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      if (checks_domains(next.targets)) WANDIAN_CO_TRY(co_await awaited([&] { return consume(rows, row); }));
      else WANDIAN_CO_TRY(consume(rows, row));
      WANDIAN_CO_TRY(co_await statements(next.body, flow));
      if (!goes_on(next, flow)) break;
    }
    set_found(found);
    co_return Status{};
  }
  bool stale = true;
  for (int attempt = 0; stale; ++attempt) {
    WANDIAN_CO_TRY(co_await session_.begin_nested(statement, params, run_.view, &execution, &stale));
    if (!stale) break;
    // Its definitions changed under way.
    if (next.kind == StepKind::kForQuery) {
      Result<CompiledTextPtr> compiled = compile(*next.text, nullptr);
      if (!compiled.ok()) co_return compiled.take_status();
      statement = compiled.value()->statement;
      gather(*compiled.value(), &params);
    } else if (statement->inner != nullptr) {   // a prepared statement
      Arena arena;
      std::string command;
      WANDIAN_CO_TRY(co_await dynamic_query(*next.text, next.arguments, &command, &statement, &params, arena));
    } else {
      Result<CompiledPtr> compiled = compile_dynamic(session_, statement->parsed, 0, statement->parameter_types);
      if (!compiled.ok()) co_return compiled.take_status();
      statement = compiled.take();
    }
  }
  bool more = true;
  while (more && !finished) {
    Arena arena;
    RowCollector rows(arena, types);
    std::uint64_t given = 0;
    statement_text_ = text_line;
    WANDIAN_CO_TRY(co_await session_.read_nested(*execution, body_.ends_transactions ? 0 : kPortion, rows, run_.view, &given, &finished));
    statement_text_.clear();
    if (finished) execution.reset();
    for (std::size_t row = 0; row < rows.rows() && more; ++row) {
      if (checks_domains(next.targets)) WANDIAN_CO_TRY(co_await awaited([&] { return consume(rows, row); }));
      else WANDIAN_CO_TRY(consume(rows, row));
      WANDIAN_CO_TRY(co_await statements(next.body, flow));
      more = goes_on(next, flow);
      if (more && session_.share_used_up()) WANDIAN_CO_TRY(co_await session_.share_turn());
    }
  }
  if (!found) WANDIAN_CO_TRY(co_await awaited([&] { return assign_row(next.targets, statement->columns, nullptr, nullptr); }));
  set_found(found);
  co_return Status{};
}

Task<Status> Interpreter::for_cursor(const Statement& next, Flow* flow) {
  VariableState& cursor = states_[next.cursor];
  std::string name = cursor.cell.value.is_null ? std::string() : std::string(cursor.cell.value.bytes());
  const bool named = !name.empty();
  if (named && session_.has_cursor(name))
    co_return Status{sqlstate::duplicate_cursor, "cursor " + quoted(name) + " already in use"};
  Arena arena;
  CompiledPtr statement;
  std::vector<Value> params;
  WANDIAN_CO_TRY(co_await bound_query(next.cursor, next, &statement, &params, arena));
  bool stale = false;
  WANDIAN_CO_TRY(co_await session_.open_cursor(&name, statement, params, false, run_.view, &stale));
  if (stale) co_return Status{sqlstate::object_not_in_prerequisite_state, "the cursor's query changed while it was opened"};
  if (!named) cursor.cell.set(Value::of_bytes(name), false);
  bool found = false;
  Status status;
  for (;;) {
    Arena row_arena;
    RowCollector rows(row_arena, types_of(statement->columns));
    std::vector<ResultColumn> columns;
    std::uint64_t moved = 0;
    status = co_await session_.fetch_cursor(name, SessionImpl::CursorMove::kForward, 1, false, false, rows, &columns, &moved);
    if (!status.ok() || rows.rows() == 0) break;
    found = true;
    status = co_await awaited([&] { return assign_row(next.targets, columns, rows.at(0).data(), nested_shape(*statement)); });
    if (status.ok()) status = co_await statements(next.body, flow);
    if (!status.ok() || !goes_on(next, flow)) break;
    if (session_.share_used_up()) {
      status = co_await session_.share_turn();
      if (!status.ok()) break;
    }
  }
  WANDIAN_CO_TRY(std::move(status));
  if (session_.has_cursor(name)) WANDIAN_CO_TRY(session_.close_cursor(name));
  if (!named) cursor.cell.set(Value::null(), true);
  set_found(found);
  co_return Status{};
}

// ---- Cursors ----

// The query of a bound cursor, with its arguments in their variables.
Task<Status> Interpreter::bound_query(std::uint32_t cursor, const Statement& next, CompiledPtr* statement, std::vector<Value>* params, Arena& arena) {
  const Variable& variable = tree_.variables[cursor];
  scratch_.reset();
  std::vector<Evaluated> values(variable.cursor_arguments.size());
  std::vector<std::uint8_t> given(variable.cursor_arguments.size(), 0);
  for (std::size_t i = 0; i < next.arguments.size(); ++i) {
    std::size_t position = i;
    const std::string& name = i < next.argument_names.size() ? next.argument_names[i] : std::string();
    if (!name.empty()) {
      position = 0;
      while (position < variable.cursor_arguments.size() && tree_.variables[variable.cursor_arguments[position]].name != name) ++position;
    }
    if (position >= values.size() || given[position] != 0)
      co_return Status{sqlstate::syntax_error, "value for parameter " + quoted(name) + " of cursor " + quoted(variable.name) + " is specified more than once"};
    given[position] = 1;
    WANDIAN_CO_TRY(co_await evaluate(*next.arguments[i], &tree_.variables[variable.cursor_arguments[position]].type, &values[position]));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    Target target;
    target.variable = variable.cursor_arguments[i];
    WANDIAN_CO_TRY(co_await awaited([&] { return assign(target, values[i]); }));
  }
  Result<CompiledTextPtr> compiled = compile(*variable.cursor_query, nullptr);
  if (!compiled.ok()) co_return compiled.take_status();
  *statement = compiled.value()->statement;
  gather(*compiled.value(), params);
  for (std::size_t i = 0; i < params->size(); ++i) (*params)[i] = copy_value((*statement)->parameter_types[i], (*params)[i], arena);
  co_return Status{};
}

Task<Status> Interpreter::open_cursor(const Statement& next) {
  const Variable& variable = tree_.variables[next.cursor];
  VariableState& cursor = states_[next.cursor];
  std::string name = cursor.cell.value.is_null ? std::string() : std::string(cursor.cell.value.bytes());
  if (!name.empty() && session_.has_cursor(name)) co_return Status{sqlstate::duplicate_cursor, "cursor " + quoted(name) + " already in use"};
  for (;;) {
    Arena arena;
    CompiledPtr statement;
    std::vector<Value> params;
    if (variable.is_cursor) {
      WANDIAN_CO_TRY(co_await bound_query(next.cursor, next, &statement, &params, arena));
    } else if (next.upper != nullptr) {
      std::string command;
      WANDIAN_CO_TRY(co_await dynamic_query(*next.upper, next.arguments, &command, &statement, &params, arena));
    } else {
      Result<CompiledTextPtr> compiled = compile(*next.text, nullptr);
      if (!compiled.ok()) co_return compiled.take_status();
      statement = compiled.value()->statement;
      gather(*compiled.value(), &params);
    }
    const int scroll = variable.is_cursor ? variable.scroll : next.scroll;
    bool stale = false;
    WANDIAN_CO_TRY(co_await session_.open_cursor(&name, statement, params, scroll > 0, run_.view, &stale));
    if (!stale) break;
  }
  if (cursor.cell.value.is_null) cursor.cell.set(Value::of_bytes(name), false);
  co_return Status{};
}

Task<Status> Interpreter::fetch(const Statement& next) {
  const VariableState& cursor = states_[next.cursor];
  if (cursor.cell.value.is_null)
    co_return Status{sqlstate::null_value_not_allowed, "cursor variable " + quoted(tree_.variables[next.cursor].name) + " is null"};
  const std::string name(cursor.cell.value.bytes());
  scratch_.reset();
  std::int64_t count = next.count;
  if (next.text != nullptr) {
    Evaluated value;
    WANDIAN_CO_TRY(co_await evaluate(*next.text, nullptr, &value));
    WANDIAN_CO_TRY(cast(&value, type_oid::kInt4, -1));
    if (value.value.is_null) co_return Status{sqlstate::null_value_not_allowed, "relative or absolute cursor position is null"};
    count = value.value.i;
  }
  static constexpr SessionImpl::CursorMove kMoves[] = {SessionImpl::CursorMove::kForward, SessionImpl::CursorMove::kBackward,
                                                       SessionImpl::CursorMove::kAbsolute, SessionImpl::CursorMove::kRelative};
  // The columns are known only when the cursor is found.
  class Keeper final : public RowReceiver {
   public:
    Keeper(Arena& arena, const std::vector<ResultColumn>& columns) : arena_(arena), columns_(columns) {}
    Status row(std::span<const Value> values) override {
      if (!any) {
        for (std::size_t i = 0; i < values.size(); ++i) row_.push_back(copy_value(columns_[i].type, values[i], arena_));
      }
      any = true;
      return {};
    }
    bool any = false;
    std::vector<Value> row_;

   private:
    Arena& arena_;
    const std::vector<ResultColumn>& columns_;
  };
  Arena arena;
  std::vector<ResultColumn> columns;
  Keeper keeper(arena, columns);
  std::uint64_t moved = 0;
  const bool move = next.kind == StepKind::kMove;
  WANDIAN_CO_TRY(co_await session_.fetch_cursor(name, kMoves[static_cast<std::size_t>(next.direction)], count, next.all, move, keeper, &columns, &moved));
  if (!move) WANDIAN_CO_TRY(co_await awaited([&] { return assign_row(next.targets, columns, keeper.any ? keeper.row_.data() : nullptr, nullptr); }));
  row_count_ = moved;
  set_found(moved != 0);
  co_return Status{};
}

Status Interpreter::close_cursor(const Statement& next) {
  const VariableState& cursor = states_[next.cursor];
  if (cursor.cell.value.is_null)
    return Status{sqlstate::null_value_not_allowed, "cursor variable " + quoted(tree_.variables[next.cursor].name) + " is null"};
  return session_.close_cursor(cursor.cell.value.bytes());
}

// ---- Results ----

Task<Status> Interpreter::return_statement(const Statement& next, Flow* flow) {
  *flow = Flow::kReturn;
  if (next.text == nullptr) co_return Status{};
  scratch_.reset();
  Evaluated value;
  VariableType to;
  to.type = body_.result_type;
  const bool row = body_.returns_row || body_.is_trigger;
  WANDIAN_CO_TRY(co_await evaluate(*next.text, row ? nullptr : &to, &value));
  if (row) {
    WANDIAN_CO_TRY(as_record(&value));
    if (!value.value.is_null && value.type != type_oid::kRecord)
      co_return Status{sqlstate::datatype_mismatch, "cannot return non-composite value from function returning composite type"};
    if (!value.value.is_null && body_.result_shape != nullptr && !body_.is_trigger) {
      // The fields become what the function says they are.
      const RecordView view(value.value);
      std::vector<Oid> types;
      std::vector<Value> values;
      if (view.count() != body_.result_shape->fields.size())
        co_return Status{sqlstate::datatype_mismatch, "returned record type does not match expected record type"}.with_detail(
            "Number of returned columns (" + std::to_string(view.count()) + ") does not match expected column count (" +
            std::to_string(body_.result_shape->fields.size()) + ").");
      for (std::uint32_t i = 0; i < view.count(); ++i) {
        Evaluated field;
        field.value = view.field(i);
        field.type = view.type(i);
        WANDIAN_CO_TRY(cast(&field, body_.result_shape->fields[i].type, body_.result_shape->fields[i].typmod));
        types.push_back(body_.result_shape->fields[i].type);
        values.push_back(field.value);
      }
      value.value = build_record(types, values, scratch_);
    }
    result_ = value.value.is_null ? value.value : Value::of_bytes(result_arena_.copy(value.value.bytes()));
    result_shape_ = value.shape;
    co_return Status{};
  }
  phase_ = {};
  if (value.type != body_.result_type) {
    const std::string_view phase = std::exchange(phase_, "while casting return value to function's return type");
    const Statement* const statement = std::exchange(current_, nullptr);
    WANDIAN_CO_TRY(cast(&value, body_.result_type, -1));
    phase_ = phase;
    current_ = statement;
  }
  result_ = copy_value(body_.result_type, value.value, result_arena_);
  co_return Status{};
}

// What a query says that a function returning record has.
std::vector<RowShape::Field> Interpreter::wanted_columns() const {
  const FunctionDef& function = *run_.call.function;
  std::vector<RowShape::Field> out;
  for (std::size_t i = 0; i < function.out_typmods.size(); ++i)
    out.push_back({std::string(function.out_names[i]), function.out_types[i], function.out_typmods[i]});
  return out;
}

Status Interpreter::check_record(const RecordView& record, const std::vector<RowShape::Field>& wanted, const char* message) const {
  if (wanted.empty()) return {};
  if (record.count() != wanted.size())
    return Status{sqlstate::datatype_mismatch, message}.with_detail("Number of returned columns (" + std::to_string(record.count()) +
                                                                    ") does not match expected column count (" + std::to_string(wanted.size()) + ").");
  for (std::uint32_t i = 0; i < record.count(); ++i)
    if (record.type(i) != wanted[i].type)
      return Status{sqlstate::datatype_mismatch, message}.with_detail("Returned type " + format_type(record.type(i)) + " does not match expected type " +
                                                                      format_type(wanted[i].type, wanted[i].typmod) + " in column " + std::to_string(i + 1) + ".");
  return {};
}

Status Interpreter::add_result_row(std::span<const Value> values, std::span<const Oid> types) {
  RoutineRows& rows = *run_.call.rows;
  for (std::size_t i = 0; i < rows.width; ++i)
    rows.values.push_back(i < values.size() ? copy_value(types[i], values[i], rows.arena) : Value::null());
  return {};
}

Task<Status> Interpreter::return_next(const Statement& next) {
  scratch_.reset();
  std::vector<Value> values;
  std::vector<Oid> types;
  if (next.text == nullptr) {
    for (const std::uint32_t variable : body_.outputs) {
      Oid type = 0;
      values.push_back(variable_value(variable, scratch_, &type));
      types.push_back(type);
    }
    co_return add_result_row(values, types);
  }
  Evaluated value;
  VariableType to;
  to.type = body_.result_type;
  WANDIAN_CO_TRY(co_await evaluate(*next.text, body_.returns_row ? nullptr : &to, &value));
  if (!body_.returns_row) {
    WANDIAN_CO_TRY(cast(&value, body_.result_type, -1));
    co_return add_result_row({&value.value, 1}, {&body_.result_type, 1});
  }
  const std::size_t width = run_.call.rows->width;
  if (value.value.is_null) co_return add_result_row({}, {});
  WANDIAN_CO_TRY(as_record(&value));
  if (value.type != type_oid::kRecord)
    co_return Status{sqlstate::datatype_mismatch, "cannot return non-composite value from function returning composite type"};
  const RecordView view(value.value);
  if (body_.result_shape != nullptr && view.count() != width)
    co_return Status{sqlstate::datatype_mismatch, "wrong record type supplied in RETURN NEXT"}.with_detail(
        "Number of returned columns (" + std::to_string(view.count()) + ") does not match expected column count (" + std::to_string(width) + ").");
  const std::vector<RowShape::Field> wanted = wanted_columns();
  WANDIAN_CO_TRY(check_record(view, wanted, "wrong record type supplied in RETURN NEXT"));
  for (std::uint32_t i = 0; i < view.count(); ++i) {
    Evaluated field;
    field.value = view.field(i);
    field.type = view.type(i);
    if (body_.result_shape != nullptr) WANDIAN_CO_TRY(cast(&field, body_.result_shape->fields[i].type, body_.result_shape->fields[i].typmod));
    values.push_back(field.value);
    types.push_back(field.type);
  }
  co_return add_result_row(values, types);
}

namespace {

// Rows of RETURN QUERY go straight to the function's result.
class ResultRows final : public RowReceiver {
 public:
  ResultRows(RoutineRows& rows, std::vector<Oid> types, bool expand) : rows_(rows), types_(std::move(types)), expand_(expand) {}
  Status row(std::span<const Value> values) override {
    ++count;
    if (expand_) {
      for (std::size_t i = 0; i < rows_.width; ++i) {
        const bool there = !values[0].is_null && i < RecordView(values[0]).count();
        rows_.values.push_back(there ? copy_value(RecordView(values[0]).type(static_cast<std::uint32_t>(i)),
                                                  RecordView(values[0]).field(static_cast<std::uint32_t>(i)), rows_.arena)
                                     : Value::null());
      }
      return {};
    }
    for (std::size_t i = 0; i < rows_.width; ++i) rows_.values.push_back(copy_value(types_[i], values[i], rows_.arena));
    return {};
  }
  std::uint64_t count = 0;

 private:
  RoutineRows& rows_;
  std::vector<Oid> types_;
  const bool expand_;
};

Status check_columns(const std::vector<ResultColumn>& columns, const std::vector<RowShape::Field>& expected) {
  const auto mismatch = [](std::string detail) {
    return Status{sqlstate::datatype_mismatch, "structure of query does not match function result type"}.with_detail(std::move(detail));
  };
  if (columns.size() != expected.size())
    return mismatch("Number of returned columns (" + std::to_string(columns.size()) + ") does not match expected column count (" +
                    std::to_string(expected.size()) + ").");
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].type != expected[i].type)
      return mismatch("Returned type " + format_type(columns[i].type, columns[i].typmod) + " does not match expected type " +
                      format_type(expected[i].type, expected[i].typmod) + " in column " + std::to_string(i + 1) + ".");
  return {};
}

}  // namespace

Task<Status> Interpreter::return_query(const Statement& next) {
  std::vector<RowShape::Field> expected;
  if (body_.returns_row) {
    if (body_.result_shape != nullptr) expected = body_.result_shape->fields;
    else expected = wanted_columns();
  } else if (!body_.outputs.empty()) {
    for (const std::uint32_t variable : body_.outputs) expected.push_back({"", tree_.variables[variable].type.type, -1});
  } else {
    expected.push_back({"", body_.result_type, -1});
  }
  Arena arena;
  std::vector<Value> values, given;
  CompiledPtr statement;
  std::string command;
  std::vector<Oid> types;
  Compiled kept;
  std::unique_ptr<BindVariables> variables;
  if (next.upper != nullptr) {
    WANDIAN_CO_TRY(co_await dynamic_text(*next.upper, next.arguments, &command, &values, &types, arena));
  }
  for (;;) {
    if (next.upper != nullptr) {
      Result<ParsedStatements> parsed = ParsedStatements::parse(command);
      if (!parsed.ok()) {
        Status status = parsed.take_status();
        make_internal(status, command);
        co_return std::move(status);
      }
      if (parsed->statements().size() != 1) co_return Status{sqlstate::invalid_cursor_definition, "cannot open multi-query plan as cursor"};
      Result<CompiledPtr> compiled = compile_dynamic(session_, std::make_shared<const ParsedStatements>(parsed.take()), 0, types);
      if (!compiled.ok()) co_return compiled.take_status();
      statement = compiled.take();
      given = values;
      if (statement->kind == StatementKind::kExecute) WANDIAN_CO_TRY(session_.resolve_prepared(&statement, &given, arena));
      statement_text_ = "SQL statement \"" + command + "\"";
    } else {
      Result<CompiledTextPtr> compiled = compile(*next.text, nullptr);
      if (!compiled.ok()) co_return compiled.take_status();
      statement = compiled.value()->statement;
      gather(*compiled.value(), &given);
      variables = variables_of(*next.text, *compiled.value(), &kept);
      statement_text_ = shown(*next.text);
    }
    if (!statement->returns_rows) {
      statement_text_.clear();
      co_return Status{sqlstate::syntax_error, "query has no destination for result data"};
    }
    bool expand = false;
    if (!expected.empty()) {
      const bool one_row = body_.returns_row && statement->columns.size() == 1 && statement->columns[0].type == type_oid::kRecord;
      if (one_row) expand = true;
      else WANDIAN_CO_TRY(check_columns(statement->columns, expected));
    }
    ResultRows receiver(*run_.call.rows, types_of(statement->columns), expand);
    SessionImpl::NestedResult result;
    bool stale = false;
    WANDIAN_CO_TRY(co_await session_.run_nested(statement, given, 0, receiver, run_.view, &result, &stale, variables.get()));
    statement_text_.clear();
    if (stale) continue;
    row_count_ = receiver.count;
    set_found(receiver.count != 0);
    co_return Status{};
  }
}

// ---- Triggers ----

void Interpreter::set_trigger_variables(const TriggerEvent& event) {
  const auto fill = [&](std::uint32_t variable, std::span<const Value> row) {
    if (row.empty()) return;
    VariableState& state = states_[variable];
    std::size_t field = 0;
    for (std::size_t c = 0; c < event.table->columns.size(); ++c) {
      if (event.table->columns[c].dropped) continue;
      state.fields[field].set(row[c], is_by_value(event.table->columns[c].type));
      ++field;
    }
  };
  fill(tree_.new_row, event.new_row);
  fill(tree_.old_row, event.old_row);
  std::string schema;
  if (const auto def = session_.catalog()->schema(event.table->schema)) schema = def->name;
  std::uint32_t next = tree_.first_trigger_variable;
  const auto text = [&](std::string_view value) { states_[next++].cell.set(Value::of_bytes(value), false); };
  text(event.name);
  text(event.when);
  text(event.level);
  text(event.operation);
  states_[next++].cell.set(Value::of_int(event.table->oid), true);
  text(event.table->name);
  text(event.table->name);
  text(schema);
  states_[next++].cell.set(Value::of_int(static_cast<std::int64_t>(event.arguments.size())), true);
  std::vector<Value> arguments;
  for (const std::string& argument : event.arguments) arguments.push_back(Value::of_bytes(argument));
  const ArrayDimension dimension{static_cast<std::int32_t>(arguments.size()), 0};
  Arena arena;
  if (!arguments.empty()) states_[next].cell.set(build_array(type_oid::kText, {&dimension, 1}, arguments, arena), false);
}

Status Interpreter::give_trigger_result(Flow flow) {
  const TriggerEvent& event = *run_.call.trigger;
  if (flow != Flow::kReturn) return Status{sqlstate::function_executed_no_return_statement, "control reached end of trigger procedure without RETURN"};
  event.skip = result_.is_null;
  event.returned.clear();
  if (result_.is_null || event.level != "ROW" || event.when == "AFTER") return {};
  const RecordView view(result_);
  std::uint32_t field = 0;
  for (const ColumnDef& column : event.table->columns) {
    if (column.dropped) {
      event.returned.push_back(Value::null());
      continue;
    }
    if (field >= view.count())
      return Status{sqlstate::datatype_mismatch, "returned row structure does not match the structure of the triggering table"}.with_detail(
          "Number of returned columns (" + std::to_string(view.count()) + ") does not match expected column count (" +
          std::to_string(event.table->columns.size()) + ").");
    Evaluated value;
    value.value = view.field(field);
    value.type = view.type(field);
    if (value.type != column.type)
      return Status{sqlstate::datatype_mismatch, "returned row structure does not match the structure of the triggering table"}.with_detail(
          "Returned type " + format_type(value.type) + " does not match expected type " + format_type(column.type, column.typmod) + " in column " +
          std::to_string(field + 1) + ".");
    event.returned.push_back(copy_value(column.type, value.value, *event.arena));
    ++field;
  }
  return {};
}

}  // namespace wandian::sql::plpgsql
