#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "bench/day/workload.h"

namespace wandian::bench {

// The four calls of the day as pipelined Bind, Execute and Sync of a named statement, everything in binary, so that each
// is a transaction of its own. What a call needs is written straight to its place: no intermediate form, no allocation.

struct CallStatement {
  std::string_view name;   // one character
  std::string_view call;   // without the procedure's prefix
};
inline constexpr CallStatement kPlaceOrder{"o", "place_order($1::int4, $2::int8, $3::int8, $4::int4[], $5::int4[])"};
inline constexpr CallStatement kPayOrder{"p", "pay_order($1::int4, $2::int8, $3::int8, $4::int8)"};
inline constexpr CallStatement kCancelOrder{"c", "cancel_order($1::int4, $2::int8)"};
inline constexpr CallStatement kRestock{"r", "restock($1::int4, $2::int4, $3::int4)"};

/// No call takes more bytes than this.
inline constexpr std::size_t kLargestCall = 256;

// Writes big-endian fields at a pointer that the caller made room behind.
class CallWriter {
 public:
  explicit CallWriter(char* at) : begin_(at), at_(at) {}

  void start(const CallStatement& statement, std::uint16_t parameters) {
    *at_++ = 'B';
    length_at_ = at_;
    at_ += 4;
    *at_++ = '\0';               // the unnamed portal
    *at_++ = statement.name[0];
    *at_++ = '\0';
    put16(1);
    put16(1);                    // every parameter in binary
    put16(parameters);
  }
  void int4(std::uint32_t value) {
    put32(4);
    put32(value);
  }
  void int8(std::uint64_t value) {
    put32(8);
    put64(value);
  }
  void int4_array(const std::uint8_t* values, std::uint32_t count, std::uint32_t add) {
    put32(20 + 8 * count);
    put32(1);                    // dimensions
    put32(0);                    // no NULL in it
    put32(23);                   // int4
    put32(count);
    put32(1);                    // lower bound
    for (std::uint32_t i = 0; i < count; ++i) int4(values[i] + add);
  }
  /// Ends the Bind, appends Execute and Sync, and returns the bytes written in all.
  std::size_t finish() {
    put16(1);
    put16(1);                    // every result column in binary
    const auto length = static_cast<std::uint32_t>(at_ - length_at_);
    char* const end = std::exchange(at_, length_at_);
    put32(length);
    static constexpr char kExecuteSync[] = "E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04";
    std::memcpy(end, kExecuteSync, 15);
    return static_cast<std::size_t>(end + 15 - begin_);
  }

 private:
  void put16(std::uint16_t value) {
    value = __builtin_bswap16(value);
    std::memcpy(at_, &value, 2);
    at_ += 2;
  }
  void put32(std::uint32_t value) {
    value = __builtin_bswap32(value);
    std::memcpy(at_, &value, 4);
    at_ += 4;
  }
  void put64(std::uint64_t value) {
    value = __builtin_bswap64(value);
    std::memcpy(at_, &value, 8);
    at_ += 8;
  }

  char* begin_;
  char* at_;
  char* length_at_ = nullptr;
};

inline std::size_t write_place_order(char* at, const Order& order) {
  CallWriter call(at);
  call.start(kPlaceOrder, 5);
  call.int4(order.store + 1);
  call.int8(order.customer_id);
  call.int8(order.request_id);
  call.int4_array(order.item.data(), order.lines, 1);
  call.int4_array(order.quantity.data(), order.lines, 0);
  return call.finish();
}

/// The provider's reference is the order's request_id.
inline std::size_t write_pay_order(char* at, const Order& order, std::int64_t order_id) {
  CallWriter call(at);
  call.start(kPayOrder, 4);
  call.int4(order.store + 1);
  call.int8(static_cast<std::uint64_t>(order_id));
  call.int8(order.request_id);
  call.int8(static_cast<std::uint64_t>(order.total_cents));
  return call.finish();
}

inline std::size_t write_cancel_order(char* at, const Order& order, std::int64_t order_id) {
  CallWriter call(at);
  call.start(kCancelOrder, 2);
  call.int4(order.store + 1);
  call.int8(static_cast<std::uint64_t>(order_id));
  return call.finish();
}

inline std::size_t write_restock(char* at, std::uint32_t store, std::uint32_t item, std::uint32_t quantity) {
  CallWriter call(at);
  call.start(kRestock, 3);
  call.int4(store + 1);
  call.int4(item + 1);
  call.int4(quantity);
  return call.finish();
}

}  // namespace wandian::bench
