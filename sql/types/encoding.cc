#include "sql/types/encoding.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "sql/types/string_types.h"
#include "storage/base/assert.h"

namespace wandian::sql {
namespace {

enum : int {
  kEucJp = 1, kEucCn = 2, kEucKr = 3, kEucTw = 4, kEucJis2004 = 5, kMuleInternal = 7, kSjis = 35, kBig5 = 36, kGbk = 37, kUhc = 38,
  kGb18030 = 39, kJohab = 40, kShiftJis2004 = 41, kEncodings = 42
};

constexpr std::array<std::string_view, kEncodings> kNames = {
    "SQL_ASCII",  "EUC_JP",     "EUC_CN",     "EUC_KR",  "EUC_TW",  "EUC_JIS_2004", "UTF8",    "MULE_INTERNAL", "LATIN1",
    "LATIN2",     "LATIN3",     "LATIN4",     "LATIN5",  "LATIN6",  "LATIN7",       "LATIN8",  "LATIN9",        "LATIN10",
    "WIN1256",    "WIN1258",    "WIN866",     "WIN874",  "KOI8R",   "WIN1251",      "WIN1252", "ISO_8859_5",    "ISO_8859_6",
    "ISO_8859_7", "ISO_8859_8", "WIN1250",    "WIN1253", "WIN1254", "WIN1255",      "WIN1257", "KOI8U",         "SJIS",
    "BIG5",       "GBK",        "UHC",        "GB18030", "JOHAB",   "SHIFT_JIS_2004"};

// Further names, letters and digits alone (PostgreSQL's manual, 24.3.1).
struct Alias {
  std::string_view name, of;
};
constexpr Alias kAliases[] = {
    {"abc", "WIN1258"},        {"alt", "WIN866"},         {"iso88591", "LATIN1"},   {"iso885910", "LATIN6"},  {"iso885913", "LATIN7"},
    {"iso885914", "LATIN8"},   {"iso885915", "LATIN9"},   {"iso885916", "LATIN10"}, {"iso88592", "LATIN2"},   {"iso88593", "LATIN3"},
    {"iso88594", "LATIN4"},    {"iso88599", "LATIN5"},    {"koi8", "KOI8R"},        {"mskanji", "SJIS"},      {"shiftjis", "SJIS"},
    {"tcvn", "WIN1258"},       {"tcvn5712", "WIN1258"},   {"unicode", "UTF8"},      {"vscii", "WIN1258"},     {"win", "WIN1251"},
    {"win932", "SJIS"},        {"win936", "GBK"},         {"win949", "UHC"},        {"win950", "BIG5"},       {"windows1250", "WIN1250"},
    {"windows1251", "WIN1251"}, {"windows1252", "WIN1252"}, {"windows1253", "WIN1253"}, {"windows1254", "WIN1254"}, {"windows1255", "WIN1255"},
    {"windows1256", "WIN1256"}, {"windows1257", "WIN1257"}, {"windows1258", "WIN1258"}, {"windows866", "WIN866"}, {"windows874", "WIN874"},
    {"windows932", "SJIS"},    {"windows936", "GBK"},     {"windows949", "UHC"},    {"windows950", "BIG5"}};

std::string bare_name(std::string_view name) {
  std::string bare;
  for (const char c : name) {
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) bare += c;
    else if (c >= 'A' && c <= 'Z') bare += static_cast<char>(c + 32);
  }
  return bare;
}

struct Packed {
  int number;
  std::string_view there, differences;
};
struct AllFacts {
  std::vector<Packed> encodings;
  std::vector<ConversionFacts> conversions;
};
const AllFacts& facts() {
  static const AllFacts all = [] {
    AllFacts made;
#define WANDIAN_ENCODING(number, name, there, differences) made.encodings.push_back({number, there, differences});
#define WANDIAN_CONVERSION(oid, name, from, to, function) made.conversions.push_back({oid, name, from, to, function});
#include "sql/types/encoding_tables.inc"
#undef WANDIAN_ENCODING
#undef WANDIAN_CONVERSION
    return made;
  }();
  return all;
}

// Reads what scripts/generate_encodings packs: base64 of variable-length numbers.
class Unpacker {
 public:
  explicit Unpacker(std::string_view text) : text_(text) {}
  bool next(std::uint32_t* key, std::uint32_t* value) {
    if (!more()) return false;
    const std::uint32_t first = number();
    key_ += (first & 1) != 0 ? number() : 1;
    const std::uint32_t difference = first >> 1;
    value_ += (difference & 1) != 0 ? ~(difference >> 1) : difference >> 1;
    *key = key_;
    *value = value_;
    return true;
  }

