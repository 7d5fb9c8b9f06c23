// How the session's files wait and return from coroutines.
#pragma once

#include <exception>
#include <new>
#include <optional>
#include <type_traits>

#include "sql/co_try.h"
#include "sql/session_impl.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

template <class Body>
Poll SessionImpl::call(Body&& body) {
  in_call_ = true;
  const TypeCatalogScope types(this);
  Poll poll;
  try {
    poll = body();
  } catch (const std::bad_alloc&) {
    poll = fail_call(Status{sqlstate::out_of_memory, "out of memory"});
  }
  in_call_ = false;
  return poll;
}

template <class T>
Task<T> SessionImpl::settled(Task<T> task) {
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await task;
    } catch (...) {
      failure = std::current_exception();
    }
    co_await park(Parked::kNextCall);
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> result;
    try {
      result.emplace(co_await task);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await park(Parked::kNextCall);
    if (failure) std::rethrow_exception(failure);
    co_return std::move(*result);
  }
}

}  // namespace wandian::sql
