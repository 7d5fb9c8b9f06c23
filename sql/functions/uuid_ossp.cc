// uuid-ossp: UUIDs by time, name and chance (RFC 4122).
#include <cstring>
#include <string>

#include "sql/functions/bindings.h"
#include "sql/functions/crypto_digest.h"
#include "sql/functions/extension_functions.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/datetime.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kUuidBytes = 16;
constexpr std::int64_t kGregorianToUnix = 122192928000000000;   // 100 ns from 1582-10-15 to 1970-01-01

bool give(EvalContext& ctx, std::string_view bytes, unsigned version, Value* result) {
  char* p = static_cast<char*>(ctx.arena.allocate(kUuidBytes, 8));
  std::memcpy(p, bytes.data(), kUuidBytes);
  if (version != 0) {
    p[6] = static_cast<char>((p[6] & 0x0f) | (version << 4));
    p[8] = static_cast<char>((p[8] & 0x3f) | 0x80);
  }
  *result = Value::of_bytes(p, kUuidBytes);
  return true;
}

template <unsigned char first, bool nil>
bool constant(EvalContext& ctx, const Value*, Value* result) {
  // 6ba7b81x-9dad-11d1-80b4-00c04fd430c8
  constexpr unsigned char kNamespace[] = {0x6b, 0xa7, 0xb8, first, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
  constexpr unsigned char kNil[kUuidBytes] = {};
  return give(ctx, {reinterpret_cast<const char*>(nil ? kNil : kNamespace), kUuidBytes}, 0, result);
}

template <bool own_node>
bool by_time(EvalContext& ctx, const Value*, Value* result) {
  // The node is drawn once a process, or each time; a drawn one says that it is a multicast address, which no card has.
  thread_local std::string process_node;
  if (process_node.empty()) process_node = random_bytes(ctx, 8);
  std::string node = own_node ? random_bytes(ctx, 8) : process_node;
  node[2] = static_cast<char>(node[2] | 0x03);
  // Two of the same microsecond differ in the 100 ns below it.
  thread_local std::uint64_t last = 0;
  std::uint64_t now = static_cast<std::uint64_t>((ctx.session->clock_timestamp() + static_cast<std::int64_t>(kEpochDays) * kDayMicros) * 10 + kGregorianToUnix);
  if (now <= last) now = last + 1;
  last = now;
  std::string bytes(kUuidBytes, '\0');
  const auto put = [&](std::size_t at, std::uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> (8 * (count - 1 - i)));
  };
  put(0, now & 0xffffffff, 4);
  put(4, now >> 32 & 0xffff, 2);
  put(6, now >> 48, 2);
  std::memcpy(bytes.data() + 8, node.data(), 8);
  return give(ctx, bytes, 1, result);
}

bool by_chance(EvalContext& ctx, const Value*, Value* result) { return give(ctx, random_bytes(ctx, kUuidBytes), 4, result); }

template <unsigned version>
bool by_name(EvalContext& ctx, const Value* args, Value* result) {
  std::string digest;
  (void)crypto_digest(version == 3 ? "md5" : "sha1", std::string(args[0].bytes()) + std::string(args[1].bytes()), &digest);
  return give(ctx, digest, version, result);
}

constexpr ExtensionSymbol kSymbols[] = {
    {"uuid_nil", constant<0, true>}, {"uuid_ns_dns", constant<0x10, false>}, {"uuid_ns_url", constant<0x11, false>},
    {"uuid_ns_oid", constant<0x12, false>}, {"uuid_ns_x500", constant<0x14, false>}, {"uuid_generate_v1", by_time<false>},
    {"uuid_generate_v1mc", by_time<true>}, {"uuid_generate_v3", by_name<3>}, {"uuid_generate_v4", by_chance}, {"uuid_generate_v5", by_name<5>},
};

}  // namespace

std::span<const ExtensionSymbol> uuid_ossp_symbols() { return kSymbols; }

}  // namespace wandian::sql
