// Interpreter: one run of a PL/pgSQL body. Private to sql/plpgsql.
// Where what is: interpreter.cc (control flow, RAISE, handlers), values.cc (variables and expressions), statements.cc (SQL, cursors, results).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/expr/call_journal.h"
#include "sql/plpgsql/interpreter.h"
#include "sql/session_portal.h"

namespace wandian::sql::plpgsql {

/// VariableType::relation of what a CASE's branch is compiled for; `type` is then the number in its variable's name.
inline constexpr Oid kCaseMark = ~Oid{0};

/// What an expression gave; bytes stand in the run's scratch memory or in a variable.
struct Evaluated {
  Value value;
  Oid type = 0;
  std::int32_t typmod = -1;
  ShapePtr shape;                    ///< of a record whose columns are known
};

class Interpreter final : public RoutineFrame {
 public:
  Interpreter(PlpgsqlBody& body, RoutineRun& run);
  Task<Status> execute();
  void append_context(std::string& out) const override;

 private:
  friend class TextVariables;
  enum class Flow : std::uint8_t { kNext, kExit, kContinue, kReturn };
  /// kSlow: nothing was done, take the coroutine.
  enum class Quick : std::uint8_t { kDone, kFailed, kSlow };

  // interpreter.cc
  Status prepare_rows();
  void set_shape(VariableState& state, ShapePtr shape);
  Status store_argument(std::uint32_t variable, const Value& value, Oid type);
  void set_found(bool found);
  Status give_result(Flow flow);
  Task<Status> statements(const Body& body, Flow* flow);
  Task<Status> statement(const Statement& next, Flow* flow);
  Task<Status> initialize(const Statement& block);
  Task<Status> block(const Statement& next, Flow* flow);
  const Handler* find_handler(const Statement& block, const Status& status) const;
  void end_of_labelled(const Statement& next, Flow* flow);
  bool goes_on(const Statement& loop, Flow* flow);
  Task<Status> condition(const Text& text, bool* holds);
  Task<Status> assignment(const Statement& next);
  Quick assign_now(const Statement& next, Status* status);
  Task<Status> if_statement(const Statement& next, Flow* flow);
  Task<Status> case_statement(const Statement& next, Flow* flow);
  Task<Status> loop(const Statement& next, Flow* flow);
  Task<Status> for_integer(const Statement& next, Flow* flow);
  Task<Status> foreach_loop(const Statement& next, Flow* flow);
  Task<Status> exit_statement(const Statement& next, Flow* flow);
  Task<Status> text_of(const Text& text, std::optional<std::string>* out);
  Task<Status> raise(const Statement& next);
  Task<Status> assert_statement(const Statement& next);
  Task<Status> diagnostics(const Statement& next);
  Task<Status> end_transaction(const Statement& next);

  // values.cc
  /// For a statement that is bound again when it runs: its names mean what they meant when it was compiled.
  std::unique_ptr<BindVariables> variables_of(const Text& text, const Compiled& compiled, Compiled* kept) const;
  Result<CompiledTextPtr> compile(const Text& text, const VariableType* target);
  bool is_valid(const Compiled& compiled);
  std::string shown(const Text& text) const;
  void gather(const Compiled& compiled, std::vector<Value>* out) const;
  Value variable_value(std::uint32_t variable, Arena& arena, Oid* type) const;
  VariableType type_of(std::uint32_t variable) const;
  Quick evaluate_now(const Text& text, const VariableType* target, Evaluated* out, Status* status);
  /// `target`: what it will be assigned to, so that literals are read as such.
  Task<Status> evaluate(const Text& text, const VariableType* target, Evaluated* out);
  Task<Status> evaluate_query(const Text& text, CompiledTextPtr compiled, const VariableType* target, Evaluated* out);
  Task<Status> case_matches(const Statement& next, const Branch& branch, bool* holds);
  Status cast(Evaluated* value, Oid type, std::int32_t typmod);
  Status as_record(Evaluated* value);
  /// False: a record.
  bool target_type(const Target& target, VariableType* out) const;
  Status assign(const Target& target, const Evaluated& value);
  /// `assign`, a call of something that assigns; again from its start when a condition of a domain has called a routine.
  template <class Assign>
  Task<Status> awaited(Assign assign) {
    CallJournal journal;
    for (;;) {
      journal.rewind();
      journal_ = &journal;
      Status status = assign();
      journal_ = nullptr;
      if (!journal.asked()) co_return std::move(status);
      const ReadView view = run_.view.read_only ? run_.view.callers : ReadView{};
      WANDIAN_CO_TRY(co_await session_.run_routine(journal.call(), view));
      journal.answer();
    }
  }
  /// Whether a value that is assigned may have to be checked.
  bool checks_domains(const std::vector<Target>& targets) const;
  Status assign_record(std::uint32_t variable, const Value& record, const ShapePtr& shape);
  /// Of a record that is of a domain: what it is now.
  Status check_record_domain(std::uint32_t variable);
  /// Whether a target is a part of a jsonb value.
  bool subscripts_json(const Target& target) const;
  Status assign_json_part(const Target& target, std::span<const std::string_view> path, bool first_is_integer, const Evaluated& value);
  Status assign_array_element(const Target& target, std::span<const std::int64_t> subscripts, const Evaluated& value);
  // part_assign.cc
  /// A step of a target's path with its subscripts' values.
  struct Step {
    const TargetStep* step = nullptr;
    std::optional<std::int64_t> lower, upper;
    std::string_view key;              ///< of a jsonb value: the upper subscript as text
    bool is_integer = false;           ///< of `upper`
  };
  Task<Status> assign_path(const Statement& next);
  /// What stands at the end of a target's path, for literals to be read as; false: that is not known.
  bool path_type(const Target& target, VariableType* out) const;
  /// `current`, of `type`, with the value at the end of `steps`.
  Status store_part(const Value& current, Oid type, std::string_view column, std::span<const Step> steps, const Evaluated& value, Value* out);
  /// A record as a value of a composite type. 22P02.
  Status record_to_composite(Evaluated* value, Oid type);
  /// A row of a query into INTO's targets; null values for no row.
  Status assign_row(const std::vector<Target>& targets, const std::vector<ResultColumn>& columns, const Value* row, const ShapePtr& nested);
  Status field_of(const Target& target, std::size_t* field) const;

