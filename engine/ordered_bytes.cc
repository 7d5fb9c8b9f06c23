#include "engine/ordered_bytes.h"

#include "engine/array_value.h"
#include "engine/key.h"
#include "engine/range_value.h"

namespace wandian {

namespace {

void append_integer(std::int64_t i, std::string& out) {
  const auto bits = static_cast<std::uint32_t>(i) ^ 0x80000000u;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bits >> shift));
}

// The keys of values of one type, as parts of others.
class PartKeys {
 public:
  explicit PartKeys(KeyColumn column) : codec_(std::span<const KeyColumn>(&column, 1)) {}
  void append(const Value& value, std::string& out) {
    codec_.encode({&value, 1}, key_);
    out.append(key_.data(), key_.size());
  }

 private:
  KeyCodec codec_;
  KeyBuffer key_;
};

// What has no order of its own counts as its bytes do, as in compare_values().
KeyColumn part_column(const TypeInfo& type) { return {type.rep, type.order == Order::kNone ? Order::kBytes : type.order, false, false, false}; }

void append_bound(const RangeBound& bound, PartKeys& keys, std::string& out) {
  if (bound.infinite) {
    out.push_back(bound.lower ? 0 : 2);
    return;
  }
  out.push_back(1);
  keys.append(bound.value, out);
  out.push_back(bound.inclusive == bound.lower ? 0 : 1);
}

}  // namespace

void append_array_key(const Value& value, std::string& out) {
  const ArrayView array(value);
  const TypeInfo* type = find_type(array.element_type());
  if (array.count() != 0 && type != nullptr) {
    PartKeys keys(part_column(*type));
    for (std::uint32_t i = 0; i < array.count(); ++i) {
      const Value element = array.element(i);
      out.push_back(element.is_null ? 2 : 1);
      if (!element.is_null) keys.append(element, out);
    }
  }
  out.push_back(0);
  out.push_back(static_cast<char>(array.dimensions()));
  for (int d = 0; d < array.dimensions(); ++d) append_integer(array.length(d), out);
  for (int d = 0; d < array.dimensions(); ++d) append_integer(array.lower_bound(d), out);
}

void append_record_key(const Value& value, std::string& out) {
  const RecordView record(value);
  for (std::uint32_t i = 0; i < record.count(); ++i) {
    const Value field = record.field(i);
    const TypeInfo* type = field.is_null ? nullptr : find_type(record.type(i));
    out.push_back(type == nullptr ? 2 : 1);
    if (type != nullptr) PartKeys(part_column(*type)).append(field, out);
  }
  out.push_back(0);
}

void append_range_key(const Value& value, std::string& out) {
  const RangeParts range = load_range(value);
  const TypeInfo* type = find_type(range.type);
  const TypeInfo* subtype = range.empty || type == nullptr ? nullptr : find_type(type->base);
  out.push_back(subtype == nullptr ? 0 : 1);
  if (subtype == nullptr) return;
  PartKeys keys({subtype->rep, range_order(range.type), false, false, false});
  append_bound(range.lower, keys, out);
  append_bound(range.upper, keys, out);
}

}  // namespace wandian
