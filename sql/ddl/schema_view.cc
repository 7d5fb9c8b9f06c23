// CREATE SCHEMA, CREATE VIEW, COMMENT ON.
#include <algorithm>

#include "sql/access/roles.h"
#include "sql/ddl/builtin_extensions.h"
#include "sql/ddl/dependency.h"
#include "sql/ddl/role.h"
#include "sql/ddl/statements.h"
#include "sql/ddl/table_builder.h"
#include "sql/ddl/type.h"
#include "sql/functions/quote.h"
#include "sql/messages.h"
#include "sql/parse/lexer.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

// Tables first, then what needs them, whatever their order is: the pass in which an element of CREATE SCHEMA is made.
unsigned pass_of(const ParseNode& element) {
  switch (element.node_case) {
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT: return 0;
    case PG_QUERY__NODE__NODE_CREATE_STMT: return 1;
    case PG_QUERY__NODE__NODE_VIEW_STMT: return 2;
    case PG_QUERY__NODE__NODE_INDEX_STMT: return 3;
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT: return 4;
    default: return 5;
  }
}

PgQuery__RangeVar* relation_of(const ParseNode& element) {
  switch (element.node_case) {
    case PG_QUERY__NODE__NODE_CREATE_SEQ_STMT: return element.create_seq_stmt->sequence;
    case PG_QUERY__NODE__NODE_CREATE_STMT: return element.create_stmt->relation;
    case PG_QUERY__NODE__NODE_VIEW_STMT: return element.view_stmt->view;
    case PG_QUERY__NODE__NODE_INDEX_STMT: return element.index_stmt->relation;
    case PG_QUERY__NODE__NODE_CREATE_TRIG_STMT: return element.create_trig_stmt->relation;
    default: return nullptr;
  }
}

// Where the elements of CREATE SCHEMA begin in its text, in their order: at words that begin statements and stand in no parentheses, nor
// where they are part of WITH GRANT OPTION or a name.
std::vector<std::size_t> element_offsets(std::string_view text) {
  std::vector<std::size_t> out;
  Lexer lexer(text);
  Token before;
  int depth = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd && token.kind != TokenKind::kError; token = lexer.next()) {
    depth += token.kind == TokenKind::kOpen ? 1 : token.kind == TokenKind::kClose ? -1 : 0;
    const bool within = depth != 0 || before.is("with") || before.is("as") || before.kind == TokenKind::kDot;
    if (!within && (token.is("create") || token.is("grant"))) out.push_back(token.offset);
    before = token;
  }
  if (!out.empty()) out.erase(out.begin());   // CREATE SCHEMA itself
  return out;
}

// An element as a statement of its own, from the text where it was written, so that errors have their places; or, where the text does not
// show it, printed again.
struct Element {
  ParsedStatements parsed;
  std::int32_t characters_before = -1;   ///< of the whole text; -1: printed again
};
Result<Element> parse_element(const DdlContext& ctx, const PgQuery__CreateSchemaStmt& node, std::size_t i) {
  const std::string_view whole = ctx.statement.text, own = ctx.statement.statement_text;
  const std::vector<std::size_t> offsets = element_offsets(own);
  if (offsets.size() == node.n_schema_elts && own.data() >= whole.data() && own.data() + own.size() <= whole.data() + whole.size()) {
    const std::size_t end = i + 1 < offsets.size() ? offsets[i + 1] : own.size();
    Result<ParsedStatements> parsed = ParsedStatements::parse(own.substr(offsets[i], end - offsets[i]));
    if (parsed.ok() && parsed->statements().size() == 1 && parsed->statements()[0].node->node_case == node.schema_elts[i]->node_case) {
      const auto before = static_cast<std::int32_t>(own.data() - whole.data()) + static_cast<std::int32_t>(offsets[i]);
      return Element{parsed.take(), character_position(whole, before) - 1};
    }
  }
  WANDIAN_ASSIGN(ParsedStatements printed, ParsedStatements::parse_element(*node.schema_elts[i]));
  return Element{std::move(printed)};
}

