#include "sql/ddl/sequence.h"
#include "sql/messages.h"

#include <charconv>

#include "engine/sequence.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

struct Limits {
  std::int64_t lowest, highest;
  const char* name;
};

Limits limits_of(Oid type) {
  if (type == kInt2) return {INT16_MIN, INT16_MAX, "smallint"};
  if (type == kInt4) return {INT32_MIN, INT32_MAX, "integer"};
  return {INT64_MIN, INT64_MAX, "bigint"};
}

Status invalid(std::string message) { return Status{sqlstate::invalid_parameter_value, std::move(message)}; }

Result<std::int64_t> number_of(const PgQuery__DefElem& option) {
  const std::string text = option_text(option);
  std::int64_t value = 0;
  const char* begin = text.data();
  if (text.starts_with('+')) ++begin;
  const auto parsed = std::from_chars(begin, text.data() + text.size(), value);
  if (parsed.ec == std::errc::result_out_of_range)
    return Status{sqlstate::numeric_value_out_of_range, "value \"" + text + "\" is out of range for type bigint"};
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
    return Status{sqlstate::syntax_error, std::string(option.defname) + " requires a numeric value"};
  return value;
}

}  // namespace

Status apply_sequence_options(DdlContext& ctx, PgQuery__Node** options, std::size_t count, bool creating, SequenceDef* sequence,
                              SequenceChange* change) {
  const PgQuery__DefElem *type = nullptr, *increment = nullptr, *start = nullptr, *restart = nullptr, *maximum = nullptr, *minimum = nullptr,
                         *cache = nullptr, *cycle = nullptr, *owner = nullptr, *name = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *options[i]->def_elem;
    const std::string_view key = text_or_empty(option.defname);
    const PgQuery__DefElem** slot = key == "as" ? &type : key == "increment" ? &increment : key == "start" ? &start : key == "restart" ? &restart
                                    : key == "maxvalue" ? &maximum : key == "minvalue" ? &minimum : key == "cache" ? &cache
                                    : key == "cycle" ? &cycle : key == "owned_by" ? &owner : key == "sequence_name" ? &name : nullptr;
    if (slot == nullptr) return Status{sqlstate::syntax_error, "option \"" + std::string(key) + "\" not recognized"};
    if (*slot != nullptr) return Status{sqlstate::syntax_error, "conflicting or redundant options"}.with_position(ctx.position(option.location));
    *slot = &option;
  }
  bool reset_maximum = false, reset_minimum = false;
  if (type != nullptr) {
    if (type->arg == nullptr || type->arg->node_case != PG_QUERY__NODE__NODE_TYPE_NAME) return invalid("sequence type must be smallint, integer, or bigint");
    WANDIAN_ASSIGN(const ResolvedType resolved, resolve_type(*type->arg->type_name, ctx.statement.text));
    if (resolved.type != kInt2 && resolved.type != kInt4 && resolved.type != kInt8)
      return invalid("sequence type must be smallint, integer, or bigint");
    if (!creating) {
      // Bounds that were the old type's follow the new one.
      const Limits old = limits_of(sequence->type);
      reset_maximum = (sequence->increment > 0 && sequence->maximum == old.highest) || (sequence->increment < 0 && sequence->maximum == -1);
      reset_minimum = (sequence->increment < 0 && sequence->minimum == old.lowest) || (sequence->increment > 0 && sequence->minimum == 1);
    }
    sequence->type = resolved.type;
  }
  const Limits limits = limits_of(sequence->type);
  if (increment != nullptr) {
    WANDIAN_ASSIGN(sequence->increment, number_of(*increment));
    if (sequence->increment == 0) return invalid("INCREMENT must not be zero");
  }
  if (cycle != nullptr) sequence->cycle = option_text(*cycle) == "true";
  if (maximum != nullptr && maximum->arg != nullptr) {
    WANDIAN_ASSIGN(sequence->maximum, number_of(*maximum));
  } else if (creating || maximum != nullptr || reset_maximum) {
    sequence->maximum = sequence->increment > 0 ? limits.highest : -1;
  }
  if (sequence->maximum > limits.highest || sequence->maximum < limits.lowest)
    return invalid("MAXVALUE (" + std::to_string(sequence->maximum) + ") is out of range for sequence data type " + limits.name);
  if (minimum != nullptr && minimum->arg != nullptr) {
    WANDIAN_ASSIGN(sequence->minimum, number_of(*minimum));
  } else if (creating || minimum != nullptr || reset_minimum) {
    sequence->minimum = sequence->increment > 0 ? 1 : limits.lowest;
  }
  if (sequence->minimum > limits.highest || sequence->minimum < limits.lowest)
    return invalid("MINVALUE (" + std::to_string(sequence->minimum) + ") is out of range for sequence data type " + limits.name);
  if (sequence->minimum >= sequence->maximum)
    return invalid("MINVALUE (" + std::to_string(sequence->minimum) + ") must be less than MAXVALUE (" + std::to_string(sequence->maximum) + ")");
  if (start != nullptr) {
    WANDIAN_ASSIGN(sequence->start, number_of(*start));
  } else if (creating) {
    sequence->start = sequence->increment > 0 ? sequence->minimum : sequence->maximum;
  }
  const auto in_bounds = [&](const char* what, std::int64_t value) -> Status {
    if (value < sequence->minimum)
      return invalid(std::string(what) + " value (" + std::to_string(value) + ") cannot be less than MINVALUE (" + std::to_string(sequence->minimum) + ")");
    if (value > sequence->maximum)
      return invalid(std::string(what) + " value (" + std::to_string(value) + ") cannot be greater than MAXVALUE (" + std::to_string(sequence->maximum) + ")");
    return {};
  };
  WANDIAN_TRY(in_bounds("START", sequence->start));
  if (restart != nullptr) {
    std::int64_t value = sequence->start;
    if (restart->arg != nullptr) {
      WANDIAN_ASSIGN(value, number_of(*restart));
    }
    WANDIAN_TRY(in_bounds("RESTART", value));
    change->restart = value;
  }
  if (cache != nullptr) {
    WANDIAN_ASSIGN(sequence->cache, number_of(*cache));
    if (sequence->cache <= 0) return invalid("CACHE (" + std::to_string(sequence->cache) + ") must be greater than zero");
  }
  if (owner != nullptr) {
    change->owner_given = true;
    if (owner->arg != nullptr && owner->arg->node_case == PG_QUERY__NODE__NODE_LIST)
      for (std::size_t i = 0; i < owner->arg->list->n_items; ++i) change->owner.emplace_back(string_value(owner->arg->list->items[i]));
  }
  return {};
}

