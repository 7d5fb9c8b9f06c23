#include "sql/functions/pgp/keys.h"

#include "sql/functions/pgp/algorithms.h"
#include "sql/functions/pgp/s2k.h"

namespace wandian::sql::pgp {

namespace {

constexpr std::uint8_t kKeyVersion = 4, kSessionKeyVersion = 3;
constexpr std::size_t kKeyIdBytes = 8, kChecksumBytes = 2, kHashBytes = 20;
// How a secret key is kept (section 5.5.3).
constexpr std::uint8_t kClear = 0, kHashed = 254, kSummed = 255;

struct Shape {
  std::size_t public_numbers, secret_numbers;
};
std::optional<Shape> shape_of(std::uint8_t algorithm) {
  switch (algorithm) {
    case kRsa:
    case kRsaEncrypt:
    case kRsaSign: return Shape{2, 4};
    case kElgamal: return Shape{3, 1};
    case kDsa: return Shape{4, 1};
    default: return std::nullopt;
  }
}

std::string numbers_as_bytes(const std::vector<Number>& numbers) {
  std::string out;
  for (const Number& number : numbers) number.append_to(&out);
  return out;
}

Fault read_numbers(Reader& from, std::size_t count, std::vector<Number>* out) {
  for (std::size_t i = 0; i < count; ++i) WANDIAN_PGP_TRY(out->emplace_back().read(from));
  return Fault::kNone;
}

// Section 12.2.
std::string key_id(std::string_view head, const Key& key) {
  std::string body(head);
  body += numbers_as_bytes(key.public_numbers);
  std::string text("\x99");
  text.push_back(static_cast<char>(body.size() >> 8 & 255));
  text.push_back(static_cast<char>(body.size() & 255));
  return sha1(text + body).substr(kHashBytes - kKeyIdBytes);
}

Fault read_public_part(Reader& from, Key* out) {
  const std::size_t begin = from.position();
  std::uint8_t version;
  WANDIAN_PGP_TRY(from.byte(&version));
  if (version != kKeyVersion) return Fault::kKeyVersion;
  std::string_view time;
  WANDIAN_PGP_TRY(from.exactly(4, &time));
  WANDIAN_PGP_TRY(from.byte(&out->algorithm));
  const std::string head(from.before().substr(begin));
  const auto shape = shape_of(out->algorithm);
  if (!shape) {
    from.trace().note("unknown public algo: " + std::to_string(out->algorithm));
    return Fault::kUnknownPublicAlgorithm;
  }
  WANDIAN_PGP_TRY(read_numbers(from, shape->public_numbers, &out->public_numbers));
  out->id = key_id(head, *out);
  return Fault::kNone;
}

Fault corrupt_key(Reader& from, const char* what) {
  from.trace().note(what);
  return Fault::kCorruptKey;
}

Fault read_secret_numbers(Reader& from, bool hashed, Key* out) {
  WANDIAN_PGP_TRY(read_numbers(from, shape_of(out->algorithm)->secret_numbers, &out->secret_numbers));
  const std::string numbers = numbers_as_bytes(out->secret_numbers);
  std::string_view given;
  WANDIAN_PGP_TRY(from.exactly(hashed ? kHashBytes : kChecksumBytes, &given));
  if (hashed) {
    if (given != sha1(numbers)) return corrupt_key(from, "key sha1 check failed");
  } else {
    unsigned sum = 0;
    for (const char c : numbers) sum += static_cast<unsigned char>(c);
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(given[i])); };
    if ((sum & 0xffff) != (byte(0) << 8 | byte(1))) return corrupt_key(from, "key cksum check failed");
  }
  return from.at_end() ? Fault::kNone : from.trace().corrupt("pgp_expect_packet_end: got data");
}

Fault read_secret_key(Reader& from, std::optional<std::string_view> passphrase, Key* out) {
  WANDIAN_PGP_TRY(read_public_part(from, out));
  std::uint8_t kept;
  WANDIAN_PGP_TRY(from.byte(&kept));
  if (kept == kClear) return read_secret_numbers(from, false, out);
  if (kept != kHashed && kept != kSummed) return corrupt_key(from, "unknown hide type");
  if (!passphrase) return Fault::kNeedsPassphrase;
  std::uint8_t cipher;
  WANDIAN_PGP_TRY(from.byte(&cipher));
  S2k s2k;
  WANDIAN_PGP_TRY(s2k.read(from));
  std::string key;
  WANDIAN_PGP_TRY(s2k.key(cipher, *passphrase, &key));
  std::string_view iv;
  WANDIAN_PGP_TRY(from.exactly(cipher_block_bytes(cipher), &iv));
  std::string clear;
  WANDIAN_PGP_TRY(cipher_feedback(false, cipher, key, iv, from.rest(), &clear));
  Reader numbers(clear, from.trace());
  return read_secret_numbers(numbers, kept == kHashed, out);
}

bool is_beside_keys(std::uint8_t tag) {
  return tag == kSignature || tag == kMarker || tag == kTrust || tag == kUserId || tag == kUserAttribute || tag == kPrivate61;
}

