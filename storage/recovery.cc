#include "storage/recovery.h"

#include <algorithm>

#include "storage/log_reader.h"

namespace wandian {
namespace {

struct SegmentOnDisk {
  std::uint64_t number = 0;
  std::string path;
  SegmentHeader header;
  bool restarts() const { return header.start_lsn != kContinues; }
};

/// Used again for each segment: fresh memory would cost a page fault for every 4 KiB of log.
struct Buffer {
  std::unique_ptr<char[]> data;
  std::size_t capacity = 0;
};

Result<SegmentOnDisk> read_header(Env& env, const std::string& directory, std::uint64_t number) {
  SegmentOnDisk segment;
  segment.number = number;
  segment.path = segment_path(directory, number);
  WANDIAN_ASSIGN(const std::unique_ptr<File> file, env.files().open(segment.path, OpenMode::kRead));
  std::array<char, kSegmentHeaderBytes> sector;
  WANDIAN_ASSIGN(const std::size_t got, file->read(sector.data(), sector.size(), 0));
  WANDIAN_ASSIGN(segment.header, decode_segment_header(std::span(sector.data(), got), number, segment.path));
  return segment;
}

Result<std::span<const char>> read_bytes(Env& env, const SegmentOnDisk& segment, Buffer* buffer) {
  WANDIAN_ASSIGN(const std::unique_ptr<File> file, env.files().open(segment.path, OpenMode::kRead));
  const std::uint64_t wanted = segment.header.segment_bytes;
  WANDIAN_ASSIGN(const std::uint64_t size, file->size());
  // The size was synced before the file got its name.
  if (size < wanted)
    return Status{sqlstate::data_corrupted, "log segment \"" + segment.path + "\" is damaged at offset " +
                                                std::to_string(size) + ": the file ends there, its header states " +
                                                std::to_string(wanted) + " bytes"};
  if (buffer->capacity < wanted) {
    buffer->data = std::make_unique_for_overwrite<char[]>(wanted);
    buffer->capacity = wanted;
  }
  WANDIAN_ASSIGN(const std::size_t got, file->read(buffer->data.get(), wanted, 0));
  if (got < wanted) return Status{sqlstate::io_error, "could not read all of \"" + segment.path + "\""};
  return std::span<const char>(buffer->data.get(), wanted);
}

class Recovery {
 public:
  Recovery(Env& env, const LogOptions& options, LogApplier& applier, RecoveryReport& report)
      : env_(env),
        options_(options),
        applier_(applier),
        report_(report),
        read_start_(options.read_from == Lsn{} ? options.replay_from : options.read_from) {}

  Result<RecoveredLog> run() {
    WANDIAN_TRY(env_.files().create_directory(options_.directory));
    WANDIAN_TRY(read_headers());
    if (!segments_.empty()) WANDIAN_TRY(read_log());
    WANDIAN_TRY(check_ends());
    WANDIAN_TRY(rewrite());
    fill_report();
    return std::move(result_);
  }

 private:
  Status read_headers() {
    WANDIAN_ASSIGN(const std::vector<std::uint64_t> numbers, list_segments(env_, options_.directory, true));
    for (const std::uint64_t number : numbers) {
      WANDIAN_ASSIGN(SegmentOnDisk segment, read_header(env_, options_.directory, number));
      if (!segments_.empty() && segment.header.database != segments_[0].header.database)
        return Status{
            sqlstate::data_corrupted,
            "log segment \"" + segment.path + "\" belongs to another database than \"" + segments_[0].path + "\""};
      if (segment.restarts()) proved_ = std::max(proved_, Lsn{segment.header.durable_lsn});
      segments_.push_back(std::move(segment));
    }
    if (segments_.empty()) {
      env_.entropy(result_.database.data(), result_.database.size());
    } else {
      result_.database = segments_[0].header.database;
    }
    seed_ = identity_seed(result_.database);
    return {};
  }

  /// Where the nearest later restart takes over from segment `index`.
  Lsn superseded_from(std::size_t index) const {
    for (std::size_t i = index + 1; i < segments_.size(); ++i)
      if (segments_[i].restarts()) return Lsn{segments_[i].header.start_lsn};
    return kLsnMax;
  }

