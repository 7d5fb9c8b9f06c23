// The planted bug: the commit mark is stored after the fetch_add, so that a snapshot may cover a commit that
// nobody can see yet.
#include <gtest/gtest.h>

#include "tests/storage/log_stress_model.h"
#include "tests/storage/log_test_util.h"

namespace wandian {
namespace {

Log* watched = nullptr;
Lsn covered;

TEST(PlantedCommitMarkLate, IsCaughtAtAMarkedPoint) {
  SimEnv env(1);
  CollectingApplier applier;
  RecoveryReport report;
  Result<std::unique_ptr<Log>> log = Log::open(env, small_log(), applier, &report);
  ASSERT_TRUE(log.ok());
  watched = log->get();
  sim_point_hook = [](SimPoint point) noexcept {
    if (point == SimPoint::kCommitReserved) covered = std::max(covered, watched->snapshot(Lsn{}));
  };
  RecordBuffer record = make_record("x");
  static Lsn covered_before_publish;
  const Lsn end = (*log)->commit(0, record, [&](Lsn) { covered_before_publish = covered; });
  sim_point_hook = nullptr;
  EXPECT_GE(covered_before_publish, end) << "the bug was not caught";
}

TEST(PlantedCommitMarkLate, IsCaughtByTheStressTest) {
  std::uint64_t uncovered = 0;
  for (int attempt = 0; attempt < 60 && uncovered == 0; ++attempt) uncovered = run_log_stress(3, 2, 1.0).uncovered;
  EXPECT_GT(uncovered, 0u) << "the bug was not caught";
}

}  // namespace
}  // namespace wandian
