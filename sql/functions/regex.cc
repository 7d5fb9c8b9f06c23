#include "sql/functions/regex.h"

#include <algorithm>
#include <boost/regex.hpp>
#include <cctype>
#include <charconv>
#include <list>
#include <locale>
#include <unordered_map>

#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kCachedPatterns = 64;

Status invalid(std::string_view what) {
  return {sqlstate::invalid_regular_expression, "invalid regular expression: " + std::string(what)};
}

Status runtime_failure() {
  return {sqlstate::invalid_regular_expression, "regular expression failed: the pattern needs too many steps"};
}

// The classes that are the same characters in every locale, as what they hold; empty for others.
std::string_view fixed_class(std::string_view name) {
  if (name == "ascii") return "\x01-\x7f";
  if (name == "blank") return " \t";
  if (name == "cntrl") return "\x01-\x1f\x7f-\u009f";
  if (name == "xdigit") return "0-9a-fA-F";
  return {};
}

// PostgreSQL's advanced syntax differs from Perl's in a few escapes and in what may lead the pattern.
std::string to_perl(std::string_view pattern, const RegexFlags& flags, bool* lazy, bool* alternatives) {
  std::string out;
  if (flags.syntax == RegexSyntax::kLiteral) {
    for (const char c : pattern) {
      if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) out.push_back('\\');
      out.push_back(c);
    }
    return out;
  }
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (in_class) {
      if (c == '[' && (next == ':' || next == '.' || next == '=')) {
        const std::size_t close = pattern.find(std::string(1, next) + "]", i + 2);
        if (close != std::string_view::npos) {
          const std::string_view fixed = next == ':' ? fixed_class(pattern.substr(i + 2, close - i - 2)) : std::string_view();
          out.append(fixed.empty() ? pattern.substr(i, close + 2 - i) : fixed);
          i = close + 1;
          continue;
        }
      }
      if (c == ']') in_class = false;
      if (c == '[') out.push_back('\\');
      out.push_back(c);
      if (c == '\\' && next != '\0') {
        out.push_back(next);
        ++i;
      }
      continue;
    }
    if (c == '[') {
      // [[:<:]] and [[:>:]] stand for the edges of words.
      if (pattern.substr(i, 7) == "[[:<:]]" || pattern.substr(i, 7) == "[[:>:]]") {
        out.append(pattern[i + 3] == '<' ? "\\<" : "\\>");
        i += 6;
        continue;
      }
      in_class = true;
      out.push_back(c);
      if (next == '^') {
        out.push_back('^');
        ++i;
        if (flags.newline_sensitive_dot) out.push_back('\n');
      }
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') {
        out.append("\\]");
        ++i;
      }
      continue;
    }
    if (c == '(' && pattern.substr(i, 3) == "(?#") {
      i = std::min(pattern.find(')', i), pattern.size());   // a comment
      continue;
    }
    if (c == '\\' && next != '\0') {
      ++i;
      switch (next) {
        case 'u': case 'U': {
          // A character by its number stands as itself, so that a pattern with such is matched by characters.
          const std::size_t digits = next == 'u' ? 4 : 8;
          const std::string_view hex = pattern.substr(i + 1, digits);
          std::uint32_t code = 0;
          const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
          if (hex.size() < digits || error != std::errc() || end != hex.data() + digits || code == 0 || code > 0x10ffff ||
              (code >= 0xd800 && code < 0xe000)) {
            out.append("\\");  // not an escape: refused as an escape at the end
            return out;
          }
          if (code < 0x80 && !std::isalnum(static_cast<int>(code))) out.push_back('\\');
          char bytes[4];
          out.append(bytes, encode_utf8(code, bytes));
          i += digits;
          break;
        }
        case 'm': out.append("\\<"); break;
        case 'M': out.append("\\>"); break;
        case 'y': out.append("\\b"); break;
        case 'Y': out.append("\\B"); break;
        case 'Z': out.append("\\z"); break;
        default:
          out.push_back('\\');
          out.push_back(next);
      }
      continue;
    }
    if (c == '|') *alternatives = true;
    if (c == '?' && i > 0 && (pattern[i - 1] == '*' || pattern[i - 1] == '+' || pattern[i - 1] == '?' || pattern[i - 1] == '}'))
      *lazy = true;
    out.push_back(c);
  }
  return out;
}

