// Fault: what can be wrong with a PGP message, a key, or what is asked for, in pgcrypto's words.
// Thread:  any.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace wandian::sql::pgp {

enum class Fault : std::uint8_t {
  kNone, kCorruptData, kNotText, kUnsupportedCompression, kCompression, kUnsupportedCipher, kUnsupportedDigest, kArgument, kBadS2kMode,
  kWrongKey, kMultipleKeys, kMultipleSubkeys, kNeedsPublicKey, kNeedsSecretKey, kKeyVersion, kCorruptKey, kNoUsableKey, kNeedsPassphrase,
  kUnknownPublicAlgorithm, kUnexpectedPacket, kMathFailed, kKeyTooBig, kCorruptArmor, kBug, kBadVersion, kTooLong,
};
const char* message_of(Fault fault);

/// What the reader met, for pgcrypto's option `debug`.
class Trace {
 public:
  explicit Trace(bool on = false) : on_(on) {}
  void note(std::string line) {
    if (on_) lines_.push_back(std::move(line));
  }
  Fault corrupt(std::string line) {
    note(std::move(line));
    return Fault::kCorruptData;
  }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  bool on_;
  std::vector<std::string> lines_;
};

#define WANDIAN_PGP_TRY(expression)                                                     \
  do {                                                                                  \
    if (const ::wandian::sql::pgp::Fault fault_ = (expression);                         \
        fault_ != ::wandian::sql::pgp::Fault::kNone)                                    \
      return fault_;                                                                    \
  } while (false)

}  // namespace wandian::sql::pgp
