// Databases: CREATE, ALTER, DROP and RENAME. All of them are in one catalog and one log.
#include <algorithm>
#include <charconv>
#include <set>

#include "engine/prepared.h"
#include "sql/access/roles.h"
#include "sql/ddl/grant.h"
#include "sql/ddl/role.h"
#include "sql/ddl/statements.h"
#include "sql/types/encoding.h"

namespace wandian::sql {

namespace {

constexpr double kLookAgainSeconds = 0.05;
constexpr unsigned kMostLooks = 100;   // five seconds, as PostgreSQL gives others to leave

Status no_database(std::string_view name) { return Status{sqlstate::invalid_catalog_name, "database " + quoted(name) + " does not exist"}; }

bool may_create_databases(DdlContext& ctx) {
  const RoleProperties* self = role_properties(*ctx.catalog(), ctx.session.current_role());
  return self != nullptr && (self->superuser || self->create_database);
}

DatabaseProperties properties_of(const ObjectDef& database) { return DatabaseProperties::decode(database.definition).value_or(DatabaseProperties{}); }

Result<bool> boolean_of(const PgQuery__DefElem& option) {
  const std::string text = option_text(option);
  if (text == "true" || text == "on" || text == "1") return true;
  if (text == "false" || text == "off" || text == "0") return false;
  return Status{sqlstate::syntax_error, std::string(option.defname) + " requires a Boolean value"};
}

Result<std::int32_t> connection_limit_of(const PgQuery__DefElem& option) {
  const std::string text = option_text(option);
  std::int32_t limit = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (parsed.ec != std::errc{}) return Status{sqlstate::syntax_error, std::string(option.defname) + " requires an integer value"};
  if (limit < -1) return Status{sqlstate::invalid_parameter_value, "invalid connection limit: " + text};
  return limit;
}

// Waits for others to leave the database; then nobody can connect to it until this transaction has ended. 55006.
Task<Status> close_database(DdlContext& ctx, Oid database, std::string refused, bool end_others) {
  Server& server = ctx.session.server();
  const SessionImpl* const self = &ctx.session;
  if (end_others)
    for (const std::int32_t process : server.processes_of(database, self)) {
      Result<bool> ended = ctx.session.terminate_backend(process);
      if (!ended.ok()) co_return ended.take_status();
    }
  for (unsigned look = 0; !server.close_database(database, self); ++look) {
    if (look == kMostLooks) {
      const std::size_t others = server.processes_of(database, self).size();
      co_return Status{sqlstate::object_in_use, std::move(refused)}.with_detail(others == 1 ? "There is 1 other session using the database."
                                                                                           : "There are " + std::to_string(others) +
                                                                                                 " other sessions using the database.");
    }
    (void)ctx.session.sleep(kLookAgainSeconds);
    WANDIAN_CO_TRY(co_await ctx.session.settle_row());
  }
  ctx.session.expect_open_database(database);
  std::size_t prepared = 0;
  for (const PreparedTransactionInfo& info : ctx.session.engine_database().prepared().list()) prepared += info.database == database ? 1 : 0;
  if (prepared != 0)
    co_return Status{sqlstate::object_in_use, std::move(refused)}.with_detail(prepared == 1 ? "There is 1 prepared transaction using the database."
                                                                                           : "There are " + std::to_string(prepared) +
                                                                                                 " prepared transactions using the database.");
  co_return Status{};
}

struct CreateOptions {
  const PgQuery__DefElem *owner = nullptr, *model = nullptr, *encoding = nullptr, *locale = nullptr, *collate = nullptr, *ctype = nullptr,
                         *is_template = nullptr, *allow_connections = nullptr, *connection_limit = nullptr, *space = nullptr, *provider = nullptr,
                         *icu_locale = nullptr, *strategy = nullptr, *collation_version = nullptr, *oid = nullptr;
};

Result<CreateOptions> read_options(DdlContext& ctx, const PgQuery__CreatedbStmt& node) {
  CreateOptions out;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key == "location") {
      ctx.session.notice(Severity::kWarning, sqlstate::feature_not_supported, "LOCATION is not supported anymore", {}, "Consider using tablespaces instead.");
      continue;
    }
    const PgQuery__DefElem** slot =
        key == "owner" ? &out.owner : key == "template" ? &out.model : key == "encoding" ? &out.encoding : key == "locale" ? &out.locale
        : key == "lc_collate" ? &out.collate : key == "lc_ctype" ? &out.ctype : key == "is_template" ? &out.is_template
        : key == "allow_connections" ? &out.allow_connections : key == "connection_limit" ? &out.connection_limit : key == "tablespace" ? &out.space
        : key == "locale_provider" ? &out.provider : key == "icu_locale" ? &out.icu_locale : key == "strategy" ? &out.strategy
        : key == "collation_version" ? &out.collation_version : key == "oid" ? &out.oid : nullptr;
    if (slot == nullptr) return Status{sqlstate::syntax_error, "option " + quoted(key) + " not recognized"}.with_position(ctx.position(option.location));
    if (*slot != nullptr) return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    *slot = &option;
  }
  // DEFAULT says nothing, though it may be said but once.
  for (const PgQuery__DefElem** slot : {&out.owner, &out.model, &out.encoding, &out.locale, &out.collate, &out.ctype, &out.is_template, &out.allow_connections,
                                        &out.connection_limit, &out.space, &out.provider, &out.icu_locale, &out.strategy, &out.collation_version, &out.oid})
    if (*slot != nullptr && (*slot)->arg == nullptr) *slot = nullptr;
  return out;
}

