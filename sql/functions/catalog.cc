// Functions that ask the catalog: names of objects, visibility, privileges, definitions, comments, sizes.
#include <algorithm>

#include "engine/array_value.h"
#include "engine/numeric.h"
#include "sql/access/acl.h"
#include "sql/catalog/stored_objects.h"
#include "sql/catalog/system_relation.h"
#include "sql/functions/bindings.h"
#include "sql/functions/session_hooks.h"
#include "sql/partition/hash.h"
#include "sql/types/number_text.h"
#include "sql/types/string_types.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

// pg_class's OIDs of the catalogs that comments belong to.
constexpr Oid kPgClass = 1259;

bool give_text(EvalContext& ctx, const std::optional<std::string>& text, Value* result) {
  return text ? return_text(ctx, result, *text) : return_null(result);
}
Oid oid(const Value& v) { return static_cast<Oid>(v.i); }

template <ObjectClass kind>
bool visible(EvalContext& ctx, const Value* args, Value* result) {
  return return_bool(result, ctx.session->visible(kind, oid(args[0])));
}
// Objects of kinds that users cannot create here are PostgreSQL's own, which every path finds.
bool always_visible(EvalContext&, const Value*, Value* result) { return return_bool(result, true); }

bool collation_actual_version(EvalContext& ctx, const Value* args, Value* result) {
  const std::optional<std::string> version = ctx.session->collation_version(oid(args[0]));
  if (!version) return ctx.fail({sqlstate::undefined_object, "collation with OID " + std::to_string(oid(args[0])) + " does not exist"});
  if (version->empty()) return return_null(result);
  *result = Value::of_bytes(ctx.arena.copy(*version));
  return true;
}

template <ObjectClass kind>
bool to_reg(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view name = args[0].bytes();
  if (!name.empty() && name[0] >= '0' && name[0] <= '9') {
    std::int64_t number;
    if (parse_oid(name, "oid", &number).ok()) return return_int(result, number);
  }
  Result<Oid> found = ctx.session->resolve(kind, name, true);
  if (!found.ok()) return ctx.fail(found.take_status());
  return found.value() == 0 ? return_null(result) : return_int(result, found.value());
}

// format_type(oid, typmod): either may be null.
bool type_name(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].is_null) return return_null(result);
  const std::int32_t typmod = args[1].is_null ? -1 : static_cast<std::int32_t>(args[1].i);
  if (find_type(oid(args[0])) == nullptr && ctx.session != nullptr)
    if (const auto name = ctx.session->type_name(oid(args[0]), typmod)) return return_text(ctx, result, *name);
  return return_text(ctx, result, args[1].is_null ? format_type(oid(args[0])) : format_type(oid(args[0]), typmod));
}

bool user_by_id(EvalContext& ctx, const Value* args, Value* result) {
  const auto name = ctx.session->object_name(ObjectClass::kRole, oid(args[0]));
  if (!name) return return_text(ctx, result, "unknown (OID=" + std::to_string(oid(args[0])) + ")");
  // The type regrole quotes; this function does not.
  std::string plain = *name;
  if (plain.size() >= 2 && plain.front() == '"') {
    std::string unquoted;
    for (std::size_t i = 1; i + 1 < plain.size(); ++i) {
      unquoted.push_back(plain[i]);
      if (plain[i] == '"') ++i;
    }
    plain = unquoted;
  }
  return return_text(ctx, result, plain);
}

// has_*_privilege([user,] object, privilege). Who asks: nobody named, by name, by OID.
enum class Who : std::uint8_t { kMe, kName, kOid };
bool find_role(EvalContext& ctx, Who who, const Value& v, Oid* role) {
  *role = 0;
  if (who == Who::kOid) *role = oid(v) == 0 ? kPublicRole : oid(v);
  if (who != Who::kName) return true;
  if (v.bytes() == "public") {
    *role = kPublicRole;
    return true;
  }
  Result<Oid> found = ctx.session->resolve(ObjectClass::kRole, v.bytes(), false);
  if (!found.ok()) return ctx.fail(found.take_status());
  *role = found.value();
  return true;
}
bool ask(EvalContext& ctx, Oid role, PrivilegeClass kind, Oid object, std::int16_t column, const Value& privilege, Value* result) {
  Result<std::optional<bool>> answer = ctx.session->has_privilege(role, kind, object, column, privilege.bytes());
  if (!answer.ok()) return ctx.fail(answer.take_status());
  const std::optional<bool> held = answer.value();
  return held ? return_bool(result, *held) : return_null(result);
}
template <PrivilegeClass kind, Who who, bool by_name>
bool has_privilege(EvalContext& ctx, const Value* args, Value* result) {
  Oid role;
  if (!find_role(ctx, who, args[0], &role)) return false;
  if (who != Who::kMe) ++args;
  Oid object = oid(args[0]);
  if (by_name) {
    Result<Oid> found = ctx.session->resolve_privilege_object(kind, args[0].bytes());
    if (!found.ok()) return ctx.fail(found.take_status());
    object = found.value();
  }
  return ask(ctx, role, kind, object, 0, args[1], result);
}
// has_column_privilege(..., column, privilege).
template <Who who, bool by_name, bool column_by_name = false>
bool has_column_privilege(EvalContext& ctx, const Value* args, Value* result) {
  Oid role;
  if (!find_role(ctx, who, args[0], &role)) return false;
  if (who != Who::kMe) ++args;
  Oid object = oid(args[0]);
  if (by_name) {
    Result<Oid> found = ctx.session->resolve_privilege_object(PrivilegeClass::kColumn, args[0].bytes());
    if (!found.ok()) return ctx.fail(found.take_status());
    object = found.value();
  }
  std::int16_t column = 0;
  if (column_by_name) {
    Result<std::int16_t> found = ctx.session->resolve_column(object, args[1].bytes());
    if (!found.ok()) return ctx.fail(found.take_status());
    column = found.value();
  } else {
    column = static_cast<std::int16_t>(args[1].i);
  }
  return ask(ctx, role, PrivilegeClass::kColumn, object, column, args[2], result);
}

