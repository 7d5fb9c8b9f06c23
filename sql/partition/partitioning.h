// Partitioning: a partitioned table's key and its partitions' bounds, compiled: which partition takes a row, and which may have rows
// that a condition lets through (PostgreSQL manual, 5.11).
// Owns:       the key's expressions and the bounds' values.
// Thread:     immutable once compiled; read by any shard.
// Invariants: bounds do not overlap: sql/ddl has seen to that.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "engine/value.h"
#include "sql/bind/binder.h"
#include "sql/expr/expression.h"

namespace wandian::sql {

/// A BoundDatum, read.
struct PartitionDatum {
  BoundDatum::Kind kind = BoundDatum::Kind::kValue;
  Value value;
};
using PartitionDatums = std::vector<PartitionDatum>;

/// What is known of a part of the key in the rows that are looked for.
struct PartitionTerm {
  enum class Test : std::uint8_t { kLess = 1, kLessEqual = 2, kEqual = 3, kGreaterEqual = 4, kGreater = 5, kAny = 6, kIsNull, kIsNotNull };
  std::uint16_t part = 0;
  Test test = Test::kEqual;
  std::vector<Value> values;         ///< kAny: several, and none of them null; kIsNull, kIsNotNull: none; else one
};

class Partitioning {
 public:
  struct Part {
    std::uint16_t column = 0;        ///< or kExpressionPart
    BoundExpression bound;           ///< kExpressionPart; ColumnExpr: position in the table
    CompiledExpr code;
    Oid type = 0;
    Order order = Order::kNone;
  };
  struct Child {
    Oid table = 0;
    bool is_default = false;
    PartitionDatums values, upper;   ///< as in PartitionBound
    std::int32_t modulus = 0, remainder = 0;
  };

  static Result<std::shared_ptr<const Partitioning>> compile(const Catalog& catalog, const TableDef& table, const BindContext& context);

  char strategy() const { return strategy_; }
  std::span<const Part> parts() const { return parts_; }
  std::span<const Child> children() const { return children_; }
  /// Position of the DEFAULT partition, or -1.
  int default_child() const { return default_; }

  /// The key of a row given by the table's columns.
  Status key_of(std::span<const Value> row, EvalContext& eval, std::vector<Value>* key) const;
  /// Position of the child that takes a row with this key, or -1.
  int find(std::span<const Value> key) const;
  /// Marks the children that may have rows for which all of the terms hold.
  std::vector<bool> prune(std::span<const PartitionTerm> terms) const;
  std::uint64_t hash_of(std::span<const Value> key) const;

  /// RANGE: children but the DEFAULT one, in the order of their bounds; LIST: their values in order, with the child of each.
  std::span<const std::uint32_t> ranges() const { return ranges_; }
  const std::vector<std::pair<Value, std::uint32_t>>& listed() const { return listed_; }
  int null_child() const { return null_; }
  std::int32_t modulus() const { return static_cast<std::int32_t>(by_remainder_.size()); }

  /// Three-way, over as many datums as both have. Ends of the order are below or above every value.
  int compare(std::span<const PartitionDatum> a, std::span<const PartitionDatum> b) const;
  /// A bound with the leading values of a key: 0 if they are the same as far as the key goes.
  int compare_to_key(std::span<const PartitionDatum> bound, std::span<const Value> key) const;
  int compare_values_of(std::size_t part, const Value& a, const Value& b) const { return compare_values(parts_[part].order, a, b); }

 private:
  Status read_children(const Catalog& catalog, const TableDef& table);
  void arrange();
  void prune_list(std::span<const PartitionTerm> terms, std::vector<bool>& out) const;
  void prune_range(std::span<const PartitionTerm> terms, std::vector<bool>& out) const;
  void prune_hash(std::span<const PartitionTerm> terms, std::vector<bool>& out) const;
  bool holds(const PartitionTerm& term, const Value& value) const;

  char strategy_ = 0;
  std::vector<Part> parts_;
  std::vector<Child> children_;
  int default_ = -1, null_ = -1;
  std::vector<std::pair<Value, std::uint32_t>> listed_;
  std::vector<std::uint32_t> ranges_;
  std::vector<std::int32_t> by_remainder_;   ///< HASH: of the greatest modulus; -1: no partition
  Arena arena_;
};

/// Null if the table is not partitioned.
inline const Partitioning* partitioning_of(const TableDef& table) { return static_cast<const Partitioning*>(table.partitioning.get()); }

/// The datums of a bound as values of the key's types, which live in `arena`.
Status read_datums(std::span<const BoundDatum> datums, const TableDef& parent, Arena& arena, PartitionDatums* out);
/// "FOR VALUES FROM (1) TO (10)".
std::string bound_text(const TableDef& parent, const PartitionBound& bound);
/// A datum as bounds show it: 1, 'a', MINVALUE, NULL.
std::string datum_text(const BoundDatum& datum, Oid type);
/// "RANGE (a, lower(b))"; `columns_only`: "a, lower(b)", which opclasses and collations are left out of.
std::string partition_key_text(const TableDef& table, bool columns_only);

}  // namespace wandian::sql
