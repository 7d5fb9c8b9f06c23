// Window functions: calls with OVER, the WINDOW clause, frames.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// The bits of WindowDef::frame_options (PostgreSQL 15, parsenodes.h).
constexpr int kRows = 0x4, kGroups = 0x8, kBetween = 0x10, kStartUnboundedPreceding = 0x20, kEndUnboundedFollowing = 0x100,
              kStartCurrentRow = 0x200, kEndCurrentRow = 0x400, kStartPreceding = 0x800, kEndPreceding = 0x1000, kStartFollowing = 0x2000,
              kEndFollowing = 0x4000, kExcludeCurrentRow = 0x8000, kExcludeGroup = 0x10000, kExcludeTies = 0x20000;
constexpr int kDefaultFrame = 0x2 | kStartUnboundedPreceding | kEndCurrentRow;

std::string_view text_of(const char* text) { return text == nullptr ? std::string_view{} : std::string_view(text); }

// A frame that is written out counts, though it be the default one: PostgreSQL marks it.
bool has_frame_clause(const PgQuery__WindowDef& window) { return window.frame_options != kDefaultFrame; }

// What may be added to a key of a type (btree's in_range support functions of PostgreSQL 15). The last one is what a literal is taken for.
std::vector<Oid> range_offset_types(Oid key) {
  switch (key) {
    case kInt2: return {kInt8, kInt4, kInt2};
    case kInt4: return {kInt8, kInt2, kInt4};
    case kInt8: return {kInt8};
    case kFloat4:
    case kFloat8: return {kFloat8};
    case kNumeric: return {kNumeric};
    case kDate: case kTime: case kTimestamp: case kTimestamptz: case kInterval: case kTimetz: return {kInterval};
    default: return {};
  }
}

}  // namespace

std::uint16_t Binder::find_window(Scope& scope, const PgQuery__WindowDef& over) {
  const std::string_view wanted = text_of(over.name);
  for (std::size_t i = 0; i < scope.windows.size(); ++i) {
    if (!wanted.empty()) {
      if (text_of(scope.windows[i]->name) == wanted) return static_cast<std::uint16_t>(i);
      continue;
    }
    PgQuery__WindowDef unnamed = *scope.windows[i];
    unnamed.name = over.name;
    if (same_message(unnamed.base, over.base)) return static_cast<std::uint16_t>(i);
  }
  if (!wanted.empty()) {
    fail(at(Status{sqlstate::undefined_object, "window " + quoted(wanted) + " does not exist"}, over.location));
  }
  if (scope.windows.size() >= 65000) fail(Status{sqlstate::statement_too_complex, "too many windows"});
  scope.windows.push_back(&over);
  return static_cast<std::uint16_t>(scope.windows.size() - 1);
}

const Expr* Binder::bind_window_call(Scope& scope, const PgQuery__FuncCall& call, const Candidate& chosen, std::vector<const Expr*> args,
                                     std::string_view name, Oid result) {
  const int location = call.location;
  const auto refuse = [&](SqlState state, std::string message) { fail(at(Status{state, std::move(message)}, location)); };
  if (call.agg_distinct != 0) refuse(sqlstate::feature_not_supported, "DISTINCT is not implemented for window functions");
  if (chosen.aggregate != nullptr && args.empty() && call.agg_star == 0) {
    refuse(sqlstate::wrong_object_type, std::string(name) + "(*) must be used to call a parameterless aggregate function");
  }
  if (call.n_agg_order > 0) refuse(sqlstate::feature_not_supported, "aggregate ORDER BY is not implemented for window functions");
  if (chosen.aggregate == nullptr && call.agg_filter != nullptr) {
    refuse(sqlstate::feature_not_supported, "FILTER is not implemented for non-aggregate window functions");
  }
  for (const Expr* arg : args) {
    any_node(arg, [&](const Expr* node) {
      if (node->returns_set) {
        fail(at(Status{sqlstate::feature_not_supported, "window function calls cannot contain set-returning function calls"}.with_hint(
                    "You might be able to move the set-returning function into a LATERAL FROM item."),
                node->location));
      }
      if (node->kind == ExprKind::kWindow) {
        fail(at(Status{sqlstate::windowing_error, "window function calls cannot be nested"}, node->location));
      }
      return false;
    });
  }
  auto* out = make<WindowExpr>();
  if (call.agg_filter != nullptr) out->filter = bind_condition(scope, call.agg_filter, Place::kFilter, "FILTER");
  switch (scope.place) {
    case Place::kTarget: case Place::kOrderBy: case Place::kDistinctOn: break;
    case Place::kWindowPartition: case Place::kWindowOrder: case Place::kWindowRange: case Place::kWindowRows: case Place::kWindowGroups:
      refuse(sqlstate::windowing_error, "window functions are not allowed in window definitions");
      break;
    default: refuse(sqlstate::windowing_error, "window functions are not allowed in " + std::string(place_name(scope.place)));
  }
  std::vector<Oid> types;
  for (const Expr* arg : args) types.push_back(arg->type);
  types.push_back(result);
  out->function = chosen.function;
  out->aggregate = chosen.aggregate;
  out->args = keep(args);
  out->types = keep(types);
  out->window = find_window(scope, *call.over);
  out->star = call.agg_star != 0;
  out->type = result;
  out->location = location;
  scope.query->has_windows = true;
  return out;
}

