// LANGUAGE sql: the statements of a body, run one after the other; the last one's rows are the result.
#include <algorithm>

#include "engine/array_value.h"
#include "sql/bind/routine_arguments.h"
#include "sql/co_try.h"
#include "sql/exec/receiver.h"
#include "sql/expr/call_journal.h"
#include "sql/expr/domain_value.h"
#include "sql/messages.h"
#include "sql/routine/body.h"
#include "sql/routine/value_cast.h"
#include "sql/session_portal.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_polymorphic_type(Oid type) {
  switch (type) {
    case kAnyElement: case kAnyArray: case kAnyNonArray: case kAnyEnum: case kAnyRange: case kAnyMultirange:
    case kAnyCompatible: case kAnyCompatibleArray: case kAnyCompatibleNonArray:
      return true;
    default: return false;
  }
}

struct OutputColumn {
  std::string name;
  Oid type = 0;
  std::int32_t typmod = -1;
};

// What a row of the result consists of; one column without a name for a scalar.
Result<std::vector<OutputColumn>> result_columns(SessionImpl& session, const Routine& routine, Oid result_type) {
  const FunctionObject& declared = routine.declaration;
  std::vector<OutputColumn> out;
  if (declared.result_relation != 0) {
    if (const auto table = session.catalog()->table(declared.result_relation)) {
      for (const ColumnDef& column : table->columns)
        if (!column.dropped) out.push_back({column.name, column.type});
    } else if (const auto view = session.catalog()->object(ObjectKind::kView, declared.result_relation)) {
      if (const auto definition = ViewDefinition::decode(view->definition))
        for (const ViewDefinition::Column& column : definition->columns) out.push_back({column.name, column.type});
    } else if (std::vector<RowField> fields; session.row_fields(declared.result_relation, &fields)) {
      for (const RowField& field : fields)
        if (!field.dropped) out.push_back({field.name, field.type});
    }
    return out;
  }
  if (routine.outputs.size() > 1 || declared.is_procedure) {
    for (const std::size_t output : routine.outputs) out.push_back({declared.parameters[output].name, declared.parameters[output].type});
    return out;
  }
  out.push_back({"", result_type});
  return out;
}

class SqlBody final : public RoutineBody {
 public:
  SqlBody(const Routine& routine, std::span<const Oid> types) : routine_(routine), types_(types.begin(), types.end()) {}

  Status prepare(SessionImpl& session, bool check_only);
  Task<Status> run(RoutineRun& run) override;
  void note_uses(FunctionObject* uses) const;

 private:
  Result<CompiledPtr> compiled(SessionImpl& session, std::size_t index);
  Status check_result(const CompiledStatement& statement, const std::vector<OutputColumn>& columns) const;
  // Whether a column of this type is the whole row that the function returns.
  bool is_result_row(Oid type) const {
    return routine_.declaration.result_relation != 0 && type == routine_.declaration.result_type();
  }
  bool gives_rows() const { return returns_void_ ? false : !columns_.empty(); }

  const Routine& routine_;
  std::vector<Oid> types_;                       ///< of the arguments, then of the result
  std::shared_ptr<const ParsedStatements> parsed_;
  std::vector<CompiledPtr> statements_;
  std::vector<OutputColumn> columns_;
  bool returns_void_ = false, row_ = false;
  friend class SqlFrame;
};

class SqlFrame final : public RoutineFrame {
 public:
  SqlFrame(SessionImpl& session, std::string name) : RoutineFrame(session), name_(std::move(name)) {}
  void append_context(std::string& out) const override {
    append_context_line(out, "SQL function " + quoted(name_) + (statement == 0 ? " during startup" : " statement " + std::to_string(statement)));
  }
  std::size_t statement = 0;

 private:
  const std::string name_;
};

