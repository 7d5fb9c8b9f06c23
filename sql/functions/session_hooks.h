// SessionHooks: what built-in functions need from the session, the catalog and the server, seen from below.
// Owns:    nothing; the session implements it.
// Thread:  the session's shard.
// Errors:  a Status, or an empty optional where PostgreSQL's function answers null.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/oid.h"
#include "sql/functions/object_identity.h"
#include "storage/base/status.h"

namespace wandian {
class Catalog;
struct TableDef;
}

namespace wandian::sql {

/// What kind of object a reg* type names.
enum class ObjectClass : std::uint8_t { kRelation, kType, kFunction, kFunctionSignature, kOperator, kOperatorSignature, kNamespace, kRole, kCollation };

/// What has_*_privilege asks about.
enum class PrivilegeClass : std::uint8_t {
  kTable, kColumn, kAnyColumn, kSequence, kDatabase, kFunction, kSchema, kLanguage, kType, kTablespace, kServer,
  kForeignDataWrapper, kParameter, kRole
};

inline constexpr Oid kPublicRole = ~Oid{0};

enum class SizeKind : std::uint8_t { kRelation, kTable, kIndexes, kTotalRelation, kDatabase, kTablespace };

class TypeCatalog;   // sql/types/user_type.h

class SessionHooks {
 public:
  virtual ~SessionHooks() = default;

  // Sequences (by the sequence's relation).
  virtual Result<std::int64_t> nextval(Oid sequence) = 0;
  virtual Result<std::int64_t> identity_value(Oid sequence) = 0;   ///< the same, whoever asks: for the column it belongs to
  virtual Result<std::int64_t> currval(Oid sequence) = 0;   ///< 55000 if not yet defined in this session
  virtual Result<std::int64_t> lastval() = 0;
  virtual Result<std::int64_t> setval(Oid sequence, std::int64_t value, bool is_called) = 0;
  /// The sequence behind a serial or identity column as a quoted, qualified name; empty: none.
  virtual Result<std::optional<std::string>> serial_sequence(std::string_view table, std::string_view column) = 0;

  // Settings.
  /// 42704 if there is no such setting and !missing_ok; empty if missing_ok.
  virtual Result<std::optional<std::string>> current_setting(std::string_view name, bool missing_ok) = 0;
  virtual Result<std::string> set_config(std::string_view name, std::string_view value, bool is_local) = 0;
  virtual std::string version() = 0;

  // Who and where.
  virtual std::string current_user() = 0;
  virtual std::string session_user() = 0;
  virtual std::string current_database() = 0;
  virtual std::optional<std::string> current_schema() = 0;
  virtual std::vector<std::string> current_schemas(bool include_implicit) = 0;
  virtual Oid temporary_schema() const = 0;              ///< 0: the session has none yet
  virtual std::string current_query() = 0;
  virtual std::int32_t backend_pid() = 0;
  virtual std::optional<std::string> client_address() = 0;
  virtual std::optional<std::int32_t> client_port() = 0;
  virtual std::optional<std::string> server_address() = 0;
  virtual std::optional<std::int32_t> server_port() = 0;
  virtual std::int64_t server_start_time() = 0;          ///< µs from 2000-01-01 UTC
  virtual std::int64_t configuration_load_time() = 0;
  virtual std::int64_t clock_timestamp() = 0;            ///< µs from 2000-01-01 UTC, now
  virtual std::optional<std::int64_t> last_query_timestamp() { return std::nullopt; }

  // Transactions.
  virtual std::uint64_t transaction_id() = 0;            ///< txid_current: assigns one if there is none
  virtual std::optional<std::uint64_t> transaction_id_if_assigned() = 0;
  virtual std::string current_snapshot() = 0;            ///< "xmin:xmax:xip,..."
  virtual Result<std::string> export_snapshot() = 0;

  /// WHERE CURRENT OF: the partition and primary key of the row of `table` that a cursor stands on. False: it stands on a row of
  /// another partition of a partitioned table. 34000, 24000; 0A000 where there are no cursors.
  virtual Result<bool> cursor_row(std::string_view /*cursor*/, const TableDef& /*table*/, std::uint32_t* /*partition*/, std::string* /*key*/) {
    return Status{sqlstate::feature_not_supported, "there are no cursors here"};
  }

  // Other sessions.
  virtual Result<bool> cancel_backend(std::int32_t pid) = 0;
  virtual Result<bool> terminate_backend(std::int32_t pid) = 0;
  virtual std::vector<std::int32_t> blocking_pids(std::int32_t pid) = 0;
  virtual Result<bool> reload_configuration() = 0;
  /// NOTICE, from a function.
  virtual void notice_of_function(std::string /*message*/) {}
  virtual Status notify(std::string_view channel, std::string_view payload) = 0;
  virtual std::vector<std::string> listening_channels() = 0;
  virtual double notification_queue_usage() = 0;         ///< 0 to 1
  /// Suspends for this many seconds (pg_sleep); the default refuses with 0A000.
  virtual Status sleep(double seconds) = 0;
  /// Advisory locks; 0A000 where the server has none. `transaction`: released at its end, not by unlock.
  virtual Result<bool> advisory_lock(std::int64_t key, bool two_keys, bool shared, bool transaction, bool wait) = 0;
  virtual Result<bool> advisory_unlock(std::int64_t key, bool two_keys, bool shared) = 0;
  virtual Status advisory_unlock_all() = 0;

