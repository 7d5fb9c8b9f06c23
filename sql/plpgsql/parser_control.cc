// Statements that decide what runs next: assignments, branches, loops, RETURN, RAISE, ASSERT.
#include <utility>

#include "sql/plpgsql/parser_impl.h"

namespace wandian::sql::plpgsql {

bool Parser::target(Target* out, bool subscripts, bool must) {
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
  if (subscripts) element(out);
  return true;
}

void Parser::element(Target* out) {
  while (peek().kind == TokenKind::kOpen && peek().text == "[") {
    ++at_;
    out->subscripts.push_back(expression_until([](const Token& t) { return t.kind == TokenKind::kClose; }, "]"));
    ++at_;
  }
}

namespace {

bool assigns(const Token& token) {
  return (token.kind == TokenKind::kColon && token.text == ":=") || (token.kind == TokenKind::kOperator && token.text == "=");
}
bool is_slice_colon(const Token& token) { return token.kind == TokenKind::kColon && token.text == ":"; }

}  // namespace

bool Parser::goes_deeper() const {
  int depth = 0;
  for (std::size_t i = at_; i < tokens_.size(); ++i) {
    const Token& token = tokens_[i];
    if (token.kind == TokenKind::kEnd || token.kind == TokenKind::kSemicolon || (depth == 0 && assigns(token))) return false;
    if (depth == 0 && token.kind == TokenKind::kDot) return true;
    if (depth == 1 && is_slice_colon(token)) return true;
    if (token.kind == TokenKind::kOpen) ++depth;
    if (token.kind == TokenKind::kClose) --depth;
    if (depth == 0 && token.kind != TokenKind::kClose) return false;
  }
  return false;
}

void Parser::path(Target* out) {
  const auto ends = [](const Token& t) { return t.kind == TokenKind::kClose || is_slice_colon(t); };
  for (;;) {
    TargetStep step;
    if (peek().kind == TokenKind::kDot && peek().text == ".") {
      ++at_;
      step.field = identifier();
    } else if (peek().kind == TokenKind::kOpen && peek().text == "[") {
      ++at_;
      if (!ends(peek())) step.upper = expression_until(ends, "]");
      if (is_slice_colon(peek())) {
        ++at_;
        step.slice = true;
        step.lower = std::exchange(step.upper, nullptr);
        if (!ends(peek())) step.upper = expression_until(ends, "]");
      } else if (step.upper == nullptr) {
        unexpected();
      }
      expect(TokenKind::kClose);
    } else {
      return;
    }
    out->path.push_back(std::move(step));
  }
}

void Parser::check_assignable(const Target& to, std::size_t offset) const {
  const Variable& of = variable(to.variable);
  if (of.constant) fail(sqlstate::error_in_assignment, "variable " + quoted(of.name) + " is declared CONSTANT", static_cast<std::int64_t>(offset));
}

const Statement* Parser::assignment(int at_line) {
  const std::size_t begin = peek().offset, first = at_;
  Target to;
  if (!target(&to, false, false)) {
    // Not a variable's name: SQL, unless it looks like an assignment.
    std::size_t end = at_ + 1;
    while (tokens_[end].kind == TokenKind::kDot && is_name(tokens_[std::min(end + 1, tokens_.size() - 1)])) end += 2;
    const bool assigns = (tokens_[end].kind == TokenKind::kColon && tokens_[end].text == ":=") ||
                         (tokens_[end].kind == TokenKind::kOperator && tokens_[end].text == "=") ||
                         (tokens_[end].kind == TokenKind::kOpen && tokens_[end].text == "[");
    if (assigns) target(&to, false, true);
    return nullptr;
  }
  if (goes_deeper()) path(&to);
  else element(&to);
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

const Statement* Parser::if_statement() {
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
  end_branches(made, "if");
  return made;
}

const Statement* Parser::case_statement() {
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
  end_branches(made, "case");
  return made;
}

// ELSE, and the end of IF or CASE.
void Parser::end_branches(Statement* made, std::string_view word) {
  if (accept("else")) {
    made->has_else = true;
    made->body = statements();
  }
  expect("end");
  expect(word);
  expect(TokenKind::kSemicolon);
}

void Parser::loop_body(Statement* made) {
  expect("loop");
  made->body = statements();
  expect("end");
  expect("loop");
  end_label(made->label);
  expect(TokenKind::kSemicolon);
}

const Statement* Parser::loop(const std::string& name) {
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

void Parser::for_loop(Statement* made) {
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

void Parser::skip_to_loop(std::size_t from) {
  int depth = 0;
  for (at_ = from; peek().kind != TokenKind::kEnd; ++at_) {
    if (peek().kind == TokenKind::kOpen) ++depth;
    if (peek().kind == TokenKind::kClose) --depth;
    if (depth == 0 && is_word("loop")) return;
  }
}

void Parser::for_targets(Statement* made, std::size_t first, std::size_t in) {
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

void Parser::read_targets(Statement* made, bool single) {
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

const Statement* Parser::exit_statement(bool is_exit) {
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

const Statement* Parser::return_statement() {
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

const Statement* Parser::raise_statement() {
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
      for (const ConditionName& condition : condition_names()) known = known || condition.name == name;
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

const Statement* Parser::assert_statement() {
  Statement* made = make(StepKind::kAssert, line());
  ++at_;
  made->text = expression_until([](const Token& t) { return t.kind == TokenKind::kComma || t.kind == TokenKind::kSemicolon; }, ";");
  if (accept(TokenKind::kComma)) made->upper = expression_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";");
  expect(TokenKind::kSemicolon);
  return made;
}

}  // namespace wandian::sql::plpgsql
