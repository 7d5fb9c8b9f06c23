#include "wire/scram.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "storage/base/assert.h"

namespace wandian::wire {
namespace {

constexpr std::string_view kBindingType = "tls-server-end-point";

ScramKey hmac(std::span<const unsigned char> key, std::string_view text) {
  ScramKey out;
  unsigned int length = 0;
  const void* done = ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                            reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &length);
  DB_ASSERT(done != nullptr && length == kScramKeyBytes);
  return out;
}

ScramKey sha256(std::span<const unsigned char> text) {
  ScramKey out;
  ::SHA256(text.data(), text.size(), out.data());
  return out;
}

std::string_view as_text(const ScramKey& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

bool copy_key(std::string_view encoded, ScramKey& key) {
  const std::optional<std::string> raw = base64_decode(encoded);
  if (!raw || raw->size() != key.size()) return false;
  std::memcpy(key.data(), raw->data(), key.size());
  return true;
}

Status malformed(std::string detail) {
  return Status{sqlstate::protocol_violation, "malformed SCRAM message"}.with_detail(std::move(detail));
}

std::string printable(char c) {
  if (c > 0x20 && c < 0x7f) return std::string(1, c);
  char text[8];
  std::snprintf(text, sizeof text, "0x%02x", static_cast<unsigned char>(c));
  return text;
}

// The attributes of a SCRAM message, one after the other: x=value,y=value
class Attributes {
 public:
  explicit Attributes(std::string_view text) : rest_(text) {}
  /// The value of the next attribute, which must be `name`.
  Result<std::string_view> next(char name) {
    if (rest_.empty() || rest_.front() != name)
      return malformed(std::string("Expected attribute \"") + name + "\" but found \"" +
                       (rest_.empty() ? std::string("0x00") : printable(rest_.front())) + "\".");
    if (rest_.size() < 2 || rest_[1] != '=') return malformed(std::string("Expected character \"=\" for attribute \"") + name + "\".");
    const std::size_t comma = rest_.find(',');
    const std::string_view value = rest_.substr(2, comma == std::string_view::npos ? comma : comma - 2);
    at_ = rest_.size();
    rest_ = comma == std::string_view::npos ? std::string_view{} : rest_.substr(comma + 1);
    return value;
  }
  std::string_view rest() const { return rest_; }
  /// How many bytes were left before the last attribute was read.
  std::size_t before() const { return at_; }

 private:
  std::string_view rest_;
  std::size_t at_ = 0;
};

bool nonce_printable(std::string_view nonce) {
  return std::all_of(nonce.begin(), nonce.end(), [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

}  // namespace

std::string base64_encode(std::string_view raw) {
  std::string text(4 * ((raw.size() + 2) / 3) + 1, '\0');
  const int length = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(raw.data()), static_cast<int>(raw.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  // EVP_DecodeBlock trims white space and takes padding for zero bits; both are checked here instead.
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  const auto in_alphabet = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  if (!std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(padding), in_alphabet)) return std::nullopt;
  std::string raw(text.size() / 4 * 3, '\0');
  if (raw.empty()) return raw;
  const int length = ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  raw.resize(static_cast<std::size_t>(length) - padding);
  return raw;
}

bool equal_in_constant_time(const void* a, const void* b, std::size_t size) { return ::CRYPTO_memcmp(a, b, size) == 0; }

std::optional<ScramVerifier> parse_scram_verifier(std::string_view text) {
  constexpr std::string_view kScheme = "SCRAM-SHA-256$";
  if (text.substr(0, kScheme.size()) != kScheme) return std::nullopt;
  text.remove_prefix(kScheme.size());
  const std::size_t colon = text.find(':');
  const std::size_t dollar = text.find('$');
  if (colon == std::string_view::npos || dollar == std::string_view::npos || dollar < colon) return std::nullopt;
  const std::size_t second = text.find(':', dollar);
  if (second == std::string_view::npos) return std::nullopt;
  ScramVerifier verifier;
  const auto number = std::from_chars(text.data(), text.data() + colon, verifier.iterations);
  if (number.ec != std::errc() || number.ptr != text.data() + colon || verifier.iterations < 1) return std::nullopt;
  const std::optional<std::string> salt = base64_decode(text.substr(colon + 1, dollar - colon - 1));
  if (!salt) return std::nullopt;
  verifier.salt = *salt;
  if (!copy_key(text.substr(dollar + 1, second - dollar - 1), verifier.stored_key)) return std::nullopt;
  if (!copy_key(text.substr(second + 1), verifier.server_key)) return std::nullopt;
  return verifier;
}

std::string make_verifier(std::string_view password, int iterations, std::string_view salt) {
  ScramKey salted;
  const int done = ::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                                       reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                                       iterations, EVP_sha256(), static_cast<int>(salted.size()), salted.data());
  DB_ASSERT(done == 1);
  const ScramKey stored = sha256(hmac(salted, "Client Key"));
  const ScramKey server = hmac(salted, "Server Key");
  ::OPENSSL_cleanse(salted.data(), salted.size());
  return "SCRAM-SHA-256$" + std::to_string(iterations) + ":" + base64_encode(salt) + "$" + base64_encode(as_text(stored)) + ":" +
         base64_encode(as_text(server));
}

ScramVerifier mock_verifier(std::span<const unsigned char, 32> secret, std::string_view user) {
  ScramVerifier verifier;
  verifier.genuine = false;
  const ScramKey digest = hmac(secret, user);
  verifier.salt.assign(as_text(digest).substr(0, kScramSaltBytes));
  // The keys never decide: last() fails for a verifier that is not genuine, after the same work.
  verifier.stored_key = digest;
  verifier.server_key = digest;
  return verifier;
}

ScramServer::ScramServer(ScramVerifier verifier, std::string_view nonce, std::string end_point)
    : verifier_(std::move(verifier)), server_nonce_(base64_encode(nonce)), end_point_(std::move(end_point)) {}

bool ScramServer::choose(std::string_view mechanism) {
  binding_ = mechanism == "SCRAM-SHA-256-PLUS" && !end_point_.empty();
  return binding_ || mechanism == "SCRAM-SHA-256";
}

// The channel-binding flag at the front of the client's first message (RFC 5802, 6), taken off it.
Status ScramServer::take_binding_flag(std::string_view* message) {
  binding_flag_ = message->front();
  switch (binding_flag_) {
    case 'n':
    case 'y':
      if (binding_)
        return malformed("The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.");
      // It could and saw no SCRAM-SHA-256-PLUS: right without TLS; else somebody has taken it off the list.
      if (binding_flag_ == 'y' && !end_point_.empty())
        return Status{sqlstate::invalid_authorization_specification, "SCRAM channel binding negotiation error"}.with_detail(
            "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel "
            "binding.");
      message->remove_prefix(1);
      break;
    case 'p': {
      if (!binding_)
        return malformed("The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel "
                         "binding data.");
      const std::size_t comma = std::min(message->find(','), message->size());
      const std::string_view attribute = message->substr(0, comma);
      if (attribute.substr(0, 2) != "p=") return malformed("Expected character \"=\" for attribute \"p\".");
      if (attribute.substr(2) != kBindingType)
        return Status{sqlstate::protocol_violation, "unsupported SCRAM channel-binding type \"" + std::string(attribute.substr(2)) + "\""};
      message->remove_prefix(comma);
      break;
    }
    default:
      return malformed("Unexpected channel-binding flag \"" + printable(binding_flag_) + "\".");
  }
  return {};
}

Result<std::string> ScramServer::first(std::string_view message) {
  if (message.find('\0') != std::string_view::npos) return malformed("Message length does not match input length.");
  if (message.empty()) return malformed("The message is empty.");
  // gs2-header: channel-binding flag, authorization identity
  WANDIAN_TRY(take_binding_flag(&message));
  if (message.empty() || message.front() != ',')
    return malformed("Comma expected, but found character \"" + (message.empty() ? std::string("0x00") : printable(message.front())) + "\".");
  message.remove_prefix(1);
  if (!message.empty() && message.front() == 'a')
    return Status{sqlstate::feature_not_supported, "client uses authorization identity, but it is not supported"};
  if (message.empty() || message.front() != ',')
    return malformed("Unexpected attribute \"" + (message.empty() ? std::string("0x00") : printable(message.front())) +
                     "\" in client-first-message.");
  message.remove_prefix(1);
  if (!message.empty() && message.front() == 'm')
    return Status{sqlstate::feature_not_supported, "client requires an unsupported SCRAM extension"};
  client_first_bare_ = message;
  Attributes attributes(message);
  WANDIAN_ASSIGN([[maybe_unused]] const std::string_view user, attributes.next('n'));   // the startup packet named it
  WANDIAN_ASSIGN(const std::string_view client_nonce, attributes.next('r'));
  if (!nonce_printable(client_nonce))
    return Status{sqlstate::protocol_violation, "non-printable characters in SCRAM nonce"};
  nonce_ = std::string(client_nonce) + server_nonce_;
  server_first_ = "r=" + nonce_ + ",s=" + base64_encode(verifier_.salt) + ",i=" + std::to_string(verifier_.iterations);
  return server_first_;
}

Result<std::optional<std::string>> ScramServer::last(std::string_view message) {
  if (message.find('\0') != std::string_view::npos) return malformed("Message length does not match input length.");
  Attributes attributes(message);
  WANDIAN_ASSIGN(const std::string_view binding, attributes.next('c'));
  if (binding_) {
    const std::string expected = base64_encode("p=" + std::string(kBindingType) + ",," + end_point_);
    if (binding.size() != expected.size() || !equal_in_constant_time(binding.data(), expected.data(), expected.size()))
      return Status{sqlstate::invalid_authorization_specification, "SCRAM channel binding check failed"};
  } else if (binding != (binding_flag_ == 'n' ? "biws" : "eSws"))   // base64 of the gs2-header: "n,," or "y,,"
    return Status{sqlstate::protocol_violation, "unexpected SCRAM channel-binding attribute in client-final-message"};
  WANDIAN_ASSIGN(const std::string_view nonce, attributes.next('r'));
  // Extensions may stand between; the proof is the last attribute.
  std::string_view proof_text;
  std::size_t proof_at = 0;
  while (true) {
    const std::string_view rest = attributes.rest();
    if (rest.empty()) return malformed("Expected attribute \"p\" but found \"0x00\".");
    WANDIAN_ASSIGN(const std::string_view value, attributes.next(rest.front()));
    if (rest.front() != 'p') continue;
    proof_text = value;
    proof_at = message.size() - attributes.before();
    break;
  }
  if (!attributes.rest().empty()) return malformed("Garbage found at the end of client-final-message.");
  ScramKey proof;
  if (!copy_key(proof_text, proof)) return malformed("Malformed proof in client-final-message.");
  if (nonce.size() != nonce_.size() || !equal_in_constant_time(nonce.data(), nonce_.data(), nonce.size()))
    return Status{sqlstate::protocol_violation, "invalid SCRAM response"}.with_detail("Nonce does not match.");

  const std::string without_proof(message.substr(0, proof_at == 0 ? 0 : proof_at - 1));
  const std::string auth_message = client_first_bare_ + "," + server_first_ + "," + without_proof;
  const ScramKey signature = hmac(verifier_.stored_key, auth_message);
  ScramKey client_key;
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] = proof[i] ^ signature[i];
  const ScramKey candidate = sha256(client_key);
  const bool equal = equal_in_constant_time(candidate.data(), verifier_.stored_key.data(), candidate.size());
  const ScramKey server_signature = hmac(verifier_.server_key, auth_message);
  if (!equal || !verifier_.genuine) return std::optional<std::string>();
  return std::optional<std::string>("v=" + base64_encode(as_text(server_signature)));
}

}  // namespace wandian::wire
