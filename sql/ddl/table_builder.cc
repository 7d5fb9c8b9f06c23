#include "sql/ddl/table_builder.h"

#include <algorithm>
#include <charconv>

#include "engine/text_order.h"
#include "sql/ddl/index_builder.h"
#include "sql/ddl/partition.h"
#include "sql/ddl/sequence.h"
#include "sql/expr/deparse.h"
#include "sql/expr/tree.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr std::size_t kMostIndexes = 32;   // TablePartition::indexes
constexpr std::size_t kMostKeyColumns = 32;

std::vector<std::string> names_of(PgQuery__Node** nodes, std::size_t count) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(string_value(nodes[i]));
  return out;
}

// The words after a column's constraint: NOT DEFERRABLE, INITIALLY DEFERRED, ... `of`: what they are about, null if nothing that can
// be deferred stands before them.
Status read_deferral(const DdlContext& ctx, const PgQuery__Constraint& node, Deferral* of, bool* saw_deferrable, bool* saw_initially) {
  const auto fail = [&](const char* message) { return Status{sqlstate::syntax_error, message}.with_position(ctx.position(node.location)); };
  const auto must_be_deferrable = [&] { return fail("constraint declared INITIALLY DEFERRED must be DEFERRABLE"); };
  switch (node.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
    case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE: {
      const bool on = node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE;
      if (of == nullptr) return fail(on ? "misplaced DEFERRABLE clause" : "misplaced NOT DEFERRABLE clause");
      if (*saw_deferrable) return fail("multiple DEFERRABLE/NOT DEFERRABLE clauses not allowed");
      *saw_deferrable = true;
      of->deferrable = on;
      if (!on && *saw_initially && of->initially_deferred) return must_be_deferrable();
      return {};
    }
    default: {
      const bool deferred = node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED;
      if (of == nullptr) return fail(deferred ? "misplaced INITIALLY DEFERRED clause" : "misplaced INITIALLY IMMEDIATE clause");
      if (*saw_initially) return fail("multiple INITIALLY IMMEDIATE/DEFERRED clauses not allowed");
      *saw_initially = true;
      of->initially_deferred = deferred;
      if (!deferred) return {};
      if (*saw_deferrable && !of->deferrable) return must_be_deferrable();
      of->deferrable = true;
      return {};
    }
  }
}

struct SerialType {
  Oid type = 0;
};
SerialType serial_type(const PgQuery__TypeName& name) {
  if (name.n_names != 1 || name.pct_type || name.setof) return {};
  const std::string_view word = string_value(name.names[0]);
  if (word == "smallserial" || word == "serial2") return {kInt2};
  if (word == "serial" || word == "serial4") return {kInt4};
  if (word == "bigserial" || word == "serial8") return {kInt8};
  return {};
}

char action_of(const char* text) { return text != nullptr && *text != 0 ? *text : 'a'; }

ForeignKeySpec foreign_key_spec(const PgQuery__Constraint& node) {
  ForeignKeySpec spec;
  spec.name = text_or_empty(node.conname);
  spec.columns = names_of(node.fk_attrs, node.n_fk_attrs);
  spec.referenced = node.pktable;
  spec.referenced_columns = names_of(node.pk_attrs, node.n_pk_attrs);
  spec.on_update = action_of(node.fk_upd_action);
  spec.on_delete = action_of(node.fk_del_action);
  spec.match = text_or_empty(node.fk_matchtype).empty() ? 's' : node.fk_matchtype[0];
  spec.delete_columns = names_of(node.fk_del_set_cols, node.n_fk_del_set_cols);
  spec.deferral = {node.deferrable != 0, node.initdeferred != 0};
  spec.skip_validation = node.skip_validation;
  return spec;
}

}  // namespace

// ---- Pieces ----

Status check_indexable(Oid type) { return check_indexable(type, IndexMethod::kBtree); }

Status resolve_column_type(DdlContext& ctx, const PgQuery__TypeName& name, std::string_view column, ResolvedType* out) {
  if (name.setof)
    return Status{sqlstate::invalid_table_definition, "column " + quoted(column) + " cannot be declared SETOF"}.with_position(ctx.position(name.location));
  WANDIAN_ASSIGN(*out, resolve_type(name, ctx.statement.text));
  const TypeInfo* type = find_type(out->type);
  const bool pseudo = type == nullptr || type->category == 'P' || type->category == 'X' || out->type == kTrigger;
  if (pseudo)
    return Status{sqlstate::invalid_table_definition, "column " + quoted(column) + " has pseudo-type " + format_type(out->type)};
  return ctx.may_use_type(out->type);
}

Status check_collation(const PgQuery__CollateClause* clause, DdlContext& ctx, std::string* out) {
  if (clause == nullptr || clause->n_collname == 0) return {};
  Result<std::string> found = resolve_collation({clause->collname, clause->n_collname}, ctx.bind_context());
  if (!found.ok()) return found.take_status().with_position(ctx.position(clause->location));
  if (found.value() != "default") *out = found.take();
  return {};
}

Result<std::string> default_text(DdlContext& ctx, const ColumnDef& column, const ParseNode* node) {
  const BindContext context = ctx.bind_context();
  StandaloneOptions options;
  options.use = StandaloneUse::kDefault;
  options.target_type = column.type;
  options.target_typmod = column.typmod;
  options.target_name = column.name;
  WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(node, ctx.statement.text, context, options));
  const Expr* expr = bound.expr;
  while (expr->kind == ExprKind::kFunction && expr->as<FunctionExpr>().form == CallForm::kImplicitCast) expr = expr->as<FunctionExpr>().args[0];
  if (expr->kind == ExprKind::kConst && expr->as<ConstExpr>().value.is_null) return std::string();
  return deparse(bound.expr, {});
}

