// NotificationQueue by itself, and what a session's answer depends on; who hears what, and when, is in tests/clients/notifications_script.py.
#include "sql/notification_queue.h"
#include "sql/session_notify.h"
#include "tests/sql/session_fixture.h"

namespace wandian::sql {
namespace {

NotificationPtr notification(std::string channel, std::string payload) {
  auto one = std::make_shared<Notification>();
  one->channel = std::move(channel);
  one->payload = std::move(payload);
  return one;
}

struct NotificationQueueTest : testing::Test {
  static constexpr Oid kDatabase = 5;
  NotificationQueue queue{4096};
  std::uint64_t commit(std::uint64_t lsn, const std::vector<NotificationPtr>& sent, Oid database = kDatabase) {
    std::size_t bytes = 0;
    for (const NotificationPtr& one : sent) bytes += one->bytes();
    EXPECT_TRUE(queue.reserve(bytes));
    queue.begin_append(database, sent, bytes);
    return queue.end_append(Lsn{lsn});
  }
  std::string read(NotificationQueue::Reader& reader, std::string_view channel) {
    std::vector<NotificationPtr> out;
    while (queue.read(reader, [&](std::string_view name) { return name == channel; }, &out)) {
    }
    std::string text;
    for (const NotificationPtr& one : out) text += one->payload + "@" + std::to_string(one->commit.bytes) + " ";
    return text;
  }
};

TEST_F(NotificationQueueTest, ReadersSeeWhatCommitsAfterThemInOrder) {
  NotificationQueue::Reader first, second;
  EXPECT_EQ(commit(8, {notification("a", "unheard")}), 0u);
  EXPECT_EQ(queue.usage(), 0);
  EXPECT_EQ(queue.add(first, kDatabase, 0, 1).bytes, 8u);
  EXPECT_EQ(commit(16, {notification("a", "1"), notification("b", "2")}), 1u);
  EXPECT_EQ(queue.add(second, kDatabase, 3, 2).bytes, 16u);
  EXPECT_EQ(commit(24, {notification("a", "3")}), 1u | 1u << 3);
  EXPECT_TRUE(first.behind());
  EXPECT_EQ(read(first, "a"), "1@16 3@24 ");
  EXPECT_FALSE(first.behind());
  EXPECT_GT(queue.usage(), 0) << "the second has not read yet";
  EXPECT_EQ(read(second, "a"), "3@24 ");
  EXPECT_EQ(queue.usage(), 0);
  queue.remove(first);
  EXPECT_EQ(commit(32, {notification("a", "4")}), 1u << 3);
  queue.remove(second);
  EXPECT_EQ(queue.usage(), 0);
}

TEST_F(NotificationQueueTest, DatabasesAreApart) {
  NotificationQueue::Reader here, there;
  queue.add(here, kDatabase, 0, 1);
  queue.add(there, kDatabase + 1, 1, 2);
  EXPECT_EQ(commit(8, {notification("a", "there")}, kDatabase + 1), 1u << 1);
  EXPECT_FALSE(here.behind());
  EXPECT_EQ(read(there, "a"), "there@8 ");
  queue.remove(here);
  queue.remove(there);
}

TEST_F(NotificationQueueTest, IsFullUntilTheSlowestHasRead) {
  NotificationQueue::Reader quick, slow;
  queue.add(quick, kDatabase, 0, 1);
  queue.add(slow, kDatabase, 1, 2);
  EXPECT_TRUE(queue.could_hold(4096));
  EXPECT_FALSE(queue.could_hold(4097));
  commit(8, {notification("a", std::string(3000, 'p'))});
  read(quick, "a");
  EXPECT_FALSE(queue.reserve(3000));
  EXPECT_EQ(queue.slowest_if_filling(kDatabase, 1'000'000), 2);
  EXPECT_EQ(queue.slowest_if_filling(kDatabase, 2'000'000), std::nullopt) << "not again at once";
  queue.remove(slow);
  EXPECT_TRUE(queue.reserve(3000));
  queue.give_back(3000);
  queue.remove(quick);
}

}  // namespace
}  // namespace wandian::sql