 private:
  bool more() const { return held_ >= 8 || (at_ < text_.size() && text_[at_] != '='); }
  std::uint32_t byte() {
    while (held_ < 8) {
      const char c = text_[at_++];
      const int six = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '+' ? 62 : 63;
      bits_ = bits_ << 6 | static_cast<std::uint32_t>(six);
      held_ += 6;
    }
    held_ -= 8;
    return bits_ >> held_ & 0xff;
  }
  std::uint32_t number() {
    std::uint32_t n = 0;
    for (int shift = 0;; shift += 7) {
      const std::uint32_t b = byte();
      n |= (b & 127) << shift;
      if (b < 128) return n;
    }
  }
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t bits_ = 0, key_ = 0, value_ = 0;
  int held_ = 0;
};

bool high(unsigned char c) { return c >= 0x80; }
bool euc(unsigned char c) { return c >= 0xa1 && c <= 0xfe; }

// How long the character is that begins here, by its first bytes alone.
std::size_t character_bytes(int encoding, std::string_view text) {
  const auto c = static_cast<unsigned char>(text[0]);
  if (!high(c)) return 1;
  switch (encoding) {
    case kEucJp:
    case kEucKr:
    case kJohab: return c == 0x8f ? 3 : 2;
    case kEucCn:
    case kBig5:
    case kGbk:
    case kUhc: return 2;
    case kSjis: return c >= 0xa1 && c <= 0xdf ? 1 : 2;
    case kGb18030: return text.size() > 1 && text[1] >= '0' && text[1] <= '9' ? 4 : 2;
    default: return 1;
  }
}

// The same if it is well-formed, else 0.
std::size_t well_formed(int encoding, std::string_view text) {
  const std::size_t bytes = character_bytes(encoding, text);
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.size() < bytes || at(0) == 0) return 0;
  if (!high(at(0))) return 1;
  const auto all_euc = [&](std::size_t from) {
    for (std::size_t i = from; i < bytes; ++i)
      if (!euc(at(i))) return false;
    return true;
  };
  bool good = true;
  switch (encoding) {
    case kEucJp: good = at(0) == 0x8e ? at(1) >= 0xa1 && at(1) <= 0xdf : at(0) == 0x8f ? all_euc(1) : all_euc(0); break;
    case kEucCn:
    case kEucKr: good = bytes == 2 && all_euc(0); break;
    case kJohab: good = all_euc(1); break;
    case kSjis:
      good = bytes == 1 || (((at(0) >= 0x81 && at(0) <= 0x9f) || (at(0) >= 0xe0 && at(0) <= 0xfc)) &&
                            ((at(1) >= 0x40 && at(1) <= 0x7e) || (at(1) >= 0x80 && at(1) <= 0xfc)));
      break;
    case kBig5:
    case kGbk:
    case kUhc: good = at(1) != 0; break;
    case kGb18030:
      good = at(0) >= 0x81 && at(0) <= 0xfe &&
             (bytes == 4 ? at(2) >= 0x81 && at(2) <= 0xfe && at(3) >= 0x30 && at(3) <= 0x39
                         : (at(1) >= 0x40 && at(1) <= 0x7e) || (at(1) >= 0x80 && at(1) <= 0xfe));
      break;
    default: break;
  }
  return good ? bytes : 0;
}

std::string shown_bytes(std::string_view text, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < std::min({bytes, text.size(), std::size_t{8}}); ++i) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "%s0x%02x", i == 0 ? "" : " ", static_cast<unsigned char>(text[i]));
    out += hex;
  }
  return out;
}