Task<Status> create_elements(DdlContext& ctx, const PgQuery__CreateSchemaStmt& node, Oid schema, std::string name) {
  for (unsigned pass = 0; pass <= 5; ++pass)
    for (std::size_t i = 0; i < node.n_schema_elts; ++i) {
      const ParseNode& element = *node.schema_elts[i];
      if (pass_of(element) != pass) continue;
      const PgQuery__RangeVar* relation = relation_of(element);
      if (relation != nullptr && !text_or_empty(relation->schemaname).empty() && text_or_empty(relation->schemaname) != name)
        co_return Status{sqlstate::invalid_schema_definition, "CREATE specifies a schema (" + std::string(relation->schemaname) +
                                                                  ") different from the one being created (" + name + ")"};
      Result<Element> found = parse_element(ctx, node, i);
      if (!found.ok()) co_return found.take_status();
      const ParsedStatements* const alone = &found->parsed;
      StatementRef statement;
      statement.node = alone->statements()[0].node;
      statement.text = alone->text();
      statement.statement_text = alone->statement_text(0);
      statement.kind = classify(statement.node);
      std::string tag;
      DdlContext inner(ctx.session, statement, &tag);
      inner.forced_schema = schema;
      Status status = co_await run_statement(inner);
      if (!status.ok()) {
        std::int32_t& position = status.error().position;
        if (found->characters_before < 0) position = 0;   // of a text that nobody wrote
        else if (position > 0) position += found->characters_before;
        co_return std::move(status);
      }
    }
  co_return Status{};
}

}  // namespace

Task<Status> create_schema(DdlContext& ctx) {
  const PgQuery__CreateSchemaStmt& node = *ctx.statement.node->create_schema_stmt;
  Oid owner = ctx.session.current_role();
  std::string name(text_or_empty(node.schemaname));
  if (node.authrole != nullptr) {
    Result<Oid> role = find_role(ctx, *node.authrole);
    if (!role.ok()) co_return role.take_status();
    owner = role.value();
    if (name.empty()) {
      const auto def = ctx.catalog()->object(ObjectKind::kRole, owner);
      if (def != nullptr) name = def->name;
    }
  }
  if (!is_member_of(*ctx.catalog(), ctx.session.database(), ctx.session.current_role(), owner))
    co_return denied("must be member of role " + quoted(role_name(*ctx.catalog(), owner)));
  WANDIAN_CO_TRY(check_privilege(ctx.access(), AclKind::kDatabase, ctx.session.database(), privilege::kCreate));
  if (name.starts_with("pg_"))
    co_return Status{sqlstate::reserved_name, "unacceptable schema name " + quoted(name)}.with_detail("The prefix \"pg_\" is reserved for system schemas.");
  WANDIAN_CO_TRY(co_await ctx.lock_name(0, name));
  const bool taken = ctx.catalog()->find_schema(ctx.session.database(), name).has_value() || name == "information_schema";
  if (taken) {
    if (node.if_not_exists == 0) co_return Status{sqlstate::duplicate_schema, "schema " + quoted(name) + " already exists"};
    ctx.notice(sqlstate::duplicate_schema, "schema " + quoted(name) + " already exists, skipping");
    co_return Status{};
  }
  auto schema = std::make_shared<SchemaDef>();
  schema->oid = ctx.allocate_oid();
  schema->database = ctx.session.database();
  schema->owner = owner;
  schema->name = name;
  const Oid oid = schema->oid;
  Changes changes;
  changes.put(std::move(schema));
  WANDIAN_CO_TRY(ctx.apply(changes));
  if (node.n_schema_elts == 0) co_return Status{};
  // What is in it is made by its owner.
  const bool in_name = owner != ctx.session.current_role();
  if (in_name) ctx.session.act_as(owner);
  Status status = co_await create_elements(ctx, node, oid, name);
  if (in_name) ctx.session.act_as(0);
  co_return std::move(status);
}

