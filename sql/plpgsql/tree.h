// The tree of a PL/pgSQL body: blocks and statements; expressions and SQL statements in it stay text.
// Owns:       Function owns everything, in deques whose elements do not move.
// Thread:     immutable once parse() returned.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/oid.h"

namespace wandian::sql::plpgsql {

/// What a variable can hold.
struct VariableType {
  bool is_row = false;               ///< a record; `relation` says of which table, view or composite type, 0 is RECORD
  Oid relation = 0;
  Oid type = 0;
  std::int32_t typmod = -1;
  Oid domain = 0;                    ///< of a record: the domain over `relation` that it is of, or 0
};

/// Names that are visible at a place: a list from the innermost outwards. A label ends the names of its block.
struct Name {
  enum class Kind : std::uint8_t { kLabel, kVariable } kind = Kind::kVariable;
  bool loop = false;                 ///< of a label: a loop's
  std::string name;
  std::uint32_t datum = 0;
  const Name* outer = nullptr;
};

enum class TextKind : std::uint8_t {
  kExpression,   ///< a + b
  kAssignment,   ///< x := a + b; the expression begins at `value`
  kStatement,
};

/// An expression or a statement, and what its names may mean.
struct Text {
  TextKind kind = TextKind::kExpression;
  std::string text;
  std::size_t value = 0;             ///< kAssignment: where the expression begins
  const Name* names = nullptr;
  std::uint32_t id = 0;              ///< number among the function's texts
};

struct Variable {
  std::string name;
  int line = 0;
  VariableType type;
  bool constant = false, not_null = false;
  const Text* initial = nullptr;     ///< may be null
  // A bound cursor.
  const Text* cursor_query = nullptr;
  std::vector<std::uint32_t> cursor_arguments;   ///< variables
  bool is_cursor = false;
  int scroll = 0;                    ///< 1: SCROLL, -1: NO SCROLL
};

/// One step into a value: .field, [upper] or [lower:upper].
struct TargetStep {
  std::string field;                 ///< "" is a subscript
  bool slice = false;
  const Text* lower = nullptr;       ///< of a slice; may be left out, as may `upper`
  const Text* upper = nullptr;
};

/// Where a value goes: a variable, a field of a record, an element of an array, or a part further inside.
struct Target {
  std::uint32_t variable = 0;
  std::string field;                 ///< "" is the whole
  std::vector<const Text*> subscripts;
  std::vector<TargetStep> path;      ///< of assignments to slices and to fields of fields and elements; then `subscripts` is empty
};

enum class StepKind : std::uint8_t {
  kBlock, kAssign, kIf, kCase, kLoop, kWhile, kForInteger, kForQuery, kForExecute, kForCursor, kForeach, kExit, kContinue, kReturn, kReturnNext,
  kReturnQuery, kRaise, kAssert, kExecute, kSql, kPerform, kCall, kGetDiagnostics, kOpen, kFetch, kMove, kClose, kCommit, kRollback, kNull,
};

struct Statement;
using Body = std::vector<const Statement*>;

struct Condition {
  std::string name;                  ///< as written
  std::string state;                 ///< SQLSTATE; "" is OTHERS; one of three zeros at its end is a class
};
struct Handler {
  int line = 0;
  std::vector<Condition> conditions;
  Body body;
};
/// IF and CASE: a condition (CASE: one or more values) and what follows it.
struct Branch {
  int line = 0;
  const Text* condition = nullptr;
  Body body;
};

enum class RaiseLevel : std::uint8_t { kDebug, kLog, kInfo, kNotice, kWarning, kException };
enum class RaiseOption : std::uint8_t { kErrcode, kMessage, kDetail, kHint, kColumn, kConstraint, kDatatype, kTable, kSchema };
enum class DiagnosticsItem : std::uint8_t {
  kRowCount, kContext, kReturnedSqlstate, kMessageText, kDetail, kHint, kErrorContext, kColumnName, kConstraintName, kDatatypeName, kTableName,
  kSchemaName,
};
enum class FetchDirection : std::uint8_t { kForward, kBackward, kAbsolute, kRelative };

struct Statement {
  StepKind kind = StepKind::kNull;
  int line = 0;
  std::string label;                 ///< of blocks and loops; of EXIT and CONTINUE: where to
  Body body;                         ///< of blocks and loops; ELSE of IF and CASE
  // kBlock
  std::vector<std::uint32_t> variables;
  std::vector<Handler> handlers;
  bool has_handlers = false;
  std::uint32_t sqlstate_variable = 0, sqlerrm_variable = 0;
  // kIf, kCase
  std::vector<Branch> branches;
  bool has_else = false;
  std::uint32_t case_variable = 0;   ///< CASE with a value: the variable that holds it
  // What is evaluated: the value, the condition, the query, the command text, FOR's lower bound
  const Text* text = nullptr;
  const Text* upper = nullptr;       ///< kForInteger
  const Text* step = nullptr;
  bool reverse = false;
  std::vector<const Text*> arguments;   ///< USING, RAISE's values, a cursor's arguments
  bool has_arguments = false;
  std::vector<std::string> argument_names;   ///< of a cursor's, "" for those by position
  // Where results go
  std::vector<Target> targets;
  bool into = false, strict = false;
  std::uint32_t loop_variable = 0;   ///< kForInteger
  int slice = 0;                     ///< kForeach
  // kRaise
  RaiseLevel level = RaiseLevel::kException;
  std::string condition, message;    ///< SQLSTATE or condition name; format
  bool has_message = false;
  std::vector<std::pair<RaiseOption, const Text*>> options;
  // kAssert: text, then upper is the message
  // kGetDiagnostics
  bool stacked = false;
  std::vector<DiagnosticsItem> items;
  // Cursors
  std::uint32_t cursor = 0;
  int scroll = 0;
  FetchDirection direction = FetchDirection::kForward;
  std::int64_t count = 1;
  bool all = false;
  bool chain = false;                ///< COMMIT AND CHAIN
  bool is_call_do = false;
};

struct Function {
  std::string source;
  std::string name;                  ///< for the outermost label
  std::deque<Variable> variables;
  std::deque<Text> texts;
  std::deque<Name> names;
  std::deque<Statement> statements;
  const Statement* body = nullptr;
  std::vector<std::uint32_t> parameters;   ///< variables, by position in a call
  std::uint32_t found = 0;
  /// Trigger functions: NEW, OLD and TG_...; else not there.
  bool is_trigger = false;
  std::uint32_t new_row = 0, old_row = 0, first_trigger_variable = 0;
  /// #variable_conflict: 'e', 'v' or 'c'
  char conflict = 'e';
};

/// PostgreSQL's name for a kind of statement, as context lines show it.
std::string_view statement_name(const Statement& statement);

}  // namespace wandian::sql::plpgsql
