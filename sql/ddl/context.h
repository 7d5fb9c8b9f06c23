// DdlContext: what every definition works with: its session, the catalog as it is now, names, locks, changes.
// Owns:       nothing that outlives the statement.
// Thread:     the session's shard.
// Invariants: names are looked up again after a lock was granted: whoever held it may have changed them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "engine/task.h"
#include "sql/catalog/stored_objects.h"
#include "sql/ddl/ddl.h"
#include "sql/exec/operator.h"
#include "sql/messages.h"
#include "sql/session_impl.h"

namespace wandian::sql {

/// Changes of one statement, which enter the catalog together.
class Changes {
 public:
  void put(std::shared_ptr<TableDef> table);
  void put(std::shared_ptr<SequenceDef> sequence);
  void put(std::shared_ptr<SchemaDef> schema);
  void put(std::shared_ptr<ObjectDef> object);
  void drop(ObjectKind kind, Oid oid);
  bool empty() const { return list_.empty(); }
  std::vector<CatalogChange> take() { return std::move(list_); }
  /// A name that this statement is about to use in a schema, so that the next choice avoids it.
  void reserve(Oid schema, const std::string& name) { names_.emplace_back(schema, name); }
  bool reserved(Oid schema, const std::string& name) const;

 private:
  std::vector<CatalogChange> list_;
  std::vector<std::pair<Oid, std::string>> names_;
};

class DdlContext {
 public:
  DdlContext(SessionImpl& owner, StatementRef of, std::string* command_tag) : session(owner), statement(of), tag(command_tag) {}

  SessionImpl& session;
  const StatementRef statement;
  std::string* const tag;
  /// CREATE EXTENSION ... SCHEMA: where its script creates and looks first; 0: as the session does.
  Oid forced_schema = 0;
  /// Collects what the script of an extension creates; null elsewhere.
  std::vector<ExtensionObject::Member>* members = nullptr;

  std::shared_ptr<const Catalog> catalog() { return session.catalog(); }
  Transaction& transaction() { return session.transaction(); }
  Oid allocate_oid() { return transaction().allocate_oid(); }
  std::uint64_t allocate_storage_id() { return session.engine_database().allocate_storage_id(); }
  BindContext bind_context();
  Status apply(Changes& changes);
  /// 1-based position of a byte offset in the statement's text.
  std::int32_t position(std::int32_t location) const { return character_position(statement.text, location); }
  void notice(SqlState code, std::string message, std::string detail = {}, std::string hint = {}) {
    session.notice(Severity::kNotice, code, std::move(message), std::move(detail), std::move(hint));
  }

  /// The schema in which a relation is to be created; makes the session's temporary one when it is needed. `temporary` says whether
  /// it is that one.
  Result<Oid> target_schema(const PgQuery__RangeVar& relation, bool* temporary);
  Result<Oid> ensure_temporary_schema();
  /// 3F000; 42501 if the current role may not look into it, unless that is not asked.
  Result<Oid> find_schema(std::string_view name, bool must_be_usable = true);
  /// Whether some relation has this name, in this transaction's catalog or in the published one.
  bool relation_exists(Oid schema, const std::string& name);
  /// Keeps other transactions from creating the same name until this one ends.
  Task<Status> lock_name(Oid schema, std::string name);
  /// The same for a relation that is to be created. 42P07 if there is one; with `if_not_exists` a notice, and false.
  Task<Result<bool>> claim_relation_name(Oid schema, std::string name, bool if_not_exists);

  std::optional<FoundRelation> find(const PgQuery__RangeVar& relation);
  /// Finds a table, locks it, and finds it again. 42P01, 42809 for other relations. Null without error: missing and missing_ok.
  Task<Result<std::shared_ptr<const TableDef>>> lock_table(const PgQuery__RangeVar& relation, TableLock mode, bool missing_ok);
  Task<Result<std::shared_ptr<const TableDef>>> lock_table(Oid table, TableLock mode);
  /// Of the view as this transaction knows it; what others committed while it was waited for is taken over. 42P01 if it is gone then.
  Task<Status> lock_view(Oid view, TableLock mode);
  /// A table or a view.
  Task<Status> lock_relation(Oid relation, TableLock mode);

  // What the current role may do: 42501.
  AccessScope access() { return session.access_scope(); }
  Status must_own(const Securable& object) { return check_owner(access(), object); }
  Status must_own_relation(Oid relation);
  Status must_own_function(Oid function);
  Status must_own_type(Oid type);
  /// Of the object or of the schema it is in, as DROP wants it.
  Status may_drop(const std::optional<Securable>& object, Oid schema);
  Status may_create_in(Oid schema) { return check_privilege(access(), AclKind::kSchema, schema, privilege::kCreate); }
  Status may_use_type(Oid type);

  std::string schema_name(Oid schema) const;
  /// As messages name a relation: qualified only if the search path does not find it.
  std::string relation_text(Oid oid);

 private:
  Arena eval_arena_;
  std::optional<EvalContext> eval_;   ///< literals that name objects are looked up while a definition is bound
  /// The table's newest definition if another transaction committed one after this one's first change.
  Status adopt_published(Oid table);
};

/// "table t", "index i", ... for DROP and ALTER of the wrong kind: 42809 `"v" is not a table`.
Status wrong_object_type(std::string_view name, std::string_view wanted);

// ---- Names ----

/// PostgreSQL's name for what belongs to something: "name1_name2_label" in at most 63 bytes.
std::string make_object_name(std::string_view name1, std::string_view name2, std::string_view label);
/// The first of label, label1, label2, ... that no relation of the schema has; reserves it.
std::string choose_relation_name(DdlContext& ctx, Changes& changes, std::string_view name1, std::string_view name2, std::string_view label,
                                 Oid schema, bool is_constraint);
/// "a_b_c", cut where PostgreSQL stops adding columns.
std::string joined_column_names(const std::vector<std::string>& names);
/// Whether a constraint of any table of the schema has this name.
bool constraint_exists(const Catalog& catalog, Oid schema, std::string_view name);
/// Cuts an identifier to 63 bytes.
std::string truncate_identifier(std::string_view name);

std::string join(const std::vector<std::string>& parts, std::string_view separator);
Status feature_not_supported(std::string message);

/// A DefElem's argument as text, however it was written (word, string, number, TYPE name, true for none).
std::string option_text(const PgQuery__DefElem& option);
/// The same as on or off; on if nothing is said. 42601.
Result<bool> option_bool(const PgQuery__DefElem& option);

}  // namespace wandian::sql
