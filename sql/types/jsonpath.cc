// Reads a jsonpath by recursive descent and prints it.
#include "sql/types/jsonpath.h"

#include <vector>

#include "engine/numeric.h"
#include "sql/types/json.h"
#include "sql/types/jsonpath_lexer.h"
#include "sql/types/number_text.h"

namespace wandian::sql {

namespace {

using Kind = JsonPathNode::Kind;
using Token = JsonPathLexer::Token;

constexpr int kMaxDepth = 2000;

class Parser {
 public:
  Parser(std::string_view text, Arena& arena) : lexer_(text, arena), arena_(arena), source_(text) {}

  Status run(JsonPath* out) {
    if (!path(out) && error_.ok()) return std::move(lexer_.error());
    return std::move(error_);
  }

 private:
  bool path(JsonPath* out) {
    if (!lexer_.next()) return false;
    if (lexer_.token() == Token::kEnd) {
      return fail({sqlstate::invalid_text_representation, "invalid input syntax for type jsonpath: \"" + std::string(source_) + "\""});
    }
    if (lexer_.token() == Token::kStrict || lexer_.token() == Token::kLax) {
      out->strict = lexer_.token() == Token::kStrict;
      if (!lexer_.next()) return false;
    }
    JsonPathNode* root;
    if (!disjunction(&root)) return false;
    if (lexer_.token() != Token::kEnd) return unexpected();
    out->root = root;
    return check(root, 0, false);
  }

  bool fail(Status status) {
    error_ = std::move(status);
    return false;
  }
  bool unexpected() { return lexer_.fail("syntax error"); }
  JsonPathNode* node(Kind kind) {
    auto* out = new (arena_.allocate(sizeof(JsonPathNode), alignof(JsonPathNode))) JsonPathNode;
    out->kind = kind;
    return out;
  }
  JsonPathNode* node(Kind kind, const JsonPathNode* left, const JsonPathNode* right = nullptr) {
    JsonPathNode* out = node(kind);
    out->left = left;
    out->right = right;
    return out;
  }
  JsonPathNode* text_node(Kind kind) {
    JsonPathNode* out = node(kind);
    out->text = arena_.copy(lexer_.text());
    return out;
  }
  // With accessors behind it a predicate is a value.
  static bool is_predicate(const JsonPathNode* item) { return item->predicate() && item->next == nullptr; }

  bool disjunction(JsonPathNode** out) {
    if (!conjunction(out)) return false;
    while (lexer_.token() == Token::kOr) {
      JsonPathNode* right;
      if (!is_predicate(*out)) return unexpected();
      if (!lexer_.next() || !conjunction(&right)) return false;
      if (!is_predicate(right)) return unexpected();
      *out = node(Kind::kOr, *out, right);
    }
    return true;
  }
  bool conjunction(JsonPathNode** out) {
    if (!comparison(out)) return false;
    while (lexer_.token() == Token::kAnd) {
      JsonPathNode* right;
      if (!is_predicate(*out)) return unexpected();
      if (!lexer_.next() || !comparison(&right)) return false;
      if (!is_predicate(right)) return unexpected();
      *out = node(Kind::kAnd, *out, right);
    }
    return true;
  }

