// The bytes of the log on disk: segment headers, frames, records. storage/README.md describes them in a table.
// Owns:    layouts, hashes and the checks of one piece alone; what pieces mean together is recovery.h's.
// Thread:  pure functions of bytes.
// Errors:  everything read here came from a disk, so nothing here asserts: functions say what they found.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/env.h"
#include "storage/base/lsn.h"
#include "storage/log.h"

namespace wandian {

inline constexpr std::uint32_t kLogFormatVersion = 1;
inline constexpr std::uint64_t kSegmentMagic = 0x31474f4c444e4157u;  // "WANDLOG1", little-endian
inline constexpr std::uint32_t kFrameMagic = 0x4d524657u;            // "WFRM"
inline constexpr std::size_t kSegmentHeaderBytes = kSectorBytes;
inline constexpr std::size_t kMaxFrameBytes = 1u << 20;  ///< header, payload and padding
inline constexpr std::uint64_t kContinues =
    ~std::uint64_t{0};  ///< start_lsn of a segment that goes on where the last ended

using DatabaseId = std::array<std::uint8_t, 16>;

/// First sector of a segment, zero-padded. Written and synced before the file gets its name.
struct SegmentHeader {
  std::uint64_t magic;
  std::uint32_t format_version;
  std::uint32_t reserved;
  std::uint64_t checksum;       ///< XXH3 of the sector with this field 0; same place in every format version
  std::uint64_t segment;        ///< its number, as in its name
  std::uint64_t segment_bytes;  ///< of file
  DatabaseId database;
  std::uint64_t start_lsn;    ///< kContinues, or: the log goes on here, whatever older segments hold beyond it
  std::uint64_t durable_lsn;  ///< with start_lsn: all before it was durable when the file got its name; else 0
};
static_assert(sizeof(SegmentHeader) == 72, "on-disk layout: see storage/README.md");

enum class FrameKind : std::uint16_t {
  kData = 1,
  kMark = 2,  ///< no payload: only states the durable LSN
};

/// Before each frame's payload; frames begin at sector boundaries and are padded with zeros to the next.
struct FrameHeader {
  std::uint32_t magic;
  std::uint16_t format_version;
  FrameKind kind;
  std::uint64_t checksum;     ///< XXH3 of the header with this field 0, seeded with the database's identity
  std::uint64_t begin_lsn;    ///< of the payload's first byte
  std::uint64_t durable_lsn;  ///< on stable storage when the frame was written; <= begin_lsn
  std::uint64_t segment;
  std::uint64_t offset;  ///< in the segment file
  std::uint32_t payload_bytes;
  std::uint32_t reserved;
  std::uint64_t payload_hash;  ///< XXH3 of the payload
};
static_assert(sizeof(FrameHeader) == 64, "on-disk layout: see storage/README.md");

constexpr std::uint64_t round_to_sector(std::uint64_t bytes) {
  return (bytes + kSectorBytes - 1) & ~std::uint64_t{kSectorBytes - 1};
}
/// What a frame of `payload` bytes takes of the file.
constexpr std::uint64_t frame_bytes(std::uint64_t payload) { return round_to_sector(sizeof(FrameHeader) + payload); }

std::string segment_name(std::uint64_t number);  ///< "%016llx.wal"
std::string segment_path(const std::string& directory, std::uint64_t number);
/// A segment that is being prepared; recovery removes what it finds of these.
std::string preparing_name(std::uint64_t number);  ///< "%016llx.new"
std::optional<std::uint64_t> parse_segment_name(std::string_view name);
bool is_preparing_name(std::string_view name);

/// The seed of every frame's checksum.
std::uint64_t identity_seed(const DatabaseId& database);

/// Fills in magic, version and checksum, and returns the sector.
std::array<char, kSegmentHeaderBytes> encode_segment_header(SegmentHeader header);
/// @param sector  the file's first bytes. Errors: data_corrupted; feature_not_supported for another format version,
///                naming both.
Result<SegmentHeader> decode_segment_header(std::span<const char> sector, std::uint64_t number,
                                            const std::string& path);

/// @param payload_hash  XXH3 of the payload, which may lie in two pieces in the ring.
FrameHeader make_frame_header(FrameKind kind, std::uint64_t segment, std::uint64_t offset, Lsn begin, Lsn durable,
                              std::size_t payload_bytes, std::uint64_t payload_hash, std::uint64_t seed);
std::uint64_t hash_payload(std::span<const char> first, std::span<const char> second);

enum class FrameState : std::uint8_t { kValid, kZero, kBadHeader, kBadPayload };
std::string_view frame_state_text(FrameState state);
struct FrameView {
  FrameHeader header;
  std::span<const char> payload;
  std::uint64_t next_offset;
};
/// Looks at `offset` of a segment's bytes. `view` is filled for kValid, its header also for kBadPayload: that header
/// was written whole, so what it states of the durable LSN holds even where its payload was torn.
FrameState parse_frame(std::span<const char> segment, std::uint64_t number, std::uint64_t offset, std::uint64_t seed,
                       FrameView* view);

/// Hash of a record's kind, sizes, transaction and payload with padding: everything but its place.
std::uint64_t record_content_hash(const char* record, std::size_t total_bytes);
/// Why a record that should begin at `begin` is not one, or nullptr. `available` bytes are there; fewer than
/// total_bytes (or than a header) leaves the rest unchecked and sets *incomplete.
const char* check_record(std::span<const char> available, Lsn begin, RecordHeader* header, bool* incomplete);

}  // namespace wandian
