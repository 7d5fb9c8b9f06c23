// Parser: the statements of a PL/pgSQL body, by recursive descent. Private to sql/plpgsql.
// Thread:     the session's shard.
#pragma once

#include "sql/plpgsql/body_reader.h"

namespace wandian::sql::plpgsql {

struct ConditionName {
  std::string_view name, state;
};
/// What EXCEPTION and RAISE can name.
std::span<const ConditionName> condition_names();

class Parser : private BodyReader {
 public:
  explicit Parser(const ParseRequest& request) : BodyReader(request) {}
  std::shared_ptr<const Function> run();

 private:
  // parser.cc: declarations, blocks, and which statement it is
  void option();
  /// `parts` name a variable whose type is wanted, or a column.
  VariableType type_until_end(bool in_arguments);
  void declarations(std::vector<std::uint32_t>* variables);
  std::string label();
  void end_label(const std::string& begun);
  Statement* make(StepKind kind, int at_line);
  const Statement* block();
  const Statement* block(const std::string& name);
  void conditions(Handler* handler);
  bool ends_body() const;
  Body statements();
  const Statement* statement();
  bool is_statement_word(const Token& token) const;
  /// Words that begin an SQL statement. Anything else is an error of PL/pgSQL's grammar.
  static bool is_known_sql(const Token& token) { return token.kind == TokenKind::kWord || token.kind == TokenKind::kOpen; }

  // parser_control.cc: assignments, branches, loops, RETURN, RAISE, ASSERT
  /// The target at the cursor: a variable with a field or subscripts behind it. Null: no variable. `parts` are consumed.
  bool target(Target* out, bool subscripts, bool must);
  /// Subscripts of an element.
  void element(Target* out);
  void check_assignable(const Target& to, std::size_t offset) const;
  const Statement* assignment(int at_line);
  /// Behind the variable, or its field, of an assignment: whether more follows than subscripts of elements.
  bool goes_deeper() const;
  void path(Target* out);
  const Statement* if_statement();
  const Statement* case_statement();
  void end_branches(Statement* made, std::string_view word);
  void loop_body(Statement* made);
  const Statement* loop(const std::string& name);
  void for_loop(Statement* made);
  /// Stands at the LOOP that ends a FOR's head, whose tokens begin at `from`.
  void skip_to_loop(std::size_t from);
  void for_targets(Statement* made, std::size_t first, std::size_t in);
  /// A record, or a list of variables.
  void read_targets(Statement* made, bool single);
  const Statement* exit_statement(bool is_exit);
  const Statement* return_statement();
  const Statement* raise_statement();
  const Statement* assert_statement();

  // parser_sql.cc: statements in SQL, EXECUTE, CALL, GET DIAGNOSTICS, cursors
  void cursor_declaration(const std::string& name, int at_line, int scroll, std::vector<std::uint32_t>* variables);
  const Text* query_until_semicolon();
  /// A query, or EXECUTE of one that an expression gives, up to the semicolon.
  void query_or_execute(Statement* made);
  void using_arguments(Statement* made, std::string_view end_word);
  void into_clause(Statement* made);
  const Statement* execute_statement();
  const Statement* perform_statement();
  const Statement* call_statement();
  const Statement* diagnostics_statement();
  std::uint32_t cursor_variable();
  /// (a, b) or (name := a) behind a bound cursor.
  void cursor_arguments(Statement* made, const Variable& cursor, std::string_view);
  const Statement* open_statement();
  const Statement* fetch_statement(bool move);
  void direction(Statement* made, bool move);
  const Statement* close_statement();
  const Statement* commit_statement(bool commit);
  const Statement* sql_statement();

  static constexpr int kMaxDepth = 1000;
  int depth_ = 0;
};

}  // namespace wandian::sql::plpgsql
