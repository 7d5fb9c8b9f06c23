// CREATE DOMAIN, ALTER DOMAIN.
#include <algorithm>

#include "sql/ddl/dependency.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"
#include "sql/exec/receiver.h"
#include "sql/expr/deparse.h"
#include "sql/expr/domain_value.h"
#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

// What a definition is kept as: VALUE for the value, types by their OIDs.
std::string stored_check(const Expr* expr) {
  DefinitionStyle style;
  style.columns = {"VALUE"};
  style.domain_value = true;
  return deparse(expr, style);
}

std::string choose_constraint_name(const UserType& domain, const std::string& domain_name) {
  for (unsigned i = 0;; ++i) {
    const std::string name = make_object_name(domain_name, "", i == 0 ? "check" : "check" + std::to_string(i));
    if (std::none_of(domain.checks.begin(), domain.checks.end(), [&](const DomainCheck& c) { return c.name == name; })) return name;
  }
}

Status add_check(DdlContext& ctx, const PgQuery__Constraint& node, const std::string& domain_name, UserType* domain) {
  if (node.is_no_inherit)
    return Status{sqlstate::invalid_object_definition, "check constraints for domains cannot be marked NO INHERIT"};
  DomainCheck check;
  check.name = text_or_empty(node.conname);
  const bool taken = std::any_of(domain->checks.begin(), domain->checks.end(), [&](const DomainCheck& c) { return c.name == check.name; });
  if (!check.name.empty() && taken)
    return Status{sqlstate::duplicate_object, "constraint " + quoted(check.name) + " for domain " + quoted(domain_name) + " already exists"};
  if (check.name.empty()) check.name = choose_constraint_name(*domain, domain_name);
  WANDIAN_ASSIGN(const BoundExpression bound,
                 bind_domain_check(node.raw_expr, ctx.statement.text, ctx.bind_context(), domain->base, domain->typmod, false));
  check.oid = ctx.allocate_oid();
  check.expression = stored_check(bound.expr);
  check.validated = !node.skip_validation;
  domain->checks.push_back(std::move(check));
  return {};
}

Status set_default(DdlContext& ctx, const std::string& name, const ParseNode* node, UserType* domain) {
  ColumnDef column;
  column.name = name;
  column.type = domain->base;
  column.typmod = domain->typmod;
  WANDIAN_ASSIGN(domain->default_expression, default_text(ctx, column, node));
  return {};
}

Status impossible(std::string_view what) {
  return Status{sqlstate::syntax_error, std::string(what) + " constraints not possible for domains"};
}

Status read_constraints(DdlContext& ctx, const PgQuery__CreateDomainStmt& node, const std::string& name, UserType* domain) {
  bool saw_default = false, saw_null = false, saw_not_null = false;
  std::vector<const PgQuery__Constraint*> checks;
  for (std::size_t i = 0; i < node.n_constraints; ++i) {
    const PgQuery__Constraint& constraint = *node.constraints[i]->constraint;
    switch (constraint.contype) {
      case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT:
        if (saw_default) return Status{sqlstate::syntax_error, "multiple default expressions"};
        saw_default = true;
        WANDIAN_TRY(set_default(ctx, name, constraint.raw_expr, domain));
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL:
        if (saw_null) return Status{sqlstate::syntax_error, "conflicting NULL/NOT NULL constraints"};
        saw_not_null = domain->not_null = true;
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_NULL:
        if (saw_not_null) return Status{sqlstate::syntax_error, "conflicting NULL/NOT NULL constraints"};
        saw_null = true;
        break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK: checks.push_back(&constraint); break;
      case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: return impossible("unique");
      case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY: return impossible("primary key");
      case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION: return impossible("exclusion");
      case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: return impossible("foreign key");
      default: return feature_not_supported("specifying constraint deferrability not supported for domains");
    }
  }
  for (const PgQuery__Constraint* check : checks) WANDIAN_TRY(add_check(ctx, *check, name, domain));
  return {};
}

// A column that holds values of a domain, or of one made over it.
struct DomainColumn {
  std::shared_ptr<const TableDef> table;
  std::uint16_t column;
};
bool is_over(Oid type, Oid domain) {
  for (const TypeInfo* info = find_type(type); info != nullptr && info->kind == 'd'; info = find_type(type)) {
    if (type == domain) return true;
    type = info->base;
  }
  return false;
}
// Values within arrays and composites are out of reach: 0A000.
Result<std::vector<DomainColumn>> columns_of_domain(DdlContext& ctx, Oid domain) {
  std::vector<DomainColumn> out;
  for (const auto& [oid, table] : ctx.catalog()->tables()) {
    if (table->internal) continue;
    for (std::size_t c = 0; c < table->columns.size(); ++c) {
      const ColumnDef& column = table->columns[c];
      if (column.dropped) continue;
      if (is_over(column.type, domain)) out.push_back({table, static_cast<std::uint16_t>(c)});
      else if (type_contains(ctx, column.type, domain))
        return feature_not_supported("cannot alter type " + quoted(ctx.catalog()->object(ObjectKind::kType, domain)->name) + " because column " +
                                     quoted(table->name + "." + column.name) + " uses it");
    }
  }
  return out;
}

