// Torn tail or damage, the rewrite, and what a crash may do to it.
#include "storage/recovery.h"

#include <gtest/gtest.h>

#include "tests/storage/log_test_util.h"

namespace wandian {
namespace {

class RecoveryTest : public testing::Test {
 protected:
  void open() {
    commits.clear();
    CollectingApplier applier;
    Result<std::unique_ptr<Log>> opened = Log::open(env, options, applier, &report);
    status = opened.status().clone();
    if (opened.ok()) log = opened.take();
    for (const AppliedCommit& commit : applier.commits) commits.push_back(commit.content);
  }
  void close() { log.reset(); }
  /// One commit, one group; `mark` as after idleness.
  Lsn group(const std::string& content, bool mark = false) {
    const Lsn lsn = commit_record(*log, 0, content);
    settle(*log);
    if (mark) {
      env.advance(2000);
      settle(*log);
    }
    return lsn;
  }
  std::string first_segment() const { return segment_path(options.directory, 1); }
  /// Offset of the n-th frame of a segment.
  std::uint64_t frame_at(const std::string& path, int n) const {
    const std::string content = env.content(path);
    std::uint64_t at = kSegmentHeaderBytes;
    for (;; --n) {
      FrameHeader header;
      std::memcpy(&header, content.data() + at, sizeof header);
      EXPECT_EQ(header.magic, kFrameMagic);
      if (n == 0 || header.magic != kFrameMagic) return at;
      at += frame_bytes(header.payload_bytes);
    }
  }
  void flip(const std::string& path, std::uint64_t offset) { env.flip_bit(path, offset * 8 + 3); }

  SimEnv env{7};
  LogOptions options = small_log();
  std::unique_ptr<Log> log;
  RecoveryReport report;
  Status status;
  std::vector<std::string> commits;
};

using Strings = std::vector<std::string>;

TEST_F(RecoveryTest, AFrameThatLaterFramesCallDurableIsDamageWithFileOffsetAndLsn) {
  open();
  const Lsn a = group("a");
  group("b");
  group("c");
  close();
  const std::uint64_t at = frame_at(first_segment(), 1);
  flip(first_segment(), at + 80);
  open();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), sqlstate::data_corrupted);
  const std::string message = status.error().message;
  EXPECT_NE(message.find("\"" + first_segment() + "\""), std::string::npos) << message;
  EXPECT_NE(message.find("offset " + std::to_string(at)), std::string::npos) << message;
  EXPECT_NE(message.find("LSN " + to_string(a)), std::string::npos) << message;
  flip(first_segment(), at + 80);
  open();
  EXPECT_EQ(commits, (Strings{"a", "b", "c"}));
}

TEST_F(RecoveryTest, ACommitWithoutItsPartsIsDamageWithFileAndOffset) {
  open();
  group("a");
  RecordBuffer record = make_record("b", RecordKind::kCommit, 5, 2);
  log->commit(0, record, [](Lsn) {});
  settle(*log);
  close();
  open();
  ASSERT_EQ(status.code(), sqlstate::data_corrupted);
  const std::string message = status.error().message;
  const std::uint64_t at = frame_at(first_segment(), 1) + sizeof(FrameHeader);
  EXPECT_NE(message.find("\"" + first_segment() + "\" is damaged at offset " + std::to_string(at)), std::string::npos)
      << message;
  EXPECT_NE(message.find("names 2 parts"), std::string::npos) << message;
}

TEST_F(RecoveryTest, DamageInTheLastGroupIsToldFromATornTailOnceItsMarkIsThere) {
  open();
  group("a");
  group("b", true);
  close();
  flip(first_segment(), frame_at(first_segment(), 1) + 80);
  open();
  EXPECT_EQ(status.code(), sqlstate::data_corrupted);
}

TEST_F(RecoveryTest, ATornTailIsCutAndTheReportSaysWhereAndWhy) {
  open();
  const Lsn a = group("a");
  group("b");
  close();
  const std::uint64_t at = frame_at(first_segment(), 1);
  flip(first_segment(), at + 80);
  open();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(commits, Strings{"a"});
  EXPECT_EQ(report.end, a);
  EXPECT_TRUE(report.tail_cut);
  EXPECT_NE(report.cut_description.find(first_segment()), std::string::npos) << report.cut_description;
  EXPECT_NE(report.cut_description.find("offset " + std::to_string(at)), std::string::npos) << report.cut_description;
  EXPECT_NE(report.cut_description.find("payload does not verify"), std::string::npos) << report.cut_description;
  // The log goes on in another segment, and what was cut stays cut.
  group("c", true);
  close();
  open();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(commits, (Strings{"a", "c"}));
  EXPECT_FALSE(report.tail_cut);
}

