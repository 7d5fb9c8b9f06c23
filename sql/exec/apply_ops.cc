// Sub-selects in expressions: each is evaluated before the expression that holds it, its value stands in a slot.
#include <utility>

#include "engine/array_value.h"
#include "sql/exec/operator.h"

namespace wandian::sql {

struct SubselectRunner::State {
  State(const PlanSubselect& p, ExecContext& ctx)
      : plan(p), source(make_operator(*p.plan, ctx)), rows(p.saved, ctx.memory_limit()), null_rows(p.saved, ctx.memory_limit()), memory(ctx.memory_limit()) {}

  const PlanSubselect& plan;
  OperatorPtr source;
  RowStore rows;                       // kAny, kAll with `once`: the sub-select's rows
  RowStore null_rows;                  // hash_left of more than one column: the rows with a null among them
  PartedTable<const Value> table;      // hash_left: the rows, by value
  Arena memory;                        // the value, where it is made of bytes
  JournaledEval test;                  // kAny, kAll: `plan.test`, where it calls routines
  bool testing = false;                // ... for the source's row, which is there already
  bool running = false;                // the source stands in the middle
  bool kept = false;                   // `once`: value or rows are there
  bool has_null_row = false;           // hash_left: some row has a null
  Value value;
  std::vector<Value> elements;         // kArray
  std::size_t count = 0, next = 0;
  std::size_t compared = 0;            // how many of the rows, those with nulls first, are compared one by one

  bool keeps_rows() const { return plan.once && (plan.kind == SubLinkKind::kAny || plan.kind == SubLinkKind::kAll); }

  void begin(ExecContext& ctx) {
    running = true;
    testing = false;
    test.reset();
    count = next = 0;
    elements.clear();
    memory.reset();
    switch (plan.kind) {
      case SubLinkKind::kExists:
      case SubLinkKind::kAny: value = Value::of_bool(false); break;
      case SubLinkKind::kAll: value = Value::of_bool(true); break;
      default: value = Value::null();
    }
    source->restart(ctx);
  }

