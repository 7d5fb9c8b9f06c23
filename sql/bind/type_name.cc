// Type names with their modifiers.
#include <charconv>

#include "sql/access/privileges.h"
#include "sql/bind/internal.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// interval's modifier: the fields it may hold above, the precision below (PostgreSQL's encoding, seen in pg_attribute).
constexpr std::int32_t kIntervalFullRange = 0x7FFF, kIntervalFullPrecision = 0xFFFF;

std::int32_t integer_modifier(const ParseNode* node, std::string_view text, int location) {
  if (node->node_case == PG_QUERY__NODE__NODE_A_CONST && node->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL) {
    return node->a_const->ival->ival;
  }
  if (node->node_case == PG_QUERY__NODE__NODE_A_CONST && node->a_const->val_case == PG_QUERY__A__CONST__VAL_FVAL) {
    fail(Status{sqlstate::invalid_text_representation,
                "invalid input syntax for type integer: \"" + std::string(node->a_const->fval->fval) + "\""});
  }
  fail(Status{sqlstate::syntax_error, "type modifiers must be simple constants or identifiers"}.with_position(
      character_position(text, location)));
}

Status bad_parameter(std::string message, std::string_view text, int location) {
  return Status{sqlstate::invalid_parameter_value, std::move(message)}.with_position(character_position(text, location));
}

std::int32_t typmod_of(Oid type, std::span<const std::int32_t> modifiers, std::string_view text, int location) {
  const auto count = [&](std::size_t most) {
    if (modifiers.size() > most || modifiers.empty()) fail(bad_parameter("invalid type modifier", text, location));
  };
  switch (type) {
    case kVarchar: case kBpchar: {
      const char* name = type == kVarchar ? "varchar" : "char";
      count(1);
      if (modifiers[0] < 1) fail(bad_parameter("length for type " + std::string(name) + " must be at least 1", text, location));
      if (modifiers[0] > 10485760) fail(bad_parameter("length for type " + std::string(name) + " cannot exceed 10485760", text, location));
      return modifiers[0] + 4;
    }
    case kBit: case kVarbit: {
      const char* name = type == kVarbit ? "varbit" : "bit";
      count(1);
      if (modifiers[0] < 1) fail(bad_parameter("length for type " + std::string(name) + " must be at least 1", text, location));
      if (modifiers[0] > 83886080) fail(bad_parameter("length for type " + std::string(name) + " cannot exceed 83886080", text, location));
      return modifiers[0];
    }
    case kNumeric: {
      if (modifiers.empty() || modifiers.size() > 2) fail(bad_parameter("invalid NUMERIC type modifier", text, location));
      const std::int32_t precision = modifiers[0];
      const std::int32_t scale = modifiers.size() == 2 ? modifiers[1] : 0;
      if (precision < 1 || precision > 1000) {
        fail(bad_parameter("NUMERIC precision " + std::to_string(precision) + " must be between 1 and 1000", text, location));
      }
      if (scale < -1000 || scale > 1000) {
        fail(bad_parameter("NUMERIC scale " + std::to_string(scale) + " must be between -1000 and 1000", text, location));
      }
      return ((precision << 16) | (scale & 0x7FF)) + 4;
    }
    case kTime: case kTimetz: case kTimestamp: case kTimestamptz: {
      count(1);
      const std::string name = type == kTime || type == kTimetz ? "TIME" : "TIMESTAMP";
      const std::string zone = type == kTimetz || type == kTimestamptz ? " WITH TIME ZONE" : "";
      if (modifiers[0] < 0) {
        fail(bad_parameter(name + "(" + std::to_string(modifiers[0]) + ")" + zone + " precision must not be negative", text, location));
      }
      return std::min(modifiers[0], 6);
    }
    case kInterval: {
      count(2);
      const std::int32_t range = modifiers[0];
      if (modifiers.size() == 1) {
        return range == kIntervalFullRange ? -1 : (range << 16) | kIntervalFullPrecision;
      }
      if (modifiers[1] < 0) {
        fail(bad_parameter("INTERVAL(" + std::to_string(modifiers[1]) + ") precision must not be negative", text, location));
      }
      return (range << 16) | std::min(modifiers[1], 6);
    }
    default:
      fail(Status{sqlstate::syntax_error, "type modifier is not allowed for type \"" + type_text(type) + "\""}.with_position(
          character_position(text, location)));
  }
}

// A type that users made; a stored definition names it by its OID.
Oid find_named_type(std::string_view schema, std::string_view name, const BindContext* context) {
  if (schema == "pg_catalog") return stored_type(name);
  if (context != nullptr && schema != "pg_temp") return CatalogTypes(*context->catalog, context->search_path, context->database).find_user_type(schema, name);
  TypeCatalog* types = current_type_catalog();
  return types != nullptr ? types->find_user_type(schema, name) : 0;
}

