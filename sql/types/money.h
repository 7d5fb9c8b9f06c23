// The text of money (sql/functions/money.cc).
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace wandian::sql {

Status parse_money(std::string_view text, std::int64_t* out);
std::string money_text(std::int64_t cents);

}  // namespace wandian::sql
