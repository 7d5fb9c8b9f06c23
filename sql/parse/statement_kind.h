// StatementKind: which part of sql a statement belongs to, from its parse node alone.
// Thread:     any.
#pragma once

#include <cstdint>
#include <string_view>

#include "sql/parse/parser.h"

namespace wandian::sql {

enum class StatementKind : std::uint8_t {
  // sql/bind and sql/plan
  kSelect,          ///< also VALUES and TABLE t
  kInsert,
  kUpdate,
  kDelete,
  kMerge,
  kCall,            ///< CALL f(...)
  // Statements around a statement; inner_statement() gives it.
  kExplain,
  kPrepare,
  kDeclareCursor,
  kCreateTableAs,   ///< also SELECT INTO
  kCopy,            ///< the inner statement is there for COPY (query) TO alone
  // The session's
  kExecute,
  kDeallocate,
  kFetch,           ///< also MOVE
  kClosePortal,
  kTransaction,
  kSet,             ///< SET, RESET
  kShow,
  kDiscard,
  kListen,
  kUnlisten,
  kNotify,
  kLock,
  kSetConstraints,
  kCheckpoint,
  kLoad,
  kDo,
  kVacuum,          ///< also ANALYZE
  kReindex,
  kCluster,
  kAlterSystem,
  // Definitions
  kCreateTable,
  kAlterTable,      ///< of any relation: table, index, view, sequence (AlterTableStmt::objtype)
  kCreateIndex,
  kCreateView,
  kCreateSequence,
  kAlterSequence,
  kCreateSchema,
  kCreateFunction,
  kDefineType,      ///< CREATE TYPE and DOMAIN, ALTER DOMAIN, ALTER TYPE of enums
  kCreateExtension,
  kAlterExtension,
  kCreateDatabase,
  kDropDatabase,
  kAlterDatabase,   ///< options, SET, refresh
  kCreateRole,
  kAlterRole,       ///< options and SET
  kDropRole,
  kGrant,
  kGrantRole,
  kAlterDefaultPrivileges,
  kReassignOwned,
  kDropOwned,
  kDrop,            ///< DropStmt: of any kind of object
  kTruncate,
  kComment,
  kSecurityLabel,
  kRename,
  kAlterOwner,
  kAlterObjectSchema,
  kOther,           ///< parsed, and nothing here implements it: 0A000
};

StatementKind classify(const ParseNode* node);

/// The statement inside EXPLAIN, PREPARE, DECLARE CURSOR, CREATE TABLE AS or COPY (query); SELECT INTO is its own inner
/// statement (bind_statement leaves the INTO aside); null for others.
const ParseNode* inner_statement(const ParseNode* node);

/// PostgreSQL's command tag without counts: "SELECT", "INSERT", "CREATE TABLE", "BEGIN", "ALTER TABLE", ...
std::string_view command_tag(const ParseNode* node);

/// Whether the statement may run in a transaction that has failed: COMMIT, ROLLBACK, ROLLBACK TO and their like.
bool allowed_in_failed_transaction(const ParseNode* node);

}  // namespace wandian::sql
