#include "storage/log_format.h"

#include <cstdio>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace wandian {
namespace {

constexpr std::size_t kNameDigits = 16;

std::string numbered_name(std::uint64_t number, const char* extension) {
  char text[40];
  std::snprintf(text, sizeof text, "%016llx.%s", static_cast<unsigned long long>(number), extension);
  return text;
}

bool is_zero(std::span<const char> bytes) {
  for (const char byte : bytes)
    if (byte != 0) return false;
  return true;
}

std::uint64_t frame_checksum(FrameHeader header, std::uint64_t seed) {
  header.checksum = 0;
  return XXH3_64bits_withSeed(&header, sizeof header, seed);
}

}  // namespace

std::string segment_name(std::uint64_t number) { return numbered_name(number, "wal"); }
std::string preparing_name(std::uint64_t number) { return numbered_name(number, "new"); }
std::string segment_path(const std::string& directory, std::uint64_t number) {
  return directory + "/" + segment_name(number);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (name.size() != kNameDigits + 4 || name.substr(kNameDigits) != ".wal") return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : name.substr(0, kNameDigits)) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return std::nullopt;
    number = number << 4 | static_cast<std::uint64_t>(digit);
  }
  return number;
}

bool is_preparing_name(std::string_view name) {
  return name.size() == kNameDigits + 4 && name.substr(kNameDigits) == ".new";
}

std::uint64_t identity_seed(const DatabaseId& database) { return XXH3_64bits(database.data(), database.size()); }

std::array<char, kSegmentHeaderBytes> encode_segment_header(SegmentHeader header) {
  std::array<char, kSegmentHeaderBytes> sector{};
  header.magic = kSegmentMagic;
  header.format_version = kLogFormatVersion;
  header.reserved = 0;
  header.checksum = 0;
  std::memcpy(sector.data(), &header, sizeof header);
  header.checksum = XXH3_64bits(sector.data(), sector.size());
  std::memcpy(sector.data(), &header, sizeof header);
  return sector;
}

Result<SegmentHeader> decode_segment_header(std::span<const char> sector, std::uint64_t number,
                                            const std::string& path) {
  const auto damaged = [&](const std::string& what) {
    return Status{sqlstate::data_corrupted, "log segment \"" + path + "\" is damaged at offset 0: " + what};
  };
  if (sector.size() < kSegmentHeaderBytes) return damaged("the file is shorter than its header");
  std::array<char, kSegmentHeaderBytes> copy;
  std::memcpy(copy.data(), sector.data(), copy.size());
  SegmentHeader header;
  std::memcpy(&header, copy.data(), sizeof header);
  if (header.magic != kSegmentMagic) return damaged("it does not begin as a log segment does");
  std::memset(copy.data() + offsetof(SegmentHeader, checksum), 0, sizeof header.checksum);
  // The checksum before the version: a flipped bit in the version is damage, not another release's file.
  if (header.checksum != XXH3_64bits(copy.data(), copy.size())) return damaged("the header's checksum does not match");
  if (header.format_version != kLogFormatVersion)
    return Status{sqlstate::feature_not_supported,
                  "log segment \"" + path + "\" has format version " + std::to_string(header.format_version) +
                      ", this server reads version " + std::to_string(kLogFormatVersion)}
        .with_hint("Open the data directory with the release that wrote it.");
  if (header.segment != number) return damaged("the header names segment " + segment_name(header.segment));
  if (header.segment_bytes < kSegmentHeaderBytes || header.segment_bytes % kSectorBytes != 0)
    return damaged("the header states an impossible size");
  // Whoever restarts the log has synced everything before the new segment's end. Reading relies on it: later restarts
  // never begin before earlier ones.
  if (header.start_lsn == kContinues ? header.durable_lsn != 0 : header.durable_lsn < header.start_lsn)
    return damaged("the header's two LSNs contradict each other");
  return header;
}

