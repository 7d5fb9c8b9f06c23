// Sub-selects that not every row asks for: those in a branch of CASE, in a later argument of COALESCE, AND or OR, or behind a FILTER.
// Each is guarded by what must hold for the expression to come to it. Guards are evaluated apart from the expression, so what could
// answer differently a second time, or has to wait, is computed once and held in a slot for both.
#include <algorithm>
#include <deque>

#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

const Expr* make_test(Arena& arena, TestOp op, const Expr* of) {
  auto* out = make_node<TestExpr>(arena, op == TestOp::kIsNull ? ExprKind::kNullTest : ExprKind::kBoolTest);
  out->test = op;
  out->arg = of;
  out->type = type_oid::kBool;
  return out;
}

// What an argument must be for the next one to be looked at.
TestOp test_of(const Expr& list) {
  if (list.kind == ExprKind::kCoalesce) return TestOp::kIsNull;
  return list.as<BoolExpr>().op == BoolOp::kAnd ? TestOp::kIsNotFalse : TestOp::kIsNotTrue;
}

// Whether it reads the value of a CASE that is around it.
bool reads_test_value(const Expr* lowered) {
  if (lowered->kind == ExprKind::kTestValue) return true;
  bool reads = false;
  const auto look = [&](const Expr* part) { reads = reads || reads_test_value(part); };
  if (lowered->kind != ExprKind::kCase || lowered->as<CaseExpr>().arg == nullptr) {
    for_each_child(*lowered, look);
    return reads;
  }
  const auto& own = lowered->as<CaseExpr>();
  look(own.arg);
  for (const CaseWhen& when : own.whens) look(when.result);
  look(own.otherwise);
  return reads;
}

// Neither a row of a set nor the value of a CASE around it is there for a guard.
bool stands_alone(const Expr* lowered) {
  return !reads_test_value(lowered) && !any_node(lowered, [](const Expr* node) { return node->returns_set; });
}

bool answers_again(const Expr* lowered) { return !contains_volatile(lowered) && !contains_routine(lowered); }

bool can_guard(const Expr* lowered) { return stands_alone(lowered) && answers_again(lowered); }

}  // namespace

bool Planner::has_branches(const Lowering& lowering, const Expr* expr) {
  const bool branches = expr->kind == ExprKind::kCase || expr->kind == ExprKind::kCoalesce ||
                        (expr->kind == ExprKind::kBool && expr->as<BoolExpr>().op != BoolOp::kNot);
  if (!branches || lowering.eager || lowering.subselects == nullptr || !contains_sublink(expr)) return false;
  // The columns of ANY's and ALL's sub-select, which its test reads, are not there yet.
  if (lowering.sub_outputs == nullptr && lowering.sub_exprs == nullptr) return true;
  return !any_node(expr, [](const Expr* node) { return node->kind == ExprKind::kSubColumn; });
}

const Expr* Planner::lower_branches(const Lowering& lowering, const Expr* expr, Status* status) {
  return expr->kind == ExprKind::kCase ? lower_case(lowering, expr->as<CaseExpr>(), status) : lower_list(lowering, expr, status);
}

const Expr* Planner::lower_list(const Lowering& lowering, const Expr* list, Status* status) {
  const ExprList args = list->kind == ExprKind::kBool ? list->as<BoolExpr>().args : list->as<ListExpr>().args;
  std::size_t last = args.size() - 1;
  while (!contains_sublink(args[last])) --last;
  std::deque<Guard> guards;
  Lowering inner = lowering;
  std::size_t i = 0;
  return mutate_children(arena_, list, [&](const Expr* arg) {
    const Expr* lowered = lower_node(inner, arg, status);
    if (i++ >= last || !status->ok()) return lowered;
    lowered = hold(inner, lowered, status);
    if (can_guard(lowered)) inner.guard = &guards.emplace_back(Guard{make_test(arena_, test_of(*list), lowered), inner.guard});
    return lowered;
  });
}

