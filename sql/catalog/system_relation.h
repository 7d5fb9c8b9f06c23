// System relations: pg_catalog and information_schema as relations for the ordinary planner.
// Thread:     definitions are immutable; rows are produced on the session's shard, from the catalog the statement uses.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/oid.h"
#include "engine/value.h"

namespace wandian {
class Shard;
}

namespace wandian::sql {

class Server;
class SessionHooks;

struct SystemColumn {
  std::string name;
  Oid type;
  bool not_null = false;
};

/// What a system relation is produced from.
struct SystemContext {
  Server& server;
  Shard& shard;
  SessionHooks& session;
  const Catalog& catalog;              ///< as the statement sees it
  Oid database;
};

/// Collects rows; values' bytes are copied into the arena by whoever adds them (or are static).
struct SystemRows {
  Arena& arena;
  unsigned columns;
  std::vector<Value> values;           ///< row after row
  void add(std::span<const Value> row) { values.insert(values.end(), row.begin(), row.end()); }
};

struct SystemRelation {
  Oid oid = 0;                         ///< PostgreSQL's own OID of the catalog or view
  Oid schema = kPgCatalogSchema;       ///< or kInformationSchema
  std::string name;
  char kind = 'r';                     ///< relkind: r or v
  std::vector<SystemColumn> columns;   ///< includes "oid" where PostgreSQL has it; "tableoid" is answered by the binder
  /// All rows, in no particular order. The planner materializes them and may hash or sort.
  std::function<Status(const SystemContext&, SystemRows&)> produce;
  /// Optional: a view given as SQL over other system relations, expanded by the binder instead of `produce`.
  std::string view_definition;
};

const SystemRelation* find_system_relation(Oid schema, std::string_view name);
const SystemRelation* find_system_relation(Oid oid);
std::span<const SystemRelation> all_system_relations();
/// Not in any schema: what a sequence shows of itself as a relation, and its oid before it. The binder reads it for `FROM sequence`.
const SystemRelation& sequence_states();

}  // namespace wandian::sql
