// Catalogs of everything that is not a relation: schemas, functions, operators, casts, roles, databases, extensions.
#include <algorithm>

#include "sql/access/privileges.h"
#include "sql/access/roles.h"
#include "sql/catalog/producers.h"
#include "sql/catalog/stored_objects.h"
#include "sql/catalog_objects.h"
#include "sql/ddl/builtin_extensions.h"
#include "sql/ddl/services.h"
#include "sql/functions/citext.h"
#include "sql/functions/registry.h"
#include "sql/routine/routine.h"
#include "sql/types/collation.h"
#include "sql/types/encoding.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr Oid kInternalLanguage = 12, kCLanguage = 13, kSqlLanguage = 14, kPlpgsqlLanguage = 13563;

template <class Visit>
void each_object(const SystemContext& context, ObjectKind kind, Visit&& visit) {
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(kind, Oid{0})); it != objects.end() && it->first.first == kind; ++it) visit(*it->second);
}

Status pg_namespace(const SystemContext& context, SystemRows& rows) {
  for (const auto& [oid, schema] : context.catalog.schemas())
    if (schema->database == 0 || schema->database == context.database) CatalogRow(rows).i(oid).t(schema->name).i(schema->owner).acl(context.catalog, shown_acl(context.catalog, *securable_schema(context.catalog, oid))).done();
  return {};
}

Status pg_collation(const SystemContext& context, SystemRows& rows) {
  WANDIAN_TRY(produce_facts("pg_collation", context, rows));
  CatalogRow(rows).i(12341).t("C.utf8").i(kPgCatalogSchema).i(kBootstrapRole).c('c').b(true).i(6).t("C.utf8").t("C.utf8").null(2).done();
  // Opening a collator for its version takes a while, of all together.
  static const std::vector<std::string>& versions = *[] {
    auto* const out = new std::vector<std::string>;
    for (const IcuCollation& known : icu_collations()) out->push_back(icu_collation_version(known.locale));
    return out;
  }();
  const std::span<const IcuCollation> all = icu_collations();
  for (std::size_t i = 0; i < all.size(); ++i)
    CatalogRow(rows).i(kFirstIcuCollation + static_cast<std::int64_t>(i)).t(all[i].name).i(kPgCatalogSchema).i(kBootstrapRole).c('i').b(true).i(-1).null(2).t(all[i].locale).t(versions[i]).done();
  each_object(context, ObjectKind::kCollation, [&](const ObjectDef& object) {
    if (object.compiled == nullptr || !in_database(context, object.parent)) return;
    const auto& collation = *static_cast<const CollationDefinition*>(object.compiled.get());
    CatalogRow row(rows);
    row.i(object.oid).t(object.name).i(object.parent).i(object.owner).c(collation.provider).b(collation.deterministic);
    if (collation.provider == 'i') row.i(-1).null(2).t(collation.locale).t(collation.version);
    else row.i(6).t(collation.locale).t(collation.ctype).null(2);
    row.done();
  });
  return {};
}

struct ProcRow {
  Oid oid = 0, schema = kPgCatalogSchema, owner = kBootstrapRole, language = kInternalLanguage, variadic = 0, result = 0;
  std::string_view name, source;
  char kind = 'f', volatility = 'i', parallel = 's';
  bool strict = false, set = false, restricted = false;
  unsigned defaults = 0;
  std::span<const Oid> arguments;
  std::vector<Oid> out_types;
  std::vector<std::string> names;
  std::string_view binary;
};

// proacl, where something was granted or revoked.
std::optional<Acl> function_acl(const SystemContext& context, Oid function, bool restricted) {
  if (!restricted && find_acl(context.catalog, function) == nullptr) return std::nullopt;
  const std::optional<Securable> object = securable_function(context.catalog, function);
  return object ? shown_acl(context.catalog, *object) : std::nullopt;
}

