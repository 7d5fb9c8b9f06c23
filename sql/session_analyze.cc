// VACUUM and ANALYZE. There is nothing to vacuum that the engine has not freed already; ANALYZE collects the planner's statistics.
#include <algorithm>

#include "sql/access/privileges.h"
#include "sql/ddl/context.h"
#include "sql/messages.h"
#include "sql/session_wait.h"
#include "sql/statistics/collect.h"
#include "sql/statistics/statistics_store.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

struct VacuumOptions {
  bool analyze = false, verbose = false, full = false, skips_pages = true, toast = true;
  int workers = 0;
};

Result<int> read_workers(const PgQuery__DefElem& option, int position) {
  constexpr int kMost = 1024;
  const std::string range = "between 0 and " + std::to_string(kMost);
  if (option.arg == nullptr) return Status{sqlstate::syntax_error, "parallel option requires a value " + range}.with_position(position);
  if (option.arg->node_case != PG_QUERY__NODE__NODE_INTEGER) return Status{sqlstate::syntax_error, "parallel requires an integer value"};
  const int workers = option.arg->integer->ival;
  if (workers < 0 || workers > kMost) return Status{sqlstate::syntax_error, "parallel workers for vacuum must be " + range}.with_position(position);
  return workers;
}

// Most have no meaning in memory, and must be written as they are meant all the same.
Status read_option(const PgQuery__DefElem& option, bool vacuum, int position, VacuumOptions& out) {
  static constexpr std::string_view kVacuum[] = {"freeze", "full", "disable_page_skipping", "index_cleanup", "process_toast", "truncate", "parallel", "analyze"};
  const std::string_view name = text_or_empty(option.defname);
  const bool known = name == "verbose" || name == "skip_locked" || (vacuum && std::find(std::begin(kVacuum), std::end(kVacuum), name) != std::end(kVacuum));
  if (!known)
    return Status{sqlstate::syntax_error, std::string("unrecognized ") + (vacuum ? "VACUUM" : "ANALYZE") + " option \"" + std::string(name) + "\""}.with_position(position);
  if (name == "parallel") {
    WANDIAN_ASSIGN(out.workers, read_workers(option, position));
    return {};
  }
  if (name == "index_cleanup" && option.arg != nullptr && option_text(option) == "auto") return {};
  WANDIAN_ASSIGN(const bool on, option_bool(option));
  if (name == "analyze") out.analyze = on;
  if (name == "verbose") out.verbose = on;
  if (name == "full") out.full = on;
  if (name == "disable_page_skipping") out.skips_pages = !on;
  if (name == "process_toast") out.toast = on;
  return {};
}

// The snapshot stays in use while the coroutine pauses.
class HeldSnapshot {
 public:
  HeldSnapshot(Shard& shard, Lsn snapshot) : shard_(shard), snapshot_(snapshot) { shard_.hold_snapshot(snapshot_); }
  ~HeldSnapshot() { shard_.release_snapshot(snapshot_); }
  HeldSnapshot(const HeldSnapshot&) = delete;
  HeldSnapshot& operator=(const HeldSnapshot&) = delete;

 private:
  Shard& shard_;
  const Lsn snapshot_;
};

}  // namespace

// Owners may, and whoever owns the database; what others ask for is passed by.
bool SessionImpl::may_maintain(Oid relation, bool vacuum) {
  const std::optional<Securable> object = securable_relation(*catalog(), relation);
  if (!object || owns(access_scope(), *object)) return true;
  const std::optional<Securable> database = securable_database(*catalog(), database_);
  if (!object->system && database && owns(access_scope(), *database)) return true;
  notice(Severity::kWarning, sqlstate::warning,
         "skipping \"" + object->name + "\" --- only " + (object->system ? "superuser" : "table or database owner") + " can " +
             (vacuum ? "vacuum it" : "analyze it"));
  return false;
}

