// One element of a composite or range literal, as record_in() and range_in() of PostgreSQL read it.
// Thread:  pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace wandian::sql {

/// Reads from `at` to the first character outside of quotes for which `ends` holds, without quotes and backslashes. False: the text
/// ends first.
template <class Ends>
bool take_quoted_element(std::string_view text, std::size_t* at, std::string* out, Ends&& ends) {
  bool quoted = false;
  while (quoted || *at >= text.size() || !ends(text[*at])) {
    if (*at >= text.size()) return false;
    const char c = text[(*at)++];
    if (c == '\\') {
      if (*at >= text.size()) return false;
      out->push_back(text[(*at)++]);
    } else if (c == '"') {
      if (!quoted) {
        quoted = true;
      } else if (*at < text.size() && text[*at] == '"') {
        out->push_back('"');
        ++*at;
      } else {
        quoted = false;
      }
    } else {
      out->push_back(c);
    }
  }
  return true;
}

}  // namespace wandian::sql
