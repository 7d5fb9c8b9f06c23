// Statements that are neither plans nor definitions: settings, prepared statements, EXPLAIN, LOCK, maintenance, DISCARD.
#include <algorithm>
#include <charconv>
#include <utility>

#include "engine/table.h"
#include "sql/access/privileges.h"
#include "sql/access/roles.h"
#include "sql/bind/binder.h"
#include "sql/catalog/stored_objects.h"
#include "sql/ddl/context.h"
#include "sql/encoding_sink.h"
#include "sql/expr/expression.h"
#include "sql/column_names.h"
#include "sql/messages.h"
#include "sql/parse/parser.h"
#include "sql/partition/tree.h"
#include "sql/session_notify.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"
#include "sql/shard_share.h"
#include "sql/types/string_types.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

Status not_supported(std::string_view command) {
  return Status{sqlstate::feature_not_supported, std::string(command) + " is not supported"};
}

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
           return low(x) == low(y);
         });
}

// An option's argument as text: on/off words, numbers, strings, a type name used as a word.
std::string option_text(const ParseNode* node) {
  if (node == nullptr) return "";
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_STRING: return std::string(text_or_empty(node->string->sval));
    case PG_QUERY__NODE__NODE_INTEGER: return std::to_string(node->integer->ival);
    case PG_QUERY__NODE__NODE_FLOAT: return std::string(text_or_empty(node->float_->fval));
    case PG_QUERY__NODE__NODE_BOOLEAN: return node->boolean->boolval != 0 ? "true" : "false";
    case PG_QUERY__NODE__NODE_TYPE_NAME: {
      const PgQuery__TypeName& name = *node->type_name;
      return name.n_names > 0 ? std::string(string_value(name.names[name.n_names - 1])) : "";
    }
    case PG_QUERY__NODE__NODE_A_CONST: {
      const PgQuery__AConst& value = *node->a_const;
      switch (value.val_case) {
        case PG_QUERY__A__CONST__VAL_IVAL: return std::to_string(value.ival->ival);
        case PG_QUERY__A__CONST__VAL_FVAL: return std::string(text_or_empty(value.fval->fval));
        case PG_QUERY__A__CONST__VAL_BOOLVAL: return value.boolval->boolval != 0 ? "true" : "false";
        case PG_QUERY__A__CONST__VAL_SVAL: return std::string(text_or_empty(value.sval->sval));
        default: return "";
      }
    }
    default: return "";
  }
}

std::string quote_name(std::string_view name) {
  bool plain = !name.empty() && (name[0] == '_' || (name[0] >= 'a' && name[0] <= 'z'));
  for (const char c : name) plain = plain && (c == '_' || c == '$' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
  if (plain && name[0] != '$') return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

bool explains_as_json(const PgQuery__ExplainStmt& explain) {
  bool json = false;
  for (std::size_t i = 0; i < explain.n_options; ++i) {
    const PgQuery__DefElem& option = *explain.options[i]->def_elem;
    if (text_or_empty(option.defname) == "format") json = same_word(option_text(option.arg), "json");
  }
  return json;
}

// The columns of CREATE TABLE AS, as far as it could not be run: 42601, 42701.
Status check_column_names(const ParseNode& node, std::span<const ResultColumn> columns) {
  const PgQuery__IntoClause* into = node.node_case == PG_QUERY__NODE__NODE_CREATE_TABLE_AS_STMT ? node.create_table_as_stmt->into : nullptr;
  if (into == nullptr) return {};
  if (into->n_col_names > columns.size()) return Status{sqlstate::syntax_error, "too many column names were specified"};
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string_view name = i < into->n_col_names ? string_value(into->col_names[i]) : std::string_view(columns[i].name);
    names.push_back(name);
  }
  return check_distinct_names(names, [](std::string_view name) { return name; });
}

void make_text_result(Portal& portal, std::vector<std::string> names) {
  portal.columns.clear();
  std::vector<Oid> types;
  for (std::string& name : names) {
    ResultColumn column;
    column.name = std::move(name);
    column.type = type_oid::kText;
    portal.columns.push_back(std::move(column));
    types.push_back(type_oid::kText);
  }
  portal.own_columns = true;
  portal.kept = std::make_unique<KeptRows>(std::move(types));
}

}  // namespace

// ---- Dispatch ----

namespace {

// Whether PostgreSQL takes a snapshot for a statement that is none of queries: the transaction's modes are fixed by it.
bool takes_snapshot(StatementKind kind) {
  switch (kind) {
    case StatementKind::kSet:
    case StatementKind::kShow:
    case StatementKind::kLock:
    case StatementKind::kSetConstraints:
    case StatementKind::kCheckpoint:
    case StatementKind::kListen:
    case StatementKind::kUnlisten:
    case StatementKind::kNotify:
    case StatementKind::kFetch: return false;
    default: return true;
  }
}

}  // namespace