boost::regex_constants::match_flag_type match_flags(const RegexFlags& flags, bool longest) {
  auto out = boost::regex_constants::match_default;
  if (!flags.newline_sensitive_anchors) out |= boost::regex_constants::match_single_line;
  if (flags.newline_sensitive_dot) out |= boost::regex_constants::match_not_dot_newline;
  if (longest) out |= boost::regex_constants::match_posix;
  return out;
}

unsigned syntax(const RegexFlags& flags) {
  unsigned out = boost::regex_constants::perl;
  if (flags.ignore_case) out |= boost::regex_constants::icase;
  if (flags.expanded) out |= boost::regex_constants::mod_x;
  return out;
}

// UTF-8 as wide characters, so that one character is one element; with the byte each begins at.
std::wstring widen(std::string_view text, std::vector<std::size_t>* offsets) {
  std::wstring out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (offsets != nullptr) offsets->push_back(i);
    out.push_back(static_cast<wchar_t>(decode_utf8(text.substr(i))));
    i += utf8_bytes(text[i]);
  }
  if (offsets != nullptr) offsets->push_back(text.size());
  return out;
}

// What is a letter, and which are its cases, as in the database's LC_CTYPE.
const std::locale& letters() {
  static const std::locale kLetters = [] {
    try {
      return std::locale("C.UTF-8");
    } catch (const std::runtime_error&) {
      return std::locale::classic();
    }
  }();
  return kLetters;
}

template <class Char>
class Compiled final : public Regex {
 public:
  Compiled(const std::basic_string<Char>& pattern, const RegexFlags& flags, bool longest)
      : flags_(match_flags(flags, longest)) {
    if constexpr (sizeof(Char) > 1) regex_.imbue(flags.ascii_letters ? std::locale::classic() : letters());
    regex_.assign(pattern, syntax(flags));
  }

  std::size_t groups() const override { return regex_.mark_count(); }

  Status test(std::string_view text, bool* out) const override {
    try {
      if constexpr (sizeof(Char) == 1) {
        *out = boost::regex_search(text.begin(), text.end(), regex_, flags_ | boost::regex_constants::match_any);
      } else {
        const std::wstring wide = widen(text, nullptr);
        *out = boost::regex_search(wide, regex_, flags_ | boost::regex_constants::match_any);
      }
    } catch (const std::runtime_error&) {
      return runtime_failure();
    }
    return {};
  }

  Status match(std::string_view text, std::size_t first, bool all, std::vector<std::vector<RegexSpan>>* out) const override {
    try {
      if constexpr (sizeof(Char) == 1) {
        collect(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), text.end(), all, nullptr, out);
      } else {
        std::vector<std::size_t> offsets;
        const std::wstring wide = widen(text, &offsets);
        const auto from = std::lower_bound(offsets.begin(), offsets.end(), first) - offsets.begin();
        collect(wide.begin(), wide.begin() + from, wide.end(), all, &offsets, out);
      }
    } catch (const std::runtime_error&) {
      return runtime_failure();
    }
    return {};
  }

 private:
  template <class Iterator>
  void collect(Iterator begin, Iterator from, Iterator end, bool all, const std::vector<std::size_t>* offsets,
               std::vector<std::vector<RegexSpan>>* out) const {
    for (;;) {
      boost::match_results<Iterator> found;
      auto flags = flags_;
      if (from != begin) flags |= boost::regex_constants::match_prev_avail | boost::regex_constants::match_not_bob;
      if (!boost::regex_search(from, end, found, regex_, flags, begin)) return;
      std::vector<RegexSpan>& spans = out->emplace_back();
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& sub = found[static_cast<int>(i)];
        RegexSpan span;
        span.matched = sub.matched;
        if (sub.matched) {
          span.begin = static_cast<std::size_t>(sub.first - begin);
          span.end = static_cast<std::size_t>(sub.second - begin);
          if (offsets != nullptr) {
            span.begin = (*offsets)[span.begin];
            span.end = (*offsets)[span.end];
          }
        }
        spans.push_back(span);
      }
      if (!all) return;
      from = found[0].second;
      if (found[0].first == found[0].second) {
        // After an empty match the search goes on one character further.
        if (from == end) return;
        ++from;
      }
    }
  }

  boost::basic_regex<Char> regex_;
  boost::regex_constants::match_flag_type flags_;
};

