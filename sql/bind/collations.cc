// Collations: what COLLATE names, and which collation each expression of a query has (PostgreSQL manual, 24.2), worked out when the
// query is complete, as PostgreSQL does. Where nothing has another collation than the default one, nothing is worked out.
#include <algorithm>
#include <array>
#include <iterator>

#include "sql/bind/internal.h"
#include "sql/functions/collated.h"
#include "sql/messages.h"
#include "sql/types/collation.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

std::string shown_collation(std::uint16_t id) {
  const std::string_view stored = id == kNoCollation ? std::string_view("default") : std::string_view(collation_of(id).stored);
  return quoted(user_collation_oid(stored) != 0 ? sql::shown_collation(stored) : std::string(stored));
}

Status mismatch(std::string_view kind, std::uint16_t a, std::uint16_t b) {
  return Status{sqlstate::collation_mismatch, "collation mismatch between " + std::string(kind) + " collations " + shown_collation(a) + " and " + shown_collation(b)};
}

Status implicit_mismatch(std::uint16_t a, std::uint16_t b) {
  return mismatch("implicit", a, b).with_hint("You can choose the collation by applying the COLLATE clause to one or both expressions.");
}

enum class Strength : std::uint8_t { kNone, kImplicit, kConflict, kExplicit };

// What the expressions below a node come to.
struct Derived {
  Strength strength = Strength::kNone;
  std::uint16_t id = kNoCollation;
  int location = -1;
  std::uint16_t other = kNoCollation;   // kConflict: what it met, and where
  int other_location = -1;
};

class Derivation {
 public:
  explicit Derivation(Binder& binder) : binder_(binder) {}

  Derived of(const Expr* expr);
  void add(const Derived& next, Derived* so_far);

 private:
  Derived of_list(ExprList list) {
    Derived out;
    for (const Expr* expr : list)
      if (expr != nullptr) add(of(expr), &out);
    return out;
  }
  void each(ExprList list) {
    for (const Expr* expr : list)
      if (expr != nullptr) (void)of(expr);
  }
  // A value that nothing below gives a collation.
  Derived leaf(const Expr* expr) {
    if (!is_collatable(expr->type)) return {};
    std::uint16_t own = expr->type == kName ? kCCollationId : kDefaultCollation;
    if (const std::uint16_t of_domain = expr->collation == kNoCollation ? binder_.column_collation(expr->type, {}) : kNoCollation; of_domain != kNoCollation)
      own = of_domain;
    return {Strength::kImplicit, expr->collation != kNoCollation ? expr->collation : own, expr->location};
  }
  // What a node with these inputs has itself.
  Derived output(const Expr* expr, Derived inputs) {
    if (!is_collatable(expr->type)) return {};
    if (inputs.strength == Strength::kNone) {
      Derived out = leaf(expr);
      out.id = expr->type == kName ? kCCollationId : kDefaultCollation;
      return out;
    }
    if (expr->location >= 0 && inputs.strength != Strength::kExplicit && inputs.strength != Strength::kConflict) inputs.location = expr->location;
    return inputs;
  }
  static std::uint16_t held(const Derived& derived) {
    if (derived.strength == Strength::kConflict) return kIndeterminateCollation;
    return derived.id == kDefaultCollation ? kNoCollation : derived.id;
  }
  // What is inlined from a function's body may be in use elsewhere, and has its collation already.
  static void assign(const Expr* expr, const Derived& derived) {
    if (expr->collation != held(derived)) const_cast<Expr*>(expr)->collation = held(derived);
  }
  Derived given(const Expr* expr, Derived derived) {
    assign(expr, derived);
    return derived;
  }
  // The types of a call with the collation behind them, for functions that ask for it.
  std::span<const Oid> with_collation(std::span<const Oid> types, std::uint16_t collation) {
    std::vector<Oid> longer(types.begin(), types.end());
    longer.push_back(collation);
    return binder_.keep(longer).first(types.size());
  }
  // Of a call of an aggregate that compares texts: the aggregate that does so by their collation.
  template <class Call>
  void collate_aggregate(const Call& call, const AggregateDef& aggregate, const Derived& inputs) {
    const AggregateDef* collated = collated_aggregate(aggregate);
    if (collated == nullptr || held(inputs) == kNoCollation) return;
    if (inputs.strength == Strength::kConflict)
      fail(Status{sqlstate::indeterminate_collation, "could not determine which collation to use for string comparison"}.with_hint(
          "Use the COLLATE clause to set the collation explicitly."));
    auto& changed = const_cast<Call&>(call);
    changed.aggregate = collated;
    changed.types = with_collation(call.types, inputs.id);
  }
  void apply(const Expr* expr, const FunctionDef* function, std::span<const Oid>* types, const Derived& inputs);
  Derived of_call(const FunctionExpr& call);
  Derived of_sublink(const SubLinkExpr& link);

