#include "sql/exec/execution.h"

#include <new>

#include "sql/exec/modify.h"
#include "sql/exec/operator.h"
#include "sql/plan/explain.h"

namespace wandian::sql {

struct Execution::Impl {
  std::shared_ptr<const Plan> plan;
  ExecutionEnv env;
  ExecContext ctx;
  std::vector<Value> params;
  std::vector<Value> row;
  std::size_t next_init = 0;
  OperatorPtr root;
  OperatorPtr returning;               // sub-selects of RETURNING
  std::unique_ptr<ModifyDriver> modify;
  SavedSlots kept_slots;
  std::unique_ptr<RowStore> kept;      // rows of a SELECT above statements that write
  std::size_t next_returned = 0;
  std::uint64_t processed = 0;
  bool started = false, done = false, failed = false, modified = false, instrumented = false;

  // The coroutine that is being waited for, wrapped so that its end posts env.ready.
  Task<void> waiter;
  bool waiting = false, wait_done = false, in_start = false;
  Status wait_status;

  Task<void> wait_for(Task<Status> task) {
    try {
      wait_status = co_await task;
    } catch (const std::bad_alloc&) {
      wait_status = Status(sqlstate::out_of_memory, "out of memory");
    }
    wait_done = true;
    if (!in_start && env.ready != nullptr) env.shard->post(*env.ready);
  }
  /// False: it has to be waited for.
  bool start_wait(Task<Status> task) {
    wait_done = false;
    in_start = ctx.driven = true;
    waiter = wait_for(std::move(task));
    waiter.start();
    in_start = ctx.driven = false;
    waiting = !wait_done;
    return wait_done;
  }
  // The coroutine that waited for a routine goes on. False: it waits again.
  bool resume_caller() {
    in_start = ctx.driven = true;
    std::exchange(ctx.call_waiter, {}).resume();
    in_start = ctx.driven = false;
    return wait_done;
  }
  Progress waiting_for() const { return ctx.call_waiter ? Progress::kCall : Progress::kWaiting; }

  void prepare() {
    const PlanBody& body = *plan->body;
    ctx.body = &body;
    ctx.env = &env;
    ctx.shard = env.shard;
    ctx.transaction = env.transaction;
    if (env.transaction != nullptr) ctx.view = env.transaction->view();
    ctx.slots = ctx.statement.allocate_array<Value>(body.slots.size() + 1);
    for (std::size_t i = 0; i < body.slots.size(); ++i) ctx.slots[i] = Value::null();
    ctx.params = params.data();
    ctx.input.columns = ctx.slots;
    ctx.input.params = params.data();
    // One row by its key needs no operators, unless EXPLAIN ANALYZE wants to see them.
    const bool keyed = body.fast.possible && body.modify && !instrumented;
    const std::uint32_t arenas = keyed ? 1 : body.arenas;
    for (std::uint32_t i = 0; i < arenas; ++i) ctx.row_memory.push_back(std::make_unique<RowMemory>(env));
    for (const PlanCte& cte : body.ctes) ctx.ctes.push_back(std::make_unique<CteState>(cte, env.memory_limit_bytes));
    for (std::uint32_t i = 0; i < body.works; ++i) ctx.works.push_back(std::make_unique<WorkTable>());
    if (instrumented) ctx.stats.resize(body.nodes + 1);
    for (const std::unique_ptr<PlanSubselect>& sub : body.init_plans) ctx.inits.push_back(std::make_unique<SubselectRunner>(*sub, ctx));
    if (body.root && !keyed) root = make_operator(*body.root, ctx);
    if (body.modify) modify = std::make_unique<ModifyDriver>(ctx, *body.modify, root.get());
    if (body.modify && body.modify->returning_node) returning = make_operator(*body.modify->returning_node, ctx);
    row.resize(body.outputs.size());
    if (!body.writing_ctes.empty() && modify == nullptr) {
      kept_slots.slots = body.outputs;
      for (const Slot slot : body.outputs) {
        kept_slots.by_value.push_back(body.slots[slot].by_value ? 1 : 0);
        kept_slots.all_by_value = kept_slots.all_by_value && body.slots[slot].by_value;
      }
      kept = std::make_unique<RowStore>(kept_slots, env.memory_limit_bytes);
    }
    started = true;
  }

