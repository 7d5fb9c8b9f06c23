#include "engine/numeric.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

std::string with_length(std::string name, std::int32_t length) { return name + "(" + std::to_string(length) + ")"; }

// interval(p), interval day to second(p), ...
std::string interval_name(std::int32_t typmod) {
  const std::int32_t range = (typmod >> 16) & 0x7fff;
  const std::int32_t precision = typmod & 0xffff;
  constexpr std::int32_t kMonth = 1 << 1, kYear = 1 << 2, kDay = 1 << 3, kHour = 1 << 10, kMinute = 1 << 11,
                         kSecond = 1 << 12;
  struct Field {
    std::int32_t range;
    const char* text;
  };
  constexpr Field kFields[] = {
      {kYear, " year"}, {kMonth, " month"}, {kDay, " day"}, {kHour, " hour"}, {kMinute, " minute"}, {kSecond, " second"},
      {kYear | kMonth, " year to month"}, {kDay | kHour, " day to hour"}, {kDay | kHour | kMinute, " day to minute"},
      {kDay | kHour | kMinute | kSecond, " day to second"}, {kHour | kMinute, " hour to minute"},
      {kHour | kMinute | kSecond, " hour to second"}, {kMinute | kSecond, " minute to second"}};
  std::string out = "interval";
  for (const Field& f : kFields)
    if (f.range == range) out += f.text;
  return precision == 0xffff ? out : with_length(out, precision);
}

}  // namespace

std::string format_type(Oid type) {
  const TypeInfo* info = find_type(type);
  if (type == kBpchar) return "character";
  if (type == kBit) return "bit";
  if (info != nullptr && info->element == kBit && info->category == 'A') return "bit[]";
  if (info != nullptr && info->element == kBpchar && info->category == 'A') return "character[]";
  return format_type(type, -1);
}

std::string format_type(Oid type, std::int32_t typmod) {
  if (type == kInvalidOid) return "-";
  const TypeInfo* info = find_type(type);
  if (info == nullptr) return "???";
  if (info->category == 'A' && info->element != 0 && type != kOidVector && type != kInt2Vector)
    return format_type(info->element, typmod) + "[]";
  if (type == 2287) return "record[]";
  if (type >= kFirstUserOid || type == kCitext) {
    TypeCatalog* types = current_type_catalog();
    const std::string name = types != nullptr ? types->user_type_name(type) : std::string();
    return name.empty() ? "???" : name;
  }
  const std::string precision = typmod >= 0 ? "(" + std::to_string(typmod) + ")" : "";
  switch (type) {
    case kBool: return "boolean";
    case kInt2: return "smallint";
    case kInt4: return "integer";
    case kInt8: return "bigint";
    case kFloat4: return "real";
    case kFloat8: return "double precision";
    case kChar: return "\"char\"";
    case kAny: return "\"any\"";
    case kVarchar: return typmod >= 4 ? with_length("character varying", typmod - 4) : "character varying";
    case kBpchar: return typmod >= 4 ? with_length("character", typmod - 4) : "bpchar";
    case kNumeric:
      if (typmod < 4) return "numeric";
      return "numeric(" + std::to_string(numeric_typmod_precision(typmod)) + "," +
             std::to_string(numeric_typmod_scale(typmod)) + ")";
    case kBit: return typmod >= 0 ? with_length("bit", typmod) : "\"bit\"";
    case kVarbit: return typmod >= 0 ? with_length("bit varying", typmod) : "bit varying";
    case kTime: return "time" + precision + " without time zone";
    case kTimetz: return "time" + precision + " with time zone";
    case kTimestamp: return "timestamp" + precision + " without time zone";
    case kTimestamptz: return "timestamp" + precision + " with time zone";
    case kInterval: return typmod >= 0 ? interval_name(typmod) : "interval";
    default: return std::string(info->name);
  }
}

}  // namespace wandian::sql
