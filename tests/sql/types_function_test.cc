// Functions and operators: results and errors that PostgreSQL 15 gives.
#include <gtest/gtest.h>

#include "sql/functions/like.h"
#include "tests/sql/types_harness.h"

namespace wandian::sql {
namespace {

TEST(Functions, IntegersOverflowInTheirOwnType) {
  Harness h;
  EXPECT_EQ(h.apply("+", {{"int4", "2147483647"}, {"int4", "1"}}), "22003 integer out of range");
  EXPECT_EQ(h.apply("+", {{"int4", "2147483647"}, {"int8", "1"}}), "2147483648");
  EXPECT_EQ(h.apply("/", {{"int8", "-9223372036854775808"}, {"int8", "-1"}}), "22003 bigint out of range");
  EXPECT_EQ(h.apply("%", {{"int4", "-7"}, {"int4", "3"}}), "-1");
  EXPECT_EQ(h.apply("/", {{"int4", "1"}, {"int4", "0"}}), "22012 division by zero");
}

TEST(Functions, TextCountsCharacters) {
  Harness h;
  EXPECT_EQ(h.call("length", {{"text", "\u4e2d\u6587"}}), "2");
  EXPECT_EQ(h.call("octet_length", {{"text", "\u4e2d\u6587"}}), "6");
  EXPECT_EQ(h.call("substr", {{"text", "h\u00e9llo"}, {"int4", "2"}, {"int4", "2"}}), "\u00e9l");
  EXPECT_EQ(h.call("substr", {{"text", "hello"}, {"int4", "-1"}, {"int4", "4"}}), "he");
  EXPECT_EQ(h.call("lpad", {{"text", "hi"}, {"int4", "5"}, {"text", "xy"}}), "xyxhi");
  EXPECT_EQ(h.call("split_part", {{"text", "a,b,c"}, {"text", ","}, {"int4", "-1"}}), "c");
  EXPECT_EQ(h.call("translate", {{"text", "12345"}, {"text", "143"}, {"text", "ax"}}), "a2x5");
  EXPECT_EQ(h.call("format", {{"text", "%s %I %L"}, {"text", "a"}, {"text", "B c"}, {"text", "it's"}}), "a \"B c\" 'it''s'");
  EXPECT_EQ(h.call("concat_ws", {{"text", ","}, {"int4", "1"}, {"text", "", true}, {"bool", "t"}}), "1,t");
  EXPECT_EQ(h.call("md5", {{"text", "abc"}}), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(h.call("sha256", {{"bytea", "abc"}}), "\\xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Functions, LikeTakesTimeInProportion) {
  bool matches = false;
  const std::string text(20000, 'a');
  ASSERT_TRUE(like(text, "%a%a%a%a%a%a%a%a%b", false, &matches).ok());
  EXPECT_FALSE(matches);
  Harness h;
  EXPECT_EQ(h.apply("~~", {{"text", "h\u00e9llo"}, {"text", "h_llo"}}), "t");
  EXPECT_EQ(h.apply("~~", {{"text", "a%"}, {"text", "a\\%"}}), "t");
  EXPECT_EQ(h.apply("~~", {{"text", "ab"}, {"text", "a\\"}}), "22025 LIKE pattern must not end with escape character");
}

TEST(Functions, RegularExpressionsAreAdvancedOnes) {
  Harness h;
  EXPECT_EQ(h.apply("~", {{"text", "foo bar"}, {"text", "\\mbar\\M"}}), "t");
  EXPECT_EQ(h.call("substring", {{"text", "foobar"}, {"text", "foo|foobar"}}), "foobar");   // the longest
  EXPECT_EQ(h.call("regexp_replace", {{"text", "foobarbaz"}, {"text", "b(..)"}, {"text", "X\\1Y"}, {"text", "g"}}),
            "fooXarYXazY");
  EXPECT_EQ(h.call("regexp_match", {{"text", "foobarbequebaz"}, {"text", "(bar)(beque)"}}), "{bar,beque}");
  EXPECT_EQ(h.call("regexp_split_to_array", {{"text", "the quick"}, {"text", "\\s*"}}), "{t,h,e,q,u,i,c,k}");
  EXPECT_EQ(h.apply("~", {{"text", "a"}, {"text", "("}}), "2201B invalid regular expression: parentheses () not balanced");
}

TEST(Functions, TimesFollowTheCalendar) {
  Harness h;
  EXPECT_EQ(h.apply("+", {{"timestamp", "2026-01-31"}, {"interval", "1 mon"}}), "2026-02-28 00:00:00");
  EXPECT_EQ(h.apply("-", {{"timestamp", "2026-03-01"}, {"timestamp", "2026-02-01 12:00"}}), "27 days 12:00:00");
  EXPECT_EQ(h.call("age", {{"timestamp", "2001-04-10"}, {"timestamp", "1957-06-13"}}), "43 years 9 mons 27 days");
  EXPECT_EQ(h.call("date_trunc", {{"text", "week"}, {"timestamp", "2026-02-01 10:00"}}), "2026-01-26 00:00:00");
  EXPECT_EQ(h.call("extract", {{"text", "epoch"}, {"timestamptz", "2026-01-31 00:00+00"}}), "1769817600.000000");
  EXPECT_EQ(h.call("to_char", {{"timestamp", "2026-01-31 14:05:06"}, {"text", "FMDay, DDth Mon YYYY HH12:MI AM"}}),
            "Saturday, 31st Jan 2026 02:05 PM");
  EXPECT_EQ(h.call("to_date", {{"text", "31 Jan 2026"}, {"text", "DD Mon YYYY"}}), "2026-01-31");
  EXPECT_EQ(h.call("to_char", {{"numeric", "-1234.5"}, {"text", "9,999.99"}}), "-1,234.50");
  h.format.time_zone = find_time_zone("America/New_York");
  EXPECT_EQ(h.apply("+", {{"timestamptz", "2026-03-07 12:00"}, {"interval", "1 day"}}), "2026-03-08 12:00:00-04");
  EXPECT_EQ(h.apply("+", {{"timestamptz", "2026-03-07 12:00"}, {"interval", "24 hours"}}), "2026-03-08 13:00:00-04");
}

TEST(Functions, ArraysAndSets) {
  Harness h;
  EXPECT_EQ(h.call("array_append", {{"_int4", "{1,2}"}, {"int4", "3"}}, "_int4"), "{1,2,3}");
  EXPECT_EQ(h.call("array_cat", {{"_int4", "{1,2}"}, {"_int4", "{{3,4}}"}}, "_int4"), "{{1,2},{3,4}}");
  EXPECT_EQ(h.apply("@>", {{"_int4", "{1,2,3}"}, {"_int4", "{3,1}"}}), "t");
  EXPECT_EQ(h.call("array_to_string", {{"_int4", "{1,NULL,3}"}, {"text", ","}, {"text", "*"}}), "1,*,3");
  EXPECT_EQ(h.call("generate_series", {{"int4", "5"}, {"int4", "1"}, {"int4", "-2"}}), "5;3;1");
  EXPECT_EQ(h.call("generate_series", {{"timestamp", "2026-01-31"}, {"timestamp", "2026-03-31"}, {"interval", "1 mon"}}),
            "2026-01-31 00:00:00;2026-02-28 00:00:00;2026-03-28 00:00:00");
  EXPECT_EQ(h.call("unnest", {{"_int4", "{{1,2},{3,NULL}}"}}, "int4"), "1;2;3;NULL");
}

TEST(Functions, JsonIsLookedIntoAndBuilt) {
  Harness h;
  EXPECT_EQ(h.apply("->", {{"jsonb", "{\"a\": [1, 2]}"}, {"text", "a"}}), "[1, 2]");
  EXPECT_EQ(h.apply("->>", {{"json", "{\"a\": \"x\"}"}, {"text", "a"}}), "x");
  EXPECT_EQ(h.apply("@>", {{"jsonb", "{\"a\": [1, 2], \"b\": 3}"}, {"jsonb", "{\"a\": [2]}"}}), "t");
  EXPECT_EQ(h.call("json_build_object", {{"text", "a"}, {"int4", "1"}, {"text", "b"}, {"_int4", "{1,2}"}}),
            "{\"a\" : 1, \"b\" : [1,2]}");
  EXPECT_EQ(h.call("jsonb_set", {{"jsonb", "{\"a\": 1}"}, {"_text", "{b}"}, {"jsonb", "2"}, {"bool", "t"}}),
            "{\"a\": 1, \"b\": 2}");
  EXPECT_EQ(h.aggregate("jsonb_agg", "int4", {"1", "NULL"}), "[1, null]");
}

}  // namespace
}  // namespace wandian::sql
