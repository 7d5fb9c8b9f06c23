// Column references: what a name in an expression stands for, and what * expands to.
#include <algorithm>
#include <charconv>

#include "sql/bind/internal.h"
#include "sql/messages.h"
#include "sql/routine/routine.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

const Expr* Binder::column_expr(const RangeEntry& entry, int range, int column, int levels_up, int location) {
  const RangeColumn& info = entry.columns[static_cast<std::size_t>(column)];
  auto* out = make<ColumnExpr>();
  out->range = static_cast<std::uint16_t>(range);
  out->column = static_cast<std::int16_t>(column);
  out->levels_up = static_cast<std::uint16_t>(levels_up);
  out->type = info.type;
  out->typmod = info.typmod;
  out->collation = info.collation;
  collated_ = collated_ || info.collation != 0;
  out->location = location;
  return out;
}

const Expr* Binder::raise(const Expr* expr, int levels_up) {
  if (levels_up == 0) return expr;
  return map_columns(arena_, expr, [&](const ColumnExpr& column, int below) -> const Expr* {
    if (column.levels_up < below) return nullptr;
    auto* out = make<ColumnExpr>(column);
    out->levels_up = static_cast<std::uint16_t>(out->levels_up + levels_up);
    return out;
  });
}

void Binder::mark_correlated(Scope& scope, int levels_up) {
  Scope* at = &scope;
  for (int i = 0; i < levels_up && at != nullptr; ++i, at = at->parent) {
    if (at->query != nullptr) at->query->correlated = true;
  }
}

const Expr* Binder::item_column(Scope& scope, const NsItem& item, std::string_view column, int levels_up, int location) {
  const Expr* found = nullptr;
  const auto twice = [&] {
    fail(at(Status{sqlstate::ambiguous_column, "column reference " + quoted(column) + " is ambiguous"}, location));
  };
  if (item.entry == nullptr) {
    for (std::size_t i = 0; i < item.columns.size(); ++i) {
      const NamedExpr& candidate = item.columns[i];
      if (candidate.name != column) continue;
      if (found != nullptr) twice();
      auto* copy = const_cast<Expr*>(raise(candidate.expr, levels_up));
      found = copy;
      if (item.is_view_target) note_target_read(static_cast<int>(i));
    }
  } else {
    for (std::size_t i = 0; i < item.entry->columns.size(); ++i) {
      const RangeColumn& candidate = item.entry->columns[i];
      if (candidate.hidden || candidate.name != column) continue;
      if (found != nullptr) twice();
      found = column_expr(*item.entry, item.range, static_cast<int>(i), levels_up, location);
    }
    // Generation expressions and checks find them too, to be told that they may not use them.
    if (found == nullptr && (item.entry->kind == RangeKind::kTable || item.entry->kind == RangeKind::kSystem || scope.place == Place::kGenerated ||
                             scope.place == Place::kCheck)) {
      for (std::int16_t system = kCtidColumn; system >= kTableOidColumn; --system) {
        if (system_column_name(system) != column) continue;
        if (scope.place == Place::kCheck && system == kTableOidColumn) break;
        if (scope.place == Place::kCheck) {
          fail(at(Status{sqlstate::invalid_column_reference, "system column " + quoted(column) + " reference in check constraint is invalid"}, location));
        }
        if (item.entry->kind == RangeKind::kSystem) {
          // Rows of catalogs have no versions of their own to show.
          Value value = system == kTableOidColumn ? Value::of_int(item.entry->system->oid) : Value::of_int(1);
          if (system == kCtidColumn) break;
          return make_constant(arena_, system_column_type(system), -1, value);
        }
        auto* out = make<ColumnExpr>();
        out->range = static_cast<std::uint16_t>(item.range);
        out->column = system;
        out->levels_up = static_cast<std::uint16_t>(levels_up);
        out->type = system_column_type(system);
        out->location = location;
        found = out;
      }
    }
  }
  if (found == nullptr) return nullptr;
  if (item.lateral_only && !item.lateral_ok) {
    fail(at(Status{sqlstate::invalid_column_reference, "invalid reference to FROM-clause entry for table " + quoted(item.alias)}.with_detail(
                "The combining JOIN type must be INNER or LEFT for a LATERAL reference."),
            location));
  }
  mark_correlated(scope, levels_up);
  note_read(scope, found);
  return found;
}

