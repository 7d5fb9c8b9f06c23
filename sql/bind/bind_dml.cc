// INSERT, UPDATE and DELETE.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/catalog/stored_objects.h"
#include "sql/expr/imply.h"
#include "sql/expr/tree.h"
#include "sql/index_expressions.h"
#include "sql/messages.h"
#include "sql/routine/trigger.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_plain_values(const PgQuery__SelectStmt& select) {
  return select.n_values_lists > 0 && select.n_sort_clause == 0 && select.limit_count == nullptr && select.limit_offset == nullptr &&
         select.n_locking_clause == 0 && select.with_clause == nullptr;
}

}  // namespace

namespace {

// Of MERGE, its actions say.
Privileges privilege_of(Command command) {
  switch (command) {
    case Command::kInsert: return privilege::kInsert;
    case Command::kUpdate: return privilege::kUpdate;
    case Command::kDelete: return privilege::kDelete;
    default: return 0;
  }
}

}  // namespace

// A view whose INSTEAD OF triggers get what a statement would write. Of INSERT nothing is read; elsewhere its sub-query gives the rows.
int Binder::bind_instead_target(Scope& scope, RangeEntry* entry, const ObjectDef& view, Command command) {
  entry->table = view_table(view).get();
  if (command == Command::kInsert) {
    entry->kind = RangeKind::kTable;
    entry->query = nullptr;
  }
  scope.query->instead_of = true;
  return add_range(scope, entry);
}

int Binder::bind_target_table(Scope& scope, const PgQuery__RangeVar& range, Command command) {
  writing_ = command;
  view_target_.reset();
  const std::string_view schema = range.schemaname != nullptr ? range.schemaname : "";
  const std::string_view table = range.relname;
  target_access_ = 0;
  check_schema(schema, range.location);
  if (schema.empty() && context_.transitions != nullptr && (table == context_.transitions->old_name || table == context_.transitions->new_name))
    fail(Status{sqlstate::feature_not_supported, "relation " + quoted(table) + " cannot be the target of a modifying statement"});
  const std::optional<FoundRelation> found = find_relation(context_, schema, table);
  if (!found) fail(at(undefined_relation(schema, table), range.location));
  switch (found->kind) {
    case FoundRelation::Kind::kTable:
      if (context_.fills_views || !catalog().table(found->oid)->is_materialized_view()) break;
      if (command == Command::kMerge) {
        fail(Status{sqlstate::feature_not_supported, "cannot execute MERGE on relation " + quoted(table)}.with_detail(
            "This operation is not supported for materialized views."));
      }
      fail(Status{sqlstate::wrong_object_type, "cannot change materialized view " + quoted(table)});
    case FoundRelation::Kind::kView:
      if (command == Command::kMerge) {
        fail(Status{sqlstate::feature_not_supported, "cannot execute MERGE on relation " + quoted(table)}.with_detail(
            "This operation is not supported for views."));
      }
      {
        auto view = catalog().object(ObjectKind::kView, found->oid);
        const std::uint32_t itself = note_access(view->oid, 0);   // checked before what is behind it
        const std::string_view outer_text = swap_text({});
        RangeEntry* entry = bind_view(*view, {});
        text_ = outer_text;
        const std::string_view alias = range.alias != nullptr ? name(range.alias->aliasname) : entry->name;
        if (writes_by_triggers(*view, command)) {
          entry->alias = alias;
          entry->access = target_access_ = itself;
          access(itself).privileges |= privilege_of(command);
          const int target = bind_instead_target(scope, entry, *view, command);
          depend_on(std::move(view));
          return target;
        }
        view_target_ = open_view(*entry, command, false);
        if (command != Command::kDelete) scope.query->view_checks = keep(view_target_->checks);
        for (std::size_t i = 0; i < view_target_->columns.size(); ++i) view_target_->columns[i].name = entry->columns[i].name;
        view_target_->name = entry->name;
        view_target_->schema = view->parent;
        scope.query->has_sublinks = scope.query->has_sublinks || view_target_->has_sublinks;
        ViewTarget::Level outermost{itself, {}};
        for (std::size_t i = 0; i < view_target_->columns.size(); ++i) outermost.columns.push_back(static_cast<int>(i));
        view_target_->levels.insert(view_target_->levels.begin(), std::move(outermost));
        note_target_command(privilege_of(command));
        depend_on(std::move(view));
        if (view_target_->instead == nullptr) return add_range(scope, make_table_entry(view_target_->table, alias));
        auto* behind = make<RangeEntry>(*view_target_->instead);
        behind->alias = alias;
        behind->access = 0;
        return bind_instead_target(scope, behind, *catalog().object(ObjectKind::kView, behind->view), command);
      }
    case FoundRelation::Kind::kSystem:
      if (context_.read_only) fail(read_only_refusal(command == Command::kMerge ? "MERGE" : command == Command::kInsert ? "INSERT" : command == Command::kUpdate ? "UPDATE" : "DELETE"));
      fail(Status{sqlstate::insufficient_privilege, "permission denied for table " + std::string(table)});
    case FoundRelation::Kind::kSequence:
      fail(Status{sqlstate::wrong_object_type, "cannot change sequence " + quoted(table)});
    case FoundRelation::Kind::kIndex:
      fail(at(Status{sqlstate::wrong_object_type, "cannot open relation " + quoted(table)}.with_detail(
                  "This operation is not supported for indexes."),
              range.location));
  }
  const std::string_view alias = range.alias != nullptr ? name(range.alias->aliasname) : std::string_view{};
  RangeEntry* entry = make_table_entry(catalog().table(found->oid), alias);
  entry->access = target_access_ = note_access(found->oid, privilege_of(command));
  entry->only = range.inh == 0;
  return add_range(scope, entry);
}

