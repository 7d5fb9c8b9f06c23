#include "sql/functions/jsonpath_datetime.h"

#include <algorithm>

#include "sql/functions/datetime_math.h"
#include "sql/functions/format.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr std::string_view kForms[] = {
    "yyyy-mm-dd", "HH24:MI:SS.USTZH:TZM", "HH24:MI:SS.USTZH", "HH24:MI:SSTZH:TZM", "HH24:MI:SSTZH", "HH24:MI:SS.US", "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SS.USTZH:TZM", "yyyy-mm-dd HH24:MI:SS.USTZH", "yyyy-mm-dd HH24:MI:SSTZH:TZM", "yyyy-mm-dd HH24:MI:SSTZH",
    "yyyy-mm-dd\"T\"HH24:MI:SS.USTZH:TZM", "yyyy-mm-dd\"T\"HH24:MI:SS.USTZH", "yyyy-mm-dd\"T\"HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH", "yyyy-mm-dd HH24:MI:SS.US", "yyyy-mm-dd HH24:MI:SS", "yyyy-mm-dd\"T\"HH24:MI:SS.US",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
};

int order(std::int64_t a, std::int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

std::int64_t micros_of_day(const BrokenTime& t) {
  return t.hour * kHourMicros + t.minute * kMinuteMicros + t.second * kSecondMicros + t.micros;
}

// A time with a zone is its instant; equal instants are ordered by zone.
int compare_zoned_times(const JsonPathTime& a, const JsonPathTime& b) {
  const int by_instant = order(a.value - a.offset * kSecondMicros, b.value - b.offset * kSecondMicros);
  return by_instant != 0 ? by_instant : order(-a.offset, -b.offset);
}

class Comparison {
 public:
  Comparison(const FormatSettings& format, std::int64_t now, bool with_zone, Status* refused)
      : zone_(zone_of(format)), now_(now), with_zone_(with_zone), refused_(*refused) {}

  std::optional<int> run(const JsonPathTime& a, const JsonPathTime& b) {
    const bool a_time = a.type == kTime || a.type == kTimetz;
    const bool b_time = b.type == kTime || b.type == kTimetz;
    if (a_time != b_time) return std::nullopt;
    if (a.type == b.type) return a.type == kTimetz ? compare_zoned_times(a, b) : order(a.value, b.value);
    if (a_time) {
      if (!may_use_zone("time", "timetz")) return std::nullopt;
      return compare_zoned_times(zoned_time(a), zoned_time(b));
    }
    const bool zoned = a.type == kTimestamptz || b.type == kTimestamptz;
    if (zoned && !may_use_zone(a.type == kDate || b.type == kDate ? "date" : "timestamp", "timestamptz")) return std::nullopt;
    return order(instant(a, zoned), instant(b, zoned));
  }

 private:
  bool may_use_zone(const char* from, const char* to) {
    if (with_zone_) return true;
    refused_ = Status{sqlstate::feature_not_supported, std::string("cannot convert value from ") + from + " to " + to + " without time zone usage"}
                   .with_hint("Use *_tz() function for time zone support.");
    return false;
  }
  JsonPathTime zoned_time(JsonPathTime t) const {
    if (t.type == kTime) t.offset = zone_at(zone_, now_).offset;
    return t;
  }
  std::int64_t instant(const JsonPathTime& t, bool zoned) const {
    std::int64_t out = t.value;
    if (t.type == kDate && !date_to_timestamp(t.value, &out)) out = t.value < 0 ? kTimestampMinusInfinity : kTimestampInfinity;
    if (zoned && t.type != kTimestamptz) (void)from_local(zone_, out, &out);
    return out;
  }

  const TimeZone& zone_;
  std::int64_t now_;
  bool with_zone_;
  Status& refused_;
};

}  // namespace

Status jsonpath_time(std::string_view pattern, std::string_view text, JsonPathTime* out) {
  ParsedTime parsed;
  StandardFields fields;
  WANDIAN_TRY(parse_standard_time(pattern, text, &parsed, &fields));
  if (!fields.dated && !fields.timed)
    return {sqlstate::invalid_datetime_format, fields.zoned ? "datetime format is zoned but not timed" : "datetime format is not dated and not timed"};
  if (fields.dated && fields.zoned && !fields.timed) return {sqlstate::invalid_datetime_format, "datetime format is zoned but not timed"};
  out->offset = parsed.zone_offset.value_or(0);
  if (!fields.dated) {
    out->type = fields.zoned ? kTimetz : kTime;
    out->value = micros_of_day(parsed.time);
    return {};
  }
  if (!fields.timed) {
    out->type = kDate;
    out->value = days_from_civil(parsed.time.year, parsed.time.month, parsed.time.day);
    return {};
  }
  out->type = fields.zoned ? kTimestamptz : kTimestamp;
  if (!make_timestamp(parsed.time, &out->value)) return {sqlstate::datetime_field_overflow, "timestamp out of range"};
  if (fields.zoned) out->value -= out->offset * kSecondMicros;
  return {};
}

bool jsonpath_time(std::string_view text, JsonPathTime* out) {
  return std::any_of(std::begin(kForms), std::end(kForms), [&](std::string_view form) {
    *out = {};
    return jsonpath_time(form, text, out).ok();
  });
}

void write_jsonpath_time(const JsonPathTime& time, TextBuilder& out) {
  FormatSettings iso;
  char text[kDateTimeTextBytes];
  char* end = text;
  if (time.type == kDate) {
    end = write_date(iso, static_cast<std::int32_t>(time.value), text);
  } else if (time.type == kTime || time.type == kTimetz) {
    end = write_time(time.value, text);
  } else {
    const bool zoned = time.type == kTimestamptz;
    end = write_timestamp(iso, time.value + (zoned ? time.offset * kSecondMicros : 0), text);
    *std::find(text, end, ' ') = 'T';
  }
  if (time.type == kTimetz || time.type == kTimestamptz) {
    char* zone = end;
    end = write_offset(time.offset, end);
    if (end - zone == 3) end = std::copy_n(":00", 3, end);
  }
  out.append(text, static_cast<std::size_t>(end - text));
}

std::optional<int> compare_jsonpath_times(const FormatSettings& format, std::int64_t now, const JsonPathTime& a, const JsonPathTime& b, bool with_zone,
                                          Status* refused) {
  return Comparison(format, now, with_zone, refused).run(a, b);
}

}  // namespace wandian::sql
