// Access control lists: what GRANT and REVOKE make of one, whoever's they are.
#include <gtest/gtest.h>

#include "sql/access/acl.h"

namespace wandian::sql {
namespace {

using namespace privilege;

constexpr Oid kOwner = 100, kAnn = 101, kBob = 102, kCid = 103;

Acl granted(Acl acl, Oid grantee, Oid grantor, Privileges bits) {
  Result<Acl> out = change_acl(std::move(acl), {grantee, grantor, bits}, AclChange::kAdd, kOwner, false);
  EXPECT_TRUE(out.ok()) << out.status().error().message;
  return out.take();
}

TEST(Acl, AnOwnerHasEverythingUntilItIsRevoked) {
  const Acl acl = default_acl(AclKind::kRelation, kOwner);
  EXPECT_EQ(acl_mask(acl, {kOwner}, kOwner, kSelect | kInsert), kSelect | kInsert);
  EXPECT_EQ(acl_mask(acl, {kAnn}, kOwner, kSelect), 0u);
  Result<Acl> without = change_acl(acl, {kOwner, kOwner, kSelect}, AclChange::kRemove, kOwner, false);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(acl_mask(without.value(), {kOwner}, kOwner, kSelect | kInsert), kInsert);
  EXPECT_EQ(acl_mask(without.value(), {kOwner}, kOwner, grant_option(kSelect)), grant_option(kSelect));   // it can grant it back
}

TEST(Acl, RevokingAnOptionTakesWhatWasGrantedOn) {
  Acl acl = granted(default_acl(AclKind::kRelation, kOwner), kAnn, kOwner, kSelect | grant_option(kSelect));
  acl = granted(std::move(acl), kBob, kAnn, kSelect | grant_option(kSelect));
  acl = granted(std::move(acl), kCid, kBob, kSelect);
  Result<Acl> kept = change_acl(acl, {kAnn, kOwner, grant_option(kSelect)}, AclChange::kRemove, kOwner, false);
  ASSERT_FALSE(kept.ok());
  EXPECT_EQ(kept.status().code(), sqlstate::dependent_objects_still_exist);
  Result<Acl> gone = change_acl(acl, {kAnn, kOwner, grant_option(kSelect)}, AclChange::kRemove, kOwner, true);
  ASSERT_TRUE(gone.ok());
  EXPECT_EQ(acl_mask(gone.value(), {kAnn}, kOwner, kSelect), kSelect);
  EXPECT_EQ(acl_mask(gone.value(), {kBob}, kOwner, kSelect), 0u);
  EXPECT_EQ(acl_mask(gone.value(), {kCid}, kOwner, kSelect), 0u);
}

TEST(Acl, OptionsAreNotGrantedBackToTheirGrantor) {
  Acl acl = granted(default_acl(AclKind::kRelation, kOwner), kAnn, kOwner, kSelect | grant_option(kSelect));
  acl = granted(std::move(acl), kBob, kAnn, kSelect | grant_option(kSelect));
  Result<Acl> cycle = change_acl(acl, {kAnn, kBob, kSelect | grant_option(kSelect)}, AclChange::kAdd, kOwner, false);
  ASSERT_FALSE(cycle.ok());
  EXPECT_EQ(cycle.status().code(), sqlstate::invalid_grant_operation);
}

TEST(Acl, ANewOwnerTakesTheOldOnesPlace) {
  Acl acl = granted(default_acl(AclKind::kRelation, kOwner), kAnn, kOwner, kSelect);
  acl = with_new_owner(acl, kOwner, kAnn);
  ASSERT_EQ(acl.size(), 1u);
  EXPECT_EQ(acl[0].grantee, kAnn);
  EXPECT_EQ(acl[0].grantor, kAnn);
  EXPECT_EQ(acl[0].rights(), all_privileges(AclKind::kRelation));
}

TEST(Acl, ListsAreStoredWhole) {
  ObjectAcl lists;
  lists.acl = Acl{{kPublic, kOwner, kSelect}, {kAnn, kOwner, kInsert | grant_option(kInsert)}};
  lists.columns[3] = {{kBob, kOwner, kUpdate}};
  const std::optional<ObjectAcl> again = ObjectAcl::decode(lists.encode());
  ASSERT_TRUE(again);
  EXPECT_EQ(*again->acl, *lists.acl);
  EXPECT_EQ(again->columns, lists.columns);
  EXPECT_FALSE(ObjectAcl::decode("acl=3:1,2;"));
}

}  // namespace
}  // namespace wandian::sql