  void pause_all() {
    ctx.hold_snapshot();
    if (root) root->pause(ctx);
    if (returning) returning->pause(ctx);
    for (const std::unique_ptr<SubselectRunner>& runner : ctx.inits) runner->pause(ctx);
    raise_floor();
  }
  void raise_floor() {
    if (env.transaction != nullptr) env.transaction->raise_answer_floor(ctx.view.floor);
  }
  Progress fail(Status status) {
    ctx.error = std::move(status);
    failed = true;
    raise_floor();
    return Progress::kFailed;
  }

  // Sub-selects that are evaluated once come first, but for those that some row may ask for. kRow: all are there.
  Step run_init() {
    for (; next_init < ctx.inits.size(); ++next_init) {
      if (plan->body->init_plans[next_init]->lazy) continue;
      if (const Step step = ctx.inits[next_init]->run(ctx, 0, false); step != Step::kRow) return step;
    }
    return Step::kRow;
  }

  Progress paused() {
    pause_all();
    if (ctx.call != nullptr) return Progress::kCall;
    if (!ctx.wait.valid()) return Progress::kPaused;
    Task<Status> wait = std::move(ctx.wait);
    if (!start_wait(std::move(wait))) return waiting_for();
    if (!wait_status.ok()) return fail(std::move(wait_status));
    return Progress::kPaused;
  }

  Progress run(std::uint64_t max_rows, RowReceiver& receiver) {
    if (failed) return Progress::kFailed;
    if (waiting) {
      if (ctx.call_waiter && ctx.call->done) (void)resume_caller();
      if (!wait_done) return waiting_for();
      waiting = false;
      if (!wait_status.ok()) return fail(std::move(wait_status));
      if (Status status = ctx.cancelled(); !status.ok()) return fail(std::move(status));
    }
    if (!started) prepare();
    if (ctx.call != nullptr && !ctx.call->done) return Progress::kCall;
    ctx.call = nullptr;
    ctx.begin_share();
    if (done) return Progress::kDone;
    if (next_init < ctx.inits.size()) {
      const Step step = run_init();
      if (step == Step::kError) return fail(std::move(ctx.error));
      if (step == Step::kPause) return paused();
    }
    return modify != nullptr || kept != nullptr ? run_writes(max_rows, receiver) : run_select(max_rows, receiver);
  }

  Progress run_select(std::uint64_t max_rows, RowReceiver& receiver) {
    if (!root_started) {
      root_started = true;
      root->restart(ctx);
    }
    const std::vector<Slot>& outputs = plan->body->outputs;
    for (;;) {
      if (receiver.congested()) {
        pause_all();
        return Progress::kPaused;
      }
      const Step step = root->next(ctx);
      switch (step) {
        case Step::kRow: {
          for (std::size_t i = 0; i < outputs.size(); ++i) row[i] = ctx.slots[outputs[i]];
          if (Status status = receiver.row(row); !status.ok()) return fail(std::move(status));
          ++processed;
          if (++given == max_rows) {
            given = 0;
            pause_all();
            return Progress::kSuspended;
          }
          if (ctx.out_of_budget()) {
            pause_all();
            return Progress::kPaused;
          }
          break;
        }
        case Step::kEnd:
          done = true;
          raise_floor();
          return Progress::kDone;
        case Step::kPause: return paused();
        case Step::kError: return fail(std::move(ctx.error));
      }
    }
  }

  // All rows of a SELECT above statements that write: it ends before its first row is given, as they must.
  Task<Status> keep_rows() {
    root->restart(ctx);
    for (;;) {
      const Step step = root->next(ctx);
      if (step == Step::kEnd) co_return Status{};
      if (step == Step::kError) co_return std::move(ctx.error);
      if (step == Step::kRow) kept->add(ctx.slots);
      if (step == Step::kPause || ctx.out_of_budget()) WANDIAN_CO_TRY(co_await ctx.pause(root.get()));
    }
  }
  // The statement first, then what it has not read of those in WITH, the last of them first, as PostgreSQL's executor ends them.
  Task<Status> write_all() {
    if (modify != nullptr) {
      WANDIAN_CO_TRY(co_await modify->run());
      ctx.written.push_back(modify.get());
    } else {
      WANDIAN_CO_TRY(co_await keep_rows());
    }
    const std::vector<std::uint32_t>& ctes = plan->body->writing_ctes;
    for (auto cte = ctes.rbegin(); cte != ctes.rend(); ++cte) WANDIAN_CO_TRY(co_await ctx.ctes[*cte]->write(ctx));
    for (std::size_t i = 0; i < ctx.written.size(); ++i) WANDIAN_CO_TRY(co_await ctx.written[i]->finish());
    if (ctx.triggers != nullptr) WANDIAN_CO_TRY(co_await ModifyDriver::fire_triggers(ctx));
    co_return Status{};
  }
  std::size_t result_rows() const { return modify != nullptr ? modify->returned_rows() : kept->size(); }
  std::span<const Value> result_row(std::size_t i) const {
    return modify != nullptr ? modify->returned(i) : std::span(kept->at(i), kept_slots.slots.size());
  }