// ---- Lists ----

Value acl_value(EvalContext& ctx, const Acl& acl) {
  std::vector<Value> items;
  for (const AclItem& item : acl) items.push_back(copy_text(ctx, acl_item_text(ctx.session->current_catalog(), item)));
  return build_array(kAclItem, items, ctx.arena);
}
bool default_acl_of(EvalContext& ctx, const Value* args, Value* result) {
  const char letter = static_cast<char>(args[0].i);
  constexpr std::string_view kLetters = "crsdflntTFSLp";
  if (kLetters.find(letter) == std::string_view::npos)
    return ctx.fail({sqlstate::internal_error, std::string("unrecognized objtype abbreviation: ") + letter});
  *result = acl_value(ctx, default_acl(static_cast<AclKind>(letter), oid(args[1])));
  return true;
}
// A row a privilege of an item: the position counts items and, below them, bits.
bool explode_acl(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const ArrayView items(args[0]);
  *done = false;
  for (; *position < std::uint64_t{items.count()} * privilege::kBits; ++*position) {
    const Value element = items.element(static_cast<std::uint32_t>(*position / privilege::kBits));
    if (element.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "ACL arrays must not contain null values"});
    Result<AclItem> item = parse_acl_item(ctx.session->current_catalog(), element.bytes());
    if (!item.ok()) return ctx.fail(item.take_status());
    const Privileges one = Privileges{1} << (*position % privilege::kBits);
    if ((item->rights() & one) == 0) continue;
    columns[0] = Value::of_int(item->grantor);
    columns[1] = Value::of_int(item->grantee);
    columns[2] = copy_text(ctx, privilege_name(one));
    columns[3] = Value::of_bool((item->grant_options() & one) != 0);
    ++*position;
    return true;
  }
  *done = true;
  return true;
}
bool make_acl_item(EvalContext& ctx, const Value* args, Value* result) {
  std::string word;
  for (const char c : args[2].bytes()) word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  AclItem item{oid(args[0]), oid(args[1]), privilege_by_name(word)};
  if (item.bits == 0) return ctx.fail({sqlstate::invalid_parameter_value, "unrecognized privilege type: \"" + std::string(args[2].bytes()) + "\""});
  if (args[3].as_bool()) item.bits |= privilege::grant_option(item.bits);
  return return_text(ctx, result, acl_item_text(ctx.session->current_catalog(), item));
}
bool acl_contains(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView items(args[0]);
  Result<AclItem> wanted = parse_acl_item(ctx.session->current_catalog(), args[1].bytes());
  if (!wanted.ok()) return ctx.fail(wanted.take_status());
  for (std::uint32_t i = 0; i < items.count(); ++i) {
    Result<AclItem> item = parse_acl_item(ctx.session->current_catalog(), items.element(i).bytes());
    if (!item.ok()) return ctx.fail(item.take_status());
    if (item->grantee == wanted->grantee && item->grantor == wanted->grantor && (item->bits & wanted->bits) == wanted->bits) return return_bool(result, true);
  }
  return return_bool(result, false);
}