const Expr* Binder::find_column(Scope& scope, std::string_view column, int location) {
  int levels_up = 0;
  for (Scope* level = &scope; level != nullptr; level = level->parent, ++levels_up) {
    const Expr* found = nullptr;
    for (const NsItem& item : level->items) {
      if (!item.columns_visible) continue;
      if (item.lateral_only && !level->lateral_active) continue;
      const Expr* candidate = item_column(scope, item, column, levels_up, location);
      if (candidate == nullptr) continue;
      // System columns of several tables hide behind each other only if the name is qualified.
      if (found != nullptr) {
        fail(at(Status{sqlstate::ambiguous_column, "column reference " + quoted(column) + " is ambiguous"}, location));
      }
      found = candidate;
    }
    if (found != nullptr) return found;
  }
  return nullptr;
}

const NsItem* Binder::find_item(Scope& scope, std::string_view schema, std::string_view name, int* levels_up, int location) {
  *levels_up = 0;
  for (Scope* level = &scope; level != nullptr; level = level->parent, ++*levels_up) {
    const NsItem* found = nullptr;
    for (const NsItem& item : level->items) {
      if (!item.relation_visible || item.alias != name) continue;
      if (item.lateral_only && !level->lateral_active) continue;
      if (!schema.empty() && item.schema_name != schema) continue;
      if (found != nullptr) {
        fail(at(Status{sqlstate::ambiguous_alias, "table reference " + quoted(name) + " is ambiguous"}, location));
      }
      found = &item;
    }
    if (found != nullptr) return found;
  }
  return nullptr;
}

void Binder::missing_relation(Scope& scope, std::string_view schema, std::string_view name, int location) {
  // The table may be there under an alias, or out of reach.
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const RangeEntry* entry : level->ranges) {
      if (entry->kind != RangeKind::kTable && entry->kind != RangeKind::kCte && entry->kind != RangeKind::kSystem) continue;
      if (entry->name == name && entry->alias != name) {
        fail(at(Status{sqlstate::undefined_table, "invalid reference to FROM-clause entry for table " + quoted(name)}.with_hint(
                    "Perhaps you meant to reference the table alias " + quoted(entry->alias) + "."),
                location));
      }
    }
    for (const RangeEntry* entry : level->ranges) {
      if (entry->alias == name) {
        const bool reachable_by_lateral = std::any_of(level->items.begin(), level->items.end(), [&](const NsItem& item) {
          return item.alias == name && item.lateral_only;
        });
        Status status = Status{sqlstate::undefined_table, "invalid reference to FROM-clause entry for table " + quoted(name)}.with_hint(
            "There is an entry for table " + quoted(name) + ", but it cannot be referenced from this part of the query.");
        (void)reachable_by_lateral;
        fail(at(std::move(status), location));
      }
    }
  }
  std::string full = schema.empty() ? std::string(name) : std::string(schema) + "." + std::string(name);
  fail(at(Status{sqlstate::undefined_table, "missing FROM-clause entry for table " + quoted(full)}, location));
}

std::vector<NamedExpr> Binder::expand_item(Scope& scope, const NsItem& item, int levels_up, int location, bool read) {
  std::vector<NamedExpr> out;
  mark_correlated(scope, levels_up);
  if (item.entry == nullptr) {
    for (const NamedExpr& column : item.columns) out.push_back({column.name, raise(column.expr, levels_up)});
    for (std::size_t i = 0; read && item.is_view_target && i < item.columns.size(); ++i) note_target_read(static_cast<int>(i));
  } else {
    for (std::size_t i = 0; i < item.entry->columns.size(); ++i) {
      if (item.entry->columns[i].hidden) continue;
      out.push_back({item.entry->columns[i].name, column_expr(*item.entry, item.range, static_cast<int>(i), levels_up, location)});
    }
  }
  for (std::size_t i = 0; read && i < out.size(); ++i) note_read(scope, out[i].expr);
  return out;
}

