// The extended query protocol: Parse, Bind, Describe, Execute, Close, Sync.
#include <cstring>
#include <utility>

#include "sql/copy/copy_in.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"
#include "sql/shard_share.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

// A run of `count` formats as given: none, one for all, or one each.
Format format_of(std::span<const Format> formats, std::size_t i) {
  return formats.empty() ? Format::kText : formats.size() == 1 ? formats[0] : formats[i];
}

bool valid_formats(std::span<const Format> formats, Status* status) {
  for (const Format format : formats) {
    if (format == Format::kText || format == Format::kBinary) continue;
    *status = Status{sqlstate::invalid_parameter_value, "unsupported format code: " + std::to_string(static_cast<int>(format))};
    return false;
  }
  return true;
}

}  // namespace

// ---- Failing ----

Poll SessionImpl::fail_call(Status status) {
  if (operation_.valid()) operation_ = {};
  close_portal_object(*simple_portal_);
  const Encoding* spoken = client_encoding();
  if (try_abort_statement()) {
    send_error(std::move(status), spoken);
    finish_query();
    return Poll::kReady;
  }
  return start_operation(fail_operation(std::move(status)));
}

Task<void> SessionImpl::fail_operation(Status status) {
  co_await abort_and_report(std::move(status));
  finish_query();
}

SessionImpl::Prepared* SessionImpl::find_prepared(std::string_view name) {
  if (name.empty()) return unnamed_statement_.statement != nullptr ? &unnamed_statement_ : nullptr;
  const auto found = prepared_.find(name);
  return found != prepared_.end() ? &found->second : nullptr;
}

Portal* SessionImpl::find_portal(std::string_view name) {
  if (name.empty()) return unnamed_portal_->statement != nullptr ? unnamed_portal_.get() : nullptr;
  const auto found = portals_.find(name);
  return found != portals_.end() ? found->second.get() : nullptr;
}

namespace {

Status no_such_statement(std::string_view name) {
  if (name.empty()) return Status{sqlstate::invalid_sql_statement_name, "unnamed prepared statement does not exist"};
  return Status{sqlstate::invalid_sql_statement_name, "prepared statement \"" + std::string(name) + "\" does not exist"};
}
Status no_such_portal(std::string_view name) {
  return Status{sqlstate::invalid_cursor_name, "portal \"" + std::string(name) + "\" does not exist"};
}

}  // namespace

// ---- Parse ----

Poll SessionImpl::parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types) {
  return call([&] {
    std::string converted_name, converted;
    Status bad = from_client(&name, &converted_name);
    if (bad.ok()) bad = from_client(&text, &converted);
    become_active(bad.ok() ? text : std::string_view());
    if (!bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    if (Status status = do_parse(name, text, parameter_types); !status.ok()) [[unlikely]] return fail_call(std::move(status));
    sink_->parse_complete();
    return Poll::kReady;
  });
}

Status SessionImpl::do_parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types) {
  if (name.empty()) {
    unnamed_statement_.statement.reset();
  } else if (prepared_.contains(name)) {
    return Status{sqlstate::duplicate_prepared_statement, "prepared statement \"" + std::string(name) + "\" already exists"};
  }
  if (block_ == Block::kFailed) {
    // Nothing may be bound: only what ends the block gets through.
    WANDIAN_ASSIGN(ParsedStatements parsed, ParsedStatements::parse(text));
    CompiledStatement refused;
    refused.empty = parsed.statements().empty();
    refused.parsed = std::make_shared<const ParsedStatements>(std::move(parsed));
    WANDIAN_TRY(refuse_if_failed(refused));
  }
  WANDIAN_ASSIGN(CompiledPtr statement, compile_text(text, parameter_types));
  Prepared& prepared = name.empty() ? unnamed_statement_ : prepared_[std::string(name)];
  prepared.name = name;
  prepared.statement = std::move(statement);
  prepared.from_sql = prepared.described = false;
  prepared.prepare_time = statement_timestamp_;
  return {};
}

// ---- Bind ----

