// Reading tables: sequential and index scans.
#include <algorithm>
#include <cmath>

#include "engine/array_value.h"
#include "engine/database.h"
#include "engine/placement.h"
#include "engine/scan.h"
#include "sql/exec/operator.h"
#include "sql/exec/place_lookup.h"
#include "sql/exec/table_access.h"
#include "sql/functions/session_hooks.h"
#include "sql/index_expressions.h"

namespace wandian::sql {

namespace {

class ScanOperator final : public Operator {
 public:
  explicit ScanOperator(const ScanNode& node)
      : Operator(node), scan_(node), table_(*node.table), newest_(table_.layouts->newest()), newest_id_(table_.layouts->newest_id()) {}

 protected:
  void do_restart(ExecContext&) override { state_ = State::kStart; }
  void do_pause(ExecContext&) override {
    if (state_ == State::kScanning) table_scan_.pause();
    if (state_ == State::kPlaces) places_->pause();
  }

  Step do_next(ExecContext& ctx) override {
    for (;;) {
      switch (state_) {
        case State::kStart:
          if (!prepare(ctx)) return Step::kError;
          break;
        case State::kScanning: {
          RowView row;
          for (;;) {
            if (ctx.out_of_budget()) return Step::kPause;
            if (!table_scan_.next(ctx.view, &row)) break;
            if (range_ != 0 && scan_.inverted && seen_before(row)) continue;
            const Step step = accept(ctx, row);
            if (step == Step::kRow || step == Step::kError) return step;
          }
          if (++range_ < ranges_.size()) open(ctx);
          else state_ = State::kEnd;
          break;
        }
        case State::kPoints: {
          while (range_ < points_.size()) {
            if (ctx.out_of_budget()) return Step::kPause;
            RowView row;
            const std::size_t i = range_++;
            if (!find(ctx, points_[i], &row)) continue;
            const Step step = accept(ctx, row);
            if (step == Step::kRow || step == Step::kError) return step;
          }
          state_ = State::kEnd;
          break;
        }
        case State::kPlaces: {
          for (RowView row;;) {
            const PlaceLookup::Found found = places_->next(ctx, &row);
            if (found == PlaceLookup::Found::kPause) return Step::kPause;
            if (found == PlaceLookup::Found::kEnd) break;
            const Step step = accept(ctx, row);
            if (step == Step::kRow || step == Step::kError) return step;
          }
          state_ = State::kEnd;
          break;
        }
        case State::kCurrent: {
          state_ = State::kEnd;
          RowView row;
          if (!find_row(table_, partition_, {current_key_.data(), static_cast<std::uint32_t>(current_key_.size())}, ctx.view, &row)) break;
          const Step step = accept(ctx, row);
          if (step == Step::kRow || step == Step::kError) return step;
          break;
        }
        case State::kEnd: return Step::kEnd;
      }
    }
  }

 private:
  enum class State : std::uint8_t { kStart, kScanning, kPoints, kPlaces, kCurrent, kEnd };

  bool prepare(ExecContext& ctx) {
    ctx.reset_row(node_.arena);
    range_ = 0;
    ranges_.clear();
    points_.clear();
    partition_ = kNoPartition;
    if (scan_.method == ScanMethod::kPlace) return open_places(ctx);
    if (scan_.method == ScanMethod::kCurrent) return open_current(ctx);
    if (scan_.method == ScanMethod::kSequential) {
      if (!scan_.known.empty() && !locate(ctx)) return false;
      ranges_.emplace_back();
      state_ = State::kScanning;
      open(ctx);
      return true;
    }
    if (!scan_.known.empty() && scan_.method == ScanMethod::kIndex && !locate(ctx)) return false;
    if (!(scan_.inverted ? expand_inverted(ctx) : expand(ctx))) return false;
    if (scan_.method == ScanMethod::kIndex) {
      state_ = ranges_.empty() ? State::kEnd : State::kScanning;
      if (!ranges_.empty()) open(ctx);
    } else {
      state_ = State::kPoints;
    }
    return true;
  }