  Progress run_writes(std::uint64_t max_rows, RowReceiver& receiver) {
    if (!modified) {
      modified = true;
      if (!start_wait(write_all())) {
        ctx.hold_snapshot();
        return waiting_for();
      }
      if (!wait_status.ok()) return fail(std::move(wait_status));
    }
    processed = modify != nullptr ? modify->processed() : kept->size();
    raise_floor();
    while (next_returned < result_rows()) {
      if (receiver.congested()) return Progress::kPaused;
      const bool waits = modify != nullptr && plan->body->modify->returning_waits;
      if (waits) {
        const Step step = compute_returned();
        if (step == Step::kPause) return paused();
        if (step == Step::kError) return fail(std::move(ctx.error));
      }
      const std::span<const Value> values = waits ? std::span<const Value>(row) : result_row(next_returned);
      ++next_returned;
      if (Status status = receiver.row(values); !status.ok()) return fail(std::move(status));
      if (++given == max_rows) {
        given = 0;
        return Progress::kSuspended;
      }
      if (ctx.out_of_budget()) return Progress::kPaused;
    }
    done = true;
    return Progress::kDone;
  }
  // RETURNING with calls of routines and sub-selects: what the rows need stands in `returned`.
  Step compute_returned() {
    const ModifyPlan& plan_of = *plan->body->modify;
    if (!returning_begun) {
      returning_begun = true;
      ctx.reset_row(0);
      row.resize(plan_of.returning.size());
      restore_slots(plan_of.returning_slots, modify->returned(next_returned).data(), ctx.slots);
      returning_ready = returning == nullptr;
      if (returning != nullptr) returning->restart(ctx);
    }
    if (!returning_ready) {
      if (const Step step = returning->next(ctx); step != Step::kRow) return step;
      returning_ready = true;
    }
    for (; next_item < plan_of.returning.size(); ++next_item)
      if (const Step step = returning_eval.eval(ctx, plan_of.returning[next_item], 0, &row[next_item]); step != Step::kRow) return step;
    next_item = 0;
    returning_begun = false;
    return Step::kRow;
  }
  JournaledEval returning_eval;
  bool returning_begun = false, returning_ready = false;
  std::size_t next_item = 0;

