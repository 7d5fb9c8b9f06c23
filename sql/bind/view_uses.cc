#include "sql/bind/view_uses.h"

#include <vector>

#include "sql/expr/tree.h"
#include "sql/routine/routine.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {

// Collects what a query itself names; views that it reads are named, not looked into.
class UseCollector {
 public:
  explicit UseCollector(ViewUses* out) : out_(*out) {}

  void visit(const Query& query) {
    levels_.push_back(&query);
    for (const RangeEntry* range : query.ranges) visit_range(*range);
    for (const CommonTable* table : query.ctes)
      if (table->query != nullptr) visit(*table->query);
    any_query_expr(query, false, [&](const Expr* expr, int) {
      any_node(expr, [&](const Expr* node) {
        visit_node(node);
        return false;
      });
      return false;
    });
    levels_.pop_back();
  }

 private:
  void visit_range(const RangeEntry& range) {
    if (range.view != 0) out_.relations.insert(range.view);
    else if (range.query != nullptr) visit(*range.query);
    if (range.table != nullptr) out_.relations.insert(range.table->oid);
  }

  void visit_node(const Expr* node) {
    switch (node->kind) {
      case ExprKind::kSubLink:
        if (node->as<SubLinkExpr>().query != nullptr) visit(*node->as<SubLinkExpr>().query);
        return;
      case ExprKind::kColumn: visit_column(node->as<ColumnExpr>()); return;
      case ExprKind::kConst:
        note_type(node->type);
        if (node->type == type_oid::kRegclass && !node->as<ConstExpr>().value.is_null) out_.relations.insert(static_cast<Oid>(node->as<ConstExpr>().value.i));
        return;
      case ExprKind::kFunction:
        if (const auto* function = node->as<FunctionExpr>().function; function != nullptr && function->routine != nullptr)
          out_.relations.insert(function->routine->oid);
        return;
      case ExprKind::kRelabel: case ExprKind::kIoCast: case ExprKind::kDomain: case ExprKind::kArrayCast: case ExprKind::kRow: note_type(node->type); return;
      default: return;
    }
  }

  void visit_column(const ColumnExpr& column) {
    if (column.column < 0 || column.levels_up >= levels_.size()) return;
    const Query& query = *levels_[levels_.size() - 1 - column.levels_up];
    if (column.range >= query.ranges.size()) return;
    const RangeEntry& range = *query.ranges[column.range];
    const Oid relation = range.table != nullptr ? range.table->oid : range.view;
    if (relation != 0) out_.columns.emplace(relation, static_cast<std::uint16_t>(column.column));
  }

  void note_type(Oid type) {
    if (const TypeInfo* info = find_type(type); info != nullptr && info->category == 'A' && info->element != 0) type = info->element;
    if (type < kFirstUserOid) return;
    const Oid row_of = relation_of_row_type(type);
    out_.relations.insert(type);
    if (row_of != 0) out_.relations.insert(row_of);
  }

  ViewUses& out_;
  std::vector<const Query*> levels_;
};

}  // namespace

ViewUses view_uses(std::string_view definition, const BindContext& context) {
  ViewUses out;
  const std::optional<ViewDefinition> view = ViewDefinition::decode(definition);
  if (!view) return out;
  const Result<std::shared_ptr<const BoundStatement>> bound = bind_view_query(*view, context, true);
  if (bound.ok() && bound.value()->query != nullptr) UseCollector(&out).visit(*bound.value()->query);
  return out;
}

}  // namespace wandian::sql