// What tells a database's locale from its template's.
Status read_locale(DdlContext& ctx, const CreateOptions& options, const DatabaseProperties& model, bool from_template0, DatabaseProperties* out) {
  int encoding = kUtf8Encoding;
  if (options.encoding != nullptr) {
    const std::string text = option_text(*options.encoding);
    std::from_chars(text.data(), text.data() + text.size(), encoding);
    const bool by_number = options.encoding->arg != nullptr && options.encoding->arg->node_case == PG_QUERY__NODE__NODE_INTEGER;
    if (!by_number) encoding = encoding_number(text);
    if (encoding < 0)
      return Status{sqlstate::undefined_object, text + (by_number ? " is not a valid encoding code" : " is not a valid encoding name")}.with_position(
          ctx.position(options.encoding->location));
  }
  if (options.provider != nullptr && option_text(*options.provider) != "libc") {
    if (option_text(*options.provider) != "icu")
      return Status{sqlstate::invalid_object_definition, "unrecognized locale provider: " + option_text(*options.provider)};
    return feature_not_supported("ICU locales are not supported");
  }
  if (options.icu_locale != nullptr) return feature_not_supported("ICU locales are not supported");
  if (options.locale != nullptr) out->collate = out->ctype = option_text(*options.locale);
  if (options.collate != nullptr) out->collate = option_text(*options.collate);
  if (options.ctype != nullptr) out->ctype = option_text(*options.ctype);
  for (const std::string& locale : {out->collate, out->ctype})
    if (locale != "C" && locale != "POSIX" && locale != "C.UTF-8" && locale != "C.utf8")
      return Status{sqlstate::wrong_object_type, "invalid locale name: " + quoted(locale)};
  if (encoding != kUtf8Encoding && encoding != kSqlAsciiEncoding) {
    if (out->ctype != "C" && out->ctype != "POSIX")
      return Status{sqlstate::invalid_parameter_value, "encoding " + quoted(encoding_name(encoding)) + " does not match locale " + quoted(out->ctype)}.with_detail(
          "The chosen LC_CTYPE setting requires encoding \"UTF8\".");
  }
  if (encoding != kUtf8Encoding) return feature_not_supported("databases have the encoding UTF8 here, not " + std::string(encoding_name(encoding)));
  if (from_template0) return {};
  const auto mismatch = [&](std::string_view what, std::string_view lc, const std::string& given, const std::string& of_template) {
    return Status{sqlstate::invalid_parameter_value, "new " + std::string(what) + " (" + given + ") is incompatible with the " + std::string(lc) + " of the template database (" +
                                                         of_template + ")"}
        .with_hint("Use the same " + std::string(lc) + " as in the template database, or use template0 as template.");
  };
  if (out->collate != model.collate) return mismatch("collation", "collation", out->collate, model.collate);
  if (out->ctype != model.ctype) return mismatch("LC_CTYPE", "LC_CTYPE", out->ctype, model.ctype);
  return {};
}

