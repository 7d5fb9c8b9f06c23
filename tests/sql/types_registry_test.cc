// The registry: every catalog fact has its implementation, and the reverse.
#include <gtest/gtest.h>

#include "tests/sql/types_harness.h"

namespace wandian::sql {
namespace {

TEST(Registry, EveryFactHasItsImplementation) { EXPECT_EQ(registry_gaps(), ""); }

TEST(Registry, EveryFunctionCanBeCalled) {
  for (const FunctionDef& f : all_functions()) {
    // Functions of rows whose columns a query says have a way beside the one for an expression, if that is there at all.
    const bool gives_set = f.set_fn != nullptr || (f.collect_fn != nullptr && f.returns_set);
    const int ways = (f.fn != nullptr) + (f.typed_fn != nullptr) + gives_set + (f.window != WindowFunction::kNone);
    EXPECT_EQ(ways, 1) << f.name << " " << f.oid;
    EXPECT_EQ(gives_set, f.returns_set) << f.name << " " << f.oid;
    EXPECT_EQ(find_function(f.oid), &f);
  }
}

TEST(Registry, OperatorsAndCastsNameFunctionsThatExist) {
  for (const OperatorDef& o : all_operators()) EXPECT_NE(find_function(o.function), nullptr) << o.name << " " << o.oid;
  for (const CastDef& c : all_casts()) {
    if (c.method == CastDef::Method::kFunction) {
      EXPECT_NE(find_function(c.function), nullptr) << c.source << " " << c.target;
    }
    EXPECT_EQ(find_cast(c.source, c.target), &c);
  }
}

TEST(Registry, ComparisonsHaveTheirStrategies) {
  for (const OperatorDef* o : find_operators("="))
    if (o->left == type_oid::kInt4 && o->right == type_oid::kInt8) {
      EXPECT_EQ(o->btree_strategy, 3);
    }
  for (const OperatorDef* o : find_operators("<"))
    if (o->left == type_oid::kText && o->right == type_oid::kText) {
      EXPECT_EQ(o->btree_strategy, 1);
    }
}

}  // namespace
}  // namespace wandian::sql