  Status read_log() {
    for (std::size_t i = 0; i < segments_.size() && !ended_; ++i) {
      const SegmentOnDisk& segment = segments_[i];
      if (segment.restarts()) {
        WANDIAN_TRY(begin_at_restart(segment));
      } else if (started_ && next_ >= superseded_from(i)) {
        continue;
      } else if (i > 0 && segments_[i - 1].number + 1 != segment.number) {
        return Status{sqlstate::data_corrupted, "log segment \"" +
                                                    segment_path(options_.directory, segment.number - 1) +
                                                    "\" is missing; LSN " + to_string(next_) + " should be in it"};
      }
      if (segment.restarts() && next_ >= superseded_from(i)) {
        result_.segments.push_back({segment.number, next_});
        continue;
      }
      WANDIAN_ASSIGN(const std::span<const char> bytes, read_bytes(env_, segment, &reading_));
      WANDIAN_TRY(read_segment(i, bytes));
    }
    return {};
  }

  Status begin_at_restart(const SegmentOnDisk& segment) {
    const Lsn start{segment.header.start_lsn};
    if (!started_) return begin(start);
    if (next_ == start && assembler_->partial_bytes() == 0) return {};
    // All before a restart was durable when the segment got its name.
    return Status{sqlstate::data_corrupted, "the log is damaged at " + end_place() + ", LSN " + to_string(next_) +
                                                ": log segment \"" + segment.path + "\" goes on at LSN " +
                                                to_string(start)};
  }

  /// @param first  the log's first byte that is there. A segment may begin within a record, so records are read from
  ///               where the checkpoint says that one begins.
  Status begin(Lsn first) {
    started_ = true;
    first_ = next_ = unproved_begin_ = first;
    assembler_.emplace(applier_, read_start_, options_.replay_from);
    if (first <= read_start_) return {};
    return Status{sqlstate::data_corrupted, "the log in \"" + options_.directory + "\" begins at LSN " +
                                                to_string(first) + ", but it is needed from LSN " +
                                                to_string(read_start_)};
  }

  Status read_segment(std::size_t index, std::span<const char> bytes) {
    const SegmentOnDisk& segment = segments_[index];
    const Lsn stop = superseded_from(index);
    std::uint64_t offset = kSegmentHeaderBytes;
    bool counted = segment.restarts();
    if (counted) result_.segments.push_back({segment.number, next_});
    while (offset < bytes.size() && next_ < stop) {
      FrameView frame;
      FrameState state = parse_frame(bytes, segment.number, offset, seed_, &frame);
      if (state == FrameState::kValid && !started_) {
        // The oldest segment left after older ones were released: its first frame says where the log begins.
        WANDIAN_TRY(begin(Lsn{frame.header.begin_lsn}));
      }
      if (!started_)
        return Status{sqlstate::data_corrupted, "log segment \"" + segment.path +
                                                    "\", the oldest, is damaged at offset " + std::to_string(offset) +
                                                    ": " + std::string(frame_state_text(state))};
      if (state != FrameState::kValid || frame.header.begin_lsn != next_.bytes) {
        std::optional<std::uint64_t> resume;
        WANDIAN_TRY(judge(index, bytes, offset, state, &resume));
        if (ended_) return {};
        if (!resume) return {};  // goes on in a later segment
        offset = *resume;
        continue;
      }
      if (!counted) result_.segments.push_back({segment.number, next_});
      counted = true;
      WANDIAN_TRY(accept(segment, offset, frame));
      offset = frame.next_offset;
    }
    return {};
  }

  /// Where the last frame that counts ends.
  std::string end_place() const {
    return "\"" + (last_path_.empty() ? options_.directory : last_path_) + "\", offset " + std::to_string(last_offset_);
  }

