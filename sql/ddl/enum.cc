// CREATE TYPE ... AS ENUM, ALTER TYPE ... ADD VALUE and RENAME VALUE.
#include <algorithm>

#include "sql/ddl/statements.h"
#include "sql/ddl/type.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kMostLabelBytes = 63;
// Between neighbours as they are made. Each label that is put between two halves what is left, as in PostgreSQL, whose float4 ends
// after some two dozen; these end after forty.
constexpr std::int64_t kGap = std::int64_t{1} << 40;

Status check_label(std::string_view text) {
  if (text.size() <= kMostLabelBytes) return {};
  return Status{sqlstate::invalid_name, "invalid enum label " + quoted(text)}.with_detail("Labels must be 63 bytes or less.");
}

Status no_such_label(std::string_view text) {
  return Status{sqlstate::invalid_parameter_value, quoted(text) + " is not an existing enum label"};
}

// Where a label between two neighbours (null: none on that side) stands.
Status place_label(const EnumLabel* before, const EnumLabel* after, EnumLabel* label) {
  if (before == nullptr && after == nullptr) {
    label->ordinal = kGap;
    label->sort_order = 1;
    return {};
  }
  if (before == nullptr || after == nullptr) {
    const EnumLabel& end = before != nullptr ? *before : *after;
    const std::int64_t step = before != nullptr ? kGap : -kGap;
    if (__builtin_add_overflow(end.ordinal, step, &label->ordinal))
      return Status{sqlstate::program_limit_exceeded, "an enum type cannot have more labels"};
    label->sort_order = end.sort_order + (before != nullptr ? 1.0f : -1.0f);
    return {};
  }
  label->ordinal = before->ordinal + (after->ordinal - before->ordinal) / 2;
  label->sort_order = (before->sort_order + after->sort_order) / 2;
  if (label->ordinal == before->ordinal)
    return Status{sqlstate::program_limit_exceeded, "no room for another enum label between " + quoted(before->text) + " and " + quoted(after->text)};
  return {};
}

Status rename_label(DdlContext& ctx, const ObjectDef& object, std::string_view from, std::string_view to) {
  WANDIAN_TRY(check_label(to));
  UserType type = definition_of(object);
  const EnumLabel* old = type.label(from);
  if (old == nullptr) return no_such_label(from);
  if (type.label(to) != nullptr) return Status{sqlstate::duplicate_object, "enum label " + quoted(to) + " already exists"};
  type.labels[static_cast<std::size_t>(old - type.labels.data())].text = to;
  return change_type(ctx, object, type);
}

Status add_label(DdlContext& ctx, const ObjectDef& object, const PgQuery__AlterEnumStmt& node) {
  const std::string_view text = text_or_empty(node.new_val);
  WANDIAN_TRY(check_label(text));
  UserType type = definition_of(object);
  if (type.label(text) != nullptr) {
    if (!node.skip_if_new_val_exists) return Status{sqlstate::duplicate_object, "enum label " + quoted(text) + " already exists"};
    ctx.notice(sqlstate::duplicate_object, "enum label " + quoted(text) + " already exists, skipping");
    return {};
  }
  std::size_t at = type.labels.size();
  if (const std::string_view neighbor = text_or_empty(node.new_val_neighbor); node.new_val_neighbor != nullptr && *node.new_val_neighbor != 0) {
    const EnumLabel* beside = type.label(neighbor);
    if (beside == nullptr) return no_such_label(neighbor);
    at = static_cast<std::size_t>(beside - type.labels.data()) + (node.new_val_is_after ? 1 : 0);
  }
  EnumLabel label;
  label.text = text;
  WANDIAN_TRY(place_label(at > 0 ? &type.labels[at - 1] : nullptr, at < type.labels.size() ? &type.labels[at] : nullptr, &label));
  label.oid = ctx.allocate_oid();
  ctx.session.note_new_label(label.oid);
  type.labels.insert(type.labels.begin() + static_cast<std::ptrdiff_t>(at), std::move(label));
  return change_type(ctx, object, type);
}

}  // namespace

Task<Status> create_enum(DdlContext& ctx) {
  const PgQuery__CreateEnumStmt& node = *ctx.statement.node->create_enum_stmt;
  NewType where;
  WANDIAN_CO_TRY(co_await place_new_type(ctx, name_list(node.type_name, node.n_type_name), &where));
  UserType type;
  type.kind = 'e';
  type.array = ctx.allocate_oid();
  for (std::size_t i = 0; i < node.n_vals; ++i) {
    EnumLabel label;
    label.text = string_value(node.vals[i]);
    WANDIAN_CO_TRY(check_label(label.text));
    if (type.label(label.text) != nullptr)
      co_return Status{sqlstate::unique_violation, "duplicate key value violates unique constraint \"pg_enum_typid_label_index\""}
          .with_detail("Key (enumtypid, enumlabel)=(" + std::to_string(type.array + 1) + ", " + label.text + ") already exists.")
          .with_table("pg_catalog", "pg_enum")
          .with_constraint("pg_enum_typid_label_index");
    label.oid = ctx.allocate_oid();
    label.ordinal = static_cast<std::int64_t>(i + 1) * kGap;
    label.sort_order = static_cast<float>(i + 1);
    type.labels.push_back(std::move(label));
  }
  Changes changes;
  changes.put(type_object(ctx, where, type));
  co_return ctx.apply(changes);
}

Task<Status> alter_enum(DdlContext& ctx) {
  const PgQuery__AlterEnumStmt& node = *ctx.statement.node->alter_enum_stmt;
  const std::vector<std::string> names = name_list(node.type_name, node.n_type_name);
  Result<Oid> oid = find_type_oid(ctx, names);
  if (!oid.ok()) co_return oid.take_status();
  if (type_kind(oid.value()) != 'e') co_return Status{sqlstate::wrong_object_type, format_type(oid.value()) + " is not an enum"};
  Result<std::shared_ptr<const ObjectDef>> object = co_await lock_type(ctx, names);
  if (!object.ok()) co_return object.take_status();
  if (text_or_empty(node.old_val).empty()) co_return add_label(ctx, *object.value(), node);
  co_return rename_label(ctx, *object.value(), node.old_val, text_or_empty(node.new_val));
}

}  // namespace wandian::sql
