// The catalog: what tables, indexes, sequences and other objects there are, as immutable snapshots.
// Owns:       definitions. Rows live in TableStorage (engine/table.h), which a definition points to.
// Thread:     a snapshot is immutable and read by any shard; a new one is published by the commit of the DDL that made it,
//             while that DDL still holds its strong locks (docs/architecture.md, "Catalog").
// Invariants: a TableDef never changes after it was published; a statement that keeps one across turns keeps its
//             shared_ptr. Relations (tables, indexes, sequences, views) of one schema share one name space.
// The engine knows what it needs in order to store rows. What only SQL understands (defaults, checks, view texts,
// functions, roles, comments) is kept as text or opaque bytes and compiled by sql.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/key.h"
#include "engine/oid.h"
#include "engine/row_layout.h"
#include "engine/type.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"

namespace wandian {

struct TableStorage;     // engine/table.h
struct SequenceState;    // engine/sequence.h
class RowChecks;         // engine/table.h
class IndexKeys;         // engine/index_entries.h
class RowGenerator;      // engine/table.h

struct ColumnDef {
  std::string name;
  Oid type = 0;
  std::int32_t typmod = -1;
  bool not_null = false;
  bool dropped = false;              ///< keeps its number; its value is NULL in new rows
  char identity = 0;                 ///< 0, 'a' (ALWAYS) or 'd' (BY DEFAULT)
  char generated = 0;                ///< 0 or 's': GENERATED ALWAYS AS (default_expression) STORED
  std::string default_expression;    ///< SQL text, "" = none
  /// What rows older than the column show: 8 bytes of Value::i or Value::d, or the bytes themselves.
  std::string missing_value;
  bool has_missing_value = false;
  std::string collation;             ///< as given, "" = the type's
  std::int16_t statistics_target = -1;   ///< SET STATISTICS: shown
  std::uint8_t dimensions = 0;           ///< how many [] its declaration has: shown, arrays have as many as they like
};

/// IndexPart::column of an expression; TableDef::codec_columns has it there, too.
inline constexpr std::uint16_t kExpressionPart = 0xffff;

/// How a column's values are told apart in primary keys and placement: as its type orders them, unless its collation takes different
/// texts for equal.
Order identity_order(const ColumnDef& column);

struct IndexPart {
  std::uint16_t column = 0;          ///< position in TableDef::columns, 0-based, or kExpressionPart
  bool descending = false;
  bool nulls_first = false;
  std::string expression;            ///< kExpressionPart: SQL text, with the bodies of users' functions in place of their calls
  std::string written;               ///< kExpressionPart: the same with the calls; "" = there are none
  Oid type = 0;                      ///< kExpressionPart: the expression's
  std::int32_t typmod = -1;
  std::string name;                  ///< the index's column: what the table's was called, or after the expression; "" = as that is called now
  std::string opclass;               ///< as given, "" = the type's default
  std::string collation;             ///< as given, "" = the column's; of an expression "=..." is its own, which nobody named
  std::int16_t statistics_target = -1;   ///< kExpressionPart, SET STATISTICS: shown

