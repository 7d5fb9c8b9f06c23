// Functions of text and bytea that look at characters: lengths, parts, trimming, padding, replacing.
#include <bit>
#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "sql/functions/bindings.h"
#include "sql/types/letter_case.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

bool length(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int64_t>(utf8_length(args[0].bytes())));
}
bool bpchar_length(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int64_t>(utf8_length(without_trailing_blanks(args[0].bytes()))));
}
bool octet_length(EvalContext&, const Value* args, Value* result) { return return_int(result, args[0].size); }
bool bit_length(EvalContext&, const Value* args, Value* result) {
  return return_int(result, static_cast<std::int64_t>(args[0].size) * 8);
}

bool lower(EvalContext& ctx, const Value* args, Value* result) {
  *result = Value::of_bytes(to_lower(args[0].bytes(), ctx.arena));
  return true;
}
bool upper(EvalContext& ctx, const Value* args, Value* result) {
  *result = Value::of_bytes(to_upper(args[0].bytes(), ctx.arena));
  return true;
}
bool title(EvalContext& ctx, const Value* args, Value* result) {
  *result = Value::of_bytes(to_title(args[0].bytes(), ctx.arena));
  return true;
}

// substring(s from start for count): positions before 1 count, too. The result points into the argument.
template <bool characters>
bool substring(EvalContext& ctx, const Value* args, bool has_count, Value* result) {
  const std::string_view s = args[0].bytes();
  const std::int64_t start = args[1].i;
  const auto total = static_cast<std::int64_t>(characters && !is_ascii(s) ? utf8_length(s) : s.size());
  std::int64_t end = total + 1;
  if (has_count) {
    if (args[2].i < 0) return ctx.fail({sqlstate::substring_error, "negative substring length not allowed"});
    end = std::min(end, start + args[2].i);
  }
  const std::int64_t begin = std::max<std::int64_t>(start, 1);
  if (end <= begin) {
    *result = Value::of_bytes(s.substr(0, 0));
    return true;
  }
  if (characters && static_cast<std::size_t>(total) != s.size()) {
    const std::size_t from = utf8_offset(s, static_cast<std::size_t>(begin - 1));
    const std::string_view rest = s.substr(from);
    *result = Value::of_bytes(rest.substr(0, utf8_offset(rest, static_cast<std::size_t>(end - begin))));
  } else {
    *result = Value::of_bytes(s.substr(static_cast<std::size_t>(begin - 1), static_cast<std::size_t>(end - begin)));
  }
  return true;
}
template <bool characters>
bool substring_from(EvalContext& ctx, const Value* args, Value* result) {
  return substring<characters>(ctx, args, false, result);
}
template <bool characters>
bool substring_for(EvalContext& ctx, const Value* args, Value* result) {
  return substring<characters>(ctx, args, true, result);
}

bool position(EvalContext&, const Value* args, Value* result) {
  const std::size_t at = args[0].bytes().find(args[1].bytes());
  if (at == std::string_view::npos) return return_int(result, 0);
  return return_int(result, static_cast<std::int64_t>(utf8_length(args[0].bytes().substr(0, at))) + 1);
}
bool byte_position(EvalContext&, const Value* args, Value* result) {
  const std::size_t at = args[0].bytes().find(args[1].bytes());
  return return_int(result, at == std::string_view::npos ? 0 : static_cast<std::int64_t>(at) + 1);
}
bool starts_with(EvalContext&, const Value* args, Value* result) {
  return return_bool(result, args[0].bytes().starts_with(args[1].bytes()));
}

