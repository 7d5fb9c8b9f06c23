// normalize() and IS NORMALIZED: Unicode's normal forms, by ICU; and to_ascii().
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <string>

#include "sql/functions/bindings.h"
#include "sql/types/encoding.h"

namespace wandian::sql {

namespace {

const UNormalizer2* find_form(std::string_view name) {
  UErrorCode error = U_ZERO_ERROR;
  std::string upper(name);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  if (upper == "NFC") return unorm2_getNFCInstance(&error);
  if (upper == "NFD") return unorm2_getNFDInstance(&error);
  if (upper == "NFKC") return unorm2_getNFKCInstance(&error);
  if (upper == "NFKD") return unorm2_getNFKDInstance(&error);
  return nullptr;
}

// The text in UTF-16, and its form. False: ctx.error.
bool prepare(EvalContext& ctx, const Value* args, const UNormalizer2** form, std::u16string* text) {
  *form = find_form(args[1].bytes());
  if (*form == nullptr) return ctx.fail({sqlstate::invalid_parameter_value, "invalid normalization form: " + std::string(args[1].bytes())});
  text->resize(args[0].size);
  UErrorCode error = U_ZERO_ERROR;
  std::int32_t size = 0;
  if (args[0].size > 0) u_strFromUTF8(text->data(), static_cast<std::int32_t>(text->size()), &size, args[0].p, static_cast<std::int32_t>(args[0].size), &error);
  if (U_FAILURE(error)) return ctx.fail({sqlstate::internal_error, "text cannot be read as UTF-8"});
  text->resize(static_cast<std::size_t>(size));
  return true;
}

bool normalize(EvalContext& ctx, const Value* args, Value* result) {
  const UNormalizer2* form;
  std::u16string text;
  if (!prepare(ctx, args, &form, &text)) return false;
  UErrorCode error = U_ZERO_ERROR;
  std::u16string normal(text.size() * 2 + 16, u'\0');
  std::int32_t size = 0;
  for (;;) {
    size = unorm2_normalize(form, text.data(), static_cast<std::int32_t>(text.size()), normal.data(), static_cast<std::int32_t>(normal.size()), &error);
    if (error != U_BUFFER_OVERFLOW_ERROR) break;
    error = U_ZERO_ERROR;
    normal.resize(static_cast<std::size_t>(size) + 1);
  }
  if (U_FAILURE(error)) return ctx.fail({sqlstate::internal_error, "text cannot be normalized"});
  char* out = ctx.arena.allocate_bytes(static_cast<std::size_t>(size) * 3 + 1);
  std::int32_t bytes = 0;
  u_strToUTF8(out, size * 3 + 1, &bytes, normal.data(), size, &error);
  if (U_FAILURE(error)) return ctx.fail({sqlstate::internal_error, "text cannot be normalized"});
  *result = Value::of_bytes(out, static_cast<std::size_t>(bytes));
  return true;
}

bool is_normalized(EvalContext& ctx, const Value* args, Value* result) {
  const UNormalizer2* form;
  std::u16string text;
  if (!prepare(ctx, args, &form, &text)) return false;
  UErrorCode error = U_ZERO_ERROR;
  return return_bool(result, unorm2_isNormalized(form, text.data(), static_cast<std::int32_t>(text.size()), &error) != 0);
}

// What to_ascii() makes of the bytes from 128 on, as far as they occur in UTF-8: it takes a text's bytes for the encoding's that it is
// told, whatever the database's is.
// Source: PostgreSQL 15's answers for every one of them.
struct AsciiLetters {
  std::string_view encoding, letters;
};
constexpr AsciiLetters kAsciiLetters[] = {
    {"LATIN1",
     "                                "
     "  cL Y  \"Ca  -R     'u .,      ?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo           "},
    {"LATIN2",
     "                                "
     " A L LS \"SSTZ-ZZ a,l'ls ,sstz\"zz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo           "},
    {"LATIN9",
     "                                "
     "  cL YS sCa  -R     Zu .z   EeY?  AAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooo           "},
    {"WIN1250",
     "  ' \"    %S<STZZ `'\"\".--  s>stzz "
     "  L A  \"CS  -RZ  ,l'u .,as L\"lz  AAALCCCEEEEIIDDNNOOOOxRUUUUYTBraaaalccceeeeiiddnnoo           "},
};
static_assert(std::all_of(std::begin(kAsciiLetters), std::end(kAsciiLetters), [](const AsciiLetters& of) { return of.letters.size() == 128; }));

bool ascii_of(EvalContext& ctx, std::string_view text, int number, Value* result) {
  const std::string_view name = encoding_name(number);
  const auto found = std::find_if(std::begin(kAsciiLetters), std::end(kAsciiLetters), [&](const AsciiLetters& of) { return of.encoding == name; });
  if (found == std::end(kAsciiLetters))
    return ctx.fail({sqlstate::feature_not_supported, "encoding conversion from " + std::string(name) + " to ASCII not supported"});
  std::string out(text);
  for (char& c : out)
    if (const auto byte = static_cast<unsigned char>(c); byte >= 128) c = found->letters[byte - 128];
  return return_text(ctx, result, out);
}
bool to_ascii(EvalContext& ctx, const Value* args, Value* result) { return ascii_of(ctx, args[0].bytes(), kUtf8Encoding, result); }
bool to_ascii_by_number(EvalContext& ctx, const Value* args, Value* result) {
  const int number = static_cast<int>(args[1].i);
  if (encoding_name(number).empty()) return ctx.fail({sqlstate::undefined_object, std::to_string(number) + " is not a valid encoding code"});
  return ascii_of(ctx, args[0].bytes(), number, result);
}
bool to_ascii_by_name(EvalContext& ctx, const Value* args, Value* result) {
  const int number = encoding_number(args[1].bytes());
  if (number < 0) return ctx.fail({sqlstate::undefined_object, std::string(args[1].bytes()) + " is not a valid encoding name"});
  return ascii_of(ctx, args[0].bytes(), number, result);
}

constexpr FunctionBinding kBindings[] = {
    {"unicode_normalize_func", normalize}, {"unicode_is_normalized", is_normalized}, {"to_ascii_default", to_ascii},
    {"to_ascii_enc", to_ascii_by_number}, {"to_ascii_encname", to_ascii_by_name},
};

}  // namespace

std::span<const FunctionBinding> normalize_bindings() { return kBindings; }

}  // namespace wandian::sql
