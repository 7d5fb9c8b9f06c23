#include "sql/ddl/ddl.h"

#include "sql/ddl/statements.h"

namespace wandian::sql {

bool is_ddl(StatementKind kind) {
  switch (kind) {
    case StatementKind::kCreateTableAs:
    case StatementKind::kCreateTable:
    case StatementKind::kAlterTable:
    case StatementKind::kCreateIndex:
    case StatementKind::kCreateView:
    case StatementKind::kCreateSequence:
    case StatementKind::kAlterSequence:
    case StatementKind::kCreateSchema:
    case StatementKind::kCreateFunction:
    case StatementKind::kDefineType:
    case StatementKind::kCreateExtension:
    case StatementKind::kAlterExtension:
    case StatementKind::kCreateDatabase:
    case StatementKind::kDropDatabase:
    case StatementKind::kAlterDatabase:
    case StatementKind::kCreateRole:
    case StatementKind::kAlterRole:
    case StatementKind::kDropRole:
    case StatementKind::kGrant:
    case StatementKind::kGrantRole:
    case StatementKind::kAlterDefaultPrivileges:
    case StatementKind::kReassignOwned:
    case StatementKind::kDropOwned:
    case StatementKind::kDrop:
    case StatementKind::kTruncate:
    case StatementKind::kComment:
    case StatementKind::kSecurityLabel:
    case StatementKind::kRename:
    case StatementKind::kAlterOwner:
    case StatementKind::kAlterObjectSchema:
    case StatementKind::kOther: return true;
    default: return false;
  }
}

namespace {

// What the grammar knows and nothing here implements.
Status refuse(const ParseNode& node, std::string_view tag) {
  switch (node.node_case) {
    case PG_QUERY__NODE__NODE_RULE_STMT: return feature_not_supported("rules are not supported");
    case PG_QUERY__NODE__NODE_CREATE_POLICY_STMT:
    case PG_QUERY__NODE__NODE_ALTER_POLICY_STMT: return feature_not_supported("row-level security is not supported");
    case PG_QUERY__NODE__NODE_CREATE_PUBLICATION_STMT:
    case PG_QUERY__NODE__NODE_CREATE_SUBSCRIPTION_STMT: return feature_not_supported("logical replication is not supported");
    case PG_QUERY__NODE__NODE_CREATE_FDW_STMT:
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_SERVER_STMT:
    case PG_QUERY__NODE__NODE_CREATE_FOREIGN_TABLE_STMT: return feature_not_supported("foreign data is not supported");
    case PG_QUERY__NODE__NODE_DEFINE_STMT: return feature_not_supported("user-defined types, operators and aggregates are not supported");
    case PG_QUERY__NODE__NODE_CREATE_STATS_STMT: return feature_not_supported("extended statistics are not supported");
    case PG_QUERY__NODE__NODE_CREATE_TABLE_SPACE_STMT: return feature_not_supported("tablespaces are not supported: tables are kept in memory");
    default: break;
  }
  return feature_not_supported((tag.empty() ? std::string("this statement") : std::string(tag)) + " is not supported");
}

Task<Status> define_type(DdlContext& ctx) {
  switch (ctx.statement.node->node_case) {
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT: co_return co_await create_enum(ctx);
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT: co_return co_await alter_enum(ctx);
    case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT: co_return co_await create_range(ctx);
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT: co_return co_await create_composite(ctx);
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT: co_return co_await create_domain(ctx);
    case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT: co_return co_await alter_domain(ctx);
    default: co_return refuse(*ctx.statement.node, command_tag(ctx.statement.node));
  }
}

}  // namespace

Task<Status> run_statement(DdlContext& ctx) {
  switch (ctx.statement.kind) {
    case StatementKind::kCreateTable: co_return co_await create_table(ctx);
    case StatementKind::kCreateTableAs: co_return co_await create_table_as(ctx);
    case StatementKind::kAlterTable: co_return co_await alter_table(ctx);
    case StatementKind::kCreateIndex: co_return co_await create_index(ctx);
    case StatementKind::kCreateView: co_return co_await create_view(ctx);
    case StatementKind::kCreateSequence: co_return co_await create_sequence(ctx);
    case StatementKind::kAlterSequence: co_return co_await alter_sequence(ctx);
    case StatementKind::kCreateSchema: co_return co_await create_schema(ctx);
    case StatementKind::kCreateFunction: co_return co_await create_function(ctx);
    case StatementKind::kDefineType: co_return co_await define_type(ctx);
    case StatementKind::kCreateExtension: co_return co_await create_extension(ctx);
    case StatementKind::kDrop: co_return co_await drop_objects(ctx);
    case StatementKind::kTruncate: co_return co_await truncate_tables(ctx);
    case StatementKind::kCluster: co_return co_await cluster(ctx);
    case StatementKind::kRename: co_return co_await rename_object(ctx);
    case StatementKind::kAlterOwner: co_return co_await alter_owner(ctx);
    case StatementKind::kAlterObjectSchema: co_return co_await alter_schema_of(ctx);
    case StatementKind::kComment: co_return comment_on(ctx);
    case StatementKind::kCreateRole: co_return create_role(ctx);
    case StatementKind::kAlterRole: co_return alter_role(ctx);
    case StatementKind::kDropRole: co_return drop_role(ctx);
    case StatementKind::kGrant: co_return grant_or_revoke(ctx);
    case StatementKind::kGrantRole: co_return grant_role(ctx);
    case StatementKind::kAlterDefaultPrivileges: co_return alter_default_privileges(ctx);
    case StatementKind::kReassignOwned: co_return co_await reassign_owned(ctx);
    case StatementKind::kDropOwned: co_return co_await drop_owned(ctx);
    case StatementKind::kCreateDatabase: co_return co_await create_database(ctx);
    case StatementKind::kDropDatabase: co_return co_await drop_database(ctx);
    case StatementKind::kAlterDatabase: co_return alter_database(ctx);
    case StatementKind::kOther:
      if (ctx.statement.node->node_case == PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT) co_return co_await alter_function(ctx);
      if (ctx.statement.node->node_case == PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT) co_return co_await refresh_materialized_view(ctx);
      if (ctx.statement.node->node_case == PG_QUERY__NODE__NODE_CREATE_TRIG_STMT) co_return co_await create_trigger(ctx);
      if (ctx.statement.node->node_case == PG_QUERY__NODE__NODE_ALTER_COLLATION_STMT) co_return refresh_collation(ctx);
      if (ctx.statement.node->node_case == PG_QUERY__NODE__NODE_DEFINE_STMT && ctx.statement.node->define_stmt->kind == PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION)
        co_return co_await create_collation(ctx);
      [[fallthrough]];
    default: co_return refuse(*ctx.statement.node, command_tag(ctx.statement.node));
  }
}

Task<Status> run_ddl(SessionImpl& session, StatementRef statement, std::string* tag) {
  DdlContext ctx(session, statement, tag);
  co_return co_await run_statement(ctx);
}

}  // namespace wandian::sql
