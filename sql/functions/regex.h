// Regular expressions in PostgreSQL's syntax, on Boost.Regex.
// Limits:  alternatives with a lazy quantifier in the pattern are tried in order, not for the longest match; back
//          references and look-ahead work; equivalence classes and collating elements do not.
// Thread:  a cache of compiled patterns per thread; a pattern found stays good until the next find.
// Errors:  2201B invalid_regular_expression; also for patterns that need too many steps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace wandian::sql {

enum class RegexSyntax : std::uint8_t { kAdvanced, kExtended, kBasic, kLiteral };

struct RegexFlags {
  bool ignore_case = false;
  bool global = false;
  bool newline_sensitive_dot = false;      ///< n, p: . and [^ do not match a newline
  bool newline_sensitive_anchors = false;  ///< n, w: ^ and $ match at newlines
  bool expanded = false;                   ///< x
  bool ascii_letters = false;              ///< letters, digits, spaces and cases are those of ASCII: the collations C and POSIX
  RegexSyntax syntax = RegexSyntax::kAdvanced;   ///< b, e, q
};
/// The letters of a flags argument: 2201B "invalid regular expression option".
Status parse_regex_flags(std::string_view letters, RegexFlags* out);

struct RegexSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool matched = false;
};

/// Takes directors and embedded options ("***=", "(?i)") off the pattern's beginning and into the flags.
Status take_regex_options(std::string_view* pattern, RegexFlags* flags);
/// A basic or extended regular expression as an advanced one, which is not kExpanded any more.
Status advance_regex(std::string_view pattern, const RegexFlags& flags, std::string* out);
/// 2201B for what PostgreSQL refuses in an advanced one and the engine would take. `expanded`: with comments.
Status check_regex(std::string_view pattern, bool expanded);

class Regex {
 public:
  /// Compiled, or from the thread's cache.
  static Status find(std::string_view pattern, const RegexFlags& flags, std::shared_ptr<const Regex>* out);
  virtual ~Regex() = default;
  virtual std::size_t groups() const = 0;   ///< capturing parentheses
  /// All matches (or the first alone) that begin at byte `from` or after it: each has 1 + groups() spans, in bytes of `text`.
  virtual Status match(std::string_view text, std::size_t from, bool all, std::vector<std::vector<RegexSpan>>* out) const = 0;
  /// Whether it matches anywhere.
  virtual Status test(std::string_view text, bool* out) const = 0;
};

/// SIMILAR TO's pattern as a regular expression; escape is empty for none. 22019, 2200B.
Status similar_to_regex(std::string_view pattern, std::string_view escape, std::string* out);

}  // namespace wandian::sql