  bool open_current(ExecContext& ctx) {
    Value name;
    if (!ctx.eval(scan_.equals[0].value, node_.arena, &name)) return false;
    Result<bool> there = ctx.env->hooks->cursor_row(name.is_null ? std::string_view() : name.bytes(), table_, &partition_, &current_key_);
    if (!there.ok()) {
      ctx.error = there.take_status();
      return false;
    }
    state_ = there.value() ? State::kCurrent : State::kEnd;
    return true;
  }

  bool open_places(ExecContext& ctx) {
    if (places_ == nullptr) places_ = std::make_unique<PlaceLookup>(scan_.table);
    state_ = State::kPlaces;
    std::vector<std::int64_t> places;
    Value value;
    if (!ctx.eval(scan_.equals[0].value, node_.arena, &value)) return false;
    if (!value.is_null && !scan_.equals[0].list) places.push_back(value.i);
    if (!value.is_null && scan_.equals[0].list) {
      const ArrayView array(value);
      for (std::uint32_t e = 0; e < array.count(); ++e)
        if (const Value element = array.element(e); !element.is_null) places.push_back(element.i);
    }
    places_->open(std::move(places));
    return true;
  }

  void open(ExecContext&) {
    TableScan::Options options;
    options.index = scan_.method == ScanMethod::kSequential || (inverted_ && inverted_->query.everything) ? 0 : scan_.index;
    options.partition = partition_;
    options.ordered = scan_.ordered;
    options.backward = scan_.backward;
    table_scan_.open(scan_.table, options, ranges_[range_]);
  }

  // Values that decide the partition.
  bool locate(ExecContext& ctx) {
    known_values_.resize(scan_.known.size());
    known_.assign(table_.columns.size(), nullptr);
    for (std::size_t i = 0; i < scan_.known.size(); ++i) {
      if (!ctx.eval(scan_.known[i].second, node_.arena, &known_values_[i])) return false;
      known_[scan_.known[i].first] = &known_values_[i];
    }
    partition_ = place_lookup(ctx.shard->database().placement(), table_, known_);
    return true;
  }

  struct Point {
    KeyBuffer key;
    std::vector<Value> values;
  };

  // Turns the conditions on the index's columns into ranges, or points for lookups; sorted, without duplicates.
  bool expand(ExecContext& ctx) {
    const TableDef& indexed = scan_.method == ScanMethod::kGlobal ? *scan_.global : table_;
    const KeyCodec& codec = indexed.codecs[scan_.method == ScanMethod::kGlobal ? 0 : scan_.index];
    const std::size_t count = scan_.equals.size();
    std::vector<std::vector<Value>> choices(count);
    for (std::size_t i = 0; i < count; ++i) {
      Value value;
      if (!ctx.eval(scan_.equals[i].value, node_.arena, &value)) return false;
      if (value.is_null) return true;   // nothing equals null
      if (!scan_.equals[i].list) {
        if (!codec.fits(static_cast<unsigned>(i), value)) return true;
        choices[i].push_back(value);
        continue;
      }
      const ArrayView array(value);
      for (std::uint32_t e = 0; e < array.count(); ++e) {
        const Value element = array.element(e);
        if (!element.is_null && codec.fits(static_cast<unsigned>(i), element)) choices[i].push_back(element);
      }
      if (choices[i].empty()) return true;
    }
    Value lower, upper;
    if (scan_.lower) {
      if (!ctx.eval(scan_.lower, node_.arena, &lower)) return false;
      if (lower.is_null) return true;
    }
    if (scan_.upper) {
      if (!ctx.eval(scan_.upper, node_.arena, &upper)) return false;
      if (upper.is_null) return true;
    }
    std::vector<std::size_t> at(count, 0);
    std::vector<Value> prefix(count);
    for (;;) {
      for (std::size_t i = 0; i < count; ++i) prefix[i] = choices[i][at[i]];
      if (scan_.method == ScanMethod::kIndex) {
        add_range(codec, prefix, lower, upper);
      } else {
        Point& point = points_.emplace_back();
        point.values = prefix;
        codec.encode(prefix, point.key);
      }
      std::size_t i = count;
      while (i > 0 && ++at[i - 1] == choices[i - 1].size()) at[--i] = 0;
      if (i == 0) break;
    }
    if (points_.size() > 1) {
      std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.key.ref() < b.key.ref(); });
      points_.erase(std::unique(points_.begin(), points_.end(),
                                [](const Point& a, const Point& b) { return a.key.ref() == b.key.ref(); }),
                    points_.end());
    }
    if (ranges_.size() > 1) {
      const auto lower_of = [](const ScanRange& range) { return range.lower.ref(); };
      std::sort(ranges_.begin(), ranges_.end(),
                [&](const ScanRange& a, const ScanRange& b) { return lower_of(a) < lower_of(b); });
      ranges_.erase(std::unique(ranges_.begin(), ranges_.end(),
                                [&](const ScanRange& a, const ScanRange& b) { return lower_of(a) == lower_of(b); }),
                    ranges_.end());
      if (scan_.backward) std::reverse(ranges_.begin(), ranges_.end());
    }
    return true;
  }

