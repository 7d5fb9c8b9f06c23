// Log segments of any content, through the real recovery: headers, frames, records, parts, the rule that tells a torn tail
// from damage, and the rewrite. Random bytes would never get past a checksum, so most inputs have theirs put right first.
// Asked of every input: no crash and no allocation beyond what the files hold; a refusal is data_corrupted (or another format
// version), names a place in the directory and leaves the files as they were; what was recovered is recovered again, the same,
// after a power cut.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "storage/base/env_sim.h"
#include "storage/log_format.h"
#include "storage/log_reader.h"
#include "storage/recovery.h"

namespace wandian {
namespace {

// The first byte of an input.
constexpr std::uint8_t kFixHeaders = 1, kFixFrames = 2, kFixRecords = 4, kFixPlaces = 8, kReplayLater = 16;
constexpr std::uint8_t kSegmentsShift = 5;  // the upper bits: one segment to four, then twice as many bits unused

constexpr char kDirectory[] = "/wal";

void require(bool condition, const char* what, const std::string& context = {}) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s; %s\n", what, context.c_str());
  std::abort();
}

class CheckingApplier final : public LogApplier {
 public:
  Status apply(Lsn commit, std::uint64_t, std::span<const std::span<const char>> payloads) override {
    require(commit > last_ && !payloads.empty(), "commits are applied in order");
    last_ = commit;
    digest_ = XXH3_64bits_withSeed(&commit, sizeof commit, digest_);
    for (const std::span<const char> payload : payloads) digest_ = XXH3_64bits_withSeed(payload.data(), payload.size(), digest_);
    return {};
  }
  std::uint64_t digest() const { return digest_; }