  const std::string& shown() const { return written.empty() ? expression : written; }
};

enum class IndexMethod : std::uint8_t {
  kBtree = 0,
  kHash = 1,     ///< kept as kBtree is; answers equality alone
  kGin = 2,      ///< inverted: an entry for each element of a value (engine/index_entries.h)
};

struct IndexDef {
  static constexpr std::uint8_t kNoSlot = 0xff;
  Oid oid = 0;
  /// Its place in a partition (TablePartition::indexes), given when it comes to be and kept while others before it in the list go. Not in
  /// the log: whoever reads a definition there gives new ones.
  std::uint8_t slot = kNoSlot;
  std::string name;
  std::vector<IndexPart> parts;
  std::uint16_t key_parts = 0;       ///< the rest are INCLUDE columns, kept in the definition only
  bool primary = false;
  bool unique = false;
  bool nulls_not_distinct = false;
  Oid constraint = 0;                ///< pg_constraint OID if a PRIMARY KEY or UNIQUE constraint made it
  /// A UNIQUE index that does not contain the placement columns: kept as a table of its own, keyed by the unique
  /// columns and holding the primary key; 0 for an index that is local to a partition.
  Oid global_table = 0;
  std::vector<std::pair<std::string, std::string>> options;
  IndexMethod method = IndexMethod::kBtree;
  std::string predicate;             ///< SQL text of a partial index's condition, "" = every row has an entry
  std::string written_predicate;     ///< as IndexPart::written
  bool deferrable = false;           ///< a unique index that its owner does not check: sql does, at the end of a statement or transaction
  bool initially_deferred = false;
  bool clustered = false;            ///< CLUSTER ON: shown
  bool replica_identity = false;     ///< REPLICA IDENTITY USING INDEX names it: shown
  bool counted = false;              ///< a unique index that no one partition can check, with nulls that are equal: checked at a statement's end
  Oid parent = 0;                    ///< of a partition: the partitioned table's index that it is attached to
  bool invalid = false;              ///< of a partitioned table: some partition has no index of it yet

  /// Its entries are not just the columns of the row: IndexKeys gives them.
  bool computed() const;
  const std::string& shown_predicate() const { return written_predicate.empty() ? predicate : written_predicate; }
  bool inverted() const { return method == IndexMethod::kGin; }
  /// Two live rows with one key cannot be written.
  bool enforced() const { return unique && !deferrable && !counted; }
  /// sql counts the rows of a key after they were written.
  bool checked_later() const { return unique && (deferrable || counted); }
};

/// How many slots (IndexDef::slot) a partition has: more than a table may have indexes.
inline constexpr std::size_t kIndexSlots = 64;

struct CheckDef {
  Oid oid = 0;
  std::string name;
  std::string expression;            ///< SQL text
  bool validated = true;             ///< false: NOT VALID, older rows were not checked
  bool no_inherit = false;
};

struct ForeignKeyDef {
  Oid oid = 0;
  std::string name;
  std::vector<std::uint16_t> columns;
  Oid referenced_table = 0;
  std::vector<std::uint16_t> referenced_columns;
  Oid referenced_index = 0;
  char on_update = 'a', on_delete = 'a', match = 's';   ///< as in pg_constraint
  std::vector<std::uint16_t> delete_columns;            ///< ON DELETE SET NULL or DEFAULT of these alone; empty = all
  bool deferrable = false, initially_deferred = false;
  bool validated = true;
  Oid parent = 0;                                       ///< of a partition: the partitioned table's key that it is a copy of
};

/// What the engine keeps of a trigger; sql fires it.
struct TriggerDef {
  Oid oid = 0;
  std::string name;
  Oid function = 0;
  std::uint16_t events = 0;          ///< as pg_trigger.tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead of
  char enabled = 'O';                ///< as pg_trigger.tgenabled
  Oid constraint = 0;                ///< CREATE CONSTRAINT TRIGGER: its OID in pg_constraint
  bool deferrable = false, initially_deferred = false;
  Oid constraint_table = 0;          ///< of CREATE CONSTRAINT TRIGGER ... FROM
  std::string old_table, new_table;  ///< what REFERENCING calls the transition tables, "" = there is none
  std::vector<std::uint16_t> columns;   ///< UPDATE OF
  std::vector<std::string> arguments;
  std::string condition;             ///< WHEN, SQL text over old and new; "" = none
  Oid parent = 0;                    ///< of a partition: the partitioned table's trigger that it is a copy of

