#include "sql/exec/operator.h"

#include "sql/exec/modify.h"

namespace wandian::sql {

Task<Status> ExecContext::next_share() {
  co_await shard->next_turn();
  begin_share();
  co_return cancelled();
}

namespace {

struct CallPoint {
  ExecContext& ctx;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) const {
    ctx.call_waiter = handle;
    // Whoever runs it has to be told, unless it is looking.
    if (!ctx.driven && ctx.env->ready != nullptr) ctx.shard->post(*ctx.env->ready);
  }
  void await_resume() const {}
};

}  // namespace

Task<Status> ExecContext::run_call(RoutineCall& wanted) {
  call = &wanted;
  if (env->routines != nullptr) {
    Status status = co_await env->routines->run_routine(wanted, view);
    call = nullptr;
    WANDIAN_CO_TRY(std::move(status));
    co_return cancelled();
  }
  hold_snapshot();
  co_await CallPoint{*this};
  call = nullptr;
  begin_share();
  co_return cancelled();
}

Task<Status> ExecContext::pause(Operator* source) {
  hold_snapshot();
  if (source != nullptr) source->pause(*this);
  if (call != nullptr) co_return co_await run_call(*call);
  if (!wait.valid()) co_return co_await next_share();
  Task<Status> waited = std::move(wait);
  WANDIAN_CO_TRY(co_await waited);
  co_return cancelled();
}

OperatorPtr make_operator(const PlanNode& node, ExecContext& ctx) {
  using Maker = OperatorPtr (*)(const PlanNode&, ExecContext&);
  static constexpr Maker kMakers[] = {make_scan_operator, make_source_operator,    make_row_operator,
                                      make_join_operator, make_sort_operator,      make_aggregate_operator,
                                      make_set_operator,  make_apply_operator,     make_lock_operator,
                                      make_window_operator, make_partitions_operator};
  for (const Maker maker : kMakers)
    if (OperatorPtr made = maker(node, ctx)) {
      if (node.type == NodeType::kPartitions) made->children().resize(node.children.size());   // it makes those that it reads
      else
        for (const NodePtr& child : node.children) made->children().push_back(make_operator(*child, ctx));
      return made;
    }
  DB_ASSERT(false);
  return nullptr;
}

void Operator::pause(ExecContext& ctx, bool standing) {
  standing = standing && !ended_;
  if (standing && live_ && !secured_) {
    secured_ = true;
    Arena& arena = ctx.row_memory[node_.arena]->arena;
    for (const Slot slot : node_.pointer_slots) {
      Value& value = ctx.slots[slot];
      if (!value.is_null) value = copy_bytes(value, arena);
    }
  }
  do_pause(ctx);
  for (const OperatorPtr& child : children_)
    if (child != nullptr) child->pause(ctx, standing);
  if (standing) after_pause(ctx);
}

Step Operator::timed_next(ExecContext& ctx) {
  const auto begin = std::chrono::steady_clock::now();
  const Step step = do_next(ctx);
  NodeStats& stats = ctx.stats[node_.id];
  const std::int64_t spent =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - begin).count();
  stats.nanoseconds += spent;
  if (step == Step::kRow && stats.rows++ == 0) stats.first_nanoseconds = stats.nanoseconds;
  return step;
}

void save_slots_into(const SavedSlots& saved, const Value* frame, Arena& arena, Value* out) {
  const std::size_t count = saved.slots.size();
  if (saved.all_by_value) {
    for (std::size_t i = 0; i < count; ++i) out[i] = frame[saved.slots[i]];
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Value& value = frame[saved.slots[i]];
    out[i] = saved.by_value[i] != 0 ? value : copy_bytes(value, arena);
  }
}

Value* save_slots(const SavedSlots& saved, const Value* frame, Arena& arena) {
  Value* out = arena.allocate_array<Value>(saved.slots.size());
  save_slots_into(saved, frame, arena, out);
  return out;
}

std::uint64_t hash_int(std::uint64_t v) {
  // Finalizer of MurmurHash3: every bit of the key reaches every bit of the hash.
  v ^= v >> 33;
  v *= 0xff51afd7ed558ccdULL;
  v ^= v >> 33;
  v *= 0xc4ceb9fe1a85ec53ULL;
  v ^= v >> 33;
  return v;
}

std::uint64_t hash_slots(std::span<const Slot> slots, std::span<const Order> orders, const Value* frame) {
  std::uint64_t hash = 0x9e3779b97f4a7c15ULL;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Value& value = frame[slots[i]];
    std::uint64_t h;
    if (value.is_null) h = 0x5bd1e995;
    else if (orders[i] == Order::kInteger || orders[i] == Order::kUnsigned) h = static_cast<std::uint64_t>(value.i);
    else if (orders[i] == Order::kNone) h = 0;
    else h = hash_value(orders[i], value);
    hash = hash_int(hash ^ h);
  }
  return hash;
}

bool equal_to_slots(const Value* kept, std::span<const Slot> slots, std::span<const Order> orders, const Value* frame) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Value& a = kept[i];
    const Value& b = frame[slots[i]];
    if (a.is_null || b.is_null) {
      if (a.is_null != b.is_null) return false;
      continue;
    }
    if (orders[i] == Order::kInteger || orders[i] == Order::kUnsigned) {
      if (a.i != b.i) return false;
    } else if (orders[i] == Order::kNone) {
      if (a.bytes() != b.bytes()) return false;
    } else if (compare_values(orders[i], a, b) != 0) {
      return false;
    }
  }
  return true;
}

int compare_sort_values(const SortSlot& key, const Value& a, const Value& b) {
  if (a.is_null || b.is_null) [[unlikely]] {
    if (a.is_null && b.is_null) return 0;
    return a.is_null == key.nulls_first ? -1 : 1;
  }
  int order;
  if (key.order == Order::kInteger) order = a.i < b.i ? -1 : a.i > b.i;
  else order = compare_values(key.order, a, b);
  return key.descending ? -order : order;
}

CteState::CteState(const PlanCte& plan, std::size_t limit) : cte(plan), rows(plan.saved, limit) {}
CteState::~CteState() = default;

const Value* CteState::row(std::size_t i) const { return writer != nullptr ? writer->returned(i).data() : rows.at(i); }

Task<Status> CteState::write(ExecContext& ctx) {
  if (started) co_return Status{};
  started = true;
  source = make_operator(*cte.plan, ctx);
  writer = std::make_unique<ModifyDriver>(ctx, *cte.modify, source.get());
  WANDIAN_CO_TRY(co_await writer->run());
  if (cte.modify->returning_waits) WANDIAN_CO_TRY(co_await writer->compute_returned());
  ctx.written.push_back(writer.get());
  done = true;
  co_return Status{};
}

Step CteState::fetch(ExecContext& ctx, std::size_t wanted) {
  if (cte.modify != nullptr) {
    if (done) return wanted < writer->returned_rows() ? Step::kRow : Step::kEnd;
    ctx.wait = write(ctx);
    return Step::kPause;
  }
  if (!source) source = make_operator(*cte.plan, ctx);
  if (!started) {
    source->restart(ctx);
    started = true;
  }
  while (rows.size() <= wanted) {
    if (done) return Step::kEnd;
    const Step step = source->next(ctx);
    if (step == Step::kEnd) done = true;
    else if (step != Step::kRow) return step;
    else rows.add(ctx.slots);
  }
  return Step::kRow;
}

}  // namespace wandian::sql
