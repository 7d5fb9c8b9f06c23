// PL/pgSQL's parser alone: the tree of a body, and what is refused where.
#include "sql/plpgsql/parser.h"

#include <gtest/gtest.h>

namespace wandian::sql::plpgsql {
namespace {

Result<std::shared_ptr<const Function>> read(std::string_view source) {
  ParseRequest request;
  request.source = source;
  request.name = "f";
  request.find_type = [](std::string_view name) -> Result<VariableType> {
    VariableType type;
    if (name == "int") {
      type.type = type_oid::kInt4;
    } else if (name == "text") {
      type.type = type_oid::kText;
    } else if (name == "record") {
      type.is_row = true;
    } else {
      return Status(sqlstate::undefined_object, "no type " + std::string(name));
    }
    return type;
  };
  return parse(request);
}

std::string message(std::string_view source) {
  const auto made = read(source);
  return made.ok() ? "" : made.status().error().message;
}

TEST(PlpgsqlParser, DelimitsWhatIsSql) {
  const auto made = read("DECLARE a int := 1 + 2; BEGIN\n  a := a * 2;\n  IF a > 3 THEN PERFORM g(a); ELSE INSERT INTO t VALUES (';'); END IF;\nEND");
  ASSERT_TRUE(made.ok()) << made.status().error().message;
  const Body& body = made.value()->body->body;
  ASSERT_EQ(body.size(), 2u);
  EXPECT_EQ(body[0]->kind, StepKind::kAssign);
  EXPECT_EQ(body[0]->line, 2);
  EXPECT_EQ(body[1]->kind, StepKind::kIf);
  EXPECT_EQ(body[1]->branches.at(0).body.at(0)->kind, StepKind::kPerform);
  EXPECT_EQ(body[1]->body.at(0)->kind, StepKind::kSql);
  EXPECT_NE(body[1]->body.at(0)->text->text.find("VALUES (';')"), std::string::npos);
}

TEST(PlpgsqlParser, TargetsLeadIntoValues) {
  const auto made = read("DECLARE a int; r record; BEGIN a[1] := 1; a[1:f(2, 3)] := 2; r.f.g[4].h := 3; a[:] := 4; END");
  ASSERT_TRUE(made.ok()) << made.status().error().message;
  const Body& body = made.value()->body->body;
  ASSERT_EQ(body.size(), 4u);
  EXPECT_EQ(body[0]->targets.at(0).subscripts.size(), 1u);
  EXPECT_TRUE(body[0]->targets.at(0).path.empty());
  const std::vector<TargetStep>& slice = body[1]->targets.at(0).path;
  ASSERT_EQ(slice.size(), 1u);
  EXPECT_TRUE(slice[0].slice);
  EXPECT_EQ(slice[0].upper->text, "f(2, 3)");
  const Target& deep = body[2]->targets.at(0);
  EXPECT_EQ(deep.field, "f");
  ASSERT_EQ(deep.path.size(), 3u);
  EXPECT_EQ(deep.path[0].field, "g");
  EXPECT_EQ(deep.path[1].upper->text, "4");
  EXPECT_EQ(deep.path[2].field, "h");
  EXPECT_EQ(body[3]->targets.at(0).path.at(0).upper, nullptr);
}

TEST(PlpgsqlParser, NamesFollowTheirBlocks) {
  const auto made = read("<<o>> DECLARE a int; BEGIN DECLARE a text; BEGIN a := o.a; END; a := 1; END");
  ASSERT_TRUE(made.ok()) << made.status().error().message;
  const Statement& inner = *made.value()->body->body.at(0);
  const Statement& assignment = *inner.body.at(0);
  const std::string_view own[] = {"a"}, outer[] = {"o", "a"};
  const Resolved here = resolve(*made.value(), assignment.text->names, own);
  const Resolved there = resolve(*made.value(), assignment.text->names, outer);
  ASSERT_NE(here.name, nullptr);
  ASSERT_NE(there.name, nullptr);
  EXPECT_NE(here.name->datum, there.name->datum);
  EXPECT_EQ(there.parts, 2u);
  EXPECT_EQ(made.value()->body->body.at(1)->targets.at(0).variable, there.name->datum);
}

TEST(PlpgsqlParser, Refuses) {
  EXPECT_EQ(message("BEGIN END"), "");
  EXPECT_EQ(message("BEGIN"), "syntax error at end of input");
  EXPECT_EQ(message("BEGIN EXIT; END"), "EXIT cannot be used outside a loop, unless it has a label");
  EXPECT_EQ(message("BEGIN SELEC 1; END"), "syntax error at or near \"SELEC\"");
  EXPECT_EQ(message("BEGIN a := 1; END"), "\"a\" is not a known variable");
  EXPECT_EQ(message("DECLARE a int; a text; BEGIN END"), "duplicate declaration at or near \"a\"");
  EXPECT_EQ(message("BEGIN <<x>> LOOP EXIT x; END LOOP y; END"), "end label \"y\" differs from block's label \"x\"");
  EXPECT_EQ(message("DECLARE a nosuch; BEGIN END"), "no type nosuch");
  EXPECT_EQ(message("BEGIN RAISE '%'; END"), "too few parameters specified for RAISE");
  EXPECT_EQ(message("BEGIN NULL; EXCEPTION WHEN nosuch THEN NULL; END"), "unrecognized exception condition \"nosuch\"");
}

}  // namespace
}  // namespace wandian::sql::plpgsql
