#include "sql/types/timezone.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

struct Abbreviation {
  std::string_view name;
  std::int32_t offset;
  bool daylight;
};

// Those whose offset is the one that a zone has at the time in question, ascending.
struct DynamicAbbreviation {
  std::string_view name, zone;
};
constexpr DynamicAbbreviation kDynamicAbbreviations[] = {
    {"amst", "Asia/Yerevan"}, {"anast", "Asia/Anadyr"}, {"anat", "Asia/Anadyr"}, {"arst", "America/Argentina/Buenos_Aires"},
    {"art", "America/Argentina/Buenos_Aires"}, {"azst", "Asia/Baku"}, {"azt", "Asia/Baku"}, {"ckt", "Pacific/Rarotonga"},
    {"clt", "America/Santiago"}, {"davt", "Antarctica/Davis"}, {"easst", "Pacific/Easter"}, {"east", "Pacific/Easter"},
    {"fkst", "Atlantic/Stanley"}, {"fkt", "Atlantic/Stanley"}, {"gest", "Asia/Tbilisi"}, {"get", "Asia/Tbilisi"},
    {"gyt", "America/Guyana"}, {"iot", "Indian/Chagos"}, {"irkst", "Asia/Irkutsk"}, {"irkt", "Asia/Irkutsk"},
    {"kgt", "Asia/Bishkek"}, {"kost", "Pacific/Kosrae"}, {"krast", "Asia/Krasnoyarsk"}, {"krat", "Asia/Krasnoyarsk"},
    {"lhdt", "Australia/Lord_Howe"}, {"lint", "Pacific/Kiritimati"}, {"lkt", "Asia/Colombo"}, {"magst", "Asia/Magadan"},
    {"magt", "Asia/Magadan"}, {"mawt", "Antarctica/Mawson"}, {"msk", "Europe/Moscow"}, {"novst", "Asia/Novosibirsk"},
    {"novt", "Asia/Novosibirsk"}, {"nut", "Pacific/Niue"}, {"omsst", "Asia/Omsk"}, {"omst", "Asia/Omsk"},
    {"petst", "Asia/Kamchatka"}, {"pett", "Asia/Kamchatka"}, {"pyt", "America/Asuncion"}, {"sgt", "Asia/Singapore"},
    {"tkt", "Pacific/Fakaofo"}, {"tmt", "Asia/Ashgabat"}, {"ulat", "Asia/Ulaanbaatar"}, {"vet", "America/Caracas"},
    {"vlast", "Asia/Vladivostok"}, {"vlat", "Asia/Vladivostok"}, {"volt", "Europe/Volgograd"}, {"yakst", "Asia/Yakutsk"},
    {"yakt", "Asia/Yakutsk"}, {"yekt", "Asia/Yekaterinburg"},
};

