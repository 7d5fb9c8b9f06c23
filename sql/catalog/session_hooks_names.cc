// SessionHooks: names of objects, what the search path finds, privileges.
#include <algorithm>
#include <charconv>

#include "sql/access/privileges.h"
#include "sql/access/roles.h"
#include "sql/catalog/relation_names.h"
#include "sql/catalog/stored_objects.h"
#include "sql/functions/citext.h"
#include "sql/functions/quote.h"
#include "sql/functions/registry.h"
#include "sql/messages.h"
#include "sql/session_impl.h"
#include "sql/types/collation.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

// ---- Relations by OID ----

std::optional<RelationFacts> relation_facts(const Catalog& catalog, Oid oid) {
  RelationFacts out;
  out.oid = oid;
  if (const auto table = catalog.table(oid); table != nullptr && !table->internal) {
    out.schema = table->schema;
    out.owner = table->owner;
    out.name = table->name;
    out.table = table;
    return out;
  }
  if (const auto sequence = catalog.sequence(oid)) {
    out.kind = FoundRelation::Kind::kSequence;
    out.schema = sequence->schema;
    out.owner = sequence->owner;
    out.name = sequence->name;
    return out;
  }
  if (const auto view = catalog.object(ObjectKind::kView, oid)) {
    out.kind = FoundRelation::Kind::kView;
    out.schema = view->parent;
    out.owner = view->owner;
    out.name = view->name;
    return out;
  }
  if (const SystemRelation* system = find_system_relation(oid)) {
    out.kind = FoundRelation::Kind::kSystem;
    out.schema = system->schema;
    out.owner = kBootstrapRole;
    out.name = system->name;
    return out;
  }
  if (oid < kFirstUserOid) return std::nullopt;
  for (const auto& [table_oid, table] : catalog.tables()) {
    if (table->internal) continue;
    for (const IndexDef& index : table->indexes) {
      if (index.oid != oid) continue;
      out.kind = FoundRelation::Kind::kIndex;
      out.schema = table->schema;
      out.owner = table->owner;
      out.name = index.name;
      out.table = table;
      out.index = &index;
      return out;
    }
  }
  return std::nullopt;
}

Result<std::vector<std::string>> split_name(std::string_view text) {
  const auto invalid = [] { return Status{sqlstate::invalid_name, "invalid name syntax"}; };
  std::vector<std::string> out;
  std::size_t at = 0;
  const auto skip_space = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r')) ++at;
  };
  for (;;) {
    skip_space();
    std::string part;
    if (at < text.size() && text[at] == '"') {
      ++at;
      bool closed = false;
      while (at < text.size()) {
        if (text[at] == '"') {
          if (at + 1 < text.size() && text[at + 1] == '"') ++at;
          else {
            ++at;
            closed = true;
            break;
          }
        }
        part += text[at++];
      }
      if (!closed || part.empty()) return invalid();
    } else {
      while (at < text.size()) {
        const char c = text[at];
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
        const bool later = (c >= '0' && c <= '9') || c == '$';
        if (!letter && !(later && !part.empty())) break;
        part += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        ++at;
      }
      if (part.empty()) return invalid();
    }
    out.push_back(std::move(part));
    skip_space();
    if (at == text.size()) return out;
    if (text[at] != '.') return invalid();
    ++at;
  }
}

std::string schema_text(const Catalog& catalog, Oid schema) {
  if (schema == kPgCatalogSchema) return "pg_catalog";
  if (schema == kInformationSchema) return "information_schema";
  const auto found = catalog.schema(schema);
  return found != nullptr ? found->name : std::string();
}

namespace {

std::string argument_list(std::span<const Oid> types) {
  std::string out = "(";
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i != 0) out += ",";
    out += format_type(types[i]);
  }
  return out + ")";
}

struct NamedFunction {
  Oid oid;
  std::string name;
  std::vector<Oid> arguments;
  Oid schema;
};

