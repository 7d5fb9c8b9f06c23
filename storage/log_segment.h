// Segment files: how one comes to be, and which there are.
// Owns:    SegmentBuilder makes one segment under a temporary name, in slices; Segment is one open for appending.
// Thread:  each object belongs to one thread at a time; the builder's is the preparer's, a Segment is handed to the
//          writer.
// Invariants: a file with a segment's name is whole: its header, zeros and content were synced before the rename, so
//          whatever is wrong with a named file's header is damage.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/base/env.h"
#include "storage/log_format.h"

namespace wandian {

struct Segment {
  std::unique_ptr<File> file;
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;   ///< of file
  std::uint64_t offset = 0;  ///< where the next frame goes
  std::uint64_t room() const { return bytes - offset; }
};

class SegmentBuilder {
 public:
  /// @param header   its number, size, database and where it starts.
  /// @param content  frames that stand right after the header (recovery's rewrite); usually empty.
  SegmentBuilder(Env& env, std::string directory, const SegmentHeader& header, std::vector<char> content = {});

  /// One slice of the work: at most kSliceBytes of zeros and a sync. Returns true when the segment has its name.
  /// After an error the file under preparation is removed, as far as that works, and the next call starts anew.
  Result<bool> step();
  Status run();    ///< step() until it is done
  Segment take();  ///< after it is done

  static constexpr std::uint64_t kSliceBytes = 4u << 20;

 private:
  enum class Stage : std::uint8_t { kCreate, kFill, kHeader, kName, kDone };
  Status slice();

  Env& env_;
  const std::string directory_;
  const SegmentHeader header_;
  const std::vector<char> content_;
  Stage stage_ = Stage::kCreate;
  std::unique_ptr<File> file_;
  std::uint64_t filled_ = 0;
};

/// Numbers of the segments in a directory, ascending; removes files that were being prepared if `clean`.
Result<std::vector<std::uint64_t>> list_segments(Env& env, const std::string& directory, bool clean);

}  // namespace wandian