template <bool pretty_argument>
bool expression(EvalContext& ctx, const Value* args, Value* result) {
  const bool pretty = pretty_argument && args[2].as_bool();
  return give_text(ctx, ctx.session->expression_text(args[0].bytes(), oid(args[1]), pretty), result);
}
template <std::optional<std::string> (SessionHooks::*get)(Oid, bool), bool pretty_argument>
bool definition(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, (ctx.session->*get)(oid(args[0]), pretty_argument && args[1].as_bool()), result);
}
bool index_definition(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->index_definition(oid(args[0]), 0, false), result);
}
bool index_column_definition(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->index_definition(oid(args[0]), static_cast<std::int32_t>(args[1].i), args[2].as_bool()),
                   result);
}
template <bool pretty_argument>
bool view_text(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->view_definition(oid(args[0]), pretty_argument && args[1].as_bool(), 0), result);
}
template <bool pretty_argument>
bool view_by_name(EvalContext& ctx, const Value* args, Value* result) {
  Result<Oid> found = ctx.session->resolve(ObjectClass::kRelation, args[0].bytes(), false);
  if (!found.ok()) return ctx.fail(found.take_status());
  return give_text(ctx, ctx.session->view_definition(found.value(), pretty_argument && args[1].as_bool(), 0), result);
}
bool view_wrapped(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->view_definition(oid(args[0]), true, static_cast<std::int32_t>(args[1].i)), result);
}
bool function_definition(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->function_definition(oid(args[0])), result);
}
// The end of the definition, from the line that begins a body without quotes on; null: the body is quoted.
bool function_sqlbody(EvalContext& ctx, const Value* args, Value* result) {
  std::optional<std::string> text = ctx.session->function_definition(oid(args[0]));
  if (!text) return give_text(ctx, text, result);
  const std::size_t body = std::min(text->find("\nRETURN "), text->find("\nBEGIN ATOMIC\n"));
  if (body == std::string::npos || text->find("\nAS ") < body) return give_text(ctx, std::nullopt, result);
  text->erase(0, body + 1);
  while (text->ends_with('\n')) text->pop_back();
  return give_text(ctx, text, result);
}
bool argument_default(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->argument_default(oid(args[0]), static_cast<std::int32_t>(args[1].i)), result);
}
// "name_oid", however long the name is: it is cut, not the number.
bool name_with_oid(EvalContext& ctx, const Value* args, Value* result) {
  const std::string suffix = "_" + std::to_string(oid(args[1]));
  const std::string name(fit_name(args[0].bytes(), 63 - suffix.size()));
  return return_text(ctx, result, name + suffix);
}
template <bool identity>
bool function_arguments(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->function_arguments(oid(args[0]), identity), result);
}
bool function_result(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->function_result(oid(args[0])), result);
}
bool partition_key(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->partition_key_definition(oid(args[0])), result);
}

bool partition_constraint(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->partition_constraint_definition(oid(args[0])), result);
}
bool partition_root(EvalContext& ctx, const Value* args, Value* result) {
  const std::vector<Oid> ancestors = ctx.session->partition_ancestors(oid(args[0]));
  return ancestors.empty() ? return_null(result) : return_int(result, ancestors.back());
}
bool partition_ancestors(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const std::vector<Oid> ancestors = ctx.session->partition_ancestors(oid(args[0]));
  *done = *position >= ancestors.size();
  if (!*done) columns[0] = Value::of_int(ancestors[(*position)++]);
  return true;
}
bool partition_tree(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const std::vector<SessionHooks::PartitionRelation> tree = ctx.session->partition_tree(oid(args[0]));
  *done = *position >= tree.size();
  if (*done) return true;
  const SessionHooks::PartitionRelation& at = tree[(*position)++];
  columns[0] = Value::of_int(at.relation);
  columns[1] = at.parent != 0 ? Value::of_int(at.parent) : Value::null();
  columns[2] = Value::of_bool(at.is_leaf);
  columns[3] = Value::of_int(at.level);
  return true;
}

// The hash functions of PostgreSQL's operator classes, by the types of their arguments.
bool extended_hash_of(EvalContext&, const Oid* types, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int64_t>(extended_hash(types[0], args[0], static_cast<std::uint64_t>(args[1].i))));
}