  static constexpr std::uint16_t kRow = 1, kBefore = 2, kInsert = 4, kDelete = 8, kUpdate = 16, kTruncate = 32, kInstead = 64;
};

enum class PlacementKind : std::uint8_t {
  kKey,         ///< by hash of the primary key, or of the hidden row number where there is none
  kShard,       ///< PARTITION BY SHARD (c, ...): by hash of those columns
  kDirectory,   ///< PARTITION BY DIRECTORY (region): the row's place is its region's partition chosen by hash of its key
  kRegion,      ///< PARTITION BY REGION (c): with the row of the directory that c references
};

struct Placement {
  PlacementKind kind = PlacementKind::kKey;
  std::vector<std::uint16_t> columns;   ///< kShard, kRegion: the columns; kDirectory: the region column
  Oid directory = 0;                    ///< kRegion: the directory table
  Oid directory_key_type = 0;           ///< kRegion: type of the directory's primary key
};

/// One value of a partition's bound, or an end of the key's order.
struct BoundDatum {
  enum class Kind : std::uint8_t { kValue, kNull, kMinValue, kMaxValue };
  Kind kind = Kind::kValue;
  std::string text;                     ///< kValue: as the key's type reads it
  bool operator==(const BoundDatum&) const = default;
};

/// FOR VALUES of a partition (PARTITION BY LIST, RANGE or HASH of its parent); sql routes rows by it.
struct PartitionBound {
  bool is_default = false;
  std::vector<BoundDatum> values;       ///< LIST: the values; RANGE: the lower bound, a datum for each part of the key
  std::vector<BoundDatum> upper;        ///< RANGE
  std::int32_t modulus = 0, remainder = 0;   ///< HASH
};

/// A part of a partitioned table's key.
struct PartitionKeyPart {
  std::uint16_t column = 0;             ///< position in TableDef::columns, or kExpressionPart
  std::string expression;               ///< kExpressionPart: SQL text
  Oid type = 0;
  std::int32_t typmod = -1;
  std::string opclass, collation;       ///< as given, "" = the default
};

/// One table. indexes[0] is always the primary index: the PRIMARY KEY's, or, with `hidden_row_number`, one over an int8 that
/// TableStorage::next_row_number() gives out; that one is not in the list of columns SQL sees: it is the last column of the
/// layout (number columns.size()), so ADD COLUMN on such a table is a rewrite (a new storage_id). The row's and the
/// keys' byte forms hold primary key columns as not null and all others as nullable, whatever NOT NULL says.
struct TableDef {
  Oid oid = 0;
  Oid schema = 0;
  Oid owner = 0;
  std::string name;
  std::vector<ColumnDef> columns;
  std::vector<IndexDef> indexes;        ///< [0] is the primary index
  bool hidden_row_number = false;
  std::vector<CheckDef> checks;
  std::vector<ForeignKeyDef> foreign_keys;
  Placement placement;
  bool internal = false;                ///< a global index's table: not shown to anyone
  bool temporary = false;
  char on_commit = 0;                   ///< temporary: 0, 'd' (DROP) or 'r' (DELETE ROWS)
  bool row_security = false, forced_row_security = false;   ///< ENABLE and FORCE ROW LEVEL SECURITY
  std::uint64_t storage_id = 0;         ///< changes with TRUNCATE and rewrites
  std::vector<std::pair<std::string, std::string>> options;   ///< storage parameters: accepted, shown back
  std::vector<TriggerDef> triggers;     ///< in the order of their names, which is the order they fire in
  char replica_identity = 'd';          ///< as pg_class.relreplident: shown
  char key_checks = 'O';                ///< as TriggerDef::enabled, of what checks foreign keys and keys that are checked later
  std::vector<std::uint16_t> older_layouts;   ///< how many columns each older row layout had, by layout number
  char partition_strategy = 0;          ///< 0, 'l' (LIST), 'r' (RANGE) or 'h' (HASH): the table has no rows of its own
  std::vector<PartitionKeyPart> partition_key;
  Oid partition_of = 0;                 ///< the partitioned table that this is a partition of
  PartitionBound bound;
  std::string view_definition;          ///< of a materialized view, whose rows these are; understood by sql alone; "" = a table
  bool populated = true;                ///< false: a materialized view that cannot be read yet

