#include "sql/bind/binder.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "sql/bind/internal.h"
#include "sql/expr/deparse.h"
#include "sql/expr/expression.h"
#include "sql/column_names.h"
#include "sql/messages.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// PostgreSQL's max_stack_depth: what a statement may use of a stack of 8 MiB, the parser's part aside.
constexpr std::ptrdiff_t kMaxStackBytes = 2 * 1024 * 1024;
constexpr int kMaxMessageDepth = 8000;

// Calls `visit` for every message below `message`; true ends the walk.
bool any_message(const ProtobufCMessage* message, const auto& visit, int depth = 0) {
  if (message == nullptr) return false;
  if (depth > kMaxMessageDepth) fail(Status{sqlstate::statement_too_complex, "stack depth limit exceeded"});
  if (visit(message)) return true;
  const ProtobufCMessageDescriptor* descriptor = message->descriptor;
  for (unsigned i = 0; i < descriptor->n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = descriptor->fields[i];
    if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
    const char* base = reinterpret_cast<const char*>(message);
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const std::size_t count = *reinterpret_cast<const std::size_t*>(base + field.quantifier_offset);
      auto* const* items = *reinterpret_cast<ProtobufCMessage* const* const*>(base + field.offset);
      for (std::size_t k = 0; k < count; ++k) {
        if (any_message(items[k], visit, depth + 1)) return true;
      }
      continue;
    }
    if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
      const auto chosen = *reinterpret_cast<const std::uint32_t*>(base + field.quantifier_offset);
      if (chosen != field.id) continue;
    }
    if (any_message(*reinterpret_cast<ProtobufCMessage* const*>(base + field.offset), visit, depth + 1)) return true;
  }
  return false;
}

}  // namespace

std::optional<int> find_range_var(const ProtobufCMessage& message, std::string_view name) {
  std::optional<int> out;
  any_message(&message, [&](const ProtobufCMessage* inner) {
    if (inner->descriptor != &pg_query__range_var__descriptor) return false;
    const auto& range = *reinterpret_cast<const PgQuery__RangeVar*>(inner);
    if ((range.schemaname != nullptr && *range.schemaname != '\0') || range.relname != name) return false;
    out = range.location;
    return true;
  });
  return out;
}

namespace {

bool same_field(const ProtobufCFieldDescriptor& field, const char* a, const char* b) {
  switch (field.type) {
    case PROTOBUF_C_TYPE_MESSAGE: {
      const auto* x = *reinterpret_cast<ProtobufCMessage* const*>(a);
      const auto* y = *reinterpret_cast<ProtobufCMessage* const*>(b);
      return x == nullptr || y == nullptr ? x == y : same_message(*x, *y);
    }
    case PROTOBUF_C_TYPE_STRING: {
      const char* x = *reinterpret_cast<const char* const*>(a);
      const char* y = *reinterpret_cast<const char* const*>(b);
      return x == nullptr || y == nullptr ? x == y : std::strcmp(x, y) == 0;
    }
    case PROTOBUF_C_TYPE_INT64: case PROTOBUF_C_TYPE_UINT64: case PROTOBUF_C_TYPE_SINT64: case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64: case PROTOBUF_C_TYPE_DOUBLE: return std::memcmp(a, b, 8) == 0;
    default: return std::memcmp(a, b, 4) == 0;
  }
}

}  // namespace

bool same_message(const ProtobufCMessage& a, const ProtobufCMessage& b) {
  if (a.descriptor != b.descriptor) return false;
  const char* left = reinterpret_cast<const char*>(&a);
  const char* right = reinterpret_cast<const char*>(&b);
  for (unsigned i = 0; i < a.descriptor->n_fields; ++i) {
    const ProtobufCFieldDescriptor& field = a.descriptor->fields[i];
    if (std::string_view(field.name) == "location") continue;
    if (field.label == PROTOBUF_C_LABEL_REPEATED) {
      const std::size_t count = *reinterpret_cast<const std::size_t*>(left + field.quantifier_offset);
      if (count != *reinterpret_cast<const std::size_t*>(right + field.quantifier_offset)) return false;
      if (field.type != PROTOBUF_C_TYPE_MESSAGE && count > 0) return false;   // the grammar's lists hold nodes
      const char* x = *reinterpret_cast<const char* const*>(left + field.offset);
      const char* y = *reinterpret_cast<const char* const*>(right + field.offset);
      for (std::size_t k = 0; k < count; ++k) {
        if (!same_field(field, x + k * sizeof(void*), y + k * sizeof(void*))) return false;
      }
      continue;
    }
    if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
      const auto chosen = *reinterpret_cast<const std::uint32_t*>(left + field.quantifier_offset);
      if (chosen != *reinterpret_cast<const std::uint32_t*>(right + field.quantifier_offset)) return false;
      if (chosen != field.id) continue;
    }
    if (!same_field(field, left + field.offset, right + field.offset)) return false;
  }
  return true;
}

bool is_order_by_type(Oid type) {
  if (type == kUnknown) return true;
  type = base_type(type);
  if (const Oid element = element_type_of(type)) type = base_type(element);
  const TypeInfo* info = find_type(type);
  return info != nullptr && info->order != Order::kNone;
}

