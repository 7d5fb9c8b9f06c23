// ASCII armor (RFC 4880, section 6): a message as text, with headers before it and a checksum after it.
// Thread:  any.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/functions/pgp/fault.h"

namespace wandian::sql::pgp {

using ArmorHeaders = std::vector<std::pair<std::string_view, std::string_view>>;

std::string armor(std::string_view data, const ArmorHeaders& headers);
/// kCorruptArmor.
Fault dearmor(std::string_view text, std::string* out);
Fault armor_headers(std::string_view text, ArmorHeaders* out);

}  // namespace wandian::sql::pgp
