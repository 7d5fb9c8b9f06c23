#include "wire/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace wandian::wire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using ErrorCode = boost::system::error_code;

constexpr int kAcceptsPerWakeup = 64;
constexpr auto kPauseWithoutDescriptors = std::chrono::milliseconds(50);

Peer peer_of(const sockaddr_storage& address, socklen_t length) {
  Peer peer;
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return peer;
  tcp::endpoint endpoint;
  endpoint.resize(length);
  std::memcpy(endpoint.data(), &address, length);
  peer.address = endpoint.address().to_string();
  peer.port = endpoint.port();
  return peer;
}

}  // namespace

struct Listener::Impl {
  Impl(const WireOptions& o, Env& e, std::function<void(AcceptedSocket)> d) : options(o), env(e), deal(std::move(d)) {}

  // One listening socket of either family.
  struct Socket {
    explicit Socket(asio::io_context& io) : descriptor(io), pause(io) {}
    asio::posix::stream_descriptor descriptor;
    asio::steady_timer pause;
  };

  const WireOptions& options;
  Env& env;
  std::function<void(AcceptedSocket)> deal;
  asio::io_context io{1};
  std::vector<std::unique_ptr<Socket>> sockets;
  std::string unix_path;
  std::uint16_t port = 0;
  std::thread thread;

  void log(Severity severity, const std::string& text) const {
    if (options.log) options.log(severity, text);
  }

  // The endpoints of one entry of the host list.
  std::vector<tcp::endpoint> endpoints(const std::string& host, std::string& error) {
    if (host == "*") return {tcp::endpoint(tcp::v4(), port), tcp::endpoint(tcp::v6(), port)};
    ErrorCode code;
    tcp::resolver resolver(io);
    const auto found = resolver.resolve(host, std::to_string(port), tcp::resolver::passive | tcp::resolver::numeric_service, code);
    std::vector<tcp::endpoint> list;
    if (code) {
      error = "could not resolve \"" + host + "\": " + code.message();
      return list;
    }
    for (const auto& entry : found) list.push_back(entry.endpoint());
    return list;
  }

  Status listen_tcp(const tcp::endpoint& wanted) {
    tcp::endpoint endpoint(wanted.address(), port);
    if (options.authentication == Authentication::kTrust && !endpoint.address().is_loopback())
      return Status{sqlstate::invalid_parameter_value, "trust authentication listens on loopback alone, not on " +
                                                           endpoint.address().to_string()}
          .with_hint("Use scram authentication, or a loopback address.");
    ErrorCode code;
    tcp::acceptor acceptor(io);
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.set_option(tcp::acceptor::reuse_address(true), code);
    if (!code && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code) acceptor.listen(SOMAXCONN, code);
    if (!code) port = acceptor.local_endpoint(code).port();
    if (code)
      return Status{sqlstate::io_error,
                    "could not listen on " + endpoint.address().to_string() + " port " + std::to_string(port) + ": " + code.message()};
    log(Severity::kLog, "listening on address \"" + endpoint.address().to_string() + "\", port " + std::to_string(port));
    return adopt(acceptor.release(code));
  }