// ASCII text is matched byte by byte, other text as wide characters.
class Both final : public Regex {
 public:
  Both(const std::string& pattern, const RegexFlags& flags, bool longest)
      : wide_(widen(pattern, nullptr), flags, longest) {
    if (is_ascii(pattern)) narrow_ = std::make_unique<Compiled<char>>(pattern, flags, longest);
  }
  std::size_t groups() const override { return wide_.groups(); }
  Status test(std::string_view text, bool* out) const override { return of(text).test(text, out); }
  Status match(std::string_view text, std::size_t from, bool all, std::vector<std::vector<RegexSpan>>* out) const override {
    return of(text).match(text, from, all, out);
  }

 private:
  const Regex& of(std::string_view text) const {
    if (narrow_ != nullptr && is_ascii(text)) return *narrow_;
    return wide_;
  }
  std::unique_ptr<Compiled<char>> narrow_;
  Compiled<wchar_t> wide_;
};

struct Cache {
  struct Entry {
    std::string key;
    std::shared_ptr<const Regex> regex;
  };
  std::list<Entry> entries;   // most recently used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key;
};

}  // namespace

Status parse_regex_flags(std::string_view letters, RegexFlags* out) {
  for (std::size_t i = 0; i < letters.size(); ++i) {
    switch (letters[i]) {
      case 'i': out->ignore_case = true; break;
      case 'c': out->ignore_case = false; break;
      case 'g': out->global = true; break;
      case 'n': case 'm':
        out->newline_sensitive_dot = out->newline_sensitive_anchors = true;
        break;
      case 'p': out->newline_sensitive_dot = true; break;
      case 'w': out->newline_sensitive_anchors = true; break;
      case 's': out->newline_sensitive_dot = out->newline_sensitive_anchors = false; break;
      case 'q': out->syntax = RegexSyntax::kLiteral; break;
      // PostgreSQL takes e for extended ones, but clears what it has just set, and so has basic ones.
      case 'b': case 'e': out->syntax = RegexSyntax::kBasic; break;
      case 'x': out->expanded = true; break;
      case 't': out->expanded = false; break;
      default:
        return {sqlstate::invalid_parameter_value,
                "invalid regular expression option: \"" + std::string(letters.substr(i, utf8_bytes(letters[i]))) + "\""};
    }
  }
  return {};
}

