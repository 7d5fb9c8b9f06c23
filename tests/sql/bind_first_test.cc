#include <gtest/gtest.h>

#include "tests/sql/bind_harness.h"

namespace wandian::sql::test {
TEST(Binder, NamesAndTypesOfColumns) {
  BindWorld world;
  EXPECT_EQ(world.describe("SELECT 1"), "?column?:integer");
}
}  // namespace wandian::sql::test