Poll SessionImpl::bind(const BindMessage& given) {
  return call([&] {
    begin_statement_clock();
    BindMessage message = given;
    std::string portal, statement;
    Status bad = from_client(&message.portal, &portal);
    if (bad.ok()) bad = from_client(&message.statement, &statement);
    if (!bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    if (Status status = do_bind(message); !status.ok()) [[unlikely]] return fail_call(std::move(status));
    sink_->bind_complete();
    return Poll::kReady;
  });
}

Status SessionImpl::do_bind(const BindMessage& message) {
  Prepared* prepared = find_prepared(message.statement);
  if (prepared == nullptr) return no_such_statement(message.statement);
  if (!message.portal.empty() && portals_.contains(message.portal))
    return Status{sqlstate::duplicate_cursor, "cursor \"" + std::string(message.portal) + "\" already exists"};
  if (block_ == Block::kFailed) {
    WANDIAN_TRY(refuse_if_failed(*prepared->statement));
  } else if (prepared->statement->bound != nullptr) {
    if (prepared->statement->catalog != catalog() || prepared->statement->context != plan_context()) [[unlikely]] {
      WANDIAN_ASSIGN(prepared->statement, current_form(prepared->statement, prepared->described));
    }
  }
  const CompiledStatement& statement = *prepared->statement;
  const std::size_t parameters = statement.parameter_types.size();
  if (message.parameter_formats.size() > 1 && message.parameter_formats.size() != message.parameters.size())
    return Status{sqlstate::protocol_violation, "bind message has " + std::to_string(message.parameter_formats.size()) +
                                                    " parameter formats but " + std::to_string(message.parameters.size()) +
                                                    " parameters"};
  if (message.parameters.size() != parameters)
    return Status{sqlstate::protocol_violation,
                  "bind message supplies " + std::to_string(message.parameters.size()) + " parameters, but prepared statement \"" +
                      std::string(message.statement) + "\" requires " + std::to_string(parameters)};
  Status status;
  if (!valid_formats(message.parameter_formats, &status) || !valid_formats(message.result_formats, &status)) return status;
  if (message.result_formats.size() > 1 && statement.bound != nullptr && message.result_formats.size() != statement.columns.size())
    return Status{sqlstate::protocol_violation, "bind message has " + std::to_string(message.result_formats.size()) +
                                                    " result formats but query has " + std::to_string(statement.columns.size()) +
                                                    " columns"};
  Portal* portal = unnamed_portal_.get();
  if (message.portal.empty()) {
    close_portal_object(*portal);
  } else {
    std::unique_ptr<Portal>& slot = portals_[std::string(message.portal)];
    slot = std::make_unique<Portal>();
    slot->name = message.portal;
    slot->creation_time = statement_timestamp_;
    portal = slot.get();
  }
  status = decode_parameters(statement, message, *portal);
  if (!status.ok()) [[unlikely]] {
    if (!message.portal.empty()) portals_.erase(std::string(message.portal));
    return status;
  }
  portal->statement = prepared->statement;
  portal->formats.assign(message.result_formats.begin(), message.result_formats.end());
  portal->savepoint_depth = savepoints_.size();
  portal->described = prepared->described;
  return {};
}

Status SessionImpl::decode_parameters(const CompiledStatement& statement, const BindMessage& message, Portal& portal) {
  EvalContext context = eval_context(portal.arena);
  portal.params.resize(message.parameters.size());
  std::string converted;
  for (std::size_t i = 0; i < message.parameters.size(); ++i) {
    const std::optional<std::string_view>& given = message.parameters[i];
    if (!given) {
      portal.params[i] = Value::null();
      continue;
    }
    const Oid type = statement.parameter_types[i];
    if (format_of(message.parameter_formats, i) == Format::kText) {
      std::string_view text = *given;
      WANDIAN_TRY(from_client(&text, &converted));
      // Kept by the portal: a value may point into its text.
      if (!value_from_text(context, type, -1, portal.arena.copy(text), &portal.params[i])) [[unlikely]]
        return std::move(context.error);
    } else if (!value_from_binary(context, type, -1, portal.arena.copy(*given), &portal.params[i])) [[unlikely]] {
      if (context.error.code() == sqlstate::invalid_binary_representation && context.error.error().message.empty())
        return Status{sqlstate::invalid_binary_representation, "incorrect binary data format in bind parameter " + std::to_string(i + 1)};
      return std::move(context.error);
    }
  }
  return {};
}

// ---- Describe ----

Poll SessionImpl::describe_statement(std::string_view name) {
  return call([&] {
    std::string converted;
    if (Status bad = from_client(&name, &converted); !bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    Status status;
    if (Prepared* prepared = find_prepared(name); prepared == nullptr) {
      status = no_such_statement(name);
    } else {
      if (block_ != Block::kFailed && prepared->statement->bound != nullptr) {
        Result<CompiledPtr> current = current_form(prepared->statement, prepared->described);
        if (!current.ok()) return fail_call(current.take_status());
        prepared->statement = current.take();
      }
      status = do_describe(*prepared->statement, nullptr);
      prepared->described = prepared->described || status.ok();
    }
    return status.ok() ? Poll::kReady : fail_call(std::move(status));
  });
}

Poll SessionImpl::describe_portal(std::string_view name) {
  return call([&] {
    std::string converted;
    if (Status bad = from_client(&name, &converted); !bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    Portal* portal = find_portal(name);
    if (portal == nullptr) return fail_call(no_such_portal(name));
    Status status = do_describe(*portal->statement, portal);
    portal->described = portal->described || status.ok();
    return status.ok() ? Poll::kReady : fail_call(std::move(status));
  });
}

Status SessionImpl::do_describe(const CompiledStatement& statement, const Portal* portal) {
  std::span<const Format> formats;
  if (portal != nullptr) formats = portal->formats;
  const bool own = portal != nullptr && portal->own_columns;
  if (statement.bound != nullptr && !own) {
    if (statement.returns_rows && block_ == Block::kFailed)
      return Status{sqlstate::in_failed_sql_transaction,
                    "current transaction is aborted, commands ignored until end of transaction block"};
    if (portal == nullptr) sink_->parameter_description(statement.parameter_types);
    if (statement.returns_rows) {
      sink_->row_description(statement.description, formats);
    } else {
      sink_->no_data();
    }
    return {};
  }
  std::vector<ResultColumn> columns;
  if (own) {
    columns = portal->columns;
  } else if (!statement.empty) {
    WANDIAN_ASSIGN(columns, utility_columns(statement));
  }
  if (portal == nullptr) sink_->parameter_description(statement.parameter_types);
  if (columns.empty()) {
    sink_->no_data();
    return {};
  }
  if (block_ == Block::kFailed)
    return Status{sqlstate::in_failed_sql_transaction,
                  "current transaction is aborted, commands ignored until end of transaction block"};
  std::vector<ColumnDescription> description;
  describe_columns(columns, &description);
  sink_->row_description(description, formats);
  return {};
}

// ---- Execute ----

Poll SessionImpl::execute(std::string_view name, std::uint32_t max_rows) {
  return call([&] {
    std::string converted;
    if (Status bad = from_client(&name, &converted); !bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    Portal* portal = find_portal(name);
    if (portal == nullptr) [[unlikely]] return fail_call(no_such_portal(name));
    become_active(portal->statement->text());
    if (block_ == Block::kFailed) [[unlikely]] {
      if (Status status = refuse_if_failed(*portal->statement); !status.ok()) return fail_call(std::move(status));
    }
    ensure_block();
    if (portal->done && portal->kept == nullptr) [[unlikely]] {
      if (portal->statement->kind == StatementKind::kSelect) {
        sink_->command_complete("SELECT 0");
        return Poll::kReady;
      }
      return fail_call(Status{sqlstate::object_not_in_prerequisite_state, "portal \"" + std::string(name) + "\" cannot be run"});
    }
    Poll poll = Poll::kReady;
    CompiledPtr statement;
    if (try_fast_execute(*portal, &statement, &poll)) [[likely]] {
      sync_follows_ = false;
      return poll;
    }
    if (statement == nullptr) statement = portal->statement;
    return start_operation(run_execute(*portal, std::move(statement), std::string(name), max_rows));
  });
}

// Returns false if nothing was done: run_execute() then does all of it. A transaction that is about to end has ended its portals by
// then, this one, too; so *ending is the statement that ends it.
bool SessionImpl::try_fast_execute(Portal& portal, CompiledPtr* ending, Poll* poll) {
  if (portal.started) return false;
  const CompiledStatement& statement = *portal.statement;
  Status status;
  if (statement.fast || statement.is_procedure_call()) {
    std::uint64_t rows = 1;
    const Fast fast = statement.fast ? try_fast(statement, portal.params, portal.formats, &status, &rows)
                                     : try_fast_procedure(statement, portal.params, portal.formats, &status);
    if (fast == Fast::kNot) return false;
    if (status.ok()) [[likely]] {
      portal.started = portal.done = true;
      command_complete(statement, rows);
      pipelining_ = true;
      return true;
    }
  } else if (statement.kind == StatementKind::kTransaction) {
    std::string_view tag = statement.tag;
    *ending = portal.statement;
    const std::string name = portal.name;
    const std::int64_t begun = command_begins();
    if (!try_transaction_command((*ending)->ref(), &tag, &status)) return false;
    if (status.ok()) [[likely]] {
      count_command(**ending, begun);
      if (Portal* left = find_portal(name); left != nullptr) left->started = left->done = true;
      sink_->command_complete(tag);
      pipelining_ = block_ != Block::kNone;
      return true;
    }
  } else if (statement.empty) {
    portal.started = portal.done = true;
    sink_->empty_query_response();
    return true;
  } else {
    return false;
  }
  *poll = fail_call(std::move(status));
  return true;
}

Task<void> SessionImpl::run_execute(Portal& portal, CompiledPtr statement, std::string name, std::uint32_t max_rows) {
  Status status;
  std::string tag(statement->tag);
  bool suspended = false;
  // CLOSE ALL, DISCARD ALL and their like end every portal but the one they run in.
  std::unique_ptr<Portal> own;
  if (!name.empty() && statement->bound == nullptr) {
    if (const auto at = portals_.find(name); at != portals_.end()) {
      own = std::move(at->second);
      portals_.erase(at);
    }
  }
  if (statement->kind == StatementKind::kTransaction) {
    const std::int64_t begun = command_begins();
    status = co_await guarded(run_transaction_command(statement->ref(), &tag));
    if (status.ok()) count_command(*statement, begun);
  } else {
    commit_at_once_ = false;
    status = co_await guarded(run_execute_rows(portal, max_rows, &tag, &suspended));
    if (status.ok() && commit_at_once_) status = co_await guarded(finish_implicit());
  }
  if (own != nullptr && status.ok() && block_ != Block::kNone && !portals_.contains(name)) portals_.emplace(name, std::move(own));
  if (own != nullptr) close_portal_object(*own);
  if (!status.ok()) {
    // The portal cannot be run again; a cursor's rows end with it.
    if (Portal* left = find_portal(name); left != nullptr) {
      left->execution.reset();
      left->done = true;
    }
    co_await abort_and_report(std::move(status));
    finish_query();
    co_return;
  }
  if (suspended) {
    sink_->portal_suspended();
  } else {
    sink_->command_complete(tag);
  }
  pipelining_ = block_ != Block::kNone;
  sync_follows_ = false;
}

Task<Status> SessionImpl::run_execute_rows(Portal& portal, std::uint32_t max_rows, std::string* tag, bool* suspended) {
  if (portal.statement->kind == StatementKind::kExecute) WANDIAN_CO_TRY(resolve_execute(portal));
  if (portal.statement->bound == nullptr && portal.kept == nullptr) {
    WANDIAN_CO_TRY(co_await run_counted_utility(portal, tag));
    portal.started = true;
    if (portal.statement == nullptr || portal.kept == nullptr) {
      // DISCARD ALL, CLOSE ALL and their like may have ended this very portal.
      if (portal.statement != nullptr) portal.done = true;
      co_return Status{};
    }
    portal.tag = *tag;
  }
  if (portal.formats.size() > 1 && portal.own_columns && portal.formats.size() != portal.columns.size())
    co_return Status{sqlstate::protocol_violation, "bind message has " + std::to_string(portal.formats.size()) +
                                                       " result formats but query has " + std::to_string(portal.columns.size()) +
                                                       " columns"};
  // Locked and planned anew if need be before the encoder looks at the columns.
  if (portal.statement->plan != nullptr && portal.execution == nullptr && portal.kept == nullptr) {
    WANDIAN_CO_TRY(co_await lock_and_begin(&portal.statement, portal.described));
    WANDIAN_CO_TRY(check_may_run(*portal.statement));
    portal.execution = Execution::create(portal.statement->plan, execution_env(), portal.params);
    portal.begun = true;
  }
  DataRowEncoder encoder(*sink_, portal.result_columns(), portal.formats, settings_.decoded().format, this);
  WANDIAN_CO_TRY(co_await run_portal(portal, max_rows, encoder, tag, suspended));
  if (portal.kept != nullptr && !portal.tag.empty()) *tag = portal.tag;
  co_return Status{};
}

// ---- Close and Sync ----

Poll SessionImpl::close_statement(std::string_view name) {
  return call([&] {
    std::string converted;
    if (Status bad = from_client(&name, &converted); !bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    if (name.empty()) {
      unnamed_statement_.statement.reset();
    } else if (const auto found = prepared_.find(name); found != prepared_.end()) {
      prepared_.erase(found);
    }
    sink_->close_complete();
    return Poll::kReady;
  });
}

Poll SessionImpl::close_portal(std::string_view name) {
  return call([&] {
    std::string converted;
    if (Status bad = from_client(&name, &converted); !bad.ok()) [[unlikely]] return fail_call(std::move(bad));
    if (Portal* portal = find_portal(name)) {
      close_portal_object(*portal);
      if (!name.empty()) portals_.erase(portals_.find(name));
    }
    sink_->close_complete();
    return Poll::kReady;
  });
}

Poll SessionImpl::sync() {
  return call([&] {
    pipelining_ = false;
    Status status;
    if (try_finish_implicit(&status)) [[likely]] {
      if (!status.ok()) [[unlikely]] return fail_call(std::move(status));
      finish_query();
      return Poll::kReady;
    }
    return start_operation(run_sync());
  });
}

Task<void> SessionImpl::run_sync() {
  Status status = co_await guarded(finish_implicit());
  if (!status.ok()) {
    co_await abort_and_report(std::move(status));
  }
  finish_query();
}

}  // namespace wandian::sql
