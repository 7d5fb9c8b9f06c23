#include "sql/ddl/context.h"
#include "sql/ddl/grant.h"

#include <algorithm>

#include "sql/catalog/stored_objects.h"
#include "sql/ddl/services.h"
#include "sql/functions/quote.h"

namespace wandian::sql {

namespace {
constexpr std::size_t kMostNameBytes = 63;
constexpr Oid kNameLockBit = 0x80000000u;   // no object has such an OID: these stand for names
}  // namespace

DdlServices& ddl_services() {
  static DdlServices services;
  return services;
}

// ---- Changes ----

void Changes::put(std::shared_ptr<TableDef> table) {
  CatalogChange& change = list_.emplace_back();
  change.kind = ObjectKind::kTable;
  change.oid = table->oid;
  change.table = std::move(table);
}
void Changes::put(std::shared_ptr<SequenceDef> sequence) {
  CatalogChange& change = list_.emplace_back();
  change.kind = ObjectKind::kSequence;
  change.oid = sequence->oid;
  change.sequence = std::move(sequence);
}
void Changes::put(std::shared_ptr<SchemaDef> schema) {
  CatalogChange& change = list_.emplace_back();
  change.kind = ObjectKind::kSchema;
  change.oid = schema->oid;
  change.schema = std::move(schema);
}
void Changes::put(std::shared_ptr<ObjectDef> object) {
  CatalogChange& change = list_.emplace_back();
  change.kind = object->kind;
  change.oid = object->oid;
  change.object = std::move(object);
}
void Changes::drop(ObjectKind kind, Oid oid) {
  for (const CatalogChange& change : list_)
    if (change.drop && change.kind == kind && change.oid == oid) return;
  CatalogChange& change = list_.emplace_back();
  change.kind = kind;
  change.drop = true;
  change.oid = oid;
}
bool Changes::reserved(Oid schema, const std::string& name) const {
  return std::find(names_.begin(), names_.end(), std::pair(schema, name)) != names_.end();
}

// ---- Context ----

BindContext DdlContext::bind_context() {
  BindContext context = session.bind_context();
  if (!eval_) eval_.emplace(session.eval_context(eval_arena_));
  context.eval = &*eval_;
  if (forced_schema != 0) {
    std::erase(context.search_path, forced_schema);
    context.search_path.insert(context.search_path.begin(), forced_schema);
  }
  return context;
}

Status DdlContext::apply(Changes& changes) {
  if (changes.empty()) return {};
  std::vector<CatalogChange> list = changes.take();
  if (members != nullptr) {
    const std::shared_ptr<const Catalog> before = catalog();
    for (const CatalogChange& change : list) {
      if (change.drop) continue;
      if (change.table != nullptr && !change.table->internal && before->table(change.oid) == nullptr)
        members->push_back({catalog_oid::kClass, change.oid});
      if (change.sequence != nullptr && before->sequence(change.oid) == nullptr && change.sequence->owned_by_table == 0)
        members->push_back({catalog_oid::kClass, change.oid});
      if (change.kind == ObjectKind::kType && before->object(ObjectKind::kType, change.oid) == nullptr)
        members->push_back({catalog_oid::kType, change.oid});
      if (change.kind == ObjectKind::kFunction && before->object(ObjectKind::kFunction, change.oid) == nullptr)
        members->push_back({catalog_oid::kProc, change.oid});
      if (change.kind == ObjectKind::kView && before->object(ObjectKind::kView, change.oid) == nullptr)
        members->push_back({catalog_oid::kClass, change.oid});
    }
  }
  add_default_privileges(*this, &list);
  return transaction().change_catalog(std::move(list));
}

Status DdlContext::must_own_relation(Oid relation) {
  const std::optional<Securable> object = securable_relation(*catalog(), relation);
  if (object && object->system && !session.is_superuser()) return permission_denied(object->word, object->name);
  return object ? must_own(*object) : Status{};
}

Status DdlContext::must_own_function(Oid function) {
  const std::optional<Securable> object = securable_function(*catalog(), function);
  return object ? must_own(*object) : Status{};
}

Status DdlContext::must_own_type(Oid type) {
  const std::optional<Securable> object = securable_type(*catalog(), type);
  return object ? must_own(*object) : Status{};
}

Status DdlContext::may_drop(const std::optional<Securable>& object, Oid schema) {
  if (!object) return {};
  const std::optional<Securable> around = securable_schema(*catalog(), schema);
  return around && owns(access(), *around) ? Status{} : must_own(*object);
}

Status DdlContext::may_use_type(Oid type) {
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->category == 'A' && info->element != 0) type = info->element;
  return check_privilege(access(), AclKind::kType, type, privilege::kUsage);
}

