// GRANT and REVOKE on objects.
#include "sql/ddl/grant.h"

#include <algorithm>
#include <bit>

#include "sql/access/roles.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/type.h"

namespace wandian::sql {

using namespace privilege;

void put_acl(DdlContext& ctx, Changes& changes, Oid object, ObjectAcl acl) {
  std::erase_if(acl.columns, [](const auto& column) { return column.second.empty(); });
  if (acl.empty()) {
    if (find_acl(*ctx.catalog(), object) != nullptr) changes.drop(ObjectKind::kAcl, object);
    return;
  }
  auto def = std::make_shared<ObjectDef>();
  def->kind = ObjectKind::kAcl;
  def->oid = object;
  def->definition = acl.encode();
  changes.put(std::move(def));
}

Result<Oid> find_grantee(DdlContext& ctx, const PgQuery__RoleSpec& role) {
  if (role.roletype == PG_QUERY__ROLE_SPEC_TYPE__ROLESPEC_PUBLIC) return Oid{kPublic};
  return find_role(ctx, role);
}

namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

std::string_view kind_word(AclKind kind) {
  switch (kind) {
    case AclKind::kRelation: return "relation";
    case AclKind::kSequence: return "sequence";
    case AclKind::kDatabase: return "database";
    case AclKind::kFunction: return "function";
    case AclKind::kLanguage: return "language";
    case AclKind::kSchema: return "schema";
    case AclKind::kType: return "type";
    case AclKind::kColumn: return "column";
    default: return "object";
  }
}

}  // namespace

Result<GrantWords> read_privileges(PgQuery__Node* const* nodes, std::size_t count, AclKind kind) {
  GrantWords out;
  if (count == 0) {
    out.all = true;
    out.bits = all_privileges(kind);
    return out;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__AccessPriv& node = *nodes[i]->access_priv;
    if (node.n_cols != 0) continue;
    const std::string_view name = text_or_empty(node.priv_name);
    const Privileges one = privilege_by_name(upper(name));
    if (one == 0) return Status{sqlstate::syntax_error, "unrecognized privilege type " + quoted(name)};
    // A sequence may be granted as a table, in the privileges of both.
    const Privileges known = kind == AclKind::kRelation ? all_privileges(kind) | kUsage : all_privileges(kind);
    if ((one & ~known) != 0)
      return Status{sqlstate::invalid_grant_operation, "invalid privilege type " + upper(name) + " for " + std::string(kind_word(kind))};
    out.bits |= one;
  }
  return out;
}

Result<Acl> grant_in_acl(Acl acl, const PgQuery__GrantStmt& statement, std::span<const Oid> grantees, Privileges rights, Oid grantor, Oid owner) {
  const bool is_grant = statement.is_grant != 0, options = statement.grant_option != 0;
  const bool cascade = statement.behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
  for (const Oid grantee : grantees) {
    if (is_grant && options && grantee == kPublic)
      return Status{sqlstate::invalid_grant_operation, "grant options can only be granted to roles"};
    Privileges bits = 0;
    if (is_grant || !options) bits |= rights;
    if (!is_grant || options) bits |= grant_option(rights);
    WANDIAN_ASSIGN(acl, change_acl(std::move(acl), {grantee, grantor, bits}, is_grant ? AclChange::kAdd : AclChange::kRemove, owner, cascade));
  }
  return acl;
}