const Expr* Binder::whole_row(Scope& scope, const NsItem& item, int levels_up, int location) {
  // A function in FROM that returns one column is that column.
  if (item.entry != nullptr && item.entry->kind == RangeKind::kFunction && item.entry->columns.size() == 1) {
    mark_correlated(scope, levels_up);
    return column_expr(*item.entry, item.range, 0, levels_up, location);
  }
  const bool view = item.entry != nullptr && item.entry->kind == RangeKind::kSubquery && item.entry->view != 0 &&
                    find_type(row_type_of(item.entry->view)) != nullptr;
  if (view || (item.entry != nullptr && item.entry->kind == RangeKind::kTable)) {
    mark_correlated(scope, levels_up);
    return typed_row(scope, item, levels_up, location);
  }
  if (item.entry != nullptr && item.entry->kind == RangeKind::kFunction)
    if (const Expr* row = function_row(*item.entry, item.range, levels_up, location)) return row;
  const std::vector<NamedExpr> columns = expand_item(scope, item, levels_up, location);
  auto* row = make<RowExpr>();
  std::vector<const Expr*> args;
  std::vector<std::string_view> names;
  for (const NamedExpr& column : columns) {
    args.push_back(column.expr);
    names.push_back(column.name);
  }
  row->args = keep(args);
  row->names = keep(names);
  row->type = kRecord;
  row->whole_range = item.range;
  row->whole_levels_up = static_cast<std::uint16_t>(levels_up);
  row->location = location;
  return row;
}

// What one function of a composite type gives has that type; null: the row has none.
const Expr* Binder::function_row(const RangeEntry& entry, int range, int levels_up, int location) {
  if (entry.functions.size() != 1 || entry.ordinality) return nullptr;
  const Expr* call = entry.functions[0].call;
  const Routine* routine = call->kind == ExprKind::kFunction ? call->as<FunctionExpr>().function->routine : nullptr;
  const Oid type = routine != nullptr && routine->declaration.result_relation != 0 ? routine->declaration.result_type() : base_type(call->type);
  std::vector<RowField> fields;
  if (type_kind(type) != 'c' || !CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(type, &fields)) return nullptr;
  note_type(type);
  auto* row = make<RowExpr>();
  std::vector<const Expr*> args;
  std::vector<std::string_view> names;
  int column = 0;
  for (const RowField& field : fields) {
    if (!field.dropped && static_cast<std::size_t>(column) >= entry.columns.size()) return nullptr;
    args.push_back(field.dropped ? make_null(arena_, kInvalidOid) : column_expr(entry, range, column++, levels_up, location));
    names.push_back(field.dropped ? std::string_view{} : entry.columns[static_cast<std::size_t>(column) - 1].name);
  }
  row->args = keep(args);
  row->names = keep(names);
  row->type = type;
  row->whole_range = range;
  row->whole_levels_up = static_cast<std::uint16_t>(levels_up);
  row->location = location;
  return row;
}

const Expr* Binder::typed_row(Scope& scope, const NsItem& item, int levels_up, int location) {
  auto* row = make<RowExpr>();
  std::vector<const Expr*> args;
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < item.entry->columns.size(); ++i) {
    const RangeColumn& column = item.entry->columns[i];
    args.push_back(column.hidden ? make_null(arena_, kInvalidOid) : column_expr(*item.entry, item.range, static_cast<int>(i), levels_up, location));
    names.push_back(column.hidden ? std::string_view{} : column.name);
  }
  row->args = keep(args);
  row->names = keep(names);
  row->type = row_type_of(item.entry->kind == RangeKind::kTable ? item.entry->table->oid : item.entry->view);
  row->whole_range = item.range;
  row->whole_levels_up = static_cast<std::uint16_t>(levels_up);
  row->location = location;
  note_read(scope, row);
  return row;
}