const Expr* Planner::lower_case(const Lowering& lowering, const CaseExpr& source, Status* status) {
  const Expr* arg = source.arg == nullptr ? nullptr : hold(lowering, lower_node(lowering, source.arg, status), status);
  if (!status->ok()) return &source;
  std::deque<Guard> guards;
  Lowering inner = lowering;
  std::vector<CaseWhen> whens;
  // Of the conditions so far the last one holds and is the first to, or none of them does.
  const auto guarded = [&](bool last_holds) {
    Lowering branch = lowering;
    auto* test = make_node<CaseExpr>(arena_);
    std::vector<CaseWhen> tests;
    for (const CaseWhen& when : whens) tests.push_back({when.condition, make_bool(arena_, last_holds && &when == &whens.back())});
    test->arg = arg;
    test->whens = copy_list(arena_, tests);
    test->otherwise = make_bool(arena_, !last_holds);
    test->type = type_oid::kBool;
    const bool alone = (arg == nullptr || can_guard(arg)) && std::all_of(tests.begin(), tests.end(), [&](const CaseWhen& when) {
      return arg != nullptr ? answers_again(when.condition) : can_guard(when.condition);
    });
    if (alone) branch.guard = &guards.emplace_back(Guard{test, lowering.guard});
    return branch;
  };
  for (const CaseWhen& when : source.whens) {
    const Expr* condition = lower_node(inner, when.condition, status);
    // A comparison with CASE's argument is no value of its own; what it is compared with is.
    if (arg == nullptr) condition = hold(inner, condition, status);
    else condition = mutate_children(arena_, condition, [&](const Expr* side) { return hold(inner, side, status); });
    whens.push_back({condition, nullptr});
    const Lowering branch = contains_sublink(when.result) ? guarded(true) : inner;
    whens.back().result = lower_node(branch, when.result, status);
    if (!status->ok()) return &source;
    inner = guarded(false);
  }
  auto* out = make_node<CaseExpr>(arena_, source);
  out->arg = arg;
  out->whens = copy_list(arena_, whens);
  out->otherwise = lower_node(inner, source.otherwise, status);
  return out;
}

Result<std::unique_ptr<PlanSubselect>> Planner::value_of(const Expr* lowered) {
  auto out = std::make_unique<PlanSubselect>();
  const Slot inner = new_slot(*lowered);
  WANDIAN_ASSIGN(out->plan, project(std::make_unique<ResultNode>(), {{lowered, inner}}, {}));
  out->outputs = out->saved.slots = {inner};
  out->out = new_slot(*lowered);
  return out;
}

Result<const Expr*> Planner::compute_once(const Expr* lowered) {
  WANDIAN_ASSIGN(std::unique_ptr<PlanSubselect> once, value_of(lowered));
  once->once = true;
  once->name = "InitPlan " + std::to_string(next_init_++);
  const Slot slot = once->out;
  body_.init_plans.push_back(std::move(once));
  return make_slot(arena_, slot, *lowered);
}

const Expr* Planner::hold(const Lowering& lowering, const Expr* lowered, Status* status) {
  if (!status->ok() || answers_again(lowered) || !stands_alone(lowered)) return lowered;
  Result<std::unique_ptr<PlanSubselect>> held = value_of(lowered);
  *status = held.ok() ? add_guard(lowering, *held.value()) : held.take_status();
  if (!status->ok()) return lowered;
  held.value()->name = "SubPlan " + std::to_string(next_sub_++);
  const Slot slot = held.value()->out;
  lowering.subselects->push_back(held.take());
  return make_slot(arena_, slot, *lowered);
}

Status Planner::add_guard(const Lowering& lowering, PlanSubselect& plan) {
  std::vector<const Expr*> parts;
  for (const Guard* guard = lowering.guard; guard != nullptr; guard = guard->outer) parts.insert(parts.begin(), guard->condition);
  if (parts.empty()) return {};
  WANDIAN_ASSIGN(plan.guard, compile_expr(make_conjunction(arena_, parts)));
  return {};
}

// Whoever reads the init plan has it computed when the first row comes to it. Where nobody can ask, it is computed before the first row
// (Finalizer::settle_init_plans()).
Status Planner::ask_for(const Lowering& lowering, std::size_t init) {
  if (lowering.subselects == nullptr) return {};
  const Query& query = *lowering.scope->query;
  const bool always = lowering.at_start || (lowering.scope->parent == nullptr && query.command == Command::kSelect && query.from.empty() &&
                                            query.where == nullptr && query.set_operation == nullptr);
  if (always && lowering.guard == nullptr) return {};
  auto asks = std::make_unique<PlanSubselect>();
  asks->init = static_cast<std::int32_t>(init);
  asks->out = body_.init_plans[init]->out;
  if (!lowering.rechecked) WANDIAN_TRY(add_guard(lowering, *asks));
  lowering.subselects->push_back(std::move(asks));
  return {};
}

bool only_ask(const Subselects& subselects) {
  return std::all_of(subselects.begin(), subselects.end(), [](const auto& plan) { return plan->init >= 0; });
}

}  // namespace wandian::sql
