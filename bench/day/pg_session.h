#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/day/connection_url.h"

namespace wandian::bench {

// What the server said in an ErrorResponse, or, with an empty sqlstate, what went wrong with the connection itself.
struct PgError {
  std::string sqlstate;
  std::string message;
  std::string detail;
};

/// Reads the fields of an ErrorResponse's body.
PgError read_error_fields(std::string_view body);

// Rows of text; a NULL is an empty string, which no query of ours tells apart.
using Rows = std::vector<std::vector<std::string>>;

// One blocking session over protocol 3.0: what a run needs before and after the load itself.
// Thread: one.
// Errors: a method returns false, and error() says why; after a connection error the session is of no more use.
class PgSession {
 public:
  PgSession() = default;
  ~PgSession();
  PgSession(const PgSession&) = delete;
  PgSession& operator=(const PgSession&) = delete;

  /// Connects and logs in (trust, a password in clear, or SCRAM-SHA-256), without TLS.
  bool connect(const ConnectionUrl& url);
  /// Runs `sql`, one or more statements, by a simple Query; `rows` gets those of the last statement that had any.
  bool query(std::string_view sql, Rows* rows = nullptr);
  /// The first column of the first row; nothing on an error or without a row.
  std::optional<std::string> value(std::string_view sql);
  /// Parses a named statement.
  bool prepare(std::string_view name, std::string_view sql);

  const PgError& error() const { return error_; }
  int fd() const { return fd_; }
  /// Gives the socket away; the session is closed then.
  int release();

 private:
  bool open_socket(const ConnectionUrl& url);
  bool log_in(const ConnectionUrl& url);
  bool send(std::string_view bytes);
  bool receive(char& type, std::string& body);
  bool read_until_ready(Rows* rows);
  bool fail(std::string message);

  int fd_ = -1;
  std::string in_;
  std::size_t in_begin_ = 0;
  PgError error_;
};

}  // namespace wandian::bench