Result<std::string> check_text(DdlContext& ctx, const TableDef& table, const ParseNode* node, std::vector<std::uint16_t>* used) {
  const BindContext context = ctx.bind_context();
  const std::vector<StandaloneColumn> columns = standalone_columns(table);
  StandaloneOptions options;
  options.use = StandaloneUse::kCheck;
  options.table_name = table.name;
  options.columns = columns;
  WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(node, ctx.statement.text, context, options));
  if (contains_sublink(bound.expr)) return feature_not_supported("cannot use subquery in check constraint");
  for (const ColumnUse& use : collect_columns(bound.expr)) {
    if (use.column < 0) return feature_not_supported("system columns cannot be used in a check constraint");
    used->push_back(static_cast<std::uint16_t>(use.column));
  }
  return deparse(bound.expr, {column_names(table), nullptr, false, {}});
}

Status read_options(PgQuery__Node** nodes, std::size_t count, std::optional<IndexMethod> index, std::vector<std::pair<std::string, std::string>>* out) {
  static constexpr std::string_view kTable[] = {
      "fillfactor", "toast_tuple_target", "parallel_workers", "autovacuum_enabled", "autovacuum_vacuum_threshold",
      "autovacuum_vacuum_insert_threshold", "autovacuum_vacuum_scale_factor", "autovacuum_vacuum_insert_scale_factor",
      "autovacuum_analyze_threshold", "autovacuum_analyze_scale_factor", "autovacuum_vacuum_cost_delay", "autovacuum_vacuum_cost_limit",
      "autovacuum_freeze_min_age", "autovacuum_freeze_max_age", "autovacuum_freeze_table_age", "autovacuum_multixact_freeze_min_age",
      "autovacuum_multixact_freeze_max_age", "autovacuum_multixact_freeze_table_age", "log_autovacuum_min_duration", "user_catalog_table",
      "vacuum_index_cleanup", "vacuum_truncate"};
  const auto is_known = [&](std::string_view name) {
    if (!index) return std::find(std::begin(kTable), std::end(kTable), name) != std::end(kTable);
    switch (*index) {
      case IndexMethod::kBtree: return name == "fillfactor" || name == "deduplicate_items";
      case IndexMethod::kHash: return name == "fillfactor";
      case IndexMethod::kGin: return name == "fastupdate" || name == "gin_pending_list_limit";
    }
    return false;
  };
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *nodes[i]->def_elem;
    std::string name(text_or_empty(option.defname));
    const std::string_view space = text_or_empty(option.defnamespace);
    if (!space.empty() && space != "toast")
      return Status{sqlstate::invalid_parameter_value, "unrecognized parameter namespace " + quoted(space)};
    if (name == "oids" && !index) {
      if (option_text(option) == "true") return feature_not_supported("tables declared WITH OIDS are not supported");
      continue;
    }
    if (!is_known(name)) return Status{sqlstate::invalid_parameter_value, "unrecognized parameter " + quoted(name)};
    std::string value = option_text(option);
    if (name == "fillfactor") {
      int number = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
      if (parsed.ec != std::errc{} || parsed.ptr != value.data() + value.size())
        return Status{sqlstate::invalid_parameter_value, "invalid value for integer option \"fillfactor\": " + value};
      if (number < 10 || number > 100)
        return Status{sqlstate::invalid_parameter_value, "value " + value + " out of bounds for option \"fillfactor\""}.with_detail(
            "Valid values are between \"10\" and \"100\".");
    }
    if (!space.empty()) name = "toast." + name;
    for (const auto& [other, ignored] : *out)
      if (other == name) return Status{sqlstate::invalid_parameter_value, "parameter " + quoted(name) + " specified more than once"};
    out->emplace_back(std::move(name), std::move(value));
  }
  return {};
}

bool unique_is_local(const TableDef& table, const IndexDef& index) {
  std::vector<std::uint16_t> deciding;
  switch (table.placement.kind) {
    case PlacementKind::kKey:
      if (table.hidden_row_number) return false;
      for (const IndexPart& part : table.indexes[0].parts) deciding.push_back(part.column);
      deciding.resize(std::min<std::size_t>(deciding.size(), table.indexes[0].key_parts));
      break;
    case PlacementKind::kDirectory: deciding.push_back(table.indexes[0].parts[0].column); break;
    case PlacementKind::kShard:
    case PlacementKind::kRegion: deciding = table.placement.columns; break;
  }
  return std::all_of(deciding.begin(), deciding.end(), [&](std::uint16_t column) {
    for (std::size_t i = 0; i < index.key_parts; ++i)
      if (index.parts[i].column == column) return true;
    return false;
  });
}

// ---- Columns ----

Result<BoundExpression> bind_generation(DdlContext& ctx, const TableDef& table, std::uint16_t column) {
  const std::vector<StandaloneColumn> columns = standalone_columns(table);
  return bind_standalone_expression(table.columns[column].default_expression, ctx.bind_context(), generation_options(table, column, columns));
}

Result<std::vector<std::uint16_t>> generated_from(DdlContext& ctx, const TableDef& table, std::uint16_t column) {
  std::vector<std::uint16_t> out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].generated == 0) continue;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_generation(ctx, table, static_cast<std::uint16_t>(i)));
    for (const ColumnUse& use : collect_columns(bound.expr))
      if (use.column == static_cast<std::int16_t>(column)) {
        out.push_back(static_cast<std::uint16_t>(i));
        break;
      }
  }
  return out;
}

Status TableBuilder::column_default(ColumnDef& column, const ParseNode* node) {
  WANDIAN_ASSIGN(column.default_expression, default_text(ctx_, column, node));
  return {};
}