  static bool comparison_kind(Token token, Kind* kind) {
    switch (token) {
      case Token::kEqual: *kind = Kind::kEqual; return true;
      case Token::kNotEqual: *kind = Kind::kNotEqual; return true;
      case Token::kLess: *kind = Kind::kLess; return true;
      case Token::kLessOrEqual: *kind = Kind::kLessOrEqual; return true;
      case Token::kGreater: *kind = Kind::kGreater; return true;
      case Token::kGreaterOrEqual: *kind = Kind::kGreaterOrEqual; return true;
      default: return false;
    }
  }
  bool comparison(JsonPathNode** out) {
    if (lexer_.token() == Token::kNot) {
      JsonPathNode* arg;
      if (!lexer_.next()) return false;
      if (lexer_.token() != Token::kExists && !lexer_.is('(')) return unexpected();
      if (!primary(&arg, false)) return false;
      if (!is_predicate(arg)) return unexpected();
      *out = node(Kind::kNot, arg);
      return true;
    }
    if (!sum(out)) return false;
    if (is_predicate(*out)) return true;
    Kind kind;
    if (comparison_kind(lexer_.token(), &kind)) {
      JsonPathNode* right;
      if (!lexer_.next() || !sum(&right)) return false;
      if (is_predicate(right)) return unexpected();
      *out = node(kind, *out, right);
      return true;
    }
    if (lexer_.token() == Token::kStarts) return starts_with(out);
    return lexer_.token() != Token::kLikeRegex || like_regex(out);
  }
  bool starts_with(JsonPathNode** out) {
    if (!lexer_.next()) return false;
    if (lexer_.token() != Token::kWith) return unexpected();
    if (!lexer_.next()) return false;
    if (lexer_.token() != Token::kString && lexer_.token() != Token::kVariable) return unexpected();
    *out = node(Kind::kStartsWith, *out, text_node(lexer_.token() == Token::kString ? Kind::kString : Kind::kVariable));
    return lexer_.next();
  }
  bool like_regex(JsonPathNode** out) {
    if (!lexer_.next()) return false;
    if (lexer_.token() != Token::kString) return unexpected();
    JsonPathNode* made = text_node(Kind::kLikeRegex);
    made->left = *out;
    if (!lexer_.next()) return false;
    if (lexer_.token() == Token::kFlag) {
      if (!lexer_.next()) return false;
      if (lexer_.token() != Token::kString) return unexpected();
      if (!regex_flags(made)) return false;
      if (!lexer_.next()) return false;
    }
    if ((made->regex_flags & (kRegexExpanded | kRegexQuote)) == kRegexExpanded) {
      return fail({sqlstate::feature_not_supported, "XQuery \"x\" flag (expanded regular expressions) is not implemented"});
    }
    std::shared_ptr<const Regex> compiled;
    if (Status status = Regex::find(made->text, regex_flags_of(*made), &compiled); !status.ok()) return fail(std::move(status));
    *out = made;
    return true;
  }
  bool regex_flags(JsonPathNode* made) {
    const std::string_view letters = lexer_.text();
    for (std::size_t i = 0; i < letters.size(); ++i) {
      switch (letters[i]) {
        case 'i': made->regex_flags |= kRegexIgnoreCase; break;
        case 's': made->regex_flags |= kRegexDotAll; break;
        case 'm': made->regex_flags |= kRegexMultiline; break;
        case 'x': made->regex_flags |= kRegexExpanded; break;
        case 'q': made->regex_flags |= kRegexQuote; break;
        default: {
          std::size_t size = 1;
          while (i + size < letters.size() && (letters[i + size] & 0xc0) == 0x80) ++size;
          return fail(Status{sqlstate::syntax_error, "invalid input syntax for type jsonpath"}.with_detail(
              "Unrecognized flag character \"" + std::string(letters.substr(i, size)) + "\" in LIKE_REGEX predicate."));
        }
      }
    }
    return true;
  }

  bool sum(JsonPathNode** out) {
    if (!product(out)) return false;
    while (lexer_.is('+') || lexer_.is('-')) {
      const Kind kind = lexer_.is('+') ? Kind::kAdd : Kind::kSubtract;
      JsonPathNode* right;
      if (is_predicate(*out)) return unexpected();
      if (!lexer_.next() || !product(&right)) return false;
      if (is_predicate(right)) return unexpected();
      *out = node(kind, *out, right);
    }
    return true;
  }
  bool product(JsonPathNode** out) {
    if (!sign(out)) return false;
    while (lexer_.is('*') || lexer_.is('/') || lexer_.is('%')) {
      const Kind kind = lexer_.is('*') ? Kind::kMultiply : lexer_.is('/') ? Kind::kDivide : Kind::kModulo;
      JsonPathNode* right;
      if (is_predicate(*out)) return unexpected();
      if (!lexer_.next() || !sign(&right)) return false;
      if (is_predicate(right)) return unexpected();
      *out = node(kind, *out, right);
    }
    return true;
  }
  bool sign(JsonPathNode** out) {
    if (!lexer_.is('+') && !lexer_.is('-')) return primary(out);
    if (++depth_ > kMaxDepth) return fail({sqlstate::statement_too_complex, "stack depth limit exceeded"});
    const bool minus = lexer_.is('-');
    JsonPathNode* arg;
    if (!lexer_.next() || !sign(&arg)) return false;
    if (is_predicate(arg)) return unexpected();
    --depth_;
    if (arg->kind == Kind::kNumber && arg->next == nullptr) {
      if (minus) {
        Numeric number;
        if (Status status = parse_numeric(arg->text, &number); !status.ok()) return fail(std::move(status));
        arg->text = arena_.copy(numeric_to_string(negate(std::move(number))));
      }
      *out = arg;
      return true;
    }
    *out = node(minus ? Kind::kMinus : Kind::kPlus, arg);
    return true;
  }

