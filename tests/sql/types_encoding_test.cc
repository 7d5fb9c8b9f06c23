// Encodings by themselves; what PostgreSQL answers is in tests/clients/statements/encodings.sql and encodings_script.py.
#include "sql/types/encoding.h"

#include <gtest/gtest.h>

#include <set>

#include "sql/types/string_types.h"

namespace wandian::sql {
namespace {

std::vector<const Encoding*> all_encodings() {
  std::vector<const Encoding*> out;
  for (int i = 0; !encoding_name(i).empty(); ++i)
    if (const Encoding* encoding = find_encoding(i)) out.push_back(encoding);
  return out;
}

// Some encodings write several characters alike, as PostgreSQL's tables do: what comes back is written like that again.
TEST(Encoding, WhatIsReadIsWrittenAsItWas) {
  for (const Encoding* encoding : all_encodings()) {
    std::size_t there = 0;
    for (std::uint32_t character = 0x80; character < 0x11000; ++character) {
      if (character >= 0xd800 && character < 0xe000) continue;
      char utf8[4];
      const std::string text(utf8, encode_utf8(character, utf8));
      std::string encoded, back, again;
      if (!encoding->from_utf8(text, &encoded).ok()) continue;
      ++there;
      if ((encoding->name() == "JOHAB" || encoding->name() == "GBK") && !encoding->to_utf8(encoded, &back).ok()) continue;   // PostgreSQL writes what it does not read
      back.clear();
      EXPECT_TRUE(encoding->to_utf8(encoded, &back).ok()) << encoding->name() << " " << character;
      EXPECT_TRUE(encoding->from_utf8(back, &again).ok()) << encoding->name() << " " << character;
      EXPECT_EQ(again, encoded) << encoding->name() << " " << character;
      EXPECT_LE(encoded.size(), static_cast<std::size_t>(encoding_max_bytes(encoding->number())));
    }
    EXPECT_GE(there, 83u) << encoding->name();
  }
}

TEST(Encoding, TextsMayBeCutAnywhere) {
  const std::string text = "ab\xe4\xb8\x87 ok";   // U+4E07 is in all of these
  for (const char* name : {"EUC_JP", "EUC_CN", "SJIS", "BIG5", "GBK", "GB18030"}) {
    const Encoding& encoding = *find_encoding(encoding_number(name));
    std::string encoded;
    ASSERT_TRUE(encoding.from_utf8(text, &encoded).ok()) << name;
    for (std::size_t cut = 0; cut <= encoded.size(); ++cut) {
      const std::string_view first = std::string_view(encoded).substr(0, cut);
      const std::size_t whole = cut - encoding.unfinished(first);
      std::string back;
      EXPECT_TRUE(encoding.to_utf8(first.substr(0, whole), &back).ok()) << name << " " << cut;
      EXPECT_TRUE(encoding.to_utf8(std::string_view(encoded).substr(whole), &back).ok()) << name << " " << cut;
      EXPECT_EQ(back, text);
    }
  }
}

TEST(Encoding, NamesAreFoundHoweverTheyAreWritten) {
  for (const char* name : {"GBK", "gbk", "win936", "Windows-936", "WIN_936"}) EXPECT_EQ(encoding_name(encoding_number(name)), "GBK") << name;
  EXPECT_EQ(encoding_name(encoding_number("iso-8859-1")), "LATIN1");
  EXPECT_EQ(encoding_number("unicode"), kUtf8Encoding);
  EXPECT_EQ(encoding_number("sql_ascii"), kSqlAsciiEncoding);
  EXPECT_EQ(encoding_number("nonsense"), -1);
  EXPECT_EQ(encoding_number(""), -1);
  EXPECT_EQ(find_encoding(kUtf8Encoding), nullptr);
}

}  // namespace
}  // namespace wandian::sql
