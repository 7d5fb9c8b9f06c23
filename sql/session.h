// Session: one client's statements, portals, settings and transaction. The whole of SQL as wire sees it.
// Owns:       prepared statements, portals, settings, the open transaction, temporary objects.
// Thread:     its shard; cancel() alone may come from a message of another shard, delivered on this shard.
// Invariants: after a call returned Poll::kPending, the only calls allowed are proceed(), cancel() and the destructor
//             until proceed() returns Poll::kReady. Everything a call produced was given to the sink, in order.
// Errors:     are given to SessionSink::error(); wire then skips extended messages until Sync.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/oid.h"
#include "sql/session_sink.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"

namespace wandian {
class Shard;
}

namespace wandian::sql {

class Server;   // sql/server.h: what all sessions share (caches, catalogs' compiled forms, activity, settings of the server)

enum class Poll : std::uint8_t { kReady, kPending };

/// Of a connection under TLS; one row of pg_stat_ssl.
struct TlsInfo {
  std::string version, cipher;
  int bits = 0;
  std::string client_dn, client_serial, issuer_dn;   ///< of the client's certificate; empty: it showed none
};

/// What the startup packet and authentication established.
struct SessionIdentity {
  std::string user;
  std::string database;
  std::int32_t process_id = 0;         ///< as in BackendKeyData
  std::string client_address;          ///< "" for a Unix socket
  std::int32_t client_port = -1;
  std::shared_ptr<const TlsInfo> tls;  ///< null: not encrypted
  std::vector<std::pair<std::string, std::string>> settings;   ///< startup parameters and `options=-c`, in order
};

struct BindMessage {
  std::string_view portal;
  std::string_view statement;
  std::span<const Format> parameter_formats;                      ///< 0, 1 or N
  std::span<const std::optional<std::string_view>> parameters;    ///< nullopt is NULL
  std::span<const Format> result_formats;                         ///< 0, 1 or N
};

class Session {
 public:
  /// Fails with 28000, 3D000, 22023, ... On success the sink has received every ParameterStatus that PostgreSQL 15 sends.
  static Result<std::unique_ptr<Session>> create(Server& server, Shard& shard, SessionSink& sink, const SessionIdentity& identity);
  virtual ~Session() = default;        ///< rolls back what is open, drops temporary objects

  // Simple query protocol: one string, any number of statements, one implicit transaction around them.
  virtual Poll query(std::string_view text) = 0;

  // Extended query protocol.
  virtual Poll parse(std::string_view name, std::string_view text, std::span<const Oid> parameter_types) = 0;
  virtual Poll bind(const BindMessage& message) = 0;
  virtual Poll describe_statement(std::string_view name) = 0;
  virtual Poll describe_portal(std::string_view name) = 0;
  virtual Poll execute(std::string_view portal, std::uint32_t max_rows) = 0;   ///< 0 = all rows
  /// Before execute(): the client's next message is Sync, which has been received already. The statement then is a transaction
  /// of its own for certain, so that a native procedure may commit where it runs. Good for one execute().
  virtual void expect_sync() {}
  virtual Poll close_statement(std::string_view name) = 0;
  virtual Poll close_portal(std::string_view name) = 0;
  /// Ends the implicit transaction of a pipeline. Wire sends ReadyForQuery after it.
  virtual Poll sync() = 0;

  // While a COPY ... FROM STDIN is open (after copy_in_response, until command_complete or error).
  virtual bool copying_in() const = 0;
  virtual Poll copy_data(std::string_view bytes) = 0;
  virtual Poll copy_done() = 0;
  virtual Poll copy_fail(std::string_view message) = 0;

  /// Goes on with what was kPending.
  virtual Poll proceed() = 0;

  /// 57014 at the next safe point, if a statement is running.
  virtual void cancel() = 0;
  virtual char transaction_status() const = 0;   ///< 'I', 'T' or 'E' for ReadyForQuery
  /// What has been given to the sink since the last call must not leave before this LSN is released; Lsn{} = at once.
  /// (0 or the tail's prefix under synchronous_commit = off.)
  virtual Lsn take_answer_floor() = 0;
};

}  // namespace wandian::sql