int Binder::find_target_column(const TableDef& table, std::string_view column, int location) {
  if (view_target_) {
    for (std::size_t i = 0; i < view_target_->columns.size(); ++i) {
      if (view_target_->columns[i].name != column) continue;
      if (view_target_->base[i] < 0) refuse_view_column(column);
      return view_target_->base[i];
    }
    fail(at(undefined_column(column, view_target_->name), location));
  }
  const int found = table.find_column(column);
  if (found >= 0) return found;
  for (const std::string_view system : {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"}) {
    if (system == column) {
      fail(at(Status{sqlstate::feature_not_supported, "cannot assign to system column " + quoted(column)}, location));
    }
  }
  fail(at(undefined_column(column, table.name), location));
}

// An expression that a definition keeps as text, in which no name of the statement means anything; `finish` gives it its type there.
const Expr* Binder::bind_default(std::string_view expression, const std::function<const Expr*(const Expr*)>& finish) {
  const std::string text = "SELECT " + std::string(expression);
  Result<ParsedStatements> parsed = ParsedStatements::parse(text);
  if (!parsed.ok()) fail(parsed.take_status());
  const std::string_view outer_text = swap_text({});
  BindVariables* const outer_variables = std::exchange(variables_, nullptr);
  const bool outer_stored = std::exchange(stored_text_, true);
  Scope& scope = scopes_.emplace_back();
  scope.place = Place::kDefault;
  const Expr* value = finish(bind_expr(scope, parsed->statements()[0].node->select_stmt->target_list[0]->res_target->val));
  text_ = outer_text;
  stored_text_ = outer_stored;
  variables_ = outer_variables;
  return value;
}

namespace {

// Whether the view that the statement names has a default for what is the table's column.
bool outermost_default(const Catalog& catalog, const ViewTarget& target, int column) {
  const auto found = catalog.find_relation(target.schema, std::string(target.name));
  const auto view = found ? catalog.object(ObjectKind::kView, found->oid) : nullptr;
  const auto definition = view != nullptr ? ViewDefinition::decode(view->definition) : std::nullopt;
  for (std::size_t i = 0; definition && i < definition->columns.size(); ++i)
    if (target.base[i] == column) return !definition->columns[i].default_expression.empty();
  return false;
}

}  // namespace

const std::string* Binder::view_default(int column) const {
  if (!view_target_) return nullptr;
  const auto found = view_target_->defaults.find(column);
  return found == view_target_->defaults.end() ? nullptr : &found->second;
}

const Expr* Binder::column_default(const TableDef& table, int column, int location) {
  const ColumnDef& def = table.columns[static_cast<std::size_t>(column)];
  const auto finish = [&](const Expr* value) { return coerce_assignment(value, def.type, def.typmod, def.name, location); };
  if (const std::string* of_view = view_default(column); of_view != nullptr && def.generated == 0) return bind_default(*of_view, finish);
  if (def.identity != 0) {
    // nextval of the sequence that the column owns; the owner of the table need not grant it.
    const SequenceDef* owned = nullptr;
    for (const auto& [oid, sequence] : catalog().sequences()) {
      if (sequence->owned_by_table != table.oid || sequence->owned_kind != 'i') continue;
      if (owned == nullptr || sequence->owned_by_column == column) owned = sequence.get();
    }
    if (owned == nullptr) {
      fail(Status{sqlstate::internal_error, "no owned sequence found for column " + quoted(def.name) + " of " + quoted(table.name)});
    }
    note_sequence(owned->oid);
    const Expr* sequence = make_constant(arena_, kRegclass, -1, Value::of_int(owned->oid));
    return coerce_assignment(make_call(&identity_function(), list({sequence}), kInt8, CallForm::kCall, -1), def.type, def.typmod, def.name, location);
  }
  // A generated column gets its value when the row is whole.
  if (def.generated != 0) return make_null(arena_, def.type);
  std::string expression = def.default_expression;
  if (expression.empty() && type_kind(def.type) == 'd') {
    note_type(def.type);
    expression = domain_default(def.type);
    // A domain has a say about null as well.
    if (expression.empty()) expression = "NULL";
  }
  if (expression.empty()) return make_null(arena_, def.type);
  return bind_default(expression, finish);
}

const Expr* Binder::assign(const TableDef& table, int column, const Expr* value, int location) {
  if (value->kind == ExprKind::kSetToDefault) return column_default(table, column, location);
  const ColumnDef& def = table.columns[static_cast<std::size_t>(column)];
  if (value->returns_set && value->kind != ExprKind::kFunction) {
    fail(at(Status{sqlstate::feature_not_supported, "set-returning functions are not allowed here"}, location));
  }
  return coerce_assignment(value, def.type, def.typmod, def.name, location);
}

const Expr* Binder::target_column(Scope& scope, const TableDef& table, int column) {
  for (std::size_t r = 0; r < scope.ranges.size(); ++r)
    if (scope.ranges[r]->kind != RangeKind::kExcluded && scope.ranges[r]->table == &table) return column_expr(*scope.ranges[r], static_cast<int>(r), column, 0, -1);
  fail(Status{sqlstate::internal_error, "the target is not among the relations of its statement"});
}

const Expr* Binder::assign_part(Scope& scope, const TableDef& table, int column, const PgQuery__ResTarget& target, const Expr* whole, const Expr* value) {
  const ColumnDef& def = table.columns[static_cast<std::size_t>(column)];
  if (value->kind == ExprKind::kSetToDefault) {
    const bool element = target.indirection[0]->node_case == PG_QUERY__NODE__NODE_A_INDICES;
    fail(at(Status{sqlstate::feature_not_supported, element ? "cannot set an array element to DEFAULT" : "cannot set a subfield to DEFAULT"}, target.location));
  }
  const std::span<PgQuery__Node* const> path(target.indirection, target.n_indirection);
  return coerce_assignment(store_part(scope, whole, def.type, path, value, def.name, target.location), def.type, def.typmod, def.name, target.location);
}

const Expr* Binder::store_part(Scope& scope, const Expr* whole, Oid type, std::span<PgQuery__Node* const> path, const Expr* value,
                               std::string_view column, int location) {
  if (path.empty()) return value;
  const Oid base = base_type(type);
  if (whole != nullptr) whole = without_domain(whole);
  if (path[0]->node_case == PG_QUERY__NODE__NODE_STRING) {
    const std::string_view field = string_value(path[0]);
    // What the rest of the path changes is the field as it is now.
    const Expr* old = nullptr;
    Oid field_type = 0;
    std::vector<RowField> fields;
    (void)CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(base, &fields);
    for (std::size_t i = 0; i < fields.size() && path.size() > 1; ++i) {
      if (fields[i].dropped || fields[i].name != field) continue;
      field_type = fields[i].type;
      if (whole == nullptr) break;
      auto* get = make<FieldExpr>();
      get->record = whole;
      get->field = static_cast<std::uint16_t>(i);
      get->name = field;
      get->type = field_type;
      get->typmod = fields[i].typmod;
      old = get;
    }
    return with_field(whole, type, field, store_part(scope, old, field_type, path.subspan(1), value, column, location), column, location);
  }
  std::size_t count = 0;
  while (count < path.size() && path[count]->node_case == PG_QUERY__NODE__NODE_A_INDICES) ++count;
  const Oid element = element_type_of(base);
  if ((element == 0 && base != kJsonb) || count == 0) {
    fail(at(Status{sqlstate::datatype_mismatch, "cannot subscript type " + type_text(type) + " because it does not support subscripting"}, location));
  }
  if (base == kJsonb && count != path.size()) {
    fail(at(Status{sqlstate::datatype_mismatch, "cannot assign to field " + quoted(string_value(path[count])) + " of column " + quoted(column) +
                                                    " because its type jsonb is not a composite type"},
            location));
  }
  if (base == kJsonb) return store_json(scope, whole, path.first(count), value, column, location);
  if (count != path.size()) fail(at(Status{sqlstate::feature_not_supported, "assignment to fields of array elements is not supported"}, location));
  auto* out = make<SubscriptExpr>();
  std::vector<const Expr*> upper, lower;
  const auto index = [&](const ParseNode* bound) -> const Expr* {
    if (bound == nullptr) return nullptr;
    const Expr* at_value = bind_in_place(scope, bound, Place::kUpdateSource);
    const Expr* as_int = coerce(at_value, kInt4, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
    if (as_int == nullptr) fail(at(Status{sqlstate::datatype_mismatch, "array subscript must have type integer"}, at_value->location));
    return as_int;
  };
  for (std::size_t i = 0; i < count; ++i) out->slice = out->slice || path[i]->a_indices->is_slice != 0;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__AIndices& indices = *path[i]->a_indices;
    if (out->slice) lower.push_back(indices.is_slice != 0 ? index(indices.lidx) : make_constant(arena_, kInt4, -1, Value::of_int(1)));
    upper.push_back(index(indices.uidx));
  }
  const Oid wanted = out->slice ? base : element;
  const Expr* stored = coerce_with_typmod(value, wanted, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
  if (stored == nullptr) {
    fail(at(Status{sqlstate::datatype_mismatch, "subscripted assignment to " + quoted(column) + " requires type " + type_text(wanted) +
                                                    " but expression is of type " + type_text(value->type)}
                .with_hint("You will need to rewrite or cast the expression."),
            location));
  }
  out->array = whole != nullptr ? whole : make_null(arena_, base);
  out->upper = keep(upper);
  out->lower = keep(lower);
  out->store = stored;
  out->type = base;
  out->location = location;
  return out;
}

const Expr* Binder::store_json(Scope& scope, const Expr* whole, std::span<PgQuery__Node* const> path, const Expr* value, std::string_view column,
                               int location) {
  auto* out = make<SubscriptExpr>();
  std::vector<const Expr*> keys;
  for (const PgQuery__Node* step : path) {
    const PgQuery__AIndices& indices = *step->a_indices;
    if (indices.is_slice != 0) {
      const Expr* bound = bind_in_place(scope, indices.uidx != nullptr ? indices.uidx : indices.lidx, Place::kUpdateSource);
      fail(at(Status{sqlstate::datatype_mismatch, "jsonb subscript does not support slices"}, bound->location));
    }
    keys.push_back(json_key(bind_in_place(scope, indices.uidx, Place::kUpdateSource), indices.uidx));
  }
  out->store = coerce_with_typmod(value, kJsonb, -1, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
  if (out->store == nullptr) {
    fail(at(Status{sqlstate::datatype_mismatch, "subscripted assignment to " + quoted(column) + " requires type jsonb but expression is of type " +
                                                    type_text(value->type)}
                .with_hint("You will need to rewrite or cast the expression."),
            location));
  }
  out->array = whole != nullptr ? whole : make_null(arena_, kJsonb);
  out->upper = keep(keys);
  out->type = kJsonb;
  out->location = location;
  return out;
}

void Binder::check_generated(const TableDef& table, int column, const Expr* value, int location, bool overriding_system) {
  const ColumnDef& def = table.columns[static_cast<std::size_t>(column)];
  if (def.generated != 0 && value->kind != ExprKind::kSetToDefault) {
    fail(Status{sqlstate::generated_always, "cannot insert a non-DEFAULT value into column " + quoted(def.name)}.with_detail(
        "Column " + quoted(def.name) + " is a generated column."));
  }
  if (def.identity != 'a' || overriding_system || value->kind == ExprKind::kSetToDefault) return;
  (void)location;
  fail(Status{sqlstate::generated_always, "cannot insert a non-DEFAULT value into column " + quoted(def.name)}
           .with_detail("Column " + quoted(def.name) + " is an identity column defined as GENERATED ALWAYS.")
           .with_hint("Use OVERRIDING SYSTEM VALUE to override."));
}

std::vector<Binder::InsertColumn> Binder::bind_insert_columns(const TableDef& table, PgQuery__Node** items, std::size_t count) {
  std::vector<InsertColumn> columns;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__ResTarget& item = *items[i]->res_target;
    // A system column is none that INSERT could name.
    if (!view_target_ && table.find_column(item.name) < 0) fail(at(undefined_column(item.name, table.name), item.location));
    const int column = find_target_column(table, item.name, item.location);
    const PgQuery__ResTarget* part = item.n_indirection > 0 ? &item : nullptr;
    if (std::any_of(columns.begin(), columns.end(), [&](const InsertColumn& c) { return c.column == column && (c.part == nullptr || part == nullptr); })) {
      fail(at(Status{sqlstate::duplicate_column, "column " + quoted(item.name) + " specified more than once"}, item.location));
    }
    columns.push_back({column, item.location, part});
  }
  if (count == 0 && view_target_) {
    for (const int base : view_target_->base) columns.push_back({base, -1});
    return columns;
  }
  for (std::size_t i = 0; count == 0 && i < table.columns.size(); ++i) {
    if (!table.columns[i].dropped) columns.push_back({static_cast<int>(i), -1});
  }
  return columns;
}

void Binder::check_insert_width(std::span<const InsertColumn> columns, bool listed, std::size_t width, const Expr* first_extra) {
  if (width > columns.size()) {
    fail(at(Status{sqlstate::syntax_error, "INSERT has more expressions than target columns"},
            first_extra != nullptr ? first_extra->location : -1));
  }
  if (listed && width < columns.size()) {
    fail(at(Status{sqlstate::syntax_error, "INSERT has more target columns than expressions"}, columns[width].location));
  }
  for (std::size_t i = 0; i < width; ++i) {
    if (columns[i].column < 0) refuse_view_column(view_target_->columns[i].name);
  }
}

std::span<const Assignment> Binder::complete_row(const TableDef& table, std::span<const Expr* const> values) {
  if (view_target_ && !view_target_->computed.empty()) refuse_view_column(view_target_->computed, view_target_->computed_of);
  std::vector<Assignment> assignments;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].dropped) continue;
    const Expr* value = values[i] != nullptr ? values[i] : column_default(table, static_cast<int>(i), -1);
    assignments.push_back({static_cast<std::uint16_t>(i), value});
  }
  return keep(assignments);
}

