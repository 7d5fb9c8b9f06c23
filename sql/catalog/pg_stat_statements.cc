// What the views of the extension pg_stat_statements read: the figures of all shards, by role, database and query.
#include <map>

#include "engine/numeric.h"
#include "sql/access/roles.h"
#include "sql/catalog/producers.h"
#include "sql/session_impl.h"
#include "sql/shard_share.h"

namespace wandian::sql {

namespace {

struct Figures {
  TimeSums executions, plans;
  std::uint64_t rows = 0;
  std::shared_ptr<const StatementEntry> entry;   // some shard's, for its text
};

struct KeyLess {
  bool operator()(const StatementKey& a, const StatementKey& b) const {
    return std::tie(a.role, a.database, a.query) < std::tie(b.role, b.database, b.query);
  }
};

// In ms, as PostgreSQL shows times.
void add_times(CatalogRow& row, const TimeSums& times) {
  constexpr double kNsPerMs = 1e6;
  row.d(times.total / kNsPerMs).d(times.least / kNsPerMs).d(times.most / kNsPerMs).d(times.mean / kNsPerMs).d(times.deviation() / kNsPerMs);
}

Status statements(const SystemContext& context, SystemRows& rows) {
  if (!context.server.counts_statements()) return statements_not_loaded();
  std::map<StatementKey, Figures, KeyLess> all;
  for (unsigned shard = 0; shard < context.server.database().shards(); ++shard)
    for (const auto& entry : context.server.share(shard).statement_statistics.entries()) {
      Figures& figures = all[entry->key];
      figures.executions.add(entry->executions.read());
      figures.plans.add(entry->plans.read());
      figures.rows += entry->rows.load(std::memory_order_relaxed);
      figures.entry = entry;
    }
  const auto* session = dynamic_cast<SessionImpl*>(&context.session);
  const Oid asking = session != nullptr ? session->current_role() : kBootstrapRole;
  const bool sees_all = has_privileges_of(context.catalog, context.database, asking, role_oid::kReadAllStats);
  for (const auto& [key, figures] : all) {
    if (figures.executions.count == 0 && figures.plans.count == 0) continue;
    CatalogRow row(rows);
    row.i(key.role).i(key.database).b(true);
    if (sees_all || key.role == asking) row.i(key.query).t(figures.entry->text);
    else row.null().t("<insufficient privilege>");
    row.i(static_cast<std::int64_t>(figures.plans.count));
    add_times(row, figures.plans);
    row.i(static_cast<std::int64_t>(figures.executions.count));
    add_times(row, figures.executions);
    row.i(static_cast<std::int64_t>(figures.rows));
    for (int blocks = 0; blocks < 10; ++blocks) row.i(0);   // there are none: tables are in memory
    for (int times = 0; times < 4; ++times) row.d(0);
    row.i(0).i(0);                                          // the log is not counted by statement
    Value none;
    WANDIAN_TRY(numeric_from_text("0", -1, rows.arena, &none));
    row.value(none);
    row.i(0).d(0).i(0).d(0).i(0).d(0).i(0).d(0);            // nor is anything compiled to machine code
    row.done();
  }
  return {};
}

Status statements_info(const SystemContext& context, SystemRows& rows) {
  if (!context.server.counts_statements()) return statements_not_loaded();
  std::uint64_t evictions = 0;
  for (unsigned shard = 0; shard < context.server.database().shards(); ++shard) evictions += context.server.share(shard).statement_statistics.evictions();
  CatalogRow(rows).i(static_cast<std::int64_t>(evictions)).i(context.server.statistics_reset_time()).done();
  return {};
}

constexpr SystemProducer kProducers[] = {{"wandian_statements", statements}, {"wandian_statements_info", statements_info}};

}  // namespace

std::span<const SystemProducer> statement_producers() { return kProducers; }

}  // namespace wandian::sql