  Binder& binder_;
  const Query* sublink_ = nullptr;     // whose columns a SubColumnExpr means
  Derived tested_;                     // the argument of CASE
};

void Derivation::add(const Derived& next, Derived* so_far) {
  if (next.strength == Strength::kNone) return;
  if (next.strength > so_far->strength) {
    *so_far = next;
    return;
  }
  if (next.strength < so_far->strength || next.id == so_far->id) return;
  if (next.strength == Strength::kExplicit) fail(binder_.at(mismatch("explicit", so_far->id, next.id), next.location));
  if (next.strength != Strength::kImplicit || next.id == kDefaultCollation) return;
  if (so_far->id == kDefaultCollation) {
    *so_far = next;
    return;
  }
  so_far->strength = Strength::kConflict;
  so_far->other = next.id;
  so_far->other_location = next.location;
}

void Derivation::apply(const Expr* expr, const FunctionDef* function, std::span<const Oid>* types, const Derived& inputs) {
  assign(expr, inputs);
  if (function == nullptr || inputs.strength == Strength::kNone) return;
  const CollationUse use = collation_use(*function);
  if (use.kind == CollationUse::Kind::kNone) return;
  if (inputs.strength == Strength::kConflict) {
    if (use.kind == CollationUse::Kind::kRefused && use.needed.empty()) return;
    if (use.kind == CollationUse::Kind::kShow) {
      *types = with_collation(*types, kIndeterminateCollation);
      return;
    }
    fail(Status{sqlstate::indeterminate_collation, "could not determine which collation to use for " + std::string(use.needed.empty() ? use.what : use.needed)}.with_hint(
        "Use the COLLATE clause to set the collation explicitly."));
  }
  if (use.kind == CollationUse::Kind::kRefused && !is_deterministic_collation(inputs.id))
    fail(Status{sqlstate::feature_not_supported, "nondeterministic collations are not supported for " + std::string(use.what)});
  *types = with_collation(*types, inputs.id);
}

Derived Derivation::of_call(const FunctionExpr& call) {
  Derived inputs = of_list(call.args);
  auto& changed = const_cast<FunctionExpr&>(call);
  apply(&call, call.function, &changed.types, inputs);
  return output(&call, inputs);
}

Derived Derivation::of_sublink(const SubLinkExpr& link) {
  if (link.test != nullptr) {
    const Query* const outer = std::exchange(sublink_, link.query);
    (void)of(link.test);
    sublink_ = outer;
  }
  if (link.link != SubLinkKind::kScalar && link.link != SubLinkKind::kArray) return {};
  const auto columns = link.query->result_columns();
  if (!columns.empty()) const_cast<SubLinkExpr&>(link).collation = columns[0].expr->collation;
  return leaf(&link);
}

