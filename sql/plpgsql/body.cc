// From a definition to a body that can run: parameters with their actual types, declarations' types, the shape of the result.
#include <algorithm>

#include "sql/functions/quote.h"
#include "sql/messages.h"
#include "sql/plpgsql/body_reader.h"
#include "sql/plpgsql/interpreter.h"
#include "sql/plpgsql/parser.h"
#include "sql/types/multirange.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace plpgsql {

namespace {

Result<std::vector<std::string>> name_parts(std::string_view text) {
  const auto invalid = [&] { return Status{sqlstate::syntax_error, "invalid type name \"" + std::string(text) + "\""}; };
  Result<ParsedStatements> parsed = ParsedStatements::parse("SELECT " + std::string(text));
  if (!parsed.ok() || parsed->statements().size() != 1 || parsed->statements()[0].node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return invalid();
  const PgQuery__SelectStmt& select = *parsed->statements()[0].node->select_stmt;
  if (select.n_target_list != 1 || select.target_list[0]->res_target->val->node_case != PG_QUERY__NODE__NODE_COLUMN_REF) return invalid();
  const PgQuery__ColumnRef& ref = *select.target_list[0]->res_target->val->column_ref;
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < ref.n_fields; ++i) {
    if (ref.fields[i]->node_case != PG_QUERY__NODE__NODE_STRING) return invalid();
    parts.emplace_back(string_value(ref.fields[i]));
  }
  return parts;
}

// A table or view by its name.
std::optional<FoundRelation> relation_named(SessionImpl& session, std::span<const std::string> parts) {
  if (parts.empty() || parts.size() > 2) return std::nullopt;
  const auto found = find_relation(session.bind_context(), parts.size() == 2 ? parts[0] : std::string(), parts.back());
  if (!found || (found->kind != FoundRelation::Kind::kTable && found->kind != FoundRelation::Kind::kView)) return std::nullopt;
  return found;
}

// A variable of a row type or composite type is a record.
VariableType variable_of(Oid type, std::int32_t typmod) {
  VariableType out;
  const Oid base = base_type(type);
  out.is_row = type_kind(base) == 'c';
  if (out.is_row) {
    out.relation = base;
    if (base != type) out.domain = type;
    return out;
  }
  out.type = type;
  out.typmod = typmod;
  return out;
}

Result<VariableType> find_variable_type(SessionImpl& session, std::string_view text) {
  VariableType out;
  const std::string word = lower(text);
  if (word == "record") {
    out.is_row = true;
    return out;
  }
  const std::size_t percent = text.rfind('%');
  if (percent != std::string_view::npos) {
    std::string_view kind = text.substr(percent + 1);
    while (!kind.empty() && (kind.front() == ' ' || kind.front() == '\t' || kind.front() == '\n')) kind.remove_prefix(1);
    const bool row = lower(kind) == "rowtype";
    WANDIAN_ASSIGN(std::vector<std::string> parts, name_parts(text.substr(0, percent)));
    std::string full;
    for (const std::string& part : parts) full += (full.empty() ? "" : ".") + part;
    if (row) {
      const auto relation = relation_named(session, parts);
      if (!relation) return undefined_relation(parts.size() > 1 ? parts[0] : std::string(), parts.back());
      out.is_row = true;
      out.relation = relation->oid;
      return out;
    }
    if (parts.size() < 2) return Status{sqlstate::undefined_object, "type " + quoted(full + "%TYPE") + " does not exist"};
    const std::string column = parts.back();
    parts.pop_back();
    const auto relation = relation_named(session, parts);
    if (!relation) return undefined_relation(parts.size() > 1 ? parts[0] : std::string(), parts.back());
    WANDIAN_ASSIGN(const ShapePtr shape, relation_shape(*session.catalog(), relation->oid));
    for (const RowShape::Field& field : shape->fields)
      if (field.name == column) return variable_of(field.type, field.typmod);
    return undefined_column(column, parts.back());
  }
  Result<ResolvedType> type = resolve_type(text);
  if (!type.ok()) {
    // A relation's name is its row type.
    if (Result<std::vector<std::string>> parts = name_parts(text); parts.ok())
      if (const auto relation = relation_named(session, parts.value())) {
        out.is_row = true;
        out.relation = relation->oid;
        return out;
      }
    return type.take_status();
  }
  out = variable_of(type->type, type->typmod);
  if (out.is_row) return out;
  if (out.type == kRecord) {
    out.is_row = true;
    out.type = 0;
    return out;
  }
  if (const TypeInfo* info = wandian::find_type(out.type); info != nullptr && info->category == 'P' && info->element == 0)
    return Status{sqlstate::feature_not_supported, "variable has pseudo-type " + format_type(out.type)};
  return out;
}

bool is_polymorphic(Oid type) {
  switch (type) {
    case kAnyElement: case kAnyArray: case kAnyNonArray: case kAnyEnum: case kAnyRange: case kAnyMultirange:
    case kAnyCompatible: case kAnyCompatibleArray: case kAnyCompatibleNonArray:
      return true;
    default: return false;
  }
}

Oid base_of(Oid type) {
  const TypeInfo* info = wandian::find_type(type);
  return info != nullptr ? info->base : 0;
}

// anyrange and anymultirange as this call has them.
Oid actual_range(const Routine& routine, std::span<const Oid> types, bool multirange) {
  for (std::size_t i = 0; i < routine.declaration.arguments.size() && i < types.size(); ++i) {
    const Oid argument = routine.declaration.arguments[i];
    if (argument == kAnyRange) return multirange ? multirange_type_of(types[i]) : types[i];
    if (argument == kAnyMultirange) return multirange ? types[i] : base_of(types[i]);
  }
  return multirange ? kInt4Multirange : kInt4Range;
}

// A declared type as this call has it. Without a call polymorphic types are taken for integer, as PostgreSQL's validator does.
Oid actual_type(const Routine& routine, std::span<const Oid> types, Oid declared) {
  if (!is_polymorphic(declared)) return declared;
  if (declared == kAnyRange || declared == kAnyMultirange) return actual_range(routine, types, declared == kAnyMultirange);
  Oid element = kInt4;
  for (std::size_t i = 0; i < routine.declaration.arguments.size() && i < types.size(); ++i) {
    const Oid argument = routine.declaration.arguments[i];
    if (argument == kAnyArray || argument == kAnyCompatibleArray) {
      if (const TypeInfo* info = wandian::find_type(types[i]); info != nullptr && info->element != 0) element = info->element;
    } else if (argument == kAnyRange || argument == kAnyMultirange) {
      element = base_of(actual_range(routine, types, false));
    } else if (is_polymorphic(argument)) {
      element = types[i];
    }
  }
  if (declared != kAnyArray && declared != kAnyCompatibleArray) return element;
  const TypeInfo* info = wandian::find_type(element);
  return info != nullptr ? info->array : 0;
}

bool ends_transactions(const Function& tree) {
  return std::any_of(tree.statements.begin(), tree.statements.end(), [](const Statement& statement) {
    return statement.kind == StepKind::kCommit || statement.kind == StepKind::kRollback || statement.kind == StepKind::kCall;
  });
}

std::string signature_of(SessionImpl& session, const Routine& routine) {
  return routine_signature(routine, !session.visible(ObjectClass::kFunctionSignature, routine.oid));
}

}  // namespace

