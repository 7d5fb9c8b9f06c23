// PL/pgSQL bodies at work: PlpgsqlBody keeps what texts were compiled to, Interpreter is one run.
// Owns:       a run owns its variables.
// Thread:     the session's shard.
// Invariants: a compiled text is immutable; recursion shares it. It is compiled anew when what its names mean, or the columns of
//             a record variable in it, have changed.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/plpgsql/tree.h"
#include "sql/routine/body.h"
#include "sql/routine/trigger.h"

namespace wandian::sql::plpgsql {

/// The columns of a record variable.
struct RowShape {
  struct Field {
    std::string name;
    Oid type = 0;
    std::int32_t typmod = -1;
  };
  std::vector<Field> fields;
  bool operator==(const RowShape& other) const;
};
using ShapePtr = std::shared_ptr<const RowShape>;

/// A value that keeps its own bytes.
struct Cell {
  Value value;
  std::string bytes;
  void set(const Value& from, bool by_value) {
    if (by_value || from.is_null) {
      value = from;
      return;
    }
    // `from` may be this cell's own value.
    if (from.p != bytes.data() || from.size != bytes.size()) bytes.assign(from.p, from.size);
    value = Value::of_bytes(bytes);
  }
};

struct VariableState {
  Cell cell;
  // Records.
  ShapePtr shape;                    ///< null: not assigned yet
  std::deque<Cell> fields;           ///< cells do not move: values point into them
  bool is_null = true;               ///< no row, which differs from one of nulls
};

/// Where a parameter of a compiled text comes from.
struct ParameterSource {
  std::uint32_t variable = 0;
  std::int32_t field = -1;
};

struct Compiled {
  CompiledPtr statement;             ///< null for a simple expression
  std::shared_ptr<const BoundStatement> bound;
  std::shared_ptr<const ParsedStatements> parsed;
  bool simple = false, waits = false;
  CompiledExpr code;
  Oid type = 0;
  std::int32_t typmod = -1;
  Oid target = 0;                    ///< what it is coerced to, with its modifier; 0: nothing
  std::int32_t target_typmod = -1;
  Arena code_arena;
  std::vector<ParameterSource> sources;
  std::vector<std::pair<std::uint32_t, ShapePtr>> shapes;
  std::shared_ptr<const Catalog> catalog;
  std::uint64_t context = 0;
};
using CompiledTextPtr = std::shared_ptr<const Compiled>;

class PlpgsqlBody final : public RoutineBody {
 public:
  PlpgsqlBody(std::shared_ptr<const Function> tree, std::string signature) : tree(std::move(tree)), signature(std::move(signature)) {
    texts.resize(this->tree->texts.size());
  }
  Task<Status> run(RoutineRun& run) override;

  const std::shared_ptr<const Function> tree;
  const std::string signature;       ///< "f(integer)", "inline_code_block"
  // How its result is given.
  bool is_do = false, is_procedure = false, returns_set = false, returns_row = false, is_trigger = false;
  Oid result_type = 0;
  std::vector<std::uint32_t> outputs;          ///< variables of OUT parameters
  std::vector<std::uint32_t> inputs;           ///< variables of the arguments
  ShapePtr result_shape;                       ///< the columns of a row result, where they are known
  bool ends_transactions = false;              ///< has COMMIT or ROLLBACK: its loops do not read while they run
  std::vector<CompiledTextPtr> texts;          ///< by Text::id, as compiled last
};

/// The columns of a table or view, or of a row type or composite type by the type's OID, as a record variable has them.
Result<ShapePtr> relation_shape(const Catalog& catalog, Oid relation);
/// The fields that are not dropped.
ShapePtr live_shape(std::span<const RowField> fields);

}  // namespace wandian::sql::plpgsql