// The schemas of the template, and what may be done in them. What they hold is not copied.
Status copy_schemas(DdlContext& ctx, Changes& changes, const ObjectDef& model, Oid database) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  std::set<Oid> schemas;
  for (const auto& [oid, schema] : catalog->schemas())
    if (schema->database == model.oid && !schema->name.starts_with("pg_temp_")) schemas.insert(oid);
  bool holds_objects = false;
  for (const auto& [oid, table] : catalog->tables()) holds_objects = holds_objects || schemas.contains(table->schema);
  for (const auto& [oid, sequence] : catalog->sequences()) holds_objects = holds_objects || schemas.contains(sequence->schema);
  for (const auto& [key, object] : catalog->objects()) {
    const bool inside = key.first == ObjectKind::kView || key.first == ObjectKind::kFunction || key.first == ObjectKind::kType || key.first == ObjectKind::kCollation;
    holds_objects = holds_objects || (inside && schemas.contains(object->parent)) ||
                    ((key.first == ObjectKind::kExtension || key.first == ObjectKind::kDefaultAcl) && object->parent == model.oid);
  }
  if (holds_objects)
    return feature_not_supported("database " + quoted(model.name) + " cannot be copied").with_detail("It holds objects; a template has schemas alone.");
  for (const Oid oid : schemas) {
    auto schema = std::make_shared<SchemaDef>(*catalog->schema(oid));
    schema->oid = ctx.allocate_oid();
    schema->database = database;
    if (const ObjectAcl* lists = find_acl(*catalog, oid)) put_acl(ctx, changes, schema->oid, *lists);
    changes.put(std::move(schema));
  }
  return {};
}

}  // namespace

Task<Status> create_database(DdlContext& ctx) {
  const PgQuery__CreatedbStmt& node = *ctx.statement.node->createdb_stmt;
  WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("CREATE DATABASE"));
  const std::string name = truncate_identifier(text_or_empty(node.dbname));
  Result<CreateOptions> given = read_options(ctx, node);
  if (!given.ok()) co_return given.take_status();
  const CreateOptions& options = given.value();
  if (options.oid != nullptr) co_return feature_not_supported("the OID of a database cannot be given");
  DatabaseProperties properties;
  if (options.is_template != nullptr) {
    Result<bool> value = boolean_of(*options.is_template);
    if (!value.ok()) co_return value.take_status();
    properties.is_template = value.value();
  }
  if (options.allow_connections != nullptr) {
    Result<bool> value = boolean_of(*options.allow_connections);
    if (!value.ok()) co_return value.take_status();
    properties.allow_connections = value.value();
  }
  if (options.connection_limit != nullptr) {
    Result<std::int32_t> value = connection_limit_of(*options.connection_limit);
    if (!value.ok()) co_return value.take_status();
    properties.connection_limit = value.value();
  }
  Oid owner = ctx.session.current_role();
  if (options.owner != nullptr) {
    const std::string owner_name = option_text(*options.owner);
    const auto role = ctx.catalog()->find_object(ObjectKind::kRole, 0, owner_name);
    if (role == nullptr) co_return Status{sqlstate::undefined_object, "role " + quoted(owner_name) + " does not exist"};
    owner = role->oid;
  }
  if (!may_create_databases(ctx)) co_return denied("permission denied to create database");
  if (!is_member_of(*ctx.catalog(), ctx.session.database(), ctx.session.current_role(), owner))
    co_return denied("must be member of role " + quoted(role_name(*ctx.catalog(), owner)));
  std::string model_name = "template1";
  if (options.model != nullptr && options.model->arg != nullptr) model_name = option_text(*options.model);
  const auto model = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, model_name);
  if (model == nullptr) co_return Status{sqlstate::invalid_catalog_name, "template database " + quoted(model_name) + " does not exist"};
  const DatabaseProperties of_model = properties_of(*model);
  if (!of_model.is_template && !owns(ctx.access(), *securable_database(*ctx.catalog(), model->oid)))
    co_return denied("permission denied to copy database " + quoted(model_name));
  if (options.strategy != nullptr) {
    const std::string strategy = option_text(*options.strategy);
    if (strategy != "wal_log" && strategy != "file_copy")
      co_return Status{sqlstate::invalid_parameter_value, "invalid create database strategy " + quoted(strategy)}.with_hint(
          "Valid strategies are \"wal_log\" and \"file_copy\".");
  }
  properties.collate = of_model.collate;
  properties.ctype = of_model.ctype;
  WANDIAN_CO_TRY(read_locale(ctx, options, of_model, model->oid == kTemplate0Database, &properties));
  if (options.space != nullptr && option_text(*options.space) != "pg_default")
    co_return Status{sqlstate::undefined_object, "tablespace " + quoted(option_text(*options.space)) + " does not exist"};
  WANDIAN_CO_TRY(co_await ctx.lock_name(2, name));
  if (ctx.catalog()->find_object(ObjectKind::kDatabase, 0, name) != nullptr)
    co_return Status{sqlstate::duplicate_database, "database " + quoted(name) + " already exists"};
  if (ctx.session.server().sessions_of(model->oid, &ctx.session) != 0) {
    std::string busy = "source database " + quoted(model_name) + " is being accessed by other users";
    WANDIAN_CO_TRY(co_await close_database(ctx, model->oid, std::move(busy), false));
  }
  auto database = std::make_shared<ObjectDef>();
  database->kind = ObjectKind::kDatabase;
  database->oid = ctx.allocate_oid();
  database->owner = owner;
  database->name = name;
  database->definition = properties.encode();
  Changes changes;
  WANDIAN_CO_TRY(copy_schemas(ctx, changes, *model, database->oid));
  changes.put(std::move(database));
  co_return ctx.apply(changes);
}

