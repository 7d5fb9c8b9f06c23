#include "sql/functions/crypto_digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <memory>

namespace wandian::sql {

namespace {

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
using DigestPtr = std::unique_ptr<EVP_MD, FreeDigest>;

DigestPtr fetch_digest(std::string_view algorithm) { return DigestPtr(EVP_MD_fetch(nullptr, std::string(algorithm).c_str(), nullptr)); }

}  // namespace

bool crypto_digest(std::string_view algorithm, std::string_view data, std::string* out) {
  const DigestPtr digest = fetch_digest(algorithm);
  if (digest == nullptr) return false;
  out->assign(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_Digest(data.data(), data.size(), reinterpret_cast<unsigned char*>(out->data()), &size, digest.get(), nullptr) != 1) return false;
  out->resize(size);
  return true;
}

bool crypto_hmac(std::string_view algorithm, std::string_view key, std::string_view data, std::string* out) {
  const DigestPtr digest = fetch_digest(algorithm);
  if (digest == nullptr) return false;
  out->assign(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  // An empty key has to have an address.
  const char* key_bytes = key.empty() ? "" : key.data();
  if (HMAC(digest.get(), key_bytes, static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(data.data()), data.size(),
           reinterpret_cast<unsigned char*>(out->data()), &size) == nullptr)
    return false;
  out->resize(size);
  return true;
}

}  // namespace wandian::sql
