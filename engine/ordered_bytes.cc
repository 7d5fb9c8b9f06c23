#include "engine/ordered_bytes.h"

#include "engine/array_value.h"
#include "engine/key.h"

namespace wandian {

namespace {

void append_integer(std::int64_t i, std::string& out) {
  const auto bits = static_cast<std::uint32_t>(i) ^ 0x80000000u;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bits >> shift));
}

}  // namespace

void append_array_key(const Value& value, std::string& out) {
  const ArrayView array(value);
  const TypeInfo* type = find_type(array.element_type());
  if (array.count() != 0 && type != nullptr) {
    const KeyColumn column{type->rep, type->order, false, false, false};
    const KeyCodec codec(std::span<const KeyColumn>(&column, 1));
    KeyBuffer key;
    for (std::uint32_t i = 0; i < array.count(); ++i) {
      const Value element = array.element(i);
      out.push_back(element.is_null ? 2 : 1);
      if (element.is_null) continue;
      codec.encode({&element, 1}, key);
      out.append(key.data(), key.size());
    }
  }
  out.push_back(0);
  out.push_back(static_cast<char>(array.dimensions()));
  for (int d = 0; d < array.dimensions(); ++d) append_integer(array.length(d), out);
  for (int d = 0; d < array.dimensions(); ++d) append_integer(array.lower_bound(d), out);
}

}  // namespace wandian