// The rows of the last statement, as the function's result has them.
class ResultTaker final : public RowReceiver {
 public:
  ResultTaker(SessionImpl& session, RoutineCall& call, const std::vector<OutputColumn>& columns, std::vector<Oid> sources, bool row, bool whole_row)
      : session_(session), call_(call), columns_(columns), sources_(std::move(sources)), row_(row), whole_row_(whole_row) {}
  Status row(std::span<const Value> values) override {
    scratch_.reset();
    std::vector<Value> fields(columns_.size());
    EvalContext eval = session_.eval_context(scratch_);
    eval.journal = journal;
    Value whole = values.empty() ? Value::null() : values[0];
    if (std::vector<RowField> live; whole_row_ && !whole.is_null && session_.row_fields(sources_[0], &live)) whole = live_record(live, whole, scratch_);
    if (whole_row_ && !whole.is_null && RecordView(whole).count() < columns_.size())
      return Status{sqlstate::datatype_mismatch, "function return row and query-specified return row do not match"}.with_detail(
          "Returned row contains " + std::to_string(RecordView(whole).count()) + " attributes, but query expects " + std::to_string(columns_.size()) + ".");
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      Value source;
      Oid type = 0;
      if (whole_row_) {
        if (whole.is_null) continue;
        source = RecordView(whole).field(static_cast<std::uint32_t>(i));
        type = RecordView(whole).type(static_cast<std::uint32_t>(i));
      } else {
        source = values[i];
        type = sources_[i];
      }
      WANDIAN_TRY(session_.casts().cast(session_.bind_context(), eval, source, type, columns_[i].type, columns_[i].typmod, &fields[i]));
      if (journal != nullptr && journal->asked()) return Status{sqlstate::internal_error, "a routine is to be run first"};   // run() does
    }
    any = true;
    if (call_.rows != nullptr) {
      for (std::size_t i = 0; i < fields.size(); ++i) call_.rows->values.push_back(copy_value(columns_[i].type, fields[i], call_.rows->arena));
      return {};
    }
    if (row_) {
      std::vector<Oid> types;
      for (const OutputColumn& column : columns_) types.push_back(column.type);
      call_.result = build_record(types, fields, *call_.arena);
    } else {
      call_.result = copy_value(columns_[0].type, fields[0], *call_.arena);
    }
    return {};
  }
  bool any = false;
  CallJournal* journal = nullptr;

 private:
  SessionImpl& session_;
  RoutineCall& call_;
  const std::vector<OutputColumn>& columns_;
  std::vector<Oid> sources_;
  const bool row_, whole_row_;
  Arena scratch_;
};

Status mismatch(const std::string& result, std::string detail) {
  return Status{sqlstate::invalid_function_definition, "return type mismatch in function declared to return " + result}.with_detail(std::move(detail));
}

Status SqlBody::prepare(SessionImpl& session, bool check_only) {
  const FunctionObject& declared = routine_.declaration;
  WANDIAN_ASSIGN(ParsedStatements parsed, ParsedStatements::parse(declared.source));
  parsed_ = std::make_shared<const ParsedStatements>(std::move(parsed));
  statements_.resize(parsed_->statements().size());
  returns_void_ = declared.result == kVoid || (declared.is_procedure && routine_.outputs.empty());
  row_ = declared.result == kRecord || declared.is_procedure;
  const Oid result = types_.empty() ? declared.result : types_.back();
  WANDIAN_ASSIGN(columns_, result_columns(session, routine_, result));
  const bool polymorphic = std::any_of(declared.arguments.begin(), declared.arguments.end(), is_polymorphic_type);
  if (check_only && polymorphic) return {};
  for (std::size_t i = 0; i < statements_.size(); ++i) {
    const ParseNode* node = parsed_->statements()[i].node;
    if (node->node_case == PG_QUERY__NODE__NODE_TRANSACTION_STMT)
      return Status{sqlstate::feature_not_supported, std::string(command_tag(node)) + " is not allowed in an SQL function"};
    if (!check_only && node->node_case == PG_QUERY__NODE__NODE_COPY_STMT && text_or_empty(node->copy_stmt->filename).empty())
      return Status{sqlstate::feature_not_supported, "cannot COPY to/from client in an SQL function"};
    // What earlier statements create is not there yet: each is bound when its turn comes.
    if (check_only || i + 1 == statements_.size()) {
      Result<CompiledPtr> statement = compiled(session, i);
      if (!statement.ok()) {
        if (!check_only) continue;
        return statement.take_status();
      }
      if (i + 1 == statements_.size()) WANDIAN_TRY(check_result(*statement.value(), columns_));
    }
  }
  if (statements_.empty() && !returns_void_) {
    return mismatch(format_type(declared.result), "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.");
  }
  return {};
}