Task<Status> SessionImpl::run_utility(Portal& portal, std::string* tag) {
  const CompiledPtr statement = portal.statement;
  StatementRef ref = statement->ref();
  ref.params = portal.params;
  if (takes_snapshot(ref.kind)) queried_ = true;
  // CLUSTER changes a definition, but is no definition: READ ONLY transactions may.
  if (is_ddl(ref.kind) || ref.kind == StatementKind::kCluster) {
    WANDIAN_CO_TRY(ensure_transaction());
    if (read_only_ && ref.kind != StatementKind::kCluster)
      co_return Status{sqlstate::read_only_sql_transaction, "cannot execute " + std::string(statement->tag) + " in a read-only transaction"};
    Status status = co_await run_ddl(*this, ref, tag);
    co_await park(Parked::kNextCall);
    if (transaction_.active()) transaction_.end_statement();
    search_path_catalog_.reset();
    if (status.ok()) status = check_cancel();
    co_return std::move(status);
  }
  switch (ref.kind) {
    case StatementKind::kSet: co_return run_set(ref);
    case StatementKind::kShow: co_return run_show(portal);
    case StatementKind::kDiscard: co_return co_await run_discard(ref);
    case StatementKind::kPrepare: co_return run_prepare(*statement);
    case StatementKind::kDeallocate: co_return run_deallocate(ref);
    case StatementKind::kExplain: co_return co_await run_explain(portal);
    case StatementKind::kDeclareCursor: co_return co_await declare_cursor(portal);
    case StatementKind::kFetch: co_return co_await fetch(portal, tag);
    case StatementKind::kClosePortal: co_return close_cursor(ref);
    case StatementKind::kLock: co_return co_await run_lock(ref);
    case StatementKind::kCopy: co_return co_await run_copy(portal, tag);
    case StatementKind::kDo: co_return co_await run_do(ref);
    case StatementKind::kVacuum: co_return co_await run_vacuum(ref);
    case StatementKind::kReindex:
    case StatementKind::kCheckpoint: co_return run_maintenance(ref);
    case StatementKind::kListen:
    case StatementKind::kUnlisten:
    case StatementKind::kNotify: co_return run_notify(ref);
    case StatementKind::kSetConstraints: co_return co_await run_set_constraints(ref);
    case StatementKind::kLoad:
      co_return Status{sqlstate::undefined_file, "could not access file \"" + std::string(text_or_empty(ref.node->load_stmt->filename)) +
                                                     "\": No such file or directory"};
    default: co_return not_supported(statement->tag == "???" ? std::string_view("this statement") : statement->tag);
  }
}

Result<std::vector<ResultColumn>> SessionImpl::utility_columns(const CompiledStatement& statement) {
  std::vector<ResultColumn> out;
  const auto text = [&](std::string name) {
    ResultColumn column;
    column.name = std::move(name);
    column.type = type_oid::kText;
    out.push_back(std::move(column));
  };
  switch (statement.kind) {
    case StatementKind::kShow: {
      const std::string_view name = text_or_empty(statement.node()->variable_show_stmt->name);
      if (name == "all") {
        text("name");
        text("setting");
        text("description");
      } else {
        const SettingDef* def = find_setting(name);
        text(std::string(def != nullptr ? def->name : name));
      }
      break;
    }
    case StatementKind::kExplain:
      text("QUERY PLAN");
      if (explains_as_json(*statement.node()->explain_stmt)) out.back().type = type_oid::kJson;
      break;
    case StatementKind::kExecute: {
      const std::string_view name = text_or_empty(statement.node()->execute_stmt->name);
      Prepared* prepared = find_prepared(name);
      if (prepared == nullptr)
        return Status{sqlstate::invalid_sql_statement_name, "prepared statement \"" + std::string(name) + "\" does not exist"};
      out = prepared->statement->columns;
      break;
    }
    case StatementKind::kFetch: {
      if (statement.node()->fetch_stmt->ismove != 0) break;
      const Portal* cursor = find_portal(text_or_empty(statement.node()->fetch_stmt->portalname));
      if (cursor != nullptr) out = cursor->result_columns();
      break;
    }
    default: break;
  }
  return out;
}

// ---- Settings ----

// Texts for a client that does not speak UTF-8 are converted on their way to it, and what comes from it on its way in.
void SessionImpl::choose_sink() {
  if (closing_) return;
  const Encoding* encoding = client_encoding();
  if (encoding == nullptr) {
    sink_ = client_sink_;
    return;
  }
  if (encoding_sink_ == nullptr) encoding_sink_ = std::make_unique<EncodingSink>(*client_sink_);
  encoding_sink_->use(*encoding);
  sink_ = encoding_sink_.get();
}

Status SessionImpl::from_client(std::string_view* text, std::string* kept) const {
  if (client_encoding() == nullptr) [[likely]] return check_utf8(*text);
  kept->clear();
  WANDIAN_TRY(client_encoding()->to_utf8(*text, kept));
  *text = *kept;
  return {};
}

