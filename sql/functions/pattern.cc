// LIKE, ILIKE, SIMILAR TO and regular expressions: operators and functions.
#include <algorithm>

#include "sql/functions/bindings.h"
#include "sql/functions/like.h"
#include "sql/functions/regex.h"
#include "sql/types/collation.h"
#include "sql/types/letter_case.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

using namespace type_oid;

// Greedy with one point to come back to: after the last %, so that it takes time in proportion to text * pattern.
Status like(std::string_view text, std::string_view pattern, bool bytes, bool* out) {
  const auto bad_end = [] {
    return Status{sqlstate::invalid_escape_sequence, "LIKE pattern must not end with escape character"};
  };
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t retry_t = 0;
  std::size_t retry_p = std::string_view::npos;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      retry_p = ++p;
      retry_t = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_') {
      t += bytes ? 1 : utf8_bytes(text[t]);
      ++p;
      continue;
    }
    std::size_t literal = p;
    if (p < pattern.size() && pattern[p] == '\\') {
      if (p + 1 == pattern.size()) return bad_end();
      literal = p + 1;
    }
    if (literal < pattern.size() && pattern[literal] == text[t]) {
      p = literal + 1;
      ++t;
      continue;
    }
    if (retry_p == std::string_view::npos) {
      *out = false;
      return {};
    }
    retry_t += bytes ? 1 : utf8_bytes(text[retry_t]);
    t = retry_t;
    p = retry_p;
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  if (p < pattern.size() && pattern[p] == '\\' && p + 1 == pattern.size() && t >= text.size()) {
    *out = false;
    return {};
  }
  *out = t == text.size() && p == pattern.size();
  return {};
}

std::string_view like_prefix(std::string_view pattern, bool* exact) {
  const std::size_t end = pattern.find_first_of("%_\\");
  *exact = end == std::string_view::npos;
  return pattern.substr(0, end);
}

