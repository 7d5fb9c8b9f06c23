// parse: the text of a PL/pgSQL body as a tree (PostgreSQL 15 manual, chapter 43).
// Block structure, declarations and the heads of statements are read here; what is SQL in them is only delimited, checked by
// libpg_query, and kept as text.
// Thread:  the session's shard; types are looked up in the session's catalog.
// Errors:  42601 and others with PostgreSQL's words; Status::position is a position in the body.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/plpgsql/tree.h"
#include "storage/base/status.h"

namespace wandian::sql::plpgsql {

struct Parameter {
  std::string name;                  ///< may be ""
  VariableType type;
  bool is_input = true;
};

struct ParseRequest {
  std::string_view source;
  std::string name;                  ///< of the function
  std::vector<Parameter> parameters;
  bool is_trigger = false;
  bool returns_set = false, returns_void = false, is_procedure = false, has_outputs = false;
  /// The type that a declaration names: "int", "t", "t%ROWTYPE", "t.a%TYPE".
  std::function<Result<VariableType>(std::string_view)> find_type;
};

Result<std::shared_ptr<const Function>> parse(const ParseRequest& request);

/// The expression of a function that is BEGIN RETURN expression; END and nothing else. Nullopt: it is more, or cannot be read.
std::optional<std::string> returned_expression(std::string_view source);

/// What a name of several parts means: a variable and how many of the parts name it.
struct Resolved {
  const Name* name = nullptr;
  std::size_t parts = 0;
};
Resolved resolve(const Function& function, const Name* names, std::span<const std::string_view> parts);

}  // namespace wandian::sql::plpgsql
