#include "sql/settings/setting.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace wandian::sql {

namespace {

constexpr SettingDef kSettings[] = {
#include "sql/settings/settings.inc"
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

int compare_names(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const int difference = lower(a[i]) - lower(b[i]);
    if (difference != 0) return difference;
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

bool same_word(std::string_view a, std::string_view b) { return compare_names(a, b) == 0; }

struct Unit {
  std::string_view name;
  double in_base;
};
constexpr Unit kMemory[] = {{"TB", 1099511627776.0}, {"GB", 1073741824.0}, {"MB", 1048576.0}, {"kB", 1024.0}, {"B", 1.0}};
constexpr Unit kTime[] = {{"d", 86400000.0}, {"h", 3600000.0}, {"min", 60000.0}, {"s", 1000.0}, {"ms", 1.0}, {"us", 0.001}};

bool is_time(SettingUnit unit) {
  return unit == SettingUnit::kMilliseconds || unit == SettingUnit::kSeconds || unit == SettingUnit::kMinutes;
}
double base_of(SettingUnit unit) {
  switch (unit) {
    case SettingUnit::kSeconds: return 1000;
    case SettingUnit::kMinutes: return 60000;
    case SettingUnit::kKilobytes: return 1024;
    case SettingUnit::kBlocks: return 8192;
    case SettingUnit::kMegabytes: return 1048576;
    default: return 1;
  }
}

Status invalid(const SettingDef& def, std::string_view value) {
  return Status{sqlstate::invalid_parameter_value,
                "invalid value for parameter \"" + std::string(def.name) + "\": \"" + std::string(value) + "\""};
}

std::string print_number(double v) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::general, 6);
  return {text, end.ptr};
}

Result<std::string> check_number(const SettingDef& def, std::string_view value) {
  const std::string text(value);
  const char* begin = text.c_str();
  while (*begin == ' ' || *begin == '\t' || *begin == '\n') ++begin;
  char* end = nullptr;
  double number;
  errno = 0;
  // 0x... and leading zeros (octal) are integers, as strtol reads them.
  const char* digits = *begin == '+' || *begin == '-' ? begin + 1 : begin;
  if (def.type == SettingType::kInteger && digits[0] == '0' && digits[1] >= '0' && digits[1] != '.') {
    number = static_cast<double>(std::strtoll(begin, &end, 0));
  } else {
    number = std::strtod(begin, &end);
  }
  if (end == begin || errno == ERANGE || std::isnan(number)) return invalid(def, value);
  while (*end == ' ' || *end == '\t' || *end == '\n') ++end;
  std::string_view suffix(end);
  while (!suffix.empty() && (suffix.back() == ' ' || suffix.back() == '\t')) suffix.remove_suffix(1);
  if (!suffix.empty()) {
    const auto units = is_time(def.unit) ? std::span<const Unit>(kTime) : std::span<const Unit>(kMemory);
    const auto found = std::find_if(units.begin(), units.end(), [&](const Unit& unit) { return unit.name == suffix; });
    if (def.unit == SettingUnit::kNone) return invalid(def, value);
    if (found == units.end()) {
      return std::move(invalid(def, value)).with_hint(
          is_time(def.unit) ? "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."
                            : "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".");
    }
    number = number * found->in_base / base_of(def.unit);
  }
  if (def.type == SettingType::kInteger) {
    number = std::nearbyint(number);
    if (number > 2147483647.0 || number < -2147483648.0)
      return std::move(invalid(def, value)).with_hint("Value exceeds integer range.");
  }
  const auto print = [&](double v) {
    return def.type == SettingType::kInteger ? std::to_string(static_cast<long long>(v)) : print_number(v);
  };
  if (number < def.minimum || number > def.maximum) {
    const std::string unit = def.unit == SettingUnit::kNone ? "" : " " + std::string(unit_name(def.unit));
    return Status{sqlstate::invalid_parameter_value, print(number) + unit + " is outside the valid range for parameter \"" +
                                                         std::string(def.name) + "\" (" + print(def.minimum) + " .. " +
                                                         print(def.maximum) + ")"};
  }
  return print(number);
}

Result<std::string> check_enum(const SettingDef& def, std::string_view value) {
  const std::size_t bar = def.options.find('|');
  const std::string_view words = def.options.substr(0, bar);
  std::string shown;
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t comma = std::min(words.find(',', at), words.size());
    const std::string_view word = words.substr(at, comma - at);
    if (same_word(word, value)) return std::string(word);
    shown += (shown.empty() ? "" : ", ") + std::string(word);
    at = comma + 1;
  }
  if (bar != std::string_view::npos) {
    const std::string_view synonyms = def.options.substr(bar + 1);
    for (std::size_t at = 0; at < synonyms.size();) {
      const std::size_t comma = std::min(synonyms.find(',', at), synonyms.size());
      const std::string_view pair = synonyms.substr(at, comma - at);
      const std::size_t equals = pair.find('=');
      if (same_word(pair.substr(0, equals), value)) return std::string(pair.substr(equals + 1));
      at = comma + 1;
    }
  }
  return std::move(invalid(def, value)).with_hint("Available values: " + shown + ".");
}

// Names that older servers had.
constexpr std::pair<std::string_view, std::string_view> kObsolete[] = {{"sort_mem", "work_mem"},
                                                                      {"vacuum_mem", "maintenance_work_mem"}};

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool is_name_part(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '$'; }

}  // namespace

std::span<const SettingDef> all_settings() { return kSettings; }

const SettingDef* find_setting(std::string_view name) {
  for (const auto& [old_name, new_name] : kObsolete)
    if (same_word(name, old_name)) name = new_name;
  const auto found = std::lower_bound(std::begin(kSettings), std::end(kSettings), name,
                                      [](const SettingDef& def, std::string_view n) { return compare_names(def.name, n) < 0; });
  return found != std::end(kSettings) && same_word(found->name, name) ? found : nullptr;
}