// satisfies_hash_partition(table, modulus, remainder, values...)
bool satisfies_hash_partition(EvalContext& ctx, const Oid* types, const Value* args, Value* result) {
  for (int i = 0; i < 3; ++i)
    if (args[i].is_null) return return_bool(result, false);
  const auto refuse = [&](std::string message) { return ctx.fail({sqlstate::invalid_parameter_value, std::move(message)}); };
  const std::int64_t modulus = args[1].i, remainder = args[2].i;
  if (modulus <= 0) return refuse("modulus for hash partition must be an integer value greater than zero");
  if (remainder < 0) return refuse("remainder for hash partition must be an integer value greater than or equal to zero");
  if (remainder >= modulus) return refuse("remainder for hash partition must be less than modulus");
  Result<std::vector<Oid>> key = ctx.session->hash_partition_key(oid(args[0]));
  if (!key.ok()) return ctx.fail(key.take_status());
  // The values come as a record, or as an array where the call says VARIADIC.
  std::vector<std::pair<Oid, Value>> values;
  if (types[3] == kRecord) {
    const RecordView record(args[3]);
    for (std::uint32_t i = 0; i < record.count(); ++i) values.emplace_back(record.type(i), record.field(i));
  } else if (!args[3].is_null) {
    const ArrayView array(args[3]);
    for (std::uint32_t i = 0; i < array.count(); ++i) values.emplace_back(array.element_type(), array.element(i));
  }
  const std::size_t count = values.size();
  if (count != key.value().size())
    return refuse("number of partitioning columns (" + std::to_string(key.value().size()) + ") does not match number of partition keys provided (" +
                  std::to_string(count) + ")");
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Oid wanted = key.value()[i], given = values[i].first;
    if (base_type(wanted) != base_type(given) && !(wanted == kVarchar && given == kText))
      return refuse("column " + std::to_string(i + 1) + " of the partition key has type " + format_type(wanted, -1) + ", but supplied value is of type " + format_type(given, -1));
    if (!values[i].second.is_null) hash = combine_hashes(hash, extended_hash(wanted, values[i].second, kPartitionSeed));
  }
  return return_bool(result, hash % static_cast<std::uint64_t>(modulus) == static_cast<std::uint64_t>(remainder));
}

Oid catalog_oid(EvalContext& ctx, std::string_view name) {
  Result<Oid> found = ctx.session->resolve(ObjectClass::kRelation, "pg_catalog." + std::string(name), true);
  return found.ok() ? found.value() : kInvalidOid;
}
bool description(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->description(oid(args[0]), catalog_oid(ctx, args[1].bytes()), 0, false), result);
}
bool description_anywhere(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->description(oid(args[0]), kInvalidOid, 0, false), result);
}
bool shared_description(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->description(oid(args[0]), catalog_oid(ctx, args[1].bytes()), 0, true), result);
}
bool column_description(EvalContext& ctx, const Value* args, Value* result) {
  return give_text(ctx, ctx.session->description(oid(args[0]), kPgClass, static_cast<std::int32_t>(args[1].i), false), result);
}
bool index_column_property(EvalContext& ctx, const Value* args, Value* result) {
  const auto held = ctx.session->index_column_property(oid(args[0]), static_cast<std::int32_t>(args[1].i), args[2].bytes());
  return held ? return_bool(result, *held) : return_null(result);
}

template <SizeKind kind>
bool size(EvalContext& ctx, const Value* args, Value* result) {
  const auto bytes = ctx.session->size(kind, oid(args[0]));
  return bytes ? return_int(result, *bytes) : return_null(result);
}
bool database_size(EvalContext& ctx, const Value* args, Value* result) {
  Result<Oid> found = ctx.session->resolve_privilege_object(PrivilegeClass::kDatabase, args[0].bytes());
  if (!found.ok()) return ctx.fail(found.take_status());
  const auto bytes = ctx.session->size(SizeKind::kDatabase, found.value());
  return bytes ? return_int(result, *bytes) : return_null(result);
}
bool tablespace_size(EvalContext& ctx, const Value* args, Value* result) {
  Result<Oid> found = ctx.session->resolve_privilege_object(PrivilegeClass::kTablespace, args[0].bytes());
  if (!found.ok()) return ctx.fail(found.take_status());
  const auto bytes = ctx.session->size(SizeKind::kTablespace, found.value());
  return bytes ? return_int(result, *bytes) : return_null(result);
}

