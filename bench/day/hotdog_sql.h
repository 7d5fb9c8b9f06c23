#pragma once

#include <string_view>

namespace wandian::bench {

/// bench/postgres/hotdog.sql, embedded by the build.
extern const std::string_view kHotdogSql;

}  // namespace wandian::bench