  Status accept(const SegmentOnDisk& segment, std::uint64_t offset, const FrameView& frame) {
    const std::uint64_t skipped =
        next_ < read_start_ ? std::min<std::uint64_t>(read_start_.bytes - next_.bytes, frame.payload.size()) : 0;
    WANDIAN_TRY(assembler_->feed(frame.payload.subspan(skipped), segment.path, offset + sizeof(FrameHeader) + skipped));
    unproved_.insert(unproved_.end(), frame.payload.begin(), frame.payload.end());
    next_.bytes += frame.payload.size();
    last_path_ = segment.path;
    last_offset_ = frame.next_offset;
    raise_proved(Lsn{frame.header.durable_lsn});
    return {};
  }

  /// Keeps of the bytes read only those that are not proved durable: about two groups.
  void raise_proved(Lsn durable) {
    proved_ = std::max(proved_, durable);
    if (proved_ <= unproved_begin_) return;
    const std::uint64_t drop = std::min<std::uint64_t>(proved_.bytes - unproved_begin_.bytes, unproved_.size());
    unproved_.erase(unproved_.begin(), unproved_.begin() + static_cast<std::ptrdiff_t>(drop));
    unproved_begin_.bytes += drop;
  }

  /// Something other than the next frame stands at `offset`: the end of the log, a torn tail, a lost mark, or damage.
  Status judge(std::size_t index, std::span<const char> bytes, std::uint64_t offset, FrameState state,
               std::optional<std::uint64_t>* resume) {
    Lsn stated = proved_;
    std::uint64_t later_frames = 0;
    bool resumes_later = false;
    const auto look = [&](std::size_t i, std::span<const char> content, std::uint64_t from) {
      for (std::uint64_t at = from; at + kSectorBytes <= content.size(); at += kSectorBytes) {
        FrameView later;
        const FrameState found = parse_frame(content, segments_[i].number, at, seed_, &later);
        if (found != FrameState::kValid && found != FrameState::kBadPayload) continue;
        ++later_frames;
        stated = std::max(stated, Lsn{later.header.durable_lsn});
        if (found == FrameState::kValid && later.header.begin_lsn == next_.bytes && !resumes_later) {
          resumes_later = true;
          if (i == index) *resume = at;
        }
      }
    };
    look(index, bytes, offset + kSectorBytes);
    // No restart is ahead: it would have stopped the reading before, or proved more durable than this.
    for (std::size_t i = index + 1; i < segments_.size() && stated <= next_; ++i) {
      if (segments_[i].restarts()) break;
      WANDIAN_ASSIGN(const std::span<const char> content, read_bytes(env_, segments_[i], &looking_));
      look(i, content, kSegmentHeaderBytes);
    }
    const std::string place =
        "\"" + segments_[index].path + "\", offset " + std::to_string(offset) + ", LSN " + to_string(next_);
    std::string reason{frame_state_text(state)};
    if (state == FrameState::kValid) reason = "the frame belongs to a later LSN";
    if (stated > next_)
      return Status{sqlstate::data_corrupted, "log segment " + place + " is damaged: " + reason}.with_detail(
          "The log states that everything before LSN " + to_string(stated) + " was on stable storage.");
    if (resumes_later) return {};
    ended_ = true;
    if (state == FrameState::kZero && later_frames == 0 && assembler_->partial_bytes() == 0) return {};
    report_.tail_cut = true;
    report_.cut_description =
        "the log ends at LSN " + to_string(assembler_->record_end()) + ": " + place + ": " + reason;
    if (assembler_->partial_bytes() > 0)
      report_.cut_description +=
          "; " + std::to_string(assembler_->partial_bytes()) + " bytes of an unfinished record were dropped";
    if (later_frames > 0)
      report_.cut_description +=
          "; " + std::to_string(later_frames) + " later frames that were never durable were dropped";
    return {};
  }

  Status check_ends() {
    if (!started_) {
      if (!segments_.empty())
        return Status{sqlstate::data_corrupted, "the log in \"" + options_.directory + "\" has no beginning"};
      WANDIAN_TRY(begin(Lsn{}));
    }
    if (proved_ > assembler_->record_end())
      return Status{sqlstate::data_corrupted, "the log ends at LSN " + to_string(assembler_->record_end()) + ", " +
                                                  end_place() + ", but states that LSN " + to_string(proved_) +
                                                  " was on stable storage"};
    if (next_ > assembler_->record_end() && !report_.tail_cut) {
      report_.tail_cut = true;
      report_.cut_description = "the log ends at LSN " + to_string(assembler_->record_end()) + ": " + end_place() +
                                ": the segment ends within a record";
    }
    // A checkpoint is only made of what was durable.
    if (options_.replay_from <= next_ && read_start_ <= next_) return {};
    return Status{sqlstate::data_corrupted, "the log in \"" + options_.directory + "\" ends at LSN " +
                                                to_string(next_) + ", but its checkpoint is at LSN " +
                                                to_string(options_.replay_from)};
  }

