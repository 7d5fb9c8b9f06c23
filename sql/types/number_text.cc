#include "sql/types/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>

namespace wandian::sql {

namespace {

constexpr auto kDigitPairs = [] {
  struct {
    char text[200];
  } table{};
  for (int i = 0; i < 100; ++i) {
    table.text[2 * i] = static_cast<char>('0' + i / 10);
    table.text[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return table;
}();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return (x | 0x20) == y; });
}

char* write_word(std::string_view word, char* out) {
  std::memcpy(out, word.data(), word.size());
  return out + word.size();
}

template <class T>
bool write_special(T value, char** out) {
  if (std::isnan(value)) *out = write_word("NaN", *out);
  else if (std::isinf(value)) *out = write_word(value < 0 ? "-Infinity" : "Infinity", *out);
  else return false;
  return true;
}

// Whether a decimal number lies exactly between two neighbouring floating-point numbers: then PostgreSQL, unlike to_chars, does
// not take it for either. Only whole numbers of few digits can, since a half between two small ones has too many.
template <class T>
bool halfway(T value, const char* digits, int count, int exponent) {
  constexpr int kBits = std::numeric_limits<T>::digits;
  int binary;
  const auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(std::fabs(static_cast<double>(value)), &binary), kBits));
  binary -= kBits;
  const int k = exponent - count + 1;
  if (binary < 1 || k < 0 || k > 27) return false;
  __extension__ typedef unsigned __int128 Wide;
  Wide scaled = 0;
  for (int i = 0; i < count; ++i) scaled = scaled * 10 + static_cast<unsigned>(digits[i] - '0');
  for (int i = 0; i < k; ++i)
    if (__builtin_mul_overflow(scaled, Wide{5}, &scaled)) return false;
  const int shift = binary - 1 - k;
  if (shift > 70 || shift < -60) return false;
  for (const std::uint64_t middle : {2 * mantissa - 1, 2 * mantissa + 1}) {
    const Wide other = shift >= 0 ? Wide{middle} << shift : Wide{middle};
    if (other == (shift >= 0 ? scaled : scaled << -shift)) return true;
  }
  return false;
}

// Shortest digits, laid out with PostgreSQL's rule: an exponent below -4 or from `limit` on is written as one.
template <class T>
char* write_shortest(T value, int limit, char* out) {
  if (write_special(value, &out)) return out;
  if (value == 0) {
    if (std::signbit(value)) *out++ = '-';
    *out++ = '0';
    return out;
  }
  char digits[24];
  int count = 0;
  int exponent = 0;
  bool negative = false;
  const auto take_apart = [&](const char* p, const char* end) {
    negative = *p == '-';
    if (negative) ++p;
    count = 0;
    for (; *p != 'e'; ++p)
      if (*p != '.') digits[count++] = *p;
    ++p;
    const bool negative_exponent = *p == '-';
    exponent = 0;
    for (++p; p != end; ++p) exponent = exponent * 10 + (*p - '0');
    if (negative_exponent) exponent = -exponent;
  };
  char text[48];
  take_apart(text, std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr);
  constexpr int kMostDigits = std::numeric_limits<T>::max_digits10;
  constexpr int kFirstExponent = kMostDigits - (sizeof(T) == 8 ? 1 : 2);   // of 2^53, 2^24
  if (exponent >= kFirstExponent && halfway(value, digits, count, exponent)) [[unlikely]] {
    for (int precision = count; precision < kMostDigits; ++precision) {
      const char* end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, precision).ptr;
      T back = 0;
      std::from_chars(text, end, back);
      take_apart(text, end);
      if (back == value && !halfway(value, digits, count, exponent)) break;
    }
    while (count > 1 && digits[count - 1] == '0') --count;
  }
  if (negative) *out++ = '-';
  if (exponent < -4 || exponent >= limit) {
    *out++ = digits[0];
    if (count > 1) {
      *out++ = '.';
      out = write_word({digits + 1, static_cast<std::size_t>(count - 1)}, out);
    }
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    return write_padded(static_cast<std::uint32_t>(std::abs(exponent)), 2, out);
  }
  if (exponent < 0) {
    out = write_word("0.", out);
    for (int i = -1; i > exponent; --i) *out++ = '0';
    return write_word({digits, static_cast<std::size_t>(count)}, out);
  }
  for (int i = 0; i <= exponent; ++i) *out++ = i < count ? digits[i] : '0';
  if (count > exponent + 1) {
    *out++ = '.';
    out = write_word({digits + exponent + 1, static_cast<std::size_t>(count - exponent - 1)}, out);
  }
  return out;
}

template <class T>
char* write_rounded(T value, int significant, char* out) {
  if (write_special(value, &out)) return out;
  return std::to_chars(out, out + kNumberTextBytes, static_cast<double>(value), std::chars_format::general,
                       std::max(significant, 1))
      .ptr;
}

Status out_of_range(std::string_view text, std::string_view type_name) {
  return {sqlstate::numeric_value_out_of_range,
          "value \"" + std::string(text) + "\" is out of range for type " + std::string(type_name)};
}