// An error without a position names the line it was found in.
Status with_line(Status status, std::string_view name) {
  ErrorRecord& error = status.error();
  if (error.position != 0) return status;
  const int line = std::max(1, std::exchange(error.internal_position, 0));
  return std::move(status).with_context("compilation of PL/pgSQL function " + quoted(name) + " near line " + std::to_string(line));
}

Result<std::shared_ptr<RoutineBody>> make_body(SessionImpl& session, const Routine& routine, std::span<const Oid> types) {
  const FunctionObject& declared = routine.declaration;
  ParseRequest request;
  request.source = declared.source;
  request.name = declared.name;
  request.is_trigger = declared.result == kTrigger;
  request.returns_set = declared.returns_set;
  request.is_procedure = declared.is_procedure;
  request.returns_void = declared.result == kVoid && !declared.is_procedure;
  request.has_outputs = !routine.outputs.empty();
  request.find_type = [&session](std::string_view text) { return find_variable_type(session, text); };
  for (const FunctionObject::Parameter& parameter : declared.parameters) {
    Parameter made;
    made.name = parameter.name;
    const Oid type = actual_type(routine, types, parameter.type);
    made.type = variable_of(type, -1);
    if (type == kRecord) made.type.is_row = true;
    request.parameters.push_back(std::move(made));
  }
  WANDIAN_ASSIGN(std::shared_ptr<const Function> tree, parse(request));
  auto body = std::make_shared<PlpgsqlBody>(std::move(tree), signature_of(session, routine));
  body->is_trigger = request.is_trigger;
  body->is_procedure = declared.is_procedure;
  body->returns_set = declared.returns_set;
  body->result_type = actual_type(routine, types, declared.result);
  body->returns_row = declared.result == kRecord && routine.outputs.empty();
  body->ends_transactions = ends_transactions(*body->tree);
  for (const std::size_t input : routine.inputs) body->inputs.push_back(body->tree->parameters[input]);
  for (const std::size_t output : routine.outputs) body->outputs.push_back(body->tree->parameters[output]);
  if (declared.result_relation != 0) {
    WANDIAN_ASSIGN(body->result_shape, relation_shape(*session.catalog(), declared.result_relation));
  }
  return std::shared_ptr<RoutineBody>(std::move(body));
}

}  // namespace plpgsql

