#include "sql/functions/collated.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "sql/functions/quote.h"
#include "sql/types/collation.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr std::string_view kComparison = "string comparison", kLike = "LIKE", kILike = "ILIKE", kRegex = "regular expressions",
                           kSearch = "substring searches", kElements = "this array function";

enum class Op : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe, kCompare, kLarger, kSmaller };

struct Entry {
  CollationUse use;
  Op op = Op::kEq;
  LetterCase to = LetterCase::kLower;
};

struct NamedOp {
  std::string_view ending;
  Op op;
};
// bpchar's and name's ends first: "bpchareq" is no "eq" of "bpchar" by chance.
constexpr NamedOp kOps[] = {{"eq", Op::kEq}, {"ne", Op::kNe}, {"lt", Op::kLt}, {"le", Op::kLe}, {"gt", Op::kGt}, {"ge", Op::kGe}};

void add_comparison(std::string_view name, Entry* entry) {
  const auto is = [&](std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  if (is({"bttextcmp", "btnamecmp", "bpcharcmp", "btarraycmp", "btnametextcmp", "bttextnamecmp"})) {
    entry->op = Op::kCompare;
  } else if (is({"text_larger", "bpchar_larger", "array_larger"})) {
    entry->op = Op::kLarger;
  } else if (is({"text_smaller", "bpchar_smaller", "array_smaller"})) {
    entry->op = Op::kSmaller;
  } else {
    bool found = false;
    for (const std::string_view of : {"text", "text_", "bpchar", "name", "array_"})
      for (const NamedOp& end : kOps)
        for (const std::string_view second : {"", "text", "name"}) {
          if (name != std::string(of) + std::string(end.ending) + std::string(second)) continue;
          entry->op = end.op;
          found = true;
        }
    if (!found) return;
  }
  entry->use = {CollationUse::Kind::kOrder, kComparison, {}};
}

bool reads_text(const FunctionDef& function) {
  return !function.args.empty() && (is_collatable(function.args[0]) || function.args[0] == kAnyArray || function.args[0] == kAnyCompatibleArray);
}

void add_refusal(std::string_view name, const FunctionDef& function, Entry* entry) {
  const auto is = [&](std::initializer_list<std::string_view> names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  const auto refuse = [&](std::string_view what) {
    const std::string_view needed = what == kRegex ? "regular expression" : what == kSearch && name != "starts_with" ? kComparison : what == kILike ? kILike : "";
    entry->use = {CollationUse::Kind::kRefused, what, needed};
  };
  if (is({"textlike", "textnlike", "bpcharlike", "bpcharnlike", "namelike", "namenlike", "like", "notlike"})) refuse(kLike);
  else if (name.find("iclike") != std::string_view::npos || name.find("icnlike") != std::string_view::npos) refuse(kILike);
  else if (name.find("regex") != std::string_view::npos) refuse(kRegex);
  else if (name == "substring" && function.args.size() >= 2 && function.args[1] == kText) refuse(kRegex);
  else if (is({"position", "strpos", "replace", "split_part", "string_to_array", "string_to_table", "starts_with"})) refuse(kSearch);
  else if (is({"array_position", "array_positions", "array_remove", "array_replace", "arrayoverlap", "arraycontains", "arraycontained"})) refuse(kElements);
}

const Entry* find_entry(const FunctionDef& function) {
  static const std::unordered_map<Oid, Entry>& all = *[] {
    auto* const out = new std::unordered_map<Oid, Entry>;
    for (const FunctionDef& known : all_functions()) {
      Entry entry;
      if (known.name == "pg_collation_for") entry.use = {CollationUse::Kind::kShow, {}, {}};
      if (reads_text(known)) {
        add_comparison(known.name, &entry);
        add_refusal(known.name, known, &entry);
        const bool of_text = known.args.size() == 1 && known.args[0] == kText;
        if (of_text && (known.name == "lower" || known.name == "upper" || known.name == "initcap")) {
          entry.to = known.name == "lower" ? LetterCase::kLower : known.name == "upper" ? LetterCase::kUpper : LetterCase::kTitle;
          entry.use = {CollationUse::Kind::kCase, known.name == "lower" ? "lower() function" : known.name == "upper" ? "upper() function" : "initcap() function", {}};
        }
      }
      if (entry.use.kind != CollationUse::Kind::kNone) out->emplace(known.oid, entry);
    }
    return out;
  }();
  if (function.routine != nullptr) return nullptr;
  const auto found = all.find(function.oid);
  return found != all.end() ? &found->second : nullptr;
}

// The collation stands behind the types of the arguments and the result.
template <std::size_t args>
const Collation& collation_behind(const Oid* types) {
  return collation_of(static_cast<std::uint16_t>(types[args + 1]));
}

template <Op op>
bool compare(EvalContext&, const Oid* types, const Value* args, Value* result) {
  const int c = compare_values(order_under(types[0], static_cast<std::uint16_t>(types[3])), args[0], args[1]);
  if constexpr (op == Op::kCompare) return return_int(result, c < 0 ? -1 : c > 0 ? 1 : 0);
  if constexpr (op == Op::kLarger || op == Op::kSmaller) {
    *result = (op == Op::kLarger ? c > 0 : c < 0) ? args[0] : args[1];
    return true;
  }
  return return_bool(result, op == Op::kEq ? c == 0 : op == Op::kNe ? c != 0 : op == Op::kLt ? c < 0 : op == Op::kLe ? c <= 0 : op == Op::kGt ? c > 0 : c >= 0);
}

TypedFn comparison(Op op) {
  switch (op) {
    case Op::kEq: return compare<Op::kEq>;
    case Op::kNe: return compare<Op::kNe>;
    case Op::kLt: return compare<Op::kLt>;
    case Op::kLe: return compare<Op::kLe>;
    case Op::kGt: return compare<Op::kGt>;
    case Op::kGe: return compare<Op::kGe>;
    case Op::kCompare: return compare<Op::kCompare>;
    case Op::kLarger: return compare<Op::kLarger>;
    case Op::kSmaller: return compare<Op::kSmaller>;
  }
  return nullptr;
}

template <LetterCase to>
bool in_case(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  *result = Value::of_bytes(change_case(collation_behind<1>(types), to, args[0].bytes(), ctx.arena));
  return true;
}

bool show(EvalContext& ctx, const Oid* types, const Value*, Value* result) {
  if (types[2] == kIndeterminateCollation) return return_null(result);
  const TypeCatalogScope scope(types_of(ctx));
  const std::string& stored = collation_behind<1>(types).stored;
  *result = Value::of_bytes(ctx.arena.copy(stored == "default" ? "\"default\"" : shown_collation(stored)));
  return true;
}

}  // namespace

bool has_ascii_letters(std::uint16_t collation) {
  return collation > kDefaultCollation && collation != kIndeterminateCollation && collation_of(collation).ascii_case;
}

bool asks_for_letters(const FunctionDef& function) {
  const CollationUse use = collation_use(function);
  return use.kind == CollationUse::Kind::kCase || (use.kind == CollationUse::Kind::kRefused && (use.what == kRegex || use.what == kILike));
}

CollationUse collation_use(const FunctionDef& function) {
  const Entry* const entry = find_entry(function);
  return entry != nullptr ? entry->use : CollationUse{};
}

TypedFn collated_function(const FunctionDef& function, std::span<const Oid> types, std::uint16_t id) {
  const Entry* const entry = find_entry(function);
  if (entry == nullptr || (id == kIndeterminateCollation && entry->use.kind != CollationUse::Kind::kShow)) return nullptr;
  switch (entry->use.kind) {
    case CollationUse::Kind::kOrder: {
      const Order order = order_under(types[0], id);
      if (!is_collated(order)) return nullptr;
      // Where only equal bytes are equal, the collation has no say in it.
      return (entry->op == Op::kEq || entry->op == Op::kNe) && is_deterministic(order) ? nullptr : comparison(entry->op);
    }
    case CollationUse::Kind::kCase: {
      const Collation& collation = collation_of(id);
      if (collation.provider != 'i' && !collation.ascii_case) return nullptr;
      return entry->to == LetterCase::kLower ? in_case<LetterCase::kLower> : entry->to == LetterCase::kUpper ? in_case<LetterCase::kUpper> : in_case<LetterCase::kTitle>;
    }
    case CollationUse::Kind::kShow: return show;
    case CollationUse::Kind::kRefused: return has_ascii_letters(id) || collation_of(id).provider == 'i' ? collated_pattern(function.fn, has_ascii_letters(id)) : nullptr;
    default: return nullptr;
  }
}

}  // namespace wandian::sql