template <class T>
Status parse_floating(std::string_view text, std::string_view type_name, T* out) {
  const std::string_view body = trim_blanks(text);
  std::string_view rest = body;
  bool negative = false;
  if (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) {
    negative = rest.front() == '-';
    rest.remove_prefix(1);
  }
  if (equals_ignoring_case(rest, "infinity") || equals_ignoring_case(rest, "inf")) {
    *out = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return {};
  }
  if (equals_ignoring_case(body, "nan")) {
    *out = std::numeric_limits<T>::quiet_NaN();
    return {};
  }
  if (rest.empty() || !(is_digit(rest.front()) || rest.front() == '.')) return invalid_input(type_name, text);
  auto format = std::chars_format::general;
  if (rest.size() > 2 && rest[0] == '0' && (rest[1] | 0x20) == 'x') {
    rest.remove_prefix(2);
    format = std::chars_format::hex;
  }
  T value = 0;
  const auto result = std::from_chars(rest.data(), rest.data() + rest.size(), value, format);
  if (result.ptr != rest.data() + rest.size() || result.ec == std::errc::invalid_argument)
    return invalid_input(type_name, text);
  if (result.ec == std::errc::result_out_of_range)
    return {sqlstate::numeric_value_out_of_range,
            "\"" + std::string(body) + "\" is out of range for type " + std::string(type_name)};
  *out = negative ? -value : value;
  return {};
}

}  // namespace

char* write_uint(std::uint64_t value, char* out) {
  char text[20];
  char* p = text + sizeof text;
  while (value >= 100) {
    p -= 2;
    std::memcpy(p, kDigitPairs.text + 2 * (value % 100), 2);
    value /= 100;
  }
  if (value >= 10) {
    p -= 2;
    std::memcpy(p, kDigitPairs.text + 2 * value, 2);
  } else {
    *--p = static_cast<char>('0' + value);
  }
  const auto size = static_cast<std::size_t>(text + sizeof text - p);
  std::memcpy(out, p, size);
  return out + size;
}

char* write_int(std::int64_t value, char* out) {
  if (value >= 0) return write_uint(static_cast<std::uint64_t>(value), out);
  *out = '-';
  return write_uint(0 - static_cast<std::uint64_t>(value), out + 1);
}

char* write_padded(std::uint32_t value, int width, char* out) {
  if (width == 2 && value < 100) {
    std::memcpy(out, kDigitPairs.text + 2 * value, 2);
    return out + 2;
  }
  char text[12];
  char* end = write_uint(value, text);
  for (auto n = static_cast<int>(end - text); n < width; ++n) *out++ = '0';
  return write_word({text, static_cast<std::size_t>(end - text)}, out);
}

char* write_double(double value, int extra_float_digits, char* out) {
  return extra_float_digits > 0 ? write_shortest(value, 15, out) : write_rounded(value, 15 + extra_float_digits, out);
}
char* write_float(float value, int extra_float_digits, char* out) {
  return extra_float_digits > 0 ? write_shortest(value, 6, out) : write_rounded(value, 6 + extra_float_digits, out);
}

Status parse_int(std::string_view text, std::int64_t min, std::int64_t max, std::string_view type_name,
                 std::int64_t* out) {
  const std::string_view body = trim_blanks(text);
  std::size_t i = 0;
  bool negative = false;
  if (!body.empty() && (body[0] == '-' || body[0] == '+')) negative = body[i++] == '-';
  if (i == body.size()) return invalid_input(type_name, text);
  std::int64_t value = 0;   // kept negative: its range is the wider one
  bool overflow = false;
  for (; i < body.size(); ++i) {
    if (!is_digit(body[i])) return invalid_input(type_name, text);
    overflow = __builtin_mul_overflow(value, std::int64_t{10}, &value) || __builtin_sub_overflow(value, std::int64_t{body[i] - '0'}, &value);
    // Whatever comes after the digit that is too much.
    if (overflow || (negative ? value < min : value < -max)) return out_of_range(text, type_name);
  }
  if (!negative) value = -value;
  if (value < min || value > max) return out_of_range(text, type_name);
  *out = value;
  return {};
}

Status parse_oid(std::string_view text, std::string_view type_name, std::int64_t* out) {
  std::int64_t value;
  WANDIAN_TRY(parse_int(text, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::uint32_t>::max(),
                        type_name, &value));
  *out = static_cast<std::uint32_t>(value);
  return {};
}

std::int64_t parse_xid(std::string_view text) {
  const std::string copy(text);
  return static_cast<std::uint32_t>(std::strtoull(copy.c_str(), nullptr, 0));
}

std::int64_t parse_xid8(std::string_view text) {
  const std::string copy(text);
  return static_cast<std::int64_t>(std::strtoull(copy.c_str(), nullptr, 0));
}

Status parse_double(std::string_view text, double* out) { return parse_floating(text, "double precision", out); }
Status parse_float(std::string_view text, float* out) { return parse_floating(text, "real", out); }

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool more_than_blanks(std::string_view text, std::size_t most) {
  if (text.size() <= most) return false;
  std::size_t bytes = 0;
  for (const char c : text)
    if (!is_blank(c) && ++bytes > most) return true;
  return false;
}

Status invalid_input(std::string_view type_name, std::string_view text) {
  return {sqlstate::invalid_text_representation,
          "invalid input syntax for type " + std::string(type_name) + ": \"" + std::string(text) + "\""};
}

}  // namespace wandian::sql