const Expr* Binder::with_field(const Expr* composite, Oid type, std::string_view field, const Expr* value, std::string_view column, int location) {
  const Oid base = base_type(type);
  std::vector<RowField> fields;
  if (type_kind(base) != 'c' || !CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(base, &fields)) {
    fail(at(Status{sqlstate::datatype_mismatch, "cannot assign to field " + quoted(field) + " of column " + quoted(column) + " because its type " + type_text(type) +
                                                    " is not a composite type"},
            location));
  }
  note_type(base);
  auto* row = make<RowExpr>();
  std::vector<const Expr*> args;
  bool found = false;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].dropped) {
      args.push_back(make_null(arena_, kInvalidOid));
    } else if (fields[i].name == field) {
      found = true;
      const Expr* stored = coerce_with_typmod(value, fields[i].type, fields[i].typmod, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
      if (stored == nullptr) {
        fail(at(Status{sqlstate::datatype_mismatch, "subfield " + quoted(field) + " is of type " + type_text(fields[i].type) + " but expression is of type " +
                                                        type_text(value->type)}
                    .with_hint("You will need to rewrite or cast the expression."),
                location));
      }
      args.push_back(stored);
    } else if (composite == nullptr) {
      args.push_back(make_null(arena_, fields[i].type));
    } else {
      auto* old = make<FieldExpr>();
      old->record = composite;
      old->field = static_cast<std::uint16_t>(i);
      old->name = arena_.copy(fields[i].name);
      old->type = fields[i].type;
      old->typmod = fields[i].typmod;
      args.push_back(old);
    }
  }
  if (!found) {
    fail(at(Status{sqlstate::undefined_column, "cannot assign to field " + quoted(field) + " of column " + quoted(column) +
                                                   " because there is no such column in data type " + type_text(base)},
            location));
  }
  row->args = keep(args);
  row->type = base;
  row->location = location;
  return row;
}

const Expr* Binder::bind_column_ref(Scope& scope, const PgQuery__ColumnRef& ref) {
  const int location = ref.location;
  std::vector<std::string_view> names;
  if (context_.stored && ref.n_fields == 2 && string_value(ref.fields[0]).starts_with(kRangeNumber))
    return stored_column(scope, string_value(ref.fields[0]), string_value(ref.fields[1]));
  for (std::size_t i = 0; i < ref.n_fields; ++i) {
    if (ref.fields[i]->node_case == PG_QUERY__NODE__NODE_A_STAR) {
      if (i > 0) {
        // f(t.*) is f(t): the row as one value.
        int levels_up = 0;
        const std::string_view schema = i > 1 ? names[i - 2] : std::string_view{};
        const NsItem* item = find_item(scope, schema, names[i - 1], &levels_up, location);
        if (item == nullptr) {
          if (const Expr* row = find_variable(names, location, false); row != nullptr && row->kind == ExprKind::kRow) return row;
          missing_relation(scope, schema, names[i - 1], location);
        }
        return whole_row(scope, *item, levels_up, location);
      }
      fail(at(Status{sqlstate::feature_not_supported, "row expansion via \"*\" is not supported here"}, location));
    }
    names.push_back(string_value(ref.fields[i]));
  }
  if (scope.place == Place::kDefault) {
    fail(at(Status{sqlstate::feature_not_supported, "cannot use column reference in DEFAULT expression"}, location));
  }
  if (scope.place == Place::kPartitionBound) {
    fail(at(Status{sqlstate::feature_not_supported, "cannot use column reference in partition bound expression"}, location));
  }
  if (variables_ == nullptr) [[likely]] return find_column_ref(scope, names, location, true);
  const BindVariables::Precedence precedence = variables_->precedence();
  if (precedence == BindVariables::Precedence::kVariable)
    if (const Expr* variable = find_variable(names, location, false)) return variable;
  if (const Expr* column = find_column_ref(scope, names, location, false)) {
    if (precedence != BindVariables::Precedence::kNeither || find_variable(names, location, true) == nullptr) return column;
    std::string full;
    for (const std::string_view part : names) full += (full.empty() ? "" : ".") + std::string(part);
    fail(at(Status{sqlstate::ambiguous_column, "column reference " + quoted(full) + " is ambiguous"}.with_detail(
                "It could refer to either a PL/pgSQL variable or a table column."),
            location));
  }
  if (const Expr* variable = find_variable(names, location, false)) return variable;
  return find_column_ref(scope, names, location, true);
}

const Expr* Binder::stored_column(Scope& scope, std::string_view range, std::string_view column) {
  const auto unreadable = [] { fail(Status{sqlstate::data_corrupted, "a stored definition cannot be read"}); };
  const auto number = [&](std::string_view digits) {
    int value = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size()) unreadable();
    return value;
  };
  const std::size_t dot = range.find('.');
  if (dot == std::string_view::npos) unreadable();
  const int levels_up = number(range.substr(1, dot - 1));
  const auto at_range = static_cast<std::size_t>(number(range.substr(dot + 1)));
  Scope* level = &scope;
  for (int i = 0; i < levels_up && level != nullptr; ++i) level = level->parent;
  if (level == nullptr || at_range >= level->ranges.size()) unreadable();
  const NsItem item = make_item(*level, static_cast<int>(at_range));
  if (column == "*") return whole_row(scope, item, levels_up, -1);
  if (column[0] < '0' || column[0] > '9') {
    const Expr* found = item_column(scope, item, column, levels_up, -1);
    if (found == nullptr) unreadable();
    return found;
  }
  const int position = number(column);
  if (static_cast<std::size_t>(position) >= item.entry->columns.size()) unreadable();
  mark_correlated(scope, levels_up);
  return column_expr(*item.entry, item.range, position, levels_up, -1);
}