 private:
  Lsn last_;
  std::uint64_t digest_ = 0;
};

void fix_header(std::vector<char>& segment, std::uint64_t number, std::uint8_t mode) {
  SegmentHeader header;
  std::memcpy(&header, segment.data(), sizeof header);
  if ((mode & kFixPlaces) != 0) {
    header.magic = kSegmentMagic;
    header.segment = number;
    header.segment_bytes = segment.size();
  }
  header.checksum = 0;
  std::memcpy(segment.data(), &header, sizeof header);
  header.checksum = XXH3_64bits(segment.data(), kSegmentHeaderBytes);
  std::memcpy(segment.data(), &header, sizeof header);
}

/// Records that lie whole in one frame.
void fix_records(char* payload, std::size_t bytes, Lsn begin) {
  while (bytes >= sizeof(RecordHeader)) {
    RecordHeader header;
    std::memcpy(&header, payload, sizeof header);
    const std::size_t total = header.total_bytes;
    if (total < sizeof header || total > bytes) return;
    header.begin_lsn = begin.bytes;
    header.checksum = placed_checksum(record_content_hash(payload, total), begin);
    std::memcpy(payload, &header, sizeof header);
    payload += total;
    bytes -= total;
    begin.bytes += total;
  }
}

void fix_frames(std::vector<char>& segment, std::uint64_t number, std::uint64_t seed, std::uint8_t mode) {
  for (std::size_t at = kSegmentHeaderBytes; at + kSectorBytes <= segment.size(); at += kSectorBytes) {
    FrameHeader header;
    std::memcpy(&header, segment.data() + at, sizeof header);
    if (header.magic != kFrameMagic) continue;
    if ((mode & kFixPlaces) != 0) {
      header.segment = number;
      header.offset = at;
    }
    if (header.payload_bytes <= segment.size() - at - sizeof header) {
      char* const payload = segment.data() + at + sizeof header;
      if ((mode & kFixRecords) != 0) fix_records(payload, header.payload_bytes, Lsn{header.begin_lsn});
      header.payload_hash = XXH3_64bits(payload, header.payload_bytes);
    }
    header.checksum = 0;
    header.checksum = XXH3_64bits_withSeed(&header, sizeof header, seed);
    std::memcpy(segment.data() + at, &header, sizeof header);
  }
}

void write_file(SimEnv& env, const std::string& path, std::span<const char> bytes) {
  Result<std::unique_ptr<File>> file = env.files().open(path, OpenMode::kCreate);
  require(file.ok() && (*file)->write(bytes, 0).ok() && (*file)->sync().ok(), "the disk takes a file");
}

std::vector<std::string> files_of(SimEnv& env) {
  Result<std::vector<std::string>> names = env.files().list(kDirectory);
  require(names.ok(), "the directory is there");
  return names.take();
}

void try_recovery(SimEnv& env, const LogOptions& options) {
  const std::vector<std::string> before = files_of(env);
  CheckingApplier first;
  RecoveryReport report;
  {
    const Result<RecoveredLog> recovered = recover_log(env, options, first, &report);
    if (!recovered.ok()) {
      const SqlState code = recovered.status().code();
      const std::string& message = recovered.status().error().message;
      require(code == sqlstate::data_corrupted || code == sqlstate::feature_not_supported, "a refusal is damage", message);
      require(message.find(kDirectory) != std::string::npos, "damage names its file", message);
      // A file that is missing, or of another database or version, has no offset to be named.
      static constexpr std::string_view kWithoutOffset[] = {"missing", "begin", "belongs to another", "format version", "checkpoint"};
      const bool placed = message.find("offset ") != std::string::npos ||
                          std::any_of(std::begin(kWithoutOffset), std::end(kWithoutOffset),
                                      [&](std::string_view word) { return message.find(word) != std::string::npos; });
      require(placed, "damage names its offset", message);
      require(files_of(env) == before, "a refusal changes nothing", message);
      return;
    }
    require(recovered.value().end == report.end && report.proved_durable <= report.end, "the end is beyond what was proved");
    require(report.tail_cut == !report.cut_description.empty(), "a cut is described");
  }
  env.crash();
  env.restart();
  CheckingApplier second;
  RecoveryReport again;
  const Result<RecoveredLog> recovered = recover_log(env, options, second, &again);
  if (!recovered.ok()) {
    // A crafted log may contradict itself where no disk would, say by a durable LSN within a frame: that may come out only where
    // the rewritten segment takes over, as damage.
    require(recovered.status().code() == sqlstate::data_corrupted, "a refusal is damage", recovered.status().error().message);
    return;
  }
  require(again.end == report.end && !again.tail_cut && second.digest() == first.digest(), "recovery gives the same again",
          to_string(report.end) + " proved " + to_string(report.proved_durable) + " cut: " + report.cut_description + "; then " +
              to_string(again.end) + " proved " + to_string(again.proved_durable) + " cut: " + again.cut_description);
}

}  // namespace
}  // namespace wandian

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wandian;
  if (size < 2) return 0;
  const std::uint8_t mode = data[0];
  LogOptions options;
  options.directory = kDirectory;
  options.segment_bytes = 2048;
  if ((mode & kReplayLater) != 0) options.replay_from = Lsn{std::uint64_t{data[1]} * 8};
  const std::span<const char> rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t sectors = (rest.size() + kSectorBytes - 1) / kSectorBytes;
  const std::size_t count = std::min<std::size_t>(1 + (mode >> kSegmentsShift) % 4, std::max<std::size_t>(sectors, 1));
  const std::size_t each = (sectors + count - 1) / count * kSectorBytes;

  SimEnv env(1);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t from = std::min(i * each, rest.size());
    const std::span<const char> bytes = rest.subspan(from, std::min(each, rest.size() - from));
    std::vector<char> segment(bytes.begin(), bytes.end());
    // Half of the inputs end within a sector: then the last file is shorter than any real one.
    if ((mode & kFixPlaces) != 0) segment.resize(std::max<std::size_t>(each, kSectorBytes));
    if (segment.size() >= kSegmentHeaderBytes) {
      if ((mode & kFixHeaders) != 0) fix_header(segment, i + 1, mode);
      if (i == 0) {
        SegmentHeader header;
        std::memcpy(&header, segment.data(), sizeof header);
        seed = identity_seed(header.database);
      }
      if ((mode & kFixFrames) != 0) fix_frames(segment, i + 1, seed, mode);
    }
    write_file(env, segment_path(kDirectory, i + 1), segment);
  }
  require(env.files().sync_directory(kDirectory).ok(), "the directory is synced");
  try_recovery(env, options);
  return 0;
}