void SessionImpl::settings_changed() {
  choose_sink();
  const std::string& role = settings_.value(*find_setting("role"));
  const std::string& session_user = settings_.value(*find_setting("session_authorization"));
  Oid session = session_role_;
  if (const auto object = catalog()->find_object(ObjectKind::kRole, 0, session_user)) session = object->oid;
  Oid current = session;
  if (role != "none")
    if (const auto object = catalog()->find_object(ObjectKind::kRole, 0, role)) current = object->oid;
  become(session, definer_role_ != 0 ? definer_role_ : current);
  if (definer_role_ == 0) settings_.force("is_superuser", superuser_ ? "on" : "off");
}

void SessionImpl::become(Oid session_role, Oid current_role) {
  session_role_ = session_role;
  current_role_ = current_role;
  superuser_ = is_superuser_role(*catalog(), current_role_);
  settings_.set_superuser(superuser_);
  search_path_catalog_.reset();
}

std::optional<std::string> SessionImpl::show_value(std::string_view name) {
  if (same_word(name, "transaction_isolation")) return std::string(isolation_name());
  if (same_word(name, "transaction_read_only"))
    return std::string((block_ == Block::kNone ? settings_.decoded().default_read_only : read_only_) ? "on" : "off");
  if (same_word(name, "transaction_deferrable")) return std::string(deferrable_ ? "on" : "off");
  if (same_word(name, "seed")) return std::string("unavailable");
  return settings_.show(name);
}

// Who the settings that say so may make of the session's user.
Status SessionImpl::check_identity_setting(std::string_view name, std::string_view value) {
  const bool role = same_word(name, "role"), authorization = same_word(name, "session_authorization");
  if (!role && !authorization) return {};
  if (definer_role_ != 0)
    return Status{sqlstate::insufficient_privilege, "cannot set parameter \"" + std::string(name) + "\" within security-definer function"};
  if (role && value == "none") return {};
  const auto object = catalog()->find_object(ObjectKind::kRole, 0, value);
  if (object == nullptr) return Status{sqlstate::invalid_parameter_value, "role \"" + std::string(value) + "\" does not exist"};
  if (role) {
    if (is_member_of(*catalog(), database_, session_role_, object->oid)) return {};
    return Status{sqlstate::insufficient_privilege, "permission denied to set role \"" + std::string(value) + "\""};
  }
  if (object->oid == authenticated_role_ || is_superuser_role(*catalog(), authenticated_role_)) return {};
  return Status{sqlstate::insufficient_privilege, "permission denied to set session authorization"};
}

Status SessionImpl::set_value(std::string_view name, std::string_view value, bool local, bool in_transaction) {
  if (same_word(name, "transaction_isolation")) return set_isolation(value);
  if (same_word(name, "transaction_read_only") || same_word(name, "transaction_deferrable")) {
    bool on = false;
    if (!parse_setting_bool(value, &on))
      return Status{sqlstate::invalid_parameter_value, "parameter \"" + std::string(name) + "\" requires a Boolean value"};
    return same_word(name, "transaction_read_only") ? set_read_only(on) : set_deferrable(on);
  }
  WANDIAN_TRY(check_identity_setting(name, value));
  const bool role = same_word(name, "role"), authorization = same_word(name, "session_authorization");
  if (same_word(name, "seed")) {
    double number = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
    if (parsed.ec != std::errc{} || number < -1 || number > 1)
      return Status{sqlstate::invalid_parameter_value,
                    std::string(value) + " is outside the valid range for parameter \"seed\" (-1 .. 1)"};
    seed_random(number);
    return {};
  }
  WANDIAN_TRY(settings_.set(name, value, local, in_transaction));
  // Another session user starts as himself.
  if (authorization) (void)settings_.set("role", "none", local, in_transaction);
  role || authorization ? settings_changed() : choose_sink();
  if (same_word(name, "application_name")) {
    const std::lock_guard guard(activity_mutex_);
    activity_.application_name = settings_.value(*find_setting("application_name"));
  }
  return {};
}

static bool holds_names(std::string_view setting) {
  return setting == "search_path" || setting == "temp_tablespaces" || setting == "unix_socket_directories" || setting.ends_with("_preload_libraries");
}