// Every function of that name, built-in and native, in the schemas given.
std::vector<NamedFunction> functions_named(const Catalog& catalog, std::span<const Oid> schemas, std::string_view name) {
  std::vector<NamedFunction> out;
  for (const Oid schema : schemas) {
    if (schema == kPgCatalogSchema) {
      for (const FunctionDef* function : find_functions(name)) out.push_back({function->oid, std::string(function->name), function->args, schema});
      for (const AggregateDef* aggregate : find_aggregates(name)) {
        const bool known = std::any_of(out.begin(), out.end(), [&](const NamedFunction& f) { return f.oid == aggregate->oid; });
        if (!known) out.push_back({aggregate->oid, std::string(aggregate->name), aggregate->args, schema});
      }
      continue;
    }
    for (auto it = catalog.objects().lower_bound(std::pair(ObjectKind::kFunction, Oid{0}));
         it != catalog.objects().end() && it->first.first == ObjectKind::kFunction; ++it) {
      if (it->second->parent != schema) continue;
      const auto stored = FunctionObject::decode(it->second->definition);
      if (stored && stored->name == name) out.push_back({it->second->oid, stored->name, stored->arguments, schema});
    }
  }
  return out;
}

std::optional<NamedFunction> function_by_oid(const Catalog& catalog, Oid oid) {
  if (const FunctionDef* function = find_function(oid)) return NamedFunction{oid, std::string(function->name), function->args, kPgCatalogSchema};
  if (const AggregateDef* aggregate = find_aggregate(oid)) return NamedFunction{oid, std::string(aggregate->name), aggregate->args, kPgCatalogSchema};
  const auto object = catalog.object(ObjectKind::kFunction, oid);
  if (object == nullptr) return std::nullopt;
  const auto stored = FunctionObject::decode(object->definition);
  if (!stored) return std::nullopt;
  return NamedFunction{oid, stored->name, stored->arguments, object->parent};
}

}  // namespace

// ---- Resolving ----

// name(type, type); NONE is no type where `none` says so.
Status SessionImpl::read_signature(std::string_view text, bool none, std::string_view* name, std::vector<Oid>* arguments) {
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos) return Status{sqlstate::invalid_text_representation, "expected a left parenthesis"};
  const std::size_t last = text.find_last_not_of(" \t\n");
  if (text[last] != ')') return Status{sqlstate::invalid_text_representation, "expected a right parenthesis"};
  *name = text.substr(0, open);
  std::string_view list = text.substr(open + 1, last - open - 1);
  bool comma = false;
  while (comma || list.find_first_not_of(" \t\n") != std::string_view::npos) {
    // A comma inside of brackets belongs to a type's modifiers.
    std::size_t end = 0;
    for (int depth = 0; end < list.size() && (depth != 0 || list[end] != ','); ++end) depth += list[end] == '(' ? 1 : list[end] == ')' ? -1 : 0;
    const std::string_view item = list.substr(0, end);
    const std::size_t begin = item.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return Status{sqlstate::syntax_error, "invalid type name " + quoted(item)};
    std::string word(item.substr(begin, item.find_last_not_of(" \t\n") + 1 - begin));
    for (char& c : word) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    if (none && word == "none") {
      arguments->push_back(0);
    } else {
      WANDIAN_ASSIGN(const ResolvedType type, resolve_type(item));
      arguments->push_back(type.type);
    }
    comma = end < list.size();
    list.remove_prefix(comma ? end + 1 : end);
  }
  return {};
}

// All operators are PostgreSQL's, or an extension's that the server brings along.
Result<Oid> SessionImpl::resolve_operator(std::string_view text, std::string_view name, const std::vector<Oid>& arguments, bool missing_ok) {
  if (arguments.size() == 1)
    return Status{sqlstate::undefined_parameter, "missing argument"}.with_hint("Use NONE to denote the missing argument of a unary operator.");
  if (arguments.size() != 2)
    return Status{sqlstate::too_many_arguments, "too many arguments"}.with_hint("Provide two argument types for operator.");
  std::string_view symbol = name.substr(std::min(name.find_first_not_of(" \t\n"), name.size()));
  symbol = symbol.substr(0, symbol.find_last_not_of(" \t\n") + 1);
  if (symbol.starts_with("pg_catalog.")) symbol.remove_prefix(std::string_view("pg_catalog.").size());
  for (const OperatorDef* op : find_operators(symbol))
    if (op->left == arguments[0] && op->right == arguments[1]) return op->oid;
  if (missing_ok) return Oid{0};
  return Status{sqlstate::undefined_function, "operator does not exist: " + std::string(text)};
}