void add_proc(const SystemContext& context, SystemRows& rows, const ProcRow& p) {
  CatalogRow row(rows);
  row.i(p.oid).t(p.name).i(p.schema).i(p.owner).i(p.language).d(1).d(p.set ? 1000 : 0).i(p.variadic).i(0).c(p.kind).b(false).b(false).b(p.strict);
  row.b(p.set).c(p.volatility).c(p.parallel).i(static_cast<std::int64_t>(p.arguments.size())).i(p.defaults).i(p.result).oid_vector(p.arguments);
  if (p.out_types.empty()) {
    row.null(2);
  } else {
    std::vector<Oid> all(p.arguments.begin(), p.arguments.end());
    all.insert(all.end(), p.out_types.begin(), p.out_types.end());
    row.oids(all);
    // One letter an argument: i for input, o for output.
    std::vector<std::string> modes(p.arguments.size(), "i");
    modes.insert(modes.end(), p.out_types.size(), "o");
    std::vector<Value> letters;
    Arena& arena = rows.arena;
    for (const std::string& mode : modes) letters.push_back(Value::of_int(mode[0]));
    const Value array = build_array(kChar, letters, arena);
    row.value(array);
  }
  if (p.names.empty()) row.null();
  else row.texts(p.names);
  row.null(2).t(p.source);
  if (p.binary.empty()) row.null();
  else row.t(p.binary);
  row.null(2).acl(context.catalog, function_acl(context, p.oid, p.restricted));
  row.done();
}

// A function in SQL or PL/pgSQL.
void add_routine(const SystemContext& context, SystemRows& rows, const ObjectDef& object, const FunctionObject& function) {
  CatalogRow row(rows);
  const bool sql = function.language == "sql";
  unsigned defaults = 0;
  bool other_modes = false, named = false;
  std::vector<Oid> all;
  std::vector<std::string> names;
  std::vector<Value> modes;
  std::string default_texts;
  Oid variadic = 0;
  for (const FunctionObject::Parameter& parameter : function.parameters) {
    if (parameter.has_default) {
      ++defaults;
      default_texts += (default_texts.empty() ? "" : ", ") + parameter.default_text;
    }
    other_modes = other_modes || parameter.mode != 'i';
    named = named || !parameter.name.empty();
    all.push_back(parameter.type);
    names.push_back(parameter.name);
    modes.push_back(Value::of_int(parameter.mode));
    if (parameter.mode == 'v') {
      const TypeInfo* type = find_type(parameter.type);
      variadic = parameter.type == kAnyArray ? kAnyElement : parameter.type == kAnyCompatibleArray ? kAnyCompatible : type != nullptr ? type->element : 0;
    }
  }
  const double cost = function.cost.empty() ? (function.language == "c" || function.language == "internal" ? 1 : 100) : std::strtod(function.cost.c_str(), nullptr);
  const double rows_expected = !function.returns_set ? 0 : function.rows.empty() ? 1000 : std::strtod(function.rows.c_str(), nullptr);
  row.i(object.oid).t(function.name).i(object.parent).i(object.owner).i(sql ? kSqlLanguage : function.language == "c" ? kCLanguage : function.language == "internal" ? kInternalLanguage : kPlpgsqlLanguage).d(cost).d(rows_expected).i(variadic).i(0);
  row.c(function.is_procedure ? 'p' : 'f').b(function.security_definer).b(function.leakproof).b(function.strict).b(function.returns_set);
  row.c(function.volatility).c(function.parallel).i(static_cast<std::int64_t>(function.arguments.size())).i(defaults).i(function.result_type()).oid_vector(function.arguments);
  if (other_modes) {
    row.oids(all);
    row.value(build_array(kChar, modes, rows.arena));
  } else {
    row.null(2);
  }
  if (named) row.texts(names);
  else row.null();
  if (defaults != 0) row.t(default_texts);
  else row.null();
  row.null().t(function.sql_body ? std::string_view() : std::string_view(function.language == "c" ? function.symbol : function.source));
  if (function.language == "c") row.t(function.module);
  else row.null();
  if (function.sql_body) row.t(function.source);
  else row.null();
  std::vector<std::string> settings;
  for (const auto& [name, value] : function.settings) settings.push_back(name + "=" + value);
  if (settings.empty()) row.null();
  else row.texts(settings);
  row.acl(context.catalog, function_acl(context, object.oid, false));
  row.done();
}