  // Compiled by Catalog when the definition is added; not part of the stored form.
  std::uint64_t definition_id = 0;      ///< differs between any two definitions of this process
  std::shared_ptr<const LayoutSet> layouts;
  std::uint16_t layout = 0;             ///< number of the layout that new rows are encoded with
  std::vector<KeyCodec> codecs;         ///< by index: its key parts, then, unless primary, the primary key's columns it lacks
  std::vector<std::vector<std::uint16_t>> codec_columns;   ///< the columns that each codec encodes, in order
  std::shared_ptr<TableStorage> storage;
  std::uint32_t computed_indexes = 0;   ///< bit i: indexes[i].computed()
  bool has_later_keys = false;          ///< some index is checked_later()
  std::shared_ptr<const RowChecks> row_checks;   ///< set by sql through Catalog's compiler hook
  std::shared_ptr<const IndexKeys> index_keys;   ///< likewise; set if computed_indexes != 0
  std::shared_ptr<const void> trigger_conditions;   ///< likewise
  std::vector<Oid> called;              ///< functions that row_checks and trigger_conditions call: they are made anew with them
  std::shared_ptr<const RowGenerator> generator; ///< likewise; null where no column is generated
  std::vector<Oid> referencing;         ///< tables whose foreign keys point here
  std::vector<Oid> partitions;          ///< tables that are partitions of this one
  std::shared_ptr<const void> partitioning;   ///< of a partitioned table; set as row_checks is

  /// Position of a live column, or -1.
  int find_column(std::string_view column_name) const;
  bool is_partitioned() const { return partition_strategy != 0; }
  std::size_t layout_columns() const { return columns.size() + (hidden_row_number ? 1 : 0); }
  bool is_materialized_view() const { return !view_definition.empty(); }
  bool is_computed(unsigned index) const { return (computed_indexes >> index & 1) != 0; }
};

struct SchemaDef {
  Oid oid = 0;
  Oid database = 0;
  Oid owner = 0;
  std::string name;
};

struct SequenceDef {
  Oid oid = 0;
  Oid schema = 0;
  Oid owner = 0;
  std::string name;
  Oid type = type_oid::kInt8;
  std::int64_t start = 1, increment = 1, minimum = 1, maximum = INT64_MAX, cache = 1;
  bool cycle = false;
  bool temporary = false;
  Oid owned_by_table = 0;
  std::uint16_t owned_by_column = 0;
  char owned_kind = 0;                  ///< 0, 'a' (serial, OWNED BY) or 'i' (identity)
  std::shared_ptr<SequenceState> state; ///< not stored here: the counter has its own log records
};

/// Everything else. `definition` is understood by sql alone.
enum class ObjectKind : std::uint8_t {
  kSchema = 1, kTable = 2, kSequence = 3, kView = 4, kFunction = 5, kExtension = 6, kDatabase = 7, kRole = 8, kComment = 9,
  kType = 10, kAcl = 20, kDefaultAcl = 21, kSettings = 22, kCollation = 40,
};
struct ObjectDef {
  ObjectKind kind = ObjectKind::kView;
  Oid oid = 0;                          ///< kAcl: of the object whose privileges it lists; it goes when that one is dropped
  Oid parent = 0;                       ///< schema of a view or function, database of an extension, 0 otherwise
  Oid owner = 0;
  std::string name;                     ///< functions: name and argument OIDs, so that it is unique: "f(23,25)"
  std::string definition;
  std::shared_ptr<const void> compiled; ///< set by sql's compiler hook, or null
};

/// The collation that a key part's values are ordered by, as definitions name it; "": their type's.
std::string_view key_part_collation(const TableDef& table, const IndexPart& part);
/// How an index orders a key part's values.
Order key_part_order(const TableDef& table, const IndexPart& part);

/// Built-in schema OIDs (pg_namespace.dat).
inline constexpr Oid kPgCatalogSchema = 11, kPublicSchema = 2200, kInformationSchema = 13000;

class Catalog : public std::enable_shared_from_this<Catalog> {
 public:
  Lsn lsn;                              ///< commit LSN of the newest DDL in it
  std::uint64_t version = 0;            ///< grows with every publication; plans compare it

