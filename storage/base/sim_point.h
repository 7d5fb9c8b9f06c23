// Marked points inside a turn, where the simulator may run turns of other shards (tests/sim/README.md). In production the
// hook is null: one load and a branch that is never taken.
// Thread: the hook is set before shards start and never in production. It must not throw, and nothing at a point may
//         block.
#pragma once

#include <cstdint>

namespace wandian {

enum class SimPoint : std::uint8_t {
  kCommitMarked,     ///< marks are set, nothing is reserved
  kCommitReserved,   ///< the tail has moved, the transaction is not yet visible
  kCommitPublished,  ///< the descriptor is committed, the commit mark still stands
  kCommitVisible,    ///< the commit mark is clear, the ring not yet filled
  kCommitFilled,     ///< the window is over
  kVersionRead,      ///< a reader is about to decide on a version
};

using SimPointHook = void (*)(SimPoint) noexcept;
inline constinit SimPointHook sim_point_hook = nullptr;

inline void sim_point(SimPoint point) noexcept {
  if (sim_point_hook != nullptr) [[unlikely]]
    sim_point_hook(point);
}

}  // namespace wandian
