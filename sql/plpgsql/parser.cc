#include "sql/plpgsql/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "sql/messages.h"
#include "sql/parse/lexer.h"
#include "sql/parse/parser.h"

namespace wandian::sql::plpgsql {

namespace {

struct Failure {
  Status status;
};

constexpr std::array<std::string_view, 24> kReserved{"all",    "begin", "by",   "case", "declare", "else", "end",  "execute",
                                                     "for",    "foreach", "from", "if", "in",      "into", "loop", "not",
                                                     "null",   "or",    "strict", "then", "to",    "using", "when", "while"};

bool is_reserved(std::string_view word) { return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end(); }

struct ConditionName {
  std::string_view name, state;
};
constexpr ConditionName kConditions[] = {
#define WANDIAN_SQLSTATE(name, code) {#name, code},
#include "storage/base/sqlstate.def"
#undef WANDIAN_SQLSTATE
};

std::string lower(std::string_view word) {
  std::string out(word);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

class Parser {
 public:
  explicit Parser(const ParseRequest& request) : request_(request), function_(std::make_shared<Function>()) {
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

  std::shared_ptr<const Function> run() {
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

 private:
  // ---- Tokens ----

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

  [[noreturn]] void fail(SqlState code, std::string message, std::int64_t offset = -1, std::string detail = {}, std::string hint = {}) const {
    Status status{code, std::move(message)};
    if (!detail.empty()) status = std::move(status).with_detail(std::move(detail));
    if (!hint.empty()) status = std::move(status).with_hint(std::move(hint));
    if (offset >= 0) status = std::move(status).with_position(character_position(source_, static_cast<std::int32_t>(offset)));
    throw Failure{std::move(status)};
  }
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

  std::string identifier() {
    const Token& token = peek();
    if (!is_name(token)) unexpected();
    ++at_;
    return identifier_text(token);
  }
  static std::string identifier_text(const Token& token) {
    if (token.kind == TokenKind::kWord) return lower(token.text).substr(0, 63);
    std::string out;
    for (std::size_t i = 1; i + 1 < token.text.size(); ++i) {
      out += token.text[i];
      if (token.text[i] == '"') ++i;
    }
    return out;
  }
  // The value of a string token.
  std::string string_text(const Token& token) const {
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
  static bool is_string(const Token& token) { return token.kind == TokenKind::kString || token.kind == TokenKind::kOtherString; }

  // ---- Names ----

  std::uint32_t add_variable(std::string_view name, VariableType type, int at_line) {
    Variable& variable = function_->variables.emplace_back();
    variable.name = name;
    variable.type = type;
    variable.line = at_line;
    return static_cast<std::uint32_t>(function_->variables.size() - 1);
  }
  void add_name(std::string name, std::uint32_t variable) {
    Name& added = function_->names.emplace_back();
    added.name = std::move(name);
    added.datum = variable;
    added.outer = names_;
    names_ = &added;
  }
  void push_label(std::string name, bool loop) {
    Name& added = function_->names.emplace_back();
    added.kind = Name::Kind::kLabel;
    added.name = std::move(name);
    added.loop = loop;
    added.outer = names_;
    names_ = &added;
  }
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

  // ---- Texts ----

  const Text* make_text(TextKind kind, std::string text, std::size_t value = 0) {
    Text& made = function_->texts.emplace_back();
    made.kind = kind;
    made.text = std::move(text);
    made.value = value;
    made.names = names_;
    made.id = static_cast<std::uint32_t>(function_->texts.size() - 1);
    return &made;
  }
  std::string_view trimmed(std::size_t begin, std::size_t end) const {
    while (end > begin && is_space(source_[end - 1])) --end;
    return std::string_view(source_).substr(begin, end - begin);
  }
  // Checks the grammar of a piece of the body; `prefix` makes a statement of it.
  void check_sql(std::string_view prefix, std::string_view text, std::size_t offset) const {
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

  // ---- Declarations ----

  void option() {
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

  // `parts` name a variable whose type is wanted, or a column.
  VariableType type_until_end(bool in_arguments) {
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

  void declarations(std::vector<std::uint32_t>* variables) {
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

  void cursor_declaration(const std::string& name, int at_line, int scroll, std::vector<std::uint32_t>* variables) {
    VariableType refcursor;
    refcursor.type = type_oid::kRefcursor;
    std::vector<std::uint32_t> arguments;
    const Name* const outside = names_;
    push_label(name, false);
    if (accept(TokenKind::kOpen)) {
      do {
        const int argument_line = line();
        const std::string argument = identifier();
        const VariableType type = type_until_end(true);
        const std::uint32_t number = add_variable(argument, type, argument_line);
        add_name(argument, number);
        arguments.push_back(number);
      } while (accept(TokenKind::kComma));
      expect(TokenKind::kClose);
    }
    if (!accept("for")) expect("is");
    const Text* text = query_until_semicolon();
    names_ = outside;
    const std::uint32_t number = add_variable(name, refcursor, at_line);
    Variable& made = function_->variables[number];
    made.is_cursor = true;
    made.scroll = scroll;
    made.cursor_query = text;
    made.cursor_arguments = std::move(arguments);
    add_name(name, number);
    variables->push_back(number);
  }

  // ---- Blocks ----

  std::string label() {
    if (peek().kind != TokenKind::kOperator || peek().text != "<<") return {};
    ++at_;
    std::string name = identifier();
    if (peek().kind != TokenKind::kOperator || !peek().text.starts_with(">>")) unexpected();
    ++at_;
    return name;
  }
  void end_label(const std::string& begun) {
    if (!is_name(peek())) return;
    const Token& token = peek();
    const std::string name = identifier();
    if (begun.empty()) fail(sqlstate::syntax_error, "end label " + quoted(name) + " specified for unlabeled block", token.offset);
    if (begun != name) fail(sqlstate::syntax_error, "end label " + quoted(name) + " differs from block's label " + quoted(begun), token.offset);
  }
  Statement* make(StepKind kind, int at_line) {
    Statement& made = function_->statements.emplace_back();
    made.kind = kind;
    made.line = at_line;
    return &made;
  }

  const Statement* block() {
    const std::string name = label();
    return block(name);
  }
  const Statement* block(const std::string& name) {
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

  void conditions(Handler* handler) {
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

  bool ends_body() const {
    return peek().kind == TokenKind::kEnd || is_word("end") || is_word("else") || is_word("elsif") || is_word("elseif") || is_word("exception") ||
           is_word("when");
  }
  Body statements() {
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

  // ---- Statements ----

  const Statement* statement() {
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

  bool is_statement_word(const Token& token) const {
    static constexpr std::string_view kWords[] = {"assert", "call", "close", "commit", "continue", "do", "exit", "fetch", "get", "insert", "merge",
                                                  "import", "move", "open", "perform", "raise", "return", "rollback", "select", "update", "delete"};
    if (token.kind != TokenKind::kWord) return false;
    const std::string word = lower(token.text);
    return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
  }

  /// The target at the cursor: a variable with a field or subscripts behind it. Null: no variable. `parts` are consumed.
  bool target(Target* out, bool subscripts, bool must) {
    const std::size_t first = at_;
    if (peek().kind == TokenKind::kParam) {
      const std::string name(peek().text);
      const std::string parts[] = {name};
      const Resolved found = find(parts);
      if (found.name == nullptr) {
        if (must) fail(sqlstate::syntax_error, quoted(name) + " is not a known variable", peek().offset);
        return false;
      }
      ++at_;
      out->variable = found.name->datum;
    } else {
      if (!is_name(peek())) {
        if (must) unexpected();
        return false;
      }
      std::vector<std::string> parts{identifier_text(peek())};
      std::size_t end = at_ + 1;
      while (parts.size() < 3 && tokens_[end].kind == TokenKind::kDot && tokens_[end].text == "." && is_name(tokens_[end + 1])) {
        parts.push_back(identifier_text(tokens_[end + 1]));
        end += 2;
      }
      const Resolved found = find(parts);
      const bool bare = found.name == nullptr || (parts.size() > found.parts && !variable(found.name->datum).type.is_row);
      if (bare) {
        if (!must) return false;
        std::string full;
        for (const std::string& part : parts) full += (full.empty() ? "" : ".") + part;
        fail(sqlstate::syntax_error, quoted(full) + " is not a known variable", peek().offset);
      }
      out->variable = found.name->datum;
      if (parts.size() > found.parts) out->field = parts[found.parts];
      at_ = first + 1 + 2 * (std::min(parts.size(), found.parts + (out->field.empty() ? 0 : 1)) - 1);
    }
    while (subscripts && peek().kind == TokenKind::kOpen && peek().text == "[") {
      ++at_;
      out->subscripts.push_back(expression_until([](const Token& t) { return t.kind == TokenKind::kClose; }, "]"));
      ++at_;
    }
    return true;
  }
  void check_assignable(const Target& to, std::size_t offset) const {
    const Variable& of = variable(to.variable);
    if (of.constant) fail(sqlstate::error_in_assignment, "variable " + quoted(of.name) + " is declared CONSTANT", static_cast<std::int64_t>(offset));
  }

  const Statement* assignment(int at_line) {
    const std::size_t begin = peek().offset, first = at_;
    Target to;
    if (!target(&to, true, false)) {
      // Not a variable's name: SQL, unless it looks like an assignment.
      std::size_t end = at_ + 1;
      while (tokens_[end].kind == TokenKind::kDot && is_name(tokens_[std::min(end + 1, tokens_.size() - 1)])) end += 2;
      const bool assigns = (tokens_[end].kind == TokenKind::kColon && tokens_[end].text == ":=") ||
                           (tokens_[end].kind == TokenKind::kOperator && tokens_[end].text == "=") ||
                           (tokens_[end].kind == TokenKind::kOpen && tokens_[end].text == "[");
      if (assigns) target(&to, false, true);
      return nullptr;
    }
    if (!is_assign()) {
      if (at_ == first + 1 && tokens_[first].kind == TokenKind::kWord) {
        at_ = first;
        return nullptr;
      }
      unexpected();
    }
    check_assignable(to, begin);
    ++at_;
    Statement* made = make(StepKind::kAssign, at_line);
    made->targets.push_back(std::move(to));
    const std::size_t value = peek().offset;
    const std::string_view text = read_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";");
    if (text.empty()) complain("missing expression", peek());
    check_sql("SELECT ", text, value);
    ++at_;
    made->text = make_text(TextKind::kAssignment, std::string(trimmed(begin, value + text.size())), value - begin);
    return made;
  }

  const Statement* if_statement() {
    Statement* made = make(StepKind::kIf, line());
    ++at_;
    for (;;) {
      Branch branch;
      branch.line = made->branches.empty() ? made->line : line_of(tokens_[at_ - 1].offset);
      branch.condition = expression_until_word("then");
      branch.body = statements();
      made->branches.push_back(std::move(branch));
      if (accept("elsif") || accept("elseif")) continue;
      break;
    }
    if (accept("else")) {
      made->has_else = true;
      made->body = statements();
    }
    expect("end");
    expect("if");
    expect(TokenKind::kSemicolon);
    return made;
  }

  const Statement* case_statement() {
    Statement* made = make(StepKind::kCase, line());
    ++at_;
    if (!is_word("when")) {
      made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && t.is("when"); }, "WHEN");
      VariableType any;
      made->case_variable = add_variable("__Case__Variable_" + std::to_string(function_->variables.size()) + "__", any, made->line);
    }
    while (is_word("when")) {
      Branch branch;
      branch.line = line();
      ++at_;
      branch.condition = expression_until_word("then");
      branch.body = statements();
      made->branches.push_back(std::move(branch));
    }
    if (made->branches.empty()) unexpected();
    if (accept("else")) {
      made->has_else = true;
      made->body = statements();
    }
    expect("end");
    expect("case");
    expect(TokenKind::kSemicolon);
    return made;
  }

  void loop_body(Statement* made) {
    expect("loop");
    made->body = statements();
    expect("end");
    expect("loop");
    end_label(made->label);
    expect(TokenKind::kSemicolon);
  }

  const Statement* loop(const std::string& name) {
    const Name* const outside = names_;
    const int at_line = line();
    Statement* made = make(StepKind::kLoop, at_line);
    made->label = name;
    push_label(name, true);
    if (is_word("loop")) {
      loop_body(made);
    } else if (accept("while")) {
      made->kind = StepKind::kWhile;
      made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && t.is("loop"); }, "LOOP");
      loop_body(made);
    } else if (accept("foreach")) {
      made->kind = StepKind::kForeach;
      const std::size_t at = peek().offset;
      read_targets(made, true);
      for (const Target& to : made->targets) check_assignable(to, at);
      if (accept("slice")) {
        if (peek().kind != TokenKind::kInteger) unexpected();
        made->slice = std::atoi(std::string(take().text).c_str());
      }
      expect("in");
      expect("array");
      made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && t.is("loop"); }, "LOOP");
      loop_body(made);
    } else {
      ++at_;
      for_loop(made);
    }
    names_ = outside;
    return made;
  }

  const Text* query_until_semicolon() {
    const std::size_t begin = peek().offset;
    const std::string_view query = read_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";", false);
    check_sql("", query, begin);
    ++at_;
    return make_text(TextKind::kStatement, std::string(query));
  }

  // A query, or EXECUTE of one that an expression gives, up to the semicolon.
  void query_or_execute(Statement* made) {
    if (!accept("execute")) {
      made->text = query_until_semicolon();
      return;
    }
    made->upper = expression_until([](const Token& t) { return t.kind == TokenKind::kSemicolon || (t.kind == TokenKind::kWord && t.is("using")); }, ";");
    if (accept("using")) using_arguments(made, {});
    expect(TokenKind::kSemicolon);
  }

  void using_arguments(Statement* made, std::string_view end_word) {
    do {
      made->arguments.push_back(expression_until(
          [&](const Token& t) { return t.kind == TokenKind::kComma || (end_word.empty() ? t.kind == TokenKind::kSemicolon : t.kind == TokenKind::kWord && t.is(end_word)); },
          end_word.empty() ? ";" : "LOOP"));
    } while (accept(TokenKind::kComma));
    made->has_arguments = true;
  }

  void for_loop(Statement* made) {
    // The variables stand before IN; what they are depends on what stands behind it.
    const std::size_t first = at_;
    std::size_t in = at_;
    while (tokens_[in].kind != TokenKind::kEnd && tokens_[in].kind != TokenKind::kSemicolon &&
           !(tokens_[in].kind == TokenKind::kWord && tokens_[in].is("in")))
      ++in;
    if (!(tokens_[in].kind == TokenKind::kWord && tokens_[in].is("in"))) {
      at_ = in;
      unexpected();
    }
    at_ = in + 1;
    if (is_word("execute")) {
      ++at_;
      made->kind = StepKind::kForExecute;
      made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && (t.is("loop") || t.is("using")); }, "LOOP");
      if (accept("using")) using_arguments(made, "loop");
      const std::size_t behind = at_;
      for_targets(made, first, in);
      at_ = behind;
      loop_body(made);
      return;
    }
    // FOR over a cursor variable.
    if (is_name(peek())) {
      std::vector<std::string> parts{identifier_text(peek())};
      std::size_t end = at_ + 1;
      while (parts.size() < 2 && tokens_[end].kind == TokenKind::kDot && is_name(tokens_[end + 1])) {
        parts.push_back(identifier_text(tokens_[end + 1]));
        end += 2;
      }
      const Resolved found = find(parts);
      if (found.name != nullptr && found.parts == parts.size() && variable(found.name->datum).type.type == type_oid::kRefcursor &&
          ((tokens_[end].kind == TokenKind::kOpen && tokens_[end].text == "(") || (tokens_[end].kind == TokenKind::kWord && tokens_[end].is("loop")))) {
        const Token& cursor_token = peek();
        at_ = end;
        made->kind = StepKind::kForCursor;
        made->cursor = found.name->datum;
        if (!variable(made->cursor).is_cursor)
          fail(sqlstate::syntax_error, "cursor FOR loop must use a bound cursor variable", cursor_token.offset);
        cursor_arguments(made, variable(made->cursor), "LOOP");
        // Its variable is a record of the loop's own.
        at_ = first;
        const std::string name = identifier();
        if (at_ != in) fail(sqlstate::syntax_error, "cursor FOR loop must have only one target variable", tokens_[first].offset);
        VariableType row;
        row.is_row = true;
        Target to;
        to.variable = add_variable(name, row, made->line);
        made->targets.push_back(to);
        while (!is_word("loop")) ++at_;
        skip_to_loop(in + 1);
        add_name(name, to.variable);
        loop_body(made);
        return;
      }
    }
    // FOR i IN [REVERSE] a .. b [BY s], or a query.
    const bool reverse = is_word("reverse");
    std::size_t scan = at_ + (reverse ? 1 : 0);
    int depth = 0;
    bool integer = false;
    for (; tokens_[scan].kind != TokenKind::kEnd && tokens_[scan].kind != TokenKind::kSemicolon; ++scan) {
      if (tokens_[scan].kind == TokenKind::kOpen) ++depth;
      if (tokens_[scan].kind == TokenKind::kClose) --depth;
      if (depth == 0 && tokens_[scan].kind == TokenKind::kDot && tokens_[scan].text == "..") {
        integer = true;
        break;
      }
      if (depth == 0 && tokens_[scan].kind == TokenKind::kWord && tokens_[scan].is("loop")) break;
    }
    if (integer) {
      if (reverse) ++at_;
      made->kind = StepKind::kForInteger;
      made->reverse = reverse;
      made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kDot && t.text == ".."; }, "..");
      ++at_;
      made->upper = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && (t.is("by") || t.is("loop")); }, "LOOP");
      if (accept("by")) made->step = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && t.is("loop"); }, "LOOP");
      const std::size_t behind = at_;
      at_ = first;
      const std::string name = identifier();
      if (at_ != in) fail(sqlstate::syntax_error, "integer FOR loop must have only one target variable", tokens_[first].offset);
      VariableType type;
      type.type = type_oid::kInt4;
      made->loop_variable = add_variable(name, type, made->line);
      at_ = behind;
      add_name(name, made->loop_variable);
      loop_body(made);
      return;
    }
    if (reverse) fail(sqlstate::syntax_error, "cannot specify REVERSE in query FOR loop", peek().offset);
    made->kind = StepKind::kForQuery;
    const std::size_t begin = peek().offset;
    const std::string_view query = read_until([](const Token& t) { return t.kind == TokenKind::kWord && t.is("loop"); }, "LOOP", false);
    check_sql("", query, begin);
    made->text = make_text(TextKind::kStatement, std::string(query));
    const std::size_t behind = at_;
    for_targets(made, first, in);
    at_ = behind;
    loop_body(made);
  }
  // Stands at the LOOP that ends a FOR's head, whose tokens begin at `from`.
  void skip_to_loop(std::size_t from) {
    int depth = 0;
    for (at_ = from; peek().kind != TokenKind::kEnd; ++at_) {
      if (peek().kind == TokenKind::kOpen) ++depth;
      if (peek().kind == TokenKind::kClose) --depth;
      if (depth == 0 && is_word("loop")) return;
    }
  }
  void for_targets(Statement* made, std::size_t first, std::size_t in) {
    at_ = first;
    const Token& token = peek();
    Target probe;
    const std::size_t before = at_;
    if (!target(&probe, false, false)) {
      std::vector<std::string> parts;
      fail(sqlstate::syntax_error, "loop variable of loop over rows must be a record variable or list of scalar variables", token.offset);
    }
    at_ = before;
    read_targets(made, false);
    if (at_ != in) unexpected();
  }

  /// A record, or a list of variables.
  void read_targets(Statement* made, bool single) {
    for (;;) {
      const std::size_t at = peek().offset;
      Target to;
      (void)target(&to, false, true);
      check_assignable(to, at);
      const bool row = to.field.empty() && variable(to.variable).type.is_row;
      if (row && !made->targets.empty()) fail(sqlstate::syntax_error, quoted(variable(to.variable).name) + " is not a scalar variable", static_cast<std::int64_t>(at));
      made->targets.push_back(std::move(to));
      if (single || peek().kind != TokenKind::kComma) return;
      if (row) fail(sqlstate::syntax_error, "record variable cannot be part of multiple-item INTO list", peek().offset);
      ++at_;
    }
  }
  void into_clause(Statement* made) {
    made->into = true;
    if (accept("strict")) made->strict = true;
    read_targets(made, false);
  }

  const Statement* exit_statement(bool is_exit) {
    Statement* made = make(is_exit ? StepKind::kExit : StepKind::kContinue, line());
    ++at_;
    if (is_name(peek()) && !is_word("when")) {
      const Token& token = peek();
      made->label = identifier();
      bool found = false, of_loop = false;
      for (const Name* at = names_; at != nullptr; at = at->outer)
        if (at->kind == Name::Kind::kLabel && at->name == made->label) {
          found = true;
          of_loop = at->loop;
          break;
        }
      if (!found)
        fail(sqlstate::syntax_error, "there is no label " + quoted(made->label) + " attached to any block or loop enclosing this statement", token.offset);
      if (!is_exit && !of_loop) fail(sqlstate::syntax_error, "block label " + quoted(made->label) + " cannot be used in CONTINUE", token.offset);
    } else {
      bool in_loop = false;
      for (const Name* at = names_; at != nullptr; at = at->outer) in_loop = in_loop || (at->kind == Name::Kind::kLabel && at->loop);
      if (!in_loop)
        fail(sqlstate::syntax_error, is_exit ? "EXIT cannot be used outside a loop, unless it has a label" : "CONTINUE cannot be used outside a loop",
             tokens_[at_ - 1].offset);
    }
    if (accept("when")) {
      made->text = expression_until_semicolon();
    } else {
      expect(TokenKind::kSemicolon);
    }
    return made;
  }

  const Statement* return_statement() {
    Statement* made = make(StepKind::kReturn, line());
    ++at_;
    if (accept("next")) {
      made->kind = StepKind::kReturnNext;
      if (!request_.returns_set) fail(sqlstate::datatype_mismatch, "cannot use RETURN NEXT in a non-SETOF function", tokens_[at_ - 1].offset);
      if (request_.has_outputs) {
        if (peek().kind != TokenKind::kSemicolon)
          fail(sqlstate::datatype_mismatch, "RETURN NEXT cannot have a parameter in function with OUT parameters", peek().offset);
        ++at_;
        return made;
      }
      if (peek().kind == TokenKind::kSemicolon) complain("missing expression", peek());
      made->text = expression_until_semicolon();
      return made;
    }
    if (accept("query")) {
      made->kind = StepKind::kReturnQuery;
      if (!request_.returns_set) fail(sqlstate::datatype_mismatch, "cannot use RETURN QUERY in a non-SETOF function", tokens_[at_ - 1].offset);
      query_or_execute(made);
      return made;
    }
    const std::size_t at = peek().offset;
    if (request_.returns_set) {
      if (!accept(TokenKind::kSemicolon))
        fail(sqlstate::datatype_mismatch, "RETURN cannot have a parameter in function returning set", static_cast<std::int64_t>(at), {},
             "Use RETURN NEXT or RETURN QUERY.");
      return made;
    }
    if (request_.is_procedure || request_.returns_void) {
      if (!accept(TokenKind::kSemicolon)) {
        if (request_.is_procedure) fail(sqlstate::syntax_error, "RETURN cannot have a parameter in a procedure", static_cast<std::int64_t>(at));
        fail(sqlstate::datatype_mismatch, "RETURN cannot have a parameter in function returning void", static_cast<std::int64_t>(at));
      }
      return made;
    }
    if (request_.has_outputs) {
      if (!accept(TokenKind::kSemicolon))
        fail(sqlstate::datatype_mismatch, "RETURN cannot have a parameter in function with OUT parameters", static_cast<std::int64_t>(at));
      return made;
    }
    if (peek().kind == TokenKind::kSemicolon) complain("missing expression", peek());
    made->text = expression_until_semicolon();
    return made;
  }

  const Statement* raise_statement() {
    Statement* made = make(StepKind::kRaise, line());
    const std::size_t raise_at = peek().offset;
    ++at_;
    if (accept(TokenKind::kSemicolon)) return made;   // RAISE: the caught error again
    static constexpr std::pair<std::string_view, RaiseLevel> kLevels[] = {
        {"exception", RaiseLevel::kException}, {"warning", RaiseLevel::kWarning}, {"notice", RaiseLevel::kNotice},
        {"info", RaiseLevel::kInfo},           {"log", RaiseLevel::kLog},         {"debug", RaiseLevel::kDebug}};
    for (const auto& [word, level] : kLevels)
      if (is_word(word)) {
        made->level = level;
        ++at_;
        break;
      }
    if (peek().kind == TokenKind::kSemicolon) unexpected();
    if (is_string(peek())) {
      made->has_message = true;
      made->message = string_text(take());
      while (accept(TokenKind::kComma))
        made->arguments.push_back(expression_until(
            [](const Token& t) { return t.kind == TokenKind::kComma || t.kind == TokenKind::kSemicolon || (t.kind == TokenKind::kWord && t.is("using")); }, ";"));
      std::size_t wanted = 0;
      for (std::size_t i = 0; i < made->message.size(); ++i) {
        if (made->message[i] != '%') continue;
        if (i + 1 < made->message.size() && made->message[i + 1] == '%') ++i;
        else ++wanted;
      }
      if (wanted < made->arguments.size()) fail_in_line(sqlstate::syntax_error, "too many parameters specified for RAISE", raise_at);
      if (wanted > made->arguments.size()) fail_in_line(sqlstate::syntax_error, "too few parameters specified for RAISE", raise_at);
    } else if (!is_word("using")) {
      const Token& token = peek();
      const std::string name = identifier();
      if (name == "sqlstate") {
        if (!is_string(peek())) unexpected();
        made->condition = string_text(take());
        if (!SqlState::parse(made->condition)) complain("invalid SQLSTATE code", tokens_[at_ - 1]);
      } else {
        made->condition = name;
        bool known = false;
        for (const ConditionName& condition : kConditions) known = known || condition.name == name;
        if (!known) fail(sqlstate::undefined_object, "unrecognized exception condition " + quoted(name), token.offset);
      }
    }
    if (accept("using")) {
      static constexpr std::pair<std::string_view, RaiseOption> kOptions[] = {
          {"errcode", RaiseOption::kErrcode},       {"message", RaiseOption::kMessage}, {"detail", RaiseOption::kDetail},
          {"hint", RaiseOption::kHint},             {"column", RaiseOption::kColumn},   {"constraint", RaiseOption::kConstraint},
          {"datatype", RaiseOption::kDatatype},     {"table", RaiseOption::kTable},     {"schema", RaiseOption::kSchema}};
      do {
        const Token& token = peek();
        const std::string name = is_name(token) ? identifier() : std::string();
        const auto* found = std::find_if(std::begin(kOptions), std::end(kOptions), [&](const auto& option) { return option.first == name; });
        if (found == std::end(kOptions)) complain("unrecognized RAISE statement option", token);
        if (!is_assign()) complain("syntax error, expected \"=\"", peek());
        ++at_;
        const Text* value =
            expression_until([](const Token& t) { return t.kind == TokenKind::kComma || t.kind == TokenKind::kSemicolon; }, ";");
        made->options.emplace_back(found->second, value);
      } while (accept(TokenKind::kComma));
    }
    expect(TokenKind::kSemicolon);
    return made;
  }

  const Statement* assert_statement() {
    Statement* made = make(StepKind::kAssert, line());
    ++at_;
    made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kComma || t.kind == TokenKind::kSemicolon; }, ";");
    if (accept(TokenKind::kComma)) made->upper = expression_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";");
    expect(TokenKind::kSemicolon);
    return made;
  }

  const Statement* execute_statement() {
    Statement* made = make(StepKind::kExecute, line());
    ++at_;
    made->text = expression_until(
        [](const Token& t) { return t.kind == TokenKind::kSemicolon || (t.kind == TokenKind::kWord && (t.is("into") || t.is("using"))); }, ";");
    for (;;) {
      if (is_word("into")) {
        if (made->into) unexpected();
        ++at_;
        into_clause(made);
      } else if (is_word("using")) {
        if (made->has_arguments) unexpected();
        ++at_;
        do {
          made->arguments.push_back(expression_until(
              [](const Token& t) {
                return t.kind == TokenKind::kComma || t.kind == TokenKind::kSemicolon || (t.kind == TokenKind::kWord && t.is("into"));
              },
              ";"));
        } while (accept(TokenKind::kComma));
        made->has_arguments = true;
      } else {
        break;
      }
    }
    expect(TokenKind::kSemicolon);
    return made;
  }

  const Statement* perform_statement() {
    Statement* made = make(StepKind::kPerform, line());
    ++at_;
    const std::size_t begin = peek().offset;
    const std::string_view text = read_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";");
    if (text.empty()) complain("missing expression", peek());
    check_sql("SELECT ", text, begin);
    ++at_;
    made->text = make_text(TextKind::kStatement, "SELECT " + std::string(text));
    return made;
  }

  const Statement* call_statement() {
    Statement* made = make(StepKind::kCall, line());
    made->is_call_do = is_word("do");
    made->text = query_until_semicolon();
    return made;
  }

  const Statement* diagnostics_statement() {
    Statement* made = make(StepKind::kGetDiagnostics, line());
    const std::size_t begin = peek().offset;
    ++at_;
    if (accept("stacked")) made->stacked = true;
    else (void)accept("current");
    expect("diagnostics");
    static constexpr std::pair<std::string_view, DiagnosticsItem> kItems[] = {
        {"row_count", DiagnosticsItem::kRowCount},
        {"pg_context", DiagnosticsItem::kContext},
        {"returned_sqlstate", DiagnosticsItem::kReturnedSqlstate},
        {"message_text", DiagnosticsItem::kMessageText},
        {"pg_exception_detail", DiagnosticsItem::kDetail},
        {"pg_exception_hint", DiagnosticsItem::kHint},
        {"pg_exception_context", DiagnosticsItem::kErrorContext},
        {"column_name", DiagnosticsItem::kColumnName},
        {"constraint_name", DiagnosticsItem::kConstraintName},
        {"pg_datatype_name", DiagnosticsItem::kDatatypeName},
        {"table_name", DiagnosticsItem::kTableName},
        {"schema_name", DiagnosticsItem::kSchemaName}};
    do {
      const std::size_t at = peek().offset;
      Target to;
      (void)target(&to, true, true);
      check_assignable(to, at);
      if (!is_assign()) unexpected();
      ++at_;
      const Token& token = peek();
      const std::string name = is_name(token) ? identifier() : std::string();
      const auto* found = std::find_if(std::begin(kItems), std::end(kItems), [&](const auto& item) { return item.first == name; });
      if (found == std::end(kItems)) complain("unrecognized GET DIAGNOSTICS item", token);
      const bool current_item = found->second == DiagnosticsItem::kRowCount;
      const bool both = found->second == DiagnosticsItem::kContext;
      std::string shown(found->first);
      for (char& c : shown) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
      if (made->stacked && (current_item || both))
        fail(sqlstate::syntax_error, "diagnostics item " + shown + " is not allowed in GET STACKED DIAGNOSTICS", static_cast<std::int64_t>(begin));
      if (!made->stacked && !current_item && !both)
        fail(sqlstate::syntax_error, "diagnostics item " + shown + " is not allowed in GET CURRENT DIAGNOSTICS", static_cast<std::int64_t>(begin));
      made->targets.push_back(std::move(to));
      made->items.push_back(found->second);
    } while (accept(TokenKind::kComma));
    expect(TokenKind::kSemicolon);
    return made;
  }

  // ---- Cursors ----

  std::uint32_t cursor_variable() {
    const Token& token = peek();
    Target to;
    if (!is_name(token) && token.kind != TokenKind::kParam) unexpected();
    if (!target(&to, false, false)) {
      fail(sqlstate::syntax_error, "cursor variable must be a simple variable", token.offset);
    }
    if (!to.field.empty() || variable(to.variable).type.is_row) fail(sqlstate::syntax_error, "cursor variable must be a simple variable", token.offset);
    if (variable(to.variable).type.type != type_oid::kRefcursor)
      fail(sqlstate::datatype_mismatch, "variable " + quoted(variable(to.variable).name) + " must be of type cursor or refcursor", token.offset);
    return to.variable;
  }
  // (a, b) or (name := a) behind a bound cursor.
  void cursor_arguments(Statement* made, const Variable& cursor, std::string_view) {
    const bool open = peek().kind == TokenKind::kOpen && peek().text == "(";
    if (cursor.cursor_arguments.empty()) {
      if (open) fail(sqlstate::syntax_error, "cursor " + quoted(cursor.name) + " has no arguments", peek().offset);
      return;
    }
    if (!open) fail(sqlstate::syntax_error, "cursor " + quoted(cursor.name) + " has arguments", peek().offset);
    ++at_;
    do {
      std::string name;
      if (is_name(peek()) && peek(1).kind == TokenKind::kColon && peek(1).text == ":=") {
        const Token& token = peek();
        name = identifier();
        ++at_;
        const bool known = std::any_of(cursor.cursor_arguments.begin(), cursor.cursor_arguments.end(),
                                       [&](std::uint32_t argument) { return variable(argument).name == name; });
        if (!known) fail(sqlstate::syntax_error, "cursor " + quoted(cursor.name) + " has no argument named " + quoted(name), token.offset);
      }
      made->argument_names.push_back(name);
      made->arguments.push_back(expression_until([](const Token& t) { return t.kind == TokenKind::kComma || t.kind == TokenKind::kClose; }, ")"));
    } while (accept(TokenKind::kComma));
    if (made->arguments.size() < cursor.cursor_arguments.size())
      fail(sqlstate::syntax_error, "not enough arguments for cursor " + quoted(cursor.name), peek().offset);
    if (made->arguments.size() > cursor.cursor_arguments.size())
      fail(sqlstate::syntax_error, "too many arguments for cursor " + quoted(cursor.name), peek().offset);
    expect(TokenKind::kClose);
  }

  const Statement* open_statement() {
    Statement* made = make(StepKind::kOpen, line());
    ++at_;
    made->cursor = cursor_variable();
    const Variable& cursor = variable(made->cursor);
    if (cursor.is_cursor) {
      cursor_arguments(made, cursor, ";");
      expect(TokenKind::kSemicolon);
      return made;
    }
    if (accept("no")) {
      expect("scroll");
      made->scroll = -1;
    } else if (accept("scroll")) {
      made->scroll = 1;
    }
    if (!accept("for")) complain("syntax error, expected \"FOR\"", peek());
    query_or_execute(made);
    return made;
  }

  const Statement* fetch_statement(bool move) {
    Statement* made = make(move ? StepKind::kMove : StepKind::kFetch, line());
    ++at_;
    direction(made, move);
    made->cursor = cursor_variable();
    if (!move) {
      expect("into");
      made->into = true;
      read_targets(made, false);
    }
    expect(TokenKind::kSemicolon);
    return made;
  }
  void direction(Statement* made, bool move) {
    bool check_from = true;
    const auto number = [&] { made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kWord && (t.is("from") || t.is("in")); }, "FROM"); };
    if (accept("next")) {
    } else if (accept("prior")) {
      made->direction = FetchDirection::kBackward;
    } else if (accept("first")) {
      made->direction = FetchDirection::kAbsolute;
    } else if (accept("last")) {
      made->direction = FetchDirection::kAbsolute;
      made->count = -1;
    } else if (accept("absolute")) {
      made->direction = FetchDirection::kAbsolute;
      number();
    } else if (accept("relative")) {
      made->direction = FetchDirection::kRelative;
      number();
    } else if (accept("all")) {
      made->all = true;
    } else if (is_word("forward") || is_word("backward")) {
      made->direction = is_word("forward") ? FetchDirection::kForward : FetchDirection::kBackward;
      ++at_;
      if (is_word("from") || is_word("in")) {
      } else if (accept("all")) {
        made->all = true;
      } else {
        number();
      }
    } else if (is_word("from") || is_word("in")) {
    } else if (is_name(peek()) && (is_word("into", 1) || peek(1).kind == TokenKind::kSemicolon || peek(1).kind == TokenKind::kDot)) {
      check_from = false;   // FETCH cursor
    } else {
      number();
    }
    if (made->all && !move)
      fail(sqlstate::feature_not_supported, "FETCH statement cannot return multiple rows", peek().offset);
    if (!move && made->text != nullptr && (made->direction == FetchDirection::kForward || made->direction == FetchDirection::kBackward))
      fail(sqlstate::feature_not_supported, "FETCH statement cannot return multiple rows", peek().offset);
    if (check_from && !accept("from")) expect("in");
  }

  const Statement* close_statement() {
    Statement* made = make(StepKind::kClose, line());
    ++at_;
    made->cursor = cursor_variable();
    expect(TokenKind::kSemicolon);
    return made;
  }

  const Statement* commit_statement(bool commit) {
    Statement* made = make(commit ? StepKind::kCommit : StepKind::kRollback, line());
    ++at_;
    if (accept("and")) {
      const bool no = accept("no");
      expect("chain");
      made->chain = !no;
    }
    expect(TokenKind::kSemicolon);
    return made;
  }

  // ---- SQL ----

  const Statement* sql_statement() {
    Statement* made = make(StepKind::kSql, line());
    const std::size_t begin = peek().offset;
    if (!is_known_sql(peek())) unexpected();
    std::size_t into_begin = 0, into_end = 0;
    int depth = 0, atomic = 0;
    const bool creates = is_word("create");
    const bool import = is_word("import");
    for (std::size_t previous = at_;; previous = at_ - 1) {
      const Token& token = peek();
      if (token.kind == TokenKind::kSemicolon && depth == 0 && atomic == 0) break;
      if (token.kind == TokenKind::kEnd) unexpected();
      if (token.kind == TokenKind::kOpen) ++depth;
      if (token.kind == TokenKind::kClose) --depth;
      if (creates && is_word("begin") && is_word("atomic", 1)) ++atomic;
      if (atomic > 0 && is_word("case")) ++atomic;
      if (atomic > 0 && is_word("end")) --atomic;
      if (is_word("into") && at_ != previous + 0 && !import) {
        const Token& before = tokens_[at_ - 1];
        const bool insert = before.kind == TokenKind::kWord && (before.is("insert") || before.is("merge"));
        if (!insert) {
          if (made->into) complain("INTO specified more than once", token);
          into_begin = token.offset;
          ++at_;
          into_clause(made);
          into_end = peek().offset;
          continue;
        }
      }
      ++at_;
    }
    std::string text(trimmed(begin, peek().offset));
    if (made->into) {
      const std::size_t from = into_begin - begin, to = std::min(into_end - begin, text.size());
      for (std::size_t i = from; i < to; ++i) text[i] = ' ';
      while (!text.empty() && is_space(text.back())) text.pop_back();
    }
    check_sql("", text, begin);
    ++at_;
    made->text = make_text(TextKind::kStatement, std::move(text));
    return made;
  }
  // Words that begin an SQL statement. Anything else is an error of PL/pgSQL's grammar.
  static bool is_known_sql(const Token& token) { return token.kind == TokenKind::kWord || token.kind == TokenKind::kOpen; }

  static constexpr int kMaxDepth = 1000;

  const ParseRequest& request_;
  std::shared_ptr<Function> function_;
  std::string_view source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  const Name* names_ = nullptr;
  int depth_ = 0;
};

}  // namespace

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

}  // namespace wandian::sql::plpgsql