// Whether a set of characters holds the one at s[i].
bool set_holds(std::string_view set, std::string_view character) {
  for (std::size_t i = 0; i < set.size();) {
    const std::size_t n = utf8_bytes(set[i]);
    if (set.substr(i, n) == character) return true;
    i += n;
  }
  return false;
}
std::string_view trim_set(std::string_view s, std::string_view set, bool left, bool right) {
  while (left && !s.empty()) {
    const std::size_t n = utf8_bytes(s[0]);
    if (!set_holds(set, s.substr(0, n))) break;
    s.remove_prefix(std::min(n, s.size()));
  }
  while (right && !s.empty()) {
    std::size_t begin = s.size() - 1;
    while (begin > 0 && (s[begin] & 0xc0) == 0x80) --begin;
    if (!set_holds(set, s.substr(begin))) break;
    s = s.substr(0, begin);
  }
  return s;
}
template <bool left, bool right>
bool trim(EvalContext&, const Value* args, Value* result) {
  *result = Value::of_bytes(trim_set(args[0].bytes(), args[1].bytes(), left, right));
  return true;
}
template <bool left, bool right>
bool trim_blanks_of(EvalContext&, const Value* args, Value* result) {
  *result = Value::of_bytes(trim_set(args[0].bytes(), " ", left, right));
  return true;
}
template <bool left, bool right>
bool trim_bytes(EvalContext&, const Value* args, Value* result) {
  std::string_view s = args[0].bytes();
  const std::string_view set = args[1].bytes();
  while (left && !s.empty() && set.find(s.front()) != std::string_view::npos) s.remove_prefix(1);
  while (right && !s.empty() && set.find(s.back()) != std::string_view::npos) s.remove_suffix(1);
  *result = Value::of_bytes(s);
  return true;
}

bool too_long(EvalContext& ctx) {
  return ctx.fail({sqlstate::program_limit_exceeded, "requested length too large"});
}

// Writes `unit` again and again. By doubling what is there: a thousand million bytes of two are five hundred million copies otherwise.
void fill_with(std::string_view unit, char* out, std::size_t bytes) {
  std::size_t done = std::min(unit.size(), bytes);
  if (done == 0) return;
  std::memcpy(out, unit.data(), done);
  for (; done < bytes; done += std::min(done, bytes - done)) std::memcpy(out + done, out, std::min(done, bytes - done));
}

bool pad(EvalContext& ctx, const Value* args, std::string_view fill, bool left, Value* result) {
  const std::string_view s = args[0].bytes();
  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(args[1].i, 0));
  const std::size_t have = utf8_length(s);
  if (wanted <= have || fill.empty()) {
    *result = Value::of_bytes(s.substr(0, utf8_offset(s, wanted)));
    return true;
  }
  if (wanted > TextBuilder::kMaxBytes / 4) return too_long(ctx);
  const std::size_t missing = wanted - have, round = utf8_length(fill);
  const std::size_t filled = missing / round * fill.size() + utf8_offset(fill, missing % round);
  char* p = ctx.arena.allocate_bytes(s.size() + filled);
  fill_with(fill, left ? p : p + s.size(), filled);
  std::copy(s.begin(), s.end(), left ? p + filled : p);
  *result = Value::of_bytes(p, s.size() + filled);
  return true;
}
template <bool left>
bool pad_with(EvalContext& ctx, const Value* args, Value* result) {
  return pad(ctx, args, args[2].bytes(), left, result);
}
template <bool left>
bool pad_blanks(EvalContext& ctx, const Value* args, Value* result) {
  return pad(ctx, args, " ", left, result);
}

bool replace(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view s = args[0].bytes();
  const std::string_view from = args[1].bytes();
  std::size_t at = from.empty() ? std::string_view::npos : s.find(from);
  if (at == std::string_view::npos) {
    *result = args[0];
    return true;
  }
  TextBuilder out(ctx.arena, s.size());
  std::size_t begin = 0;
  for (; at != std::string_view::npos; at = s.find(from, begin)) {
    out.append(s.substr(begin, at - begin));
    out.append(args[2].bytes());
    begin = at + from.size();
  }
  out.append(s.substr(begin));
  *result = out.value();
  return true;
}

bool split_part(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view s = args[0].bytes();
  const std::string_view separator = args[1].bytes();
  std::int64_t field = args[2].i;
  if (field == 0) return ctx.fail({sqlstate::invalid_parameter_value, "field position must not be zero"});
  *result = Value::of_bytes(s.substr(0, 0));
  if (s.empty()) return true;
  if (separator.empty()) {
    if (field == 1 || field == -1) *result = args[0];
    return true;
  }
  if (field < 0) {
    std::int64_t parts = 1;
    for (std::size_t at = s.find(separator); at != std::string_view::npos; at = s.find(separator, at + separator.size()))
      ++parts;
    field += parts + 1;
    if (field <= 0) return true;
  }
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = s.find(separator, begin);
    if (--field == 0) {
      *result = Value::of_bytes(s.substr(begin, end == std::string_view::npos ? end : end - begin));
      return true;
    }
    if (end == std::string_view::npos) return true;
    begin = end + separator.size();
  }
}

