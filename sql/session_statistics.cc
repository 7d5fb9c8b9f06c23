// What a session counts for pg_stat_statements: the statements that its client sent, when they have ended well.
#include <chrono>

#include "sql/catalog_objects.h"
#include "sql/exec/execution.h"
#include "sql/session_impl.h"
#include "sql/session_portal.h"
#include "sql/shard_share.h"

namespace wandian::sql {

namespace {

bool is_query_kind(StatementKind kind) {
  switch (kind) {
    case StatementKind::kSelect: case StatementKind::kInsert: case StatementKind::kUpdate: case StatementKind::kDelete: case StatementKind::kMerge:
    case StatementKind::kCall: return true;
    default: return false;
  }
}

// "COPY 5", "FETCH 3": of these the rows are counted.
std::uint64_t rows_of_tag(StatementKind kind, std::string_view tag) {
  if (kind != StatementKind::kCopy && kind != StatementKind::kFetch && kind != StatementKind::kCreateTableAs) return 0;
  const std::size_t blank = tag.rfind(' ');
  std::uint64_t rows = 0;
  if (blank == std::string_view::npos) return 0;
  for (const char c : tag.substr(blank + 1)) {
    if (c < '0' || c > '9') return 0;
    rows = rows * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return rows;
}

}  // namespace

// Not the shards' clock, which stands still during a turn: what is measured is shorter.
std::int64_t SessionImpl::statement_clock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The extension is there in some database, so that somebody may look.
bool SessionImpl::statistics_wanted(const Catalog& catalog) const {
  if (!server_.counts_statements()) return false;
  const auto& objects = catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kExtension, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kExtension; ++it)
    if (it->second->name == kStatementsExtension) return true;
  return false;
}

void SessionImpl::find_statistics(const CompiledStatement& statement) {
  const bool is_query = is_query_kind(statement.kind) && statement.inner == nullptr;
  const QueryIdentity identity = identify_query(statement.statement_text(), is_query);
  const StatementKey key{current_role_, database_, identity.query};
  statement.statistics = server_.share(shard_.index()).statement_statistics.find(key, identity.text, server_.most_statements());
  if (statement.planning_ns != 0) statement.statistics->plans.add(static_cast<double>(std::exchange(statement.planning_ns, 0)));
}

void SessionImpl::count_statement(const CompiledStatement& statement, std::int64_t spent_ns, std::uint64_t rows) {
  StatementEntry* entry = statement.statistics.get();
  if (entry == nullptr || entry->gone.load(std::memory_order_relaxed) || entry->key.role != current_role_) [[unlikely]] {
    if (statement.empty) return;
    find_statistics(statement);
    entry = statement.statistics.get();
  }
  entry->executions.add(static_cast<double>(spent_ns));
  entry->rows.store(entry->rows.load(std::memory_order_relaxed) + rows, std::memory_order_relaxed);
}

void SessionImpl::count_run(Portal& portal, std::int64_t spent_ns, std::uint64_t rows, bool finished) {
  portal.spent_ns += spent_ns;
  portal.given += rows;
  if (!finished) return;
  const bool gives = portal.statement->kind == StatementKind::kSelect;
  count_statement(*portal.statement, portal.spent_ns, gives ? portal.given : portal.execution->processed());
  portal.spent_ns = 0;
  portal.given = 0;
}

Task<Status> SessionImpl::run_counted_utility(Portal& portal, std::string* tag) {
  const CompiledPtr statement = portal.statement;   // which may end its own portal
  // PREPARE and DEALLOCATE count for nothing, as in PostgreSQL: what is prepared does when it runs.
  const bool counts = counts_statements() && settings_.decoded().track_utility && statement->kind != StatementKind::kPrepare &&
                      statement->kind != StatementKind::kDeallocate;
  const std::int64_t begun = counts ? statement_clock() : 0;
  Status status = co_await run_utility(portal, tag);
  if (counts && status.ok()) count_statement(*statement, statement_clock() - begun, rows_of_tag(statement->kind, *tag));
  co_return std::move(status);
}

void SessionImpl::count_command(const CompiledStatement& statement, std::int64_t begun) {
  if (begun != 0) count_statement(statement, statement_clock() - begun, 0);
}

Status SessionImpl::reset_statement_statistics(Oid role, Oid database, std::int64_t query) {
  if (!server_.counts_statements()) return statements_not_loaded();
  for (unsigned shard = 0; shard < shard_.database().shards(); ++shard) server_.share(shard).statement_statistics.reset(role, database, query);
  if (role == 0 && database == 0 && query == 0) server_.note_statistics_reset();
  return {};
}

Status statements_not_loaded() {
  return Status{sqlstate::object_not_in_prerequisite_state, "pg_stat_statements must be loaded via shared_preload_libraries"};
}

}  // namespace wandian::sql