// PostgreSQL 15's default set, ascending; zone-dependent ones with the offset they have today.
constexpr Abbreviation kAbbreviations[] = {
    {"acdt", 37800, true}, {"acsst", 37800, true}, {"acst", 34200, false}, {"act", -18000, false},
    {"acwst", 31500, false}, {"adt", -10800, true}, {"aedt", 39600, true}, {"aesst", 39600, true},
    {"aest", 36000, false}, {"aft", 16200, false}, {"akdt", -28800, true}, {"akst", -32400, false},
    {"almst", 25200, true}, {"almt", 21600, false}, {"amst", 14400, false}, {"amt", -14400, false},
    {"anast", 43200, false}, {"anat", 43200, false}, {"arst", -10800, false}, {"art", -10800, false},
    {"ast", -14400, false}, {"awsst", 32400, true}, {"awst", 28800, false}, {"azost", 0, true},
    {"azot", -3600, false}, {"azst", 14400, false}, {"azt", 14400, false}, {"bdst", 7200, true},
    {"bdt", 21600, false}, {"bnt", 28800, false}, {"bort", 28800, false}, {"bot", -14400, false},
    {"bra", -10800, false}, {"brst", -7200, true}, {"brt", -10800, false}, {"bst", 3600, true}, {"btt", 21600, false},
    {"cadt", 37800, true}, {"cast", 34200, false}, {"cct", 28800, false}, {"cdt", -18000, true}, {"cest", 7200, true},
    {"cet", 3600, false}, {"cetdst", 7200, true}, {"chadt", 49500, true}, {"chast", 45900, false},
    {"chut", 36000, false}, {"ckt", -36000, false}, {"clst", -10800, true}, {"clt", -10800, true},
    {"cot", -18000, false}, {"cst", -21600, false}, {"cxt", 25200, false}, {"davt", 25200, false},
    {"ddut", 36000, false}, {"easst", -18000, true}, {"east", -18000, true}, {"eat", 10800, false},
    {"edt", -14400, true}, {"eest", 10800, true}, {"eet", 7200, false}, {"eetdst", 10800, true}, {"egst", 0, true},
    {"egt", -3600, false}, {"est", -18000, false}, {"fet", 10800, false}, {"fjst", 46800, true},
    {"fjt", 43200, false}, {"fkst", -10800, false}, {"fkt", -10800, false}, {"fnst", -3600, true},
    {"fnt", -7200, false}, {"galt", -21600, false}, {"gamt", -32400, false}, {"gest", 14400, false},
    {"get", 14400, false}, {"gft", -10800, false}, {"gilt", 43200, false}, {"gmt", 0, false}, {"gyt", -14400, false},
    {"hkt", 28800, false}, {"hst", -36000, false}, {"ict", 25200, false}, {"idt", 10800, true}, {"iot", 21600, false},
    {"irkst", 28800, false}, {"irkt", 28800, false}, {"irt", 12600, false}, {"ist", 7200, false},
    {"jayt", 32400, false}, {"jst", 32400, false}, {"kdt", 36000, true}, {"kgst", 21600, true}, {"kgt", 21600, false},
    {"kost", 39600, false}, {"krast", 25200, false}, {"krat", 25200, false}, {"kst", 32400, false},
    {"lhdt", 39600, true}, {"lhst", 37800, false}, {"ligt", 36000, false}, {"lint", 50400, false},
    {"lkt", 19800, false}, {"magst", 39600, false}, {"magt", 39600, false}, {"mart", -34200, false},
    {"mawt", 18000, false}, {"mdt", -21600, true}, {"mest", 7200, true}, {"mesz", 7200, true}, {"met", 3600, false},
    {"metdst", 7200, true}, {"mez", 3600, false}, {"mht", 43200, false}, {"mmt", 23400, false}, {"mpt", 36000, false},
    {"msd", 14400, true}, {"msk", 10800, false}, {"mst", -25200, false}, {"must", 18000, true}, {"mut", 14400, false},
    {"mvt", 18000, false}, {"myt", 28800, false}, {"ndt", -9000, true}, {"nft", -12600, false},
    {"novst", 25200, false}, {"novt", 25200, false}, {"npt", 20700, false}, {"nst", -12600, false},
    {"nut", -39600, false}, {"nzdt", 46800, true}, {"nzst", 43200, false}, {"nzt", 43200, false},
    {"omsst", 21600, false}, {"omst", 21600, false}, {"pdt", -25200, true}, {"pet", -18000, false},
    {"petst", 43200, false}, {"pett", 43200, false}, {"pgt", 36000, false}, {"pht", 28800, false},
    {"pkst", 21600, true}, {"pkt", 18000, false}, {"pmdt", -7200, true}, {"pmst", -10800, false},
    {"pont", 39600, false}, {"pst", -28800, false}, {"pwt", 32400, false}, {"pyst", -10800, true},
    {"pyt", -10800, false}, {"ret", 14400, false}, {"sadt", 37800, true}, {"sast", 7200, false},
    {"sct", 14400, false}, {"sgt", 28800, false}, {"taht", -36000, false}, {"tft", 18000, false},
    {"tjt", 18000, false}, {"tkt", 46800, false}, {"tmt", 18000, false}, {"tot", 46800, false},
    {"trut", 36000, false}, {"tvt", 43200, false}, {"uct", 0, false}, {"ulast", 32400, true}, {"ulat", 28800, false},
    {"ut", 0, false}, {"utc", 0, false}, {"uyst", -7200, true}, {"uyt", -10800, false}, {"uzst", 21600, true},
    {"uzt", 18000, false}, {"vet", -14400, false}, {"vlast", 36000, false}, {"vlat", 36000, false},
    {"volt", 10800, false}, {"vut", 39600, false}, {"wadt", 28800, true}, {"wakt", 43200, false},
    {"wast", 25200, false}, {"wat", 3600, false}, {"wdt", 32400, true}, {"wet", 0, false}, {"wetdst", 3600, true},
    {"wft", 43200, false}, {"wgst", -7200, true}, {"wgt", -10800, false}, {"xjt", 21600, false},
    {"yakst", 32400, false}, {"yakt", 32400, false}, {"yapt", 36000, false}, {"yekst", 21600, true},
    {"yekt", 18000, false}, {"z", 0, false}, {"zulu", 0, false},
};

