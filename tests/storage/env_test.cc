#include "storage/base/env.h"

#include <gtest/gtest.h>

#include <poll.h>
#include <set>
#include <thread>

#include "storage/base/env_sim.h"
#include "tests/storage/temp_directory.h"

namespace wandian {
namespace {

std::string read_all(FileSystem& files, const std::string& path) {
  Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kRead);
  if (!file.ok()) return "(" + std::string(file.status().code().text()) + ")";
  std::string content((*file)->size().take(), '\0');
  content.resize((*file)->read(content.data(), content.size(), 0).take());
  return content;
}

void check_files(FileSystem& files, const std::string& directory) {
  ASSERT_TRUE(files.create_directory(directory).ok());
  ASSERT_TRUE(files.create_directory(directory).ok());
  Result<std::unique_ptr<File>> file = files.open(directory + "/a", OpenMode::kCreate);
  ASSERT_TRUE(file.ok());
  const std::span<const char> pieces[] = {std::string_view("one"), std::string_view(""), std::string_view("two")};
  EXPECT_TRUE((*file)->write(pieces, 2).ok());
  EXPECT_TRUE((*file)->sync().ok());
  EXPECT_EQ(read_all(files, directory + "/a"), std::string("\0\0onetwo", 8));
  EXPECT_TRUE((*file)->allocate(100).ok());
  EXPECT_EQ((*file)->size().take(), 100u);
  char byte;
  EXPECT_EQ((*file)->read(&byte, 1, 99).take(), 1u);
  EXPECT_EQ((*file)->read(&byte, 1, 100).take(), 0u);
  EXPECT_TRUE(files.rename(directory + "/a", directory + "/b").ok());
  EXPECT_TRUE(files.open(directory + "/c", OpenMode::kCreate).ok());
  EXPECT_EQ(files.list(directory).take(), (std::vector<std::string>{"b", "c"}));
  EXPECT_TRUE(files.remove(directory + "/c").ok());
  EXPECT_TRUE(files.sync_directory(directory).ok());
  EXPECT_EQ(files.list(directory).take(), std::vector<std::string>{"b"});
  const Result<std::unique_ptr<File>> missing = files.open(directory + "/a", OpenMode::kWrite);
  EXPECT_EQ(missing.status().code(), sqlstate::undefined_file);
  EXPECT_NE(missing.status().error().message.find(directory + "/a"), std::string::npos);
  EXPECT_EQ(files.remove(directory + "/a").code(), sqlstate::undefined_file);
}

TEST(PosixEnv, FilesKeepWhatIsWritten) {
  TempDirectory directory;
  check_files(posix_env().files(), directory.path() + "/x/y");
}

TEST(PosixEnv, ManyPiecesAreWrittenInOneCall) {
  TempDirectory directory;
  auto file = posix_env().files().open(directory.path() + "/a", OpenMode::kCreate).take();
  std::vector<std::string> parts;
  std::string whole;
  for (int i = 0; i < 1000; ++i) {
    parts.push_back(std::string(static_cast<std::size_t>(i % 7), static_cast<char>('a' + i % 26)));
    whole += parts.back();
  }
  std::vector<std::span<const char>> pieces(parts.begin(), parts.end());
  ASSERT_TRUE(file->write(pieces, 0).ok());
  EXPECT_EQ(read_all(posix_env().files(), directory.path() + "/a"), whole);
}

// Whole sectors may take another way to the disk than the rest: both must show in the same file, in any order.
TEST(PosixEnv, SectorsAndOtherBytesMix) {
  TempDirectory directory;
  auto file = posix_env().files().open(directory.path() + "/a", OpenMode::kCreate).take();
  ASSERT_TRUE(file->allocate(2'000'000).ok());
  std::string expected(2'000'000, '\0');
  Random random(7);
  for (int round = 0; round < 300; ++round) {
    const bool sectors = round % 3 != 0;
    const std::uint64_t unit = sectors ? kSectorBytes : 1;
    const std::uint64_t offset = random.below(1'200'000 / unit) * unit, bytes = (1 + random.below(round % 10 == 0 ? 700'000 / unit : 5'000 / unit)) * unit;
    std::string content(bytes, static_cast<char>('a' + round % 26));
    std::vector<std::span<const char>> pieces;
    for (std::size_t at = 0; at < bytes;) {
      const std::size_t part = std::min<std::size_t>(bytes - at, 1 + random.below(3'000));
      pieces.emplace_back(content.data() + at, part);
      at += part;
    }
    ASSERT_TRUE((round % 4 == 0 ? file->write_durable(pieces, offset) : file->write(pieces, offset)).ok());
    expected.replace(offset, bytes, content);
    if (round % 50 == 0) {
      ASSERT_TRUE(file->sync().ok());
    }
  }
  EXPECT_TRUE(read_all(posix_env().files(), directory.path() + "/a") == expected);
}

TEST(PosixEnv, AFullDeviceIs53100) {
  auto full = posix_env().files().open("/dev/full", OpenMode::kWrite);
  if (!full.ok()) GTEST_SKIP() << "no /dev/full here";
  const Status status = (*full)->write(std::string_view("x"), 0);
  EXPECT_EQ(status.code(), sqlstate::disk_full);
  EXPECT_NE(status.error().message.find("No space left on device"), std::string::npos) << status.error().message;
}

TEST(PosixEnv, AFileThatIsADirectoryIs58030) {
  TempDirectory directory;
  EXPECT_EQ(posix_env().files().open(directory.path(), OpenMode::kWrite).status().code(), sqlstate::io_error);
}

TEST(PosixEnvDeathTest, FatalPrintsOneLineAndEndsWithStatusTwo) {
  EXPECT_EXIT(posix_env().fatal("the disk said no"), testing::ExitedWithCode(2), "^PANIC: the disk said no\n$");
}

TEST(PosixEnv, EveryThreadHasAGeneratorOfItsOwn) {
  std::uint64_t here = posix_env().random().next(), there = 0;
  std::thread([&] { there = posix_env().random().next(); }).join();
  EXPECT_NE(here, there);
  std::uint64_t words[2] = {0, 0};
  posix_env().entropy(words, sizeof words);
  EXPECT_NE(words[0], words[1]);
}

TEST(Random, ASeedRepeats) {
  Random a(42), b(42), c(43);
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = a.next();
    EXPECT_EQ(value, b.next());
    differs = differs || value != c.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, BelowReachesEveryValueAndNoOther) {
  Random random(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(*seen.rbegin(), 6u);
}

TEST(SimEnv, FilesKeepWhatIsWritten) {
  SimEnv env(1);
  check_files(env.files(), "/data/x");
}

TEST(SimEnv, APowerCutKeepsWhatWasSyncedAndARandomPartOfTheRest) {
  std::set<std::string> outcomes;
  bool name_lost = false, name_kept = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimEnv env(seed);
    auto file = env.files().open("/d/a", OpenMode::kCreate).take();
    ASSERT_TRUE(file->write(std::string(2048, 'o'), 0).ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(env.files().sync_directory("/d").ok());
    ASSERT_TRUE(file->write(std::string(1024, 'n'), 512).ok());
    ASSERT_TRUE(env.files().open("/d/b", OpenMode::kCreate).ok());
    env.crash();
    EXPECT_FALSE(file->sync().ok());
    env.restart();
    EXPECT_FALSE(file->sync().ok()) << "a file of the process that ended";
    const std::string content = read_all(env.files(), "/d/a");
    ASSERT_EQ(content.size(), 2048u);
    for (std::size_t sector = 0; sector < 4; ++sector)
      ASSERT_EQ(content.substr(sector * 512, 512), std::string(512, content[sector * 512])) << "a sector is whole";
    EXPECT_EQ(content[0], 'o');
    EXPECT_EQ(content[3 * 512], 'o');
    outcomes.insert({content[512], content[1024]});
    (env.exists("/d/b") ? name_kept : name_lost) = true;
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"oo", "on", "no", "nn"}));
  EXPECT_TRUE(name_lost && name_kept);
}

TEST(SimEnv, AfterAFailedSyncBytesMayBeInTheCacheAloneForGood) {
  std::set<std::pair<char, char>> outcomes;  // read before the power cut, and after it
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimEnv env(seed);
    auto file = env.files().open("/d/a", OpenMode::kCreate).take();
    ASSERT_TRUE(file->write(std::string(512, 'o'), 0).ok() && file->sync().ok() &&
                env.files().sync_directory("/d").ok());
    ASSERT_TRUE(file->write(std::string(512, 'n'), 0).ok());
    env.inject(SimEnv::Fault::kSyncFailure, 1);
    EXPECT_EQ(file->sync().code(), sqlstate::io_error);
    env.inject_none();
    EXPECT_TRUE(file->sync().ok()) << "and it proves nothing";
    const char cached = env.content("/d/a")[0];
    env.crash();
    outcomes.insert({cached, env.content("/d/a")[0]});
  }
  EXPECT_EQ(outcomes, (std::set<std::pair<char, char>>{{'n', 'n'}, {'n', 'o'}, {'o', 'o'}}));
}

TEST(SimEnv, CapacityIsADiskThatIsFull) {
  SimEnv env(1);
  env.set_capacity(1000);
  auto file = env.files().open("/d/a", OpenMode::kCreate).take();
  EXPECT_TRUE(file->allocate(1000).ok());
  EXPECT_EQ(file->allocate(1001).code(), sqlstate::disk_full);
  EXPECT_TRUE(file->write(std::string(1000, 'x'), 0).ok());
  EXPECT_EQ(file->write(std::string(10, 'x'), 995).code(), sqlstate::disk_full);
}

TEST(SimEnv, ADeadNodeDoesNothing) {
  SimEnv env(1);
  env.die_within_call(2);
  auto file = env.files().open("/d/a", OpenMode::kCreate).take();
  EXPECT_FALSE(file->write(std::string_view("x"), 0).ok());
  EXPECT_TRUE(env.dead());
  EXPECT_FALSE(env.files().list("/d").ok());
  env.restart();
  EXPECT_TRUE(env.files().list("/d").ok());
}

TEST(SimEnv, TheSameSeedIsTheSameWorld) {
  const auto run = [](std::uint64_t seed) {
    SimEnv env(seed);
    std::string trace;
    for (int i = 0; i < 50; ++i) {
      auto file = env.files().open("/d/a", OpenMode::kCreate).take();
      static_cast<void>(file->write(std::string(4096, static_cast<char>('a' + i % 26)), 0));
      if (env.random().one_in(2)) static_cast<void>(file->sync());
      static_cast<void>(env.files().sync_directory("/d"));
      env.crash();
      env.restart();
      if (env.exists("/d/a")) trace += env.content("/d/a");
    }
    return trace;
  };
  EXPECT_EQ(run(3), run(3));
  EXPECT_NE(run(3), run(4));
}

TEST(SimEnv, TheClockMovesOnlyWhenItIsMoved) {
  SimEnv env(1);
  const std::int64_t wall = env.clock().wall_us(), monotonic = env.clock().monotonic_us();
  env.advance(500);
  env.jump_wall_clock(-10'000);
  EXPECT_EQ(env.clock().wall_us(), wall + 500 - 10'000);
  EXPECT_EQ(env.clock().monotonic_us(), monotonic + 500);
}

TEST(SimEnv, AFaultCountsOnceAProcessCouldNoticeIt) {
  const auto count = [](const SimEnv& env, SimEnv::Fault fault) { return env.fired()[static_cast<std::size_t>(fault)]; };
  std::uint64_t torn = 0, lost_names = 0;
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    SimEnv env(seed);
    auto file = env.files().open("/d/a", OpenMode::kCreate).take();
    ASSERT_TRUE(file->write(std::string(4096, 'o'), 0).ok() && file->sync().ok() && env.files().sync_directory("/d").ok());
    ASSERT_TRUE(file->write(std::string(4096, 'n'), 0).ok());
    ASSERT_TRUE(env.files().open("/d/b", OpenMode::kCreate).ok());
    env.crash();
    env.restart();
    EXPECT_EQ(count(env, SimEnv::Fault::kTornWrite) + count(env, SimEnv::Fault::kLostWrite), 0u) << "nobody has looked";
    EXPECT_EQ(count(env, SimEnv::Fault::kLostName), 0u);
    const std::string content = env.content("/d/a");
    const bool kept = content.find('n') != std::string::npos, lost = content.find('o') != std::string::npos;
    auto again = env.files().open("/d/a", OpenMode::kRead).take();
    char bytes[4096];
    for (int reads = 0; reads < 2; ++reads) ASSERT_TRUE(again->read(bytes, sizeof bytes, 0).ok());
    EXPECT_EQ(count(env, SimEnv::Fault::kTornWrite), kept && lost ? 1u : 0u);
    EXPECT_EQ(count(env, SimEnv::Fault::kLostWrite), kept ? 0u : 1u);
    torn += count(env, SimEnv::Fault::kTornWrite);
    ASSERT_TRUE(env.files().list("/d").ok());
    EXPECT_EQ(count(env, SimEnv::Fault::kLostName), env.exists("/d/b") ? 0u : 1u);
    lost_names += count(env, SimEnv::Fault::kLostName);
  }
  EXPECT_GT(torn, 0u);
  EXPECT_GT(lost_names, 0u);
}

TEST(Wakeup, ARunningConsumerCostsNoSyscall) {
  EventfdWakeup wakeup;
  wakeup.wake();
  pollfd waiting{wakeup.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
  wakeup.begin_sleep();
  EXPECT_TRUE(wakeup.sleeping());
  wakeup.wake();
  wakeup.wake();
  EXPECT_EQ(::poll(&waiting, 1, 0), 1);
  std::uint64_t count = 0;
  EXPECT_EQ(::read(wakeup.fd(), &count, sizeof count), static_cast<ssize_t>(sizeof count));
  EXPECT_EQ(count, 1u) << "the second wake-up found it awake";
  EXPECT_FALSE(wakeup.sleeping());
}

TEST(Wakeup, EndSleepEmptiesTheDescriptor) {
  EventfdWakeup wakeup;
  wakeup.begin_sleep();
  wakeup.wake();
  wakeup.end_sleep();
  pollfd waiting{wakeup.fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 0), 0);
  wakeup.begin_sleep();
  wakeup.end_sleep();
  EXPECT_FALSE(wakeup.sleeping());
}

TEST(Wakeup, AThreadSleepsNoLongerThanItsTimeoutAndNotAtAllAfterAWakeup) {
  ThreadWakeup wakeup;
  wakeup.begin_sleep();
  wakeup.wake();
  wakeup.sleep(-1);
  wakeup.begin_sleep();
  wakeup.sleep(1000);
}

}  // namespace
}  // namespace wandian
