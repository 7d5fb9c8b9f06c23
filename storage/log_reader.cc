#include "storage/log_reader.h"

#include "storage/log_format.h"

namespace wandian {

Status RecordAssembler::feed(std::span<const char> bytes, const std::string& path, std::uint64_t offset) {
  std::size_t used = 0;
  if (carry_.empty()) {
    WANDIAN_TRY(parse(bytes, path, offset, &used));
    if (used < bytes.size()) {
      carry_path_ = path;
      carry_offset_ = offset + used;
      carry_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(used), bytes.end());
    }
    return {};
  }
  // A record that spans frames: only its own bytes are copied together, the rest is read in place.
  RecordHeader header;
  const auto take = [&](std::size_t wanted) {
    const std::size_t more = carry_.size() < wanted ? std::min(wanted - carry_.size(), bytes.size() - used) : 0;
    carry_.insert(carry_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(used),
                  bytes.begin() + static_cast<std::ptrdiff_t>(used + more));
    used += more;
    return carry_.size() >= wanted;
  };
  if (!take(sizeof header)) return {};
  std::memcpy(&header, carry_.data(), sizeof header);
  const std::size_t whole =
      std::min<std::size_t>(std::max<std::size_t>(header.total_bytes, sizeof header), kMaxRecordBytes);
  if (!take(whole)) return {};
  std::size_t carried = 0;
  WANDIAN_TRY(parse(carry_, carry_path_, carry_offset_, &carried));
  DB_ASSERT(carried == carry_.size());
  carry_.clear();
  return feed(bytes.subspan(used), path, offset + used);
}

Status RecordAssembler::parse(std::span<const char> bytes, const std::string& path, std::uint64_t offset,
                              std::size_t* used) {
  *used = 0;
  while (*used < bytes.size()) {
    RecordHeader header;
    bool incomplete;
    const std::span<const char> rest = bytes.subspan(*used);
    if (const char* reason = check_record(rest, position_, &header, &incomplete))
      return Status{sqlstate::data_corrupted, "log segment \"" + path + "\" is damaged at offset " +
                                                  std::to_string(offset + *used) + ", LSN " + to_string(position_) +
                                                  ": " + reason};
    if (incomplete) return {};
    position_.bytes += header.total_bytes;
    ++records_;
    bytes_ += header.total_bytes;
    WANDIAN_TRY(deliver(header, rest.subspan(sizeof header, header.payload_bytes), path, offset + *used));
    *used += header.total_bytes;
  }
  return {};
}

Status RecordAssembler::deliver(const RecordHeader& header, std::span<const char> payload, const std::string& path,
                                std::uint64_t offset) {
  if (header.kind == RecordKind::kPart) {
    parts_[header.transaction].emplace_back(payload.begin(), payload.end());
    return {};
  }
  const auto found = parts_.find(header.transaction);
  const std::size_t there = found == parts_.end() ? 0 : found->second.size();
  if (position_ > replay_from_) {
    // More parts than the commit names: the first ones are left from a transaction that had this number before and was
    // rolled back, or cut off by a crash.
    if (there < header.part_count)
      return Status{sqlstate::data_corrupted, "log segment \"" + path + "\" is damaged at offset " +
                                                  std::to_string(offset) + ": the commit record that ends at LSN " +
                                                  to_string(position_) + " names " + std::to_string(header.part_count) +
                                                  " parts, the log holds " + std::to_string(there)};
    payloads_.clear();
    for (std::size_t i = there - header.part_count; i < there; ++i) payloads_.emplace_back(found->second[i]);
    payloads_.push_back(payload);
    WANDIAN_TRY(applier_.apply(position_, header.transaction, payloads_));
  }
  if (found != parts_.end()) parts_.erase(found);
  return {};
}

}  // namespace wandian