constexpr std::int64_t kDaySeconds = 86400;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

// A POSIX TZ string: std offset [dst [offset] [, start, end]].
class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : text_(text) {}

  bool parse(TimeZone::Rule* rule) {
    if (!name(&rule->standard.abbreviation)) return false;
    std::int32_t west;
    if (!offset(&west, 167)) return false;
    rule->standard.offset = -west;
    rule->standard.daylight = false;
    rule->has_daylight = false;
    if (at_ == text_.size()) return true;
    if (!name(&rule->daylight.abbreviation)) return false;
    rule->has_daylight = true;
    rule->daylight.daylight = true;
    rule->daylight.offset = rule->standard.offset + 3600;
    if (at_ < text_.size() && text_[at_] != ',') {
      if (!offset(&west, 167)) return false;
      rule->daylight.offset = -west;
    }
    if (at_ == text_.size()) {   // the rule of the United States stands in
      rule->begin = {TimeZone::RuleDate::Kind::kMonthWeekDay, 3, 2, 0, 7200};
      rule->end = {TimeZone::RuleDate::Kind::kMonthWeekDay, 11, 1, 0, 7200};
      return true;
    }
    return take(',') && date(&rule->begin) && take(',') && date(&rule->end) && at_ == text_.size();
  }

 private:
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool name(std::string* out) {
    const std::size_t begin = at_;
    if (take('<')) {
      while (at_ < text_.size() && text_[at_] != '>') ++at_;
      *out = text_.substr(begin + 1, at_ - begin - 1);
      return take('>');
    }
    while (at_ < text_.size() && ((text_[at_] | 0x20) >= 'a' && (text_[at_] | 0x20) <= 'z')) ++at_;
    *out = text_.substr(begin, at_ - begin);
    return true;
  }
  bool number(std::int32_t* out, std::int32_t max) {
    const std::size_t begin = at_;
    *out = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      *out = *out * 10 + (text_[at_++] - '0');
      if (*out > max) return false;
    }
    return at_ > begin;
  }
  bool offset(std::int32_t* seconds, std::int32_t max_hours) {
    const bool negative = at_ < text_.size() && text_[at_] == '-';
    if (negative || (at_ < text_.size() && text_[at_] == '+')) ++at_;
    std::int32_t hours, minutes = 0, rest = 0;
    if (!number(&hours, max_hours)) return false;
    if (take(':')) {
      if (!number(&minutes, 59)) return false;
      if (take(':') && !number(&rest, 59)) return false;
    }
    *seconds = hours * 3600 + minutes * 60 + rest;
    if (negative) *seconds = -*seconds;
    return true;
  }
  bool date(TimeZone::RuleDate* out) {
    using Kind = TimeZone::RuleDate::Kind;
    if (take('M')) {
      out->kind = Kind::kMonthWeekDay;
      if (!number(&out->month, 12) || !take('.') || !number(&out->week, 5) || !take('.') || !number(&out->day, 6))
        return false;
      if (out->month < 1 || out->week < 1) return false;
    } else {
      out->kind = take('J') ? Kind::kJulian : Kind::kDayOfYear;
      if (!number(&out->day, 366)) return false;
    }
    out->seconds = 7200;
    return !take('/') || offset(&out->seconds, 167);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Seconds from 1970 of a rule's date in a year, as local time.
std::int64_t rule_local_seconds(const TimeZone::RuleDate& date, std::int32_t year) {
  std::int64_t days;
  if (date.kind == TimeZone::RuleDate::Kind::kMonthWeekDay) {
    const std::int32_t first = days_from_civil(year, date.month, 1);
    const std::int32_t weekday = weekday_of(first);
    std::int32_t day = (date.day - weekday + 7) % 7 + (date.week - 1) * 7;
    const std::int32_t length = days_in_month(year, date.month);
    while (day >= length) day -= 7;
    days = first + day;
  } else {
    days = days_from_civil(year, 1, 1) + date.day;
    if (date.kind == TimeZone::RuleDate::Kind::kJulian) {
      --days;
      if (is_leap_year(year) && date.day >= 60) ++days;
    }
  }
  return (days + kEpochDays) * kDaySeconds + date.seconds;
}

struct YearOfRule {
  std::int64_t begin;   // UTC seconds
  std::int64_t end;
};

YearOfRule rule_year(const TimeZone::Rule& rule, std::int32_t year) {
  return {rule_local_seconds(rule.begin, year) - rule.standard.offset,
          rule_local_seconds(rule.end, year) - rule.daylight.offset};
}

std::int32_t year_of(std::int64_t utc_seconds) {
  std::int64_t days = utc_seconds / kDaySeconds - (utc_seconds % kDaySeconds < 0 ? 1 : 0) - kEpochDays;
  days = std::clamp<std::int64_t>(days, -2'400'000, 2'145'000'000);
  std::int32_t year, month, day;
  civil_from_days(static_cast<std::int32_t>(days), &year, &month, &day);
  return year;
}

const TimeZone::LocalType& at_rule(const TimeZone::Rule& rule, std::int64_t utc_seconds) {
  if (!rule.has_daylight) return rule.standard;
  const YearOfRule y = rule_year(rule, year_of(utc_seconds + rule.standard.offset));
  const bool daylight = y.begin < y.end ? utc_seconds >= y.begin && utc_seconds < y.end
                                        : utc_seconds < y.end || utc_seconds >= y.begin;
  return daylight ? rule.daylight : rule.standard;
}

std::uint32_t big32(const char* p) {
  std::uint32_t v;
  std::memcpy(&v, p, 4);
  return __builtin_bswap32(v);
}
std::int64_t big64(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return static_cast<std::int64_t>(__builtin_bswap64(v));
}

// RFC 8536: a version 1 block is skipped, the 64-bit block and the footer are read.
bool parse_tzif(std::string_view file, TimeZone* zone) {
  constexpr std::size_t kHeader = 44;
  const auto block = [&file](std::size_t at, std::uint32_t counts[6]) {
    if (file.size() < at + kHeader || file.substr(at, 4) != "TZif") return false;
    for (std::size_t i = 0; i < 6; ++i) counts[i] = big32(file.data() + at + 20 + 4 * i);
    return true;
  };
  std::uint32_t c[6];   // isut, isstd, leap, time, type, char
  if (!block(0, c) || file[4] < '2') return false;
  const std::size_t second = kHeader + c[3] * 5ul + c[4] * 6ul + c[5] + c[2] * 8ul + c[1] + c[0];
  if (!block(second, c)) return false;
  const std::size_t body = second + kHeader;
  const std::size_t size = c[3] * 9ul + c[4] * 6ul + c[5] + c[2] * 12ul + c[1] + c[0];
  if (file.size() < body + size || c[4] == 0) return false;
  const char* p = file.data() + body;
  for (std::uint32_t i = 0; i < c[3]; ++i) zone->transitions.push_back(big64(p + 8ul * i));
  p += 8ul * c[3];
  for (std::uint32_t i = 0; i < c[3]; ++i) {
    const auto type = static_cast<std::uint8_t>(p[i]);
    if (type >= c[4]) return false;
    zone->transition_types.push_back(type);
  }
  p += c[3];
  const char* names = p + 6ul * c[4];
  for (std::uint32_t i = 0; i < c[4]; ++i, p += 6) {
    const auto at = static_cast<std::uint8_t>(p[5]);
    if (at >= c[5]) return false;
    zone->types.push_back({static_cast<std::int32_t>(big32(p)), p[4] != 0,
                           std::string(names + at, strnlen(names + at, c[5] - at))});
  }
  std::string_view footer = file.substr(body + size);
  if (footer.size() > 2 && footer.front() == '\n') {
    footer.remove_prefix(1);
    footer = footer.substr(0, footer.find('\n'));
    zone->has_rule = RuleParser(footer).parse(&zone->rule);
  }
  return true;
}

struct Zones {
  std::mutex mutex;
  std::unordered_map<std::string, std::unique_ptr<TimeZone>> by_lower_name;   // null: known not to exist
};

Zones& zones() {
  static Zones* instance = new Zones;   // outlives every thread
  return *instance;
}

// The file of a zone, whatever the case of its name; each component is looked up in its directory.
bool find_zone_file(std::string_view name, std::string* path, std::string* canonical) {
  namespace fs = std::filesystem;
  *path = "/usr/share/zoneinfo";
  canonical->clear();
  while (!name.empty()) {
    const std::size_t slash = name.find('/');
    const std::string component(name.substr(0, slash));
    if (component.empty() || component.front() == '.') return false;
    std::error_code error;
    std::string found;
    if (fs::exists(*path + "/" + component, error)) {
      found = component;
    } else {
      const std::string wanted = lower(component);
      for (fs::directory_iterator it(*path, error), end; !error && it != end; it.increment(error))
        if (lower(it->path().filename().string()) == wanted) {
          found = it->path().filename().string();
          break;
        }
    }
    if (found.empty()) return false;
    *path += "/" + found;
    if (!canonical->empty()) *canonical += "/";
    *canonical += found;
    if (slash == std::string_view::npos) break;
    name.remove_prefix(slash + 1);
  }
  std::error_code error;
  return fs::is_regular_file(*path, error);
}

}  // namespace

const TimeZone::LocalType& TimeZone::at(std::int64_t utc_seconds) const {
  if (transitions.empty()) return has_rule ? at_rule(rule, utc_seconds) : types.front();
  if (utc_seconds >= transitions.back() && has_rule) return at_rule(rule, utc_seconds);
  const auto it = std::upper_bound(transitions.begin(), transitions.end(), utc_seconds);
  if (it == transitions.begin()) {
    for (const LocalType& type : types)
      if (!type.daylight) return type;
    return types.front();
  }
  return types[transition_types[static_cast<std::size_t>(it - transitions.begin()) - 1]];
}

bool TimeZone::next_transition(std::int64_t utc_seconds, std::int64_t* at) const {
  const auto it = std::upper_bound(transitions.begin(), transitions.end(), utc_seconds);
  if (it != transitions.end()) {
    *at = *it;
    return true;
  }
  if (!has_rule || !rule.has_daylight) return false;
  const std::int32_t year = year_of(utc_seconds);
  for (std::int32_t y = year; y <= year + 2; ++y) {
    const YearOfRule dates = rule_year(rule, y);
    for (const std::int64_t candidate : {std::min(dates.begin, dates.end), std::max(dates.begin, dates.end)})
      if (candidate > utc_seconds) {
        *at = candidate;
        return true;
      }
  }
  return false;
}

const TimeZone::LocalType& TimeZone::of_local(std::int64_t local_seconds) const {
  // No offset reaches a day, so the change that matters, if any, lies within a day of this instant.
  const std::int64_t day_before = local_seconds - kDaySeconds;
  const LocalType& before = at(day_before);
  std::int64_t boundary;
  if (!next_transition(day_before, &boundary) || boundary > local_seconds + kDaySeconds) return before;
  const LocalType& after = at(boundary);
  const std::int64_t by_before = local_seconds - before.offset;
  const std::int64_t by_after = local_seconds - after.offset;
  if (by_before < boundary && by_after < boundary) return before;
  if (by_before >= boundary && by_after >= boundary) {
    // A second change may follow within the same two days.
    std::int64_t next;
    if (next_transition(boundary, &next) && by_after >= next) return at(by_after);
    return after;
  }
  return by_before > by_after ? before : after;
}

const TimeZone& utc_time_zone() {
  static const TimeZone& zone = *[] {
    auto* utc = new TimeZone;
    utc->name = "UTC";
    utc->types.push_back({0, false, "UTC"});
    return utc;
  }();
  return zone;
}

const TimeZone* find_time_zone(std::string_view name) {
  if (name.empty() || name.size() > 255) return nullptr;
  const std::string key = lower(name);
  Zones& all = zones();
  const std::lock_guard lock(all.mutex);
  if (const auto it = all.by_lower_name.find(key); it != all.by_lower_name.end()) return it->second.get();
  auto zone = std::make_unique<TimeZone>();
  std::string path;
  bool found = false;
  if (find_zone_file(name, &path, &zone->name)) {
    std::ifstream in(path, std::ios::binary);
    const std::string file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    found = parse_tzif(file, zone.get());
  }
  if (!found) {
    *zone = TimeZone{};
    found = RuleParser(name).parse(&zone->rule);
    zone->has_rule = found;
    zone->name = name;
    zone->types.push_back(zone->rule.standard);
  }
  if (!found) {
    // Names come from clients: what does not exist is not remembered without bound.
    if (all.by_lower_name.size() < 4096) all.by_lower_name.emplace(key, nullptr);
    return nullptr;
  }
  return all.by_lower_name.emplace(key, std::move(zone)).first->second.get();
}

const TimeZone* fixed_time_zone(std::int32_t seconds_east) {
  if (seconds_east == 0) return &utc_time_zone();
  const auto text = [](std::int32_t seconds) {
    char buffer[32];
    const std::int32_t magnitude = std::abs(seconds);
    int n = std::snprintf(buffer, sizeof buffer, "%c%02d", seconds < 0 ? '-' : '+', magnitude / 3600);
    if (magnitude % 3600 != 0) {
      n += std::snprintf(buffer + n, sizeof buffer - static_cast<std::size_t>(n), ":%02d", magnitude / 60 % 60);
      if (magnitude % 60 != 0) std::snprintf(buffer + n, sizeof buffer - static_cast<std::size_t>(n), ":%02d", magnitude % 60);
    }
    return std::string(buffer);
  };
  return find_time_zone("<" + text(seconds_east) + ">" + text(-seconds_east));
}

const TimeZone* dynamic_abbreviation(std::string_view word) {
  if (word.size() > 10) return nullptr;
  const std::string key = lower(word);
  const auto* end = std::end(kDynamicAbbreviations);
  const auto* it = std::lower_bound(std::begin(kDynamicAbbreviations), end, key,
                                    [](const DynamicAbbreviation& a, const std::string& b) { return a.name < b; });
  return it == end || it->name != key ? nullptr : find_time_zone(it->zone);
}

std::int32_t abbreviation_offset(const TimeZone& zone, std::string_view word, std::int64_t utc_seconds) {
  const auto called = [&](std::size_t i) -> const TimeZone::LocalType* {
    const TimeZone::LocalType& type = zone.types[zone.transition_types[i]];
    return lower(type.abbreviation) == lower(word) ? &type : nullptr;
  };
  // What the word last meant then, else what it came to mean, else what holds.
  const auto after = static_cast<std::size_t>(
      std::upper_bound(zone.transitions.begin(), zone.transitions.end(), utc_seconds) - zone.transitions.begin());
  for (std::size_t i = after; i-- > 0;)
    if (const TimeZone::LocalType* type = called(i)) return type->offset;
  for (std::size_t i = after; i < zone.transitions.size(); ++i)
    if (const TimeZone::LocalType* type = called(i)) return type->offset;
  return zone.at(utc_seconds).offset;
}

bool find_time_zone_abbreviation(std::string_view word, std::int32_t* seconds_east, bool* daylight) {
  if (word.size() > 10) return false;
  const std::string key = lower(word);
  const auto* end = std::end(kAbbreviations);
  const auto* it = std::lower_bound(std::begin(kAbbreviations), end, key,
                                    [](const Abbreviation& a, const std::string& b) { return a.name < b; });
  if (it == end || it->name != key) return false;
  *seconds_east = it->offset;
  *daylight = it->daylight;
  return true;
}

}  // namespace wandian::sql
