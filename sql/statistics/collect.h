// Collecting statistics: a sample of the rows that a view sees, and PostgreSQL's estimators over it.
// Thread:  a coroutine of the shard it runs on; gives the shard up after every short share.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/catalog.h"
#include "engine/shard.h"
#include "engine/task.h"
#include "sql/statistics/table_statistics.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct CollectColumn {
  std::uint16_t number = 0;
  Oid type = 0;
  Order order = Order::kNone;            ///< kNone: only nulls and widths are counted
  bool by_value = false;
  std::int16_t length = -1;
};

struct CollectRequest {
  Shard& shard;
  std::shared_ptr<const TableDef> table;
  ReadView view;                         ///< the caller holds its snapshot
  std::vector<CollectColumn> columns;
  std::shared_ptr<const TableStatistics> before;   ///< what stays of the other columns; may be null
  std::int64_t now = 0;                  ///< µs from 2000-01-01 UTC
  const Status* cancelled = nullptr;     ///< may be null; looked at after each share
};

/// Rows that are looked at in detail; as many as PostgreSQL's with default_statistics_target = 100.
inline constexpr std::size_t kSampleRows = 30'000;

/// The columns of these numbers, or all where there are none. Called where a session's types are known, as they are not between turns.
std::vector<CollectColumn> columns_to_collect(const TableDef& table, std::span<const std::uint16_t> numbers);

Task<Result<std::shared_ptr<const TableStatistics>>> collect_statistics(CollectRequest request);

}  // namespace wandian::sql
