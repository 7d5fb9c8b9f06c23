// Numeric: exact results, display scales, limits, order and keys.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/numeric.h"
#include "tests/sql/types_harness.h"

namespace wandian::sql {
namespace {

Value number(Arena& arena, std::string_view text) {
  Value v;
  EXPECT_TRUE(numeric_from_text(text, -1, arena, &v).ok()) << text;
  return v;
}

std::string power(std::string_view a, std::string_view b) {
  Harness h;
  return h.call("power", {{"numeric", a}, {"numeric", b}});
}

TEST(Numeric, TextKeepsItsScale) {
  Harness h;
  for (const char* text : {"0", "0.00", "-1.50", "12345678901234567890.123456789", "0.0001", "10000", "NaN", "Infinity",
                           "-Infinity"})
    EXPECT_EQ(h.round_trip("numeric", text), text);
  EXPECT_EQ(h.round_trip("numeric", " 1e10 "), "10000000000");
  EXPECT_EQ(h.round_trip("numeric", "1.5e-3"), "0.0015");
  EXPECT_EQ(h.round_trip("numeric", "-0"), "0");
  EXPECT_EQ(h.round_trip("numeric", "x"), "22P02 invalid input syntax for type numeric: \"x\"");
  EXPECT_EQ(h.round_trip("numeric", "1e200000"), "22003 value overflows numeric format");
}

TEST(Numeric, TypmodRoundsHalfAwayFromZeroAndChecksPrecision) {
  Harness h;
  EXPECT_EQ(h.round_trip("numeric", "1.005", numeric_typmod(5, 2)), "1.01");
  EXPECT_EQ(h.round_trip("numeric", "-1.005", numeric_typmod(5, 2)), "-1.01");
  EXPECT_EQ(h.round_trip("numeric", "12", numeric_typmod(5, 2)), "12.00");
  EXPECT_EQ(h.round_trip("numeric", "12345", numeric_typmod(3, -3)), "12000");
  EXPECT_EQ(h.round_trip("numeric", "999.995", numeric_typmod(5, 2)),
            "22003 numeric field overflow | A field with precision 5, scale 2 must round to an absolute value less than 10^3.");
  EXPECT_EQ(h.round_trip("numeric", "1", numeric_typmod(2, 2)),
            "22003 numeric field overflow | A field with precision 2, scale 2 must round to an absolute value less than 1.");
  EXPECT_EQ(h.round_trip("numeric", "Infinity", numeric_typmod(5, 2)),
            "22003 numeric field overflow | A field with precision 5, scale 2 cannot hold an infinite value.");
}

TEST(Numeric, ArithmeticHasPostgresqlsScales) {
  Harness h;
  const auto op = [&](const char* o, const char* a, const char* b) { return h.apply(o, {{"numeric", a}, {"numeric", b}}); };
  EXPECT_EQ(op("+", "1.10", "2.2"), "3.30");
  EXPECT_EQ(op("-", "1", "1.000"), "0.000");
  EXPECT_EQ(op("*", "1.10", "2.2"), "2.420");
  EXPECT_EQ(op("/", "1", "3"), "0.33333333333333333333");
  EXPECT_EQ(op("/", "10", "3"), "3.3333333333333333");
  EXPECT_EQ(op("/", "1", "0"), "22012 division by zero");
  EXPECT_EQ(op("%", "-7", "3"), "-1");
  EXPECT_EQ(op("/", "Infinity", "Infinity"), "NaN");
  EXPECT_EQ(power("2", "10"), "1024.0000000000000000");
  EXPECT_EQ(power("2", "0.5"), "1.4142135623730950");
  EXPECT_EQ(power("-8", "0.5"), "2201F a negative number raised to a non-integer power yields a complex result");
  EXPECT_EQ(h.call("sqrt", {{"numeric", "2"}}), "1.414213562373095");
  EXPECT_EQ(h.call("exp", {{"numeric", "1"}}), "2.7182818284590452");
  EXPECT_EQ(h.call("ln", {{"numeric", "10"}}), "2.3025850929940457");
  EXPECT_EQ(h.call("round", {{"numeric", "2.5"}}), "3");
  EXPECT_EQ(h.call("round", {{"numeric", "-1234.5"}, {"int4", "-2"}}), "-1200");
}

// Small numbers take a path without digits: both must agree.
TEST(Numeric, ShortPathAgreesWithTheLongOne) {
  std::mt19937_64 random(1);
  Arena arena;
  for (int i = 0; i < 20000; ++i) {
    const auto text = [&] {
      std::string s = std::to_string(static_cast<std::int64_t>(random()) >> (random() % 60));
      const std::size_t digits = s.size() - (s[0] == '-' ? 1 : 0);
      const std::size_t after = random() % (digits + 1);
      if (after > 0) s.insert(s.size() - after, digits == after ? "0." : ".");
      return s;
    };
    const Value a = number(arena, text());
    const Value b = number(arena, text());
    Value sum, difference, product;
    ASSERT_TRUE(add_numeric(a, b, arena, &sum).ok());
    ASSERT_TRUE(subtract_numeric(a, b, arena, &difference).ok());
    ASSERT_TRUE(multiply_numeric(a, b, arena, &product).ok());
    EXPECT_EQ(numeric_to_string(load_numeric(sum)), numeric_to_string(add(load_numeric(a), load_numeric(b))));
    EXPECT_EQ(numeric_to_string(load_numeric(difference)), numeric_to_string(subtract(load_numeric(a), load_numeric(b))));
    EXPECT_EQ(numeric_to_string(load_numeric(product)), numeric_to_string(multiply(load_numeric(a), load_numeric(b))));
    arena.reset();
  }
}

TEST(Numeric, QuotientTimesDivisorIsTheDividend) {
  std::mt19937_64 random(2);
  const auto digits = [&](std::size_t n) {
    std::string s = "1";
    while (s.size() < n) s.push_back(static_cast<char>('0' + (random() % 3 == 0 ? random() % 10 : random() % 2 * 9)));
    return s;
  };
  for (int i = 0; i < 3000; ++i) {
    Numeric a, b, q, r;
    ASSERT_TRUE(parse_numeric(digits(1 + random() % 80), &a).ok());
    ASSERT_TRUE(parse_numeric(digits(1 + random() % 40), &b).ok());
    ASSERT_TRUE(integer_divide(a, b, &q).ok());
    ASSERT_TRUE(modulo(a, b, &r).ok());
    EXPECT_EQ(compare_numeric(add(multiply(q, b), r), a), 0);
    EXPECT_LT(compare_numeric(r, b), 0);
    EXPECT_GE(r.sign(), 0);
  }
}

TEST(Numeric, KeysCompareAsTheNumbersDo) {
  Arena arena;
  std::vector<std::string> texts{"-Infinity", "-1e30", "-10000.0001", "-10000", "-9999.9999", "-1", "-0.5", "-0.00001",
                                 "0", "0.00001", "0.1", "0.10001", "1", "1.0001", "9999", "10000", "10001", "1e30", "Infinity", "NaN"};
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t k = 0; k < texts.size(); ++k) {
      const Value a = number(arena, texts[i]);
      const Value b = number(arena, texts[k]);
      std::string x, y;
      append_numeric_key(a, x);
      append_numeric_key(b, y);
      x += "tail";   // a further key column must not change the order
      y += "tail";
      const int wanted = i < k ? -1 : i > k ? 1 : 0;
      EXPECT_EQ(std::clamp(compare_numeric(a, b), -1, 1), wanted) << texts[i] << " " << texts[k];
      EXPECT_EQ(std::clamp(x.compare(y), -1, 1), wanted) << texts[i] << " " << texts[k];
    }
}

TEST(Numeric, EqualNumbersOfDifferentScaleHashAlike) {
  Arena arena;
  EXPECT_EQ(hash_numeric(number(arena, "1.0")), hash_numeric(number(arena, "1.00")));
  EXPECT_EQ(hash_numeric(number(arena, "0")), hash_numeric(number(arena, "0.000")));
  EXPECT_NE(hash_numeric(number(arena, "1")), hash_numeric(number(arena, "-1")));
  EXPECT_NE(hash_numeric(number(arena, "1")), hash_numeric(number(arena, "10000")));
}

TEST(Numeric, SumsStayExactBeyondTheirShortForm) {
  Harness h;
  EXPECT_EQ(h.aggregate("sum", "numeric", {"0.1", "0.20", "1e30", "-1e30", "NULL"}), "0.30");
  EXPECT_EQ(h.aggregate("avg", "int4", {"1", "2"}), "1.5000000000000000");
  EXPECT_EQ(h.aggregate("sum", "int8", {"9223372036854775807", "9223372036854775807"}), "18446744073709551614");
  EXPECT_EQ(h.aggregate("sum", "numeric", {"Infinity", "-Infinity"}), "NaN");
  EXPECT_EQ(h.aggregate("sum", "numeric", {}), "NULL");
  EXPECT_EQ(h.aggregate("stddev", "int4", {"1", "2", "3", "4"}), "1.2909944487358056");
  EXPECT_EQ(h.aggregate("var_pop", "float8", {"1", "2", "3", "4"}), "1.25");
}

}  // namespace
}  // namespace wandian::sql