  Status listen_unix() {
    unix_path = options.unix_socket_directory + "/.s.PGSQL." + std::to_string(port);
    if (unix_path.size() >= sizeof(sockaddr_un::sun_path))
      return Status{sqlstate::invalid_parameter_value, "Unix socket path \"" + unix_path + "\" is too long"};
    ErrorCode code;
    const Local::endpoint endpoint(unix_path);
    // What a crashed server left behind is removed; a live one is left alone.
    Local::socket probe(io);
    probe.connect(endpoint, code);
    if (!code) {
      unix_path.clear();
      return Status{sqlstate::object_in_use, "another server listens on Unix socket \"" + std::string(endpoint.path()) + "\""};
    }
    struct stat info;
    if (::stat(unix_path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) ::unlink(unix_path.c_str());
    Local::acceptor acceptor(io);
    code.clear();
    acceptor.open(endpoint.protocol(), code);
    if (!code) acceptor.bind(endpoint, code);
    if (!code && ::chmod(unix_path.c_str(), 0777) != 0) code.assign(errno, boost::system::system_category());
    if (!code) acceptor.listen(SOMAXCONN, code);
    if (code) {
      const std::string path = std::move(unix_path);
      unix_path.clear();
      return Status{sqlstate::io_error, "could not listen on Unix socket \"" + path + "\": " + code.message()};
    }
    log(Severity::kLog, "listening on Unix socket \"" + unix_path + "\"");
    return adopt(acceptor.release(code));
  }

  Status adopt(int fd) {
    ErrorCode code;
    auto socket = std::make_unique<Socket>(io);
    socket->descriptor.assign(fd, code);
    if (!code) socket->descriptor.non_blocking(true, code);
    if (code) return Status{sqlstate::io_error, "could not watch a listening socket: " + code.message()};
    sockets.push_back(std::move(socket));
    return {};
  }

  void wait(Socket& socket) {
    socket.descriptor.async_wait(asio::posix::descriptor_base::wait_read, [this, &socket](const ErrorCode& code) {
      if (code) return;   // stop() closed it
      accept(socket);
    });
  }

  void accept(Socket& socket) {
    for (int i = 0; i < kAcceptsPerWakeup; ++i) {
      sockaddr_storage address{};
      socklen_t length = sizeof address;
      const int fd = ::accept4(socket.descriptor.native_handle(), reinterpret_cast<sockaddr*>(&address), &length,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == ECONNABORTED || errno == EINTR) continue;
        if (errno == EAGAIN) break;
        log(Severity::kLog, std::string("could not accept new connection: ") + std::strerror(errno));
        socket.pause.expires_after(kPauseWithoutDescriptors);
        socket.pause.async_wait([this, &socket](const ErrorCode& code) {
          if (!code) wait(socket);
        });
        return;
      }
      if (address.ss_family != AF_UNIX) {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
      }
      deal(AcceptedSocket{fd, env.clock().monotonic_us(), peer_of(address, length)});
    }
    wait(socket);
  }
};

Listener::Listener(const WireOptions& options, Env& env, std::function<void(AcceptedSocket)> deal)
    : impl_(std::make_unique<Impl>(options, env, std::move(deal))) {}
Listener::~Listener() { stop(); }

Status Listener::open() {
  Impl& impl = *impl_;
  impl.port = impl.options.port;
  std::string last_error;
  for (const std::string& host : impl.options.hosts) {
    for (const tcp::endpoint& endpoint : impl.endpoints(host, last_error)) {
      Status status = impl.listen_tcp(endpoint);
      if (status.ok()) continue;
      if (status.code() == sqlstate::invalid_parameter_value) return status;
      last_error = status.error().message;
      impl.log(Severity::kWarning, last_error);
    }
  }
  if (impl.sockets.empty() && !impl.options.hosts.empty())
    return Status{sqlstate::io_error, last_error.empty() ? "could not listen on any address" : last_error};
  if (!impl.options.unix_socket_directory.empty()) WANDIAN_TRY(impl.listen_unix());
  return {};
}

void Listener::start() {
  for (auto& socket : impl_->sockets) impl_->wait(*socket);
  impl_->thread = std::thread([impl = impl_.get()] {
    ::pthread_setname_np(::pthread_self(), "listener");
    impl->io.run();
  });
}

void Listener::stop() {
  Impl& impl = *impl_;
  impl.io.stop();
  if (impl.thread.joinable()) impl.thread.join();
  impl.sockets.clear();
  if (!impl.unix_path.empty()) ::unlink(impl.unix_path.c_str());
  impl.unix_path.clear();
}

std::uint16_t Listener::port() const { return impl_->port; }

}  // namespace wandian::wire