namespace {

Status alter_options(DdlContext& ctx, const PgQuery__AlterDatabaseStmt& node) {
  const auto database = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, text_or_empty(node.dbname));
  std::vector<std::string_view> seen;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key != "is_template" && key != "allow_connections" && key != "connection_limit" && key != "tablespace")
      return Status{sqlstate::syntax_error, "option " + quoted(key) + " not recognized"}.with_position(ctx.position(option.location));
    if (std::find(seen.begin(), seen.end(), key) != seen.end())
      return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    seen.push_back(key);
  }
  if (std::find(seen.begin(), seen.end(), "tablespace") != seen.end()) {
    if (node.n_options != 1) return feature_not_supported("option \"tablespace\" cannot be specified with other options");
    WANDIAN_TRY(ctx.session.prevent_in_transaction_block("ALTER DATABASE SET TABLESPACE"));
  }
  if (database == nullptr) return no_database(text_or_empty(node.dbname));
  WANDIAN_TRY(ctx.must_own(*securable_database(*ctx.catalog(), database->oid)));
  DatabaseProperties properties = properties_of(*database);
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    if (key == "is_template") {
      WANDIAN_ASSIGN(properties.is_template, boolean_of(option));
    } else if (key == "allow_connections") {
      WANDIAN_ASSIGN(properties.allow_connections, boolean_of(option));
      if (!properties.allow_connections && database->oid == ctx.session.database())
        return Status{sqlstate::invalid_parameter_value, "cannot disallow connections for current database"};
    } else if (key == "connection_limit") {
      WANDIAN_ASSIGN(properties.connection_limit, connection_limit_of(option));
    } else if (option_text(option) != "pg_default") {
      return Status{sqlstate::undefined_object, "tablespace " + quoted(option_text(option)) + " does not exist"};
    }
  }
  auto changed = std::make_shared<ObjectDef>(*database);
  changed->definition = properties.encode();
  Changes changes;
  changes.put(std::move(changed));
  return ctx.apply(changes);
}

}  // namespace

Status alter_database(DdlContext& ctx) {
  const ParseNode& statement = *ctx.statement.node;
  if (statement.node_case == PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT) return alter_options(ctx, *statement.alter_database_stmt);
  if (statement.node_case == PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT) {
    const PgQuery__AlterDatabaseSetStmt& node = *statement.alter_database_set_stmt;
    const auto database = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, text_or_empty(node.dbname));
    if (database == nullptr) return no_database(text_or_empty(node.dbname));
    return change_database_settings(ctx, *database, *node.setstmt);
  }
  const std::string_view name = text_or_empty(statement.alter_database_refresh_coll_stmt->dbname);
  const auto database = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, name);
  if (database == nullptr) return no_database(name);
  WANDIAN_TRY(ctx.must_own(*securable_database(*ctx.catalog(), database->oid)));
  ctx.notice(sqlstate::successful_completion, "version has not changed");
  return {};
}