Query* Binder::bind_insert(const PgQuery__InsertStmt& insert, Scope* parent) {
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  auto* query = make<Query>();
  query->command = Command::kInsert;
  scope.query = query;
  bind_with(insert.with_clause, scope);
  const int target = bind_target_table(scope, *insert.relation, Command::kInsert);
  const TableDef& table = *scope.ranges[static_cast<std::size_t>(target)]->table;
  const bool overriding_system = insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_SYSTEM_VALUE;
  const bool overriding_user = insert.override == PG_QUERY__OVERRIDING_KIND__OVERRIDING_USER_VALUE;

  const bool listed = insert.n_cols > 0;
  std::vector<InsertColumn> columns = bind_insert_columns(table, insert.cols, insert.n_cols);
  std::vector<const Expr*> values(table.columns.size(), nullptr);
  const PgQuery__SelectStmt* source = insert.select_stmt != nullptr ? insert.select_stmt->select_stmt : nullptr;
  if (source == nullptr) {
    columns.clear();   // DEFAULT VALUES
  } else if (is_plain_values(*source)) {
    std::vector<std::vector<const Expr*>> rows;
    const Place place = source->n_values_lists == 1 ? Place::kInsertTarget : Place::kValues;
    for (std::size_t r = 0; r < source->n_values_lists; ++r) {
      const PgQuery__List& list_node = *source->values_lists[r]->list;
      std::vector<const Expr*> row;
      for (std::size_t i = 0; i < list_node.n_items; ++i) {
        const ParseNode* item = list_node.items[i];
        if (item->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && item->column_ref->n_fields > 0 &&
            item->column_ref->fields[item->column_ref->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR) {
          fail(at(Status{sqlstate::syntax_error, "SELECT * with no tables specified is not valid"}, item->column_ref->location));
        }
        row.push_back(bind_value(scope, item, place));
      }
      if (r > 0 && row.size() != rows[0].size()) {
        fail(at(Status{sqlstate::syntax_error, "VALUES lists must all be the same length"}, row.empty() ? -1 : row[0]->location));
      }
      check_insert_width(columns, listed, row.size(), row.size() > columns.size() ? row[columns.size()] : nullptr);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const int column = columns[i].column;
        const int location = row[i]->location;
        check_generated(table, column, row[i], location, overriding_system || overriding_user);
        if (overriding_user && table.columns[static_cast<std::size_t>(column)].identity != 0) {
          row[i] = column_default(table, column, location);
        }
        if (columns[i].part != nullptr) {
          if (source->n_values_lists > 1) {
            fail(at(Status{sqlstate::feature_not_supported, "assignment to parts of a column from several rows of VALUES is not supported"}, columns[i].location));
          }
          continue;   // below, with what the other parts are given
        }
        row[i] = assign(table, column, row[i], location);
      }
      rows.push_back(std::move(row));
    }
    columns.resize(std::min(columns.size(), rows[0].size()));
    if (rows.size() == 1) {
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const Expr*& value = values[static_cast<std::size_t>(columns[i].column)];
        value = columns[i].part != nullptr ? assign_part(scope, table, columns[i].column, *columns[i].part, value, rows[0][i]) : rows[0][i];
      }
    } else {
      auto* entry = make<RangeEntry>();
      entry->kind = RangeKind::kValues;
      entry->alias = entry->name = "*VALUES*";
      std::vector<RangeColumn> value_columns;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const ColumnDef& def = table.columns[static_cast<std::size_t>(columns[i].column)];
        value_columns.push_back({def.name, def.type, def.typmod, false, column_collation(def.type, def.collation)});
      }
      entry->columns = keep(value_columns);
      std::vector<ExprList> lists;
      lists.reserve(rows.size());
      for (const auto& row : rows) lists.push_back(keep(row));
      entry->values = keep(lists);
      const int range = add_range(scope, entry);
      auto* node = make<JoinNode>();
      node->range = static_cast<std::uint16_t>(range);
      query->from = keep(std::vector<const JoinNode*>{node});
      for (std::size_t i = 0; i < columns.size(); ++i) {
        values[static_cast<std::size_t>(columns[i].column)] = column_expr(*entry, range, static_cast<int>(i), 0, -1);
      }
    }
  } else {
    Query* select = bind_select(*source, &scope, false);
    std::vector<TargetEntry> targets(select->targets.begin(), select->targets.end());
    std::size_t width = 0;
    for (const TargetEntry& entry : targets) width += entry.junk ? 0 : 1;
    check_insert_width(columns, listed, width, width > columns.size() ? targets[columns.size()].expr : nullptr);
    columns.resize(std::min(columns.size(), width));
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (targets[i].expr->type == kUnknown && columns[i].part == nullptr) targets[i].expr = assign(table, columns[i].column, targets[i].expr, targets[i].expr->location);
    }
    select->targets = keep(targets);
    RangeEntry* entry = make_subquery_entry(select, nullptr, "*SELECT*");
    const int range = add_range(scope, entry);
    auto* node = make<JoinNode>();
    node->range = static_cast<std::uint16_t>(range);
    query->from = keep(std::vector<const JoinNode*>{node});
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const int column = columns[i].column;
      const Expr* value = column_expr(*entry, range, static_cast<int>(i), 0, targets[i].expr->location);
      check_generated(table, column, value, -1, overriding_system || overriding_user);
      if (columns[i].part != nullptr) {
        const Expr*& whole = values[static_cast<std::size_t>(column)];
        whole = assign_part(scope, table, column, *columns[i].part, whole, value);
      } else if (overriding_user && table.columns[static_cast<std::size_t>(column)].identity != 0) {
        values[static_cast<std::size_t>(column)] = column_default(table, column, -1);
      } else {
        values[static_cast<std::size_t>(column)] = assign(table, column, value, value->location);
      }
    }
  }
  for (const InsertColumn& column : columns) note_written(Command::kInsert, column.column);
  query->assignments = complete_row(table, values);

  scope.items.clear();
  scope.items.push_back(target_item(scope, target));
  if (insert.on_conflict_clause != nullptr) bind_on_conflict(scope, *insert.on_conflict_clause, table, *query);
  scope.items.resize(1);
  bind_returning(scope, insert.returning_list, insert.n_returning_list, *query);
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  finish_query(scope, *query);
  return query;
}

