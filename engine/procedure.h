// The public procedure API: business rules as C++ functions over typed tables (docs/architecture.md, "Procedures").
// A local procedure runs to completion on the shard that owns the partition of its key argument: it writes that partition
//   alone, reads any, at one snapshot. If a row it writes was committed later than that, or is locked, the attempt is undone and
//   runs again from its start; so its only effects are its writes, its result and its notices.
// A global procedure is a coroutine: it calls local ones and reads and writes any partition in one transaction.
// Thread:     a procedure runs on one shard at a time; handles are bound for one catalog and shared by calls on one shard.
// Errors:     a call that answers false has set the context's outcome: the procedure returns false at once. A procedure that
//             throws is 38000 external_routine_exception. Nothing but the context may be used to reach rows.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/array_value.h"
#include "engine/catalog.h"
#include "engine/index/ordered_index.h"
#include "engine/key.h"
#include "engine/oid.h"
#include "engine/row_op.h"
#include "engine/table.h"
#include "engine/task.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian {

class Shard;
class Owner;
class Transaction;
struct OwnerTransaction;
struct TxnDescriptor;

/// A table as a procedure knows it: the definition of one catalog, resolved once.
class ProcedureTable {
 public:
  const TableDef& def() const { return *def_; }
  const std::shared_ptr<const TableDef>& shared() const { return def_; }

 private:
  friend class ProcedureBinder;
  friend class LocalContext;
  friend class GlobalContext;
  bool takes(std::size_t values) const { return insertable_ && values == def_->columns.size(); }
  Status refuse_values() const;          ///< why, if it does not
  std::shared_ptr<const TableDef> def_;
  bool insertable_ = false;              ///< was bound with the types of its columns: values are taken to be of them
  /// Per local index: the columns it holds, so that updates know which to touch.
  std::vector<std::vector<bool>> indexed_columns_;
  struct ForeignKey {
    std::shared_ptr<const TableDef> referenced;
    std::vector<std::uint16_t> columns;   ///< of this table, in the order of the referenced primary key; empty: it is of other columns
    bool colocated = false;               ///< the row that it refers to lies in the same partition
    const ForeignKeyDef* def = nullptr;
  };
  std::vector<ForeignKey> foreign_keys_;
};

/// A column of a fixed-width type, read and written as T.
template <class T>
struct ProcedureColumn {
  std::uint16_t index = 0;
  std::uint32_t offset = 0;               ///< in rows of the newest layout
};

/// Resolves names when a procedure is first called under a catalog. The first failure is kept; later calls do nothing.
class ProcedureBinder {
 public:
  ProcedureBinder(std::shared_ptr<const Catalog> catalog, Oid schema) : catalog_(std::move(catalog)), schema_(schema) {}
  /// `row`: the types of all columns of a table that is inserted into, in table order; 42804 if the table's are others.
  ProcedureTable table(std::string_view name, std::initializer_list<Oid> row = {});
  /// 42703 if it does not exist, 42804 if T is not its width.
  template <class T>
  ProcedureColumn<T> column(const ProcedureTable& table, std::string_view name) {
    ProcedureColumn<T> out;
    find_column(table, name, sizeof(T), &out.index, &out.offset);
    return out;
  }
  /// Position of an index among the table's, by name.
  unsigned index(const ProcedureTable& table, std::string_view name);
  Status take_status() { return std::move(status_); }
  bool ok() const { return status_.ok(); }

 private:
  void find_column(const ProcedureTable& table, std::string_view name, std::size_t width, std::uint16_t* index, std::uint32_t* offset);
  std::shared_ptr<const Catalog> catalog_;
  Oid schema_;
  Status status_;
};

/// A row that a local procedure reads: good until the procedure writes it or returns.
struct ProcedureRow {
  Row* anchor = nullptr;
  const Version* version = nullptr;
  const TableDef* table = nullptr;

  explicit operator bool() const { return version != nullptr; }
  template <class T>
  T get(ProcedureColumn<T> column) const {
    if (version->layout == table->layout) [[likely]] {
      T out;
      std::memcpy(&out, version->row() + column.offset, sizeof out);
      return out;
    }
    return static_cast<T>(table->layouts->read(version->layout, version->row(), column.index).i);
  }
  bool is_null(std::uint16_t column) const { return value(column).is_null; }
  Value value(std::uint16_t column) const { return table->layouts->read(version->layout, version->row(), column); }
};

/// What a local procedure sees.
class LocalContext {
 public:
  // --- reading, at the snapshot, in the partition of the call's key ---