const Expr* Binder::bind_variable(const BindVariables::Variable& variable, int location) {
  if (variable.param >= parameters_.size()) parameters_.resize(variable.param + 1, 0);
  parameters_[variable.param] = variable.type;
  auto* out = make<ParamExpr>();
  out->index = variable.param;
  out->type = variable.type;
  out->typmod = variable.typmod;
  out->location = location;
  return out;
}

const Expr* Binder::variable_row(const BindVariables::Found& found, int location) {
  auto* row = make<RowExpr>();
  std::vector<const Expr*> args;
  std::vector<std::string_view> names;
  const std::span<const RecordField> fields = found.row_type != 0 ? fields_of(found.row_type) : std::span<const RecordField>();
  const auto is_live = [](const RecordField& field) { return !field.dropped; };
  const bool named = !fields.empty() && std::count_if(fields.begin(), fields.end(), is_live) == std::ssize(found.fields);
  for (std::size_t i = 0, next = 0; next < found.fields.size(); ++i) {
    const bool dropped = named && fields[i].dropped;
    args.push_back(dropped ? make_null(arena_, kInvalidOid) : bind_variable(found.fields[next].second, location));
    names.push_back(dropped ? std::string_view() : arena_.copy(found.fields[next].first));
    if (!dropped) ++next;
  }
  for (std::size_t i = args.size(); named && i < fields.size(); ++i) {
    args.push_back(make_null(arena_, kInvalidOid));
    names.push_back({});
  }
  row->args = keep(args);
  row->names = keep(names);
  row->type = named ? found.row_type : kRecord;
  row->location = location;
  return row;
}

const Expr* Binder::find_variable(std::span<const std::string_view> names, int location, bool quiet) {
  if (variables_ == nullptr) return nullptr;
  BindVariables::Found found;
  Result<bool> any = variables_->find(names, &found);
  // argument.field, of an argument of a composite type
  if (any.ok() && !any.value() && names.size() >= 2) {
    any = variables_->find(names.first(names.size() - 1), &found);
    if (any.ok() && any.value() && !found.is_row && type_kind(base_type(found.scalar.type)) == 'c') {
      const Expr* argument = without_domain(bind_variable(found.scalar, location));
      for (const NamedExpr& field : record_fields(scopes_.front(), argument))
        if (field.name == names.back()) return field.expr;
    }
    return nullptr;
  }
  if (!any.ok()) {
    if (quiet) return nullptr;
    Status status = any.take_status();
    fail(status.error().context.empty() ? at(std::move(status), location) : std::move(status));
  }
  if (!any.value()) return nullptr;
  return found.is_row ? variable_row(found, location) : bind_variable(found.scalar, location);
}

// Null where there is no such column, unless it `must_exist`.
const Expr* Binder::find_column_ref(Scope& scope, std::span<const std::string_view> names, int location, bool must_exist) {
  if (names.size() == 1) {
    if (const Expr* found = find_column(scope, names[0], location)) return found;
    int levels_up = 0;
    if (const NsItem* item = find_item(scope, {}, names[0], &levels_up, location)) return whole_row(scope, *item, levels_up, location);
    if (!must_exist) return nullptr;
    missing_column(scope, {}, names[0], location);
  }
  std::string_view schema, table, column;
  if (names.size() == 2) {
    table = names[0];
    column = names[1];
  } else if (names.size() == 3) {
    schema = names[0];
    table = names[1];
    column = names[2];
  } else if (names.size() == 4) {
    schema = names[1];
    table = names[2];
    column = names[3];
  } else {
    if (!must_exist) return nullptr;
    std::string full;
    for (const std::string_view part : names) full += (full.empty() ? "" : ".") + std::string(part);
    fail(at(Status{sqlstate::syntax_error, "improper qualified name (too many dotted names): " + full}, location));
  }
  int levels_up = 0;
  const NsItem* item = find_item(scope, schema, table, &levels_up, location);
  if (item != nullptr) {
    if (const Expr* found = item_column(scope, *item, column, levels_up, location)) return found;
    if (const Expr* called = call_of_row(scope, whole_row(scope, *item, levels_up, location), column, location)) return called;
    if (!must_exist) return nullptr;
    missing_column(scope, table, column, location);
  }
  if (!must_exist) return nullptr;
  if (schema.empty()) {
    // column.field is not PostgreSQL's syntax either: the column must stand in parentheses.
    missing_relation(scope, schema, table, location);
  }
  missing_relation(scope, schema, table, location);
}

