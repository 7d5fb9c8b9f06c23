#include "sql/parse/statement_kind.h"

namespace wandian::sql {

namespace {

// "DROP TABLE" and the like: verb and object.
struct ObjectTags {
  std::string_view drop, alter;
};

ObjectTags object_tags(PgQuery__ObjectType type) {
  switch (type) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE: return {"DROP TABLE", "ALTER TABLE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN: return {"DROP COLUMN", "ALTER TABLE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT: return {"DROP CONSTRAINT", "ALTER TABLE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX: return {"DROP INDEX", "ALTER INDEX"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return {"DROP SEQUENCE", "ALTER SEQUENCE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW: return {"DROP VIEW", "ALTER VIEW"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW: return {"DROP MATERIALIZED VIEW", "ALTER MATERIALIZED VIEW"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_FOREIGN_TABLE: return {"DROP FOREIGN TABLE", "ALTER FOREIGN TABLE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: return {"DROP SCHEMA", "ALTER SCHEMA"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION: return {"DROP FUNCTION", "ALTER FUNCTION"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE: return {"DROP PROCEDURE", "ALTER PROCEDURE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: return {"DROP ROUTINE", "ALTER ROUTINE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_AGGREGATE: return {"DROP AGGREGATE", "ALTER AGGREGATE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_OPERATOR: return {"DROP OPERATOR", "ALTER OPERATOR"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION: return {"DROP EXTENSION", "ALTER EXTENSION"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE: return {"DROP TYPE", "ALTER TYPE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_ATTRIBUTE: return {"DROP TYPE", "ALTER TYPE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN:
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMCONSTRAINT: return {"DROP DOMAIN", "ALTER DOMAIN"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER: return {"DROP TRIGGER", "ALTER TRIGGER"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_RULE: return {"DROP RULE", "ALTER RULE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_POLICY: return {"DROP POLICY", "ALTER POLICY"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: return {"DROP DATABASE", "ALTER DATABASE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE: return {"DROP ROLE", "ALTER ROLE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLESPACE: return {"DROP TABLESPACE", "ALTER TABLESPACE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION: return {"DROP COLLATION", "ALTER COLLATION"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_CONVERSION: return {"DROP CONVERSION", "ALTER CONVERSION"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_CAST: return {"DROP CAST", "ALTER CAST"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE: return {"DROP LANGUAGE", "ALTER LANGUAGE"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_PUBLICATION: return {"DROP PUBLICATION", "ALTER PUBLICATION"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_SUBSCRIPTION: return {"DROP SUBSCRIPTION", "ALTER SUBSCRIPTION"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_STATISTIC_EXT: return {"DROP STATISTICS", "ALTER STATISTICS"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_EVENT_TRIGGER: return {"DROP EVENT TRIGGER", "ALTER EVENT TRIGGER"};
    case PG_QUERY__OBJECT_TYPE__OBJECT_ACCESS_METHOD: return {"DROP ACCESS METHOD", "ALTER ACCESS METHOD"};
    default: return {"DROP", "ALTER"};
  }
}

std::string_view transaction_tag(PgQuery__TransactionStmtKind kind) {
  switch (kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN: return "BEGIN";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START: return "START TRANSACTION";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT: return "COMMIT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO: return "ROLLBACK";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT: return "SAVEPOINT";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE: return "RELEASE";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE: return "PREPARE TRANSACTION";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED: return "COMMIT PREPARED";
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED: return "ROLLBACK PREPARED";
    default: return "";
  }
}

bool is_empty(const char* text) { return text == nullptr || *text == '\0'; }

}  // namespace

StatementKind classify(const ParseNode* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT:
      return node->select_stmt->into_clause != nullptr ? StatementKind::kCreateTableAs : StatementKind::kSelect;
    case PG_QUERY__NODE__NODE_INSERT_STMT: return StatementKind::kInsert;
    case PG_QUERY__NODE__NODE_UPDATE_STMT: return StatementKind::kUpdate;
    case PG_QUERY__NODE__NODE_DELETE_STMT: return StatementKind::kDelete;
    case PG_QUERY__NODE__NODE_MERGE_STMT: return StatementKind::kMerge;
    case PG_QUERY__NODE__NODE_CALL_STMT: return StatementKind::kCall;
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT: return StatementKind::kExplain;
    case PG_QUERY__NODE__NODE_PREPARE_STMT: return StatementKind::kPrepare;
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT: return StatementKind::kDeclareCursor;
    case PG_QUERY__NODE__NODE_COPY_STMT: return StatementKind::kCopy;
    case PG_QUERY__NODE__NODE_EXECUTE_STMT: return StatementKind::kExecute;
    case PG_QUERY__NODE__NODE_LISTEN_STMT: return StatementKind::kListen;
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT: return StatementKind::kUnlisten;
    case PG_QUERY__NODE__NODE_NOTIFY_STMT: return StatementKind::kNotify;
    case PG_QUERY__NODE__NODE_LOCK_STMT: return StatementKind::kLock;
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT: return StatementKind::kSetConstraints;
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT: return StatementKind::kCheckpoint;
    case PG_QUERY__NODE__NODE_LOAD_STMT: return StatementKind::kLoad;
    case PG_QUERY__NODE__NODE_DO_STMT: return StatementKind::kDo;
    case PG_QUERY__NODE__NODE_REINDEX_STMT: return StatementKind::kReindex;
    case PG_QUERY__NODE__NODE_CLUSTER_STMT: return StatementKind::kCluster;
    case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT: return StatementKind::kAlterSystem;
    case PG_QUERY__NODE__NODE_CREATE_STMT: return StatementKind::kCreateTable;
    case PG_QUERY__NODE__NODE_INDEX_STMT: return StatementKind::kCreateIndex;
    case PG_QUERY__NODE__NODE_VIEW_STMT: return StatementKind::kCreateView;
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT: return StatementKind::kCreateSequence;
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT: return StatementKind::kAlterSequence;
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT: return StatementKind::kCreateSchema;
    case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT: return StatementKind::kCreateExtension;
    case PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT: return StatementKind::kAlterExtension;
    case PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT: return StatementKind::kAlterExtension;
    case PG_QUERY__NODE__NODE_CREATEDB_STMT: return StatementKind::kCreateDatabase;
    case PG_QUERY__NODE__NODE_DROPDB_STMT: return StatementKind::kDropDatabase;
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT: return StatementKind::kAlterDatabase;
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT: return StatementKind::kAlterDatabase;
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_REFRESH_COLL_STMT: return StatementKind::kAlterDatabase;
    case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT: return StatementKind::kCreateRole;
    case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT: return StatementKind::kAlterRole;
    case PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT: return StatementKind::kAlterRole;
    case PG_QUERY__NODE__NODE_DROP_ROLE_STMT: return StatementKind::kDropRole;
    case PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT: return StatementKind::kAlterDefaultPrivileges;
    case PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT: return StatementKind::kReassignOwned;
    case PG_QUERY__NODE__NODE_DROP_OWNED_STMT: return StatementKind::kDropOwned;
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT: return StatementKind::kTruncate;
    case PG_QUERY__NODE__NODE_COMMENT_STMT: return StatementKind::kComment;
    case PG_QUERY__NODE__NODE_SEC_LABEL_STMT: return StatementKind::kSecurityLabel;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT: return StatementKind::kCreateTableAs;
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT: return StatementKind::kDeallocate;
    case PG_QUERY__NODE__NODE_FETCH_STMT: return StatementKind::kFetch;
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT: return StatementKind::kClosePortal;
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT: return StatementKind::kTransaction;
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT: return StatementKind::kSet;
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT: return StatementKind::kShow;
    case PG_QUERY__NODE__NODE_DISCARD_STMT: return StatementKind::kDiscard;
    case PG_QUERY__NODE__NODE_VACUUM_STMT: return StatementKind::kVacuum;
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT: return StatementKind::kAlterTable;
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT: return StatementKind::kCreateFunction;
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT:
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT:
    case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT: return StatementKind::kDefineType;
    case PG_QUERY__NODE__NODE_GRANT_STMT: return StatementKind::kGrant;
    case PG_QUERY__NODE__NODE_GRANT_ROLE_STMT: return StatementKind::kGrantRole;
    case PG_QUERY__NODE__NODE_DROP_STMT: return StatementKind::kDrop;
    case PG_QUERY__NODE__NODE_RENAME_STMT: return StatementKind::kRename;
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT: return StatementKind::kAlterOwner;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT: return StatementKind::kAlterObjectSchema;
    default: return StatementKind::kOther;
  }
}

const ParseNode* inner_statement(const ParseNode* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT: return node->explain_stmt->query;
    case PG_QUERY__NODE__NODE_PREPARE_STMT: return node->prepare_stmt->query;
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT: return node->declare_cursor_stmt->query;
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT: return node->create_table_as_stmt->query;
    case PG_QUERY__NODE__NODE_COPY_STMT: return node->copy_stmt->query;
    case PG_QUERY__NODE__NODE_SELECT_STMT: return node->select_stmt->into_clause != nullptr ? node : nullptr;
    default: return nullptr;
  }
}

std::string_view command_tag(const ParseNode* node) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT: return node->select_stmt->into_clause != nullptr ? "SELECT INTO" : "SELECT";
    case PG_QUERY__NODE__NODE_TRANSACTION_STMT: return transaction_tag(node->transaction_stmt->kind);
    case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
      return node->variable_set_stmt->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                     node->variable_set_stmt->kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL
                 ? "RESET"
                 : "SET";
    case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT: return "SHOW";
    case PG_QUERY__NODE__NODE_DISCARD_STMT:
      switch (node->discard_stmt->target) {
        case PG_QUERY__DISCARD_MODE__DISCARD_ALL: return "DISCARD ALL";
        case PG_QUERY__DISCARD_MODE__DISCARD_PLANS: return "DISCARD PLANS";
        case PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES: return "DISCARD SEQUENCES";
        default: return "DISCARD TEMP";
      }
    case PG_QUERY__NODE__NODE_VACUUM_STMT: return node->vacuum_stmt->is_vacuumcmd != 0 ? "VACUUM" : "ANALYZE";
    case PG_QUERY__NODE__NODE_DEALLOCATE_STMT: return is_empty(node->deallocate_stmt->name) ? "DEALLOCATE ALL" : "DEALLOCATE";
    case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
      return is_empty(node->close_portal_stmt->portalname) ? "CLOSE CURSOR ALL" : "CLOSE CURSOR";
    case PG_QUERY__NODE__NODE_FETCH_STMT: return node->fetch_stmt->ismove != 0 ? "MOVE" : "FETCH";
    case PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT:
      if (node->create_table_as_stmt->objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW) return "CREATE MATERIALIZED VIEW";
      return node->create_table_as_stmt->is_select_into != 0 ? "SELECT INTO" : "CREATE TABLE AS";
    case PG_QUERY__NODE__NODE_CREATE_FUNCTION_STMT:
      return node->create_function_stmt->is_procedure != 0 ? "CREATE PROCEDURE" : "CREATE FUNCTION";
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT: return "CREATE TRIGGER";
    case PG_QUERY__NODE__NODE_REFRESH_MAT_VIEW_STMT: return "REFRESH MATERIALIZED VIEW";
    case PG_QUERY__NODE__NODE_ALTER_FUNCTION_STMT: return object_tags(node->alter_function_stmt->objtype).alter;
    case PG_QUERY__NODE__NODE_GRANT_STMT: return node->grant_stmt->is_grant != 0 ? "GRANT" : "REVOKE";
    case PG_QUERY__NODE__NODE_GRANT_ROLE_STMT: return node->grant_role_stmt->is_grant != 0 ? "GRANT ROLE" : "REVOKE ROLE";
    case PG_QUERY__NODE__NODE_ALTER_TABLE_STMT: return object_tags(node->alter_table_stmt->objtype).alter;
    case PG_QUERY__NODE__NODE_DROP_STMT: return object_tags(node->drop_stmt->remove_type).drop;
    case PG_QUERY__NODE__NODE_RENAME_STMT: {
      const PgQuery__RenameStmt& rename = *node->rename_stmt;
      const bool of_part = rename.rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN;
      return object_tags(of_part ? rename.relation_type : rename.rename_type).alter;
    }
    case PG_QUERY__NODE__NODE_ALTER_OWNER_STMT: return object_tags(node->alter_owner_stmt->object_type).alter;
    case PG_QUERY__NODE__NODE_ALTER_OBJECT_SCHEMA_STMT: return object_tags(node->alter_object_schema_stmt->object_type).alter;
    case PG_QUERY__NODE__NODE_INSERT_STMT: return "INSERT";
    case PG_QUERY__NODE__NODE_UPDATE_STMT: return "UPDATE";
    case PG_QUERY__NODE__NODE_DELETE_STMT: return "DELETE";
    case PG_QUERY__NODE__NODE_MERGE_STMT: return "MERGE";
    case PG_QUERY__NODE__NODE_CALL_STMT: return "CALL";
    case PG_QUERY__NODE__NODE_EXPLAIN_STMT: return "EXPLAIN";
    case PG_QUERY__NODE__NODE_PREPARE_STMT: return "PREPARE";
    case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT: return "DECLARE CURSOR";
    case PG_QUERY__NODE__NODE_COPY_STMT: return "COPY";
    case PG_QUERY__NODE__NODE_EXECUTE_STMT: return "EXECUTE";
    case PG_QUERY__NODE__NODE_LISTEN_STMT: return "LISTEN";
    case PG_QUERY__NODE__NODE_UNLISTEN_STMT: return "UNLISTEN";
    case PG_QUERY__NODE__NODE_NOTIFY_STMT: return "NOTIFY";
    case PG_QUERY__NODE__NODE_LOCK_STMT: return "LOCK TABLE";
    case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT: return "SET CONSTRAINTS";
    case PG_QUERY__NODE__NODE_CHECK_POINT_STMT: return "CHECKPOINT";
    case PG_QUERY__NODE__NODE_LOAD_STMT: return "LOAD";
    case PG_QUERY__NODE__NODE_DO_STMT: return "DO";
    case PG_QUERY__NODE__NODE_REINDEX_STMT: return "REINDEX";
    case PG_QUERY__NODE__NODE_CLUSTER_STMT: return "CLUSTER";
    case PG_QUERY__NODE__NODE_ALTER_SYSTEM_STMT: return "ALTER SYSTEM";
    case PG_QUERY__NODE__NODE_CREATE_ENUM_STMT:
    case PG_QUERY__NODE__NODE_COMPOSITE_TYPE_STMT:
    case PG_QUERY__NODE__NODE_CREATE_RANGE_STMT: return "CREATE TYPE";
    case PG_QUERY__NODE__NODE_ALTER_ENUM_STMT: return "ALTER TYPE";
    case PG_QUERY__NODE__NODE_CREATE_DOMAIN_STMT: return "CREATE DOMAIN";
    case PG_QUERY__NODE__NODE_ALTER_DOMAIN_STMT: return "ALTER DOMAIN";
    case PG_QUERY__NODE__NODE_CREATE_STMT: return "CREATE TABLE";
    case PG_QUERY__NODE__NODE_INDEX_STMT: return "CREATE INDEX";
    case PG_QUERY__NODE__NODE_VIEW_STMT: return "CREATE VIEW";
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT: return "CREATE SEQUENCE";
    case PG_QUERY__NODE__NODE_ALTER_SEQ_STMT: return "ALTER SEQUENCE";
    case PG_QUERY__NODE__NODE_CREATE_SCHEMA_STMT: return "CREATE SCHEMA";
    case PG_QUERY__NODE__NODE_CREATE_EXTENSION_STMT: return "CREATE EXTENSION";
    case PG_QUERY__NODE__NODE_ALTER_EXTENSION_STMT: return "ALTER EXTENSION";
    case PG_QUERY__NODE__NODE_ALTER_EXTENSION_CONTENTS_STMT: return "ALTER EXTENSION";
    case PG_QUERY__NODE__NODE_CREATEDB_STMT: return "CREATE DATABASE";
    case PG_QUERY__NODE__NODE_DROPDB_STMT: return "DROP DATABASE";
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT: return "ALTER DATABASE";
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_SET_STMT: return "ALTER DATABASE";
    case PG_QUERY__NODE__NODE_ALTER_DATABASE_REFRESH_COLL_STMT: return "ALTER DATABASE";
    case PG_QUERY__NODE__NODE_CREATE_ROLE_STMT: return "CREATE ROLE";
    case PG_QUERY__NODE__NODE_ALTER_ROLE_STMT: return "ALTER ROLE";
    case PG_QUERY__NODE__NODE_ALTER_ROLE_SET_STMT: return "ALTER ROLE";
    case PG_QUERY__NODE__NODE_DROP_ROLE_STMT: return "DROP ROLE";
    case PG_QUERY__NODE__NODE_ALTER_DEFAULT_PRIVILEGES_STMT: return "ALTER DEFAULT PRIVILEGES";
    case PG_QUERY__NODE__NODE_REASSIGN_OWNED_STMT: return "REASSIGN OWNED";
    case PG_QUERY__NODE__NODE_DROP_OWNED_STMT: return "DROP OWNED";
    case PG_QUERY__NODE__NODE_TRUNCATE_STMT: return "TRUNCATE TABLE";
    case PG_QUERY__NODE__NODE_COMMENT_STMT: return "COMMENT";
    case PG_QUERY__NODE__NODE_SEC_LABEL_STMT: return "SECURITY LABEL";
    default: return "???";
  }
}

bool allowed_in_failed_transaction(const ParseNode* node) {
  if (node->node_case != PG_QUERY__NODE__NODE_TRANSACTION_STMT) return false;
  switch (node->transaction_stmt->kind) {
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
    case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE: return true;
    default: return false;
  }
}

}  // namespace wandian::sql