Status pg_proc(const SystemContext& context, SystemRows& rows) {
  const std::optional<Oid> citext = citext_schema(context.catalog, context.database);
  for (const FunctionDef& function : all_functions()) {
    if (function.kind == 'a') continue;
    if (is_citext_object(function.oid) && !citext) continue;
    ProcRow p;
    if (is_citext_object(function.oid)) p.schema = *citext;
    p.oid = function.oid;
    p.restricted = is_restricted(context.catalog, function);
    p.name = p.source = function.name;
    p.result = function.result;
    p.kind = function.kind;
    p.volatility = static_cast<char>(function.volatility);
    p.strict = function.strict;
    p.set = function.returns_set;
    p.variadic = function.variadic;
    p.defaults = function.defaults;
    p.arguments = function.args;
    p.names.assign(function.arg_names.begin(), function.arg_names.end());
    if (!function.out_names.empty()) {
      p.out_types = function.out_types;
      p.names.resize(function.args.size());
      p.names.insert(p.names.end(), function.out_names.begin(), function.out_names.end());
    }
    add_proc(context, rows, p);
  }
  for (const AggregateDef& aggregate : all_aggregates()) {
    if (is_citext_object(aggregate.oid) && !citext) continue;
    ProcRow p;
    if (is_citext_object(aggregate.oid)) p.schema = *citext;
    p.oid = aggregate.oid;
    p.name = aggregate.name;
    p.source = "aggregate_dummy";
    p.result = aggregate.result;
    p.kind = 'a';
    p.variadic = aggregate.variadic;
    p.arguments = aggregate.args;
    add_proc(context, rows, p);
  }
  each_object(context, ObjectKind::kFunction, [&](const ObjectDef& object) {
    const auto function = FunctionObject::decode(object.definition);
    if (!function || !in_database(context, object.parent)) return;
    if (!function->is_native()) {
      add_routine(context, rows, object, *function);
      return;
    }
    ProcRow p;
    p.oid = object.oid;
    p.schema = object.parent;
    p.owner = object.owner;
    p.language = kCLanguage;
    p.parallel = 'u';
    p.name = function->name;
    p.source = function->symbol;
    p.binary = function->module;
    p.result = function->is_procedure ? kVoid : function->result_type();
    p.kind = function->is_procedure ? 'p' : 'f';
    p.volatility = 'v';
    p.strict = function->strict;
    p.arguments = function->arguments;
    p.names = function->argument_names;
    add_proc(context, rows, p);
  });
  return {};
}

Status pg_aggregate(const SystemContext& context, SystemRows& rows) {
  const std::optional<Oid> citext = citext_schema(context.catalog, context.database);
  for (const AggregateDef& aggregate : all_aggregates()) {
    if (is_citext_object(aggregate.oid) && !citext) continue;
    CatalogRow row(rows);
    row.i(aggregate.oid).c(aggregate.kind).i(aggregate.direct_args).i(0).i(0).i(0).i(0).i(0).i(0).i(0).i(0).b(false).b(false).c('r').c('r').i(0).i(kInternal).i(0).i(0).i(0).null(2);
    row.done();
  }
  return {};
}

Status pg_operator(const SystemContext& context, SystemRows& rows) {
  const std::optional<Oid> citext = citext_schema(context.catalog, context.database);
  for (const OperatorDef& op : all_operators()) {
    if (is_citext_object(op.oid) && !citext) continue;
    CatalogRow row(rows);
    row.i(op.oid).t(op.name).i(is_citext_object(op.oid) ? *citext : kPgCatalogSchema).i(kBootstrapRole).c(op.left == 0 ? 'l' : 'b').b(op.hashable && op.btree_strategy == 3).b(op.hashable);
    row.i(op.left).i(op.right).i(op.result).i(op.commutator).i(op.negator).i(op.function).i(0).i(0);
    row.done();
  }
  return {};
}

