// Operators: which one a symbol means for the types at hand.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/functions/collated.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

Status undefined_operator(std::string_view name, Oid left, Oid right, bool ambiguous) {
  std::string text;
  if (left != 0) text += type_text(left) + " ";
  text += name;
  if (right != 0) text += " " + type_text(right);
  if (ambiguous) {
    return Status{sqlstate::ambiguous_function, "operator is not unique: " + text}.with_hint(
        "Could not choose a best candidate operator. You might need to add explicit type casts.");
  }
  return Status{sqlstate::undefined_function, "operator does not exist: " + text}.with_hint(
      left == 0 || right == 0 ? "No operator matches the given name and argument type. You might need to add an explicit type cast."
                              : "No operator matches the given name and argument types. You might need to add explicit type casts.");
}

}  // namespace

const Candidate* Binder::choose_operator(std::string_view name, Oid left, Oid right, int location, Candidate* storage) {
  const std::span<const OperatorDef* const> all = sql::find_operators(name == "!=" ? "<>" : name);
  const bool prefix = left == 0;
  // The exact match; an unknown side is supposed to be of the other side's type.
  Oid exact_left = left, exact_right = right;
  if (!prefix) {
    if (left == kUnknown && right != kUnknown) exact_left = right;
    if (right == kUnknown && left != kUnknown) exact_right = left;
  }
  const auto use = [&](const OperatorDef* op) {
    storage->op = op;
    storage->function = sql::find_function(op->function);
    storage->args = prefix ? std::vector<Oid>{op->right} : std::vector<Oid>{op->left, op->right};
    return storage;
  };
  if (exact_right != kUnknown) {
    for (const OperatorDef* op : all) {
      if (op->left == exact_left && op->right == exact_right) return use(op);
    }
  }
  std::vector<Candidate> candidates;
  for (const OperatorDef* op : all) {
    if ((op->left == 0) != prefix) continue;
    Candidate candidate;
    candidate.op = op;
    candidate.args = prefix ? std::vector<Oid>{op->right} : std::vector<Oid>{op->left, op->right};
    candidates.push_back(std::move(candidate));
  }
  const std::vector<Oid> inputs = prefix ? std::vector<Oid>{right} : std::vector<Oid>{left, right};
  const int chosen = choose_candidate(candidates, inputs);
  if (chosen < 0) {
    if (location == -2) return nullptr;   // the caller only asks
    fail(at(undefined_operator(name, left, right, chosen == -2), location));
  }
  return use(candidates[static_cast<std::size_t>(chosen)].op);
}

const FunctionExpr* Binder::make_operator_node(std::string_view name, const Expr* left, const Expr* right, int location, ExprKind kind) {
  if (left != nullptr) left = without_domain(left);
  right = without_domain(right);
  Candidate storage;
  const Candidate* chosen = choose_operator(name, left != nullptr ? left->type : 0, right->type, location, &storage);
  if (chosen->function == nullptr) {
    fail(at(undefined_operator(name, left != nullptr ? left->type : 0, right->type, false), location));
  }
  std::vector<const Expr*> args;
  if (left != nullptr) args.push_back(left);
  args.push_back(right);
  std::vector<Oid> actual;
  for (const Expr* arg : args) actual.push_back(arg->type);
  std::vector<Oid> declared = chosen->args;
  const Oid result = resolve_polymorphic(actual, &declared, chosen->op->result, name);
  for (std::size_t i = 0; i < args.size(); ++i) {
    const Expr* coerced = coerce(args[i], declared[i], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
    if (coerced == nullptr) fail(at(undefined_operator(name, left != nullptr ? left->type : 0, right->type, false), location));
    args[i] = coerced;
  }
  auto* out = make<FunctionExpr>(kind);
  out->function = chosen->function;
  if (asks_for_letters(*chosen->function)) collated_ = true;
  out->op = chosen->op;
  out->args = keep(args);
  out->type = result;
  out->form = CallForm::kOperator;
  out->location = location;
  out->returns_set = chosen->function->returns_set;
  std::vector<Oid> types;
  for (const Expr* arg : args) types.push_back(arg->type);
  types.push_back(result);
  out->types = keep(types);
  return out;
}

const Expr* Binder::make_operator(std::string_view name, const Expr* left, const Expr* right, int location) {
  return make_operator_node(name, left, right, location);
}

const Expr* Binder::make_array_operator(std::string_view name, const Expr* left, const Expr* right, bool all, int location) {
  left = without_domain(left);
  right = without_domain(right);
  const Oid array = right->type;
  Oid element = 0;
  if (array == kUnknown) {
    element = kUnknown;
  } else {
    element = element_type_of(array);
    if (element == 0 && array == kAnyArray) element = kAnyElement;
    if (element == 0) {
      fail(at(Status{sqlstate::wrong_object_type, "op ANY/ALL (array) requires array on right side"}, location));
    }
  }
  Candidate storage;
  element = base_type(element);
  const Candidate* chosen = choose_operator(name, left->type, element, location, &storage);
  std::vector<Oid> actual{left->type, element};
  std::vector<Oid> declared = chosen->args;
  const Oid result = resolve_polymorphic(actual, &declared, chosen->op->result, name);
  if (result != kBool) {
    fail(at(Status{sqlstate::wrong_object_type, "op ANY/ALL (array) requires operator to yield boolean"}, location));
  }
  if (chosen->function == nullptr || chosen->function->returns_set) {
    fail(at(Status{sqlstate::wrong_object_type, "op ANY/ALL (array) requires operator not to return a set"}, location));
  }
  const Oid target_array = element == kAnyElement ? array : array_type_of(declared[1]);
  if (target_array == 0) {
    fail(at(Status{sqlstate::undefined_object, "could not find array type for data type " + type_text(declared[1])}, location));
  }
  auto* out = make<ArrayCompareExpr>();
  if (asks_for_letters(*chosen->function)) collated_ = true;
  out->op = chosen->op;
  out->function = chosen->function;
  out->left = coerce(left, declared[0], -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  out->array = coerce(right, target_array, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  if (out->left == nullptr || out->array == nullptr) {
    fail(at(undefined_operator(name, left->type, element, false), location));
  }
  out->all = all;
  out->type = kBool;
  out->location = location;
  out->types = keep(std::vector<Oid>{out->left->type, declared[1], kBool});
  return out;
}

}  // namespace wandian::sql
