// The planted bugs: the durable LSN is raised before the group is written, or between the write and the fdatasync.
#include <gtest/gtest.h>

#include "tests/storage/log_crash_model.h"

namespace wandian {
namespace {

TEST(PlantedAckTooEarly, IsCaughtByTheCrashModel) {
  std::string error;
  std::uint64_t seed = 0;
  while (error.empty() && seed < 3000) error = LogCrashModel(++seed).run(4);
  EXPECT_NE(error.find("is lost"), std::string::npos) << "the bug was not caught: " << error;
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), error.c_str());
}

}  // namespace
}  // namespace wandian