Status SessionImpl::run_set(StatementRef statement) {
  const PgQuery__VariableSetStmt& set = *statement.node->variable_set_stmt;
  const std::string_view name = text_or_empty(set.name);
  const bool local = set.is_local != 0;
  ensure_block();
  switch (set.kind) {
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI:
      if (name == "TRANSACTION") {
        warn_outside_transaction_block("SET TRANSACTION");
        return apply_transaction_modes(set.args, set.n_args, false);
      }
      if (name == "SESSION CHARACTERISTICS") return apply_transaction_modes(set.args, set.n_args, true);
      if (local) return not_supported("SET LOCAL TRANSACTION SNAPSHOT");
      warn_outside_transaction_block("SET TRANSACTION");
      return import_snapshot(std::string(set.args[0]->a_const->sval->sval));
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
      settings_.reset_all(true);
      settings_changed();
      return {};
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT:
    case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET: {
      if (local) warn_outside_transaction_block("SET LOCAL");
      if (name == "transaction_isolation") return set_isolation("read committed");
      if (name == "transaction_read_only") return set_read_only(settings_.decoded().default_read_only);
      if (name == "transaction_deferrable") {
        deferrable_ = false;
        return {};
      }
      if ((same_word(name, "role") || same_word(name, "session_authorization")) && definer_role_ != 0)
        return Status{sqlstate::insufficient_privilege, "cannot set parameter \"" + std::string(name) + "\" within security-definer function"};
      Status status = settings_.reset(name, local, true);
      if (status.ok() && same_word(name, "session_authorization")) (void)settings_.set("role", "none", local, true);
      settings_changed();
      return status;
    }
    case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_CURRENT: {
      const std::optional<std::string> now = show_value(name);
      if (!now) return unrecognized_setting(name);
      return set_value(name, *now, local, true);
    }
    default: break;
  }
  if (local) warn_outside_transaction_block("SET LOCAL");
  const SettingDef* def = find_setting(name);
  const bool list = def != nullptr && def->list;
  if (set.n_args > 1 && !list)
    return Status{sqlstate::invalid_parameter_value, "SET " + std::string(name) + " takes only one argument"};
  std::string value;
  for (std::size_t i = 0; i < set.n_args; ++i) {
    const ParseNode* arg = set.args[i];
    std::string one;
    if (arg->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
      // SET TIME ZONE INTERVAL '...' HOUR TO MINUTE
      const PgQuery__TypeCast& cast = *arg->type_cast;
      WANDIAN_ASSIGN(const ResolvedType type, resolve_type(*cast.type_name, statement.text));
      Arena arena;
      EvalContext context = eval_context(arena);
      Value interval;
      if (!value_from_text(context, type.type, type.typmod, option_text(cast.arg), &interval)) return std::move(context.error);
      const IntervalValue parts = load_interval(interval);
      if (parts.months != 0 || parts.days != 0)
        return Status{sqlstate::invalid_parameter_value, "invalid value for parameter \"TimeZone\": \"" + option_text(cast.arg) + "\""}
            .with_detail(parts.months != 0 ? "Cannot specify months in time zone interval." : "Cannot specify days in time zone interval.");
      one = "@" + std::to_string(parts.microseconds / 1'000'000);
    } else {
      one = option_text(arg);
      // A name given as a string in a list of names may hold anything: it is quoted as an identifier. In other lists, a string
      // may hold several items ('ISO, MDY').
      const bool is_text = arg->node_case == PG_QUERY__NODE__NODE_A_CONST && arg->a_const->val_case == PG_QUERY__A__CONST__VAL_SVAL;
      if (list && is_text && holds_names(def->name)) one = quote_name(one);
    }
    value += (i == 0 ? "" : ", ") + one;
  }
  return set_value(name, value, local, true);
}

Status SessionImpl::check_readable_setting(std::string_view name) {
  const SettingDef* def = find_setting(name);
  if (def == nullptr || !is_hidden_setting(def->name) || may_read_settings()) return {};
  return Status{sqlstate::insufficient_privilege,
                "must be superuser or have privileges of pg_read_all_settings to examine \"" + std::string(def->name) + "\""};
}

Status SessionImpl::run_show(Portal& portal) {
  const std::string_view name = text_or_empty(portal.statement->node()->variable_show_stmt->name);
  if (name == "all") {
    make_text_result(portal, {"name", "setting", "description"});
    for (const SettingDef& def : all_settings()) {
      if (def.name == "is_superuser" || def.name == "role" || def.name == "seed" || def.name == "session_authorization") continue;
      if (is_hidden_setting(def.name) && !may_read_settings()) continue;
      const std::string row[3] = {std::string(def.name), show_value(def.name).value_or(""), std::string(def.description)};
      portal.kept->add_text(row);
    }
    return {};
  }
  const std::optional<std::string> value = show_value(name);
  if (!value) return unrecognized_setting(name);
  WANDIAN_TRY(check_readable_setting(name));
  const SettingDef* def = find_setting(name);
  make_text_result(portal, {std::string(def != nullptr ? def->name : name)});
  portal.kept->add_text({&*value, 1});
  return {};
}

Task<Status> SessionImpl::run_discard(StatementRef statement) {
  const PgQuery__DiscardMode target = statement.node->discard_stmt->target;
  const bool all = target == PG_QUERY__DISCARD_MODE__DISCARD_ALL;
  if (all) WANDIAN_CO_TRY(prevent_in_transaction_block("DISCARD ALL"));
  if (all) {
    drop_portals(0, false);
    settings_.reset_all(true);
    (void)settings_.reset("session_authorization", false, true);
    (void)settings_.reset("role", false, true);
    settings_changed();
    prepared_.clear();
    if (notifications_ != nullptr) notifications_->unlisten_all();
    release_session_advisory();
  }
  if (all || target == PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES) {
    sequence_values_.clear();
    cached_values_.clear();
    last_sequence_ = 0;
  }
  // DISCARD PLANS: plans are shared and renewed by themselves.
  const bool temporary = all || (target != PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES && target != PG_QUERY__DISCARD_MODE__DISCARD_PLANS);
  if (temporary && temporary_schema_ != 0) {
    WANDIAN_CO_TRY(ensure_transaction());
    WANDIAN_CO_TRY(co_await drop_temporary_objects(*this, temporary_schema_));
    co_await park(Parked::kNextCall);
    set_temporary_schema(0);
  }
  co_return Status{};
}

