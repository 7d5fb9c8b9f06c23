#include "sql/settings/session_settings.h"

#include <algorithm>
#include <charconv>

#include "sql/types/encoding.h"
#include "sql/types/timezone.h"

namespace wandian::sql {

namespace {

std::int64_t number_of(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct DateStyleParts {
  FormatSettings::DateStyle style;
  FormatSettings::DateOrder order;
};

std::string date_style_text(const DateStyleParts& parts) {
  static constexpr std::string_view kStyles[] = {"ISO", "SQL", "Postgres", "German"};
  static constexpr std::string_view kOrders[] = {"MDY", "DMY", "YMD"};
  return std::string(kStyles[static_cast<std::size_t>(parts.style)]) + ", " + std::string(kOrders[static_cast<std::size_t>(parts.order)]);
}

// "iso, dmy", "German", ...: what a word does not say stays as it is.
Status parse_date_style(std::string_view text, DateStyleParts* parts) {
  std::vector<std::string> words;
  const auto invalid = [&](std::string detail) {
    return Status{sqlstate::invalid_parameter_value, "invalid value for parameter \"DateStyle\": \"" + std::string(text) + "\""}
        .with_detail(std::move(detail));
  };
  if (!split_setting_list(text, &words)) return invalid("List syntax is invalid.");
  bool has_style = false, has_order = false, conflict = false;
  for (const std::string& given : words) {
    std::string word;
    for (const char c : given) word += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    const auto style = [&](FormatSettings::DateStyle value) {
      conflict = conflict || (has_style && parts->style != value);
      parts->style = value;
      has_style = true;
    };
    const auto order = [&](FormatSettings::DateOrder value) {
      conflict = conflict || (has_order && parts->order != value);
      parts->order = value;
      has_order = true;
    };
    if (word == "iso") {
      style(FormatSettings::DateStyle::kIso);
    } else if (word == "sql") {
      style(FormatSettings::DateStyle::kSql);
    } else if (word.starts_with("postgres")) {
      style(FormatSettings::DateStyle::kPostgres);
    } else if (word == "german") {
      style(FormatSettings::DateStyle::kGerman);
      if (!has_order) parts->order = FormatSettings::DateOrder::kDmy;
    } else if (word == "ymd") {
      order(FormatSettings::DateOrder::kYmd);
    } else if (word == "dmy" || word.starts_with("euro")) {
      order(FormatSettings::DateOrder::kDmy);
    } else if (word == "mdy" || word == "us" || word.starts_with("noneuro")) {
      order(FormatSettings::DateOrder::kMdy);
    } else if (word == "default") {
      if (!has_style) parts->style = FormatSettings::DateStyle::kIso;
      if (!has_order) parts->order = FormatSettings::DateOrder::kMdy;
    } else {
      return invalid("Unrecognized key word: \"" + given + "\".");
    }
  }
  if (conflict) return invalid("Conflicting \"datestyle\" specifications.");
  return {};
}

// A zone by name, or an offset in hours ("8", "-3.5"), or INTERVAL '...' as SET TIME ZONE hands it on in seconds ("@-12600").
const TimeZone* zone_of_text(std::string_view text) {
  if (text.starts_with('@')) {
    std::int32_t seconds = 0;
    std::from_chars(text.data() + 1, text.data() + text.size(), seconds);
    return fixed_time_zone(seconds);
  }
  double hours = 0;
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto parsed = std::from_chars(begin, text.data() + text.size(), hours);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size())
    return hours > -168 && hours < 168 ? fixed_time_zone(static_cast<std::int32_t>(hours * 3600)) : nullptr;
  return find_time_zone(text);
}

Severity message_level(std::string_view word) {
  if (word.starts_with("debug")) return Severity::kDebug;
  if (word == "log") return Severity::kLog;
  if (word == "info") return Severity::kInfo;
  if (word == "notice") return Severity::kNotice;
  if (word == "warning") return Severity::kWarning;
  return Severity::kError;
}

// What check_setting() cannot know: words with a grammar of their own.
Result<std::string> check_special(const SettingDef& def, std::string_view value, const DecodedSettings& now) {
  if (def.name == "DateStyle") {
    DateStyleParts parts{now.format.date_style, now.format.date_order};
    WANDIAN_TRY(parse_date_style(value, &parts));
    return date_style_text(parts);
  }
  const auto invalid = [&] {
    return Status{sqlstate::invalid_parameter_value,
                  "invalid value for parameter \"" + std::string(def.name) + "\": \"" + std::string(value) + "\""};
  };
  if (def.name == "TimeZone" || def.name == "log_timezone") {
    const TimeZone* zone = zone_of_text(value);
    if (zone == nullptr) return invalid();
    return zone->name;
  }
  if (def.name == "pg_stat_statements.track" && value == "all")
    return Status{sqlstate::feature_not_supported, "statements within functions are not counted"}.with_hint("Use top or none.");
  if (def.name == "client_encoding") {
    const int number = encoding_number(value);
    if (number < 0) return invalid();
    if (number != kUtf8Encoding && number != kSqlAsciiEncoding && find_encoding(number) == nullptr)
      return Status{sqlstate::feature_not_supported, invalid().error().message}.with_detail("Conversion between " + std::string(encoding_name(number)) + " and UTF8 is not supported.");
    return std::string(value == "UNICODE" ? value : encoding_name(number));   // older JDBC drivers want to see it so
  }
  if (def.name == "search_path" || def.name == "temp_tablespaces") {
    std::vector<std::string> names;
    if (!split_setting_list(value, &names)) return std::move(invalid()).with_detail("List syntax is invalid.");
    return std::string(value);
  }
  if (def.name == "application_name" || def.name == "cluster_name") {
    std::string clean;
    for (const char c : value) clean += c >= 32 && c < 127 ? c : '?';
    return clean;
  }
  if ((def.name == "default_tablespace") && !value.empty() && value != "pg_default")
    return std::move(invalid()).with_detail("Tablespace \"" + std::string(value) + "\" does not exist.");
  return check_setting(def, value);
}

}  // namespace

// ---- SettingDefaults ----

SettingDefaults::SettingDefaults() : given_(all_settings().size()) {
  for (const SettingDef& def : all_settings()) values_.emplace_back(def.boot);
}

Status SettingDefaults::set(std::string_view name, std::string_view value) {
  const SettingDef* def = find_setting(name);
  if (def == nullptr) {
    if (!is_custom_setting_name(name)) return unrecognized_setting(name);
    custom_.insert_or_assign(std::string(name), std::string(value));
    return {};
  }
  if (def->context == SettingContext::kInternal)
    return Status{sqlstate::cant_change_runtime_param, "parameter \"" + std::string(def->name) + "\" cannot be changed"};
  WANDIAN_ASSIGN(std::string canonical, check_special(*def, value, DecodedSettings{}));
  values_[setting_index(*def)] = std::move(canonical);
  given_[setting_index(*def)] = true;
  return {};
}

void SettingDefaults::force(std::string_view name, std::string value) {
  const SettingDef* def = find_setting(name);
  DB_ASSERT(def != nullptr);
  values_[setting_index(*def)] = std::move(value);
}

// ---- SessionSettings ----

SessionSettings::SessionSettings(const SettingDefaults& defaults, bool superuser) : defaults_(defaults), superuser_(superuser) {
  for (const auto& [name, value] : defaults.custom()) {
    custom_[name].startup = value;
    custom_[name].startup_source = SettingSource::kCommandLine;
  }
  for (const SettingDef& def : all_settings())
    if (def.effective) decode(setting_index(def));
}

const std::string& SessionSettings::value(const SettingDef& def) const {
  const std::size_t index = setting_index(def);
  const auto found = entries_.find(static_cast<std::uint16_t>(index));
  if (found == entries_.end()) return defaults_.get(index);
  const Entry& entry = found->second;
  return entry.local ? *entry.local : entry.session ? *entry.session : entry.startup ? *entry.startup : defaults_.get(index);
}

SettingSource SessionSettings::source(const SettingDef& def) const {
  const std::size_t index = setting_index(def);
  const auto found = entries_.find(static_cast<std::uint16_t>(index));
  if (found != entries_.end()) {
    if (found->second.local || found->second.session) return SettingSource::kSession;
    if (found->second.startup) return found->second.startup_source;
  }
  return defaults_.from_command_line(index) ? SettingSource::kCommandLine : SettingSource::kDefault;
}

std::optional<std::string> SessionSettings::show(std::string_view name) const {
  if (const SettingDef* def = find_setting(name)) return show_setting(*def, value(*def));
  const auto found = custom_.find(name);
  if (found == custom_.end()) return std::nullopt;
  const Entry& entry = found->second;
  return entry.local ? *entry.local : entry.session ? *entry.session : entry.startup.value_or("");
}

std::vector<std::pair<std::string, std::string>> SessionSettings::custom() const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [name, entry] : custom_) out.emplace_back(name, *show(name));
  return out;
}

