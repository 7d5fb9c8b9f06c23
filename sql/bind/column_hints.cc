// Which columns somebody may have meant by a name that there is none of: those at the smallest Levenshtein distance.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMostDistance = 3;

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
    out.push_back(text.substr(i, end - i));
    i = end;
  }
  return out;
}

// Characters to insert, delete or replace (Wagner and Fischer, 1974).
std::size_t edit_distance(std::string_view from, std::string_view to) {
  const std::vector<std::string_view> a = characters(from), b = characters(to);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

struct Closest {
  struct Column {
    const RangeEntry* entry = nullptr;
    std::string_view name;
    std::string shown() const { return "\"" + std::string(entry->alias) + "." + std::string(name) + "\""; }
  };
  std::size_t distance = kMostDistance + 1;
  Column first, second;   // two are as close; more than two are no help

  void consider(const RangeEntry& entry, std::string_view name, std::string_view wanted, std::size_t penalty) {
    if (penalty > distance) return;
    std::size_t far = edit_distance(name, wanted);
    if (far > wanted.size() / 2) return;
    far += penalty;
    if (far > distance) return;
    if (far < distance) {
      distance = far;
      first = {&entry, name};
      second = {};
    } else if (second.entry != nullptr) {
      first = second = {};
      --distance;
    } else if (first.entry != nullptr) {
      second = {&entry, name};
    } else if (distance <= kMostDistance) {
      first = {&entry, name};
    }
  }
};

bool has_column(const RangeEntry& entry, std::string_view wanted) {
  const bool own = std::any_of(entry.columns.begin(), entry.columns.end(), [&](const RangeColumn& column) { return !column.hidden && column.name == wanted; });
  if (own || (entry.kind != RangeKind::kTable && entry.kind != RangeKind::kSystem)) return own;
  for (std::int16_t system = kCtidColumn; system >= kTableOidColumn; --system)
    if (system_column_name(system) == wanted) return true;
  return false;
}

}  // namespace

void Binder::missing_column(const Scope& scope, std::string_view table, std::string_view column, int location) {
  Status status{sqlstate::undefined_column, table.empty() ? "column " + quoted(column) + " does not exist"
                                                          : "column " + std::string(table) + "." + std::string(column) + " does not exist"};
  Closest closest;
  for (const Scope* level = &scope; level != nullptr; level = level->parent) {
    for (const RangeEntry* entry : level->ranges) {
      const std::size_t penalty = table.empty() ? 0 : std::min(edit_distance(table, entry->alias), kMostDistance + 2);
      if (penalty == 0 && has_column(*entry, column)) {
        fail(at(std::move(status).with_hint("There is a column named " + quoted(column) + " in table " + quoted(entry->alias) +
                                            ", but it cannot be referenced from this part of the query."),
                location));
      }
      for (const RangeColumn& candidate : entry->columns)
        if (!candidate.hidden) closest.consider(*entry, candidate.name, column, penalty);
    }
  }
  if (closest.first.entry != nullptr) {
    std::string hint = "Perhaps you meant to reference the column " + closest.first.shown();
    if (closest.second.entry != nullptr) hint += " or the column " + closest.second.shown();
    status = std::move(status).with_hint(hint + ".");
  }
  fail(at(std::move(status), location));
}

}  // namespace wandian::sql