Task<Status> rename_database(DdlContext& ctx, std::string from, std::string to) {
  const auto database = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, from);
  if (database == nullptr) co_return no_database(from);
  WANDIAN_CO_TRY(ctx.must_own(*securable_database(*ctx.catalog(), database->oid)));
  if (!may_create_databases(ctx)) co_return denied("permission denied to rename database");
  WANDIAN_CO_TRY(co_await ctx.lock_name(2, to));
  if (ctx.catalog()->find_object(ObjectKind::kDatabase, 0, to) != nullptr)
    co_return Status{sqlstate::duplicate_database, "database " + quoted(to) + " already exists"};
  if (database->oid == ctx.session.database()) co_return feature_not_supported("current database cannot be renamed");
  std::string busy = "database " + quoted(from) + " is being accessed by other users";
  WANDIAN_CO_TRY(co_await close_database(ctx, database->oid, std::move(busy), false));
  auto renamed = std::make_shared<ObjectDef>(*database);
  renamed->name = to;
  Changes changes;
  changes.put(std::move(renamed));
  co_return ctx.apply(changes);
}

namespace {

// Everything that is in the database, and what is said about it elsewhere.
void drop_contents(DdlContext& ctx, Changes& changes, Oid database) {
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  std::set<Oid> schemas, gone{database};
  for (const auto& [oid, schema] : catalog->schemas())
    if (schema->database == database) schemas.insert(oid);
  for (const auto& [oid, table] : catalog->tables()) {
    if (!schemas.contains(table->schema)) continue;
    changes.drop(ObjectKind::kTable, oid);
    gone.insert(oid);
    for (const IndexDef& index : table->indexes) gone.insert({index.oid, index.constraint});
    for (const CheckDef& check : table->checks) gone.insert(check.oid);
    for (const ForeignKeyDef& key : table->foreign_keys) gone.insert(key.oid);
  }
  for (const auto& [oid, sequence] : catalog->sequences())
    if (schemas.contains(sequence->schema)) changes.drop(ObjectKind::kSequence, oid), gone.insert(oid);
  for (const auto& [key, object] : catalog->objects()) {
    const bool in_schema = key.first == ObjectKind::kView || key.first == ObjectKind::kFunction || key.first == ObjectKind::kType || key.first == ObjectKind::kCollation;
    const bool in_database = key.first == ObjectKind::kExtension || key.first == ObjectKind::kDefaultAcl;
    if ((in_schema && schemas.contains(object->parent)) || (in_database && object->parent == database)) changes.drop(key.first, key.second), gone.insert(key.second);
    if (key.first != ObjectKind::kRole) continue;
    RoleProperties role = *role_properties(*catalog, key.second);
    if (std::erase_if(role.in_databases, [&](const auto& in) { return in.database == database; }) != 0) put_role(changes, *object, role);
  }
  for (const Oid schema : schemas) changes.drop(ObjectKind::kSchema, schema), gone.insert(schema);
  for (const auto& [key, object] : catalog->objects())
    if (key.first == ObjectKind::kComment && gone.contains(object->parent)) changes.drop(ObjectKind::kComment, key.second);
}

}  // namespace

Task<Status> drop_database(DdlContext& ctx) {
  const PgQuery__DropdbStmt& node = *ctx.statement.node->dropdb_stmt;
  WANDIAN_CO_TRY(ctx.session.prevent_in_transaction_block("DROP DATABASE"));
  bool force = false;
  for (std::size_t i = 0; i < node.n_options; ++i) {
    const PgQuery__DefElem& option = *node.options[i]->def_elem;
    if (text_or_empty(option.defname) != "force")
      co_return Status{sqlstate::syntax_error, "unrecognized DROP DATABASE option " + quoted(text_or_empty(option.defname))}.with_position(ctx.position(option.location));
    force = true;
  }
  const std::string name(text_or_empty(node.dbname));
  WANDIAN_CO_TRY(co_await ctx.lock_name(2, name));
  const auto database = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, name);
  if (database == nullptr) {
    if (node.missing_ok == 0) co_return no_database(name);
    ctx.notice(sqlstate::successful_completion, "database " + quoted(name) + " does not exist, skipping");
    co_return Status{};
  }
  WANDIAN_CO_TRY(ctx.must_own(*securable_database(*ctx.catalog(), database->oid)));
  if (properties_of(*database).is_template) co_return Status{sqlstate::wrong_object_type, "cannot drop a template database"};
  if (database->oid == ctx.session.database()) co_return Status{sqlstate::object_in_use, "cannot drop the currently open database"};
  std::string busy = "database " + quoted(name) + " is being accessed by other users";
  WANDIAN_CO_TRY(co_await close_database(ctx, database->oid, std::move(busy), force));
  Changes changes;
  drop_contents(ctx, changes, database->oid);
  changes.drop(ObjectKind::kDatabase, database->oid);
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