// Whether the last statement gives what the function returns.
Status SqlBody::check_result(const CompiledStatement& statement, const std::vector<OutputColumn>& columns) const {
  if (returns_void_) return {};
  const std::string result = format_type(types_.empty() ? routine_.declaration.result : types_.back());
  if (!statement.returns_rows || statement.bound == nullptr)
    return mismatch(result, "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.");
  const std::vector<ResultColumn>& given = statement.columns;
  const auto fits = [](Oid from, Oid to) {
    from = base_type(from), to = base_type(to);
    if (from == to || from == kUnknown) return true;
    const CastDef* cast = find_cast(from, to);
    const TypeInfo* target = find_type(to);
    return (cast != nullptr && cast->context != CastDef::Context::kExplicit) || (target != nullptr && target->category == 'S') ||
           (find_type(from) != nullptr && find_type(from)->category == 'A' && target != nullptr && target->category == 'A');
  };
  if (!row_) {
    if (given.size() != 1) return mismatch(result, "Final statement must return exactly one column.");
    if (!fits(given[0].type, columns[0].type)) return mismatch(result, "Actual return type is " + format_type(given[0].type) + ".");
    return {};
  }
  if (given.size() == 1 && (given[0].type == kRecord || is_result_row(given[0].type))) return {};
  if (columns.empty()) return {};
  if (columns.size() == 1 && columns[0].type == kRecord) return {};
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (i >= columns.size()) return mismatch(result, "Final statement returns too many columns.");
    if (!fits(given[i].type, columns[i].type))
      return mismatch(result, "Final statement returns " + format_type(given[i].type) + " instead of " + format_type(columns[i].type) +
                                  " at column " + std::to_string(i + 1) + ".");
  }
  if (given.size() < columns.size()) return mismatch(result, "Final statement returns too few columns.");
  return {};
}

Result<CompiledPtr> SqlBody::compiled(SessionImpl& session, std::size_t index) {
  CompiledPtr& slot = statements_[index];
  if (slot != nullptr && session.is_current(*slot)) return slot;
  RoutineArguments arguments(routine_, types_);
  WANDIAN_ASSIGN(slot, session.compile_nested(parsed_, index, &arguments, {}));
  return slot;
}

// A row whose conversion may call routines: it begins anew when one has been run.
Task<Status> take_waiting(SessionImpl& session, RoutineRun& run, ResultTaker& taker, std::span<const Value> row) {
  CallJournal journal;
  const ReadView view = run.view.read_only ? run.view.callers : ReadView{};
  for (;;) {
    journal.rewind();
    taker.journal = &journal;
    Status status = taker.row(row);
    taker.journal = nullptr;
    if (!journal.asked()) co_return std::move(status);
    WANDIAN_CO_TRY(co_await session.run_routine(journal.call(), view));
    journal.answer();
  }
}

