// What a statement does to one relation that it names: collected by the binder, checked before the statement runs.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/oid.h"

namespace wandian::sql {

struct RelationAccess {
  Oid relation = 0;
  std::uint32_t privileges = 0;      ///< Privileges (sql/access/acl.h); SELECT, INSERT and UPDATE may be held by column
  Oid check_as = 0;                  ///< whose privileges count: the owner's of the view that names it; 0: of who runs the statement
  /// Attribute numbers, each once. Empty with the privilege: any column will do.
  std::vector<std::int16_t> selected, inserted, updated;

  static void add(std::vector<std::int16_t>& list, std::int16_t column) {
    for (const std::int16_t known : list)
      if (known == column) return;
    list.push_back(column);
  }
};

}  // namespace wandian::sql
