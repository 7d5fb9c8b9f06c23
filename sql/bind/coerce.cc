// Coercions: implicit, assignment and explicit casts, literals' types, common types.
#include <algorithm>
#include <array>
#include <charconv>

#include "sql/bind/internal.h"
#include "sql/expr/domain_value.h"
#include "sql/functions/collated.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool is_reg_type(Oid type) {
  switch (type) {
    case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype: case kRegnamespace: case kRegrole: case kRegoperator: case kRegcollation: return true;
    default: return false;
  }
}

bool is_date_time(Oid type) {
  switch (type) {
    case kDate: case kTime: case kTimetz: case kTimestamp: case kTimestamptz: return true;
    default: return false;
  }
}

// 'now', 'today', ...: the value depends on the moment it is read.
bool reads_clock(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  for (const std::string_view word : {"now", "today", "tomorrow", "yesterday"}) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

const Expr* Binder::text_constant(std::string_view text, int location) {
  auto* out = make<ConstExpr>();
  out->type = kText;
  out->value = Value::of_bytes(arena_.copy(text));
  out->location = location;
  return out;
}

const Expr* Binder::literal_to_type(const ConstExpr& literal, Oid target, std::int32_t typmod, int location) {
  auto* out = make<ConstExpr>();
  out->type = target;
  out->location = literal.location;
  if (literal.value.is_null) return out;
  const std::string_view text = literal.value.bytes();
  const bool names_object = is_reg_type(target) || is_reg_type(element_type_of(target));
  if (names_object && context_.stored && element_type_of(target) == 0) {
    // The stored form knows objects by their OIDs alone.
    Oid oid = 0;
    if (const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), oid); error == std::errc{} && end == text.data() + text.size()) {
      out->value = Value::of_int(oid);
      if (target == kRegclass) note_sequence(oid);
      return out;
    }
  }
  if (names_object && (context_.eval == nullptr || context_.eval->session == nullptr)) {
    auto* cast = make<UnaryExpr>(ExprKind::kIoCast);
    cast->type = target;
    cast->location = location;
    cast->arg = text_constant(text, literal.location);
    return cast;
  }
  if (names_object && context_.temporary_schema != 0) cacheable = false;
  if (is_date_time(target) && reads_clock(text)) cacheable = false;
  static const FormatSettings default_format{};
  EvalContext ctx{arena_, context_.eval != nullptr ? context_.eval->format : default_format,
                  context_.eval != nullptr ? context_.eval->session : nullptr};
  if (context_.eval != nullptr) {
    ctx.statement_timestamp = context_.eval->statement_timestamp;
    ctx.transaction_timestamp = context_.eval->transaction_timestamp;
  }
  // Other types get their typmod by the length function afterwards: a cast truncates where an assignment refuses.
  if (!value_from_text(ctx, target, target == kInterval ? typmod : -1, text, &out->value)) {
    if (ctx.error.error().position != 0) fail(std::move(ctx.error));
    fail(at(std::move(ctx.error), literal.location));
  }
  if (target == kInterval) out->typmod = typmod;
  if (target == kRegclass) note_sequence(static_cast<Oid>(out->value.i));
  return out;
}

const FunctionExpr* Binder::make_call(const FunctionDef* function, ExprList args, Oid result, CallForm form, int location) {
  auto* call = make<FunctionExpr>();
  call->function = function;
  if (function->oid == kCollationForFunction || asks_for_letters(*function)) collated_ = true;
  call->args = args;
  call->type = result;
  call->form = form;
  call->location = location;
  call->returns_set = function->returns_set;
  std::vector<Oid> types;
  types.reserve(args.size() + 1);
  for (const Expr* arg : args) types.push_back(arg->type);
  types.push_back(result);
  call->types = keep(types);
  return call;
}