std::span<const SortKey> Binder::bind_window_keys(Scope& scope, PgQuery__Node** items, std::size_t count, Place place,
                                                  std::span<const SortKey> directions) {
  std::vector<SortKey> out;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__SortBy* by = place == Place::kWindowOrder ? items[i]->sort_by : nullptr;
    const Expr* expr = bind_in_place(scope, by != nullptr ? by->node : items[i], place);
    if (expr->type == kUnknown) expr = coerce(expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    SortKey key;
    if (by != nullptr) {
      key = sort_key(*by, expr);
    } else {
      if (!is_order_by_type(expr->type)) {
        fail(at(Status{sqlstate::undefined_function, "could not identify an equality operator for type " + type_text(expr->type)}, expr->location));
      }
      key.expr = expr;
      // Sorted as ORDER BY says if it is there, too, so that the rows are sorted once.
      for (const SortKey& direction : directions) {
        if (equal(direction.expr, expr)) key = direction;
      }
    }
    const bool repeated = std::any_of(out.begin(), out.end(), [&](const SortKey& known) { return equal(known.expr, expr); });
    if (!repeated) out.push_back(key);
  }
  return keep(out);
}

const Expr* Binder::bind_frame_offset(Scope& scope, const ParseNode* node, FrameMode mode, const Expr* key) {
  if (node == nullptr) return nullptr;
  switch (mode) {
    case FrameMode::kRows: return constant_argument(bind_in_place(scope, node, Place::kWindowRows), kInt8, "ROWS");
    case FrameMode::kGroups: return constant_argument(bind_in_place(scope, node, Place::kWindowGroups), kInt8, "GROUPS");
    case FrameMode::kRange: break;
  }
  const Expr* offset = bind_in_place(scope, node, Place::kWindowRange);
  const Oid key_type = key->type == kVarchar ? kText : key->type;
  const std::string column = "RANGE with offset PRECEDING/FOLLOWING is not supported for column type " + type_text(key_type);
  const std::vector<Oid> types = range_offset_types(key_type);
  if (types.empty()) fail(at(Status{sqlstate::feature_not_supported, column}, offset->location));
  const Oid preferred = offset->type == kUnknown ? key_type : offset->type;
  Oid selected = 0;
  unsigned matches = 0;
  for (const Oid type : types) {
    const Oid source = offset->type;
    if (!can_coerce({&source, 1}, {&type, 1}, CoerceContext::kImplicit)) continue;
    ++matches;
    if (selected != preferred) selected = type;
  }
  if (matches == 0) {
    fail(at(Status{sqlstate::feature_not_supported, column + " and offset type " + type_text(offset->type)}.with_hint(
                "Cast the offset value to an appropriate type."),
            offset->location));
  }
  if (matches != 1 && selected != preferred) {
    fail(at(Status{sqlstate::feature_not_supported, "RANGE with offset PRECEDING/FOLLOWING has multiple interpretations for column type " +
                                                        type_text(key_type) + " and offset type " + type_text(offset->type)}
                .with_hint("Cast the offset value to the exact intended type."),
            offset->location));
  }
  return constant_argument(offset, selected, "RANGE");
}

