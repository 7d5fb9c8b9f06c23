#include "sql/functions/pgp/algorithms.h"
#include "sql/functions/pgp/compression.h"
#include "sql/functions/pgp/message.h"
#include "sql/functions/pgp/s2k.h"

namespace wandian::sql::pgp {

namespace {

constexpr std::uint8_t kSymmetricVersion = 4, kCheckedVersion = 1;
constexpr std::size_t kHashBytes = 20, kCodeBytes = 2 + kHashBytes;
constexpr std::size_t kLeastHiddenKey = 17;

void append_without_cr(std::string_view text, std::string* out) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') out->push_back(text[i]);
}

// One message under way. What it finds out that could tell of the key is said only when all of it was good.
class Decryption {
 public:
  Decryption(const Secret& secret, bool text, Trace& trace, Form* form, std::string* out)
      : secret_(secret), text_(text), trace_(trace), form_(*form), out_(*out) {}

  Fault run(std::string_view message) {
    Reader from(message, trace_);
    while (true) {
      Packet packet;
      bool found;
      WANDIAN_PGP_TRY(read_header(from, false, &packet, &found));
      if (!found) break;
      WANDIAN_PGP_TRY(read_body(from, &packet));
      WANDIAN_PGP_TRY(outer_packet(packet));
    }
    if (!has_data_ || bad_prefix_) return Fault::kCorruptData;
    if (unsupported_compression_) return Fault::kUnsupportedCompression;
    return not_text_ ? Fault::kNotText : Fault::kNone;
  }

 private:
  Fault outer_packet(const Packet& packet) {
    Reader body(packet.body, trace_);
    switch (packet.tag) {
      case kMarker: return Fault::kNone;
      case kPublicSessionKey:
        if (secret_.key == nullptr) {
          trace_.note("no pubkey?");
          return Fault::kBug;
        }
        has_key_ = true;
        return decrypt_session_key(body, *secret_.key, &session_);
      case kSymmetricSessionKey:
        if (has_key_) return trace_.corrupt("pgp_decrypt: using first of several keys");
        has_key_ = true;
        return symmetric_key(body);
      case kEncrypted:
      case kEncryptedChecked: return encrypted(packet.tag == kEncryptedChecked, body);
      default: {
        constexpr char kDigits[] = "0123456789abcdef";
        return trace_.corrupt(std::string("pgp_decrypt: unknown tag: 0x") + kDigits[packet.tag >> 4] + kDigits[packet.tag & 15]);
      }
    }
  }

  Fault symmetric_key(Reader& body) {
    std::uint8_t version, cipher;
    WANDIAN_PGP_TRY(body.byte(&version));
    WANDIAN_PGP_TRY(body.byte(&cipher));
    if (version != kSymmetricVersion) return trace_.corrupt("bad key pkt ver");
    S2k s2k;
    WANDIAN_PGP_TRY(s2k.read(body));
    form_.s2k_cipher = cipher;
    form_.s2k_mode = s2k.mode;
    form_.s2k_count = static_cast<int>(s2k.count());
    form_.s2k_digest = s2k.digest;
    std::string key;
    WANDIAN_PGP_TRY(s2k.key(cipher, secret_.passphrase.value_or(""), &key));
    const std::string_view hidden = body.rest();
    form_.session_key = !hidden.empty();
    if (hidden.empty()) {
      session_ = {cipher, key};
      return Fault::kNone;
    }
    if (hidden.size() < kLeastHiddenKey || hidden.size() > kMostKeyBytes + 1) return trace_.corrupt("expect key, but bad data");
    std::string clear;
    WANDIAN_PGP_TRY(cipher_feedback(false, cipher, key, {}, hidden, &clear));
    session_ = {static_cast<unsigned char>(clear[0]), clear.substr(1)};
    const std::size_t wanted = cipher_key_bytes(session_.cipher);
    if (session_.key.size() != wanted)
      return trace_.corrupt("sesskey bad len: algo=" + std::to_string(session_.cipher) + ", expected=" + std::to_string(wanted) +
                            ", got=" + std::to_string(session_.key.size()));
    return Fault::kNone;
  }

  Fault encrypted(bool checked, Reader& body) {
    if (!has_key_) return trace_.corrupt("pgp_decrypt: have data but no key");
    if (has_data_) return trace_.corrupt(checked ? "pgp_decrypt: several data pkts not supported" : "pgp_decrypt: got second data packet");
    has_data_ = true;
    form_.disable_mdc = !checked;
    form_.cipher = session_.cipher;
    if (checked) {
      std::uint8_t version;
      WANDIAN_PGP_TRY(body.byte(&version));
      if (version != kCheckedVersion) return trace_.corrupt("parse_symenc_mdc_data: pkt ver != 1");
    }
    std::string clear;
    WANDIAN_PGP_TRY(checked ? cipher_feedback(false, session_.cipher, session_.key, {}, body.rest(), &clear)
                            : cipher_feedback_resync(false, session_.cipher, session_.key, body.rest(), &clear));
    Reader from(clear, trace_);
    from.expect_more(checked);
    WANDIAN_PGP_TRY(prefix(from));
    return inner_packets(from, true, checked);
  }

  // The block is random, its last two bytes are there twice.
  Fault prefix(Reader& from) {
    const std::size_t block = cipher_block_bytes(session_.cipher);
    std::string_view bytes;
    WANDIAN_PGP_TRY(from.up_to(block + 2, &bytes));
    if (bytes.size() != block + 2) return trace_.corrupt("prefix_init: short read");
    if (bytes.substr(block) == bytes.substr(block - 2, 2)) return Fault::kNone;
    trace_.note("prefix_init: corrupt prefix");
    bad_prefix_ = true;
    return Fault::kNone;
  }

