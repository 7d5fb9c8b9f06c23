// TableStatistics: what ANALYZE found out about a table, in the terms of PostgreSQL's pg_statistic.
// Thread:     immutable once collected; any.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/arena.h"
#include "engine/oid.h"
#include "engine/type.h"
#include "engine/value.h"

namespace wandian::sql {

struct ColumnStatistics {
  Oid type = 0;                          ///< that the column had: values are of it. 0: nothing is known
  Order order = Order::kNone;
  bool by_value = false;
  double null_fraction = 0;
  std::int32_t width = 0;                ///< average bytes
  double distinct = 0;                   ///< above 0: that many; below: minus their share of the rows; 0: unknown
  std::vector<Value> common;             ///< the most common values, the most common one first
  std::vector<double> frequencies;       ///< theirs, as shares of all rows
  std::vector<Value> histogram;          ///< bounds of parts with equally many of the other values
  std::optional<double> correlation;     ///< of the column's order with that of the primary key
};

struct TableStatistics {
  double rows = 0;
  std::vector<ColumnStatistics> columns; ///< by column
  std::int64_t collected = 0;            ///< µs from 2000-01-01 UTC
  bool automatic = false;
  Arena bytes;                           ///< of the values

  /// Null if nothing is known of the column as it is now.
  const ColumnStatistics* column(std::size_t number, Oid type) const {
    return number < columns.size() && columns[number].type == type ? &columns[number] : nullptr;
  }
};

/// How many different values the column has among `rows` rows of the table; 0 if that is not known.
inline double distinct_values(const ColumnStatistics& column, double rows) {
  return column.distinct < 0 ? -column.distinct * rows : column.distinct;
}

}  // namespace wandian::sql
