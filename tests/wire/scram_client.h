// The client's side of SCRAM-SHA-256, written from RFC 5802 apart from the server's.
#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <string>
#include <string_view>

#include "wire/scram.h"

namespace wandian::wire::test {

class ScramClient {
 public:
  explicit ScramClient(std::string password, std::string nonce = "rOprNGfwEbeRWgbNEkqO") : password_(std::move(password)), nonce_(std::move(nonce)) {}
  std::string first() {
    bare_ = "n=,r=" + nonce_;
    return "n,," + bare_;
  }
  std::string final_message(const std::string& server_first) {
    server_first_ = server_first;
    const std::string nonce = value(server_first, 'r');
    const std::string salt = base64_decode(value(server_first, 's')).value_or("");
    const int iterations = std::stoi(value(server_first, 'i'));
    std::string salted(32, '\0');
    ::PKCS5_PBKDF2_HMAC(password_.data(), static_cast<int>(password_.size()), reinterpret_cast<const unsigned char*>(salt.data()),
                        static_cast<int>(salt.size()), iterations, EVP_sha256(), 32, reinterpret_cast<unsigned char*>(salted.data()));
    const std::string client_key = mac(salted, "Client Key");
    std::string stored(32, '\0');
    ::SHA256(reinterpret_cast<const unsigned char*>(client_key.data()), 32, reinterpret_cast<unsigned char*>(stored.data()));
    const std::string without_proof = "c=biws,r=" + nonce;
    const std::string auth = bare_ + "," + server_first_ + "," + without_proof;
    const std::string signature = mac(stored, auth);
    std::string proof(32, '\0');
    for (std::size_t i = 0; i < 32; ++i) proof[i] = static_cast<char>(client_key[i] ^ signature[i]);
    expected_server_final_ = "v=" + base64_encode(mac(mac(salted, "Server Key"), auth));
    return without_proof + ",p=" + base64_encode(proof);
  }
  const std::string& expected_server_final() const { return expected_server_final_; }
  static std::string value(const std::string& text, char name) {
    const std::size_t at = text[0] == name ? 0 : text.find(std::string(",") + name + "=") + 1;
    return text.substr(at + 2, text.find(',', at) - at - 2);
  }

 private:
  static std::string mac(const std::string& key, std::string_view text) {
    std::string out(32, '\0');
    unsigned length = 0;
    ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(out.data()), &length);
    return out;
  }
  std::string password_, nonce_, bare_, server_first_, expected_server_final_;
};

}  // namespace wandian::wire::test