namespace {

// Whether ON CONFLICT over these columns and expressions, WHERE `condition`, means the unique index.
bool arbitrates(const TableDef& table, std::size_t i, std::span<const std::uint16_t> columns, std::span<const Expr* const> expressions,
                const Expr* condition) {
  const IndexDef& index = table.indexes[i];
  if (!index.unique || (i == 0 && table.hidden_row_number)) return false;
  const CompiledIndexKeys* keys = table.is_computed(static_cast<unsigned>(i)) ? index_expressions(table) : nullptr;
  std::size_t plain = 0;
  for (std::size_t p = 0; p < index.key_parts; ++p) {
    const IndexPart& part = index.parts[p];
    if (part.column != kExpressionPart) {
      ++plain;
      if (std::find(columns.begin(), columns.end(), part.column) == columns.end()) return false;
      continue;
    }
    const Expr* own = keys->index(i).parts[p].expr();
    if (std::none_of(expressions.begin(), expressions.end(), [&](const Expr* expr) { return equal(expr, own); })) return false;
  }
  for (const std::uint16_t column : columns)
    if (std::none_of(index.parts.begin(), index.parts.begin() + index.key_parts, [&](const IndexPart& part) { return part.column == column; })) return false;
  for (const Expr* expr : expressions) {
    bool named = false;
    for (std::size_t p = 0; keys != nullptr && p < index.key_parts; ++p) {
      const Expr* own = keys->index(i).parts[p].expr();
      named = named || (own != nullptr && equal(expr, own));
    }
    if (!named) return false;
  }
  if (keys == nullptr || keys->index(i).condition() == nullptr) return true;
  const std::vector<const Expr*> given = split_conjuncts(condition);
  return implied_by(given, keys->index(i).condition()) == Implied::kYes;
}

}  // namespace