Status TableBuilder::add_column(const PgQuery__ColumnDef& node) {
  TableDef& table = *table_;
  ColumnDef column;
  column.name = text_or_empty(node.colname);
  for (const std::string_view system : {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"})
    if (column.name == system)
      return Status{sqlstate::duplicate_column, "column name " + quoted(column.name) + " conflicts with a system column name"};
  if (table.columns.size() + 1 > RowLayout::kMaxColumns - 1) return Status{sqlstate::too_many_columns, "tables can have at most 1600 columns"};
  SerialType serial;
  if (node.type_name == nullptr) return Status{sqlstate::syntax_error, "column " + quoted(column.name) + " has no type"};
  serial = serial_type(*node.type_name);
  if (serial.type != 0) {
    if (node.type_name->n_array_bounds != 0)
      return feature_not_supported("array of serial is not implemented").with_position(ctx_.position(node.type_name->location));
    column.type = serial.type;
    column.not_null = true;
  } else {
    ResolvedType type;
    WANDIAN_TRY(resolve_column_type(ctx_, *node.type_name, column.name, &type));
    column.type = type.type;
    column.typmod = type.typmod;
    column.dimensions = written_dimensions(*node.type_name);
  }
  if (node.coll_clause != nullptr) {
    const TypeInfo* type = find_type(column.type);
    const Oid base = base_type(type != nullptr && type->element != 0 ? type->element : column.type);
    if (base != kText && base != kVarchar && base != kBpchar && base != kName)
      return Status{sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(column.type)}.with_position(
          ctx_.position(node.coll_clause->location));
    WANDIAN_TRY(check_collation(node.coll_clause, ctx_, &column.collation));
  }
  if (table.find_column(column.name) >= 0)
    return Status{sqlstate::duplicate_column, "column " + quoted(column.name) + " specified more than once"};
  const auto position = static_cast<std::uint16_t>(table.columns.size());
  table.columns.push_back(column);
  return column_constraints(node, position, serial.type);
}

Status TableBuilder::merge_column(const PgQuery__ColumnDef& node) {
  const std::string name(text_or_empty(node.colname));
  const int column = table_->find_column(name);
  if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(name) + " does not exist"};
  if (std::find(merged_.begin(), merged_.end(), column) != merged_.end())
    return Status{sqlstate::duplicate_column, "column " + quoted(name) + " specified more than once"};
  merged_.push_back(static_cast<std::uint16_t>(column));
  return column_constraints(node, static_cast<std::uint16_t>(column), 0);
}

Status TableBuilder::column_constraints(const PgQuery__ColumnDef& node, std::uint16_t position, Oid serial_type) {
  TableDef& table = *table_;
  ColumnDef& def = table.columns[position];
  const SerialType serial{serial_type};
  Deferral* last_deferral = nullptr;
  bool saw_deferrable = false, saw_initially = false;
  bool saw_null = false, saw_not_null = false, saw_default = serial.type != 0, saw_identity = false, saw_generated = false;
  const auto of_column = [&] { return "for column " + quoted(def.name) + " of table " + quoted(table.name); };
  for (std::size_t i = 0; i < node.n_constraints; ++i) {
    const PgQuery__Constraint& constraint = *node.constraints[i]->constraint;
    const std::int32_t at = ctx_.position(constraint.location);
    switch (constraint.contype) {   // what the words that may follow are about
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE: break;
      default: last_deferral = nullptr;
    }
    switch (constraint.contype) {
      case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
        if (saw_not_null || serial.type != 0 || saw_identity)
          return Status{sqlstate::syntax_error, "conflicting NULL/NOT NULL declarations " + of_column()}.with_position(at);
        saw_null = true;
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        if (saw_null) return Status{sqlstate::syntax_error, "conflicting NULL/NOT NULL declarations " + of_column()}.with_position(at);
        saw_not_null = true;
        def.not_null = true;
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
        if (saw_default) return Status{sqlstate::syntax_error, "multiple default values specified " + of_column()}.with_position(at);
        saw_default = true;
        WANDIAN_TRY(column_default(def, constraint.raw_expr));
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY: {
        if (saw_identity) return Status{sqlstate::syntax_error, "multiple identity specifications " + of_column()}.with_position(at);
        if (def.type != kInt2 && def.type != kInt4 && def.type != kInt8)
          return Status{sqlstate::invalid_parameter_value, "identity column type must be smallint, integer, or bigint"};
        if (saw_null) return Status{sqlstate::syntax_error, "conflicting NULL/NOT NULL declarations " + of_column()}.with_position(at);
        saw_identity = true;
        def.not_null = true;
        def.identity = text_or_empty(constraint.generated_when) == "a" ? 'a' : 'd';
        WANDIAN_ASSIGN(std::shared_ptr<SequenceDef> sequence,
                       make_owned_sequence(ctx_, changes_, table, position, def.type, 'i', constraint.options, constraint.n_options));
        changes_.put(std::move(sequence));
        break;
      }
      case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED:
        if (saw_generated) return Status{sqlstate::syntax_error, "multiple generation clauses specified " + of_column()}.with_position(at);
        saw_generated = true;
        def.generated = 's';
        generated_.push_back({position, constraint.raw_expr});
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
        checks.push_back({std::string(text_or_empty(constraint.conname)), constraint.raw_expr, constraint.location, false, constraint.is_no_inherit != 0});
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
      case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: {
        KeySpec key;
        key.name = text_or_empty(constraint.conname);
        key.primary = constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
        key.nulls_not_distinct = constraint.nulls_not_distinct;
        key.position = at;
        key.columns.push_back(def.name);
        WANDIAN_TRY(read_options(constraint.options, constraint.n_options, IndexMethod::kBtree, &key.options));
        keys.push_back(std::move(key));
        last_deferral = &keys.back().deferral;
        saw_deferrable = saw_initially = false;
        break;
      }
      case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: {
        ForeignKeySpec key = foreign_key_spec(constraint);
        key.columns = {def.name};
        foreign_keys.push_back(std::move(key));
        last_deferral = &foreign_keys.back().deferral;
        saw_deferrable = saw_initially = false;
        break;
      }
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRABLE:
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_DEFERRED:
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_NOT_DEFERRABLE:
      case PG_QUERY__CONSTR_TYPE__CONSTR_ATTR_IMMEDIATE:
        WANDIAN_TRY(read_deferral(ctx_, constraint, last_deferral, &saw_deferrable, &saw_initially));
        break;
      default: return feature_not_supported("this kind of column constraint is not supported").with_position(at);
    }
    if (saw_default && saw_identity)
      return Status{sqlstate::syntax_error, "both default and identity specified " + of_column()}.with_position(at);
    if (saw_default && saw_generated)
      return Status{sqlstate::syntax_error, "both default and generation expression specified " + of_column()}.with_position(at);
    if (saw_identity && saw_generated)
      return Status{sqlstate::syntax_error, "both identity and generation expression specified " + of_column()}.with_position(at);
  }
  if (serial.type != 0) {
    WANDIAN_ASSIGN(std::shared_ptr<SequenceDef> sequence, make_owned_sequence(ctx_, changes_, table, position, def.type, 'a', nullptr, 0));
    def.default_expression = "nextval('" + std::to_string(sequence->oid) + "'::regclass)";
    changes_.put(std::move(sequence));
  }
  return {};
}

Status TableBuilder::apply_generated() {
  for (const Generated& item : generated_) {
    ColumnDef& def = table_->columns[item.column];
    const std::vector<StandaloneColumn> columns = standalone_columns(*table_);
    const StandaloneOptions options = generation_options(*table_, item.column, columns);
    const std::string_view text = table_->storage == nullptr ? std::string_view(ctx_.statement.text) : std::string_view();
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(item.expression, text, ctx_.bind_context(), options));
    def.default_expression = deparse(bound.expr, {column_names(*table_), nullptr, false});
  }
  generated_.clear();
  return {};
}

