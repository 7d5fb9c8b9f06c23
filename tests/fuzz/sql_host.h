// A whole database in this process that SQL text is thrown at: engine, sessions and statement caches on a simulated disk, with a
// clock that moves a little whenever it is read, so that long statements use up their shares and time out as on a real one.
// Owns:       the world, which is kept from input to input and made anew when inputs have committed much to it.
// Invariants: an input that does not end in ';' runs inside BEGIN ... ROLLBACK, one that does runs by itself; whatever it is, it is
//             answered, the session is usable afterwards, and cancelling it ends it: anything else is a finding.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace wandian::sql::fuzz {

class SqlHost {
 public:
  SqlHost();
  ~SqlHost();
  void feed(std::string_view text);

 private:
  struct World;
  void rebuild();
  bool query(std::string_view text, bool patient);

  std::unique_ptr<World> world_;
  unsigned inputs_ = 0, commits_ = 0;
};

}  // namespace wandian::sql::fuzz