void Binder::bind_on_conflict(Scope& scope, const PgQuery__OnConflictClause& clause, const TableDef& table, Query& query) {
  OnConflict& out = query.on_conflict;
  const bool update = clause.action == PG_QUERY__ON_CONFLICT_ACTION__ONCONFLICT_UPDATE;
  out.action = update ? ConflictAction::kUpdate : ConflictAction::kNothing;
  if (update) note_target_command(privilege::kUpdate);
  std::vector<std::uint16_t> indexes;
  // What rows are compared by is read.
  const auto note_arbiter = [&](std::uint16_t column) {
    if (!view_target_) return note_target_read(column);
    const auto found = std::find(view_target_->base.begin(), view_target_->base.end(), static_cast<int>(column));
    if (found != view_target_->base.end()) note_target_read(static_cast<int>(found - view_target_->base.begin()));
  };
  const PgQuery__InferClause* infer = clause.infer;
  if (infer == nullptr) {
    if (update) {
      fail(at(Status{sqlstate::syntax_error, "ON CONFLICT DO UPDATE requires inference specification or constraint name"}.with_hint(
                  "For example, ON CONFLICT (column_name)."),
              clause.location));
    }
    out.any_index = true;
    for (std::size_t i = 0; i < table.indexes.size(); ++i) {
      if (table.indexes[i].unique && !(i == 0 && table.hidden_row_number)) indexes.push_back(static_cast<std::uint16_t>(i));
    }
  } else if (infer->conname != nullptr && *infer->conname != '\0') {
    for (std::size_t i = 0; i < table.indexes.size(); ++i) {
      if (table.indexes[i].name == infer->conname && table.indexes[i].constraint != 0 && table.indexes[i].unique) {
        indexes.push_back(static_cast<std::uint16_t>(i));
        for (std::size_t part = 0; part < table.indexes[i].key_parts; ++part) note_arbiter(table.indexes[i].parts[part].column);
      }
    }
    if (indexes.empty()) {
      fail(Status{sqlstate::undefined_object,
                  "constraint " + quoted(infer->conname) + " for table " + quoted(table.name) + " does not exist"});
    }
  } else {
    std::vector<std::uint16_t> wanted;
    std::vector<const Expr*> expressions;
    for (std::size_t i = 0; i < infer->n_index_elems; ++i) {
      const PgQuery__IndexElem& element = *infer->index_elems[i]->index_elem;
      if (element.ordering != PG_QUERY__SORT_BY_DIR__SORTBY_DEFAULT) {
        fail(at(Status{sqlstate::invalid_column_reference, "ASC/DESC is not allowed in ON CONFLICT clause"}, infer->location));
      }
      if (element.nulls_ordering != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_DEFAULT) {
        fail(at(Status{sqlstate::invalid_column_reference, "NULLS FIRST/LAST is not allowed in ON CONFLICT clause"}, infer->location));
      }
      std::string_view column;
      int location = infer->location;
      if (element.name != nullptr && *element.name != '\0') {
        column = element.name;
      } else if (element.expr != nullptr && element.expr->node_case == PG_QUERY__NODE__NODE_COLUMN_REF &&
                 element.expr->column_ref->n_fields == 1) {
        column = string_value(element.expr->column_ref->fields[0]);
        location = element.expr->column_ref->location;
      } else {
        expressions.push_back(fold(bind_in_place(scope, element.expr, Place::kIndex)));
        continue;
      }
      const int found = view_target_ ? find_target_column(table, column, location) : table.find_column(column);
      if (found < 0) missing_column(scope, {}, column, location);
      const auto position = static_cast<std::uint16_t>(found);
      note_arbiter(position);
      if (std::find(wanted.begin(), wanted.end(), position) == wanted.end()) wanted.push_back(position);
    }
    const Expr* condition = infer->where_clause != nullptr ? fold(bind_condition(scope, infer->where_clause, Place::kIndexPredicate, "WHERE")) : nullptr;
    for (std::size_t i = 0; i < table.indexes.size(); ++i)
      if (arbitrates(table, i, wanted, expressions, condition)) indexes.push_back(static_cast<std::uint16_t>(i));
    if (indexes.empty()) {
      fail(Status{sqlstate::invalid_column_reference,
                  "there is no unique or exclusion constraint matching the ON CONFLICT specification"});
    }
  }
  for (const std::uint16_t i : indexes)
    if (table.indexes[i].deferrable)
      fail(Status{sqlstate::object_not_in_prerequisite_state,
                  "ON CONFLICT does not support deferrable unique constraints/exclusion constraints as arbiters"}
               .with_constraint(table.indexes[i].name));
  for (const std::uint16_t i : indexes)
    if (table.indexes[i].counted && !table.indexes[i].deferrable)
      fail(Status{sqlstate::feature_not_supported, "ON CONFLICT is not supported with NULLS NOT DISTINCT where the index lacks the columns the table is placed by"});
  out.indexes = keep(indexes);
  if (!update) return;

  auto* excluded = make<RangeEntry>(*scope.ranges[0]);
  excluded->kind = RangeKind::kExcluded;
  excluded->alias = excluded->name = "excluded";
  const int range = add_range(scope, excluded);
  out.excluded = static_cast<std::uint16_t>(range);
  NsItem item = make_item(scope, range);
  item.schema = 0;
  item.schema_name = {};
  if (view_target_) {
    item.entry = nullptr;
    item.range = -1;
    for (NamedExpr column : view_target_->columns) {
      column.expr = rewrite(arena_, column.expr, [&](const Expr* node) -> const Expr* {
        if (node->kind != ExprKind::kColumn) return nullptr;
        auto* moved = make<ColumnExpr>(node->as<ColumnExpr>());
        moved->range = static_cast<std::uint16_t>(range);
        return moved;
      });
      item.columns.push_back(column);
    }
  }
  scope.items.push_back(item);
  out.assignments = keep(bind_set_list(scope, table, clause.target_list, clause.n_target_list));
  out.where = bind_condition(scope, clause.where_clause, Place::kConflictWhere, "WHERE");
}

