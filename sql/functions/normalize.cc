// normalize() and IS NORMALIZED: Unicode's normal forms, by ICU.
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <string>

#include "sql/functions/bindings.h"

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

bool to_ascii(EvalContext& ctx, const Value*, Value*) {
  return ctx.fail({sqlstate::feature_not_supported, "encoding conversion from UTF8 to ASCII not supported"});
}

constexpr FunctionBinding kBindings[] = {
    {"unicode_normalize_func", normalize}, {"unicode_is_normalized", is_normalized}, {"to_ascii_default", to_ascii},
};

}  // namespace

std::span<const FunctionBinding> normalize_bindings() { return kBindings; }

}  // namespace wandian::sql
