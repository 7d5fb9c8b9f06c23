#include "sql/plpgsql/body_reader.h"

#include "sql/parse/parser.h"

namespace wandian::sql::plpgsql {

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

BodyReader::BodyReader(const ParseRequest& request) : request_(request), function_(std::make_shared<Function>()) {
  function_->source = request.source;
  function_->name = request.name;
  function_->is_trigger = request.is_trigger;
  source_ = function_->source;
  Lexer lexer(source_);
  for (;;) {
    const Token token = lexer.next();
    tokens_.push_back(token);
    if (token.kind == TokenKind::kEnd) break;
    if (token.kind == TokenKind::kError) {
      tokens_.push_back({TokenKind::kEnd, {}, static_cast<std::uint32_t>(source_.size())});
      break;
    }
  }
}

void BodyReader::fail(SqlState code, std::string message, std::int64_t offset, std::string detail, std::string hint) const {
  Status status{code, std::move(message)};
  if (!detail.empty()) status = std::move(status).with_detail(std::move(detail));
  if (!hint.empty()) status = std::move(status).with_hint(std::move(hint));
  if (offset >= 0) status = std::move(status).with_position(character_position(source_, static_cast<std::int32_t>(offset)));
  throw Failure{std::move(status)};
}

std::string BodyReader::identifier() {
  const Token& token = peek();
  if (!is_name(token)) unexpected();
  ++at_;
  return identifier_text(token);
}

std::string BodyReader::identifier_text(const Token& token) {
  if (token.kind == TokenKind::kWord) return lower(token.text).substr(0, 63);
  std::string out;
  for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
    out += token.text[i];
    if (token.text[i] == '"') ++i;
  }
  return out;
}

std::string BodyReader::string_text(const Token& token) const {
  Result<ParsedStatements> parsed = ParsedStatements::parse("SELECT " + std::string(token.text));
  if (parsed.ok() && parsed->statements().size() == 1 && parsed->statements()[0].node->node_case == PG_QUERY__NODE__NODE_SELECT_STMT) {
    const PgQuery__SelectStmt& select = *parsed->statements()[0].node->select_stmt;
    if (select.n_target_list == 1 && select.target_list[0]->res_target->val->node_case == PG_QUERY__NODE__NODE_A_CONST) {
      const PgQuery__AConst& constant = *select.target_list[0]->res_target->val->a_const;
      if (constant.val_case == PG_QUERY__A__CONST__VAL_SVAL) return std::string(text_or_empty(constant.sval->sval));
    }
  }
  unexpected(token);
}

std::uint32_t BodyReader::add_variable(std::string_view name, VariableType type, int at_line) {
  Variable& variable = function_->variables.emplace_back();
  variable.name = name;
  variable.type = type;
  variable.line = at_line;
  return static_cast<std::uint32_t>(function_->variables.size() - 1);
}

void BodyReader::add_name(std::string name, std::uint32_t variable) {
  Name& added = function_->names.emplace_back();
  added.name = std::move(name);
  added.datum = variable;
  added.outer = names_;
  names_ = &added;
}

void BodyReader::push_label(std::string name, bool loop) {
  Name& added = function_->names.emplace_back();
  added.kind = Name::Kind::kLabel;
  added.name = std::move(name);
  added.loop = loop;
  added.outer = names_;
  names_ = &added;
}

const Text* BodyReader::make_text(TextKind kind, std::string text, std::size_t value) {
  Text& made = function_->texts.emplace_back();
  made.kind = kind;
  made.text = std::move(text);
  made.value = value;
  made.names = names_;
  made.id = static_cast<std::uint32_t>(function_->texts.size() - 1);
  return &made;
}

void BodyReader::check_sql(std::string_view prefix, std::string_view text, std::size_t offset) const {
  const Result<ParsedStatements> parsed = ParsedStatements::parse(std::string(prefix) + std::string(text));
  if (parsed.ok()) {
    if (prefix.empty() || (parsed.value().statements().size() == 1)) return;
    fail(sqlstate::syntax_error, "syntax error at or near " + quoted(text.substr(0, text.find_first_of(" \t\n"))), static_cast<std::int64_t>(offset));
  }
  Status status = parsed.status().clone();
  const std::int32_t position = status.error().position;
  if (position > 0) {
    const std::int32_t before = character_position(source_, static_cast<std::int32_t>(offset));
    status.error().position = std::max(1, position - static_cast<std::int32_t>(prefix.size()) + before - 1);
  }
  throw Failure{std::move(status)};
}

}  // namespace wandian::sql::plpgsql