Status SessionSettings::allow(const SettingDef& def, bool startup) const {
  const std::string quoted = "parameter \"" + std::string(def.name) + "\"";
  switch (def.context) {
    case SettingContext::kInternal: return Status{sqlstate::cant_change_runtime_param, quoted + " cannot be changed"};
    case SettingContext::kPostmaster:
      return Status{sqlstate::cant_change_runtime_param, quoted + " cannot be changed without restarting the server"};
    case SettingContext::kSighup: return Status{sqlstate::cant_change_runtime_param, quoted + " cannot be changed now"};
    case SettingContext::kSuperuserBackend:
    case SettingContext::kBackend:
      if (!startup)
        return Status{sqlstate::cant_change_runtime_param, quoted + " cannot be set after connection start"};
      [[fallthrough]];
    case SettingContext::kSuperuser:
      if (!superuser_ && def.context != SettingContext::kBackend)
        return Status{sqlstate::insufficient_privilege, "permission denied to set " + quoted};
      return {};
    case SettingContext::kUser: return {};
  }
  return {};
}

SessionSettings::Entry* SessionSettings::entry(std::uint16_t index, std::string_view name) {
  return index == kCustom ? &custom_[std::string(name)] : &entries_[index];
}

void SessionSettings::record(std::uint16_t index, std::string_view name) {
  Undo undo{index, index == kCustom ? std::string(name) : std::string(), {}, {}, true};
  if (index == kCustom) {
    const auto found = custom_.find(name);
    undo.was_custom_known = found != custom_.end();
    if (undo.was_custom_known) {
      undo.session = found->second.session;
      undo.local = found->second.local;
    }
  } else if (const auto found = entries_.find(index); found != entries_.end()) {
    undo.session = found->second.session;
    undo.local = found->second.local;
  }
  undo_.push_back(std::move(undo));
}