Result<Oid> DdlContext::find_schema(std::string_view name, bool must_be_usable) {
  if (name == "pg_catalog") return kPgCatalogSchema;
  if (name == "information_schema") return kInformationSchema;
  if (name == "pg_temp" && session.temporary_schema() != 0) return session.temporary_schema();
  const std::optional<Oid> found = catalog()->find_schema(session.database(), name);
  if (!found) return Status{sqlstate::invalid_schema_name, "schema " + quoted(name) + " does not exist"};
  if (must_be_usable) WANDIAN_TRY(check_schema_usage(access(), *found));
  return *found;
}

Result<Oid> DdlContext::ensure_temporary_schema() {
  if (session.temporary_schema() != 0 && catalog()->schema(session.temporary_schema()) != nullptr) return session.temporary_schema();
  const std::optional<Securable> database = securable_database(*catalog(), session.database());
  if (database && privileges_on(access(), *database, privilege::kTemporary) == 0)
    return Status{sqlstate::insufficient_privilege, "permission denied to create temporary tables in database " + quoted(database->name)};
  const std::string name = "pg_temp_" + std::to_string(session.identity().process_id);
  if (const std::optional<Oid> left = catalog()->find_schema(session.database(), name)) {
    // A session of that number ended with the server: what it left belongs to nobody.
    Changes changes;
    for (const auto& [oid, table] : catalog()->tables())
      if (table->schema == *left) changes.drop(ObjectKind::kTable, oid);
    for (const auto& [oid, sequence] : catalog()->sequences())
      if (sequence->schema == *left) changes.drop(ObjectKind::kSequence, oid);
    for (const auto& [key, object] : catalog()->objects())
      if (object->parent == *left && (key.first == ObjectKind::kView || key.first == ObjectKind::kFunction || key.first == ObjectKind::kType || key.first == ObjectKind::kCollation)) changes.drop(key.first, key.second);
    WANDIAN_TRY(apply(changes));
    session.set_temporary_schema(*left);
    return *left;
  }
  auto schema = std::make_shared<SchemaDef>();
  schema->oid = allocate_oid();
  schema->database = session.database();
  schema->owner = kBootstrapRole;   // whoever the session is; his rights in it are his session's
  schema->name = name;
  const Oid oid = schema->oid;
  Changes changes;
  changes.put(std::move(schema));
  WANDIAN_TRY(apply(changes));
  session.set_temporary_schema(oid);
  return oid;
}