  // Looks at one row of the sub-select. True if the value is decided, or *step is not kRow.
  bool take_row(ExecContext& ctx, std::uint32_t arena, Step* step) {
    *step = Step::kRow;
    switch (plan.kind) {
      case SubLinkKind::kExists: value = Value::of_bool(true); return true;
      case SubLinkKind::kScalar:
      case SubLinkKind::kRow:
        if (++count > 1) {
          *step = ctx.fail(Status(sqlstate::cardinality_violation, "more than one row returned by a subquery used as an expression"));
          return true;
        }
        if (plan.kind == SubLinkKind::kScalar) {
          value = ctx.slots[plan.outputs[0]];
          if (!ctx.body->slots[plan.outputs[0]].by_value) value = copy_bytes(value, memory);
        } else {
          std::vector<Value> fields;
          for (const Slot slot : plan.outputs) fields.push_back(ctx.slots[slot]);
          value = build_record(plan.field_types, fields, memory);
        }
        return false;
      case SubLinkKind::kArray: {
        Value element = ctx.slots[plan.outputs[0]];
        if (plan.of_arrays && !fits_array(ctx, element, step)) return true;
        if (!ctx.body->slots[plan.outputs[0]].by_value) element = copy_bytes(element, memory);
        elements.push_back(element);
        return false;
      }
      case SubLinkKind::kAny:
      case SubLinkKind::kAll: return take_comparison(ctx, arena, step);
    }
    return true;
  }
  bool take_comparison(ExecContext& ctx, std::uint32_t arena, Step* step) {
    const bool any = plan.kind == SubLinkKind::kAny;
    Value holds;
    *step = test.eval(ctx, plan.test, *ctx.row_memory[arena], &holds);
    if (*step != Step::kRow) return true;
    if (holds.is_null) {
      value = Value::null();
      return false;
    }
    if (holds.as_bool() == any) {
      value = Value::of_bool(any);
      return true;
    }
    return false;
  }
  // Arrays become one of a dimension more: they must be of one shape.
  bool fits_array(ExecContext& ctx, const Value& array, Step* step) {
    const auto refuse = [&](SqlState code, const char* message) {
      *step = ctx.fail(Status(code, message));
      return false;
    };
    if (array.is_null) return refuse(sqlstate::null_value_not_allowed, "cannot accumulate null arrays");
    const ArrayView view(array);
    if (view.dimensions() == 0) return refuse(sqlstate::array_subscript_error, "cannot accumulate empty arrays");
    if (view.dimensions() == kMaxArrayDimensions)
      return refuse(sqlstate::program_limit_exceeded, "number of array dimensions (7) exceeds the maximum allowed (6)");
    const ArrayView first(elements.empty() ? array : elements[0]);
    bool same = view.dimensions() == first.dimensions();
    for (int d = 0; same && d < view.dimensions(); ++d) same = view.length(d) == first.length(d) && view.lower_bound(d) == first.lower_bound(d);
    return same || refuse(sqlstate::array_subscript_error, "cannot accumulate arrays of different dimensionality");
  }
  Value stacked() {
    const ArrayView first(elements[0]);
    std::vector<ArrayDimension> shape{{static_cast<std::int32_t>(elements.size()), 1}};
    for (int d = 0; d < first.dimensions(); ++d) shape.push_back({first.length(d), first.lower_bound(d)});
    std::vector<Value> all;
    for (const Value& element : elements) {
      const ArrayView view(element);
      for (std::uint32_t i = 0; i < view.count(); ++i) all.push_back(view.element(i));
    }
    return build_array(plan.element_type, shape, all, memory);
  }
  void finish() {
    if (plan.kind != SubLinkKind::kArray) return;
    value = plan.of_arrays && !elements.empty() ? stacked() : build_array(plan.element_type, elements, memory);
  }
};

SubselectRunner::SubselectRunner(const PlanSubselect& plan, ExecContext& ctx) : state_(std::make_unique<State>(plan, ctx)) {}
SubselectRunner::~SubselectRunner() = default;

void SubselectRunner::pause(ExecContext& ctx) { state_->source->pause(ctx); }

void SubselectRunner::restart(ExecContext&) {
  state_->running = state_->kept = state_->has_null_row = false;
  state_->rows.clear();
  state_->null_rows.clear();
  state_->table.clear();
}

Step SubselectRunner::run(ExecContext& ctx, std::uint32_t arena, bool fresh) {
  State& s = *state_;
  const PlanSubselect& plan = s.plan;
  Value& out = ctx.slots[plan.out];
  if (s.keeps_rows()) {
    while (!s.kept) {
      if (!s.running) s.begin(ctx);
      const Step step = s.source->next(ctx);
      if (step == Step::kEnd) {
        s.kept = true;
        s.running = false;
        fresh = true;
      } else if (step != Step::kRow) {
        return step;
      } else {
        bool null_row = false;
        for (const Slot slot : plan.outputs) null_row |= ctx.slots[slot].is_null;
        s.has_null_row |= null_row;
        if (plan.hash_left.empty()) {
          s.rows.add(ctx.slots);
        } else if (null_row) {
          if (plan.outputs.size() > 1) s.null_rows.add(ctx.slots);
        } else {
          const std::uint64_t hash = hash_slots(plan.outputs, plan.hash_orders, ctx.slots);
          if (s.table.find(hash, [&](const Value& kept) { return equal_to_slots(&kept, plan.outputs, plan.hash_orders, ctx.slots); }) == nullptr) {
            s.rows.add(ctx.slots);
            s.table.insert(hash, s.rows.at(s.rows.size() - 1));
          }
        }
      }
    }
    if (!plan.hash_left.empty() && fresh) {
      // x IN (...): the left values stand in the outputs' slots while they are looked up.
      bool null_left = false;
      for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
        Value left;
        if (!ctx.eval(plan.hash_left[i], arena, &left)) return Step::kError;
        null_left |= left.is_null;
        ctx.slots[plan.outputs[i]] = left;
      }
      s.compared = 0;
      s.value = Value::of_bool(false);
      if (null_left) {
        // A row of several columns with a null in it is unequal to one that differs elsewhere, so that the rows are looked at.
        if (plan.outputs.size() > 1) s.compared = s.null_rows.size() + s.rows.size();
        else if (s.rows.size() > 0 || s.has_null_row) s.value = Value::null();
      } else {
        const std::uint64_t hash = hash_slots(plan.outputs, plan.hash_orders, ctx.slots);
        const bool found = s.table.find(hash, [&](const Value& kept) {
          return equal_to_slots(&kept, plan.outputs, plan.hash_orders, ctx.slots);
        }) != nullptr;
        if (found) s.value = Value::of_bool(true);
        else if (plan.outputs.size() > 1) s.compared = s.null_rows.size();
        else if (s.has_null_row) s.value = Value::null();
      }
      s.next = 0;
    } else if (fresh) {
      s.next = 0;
      s.compared = s.rows.size();
      s.value = Value::of_bool(plan.kind == SubLinkKind::kAll);
    }
    while (s.next < s.compared) {
      if (ctx.out_of_budget()) return Step::kPause;
      const std::size_t at = s.next++;
      const std::size_t nulls = s.null_rows.size();
      restore_slots(plan.saved, at < nulls ? s.null_rows.at(at) : s.rows.at(at - nulls), ctx.slots);
      Step step = Step::kRow;
      if (s.take_comparison(ctx, arena, &step)) {
        if (step == Step::kPause) s.next = at;
        if (step != Step::kRow) return step;
        break;
      }
    }
    out = s.value;
    return Step::kRow;
  }
  if (plan.once && s.kept) {
    out = s.value;
    return Step::kRow;
  }
  if (fresh || !s.running) s.begin(ctx);
  for (;;) {
    Step step = std::exchange(s.testing, false) ? Step::kRow : s.source->next(ctx);
    if (step == Step::kEnd) break;
    if (step != Step::kRow) return step;
    if (s.take_row(ctx, arena, &step)) {
      s.testing = step == Step::kPause;
      if (step != Step::kRow) return step;
      break;
    }
  }
  s.finish();
  s.running = false;
  s.kept = true;
  out = s.value;
  return Step::kRow;
}