Status pg_cast(const SystemContext& context, SystemRows& rows) {
  const std::optional<Oid> citext = citext_schema(context.catalog, context.database);
  Oid oid = 10000;
  for (const CastDef& cast : all_casts())
    if (citext || (!is_citext_object(cast.source) && !is_citext_object(cast.target))) CatalogRow(rows).i(oid++).i(cast.source).i(cast.target).i(cast.function).c(static_cast<char>(cast.context)).c(static_cast<char>(cast.method)).done();
  // From a range type of users to its multirange type, by the function that makes one of the other.
  each_object(context, ObjectKind::kFunction, [&](const ObjectDef& object) {
    const Routine* routine = routine_of(object);
    if (routine == nullptr || routine->declaration.language != "internal" || routine->declaration.source != "multirange_constructor1") return;
    CatalogRow(rows).i(oid++).i(routine->declaration.arguments[0]).i(routine->declaration.result).i(object.oid).c('e').c('f').done();
  });
  return {};
}

// ---- Databases and roles ----

Status pg_database(const SystemContext& context, SystemRows& rows) {
  each_object(context, ObjectKind::kDatabase, [&](const ObjectDef& database) {
    const DatabaseProperties properties = DatabaseProperties::decode(database.definition).value_or(DatabaseProperties{});
    CatalogRow row(rows);
    row.i(database.oid).t(database.name).i(database.owner).i(6).c('c').b(properties.is_template).b(properties.allow_connections).i(properties.connection_limit);
    row.i(0).i(0).i(1663).t(properties.collate).t(properties.ctype).null(2);
    row.acl(context.catalog, shown_acl(context.catalog, *securable_database(context.catalog, database.oid)));
    row.done();
  });
  return {};
}

// A role's time limit: what was written, or null.
Value valid_until(const RoleProperties& role, const SystemContext& context, SystemRows& rows) {
  if (role.valid_until.empty()) return Value::null();
  static const FormatSettings plain;
  EvalContext eval{rows.arena, plain, &context.session, 0, 0, {}};
  Value out;
  if (!value_from_text(eval, kTimestamptz, -1, role.valid_until, &out)) return Value::null();
  return out;
}

std::vector<std::string> setting_texts(const RoleProperties& role) {
  std::vector<std::string> out;
  for (const auto& [name, value] : role.settings) out.push_back(name + "=" + value);
  return out;
}

template <class Visit>
void each_role(const SystemContext& context, Visit&& visit) {
  each_object(context, ObjectKind::kRole, [&](const ObjectDef& role) {
    visit(role, RoleProperties::decode(role.definition).value_or(RoleProperties{}));
  });
}

Status pg_authid(const SystemContext& context, SystemRows& rows) {
  each_role(context, [&](const ObjectDef& role, const RoleProperties& p) {
    CatalogRow row(rows);
    row.i(role.oid).t(role.name).b(p.superuser).b(p.inherit).b(p.create_role).b(p.create_database).b(p.can_login).b(p.replication).b(p.bypass_rls);
    row.i(p.connection_limit).t_or_null(p.verifier.empty() ? std::nullopt : std::optional(p.verifier)).value(valid_until(p, context, rows));
    row.done();
  });
  return {};
}

Status pg_roles(const SystemContext& context, SystemRows& rows) {
  each_role(context, [&](const ObjectDef& role, const RoleProperties& p) {
    CatalogRow row(rows);
    row.t(role.name).b(p.superuser).b(p.inherit).b(p.create_role).b(p.create_database).b(p.can_login).b(p.replication).i(p.connection_limit);
    row.t("********").value(valid_until(p, context, rows)).b(p.bypass_rls);
    if (p.settings.empty()) row.null();
    else row.texts(setting_texts(p));
    row.i(role.oid);
    row.done();
  });
  return {};
}