namespace {

template <bool want, bool bytes>
bool like_op(EvalContext& ctx, const Value* args, Value* result) {
  bool matches;
  return check(ctx, like(args[0].bytes(), args[1].bytes(), bytes, &matches)) && return_bool(result, matches == want);
}
template <bool want>
bool ilike_op(EvalContext& ctx, const Value* args, Value* result) {
  bool matches;
  return check(ctx, like(to_lower(args[0].bytes(), ctx.arena), to_lower(args[1].bytes(), ctx.arena), false, &matches)) &&
         return_bool(result, matches == want);
}

template <bool want>
bool collated_ilike(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  const Collation& collation = collation_of(static_cast<std::uint16_t>(types[3]));
  const auto lower = [&](const Value& text) { return change_case(collation, LetterCase::kLower, text.bytes(), ctx.arena); };
  bool matches;
  return check(ctx, like(lower(args[0]), lower(args[1]), false, &matches)) && return_bool(result, matches == want);
}

// LIKE ... ESCAPE e: the pattern with e's escapes written as backslashes.
bool like_escape(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view pattern = args[0].bytes();
  const std::string_view escape = args[1].bytes();
  if (utf8_length(escape) > 1)
    return ctx.fail(Status{sqlstate::invalid_escape_sequence, "invalid escape string"}.with_hint(
        "Escape string must be empty or one character."));
  if (escape == "\\") {
    *result = args[0];
    return true;
  }
  TextBuilder out(ctx.arena, pattern.size() + 8);
  bool after_escape = false;
  for (std::size_t i = 0; i < pattern.size();) {
    const std::string_view c = pattern.substr(i, utf8_bytes(pattern[i]));
    i += c.size();
    if (!escape.empty() && c == escape && !after_escape) {
      out.push_back('\\');
      after_escape = true;
      continue;
    }
    if (c == "\\" && !after_escape) out.push_back('\\');
    out.append(c);
    after_escape = false;
  }
  *result = out.value();
  return true;
}

bool find_regex(EvalContext& ctx, const Value& pattern, RegexFlags flags, std::shared_ptr<const Regex>* out) {
  flags.ascii_letters = ctx.ascii_letters;
  return check(ctx, Regex::find(pattern.bytes(), flags, out));
}

template <bool want, bool ignore_case>
bool regex_op(EvalContext& ctx, const Value* args, Value* result) {
  std::shared_ptr<const Regex> regex;
  RegexFlags flags;
  flags.ignore_case = ignore_case;
  bool matches;
  return find_regex(ctx, args[1], flags, &regex) && check(ctx, regex->test(args[0].bytes(), &matches)) &&
         return_bool(result, matches == want);
}

bool parse_flags(EvalContext& ctx, const Value* flags_text, bool allow_global, const char* function, RegexFlags* flags) {
  if (flags_text == nullptr) return true;
  if (!check(ctx, parse_regex_flags(flags_text->bytes(), flags))) return false;
  if (flags->global && !allow_global)
    return ctx.fail(Status{sqlstate::invalid_parameter_value, std::string(function) + " does not support the \"global\" option"});
  return true;
}

using Matches = std::vector<std::vector<RegexSpan>>;

bool all_matches(EvalContext& ctx, const Value* args, const RegexFlags& flags, bool all, Matches* out, std::int64_t start = 1) {
  std::shared_ptr<const Regex> regex;
  if (!find_regex(ctx, args[1], flags, &regex)) return false;
  const std::string_view text = args[0].bytes();
  // Right behind the last character an empty match may stand, further on none.
  if (start > 1 && start - 1 > static_cast<std::int64_t>(utf8_length(text))) return true;
  return check(ctx, regex->match(text, utf8_offset(text, static_cast<std::size_t>(start - 1)), all, out));
}

Value span_text(const Value& text, const RegexSpan& span) {
  return span.matched ? Value::of_bytes(text.bytes().substr(span.begin, span.end - span.begin)) : Value::null();
}

// The groups of a match as text[]; the whole match where the pattern has none.
Value match_array(EvalContext& ctx, const Value& text, const std::vector<RegexSpan>& spans) {
  std::vector<Value> parts;
  if (spans.size() == 1) parts.push_back(span_text(text, spans[0]));
  for (std::size_t i = 1; i < spans.size(); ++i) parts.push_back(span_text(text, spans[i]));
  return build_array(kText, parts, ctx.arena);
}

// substring(text from pattern): the first group, or the whole match.
bool regex_substring(EvalContext& ctx, const Value* args, Value* result) {
  Matches matches;
  if (!all_matches(ctx, args, {}, false, &matches)) return false;
  if (matches.empty()) return return_null(result);
  *result = span_text(args[0], matches[0][matches[0].size() > 1 ? 1 : 0]);
  return true;
}

bool replace_matches(EvalContext& ctx, const Value* args, const RegexFlags& flags, std::int64_t start, std::int64_t nth,
                     Value* result) {
  const std::string_view text = args[0].bytes();
  const std::string_view by = args[2].bytes();
  Matches matches;
  if (!all_matches(ctx, args, flags, flags.global || nth > 1, &matches, start)) return false;
  if (nth > 1 || !flags.global) {
    const auto index = static_cast<std::size_t>(std::max<std::int64_t>(nth, 1) - 1);
    if (index >= matches.size()) matches.clear();
    else matches = {matches[index]};
  }
  if (matches.empty()) {
    *result = args[0];
    return true;
  }
  TextBuilder out(ctx.arena, text.size() + 16);
  std::size_t done = 0;
  for (const auto& spans : matches) {
    out.append(text.substr(done, spans[0].begin - done));
    for (std::size_t i = 0; i < by.size(); ++i) {
      if (by[i] != '\\' || i + 1 == by.size()) {
        out.push_back(by[i]);
        continue;
      }
      const char c = by[++i];
      if (c == '&' || (c >= '0' && c <= '9')) {
        const std::size_t group = c == '&' ? 0 : static_cast<std::size_t>(c - '0');
        if (group < spans.size() && spans[group].matched)
          out.append(text.substr(spans[group].begin, spans[group].end - spans[group].begin));
      } else if (c == '\\') {
        out.push_back('\\');
      } else {
        out.push_back('\\');
        out.push_back(c);
      }
    }
    done = spans[0].end;
  }
  out.append(text.substr(done));
  *result = out.value();
  return true;
}
bool regexp_replace(EvalContext& ctx, const Value* args, Value* result) {
  return replace_matches(ctx, args, {}, 1, 1, result);
}
bool regexp_replace_flags(EvalContext& ctx, const Value* args, Value* result) {
  RegexFlags flags;
  const std::string_view letters = args[3].bytes();
  if (!letters.empty() && letters[0] >= '0' && letters[0] <= '9')
    return ctx.fail(Status{sqlstate::invalid_parameter_value, std::string("invalid regular expression option: \"") + letters[0] + "\""}.with_hint(
        "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
  return parse_flags(ctx, &args[3], true, "regexp_replace()", &flags) &&
         replace_matches(ctx, args, flags, 1, flags.global ? 0 : 1, result);
}

bool bad_value(EvalContext& ctx, const char* name, std::int64_t v) {
  return ctx.fail({sqlstate::invalid_parameter_value,
                   std::string("invalid value for parameter \"") + name + "\": " + std::to_string(v)});
}

// regexp_replace(s, p, r, start[, N[, flags]]).
template <int kArgs>
bool regexp_replace_extended(EvalContext& ctx, const Value* args, Value* result) {
  RegexFlags flags;
  const std::int64_t start = args[3].i;
  const std::int64_t n = kArgs > 4 ? args[4].i : 1;
  if (start <= 0) return bad_value(ctx, "start", start);
  if (n < 0) return bad_value(ctx, "n", n);
  if (!parse_flags(ctx, kArgs > 5 ? &args[5] : nullptr, true, "regexp_replace()", &flags)) return false;
  flags.global = n == 0;
  return replace_matches(ctx, args, flags, start, n, result);
}

template <bool has_flags>
bool regexp_match(EvalContext& ctx, const Value* args, Value* result) {
  RegexFlags flags;
  if (has_flags) {
    if (!check(ctx, parse_regex_flags(args[2].bytes(), &flags))) return false;
    if (flags.global)
      return ctx.fail(Status{sqlstate::invalid_parameter_value, "regexp_match() does not support the \"global\" option"}
                          .with_hint("Use the regexp_matches function instead."));
  }
  Matches matches;
  if (!all_matches(ctx, args, flags, false, &matches)) return false;
  if (matches.empty()) return return_null(result);
  *result = match_array(ctx, args[0], matches[0]);
  return true;
}

template <bool has_flags>
bool regexp_matches(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  RegexFlags flags;
  Matches matches;
  if (!parse_flags(ctx, has_flags ? &args[2] : nullptr, true, "regexp_matches()", &flags) ||
      !all_matches(ctx, args, flags, flags.global, &matches))
    return false;
  if (*position >= matches.size()) {
    *done = true;
    return true;
  }
  columns[0] = match_array(ctx, args[0], matches[(*position)++]);
  return true;
}

// The text between matches; an empty match at either end or right after another does not split.
bool split(EvalContext& ctx, const Value* args, const Value* flags_text, const char* function, std::vector<Value>* out) {
  RegexFlags flags;
  Matches matches;
  if (!parse_flags(ctx, flags_text, false, function, &flags) || !all_matches(ctx, args, flags, true, &matches)) return false;
  const std::string_view text = args[0].bytes();
  std::size_t begin = 0;
  for (const auto& spans : matches) {
    const RegexSpan& m = spans[0];
    if (m.begin == m.end && (m.begin == begin || m.end == text.size())) continue;
    out->push_back(Value::of_bytes(text.substr(begin, m.begin - begin)));
    begin = m.end;
  }
  out->push_back(Value::of_bytes(text.substr(begin)));
  return true;
}
template <bool has_flags>
bool split_to_array(EvalContext& ctx, const Value* args, Value* result) {
  std::vector<Value> parts;
  if (!split(ctx, args, has_flags ? &args[2] : nullptr, "regexp_split_to_array()", &parts)) return false;
  *result = build_array(kText, parts, ctx.arena);
  return true;
}
template <bool has_flags>
bool split_to_table(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  std::vector<Value> parts;
  if (!split(ctx, args, has_flags ? &args[2] : nullptr, "regexp_split_to_table()", &parts)) return false;
  if (*position >= parts.size()) {
    *done = true;
    return true;
  }
  columns[0] = parts[(*position)++];
  return true;
}

template <int kArgs>
bool regexp_count(EvalContext& ctx, const Value* args, Value* result) {
  RegexFlags flags;
  std::int64_t start = kArgs > 2 ? args[2].i : 1;
  if (start <= 0) return bad_value(ctx, "start", start);
  if (!parse_flags(ctx, kArgs > 3 ? &args[3] : nullptr, false, "regexp_count()", &flags)) return false;
  Matches matches;
  return all_matches(ctx, args, flags, true, &matches, start) && return_int(result, static_cast<std::int64_t>(matches.size()));
}
template <bool has_flags>
bool regexp_like(EvalContext& ctx, const Value* args, Value* result) {
  RegexFlags flags;
  std::shared_ptr<const Regex> regex;
  bool matches;
  return parse_flags(ctx, has_flags ? &args[2] : nullptr, false, "regexp_like()", &flags) &&
         find_regex(ctx, args[1], flags, &regex) && check(ctx, regex->test(args[0].bytes(), &matches)) &&
         return_bool(result, matches);
}

// regexp_instr and regexp_substr: the nth match from the start'th character on, or one of its groups. `spans`: empty if there is
// none; in bytes of the whole text.
bool nth_match(EvalContext& ctx, const Value* args, std::int64_t start, std::int64_t n, const Value* flags_text, std::int64_t group,
               const char* function, RegexSpan* span) {
  *span = {};
  if (start <= 0) return bad_value(ctx, "start", start);
  if (n <= 0) return bad_value(ctx, "n", n);
  if (group < 0) return bad_value(ctx, "subexpr", group);
  RegexFlags flags;
  if (!parse_flags(ctx, flags_text, false, function, &flags)) return false;
  Matches matches;
  if (!all_matches(ctx, args, flags, n > 1, &matches, start)) return false;
  if (static_cast<std::uint64_t>(n) > matches.size()) return true;
  const std::vector<RegexSpan>& found = matches[static_cast<std::size_t>(n - 1)];
  // Where the pattern has no groups, the first one is the whole match.
  if (group == 1 && found.size() == 1) group = 0;
  if (static_cast<std::size_t>(group) >= found.size() || !found[static_cast<std::size_t>(group)].matched) return true;
  *span = found[static_cast<std::size_t>(group)];
  return true;
}
// (text, pattern [, start [, n [, endoption [, flags [, subexpr]]]]]): the character where it begins or goes on after it; 0: none.
template <int kArgs>
bool regexp_instr(EvalContext& ctx, const Value* args, Value* result) {
  const std::int64_t after = kArgs > 4 ? args[4].i : 0;
  if (after != 0 && after != 1) return bad_value(ctx, "endoption", after);
  RegexSpan span;
  if (!nth_match(ctx, args, kArgs > 2 ? args[2].i : 1, kArgs > 3 ? args[3].i : 1, kArgs > 5 ? &args[5] : nullptr, kArgs > 6 ? args[6].i : 0,
                 "regexp_instr()", &span))
    return false;
  if (!span.matched) return return_int(result, 0);
  return return_int(result, static_cast<std::int64_t>(utf8_length(args[0].bytes().substr(0, after != 0 ? span.end : span.begin))) + 1);
}
// (text, pattern [, start [, n [, flags [, subexpr]]]])
template <int kArgs>
bool regexp_substr(EvalContext& ctx, const Value* args, Value* result) {
  RegexSpan span;
  if (!nth_match(ctx, args, kArgs > 2 ? args[2].i : 1, kArgs > 3 ? args[3].i : 1, kArgs > 4 ? &args[4] : nullptr, kArgs > 5 ? args[5].i : 0,
                 "regexp_substr()", &span))
    return false;
  *result = span_text(args[0], span);
  return true;
}

template <bool has_escape>
bool similar_escape(EvalContext& ctx, const Value* args, Value* result) {
  std::string regex;
  return check(ctx, similar_to_regex(args[0].bytes(), has_escape ? args[1].bytes() : std::string_view("\\"), &regex)) &&
         return_text(ctx, result, regex);
}
// substring(text similar pattern escape e).
bool similar_substring(EvalContext& ctx, const Value* args, Value* result) {
  std::string regex;
  if (!check(ctx, similar_to_regex(args[1].bytes(), args[2].bytes(), &regex))) return false;
  const Value pair[2] = {args[0], copy_text(ctx, regex)};
  return regex_substring(ctx, pair, result);
}

constexpr FunctionBinding kBindings[] = {
    {"textlike", like_op<true, false>}, {"textnlike", like_op<false, false>},
    {"namelike", like_op<true, false>}, {"namenlike", like_op<false, false>},
    {"bytealike", like_op<true, true>}, {"byteanlike", like_op<false, true>},
    {"texticlike", ilike_op<true>}, {"texticnlike", ilike_op<false>},
    {"nameiclike", ilike_op<true>}, {"nameicnlike", ilike_op<false>},
    {"like_escape", like_escape},
    {"textregexeq", regex_op<true, false>}, {"textregexne", regex_op<false, false>},
    {"texticregexeq", regex_op<true, true>}, {"texticregexne", regex_op<false, true>},
    {"nameregexeq", regex_op<true, false>}, {"nameregexne", regex_op<false, false>},
    {"nameicregexeq", regex_op<true, true>}, {"nameicregexne", regex_op<false, true>},
    {"textregexsubstr", regex_substring},
    {"textregexreplace_noopt", regexp_replace},
    {"textregexreplace", regexp_replace_flags},
    {"textregexreplace_extended", regexp_replace_extended<6>},
    {"textregexreplace_extended_no_flags", regexp_replace_extended<5>},
    {"textregexreplace_extended_no_n", regexp_replace_extended<4>},
    {"regexp_match", regexp_match<true>}, {"regexp_match_no_flags", regexp_match<false>},
    {"regexp_matches", nullptr, nullptr, regexp_matches<true>},
    {"regexp_matches_no_flags", nullptr, nullptr, regexp_matches<false>},
    {"regexp_split_to_array", split_to_array<true>}, {"regexp_split_to_array_no_flags", split_to_array<false>},
    {"regexp_split_to_table", nullptr, nullptr, split_to_table<true>},
    {"regexp_split_to_table_no_flags", nullptr, nullptr, split_to_table<false>},
    {"regexp_count", regexp_count<4>}, {"regexp_count_no_flags", regexp_count<3>},
    {"regexp_count_no_start", regexp_count<2>},
    {"regexp_instr", regexp_instr<7>}, {"regexp_instr_no_subexpr", regexp_instr<6>}, {"regexp_instr_no_flags", regexp_instr<5>},
    {"regexp_instr_no_endoption", regexp_instr<4>}, {"regexp_instr_no_n", regexp_instr<3>}, {"regexp_instr_no_start", regexp_instr<2>},
    {"regexp_substr", regexp_substr<6>}, {"regexp_substr_no_subexpr", regexp_substr<5>}, {"regexp_substr_no_flags", regexp_substr<4>},
    {"regexp_substr_no_n", regexp_substr<3>}, {"regexp_substr_no_start", regexp_substr<2>},
    {"regexp_like", regexp_like<true>}, {"regexp_like_no_flags", regexp_like<false>},
    {"similar_to_escape_1", similar_escape<false>}, {"similar_to_escape_2", similar_escape<true>},
    {"substring(text,text,text)", similar_substring},
};

// The same function with the letters of ASCII alone.
template <ScalarFn fn>
bool in_ascii(EvalContext& ctx, const Oid*, const Value* args, Value* result) {
  ctx.ascii_letters = true;
  const bool ok = fn(ctx, args, result);
  ctx.ascii_letters = false;
  return ok;
}

struct CollatedPattern {
  ScalarFn fn;
  TypedFn collated;
  bool ascii;   // differs under "C" alone
};
template <ScalarFn fn>
constexpr CollatedPattern ascii_form() {
  return {fn, in_ascii<fn>, true};
}
constexpr CollatedPattern kCollatedPatterns[] = {
    {ilike_op<true>, collated_ilike<true>, false}, {ilike_op<false>, collated_ilike<false>, false},
    ascii_form<regex_op<true, false>>(), ascii_form<regex_op<false, false>>(),
    ascii_form<regex_op<true, true>>(), ascii_form<regex_op<false, true>>(),
    ascii_form<regex_substring>(), ascii_form<similar_substring>(),
    ascii_form<regexp_replace>(), ascii_form<regexp_replace_flags>(),
    ascii_form<regexp_replace_extended<6>>(), ascii_form<regexp_replace_extended<5>>(), ascii_form<regexp_replace_extended<4>>(),
    ascii_form<regexp_match<true>>(), ascii_form<regexp_match<false>>(),
    ascii_form<split_to_array<true>>(), ascii_form<split_to_array<false>>(),
    ascii_form<regexp_count<4>>(), ascii_form<regexp_count<3>>(), ascii_form<regexp_count<2>>(),
    ascii_form<regexp_instr<7>>(), ascii_form<regexp_instr<6>>(), ascii_form<regexp_instr<5>>(),
    ascii_form<regexp_instr<4>>(), ascii_form<regexp_instr<3>>(), ascii_form<regexp_instr<2>>(),
    ascii_form<regexp_substr<6>>(), ascii_form<regexp_substr<5>>(), ascii_form<regexp_substr<4>>(),
    ascii_form<regexp_substr<3>>(), ascii_form<regexp_substr<2>>(),
    ascii_form<regexp_like<true>>(), ascii_form<regexp_like<false>>(),
};

}  // namespace

std::span<const FunctionBinding> pattern_bindings() { return kBindings; }

TypedFn collated_pattern(ScalarFn fn, bool ascii) {
  for (const CollatedPattern& known : kCollatedPatterns)
    if (known.fn == fn) return known.ascii && !ascii ? nullptr : known.collated;
  return nullptr;
}

}  // namespace wandian::sql