namespace {

struct Grantor {
  Oid role = 0;
  Privileges options = 0;            ///< which of the privileges asked for it may grant on
};

// As the owner if the role has his privileges, otherwise as the one of its roles that may grant most.
Grantor best_grantor(const AccessScope& scope, const Acl& acl, Oid owner, Privileges rights) {
  if (has_privileges_of(scope.catalog, scope.database, scope.role, owner)) return {owner, rights};
  Grantor best{scope.role, 0};
  for (const Oid role : roles_of(scope.catalog, scope.database, scope.role, true)) {
    const Privileges held = acl_mask(acl, {role}, owner, grant_option(rights)) >> kGrantShift;
    if (held == rights) return {role, held};
    if (std::popcount(held) > std::popcount(best.options)) best = {role, held};
  }
  return best;
}

// A function that users made, or one of PostgreSQL's own.
Result<Oid> find_any_routine(DdlContext& ctx, const PgQuery__ObjectWithArgs& with_args, std::string_view what) {
  Result<std::shared_ptr<const ObjectDef>> found = find_routine(ctx, with_args, what);
  if (found.ok()) return found.value()->oid;
  if (found.status().code() != sqlstate::undefined_function) return found.take_status();
  std::vector<Oid> types;
  for (std::size_t i = 0; i < with_args.n_objargs; ++i) {
    const BindContext context = ctx.bind_context();
    WANDIAN_ASSIGN(const ResolvedType type, resolve_type(*with_args.objargs[i]->type_name, ctx.statement.text, &context));
    types.push_back(type.type);
  }
  const std::string_view name = string_value(with_args.objname[with_args.n_objname - 1]);
  const bool named_elsewhere = with_args.n_objname > 1 && string_value(with_args.objname[with_args.n_objname - 2]) != "pg_catalog";
  for (const FunctionDef* function : find_functions(name))
    if (!named_elsewhere && (with_args.args_unspecified != 0 || function->args == types)) return function->oid;
  for (const AggregateDef* aggregate : find_aggregates(name))
    if (!named_elsewhere && (with_args.args_unspecified != 0 || aggregate->args == types)) return aggregate->oid;
  return found.take_status();
}

class Granting {
 public:
  Granting(DdlContext& ctx, const PgQuery__GrantStmt& node) : ctx_(ctx), node_(node) {}
  Status run();

 private:
  Result<AclKind> kind() const;
  Status find_objects();
  Status find_relations();
  Status find_in_schemas();
  Status apply(const Securable& object);
  Status apply_columns(const Securable& relation, ObjectAcl& lists);
  Result<Privileges> allowed(const Acl& acl, const Securable& object, const std::string& shown, Privileges rights, Privileges known, bool all, Grantor* grantor);
  Result<std::int16_t> find_column(const Securable& relation, std::string_view name) const;

