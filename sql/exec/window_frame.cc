#include "sql/exec/window_frame.h"

#include <algorithm>
#include <cmath>

#include "engine/numeric.h"
#include "sql/functions/datetime_math.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool invalid_offset(EvalContext& eval) {
  return eval.fail({sqlstate::invalid_preceding_or_following_size, "invalid preceding or following size in window function"});
}

bool float_in_range(double value, double base, double offset, bool subtract, bool less) {
  // NaN sorts after all else, whatever is added to it.
  if (std::isnan(value)) return std::isnan(base) || !less;
  if (std::isnan(base)) return less;
  if (std::isinf(offset) && std::isinf(base) && (subtract ? base > 0 : base < 0)) return true;
  const double sum = subtract ? base - offset : base + offset;
  return less ? value <= sum : value >= sum;
}

bool numeric_in_range(const Value& value, const Value& base, const Numeric& offset, bool subtracts, bool less) {
  const Numeric x = load_numeric(value), b = load_numeric(base);
  if (x.nan()) return b.nan() || !less;
  if (b.nan()) return less;
  const Numeric sum = subtracts ? subtract(b, offset) : add(b, offset);
  if (sum.nan()) return true;   // infinities that cancel each other
  const int order = compare_numeric(x, sum);
  return less ? order <= 0 : order >= 0;
}

}  // namespace

WindowColumn::WindowColumn(const SavedSlots& saved, Slot slot) : at_(slot) {
  for (std::size_t i = 0; i < saved.slots.size(); ++i) {
    if (saved.slots[i] != slot) continue;
    at_ = static_cast<std::uint32_t>(i);
    saved_ = true;
  }
}

FrameCursor::FrameCursor(const WindowNode& node, std::size_t memory_limit) : node_(node), frame_(node.frame), memory_(memory_limit) {
  if (frame_.mode == FrameMode::kRange && (node.start_offset || node.end_offset)) {
    key_ = WindowColumn(node.saved, node.order[0].slot);
  }
}

void FrameCursor::restart() {
  prepared_ = false;
  memory_.reset();
}

bool FrameCursor::prepare(ExecContext& ctx, std::uint32_t arena) {
  if (prepared_) return true;
  if (frame_.mode == FrameMode::kRange && (node_.start_offset || node_.end_offset)) key_type_ = ctx.body->slots[node_.order[0].slot].type;
  const auto evaluate = [&](const PlanExpr& expr, const char* which, Value* out) {
    if (!expr) return true;
    if (!ctx.eval(expr, arena, out)) return false;
    const std::string name = std::string("frame ") + which + " offset must not be ";
    if (out->is_null) {
      ctx.error = Status{sqlstate::null_value_not_allowed, name + "null"};
      return false;
    }
    if (frame_.mode != FrameMode::kRange && out->i < 0) {
      ctx.error = Status{sqlstate::invalid_preceding_or_following_size, name + "negative"};
      return false;
    }
    if (!is_by_value(expr.expr->type)) *out = copy_bytes(*out, memory_);
    return true;
  };
  prepared_ = evaluate(node_.start_offset, "starting", &start_offset_) && evaluate(node_.end_offset, "ending", &end_offset_);
  return prepared_;
}

void FrameCursor::move_to(const WindowPartition& partition, std::size_t row) {
  while (partition.group_end(group_) <= row) ++group_;
}

// A bound of ROWS or GROUPS, or one without an offset. An end is the row after the last one.
std::size_t FrameCursor::bound(FrameBound bound, std::int64_t offset, bool is_end, const WindowPartition& partition, std::size_t row) const {
  const std::size_t rows = partition.rows.size();
  switch (bound) {
    case FrameBound::kUnboundedPreceding: return 0;
    case FrameBound::kUnboundedFollowing: return rows;
    case FrameBound::kCurrentRow:
      if (frame_.mode == FrameMode::kRows) return is_end ? row + 1 : row;
      return is_end ? partition.group_end(group_) : partition.groups[group_];
    default: break;
  }
  const bool by_rows = frame_.mode == FrameMode::kRows;
  const auto count = static_cast<std::int64_t>(by_rows ? rows : partition.groups.size());
  std::int64_t place = static_cast<std::int64_t>(by_rows ? row : group_);
  if (bound == FrameBound::kOffsetPreceding) place = offset > place ? -1 : place - offset;
  else place = offset > count ? count : place + offset;
  if (place < 0) return 0;
  if (place >= count) return rows;
  if (by_rows) return static_cast<std::size_t>(place) + (is_end ? 1 : 0);
  return is_end ? partition.group_end(static_cast<std::size_t>(place)) : partition.groups[static_cast<std::size_t>(place)];
}

