// Functions and operators of network addresses.
#include "sql/functions/bindings.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/network.h"

namespace wandian::sql {

namespace {

bool store(EvalContext& ctx, const NetworkAddress& address, Value* result) {
  *result = store_network(address, ctx.arena);
  return true;
}
bool different_sizes(EvalContext& ctx, const char* what) {
  return ctx.fail({sqlstate::invalid_parameter_value, std::string("cannot ") + what + " inet values of different sizes"});
}

// Whether one network is within another (strictly: of a longer mask).
bool within(const NetworkAddress& inner, const NetworkAddress& outer, bool strict) {
  if (inner.v6 != outer.v6 || (strict ? inner.bits <= outer.bits : inner.bits < outer.bits)) return false;
  return inner.masked(outer.bits).bytes == outer.masked(outer.bits).bytes;
}
template <bool strict, bool swapped>
bool contained(EvalContext&, const Value* args, Value* result) {
  return return_bool(result, within(load_network(args[swapped ? 1 : 0]), load_network(args[swapped ? 0 : 1]), strict));
}
bool overlap(EvalContext&, const Value* args, Value* result) {
  const NetworkAddress a = load_network(args[0]);
  const NetworkAddress b = load_network(args[1]);
  const unsigned bits = std::min(a.bits, b.bits);
  return return_bool(result, a.v6 == b.v6 && a.masked(bits).bytes == b.masked(bits).bytes);
}

bool host(EvalContext& ctx, const Value* args, Value* result) { return return_text(ctx, result, address_text(load_network(args[0]))); }
bool show(EvalContext& ctx, const Value* args, Value* result) { return return_text(ctx, result, network_text(load_network(args[0]), true)); }
bool abbreviate(EvalContext& ctx, const Value* args, Value* result) { return return_text(ctx, result, network_text(load_network(args[0]), false)); }
// 10.1/16: the octets that the mask covers.
bool abbreviate_cidr(EvalContext& ctx, const Value* args, Value* result) {
  const NetworkAddress address = load_network(args[0]);
  if (address.v6) return return_text(ctx, result, network_text(address, true));
  std::string out;
  const unsigned octets = std::max(1u, (address.bits + 7u) / 8);
  for (unsigned i = 0; i < octets; ++i) out += (i == 0 ? "" : ".") + std::to_string(address.bytes[i]);
  return return_text(ctx, result, out + "/" + std::to_string(address.bits));
}
bool broadcast(EvalContext& ctx, const Value* args, Value* result) {
  const NetworkAddress address = load_network(args[0]);
  return store(ctx, address.masked(address.bits, true), result);
}
bool network(EvalContext& ctx, const Value* args, Value* result) {
  const NetworkAddress address = load_network(args[0]);
  return store(ctx, address.masked(address.bits), result);
}
template <bool of_host>
bool mask(EvalContext& ctx, const Value* args, Value* result) {
  const NetworkAddress address = load_network(args[0]);
  NetworkAddress out;
  out.v6 = address.v6;
  out.bits = static_cast<std::uint8_t>(out.most_bits());
  if (of_host) return store(ctx, out.masked(address.bits, true), result);
  NetworkAddress ones = out.masked(0, true);
  return store(ctx, ones.masked(address.bits), result);
}
bool family(EvalContext&, const Value* args, Value* result) { return return_int(result, load_network(args[0]).v6 ? 6 : 4); }
bool mask_length(EvalContext&, const Value* args, Value* result) { return return_int(result, load_network(args[0]).bits); }
template <bool cidr>
bool set_mask_length(EvalContext& ctx, const Value* args, Value* result) {
  NetworkAddress address = load_network(args[0]);
  const std::int64_t bits = args[1].i == -1 ? static_cast<std::int64_t>(address.most_bits()) : args[1].i;
  if (bits < 0 || bits > static_cast<std::int64_t>(address.most_bits()))
    return ctx.fail({sqlstate::invalid_parameter_value, "invalid mask length: " + std::to_string(bits)});
  address.bits = static_cast<std::uint8_t>(bits);
  return store(ctx, cidr ? address.masked(address.bits) : address, result);
}
bool same_family(EvalContext&, const Value* args, Value* result) { return return_bool(result, load_network(args[0]).v6 == load_network(args[1]).v6); }
bool merge(EvalContext& ctx, const Value* args, Value* result) {
  NetworkAddress a = load_network(args[0]);
  const NetworkAddress b = load_network(args[1]);
  if (a.v6 != b.v6) return ctx.fail({sqlstate::invalid_parameter_value, "cannot merge addresses from different families"});
  unsigned bits = std::min(a.bits, b.bits);
  while (bits > 0 && a.masked(bits).bytes != b.masked(bits).bytes) --bits;
  a.bits = static_cast<std::uint8_t>(bits);
  return store(ctx, a.masked(bits), result);
}

bool invert(EvalContext& ctx, const Value* args, Value* result) {
  NetworkAddress address = load_network(args[0]);
  for (std::size_t i = 0; i < address.size(); ++i) address.bytes[i] = static_cast<std::uint8_t>(~address.bytes[i]);
  return store(ctx, address, result);
}
template <bool both>
bool combine(EvalContext& ctx, const Value* args, Value* result) {
  NetworkAddress a = load_network(args[0]);
  const NetworkAddress b = load_network(args[1]);
  if (a.v6 != b.v6) return different_sizes(ctx, both ? "AND" : "OR");
  for (std::size_t i = 0; i < a.size(); ++i) a.bytes[i] = static_cast<std::uint8_t>(both ? a.bytes[i] & b.bytes[i] : a.bytes[i] | b.bytes[i]);
  a.bits = std::max(a.bits, b.bits);
  return store(ctx, a, result);
}

bool add(EvalContext& ctx, NetworkAddress address, std::int64_t number, Value* result) {
  // Byte by byte from the end; the number's sign fills what is above it.
  std::int64_t carry = 0;
  std::int64_t rest = number;
  for (std::size_t i = address.size(); i-- > 0;) {
    const std::int64_t sum = address.bytes[i] + (rest & 0xff) + carry;
    address.bytes[i] = static_cast<std::uint8_t>(sum & 0xff);
    carry = sum >> 8;
    rest >>= 8;
  }
  // All of the number is used, and nothing is carried out but for a negative one.
  const bool fits = number >= 0 ? carry == 0 && rest == 0 : carry == 1 && rest == -1;
  if (!fits) return ctx.fail({sqlstate::numeric_value_out_of_range, "result is out of range"});
  return store(ctx, address, result);
}
bool plus(EvalContext& ctx, const Value* args, Value* result) { return add(ctx, load_network(args[0]), args[1].i, result); }
bool plus_swapped(EvalContext& ctx, const Value* args, Value* result) { return add(ctx, load_network(args[1]), args[0].i, result); }
bool minus(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].i == INT64_MIN) return ctx.fail({sqlstate::numeric_value_out_of_range, "result is out of range"});
  return add(ctx, load_network(args[0]), -args[1].i, result);
}
bool distance(EvalContext& ctx, const Value* args, Value* result) {
  const NetworkAddress a = load_network(args[0]);
  const NetworkAddress b = load_network(args[1]);
  if (a.v6 != b.v6) return different_sizes(ctx, "subtract");
  __extension__ typedef __int128 Wide;
  __extension__ typedef unsigned __int128 Bits;
  int borrow = 0;
  Bits bits = 0;
  for (std::size_t i = a.size(), place = 0; i-- > 0; ++place) {
    int d = a.bytes[i] - b.bytes[i] - borrow;
    borrow = d < 0 ? 1 : 0;
    bits |= static_cast<Bits>(static_cast<std::uint8_t>(d)) << (8 * place);
  }
  if (borrow != 0 && !a.v6) bits |= ~static_cast<Bits>(0) << 32;
  const Wide difference = static_cast<Wide>(bits);
  const bool sign_fits = a.v6 ? (difference < 0) == (borrow != 0) : true;
  if (!sign_fits || difference > INT64_MAX || difference < INT64_MIN) return ctx.fail({sqlstate::numeric_value_out_of_range, "result is out of range"});
  return return_int(result, static_cast<std::int64_t>(difference));
}
template <bool larger>
bool extreme(EvalContext&, const Value* args, Value* result) {
  const bool first = compare_values(Order::kBytes, args[0], args[1]) > 0;
  *result = args[first == larger ? 0 : 1];
  return true;
}
bool hash(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int32_t>(hash_value(Order::kBytes, args[0])));
}