Status TableBuilder::add_constraint(const PgQuery__Constraint& node) {
  const std::int32_t at = ctx_.position(node.location);
  switch (node.contype) {
    case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK:
      checks.push_back({std::string(text_or_empty(node.conname)), node.raw_expr, node.location, node.skip_validation != 0, node.is_no_inherit != 0});
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY:
    case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: {
      KeySpec key;
      key.position = at;
      key.deferral = {node.deferrable != 0, node.initdeferred != 0};
      key.name = text_or_empty(node.conname);
      key.primary = node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
      key.nulls_not_distinct = node.nulls_not_distinct;
      key.columns = names_of(node.keys, node.n_keys);
      key.including = names_of(node.including, node.n_including);
      WANDIAN_TRY(read_options(node.options, node.n_options, IndexMethod::kBtree, &key.options));
      keys.push_back(std::move(key));
      return {};
    }
    case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN:
      foreign_keys.push_back(foreign_key_spec(node));
      return {};
    case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION: return feature_not_supported("exclusion constraints are not supported").with_position(at);
    default: return feature_not_supported("this kind of table constraint is not supported").with_position(at);
  }
}

Status TableBuilder::add_like(const PgQuery__TableLikeClause& node) {
  constexpr std::uint32_t kConstraints = 4, kDefaults = 8, kGenerated = 16, kIdentity = 32, kIndexes = 64;
  const std::optional<FoundRelation> found = ctx_.find(*node.relation);
  const std::int32_t at = ctx_.position(node.relation->location);
  const std::string_view schema = text_or_empty(node.relation->schemaname);
  if (!found && !schema.empty() && schema != "pg_temp")
    if (Result<Oid> named = ctx_.find_schema(schema); !named.ok()) return named.take_status().with_position(at);
  if (!found) return undefined_relation(schema, text_or_empty(node.relation->relname)).with_position(at);
  WANDIAN_TRY(check_privilege(ctx_.access(), AclKind::kRelation, found->oid, privilege::kSelect));
  if (found->kind == FoundRelation::Kind::kView) {
    const auto view = ctx_.catalog()->object(ObjectKind::kView, found->oid);
    const std::optional<ViewDefinition> definition = view != nullptr ? ViewDefinition::decode(view->definition) : std::nullopt;
    if (!definition) return Status{sqlstate::data_corrupted, "definition of a view cannot be read"};
    for (const ViewDefinition::Column& theirs : definition->columns) {
      if (table_->find_column(theirs.name) >= 0)
        return Status{sqlstate::duplicate_column, "column " + quoted(theirs.name) + " specified more than once"};
      ColumnDef& column = table_->columns.emplace_back();
      column.name = theirs.name;
      column.type = theirs.type;
      column.typmod = theirs.typmod;
    }
    return {};
  }
  if (found->kind != FoundRelation::Kind::kTable)
    return Status{sqlstate::wrong_object_type, "relation " + quoted(text_or_empty(node.relation->relname)) + " is invalid in LIKE clause"}
        .with_detail(std::string("This operation is not supported for ") + (found->kind == FoundRelation::Kind::kIndex ? "indexes." : "sequences."))
        .with_position(at);
  const std::shared_ptr<const TableDef> other = ctx_.catalog()->table(found->oid);
  for (const ColumnDef& theirs : other->columns) {
    if (theirs.dropped) continue;
    if (table_->find_column(theirs.name) >= 0)
      return Status{sqlstate::duplicate_column, "column " + quoted(theirs.name) + " specified more than once"};
    ColumnDef& column = table_->columns.emplace_back();
    column.name = theirs.name;
    column.type = theirs.type;
    column.typmod = theirs.typmod;
    column.collation = theirs.collation;
    column.not_null = theirs.not_null;
    // A generation expression names columns, which are called the same here.
    if (theirs.generated != 0 && (node.options & kGenerated) != 0) column.generated = theirs.generated;
    if ((node.options & (theirs.generated != 0 ? kGenerated : kDefaults)) != 0) column.default_expression = theirs.default_expression;
    if ((node.options & kIdentity) != 0 && theirs.identity != 0) {
      column.identity = theirs.identity;
      WANDIAN_ASSIGN(std::shared_ptr<SequenceDef> sequence,
                     make_owned_sequence(ctx_, changes_, *table_, static_cast<std::uint16_t>(table_->columns.size() - 1), column.type, 'i', nullptr, 0));
      changes_.put(std::move(sequence));
    }
  }
  if ((node.options & kConstraints) != 0)
    for (const CheckDef& check : other->checks) {
      // Its text names columns, which are called the same here.
      CheckDef& copy = table_->checks.emplace_back(check);
      copy.oid = ctx_.allocate_oid();
    }
  if ((node.options & kIndexes) != 0)
    for (std::size_t i = other->hidden_row_number ? 1 : 0; i < other->indexes.size(); ++i) {
      const IndexDef& index = other->indexes[i];
      if (index.constraint == 0) {
        WANDIAN_TRY(copy_index(*other, index));
        continue;
      }
      KeySpec key;
      key.primary = index.primary;
      key.nulls_not_distinct = index.nulls_not_distinct;
      for (std::size_t p = 0; p < index.parts.size(); ++p)
        (p < index.key_parts ? key.columns : key.including).push_back(other->columns[index.parts[p].column].name);
      key.options = index.options;
      key.deferral = {index.deferrable, index.initially_deferred};
      keys.push_back(std::move(key));
    }
  return {};
}

