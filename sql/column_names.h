// What the columns that a statement gives a new relation must be.
#pragma once

#include <algorithm>
#include <string_view>

#include "sql/messages.h"

namespace wandian::sql {

/// 42701 for the first whose name a later one has too. `name_of` gives an element's name.
template <class Columns, class NameOf>
Status check_distinct_names(const Columns& columns, const NameOf& name_of) {
  for (auto at = std::begin(columns); at != std::end(columns); ++at) {
    const std::string_view name = name_of(*at);
    if (std::any_of(at + 1, std::end(columns), [&](const auto& later) { return name_of(later) == name; }))
      return Status{sqlstate::duplicate_column, "column " + quoted(name) + " specified more than once"};
  }
  return {};
}

}  // namespace wandian::sql
