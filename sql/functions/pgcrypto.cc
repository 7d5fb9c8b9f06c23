// pgcrypto: digests, passwords, ciphers and random bytes, by OpenSSL and libcrypt. PGP is in pgcrypto_pgp.cc.
#include <crypt.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "sql/functions/bindings.h"
#include "sql/functions/crypto_digest.h"
#include "sql/functions/extension_functions.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}
bool give_bytes(EvalContext& ctx, std::string_view bytes, Value* result) {
  *result = Value::of_bytes(ctx.arena.copy(bytes));
  return true;
}
bool cannot_use(EvalContext& ctx, const std::string& name, const char* why) {
  return ctx.fail({sqlstate::invalid_parameter_value, "Cannot use \"" + name + "\": " + why});
}

// ---- Digests ----

bool digest(EvalContext& ctx, const Value* args, Value* result) {
  std::string out;
  const std::string name = lowered(args[1].bytes());
  if (!crypto_digest(name, args[0].bytes(), &out)) return cannot_use(ctx, name, "No such hash algorithm");
  return give_bytes(ctx, out, result);
}
bool hmac(EvalContext& ctx, const Value* args, Value* result) {
  std::string out;
  const std::string name = lowered(args[2].bytes());
  if (!crypto_hmac(name, args[1].bytes(), args[0].bytes(), &out)) return cannot_use(ctx, name, "No such hash algorithm");
  return give_bytes(ctx, out, result);
}

// ---- Random numbers ----

bool random(EvalContext& ctx, const Value* args, Value* result) {
  if (args[0].i < 1 || args[0].i > 1024) return ctx.fail({sqlstate::external_routine_invocation_exception, "Length not in range"});
  return give_bytes(ctx, random_bytes(ctx, static_cast<std::size_t>(args[0].i)), result);
}
bool random_uuid(EvalContext& ctx, const Value*, Value* result) {
  std::string bytes = random_bytes(ctx, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  return give_bytes(ctx, bytes, result);
}

// ---- Passwords ----

constexpr char kSaltLetters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr char kBlowfishLetters[] = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

std::string salt_letters(EvalContext& ctx, std::size_t count) {
  std::string out = random_bytes(ctx, count);
  for (char& c : out) c = kSaltLetters[static_cast<unsigned char>(c) & 63];
  return out;
}
// 16 bytes as 22 letters, the first bits first.
std::string blowfish_letters(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out.push_back(kBlowfishLetters[bits >> (count - 6) & 63]);
  }
  if (count > 0) out.push_back(kBlowfishLetters[bits << (6 - count) & 63]);
  return out;
}

bool salt(EvalContext& ctx, std::string_view algorithm, std::int64_t rounds, Value* result) {
  const std::string name = lowered(algorithm);
  const auto bad_rounds = [&] { return ctx.fail({sqlstate::invalid_parameter_value, "gen_salt: Incorrect number of rounds"}); };
  if (name == "des") return rounds != 0 && rounds != 25 ? bad_rounds() : give_bytes(ctx, salt_letters(ctx, 2), result);
  if (name == "md5") return rounds != 0 && rounds != 1000 ? bad_rounds() : give_bytes(ctx, "$1$" + salt_letters(ctx, 8), result);
  if (name == "xdes") {
    if (rounds == 0) rounds = 29 * 25;
    if (rounds < 1 || rounds > 0xffffff || rounds % 2 == 0) return bad_rounds();
    std::string out = "_";
    for (int shift = 0; shift < 24; shift += 6) out.push_back(kSaltLetters[rounds >> shift & 63]);
    return give_bytes(ctx, out + salt_letters(ctx, 4), result);
  }
  if (name == "bf") {
    if (rounds == 0) rounds = 6;
    if (rounds < 4 || rounds > 31) return bad_rounds();
    return give_bytes(ctx, std::string("$2a$") + (rounds < 10 ? "0" : "") + std::to_string(rounds) + "$" + blowfish_letters(random_bytes(ctx, 16)), result);
  }
  return ctx.fail({sqlstate::invalid_parameter_value, "gen_salt: Unknown salt algorithm"});
}
bool gen_salt(EvalContext& ctx, const Value* args, Value* result) { return salt(ctx, args[0].bytes(), 0, result); }
bool gen_salt_rounds(EvalContext& ctx, const Value* args, Value* result) { return salt(ctx, args[0].bytes(), args[1].i, result); }

