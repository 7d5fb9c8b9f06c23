// Binary forms: what each type's send function writes and its receive function reads, in network order.
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "engine/array_value.h"
#include "engine/numeric.h"
#include "sql/expr/domain_value.h"
#include "sql/types/bit_string.h"
#include "sql/types/datetime.h"
#include "sql/types/encoding.h"
#include "sql/types/json.h"
#include "sql/types/multirange.h"
#include "sql/types/network.h"
#include "sql/types/range_text.h"
#include "sql/types/string_types.h"
#include "sql/types/text_io.h"
#include "sql/types/timetz.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

template <class T>
T swapped(T v) {
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(v)));
  else if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(v)));
  else if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(v)));
  else return v;
}

template <class T, class Out>
void put(Out& out, T value) {
  const T v = swapped(value);
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

// Numeric on the wire: digit count, weight, sign, display scale, digits.
constexpr std::uint16_t kWireNegative = 0x4000, kWireNan = 0xC000, kWireInfinity = 0xD000, kWireMinusInfinity = 0xF000;

template <class Out>
void append_numeric(const Value& value, Out& out) {
  const Numeric n = load_numeric(value);
  std::uint16_t sign = n.negative ? kWireNegative : 0;
  if (n.kind == Numeric::Kind::kNan) sign = kWireNan;
  else if (n.kind == Numeric::Kind::kPositiveInfinity) sign = kWireInfinity;
  else if (n.kind == Numeric::Kind::kNegativeInfinity) sign = kWireMinusInfinity;
  put<std::uint16_t>(out, static_cast<std::uint16_t>(n.digits.size()));
  put<std::int16_t>(out, static_cast<std::int16_t>(n.weight));
  put<std::uint16_t>(out, sign);
  put<std::uint16_t>(out, static_cast<std::uint16_t>(n.dscale));
  for (const std::int16_t d : n.digits) put<std::int16_t>(out, d);
}

// Text goes in the client's encoding in binary forms, too.
template <class Out>
bool append_client_text(EvalContext& ctx, std::string_view text, Out& out) {
  if (ctx.format.client_encoding == nullptr) [[likely]] {
    out.append(text.data(), text.size());
    return true;
  }
  std::string encoded;
  Status status = ctx.format.client_encoding->from_utf8(text, &encoded);
  if (!status.ok()) return ctx.fail(std::move(status));
  out.append(encoded.data(), encoded.size());
  return true;
}

bool from_client(EvalContext& ctx, std::string_view* text) {
  if (ctx.format.client_encoding == nullptr) [[likely]] return true;
  std::string utf8;
  Status status = ctx.format.client_encoding->to_utf8(*text, &utf8);
  if (!status.ok()) return ctx.fail(std::move(status));
  *text = ctx.arena.copy(utf8);
  return true;
}

template <class Out>
bool append_binary_to(EvalContext& ctx, Oid type, const Value& value, Out& out);

// One element or field: its length, then its bytes; -1 is null.
template <class Out>
bool append_item(EvalContext& ctx, Oid type, const Value& item, Out& out) {
  if (item.is_null) {
    put<std::int32_t>(out, -1);
    return true;
  }
  TextBuilder one(ctx.arena, 32);
  if (!append_binary_to(ctx, type, item, one)) return false;
  put<std::int32_t>(out, static_cast<std::int32_t>(one.size()));
  out.append(one.view().data(), one.size());
  return true;
}

template <class Out>
bool append_array(EvalContext& ctx, const Value& value, Out& out) {
  const ArrayView array(value);
  put<std::int32_t>(out, array.dimensions());
  put<std::int32_t>(out, array.has_nulls() ? 1 : 0);
  put<std::uint32_t>(out, array.element_type());
  for (int d = 0; d < array.dimensions(); ++d) {
    put<std::int32_t>(out, array.length(d));
    put<std::int32_t>(out, array.lower_bound(d));
  }
  for (std::uint32_t i = 0; i < array.count(); ++i)
    if (!append_item(ctx, array.element_type(), array.element(i), out)) return false;
  return true;
}

template <class Out>
bool append_composite(EvalContext& ctx, Oid type, const Value& value, Out& out) {
  std::vector<RowField> fields;
  if (!row_fields(ctx, type, &fields)) return ctx.fail({sqlstate::undefined_object, "type with OID " + std::to_string(type) + " does not exist"});
  const RecordView record(value);
  std::uint32_t live = 0;
  for (const RowField& field : fields) live += field.dropped ? 0 : 1;
  put<std::uint32_t>(out, live);
  for (std::uint32_t i = 0; i < fields.size(); ++i) {
    if (fields[i].dropped) continue;
    put<std::uint32_t>(out, fields[i].type);
    if (!append_item(ctx, fields[i].type, i < record.count() ? record.field(i) : Value::null(), out)) return false;
  }
  return true;
}

template <class Out>
bool append_range(EvalContext& ctx, const Value& value, Out& out) {
  const RangeParts range = load_range(value);
  const Oid subtype = find_type(range.type)->base;
  out.push_back(value.p[4]);
  for (const RangeBound* bound : {&range.lower, &range.upper})
    if (!range.empty && !bound->infinite && !append_item(ctx, subtype, bound->value, out)) return false;
  return true;
}

template <class Out>
bool append_multirange(EvalContext& ctx, const Value& value, Out& out) {
  const ArrayView ranges(value);
  put<std::uint32_t>(out, ranges.count());
  for (std::uint32_t i = 0; i < ranges.count(); ++i)
    if (!append_item(ctx, ranges.element_type(), ranges.element(i), out)) return false;
  return true;
}

template <class Out>
bool append_record(EvalContext& ctx, const Value& value, Out& out) {
  const RecordView record(value);
  std::uint32_t live = 0;
  for (std::uint32_t i = 0; i < record.count(); ++i) live += record.type(i) == kInvalidOid ? 0 : 1;
  put<std::uint32_t>(out, live);
  for (std::uint32_t i = 0; i < record.count(); ++i) {
    if (record.type(i) == kInvalidOid) continue;
    put<std::uint32_t>(out, record.type(i));
    if (!append_item(ctx, record.type(i), record.field(i), out)) return false;
  }
  return true;
}

template <class Out>
bool append_binary_to(EvalContext& ctx, Oid type, const Value& value, Out& out) {
  switch (type) {
    case kBool: out.push_back(value.as_bool() ? 1 : 0); return true;
    case kChar: out.push_back(static_cast<char>(value.i)); return true;
    case kInt2: put<std::int16_t>(out, static_cast<std::int16_t>(value.i)); return true;
    case kInt4: case kDate: put<std::int32_t>(out, static_cast<std::int32_t>(value.i)); return true;
    case kOid: case kXid: case kCid: case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype:
    case kRegnamespace: case kRegoperator: case kRegcollation: case kRegrole:
      put<std::uint32_t>(out, static_cast<std::uint32_t>(value.i));
      return true;
    case kInt8: case kTime: case kTimestamp: case kTimestamptz: case kPgLsn: case kXid8: case kMoney: case kMacaddr8: put<std::int64_t>(out, value.i); return true;
    case kFloat8: put<std::uint64_t>(out, std::bit_cast<std::uint64_t>(value.d)); return true;
    case kFloat4: put<std::uint32_t>(out, std::bit_cast<std::uint32_t>(static_cast<float>(value.d))); return true;
    case kText: case kVarchar: case kBpchar: case kName: case kCitext: case kJson: case kUnknown: case kCstring: case kPgNodeTree: case kAclItem:
    case kRefcursor:
      return append_client_text(ctx, value.bytes(), out);
    case kBytea: case kUuid:
      out.append(value.p, value.size);
      return true;
    case kJsonb: case kJsonpath:
      out.push_back(1);
      return append_client_text(ctx, value.bytes(), out);
    case kTimetz: {
      const TimeTz time = load_timetz(value);
      put<std::int64_t>(out, time.micros);
      put<std::int32_t>(out, -time.offset);
      return true;
    }
    case kBit: case kVarbit: {
      const std::string packed = pack_bits(value.bytes());
      put<std::int32_t>(out, static_cast<std::int32_t>(value.size));
      out.append(packed.data(), packed.size());
      return true;
    }
    case kNumeric: append_numeric(value, out); return true;
    case kInterval: {
      const IntervalValue v = load_interval(value);
      put<std::int64_t>(out, v.microseconds);
      put<std::int32_t>(out, v.days);
      put<std::int32_t>(out, v.months);
      return true;
    }
    case kTid:
      put<std::uint32_t>(out, static_cast<std::uint32_t>(value.i >> 16));
      put<std::uint16_t>(out, static_cast<std::uint16_t>(value.i));
      return true;
    case kInet: case kCidr: {
      const NetworkAddress address = load_network(value);
      out.push_back(address.v6 ? 3 : 2);
      out.push_back(static_cast<char>(address.bits));
      out.push_back(type == kCidr ? 1 : 0);
      out.push_back(static_cast<char>(address.size()));
      out.append(reinterpret_cast<const char*>(address.bytes.data()), address.size());
      return true;
    }
    case kMacaddr: {
      put<std::uint16_t>(out, static_cast<std::uint16_t>(value.i >> 32));
      put<std::uint32_t>(out, static_cast<std::uint32_t>(value.i));
      return true;
    }
    case kVoid: return true;
    case kRecord: return append_record(ctx, value, out);
    default: break;
  }
  if (type == kAnyArray || element_of(type) != 0) return append_array(ctx, value, out);
  if (type_kind(type) == 'r') return append_range(ctx, value, out);
  if (type_kind(type) == 'm') return append_multirange(ctx, value, out);
  if (type_kind(type) == 'c') return append_composite(ctx, type, value, out);
  if (type_kind(type) == 'd') return append_binary_to(ctx, base_type(type), value, out);
  if (type_kind(type) == 'e') {
    std::string_view label;
    if (!enum_label(ctx, type, value, &label)) return false;
    return append_client_text(ctx, label, out);
  }
  return ctx.fail({sqlstate::undefined_function, "no binary output function available for type " + format_type(type)});
}

// Reads network-order fields; remembers whether any was missing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <class T>
  T get() {
    if (bytes_.size() < sizeof(T)) {
      short_ = true;
      bytes_ = {};
      return 0;
    }
    T v;
    std::memcpy(&v, bytes_.data(), sizeof v);
    bytes_.remove_prefix(sizeof v);
    return swapped(v);
  }
  std::string_view take(std::size_t size) {
    if (bytes_.size() < size) {
      short_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  std::string_view rest() const { return bytes_; }
  std::size_t left() const { return bytes_.size(); }
  bool ran_short() const { return short_; }
  bool finish(EvalContext& ctx) const {
    if (short_) return ctx.fail({sqlstate::protocol_violation, "insufficient data left in message"});
    if (!bytes_.empty()) return ctx.fail({sqlstate::invalid_binary_representation, "incorrect binary data format"});
    return true;
  }

 private:
  std::string_view bytes_;
  bool short_ = false;
};

bool read_numeric(EvalContext& ctx, std::int32_t typmod, Reader& in, Value* out) {
  const auto bad = [&](const char* what) {
    return ctx.fail({sqlstate::invalid_binary_representation, std::string("invalid ") + what + " in external \"numeric\" value"});
  };
  const auto count = in.get<std::uint16_t>();
  const auto weight = in.get<std::int16_t>();
  const auto sign = in.get<std::uint16_t>();
  const auto dscale = in.get<std::uint16_t>();
  Numeric n;
  switch (sign) {
    case 0: break;
    case kWireNegative: n.negative = true; break;
    case kWireNan: n.kind = Numeric::Kind::kNan; break;
    case kWireInfinity: n.kind = Numeric::Kind::kPositiveInfinity; break;
    case kWireMinusInfinity: n.kind = Numeric::Kind::kNegativeInfinity; break;
    default: return bad("sign");
  }
  if (dscale > Numeric::kMaxScale) return bad("scale");
  n.weight = weight;
  n.dscale = dscale;
  for (unsigned i = 0; i < count && !in.ran_short(); ++i) {
    const auto digit = in.get<std::int16_t>();
    if (digit < 0 || digit >= Numeric::kBase) return bad("digit");
    n.digits.push_back(digit);
  }
  if (!in.finish(ctx)) return false;
  if (n.finite()) {
    n.normalize();
    truncate_to(&n, dscale);
  }
  Status status = apply_numeric_typmod(&n, typmod);
  if (status.ok()) status = store_numeric(n, ctx.arena, out);
  return status.ok() || ctx.fail(std::move(status));
}

bool read_array(EvalContext& ctx, Oid type, std::int32_t typmod, Reader& in, Value* out) {
  const auto dimensions = in.get<std::int32_t>();
  const auto flags = in.get<std::int32_t>();
  const auto element = in.get<std::uint32_t>();
  if (in.ran_short()) return in.finish(ctx);
  if (dimensions < 0 || dimensions > kMaxArrayDimensions)
    return ctx.fail(dimensions < 0 ? Status{sqlstate::invalid_binary_representation, "invalid number of dimensions: " + std::to_string(dimensions)}
                                   : Status{sqlstate::program_limit_exceeded, "number of array dimensions (" + std::to_string(dimensions) +
                                                                                  ") exceeds the maximum allowed (6)"});
  if (flags != 0 && flags != 1) return ctx.fail({sqlstate::invalid_binary_representation, "invalid array flags"});
  const Oid wanted = element_of(type);
  if (element != wanted)
    return ctx.fail({sqlstate::datatype_mismatch, "binary data has array element type " + std::to_string(element) + " (" +
                                                      format_type(element) + ") instead of expected " +
                                                      std::to_string(wanted) + " (" + format_type(wanted) + ")"});
  std::vector<ArrayDimension> extents;
  std::int64_t count = dimensions == 0 ? 0 : 1;
  for (std::int32_t d = 0; d < dimensions; ++d) {
    const auto length = in.get<std::int32_t>();
    const auto lower = in.get<std::int32_t>();
    if (length < 0 || __builtin_mul_overflow(count, std::int64_t{length}, &count) || count > 134217727)
      return ctx.fail({sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)"});
    extents.push_back({length, lower});
  }
  // Each element takes at least its length: checked before memory is asked for.
  if (static_cast<std::size_t>(count) * 4 > in.rest().size())
    return ctx.fail({sqlstate::protocol_violation, "insufficient data left in message"});
  std::vector<Value> values(static_cast<std::size_t>(count));
  for (Value& v : values) {
    const auto size = in.get<std::int32_t>();
    if (size == -1) {
      if (type_kind(element) == 'd' && !check_domain(ctx, element, v)) return false;
      continue;
    }
    const std::string_view bytes = in.take(static_cast<std::uint32_t>(size));
    if (in.ran_short()) return ctx.fail({sqlstate::invalid_binary_representation, "insufficient data left in message"});
    if (!value_from_binary(ctx, element, typmod, bytes, &v)) return false;
  }
  if (!in.finish(ctx)) return false;
  if (count == 0) extents.clear();
  *out = build_array(element, extents, values, ctx.arena);
  return true;
}

bool read_network(EvalContext& ctx, bool cidr, Reader& in, Value* out) {
  const auto bad = [&](const char* what) {
    return ctx.fail({sqlstate::invalid_binary_representation, std::string(what) + " in external \"" + (cidr ? "cidr" : "inet") + "\" value"});
  };
  NetworkAddress address;
  const auto family = in.get<std::uint8_t>();
  address.bits = in.get<std::uint8_t>();
  (void)in.get<std::uint8_t>();   // whether it is a cidr: the type says it
  const auto size = in.get<std::uint8_t>();
  if (in.ran_short()) return in.finish(ctx);
  if (family != 2 && family != 3) return bad("invalid address family");
  address.v6 = family == 3;
  if (address.bits > address.most_bits()) return bad("invalid bits");
  if (size != address.size()) return bad("invalid length");
  const std::string_view bytes = in.take(size);
  if (!in.finish(ctx)) return false;
  std::memcpy(address.bytes.data(), bytes.data(), size);
  if (cidr && address.masked(address.bits) != address)
    return ctx.fail(Status{sqlstate::invalid_binary_representation, "invalid external \"cidr\" value"}.with_detail("Value has bits set to right of mask."));
  *out = store_network(address, ctx.arena);
  return true;
}

bool read_range(EvalContext& ctx, Oid type, std::int32_t typmod, Reader& in, Value* out) {
  const auto flags = in.get<std::uint8_t>();
  if (in.ran_short()) return in.finish(ctx);
  RangeParts parts;
  parts.type = type;
  parts.empty = (flags & kRangeEmpty) != 0;
  parts.lower.infinite = (flags & kRangeLowerInfinite) != 0;
  parts.upper.infinite = (flags & kRangeUpperInfinite) != 0;
  parts.lower.inclusive = (flags & kRangeLowerInclusive) != 0;
  parts.upper.inclusive = (flags & kRangeUpperInclusive) != 0;
  for (RangeBound* bound : {&parts.lower, &parts.upper}) {
    if (parts.empty || bound->infinite) continue;
    const auto size = in.get<std::int32_t>();
    const std::string_view bytes = in.take(static_cast<std::uint32_t>(size));
    if (in.ran_short()) return in.finish(ctx);
    if (!value_from_binary(ctx, find_type(type)->base, typmod, bytes, &bound->value)) return false;
  }
  return in.finish(ctx) && make_range(ctx, parts, out);
}

bool read_multirange(EvalContext& ctx, Oid type, std::int32_t typmod, Reader& in, Value* out) {
  const Oid range_type = find_type(type)->base;
  const auto count = in.get<std::int32_t>();
  std::vector<RangeParts> ranges;
  for (std::int32_t i = 0; i < count && !in.ran_short(); ++i) {
    const auto size = in.get<std::int32_t>();
    const std::string_view bytes = in.take(static_cast<std::uint32_t>(size));
    Value range;
    if (in.ran_short()) break;
    if (!value_from_binary(ctx, range_type, typmod, bytes, &range)) return false;
    ranges.push_back(load_range(range));
  }
  return in.finish(ctx) && store_multirange(ctx, range_type, std::move(ranges), out);
}

bool read_composite(EvalContext& ctx, Oid type, Reader& in, Value* out) {
  std::vector<RowField> fields;
  if (!row_fields(ctx, type, &fields)) return ctx.fail({sqlstate::undefined_object, "type with OID " + std::to_string(type) + " does not exist"});
  std::int32_t live = 0;
  for (const RowField& field : fields) live += field.dropped ? 0 : 1;
  const auto given = in.get<std::int32_t>();
  if (in.ran_short()) return in.finish(ctx);
  if (given != live)
    return ctx.fail({sqlstate::datatype_mismatch, "wrong number of columns: " + std::to_string(given) + ", expected " + std::to_string(live)});
  std::vector<Value> values(fields.size());
  std::vector<Oid> types;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const RowField& field = fields[i];
    types.push_back(field.dropped ? kInvalidOid : field.type);
    if (field.dropped) continue;
    const auto of = in.get<std::uint32_t>();
    const auto size = in.get<std::int32_t>();
    if (in.ran_short()) return in.finish(ctx);
    if (of != field.type)
      return ctx.fail({sqlstate::datatype_mismatch, "binary data has type " + std::to_string(of) + " (" + format_type(of) + ") instead of expected " +
                                                        std::to_string(field.type) + " (" + format_type(field.type) + ") in record column " +
                                                        std::to_string(i + 1)});
    if (size == -1) {
      if (type_kind(field.type) == 'd' && !check_domain(ctx, field.type, values[i])) return false;
      continue;
    }
    const std::string_view bytes = in.take(static_cast<std::uint32_t>(size));
    if (in.ran_short()) return ctx.fail({sqlstate::invalid_binary_representation, "insufficient data left in message"});
    if (!value_from_binary(ctx, field.type, field.typmod, bytes, &values[i])) return false;
  }
  if (!in.finish(ctx)) return false;
  *out = build_record(types, values, ctx.arena);
  return true;
}

bool check_range(EvalContext& ctx, bool ok, const char* message) {
  return ok || ctx.fail({sqlstate::datetime_field_overflow, message});
}

}  // namespace

bool append_binary(EvalContext& ctx, Oid type, const Value& value, OutBuffer& out) {
  return append_binary_to(ctx, type, value, out);
}
bool append_binary(EvalContext& ctx, Oid type, const Value& value, std::string& out) {
  return append_binary_to(ctx, type, value, out);
}
bool append_binary(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  return append_binary_to(ctx, type, value, out);
}

bool value_from_binary(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view bytes, Value* out) {
  Reader in(bytes);
  const auto ok = [&](Status status) { return status.ok() || ctx.fail(std::move(status)); };
  switch (type) {
    case kBool: *out = Value::of_bool(in.get<std::uint8_t>() != 0); return in.finish(ctx);
    case kChar: *out = Value::of_int(in.get<std::int8_t>()); return in.finish(ctx);
    case kInt2: *out = Value::of_int(in.get<std::int16_t>()); return in.finish(ctx);
    case kInt4: *out = Value::of_int(in.get<std::int32_t>()); return in.finish(ctx);
    case kOid: case kXid: case kCid: case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype:
    case kRegnamespace: case kRegoperator: case kRegcollation: case kRegrole:
      *out = Value::of_int(in.get<std::uint32_t>());
      return in.finish(ctx);
    case kInt8: case kPgLsn: case kXid8: case kMoney: case kMacaddr8: *out = Value::of_int(in.get<std::int64_t>()); return in.finish(ctx);
    case kDate:
      *out = Value::of_int(in.get<std::int32_t>());
      return in.finish(ctx) &&
             check_range(ctx, !date_finite(out->i) || (out->i >= kMinDate && out->i < kEndDate), "date out of range");
    case kTimetz: {
      TimeTz time;
      time.micros = in.get<std::int64_t>();
      time.offset = -in.get<std::int32_t>();
      if (!in.finish(ctx) || !check_range(ctx, time.micros >= 0 && time.micros <= kDayMicros, "time out of range")) return false;
      if (std::abs(time.offset) >= 16 * 3600)
        return ctx.fail({sqlstate::invalid_time_zone_displacement_value, "time zone displacement out of range"});
      time.micros = round_micros(time.micros, typmod);
      *out = store_timetz(time, ctx.arena);
      return true;
    }
    case kBit: case kVarbit: {
      const auto count = in.get<std::int32_t>();
      if (in.ran_short()) return in.finish(ctx);
      if (count < 0 || (count + 7) / 8 != static_cast<std::int32_t>(in.left()))
        return ctx.fail({sqlstate::invalid_binary_representation, "invalid length in external bit string"});
      const std::string bits = unpack_bits(in.rest(), static_cast<std::size_t>(count));
      Status status = fit_bits(bits, type == kVarbit, typmod, false, ctx.arena, out);
      return status.ok() || ctx.fail(std::move(status));
    }
    case kTime:
      *out = Value::of_int(in.get<std::int64_t>());
      if (!in.finish(ctx) || !check_range(ctx, out->i >= 0 && out->i <= kDayMicros, "time out of range")) return false;
      out->i = round_micros(out->i, typmod);
      return true;
    case kTimestamp: case kTimestamptz:
      *out = Value::of_int(in.get<std::int64_t>());
      if (!in.finish(ctx) ||
          !check_range(ctx, !timestamp_finite(out->i) || timestamp_in_range(out->i), "timestamp out of range"))
        return false;
      out->i = round_micros(out->i, typmod);
      return true;
    case kFloat8: *out = Value::of_double(std::bit_cast<double>(in.get<std::uint64_t>())); return in.finish(ctx);
    case kFloat4:
      *out = Value::of_double(static_cast<double>(std::bit_cast<float>(in.get<std::uint32_t>())));
      return in.finish(ctx);
    case kText: case kVarchar: case kBpchar: case kName: case kCitext: case kJson: case kUnknown: case kCstring: case kAclItem: case kRefcursor:
    case kPgNodeTree: case kVoid:
      return from_client(ctx, &bytes) && value_from_text(ctx, type, typmod, bytes, out);
    case kJsonb: case kJsonpath: {
      const auto version = in.get<std::int8_t>();
      if (in.ran_short()) return in.finish(ctx);
      if (version != 1)
        return ctx.fail({sqlstate::internal_error, "unsupported " + format_type(type, -1) + " version number " + std::to_string(version)});
      std::string_view body = in.rest();
      return from_client(ctx, &body) && value_from_text(ctx, type, typmod, body, out);
    }
    case kBytea: *out = Value::of_bytes(ctx.arena.copy(bytes)); return true;
    case kUuid: {
      const std::string_view body = in.take(16);
      if (!in.finish(ctx)) return false;
      *out = Value::of_bytes(ctx.arena.copy(body));
      return true;
    }
    case kNumeric: return read_numeric(ctx, typmod, in, out);
    case kInterval: {
      IntervalValue v;
      v.microseconds = in.get<std::int64_t>();
      v.days = in.get<std::int32_t>();
      v.months = in.get<std::int32_t>();
      if (!in.finish(ctx) || !ok(apply_interval_typmod(typmod, &v))) return false;
      *out = interval_value(v, ctx.arena);
      return true;
    }
    case kInet: case kCidr: return read_network(ctx, type == kCidr, in, out);
    case kMacaddr: {
      const auto high = static_cast<std::int64_t>(in.get<std::uint16_t>());
      *out = Value::of_int((high << 32) | in.get<std::uint32_t>());
      return in.finish(ctx);
    }
    case kTid: {
      const auto block = static_cast<std::int64_t>(in.get<std::uint32_t>());
      const auto offset = in.get<std::uint16_t>();
      *out = Value::of_int((block << 16) | offset);
      return in.finish(ctx);
    }
    case kRecord:
      return ctx.fail({sqlstate::feature_not_supported, "input of anonymous composite types is not implemented"});
    default: break;
  }
  if (const TypeInfo* info = find_type(type); info != nullptr && info->category == 'A' && info->element != 0)
    return read_array(ctx, type, typmod, in, out);
  if (type_kind(type) == 'e') return from_client(ctx, &bytes) && value_from_text(ctx, type, typmod, bytes, out);
  if (type_kind(type) == 'r') return read_range(ctx, type, typmod, in, out);
  if (type_kind(type) == 'm') return read_multirange(ctx, type, typmod, in, out);
  if (type_kind(type) == 'c') return read_composite(ctx, type, in, out);
  if (type_kind(type) == 'd')
    return value_from_binary(ctx, base_type(type), domain_typmod(ctx, type), bytes, out) && check_domain(ctx, type, *out);
  return ctx.fail({sqlstate::undefined_function, "no binary input function available for type " + format_type(type)});
}

}  // namespace wandian::sql
