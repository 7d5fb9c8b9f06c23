// Orders of text other than that of its bytes, which collations give. sql makes them and gives each a number that is an Order, so that
// whatever compares, hashes or encodes values by their Order does so by a collation, too.
// Owns:       every order that was published, for as long as the process lives: values may be met at any time.
// Thread:     any; publishing takes a lock, asking does not.
// Invariants: what an Order means never changes. It is a number of this process, kept in no definition and no log record.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/oid.h"
#include "engine/type.h"
#include "engine/value.h"
#include "storage/base/status.h"

namespace wandian {

class TextOrder {
 public:
  explicit TextOrder(bool deterministic) : deterministic_(deterministic) {}
  virtual ~TextOrder() = default;
  /// Only equal bytes are equal.
  bool deterministic() const { return deterministic_; }
  /// Three-way, of two texts of different bytes.
  virtual int compare(std::string_view a, std::string_view b) const = 0;
  /// Appends bytes whose memcmp order is the order of texts, and which are the same for texts that compare equal.
  virtual void append_key(std::string_view text, std::string& out) const = 0;

 private:
  bool deterministic_;
};

/// Text without regard to case, as the type citext compares: reserved, so that the type can name it.
inline constexpr Order kFoldedOrder = Order::kFirstCollated;
/// Once, before a value of citext is met.
void publish_folded_order(std::unique_ptr<const TextOrder> order);

/// What is ordered: an Order of a collation is its number and one of these.
enum class Collated : std::uint8_t { kText, kPadded, kTextArray, kPaddedArray };
constexpr bool is_collated(Order order) { return order >= Order::kFirstCollated; }

/// The Order of Collated::kText; the other three follow it. 54000 if there are too many.
Result<Order> publish_text_order(std::unique_ptr<const TextOrder> order);
/// `order` must be one that was published.
const TextOrder& text_order(Order order);
/// Whether values that are equal in this order are equal as bytes; true of every order that no collation gave.
inline bool is_deterministic(Order order) { return !is_collated(order) || text_order(order).deterministic(); }

/// Of bpchar, whose comparisons do not see the blanks at the end.
inline std::string_view without_padding(std::string_view text) {
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// compare_values() and hash_value() of a collated order, and its form in keys, which ends itself.
int compare_collated(Order order, const Value& a, const Value& b);
std::uint64_t hash_collated(Order order, const Value& value);
void append_collated_key(Order order, const Value& value, std::string& out);

/// Answers for a collation as definitions name it with its Order of Collated::kText, or Order::kBytes.
using CollationSource = Order (*)(std::string_view collation);
/// Set by sql before the first definition is compiled.
void set_collation_source(CollationSource source);
/// The order of a type's values under a collation ("" = the type's own); a type that is not text keeps its own.
Order collated_order(Oid type, std::string_view collation);
/// `order` of text, for values of `type`: text itself, padded, or an array of either; any other type keeps its own.
Order collated_order(Oid type, Order order);

}  // namespace wandian
