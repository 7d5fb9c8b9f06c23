// The simple query protocol.
#include <utility>

#include "sql/parse/lexer.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"
#include "sql/shard_share.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

// A simple query has no parameters: the error about the first one that it names.
Status no_parameter(const CompiledStatement& statement) {
  const std::string_view text = statement.statement_text();
  const auto begin = static_cast<std::int32_t>(text.data() - statement.text().data());
  Lexer lexer(text);
  Token token = lexer.next();
  while (token.kind != TokenKind::kParam && token.kind != TokenKind::kEnd && token.kind != TokenKind::kError) token = lexer.next();
  if (token.kind != TokenKind::kParam) return {sqlstate::undefined_parameter, "there is no parameter $1"};
  return Status{sqlstate::undefined_parameter, "there is no parameter " + std::string(token.text)}.with_position(
      character_position(statement.text(), begin + static_cast<std::int32_t>(token.offset)));
}

std::string_view class_bytes(const NormalizedQuery& query, std::string* buffer) {
  buffer->clear();
  for (const NormalizedLiteral& literal : query.literals) buffer->push_back(static_cast<char>('0' + static_cast<int>(literal.literal_class)));
  return *buffer;
}

}  // namespace

Poll SessionImpl::query(std::string_view text) {
  return call([&] {
    std::string converted;
    Status bad = from_client(&text, &converted);
    become_active(bad.ok() ? text : std::string_view());
    pipelining_ = false;
    sync_follows_ = true;   // kSingle is one statement alone in this protocol
    unnamed_statement_.statement.reset();
    if (!bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    if (try_fast_query(text)) return Poll::kReady;
    if (operation_.valid()) return poll_operation();
    return start_operation(run_query(std::string(text)));
  });
}

// The literals' values as parameters. False: one does not convert; the statement's own text then gives the right error.
bool SessionImpl::literal_parameters(const CompiledStatement& statement, const NormalizedQuery& query, Portal& portal) {
  if (statement.parameter_types.size() != query.literals.size()) return false;
  EvalContext context = eval_context(portal.arena);
  portal.params.resize(query.literals.size());
  for (std::size_t i = 0; i < query.literals.size(); ++i)
    if (!value_from_text(context, statement.parameter_types[i], -1, query.literals[i].text, &portal.params[i])) return false;
  return true;
}

void SessionImpl::finish_query() {
  settings_.report_changes([&](std::string_view name, std::string_view value) { sink_->parameter_status(name, value); });
  become_idle();
}

// Statements that were seen before and have nothing to wait for. False: nothing was answered yet but, perhaps, a
// RowDescription; or an operation was started.
bool SessionImpl::try_fast_query(std::string_view text) {
  if (block_ == Block::kFailed) return false;
  StatementCache& cache = server_.share(shard_.index()).statements;
  const bool normalized = normalize_literals(text, &normalized_);
  const StatementCache::Key key{plan_context(), normalized ? class_bytes(normalized_, &classes_) : std::string_view(),
                                normalized ? std::string_view(normalized_.text) : text};
  const CompiledPtr statement = cache.find(key, catalog());
  if (statement == nullptr || statement->empty) return false;
  Status status;
  if (statement->kind == StatementKind::kTransaction) {
    std::string_view tag = statement->tag;
    const std::int64_t begun = command_begins();
    if (!try_transaction_command(statement->ref(), &tag, &status)) return false;
    if (status.ok()) {
      count_command(*statement, begun);
      sink_->command_complete(tag);
      finish_query();
      return true;
    }
    return fail_call(std::move(status)) == Poll::kReady;
  }
  if (!statement->fast && !statement->is_procedure_call()) return false;
  Portal& portal = *simple_portal_;
  portal.reset();
  if (normalized && !literal_parameters(*statement, normalized_, portal)) return false;
  if (!normalized && !statement->parameter_types.empty()) return false;
  const std::size_t mark = sink_->out().size();
  if (statement->returns_rows) sink_->row_description(statement->description, {});
  std::uint64_t rows = 1;
  const Fast fast = statement->fast ? try_fast(*statement, portal.params, {}, &status, &rows)
                                    : try_fast_procedure(*statement, portal.params, {}, &status);
  if (fast == Fast::kNot) {
    sink_->out().truncate(mark);
    return false;
  }
  if (status.ok()) {
    // The answer to the statement stands before that of its commit, but neither is sent if the commit fails.
    const std::size_t before = sink_->out().size();
    command_complete(*statement, rows);
    if (!try_finish_implicit(&status)) {
      sink_->out().truncate(before);
      portal.statement = statement;
      (void)start_operation(finish_simple(std::move(portal.statement), rows));
      return !operation_.valid();
    }
    if (status.ok()) [[likely]] {
      finish_query();
      return true;
    }
    sink_->out().truncate(before);
  }
  return fail_call(std::move(status)) == Poll::kReady;
}

// The end of an autocommit statement whose commit has to wait for room in the log.
Task<void> SessionImpl::finish_simple(CompiledPtr statement, std::uint64_t rows) {
  Status status = co_await guarded(finish_implicit());
  if (status.ok()) {
    command_complete(*statement, rows);
  } else {
    co_await abort_and_report(std::move(status));
  }
  finish_query();
}

Task<void> SessionImpl::run_query(std::string text) {
  Status status = co_await guarded(run_simple_text(text));
  close_portal_object(*simple_portal_);
  if (!status.ok()) {
    co_await abort_and_report(std::move(status));
  }
  finish_query();
}

Task<Status> SessionImpl::run_simple_text(std::string_view text) {
  StatementCache& cache = server_.share(shard_.index()).statements;
  Portal& portal = *simple_portal_;
  last_of_query_ = true;

  // By its normalized text, which later queries will share.
  if (block_ != Block::kFailed && normalize_literals(text, &normalized_)) {
    const std::string classes(class_bytes(normalized_, &classes_));
    const StatementCache::Key key{plan_context(), classes, normalized_.text};
    CompiledPtr statement = cache.find(key, catalog());
    if (statement == nullptr) {
      std::vector<Oid> declared;
      for (const NormalizedLiteral& literal : normalized_.literals) declared.push_back(literal_type(literal.literal_class));
      auto given_up = std::make_shared<CompiledStatement>();
      given_up->empty = true;
      statement = given_up;
      bool keep = catalog() == shard_.catalog();
      Result<ParsedStatements> parsed = ParsedStatements::parse(normalized_.text);
      if (parsed.ok() && parsed.value().statements().size() == 1) {
        Result<CompiledPtr> compiled =
            compile(std::make_shared<const ParsedStatements>(parsed.take()), 0, nullptr, declared);
        if (compiled.ok()) {
          statement = compiled.take();
          // Literals that a partial index's condition may follow from are better left where they are.
          if (statement->plan != nullptr && statement->plan->depends_on_parameters) statement = given_up;
          keep = keep && (statement->bound == nullptr || (statement->bound->cacheable && !statement->bound->uses_temporary));
        } else {
          // Whether it binds depends on the catalog: nothing is remembered.
          keep = false;
        }
      }
      if (keep) cache.insert(key, statement);
    }
    if (!statement->empty) {
      portal.reset();
      if (literal_parameters(*statement, normalized_, portal)) {
        portal.statement = statement;
        co_return co_await run_simple_statement(portal, false);
      }
    }
  }

  Result<ParsedStatements> parse_result = ParsedStatements::parse(text);
  if (!parse_result.ok()) co_return parse_result.take_status();
  const auto parsed = std::make_shared<const ParsedStatements>(parse_result.take());
  const std::size_t count = parsed->statements().size();
  if (count == 0) {
    sink_->empty_query_response();
    co_return Status{};
  }
  for (std::size_t i = 0; i < count; ++i) {
    last_of_query_ = i + 1 == count;
    const ParseNode* node = parsed->statements()[i].node;
    if (block_ == Block::kFailed && !allowed_in_failed_transaction(node)) {
      CompiledStatement refused;
      refused.parsed = parsed;
      refused.index = i;
      co_return refuse_if_failed(refused);
    }
    if (count > 1) {
      if (i > 0) begin_statement_clock();
      ensure_block();
      if (block_ == Block::kSingle) block_ = Block::kImplicit;
    }
    Result<CompiledPtr> compiled = compile(parsed, i, nullptr, {});
    if (!compiled.ok()) co_return compiled.take_status();
    portal.reset();
    portal.statement = compiled.take();
    if (count == 1 && portal.statement->parameter_types.empty() && catalog() == shard_.catalog()) {
      const bool fit = portal.statement->bound == nullptr
                           ? portal.statement->kind == StatementKind::kTransaction
                           : portal.statement->bound->cacheable && !portal.statement->bound->uses_temporary;
      if (fit) cache.insert({plan_context(), {}, text}, portal.statement);
    }
    WANDIAN_CO_TRY(co_await run_simple_statement(portal, true));
    close_portal_object(portal);
    // COMMIT and ROLLBACK end the implicit block; the next statement begins another.
  }
  co_return co_await finish_implicit();
}

Task<Status> SessionImpl::run_simple_statement(Portal& portal, bool own_text) {
  if (own_text && !portal.statement->parameter_types.empty()) co_return no_parameter(*portal.statement);
  WANDIAN_CO_TRY(refuse_if_failed(*portal.statement));
  std::string tag(portal.statement->tag);
  if (portal.statement->kind == StatementKind::kTransaction) {
    std::string_view short_tag = portal.statement->tag;
    Status status;
    const CompiledPtr command = portal.statement;
    const std::int64_t begun = command_begins();
    if (try_transaction_command(command->ref(), &short_tag, &status)) {
      WANDIAN_CO_TRY(std::move(status));
      tag = short_tag;
    } else {
      WANDIAN_CO_TRY(co_await run_transaction_command(command->ref(), &tag));
    }
    count_command(*command, begun);
    sink_->command_complete(tag);
    co_return Status{};
  }
  ensure_block();
  // EXECUTE is its statement; it describes itself before its rows.
  if (portal.statement->kind == StatementKind::kExecute) WANDIAN_CO_TRY(resolve_execute(portal));
  if (portal.statement->bound == nullptr) {
    WANDIAN_CO_TRY(co_await run_counted_utility(portal, &tag));
    if (portal.kept == nullptr) {
      WANDIAN_CO_TRY(co_await finish_if_last());
      sink_->command_complete(tag);
      co_return Status{};
    }
  } else if (portal.statement->plan != nullptr) {
    // Locked before it is described: the description then is that of the plan that runs.
    WANDIAN_CO_TRY(co_await lock_and_begin(&portal.statement, false));
    WANDIAN_CO_TRY(check_may_run(*portal.statement));
    portal.execution = Execution::create(portal.statement->plan, execution_env(), portal.params);
  }
  std::vector<ColumnDescription> description;
  if (portal.own_columns || portal.statement->returns_rows) {
    describe_columns(portal.result_columns(), &description);
    sink_->row_description(description, portal.formats);
  }
  DataRowEncoder encoder(*sink_, portal.result_columns(), portal.formats, settings_.decoded().format, this);
  std::uint64_t rows = 0;
  bool finished = false;
  if (portal.execution != nullptr) {
    const std::int64_t begun = counts_statements() ? statement_clock() : 0;
    Status status = co_await run_execution(*portal.execution, 0, encoder, &rows, &finished);
    if (begun != 0 && status.ok()) count_run(portal, statement_clock() - begun, rows, finished);
    transaction_.end_statement();
    WANDIAN_CO_TRY(std::move(status));
    tag = portal.execution->tag(rows);
    portal.execution.reset();
  } else {
    bool suspended = false;
    WANDIAN_CO_TRY(co_await run_portal(portal, 0, encoder, &tag, &suspended));
  }
  WANDIAN_CO_TRY(co_await finish_if_last());
  sink_->command_complete(tag);
  co_return Status{};
}

// A transaction that nobody began is committed before its last statement is answered.
Task<Status> SessionImpl::finish_if_last() {
  if (block_ != Block::kSingle && !(block_ == Block::kImplicit && last_of_query_)) co_return Status{};
  co_return co_await commit_transaction();
}

}  // namespace wandian::sql
