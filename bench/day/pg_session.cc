#include "bench/day/pg_session.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <random>
#include <utility>

#include "bench/day/scram.h"

namespace wandian::bench {

namespace {

void put_int32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint32_t get_int32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::string message(char type, std::string_view body) {
  std::string out(1, type);
  put_int32(out, static_cast<std::uint32_t>(body.size() + 4));
  return out.append(body);
}

std::string cstring(std::string_view text) { return std::string(text) + '\0'; }

std::string fresh_nonce() {
  std::random_device device;
  std::array<std::uint32_t, 5> words;
  for (auto& word : words) word = device();
  return base64_encode({reinterpret_cast<const char*>(words.data()), 18});
}

}  // namespace

PgError read_error_fields(std::string_view body) {
  PgError error;
  while (!body.empty() && body[0] != '\0') {
    const auto end = body.find('\0', 1);
    const std::string_view value = body.substr(1, end == body.npos ? body.npos : end - 1);
    if (body[0] == 'C') error.sqlstate = value;
    if (body[0] == 'M') error.message = value;
    if (body[0] == 'D') error.detail = value;
    if (end == body.npos) break;
    body.remove_prefix(end + 1);
  }
  return error;
}

PgSession::~PgSession() {
  if (fd_ >= 0) ::close(fd_);
}

int PgSession::release() { return std::exchange(fd_, -1); }

bool PgSession::fail(std::string text) {
  error_ = {"", std::move(text), ""};
  return false;
}

bool PgSession::open_socket(const ConnectionUrl& url) {
  if (url.unix_socket()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = url.socket_path();
    if (path.size() >= sizeof(address.sun_path)) return fail("the socket's path is too long: " + path);
    std::memcpy(address.sun_path, path.data(), path.size());
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
      return fail("cannot connect to " + path + ": " + std::strerror(errno));
    return true;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &found); code != 0)
    return fail("cannot resolve " + url.host + ": " + ::gai_strerror(code));
  int reason = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    fd_ = ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd_ >= 0 && ::connect(fd_, address->ai_addr, address->ai_addrlen) == 0) break;
    reason = errno;
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  ::freeaddrinfo(found);
  if (fd_ < 0) return fail("cannot connect to " + url.host + " port " + url.port + ": " + std::strerror(reason));
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return true;
}

bool PgSession::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(std::string("cannot send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool PgSession::receive(char& type, std::string& body) {
  for (;;) {
    const std::string_view have = std::string_view(in_).substr(in_begin_);
    if (have.size() >= 5) {
      const std::size_t length = get_int32(have.substr(1));
      if (length < 4) return fail("the server sent a message of impossible length");
      if (have.size() >= length + 1) {
        type = have[0];
        body.assign(have.substr(5, length - 4));
        in_begin_ += length + 1;
        return true;
      }
    }
    in_.erase(0, std::exchange(in_begin_, 0));
    char buffer[65536];
    const ssize_t n = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(std::string("cannot receive: ") + std::strerror(errno));
    if (n == 0) return fail("the server closed the connection");
    in_.append(buffer, static_cast<std::size_t>(n));
  }
}

bool PgSession::connect(const ConnectionUrl& url) { return open_socket(url) && log_in(url); }

bool PgSession::log_in(const ConnectionUrl& url) {
  std::string startup;
  put_int32(startup, 0x30000);
  for (const auto& [name, value] : {std::pair{"user", url.user}, {"database", url.dbname},
                                    {"application_name", std::string("wandian bench")}, {"client_encoding", "UTF8"}})
    startup += cstring(name) + cstring(value);
  startup += '\0';
  std::string packet;
  put_int32(packet, static_cast<std::uint32_t>(startup.size() + 4));
  if (!send(packet + startup)) return false;

  ScramClient scram(url.password, fresh_nonce());
  char type;
  std::string body;
  while (receive(type, body)) {
    if (type == 'E') {
      error_ = read_error_fields(body);
      return false;
    }
    if (type == 'Z') return true;
    if (type != 'R' || body.size() < 4) continue;
    const std::uint32_t request = get_int32(body);
    const std::string_view data = std::string_view(body).substr(4);
    std::string answer;
    if (request == 3) {
      answer = cstring(url.password);
    } else if (request == 10) {
      if (data.find(std::string_view("SCRAM-SHA-256\0", 14)) == data.npos)
        return fail("the server offers no SCRAM-SHA-256");
      const std::string first = scram.client_first();
      answer = cstring("SCRAM-SHA-256");
      put_int32(answer, static_cast<std::uint32_t>(first.size()));
      answer += first;
    } else if (request == 11) {
      answer = scram.client_final(data);
      if (answer.empty()) return fail("the server's SCRAM message is malformed");
    } else if (request == 12) {
      if (!scram.server_is_genuine(data)) return fail("the server does not know the password");
    } else if (request != 0) {
      return fail("the server asks for an unknown kind of authentication: " + std::to_string(request));
    }
    if (!answer.empty() && !send(message('p', answer))) return false;
  }
  return false;
}

bool PgSession::read_until_ready(Rows* rows) {
  char type;
  std::string body;
  bool good = true;
  while (receive(type, body)) {
    if (type == 'Z') return good;
    if (type == 'E') {
      error_ = read_error_fields(body);
      good = false;
    } else if (type == 'T' && rows != nullptr) {
      rows->clear();
    } else if (type == 'D' && rows != nullptr && body.size() >= 2) {
      auto& row = rows->emplace_back();
      std::string_view rest = std::string_view(body).substr(2);
      while (rest.size() >= 4) {
        const auto length = static_cast<std::int32_t>(get_int32(rest));
        rest.remove_prefix(4);
        row.emplace_back(rest.substr(0, length < 0 ? 0 : static_cast<std::size_t>(length)));
        rest.remove_prefix(row.back().size());
      }
    }
  }
  return false;
}

bool PgSession::query(std::string_view sql, Rows* rows) {
  return send(message('Q', cstring(sql))) && read_until_ready(rows);
}

std::optional<std::string> PgSession::value(std::string_view sql) {
  Rows rows;
  if (!query(sql, &rows) || rows.empty() || rows[0].empty()) return std::nullopt;
  return rows[0][0];
}

bool PgSession::prepare(std::string_view name, std::string_view sql) {
  return send(message('P', cstring(name) + cstring(sql) + std::string(2, '\0')) + message('S', "")) &&
         read_until_ready(nullptr);
}

}  // namespace wandian::bench
