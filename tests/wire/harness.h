// A WireServer over fakes, on a port of its own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "tests/wire/fake_sql.h"
#include "tests/wire/wire_client.h"
#include "wire/server.h"

namespace wandian::wire::test {

inline bool eventually(const std::function<bool()>& condition, int ms = 5000) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

class Harness {
 public:
  explicit Harness(unsigned shards = 2, const std::function<void(WireOptions&)>& change = {}) {
    WireOptions options;
    options.port = 0;
    options.authentication = Authentication::kTrust;
    if (change) change(options);
    RoleLogin alice;
    alice.exists = alice.can_login = true;
    authenticator.roles["alice"] = alice;
    alice.superuser = true;
    authenticator.roles["root"] = alice;
    alice.can_login = false;
    authenticator.roles["group"] = alice;
    std::vector<ShardBinding> bindings;
    for (unsigned i = 0; i < shards; ++i) {
      database.shards.push_back(std::make_unique<FakeShard>());
      database.clock.wakeups.push_back(&database.shards.back()->wakeup);
      bindings.push_back({database.shards.back().get(), &database.shards.back()->wakeup, {}});
    }
    server = std::make_unique<WireServer>(std::move(options), posix_env(), std::move(bindings), database.factory(), authenticator,
                                          database.clock);
  }
  void start() {
    const Status status = server->start();
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  WireClient connect() { return WireClient(server->port()); }
  void release_waiting() {
    for (auto& shard : database.shards) shard->release_waiting();
  }

  FakeDatabase database;
  FakeAuthenticator authenticator;
  std::unique_ptr<WireServer> server;
};

}  // namespace wandian::wire::test