namespace {

class ApplyOperator final : public Operator {
 public:
  ApplyOperator(const ApplyNode& node, ExecContext& ctx) : Operator(node) {
    for (const std::unique_ptr<PlanSubselect>& plan : node.subselects) {
      Item& item = items_.emplace_back();
      item.plan = plan.get();
      if (plan->init < 0) item.own = std::make_unique<SubselectRunner>(*plan, ctx);
    }
  }

 protected:
  void do_restart(ExecContext& ctx) override {
    current_ = items_.size();
    children_[0]->restart(ctx);
  }
  void do_pause(ExecContext& ctx) override {
    for (const Item& item : items_) item.runner(ctx).pause(ctx);
  }
  Step do_next(ExecContext& ctx) override {
    if (current_ == items_.size()) {
      const Step step = children_[0]->next(ctx);
      if (step != Step::kRow) return step;
      ctx.reset_row(node_.arena);
      current_ = 0;
      fresh_ = true;
    }
    while (current_ < items_.size()) {
      const Step step = compute(ctx, items_[current_]);
      fresh_ = false;
      if (step != Step::kRow) return step;
      ++current_;
      fresh_ = true;
    }
    return Step::kRow;
  }

 private:
  struct Item {
    const PlanSubselect* plan = nullptr;
    std::unique_ptr<SubselectRunner> own;      // null: it asks for an init plan
    SubselectRunner& runner(ExecContext& ctx) const { return own != nullptr ? *own : *ctx.inits[static_cast<std::size_t>(plan->init)]; }
  };

  // What the row does not ask for is null: nobody reads it.
  Step compute(ExecContext& ctx, const Item& item) {
    if (fresh_ && item.plan->guard) {
      bool asked = false;
      if (!ctx.test(item.plan->guard, node_.arena, &asked)) return Step::kError;
      if (!asked) {
        if (item.own != nullptr) ctx.slots[item.plan->out] = Value::null();
        return Step::kRow;
      }
    }
    return item.own != nullptr ? item.own->run(ctx, node_.arena, fresh_) : item.runner(ctx).run(ctx, 0, false);
  }

  std::vector<Item> items_;
  std::size_t current_ = 0;
  bool fresh_ = false;
};

}  // namespace

OperatorPtr make_apply_operator(const PlanNode& node, ExecContext& ctx) {
  if (node.type != NodeType::kApply) return nullptr;
  return std::make_unique<ApplyOperator>(node.as<ApplyNode>(), ctx);
}

}  // namespace wandian::sql
