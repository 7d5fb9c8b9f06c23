// Bodies of Parse, Bind, Execute, Describe, Close and of COPY's messages: the framing is right, the content is anything.
#include <cstdint>
#include <string>

#include "tests/fuzz/wire_host.h"
#include "tests/wire/wire_client.h"
#include "wire/protocol_reader.h"
#include "wire/startup_packet.h"

namespace {

using namespace wandian;
using namespace wandian::wire;

// Every view must lie inside the body.
void check_bind(std::string_view body) {
  MessageReader reader(body);
  DecodeScratch scratch;
  sql::BindMessage message;
  if (!decode_bind(reader, scratch, message)) return;
  const auto inside = [body](std::string_view view) {
    return view.empty() || (view.data() >= body.data() && view.data() + view.size() <= body.data() + body.size());
  };
  test::require(inside(message.portal) && inside(message.statement));
  for (const auto& parameter : message.parameters) test::require(!parameter || inside(*parameter));
  test::require(message.parameters.size() <= 65535 && message.result_formats.size() <= 65535);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  check_bind(all);
  (void)parse_startup_packet(all);
  test::FuzzHost host(Authentication::kTrust);
  host.feed(test::startup({{"user", "alice"}}), 1000);
  // kind, length, content; again
  constexpr std::string_view kTypes = "PBEDCSHQdcfXF";
  std::string_view rest = all;
  bool copying = false;
  while (rest.size() >= 2 && !host.connection().closing()) {
    const auto kind = static_cast<unsigned char>(rest[0]);
    const std::size_t length = std::min<std::size_t>(static_cast<unsigned char>(rest[1]), rest.size() - 2);
    const std::string_view content = rest.substr(2, length);
    rest.remove_prefix(2 + length);
    if ((kind & 0x80) != 0 && !copying) {
      host.feed(test::query("copy"), 1000);
      copying = true;
      continue;
    }
    const char type = kTypes[kind % kTypes.size()];
    copying = copying && type == 'd';
    host.feed(test::message(type, content), 1000);
  }
  host.finish();
  return 0;
}
