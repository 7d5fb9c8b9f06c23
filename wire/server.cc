#include "wire/server.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "wire/protocol_writer.h"

namespace wandian::wire {

WireServer::WireServer(WireOptions options, Env& env, std::vector<ShardBinding> shards, SessionFactory factory,
                       Authenticator& authenticator, ReleaseClock& clock)
    : state_(options, env, std::move(factory), authenticator, clock),
      listener_(state_.options, env, [this](AcceptedSocket socket) { deal(std::move(socket)); }) {
  auto& secret = state_.options.mock_secret;
  if (std::all_of(secret.begin(), secret.end(), [](unsigned char c) { return c == 0; })) env.entropy(secret.data(), secret.size());
  state_.shards = static_cast<unsigned>(shards.size());
  for (unsigned i = 0; i < state_.shards; ++i) {
    drivers_.push_back(std::make_unique<ShardDriver>(state_, i, std::move(shards[i])));
    driver_pointers_.push_back(drivers_.back().get());
  }
  state_.drivers = driver_pointers_.data();
}

WireServer::~WireServer() { stop(); }

Status WireServer::start() {
  WANDIAN_TRY(listener_.open());
  for (unsigned i = 0; i < drivers_.size(); ++i) {
    threads_.emplace_back([driver = drivers_[i].get(), i] {
      ::pthread_setname_np(::pthread_self(), ("shard-" + std::to_string(i)).c_str());
      driver->run();
    });
  }
  listener_.start();
  return {};
}

void WireServer::set_accepting(bool accepting) {
  state_.accepting.store(accepting ? ServerState::Accepting::kReady : ServerState::Accepting::kStarting, std::memory_order_release);
}

void WireServer::begin_shutdown(std::int64_t grace_us) {
  state_.accepting.store(ServerState::Accepting::kShuttingDown, std::memory_order_release);
  listener_.stop();
  const std::int64_t deadline_us = state_.env.clock().monotonic_us() + grace_us;
  for (auto& driver : drivers_) driver->post_drain(deadline_us);
}

bool WireServer::wait_drained(std::int64_t timeout_us) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(timeout_us);
  while (connections() > 0) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void WireServer::stop() {
  listener_.stop();
  for (std::size_t i = 0; i < threads_.size(); ++i) drivers_[i]->post_stop();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

unsigned WireServer::connections() const {
  unsigned sum = 0;
  for (const auto& driver : drivers_) sum += driver->load();
  return sum;
}

// On the listener's thread. The shard with the fewest connections; among equals in turn.
void WireServer::deal(AcceptedSocket socket) {
  // Sockets that never send a startup packet are not counted against max_connections, so they have a limit of their own.
  if (connections() >= 2 * state_.options.max_connections + 64) {
    sql::OutBuffer out;
    write_error_record(out, 'E', Status{sqlstate::too_many_connections, "sorry, too many clients already"}.error(), Severity::kFatal);
    [[maybe_unused]] const ssize_t sent = ::send(socket.fd, out.data(), out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::close(socket.fd);
    return;
  }
  const unsigned first = next_.fetch_add(1, std::memory_order_relaxed) % state_.shards;
  ShardDriver* best = nullptr;
  for (unsigned i = 0; i < state_.shards; ++i) {
    ShardDriver* driver = drivers_[(first + i) % state_.shards].get();
    if (best == nullptr || driver->load() < best->load()) best = driver;
  }
  best->count_dealt();
  best->post_socket(std::move(socket));
}

void WireServer::signal(std::int32_t process_id, bool terminate) {
  if (process_id <= 0) return;
  drivers_[static_cast<std::uint32_t>(process_id) % state_.shards]->post_signal(process_id, terminate);
}
void WireServer::cancel_backend(std::int32_t process_id) { signal(process_id, false); }
void WireServer::terminate_backend(std::int32_t process_id) { signal(process_id, true); }

}  // namespace wandian::wire
