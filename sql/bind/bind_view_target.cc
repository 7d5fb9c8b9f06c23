// Views that may be written to: what they show is rows of one table, so a statement on them is one on that table.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/catalog/stored_objects.h"
#include "sql/messages.h"

namespace wandian::sql {

namespace {

struct Verb {
  const char* message;
  const char* doing;
  const char* event;
};
Verb verb_of(Command command) {
  switch (command) {
    case Command::kInsert: return {"insert into", "inserting into", "INSERT"};
    case Command::kUpdate: return {"update", "updating", "UPDATE"};
    default: return {"delete from", "deleting from", "DELETE"};
  }
}

}  // namespace

const char* view_write_refusal(const Query& query) {
  if (query.distinct) return "Views containing DISTINCT are not automatically updatable.";
  if (!query.group_by.empty()) return "Views containing GROUP BY are not automatically updatable.";
  if (query.having != nullptr) return "Views containing HAVING are not automatically updatable.";
  if (query.set_operation != nullptr) return "Views containing UNION, INTERSECT, or EXCEPT are not automatically updatable.";
  if (!query.ctes.empty()) return "Views containing WITH are not automatically updatable.";
  if (query.limit != nullptr || query.offset != nullptr) return "Views containing LIMIT or OFFSET are not automatically updatable.";
  if (query.grouped || query.has_aggregates) return "Views that return aggregate functions are not automatically updatable.";
  if (query.has_target_sets) return "Views that return set-returning functions are not automatically updatable.";
  const bool single = query.from.size() == 1 && !query.from[0]->is_join && query.from[0]->range == 0 &&
                      (query.ranges[0]->kind == RangeKind::kTable || (query.ranges[0]->kind == RangeKind::kSubquery && query.ranges[0]->view != 0));
  if (!single) return "Views that do not select from a single table or view are not automatically updatable.";
  return nullptr;
}

std::vector<bool> view_updatable_columns(const Query& query) {
  std::vector<bool> out;
  const bool closed = view_write_refusal(query) != nullptr;
  std::vector<bool> inner;
  if (!closed && query.ranges[0]->kind == RangeKind::kSubquery) inner = view_updatable_columns(*query.ranges[0]->query);
  for (const TargetEntry& target : query.result_columns()) {
    const bool plain = !closed && !target.computed && target.expr->kind == ExprKind::kColumn && target.expr->as<ColumnExpr>().levels_up == 0 &&
                       target.expr->as<ColumnExpr>().column >= 0;
    out.push_back(plain && (query.ranges[0]->kind == RangeKind::kTable || inner[static_cast<std::size_t>(target.expr->as<ColumnExpr>().column)]));
  }
  return out;
}

bool has_instead_trigger(const TableDef& view, std::uint16_t event) {
  return std::any_of(view.triggers.begin(), view.triggers.end(), [event](const TriggerDef& trigger) {
    return (trigger.events & TriggerDef::kInstead) != 0 && (trigger.events & event) != 0;
  });
}

bool Binder::writes_by_triggers(const ObjectDef& view, Command command) {
  const std::shared_ptr<const TableDef> table = view_table(view);
  const std::uint16_t event = command == Command::kInsert ? TriggerDef::kInsert : command == Command::kUpdate ? TriggerDef::kUpdate : TriggerDef::kDelete;
  return table != nullptr && has_instead_trigger(*table, event);
}

void Binder::note_defaults(const ObjectDef& view, ViewTarget* target) {
  const std::optional<ViewDefinition> definition = ViewDefinition::decode(view.definition);
  for (std::size_t i = 0; definition && i < definition->columns.size(); ++i) {
    const ViewDefinition::Column& column = definition->columns[i];
    if (column.default_expression.empty()) continue;
    if (target->base[i] >= 0) {
      target->defaults[target->base[i]] = column.default_expression;
    } else {
      target->computed = column.name;
      target->computed_of = view.name;
    }
  }
}

// `cascaded`: a view in front of this one checks the conditions of those behind it.
ViewTarget Binder::open_view(const RangeEntry& entry, Command command, bool cascaded) {
  const Query& query = *entry.query;
  const std::string_view view = entry.name;
  cascaded = cascaded || entry.check_option == 'c';
  const Verb verb = verb_of(command);
  const auto refuse = [&](const char* why) {
    fail(Status{sqlstate::object_not_in_prerequisite_state, "cannot " + std::string(verb.message) + " view " + quoted(view)}
             .with_detail(why)
             .with_hint("To enable " + std::string(verb.doing) + " the view, provide an INSTEAD OF " + verb.event +
                        " trigger or an unconditional ON " + verb.event + " DO INSTEAD rule."));
  };
  if (const char* why = view_write_refusal(query)) refuse(why);
  const RangeEntry& source = *query.ranges[0];
  ViewTarget out;
  const std::shared_ptr<const ObjectDef> behind = source.kind == RangeKind::kSubquery ? catalog().object(ObjectKind::kView, source.view) : nullptr;
  const bool instead = behind != nullptr && writes_by_triggers(*behind, command);
  const bool nested = source.kind == RangeKind::kSubquery && !instead;
  ViewTarget inner;
  if (nested) inner = open_view(source, command, cascaded);
  out.has_sublinks = query.has_sublinks || inner.has_sublinks;
  // What the query says about its source, said about the table.
  const auto below = [&](const Expr* expr) -> const Expr* {
    if (!nested) return expr;
    return map_columns(arena_, expr, [&](const ColumnExpr& column, int below) -> const Expr* {
      if (column.levels_up != below || column.column < 0) return nullptr;
      return raise(inner.columns[static_cast<std::size_t>(column.column)].expr, below);
    });
  };
  bool updatable = false;
  for (const TargetEntry& target : query.result_columns()) {
    int base = -1;
    if (!target.computed && target.expr->kind == ExprKind::kColumn && target.expr->as<ColumnExpr>().levels_up == 0) {
      const int column = target.expr->as<ColumnExpr>().column;
      base = column < 0 ? -1 : nested ? inner.base[static_cast<std::size_t>(column)] : column;
    }
    updatable = updatable || base >= 0;
    out.base.push_back(base);
    out.columns.push_back({target.name, below(target.expr)});
  }
  if (!updatable && command != Command::kDelete) refuse("Views that have no updatable columns are not automatically updatable.");
  out.defaults = std::move(inner.defaults);
  out.computed = std::move(inner.computed);
  out.computed_of = std::move(inner.computed_of);
  if (const auto object = catalog().object(ObjectKind::kView, entry.view)) note_defaults(*object, &out);
  out.where = below(query.where);
  out.checks = inner.checks;
  if (out.where != nullptr && (cascaded || entry.check_option != 0)) out.checks.push_back({view, out.where});
  if (inner.where != nullptr) out.where = out.where == nullptr ? inner.where : bool_list(BoolOp::kAnd, {inner.where, out.where});
  out.instead = instead ? &source : inner.instead;
  out.table = nested ? inner.table : instead ? view_table(*behind) : catalog().table(source.table->oid);
  // Who writes through a view does to what is behind it what he does to the view, as the view's owner.
  access(source.access).privileges &= ~privilege::kSelect;
  ViewTarget::Level own{source.access, {}};
  for (const TargetEntry& target : query.result_columns()) {
    const bool plain = target.expr->kind == ExprKind::kColumn && target.expr->as<ColumnExpr>().levels_up == 0;
    own.columns.push_back(plain ? target.expr->as<ColumnExpr>().column : -1);
  }
  for (ViewTarget::Level& level : inner.levels) {
    std::vector<int> columns;
    for (const int column : own.columns) columns.push_back(column < 0 ? -1 : level.columns[static_cast<std::size_t>(column)]);
    level.columns = std::move(columns);
  }
  out.levels = std::move(inner.levels);
  out.levels.insert(out.levels.begin(), std::move(own));
  return out;
}

void Binder::refuse_view_column(std::string_view column, std::string_view view) const {
  fail(Status{sqlstate::feature_not_supported, "cannot " + std::string(verb_of(writing_).message) + " column " + quoted(column) + " of view " +
                                                   quoted(view.empty() ? view_target_->name : view)}
           .with_detail("View columns that are not columns of their base relation are not updatable."));
}

NsItem Binder::target_item(Scope& scope, int target) {
  NsItem item = make_item(scope, target);
  if (!view_target_) return item;
  item.entry = nullptr;
  item.range = -1;
  item.columns = view_target_->columns;
  item.is_view_target = true;
  item.schema = 0;
  item.schema_name = {};
  if (item.alias != view_target_->name) return item;
  item.schema = view_target_->schema;
  if (const auto schema = catalog().schema(item.schema)) item.schema_name = arena_.copy(schema->name);
  return item;
}

const Expr* Binder::with_view_condition(Scope&, const Expr* where) {
  if (!view_target_ || view_target_->where == nullptr) return where;
  return where == nullptr ? view_target_->where : bool_list(BoolOp::kAnd, {view_target_->where, where});
}

}  // namespace wandian::sql