// Its columns have the same names here, perhaps other numbers.
Status TableBuilder::copy_index(const TableDef& other, const IndexDef& index) {
  IndexDef copy = index;
  copy.global_table = 0;
  copy.clustered = copy.replica_identity = copy.invalid = false;
  copy.parent = 0;
  for (IndexPart& part : copy.parts) {
    part.statistics_target = -1;
    if (part.column != kExpressionPart) part.column = static_cast<std::uint16_t>(table_->find_column(other.columns[part.column].name));
  }
  indexes.push_back(std::move(copy));
  return {};
}

Status TableBuilder::apply_indexes() {
  for (IndexDef& index : indexes) {
    if (table_->indexes.size() >= kMostIndexes) return Status{sqlstate::program_limit_exceeded, "tables can have at most 31 indexes beside the primary key"};
    index.name = choose_index_name(ctx_, changes_, *table_, index);
    name_index_columns(*table_, &index);
    index.oid = ctx_.allocate_oid();
    table_->indexes.push_back(std::move(index));
  }
  indexes.clear();
  return {};
}

// ---- Keys ----

// ALTER TABLE finds it out too late to know where it was written.
Status TableBuilder::missing_in_key(const std::string& column, const KeySpec& spec) const {
  return Status{sqlstate::undefined_column, "column " + quoted(column) + " named in key does not exist"}.with_position(
      table_->storage == nullptr ? spec.position : 0);
}

Result<std::vector<std::uint16_t>> TableBuilder::key_columns(const KeySpec& spec) {
  std::vector<std::uint16_t> out;
  if (spec.columns.size() > kMostKeyColumns)
    return Status{sqlstate::too_many_columns, "cannot use more than 32 columns in an index"};
  for (const std::string& name : spec.columns) {
    const int column = table_->find_column(name);
    if (column < 0) return missing_in_key(name, spec);
    if (std::find(out.begin(), out.end(), column) != out.end())
      return Status{sqlstate::duplicate_column,
                    "column " + quoted(name) + " appears twice in " + (spec.primary ? "primary key" : "unique") + " constraint"}
          .with_position(spec.position);
    WANDIAN_TRY(check_indexable(table_->columns[static_cast<std::size_t>(column)].type));
    out.push_back(static_cast<std::uint16_t>(column));
  }
  return out;
}

const IndexDef* primary_key(const TableDef& table) {
  const auto found = std::find_if(table.indexes.begin(), table.indexes.end(), [](const IndexDef& index) { return index.primary && index.oid != 0; });
  return found == table.indexes.end() ? nullptr : &*found;
}

Status TableBuilder::apply_key(const KeySpec& spec) {
  TableDef& table = *table_;
  WANDIAN_ASSIGN(const std::vector<std::uint16_t> columns, key_columns(spec));
  if (spec.primary && primary_key(table) != nullptr) {
    Status status{sqlstate::invalid_table_definition, "multiple primary keys for table " + quoted(table.name) + " are not allowed"};
    if (table.storage == nullptr) status.error().position = spec.position;   // CREATE TABLE
    return status;
  }
  IndexDef index;
  index.primary = spec.primary;
  index.unique = true;
  index.nulls_not_distinct = spec.nulls_not_distinct;
  index.deferrable = spec.deferral.deferrable;
  index.initially_deferred = spec.deferral.initially_deferred;
  index.options = spec.options;
  for (const std::uint16_t column : columns) index.parts.push_back({column, false, false});
  index.key_parts = static_cast<std::uint16_t>(columns.size());
  for (const std::string& name : spec.including) {
    const int column = table.find_column(name);
    if (column < 0) return missing_in_key(name, spec);
    index.parts.push_back({static_cast<std::uint16_t>(column), false, false});
  }
  name_index_columns(table, &index);
  WANDIAN_TRY(check_covers_partition_key(table, index));
  if (!spec.primary && spec.name.empty() && spec.including.empty()) {
    // The same columns as a key that is there already: PostgreSQL makes one index of both.
    for (std::size_t i = table.hidden_row_number ? 1 : 0; i < table.indexes.size(); ++i) {
      const IndexDef& other = table.indexes[i];
      bool same = other.unique && other.constraint != 0 && other.key_parts == index.key_parts && other.nulls_not_distinct == index.nulls_not_distinct && other.deferrable == index.deferrable;
      for (std::size_t p = 0; same && p < index.key_parts; ++p) same = other.parts[p].column == index.parts[p].column;
      if (same && table.storage == nullptr) return {};
    }
  }
  if (spec.name.empty()) {
    if (spec.primary) {
      index.name = choose_relation_name(ctx_, changes_, table.name, {}, "pkey", table.schema, true);
    } else {
      std::vector<std::string> names = spec.columns;
      names.insert(names.end(), spec.including.begin(), spec.including.end());
      index.name = choose_relation_name(ctx_, changes_, table.name, joined_column_names(names), "key", table.schema, true);
    }
  } else {
    index.name = spec.name;
    if (ctx_.relation_exists(table.schema, index.name) || changes_.reserved(table.schema, index.name))
      return Status{sqlstate::duplicate_table, "relation " + quoted(index.name) + " already exists"};
    for (const CheckDef& check : table.checks)
      if (check.name == index.name)
        return Status{sqlstate::duplicate_object, "constraint " + quoted(index.name) + " for relation " + quoted(table.name) + " already exists"};
    for (const ForeignKeyDef& key : table.foreign_keys)
      if (key.name == index.name)
        return Status{sqlstate::duplicate_object, "constraint " + quoted(index.name) + " for relation " + quoted(table.name) + " already exists"};
    changes_.reserve(table.schema, index.name);
  }
  index.oid = ctx_.allocate_oid();
  index.constraint = ctx_.allocate_oid();
  if (spec.primary)
    for (const std::uint16_t column : columns) table.columns[column].not_null = true;
  if (spec.primary && !index.deferrable) {
    if (table.hidden_row_number) {
      table.hidden_row_number = false;
      table.indexes[0] = std::move(index);
    } else {
      table.indexes.insert(table.indexes.begin(), std::move(index));
    }
    return {};
  }
  if (table.indexes.size() >= kMostIndexes) return Status{sqlstate::program_limit_exceeded, "tables can have at most 31 indexes beside the primary key"};
  table.indexes.push_back(std::move(index));
  return {};
}

