// Comparison operators of every type and between types, in the order that indexes use (engine/type.h).
#include "sql/functions/bindings.h"
#include "sql/types/datetime.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

enum class Op : std::uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };

template <Op op>
constexpr bool holds(int c) {
  if constexpr (op == Op::kEq) return c == 0;
  if constexpr (op == Op::kNe) return c != 0;
  if constexpr (op == Op::kLt) return c < 0;
  if constexpr (op == Op::kLe) return c <= 0;
  if constexpr (op == Op::kGt) return c > 0;
  return c >= 0;
}

template <Op op, class T>
constexpr bool compared(T a, T b) {
  if constexpr (op == Op::kEq) return a == b;
  if constexpr (op == Op::kNe) return a != b;
  if constexpr (op == Op::kLt) return a < b;
  if constexpr (op == Op::kLe) return a <= b;
  if constexpr (op == Op::kGt) return a > b;
  return a >= b;
}

template <Order order, Op op>
bool compare(EvalContext&, const Value* args, Value* result) {
  if constexpr (order == Order::kInteger) return return_bool(result, compared<op>(args[0].i, args[1].i));
  else if constexpr (order == Order::kBytes && (op == Op::kEq || op == Op::kNe))
    return return_bool(result, (args[0].size == args[1].size && args[0].bytes() == args[1].bytes()) == (op == Op::kEq));
  else return return_bool(result, holds<op>(compare_values(order, args[0], args[1])));
}

template <Order order>
bool three_way(EvalContext&, const Value* args, Value* result) {
  const int c = compare_values(order, args[0], args[1]);
  return return_int(result, c < 0 ? -1 : c > 0 ? 1 : 0);
}

// date, timestamp and timestamptz against each other: both become timestamps; a date at its midnight. Out of range
// they stand beyond every timestamp.
enum class Kind : std::uint8_t { kDate, kLocal, kUtc };

std::int64_t date_as_timestamp(std::int64_t days) {
  if (days == kDateInfinity) return kTimestampInfinity;
  if (days == kDateMinusInfinity) return kTimestampMinusInfinity;
  if (days >= kEndTimestamp / kDayMicros) return kEndTimestamp;   // above every finite timestamp
  return days * kDayMicros;
}

template <Kind left, Kind right, Op op>
bool compare_times(EvalContext& ctx, const Value* args, Value* result) {
  const auto convert = [&](Kind kind, const Value& v, bool to_utc) {
    std::int64_t t = kind == Kind::kDate ? date_as_timestamp(v.i) : v.i;
    if (to_utc && kind != Kind::kUtc && t != kEndTimestamp && !from_local(zone_of(ctx.format), t, &t))
      t = t > 0 ? kEndTimestamp : kMinTimestamp - 1;
    return t;
  };
  constexpr bool utc = left == Kind::kUtc || right == Kind::kUtc;
  return return_bool(result, compared<op>(convert(left, args[0], utc), convert(right, args[1], utc)));
}

// Rows, field by field, each by its own type; nulls are equal and above everything.
bool compare_records(EvalContext& ctx, const Value& a, const Value& b, bool equality, int* out) {
  const RecordView x(a);
  const RecordView y(b);
  *out = 0;
  for (std::uint32_t i = 0; i < x.count() && i < y.count(); ++i) {
    if (x.type(i) != y.type(i))
      return ctx.fail({sqlstate::datatype_mismatch,
                       "cannot compare dissimilar column types at record column " + std::to_string(i + 1)});
    const TypeInfo* type = find_type(x.type(i));
    if (type == nullptr || type->order == Order::kNone)
      return ctx.fail({sqlstate::undefined_function, std::string("could not identify ") + (equality ? "an equality operator" : "a comparison function") +
                                                         " for type " + format_type(x.type(i))});
    const Value u = x.field(i);
    const Value v = y.field(i);
    if (u.is_null || v.is_null) *out = static_cast<int>(u.is_null) - static_cast<int>(v.is_null);
    else *out = compare_values(type->order, u, v);
    if (*out != 0) return true;
  }
  if (x.count() != y.count())
    return ctx.fail({sqlstate::datatype_mismatch, "cannot compare record types with different numbers of columns"});
  return true;
}

template <Op op>
bool compare_record(EvalContext& ctx, const Value* args, Value* result) {
  int c;
  if (!compare_records(ctx, args[0], args[1], op == Op::kEq || op == Op::kNe, &c)) return false;
  return return_bool(result, holds<op>(c));
}

#define COMPARISONS(prefix, order)                                                                            \
  {prefix "eq", compare<Order::order, Op::kEq>}, {prefix "ne", compare<Order::order, Op::kNe>},               \
      {prefix "lt", compare<Order::order, Op::kLt>}, {prefix "le", compare<Order::order, Op::kLe>},           \
      {prefix "gt", compare<Order::order, Op::kGt>}, {prefix "ge", compare<Order::order, Op::kGe>}

