#include "sql/types/collation.h"

#include <unicode/ucol.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include <array>
#include <atomic>
#include <charconv>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sql/catalog_objects.h"
#include "sql/types/letter_case.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

constexpr std::size_t kMostCollations = 8192;
// Written once each under the lock of find_collation(); pairs with the loads of collation_of().
std::array<std::atomic<const Collation*>, kMostCollations> by_id;

struct CollatorClose {
  void operator()(UCollator* collator) const { ucol_close(collator); }
};
using Collator = std::unique_ptr<UCollator, CollatorClose>;

Collator open_collator(std::string_view locale, UErrorCode* error) {
  *error = U_ZERO_ERROR;
  Collator out(ucol_open(std::string(locale).c_str(), error));
  if (U_FAILURE(*error)) return nullptr;
  return out;
}

std::u16string to_utf16(std::string_view text) {
  std::u16string out(text.size(), u'\0');
  std::int32_t size = 0;
  UErrorCode error = U_ZERO_ERROR;
  // Values are valid UTF-8; a replacement character is what is left for bytes that are not.
  u_strFromUTF8WithSub(out.data(), static_cast<std::int32_t>(out.size()), &size, text.data(), static_cast<std::int32_t>(text.size()), 0xfffd, nullptr, &error);
  out.resize(U_FAILURE(error) ? 0 : static_cast<std::size_t>(size));
  return out;
}

class IcuOrder final : public TextOrder {
 public:
  IcuOrder(Collator collator, bool deterministic) : TextOrder(deterministic), collator_(std::move(collator)) {}

  int compare(std::string_view a, std::string_view b) const override {
    UErrorCode error = U_ZERO_ERROR;
    const UCollationResult order = ucol_strcollUTF8(collator_.get(), a.data(), static_cast<std::int32_t>(a.size()), b.data(),
                                                    static_cast<std::int32_t>(b.size()), &error);
    if (order != UCOL_EQUAL && U_SUCCESS(error)) return order == UCOL_LESS ? -1 : 1;
    return deterministic() ? a.compare(b) : 0;
  }

  void append_key(std::string_view text, std::string& out) const override {
    const std::u16string wide = to_utf16(text);
    const std::size_t start = out.size();
    out.resize(start + wide.size() * 4 + 16);
    for (;;) {
      const auto room = static_cast<std::int32_t>(out.size() - start);
      const std::int32_t size = ucol_getSortKey(collator_.get(), wide.data(), static_cast<std::int32_t>(wide.size()),
                                                reinterpret_cast<std::uint8_t*>(out.data() + start), room);
      const bool fits = size <= room;
      out.resize(start + static_cast<std::size_t>(size));
      if (fits) break;
    }
    if (out.size() > start) out.pop_back();   // the zero that ends it
  }

 private:
  Collator collator_;
};

std::optional<Collation> builtin_of_c_library(std::string_view name) {
  Collation out;
  out.stored = name;
  out.locale = name;
  if (name == "default") {
    out.oid = kDefaultCollationOid;
    out.provider = 'd';
  } else if (name == "C" || name == "POSIX") {
    out.oid = name == "C" ? kCCollationOid : 951;
    out.ascii_case = true;
  } else if (name == "ucs_basic") {
    out.oid = 12340;
    out.locale = "C";
    out.ascii_case = true;
  } else if (name == "C.utf8" || name == "C.UTF-8") {
    out.stored = out.locale = "C.utf8";
    out.oid = 12341;
  } else {
    return std::nullopt;
  }
  return out;
}

std::optional<Collation> builtin_of_icu(std::string_view name) {
  if (!name.ends_with("-x-icu")) return std::nullopt;
  const std::span<const IcuCollation> all = icu_collations();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name != name) continue;
    Collation out;
    out.stored = name;
    out.oid = kFirstIcuCollation + static_cast<Oid>(i);
    out.provider = 'i';
    out.locale = all[i].locale;
    return out;
  }
  return std::nullopt;
}

std::optional<Collation> of_users(std::string_view stored) {
  const Oid oid = user_collation_oid(stored);
  const std::size_t slash = stored.find('/');
  if (oid == 0 || stored.size() < slash + 4 || stored[slash + 3] != '/') return std::nullopt;
  Collation out;
  out.stored = stored;
  out.oid = oid;
  out.provider = stored[slash + 1];
  out.deterministic = stored[slash + 2] != 'n';
  out.locale = stored.substr(slash + 4);
  out.ascii_case = out.provider == 'c' && (out.locale == "C" || out.locale == "POSIX");
  return out;
}

