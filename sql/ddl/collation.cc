// CREATE COLLATION, and ALTER COLLATION in its forms.
#include "sql/types/collation.h"

#include <clocale>

#include "sql/ddl/grant.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/type.h"

namespace wandian::sql {

namespace {

Status missing_collation(const std::vector<std::string>& names) {
  return Status{sqlstate::undefined_object, "collation " + quoted(name_text(names)) + " for encoding \"UTF8\" does not exist"};
}

struct Options {
  const PgQuery__DefElem *from = nullptr, *locale = nullptr, *collate = nullptr, *ctype = nullptr, *provider = nullptr, *deterministic = nullptr,
                         *version = nullptr;
};

Status redundant(std::string detail) { return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_detail(std::move(detail)); }

Status read_options(DdlContext& ctx, const PgQuery__DefineStmt& node, Options* out) {
  for (std::size_t i = 0; i < node.n_definition; ++i) {
    const PgQuery__DefElem& option = *node.definition[i]->def_elem;
    const std::string_view name = text_or_empty(option.defname);
    const PgQuery__DefElem** const slot = name == "from"            ? &out->from
                                          : name == "locale"        ? &out->locale
                                          : name == "lc_collate"    ? &out->collate
                                          : name == "lc_ctype"      ? &out->ctype
                                          : name == "provider"      ? &out->provider
                                          : name == "deterministic" ? &out->deterministic
                                          : name == "version"       ? &out->version
                                                                    : nullptr;
    if (slot == nullptr)
      return Status{sqlstate::syntax_error, "collation attribute " + quoted(name) + " not recognized"}.with_position(ctx.position(option.location));
    if (*slot != nullptr) return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    *slot = &option;
  }
  if (out->locale != nullptr && (out->collate != nullptr || out->ctype != nullptr))
    return redundant("LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE.");
  if (out->from != nullptr && node.n_definition != 1) return redundant("FROM cannot be specified together with any other options.");
  return {};
}

Status must_be_given(std::string_view parameter) {
  return Status{sqlstate::invalid_object_definition, "parameter " + quoted(parameter) + " must be specified"};
}

// The C library orders as bytes do in the locales that are known here.
Status check_c_locale(const std::string& locale) {
  if (locale == "C" || locale == "POSIX" || locale == "C.UTF-8" || locale == "C.utf8") return {};
  return Status{sqlstate::invalid_parameter_value, "could not create locale " + quoted(locale) + ": No such file or directory"}.with_detail(
      "The operating system could not find any locale data for the locale name " + quoted(locale) + ".");
}

Status copy_collation(DdlContext& ctx, const PgQuery__DefElem& from, CollationDefinition* out) {
  std::span<PgQuery__Node* const> name;
  if (from.arg->node_case == PG_QUERY__NODE__NODE_LIST) name = {from.arg->list->items, from.arg->list->n_items};
  else name = {from.arg->type_name->names, from.arg->type_name->n_names};
  WANDIAN_ASSIGN(const std::string stored, resolve_collation(name, ctx.bind_context()));
  if (stored == "default") return Status{sqlstate::invalid_object_definition, "collation \"default\" cannot be copied"};
  const Collation* const source = find_collation(stored);
  if (source == nullptr) return missing_collation(name_list(name.data(), name.size()));
  out->provider = source->provider;
  out->deterministic = source->deterministic;
  out->locale = source->locale;
  if (out->provider == 'c') out->ctype = source->locale;
  return {};
}

Status read_boolean(const PgQuery__DefElem& option, bool* out) {
  const std::string text = option_text(option);
  if (text == "true" || text == "on" || text == "1") *out = true;
  else if (text == "false" || text == "off" || text == "0") *out = false;
  else return Status{sqlstate::syntax_error, std::string(text_or_empty(option.defname)) + " requires a Boolean value"};
  return {};
}

Status read_definition(DdlContext& ctx, const Options& options, CollationDefinition* out) {
  if (options.from != nullptr) return copy_collation(ctx, *options.from, out);
  const std::string provider = options.provider == nullptr ? "libc" : option_text(*options.provider);
  const auto is = [](std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
  };
  if (!is(provider, "libc") && !is(provider, "icu"))
    return Status{sqlstate::invalid_object_definition, "unrecognized collation provider: " + provider};
  out->provider = is(provider, "icu") ? 'i' : 'c';
  if (options.deterministic != nullptr) WANDIAN_TRY(read_boolean(*options.deterministic, &out->deterministic));
  if (options.version != nullptr) out->version = option_text(*options.version);
  if (options.locale != nullptr) out->locale = out->ctype = option_text(*options.locale);
  if (out->provider == 'i') {
    if (options.locale == nullptr) return must_be_given("locale");
    out->ctype.clear();
    return check_icu_locale(out->locale);
  }
  if (options.collate != nullptr) out->locale = option_text(*options.collate);
  if (options.ctype != nullptr) out->ctype = option_text(*options.ctype);
  if (options.locale == nullptr && options.collate == nullptr) return must_be_given("lc_collate");
  if (options.locale == nullptr && options.ctype == nullptr) return must_be_given("lc_ctype");
  if (!out->deterministic) return feature_not_supported("nondeterministic collations not supported with this provider");
  WANDIAN_TRY(check_c_locale(out->locale));
  return check_c_locale(out->ctype);
}

bool collation_exists(DdlContext& ctx, Oid schema, std::string_view name) {
  return ctx.catalog()->find_object(ObjectKind::kCollation, schema, name) != nullptr ||
         ctx.session.engine_database().catalog()->find_object(ObjectKind::kCollation, schema, name) != nullptr;
}

Task<Status> place_collation(DdlContext& ctx, Oid schema, std::string name) {
  if (schema == kPgCatalogSchema || schema == kInformationSchema)
    co_return Status{sqlstate::insufficient_privilege, "permission denied for schema " + ctx.schema_name(schema)};
  if (schema != ctx.session.temporary_schema()) WANDIAN_CO_TRY(ctx.may_create_in(schema));
  co_return co_await ctx.lock_name(schema, std::move(name));
}

Status apply_changed(DdlContext& ctx, std::shared_ptr<ObjectDef> changed) {
  Changes changes;
  changes.put(std::move(changed));
  return ctx.apply(changes);
}

}  // namespace

Result<std::shared_ptr<const ObjectDef>> find_user_collation(DdlContext& ctx, std::span<PgQuery__Node* const> name) {
  WANDIAN_ASSIGN(const std::string stored, resolve_collation(name, ctx.bind_context()));
  const Oid oid = user_collation_oid(stored);
  auto object = ctx.catalog()->object(ObjectKind::kCollation, oid);
  if (oid == 0 || object == nullptr) {
    const Collation* const builtin = find_collation(stored);
    return Status{sqlstate::insufficient_privilege, "must be owner of collation " + (builtin != nullptr ? builtin->stored : stored)};
  }
  WANDIAN_TRY(ctx.must_own(*securable_collation(*ctx.catalog(), oid)));
  return object;
}

Task<Status> create_collation(DdlContext& ctx) {
  *ctx.tag = "CREATE COLLATION";
  const PgQuery__DefineStmt& node = *ctx.statement.node->define_stmt;
  const std::vector<std::string> names = name_list(node.defnames, node.n_defnames);
  const std::string name = truncate_identifier(names.back());
  Result<Oid> schema = Oid{0};
  if (names.size() > 1) schema = names[names.size() - 2] == "pg_temp" ? ctx.ensure_temporary_schema() : ctx.find_schema(names[names.size() - 2]);
  else schema = ctx.forced_schema != 0 ? Result<Oid>(ctx.forced_schema) : ctx.session.creation_schema();
  if (!schema.ok()) co_return schema.take_status();
  WANDIAN_CO_TRY(co_await place_collation(ctx, schema.value(), name));
  Options options;
  WANDIAN_CO_TRY(read_options(ctx, node, &options));
  CollationDefinition definition;
  WANDIAN_CO_TRY(read_definition(ctx, options, &definition));
  if (collation_exists(ctx, schema.value(), name)) {
    const std::string message = "collation " + quoted(name) + " already exists";
    if (!node.if_not_exists) co_return Status{sqlstate::duplicate_object, message};
    ctx.notice(sqlstate::duplicate_object, message + ", skipping");
    co_return Status{};
  }
  if (definition.provider == 'i' && options.version == nullptr) definition.version = icu_collation_version(definition.locale);
  auto object = std::make_shared<ObjectDef>();
  object->kind = ObjectKind::kCollation;
  object->oid = ctx.allocate_oid();
  object->parent = schema.value();
  object->owner = ctx.session.current_role();
  object->name = name;
  object->definition = definition.encode();
  co_return apply_changed(ctx, std::move(object));
}

Status refresh_collation(DdlContext& ctx) {
  *ctx.tag = "ALTER COLLATION";
  const PgQuery__AlterCollationStmt& node = *ctx.statement.node->alter_collation_stmt;
  WANDIAN_ASSIGN(const auto object, find_user_collation(ctx, {node.collname, node.n_collname}));
  CollationDefinition definition = *static_cast<const CollationDefinition*>(object->compiled.get());
  const std::string now = definition.provider == 'i' ? icu_collation_version(definition.locale) : std::string();
  if (now == definition.version) {
    ctx.notice(sqlstate::successful_completion, "version has not changed");
    return {};
  }
  ctx.notice(sqlstate::successful_completion, "changing version from " + definition.version + " to " + now);
  definition.version = now;
  auto changed = std::make_shared<ObjectDef>(*object);
  changed->definition = definition.encode();
  return apply_changed(ctx, std::move(changed));
}

Task<Status> rename_collation(DdlContext& ctx) {
  const PgQuery__RenameStmt& node = *ctx.statement.node->rename_stmt;
  Result<std::shared_ptr<const ObjectDef>> object = find_user_collation(ctx, {node.object->list->items, node.object->list->n_items});
  if (!object.ok()) co_return object.take_status();
  auto changed = std::make_shared<ObjectDef>(*object.value());
  changed->name = truncate_identifier(text_or_empty(node.newname));
  WANDIAN_CO_TRY(co_await place_collation(ctx, changed->parent, changed->name));
  if (collation_exists(ctx, changed->parent, changed->name)) {
    co_return Status{sqlstate::duplicate_object, "collation " + quoted(changed->name) + " for encoding \"UTF8\" already exists in schema " +
                                                     quoted(ctx.schema_name(changed->parent))};
  }
  co_return apply_changed(ctx, std::move(changed));
}

Status alter_collation_owner(DdlContext& ctx) {
  const PgQuery__AlterOwnerStmt& node = *ctx.statement.node->alter_owner_stmt;
  WANDIAN_ASSIGN(const Oid role, find_role(ctx, *node.newowner));
  WANDIAN_ASSIGN(const auto object, find_user_collation(ctx, {node.object->list->items, node.object->list->n_items}));
  Changes changes;
  WANDIAN_TRY(give_to(ctx, changes, *securable_collation(*ctx.catalog(), object->oid), role, object->parent));
  return ctx.apply(changes);
}

Task<Status> alter_collation_schema(DdlContext& ctx) {
  const PgQuery__AlterObjectSchemaStmt& node = *ctx.statement.node->alter_object_schema_stmt;
  Result<std::shared_ptr<const ObjectDef>> object = find_user_collation(ctx, {node.object->list->items, node.object->list->n_items});
  if (!object.ok()) co_return object.take_status();
  Result<Oid> schema = ctx.find_schema(text_or_empty(node.newschema));
  if (!schema.ok()) co_return schema.take_status();
  if (schema.value() == object.value()->parent) co_return Status{};
  auto changed = std::make_shared<ObjectDef>(*object.value());
  changed->parent = schema.value();
  WANDIAN_CO_TRY(co_await place_collation(ctx, changed->parent, changed->name));
  if (collation_exists(ctx, changed->parent, changed->name)) {
    co_return Status{sqlstate::duplicate_object, "collation " + quoted(changed->name) + " for encoding \"UTF8\" already exists in schema " +
                                                     quoted(text_or_empty(node.newschema))};
  }
  co_return apply_changed(ctx, std::move(changed));
}

}  // namespace wandian::sql
