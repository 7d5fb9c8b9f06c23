// The wire alone, for measurements: every statement is answered at once by a fake session.
//   wire_fake_server [port] [shards] [socket dir]
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "tests/wire/harness.h"

int main(int argc, char** argv) {
  using namespace wandian::wire;
  const auto shards = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 2);
  test::Harness harness(shards, [&](WireOptions& options) {
    options.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 5499);
    if (argc > 3) options.unix_socket_directory = argv[3];
  });
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  const wandian::Status status = harness.server->start();
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.error().message.c_str());
    return 1;
  }
  std::printf("ready on port %u\n", harness.server->port());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  harness.server->begin_shutdown(1'000'000);
  harness.server->wait_drained(2'000'000);
  harness.server->stop();
  return 0;
}
