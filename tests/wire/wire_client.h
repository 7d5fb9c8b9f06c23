// A client that speaks the protocol by hand, so that tests can also speak it wrongly. Blocking, with a timeout.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wandian::wire::test {

inline std::string be16(std::uint16_t v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
inline std::string be32(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}
inline std::string cstr(std::string_view text) { return std::string(text) + '\0'; }
inline std::string message(char type, std::string_view body) {
  return type + be32(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}
inline std::string startup(const std::vector<std::pair<std::string, std::string>>& parameters, std::uint32_t protocol = 3u << 16) {
  std::string body = be32(protocol);
  for (const auto& [name, value] : parameters) body += cstr(name) + cstr(value);
  body += '\0';
  return be32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}
inline std::string query(std::string_view text) { return message('Q', cstr(text)); }
inline std::string parse(std::string_view name, std::string_view text) { return message('P', cstr(name) + cstr(text) + be16(0)); }
inline std::string bind(std::string_view portal, std::string_view statement) {
  return message('B', cstr(portal) + cstr(statement) + be16(0) + be16(0) + be16(0));
}
inline std::string execute(std::string_view portal, std::uint32_t rows = 0) { return message('E', cstr(portal) + be32(rows)); }
inline std::string sync() { return message('S', ""); }

struct Reply {
  char type = 0;
  std::string body;
  std::uint32_t int32(std::size_t at = 0) const {
    std::uint32_t v;
    std::memcpy(&v, body.data() + at, 4);
    return ntohl(v);
  }
  /// A field of an ErrorResponse or NoticeResponse; "" if it has none.
  std::string field(char code) const {
    for (std::size_t i = 0; i < body.size() && body[i] != 0;) {
      const std::size_t end = body.find('\0', i);
      if (body[i] == code) return body.substr(i + 1, end - i - 1);
      i = end + 1;
    }
    return "";
  }
};

class WireClient {
 public:
  WireClient() = default;
  explicit WireClient(std::uint16_t port) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  explicit WireClient(const std::string& path) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  WireClient(WireClient&& other) noexcept
      : process_id(other.process_id),
        secret(other.secret),
        fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        at_end_(other.at_end_),
        received_(std::move(other.received_)) {}
  WireClient& operator=(WireClient&&) = delete;
  ~WireClient() { close(); }

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void shutdown_writing() { ::shutdown(fd_, SHUT_WR); }
  /// False if the server closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  std::optional<char> read_byte(int timeout_ms = 5000) {
    if (!fill(1, timeout_ms)) return std::nullopt;
    const char c = received_[0];
    received_.erase(0, 1);
    return c;
  }
  /// nullopt: nothing came in time, or the connection is closed.
  std::optional<Reply> read(int timeout_ms = 5000) {
    if (!fill(5, timeout_ms)) return std::nullopt;
    std::uint32_t length;
    std::memcpy(&length, received_.data() + 1, 4);
    length = ntohl(length);
    if (!fill(1 + std::size_t{length}, timeout_ms)) return std::nullopt;
    Reply reply{received_[0], received_.substr(5, length - 4)};
    received_.erase(0, 1 + std::size_t{length});
    return reply;
  }
  /// Replies up to and with the next of `type`; what is there if none comes.
  std::vector<Reply> read_until(char type, int timeout_ms = 5000) {
    std::vector<Reply> replies;
    while (std::optional<Reply> reply = read(timeout_ms)) {
      replies.push_back(std::move(*reply));
      if (replies.back().type == type) break;
    }
    return replies;
  }
  /// The types of the replies up to the next ReadyForQuery, in a row.
  std::string types_until_ready(int timeout_ms = 5000) {
    std::string types;
    for (const Reply& reply : read_until('Z', timeout_ms)) types += reply.type;
    return types;
  }
  /// Whether the server closes, with nothing more said, in time.
  bool closed(int timeout_ms = 5000) { return !fill(received_.size() + 1, timeout_ms) && at_end_; }
  /// Whether nothing arrives for a while.
  bool silent(int ms) { return received_.empty() && !fill(1, ms) && !at_end_; }
  /// Through authentication by trust to the first ReadyForQuery.
  bool login(std::string_view user = "alice", std::string_view database = "shop") {
    send(startup({{"user", std::string(user)}, {"database", std::string(database)}}));
    for (const Reply& reply : read_until('Z')) {
      if (reply.type == 'K') {
        process_id = reply.int32(0);
        secret = reply.int32(4);
      }
      if (reply.type == 'Z') return true;
    }
    return false;
  }
  std::uint32_t process_id = 0;
  std::uint32_t secret = 0;

 private:
  bool fill(std::size_t bytes, int timeout_ms) {
    while (received_.size() < bytes) {
      pollfd poll_fd{fd_, POLLIN, 0};
      if (::poll(&poll_fd, 1, timeout_ms) <= 0) return false;
      char buffer[65536];
      const ssize_t got = ::recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) {
        at_end_ = true;
        return false;
      }
      received_.append(buffer, static_cast<std::size_t>(got));
    }
    return true;
  }
  int fd_ = -1;
  bool connected_ = false;
  bool at_end_ = false;
  std::string received_;
};

}  // namespace wandian::wire::test
