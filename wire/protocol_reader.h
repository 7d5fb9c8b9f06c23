// MessageReader: checked decoding of one frontend message's body.
// Invariants: never reads outside the body; after the first failure every read returns a zero or empty value, so that a
//             caller may decode to the end and ask ok() once. Views point into the body.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "sql/session.h"

namespace wandian::wire {

inline std::uint32_t load_uint32(const char* p) {
  std::uint32_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap32(v);
}
inline std::uint16_t load_uint16(const char* p) {
  std::uint16_t v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_bswap16(v);
}

class MessageReader {
 public:
  enum class Error : std::uint8_t { kNone, kShort, kUnterminated, kTrailing };

  explicit MessageReader(std::string_view body) : at_(body.data()), end_(body.data() + body.size()) {}

  char byte() {
    if (!has(1)) return 0;
    return *at_++;
  }
  std::uint16_t int16() {
    if (!has(2)) return 0;
    const std::uint16_t v = load_uint16(at_);
    at_ += 2;
    return v;
  }
  std::uint32_t int32() {
    if (!has(4)) return 0;
    const std::uint32_t v = load_uint32(at_);
    at_ += 4;
    return v;
  }
  /// Up to the next zero byte, which is eaten.
  std::string_view string() {
    const void* zero = at_ == end_ ? nullptr : std::memchr(at_, 0, static_cast<std::size_t>(end_ - at_));
    if (zero == nullptr) {
      fail(Error::kUnterminated);
      return {};
    }
    const char* stop = static_cast<const char*>(zero);
    const std::string_view text(at_, static_cast<std::size_t>(stop - at_));
    at_ = stop + 1;
    return text;
  }
  std::string_view bytes(std::size_t count) {
    if (!has(count)) return {};
    const std::string_view piece(at_, count);
    at_ += count;
    return piece;
  }
  std::string_view rest() { return bytes(remaining()); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  /// To be called last: bytes left over are an error too.
  bool finish() {
    if (error_ == Error::kNone && at_ != end_) fail(Error::kTrailing);
    return error_ == Error::kNone;
  }
  bool ok() const { return error_ == Error::kNone; }
  /// In PostgreSQL's words (08P01).
  const char* error_text() const {
    switch (error_) {
      case Error::kUnterminated: return "invalid string in message";
      case Error::kTrailing: return "invalid message format";
      default: return "insufficient data left in message";
    }
  }

 private:
  bool has(std::size_t count) {
    if (remaining() >= count) [[likely]] return true;
    fail(Error::kShort);
    return false;
  }
  void fail(Error error) {
    if (error_ == Error::kNone) error_ = error;
    at_ = end_;
  }
  const char* at_;
  const char* end_;
  Error error_ = Error::kNone;
};

/// What decode_bind and decode_parse fill; reused, so that a warm connection allocates nothing.
struct DecodeScratch {
  std::vector<sql::Format> parameter_formats;
  std::vector<std::optional<std::string_view>> parameters;
  std::vector<sql::Format> result_formats;
  std::vector<Oid> types;
};

/// Returns false if the body is malformed: `reader` then says how. Views point into the body and into `scratch`.
inline bool decode_bind(MessageReader& reader, DecodeScratch& scratch, sql::BindMessage& message) {
  const auto read_formats = [&reader](std::vector<sql::Format>& formats) {
    const std::size_t count = reader.int16();
    const std::string_view raw = reader.bytes(count * 2);   // checked before anything is allocated
    formats.resize(raw.size() / 2);
    for (std::size_t i = 0; i < formats.size(); ++i)
      formats[i] = static_cast<sql::Format>(static_cast<std::int16_t>(load_uint16(raw.data() + 2 * i)));
  };
  message.portal = reader.string();
  message.statement = reader.string();
  read_formats(scratch.parameter_formats);
  const std::size_t count = reader.int16();
  scratch.parameters.clear();
  if (count * 4 <= reader.remaining()) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto length = static_cast<std::int32_t>(reader.int32());
      if (length == -1) {
        scratch.parameters.emplace_back(std::nullopt);
      } else {
        // A length below -1 turns into more bytes than any message has.
        scratch.parameters.emplace_back(reader.bytes(static_cast<std::uint32_t>(length)));
      }
    }
  } else {
    reader.bytes(count * 4);   // fails: there cannot be that many parameters
  }
  read_formats(scratch.result_formats);
  message.parameter_formats = scratch.parameter_formats;
  message.parameters = scratch.parameters;
  message.result_formats = scratch.result_formats;
  return reader.finish();
}

inline bool decode_parse(MessageReader& reader, DecodeScratch& scratch, std::string_view& name, std::string_view& text) {
  name = reader.string();
  text = reader.string();
  const std::size_t count = reader.int16();
  const std::string_view raw = reader.bytes(count * 4);
  scratch.types.resize(raw.size() / 4);
  for (std::size_t i = 0; i < scratch.types.size(); ++i) scratch.types[i] = static_cast<Oid>(load_uint32(raw.data() + 4 * i));
  return reader.finish();
}

}  // namespace wandian::wire
