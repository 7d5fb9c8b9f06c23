// pg_statistic, pg_stats: what ANALYZE has found out, as PostgreSQL shows it.
#include <algorithm>

#include "sql/catalog/producers.h"
#include "sql/functions/registry.h"
#include "sql/server.h"
#include "sql/statistics/statistics_store.h"

namespace wandian::sql {

namespace {

constexpr std::int16_t kCommonValues = 1, kHistogram = 2, kCorrelation = 3;   // pg_statistic.stakind

Value float_array(std::span<const double> numbers, Arena& arena) {
  std::vector<Value> values;
  for (const double number : numbers) values.push_back(Value::of_double(static_cast<float>(number)));
  return build_array(type_oid::kFloat4, values, arena);
}

Oid comparison(Oid type, int strategy) {
  for (const OperatorDef* op : find_operators(strategy == 3 ? "=" : "<"))
    if (op->btree_strategy == strategy && op->left == type && op->right == type) return op->oid;
  return 0;
}

template <class Visit>
void each_column(const SystemContext& context, Visit&& visit) {
  for (const auto& [oid, table] : context.catalog.tables()) {
    if (table->internal || !in_database(context, table->schema)) continue;
    const std::shared_ptr<const TableStatistics> known = context.server.statistics().find(oid);
    if (known == nullptr) continue;
    for (std::size_t i = 0; i < table->columns.size(); ++i) {
      const ColumnDef& column = table->columns[i];
      const ColumnStatistics* found = column.dropped ? nullptr : known->column(i, column.type);
      if (found != nullptr) visit(*table, i, *found);
    }
  }
}

Status pg_statistic(const SystemContext& context, SystemRows& rows) {
  each_column(context, [&](const TableDef& table, std::size_t number, const ColumnStatistics& column) {
    struct Slot {
      std::int16_t kind = 0;
      Oid op = 0;
      Value numbers, values;
    };
    std::vector<Slot> slots;
    if (!column.common.empty())
      slots.push_back({kCommonValues, comparison(column.type, 3), float_array(column.frequencies, rows.arena),
                       build_array(column.type, column.common, rows.arena)});
    if (!column.histogram.empty())
      slots.push_back({kHistogram, comparison(column.type, 1), Value::null(), build_array(column.type, column.histogram, rows.arena)});
    if (column.correlation) {
      const double correlation = *column.correlation;
      slots.push_back({kCorrelation, comparison(column.type, 1), float_array({&correlation, 1}, rows.arena), Value::null()});
    }
    slots.resize(5);
    const Oid collation = type_facts(column.type).collation;
    CatalogRow row(rows);
    row.i(table.oid).i(static_cast<std::int64_t>(number) + 1).b(false).d(static_cast<float>(column.null_fraction)).i(column.width);
    row.d(static_cast<float>(column.distinct));
    for (const Slot& slot : slots) row.i(slot.kind);
    for (const Slot& slot : slots) row.i(slot.op);
    for (const Slot& slot : slots) row.i(slot.kind != 0 ? collation : 0);
    for (const Slot& slot : slots) row.value(slot.numbers);
    for (const Slot& slot : slots) row.value(slot.values);
    row.done();
  });
  return {};
}

Status pg_stats(const SystemContext& context, SystemRows& rows) {
  each_column(context, [&](const TableDef& table, std::size_t number, const ColumnStatistics& column) {
    const Result<std::optional<bool>> readable = context.session.has_privilege(
        0, PrivilegeClass::kColumn, table.oid, static_cast<std::int16_t>(number + 1), "SELECT");
    if (!readable.ok() || !readable.value().value_or(false)) return;
    const auto schema = context.catalog.schema(table.schema);
    CatalogRow row(rows);
    row.t(schema != nullptr ? schema->name : std::string()).t(table.name).t(table.columns[number].name).b(false);
    row.d(static_cast<float>(column.null_fraction)).i(column.width).d(static_cast<float>(column.distinct));
    if (column.common.empty()) row.null(2);
    else row.value(build_array(column.type, column.common, rows.arena)).value(float_array(column.frequencies, rows.arena));
    if (column.histogram.empty()) row.null();
    else row.value(build_array(column.type, column.histogram, rows.arena));
    if (column.correlation) row.d(static_cast<float>(*column.correlation));
    else row.null();
    row.null(3);
    row.done();
  });
  return {};
}

constexpr SystemProducer kStatisticsProducers[] = {{"pg_statistic", pg_statistic}, {"pg_stats", pg_stats}};

}  // namespace

std::span<const SystemProducer> statistics_producers() { return kStatisticsProducers; }

}  // namespace wandian::sql