void SessionSettings::store(std::uint16_t index, std::string_view name, std::optional<std::string> session,
                            std::optional<std::string> local) {
  Entry& target = *entry(index, name);
  target.session = std::move(session);
  target.local = std::move(local);
  if (index != kCustom) changed(index);
}

Status SessionSettings::change(std::string_view name, std::optional<std::string> given, bool local, bool in_transaction) {
  const SettingDef* def = find_setting(name);
  std::uint16_t index = kCustom;
  if (def == nullptr) {
    if (!is_custom_setting_name(name)) {
      if (name.find('.') == std::string_view::npos) return unrecognized_setting(name);
      return Status{sqlstate::invalid_name, "invalid configuration parameter name \"" + std::string(name) + "\""}.with_detail(
          "Custom parameter names must be two or more simple identifiers separated by dots.");
    }
  } else {
    index = static_cast<std::uint16_t>(setting_index(*def));
    WANDIAN_TRY(allow(*def, false));
    if (given) {
      WANDIAN_ASSIGN(given, check_special(*def, *given, decoded_));
    }
  }
  if (!local && !in_transaction) {
    store(index, name, std::move(given), std::nullopt);
    return {};
  }
  record(index, name);
  Entry& now = *entry(index, name);
  if (local) {
    any_local_ = true;
    // RESET within SET LOCAL: the default, for this transaction only.
    if (!given) given = now.startup ? *now.startup : index == kCustom ? std::string() : defaults_.get(index);
    store(index, name, now.session, std::move(given));
  } else {
    store(index, name, std::move(given), std::nullopt);
  }
  return {};
}

