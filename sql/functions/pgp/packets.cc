#include "sql/functions/pgp/packets.h"

#include <algorithm>

namespace wandian::sql::pgp {

namespace {

// Longer packets come in parts; pgcrypto takes no other, nor parts that are longer.
constexpr std::size_t kMostPartBytes = std::size_t{16} << 20;
// Parts that are written: each has a power of two, but the last.
constexpr int kPartShift = 14;

Fault big_endian(Reader& from, int bytes, std::size_t* out) {
  *out = 0;
  for (int i = 0; i < bytes; ++i) {
    std::uint8_t byte;
    WANDIAN_PGP_TRY(from.byte(&byte));
    *out = *out << 8 | byte;
  }
  return Fault::kNone;
}

// Section 4.2.2.
Fault read_new_length(Reader& from, Packet* packet) {
  std::uint8_t first;
  WANDIAN_PGP_TRY(from.byte(&first));
  packet->extent = Packet::Extent::kWhole;
  if (first < 192) {
    packet->length = first;
  } else if (first < 224) {
    std::uint8_t second;
    WANDIAN_PGP_TRY(from.byte(&second));
    packet->length = ((std::size_t{first} - 192) << 8) + second + 192;
  } else if (first == 255) {
    WANDIAN_PGP_TRY(big_endian(from, 4, &packet->length));
  } else {
    packet->length = std::size_t{1} << (first & 31);
    packet->extent = Packet::Extent::kParts;
  }
  return packet->length > kMostPartBytes ? from.trace().corrupt("parse_new_len: weird length") : Fault::kNone;
}

// Section 4.2.1.
Fault read_old_length(Reader& from, int kind, bool may_be_rest, Packet* packet) {
  packet->extent = Packet::Extent::kWhole;
  if (kind == 3) {
    packet->extent = Packet::Extent::kRest;
    return may_be_rest ? Fault::kNone : Fault::kCorruptData;
  }
  WANDIAN_PGP_TRY(big_endian(from, 1 << kind, &packet->length));
  return packet->length > kMostPartBytes ? from.trace().corrupt("parse_old_len: weird length") : Fault::kNone;
}

void append_length(std::size_t length, std::string* out) {
  const auto put = [&](std::size_t byte) { out->push_back(static_cast<char>(byte & 255)); };
  if (length < 192) return put(length);
  if (length < 8384) {
    put(((length - 192) >> 8) + 192);
    return put(length - 192);
  }
  put(255);
  for (int shift = 24; shift >= 0; shift -= 8) put(length >> shift);
}

}  // namespace

Fault Reader::up_to(std::size_t count, std::string_view* out) {
  if (count > 0 && at_end() && expects_more_) return trace_->corrupt("mdc_read: unexpected eof");
  *out = bytes_.substr(position_, count);
  position_ += out->size();
  return Fault::kNone;
}

Fault Reader::exactly(std::size_t count, std::string_view* out) {
  WANDIAN_PGP_TRY(up_to(count, out));
  if (out->size() == count) return Fault::kNone;
  return trace_->corrupt("pullf_read_fixed: need=" + std::to_string(count) + " got=" + std::to_string(out->size()));
}

Fault Reader::byte(std::uint8_t* out) {
  std::string_view one;
  WANDIAN_PGP_TRY(exactly(1, &one));
  *out = static_cast<std::uint8_t>(one[0]);
  return Fault::kNone;
}

Fault read_header(Reader& from, bool may_be_rest, Packet* out, bool* found) {
  std::string_view first;
  WANDIAN_PGP_TRY(from.up_to(1, &first));
  *found = !first.empty();
  if (first.empty()) return Fault::kNone;
  const auto head = static_cast<std::uint8_t>(first[0]);
  if ((head & 0x80) == 0) return from.trace().corrupt("pgp_parse_pkt_hdr: not pkt hdr");
  if ((head & 0x40) != 0) {
    out->tag = head & 0x3f;
    return read_new_length(from, out);
  }
  out->tag = (head >> 2) & 0x0f;
  return read_old_length(from, head & 3, may_be_rest, out);
}

Fault read_body(Reader& from, Packet* packet) {
  packet->joined.clear();
  if (packet->extent == Packet::Extent::kRest) return from.up_to(from.rest().size(), &packet->body);
  WANDIAN_PGP_TRY(from.up_to(packet->length, &packet->body));
  if (packet->extent == Packet::Extent::kWhole) return Fault::kNone;
  packet->joined = packet->body;
  while (packet->extent == Packet::Extent::kParts) {
    WANDIAN_PGP_TRY(read_new_length(from, packet));
    std::string_view part;
    WANDIAN_PGP_TRY(from.up_to(packet->length, &part));
    packet->joined += part;
  }
  packet->body = packet->joined;
  return Fault::kNone;
}

void append_packet(Tag tag, std::string_view body, std::string* out) {
  constexpr std::size_t kPart = std::size_t{1} << kPartShift;
  out->push_back(static_cast<char>(0xc0 | tag));
  for (; body.size() >= kPart; body.remove_prefix(kPart)) {
    out->push_back(static_cast<char>(0xe0 | kPartShift));
    out->append(body.substr(0, kPart));
  }
  append_length(body.size(), out);
  out->append(body);
}

}  // namespace wandian::sql::pgp
