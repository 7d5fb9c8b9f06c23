#include "sql/functions/pgp/s2k.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

#include "sql/functions/pgp/algorithms.h"

namespace wandian::sql::pgp {

namespace {

constexpr std::size_t kSaltBytes = 8;

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// `text` repeated to `count` bytes, once at least, after `zeros` zero bytes.
bool digest_repeated(const EVP_MD* digest, std::size_t zeros, std::string_view text, std::size_t count, std::string* out) {
  const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
  if (context == nullptr || EVP_DigestInit_ex(context.get(), digest, nullptr) != 1) return false;
  const std::string padding(zeros, '\0');
  EVP_DigestUpdate(context.get(), padding.data(), padding.size());
  // Some kilobytes at a time: passphrases are short.
  std::string block(text);
  while (!text.empty() && block.size() < 4096 && block.size() < count) block += text;
  std::size_t left = std::max(count, text.size());
  for (; left > 0 && !block.empty(); left -= std::min(left, block.size())) EVP_DigestUpdate(context.get(), block.data(), std::min(left, block.size()));
  out->assign(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context.get(), reinterpret_cast<unsigned char*>(out->data()), &size) != 1) return false;
  out->resize(size);
  return true;
}

}  // namespace

std::uint8_t S2k::coded(std::size_t count) {
  S2k s2k;
  while (s2k.coded_count < 255 && s2k.count() < count) ++s2k.coded_count;
  return s2k.coded_count;
}

Fault S2k::read(Reader& from) {
  WANDIAN_PGP_TRY(from.byte(&mode));
  WANDIAN_PGP_TRY(from.byte(&digest));
  if (mode == kSimple) return Fault::kNone;
  if (mode != kSalted && mode != kIterated) return Fault::kBadS2kMode;
  std::string_view bytes;
  WANDIAN_PGP_TRY(from.exactly(kSaltBytes, &bytes));
  salt = bytes;
  return mode == kIterated ? from.byte(&coded_count) : Fault::kNone;
}

void S2k::append_to(std::string* out) const {
  out->push_back(static_cast<char>(mode));
  out->push_back(static_cast<char>(digest));
  if (mode == kSimple) return;
  *out += salt;
  if (mode == kIterated) out->push_back(static_cast<char>(coded_count));
}

Fault S2k::key(int cipher, std::string_view passphrase, std::string* out) const {
  const std::size_t wanted = cipher_key_bytes(cipher);
  if (wanted == 0) return Fault::kUnsupportedCipher;
  const char* name = digest_name(digest);
  if (name == nullptr) return Fault::kCorruptData;
  const std::unique_ptr<EVP_MD, FreeDigest> algorithm(EVP_MD_fetch(nullptr, name, nullptr));
  if (algorithm == nullptr) return Fault::kUnsupportedDigest;
  const std::string text = salt + std::string(passphrase);
  out->clear();
  // Where a digest is too short for the key, more of them are made, each over one more zero.
  for (std::size_t zeros = 0; out->size() < wanted; ++zeros) {
    std::string part;
    if (!digest_repeated(algorithm.get(), zeros, text, mode == kIterated ? count() : 0, &part)) return Fault::kUnsupportedDigest;
    *out += part;
  }
  out->resize(wanted);
  return Fault::kNone;
}

}  // namespace wandian::sql::pgp
