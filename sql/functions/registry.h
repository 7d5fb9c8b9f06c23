// The built-in functions, operators, casts and aggregates, by PostgreSQL's OIDs, and how the executor calls them.
// Owns:    immutable tables, filled at first use by each sql/functions/*.cc; sql/functions/builtins.inc holds the
//          catalog facts (names, OIDs, argument types, volatility) of exactly the objects that are implemented.
// Thread:  any.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/oid.h"
#include "engine/type.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian::sql {

class CallJournal;    // sql/expr/call_journal.h
struct Routine;       // sql/routine/routine.h
struct RoutineRows;   // sql/expr/call_journal.h
class SessionHooks;   // sql/functions/session_hooks.h: nextval, current_setting, catalog look-ups, ...

/// Settings that text forms and functions depend on. Owned by the session.
struct FormatSettings {
  enum class DateStyle : std::uint8_t { kIso, kSql, kPostgres, kGerman };
  enum class DateOrder : std::uint8_t { kMdy, kDmy, kYmd };
  enum class IntervalStyle : std::uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };
  DateStyle date_style = DateStyle::kIso;
  DateOrder date_order = DateOrder::kMdy;
  IntervalStyle interval_style = IntervalStyle::kPostgres;
  std::int32_t extra_float_digits = 1;
  bool bytea_hex = true;
  const struct TimeZone* time_zone = nullptr;   ///< sql/types/timezone.h; null is UTC
  /// Of what is sent to the client and comes from it; null: UTF-8, or nothing that has to be converted.
  const class Encoding* client_encoding = nullptr;
};

/// A field of a record as its row type has it now.
struct RecordField {
  std::string_view name;
  Oid type = 0;
  std::int32_t typmod = -1;
  bool dropped = false;
};

/// What one call of a set-returning function has from its first row to its last.
struct SetCallState {
  Arena& arena;
  const void* kept = nullptr;           ///< the function's own; null at its first row
};

/// What an expression sees while it is evaluated.
struct EvalContext {
  Arena& arena;                         ///< for results that need memory; they live until the statement resets it
  const FormatSettings& format;
  SessionHooks* session = nullptr;      ///< null only where the plan contains no function that needs it
  std::int64_t statement_timestamp = 0; ///< µs from 2000-01-01 UTC
  std::int64_t transaction_timestamp = 0;
  Status error;                         ///< set by whatever returns false, unless `journal` asks for a routine
  CallJournal* journal = nullptr;       ///< where routines are answered from; null: none can be called
  SetCallState* set_call = nullptr;     ///< set for set-returning functions alone
  bool ascii_letters = false;           ///< the function's collation knows no letters but those of ASCII

  /// Sets the error and returns false, so that a function can `return ctx.fail(...)`.
  bool fail(Status status) {
    error = std::move(status);
    return false;
  }
};

/// Computes one result. Arguments of strict functions are never null. False: ctx.error is set.
using ScalarFn = bool (*)(EvalContext& ctx, const Value* args, Value* result);

/// Set-returning function: called with *position = 0 first; sets *done instead of a result when exhausted.
using SetFn = bool (*)(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done);

struct FunctionDef;
/// Set-returning function that makes all of its rows at once. `types` as for typed_fn; `function` says which columns are wanted.
/// Everything lives in ctx.arena until the last row was read.
using CollectFn = bool (*)(EvalContext& ctx, const FunctionDef& function, const Oid* types, const Value* args, RoutineRows* rows);

enum class Volatility : char { kImmutable = 'i', kStable = 's', kVolatile = 'v' };

/// What the executor computes for a window function of PostgreSQL's.
enum class WindowFunction : std::uint8_t {
  kNone, kRowNumber, kRank, kDenseRank, kPercentRank, kCumeDist, kNtile, kLag, kLead, kFirstValue, kLastValue, kNthValue,
};

struct FunctionDef {
  Oid oid;
  std::string_view name;
  Oid result;
  std::vector<Oid> args;
  /// Element type if the last argument is variadic: the call's tail arrives as one array. kAny for VARIADIC "any": the
  /// tail arrives as one record (engine/array_value.h) with its own types, or as an array where the call said VARIADIC;
  /// types[args.size() - 1] (kRecord or the array's type) tells which.
  Oid variadic = 0;
  std::uint8_t defaults = 0;   ///< how many trailing arguments have defaults (the registry adds one entry an arity instead, where it can)
  bool strict = true;
  Volatility volatility = Volatility::kImmutable;
  char kind = 'f';             ///< pg_proc.prokind: f, a (aggregate), w, p
  bool returns_set = false;
  ScalarFn fn = nullptr;
  SetFn set_fn = nullptr;
  CollectFn collect_fn = nullptr;   ///< instead of set_fn
  /// For polymorphic functions: the arguments' actual types are passed as `types` (result last). Arguments declared
  /// "any" or anyelement arrive in their own type. Exactly one of fn, typed_fn, set_fn and window is set.
  bool (*typed_fn)(EvalContext& ctx, const Oid* types, const Value* args, Value* result) = nullptr;
  WindowFunction window = WindowFunction::kNone;
  std::vector<std::string_view> arg_names;   ///< for f(name => value); empty: none has a name
  std::vector<std::string_view> out_names;   ///< columns of a set-returning function with several
  std::vector<Oid> out_types;
  std::vector<std::int32_t> out_typmods;   ///< of a column definition list; else empty
  const Routine* routine = nullptr;    ///< a function that users wrote, instead of fn, typed_fn and set_fn
};

