#include "sql/exec/probe_batch.h"

namespace wandian::sql {

namespace {

bool all_by_value(std::span<const Slot> of, const std::vector<SlotInfo>& slots) {
  return std::all_of(of.begin(), of.end(), [&](Slot slot) { return slots[slot].by_value; });
}

// An inner side that starts again for each outer row must not take away what it gave for the last one.
bool keeps_over_restarts(const PlanNode& node, const std::vector<SlotInfo>& slots) {
  if (all_by_value(node.visible, slots)) return true;
  if (node.type == NodeType::kMaterialize) return node.free_slots.empty();
  return node.type == NodeType::kScan && rows_keep(node, slots);
}

}  // namespace

bool rows_keep(const PlanNode& node, const std::vector<SlotInfo>& slots) {
  if (all_by_value(node.visible, slots)) return true;
  switch (node.type) {
    case NodeType::kScan: return node.as<ScanNode>().key_slot == kNoSlot;
    case NodeType::kMaterialize: return true;
    case NodeType::kFilter:
    case NodeType::kHashJoin: return rows_keep(*node.children[0], slots);
    case NodeType::kNestLoop: return rows_keep(*node.children[0], slots) && keeps_over_restarts(*node.children[1], slots);
    case NodeType::kProject:
      return all_by_value(node.pointer_slots, slots) && rows_keep(*node.children[0], slots);
    default: return false;
  }
}

ProbeBatch::ProbeBatch(const PlanNode& child, const ExecContext& ctx) {
  const std::vector<SlotInfo>& slots = ctx.body->slots;
  possible_ = rows_keep(child, slots);
  if (!possible_) return;
  kept_.slots = child.visible;
  for (const Slot slot : kept_.slots) {
    kept_.by_value.push_back(slots[slot].by_value ? 1 : 0);
    kept_.all_by_value = kept_.all_by_value && slots[slot].by_value;
  }
  values_.resize(kMost * kept_.slots.size());
}

void ProbeBatch::secure(ExecContext& ctx) {
  const std::size_t first = taken_ ? at_ - 1 : at_;
  if (!kept_.all_by_value) {
    newest_ ^= 1;
    Arena& arena = copies_[newest_];
    arena.reset();
    for (std::size_t r = first; r < count_; ++r) {
      Value* const values = values_of(r);
      for (std::size_t i = 0; i < kept_.slots.size(); ++i)
        if (kept_.by_value[i] == 0) values[i] = copy_bytes(values[i], arena);
    }
  }
  if (taken_) restore_slots(kept_, values_of(first), ctx.slots);
}

}  // namespace wandian::sql