// ---- Prepared statements ----

Status SessionImpl::run_prepare(const CompiledStatement& statement) {
  const PgQuery__PrepareStmt& prepare = *statement.node()->prepare_stmt;
  const std::string name(text_or_empty(prepare.name));
  if (prepared_.contains(name))
    return Status{sqlstate::duplicate_prepared_statement, "prepared statement \"" + name + "\" already exists"};
  std::vector<Oid> declared;
  for (std::size_t i = 0; i < prepare.n_argtypes; ++i) {
    WANDIAN_ASSIGN(const ResolvedType type, resolve_type(*prepare.argtypes[i]->type_name, statement.text()));
    declared.push_back(type.type);
  }
  WANDIAN_ASSIGN(CompiledPtr compiled, compile(statement.parsed, statement.index, prepare.query, declared));
  if (compiled->bound == nullptr)
    return Status{sqlstate::syntax_error, "statement of this kind cannot be prepared"};
  Prepared& prepared = prepared_[name];
  prepared.name = name;
  prepared.statement = std::move(compiled);
  prepared.from_sql = true;
  prepared.described = true;
  prepared.prepare_time = statement_timestamp_;
  return {};
}

Status SessionImpl::run_deallocate(StatementRef statement) {
  const std::string_view name = text_or_empty(statement.node->deallocate_stmt->name);
  if (name.empty()) {
    prepared_.clear();
    return {};
  }
  const auto found = prepared_.find(name);
  if (found == prepared_.end())
    return Status{sqlstate::invalid_sql_statement_name, "prepared statement \"" + std::string(name) + "\" does not exist"};
  prepared_.erase(found);
  return {};
}

// EXECUTE becomes its statement with the arguments as parameters.
Status SessionImpl::resolve_execute(Portal& portal) {
  const CompiledPtr execute = portal.statement;
  const PgQuery__ExecuteStmt& call = *execute->node()->execute_stmt;
  const std::string name(text_or_empty(call.name));
  Prepared* prepared = name.empty() ? nullptr : find_prepared(name);
  if (prepared == nullptr)
    return Status{sqlstate::invalid_sql_statement_name, "prepared statement \"" + name + "\" does not exist"};
  WANDIAN_ASSIGN(prepared->statement, current_form(prepared->statement, prepared->described));
  const std::vector<Oid>& types = prepared->statement->parameter_types;
  // What a statement without parameters is given is not looked at.
  if (!types.empty() && call.n_params != types.size())
    return Status{sqlstate::syntax_error, "wrong number of parameters for prepared statement \"" + name + "\""}.with_detail(
        "Expected " + std::to_string(types.size()) + " parameters but got " + std::to_string(call.n_params) + ".");
  EvalContext context = eval_context(portal.arena);
  BindContext names = bind_context();
  names.eval = &context;
  std::vector<Value> values;
  for (std::size_t i = 0; i < types.size(); ++i) {
    StandaloneOptions options;
    options.use = StandaloneUse::kExecute;
    options.target_type = types[i];
    WANDIAN_ASSIGN(const BoundExpression bound, bind_standalone_node(call.params[i], execute->text(), names, options));
    WANDIAN_ASSIGN(const Value value, evaluate_constant(*bound.expr, context, portal.params.data()));
    values.push_back(value.is_null ? value : copy_value(types[i], value, portal.arena));
  }
  portal.params = std::move(values);
  portal.statement = prepared->statement;
  return {};
}

std::vector<PreparedInfo> SessionImpl::prepared_statements() const {
  std::vector<PreparedInfo> out;
  for (const auto& [name, prepared] : prepared_) {
    PreparedInfo info;
    info.name = name;
    info.statement = prepared.statement->text();
    info.prepare_time = prepared.prepare_time;
    info.parameter_types = prepared.statement->parameter_types;
    info.from_sql = prepared.from_sql;
    out.push_back(std::move(info));
  }
  return out;
}

// ---- EXPLAIN ----

// What EXPLAIN (SETTINGS) shows: settings of the planner that are not what they are without anybody's doing.
std::vector<std::pair<std::string, std::string>> SessionImpl::planner_settings() {
  static constexpr std::string_view kOthers[] = {"effective_io_concurrency", "hash_mem_multiplier", "max_parallel_workers",
                                                 "max_parallel_workers_per_gather", "parallel_leader_participation", "search_path",
                                                 "temp_buffers", "work_mem"};
  std::vector<std::pair<std::string, std::string>> out;
  for (const SettingDef& def : all_settings()) {
    const bool planner = def.category.starts_with("Query Tuning") && def.name != "default_statistics_target" && def.name != "cursor_tuple_fraction";
    if (!planner && std::find(std::begin(kOthers), std::end(kOthers), def.name) == std::end(kOthers)) continue;
    if (settings_.value(def) != def.boot) out.emplace_back(def.name, show_value(def.name).value_or(""));
  }
  return out;
}

