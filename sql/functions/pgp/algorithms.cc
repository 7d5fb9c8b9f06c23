#include "sql/functions/pgp/algorithms.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include <algorithm>
#include <memory>

#include "sql/functions/crypto_digest.h"

namespace wandian::sql::pgp {

namespace {

struct Cipher {
  std::string_view name;
  int number;
  const char* openssl;   // null: OpenSSL does not have it
  std::size_t key_bytes, block_bytes;
};
constexpr Cipher kCiphers[] = {
    {"3des", 2, "DES-EDE3-CFB", 24, 8}, {"cast5", 3, "CAST5-CFB", 16, 8},      {"bf", 4, "BF-CFB", 16, 8},
    {"blowfish", 4, "BF-CFB", 16, 8},   {"aes", 7, "AES-128-CFB", 16, 16},     {"aes128", 7, "AES-128-CFB", 16, 16},
    {"aes192", 8, "AES-192-CFB", 24, 16}, {"aes256", 9, "AES-256-CFB", 32, 16}, {"twofish", 10, nullptr, 32, 16},
};

struct Digest {
  std::string_view name;
  int number;
  const char* openssl;
};
constexpr Digest kDigests[] = {
    {"md5", 1, "md5"},       {"sha1", 2, "sha1"},     {"sha-1", 2, "sha1"},    {"ripemd160", 3, "ripemd160"},
    {"sha256", 8, "sha256"}, {"sha384", 9, "sha384"}, {"sha512", 10, "sha512"},
};

const Cipher* find_cipher(int number) {
  const auto found = std::find_if(std::begin(kCiphers), std::end(kCiphers), [&](const Cipher& c) { return c.number == number; });
  return found != std::end(kCiphers) ? found : nullptr;
}

// Blowfish and CAST5 are with OpenSSL's old algorithms. They are loaded into a library context of their own, so that nothing else gets them.
OSSL_LIB_CTX* library() {
  static OSSL_LIB_CTX* const all = [] {
    OSSL_LIB_CTX* made = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_load(made, "default");
    OSSL_PROVIDER_load(made, "legacy");   // where it is not installed, these two are unsupported
    ERR_clear_error();
    return made;
  }();
  return all;
}

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const { EVP_CIPHER_free(cipher); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

int cipher_number(std::string_view name) {
  const auto found = std::find_if(std::begin(kCiphers), std::end(kCiphers), [&](const Cipher& c) { return c.name == name; });
  return found != std::end(kCiphers) ? found->number : -1;
}
int digest_number(std::string_view name) {
  const auto found = std::find_if(std::begin(kDigests), std::end(kDigests), [&](const Digest& d) { return d.name == name; });
  return found != std::end(kDigests) ? found->number : -1;
}
std::size_t cipher_key_bytes(int cipher) {
  const Cipher* found = find_cipher(cipher);
  return found != nullptr ? found->key_bytes : 0;
}
std::size_t cipher_block_bytes(int cipher) {
  const Cipher* found = find_cipher(cipher);
  return found != nullptr ? found->block_bytes : 0;
}
const char* digest_name(int digest) {
  const auto found = std::find_if(std::begin(kDigests), std::end(kDigests), [&](const Digest& d) { return d.number == digest; });
  return found != std::end(kDigests) ? found->openssl : nullptr;
}

Fault cipher_feedback(bool encrypts, int cipher, std::string_view key, std::string_view iv, std::string_view data, std::string* out) {
  const Cipher* found = find_cipher(cipher);
  if (found == nullptr || key.size() != found->key_bytes) return Fault::kCorruptData;
  const std::unique_ptr<EVP_CIPHER, FreeCipher> algorithm(
      found->openssl != nullptr ? EVP_CIPHER_fetch(library(), found->openssl, nullptr) : nullptr);
  const std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context(EVP_CIPHER_CTX_new());
  std::string start(iv);
  start.resize(found->block_bytes, '\0');
  if (algorithm == nullptr || context == nullptr ||
      EVP_CipherInit_ex2(context.get(), algorithm.get(), bytes_of(key), bytes_of(start), encrypts ? 1 : 0, nullptr) != 1) {
    ERR_clear_error();
    return Fault::kUnsupportedCipher;
  }
  out->resize(data.size());
  int size = 0;
  if (!data.empty() && EVP_CipherUpdate(context.get(), reinterpret_cast<unsigned char*>(out->data()), &size, bytes_of(data),
                                        static_cast<int>(data.size())) != 1) {
    ERR_clear_error();
    return Fault::kUnsupportedCipher;
  }
  return Fault::kNone;
}

Fault cipher_feedback_resync(bool encrypts, int cipher, std::string_view key, std::string_view data, std::string* out) {
  const std::size_t prefix = std::min(data.size(), cipher_block_bytes(cipher) + 2);
  WANDIAN_PGP_TRY(cipher_feedback(encrypts, cipher, key, {}, data.substr(0, prefix), out));
  if (prefix == data.size()) return Fault::kNone;
  const std::string iv = (encrypts ? *out : std::string(data.substr(0, prefix))).substr(2);
  std::string rest;
  WANDIAN_PGP_TRY(cipher_feedback(encrypts, cipher, key, iv, data.substr(prefix), &rest));
  *out += rest;
  return Fault::kNone;
}

std::string sha1(std::string_view data) {
  std::string out;
  crypto_digest("sha1", data, &out);
  return out;
}

}  // namespace wandian::sql::pgp
