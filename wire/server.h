// WireServer: everything between the network and sql. One listener deals sockets; each shard's thread serves its own.
// Owns:       the listener, a driver and a thread a shard.
// Thread:     start(), begin_shutdown(), wait_drained() and stop() from the composition root's; the rest from any.
// Invariants: the shards' loops are called by the threads that start() made and by nobody else until stop() returned.
// Errors:     start() fails if no address can be bound; after it, what a client does ends at most its own connection.
#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "storage/base/env.h"
#include "wire/host.h"
#include "wire/listener.h"
#include "wire/options.h"
#include "wire/shard_driver.h"

namespace wandian::wire {

class WireServer {
 public:
  /// `authenticator`, `clock`, `env` and the bindings' loops outlive the server.
  WireServer(WireOptions options, Env& env, std::vector<ShardBinding> shards, SessionFactory factory,
             Authenticator& authenticator, ReleaseClock& clock);
  ~WireServer();

  Status start();
  /// Where TCP is listened on (chosen by the system if the option was 0).
  std::uint16_t port() const { return listener_.port(); }

  /// Until true, StartupMessages are refused with 57P03 "the database system is starting up". True at first.
  void set_accepting(bool accepting);

  /// Stops listening. Idle connections end with 57P01 at once, busy ones when they become idle, all after `grace_us`.
  void begin_shutdown(std::int64_t grace_us);
  /// Whether every connection was gone within `timeout_us`.
  bool wait_drained(std::int64_t timeout_us);
  /// Ends what is left and joins the threads. The loops may then be stepped by the caller.
  void stop();

  /// For connections from now on; null: no TLS. What runs goes on under what it has.
  void set_tls(std::shared_ptr<const TlsContext> tls) { state_.set_tls(std::move(tls)); }

  unsigned connections() const;          ///< sockets, those in their handshake too
  unsigned admitted() const { return state_.admitted.load(std::memory_order_relaxed); }
  /// pg_cancel_backend() and pg_terminate_backend(); a number nobody has is ignored.
  void cancel_backend(std::int32_t process_id);
  void terminate_backend(std::int32_t process_id);

 private:
  void deal(AcceptedSocket socket);
  void signal(std::int32_t process_id, bool terminate);

  ServerState state_;
  Listener listener_;
  std::vector<std::unique_ptr<ShardDriver>> drivers_;
  std::vector<ShardDriver*> driver_pointers_;
  std::vector<std::thread> threads_;
  std::atomic<unsigned> next_{0};
};

}  // namespace wandian::wire