std::vector<Assignment> Binder::bind_set_list(Scope& scope, const TableDef& table, PgQuery__Node** items, std::size_t count) {
  std::vector<Assignment> out;
  std::vector<bool> in_parts(table.columns.size(), false);
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__ResTarget& item = *items[i]->res_target;
    const Expr* value = nullptr;
    if (item.val->node_case == PG_QUERY__NODE__NODE_MULTI_ASSIGN_REF) {
      const PgQuery__MultiAssignRef& ref = *item.val->multi_assign_ref;
      const auto mismatch = [&](int location) {
        fail(at(Status{sqlstate::syntax_error, "number of columns does not match number of values"}, location));
      };
      if (ref.source->node_case == PG_QUERY__NODE__NODE_ROW_EXPR) {
        const PgQuery__RowExpr& row = *ref.source->row_expr;
        if (static_cast<int>(row.n_args) != ref.ncolumns) mismatch(row.location);
        value = bind_value(scope, row.args[ref.colno - 1], Place::kUpdateSource);
      } else if (ref.source->node_case == PG_QUERY__NODE__NODE_SUB_LINK &&
                 ref.source->sub_link->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK) {
        const PgQuery__SubLink& source = *ref.source->sub_link;
        // The grammar repeats the sub-select for each column; it is bound and run once.
        const SubLinkExpr*& shared = multi_assignments_[static_cast<std::uint64_t>(source.location)];
        if (ref.colno == 1 || shared == nullptr) {
          auto* link = make<SubLinkExpr>();
          link->link = SubLinkKind::kRow;
          link->query = bind_query_node(source.subselect, &scope, false);
          link->type = kRecord;
          link->location = source.location;
          scope.query->has_sublinks = true;
          shared = link;
        }
        // Literals of no type yet take the column's.
        std::vector<TargetEntry> targets(shared->query->targets.begin(), shared->query->targets.end());
        const auto visible = std::count_if(targets.begin(), targets.end(), [](const TargetEntry& t) { return !t.junk; });
        if (visible != ref.ncolumns) mismatch(source.location);
        TargetEntry& target = targets[static_cast<std::size_t>(ref.colno - 1)];
        if (target.expr->type == kUnknown) {
          const int column = find_target_column(table, item.name, item.location);
          target.expr = assign(table, column, target.expr, target.expr->location);
          const_cast<Query*>(shared->query)->targets = keep(targets);
        }
        auto* field = make<FieldExpr>();
        field->record = shared;
        field->field = static_cast<std::uint16_t>(ref.colno - 1);
        field->name = target.name;
        field->type = target.expr->type;
        field->typmod = target.expr->typmod;
        field->location = source.location;
        value = field;
      } else {
        fail(at(Status{sqlstate::feature_not_supported,
                       "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression"},
                item.location));
      }
    } else {
      value = bind_value(scope, item.val, Place::kUpdateSource);
    }
    const int column = find_target_column(table, item.name, item.location);
    note_written(Command::kUpdate, column);
    const ColumnDef& def = table.columns[static_cast<std::size_t>(column)];
    if (def.identity == 'a' && value->kind != ExprKind::kSetToDefault) {
      fail(Status{sqlstate::generated_always, "column " + quoted(def.name) + " can only be updated to DEFAULT"}.with_detail(
          "Column " + quoted(def.name) + " is an identity column defined as GENERATED ALWAYS."));
    }
    if (def.generated != 0) {
      if (value->kind == ExprKind::kSetToDefault) continue;
      fail(Status{sqlstate::generated_always, "column " + quoted(def.name) + " can only be updated to DEFAULT"}.with_detail(
          "Column " + quoted(def.name) + " is a generated column."));
    }
    // Where a view's column has no default of its own it is null, whatever those behind it have.
    const bool plain_default = value->kind == ExprKind::kSetToDefault && def.identity == 0 && item.n_indirection == 0;
    if (plain_default && view_target_ && !outermost_default(catalog(), *view_target_, column)) value = make_null(arena_, kUnknown);
    Assignment* before = nullptr;
    for (Assignment& earlier : out) {
      if (earlier.column != column) continue;
      before = &earlier;
      if (item.n_indirection == 0 || !in_parts[static_cast<std::size_t>(column)])
        fail(Status{sqlstate::syntax_error, "multiple assignments to same column " + quoted(def.name)});
    }
    if (item.n_indirection > 0) {
      in_parts[static_cast<std::size_t>(column)] = true;
      const Expr* whole = before != nullptr ? before->value : target_column(scope, table, column);
      whole = assign_part(scope, table, column, item, whole, value);
      if (before != nullptr) before->value = whole;
      else out.push_back({static_cast<std::uint16_t>(column), whole});
      continue;
    }
    const int location = value->location >= 0 ? value->location : item.location;
    out.push_back({static_cast<std::uint16_t>(column), assign(table, column, value, location)});
  }
  return out;
}