// Whether value <= base + offset, or >=. PostgreSQL's in_range support functions.
bool FrameCursor::in_range(EvalContext& eval, const Value& value, const Value& base, const Value& offset, bool subtracts, bool less,
                           bool* result) const {
  const auto compare_with = [&](Int128 x, Int128 sum) { return less ? x <= sum : x >= sum; };
  switch (key_type_) {
    case kInt2: case kInt4: case kInt8:
      if (offset.i < 0) return invalid_offset(eval);
      *result = compare_with(value.i, subtracts ? Int128{base.i} - offset.i : Int128{base.i} + offset.i);
      return true;
    case kFloat4: case kFloat8:
      if (std::isnan(offset.d) || offset.d < 0) return invalid_offset(eval);
      *result = float_in_range(value.d, base.d, offset.d, subtracts, less);
      return true;
    case kNumeric: {
      const Numeric span = load_numeric(offset);
      if (span.nan() || span.sign() < 0) return invalid_offset(eval);
      *result = numeric_in_range(value, base, span, subtracts, less);
      return true;
    }
    default: break;
  }
  IntervalValue span = load_interval(offset);
  if (key_type_ == kTime) {
    // Days and months do not move a time of day, and it does not wrap around here.
    if (span.microseconds < 0) return invalid_offset(eval);
    *result = compare_with(value.i, subtracts ? Int128{base.i} - span.microseconds : Int128{base.i} + span.microseconds);
    return true;
  }
  const IntervalValue zero{};
  if (compare_values(Order::kInterval, offset, Value::of_bytes(reinterpret_cast<const char*>(&zero), sizeof zero)) < 0) return invalid_offset(eval);
  if (subtracts && !negate_interval(span, &span)) return interval_out_of_range(eval);
  if (key_type_ == kInterval) {
    IntervalValue sum = load_interval(base);
    if (__builtin_add_overflow(sum.microseconds, span.microseconds, &sum.microseconds) || __builtin_add_overflow(sum.days, span.days, &sum.days) ||
        __builtin_add_overflow(sum.months, span.months, &sum.months))
      return interval_out_of_range(eval);
    const int order = compare_values(Order::kInterval, value, Value::of_bytes(reinterpret_cast<const char*>(&sum), sizeof sum));
    *result = less ? order <= 0 : order >= 0;
    return true;
  }
  std::int64_t x = value.i, from = base.i, sum = 0;
  if (key_type_ == kDate && (!date_to_timestamp(value.i, &x) || !date_to_timestamp(base.i, &from))) {
    return date_out_of_range(eval, "date out of range for timestamp");
  }
  const bool infinite = from == INT64_MIN || from == INT64_MAX;
  if (infinite) sum = from;
  else if (key_type_ == kTimestamptz && eval.format.time_zone != nullptr ? !add_interval(*eval.format.time_zone, from, span, &sum)
                                                                          : !add_interval(from, span, &sum))
    return timestamp_out_of_range(eval);
  *result = compare_with(x, sum);
  return true;
}

// Bounds of RANGE with an offset only move forward, as the current row does.
Step FrameCursor::find_range(ExecContext& ctx, EvalContext& eval, const WindowPartition& partition, const Value* current, bool is_end) {
  const SortSlot& order = node_.order[0];
  std::size_t& at = is_end ? tail_ : head_;
  const bool preceding = (is_end ? frame_.end : frame_.start) == FrameBound::kOffsetPreceding;
  const Value& base = key_.of(current, ctx.slots);
  while (at < partition.rows.size()) {
    const Value& value = key_.of(partition.rows[at], ctx.slots);
    bool stop;
    if (value.is_null || base.is_null) {
      // Nulls are peers of each other and as far away from the rest as can be.
      const bool precedes = order.nulls_first ? value.is_null && !base.is_null : !value.is_null && base.is_null;
      stop = is_end ? !(precedes || (value.is_null && base.is_null)) : !precedes;
    } else {
      const bool subtracts = preceding != order.descending;
      bool inside;
      if (!in_range(eval, value, base, is_end ? end_offset_ : start_offset_, subtracts, is_end != order.descending, &inside)) return ctx.fail(eval);
      stop = inside != is_end;
    }
    if (stop) break;
    ++at;
    if (ctx.out_of_budget()) return Step::kPause;
  }
  return Step::kRow;
}

Step FrameCursor::find(ExecContext& ctx, EvalContext& eval, const WindowPartition& partition, std::size_t row) {
  const auto is_range = [&](FrameBound bound) {
    return frame_.mode == FrameMode::kRange && (bound == FrameBound::kOffsetPreceding || bound == FrameBound::kOffsetFollowing);
  };
  if (is_range(frame_.start)) {
    const Step step = find_range(ctx, eval, partition, partition.rows[row], false);
    if (step != Step::kRow) return step;
    begin_ = head_;
  } else {
    begin_ = bound(frame_.start, start_offset_.i, false, partition, row);
  }
  if (is_range(frame_.end)) {
    const Step step = find_range(ctx, eval, partition, partition.rows[row], true);
    if (step != Step::kRow) return step;
    end_ = tail_;
  } else {
    end_ = bound(frame_.end, end_offset_.i, true, partition, row);
  }
  end_ = std::max(begin_, end_);
  exclude(partition, row);
  return Step::kRow;
}

void FrameCursor::exclude(const WindowPartition& partition, std::size_t row) {
  span_count_ = 0;
  const auto add = [&](std::size_t from, std::size_t to) {
    from = std::max(from, begin_);
    to = std::min(to, end_);
    if (from < to) spans_[span_count_++] = {from, to};
  };
  const std::size_t first = partition.groups[group_], last = partition.group_end(group_);
  switch (frame_.exclusion) {
    case FrameExclusion::kNone: add(begin_, end_); break;
    case FrameExclusion::kCurrentRow:
      add(begin_, row);
      add(row + 1, end_);
      break;
    case FrameExclusion::kGroup:
      add(begin_, first);
      add(last, end_);
      break;
    case FrameExclusion::kTies:
      add(begin_, first);
      add(row, row + 1);
      add(last, end_);
      break;
  }
}

std::size_t FrameCursor::nth(std::size_t n, bool from_end, std::size_t none) const {
  for (std::size_t i = 0; i < span_count_; ++i) {
    const Span& span = spans_[from_end ? span_count_ - 1 - i : i];
    const std::size_t size = span.end - span.begin;
    if (n < size) return from_end ? span.end - 1 - n : span.begin + n;
    n -= size;
  }
  return none;
}

}  // namespace wandian::sql