WindowFrame Binder::bind_frame(Scope& scope, const PgQuery__WindowDef& source, std::span<const SortKey> order) {
  const int options = source.frame_options;
  WindowFrame out;
  out.mode = (options & kRows) != 0 ? FrameMode::kRows : (options & kGroups) != 0 ? FrameMode::kGroups : FrameMode::kRange;
  if ((options & kStartCurrentRow) != 0) out.start = FrameBound::kCurrentRow;
  if ((options & kStartPreceding) != 0) out.start = FrameBound::kOffsetPreceding;
  if ((options & kStartFollowing) != 0) out.start = FrameBound::kOffsetFollowing;
  if ((options & kEndUnboundedFollowing) != 0) out.end = FrameBound::kUnboundedFollowing;
  if ((options & kEndPreceding) != 0) out.end = FrameBound::kOffsetPreceding;
  if ((options & kEndFollowing) != 0) out.end = FrameBound::kOffsetFollowing;
  if ((options & kExcludeCurrentRow) != 0) out.exclusion = FrameExclusion::kCurrentRow;
  if ((options & kExcludeGroup) != 0) out.exclusion = FrameExclusion::kGroup;
  if ((options & kExcludeTies) != 0) out.exclusion = FrameExclusion::kTies;
  const bool has_offset = (options & (kStartPreceding | kStartFollowing | kEndPreceding | kEndFollowing)) != 0;
  if (out.mode == FrameMode::kRange && has_offset && order.size() != 1) {
    fail(at(Status{sqlstate::windowing_error, "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column"}, source.location));
  }
  if (out.mode == FrameMode::kGroups && order.empty()) {
    fail(at(Status{sqlstate::windowing_error, "GROUPS mode requires an ORDER BY clause"}, source.location));
  }
  const Expr* key = order.empty() ? nullptr : order[0].expr;
  out.start_offset = bind_frame_offset(scope, source.start_offset, out.mode, key);
  out.end_offset = bind_frame_offset(scope, source.end_offset, out.mode, key);
  return out;
}

WindowDefinition Binder::bind_window(Scope& scope, const PgQuery__WindowDef& source, std::span<const WindowDefinition> earlier) {
  const auto refuse = [&](SqlState state, std::string message) { fail(at(Status{state, std::move(message)}, source.location)); };
  WindowDefinition out;
  out.name = name(source.name);
  const std::string_view base_name = text_of(source.refname);
  const WindowDefinition* base = nullptr;
  for (const WindowDefinition& window : earlier) {
    if (window.name.empty()) continue;
    if (window.name == out.name) refuse(sqlstate::windowing_error, "window " + quoted(out.name) + " is already defined");
    if (window.name == base_name) base = &window;
  }
  if (!base_name.empty() && base == nullptr) refuse(sqlstate::undefined_object, "window " + quoted(base_name) + " does not exist");
  out.order_by = bind_window_keys(scope, source.order_clause, source.n_order_clause, Place::kWindowOrder, {});
  out.partition_by = bind_window_keys(scope, source.partition_clause, source.n_partition_clause, Place::kWindowPartition, out.order_by);
  const bool own_order = !out.order_by.empty();
  if (base != nullptr) {
    if (!out.partition_by.empty()) refuse(sqlstate::windowing_error, "cannot override PARTITION BY clause of window " + quoted(base_name));
    if (own_order && !base->order_by.empty()) refuse(sqlstate::windowing_error, "cannot override ORDER BY clause of window " + quoted(base_name));
    out.partition_by = base->partition_by;
    if (!own_order) out.order_by = base->order_by;
    if (has_frame_clause(*scope.windows[static_cast<std::size_t>(base - earlier.data())])) {
      Status status{sqlstate::windowing_error, "cannot copy window " + quoted(base_name) + " because it has a frame clause"};
      if (out.name.empty() && !own_order && !has_frame_clause(source)) {
        status = std::move(status).with_hint("Omit the parentheses in this OVER clause.");
      }
      fail(at(std::move(status), source.location));
    }
  }
  out.frame = bind_frame(scope, source, out.order_by);
  if (base != nullptr) out.base = base->name;
  out.order_inherited = base != nullptr && !own_order;
  out.frame_written = has_frame_clause(source);
  out.frame_between = (source.frame_options & kBetween) != 0;
  return out;
}

void Binder::bind_windows(Scope& scope, Query& query) {
  if (scope.windows.empty()) return;
  std::vector<WindowDefinition> out;
  for (std::size_t i = 0; i < scope.windows.size(); ++i) out.push_back(bind_window(scope, *scope.windows[i], out));
  query.windows = keep(out);
}

}  // namespace wandian::sql