  // statements.cc
  Task<Status> sql_statement(const Statement& next);
  Task<Status> call_statement(const Statement& next);
  Task<Status> run_text(const Text& text, std::uint64_t max_rows, RowReceiver* receiver, std::unique_ptr<RowCollector>* rows, Arena& arena,
                        SessionImpl::NestedResult* result, CompiledPtr* statement);
  Task<Status> execute_dynamic(const Statement& next);
  Task<Status> dynamic_text(const Text& text, const std::vector<const Text*>& arguments, std::string* command, std::vector<Value>* values,
                            std::vector<Oid>* types, Arena& arena);
  Task<Status> dynamic_query(const Text& text, const std::vector<const Text*>& arguments, std::string* command, CompiledPtr* statement,
                             std::vector<Value>* params, Arena& arena);
  Status take_row(const Statement& next, const CompiledStatement& statement, const RowCollector& rows, bool writes);
  Task<Status> for_query(const Statement& next, Flow* flow);
  Task<Status> loop_over(const Statement& next, CompiledPtr statement, std::vector<Value> params, BindVariables* variables, Flow* flow);
  Task<Status> for_cursor(const Statement& next, Flow* flow);
  Task<Status> bound_query(std::uint32_t cursor, const Statement& next, CompiledPtr* statement, std::vector<Value>* params, Arena& arena);
  Task<Status> return_statement(const Statement& next, Flow* flow);
  Task<Status> return_next(const Statement& next);
  Task<Status> return_query(const Statement& next);
  std::vector<RowShape::Field> wanted_columns() const;
  /// Whether a record has these columns; none: any.
  Status check_record(const RecordView& record, const std::vector<RowShape::Field>& wanted, const char* message) const;
  Status add_result_row(std::span<const Value> values, std::span<const Oid> types);
  Task<Status> open_cursor(const Statement& next);
  Task<Status> fetch(const Statement& next);
  Status close_cursor(const Statement& next);
  void set_trigger_variables(const TriggerEvent& event);
  Status give_trigger_result(Flow flow);

  PlpgsqlBody& body_;
  RoutineRun& run_;
  const Function& tree_;
  std::deque<VariableState> states_;
  std::map<std::uint32_t, VariableType> case_types_;   ///< of CASE's variables
  std::map<std::uint32_t, Oid> last_case_types_;       ///< ... when their branches were compiled
  Arena scratch_;                    ///< values of the statement that runs
  Arena result_arena_;
  std::vector<Value> params_;
  Value result_;                     ///< of RETURN
  ShapePtr result_shape_;
  std::string exit_label_;
  std::uint64_t row_count_ = 0;
  CallJournal* journal_ = nullptr;   ///< of awaited()
  Status* caught_ = nullptr;         ///< the error whose handler runs
  unsigned handlers_active_ = 0;     ///< blocks with handlers around the statement that runs
  // Contexts.
  const Statement* current_ = nullptr;
  std::string statement_text_;       ///< the line of an SQL statement under way
  std::string_view phase_;
  int phase_line_ = 0;
};

}  // namespace wandian::sql::plpgsql
