#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wandian::bench {

// Where and as whom to connect, as libpq reads it from a connection URI (PostgreSQL manual, 34.1.1.2).
struct ConnectionUrl {
  std::string host = "127.0.0.1";   // a name, an address, or the directory of a Unix socket (begins with '/')
  std::string port = "5432";
  std::string user = "postgres";
  std::string password;
  std::string dbname;               // the user's name when the URI has none

  bool unix_socket() const { return host.starts_with('/'); }
  /// The socket's path when unix_socket().
  std::string socket_path() const { return host + "/.s.PGSQL." + port; }
};

/// Reads "postgresql://[user[:password]@][host][:port][/dbname][?name=value&...]" with percent-escapes; the parameters
/// host, port, user, password and dbname count, others are passed over. The environment's PGPASSWORD stands in for a
/// missing password. Returns nothing, and says why in `error`, if `url` is not of that form.
std::optional<ConnectionUrl> parse_connection_url(std::string_view url, std::string& error);

}  // namespace wandian::bench
