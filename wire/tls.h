// TLS on the server's side, by OpenSSL.
// TlsContext: certificate, key and rules, read from files once. Thread: any, immutable.
// TlsChannel: one connection's TLS over its non-blocking socket. Owns its OpenSSL state, not the socket. Thread: its shard's.
// What it costs: a handshake takes its shard about a millisecond (RSA 2048), once a connection; a plain connection has no channel.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sql/session.h"
#include "storage/base/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace wandian::wire {

/// As PostgreSQL's settings of the same names; file names are absolute.
struct TlsOptions {
  std::string certificate_file, key_file, ca_file, crl_file, crl_directory, dh_params_file;
  std::string ciphers, ecdh_curve;
  std::string minimum_version, maximum_version;   ///< "TLSv1.2", ...; empty: the library's limit
  bool prefer_server_ciphers = true;
};

class TlsContext {
 public:
  /// F0000 with PostgreSQL's message: a file that is missing, broken or open to others.
  static Result<std::shared_ptr<const TlsContext>> create(const TlsOptions& options);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* native() const { return context_; }
  /// Hash of the server's certificate as tls-server-end-point wants it (RFC 5929, 4.1): what SCRAM-SHA-256-PLUS binds to.
  const std::string& end_point() const { return end_point_; }

 private:
  TlsContext() = default;
  ssl_ctx_st* context_ = nullptr;
  std::string end_point_;
};

class TlsChannel {
 public:
  enum class Outcome : std::uint8_t { kDone, kWantsRead, kWantsWrite, kClosed, kFailed };

  /// `received`: bytes already taken off the socket. `direct`: the client began with its handshake, and must then name the
  /// protocol "postgresql" by ALPN.
  TlsChannel(std::shared_ptr<const TlsContext> context, int fd, std::string_view received, bool direct);
  ~TlsChannel();
  TlsChannel(const TlsChannel&) = delete;
  TlsChannel& operator=(const TlsChannel&) = delete;

  /// Decrypted bytes into `into`, after the handshake, which the first calls carry on with. kFailed: error() says why.
  Outcome read(char* into, std::size_t room, std::size_t* got);
  /// The socket has had an edge: what was read before may not be all.
  void socket_has_more() { transport_.drained = false; }
  /// After kDone: more may be had without another edge of the socket.
  bool may_have_more() const;
  /// Takes some of the bytes; after kWantsWrite the same bytes are to be offered again, and perhaps more.
  Outcome write(const char* data, std::size_t size, std::size_t* taken);
  /// Says good-bye, if there is still somebody to hear it.
  void shutdown();

  bool established() const;
  const std::string& error() const { return error_; }
  const TlsContext& context() const { return *context_; }
  /// Of an established channel.
  sql::TlsInfo info() const;

  struct Transport {                   ///< between OpenSSL and the socket
    int fd = -1;
    std::string received;              ///< handed out before the socket is read
    bool drained = false;              ///< the socket had no more when it was last read, nor an edge since
  };

 private:
  Outcome judge(int result);

  std::shared_ptr<const TlsContext> context_;
  Transport transport_;
  ssl_st* ssl_ = nullptr;
  bool direct_ = false;
  bool failed_ = false;
  std::string error_;
};

}  // namespace wandian::wire
