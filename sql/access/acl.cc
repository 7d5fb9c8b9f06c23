#include "sql/access/acl.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "sql/access/roles.h"
#include "sql/catalog_objects.h"

namespace wandian::sql {

namespace {

struct PrivilegeWord {
  Privileges bit;
  char letter;
  std::string_view name;
};
constexpr std::array<PrivilegeWord, privilege::kBits> kWords{{
    {privilege::kInsert, 'a', "INSERT"},
    {privilege::kSelect, 'r', "SELECT"},
    {privilege::kUpdate, 'w', "UPDATE"},
    {privilege::kDelete, 'd', "DELETE"},
    {privilege::kTruncate, 'D', "TRUNCATE"},
    {privilege::kReferences, 'x', "REFERENCES"},
    {privilege::kTrigger, 't', "TRIGGER"},
    {privilege::kExecute, 'X', "EXECUTE"},
    {privilege::kUsage, 'U', "USAGE"},
    {privilege::kCreate, 'C', "CREATE"},
    {privilege::kTemporary, 'T', "TEMPORARY"},
    {privilege::kConnect, 'c', "CONNECT"},
    {privilege::kSet, 's', "SET"},
    {privilege::kAlterSystem, 'A', "ALTER SYSTEM"},
}};

std::string quoted_role(const Catalog& catalog, Oid role) {
  const std::shared_ptr<const ObjectDef> object = catalog.object(ObjectKind::kRole, role);
  const std::string name = object != nullptr ? object->name : std::to_string(role);
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
  });
  if (plain && !name.empty()) return name;
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

AclItem* find_item(Acl& acl, Oid grantee, Oid grantor) {
  for (AclItem& item : acl)
    if (item.grantee == grantee && item.grantor == grantor) return &item;
  return nullptr;
}

Privileges all_options_of(const Acl& acl, Oid role) {
  Privileges out = 0;
  for (const AclItem& item : acl)
    if (item.grantee == role) out |= item.grant_options();
  return out;
}

// What was granted on by somebody who no longer may.
Status revoke_dependents(Acl& acl, Oid grantee, Privileges lost, Oid owner, bool cascade) {
  if (grantee == owner) return {};
  lost &= ~all_options_of(acl, grantee);   // others gave them, too
  if (lost == 0) return {};
  for (bool again = true; again;) {
    again = false;
    for (const AclItem& item : Acl(acl)) {
      if (item.grantor != grantee || (item.rights() & lost) == 0) continue;
      if (!cascade)
        return Status{sqlstate::dependent_objects_still_exist, "dependent privileges exist"}.with_hint("Use CASCADE to revoke them too.");
      const Privileges rights = item.rights() & lost;
      WANDIAN_ASSIGN(acl, change_acl(acl, {item.grantee, grantee, rights | privilege::grant_option(rights)}, AclChange::kRemove, owner, cascade));
      again = true;
      break;
    }
  }
  return {};
}

// Options must lead back to the owner: whoever is given them must not be the one they come from.
Status refuse_cycle(const Acl& before, const AclItem& item, Oid owner) {
  if (item.grantor == owner) return {};
  // Without what the grantee has granted, does the grantor still have the options?
  Acl acl = before;
  for (bool again = true; again;) {
    again = false;
    for (const AclItem& one : Acl(acl)) {
      if (one.grantee != item.grantee || one.grant_options() == 0) continue;
      WANDIAN_ASSIGN(acl, change_acl(acl, {one.grantee, one.grantor, privilege::grant_option(one.grant_options())}, AclChange::kRemove, owner, true));
      again = true;
      break;
    }
  }
  const Privileges own = all_options_of(acl, item.grantor);
  if ((item.grant_options() & ~own) != 0)
    return Status{sqlstate::invalid_grant_operation, "grant options cannot be granted back to your own grantor"};
  return {};
}

std::string encode_items(const Acl& acl) {
  std::string out;
  for (const AclItem& item : acl)
    out += std::to_string(item.grantee) + "," + std::to_string(item.grantor) + "," + std::to_string(item.bits) + ";";
  return out;
}

std::optional<Acl> decode_items(std::string_view text) {
  Acl out;
  while (!text.empty()) {
    AclItem item;
    std::uint32_t* const fields[] = {&item.grantee, &item.grantor, &item.bits};
    for (std::size_t i = 0; i < 3; ++i) {
      const std::size_t end = text.find(i == 2 ? ';' : ',');
      if (end == std::string_view::npos) return std::nullopt;
      const auto parsed = std::from_chars(text.data(), text.data() + end, *fields[i]);
      if (parsed.ec != std::errc{} || parsed.ptr != text.data() + end) return std::nullopt;
      text.remove_prefix(end + 1);
    }
    out.push_back(item);
  }
  return out;
}

}  // namespace