// left(s, n), right(s, n): a negative n leaves out |n| characters at the other end.
bool left(EvalContext&, const Value* args, Value* result) {
  const std::string_view s = args[0].bytes();
  std::int64_t n = args[1].i;
  if (n < 0) n = std::max<std::int64_t>(0, static_cast<std::int64_t>(utf8_length(s)) + n);
  *result = Value::of_bytes(s.substr(0, utf8_offset(s, static_cast<std::size_t>(n))));
  return true;
}
bool right(EvalContext&, const Value* args, Value* result) {
  const std::string_view s = args[0].bytes();
  const auto total = static_cast<std::int64_t>(utf8_length(s));
  const std::int64_t n = args[1].i;
  const std::int64_t skip = n < 0 ? std::min(-n, total) : std::max<std::int64_t>(0, total - n);
  *result = Value::of_bytes(s.substr(utf8_offset(s, static_cast<std::size_t>(skip))));
  return true;
}

bool repeat(EvalContext& ctx, const Value* args, Value* result) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(args[1].i, 0));
  const std::size_t size = args[0].size;
  if (size > 0 && count > TextBuilder::kMaxBytes / size) return too_long(ctx);
  char* p = ctx.arena.allocate_bytes(size * count);
  fill_with(args[0].bytes(), p, size * count);
  *result = Value::of_bytes(p, size * count);
  return true;
}

bool reverse(EvalContext& ctx, const Value* args, Value* result) {
  const std::string_view s = args[0].bytes();
  char* p = ctx.arena.allocate_bytes(s.size());
  char* end = p + s.size();
  for (std::size_t i = 0; i < s.size();) {
    // Eight ASCII characters at a time: a long text must not hold up its shard.
    std::uint64_t eight;
    if (s.size() - i >= sizeof eight) {
      std::memcpy(&eight, s.data() + i, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        eight = __builtin_bswap64(eight);
        end -= sizeof eight;
        std::memcpy(end, &eight, sizeof eight);
        i += sizeof eight;
        continue;
      }
    }
    const std::size_t n = std::min(utf8_bytes(s[i]), s.size() - i);
    end -= n;
    std::memcpy(end, s.data() + i, n);
    i += n;
  }
  *result = Value::of_bytes(p, s.size());
  return true;
}

bool translate(EvalContext& ctx, const Value* args, Value* result) {
  const auto characters = [](std::string_view s) {
    std::vector<std::string_view> out;
    for (std::size_t i = 0; i < s.size(); i += utf8_bytes(s[i])) out.push_back(s.substr(i, utf8_bytes(s[i])));
    return out;
  };
  const auto from = characters(args[1].bytes());
  const auto to = characters(args[2].bytes());
  TextBuilder out(ctx.arena, args[0].size + 8);
  for (const std::string_view c : characters(args[0].bytes())) {
    const auto it = std::find(from.begin(), from.end(), c);
    const auto i = static_cast<std::size_t>(it - from.begin());
    if (it == from.end()) out.append(c);
    else if (i < to.size()) out.append(to[i]);
  }
  *result = out.value();
  return true;
}

bool concatenate(EvalContext& ctx, const Value* args, Value* result) {
  const std::size_t size = static_cast<std::size_t>(args[0].size) + args[1].size;
  if (size > TextBuilder::kMaxBytes) return too_long(ctx);
  char* p = ctx.arena.allocate_bytes(size);
  if (args[0].size > 0) std::memcpy(p, args[0].p, args[0].size);
  if (args[1].size > 0) std::memcpy(p + args[0].size, args[1].p, args[1].size);
  *result = Value::of_bytes(p, size);
  return true;
}

// overlay(s placing t from start for count), of text or of bytes.
template <bool text>
bool overlay(EvalContext& ctx, const Value* args, std::int64_t count, Value* result) {
  const std::string_view s = args[0].bytes();
  const std::int64_t start = args[2].i;
  if (start <= 0) return ctx.fail({sqlstate::substring_error, "negative substring length not allowed"});
  if (start + count > INT32_MAX) return out_of_range(ctx, "integer");
  TextBuilder out(ctx.arena, s.size() + args[1].size);
  const auto offset = [&](std::int64_t place) {
    return text ? utf8_offset(s, static_cast<std::size_t>(place)) : std::min(s.size(), static_cast<std::size_t>(place));
  };
  out.append(s.substr(0, offset(start - 1)));
  out.append(args[1].bytes());
  out.append(s.substr(offset(std::max<std::int64_t>(start + count - 1, 0))));
  *result = out.value();
  return true;
}
template <bool text>
bool overlay_for(EvalContext& ctx, const Value* args, Value* result) {
  return overlay<text>(ctx, args, args[3].i, result);
}
template <bool text>
bool overlay_all(EvalContext& ctx, const Value* args, Value* result) {
  return overlay<text>(ctx, args, static_cast<std::int64_t>(text ? utf8_length(args[1].bytes()) : args[1].size), result);
}