Status not_of_encoding(std::string_view name, std::string_view text, std::size_t bytes) {
  return {sqlstate::character_not_in_repertoire, "invalid byte sequence for encoding \"" + std::string(name) + "\": " + shown_bytes(text, bytes)};
}
Status no_equivalent(std::string_view from, std::string_view to, std::string_view text, std::size_t bytes) {
  return {sqlstate::untranslatable_character, "character with byte sequence " + shown_bytes(text, bytes) + " in encoding \"" + std::string(from) +
                                                  "\" has no equivalent in encoding \"" + std::string(to) + "\""};
}

// GB18030's characters of four bytes in their order: the first plane's, then from here on the others'.
constexpr std::uint32_t kSecondPlaneAt = 189000;
std::uint32_t four_byte_place(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  return (((at(0) - 0x81) * 10 + at(1) - 0x30) * 126 + at(2) - 0x81) * 10 + at(3) - 0x30;
}
std::uint32_t four_byte_code(std::uint32_t place) {
  const std::uint32_t d = place % 10 + 0x30, c = place / 10 % 126 + 0x81, b = place / 1260 % 10 + 0x30, a = place / 12600 + 0x81;
  return a << 24 | b << 16 | c << 8 | d;
}

}  // namespace

int encoding_number(std::string_view name) {
  const std::string bare = bare_name(name);
  for (const Alias& alias : kAliases)
    if (alias.name == bare) return encoding_number(alias.of);
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (bare_name(kNames[i]) == bare) return static_cast<int>(i);
  return -1;
}

std::string_view encoding_name(int number) {
  return number >= 0 && number < kEncodings ? kNames[static_cast<std::size_t>(number)] : std::string_view();
}

int encoding_max_bytes(int number) {
  switch (number) {
    case kEucTw:
    case kUtf8Encoding:
    case kMuleInternal:
    case kGb18030: return 4;
    case kEucJp:
    case kEucCn:
    case kEucKr:
    case kEucJis2004:
    case kJohab: return 3;
    case kSjis:
    case kBig5:
    case kGbk:
    case kUhc:
    case kShiftJis2004: return 2;
    default: return 1;
  }
}

// Zero: no such character.
struct Encoding::Tables {
  std::vector<std::uint32_t> to_unicode;                      ///< by codes of one and two bytes
  std::unordered_map<std::uint32_t, std::uint32_t> longer;    ///< by codes of three
  std::vector<std::uint32_t> from_unicode;                    ///< codes by characters of the first plane
  std::vector<std::uint16_t> four_bytes;                      ///< GB18030: characters of the first plane by their place

  explicit Tables(const Packed& packed) : to_unicode(65536), from_unicode(65536) {
    std::uint32_t code = 0, character = 0;
    for (Unpacker in(packed.there); in.next(&code, &character);) {
      if (code < 65536) to_unicode[code] = character;
      else longer.emplace(code, character);
      std::uint32_t& back = from_unicode[character];
      if (back == 0) back = code;                             // the lowest code, where several are the same character
    }
    if (packed.number == kGb18030) {
      for (std::uint32_t c = 0x80; c < 65536; ++c) {
        if ((c >= 0xd800 && c < 0xe000) || from_unicode[c] != 0) continue;
        from_unicode[c] = four_byte_code(static_cast<std::uint32_t>(four_bytes.size()));
        four_bytes.push_back(static_cast<std::uint16_t>(c));
      }
    }
    for (Unpacker in(packed.differences); in.next(&character, &code);) from_unicode[character] = code;
  }

  std::uint32_t unicode(int encoding, std::string_view one) const {
    std::uint32_t code = 0;
    for (const char c : one) code = code << 8 | static_cast<unsigned char>(c);
    if (one.size() <= 2) return to_unicode[code];
    if (encoding == kGb18030) {
      const std::uint32_t place = four_byte_place(one);
      if (place < four_bytes.size()) return four_bytes[place];
      return place >= kSecondPlaneAt && place - kSecondPlaneAt < 0x100000 ? place - kSecondPlaneAt + 0x10000 : 0;
    }
    const auto found = longer.find(code);
    return found != longer.end() ? found->second : 0;
  }
  std::uint32_t code(int encoding, std::uint32_t character) const {
    if (character < 65536) return from_unicode[character];
    return encoding == kGb18030 ? four_byte_code(character - 0x10000 + kSecondPlaneAt) : 0;
  }
};