TEST_F(RecoveryTest, ALaterFrameThatIsValidButNeverDurableDoesNotMakeATornTailDamage) {
  open();
  group("a");
  for (int i = 0; i < 24; ++i) group(std::string(2000, 'f'));
  // One group of two frames: the segment has room for 3072 bytes more.
  for (int i = 0; i < 4; ++i) commit_record(*log, 0, std::string(3000, 'x'));
  log->step();
  close();
  const std::uint64_t torn = frame_at(first_segment(), 25);
  ASSERT_EQ(torn + 3072, options.segment_bytes);
  ASSERT_EQ(frame_at(segment_path(options.directory, 2), 0), kSegmentHeaderBytes);
  flip(first_segment(), torn + 100);
  open();
  EXPECT_TRUE(status.ok());
  EXPECT_TRUE(report.tail_cut);
  EXPECT_NE(report.cut_description.find("later frames"), std::string::npos) << report.cut_description;
  EXPECT_EQ(commits.size(), 25u);
}

TEST_F(RecoveryTest, ALostMarkLosesNothing) {
  open();
  group("a", true);
  const Lsn b = group("b");
  close();
  flip(first_segment(), frame_at(first_segment(), 1) + 20);  // the mark; b's frame states no more than it did
  open();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(commits, (Strings{"a", "b"}));
  EXPECT_EQ(report.end, b);
}

TEST_F(RecoveryTest, ACleanEndIsNotACutTail) {
  open();
  group("a", true);
  close();
  open();
  EXPECT_FALSE(report.tail_cut) << report.cut_description;
  EXPECT_EQ(report.proved_durable, report.end);
}

TEST_F(RecoveryTest, RecoveredIsDurable) {
  for (std::uint64_t seed = 1; seed < 100; ++seed) {
    SimEnv disk(seed);
    std::vector<AppliedCommit> first;
    CollectingApplier applier;
    {
      log = Log::open(disk, options, applier, &report).take();
      commit_record(*log, 0, "a");
      settle(*log);
      commit_record(*log, 0, "b");
      disk.inject(SimEnv::Fault::kSyncFailure, 1);
      log->step();  // b may be nowhere, in the cache alone, or on the disk
      ASSERT_TRUE(disk.dead());
      log.reset();
      disk.inject_none();
      disk.restart();
    }
    {
      CollectingApplier seen;
      log = Log::open(disk, options, seen, &report).take();
      first = seen.commits;
      log.reset();
    }
    disk.crash();
    disk.restart();
    CollectingApplier again;
    log = Log::open(disk, options, again, &report).take();
    EXPECT_TRUE(again.commits == first) << "seed " << seed;
    EXPECT_GE(first.size(), 1u);
    log.reset();
  }
}

TEST_F(RecoveryTest, ACrashAtAnyCallOfTheRewriteLosesAndDoublesNothing) {
  for (std::uint64_t call = 1; call < 60; ++call) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      SimEnv disk(seed * 1000 + call);
      CollectingApplier applier;
      log = Log::open(disk, options, applier, &report).take();
      settle(*log);
      for (int i = 0; i < 30; ++i) {
        commit_record(*log, 0, std::string(2500, static_cast<char>('a' + i % 26)));
        log->step();
      }
      log.reset();
      disk.kill();
      disk.restart();
      disk.die_within_call(call);
      {
        CollectingApplier ignored;
        Result<std::unique_ptr<Log>> opened = Log::open(disk, options, ignored, &report);
        if (!opened.ok()) {
          EXPECT_EQ(opened.status().code(), sqlstate::io_error) << opened.status().error().message;
        }
      }
      disk.crash();
      disk.restart();
      CollectingApplier again;
      Result<std::unique_ptr<Log>> opened = Log::open(disk, options, again, &report);
      ASSERT_TRUE(opened.ok()) << opened.status().error().message;
      EXPECT_EQ(again.commits.size(), 30u) << "call " << call << " seed " << seed;
    }
  }
}

TEST_F(RecoveryTest, ManyRestartsLeaveFewFiles) {
  open();
  group("a", true);
  for (int i = 0; i < 20; ++i) {
    close();
    open();
    ASSERT_TRUE(status.ok());
    settle(*log);
  }
  EXPECT_EQ(commits, Strings{"a"});
  EXPECT_LE(env.files().list(options.directory)->size(), 3u);
}