Status Regex::find(std::string_view pattern, const RegexFlags& flags, std::shared_ptr<const Regex>* out) {
  thread_local Cache cache;
  std::string key;
  key.push_back(static_cast<char>('0' + flags.ignore_case + 2 * flags.newline_sensitive_dot +
                                  4 * flags.newline_sensitive_anchors + 8 * flags.expanded + 16 * flags.ascii_letters));
  key.push_back(static_cast<char>(flags.syntax));
  key += pattern;
  if (const auto it = cache.by_key.find(key); it != cache.by_key.end()) {
    cache.entries.splice(cache.entries.begin(), cache.entries, it->second);
    *out = it->second->regex;
    return {};
  }
  RegexFlags own = flags;
  bool lazy = false;
  bool alternatives = false;
  std::string advanced;
  WANDIAN_TRY(take_regex_options(&pattern, &own));
  if (own.syntax == RegexSyntax::kBasic || own.syntax == RegexSyntax::kExtended) {
    WANDIAN_TRY(advance_regex(pattern, own, &advanced));
    own.expanded = false;
    pattern = advanced;
  }
  if (own.syntax != RegexSyntax::kLiteral) WANDIAN_TRY(check_regex(pattern, own.expanded));
  const std::string perl = to_perl(pattern, own, &lazy, &alternatives);
  // PostgreSQL takes the longest of several alternatives; Perl takes the first.
  const bool longest = alternatives && !lazy;
  std::shared_ptr<const Regex> regex;
  try {
    regex = std::make_shared<Both>(perl, own, longest);
  } catch (const boost::regex_error& error) {
    using namespace boost::regex_constants;
    switch (error.code()) {
      case error_paren: return invalid("parentheses () not balanced");
      case error_brack: return invalid("brackets [] not balanced");
      case error_brace: return invalid("braces {} not balanced");
      case error_badbrace: return invalid("invalid repetition count(s)");
      case error_range: return invalid("invalid character range");
      case error_ctype: return invalid("invalid character class");
      case error_escape: return invalid("invalid escape \\ sequence");
      case error_backref: return invalid("invalid backreference number");
      case error_badrepeat: return invalid("quantifier operand invalid");
      default: return invalid("invalid regexp");
    }
  } catch (const std::runtime_error&) {
    return invalid("regular expression is too complex");
  }
  if (cache.entries.size() == kCachedPatterns) {
    cache.by_key.erase(cache.entries.back().key);
    cache.entries.pop_back();
  }
  cache.entries.push_front({std::move(key), regex});
  cache.by_key.emplace(cache.entries.front().key, cache.entries.begin());
  *out = std::move(regex);
  return {};
}

Status similar_to_regex(std::string_view pattern, std::string_view escape, std::string* out) {
  if (utf8_length(escape) > 1)
    return Status{sqlstate::invalid_escape_sequence, "invalid escape string"}.with_hint(
        "Escape string must be empty or one character.");
  // Of SUBSTRING's three parts the first is the shortest possible, so that its quantifiers take as little as they can.
  const bool parts = !escape.empty() && pattern.find(std::string(escape) + '"') != std::string_view::npos;
  *out = "^(?:";
  bool in_class = false;
  bool escaped = false;
  int separators = 0;
  const auto lazy = [&] { return parts && separators == 0; };
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (escaped) {
      if (c == '"' && !in_class) {
        // The parts of SUBSTRING(s SIMILAR p ESCAPE e).
        if (separators == 0) *out += ")(";
        else if (separators == 1) *out += ")(?:";
        else
          return {sqlstate::invalid_use_of_escape_character, "SQL regular expression may not contain more than two escape-double-quote separators"};
        ++separators;
      } else {
        *out += '\\';
        *out += c;
      }
      escaped = false;
    } else if (!escape.empty() && pattern.substr(i, escape.size()) == escape) {
      escaped = true;
      i += escape.size() - 1;
    } else if (in_class) {
      if (c == '\\') *out += '\\';
      *out += c;
      if (c == ']') in_class = false;
    } else if (c == '[') {
      *out += c;
      in_class = true;
    } else if (c == '%') {
      *out += lazy() ? ".*?" : ".*";
    } else if (lazy() && (c == '*' || c == '+' || c == '?' || c == '}')) {
      *out += c;
      *out += '?';
    } else if (c == '_') {
      *out += '.';
    } else if (c == '(') {
      *out += "(?:";
    } else if (c == '\\' || c == '.' || c == '^' || c == '$') {
      *out += '\\';
      *out += c;
    } else {
      *out += c;
    }
  }
  *out += ")$";
  return {};
}

}  // namespace wandian::sql
