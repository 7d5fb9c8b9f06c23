// The protocol from its first byte: startup packets, SASL, then message framing, in pieces of any size.
#include <cstdint>

#include "tests/fuzz/wire_host.h"
#include "tests/wire/wire_client.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wandian::wire;
  if (size < 2) return 0;
  // Bit 0: authentication; bit 1: start with a login that succeeds (trust), so that messages are reached; then the piece size.
  const std::uint8_t mode = data[0];
  const std::size_t piece = data[1];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const bool trust = (mode & 1) == 0;
  test::FuzzHost host(trust ? Authentication::kTrust : Authentication::kScram);
  if ((mode & 2) != 0) host.feed(test::startup({{"user", "alice"}}), 1000);
  host.feed(bytes, piece);
  host.finish();
  return 0;
}
