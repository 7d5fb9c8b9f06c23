// SessionSettings: one session's values, with SET, SET LOCAL and RESET inside transactions and savepoints.
// Owns:       what differs from the defaults, and what a rollback has to put back.
// Thread:     its session's shard.
// Invariants: the value in force is the local one if there is one, else the session's, else the default. Every change
//             inside a transaction is recorded until commit() or rollback().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/transaction.h"
#include "sql/functions/registry.h"
#include "sql/settings/setting.h"

namespace wandian::sql {

/// What statements look at all the time, decoded.
struct DecodedSettings {
  FormatSettings format;
  Isolation default_isolation = Isolation::kReadCommitted;
  bool default_read_uncommitted = false;
  bool default_read_only = false;
  bool default_deferrable = false;
  SyncCommit synchronous_commit = SyncCommit::kOn;
  Severity client_min_messages = Severity::kNotice;
  std::int64_t statement_timeout_ms = 0;
  std::int64_t lock_timeout_ms = 0;
  std::int64_t idle_in_transaction_timeout_ms = 0;
  std::int64_t idle_session_timeout_ms = 0;
  std::size_t work_mem_bytes = std::size_t{4} << 20;
  bool is_replica = false;                ///< session_replication_role
  std::vector<std::string> search_path;   ///< names as given, "$user" among them
  bool track_statements = true, track_planning = false, track_utility = true;   ///< of pg_stat_statements
};

/// Values that all sessions start from: built-in ones, then the command line's.
class SettingDefaults {
 public:
  SettingDefaults();
  /// 42704, 22023.
  Status set(std::string_view name, std::string_view value);
  const std::string& get(std::size_t index) const { return values_[index]; }
  bool from_command_line(std::size_t index) const { return given_[index]; }
  /// For settings the server itself decides (server_version_num, max_connections, ...): no checks.
  void force(std::string_view name, std::string value);
  const std::map<std::string, std::string, std::less<>>& custom() const { return custom_; }

 private:
  std::vector<std::string> values_;
  std::vector<bool> given_;
  std::map<std::string, std::string, std::less<>> custom_;
};

enum class SettingSource : std::uint8_t { kDefault, kCommandLine, kDatabase, kUser, kClient, kSession };

class SessionSettings {
 public:
  /// `superuser`: may set what only superusers may.
  SessionSettings(const SettingDefaults& defaults, bool superuser);

  void set_superuser(bool superuser) { superuser_ = superuser; }
  const DecodedSettings& decoded() const { return decoded_; }
  /// Grows whenever a value changes that names, literals or plans may depend on.
  std::uint64_t plan_generation() const { return plan_generation_; }

  /// As SHOW prints it; nullopt: no such setting.
  std::optional<std::string> show(std::string_view name) const;
  /// The canonical value in force.
  const std::string& value(const SettingDef& def) const;
  SettingSource source(const SettingDef& def) const;
  /// Names and values of custom settings in force.
  std::vector<std::pair<std::string, std::string>> custom() const;

  /// From the startup packet, a role or a database: the value that RESET goes back to. 22023, 42704, 55P02, 42501.
  Status set_startup(std::string_view name, std::string_view value, SettingSource source);
  /// SET, SET LOCAL. `in_transaction`: the change can be rolled back (it is recorded). 42704, 22023, 55P02, 42501.
  Status set(std::string_view name, std::string_view value, bool local, bool in_transaction);
  /// RESET name, SET name TO DEFAULT.
  Status reset(std::string_view name, bool local, bool in_transaction);
  void reset_all(bool in_transaction);
  /// Session state that looks like settings but belongs to the session itself: is_superuser, session_authorization, ...
  void force(std::string_view name, std::string value);

  /// Whether ALTER ROLE ... SET could store the value. 42704, 22023, 55P02, 42501.
  Status check(std::string_view name, std::string_view value) const;

  std::size_t mark() const { return undo_.size(); }
  /// Undoes every change recorded since `mark`.
  void rollback_to(std::size_t mark);
  void rollback() { rollback_to(0); }
  /// SET LOCAL ends.
  void commit();
  /// Whether commit() or rollback() would change a value or forget how to.
  bool uncommitted() const { return any_local_ || !undo_.empty(); }

  /// Calls `report(name, value)` for every reported setting whose value differs from what was reported last.
  void report_changes(const std::function<void(std::string_view, std::string_view)>& report);
  void report_all(const std::function<void(std::string_view, std::string_view)>& report);

 private:
  struct Entry {
    std::optional<std::string> startup;   ///< what RESET restores
    std::optional<std::string> session;
    std::optional<std::string> local;
    SettingSource startup_source = SettingSource::kDefault;
  };
  struct Undo {
    std::uint16_t index;                  ///< kCustom: `name`
    std::string name;
    std::optional<std::string> session, local;
    bool was_custom_known = true;
  };
  static constexpr std::uint16_t kCustom = 0xffff;

  Status allow(const SettingDef& def, bool startup) const;
  Status change(std::string_view name, std::optional<std::string> value, bool local, bool in_transaction);
  void store(std::uint16_t index, std::string_view name, std::optional<std::string> session, std::optional<std::string> local);
  void record(std::uint16_t index, std::string_view name);
  Entry* entry(std::uint16_t index, std::string_view name);
  void changed(std::size_t index);
  void decode(std::size_t index);

  const SettingDefaults& defaults_;
  bool superuser_;
  DecodedSettings decoded_;
  std::uint64_t plan_generation_ = 1;
  std::map<std::uint16_t, Entry> entries_;
  std::map<std::string, Entry, std::less<>> custom_;
  std::vector<Undo> undo_;
  std::vector<std::uint16_t> touched_;    ///< reported settings to look at
  std::map<std::uint16_t, std::string> reported_;
  bool any_local_ = false;
};

}  // namespace wandian::sql