void TableBuilder::use_hidden_row_number() {
  TableDef& table = *table_;
  table.hidden_row_number = true;
  IndexDef index;
  index.primary = index.unique = true;
  index.parts.push_back({static_cast<std::uint16_t>(table.columns.size()), false, false});
  index.key_parts = 1;
  table.indexes.insert(table.indexes.begin(), std::move(index));
}

Status TableBuilder::settle_global_indexes(const TableDef* previous, bool rebuild) {
  TableDef& table = *table_;
  if (table.is_partitioned()) return {};   // its rows are in its partitions
  const std::size_t primary_parts = table.indexes[0].key_parts;
  for (std::size_t i = 0; i < table.indexes.size(); ++i) {
    IndexDef& index = table.indexes[i];
    const bool local = !index.enforced() || unique_is_local(table, index) || (i == 0 && (table.hidden_row_number || table.placement.kind == PlacementKind::kKey ||
                                                                                    table.placement.kind == PlacementKind::kDirectory));
    if (i == 0) {
      if (!local)
        return feature_not_supported("unique constraint on partitioned table must include all partitioning columns")
            .with_detail("PRIMARY KEY constraint on table " + quoted(table.name) + " lacks a column of PARTITION BY.");
      continue;
    }
    index.counted = !local && index.nulls_not_distinct;
    if (local || index.counted) {
      if (index.global_table != 0) changes_.drop(ObjectKind::kTable, index.global_table);
      index.global_table = 0;
      continue;
    }
    if (index.global_table != 0 && !rebuild) continue;
    if (table.hidden_row_number && table.placement.kind != PlacementKind::kKey)
      return feature_not_supported("unique constraint on partitioned table must include all partitioning columns")
          .with_detail("UNIQUE constraint on table " + quoted(table.name) + " lacks a column of PARTITION BY, and the table has no primary key.");
    auto entries = std::make_shared<TableDef>();
    // Made anew it keeps its OID, which other transactions' plans name, and gets a new storage.
    entries->oid = index.global_table != 0 ? index.global_table : ctx_.allocate_oid();
    entries->schema = table.schema;
    entries->owner = table.owner;
    entries->name = make_object_name("wandian_global", std::to_string(index.oid), {});
    entries->internal = true;
    entries->temporary = table.temporary;
    entries->storage_id = ctx_.allocate_storage_id();
    const auto copy_column = [&](const IndexPart& from, bool not_null) {
      ColumnDef& column = entries->columns.emplace_back();
      column.name = "c" + std::to_string(entries->columns.size());
      const bool of_table = from.column < table.columns.size();
      column.type = from.column == kExpressionPart ? from.type : of_table ? table.columns[from.column].type : kInt8;
      column.typmod = from.column == kExpressionPart ? from.typmod : of_table ? table.columns[from.column].typmod : -1;
      column.not_null = not_null;
      column.collation = key_part_collation(table, from);
    };
    IndexDef key;
    key.oid = ctx_.allocate_oid();
    key.name = entries->name;
    key.primary = key.unique = true;
    for (std::size_t p = 0; p < index.key_parts; ++p) {
      key.parts.push_back({static_cast<std::uint16_t>(p), false, false});
      copy_column(index.parts[p], true);
    }
    key.key_parts = index.key_parts;
    for (std::size_t p = 0; p < primary_parts; ++p) copy_column(table.indexes[0].parts[p], true);
    entries->indexes.push_back(std::move(key));
    index.global_table = entries->oid;
    changes_.put(std::move(entries));
  }
  if (previous != nullptr)
    for (const IndexDef& old : previous->indexes) {
      if (old.global_table == 0) continue;
      const bool kept = std::any_of(table.indexes.begin(), table.indexes.end(), [&](const IndexDef& index) { return index.global_table == old.global_table; });
      if (!kept) changes_.drop(ObjectKind::kTable, old.global_table);
    }
  return {};
}

// ---- Checks and foreign keys ----

Status TableBuilder::apply_check(const CheckSpec& spec) {
  TableDef& table = *table_;
  CheckDef check;
  std::vector<std::uint16_t> used;
  WANDIAN_ASSIGN(check.expression, check_text(ctx_, table, spec.expression, &used));
  if (spec.name.empty()) {
    const std::string column = used.size() == 1 ? table.columns[used[0]].name : std::string();
    for (unsigned attempt = 0;; ++attempt) {
      check.name = make_object_name(table.name, column, attempt == 0 ? "check" : "check" + std::to_string(attempt));
      const bool own = std::any_of(table.checks.begin(), table.checks.end(), [&](const CheckDef& other) { return other.name == check.name; });
      const bool named = std::any_of(checks.begin(), checks.end(), [&](const CheckSpec& other) { return other.name == check.name; });
      if (!own && !named && !constraint_exists(*ctx_.catalog(), table.schema, check.name)) break;
    }
  } else {
    check.name = spec.name;
    for (const CheckDef& other : table.checks)
      if (other.name == check.name)
        return table.storage == nullptr
                   ? Status{sqlstate::duplicate_object, "check constraint " + quoted(check.name) + " already exists"}
                   : Status{sqlstate::duplicate_object, "constraint " + quoted(check.name) + " for relation " + quoted(table.name) + " already exists"};
    for (const ForeignKeyDef& other : table.foreign_keys)
      if (other.name == check.name)
        return Status{sqlstate::duplicate_object, "constraint " + quoted(check.name) + " for relation " + quoted(table.name) + " already exists"};
    for (const IndexDef& other : table.indexes)
      if (other.constraint != 0 && other.name == check.name)
        return Status{sqlstate::duplicate_object, "constraint " + quoted(check.name) + " for relation " + quoted(table.name) + " already exists"};
  }
  check.oid = ctx_.allocate_oid();
  check.no_inherit = spec.no_inherit;
  check.validated = !spec.skip_validation || table.storage == nullptr;   // in CREATE TABLE there is nothing to skip
  table.checks.push_back(std::move(check));
  return {};
}

