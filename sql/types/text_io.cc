#include "sql/access/acl.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/text_io.h"

#include <cstring>
#include <limits>

#include "engine/array_value.h"
#include "engine/numeric.h"
#include "sql/expr/domain_value.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/bit_string.h"
#include "sql/types/datetime.h"
#include "sql/types/json.h"
#include "sql/types/jsonpath.h"
#include "sql/types/money.h"
#include "sql/types/multirange.h"
#include "sql/types/network.h"
#include "sql/types/number_text.h"
#include "sql/types/range_text.h"
#include "sql/types/string_types.h"
#include "sql/types/timetz.h"
#include "sql/types/type_forms.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

bool finish(EvalContext& ctx, Status status) {
  if (status.ok()) [[likely]] return true;
  return ctx.fail(std::move(status));
}

// Any prefix of these words that is unique, in any case.
bool parse_bool(std::string_view text, bool* out) {
  const std::string_view body = trim_blanks(text);
  if (body.empty()) return false;
  const auto prefix_of = [&](std::string_view word) {
    if (body.size() > word.size()) return false;
    for (std::size_t i = 0; i < body.size(); ++i)
      if ((body[i] | 0x20) != word[i]) return false;
    return true;
  };
  if (body == "1" || prefix_of("true") || prefix_of("yes") || (prefix_of("on") && body.size() == 2)) {
    *out = true;
    return true;
  }
  if (body == "0" || prefix_of("false") || prefix_of("no") || (prefix_of("off") && body.size() >= 2)) {
    *out = false;
    return true;
  }
  return false;
}

Status parse_lsn(std::string_view text, std::int64_t* out) {
  std::uint64_t parts[2] = {0, 0};
  int part = 0;
  int digits = 0;
  for (const char c : text) {
    if (c == '/' && part == 0 && digits > 0) {
      part = 1;
      digits = 0;
      continue;
    }
    const int d = hex_digit(c);
    if (d < 0 || ++digits > 8) return invalid_input("pg_lsn", text);
    parts[part] = parts[part] * 16 + static_cast<std::uint64_t>(d);
  }
  if (part != 1 || digits == 0) return invalid_input("pg_lsn", text);
  *out = static_cast<std::int64_t>((parts[0] << 32) | parts[1]);
  return {};
}

char* write_upper_hex(std::uint32_t value, char* out) {
  char text[8];
  int n = 0;
  do {
    text[n++] = "0123456789ABCDEF"[value & 15];
    value >>= 4;
  } while (value != 0);
  while (n > 0) *out++ = text[--n];
  return out;
}

// (block,offset): the block in the upper bits.
Status parse_tid(std::string_view text, std::int64_t* out) {
  const std::string_view body = trim_blanks(text);
  const std::size_t comma = body.find(',');
  std::int64_t block, offset;
  if (body.size() < 5 || body.front() != '(' || body.back() != ')' || comma == std::string_view::npos ||
      !parse_int(body.substr(1, comma - 1), 0, std::numeric_limits<std::uint32_t>::max(), "tid", &block).ok() ||
      !parse_int(body.substr(comma + 1, body.size() - comma - 2), 0, 65535, "tid", &offset).ok())
    return invalid_input("tid", text);
  *out = (block << 16) | offset;
  return {};
}

Status no_input(Oid type) {
  return {sqlstate::feature_not_supported, "cannot accept a value of type " + format_type(type)};
}

template <class Out>
void put(Out& out, const char* begin, const char* end) {
  out.append(begin, static_cast<std::size_t>(end - begin));
}

// Through an arena string, for forms that are not on the hot path.
template <class Out>
bool append_built(EvalContext& ctx, Oid type, const Value& value, Out& out) {
  TextBuilder builder(ctx.arena);
  switch (type) {
    case kBytea: write_bytea_escaped(value.bytes(), builder); break;
    case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype: case kRegnamespace: case kRegrole: case kRegoperator: case kRegcollation:
      append_object_text(ctx, type, value, builder);
      break;
    case kRecord:
      if (!append_record_text(ctx, value, builder)) return false;
      break;
    default: {
      const char kind = type_kind(type);
      if (kind == 'c'   ? !append_composite_text(ctx, type, value, builder)
          : kind == 'r' ? !append_range_text(ctx, value, builder)
          : kind == 'm' ? !append_multirange_text(ctx, value, builder)
                        : !append_array_text(ctx, value, builder))
        return false;
    }
  }
  out.append(builder.view().data(), builder.size());
  return true;
}