std::string_view column_name_of(const ParseNode* node) {
  constexpr std::string_view kNone = "?column?";
  // A name that anything else beats: what a cast gives.
  const auto inner = [&](auto&& self, const ParseNode* n, int* strength) -> std::string_view {
    *strength = 2;
    switch (n->node_case) {
      case PG_QUERY__NODE__NODE_COLUMN_REF: {
        const PgQuery__ColumnRef& ref = *n->column_ref;
        for (std::size_t i = ref.n_fields; i-- > 0;) {
          if (ref.fields[i]->node_case == PG_QUERY__NODE__NODE_STRING) return string_value(ref.fields[i]);
        }
        break;
      }
      case PG_QUERY__NODE__NODE_A_INDIRECTION: {
        const PgQuery__AIndirection& indirection = *n->a_indirection;
        for (std::size_t i = indirection.n_indirection; i-- > 0;) {
          if (indirection.indirection[i]->node_case == PG_QUERY__NODE__NODE_STRING) return string_value(indirection.indirection[i]);
        }
        return self(self, indirection.arg, strength);
      }
      case PG_QUERY__NODE__NODE_FUNC_CALL: return string_value(n->func_call->funcname[n->func_call->n_funcname - 1]);
      case PG_QUERY__NODE__NODE_A_EXPR:
        if (n->a_expr->kind == PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF) return "nullif";
        break;
      case PG_QUERY__NODE__NODE_TYPE_CAST: {
        const std::string_view name = self(self, n->type_cast->arg, strength);
        if (*strength >= 2) return name;
        const PgQuery__TypeName* type = n->type_cast->type_name;
        if (type != nullptr && type->n_names > 0) {
          *strength = 1;
          return string_value(type->names[type->n_names - 1]);
        }
        return name;
      }
      case PG_QUERY__NODE__NODE_COLLATE_CLAUSE: return self(self, n->collate_clause->arg, strength);
      case PG_QUERY__NODE__NODE_GROUPING_FUNC: return "grouping";
      case PG_QUERY__NODE__NODE_SUB_LINK:
        switch (n->sub_link->sub_link_type) {
          case PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK: return "exists";
          case PG_QUERY__SUB_LINK_TYPE__ARRAY_SUBLINK: return "array";
          case PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK: {
            const ParseNode* select = n->sub_link->subselect;
            if (select->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) break;
            const PgQuery__SelectStmt* leaf = select->select_stmt;
            while (leaf->larg != nullptr) leaf = leaf->larg;
            if (leaf->n_values_lists > 0) return "column1";
            if (leaf->n_target_list == 0) break;
            const PgQuery__ResTarget& target = *leaf->target_list[0]->res_target;
            if (target.name != nullptr && *target.name != '\0') return target.name;
            // Its column has a name by now, whatever that is.
            const std::string_view name = self(self, target.val, strength);
            *strength = 2;
            return name;
          }
          default: break;
        }
        break;
      case PG_QUERY__NODE__NODE_CASE_EXPR: {
        if (n->case_expr->defresult != nullptr) {
          const std::string_view name = self(self, n->case_expr->defresult, strength);
          if (*strength >= 2) return name;
        }
        *strength = 1;
        return "case";
      }
      case PG_QUERY__NODE__NODE_A_ARRAY_EXPR: return "array";
      case PG_QUERY__NODE__NODE_ROW_EXPR: return "row";
      case PG_QUERY__NODE__NODE_COALESCE_EXPR: return "coalesce";
      case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return n->min_max_expr->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? "greatest" : "least";
      case PG_QUERY__NODE__NODE_SQLVALUE_FUNCTION:
        switch (n->sqlvalue_function->op) {
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_DATE: return "current_date";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME:
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIME_N: return "current_time";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP:
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_TIMESTAMP_N: return "current_timestamp";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME:
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIME_N: return "localtime";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP:
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_LOCALTIMESTAMP_N: return "localtimestamp";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_ROLE: return "current_role";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_USER: return "current_user";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_USER: return "user";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_SESSION_USER: return "session_user";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_CATALOG: return "current_catalog";
          case PG_QUERY__SQLVALUE_FUNCTION_OP__SVFOP_CURRENT_SCHEMA: return "current_schema";
          default: break;
        }
        break;
      default: break;
    }
    *strength = 0;
    return kNone;
  };
  int strength = 0;
  const std::string_view name = inner(inner, node, &strength);
  return strength > 0 && !name.empty() ? name : kNone;
}

Binder::Binder(const BindContext& context, std::string_view text, Arena& arena, std::span<const Oid> parameter_types)
    : context_(context), text_(text), arena_(arena), parameters_(parameter_types.begin(), parameter_types.end()),
      variables_(context.variables),
      stack_base_(static_cast<const char*>(__builtin_frame_address(0))) {
  for (Oid& type : parameters_) {
    if (type == kUnknown) type = 0;
  }
}

Status Binder::at(Status status, int location) const {
  if (location < 0 || text_.empty()) return status;
  return std::move(status).with_position(character_position(text_, location));
}

void Binder::check_stack(int location) const {
  const char* here = static_cast<const char*>(__builtin_frame_address(0));
  if (std::abs(stack_base_ - here) < kMaxStackBytes) [[likely]] return;
  fail(at(Status{sqlstate::statement_too_complex, "stack depth limit exceeded"}.with_hint(
              "Write the statement with less nesting: expressions, joins and set operations are too deep."),
          location));
}

void Binder::depend_on(std::shared_ptr<const TableDef> table) {
  if (table->temporary) uses_temporary_ = true;
  for (const auto& known : tables_) {
    if (known.get() == table.get()) return;
  }
  tables_.push_back(std::move(table));
}