  // The ranges of an inverted index: of every element that a row may have, or of one that it must have.
  bool expand_inverted(ExecContext& ctx) {
    if (inverted_ == nullptr) inverted_ = std::make_unique<Inverted>();
    InvertedQuery& query = inverted_->query;
    query = {};
    inverted_->memory.reset();
    Value value;
    if (!ctx.eval(scan_.inverted, node_.arena, &value)) return false;
    if (value.is_null) return true;
    const InvertedClass of = index_expressions(table_)->index(scan_.index).classes[scan_.inverted_part];
    if (Status failed = inverted_query(of, scan_.inverted_part, scan_.inverted_op, value, inverted_->memory, &query); !failed.ok()) {
      ctx.error = std::move(failed);
      return false;
    }
    if (query.everything) {
      ranges_.emplace_back();
      return true;
    }
    if (query.all && query.elements.size() > 1) query.elements = {rarest_element()};
    for (const Value& element : query.elements) ranges_.push_back(range_of(element));
    return true;
  }
  ScanRange range_of(const Value& element) const { return ScanRange::prefix(table_.codecs[scan_.index], {&element, 1}); }
  // The element that the fewest entries have, as far as a short look tells.
  Value rarest_element() const {
    constexpr std::size_t kLook = 64, kMostElements = 16;
    Value best = inverted_->query.elements[0];
    std::size_t fewest = ~std::size_t{0};
    const PartitionId end = table_.storage->highest.load(std::memory_order_acquire);
    for (const Value& element : std::span(inverted_->query.elements).first(std::min(kMostElements, inverted_->query.elements.size()))) {
      const ScanRange range = range_of(element);
      std::size_t found = 0;
      for (PartitionId p = 0; p < end && found < fewest; ++p) {
        if (partition_ != kNoPartition && p != partition_) continue;
        const TablePartition* partition = table_.storage->find(p);
        const OrderedIndex* index = partition == nullptr ? nullptr : partition->find_index(table_, scan_.index);
        if (index == nullptr) continue;
        OrderedIndex::Cursor cursor(*index);
        if (range.has_upper) cursor.stop_at(range.upper, false);
        std::size_t here = 0;
        for (bool on = cursor.seek(range.lower, true); on && here < kLook; on = cursor.next()) ++here;
        found += here;
      }
      if (found >= fewest) continue;
      fewest = found;
      best = element;
    }
    return best;
  }
  // A row with several of the elements was given with the first of them.
  bool seen_before(const RowView& row) {
    const Result<std::span<const Value>> own = inverted_->entries.parts(table_, scan_.index, row.layout, row.row);
    if (!own.ok()) return false;
    for (std::size_t i = 0; i < range_ && i < inverted_->query.elements.size(); ++i)
      if (std::binary_search(own.value().begin(), own.value().end(), inverted_->query.elements[i],
                             [](const Value& a, const Value& b) { return a.bytes() < b.bytes(); }))
        return true;
    return false;
  }

