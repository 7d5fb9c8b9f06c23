// What definitions of types share.
// Thread:  the session's shard.
#pragma once

#include <string>
#include <vector>

#include "sql/ddl/context.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

/// Where CREATE TYPE or CREATE DOMAIN puts its type.
struct NewType {
  Oid schema = 0;
  std::string name;
};

/// The parts of a possibly qualified name.
std::vector<std::string> name_list(PgQuery__Node* const* names, std::size_t count);
/// "a.b"
std::string name_text(const std::vector<std::string>& parts);

/// Locks the name; 42710 if a type has it, a relation's row type included.
Task<Status> place_new_type(DdlContext& ctx, const std::vector<std::string>& names, NewType* out);
std::shared_ptr<ObjectDef> type_object(DdlContext& ctx, const NewType& where, const UserType& type);

/// A type by name: 42704.
Result<Oid> find_type_oid(DdlContext& ctx, const std::vector<std::string>& names);
/// The same, locked against other definitions, as it is then; types that are not of users are 42501.
Task<Result<std::shared_ptr<const ObjectDef>>> lock_type(DdlContext& ctx, const std::vector<std::string>& names);
Task<Status> lock_type_oid(DdlContext& ctx, Oid type, TableLock mode);
inline const UserType& definition_of(const ObjectDef& type) { return *static_cast<const UserType*>(type.compiled.get()); }
/// Puts a changed definition in place of the old one.
Status change_type(DdlContext& ctx, const ObjectDef& old, const UserType& type);

/// Whether a value of `type` holds one of `other`: in arrays, domains, fields.
bool type_contains(DdlContext& ctx, Oid type, Oid other);
/// 0A000 if another table holds rows of this one's row type, whose form would change.
Status refuse_row_type_used(DdlContext& ctx, const TableDef& table);

/// Whether a type has this name, so that no relation can have it.
bool type_name_taken(DdlContext& ctx, Oid schema, std::string_view name);
/// 42710 for CREATE TABLE and its like.
Status refuse_type_name(DdlContext& ctx, Oid schema, std::string_view name);

}  // namespace wandian::sql