// Bytes with the unit that leaves fewer than 10240 of them, rounded half away from zero.
bool size_pretty(EvalContext& ctx, const Value* args, Value* result) {
  constexpr const char* kUnits[] = {" bytes", " kB", " MB", " GB", " TB", " PB"};
  Int128 v = args[0].i;
  std::size_t unit = 0;
  // One extra bit is kept below the unit, to round by.
  bool halves = false;
  const auto magnitude = [](Int128 x) { return x < 0 ? -x : x; };
  while (magnitude(v) >= (unit == 0 ? 10240 : 20480 - 1) && unit + 1 < 6) {
    v /= unit == 0 ? 512 : 1024;
    halves = true;
    ++unit;
  }
  if (halves) v = (v + (v < 0 ? -1 : 1)) / 2;
  return return_text(ctx, result, std::to_string(static_cast<std::int64_t>(v)) + kUnits[unit]);
}
// '1.5 GB': a number and a unit, in any case.
bool size_bytes(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view text = args[0].bytes();
  std::string_view rest = trim_blanks(text);
  const auto invalid = [&] { return Status{sqlstate::invalid_parameter_value, "invalid size: \"" + std::string(text) + "\""}; };
  const auto digits = [&](std::size_t from) {
    while (from < rest.size() && rest[from] >= '0' && rest[from] <= '9') ++from;
    return from;
  };
  const std::size_t begin = !rest.empty() && (rest[0] == '-' || rest[0] == '+') ? 1 : 0;
  std::size_t end = digits(begin);
  bool any = end > begin;
  if (end < rest.size() && rest[end] == '.') {
    const std::size_t after = digits(end + 1);
    any = any || after > end + 1;
    end = after;
  }
  if (!any) return ctx.fail(invalid());
  if (end < rest.size() && (rest[end] | 0x20) == 'e') {
    const std::size_t sign = end + 1 < rest.size() && (rest[end + 1] == '-' || rest[end + 1] == '+') ? 1 : 0;
    if (const std::size_t after = digits(end + 1 + sign); after > end + 1 + sign) end = after;
  }
  Numeric number;
  if (!check(ctx, parse_numeric(rest.substr(0, end), &number))) return false;
  const std::string_view unit = trim_blanks(rest.substr(end));
  constexpr std::string_view kUnits[] = {"bytes", "kb", "mb", "gb", "tb", "pb"};
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  const auto found = std::find_if(std::begin(kUnits), std::end(kUnits), [&](std::string_view known) {
    return known.size() == unit.size() && std::equal(unit.begin(), unit.end(), known.begin(), same);
  });
  if (!unit.empty() && found == std::end(kUnits))
    return ctx.fail(invalid()
                        .with_detail("Invalid size unit: \"" + std::string(unit) + "\".")
                        .with_hint("Valid units are \"bytes\", \"kB\", \"MB\", \"GB\", \"TB\", and \"PB\"."));
  const auto power = unit.empty() ? 0 : found - std::begin(kUnits);
  Value stored;
  std::int64_t bytes;
  return check(ctx, store_numeric(multiply(number, Numeric::of_int(std::int64_t{1} << (10 * power))), ctx.arena, &stored)) &&
         check(ctx, numeric_to_int(stored, INT64_MIN, INT64_MAX, "bigint", &bytes)) && return_int(result, bytes);
}

bool vector_types(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView types(args[0]);
  std::string out;
  for (std::uint32_t i = 0; i < types.count(); ++i) out += (i > 0 ? ", " : "") + format_type(static_cast<Oid>(types.element(i).i));
  return return_text(ctx, result, out);
}

// {"a=1","b"} of a catalog, as names and values.
bool option_rows(EvalContext&, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  const ArrayView options(args[0]);
  *done = *position >= options.count();
  if (*done) return true;
  const std::string_view option = options.element(static_cast<std::uint32_t>((*position)++)).bytes();
  const std::size_t equals = option.find('=');
  columns[0] = Value::of_bytes(option.substr(0, equals));
  columns[1] = equals == std::string_view::npos ? Value::null() : Value::of_bytes(option.substr(equals + 1));
  return true;
}

// As size_pretty() does it, for numbers of any size; bytes keep their fraction.
bool size_pretty_numeric(EvalContext& ctx, const Value* args, Value* result) {
  constexpr const char* kUnits[] = {" bytes", " kB", " MB", " GB", " TB", " PB"};
  constexpr std::size_t kLast = std::size(kUnits) - 1;
  Numeric v = load_numeric(args[0]);
  std::size_t unit = 0;
  const auto shrink = [&](std::int64_t by) { return integer_divide(v, Numeric::of_int(by), &v); };
  while (unit < kLast && compare_numeric(absolute(v), Numeric::of_int(unit == 0 ? 10240 : 20480 - 1)) >= 0) {
    if (!check(ctx, shrink(unit == 0 ? 512 : 1024))) return false;
    ++unit;
  }
  if (unit != 0) {
    v = add(v, Numeric::of_int(v.sign() < 0 ? -1 : 1));
    if (!check(ctx, shrink(2))) return false;
  }
  return return_text(ctx, result, numeric_to_string(v) + kUnits[unit]);
}