  // `checked`: a modification code ends them.
  Fault inner_packets(Reader& from, bool may_be_compressed, bool checked) {
    bool has_data = false, has_code = false;
    while (true) {
      Packet packet;
      bool found;
      WANDIAN_PGP_TRY(read_header(from, true, &packet, &found));
      if (!found) break;
      if (has_code) return trace_.corrupt("process_data_packets: data after mdc");
      if (packet.tag == kModificationCode) {
        if (!checked) return trace_.corrupt("process_data_packets: unexpected MDC");
        WANDIAN_PGP_TRY(modification_code(from, packet));
        has_code = true;
        continue;
      }
      if (checked && packet.extent == Packet::Extent::kRest) {
        WANDIAN_PGP_TRY(rest_before_code(from, &packet));
        has_code = true;
      } else {
        WANDIAN_PGP_TRY(read_body(from, &packet));
      }
      WANDIAN_PGP_TRY(data_packet(packet, may_be_compressed, &has_data));
    }
    if (!has_data) return trace_.corrupt("process_data_packets: no data");
    return checked && !has_code ? trace_.corrupt("process_data_packets: got no mdc") : Fault::kNone;
  }

  Fault data_packet(const Packet& packet, bool may_be_compressed, bool* has_data) {
    Reader body(packet.body, trace_);
    if (packet.tag == kLiteral) {
      *has_data = true;
      return literal(body);
    }
    if (packet.tag != kCompressed) return trace_.corrupt("process_data_packets: unexpected pkt tag=" + std::to_string(packet.tag));
    if (!may_be_compressed) return trace_.corrupt("process_data_packets: unexpected compression");
    if (*has_data) return trace_.corrupt("process_data_packets: only one cmpr pkt allowed");
    *has_data = true;
    return compressed(body);
  }

  // The hash is over everything before it, its packet's header included.
  Fault modification_code(Reader& from, Packet& packet) {
    if (packet.length != kHashBytes || packet.extent != Packet::Extent::kWhole) return Fault::kCorruptData;
    const std::string hash = sha1(from.before());
    from.expect_more(false);
    WANDIAN_PGP_TRY(read_body(from, &packet));
    if (packet.body.empty()) return trace_.corrupt("no mdc");
    if (packet.body.size() != kHashBytes) return trace_.corrupt("mdc_finish: read failed, res=" + std::to_string(packet.body.size()));
    return packet.body == hash ? Fault::kNone : trace_.corrupt("mdc_finish: mdc failed");
  }

  // A packet without a length, as GnuPG writes compressed ones: the code is what the last bytes are.
  Fault rest_before_code(Reader& from, Packet* packet) {
    from.expect_more(false);
    const std::size_t size = from.rest().size();
    if (size < kCodeBytes) return trace_.corrupt("mdcbuf_finish: bad MDC pkt hdr");
    std::string_view code;
    WANDIAN_PGP_TRY(from.up_to(size - kCodeBytes, &packet->body));
    WANDIAN_PGP_TRY(from.up_to(2, &code));
    if (code != "\xd3\x14") return trace_.corrupt("mdcbuf_finish: bad MDC pkt hdr");
    const std::string hash = sha1(from.before());
    WANDIAN_PGP_TRY(from.up_to(kHashBytes, &code));
    return code == hash ? Fault::kNone : trace_.corrupt("mdcbuf_finish: MDC does not match");
  }

  Fault literal(Reader& body) {
    std::uint8_t type, name_bytes;
    std::string_view skipped;
    WANDIAN_PGP_TRY(body.byte(&type));
    WANDIAN_PGP_TRY(body.byte(&name_bytes));
    WANDIAN_PGP_TRY(body.up_to(name_bytes, &skipped));
    const bool has_name = skipped.size() == name_bytes;
    WANDIAN_PGP_TRY(body.up_to(4, &skipped));
    if (!has_name || skipped.size() != 4) return trace_.corrupt("parse_literal_data: unexpected eof");
    if (text_ && type != 't' && type != 'u') {
      trace_.note("parse_literal_data: data type=" + std::string(1, type > ' ' && type < 127 ? static_cast<char>(type) : '?'));
      not_text_ = true;
    }
    form_.unicode = type == 'u';
    if (text_ && form_.convert_crlf) append_without_cr(body.rest(), &out_);
    else out_ += body.rest();
    return out_.size() > kMostBytes ? Fault::kTooLong : Fault::kNone;
  }

  Fault compressed(Reader& body) {
    std::uint8_t algorithm;
    WANDIAN_PGP_TRY(body.byte(&algorithm));
    form_.compression = algorithm;
    if (algorithm == kBzip2) {
      trace_.note("parse_compressed_data: bzip2 unsupported");
      unsupported_compression_ = true;
      return Fault::kNone;
    }
    if (algorithm == kUncompressed) return inner_packets(body, false, false);
    if (algorithm != kZip && algorithm != kZlib) return trace_.corrupt("parse_compressed_data: unknown compr type");
    std::string clear;
    WANDIAN_PGP_TRY(decompress(algorithm, body.rest(), trace_, &clear));
    Reader from(clear, trace_);
    return inner_packets(from, false, false);
  }

  const Secret& secret_;
  const bool text_;
  Trace& trace_;
  Form& form_;
  std::string& out_;
  SessionKey session_;
  bool has_key_ = false, has_data_ = false;
  bool bad_prefix_ = false, unsupported_compression_ = false, not_text_ = false;
};

}  // namespace

Fault decrypt(const Secret& secret, bool text, std::string_view message, Trace& trace, Form* form, std::string* out) {
  return Decryption(secret, text, trace, form, out).run(message);
}

}  // namespace wandian::sql::pgp
