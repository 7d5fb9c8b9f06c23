#include "engine/text_order.h"

#include <array>
#include <atomic>
#include <mutex>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/array_value.h"

namespace wandian {

namespace {

constexpr std::size_t kMostOrders = 8192, kForms = 4;
// Written once each, by publish_text_order(); pairs with the loads of text_order().
std::array<std::atomic<const TextOrder*>, kMostOrders> orders;
std::atomic<CollationSource> collation_source{nullptr};

std::size_t number_of(Order order) { return static_cast<std::size_t>(order) - static_cast<std::size_t>(Order::kFirstCollated); }
Collated form_of(Order order) { return static_cast<Collated>(number_of(order) % kForms); }
Order with_form(Order text, Collated form) { return static_cast<Order>(static_cast<std::size_t>(text) + static_cast<std::size_t>(form)); }

std::string_view text_of(Order order, const Value& value) {
  return form_of(order) == Collated::kPadded ? without_padding(value.bytes()) : value.bytes();
}

bool is_array(Order order) { return form_of(order) >= Collated::kTextArray; }
Order element_order(Order order) { return static_cast<Order>(static_cast<std::size_t>(order) - 2); }

// A text is ended by two zero bytes; a zero byte within it is followed by one that is not.
void append_ended(std::string_view bytes, std::string& out) {
  for (const char c : bytes) {
    out.push_back(c);
    if (c == 0) out.push_back(static_cast<char>(0xff));
  }
  out.append(2, '\0');
}

void append_text_key(Order order, std::string_view text, std::string& out) {
  const TextOrder& by = text_order(order);
  std::string key;
  by.append_key(text, key);
  append_ended(key, out);
  if (by.deterministic()) append_ended(text, out);
}

void append_number(std::uint32_t number, std::string& out) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

}  // namespace

void publish_folded_order(std::unique_ptr<const TextOrder> order) { orders[0].store(order.release(), std::memory_order_release); }

Result<Order> publish_text_order(std::unique_ptr<const TextOrder> order) {
  static std::mutex mutex;
  static std::size_t count = 1;   // kFoldedOrder is the first
  const std::lock_guard guard(mutex);
  if (count == kMostOrders) return Status{sqlstate::program_limit_exceeded, "too many collations are in use"};
  orders[count].store(order.release(), std::memory_order_release);
  return static_cast<Order>(static_cast<std::size_t>(Order::kFirstCollated) + kForms * count++);
}

const TextOrder& text_order(Order order) {
  DB_DCHECK(is_collated(order));
  return *orders[number_of(order) / kForms].load(std::memory_order_acquire);
}

int compare_collated(Order order, const Value& a, const Value& b) {
  if (is_array(order)) {
    const ArrayView x(a), y(b);
    return compare_arrays(x, y, element_order(order));
  }
  const std::string_view x = text_of(order, a), y = text_of(order, b);
  return x == y ? 0 : text_order(order).compare(x, y);
}

std::uint64_t hash_collated(Order order, const Value& value) {
  if (text_order(order).deterministic()) {
    if (is_array(order)) return hash_value(Order::kArray, value);
    const std::string_view text = text_of(order, value);
    return XXH3_64bits(text.data(), text.size());
  }
  std::string key;
  append_collated_key(order, value, key);
  return XXH3_64bits(key.data(), key.size());
}

void append_collated_key(Order order, const Value& value, std::string& out) {
  if (!is_array(order)) return append_text_key(order, text_of(order, value), out);
  // As append_array_key() writes it (engine/ordered_bytes.h).
  const ArrayView array(value);
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    const Value element = array.element(i);
    out.push_back(element.is_null ? 2 : 1);
    if (!element.is_null) append_text_key(element_order(order), text_of(element_order(order), element), out);
  }
  out.push_back(0);
  out.push_back(static_cast<char>(array.dimensions()));
  for (int d = 0; d < array.dimensions(); ++d) append_number(static_cast<std::uint32_t>(array.length(d)), out);
  for (int d = 0; d < array.dimensions(); ++d) append_number(static_cast<std::uint32_t>(array.lower_bound(d)) ^ 0x80000000u, out);
}

void set_collation_source(CollationSource source) { collation_source.store(source, std::memory_order_release); }

Order collated_order(Oid type, Order order) {
  type = base_type(type);
  const TypeInfo* info = find_type(type);
  if (info == nullptr) return Order::kNone;
  if (!is_collated(order)) return info->order;
  const auto form = [](Oid of) {
    return of == type_oid::kText || of == type_oid::kVarchar || of == type_oid::kName ? 0 : of == type_oid::kBpchar ? 1 : -1;
  };
  if (const int own = form(type); own >= 0) return with_form(order, static_cast<Collated>(own));
  if (info->order != Order::kArray || info->element == 0) return info->order;
  const int element = form(base_type(info->element));
  return element >= 0 ? with_form(order, static_cast<Collated>(2 + element)) : info->order;
}

Order collated_order(Oid type, std::string_view collation) {
  const CollationSource source = collation.empty() ? nullptr : collation_source.load(std::memory_order_acquire);
  return collated_order(type, source == nullptr ? Order::kBytes : source(collation));
}

}  // namespace wandian
