// DDL: statements that change the catalog. The session dispatches them here; sql/ddl/*.cc does them.
// Thread:  the session's shard.
// Errors:  PostgreSQL's. The session undoes the statement (its block fails, or its implicit transaction is rolled back).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "engine/oid.h"
#include "engine/task.h"
#include "engine/value.h"
#include "sql/parse/parser.h"
#include "sql/parse/statement_kind.h"
#include "storage/base/status.h"

namespace wandian::sql {

class SessionImpl;

/// A parsed statement. Everything it points to outlives the statement's run.
struct StatementRef {
  const ParseNode* node = nullptr;
  std::string_view text;             ///< the whole text it was parsed from: positions of errors refer to it
  std::string_view statement_text;   ///< its own part of `text`
  StatementKind kind = StatementKind::kOther;
  std::span<const Oid> parameter_types;
  std::span<const Value> params;     ///< none outside of the extended protocol
};

/// Whether run_ddl() is meant for statements of this kind: definitions, CREATE TABLE AS, TRUNCATE, GRANT, COMMENT, ...
bool is_ddl(StatementKind kind);

/// Runs one definition, or CLUSTER. On entry a transaction is active that is not READ ONLY (but for CLUSTER), and no statement has been begun in it: whoever
/// needs a snapshot locks first and then awaits session.begin_statement(). The caller ends the statement.
/// @param tag  preset to the command tag without counts; changed by what counts (CREATE TABLE AS: "SELECT 5").
Task<Status> run_ddl(SessionImpl& session, StatementRef statement, std::string* tag);

/// Removes everything in a session's temporary schema and the schema itself; a transaction is active. Session end, DISCARD TEMP.
Task<Status> drop_temporary_objects(SessionImpl& session, Oid temporary_schema);

}  // namespace wandian::sql
