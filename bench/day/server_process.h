#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bench/day/connection_url.h"

namespace wandian::bench {

// The server's process on this host and the children it forks, seen through /proc.
class ServerProcess {
 public:
  /// Finds who listens at `url`: nothing for another host, or when /proc does not show it to this user.
  static std::optional<ServerProcess> find(const ConnectionUrl& url);

  explicit ServerProcess(int pid) : pid_(pid) {}
  int pid() const { return pid_; }

  /// User and system time of the process, its children, and those of them that have ended, in seconds.
  double cpu_seconds() const;
  /// Resident memory of the process and its children, in bytes; a page that several share counts once (their
  /// proportional sets) where the kernel tells, else as often as it is mapped.
  std::uint64_t resident_bytes() const;

 private:
  std::vector<int> family() const;

  int pid_;
};

}  // namespace wandian::bench