Result<std::shared_ptr<SequenceDef>> make_owned_sequence(DdlContext& ctx, Changes& changes, const TableDef& table, std::uint16_t column, Oid type,
                                                         char kind, PgQuery__Node** options, std::size_t count) {
  auto sequence = std::make_shared<SequenceDef>();
  sequence->oid = ctx.allocate_oid();
  sequence->schema = table.schema;
  sequence->owner = table.owner;
  sequence->type = type;
  sequence->temporary = table.temporary;
  sequence->owned_by_table = table.oid;
  sequence->owned_by_column = column;
  sequence->owned_kind = kind;
  SequenceChange change;
  WANDIAN_TRY(apply_sequence_options(ctx, options, count, true, sequence.get(), &change));
  for (std::size_t i = 0; i < count; ++i) {
    const PgQuery__DefElem& option = *options[i]->def_elem;
    if (text_or_empty(option.defname) != "sequence_name" || option.arg == nullptr || option.arg->node_case != PG_QUERY__NODE__NODE_LIST) continue;
    sequence->name = string_value(option.arg->list->items[option.arg->list->n_items - 1]);
  }
  if (sequence->name.empty())
    sequence->name = choose_relation_name(ctx, changes, table.name, table.columns[column].name, "seq", table.schema, false);
  return sequence;
}

void restart_sequence(SequenceDef* sequence, std::int64_t value) {
  // A new counter: the definition's log record carries it, so it is undone with the definition.
  auto state = std::make_shared<SequenceState>();
  state->last_value = value;
  state->restarted = true;
  sequence->state = std::move(state);
}

