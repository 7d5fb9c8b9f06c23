// Aggregation: plain (one group), by hash, or over input that comes in the order of its groups. Also DISTINCT, which is grouping
// without aggregates.
#include <algorithm>
#include <cstring>
#include <deque>

#include "sql/exec/operator.h"
#include "sql/exec/probe_batch.h"

namespace wandian::sql {

namespace {

// Aggregates whose result does not depend on the order of their input.
bool order_matters(const AggregateDef& aggregate) {
  static constexpr std::string_view kUnordered[] = {"count", "sum", "avg", "min", "max", "bool_and", "bool_or", "every", "bit_and", "bit_or"};
  return std::find(std::begin(kUnordered), std::end(kUnordered), aggregate.name) == std::end(kUnordered);
}

// The input of an aggregate with DISTINCT or ORDER BY, kept until its group is finished. It is sorted in runs as it comes, and the runs
// are merged when the group is given out, so that no step is long.
struct Collected {
  std::vector<Value*> rows;            // arguments, then the ORDER BY expressions
  std::vector<std::size_t> run_ends;
  PartedTable<Value> distinct;
};
constexpr std::size_t kRunRows = 1024;

class AggregateOperator final : public Operator {
 public:
  AggregateOperator(const AggregateNode& node, const ExecContext& ctx)
      : Operator(node),
        aggregate_(node),
        input_arena_(node.children[0]->arena),
        single_int_(node.groups.size() == 1 && node.group_orders[0] == Order::kInteger),
        memory_(ctx.memory_limit()),
        other_memory_(ctx.memory_limit()),
        batch_(*node.children[0], ctx) {
    std::size_t offset = node.saved.slots.size() * sizeof(Value);
    for (const PlanAggregate& call : node.aggregates) {
      offset = (offset + 15) & ~std::size_t{15};
      offsets_.push_back(offset);
      if (call.count_star) offset += sizeof(std::int64_t);
      else if (collects(call)) offset += sizeof(Collected*);
      else offset += call.call->aggregate->state_bytes;
      widest_ = std::max(widest_, call.args.size());
    }
    for (const PlanAggregate& call : node.aggregates) {
      std::vector<SortSlot> keys = call.order_by;
      if (keys.empty() && call.distinct && order_matters(*call.call->aggregate))
        for (std::size_t a = 0; a < call.args.size(); ++a)
          if (call.arg_orders[a] != Order::kNone) keys.push_back({static_cast<Slot>(a), call.arg_orders[a], false, false});
      drain_keys_.push_back(std::move(keys));
    }
    group_bytes_ = (offset + 15) & ~std::size_t{15};
    args_.resize(widest_ + 1);
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    if (state_ == State::kOutput && keeps_result() && aggregate_.strategy != AggStrategy::kSorted) {
      next_ = output_at_ = 0;
      drained_ = nullptr;
      return;
    }
    state_ = State::kInput;
    next_ = 0;
    groups_.clear();
    table_.clear();
    collected_.clear();
    memory_.reset();
    other_memory_.reset();
    current_ = finished_ = drained_ = nullptr;
    output_at_ = 0;
    ended_ = false;
    batch_.reset();
    children_[0]->restart(ctx);
  }
  void after_pause(ExecContext& ctx) override {
    if (batch_.possible()) batch_.after_pause(ctx);
  }

  Step do_next(ExecContext& ctx) override {
    if (aggregate_.strategy == AggStrategy::kSorted) return next_sorted(ctx);
    if (state_ == State::kInput) {
      const Step step = aggregate_.strategy == AggStrategy::kPlain ? read_plain(ctx) : batch_.possible() ? read_batches(ctx) : read_rows(ctx);
      if (step != Step::kEnd) return step;
      add_empty_sets(ctx);
      state_ = State::kOutput;
    }
    if (next_ == groups_.size()) return Step::kEnd;
    if (ctx.out_of_budget()) return Step::kPause;
    const Step step = output(ctx, groups_[next_]);
    if (step == Step::kRow) ++next_;
    return step;
  }

 private:
  enum class State : std::uint8_t { kInput, kOutput };

