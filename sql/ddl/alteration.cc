#include "sql/ddl/alteration.h"
#include "sql/ddl/grant.h"
#include "sql/ddl/type.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sql/ddl/index_builder.h"
#include "sql/ddl/sequence.h"
#include "sql/ddl/statements.h"
#include "sql/expr/deparse.h"
#include "sql/expr/expression.h"
#include "sql/expr/tree.h"
#include "sql/functions/quote.h"
#include "sql/messages.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

TableAlteration::TableAlteration(DdlContext& ctx, std::shared_ptr<const TableDef> old)
    : ctx_(ctx), old_(std::move(old)), table_(std::make_shared<TableDef>(*old_)), builder_(ctx, changes_, table_), drops_(ctx) {}

Status TableAlteration::column_of(std::string_view name, std::uint16_t* column) const {
  const int found = table_->find_column(name);
  if (found < 0) {
    for (const std::string_view system : {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"})
      if (name == system) return feature_not_supported("cannot alter system column " + quoted(name));
    return undefined_column(name, old_->name);
  }
  *column = static_cast<std::uint16_t>(found);
  return {};
}

namespace {

// What ALTER may do to a materialized view, whose columns are its query's; null if it may.
const char* refused_for_views(PgQuery__AlterTableType type) {
  switch (type) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: return "ADD COLUMN";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn: return "DROP COLUMN";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: return "ALTER COLUMN ... SET DATA TYPE";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault: return "ALTER COLUMN ... SET DEFAULT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull: return "ALTER COLUMN ... SET NOT NULL";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull: return "ALTER COLUMN ... DROP NOT NULL";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity: return "ALTER COLUMN ... ADD IDENTITY";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity: return "ALTER COLUMN ... SET";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity: return "ALTER COLUMN ... DROP IDENTITY";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression: return "ALTER COLUMN ... DROP EXPRESSION";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint: return "ADD CONSTRAINT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterConstraint: return "ALTER CONSTRAINT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint: return "VALIDATE CONSTRAINT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint: return "DROP CONSTRAINT";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig: return "ENABLE TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig: return "DISABLE TRIGGER";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged: return "SET LOGGED";
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged: return "SET UNLOGGED";
    default: return nullptr;
  }
}

}  // namespace

Status TableAlteration::run(const PgQuery__AlterTableCmd& command, unsigned pass) {
  const auto in = [&](unsigned wanted) { return pass == wanted; };
  if (pass == 0 && table_->partition_of != 0) WANDIAN_TRY(refuse_inherited(command));
  if (pass == 0 && table_->is_partitioned()) WANDIAN_TRY(refuse_only(command));
  if (const char* action = old_->is_materialized_view() ? refused_for_views(command.subtype) : nullptr)
    return Status{sqlstate::wrong_object_type, std::string("ALTER action ") + action + " cannot be performed on relation " + quoted(old_->name)}.with_detail(
        "This operation is not supported for materialized views.");
  switch (command.subtype) {
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropColumn: return in(0) ? drop_column(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropConstraint: return in(0) ? drop_constraint(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterColumnType: return in(1) ? alter_type(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddColumn: return in(2) ? add_column(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ColumnDefault: return in(3) ? set_default(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetNotNull: return in(3) ? set_not_null(command, true) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropNotNull: return in(3) ? set_not_null(command, false) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddIdentity: return in(3) ? add_identity(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetIdentity: return in(3) ? set_identity(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropExpression: return in(3) ? drop_expression(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropIdentity: return in(3) ? drop_identity(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddConstraint: {
      if (!in(4)) return {};
      const PgQuery__Constraint& node = *command.def->constraint;
      if (!text_or_empty(node.indexname).empty()) return add_key_from_index(node);
      return builder_.add_constraint(node);
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AlterConstraint: return in(4) ? alter_constraint(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ValidateConstraint: return in(4) ? validate_constraint(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions: return in(4) ? set_options(command, false) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetRelOptions: return in(4) ? set_options(command, true) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ChangeOwner: return in(4) ? change_owner(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStatistics: return in(4) ? set_statistics(command) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ResetOptions:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetStorage:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetCompression: {
      // Without meaning in memory; the column must be there all the same.
      std::uint16_t column = 0;
      return in(4) && !text_or_empty(command.name).empty() ? column_of(command.name, &column) : Status{};
    }
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableAlwaysTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableReplicaTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrig:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableTrigUser:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigAll:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableTrigUser: return in(4) ? enable_trigger(*table_, command, ctx_.session.is_superuser()) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ClusterOn:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropCluster: return in(4) ? cluster_on(text_or_empty(command.name)) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetLogged:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropOids: return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ReplicaIdentity: return in(4) ? set_replica_identity(ctx_, *table_, *command.def->replica_identity_stmt) : Status{};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetUnLogged:
      if (in(4)) ctx_.notice(sqlstate::successful_completion, "table " + quoted(old_->name) + " is logged: unlogged tables are not supported");
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_SetTableSpace:
      if (text_or_empty(command.name) == "pg_default") return {};
      return Status{sqlstate::undefined_object, "tablespace " + quoted(text_or_empty(command.name)) + " does not exist"};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AttachPartition:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartition:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DetachPartitionFinalize: return feature_not_supported("partitions are attached and detached by statements of their own");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_AddInherit:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DropInherit:
      if (table_->is_partitioned()) return Status{sqlstate::wrong_object_type, "cannot change inheritance of partitioned table"};
      if (table_->partition_of != 0) return Status{sqlstate::wrong_object_type, "cannot change inheritance of a partition"};
      if (const std::optional<FoundRelation> above = ctx_.find(*command.def->range_var); above && above->kind == FoundRelation::Kind::kTable)
        if (ctx_.catalog()->table(above->oid)->is_partitioned())
          return Status{sqlstate::wrong_object_type, "cannot inherit from partitioned table " + quoted(text_or_empty(command.def->range_var->relname))};
      return feature_not_supported("table inheritance is not supported");
    case PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_DisableRowSecurity:
      if (in(4)) table_->row_security = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_EnableRowSecurity;
      return {};
    case PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity:
    case PG_QUERY__ALTER_TABLE_TYPE__AT_NoForceRowSecurity:
      if (in(4)) table_->forced_row_security = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_ForceRowSecurity;
      return {};
    default: return feature_not_supported("this form of ALTER TABLE is not supported");
  }
}

// ---- Columns ----

Status TableAlteration::add_column(const PgQuery__AlterTableCmd& command) {
  const PgQuery__ColumnDef& node = *command.def->column_def;
  if (table_->find_column(text_or_empty(node.colname)) >= 0) {
    const std::string message = "column " + quoted(text_or_empty(node.colname)) + " of relation " + quoted(old_->name) + " already exists";
    if (!command.missing_ok) return Status{sqlstate::duplicate_column, message};
    ctx_.notice(sqlstate::duplicate_column, message + ", skipping");
    return {};
  }
  const std::size_t keys = builder_.keys.size();
  WANDIAN_TRY(builder_.add_column(node));
  const auto column = static_cast<std::uint16_t>(table_->columns.size() - 1);
  // A hidden row number stands behind the last column, so every row moves.
  if (old_->hidden_row_number) rewrite_ = true;
  if (builder_.keys.size() != keys) rewrite_ = true;
  if (table_->columns[column].generated != 0) {
    rewrite_ = true;
    return builder_.apply_generated();
  }
  return default_of_new_column(column);
}

Status TableAlteration::default_of_new_column(std::uint16_t column) {
  ColumnDef& def = table_->columns[column];
  std::string text = def.default_expression;
  if (text.empty() && type_kind(def.type) == 'd') text = domain_default(def.type);
  if (!text.empty()) WANDIAN_TRY(refuse_row_type_used(ctx_, *old_));
  if (def.identity != 0) text = "?";
  if (text.empty()) {
    if (def.not_null) filled_not_null_.push_back(def.name);
    return {};
  }
  if (def.identity != 0 || text.find("::regclass") != std::string::npos) {
    rewrite_ = true;
    late_.push_back({column, def.identity != 0 ? std::string() : text});
    return {};
  }
  StandaloneOptions options;
  options.target_type = def.type;
  options.target_typmod = def.typmod;
  options.target_name = def.name;
  options.fold = true;
  WANDIAN_ASSIGN(BoundExpression bound, bind_standalone_expression(text, ctx_.bind_context(), options));
  if (contains_volatile(bound.expr)) {
    rewrite_ = true;
    computed_.push_back({column, std::make_shared<BoundExpression>(std::move(bound))});
    return {};
  }
  Arena arena;
  EvalContext eval = ctx_.session.eval_context(arena);
  WANDIAN_ASSIGN(const Value value, evaluate_constant(*bound.expr, eval));
  if (!value.is_null) {
    const TypeInfo* type = find_type(def.type);
    def.has_missing_value = true;
    if (type->rep == Rep::kBytes || type->rep == Rep::kFixed16) {
      def.missing_value = type->rep == Rep::kFixed16 ? std::string(value.p, 16) : std::string(value.bytes());
    } else {
      def.missing_value.assign(8, '\0');
      if (type->rep == Rep::kFloat32 || type->rep == Rep::kFloat64) std::memcpy(def.missing_value.data(), &value.d, 8);
      else std::memcpy(def.missing_value.data(), &value.i, 8);
    }
  } else if (def.not_null) {
    filled_not_null_.push_back(def.name);
  }
  // Should the table be rewritten for another reason, its rows get the value this way.
  computed_.push_back({column, std::make_shared<BoundExpression>(std::move(bound))});
  return {};
}

void TableAlteration::forget_primary_key() {
  table_->indexes.erase(table_->indexes.begin());
  builder_.use_hidden_row_number();
  rewrite_ = true;
}

Status TableAlteration::drop_column(const PgQuery__AlterTableCmd& command) {
  const int found = table_->find_column(text_or_empty(command.name));
  if (found < 0) {
    for (const std::string_view system : {"tableoid", "cmax", "xmax", "cmin", "xmin", "ctid"})
      if (text_or_empty(command.name) == system) return feature_not_supported("cannot drop system column " + quoted(system));
    const std::string message = "column " + quoted(text_or_empty(command.name)) + " of relation " + quoted(old_->name) + " does not exist";
    if (!command.missing_ok) return Status{sqlstate::undefined_column, message};
    ctx_.notice(sqlstate::successful_completion, message + ", skipping");
    return {};
  }
  const auto column = static_cast<std::uint16_t>(found);
  if (table_->placement.kind != PlacementKind::kKey &&
      std::find(table_->placement.columns.begin(), table_->placement.columns.end(), column) != table_->placement.columns.end())
    return Status{sqlstate::invalid_table_definition, "cannot drop column " + quoted(table_->columns[column].name) +
                                                          " because it is part of the partition key of relation " + quoted(old_->name)};
  if (in_partition_key(column))
    return Status{sqlstate::invalid_table_definition, "cannot drop column " + quoted(table_->columns[column].name) +
                                                          " because it is part of the partition key of relation " + quoted(old_->name)};
  drops_.add({RefKind::kColumn, old_->oid, 0, column});
  has_drops_ = true;
  cascade_ = cascade_ || command.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  // What is generated from it goes with it, or the drop is refused in the end.
  WANDIAN_ASSIGN(const std::vector<std::uint16_t> generated, generated_from(ctx_, *table_, column));
  for (const std::uint16_t other : generated) WANDIAN_TRY(forget_column(other));
  return forget_column(column);
}

Status TableAlteration::forget_column(std::uint16_t column) {
  const auto uses = [&](const std::vector<std::uint16_t>& columns) { return std::find(columns.begin(), columns.end(), column) != columns.end(); };
  std::erase_if(table_->foreign_keys, [&](const ForeignKeyDef& key) {
    return uses(key.columns) || (key.referenced_table == old_->oid && uses(key.referenced_columns));
  });
  WANDIAN_TRY(check_placement());
  // Conditions over it go, too.
  const std::vector<StandaloneColumn> columns = standalone_columns(*table_);
  std::vector<CheckDef> kept;
  for (CheckDef& check : table_->checks) {
    StandaloneOptions options;
    options.use = StandaloneUse::kCheck;
    options.table_name = table_->name;
    options.columns = columns;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(check.expression, ctx_.bind_context(), options));
    bool used = false;
    for (const ColumnUse& use : collect_columns(bound.expr)) used = used || use.column == static_cast<std::int16_t>(column);
    if (!used) kept.push_back(std::move(check));
  }
  table_->checks = std::move(kept);
  std::vector<bool> over_column;
  for (std::size_t i = 0; i < table_->indexes.size(); ++i) {
    if (i == 0 && table_->hidden_row_number) {
      over_column.push_back(false);
      continue;
    }
    WANDIAN_ASSIGN(const std::vector<std::uint16_t> used, columns_of_index(ctx_, *table_, table_->indexes[i]));
    over_column.push_back(uses(used));
  }
  for (std::size_t i = table_->indexes.size(); i-- > 1;)
    if (over_column[i]) {
      if (table_->indexes[i].global_table != 0) changes_.drop(ObjectKind::kTable, table_->indexes[i].global_table);
      table_->indexes.erase(table_->indexes.begin() + static_cast<std::ptrdiff_t>(i));
    }
  if (over_column[0]) forget_primary_key();
  ColumnDef& def = table_->columns[column];
  def.name = "........pg.dropped." + std::to_string(column + 1) + "........";
  def.dropped = true;
  def.not_null = false;
  def.identity = 0;
  def.generated = 0;
  def.default_expression.clear();
  return {};
}

Status TableAlteration::alter_type(const PgQuery__AlterTableCmd& command) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  const PgQuery__ColumnDef& node = *command.def->column_def;
  ResolvedType type;
  WANDIAN_TRY(resolve_column_type(ctx_, *node.type_name, text_or_empty(command.name), &type));
  WANDIAN_TRY(refuse_row_type_used(ctx_, *old_));
  ColumnDef& def = table_->columns[column];
  std::string collation;
  WANDIAN_TRY(check_collation(node.coll_clause, ctx_, &collation));
  if (node.coll_clause != nullptr && !is_collatable(type.type))
    return Status{sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(type.type)};
  if (def.identity != 0 && type.type != kInt2 && type.type != kInt4 && type.type != kInt8)
    return Status{sqlstate::invalid_parameter_value, "identity column type must be smallint, integer, or bigint"};
  if (table_->placement.kind != PlacementKind::kKey &&
      std::find(table_->placement.columns.begin(), table_->placement.columns.end(), column) != table_->placement.columns.end())
    return Status{sqlstate::invalid_table_definition, "cannot alter column " + quoted(def.name) + " because it is part of the partition key of relation " +
                                                          quoted(old_->name)};
  if (in_partition_key(column))
    return Status{sqlstate::invalid_table_definition, "cannot alter column " + quoted(def.name) + " because it is part of the partition key of relation " +
                                                          quoted(old_->name)};
  const auto refuse_used_by = [&](const std::string& definition, const ObjectRef& view) -> Status {
    if (!view_uses(definition, ctx_.bind_context()).columns.contains({old_->oid, column})) return {};
    return feature_not_supported("cannot alter type of a column used by a view or rule")
        .with_detail("rule _RETURN on " + describe(ctx_, view) + " depends on column " + quoted(def.name));
  };
  std::map<Oid, std::pair<RefKind, const std::string*>> views;   // the oldest is named
  for (const auto& [key, object] : ctx_.catalog()->objects())
    if (key.first == ObjectKind::kView) views[object->oid] = {RefKind::kView, &object->definition};
  for (const auto& [oid, table] : ctx_.catalog()->tables())
    if (table->is_materialized_view()) views[oid] = {RefKind::kTable, &table->view_definition};
  for (const auto& [oid, view] : views) WANDIAN_TRY(refuse_used_by(*view.second, {view.first, oid, 0, 0}));
  for (const ForeignKeyDef& key : table_->foreign_keys)
    if (std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end() && type.type != def.type)
      return feature_not_supported("cannot alter type of a column used in a foreign key constraint").with_detail("Drop constraint " + quoted(key.name) + " first.");
  for (const Oid oid : old_->referencing) {
    const auto other = ctx_.catalog()->table(oid);
    if (other == nullptr) continue;
    for (const ForeignKeyDef& key : other->foreign_keys)
      if (key.referenced_table == old_->oid && type.type != def.type &&
          std::find(key.referenced_columns.begin(), key.referenced_columns.end(), column) != key.referenced_columns.end())
        return feature_not_supported("cannot alter type of a column referenced by a foreign key constraint")
            .with_detail("Drop constraint " + quoted(key.name) + " on table " + quoted(other->name) + " first.");
  }
  WANDIAN_ASSIGN(const std::vector<std::uint16_t> generated, generated_from(ctx_, *table_, column));
  if (!generated.empty())
    return feature_not_supported("cannot alter type of a column used by a generated column")
        .with_detail("Column " + quoted(def.name) + " is used by generated column " + quoted(table_->columns[generated[0]].name) + ".");
  if (def.generated != 0) {
    if (node.raw_default != nullptr)
      return Status{sqlstate::invalid_column_definition, "cannot specify USING when altering type of generated column"}.with_detail(
          "Column " + quoted(def.name) + " is a generated column.");
    def.type = type.type;
    def.typmod = type.typmod;
    def.dimensions = written_dimensions(*node.type_name);
    def.collation = collation;
    Result<BoundExpression> converted = bind_generation(ctx_, *table_, column);
    if (!converted.ok())
      return Status{sqlstate::datatype_mismatch,
                    "generation expression for column " + quoted(def.name) + " cannot be cast automatically to type " + format_type(type.type)};
    def.default_expression = deparse(converted->expr, {column_names(*table_), nullptr, false});
    rewrite_ = true;
    return rebind_checks();
  }
  const std::vector<StandaloneColumn> columns = standalone_columns(*old_);
  StandaloneOptions options;
  options.use = StandaloneUse::kUsing;
  options.table_name = old_->name;
  options.columns = columns;
  options.target_type = type.type;
  options.target_typmod = type.typmod;
  options.target_name = def.name;
  Result<BoundExpression> bound = node.raw_default != nullptr
                                      ? bind_standalone_node(node.raw_default, ctx_.statement.text, ctx_.bind_context(), options)
                                      : bind_standalone_expression(quote_identifier(old_->columns[column].name), ctx_.bind_context(), options);
  if (!bound.ok()) {
    if (node.raw_default != nullptr || bound.status().code() != sqlstate::datatype_mismatch) return bound.take_status();
    const std::string shown = format_type(type.type, type.typmod);
    return Status{sqlstate::datatype_mismatch, "column " + quoted(def.name) + " cannot be cast automatically to type " + format_type(type.type)}.with_hint(
        "You might need to specify \"USING " + quote_identifier(def.name) + "::" + shown + "\".");
  }
  for (const IndexDef& index : table_->indexes)
    for (std::size_t p = 0; p < index.key_parts; ++p)
      if (index.parts[p].column == column) WANDIAN_TRY(check_indexable(type.type, index.method));
  const Expr* inner = bound->expr;
  while (inner->kind == ExprKind::kRelabel) inner = inner->as<UnaryExpr>().arg;
  const TypeInfo* before = find_type(def.type);
  const TypeInfo* after = find_type(type.type);
  const bool same_bytes = inner->kind == ExprKind::kColumn && inner->as<ColumnExpr>().column == static_cast<std::int16_t>(column) &&
                          before->rep == after->rep &&
                          collated_order(def.type, def.collation) == collated_order(type.type, collation) && before->order == after->order;
  if (!same_bytes) {
    rewrite_ = true;
    computed_.push_back({column, std::make_shared<BoundExpression>(bound.take())});
  }
  def.type = type.type;
  def.typmod = type.typmod;
  def.dimensions = written_dimensions(*node.type_name);
  def.collation = collation;
  if (!def.default_expression.empty()) {
    StandaloneOptions of_default;
    of_default.target_type = type.type;
    of_default.target_typmod = type.typmod;
    of_default.target_name = def.name;
    Result<BoundExpression> converted = bind_standalone_expression(def.default_expression, ctx_.bind_context(), of_default);
    if (!converted.ok())
      return Status{sqlstate::datatype_mismatch, "default for column " + quoted(def.name) + " cannot be cast automatically to type " + format_type(type.type)};
    def.default_expression = deparse(converted->expr, {});
  }
  if (def.identity != 0)
    for (const auto& [oid, sequence] : ctx_.catalog()->sequences()) {
      if (sequence->owned_by_table != old_->oid || sequence->owned_by_column != column || sequence->owned_kind != 'i') continue;
      auto changed = std::make_shared<SequenceDef>(*sequence);
      const auto highest = [](Oid t) { return t == kInt2 ? std::int64_t{INT16_MAX} : t == kInt4 ? std::int64_t{INT32_MAX} : INT64_MAX; };
      if (changed->maximum == highest(changed->type) || changed->maximum > highest(type.type)) changed->maximum = highest(type.type);
      changed->type = type.type;
      changes_.put(std::move(changed));
    }
  return rebind_checks();
}

// Conditions mean what they say with the columns' types as they are now.
Status TableAlteration::rebind_checks() {
  WANDIAN_TRY(reprint_indexes(ctx_, *table_, table_.get()));   // first, as PostgreSQL's errors come
  const std::vector<StandaloneColumn> columns = standalone_columns(*table_);
  for (CheckDef& check : table_->checks) {
    StandaloneOptions options;
    options.use = StandaloneUse::kCheck;
    options.table_name = table_->name;
    options.columns = columns;
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_expression(check.expression, ctx_.bind_context(), options));
    check.expression = deparse(bound.expr, {column_names(*table_), nullptr, false, {}});
  }
  return {};
}

Status TableAlteration::set_default(const PgQuery__AlterTableCmd& command) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  ColumnDef& def = table_->columns[column];
  if (def.identity != 0) {
    Status status{sqlstate::syntax_error, "column " + quoted(def.name) + " of relation " + quoted(old_->name) + " is an identity column"};
    if (command.def == nullptr) return std::move(status).with_hint("Use ALTER TABLE ... ALTER COLUMN ... DROP IDENTITY instead.");
    return status;
  }
  if (def.generated != 0) {
    Status status{sqlstate::syntax_error, "column " + quoted(def.name) + " of relation " + quoted(old_->name) + " is a generated column"};
    if (command.def == nullptr) return std::move(status).with_hint("Use ALTER TABLE ... ALTER COLUMN ... DROP EXPRESSION instead.");
    return status;
  }
  if (command.def == nullptr) {
    def.default_expression.clear();
    return {};
  }
  WANDIAN_ASSIGN(def.default_expression, default_text(ctx_, def, command.def));
  return {};
}

Status TableAlteration::set_not_null(const PgQuery__AlterTableCmd& command, bool not_null) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  ColumnDef& def = table_->columns[column];
  if (not_null) {
    if (!def.not_null && column < old_->columns.size()) not_null_.push_back(def.name);
    def.not_null = true;
    return {};
  }
  if (def.identity != 0)
    return Status{sqlstate::syntax_error, "column " + quoted(def.name) + " of relation " + quoted(old_->name) + " is an identity column"};
  if (const IndexDef* key = primary_key(*table_); key != nullptr)
    for (std::size_t p = 0; p < key->key_parts; ++p)
      if (key->parts[p].column == column)
        return Status{sqlstate::invalid_table_definition, "column " + quoted(def.name) + " is in a primary key"};
  for (const IndexDef& index : table_->indexes)
    for (std::size_t p = 0; index.replica_identity && p < index.key_parts; ++p)
      if (index.parts[p].column == column)
        return Status{sqlstate::invalid_table_definition, "column " + quoted(def.name) + " is in index used as replica identity"};
  if (table_->placement.kind == PlacementKind::kDirectory && table_->placement.columns[0] == column)
    return Status{sqlstate::invalid_table_definition, "column " + quoted(def.name) + " is the region column of a directory"};
  def.not_null = false;
  return {};
}

Status TableAlteration::drop_expression(const PgQuery__AlterTableCmd& command) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  ColumnDef& def = table_->columns[column];
  if (def.generated == 0) {
    const std::string message = "column " + quoted(def.name) + " of relation " + quoted(old_->name) + " is not a stored generated column";
    if (!command.missing_ok) return Status{sqlstate::object_not_in_prerequisite_state, message};
    ctx_.notice(sqlstate::successful_completion, message + ", skipping");
    return {};
  }
  // Its values stay as they are.
  def.generated = 0;
  def.default_expression.clear();
  return {};
}

Status TableAlteration::add_identity(const PgQuery__AlterTableCmd& command) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  ColumnDef& def = table_->columns[column];
  const PgQuery__Constraint& node = *command.def->constraint;
  const std::string of = "column " + quoted(def.name) + " of relation " + quoted(old_->name);
  if (def.type != kInt2 && def.type != kInt4 && def.type != kInt8)
    return Status{sqlstate::invalid_parameter_value, "identity column type must be smallint, integer, or bigint"};
  if (!def.not_null) return Status{sqlstate::object_not_in_prerequisite_state, of + " must be declared NOT NULL before identity can be added"};
  if (def.identity != 0) return Status{sqlstate::object_not_in_prerequisite_state, of + " is already an identity column"};
  if (!def.default_expression.empty()) return Status{sqlstate::object_not_in_prerequisite_state, of + " already has a default value"};
  WANDIAN_ASSIGN(std::shared_ptr<SequenceDef> sequence,
                 make_owned_sequence(ctx_, changes_, *table_, column, def.type, 'i', node.options, node.n_options));
  def.identity = text_or_empty(node.generated_when) == "a" ? 'a' : 'd';
  changes_.put(std::move(sequence));
  return {};
}

Status TableAlteration::set_identity(const PgQuery__AlterTableCmd& command) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  ColumnDef& def = table_->columns[column];
  if (def.identity == 0)
    return Status{sqlstate::object_not_in_prerequisite_state, "column " + quoted(def.name) + " of relation " + quoted(old_->name) + " is not an identity column"};
  std::vector<PgQuery__Node*> options;
  if (command.def != nullptr && command.def->node_case == PG_QUERY__NODE__NODE_LIST)
    for (std::size_t i = 0; i < command.def->list->n_items; ++i) {
      PgQuery__Node* option = command.def->list->items[i];
      if (text_or_empty(option->def_elem->defname) == "generated") {
        const std::string text = option_text(*option->def_elem);
        def.identity = text == "a" || text == "97" ? 'a' : 'd';
      } else {
        options.push_back(option);
      }
    }
  if (options.empty()) return {};
  for (const auto& [oid, sequence] : ctx_.catalog()->sequences()) {
    if (sequence->owned_by_table != old_->oid || sequence->owned_by_column != column || sequence->owned_kind != 'i') continue;
    auto changed = std::make_shared<SequenceDef>(*sequence);
    SequenceChange change;
    WANDIAN_TRY(apply_sequence_options(ctx_, options.data(), options.size(), false, changed.get(), &change));
    if (change.restart) restart_sequence(changed.get(), *change.restart);
    changes_.put(std::move(changed));
  }
  return {};
}

Status TableAlteration::drop_identity(const PgQuery__AlterTableCmd& command) {
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(text_or_empty(command.name), &column));
  ColumnDef& def = table_->columns[column];
  if (def.identity == 0) {
    const std::string message = "column " + quoted(def.name) + " of relation " + quoted(old_->name) + " is not an identity column";
    if (!command.missing_ok) return Status{sqlstate::object_not_in_prerequisite_state, message};
    ctx_.notice(sqlstate::successful_completion, message + ", skipping");
    return {};
  }
  def.identity = 0;
  for (const auto& [oid, sequence] : ctx_.catalog()->sequences())
    if (sequence->owned_by_table == old_->oid && sequence->owned_by_column == column && sequence->owned_kind == 'i')
      changes_.drop(ObjectKind::kSequence, oid);
  return {};
}

// ---- Constraints and properties of the table ----

Status TableAlteration::check_placement() const {
  if (table_->placement.kind != PlacementKind::kRegion) return {};
  const std::uint16_t column = table_->placement.columns[0];
  for (const ForeignKeyDef& key : table_->foreign_keys)
    if (std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end()) return {};
  return feature_not_supported("cannot drop the foreign key that leads relation " + quoted(old_->name) + " to its directory");
}

Status TableAlteration::drop_constraint(const PgQuery__AlterTableCmd& command) {
  const std::string name(text_or_empty(command.name));
  cascade_ = cascade_ || command.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  if (std::erase_if(table_->checks, [&](const CheckDef& check) { return check.name == name; }) != 0) return {};
  if (std::erase_if(table_->foreign_keys, [&](const ForeignKeyDef& key) { return key.name == name; }) != 0) return check_placement();
  for (std::size_t i = 0; i < table_->indexes.size(); ++i) {
    const IndexDef index = table_->indexes[i];
    if (index.constraint == 0 || index.name != name) continue;
    drops_.add({RefKind::kKeyConstraint, index.constraint, old_->oid, 0});
    has_drops_ = true;
    std::erase_if(table_->foreign_keys, [&](const ForeignKeyDef& key) { return key.referenced_index == index.oid && cascade_; });
    if (i == 0) {
      if (table_->placement.kind == PlacementKind::kDirectory)
        return feature_not_supported("cannot drop the primary key of a directory");
      forget_primary_key();
    } else {
      if (index.global_table != 0) changes_.drop(ObjectKind::kTable, index.global_table);
      table_->indexes.erase(table_->indexes.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return {};
  }
  const std::string message = "constraint " + quoted(name) + " of relation " + quoted(old_->name) + " does not exist";
  if (!command.missing_ok) return Status{sqlstate::undefined_object, message};
  ctx_.notice(sqlstate::successful_completion, message + ", skipping");
  return {};
}

// ADD CONSTRAINT ... USING INDEX: the index becomes the constraint's.
Status TableAlteration::add_key_from_index(const PgQuery__Constraint& node) {
  const std::string name(text_or_empty(node.indexname));
  const bool primary = node.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY;
  const std::int32_t at = ctx_.position(node.location);
  const auto found = std::find_if(table_->indexes.begin(), table_->indexes.end(), [&](const IndexDef& index) { return index.oid != 0 && index.name == name; });
  if (found == table_->indexes.end()) {
    const auto relation = ctx_.catalog()->find_relation(old_->schema, name);
    if (relation && relation->kind == Catalog::RelationName::Kind::kIndex) {
      const auto other = ctx_.catalog()->table(relation->table);
      for (const IndexDef& index : other->indexes)
        if (index.oid == relation->oid && index.constraint != 0)
          return Status{sqlstate::object_not_in_prerequisite_state, "index " + quoted(name) + " is already associated with a constraint"}.with_position(at);
      return Status{sqlstate::object_not_in_prerequisite_state, "index " + quoted(name) + " does not belong to table " + quoted(old_->name)}.with_position(at);
    }
    if (relation) return Status{sqlstate::wrong_object_type, quoted(name) + " is not an index"};
    return Status{sqlstate::undefined_object, "index " + quoted(name) + " does not exist"}.with_position(at);
  }
  const auto refuse = [&](std::string message) {
    return Status{sqlstate::wrong_object_type, std::move(message)}.with_detail("Cannot create a primary key or unique constraint using such an index.").with_position(at);
  };
  if (found->constraint != 0)
    return Status{sqlstate::object_not_in_prerequisite_state, "index " + quoted(name) + " is already associated with a constraint"}.with_position(at);
  if (!found->unique) return refuse(quoted(name) + " is not a unique index");
  if (std::any_of(found->parts.begin(), found->parts.end(), [](const IndexPart& part) { return part.column == kExpressionPart; }))
    return refuse("index " + quoted(name) + " contains expressions");
  if (!found->predicate.empty()) return refuse(quoted(name) + " is a partial index");
  for (std::size_t p = 0; p < found->key_parts; ++p) {
    const IndexPart& part = found->parts[p];
    if (part.descending || part.nulls_first || !part.opclass.empty() || !part.collation.empty())
      return refuse("index " + quoted(name) + " column number " + std::to_string(p + 1) + " does not have default sorting behavior");
  }
  std::string constraint(text_or_empty(node.conname));
  if (constraint.empty()) constraint = name;
  if (constraint != name)
    ctx_.notice(sqlstate::successful_completion, "ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index " + quoted(name) + " to " + quoted(constraint));
  if (!primary || node.deferrable) {
    if (primary && primary_key(*table_) != nullptr)
      return Status{sqlstate::invalid_table_definition, "multiple primary keys for table " + quoted(old_->name) + " are not allowed"};
    for (std::size_t p = 0; primary && p < found->key_parts; ++p) {
      ColumnDef& column = table_->columns[found->parts[p].column];
      if (!column.not_null) not_null_.push_back(column.name);
      column.not_null = true;
    }
    found->primary = primary;
    found->name = constraint;
    found->constraint = ctx_.allocate_oid();
    found->deferrable = node.deferrable != 0;
    found->initially_deferred = node.initdeferred != 0;
    if (node.deferrable && found->global_table != 0) {   // a key that may be there twice has its entries beside the rows
      changes_.drop(ObjectKind::kTable, std::exchange(found->global_table, 0));
      rewrite_ = true;
    }
    return {};
  }
  // The rows are kept in the order of the primary key, so that they are written anew.
  KeySpec key;
  key.name = constraint == name ? std::string() : constraint;
  key.primary = true;
  for (std::size_t p = 0; p < found->parts.size(); ++p)
    (p < found->key_parts ? key.columns : key.including).push_back(table_->columns[found->parts[p].column].name);
  key.options = found->options;
  const Oid oid = found->oid;
  if (found->global_table != 0) changes_.drop(ObjectKind::kTable, found->global_table);
  table_->indexes.erase(found);
  WANDIAN_TRY(builder_.apply_key(key));
  table_->indexes[0].oid = oid;
  table_->indexes[0].name = constraint;
  rewrite_ = true;
  return {};
}

Status TableAlteration::validate_constraint(const PgQuery__AlterTableCmd& command) {
  const std::string name(text_or_empty(command.name));
  for (CheckDef& check : table_->checks)
    if (check.name == name) {
      if (!std::exchange(check.validated, true)) new_checks_.push_back(check);
      return {};
    }
  for (ForeignKeyDef& key : table_->foreign_keys)
    if (key.name == name) {
      if (!std::exchange(key.validated, true)) new_foreign_keys_.push_back(key);
      return {};
    }
  for (const IndexDef& index : table_->indexes)
    if (index.constraint != 0 && index.name == name)
      return Status{sqlstate::wrong_object_type, "constraint " + quoted(name) + " of relation " + quoted(old_->name) +
                                                     " is not a foreign key or check constraint"};
  return Status{sqlstate::undefined_object, "constraint " + quoted(name) + " of relation " + quoted(old_->name) + " does not exist"};
}

// Rows are kept in the order of their keys anyway. "" forgets it.
Status TableAlteration::cluster_on(std::string_view name) {
  Oid chosen = 0;
  if (!name.empty()) {
    WANDIAN_ASSIGN(chosen, find_clusterable(ctx_, *table_, name));
  }
  mark_clustered(*table_, chosen);
  return {};
}

Status TableAlteration::set_statistics(const PgQuery__AlterTableCmd& command) {
  if (text_or_empty(command.name).empty()) return feature_not_supported("cannot refer to non-index column by number");
  WANDIAN_ASSIGN(const std::int16_t target, read_statistics_target(ctx_, command));
  std::uint16_t column = 0;
  WANDIAN_TRY(column_of(command.name, &column));
  table_->columns[column].statistics_target = target;
  return {};
}

Status TableAlteration::alter_constraint(const PgQuery__AlterTableCmd& command) {
  const PgQuery__Constraint& node = *command.def->constraint;
  const std::string name(text_or_empty(node.conname));
  const std::string of = "constraint " + quoted(name) + " of relation " + quoted(old_->name);
  for (ForeignKeyDef& key : table_->foreign_keys)
    if (key.name == name) {
      key.deferrable = node.deferrable;
      key.initially_deferred = node.initdeferred;
      return {};
    }
  const bool other = std::any_of(table_->checks.begin(), table_->checks.end(), [&](const CheckDef& check) { return check.name == name; }) ||
                     std::any_of(table_->indexes.begin(), table_->indexes.end(), [&](const IndexDef& index) { return index.constraint != 0 && index.name == name; });
  if (other) return Status{sqlstate::wrong_object_type, of + " is not a foreign key constraint"};
  return Status{sqlstate::undefined_object, of + " does not exist"};
}

Status TableAlteration::set_options(const PgQuery__AlterTableCmd& command, bool reset) {
  if (command.def == nullptr || command.def->node_case != PG_QUERY__NODE__NODE_LIST) return {};
  std::vector<std::pair<std::string, std::string>> given;
  if (!reset) WANDIAN_TRY(read_options(command.def->list->items, command.def->list->n_items, std::nullopt, &given));
  else
    for (std::size_t i = 0; i < command.def->list->n_items; ++i) {
      const PgQuery__DefElem& option = *command.def->list->items[i]->def_elem;
      const std::string space(text_or_empty(option.defnamespace));
      given.emplace_back((space.empty() ? "" : space + ".") + std::string(text_or_empty(option.defname)), "");
    }
  for (auto& [name, value] : given) {
    std::erase_if(table_->options, [&name = name](const auto& option) { return option.first == name; });
    if (!reset) table_->options.emplace_back(name, value);
  }
  return {};
}

Status TableAlteration::change_owner(const PgQuery__AlterTableCmd& command) {
  WANDIAN_ASSIGN(const Oid role, find_role(ctx_, *command.newowner));
  if (role == old_->owner) return {};
  const Securable table = *securable_relation(*ctx_.catalog(), old_->oid);
  WANDIAN_TRY(check_new_owner(ctx_.access(), table, role, table_->temporary ? 0 : old_->schema));
  // The definition itself is put at the end, with all else that changes in it.
  sql::change_owner(ctx_, changes_, table, role);
  table_->owner = role;
  return {};
}

Status TableAlteration::add_constraints() {
  for (const bool primary : {true, false})
    for (const KeySpec& key : builder_.keys) {
      if (key.primary != primary) continue;
      const std::size_t before = table_->indexes.size();
      const Oid first = table_->indexes[0].oid;
      const bool first_index = primary && !key.deferral.deferrable;
      std::vector<std::string> nullable;
      for (std::size_t c = 0; c < old_->columns.size(); ++c)
        if (!table_->columns[c].not_null) nullable.push_back(table_->columns[c].name);
      WANDIAN_TRY(builder_.apply_key(key));
      if (only_ && !table_->partitions.empty()) (first_index ? table_->indexes[0] : table_->indexes.back()).invalid = true;
      if (primary && !first_index)
        for (const std::string& name : key.columns)
          if (std::find(nullable.begin(), nullable.end(), name) != nullable.end()) not_null_.push_back(name);
      if (first_index) {
        if (table_->indexes[0].oid != first) rewrite_ = true;
        continue;
      }
      if (table_->indexes.size() == before) continue;
      const IndexDef& made = table_->indexes.back();
      new_indexes_.push_back(made.oid);
      for (const IndexPart& part : made.parts)
        if (part.column >= old_->columns.size()) rewrite_ = true;
    }
  for (const CheckSpec& check : builder_.checks) {
    WANDIAN_TRY(builder_.apply_check(check));
    if (!check.skip_validation) new_checks_.push_back(table_->checks.back());
  }
  return {};
}

Status TableAlteration::add_foreign_key(const ForeignKeySpec& spec, std::shared_ptr<const TableDef> referenced) {
  WANDIAN_TRY(builder_.apply_foreign_key(spec, std::move(referenced)));
  if (!spec.skip_validation) new_foreign_keys_.push_back(table_->foreign_keys.back());
  return {};
}

// ---- Doing it ----

Status TableAlteration::bind_computed() {
  for (const Late& late : late_) {
    const ColumnDef& def = table_->columns[late.column];
    std::string text = late.expression;
    if (text.empty()) {
      for (const auto& [oid, sequence] : ctx_.catalog()->sequences())
        if (sequence->owned_by_table == table_->oid && sequence->owned_by_column == late.column && sequence->owned_kind == 'i')
          text = "nextval('" + std::to_string(oid) + "'::regclass)";
    }
    StandaloneOptions options;
    options.target_type = def.type;
    options.target_typmod = def.typmod;
    options.target_name = def.name;
    options.fold = true;
    WANDIAN_ASSIGN(BoundExpression bound, bind_standalone_expression(text, ctx_.bind_context(), options));
    computed_.push_back({late.column, std::make_shared<BoundExpression>(std::move(bound))});
  }
  return {};
}

Task<Status> TableAlteration::check_before() {
  // A column that may be null still is asked about under the old definition: the new one would answer for itself.
  if (!rewrite_) {
    for (const std::string& column : not_null_) WANDIAN_CO_TRY(co_await check_not_null_rows(ctx_, old_->oid, column));
    for (const Oid oid : new_indexes_)
      for (const IndexDef& index : table_->indexes)
        if (index.oid == oid && index.unique && (index.deferrable || index.nulls_not_distinct || unique_is_local(*table_, index))) WANDIAN_CO_TRY(co_await check_unique_rows(ctx_, old_->oid, index));
    for (const std::string& column : filled_not_null_) {
      Status any = co_await check_check_rows(ctx_, old_->oid, column, "false");
      if (!any.ok() && any.code() == sqlstate::check_violation)
        co_return Status(sqlstate::not_null_violation, "column " + quoted(column) + " of relation " + quoted(old_->name) + " contains null values")
            .with_table(ctx_.schema_name(old_->schema), old_->name)
            .with_column(column);
      WANDIAN_CO_TRY(std::move(any));
    }
  }
  co_return Status{};
}

Task<Status> TableAlteration::check_after() {
  if (!rewrite_) {
    bool local = false;
    for (const Oid oid : new_indexes_)
      for (const IndexDef& index : table_->indexes) {
        if (index.oid != oid) continue;
        if (index.global_table != 0) WANDIAN_CO_TRY(co_await fill_global_index(ctx_, table_->oid, oid));
        else local = true;
      }
    if (local) WANDIAN_CO_TRY(co_await build_local_indexes(ctx_, table_->oid));
    for (const CheckDef& check : new_checks_) WANDIAN_CO_TRY(co_await check_check_rows(ctx_, table_->oid, check.name, check.expression));
  }
  for (const ForeignKeyDef& key : new_foreign_keys_) WANDIAN_CO_TRY(co_await check_foreign_key_rows(ctx_, table_->oid, key));
  co_return Status{};
}

Task<Status> TableAlteration::finish() {
  if (has_drops_) {
    WANDIAN_CO_TRY(drops_.check(cascade_));
    WANDIAN_CO_TRY(drops_.collect(changes_));
  }
  if (table_->is_partitioned()) {
    // There are no rows but in its partitions, which are altered for themselves.
    rewrite_ = false;
    new_indexes_.clear(), new_checks_.clear(), new_foreign_keys_.clear(), not_null_.clear(), filled_not_null_.clear();
  }
  const bool more_columns = table_->columns.size() > old_->columns.size();
  WANDIAN_CO_TRY(co_await check_before());
  if (table_->hidden_row_number) table_->indexes[0].parts[0].column = static_cast<std::uint16_t>(table_->columns.size());
  if (rewrite_) {
    table_->storage_id = ctx_.allocate_storage_id();
    table_->storage.reset();
    table_->older_layouts.clear();
    for (ColumnDef& column : table_->columns) {
      column.has_missing_value = false;
      column.missing_value.clear();
    }
  } else if (more_columns) {
    table_->older_layouts.push_back(static_cast<std::uint16_t>(old_->layout_columns()));
  }
  if (table_->is_partitioned()) table_->older_layouts.clear();
  WANDIAN_CO_TRY(builder_.settle_global_indexes(old_.get(), rewrite_));
  changes_.put(table_);
  WANDIAN_CO_TRY(ctx_.apply(changes_));
  if (rewrite_) {
    WANDIAN_CO_TRY(bind_computed());
    WANDIAN_CO_TRY(co_await copy_rows(ctx_, old_, std::move(computed_)));
  }
  co_return co_await check_after();
}

}  // namespace wandian::sql
