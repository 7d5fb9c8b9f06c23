// Connection: the protocol's state machine for one client, from the startup packet to Terminate. Bytes in by consume(),
// bytes out through output(); it knows no socket, so a simulated network or a fuzzer drives it as well as a shard's loop does.
// Owns:       the session (once authenticated), the output with its gates, the authentication in progress.
// Thread:     its shard's, inside a turn.
// Invariants: while stalled() no message is handled; after closing() became true the session is gone and nothing more is read.
// Errors:     a broken message ends this connection with FATAL 08P01, whatever PostgreSQL could still make of it: the session
//             never learns of a message that was refused, so its transaction must not go on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sql/session.h"
#include "wire/gated_output.h"
#include "wire/options.h"
#include "wire/protocol_reader.h"
#include "wire/scram.h"
#include "wire/startup_packet.h"

namespace wandian::wire {

class Connection;

/// What a connection needs from whoever drives it.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const WireOptions& options() const = 0;
  virtual Authenticator& authenticator() = 0;
  virtual Result<std::unique_ptr<sql::Session>> open_session(sql::SessionSink& sink, const sql::SessionIdentity& identity) = 0;
  /// Counts the connection in: 53300, or 57P03 when the server does not take sessions. After it, `connection` is let out by
  /// whoever destroys it.
  virtual Status admit(Connection& connection) = 0;
  /// A second look once the role is known: the last places are kept for superusers.
  virtual Status admit_role(bool superuser) = 0;
  /// Gives the connection its process id; the secret is drawn by the connection.
  virtual std::int32_t assign_process_id(Connection& connection) = 0;
  virtual void handshake_done(Connection& connection) = 0;
  virtual void cancel(std::int32_t process_id, std::uint32_t secret) = 0;
  /// Something was appended outside of consume() and proceed() (a notice of a timer, a notification).
  virtual void output_appended(Connection& connection) = 0;
  /// The session can go on; proceed() is to be called soon.
  virtual void resume(Connection& connection) = 0;
  virtual std::int64_t now_us() = 0;
  virtual void entropy(void* into, std::size_t bytes) = 0;
  /// Begins TLS on the connection's socket, at which nothing is to be handled but what comes out of it; false: there is none.
  /// `received`: what came with the request, if the client began with its handshake.
  virtual bool start_tls(Connection&, std::string_view /*received*/) { return false; }
  /// The TLS that the connection runs under, and the hash that its channel binding is about; null: none.
  virtual std::shared_ptr<const sql::TlsInfo> tls_info(Connection&, std::string* /*end_point*/) { return nullptr; }
  virtual BufferPool& buffers() = 0;
  virtual DecodeScratch& scratch() = 0;
};

/// Who is on the other side, as accept() said.
struct Peer {
  std::string address;        ///< "" for a Unix socket
  std::int32_t port = -1;
};

class Connection : public sql::SessionSink {
 public:
  Connection(ConnectionHost& host, Peer peer);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Handles the whole messages at the start of the bytes and returns how many bytes are done with. Views given to the session
  /// are good during its call only. Bytes are left over if a message is not whole yet, if the connection stalled, or if it had
  /// its share of the turn: then more_to_handle() is true.
  std::size_t consume(const char* data, std::size_t size);
  /// Goes on with a pending statement.
  void proceed();
  /// The client sent its last byte; what was received whole has been handled.
  void end_of_input();
  /// FATAL `status` to the client, and no more; without a word if it has not yet said that it speaks this protocol.
  void terminate(Status status);
  /// 57014 if a statement is running.
  void cancel();
  bool secret_matches(std::uint32_t secret) const;

  GatedOutput& output() { return output_; }
  /// Seals what is appended, so that it may leave, unless it is only the beginning of an answer for which nobody waits yet: as in
  /// PostgreSQL that goes out with the rest, or once it fills a buffer.
  void seal();

  /// A statement waits, or the client takes too little: no message is handled now.
  bool stalled() const { return pending_ || over_limit(); }
  bool pending() const { return pending_; }
  /// The session paused because of congested(), in a statement or between them (notifications), and there is room again.
  bool can_resume_output() const { return congestion_seen_ && below_low_water(); }
  bool more_to_handle() const { return more_to_handle_; }
  bool closing() const { return phase_ == Phase::kClosing; }
  bool ready() const { return phase_ == Phase::kReady; }
  /// Nothing is running or half-way in a pipeline: it can be told to go without losing an answer.
  bool idle() const { return ready() && !pending_ && !in_pipeline_ && !in_simple_query_ && !more_to_handle_; }
  bool in_startup() const { return phase_ == Phase::kStartup; }
  /// How many bytes the message at the front needs to be whole; 0 = not known yet.
  std::size_t needed_bytes() const { return needed_; }
  std::int32_t process_id() const { return identity_.process_id; }
  bool admitted() const { return admitted_; }
  std::uint64_t messages() const { return messages_; }