template <class Out>
bool append_text_to(EvalContext& ctx, Oid type, const Value& value, Out& out) {
  char text[kIntervalTextBytes];
  static_assert(sizeof text >= kDateTimeTextBytes && sizeof text >= kNumberTextBytes);
  switch (type) {
    case kBool: out.push_back(value.as_bool() ? 't' : 'f'); return true;
    case kInt2: case kInt4: case kInt8: put(out, text, write_int(value.i, text)); return true;
    case kOid: case kXid: case kCid:
      put(out, text, write_uint(static_cast<std::uint32_t>(value.i), text));
      return true;
    case kText: case kVarchar: case kBpchar: case kName: case kCitext: case kJson: case kJsonb: case kUnknown: case kCstring:
    case kPgNodeTree: case kAclItem: case kRefcursor: case kJsonpath: case kBit: case kVarbit:
      out.append(value.p, value.size);
      return true;
    case kChar:
      if (value.i != 0) out.push_back(static_cast<char>(value.i));
      return true;
    case kFloat8: put(out, text, write_double(value.d, ctx.format.extra_float_digits, text)); return true;
    case kFloat4:
      put(out, text, write_float(static_cast<float>(value.d), ctx.format.extra_float_digits, text));
      return true;
    case kNumeric: {
      const std::size_t bound = numeric_text_bound(value);
      char* p = bound <= sizeof text ? text : ctx.arena.allocate_bytes(bound);
      put(out, p, write_numeric_text(value, p));
      return true;
    }
    case kDate: put(out, text, write_date(ctx.format, static_cast<std::int32_t>(value.i), text)); return true;
    case kTime: put(out, text, write_time(value.i, text)); return true;
    case kTimestamp: put(out, text, write_timestamp(ctx.format, value.i, text)); return true;
    case kTimestamptz: put(out, text, write_timestamptz(ctx.format, value.i, text)); return true;
    case kInterval: put(out, text, write_interval(ctx.format, load_interval(value), text)); return true;
    case kUuid: put(out, text, write_uuid(value.p, text)); return true;
    case kBytea: {
      if (!ctx.format.bytea_hex) return append_built(ctx, type, value, out);
      const std::size_t size = 2 + 2 * static_cast<std::size_t>(value.size);
      char* p = size <= sizeof text ? text : ctx.arena.allocate_bytes(size);
      p[0] = '\\';
      p[1] = 'x';
      write_hex(value.bytes(), p + 2);
      out.append(p, size);
      return true;
    }
    case kPgLsn: {
      const auto lsn = static_cast<std::uint64_t>(value.i);
      char* end = write_upper_hex(static_cast<std::uint32_t>(lsn >> 32), text);
      *end++ = '/';
      put(out, text, write_upper_hex(static_cast<std::uint32_t>(lsn), end));
      return true;
    }
    case kTid: {
      char* end = text;
      *end++ = '(';
      end = write_uint(static_cast<std::uint64_t>(value.i) >> 16, end);
      *end++ = ',';
      end = write_uint(static_cast<std::uint64_t>(value.i) & 0xffff, end);
      *end++ = ')';
      put(out, text, end);
      return true;
    }
    case kTimetz: put(out, text, write_timetz(load_timetz(value), text)); return true;
    case kXid8: put(out, text, write_uint(static_cast<std::uint64_t>(value.i), text)); return true;
    case kMoney: case kMacaddr8: {
      const std::string shown = type == kMoney ? money_text(value.i) : macaddr8_text(value.i);
      out.append(shown.data(), shown.size());
      return true;
    }
    case kInet: case kCidr: {
      const std::string shown = network_text(load_network(value), type == kCidr);
      out.append(shown.data(), shown.size());
      return true;
    }
    case kMacaddr: {
      const std::string shown = macaddr_text(value.i);
      out.append(shown.data(), shown.size());
      return true;
    }
    case kVoid: return true;
    case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype: case kRegnamespace: case kRegrole: case kRegoperator: case kRegcollation:
    case kRecord:
      return append_built(ctx, type, value, out);
    case kOidVector: case kInt2Vector: {
      const ArrayView array(value);
      for (std::uint32_t i = 0; i < array.count(); ++i) {
        if (i > 0) out.push_back(' ');
        put(out, text, write_int(array.element(i).i, text));
      }
      return true;
    }
    default: break;
  }
  if (type == kAnyArray || element_of(type) != 0) return append_built(ctx, type, value, out);
  switch (type_kind(type)) {
    case 'e': {
      std::string_view label;
      if (!enum_label(ctx, type, value, &label)) return false;
      out.append(label.data(), label.size());
      return true;
    }
    case 'd': return append_text_to(ctx, base_type(type), value, out);
    case 'c': case 'r': case 'm': return append_built(ctx, type, value, out);
    default: break;
  }
  return ctx.fail({sqlstate::feature_not_supported, "cannot display a value of type " + format_type(type)});
}

}  // namespace

