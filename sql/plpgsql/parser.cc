// The grammar of a body from its first line down to its statements.
#include <array>

#include "sql/parse/parser.h"
#include "sql/plpgsql/parser_impl.h"

namespace wandian::sql::plpgsql {

namespace {

constexpr std::array<std::string_view, 24> kReserved{"all",    "begin", "by",   "case", "declare", "else", "end",  "execute",
                                                     "for",    "foreach", "from", "if", "in",      "into", "loop", "not",
                                                     "null",   "or",    "strict", "then", "to",    "using", "when", "while"};

bool is_reserved(std::string_view word) { return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end(); }

constexpr ConditionName kConditions[] = {
#define WANDIAN_SQLSTATE(name, code) {#name, code},
#include "storage/base/sqlstate.def"
#undef WANDIAN_SQLSTATE
};

}  // namespace

std::span<const ConditionName> condition_names() { return kConditions; }

std::shared_ptr<const Function> Parser::run() {
  push_label(request_.name, false);
  for (std::size_t i = 0; i < request_.parameters.size(); ++i) {
    const Parameter& parameter = request_.parameters[i];
    const std::string number = "$" + std::to_string(i + 1);
    const std::uint32_t variable = add_variable(parameter.name.empty() ? number : parameter.name, parameter.type, 0);
    add_name(number, variable);
    if (!parameter.name.empty()) add_name(parameter.name, variable);
    function_->parameters.push_back(variable);
  }
  const auto declare = [&](std::string_view name, Oid type) {
    VariableType of;
    of.type = type;
    const std::uint32_t variable = add_variable(name, of, 0);
    add_name(std::string(name), variable);
    return variable;
  };
  if (request_.is_trigger) {
    VariableType row;
    row.is_row = true;
    function_->new_row = add_variable("new", row, 0);
    add_name("new", function_->new_row);
    function_->old_row = add_variable("old", row, 0);
    add_name("old", function_->old_row);
    function_->first_trigger_variable = declare("tg_name", type_oid::kName);
    for (const auto& [name, type] : {std::pair<std::string_view, Oid>{"tg_when", type_oid::kText},
                                     {"tg_level", type_oid::kText},
                                     {"tg_op", type_oid::kText},
                                     {"tg_relid", type_oid::kOid},
                                     {"tg_relname", type_oid::kName},
                                     {"tg_table_name", type_oid::kName},
                                     {"tg_table_schema", type_oid::kName},
                                     {"tg_nargs", type_oid::kInt4},
                                     {"tg_argv", 1009}})
      declare(name, type);
  }
  function_->found = declare("found", type_oid::kBool);
  // #option lines come first.
  while (peek().kind == TokenKind::kOperator && peek().text == "#") option();
  function_->body = block();
  if (peek().kind == TokenKind::kSemicolon) ++at_;
  if (peek().kind != TokenKind::kEnd) unexpected();
  return function_;
}

void Parser::option() {
  ++at_;
  const std::string name = identifier();
  if (name == "variable_conflict") {
    const std::string value = identifier();
    if (value == "error") function_->conflict = 'e';
    else if (value == "use_variable") function_->conflict = 'v';
    else if (value == "use_column") function_->conflict = 'c';
    else unexpected(tokens_[at_ - 1]);
  } else if (name == "option" || name == "print_strict_params") {
    (void)identifier();
  } else {
    unexpected(tokens_[at_ - 1]);
  }
}

VariableType Parser::type_until_end(bool in_arguments) {
  const std::size_t first = at_, begin = peek().offset;
  int depth = 0;
  for (;;) {
    const Token& token = peek();
    if (token.kind == TokenKind::kEnd) {
      if (depth != 0) complain("mismatched parentheses", token);
      complain("incomplete data type declaration", token);
    }
    if (depth == 0) {
      if (token.kind == TokenKind::kSemicolon || is_assign()) break;
      if (is_word("not") || is_word("default") || is_word("collate")) break;
      if (in_arguments && (token.kind == TokenKind::kComma || token.kind == TokenKind::kClose)) break;
    }
    if (token.kind == TokenKind::kOpen) ++depth;
    if (token.kind == TokenKind::kClose && --depth < 0) complain("mismatched parentheses", token);
    ++at_;
  }
  if (at_ == first) complain("missing data type declaration", peek());
  const std::string_view text = trimmed(begin, peek().offset);
  // x%TYPE of a variable.
  if (at_ - first >= 3 && tokens_[at_ - 1].kind == TokenKind::kWord && tokens_[at_ - 2].text == "%") {
    const bool row = tokens_[at_ - 1].is("rowtype");
    std::vector<std::string> parts;
    for (std::size_t i = first; i < at_ - 2; i += 2) {
      if (!is_name(tokens_[i])) unexpected(tokens_[i]);
      parts.push_back(identifier_text(tokens_[i]));
    }
    if (tokens_[at_ - 1].is("type")) {
      const Resolved found = find(parts);
      if (found.name != nullptr && found.parts == parts.size()) return variable(found.name->datum).type;
    } else if (!row) {
      unexpected(tokens_[at_ - 1]);
    }
  }
  Result<VariableType> type = request_.find_type(text);
  if (!type.ok()) {
    Status status = type.take_status();
    status.error().position = 0;
    if (status.code() == sqlstate::undefined_object || status.code() == sqlstate::undefined_table || status.code() == sqlstate::syntax_error)
      status = std::move(status).with_position(character_position(source_, static_cast<std::int32_t>(begin)));
    throw Failure{std::move(status)};
  }
  return type.take();
}

void Parser::declarations(std::vector<std::uint32_t>* variables) {
  for (;;) {
    if (is_word("begin")) return;
    if (accept("declare")) continue;
    if (peek().kind == TokenKind::kOperator && peek().text == "<<")
      fail(sqlstate::syntax_error, "block label must be placed before DECLARE, not after", peek().offset);
    const int at_line = line();
    const Token& name_token = peek();
    if (!is_name(name_token) || (name_token.kind == TokenKind::kWord && is_reserved(lower(name_token.text)))) unexpected();
    const std::string name = identifier();
    if (declared_here(name)) fail(sqlstate::syntax_error, "duplicate declaration at or near " + quoted(name_token.text), name_token.offset);
    if (accept("alias")) {
      expect("for");
      std::vector<std::string> parts;
      if (peek().kind == TokenKind::kParam) {
        parts.push_back(std::string(take().text));
      } else {
        parts.push_back(identifier());
        while (peek().kind == TokenKind::kDot) {
          ++at_;
          parts.push_back(identifier());
        }
      }
      const Resolved found = find(parts);
      if (found.name == nullptr) {
        std::string full;
        for (const std::string& part : parts) full += (full.empty() ? "" : ".") + part;
        fail(sqlstate::undefined_object, "variable " + quoted(full) + " does not exist", tokens_[at_ - 1].offset);
      }
      expect(TokenKind::kSemicolon);
      add_name(name, found.name->datum);
      continue;
    }
    // A bound cursor: name [[NO] SCROLL] CURSOR [(args)] FOR query
    std::size_t ahead = 0;
    int scroll = 0;
    if (is_word("no", ahead) && is_word("scroll", ahead + 1)) scroll = -1, ahead += 2;
    else if (is_word("scroll", ahead)) scroll = 1, ahead += 1;
    if (is_word("cursor", ahead)) {
      at_ += ahead + 1;
      cursor_declaration(name, at_line, scroll, variables);
      continue;
    }
    const bool constant = accept("constant");
    const VariableType type = type_until_end(false);
    if (accept("collate")) {
      (void)identifier();
      while (accept(TokenKind::kDot)) (void)identifier();
    }
    bool not_null = false;
    const std::size_t null_at = peek().offset;
    if (accept("not")) {
      expect("null");
      not_null = true;
    }
    const Text* initial = nullptr;
    if (is_assign() || is_word("default")) {
      ++at_;
      initial = expression_until_semicolon();
    } else {
      expect(TokenKind::kSemicolon);
    }
    if (not_null && initial == nullptr)
      fail(sqlstate::null_value_not_allowed, "variable " + quoted(name) + " must have a default value, since it's declared NOT NULL",
           static_cast<std::int64_t>(null_at));
    const std::uint32_t number = add_variable(name, type, at_line);
    Variable& made = function_->variables[number];
    made.constant = constant;
    made.not_null = not_null;
    made.initial = initial;
    add_name(name, number);
    variables->push_back(number);
  }
}

std::string Parser::label() {
  if (peek().kind != TokenKind::kOperator || peek().text != "<<") return {};
  ++at_;
  std::string name = identifier();
  if (peek().kind != TokenKind::kOperator || !peek().text.starts_with(">>")) unexpected();
  ++at_;
  return name;
}

void Parser::end_label(const std::string& begun) {
  if (!is_name(peek())) return;
  const Token& token = peek();
  const std::string name = identifier();
  if (begun.empty()) fail(sqlstate::syntax_error, "end label " + quoted(name) + " specified for unlabeled block", token.offset);
  if (begun != name) fail(sqlstate::syntax_error, "end label " + quoted(name) + " differs from block's label " + quoted(begun), token.offset);
}

Statement* Parser::make(StepKind kind, int at_line) {
  Statement& made = function_->statements.emplace_back();
  made.kind = kind;
  made.line = at_line;
  return &made;
}

const Statement* Parser::block() {
  const std::string name = label();
  return block(name);
}

const Statement* Parser::block(const std::string& name) {
  const Name* const outside = names_;
  push_label(name, false);
  std::vector<std::uint32_t> variables;
  if (accept("declare")) declarations(&variables);
  Statement* made = make(StepKind::kBlock, line());
  made->label = name;
  made->variables = std::move(variables);
  expect("begin");
  made->body = statements();
  if (accept("exception")) {
    made->has_handlers = true;
    VariableType text;
    text.type = type_oid::kText;
    made->sqlstate_variable = add_variable("sqlstate", text, made->line);
    add_name("sqlstate", made->sqlstate_variable);
    made->sqlerrm_variable = add_variable("sqlerrm", text, made->line);
    add_name("sqlerrm", made->sqlerrm_variable);
    if (!is_word("when")) unexpected();
    while (is_word("when")) {
      Handler handler;
      handler.line = line();
      ++at_;
      do conditions(&handler);
      while (accept("or"));
      expect("then");
      handler.body = statements();
      made->handlers.push_back(std::move(handler));
    }
  }
  expect("end");
  end_label(name);
  names_ = outside;
  return made;
}

void Parser::conditions(Handler* handler) {
  const Token& token = peek();
  const std::string name = identifier();
  if (name == "sqlstate") {
    if (!is_string(peek())) unexpected();
    const std::string state = string_text(take());
    if (!SqlState::parse(state)) complain("invalid SQLSTATE code", tokens_[at_ - 1]);
    handler->conditions.push_back({"sqlstate", state});
    return;
  }
  if (name == "others") {
    handler->conditions.push_back({name, {}});
    return;
  }
  bool any = false;
  for (const ConditionName& condition : kConditions) {
    if (condition.name != name) continue;
    handler->conditions.push_back({name, std::string(condition.state)});
    any = true;
  }
  if (!any) fail(sqlstate::undefined_object, "unrecognized exception condition " + quoted(name), token.offset);
}

bool Parser::ends_body() const {
  return peek().kind == TokenKind::kEnd || is_word("end") || is_word("else") || is_word("elsif") || is_word("elseif") || is_word("exception") ||
         is_word("when");
}

Body Parser::statements() {
  Body out;
  for (;;) {
    if (ends_body()) {
      // `when` and `exception` are words of blocks alone; a variable of such a name is assigned to.
      if (!(is_assign(1) && (is_word("exception") || is_word("elsif") || is_word("elseif")))) return out;
    }
    if (++depth_ > kMaxDepth) fail(sqlstate::statement_too_complex, "stack depth limit exceeded");
    if (const Statement* made = statement()) out.push_back(made);
    --depth_;
  }
}

const Statement* Parser::statement() {
  const Token& token = peek();
  const int at_line = line();
  if (token.kind == TokenKind::kOperator && token.text == "<<") {
    const std::string name = label();
    if (is_word("declare") || is_word("begin")) {
      const Statement* made = block(name);
      expect(TokenKind::kSemicolon);
      return made;
    }
    if (is_word("loop") || is_word("while") || is_word("for") || is_word("foreach")) return loop(name);
    unexpected();
  }
  if (is_word("declare") || is_word("begin")) {
    const Statement* made = block(std::string());
    expect(TokenKind::kSemicolon);
    return made;
  }
  if (is_name(token) || token.kind == TokenKind::kParam) {
    // A variable is assigned to, unless the word is a statement's.
    const bool follows = is_assign(1) || peek(1).kind == TokenKind::kDot || (peek(1).kind == TokenKind::kOpen && peek(1).text == "[");
    if (token.kind != TokenKind::kWord || !is_reserved(lower(token.text))) {
      if (follows || !is_statement_word(token)) {
        if (const Statement* made = assignment(at_line)) return made;
      }
    }
  }
  if (token.kind != TokenKind::kWord) unexpected();
  const std::string word = lower(token.text);
  if (word == "if") return if_statement();
  if (word == "case") return case_statement();
  if (word == "loop" || word == "while" || word == "for" || word == "foreach") return loop(std::string());
  if (word == "exit" || word == "continue") return exit_statement(word == "exit");
  if (word == "return") return return_statement();
  if (word == "raise") return raise_statement();
  if (word == "assert") return assert_statement();
  if (word == "execute") return execute_statement();
  if (word == "perform") return perform_statement();
  if (word == "call" || word == "do") return call_statement();
  if (word == "get") return diagnostics_statement();
  if (word == "open") return open_statement();
  if (word == "fetch" || word == "move") return fetch_statement(word == "move");
  if (word == "close") return close_statement();
  if (word == "commit" || word == "rollback") {
    // ROLLBACK TO and their like are SQL, and refused when they run.
    if (peek(1).kind == TokenKind::kSemicolon || is_word("and", 1)) return commit_statement(word == "commit");
  }
  if (word == "null" && peek(1).kind == TokenKind::kSemicolon) {
    at_ += 2;
    Statement* made = make(StepKind::kNull, at_line);
    return made;
  }
  return sql_statement();
}

bool Parser::is_statement_word(const Token& token) const {
  static constexpr std::string_view kWords[] = {"assert", "call", "close", "commit", "continue", "do", "exit", "fetch", "get", "insert", "merge",
                                                "import", "move", "open", "perform", "raise", "return", "rollback", "select", "update", "delete"};
  if (token.kind != TokenKind::kWord) return false;
  const std::string word = lower(token.text);
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

Resolved resolve(const Function& function, const Name* names, std::span<const std::string_view> parts) {
  for (const Name* level = names; level != nullptr;) {
    const Name* at = level;
    for (; at != nullptr && at->kind != Name::Kind::kLabel; at = at->outer)
      if (at->name == parts[0] && (parts.size() == 1 || function.variables[at->datum].type.is_row)) return {at, 1};
    if (at == nullptr) break;
    if (parts.size() > 1 && !at->name.empty() && at->name == parts[0]) {
      for (const Name* inner = level; inner != at; inner = inner->outer)
        if (inner->name == parts[1] && (parts.size() == 2 || function.variables[inner->datum].type.is_row)) return {inner, 2};
    }
    level = at->outer;
  }
  return {};
}

std::string_view statement_name(const Statement& statement) {
  switch (statement.kind) {
    case StepKind::kBlock: return "statement block";
    case StepKind::kAssign: return "assignment";
    case StepKind::kIf: return "IF";
    case StepKind::kCase: return "CASE";
    case StepKind::kLoop: return "LOOP";
    case StepKind::kWhile: return "WHILE";
    case StepKind::kForInteger: return "FOR with integer loop variable";
    case StepKind::kForQuery: return "FOR over SELECT rows";
    case StepKind::kForExecute: return "FOR over EXECUTE statement";
    case StepKind::kForCursor: return "FOR over cursor";
    case StepKind::kForeach: return "FOREACH over array";
    case StepKind::kExit: return "EXIT";
    case StepKind::kContinue: return "CONTINUE";
    case StepKind::kReturn: return "RETURN";
    case StepKind::kReturnNext: return "RETURN NEXT";
    case StepKind::kReturnQuery: return "RETURN QUERY";
    case StepKind::kRaise: return "RAISE";
    case StepKind::kAssert: return "ASSERT";
    case StepKind::kExecute: return "EXECUTE";
    case StepKind::kSql: return "SQL statement";
    case StepKind::kPerform: return "PERFORM";
    case StepKind::kCall: return statement.is_call_do ? "DO" : "CALL";
    case StepKind::kGetDiagnostics: return statement.stacked ? "GET STACKED DIAGNOSTICS" : "GET DIAGNOSTICS";
    case StepKind::kOpen: return "OPEN";
    case StepKind::kFetch: return "FETCH";
    case StepKind::kMove: return "MOVE";
    case StepKind::kClose: return "CLOSE";
    case StepKind::kCommit: return "COMMIT";
    case StepKind::kRollback: return "ROLLBACK";
    case StepKind::kNull: return "NULL";
  }
  return "";
}

Result<std::shared_ptr<const Function>> parse(const ParseRequest& request) {
  try {
    return Parser(request).run();
  } catch (Failure& failure) {
    return std::move(failure.status);
  }
}

std::optional<std::string> returned_expression(std::string_view source) {
  ParseRequest request;
  request.source = source;
  request.find_type = [](std::string_view) -> Result<VariableType> { return Status{sqlstate::feature_not_supported, "it has variables"}; };
  Result<std::shared_ptr<const Function>> parsed = parse(request);
  if (!parsed.ok() || (*parsed)->body == nullptr) return std::nullopt;
  const Statement& block = *(*parsed)->body;
  if (!block.variables.empty() || block.has_handlers || block.body.size() != 1) return std::nullopt;
  const Statement& only = *block.body[0];
  if (only.kind != StepKind::kReturn || only.text == nullptr) return std::nullopt;
  return only.text->text;
}

}  // namespace wandian::sql::plpgsql
