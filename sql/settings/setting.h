// Settings: what SET, SHOW, pg_settings and the startup packet know by name.
// Thread:  immutable tables; pure functions.
// Errors:  22023 with PostgreSQL's messages and hints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"

namespace wandian::sql {

enum class SettingType : std::uint8_t { kBool, kInteger, kReal, kString, kEnum };

/// Who may change it and when, as pg_settings.context says.
enum class SettingContext : std::uint8_t { kInternal, kPostmaster, kSighup, kSuperuserBackend, kBackend, kSuperuser, kUser };

/// Unit of the stored number, as pg_settings.unit says.
enum class SettingUnit : std::uint8_t { kNone, kMilliseconds, kSeconds, kMinutes, kBytes, kKilobytes, kBlocks, kMegabytes };

struct SettingDef {
  std::string_view name;
  SettingType type;
  SettingContext context;
  SettingUnit unit;
  std::string_view boot;              ///< in canonical form
  double minimum = 0, maximum = 0;    ///< kInteger and kReal
  std::string_view options;           ///< kEnum: allowed words, separated by commas; hidden synonyms ("true=on") after a bar
  bool reported = false;              ///< ParameterStatus
  bool effective = false;             ///< false: accepted, checked and shown back, without any other effect
  bool list = false;                  ///< kString: a list of names (search_path): SET's several values are joined by commas
  std::string_view category;
  std::string_view description;
};

/// In the order of their names, ignoring case.
std::span<const SettingDef> all_settings();
/// Ignoring case; null if there is none. Obsolete names are understood, as in PostgreSQL.
const SettingDef* find_setting(std::string_view name);
inline std::size_t setting_index(const SettingDef& def) { return static_cast<std::size_t>(&def - all_settings().data()); }

/// A name that may be set though nobody defined it: "prefix.name", both identifiers.
bool is_custom_setting_name(std::string_view name);
/// Shown to superusers and pg_read_all_settings alone: where files are, and the like.
bool is_hidden_setting(std::string_view name);
/// 42704 unrecognized configuration parameter.
Status unrecognized_setting(std::string_view name);

/// What the user wrote, checked and in canonical form: numbers in the setting's unit, words in lower case.
Result<std::string> check_setting(const SettingDef& def, std::string_view value);
/// As SHOW prints a canonical value: "4MB" for 4096 in kilobytes.
std::string show_setting(const SettingDef& def, std::string_view canonical);
/// pg_settings.unit; empty: none.
std::string_view unit_name(SettingUnit unit);
std::string_view context_name(SettingContext context);
std::string_view type_name(SettingType type);

/// A boolean as PostgreSQL reads it: on, true, yes, 1 and their unique prefixes.
bool parse_setting_bool(std::string_view text, bool* out);
/// The names of a list: a, "B c", $user. False: it is not a list.
bool split_setting_list(std::string_view text, std::vector<std::string>* out);

}  // namespace wandian::sql
