// Routine: a function or procedure in SQL or PL/pgSQL as the binder and whoever runs it see it.
// Owns:       a copy of its declaration; the names that `def` points to.
// Thread:     immutable once its definition is in a catalog; kept alive by the ObjectDef, which a bound statement keeps.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/catalog.h"
#include "sql/catalog/stored_objects.h"
#include "sql/functions/registry.h"

namespace wandian::sql {

struct Routine {
  FunctionObject declaration;
  std::uint64_t id = 0;              ///< differs between any two definitions of this process
  Oid oid = 0, schema = 0, owner = 0;
  std::string schema_name;
  /// What the binder chooses among; its `routine` points back here. Columns of `result_relation` are not in it.
  FunctionDef def;
  /// Of LANGUAGE C and internal, what calls evaluate instead of running a body; else null. It stays as long as the process does.
  const FunctionDef* built_in = nullptr;
  std::size_t defaults = 0;          ///< trailing input parameters with a default

  bool is_plpgsql() const { return declaration.language == "plpgsql"; }
  bool is_volatile() const { return declaration.volatility == 'v'; }
  /// The input parameters' positions in declaration.parameters, in the order of a call's arguments.
  std::vector<std::size_t> inputs;
  /// The positions of what comes back by parameter: OUT, INOUT and TABLE.
  std::vector<std::size_t> outputs;
};

/// Null for native procedures and what does not decode.
std::shared_ptr<const Routine> compile_routine(const Catalog& catalog, const ObjectDef& object);
/// Of ObjectKind::kFunction; null for a native procedure.
inline const Routine* routine_of(const ObjectDef& object) { return static_cast<const Routine*>(object.compiled.get()); }

/// "f(integer,text)" as PostgreSQL's context lines name a function: types with format_type.
std::string routine_signature(const Routine& routine, bool qualified);

}  // namespace wandian::sql