bool ascii(EvalContext&, const Value* args, Value* result) {
  return return_int(result, decode_utf8(args[0].bytes()));
}
bool chr(EvalContext& ctx, const Value* args, Value* result) {
  const std::int64_t code = args[0].i;
  if (code == 0) return ctx.fail({sqlstate::program_limit_exceeded, "null character not permitted"});
  if (code < 0) return ctx.fail({sqlstate::invalid_parameter_value, "character number must be positive"});
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
    return ctx.fail({sqlstate::program_limit_exceeded,
                     code > 0x10ffff ? "requested character too large for encoding: " + std::to_string(code)
                                     : "requested character not valid for encoding: " + std::to_string(code)});
  char bytes[4];
  return return_text(ctx, result, {bytes, encode_utf8(static_cast<std::uint32_t>(code), bytes)});
}

// unistr(text): \XXXX, \+XXXXXX, \uXXXX and \UXXXXXXXX stand for characters, \\ for a backslash.
bool unistr(EvalContext& ctx, const Value* args, Value* result) {
  const auto refuse = [&](const char* why) { return ctx.fail(Status{sqlstate::syntax_error, why}); };
  const std::string_view text = args[0].bytes();
  TextBuilder out(ctx.arena, text.size());
  std::uint32_t high = 0;   // the first half of a surrogate pair
  for (std::size_t i = 0; i < text.size();) {
    const char kind = i + 1 < text.size() ? text[i + 1] : ' ';
    if (text[i] != '\\' || kind == '\\') {
      if (high != 0) return refuse("invalid Unicode surrogate pair");
      out.push_back(text[i]);
      i += text[i] == '\\' ? 2 : 1;
      continue;
    }
    const std::size_t skip = kind == '+' || kind == 'u' || kind == 'U' ? 2 : 1;
    const std::size_t digits = kind == '+' ? 6 : kind == 'U' ? 8 : 4;
    std::uint32_t code = 0;
    const char* const from = text.data() + i + skip;
    if (text.size() < i + skip + digits || std::from_chars(from, from + digits, code, 16).ptr != from + digits)
      return ctx.fail(Status{sqlstate::syntax_error, "invalid Unicode escape"}.with_hint("Unicode escapes must be \\XXXX, \\+XXXXXX, \\uXXXX, or \\UXXXXXXXX."));
    i += skip + digits;
    const bool first = code >= 0xd800 && code < 0xdc00, second = code >= 0xdc00 && code < 0xe000;
    if (code == 0 || code > 0x10ffff) return ctx.fail({sqlstate::invalid_parameter_value, "invalid Unicode code point"});
    if ((high != 0) != second) return refuse("invalid Unicode surrogate pair");
    if (first) {
      high = code;
      continue;
    }
    if (second) code = 0x10000 + ((high - 0xd800) << 10) + (code - 0xdc00);
    high = 0;
    char bytes[4];
    out.append({bytes, encode_utf8(code, bytes)});
  }
  if (high != 0) return refuse("invalid Unicode surrogate pair");
  *result = out.value();
  return true;
}

bool larger(EvalContext&, const Value* args, Value* result) {
  *result = args[0].bytes() > args[1].bytes() ? args[0] : args[1];
  return true;
}
bool smaller(EvalContext&, const Value* args, Value* result) {
  *result = args[0].bytes() < args[1].bytes() ? args[0] : args[1];
  return true;
}

bool get_byte(EvalContext& ctx, const Value* args, Value* result) {
  if (args[1].i < 0 || args[1].i >= args[0].size)
    return ctx.fail({sqlstate::array_subscript_error, "index " + std::to_string(args[1].i) + " out of valid range, 0.." +
                                                          std::to_string(static_cast<std::int64_t>(args[0].size) - 1)});
  return return_int(result, static_cast<unsigned char>(args[0].p[args[1].i]));
}
bool set_byte(EvalContext& ctx, const Value* args, Value* result) {
  Value old;
  if (!get_byte(ctx, args, &old)) return false;
  char* p = ctx.arena.allocate_bytes(args[0].size);
  std::memcpy(p, args[0].p, args[0].size);
  p[args[1].i] = static_cast<char>(args[2].i);
  *result = Value::of_bytes(p, args[0].size);
  return true;
}

