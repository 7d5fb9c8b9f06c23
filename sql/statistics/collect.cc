#include "sql/statistics/collect.h"

#include <algorithm>
#include <cmath>

#include "engine/scan.h"
#include "sql/co_try.h"
#include "sql/expr/expression.h"
#include "storage/base/random.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kTarget = 100;             // default_statistics_target
constexpr std::uint32_t kWidthThreshold = 1024;  // longer values are counted, not kept
constexpr std::size_t kSortRun = 2048;

struct Sampled {
  Value value;
  std::uint32_t position;   // among the sampled rows, in the order of the primary key
};

class Collector {
 public:
  explicit Collector(CollectRequest& request)
      : request_(request), table_(*request.table), random_(table_.oid), found_(std::make_shared<TableStatistics>()) {}

  Task<Result<std::shared_ptr<const TableStatistics>>> run() {
    Status status = co_await take_sample();
    if (!status.ok()) co_return std::move(status);
    found_->rows = seen_;
    found_->collected = request_.now;
    found_->columns.resize(table_.columns.size());
    if (request_.before != nullptr) keep_before(*request_.before);
    for (std::size_t i = 0; i < request_.columns.size(); ++i) {
      status = co_await examine(i);
      if (!status.ok()) co_return std::move(status);
    }
    co_return std::shared_ptr<const TableStatistics>(std::move(found_));
  }

 private:
  Task<Status> next_share() {
    co_await request_.shard.next_turn();
    request_.shard.start_budget();
    if (request_.cancelled != nullptr && !request_.cancelled->ok()) co_return request_.cancelled->clone();
    co_return Status{};
  }