std::vector<NamedExpr> Binder::expand_star(Scope& scope, const PgQuery__ColumnRef& ref) {
  const int location = ref.location;
  std::vector<NamedExpr> out;
  if (ref.n_fields == 1) {
    bool any = false;
    for (const NsItem& item : scope.items) {
      if (!item.columns_visible) continue;
      if (item.lateral_only && !scope.lateral_active) continue;
      any = true;
      for (NamedExpr& column : expand_item(scope, item, 0, location)) out.push_back(column);
    }
    if (!any) fail(at(Status{sqlstate::syntax_error, "SELECT * with no tables specified is not valid"}, location));
    return out;
  }
  const std::string_view table = string_value(ref.fields[ref.n_fields - 2]);
  const std::string_view schema = ref.n_fields >= 3 ? string_value(ref.fields[ref.n_fields - 3]) : std::string_view{};
  int levels_up = 0;
  const NsItem* item = find_item(scope, schema, table, &levels_up, location);
  if (item == nullptr && variables_ != nullptr) {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i + 1 < ref.n_fields; ++i) names.push_back(string_value(ref.fields[i]));
    if (const Expr* row = find_variable(names, location, false); row != nullptr && row->kind == ExprKind::kRow) return record_fields(scope, row);
  }
  if (item == nullptr) missing_relation(scope, schema, table, location);
  return expand_item(scope, *item, levels_up, location);
}

namespace {

struct Shape {
  std::vector<std::string_view> names;
  std::vector<Oid> types;
};

// What fields a record-valued expression has; `ranges` resolve columns of level 0.
bool shape_of(const Expr* expr, std::span<const RangeEntry* const> ranges, Shape* out) {
  switch (expr->kind) {
    case ExprKind::kFunction: {
      const auto& call = expr->as<FunctionExpr>();
      if (call.function->out_names.empty()) return false;
      for (std::size_t i = 0; i < call.function->out_names.size(); ++i) {
        Oid type = call.function->out_types[i];
        if (is_polymorphic(type)) {
          std::vector<Oid> actual, declared = call.function->args;
          for (const Expr* arg : call.args) actual.push_back(arg->type);
          declared.resize(std::min(declared.size(), actual.size()));
          actual.resize(declared.size());
          type = resolve_polymorphic(actual, &declared, type, call.function->name);
        }
        out->names.push_back(call.function->out_names[i]);
        out->types.push_back(type);
      }
      return true;
    }
    case ExprKind::kRow: {
      const auto& row = expr->as<RowExpr>();
      static constexpr std::string_view kNames[] = {"f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9", "f10"};
      for (std::size_t i = 0; i < row.args.size(); ++i) {
        out->names.push_back(i < row.names.size() ? row.names[i] : i < std::size(kNames) ? kNames[i] : std::string_view{});
        out->types.push_back(row.args[i]->type);
      }
      return true;
    }
    case ExprKind::kSubLink: {
      const auto& link = expr->as<SubLinkExpr>();
      if (link.link != SubLinkKind::kScalar || link.query->targets.empty()) return false;
      return shape_of(link.query->targets[0].expr, link.query->ranges, out);
    }
    case ExprKind::kColumn: {
      const auto& column = expr->as<ColumnExpr>();
      if (column.levels_up != 0 || column.range >= ranges.size() || column.column < 0) return false;
      const RangeEntry& entry = *ranges[column.range];
      const Query* query = entry.kind == RangeKind::kSubquery ? entry.query : entry.kind == RangeKind::kCte ? entry.cte->query : nullptr;
      if (query == nullptr || static_cast<std::size_t>(column.column) >= query->targets.size()) return false;
      return shape_of(query->targets[static_cast<std::size_t>(column.column)].expr, query->ranges, out);
    }
    default: return false;
  }
}

}  // namespace