// Whether a packet may stand in a key, as an encryption key is wanted.
Fault check_tag(std::uint8_t tag, bool secret, bool* has_main_key, Trace& trace) {
  if (tag == kPublicKey || tag == kSecretKey) {   // signs, and does not encrypt
    if (*has_main_key) return Fault::kMultipleKeys;
    *has_main_key = true;
    return Fault::kNone;
  }
  if (tag == kPublicSubkey) return secret ? Fault::kNeedsSecretKey : Fault::kNone;
  if (tag == kSecretSubkey) return secret ? Fault::kNone : Fault::kNeedsPublicKey;
  if (is_beside_keys(tag)) return Fault::kNone;
  trace.note("unknown/unexpected packet: " + std::to_string(tag));
  return Fault::kUnexpectedPacket;
}

// What a key and what a message says of whose it is.
struct KeyIds {
  std::string id;
  std::size_t keys = 0, session_keys = 0, passphrases = 0;
  bool main_key = false;
};

Fault note_key_id(const Packet& packet, Trace& trace, KeyIds* ids) {
  Reader body(packet.body, trace);
  switch (packet.tag) {
    case kSecretKey:
    case kPublicKey:   // signs, and does not encrypt
      if (ids->main_key) return Fault::kMultipleKeys;
      ids->main_key = true;
      return Fault::kNone;
    case kSecretSubkey:
    case kPublicSubkey: {
      Key key;
      WANDIAN_PGP_TRY(read_public_part(body, &key));
      if (!key.can_encrypt()) return Fault::kNone;
      ids->id = key.id;
      ++ids->keys;
      return Fault::kNone;
    }
    case kPublicSessionKey: {
      std::uint8_t version;
      std::string_view id;
      ++ids->session_keys;
      WANDIAN_PGP_TRY(body.byte(&version));
      if (version != kSessionKeyVersion) return Fault::kBadVersion;
      WANDIAN_PGP_TRY(body.exactly(kKeyIdBytes, &id));
      ids->id = id;
      return Fault::kNone;
    }
    case kSymmetricSessionKey: ++ids->passphrases; return Fault::kNone;
    default: return is_beside_keys(packet.tag) ? Fault::kNone : Fault::kCorruptData;
  }
}

std::string hexadecimal(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

}  // namespace

Fault Number::read(Reader& from) {
  std::uint8_t high, low;
  WANDIAN_PGP_TRY(from.byte(&high));
  WANDIAN_PGP_TRY(from.byte(&low));
  bits = std::size_t{high} << 8 | low;
  std::string_view read;
  WANDIAN_PGP_TRY(from.exactly((bits + 7) / 8, &read));
  bytes = read;
  return Fault::kNone;
}

void Number::append_to(std::string* out) const {
  out->push_back(static_cast<char>(bits >> 8 & 255));
  out->push_back(static_cast<char>(bits & 255));
  *out += bytes;
}

Fault read_key(std::string_view bytes, bool secret, std::optional<std::string_view> passphrase, Trace& trace, Key* out) {
  Reader from(bytes, trace);
  bool has_main_key = false, has_key = false;
  while (true) {
    Packet packet;
    bool found;
    WANDIAN_PGP_TRY(read_header(from, false, &packet, &found));
    if (!found) break;
    WANDIAN_PGP_TRY(check_tag(packet.tag, secret, &has_main_key, trace));
    WANDIAN_PGP_TRY(read_body(from, &packet));
    if (packet.tag != kPublicSubkey && packet.tag != kSecretSubkey) continue;
    Reader body(packet.body, trace);
    Key key;
    WANDIAN_PGP_TRY(secret ? read_secret_key(body, passphrase, &key) : read_public_part(body, &key));
    if (!key.can_encrypt()) continue;
    if (has_key) return Fault::kMultipleSubkeys;
    has_key = true;
    *out = std::move(key);
  }
  return has_key ? Fault::kNone : Fault::kNoUsableKey;
}

Fault read_key_id(std::string_view bytes, Trace& trace, std::string* out) {
  Reader from(bytes, trace);
  KeyIds ids;
  while (true) {
    Packet packet;
    bool found;
    WANDIAN_PGP_TRY(read_header(from, false, &packet, &found));
    if (!found || packet.tag == kEncrypted || packet.tag == kEncryptedChecked) break;
    WANDIAN_PGP_TRY(read_body(from, &packet));
    WANDIAN_PGP_TRY(note_key_id(packet, trace, &ids));
  }
  if (ids.keys > 1 || ids.session_keys > 1) return Fault::kMultipleKeys;
  if (ids.keys > 0 && ids.session_keys > 0) return Fault::kCorruptData;
  if (ids.keys + ids.session_keys > 0) {
    *out = ids.id == std::string(kKeyIdBytes, '\0') ? "ANYKEY" : hexadecimal(ids.id);
  } else if (ids.passphrases > 0) {
    *out = "SYMKEY";
  } else {
    return Fault::kNoUsableKey;
  }
  return Fault::kNone;
}

}  // namespace wandian::sql::pgp