bool peer_address(EvalContext& ctx, const std::optional<std::string>& text, Value* result) {
  NetworkAddress address;
  if (!text || !parse_network(*text, false, &address).ok()) return return_null(result);
  return store(ctx, address, result);
}
bool client_address(EvalContext& ctx, const Value*, Value* result) { return peer_address(ctx, ctx.session->client_address(), result); }
bool server_address(EvalContext& ctx, const Value*, Value* result) { return peer_address(ctx, ctx.session->server_address(), result); }

constexpr std::int64_t kMacBits = 0xffffffffffff;
bool invert_mac(EvalContext&, const Value* args, Value* result) { return return_int(result, ~args[0].i & kMacBits); }
bool and_mac(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i & args[1].i); }
bool or_mac(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i | args[1].i); }
// The maker's part of it.
bool truncate_mac(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i & ~std::int64_t{0xffffff}); }

bool invert_mac8(EvalContext&, const Value* args, Value* result) { return return_int(result, ~args[0].i); }
bool truncate_mac8(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i & ~std::int64_t{0xffffffffff}); }
bool set_seventh_bit(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].i | std::int64_t{0x02} << 56); }
bool mac_to_mac8(EvalContext&, const Value* args, Value* result) {
  return return_int(result, (args[0].i & 0xffffff000000) << 16 | 0xfffe000000 | (args[0].i & 0xffffff));
}
bool mac8_to_mac(EvalContext& ctx, const Value* args, Value* result) {
  if ((args[0].i & 0xffff000000) != 0xfffe000000)
    return ctx.fail(Status{sqlstate::numeric_value_out_of_range, "macaddr8 data out of range to convert to macaddr"}.with_hint(
        "Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to "
        "be converted from macaddr8 to macaddr."));
  return return_int(result, (args[0].i >> 16 & 0xffffff000000) | (args[0].i & 0xffffff));
}