Task<Status> SqlBody::run(RoutineRun& run) {
  SessionImpl& session = run.session;
  RoutineCall& call = run.call;
  SqlFrame frame(session, routine_.declaration.name);
  // A query may say which columns a function returning record has.
  std::vector<OutputColumn> columns = columns_;
  if (!call.function->out_typmods.empty()) {
    columns.clear();
    for (std::size_t i = 0; i < call.function->out_types.size(); ++i)
      columns.push_back({std::string(call.function->out_names[i]), call.function->out_types[i], call.function->out_typmods[i]});
  }
  const auto failed = [&](Status status) {
    if (status.error().position > 0 && !status.error().context_complete) make_internal(status, routine_.declaration.source);
    session.complete_context(status);
    return status;
  };
  for (std::size_t i = 0; i < statements_.size(); ++i) {
    frame.statement = 0;
    const bool last = i + 1 == statements_.size() && !returns_void_;
    for (;;) {
      Result<CompiledPtr> found = compiled(session, i);
      if (!found.ok()) co_return failed(found.take_status());
      const CompiledPtr statement = found.take();
      if (last)
        if (Status status = check_result(*statement, columns); !status.ok()) co_return failed(std::move(status));
      // A statement knows the parameters that it names; those before the highest one may be of no type there.
      std::vector<Value> params;
      for (std::size_t p = 0; p < statement->parameter_types.size() && p < call.args.size(); ++p) params.push_back(call.args[p]);
      std::vector<Oid> sources;
      for (const ResultColumn& column : statement->columns) sources.push_back(column.type);
      const bool whole_row = row_ && sources.size() == 1 && (sources[0] == kRecord || is_result_row(sources[0]));
      ResultTaker taker(session, call, columns, sources, row_, whole_row);
      RowCounter nowhere;
      // A scalar function takes the first row and leaves the others; what writes runs to its end.
      const bool one = last && call.rows == nullptr && statement->kind == StatementKind::kSelect;
      SessionImpl::NestedResult result;
      bool stale = false;
      frame.statement = i + 1;
      class FirstRow final : public RowReceiver {
       public:
        explicit FirstRow(ResultTaker& taker) : taker_(taker) {}
        Status row(std::span<const Value> values) override { return taker_.any ? Status{} : taker_.row(values); }

       private:
        ResultTaker& taker_;
      } first(taker);
      // Conditions of domains that call routines wait until the statement has been run.
      const bool waits = last && std::any_of(columns.begin(), columns.end(), [](const OutputColumn& column) {
                           return type_kind(column.type) == 'd' && domain_waits(column.type);
                         });
      Arena kept;
      RowCollector rows(kept, sources);
      RowReceiver& receiver = !last ? static_cast<RowReceiver&>(nowhere) : waits ? rows : call.rows != nullptr ? static_cast<RowReceiver&>(taker) : first;
      Status status = co_await session.run_nested(statement, params, one ? 1 : 0, receiver, run.view, &result, &stale);
      if (!status.ok()) {
        // PostgreSQL looks at this before it begins.
        if (status.error().message.ends_with("is not allowed in a non-volatile function")) frame.statement = 0;
        co_return failed(std::move(status));
      }
      if (stale) continue;
      for (std::size_t row = 0; waits && row < rows.rows() && (call.rows != nullptr || row == 0); ++row)
        if (Status taken = co_await take_waiting(session, run, taker, rows.at(row)); !taken.ok()) co_return failed(std::move(taken));
      break;
    }
  }
  co_return Status{};
}

}  // namespace

Result<std::shared_ptr<RoutineBody>> make_sql_body(SessionImpl& session, const Routine& routine, std::span<const Oid> types) {
  auto body = std::make_shared<SqlBody>(routine, types);
  if (Status status = body->prepare(session, false); !status.ok()) {
    make_internal(status, routine.declaration.source);
    return std::move(status).with_context("SQL function " + quoted(routine.declaration.name) + " during startup");
  }
  return std::shared_ptr<RoutineBody>(std::move(body));
}

void SqlBody::note_uses(FunctionObject* uses) const {
  const auto note = [&](Oid relation, std::int16_t column) {
    const std::pair<Oid, std::int16_t> use(relation, column);
    if (std::find(uses->body_columns.begin(), uses->body_columns.end(), use) == uses->body_columns.end()) uses->body_columns.push_back(use);
  };
  for (const CompiledPtr& statement : statements_) {
    if (statement == nullptr || statement->bound == nullptr) continue;
    for (const RelationAccess& access : statement->bound->accesses) {
      if (access.check_as != 0 || access.relation < kFirstUserOid) continue;   // behind a view, or always there
      note(access.relation, 0);
      for (const std::vector<std::int16_t>* list : {&access.selected, &access.inserted, &access.updated})
        for (const std::int16_t column : *list)
          if (column > 0) note(access.relation, column);
    }
    for (const std::shared_ptr<const SequenceDef>& sequence : statement->bound->sequences) note(sequence->oid, 0);
    for (const Oid function : statement->bound->executed)
      if (function != routine_.oid && function >= kFirstUserOid) uses->body_functions.push_back(function);
  }
}

Status check_sql_body(SessionImpl& session, const Routine& routine, FunctionObject* uses) {
  std::vector<Oid> types = routine.declaration.arguments;
  types.push_back(routine.declaration.result);
  SqlBody body(routine, types);
  Status status = body.prepare(session, true);
  if (status.ok() && uses != nullptr) body.note_uses(uses);
  if (!status.ok() && status.error().position == 0) status = std::move(status).with_context("SQL function " + quoted(routine.declaration.name));
  return status;
}

}  // namespace wandian::sql
