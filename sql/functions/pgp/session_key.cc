#include "sql/functions/pgp/session_key.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include <memory>

namespace wandian::sql::pgp {

namespace {

constexpr std::uint8_t kVersion = 3;
constexpr std::size_t kKeyIdBytes = 8, kLeastPadding = 8;
// OpenSSL's own limit for RSA. Powers of larger numbers would hold up the shard for many seconds.
constexpr std::size_t kMostBits = 16384;

struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_clear_free(number); }
  void operator()(BN_CTX* context) const { BN_CTX_free(context); }
};
using Big = std::unique_ptr<BIGNUM, FreeNumber>;

Big big_of(std::string_view bytes) {
  return Big(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), nullptr));
}

// Modular arithmetic whose operands and results are numbers of packets.
class Modular {
 public:
  explicit Modular(const Number& modulus) : context_(BN_CTX_new()), modulus_(read(modulus)) {}

  Big read(const Number& number) {
    if (number.bits > kMostBits) fault_ = Fault::kKeyTooBig;
    if (fault_ != Fault::kNone) return nullptr;
    Big out = big_of(number.bytes);
    if (out == nullptr || static_cast<std::size_t>(BN_num_bits(out.get())) != number.bits) fail();
    return out;
  }
  Big power(const Big& base, const Big& exponent) {
    return computed([&](BIGNUM* out) { return BN_mod_exp(out, base.get(), exponent.get(), modulus_.get(), context_.get()) == 1; });
  }
  Big product(const Big& a, const Big& b) {
    return computed([&](BIGNUM* out) { return BN_mod_mul(out, a.get(), b.get(), modulus_.get(), context_.get()) == 1; });
  }
  Big inverse(const Big& a) {
    return computed([&](BIGNUM* out) { return BN_mod_inverse(out, a.get(), modulus_.get(), context_.get()) != nullptr; });
  }
  static Number number(const Big& value) {
    Number out;
    if (value == nullptr) return out;
    out.bits = static_cast<std::size_t>(BN_num_bits(value.get()));
    out.bytes.resize(static_cast<std::size_t>(BN_num_bytes(value.get())));
    BN_bn2bin(value.get(), reinterpret_cast<unsigned char*>(out.bytes.data()));
    return out;
  }
  Fault fault() const { return fault_; }

 private:
  void fail() {
    ERR_clear_error();
    if (fault_ == Fault::kNone) fault_ = Fault::kMathFailed;
  }
  template <class Compute>
  Big computed(const Compute& compute) {
    Big out(BN_new());
    // After a failure nothing more is computed, so that operands which are not there are not touched.
    if (fault_ != Fault::kNone || out == nullptr || !compute(out.get())) fail();
    return out;
  }

  Fault fault_ = Fault::kNone;
  const std::unique_ptr<BN_CTX, FreeNumber> context_;
  const Big modulus_;
};