const Encoding::Tables& Encoding::tables() const {
  static std::array<std::once_flag, kEncodings> once;
  static std::array<std::unique_ptr<const Tables>, kEncodings> made;
  const auto i = static_cast<std::size_t>(number_);
  std::call_once(once[i], [&] {
    for (const Packed& packed : facts().encodings)
      if (packed.number == number_) made[i] = std::make_unique<const Tables>(packed);
  });
  DB_ASSERT(made[i] != nullptr);
  return *made[i];
}

const Encoding* find_encoding(int number) {
  static const std::array<std::unique_ptr<const Encoding>, kEncodings> all = [] {
    std::array<std::unique_ptr<const Encoding>, kEncodings> made;
    for (const Packed& packed : facts().encodings) made[static_cast<std::size_t>(packed.number)].reset(new Encoding(packed.number));
    return made;
  }();
  return number >= 0 && number < kEncodings ? all[static_cast<std::size_t>(number)].get() : nullptr;
}

std::span<const ConversionFacts> conversions() { return facts().conversions; }

Status Encoding::to_utf8(std::string_view text, std::string* out) const {
  const Tables& tables = this->tables();
  out->reserve(out->size() + text.size() + text.size() / 2);
  while (!text.empty()) {
    const char first = text.front();
    if (first > 0) [[likely]] {
      out->push_back(first);
      text.remove_prefix(1);
      continue;
    }
    const std::size_t bytes = well_formed(number_, text);
    if (bytes == 0) return not_of_encoding(name(), text, character_bytes(number_, text));
    const std::uint32_t character = tables.unicode(number_, text.substr(0, bytes));
    if (character == 0) return no_equivalent(name(), encoding_name(kUtf8Encoding), text, bytes);
    char utf8[4];
    out->append(utf8, encode_utf8(character, utf8));
    text.remove_prefix(bytes);
  }
  return {};
}

Status Encoding::from_utf8(std::string_view text, std::string* out) const {
  const Tables& tables = this->tables();
  out->reserve(out->size() + text.size());
  while (!text.empty()) {
    const char first = text.front();
    if (first >= 0) [[likely]] {
      out->push_back(first);
      text.remove_prefix(1);
      continue;
    }
    const std::size_t bytes = std::min(utf8_bytes(first), text.size());
    const std::uint32_t code = tables.code(number_, decode_utf8(text));
    if (code == 0) return no_equivalent(encoding_name(kUtf8Encoding), name(), text, bytes);
    for (int shift = code > 0xffffff ? 24 : code > 0xffff ? 16 : code > 0xff ? 8 : 0; shift >= 0; shift -= 8)
      out->push_back(static_cast<char>(code >> shift & 0xff));
    text.remove_prefix(bytes);
  }
  return {};
}

Status encode_tail(const Encoding& encoding, std::size_t from, OutBuffer& out) {
  const std::string_view tail(out.data() + from, out.size() - from);
  if (std::none_of(tail.begin(), tail.end(), [](char c) { return c < 0; })) return {};
  std::string encoded;
  WANDIAN_TRY(encoding.from_utf8(tail, &encoded));
  out.truncate(from);
  out.append(encoded);
  return {};
}

std::size_t Encoding::unfinished(std::string_view text) const {
  // Characters are told apart from the front alone.
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view rest = text.substr(at);
    const bool second_missing = number_ == kGb18030 && rest.size() == 1 && rest[0] < 0;
    const std::size_t bytes = character_bytes(number_, rest);
    if (second_missing || bytes > rest.size()) return rest.size();
    at += bytes;
  }
  return 0;
}

Status Encoding::length(std::string_view text, std::size_t* characters) const {
  for (*characters = 0; !text.empty(); ++*characters) {
    const std::size_t bytes = well_formed(number_, text);
    if (bytes == 0) return not_of_encoding(name(), text, character_bytes(number_, text));
    text.remove_prefix(bytes);
  }
  return {};
}

}  // namespace wandian::sql
