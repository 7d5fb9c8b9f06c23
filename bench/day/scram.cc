#include "bench/day/scram.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <cstdlib>

namespace wandian::bench {

namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string hmac(std::string_view key, std::string_view message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(message), message.size(),
       reinterpret_cast<unsigned char*>(out.data()), &length);
  return out;
}

std::string sha256(std::string_view message) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes_of(message), message.size(), reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

// The value of attribute `name` in "r=...,s=...,i=...".
std::string_view attribute(std::string_view message, char name) {
  while (!message.empty()) {
    const auto comma = message.find(',');
    const std::string_view part = message.substr(0, comma);
    if (part.size() >= 2 && part[0] == name && part[1] == '=') return part.substr(2);
    message = comma == message.npos ? std::string_view() : message.substr(comma + 1);
  }
  return {};
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(bytes),
                                static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

std::string base64_decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes_of(text),
                                static_cast<int>(text.size()));
  if (n < 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  out.resize(static_cast<std::size_t>(n) - padding);
  return out;
}

ScramClient::ScramClient(std::string password, std::string nonce, std::string_view user)
    : password_(std::move(password)),
      nonce_(std::move(nonce)),
      client_first_bare_("n=" + std::string(user) + ",r=" + nonce_) {}

std::string ScramClient::client_final(std::string_view server_first) {
  const std::string_view nonce = attribute(server_first, 'r');
  const std::string salt = base64_decode(attribute(server_first, 's'));
  const int rounds = std::atoi(std::string(attribute(server_first, 'i')).c_str());
  if (!nonce.starts_with(nonce_) || nonce.size() <= nonce_.size() || salt.empty() || rounds < 1) return {};

  std::string salted(SHA256_DIGEST_LENGTH, '\0');
  PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), bytes_of(salt), static_cast<int>(salt.size()),
                    rounds, EVP_sha256(), SHA256_DIGEST_LENGTH, reinterpret_cast<unsigned char*>(salted.data()));
  const std::string without_proof = "c=biws,r=" + std::string(nonce);   // "biws" is "n,,", the first message's header
  const std::string auth_message = client_first_bare_ + "," + std::string(server_first) + "," + without_proof;
  std::string proof = hmac(salted, "Client Key");
  const std::string signature = hmac(sha256(proof), auth_message);
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] = static_cast<char>(proof[i] ^ signature[i]);
  server_signature_ = hmac(hmac(salted, "Server Key"), auth_message);
  return without_proof + ",p=" + base64_encode(proof);
}

bool ScramClient::server_is_genuine(std::string_view server_final) const {
  return !server_signature_.empty() && base64_decode(attribute(server_final, 'v')) == server_signature_;
}

}  // namespace wandian::bench
