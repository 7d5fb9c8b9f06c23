// What datetime() of a jsonpath makes of a string: a date or time with its type.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/functions/registry.h"
#include "sql/types/text_builder.h"

namespace wandian::sql {

struct JsonPathTime {
  Oid type = 0;                ///< date, time, timetz, timestamp or timestamptz
  std::int64_t value = 0;      ///< days of a date, otherwise µs; of timestamptz in UTC, of timetz in its own zone
  std::int32_t offset = 0;     ///< seconds east, of timetz and timestamptz
};

/// By a template, or by each of the forms of ISO 8601 that the standard lists. Errors are 22007, 22008.
Status jsonpath_time(std::string_view pattern, std::string_view text, JsonPathTime* out);
bool jsonpath_time(std::string_view text, JsonPathTime* out);
void write_jsonpath_time(const JsonPathTime& time, TextBuilder& out);

/// Nothing if the types do not compare; *refused if they do by the session's time zone alone and `with_zone` is false.
std::optional<int> compare_jsonpath_times(const FormatSettings& format, std::int64_t now, const JsonPathTime& a, const JsonPathTime& b, bool with_zone,
                                          Status* refused);

}  // namespace wandian::sql