// As definitions name it.
Result<std::string> SessionImpl::find_collation_name(const std::string& schema, const std::string& name) {
  std::string text = quote_identifier(name);
  if (!schema.empty()) text = quote_identifier(schema) + "." + text;
  WANDIAN_ASSIGN(const ParsedStatements parsed, ParsedStatements::parse("SELECT x COLLATE " + text));
  const PgQuery__CollateClause& clause = *parsed.statements()[0].node->select_stmt->target_list[0]->res_target->val->collate_clause;
  return resolve_collation({clause.collname, clause.n_collname}, bind_context());
}

Result<Oid> SessionImpl::resolve(ObjectClass kind, std::string_view name, bool missing_ok) {
  const std::shared_ptr<const Catalog> known = catalog();
  const auto missing = [&](Status status) -> Result<Oid> {
    if (missing_ok) return Oid{0};
    return status;
  };
  if (kind == ObjectClass::kType) {
    Result<ResolvedType> type = resolve_type(name);
    if (type.ok()) return type->type;
    if (missing_ok && type.status().code() == sqlstate::undefined_object) return Oid{0};
    return type.take_status();
  }
  if (kind == ObjectClass::kOperator) {
    const std::size_t dot = name.rfind('.');
    const std::string_view symbol = dot != std::string_view::npos && name.starts_with("pg_catalog.") ? name.substr(dot + 1) : name;
    const auto found = find_operators(symbol);
    if (found.size() == 1) return found[0]->oid;
    if (found.empty()) return missing(Status{sqlstate::undefined_function, "operator does not exist: " + std::string(name)});
    if (missing_ok) return Oid{0};
    return Status{sqlstate::ambiguous_function, "more than one operator named " + std::string(name)};
  }
  std::string_view call = name;
  std::vector<Oid> arguments;
  if (kind == ObjectClass::kFunctionSignature || kind == ObjectClass::kOperatorSignature)
    WANDIAN_TRY(read_signature(name, kind == ObjectClass::kOperatorSignature, &call, &arguments));
  if (kind == ObjectClass::kOperatorSignature) return resolve_operator(name, call, arguments, missing_ok);
  WANDIAN_ASSIGN(const std::vector<std::string> parts, split_name(call));
  const std::string& object = parts.back();
  const std::string schema = parts.size() > 1 ? parts[parts.size() - 2] : std::string();
  switch (kind) {
    case ObjectClass::kRelation: {
      if (!schema.empty() && schema != "pg_temp" && schema != "pg_catalog" && schema != "information_schema" && !known->find_schema(database_, schema))
        return missing(Status{sqlstate::invalid_schema_name, "schema " + quoted(schema) + " does not exist"});
      if (!schema.empty() && !superuser_)
        if (const auto named = known->find_schema(database_, schema)) WANDIAN_TRY(check_schema_usage(access_scope(), *named));
      const auto found = find_relation(bind_context(), schema, object);
      if (found) return found->oid;
      if (const Oid type = find_user_type(schema, object); type != 0)
        if (const UserType* composite = user_type(type); composite != nullptr && composite->kind == 'c') return relation_of_row_type(type);
      return missing(undefined_relation(schema, object));
    }
    case ObjectClass::kNamespace: {
      if (object == "pg_catalog") return kPgCatalogSchema;
      if (object == "information_schema") return kInformationSchema;
      const auto found = known->find_schema(database_, object);
      if (found) return *found;
      return missing(Status{sqlstate::invalid_schema_name, "schema " + quoted(object) + " does not exist"});
    }
    case ObjectClass::kCollation: {
      Result<std::string> found = find_collation_name(schema, object);
      if (!found.ok()) return missing(found.take_status());
      return find_collation(found.value())->oid;
    }
    case ObjectClass::kRole: {
      const auto found = known->find_object(ObjectKind::kRole, 0, object);
      if (found != nullptr) return found->oid;
      return missing(Status{sqlstate::undefined_object, "role " + quoted(object) + " does not exist"});
    }
    default: break;
  }
  std::vector<Oid> schemas = search_path();
  if (!schema.empty()) {
    Result<Oid> only = resolve(ObjectClass::kNamespace, quote_identifier(schema), missing_ok);
    if (!only.ok()) return only.take_status();
    if (only.value() == 0) return Oid{0};
    schemas = {only.value()};
  }
  const std::vector<NamedFunction> found = functions_named(*known, schemas, object);
  if (kind == ObjectClass::kFunctionSignature) {
    for (const NamedFunction& function : found)
      if (function.arguments == arguments) return function.oid;
    return missing(Status{sqlstate::undefined_function, "function " + quoted(name) + " does not exist"});
  }
  if (found.size() == 1) return found[0].oid;
  if (found.empty()) return missing(Status{sqlstate::undefined_function, "function " + quoted(name) + " does not exist"});
  if (missing_ok) return Oid{0};
  return Status{sqlstate::ambiguous_function, "more than one function named " + quoted(name)};
}

