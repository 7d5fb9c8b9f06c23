// Reading records out of the byte stream that frames carry.
// Owns:    RecordAssembler: the bytes of the record that is not yet whole, and the parts of transactions not yet
//          committed.
// Thread:  one.
// Errors:  frames were verified before, so a record that does not verify is damage, never a torn tail: data_corrupted
//          with file, offset and LSN.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/log.h"

namespace wandian {

class RecordAssembler {
 public:
  /// @param start        where a record begins: of the bytes fed.
  /// @param replay_from  commits at or before it are read and verified but not applied.
  RecordAssembler(LogApplier& applier, Lsn start, Lsn replay_from)
      : applier_(applier), position_(start), replay_from_(replay_from) {}

  /// The next bytes of the log; every record that is whole now is verified and, if it completes a transaction, applied.
  /// @param path, offset  where these bytes stand, for errors.
  Status feed(std::span<const char> bytes, const std::string& path, std::uint64_t offset);

  Lsn record_end() const { return position_; }                 ///< the end of the last whole record
  std::size_t partial_bytes() const { return carry_.size(); }  ///< of a record begun and not whole
  std::uint64_t records() const { return records_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Status parse(std::span<const char> bytes, const std::string& path, std::uint64_t offset, std::size_t* used);
  Status deliver(const RecordHeader& header, std::span<const char> payload, const std::string& path,
                 std::uint64_t offset);

  LogApplier& applier_;
  Lsn position_;
  const Lsn replay_from_;
  std::vector<char> carry_;
  std::string carry_path_;
  std::uint64_t carry_offset_ = 0;
  std::unordered_map<std::uint64_t, std::vector<std::vector<char>>> parts_;
  std::vector<std::span<const char>> payloads_;  // scratch
  std::uint64_t records_ = 0, bytes_ = 0;
};

}  // namespace wandian