// Exponents that are secret are raised to in constant time.
Big secret(Big number) {
  if (number != nullptr) BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

unsigned sum_of(std::string_view bytes) {
  unsigned sum = 0;
  for (const char c : bytes) sum += static_cast<unsigned char>(c);
  return sum & 0xffff;
}

// EME-PKCS1-v1_5 (section 13.1.1), without the leading zero, which numbers do not have.
Fault padded(const SessionKey& session, std::size_t bytes, const Random& random, Number* out) {
  std::string text(1, static_cast<char>(session.cipher));
  const unsigned sum = sum_of(session.key);
  text += session.key;
  text.push_back(static_cast<char>(sum >> 8));
  text.push_back(static_cast<char>(sum & 255));
  if (bytes < text.size() + 2 + kLeastPadding) return Fault::kBug;   // a key of less than some 256 bits
  std::string padding;
  const std::size_t wanted = bytes - text.size() - 2;
  while (padding.size() < wanted)
    for (const char c : random(wanted - padding.size()))
      if (c != 0) padding.push_back(c);
  out->bytes = "\x02" + padding + std::string(1, '\0') + text;
  out->bits = bytes * 8 - 6;
  return Fault::kNone;
}

Fault unpadded(Trace& trace, const Number& message, SessionKey* out) {
  const std::string_view bytes = message.bytes;
  const std::size_t end = bytes.empty() || bytes[0] != 2 ? bytes.npos : bytes.find('\0', 1);
  if (end == bytes.npos || end - 1 < kLeastPadding) {
    trace.note("check_eme_pkcs1_v15 failed");
    return Fault::kWrongKey;
  }
  const std::string_view text = bytes.substr(end + 1);
  if (text.size() < 3) return Fault::kWrongKey;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const std::string_view key = text.substr(1, text.size() - 3);
  if (sum_of(key) != (byte(text.size() - 2) << 8 | byte(text.size() - 1))) {
    trace.note("pubenc cksum failed");
    return Fault::kWrongKey;
  }
  out->cipher = static_cast<int>(byte(0));
  out->key = key;
  return Fault::kNone;
}

Fault encrypt_rsa(const SessionKey& session, const Key& key, const Random& random, std::string* out) {
  const Number& n = key.public_numbers[0];
  Number message;
  if (n.bytes.empty()) return Fault::kMathFailed;
  WANDIAN_PGP_TRY(padded(session, n.bytes.size() - 1, random, &message));
  Modular modular(n);
  const Big exponent = modular.read(key.public_numbers[1]);
  const Big clear = modular.read(message);
  const Big answer = modular.power(clear, exponent);
  WANDIAN_PGP_TRY(modular.fault());
  Modular::number(answer).append_to(out);
  return Fault::kNone;
}

Fault encrypt_elgamal(const SessionKey& session, const Key& key, const Random& random, std::string* out) {
  const Number& p = key.public_numbers[0];
  Number message;
  if (p.bytes.empty()) return Fault::kMathFailed;
  WANDIAN_PGP_TRY(padded(session, p.bytes.size() - 1, random, &message));
  Modular modular(p);
  const Big generator = modular.read(key.public_numbers[1]);
  const Big power = modular.read(key.public_numbers[2]);
  const Big clear = modular.read(message);
  // As long as the modulus: exponents are taken modulo its order, and what is beyond it makes every one as likely.
  const Big once = secret(big_of(random(p.bytes.size() + 8)));
  const Big first = modular.power(generator, once);
  const Big mask = modular.power(power, once);
  const Big second = modular.product(clear, mask);
  WANDIAN_PGP_TRY(modular.fault());
  Modular::number(first).append_to(out);
  Modular::number(second).append_to(out);
  return Fault::kNone;
}

Fault decrypt_rsa(Reader& from, const Key& key, Number* message) {
  if (key.algorithm != kRsa && key.algorithm != kRsaEncrypt) return Fault::kWrongKey;
  Number sent;
  WANDIAN_PGP_TRY(sent.read(from));
  Modular modular(key.public_numbers[0]);
  const Big exponent = secret(modular.read(key.secret_numbers[0]));
  const Big hidden = modular.read(sent);
  *message = Modular::number(modular.power(hidden, exponent));
  return modular.fault();
}

Fault decrypt_elgamal(Reader& from, const Key& key, Number* message) {
  if (key.algorithm != kElgamal) return Fault::kWrongKey;
  Number first, second;
  WANDIAN_PGP_TRY(first.read(from));
  WANDIAN_PGP_TRY(second.read(from));
  Modular modular(key.public_numbers[0]);
  const Big exponent = secret(modular.read(key.secret_numbers[0]));
  const Big base = modular.read(first);
  const Big hidden = modular.read(second);
  const Big mask = modular.power(base, exponent);
  const Big unmask = modular.inverse(mask);
  *message = Modular::number(modular.product(hidden, unmask));
  return modular.fault();
}

}  // namespace

Fault encrypt_session_key(const SessionKey& session, const Key& key, const Random& random, std::string* out) {
  out->assign(1, static_cast<char>(kVersion));
  *out += key.id;
  out->push_back(static_cast<char>(key.algorithm));
  return key.algorithm == kElgamal ? encrypt_elgamal(session, key, random, out) : encrypt_rsa(session, key, random, out);
}

Fault decrypt_session_key(Reader& from, const Key& key, SessionKey* out) {
  Trace& trace = from.trace();
  std::uint8_t version, algorithm;
  WANDIAN_PGP_TRY(from.byte(&version));
  if (version != kVersion) return trace.corrupt("unknown pubenc_sesskey pkt ver=" + std::to_string(version));
  std::string_view id;
  WANDIAN_PGP_TRY(from.exactly(kKeyIdBytes, &id));
  if (id != key.id && id != std::string(kKeyIdBytes, '\0')) {
    trace.note("key_id's does not match");
    return Fault::kWrongKey;
  }
  WANDIAN_PGP_TRY(from.byte(&algorithm));
  Number message;
  if (algorithm == kElgamal) {
    WANDIAN_PGP_TRY(decrypt_elgamal(from, key, &message));
  } else if (algorithm == kRsa || algorithm == kRsaEncrypt) {
    WANDIAN_PGP_TRY(decrypt_rsa(from, key, &message));
  } else {
    return Fault::kUnknownPublicAlgorithm;
  }
  WANDIAN_PGP_TRY(unpadded(trace, message, out));
  return from.at_end() ? Fault::kNone : trace.corrupt("pgp_expect_packet_end: got data");
}

}  // namespace wandian::sql::pgp