const Expr* Binder::coerce(const Expr* expr, Oid target, std::int32_t typmod, CoerceContext context, CallForm form, int location) {
  if (expr->type == target || target == kAny || is_polymorphic(target)) return expr;
  if (target >= kFirstUserOid) {
    note_type(target);
    (void)column_collation(target, {});   // one of its own makes collations matter
  }
  // A parameter is checked when it is bound, unless the check has to wait.
  if (type_kind(target) == 'd' && !(expr->type == kUnknown && expr->kind == ExprKind::kParam && !domain_waits(target))) return to_domain(expr, target, context, form, location);
  expr = without_domain(expr);
  if (expr->type == target) return expr;
  if (expr->type == kUnknown) {
    if (expr->kind == ExprKind::kConst) return literal_to_type(expr->as<ConstExpr>(), target, typmod, location);
    if (expr->kind == ExprKind::kParam) {
      const auto& param = expr->as<ParamExpr>();
      Oid& known = parameters_[param.index];
      if (known != kUnknown && known != 0 && known != target) {
        fail(at(Status{sqlstate::ambiguous_parameter, "inconsistent types deduced for parameter $" + std::to_string(param.index + 1)}
                    .with_detail(type_text(known) + " versus " + type_text(target)),
                param.location));
      }
      known = target;
      auto* out = make<ParamExpr>();
      out->index = param.index;
      out->type = target;
      out->location = param.location;
      return out;
    }
    auto* cast = make<UnaryExpr>(ExprKind::kIoCast);
    cast->type = target;
    cast->arg = expr;
    cast->form = form;
    cast->location = location;
    return cast;
  }
  // Under a COLLATE, as coerce_type() has it.
  if (expr->kind == ExprKind::kRelabel && !expr->as<UnaryExpr>().collate.empty()) {
    const auto& collated = expr->as<UnaryExpr>();
    if (const Expr* arg = coerce(collated.arg, target, typmod, context, form, location)) {
      auto* out = make<UnaryExpr>(ExprKind::kRelabel);
      *out = collated;
      out->type = target;
      out->typmod = arg->typmod;
      out->arg = arg;
      return out;
    }
    return nullptr;
  }
  const FunctionDef* function = nullptr;
  switch (find_coercion(target, expr->type, context, &function)) {
    case CoercePath::kNone:
      if (expr->type == kRecord && expr->kind == ExprKind::kRow && type_kind(target) == 'c')
        return row_to_composite(expr->as<RowExpr>(), target, context, form, location);
      break;
    case CoercePath::kRelabel: {
      auto* relabel = make<UnaryExpr>(ExprKind::kRelabel);
      relabel->type = target;
      relabel->arg = expr;
      relabel->form = form;
      relabel->location = location;
      return relabel;
    }
    case CoercePath::kFunction: {
      std::vector<const Expr*> args{expr};
      if (function->args.size() >= 2) args.push_back(make_constant(arena_, kInt4, -1, Value::of_int(typmod)));
      if (function->args.size() >= 3) args.push_back(make_bool(arena_, context == CoerceContext::kExplicit));
      auto* call = const_cast<FunctionExpr*>(make_call(function, keep(args), target, form, location));
      if (function->args.size() >= 2) call->typmod = typmod;
      return call;
    }
    case CoercePath::kIo: {
      auto* cast = make<UnaryExpr>(ExprKind::kIoCast);
      cast->type = target;
      cast->arg = expr;
      cast->form = form;
      cast->location = location;
      return cast;
    }
    case CoercePath::kArray: {
      auto* element = make<ElementExpr>();
      element->type = element_type_of(expr->type);
      auto* cast = make<ArrayCastExpr>();
      cast->type = target;
      cast->arg = expr;
      cast->element = coerce_with_typmod(element, element_type_of(target), typmod, context, form, location);
      cast->form = form;
      cast->location = location;
      cast->typmod = typmod;
      return cast;
    }
  }
  return nullptr;
}

const Expr* Binder::without_domain(const Expr* expr) {
  const Oid base = base_type(expr->type);
  if (base == expr->type) return expr;
  auto* relabel = make<UnaryExpr>(ExprKind::kRelabel);
  relabel->type = base;
  relabel->arg = expr;
  relabel->location = expr->location;
  return relabel;
}

const Expr* Binder::row_to_composite(const RowExpr& row, Oid target, CoerceContext context, CallForm form, int location) {
  const auto refuse = [&](std::string detail) {
    fail(at(Status{sqlstate::cannot_coerce, "cannot cast type record to " + type_text(target)}.with_detail(std::move(detail)), location));
  };
  if (location < 0) location = row.location;
  std::vector<RowField> fields;
  if (!CatalogTypes(catalog(), context_.search_path, context_.database).row_fields(target, &fields)) return nullptr;
  std::vector<const Expr*> args;
  std::size_t next = 0;
  for (const RowField& field : fields) {
    if (field.dropped) {
      args.push_back(make_null(arena_, kInvalidOid));
      continue;
    }
    if (next == row.args.size()) refuse("Input has too few columns.");
    const Expr* arg = row.args[next++];
    const Expr* value = coerce_with_typmod(arg, field.type, field.typmod, context, CallForm::kImplicitCast, arg->location);
    if (value == nullptr) refuse("Cannot cast type " + type_text(arg->type) + " to " + type_text(field.type) + " in column " + std::to_string(next) + ".");
    args.push_back(value);
  }
  if (next != row.args.size()) refuse("Input has too many columns.");
  auto* out = make<RowExpr>();
  out->args = keep(args);
  out->type = target;
  out->location = row.location;
  out->form = form;
  return out;
}

const Expr* Binder::to_domain(const Expr* expr, Oid domain, CoerceContext context, CallForm form, int location) {
  const Expr* inner = coerce_with_typmod(expr, base_type(domain), domain_typmod(domain), context, CallForm::kImplicitCast, location);
  if (inner == nullptr) return nullptr;
  auto* out = make<UnaryExpr>(ExprKind::kDomain);
  out->type = domain;
  out->arg = inner;
  out->form = form;
  out->location = location;
  return out;
}