  bool primary(JsonPathNode** out, bool may_be_unknown = true) {
    if (++depth_ > kMaxDepth) return fail({sqlstate::statement_too_complex, "stack depth limit exceeded"});
    const bool ok = atom(out, may_be_unknown);
    --depth_;
    return ok;
  }
  bool atom(JsonPathNode** out, bool may_be_unknown) {
    if (lexer_.token() == Token::kExists) {
      JsonPathNode* arg;
      if (!lexer_.next()) return false;
      if (!lexer_.is('(')) return unexpected();
      if (!lexer_.next() || !sum(&arg)) return false;
      if (is_predicate(arg) || !lexer_.is(')')) return unexpected();
      *out = node(Kind::kExists, arg);
      return lexer_.next();
    }
    if (lexer_.is('(')) {
      if (!lexer_.next() || !disjunction(out)) return false;
      if (!lexer_.is(')')) return unexpected();
      if (!lexer_.next()) return false;
      if (may_be_unknown && lexer_.token() == Token::kIs && is_predicate(*out)) {
        if (!lexer_.next()) return false;
        if (lexer_.token() != Token::kUnknown) return unexpected();
        *out = node(Kind::kIsUnknown, *out);
          return lexer_.next();
      }
      return accessors(*out);
    }
    switch (lexer_.token()) {
      case Token::kString: *out = text_node(Kind::kString); break;
      case Token::kVariable: *out = text_node(Kind::kVariable); break;
      case Token::kNull: *out = node(Kind::kNull); break;
      case Token::kTrue: case Token::kFalse:
        *out = node(Kind::kBool);
        (*out)->flag = lexer_.token() == Token::kTrue;
        break;
      case Token::kNumber: case Token::kInteger: {
        *out = node(Kind::kNumber);
        Numeric number;
        if (Status status = parse_numeric(lexer_.text(), &number); !status.ok()) return fail(std::move(status));
        (*out)->text = arena_.copy(numeric_to_string(number));
        break;
      }
      case Token::kLast: *out = node(Kind::kLast); break;
      default:
        if (!lexer_.is('$') && !lexer_.is('@')) return unexpected();
        *out = node(lexer_.is('$') ? Kind::kRoot : Kind::kCurrent);
    }
    return lexer_.next() && accessors(*out);
  }