Result<std::shared_ptr<RoutineBody>> make_plpgsql_body(SessionImpl& session, const Routine& routine, std::span<const Oid> types,
                                                       const TriggerEvent* trigger) {
  if (trigger == nullptr && routine.declaration.result == kTrigger)
    return Status{sqlstate::feature_not_supported, "trigger functions can only be called as triggers"};
  Result<std::shared_ptr<RoutineBody>> body = plpgsql::make_body(session, routine, types);
  if (body.ok()) return body;
  Status status = body.take_status();
  int line = 1;
  if (const std::int32_t position = status.error().position; position > 0) {
    const std::string& source = routine.declaration.source;
    line += static_cast<int>(std::count(source.begin(), source.begin() + std::min<std::ptrdiff_t>(position, std::ssize(source)), '\n'));
  }
  make_internal(status, routine.declaration.source);
  return std::move(status).with_context("compilation of PL/pgSQL function " + quoted(routine.declaration.name) + " near line " + std::to_string(line));
}

Status check_plpgsql_body(SessionImpl& session, const Routine& routine) {
  Result<std::shared_ptr<RoutineBody>> body = plpgsql::make_body(session, routine, {});
  if (body.ok()) return {};
  return plpgsql::with_line(body.take_status(), routine.declaration.name);
}

Result<std::shared_ptr<RoutineBody>> make_do_body(SessionImpl& session, std::string_view source) {
  plpgsql::ParseRequest request;
  request.source = source;
  request.name = "inline_code_block";
  request.returns_void = true;
  request.find_type = [&session](std::string_view text) { return plpgsql::find_variable_type(session, text); };
  Result<std::shared_ptr<const plpgsql::Function>> parsed = plpgsql::parse(request);
  if (!parsed.ok()) return plpgsql::with_line(parsed.take_status(), request.name);
  auto body = std::make_shared<plpgsql::PlpgsqlBody>(parsed.take(), "inline_code_block");
  body->is_do = true;
  body->ends_transactions = plpgsql::ends_transactions(*body->tree);
  return std::shared_ptr<RoutineBody>(std::move(body));
}

}  // namespace wandian::sql