FrameHeader make_frame_header(FrameKind kind, std::uint64_t segment, std::uint64_t offset, Lsn begin, Lsn durable,
                              std::size_t payload_bytes, std::uint64_t payload_hash, std::uint64_t seed) {
  FrameHeader header{};
  header.magic = kFrameMagic;
  header.format_version = static_cast<std::uint16_t>(kLogFormatVersion);
  header.kind = kind;
  header.begin_lsn = begin.bytes;
  header.durable_lsn = durable.bytes;
  header.segment = segment;
  header.offset = offset;
  header.payload_bytes = static_cast<std::uint32_t>(payload_bytes);
  header.payload_hash = payload_hash;
  header.checksum = frame_checksum(header, seed);
  return header;
}

std::uint64_t hash_payload(std::span<const char> first, std::span<const char> second) {
  if (second.empty()) return XXH3_64bits(first.data(), first.size());
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  XXH3_64bits_update(&state, first.data(), first.size());
  XXH3_64bits_update(&state, second.data(), second.size());
  return XXH3_64bits_digest(&state);
}

std::string_view frame_state_text(FrameState state) {
  switch (state) {
    case FrameState::kValid:
      return "the frame is valid";
    case FrameState::kZero:
      return "no frame was written";
    case FrameState::kBadHeader:
      return "the frame's header does not verify";
    case FrameState::kBadPayload:
      return "the frame's payload does not verify";
  }
  return "";
}

FrameState parse_frame(std::span<const char> segment, std::uint64_t number, std::uint64_t offset, std::uint64_t seed,
                       FrameView* view) {
  if (offset + kSectorBytes > segment.size()) return FrameState::kBadHeader;
  FrameHeader& header = view->header;
  std::memcpy(&header, segment.data() + offset, sizeof header);
  if (header.magic != kFrameMagic)
    return header.magic == 0 && is_zero(segment.subspan(offset, kSectorBytes)) ? FrameState::kZero
                                                                               : FrameState::kBadHeader;
  if (header.segment != number || header.offset != offset || header.checksum != frame_checksum(header, seed))
    return FrameState::kBadHeader;
  // From here on the header is one that a writer of this database wrote at this very place.
  if (header.format_version != kLogFormatVersion || header.durable_lsn > header.begin_lsn ||
      (header.kind != FrameKind::kData && header.kind != FrameKind::kMark) ||
      (header.kind == FrameKind::kMark) != (header.payload_bytes == 0))
    return FrameState::kBadHeader;
  if (header.payload_bytes > segment.size() - offset - sizeof header) return FrameState::kBadHeader;
  const std::span<const char> payload = segment.subspan(offset + sizeof header, header.payload_bytes);
  if (header.payload_hash != XXH3_64bits(payload.data(), payload.size())) return FrameState::kBadPayload;
  view->payload = payload;
  view->next_offset = offset + frame_bytes(header.payload_bytes);
  return FrameState::kValid;
}

std::uint64_t record_content_hash(const char* record, std::size_t total_bytes) {
  constexpr std::size_t kFixed = offsetof(RecordHeader, begin_lsn);
  const std::uint64_t fixed = XXH3_64bits(record, kFixed);
  return XXH3_64bits(record + sizeof(RecordHeader), total_bytes - sizeof(RecordHeader)) ^ (fixed << 32 | fixed >> 32);
}

const char* check_record(std::span<const char> available, Lsn begin, RecordHeader* header, bool* incomplete) {
  *incomplete = available.size() < sizeof(RecordHeader);
  if (*incomplete) return nullptr;
  std::memcpy(header, available.data(), sizeof *header);
  if (header->begin_lsn != begin.bytes) return "a record states another position than its own";
  if (header->total_bytes < sizeof(RecordHeader) || header->total_bytes > kMaxRecordBytes ||
      header->total_bytes % 8 != 0)
    return "a record states an impossible size";
  const std::size_t room = header->total_bytes - sizeof(RecordHeader);
  if (header->payload_bytes > room || room - header->payload_bytes >= 8)
    return "a record's two sizes contradict each other";
  if (header->kind != RecordKind::kCommit && header->kind != RecordKind::kPart) return "a record is of an unknown kind";
  *incomplete = available.size() < header->total_bytes;
  if (*incomplete) return nullptr;
  if (header->checksum != placed_checksum(record_content_hash(available.data(), header->total_bytes), begin))
    return "a record's checksum does not match";
  return nullptr;
}

}  // namespace wandian
