// What the tests of types and functions share: a context, text in, text out, and calls by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/functions/registry.h"
#include "sql/types/datetime.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

/// One session without hooks, at 2026-01-31 12:34:56.789 UTC.
struct Harness {
  Arena arena;
  FormatSettings format;
  EvalContext ctx{arena, format, nullptr, 823178096789000, 823178096789000, {}};

  /// The text of a value read from text, or "SQLSTATE message".
  std::string round_trip(std::string_view type, std::string_view text, std::int32_t typmod = -1) {
    Value v;
    const Oid oid = type_named(type);
    if (!value_from_text(ctx, oid, typmod, text, &v)) return failure();
    return print(oid, v);
  }
  std::string print(Oid type, const Value& value) {
    if (value.is_null) return "NULL";
    std::string out;
    return append_text(ctx, type, value, out) ? out : failure();
  }
  std::string failure() {
    std::string out(ctx.error.code().text());
    out += " " + ctx.error.error().message;
    if (!ctx.error.error().detail.empty()) out += " | " + ctx.error.error().detail;
    if (!ctx.error.error().hint.empty()) out += " | " + ctx.error.error().hint;
    ctx.error = Status();
    return out;
  }
  static Oid type_named(std::string_view name) {
    const TypeInfo* type = find_type(name);
    return type != nullptr ? type->oid : kInvalidOid;
  }

  struct Argument {
    std::string_view type;
    std::string_view text;
    bool is_null = false;
  };
  /// Calls the function of that name whose declared types are those of the arguments (polymorphic ones match any).
  /// A set is printed as its first rows joined with ';'. result_type: for polymorphic results.
  std::string call(std::string_view name, const std::vector<Argument>& arguments, std::string_view result_type = {});
  /// The operator's function, prefix if there is one argument.
  std::string apply(std::string_view op, const std::vector<Argument>& arguments, std::string_view result_type = {});
  std::string run(const FunctionDef& function, const std::vector<Argument>& arguments, std::string_view result_type);
  /// An aggregate over rows of one argument each.
  std::string aggregate(std::string_view name, std::string_view type, const std::vector<std::string_view>& rows);
};

}  // namespace wandian::sql