Result<Oid> DdlContext::target_schema(const PgQuery__RangeVar& relation, bool* temporary) {
  const std::string_view database = text_or_empty(relation.catalogname);
  const std::string_view schema = text_or_empty(relation.schemaname);
  if (!database.empty() && database != session.current_database())
    return Status{sqlstate::feature_not_supported, "cross-database references are not implemented: \"" + std::string(database) + "." +
                                                       std::string(schema) + "." + std::string(relation.relname) + "\""};
  const bool wants_temporary = text_or_empty(relation.relpersistence) == "t";
  *temporary = wants_temporary || schema == "pg_temp";
  if (wants_temporary && !schema.empty() && schema != "pg_temp") {
    WANDIAN_ASSIGN(const Oid named, find_schema(schema));
    if (named != session.temporary_schema())
      return Status{sqlstate::invalid_table_definition, "cannot create temporary relation in non-temporary schema"};
  }
  if (*temporary) return ensure_temporary_schema();
  if (schema.empty()) {
    if (forced_schema != 0) return forced_schema;
    WANDIAN_ASSIGN(const Oid found, session.creation_schema());
    if (found == session.temporary_schema() && found != 0) *temporary = true;
    else WANDIAN_TRY(may_create_in(found));
    return found;
  }
  WANDIAN_ASSIGN(const Oid found, find_schema(schema));
  if (found == kPgCatalogSchema || found == kInformationSchema)
    return Status{sqlstate::insufficient_privilege, "permission denied to create \"" + std::string(schema) + "." + std::string(relation.relname) + "\""}
        .with_detail("System catalog modifications are currently disallowed.");
  if (found == session.temporary_schema()) *temporary = true;
  else WANDIAN_TRY(may_create_in(found));
  return found;
}

bool DdlContext::relation_exists(Oid schema, const std::string& name) {
  if (catalog()->find_relation(schema, name)) return true;
  const std::shared_ptr<const Catalog> published = session.engine_database().catalog();
  if (published == catalog()) return false;
  const auto found = published->find_relation(schema, name);
  if (!found) return false;
  // This transaction may have dropped or renamed it itself; then it holds its lock, and the name is free.
  const Oid known = found->kind == Catalog::RelationName::Kind::kIndex ? found->table : found->oid;
  const bool newer = catalog()->table(known) == nullptr && catalog()->sequence(known) == nullptr &&
                     catalog()->object(ObjectKind::kView, known) == nullptr && published->lsn.bytes > catalog()->lsn.bytes;
  return newer;
}

Task<Status> DdlContext::lock_name(Oid schema, std::string name) {
  std::size_t hash = std::hash<std::string>{}(name) * 31 + schema;
  hash ^= hash >> 32;
  auto stand_in = std::make_shared<TableDef>();
  stand_in->oid = static_cast<Oid>(hash) | kNameLockBit;
  stand_in->name = name;
  co_return co_await session.lock_table(std::move(stand_in), TableLock::kExclusive);
}