Status users(const SystemContext& context, SystemRows& rows, bool shadow) {
  each_role(context, [&](const ObjectDef& role, const RoleProperties& p) {
    if (!p.can_login) return;
    CatalogRow row(rows);
    row.t(role.name).i(role.oid).b(p.create_database).b(p.superuser).b(p.replication).b(p.bypass_rls);
    if (!shadow) row.t("********");
    else row.t_or_null(p.verifier.empty() ? std::nullopt : std::optional(p.verifier));
    row.value(valid_until(p, context, rows));
    if (p.settings.empty()) row.null();
    else row.texts(setting_texts(p));
    row.done();
  });
  return {};
}
Status pg_user(const SystemContext& context, SystemRows& rows) { return users(context, rows, false); }
Status pg_shadow(const SystemContext& context, SystemRows& rows) { return users(context, rows, true); }

Status pg_auth_members(const SystemContext& context, SystemRows& rows) {
  each_role(context, [&](const ObjectDef& role, const RoleProperties& p) {
    for (const RoleProperties::Membership& membership : p.member_of)
      CatalogRow(rows).i(membership.role).i(role.oid).i(membership.grantor).b(membership.admin).done();
  });
  return {};
}

Status pg_group(const SystemContext& context, SystemRows& rows) {
  each_role(context, [&](const ObjectDef& role, const RoleProperties& p) {
    if (p.can_login) return;
    std::vector<Oid> members;
    each_role(context, [&](const ObjectDef& other, const RoleProperties& q) {
      for (const RoleProperties::Membership& membership : q.member_of)
        if (membership.role == role.oid) members.push_back(other.oid);
    });
    CatalogRow(rows).t(role.name).i(role.oid).oids(members).done();
  });
  return {};
}

Status pg_db_role_setting(const SystemContext& context, SystemRows& rows) {
  const auto add = [&](Oid database, Oid role, const std::vector<std::pair<std::string, std::string>>& settings) {
    if (!settings.empty()) CatalogRow(rows).i(database).i(role).options(settings).done();
  };
  each_object(context, ObjectKind::kSettings, [&](const ObjectDef& object) { add(0, 0, DatabaseProperties::decode(object.definition).value_or(DatabaseProperties{}).settings); });
  each_object(context, ObjectKind::kDatabase, [&](const ObjectDef& database) {
    add(database.oid, 0, DatabaseProperties::decode(database.definition).value_or(DatabaseProperties{}).settings);
  });
  each_role(context, [&](const ObjectDef& role, const RoleProperties& p) {
    add(0, role.oid, p.settings);
    for (const RoleProperties::InDatabase& in : p.in_databases) add(in.database, role.oid, in.settings);
  });
  return {};
}

Status pg_default_acl(const SystemContext& context, SystemRows& rows) {
  each_object(context, ObjectKind::kDefaultAcl, [&](const ObjectDef& object) {
    const std::optional<DefaultAcl> defaults = DefaultAcl::decode(object.definition);
    if (!defaults || object.parent != context.database) return;
    const char letter = defaults->kind == AclKind::kSequence ? 'S' : static_cast<char>(defaults->kind);
    CatalogRow(rows).i(object.oid).i(object.owner).i(defaults->schema).c(letter).acl(context.catalog, defaults->acl).done();
  });
  return {};
}

Status pg_language(const SystemContext& context, SystemRows& rows) {
  struct Language {
    Oid oid, call, inline_code, validator;
    std::string_view name;
    bool is_language, trusted;
  };
  static constexpr Language kLanguages[] = {{kInternalLanguage, 0, 0, 2246, "internal", false, false},
                                            {kCLanguage, 0, 0, 2247, "c", false, false},
                                            {kSqlLanguage, 0, 0, 2248, "sql", false, true},
                                            {kPlpgsqlLanguage, 13560, 13561, 13562, "plpgsql", true, true}};
  for (const Language& one : kLanguages) {
    CatalogRow row(rows);
    row.i(one.oid).t(one.name).i(kBootstrapRole).b(one.is_language).b(one.trusted).i(one.call).i(one.inline_code).i(one.validator);
    row.acl(context.catalog, shown_acl(context.catalog, *securable_language(one.oid)));
    row.done();
  }
  return {};
}