  Task<Status> take_sample() {
    TableScan scan;
    TableScan::Options options;
    options.ordered = true;
    scan.open(request_.table, options, {});
    request_.shard.start_budget();
    std::uint64_t number = 0;
    RowView row;
    // Algorithm R of Vitter (1985): each row takes the place of an older one with the right probability.
    while (scan.next(request_.view, &row)) {
      if (numbers_.size() < kSampleRows) {
        numbers_.push_back(number);
        rows_.resize(rows_.size() + request_.columns.size());
        keep(row, numbers_.size() - 1);
      } else if (const std::uint64_t place = random_.below(number + 1); place < kSampleRows) {
        numbers_[place] = number;
        keep(row, place);
      }
      ++number;
      if (!request_.shard.out_of_budget()) continue;
      scan.pause();
      WANDIAN_CO_TRY(co_await next_share());
    }
    seen_ = static_cast<double>(number);
    order_.resize(numbers_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<std::uint32_t>(i);
    std::sort(order_.begin(), order_.end(), [this](std::uint32_t a, std::uint32_t b) { return numbers_[a] < numbers_[b]; });
    co_return Status{};
  }

  void keep(const RowView& row, std::size_t place) {
    for (std::size_t i = 0; i < request_.columns.size(); ++i) {
      Value value = table_.layouts->read(row.layout, row.row, request_.columns[i].number);
      if (!request_.columns[i].by_value && !value.is_null) {
        if (value.size > kWidthThreshold) value = Value::of_bytes(nullptr, value.size);
        else value = Value::of_bytes(memory_.copy(value.bytes()));
      }
      rows_[place * request_.columns.size() + i] = value;
    }
  }

  // Of the columns that are not looked at now.
  void keep_before(const TableStatistics& before) {
    for (std::size_t c = 0; c < found_->columns.size(); ++c) {
      if (std::any_of(request_.columns.begin(), request_.columns.end(), [c](const CollectColumn& one) { return one.number == c; })) continue;
      const ColumnStatistics* known = before.column(c, table_.columns[c].type);
      if (known == nullptr) continue;
      found_->columns[c] = *known;
      for (std::vector<Value>* values : {&found_->columns[c].common, &found_->columns[c].histogram})
        for (Value& value : *values) value = kept(value, known->by_value);
    }
  }
  Value kept(const Value& value, bool by_value) { return by_value ? value : Value::of_bytes(found_->bytes.copy(value.bytes())); }

  Task<Status> examine(std::size_t which) {
    const CollectColumn& column = request_.columns[which];
    ColumnStatistics& out = found_->columns[column.number];
    const auto rows = static_cast<double>(numbers_.size());
    if (rows == 0) co_return Status{};
    out.type = column.type;
    out.order = column.order;
    out.by_value = column.by_value;
    std::vector<Sampled> values;
    values.reserve(numbers_.size());
    double width = 0, wide = 0, nulls = 0;
    for (std::uint32_t i = 0; i < order_.size(); ++i) {
      const Value& value = rows_[order_[i] * request_.columns.size() + which];
      if (value.is_null) {
        nulls += 1;
        continue;
      }
      if (column.length < 0) width += value.size + (value.size < 127 ? 1 : 4);   // PostgreSQL counts the length's own bytes
      if (!column.by_value && value.p == nullptr) wide += 1;
      else values.push_back({value, i});
    }
    const double present = rows - nulls;
    out.null_fraction = nulls / rows;
    out.width = static_cast<std::int32_t>(column.length > 0 ? column.length : present == 0 ? 0 : width / present);
    if (present == 0 || out.order == Order::kNone) co_return Status{};
    if (values.empty()) {
      out.distinct = -(1 - out.null_fraction);   // too long, all of them: different, too
      co_return Status{};
    }
    WANDIAN_CO_TRY(co_await sort(values, out.order));
    estimate(out, values, rows, nulls, wide);
    co_return Status{};
  }

  // In short runs, then merged by pairs: no step is long.
  Task<Status> sort(std::vector<Sampled>& values, Order order) {
    const auto before = [order](const Sampled& a, const Sampled& b) {
      const int way = order == Order::kInteger ? (a.value.i > b.value.i) - (a.value.i < b.value.i) : compare_values(order, a.value, b.value);
      return way != 0 ? way < 0 : a.position < b.position;
    };
    for (std::size_t at = 0; at < values.size(); at += kSortRun) {
      std::sort(values.begin() + static_cast<std::ptrdiff_t>(at),
                values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), at + kSortRun)), before);
      WANDIAN_CO_TRY(co_await next_share());
    }
    std::vector<Sampled> merged;
    for (std::size_t run = kSortRun; run < values.size(); run *= 2) {
      merged.clear();
      merged.reserve(values.size());
      for (std::size_t at = 0; at < values.size(); at += 2 * run) {
        const auto begin = values.begin() + static_cast<std::ptrdiff_t>(at);
        const auto middle = values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), at + run));
        const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(values.size(), at + 2 * run));
        std::merge(begin, middle, middle, end, std::back_inserter(merged), before);
        if (end - begin > 4096) WANDIAN_CO_TRY(co_await next_share());
      }
      values.swap(merged);
    }
    co_return Status{};
  }

  struct Track {
    double count = 0;
    std::size_t first = 0;
  };

  // compute_scalar_stats() of PostgreSQL's analyze.c, over values that are sorted.
  void estimate(ColumnStatistics& out, const std::vector<Sampled>& values, double rows, double nulls, double wide) {
    const bool by_value = out.by_value;
    std::vector<Track> track;
    double distinct = 0, repeated = 0, correlation_sum = 0;
    for (std::size_t i = 0; i < values.size();) {
      std::size_t end = i + 1;
      while (end < values.size() && compare_values(out.order, values[i].value, values[end].value) == 0) ++end;
      const auto count = static_cast<double>(end - i);
      distinct += 1;
      if (count > 1) {
        repeated += 1;
        if (track.size() < kTarget || count > track.back().count) {
          if (track.size() == kTarget) track.pop_back();
          const auto at = std::find_if(track.begin(), track.end(), [&](const Track& t) { return t.count < count; });
          track.insert(at, {count, i});
        }
      }
      i = end;
    }
    for (std::size_t i = 0; i < values.size(); ++i) correlation_sum += static_cast<double>(i) * values[i].position;
    if (repeated == 0) {
      out.distinct = -1 * (1 - out.null_fraction);
    } else if (wide == 0 && repeated == distinct) {
      out.distinct = distinct;   // each of them more than once: probably there are no others
    } else {
      // Haas and Stokes, "Estimating the Number of Classes in a Finite Population", 1998: the Duj1 estimator.
      const double once = distinct - repeated + wide, d = once + repeated, n = rows - nulls;
      const double total = seen_ * (1 - out.null_fraction);
      double found = total > 0 ? n * d / ((n - once) + once * n / total) : 0;
      found = std::min(std::max(found, d), std::max(total, d));
      out.distinct = std::floor(found + 0.5);
    }
    if (out.distinct > 0.1 * seen_) out.distinct = -(out.distinct / seen_);

    std::size_t common = track.size();
    const bool all = static_cast<double>(track.size()) == distinct && wide == 0 && out.distinct > 0;
    if (!all) common = worth_keeping(track, out, rows);
    for (std::size_t i = 0; i < common; ++i) {
      out.common.push_back(kept(values[track[i].first].value, by_value));
      out.frequencies.push_back(track[i].count / rows);
    }
    make_histogram(out, values, track, common, distinct, by_value);
    const auto n = static_cast<double>(values.size());
    if (n > 1) {
      // Both orders are 0 .. n - 1, as far as nulls leave no gaps.
      const double sum = (n - 1) * n / 2, squares = (n - 1) * n * (2 * n - 1) / 6;
      const double spread = n * squares - sum * sum;
      if (spread > 0) out.correlation = (n * correlation_sum - sum * sum) / spread;
    }
  }

  // analyze_mcv_list(): the least common of them go while they are not clearly more common than the rest.
  std::size_t worth_keeping(const std::vector<Track>& track, const ColumnStatistics& column, double rows) const {
    std::size_t count = track.size();
    if (count == 0 || rows >= seen_ || seen_ <= 1) return count;
    const double distinct = column.distinct < 0 ? -column.distinct * seen_ : column.distinct;
    double sum = 0;
    for (std::size_t i = 0; i + 1 < count; ++i) sum += track[i].count;
    while (count > 0) {
      double share = std::clamp(1 - sum / rows - column.null_fraction, 0.0, 1.0);
      const double others = distinct - static_cast<double>(count - 1);
      if (others > 1) share /= others;
      const double total = seen_, k = total * track[count - 1].count / rows;
      const double variance = rows * k * (total - k) * (total - rows) / (total * total * (total - 1));
      if (track[count - 1].count > share * rows + 2 * std::sqrt(variance) + 0.5) break;
      if (--count == 0) break;
      sum -= track[count - 1].count;
    }
    return count;
  }

  void make_histogram(ColumnStatistics& out, const std::vector<Sampled>& values, const std::vector<Track>& track, std::size_t common,
                      double distinct, bool by_value) {
    std::size_t bounds = static_cast<std::size_t>(distinct) - common;
    if (bounds > kTarget) bounds = kTarget + 1;
    if (bounds < 2) return;
    std::vector<Track> taken(track.begin(), track.begin() + static_cast<std::ptrdiff_t>(common));
    std::sort(taken.begin(), taken.end(), [](const Track& a, const Track& b) { return a.first < b.first; });
    std::vector<std::uint32_t> rest;
    rest.reserve(values.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < values.size();) {
      if (next < taken.size() && taken[next].first == i) i += static_cast<std::size_t>(taken[next++].count);
      else rest.push_back(static_cast<std::uint32_t>(i++));
    }
    const std::size_t parts = bounds - 1;
    for (std::size_t b = 0; b <= parts; ++b)
      out.histogram.push_back(kept(values[rest[b * (rest.size() - 1) / parts]].value, by_value));
  }

  CollectRequest& request_;
  const TableDef& table_;
  Random random_;                      // seeded by the table, so that the same rows give the same statistics
  std::shared_ptr<TableStatistics> found_;
  std::vector<Value> rows_;            // the sample: row after row
  std::vector<std::uint64_t> numbers_; // of the rows in the sample, in the order of the primary key
  std::vector<std::uint32_t> order_;   // places of the sample in that order
  double seen_ = 0;
  Arena memory_;
};

}  // namespace

std::vector<CollectColumn> columns_to_collect(const TableDef& table, std::span<const std::uint16_t> numbers) {
  std::vector<CollectColumn> out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const auto number = static_cast<std::uint16_t>(i);
    if (!numbers.empty() && std::find(numbers.begin(), numbers.end(), number) == numbers.end()) continue;
    const ColumnDef& column = table.columns[i];
    const TypeInfo* type = find_type(column.type);
    if (column.dropped || type == nullptr) continue;
    // What compares part by part asks for the types of the parts, which users' types are not there for.
    constexpr Oid kFirstUserType = 16384;
    const bool of_parts = type->order == Order::kArray || type->order == Order::kRecord || type->order == Order::kRange;
    out.push_back({number, column.type, of_parts && column.type >= kFirstUserType ? Order::kNone : type->order, is_by_value(column.type), type->length});
  }
  return out;
}

Task<Result<std::shared_ptr<const TableStatistics>>> collect_statistics(CollectRequest request) {
  Collector collector(request);
  co_return co_await collector.run();
}

}  // namespace wandian::sql