  bool root_started = false;
  std::uint64_t given = 0;             // since the last kSuspended
};

Execution::Execution() : impl_(std::make_unique<Impl>()) {}
Execution::~Execution() = default;

std::unique_ptr<Execution> Execution::create(std::shared_ptr<const Plan> plan, const ExecutionEnv& env, std::span<const Value> params) {
  std::unique_ptr<Execution> made(new Execution());
  Impl& impl = *made->impl_;
  impl.plan = std::move(plan);
  impl.env = env;
  impl.params.reserve(params.size() + 1);
  for (std::size_t i = 0; i < params.size(); ++i) {
    const Oid type = i < impl.plan->parameter_types.size() ? impl.plan->parameter_types[i] : type_oid::kText;
    impl.params.push_back(params[i].is_null ? Value::null() : copy_value(type, params[i], impl.ctx.statement));
  }
  return made;
}

namespace {

// What gives the rows, or locks them, that the plan then only passes on, computes columns for or counts.
const PlanNode* below_passing(const PlanNode* node) {
  while (node != nullptr) {
    switch (node->type) {
      case NodeType::kProject: case NodeType::kLimit: case NodeType::kFilter: case NodeType::kApply: case NodeType::kWith: break;
      default: return node;
    }
    node = node->children[0].get();
  }
  return nullptr;
}

// The one scan that the rows come from; null: there is none.
const PlanNode* only_scan(const Plan& plan) {
  const PlanNode* node = below_passing(plan.body->root.get());
  return node != nullptr && (node->type == NodeType::kScan || node->type == NodeType::kPartitions) ? node : nullptr;
}

}  // namespace

void Execution::keep_position() {
  const PlanNode* scan = only_scan(*impl_->plan);
  if (scan == nullptr) return;
  impl_->ctx.position = std::make_unique<CursorPosition>();
  impl_->ctx.position->scan = scan;
}

Execution::CurrentRow Execution::current_row(const TableDef& table) const {
  using Kind = CurrentRow::Kind;
  CurrentRow out;
  const PlanNode* source = below_passing(impl_->plan->body->root.get());
  if (source != nullptr && source->type == NodeType::kLockRows) {
    out.kind = Kind::kNotReferenced;
    for (const PlanRowMark& mark : source->as<LockRowsNode>().marks) {
      const bool whole = mark.table->oid == table.oid;
      if (!whole && (mark.tree == nullptr || mark.tree->find(table.oid) == nullptr)) continue;
      if (out.kind != Kind::kNotReferenced) {
        out.kind = Kind::kReferencedTwice;
        return out;
      }
      out.kind = Kind::kElsewhere;
      if (!impl_->started) continue;
      const Value& key = impl_->ctx.slots[mark.key_slot];
      const bool here = !key.is_null && (mark.tree == nullptr || static_cast<Oid>(impl_->ctx.slots[mark.table_slot].i) == table.oid);
      if (!here) continue;
      out.kind = Kind::kRow;
      out.partition = static_cast<PartitionId>(impl_->ctx.slots[mark.partition_slot].i);
      out.key = key.bytes();
    }
    return out;
  }
  const std::optional<RowPlace> at = place();
  return at ? current_row(*impl_->plan, *at, table) : out;
}

std::optional<Execution::RowPlace> Execution::place() const {
  const CursorPosition* position = impl_->ctx.position.get();
  if (position == nullptr) return std::nullopt;
  return RowPlace{position->table, position->partition, position->key};
}

Execution::CurrentRow Execution::current_row(const Plan& plan, const RowPlace& place, const TableDef& table) {
  CurrentRow out;
  const PlanNode* scan = only_scan(plan);
  const bool covers = scan != nullptr && (scan->type == NodeType::kPartitions ? scan->as<PartitionsNode>().tree->find(table.oid) != nullptr
                                                                              : scan->as<ScanNode>().table->oid == table.oid);
  if (!covers) return out;
  out.kind = place.table == table.oid ? CurrentRow::Kind::kRow : CurrentRow::Kind::kElsewhere;
  out.partition = place.partition;
  out.key = place.key;
  return out;
}

Progress Execution::run(std::uint64_t max_rows, RowReceiver& receiver) {
  try {
    return impl_->run(max_rows, receiver);
  } catch (const std::bad_alloc&) {
    return impl_->fail(Status(sqlstate::out_of_memory, "out of memory").with_detail("The statement needs more memory than it may use."));
  }
}

std::uint64_t Execution::processed() const { return impl_->processed; }

std::string Execution::tag(std::uint64_t rows_returned) const {
  switch (impl_->plan->kind) {
    case PlanKind::kSelect: return "SELECT " + std::to_string(rows_returned);
    case PlanKind::kInsert: return "INSERT 0 " + std::to_string(impl_->processed);
    case PlanKind::kUpdate: return "UPDATE " + std::to_string(impl_->processed);
    case PlanKind::kDelete: return "DELETE " + std::to_string(impl_->processed);
    case PlanKind::kMerge: return "MERGE " + std::to_string(impl_->processed);
  }
  return {};
}

RoutineCall& Execution::call() { return *impl_->ctx.call; }
const ReadView& Execution::view() const { return impl_->ctx.view; }

Status Execution::take_error() { return std::move(impl_->ctx.error); }
const Plan& Execution::plan() const { return *impl_->plan; }
void Execution::instrument() { impl_->instrumented = true; }

std::vector<std::string> Execution::explain(const ExplainOptions& options) const {
  return explain_tree(*impl_->plan, options, impl_->ctx.stats);
}

}  // namespace wandian::sql