  // sql::SessionSink
  sql::OutBuffer& out() override { return output_.buffer(); }
  void parse_complete() override;
  void bind_complete() override;
  void close_complete() override;
  void parameter_description(std::span<const Oid> types) override;
  void row_description(std::span<const sql::ColumnDescription> columns, std::span<const sql::Format> formats) override;
  void no_data() override;
  void command_complete(std::string_view tag) override;
  void empty_query_response() override;
  void portal_suspended() override;
  void copy_in_response(sql::Format format, std::uint16_t columns) override;
  void copy_out_response(sql::Format format, std::uint16_t columns) override;
  void copy_done() override;
  void parameter_status(std::string_view name, std::string_view value) override;
  void notification(std::int32_t process, std::string_view channel, std::string_view payload) override;
  void notice(const ErrorRecord& record) override;
  void error(const Status& status) override;
  bool congested() const override;
  void resume() override;

 private:
  static constexpr std::size_t kSendBufferBytes = 8192;   ///< PQ_SEND_BUFFER_SIZE of src/backend/libpq/pqcomm.c
  enum class Phase : std::uint8_t { kStartup, kSaslInitial, kSaslResponse, kReady, kClosing };

  // connection_startup.cc
  std::size_t consume_startup(std::string_view input);
  std::size_t consume_authentication(std::string_view input);
  void handle_ssl_request(bool more);
  void decline_encryption(const char* what, bool more);
  void handle_startup(std::string_view body, std::uint32_t protocol);
  void handle_sasl_initial(std::string_view body);
  void handle_sasl_response(std::string_view body);
  void begin_authentication(const RoleLogin& role);
  void login(const RoleLogin& role);
  void start_session();

  // connection.cc
  std::size_t consume_message(std::string_view input);
  bool acceptable(char type, std::uint32_t length);
  void handle(char type, std::string_view body);
  void handle_query(std::string_view body);
  void handle_parse(std::string_view body);
  void handle_bind(std::string_view body);
  void handle_describe(std::string_view body);
  void handle_execute(std::string_view body);
  void handle_close(std::string_view body);
  void handle_sync();
  void handle_function_call();
  void handle_copy(char type, std::string_view body);
  bool read_to_end(MessageReader& reader);
  void after_call(sql::Poll poll);
  void ready_for_query();
  void promise();
  void fatal(Status status);
  void write_fatal(const Status& status);
  void write_record(char type, const ErrorRecord& record, Severity severity);
  void close();
  void log(Severity severity, std::string_view message) const;
  bool over_limit() const;
  bool below_low_water() const;

  ConnectionHost& host_;
  GatedOutput output_;
  std::unique_ptr<sql::Session> session_;
  std::size_t needed_ = 0;
  std::size_t discard_ = 0;            ///< bytes of a message nobody looks at, still to come
  std::uint64_t messages_ = 0;
  std::uint64_t due_ = 0;              ///< the client was promised the output up to here: by Sync, Flush, an error, a notice
  Lsn floor_;                          ///< of what is appended and not sealed
  std::uint32_t secret_ = 0;
  Phase phase_ = Phase::kStartup;
  bool ssl_asked_ = false;
  bool gss_asked_ = false;
  bool admitted_ = false;
  bool pending_ = false;               ///< a call answered kPending and has not ended
  bool in_call_ = false;               ///< inside a call of the session
  bool extended_ = false;              ///< the message being handled is one whose error skips to Sync
  bool in_simple_query_ = false;       ///< ReadyForQuery is due when it ends
  bool in_sync_ = false;               ///< the same for Sync
  bool in_pipeline_ = false;           ///< extended messages since the last Sync
  bool skip_to_sync_ = false;
  bool copying_in_ = false;            ///< as the session says, asked only after copy_in_response()
  bool more_to_handle_ = false;
  bool sync_follows_ = false;          ///< the message after the one being handled is Sync, and has arrived
  mutable bool congestion_seen_ = false;   ///< congested() said yes since the last call of the session began
  sql::SessionIdentity identity_;

  struct Login {                       ///< until the session is there
    Peer peer;
    StartupPacket packet;
    std::shared_ptr<const sql::TlsInfo> tls;
    std::optional<ScramServer> scram;
    RoleLogin role;
  };
  std::unique_ptr<Login> login_;
};

}  // namespace wandian::wire