Task<Result<bool>> DdlContext::claim_relation_name(Oid schema, std::string name, bool if_not_exists) {
  Status locked = co_await lock_name(schema, name);
  if (!locked.ok()) co_return Result<bool>(std::move(locked));
  if (!relation_exists(schema, name)) co_return Result<bool>(true);
  if (!if_not_exists) co_return Result<bool>(Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"});
  notice(sqlstate::duplicate_table, "relation " + quoted(name) + " already exists, skipping");
  co_return Result<bool>(false);
}

std::optional<FoundRelation> DdlContext::find(const PgQuery__RangeVar& relation) {
  return find_relation(bind_context(), text_or_empty(relation.schemaname), text_or_empty(relation.relname));
}

Status DdlContext::adopt_published(Oid oid) {
  const std::shared_ptr<const Catalog> published = session.engine_database().catalog();
  const std::shared_ptr<const TableDef> theirs = published->table(oid);
  const std::shared_ptr<const TableDef> mine = catalog()->table(oid);
  // What this transaction changed itself it holds locked since, so the published definition is older than its own.
  if (theirs == nullptr || mine == nullptr || theirs == mine || theirs->definition_id <= mine->definition_id) return {};
  Changes changes;
  changes.put(std::make_shared<TableDef>(*theirs));
  return apply(changes);
}

Task<Result<std::shared_ptr<const TableDef>>> DdlContext::lock_table(Oid oid, TableLock mode) {
  using Answer = Result<std::shared_ptr<const TableDef>>;
  std::shared_ptr<const TableDef> table = catalog()->table(oid);
  if (table == nullptr) co_return Answer(Status{sqlstate::undefined_table, "relation with OID " + std::to_string(oid) + " does not exist"});
  Status locked = co_await session.lock_table(table, mode);
  if (!locked.ok()) co_return Answer(std::move(locked));
  Status adopted = adopt_published(oid);
  if (!adopted.ok()) co_return Answer(std::move(adopted));
  const std::string name = table->name;
  table = catalog()->table(oid);
  if (table == nullptr) co_return Answer(undefined_relation({}, name));
  co_return Answer(std::move(table));
}

Task<Status> DdlContext::lock_view(Oid oid, TableLock mode) {
  const std::shared_ptr<const ObjectDef> mine = catalog()->object(ObjectKind::kView, oid);
  if (mine == nullptr) co_return Status{};
  const std::shared_ptr<const ObjectDef> before = session.engine_database().catalog()->object(ObjectKind::kView, oid);
  std::shared_ptr<const TableDef> stand_in = view_to_lock(*mine);
  WANDIAN_CO_TRY(co_await session.lock_table(std::move(stand_in), mode));
  const std::shared_ptr<const ObjectDef> after = session.engine_database().catalog()->object(ObjectKind::kView, oid);
  if (before == after) co_return Status{};
  Changes changes;
  if (after != nullptr) changes.put(std::make_shared<ObjectDef>(*after));
  else changes.drop(ObjectKind::kView, oid);
  WANDIAN_CO_TRY(apply(changes));
  if (after == nullptr) co_return Status{sqlstate::undefined_table, "view " + quoted(mine->name) + " does not exist"};
  co_return Status{};
}

Task<Status> DdlContext::lock_relation(Oid relation, TableLock mode) {
  if (catalog()->object(ObjectKind::kView, relation) != nullptr) co_return co_await lock_view(relation, mode);
  Result<std::shared_ptr<const TableDef>> locked = co_await lock_table(relation, mode);
  co_return locked.ok() ? Status{} : locked.take_status();
}

Task<Result<std::shared_ptr<const TableDef>>> DdlContext::lock_table(const PgQuery__RangeVar& relation, TableLock mode, bool missing_ok) {
  using Answer = Result<std::shared_ptr<const TableDef>>;
  const std::string_view schema = text_or_empty(relation.schemaname);
  const std::string_view name = text_or_empty(relation.relname);
  if (const auto named = schema.empty() ? std::nullopt : catalog()->find_schema(session.database(), schema)) {
    Status usable = check_schema_usage(access(), *named);
    if (!usable.ok()) co_return Answer(std::move(usable));
  }
  for (;;) {
    const std::optional<FoundRelation> found = find(relation);
    if (!found) {
      if (missing_ok) co_return Answer(std::shared_ptr<const TableDef>());
      Status missing = undefined_relation(schema, name);
      if (relation.location > 0) missing.error().position = 0;
      co_return Answer(std::move(missing));
    }
    if (found->kind == FoundRelation::Kind::kSystem)
      co_return Answer(Status{sqlstate::insufficient_privilege, "permission denied: " + quoted(name) + " is a system catalog"});
    if (found->kind != FoundRelation::Kind::kTable) co_return Answer(wrong_object_type(name, "a table"));
    Result<std::shared_ptr<const TableDef>> table = co_await lock_table(found->oid, mode);
    if (!table.ok()) {
      if (table.status().code() == sqlstate::undefined_table && !find(relation)) continue;
      co_return Answer(table.take_status());
    }
    const std::optional<FoundRelation> again = find(relation);
    if (again && again->oid == found->oid) co_return Answer(table.take());
  }
}

std::string DdlContext::schema_name(Oid schema) const {
  if (schema == kPgCatalogSchema) return "pg_catalog";
  if (schema == kInformationSchema) return "information_schema";
  const auto found = session.catalog()->schema(schema);
  return found != nullptr ? found->name : std::string();
}

std::string DdlContext::relation_text(Oid oid) {
  return session.object_name(ObjectClass::kRelation, oid).value_or(std::to_string(oid));
}

Status wrong_object_type(std::string_view name, std::string_view wanted) {
  return Status{sqlstate::wrong_object_type, quoted(name) + " is not " + std::string(wanted)};
}

// ---- Names ----

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) out += separator;
    out += parts[i];
  }
  return out;
}

