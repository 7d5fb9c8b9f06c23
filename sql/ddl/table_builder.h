// TableBuilder: columns and constraints as they are written, made parts of a TableDef. CREATE TABLE and ALTER TABLE share it.
// Owns:       the definition under construction; sequences and global indexes' tables that it needs go into Changes.
// Thread:     the session's shard.
// Errors:     PostgreSQL's; nothing is applied.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ddl/context.h"

namespace wandian::sql {

/// DEFERRABLE, INITIALLY DEFERRED of a constraint.
struct Deferral {
  bool deferrable = false, initially_deferred = false;
};

/// A PRIMARY KEY or UNIQUE constraint as written.
struct KeySpec {
  std::string name;                  ///< "" = to be chosen
  bool primary = false;
  bool nulls_not_distinct = false;
  Deferral deferral;
  std::vector<std::string> columns;
  std::vector<std::string> including;
  std::vector<std::pair<std::string, std::string>> options;
  std::int32_t position = 0;         ///< in the statement's text, as errors give it; 0: not known
};

/// The primary key as declared, deferrable or not; null: there is none, rows are kept by a hidden row number.
const IndexDef* primary_key(const TableDef& table);

struct CheckSpec {
  std::string name;
  const ParseNode* expression = nullptr;
  std::int32_t location = -1;
  bool skip_validation = false;      ///< NOT VALID
  bool no_inherit = false;
};

struct ForeignKeySpec {
  std::string name;
  std::vector<std::string> columns;
  const PgQuery__RangeVar* referenced = nullptr;
  std::vector<std::string> referenced_columns;
  char on_update = 'a', on_delete = 'a', match = 's';
  std::vector<std::string> delete_columns;   ///< ON DELETE SET NULL (...)
  Deferral deferral;
  bool skip_validation = false;
};

class TableBuilder {
 public:
  TableBuilder(DdlContext& ctx, Changes& changes, std::shared_ptr<TableDef> table) : ctx_(ctx), changes_(changes), table_(std::move(table)) {}

  TableDef& table() { return *table_; }
  const std::shared_ptr<TableDef>& shared() { return table_; }

  /// Appends a column with its default; its other constraints join the lists below.
  Status add_column(const PgQuery__ColumnDef& node);
  /// CREATE TABLE ... PARTITION OF: options of a column that the parent gave.
  Status merge_column(const PgQuery__ColumnDef& node);
  /// Sorts a table constraint into the lists below.
  Status add_constraint(const PgQuery__Constraint& node);
  /// LIKE.
  Status add_like(const PgQuery__TableLikeClause& node);

  std::vector<KeySpec> keys;
  std::vector<CheckSpec> checks;
  std::vector<ForeignKeySpec> foreign_keys;
  std::vector<IndexDef> indexes;     ///< of LIKE ... INCLUDING INDEXES, without names

  /// Gives `indexes` their names and adds them, once the columns and keys are known.
  Status apply_indexes();
  /// PARTITION BY; after the columns and keys are known. `foreign` are the resolved ones.
  Status set_placement(const PgQuery__PartitionSpec& spec);
  /// The primary key (making indexes[0] it, unless it is deferrable: rows are kept by keys that are never there twice) or a unique constraint.
  Status apply_key(const KeySpec& spec);
  Status apply_check(const CheckSpec& spec);
  /// The expressions of generated columns, once all columns are known.
  Status apply_generated();
  /// `referenced` is locked; for a self-reference it is null.
  Status apply_foreign_key(const ForeignKeySpec& spec, std::shared_ptr<const TableDef> referenced);
  /// A table without a primary key is kept in the order of a hidden row number.
  void use_hidden_row_number();
  /// Gives every unique index that cannot be local its own table, and puts those into the changes. `previous`: the definition being
  /// replaced, or null; with `rebuild` all such tables are made anew.
  Status settle_global_indexes(const TableDef* previous, bool rebuild);

 private:
  Status column_constraints(const PgQuery__ColumnDef& node, std::uint16_t position, Oid serial_type);
  Status column_default(ColumnDef& column, const ParseNode* node);
  Status copy_index(const TableDef& other, const IndexDef& index);
  Status missing_in_key(const std::string& column, const KeySpec& spec) const;
  Result<std::vector<std::uint16_t>> key_columns(const KeySpec& spec);
  DdlContext& ctx_;
  Changes& changes_;
  std::shared_ptr<TableDef> table_;
  struct Generated {
    std::uint16_t column;
    const ParseNode* expression;
  };
  std::vector<Generated> generated_;
  std::vector<std::uint16_t> merged_;
};

/// A generated column's expression, bound over the columns of `table`, of the column's type.
Result<BoundExpression> bind_generation(DdlContext& ctx, const TableDef& table, std::uint16_t column);
/// Generated columns whose expressions read `column`.
Result<std::vector<std::uint16_t>> generated_from(DdlContext& ctx, const TableDef& table, std::uint16_t column);

/// A DEFAULT as it is kept: bound, coerced to the column, as text; "" for NULL.
Result<std::string> default_text(DdlContext& ctx, const ColumnDef& column, const ParseNode* node);
/// A CHECK condition as it is kept; `used` are the columns in it.
Result<std::string> check_text(DdlContext& ctx, const TableDef& table, const ParseNode* node, std::vector<std::uint16_t>* used);
/// Storage parameters of a table, or of an index of that method, checked: 22023.
Status read_options(PgQuery__Node** nodes, std::size_t count, std::optional<IndexMethod> index, std::vector<std::pair<std::string, std::string>>* out);
/// Whether uniqueness of these columns can be checked within one partition.
bool unique_is_local(const TableDef& table, const IndexDef& index);
/// 42704 or 0A000 if the type has no key form.
Status check_indexable(Oid type);
/// How many [] a type's name is followed by: ColumnDef::dimensions.
inline std::uint8_t written_dimensions(const PgQuery__TypeName& name) { return static_cast<std::uint8_t>(std::min<std::size_t>(name.n_array_bounds, 255)); }
Status resolve_column_type(DdlContext& ctx, const PgQuery__TypeName& name, std::string_view column, ResolvedType* out);
Status check_collation(const PgQuery__CollateClause* clause, DdlContext& ctx, std::string* out);

/// ON COMMIT of a temporary table.
void set_on_commit(DdlContext& ctx, PgQuery__OnCommitAction action, TableDef* table);

Task<Status> create_table(DdlContext& ctx);

}  // namespace wandian::sql