// Looks for a row in which `condition` (over the column, as SQL) holds, and says what it means that there is one.
Task<Status> refuse_rows(DdlContext& ctx, DomainColumn of, std::string condition, SqlState code, std::string what) {
  Result<std::shared_ptr<const TableDef>> locked = co_await ctx.lock_table(of.table->oid, TableLock::kShare);
  if (!locked.ok()) co_return locked.take_status();
  const std::string& name = of.table->columns[of.column].name;
  Arena arena;
  const std::vector<Oid> types{type_oid::kInt4};
  RowCollector rows(arena, types);
  std::uint64_t processed = 0;
  WANDIAN_CO_TRY(co_await ctx.session.run_sql("SELECT 1 FROM " + quote_identifier(ctx.schema_name(of.table->schema)) + "." + quote_identifier(of.table->name) +
                                                  " WHERE " + condition + " LIMIT 1",
                                              rows, &processed));
  if (rows.rows() == 0) co_return Status{};
  co_return Status{code, "column " + quoted(name) + " of table " + quoted(of.table->name) + " contains " + what}
      .with_table(ctx.schema_name(of.table->schema), of.table->name)
      .with_column(name);
}

Task<Status> validate_check(DdlContext& ctx, Oid domain, const UserType& type, const DomainCheck& check) {
  Result<std::vector<DomainColumn>> columns = columns_of_domain(ctx, domain);
  if (!columns.ok()) co_return columns.take_status();
  for (const DomainColumn& column : columns.value()) {
    Result<BoundExpression> bound = bind_domain_check(check.expression, ctx.bind_context(), type.base, type.typmod, false);
    if (!bound.ok()) co_return bound.take_status();
    DefinitionStyle style;
    style.columns = {column.table->columns[column.column].name};
    WANDIAN_CO_TRY(co_await refuse_rows(ctx, column, "NOT (" + deparse(bound->expr, style) + ")", sqlstate::check_violation,
                                        "values that violate the new constraint"));
  }
  co_return Status{};
}

Task<Status> validate_not_null(DdlContext& ctx, Oid domain) {
  Result<std::vector<DomainColumn>> columns = columns_of_domain(ctx, domain);
  if (!columns.ok()) co_return columns.take_status();
  for (const DomainColumn& column : columns.value())
    WANDIAN_CO_TRY(co_await refuse_rows(ctx, column, quote_identifier(column.table->columns[column.column].name) + " IS NULL",
                                        sqlstate::not_null_violation, "null values"));
  co_return Status{};
}

// PostgreSQL does not say where in the statement it is.
Status without_position(Status status) {
  if (!status.ok()) status.error().position = 0;
  return status;
}

}  // namespace

Task<Status> create_domain(DdlContext& ctx) {
  const PgQuery__CreateDomainStmt& node = *ctx.statement.node->create_domain_stmt;
  NewType where;
  WANDIAN_CO_TRY(co_await place_new_type(ctx, name_list(node.domainname, node.n_domainname), &where));
  Result<ResolvedType> base = resolve_type(*node.type_name, ctx.statement.text);
  if (!base.ok()) co_return without_position(base.take_status());
  const TypeInfo& info = *find_type(base->type);
  if (info.kind == 'p')
    co_return Status{sqlstate::datatype_mismatch, quoted(format_type(base->type)) + " is not a valid base type for a domain"};
  WANDIAN_CO_TRY(ctx.may_use_type(base->type));
  UserType type;
  type.kind = 'd';
  type.base = base->type;
  type.typmod = base->typmod;
  type.array = ctx.allocate_oid();
  if (node.coll_clause != nullptr) {
    WANDIAN_CO_TRY(check_collation(node.coll_clause, ctx, &type.collation));
    const Oid under = base_type(type.base);
    if (under != type_oid::kText && under != type_oid::kVarchar && under != type_oid::kBpchar && under != type_oid::kName)
      co_return Status{sqlstate::datatype_mismatch, "collations are not supported by type " + format_type(type.base)};
  }
  if (type.base >= kFirstUserOid) WANDIAN_CO_TRY(co_await lock_type_oid(ctx, info.element != 0 ? info.element : type.base, TableLock::kAccessShare));
  WANDIAN_CO_TRY(without_position(read_constraints(ctx, node, where.name, &type)));
  Changes changes;
  changes.put(type_object(ctx, where, type));
  co_return ctx.apply(changes);
}

