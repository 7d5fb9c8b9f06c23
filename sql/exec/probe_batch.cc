#include "sql/exec/probe_batch.h"

#include <algorithm>

namespace wandian::sql {

ProbeBatch::ProbeBatch(const PlanNode& child, const ExecContext& ctx) {
  const std::vector<SlotInfo>& slots = ctx.body->slots;
  possible_ = std::all_of(child.visible.begin(), child.visible.end(), [&](Slot slot) { return slots[slot].by_value; });
  if (!possible_) return;
  kept_.slots = child.visible;
  values_.resize(kMost * kept_.slots.size());
}

void ProbeBatch::after_pause(ExecContext& ctx) {
  if (taken_) restore_slots(kept_, values_of(at_ - 1), ctx.slots);
}

}  // namespace wandian::sql
