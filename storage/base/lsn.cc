#include "storage/base/lsn.h"

#include <cstdio>

namespace wandian {

std::string to_string(Lsn lsn) {
  char text[40];
  std::snprintf(text, sizeof text, "%X/%X", static_cast<unsigned>(lsn.bytes >> 32),
                static_cast<unsigned>(lsn.bytes & 0xffffffffu));
  return text;
}

}  // namespace wandian
