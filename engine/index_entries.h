// The entries of computed indexes: those over expressions, partial ones, inverted ones. What the entries of a row version are is a
// pure function of its bytes, so that they are made again wherever they are needed: writing, undoing, replaying, reading.
// Owns:       IndexEntries: the key bytes of one row version.
// Thread:     IndexKeys is immutable and asked by any thread; an IndexEntries belongs to one.
// Invariants: an expression that fails for a row fails its write; where a version that was stored is asked again, it
//             has the entries that it had. So an expression is made of immutable built-in functions alone, which sql sees to.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/key.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian {

/// Compiled by sql for the computed indexes of one table definition.
class IndexKeys {
 public:
  virtual ~IndexKeys() = default;
  /// The columns that index `index` looks at, ascending.
  virtual std::span<const std::uint16_t> columns(unsigned index) const = 0;
  /// Appends the values of the key parts of `index` for a row; nothing if the row has no entry. For an inverted index, the elements: each
  /// one a value of bytes and an entry of its own, in any order, without duplicates.
  /// @param row  by column number, filled for columns(index).
  virtual Status evaluate(unsigned index, const Value* row, Arena& arena, std::vector<Value>& parts) const = 0;
};

class IndexEntries {
 public:
  /// Replaces the keys by those of a row in computed index `index` of the table: whole keys, that of the row behind the parts.
  Status make(const TableDef& table, unsigned index, LayoutSet::Id layout, const char* row);
  /// The same without the error: a row that the expressions fail for has no entry.
  void remake(const TableDef& table, unsigned index, LayoutSet::Id layout, const char* row);
  /// The values of the key parts alone, good until the next call; none if the row has no entry.
  Result<std::span<const Value>> parts(const TableDef& table, unsigned index, LayoutSet::Id layout, const char* row);

  std::span<const KeyBuffer> keys() const { return {keys_.data(), count_}; }
  bool has(KeyRef key) const;
  /// The same keys; both are of one row, whose keys come in one order.
  bool same(const IndexEntries& other) const;

 private:
  Arena arena_;
  std::vector<Value> row_, parts_;
  std::vector<KeyBuffer> keys_;   ///< the first count_; the others are kept for their memory
  std::size_t count_ = 0;
};

}  // namespace wandian
