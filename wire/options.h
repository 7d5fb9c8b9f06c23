// Limits and addresses of the wire. Fixed before the server starts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wire/host.h"

namespace wandian::wire {

class TlsContext;   // wire/tls.h

enum class Authentication : std::uint8_t { kTrust, kScram };

struct WireOptions {
  std::vector<std::string> hosts{"127.0.0.1"};       ///< names, IPv4 or IPv6 addresses; "*" is every address of both families
  std::uint16_t port = 5433;                         ///< 0: the system chooses, see WireServer::port()
  std::string unix_socket_directory;                 ///< "" = no Unix socket; else <directory>/.s.PGSQL.<port>
  unsigned max_connections = 1000;
  unsigned superuser_reserved_connections = 3;       ///< of max_connections
  Authentication authentication = Authentication::kScram;
  std::int64_t handshake_timeout_us = 60'000'000;    ///< from accept to the first ReadyForQuery, whatever is sent between
  std::int64_t linger_timeout_us = 10'000'000;       ///< how long a closing connection may take to fetch its last bytes
  std::size_t max_message_bytes = 0x3fffffff;        ///< as PostgreSQL's largest allocation
  std::size_t output_limit_bytes = 1u << 20;         ///< waiting for the client: its statement pauses beyond it
  std::size_t gated_output_limit_bytes = 16u << 20;  ///< the same, with what waits for the disk alone
  unsigned messages_per_turn = 256;                  ///< of one connection, before others get their share
  std::int64_t turn_budget_us = 500;                 ///< the same in time, looked at between statements; and of all together
  std::array<unsigned char, 32> mock_secret{};       ///< salts shown for unknown roles come from it; all zero: drawn at start
  std::shared_ptr<const TlsContext> tls;             ///< null: SSLRequest is answered 'N'
  Logger log;
};

inline constexpr std::size_t kMaxStartupPacketBytes = 10'000;   ///< without its length word, as in PostgreSQL
inline constexpr std::size_t kMaxSmallMessageBytes = 10'000;    ///< of messages that carry a name or nothing
inline constexpr std::size_t kMaxAuthenticationBytes = 1024;    ///< of a SASL message

}  // namespace wandian::wire