  /// The row with this primary key, or one that is false. False: the outcome is set.
  bool find(const ProcedureTable& table, std::initializer_list<std::int64_t> key, ProcedureRow* row);
  /// The same in whatever partition holds it (tables that are not placed with the key).
  bool find_anywhere(const ProcedureTable& table, std::initializer_list<std::int64_t> key, ProcedureRow* row);
  struct Lookup {
    /// kExact: as find(), or find_unique() in another index than 0; kLast: as find_last(), of the keys that begin with `key`;
    /// kPlace: nothing is answered, the call will look or write there.
    OrderedIndex::Want want = OrderedIndex::Want::kExact;
    const ProcedureTable* table = nullptr;
    unsigned index = 0;                 ///< 0 is the primary key; kLast has no other
    std::array<std::int64_t, 3> key{};
    unsigned parts = 0;                 ///< of `key`
    ProcedureRow row{};
  };
  /// Rows of any tables that do not depend on each other, and places that will be needed: their cache misses overlap, which is
  /// most of what a short call waits for. At most 32.
  bool find_all(std::span<Lookup> lookups);
  /// By a unique index (integers).
  bool find_unique(const ProcedureTable& table, unsigned index, std::initializer_list<std::int64_t> key, ProcedureRow* row);
  /// The row with the highest primary key that begins with `prefix`. Newest committed rows count, whatever the snapshot: for numbering.
  bool find_last(const ProcedureTable& table, std::initializer_list<std::int64_t> prefix, ProcedureRow* row);
  /// Calls `each` for the rows whose primary key begins with `prefix`, in order, until it answers false.
  template <class Each>
  bool for_each(const ProcedureTable& table, std::initializer_list<std::int64_t> prefix, Each&& each) {
    std::vector<ProcedureRow> rows;
    if (!find_range(table, prefix, &rows)) return false;
    for (const ProcedureRow& row : rows)
      if (!each(row)) break;
    return true;
  }

  // --- writing, in the partition of the call's key ---

  /// One value a column, of the types that the table was bound with. Unique indexes, foreign keys, NOT NULL and CHECK hold.
  bool insert(const ProcedureTable& table, std::initializer_list<Value> values);
  /// Changes in ascending column order. `row` then stands for the new version.
  bool update(const ProcedureTable& table, ProcedureRow* row, std::initializer_list<ColumnChange> changes);
  bool remove(const ProcedureTable& table, const ProcedureRow& row);

  /// Ends the procedure with an error; returns false so that it can be returned.
  bool fail(Status status);
  void notice(std::string message);
  /// Start of the transaction, µs from 2000-01-01 UTC (a timestamptz).
  std::int64_t now() const { return now_; }
  /// Memory that lives until the call has been answered.
  Arena& arena() { return *arena_; }

 private:
  friend class LocalRun;
  LocalContext() = default;
  bool find_range(const ProcedureTable& table, std::initializer_list<std::int64_t> prefix, std::vector<ProcedureRow>* rows);
  void seek_unique(const ProcedureTable& table, OrderedIndex& index, unsigned number, KeyRef key, ProcedureRow* row);
  void remember_absent(const OrderedIndex& index, KeyRef key);
  void take_unique(const ProcedureTable& table, unsigned number, const OrderedIndex::Look& look, ProcedureRow* row);
  bool take_last(const ProcedureTable& table, TablePartition& partition, const OrderedIndex::Look& look, ProcedureRow* row);
  TablePartition* partition_of(const ProcedureTable& table) const;
  bool encode(const TableDef& table, unsigned index, std::initializer_list<std::int64_t> key, KeyBuffer* out);
  ProcedureRow see(const TableDef& table, Row* row);
  bool check_row(const ProcedureTable& table, const char* bytes);
  bool check_foreign_keys(const ProcedureTable& table, const char* bytes, std::span<const Value> values);
  bool check_placement(const TableDef& table, std::span<const Value> values);
  bool spend(std::uint32_t rows) {
    // Looking at the clock costs as much as a row: once in a while is enough to bound the time.
    if (outcome_ == Outcome::kRunning && rows <= rows_left_ && ((rows_left_ - rows) & 255) != 0) [[likely]] {
      rows_left_ -= rows;
      return true;
    }
    return spend_slowly(rows);
  }
  bool spend_slowly(std::uint32_t rows);
  bool blocked(Row& row, TablePartition& partition, RowLock mode);
  bool meets_mark(const TableDef& table, KeyRef key, const Version* before, const char* after);
  void remember(const ProcedureTable& table, unsigned index, KeyRef prefix);
  bool overtaken();