bool password(EvalContext& ctx, const Value* args, Value* result) {
  const std::string phrase(args[0].bytes());
  const std::string setting(args[1].bytes());
  const auto invalid = [&] { return ctx.fail({sqlstate::invalid_parameter_value, "invalid salt"}); };
  // What libcrypt knows beside these, pgcrypto does not.
  const bool known = setting.starts_with("$2a$") || setting.starts_with("$2x$") || setting.starts_with("$1$") || !setting.starts_with("$");
  if (!known || setting.size() < 2) return invalid();
  auto memory = std::make_unique<crypt_data>();
  const char* out = crypt_rn(phrase.c_str(), setting.c_str(), memory.get(), sizeof(crypt_data));
  if (out == nullptr || out[0] == '*') return invalid();
  return give_bytes(ctx, out, result);
}

// ---- Ciphers ----

struct Cipher {
  std::string_view name, openssl;
  std::size_t most_key;       ///< longer keys are cut
};
// By OpenSSL's names; aes and 3des are chosen by the length of the key, or have one.
constexpr Cipher kCiphers[] = {
    {"aes-cbc", "aes-%-cbc", 32}, {"aes-ecb", "aes-%-ecb", 32}, {"des3-cbc", "des-ede3-cbc", 24}, {"des3-ecb", "des-ede3", 24},
    {"bf-cbc", "", 56}, {"bf-ecb", "", 56}, {"bf-cfb", "", 56}, {"des-cbc", "", 8}, {"des-ecb", "", 8}, {"cast5-cbc", "", 16}, {"cast5-ecb", "", 16},
};
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"aes", "aes-cbc"}, {"rijndael", "aes-cbc"}, {"rijndael-cbc", "aes-cbc"}, {"rijndael-ecb", "aes-ecb"}, {"3des", "des3-cbc"}, {"3des-cbc", "des3-cbc"},
    {"3des-ecb", "des3-ecb"}, {"bf", "bf-cbc"}, {"blowfish", "bf-cbc"}, {"blowfish-cbc", "bf-cbc"}, {"blowfish-ecb", "bf-ecb"},
    {"blowfish-cfb", "bf-cfb"}, {"des", "des-cbc"}, {"cast5", "cast5-cbc"},
};

bool find_cipher(EvalContext& ctx, std::string_view type, const Cipher** out, bool* padded) {
  const std::string full = lowered(type);
  std::string_view rest = full, padding = "pkcs";
  const std::size_t end = std::min(rest.find('/'), rest.size());
  std::string_view name = rest.substr(0, end);
  rest.remove_prefix(end);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t stop = std::min(rest.find('/'), rest.size());
    const std::string_view option = rest.substr(0, stop);
    rest.remove_prefix(stop);
    if (option.empty()) continue;
    if (option.find(':') == std::string_view::npos) return cannot_use(ctx, full, "Badly formatted type");
    if (!option.starts_with("pad:")) return cannot_use(ctx, full, "Unknown option");
    padding = option.substr(4);
  }
  if (padding != "pkcs" && padding != "none") return cannot_use(ctx, full, "No such cipher algorithm");
  *padded = padding == "pkcs";
  for (const auto& [alias, meant] : kAliases)
    if (alias == name) name = meant;
  const auto found = std::find_if(std::begin(kCiphers), std::end(kCiphers), [&](const Cipher& c) { return c.name == name; });
  if (found == std::end(kCiphers)) return cannot_use(ctx, full, "No such cipher algorithm");
  *out = found;
  return true;
}