constexpr FunctionBinding kBindings[] = {
    COMPARISONS("bool", kInteger),
    COMPARISONS("char", kInteger),
    COMPARISONS("int2", kInteger),
    COMPARISONS("int4", kInteger),
    COMPARISONS("int8", kInteger),
    COMPARISONS("int24", kInteger),
    COMPARISONS("int42", kInteger),
    COMPARISONS("int28", kInteger),
    COMPARISONS("int82", kInteger),
    COMPARISONS("int48", kInteger),
    COMPARISONS("int84", kInteger),
    COMPARISONS("oid", kUnsigned),
    COMPARISONS("tid", kUnsigned),
    COMPARISONS("enum_", kInteger),
    COMPARISONS("network_", kBytes),
    COMPARISONS("macaddr_", kInteger),
    COMPARISONS("multirange_", kArray),
    COMPARISONS("macaddr8_", kUnsigned),
    COMPARISONS("xid8", kUnsigned),
    COMPARISONS("cash_", kInteger),
    COMPARISONS("bit", kBytes),
    COMPARISONS("timetz_", kBytes),
    COMPARISONS("pg_lsn_", kUnsigned),
    COMPARISONS("date_", kInteger),
    COMPARISONS("time_", kInteger),
    COMPARISONS("timestamp_", kInteger),
    COMPARISONS("float4", kFloat),
    COMPARISONS("float8", kFloat),
    COMPARISONS("float48", kFloat),
    COMPARISONS("float84", kFloat),
    COMPARISONS("numeric_", kNumeric),
    COMPARISONS("name", kBytes),
    COMPARISONS("bytea", kBytes),
    COMPARISONS("uuid_", kBytes),
    COMPARISONS("bpchar", kPadded),
    COMPARISONS("interval_", kInterval),
    COMPARISONS("jsonb_", kJsonb),
    COMPARISONS("array_", kArray),
    COMPARISONS("oidvector", kArray),
    {"texteq", compare<Order::kBytes, Op::kEq>},
    {"textne", compare<Order::kBytes, Op::kNe>},
    {"text_lt", compare<Order::kBytes, Op::kLt>},
    {"text_le", compare<Order::kBytes, Op::kLe>},
    {"text_gt", compare<Order::kBytes, Op::kGt>},
    {"text_ge", compare<Order::kBytes, Op::kGe>},
    {"bpchar_pattern_lt", compare<Order::kPadded, Op::kLt>},
    {"bpchar_pattern_le", compare<Order::kPadded, Op::kLe>},
    {"bpchar_pattern_gt", compare<Order::kPadded, Op::kGt>},
    {"bpchar_pattern_ge", compare<Order::kPadded, Op::kGe>},
    {"text_pattern_lt", compare<Order::kBytes, Op::kLt>},
    {"text_pattern_le", compare<Order::kBytes, Op::kLe>},
    {"text_pattern_gt", compare<Order::kBytes, Op::kGt>},
    {"text_pattern_ge", compare<Order::kBytes, Op::kGe>},
    {"nameeqtext", compare<Order::kBytes, Op::kEq>},
    {"namenetext", compare<Order::kBytes, Op::kNe>},
    {"namelttext", compare<Order::kBytes, Op::kLt>},
    {"nameletext", compare<Order::kBytes, Op::kLe>},
    {"namegttext", compare<Order::kBytes, Op::kGt>},
    {"namegetext", compare<Order::kBytes, Op::kGe>},
    {"texteqname", compare<Order::kBytes, Op::kEq>},
    {"textnename", compare<Order::kBytes, Op::kNe>},
    {"textltname", compare<Order::kBytes, Op::kLt>},
    {"textlename", compare<Order::kBytes, Op::kLe>},
    {"textgtname", compare<Order::kBytes, Op::kGt>},
    {"textgename", compare<Order::kBytes, Op::kGe>},
    {"xideq", compare<Order::kUnsigned, Op::kEq>},
    {"xidneq", compare<Order::kUnsigned, Op::kNe>},
    {"cideq", compare<Order::kUnsigned, Op::kEq>},
    {"date_eq_timestamp", compare_times<Kind::kDate, Kind::kLocal, Op::kEq>},
    {"date_ne_timestamp", compare_times<Kind::kDate, Kind::kLocal, Op::kNe>},
    {"date_lt_timestamp", compare_times<Kind::kDate, Kind::kLocal, Op::kLt>},
    {"date_le_timestamp", compare_times<Kind::kDate, Kind::kLocal, Op::kLe>},
    {"date_gt_timestamp", compare_times<Kind::kDate, Kind::kLocal, Op::kGt>},
    {"date_ge_timestamp", compare_times<Kind::kDate, Kind::kLocal, Op::kGe>},
    {"date_eq_timestamptz", compare_times<Kind::kDate, Kind::kUtc, Op::kEq>},
    {"date_ne_timestamptz", compare_times<Kind::kDate, Kind::kUtc, Op::kNe>},
    {"date_lt_timestamptz", compare_times<Kind::kDate, Kind::kUtc, Op::kLt>},
    {"date_le_timestamptz", compare_times<Kind::kDate, Kind::kUtc, Op::kLe>},
    {"date_gt_timestamptz", compare_times<Kind::kDate, Kind::kUtc, Op::kGt>},
    {"date_ge_timestamptz", compare_times<Kind::kDate, Kind::kUtc, Op::kGe>},
    {"timestamp_eq_date", compare_times<Kind::kLocal, Kind::kDate, Op::kEq>},
    {"timestamp_ne_date", compare_times<Kind::kLocal, Kind::kDate, Op::kNe>},
    {"timestamp_lt_date", compare_times<Kind::kLocal, Kind::kDate, Op::kLt>},
    {"timestamp_le_date", compare_times<Kind::kLocal, Kind::kDate, Op::kLe>},
    {"timestamp_gt_date", compare_times<Kind::kLocal, Kind::kDate, Op::kGt>},
    {"timestamp_ge_date", compare_times<Kind::kLocal, Kind::kDate, Op::kGe>},
    {"timestamptz_eq_date", compare_times<Kind::kUtc, Kind::kDate, Op::kEq>},
    {"timestamptz_ne_date", compare_times<Kind::kUtc, Kind::kDate, Op::kNe>},
    {"timestamptz_lt_date", compare_times<Kind::kUtc, Kind::kDate, Op::kLt>},
    {"timestamptz_le_date", compare_times<Kind::kUtc, Kind::kDate, Op::kLe>},
    {"timestamptz_gt_date", compare_times<Kind::kUtc, Kind::kDate, Op::kGt>},
    {"timestamptz_ge_date", compare_times<Kind::kUtc, Kind::kDate, Op::kGe>},
    {"timestamp_eq_timestamptz", compare_times<Kind::kLocal, Kind::kUtc, Op::kEq>},
    {"timestamp_ne_timestamptz", compare_times<Kind::kLocal, Kind::kUtc, Op::kNe>},
    {"timestamp_lt_timestamptz", compare_times<Kind::kLocal, Kind::kUtc, Op::kLt>},
    {"timestamp_le_timestamptz", compare_times<Kind::kLocal, Kind::kUtc, Op::kLe>},
    {"timestamp_gt_timestamptz", compare_times<Kind::kLocal, Kind::kUtc, Op::kGt>},
    {"timestamp_ge_timestamptz", compare_times<Kind::kLocal, Kind::kUtc, Op::kGe>},
    {"timestamptz_eq_timestamp", compare_times<Kind::kUtc, Kind::kLocal, Op::kEq>},
    {"timestamptz_ne_timestamp", compare_times<Kind::kUtc, Kind::kLocal, Op::kNe>},
    {"timestamptz_lt_timestamp", compare_times<Kind::kUtc, Kind::kLocal, Op::kLt>},
    {"timestamptz_le_timestamp", compare_times<Kind::kUtc, Kind::kLocal, Op::kLe>},
    {"timestamptz_gt_timestamp", compare_times<Kind::kUtc, Kind::kLocal, Op::kGt>},
    {"timestamptz_ge_timestamp", compare_times<Kind::kUtc, Kind::kLocal, Op::kGe>},
    {"record_eq", compare_record<Op::kEq>},
    {"record_ne", compare_record<Op::kNe>},
    {"record_lt", compare_record<Op::kLt>},
    {"record_le", compare_record<Op::kLe>},
    {"record_gt", compare_record<Op::kGt>},
    {"record_ge", compare_record<Op::kGe>},
    {"btboolcmp", three_way<Order::kInteger>},
    {"btint2cmp", three_way<Order::kInteger>},
    {"btint4cmp", three_way<Order::kInteger>},
    {"btint8cmp", three_way<Order::kInteger>},
    {"btoidcmp", three_way<Order::kUnsigned>},
    {"enum_cmp", three_way<Order::kInteger>},
    {"network_cmp", three_way<Order::kBytes>},
    {"macaddr_cmp", three_way<Order::kInteger>},
    {"btfloat4cmp", three_way<Order::kFloat>},
    {"btfloat8cmp", three_way<Order::kFloat>},
    {"bttextcmp", three_way<Order::kBytes>},
    {"btnamecmp", three_way<Order::kBytes>},
    {"byteacmp", three_way<Order::kBytes>},
    {"bpcharcmp", three_way<Order::kPadded>},
    {"numeric_cmp", three_way<Order::kNumeric>},
    {"date_cmp", three_way<Order::kInteger>},
    {"time_cmp", three_way<Order::kInteger>},
    {"timestamp_cmp", three_way<Order::kInteger>},
    {"interval_cmp", three_way<Order::kInterval>},
    {"uuid_cmp", three_way<Order::kBytes>},
    {"jsonb_cmp", three_way<Order::kJsonb>},
    {"btarraycmp", three_way<Order::kArray>},
    {"multirange_cmp", three_way<Order::kArray>},
    {"macaddr8_cmp", three_way<Order::kUnsigned>},
    {"xid8cmp", three_way<Order::kUnsigned>},
    {"cash_cmp", three_way<Order::kInteger>},
    {"bitcmp", three_way<Order::kBytes>},
    {"timetz_cmp", three_way<Order::kBytes>},
    {"pg_lsn_cmp", three_way<Order::kUnsigned>},
};
#undef COMPARISONS

}  // namespace

std::span<const FunctionBinding> compare_bindings() { return kBindings; }

}  // namespace wandian::sql