namespace {

// Whether a key of one type can be looked up in an index of the other.
bool comparable_keys(Oid a, Oid b) {
  const auto group = [](Oid type) -> Oid {
    switch (type) {
      case kInt2: case kInt4: case kInt8: return kInt8;
      case kText: case kVarchar: return kText;
      default: return type;
    }
  };
  return group(base_type(a)) == group(base_type(b));
}

}  // namespace

Status TableBuilder::apply_foreign_key(const ForeignKeySpec& spec, std::shared_ptr<const TableDef> other) {
  TableDef& table = *table_;
  const TableDef& referenced = other != nullptr ? *other : table;
  ForeignKeyDef key;
  key.on_update = spec.on_update;
  key.on_delete = spec.on_delete;
  key.match = spec.match;
  key.deferrable = spec.deferral.deferrable;
  key.initially_deferred = spec.deferral.initially_deferred;
  key.validated = !spec.skip_validation || table.storage == nullptr;
  if (key.match == 'p') return feature_not_supported("MATCH PARTIAL not yet implemented");
  for (const std::string& name : spec.columns) {
    const int column = table.find_column(name);
    if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(name) + " referenced in foreign key constraint does not exist"};
    if (std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end())
      return Status{sqlstate::duplicate_column, "column " + quoted(name) + " appears twice in foreign key constraint"};
    key.columns.push_back(static_cast<std::uint16_t>(column));
  }
  for (const std::string& name : spec.delete_columns) {
    const int column = table.find_column(name);
    if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(name) + " referenced in foreign key constraint does not exist"};
    if (std::find(key.columns.begin(), key.columns.end(), column) == key.columns.end())
      return Status{sqlstate::invalid_column_reference, "column " + quoted(name) + " referenced in ON DELETE SET action must be part of foreign key"};
    const auto position = static_cast<std::uint16_t>(column);
    if (std::find(key.delete_columns.begin(), key.delete_columns.end(), position) == key.delete_columns.end()) key.delete_columns.push_back(position);
  }
  for (const std::uint16_t column : key.columns) {
    if (table.columns[column].generated == 0) continue;
    const char* event = key.on_update == 'n' || key.on_update == 'd' || key.on_update == 'c' ? "UPDATE"
                        : key.on_delete == 'n' || key.on_delete == 'd'                       ? "DELETE"
                                                                                             : nullptr;
    if (event != nullptr)
      return Status{sqlstate::syntax_error,
                    "invalid ON " + std::string(event) + " action for foreign key constraint containing generated column"};
  }
  if (referenced.temporary != table.temporary)
    return Status{sqlstate::invalid_table_definition, table.temporary ? "constraints on temporary tables may reference only temporary tables"
                                                                      : "constraints on permanent tables may reference only permanent tables"};
  const auto may_refer = [&]() -> Status {
    if (other == nullptr) return {};
    const AccessScope scope = ctx_.access();
    const std::optional<Securable> theirs = securable_relation(scope.catalog, referenced.oid);
    if (!theirs || privileges_on(scope, *theirs, privilege::kReferences) != 0) return {};
    for (const std::uint16_t column : key.referenced_columns)
      if (column_privileges(scope, *theirs, static_cast<std::int16_t>(column + 1), privilege::kReferences) == 0)
        return permission_denied(theirs->word, theirs->name);
    return {};
  };
  const IndexDef* index = nullptr;
  if (spec.referenced_columns.empty()) {
    index = primary_key(referenced);
    if (index == nullptr) return Status{sqlstate::undefined_object, "there is no primary key for referenced table " + quoted(referenced.name)};
    if (index->deferrable)
      return Status{sqlstate::object_not_in_prerequisite_state, "cannot use a deferrable primary key for referenced table " + quoted(referenced.name)};
    for (std::size_t i = 0; i < index->key_parts; ++i) key.referenced_columns.push_back(index->parts[i].column);
  } else {
    for (const std::string& name : spec.referenced_columns) {
      const int column = referenced.find_column(name);
      if (column < 0) return Status{sqlstate::undefined_column, "column " + quoted(name) + " referenced in foreign key constraint does not exist"};
      key.referenced_columns.push_back(static_cast<std::uint16_t>(column));
    }
  }
  WANDIAN_TRY(may_refer());
  if (key.columns.size() != key.referenced_columns.size())
    return Status{sqlstate::invalid_foreign_key, "number of referencing and referenced columns for foreign key disagree"};
  if (index == nullptr) {
    for (std::size_t i = referenced.hidden_row_number ? 1 : 0; i < referenced.indexes.size() && index == nullptr; ++i) {
      const IndexDef& candidate = referenced.indexes[i];
      if (!candidate.unique || candidate.computed() || candidate.key_parts != key.referenced_columns.size()) continue;
      const bool same = std::all_of(key.referenced_columns.begin(), key.referenced_columns.end(), [&](std::uint16_t column) {
        for (std::size_t p = 0; p < candidate.key_parts; ++p)
          if (candidate.parts[p].column == column) return true;
        return false;
      });
      if (!same) continue;
      if (candidate.deferrable)
        return Status{sqlstate::object_not_in_prerequisite_state, "cannot use a deferrable unique constraint for referenced table " + quoted(referenced.name)};
      index = &candidate;
    }
    if (index == nullptr)
      return Status{sqlstate::invalid_foreign_key, "there is no unique constraint matching given keys for referenced table " + quoted(referenced.name)};
  }
  key.name = spec.name;
  if (key.name.empty()) {
    const std::string columns = joined_column_names(spec.columns);
    for (unsigned attempt = 0;; ++attempt) {
      key.name = make_object_name(table.name, columns, attempt == 0 ? "fkey" : "fkey" + std::to_string(attempt));
      const bool own = std::any_of(table.foreign_keys.begin(), table.foreign_keys.end(), [&](const ForeignKeyDef& k) { return k.name == key.name; });
      if (!own && !constraint_exists(*ctx_.catalog(), table.schema, key.name)) break;
    }
  } else {
    const bool taken =
        std::any_of(table.foreign_keys.begin(), table.foreign_keys.end(), [&](const ForeignKeyDef& k) { return k.name == key.name; }) ||
        std::any_of(table.checks.begin(), table.checks.end(), [&](const CheckDef& c) { return c.name == key.name; }) ||
        std::any_of(table.indexes.begin(), table.indexes.end(), [&](const IndexDef& i) { return i.constraint != 0 && i.name == key.name; });
    if (taken)
      return Status{sqlstate::duplicate_object, "constraint " + quoted(key.name) + " for relation " + quoted(table.name) + " already exists"};
  }
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    const Oid mine = table.columns[key.columns[i]].type, theirs = referenced.columns[key.referenced_columns[i]].type;
    if (comparable_keys(mine, theirs)) continue;
    return Status{sqlstate::datatype_mismatch, "foreign key constraint " + quoted(key.name) + " cannot be implemented"}.with_detail(
        "Key columns " + quoted(table.columns[key.columns[i]].name) + " and " + quoted(referenced.columns[key.referenced_columns[i]].name) +
        " are of incompatible types: " + format_type(mine) + " and " + format_type(theirs) + ".");
  }
  key.oid = ctx_.allocate_oid();
  key.referenced_table = referenced.oid;
  key.referenced_index = index->oid;
  table.foreign_keys.push_back(std::move(key));
  return {};
}