Status feature_not_supported(std::string message) { return Status{sqlstate::feature_not_supported, std::move(message)}; }

namespace {

// The longest prefix of at most `bytes` bytes that ends between characters.
std::string_view clip(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

std::string truncate_identifier(std::string_view name) { return std::string(clip(name, kMostNameBytes)); }

std::string make_object_name(std::string_view name1, std::string_view name2, std::string_view label) {
  std::size_t overhead = 0;
  if (!name2.empty()) ++overhead;
  if (!label.empty()) overhead += label.size() + 1;
  const std::size_t room = kMostNameBytes - overhead;
  std::size_t first = name1.size(), second = name2.size();
  // The longer one gives way.
  while (first + second > room) {
    if (first > second) --first;
    else --second;
  }
  std::string out(clip(name1, first));
  if (!name2.empty()) out.append("_").append(clip(name2, second));
  if (!label.empty()) out.append("_").append(label);
  return out;
}

bool constraint_exists(const Catalog& catalog, Oid schema, std::string_view name) {
  for (const auto& [oid, table] : catalog.tables()) {
    if (table->schema != schema || table->internal) continue;
    for (const CheckDef& check : table->checks)
      if (check.name == name) return true;
    for (const ForeignKeyDef& key : table->foreign_keys)
      if (key.name == name) return true;
    for (const IndexDef& index : table->indexes)
      if (index.constraint != 0 && index.name == name) return true;
  }
  return false;
}

std::string choose_relation_name(DdlContext& ctx, Changes& changes, std::string_view name1, std::string_view name2, std::string_view label,
                                 Oid schema, bool is_constraint) {
  for (unsigned attempt = 0;; ++attempt) {
    const std::string numbered = attempt == 0 ? std::string(label) : std::string(label) + std::to_string(attempt);
    std::string name = make_object_name(name1, name2, numbered);
    if (ctx.relation_exists(schema, name) || changes.reserved(schema, name)) continue;
    if (is_constraint && constraint_exists(*ctx.catalog(), schema, name)) continue;
    changes.reserve(schema, name);
    return name;
  }
}

std::string joined_column_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    if (!out.empty()) out += "_";
    // What fits nowhere is not added: the name is cut to a whole identifier later anyway.
    out += name;
    if (out.size() >= kMostNameBytes + 1) break;
  }
  return out;
}

Result<bool> option_bool(const PgQuery__DefElem& option) {
  std::string text = option_text(option);
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (text == "true" || text == "on" || text == "1") return true;
  if (text == "false" || text == "off" || text == "0") return false;
  return Status{sqlstate::syntax_error, std::string(text_or_empty(option.defname)) + " requires a Boolean value"};
}

std::string option_text(const PgQuery__DefElem& option) {
  const ParseNode* arg = option.arg;
  if (arg == nullptr) return "true";
  switch (arg->node_case) {
    case PG_QUERY__NODE__NODE_STRING: return std::string(text_or_empty(arg->string->sval));
    case PG_QUERY__NODE__NODE_INTEGER: return std::to_string(arg->integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT: return std::string(text_or_empty(arg->float_->fval));
    case PG_QUERY__NODE__NODE_BOOLEAN: return arg->boolean->boolval ? "true" : "false";
    case PG_QUERY__NODE__NODE_TYPE_NAME: {
      std::string out;
      for (std::size_t i = 0; i < arg->type_name->n_names; ++i) {
        const std::string_view part = string_value(arg->type_name->names[i]);
        if (part == "pg_catalog") continue;
        if (!out.empty()) out += ".";
        out += part;
      }
      return out;
    }
    case PG_QUERY__NODE__NODE_LIST: {
      std::string out;
      for (std::size_t i = 0; i < arg->list->n_items; ++i) {
        if (i != 0) out += ".";
        out += string_value(arg->list->items[i]);
      }
      return out;
    }
    default: return {};
  }
}

}  // namespace wandian::sql
