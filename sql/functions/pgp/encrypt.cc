#include "sql/functions/pgp/algorithms.h"
#include "sql/functions/pgp/compression.h"
#include "sql/functions/pgp/message.h"
#include "sql/functions/pgp/s2k.h"

namespace wandian::sql::pgp {

namespace {

constexpr std::uint8_t kSymmetricVersion = 4, kCheckedVersion = 1;
constexpr std::size_t kSaltBytes = 8;

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\n') out.push_back('\r');
    out.push_back(c);
  }
  return out;
}

// The time is that of now: what is known of a message's beginning helps who attacks it.
std::string literal(const Form& form, bool text, std::string_view data, std::uint32_t time) {
  std::string body(1, !text ? 'b' : form.unicode ? 'u' : 't');
  body.push_back('\0');   // no file name
  for (int shift = 24; shift >= 0; shift -= 8) body.push_back(static_cast<char>(time >> shift & 255));
  if (text && form.convert_crlf) body += with_crlf(data);
  else body += data;
  std::string out;
  append_packet(kLiteral, body, &out);
  return out;
}

Fault contents(const Form& form, bool text, std::string_view data, std::uint32_t time, std::string* out) {
  *out = literal(form, text, data, time);
  if (form.compression == kUncompressed || form.compression_level == 0) return Fault::kNone;
  std::string body(1, static_cast<char>(form.compression));
  WANDIAN_PGP_TRY(compress(form.compression, form.compression_level, *out, &body));
  out->clear();
  append_packet(kCompressed, body, out);
  return Fault::kNone;
}

// The packet that says how the passphrase leads to the message's key, and that key.
Fault symmetric_key(const Form& form, std::string_view passphrase, const Random& random, std::string* packet, SessionKey* session) {
  const int cipher = form.s2k_cipher < 0 ? form.cipher : form.s2k_cipher;
  S2k s2k;
  s2k.mode = static_cast<std::uint8_t>(form.s2k_mode);
  s2k.digest = static_cast<std::uint8_t>(form.s2k_digest);
  if (s2k.mode != S2k::kSimple) s2k.salt = random(kSaltBytes);
  // Not always the same: 65,536 to 253,952 bytes.
  if (s2k.mode == S2k::kIterated)
    s2k.coded_count = form.s2k_count >= 0 ? S2k::coded(static_cast<std::size_t>(form.s2k_count)) : static_cast<std::uint8_t>(96 + (random(1)[0] & 31));
  std::string key;
  WANDIAN_PGP_TRY(s2k.key(cipher, passphrase, &key));
  std::string body(1, static_cast<char>(kSymmetricVersion));
  body.push_back(static_cast<char>(cipher));
  s2k.append_to(&body);
  session->cipher = form.cipher;
  if (form.session_key) {
    session->key = random(cipher_key_bytes(form.cipher));
    std::string hidden;
    WANDIAN_PGP_TRY(cipher_feedback(true, cipher, key, {}, static_cast<char>(form.cipher) + session->key, &hidden));
    body += hidden;
  } else {
    session->key = key;
  }
  append_packet(kSymmetricSessionKey, body, packet);
  return Fault::kNone;
}

Fault public_key(const Form& form, const Key& key, const Random& random, std::string* packet, SessionKey* session) {
  session->cipher = form.cipher;
  session->key = random(cipher_key_bytes(form.cipher));
  std::string body;
  WANDIAN_PGP_TRY(encrypt_session_key(*session, key, random, &body));
  append_packet(kPublicSessionKey, body, packet);
  return Fault::kNone;
}

}  // namespace

Fault encrypt(const Form& form, const Secret& secret, bool text, std::string_view data, std::uint32_t time, const Random& random, std::string* out) {
  SessionKey session;
  WANDIAN_PGP_TRY(secret.key != nullptr ? public_key(form, *secret.key, random, out, &session)
                                        : symmetric_key(form, *secret.passphrase, random, out, &session));
  std::string clear = random(cipher_block_bytes(form.cipher));
  clear += clear.substr(clear.size() - 2);   // by which who decrypts sees early that the key is wrong
  std::string packets;
  WANDIAN_PGP_TRY(contents(form, text, data, time, &packets));
  clear += packets;
  std::string hidden;
  if (form.disable_mdc) {
    WANDIAN_PGP_TRY(cipher_feedback_resync(true, session.cipher, session.key, clear, &hidden));
    append_packet(kEncrypted, hidden, out);
    return Fault::kNone;
  }
  clear += "\xd3\x14";
  clear += sha1(clear);
  WANDIAN_PGP_TRY(cipher_feedback(true, session.cipher, session.key, {}, clear, &hidden));
  append_packet(kEncryptedChecked, static_cast<char>(kCheckedVersion) + hidden, out);
  return Fault::kNone;
}

}  // namespace wandian::sql::pgp
