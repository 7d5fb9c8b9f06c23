// time with time zone. Held as 16 bytes whose order is PostgreSQL's: the instant in µs of the day in UTC, then the zone, west after east.
// Thread:  pure functions; memory comes from the arena.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/arena.h"
#include "engine/value.h"
#include "sql/functions/registry.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct TimeTz {
  std::int64_t micros = 0;    ///< of the day, on the clock of its zone
  std::int32_t offset = 0;    ///< seconds east
};

TimeTz load_timetz(const Value& value);
Value store_timetz(const TimeTz& time, Arena& arena);
/// sql/types/datetime_parse.cc. Without a zone: the session's, as it is at `now` or on the date that is given.
Status parse_timetz(const FormatSettings& format, std::int64_t now, std::string_view text, TimeTz* out);
char* write_timetz(const TimeTz& time, char* out);

}  // namespace wandian::sql