  // Random numbers and uuids: 64 random bits; from the seam, so a simulation repeats.
  virtual std::uint64_t random_bits() = 0;               ///< of random(): setseed makes it repeat
  virtual std::uint64_t strong_random_bits() = 0;
  /// What pg_stat_statements has counted is forgotten; a zero matches all. 55000.
  virtual Status reset_statement_statistics(Oid role, Oid database, std::int64_t query) = 0;
  virtual void seed_random(double seed) = 0;

  // Names of objects. resolve: 42P01, 42704, 42883, 3F000 with PostgreSQL's message, or 0 if missing_ok.
  virtual Result<Oid> resolve(ObjectClass kind, std::string_view name, bool missing_ok) = 0;
  /// As PostgreSQL prints the reg* type: quoted, qualified where the search path does not find it. Empty: no such object.
  virtual std::optional<std::string> object_name(ObjectClass kind, Oid oid) = 0;
  virtual bool visible(ObjectClass kind, Oid oid) = 0;   ///< pg_*_is_visible
  /// format_type for types that are not built in; empty: no such type.
  virtual std::optional<std::string> type_name(Oid type, std::int32_t typmod) = 0;

  /// The types that users made, as this session's catalog has them.
  virtual TypeCatalog* types() { return nullptr; }
  /// Of the collator's rules as they are now; empty for a collation without; null: no such collation.
  virtual std::optional<std::string> collation_version(Oid collation) = 0;

  virtual const Catalog& current_catalog() = 0;          ///< until the catalog changes

  // Privileges. `role` 0 is the current user, kPublicRole is PUBLIC. Empty: no such object (null).
  virtual Result<std::optional<bool>> has_privilege(Oid role, PrivilegeClass kind, Oid object, std::int16_t column,
                                                    std::string_view privilege) = 0;
  virtual Result<Oid> resolve_privilege_object(PrivilegeClass kind, std::string_view name) = 0;
  virtual Result<std::int16_t> resolve_column(Oid relation, std::string_view name) = 0;   ///< 42703

  // Definitions, as pg_get_* prints them. Empty: null.
  virtual std::optional<std::string> expression_text(std::string_view node_tree, Oid relation, bool pretty) = 0;
  virtual std::optional<std::string> constraint_definition(Oid constraint, bool pretty) = 0;
  virtual std::optional<std::string> index_definition(Oid index, std::int32_t column, bool pretty) = 0;
  /// `wrap_column`: as DefinitionStyle has it.
  virtual std::optional<std::string> view_definition(Oid view, bool pretty, std::int32_t wrap_column) = 0;
  /// Which of a view's columns can be written through it; nullopt: no view. None at all: rows can still be deleted if `deletable`.
  virtual std::optional<std::vector<bool>> updatable_columns(Oid view, bool* deletable) = 0;
  virtual std::optional<std::string> function_definition(Oid function) = 0;
  virtual std::optional<std::string> function_arguments(Oid function, bool identity) = 0;
  virtual std::optional<std::string> function_result(Oid function) = 0;
  /// The default of a parameter, counted from 1 among all of them; null if it has none, or takes no value.
  virtual std::optional<std::string> argument_default(Oid function, std::int32_t number) = 0;
  virtual std::optional<std::string> trigger_definition(Oid trigger, bool pretty) = 0;
  virtual std::optional<std::string> rule_definition(Oid rule, bool pretty) = 0;
  virtual std::optional<std::string> partition_key_definition(Oid relation) = 0;
  virtual std::optional<std::string> partition_constraint_definition(Oid) { return std::nullopt; }
  /// A table or index with what is below it, or its ancestors from itself upward; empty if it has no part in partitioning.
  struct PartitionRelation {
    Oid relation = 0, parent = 0;
    bool is_leaf = false;
    std::int32_t level = 0;
  };
  virtual std::vector<PartitionRelation> partition_tree(Oid) { return {}; }
  virtual std::vector<Oid> partition_ancestors(Oid) { return {}; }
  /// The types of a hash-partitioned table's key. 42P01, 22023.
  virtual Result<std::vector<Oid>> hash_partition_key(Oid) { return Status{sqlstate::feature_not_supported, "there is no session"}; }
  /// obj_description and col_description: the comment on an object of a catalog; column 0 is the object itself.
  virtual std::optional<std::string> description(Oid object, Oid catalog, std::int32_t column, bool shared) = 0;
  /// What the object of a catalog is, and its names. XX000 for a catalog without objects.
  virtual Result<ObjectIdentity> identify(Oid object_catalog, Oid object, std::int32_t column) = 0;
  virtual std::optional<bool> index_column_property(Oid index, std::int32_t column, std::string_view property) = 0;

  // Sizes in bytes. Empty: no such object.
  virtual std::optional<std::int64_t> size(SizeKind kind, Oid object) = 0;

  // The log.
  virtual bool in_recovery() = 0;
  virtual std::uint64_t current_lsn() = 0;
  virtual std::uint64_t flushed_lsn() = 0;

  virtual std::int32_t trigger_depth() { return 0; }     ///< trigger functions that are under way
};

}  // namespace wandian::sql