  std::vector<char> encode_frames(std::uint64_t number, Lsn start, std::span<const char> bytes) const {
    std::vector<char> content;
    while (!bytes.empty()) {
      const std::span<const char> payload = bytes.first(std::min(bytes.size(), kMaxFrameBytes - sizeof(FrameHeader)));
      const std::size_t at = content.size();
      const FrameHeader header =
          make_frame_header(FrameKind::kData, number, kSegmentHeaderBytes + at, start, std::min(start, proved_),
                            payload.size(), hash_payload(payload, {}), seed_);
      content.resize(at + frame_bytes(payload.size()));
      std::memcpy(content.data() + at, &header, sizeof header);
      std::memcpy(content.data() + at + sizeof header, payload.data(), payload.size());
      bytes = bytes.subspan(payload.size());
      start.bytes += payload.size();
    }
    return content;
  }

  Status rewrite() {
    const Lsn end = assembler_->record_end();
    raise_proved(proved_);
    const Lsn start = unproved_begin_;          // proved_, or where the log begins
    unproved_.resize(end.bytes - start.bytes);  // without the record that is cut off
    SegmentHeader header{};
    header.segment = segments_.empty() ? 1 : segments_.back().number + 1;
    header.database = result_.database;
    header.start_lsn = start.bytes;
    header.durable_lsn = end.bytes;
    std::vector<char> content = encode_frames(header.segment, start, unproved_);
    header.segment_bytes = std::max<std::uint64_t>(options_.segment_bytes, kSegmentHeaderBytes + content.size());
    SegmentBuilder builder(env_, options_.directory, header, std::move(content));
    WANDIAN_TRY(builder.run());
    result_.current = builder.take();
    result_.end = end;
    remove_superseded(start);
    result_.segments.push_back({header.segment, start});
    return {};
  }

  /// Segments that hold nothing before the restart are void. If one stays or comes back, reading skips it.
  void remove_superseded(Lsn start) {
    std::erase_if(result_.segments, [&](const SegmentStart& segment) { return segment.begin >= start; });
    for (const SegmentOnDisk& segment : segments_) {
      const bool kept = std::any_of(result_.segments.begin(), result_.segments.end(),
                                    [&](const SegmentStart& other) { return other.number == segment.number; });
      if (!kept) static_cast<void>(env_.files().remove(segment.path));
    }
  }

  void fill_report() {
    report_.end = result_.end;
    report_.proved_durable = proved_;
    report_.records = assembler_->records();
    report_.bytes = assembler_->bytes();
  }

  Env& env_;
  const LogOptions& options_;
  LogApplier& applier_;
  RecoveryReport& report_;
  const Lsn read_start_;
  RecoveredLog result_;
  std::vector<SegmentOnDisk> segments_;
  Buffer reading_, looking_;
  std::uint64_t seed_ = 0;
  std::optional<RecordAssembler> assembler_;
  bool started_ = false;
  bool ended_ = false;
  Lsn first_, next_;  ///< of the log that is there; next_ also counts the bytes of an unfinished record
  Lsn proved_;        ///< on stable storage by somebody's word
  Lsn unproved_begin_;
  std::vector<char> unproved_;  ///< the log from unproved_begin_ to next_
  std::string last_path_;         ///< of the last frame that was accepted
  std::uint64_t last_offset_ = 0;  ///< its end
};

}  // namespace

Result<RecoveredLog> recover_log(Env& env, const LogOptions& options, LogApplier& applier, RecoveryReport* report) {
  *report = RecoveryReport{};
  return Recovery(env, options, applier, *report).run();
}

}  // namespace wandian
