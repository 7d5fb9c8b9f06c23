// Numeric's text form and numeric(p,s).
#include <algorithm>
#include <limits>

#include "engine/numeric_stored.h"

namespace wandian {

using namespace numeric_detail;

namespace {

Status invalid_text(std::string_view text) {
  return {sqlstate::invalid_text_representation,
          "invalid input syntax for type numeric: \"" + std::string(text) + "\""};
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool equals_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) { return (x | 0x20) == y; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Status parse_numeric(std::string_view original, Numeric* out) {
  const std::string_view text = trim(original);
  std::size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '+' || text[i] == '-')) negative = text[i++] == '-';
  *out = Numeric{};
  if (i < text.size() && !is_digit(text[i]) && text[i] != '.') {
    const std::string_view word = text.substr(i);
    if (i == 0 && equals_ignoring_case(word, "nan")) {
      out->kind = Numeric::Kind::kNan;
      return {};
    }
    if (equals_ignoring_case(word, "infinity") || equals_ignoring_case(word, "inf")) {
      out->kind = infinity(negative);
      return {};
    }
    return invalid_text(original);
  }
  // The digits without the point, and where the point was.
  const std::size_t begin = i;
  std::int64_t integer_digits = -1;
  std::size_t digit_count = 0;
  for (; i < text.size(); ++i) {
    if (is_digit(text[i])) {
      ++digit_count;
    } else if (text[i] == '.' && integer_digits < 0) {
      integer_digits = static_cast<std::int64_t>(digit_count);
    } else {
      break;
    }
  }
  const std::size_t end = i;
  if (digit_count == 0) return invalid_text(original);
  if (integer_digits < 0) integer_digits = static_cast<std::int64_t>(digit_count);
  std::int64_t scale = static_cast<std::int64_t>(digit_count) - integer_digits;
  if (i < text.size()) {
    if ((text[i] | 0x20) != 'e') return invalid_text(original);
    ++i;
    bool exponent_negative = false;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) exponent_negative = text[i++] == '-';
    if (i == text.size()) return invalid_text(original);
    std::int64_t exponent = 0;
    for (; i < text.size(); ++i) {
      if (!is_digit(text[i])) return invalid_text(original);
      exponent = std::min<std::int64_t>(exponent * 10 + (text[i] - '0'), 4'000'000'000);
    }
    if (exponent >= std::numeric_limits<std::int32_t>::max() / 2) return out_of_range();
    if (exponent_negative) exponent = -exponent;
    integer_digits += exponent;
    scale -= exponent;
  }
  if (scale < 0) scale = 0;
  if (integer_digits > 4 * (Numeric::kMaxWeight + 1) + static_cast<std::int64_t>(digit_count)) {
    // Only leading zeros could bring such a number back into range.
    bool all_zero = true;
    for (std::size_t k = begin; k < end; ++k) all_zero = all_zero && (text[k] == '0' || text[k] == '.');
    if (!all_zero) return out_of_range();
    integer_digits = 0;
  }
  if (scale > Numeric::kMaxScale) return out_of_range();
  out->dscale = static_cast<std::int32_t>(scale);
  out->negative = negative;
  // The first base digit may hold fewer than four decimal ones.
  const std::int64_t weight = integer_digits > 0 ? (integer_digits - 1) / 4 : -((-integer_digits) / 4 + 1);
  const auto lead = static_cast<std::size_t>((weight + 1) * 4 - integer_digits);
  out->weight = static_cast<std::int32_t>(weight);
  out->digits.reserve((digit_count + lead + 3) / 4);
  int current = 0;
  std::size_t filled = lead;
  for (std::size_t k = begin; k < end; ++k) {
    if (text[k] == '.') continue;
    current = current * 10 + (text[k] - '0');
    if (++filled == 4) {
      out->digits.push_back(static_cast<std::int16_t>(current));
      current = 0;
      filled = 0;
    }
  }
  if (filled > 0) {
    for (; filled < 4; ++filled) current *= 10;
    out->digits.push_back(static_cast<std::int16_t>(current));
  }
  out->normalize();
  if (out->weight > Numeric::kMaxWeight) return out_of_range();
  return {};
}

Status numeric_from_text(std::string_view text, std::int32_t typmod, Arena& arena, Value* out) {
  // Up to 16 digits with at most one point: no exponent, no words.
  if (text.size() <= 18 && !text.empty()) {
    std::size_t i = text[0] == '-' ? 1 : 0;
    std::int64_t m = 0;
    int digits = 0;
    int dscale = -1;
    for (; i < text.size(); ++i) {
      if (is_digit(text[i])) {
        m = m * 10 + (text[i] - '0');
        ++digits;
        if (dscale >= 0) ++dscale;
      } else if (text[i] == '.' && dscale < 0) {
        dscale = 0;
      } else {
        break;
      }
    }
    if (i == text.size() && digits > 0 && digits <= 16) {
      if (dscale < 0) dscale = 0;
      if (text[0] == '-') m = -m;
      std::int64_t padded;
      const int groups = (dscale + 3) / 4;
      if (!__builtin_mul_overflow(m, kPowersOfTen[groups * 4 - dscale], &padded)) {
        if (typmod < 4) {
          *out = store_small(padded, groups, dscale, arena);
          return {};
        }
        const int scale = numeric_typmod_scale(typmod);
        const int room = numeric_typmod_precision(typmod) - scale;
        // Fits without rounding: the scale only grows.
        if (scale >= dscale && scale <= 16 && room >= 0 && room <= 18 && digits - dscale <= room) {
          const int wide = (scale + 3) / 4;
          if (!__builtin_mul_overflow(padded, kPowersOfTen[4 * (wide - groups)], &padded)) {
            *out = store_small(padded, wide, scale, arena);
            return {};
          }
        }
      }
    }
  }
  Numeric number;
  WANDIAN_TRY(parse_numeric(text, &number));
  WANDIAN_TRY(apply_numeric_typmod(&number, typmod));
  return store_numeric(number, arena, out);
}

std::size_t numeric_text_bound(const Value& value) {
  const Stored s(value);
  if (s.special()) return 9;
  return static_cast<std::size_t>(std::max<int>(s.weight, 0) + 1) * 4 + static_cast<std::size_t>(s.dscale()) + 8;
}

char* write_numeric_text(const Value& value, char* out) {
  const Stored s(value);
  if (s.special()) {
    const std::string_view word = s.kind() == Numeric::Kind::kNan                ? "NaN"
                                  : s.kind() == Numeric::Kind::kPositiveInfinity ? "Infinity"
                                                                                 : "-Infinity";
    std::memcpy(out, word.data(), word.size());
    return out + word.size();
  }
  if (s.negative()) *out++ = '-';
  const auto digit_at = [&s](int position) {
    const int i = s.weight - position;
    return i >= 0 && i < s.count ? static_cast<int>(s.digit(i)) : 0;
  };
  const auto put4 = [](char* p, int d) {
    p[0] = static_cast<char>('0' + d / 1000);
    p[1] = static_cast<char>('0' + d / 100 % 10);
    p[2] = static_cast<char>('0' + d / 10 % 10);
    p[3] = static_cast<char>('0' + d % 10);
  };
  if (s.weight < 0 || s.count == 0) {
    *out++ = '0';
  } else {
    char lead[4];
    put4(lead, s.digit(0));
    int skip = 0;
    while (skip < 3 && lead[skip] == '0') ++skip;
    for (; skip < 4; ++skip) *out++ = lead[skip];
    for (int position = s.weight - 1; position >= 0; --position, out += 4) put4(out, digit_at(position));
  }
  if (s.dscale() > 0) {
    *out++ = '.';
    char* end = out + s.dscale();
    for (int position = -1; out < end; --position, out += 4) put4(out, digit_at(position));
    out = end;
  }
  return out;
}

std::string numeric_to_string(const Numeric& number) {
  Arena arena;
  Value value;
  if (!store_numeric(number, arena, &value).ok()) return {};
  std::string text(numeric_text_bound(value), '\0');
  text.resize(static_cast<std::size_t>(write_numeric_text(value, text.data()) - text.data()));
  return text;
}

Status apply_numeric_typmod(Numeric* number, std::int32_t typmod) {
  if (typmod < 4 || number->nan()) return {};
  const int precision = numeric_typmod_precision(typmod);
  const int scale = numeric_typmod_scale(typmod);
  const auto field = [&] {
    return "A field with precision " + std::to_string(precision) + ", scale " + std::to_string(scale);
  };
  if (!number->finite())
    return Status{sqlstate::numeric_value_out_of_range, "numeric field overflow"}.with_detail(
        field() + " cannot hold an infinite value.");
  round_to(number, scale);
  if (number->zero()) return {};
  const int first = number->digits.front();
  const int integer_digits = number->weight * 4 + (first >= 1000 ? 4 : first >= 100 ? 3 : first >= 10 ? 2 : 1);
  const int room = precision - scale;
  if (integer_digits > room)
    return Status{sqlstate::numeric_value_out_of_range, "numeric field overflow"}.with_detail(
        field() + " must round to an absolute value less than " +
        (room != 0 ? "10^" + std::to_string(room) : std::string("1")) + ".");
  return {};
}

Status apply_numeric_typmod(const Value& value, std::int32_t typmod, Arena& arena, Value* out) {
  if (typmod < 4) {
    *out = value;
    return {};
  }
  const Stored s(value);
  const int scale = numeric_typmod_scale(typmod);
  if (!s.special() && s.dscale() <= std::max(scale, 0) && scale >= 0) {
    const int room = numeric_typmod_precision(typmod) - scale;
    if (s.count == 0 || (s.weight + 1) * 4 <= room) {
      if (s.dscale() == scale) {
        *out = value;
        return {};
      }
      char* p = static_cast<char*>(arena.allocate(value.size, 2));
      std::memcpy(p, value.p, value.size);
      const auto flags = static_cast<std::uint16_t>((s.flags & kNegativeBit) | scale);
      std::memcpy(p, &flags, 2);
      *out = Value::of_bytes(p, value.size);
      return {};
    }
  }
  Numeric number = load_numeric(value);
  WANDIAN_TRY(apply_numeric_typmod(&number, typmod));
  return store_numeric(number, arena, out);
}

}  // namespace wandian
