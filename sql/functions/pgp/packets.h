// Packets of OpenPGP (RFC 4880, section 4): bytes to read from, headers with their lengths, bodies that may come in parts.
// Thread:     any.
// Invariants: nothing is read beyond what is there; a body that ends early is as long as it is, as pgcrypto has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sql/functions/pgp/fault.h"

namespace wandian::sql::pgp {

/// Tags (section 4.3).
enum Tag : std::uint8_t {
  kPublicSessionKey = 1, kSignature = 2, kSymmetricSessionKey = 3, kSecretKey = 5, kPublicKey = 6, kSecretSubkey = 7, kCompressed = 8,
  kEncrypted = 9, kMarker = 10, kLiteral = 11, kTrust = 12, kUserId = 13, kPublicSubkey = 14, kUserAttribute = 17,
  kEncryptedChecked = 18, kModificationCode = 19, kPrivate61 = 61,
};

class Reader {
 public:
  Reader(std::string_view bytes, Trace& trace) : bytes_(bytes), trace_(&trace) {}
  std::size_t position() const { return position_; }
  std::string_view rest() const { return bytes_.substr(position_); }
  bool at_end() const { return position_ == bytes_.size(); }
  std::string_view before() const { return bytes_.substr(0, position_); }
  Trace& trace() const { return *trace_; }

  /// From here on reading at the end is a fault of its own: a message with a modification code must have come to that first.
  void expect_more(bool expected) { expects_more_ = expected; }
  /// At most this many bytes, none at the end.
  Fault up_to(std::size_t count, std::string_view* out);
  /// Exactly this many.
  Fault exactly(std::size_t count, std::string_view* out);
  Fault byte(std::uint8_t* out);

 private:
  std::string_view bytes_;
  Trace* trace_;
  std::size_t position_ = 0;
  bool expects_more_ = false;
};

struct Packet {
  enum class Extent : std::uint8_t { kWhole, kParts, kRest };
  std::uint8_t tag = 0;
  Extent extent = Extent::kWhole;
  std::size_t length = 0;       ///< of its first part
  std::string_view body;        ///< in what was read, or in `joined`
  std::string joined;
};
/// False at the end. `may_be_rest`: a packet without a length may be here, which takes what there is.
Fault read_header(Reader& from, bool may_be_rest, Packet* out, bool* found);
Fault read_body(Reader& from, Packet* packet);

void append_packet(Tag tag, std::string_view body, std::string* out);

}  // namespace wandian::sql::pgp