Derived Derivation::of(const Expr* expr) {
  binder_.check_stack(-1);
  switch (expr->kind) {
    case ExprKind::kSubColumn: {
      const auto columns = sublink_ == nullptr ? std::span<const TargetEntry>() : sublink_->result_columns();
      const std::uint16_t column = expr->as<SubColumnExpr>().column;
      if (column < columns.size()) const_cast<Expr*>(expr)->collation = columns[column].expr->collation;
      return leaf(expr);
    }
    case ExprKind::kFunction: return of_call(expr->as<FunctionExpr>());
    case ExprKind::kNullIf: case ExprKind::kDistinct: return of_call(expr->as<FunctionExpr>());
    case ExprKind::kAggregate: {
      const auto& call = expr->as<AggregateExpr>();
      Derived inputs = of_list(call.direct_args);
      add(of_list(call.args), &inputs);
      if (call.filter != nullptr) (void)of(call.filter);
      for (const SortKey& key : call.order_by) {
        const Derived sorted = of(key.expr);
        if (sorted.strength == Strength::kConflict) fail(binder_.at(implicit_mismatch(sorted.id, sorted.other), sorted.other_location));
      }
      assign(expr, inputs);
      collate_aggregate(call, *call.aggregate, inputs);
      return output(expr, inputs);
    }
    case ExprKind::kWindow: {
      const auto& call = expr->as<WindowExpr>();
      const Derived inputs = of_list(call.args);
      if (call.filter != nullptr) (void)of(call.filter);
      assign(expr, inputs);
      if (call.aggregate != nullptr) collate_aggregate(call, *call.aggregate, inputs);
      return output(expr, inputs);
    }
    case ExprKind::kRelabel: {
      const auto& relabel = expr->as<UnaryExpr>();
      const Derived inputs = of(relabel.arg);
      if (relabel.collate.empty()) return given(expr, output(expr, inputs));
      const Collation* const collation = find_collation(relabel.collate);
      return given(expr, {Strength::kExplicit, collation != nullptr ? collation->id : kDefaultCollation, expr->location});
    }
    case ExprKind::kDomain: {
      const Derived inputs = of(expr->as<UnaryExpr>().arg);
      const std::uint16_t own = binder_.column_collation(expr->type, {});
      return given(expr, own != kNoCollation ? Derived{Strength::kImplicit, own, expr->location} : output(expr, inputs));
    }
    case ExprKind::kIoCast: return given(expr, output(expr, of(expr->as<UnaryExpr>().arg)));
    case ExprKind::kArrayCast: return given(expr, output(expr, of(expr->as<ArrayCastExpr>().arg)));
    case ExprKind::kTestValue: {
      if (tested_.strength == Strength::kNone) return leaf(expr);
      assign(expr, tested_);
      return {tested_.strength == Strength::kExplicit ? Strength::kImplicit : tested_.strength, tested_.id, tested_.location, tested_.other, tested_.other_location};
    }
    case ExprKind::kCase: {
      const auto& source = expr->as<CaseExpr>();
      const Derived outer = tested_;
      if (source.arg != nullptr) tested_ = of(source.arg);
      for (const CaseWhen& when : source.whens) (void)of(when.condition);
      tested_ = outer;
      Derived results;
      for (const CaseWhen& when : source.whens) add(of(when.result), &results);
      add(of(source.otherwise), &results);
      return given(expr, output(expr, results));
    }
    case ExprKind::kGreatest: case ExprKind::kLeast: {
      const Derived inputs = of_list(expr->as<ListExpr>().args);
      if (inputs.strength == Strength::kConflict)
        fail(Status{sqlstate::indeterminate_collation, "could not determine which collation to use for string comparison"}.with_hint(
            "Use the COLLATE clause to set the collation explicitly."));
      return given(expr, output(expr, inputs));
    }
    case ExprKind::kCoalesce: case ExprKind::kArray: return given(expr, output(expr, of_list(expr->as<ListExpr>().args)));
    case ExprKind::kArrayCompare: {
      const auto& compare = expr->as<ArrayCompareExpr>();
      Derived inputs = of(compare.left);
      add(of(compare.array), &inputs);
      apply(expr, compare.function, &const_cast<ArrayCompareExpr&>(compare).types, inputs);
      return {};
    }
    case ExprKind::kRowCompare: {
      const auto& compare = expr->as<RowCompareExpr>();
      for (const FunctionExpr* pair : compare.less) (void)of(pair);
      for (const FunctionExpr* pair : compare.equal) (void)of(pair);
      return {};
    }
    case ExprKind::kSubscript: {
      const auto& subscript = expr->as<SubscriptExpr>();
      Derived inputs = of(subscript.array);
      each(subscript.upper);
      each(subscript.lower);
      if (subscript.store != nullptr) add(of(subscript.store), &inputs);
      return given(expr, output(expr, inputs));
    }
    case ExprKind::kSubLink: return of_sublink(expr->as<SubLinkExpr>());
    case ExprKind::kRow: case ExprKind::kBool: case ExprKind::kNullTest: case ExprKind::kBoolTest: case ExprKind::kField: case ExprKind::kGrouping:
      for_each_child(*expr, [&](const Expr* child) {
        if (child != nullptr) (void)of(child);
      });
      return leaf(expr);
    default: {
      // A column whose own query could not tell has none.
      if (expr->collation == kIndeterminateCollation) return {};
      return leaf(expr);
    }
  }
}