struct FreeCipherContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

// `function` is what errors name.
bool cipher(EvalContext& ctx, const char* function, bool encrypts, std::string_view data, std::string_view key, std::string_view iv, std::string_view type, Value* result) {
  const Cipher* chosen;
  bool padded;
  if (!find_cipher(ctx, type, &chosen, &padded)) return false;
  const auto failed = [&](const char* what) {
    return ctx.fail({sqlstate::external_routine_invocation_exception, std::string(function) + " error: " + what});
  };
  std::string key_bytes(key.substr(0, chosen->most_key));
  std::size_t key_size = chosen->most_key;
  std::string name(chosen->openssl);
  if (const std::size_t at = name.find('%'); at != std::string::npos) {
    key_size = key_bytes.size() <= 16 ? 16 : key_bytes.size() <= 24 ? 24 : 32;
    name.replace(at, 1, std::to_string(key_size * 8));
  }
  key_bytes.resize(key_size, '\0');
  std::string iv_bytes(iv.substr(0, EVP_MAX_IV_LENGTH));
  iv_bytes.resize(EVP_MAX_IV_LENGTH, '\0');
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext> context(EVP_CIPHER_CTX_new());
  // Those of the legacy provider are not there, as they are not where PostgreSQL runs with OpenSSL 3 as it comes.
  const EVP_CIPHER* algorithm = name.empty() ? nullptr : EVP_get_cipherbyname(name.c_str());
  const auto bytes_of = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  if (algorithm == nullptr ||
      EVP_CipherInit_ex(context.get(), algorithm, nullptr, bytes_of(key_bytes), bytes_of(iv_bytes), encrypts ? 1 : 0) != 1)
    return failed("Cipher cannot be initialized");
  EVP_CIPHER_CTX_set_padding(context.get(), padded ? 1 : 0);
  std::string out(data.size() + EVP_MAX_BLOCK_LENGTH, '\0');
  auto* target = reinterpret_cast<unsigned char*>(out.data());
  int size = 0, last = 0;
  if (EVP_CipherUpdate(context.get(), target, &size, bytes_of(data), static_cast<int>(data.size())) != 1 ||
      EVP_CipherFinal_ex(context.get(), target + size, &last) != 1)
    return failed(encrypts ? "Encryption failed" : "Decryption failed");
  out.resize(static_cast<std::size_t>(size + last));
  return give_bytes(ctx, out, result);
}
template <bool encrypts>
bool cipher_of(EvalContext& ctx, const Value* args, Value* result) {
  return cipher(ctx, encrypts ? "encrypt" : "decrypt", encrypts, args[0].bytes(), args[1].bytes(), {}, args[2].bytes(), result);
}
template <bool encrypts>
bool cipher_with_iv(EvalContext& ctx, const Value* args, Value* result) {
  return cipher(ctx, encrypts ? "encrypt_iv" : "decrypt_iv", encrypts, args[0].bytes(), args[1].bytes(), args[2].bytes(), args[3].bytes(), result);
}

constexpr ExtensionSymbol kSymbols[] = {
    {"pg_digest", digest}, {"pg_hmac", hmac}, {"pg_crypt", password}, {"pg_gen_salt", gen_salt}, {"pg_gen_salt_rounds", gen_salt_rounds},
    {"pg_encrypt", cipher_of<true>}, {"pg_decrypt", cipher_of<false>}, {"pg_encrypt_iv", cipher_with_iv<true>},
    {"pg_decrypt_iv", cipher_with_iv<false>}, {"pg_random_bytes", random}, {"pg_random_uuid", random_uuid},
};

}  // namespace

std::span<const ExtensionSymbol> pgcrypto_symbols() { return kSymbols; }

}  // namespace wandian::sql