constexpr FunctionBinding kBindings[] = {
    {"macaddr8_not", invert_mac8}, {"macaddr8_and", and_mac}, {"macaddr8_or", or_mac}, {"macaddr8_trunc", truncate_mac8},
    {"macaddr8_set7bit", set_seventh_bit}, {"macaddrtomacaddr8", mac_to_mac8}, {"macaddr8tomacaddr", mac8_to_mac},
    {"network_sub", contained<true, false>},
    {"network_subeq", contained<false, false>},
    {"network_sup", contained<true, true>},
    {"network_supeq", contained<false, true>},
    {"network_overlap", overlap},
    {"network_host", host},
    {"network_show", show},
    {"inet_abbrev", abbreviate},
    {"cidr_abbrev", abbreviate_cidr},
    {"network_broadcast", broadcast},
    {"network_network", network},
    {"network_netmask", mask<false>},
    {"network_hostmask", mask<true>},
    {"network_family", family},
    {"network_masklen", mask_length},
    {"inet_set_masklen", set_mask_length<false>},
    {"cidr_set_masklen", set_mask_length<true>},
    {"inet_same_family", same_family},
    {"inet_merge", merge},
    {"inet_to_cidr", network},
    {"inetnot", invert},
    {"inetand", combine<true>},
    {"inetor", combine<false>},
    {"inetpl", plus},
    {"int8pl_inet(int8,inet)", plus_swapped},
    {"inetmi_int8", minus},
    {"inetmi", distance},
    {"network_smaller", extreme<false>},
    {"network_larger", extreme<true>},
    {"hashinet", hash},
    {"inet_client_addr", client_address},
    {"inet_server_addr", server_address},
    {"macaddr_not", invert_mac},
    {"macaddr_and", and_mac},
    {"macaddr_or", or_mac},
    {"macaddr_trunc", truncate_mac},
};

}  // namespace

std::span<const FunctionBinding> network_bindings() { return kBindings; }

}  // namespace wandian::sql