std::vector<NamedExpr> Binder::record_fields(Scope& scope, const Expr* record) {
  record = without_domain(record);
  if (type_kind(record->type) == 'c') {
    std::vector<RowField> fields;
    std::vector<NamedExpr> named;
    if (!CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(record->type, &fields)) return named;
    note_type(record->type);
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].dropped) continue;
      if (record->kind == ExprKind::kRow) {
        named.push_back({arena_.copy(fields[i].name), record->as<RowExpr>().args[i]});
        continue;
      }
      auto* field = make<FieldExpr>();
      field->record = record;
      field->field = static_cast<std::uint16_t>(i);
      field->name = arena_.copy(fields[i].name);
      field->type = fields[i].type;
      field->typmod = fields[i].typmod;
      field->location = record->location;
      named.push_back({field->name, field});
    }
    return named;
  }
  const Scope* level = &scope;
  const Expr* seen = record;
  if (record->kind == ExprKind::kColumn && record->as<ColumnExpr>().levels_up > 0) {
    for (int i = 0; i < record->as<ColumnExpr>().levels_up; ++i) level = level->parent;
    auto* lowered = make<ColumnExpr>(record->as<ColumnExpr>());
    lowered->levels_up = 0;
    seen = lowered;
  }
  std::vector<const RangeEntry*> ranges(level->ranges.begin(), level->ranges.end());
  Shape shape;
  std::vector<NamedExpr> out;
  if (!shape_of(seen, ranges, &shape)) return out;
  for (std::size_t i = 0; i < shape.names.size(); ++i) {
    if (record->kind == ExprKind::kRow) {
      out.push_back({arena_.copy(shape.names[i]), record->as<RowExpr>().args[i]});
      continue;
    }
    auto* field = make<FieldExpr>();
    field->record = record;
    field->field = static_cast<std::uint16_t>(i);
    field->name = arena_.copy(shape.names[i]);
    field->type = shape.types[i];
    field->location = record->location;
    out.push_back({field->name, field});
  }
  return out;
}

// A field of a record, or a system column of the table that it is a row of; null: there is none of this name.
const Expr* Binder::find_field(Scope& scope, const Expr* record, std::string_view field, int location) {
  if (record->type != kRecord && type_kind(base_type(record->type)) != 'c') return nullptr;
  for (const NamedExpr& candidate : record_fields(scope, record)) {
    if (candidate.name == field) return candidate.expr;
  }
  if (record->kind != ExprKind::kRow || record->as<RowExpr>().whole_range < 0) return nullptr;
  const auto& row = record->as<RowExpr>();
  Scope* level = &scope;
  for (unsigned up = 0; up < row.whole_levels_up && level != nullptr; ++up) level = level->parent;
  if (level == nullptr) return nullptr;
  return item_column(scope, make_item(*level, row.whole_range), field, row.whole_levels_up, location);
}

const Expr* Binder::field_of(Scope& scope, const Expr* record, std::string_view field, int location) {
  if (const Expr* found = find_field(scope, record, field, location)) return found;
  if (const Expr* called = call_of_row(scope, record, field, location)) return called;
  if (record->kind == ExprKind::kRow && record->as<RowExpr>().whole_range >= 0 && record->as<RowExpr>().whole_levels_up == 0) {
    const RangeEntry& entry = *scope.ranges[static_cast<std::size_t>(record->as<RowExpr>().whole_range)];
    missing_column(scope, entry.alias, field, location);
  }
  if (type_kind(base_type(record->type)) == 'c') {
    fail(at(Status{sqlstate::undefined_column, "column " + quoted(field) + " not found in data type " + type_text(record->type)}, location));
  }
  if (record->type == kRecord) {
    fail(at(Status{sqlstate::undefined_column, "could not identify column " + quoted(field) + " in record data type"}, location));
  }
  fail(at(Status{sqlstate::wrong_object_type, "column notation ." + std::string(field) + " applied to type " + type_text(record->type) +
                                                  ", which is not a composite type"},
          location));
}

}  // namespace wandian::sql
