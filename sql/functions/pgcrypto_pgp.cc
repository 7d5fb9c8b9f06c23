// The PGP functions of pgcrypto: what sql/functions/pgp does, over SQL's values.
#include <optional>
#include <string>

#include "sql/functions/bindings.h"
#include "sql/functions/extension_functions.h"
#include "sql/functions/pgp/armor.h"
#include "sql/functions/pgp/keys.h"
#include "sql/functions/pgp/message.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/string_types.h"

namespace wandian::sql {

namespace {

using pgp::Fault;

bool give_copy(EvalContext& ctx, std::string_view bytes, Value* result) {
  *result = Value::of_bytes(ctx.arena.copy(bytes));
  return true;
}
bool refuse(EvalContext& ctx, Fault fault) {
  const SqlState code = fault == Fault::kTooLong ? sqlstate::program_limit_exceeded : sqlstate::external_routine_invocation_exception;
  return ctx.fail({code, pgp::message_of(fault)});
}
// Checks of tables run where there is no session to tell.
void tell(EvalContext& ctx, std::string line) {
  if (ctx.session != nullptr) ctx.session->notice_of_function(std::move(line));
}
void show(EvalContext& ctx, const pgp::Trace& trace) {
  for (const std::string& line : trace.lines()) tell(ctx, "dbg: " + line);
}

// An argument that other overloads do not have.
std::optional<std::string_view> optional_text(const Value& value) { return value.bytes(); }

bool read_options(EvalContext& ctx, std::optional<std::string_view> text, pgp::Options* out) {
  if (!text) return true;
  const Fault fault = pgp::read_options(*text, out);
  return fault == Fault::kNone || refuse(ctx, fault);
}

// ---- Messages ----

bool encrypt_message(EvalContext& ctx, const pgp::Options& options, const pgp::Secret& secret, bool text, std::string_view data, Value* result) {
  constexpr std::int64_t kSecondsBefore2000 = 946684800, kSecondMicros = 1000000;
  const auto time = static_cast<std::uint32_t>(ctx.session->clock_timestamp() / kSecondMicros + kSecondsBefore2000);
  const pgp::Random random = [&ctx](std::size_t count) { return random_bytes(ctx, count); };
  std::string out;
  const Fault fault = pgp::encrypt(options.form, secret, text, data, time, random, &out);
  return fault == Fault::kNone ? give_copy(ctx, out, result) : refuse(ctx, fault);
}

bool decrypt_message(EvalContext& ctx, pgp::Options options, const pgp::Secret& secret, bool text, std::string_view message, pgp::Trace& trace, Value* result) {
  std::string out;
  const Fault fault = pgp::decrypt(secret, text, message, trace, &options.form, &out);
  show(ctx, trace);
  if (fault != Fault::kNone) return refuse(ctx, fault);
  for (std::string& line : pgp::unexpected(options.expected, options.form)) tell(ctx, std::move(line));
  if (text)
    if (Status status = check_utf8(out); !status.ok()) return ctx.fail(std::move(status));
  return give_copy(ctx, out, result);
}

template <bool text, bool has_options>
bool encrypt_with_passphrase(EvalContext& ctx, const Value* args, Value* result) {
  pgp::Options options;
  if (!read_options(ctx, has_options ? optional_text(args[2]) : std::nullopt, &options)) return false;
  const pgp::Secret secret{args[1].bytes()};
  if (secret.passphrase->empty()) return refuse(ctx, Fault::kArgument);
  return encrypt_message(ctx, options, secret, text, args[0].bytes(), result);
}

template <bool text, bool has_options>
bool decrypt_with_passphrase(EvalContext& ctx, const Value* args, Value* result) {
  pgp::Options options;
  if (!read_options(ctx, has_options ? optional_text(args[2]) : std::nullopt, &options)) return false;
  const pgp::Secret secret{args[1].bytes()};
  if (secret.passphrase->empty()) return refuse(ctx, Fault::kArgument);
  pgp::Trace trace(options.debug);
  return decrypt_message(ctx, options, secret, text, args[0].bytes(), trace, result);
}

template <bool text, bool has_options>
bool encrypt_with_key(EvalContext& ctx, const Value* args, Value* result) {
  pgp::Options options;
  if (!read_options(ctx, has_options ? optional_text(args[2]) : std::nullopt, &options)) return false;
  pgp::Trace trace(options.debug);
  pgp::Key key;
  const Fault fault = pgp::read_key(args[1].bytes(), false, std::nullopt, trace, &key);
  show(ctx, trace);
  if (fault != Fault::kNone) return refuse(ctx, fault);
  return encrypt_message(ctx, options, pgp::Secret{std::nullopt, &key}, text, args[0].bytes(), result);
}

template <bool text, bool has_passphrase, bool has_options>
bool decrypt_with_key(EvalContext& ctx, const Value* args, Value* result) {
  pgp::Options options;
  if (!read_options(ctx, has_options ? optional_text(args[3]) : std::nullopt, &options)) return false;
  pgp::Trace trace(options.debug);
  pgp::Key key;
  const Fault fault = pgp::read_key(args[1].bytes(), true, has_passphrase ? optional_text(args[2]) : std::nullopt, trace, &key);
  if (fault != Fault::kNone) {
    show(ctx, trace);
    return refuse(ctx, fault);
  }
  return decrypt_message(ctx, options, pgp::Secret{std::nullopt, &key}, text, args[0].bytes(), trace, result);
}

bool key_id(EvalContext& ctx, const Value* args, Value* result) {
  pgp::Trace trace;
  std::string out;
  const Fault fault = pgp::read_key_id(args[0].bytes(), trace, &out);
  return fault == Fault::kNone ? give_copy(ctx, out, result) : refuse(ctx, fault);
}

// ---- Armor ----

bool plain_armor(EvalContext& ctx, const Value* args, Value* result) { return give_copy(ctx, pgp::armor(args[0].bytes(), {}), result); }

// `what` is "key" or "value".
bool check_header_text(EvalContext& ctx, const Value& value, const std::string& what) {
  if (value.is_null) return ctx.fail({sqlstate::null_value_not_allowed, "null value not allowed for header " + what});
  const auto must_not = [&](const char* contain) {
    return ctx.fail({sqlstate::invalid_parameter_value, "header " + what + " must not contain " + contain});
  };
  const std::string_view text = value.bytes();
  if (!is_ascii(text)) return must_not("non-ASCII characters");
  if (what == "key" && text.find(": ") != text.npos) return must_not("\": \"");
  return text.find('\n') == text.npos || must_not("newlines");
}

bool armor_with_headers(EvalContext& ctx, const Value* args, Value* result) {
  const ArrayView names(args[1]), values(args[2]);
  if (names.dimensions() > 1 || names.dimensions() != values.dimensions())
    return ctx.fail({sqlstate::array_subscript_error, "wrong number of array subscripts"});
  if (names.count() != values.count()) return ctx.fail({sqlstate::array_subscript_error, "mismatched array dimensions"});
  pgp::ArmorHeaders headers;
  for (std::uint32_t i = 0; i < names.count(); ++i) {
    const Value name = names.element(i), value = values.element(i);
    if (!check_header_text(ctx, name, "key") || !check_header_text(ctx, value, "value")) return false;
    headers.emplace_back(name.bytes(), value.bytes());
  }
  return give_copy(ctx, pgp::armor(args[0].bytes(), headers), result);
}

bool dearmor(EvalContext& ctx, const Value* args, Value* result) {
  std::string out;
  const Fault fault = pgp::dearmor(args[0].bytes(), &out);
  return fault == Fault::kNone ? give_copy(ctx, out, result) : refuse(ctx, fault);
}

// The text is read anew for every row: headers are few.
bool armor_headers(EvalContext& ctx, const Value* args, std::uint64_t* position, Value* columns, bool* done) {
  pgp::ArmorHeaders headers;
  const Fault fault = pgp::armor_headers(args[0].bytes(), &headers);
  if (fault != Fault::kNone) return refuse(ctx, fault);
  if (*position == headers.size()) {
    *done = true;
    return true;
  }
  const auto& [name, value] = headers[(*position)++];
  return give_copy(ctx, name, &columns[0]) && give_copy(ctx, value, &columns[1]);
}

constexpr ExtensionSymbol kSymbols[] = {
    {"pgp_sym_encrypt_text", encrypt_with_passphrase<true, false>, nullptr, 2},
    {"pgp_sym_encrypt_text", encrypt_with_passphrase<true, true>, nullptr, 3},
    {"pgp_sym_encrypt_bytea", encrypt_with_passphrase<false, false>, nullptr, 2},
    {"pgp_sym_encrypt_bytea", encrypt_with_passphrase<false, true>, nullptr, 3},
    {"pgp_sym_decrypt_text", decrypt_with_passphrase<true, false>, nullptr, 2},
    {"pgp_sym_decrypt_text", decrypt_with_passphrase<true, true>, nullptr, 3},
    {"pgp_sym_decrypt_bytea", decrypt_with_passphrase<false, false>, nullptr, 2},
    {"pgp_sym_decrypt_bytea", decrypt_with_passphrase<false, true>, nullptr, 3},
    {"pgp_pub_encrypt_text", encrypt_with_key<true, false>, nullptr, 2},
    {"pgp_pub_encrypt_text", encrypt_with_key<true, true>, nullptr, 3},
    {"pgp_pub_encrypt_bytea", encrypt_with_key<false, false>, nullptr, 2},
    {"pgp_pub_encrypt_bytea", encrypt_with_key<false, true>, nullptr, 3},
    {"pgp_pub_decrypt_text", decrypt_with_key<true, false, false>, nullptr, 2},
    {"pgp_pub_decrypt_text", decrypt_with_key<true, true, false>, nullptr, 3},
    {"pgp_pub_decrypt_text", decrypt_with_key<true, true, true>, nullptr, 4},
    {"pgp_pub_decrypt_bytea", decrypt_with_key<false, false, false>, nullptr, 2},
    {"pgp_pub_decrypt_bytea", decrypt_with_key<false, true, false>, nullptr, 3},
    {"pgp_pub_decrypt_bytea", decrypt_with_key<false, true, true>, nullptr, 4},
    {"pgp_key_id_w", key_id},
    {"pg_armor", plain_armor, nullptr, 1},
    {"pg_armor", armor_with_headers, nullptr, 3},
    {"pg_dearmor", dearmor},
    {"pgp_armor_headers", nullptr, armor_headers},
};

}  // namespace

std::span<const ExtensionSymbol> pgcrypto_pgp_symbols() { return kSymbols; }

}  // namespace wandian::sql