const Collation* builtin(std::string_view name) { return name.starts_with('@') ? nullptr : find_collation(name); }

}  // namespace

Result<std::string> resolve_collation(std::span<PgQuery__Node* const> name, const BindContext& context) {
  const std::string_view last = name.empty() ? std::string_view() : string_value(name.back());
  const std::string_view schema = name.size() < 2 ? std::string_view() : string_value(name[name.size() - 2]);
  const auto missing = [&] { return Status{sqlstate::undefined_object,
                       "collation " + quoted(schema.empty() ? std::string(last) : std::string(schema) + "." + std::string(last)) + " for encoding \"UTF8\" does not exist"}; };
  const auto stored_in = [&](Oid where) -> std::string {
    if (where == kPgCatalogSchema) {
      const Collation* known = builtin(last);
      return known != nullptr ? known->stored : std::string();
    }
    const auto object = context.catalog->find_object(ObjectKind::kCollation, where, last);
    if (object == nullptr || object->compiled == nullptr) return {};
    return static_cast<const CollationDefinition*>(object->compiled.get())->stored;
  };
  // As definitions name one; while a catalog is read, the collation may not have been looked into yet.
  if (const Oid oid = user_collation_oid(last); oid != 0 && context.catalog->object(ObjectKind::kCollation, oid) != nullptr && find_collation(last) != nullptr)
    return std::string(last);
  if (!schema.empty()) {
    const std::optional<Oid> where = schema == "pg_catalog" ? std::optional<Oid>(kPgCatalogSchema) : context.catalog->find_schema(context.database, schema);
    if (!where) return Status{sqlstate::invalid_schema_name, "schema " + quoted(schema) + " does not exist"};
    std::string found = stored_in(*where);
    if (found.empty()) return missing();
    return found;
  }
  if (std::find(context.search_path.begin(), context.search_path.end(), kPgCatalogSchema) == context.search_path.end())
    if (std::string found = stored_in(kPgCatalogSchema); !found.empty()) return found;
  for (const Oid where : context.search_path)
    if (std::string found = stored_in(where); !found.empty()) return found;
  return missing();
}

Result<std::string> derived_collation(const Expr& expr, std::string_view column) {
  if (!is_collatable(expr.type) || expr.collation <= kDefaultCollation) return std::string();
  if (expr.collation != kIndeterminateCollation) return std::string(collation_of(expr.collation).stored);
  return Status{sqlstate::indeterminate_collation, "no collation was derived for column " + quoted(column) + " with collatable type " + type_text(expr.type)}.with_hint(
      "Use the COLLATE clause to set the collation explicitly.");
}