// What PostgreSQL's form of a value of this size takes: a header of four bytes before what has no fixed length.
bool column_size(EvalContext&, const Oid* types, const Value* args, Value* result) {
  const TypeInfo* type = find_type(types[0]);
  if (type != nullptr && type->length > 0) return return_int(result, type->length);
  if (types[0] == type_oid::kNumeric) return return_int(result, static_cast<std::int64_t>(numeric_datum_size(args[0])));
  if (types[0] == type_oid::kUnknown) return return_int(result, static_cast<std::int64_t>(args[0].size) + 1);   // a C string
  return return_int(result, static_cast<std::int64_t>(args[0].size) + 4);
}
bool find_identity(EvalContext& ctx, const Value* args, ObjectIdentity* out) {
  Result<ObjectIdentity> found = ctx.session->identify(oid(args[0]), oid(args[1]), static_cast<std::int32_t>(args[2].i));
  if (!found.ok()) return ctx.fail(found.take_status());
  *out = found.take();
  return true;
}
bool describe_object(EvalContext& ctx, const Value* args, Value* result) {
  if (oid(args[0]) == 0 && oid(args[1]) == 0) return return_null(result);
  ObjectIdentity found;
  if (!find_identity(ctx, args, &found)) return false;
  return found.found ? return_text(ctx, result, found.description) : return_null(result);
}
Value text_or_null(EvalContext& ctx, const std::optional<std::string>& text) {
  return text ? Value::of_bytes(ctx.arena.copy(*text)) : Value::null();
}
bool identify_object(EvalContext& ctx, const Value* args, Value* result) {
  ObjectIdentity found;
  if (!find_identity(ctx, args, &found)) return false;
  static constexpr Oid kFields[] = {kText, kText, kText, kText};
  const Value fields[] = {text_or_null(ctx, found.type), text_or_null(ctx, found.schema), text_or_null(ctx, found.name),
                          text_or_null(ctx, found.found ? std::optional(found.identity) : std::nullopt)};
  *result = build_record(kFields, fields, ctx.arena);
  return true;
}
Value text_array(EvalContext& ctx, const std::vector<std::string>& items) {
  std::vector<Value> values;
  for (const std::string& item : items) values.push_back(Value::of_bytes(ctx.arena.copy(item)));
  const ArrayDimension one[] = {{static_cast<std::int32_t>(values.size()), 1}};
  return build_array(kText, values.empty() ? std::span<const ArrayDimension>() : one, values, ctx.arena);
}
bool identify_object_as_address(EvalContext& ctx, const Value* args, Value* result) {
  ObjectIdentity found;
  if (!find_identity(ctx, args, &found)) return false;
  static constexpr Oid kTextArray = 1009;
  static constexpr Oid kFields[] = {kText, kTextArray, kTextArray};
  const Value fields[] = {text_or_null(ctx, found.type), found.found ? text_array(ctx, found.names) : Value::null(),
                          found.found ? text_array(ctx, found.args) : Value::null()};
  *result = build_record(kFields, fields, ctx.arena);
  return true;
}
bool empty_text(EvalContext& ctx, const Value*, Value* result) { return return_text(ctx, result, ""); }
bool nothing(EvalContext&, const Value*, Value* result) { return return_null(result); }
bool zero(EvalContext&, const Value*, Value* result) { return return_int(result, 0); }
bool no(EvalContext&, const Value*, Value* result) { return return_bool(result, false); }
// Insert, update and delete: bits 2, 3 and 4 (as CmdType numbers them), which every table allows.
bool updatable_events(EvalContext& ctx, const Value* args, Value* result) {
  bool deletable = false;
  const std::optional<std::vector<bool>> columns = ctx.session->updatable_columns(oid(args[0]), &deletable);
  const SystemRelation* system = find_system_relation(oid(args[0]));
  if (system != nullptr && system->kind == 'v') return return_int(result, 0);
  if (!columns) return return_int(result, 28);
  const bool any = std::find(columns->begin(), columns->end(), true) != columns->end();
  std::int64_t events = any ? 28 : deletable ? 16 : 0;
  const auto view = args[1].as_bool() ? ctx.session->current_catalog().object(ObjectKind::kView, oid(args[0])) : nullptr;
  if (const auto table = view != nullptr ? view_table(*view) : nullptr)
    for (const TriggerDef& trigger : table->triggers) {
      if ((trigger.events & TriggerDef::kInstead) == 0) continue;
      if ((trigger.events & TriggerDef::kUpdate) != 0) events |= 4;
      if ((trigger.events & TriggerDef::kInsert) != 0) events |= 8;
      if ((trigger.events & TriggerDef::kDelete) != 0) events |= 16;
    }
  return return_int(result, events);
}
bool column_updatable(EvalContext& ctx, const Value* args, Value* result) {
  bool deletable = false;
  const std::optional<std::vector<bool>> columns = ctx.session->updatable_columns(oid(args[0]), &deletable);
  const std::int64_t number = args[1].i;
  if (!columns) return return_bool(result, number > 0);
  return return_bool(result, number > 0 && static_cast<std::size_t>(number) <= columns->size() && (*columns)[static_cast<std::size_t>(number - 1)]);
}
// What a publication could hold: tables that users made and that stay.
bool publishable(EvalContext& ctx, const Value* args, Value* result) {
  if (!ctx.session->object_name(ObjectClass::kRelation, oid(args[0]))) return return_null(result);
  const auto table = ctx.session->current_catalog().table(oid(args[0]));
  return return_bool(result, table != nullptr && !table->temporary && !table->internal && !table->is_materialized_view());
}

#define PRIVILEGE(name, kind)                                                       \
  {"has_" name "_privilege_name_name", has_privilege<kind, Who::kName, true>},      \
      {"has_" name "_privilege_name_id", has_privilege<kind, Who::kName, false>},   \
      {"has_" name "_privilege_id_name", has_privilege<kind, Who::kOid, true>},     \
      {"has_" name "_privilege_id_id", has_privilege<kind, Who::kOid, false>},      \
      {"has_" name "_privilege_name", has_privilege<kind, Who::kMe, true>},         \
      {"has_" name "_privilege_id", has_privilege<kind, Who::kMe, false>}

