#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/day/load.h"

namespace wandian::bench {

struct Report {
  const DayOptions& options;
  const Load& load;
  std::optional<double> server_cpu_seconds;        // nothing when the server's process cannot be seen
  std::optional<std::uint64_t> server_rss_bytes;
  std::optional<std::uint64_t> wal_bytes;          // nothing when the server does not tell its log position
  std::string invariants;                          // "ok", "not checked", or what broke

  bool good() const;
};

/// The report for people, some thirty lines.
void print_report(const Report& report);

/// Writes the report as one JSON object; bench/README.md lists its keys. Returns false if the file cannot be written.
bool write_json(const Report& report, const std::string& file);

}  // namespace wandian::bench