Task<Status> alter_domain(DdlContext& ctx) {
  const PgQuery__AlterDomainStmt& node = *ctx.statement.node->alter_domain_stmt;
  const std::vector<std::string> names = name_list(node.type_name, node.n_type_name);
  Result<Oid> oid = find_type_oid(ctx, names);
  if (!oid.ok()) co_return oid.take_status();
  const Oid domain = oid.value();
  if (type_kind(domain) != 'd') co_return Status{sqlstate::wrong_object_type, quoted(format_type(domain)) + " is not a domain"};
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, names);
  if (!object.ok()) co_return object.take_status();
  UserType type = definition_of(*object.value());
  type.checks_compiled = nullptr;
  const std::string shown = format_type(domain);
  const auto named_check = [&] {
    return std::find_if(type.checks.begin(), type.checks.end(), [&](const DomainCheck& c) { return c.name == text_or_empty(node.name); });
  };
  switch (text_or_empty(node.subtype).empty() ? ' ' : node.subtype[0]) {
    case 'T':
      type.default_expression.clear();
      if (node.def != nullptr) WANDIAN_CO_TRY(without_position(set_default(ctx, object.value()->name, node.def, &type)));
      break;
    case 'N': type.not_null = false; break;
    case 'O':
      if (type.not_null) co_return Status{};
      WANDIAN_CO_TRY(co_await validate_not_null(ctx, domain));
      type.not_null = true;
      break;
    case 'C': {
      const PgQuery__Constraint& constraint = *node.def->constraint;
      switch (constraint.contype) {
        case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK: break;
        case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: co_return impossible("unique");
        case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY: co_return impossible("primary key");
        case PG_QUERY__CONSTR_TYPE__CONSTR_EXCLUSION: co_return impossible("exclusion");
        case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: co_return impossible("foreign key");
        default: co_return feature_not_supported("specifying constraint deferrability not supported for domains");
      }
      WANDIAN_CO_TRY(without_position(add_check(ctx, constraint, object.value()->name, &type)));
      if (!constraint.skip_validation) WANDIAN_CO_TRY(co_await validate_check(ctx, domain, type, type.checks.back()));
      break;
    }
    case 'X': {
      const auto check = named_check();
      if (check == type.checks.end()) {
        const std::string message = "constraint " + quoted(text_or_empty(node.name)) + " of domain " + quoted(shown) + " does not exist";
        if (!node.missing_ok) co_return Status{sqlstate::undefined_object, message};
        ctx.notice(sqlstate::successful_completion, message + ", skipping");
        co_return Status{};
      }
      type.checks.erase(check);
      break;
    }
    case 'V': {
      const auto check = named_check();
      if (check == type.checks.end())
        co_return Status{sqlstate::undefined_object, "constraint " + quoted(text_or_empty(node.name)) + " of domain " + quoted(shown) + " does not exist"};
      if (check->validated) co_return Status{};
      WANDIAN_CO_TRY(co_await validate_check(ctx, domain, type, *check));
      check->validated = true;
      break;
    }
    default: co_return feature_not_supported("this form of ALTER DOMAIN is not supported");
  }
  co_return change_type(ctx, *object.value(), type);
}

Task<Status> rename_domain_constraint(DdlContext& ctx) {
  const PgQuery__RenameStmt& node = *ctx.statement.node->rename_stmt;
  const std::vector<std::string> names = node.object->node_case == PG_QUERY__NODE__NODE_TYPE_NAME
                                             ? name_list(node.object->type_name->names, node.object->type_name->n_names)
                                             : name_list(node.object->list->items, node.object->list->n_items);
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, names);
  if (!object.ok()) co_return object.take_status();
  if (object.value() == nullptr || definition_of(*object.value()).kind != 'd') co_return Status{sqlstate::wrong_object_type, quoted(names.back()) + " is not a domain"};
  UserType type = definition_of(*object.value());
  type.checks_compiled = nullptr;
  const std::string to = truncate_identifier(text_or_empty(node.newname));
  DomainCheck* found = nullptr;
  for (DomainCheck& check : type.checks) {
    if (check.name == to) co_return Status{sqlstate::duplicate_object, "constraint " + quoted(to) + " for domain " + object.value()->name + " already exists"};
    if (check.name == text_or_empty(node.subname)) found = &check;
  }
  if (found == nullptr)
    co_return Status{sqlstate::undefined_object, "constraint " + quoted(text_or_empty(node.subname)) + " for domain " + format_type(object.value()->oid) + " does not exist"};
  found->name = to;
  co_return change_type(ctx, *object.value(), type);
}

}  // namespace wandian::sql
