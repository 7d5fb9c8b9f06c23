// ShardDriver: one shard's thread. It brings the sockets' bytes to the connections dealt to it, steps the shard, and sends what
// may leave, in turns as engine/shard_loop.h says.
// Owns:       the clients (socket, connection, unread bytes), the epoll set, the mailbox.
// Thread:     run() is the shard's thread; post_*() and the counters may be called from any thread.
// Why epoll by hand: a socket is registered once, edge-triggered for both directions, and costs one recv and one send a turn.
//             Asio's async_wait re-arms by an epoll_ctl for every wait, which is one system call more of about three (measured
//             here at 1.7 µs of about 9); Asio listens, accepts and resolves instead (listener.h).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/base/env.h"
#include "wire/connection.h"
#include "wire/host.h"
#include "wire/options.h"
#include "wire/send_batch.h"

namespace wandian::wire {

/// What all shards' drivers share.
struct ServerState {
  enum class Accepting : std::uint8_t { kReady, kStarting, kShuttingDown };

  ServerState(const WireOptions& o, Env& e, SessionFactory f, Authenticator& a, ReleaseClock& c)
      : options(o), env(e), factory(std::move(f)), authenticator(a), clock(c) {}

  WireOptions options;
  Env& env;
  SessionFactory factory;
  Authenticator& authenticator;
  ReleaseClock& clock;
  unsigned shards = 1;
  std::shared_ptr<const TlsContext> tls() {
    const std::lock_guard<std::mutex> lock(tls_mutex);
    return options.tls;
  }
  void set_tls(std::shared_ptr<const TlsContext> tls) {
    const std::lock_guard<std::mutex> lock(tls_mutex);
    options.tls.swap(tls);
  }

  std::mutex tls_mutex;                         ///< of options.tls, which may be replaced while the server runs
  std::atomic<Accepting> accepting{Accepting::kReady};
  std::atomic<unsigned> admitted{0};            ///< connections that count against max_connections
  class ShardDriver* const* drivers = nullptr;  ///< one a shard; fixed before the threads start
};

struct AcceptedSocket {
  int fd = -1;
  std::int64_t accepted_us = 0;   ///< of the monotonic clock: the handshake's deadline runs from here
  Peer peer;
};

class ShardDriver final : public ConnectionHost {
 public:
  ShardDriver(ServerState& state, unsigned shard, ShardBinding binding);
  ~ShardDriver() override;

  /// The shard's thread. Returns after post_stop(), with every connection closed.
  void run();

  // --- any thread
  void post_socket(AcceptedSocket socket);
  void post_cancel(std::int32_t process_id, std::uint32_t secret);
  /// By an administrator, so without a secret.
  void post_signal(std::int32_t process_id, bool terminate);
  /// Idle connections are told 57P01 and go; the others when they have become idle, or at `deadline_us` at the latest.
  void post_drain(std::int64_t deadline_us);
  void post_stop();
  /// Connections dealt to the shard and not yet gone.
  unsigned load() const { return load_.load(std::memory_order_relaxed); }
  void count_dealt() { load_.fetch_add(1, std::memory_order_relaxed); }

  // --- ConnectionHost, on the shard's thread
  const WireOptions& options() const override { return state_.options; }
  Authenticator& authenticator() override { return state_.authenticator; }
  Result<std::unique_ptr<sql::Session>> open_session(sql::SessionSink& sink, const sql::SessionIdentity& identity) override {
    return state_.factory(shard_, sink, identity);
  }
  Status admit(Connection& connection) override;
  Status admit_role(bool superuser) override;
  std::int32_t assign_process_id(Connection& connection) override;
  void handshake_done(Connection& connection) override;
  void cancel(std::int32_t process_id, std::uint32_t secret) override;
  void output_appended(Connection& connection) override;
  void resume(Connection& connection) override;
  std::int64_t now_us() override { return state_.env.clock().monotonic_us(); }
  void entropy(void* into, std::size_t bytes) override { state_.env.entropy(into, bytes); }
  bool start_tls(Connection& connection, std::string_view received) override;
  std::shared_ptr<const sql::TlsInfo> tls_info(Connection& connection, std::string* end_point) override;
  BufferPool& buffers() override { return buffers_; }
  DecodeScratch& scratch() override { return scratch_; }

 private:
  struct Client;
  struct Mail {
    enum class Kind : std::uint8_t { kSocket, kCancel, kCancelSignal, kTerminateSignal, kDrain, kStop };
    Kind kind;
    AcceptedSocket socket;
    std::int32_t process_id = 0;
    std::uint32_t secret = 0;
    std::int64_t deadline_us = 0;
  };

  void post(Mail mail);
  void take_mail();
  void handle_mail(Mail& mail);
  void add_client(AcceptedSocket socket);
  void on_event(Client& client, std::uint32_t events);
  void service(Client& client);
  bool receive(Client& client);
  ssize_t receive_tls(Client& client, char* into, std::size_t room);
  void refuse_for_memory(Client& client);
  void settle(Client& client);
  void count_waiting(Client& client, bool waits);
  void run_next_turn(Client& client);
  bool time_left();
  void serve_runnable();
  void serve_resumed();
  void answer();
  void flush_all();
  void send_together();
  void take_results();
  void flush(Client& client);
  bool send_some(Client& client);
  bool send_some_tls(Client& client);
  void start_closing(Client& client);
  void close(Client& client);
  void set_deadline(Client& client, std::int64_t deadline_us);
  void expire_deadlines();
  void drain_idle();
  void bury();
  bool told() const;
  bool most_wait() const;
  bool await_mail();
  std::int64_t sleep_until_us() const;
  int wait(std::int64_t until_us);

  ServerState& state_;
  const unsigned shard_;
  ShardBinding binding_;
  int epoll_ = -1;

  // The shard's thread alone.
  BufferPool buffers_;
  DecodeScratch scratch_;
  std::unique_ptr<char[]> receive_buffer_;
  std::unordered_map<std::int32_t, Client*> by_process_id_;
  std::vector<Client*> clients_;
  std::vector<Client*> runnable_;      ///< have bytes to handle or to receive, had their share of a turn
  std::vector<Client*> resumed_;       ///< their sessions can go on
  std::vector<Client*> dirty_;         ///< have output to look at
  std::vector<Client*> gated_;         ///< have output that waits for a release
  std::vector<Client*> serving_;       ///< the list being worked on; kept for its memory
  std::vector<Client*> dead_;
  std::set<std::pair<std::int64_t, Client*>> deadlines_;   ///< handshakes and closing connections
  std::size_t waiting_ = 0;            ///< clients whose statement waits for another shard, a lock or room for its output
  Lsn released_;
  Lsn demanded_;                       ///< the highest floor that met no release in this turn
  unsigned services_ = 0;              ///< clients served in this turn
  std::int64_t receiving_ends_us_ = 0; ///< of this turn; 0 = not looked at yet, -1 = it has ended
  std::uint32_t next_serial_ = 1;
  std::int64_t drain_deadline_us_ = INT64_MAX;
  bool draining_ = false;
  bool stopping_ = false;
  struct Events;
  std::unique_ptr<Events> events_;
  std::unique_ptr<SendBatch> batch_;   ///< null: there is no io_uring
  std::vector<Client*> batched_;       ///< whose sends are in the batch

  // Any thread.
  alignas(64) std::atomic<bool> has_mail_{false};
  std::mutex mail_mutex_;
  std::vector<Mail> mail_;
  alignas(64) std::atomic<unsigned> load_{0};
};

}  // namespace wandian::wire