bool SessionImpl::visible(ObjectClass kind, Oid oid) {
  const std::shared_ptr<const Catalog> known = catalog();
  switch (kind) {
    case ObjectClass::kRelation: {
      const auto facts = relation_facts(*known, oid);
      // The relation behind a composite type is seen where the type is.
      if (!facts) return known->object(ObjectKind::kType, row_type_of(oid)) != nullptr && visible(ObjectClass::kType, row_type_of(oid));
      const auto found = find_relation(bind_context(), {}, facts->name);
      return found && found->oid == oid;
    }
    case ObjectClass::kFunction:
    case ObjectClass::kFunctionSignature: {
      const auto function = function_by_oid(*known, oid);
      if (!function) return false;
      for (const Oid schema : search_path()) {
        const Oid only[] = {schema};
        for (const NamedFunction& candidate : functions_named(*known, only, function->name))
          if (candidate.arguments == function->arguments) return candidate.oid == oid;
      }
      return false;
    }
    case ObjectClass::kType: {
      const TypeInfo* info = find_type(oid);
      if (info == nullptr || (oid < kFirstUserOid && !is_citext_object(oid))) return info != nullptr;
      return CatalogTypes(*known, search_path(), database_).is_visible(info->category == 'A' && info->element != 0 ? info->element : oid);
    }
    case ObjectClass::kCollation: {
      const auto object = known->object(ObjectKind::kCollation, oid);
      return object == nullptr ? find_builtin_collation(oid) != nullptr : collation_name(oid) == quote_identifier(object->name);
    }
    default: return true;
  }
}

std::optional<std::string> SessionImpl::object_name(ObjectClass kind, Oid oid) {
  const std::shared_ptr<const Catalog> known = catalog();
  switch (kind) {
    case ObjectClass::kRelation: {
      const auto facts = relation_facts(*known, oid);
      if (!facts) {
        // The relation behind a composite type has the type's name.
        std::string name = user_type(row_type_of(oid)) != nullptr ? user_type_name(row_type_of(oid)) : std::string();
        return name.empty() ? std::nullopt : std::optional<std::string>(std::move(name));
      }
      if (visible(kind, oid)) return quote_identifier(facts->name);
      return quote_identifier(schema_text(*known, facts->schema)) + "." + quote_identifier(facts->name);
    }
    case ObjectClass::kType:
      if (!type_exists(oid)) return std::nullopt;
      return format_type(oid);
    case ObjectClass::kFunction:
    case ObjectClass::kFunctionSignature: {
      const auto function = function_by_oid(*known, oid);
      if (!function) return std::nullopt;
      std::string name = quote_identifier(function->name);
      if (kind == ObjectClass::kFunctionSignature) {
        if (!visible(kind, oid)) name = quote_identifier(schema_text(*known, function->schema)) + "." + name;
        return name + argument_list(function->arguments);
      }
      // A name alone must be unique to be read back.
      const std::vector<Oid>& path = search_path();
      if (functions_named(*known, path, function->name).size() == 1) return name;
      return quote_identifier(schema_text(*known, function->schema)) + "." + name;
    }
    case ObjectClass::kOperator: {
      const OperatorDef* op = find_operator(oid);
      if (op == nullptr) return std::nullopt;
      const std::string symbol(op->name);
      return find_operators(op->name).size() == 1 ? symbol : "pg_catalog." + symbol;
    }
    case ObjectClass::kOperatorSignature: {
      const OperatorDef* op = find_operator(oid);
      if (op == nullptr) return std::nullopt;
      return std::string(op->name) + "(" + (op->left == 0 ? "NONE" : format_type(op->left)) + "," + (op->right == 0 ? "NONE" : format_type(op->right)) + ")";
    }
    case ObjectClass::kNamespace: {
      const std::string name = schema_text(*known, oid);
      if (name.empty()) return std::nullopt;
      return quote_identifier(name);
    }
    case ObjectClass::kRole: {
      const auto role = known->object(ObjectKind::kRole, oid);
      if (role == nullptr) return std::nullopt;
      return quote_identifier(role->name);
    }
    case ObjectClass::kCollation: {
      if (const Collation* builtin = find_builtin_collation(oid)) return quote_identifier(builtin->stored);
      std::string name = collation_name(oid);
      return name.empty() ? std::nullopt : std::optional<std::string>(std::move(name));
    }
  }
  return std::nullopt;
}