Privileges all_privileges(AclKind kind) {
  using namespace privilege;
  switch (kind) {
    case AclKind::kColumn: return kInsert | kSelect | kUpdate | kReferences;
    case AclKind::kRelation: return kInsert | kSelect | kUpdate | kDelete | kTruncate | kReferences | kTrigger;
    case AclKind::kSequence: return kUsage | kSelect | kUpdate;
    case AclKind::kDatabase: return kCreate | kTemporary | kConnect;
    case AclKind::kFunction: return kExecute;
    case AclKind::kSchema: return kUsage | kCreate;
    case AclKind::kTablespace: return kCreate;
    case AclKind::kLargeObject: return kSelect | kUpdate;
    case AclKind::kParameter: return kSet | kAlterSystem;
    default: return kUsage;
  }
}

Acl default_acl(AclKind kind, Oid owner) {
  using namespace privilege;
  Privileges everybody = 0;
  if (kind == AclKind::kDatabase) everybody = kTemporary | kConnect;
  if (kind == AclKind::kFunction) everybody = kExecute;
  if (kind == AclKind::kLanguage || kind == AclKind::kType) everybody = kUsage;
  if (kind == AclKind::kColumn) return {};
  Acl out;
  if (everybody != 0) out.push_back({kPublic, owner, everybody});
  if (owner != 0) out.push_back({owner, owner, all_privileges(kind)});
  return out;
}

Privileges privilege_by_name(std::string_view name) {
  if (name == "TEMP") return privilege::kTemporary;
  for (const PrivilegeWord& word : kWords)
    if (word.name == name) return word.bit;
  return 0;
}

std::string_view privilege_name(Privileges one) {
  for (const PrivilegeWord& word : kWords)
    if (word.bit == one) return word.name;
  return {};
}

std::string privilege_letters(Privileges bits) {
  std::string out;
  for (const PrivilegeWord& word : kWords) {
    if ((bits & word.bit) != 0) out += word.letter;
    if ((bits & privilege::grant_option(word.bit)) != 0) out += '*';
  }
  return out;
}

std::string acl_item_text(const Catalog& catalog, const AclItem& item) {
  return (item.grantee == kPublic ? std::string() : quoted_role(catalog, item.grantee)) + "=" + privilege_letters(item.bits) + "/" +
         quoted_role(catalog, item.grantor);
}

namespace {

// A role's name, in quotes where it needs them, off the front of the text.
Result<std::string> take_role(std::string_view* text) {
  std::string out;
  bool quoted_part = false;
  while (!text->empty()) {
    const char c = text->front();
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
    if (c == '"') {
      text->remove_prefix(1);
      if (quoted_part && text->starts_with('"')) {
        out += '"';
        text->remove_prefix(1);
      } else {
        quoted_part = !quoted_part;
      }
      continue;
    }
    if (!plain && !quoted_part) break;
    out += c;
    text->remove_prefix(1);
    if (out.size() > 63) return Status{sqlstate::invalid_name, "identifier too long"}.with_detail("Identifier must be less than 64 characters.");
  }
  return out;
}

}  // namespace

Result<AclItem> parse_acl_item(const Catalog& catalog, std::string_view text) {
  const auto invalid = [](std::string message) { return Status{sqlstate::invalid_text_representation, std::move(message)}; };
  const auto skip_space = [&] {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  };
  const auto role_of = [&](const std::string& name, Oid* out) -> Status {
    const auto role = catalog.find_object(ObjectKind::kRole, 0, name);
    if (role == nullptr) return Status{sqlstate::undefined_object, "role \"" + name + "\" does not exist"};
    *out = role->oid;
    return {};
  };
  skip_space();
  AclItem out;
  WANDIAN_ASSIGN(std::string name, take_role(&text));
  if (!text.starts_with('=') && (name == "group" || name == "user")) {
    skip_space();
    WANDIAN_ASSIGN(name, take_role(&text));
    if (name.empty()) return invalid("missing name").with_hint("A name must follow the \"group\" or \"user\" key word.");
  } else if (!text.starts_with('=')) {
    skip_space();
  }
  if (!text.starts_with('=')) return invalid("missing \"=\" sign");
  text.remove_prefix(1);
  Privileges last = 0;
  while (!text.empty() && (text.front() == '*' || (text.front() >= 'a' && text.front() <= 'z') || (text.front() >= 'A' && text.front() <= 'Z'))) {
    if (text.front() == '*') {
      out.bits |= privilege::grant_option(last);
    } else {
      const auto word = std::find_if(kWords.begin(), kWords.end(), [&](const PrivilegeWord& one) { return one.letter == text.front(); });
      if (word == kWords.end()) return invalid("invalid mode character: must be one of \"arwdDxtXUCTcsA\"");
      out.bits |= last = word->bit;
    }
    text.remove_prefix(1);
  }
  if (!name.empty()) WANDIAN_TRY(role_of(name, &out.grantee));
  out.grantor = kBootstrapRole;
  if (text.starts_with('/')) {
    text.remove_prefix(1);
    WANDIAN_ASSIGN(const std::string grantor, take_role(&text));
    if (grantor.empty()) return invalid("a name must follow the \"/\" sign");
    WANDIAN_TRY(role_of(grantor, &out.grantor));
  }
  skip_space();
  if (!text.empty()) return invalid("extra garbage at the end of the ACL specification");
  return out;
}

