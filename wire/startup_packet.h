// The startup packet: the one message without a type byte (protocol manual, 55.2.1 and 55.7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/status.h"

namespace wandian::wire {

inline constexpr std::uint32_t kProtocolLatest = 3u << 16;          ///< 3.0
inline constexpr std::uint32_t kCancelRequestCode = 80877102;
inline constexpr std::uint32_t kSslRequestCode = 80877103;
inline constexpr std::uint32_t kGssEncRequestCode = 80877104;

struct StartupPacket {
  std::string user;
  std::string database;                                             ///< as the user if none was named
  bool replication = false;
  std::vector<std::pair<std::string, std::string>> settings;        ///< those of `options` first, as PostgreSQL applies them
  Status options_error;                                             ///< of `options`; PostgreSQL tells it only to whom it let in
  std::vector<std::string> unknown_protocol_options;                ///< `_pq_.*`
};

/// `body` follows the protocol number. Errors are fatal to the connection: 08P01, 28000, 22023.
Result<StartupPacket> parse_startup_packet(std::string_view body);

/// The words of the `options` parameter: separated by white space, a backslash takes the next character as it is.
std::vector<std::string> split_options(std::string_view text);

/// Adds what `-c name=value`, `-cname=value` and `--name=value` set; 42601 for any other switch.
Status parse_options(std::string_view text, std::vector<std::pair<std::string, std::string>>& settings);

}  // namespace wandian::wire
