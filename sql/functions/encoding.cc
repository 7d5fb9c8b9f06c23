// Encodings as functions: conversion of bytes, names and numbers.
#include <algorithm>

#include "sql/functions/bindings.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/encoding.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

bool bad_name(EvalContext& ctx, const char* which, std::string_view name) {
  return ctx.fail({sqlstate::invalid_parameter_value, "invalid " + std::string(which) + " encoding name \"" + std::string(name) + "\""});
}

bool no_conversion(EvalContext& ctx, int from, int to) {
  return ctx.fail({sqlstate::undefined_function, "default conversion function for encoding \"" + std::string(encoding_name(from)) +
                                                     "\" to \"" + std::string(encoding_name(to)) + "\" does not exist"});
}

// 22021 if the text is not of the encoding; what is not known here has no texts that could be wrong.
Status check_text(int number, std::string_view text) {
  if (number == kUtf8Encoding) return check_utf8(text);
  std::size_t characters = 0;
  const Encoding* encoding = find_encoding(number);
  return encoding != nullptr ? encoding->length(text, &characters) : Status{};
}

// Names the first character that has no equivalent as it is in the source's encoding, not as the UTF-8 on the way.
Status untranslatable(const Encoding& source, const Encoding& target, std::string_view text) {
  std::string_view character;
  for (; !text.empty(); text.remove_prefix(character.size())) {
    std::size_t bytes = 1, characters = 0;
    while (bytes < text.size() && !source.length(text.substr(0, bytes), &characters).ok()) ++bytes;
    character = text.substr(0, bytes);
    std::string utf8, out;
    if (!source.to_utf8(character, &utf8).ok() || !target.from_utf8(utf8, &out).ok()) break;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  std::string shown;
  for (const char c : character) {
    const auto byte = static_cast<unsigned char>(c);
    shown += std::string(" 0x") + kHex[byte >> 4] + kHex[byte & 15];
  }
  return Status(sqlstate::untranslatable_character, "character with byte sequence" + shown + " in encoding \"" + std::string(source.name()) +
                                                        "\" has no equivalent in encoding \"" + std::string(target.name()) + "\"");
}

// PostgreSQL has conversions between UTF-8 and everything, and a few more, which go by way of it here. The text is looked at first.
bool convert_bytes(EvalContext& ctx, std::string_view text, int from, int to, std::string* out) {
  if (!check(ctx, check_text(from, text))) return false;
  if (text.empty() || from == to || from == kSqlAsciiEncoding || to == kSqlAsciiEncoding) {
    *out = text;
    return from != kSqlAsciiEncoding || check(ctx, check_text(to, text));
  }
  const Encoding *source = find_encoding(from), *target = find_encoding(to);
  if ((source == nullptr && from != kUtf8Encoding) || (target == nullptr && to != kUtf8Encoding)) return no_conversion(ctx, from, to);
  if (source != nullptr && target != nullptr) {
    const auto known = conversions();
    if (std::none_of(known.begin(), known.end(), [&](const ConversionFacts& one) { return one.from == from && one.to == to; }))
      return no_conversion(ctx, from, to);
    std::string utf8;
    Status status = source->to_utf8(text, &utf8);
    if (status.ok()) status = target->from_utf8(utf8, out);
    return check(ctx, status.code() == sqlstate::untranslatable_character ? untranslatable(*source, *target, text) : std::move(status));
  }
  return check(ctx, source != nullptr ? source->to_utf8(text, out) : target->from_utf8(text, out));
}

bool convert_between(EvalContext& ctx, std::string_view text, std::string_view source, std::string_view target, Value* result) {
  const int from = encoding_number(source), to = encoding_number(target);
  if (from < 0) return bad_name(ctx, "source", source);
  if (to < 0) return bad_name(ctx, "destination", target);
  std::string out;
  return convert_bytes(ctx, text, from, to, &out) && return_text(ctx, result, out);
}
bool convert(EvalContext& ctx, const Value* args, Value* result) {
  return convert_between(ctx, args[0].bytes(), args[1].bytes(), args[2].bytes(), result);
}
bool convert_from(EvalContext& ctx, const Value* args, Value* result) {
  return convert_between(ctx, args[0].bytes(), args[1].bytes(), "UTF8", result);
}
bool convert_to(EvalContext& ctx, const Value* args, Value* result) {
  return convert_between(ctx, args[0].bytes(), "UTF8", args[1].bytes(), result);
}

bool length_in(EvalContext& ctx, const Value* args, Value* result) {
  const int number = encoding_number(args[1].bytes());
  if (number < 0) return ctx.fail({sqlstate::invalid_parameter_value, "invalid encoding name \"" + std::string(args[1].bytes()) + "\""});
  std::size_t characters = 0;
  if (const Encoding* encoding = find_encoding(number); encoding != nullptr) {
    if (!check(ctx, encoding->length(args[0].bytes(), &characters))) return false;
  } else if (number == kUtf8Encoding) {
    if (!check(ctx, check_utf8(args[0].bytes()))) return false;
    characters = utf8_length(args[0].bytes());
  } else if (number == kSqlAsciiEncoding) {
    characters = args[0].bytes().size();
  } else {
    return no_conversion(ctx, number, kUtf8Encoding);
  }
  return return_int(result, static_cast<std::int64_t>(characters));
}

bool number_to_name(EvalContext& ctx, const Value* args, Value* result) { return return_text(ctx, result, encoding_name(static_cast<int>(args[0].i))); }
bool name_to_number(EvalContext&, const Value* args, Value* result) { return return_int(result, encoding_number(args[0].bytes())); }
bool max_bytes(EvalContext&, const Value* args, Value* result) {
  const int number = static_cast<int>(args[0].i);
  return encoding_name(number).empty() ? return_null(result) : return_int(result, encoding_max_bytes(number));
}

bool database_encoding(EvalContext& ctx, const Value*, Value* result) { return return_text(ctx, result, "UTF8"); }
bool client_encoding(EvalContext& ctx, const Value*, Value* result) {
  const Encoding* encoding = ctx.format.client_encoding;
  if (encoding != nullptr) return return_text(ctx, result, encoding->name());
  const auto setting = ctx.session->current_setting("client_encoding", true);   // UTF-8, or the one that is none
  return return_text(ctx, result, setting.ok() && setting.value() ? encoding_name(encoding_number(*setting.value())) : "UTF8");
}

constexpr FunctionBinding kBindings[] = {
    {"pg_convert", convert}, {"pg_convert_from", convert_from}, {"pg_convert_to", convert_to}, {"length_in_encoding", length_in},
    {"PG_encoding_to_char", number_to_name}, {"PG_char_to_encoding", name_to_number}, {"pg_encoding_max_length_sql", max_bytes},
    {"getdatabaseencoding", database_encoding}, {"pg_client_encoding", client_encoding},
};

}  // namespace

std::span<const FunctionBinding> encoding_bindings() { return kBindings; }

}  // namespace wandian::sql
