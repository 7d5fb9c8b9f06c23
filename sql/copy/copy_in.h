// CopyIn: what the client sends while a COPY ... FROM STDIN is open, on its way to the coroutine that reads it.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace wandian::sql {

class CopyIn {
 public:
  enum class Event : std::uint8_t { kNone, kData, kDone, kFail };
  Event event = Event::kNone;
  std::string_view bytes;        ///< kData: good until the coroutine suspends
  std::string message;           ///< kFail
};

}  // namespace wandian::sql
