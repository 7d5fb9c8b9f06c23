// Access control lists: who has which privileges on an object, who gave them, and who may give them on.
// Form:    as PostgreSQL's aclitem: grantee, grantor, privileges and, 16 bits higher, which of them may be granted on.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog.h"
#include "storage/base/status.h"

namespace wandian::sql {

/// Bits of a privilege; the same 16 bits higher: WITH GRANT OPTION.
using Privileges = std::uint32_t;
namespace privilege {
inline constexpr Privileges kInsert = 1, kSelect = 1 << 1, kUpdate = 1 << 2, kDelete = 1 << 3, kTruncate = 1 << 4, kReferences = 1 << 5,
                            kTrigger = 1 << 6, kExecute = 1 << 7, kUsage = 1 << 8, kCreate = 1 << 9, kTemporary = 1 << 10, kConnect = 1 << 11,
                            kSet = 1 << 12, kAlterSystem = 1 << 13;
inline constexpr unsigned kBits = 14, kGrantShift = 16;
inline constexpr Privileges kRights = 0xffff;
inline constexpr Privileges kGrantOptions = 0xffff0000u;
inline constexpr Privileges grant_option(Privileges rights) { return rights << kGrantShift; }
}  // namespace privilege

/// What an object is for its privileges; the letters are those of acldefault().
enum class AclKind : char {
  kColumn = 'c', kRelation = 'r', kSequence = 's', kDatabase = 'd', kFunction = 'f', kLanguage = 'l', kSchema = 'n', kTablespace = 't',
  kType = 'T', kForeignWrapper = 'F', kForeignServer = 'S', kLargeObject = 'L', kParameter = 'p',
  kCollation = 'C',                  ///< has an owner alone
};

inline constexpr Oid kPublic = 0;    ///< grantee: everybody

struct AclItem {
  Oid grantee = kPublic;
  Oid grantor = 0;
  Privileges bits = 0;               ///< privileges and grant options
  Privileges rights() const { return bits & privilege::kRights; }
  Privileges grant_options() const { return bits >> privilege::kGrantShift; }
  friend bool operator==(const AclItem&, const AclItem&) = default;
};
using Acl = std::vector<AclItem>;

/// Every privilege that an object of this kind knows.
Privileges all_privileges(AclKind kind);
/// What holds where nothing was granted or revoked yet.
Acl default_acl(AclKind kind, Oid owner);
/// SELECT and its like, in capitals. 0: there is no such privilege.
Privileges privilege_by_name(std::string_view name);
/// Of one bit.
std::string_view privilege_name(Privileges one);
/// "arw*": with the options to grant.
std::string privilege_letters(Privileges bits);
/// "grantee=arw/grantor", as aclitem shows it.
std::string acl_item_text(const Catalog& catalog, const AclItem& item);

/// From that text. 22P02, 42704.
Result<AclItem> parse_acl_item(const Catalog& catalog, std::string_view text);

/// The rights of `roles` (the one who asks first) among `mask`, which may hold grant options; an owner has these by himself.
Privileges acl_mask(const Acl& acl, const std::vector<Oid>& roles, Oid owner, Privileges mask);

enum class AclChange : std::uint8_t { kAdd, kRemove };
/// Grants or revokes `item`. `cascade`: what was granted on goes as well, otherwise 2BP01. 0LP01: options granted back to their grantor.
Result<Acl> change_acl(Acl acl, const AclItem& item, AclChange change, Oid owner, bool cascade);
/// Everything of the old owner is the new one's.
Acl with_new_owner(const Acl& acl, Oid old_owner, Oid new_owner);
/// Without what is granted to, or by, a role.
Acl without_role(Acl acl, Oid role, Oid owner);
bool mentions(const Acl& acl, Oid role);

/// ObjectKind::kAcl: the lists of an object; ObjectDef::oid is that object's, ObjectDef::parent its database (0: shared).
struct ObjectAcl {
  std::optional<Acl> acl;            ///< none: default_acl()
  std::map<std::int16_t, Acl> columns;
  bool empty() const { return !acl && columns.empty(); }
  std::string encode() const;
  static std::optional<ObjectAcl> decode(std::string_view bytes);
};
/// Null: nothing was granted or revoked.
const ObjectAcl* find_acl(const Catalog& catalog, Oid object);

/// ObjectKind::kDefaultAcl: what ALTER DEFAULT PRIVILEGES says of new objects; ObjectDef::owner is the role that makes them,
/// ObjectDef::parent the database.
struct DefaultAcl {
  Oid schema = 0;                    ///< 0: in any
  AclKind kind = AclKind::kRelation; ///< kRelation, kSequence, kFunction, kType or kSchema
  Acl acl;                           ///< all of it if schema is 0, otherwise what is added
  std::string encode() const;
  static std::optional<DefaultAcl> decode(std::string_view bytes);
};

}  // namespace wandian::sql