  static bool collects(const PlanAggregate& call) { return call.distinct || !call.order_by.empty(); }
  static Value* saved(char* group) { return reinterpret_cast<Value*>(group); }

  // The whole input. kEnd: it is read.
  Step read_plain(ExecContext& ctx) {
    if (groups_.empty()) groups_.push_back(new_group(ctx, memory_));
    for (;;) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      if (!advance(ctx, groups_[0], memory_)) return Step::kError;
    }
  }
  Step read_rows(ExecContext& ctx) {
    for (;;) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      if (!advance(ctx, find_group(ctx, hash_groups(ctx)), memory_)) return Step::kError;
    }
  }
  Step read_batches(ExecContext& ctx) {
    for (;;) {
      const Step step = batch_.fill(ctx, *children_[0], [&](ProbeBatch::Row& row) {
        row.hash = hash_groups(ctx);
        table_.prefetch(row.hash);
      });
      if (step != Step::kRow) return step;
      for (const ProbeBatch::Row& row : batch_.rows()) table_.prefetch_entry(row.hash);
      while (!batch_.empty()) {
        const ProbeBatch::Row& row = batch_.take(ctx);
        if (!advance(ctx, find_group(ctx, row.hash), memory_)) return Step::kError;
      }
    }
  }

  // With the current row's groups, and what depends on them, and empty states.
  char* new_group(ExecContext& ctx, Arena& memory) {
    char* group = static_cast<char*>(memory.allocate(group_bytes_, 16));
    const std::size_t head = aggregate_.saved.slots.size() * sizeof(Value);
    std::memset(group + head, 0, group_bytes_ - head);
    save_slots_into(aggregate_.saved, ctx.slots, memory, saved(group));
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
      const PlanAggregate& call = aggregate_.aggregates[i];
      if (call.count_star || !collects(call)) continue;
      Collected* made = &collected_.emplace_back();
      std::memcpy(group + offsets_[i], &made, sizeof made);
    }
    return group;
  }

  std::uint64_t hash_groups(const ExecContext& ctx) const {
    if (single_int_ && !ctx.slots[aggregate_.groups[0]].is_null)
      return hash_int(static_cast<std::uint64_t>(ctx.slots[aggregate_.groups[0]].i));
    return hash_slots(aggregate_.groups, aggregate_.group_orders, ctx.slots);
  }

  char* find_group(ExecContext& ctx, std::uint64_t hash) {
    char* found;
    if (single_int_ && !ctx.slots[aggregate_.groups[0]].is_null) {
      const std::int64_t key = ctx.slots[aggregate_.groups[0]].i;
      found = table_.find(hash, [key](char& group) {
        const Value* kept = reinterpret_cast<const Value*>(&group);
        return kept->i == key && !kept->is_null;
      });
    } else {
      found = table_.find(hash, [&](char& group) {
        return equal_to_slots(reinterpret_cast<const Value*>(&group), aggregate_.groups, aggregate_.group_orders, ctx.slots);
      });
    }
    if (found != nullptr) return found;
    char* group = new_group(ctx, memory_);
    table_.insert(hash, group);
    groups_.push_back(group);
    return group;
  }

  bool advance(ExecContext& ctx, char* group, Arena& memory) {
    for (std::size_t i = 0; i < offsets_.size(); ++i) {
      const PlanAggregate& call = aggregate_.aggregates[i];
      if (call.filter) {
        bool passes;
        if (!ctx.test(call.filter, input_arena_, &passes)) return false;
        if (!passes) continue;
      }
      char* state = group + offsets_[i];
      if (call.count_star) {
        std::int64_t count;
        std::memcpy(&count, state, sizeof count);
        ++count;
        std::memcpy(state, &count, sizeof count);
        continue;
      }
      const AggregateDef& def = *call.call->aggregate;
      bool skip = false;
      for (std::size_t a = 0; a < call.args.size(); ++a) {
        if (!ctx.eval(call.args[a], input_arena_, &args_[a])) return false;
        if (args_[a].is_null && def.skips_nulls) skip = true;
      }
      if (collects(call)) {
        // A skipped null still counts for nothing, sorted or not.
        if (!skip && !collect(ctx, call, state, memory)) return false;
        continue;
      }
      if (skip) continue;
      EvalContext& eval = ctx.eval(input_arena_);
      if (!def.step(eval, memory, state, call.call->types.data(), args_.data())) {
        ctx.error = std::move(eval.error);
        return false;
      }
    }
    return true;
  }

  bool collect(ExecContext& ctx, const PlanAggregate& call, const char* state, Arena& memory) {
    Collected* into;
    std::memcpy(&into, state, sizeof into);
    const std::size_t width = call.args.size() + call.order_exprs.size();
    std::uint64_t hash = 0;
    if (call.distinct) {
      arg_slots_.resize(call.args.size());
      for (std::size_t a = 0; a < call.args.size(); ++a) arg_slots_[a] = static_cast<Slot>(a);
      hash = hash_slots(arg_slots_, call.arg_orders, args_.data());
      const bool known = into->distinct.find(hash, [&](Value& kept) {
        return equal_to_slots(&kept, arg_slots_, call.arg_orders, args_.data());
      }) != nullptr;
      if (known) return true;
    }
    Value* row = memory.allocate_array<Value>(width);
    for (std::size_t a = 0; a < call.args.size(); ++a)
      row[a] = call.arg_by_value[a] != 0 ? args_[a] : copy_bytes(args_[a], memory);
    for (std::size_t o = 0; o < call.order_exprs.size(); ++o) {
      Value value;
      if (!ctx.eval(call.order_exprs[o], input_arena_, &value)) return false;
      row[call.args.size() + o] = call.order_by_value[o] != 0 ? value : copy_bytes(value, memory);
    }
    into->rows.push_back(row);
    if (call.distinct) into->distinct.insert(hash, row);
    const std::vector<SortSlot>& keys = drain_keys_[static_cast<std::size_t>(&call - aggregate_.aggregates.data())];
    if (!keys.empty() && into->rows.size() - (into->run_ends.empty() ? 0 : into->run_ends.back()) == kRunRows) end_run(*into, keys);
    return true;
  }

  static bool before(const std::vector<SortSlot>& keys, const Value* a, const Value* b) {
    for (const SortSlot& key : keys) {
      const int order = compare_sort_values(key, a[key.slot], b[key.slot]);
      if (order != 0) return order < 0;
    }
    return false;
  }
  static void end_run(Collected& from, const std::vector<SortSlot>& keys) {
    const std::size_t begin = from.run_ends.empty() ? 0 : from.run_ends.back();
    if (begin == from.rows.size()) return;
    std::stable_sort(from.rows.begin() + static_cast<std::ptrdiff_t>(begin), from.rows.end(),
                     [&](const Value* a, const Value* b) { return before(keys, a, b); });
    from.run_ends.push_back(from.rows.size());
  }

  // The groups of grouping sets without a column, which are there even without a row.
  void add_empty_sets(ExecContext& ctx) {
    for (const auto& values : aggregate_.empty_sets) {
      for (const Slot slot : aggregate_.groups) ctx.slots[slot] = Value::null();
      for (const auto& [slot, value] : values) ctx.slots[slot] = Value::of_int(value);
      find_group(ctx, hash_groups(ctx));
    }
  }

  // An ordered-set aggregate's next row: kept, or compared with the hypothetical one.
  void take_sorted(const PlanAggregate& call, const std::vector<SortSlot>& keys, const Value* row) {
    if (call.call->aggregate->finish_sorted != nullptr) {
      sorted_.push_back(row);
      return;
    }
    ++rank_.rows;
    if (before(keys, row, direct_.data())) {
      if (rank_.before++ == 0 || before(keys, last_row_, row)) ++rank_.distinct_before;
    } else if (!before(keys, direct_.data(), row)) {
      ++rank_.equal;
    }
    last_row_ = row;
  }
  bool begin_ordered_set(ExecContext& ctx, const PlanAggregate& call) {
    sorted_.clear();
    rank_ = {};
    direct_.resize(call.direct_args.size());
    for (std::size_t i = 0; i < direct_.size(); ++i)
      if (!ctx.eval(call.direct_args[i], node_.arena, &direct_[i])) return false;
    return true;
  }
  Step finish_ordered_set(ExecContext& ctx, const PlanAggregate& call, Value* out) {
    const AggregateDef& def = *call.call->aggregate;
    EvalContext& eval = ctx.eval(node_.arena);
    const bool ok = def.finish_rank != nullptr ? def.finish_rank(rank_, out)
                                               : def.finish_sorted(eval, call.call->types.data(), direct_.data(), sorted_, out);
    return ok ? Step::kRow : ctx.fail(eval);
  }

  // Feeds what was collected to the aggregate, in order. kRow when all of it is in.
  Step drain(ExecContext& ctx, std::size_t which, Collected& from) {
    const PlanAggregate& call = aggregate_.aggregates[which];
    const std::vector<SortSlot>& keys = drain_keys_[which];
    Arena& arena = ctx.row_memory[node_.arena]->arena;
    const auto later = [&](const Run& a, const Run& b) {
      if (before(keys, from.rows[b.at], from.rows[a.at])) return true;
      if (before(keys, from.rows[a.at], from.rows[b.at])) return false;
      return b.at < a.at;
    };
    if (drained_ == nullptr) {
      const std::size_t bytes = call.call->aggregate->state_bytes;
      drained_ = static_cast<char*>(arena.allocate(bytes + 16, 16));
      std::memset(drained_, 0, bytes);
      if (call.call->aggregate->kind != 'n' && !begin_ordered_set(ctx, call)) return Step::kError;
      runs_.clear();
      if (keys.empty()) {
        if (!from.rows.empty()) runs_.push_back({0, from.rows.size()});
      } else {
        end_run(from, keys);
        for (std::size_t i = 0; i < from.run_ends.size(); ++i) runs_.push_back({i == 0 ? 0 : from.run_ends[i - 1], from.run_ends[i]});
        std::make_heap(runs_.begin(), runs_.end(), later);
      }
    }
    EvalContext& eval = ctx.eval(node_.arena);
    while (!runs_.empty()) {
      if (runs_.size() > 1) std::pop_heap(runs_.begin(), runs_.end(), later);
      Run& run = runs_.back();
      const Value* row = from.rows[run.at];
      if (++run.at == run.end) runs_.pop_back();
      else if (runs_.size() > 1) std::push_heap(runs_.begin(), runs_.end(), later);
      if (call.call->aggregate->kind != 'n') take_sorted(call, keys, row);
      else if (!call.call->aggregate->step(eval, arena, drained_, call.call->types.data(), row)) return ctx.fail(eval);
      // After the row, so that each call gets on, however short its share.
      if (ctx.out_of_budget()) return Step::kPause;
    }
    return Step::kRow;
  }

  // Gives a group out; after kPause, called again with the same one.
  Step output(ExecContext& ctx, char* group) {
    if (output_at_ == 0 && drained_ == nullptr) {
      ctx.reset_row(node_.arena);
      restore_slots(aggregate_.saved, saved(group), ctx.slots);
    }
    for (; output_at_ < offsets_.size(); ++output_at_) {
      const PlanAggregate& call = aggregate_.aggregates[output_at_];
      char* state = group + offsets_[output_at_];
      Value& out = ctx.slots[call.out];
      if (call.count_star) {
        std::int64_t count;
        std::memcpy(&count, state, sizeof count);
        out = Value::of_int(count);
        continue;
      }
      const AggregateDef& def = *call.call->aggregate;
      if (collects(call)) {
        Collected* from;
        std::memcpy(&from, state, sizeof from);
        const Step step = drain(ctx, output_at_, *from);
        if (step != Step::kRow) return step;
        state = std::exchange(drained_, nullptr);
      }
      if (def.kind != 'n') {
        if (finish_ordered_set(ctx, call, &out) == Step::kError) return Step::kError;
        continue;
      }
      EvalContext& eval = ctx.eval(node_.arena);
      if (!def.finish(eval, state, call.call->types.data(), &out)) return ctx.fail(eval);
    }
    output_at_ = 0;
    return Step::kRow;
  }

  Step next_sorted(ExecContext& ctx) {
    for (;;) {
      if (finished_ != nullptr) {
        const Step step = output(ctx, finished_);
        if (step == Step::kRow) finished_ = nullptr;
        return step;
      }
      if (ended_) {
        if (current_ == nullptr) return Step::kEnd;
        finished_ = std::exchange(current_, nullptr);
        continue;
      }
      const Step step = children_[0]->next(ctx);
      if (step == Step::kEnd) {
        ended_ = true;
        continue;
      }
      if (step != Step::kRow) return step;
      if (current_ != nullptr && equal_to_slots(saved(current_), aggregate_.groups, aggregate_.group_orders, ctx.slots)) {
        if (!advance(ctx, current_, active())) return Step::kError;
        continue;
      }
      // A new group begins, in the other memory; the old one is given out.
      finished_ = current_;
      first_memory_ = !first_memory_;
      active().reset();
      current_ = new_group(ctx, active());
      if (!advance(ctx, current_, active())) return Step::kError;
    }
  }
  Arena& active() { return first_memory_ ? memory_ : other_memory_; }

  const AggregateNode& aggregate_;
  const std::uint32_t input_arena_;
  const bool single_int_;
  Arena memory_, other_memory_;            // groups; a spill of them would begin where the limit is met
  std::vector<std::size_t> offsets_;       // of each aggregate's state in a group
  std::size_t group_bytes_ = 0, widest_ = 0;
  std::vector<Value> args_;
  std::vector<Slot> arg_slots_;
  State state_ = State::kInput;
  std::deque<char*> groups_;
  PartedTable<char> table_;
  ProbeBatch batch_;                         // of the input, for groups that are hashed
  std::deque<Collected> collected_;
  std::size_t next_ = 0;
  char* current_ = nullptr;
  char* finished_ = nullptr;
  bool ended_ = false, first_memory_ = false;
  // Giving a group out: which aggregate is next, and the state of one that is fed what it collected.
  struct Run {
    std::size_t at, end;
  };
  std::vector<std::vector<SortSlot>> drain_keys_;
  std::size_t output_at_ = 0;
  char* drained_ = nullptr;
  std::vector<Run> runs_;
  // The ordered-set aggregate being given out.
  std::vector<const Value*> sorted_;
  std::vector<Value> direct_;
  HypotheticalRank rank_;
  const Value* last_row_ = nullptr;
};

