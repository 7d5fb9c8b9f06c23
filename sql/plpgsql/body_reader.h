// BodyReader: the tokens of a PL/pgSQL body, the names that are visible where it stands, and the texts that are taken out of it.
// Private to sql/plpgsql.
// Owns:       the tree that is being made.
// Thread:     the session's shard.
// Errors:     thrown as Failure; parse() catches them.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/messages.h"
#include "sql/parse/lexer.h"
#include "sql/plpgsql/parser.h"

namespace wandian::sql::plpgsql {

struct Failure {
  Status status;
};

/// ASCII letters in lower case.
std::string lower(std::string_view word);

class BodyReader {
 public:
  explicit BodyReader(const ParseRequest& request);

 protected:
  // Tokens and errors about them.
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool is_word(std::string_view word, std::size_t ahead = 0) const { return peek(ahead).kind == TokenKind::kWord && peek(ahead).is(word); }
  bool accept(std::string_view word) {
    if (!is_word(word)) return false;
    ++at_;
    return true;
  }
  bool accept(TokenKind kind) {
    if (peek().kind != kind) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view word) {
    if (!accept(word)) unexpected();
  }
  void expect(TokenKind kind) {
    if (!accept(kind)) unexpected();
  }
  bool is_assign(std::size_t ahead = 0) const {
    const Token& token = peek(ahead);
    return (token.kind == TokenKind::kColon && token.text == ":=") || (token.kind == TokenKind::kOperator && token.text == "=");
  }
  bool is_name(const Token& token) const { return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName; }
  [[noreturn]] void fail(SqlState code, std::string message, std::int64_t offset = -1, std::string detail = {}, std::string hint = {}) const;
  // An error that PostgreSQL gives no position, but a line in its context: `internal_position` carries it.
  [[noreturn]] void fail_in_line(SqlState code, std::string message, std::size_t offset) const {
    Status status{code, std::move(message)};
    status.error().internal_position = line_of(offset);
    throw Failure{std::move(status)};
  }
  [[noreturn]] void unexpected() const { unexpected(peek()); }
  [[noreturn]] void unexpected(const Token& token) const {
    if (token.kind == TokenKind::kEnd) fail(sqlstate::syntax_error, "syntax error at end of input", static_cast<std::int64_t>(source_.size()));
    fail(sqlstate::syntax_error, "syntax error at or near " + quoted(token.text), token.offset);
  }
  [[noreturn]] void complain(const std::string& what, const Token& token) const {
    if (token.kind == TokenKind::kEnd) fail(sqlstate::syntax_error, what + " at end of input", static_cast<std::int64_t>(source_.size()));
    fail(sqlstate::syntax_error, what + " at or near " + quoted(token.text), token.offset);
  }
  int line_of(std::size_t offset) const {
    // PostgreSQL does not count a line break right at the start... of the text before the first line.
    return 1 + static_cast<int>(std::count(source_.begin(), source_.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
  }
  int line() const { return line_of(peek().offset); }
  std::string identifier();
  static std::string identifier_text(const Token& token);
  // The value of a string token.
  std::string string_text(const Token& token) const;
  static bool is_string(const Token& token) { return token.kind == TokenKind::kString || token.kind == TokenKind::kOtherString; }

  // Names.
  std::uint32_t add_variable(std::string_view name, VariableType type, int at_line);
  void add_name(std::string name, std::uint32_t variable);
  void push_label(std::string name, bool loop);
  const Variable& variable(std::uint32_t number) const { return function_->variables[number]; }
  Resolved find(std::span<const std::string> parts) const {
    std::vector<std::string_view> views(parts.begin(), parts.end());
    return resolve(*function_, names_, views);
  }
  bool declared_here(std::string_view name) const {
    for (const Name* at = names_; at != nullptr && at->kind != Name::Kind::kLabel; at = at->outer)
      if (at->name == name) return true;
    return false;
  }

  // Texts.
  const Text* make_text(TextKind kind, std::string text, std::size_t value = 0);
  std::string_view trimmed(std::size_t begin, std::size_t end) const {
    while (end > begin && is_space(source_[end - 1])) --end;
    return std::string_view(source_).substr(begin, end - begin);
  }
  // Checks the grammar of a piece of the body; `prefix` makes a statement of it.
  void check_sql(std::string_view prefix, std::string_view text, std::size_t offset) const;
  /// Reads tokens until one for which `stop` holds outside of brackets; the token stays. The text between.
  template <class Stop>
  std::string_view read_until(Stop&& stop, std::string_view expected, bool expression = true) {
    const std::size_t begin = peek().offset;
    int depth = 0;
    for (;;) {
      const Token& token = peek();
      if (depth == 0 && stop(token)) break;
      if (token.kind == TokenKind::kEnd) {
        if (depth != 0) complain("mismatched parentheses", token);
        unexpected();
      }
      if (token.kind == TokenKind::kSemicolon) {
        if (depth != 0) complain("mismatched parentheses", token);
        fail(sqlstate::syntax_error, "missing " + quoted(expected) + (expression ? " at end of SQL expression" : " at end of SQL statement"), token.offset);
      }
      if (token.kind == TokenKind::kOpen) ++depth;
      if (token.kind == TokenKind::kClose && --depth < 0) complain("mismatched parentheses", token);
      ++at_;
    }
    return trimmed(begin, peek().offset);
  }
  template <class Stop>
  const Text* expression_until(Stop&& stop, std::string_view expected) {
    const std::size_t begin = peek().offset;
    const std::string_view text = read_until(stop, expected);
    if (text.empty()) complain("missing expression", peek());
    check_sql("SELECT ", text, begin);
    return make_text(TextKind::kExpression, std::string(text));
  }
  const Text* expression_until_word(std::string_view word) {
    const Text* text = expression_until([&](const Token& t) { return t.kind == TokenKind::kWord && t.is(word); }, word == "then" ? "THEN" : "LOOP");
    ++at_;
    return text;
  }
  const Text* expression_until_semicolon() {
    const Text* text = expression_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";");
    ++at_;
    return text;
  }

  const ParseRequest& request_;
  std::shared_ptr<Function> function_;
  std::string_view source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  const Name* names_ = nullptr;
};

}  // namespace wandian::sql::plpgsql