  // A bound between two values of a float4 column becomes the one that it lets in.
  static void round_bound(const KeyColumn& column, bool is_lower, Value& bound, bool* inclusive) {
    if (column.rep != Rep::kFloat32 || std::isnan(bound.d)) return;
    auto nearest = static_cast<float>(bound.d);
    if (static_cast<double>(nearest) == bound.d) return;
    if (is_lower && nearest < bound.d) nearest = std::nextafterf(nearest, INFINITY);
    if (!is_lower && nearest > bound.d) nearest = std::nextafterf(nearest, -INFINITY);
    bound.d = nearest;
    *inclusive = true;
  }

  void add_range(const KeyCodec& codec, const std::vector<Value>& prefix, Value lower, Value upper) {
    ScanRange range;
    codec.encode(prefix, range.lower);
    range.upper = range.lower;
    const auto position = static_cast<unsigned>(prefix.size());
    bool ends = true;
    if (scan_.lower || scan_.upper) {
      const KeyColumn& column = codec.column(position);
      bool lower_inclusive = scan_.lower_inclusive, upper_inclusive = scan_.upper_inclusive;
      if (scan_.lower) round_bound(column, true, lower, &lower_inclusive);
      if (scan_.upper) round_bound(column, false, upper, &upper_inclusive);
      // In the key's order a descending column's lower bound is the upper one.
      const bool has_low = column.descending ? static_cast<bool>(scan_.upper) : static_cast<bool>(scan_.lower);
      const bool has_high = column.descending ? static_cast<bool>(scan_.lower) : static_cast<bool>(scan_.upper);
      const Value& low = column.descending ? upper : lower;
      const Value& high = column.descending ? lower : upper;
      const bool low_inclusive = column.descending ? upper_inclusive : lower_inclusive;
      const bool high_inclusive = column.descending ? lower_inclusive : upper_inclusive;
      KeyBuffer base = range.lower;
      if (column.nullable) base.push_back(1);   // values alone: no comparison holds for a null
      if (has_low && codec.fits(position, low)) {
        codec.append(position, low, range.lower);
        if (!low_inclusive && !KeyCodec::successor(range.lower)) return;
      } else if (has_low && !below_all(low, column)) {
        return;
      } else {
        range.lower = base;
      }
      if (has_high && codec.fits(position, high)) {
        codec.append(position, high, range.upper);
        if (!high_inclusive) ends = false;
      } else if (has_high && below_all(high, column)) {
        return;
      } else {
        range.upper = base;
      }
    }
    range.has_lower = true;
    // The upper bound is exclusive: what begins with an inclusive bound lies below that bound's successor.
    range.has_upper = ends ? KeyCodec::successor(range.upper) : true;
    range.upper_inclusive = false;
    ranges_.push_back(std::move(range));
  }
  // For a bound that the column cannot hold: whether it lies before everything the column can hold, in the key's order.
  static bool below_all(const Value& bound, const KeyColumn& column) {
    return (bound.i < 0) != column.descending;
  }

  bool find(ExecContext& ctx, const Point& point, RowView* out) {
    if (scan_.method == ScanMethod::kPoint) return find_by_key(ctx, table_, point.key, point.values, out);
    // A global index: its own table, keyed by the columns, holds the primary key.
    const TableDef& global = *scan_.global;
    RowView entry;
    if (!find_by_key(ctx, global, point.key, point.values, &entry)) return false;
    const std::size_t keys = scan_.equals.size();
    const std::vector<std::uint16_t>& primary = table_.codec_columns[0];
    std::vector<Value> values(primary.size());
    for (std::size_t i = 0; i < primary.size(); ++i)
      values[i] = global.layouts->read(entry.layout, entry.row, static_cast<unsigned>(keys + i));
    KeyBuffer key;
    table_.codecs[0].encode(values, key);
    if (!find_by_key(ctx, table_, key, values, out)) return false;
    // The entry counts only if the version seen has that key.
    KeyBuffer own;
    const IndexDef& index = table_.indexes[scan_.index];
    std::vector<Value> seen(keys);
    Arena arena;
    if (table_.is_computed(scan_.index)) {
      std::vector<Value> row(table_.layout_columns());
      table_.layouts->read_all(out->layout, out->row, row);
      if (!key_part_values(table_, scan_.index, row, arena, &seen).ok() || seen.size() != keys) return false;
    } else {
      for (std::size_t i = 0; i < keys; ++i) seen[i] = table_.layouts->read(out->layout, out->row, index.parts[i].column);
    }
    for (const Value& value : seen)
      if (value.is_null) return false;
    global.codecs[0].encode(seen, own);
    return own.ref() == point.key.ref();
  }