void Binder::note_sequence(Oid sequence) {
  if (auto def = catalog().sequence(sequence)) {
    if (def->temporary) uses_temporary_ = true;
    for (const auto& known : sequences_) {
      if (known.get() == def.get()) return;
    }
    sequences_.push_back(std::move(def));
  }
}

void Binder::note_type(Oid type) {
  if (type < kFirstUserOid) return;
  if (const TypeInfo* info = find_type(type); info != nullptr && info->category == 'A' && info->element != 0) type = info->element;
  if (auto object = catalog().object(ObjectKind::kType, type)) {
    if (object->parent == context_.temporary_schema) uses_temporary_ = true;
    for (const auto& known : objects_) {
      if (known.get() == object.get()) return;
    }
    objects_.push_back(std::move(object));
  } else if (auto table = catalog().table(relation_of_row_type(type))) {
    depend_on(std::move(table));
  } else if (auto view = catalog().object(ObjectKind::kView, relation_of_row_type(type))) {
    depend_on(std::move(view));
  }
}

void Binder::take_dependencies(BoundStatement* out) {
  out->catalog_version = catalog().version;
  out->tables = std::move(tables_);
  out->objects = std::move(objects_);
  out->sequences = std::move(sequences_);
  out->functions = std::move(functions_);
  out->accesses = std::move(accesses_);
  out->executed = std::move(executed_);
  out->uses_temporary = uses_temporary_;
  out->asks_shards = asks_shards_;
  out->cacheable = cacheable;
}

void Binder::bind_top(const ParseNode* node, BoundStatement* out) {
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_SELECT_STMT: {
      const PgQuery__SelectStmt& select = *node->select_stmt;
      const bool bare = select.where_clause == nullptr && select.having_clause == nullptr && select.n_group_clause == 0 &&
                        select.n_sort_clause == 0 && select.limit_count == nullptr && select.limit_offset == nullptr &&
                        select.with_clause == nullptr && select.n_distinct_clause == 0 && select.n_values_lists == 0 &&
                        select.n_locking_clause == 0 && select.larg == nullptr && select.into_clause == nullptr;
      if (bare && select.n_target_list == 1 && context_.procedures != nullptr) {
        const PgQuery__ResTarget& target = *select.target_list[0]->res_target;
        const PgQuery__FuncCall* call = nullptr;
        std::string_view column = target.name != nullptr && *target.name != '\0' ? target.name : "";
        if (select.n_from_clause == 0 && target.val->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
          call = target.val->func_call;
        } else if (select.n_from_clause == 1 && select.from_clause[0]->node_case == PG_QUERY__NODE__NODE_RANGE_FUNCTION &&
                   target.val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF && target.val->column_ref->n_fields == 1 &&
                   target.val->column_ref->fields[0]->node_case == PG_QUERY__NODE__NODE_A_STAR) {
          // SELECT * FROM f(...) is SELECT f(...).
          const PgQuery__RangeFunction& range = *select.from_clause[0]->range_function;
          if (range.n_functions == 1 && range.ordinality == 0 && range.n_coldeflist == 0 &&
              range.functions[0]->list->items[0]->node_case == PG_QUERY__NODE__NODE_FUNC_CALL) {
            call = range.functions[0]->list->items[0]->func_call;
            if (range.alias != nullptr && range.alias->aliasname != nullptr) column = range.alias->aliasname;
            if (range.alias != nullptr && range.alias->n_colnames > 0) column = string_value(range.alias->colnames[0]);
          }
        }
        std::vector<ProcedureSignature> found;
        if (call != nullptr && call->over == nullptr && find_procedure_call(*call, &found)) {
          bind_procedure_call(*call, out, false);
          out->procedure.column_name = column.empty() ? out->procedure.name : arena_.copy(column);
          break;
        }
      }
      // The caller of SELECT INTO creates the table; here it is the SELECT it is filled from.
      PgQuery__SelectStmt without_into = select;
      without_into.into_clause = nullptr;
      Query* query = bind_select(without_into, nullptr, context_.assign_to == nullptr);
      if (context_.assign_to != nullptr) assign_target(*query, *context_.assign_to);
      out->query = query;
      break;
    }
    case PG_QUERY__NODE__NODE_INSERT_STMT: out->query = bind_insert(*node->insert_stmt, nullptr); break;
    case PG_QUERY__NODE__NODE_UPDATE_STMT: out->query = bind_update(*node->update_stmt, nullptr); break;
    case PG_QUERY__NODE__NODE_DELETE_STMT: out->query = bind_delete(*node->delete_stmt, nullptr); break;
    case PG_QUERY__NODE__NODE_CALL_STMT: bind_procedure_call(*node->call_stmt->funccall, out, true); break;
    case PG_QUERY__NODE__NODE_MERGE_STMT: out->query = bind_merge(*node->merge_stmt); break;
    default: fail(Status{sqlstate::feature_not_supported, "this statement is not a query"});
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (parameters_[i] != 0 && parameters_[i] != kUnknown) continue;
    if (context_.variables != nullptr) {
      parameters_[i] = kText;   // a variable that this statement does not name
      continue;
    }
    fail(Status{sqlstate::indeterminate_datatype, "could not determine data type of parameter $" + std::to_string(i + 1)});
  }
  out->parameter_types = parameters_;
  if (out->query != nullptr) {
    out->has_volatile = any_query_expr(*out->query, true, [](const Expr* expr, int) {
      return (expr->kind == ExprKind::kFunction || expr->kind == ExprKind::kDistinct || expr->kind == ExprKind::kNullIf) &&
             expr->as<FunctionExpr>().function->volatility == Volatility::kVolatile;
    });
    out->asks_shards = out->asks_shards || (out->has_volatile && any_query_expr(*out->query, true, [](const Expr* expr, int) {
      return expr->kind == ExprKind::kFunction && expr->as<FunctionExpr>().function->name == "pg_blocking_pids";
    }));
  } else {
    out->has_volatile = true;
    if (out->procedure.routine == nullptr && !out->procedure.is_call) {
      TargetEntry target;
      target.expr = make_null(arena_, out->procedure.result_type);
      target.name = out->procedure.column_name;
      out->procedure_result.push_back(target);
    }
  }
}

