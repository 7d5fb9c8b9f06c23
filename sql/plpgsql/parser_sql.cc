// Statements in SQL, and those that run them: EXECUTE, PERFORM, CALL, GET DIAGNOSTICS, cursors.
#include "sql/plpgsql/parser_impl.h"

namespace wandian::sql::plpgsql {

void Parser::cursor_declaration(const std::string& name, int at_line, int scroll, std::vector<std::uint32_t>* variables) {
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

const Text* Parser::query_until_semicolon() {
  const std::size_t begin = peek().offset;
  const std::string_view query = read_until([](const Token& t) { return t.kind == TokenKind::kSemicolon; }, ";", false);
  check_sql("", query, begin);
  ++at_;
  return make_text(TextKind::kStatement, std::string(query));
}

void Parser::query_or_execute(Statement* made) {
  if (!accept("execute")) {
    made->text = query_until_semicolon();
    return;
  }
  made->upper = expression_until([](const Token& t) { return t.kind == TokenKind::kSemicolon || (t.kind == TokenKind::kWord && t.is("using")); }, ";");
  if (accept("using")) using_arguments(made, {});
  expect(TokenKind::kSemicolon);
}

void Parser::using_arguments(Statement* made, std::string_view end_word) {
  do {
    made->arguments.push_back(expression_until(
        [&](const Token& t) { return t.kind == TokenKind::kComma || (end_word.empty() ? t.kind == TokenKind::kSemicolon : t.kind == TokenKind::kWord && t.is(end_word)); },
        end_word.empty() ? ";" : "LOOP"));
  } while (accept(TokenKind::kComma));
  made->has_arguments = true;
}

void Parser::into_clause(Statement* made) {
  made->into = true;
  if (accept("strict")) made->strict = true;
  read_targets(made, false);
}

const Statement* Parser::execute_statement() {
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

const Statement* Parser::perform_statement() {
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

const Statement* Parser::call_statement() {
  Statement* made = make(StepKind::kCall, line());
  made->is_call_do = is_word("do");
  made->text = query_until_semicolon();
  return made;
}

const Statement* Parser::diagnostics_statement() {
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

std::uint32_t Parser::cursor_variable() {
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

void Parser::cursor_arguments(Statement* made, const Variable& cursor, std::string_view) {
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

const Statement* Parser::open_statement() {
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

const Statement* Parser::fetch_statement(bool move) {
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

void Parser::direction(Statement* made, bool move) {
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

const Statement* Parser::close_statement() {
  Statement* made = make(StepKind::kClose, line());
  ++at_;
  made->cursor = cursor_variable();
  expect(TokenKind::kSemicolon);
  return made;
}

const Statement* Parser::commit_statement(bool commit) {
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

const Statement* Parser::sql_statement() {
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

}  // namespace wandian::sql::plpgsql
