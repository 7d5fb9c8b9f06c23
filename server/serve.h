// serve: puts a server together from its layers, runs it until it is told to stop, and takes it apart again.
// Thread:  main.
// Errors:  what keeps it from starting is printed and ends it with status 1; a stop by signal is status 0.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace wandian::server {

struct ServeOptions {
  std::string data_directory;
  std::vector<std::string> hosts{"127.0.0.1"};
  std::uint16_t port = 5433;
  std::string unix_socket_directory;
  unsigned shards = 0;                 ///< 0: one a core
  std::string authentication = "scram-sha-256";
  std::string module_directory;
  std::vector<std::pair<std::string, std::string>> settings;
  std::string log_level = "info";
};

int serve(const ServeOptions& options);

}  // namespace wandian::server
