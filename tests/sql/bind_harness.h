// A catalog with a few tables, and binding and evaluating against it. The same tables in PostgreSQL: bind_schema.sql.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/bind/binder.h"
#include "sql/functions/registry.h"

namespace wandian::sql::test {

class BindWorld {
 public:
  BindWorld();

  Result<std::shared_ptr<const BoundStatement>> bind(std::string_view text, std::span<const Oid> parameters = {});
  /// "name:type, name:type" of the result columns, or "SQLSTATE message @position".
  std::string describe(std::string_view text, std::span<const Oid> parameters = {});
  /// The parameters' types, or the error.
  std::string parameters(std::string_view text);
  /// The text of the first column of a SELECT without FROM, or the error.
  std::string value(std::string_view text);

  void add_view(std::string_view name, std::string_view select, std::span<const std::string> aliases = {});
  BindContext& context() { return context_; }
  EvalContext& eval() { return eval_; }

 private:
  void apply(std::vector<CatalogChange> changes);

  Arena arena_;
  FormatSettings format_;
  EvalContext eval_;
  std::unique_ptr<ProcedureLookup> procedures_;
  BindContext context_;
  Oid next_oid_ = 20000;
};

std::string error_text(const Status& status);

}  // namespace wandian::sql::test