// Bits are counted from the least significant one of the first byte.
bool find_bit(EvalContext& ctx, const Value* args, std::size_t* byte, int* bit) {
  const std::int64_t bits = static_cast<std::int64_t>(args[0].size) * 8;
  if (args[1].i < 0 || args[1].i >= bits)
    return ctx.fail({sqlstate::array_subscript_error,
                     "index " + std::to_string(args[1].i) + " out of valid range, 0.." + std::to_string(bits - 1)});
  *byte = static_cast<std::size_t>(args[1].i / 8);
  *bit = static_cast<int>(args[1].i % 8);
  return true;
}
bool get_bit(EvalContext& ctx, const Value* args, Value* result) {
  std::size_t byte;
  int bit;
  return find_bit(ctx, args, &byte, &bit) && return_int(result, (static_cast<unsigned char>(args[0].p[byte]) >> bit) & 1);
}
bool set_bit(EvalContext& ctx, const Value* args, Value* result) {
  std::size_t byte;
  int bit;
  if (!find_bit(ctx, args, &byte, &bit)) return false;
  if (args[2].i != 0 && args[2].i != 1) return ctx.fail({sqlstate::invalid_parameter_value, "new bit must be 0 or 1"});
  char* p = ctx.arena.allocate_bytes(args[0].size);
  std::memcpy(p, args[0].p, args[0].size);
  const int mask = 1 << bit;
  p[byte] = static_cast<char>(args[2].i == 1 ? p[byte] | mask : p[byte] & ~mask);
  *result = Value::of_bytes(p, args[0].size);
  return true;
}
bool bit_count(EvalContext&, const Value* args, Value* result) {
  std::int64_t count = 0;
  for (const char c : args[0].bytes()) count += std::popcount(static_cast<unsigned char>(c));
  return return_int(result, count);
}

constexpr FunctionBinding kBindings[] = {
    {"textlen", length}, {"bpcharlen", bpchar_length}, {"textoctetlen", octet_length},
    {"bpcharoctetlen", octet_length}, {"byteaoctetlen", octet_length},
    {"bit_length(text)", bit_length}, {"bit_length(bytea)", bit_length},
    {"lower", lower}, {"upper", upper}, {"initcap", title},
    {"text_substr", substring_for<true>}, {"text_substr_no_len", substring_from<true>},
    {"bytea_substr", substring_for<false>}, {"bytea_substr_no_len", substring_from<false>},
    {"textpos", position}, {"byteapos", byte_position}, {"text_starts_with", starts_with},
    {"btrim", trim<true, true>}, {"ltrim", trim<true, false>}, {"rtrim", trim<false, true>},
    {"btrim1", trim_blanks_of<true, true>}, {"ltrim1", trim_blanks_of<true, false>},
    {"rtrim1", trim_blanks_of<false, true>},
    {"byteatrim", trim_bytes<true, true>}, {"bytealtrim", trim_bytes<true, false>},
    {"byteartrim", trim_bytes<false, true>},
    {"lpad", pad_with<true>}, {"rpad", pad_with<false>}, {"lpad(text,int4)", pad_blanks<true>},
    {"rpad(text,int4)", pad_blanks<false>},
    {"replace_text", replace}, {"split_part", split_part}, {"text_left", left}, {"text_right", right},
    {"repeat", repeat}, {"text_reverse", reverse}, {"translate", translate},
    {"textcat", concatenate}, {"byteacat", concatenate},
    {"textoverlay", overlay_for<true>}, {"textoverlay_no_len", overlay_all<true>},
    {"byteaoverlay", overlay_for<false>}, {"byteaoverlay_no_len", overlay_all<false>},
    {"ascii", ascii}, {"chr", chr}, {"unistr", unistr}, {"text_larger", larger}, {"text_smaller", smaller},
    {"byteaGetByte", get_byte}, {"byteaSetByte", set_byte},
    {"byteaGetBit", get_bit}, {"byteaSetBit", set_bit}, {"bytea_bit_count", bit_count},
};

}  // namespace

std::span<const FunctionBinding> text_bindings() { return kBindings; }

}  // namespace wandian::sql
