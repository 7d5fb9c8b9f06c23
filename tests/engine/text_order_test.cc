// Orders of collations: compared, hashed and in keys as the collation says.
#include "engine/text_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "engine/array_value.h"
#include "engine/key.h"

namespace wandian {
namespace {

std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

// Letters without regard to case; where it is deterministic, then by bytes.
class Folding final : public TextOrder {
 public:
  explicit Folding(bool deterministic) : TextOrder(deterministic) {}
  int compare(std::string_view a, std::string_view b) const override {
    const int order = folded(a).compare(folded(b));
    return order != 0 || !deterministic() ? order : a.compare(b);
  }
  void append_key(std::string_view text, std::string& out) const override { out += folded(text); }
};

Order published(bool deterministic) { return publish_text_order(std::make_unique<Folding>(deterministic)).take(); }
Value text(std::string_view bytes) { return Value::of_bytes(bytes); }

const std::vector<std::string> kTexts = {"", "a", "A", "ab", "aB", "Ab", "b", "B", "a\0b", "zz", "a b", "b "};

TEST(TextOrder, KeysCompareAsTheTextsDo) {
  for (const bool deterministic : {true, false}) {
    const Order order = published(deterministic);
    for (const bool descending : {false, true}) {
      const KeyColumn column{Rep::kBytes, order, true, descending, false};
      const KeyCodec codec(std::span(&column, 1));
      ASSERT_TRUE(codec.supported());
      for (const std::string& a : kTexts)
        for (const std::string& b : kTexts) {
          const Value x = text(a), y = text(b);
          KeyBuffer first, second;
          ASSERT_TRUE(codec.encode({&x, 1}, first) && codec.encode({&y, 1}, second));
          const int wanted = compare_values(order, x, y) * (descending ? -1 : 1);
          const auto got = first.ref() <=> second.ref();
          EXPECT_EQ(wanted < 0, got < 0) << a << " " << b;
          EXPECT_EQ(wanted == 0, got == 0) << a << " " << b;
        }
    }
  }
}

TEST(TextOrder, EqualTextsHashAlike) {
  const Order loose = published(false), strict = published(true);
  EXPECT_FALSE(is_deterministic(loose));
  EXPECT_TRUE(is_deterministic(strict));
  EXPECT_TRUE(is_deterministic(Order::kBytes));
  EXPECT_EQ(compare_values(loose, text("Ab"), text("aB")), 0);
  EXPECT_EQ(hash_value(loose, text("Ab")), hash_value(loose, text("aB")));
  EXPECT_NE(compare_values(strict, text("Ab"), text("aB")), 0);
  EXPECT_EQ(hash_value(strict, text("Ab")), hash_value(Order::kBytes, text("Ab")));
}

TEST(TextOrder, PaddedTextAndArraysHaveFormsOfTheirOwn) {
  const Order loose = published(false);
  EXPECT_EQ(collated_order(type_oid::kText, loose), loose);
  const Order padded = collated_order(type_oid::kBpchar, loose);
  EXPECT_NE(padded, loose);
  EXPECT_EQ(compare_values(padded, text("a  "), text("A")), 0);
  EXPECT_NE(compare_values(loose, text("a  "), text("A")), 0);
  EXPECT_EQ(collated_order(type_oid::kInt4, loose), Order::kInteger);
  EXPECT_EQ(collated_order(type_oid::kText, Order::kBytes), Order::kBytes);
  const Order arrays = collated_order(1009, loose);
  Arena arena;
  const Value a = build_array(type_oid::kText, std::vector<Value>{text("B"), text("c")}, arena);
  const Value b = build_array(type_oid::kText, std::vector<Value>{text("b"), text("C")}, arena);
  EXPECT_EQ(compare_values(arrays, a, b), 0);
  EXPECT_EQ(hash_value(arrays, a), hash_value(arrays, b));
  std::string first, second;
  append_collated_key(arrays, a, first);
  append_collated_key(arrays, b, second);
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace wandian
