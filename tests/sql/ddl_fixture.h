// DdlFixture: a client of two shards, and a restart; tests of definitions.
#pragma once

#include <string>
#include <string_view>

#include "tests/sql/session_fixture.h"

namespace wandian::sql {

class DdlFixture : public ::testing::Test {
 protected:
  std::string query(std::string_view text) { return client.query(text); }
  void restart() {
    client.close();
    world.turns(5);
    world.restart();
  }
  World world{2};
  TestClient client{world};
};

}  // namespace wandian::sql
