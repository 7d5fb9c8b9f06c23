// TriggerRows: OLD and NEW in a trigger's WHEN, as parameters: the old row's columns, then the new one's.
// Thread:  a value of its own.
#pragma once

#include <string>

#include "engine/catalog.h"
#include "sql/bind/binder.h"
#include "sql/expr/deparse.h"
#include "sql/functions/quote.h"
#include "sql/messages.h"

namespace wandian::sql {

class TriggerRows final : public BindVariables {
 public:
  explicit TriggerRows(const TableDef& table) : table_(table) {}
  Precedence precedence() const override { return Precedence::kColumn; }
  Result<bool> find(std::span<const std::string_view> names, Found* out) override {
    if (names.size() > 2 || (names[0] != "old" && names[0] != "new")) return false;
    const bool is_new = names[0] == "new";
    const std::size_t first = is_new ? table_.columns.size() : 0;
    const auto variable = [&](std::size_t column) {
      return Variable{static_cast<std::uint32_t>(first + column), table_.columns[column].type, table_.columns[column].typmod};
    };
    if (names.size() == 2) {
      const int column = table_.find_column(names[1]);
      if (column < 0) return Status{sqlstate::undefined_column, "column " + std::string(names[0]) + "." + std::string(names[1]) + " does not exist"};
      out->scalar = variable(static_cast<std::size_t>(column));
      return true;
    }
    out->is_row = true;
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (!table_.columns[i].dropped) out->fields.emplace_back(table_.columns[i].name, variable(i));
    return true;
  }
  Result<bool> find_number(std::uint32_t, Found*) override { return false; }

 private:
  const TableDef& table_;
};

/// How the parameters of a bound WHEN are printed.
inline DefinitionStyle trigger_row_names(const TableDef& table) {
  DefinitionStyle style;
  for (const char* row : {"old", "new"})
    for (const std::string& column : column_names(table)) style.parameters.push_back(std::string(row) + "." + quote_identifier(column));
  return style;
}

}  // namespace wandian::sql