const Expr* Binder::coerce_anyhow(const Expr* expr, Oid target, std::int32_t typmod) {
  if (const Expr* out = coerce_with_typmod(expr, target, typmod, CoerceContext::kAssignment, CallForm::kImplicitCast, -1)) return out;
  auto* cast = make<UnaryExpr>(ExprKind::kIoCast);
  cast->type = target;
  cast->arg = expr;
  return coerce_with_typmod(cast, target, typmod, CoerceContext::kAssignment, CallForm::kImplicitCast, -1);
}

void Binder::assign_target(Query& query, const ResolvedType& to) {
  std::vector<TargetEntry> targets(query.targets.begin(), query.targets.end());
  for (TargetEntry& target : targets)
    if (target.expr->type == kUnknown && targets.size() > 1)
      target.expr = coerce(target.expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  const bool one = std::count_if(targets.begin(), targets.end(), [](const TargetEntry& target) { return !target.junk; }) == 1;
  if (one && to.type != 0) {
    targets[0].expr = fold(coerce_anyhow(targets[0].expr, to.type, to.typmod));
  } else if (one && targets[0].expr->type == kUnknown) {
    targets[0].expr = coerce(targets[0].expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  }
  query.targets = keep(targets);
}

std::span<const TargetEntry> Query::result_columns() const {
  if (command != Command::kSelect) return returning;
  std::size_t visible = 0;
  while (visible < targets.size() && !targets[visible].junk) ++visible;
  return targets.first(visible);
}

std::span<const TargetEntry> BoundStatement::result_columns() const {
  return kind == BoundKind::kCallProcedure ? std::span<const TargetEntry>(procedure_result) : query->result_columns();
}

namespace {

template <class Body>
auto fenced(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (BindError& error) {
    return std::move(error.status);
  } catch (const std::bad_alloc&) {
    return Status{sqlstate::out_of_memory, "out of memory"};
  }
}

}  // namespace

Result<std::shared_ptr<const BoundStatement>> bind_statement(const ParseNode* node, std::string_view text, const BindContext& context,
                                                             std::span<const Oid> parameter_types) {
  return fenced([&]() -> Result<std::shared_ptr<const BoundStatement>> {
    auto out = std::make_shared<BoundStatement>();
    out->arena = std::make_unique<Arena>();
    Binder binder(context, text, *out->arena, parameter_types);
    binder.bind_top(node, out.get());
    binder.take_dependencies(out.get());
    return std::shared_ptr<const BoundStatement>(std::move(out));
  });
}

Result<BoundExpression> bind_value_cast(Oid source, Oid target, std::int32_t typmod, const BindContext& context) {
  return fenced([&]() -> Result<BoundExpression> {
    BoundExpression out;
    out.arena = std::make_unique<Arena>();
    const Oid types[] = {source};
    Binder binder(context, {}, *out.arena, types);
    auto* value = make_node<ParamExpr>(*out.arena);
    value->type = source;
    out.expr = binder.coerce_anyhow(value, target, typmod);
    return out;
  });
}

// ---- Standalone expressions ----

namespace {

// Kinds whose value follows from their arguments wherever it is computed.
bool computes_alone(ExprKind kind) {
  switch (kind) {
    case ExprKind::kConst: case ExprKind::kColumn: case ExprKind::kFunction: case ExprKind::kRelabel: case ExprKind::kIoCast:
    case ExprKind::kArrayCast: case ExprKind::kElement: case ExprKind::kTestValue: case ExprKind::kBool: case ExprKind::kCase:
    case ExprKind::kCoalesce: case ExprKind::kGreatest: case ExprKind::kLeast: case ExprKind::kNullIf: case ExprKind::kDistinct:
    case ExprKind::kNullTest: case ExprKind::kBoolTest: case ExprKind::kArrayCompare: case ExprKind::kArray: case ExprKind::kRow:
    case ExprKind::kRowCompare: case ExprKind::kSubscript: case ExprKind::kField: return true;
    default: return false;
  }
}

}  // namespace

void Binder::check_generation(const Expr* expr, std::span<const StandaloneColumn> columns) {
  any_node(expr, [&](const Expr* node) {
    if (node->kind == ExprKind::kColumn) {
      const auto& column = node->as<ColumnExpr>();
      if (column.column < 0) {
        static constexpr std::string_view kNames[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};
        fail(at(Status{sqlstate::invalid_column_reference, "cannot use system column " + quoted(kNames[-column.column - 1]) +
                                                               " in column generation expression"},
                column.location));
      }
      const StandaloneColumn& used = columns[static_cast<std::size_t>(column.column)];
      if (used.generated) {
        fail(at(Status{sqlstate::invalid_object_definition, "cannot use generated column " + quoted(used.name) + " in column generation expression"}
                    .with_detail("A generated column cannot reference another generated column."),
                column.location));
      }
    }
    return false;
  });
  if (contains_mutable(expr)) fail(Status{sqlstate::invalid_object_definition, "generation expression is not immutable"});
  // Owners compute them, too, who know no session.
  if (!is_pure(expr) || any_node(expr, [](const Expr* node) { return !computes_alone(node->kind); })) {
    fail(Status{sqlstate::feature_not_supported, "functions in column generation expressions must be built in"});
  }
}

const Expr* Binder::bind_standalone(const ParseNode* node, const StandaloneOptions& options) {
  Scope& scope = scopes_.emplace_back();
  switch (options.use) {
    case StandaloneUse::kDefault: scope.place = Place::kDefault; break;
    case StandaloneUse::kCheck: scope.place = Place::kCheck; break;
    case StandaloneUse::kWhere: scope.place = Place::kCopyWhere; break;
    case StandaloneUse::kIndex: scope.place = Place::kIndex; break;
    case StandaloneUse::kIndexPredicate: scope.place = Place::kIndexPredicate; break;
    case StandaloneUse::kUsing: scope.place = Place::kUsing; break;
    case StandaloneUse::kGenerated: scope.place = Place::kGenerated; break;
    case StandaloneUse::kExecute: scope.place = Place::kExecute; break;
    case StandaloneUse::kTriggerWhen: scope.place = Place::kTriggerWhen; break;
    case StandaloneUse::kPartitionKey: scope.place = Place::kPartitionKey; break;
    case StandaloneUse::kPartitionBound: scope.place = Place::kPartitionBound; break;
  }
  if (options.use != StandaloneUse::kDefault && options.use != StandaloneUse::kExecute && options.use != StandaloneUse::kTriggerWhen &&
      options.use != StandaloneUse::kPartitionBound) {
    auto* entry = make<RangeEntry>();
    entry->kind = RangeKind::kSubquery;   // its columns are all that is looked at
    entry->alias = entry->name = options.table_name;
    std::vector<RangeColumn> columns;
    for (const StandaloneColumn& column : options.columns) columns.push_back({column.name, column.type, column.typmod, column.hidden, column_collation(column.type, column.collation)});
    entry->columns = keep(columns);
    scope.items.push_back(make_item(scope, add_range(scope, entry)));
  }
  const Expr* expr = bind_expr(scope, node);
  if (options.use == StandaloneUse::kGenerated) check_generation(expr, options.columns);
  if (options.use == StandaloneUse::kCheck) expr = to_boolean(expr, "CHECK");
  if (options.use == StandaloneUse::kWhere || options.use == StandaloneUse::kIndexPredicate) expr = to_boolean(expr, "WHERE");
  if (options.use == StandaloneUse::kTriggerWhen) expr = to_boolean(expr, "WHEN");
  if (options.target_type != 0) {
    const Oid source = expr->type;
    const Expr* coerced = coerce_with_typmod(expr, options.target_type, options.target_typmod, CoerceContext::kAssignment,
                                             CallForm::kImplicitCast, -1);
    if (coerced == nullptr) {
      if (options.use == StandaloneUse::kUsing) {
        fail(Status{sqlstate::datatype_mismatch, "result of USING clause for column " + quoted(options.target_name) +
                                                     " cannot be cast automatically to type " + type_text(options.target_type)}
                 .with_hint("You might need to add an explicit cast."));
      }
      if (options.use == StandaloneUse::kExecute) {
        fail(at(Status{sqlstate::datatype_mismatch, "parameter " + std::string(options.target_name) + " of type " + type_text(source) +
                                                        " cannot be coerced to the expected type " + type_text(options.target_type)}
                    .with_hint("You will need to rewrite or cast the expression."),
                expr->location));
      }
      if (options.use == StandaloneUse::kPartitionBound) {
        fail(at(Status{sqlstate::datatype_mismatch, "specified value cannot be cast to type " + type_text(options.target_type) + " for column " +
                                                        quoted(options.target_name)},
                expr->location));
      }
      fail(Status{sqlstate::datatype_mismatch, "column " + quoted(options.target_name) + " is of type " + type_text(options.target_type) +
                                                   " but default expression is of type " + type_text(source)}
               .with_hint("You will need to rewrite or cast the expression."));
    }
    expr = coerced;
  } else if (expr->type == kUnknown) {
    expr = coerce(expr, kText, -1, CoerceContext::kImplicit, CallForm::kImplicitCast, -1);
  }
  derive_collations(expr);
  if (options.use == StandaloneUse::kIndex || options.use == StandaloneUse::kIndexPredicate || options.use == StandaloneUse::kPartitionKey) {
    const std::string what = options.use == StandaloneUse::kIndex          ? "index expression"
                             : options.use == StandaloneUse::kPartitionKey ? "partition key expression"
                                                                           : "index predicate";
    // Of a call whose function's body takes its place that counts, not what the function was declared as.
    const bool shown = options.calls == RoutineCalls::kShown && contains_routine(expr);
    if (!shown && contains_mutable(expr)) fail(Status{sqlstate::invalid_object_definition, "functions in " + what + " must be marked IMMUTABLE"});
    // Entries are made where there is no session, while the log is replayed, too.
    const bool calls_stay = options.calls == RoutineCalls::kShown || options.calls == RoutineCalls::kMatched;
    if (!calls_stay && (!is_pure(expr) || any_node(expr, [](const Expr* node) { return !computes_alone(node->kind); })))
      fail(Status{sqlstate::feature_not_supported, "functions in " + what + "s must be built in, or be one expression of such"});
  }
  for (std::size_t i = 0; i < parameters_.size() && context_.variables == nullptr; ++i) {
    fail(Status{sqlstate::undefined_parameter, "there is no parameter $" + std::to_string(i + 1)});
  }
  return options.fold ? fold(expr) : expr;
}

Result<BoundExpression> bind_standalone_node(const ParseNode* node, std::string_view text, const BindContext& context,
                                             const StandaloneOptions& options) {
  return fenced([&]() -> Result<BoundExpression> {
    BoundExpression out;
    out.arena = std::make_unique<Arena>();
    BindContext written = context;
    written.as_written = !options.fold;   // what is not folded is printed back
    // Elsewhere a function in SQL may stand only if it can be put in place of its call.
    written.keep_calls = context.keep_calls || (!options.fold && (options.use == StandaloneUse::kDefault || options.use == StandaloneUse::kTriggerWhen || options.use == StandaloneUse::kCheck));
    written.keep_calls = written.keep_calls || options.calls == RoutineCalls::kShown;
    written.expand_calls = options.calls == RoutineCalls::kExpanded;
    Binder binder(written, text, *out.arena, {});
    out.expr = binder.bind_standalone(node, options);
    out.sequences = std::move(binder.sequences());
    out.objects = std::move(binder.objects());
    return out;
  });
}

Result<BoundExpression> bind_standalone_expression(std::string_view text, const BindContext& context, const StandaloneOptions& options) {
  WANDIAN_ASSIGN(ParsedStatements parsed, ParsedStatements::parse("SELECT (" + std::string(text) + ")"));
  const ParseNode* node = parsed.statements().size() == 1 ? parsed.statements()[0].node : nullptr;
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT || node->select_stmt->n_target_list != 1 ||
      node->select_stmt->n_from_clause != 0) {
    return Status{sqlstate::syntax_error, "not an expression: " + std::string(text)};
  }
  BindContext stored = context;
  stored.role = 0;   // what it names was checked when it was stored
  return bind_standalone_node(node->select_stmt->target_list[0]->res_target->val, {}, stored, options);
}

StandaloneOptions generation_options(const TableDef& table, std::uint16_t column, std::span<const StandaloneColumn> columns) {
  const ColumnDef& def = table.columns[column];
  StandaloneOptions options;
  options.use = StandaloneUse::kGenerated;
  options.table_name = table.name;
  options.columns = columns;
  options.target_type = def.type;
  options.target_typmod = def.typmod;
  options.target_name = def.name;
  return options;
}

std::vector<StandaloneColumn> standalone_columns(const TableDef& table) {
  std::vector<StandaloneColumn> out;
  out.reserve(table.columns.size());
  for (const ColumnDef& column : table.columns)
    out.push_back({column.name, column.type, column.typmod, column.dropped, column.generated != 0, column.collation});
  return out;
}

// ---- Views ----

namespace {

void put_number(std::string& out, std::uint64_t value) { out += std::to_string(value) + ";"; }
void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}
bool take_number(std::string_view& bytes, std::int64_t* value) {
  const std::size_t end = bytes.find(';');
  if (end == std::string_view::npos || end == 0 || end > 20) return false;
  std::int64_t out = 0;
  for (std::size_t i = 0; i < end; ++i) {
    if (i == 0 && bytes[0] == '-') continue;
    if (bytes[i] < '0' || bytes[i] > '9') return false;
    out = out * 10 + (bytes[i] - '0');
  }
  *value = bytes[0] == '-' ? -out : out;
  bytes.remove_prefix(end + 1);
  return true;
}
bool take_text(std::string_view& bytes, std::string* text) {
  std::int64_t size = 0;
  if (!take_number(bytes, &size) || size < 0 || static_cast<std::size_t>(size) > bytes.size()) return false;
  *text = bytes.substr(0, static_cast<std::size_t>(size));
  bytes.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

constexpr std::string_view kViewMark = "view2;";

}  // namespace

std::string ViewDefinition::encode() const {
  std::string out(kViewMark);
  put_number(out, columns.size());
  for (const Column& column : columns) {
    put_text(out, column.name);
    put_number(out, column.type);
    out += std::to_string(column.typmod) + ";";
  }
  put_text(out, query);
  put_number(out, options.size());
  for (const auto& [option, value] : options) {
    put_text(out, option);
    put_text(out, value);
  }
  // Earlier versions had neither triggers nor collations, nor defaults.
  const bool defaults = std::any_of(columns.begin(), columns.end(), [](const Column& column) { return !column.default_expression.empty(); });
  const bool collated = defaults || std::any_of(columns.begin(), columns.end(), [](const Column& column) { return !column.collation.empty(); });
  if (triggers.empty() && !collated) return out;
  put_number(out, triggers.size());
  for (const TriggerDef& trigger : triggers) {
    put_number(out, trigger.oid);
    put_text(out, trigger.name);
    put_number(out, trigger.function);
    put_number(out, trigger.events);
    put_text(out, {&trigger.enabled, 1});
    put_text(out, trigger.condition);
    put_number(out, trigger.arguments.size());
    for (const std::string& argument : trigger.arguments) put_text(out, argument);
  }
  if (collated)
    for (const Column& column : columns) put_text(out, column.collation);
  if (defaults)
    for (const Column& column : columns) put_text(out, column.default_expression);
  return out;
}

std::optional<ViewDefinition> ViewDefinition::decode(std::string_view bytes) {
  if (!bytes.starts_with(kViewMark)) return std::nullopt;
  bytes.remove_prefix(kViewMark.size());
  ViewDefinition out;
  std::int64_t count = 0, number = 0;
  if (!take_number(bytes, &count) || count < 0) return std::nullopt;
  for (std::int64_t i = 0; i < count; ++i) {
    Column column;
    std::int64_t typmod = 0;
    if (!take_text(bytes, &column.name) || !take_number(bytes, &number) || !take_number(bytes, &typmod)) return std::nullopt;
    column.type = static_cast<Oid>(number);
    column.typmod = static_cast<std::int32_t>(typmod);
    out.columns.push_back(std::move(column));
  }
  if (!take_text(bytes, &out.query)) return std::nullopt;
  if (!take_number(bytes, &count) || count < 0) return std::nullopt;
  for (std::int64_t i = 0; i < count; ++i) {
    auto& [option, value] = out.options.emplace_back();
    if (!take_text(bytes, &option) || !take_text(bytes, &value)) return std::nullopt;
  }
  if (bytes.empty()) return out;
  if (!take_number(bytes, &count) || count < 0) return std::nullopt;
  for (std::int64_t i = 0; i < count; ++i) {
    TriggerDef& trigger = out.triggers.emplace_back();
    std::int64_t events = 0, function = 0, arguments = 0;
    std::string enabled;
    if (!take_number(bytes, &number) || !take_text(bytes, &trigger.name) || !take_number(bytes, &function) || !take_number(bytes, &events) ||
        !take_text(bytes, &enabled) || enabled.size() != 1 || !take_text(bytes, &trigger.condition) || !take_number(bytes, &arguments) || arguments < 0)
      return std::nullopt;
    trigger.oid = static_cast<Oid>(number);
    trigger.function = static_cast<Oid>(function);
    trigger.events = static_cast<std::uint16_t>(events);
    trigger.enabled = enabled[0];
    for (std::int64_t a = 0; a < arguments; ++a)
      if (!take_text(bytes, &trigger.arguments.emplace_back())) return std::nullopt;
  }
  if (!bytes.empty())
    for (Column& column : out.columns)
      if (!take_text(bytes, &column.collation)) return std::nullopt;
  if (!bytes.empty())
    for (Column& column : out.columns)
      if (!take_text(bytes, &column.default_expression)) return std::nullopt;
  if (!bytes.empty()) return std::nullopt;
  return out;
}

Result<std::shared_ptr<TableDef>> view_as_table(const ObjectDef& view) {
  std::optional<ViewDefinition> definition = ViewDefinition::decode(view.definition);
  if (!definition) return Status{sqlstate::data_corrupted, "definition of view " + quoted(view.name) + " cannot be read"};
  auto out = std::make_shared<TableDef>();
  out->oid = view.oid;
  out->schema = view.parent;
  out->owner = view.owner;
  out->name = view.name;
  for (const ViewDefinition::Column& column : definition->columns) {
    ColumnDef& made = out->columns.emplace_back();
    made.name = column.name;
    made.type = column.type;
    made.typmod = column.typmod;
    made.default_expression = column.default_expression;
  }
  out->triggers = std::move(definition->triggers);
  return out;
}

BindContext stored_context(const BindContext& context) {
  BindContext out = context;
  out.search_path = {kPgCatalogSchema};
  out.variables = nullptr;
  out.transitions = nullptr;
  out.assign_to = nullptr;
  out.procedures = nullptr;
  out.stored = true;
  out.as_written = out.keep_calls = false;
  return out;
}

Result<std::shared_ptr<const BoundStatement>> bind_view_query(const ViewDefinition& view, const BindContext& context, bool as_written) {
  WANDIAN_ASSIGN(const ParsedStatements parsed, ParsedStatements::parse(view.query));
  if (parsed.statements().size() != 1) return Status{sqlstate::data_corrupted, "the definition of a view cannot be read"};
  BindContext stored = stored_context(context);
  stored.as_written = stored.keep_calls = as_written;
  stored.role = 0;   // asked when it was made
  return bind_statement(parsed.statements()[0].node, {}, stored);
}

namespace {

Status view_columns(std::span<const TargetEntry> columns, std::span<const std::string> aliases, std::vector<ViewDefinition::Column>* out) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    ViewDefinition::Column column;
    column.name = i < aliases.size() ? aliases[i] : std::string(columns[i].name);
    column.type = columns[i].expr->type;
    column.typmod = columns[i].expr->typmod;
    Result<std::string> collation = derived_collation(*columns[i].expr, column.name);
    if (!collation.ok()) {
      Status status = collation.take_status();
      status.error().message = "could not determine which collation to use for view column " + quoted(column.name);
      return status;
    }
    column.collation = collation.take();
    if (const TypeInfo* type = find_type(column.type); type == nullptr || type->category == 'P')
      return Status{sqlstate::invalid_table_definition, "column " + quoted(column.name) + " has pseudo-type " + type_text(column.type)};
    out->push_back(std::move(column));
  }
  return check_distinct_names(*out, [](const ViewDefinition::Column& column) -> std::string_view { return column.name; });
}

}  // namespace

