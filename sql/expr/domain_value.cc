#include "sql/expr/domain_value.h"

#include "sql/expr/tree.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr std::string_view kValue = "value";

StandaloneOptions check_options(std::span<const StandaloneColumn> columns, bool fold) {
  StandaloneOptions options;
  options.use = StandaloneUse::kCheck;
  options.columns = columns;
  options.fold = fold;
  return options;
}

Status about_domain(Status status, Oid domain) {
  TypeCatalog* types = current_type_catalog();
  if (types == nullptr) return status;
  const auto [schema, name] = types->type_identity(domain);
  if (name.empty()) return status;
  return std::move(status).with_table(schema, {}).with_data_type(name);
}

}  // namespace

Result<BoundExpression> bind_domain_check(const ParseNode* node, std::string_view text, const BindContext& context, Oid base, std::int32_t typmod,
                                          bool fold) {
  const StandaloneColumn columns[] = {{kValue, base, typmod, false}};
  return bind_standalone_node(node, text, context, check_options(columns, fold));
}

Result<BoundExpression> bind_domain_check(std::string_view expression, const BindContext& context, Oid base, std::int32_t typmod, bool fold) {
  const StandaloneColumn columns[] = {{kValue, base, typmod, false}};
  return bind_standalone_expression(expression, context, check_options(columns, fold));
}

Status compile_domain_checks(const BindContext& context, UserType* domain) {
  if (domain->checks.empty()) return {};
  auto compiled = std::make_shared<DomainChecks>();
  for (const DomainCheck& check : domain->checks) {
    WANDIAN_ASSIGN(BoundExpression bound, bind_domain_check(check.expression, context, domain->base, domain->typmod, true));
    CompileOptions options;
    options.columns_are_slots = true;
    options.journaled = contains_routine(bound.expr);
    compiled->waits = compiled->waits || options.journaled;
    WANDIAN_ASSIGN(const CompiledExpr code, compile(*bound.expr, compiled->arena, options));
    compiled->checks.push_back({check.name, std::move(bound), code});
  }
  domain->checks_compiled = std::move(compiled);
  return {};
}

bool domain_waits(Oid domain) {
  for (const TypeInfo* info = find_type(domain); info != nullptr && info->kind == 'd'; info = find_type(info->base)) {
    const UserType* definition = find_user_type(info->oid);
    if (definition == nullptr) return false;
    if (definition->checks_compiled != nullptr && static_cast<const DomainChecks*>(definition->checks_compiled.get())->waits) return true;
  }
  return false;
}

bool check_domain(EvalContext& ctx, Oid domain, const Value& value) {
  const TypeCatalogScope scope(types_of(ctx));
  const TypeInfo* info = find_type(domain);
  const UserType* definition = find_user_type(domain);
  if (info == nullptr || definition == nullptr)
    return ctx.fail({sqlstate::undefined_object, "type with OID " + std::to_string(domain) + " does not exist"});
  if (type_kind(info->base) == 'd' && !check_domain(ctx, info->base, value)) return false;
  if (definition->not_null && value.is_null)
    return ctx.fail(about_domain({sqlstate::not_null_violation, "domain " + format_type(domain) + " does not allow null values"}, domain));
  if (definition->checks_compiled == nullptr) return true;
  ExprInput input;
  input.columns = &value;
  for (const DomainChecks::Check& check : static_cast<const DomainChecks*>(definition->checks_compiled.get())->checks) {
    Value result;
    if (!check.code.eval(ctx, input, &result)) return false;
    if (result.is_null || result.as_bool()) continue;   // NULL passes a CHECK
    return ctx.fail(about_domain(Status{sqlstate::check_violation, "value for domain " + format_type(domain) + " violates check constraint \"" +
                                                                       check.name + "\""}
                                     .with_constraint(check.name),
                                 domain));
  }
  return true;
}

}  // namespace wandian::sql
