// pg_get_keywords: PostgreSQL's words and where each may stand. The words are in builtins.inc.
#include <iterator>

#include "sql/functions/bindings.h"

namespace wandian::sql {

namespace {

struct Keyword {
  std::string_view word;
  char category;
  bool bare_label;
};
constexpr Keyword kKeywords[] = {
#define WANDIAN_KEYWORD(...) {__VA_ARGS__},
#include "sql/functions/builtins.inc"
#undef WANDIAN_KEYWORD
};

std::string_view description(char category) {
  switch (category) {
    case 'C': return "unreserved (cannot be function or type name)";
    case 'T': return "reserved (can be function or type name)";
    case 'R': return "reserved";
    default: return "unreserved";
  }
}

bool keywords(EvalContext&, const Value*, std::uint64_t* position, Value* columns, bool* done) {
  *done = *position >= std::size(kKeywords);
  if (*done) return true;
  const Keyword& keyword = kKeywords[(*position)++];
  columns[0] = Value::of_bytes(keyword.word);
  columns[1] = Value::of_int(keyword.category);
  columns[2] = Value::of_bool(keyword.bare_label);
  columns[3] = Value::of_bytes(description(keyword.category));
  columns[4] = Value::of_bytes(std::string_view(keyword.bare_label ? "can be bare label" : "requires AS"));
  return true;
}

constexpr FunctionBinding kBindings[] = {
    {"pg_get_keywords", nullptr, nullptr, keywords},
};

}  // namespace

std::span<const FunctionBinding> keyword_bindings() { return kBindings; }

}  // namespace wandian::sql
