// What whoever runs a statement must be allowed to do, as far as its names say.
#include <algorithm>

#include "sql/access/privileges.h"
#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

std::uint32_t Binder::note_access(Oid relation, Privileges privileges) {
  RelationAccess& access = accesses_.emplace_back();
  access.relation = relation;
  access.privileges = privileges;
  access.check_as = check_as_;
  return static_cast<std::uint32_t>(accesses_.size());
}

namespace {

void add_read(RelationAccess& access, std::int16_t attribute) {
  access.privileges |= privilege::kSelect;
  RelationAccess::add(access.selected, attribute);
}

// Columns count from 0 here, attributes from 1; those of the system have their own, negative numbers.
std::int16_t attribute_of(int column) { return static_cast<std::int16_t>(column < 0 ? column : column + 1); }

}  // namespace

void Binder::note_read(Scope& scope, const Expr* expr) {
  any_node(expr, [&](const Expr* node) {
    if (node->kind != ExprKind::kColumn) return false;
    const auto& column = node->as<ColumnExpr>();
    Scope* level = &scope;
    for (unsigned up = column.levels_up; up > 0 && level != nullptr; --up) level = level->parent;
    if (level == nullptr || column.range >= level->ranges.size()) return false;
    if (const std::uint32_t number = level->ranges[column.range]->access; number != 0) add_read(access(number), attribute_of(column.column));
    return false;
  });
}

void Binder::note_target_read(int column) {
  if (!view_target_) {
    if (target_access_ != 0) add_read(access(target_access_), attribute_of(column));
    return;
  }
  for (const ViewTarget::Level& level : view_target_->levels) {
    const int there = column < 0 ? -1 : level.columns[static_cast<std::size_t>(column)];
    if (there >= 0) add_read(access(level.access), attribute_of(there));
    else access(level.access).privileges |= privilege::kSelect;
  }
}

void Binder::note_written(Command command, int column) {
  const auto add = [&](RelationAccess& access, int position) {
    RelationAccess::add(command == Command::kInsert ? access.inserted : access.updated, attribute_of(position));
  };
  if (!view_target_) {
    if (target_access_ != 0) add(access(target_access_), column);
    return;
  }
  const auto found = std::find(view_target_->base.begin(), view_target_->base.end(), column);
  if (found == view_target_->base.end()) return;
  const auto position = static_cast<std::size_t>(found - view_target_->base.begin());
  for (const ViewTarget::Level& level : view_target_->levels)
    if (level.columns[position] >= 0) add(access(level.access), level.columns[position]);
}

void Binder::note_target_command(Privileges privileges) {
  if (!view_target_) {
    if (target_access_ != 0) access(target_access_).privileges |= privileges;
    return;
  }
  for (const ViewTarget::Level& level : view_target_->levels) access(level.access).privileges |= privileges;
}

void Binder::note_executed(Oid function) {
  if (std::find(executed_.begin(), executed_.end(), function) == executed_.end()) executed_.push_back(function);
}

void Binder::check_schema(std::string_view schema, int location) const {
  if (context_.role == 0 || schema.empty() || stored_text_ || schema == "pg_catalog" || schema == "information_schema" || schema == "pg_temp") return;
  const std::optional<Oid> oid = catalog().find_schema(context_.database, schema);
  if (!oid) return;
  Status status = check_schema_usage({catalog(), context_.database, context_.role, context_.temporary_schema}, *oid);
  if (!status.ok()) fail(at(std::move(status), location));
}

}  // namespace wandian::sql
