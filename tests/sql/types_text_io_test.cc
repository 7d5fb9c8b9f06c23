// Text and binary forms of every type.
#include <gtest/gtest.h>

#include "engine/array_value.h"
#include "tests/sql/types_harness.h"

namespace wandian::sql {
namespace {

TEST(TextForms, IntegersNameTheirTypeInErrors) {
  Harness h;
  EXPECT_EQ(h.round_trip("int4", " -2147483648 "), "-2147483648");
  EXPECT_EQ(h.round_trip("int8", "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(h.round_trip("int4", "x"), "22P02 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(h.round_trip("int4", "2147483648"), "22003 value \"2147483648\" is out of range for type integer");
  EXPECT_EQ(h.round_trip("int2", "40000"), "22003 value \"40000\" is out of range for type smallint");
  EXPECT_EQ(h.round_trip("oid", "4294967295"), "4294967295");
}

TEST(TextForms, FloatsAreShortestAndKeepPostgresqlsExponents) {
  Harness h;
  EXPECT_EQ(h.round_trip("float8", "0.1"), "0.1");
  EXPECT_EQ(h.round_trip("float8", "1e15"), "1e+15");
  EXPECT_EQ(h.round_trip("float8", "123456789012345"), "123456789012345");
  EXPECT_EQ(h.round_trip("float8", "0.00001"), "1e-05");
  EXPECT_EQ(h.round_trip("float8", "-0"), "-0");
  EXPECT_EQ(h.round_trip("float4", "1000000"), "1e+06");
  EXPECT_EQ(h.round_trip("float4", "16777216"), "1.6777216e+07");
  EXPECT_EQ(h.round_trip("float8", "1e400"), "22003 \"1e400\" is out of range for type double precision");
  // Exactly between two doubles: one digit more than the shortest.
  EXPECT_EQ(h.round_trip("float8", "61200973165409104"), "6.1200973165409104e+16");
  h.format.extra_float_digits = 0;
  EXPECT_EQ(h.round_trip("float8", "0.30000000000000004"), "0.3");
}

TEST(TextForms, StringsAreCheckedAndFitted) {
  Harness h;
  EXPECT_EQ(h.round_trip("varchar", "abcd", 7), "22001 value too long for type character varying(3)");
  EXPECT_EQ(h.round_trip("varchar", "abc  ", 7), "abc");
  EXPECT_EQ(h.round_trip("bpchar", "\u4e2d", 7), "\u4e2d  ");
  EXPECT_EQ(h.round_trip("text", std::string("a\xff", 2)), "22021 invalid byte sequence for encoding \"UTF8\": 0xff");
  EXPECT_EQ(h.round_trip("bytea", "\\xDEADbeef"), "\\xdeadbeef");
  EXPECT_EQ(h.round_trip("bytea", "\\xg"), "22023 invalid hexadecimal digit: \"g\"");
  EXPECT_EQ(h.round_trip("uuid", "{A0EEBC999C0B4EF8BB6D6BB9BD380A11}"), "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
  EXPECT_EQ(h.round_trip("bool", "of"), "f");
  EXPECT_EQ(h.round_trip("bool", "o"), "22P02 invalid input syntax for type boolean: \"o\"");
}

TEST(TextForms, DatesAndTimes) {
  Harness h;
  EXPECT_EQ(h.round_trip("date", "January 8, 1999"), "1999-01-08");
  EXPECT_EQ(h.round_trip("date", "0044-03-15 BC"), "0044-03-15 BC");
  EXPECT_EQ(h.round_trip("date", "2026-02-30"), "22008 date/time field value out of range: \"2026-02-30\"");
  EXPECT_EQ(h.round_trip("date", "2026-13-01"),
            "22008 date/time field value out of range: \"2026-13-01\" | Perhaps you need a different \"datestyle\" setting.");
  EXPECT_EQ(h.round_trip("date", "x"), "22007 invalid input syntax for type date: \"x\"");
  EXPECT_EQ(h.round_trip("time", "04:05:06.7891", 3), "04:05:06.789");
  EXPECT_EQ(h.round_trip("timestamp", "2026-01-31 04:05:06.5"), "2026-01-31 04:05:06.5");
  EXPECT_EQ(h.round_trip("timestamp", "infinity"), "infinity");
  h.format.time_zone = find_time_zone("america/new_york");
  ASSERT_NE(h.format.time_zone, nullptr);
  EXPECT_EQ(h.format.time_zone->name, "America/New_York");
  EXPECT_EQ(h.round_trip("timestamptz", "2026-07-01 12:00:00+00"), "2026-07-01 08:00:00-04");
  EXPECT_EQ(h.round_trip("timestamptz", "2026-03-08 02:30:00"), "2026-03-08 03:30:00-04");   // in the gap
  EXPECT_EQ(h.round_trip("timestamptz", "2026-11-01 01:30:00"), "2026-11-01 01:30:00-05");   // twice: the second
  EXPECT_EQ(h.round_trip("timestamptz", "2100-07-01 12:00:00+00"), "2100-07-01 08:00:00-04");
  h.format.date_style = FormatSettings::DateStyle::kPostgres;
  EXPECT_EQ(h.round_trip("timestamptz", "2026-07-01 12:00:00+00"), "Wed Jul 01 08:00:00 2026 EDT");
}

TEST(TextForms, IntervalsInFourStyles) {
  Harness h;
  const char* text = "1 year 2 mons -3 days 04:05:06.789";
  EXPECT_EQ(h.round_trip("interval", text), "1 year 2 mons -3 days +04:05:06.789");
  h.format.interval_style = FormatSettings::IntervalStyle::kPostgresVerbose;
  EXPECT_EQ(h.round_trip("interval", text), "@ 1 year 2 mons -3 days 4 hours 5 mins 6.789 secs");
  h.format.interval_style = FormatSettings::IntervalStyle::kSqlStandard;
  EXPECT_EQ(h.round_trip("interval", text), "+1-2 -3 +4:05:06.789");
  h.format.interval_style = FormatSettings::IntervalStyle::kIso8601;
  EXPECT_EQ(h.round_trip("interval", text), "P1Y2M-3DT4H5M6.789S");
  h.format.interval_style = FormatSettings::IntervalStyle::kPostgres;
  EXPECT_EQ(h.round_trip("interval", "P1Y2M3DT4H5M6S"), "1 year 2 mons 3 days 04:05:06");
  EXPECT_EQ(h.round_trip("interval", "1.5 months"), "1 mon 15 days");
}

TEST(TextForms, JsonIsCheckedAndJsonbNormalized) {
  Harness h;
  EXPECT_EQ(h.round_trip("json", "{ \"b\" : 1 }"), "{ \"b\" : 1 }");
  EXPECT_EQ(h.round_trip("jsonb", "{\"bb\":1,\"a\":1.50,\"a\":1e3}"), "{\"a\": 1000, \"bb\": 1}");
  EXPECT_EQ(h.round_trip("json", "{\"a\":}"),
            "22P02 invalid input syntax for type json | Expected JSON value, but found \"}\".");
  EXPECT_EQ(h.round_trip("json", "[1,"), "22P02 invalid input syntax for type json | The input string ended unexpectedly.");
}

TEST(TextForms, ArraysKeepBoundsNullsAndQuotes) {
  Harness h;
  for (const char* text : {"{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[0:2]={1,2,3}", "[2:3][1:2]={{1,2},{3,4}}"})
    EXPECT_EQ(h.round_trip("_int4", text), text);
  EXPECT_EQ(h.round_trip("_text", "{a b,\"NULL\",NULL,\"\",\"x,\\\"y\"}"), "{\"a b\",\"NULL\",NULL,\"\",\"x,\\\"y\"}");
  EXPECT_EQ(h.round_trip("_int4", "{1,2"), "22P02 malformed array literal: \"{1,2\" | Unexpected end of input.");
}

TEST(BinaryForms, WhatIsSentIsReceived) {
  const std::pair<const char*, const char*> cases[] = {
      {"bool", "t"}, {"int2", "-5"}, {"int4", "77"}, {"int8", "-9000000000"}, {"oid", "4294967295"}, {"char", "x"},
      {"text", "h\u00e9llo"}, {"name", "n"}, {"bytea", "\\x00ff"}, {"float4", "1.5"}, {"float8", "-2.25"},
      {"numeric", "-12345.678900"}, {"numeric", "NaN"}, {"numeric", "0.000"}, {"numeric", "-Infinity"},
      {"date", "2026-01-31"}, {"time", "04:05:06.5"}, {"timestamp", "2026-01-31 04:05:06"},
      {"timestamptz", "2026-01-31 04:05:06+00"}, {"interval", "1 year 2 mons 3 days 04:05:06"},
      {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, {"json", "[1, 2]"}, {"jsonb", "{\"a\": [1, null]}"},
      {"_int4", "{{1,NULL},{3,4}}"}, {"_text", "{a,\"b c\"}"}, {"_numeric", "{1.50,NaN}"}, {"pg_lsn", "16/B374D848"},
      {"tid", "(7,3)"}};
  for (const auto& [type, text] : cases) {
    Harness h;
    const Oid oid = Harness::type_named(type);
    Value v, back;
    ASSERT_TRUE(value_from_text(h.ctx, oid, -1, text, &v)) << type;
    std::string bytes;
    ASSERT_TRUE(append_binary(h.ctx, oid, v, bytes)) << type;
    ASSERT_TRUE(value_from_binary(h.ctx, oid, -1, bytes, &back)) << type << " " << h.failure();
    EXPECT_EQ(h.print(oid, back), text) << type;
    if (bytes.size() > 1 && oid != type_oid::kText && oid != type_oid::kBytea && find_type(oid)->length > 0) {
      EXPECT_FALSE(value_from_binary(h.ctx, oid, -1, std::string_view(bytes).substr(0, bytes.size() - 1), &back)) << type;
    }
  }
}

TEST(BinaryForms, HostileArraysAreRefusedBeforeMemoryIsAskedFor) {
  Harness h;
  std::string bytes("\0\0\0\1\0\0\0\0\0\0\0\x17\x07\xff\xff\xff\0\0\0\1", 20);
  Value v;
  EXPECT_FALSE(value_from_binary(h.ctx, 1007, -1, bytes, &v));
  EXPECT_LT(h.arena.used_bytes(), std::size_t{1} << 20);
}

TEST(FormatType, NamesTypesAsTheManualDoes) {
  EXPECT_EQ(format_type(type_oid::kVarchar, 24), "character varying(20)");
  EXPECT_EQ(format_type(type_oid::kNumeric, ((10 << 16) | 2) + 4), "numeric(10,2)");
  EXPECT_EQ(format_type(type_oid::kTimestamptz, 3), "timestamp(3) with time zone");
  EXPECT_EQ(format_type(1007, -1), "integer[]");
  EXPECT_EQ(format_type(type_oid::kChar, -1), "\"char\"");
  EXPECT_EQ(format_type(0, -1), "-");
  EXPECT_EQ(format_type(99999, -1), "???");
}

TEST(Order, IsTheOneIndexesUse) {
  Harness h;
  const auto compare = [&](std::string_view type, std::string_view a, std::string_view b) {
    Value x, y;
    const Oid oid = Harness::type_named(type);
    EXPECT_TRUE(value_from_text(h.ctx, oid, -1, a, &x) && value_from_text(h.ctx, oid, -1, b, &y));
    const Order order = find_type(oid)->order;
    const int c = compare_values(order, x, y);
    if (c == 0) {
      EXPECT_EQ(hash_value(order, x), hash_value(order, y)) << type << " " << a << " " << b;
    }
    return c < 0 ? -1 : c > 0 ? 1 : 0;
  };
  EXPECT_EQ(compare("float8", "NaN", "Infinity"), 1);
  EXPECT_EQ(compare("float8", "-0", "0"), 0);
  EXPECT_EQ(compare("bpchar", "a  ", "a"), 0);
  EXPECT_EQ(compare("interval", "1 mon", "30 days"), 0);
  EXPECT_EQ(compare("interval", "1 day", "25 hours"), -1);
  EXPECT_EQ(compare("jsonb", "{\"a\": 1.0}", "{\"a\": 1}"), 0);
  EXPECT_EQ(compare("jsonb", "[]", "1"), -1);
  EXPECT_EQ(compare("jsonb", "{}", "[1, 2]"), 1);
  EXPECT_EQ(compare("_int4", "{1,2}", "{1,2,0}"), -1);
  EXPECT_EQ(compare("_int4", "{1,NULL}", "{1,2}"), 1);
}

}  // namespace
}  // namespace wandian::sql