Result<ViewDefinition> define_view(const ParseNode* select, std::string_view text, std::span<const std::string> aliases,
                                   const BindContext& context, std::vector<Oid>* depends_on) {
  if (select->node_case == PG_QUERY__NODE__NODE_SELECT_STMT && select->select_stmt->into_clause != nullptr)
    return Status{sqlstate::feature_not_supported, "views must not contain SELECT INTO"};
  BindContext as_written = context;
  as_written.as_written = as_written.keep_calls = true;
  WANDIAN_ASSIGN(const std::shared_ptr<const BoundStatement> bound, bind_statement(select, text, as_written));
  if (bound->kind != BoundKind::kQuery || bound->query->command != Command::kSelect)
    return Status{sqlstate::feature_not_supported, "a view must be a SELECT without native procedures"};
  for (const CommonTable* cte : bound->query->ctes)
    if (cte->query->command != Command::kSelect)
      return Status{sqlstate::feature_not_supported, "views must not contain data-modifying statements in WITH"};
  if (!bound->parameter_types.empty()) return Status{sqlstate::undefined_parameter, "there is no parameter $1"};
  const std::span<const TargetEntry> columns = bound->result_columns();
  if (aliases.size() > columns.size()) return Status{sqlstate::syntax_error, "CREATE VIEW specifies more column names than columns"};
  ViewDefinition out;
  WANDIAN_TRY(view_columns(columns, aliases, &out.columns));
  out.query = stored_query(*bound->query);
  // What is kept must mean what was written.
  WANDIAN_ASSIGN(const std::shared_ptr<const BoundStatement> again, bind_view_query(out, context, true));
  const std::span<const TargetEntry> kept = again->result_columns();
  const bool same = std::equal(columns.begin(), columns.end(), kept.begin(), kept.end(), [](const TargetEntry& a, const TargetEntry& b) {
    return a.expr->type == b.expr->type && a.expr->typmod == b.expr->typmod;
  });
  if (!same) return Status{sqlstate::internal_error, "the view's query cannot be kept: " + out.query};
  if (depends_on != nullptr) {
    for (const auto& table : bound->tables) depends_on->push_back(table->oid);
    for (const auto& object : bound->objects) depends_on->push_back(object->oid);
    for (const auto& sequence : bound->sequences) depends_on->push_back(sequence->oid);
  }
  return out;
}

