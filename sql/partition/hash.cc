#include "sql/partition/hash.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "engine/array_value.h"
#include "engine/numeric.h"
#include "engine/type.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

struct State {
  std::uint32_t a, b, c;

  State(std::uint32_t length, std::uint64_t seed) {
    a = b = c = 0x9e3779b9u + length + 3923095u;
    if (seed == 0) return;
    a += static_cast<std::uint32_t>(seed >> 32);
    b += static_cast<std::uint32_t>(seed);
    mix();
  }
  void mix() {
    a -= c, a ^= std::rotl(c, 4), c += b;
    b -= a, b ^= std::rotl(a, 6), a += c;
    c -= b, c ^= std::rotl(b, 8), b += a;
    a -= c, a ^= std::rotl(c, 16), c += b;
    b -= a, b ^= std::rotl(a, 19), a += c;
    c -= b, c ^= std::rotl(b, 4), b += a;
  }
  std::uint64_t finish() {
    c ^= b, c -= std::rotl(b, 14);
    a ^= c, a -= std::rotl(c, 11);
    b ^= a, b -= std::rotl(a, 25);
    c ^= b, c -= std::rotl(b, 16);
    a ^= c, a -= std::rotl(c, 4);
    b ^= a, b -= std::rotl(a, 14);
    c ^= b, c -= std::rotl(b, 24);
    return static_cast<std::uint64_t>(b) << 32 | c;
  }
};

std::uint32_t word(const unsigned char* k) {
  return k[0] | static_cast<std::uint32_t>(k[1]) << 8 | static_cast<std::uint32_t>(k[2]) << 16 | static_cast<std::uint32_t>(k[3]) << 24;
}

std::uint64_t hash_int64(std::int64_t value, std::uint64_t seed) {
  // int8 hashes as the int4 of the same value does, where there is one.
  auto low = static_cast<std::uint32_t>(value);
  const auto high = static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) >> 32);
  low ^= value >= 0 ? high : ~high;
  return hash_uint32_extended(low, seed);
}

std::uint64_t hash_double(double value, std::uint64_t seed) {
  if (value == 0) return seed;   // -0 and 0 are equal
  if (std::isnan(value)) value = std::bit_cast<double>(0x7ff8000000000000ull);
  char bytes[8];
  std::memcpy(bytes, &value, 8);
  return hash_bytes_extended({bytes, 8}, seed);
}

std::uint64_t hash_numeric_value(const Value& value, std::uint64_t seed) {
  const Numeric number = load_numeric(value);
  if (!number.finite()) return seed;
  std::size_t begin = 0, end = number.digits.size();
  std::int32_t weight = number.weight;
  while (begin < end && number.digits[begin] == 0) ++begin, --weight;
  if (begin == end) return seed - 1;
  while (number.digits[end - 1] == 0) --end;
  const std::string_view digits(reinterpret_cast<const char*>(number.digits.data() + begin), (end - begin) * sizeof(std::int16_t));
  return hash_bytes_extended(digits, seed) ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(weight));
}

std::uint64_t hash_interval_value(const Value& value, std::uint64_t seed) {
  return hash_int64(static_cast<std::int64_t>(interval_span(value)), seed);
}

std::uint64_t hash_array_value(const Value& value, std::uint64_t seed) {
  const ArrayView array(value);
  std::uint64_t result = 1;
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    const Value element = array.element(i);
    const std::uint64_t hash = element.is_null ? 0 : extended_hash(array.element_type(), element, seed);
    result = (result << 5) - result + hash;
  }
  return result;
}

}  // namespace

std::uint64_t hash_bytes_extended(std::string_view bytes, std::uint64_t seed) {
  const auto* k = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  State state(static_cast<std::uint32_t>(bytes.size()), seed);
  for (; left >= 12; left -= 12, k += 12) {
    state.a += word(k);
    state.b += word(k + 4);
    state.c += word(k + 8);
    state.mix();
  }
  // The lowest byte of c is left for the length.
  for (std::size_t i = 0; i < left; ++i) {
    const std::uint32_t byte = k[i];
    if (i < 4) state.a += byte << (8 * i);
    else if (i < 8) state.b += byte << (8 * (i - 4));
    else state.c += byte << (8 * (i - 7));
  }
  return state.finish();
}

std::uint64_t hash_uint32_extended(std::uint32_t value, std::uint64_t seed) {
  State state(4, seed);
  state.a += value;
  return state.finish();
}

bool has_extended_hash(Oid type) {
  type = base_type(type);
  switch (type) {
    case kBool: case kChar: case kInt2: case kInt4: case kInt8: case kOid: case kFloat4: case kFloat8: case kNumeric: case kText: case kVarchar:
    case kBpchar: case kName: case kBytea: case kUuid: case kDate: case kTime: case kTimestamp: case kTimestamptz: case kInterval: case kPgLsn:
    case kMacaddr: return true;
    default: break;
  }
  const TypeInfo* info = find_type(type);
  if (info == nullptr) return false;
  if (info->kind == 'e') return true;
  return info->category == 'A' && info->element != 0 && has_extended_hash(info->element);
}

std::uint64_t extended_hash(Oid type, const Value& value, std::uint64_t seed) {
  type = base_type(type);
  switch (type) {
    // An integer hashes alike whatever its width, so that one of a wider type finds its partition, too.
    case kInt2: case kInt4: return hash_int64(value.i, seed);
    case kBool: case kDate: case kOid: return hash_uint32_extended(static_cast<std::uint32_t>(value.i), seed);
    case kUuid: return hash_bytes_extended({value.p, 16}, seed);
    case kChar: return hash_uint32_extended(static_cast<std::uint32_t>(static_cast<std::int8_t>(value.i)), seed);
    case kInt8: case kTime: case kTimestamp: case kTimestamptz: case kPgLsn: return hash_int64(value.i, seed);
    case kFloat4: case kFloat8: return hash_double(value.d, seed);
    case kNumeric: return hash_numeric_value(value, seed);
    case kInterval: return hash_interval_value(value, seed);
    case kMacaddr: {
      char bytes[6];
      for (int i = 0; i < 6; ++i) bytes[i] = static_cast<char>(value.i >> (8 * (5 - i)));
      return hash_bytes_extended({bytes, 6}, seed);
    }
    case kBpchar: {
      std::string_view text = value.bytes();
      while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
      return hash_bytes_extended(text, seed);
    }
    default: break;
  }
  const TypeInfo* info = find_type(type);
  if (info != nullptr && info->kind == 'e') return hash_int64(value.i, seed);
  if (info != nullptr && info->category == 'A' && info->element != 0) return hash_array_value(value, seed);
  return hash_bytes_extended(value.bytes(), seed);
}

}  // namespace wandian::sql
