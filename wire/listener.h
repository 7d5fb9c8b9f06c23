// Listener: binds the addresses, accepts, and deals each socket to the shard with the fewest connections.
// Owns:    the listening sockets, the Unix socket's file, one thread with its Asio io_context.
// Thread:  open(), start() and stop() from the owner; the rest on its own thread.
// Errors:  an address that cannot be bound is logged if another one could be; none at all is an error of open(). Out of
//          descriptors, accepting pauses for a moment instead of spinning.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "storage/base/status.h"
#include "wire/options.h"
#include "wire/shard_driver.h"

namespace wandian::wire {

class Listener {
 public:
  /// `deal` is called on the listener's thread for each new socket, which it takes over.
  Listener(const WireOptions& options, Env& env, std::function<void(AcceptedSocket)> deal);
  ~Listener();
  Status open();
  void start();
  /// Closes the listening sockets and joins the thread. May be called twice.
  void stop();
  std::uint16_t port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wandian::wire