  // Nearly all rows have the newest layout, whose columns are read without asking which.
  [[gnu::always_inline]] void read_columns(ExecContext& ctx, const RowView& row, const std::vector<ScanColumn>& columns) const {
    Value* const slots = ctx.slots;
    if (row.layout == newest_id_) [[likely]] {
      for (const ScanColumn& c : columns) slots[c.slot] = newest_.read_inline(row.row, c.column);
    } else {
      for (const ScanColumn& c : columns) slots[c.slot] = table_.layouts->read(row.layout, row.row, c.column);
    }
  }
  // Reads the row's columns; kEnd if the filter does not hold.
  Step accept(ExecContext& ctx, const RowView& row) {
    // What the nodes above make of the row before is no longer wanted.
    ctx.reset_row(node_.arena);
    if (!scan_.system.empty()) [[unlikely]] read_system(ctx, row);
    if (scan_.filter) {
      read_columns(ctx, row, scan_.filter_columns);
      if (const Step step = filtered(ctx, scan_.filter); step != Step::kRow) return step;
    }
    read_columns(ctx, row, scan_.columns);
    if (!scan_.system.empty()) [[unlikely]] remember_place(ctx, row);
    if (ctx.position != nullptr) [[unlikely]] note_position(ctx, row);
    if (scan_.key_slot != kNoSlot) {
      table_.codecs[0].encode_from_row(*table_.layouts, row.layout, row.row, table_.codec_columns[0], key_);
      ctx.slots[scan_.key_slot] = Value::of_bytes(ctx.row_memory[node_.arena]->arena.copy(key_.ref().view()));
      ctx.slots[scan_.partition_slot] = Value::of_int(row.partition);
    }
    return Step::kRow;
  }

  [[gnu::noinline]] void read_system(ExecContext& ctx, const RowView& row) {
    const SystemColumns values = system_columns(table_, ctx.shard->database().place_secret(), row, ctx.view.own);
    put_system_columns(scan_.system, values, ctx.slots);
    place_ = values.ctid;
  }
  void remember_place(ExecContext& ctx, const RowView& row) {
    if (ctx.env->places == nullptr || key_of_place(table_, place_)) return;
    table_.codecs[0].encode_from_row(*table_.layouts, row.layout, row.row, table_.codec_columns[0], key_);
    ctx.env->places->remember(table_.oid, place_, row.partition, key_);
  }
  void note_position(ExecContext& ctx, const RowView& row) {
    if (!ctx.position->is_of(node_)) return;
    table_.codecs[0].encode_from_row(*table_.layouts, row.layout, row.row, table_.codec_columns[0], key_);
    ctx.position->table = table_.oid;
    ctx.position->partition = row.partition;
    ctx.position->key.assign(key_.ref().view());
  }

  const ScanNode& scan_;
  const TableDef& table_;
  const RowLayout& newest_;
  const LayoutSet::Id newest_id_;
  State state_ = State::kStart;
  TableScan table_scan_;
  std::vector<ScanRange> ranges_;
  std::vector<Point> points_;
  std::size_t range_ = 0;
  PartitionId partition_ = kNoPartition;
  struct Inverted {
    InvertedQuery query;
    Arena memory;
    IndexEntries entries;
  };
  std::unique_ptr<Inverted> inverted_;
  std::unique_ptr<PlaceLookup> places_;
  std::string current_key_;
  std::int64_t place_ = 0;   ///< of the row that is looked at, if the plan reads system columns
  std::vector<Value> known_values_;
  std::vector<const Value*> known_;
  KeyBuffer key_;
};

}  // namespace

OperatorPtr make_scan_operator(const PlanNode& node, ExecContext&) {
  if (node.type != NodeType::kScan) return nullptr;
  return std::make_unique<ScanOperator>(node.as<ScanNode>());
}

}  // namespace wandian::sql
