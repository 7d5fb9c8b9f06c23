// WANDIAN_CO_TRY: as WANDIAN_TRY, in a coroutine.
#pragma once

#include <utility>

#include "storage/base/status.h"

/// Ends a Task<Status> with the Status of `expr` unless it is ok.
#define WANDIAN_CO_TRY(expr)                                                            \
  do {                                                                                  \
    ::wandian::Status wandian_co_status_ = (expr);                                      \
    if (!wandian_co_status_.ok()) [[unlikely]] co_return std::move(wandian_co_status_); \
  } while (false)