template <class Convert>
std::string_view convert_utf16(std::string_view text, Arena& arena, const Convert& convert) {
  const std::u16string source = to_utf16(text);
  std::u16string target(source.size() + 8, u'\0');
  for (;;) {
    UErrorCode error = U_ZERO_ERROR;
    const std::int32_t size = convert(target.data(), static_cast<std::int32_t>(target.size()), source.data(), static_cast<std::int32_t>(source.size()), &error);
    const bool fits = error != U_BUFFER_OVERFLOW_ERROR;
    if (fits && U_FAILURE(error)) return text;
    target.resize(static_cast<std::size_t>(size));
    if (fits) break;
  }
  std::string out(target.size() * 3, '\0');
  std::int32_t size = 0;
  UErrorCode error = U_ZERO_ERROR;
  u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &size, target.data(), static_cast<std::int32_t>(target.size()), &error);
  if (U_FAILURE(error)) return text;
  return arena.copy(std::string_view(out).substr(0, static_cast<std::size_t>(size)));
}

std::string_view change_ascii_case(LetterCase to, std::string_view text, Arena& arena) {
  std::string out(text);
  bool inside = false;
  for (char& c : out) {
    const bool small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';
    const bool upper = to == LetterCase::kUpper || (to == LetterCase::kTitle && !inside);
    if (upper && small) c = static_cast<char>(c - 32);
    if (!upper && large) c = static_cast<char>(c + 32);
    inside = small || large || (c >= '0' && c <= '9');
  }
  return arena.copy(out);
}

std::vector<IcuCollation> list_icu_collations() {
  std::vector<IcuCollation> out;
  for (std::int32_t i = -1; i < uloc_countAvailable(); ++i) {
    const char* const locale = i < 0 ? "" : uloc_getAvailable(i);
    char tag[ULOC_FULLNAME_CAPACITY];
    UErrorCode error = U_ZERO_ERROR;
    uloc_toLanguageTag(locale, tag, sizeof tag, true, &error);
    if (U_FAILURE(error)) continue;
    char16_t shown[256];
    error = U_ZERO_ERROR;
    const std::int32_t size = uloc_getDisplayName(locale, "en", shown, 256, &error);
    std::string comment;
    bool ascii = U_SUCCESS(error);
    for (std::int32_t c = 0; ascii && c < size; ++c) {
      ascii = shown[c] < 0x80;
      comment.push_back(static_cast<char>(shown[c]));
    }
    out.push_back({std::string(tag) + "-x-icu", tag, ascii ? comment : std::string()});
  }
  return out;
}

}  // namespace

std::string CollationDefinition::encode() const {
  PropertyList list;
  list.add("provider", std::string_view(&provider, 1));
  list.add_int("deterministic", deterministic ? 1 : 0);
  list.add("locale", locale);
  if (!ctype.empty()) list.add("ctype", ctype);
  if (!version.empty()) list.add("version", version);
  return list.bytes();
}

std::optional<CollationDefinition> CollationDefinition::decode(std::string_view bytes, Oid oid) {
  const auto entries = PropertyList::parse(bytes);
  if (!entries) return std::nullopt;
  CollationDefinition out;
  for (const auto& [key, value] : *entries) {
    if (key == "provider" && value.size() == 1) out.provider = value[0];
    else if (key == "deterministic") out.deterministic = value != "0";
    else if (key == "locale") out.locale = value;
    else if (key == "ctype") out.ctype = value;
    else if (key == "version") out.version = value;
  }
  out.stored = stored_collation(oid, out.provider, out.deterministic, out.provider == 'i' ? out.locale : out.ctype);
  return out;
}

const Collation* find_collation(std::string_view stored) {
  static std::mutex mutex;
  static std::map<std::string, const Collation*, std::less<>>& known = *new std::map<std::string, const Collation*, std::less<>>;
  static std::uint16_t count = 0;
  const std::lock_guard guard(mutex);
  const auto add = [&](Collation made) -> const Collation* {
    if (count + 1u >= kMostCollations) return nullptr;
    made.id = ++count;
    const auto* kept = new Collation(std::move(made));
    by_id[kept->id].store(kept, std::memory_order_release);
    known.emplace(kept->stored, kept);
    return kept;
  };
  if (count == 0)
    for (const char* const first : {"default", "C"}) add(*builtin_of_c_library(first));   // kDefaultCollation, kCCollationId
  if (const auto found = known.find(stored); found != known.end()) return found->second;
  std::optional<Collation> made = builtin_of_c_library(stored);
  if (!made) made = builtin_of_icu(stored);
  if (!made) made = of_users(stored);
  if (!made) return nullptr;
  if (const auto found = known.find(made->stored); found != known.end()) return found->second;
  if (made->provider == 'i') {
    UErrorCode error;
    Collator collator = open_collator(made->locale, &error);
    if (collator == nullptr) return nullptr;
    Result<Order> order = publish_text_order(std::make_unique<IcuOrder>(std::move(collator), made->deterministic));
    if (!order.ok()) return nullptr;
    made->order = order.value();
  }
  return add(std::move(*made));
}

