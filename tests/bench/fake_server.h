#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace wandian::bench {

// What the fake server was asked to execute: the statement's name and its parameters as they came.
struct FakeCall {
  char statement;
  std::vector<std::string> parameters;

  std::uint64_t integer(std::size_t index) const {
    std::uint64_t value = 0;
    for (const char c : parameters[index]) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
};

// What it shall answer: a bigint, an error, or nothing more on this connection.
struct FakeAnswer {
  std::int64_t value = 0;
  std::string sqlstate;
  bool hang_up = false;
};

// A server that logs everybody in and asks a function for the answer to each Execute. One thread a connection, the
// function under one mutex.
class FakeServer {
 public:
  using Handler = std::function<FakeAnswer(const FakeCall&)>;

  explicit FakeServer(Handler handler) : handler_(std::move(handler)) {
    char folder[] = "/tmp/wandian_bench_test_XXXXXX";
    folder_ = ::mkdtemp(folder);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, (folder_ + "/.s.PGSQL.5432").c_str());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::listen(listener_, 16);
    acceptor_ = std::thread([this] {
      for (;;) {
        const int fd = ::accept(listener_, nullptr, nullptr);
        if (fd < 0) return;
        sessions_.emplace_back([this, fd] { serve(fd); });
      }
    });
  }

  ~FakeServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& session : sessions_) session.join();
    ::close(listener_);
    ::unlink((folder_ + "/.s.PGSQL.5432").c_str());
    ::rmdir(folder_.c_str());
  }

  std::string url() const { return "postgresql:///d?user=u&host=" + folder_; }

 private:
  static std::string int32(std::uint32_t v) {
    return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
  }
  static std::string message(char type, const std::string& body) {
    return type + int32(static_cast<std::uint32_t>(body.size() + 4)) + body;
  }
  static std::uint32_t number(std::string_view bytes, std::size_t size) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }
  static bool read_exactly(int fd, std::string& out, std::size_t size) {
    out.resize(size);
    return size == 0 || ::recv(fd, out.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }

  static FakeCall read_bind(std::string_view body) {
    FakeCall call;
    body.remove_prefix(1);   // the unnamed portal
    call.statement = body[0];
    body.remove_prefix(2 + 4);   // its name's end, one format code for all
    const std::uint32_t count = number(body, 2);
    body.remove_prefix(2);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t size = number(body, 4);
      call.parameters.emplace_back(body.substr(4, size));
      body.remove_prefix(4 + size);
    }
    return call;
  }

  void serve(int fd) {
    std::string head, body, out;
    const std::string ready = message('Z', "I");
    bool good = read_exactly(fd, head, 4) && read_exactly(fd, body, number(head, 4) - 4);
    out = message('R', int32(0)) + ready;
    FakeCall call;
    while (good) {
      ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
      out.clear();
      good = read_exactly(fd, head, 5) && read_exactly(fd, body, number(std::string_view(head).substr(1), 4) - 4);
      if (!good) break;
      if (head[0] == 'P') out = message('1', "");
      if (head[0] == 'S') out = ready;
      if (head[0] == 'B') {
        call = read_bind(body);
        out = message('2', "");
      }
      if (head[0] == 'E') {
        FakeAnswer answer;
        {
          const std::lock_guard lock(mutex_);
          answer = handler_(call);
        }
        if (answer.hang_up) break;
        if (!answer.sqlstate.empty()) {
          out = message('E', "SERROR" + std::string(1, '\0') + "C" + answer.sqlstate + '\0' + "Mno" + '\0' + '\0');
        } else {
          const auto v = static_cast<std::uint64_t>(answer.value);
          out = message('D', std::string("\0\1", 2) + int32(8) + int32(static_cast<std::uint32_t>(v >> 32)) +
                                 int32(static_cast<std::uint32_t>(v))) +
                message('C', std::string("SELECT 1\0", 9));
        }
      }
    }
    ::close(fd);
  }

  Handler handler_;
  std::mutex mutex_;
  std::string folder_;
  int listener_ = -1;
  std::thread acceptor_;
  std::vector<std::thread> sessions_;
};

}  // namespace wandian::bench