// ---- Placement ----

Status TableBuilder::set_placement(const PgQuery__PartitionSpec& spec) {
  TableDef& table = *table_;
  std::string strategy(text_or_empty(spec.strategy));
  for (char& c : strategy) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  const std::int32_t at = ctx_.position(spec.location);
  const auto invalid = [&](std::string message) { return Status{sqlstate::invalid_table_definition, std::move(message)}.with_position(at); };
  if (strategy != "directory" && strategy != "region" && strategy != "shard")
    return Status{sqlstate::invalid_parameter_value, "unrecognized partitioning strategy " + quoted(text_or_empty(spec.strategy))};
  Placement placement;
  for (std::size_t i = 0; i < spec.n_part_params; ++i) {
    const PgQuery__PartitionElem& element = *spec.part_params[i]->partition_elem;
    if (text_or_empty(element.name).empty()) return feature_not_supported("PARTITION BY takes columns, not expressions").with_position(at);
    const int column = table.find_column(element.name);
    if (column < 0)
      return Status{sqlstate::undefined_column, "column " + quoted(element.name) + " named in partition key does not exist"}.with_position(
          ctx_.position(element.location));
    placement.columns.push_back(static_cast<std::uint16_t>(column));
  }
  const bool has_primary = !table.hidden_row_number && !table.indexes.empty() && table.indexes[0].primary;
  if (strategy == "shard") {
    placement.kind = PlacementKind::kShard;
    for (const std::uint16_t column : placement.columns) WANDIAN_TRY(check_indexable(table.columns[column].type));
  } else if (placement.columns.size() != 1) {
    return invalid("cannot use \"" + strategy + "\" partition strategy with more than one column");
  } else if (strategy == "directory") {
    placement.kind = PlacementKind::kDirectory;
    if (!has_primary || table.indexes[0].key_parts != 1) return invalid("PARTITION BY DIRECTORY needs a primary key of one column");
    // Tables that follow the directory know its key's type alone.
    const ColumnDef& id = table.columns[table.indexes[0].parts[0].column];
    if (identity_order(id) != collated_order(id.type, Order::kBytes))
      return feature_not_supported("a directory's primary key cannot have a nondeterministic collation");
    ColumnDef& region = table.columns[placement.columns[0]];
    if (region.type != kText && region.type != kVarchar && region.type != kName)
      return invalid("the region column of a directory must be of a string type");
    if (!region.not_null) return invalid("the region column of a directory must be NOT NULL");
  } else {
    placement.kind = PlacementKind::kRegion;
    const std::uint16_t column = placement.columns[0];
    for (const ForeignKeyDef& key : table.foreign_keys) {
      const auto used = std::find(key.columns.begin(), key.columns.end(), column);
      const std::shared_ptr<const TableDef> referenced = ctx_.catalog()->table(key.referenced_table);
      if (used == key.columns.end() || referenced == nullptr) continue;
      const std::uint16_t theirs = key.referenced_columns[static_cast<std::size_t>(used - key.columns.begin())];
      if (referenced->placement.kind == PlacementKind::kDirectory && referenced->indexes[0].parts[0].column == theirs)
        placement.directory = referenced->oid;
      // What it refers to is itself placed by that column.
      if (referenced->placement.kind == PlacementKind::kRegion && referenced->placement.columns[0] == theirs)
        placement.directory = referenced->placement.directory;
    }
    if (placement.directory == 0)
      return invalid("column " + quoted(table.columns[column].name) + " of PARTITION BY REGION must have a foreign key that leads to a directory");
    const std::shared_ptr<const TableDef> directory = ctx_.catalog()->table(placement.directory);
    placement.directory_key_type = directory->columns[directory->indexes[0].parts[0].column].type;
  }
  table.placement = std::move(placement);
  return {};
}

}  // namespace wandian::sql