namespace {

std::string column_signature(const ViewDefinition::Column& column) { return format_type(column.type, column.typmod); }

// CREATE OR REPLACE: the old columns must stay as they are.
Status compare_columns(const ViewDefinition& old, const ViewDefinition& now) {
  if (now.columns.size() < old.columns.size()) return Status{sqlstate::invalid_table_definition, "cannot drop columns from view"};
  for (std::size_t i = 0; i < old.columns.size(); ++i) {
    if (old.columns[i].name != now.columns[i].name)
      return Status{sqlstate::invalid_table_definition,
                    "cannot change name of view column " + quoted(old.columns[i].name) + " to " + quoted(now.columns[i].name)}
          .with_hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    if (old.columns[i].type != now.columns[i].type || old.columns[i].typmod != now.columns[i].typmod)
      return Status{sqlstate::invalid_table_definition, "cannot change data type of view column " + quoted(old.columns[i].name) + " from " +
                                                            column_signature(old.columns[i]) + " to " + column_signature(now.columns[i])};
  }
  return {};
}

Status read_view_options(PgQuery__Node** nodes, std::size_t count, ViewDefinition* out) {
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *nodes[i]->def_elem;
    const std::string name(text_or_empty(option.defname));
    std::string value = option_text(option);
    if (name == "check_option") {
      if (value != "local" && value != "cascaded")
        return Status{sqlstate::invalid_parameter_value, "invalid value for enum option \"check_option\": " + value}.with_detail(
            "Valid values are \"local\" and \"cascaded\".");
    } else if (name == "security_barrier" || name == "security_invoker") {
      static constexpr std::string_view kBooleans[] = {"true", "false", "on", "off", "yes", "no", "1", "0"};
      if (std::find(std::begin(kBooleans), std::end(kBooleans), value) == std::end(kBooleans))
        return Status{sqlstate::invalid_parameter_value, "invalid value for boolean option " + quoted(name) + ": " + value};
    } else {
      return Status{sqlstate::invalid_parameter_value, "unrecognized parameter " + quoted(name)};
    }
    for (const auto& [other, ignored] : out->options)
      if (other == name) return Status{sqlstate::invalid_parameter_value, "parameter " + quoted(name) + " specified more than once"};
    out->options.emplace_back(name, std::move(value));
  }
  return {};
}

bool has_option(const ViewDefinition& view, std::string_view name) {
  return std::any_of(view.options.begin(), view.options.end(), [&](const auto& option) { return option.first == name; });
}

// WITH CHECK OPTION asks for a view that can be written to.
Status check_option_fits(const Query& query) {
  const char* why = view_write_refusal(query);
  const std::vector<bool> updatable = view_updatable_columns(query);
  if (why == nullptr && std::find(updatable.begin(), updatable.end(), true) == updatable.end())
    why = "Views that have no updatable columns are not automatically updatable.";
  if (why == nullptr) return {};
  return feature_not_supported("WITH CHECK OPTION is supported only on automatically updatable views").with_hint(why);
}

}  // namespace

Status set_view_options(DdlContext& ctx, const PgQuery__AlterTableCmd& command, ObjectDef* view) {
  std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
  if (!definition) return Status{sqlstate::data_corrupted, "definition of view " + quoted(view->name) + " cannot be read"};
  const PgQuery__List& list = *command.def->list;
  const bool sets = command.subtype == PG_QUERY__ALTER_TABLE_TYPE__AT_SetRelOptions;
  ViewDefinition given;
  if (sets) WANDIAN_TRY(read_view_options(list.items, list.n_items, &given));
  for (std::size_t i = 0; i < list.n_items; ++i)
    std::erase_if(definition->options, [&](const auto& option) { return option.first == text_or_empty(list.items[i]->def_elem->defname); });
  definition->options.insert(definition->options.end(), given.options.begin(), given.options.end());
  if (has_option(given, "check_option")) {
    WANDIAN_ASSIGN(const std::shared_ptr<const BoundStatement> bound, bind_view_query(*definition, ctx.bind_context(), false));
    WANDIAN_TRY(check_option_fits(*bound->query));
  }
  view->definition = definition->encode();
  return {};
}

Status set_view_default(DdlContext& ctx, const PgQuery__AlterTableCmd& command, ObjectDef* view) {
  std::optional<ViewDefinition> definition = ViewDefinition::decode(view->definition);
  if (!definition) return Status{sqlstate::data_corrupted, "definition of view " + quoted(view->name) + " cannot be read"};
  const std::string_view name = text_or_empty(command.name);
  for (ViewDefinition::Column& column : definition->columns) {
    if (column.name != name) continue;
    column.default_expression.clear();
    if (command.def != nullptr) {
      ColumnDef typed;
      typed.name = column.name;
      typed.type = column.type;
      typed.typmod = column.typmod;
      Result<std::string> text = default_text(ctx, typed, command.def);
      if (!text.ok()) {
        Status status = text.take_status();
        status.error().position = 0;   // PostgreSQL has none for ALTER VIEW
        return status;
      }
      column.default_expression = text.take();
    }
    view->definition = definition->encode();
    return {};
  }
  return Status{sqlstate::undefined_column, "column " + quoted(name) + " of relation " + quoted(view->name) + " does not exist"};
}

