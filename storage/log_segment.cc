#include "storage/log_segment.h"

#include <algorithm>

namespace wandian {

SegmentBuilder::SegmentBuilder(Env& env, std::string directory, const SegmentHeader& header, std::vector<char> content)
    : env_(env), directory_(std::move(directory)), header_(header), content_(std::move(content)) {
  DB_ASSERT(kSegmentHeaderBytes + content_.size() <= header_.segment_bytes);
  DB_ASSERT(content_.size() % kSectorBytes == 0 && header_.segment_bytes % kSectorBytes == 0);
}

Result<bool> SegmentBuilder::step() {
  DB_ASSERT(stage_ != Stage::kDone);
  Status status = slice();
  if (status.ok()) return stage_ == Stage::kDone;
  file_.reset();
  filled_ = 0;
  stage_ = Stage::kCreate;
  // What cannot be removed now is emptied by the next attempt or removed by recovery.
  static_cast<void>(env_.files().remove(directory_ + "/" + preparing_name(header_.segment)));
  return status;
}

Status SegmentBuilder::slice() {
  switch (stage_) {
    case Stage::kCreate: {
      WANDIAN_ASSIGN(file_, env_.files().open(directory_ + "/" + preparing_name(header_.segment), OpenMode::kCreate));
      WANDIAN_TRY(file_->allocate(header_.segment_bytes));
      stage_ = Stage::kFill;
      return {};
    }
    case Stage::kFill: {
      // Allocated blocks alone would not do: the first write into each is a change of metadata, which every fdatasync
      //                                      of a
      // group would have to journal. Synced slice by slice, so that no group's sync finds a whole segment of dirty
      // zeros.
      static constexpr std::size_t kPieceBytes = 64 * 1024;
      static constexpr char kZeros[kPieceBytes] = {};
      const std::uint64_t end = std::min(filled_ + kSliceBytes, header_.segment_bytes);
      std::vector<std::span<const char>> pieces;
      for (std::uint64_t at = filled_; at < end; at += kPieceBytes)
        pieces.emplace_back(kZeros, static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, end - at)));
      WANDIAN_TRY(file_->write(pieces, filled_));
      WANDIAN_TRY(file_->sync());
      filled_ = end;
      if (filled_ == header_.segment_bytes) stage_ = Stage::kHeader;
      return {};
    }
    case Stage::kHeader: {
      const std::array<char, kSegmentHeaderBytes> sector = encode_segment_header(header_);
      const std::span<const char> pieces[] = {sector, content_};
      WANDIAN_TRY(file_->write(pieces, 0));
      WANDIAN_TRY(file_->sync());
      stage_ = Stage::kName;
      return {};
    }
    case Stage::kName: {
      WANDIAN_TRY(env_.files().rename(directory_ + "/" + preparing_name(header_.segment),
                                      segment_path(directory_, header_.segment)));
      WANDIAN_TRY(env_.files().sync_directory(directory_));
      // Opened again by the name that errors are to show.
      WANDIAN_ASSIGN(file_, env_.files().open(segment_path(directory_, header_.segment), OpenMode::kWrite));
      stage_ = Stage::kDone;
      return {};
    }
    case Stage::kDone:
      break;
  }
  return {};
}

Status SegmentBuilder::run() {
  for (;;) {
    WANDIAN_ASSIGN(const bool done, step());
    if (done) return {};
  }
}

Segment SegmentBuilder::take() {
  DB_ASSERT(stage_ == Stage::kDone && file_ != nullptr);
  return Segment{std::move(file_), header_.segment, header_.segment_bytes, kSegmentHeaderBytes + content_.size()};
}

Result<std::vector<std::uint64_t>> list_segments(Env& env, const std::string& directory, bool clean) {
  WANDIAN_ASSIGN(const std::vector<std::string> names, env.files().list(directory));
  std::vector<std::uint64_t> numbers;
  for (const std::string& name : names) {
    if (const std::optional<std::uint64_t> number = parse_segment_name(name)) numbers.push_back(*number);
    if (clean && is_preparing_name(name)) WANDIAN_TRY(env.files().remove(directory + "/" + name));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace wandian
