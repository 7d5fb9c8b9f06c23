// Which partitions are read, from the conditions of a plan.
// Thread:  any.
#pragma once

#include <vector>

#include "engine/array_value.h"
#include "sql/plan/nodes.h"

namespace wandian::sql {

/// Puts the value of a condition into its term: of kAny the elements of the array that are not null.
inline bool add_term_values(const PartitionCondition& condition, const Value& value, PartitionTerm* term) {
  if (condition.test != PartitionTerm::Test::kAny || value.is_null) {
    term->values.push_back(value);
    return true;
  }
  const ArrayView array(value);
  for (std::uint32_t e = 0; e < array.count(); ++e)
    if (const Value element = array.element(e); !element.is_null) term->values.push_back(element);
  return true;
}

/// The children that may have rows. `read` gives a condition's values to its term; false: they are not known.
template <class Read>
std::vector<bool> prune(const Partitioning& partitioning, const PartitionFilter& filter, Read&& read) {
  std::vector<PartitionTerm> terms;
  for (const PartitionCondition& condition : filter.conditions) {
    PartitionTerm term;
    term.part = condition.part;
    term.test = condition.test;
    if (read(condition, &term)) terms.push_back(std::move(term));
  }
  std::vector<bool> out = terms.empty() ? std::vector<bool>(partitioning.children().size(), true) : partitioning.prune(terms);
  for (const std::vector<PartitionFilter>& list : filter.alternatives) {
    std::vector<bool> some(out.size(), false);
    for (const PartitionFilter& one : list) {
      const std::vector<bool> may = prune(partitioning, one, read);
      for (std::size_t i = 0; i < some.size(); ++i) some[i] = some[i] || may[i];
    }
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] && some[i];
  }
  return out;
}

}  // namespace wandian::sql