std::optional<std::string> SessionImpl::type_name(Oid type, std::int32_t typmod) {
  if (!type_exists(type)) return std::nullopt;
  return format_type(type, typmod);
}

// ---- Types that users made ----

bool SessionImpl::type_exists(Oid type) {
  const TypeInfo* info = find_type(type);
  if (info == nullptr || (type < kFirstUserOid && !is_citext_object(type))) return info != nullptr;
  return !user_type_name(info->category == 'A' && info->element != 0 ? info->element : type).empty();
}

const UserType* SessionImpl::user_type(Oid type) {
  const std::shared_ptr<const ObjectDef> object = catalog()->object(ObjectKind::kType, type);
  return object == nullptr ? nullptr : static_cast<const UserType*>(object->compiled.get());
}
bool SessionImpl::row_fields(Oid type, std::vector<RowField>* out) { return CatalogTypes(*catalog(), search_path(), database_).row_fields(type, out); }
std::pair<std::string, std::string> SessionImpl::type_identity(Oid type) {
  return CatalogTypes(*catalog(), search_path(), database_).type_identity(type);
}
std::string SessionImpl::user_type_name(Oid type) { return CatalogTypes(*catalog(), search_path(), database_).user_type_name(type); }
Oid SessionImpl::find_user_type(std::string_view schema, std::string_view name) {
  if (schema == "pg_temp") {
    const Oid only[] = {temporary_schema_};
    return temporary_schema_ == 0 ? 0 : CatalogTypes(*catalog(), only, database_).find_user_type({}, name);
  }
  return CatalogTypes(*catalog(), search_path(), database_).find_user_type(schema, name);
}

std::optional<std::string> SessionImpl::collation_version(Oid collation) {
  if (const Collation* known = find_builtin_collation(collation)) return known->provider == 'i' ? icu_collation_version(known->locale) : std::string();
  const auto object = catalog()->object(ObjectKind::kCollation, collation);
  if (object == nullptr || object->compiled == nullptr) return std::nullopt;
  const auto& definition = *static_cast<const CollationDefinition*>(object->compiled.get());
  return definition.provider == 'i' ? icu_collation_version(definition.locale) : std::string();
}

// ---- Privileges ----

