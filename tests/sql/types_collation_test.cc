// Collations by their names, and what ICU makes of text.
#include "sql/types/collation.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "engine/type.h"

namespace wandian::sql {
namespace {

Value text(std::string_view bytes) { return Value::of_bytes(bytes); }

TEST(Collation, NamesAndOidsLeadToTheSame) {
  const Collation* c = find_collation("C");
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(c->id, kCCollationId);
  EXPECT_EQ(c->order, Order::kBytes);
  EXPECT_EQ(find_collation("default")->id, kDefaultCollation);
  EXPECT_EQ(find_collation("nosuch"), nullptr);
  EXPECT_EQ(find_collation("xx-nosuch-x-icu"), nullptr);
  const Collation* english = find_collation("en-x-icu");
  ASSERT_NE(english, nullptr);
  EXPECT_EQ(find_builtin_collation(english->oid), english);
  EXPECT_EQ(&collation_of(english->id), english);
  EXPECT_TRUE(is_collated(english->order));
}

TEST(Collation, StoredNamesSayWhatNeverChanges) {
  const std::string stored = stored_collation(20000, 'i', false, "und-u-ks-level2");
  EXPECT_EQ(stored, "@20000/in/und-u-ks-level2");
  EXPECT_EQ(user_collation_oid(stored), 20000u);
  EXPECT_EQ(user_collation_oid("C"), 0u);
  EXPECT_EQ(user_collation_oid("@x/in/de"), 0u);
  const Collation* loose = find_collation(stored);
  ASSERT_NE(loose, nullptr);
  EXPECT_FALSE(loose->deterministic);
  EXPECT_EQ(compare_values(loose->order, text("a"), text("A")), 0);
  EXPECT_NE(compare_values(loose->order, text("a"), text("b")), 0);
  EXPECT_EQ(find_collation("@20001/"), nullptr);
}

TEST(Collation, KeysOrderAsIcuCompares) {
  const Collation* english = find_collation("en-x-icu");
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a", "A", "b", "B", "\xc3\xa4", "\xc3\x89", "-", " ", "1", "10", "z", "\xe4\xb8\xad", ""};
  const auto draw = [&] {
    std::string out;
    for (unsigned i = random() % 5; i > 0; --i) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string a = draw(), b = draw();
    std::string first, second;
    append_collated_key(english->order, text(a), first);
    append_collated_key(english->order, text(b), second);
    const int wanted = compare_values(english->order, text(a), text(b));
    EXPECT_EQ(wanted < 0, first < second) << a << " " << b;
    EXPECT_EQ(wanted == 0, a == b);
  }
}

TEST(Collation, CaseFollowsTheLanguage) {
  Arena arena;
  EXPECT_EQ(change_case(*find_collation("tr-x-icu"), LetterCase::kUpper, "i", arena), "\xc4\xb0");
  EXPECT_EQ(change_case(*find_collation("de-x-icu"), LetterCase::kUpper, "stra\xc3\x9f" "e", arena), "STRASSE");
  EXPECT_EQ(change_case(*find_collation("C"), LetterCase::kUpper, "\xc3\xa9z", arena), "\xc3\xa9Z");
  EXPECT_EQ(change_case(*find_collation("en-x-icu"), LetterCase::kTitle, "hello wORLD", arena), "Hello World");
}

}  // namespace
}  // namespace wandian::sql