  // The steps behind `head`.
  bool accessors(JsonPathNode* head) {
    JsonPathNode* end = head;
    while (end->next != nullptr) end = end->next;
    while (lexer_.is('.') || lexer_.is('[') || lexer_.is('?')) {
      JsonPathNode* step;
      const char symbol = lexer_.symbol();
      if (!lexer_.next()) return false;
      if (symbol == '[' ? !subscripts(&step) : symbol == '?' ? !filter(&step) : !member(&step)) return false;
      end->next = step;
      end = step;
    }
    return true;
  }
  bool filter(JsonPathNode** out) {
    JsonPathNode* condition;
    if (!lexer_.is('(')) return unexpected();
    if (!lexer_.next() || !disjunction(&condition)) return false;
    if (!is_predicate(condition) || !lexer_.is(')')) return unexpected();
    *out = node(Kind::kFilter, condition);
    return lexer_.next();
  }
  bool subscripts(JsonPathNode** out) {
    if (lexer_.is('*')) {
      *out = node(Kind::kAnyArray);
      if (!lexer_.next()) return false;
    } else {
      std::vector<JsonPathSubscript> items;
      for (;;) {
        JsonPathNode* from;
        JsonPathNode* to = nullptr;
        if (!sum(&from)) return false;
        if (is_predicate(from)) return unexpected();
        if (lexer_.token() == Token::kTo) {
          if (!lexer_.next() || !sum(&to)) return false;
          if (is_predicate(to)) return unexpected();
        }
        items.push_back({from, to});
        if (!lexer_.is(',')) break;
        if (!lexer_.next()) return false;
      }
      *out = node(Kind::kSubscripts);
      auto* kept = arena_.allocate_array<JsonPathSubscript>(items.size());
      std::copy(items.begin(), items.end(), kept);
      (*out)->subscripts = kept;
      (*out)->first = static_cast<std::uint32_t>(items.size());
    }
    if (!lexer_.is(']')) return unexpected();
    return lexer_.next();
  }
  static bool method_kind(Token token, Kind* kind) {
    switch (token) {
      case Token::kAbs: *kind = Kind::kAbs; return true;
      case Token::kSize: *kind = Kind::kSize; return true;
      case Token::kType: *kind = Kind::kType; return true;
      case Token::kFloor: *kind = Kind::kFloor; return true;
      case Token::kDouble: *kind = Kind::kDouble; return true;
      case Token::kCeiling: *kind = Kind::kCeiling; return true;
      case Token::kKeyValue: *kind = Kind::kKeyValue; return true;
      case Token::kDatetime: *kind = Kind::kDatetime; return true;
      default: return false;
    }
  }
  // Behind a dot: a key, *, ** or a method.
  bool member(JsonPathNode** out) {
    if (lexer_.is('*')) {
      *out = node(Kind::kAnyKey);
      return lexer_.next();
    }
    if (lexer_.token() == Token::kAny) return any_depth(out);
    if (lexer_.token() != Token::kString && lexer_.token() != Token::kIdentifier && !lexer_.keyword()) return unexpected();
    Kind method;
    const bool may_be_method = method_kind(lexer_.token(), &method);
    *out = text_node(Kind::kKey);
    if (!lexer_.next()) return false;
    if (!may_be_method || !lexer_.is('(')) return true;
    *out = node(method);
    if (!lexer_.next()) return false;
    if (method == Kind::kDatetime && lexer_.token() == Token::kString) {
      (*out)->left = text_node(Kind::kString);
      if (!lexer_.next()) return false;
    }
    if (!lexer_.is(')')) return unexpected();
    return lexer_.next();
  }
  bool level(std::uint32_t* out) {
    if (lexer_.token() == Token::kLast) {
      *out = JsonPathNode::kDeepest;
      return lexer_.next();
    }
    if (lexer_.token() != Token::kInteger) return unexpected();
    std::int64_t value;
    if (Status status = parse_int(lexer_.text(), INT32_MIN, INT32_MAX, "integer", &value); !status.ok()) return fail(std::move(status));
    *out = static_cast<std::uint32_t>(value);
    return lexer_.next();
  }
  bool any_depth(JsonPathNode** out) {
    JsonPathNode* made = node(Kind::kAnyDepth);
    *out = made;
    made->last = JsonPathNode::kDeepest;
    if (!lexer_.next()) return false;
    if (!lexer_.is('{')) return true;
    if (!lexer_.next() || !level(&made->first)) return false;
    made->last = made->first;
    if (lexer_.token() == Token::kTo && (!lexer_.next() || !level(&made->last))) return false;
    if (!lexer_.is('}')) return unexpected();
    return lexer_.next();
  }

