// Rewriting the columns of an expression through all the queries inside it: what stands on a view is put onto what the view shows.
#include <map>

#include "sql/bind/bound.h"
#include "sql/expr/tree.h"

namespace wandian::sql {

namespace {

class ColumnRewriter {
 public:
  ColumnRewriter(Arena& arena, const ColumnMapper& map) : arena_(arena), map_(map) {}

  const Expr* of(const Expr* expr, int level) {
    if (expr == nullptr) return nullptr;
    if (expr->kind == ExprKind::kColumn) {
      const Expr* mapped = map_(expr->as<ColumnExpr>(), level);
      return mapped != nullptr ? mapped : expr;
    }
    const Expr* out = mutate_children(arena_, expr, [&](const Expr* child) { return of(child, level); });
    if (out->kind != ExprKind::kSubLink) return out;
    auto* link = make_node<SubLinkExpr>(arena_, out->as<SubLinkExpr>());
    link->query = of(*link->query, level + 1);
    return link;
  }

 private:
  const Query* of(const Query& source, int level) {
    auto* out = make_node<Query>(arena_, source);
    std::vector<const CommonTable*> ctes;
    for (const CommonTable* cte : source.ctes) {
      auto* copy = make_node<CommonTable>(arena_, *cte);
      ctes_[cte] = copy;
      ctes.push_back(copy);
      if (cte->query != nullptr) copy->query = of(*cte->query, level + 1);
    }
    out->ctes = copy_list(arena_, ctes);
    out->ranges = list(source.ranges, [&](const RangeEntry* entry) { return of(*entry, level); });
    out->from = list(source.from, [&](const JoinNode* node) { return of(*node, level); });
    out->where = of(source.where, level);
    out->having = of(source.having, level);
    out->limit = of(source.limit, level);
    out->offset = of(source.offset, level);
    out->windows = list(source.windows, [&](WindowDefinition window) {
      window.partition_by = of(window.partition_by, level);
      window.order_by = of(window.order_by, level);
      window.frame.start_offset = of(window.frame.start_offset, level);
      window.frame.end_offset = of(window.frame.end_offset, level);
      return window;
    });
    out->targets = list(source.targets, [&](TargetEntry target) {
      target.expr = of(target.expr, level);
      return target;
    });
    if (source.set_operation != nullptr) {
      auto* operation = make_node<SetOperation>(arena_, *source.set_operation);
      operation->inputs = list(operation->inputs, [&](SetInput input) {
        input.outputs = of(input.outputs, level);
        return input;
      });
      out->set_operation = operation;
    }
    return out;
  }
  const RangeEntry* of(const RangeEntry& source, int level) {
    auto* out = make_node<RangeEntry>(arena_, source);
    if (source.query != nullptr) out->query = of(*source.query, level + 1);
    out->functions = list(source.functions, [&](RangeFunction function) {
      function.call = of(function.call, level);
      return function;
    });
    out->values = list(source.values, [&](ExprList row) { return of(row, level); });
    if (const auto cte = ctes_.find(source.cte); cte != ctes_.end()) out->cte = cte->second;
    return out;
  }
  const JoinNode* of(const JoinNode& source, int level) {
    if (!source.is_join) return &source;
    auto* out = make_node<JoinNode>(arena_, source);
    out->left = of(*source.left, level);
    out->right = of(*source.right, level);
    out->on = of(source.on, level);
    return out;
  }
  ExprList of(ExprList source, int level) {
    return list(source, [&](const Expr* expr) { return of(expr, level); });
  }
  std::span<const SortKey> of(std::span<const SortKey> source, int level) {
    return list(source, [&](SortKey key) {
      key.expr = of(key.expr, level);
      return key;
    });
  }
  template <class T, class Change>
  std::span<const T> list(std::span<const T> source, Change change) {
    std::vector<T> out;
    for (const T& item : source) out.push_back(change(item));
    return copy_list(arena_, out);
  }

  Arena& arena_;
  const ColumnMapper& map_;
  std::map<const CommonTable*, const CommonTable*> ctes_;   // of queries that have been rewritten
};

}  // namespace

const Expr* map_columns(Arena& arena, const Expr* expr, const ColumnMapper& map) { return ColumnRewriter(arena, map).of(expr, 0); }

}  // namespace wandian::sql
