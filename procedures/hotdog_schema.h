// DDL of the extension `hotdog`, run by CREATE EXTENSION.
#pragma once

#include <string_view>

namespace wandian::procedures {

extern const std::string_view kHotdogSchema;

}  // namespace wandian::procedures
