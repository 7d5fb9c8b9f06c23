#include "bench/day/server_process.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

namespace wandian::bench {

namespace {

std::vector<int> all_pids() {
  std::vector<int> pids;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    int pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size()) pids.push_back(pid);
  }
  return pids;
}

struct Stat {
  int parent = 0;
  double own_seconds = 0;
  double ended_children_seconds = 0;
};

// proc(5): the fields after the command's closing parenthesis begin with the state, number 3.
std::optional<Stat> read_stat(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto close = text.rfind(')');
  if (close == text.npos) return std::nullopt;
  std::istringstream fields(text.substr(close + 2));
  std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  if (words.size() < 15) return std::nullopt;
  const auto ticks = [&](std::size_t number) { return std::atof(words[number - 3].c_str()); };
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return Stat{std::atoi(words[1].c_str()), (ticks(14) + ticks(15)) / per_second, (ticks(16) + ticks(17)) / per_second};
}

// Inodes of the sockets that listen at the URL's port or path.
std::set<std::string> listening_inodes(const ConnectionUrl& url) {
  std::set<std::string> inodes;
  std::string line;
  if (url.unix_socket()) {
    std::ifstream file("/proc/net/unix");
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
      // Flags 00010000 mark a socket that accepts connections.
      if (word.size() >= 8 && word[3] == "00010000" && word[7] == url.socket_path()) inodes.insert(word[6]);
    }
    return inodes;
  }
  char port[8];
  std::snprintf(port, sizeof(port), ":%04X", static_cast<unsigned>(std::atoi(url.port.c_str())));
  for (const char* name : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file(name);
    while (std::getline(file, line)) {
      std::istringstream words(line);
      std::vector<std::string> word{std::istream_iterator<std::string>(words), {}};
      // State 0A is LISTEN.
      if (word.size() >= 10 && word[3] == "0A" && word[1].ends_with(port)) inodes.insert(word[9]);
    }
  }
  return inodes;
}

bool holds_socket(int pid, const std::set<std::string>& inodes) {
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/" + std::to_string(pid) + "/fd", error), end; !error && at != end;
       at.increment(error)) {
    std::error_code unreadable;
    const std::string target = std::filesystem::read_symlink(at->path(), unreadable);
    if (!unreadable && target.starts_with("socket:[") && inodes.count(target.substr(8, target.size() - 9)) != 0)
      return true;
  }
  return false;
}

// The number after `key` in a file of "Key:   123 kB" lines, in bytes.
std::optional<std::uint64_t> kilobytes_after(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line))
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10) * 1024;
  return std::nullopt;
}

}  // namespace

std::optional<ServerProcess> ServerProcess::find(const ConnectionUrl& url) {
  if (!url.unix_socket() && !url.host.starts_with("127.") && url.host != "localhost" && url.host != "::1")
    return std::nullopt;
  const std::set<std::string> inodes = listening_inodes(url);
  if (inodes.empty()) return std::nullopt;
  std::set<int> holders;
  for (const int pid : all_pids())
    if (holds_socket(pid, inodes)) holders.insert(pid);
  // Children may have inherited the socket: the server is the holder whose parent holds it not.
  for (const int pid : holders) {
    const auto stat = read_stat(pid);
    if (stat && holders.count(stat->parent) == 0) return ServerProcess(pid);
  }
  return std::nullopt;
}

std::vector<int> ServerProcess::family() const {
  std::vector<int> pids{pid_};
  for (const int pid : all_pids())
    if (const auto stat = read_stat(pid); stat && stat->parent == pid_) pids.push_back(pid);
  return pids;
}

double ServerProcess::cpu_seconds() const {
  double seconds = 0;
  for (const int pid : family()) {
    const auto stat = read_stat(pid);
    if (stat) seconds += stat->own_seconds + (pid == pid_ ? stat->ended_children_seconds : 0);
  }
  return seconds;
}

std::uint64_t ServerProcess::resident_bytes() const {
  std::uint64_t bytes = 0;
  for (const int pid : family()) {
    const std::string folder = "/proc/" + std::to_string(pid);
    auto size = kilobytes_after(folder + "/smaps_rollup", "Pss:");
    if (!size) size = kilobytes_after(folder + "/status", "VmRSS:");
    bytes += size.value_or(0);
  }
  return bytes;
}

}  // namespace wandian::bench
