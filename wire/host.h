// What the wire is given from above: how to open a session, whom to let in, and when an answer may leave.
// server/ implements these over the real engine, tests over fakes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/shard_loop.h"
#include "sql/session.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/base/wakeup.h"

namespace wandian::wire {

/// Opens a session on shard `shard`, inside one of that shard's turns. Its errors (3D000 for a database that does not exist,
/// 22023 for a startup setting, ...) reach the client as FATAL.
using SessionFactory = std::function<Result<std::unique_ptr<sql::Session>>(unsigned shard, sql::SessionSink& sink,
                                                                          const sql::SessionIdentity& identity)>;

/// Writes one line to the server log. Called from every thread of the wire.
using Logger = std::function<void(Severity severity, std::string_view message)>;

/// What authentication needs to know about a role.
struct RoleLogin {
  bool exists = false;
  bool can_login = false;
  bool superuser = false;
  std::string verifier;   ///< "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"; empty: the role has no password
};

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// Thread: any shard's, inside a turn. A role that does not exist is an answer, not an error.
  virtual RoleLogin find_role(std::string_view user) = 0;
};

/// When answers may leave (docs/architecture.md, "From a packet to a durable answer").
class ReleaseClock {
 public:
  virtual ~ReleaseClock() = default;
  /// Only rises. Any thread. Whoever raises it wakes the shards that demanded it.
  virtual Lsn released() noexcept = 0;
  /// Some answer waits for `lsn`. Called at most once a turn and shard.
  virtual void demand(unsigned shard, Lsn lsn) noexcept = 0;
};

/// One shard as the wire drives it. Whoever brings the shard work wakes `wakeup`; the wire alone sleeps on it.
struct ShardBinding {
  ShardLoop* loop = nullptr;
  EventfdWakeup* wakeup = nullptr;
  std::function<void()> on_thread_start;   ///< runs first on the shard's thread; may be empty
};

}  // namespace wandian::wire