Task<Status> create_view(DdlContext& ctx) {
  const PgQuery__ViewStmt& node = *ctx.statement.node->view_stmt;
  ViewDefinition options;
  WANDIAN_CO_TRY(read_view_options(node.options, node.n_options, &options));
  if (node.with_check_option == PG_QUERY__VIEW_CHECK_OPTION__LOCAL_CHECK_OPTION) options.options.emplace_back("check_option", "local");
  if (node.with_check_option == PG_QUERY__VIEW_CHECK_OPTION__CASCADED_CHECK_OPTION) options.options.emplace_back("check_option", "cascaded");
  const std::string name(node.view->relname);
  bool temporary = false;
  Result<Oid> schema = ctx.target_schema(*node.view, &temporary);
  if (!schema.ok()) co_return schema.take_status();
  WANDIAN_CO_TRY(co_await ctx.lock_name(schema.value(), name));
  std::vector<std::string> aliases;
  for (std::size_t i = 0; i < node.n_aliases; ++i) aliases.emplace_back(string_value(node.aliases[i]));
  std::vector<Oid> depends_on;
  Result<ViewDefinition> definition = define_view(node.query, ctx.statement.text, aliases, ctx.bind_context(), &depends_on);
  if (!definition.ok()) co_return definition.take_status();
  definition->options = std::move(options.options);
  if (has_option(definition.value(), "check_option")) {
    Result<std::shared_ptr<const BoundStatement>> bound = bind_statement(node.query, ctx.statement.text, ctx.bind_context());
    if (!bound.ok()) co_return bound.take_status();
    WANDIAN_CO_TRY(check_option_fits(*bound.value()->query));
  }
  const std::shared_ptr<const Catalog> catalog = ctx.catalog();
  bool uses_temporary = false;
  for (const Oid oid : depends_on)
    if (const auto table = catalog->table(oid)) uses_temporary = uses_temporary || table->temporary;
  Oid target = schema.value();
  if (uses_temporary && !temporary) {
    ctx.notice(sqlstate::successful_completion, "view " + quoted(name) + " will be a temporary view");
    Result<Oid> other = ctx.ensure_temporary_schema();
    if (!other.ok()) co_return other.take_status();
    target = other.value();
  }
  auto view = std::make_shared<ObjectDef>();
  view->kind = ObjectKind::kView;
  view->parent = target;
  view->owner = ctx.session.current_role();
  view->name = name;
  if (const auto found = catalog->find_relation(target, name)) {
    if (found->kind != Catalog::RelationName::Kind::kView || !node.replace) {
      if (found->kind == Catalog::RelationName::Kind::kView || !node.replace) co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"};
      co_return wrong_object_type(name, "a view");
    }
    WANDIAN_CO_TRY(ctx.must_own_relation(found->oid));
    WANDIAN_CO_TRY(co_await ctx.lock_view(found->oid, TableLock::kAccessExclusive));
    const auto old = ctx.catalog()->object(ObjectKind::kView, found->oid);
    const std::optional<ViewDefinition> before = ViewDefinition::decode(old->definition);
    if (before) {
      WANDIAN_CO_TRY(compare_columns(*before, definition.value()));
      definition->triggers = before->triggers;
      for (std::size_t i = 0; i < before->columns.size(); ++i) definition->columns[i].default_expression = before->columns[i].default_expression;
    }
    view->oid = old->oid;
    view->owner = old->owner;
  } else {
    if (ctx.relation_exists(target, name)) co_return Status{sqlstate::duplicate_table, "relation " + quoted(name) + " already exists"};
    WANDIAN_CO_TRY(refuse_type_name(ctx, target, name));
    view->oid = ctx.allocate_oid();
  }
  view->definition = definition->encode();
  Changes changes;
  changes.put(std::move(view));
  co_return ctx.apply(changes);
}

// ---- COMMENT ON ----

