#include "engine/row_layout.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <random>
#include <string>

namespace wandian {
namespace {

constexpr Rep kAllReps[] = {Rep::kInt8Bit, Rep::kInt16, Rep::kInt32, Rep::kUint32, Rep::kInt64,
                            Rep::kFloat32, Rep::kFloat64, Rep::kFixed16, Rep::kBytes};

class RowLayoutRandom : public testing::Test {
 protected:
  Value random_value(const RowColumn& column) {
    if (column.nullable && random_() % 3 == 0) return Value::null();
    const std::uint64_t r = random_() >> (random_() % 64);
    const auto i = static_cast<std::int64_t>(random_() % 2 == 0 ? r : ~r);
    switch (column.rep) {
      case Rep::kInt8Bit: return Value::of_int(static_cast<std::uint8_t>(i));
      case Rep::kInt16: return Value::of_int(static_cast<std::int16_t>(i));
      case Rep::kInt32: return Value::of_int(static_cast<std::int32_t>(i));
      case Rep::kUint32: return Value::of_int(static_cast<std::uint32_t>(i));
      case Rep::kInt64: return Value::of_int(i);
      case Rep::kFloat32: return Value::of_double(static_cast<float>(static_cast<double>(i) / 7));
      case Rep::kFloat64: return Value::of_double(static_cast<double>(i) / 7);
      case Rep::kFixed16: case Rep::kBytes: break;
    }
    std::string& bytes = kept_.emplace_back(column.rep == Rep::kFixed16 ? 16 : random_() % 20, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    return Value::of_bytes(bytes);
  }
  std::vector<RowColumn> random_columns() {
    std::vector<RowColumn> columns(random_() % 24);
    for (RowColumn& column : columns) column = {kAllReps[random_() % std::size(kAllReps)], random_() % 2 == 0};
    return columns;
  }
  std::vector<Value> random_values(const std::vector<RowColumn>& columns) {
    std::vector<Value> values;
    for (const RowColumn& column : columns) values.push_back(random_value(column));
    return values;
  }
  static std::string encode(const RowLayout& layout, const std::vector<Value>& values) {
    std::string row(layout.encoded_size(values), '?');
    EXPECT_EQ(layout.encode(values, row.data()), row.size());
    EXPECT_EQ(layout.row_size(row.data()), row.size());
    return row;
  }
  static void expect_same(const Value& a, const Value& b, Rep rep) {
    ASSERT_EQ(a.is_null, b.is_null);
    if (a.is_null) return;
    if (rep == Rep::kBytes || rep == Rep::kFixed16) ASSERT_EQ(a.bytes(), b.bytes());
    else if (rep == Rep::kFloat32 || rep == Rep::kFloat64) ASSERT_EQ(a.d, b.d);
    else ASSERT_EQ(a.i, b.i);
  }
  static void expect_row(const RowLayout& layout, const std::string& row, const std::vector<Value>& values) {
    for (unsigned i = 0; i < values.size(); ++i) {
      ASSERT_EQ(layout.is_null(row.data(), i), values[i].is_null);
      expect_same(layout.read(row.data(), i), values[i], layout.rep(i));
    }
  }

  std::mt19937_64 random_{42};
  std::deque<std::string> kept_;
};

TEST_F(RowLayoutRandom, ReadsBackWhatWasEncoded) {
  for (int round = 0; round < 2000; ++round) {
    const auto columns = random_columns();
    const RowLayout layout(columns);
    const auto values = random_values(columns);
    const std::string row = encode(layout, values);
    expect_row(layout, row, values);
    EXPECT_TRUE(layout.valid(row));
    if (HasFatalFailure()) return;
  }
}

TEST_F(RowLayoutRandom, UpdateAndDeltaGiveTheRowEncodedAnew) {
  for (int round = 0; round < 3000; ++round) {
    const auto columns = random_columns();
    const RowLayout layout(columns);
    auto values = random_values(columns);
    const std::string old_row = encode(layout, values);
    std::vector<ColumnChange> changes;
    const unsigned chance = 1 + random_() % 8;
    for (unsigned i = 0; i < columns.size(); ++i) {
      if (random_() % chance != 0) continue;
      values[i] = random_value(columns[i]);
      changes.push_back({static_cast<std::uint16_t>(i), values[i]});
    }
    const std::string expected = encode(layout, values);
    std::string updated(layout.updated_size(old_row.data(), changes), '?');
    ASSERT_EQ(layout.update(old_row.data(), changes, updated.data()), updated.size());
    ASSERT_EQ(updated, expected);
    std::string delta = "before";
    layout.append_delta(changes, delta);
    ASSERT_EQ(delta.size(), 6 + layout.delta_size(changes));
    std::string applied;
    ASSERT_TRUE(layout.apply_delta(old_row.data(), std::string_view(delta).substr(6), applied));
    ASSERT_EQ(applied, expected);
    if (HasFatalFailure()) return;
  }
}

TEST_F(RowLayoutRandom, MalformedDeltasAndRowsAreRefusedOrHarmless) {
  unsigned refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const auto columns = random_columns();
    const RowLayout layout(columns);
    const auto values = random_values(columns);
    const std::string row = encode(layout, values);
    std::vector<ColumnChange> changes;
    for (unsigned i = 0; i < columns.size(); ++i)
      if (random_() % 3 == 0) changes.push_back({static_cast<std::uint16_t>(i), random_value(columns[i])});
    std::string delta;
    layout.append_delta(changes, delta);
    if (random_() % 3 == 0) delta.resize(random_() % (delta.size() + 1));
    else if (random_() % 2 == 0) delta += static_cast<char>(random_());
    else delta[random_() % delta.size()] = static_cast<char>(random_());
    // An exact copy on the heap, so that the address sanitizer sees a step too far.
    const std::vector<char> exact(delta.begin(), delta.end());
    std::string out;
    if (!layout.apply_delta(row.data(), {exact.data(), exact.size()}, out)) ++refused;
    else ASSERT_TRUE(layout.valid(out));

    std::string damaged = row;
    if (!damaged.empty() && random_() % 2 == 0) damaged[random_() % damaged.size()] ^= static_cast<char>(1 << random_() % 8);
    else damaged.resize(random_() % (damaged.size() + 2));
    const std::vector<char> exact_row(damaged.begin(), damaged.end());
    if (!layout.valid({exact_row.data(), exact_row.size()})) continue;
    for (unsigned i = 0; i < columns.size(); ++i) {
      const Value value = layout.read(exact_row.data(), i);
      if (value.is_null || (columns[i].rep != Rep::kBytes && columns[i].rep != Rep::kFixed16)) continue;
      ASSERT_GE(value.p, exact_row.data());
      ASSERT_LE(value.p + value.size, exact_row.data() + exact_row.size());
    }
  }
  EXPECT_GT(refused, 5000u);
}

TEST(RowLayout, NotNullFixedColumnsTakeOnlyTheirBytes) {
  const RowColumn columns[] = {{Rep::kInt32, false}, {Rep::kInt64, false}, {Rep::kFloat32, false}};
  const RowLayout layout(columns);
  EXPECT_EQ(layout.fixed_size(), 16u);
  EXPECT_FALSE(layout.has_bytes());
  EXPECT_EQ(layout.slot_offset(1), 4u);
}

TEST(RowLayout, DeltaHoldsOnlyWhatChanged) {
  std::vector<RowColumn> columns(100, {Rep::kBytes, true});
  columns[40] = {Rep::kInt32, false};
  const RowLayout layout(columns);
  const ColumnChange change[] = {{40, Value::of_int(7)}};
  EXPECT_EQ(layout.delta_size(change), 6u);   // one change, column 40, four bytes
}

TEST(LayoutSet, OlderRowsAnswerTheDefaultOfAddedColumns) {
  const RowColumn first[] = {{Rep::kInt32, false}, {Rep::kBytes, true}};
  const RowColumn second[] = {{Rep::kInt32, false}, {Rep::kBytes, true}, {Rep::kBytes, false}, {Rep::kInt64, true}};
  const RowColumn third[] = {{Rep::kInt32, false}, {Rep::kBytes, true}, {Rep::kBytes, false}, {Rep::kInt64, true}, {Rep::kInt16, false}};
  LayoutSet set{RowLayout(first)};
  {
    const std::string text = "a default";
    const Value missing[] = {Value::of_bytes(text), Value::null()};
    EXPECT_EQ(set.add(RowLayout(second), missing), 1);
  }
  const Value more[] = {Value::of_int(5)};
  const LayoutSet older = set;
  EXPECT_EQ(set.add(RowLayout(third), more), 2);
  EXPECT_EQ(older.newest_id(), 1);

  const Value values[] = {Value::of_int(9), Value::of_bytes("text", 4)};
  std::string row(set.layout(0).encoded_size(values), '\0');
  set.layout(0).encode(values, row.data());
  EXPECT_EQ(set.read(0, row.data(), 0).i, 9);
  EXPECT_EQ(set.read(0, row.data(), 1).bytes(), "text");
  EXPECT_EQ(set.read(0, row.data(), 2).bytes(), "a default");
  EXPECT_TRUE(set.read(0, row.data(), 3).is_null);
  EXPECT_EQ(set.read(0, row.data(), 4).i, 5);
  EXPECT_EQ(older.read(0, row.data(), 2).bytes(), "a default");

  std::vector<Value> all(5);
  set.read_all(0, row.data(), all);
  std::string renewed(set.newest().encoded_size(all), '\0');
  set.newest().encode(all, renewed.data());
  EXPECT_EQ(set.read(2, renewed.data(), 2).bytes(), "a default");
  EXPECT_EQ(set.read(2, renewed.data(), 4).i, 5);
}

}  // namespace
}  // namespace wandian
