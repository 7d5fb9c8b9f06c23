// SQL cursors: DECLARE, FETCH, MOVE, CLOSE. A cursor that may go backwards, or outlives its transaction, keeps its rows.
#include <algorithm>
#include <climits>
#include <utility>

#include "sql/messages.h"
#include "sql/plan/nodes.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"

namespace wandian::sql {

namespace {

// parsenodes.h's CURSOR_OPT_*, as the parse tree carries them.
constexpr int kOptBinary = 0x01, kOptScroll = 0x02, kOptNoScroll = 0x04, kOptInsensitive = 0x08, kOptHold = 0x20;

std::vector<Oid> types_of(const std::vector<ResultColumn>& columns) {
  std::vector<Oid> types;
  for (const ResultColumn& column : columns) types.push_back(column.type);
  return types;
}

}  // namespace

Status SessionImpl::check_cursor(const PgQuery__DeclareCursorStmt& declare, const BoundStatement& bound) const {
  if (bound.kind != BoundKind::kQuery || bound.query->row_marks.empty()) return {};
  const std::string clause(lock_name(bound.query->row_marks[0].strength));
  if ((declare.options & kOptHold) != 0)
    return Status{sqlstate::feature_not_supported, "DECLARE CURSOR WITH HOLD ... " + clause + " is not supported"}.with_detail(
        "Holdable cursors must be READ ONLY.");
  if ((declare.options & kOptScroll) != 0)
    return Status{sqlstate::feature_not_supported, "DECLARE SCROLL CURSOR ... " + clause + " is not supported"}.with_detail(
        "Scrollable cursors must be READ ONLY.");
  if ((declare.options & kOptInsensitive) != 0)
    return Status{sqlstate::invalid_cursor_definition, "DECLARE INSENSITIVE CURSOR ... " + clause + " is not valid"}.with_detail(
        "Insensitive cursors must be READ ONLY.");
  return {};
}

Task<Status> SessionImpl::declare_cursor(Portal& portal) {
  const CompiledPtr statement = portal.statement;
  const PgQuery__DeclareCursorStmt& declare = *statement->node()->declare_cursor_stmt;
  const std::string name(text_or_empty(declare.portalname));
  const bool hold = (declare.options & kOptHold) != 0;
  if (!hold) WANDIAN_CO_TRY(require_transaction_block("DECLARE CURSOR"));
  if (name.empty()) co_return Status{sqlstate::invalid_cursor_name, "invalid cursor name: must not be empty"};
  if (portals_.contains(name)) co_return Status{sqlstate::duplicate_cursor, "cursor \"" + name + "\" already exists"};
  Result<CompiledPtr> compiled = compile(statement->parsed, statement->index, declare.query, statement->parameter_types);
  if (!compiled.ok()) co_return compiled.take_status();
  CompiledPtr inner = compiled.take();
  if (inner->plan == nullptr || inner->kind != StatementKind::kSelect)
    co_return Status{sqlstate::invalid_cursor_definition, "a cursor can only be declared for a SELECT"};
  if (!inner->plan->body->writing_ctes.empty())
    co_return Status{sqlstate::feature_not_supported, "DECLARE CURSOR must not contain data-modifying statements in WITH"};
  WANDIAN_CO_TRY(co_await lock_and_begin(&inner, false));
  WANDIAN_CO_TRY(check_may_run(*inner));
  auto cursor = std::make_unique<Portal>();
  cursor->name = name;
  cursor->is_cursor = true;
  cursor->hold = hold;
  cursor->scroll = (declare.options & kOptScroll) != 0 || (hold && (declare.options & kOptNoScroll) == 0);
  cursor->binary = (declare.options & kOptBinary) != 0;
  cursor->creation_time = statement_timestamp_;
  cursor->savepoint_depth = savepoints_.size();
  for (std::size_t i = 0; i < portal.params.size(); ++i)
    cursor->params.push_back(portal.params[i].is_null ? portal.params[i]
                                                      : copy_value(inner->parameter_types[i], portal.params[i], cursor->arena));
  cursor->statement = inner;
  cursor->execution = Execution::create(inner->plan, execution_env(), cursor->params);
  cursor->execution->keep_position();
  // Its rows are those of now, however late the first FETCH comes.
  cursor->view = transaction_.view();
  shard_.hold_snapshot(cursor->view.snapshot);
  cursor->holds_snapshot = true;
  transaction_.end_statement();
  portals_[name] = std::move(cursor);
  co_return Status{};
}

// Up to `count` further rows (0: all) of a cursor that goes forward only.
Task<Status> SessionImpl::fetch_rows(Portal& cursor, std::uint64_t count, RowReceiver& receiver, std::uint64_t* rows) {
  *rows = 0;
  if (cursor.done || cursor.execution == nullptr) {
    if (cursor.done || cursor.statement->plan == nullptr) co_return Status{};
    bool ended = false;   // a portal of the extended protocol that has not run yet
    Status status = co_await run_plan(cursor, count, receiver, rows, &ended);
    cursor.done = ended;
    co_return std::move(status);
  }
  co_await begin_statement();
  bool finished = false;
  const ReadView view = cursor.view;
  Status status = co_await run_execution(*cursor.execution, count, receiver, rows, &finished, cursor.started ? nullptr : &view);
  cursor.started = true;
  transaction_.end_statement();
  if (cursor.holds_snapshot) {
    shard_.release_snapshot(cursor.view.snapshot);   // the execution holds what it needs from here on
    cursor.holds_snapshot = false;
  }
  cursor.done = finished;
  co_return std::move(status);
}

Task<Status> SessionImpl::keep_all(Portal& cursor) {
  if (cursor.kept_all) co_return Status{};
  if (cursor.execution == nullptr) cursor.kept = std::make_unique<KeptRows>(types_of(cursor.result_columns()));
  else cursor.kept = std::make_unique<KeptRows>(types_of(cursor.result_columns()), *cursor.execution);
  std::uint64_t rows = 0;
  Status status = co_await fetch_rows(cursor, 0, *cursor.kept, &rows);
  if (status.ok()) {
    cursor.kept_all = true;
    cursor.kept->complete();
    cursor.execution.reset();
  }
  co_return std::move(status);
}

namespace {

// FETCH ALL counts as many as there can be.
std::int64_t row_after(std::int64_t position, std::int64_t count) {
  std::int64_t out;
  if (__builtin_add_overflow(position, count, &out)) return count > 0 ? INT64_MAX : INT64_MIN;
  return out;
}

}  // namespace

// Moves a cursor and gives the rows that it passes or comes to; `count` may be negative.
Task<Status> SessionImpl::move_cursor(Portal& cursor, CursorMove direction, std::int64_t count, bool all, bool move, RowReceiver& out,
                                      std::uint64_t* moved) {
  *moved = 0;
  if ((direction == CursorMove::kForward || direction == CursorMove::kBackward) && count < 0) {
    direction = direction == CursorMove::kForward ? CursorMove::kBackward : CursorMove::kForward;
    count = -count;
  }
  const auto forward_only = [] {
    return Status{sqlstate::object_not_in_prerequisite_state, "cursor can only scan forward"}.with_hint(
        "Declare it with SCROLL option to enable backward scan.");
  };
  if (!cursor.scroll && cursor.hold) {
    // To be held: its rows are read from what is kept, and forward alone all the same.
    const auto position = static_cast<std::int64_t>(cursor.position);
    const bool jumps = direction == CursorMove::kAbsolute || direction == CursorMove::kRelative;
    const std::int64_t target = direction == CursorMove::kAbsolute ? count : row_after(position, count);
    if (direction == CursorMove::kBackward || (jumps && target <= position) || (!jumps && count == 0 && !all && position != 0)) co_return forward_only();
  }
  if (!cursor.scroll && !cursor.hold) {
    RowCounter skipped;
    std::uint64_t wanted = static_cast<std::uint64_t>(count);
    if (direction == CursorMove::kAbsolute || direction == CursorMove::kRelative) {
      const std::int64_t target = direction == CursorMove::kAbsolute ? count : row_after(static_cast<std::int64_t>(cursor.position), count);
      if (target <= static_cast<std::int64_t>(cursor.position)) co_return forward_only();
      wanted = static_cast<std::uint64_t>(target) - cursor.position;
      if (wanted > 1) {
        std::uint64_t passed = 0;
        WANDIAN_CO_TRY(co_await fetch_rows(cursor, wanted - 1, skipped, &passed));
        cursor.position += passed;
      }
      wanted = 1;
    } else if (direction == CursorMove::kBackward || count == 0) {
      if (direction == CursorMove::kBackward || cursor.position != 0) co_return forward_only();
      wanted = 0;   // the row before the first
    }
    if (wanted != 0 || all) {
      RowReceiver& target = move ? static_cast<RowReceiver&>(skipped) : out;
      WANDIAN_CO_TRY(co_await fetch_rows(cursor, all ? 0 : wanted, target, moved));
      cursor.position += *moved;
    }
  } else {
    WANDIAN_CO_TRY(co_await keep_all(cursor));
    const auto rows = static_cast<std::int64_t>(cursor.kept->rows());
    // 0 stands before the first row, rows + 1 behind the last.
    const std::int64_t now = cursor.at_end ? rows + 1 : static_cast<std::int64_t>(cursor.position);
    std::int64_t first = 0, last = 0, step = 1, next = now;   // rows first..last by step; none if first is 0
    const auto one = [&](std::int64_t row) {
      next = std::clamp<std::int64_t>(row, 0, rows + 1);
      if (next >= 1 && next <= rows) first = last = next;
    };
    if (direction == CursorMove::kAbsolute) {
      one(count >= 0 ? count : count < -rows ? 0 : rows + 1 + count);
    } else if (direction == CursorMove::kRelative || (count == 0 && !all)) {
      one(direction == CursorMove::kRelative ? now + std::clamp<std::int64_t>(count, -rows - 2, rows + 2) : now);
    } else if (direction == CursorMove::kForward) {
      const std::int64_t end = all || count > rows + 1 - now ? rows + 1 : now + count;
      if (now + 1 <= rows) {
        first = now + 1;
        last = std::min(end, rows);
      }
      next = end;
    } else {
      const std::int64_t end = all || count > now ? 0 : now - count;
      if (now - 1 >= 1) {
        first = now - 1;
        last = std::max<std::int64_t>(end, 1);
        step = -1;
      }
      next = end;
    }
    if (first != 0)
      for (std::int64_t row = first;; row += step) {
        ++*moved;
        if (!move) WANDIAN_CO_TRY(out.row(cursor.kept->at(static_cast<std::size_t>(row - 1))));
        if (row == last) break;
      }
    cursor.at_end = next == rows + 1;
    cursor.position = static_cast<std::uint64_t>(next);
  }
  co_return Status{};
}

Task<Status> SessionImpl::fetch(Portal& portal, std::string* tag) {
  const CompiledPtr statement = portal.statement;
  const PgQuery__FetchStmt& fetch = *statement->node()->fetch_stmt;
  const std::string_view name = text_or_empty(fetch.portalname);
  Portal* cursor = find_portal(name);
  if (cursor == nullptr || cursor == &portal)
    co_return Status{sqlstate::invalid_cursor_name, "cursor \"" + std::string(name) + "\" does not exist"};
  const bool move = fetch.ismove != 0;
  const bool all = fetch.how_many == LONG_MAX;
  CursorMove direction = CursorMove::kForward;
  switch (fetch.direction) {
    case PG_QUERY__FETCH_DIRECTION__FETCH_BACKWARD: direction = CursorMove::kBackward; break;
    case PG_QUERY__FETCH_DIRECTION__FETCH_ABSOLUTE: direction = CursorMove::kAbsolute; break;
    case PG_QUERY__FETCH_DIRECTION__FETCH_RELATIVE: direction = CursorMove::kRelative; break;
    default: break;
  }
  std::vector<ResultColumn> columns = cursor->result_columns();
  auto out = std::make_unique<KeptRows>(types_of(columns));
  std::uint64_t moved = 0;
  WANDIAN_CO_TRY(co_await move_cursor(*cursor, direction, fetch.how_many, all, move, *out, &moved));

  *tag = std::string(move ? "MOVE " : "FETCH ") + std::to_string(moved);
  if (move) co_return Status{};
  if (cursor->binary && portal.formats.empty()) portal.formats.push_back(Format::kBinary);
  portal.columns = std::move(columns);
  portal.own_columns = true;
  portal.kept = std::move(out);
  portal.tag = *tag;
  co_return Status{};
}

// What WHERE CURRENT OF means for one table.
Result<bool> SessionImpl::cursor_row(std::string_view name, const TableDef& table, std::uint32_t* partition, std::string* key) {
  const auto found = portals_.find(name);
  if (name.empty() || found == portals_.end())
    return Status{sqlstate::invalid_cursor_name, "cursor \"" + std::string(name) + "\" does not exist"};
  const Portal& cursor = *found->second;
  const auto refuse = [&](const std::string& why) { return Status{sqlstate::invalid_cursor_state, "cursor \"" + std::string(name) + "\" " + why}; };
  if (cursor.statement == nullptr || cursor.statement->kind != StatementKind::kSelect || cursor.statement->plan == nullptr) return refuse("is not a SELECT query");
  if (cursor.held) return refuse("is held from a previous transaction");
  const bool on_row = cursor.position != 0 && !(cursor.kept_all ? cursor.at_end : cursor.done);
  Execution::CurrentRow row;
  if (cursor.execution != nullptr) {
    row = cursor.execution->current_row(table);
  } else {
    const Execution::RowPlace* place = cursor.kept_all && on_row ? cursor.kept->place(cursor.position - 1) : nullptr;
    row = Execution::current_row(*cursor.statement->plan, place != nullptr ? *place : Execution::RowPlace{}, table);
  }
  using Kind = Execution::CurrentRow::Kind;
  switch (row.kind) {
    case Kind::kNotReferenced: return refuse("does not have a FOR UPDATE/SHARE reference to table " + quoted(table.name));
    case Kind::kReferencedTwice: return refuse("has multiple FOR UPDATE/SHARE references to table " + quoted(table.name));
    case Kind::kNotSimple: return refuse("is not a simply updatable scan of table " + quoted(table.name));
    default: break;
  }
  if (!on_row) return refuse("is not positioned on a row");
  if (row.kind != Kind::kRow) return false;
  *partition = row.partition;
  key->assign(row.key);
  return true;
}

Status SessionImpl::close_cursor(StatementRef statement) {
  const std::string_view name = text_or_empty(statement.node->close_portal_stmt->portalname);
  if (name.empty()) {
    for (auto& [key, portal] : portals_) close_portal_object(*portal);
    portals_.clear();
    return {};
  }
  const auto found = portals_.find(name);
  if (found == portals_.end())
    return Status{sqlstate::invalid_cursor_name, "cursor \"" + std::string(name) + "\" does not exist"};
  close_portal_object(*found->second);
  portals_.erase(found);
  return {};
}

bool SessionImpl::has_cursors_to_hold() const {
  return std::any_of(portals_.begin(), portals_.end(), [](const auto& entry) { return entry.second->hold && !entry.second->held; });
}

Status SessionImpl::check_not_in_use(const TableDef& table, std::string_view what) {
  const auto reads = [&](const Portal& portal) {
    if (portal.statement == nullptr || portal.held || !(portal.is_cursor || (portal.started && !portal.done))) return false;
    const auto& locks = portal.statement->locks;
    return std::any_of(locks.begin(), locks.end(), [&](const auto& lock) { return lock.first->oid == table.oid; });
  };
  const std::string cannot = "cannot " + std::string(what) + " " + quoted(table.name) + " because it ";
  if (std::any_of(portals_.begin(), portals_.end(), [&](const auto& entry) { return reads(*entry.second); }))
    return Status{sqlstate::object_in_use, cannot + "is being used by active queries in this session"};
  if (deferred_.pending(*catalog(), table.oid)) return Status{sqlstate::object_in_use, cannot + "has pending trigger events"};
  return {};
}

// WITH HOLD: the rows are kept before the transaction that sees them ends.
Task<Status> SessionImpl::hold_cursors() {
  std::vector<std::string> names;
  for (const auto& [name, portal] : portals_)
    if (portal->hold && !portal->held) names.push_back(name);
  for (const std::string& name : names) {
    Portal& cursor = *portals_.find(name)->second;
    WANDIAN_CO_TRY(co_await keep_all(cursor));
    cursor.held = true;
  }
  co_return Status{};
}

std::vector<CursorInfo> SessionImpl::cursors() const {
  std::vector<CursorInfo> out;
  for (const auto& [name, portal] : portals_) {
    CursorInfo info;
    info.name = name;
    info.statement = portal->statement != nullptr ? std::string(portal->statement->statement_text()) : "";
    info.is_holdable = portal->hold;
    info.is_binary = portal->binary;
    info.is_scrollable = portal->scroll;
    info.creation_time = portal->creation_time;
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace wandian::sql