/// nextval for a column's own sequence: asks for no privilege.
const FunctionDef& identity_function();

struct OperatorDef {
  Oid oid;
  std::string_view name;
  Oid left;                    ///< 0 for a prefix operator
  Oid right;
  Oid result;
  Oid function;                ///< FunctionDef::oid
  Oid commutator = 0;
  Oid negator = 0;
  std::uint8_t btree_strategy = 0;   ///< 1 <, 2 <=, 3 =, 4 >=, 5 > in the default btree family of its types, else 0
  bool hashable = false;
};

struct CastDef {
  Oid source;
  Oid target;
  enum class Method : char { kFunction = 'f', kBinary = 'b', kInOut = 'i' } method;
  Oid function;                ///< may take (value), (value, typmod) or (value, typmod, is_explicit)
  enum class Context : char { kExplicit = 'e', kAssignment = 'a', kImplicit = 'i' } context;
};

/// An aggregate over a frame that moves: rows leave it in the order in which they came. PostgreSQL's moving-aggregate mode.
struct MovingAggregate {
  std::uint32_t state_bytes;
  bool (*step)(EvalContext& ctx, Arena& arena, void* state, const Oid* types, const Value* args);
  /// Takes out what step() put in; sets *done to false where the state cannot tell, and must be computed anew.
  bool (*unstep)(EvalContext& ctx, Arena& arena, void* state, const Oid* types, const Value* args, bool* done);
  bool (*finish)(EvalContext& ctx, const void* state, const Oid* types, Value* result);
};

/// Where a hypothetical row would stand among the rows of a group.
struct HypotheticalRank {
  std::int64_t before = 0;            ///< rows that sort before it
  std::int64_t distinct_before = 0;   ///< the same, equal ones counted once
  std::int64_t equal = 0;             ///< its peers
  std::int64_t rows = 0;              ///< all of the group
};

/// One running aggregate. The state is `state_bytes` of zeroed memory in the arena given at each call; what it holds
/// in that arena lives as long as the group. The state must be movable with memcpy.
struct AggregateDef {
  Oid oid = 0;                 ///< also in pg_proc, kind 'a'
  std::string_view name;
  std::vector<Oid> args;       ///< kAny for count(*)'s absence: count(*) has no argument
  Oid result = 0;
  std::uint32_t state_bytes = 0;
  bool skips_nulls = true;     ///< step is not called for rows where an argument is null
  bool (*step)(EvalContext& ctx, Arena& group_arena, void* state, const Oid* types, const Value* args) = nullptr;
  bool (*finish)(EvalContext& ctx, const void* state, const Oid* types, Value* result) = nullptr;
  const MovingAggregate* moving = nullptr;   ///< may be null
  char kind = 'n';             ///< pg_aggregate.aggkind: n, o (ordered set), h (hypothetical set); the latter two have no state
  std::uint8_t direct_args = 0;
  Oid variadic = 0;            ///< kAny: any number of arguments, of any types
  /// Of an ordered-set aggregate: over the values of its group in order, nulls left out.
  bool (*finish_sorted)(EvalContext& ctx, const Oid* types, const Value* direct, std::span<const Value* const> rows, Value* result) = nullptr;
  bool (*finish_rank)(const HypotheticalRank& rank, Value* result) = nullptr;   ///< of a hypothetical-set aggregate
};

/// pg_type's typinput, typoutput, ...: functions that are in all_functions() too. 0: none.
struct TypeFunctions {
  Oid type;
  Oid input, output, receive, send, typmod_in, typmod_out;
};

std::span<const FunctionDef> all_functions();
std::span<const OperatorDef> all_operators();
std::span<const CastDef> all_casts();
std::span<const AggregateDef> all_aggregates();

std::span<const FunctionDef* const> find_functions(std::string_view name);
const FunctionDef* find_function(Oid oid);
std::span<const OperatorDef* const> find_operators(std::string_view name);
const OperatorDef* find_operator(Oid oid);
const CastDef* find_cast(Oid source, Oid target);
std::span<const AggregateDef* const> find_aggregates(std::string_view name);
const AggregateDef* find_aggregate(Oid oid);
const TypeFunctions* find_type_functions(Oid type);
std::span<const TypeFunctions> all_type_functions();

/// What the catalog facts name and no code implements, and the reverse; empty unless builtins.inc is out of date.
std::string registry_gaps();

}  // namespace wandian::sql