constexpr FunctionBinding kBindings[] = {
    {"pg_table_is_visible", visible<ObjectClass::kRelation>}, {"pg_type_is_visible", visible<ObjectClass::kType>},
    {"pg_function_is_visible", visible<ObjectClass::kFunction>},
    {"pg_operator_is_visible", visible<ObjectClass::kOperator>},
    {"pg_opclass_is_visible", always_visible}, {"pg_opfamily_is_visible", always_visible},
    {"pg_collation_actual_version", collation_actual_version}, {"pg_collation_is_visible", visible<ObjectClass::kCollation>}, {"pg_conversion_is_visible", always_visible},
    {"pg_statistics_obj_is_visible", always_visible}, {"pg_ts_config_is_visible", always_visible},
    {"pg_ts_dict_is_visible", always_visible}, {"pg_ts_parser_is_visible", always_visible},
    {"pg_ts_template_is_visible", always_visible},
    {"to_regclass", to_reg<ObjectClass::kRelation>}, {"to_regtype", to_reg<ObjectClass::kType>},
    {"to_regproc", to_reg<ObjectClass::kFunction>}, {"to_regprocedure", to_reg<ObjectClass::kFunctionSignature>},
    {"to_regoper", to_reg<ObjectClass::kOperator>}, {"to_regnamespace", to_reg<ObjectClass::kNamespace>},
    {"to_regrole", to_reg<ObjectClass::kRole>}, {"to_regoperator", to_reg<ObjectClass::kOperatorSignature>},
    {"to_regcollation", to_reg<ObjectClass::kCollation>},
    {"format_type", type_name}, {"nameconcatoid", name_with_oid}, {"pg_get_userbyid", user_by_id},
    PRIVILEGE("table", PrivilegeClass::kTable), PRIVILEGE("sequence", PrivilegeClass::kSequence),
    PRIVILEGE("any_column", PrivilegeClass::kAnyColumn), PRIVILEGE("database", PrivilegeClass::kDatabase),
    PRIVILEGE("function", PrivilegeClass::kFunction), PRIVILEGE("schema", PrivilegeClass::kSchema),
    PRIVILEGE("language", PrivilegeClass::kLanguage), PRIVILEGE("type", PrivilegeClass::kType),
    PRIVILEGE("tablespace", PrivilegeClass::kTablespace), PRIVILEGE("server", PrivilegeClass::kServer),
    PRIVILEGE("foreign_data_wrapper", PrivilegeClass::kForeignDataWrapper),
    {"has_column_privilege_name_name_attnum", has_column_privilege<Who::kName, true>},
    {"has_column_privilege_name_id_attnum", has_column_privilege<Who::kName, false>},
    {"has_column_privilege_id_name_attnum", has_column_privilege<Who::kOid, true>},
    {"has_column_privilege_id_id_attnum", has_column_privilege<Who::kOid, false>},
    {"has_column_privilege_name_attnum", has_column_privilege<Who::kMe, true>},
    {"has_column_privilege_id_attnum", has_column_privilege<Who::kMe, false>},
    {"has_column_privilege_name_name_name", has_column_privilege<Who::kName, true, true>},
    {"has_column_privilege_name_id_name", has_column_privilege<Who::kName, false, true>},
    {"has_column_privilege_id_name_name", has_column_privilege<Who::kOid, true, true>},
    {"has_column_privilege_id_id_name", has_column_privilege<Who::kOid, false, true>},
    {"has_column_privilege_name_name", has_column_privilege<Who::kMe, true, true>},
    {"has_column_privilege_id_name", has_column_privilege<Who::kMe, false, true>},
    {"acldefault_sql", default_acl_of}, {"aclexplode", nullptr, nullptr, explode_acl}, {"makeaclitem", make_acl_item},
    {"aclcontains", acl_contains},
    {"pg_has_role_name_name", has_privilege<PrivilegeClass::kRole, Who::kName, true>},
    {"pg_has_role_name_id", has_privilege<PrivilegeClass::kRole, Who::kName, false>},
    {"pg_has_role_id_name", has_privilege<PrivilegeClass::kRole, Who::kOid, true>},
    {"pg_has_role_id_id", has_privilege<PrivilegeClass::kRole, Who::kOid, false>},
    {"pg_has_role_name", has_privilege<PrivilegeClass::kRole, Who::kMe, true>},
    {"pg_has_role_id", has_privilege<PrivilegeClass::kRole, Who::kMe, false>},
    {"pg_get_expr", expression<false>}, {"pg_get_expr_ext", expression<true>},
    {"pg_get_constraintdef", definition<&SessionHooks::constraint_definition, false>},
    {"pg_get_constraintdef_ext", definition<&SessionHooks::constraint_definition, true>},
    {"pg_get_indexdef", index_definition}, {"pg_get_indexdef_ext", index_column_definition},
    {"pg_get_viewdef", view_text<false>},
    {"pg_get_viewdef_ext", view_text<true>},
    {"pg_get_viewdef_wrap", view_wrapped}, {"pg_get_viewdef_name", view_by_name<false>},
    {"pg_get_viewdef_name_ext", view_by_name<true>},
    {"pg_get_triggerdef", definition<&SessionHooks::trigger_definition, false>},
    {"pg_get_triggerdef_ext", definition<&SessionHooks::trigger_definition, true>},
    {"pg_get_ruledef", definition<&SessionHooks::rule_definition, false>},
    {"pg_get_ruledef_ext", definition<&SessionHooks::rule_definition, true>},
    {"pg_get_functiondef", function_definition}, {"pg_get_function_arguments", function_arguments<false>},
    {"pg_get_function_identity_arguments", function_arguments<true>}, {"pg_get_function_result", function_result},
    {"pg_get_function_sqlbody", function_sqlbody}, {"pg_get_function_arg_default", argument_default},
    {"pg_get_partkeydef", partition_key}, {"pg_get_partition_constraintdef", partition_constraint},
    {"pg_get_statisticsobjdef", nothing}, {"pg_get_statisticsobjdef_columns", nothing},
    {"obj_description(oid,name)", description}, {"obj_description(oid)", description_anywhere},
    {"shobj_description(oid,name)", shared_description}, {"col_description(oid,int4)", column_description},
    {"pg_describe_object", describe_object}, {"pg_identify_object", identify_object}, {"pg_identify_object_as_address", identify_object_as_address},
    {"pg_index_column_has_property", index_column_property},
    {"pg_relation_size(regclass)", size<SizeKind::kRelation>}, {"pg_relation_size", size<SizeKind::kRelation>},
    {"pg_table_size", size<SizeKind::kTable>}, {"pg_indexes_size", size<SizeKind::kIndexes>},
    {"pg_total_relation_size", size<SizeKind::kTotalRelation>}, {"pg_database_size_oid", size<SizeKind::kDatabase>},
    {"pg_database_size_name", database_size}, {"pg_tablespace_size_oid", size<SizeKind::kTablespace>},
    {"pg_tablespace_size_name", tablespace_size}, {"pg_size_pretty", size_pretty},
    {"pg_size_bytes", size_bytes}, {"oidvectortypes", vector_types}, {"pg_options_to_table", nullptr, nullptr, option_rows},
    {"pg_size_pretty_numeric", size_pretty_numeric},
    {"pg_column_size", nullptr, column_size}, {"pg_tablespace_location", empty_text},
    {"pg_relation_filenode", nothing}, {"pg_relation_filepath", nothing}, {"pg_relation_is_publishable", publishable},
    {"pg_relation_is_updatable", updatable_events}, {"pg_column_is_updatable", column_updatable}, {"pg_partition_root", partition_root},
    {"pg_partition_ancestors", nullptr, nullptr, partition_ancestors}, {"pg_partition_tree", nullptr, nullptr, partition_tree},
    {"satisfies_hash_partition", nullptr, satisfies_hash_partition},
    {"hashint2extended", nullptr, extended_hash_of}, {"hashint4extended", nullptr, extended_hash_of}, {"hashint8extended", nullptr, extended_hash_of},
    {"hashfloat4extended", nullptr, extended_hash_of}, {"hashfloat8extended", nullptr, extended_hash_of}, {"hash_numeric_extended", nullptr, extended_hash_of},
    {"hashtextextended", nullptr, extended_hash_of}, {"hashbpcharextended", nullptr, extended_hash_of}, {"hashnameextended", nullptr, extended_hash_of},
    {"hashcharextended", nullptr, extended_hash_of}, {"hashoidextended", nullptr, extended_hash_of}, {"uuid_hash_extended", nullptr, extended_hash_of},
    {"timestamp_hash_extended", nullptr, extended_hash_of}, {"time_hash_extended", nullptr, extended_hash_of}, {"interval_hash_extended", nullptr, extended_hash_of},
    {"hash_array_extended", nullptr, extended_hash_of}, {"hashmacaddrextended", nullptr, extended_hash_of},
    {"row_security_active", no}, {"row_security_active_name", no},
    {"pg_stat_get_live_tuples", zero}, {"pg_stat_get_numscans", zero}, {"pg_stat_get_tuples_inserted", zero},
};
#undef PRIVILEGE

}  // namespace

std::span<const FunctionBinding> catalog_bindings() { return kBindings; }

}  // namespace wandian::sql
