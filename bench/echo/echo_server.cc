// The ceiling: a server of PostgreSQL's framing that answers without looking. What it reaches under a load generator on
// this machine is what the wire alone allows, so a real server's rate is told as a share of it.
//
//     echo_server [--port 5434] [--threads 2] [--port-file FILE]
//
// Trust at startup; every statement that begins with SELECT has one row of one column, "10" (or, for the calls of
// `bench day`, the int8 or int4 it asks for in binary); all others answer their tag alone. One epoll a thread; an
// acceptor deals each socket to the thread with the fewest sessions. It keeps no statement: the kind of the last one
// parsed on a session holds for all that it executes.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kReadBytes = 256 * 1024;
constexpr std::size_t kLargestMessage = 1 << 20;

std::uint32_t get32(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

std::string int32(std::uint32_t value) {
  std::string out(4, '\0');
  for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(i)] = static_cast<char>(value >> (24 - 8 * i));
  return out;
}
std::string int16(std::uint32_t value) { return int32(value).substr(2); }
std::string message(char type, const std::string& body) {
  return std::string(1, type) + int32(static_cast<std::uint32_t>(body.size() + 4)) + body;
}
std::string parameter(const char* name, const char* value) {
  return message('S', std::string(name) + '\0' + value + '\0');
}
// An empty value is a NULL.
std::string row(const std::vector<std::string>& values) {
  std::string body = int16(static_cast<std::uint32_t>(values.size()));
  for (const auto& value : values)
    body += value.empty() ? int32(0xffffffff) : int32(static_cast<std::uint32_t>(value.size())) + value;
  return message('D', body);
}
std::string description(int columns, std::uint32_t type, std::uint32_t size) {
  std::string body = int16(static_cast<std::uint32_t>(columns));
  for (int i = 0; i < columns; ++i)
    body += std::string("abalance") + '\0' + int32(0) + int16(0) + int32(type) + int16(size) + int32(0xffffffff) + int16(0);
  return message('T', body);
}
std::string tag(const char* text) { return message('C', std::string(text) + '\0'); }

const std::string kReady = message('Z', "I");
const std::string kGreeting =
    message('R', int32(0)) + parameter("server_version", "15.0") + parameter("server_encoding", "UTF8") +
    parameter("client_encoding", "UTF8") + parameter("DateStyle", "ISO, MDY") + parameter("integer_datetimes", "on") +
    parameter("standard_conforming_strings", "on") + parameter("TimeZone", "UTC") +
    message('K', int32(1) + int32(1)) + kReady;

// What a statement of one kind is answered with.
struct Answers {
  std::string describe;   // RowDescription or NoData
  std::string execute;
  std::string query;      // of a simple Query, ReadyForQuery included
};

Answers with_row(const std::string& text_description, const std::string& data) {
  const std::string execute = data + tag("SELECT 1");
  return {text_description, execute, text_description + execute + kReady};
}

Answers with_tag(const char* text) {
  const std::string execute = tag(text);
  return {message('n', ""), execute, execute + kReady};
}

// pgbench takes the number of branches for its scale, so the one answer is one that it can divide by.
const Answers kSelect = with_row(description(1, 23, 4), row({"10"}));
// pgbench asks at its start for the table, its partitioning and their number: a plain table with none.
const Answers kPartitions = with_row(description(3, 25, 0xffff), row({"1", "", "0"}));
const Answers kInt8 = with_row(description(1, 20, 8), row({std::string(7, '\0') + '\1'}));
const Answers kInt4 = with_row(description(1, 23, 4), row({std::string(3, '\0') + '\1'}));
const Answers kBegin = with_tag("BEGIN");
const Answers kCommit = with_tag("COMMIT");
const Answers kUpdate = with_tag("UPDATE 1");
const Answers kInsert = with_tag("INSERT 0 1");
const Answers kSet = with_tag("SET");

bool begins_with(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(text[i])) != word[i]) return false;
  return true;
}

const Answers& answers_for(std::string_view text) {
  if (begins_with(text, "select")) {
    if (text.find("p.partstrat") != text.npos) return kPartitions;
    if (text.find("place_order(") != text.npos || text.find("pay_order(") != text.npos) return kInt8;
    if (text.find("cancel_order(") != text.npos || text.find("restock(") != text.npos) return kInt4;
    return kSelect;
  }
  if (begins_with(text, "update")) return kUpdate;
  if (begins_with(text, "insert")) return kInsert;
  if (begins_with(text, "begin")) return kBegin;
  if (begins_with(text, "end") || begins_with(text, "commit")) return kCommit;
  return kSet;
}

struct Session {
  int fd;
  bool started = false;
  const Answers* answers = &kSelect;
  std::string held;      // the beginning of a message whose rest has not come
  std::string unsent;    // what a slow reader did not take; nothing is read from it until it has
};