  DdlContext& ctx_;
  const PgQuery__GrantStmt& node_;
  AclKind kind_ = AclKind::kRelation;
  std::vector<Oid> grantees_;
  std::vector<Securable> objects_;
  Changes changes_;
};

Result<AclKind> Granting::kind() const {
  switch (node_.objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE: return AclKind::kRelation;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: return AclKind::kSequence;
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: return AclKind::kDatabase;
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
    case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE: return AclKind::kFunction;
    case PG_QUERY__OBJECT_TYPE__OBJECT_LANGUAGE: return AclKind::kLanguage;
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: return AclKind::kSchema;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN: return AclKind::kType;
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLESPACE: return feature_not_supported("privileges on tablespaces are not supported");
    case PG_QUERY__OBJECT_TYPE__OBJECT_PARAMETER_ACL: return feature_not_supported("privileges on parameters are not supported");
    case PG_QUERY__OBJECT_TYPE__OBJECT_LARGEOBJECT: return feature_not_supported("large objects are not supported");
    default: return feature_not_supported("foreign data is not supported");
  }
}

Status Granting::find_relations() {
  for (std::size_t i = 0; i < node_.n_objects; ++i) {
    const PgQuery__RangeVar& name = *node_.objects[i]->range_var;
    if (!text_or_empty(name.schemaname).empty()) WANDIAN_TRY(ctx_.find_schema(text_or_empty(name.schemaname)).take_status());
    const std::optional<FoundRelation> found = ctx_.find(name);
    if (!found) return undefined_relation(text_or_empty(name.schemaname), text_or_empty(name.relname));
    std::optional<Securable> relation = securable_relation(*ctx_.catalog(), found->oid);
    if (!relation) return undefined_relation(text_or_empty(name.schemaname), text_or_empty(name.relname));
    if (found->kind == FoundRelation::Kind::kIndex) return Status{sqlstate::wrong_object_type, quoted(relation->name) + " is an index"};
    if (kind_ == AclKind::kSequence && relation->kind != AclKind::kSequence) return wrong_object_type(relation->name, "a sequence");
    objects_.push_back(std::move(*relation));
  }
  return {};
}

Status Granting::find_in_schemas() {
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  const auto add = [&](std::optional<Securable> object) {
    if (object) objects_.push_back(std::move(*object));
  };
  for (std::size_t i = 0; i < node_.n_objects; ++i) {
    WANDIAN_ASSIGN(const Oid schema, ctx_.find_schema(string_value(node_.objects[i])));
    if (kind_ == AclKind::kRelation)
      for (const auto& [oid, table] : catalog->tables())
        if (table->schema == schema && !table->internal) add(securable_relation(*catalog, oid));
    if (kind_ == AclKind::kSequence)
      for (const auto& [oid, sequence] : catalog->sequences())
        if (sequence->schema == schema) add(securable_relation(*catalog, oid));
    for (const auto& [key, object] : catalog->objects()) {
      if (object->parent != schema) continue;
      if (kind_ == AclKind::kRelation && key.first == ObjectKind::kView) add(securable_relation(*catalog, key.second));
      if (kind_ != AclKind::kFunction || key.first != ObjectKind::kFunction) continue;
      std::optional<Securable> function = securable_function(*catalog, key.second);
      const bool procedure = function && function->word == "procedure";
      const bool wanted = node_.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE || procedure == (node_.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE);
      if (wanted) add(std::move(function));
    }
  }
  return {};
}

Status Granting::find_objects() {
  if (node_.targtype == PG_QUERY__GRANT_TARGET_TYPE__ACL_TARGET_ALL_IN_SCHEMA) return find_in_schemas();
  if (kind_ == AclKind::kRelation || kind_ == AclKind::kSequence) return find_relations();
  const std::shared_ptr<const Catalog> catalog = ctx_.catalog();
  for (std::size_t i = 0; i < node_.n_objects; ++i) {
    const ParseNode& name = *node_.objects[i];
    switch (kind_) {
      case AclKind::kDatabase: {
        const auto found = catalog->find_object(ObjectKind::kDatabase, 0, string_value(&name));
        if (found == nullptr) return Status{sqlstate::invalid_catalog_name, "database " + quoted(string_value(&name)) + " does not exist"};
        objects_.push_back(*securable_database(*catalog, found->oid));
        break;
      }
      case AclKind::kSchema: {
        WANDIAN_ASSIGN(const Oid schema, ctx_.find_schema(string_value(&name), false));
        objects_.push_back(*securable_schema(*catalog, schema));
        break;
      }
      case AclKind::kLanguage: {
        const Oid language = language_by_name(string_value(&name));
        if (language == 0) return Status{sqlstate::undefined_object, "language " + quoted(string_value(&name)) + " does not exist"};
        if (string_value(&name) == "c" || string_value(&name) == "internal")
          return Status{sqlstate::wrong_object_type, "language " + quoted(string_value(&name)) + " is not trusted"}.with_detail(
              "GRANT and REVOKE are not allowed on untrusted languages, because only superusers can use untrusted languages.");
        objects_.push_back(*securable_language(language));
        break;
      }
      case AclKind::kType: {
        const std::vector<std::string> parts = name.node_case == PG_QUERY__NODE__NODE_TYPE_NAME ? name_list(name.type_name->names, name.type_name->n_names)
                                                                                              : name_list(name.list->items, name.list->n_items);
        WANDIAN_ASSIGN(const Oid type, find_type_oid(ctx_, parts));
        const TypeInfo* info = find_type(type);
        if (info != nullptr && info->category == 'A' && info->kind == 'b' && info->element != 0)
          return Status{sqlstate::invalid_grant_operation, "cannot set privileges of array types"}.with_hint("Set the privileges of the element type instead.");
        if (node_.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN && type_kind(type) != 'd') return wrong_object_type(name_text(parts), "a domain");
        objects_.push_back(*securable_type(*catalog, type));
        break;
      }
      case AclKind::kFunction: {
        const std::string_view what = node_.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ? "procedure"
                                      : node_.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_ROUTINE ? "routine"
                                                                                              : "function";
        WANDIAN_ASSIGN(const Oid function, find_any_routine(ctx_, *name.object_with_args, what));
        objects_.push_back(*securable_function(*catalog, function));
        break;
      }
      default: break;
    }
  }
  return {};
}

// 42501 if the role has nothing there at all, warnings if it may do a part of what is asked.
Result<Privileges> Granting::allowed(const Acl& acl, const Securable& object, const std::string& shown, Privileges rights, Privileges known, bool all,
                                     Grantor* grantor) {
  const AccessScope scope = ctx_.access();
  *grantor = is_superuser_role(scope.catalog, scope.role) ? Grantor{object.owner, rights} : best_grantor(scope, acl, object.owner, rights);
  if (grantor->options == 0) {
    const std::vector<Oid> roles = roles_of(scope.catalog, scope.database, grantor->role, true);
    if (acl_mask(acl, roles, object.owner, known | grant_option(known)) == 0) return permission_denied(object.word, object.name);
  }
  const Privileges out = rights & grantor->options;
  const bool is_grant = node_.is_grant != 0;
  const auto warn = [&](SqlState code, const std::string& message) { ctx_.session.notice(Severity::kWarning, code, message); };
  if (is_grant) {
    if (out == 0) warn(sqlstate::privilege_not_granted, "no privileges were granted for " + shown);
    else if (!all && out != rights) warn(sqlstate::privilege_not_granted, "not all privileges were granted for " + shown);
  } else {
    if (out == 0) warn(sqlstate::privilege_not_revoked, "no privileges could be revoked for " + shown);
    else if (!all && out != rights) warn(sqlstate::privilege_not_revoked, "not all privileges could be revoked for " + shown);
  }
  return out;
}

Result<std::int16_t> Granting::find_column(const Securable& relation, std::string_view name) const {
  if (const auto table = ctx_.catalog()->table(relation.oid)) {
    if (const int column = table->find_column(name); column >= 0) return static_cast<std::int16_t>(column + 1);
  } else if (const auto view = ctx_.catalog()->object(ObjectKind::kView, relation.oid)) {
    const std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
    for (std::size_t i = 0; definition && i < definition->columns.size(); ++i)
      if (definition->columns[i].name == name) return static_cast<std::int16_t>(i + 1);
  } else if (const SystemRelation* system = find_system_relation(relation.oid)) {
    for (std::size_t i = 0; i < system->columns.size(); ++i)
      if (system->columns[i].name == name) return static_cast<std::int16_t>(i + 1);
  }
  return undefined_column(name, relation.name);
}

Status Granting::apply_columns(const Securable& relation, ObjectAcl& lists) {
  const Acl table_acl = acl_of(*ctx_.catalog(), relation);
  std::map<std::int16_t, std::pair<Privileges, bool>> wanted;   // by column: bits, and whether ALL was said
  for (std::size_t i = 0; i < node_.n_privileges; ++i) {
    const PgQuery__AccessPriv& node = *node_.privileges[i]->access_priv;
    if (node.n_cols == 0) continue;
    Privileges one = all_privileges(AclKind::kColumn);
    const bool all = text_or_empty(node.priv_name).empty();
    if (!all) {
      one = privilege_by_name(upper(node.priv_name));
      if (one == 0) return Status{sqlstate::syntax_error, "unrecognized privilege type " + quoted(node.priv_name)};
      if ((one & ~all_privileges(AclKind::kColumn)) != 0)
        return Status{sqlstate::invalid_grant_operation, "invalid privilege type " + upper(node.priv_name) + " for column"};
    }
    for (std::size_t c = 0; c < node.n_cols; ++c) {
      WANDIAN_ASSIGN(const std::int16_t column, find_column(relation, string_value(node.cols[c])));
      wanted[column].first |= one;
      wanted[column].second = wanted[column].second || all;
    }
  }
  for (const auto& [column, want] : wanted) {
    // Options on the relation count for its columns.
    Acl both = lists.columns[column];
    both.insert(both.end(), table_acl.begin(), table_acl.end());
    Grantor grantor;
    WANDIAN_ASSIGN(const Privileges rights,
                   allowed(both, relation, "column of relation " + quoted(relation.name), want.first, all_privileges(AclKind::kColumn), want.second, &grantor));
    WANDIAN_ASSIGN(lists.columns[column], grant_in_acl(std::move(lists.columns[column]), node_, grantees_, rights, grantor.role, relation.owner));
  }
  return {};
}

Status Granting::apply(const Securable& object) {
  const ObjectAcl* stored = find_acl(*ctx_.catalog(), object.oid);
  ObjectAcl lists = stored != nullptr ? *stored : ObjectAcl{};
  const bool has_columns = std::any_of(node_.privileges, node_.privileges + node_.n_privileges, [](const ParseNode* node) { return node->access_priv->n_cols != 0; });
  const bool has_whole = node_.n_privileges == 0 ||
                         std::any_of(node_.privileges, node_.privileges + node_.n_privileges, [](const ParseNode* node) { return node->access_priv->n_cols == 0; });
  if (has_whole) {
    WANDIAN_ASSIGN(GrantWords words, read_privileges(node_.privileges, node_.n_privileges, kind_));
    const Privileges known = all_privileges(object.kind);
    if (words.all) words.bits = known;
    if (object.kind == AclKind::kSequence && (words.bits & ~known) != 0) {
      ctx_.session.notice(Severity::kWarning, sqlstate::invalid_grant_operation,
                          "sequence " + quoted(object.name) + " only supports USAGE, SELECT, and UPDATE privileges");
      words.bits &= known;
    } else if ((words.bits & ~known) != 0) {
      return Status{sqlstate::invalid_grant_operation, "invalid privilege type USAGE for table"};
    }
    const Acl old = acl_of(*ctx_.catalog(), object);
    Grantor grantor;
    WANDIAN_ASSIGN(const Privileges rights, allowed(old, object, quoted(object.name), words.bits, known, words.all, &grantor));
    WANDIAN_ASSIGN(lists.acl, grant_in_acl(old, node_, grantees_, rights, grantor.role, object.owner));
    // What is revoked on the whole is revoked on the columns, too.
    if (node_.is_grant == 0 && object.kind == AclKind::kRelation) {
      for (auto& [column, acl] : lists.columns) {
        const Privileges of_columns = rights & all_privileges(AclKind::kColumn);
        WANDIAN_ASSIGN(acl, grant_in_acl(std::move(acl), node_, grantees_, of_columns, grantor.role, object.owner));
      }
    }
  }
  if (has_columns) WANDIAN_TRY(apply_columns(object, lists));
  put_acl(ctx_, changes_, object.oid, std::move(lists));
  return {};
}

Status Granting::run() {
  WANDIAN_ASSIGN(kind_, kind());
  if (node_.grantor != nullptr) {
    WANDIAN_ASSIGN(const Oid grantor, find_role(ctx_, *node_.grantor));
    if (grantor != ctx_.session.current_role()) return feature_not_supported("grantor must be current user");
  }
  WANDIAN_TRY(find_objects());
  for (std::size_t i = 0; i < node_.n_grantees; ++i) {
    WANDIAN_ASSIGN(const Oid grantee, find_grantee(ctx_, *node_.grantees[i]->role_spec));
    grantees_.push_back(grantee);
  }
  WANDIAN_TRY(read_privileges(node_.privileges, node_.n_privileges, kind_).take_status());
  const bool has_columns = std::any_of(node_.privileges, node_.privileges + node_.n_privileges, [](const ParseNode* node) { return node->access_priv->n_cols != 0; });
  if (has_columns && kind_ != AclKind::kRelation)
    return Status{sqlstate::invalid_grant_operation, "column privileges are only valid for relations"};
  for (const Securable& object : objects_) {
    WANDIAN_TRY(apply(object));
    // An object may be named twice.
    WANDIAN_TRY(ctx_.apply(changes_));
    changes_ = Changes{};
  }
  return {};
}

}  // namespace

Status grant_or_revoke(DdlContext& ctx) { return Granting(ctx, *ctx.statement.node->grant_stmt).run(); }

}  // namespace wandian::sql
