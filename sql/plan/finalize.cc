// What can be said only when the whole tree stands: which columns each scan reads, which slots sorts and hash tables keep, which
// subtrees depend on rows from outside, and where expressions put their results.
#include <algorithm>

#include "sql/plan/planner.h"

namespace wandian::sql {

namespace {

using SlotSet = std::vector<bool>;

class Finalizer {
 public:
  Finalizer(PlanBody& body, const std::map<std::uint32_t, Slot>& markers) : body_(body), markers_(markers), width_(body.slots.size()) {}

  void run(const std::vector<std::pair<PlanNode*, RangeInfo*>>& scans) {
    for (const auto& [node, range] : scans) tell_columns(*node, *range);
    if (!body_.init_plans.empty()) settle_init_plans();
    // Bottom up: what each node gives and what it reads from outside. CTEs come first; they were planned in the order of use.
    for (PlanCte& cte : body_.ctes) {
      if (cte.plan) give(*cte.plan);
      cte_free_.push_back(cte.plan ? cte.plan->free_slots : std::vector<Slot>());
    }
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) give_subselect(*plan);
    if (body_.root) give(*body_.root);
    for (PlanCte& cte : body_.ctes)
      if (cte.modify) give_returning(*cte.modify);
    if (body_.modify) give_returning(*body_.modify);
    const auto of_modifies = [&](const auto& act) {
      for (PlanCte& cte : body_.ctes)
        if (cte.modify) act(*cte.modify);
      if (body_.modify) act(*body_.modify);
    };
    of_modifies([&](ModifyPlan& modify) {
      if (modify.conflict_node) give(*modify.conflict_node);
    });
    // Top down: what is wanted.
    for (PlanCte& cte : body_.ctes) {
      SlotSet wanted(width_, false);
      mark(wanted, cte.saved.slots);
      if (cte.modify) mark_modify(*cte.modify, wanted);
      if (cte.plan) want(*cte.plan, wanted);
      fill(cte.saved);
      if (cte.modify) {
        fill(cte.modify->others);
        fill(cte.modify->returning_slots);
      }
    }
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) want_subselect(*plan);
    if (body_.root) {
      SlotSet wanted(width_, false);
      mark(wanted, body_.outputs);
      if (body_.modify) mark_modify(*body_.modify, wanted);
      want(*body_.root, wanted);
    }
    of_modifies([&](ModifyPlan& modify) {
      if (!modify.conflict_node) return;
      SlotSet wanted(width_, false);
      for (const ModifyPlan::Set& item : modify.conflict_sets) mark(wanted, item.value);
      mark(wanted, modify.conflict_where);
      want(*modify.conflict_node, wanted);
    });
    of_modifies([&](ModifyPlan& modify) {
      if (!modify.returning_node) return;
      SlotSet wanted(width_, false);
      for (const PlanExpr& expr : modify.returning) mark(wanted, expr);
      want(*modify.returning_node, wanted);
    });
    if (body_.modify) {
      fill(body_.modify->others);
      fill(body_.modify->returning_slots);
    }
    // A plan that only an init plan or a CTE reads needs its place in the numbering, too.
    for (PlanCte& cte : body_.ctes)
      if (cte.plan) number(*cte.plan);
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) number(*plan->plan);
    if (body_.root) number(*body_.root);
    of_modifies([&](ModifyPlan& modify) {
      if (modify.returning_node) number(*modify.returning_node);
      if (modify.conflict_node) number(*modify.conflict_node);
    });
  }

 private:
  void mark(SlotSet& set, std::span<const Slot> slots) const {
    for (const Slot slot : slots)
      if (slot != kNoSlot) set[slot] = true;
  }
  void mark(SlotSet& set, const PlanExpr& expr) const {
    if (!expr) return;
    std::vector<Slot> slots;
    collect_slots(expr.expr, slots);
    mark(set, slots);
  }
  static std::vector<Slot> list(const SlotSet& set) {
    std::vector<Slot> out;
    for (std::size_t i = 0; i < set.size(); ++i)
      if (set[i]) out.push_back(static_cast<Slot>(i));
    return out;
  }
  void fill(SavedSlots& saved) const {
    saved.by_value.clear();
    saved.all_by_value = true;
    for (const Slot slot : saved.slots) {
      saved.by_value.push_back(body_.slots[slot].by_value ? 1 : 0);
      saved.all_by_value = saved.all_by_value && body_.slots[slot].by_value;
    }
  }
  void add_wanted(SavedSlots& saved, const std::vector<Slot>& visible, const SlotSet& wanted) const {
    for (const Slot slot : visible)
      if (wanted[slot] && !contains(saved.slots, slot)) saved.slots.push_back(slot);
    fill(saved);
  }

  static void tell_columns(PlanNode& node, const RangeInfo& range) {
    std::vector<ScanColumn> columns;
    for (const auto& [column, slot] : range.columns()) columns.push_back({column, slot});
    std::sort(columns.begin(), columns.end(), [](const ScanColumn& a, const ScanColumn& b) { return a.column < b.column; });
    switch (node.type) {
      case NodeType::kScan: {
        auto& scan = static_cast<ScanNode&>(node);
        std::vector<Slot> filter;
        if (scan.filter) collect_slots(scan.filter.expr, filter);
        for (const ScanColumn& c : columns) (contains(filter, c.slot) ? scan.filter_columns : scan.columns).push_back(c);
        scan.system = range.system_columns();
        break;
      }
      case NodeType::kPartitions: static_cast<PartitionsNode&>(node).table_slot = range.table_slot; break;
      case NodeType::kSystemScan: static_cast<SystemScanNode&>(node).columns = std::move(columns); break;
      case NodeType::kFunctionScan: static_cast<FunctionScanNode&>(node).columns = std::move(columns); break;
      case NodeType::kTransitionScan: static_cast<TransitionScanNode&>(node).columns = std::move(columns); break;
      case NodeType::kValues:
        for (const ScanColumn& c : columns) static_cast<ValuesNode&>(node).slots[c.column] = c.slot;
        break;
      case NodeType::kCteScan:
        for (const ScanColumn& c : columns) static_cast<CteScanNode&>(node).columns.emplace_back(c.column, c.slot);
        break;
      case NodeType::kWorkScan:
        for (const ScanColumn& c : columns) static_cast<WorkScanNode&>(node).columns.emplace_back(c.column, c.slot);
        break;
      default: break;
    }
  }

  // Slots the node's own expressions read, those of its sub-selects from outside included.
  SlotSet reads(const PlanNode& node) const {
    SlotSet set(width_, false);
    switch (node.type) {
      case NodeType::kResult: mark(set, node.as<ResultNode>().filter); break;
      case NodeType::kScan: {
        const auto& scan = node.as<ScanNode>();
        mark(set, scan.filter);
        for (const KeyCondition& c : scan.equals) mark(set, c.value);
        mark(set, scan.lower), mark(set, scan.upper), mark(set, scan.inverted);
        for (const auto& [column, expr] : scan.known) mark(set, expr);
        break;
      }
      case NodeType::kPartitions:
        if (const auto& level = node.as<PartitionsNode>().level) mark_level(set, *level);
        break;
      case NodeType::kSystemScan: mark(set, node.as<SystemScanNode>().filter); break;
      case NodeType::kTransitionScan: mark(set, node.as<TransitionScanNode>().filter); break;
      case NodeType::kFunctionScan:
        for (const PlanFunction& f : node.as<FunctionScanNode>().functions) {
          for (const PlanExpr& arg : f.args) mark(set, arg);
          mark(set, f.value);
        }
        break;
      case NodeType::kValues:
        for (const std::vector<PlanExpr>& row : node.as<ValuesNode>().rows_exprs)
          for (const PlanExpr& expr : row) mark(set, expr);
        break;
      case NodeType::kCteScan: mark(set, cte_free_[node.as<CteScanNode>().cte]); break;
      case NodeType::kWorkScan:
        if (const auto at = markers_.find(node.as<WorkScanNode>().work); at != markers_.end()) set[at->second] = true;
        break;
      case NodeType::kFilter: mark(set, node.as<FilterNode>().filter); break;
      case NodeType::kProject:
      case NodeType::kProjectSet: {
        const auto& project = node.as<ProjectNode>();
        for (const auto& [expr, slot] : project.items) mark(set, expr);
        for (const ProjectNode::SetItem& item : project.sets)
          for (const PlanExpr& arg : item.args) mark(set, arg);
        break;
      }
      case NodeType::kNestLoop:
      case NodeType::kHashJoin: {
        const auto& join = node.as<JoinPlanNode>();
        mark(set, join.filter);
        mark(set, join.left_keys), mark(set, join.right_keys);
        break;
      }
      case NodeType::kSort:
        for (const SortSlot& key : node.as<SortNode>().keys) set[key.slot] = true;
        mark(set, node.as<SortNode>().limit), mark(set, node.as<SortNode>().offset);
        break;
      case NodeType::kAggregate: {
        const auto& aggregate = node.as<AggregateNode>();
        mark(set, aggregate.groups);
        for (const PlanAggregate& call : aggregate.aggregates) {
          for (const PlanExpr& arg : call.args) mark(set, arg);
          for (const PlanExpr& arg : call.direct_args) mark(set, arg);
          for (const PlanExpr& expr : call.order_exprs) mark(set, expr);
          mark(set, call.filter);
        }
        break;
      }
      case NodeType::kWindow: {
        const auto& window = node.as<WindowNode>();
        mark(set, window_slots(window));
        mark(set, window.start_offset), mark(set, window.end_offset);
        break;
      }
      case NodeType::kGroupingSets: mark(set, node.as<GroupingSetsNode>().inputs); break;
      case NodeType::kUnique: mark(set, node.as<UniqueNode>().keys.slots); break;
      case NodeType::kLimit: {
        const auto& limit = node.as<LimitNode>();
        mark(set, limit.limit), mark(set, limit.offset);
        mark(set, limit.tie_slots.slots);
        break;
      }
      case NodeType::kAppend:
        for (const std::vector<Slot>& input : node.as<AppendNode>().inputs) mark(set, input);
        break;
      case NodeType::kSetOp:
        for (const std::vector<Slot>& input : node.as<SetOpNode>().inputs) mark(set, input);
        break;
      case NodeType::kRecursiveUnion:
        for (const std::vector<Slot>& input : node.as<RecursiveUnionNode>().inputs) mark(set, input);
        break;
      case NodeType::kApply:
        for (const std::unique_ptr<PlanSubselect>& plan : node.as<ApplyNode>().subselects) mark(set, subselect_reads(*plan));
        break;
      case NodeType::kLockRows: {
        const auto& locks = node.as<LockRowsNode>();
        mark(set, locks.recheck);
        for (const PlanRowMark& m : locks.marks) {
          set[m.key_slot] = set[m.partition_slot] = true;
          for (const ScanColumn& c : m.columns) set[c.slot] = true;
          for (const ScanColumn& c : m.system) set[c.slot] = true;
          if (m.table_slot != kNoSlot) set[m.table_slot] = true;
        }
        break;
      }
      default: break;
    }
    return set;
  }
  void mark_filter(SlotSet& set, const PartitionFilter& filter) const {
    for (const PartitionCondition& condition : filter.conditions) mark(set, condition.value);
    for (const std::vector<PartitionFilter>& list : filter.alternatives)
      for (const PartitionFilter& one : list) mark_filter(set, one);
  }
  void mark_level(SlotSet& set, const PartitionLevel& level) const {
    mark_filter(set, level.filter);
    for (const auto& below : level.levels)
      if (below != nullptr) mark_level(set, *below);
  }
  // What a window's rows are kept for: its keys, and what its functions read.
  static std::vector<Slot> window_slots(const WindowNode& window) {
    std::vector<Slot> out;
    const auto add = [&](Slot slot) {
      if (slot != kNoSlot && !contains(out, slot)) out.push_back(slot);
    };
    for (const SortSlot& key : window.partition) add(key.slot);
    for (const SortSlot& key : window.order) add(key.slot);
    for (const PlanWindowCall& call : window.calls) {
      for (const Slot arg : call.args) add(arg);
      add(call.filter);
    }
    return out;
  }
  // What a sub-select reads from outside.
  std::vector<Slot> subselect_reads(const PlanSubselect& plan) const {
    SlotSet set(width_, false);
    mark(set, plan.guard);
    if (plan.init >= 0) return list(set);
    mark(set, plan.test);
    for (const PlanExpr& expr : plan.hash_left) mark(set, expr);
    for (const Slot slot : plan.plan->visible) set[slot] = false;
    for (const Slot slot : plan.outputs) set[slot] = false;
    mark(set, plan.plan->free_slots);
    return list(set);
  }

  // What the sub-selects of RETURNING read is kept of the row, and of the other tables' rows; what they give is not.
  void give_returning(ModifyPlan& modify) {
    if (!modify.returning_node) return;
    PlanNode& node = *modify.returning_node;
    give(node);
    const auto given = [&](Slot slot) { return contains(node.visible, slot); };
    std::erase_if(modify.returning_slots.slots, given);
    std::erase_if(modify.others.slots, given);
    const auto add = [](std::vector<Slot>& slots, Slot slot) {
      if (!contains(slots, slot)) slots.push_back(slot);
    };
    for (const Slot slot : node.free_slots) {
      add(modify.returning_slots.slots, slot);
      bool own = slot == modify.table_slot;
      for (const std::vector<ScanColumn>* columns : {&modify.target_columns, &modify.target_system, &modify.returning_columns})
        for (const ScanColumn& c : *columns) own = own || c.slot == slot;
      if (!own) add(modify.others.slots, slot);
    }
  }

  void give_subselect(PlanSubselect& plan) {
    if (plan.plan) give(*plan.plan);
  }

  // An init plan is computed when a row asks for it, if all that read it stand above an ApplyNode that asks; else before the first row.
  void settle_init_plans() {
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) plan->lazy = true;
    const SlotSet nothing(width_, false);
    const auto gives = [&](const NodePtr& root, SlotSet asked, std::span<const Slot> outputs) {
      if (root) asked = asked_in(*root, std::move(asked));
      demand(outputs, asked);
      return asked;
    };
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) gives(plan->plan, nothing, plan->outputs);
    for (const PlanCte& cte : body_.ctes) {
      const SlotSet asked = gives(cte.plan, nothing, cte.saved.slots);
      if (cte.modify) demand(*cte.modify, asked);
    }
    const SlotSet asked = gives(body_.root, nothing, body_.outputs);
    if (body_.modify) demand(*body_.modify, asked);
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) drop_questions(plan->plan);
    for (PlanCte& cte : body_.ctes) {
      drop_questions(cte.plan);
      if (cte.modify) drop_questions(*cte.modify);
    }
    drop_questions(body_.root);
    if (body_.modify) drop_questions(*body_.modify);
  }
  void demand(const SlotSet& read, const SlotSet& asked) {
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans)
      if (read[plan->out] && !asked[plan->out]) plan->lazy = false;
  }
  void demand(std::span<const Slot> read, const SlotSet& asked) {
    SlotSet set(width_, false);
    mark(set, read);
    demand(set, asked);
  }
  void demand(const ModifyPlan& modify, const SlotSet& asked) {
    SlotSet returned(width_, false), decided(width_, false);
    for (const PlanExpr& expr : modify.returning) mark(returned, expr);
    demand(returned, modify.returning_node ? asked_in(*modify.returning_node, asked) : asked);
    for (const ModifyPlan::Set& item : modify.conflict_sets) mark(decided, item.value);
    mark(decided, modify.conflict_where);
    demand(decided, modify.conflict_node ? asked_in(*modify.conflict_node, asked) : asked);
    SlotSet written(width_, false);
    for (const ModifyPlan::Set& item : modify.sets) mark(written, item.value);
    mark(written, modify.recheck);
    for (const ModifyPlan::Check& check : modify.checks) mark(written, check.condition);
    for (const ModifyPlan::Action& action : modify.actions) {
      mark(written, action.condition);
      for (const ModifyPlan::Set& item : action.sets) mark(written, item.value);
    }
    demand(written, asked);
  }
  // Demands what the node's expressions read that has not been asked for; gives what has been when a row of it is there.
  SlotSet asked_in(const PlanNode& node, SlotSet asked) {
    const SlotSet before = asked;
    const auto add = [&](const SlotSet& more) {
      for (std::size_t i = 0; i < width_; ++i) asked[i] = asked[i] || more[i];
    };
    // The inner side of a nested loop runs for rows of the outer one.
    for (const NodePtr& child : node.children) add(asked_in(*child, node.type == NodeType::kNestLoop ? asked : before));
    if (node.type == NodeType::kCteScan || node.type == NodeType::kWorkScan) return asked;
    if (node.type != NodeType::kApply) {
      demand(reads(node), asked);
      return asked;
    }
    for (const std::unique_ptr<PlanSubselect>& plan : node.as<ApplyNode>().subselects) {
      SlotSet read(width_, false);
      mark(read, plan->guard);
      demand(read, asked);
      if (plan->init >= 0) {
        asked[plan->out] = true;
        continue;
      }
      const SlotSet inside = asked_in(*plan->plan, asked);
      demand(plan->outputs, inside);
      read = SlotSet(width_, false);
      mark(read, plan->test);
      for (const PlanExpr& expr : plan->hash_left) mark(read, expr);
      demand(read, asked);
    }
    return asked;
  }
  void drop_questions(ModifyPlan& modify) {
    drop_questions(modify.returning_node);
    drop_questions(modify.conflict_node);
  }
  // Nobody has to ask for what is there before the first row.
  void drop_questions(NodePtr& node) {
    if (!node) return;
    for (NodePtr& child : node->children) drop_questions(child);
    if (node->type != NodeType::kApply) return;
    auto& subselects = static_cast<ApplyNode&>(*node).subselects;
    std::erase_if(subselects, [&](const auto& plan) { return plan->init >= 0 && !body_.init_plans[static_cast<std::size_t>(plan->init)]->lazy; });
    for (const std::unique_ptr<PlanSubselect>& plan : subselects) drop_questions(plan->plan);
    if (!subselects.empty()) return;
    NodePtr child = std::move(node->children[0]);
    node = std::move(child);
  }

  // Sets visible and free_slots.
  void give(PlanNode& node) {
    for (const NodePtr& child : node.children) give(*child);
    if (node.type == NodeType::kApply)
      for (const std::unique_ptr<PlanSubselect>& plan : static_cast<ApplyNode&>(node).subselects) give_subselect(*plan);
    SlotSet visible(width_, false);
    std::vector<Slot> own;
    const bool replaces = node.type == NodeType::kAppend || node.type == NodeType::kSetOp || node.type == NodeType::kRecursiveUnion;
    if (!replaces)
      for (const NodePtr& child : node.children) mark(visible, child->visible);
    const auto add_columns = [&](const std::vector<ScanColumn>& columns) {
      for (const ScanColumn& c : columns) own.push_back(c.slot);
    };
    switch (node.type) {
      case NodeType::kScan: {
        auto& scan = static_cast<ScanNode&>(node);
        add_columns(scan.filter_columns);
        add_columns(scan.columns);
        add_columns(scan.system);
        if (scan.key_slot != kNoSlot) own.push_back(scan.key_slot), own.push_back(scan.partition_slot);
        break;
      }
      case NodeType::kPartitions:
        if (const Slot slot = static_cast<PartitionsNode&>(node).table_slot; slot != kNoSlot) own.push_back(slot);
        break;
      case NodeType::kSystemScan: add_columns(static_cast<SystemScanNode&>(node).columns); break;
      case NodeType::kFunctionScan: add_columns(static_cast<FunctionScanNode&>(node).columns); break;
      case NodeType::kTransitionScan: add_columns(static_cast<TransitionScanNode&>(node).columns); break;
      case NodeType::kValues:
        for (const Slot slot : static_cast<ValuesNode&>(node).slots)
          if (slot != kNoSlot) own.push_back(slot);
        break;
      case NodeType::kCteScan:
        for (const auto& [position, slot] : static_cast<CteScanNode&>(node).columns) own.push_back(slot);
        break;
      case NodeType::kWorkScan:
        for (const auto& [position, slot] : static_cast<WorkScanNode&>(node).columns) own.push_back(slot);
        break;
      case NodeType::kProject:
      case NodeType::kProjectSet:
        for (const auto& [expr, slot] : static_cast<ProjectNode&>(node).items) own.push_back(slot);
        break;
      case NodeType::kAggregate:
        for (const PlanAggregate& call : static_cast<AggregateNode&>(node).aggregates) own.push_back(call.out);
        break;
      case NodeType::kWindow:
        for (const PlanWindowCall& call : static_cast<WindowNode&>(node).calls) own.push_back(call.out);
        break;
      case NodeType::kGroupingSets: {
        auto& sets = static_cast<GroupingSetsNode&>(node);
        own = sets.outputs;
        own.push_back(sets.set_slot);
        for (const auto& [slot, values] : sets.groupings) own.push_back(slot);
        break;
      }
      case NodeType::kAppend: own = static_cast<AppendNode&>(node).outputs; break;
      case NodeType::kSetOp: own = static_cast<SetOpNode&>(node).outputs; break;
      case NodeType::kRecursiveUnion: own = static_cast<RecursiveUnionNode&>(node).outputs; break;
      case NodeType::kApply:
        for (const std::unique_ptr<PlanSubselect>& plan : static_cast<ApplyNode&>(node).subselects)
          if (plan->init < 0) own.push_back(plan->out);
        break;
      default: break;
    }
    mark(visible, own);
    for (const Slot slot : own)
      if (!body_.slots[slot].by_value) node.pointer_slots.push_back(slot);
    // Free: read here or below, given by nobody here or below.
    SlotSet free = reads(node);
    for (const NodePtr& child : node.children) mark(free, child->free_slots);
    SlotSet given = visible;
    for (const NodePtr& child : node.children) mark(given, child->visible);
    // Init plans are constants.
    for (const std::unique_ptr<PlanSubselect>& plan : body_.init_plans) given[plan->out] = true;
    if (node.type == NodeType::kRecursiveUnion)
      if (const auto at = markers_.find(static_cast<RecursiveUnionNode&>(node).work); at != markers_.end()) given[at->second] = true;
    for (std::size_t i = 0; i < width_; ++i)
      if (given[i]) free[i] = false;
    node.visible = list(visible);
    node.free_slots = list(free);
    if (node.type == NodeType::kWith)
      std::erase_if(static_cast<WithNode&>(node).ctes, [&](std::uint32_t cte) { return cte >= cte_free_.size() || cte_free_[cte].empty(); });
  }

  // Computes nothing for rows of which only their being there counts.
  static void drop_targets(PlanNode& root) {
    PlanNode* node = &root;
    if (node->type == NodeType::kLimit && !static_cast<LimitNode&>(*node).with_ties) node = node->children[0].get();
    if (node->type != NodeType::kProject) return;
    std::erase_if(static_cast<ProjectNode&>(*node).items, [](const auto& item) { return !contains_volatile(item.first.expr); });
  }

  void want_subselect(PlanSubselect& plan) {
    if (plan.init >= 0) return;
    if (plan.kind == SubLinkKind::kExists) drop_targets(*plan.plan);
    SlotSet wanted(width_, false);
    if (plan.kind != SubLinkKind::kExists) mark(wanted, plan.outputs);   // of EXISTS nobody reads what the rows hold
    mark(wanted, plan.test);
    want(*plan.plan, wanted);
    fill(plan.saved);
  }

  // Nobody asks for them, so nobody is told of their errors either; what is volatile is computed all the same.
  void drop_unwanted(ProjectNode& project, const SlotSet& above) const {
    SlotSet read(above.size(), false);
    for (const auto& [expr, slot] : project.items) mark(read, expr);
    const auto unwanted = [&](const auto& item) { return !above[item.second] && !read[item.second] && !contains_volatile(item.first.expr); };
    for (const auto& item : project.items)
      if (unwanted(item)) std::erase(project.pointer_slots, item.second);
    std::erase_if(project.items, unwanted);
  }

  static void drop_unwanted(AppendNode& append, const SlotSet& above) {
    for (std::size_t i = append.outputs.size(); i-- > 0;) {
      const Slot slot = append.outputs[i];
      if (slot == kNoSlot || above[slot]) continue;
      std::erase(append.pointer_slots, slot);
      append.outputs.erase(append.outputs.begin() + static_cast<std::ptrdiff_t>(i));
      for (std::vector<Slot>& input : append.inputs) input.erase(input.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void want(PlanNode& node, const SlotSet& above) {
    if (node.type == NodeType::kProject) drop_unwanted(static_cast<ProjectNode&>(node), above);
    if (node.type == NodeType::kAppend) drop_unwanted(static_cast<AppendNode&>(node), above);
    SlotSet wanted = above;
    mark(wanted, list(reads(node)));
    for (const NodePtr& child : node.children) mark(wanted, child->free_slots);
    switch (node.type) {
      case NodeType::kSort: {
        auto& sort = static_cast<SortNode&>(node);
        for (const SortSlot& key : sort.keys)
          if (!contains(sort.saved.slots, key.slot)) sort.saved.slots.push_back(key.slot);
        add_wanted(sort.saved, node.children[0]->visible, above);
        break;
      }
      case NodeType::kMaterialize: add_wanted(static_cast<MaterializeNode&>(node).saved, node.children[0]->visible, above); break;
      case NodeType::kHashJoin: {
        auto& join = static_cast<JoinPlanNode&>(node);
        join.saved.slots = join.right_keys;
        SlotSet kept = above;
        mark(kept, join.filter);
        add_wanted(join.saved, node.children[1]->visible, kept);
        break;
      }
      case NodeType::kAggregate: {
        auto& aggregate = static_cast<AggregateNode&>(node);
        aggregate.saved.slots = aggregate.groups;
        SlotSet kept = above;
        for (const PlanAggregate& call : aggregate.aggregates) {
          for (const PlanExpr& arg : call.direct_args) mark(kept, arg);
          kept[call.out] = false;
        }
        if (aggregate.strategy != AggStrategy::kPlain) add_wanted(aggregate.saved, node.children[0]->visible, kept);
        fill(aggregate.saved);
        break;
      }
      case NodeType::kWindow: {
        auto& window = static_cast<WindowNode&>(node);
        SlotSet kept = above;
        mark(kept, window_slots(window));
        for (const PlanWindowCall& call : window.calls) kept[call.out] = false;
        // Slots from outside the input stay as they are in the frame.
        add_wanted(window.saved, node.children[0]->visible, kept);
        break;
      }
      case NodeType::kUnique: fill(static_cast<UniqueNode&>(node).keys); break;
      case NodeType::kLimit: fill(static_cast<LimitNode&>(node).tie_slots); break;
      case NodeType::kSetOp: fill(static_cast<SetOpNode&>(node).saved); break;
      case NodeType::kRecursiveUnion: fill(static_cast<RecursiveUnionNode&>(node).saved); break;
      case NodeType::kApply:
        for (const std::unique_ptr<PlanSubselect>& plan : static_cast<ApplyNode&>(node).subselects) want_subselect(*plan);
        break;
      default: break;
    }
    std::erase_if(node.visible, [&](Slot slot) { return !above[slot]; });
    for (const NodePtr& child : node.children) want(*child, wanted);
  }

  void mark_modify(const ModifyPlan& modify, SlotSet& set) const {
    for (const ModifyPlan::Set& item : modify.sets) mark(set, item.value);
    mark(set, modify.recheck);
    for (const PlanExpr& expr : modify.returning) mark(set, expr);
    mark(set, modify.others.slots);
    for (const ModifyPlan::Set& item : modify.conflict_sets) mark(set, item.value);
    mark(set, modify.conflict_where);
    for (const ModifyPlan::Check& check : modify.checks) mark(set, check.condition);
    for (const ModifyPlan::Action& action : modify.actions) {
      mark(set, action.condition);
      for (const ModifyPlan::Set& item : action.sets) mark(set, item.value);
    }
    if (modify.instead_of)
      for (const ScanColumn& c : modify.target_columns) set[c.slot] = true;
    if (modify.key_slot != kNoSlot) set[modify.key_slot] = set[modify.partition_slot] = true;
    if (modify.key_slot != kNoSlot && modify.table_slot != kNoSlot) set[modify.table_slot] = true;
  }

  // Sources and joins have memory of their own for a row's values; what only passes rows on uses its child's.
  void number(PlanNode& node) {
    node.id = body_.nodes++;
    for (const NodePtr& child : node.children) number(*child);
    switch (node.type) {
      case NodeType::kPartitions:
        // One of them is at work at a time.
        body_.arenas -= static_cast<std::uint32_t>(node.children.size());
        node.arena = body_.arenas++;
        for (const NodePtr& child : node.children) child->arena = node.arena;
        break;
      case NodeType::kFilter:
      case NodeType::kProject:
      case NodeType::kLockRows:
      case NodeType::kUnique:
      case NodeType::kLimit:
      case NodeType::kGroupingSets:
      case NodeType::kWith: node.arena = node.children[0]->arena; break;
      default: node.arena = body_.arenas++;
    }
    if (node.type == NodeType::kApply)
      for (const std::unique_ptr<PlanSubselect>& plan : static_cast<ApplyNode&>(node).subselects)
        if (plan->plan) number(*plan->plan);
  }

  PlanBody& body_;
  const std::map<std::uint32_t, Slot>& markers_;
  const std::size_t width_;
  std::vector<std::vector<Slot>> cte_free_;
};

}  // namespace

void finalize_plan(PlanBody& body, const std::vector<std::pair<PlanNode*, RangeInfo*>>& scans,
                   const std::map<std::uint32_t, Slot>& work_markers) {
  Finalizer(body, work_markers).run(scans);
}

}  // namespace wandian::sql