bool append_text(EvalContext& ctx, Oid type, const Value& value, OutBuffer& out) {
  return append_text_to(ctx, type, value, out);
}
bool append_text(EvalContext& ctx, Oid type, const Value& value, std::string& out) {
  return append_text_to(ctx, type, value, out);
}
bool append_text(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  return append_text_to(ctx, type, value, out);
}

bool value_from_text(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view text, Value* out) {
  out->is_null = false;
  out->size = 0;
  const auto now = ctx.transaction_timestamp;
  switch (type) {
    case kBool: {
      bool v;
      if (!parse_bool(text, &v)) return ctx.fail(invalid_input("boolean", text));
      *out = Value::of_bool(v);
      return true;
    }
    case kInt2: return finish(ctx, parse_int(text, INT16_MIN, INT16_MAX, "smallint", &out->i));
    case kInt4: return finish(ctx, parse_int(text, INT32_MIN, INT32_MAX, "integer", &out->i));
    case kInt8: return finish(ctx, parse_int(text, INT64_MIN, INT64_MAX, "bigint", &out->i));
    case kOid: return finish(ctx, parse_oid(text, "oid", &out->i));
    case kXid: case kCid: *out = Value::of_int(parse_xid(text)); return true;
    case kFloat8: return finish(ctx, parse_double(text, &out->d));
    case kFloat4: {
      float v = 0;
      if (!finish(ctx, parse_float(text, &v))) return false;
      out->d = static_cast<double>(v);
      return true;
    }
    case kNumeric: return finish(ctx, numeric_from_text(text, typmod, ctx.arena, out));
    case kAclItem: {
      if (ctx.session == nullptr) return ctx.fail({sqlstate::feature_not_supported, "privileges cannot be read here"});
      Result<AclItem> item = parse_acl_item(ctx.session->current_catalog(), text);
      if (!item.ok()) return ctx.fail(item.take_status());
      *out = Value::of_bytes(ctx.arena.copy(acl_item_text(ctx.session->current_catalog(), *item)));
      return true;
    }
    case kText: case kCitext: case kCstring: case kUnknown: case kRefcursor:
      if (!finish(ctx, check_utf8(text))) return false;
      *out = Value::of_bytes(ctx.arena.copy(text));
      return true;
    case kVarchar: return finish(ctx, check_utf8(text)) && finish(ctx, fit_varchar(text, typmod, false, ctx.arena, out));
    case kBpchar: return finish(ctx, check_utf8(text)) && finish(ctx, fit_bpchar(text, typmod, false, ctx.arena, out));
    case kName:
      if (!finish(ctx, check_utf8(text))) return false;
      *out = Value::of_bytes(ctx.arena.copy(fit_name(text)));
      return true;
    case kChar: *out = Value::of_int(text.empty() ? 0 : static_cast<std::int8_t>(text[0])); return true;
    case kBytea: return finish(ctx, parse_bytea(text, ctx.arena, out));
    case kDate: {
      std::int32_t days = 0;
      if (!finish(ctx, parse_date(ctx.format, now, text, &days))) return false;
      *out = Value::of_int(days);
      return true;
    }
    case kTime:
      if (!finish(ctx, parse_time(ctx.format, now, text, &out->i))) return false;
      out->i = round_micros(out->i, typmod);
      return true;
    case kTimestamp:
      if (!finish(ctx, parse_timestamp(ctx.format, now, text, &out->i))) return false;
      out->i = round_micros(out->i, typmod);
      return true;
    case kTimestamptz:
      if (!finish(ctx, parse_timestamptz(ctx.format, now, text, &out->i))) return false;
      out->i = round_micros(out->i, typmod);
      return true;
    case kInterval: {
      IntervalValue v;
      if (!finish(ctx, parse_interval(ctx.format, typmod, text, &v))) return false;
      *out = interval_value(v, ctx.arena);
      return true;
    }
    case kUuid: return finish(ctx, parse_uuid(text, ctx.arena, out));
    case kJson: {
      JsonNode node;
      if (!finish(ctx, check_utf8(text)) || !finish(ctx, parse_json(text, false, ctx.arena, &node))) return false;
      *out = Value::of_bytes(ctx.arena.copy(text));
      return true;
    }
    case kJsonb: return finish(ctx, check_utf8(text)) && finish(ctx, normalize_jsonb(text, ctx.arena, out));
    case kJsonpath: {
      JsonPath path;
      if (!finish(ctx, check_utf8(text)) || !finish(ctx, parse_jsonpath(text, ctx.arena, &path))) return false;
      TextBuilder builder(ctx.arena);
      write_jsonpath(path, builder);
      *out = builder.value();
      return true;
    }
    case kInet: case kCidr: {
      NetworkAddress address;
      if (!finish(ctx, parse_network(text, type == kCidr, &address))) return false;
      *out = store_network(address, ctx.arena);
      return true;
    }
    case kMacaddr: return finish(ctx, parse_macaddr(text, &out->i));
    case kMacaddr8: return finish(ctx, parse_macaddr8(text, &out->i));
    case kMoney: return finish(ctx, parse_money(text, &out->i));
    case kXid8: *out = Value::of_int(parse_xid8(text)); return true;
    case kBit: case kVarbit: return finish(ctx, parse_bits(text, type == kVarbit, typmod, ctx.arena, out));
    case kTimetz: {
      TimeTz time;
      if (!finish(ctx, parse_timetz(ctx.format, now, text, &time))) return false;
      time.micros = round_micros(time.micros, typmod);
      *out = store_timetz(time, ctx.arena);
      return true;
    }
    case kPgLsn: return finish(ctx, parse_lsn(text, &out->i));
    case kTid: return finish(ctx, parse_tid(text, &out->i));
    case kVoid: *out = Value::of_int(0); return true;
    case kRegproc: case kRegprocedure: case kRegoper: case kRegclass: case kRegtype: case kRegnamespace: case kRegrole: case kRegoperator: case kRegcollation:
      return object_from_text(ctx, type, text, out);
    case kOidVector: return vector_from_text(ctx, kOid, text, out);
    case kInt2Vector: return vector_from_text(ctx, kInt2, text, out);
    case kRecord:
      return ctx.fail({sqlstate::feature_not_supported, "input of anonymous composite types is not implemented"});
    default: break;
  }
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->category == 'A' && info->element != 0)
    return array_from_text(ctx, info->element, typmod, text, out);
  if (info != nullptr && info->kind == 'r') return range_from_text(ctx, type, typmod, text, out);
  if (info != nullptr && info->kind == 'm') return multirange_from_text(ctx, type, typmod, text, out);
  if (info != nullptr && info->kind == 'c') return composite_from_text(ctx, type, text, out);
  if (info != nullptr && info->kind == 'e') return enum_from_text(ctx, type, text, out);
  if (info != nullptr && info->kind == 'd')
    return value_from_text(ctx, base_type(type), domain_typmod(ctx, type), text, out) && check_domain(ctx, type, *out);
  return ctx.fail(no_input(type));
}

}  // namespace wandian::sql