namespace {

struct CommentTarget {
  Oid catalog = 0;
  Oid oid = 0;
  std::int32_t column = 0;
};

std::vector<std::string> parts_of(const ParseNode* node) {
  std::vector<std::string> out;
  if (node == nullptr) return out;
  if (node->node_case == PG_QUERY__NODE__NODE_STRING) out.emplace_back(string_value(node));
  if (node->node_case == PG_QUERY__NODE__NODE_LIST)
    for (std::size_t i = 0; i < node->list->n_items; ++i) out.emplace_back(string_value(node->list->items[i]));
  return out;
}

Result<CommentTarget> find_comment_target(DdlContext& ctx, const PgQuery__CommentStmt& node) {
  std::vector<std::string> parts = parts_of(node.object);
  const auto find = [&](std::size_t name_at) -> Result<FoundRelation> {
    const std::string& name = parts[name_at];
    const std::string schema = name_at > 0 ? parts[name_at - 1] : std::string();
    const auto found = find_relation(ctx.bind_context(), schema, name);
    if (!found) return undefined_relation(schema, name);
    return *found;
  };
  switch (node.objtype) {
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABLE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_VIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW:
    case PG_QUERY__OBJECT_TYPE__OBJECT_INDEX:
    case PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE: {
      WANDIAN_ASSIGN(const FoundRelation found, find(parts.size() - 1));
      const bool materialized = found.kind == FoundRelation::Kind::kTable && ctx.catalog()->table(found.oid)->is_materialized_view();
      const bool matches = (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE && found.kind == FoundRelation::Kind::kTable && !materialized) ||
                           (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW && materialized) ||
                           (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW && found.kind == FoundRelation::Kind::kView) ||
                           (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX && found.kind == FoundRelation::Kind::kIndex) ||
                           (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_SEQUENCE && found.kind == FoundRelation::Kind::kSequence);
      if (!matches) {
        const char* wanted = node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_TABLE  ? "a table"
                             : node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_VIEW ? "a view"
                             : node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_MATVIEW ? "a materialized view"
                             : node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_INDEX ? "an index"
                                                                                   : "a sequence";
        return wrong_object_type(parts.back(), wanted);
      }
      WANDIAN_TRY(ctx.must_own_relation(found.oid));
      return CommentTarget{catalog_oid::kClass, found.oid, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLUMN: {
      if (parts.size() < 2) return Status{sqlstate::syntax_error, "column name must be qualified"};
      WANDIAN_ASSIGN(const FoundRelation found, find(parts.size() - 2));
      const std::string& column = parts.back();
      std::int32_t number = 0;
      if (found.kind == FoundRelation::Kind::kTable) {
        number = ctx.catalog()->table(found.oid)->find_column(column) + 1;
      } else if (found.kind == FoundRelation::Kind::kView) {
        const auto definition = ViewDefinition::decode(ctx.catalog()->object(ObjectKind::kView, found.oid)->definition);
        for (std::size_t i = 0; definition && i < definition->columns.size(); ++i)
          if (definition->columns[i].name == column) number = static_cast<std::int32_t>(i + 1);
      } else {
        return Status{sqlstate::wrong_object_type, "cannot set comment on relation " + quoted(parts[parts.size() - 2])};
      }
      if (number == 0)
        return undefined_column(column, parts[parts.size() - 2]);
      WANDIAN_TRY(ctx.must_own_relation(found.oid));
      return CommentTarget{catalog_oid::kClass, found.oid, number};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_SCHEMA: {
      WANDIAN_ASSIGN(const Oid schema, ctx.find_schema(parts[0], false));
      if (const auto object = securable_schema(*ctx.catalog(), schema)) WANDIAN_TRY(ctx.must_own(*object));
      return CommentTarget{catalog_oid::kNamespace, schema, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_EXTENSION: {
      if (parts[0] == kPlpgsqlName) return CommentTarget{catalog_oid::kExtension, kPlpgsqlExtension, 0};
      const auto found = ctx.catalog()->find_object(ObjectKind::kExtension, ctx.session.database(), parts[0]);
      if (found == nullptr) return Status{sqlstate::undefined_object, "extension " + quoted(parts[0]) + " does not exist"};
      WANDIAN_TRY(ctx.must_own({AclKind::kSchema, found->oid, found->owner, found->name, "extension"}));
      return CommentTarget{catalog_oid::kExtension, found->oid, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE: {
      const auto found = ctx.catalog()->find_object(ObjectKind::kDatabase, 0, parts[0]);
      if (found == nullptr) return Status{sqlstate::invalid_catalog_name, "database " + quoted(parts[0]) + " does not exist"};
      WANDIAN_TRY(ctx.must_own(*securable_database(*ctx.catalog(), found->oid)));
      return CommentTarget{catalog_oid::kDatabase, found->oid, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_COLLATION: {
      WANDIAN_ASSIGN(const auto found, find_user_collation(ctx, {node.object->list->items, node.object->list->n_items}));
      return CommentTarget{catalog_oid::kCollation, found->oid, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_TYPE:
    case PG_QUERY__OBJECT_TYPE__OBJECT_DOMAIN: {
      const PgQuery__TypeName& type = *node.object->type_name;
      WANDIAN_ASSIGN(const Oid found, find_type_oid(ctx, name_list(type.names, type.n_names)));
      WANDIAN_TRY(ctx.must_own_type(found));
      return CommentTarget{catalog_oid::kType, found, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_ROLE: {
      const auto found = ctx.catalog()->find_object(ObjectKind::kRole, 0, parts[0]);
      if (found == nullptr) return Status{sqlstate::undefined_object, "role " + quoted(parts[0]) + " does not exist"};
      if (!ctx.session.is_superuser()) {
        if (is_superuser_role(*ctx.catalog(), found->oid)) return denied("must be superuser to alter superusers");
        if (!may_create_roles(ctx)) return denied("must have CREATEROLE privilege");
      }
      return CommentTarget{catalog_oid::kAuthId, found->oid, 0};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_TABCONSTRAINT: {
      if (parts.size() < 2) return Status{sqlstate::syntax_error, "constraint name must be qualified"};
      WANDIAN_ASSIGN(const FoundRelation found, find(parts.size() - 2));
      if (found.kind != FoundRelation::Kind::kTable) return wrong_object_type(parts[parts.size() - 2], "a table");
      WANDIAN_TRY(ctx.must_own_relation(found.oid));
      const auto table = ctx.catalog()->table(found.oid);
      const std::string& name = parts.back();
      for (const CheckDef& check : table->checks)
        if (check.name == name) return CommentTarget{catalog_oid::kConstraint, check.oid, 0};
      for (const ForeignKeyDef& key : table->foreign_keys)
        if (key.name == name) return CommentTarget{catalog_oid::kConstraint, key.oid, 0};
      for (const IndexDef& index : table->indexes)
        if (index.constraint != 0 && index.name == name) return CommentTarget{catalog_oid::kConstraint, index.constraint, 0};
      return Status{sqlstate::undefined_object, "constraint " + quoted(name) + " for table " + quoted(table->name) + " does not exist"};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_TRIGGER: {
      if (parts.size() < 2) return Status{sqlstate::syntax_error, "trigger name must be qualified"};
      WANDIAN_ASSIGN(const FoundRelation found, find(parts.size() - 2));
      std::shared_ptr<const TableDef> table = found.kind == FoundRelation::Kind::kTable ? ctx.catalog()->table(found.oid) : nullptr;
      if (found.kind == FoundRelation::Kind::kView) table = view_table(*ctx.catalog()->object(ObjectKind::kView, found.oid));
      if (table != nullptr)
        for (const TriggerDef& trigger : table->triggers)
          if (trigger.name == parts.back()) return CommentTarget{catalog_oid::kTrigger, trigger.oid, 0};
      return Status{sqlstate::undefined_object, "trigger " + quoted(parts.back()) + " for table " + quoted(parts[parts.size() - 2]) + " does not exist"};
    }
    case PG_QUERY__OBJECT_TYPE__OBJECT_FUNCTION:
    case PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE: {
      WANDIAN_ASSIGN(const std::shared_ptr<const ObjectDef> routine,
                     find_routine(ctx, *node.object->object_with_args,
                                  node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_PROCEDURE ? "procedure" : "function"));
      WANDIAN_TRY(ctx.must_own_function(routine->oid));
      return CommentTarget{catalog_oid::kProc, routine->oid, 0};
    }
    default: return feature_not_supported("COMMENT ON this kind of object is not supported");
  }
}

}  // namespace

Status comment_on(DdlContext& ctx) {
  const PgQuery__CommentStmt& node = *ctx.statement.node->comment_stmt;
  Result<CommentTarget> found = find_comment_target(ctx, node);
  // A dump may name the database that it was taken from: not a reason to stop.
  if (node.objtype == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE && !found.ok() && found.status().code() == sqlstate::invalid_catalog_name) {
    ctx.session.notice(Severity::kWarning, sqlstate::invalid_catalog_name, found.status().error().message);
    return {};
  }
  WANDIAN_ASSIGN(const CommentTarget target, std::move(found));
  const std::string name = comment_name(target.catalog, target.column);
  const auto old = ctx.catalog()->find_object(ObjectKind::kComment, target.oid, name);
  Changes changes;
  if (text_or_empty(node.comment).empty()) {
    if (old == nullptr) return {};
    changes.drop(ObjectKind::kComment, old->oid);
    return ctx.apply(changes);
  }
  auto comment = std::make_shared<ObjectDef>();
  comment->kind = ObjectKind::kComment;
  comment->oid = old != nullptr ? old->oid : ctx.allocate_oid();
  comment->parent = target.oid;
  comment->owner = ctx.session.current_role();
  comment->name = name;
  comment->definition = node.comment;
  changes.put(std::move(comment));
  return ctx.apply(changes);
}

}  // namespace wandian::sql