// ---- Extensions ----

Status pg_extension(const SystemContext& context, SystemRows& rows) {
  CatalogRow(rows).i(kPlpgsqlExtension).t(kPlpgsqlName).i(kBootstrapRole).i(kPgCatalogSchema).b(false).t(kPlpgsqlVersion).null(2).done();
  each_object(context, ObjectKind::kExtension, [&](const ObjectDef& object) {
    const auto extension = ExtensionObject::decode(object.definition);
    if (!extension || object.parent != context.database) return;
    CatalogRow(rows).i(object.oid).t(object.name).i(object.owner).i(extension->schema).b(false).t(extension->version).null(2).done();
  });
  return {};
}

std::optional<std::string> installed_version(const SystemContext& context, std::string_view name) {
  const auto object = context.catalog.find_object(ObjectKind::kExtension, context.database, name);
  const auto extension = object != nullptr ? ExtensionObject::decode(object->definition) : std::nullopt;
  if (!extension) return std::nullopt;
  return extension->version;
}

// Those that the server brings along, and those of modules.
std::vector<const ExtensionInfo*> known_extensions() {
  std::vector<const ExtensionInfo*> out;
  if (const ExtensionSource* source = ddl_services().extensions; source != nullptr) out = source->all_extensions();
  for (const ExtensionInfo& info : builtin_extensions()) out.push_back(&info);
  return out;
}

Status pg_available_extensions(const SystemContext& context, SystemRows& rows) {
  CatalogRow(rows).t(kPlpgsqlName).t(kPlpgsqlVersion).t(kPlpgsqlVersion).t(kPlpgsqlComment).done();
  for (const ExtensionInfo* info : known_extensions())
    CatalogRow(rows).t(info->name).t(info->version).t_or_null(installed_version(context, info->name)).t(info->comment).done();
  return {};
}

Status pg_available_extension_versions(const SystemContext& context, SystemRows& rows) {
  CatalogRow(rows).t(kPlpgsqlName).t(kPlpgsqlVersion).b(true).b(true).b(true).b(false).t("pg_catalog").null().t(kPlpgsqlComment).done();
  for (const ExtensionInfo* info : known_extensions())
    CatalogRow(rows).t(info->name).t(info->version).b(installed_version(context, info->name) == info->version).b(true).b(false).b(false).null(2).t(info->comment).done();
  return {};
}

Status pg_conversion(const SystemContext&, SystemRows& rows) {
  for (const ConversionFacts& one : conversions()) {
    CatalogRow row(rows);
    row.i(one.oid).t(one.name).i(kPgCatalogSchema).i(kBootstrapRole).i(one.from).i(one.to).i(one.function).b(true);
    row.done();
  }
  return {};
}

constexpr SystemProducer kObjectProducers[] = {
    {"pg_conversion", pg_conversion},
    {"pg_namespace", pg_namespace},
    {"pg_proc", pg_proc},
    {"pg_aggregate", pg_aggregate},
    {"pg_operator", pg_operator},
    {"pg_cast", pg_cast},
    {"pg_database", pg_database},
    {"pg_authid", pg_authid},
    {"pg_roles", pg_roles},
    {"pg_user", pg_user},
    {"pg_shadow", pg_shadow},
    {"pg_auth_members", pg_auth_members},
    {"pg_group", pg_group},
    {"pg_db_role_setting", pg_db_role_setting},
    {"pg_default_acl", pg_default_acl},
    {"pg_collation", pg_collation},
    {"pg_language", pg_language},
    {"pg_extension", pg_extension},
    {"pg_available_extensions", pg_available_extensions},
    {"pg_available_extension_versions", pg_available_extension_versions},
};

}  // namespace

std::span<const SystemProducer> object_producers() { return kObjectProducers; }

}  // namespace wandian::sql