  std::shared_ptr<const TableDef> table(Oid oid) const;
  std::shared_ptr<const SequenceDef> sequence(Oid oid) const;
  std::shared_ptr<const SchemaDef> schema(Oid oid) const;
  std::shared_ptr<const ObjectDef> object(ObjectKind kind, Oid oid) const;

  /// What a schema-qualified relation name stands for. Index names resolve to their table.
  struct RelationName {
    enum class Kind : std::uint8_t { kTable, kIndex, kSequence, kView } kind;
    Oid oid;                            ///< of the object itself
    Oid table;                          ///< kIndex: its table
  };
  std::optional<RelationName> find_relation(Oid schema, std::string_view name) const;
  std::optional<Oid> find_schema(Oid database, std::string_view name) const;
  std::shared_ptr<const ObjectDef> find_object(ObjectKind kind, Oid parent, std::string_view name) const;

  const std::map<Oid, std::shared_ptr<const TableDef>>& tables() const { return tables_; }
  const std::map<Oid, std::shared_ptr<const SequenceDef>>& sequences() const { return sequences_; }
  const std::map<Oid, std::shared_ptr<const SchemaDef>>& schemas() const { return schemas_; }
  const std::map<std::pair<ObjectKind, Oid>, std::shared_ptr<const ObjectDef>>& objects() const { return objects_; }

 private:
  friend class CatalogEditor;
  void rebuild_names();
  std::map<Oid, std::shared_ptr<const TableDef>> tables_;
  std::map<Oid, std::shared_ptr<const SequenceDef>> sequences_;
  std::map<Oid, std::shared_ptr<const SchemaDef>> schemas_;
  std::map<std::pair<ObjectKind, Oid>, std::shared_ptr<const ObjectDef>> objects_;
  std::map<std::pair<Oid, std::string>, RelationName, std::less<>> relation_names_;
};

/// One change that a DDL statement makes; a transaction collects them, its commit record carries them, recovery applies them.
struct CatalogChange {
  ObjectKind kind = ObjectKind::kTable;
  bool drop = false;
  Oid oid = 0;
  // Exactly one is set unless `drop`.
  std::shared_ptr<TableDef> table;
  std::shared_ptr<SequenceDef> sequence;
  std::shared_ptr<SchemaDef> schema;
  std::shared_ptr<ObjectDef> object;
};

/// Registered by sql at start: compiles what the engine does not understand, when a definition enters a catalog.
class CatalogCompiler {
 public:
  virtual ~CatalogCompiler() = default;
  /// Sets table.row_checks and the like. `catalog` already contains everything else of the change.
  virtual Status compile_table(const Catalog& catalog, TableDef& table) = 0;
  virtual Status compile_object(const Catalog& catalog, ObjectDef& object) = 0;
  /// Whether what is compiled with a type or a view calls a function, so that a new one of it makes that anew.
  virtual bool calls(const ObjectDef&, Oid) const { return false; }
  /// Publishes what the engine must know of a type (publish_type), before the tables of the same change get their layouts.
  /// Returns the highest OID that its definition holds, so that a restart gives none of them out again.
  virtual Oid declare_type(const ObjectDef& type) { return type.oid; }
};

/// Gives the indexes that have none a slot which none of `others`, older definitions of the table, uses for another. `anew`: those that the others
/// do not have get new ones.
void give_slots(TableDef& table, std::span<const TableDef* const> others, bool anew);

/// Makes the next catalog from one and a list of changes. `storages` are kept for tables whose storage_id did not change.
class CatalogEditor {
 public:
  static Result<std::shared_ptr<const Catalog>> apply(const Catalog& base, std::span<const CatalogChange> changes, CatalogCompiler* compiler);
  static std::shared_ptr<const Catalog> initial();
  static void encode(const CatalogChange& change, std::string& out);
  static Result<CatalogChange> decode(std::string_view bytes);
};

}  // namespace wandian