Status SessionSettings::set_startup(std::string_view name, std::string_view given, SettingSource source) {
  const SettingDef* def = find_setting(name);
  if (def == nullptr) {
    if (!is_custom_setting_name(name)) return unrecognized_setting(name);
    Entry& custom = custom_[std::string(name)];
    custom.startup = std::string(given);
    custom.startup_source = source;
    return {};
  }
  WANDIAN_TRY(allow(*def, true));
  WANDIAN_ASSIGN(std::string canonical, check_special(*def, given, decoded_));
  Entry& target = entries_[static_cast<std::uint16_t>(setting_index(*def))];
  target.startup = std::move(canonical);
  target.startup_source = source;
  changed(setting_index(*def));
  return {};
}

Status SessionSettings::check(std::string_view name, std::string_view given) const {
  const SettingDef* def = find_setting(name);
  if (def == nullptr) return is_custom_setting_name(name) ? Status{} : unrecognized_setting(name);
  WANDIAN_TRY(allow(*def, true));
  return check_special(*def, given, decoded_).take_status();
}

Status SessionSettings::set(std::string_view name, std::string_view given, bool local, bool in_transaction) {
  return change(name, std::string(given), local, in_transaction);
}

Status SessionSettings::reset(std::string_view name, bool local, bool in_transaction) {
  if (find_setting(name) == nullptr && !custom_.contains(name)) return unrecognized_setting(name);
  return change(name, std::nullopt, local, in_transaction);
}

void SessionSettings::reset_all(bool in_transaction) {
  std::vector<std::uint16_t> indexes;
  for (const auto& [index, entry] : entries_)
    if ((entry.session || entry.local) && all_settings()[index].context != SettingContext::kInternal) indexes.push_back(index);
  for (const std::uint16_t index : indexes) {
    const std::string_view name = all_settings()[index].name;
    // Not touched by RESET ALL: what belongs to the transaction or to the session's identity.
    if (name.starts_with("transaction_") || name == "role" || name == "session_authorization" || name == "seed") continue;
    if (in_transaction) record(index, {});
    store(index, {}, std::nullopt, std::nullopt);
  }
  std::vector<std::string> names;
  for (const auto& [name, entry] : custom_) names.push_back(name);
  for (const std::string& name : names) {
    if (in_transaction) record(kCustom, name);
    store(kCustom, name, std::nullopt, std::nullopt);
  }
}

void SessionSettings::force(std::string_view name, std::string given) {
  const SettingDef* def = find_setting(name);
  DB_ASSERT(def != nullptr);
  const std::size_t index = setting_index(*def);
  entries_[static_cast<std::uint16_t>(index)].startup = std::move(given);
  changed(index);
}

void SessionSettings::rollback_to(std::size_t mark) {
  while (undo_.size() > mark) {
    Undo undo = std::move(undo_.back());
    undo_.pop_back();
    if (undo.index == kCustom && !undo.was_custom_known) {
      custom_.erase(undo.name);
      continue;
    }
    store(undo.index, undo.name, std::move(undo.session), std::move(undo.local));
  }
  if (mark == 0) any_local_ = false;
}

void SessionSettings::commit() {
  undo_.clear();
  if (!any_local_) return;
  any_local_ = false;
  for (auto& [index, entry] : entries_) {
    if (!entry.local) continue;
    entry.local.reset();
    changed(index);
  }
  for (auto& [name, entry] : custom_) entry.local.reset();
}

void SessionSettings::changed(std::size_t index) {
  const SettingDef& def = all_settings()[index];
  if (def.effective) decode(index);
  if (def.reported) touched_.push_back(static_cast<std::uint16_t>(index));
}

