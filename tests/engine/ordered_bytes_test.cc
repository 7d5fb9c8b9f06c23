#include "engine/ordered_bytes.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/array_value.h"
#include "engine/range_value.h"
#include "engine/type.h"

namespace wandian {
namespace {

int sign(int order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

// Keys compare as the values do, pair by pair.
void expect_same_order(Order order, const std::vector<Value>& values, void (*append)(const Value&, std::string&)) {
  std::vector<std::string> keys(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) append(values[i], keys[i]);
  for (std::size_t a = 0; a < values.size(); ++a)
    for (std::size_t b = 0; b < values.size(); ++b) {
      EXPECT_EQ(sign(keys[a].compare(keys[b])), sign(compare_values(order, values[a], values[b]))) << a << " and " << b;
      // No key begins another: they end themselves.
      EXPECT_TRUE(keys[a] == keys[b] || !keys[a].starts_with(keys[b])) << a << " and " << b;
    }
}

TEST(OrderedBytes, ArraysCompareAsTheirKeys) {
  Arena arena;
  std::vector<Value> values;
  const auto ints = [&](std::vector<Value> list) { values.push_back(build_array(type_oid::kInt4, list, arena)); };
  const auto i = [](int v) { return Value::of_int(v); };
  ints({});
  ints({i(1)}), ints({i(1), i(2)}), ints({i(2)}), ints({i(-5)}), ints({i(1), Value::null()}), ints({Value::null()}), ints({i(1), i(2), i(3)}), ints({i(256)});
  const ArrayDimension square[] = {{2, 1}, {1, 1}}, shifted[] = {{2, 0}}, plain[] = {{2, 1}};
  const Value two[] = {i(1), i(2)};
  for (const std::span<const ArrayDimension> dimensions : {std::span<const ArrayDimension>(square), std::span<const ArrayDimension>(shifted), std::span<const ArrayDimension>(plain)})
    values.push_back(build_array(type_oid::kInt4, dimensions, two, arena));
  expect_same_order(Order::kArray, values, append_array_key);

  values.clear();
  const auto texts = [&](std::vector<std::string_view> list) {
    std::vector<Value> elements;
    for (const std::string_view text : list) elements.push_back(Value::of_bytes(text));
    values.push_back(build_array(type_oid::kText, elements, arena));
  };
  texts({"a"}), texts({"a", "b"}), texts({"ab"}), texts({""}), texts({"", "a"}), texts({std::string_view("a\0", 2)}), texts({"\xff"}), texts({"b", ""});
  expect_same_order(Order::kArray, values, append_array_key);
}

TEST(OrderedBytes, RangesCompareAsTheirKeys) {
  Arena arena;
  std::vector<Value> values;
  RangeParts empty;
  empty.type = type_oid::kInt4Range;
  empty.empty = true;
  values.push_back(store_range(empty, arena));
  const int bounds[] = {-1, 0, 1, 256};
  for (int lower = -1; lower < 4; ++lower)
    for (int upper = -1; upper < 4; ++upper)
      for (const bool lower_inclusive : {false, true})
        for (const bool upper_inclusive : {false, true}) {
          RangeParts range;
          range.type = type_oid::kInt4Range;
          range.lower = {Value::of_int(lower < 0 ? 0 : bounds[lower]), lower < 0, lower_inclusive, true};
          range.upper = {Value::of_int(upper < 0 ? 0 : bounds[upper]), upper < 0, upper_inclusive, false};
          values.push_back(store_range(range, arena));
        }
  expect_same_order(Order::kRange, values, append_range_key);
}

TEST(OrderedBytes, RecordsCompareAsTheirKeys) {
  Arena arena;
  std::vector<Value> values;
  const Oid types[] = {type_oid::kInt4, type_oid::kText};
  for (const Value& number : {Value::null(), Value::of_int(-1), Value::of_int(7)})
    for (const Value& text : {Value::null(), Value::of_bytes(std::string_view("")), Value::of_bytes(std::string_view("a")), Value::of_bytes(std::string_view("a\0b", 3))}) {
      const Value fields[] = {number, text};
      values.push_back(build_record(types, fields, arena));
    }
  expect_same_order(Order::kRecord, values, append_record_key);
  const Oid nested[] = {type_oid::kRecord};
  std::vector<Value> deep;
  for (std::size_t i = 0; i < values.size(); ++i) deep.push_back(build_record(nested, std::span(values).subspan(i, 1), arena));
  expect_same_order(Order::kRecord, deep, append_record_key);
}

TEST(OrderedBytes, JsonbComparesAsItsKeys) {
  std::vector<Value> values;
  for (const char* text : {"[]", "{}", "null", "true", "false", "0", "-1", "1", "1.5", "10", "100", "\"\"", "\"a\"", "\"ab\"", "\"b\"", "\"a\\nb\"", "[1]",
                           "[1, 2]", "[[]]", "[{}]", "[null]", "[true]", "{\"a\": 1}", "{\"a\": 2}", "{\"b\": 0}", "{\"a\": 1, \"b\": 2}", "{\"a\": []}",
                           "{\"a\": {\"b\": [1, \"x\"]}}", "[\"a\"]"})
    values.push_back(Value::of_bytes(std::string_view(text)));
  expect_same_order(Order::kJsonb, values, append_jsonb_key);
  std::string a, b;
  append_jsonb_key(Value::of_bytes("[1.0, 2]"), a);
  append_jsonb_key(Value::of_bytes("[1, 2.00]"), b);
  EXPECT_EQ(a, b);
}

}  // namespace
}  // namespace wandian