  // What the grammar cannot say: where @ and last may stand.
  bool check(const JsonPathNode* item, int filters, bool in_subscript) {
    for (; item != nullptr; item = item->next) {
      if (item->kind == Kind::kCurrent && filters == 0) return fail({sqlstate::syntax_error, "@ is not allowed in root expressions"});
      if (item->kind == Kind::kLast && !in_subscript)
        return fail({sqlstate::syntax_error, "LAST is allowed only in array subscripts"});
      const int inner = filters + (item->kind == Kind::kFilter ? 1 : 0);
      if (item->left != nullptr && !check(item->left, inner, in_subscript)) return false;
      if (item->right != nullptr && !check(item->right, inner, in_subscript)) return false;
      for (std::uint32_t i = 0; item->kind == Kind::kSubscripts && i < item->first; ++i) {
        if (!check(item->subscripts[i].from, filters, true)) return false;
        if (item->subscripts[i].to != nullptr && !check(item->subscripts[i].to, filters, true)) return false;
      }
    }
    return true;
  }

  JsonPathLexer lexer_;
  Arena& arena_;
  std::string_view source_;
  Status error_;
  int depth_ = 0;
};

int priority(Kind kind) {
  switch (kind) {
    case Kind::kOr: return 0;
    case Kind::kAnd: return 1;
    case Kind::kEqual: case Kind::kNotEqual: case Kind::kLess: case Kind::kLessOrEqual: case Kind::kGreater: case Kind::kGreaterOrEqual:
    case Kind::kStartsWith:
      return 2;
    case Kind::kAdd: case Kind::kSubtract: return 3;
    case Kind::kMultiply: case Kind::kDivide: case Kind::kModulo: return 4;
    case Kind::kPlus: case Kind::kMinus: return 5;
    default: return 6;
  }
}

class Printer {
 public:
  explicit Printer(TextBuilder& out) : out_(out) {}

  void print(const JsonPathNode& item, bool in_key, bool brackets) {
    step(item, in_key, brackets);
    if (item.next != nullptr) print(*item.next, true, true);
  }

 private:
  void operand(const JsonPathNode& item, Kind of) { print(item, false, priority(item.kind) <= priority(of)); }
  void bound(std::uint32_t level) {
    char text[kNumberTextBytes];
    if (level == JsonPathNode::kDeepest) out_.append("last");
    else out_.append(text, static_cast<std::size_t>(write_uint(level, text) - text));
  }
  void around(std::string_view before, const JsonPathNode& arg, std::string_view after) {
    out_.append(before);
    print(arg, false, false);
    out_.append(after);
  }
  void any_depth(const JsonPathNode& item) {
    out_.append("**");
    if (item.first == 0 && item.last == JsonPathNode::kDeepest) return;
    out_.push_back('{');
    bound(item.first);
    if (item.last != item.first) {
      out_.append(" to ");
      bound(item.last);
    }
    out_.push_back('}');
  }
  void subscripts(const JsonPathNode& item) {
    out_.push_back('[');
    for (std::uint32_t i = 0; i < item.first; ++i) {
      if (i > 0) out_.push_back(',');
      print(*item.subscripts[i].from, false, false);
      if (item.subscripts[i].to != nullptr) around(" to ", *item.subscripts[i].to, "");
    }
    out_.push_back(']');
  }
  void like_regex(const JsonPathNode& item) {
    operand(*item.left, item.kind);
    out_.append(" like_regex ");
    write_json_string(item.text, out_);
    if (item.regex_flags == 0) return;
    out_.append(" flag \"");
    for (const auto& [flag, letter] : {std::pair{kRegexIgnoreCase, 'i'}, std::pair{kRegexDotAll, 's'}, std::pair{kRegexMultiline, 'm'},
                                       std::pair{kRegexExpanded, 'x'}, std::pair{kRegexQuote, 'q'}})
      if ((item.regex_flags & flag) != 0) out_.push_back(letter);
    out_.push_back('"');
  }
  void method(const JsonPathNode& item) {
    out_.push_back('.');
    out_.append(jsonpath_operation(item.kind));
    out_.push_back('(');
    if (item.left != nullptr) print(*item.left, false, false);
    out_.push_back(')');
  }
  void step(const JsonPathNode& item, bool in_key, bool brackets) {
    switch (item.kind) {
      case Kind::kNull: out_.append("null"); return;
      case Kind::kBool: out_.append(item.flag ? "true" : "false"); return;
      case Kind::kNumber:
        if (item.next != nullptr) out_.push_back('(');
        out_.append(item.text);
        if (item.next != nullptr) out_.push_back(')');
        return;
      case Kind::kString: write_json_string(item.text, out_); return;
      case Kind::kVariable:
        out_.push_back('$');
        write_json_string(item.text, out_);
        return;
      case Kind::kRoot: out_.push_back('$'); return;
      case Kind::kCurrent: out_.push_back('@'); return;
      case Kind::kLast: out_.append("last"); return;
      case Kind::kKey:
        if (in_key) out_.push_back('.');
        write_json_string(item.text, out_);
        return;
      case Kind::kAnyKey:
        if (in_key) out_.push_back('.');
        out_.push_back('*');
        return;
      case Kind::kAnyArray: out_.append("[*]"); return;
      case Kind::kSubscripts: return subscripts(item);
      case Kind::kAnyDepth:
        if (in_key) out_.push_back('.');
        return any_depth(item);
      case Kind::kFilter: return around("?(", *item.left, ")");
      case Kind::kNot: return around("!(", *item.left, ")");
      case Kind::kIsUnknown: return around("(", *item.left, ") is unknown");
      case Kind::kExists: return around("exists (", *item.left, ")");
      case Kind::kType: case Kind::kSize: case Kind::kAbs: case Kind::kFloor: case Kind::kCeiling: case Kind::kDouble: case Kind::kDatetime:
      case Kind::kKeyValue:
        return method(item);
      default: break;
    }
    if (brackets) out_.push_back('(');
    if (item.kind == Kind::kLikeRegex) {
      like_regex(item);
    } else if (item.kind == Kind::kPlus || item.kind == Kind::kMinus) {
      out_.push_back(item.kind == Kind::kPlus ? '+' : '-');
      operand(*item.left, item.kind);
    } else {
      operand(*item.left, item.kind);
      out_.push_back(' ');
      out_.append(jsonpath_operation(item.kind));
      out_.push_back(' ');
      operand(*item.right, item.kind);
    }
    if (brackets) out_.push_back(')');
  }