void SessionSettings::decode(std::size_t index) {
  const SettingDef& def = all_settings()[index];
  const std::string& text = value(def);
  DecodedSettings& d = decoded_;
  const auto plans = [&] { ++plan_generation_; };
  if (def.name == "DateStyle") {
    DateStyleParts parts{d.format.date_style, d.format.date_order};
    if (parse_date_style(text, &parts).ok()) {
      d.format.date_style = parts.style;
      d.format.date_order = parts.order;
    }
    plans();
  } else if (def.name == "IntervalStyle") {
    d.format.interval_style = text == "postgres"           ? FormatSettings::IntervalStyle::kPostgres
                              : text == "postgres_verbose" ? FormatSettings::IntervalStyle::kPostgresVerbose
                              : text == "sql_standard"     ? FormatSettings::IntervalStyle::kSqlStandard
                                                           : FormatSettings::IntervalStyle::kIso8601;
    plans();
  } else if (def.name == "TimeZone") {
    d.format.time_zone = zone_of_text(text);
    plans();
  } else if (def.name == "extra_float_digits") {
    d.format.extra_float_digits = static_cast<std::int32_t>(number_of(text));
    plans();
  } else if (def.name == "client_encoding") {
    d.format.client_encoding = find_encoding(encoding_number(text));
  } else if (def.name == "bytea_output") {
    d.format.bytea_hex = text == "hex";
    plans();
  } else if (def.name == "search_path") {
    d.search_path.clear();
    (void)split_setting_list(text, &d.search_path);
    plans();
  } else if (def.name == "role" || def.name == "session_authorization") {
    plans();
  } else if (def.name == "default_transaction_isolation") {
    d.default_read_uncommitted = text == "read uncommitted";
    d.default_isolation = text == "repeatable read" ? Isolation::kRepeatableRead
                          : text == "serializable"  ? Isolation::kSerializable
                                                    : Isolation::kReadCommitted;
  } else if (def.name == "default_transaction_read_only") {
    d.default_read_only = text == "on";
  } else if (def.name == "default_transaction_deferrable") {
    d.default_deferrable = text == "on";
  } else if (def.name == "synchronous_commit") {
    d.synchronous_commit = text == "off"             ? SyncCommit::kOff
                           : text == "local"         ? SyncCommit::kLocal
                           : text == "remote_write"  ? SyncCommit::kRemoteWrite
                           : text == "remote_apply"  ? SyncCommit::kRemoteApply
                                                     : SyncCommit::kOn;
  } else if (def.name == "client_min_messages") {
    d.client_min_messages = message_level(text);
  } else if (def.name == "statement_timeout") {
    d.statement_timeout_ms = number_of(text);
  } else if (def.name == "lock_timeout") {
    d.lock_timeout_ms = number_of(text);
  } else if (def.name == "idle_in_transaction_session_timeout") {
    d.idle_in_transaction_timeout_ms = number_of(text);
  } else if (def.name == "idle_session_timeout") {
    d.idle_session_timeout_ms = number_of(text);
  } else if (def.name == "session_replication_role") {
    d.is_replica = text == "replica";
  } else if (def.name == "pg_stat_statements.track") {
    d.track_statements = text != "none";
  } else if (def.name == "pg_stat_statements.track_planning") {
    d.track_planning = text == "on";
  } else if (def.name == "pg_stat_statements.track_utility") {
    d.track_utility = text == "on";
  } else if (def.name == "work_mem") {
    d.work_mem_bytes = static_cast<std::size_t>(number_of(text)) << 10;
  }
}

void SessionSettings::report_changes(const std::function<void(std::string_view, std::string_view)>& report) {
  if (touched_.empty()) return;
  std::vector<std::uint16_t> touched;
  touched.swap(touched_);
  for (const std::uint16_t index : touched) {
    const SettingDef& def = all_settings()[index];
    const std::string& now = value(def);
    std::string& last = reported_[index];
    if (last == now) continue;
    last = now;
    report(def.name, now);
  }
}

void SessionSettings::report_all(const std::function<void(std::string_view, std::string_view)>& report) {
  touched_.clear();
  for (const SettingDef& def : all_settings()) {
    if (!def.reported) continue;
    reported_[static_cast<std::uint16_t>(setting_index(def))] = value(def);
    report(def.name, value(def));
  }
}

}  // namespace wandian::sql
