// Assertions state what only our own bug can break; they stay on in release and end the process.
#pragma once

namespace wandian {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

#define DB_ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::wandian::assertion_failed(#expression, __FILE__, __LINE__))

#ifdef WANDIAN_DCHECK
#define DB_DCHECK(expression) DB_ASSERT(expression)
#else
#define DB_DCHECK(expression) static_cast<void>(sizeof(static_cast<bool>(expression)))
#endif