namespace {

// OWNED BY table.column: the table must be in the same schema.
Status set_owner(DdlContext& ctx, const SequenceChange& change, SequenceDef* sequence) {
  if (!change.owner_given) return {};
  if (change.owner.empty() || (change.owner.size() == 1 && change.owner[0] == "none")) {
    if (sequence->owned_kind == 'i') return Status{sqlstate::object_not_in_prerequisite_state, "cannot change ownership of identity sequence"};
    sequence->owned_by_table = 0;
    sequence->owned_by_column = 0;
    sequence->owned_kind = 0;
    return {};
  }
  if (change.owner.size() == 1)
    return Status{sqlstate::syntax_error, "invalid OWNED BY option"}.with_hint("Specify OWNED BY table.column or OWNED BY NONE.");
  const std::string& column = change.owner.back();
  const std::string& name = change.owner[change.owner.size() - 2];
  const std::string schema = change.owner.size() > 2 ? change.owner[change.owner.size() - 3] : std::string();
  const std::optional<FoundRelation> found = find_relation(ctx.bind_context(), schema, name);
  if (!found) return undefined_relation(schema, name);
  if (found->kind != FoundRelation::Kind::kTable)
    return Status{sqlstate::wrong_object_type, "sequence cannot be owned by relation " + quoted(name)};
  const std::shared_ptr<const TableDef> table = ctx.catalog()->table(found->oid);
  if (table->owner != sequence->owner)
    return Status{sqlstate::object_not_in_prerequisite_state, "sequence must have same owner as table it is linked to"};
  if (table->schema != sequence->schema)
    return Status{sqlstate::object_not_in_prerequisite_state, "sequence must be in same schema as table it is linked to"};
  const int position = table->find_column(column);
  if (position < 0)
    return undefined_column(column, name);
  sequence->owned_by_table = table->oid;
  sequence->owned_by_column = static_cast<std::uint16_t>(position);
  sequence->owned_kind = 'a';
  return {};
}

}  // namespace

Task<Status> create_sequence(DdlContext& ctx) {
  const PgQuery__CreateSeqStmt& node = *ctx.statement.node->create_seq_stmt;
  bool temporary = false;
  Result<Oid> schema = ctx.target_schema(*node.sequence, &temporary);
  if (!schema.ok()) co_return schema.take_status();
  const std::string name(node.sequence->relname);
  auto sequence = std::make_shared<SequenceDef>();
  SequenceChange change;
  // An error in the options comes before a name that is taken, unless that would be none.
  Status options = apply_sequence_options(ctx, node.options, node.n_options, true, sequence.get(), &change);
  if (!node.if_not_exists) WANDIAN_CO_TRY(std::move(options));
  Result<bool> claimed = co_await ctx.claim_relation_name(schema.value(), name, node.if_not_exists != 0);
  if (!claimed.ok()) co_return claimed.take_status();
  if (!claimed.value()) co_return Status{};
  WANDIAN_CO_TRY(std::move(options));
  sequence->oid = ctx.allocate_oid();
  sequence->schema = schema.value();
  sequence->owner = ctx.session.current_role();
  sequence->name = name;
  sequence->temporary = temporary;
  WANDIAN_CO_TRY(set_owner(ctx, change, sequence.get()));
  Changes changes;
  changes.put(std::move(sequence));
  co_return ctx.apply(changes);
}

Task<Status> alter_sequence(DdlContext& ctx) {
  const PgQuery__AlterSeqStmt& node = *ctx.statement.node->alter_seq_stmt;
  const std::optional<FoundRelation> found = ctx.find(*node.sequence);
  const std::string_view name = text_or_empty(node.sequence->relname);
  if (!found) {
    if (!node.missing_ok) co_return undefined_relation(text_or_empty(node.sequence->schemaname), name);
    ctx.notice(sqlstate::undefined_table, "relation " + quoted(name) + " does not exist, skipping");
    co_return Status{};
  }
  if (found->kind != FoundRelation::Kind::kSequence) co_return wrong_object_type(name, "a sequence");
  WANDIAN_CO_TRY(ctx.must_own_relation(found->oid));
  WANDIAN_CO_TRY(co_await ctx.lock_name(found->schema, std::string(name)));
  const std::shared_ptr<const SequenceDef> old = ctx.catalog()->sequence(found->oid);
  auto sequence = std::make_shared<SequenceDef>(*old);
  SequenceChange change;
  WANDIAN_CO_TRY(apply_sequence_options(ctx, node.options, node.n_options, false, sequence.get(), &change));
  WANDIAN_CO_TRY(set_owner(ctx, change, sequence.get()));
  if (change.restart) restart_sequence(sequence.get(), *change.restart);
  Changes changes;
  changes.put(std::move(sequence));
  co_return ctx.apply(changes);
}

}  // namespace wandian::sql