Task<Status> SessionImpl::run_vacuum(StatementRef statement) {
  const PgQuery__VacuumStmt& vacuum = *statement.node->vacuum_stmt;
  const bool is_vacuum = vacuum.is_vacuumcmd != 0;
  VacuumOptions options;
  options.analyze = !is_vacuum;
  for (std::size_t i = 0; i < vacuum.n_options; ++i) {
    const PgQuery__DefElem& option = *vacuum.options[i]->def_elem;
    WANDIAN_CO_TRY(read_option(option, is_vacuum, static_cast<int>(character_position(statement.text, option.location)), options));
  }
  if (options.full && options.workers > 0) co_return Status{sqlstate::feature_not_supported, "VACUUM FULL cannot be performed in parallel"};
  bool any_columns = false;
  for (std::size_t i = 0; i < vacuum.n_rels; ++i) any_columns |= vacuum.rels[i]->vacuum_relation->n_va_cols != 0;
  if (any_columns && !options.analyze)
    co_return Status{sqlstate::feature_not_supported, "ANALYZE option must be specified when a column list is provided"};
  if (is_vacuum) WANDIAN_CO_TRY(prevent_in_transaction_block("VACUUM"));
  if (options.full && !options.skips_pages)
    co_return Status{sqlstate::feature_not_supported, "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL"};
  if (options.full && !options.toast) co_return Status{sqlstate::feature_not_supported, "PROCESS_TOAST required with VACUUM FULL"};

  struct Wanted {
    Oid table;
    std::vector<std::uint16_t> columns;
  };
  std::vector<Wanted> wanted;
  for (std::size_t i = 0; i < vacuum.n_rels; ++i) {
    const PgQuery__VacuumRelation& relation = *vacuum.rels[i]->vacuum_relation;
    const std::string_view schema = text_or_empty(relation.relation->schemaname), name = text_or_empty(relation.relation->relname);
    const std::optional<FoundRelation> found = find_relation(bind_context(), schema, name);
    if (!found) co_return undefined_relation(schema, name);
    if (!may_maintain(found->oid, is_vacuum) || found->kind == FoundRelation::Kind::kSystem) continue;
    const std::shared_ptr<const TableDef> table = found->kind == FoundRelation::Kind::kTable ? catalog()->table(found->oid) : nullptr;
    if (table == nullptr) {
      notice(Severity::kWarning, sqlstate::warning,
             "skipping \"" + std::string(name) + "\" --- cannot " + (is_vacuum ? "vacuum" : "analyze") + " non-tables or special system tables");
      continue;
    }
    Wanted one{table->oid, {}};
    for (std::size_t c = 0; c < relation.n_va_cols; ++c) {
      const std::string_view column = text_or_empty(relation.va_cols[c]->string->sval);
      const int number = table->find_column(column);
      if (number < 0) co_return undefined_column(column, table->name);
      const auto position = static_cast<std::uint16_t>(number);
      if (std::find(one.columns.begin(), one.columns.end(), position) != one.columns.end())
        co_return Status{sqlstate::duplicate_column,
                         "column \"" + std::string(column) + "\" of relation \"" + table->name + "\" appears more than once"};
      one.columns.push_back(position);
    }
    wanted.push_back(std::move(one));
  }
  if (!options.analyze) co_return Status{};
  if (vacuum.n_rels == 0)
    for (const auto& [oid, table] : catalog()->tables()) {
      const auto schema = catalog()->schema(table->schema);
      const bool ours = schema != nullptr && schema->database == database_ && (!table->temporary || table->schema == temporary_schema_);
      if (ours && !table->internal && may_maintain(oid, is_vacuum)) wanted.push_back({oid, {}});
    }
  for (const Wanted& one : wanted) WANDIAN_CO_TRY(co_await analyze_table(one.table, one.columns, options.verbose));
  co_return Status{};
}

Task<Status> SessionImpl::analyze_table(Oid oid, std::vector<std::uint16_t> columns, bool verbose) {
  WANDIAN_CO_TRY(ensure_transaction());
  std::shared_ptr<const TableDef> table = catalog()->table(oid);
  if (table == nullptr) co_return Status{};   // dropped meanwhile
  WANDIAN_CO_TRY(co_await lock_table(table, TableLock::kShareUpdateExclusive));
  co_await begin_statement();
  table = catalog()->table(oid);
  if (table == nullptr || table->storage == nullptr) {
    transaction_.end_statement();
    co_return Status{};
  }
  if (verbose) {
    const auto schema = catalog()->schema(table->schema);
    notice(Severity::kInfo, sqlstate::successful_completion, "analyzing \"" + (schema != nullptr ? schema->name : std::string()) + "." + table->name + "\"");
  }
  StatisticsStore& store = server_.statistics();
  CollectRequest request{shard_, table, transaction_.view(), columns_to_collect(*table, columns), nullptr, clock_timestamp(), &cancelled_};
  request.view.reads = nullptr;   // what is estimated can be out of date: it is nothing to be serializable about
  if (!columns.empty()) request.before = store.find(oid);
  const HeldSnapshot held(shard_, request.view.snapshot);
  Result<std::shared_ptr<const TableStatistics>> found = co_await settled(collect_statistics(std::move(request)));
  transaction_.end_statement();
  if (!found.ok()) co_return found.take_status();
  store.put(*table, found.take());
  co_return Status{};
}

}  // namespace wandian::sql