bool is_custom_setting_name(std::string_view name) {
  bool dotted = false, start = true;
  for (const char c : name) {
    if (start ? !is_name_start(c) : c != '.' && !is_name_part(c)) return false;
    start = c == '.';
    dotted = dotted || start;
  }
  return dotted && !start;
}

Status unrecognized_setting(std::string_view name) {
  return Status{sqlstate::undefined_object, "unrecognized configuration parameter \"" + std::string(name) + "\""};
}

bool parse_setting_bool(std::string_view text, bool* out) {
  const auto prefix = [&](std::string_view word, std::size_t least) {
    return text.size() >= least && text.size() <= word.size() && same_word(text, word.substr(0, text.size()));
  };
  if (prefix("true", 1) || prefix("yes", 1) || prefix("on", 2) || text == "1") {
    *out = true;
    return true;
  }
  if (prefix("false", 1) || prefix("no", 1) || prefix("off", 2) || text == "0") {
    *out = false;
    return true;
  }
  return false;
}

bool split_setting_list(std::string_view text, std::vector<std::string>* out) {
  std::size_t at = 0;
  const auto skip = [&] {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r' || text[at] == '\f')) ++at;
  };
  skip();
  if (at == text.size()) return true;
  for (;;) {
    std::string name;
    if (text[at] == '"') {
      ++at;
      for (;; ++at) {
        if (at == text.size()) return false;
        if (text[at] == '"') {
          if (at + 1 < text.size() && text[at + 1] == '"') {
            ++at;
          } else {
            break;
          }
        }
        name += text[at];
      }
      ++at;
    } else {
      while (at < text.size() && text[at] != ',' && text[at] != ' ' && text[at] != '\t' && text[at] != '\n') name += lower(text[at++]);
      if (name.empty()) return false;
    }
    out->push_back(std::move(name));
    skip();
    if (at == text.size()) return true;
    if (text[at] != ',') return false;
    ++at;
    skip();
    if (at == text.size()) return false;
  }
}

Result<std::string> check_setting(const SettingDef& def, std::string_view value) {
  switch (def.type) {
    case SettingType::kBool: {
      bool on = false;
      if (!parse_setting_bool(value, &on))
        return Status{sqlstate::invalid_parameter_value, "parameter \"" + std::string(def.name) + "\" requires a Boolean value"};
      return std::string(on ? "on" : "off");
    }
    case SettingType::kInteger:
    case SettingType::kReal: return check_number(def, value);
    case SettingType::kEnum: return check_enum(def, value);
    case SettingType::kString: break;
  }
  return std::string(value);
}

std::string show_setting(const SettingDef& def, std::string_view canonical) {
  if (def.type == SettingType::kReal && def.unit == SettingUnit::kNone) return std::string(canonical);
  if ((def.type != SettingType::kInteger && def.type != SettingType::kReal) || def.unit == SettingUnit::kNone)
    return std::string(canonical);
  double number = 0;
  std::from_chars(canonical.data(), canonical.data() + canonical.size(), number);
  if (number <= 0) return std::string(canonical);
  const double base = number * base_of(def.unit);
  const auto units = is_time(def.unit) ? std::span<const Unit>(kTime) : std::span<const Unit>(kMemory);
  for (const Unit& unit : units) {
    const double scaled = base / unit.in_base;
    if (scaled >= 1 && std::floor(scaled) == scaled) {
      char text[32];
      const auto end = std::to_chars(text, text + sizeof text, scaled, std::chars_format::fixed, 0);
      return std::string(text, end.ptr) + std::string(unit.name);
    }
  }
  return std::string(canonical) + std::string(unit_name(def.unit));
}

std::string_view unit_name(SettingUnit unit) {
  switch (unit) {
    case SettingUnit::kNone: return "";
    case SettingUnit::kMilliseconds: return "ms";
    case SettingUnit::kSeconds: return "s";
    case SettingUnit::kMinutes: return "min";
    case SettingUnit::kBytes: return "B";
    case SettingUnit::kKilobytes: return "kB";
    case SettingUnit::kBlocks: return "8kB";
    case SettingUnit::kMegabytes: return "MB";
  }
  return "";
}

std::string_view context_name(SettingContext context) {
  switch (context) {
    case SettingContext::kInternal: return "internal";
    case SettingContext::kPostmaster: return "postmaster";
    case SettingContext::kSighup: return "sighup";
    case SettingContext::kSuperuserBackend: return "superuser-backend";
    case SettingContext::kBackend: return "backend";
    case SettingContext::kSuperuser: return "superuser";
    case SettingContext::kUser: return "user";
  }
  return "";
}

std::string_view type_name(SettingType type) {
  switch (type) {
    case SettingType::kBool: return "bool";
    case SettingType::kInteger: return "integer";
    case SettingType::kReal: return "real";
    case SettingType::kString: return "string";
    case SettingType::kEnum: return "enum";
  }
  return "";
}

bool is_hidden_setting(std::string_view name) {
  static constexpr std::string_view kHidden[] = {
      "config_file", "data_directory", "dynamic_library_path", "external_pid_file", "hba_file", "ident_file", "jit_provider", "krb_server_keyfile",
      "log_directory", "log_filename", "primary_conninfo", "session_preload_libraries", "shared_preload_libraries", "ssl_ciphers", "ssl_dh_params_file",
      "ssl_ecdh_curve", "ssl_max_protocol_version", "ssl_min_protocol_version", "ssl_passphrase_command", "unix_socket_directories"};
  for (const std::string_view hidden : kHidden)
    if (hidden == name) return true;
  return false;
}

}  // namespace wandian::sql