Task<Status> SessionImpl::run_explain(Portal& portal) {
  const CompiledPtr statement = portal.statement;
  const PgQuery__ExplainStmt& explain = *statement->node()->explain_stmt;
  ExplainOptions options;
  bool summary_given = false, timing_given = false, settings = false, wal = false;
  for (std::size_t i = 0; i < explain.n_options; ++i) {
    const PgQuery__DefElem& option = *explain.options[i]->def_elem;
    const std::string_view name = text_or_empty(option.defname);
    if (name == "format") {
      const std::string format = option_text(option.arg);
      options.json = same_word(format, "json");
      if (options.json || same_word(format, "text")) continue;
      if (same_word(format, "xml") || same_word(format, "yaml")) co_return not_supported("EXPLAIN (FORMAT " + format + ")");
      co_return Status{sqlstate::invalid_parameter_value,
                       "unrecognized value for EXPLAIN option \"format\": \"" + format + "\""}
          .with_position(character_position(statement->text(), option.location));
    }
    Result<bool> on = option_bool(option);
    if (!on.ok()) co_return on.take_status();
    if (name == "analyze") {
      options.analyze = on.value();
    } else if (name == "verbose") {
      options.verbose = on.value();
    } else if (name == "costs") {
      options.costs = on.value();
    } else if (name == "timing") {
      options.timing = on.value();
      timing_given = true;
    } else if (name == "summary") {
      options.summary = on.value();
      summary_given = true;
    } else if (name == "buffers") {
      options.buffers = on.value();
    } else if (name == "settings") {
      settings = on.value();
    } else if (name == "wal") {
      wal = on.value();
    } else {
      co_return Status{sqlstate::syntax_error, "unrecognized EXPLAIN option \"" + std::string(name) + "\""}.with_position(
          character_position(statement->text(), option.location));
    }
  }
  if (wal && !options.analyze) co_return Status{sqlstate::invalid_parameter_value, "EXPLAIN option WAL requires ANALYZE"};
  if (wal) co_return not_supported("EXPLAIN (WAL)");
  if (timing_given && options.timing && !options.analyze)
    co_return Status{sqlstate::invalid_parameter_value, "EXPLAIN option TIMING requires ANALYZE"};
  if (!summary_given) options.summary = options.analyze;
  if (settings) options.settings = planner_settings();

  const ParseNode* inside = explain.query;
  std::vector<std::string> lines;
  Portal inner;
  inner.params = portal.params;
  const StatementKind kind = classify(inside);
  if (kind == StatementKind::kExecute || kind == StatementKind::kSelect || kind == StatementKind::kInsert ||
      kind == StatementKind::kUpdate || kind == StatementKind::kDelete || kind == StatementKind::kMerge ||
      kind == StatementKind::kDeclareCursor || kind == StatementKind::kCreateTableAs) {
    const ParseNode* planned =
        kind == StatementKind::kDeclareCursor || kind == StatementKind::kCreateTableAs ? inner_statement(inside) : inside;
    const std::int64_t planning_began = engine_database().env().clock().monotonic_us();
    Result<CompiledPtr> compiled = compile(statement->parsed, statement->index, planned, statement->parameter_types);
    if (!compiled.ok()) co_return compiled.take_status();
    inner.statement = compiled.take();
    if (kind == StatementKind::kExecute) WANDIAN_CO_TRY(resolve_execute(inner));
    options.planning_ms = static_cast<double>(engine_database().env().clock().monotonic_us() - planning_began) / 1000;
    WANDIAN_CO_TRY(check_access(*inner.statement));
    if (kind == StatementKind::kDeclareCursor && inner.statement->bound != nullptr)
      WANDIAN_CO_TRY(check_cursor(*inside->declare_cursor_stmt, *inner.statement->bound));
    if (kind == StatementKind::kCreateTableAs && options.analyze) WANDIAN_CO_TRY(check_column_names(*inside, inner.statement->columns));
    if (inner.statement->plan == nullptr) {
      lines.push_back("Result");
    } else if (!options.analyze) {
      lines = explain_plan(*inner.statement->plan, options);
    } else {
      WANDIAN_CO_TRY(co_await lock_and_begin(&inner.statement, false));
      WANDIAN_CO_TRY(check_may_run(*inner.statement));
      inner.execution = Execution::create(inner.statement->plan, execution_env(), inner.params);
      inner.execution->instrument();
      RowCounter counter;
      std::uint64_t rows = 0;
      bool finished = false;
      const std::int64_t began = engine_database().env().clock().monotonic_us();
      Status status = co_await run_execution(*inner.execution, 0, counter, &rows, &finished);
      options.execution_ms = static_cast<double>(engine_database().env().clock().monotonic_us() - began) / 1000;
      transaction_.end_statement();
      WANDIAN_CO_TRY(std::move(status));
      lines = inner.execution->explain(options);
    }
  } else {
    lines.push_back(options.json ? "[\n  \"Utility Statement\"\n]" : "Utility statements have no plan structure");
  }
  make_text_result(portal, {"QUERY PLAN"});
  if (options.json) {
    portal.columns[0].type = type_oid::kJson;
    portal.kept = std::make_unique<KeptRows>(std::vector<Oid>{type_oid::kJson});
  }
  for (const std::string& line : lines) portal.kept->add_text({&line, 1});
  co_return Status{};
}