const Collation& collation_of(std::uint16_t id) {
  const Collation* known = by_id[id].load(std::memory_order_acquire);
  if (known == nullptr) [[unlikely]] {   // kDefaultCollation and kCCollationId need no name to be had
    (void)find_collation("C");
    known = by_id[id].load(std::memory_order_acquire);
  }
  return *known;
}

const Collation* find_builtin_collation(Oid oid) {
  for (const char* const name : {"default", "C", "POSIX", "ucs_basic", "C.utf8"})
    if (const std::optional<Collation> known = builtin_of_c_library(name); known->oid == oid) return find_collation(name);
  const std::span<const IcuCollation> all = icu_collations();
  if (oid < kFirstIcuCollation || oid - kFirstIcuCollation >= all.size()) return nullptr;
  return find_collation(all[oid - kFirstIcuCollation].name);
}

std::string stored_collation(Oid oid, char provider, bool deterministic, std::string_view locale) {
  return "@" + std::to_string(oid) + "/" + provider + (deterministic ? "d/" : "n/") + std::string(locale);
}

Oid user_collation_oid(std::string_view stored) {
  if (!stored.starts_with('@')) return 0;
  Oid oid = 0;
  const std::size_t slash = stored.find('/');
  if (slash == std::string_view::npos) return 0;
  const auto parsed = std::from_chars(stored.data() + 1, stored.data() + slash, oid);
  return parsed.ec == std::errc{} && parsed.ptr == stored.data() + slash ? oid : 0;
}

Order order_of_collation(std::string_view stored) {
  const Collation* found = find_collation(stored);
  return found == nullptr ? Order::kBytes : found->order;
}

bool is_collatable(Oid type) {
  type = base_type(type);
  const auto is_text = [](Oid of) { return of == kText || of == kVarchar || of == kBpchar || of == kName; };
  if (is_text(type)) return true;
  const TypeInfo* info = find_type(type);
  return info != nullptr && info->order == Order::kArray && info->element != 0 && is_text(base_type(info->element));
}

bool is_deterministic_collation(std::uint16_t collation) {
  return collation <= kDefaultCollation || collation == kIndeterminateCollation || collation_of(collation).deterministic;
}

std::span<const IcuCollation> icu_collations() {
  static const std::vector<IcuCollation>& all = *new std::vector<IcuCollation>(list_icu_collations());
  return all;
}

Status check_icu_locale(std::string_view locale) {
  UErrorCode error;
  if (open_collator(locale, &error) != nullptr) return {};
  return Status{sqlstate::invalid_parameter_value, "could not open collator for locale \"" + std::string(locale) + "\": " + u_errorName(error)};
}

std::string icu_collation_version(std::string_view locale) {
  UErrorCode error;
  const Collator collator = open_collator(locale, &error);
  if (collator == nullptr) return {};
  UVersionInfo version;
  ucol_getVersion(collator.get(), version);
  char text[U_MAX_VERSION_STRING_LENGTH];
  u_versionToString(version, text);
  return text;
}

std::string_view change_case(const Collation& collation, LetterCase to, std::string_view text, Arena& arena) {
  if (collation.ascii_case) return change_ascii_case(to, text, arena);
  if (collation.provider != 'i') return to == LetterCase::kLower ? to_lower(text, arena) : to == LetterCase::kUpper ? to_upper(text, arena) : to_title(text, arena);
  const char* const locale = collation.locale.c_str();
  return convert_utf16(text, arena, [&](char16_t* target, std::int32_t room, const char16_t* source, std::int32_t size, UErrorCode* error) {
    switch (to) {
      case LetterCase::kLower: return u_strToLower(target, room, source, size, locale, error);
      case LetterCase::kUpper: return u_strToUpper(target, room, source, size, locale, error);
      default: return u_strToTitle(target, room, source, size, nullptr, locale, error);
    }
  });
}

}  // namespace wandian::sql