Privileges acl_mask(const Acl& acl, const std::vector<Oid>& roles, Oid owner, Privileges mask) {
  Privileges out = 0;
  const auto is_mine = [&](Oid role) { return std::find(roles.begin(), roles.end(), role) != roles.end(); };
  if ((mask & privilege::kGrantOptions) != 0 && is_mine(owner)) out = mask & privilege::kGrantOptions;
  for (const AclItem& item : acl) {
    if ((item.bits & mask & ~out) == 0) continue;
    if (item.grantee == kPublic || is_mine(item.grantee)) out |= item.bits & mask;
  }
  return out;
}

Result<Acl> change_acl(Acl acl, const AclItem& item, AclChange change, Oid owner, bool cascade) {
  if (change == AclChange::kAdd && item.grant_options() != 0) WANDIAN_TRY(refuse_cycle(acl, item, owner));
  AclItem* found = find_item(acl, item.grantee, item.grantor);
  const Privileges options_before = found != nullptr ? found->grant_options() : 0;
  if (found == nullptr) {
    if (change == AclChange::kRemove) return acl;
    acl.push_back({item.grantee, item.grantor, 0});
    found = &acl.back();
  }
  if (change == AclChange::kAdd) found->bits |= item.bits;
  else found->bits &= ~item.bits;
  const Privileges options = found->grant_options();
  if (found->bits == 0) acl.erase(acl.begin() + (found - acl.data()));
  if ((options_before & ~options) != 0 && item.grantee != kPublic)
    WANDIAN_TRY(revoke_dependents(acl, item.grantee, options_before & ~options, owner, cascade));
  return acl;
}

Acl with_new_owner(const Acl& acl, Oid old_owner, Oid new_owner) {
  Acl out;
  for (AclItem item : acl) {
    if (item.grantor == old_owner) item.grantor = new_owner;
    if (item.grantee == old_owner) item.grantee = new_owner;
    if (AclItem* same = find_item(out, item.grantee, item.grantor)) same->bits |= item.bits;
    else out.push_back(item);
  }
  return out;
}

Acl without_role(Acl acl, Oid role, Oid owner) {
  for (bool again = true; again;) {
    again = false;
    for (const AclItem& item : Acl(acl)) {
      if (item.grantee != role && (item.grantor != role || item.grantor == owner)) continue;
      Result<Acl> next = change_acl(acl, {item.grantee, item.grantor, ~Privileges{0}}, AclChange::kRemove, owner, true);
      if (!next.ok()) continue;
      acl = next.take();
      again = true;
      break;
    }
  }
  return acl;
}

bool mentions(const Acl& acl, Oid role) {
  return std::any_of(acl.begin(), acl.end(), [&](const AclItem& item) { return item.grantee == role || item.grantor == role; });
}

std::string ObjectAcl::encode() const {
  PropertyList list;
  if (acl) list.add("acl", encode_items(*acl));
  for (const auto& [column, items] : columns) {
    list.add_int("column", column);
    list.add("column_acl", encode_items(items));
  }
  return list.bytes();
}

std::optional<ObjectAcl> ObjectAcl::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  ObjectAcl out;
  std::int16_t column = 0;
  for (const auto& [key, value] : *entries) {
    if (key == "column") {
      std::from_chars(value.data(), value.data() + value.size(), column);
      continue;
    }
    const std::optional<Acl> items = decode_items(value);
    if (!items) return std::nullopt;
    if (key == "acl") out.acl = *items;
    if (key == "column_acl") out.columns[column] = *items;
  }
  return out;
}

const ObjectAcl* find_acl(const Catalog& catalog, Oid object) {
  const std::shared_ptr<const ObjectDef> found = catalog.object(ObjectKind::kAcl, object);
  return found == nullptr ? nullptr : static_cast<const ObjectAcl*>(found->compiled.get());
}

std::string DefaultAcl::encode() const {
  PropertyList list;
  list.add_int("schema", schema);
  list.add_int("kind", static_cast<char>(kind));
  list.add("acl", encode_items(acl));
  return list.bytes();
}

std::optional<DefaultAcl> DefaultAcl::decode(std::string_view bytes) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  DefaultAcl out;
  for (const auto& [key, value] : *entries) {
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (key == "schema") out.schema = static_cast<Oid>(number);
    if (key == "kind") out.kind = static_cast<AclKind>(number);
    if (key == "acl") {
      const std::optional<Acl> items = decode_items(value);
      if (!items) return std::nullopt;
      out.acl = *items;
    }
  }
  return out;
}

}  // namespace wandian::sql
