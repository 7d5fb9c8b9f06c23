// An example of a user's module: points that customers collect and give away. README.md says how to build and load it.
#include <array>
#include <string>
#include <vector>

#include "engine/procedure.h"

namespace {

using namespace wandian;

constexpr SqlState kTooFewPoints("LY001");
constexpr SqlState kUnknownMember("LY002");

constexpr std::string_view kSchema = R"sql(
CREATE TABLE members (
    member_id bigint NOT NULL,
    points    bigint NOT NULL,
    name      text,
    CONSTRAINT members_pkey PRIMARY KEY (member_id),
    CONSTRAINT members_points_check CHECK (points >= 0)
) PARTITION BY SHARD (member_id);
)sql";

struct Tables {
  ProcedureTable members;
  ProcedureColumn<std::int64_t> points;
};

// Called when the procedures are first used under a catalog: names become positions once.
std::shared_ptr<const void> bind(ProcedureBinder& binder) {
  auto tables = std::make_shared<Tables>();
  tables->members = binder.table("members", {type_oid::kInt8, type_oid::kInt8, type_oid::kText});
  if (binder.ok()) tables->points = binder.column<std::int64_t>(tables->members, "points");
  return tables;
}
const Tables& tables_of(const void* bound) { return *static_cast<const Tables*>(bound); }

Status too_few(std::int64_t has, std::int64_t wanted) {
  return Status{kTooFewPoints, "not enough points"}.with_detail("There are " + std::to_string(has) + ", not " + std::to_string(wanted) + ".");
}
Status unknown(std::int64_t member) { return Status{kUnknownMember, "member " + std::to_string(member) + " does not exist"}; }

// loyalty_earn(member_id, cents): a point for each hundred cents; the first purchase makes the member. Local: it runs where
// the member's row is, and what it did is undone if it answers false.
bool earn(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const Tables& t = tables_of(bound);
  const std::int64_t member = args[0].i, earned = args[1].i / 100;
  if (earned < 0) return context.fail(Status{sqlstate::invalid_parameter_value, "a purchase cannot cost less than nothing"});
  ProcedureRow row;
  if (!context.find(t.members, {member}, &row)) return false;
  std::int64_t points = earned;
  if (!row) {
    context.notice("welcome, member " + std::to_string(member));
    if (!context.insert(t.members, {Value::of_int(member), Value::of_int(points), Value::null()})) return false;
  } else {
    points += row.get(t.points);
    if (!context.update(t.members, &row, {{t.points.index, Value::of_int(points)}})) return false;
  }
  *result = Value::of_int(points);
  return true;
}

// loyalty_spend(member_id, points): what is left.
bool spend(LocalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const Tables& t = tables_of(bound);
  const std::int64_t wanted = args[1].i;
  ProcedureRow row;
  if (!context.find(t.members, {args[0].i}, &row)) return false;
  if (!row) return context.fail(unknown(args[0].i));
  const std::int64_t has = row.get(t.points);
  if (wanted < 1) return context.fail(Status{sqlstate::invalid_parameter_value, "points must be positive"});
  if (has < wanted) return context.fail(too_few(has, wanted));
  if (!context.update(t.members, &row, {{t.points.index, Value::of_int(has - wanted)}})) return false;
  *result = Value::of_int(has - wanted);
  return true;
}

// loyalty_gift(from_member, to_member, points). Global: the two members may be on different shards, so it locks, waits and
// writes as a transaction of several statements would; it commits on both or on neither.
Task<Status> gift(GlobalContext& context, const void* bound, std::span<const Value> args, Value* result) {
  const Tables& t = tables_of(bound);
  const std::int64_t from = args[0].i, to = args[1].i, points = args[2].i;
  if (from == to || points < 1) co_return Status{sqlstate::invalid_parameter_value, "a gift goes to somebody else and is positive"};
  // In the order of their ids, so that two gifts in opposite directions do not wait for each other.
  std::vector<Value> giver, taker;
  for (const std::int64_t member : std::array{std::min(from, to), std::max(from, to)}) {
    std::vector<Value>& row = member == from ? giver : taker;
    Status status = co_await context.lock_row(t.members, {member}, RowLock::kNoKeyUpdate, &row);
    if (!status.ok()) co_return std::move(status);
    if (row.empty()) co_return unknown(member);
  }
  const std::int64_t has = giver[t.points.index].i;
  if (has < points) co_return too_few(has, points);
  const std::array less = {ColumnChange{t.points.index, Value::of_int(has - points)}};
  Status status = co_await context.update(t.members, {from}, less);
  if (!status.ok()) co_return std::move(status);
  const std::array more = {ColumnChange{t.points.index, Value::of_int(taker[t.points.index].i + points)}};
  *result = Value::null();
  co_return co_await context.update(t.members, {to}, more);
}

}  // namespace

extern "C" const wandian::ProcedureModule* wandian_module() {
  static const std::vector<ProcedureDefinition> procedures = {
      {.name = "loyalty_earn",
       .argument_names = {"member_id", "cents"},
       .arguments = {type_oid::kInt8, type_oid::kInt8},
       .result = type_oid::kInt8,
       .key_table = "members",
       .bind = &bind,
       .local = &earn},
      {.name = "loyalty_spend",
       .argument_names = {"member_id", "points"},
       .arguments = {type_oid::kInt8, type_oid::kInt8},
       .result = type_oid::kInt8,
       .key_table = "members",
       .bind = &bind,
       .local = &spend},
      {.name = "loyalty_gift",
       .argument_names = {"from_member", "to_member", "points"},
       .arguments = {type_oid::kInt8, type_oid::kInt8, type_oid::kInt8},
       .result = type_oid::kVoid,
       .bind = &bind,
       .global = &gift},
  };
  static const ProcedureModule module = {.name = "loyalty",
                                         .version = "1.0",
                                         .comment = "points that customers collect and give away",
                                         .schema_sql = kSchema,
                                         .procedures = procedures};
  return &module;
}