// One thread's sessions. Thread: run() on its own; add() and sessions() from the acceptor.
class Worker {
 public:
  Worker() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), in_(kReadBytes) { out_.reserve(kReadBytes); }

  int sessions() const { return sessions_.load(std::memory_order_relaxed); }

  void add(int fd) {
    sessions_.fetch_add(1, std::memory_order_relaxed);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = new Session{fd};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  void run() {
    std::vector<epoll_event> events(256);
    for (;;) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        auto* session = static_cast<Session*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (!serve(*session)) {
          ::close(session->fd);
          delete session;
          sessions_.fetch_sub(1, std::memory_order_relaxed);
        }
      }
    }
  }

 private:
  bool serve(Session& session) {
    if (!session.unsent.empty()) {
      std::string rest;
      rest.swap(session.unsent);
      if (!send(session, rest)) return false;
      if (session.unsent.empty()) watch(session, EPOLLIN);
      return true;
    }
    const std::size_t held = session.held.size();
    if (held + kReadBytes / 2 > in_.size()) in_.resize(held + kReadBytes);
    std::memcpy(in_.data(), session.held.data(), held);
    const ssize_t n = ::recv(session.fd, in_.data() + held, in_.size() - held, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n <= 0) return false;
    out_.clear();
    const std::string_view all(in_.data(), held + static_cast<std::size_t>(n));
    std::size_t used = 0;
    if (!answer(session, all, used)) return false;
    session.held.assign(all.substr(used));
    return out_.empty() || send(session, out_);
  }

  // Appends the answers of every whole message; `used` is where the first that is not whole begins.
  bool answer(Session& session, std::string_view all, std::size_t& used) {
    while (!session.started) {
      if (all.size() - used < 8) return true;
      const std::size_t length = get32(all.data() + used);
      const std::uint32_t code = get32(all.data() + used + 4);
      if (length < 8 || length > 10'000) return false;
      if (all.size() - used < length) return true;
      used += length;
      if (code == 80877103 || code == 80877104) {
        out_ += 'N';
      } else if (code == 80877102) {
        return false;
      } else {
        out_ += kGreeting;
        session.started = true;
      }
    }
    while (all.size() - used >= 5) {
      const char* at = all.data() + used;
      const std::size_t size = get32(at + 1) + std::size_t{1};
      if (size < 5 || size > kLargestMessage) return false;
      if (all.size() - used < size) break;
      switch (*at) {
        case 'B': out_.append("2\0\0\0\x04", 5); break;
        case 'E': out_ += session.answers->execute; break;
        case 'S': out_ += kReady; break;
        case 'Q':
          out_ += answers_for({at + 5, size - 6}).query;
          break;
        case 'D':
          if (size > 5 && at[5] == 'S') out_.append("t\0\0\0\x06\0\0", 7);
          out_ += session.answers->describe;
          break;
        case 'P': {
          const std::string_view body(at + 5, size - 5);
          const auto name_end = body.find('\0');
          if (name_end == body.npos) return false;
          session.answers = &answers_for(body.substr(name_end + 1));
          out_.append("1\0\0\0\x04", 5);
          break;
        }
        case 'C': out_.append("3\0\0\0\x04", 5); break;
        case 'X': return false;
        default: break;
      }
      used += size;
    }
    return true;
  }

  bool send(Session& session, std::string_view bytes) {
    const ssize_t n = ::send(session.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    const auto sent = static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    if (sent < bytes.size()) {
      session.unsent.assign(bytes.substr(sent));
      watch(session, EPOLLOUT);
    }
    return true;
  }

  void watch(Session& session, std::uint32_t what) {
    epoll_event event{};
    event.events = what;
    event.data.ptr = &session;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, session.fd, &event);
  }

  int epoll_;
  std::vector<char> in_;
  std::string out_;
  std::atomic<int> sessions_{0};
};

}  // namespace

int main(int argc, char** argv) {
  int port = 5434, threads = 2;
  const char* port_file = nullptr;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--port") port = std::atoi(argv[i + 1]);
    if (name == "--threads") threads = std::max(1, std::atoi(argv[i + 1]));
    if (name == "--port-file") port_file = argv[i + 1];
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener, 1024) != 0) {
    std::perror("echo_server");
    return 1;
  }
  socklen_t size = sizeof(address);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  if (port_file != nullptr) {
    if (std::FILE* out = std::fopen(port_file, "w")) {
      std::fprintf(out, "%d\n", ntohs(address.sin_port));
      std::fclose(out);
    }
  }
  std::printf("ready on 127.0.0.1:%d, %d threads\n", ntohs(address.sin_port), threads);
  std::fflush(stdout);

  std::vector<std::unique_ptr<Worker>> workers;
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    workers.push_back(std::make_unique<Worker>());
    running.emplace_back([worker = workers.back().get()] { worker->run(); });
  }
  for (;;) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) continue;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    const auto least = std::min_element(workers.begin(), workers.end(),
                                        [](const auto& a, const auto& b) { return a->sessions() < b->sessions(); });
    (*least)->add(fd);
  }
}