// ---- Names ----

namespace {

std::optional<FoundRelation> find_in_schema(const BindContext& context, Oid schema, std::string_view name) {
  if (schema == kPgCatalogSchema || schema == kInformationSchema) {
    if (const SystemRelation* system = find_system_relation(schema, name)) {
      return FoundRelation{FoundRelation::Kind::kSystem, system->oid, schema, 0, system};
    }
  }
  const auto found = context.catalog->find_relation(schema, name);
  if (!found) return std::nullopt;
  FoundRelation out;
  out.oid = found->oid;
  out.schema = schema;
  switch (found->kind) {
    case Catalog::RelationName::Kind::kTable: {
      const auto table = context.catalog->table(found->oid);
      if (table == nullptr || table->internal) return std::nullopt;
      out.kind = FoundRelation::Kind::kTable;
      out.table = found->oid;
      break;
    }
    case Catalog::RelationName::Kind::kIndex:
      out.kind = FoundRelation::Kind::kIndex;
      out.table = found->table;
      break;
    case Catalog::RelationName::Kind::kSequence: out.kind = FoundRelation::Kind::kSequence; break;
    case Catalog::RelationName::Kind::kView: out.kind = FoundRelation::Kind::kView; break;
  }
  return out;
}

}  // namespace

std::optional<FoundRelation> find_stored_relation(const BindContext& context, std::string_view name) {
  Oid oid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), oid);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  if (const SystemRelation* system = find_system_relation(oid)) return FoundRelation{FoundRelation::Kind::kSystem, oid, system->schema, 0, system};
  if (const auto table = context.catalog->table(oid)) return FoundRelation{FoundRelation::Kind::kTable, oid, table->schema, oid};
  if (const auto sequence = context.catalog->sequence(oid)) return FoundRelation{FoundRelation::Kind::kSequence, oid, sequence->schema, 0};
  if (const auto view = context.catalog->object(ObjectKind::kView, oid)) return FoundRelation{FoundRelation::Kind::kView, oid, view->parent, 0};
  return std::nullopt;
}

std::optional<FoundRelation> find_relation(const BindContext& context, std::string_view schema, std::string_view name) {
  if (!schema.empty()) {
    if (schema == "pg_temp") {
      return context.temporary_schema != 0 ? find_in_schema(context, context.temporary_schema, name) : std::nullopt;
    }
    if (schema == "pg_catalog") return find_in_schema(context, kPgCatalogSchema, name);
    if (schema == "information_schema") return find_in_schema(context, kInformationSchema, name);
    const std::optional<Oid> oid = context.catalog->find_schema(context.database, schema);
    // Callers who must not see into a schema have asked Binder::check_schema() or DdlContext::find_schema() before.
    return oid ? find_in_schema(context, *oid, name) : std::nullopt;
  }
  for (const Oid oid : context.search_path) {
    if (auto found = find_in_schema(context, oid, name)) return found;
  }
  return std::nullopt;
}

Status undefined_relation(std::string_view schema, std::string_view name) {
  const std::string full = schema.empty() ? std::string(name) : std::string(schema) + "." + std::string(name);
  return Status{sqlstate::undefined_table, "relation " + quoted(full) + " does not exist"};
}

}  // namespace wandian::sql