class GroupingSetsOperator final : public Operator {
 public:
  explicit GroupingSetsOperator(const GroupingSetsNode& node) : Operator(node), sets_(node), set_(node.sets.size()) {}

 protected:
  void do_restart(ExecContext& ctx) override {
    set_ = sets_.sets.size();
    children_[0]->restart(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    if (set_ == sets_.sets.size()) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      set_ = 0;
    }
    const std::vector<std::uint8_t>& has = sets_.sets[set_];
    for (std::size_t i = 0; i < has.size(); ++i) ctx.slots[sets_.outputs[i]] = has[i] != 0 ? ctx.slots[sets_.inputs[i]] : Value::null();
    ctx.slots[sets_.set_slot] = Value::of_int(static_cast<std::int64_t>(set_));
    for (const auto& [slot, by_set] : sets_.groupings) ctx.slots[slot] = Value::of_int(by_set[set_]);
    ++set_;
    return Step::kRow;
  }

 private:
  const GroupingSetsNode& sets_;
  std::size_t set_;   // the next one for the current row
};

}  // namespace

OperatorPtr make_aggregate_operator(const PlanNode& node, ExecContext& ctx) {
  if (node.type == NodeType::kGroupingSets) return std::make_unique<GroupingSetsOperator>(node.as<GroupingSetsNode>());
  if (node.type != NodeType::kAggregate) return nullptr;
  return std::make_unique<AggregateOperator>(node.as<AggregateNode>(), ctx);
}

}  // namespace wandian::sql
