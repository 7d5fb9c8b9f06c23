#include "storage/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace wandian {

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "PANIC: assertion failed: %s (%s:%d)\n", expression, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace wandian