// ---- LOCK and maintenance ----

namespace {

Status not_lockable(std::string_view name, std::string_view kind) {
  return Status{sqlstate::wrong_object_type, "cannot lock relation " + quoted(name)}.with_detail(
      "This operation is not supported for " + std::string(kind) + ".");
}

// 42501, if a role may do nothing that LOCK in this mode is for.
Status check_may_lock(const AccessScope& scope, Oid relation, TableLock mode) {
  const std::optional<Securable> object = securable_relation(scope.catalog, relation);
  if (!object) return {};
  Privileges any_of = privilege::kUpdate | privilege::kDelete | privilege::kTruncate;
  if (mode == TableLock::kAccessShare) any_of = privilege::kSelect;
  if (mode == TableLock::kRowExclusive) any_of |= privilege::kInsert;
  return privileges_on(scope, *object, any_of) != 0 ? Status{} : permission_denied(object->word, object->name);
}

}  // namespace

Task<Status> SessionImpl::run_lock(StatementRef statement) {
  WANDIAN_CO_TRY(require_transaction_block("LOCK TABLE"));
  WANDIAN_CO_TRY(ensure_transaction());
  const PgQuery__LockStmt& lock = *statement.node->lock_stmt;
  const auto mode = static_cast<TableLock>(lock.mode);
  const LockWait wait = lock.nowait != 0 ? LockWait::kNoWait : LockWait::kBlock;
  for (std::size_t i = 0; i < lock.n_relations; ++i) {
    const PgQuery__RangeVar& relation = *lock.relations[i]->range_var;
    const std::string_view schema = text_or_empty(relation.schemaname), name = text_or_empty(relation.relname);
    WANDIAN_CO_TRY(check_named_schema(schema));
    const std::optional<FoundRelation> found = find_relation(bind_context(), schema, name);
    if (!found) co_return undefined_relation(schema, name);
    if (found->kind == FoundRelation::Kind::kSequence) co_return not_lockable(name, "sequences");
    if (found->kind == FoundRelation::Kind::kIndex) co_return not_lockable(name, "indexes");
    const bool is_table = found->kind == FoundRelation::Kind::kTable;
    if (is_table && catalog()->table(found->oid)->is_materialized_view()) co_return not_lockable(name, "materialized views");
    WANDIAN_CO_TRY(check_may_lock(access_scope(), found->oid, mode));
    if (found->kind == FoundRelation::Kind::kSystem) {
      std::shared_ptr<const TableDef> stand_in = relation_to_lock(found->oid, name);
      WANDIAN_CO_TRY(co_await lock_table(std::move(stand_in), mode, wait));
      continue;
    }
    if (is_table) {
      WANDIAN_CO_TRY(co_await lock_with_partitions(found->oid, mode, wait, relation.inh != 0));
    } else {
      WANDIAN_CO_TRY(co_await lock_view(found->oid, mode, wait));
    }
    // It may have been dropped while we waited.
    if (catalog()->table(found->oid) == nullptr && catalog()->object(ObjectKind::kView, found->oid) == nullptr) co_return undefined_relation(schema, name);
  }
  co_return Status{};
}

Task<Status> SessionImpl::lock_with_partitions(Oid oid, TableLock mode, LockWait wait, bool partitions) {
  std::shared_ptr<const TableDef> table = catalog()->table(oid);
  if (table == nullptr) co_return Status{};
  WANDIAN_CO_TRY(co_await lock_table(table, mode, wait));
  table = catalog()->table(oid);
  if (table == nullptr || !partitions) co_return Status{};
  for (const std::shared_ptr<const TableDef>& partition : all_partitions(*catalog(), *table)) WANDIAN_CO_TRY(co_await lock_table(partition, mode, wait));
  co_return Status{};
}

