// The statements that definitions are made of, one function each.
// Thread:  the session's shard.
#pragma once

#include "sql/ddl/context.h"

namespace wandian::sql {

Task<Status> create_table(DdlContext& ctx);
Task<Status> create_table_as(DdlContext& ctx);
Task<Status> create_materialized_view(DdlContext& ctx);
Task<Status> refresh_materialized_view(DdlContext& ctx);
Task<Status> create_sequence(DdlContext& ctx);
Task<Status> alter_sequence(DdlContext& ctx);
Task<Status> create_index(DdlContext& ctx);
Task<Status> create_schema(DdlContext& ctx);
Task<Status> create_view(DdlContext& ctx);
Task<Status> create_extension(DdlContext& ctx);
Task<Status> create_function(DdlContext& ctx);
Task<Status> create_routine(DdlContext& ctx, const std::string& language);
Task<Status> alter_function(DdlContext& ctx);
Task<Status> create_trigger(DdlContext& ctx);
Task<Status> drop_trigger(DdlContext& ctx);
Task<Status> rename_trigger(DdlContext& ctx);
/// ALTER TABLE ... ENABLE or DISABLE TRIGGER.
Status enable_trigger(TableDef& table, const PgQuery__AlterTableCmd& command, bool superuser);
Task<Status> create_enum(DdlContext& ctx);
Task<Status> alter_enum(DdlContext& ctx);
Task<Status> create_range(DdlContext& ctx);
Task<Status> create_composite(DdlContext& ctx);
Task<Status> alter_composite(DdlContext& ctx);
Task<Status> rename_attribute(DdlContext& ctx);
Task<Status> create_domain(DdlContext& ctx);
Task<Status> alter_domain(DdlContext& ctx);
Task<Status> rename_domain_constraint(DdlContext& ctx);
Task<Status> rename_type(DdlContext& ctx);
Task<Status> alter_type_owner(DdlContext& ctx);
Task<Status> alter_type_schema(DdlContext& ctx);
Task<Status> create_collation(DdlContext& ctx);
/// ALTER COLLATION ... REFRESH VERSION.
Status refresh_collation(DdlContext& ctx);
Task<Status> rename_collation(DdlContext& ctx);
Status alter_collation_owner(DdlContext& ctx);
Task<Status> alter_collation_schema(DdlContext& ctx);
/// A collation that users made, by a name, of the current role: 42704, 42501.
Result<std::shared_ptr<const ObjectDef>> find_user_collation(DdlContext& ctx, std::span<PgQuery__Node* const> name);
Task<Status> alter_table(DdlContext& ctx);
Task<Status> truncate_tables(DdlContext& ctx);
Task<Status> cluster(DdlContext& ctx);
/// The table's index of that name. 42704: there is none; 42809: it is another table's, or no index.
Result<const IndexDef*> find_index_of(DdlContext& ctx, const TableDef& table, std::string_view name);
/// The index of that name which CLUSTER may order the table by. As find_index_of(); 0A000.
Result<Oid> find_clusterable(DdlContext& ctx, const TableDef& table, std::string_view name);
/// pg_index.indisclustered: of that index of the table alone, of none if it is 0.
void mark_clustered(TableDef& table, Oid index);
/// ALTER TABLE ... REPLICA IDENTITY. 42704, 42809, 0A000.
Status set_replica_identity(DdlContext& ctx, TableDef& table, const PgQuery__ReplicaIdentityStmt& node);
Task<Status> rename_object(DdlContext& ctx);
Task<Status> alter_owner(DdlContext& ctx);
Task<Status> alter_schema_of(DdlContext& ctx);
Task<Status> drop_objects(DdlContext& ctx);
Status comment_on(DdlContext& ctx);
Status create_role(DdlContext& ctx);
Status alter_role(DdlContext& ctx);
Status drop_role(DdlContext& ctx);
Status grant_or_revoke(DdlContext& ctx);
Status grant_role(DdlContext& ctx);
Status alter_default_privileges(DdlContext& ctx);
Task<Status> reassign_owned(DdlContext& ctx);
Task<Status> drop_owned(DdlContext& ctx);
Task<Status> create_database(DdlContext& ctx);
Task<Status> drop_database(DdlContext& ctx);
Status alter_database(DdlContext& ctx);
Task<Status> rename_database(DdlContext& ctx, std::string from, std::string to);
/// ALTER DATABASE ... SET, and ALTER ROLE ALL IN DATABASE ... SET.
Status change_database_settings(DdlContext& ctx, const ObjectDef& database, const PgQuery__VariableSetStmt& set);
/// SET name = value of a function, a role or a database, as SET keeps it.
void add_setting(DdlContext& ctx, const PgQuery__VariableSetStmt& set, std::vector<std::pair<std::string, std::string>>* settings);

/// ALTER VIEW ... SET or RESET (option, ...).
Status set_view_options(DdlContext& ctx, const PgQuery__AlterTableCmd& command, ObjectDef* view);
/// ALTER VIEW ... ALTER COLUMN ... SET DEFAULT, DROP DEFAULT.
Status set_view_default(DdlContext& ctx, const PgQuery__AlterTableCmd& command, ObjectDef* view);

/// The role a RoleSpec names. 42704.
Result<Oid> find_role(DdlContext& ctx, const PgQuery__RoleSpec& role);
/// A function or procedure by its signature, or by its name alone if that is unique. 42883, 42725; `what`: "function".
Result<std::shared_ptr<const ObjectDef>> find_routine(DdlContext& ctx, const PgQuery__ObjectWithArgs& with_args, std::string_view what);
/// Runs one statement of an extension's script, or of CREATE SCHEMA.
Task<Status> run_statement(DdlContext& ctx);

}  // namespace wandian::sql
