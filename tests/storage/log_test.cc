#include "storage/log.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "storage/log_format.h"
#include "tests/storage/log_test_util.h"
#include "tests/storage/temp_directory.h"

namespace wandian {
namespace {

std::unique_ptr<Log> open_log(Env& env, const LogOptions& options, CollectingApplier* applier = nullptr,
                              RecoveryReport* report = nullptr) {
  CollectingApplier ignored;
  RecoveryReport unread;
  Result<std::unique_ptr<Log>> log =
      Log::open(env, options, applier != nullptr ? *applier : ignored, report != nullptr ? report : &unread);
  EXPECT_TRUE(log.ok()) << log.status().error().message << " " << log.status().error().detail;
  return log.ok() ? log.take() : nullptr;
}

/// Runs one function at one kind of marked point.
struct AtPoint {
  AtPoint(SimPoint at, std::function<void()> run) {
    point = at;
    function = std::move(run);
    sim_point_hook = [](SimPoint reached) noexcept {
      if (reached == point) function();
    };
  }
  ~AtPoint() { sim_point_hook = nullptr; }
  static inline SimPoint point;
  static inline std::function<void()> function;
};

TEST(Log, ANewLogBeginsAtZeroAndIsDurable) {
  SimEnv env(1);
  RecoveryReport report;
  const auto log = open_log(env, small_log(), nullptr, &report);
  EXPECT_EQ(log->tail(), Lsn{0});
  EXPECT_EQ(log->durable(), Lsn{0});
  EXPECT_EQ(log->snapshot(Lsn{}), Lsn{0});
  EXPECT_EQ(report.end, Lsn{0});
  EXPECT_FALSE(report.tail_cut);
}

TEST(Log, ACommitsLsnIsTheEndOfItsRecord) {
  SimEnv env(1);
  const auto log = open_log(env, small_log());
  RecordBuffer record = make_record("twelve bytes");
  EXPECT_EQ(record.total_bytes(), 40u + 16u);
  Lsn published;
  const Lsn lsn = log->commit(1, record, [&](Lsn end) { published = end; });
  EXPECT_EQ(lsn, Lsn{56});
  EXPECT_EQ(published, lsn);
  EXPECT_EQ(log->tail(), lsn);
  EXPECT_EQ(log->snapshot(Lsn{}), lsn);
}

TEST(Log, ACommitIsDurableAfterOneStepAndComesBack) {
  SimEnv env(1);
  auto log = open_log(env, small_log());
  const Lsn first = commit_record(*log, 0, "first"), second = commit_record(*log, 2, "second");
  EXPECT_EQ(log->durable(), Lsn{0});
  EXPECT_TRUE(log->step());
  EXPECT_EQ(log->durable(), second);
  EXPECT_EQ(log->released(), second);
  EXPECT_EQ(log->statistics().groups, 1u);
  log.reset();
  env.crash();
  env.restart();
  CollectingApplier applier;
  RecoveryReport report;
  log = open_log(env, small_log(), &applier, &report);
  EXPECT_EQ(applier.commits, (std::vector<AppliedCommit>{{first, "first"}, {second, "second"}}));
  EXPECT_EQ(log->tail(), second);
  EXPECT_EQ(report.records, 2u);
}

TEST(Log, AnEmptyPayloadIsARecordToo) {
  SimEnv env(1);
  auto log = open_log(env, small_log());
  const Lsn lsn = commit_record(*log, 0, "");
  settle(*log);
  log.reset();
  CollectingApplier applier;
  log = open_log(env, small_log(), &applier);
  EXPECT_EQ(applier.commits, (std::vector<AppliedCommit>{{lsn, ""}}));
}

TEST(Log, ASnapshotDoesNotCoverACommitWhoseWindowIsOpen) {
  SimEnv env(1);
  const auto log = open_log(env, small_log());
  const Lsn before = commit_record(*log, 0, "a");
  for (const SimPoint point : {SimPoint::kCommitMarked, SimPoint::kCommitReserved, SimPoint::kCommitPublished}) {
    Lsn seen, other;
    const AtPoint at(point, [&] {
      AtPoint::point = SimPoint::kVersionRead;
      other = commit_record(*log, 2, "another shard's, later");
      seen = log->snapshot(Lsn{});
    });
    const Lsn lsn = commit_record(*log, 1, "b");
    EXPECT_LT(seen, lsn);
    EXPECT_LT(seen, other) << "it has to wait for the earlier window";
    EXPECT_GE(seen, before);
  }
  EXPECT_EQ(log->snapshot(Lsn{}), log->tail());
}

TEST(Log, ASnapshotNeverFallsBelowThePrefixOrTheLastOne) {
  SimEnv env(1);
  const auto log = open_log(env, small_log());
  const Lsn lsn = commit_record(*log, 0, "a");
  log->raise_prefix(lsn);
  EXPECT_EQ(log->prefix(), lsn);
  log->raise_prefix(Lsn{1});
  EXPECT_EQ(log->prefix(), lsn);
  EXPECT_EQ(log->snapshot(Lsn{lsn.bytes + 8}), (Lsn{lsn.bytes + 8}));
}

TEST(Log, TheWriterStopsAtBytesThatAreNotYetInTheRing) {
  SimEnv env(1);
  const auto log = open_log(env, small_log());
  const Lsn before = commit_record(*log, 0, "a");
  Lsn durable, snapshot, begun_after;
  {
    const AtPoint at(SimPoint::kCommitVisible, [&] {
      AtPoint::point = SimPoint::kVersionRead;
      begun_after = commit_record(*log, 2, "later and filled");
      log->step();
      durable = log->durable();
      snapshot = log->snapshot(Lsn{});
    });
    commit_record(*log, 1, "b");
  }
  EXPECT_EQ(durable, before);
  EXPECT_EQ(snapshot, begun_after) << "visible, though not yet in the ring";
  log->step();
  EXPECT_EQ(log->durable(), begun_after);
}

TEST(Log, PartsCountOnlyWithTheirCommit) {
  SimEnv env(1);
  auto log = open_log(env, small_log());
  const auto part = [&](std::uint64_t transaction, const std::string& content) {
    RecordBuffer record = make_record(content, RecordKind::kPart, transaction);
    log->append_part(0, record);
  };
  part(7, "left by a rolled-back user of the number;");
  part(7, "one;");
  part(8, "never committed;");
  part(7, "two;");
  RecordBuffer record = make_record("three", RecordKind::kCommit, 7, 2);
  const Lsn lsn = log->commit(0, record, [](Lsn) {});
  settle(*log);
  log.reset();
  CollectingApplier applier;
  log = open_log(env, small_log(), &applier);
  EXPECT_EQ(applier.commits, (std::vector<AppliedCommit>{{lsn, "one;two;three"}}));
}

TEST(Log, ACommitThatNamesMorePartsThanThereAreIsDamage) {
  SimEnv env(1);
  auto log = open_log(env, small_log());
  RecordBuffer record = make_record("x", RecordKind::kCommit, 7, 2);
  log->commit(0, record, [](Lsn) {});
  settle(*log);
  log.reset();
  CollectingApplier applier;
  RecoveryReport report;
  EXPECT_EQ(Log::open(env, small_log(), applier, &report).status().code(), sqlstate::data_corrupted);
}

TEST(Log, TheRingWrapsAndSegmentsFollowOneAnother) {
  SimEnv env(1);
  const LogOptions options = small_log();
  auto log = open_log(env, options);
  settle(*log);
  std::vector<AppliedCommit> committed;
  Random random(5);
  while (log->tail().bytes < 10 * options.segment_bytes) {
    const std::string content(random.below(3900), static_cast<char>('a' + random.below(26)));
    ASSERT_EQ(log->admit(40 + content.size() + 8), Log::Admission::kAdmitted);
    committed.push_back({commit_record(*log, static_cast<unsigned>(random.below(3)), content), content});
    if (random.one_in(2)) {
      log->step();
      log->step();
    }
    while (log->admit(4096) != Log::Admission::kAdmitted) ASSERT_TRUE(log->step());
  }
  settle(*log);
  EXPECT_EQ(log->durable(), log->tail());
  EXPECT_GE(log->statistics().segments, 10u);
  log.reset();
  env.crash();
  env.restart();
  CollectingApplier applier;
  log = open_log(env, options, &applier);
  EXPECT_TRUE(applier.commits == committed);
}

TEST(Log, AGroupOfManyMegabytesIsSplitIntoFramesAndComesBack) {
  TempDirectory directory;
  LogOptions options;
  options.directory = directory.path() + "/wal";
  options.ring_bytes = 32 << 20;
  options.segment_bytes = 16 << 20;
  auto log = open_log(posix_env(), options);
  settle(*log);
  std::vector<AppliedCommit> committed;
  for (int i = 0; i < 100; ++i) {
    const std::string content(200'000 + static_cast<std::size_t>(i), static_cast<char>('a' + i % 26));
    ASSERT_EQ(log->admit(40 + content.size() + 8), Log::Admission::kAdmitted);
    committed.push_back({commit_record(*log, 0, content), content});
  }
  log->step();
  EXPECT_EQ(log->durable(), log->tail());
  EXPECT_EQ(log->statistics().groups, 1u);
  EXPECT_GE(log->statistics().frames, 20u);
  log.reset();
  CollectingApplier applier;
  RecoveryReport report;
  log = open_log(posix_env(), options, &applier, &report);
  EXPECT_TRUE(applier.commits == committed);
  EXPECT_EQ(report.proved_durable, Lsn{0}) << "no later frame states the only group";
  log.reset();
  CollectingApplier again;
  log = open_log(posix_env(), options, &again);
  EXPECT_TRUE(again.commits == committed) << "the rewrite is longer than a segment";
}

TEST(Log, AdmissionWaitsForRoomInTheRing) {
  SimEnv env(1);
  const LogOptions options = small_log(1);
  const auto log = open_log(env, options);
  settle(*log);
  const std::string content(2000, 'x');
  int admitted = 0;
  while (log->admit(2048) == Log::Admission::kAdmitted) {
    commit_record(*log, 0, content);
    ++admitted;
  }
  EXPECT_EQ(log->admit(2048), Log::Admission::kWait);
  EXPECT_GT(admitted, 10);
  EXPECT_LE(log->tail().bytes, options.ring_bytes);
  log->step();
  EXPECT_EQ(log->admit(2048), Log::Admission::kAdmitted);
}

TEST(Log, SmallRecordsThatCannotWaitHaveAReserveWithinTheRing) {
  SimEnv env(1);
  const LogOptions options = small_log(2);
  const auto log = open_log(env, options);
  settle(*log);
  const std::string content(100, 'x');
  while (log->admit(148) == Log::Admission::kAdmitted) commit_record(*log, 0, content);
  int lent = 0;
  while (log->admit_small(148) == Log::Admission::kAdmitted) {
    commit_record(*log, 0, content);
    ++lent;
  }
  EXPECT_GT(lent, 5);
  EXPECT_EQ(log->admit_small(148), Log::Admission::kWait);
  // What may still come of commits that were admitted at the same moment is covered too.
  EXPECT_LE(log->tail().bytes + options.max_record_bytes, options.ring_bytes);
  log->step();
  EXPECT_EQ(log->admit(148), Log::Admission::kAdmitted);
}

TEST(Log, AFullDiskRefusesBeforeAnythingIsReservedAndLosesNothing) {
  SimEnv env(1);
  const LogOptions options = small_log();
  auto log = open_log(env, options);
  env.set_capacity(env.used_bytes());  // no second segment
  std::vector<AppliedCommit> committed;
  Log::Admission admission;
  for (int i = 0; i < 10'000; ++i) {
    const std::string content(static_cast<std::size_t>(i % 50), 'x');
    if ((admission = log->admit(96)) != Log::Admission::kAdmitted) break;
    committed.push_back({commit_record(*log, static_cast<unsigned>(i % 3), content), content});
    log->step();  // the worst case: each commit a group of its own, each with a mark
    env.advance(2000);
    log->step();
  }
  EXPECT_EQ(admission, Log::Admission::kDiskFull);
  EXPECT_GT(committed.size(), 20u);
  EXPECT_FALSE(env.dead());
  EXPECT_EQ(log->durable(), log->tail());
  // Room appears: the log sees it by itself.
  env.set_capacity(1 << 30);
  EXPECT_LT(log->next_deadline_us(), env.clock().monotonic_us() + 200'000);
  env.advance(200'000);
  settle(*log);
  EXPECT_EQ(log->admit(96), Log::Admission::kAdmitted);
  committed.push_back({commit_record(*log, 0, "after"), "after"});
  settle(*log);
  log.reset();
  env.crash();
  env.restart();
  CollectingApplier applier;
  log = open_log(env, options, &applier);
  EXPECT_TRUE(applier.commits == committed);
}

TEST(Log, WhatAdmissionLetInFitsHoweverItFallsIntoGroups) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SimEnv env(seed);
    const auto log = open_log(env, small_log());
    env.set_capacity(env.used_bytes());
    Random& random = env.random();
    int refused = 0;
    while (refused < 50) {
      // Shards check, then commit one after the other with groups in between: the overshoot that the margin is for.
      std::vector<unsigned> admitted;
      const std::string content(random.one_in(3) ? random.below(4000) : random.below(60), 'x');
      for (unsigned shard = 0; shard < 3; ++shard)
        if (log->admit(40 + content.size() + 8) == Log::Admission::kAdmitted) admitted.push_back(shard);
      if (admitted.empty()) ++refused;
      for (const unsigned shard : admitted) {
        commit_record(*log, shard, content);
        if (random.one_in(2)) log->step();
      }
      env.advance(static_cast<std::int64_t>(random.below(1500)));
      log->step();
      ASSERT_FALSE(env.dead()) << env.fatal_message();
    }
    settle(*log);
    ASSERT_EQ(log->durable(), log->tail());
  }
}

TEST(Log, AMarkFollowsAfterIdlenessOnce) {
  SimEnv env(1);
  const auto log = open_log(env, small_log());
  settle(*log);
  EXPECT_EQ(log->next_deadline_us(), INT64_MAX);
  commit_record(*log, 0, "a");
  log->step();
  EXPECT_EQ(log->next_deadline_us(), env.clock().monotonic_us() + 1000);
  EXPECT_FALSE(log->step()) << "not idle for long enough";
  const std::uint64_t frames = log->statistics().frames;
  env.advance(1000);
  EXPECT_TRUE(log->step());
  EXPECT_EQ(log->statistics().frames, frames + 1);
  EXPECT_EQ(log->next_deadline_us(), INT64_MAX);
  env.advance(5000);
  EXPECT_FALSE(log->step());
}

TEST(Log, ShardsThatWaitForAGroupAreWokenByItOnce) {
  SimEnv env(1);
  const auto log = open_log(env, small_log());
  settle(*log);
  SimWakeup wakeup;
  log->attach(1, &wakeup);
  const Lsn first = commit_record(*log, 0, "a");
  log->demand(1, first);
  EXPECT_FALSE(wakeup.take());
  log->step();
  EXPECT_TRUE(wakeup.take());
  log->step();
  EXPECT_FALSE(wakeup.take());
  commit_record(*log, 0, "what shard 1 does not wait for");
  log->step();
  EXPECT_FALSE(wakeup.take());
  const Lsn beyond{commit_record(*log, 0, "b").bytes + 1};
  log->demand(1, beyond);
  log->step();
  EXPECT_TRUE(wakeup.take()) << "a part of what it waits for may let a part of its answers go";
  commit_record(*log, 0, "c");
  log->step();
  EXPECT_TRUE(wakeup.take());
  log->attach(1, nullptr);
  log->demand(1, commit_record(*log, 0, "d"));
  log->step();
  EXPECT_FALSE(wakeup.take());
}

TEST(Log, AFailedSyncEndsTheNodeWithoutRaisingTheDurableLsn) {
  for (const SimEnv::Fault fault :
       {SimEnv::Fault::kSyncFailure, SimEnv::Fault::kWriteError, SimEnv::Fault::kShortWrite, SimEnv::Fault::kNoSpace}) {
    SimEnv env(1);
    const auto log = open_log(env, small_log());
    settle(*log);
    commit_record(*log, 0, "a");
    env.inject(fault, 1);
    EXPECT_FALSE(log->step());
    EXPECT_TRUE(env.dead());
    EXPECT_EQ(log->durable(), Lsn{0});
    EXPECT_NE(env.fatal_message().find("/data/wal/0000000000000001.wal"), std::string::npos) << env.fatal_message();
    const char* const reason = fault == SimEnv::Fault::kNoSpace ? "No space left on device" : "Input/output error";
    EXPECT_NE(env.fatal_message().find(reason), std::string::npos) << env.fatal_message();
    EXPECT_FALSE(log->step());
    EXPECT_EQ(log->next_deadline_us(), INT64_MAX);
  }
}

TEST(Log, ReleasedSegmentsAreRemovedAndTheRestIsEnough) {
  SimEnv env(1);
  LogOptions options = small_log();
  auto log = open_log(env, options);
  std::vector<AppliedCommit> committed;
  const auto commit_many = [&](int n) {
    for (int i = 0; i < n; ++i) {
      settle(*log);
      committed.push_back({commit_record(*log, 0, std::string(2000, 'x')), std::string(2000, 'x')});
    }
    settle(*log);
  };
  commit_many(100);
  const Lsn checkpoint = log->tail();
  commit_many(5);
  const std::size_t before = env.files().list(options.directory)->size();
  ASSERT_TRUE(log->release_before(checkpoint).ok());
  const std::size_t after = env.files().list(options.directory)->size();
  EXPECT_LT(after, before);
  EXPECT_FALSE(env.exists("/data/wal/0000000000000001.wal"));
  ASSERT_TRUE(log->release_before(checkpoint).ok());
  EXPECT_EQ(env.files().list(options.directory)->size(), after);
  log.reset();
  env.crash();
  env.restart();

  CollectingApplier applier;
  RecoveryReport report;
  EXPECT_EQ(Log::open(env, options, applier, &report).status().code(), sqlstate::data_corrupted)
      << "its beginning is gone";
  options.replay_from = checkpoint;
  CollectingApplier rest;
  log = open_log(env, options, &rest);
  EXPECT_TRUE(rest.commits == std::vector<AppliedCommit>(committed.end() - 5, committed.end()));
  log.reset();
  options.replay_from = Lsn{checkpoint.bytes * 2};
  EXPECT_EQ(Log::open(env, options, applier, &report).status().code(), sqlstate::data_corrupted) << "it ends before";
}

TEST(Log, ThreadsMakeWhatIsDemandedDurableAndStopWritesTheRest) {
  TempDirectory directory;
  LogOptions options;
  options.directory = directory.path() + "/made/on/the/way/wal";
  options.segment_bytes = 4 << 20;
  options.ring_bytes = 4 << 20;
  auto log = open_log(posix_env(), options);
  log->start_thread();
  std::vector<AppliedCommit> committed;
  for (int i = 0; i < 200; ++i) {
    committed.push_back({commit_record(*log, 0, std::to_string(i)), std::to_string(i)});
    log->demand(0, committed.back().lsn);
    const std::int64_t limit = posix_env().clock().monotonic_us() + 20'000'000;
    while (log->durable() < committed.back().lsn) ASSERT_LT(posix_env().clock().monotonic_us(), limit);
  }
  committed.push_back({commit_record(*log, 0, "demanded by nobody"), "demanded by nobody"});
  log->stop();
  EXPECT_EQ(log->durable(), log->tail());
  log.reset();
  CollectingApplier applier;
  RecoveryReport report;
  log = open_log(posix_env(), options, &applier, &report);
  EXPECT_TRUE(applier.commits == committed);
  EXPECT_FALSE(report.tail_cut) << report.cut_description;
  EXPECT_EQ(report.proved_durable, report.end) << "stop() leaves a mark";
}

TEST(Log, OptionsThatLeaveNoRoomAreRefused) {
  SimEnv env(1);
  CollectingApplier applier;
  RecoveryReport report;
  const auto code = [&](auto change) {
    LogOptions options = small_log();
    change(options);
    return Log::open(env, options, applier, &report).status().code();
  };
  EXPECT_EQ(code([](LogOptions& o) { o.ring_bytes = 24 * 1024; }), sqlstate::invalid_parameter_value);
  EXPECT_EQ(code([](LogOptions& o) { o.ring_bytes = 8 * 1024; }), sqlstate::invalid_parameter_value);
  EXPECT_EQ(code([](LogOptions& o) { o.segment_bytes = 16 * 1024; }), sqlstate::invalid_parameter_value);
  EXPECT_EQ(code([](LogOptions& o) { o.segment_bytes = 64 * 1024 + 1; }), sqlstate::invalid_parameter_value);
  EXPECT_EQ(code([](LogOptions& o) { o.shards = 0; }), sqlstate::invalid_parameter_value);
  EXPECT_EQ(code([](LogOptions& o) { o.max_record_bytes = kMaxRecordBytes + 8; }), sqlstate::invalid_parameter_value);
  EXPECT_EQ(code([](LogOptions&) {}), SqlState{});
}

TEST(RecordBuffer, GrowsAndIsReused) {
  RecordBuffer record;
  for (int i = 0; i < 50'000; ++i) record.append(&i, sizeof i);
  EXPECT_EQ(record.payload_bytes(), 200'000u);
  record.seal(RecordKind::kCommit, 1, 0);
  int value;
  std::memcpy(&value, record.data() + sizeof(RecordHeader) + 4 * 49'999, sizeof value);
  EXPECT_EQ(value, 49'999);
  record.clear();
  EXPECT_EQ(record.payload_bytes(), 0u);
}

TEST(LogFormat, ARecordVerifiesAtItsPlaceAlone) {
  RecordBuffer record = make_record("some payload");
  record.place(Lsn{4096});
  RecordHeader header;
  bool incomplete;
  const std::span<const char> bytes(record.data(), record.total_bytes());
  EXPECT_EQ(check_record(bytes, Lsn{4096}, &header, &incomplete), nullptr);
  EXPECT_FALSE(incomplete);
  EXPECT_NE(check_record(bytes, Lsn{4104}, &header, &incomplete), nullptr);
  EXPECT_EQ(check_record(bytes.first(39), Lsn{4096}, &header, &incomplete), nullptr);
  EXPECT_TRUE(incomplete);
  std::vector<char> copy(bytes.begin(), bytes.end());
  for (std::size_t bit = 0; bit < copy.size() * 8; ++bit) {
    copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << bit % 8));
    const char* const reason = check_record(copy, Lsn{4096}, &header, &incomplete);
    EXPECT_TRUE(reason != nullptr || incomplete) << "bit " << bit;
    copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << bit % 8));
  }
  // The same record at another place, position field patched but not the checksum.
  const std::uint64_t moved = 8192;
  std::memcpy(copy.data() + offsetof(RecordHeader, begin_lsn), &moved, sizeof moved);
  EXPECT_NE(check_record(copy, Lsn{8192}, &header, &incomplete), nullptr);
}

TEST(LogFormat, AFrameVerifiesInItsDatabaseSegmentAndOffsetAlone) {
  const std::string payload(700, 'p');
  const FrameHeader header =
      make_frame_header(FrameKind::kData, 3, 1024, Lsn{96}, Lsn{40}, payload.size(), hash_payload(payload, {}), 11);
  std::vector<char> segment(8192);
  for (const std::size_t at : {std::size_t{1024}, std::size_t{4096}}) {
    std::memcpy(segment.data() + at, &header, sizeof header);
    std::memcpy(segment.data() + at + sizeof header, payload.data(), payload.size());
  }
  FrameView view;
  EXPECT_EQ(parse_frame(segment, 3, 1024, 11, &view), FrameState::kValid);
  EXPECT_EQ(view.next_offset, 1024u + 1024u);
  EXPECT_EQ(view.payload.size(), payload.size());
  EXPECT_EQ(parse_frame(segment, 3, 1024, 12, &view), FrameState::kBadHeader) << "another database";
  EXPECT_EQ(parse_frame(segment, 4, 1024, 11, &view), FrameState::kBadHeader) << "another segment";
  EXPECT_EQ(parse_frame(segment, 3, 4096, 11, &view), FrameState::kBadHeader) << "another offset";
  EXPECT_EQ(parse_frame(segment, 3, 512, 11, &view), FrameState::kZero);
  segment[1024 + 64 + 699] ^= 1;
  EXPECT_EQ(parse_frame(segment, 3, 1024, 11, &view), FrameState::kBadPayload);
}

TEST(LogFormat, SegmentNamesGoThereAndBack) {
  EXPECT_EQ(segment_name(0xabc), "0000000000000abc.wal");
  EXPECT_EQ(parse_segment_name("0000000000000abc.wal"), 0xabcu);
  EXPECT_EQ(parse_segment_name("0000000000000ABC.wal"), std::nullopt);
  EXPECT_EQ(parse_segment_name("0000000000000abc.new"), std::nullopt);
  EXPECT_EQ(parse_segment_name("0abc.wal"), std::nullopt);
  EXPECT_TRUE(is_preparing_name(preparing_name(5)));
}

}  // namespace
}  // namespace wandian