const Expr* Binder::coerce_with_typmod(const Expr* expr, Oid target, std::int32_t typmod, CoerceContext context, CallForm form,
                                       int location) {
  const Expr* out = coerce(expr, target, typmod, context, form, location);
  if (out == nullptr || out->typmod == typmod) return out;
  if (typmod < 0) {
    // A cast to the type without a modifier is of no modifier, whatever its argument has.
    if (context != CoerceContext::kExplicit || out != expr || out->kind == ExprKind::kConst) return out;
    auto* relabel = make<UnaryExpr>(ExprKind::kRelabel);
    relabel->type = out->type;
    relabel->arg = out;
    relabel->form = form;
    relabel->location = location;
    return relabel;
  }
  if (out != expr) {
    // One cast was written: of the two steps, only the outer one is shown.
    if (out->kind == ExprKind::kFunction) const_cast<FunctionExpr&>(out->as<FunctionExpr>()).form = CallForm::kImplicitCast;
    if (out->kind == ExprKind::kRelabel || out->kind == ExprKind::kIoCast) {
      const_cast<UnaryExpr&>(out->as<UnaryExpr>()).form = CallForm::kImplicitCast;
    }
    if (out->kind == ExprKind::kArrayCast) const_cast<ArrayCastExpr&>(out->as<ArrayCastExpr>()).form = CallForm::kImplicitCast;
  }
  const auto apply = [&](const Expr* value, Oid type) -> const Expr* {
    const FunctionDef* function = length_function(type);
    if (function == nullptr) return nullptr;
    std::vector<const Expr*> args{value, make_constant(arena_, kInt4, -1, Value::of_int(typmod))};
    if (function->args.size() >= 3) args.push_back(make_bool(arena_, context == CoerceContext::kExplicit));
    auto* call = const_cast<FunctionExpr*>(make_call(function, keep(args), type, form, location));
    call->typmod = typmod;
    return call;
  };
  if (const Expr* sized = apply(out, target)) return sized;
  if (const Oid of = element_type_of(target)) {
    auto* element = make<ElementExpr>();
    element->type = of;
    if (const Expr* sized = apply(element, of)) {
      auto* cast = make<ArrayCastExpr>();
      cast->type = target;
      cast->typmod = typmod;
      cast->arg = out;
      cast->element = sized;
      cast->form = form;
      cast->location = location;
      return cast;
    }
  }
  return out;
}

const Expr* Binder::coerce_assignment(const Expr* expr, Oid target, std::int32_t typmod, std::string_view column, int location) {
  const Oid source = expr->type;
  const int where = expr->location >= 0 ? expr->location : location;
  const Expr* out = coerce_with_typmod(expr, target, typmod, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
  if (out == nullptr) {
    fail(at(Status{sqlstate::datatype_mismatch, "column " + ("\"" + std::string(column) + "\"") + " is of type " + type_text(target) +
                                                    " but expression is of type " + type_text(source)}
                .with_hint("You will need to rewrite or cast the expression."),
            where));
  }
  return out;
}

const Expr* Binder::coerce_common(const Expr* expr, Oid target, std::string_view construct) {
  if (expr->type == target) return expr;
  const Expr* out = coerce(expr, target, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  if (out == nullptr) {
    fail(at(Status{sqlstate::cannot_coerce, std::string(construct) + " could not convert type " + type_text(expr->type) + " to " +
                                                type_text(target)},
            expr->location));
  }
  return out;
}

Oid Binder::common_type(std::span<const Expr* const> exprs, std::string_view construct, const Expr** which) {
  const Expr* chosen = exprs[0];
  Oid type = chosen->type;
  // Domains stay only where all are of the same one.
  if (std::any_of(exprs.begin(), exprs.end(), [&](const Expr* expr) { return expr->type != type; })) type = base_type(type);
  else if (type_kind(type) == 'd') return type;
  for (const Expr* expr : exprs.subspan(1)) {
    const Oid next = base_type(expr->type);
    if (next == kUnknown || next == type) continue;
    if (type == kUnknown) {
      type = next;
      chosen = expr;
      continue;
    }
    if (type_category(next) != type_category(type)) {
      if (construct.empty()) return 0;
      fail(at(Status{sqlstate::datatype_mismatch, std::string(construct) + " types " + type_text(type) + " and " + type_text(next) +
                                                      " cannot be matched"},
              expr->location));
    }
    const FunctionDef* function = nullptr;
    if (!is_preferred(type_category(type), type) &&
        find_coercion(next, type, CoerceContext::kImplicit, &function) != CoercePath::kNone &&
        find_coercion(type, next, CoerceContext::kImplicit, &function) == CoercePath::kNone) {
      type = next;
      chosen = expr;
    }
  }
  if (type == kUnknown) type = kText;
  if (which != nullptr) *which = chosen;
  return type;
}

std::int32_t Binder::common_typmod(std::span<const Expr* const> exprs, Oid type) {
  std::int32_t typmod = -1;
  bool first = true;
  for (const Expr* expr : exprs) {
    if (expr->type != type) return -1;
    if (!first && expr->typmod != typmod) return -1;
    typmod = expr->typmod;
    first = false;
  }
  return typmod;
}

}  // namespace wandian::sql
