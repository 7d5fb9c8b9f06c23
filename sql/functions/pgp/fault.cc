#include "sql/functions/pgp/fault.h"

namespace wandian::sql::pgp {

const char* message_of(Fault fault) {
  switch (fault) {
    case Fault::kNone: return "";
    case Fault::kCorruptData: return "Wrong key or corrupt data";
    case Fault::kNotText: return "Not text data";
    case Fault::kUnsupportedCompression: return "Unsupported compression algorithm";
    case Fault::kCompression: return "Compression error";
    case Fault::kUnsupportedCipher: return "Unsupported cipher algorithm";
    case Fault::kUnsupportedDigest: return "Unsupported digest algorithm";
    case Fault::kArgument: return "Illegal argument to function";
    case Fault::kBadS2kMode: return "Bad S2K mode";
    case Fault::kWrongKey: return "Wrong key";
    case Fault::kMultipleKeys: return "Several keys given - pgcrypto does not handle keyring";
    case Fault::kMultipleSubkeys: return "Several subkeys not supported";
    case Fault::kNeedsPublicKey: return "Refusing to encrypt with secret key";
    case Fault::kNeedsSecretKey: return "Cannot decrypt with public key";
    case Fault::kKeyVersion: return "Only V4 key packets are supported";
    case Fault::kCorruptKey: return "Corrupt key packet";
    case Fault::kNoUsableKey: return "No encryption key found";
    case Fault::kNeedsPassphrase: return "Need password for secret key";
    case Fault::kUnknownPublicAlgorithm: return "Unknown public-key encryption algorithm";
    case Fault::kUnexpectedPacket: return "Unexpected packet in key data";
    case Fault::kMathFailed: return "Math operation failed";
    case Fault::kKeyTooBig: return "Public key too big";
    case Fault::kCorruptArmor: return "Corrupt ascii-armor";
    case Fault::kBug: return "pgcrypto bug";
    case Fault::kBadVersion: return "Bad error code";
    case Fault::kTooLong: return "requested length too large";
  }
  return "";
}

}  // namespace wandian::sql::pgp