  TextBuilder& out_;
};

}  // namespace

RegexFlags regex_flags_of(const JsonPathNode& like_regex) {
  RegexFlags out;
  out.ignore_case = (like_regex.regex_flags & kRegexIgnoreCase) != 0;
  if ((like_regex.regex_flags & kRegexQuote) != 0) {
    out.syntax = RegexSyntax::kLiteral;
  } else {
    out.newline_sensitive_dot = (like_regex.regex_flags & kRegexDotAll) == 0;
    out.newline_sensitive_anchors = (like_regex.regex_flags & kRegexMultiline) != 0;
  }
  return out;
}

std::string_view jsonpath_operation(Kind kind) {
  switch (kind) {
    case Kind::kAnd: return "&&";
    case Kind::kOr: return "||";
    case Kind::kEqual: return "==";
    case Kind::kNotEqual: return "!=";
    case Kind::kLess: return "<";
    case Kind::kLessOrEqual: return "<=";
    case Kind::kGreater: return ">";
    case Kind::kGreaterOrEqual: return ">=";
    case Kind::kAdd: case Kind::kPlus: return "+";
    case Kind::kSubtract: case Kind::kMinus: return "-";
    case Kind::kMultiply: return "*";
    case Kind::kDivide: return "/";
    case Kind::kModulo: return "%";
    case Kind::kStartsWith: return "starts with";
    case Kind::kLikeRegex: return "like_regex";
    case Kind::kType: return "type";
    case Kind::kSize: return "size";
    case Kind::kAbs: return "abs";
    case Kind::kFloor: return "floor";
    case Kind::kCeiling: return "ceiling";
    case Kind::kDouble: return "double";
    case Kind::kDatetime: return "datetime";
    case Kind::kKeyValue: return "keyvalue";
    default: return "";
  }
}

Status parse_jsonpath(std::string_view text, Arena& arena, JsonPath* out) { return Parser(text, arena).run(out); }

void write_jsonpath(const JsonPath& path, TextBuilder& out) {
  if (path.strict) out.append("strict ");
  Printer(out).print(*path.root, false, true);
}

}  // namespace wandian::sql
