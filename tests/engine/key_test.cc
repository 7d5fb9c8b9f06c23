// Keys compare as SQL compares the values they were made from.
#include "engine/key.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <random>
#include <vector>

#include "storage/base/random.h"

namespace wandian {
namespace {

struct Kind {
  Rep rep;
  Order order;
};
constexpr Kind kKinds[] = {{Rep::kInt8Bit, Order::kInteger}, {Rep::kInt16, Order::kInteger}, {Rep::kInt32, Order::kInteger},
                           {Rep::kUint32, Order::kUnsigned}, {Rep::kInt64, Order::kInteger}, {Rep::kInt64, Order::kUnsigned},
                           {Rep::kFloat32, Order::kFloat}, {Rep::kFloat64, Order::kFloat}, {Rep::kFixed16, Order::kBytes},
                           {Rep::kFixed16, Order::kInterval}, {Rep::kBytes, Order::kBytes}, {Rep::kBytes, Order::kPadded}};

class KeyOrder : public testing::Test {
 protected:
  KeyColumn random_column() {
    const Kind kind = kKinds[random_() % std::size(kKinds)];
    return {kind.rep, kind.order, random_() % 2 == 0, random_() % 2 == 0, random_() % 2 == 0};
  }
  Value random_value(const KeyColumn& column) {
    if (column.nullable && random_() % 4 == 0) return Value::null();
    // Few distinct values, so that later columns matter; extremes among them.
    const std::int64_t few[] = {0, 1, -1, 2, 255, 256, -256, 65535, INT64_MAX, INT64_MIN, INT32_MAX, INT32_MIN};
    const std::int64_t i = few[random_() % std::size(few)];
    switch (column.rep) {
      case Rep::kInt8Bit: return Value::of_int(static_cast<std::uint8_t>(i));
      case Rep::kInt16: return Value::of_int(static_cast<std::int16_t>(i));
      case Rep::kInt32: return Value::of_int(static_cast<std::int32_t>(i));
      case Rep::kUint32: return Value::of_int(static_cast<std::uint32_t>(i));
      case Rep::kInt64: return Value::of_int(i);
      case Rep::kFloat32: case Rep::kFloat64: {
        const double inf = std::numeric_limits<double>::infinity();
        const double some[] = {0.0, -0.0, 1.5, -1.5, inf, -inf, std::nan(""), -std::nan("1"), 1e-45, -1e-45, 1e30};
        const double d = some[random_() % std::size(some)];
        return Value::of_double(column.rep == Rep::kFloat32 ? static_cast<float>(d) : d);
      }
      case Rep::kFixed16: {
        std::string& bytes = kept_.emplace_back(16, '\0');
        if (column.order == Order::kInterval) {
          const IntervalValue some[] = {{0, 0, 1}, {0, 30, 0}, {86400000000 * 30, 0, 0}, {-1, 0, 0}, {86400000000, -1, 0},
                                        {INT64_MAX, INT32_MAX, INT32_MAX}, {INT64_MIN, INT32_MIN, INT32_MIN}, {1, 29, 0}};
          std::memcpy(bytes.data(), &some[random_() % std::size(some)], 16);
        } else {
          bytes[random_() % 16] = static_cast<char>(random_());
        }
        return Value::of_bytes(bytes);
      }
      case Rep::kBytes: break;
    }
    std::string& bytes = kept_.emplace_back(random_() % 5, '\0');
    const char some[] = {'\0', '\1', 'a', ' ', '\xff', '\xfe'};
    for (char& byte : bytes) byte = some[random_() % (column.order == Order::kPadded ? 4 : 6)];
    return Value::of_bytes(bytes);
  }
  // What PostgreSQL's btree would answer for one column.
  static int compare_column(const KeyColumn& column, const Value& a, const Value& b) {
    if (a.is_null || b.is_null) {
      if (a.is_null && b.is_null) return 0;
      return a.is_null == column.nulls_first ? -1 : 1;
    }
    const int order = compare_plain(column, a, b);
    return column.descending ? -order : order;
  }
  static int sign(int v) { return (v > 0) - (v < 0); }
  static int compare_plain(const KeyColumn& column, const Value& a, const Value& b) {
    const auto three_way = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
    switch (column.order) {
      case Order::kInteger: return three_way(a.i, b.i);
      case Order::kUnsigned: return three_way(static_cast<std::uint64_t>(a.i), static_cast<std::uint64_t>(b.i));
      case Order::kFloat:
        if (std::isnan(a.d) || std::isnan(b.d)) return three_way(std::isnan(a.d), std::isnan(b.d));
        return three_way(a.d, b.d);
      case Order::kInterval: {
        const auto span = [](const Value& v) {
          const IntervalValue interval = load_interval(v);
          return (static_cast<long double>(interval.months) * 30 + interval.days) * 86400000000.0L + static_cast<long double>(interval.microseconds);
        };
        return three_way(span(a), span(b));
      }
      case Order::kPadded: {
        const auto strip = [](std::string_view text) { return text.substr(0, text.find_last_not_of(' ') + 1); };
        return three_way(strip(a.bytes()), strip(b.bytes()));
      }
      default: return three_way(a.bytes(), b.bytes());
    }
  }