TEST_F(RecoveryTest, AnotherFormatVersionIsRefusedNamingBoth) {
  open();
  group("a", true);
  close();
  SegmentHeader header = decode_segment_header(env.content(first_segment()), 1, "x").take();
  header.format_version = 7;
  header.checksum = 0;
  std::string sector(kSegmentHeaderBytes, '\0');
  std::memcpy(sector.data(), &header, sizeof header);
  header.checksum = hash_payload(sector, {});
  std::memcpy(sector.data(), &header, sizeof header);
  const std::string saved = env.content(first_segment()).substr(0, kSegmentHeaderBytes);
  env.overwrite(first_segment(), 0, sector);
  open();
  EXPECT_EQ(status.code(), sqlstate::feature_not_supported);
  EXPECT_NE(status.error().message.find("version 7"), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("version 1"), std::string::npos) << status.error().message;
  env.overwrite(first_segment(), 0, saved);
  flip(first_segment(), offsetof(SegmentHeader, format_version));
  open();
  EXPECT_EQ(status.code(), sqlstate::data_corrupted) << "a flipped bit in the version is damage";
}

TEST_F(RecoveryTest, AMissingSegmentIsNamed) {
  open();
  for (int i = 0; i < 100; ++i) group(std::string(2000, 'f'));
  close();
  ASSERT_TRUE(env.files().remove(segment_path(options.directory, 2)).ok());
  open();
  EXPECT_EQ(status.code(), sqlstate::data_corrupted);
  EXPECT_NE(status.error().message.find(segment_path(options.directory, 2)), std::string::npos)
      << status.error().message;
}

TEST_F(RecoveryTest, ASegmentOfAnotherDatabaseIsRefused) {
  open();
  for (int i = 0; i < 40; ++i) group(std::string(2000, 'f'));
  close();
  LogOptions elsewhere = options;
  elsewhere.directory = "/data/other";
  {
    CollectingApplier applier;
    auto other = Log::open(env, elsewhere, applier, &report).take();
    settle(*other);
  }
  ASSERT_TRUE(env.files().rename(segment_path(elsewhere.directory, 2), segment_path(options.directory, 2)).ok());
  open();
  EXPECT_EQ(status.code(), sqlstate::data_corrupted);
  EXPECT_NE(status.error().message.find("another database"), std::string::npos) << status.error().message;
}

TEST_F(RecoveryTest, ATruncatedFileIsDamage) {
  open();
  group("a", true);
  close();
  const std::string content = env.content(first_segment());
  Result<std::unique_ptr<File>> file = env.files().open(first_segment(), OpenMode::kCreate);
  ASSERT_TRUE((*file)->write(std::span<const char>(content.data(), content.size() - 512), 0).ok());
  open();
  EXPECT_EQ(status.code(), sqlstate::data_corrupted);
}

TEST_F(RecoveryTest, WhatWasBeingPreparedIsRemoved) {
  open();
  group("a", true);
  close();
  const std::string path = options.directory + "/" + preparing_name(99);
  ASSERT_TRUE(env.files().open(path, OpenMode::kCreate).ok());
  open();
  EXPECT_TRUE(status.ok());
  EXPECT_FALSE(env.exists(path));
}

TEST_F(RecoveryTest, CommitsUpToACheckpointAreNotFedAgain) {
  open();
  group("a");
  const Lsn b = group("b");
  group("c", true);
  close();
  options.replay_from = b;
  open();
  EXPECT_EQ(commits, Strings{"c"});
}

TEST_F(RecoveryTest, AnAppliersErrorEndsRecovery) {
  open();
  group("a", true);
  close();
  class Refusing final : public LogApplier {
   public:
    Status apply(Lsn, std::uint64_t, std::span<const std::span<const char>>) override { return Status{sqlstate::out_of_memory, "no"}; }
  } refusing;
  EXPECT_EQ(Log::open(env, options, refusing, &report).status().code(), sqlstate::out_of_memory);
}

TEST_F(RecoveryTest, AFullDiskAtOpenIsReported) {
  open();
  group("a", true);
  close();
  env.set_capacity(env.used_bytes() + 100);
  open();
  EXPECT_EQ(status.code(), sqlstate::disk_full);
  env.set_capacity(1 << 30);
  open();
  EXPECT_EQ(commits, Strings{"a"});
}

}  // namespace
}  // namespace wandian