ResolvedType resolve_or_fail(const PgQuery__TypeName& name, std::string_view text, const BindContext* context) {
  if (name.n_names == 0) return {name.type_oid, name.typemod};
  std::string full;
  for (std::size_t i = 0; i < name.n_names; ++i) {
    if (i > 0) full += '.';
    full += string_value(name.names[i]);
  }
  const std::string_view last = string_value(name.names[name.n_names - 1]);
  const std::string_view schema = name.n_names > 1 ? string_value(name.names[name.n_names - 2]) : std::string_view{};
  if (name.pct_type != 0) {
    fail(Status{sqlstate::feature_not_supported, "%TYPE is not supported"}.with_position(character_position(text, name.location)));
  }
  const TypeInfo* info = schema.empty() || schema == "pg_catalog" || schema == "information_schema" ? find_type(last) : nullptr;
  if (info == nullptr && schema == "information_schema") {
    // Its domains are what they are domains over.
    if (last == "sql_identifier") info = find_type(kName);
    if (last == "character_data") info = find_type(kVarchar);
    if (last == "yes_or_no") info = find_type(kVarchar);
    if (last == "cardinal_number") info = find_type(kInt4);
    if (last == "time_stamp") info = find_type(kTimestamptz);
  }
  if (info == nullptr) {
    if (context != nullptr && context->role != 0 && !schema.empty() && schema != "pg_temp")
      if (const auto named = context->catalog->find_schema(context->database, schema)) {
        Status usable = check_schema_usage({*context->catalog, context->database, context->role, context->temporary_schema}, *named);
        if (!usable.ok()) fail(std::move(usable).with_position(character_position(text, name.location)));
      }
    if (const Oid made = find_named_type(schema, last, context)) info = find_type(made);
  }
  if (info == nullptr) {
    if (!schema.empty() && context != nullptr && schema != "pg_catalog" && schema != "information_schema" && schema != "pg_temp" &&
        !context->catalog->find_schema(context->database, schema)) {
      fail(Status{sqlstate::invalid_schema_name, "schema \"" + std::string(schema) + "\" does not exist"}.with_position(
          character_position(text, name.location)));
    }
    fail(Status{sqlstate::undefined_object, "type \"" + full + "\" does not exist"}.with_position(character_position(text, name.location)));
  }
  ResolvedType out{info->oid, -1, schema == "pg_catalog" && info->oid >= kFirstUserOid};
  if (name.n_typmods > 0) {
    std::vector<std::int32_t> modifiers;
    for (std::size_t i = 0; i < name.n_typmods; ++i) modifiers.push_back(integer_modifier(name.typmods[i], text, name.location));
    out.typmod = typmod_of(info->oid, modifiers, text, name.location);
  }
  if (name.n_array_bounds > 0) {
    const Oid array = array_type_of(info->oid);
    if (array == 0) {
      fail(Status{sqlstate::undefined_object, "type \"" + full + "[]\" does not exist"}.with_position(
          character_position(text, name.location)));
    }
    out.type = array;
  }
  return out;
}

}  // namespace

Result<ResolvedType> resolve_type(const PgQuery__TypeName& name, std::string_view text, const BindContext* context) {
  try {
    return resolve_or_fail(name, text, context);
  } catch (BindError& error) {
    return std::move(error.status);
  }
}

Result<ResolvedType> resolve_type(std::string_view type_text) {
  // As PostgreSQL reads it: the type of a cast.
  if (type_text.find_first_not_of(" \t\n\r\f\v") == std::string_view::npos) {
    return Status{sqlstate::syntax_error, "invalid type name \"" + std::string(type_text) + "\""};
  }
  WANDIAN_ASSIGN(ParsedStatements parsed, ParsedStatements::parse("SELECT NULL::" + std::string(type_text)));
  const auto invalid = [&] { return Status{sqlstate::syntax_error, "invalid type name \"" + std::string(type_text) + "\""}; };
  if (parsed.statements().size() != 1) return invalid();
  const ParseNode* node = parsed.statements()[0].node;
  if (node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT) return invalid();
  const PgQuery__SelectStmt& select = *node->select_stmt;
  if (select.n_target_list != 1 || select.n_from_clause != 0 || select.where_clause != nullptr || select.n_sort_clause != 0 ||
      select.limit_count != nullptr || select.target_list[0]->node_case != PG_QUERY__NODE__NODE_RES_TARGET) {
    return invalid();
  }
  const PgQuery__ResTarget& target = *select.target_list[0]->res_target;
  if (target.val == nullptr || target.val->node_case != PG_QUERY__NODE__NODE_TYPE_CAST || (target.name != nullptr && *target.name != '\0')) {
    return invalid();
  }
  Result<ResolvedType> out = resolve_type(*target.val->type_cast->type_name, {});
  if (!out.ok()) {
    Status status = out.take_status();
    status.error().position = 0;
    return status;
  }
  return out;
}

}  // namespace wandian::sql