void Binder::bind_returning(Scope& scope, PgQuery__Node** items, std::size_t count, Query& query) {
  if (count == 0) return;
  std::vector<TargetEntry> targets = bind_target_list(scope, items, count, Place::kReturning);
  resolve_unknown_targets(targets);
  query.returning = keep(targets);
}

Query* Binder::bind_update(const PgQuery__UpdateStmt& update, Scope* parent) {
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  auto* query = make<Query>();
  query->command = Command::kUpdate;
  scope.query = query;
  bind_with(update.with_clause, scope);
  const int target = bind_target_table(scope, *update.relation, Command::kUpdate);
  const TableDef& table = *scope.ranges[static_cast<std::size_t>(target)]->table;
  scope.items.push_back(target_item(scope, target));
  // Sub-selects in FROM do not see the target.
  scope.items[0].lateral_only = true;
  scope.items[0].lateral_ok = false;
  bind_from(scope, *query, update.from_clause, update.n_from_clause);
  bind_target_condition(scope, update.where_clause, *query);
  bind_returning(scope, update.returning_list, update.n_returning_list, *query);
  query->assignments = keep(bind_set_list(scope, table, update.target_list, update.n_target_list));
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  finish_query(scope, *query);
  return query;
}

void Binder::bind_target_condition(Scope& scope, const ParseNode* where, Query& query) {
  if (where == nullptr || where->node_case != PG_QUERY__NODE__NODE_CURRENT_OF_EXPR) {
    query.where = with_view_condition(scope, bind_condition(scope, where, Place::kWhere, "WHERE"));
    return;
  }
  if (view_target_) fail(Status{sqlstate::feature_not_supported, "WHERE CURRENT OF on a view is not implemented"});
  const std::string_view cursor = arena_.copy(std::string_view(where->current_of_expr->cursor_name));
  // A cursor variable of PL/pgSQL holds the cursor's name.
  const Expr* variable = find_variable(std::span(&cursor, 1), -1, true);
  const bool holds_name = variable != nullptr && variable->kind == ExprKind::kParam && variable->type == kRefcursor;
  query.current_of = holds_name ? variable : text_constant(cursor, -1);
}

Query* Binder::bind_delete(const PgQuery__DeleteStmt& del, Scope* parent) {
  Scope& scope = scopes_.emplace_back();
  scope.parent = parent;
  auto* query = make<Query>();
  query->command = Command::kDelete;
  scope.query = query;
  bind_with(del.with_clause, scope);
  const int target = bind_target_table(scope, *del.relation, Command::kDelete);
  scope.items.push_back(target_item(scope, target));
  scope.items[0].lateral_only = true;
  scope.items[0].lateral_ok = false;
  bind_from(scope, *query, del.using_clause, del.n_using_clause);
  bind_target_condition(scope, del.where_clause, *query);
  bind_returning(scope, del.returning_list, del.n_returning_list, *query);
  query->ranges = copy_list<const RangeEntry*>(arena_, std::vector<const RangeEntry*>(scope.ranges.begin(), scope.ranges.end()));
  finish_query(scope, *query);
  return query;
}

}  // namespace wandian::sql