  enum class Outcome : std::uint8_t { kRunning, kFailed, kBlocked, kOvertaken };
  Shard* shard_ = nullptr;
  Owner* owner_ = nullptr;
  OwnerTransaction* transaction_ = nullptr;
  TxnDescriptor* descriptor_ = nullptr;
  PartitionId partition_ = kNoPartition;
  bool in_block_ = false;                    ///< the transaction goes on after the call: row locks have to hold
  ReadView view_;
  std::uint32_t command_ = 0;
  std::int64_t now_ = 0;
  Arena* arena_ = nullptr;
  std::string* redo_ = nullptr;
  std::vector<ErrorRecord>* notices_ = nullptr;
  Outcome outcome_ = Outcome::kRunning;
  Status status_;
  Row* blocked_row_ = nullptr;
  TablePartition* blocked_partition_ = nullptr;
  RowLock blocked_mode_{};
  TxnDescriptor* blocked_mark_ = nullptr;    ///< instead of a row: the SERIALIZABLE transaction whose mark a write met
  std::uint32_t rows_left_ = 0;
  std::int64_t deadline_us_ = 0;
  Oid last_directory_ = 0;                     ///< whose last_placed_ is known to lie in partition_: all rows of a call have one key
  std::int64_t last_placed_ = 0;
  const void* last_foreign_table_ = nullptr;   ///< whose row last_foreign_ is known to be there: rows of one parent come in a row
  const void* absent_from_ = nullptr;          ///< the index that has no entry of absent_, as was seen
  KeyBuffer key_, last_foreign_, absent_;
};

/// A primary key of integers, for coroutines: g++ 12 cannot keep initializer lists across a suspension.
struct ProcedureKey {
  ProcedureKey(std::int64_t a) : parts{Value::of_int(a)}, size(1) {}   // NOLINT: written as {a} where a key is wanted
  ProcedureKey(std::int64_t a, std::int64_t b) : parts{Value::of_int(a), Value::of_int(b)}, size(2) {}
  ProcedureKey(std::int64_t a, std::int64_t b, std::int64_t c) : parts{Value::of_int(a), Value::of_int(b), Value::of_int(c)}, size(3) {}
  std::span<const Value> values() const { return {parts.data(), size}; }
  std::array<Value, 3> parts;
  std::size_t size;
};

/// What a global procedure sees.
class GlobalContext {
 public:
  /// Calls a local procedure in this transaction, on the shard that owns its key.
  Task<Status> call(const struct ProcedureDefinition& procedure, std::span<const Value> args, Value* result);
  /// Locks a row by its primary key and gives a copy of its newest values (empty if there is none).
  Task<Status> lock_row(const ProcedureTable& table, ProcedureKey key, RowLock mode, std::vector<Value>* values);
  /// Replaces values of a row that was locked. 40001 if it is gone.
  Task<Status> update(const ProcedureTable& table, ProcedureKey key, std::span<const ColumnChange> changes);
  /// Inserts a row; foreign keys are checked with the referenced row locked FOR KEY SHARE.
  Task<Status> insert(const ProcedureTable& table, std::span<const Value> values);
  std::int64_t now() const { return now_; }
  Arena& arena() { return *arena_; }
  void notice(std::string message);

 private:
  friend Task<Status> run_global(Shard& shard, Transaction& transaction, const struct ProcedureDefinition& procedure, Oid schema,
                                 std::span<const Value> args, std::int64_t now, Arena& arena, std::vector<ErrorRecord>* notices, Value* result);
  GlobalContext() = default;
  Result<PartitionId> place(const TableDef& table, std::span<const Value> key_values);
  Transaction* transaction_ = nullptr;
  Arena* arena_ = nullptr;
  std::int64_t now_ = 0;
  std::vector<ErrorRecord>* notices_ = nullptr;
  Oid schema_ = 0;
};

/// One procedure of a module.
struct ProcedureDefinition {
  std::string_view name;
  std::vector<std::string_view> argument_names;
  std::vector<Oid> arguments;
  Oid result = type_oid::kVoid;
  /// A NULL argument answers NULL without a call.
  bool strict = true;
  /// Local: which argument is the key, and whose key it is (the directory, or a table placed by it).
  unsigned key_argument = 0;
  std::string_view key_table = {};
  /// Resolves the tables; what it returns is given to the calls.
  std::shared_ptr<const void> (*bind)(ProcedureBinder& binder) = nullptr;
  /// Exactly one of the two.
  bool (*local)(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) = nullptr;
  Task<Status> (*global)(GlobalContext& context, const void* bound, std::span<const Value> args, Value* result) = nullptr;
};

/// A module: what CREATE EXTENSION or CREATE FUNCTION ... LANGUAGE C finds. User modules export
/// `extern "C" const wandian::ProcedureModule* wandian_module()`.
struct ProcedureModule {
  /// Version of this API, and under it the sizes of what modules' inlined code reaches into: a server whose layouts are others
  /// refuses the module. First member, in every version.
  static constexpr std::uint32_t kAbi =
      2u << 24 | ((((sizeof(LocalContext) * 31 + sizeof(GlobalContext)) * 31 + sizeof(TableDef)) * 31 + sizeof(Version)) * 31 +
                  sizeof(LocalContext::Lookup) * 7 + sizeof(ProcedureDefinition) + sizeof(Status) + sizeof(Value)) % (1u << 24);
  std::uint32_t abi = kAbi;
  std::string_view name;
  std::string_view version;
  std::string_view comment;
  /// DDL of the extension's tables, run by CREATE EXTENSION in the target schema.
  std::string_view schema_sql = {};
  std::span<const ProcedureDefinition> procedures;
};

}  // namespace wandian