// A view with all that it reads, as whoever's privileges count there.
Task<Status> SessionImpl::lock_view(Oid oid, TableLock mode, LockWait wait) {
  const std::shared_ptr<const ObjectDef> view = catalog()->object(ObjectKind::kView, oid);
  std::shared_ptr<const TableDef> stand_in = view_to_lock(*view);
  WANDIAN_CO_TRY(co_await lock_table(std::move(stand_in), mode, wait));
  if (catalog()->object(ObjectKind::kView, oid) == nullptr) co_return Status{};
  Result<ParsedStatements> parsed = ParsedStatements::parse("SELECT FROM pg_catalog.\"" + std::to_string(oid) + "\"");
  if (!parsed.ok()) co_return parsed.take_status();
  Result<std::shared_ptr<const BoundStatement>> bound = bind_statement(parsed.value().statements()[0].node, {}, stored_context(bind_context()));
  if (!bound.ok()) co_return bound.take_status();
  const std::vector<RelationAccess>& accesses = bound.value()->accesses;
  for (const RelationAccess& access : accesses) {
    if (access.relation == oid) continue;
    const std::shared_ptr<const TableDef> table = catalog()->table(access.relation);
    const std::shared_ptr<const ObjectDef> inner = catalog()->object(ObjectKind::kView, access.relation);
    if (inner == nullptr && (table == nullptr || table->is_materialized_view())) continue;
    AccessScope scope = access_scope();
    if (access.check_as != 0) scope.role = access.check_as;
    WANDIAN_CO_TRY(check_may_lock(scope, access.relation, mode));
    if (inner != nullptr) {
      stand_in = view_to_lock(*inner);
      WANDIAN_CO_TRY(co_await lock_table(std::move(stand_in), mode, wait));
    } else {
      WANDIAN_CO_TRY(co_await lock_with_partitions(access.relation, mode, wait, true));
    }
  }
  co_return Status{};
}

Status SessionImpl::run_maintenance(StatementRef statement) {
  const auto check_table = [&](const PgQuery__RangeVar* relation) -> Status {
    if (relation == nullptr) return {};
    const std::string_view schema = text_or_empty(relation->schemaname), name = text_or_empty(relation->relname);
    const std::optional<FoundRelation> found = find_relation(bind_context(), schema, name);
    if (!found) return undefined_relation(schema, name);
    const std::optional<Securable> object = securable_relation(*catalog(), found->oid);
    if (!object || owns(access_scope(), *object)) return {};
    return must_be_owner(object->word, object->name);
  };
  switch (statement.kind) {
    case StatementKind::kReindex: {
      const PgQuery__ReindexStmt& reindex = *statement.node->reindex_stmt;
      bool concurrently = false;
      for (std::size_t i = 0; i < reindex.n_params; ++i) {
        const PgQuery__DefElem& option = *reindex.params[i]->def_elem;
        const std::string_view name = text_or_empty(option.defname);
        if (name == "tablespace") continue;
        if (name != "concurrently" && name != "verbose")
          return Status{sqlstate::syntax_error, "unrecognized REINDEX option \"" + std::string(name) + "\""}.with_position(
              character_position(statement.text, option.location));
        WANDIAN_ASSIGN(const bool on, option_bool(option));
        if (name == "concurrently") concurrently = on;
      }
      if (concurrently) WANDIAN_TRY(prevent_in_transaction_block("REINDEX CONCURRENTLY"));
      if (reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA && !catalog()->find_schema(database_, text_or_empty(reindex.name)))
        return Status{sqlstate::invalid_schema_name, "schema \"" + std::string(text_or_empty(reindex.name)) + "\" does not exist"};
      if (reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA ||
          reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SYSTEM ||
          reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_DATABASE) {
        if (reindex.kind != PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA && !text_or_empty(reindex.name).empty() &&
            text_or_empty(reindex.name) != database_name_)
          return Status{sqlstate::feature_not_supported, "can only reindex the currently open database"};
        return prevent_in_transaction_block(reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SCHEMA   ? "REINDEX SCHEMA"
                                            : reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_SYSTEM ? "REINDEX SYSTEM"
                                                                                                                  : "REINDEX DATABASE");
      }
      WANDIAN_TRY(check_table(reindex.relation));
      const std::optional<FoundRelation> found = find_relation(bind_context(), text_or_empty(reindex.relation->schemaname), text_or_empty(reindex.relation->relname));
      const bool wants_index = reindex.kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_INDEX;
      const bool fits = !found || found->kind == FoundRelation::Kind::kSystem ||
                        (wants_index ? found->kind == FoundRelation::Kind::kIndex : found->kind == FoundRelation::Kind::kTable);
      if (!fits)
        return Status{sqlstate::wrong_object_type,
                      "\"" + std::string(text_or_empty(reindex.relation->relname)) + (wants_index ? "\" is not an index" : "\" is not a table or materialized view")};
      const std::shared_ptr<const TableDef> table = found ? catalog()->table(wants_index ? found->table : found->oid) : nullptr;
      if (table == nullptr || !table->is_partitioned()) return {};
      Status alone = prevent_in_transaction_block(wants_index ? "REINDEX INDEX" : "REINDEX TABLE");
      if (alone.ok()) return {};
      const auto schema = catalog()->schema(table->schema);
      return std::move(alone).with_context(std::string("while reindexing partitioned ") + (wants_index ? "index" : "table") + " \"" +
                                           (schema != nullptr ? schema->name : std::string()) + "." +
                                           std::string(text_or_empty(reindex.relation->relname)) + "\"");
    }
    default:
      if (!has_privileges_of(*catalog(), database_, current_role_, role_oid::kCheckpoint))
        return Status{sqlstate::insufficient_privilege, "must be superuser or have privileges of pg_checkpoint to do CHECKPOINT"};
      return {};
  }
}

}  // namespace wandian::sql
