// Helpers of the log's tests: an applier that remembers, and records with recognizable content.
#pragma once

#include <string>
#include <vector>

#include "storage/base/env_sim.h"
#include "storage/log.h"

namespace wandian {

struct AppliedCommit {
  Lsn lsn;
  std::string content;  ///< all payloads, one after the other
  bool operator==(const AppliedCommit&) const = default;
};

class CollectingApplier final : public LogApplier {
 public:
  Status apply(Lsn commit, std::uint64_t, std::span<const std::span<const char>> payloads) override {
    AppliedCommit applied{commit, {}};
    for (const std::span<const char> payload : payloads) applied.content.append(payload.data(), payload.size());
    commits.push_back(std::move(applied));
    return {};
  }
  std::vector<AppliedCommit> commits;
};

inline LogOptions small_log(unsigned shards = 3) {
  LogOptions options;
  options.directory = "/data/wal";
  options.ring_bytes = 32 * 1024;
  options.segment_bytes = 64 * 1024;
  options.shards = shards;
  options.max_record_bytes = 4096;
  return options;
}

inline RecordBuffer make_record(const std::string& content, RecordKind kind = RecordKind::kCommit,
                                std::uint64_t transaction = 1, std::uint32_t parts = 0) {
  RecordBuffer record;
  record.append(content.data(), content.size());
  record.seal(kind, transaction, parts);
  return record;
}

inline Lsn commit_record(Log& log, unsigned shard, const std::string& content) {
  RecordBuffer record = make_record(content);
  return log.commit(shard, record, [](Lsn) {});
}

/// Steps until nothing is left to do at this moment of the clock.
inline void settle(Log& log) {
  while (log.step()) {
  }
}

}  // namespace wandian
