// A limit for large blocks that a test sets and takes away again.
#pragma once

#include <cstddef>

#include "storage/base/large_memory.h"

namespace wandian {

class RequestMemoryLimit {
 public:
  /// Beyond what is held now.
  explicit RequestMemoryLimit(std::size_t more) { large_memory::set_limit(large_memory::held() + more); }
  ~RequestMemoryLimit() { large_memory::set_limit(~std::size_t{0}); }
  RequestMemoryLimit(const RequestMemoryLimit&) = delete;
  RequestMemoryLimit& operator=(const RequestMemoryLimit&) = delete;
};

}  // namespace wandian
