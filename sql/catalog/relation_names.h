// Relations of every kind by OID, and names as users write and read them.
// Thread:  any; looks at one catalog.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "sql/bind/binder.h"

namespace wandian::sql {

struct RelationFacts {
  FoundRelation::Kind kind = FoundRelation::Kind::kTable;
  Oid oid = 0;
  Oid schema = 0;
  Oid owner = 0;
  std::string name;
  std::shared_ptr<const TableDef> table;       ///< kTable, kIndex
  const IndexDef* index = nullptr;             ///< kIndex: in `table`
};
std::optional<RelationFacts> relation_facts(const Catalog& catalog, Oid oid);

/// The parts of a possibly qualified, possibly quoted name: a."B c". 42602.
Result<std::vector<std::string>> split_name(std::string_view text);

std::string schema_text(const Catalog& catalog, Oid schema);

}  // namespace wandian::sql