namespace {

bool known_privilege(PrivilegeClass kind, std::string_view privilege) {
  std::vector<std::string_view> words;
  switch (kind) {
    case PrivilegeClass::kTable: words = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "RULE"}; break;
    case PrivilegeClass::kColumn:
    case PrivilegeClass::kAnyColumn: words = {"SELECT", "INSERT", "UPDATE", "REFERENCES"}; break;
    case PrivilegeClass::kSequence: words = {"USAGE", "SELECT", "UPDATE"}; break;
    case PrivilegeClass::kDatabase: words = {"CREATE", "CONNECT", "TEMPORARY", "TEMP"}; break;
    case PrivilegeClass::kFunction: words = {"EXECUTE"}; break;
    case PrivilegeClass::kSchema: words = {"CREATE", "USAGE"}; break;
    case PrivilegeClass::kTablespace: words = {"CREATE"}; break;
    case PrivilegeClass::kRole: words = {"USAGE", "MEMBER"}; break;
    case PrivilegeClass::kParameter: words = {"SET", "ALTER SYSTEM"}; break;
    default: words = {"USAGE"};
  }
  return std::find(words.begin(), words.end(), privilege) != words.end();
}

}  // namespace

Result<std::optional<bool>> SessionImpl::has_privilege(Oid role, PrivilegeClass kind, Oid object, std::int16_t column, std::string_view privileges) {
  const std::shared_ptr<const Catalog> known = catalog();
  struct Wanted {
    std::string name;
    bool option = false;             // the right to grant it on
  };
  std::vector<Wanted> wanted;
  std::string_view rest = privileges;
  for (;;) {
    const std::size_t comma = rest.find(',');
    std::string word;
    for (const char c : rest.substr(0, comma)) word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    while (!word.empty() && word.front() == ' ') word.erase(0, 1);
    while (!word.empty() && word.back() == ' ') word.pop_back();
    std::string base = word;
    if (base.ends_with(" WITH GRANT OPTION")) base.resize(base.size() - 18);
    if (base.ends_with(" WITH ADMIN OPTION")) base.resize(base.size() - 18);
    if (!known_privilege(kind, base))
      return Status{sqlstate::invalid_parameter_value, "unrecognized privilege type: \"" + std::string(rest.substr(0, comma)) + "\""};
    wanted.push_back({base, base.size() != word.size()});
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (kind == PrivilegeClass::kRole) {
    const Oid member = role != 0 ? role : current_role_;
    if (known->object(ObjectKind::kRole, object) == nullptr && object != kPublicRole) return std::optional<bool>(false);
    return std::optional<bool>(std::any_of(wanted.begin(), wanted.end(), [&](const Wanted& one) {
      if (one.option) return is_admin_of(*known, database_, member, object);
      return one.name == "MEMBER" ? is_member_of(*known, database_, member, object) : has_privileges_of(*known, database_, member, object);
    }));
  }
  Privileges bits = 0;
  for (const Wanted& one : wanted) {
    const Privileges bit = privilege_by_name(one.name);
    bits |= one.option ? privilege::grant_option(bit) : bit;
  }
  const AccessScope scope{*known, database_, role != 0 ? role : current_role_, temporary_schema_};
  std::optional<Securable> of;
  switch (kind) {
    case PrivilegeClass::kTable:
    case PrivilegeClass::kColumn:
    case PrivilegeClass::kAnyColumn:
    case PrivilegeClass::kSequence: of = securable_relation(*known, object); break;
    case PrivilegeClass::kSchema: of = securable_schema(*known, object); break;
    case PrivilegeClass::kDatabase: of = securable_database(*known, object); break;
    case PrivilegeClass::kFunction: of = securable_function(*known, object); break;
    case PrivilegeClass::kType: of = securable_type(*known, object); break;
    case PrivilegeClass::kLanguage: of = securable_language(object); break;
    case PrivilegeClass::kTablespace: return std::optional<bool>(is_superuser_role(*known, scope.role));
    default: return std::optional<bool>();
  }
  if (!of || (kind == PrivilegeClass::kSequence && of->kind != AclKind::kSequence)) return std::optional<bool>();
  if (kind == PrivilegeClass::kColumn) {
    constexpr std::int16_t kFirstSystemColumn = -6;
    if (column == 0 || column < (of->relation_kind == 'v' ? 0 : kFirstSystemColumn) || column > static_cast<std::int32_t>(of->columns)) return std::optional<bool>();
    const auto table = known->table(object);
    if (column > 0 && table != nullptr && table->columns[static_cast<std::size_t>(column) - 1].dropped) return std::optional<bool>();
  }
  if (privileges_on(scope, *of, bits) != 0) return std::optional<bool>(true);
  if (kind == PrivilegeClass::kColumn) return std::optional<bool>(column_privileges(scope, *of, column, bits) != 0);
  for (std::size_t i = 1; kind == PrivilegeClass::kAnyColumn && i <= of->columns; ++i)
    if (column_privileges(scope, *of, static_cast<std::int16_t>(i), bits) != 0) return std::optional<bool>(true);
  return std::optional<bool>(false);
}

Result<std::int16_t> SessionImpl::resolve_column(Oid relation, std::string_view name) {
  if (const auto table = catalog()->table(relation)) {
    if (const int column = table->find_column(name); column >= 0) return static_cast<std::int16_t>(column + 1);
    constexpr std::string_view kSystemColumns[] = {"ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"};   // -1, -2, ...
    const auto system = std::find(std::begin(kSystemColumns), std::end(kSystemColumns), name);
    if (system != std::end(kSystemColumns)) return static_cast<std::int16_t>(-1 - (system - std::begin(kSystemColumns)));
  } else if (const auto view = catalog()->object(ObjectKind::kView, relation)) {
    const std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
    for (std::size_t i = 0; definition && i < definition->columns.size(); ++i)
      if (definition->columns[i].name == name) return static_cast<std::int16_t>(i + 1);
  } else if (const SystemRelation* system = find_system_relation(relation)) {
    for (std::size_t i = 0; i < system->columns.size(); ++i)
      if (system->columns[i].name == name) return static_cast<std::int16_t>(i + 1);
  }
  const auto facts = relation_facts(*catalog(), relation);
  for (std::size_t i = 0; facts && facts->index != nullptr && i < facts->index->parts.size(); ++i)
    if (facts->index->parts[i].name == name) return static_cast<std::int16_t>(i + 1);
  return undefined_column(name, facts ? facts->name : std::to_string(relation));
}

Result<Oid> SessionImpl::resolve_privilege_object(PrivilegeClass kind, std::string_view name) {
  const std::shared_ptr<const Catalog> known = catalog();
  const std::string text(name);
  switch (kind) {
    case PrivilegeClass::kTable:
    case PrivilegeClass::kColumn:
    case PrivilegeClass::kAnyColumn:
      return resolve(ObjectClass::kRelation, name, false);
    case PrivilegeClass::kSequence: {
      WANDIAN_ASSIGN(const Oid relation, resolve(ObjectClass::kRelation, name, false));
      if (known->sequence(relation) == nullptr) return Status{sqlstate::wrong_object_type, quoted(name) + " is not a sequence"};
      return relation;
    }
    case PrivilegeClass::kFunction: return resolve(ObjectClass::kFunctionSignature, name, false);
    case PrivilegeClass::kType: return resolve(ObjectClass::kType, name, false);
    case PrivilegeClass::kSchema: return resolve(ObjectClass::kNamespace, quote_identifier(name), false);
    case PrivilegeClass::kRole: return resolve(ObjectClass::kRole, quote_identifier(name), false);
    case PrivilegeClass::kDatabase: {
      const auto found = known->find_object(ObjectKind::kDatabase, 0, name);
      if (found != nullptr) return found->oid;
      return Status{sqlstate::invalid_catalog_name, "database " + quoted(name) + " does not exist"};
    }
    case PrivilegeClass::kLanguage:
      if (const Oid language = language_by_name(name)) return language;
      return Status{sqlstate::undefined_object, "language " + quoted(name) + " does not exist"};
    case PrivilegeClass::kTablespace:
      if (name == "pg_default") return Oid{1663};
      if (name == "pg_global") return Oid{1664};
      return Status{sqlstate::undefined_object, "tablespace " + quoted(name) + " does not exist"};
    case PrivilegeClass::kServer: return Status{sqlstate::undefined_object, "server " + quoted(name) + " does not exist"};
    case PrivilegeClass::kForeignDataWrapper:
      return Status{sqlstate::undefined_object, "foreign-data wrapper " + quoted(name) + " does not exist"};
    case PrivilegeClass::kParameter: return Status{sqlstate::undefined_object, "unrecognized configuration parameter " + quoted(name)};
  }
  return Oid{0};
}

}  // namespace wandian::sql