  std::mt19937_64 random_{77};
  std::deque<std::string> kept_;
};

TEST_F(KeyOrder, BytesCompareAsValuesDo) {
  for (int round = 0; round < 3000; ++round) {
    kept_.clear();
    std::vector<KeyColumn> columns(1 + random_() % 4);
    std::vector<RowColumn> row_columns;
    for (KeyColumn& column : columns) {
      column = random_column();
      row_columns.push_back({column.rep, column.nullable});
    }
    std::vector<std::uint16_t> numbers;
    for (std::uint16_t i = 0; i < columns.size(); ++i) numbers.push_back(i);
    const KeyCodec codec(columns);
    const RowLayout layout(row_columns);
    ASSERT_TRUE(codec.supported());
    std::vector<std::vector<Value>> rows(12);
    std::vector<KeyBuffer> keys(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (const KeyColumn& column : columns) rows[i].push_back(random_value(column));
      ASSERT_TRUE(codec.encode(rows[i], keys[i]));
      if (codec.fixed()) {
        ASSERT_EQ(keys[i].size(), codec.fixed_bytes());
      }
      std::string row(layout.encoded_size(rows[i]), '\0');
      layout.encode(rows[i], row.data());
      KeyBuffer from_row;
      ASSERT_TRUE(codec.encode_from_row(layout, row.data(), numbers, from_row));
      ASSERT_EQ(from_row.ref(), keys[i].ref());
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < rows.size(); ++j) {
        int expected = 0;
        for (std::size_t c = 0; c < columns.size() && expected == 0; ++c) expected = compare_column(columns[c], rows[i][c], rows[j][c]);
        ASSERT_EQ(sign(keys[i].ref().view().compare(keys[j].ref().view())), sign(expected)) << "round " << round;

        // Keys that begin with the first n columns are those from the prefix up to its successor.
        const std::size_t n = 1 + random_() % columns.size();
        KeyBuffer prefix;
        ASSERT_TRUE(codec.encode({rows[i].data(), n}, prefix));
        int on_prefix = 0;
        for (std::size_t c = 0; c < n && on_prefix == 0; ++c) on_prefix = compare_column(columns[c], rows[j][c], rows[i][c]);
        KeyBuffer above = prefix;
        const bool bounded = KeyCodec::successor(above);
        const KeyRef key = keys[j];
        ASSERT_EQ(key >= prefix.ref() && (!bounded || key < above.ref()), on_prefix == 0) << "round " << round;
      }
    }
  }
}

TEST(KeyCodec, SameKeyComparesAsKeysDo) {
  const KeyColumn columns[] = {{Rep::kFloat64, Order::kFloat}, {Rep::kBytes, Order::kBytes, true}};
  const RowColumn row_columns[] = {{Rep::kInt32, false}, {Rep::kFloat64, false}, {Rep::kBytes, true}};
  const std::uint16_t numbers[] = {1, 2};
  const KeyCodec codec(columns);
  const RowLayout layout(row_columns);
  const auto row = [&](int other, double d, Value text) {
    const Value values[] = {Value::of_int(other), Value::of_double(d), text};
    std::string out(layout.encoded_size(values), '\0');
    layout.encode(values, out.data());
    return out;
  };
  const auto same = [&](const std::string& a, const std::string& b) { return codec.same_key(layout, a.data(), layout, b.data(), numbers); };
  EXPECT_TRUE(same(row(1, 0.0, Value::of_bytes("x")), row(2, -0.0, Value::of_bytes("x"))));
  EXPECT_FALSE(same(row(1, 0.0, Value::of_bytes("x")), row(1, 0.0, Value::of_bytes("y"))));
  EXPECT_FALSE(same(row(1, 0.0, Value::of_bytes("")), row(1, 0.0, Value::null())));
  EXPECT_TRUE(same(row(1, std::nan(""), Value::null()), row(1, -std::nan("2"), Value::null())));
}

TEST(KeyCodec, RefusesTypesWithoutAnOrder) {
  for (const Order order : {Order::kNone}) {
    const KeyColumn columns[] = {{Rep::kInt64, Order::kInteger}, {Rep::kBytes, order}};
    const KeyCodec codec(columns);
    EXPECT_FALSE(codec.supported());
    KeyBuffer out;
    const Value values[] = {Value::of_int(1), Value::of_bytes("x")};
    EXPECT_FALSE(codec.encode(values, out));
  }
}

TEST(KeyCodec, FitsSaysWhetherAKeyCouldBeThere) {
  const KeyColumn columns[] = {{Rep::kInt32, Order::kInteger}, {Rep::kUint32, Order::kUnsigned}, {Rep::kFloat32, Order::kFloat, true}};
  const KeyCodec codec(columns);
  EXPECT_TRUE(codec.fits(0, Value::of_int(INT32_MIN)));
  EXPECT_FALSE(codec.fits(0, Value::of_int(std::int64_t{INT32_MAX} + 1)));
  EXPECT_FALSE(codec.fits(1, Value::of_int(-1)));
  EXPECT_FALSE(codec.fits(2, Value::of_double(0.1)));
  EXPECT_TRUE(codec.fits(2, Value::of_double(0.5)));
  EXPECT_TRUE(codec.fits(2, Value::null()));
  EXPECT_FALSE(codec.fits(0, Value::null()));
}

// Integers without values find what values find, at the ends of each type's range and beyond.
TEST(KeyCodec, IntegersAreEncodedAsValuesAre) {
  for (const Rep rep : {Rep::kInt16, Rep::kInt32, Rep::kInt64, Rep::kUint32, Rep::kInt8Bit}) {
    const KeyColumn column{.rep = rep, .order = rep == Rep::kUint32 || rep == Rep::kInt8Bit ? Order::kUnsigned : Order::kInteger};
    const KeyCodec codec(std::span(&column, 1));
    for (const int bits : {0, 1, 7, 8, 15, 16, 31, 32, 62, 63})
      for (const std::int64_t off : {-2, -1, 0, 1, 2})
        for (const std::int64_t sign : {-1, 1}) {
          const std::int64_t i = static_cast<std::int64_t>(static_cast<std::uint64_t>(sign) * (std::uint64_t{1} << bits) + static_cast<std::uint64_t>(off));
          const Value value = Value::of_int(i);
          KeyBuffer one, other;
          ASSERT_EQ(codec.encode_integers(std::span(&i, 1), one), codec.fits(0, value)) << i;
          if (!codec.fits(0, value)) continue;
          codec.encode(std::span(&value, 1), other);
          ASSERT_TRUE(one.ref() == other.ref()) << i;
        }
  }
}

// Keys of integers alone are put together in a short way: its bytes are those of one column after the other.
TEST(KeyCodec, TheShortWayOfIntegersWritesTheSameBytes) {
  Random random(11);
  const Rep reps[] = {Rep::kInt16, Rep::kInt32, Rep::kInt64, Rep::kUint32, Rep::kInt8Bit};
  for (int round = 0; round < 2000; ++round) {
    std::vector<KeyColumn> columns(1 + random.below(6));   // up to 54 bytes: both sides of the short way's limit
    std::vector<Value> values;
    for (KeyColumn& column : columns) {
      column.rep = reps[random.below(5)];
      column.order = column.rep == Rep::kUint32 || column.rep == Rep::kInt8Bit ? Order::kUnsigned : Order::kInteger;
      column.nullable = random.below(2) == 0;
      column.nulls_first = random.below(2) == 0;
      column.descending = random.below(12) == 0;
      const auto bits = static_cast<std::int64_t>(random.next());
      std::int64_t i = bits;
      if (column.rep == Rep::kInt16) i = static_cast<std::int16_t>(bits);
      else if (column.rep == Rep::kInt32) i = static_cast<std::int32_t>(bits);
      else if (column.rep == Rep::kUint32) i = static_cast<std::uint32_t>(bits);
      else if (column.rep == Rep::kInt8Bit) i = static_cast<std::uint8_t>(bits);
      values.push_back(column.nullable && random.below(3) == 0 ? Value::null() : Value::of_int(i));
    }
    const KeyCodec codec(columns);
    KeyBuffer whole, parts;
    ASSERT_TRUE(codec.encode(values, whole));
    for (unsigned i = 0; i < columns.size(); ++i) ASSERT_TRUE(codec.append(i, values[i], parts));
    ASSERT_TRUE(whole.ref() == parts.ref()) << round;
    ASSERT_EQ(whole.size(), codec.fixed_bytes());
  }
}

TEST(KeyBuffer, GrowsAndCopies) {
  KeyBuffer buffer;
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    buffer.push_back(static_cast<char>(i));
    expected += static_cast<char>(i);
  }
  const KeyBuffer copy(buffer);
  EXPECT_EQ(copy.ref().view(), expected);
  buffer.clear();
  buffer.append("abc", 3);
  EXPECT_EQ(buffer.ref().view(), "abc");
  EXPECT_EQ(copy.ref().view(), expected);
  EXPECT_LT(buffer.ref(), (KeyRef{"abd", 3}));
}

}  // namespace
}  // namespace wandian