std::string_view Binder::named_collation(std::span<PgQuery__Node* const> name, int location) {
  Result<std::string> found = resolve_collation(name, context_);
  if (!found.ok()) fail(at(found.take_status(), location));
  if (const Oid oid = user_collation_oid(found.value()); oid != 0)
    if (auto object = catalog().object(ObjectKind::kCollation, oid)) depend_on(std::move(object));
  return arena_.copy(found.value());
}

std::uint16_t Binder::column_collation(Oid type, std::string_view stored) {
  std::string_view name = stored;
  if (name.empty() && type >= kFirstUserOid)
    for (const TypeInfo* info = find_type(type); info != nullptr && info->kind == 'd' && name.empty(); info = find_type(info->base))
      if (const UserType* domain = find_user_type(info->oid)) name = domain->collation;
  if (name.empty()) return kNoCollation;
  const Collation* const found = find_collation(name);
  if (found == nullptr || found->id == kDefaultCollation) return kNoCollation;
  collated_ = true;
  return found->id;
}

std::uint16_t Binder::common_collation(std::span<const Expr* const> exprs, bool any) {
  if (!collated_) return kNoCollation;
  Derivation derivation(*this);
  Derived out;
  for (const Expr* expr : exprs) derivation.add(derivation.of(expr), &out);
  if (out.strength == Strength::kConflict) {
    if (any) return kIndeterminateCollation;
    fail(at(implicit_mismatch(out.id, out.other), out.other_location));
  }
  return out.id == kDefaultCollation ? kNoCollation : out.id;
}

void Binder::derive_collations(const Expr* expr) {
  if (collated_ && expr != nullptr) (void)Derivation(*this).of(expr);
}

void Binder::derive_collations(Scope& scope, Query& query) {
  if (!collated_) return;
  Derivation derivation(*this);
  const auto derive = [&](const Expr* expr) {
    if (expr != nullptr) (void)derivation.of(expr);
  };
  const auto keyed = [&](std::size_t target) {
    const auto is = [&](const auto& list) { return std::find(list.begin(), list.end(), target) != list.end(); };
    return is(query.group_by) || is(query.distinct_on) || (query.distinct && query.distinct_on.empty() && !query.targets[target].junk) ||
           std::any_of(query.order_by.begin(), query.order_by.end(), [&](const OrderItem& item) { return item.target == target; });
  };
  for (std::size_t i = 0; i < query.targets.size(); ++i) {
    const Derived derived = derivation.of(query.targets[i].expr);
    if (derived.strength == Strength::kConflict && keyed(i)) fail(at(implicit_mismatch(derived.id, derived.other), derived.other_location));
  }
  for (const TargetEntry& target : query.returning) derive(target.expr);
  derive(query.where);
  derive(query.having);
  derive(query.limit);
  derive(query.offset);
  for (const Assignment& assignment : query.assignments) derive(assignment.value);
  for (const Assignment& assignment : query.on_conflict.assignments) derive(assignment.value);
  derive(query.on_conflict.where);
  for (const Query::ViewCheck& check : query.view_checks) derive(check.condition);
  for (const MergeAction& action : query.merge_actions) {
    derive(action.condition);
    for (const Assignment& assignment : action.assignments) derive(assignment.value);
  }
  for (const WindowDefinition& window : query.windows) {
    for (const SortKey& key : window.partition_by) derive(key.expr);
    for (const SortKey& key : window.order_by) derive(key.expr);
    derive(window.frame.start_offset);
    derive(window.frame.end_offset);
  }
  const auto join = [&](auto&& self, const JoinNode* node) -> void {
    if (!node->is_join) return;
    self(self, node->left);
    self(self, node->right);
    derive(node->on);
  };
  for (const JoinNode* node : query.from) join(join, node);
  for (const RangeEntry* entry : scope.ranges) {
    for (const RangeFunction& function : entry->functions) derive(function.call);
    for (const ExprList& row : entry->values)
      for (const Expr* value : row) derive(value);
  }
}

}  // namespace wandian::sql
