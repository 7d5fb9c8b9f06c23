// Messages of a session that is ready, through real sockets.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "tests/wire/harness.h"

namespace wandian::wire::test {
namespace {

class Ready : public ::testing::Test {
 protected:
  Ready() : harness_(2) { harness_.start(); }
  WireClient login() {
    WireClient client = harness_.connect();
    EXPECT_TRUE(client.login());
    return client;
  }
  Harness harness_;
};

TEST_F(Ready, SimpleQueriesAnswerAndErrorsDoNotEndTheSession) {
  WireClient client = login();
  client.send(query("select 1") + query("oops") + query("") + query("notice"));
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
  EXPECT_EQ(client.types_until_ready(), "EZ");
  EXPECT_EQ(client.types_until_ready(), "IZ");
  EXPECT_EQ(client.types_until_ready(), "NCZ");
}

TEST_F(Ready, TransactionStatusIsReported) {
  WireClient client = login();
  client.send(query("begin") + query("oops") + query("commit"));
  EXPECT_EQ(client.read_until('Z').back().body, "T");
  EXPECT_EQ(client.read_until('Z').back().body, "E");
  EXPECT_EQ(client.read_until('Z').back().body, "I");
}

TEST_F(Ready, AnErrorSkipsToSync) {
  WireClient client = login();
  client.send(parse("", "select 1") + bind("", "") + execute("") + parse("", "broken") + bind("", "") + execute("") + query("select 1") +
              sync() + parse("s", "select 1") + message('D', "S" + cstr("s")) + bind("p", "s") + message('D', "P" + cstr("p")) +
              execute("p", 77) + message('C', "P" + cstr("p")) + message('C', "S" + cstr("s")) + message('H', "") + sync());
  EXPECT_EQ(client.types_until_ready(), "12DCEZ");
  EXPECT_EQ(client.types_until_ready(), "1tT2TDs33Z");
}

TEST_F(Ready, DeepPipelinesAreAnsweredInOrder) {
  WireClient client = login();
  std::string bytes = parse("s", "select 1") + sync();
  constexpr int kStatements = 20'000;
  for (int i = 0; i < kStatements; ++i) bytes += bind("", "s") + execute("") + (i % 10 == 9 ? sync() : "");
  std::thread sender([&] { client.send(bytes); });
  EXPECT_EQ(client.types_until_ready(), "1Z");
  std::string expected;
  for (int i = 0; i < 10; ++i) expected += "2DC";
  for (int i = 0; i < kStatements / 10; ++i) ASSERT_EQ(client.types_until_ready(), expected + "Z") << i;
  sender.join();
}

TEST_F(Ready, ADeepPipelineDoesNotStarveItsNeighbours) {
  WireClient greedy(harness_.server->port());
  std::vector<WireClient> others;
  ASSERT_TRUE(greedy.login());
  for (int i = 0; i < 4; ++i) others.push_back(login());
  std::atomic<bool> stop{false};
  std::thread sender([&] {
    std::string bytes;
    for (int i = 0; i < 1000; ++i) bytes += query("select 1");
    while (!stop.load() && greedy.send(bytes)) {
    }
  });
  std::thread reader([&] {
    while (greedy.read(1000)) {
    }
  });
  // The pipeline never ends by itself: a neighbour that waits for its end would wait for ever, a busy machine only long.
  constexpr int kPatienceMs = 60'000;
  std::string wrong;
  for (int round = 0; round < 50 && wrong.empty(); ++round)
    for (WireClient& client : others) {
      client.send(query("select 1"));
      if (const std::string types = client.types_until_ready(kPatienceMs); types != "TDCZ") wrong = "round " + std::to_string(round) + ": " + types;
    }
  stop = true;
  ::shutdown(greedy.fd(), SHUT_RDWR);
  sender.join();
  reader.join();
  EXPECT_EQ(wrong, "");
}

// As in PostgreSQL: one send for an answer, not one for each of its messages.
TEST_F(Ready, AnswersLeaveWhenTheyArePromised) {
  WireClient client = login();
  client.send(parse("", "select 1") + bind("", "") + execute(""));
  EXPECT_TRUE(client.silent(50));
  client.send(message('H', ""));
  for (const char type : {'1', '2', 'D', 'C'}) EXPECT_EQ(client.read()->type, type);
  client.send(parse("", "wait") + message('H', "") + bind("", "") + execute("") + sync());
  EXPECT_EQ(client.read()->type, '1');
  EXPECT_TRUE(client.silent(50));
  harness_.release_waiting();
  EXPECT_EQ(client.types_until_ready(), "2CZ");
  client.send(parse("", "notice") + bind("", "") + execute(""));
  for (const char type : {'1', '2', 'N'}) EXPECT_EQ(client.read()->type, type);   // a notice is for now
  client.send(parse("", "broken"));
  for (const char type : {'C', 'E'}) EXPECT_EQ(client.read()->type, type);        // and so is an error
  client.send(sync() + parse("s", "rows 1000") + bind("", "s") + execute(""));
  EXPECT_EQ(client.types_until_ready(), "Z");
  for (const char type : {'1', '2', 'D', 'D'}) EXPECT_EQ(client.read()->type, type);   // as much as fills a buffer
}

TEST_F(Ready, MessagesMayArriveByteByByte) {
  WireClient client = login();
  for (const char c : query("select 1") + parse("", "select 1") + bind("", "") + execute("") + sync()) client.send(std::string(1, c));
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
  EXPECT_EQ(client.types_until_ready(), "12DCZ");
}

TEST_F(Ready, LargeMessagesAreTakenWhole) {
  WireClient client = login();
  std::thread sender([&] { client.send(query("select " + std::string(5'000'000, ' ')) + query("select 2")); });
  EXPECT_EQ(client.types_until_ready(60'000), "TDCZ");
  EXPECT_EQ(client.types_until_ready(60'000), "TDCZ");
  sender.join();
}

TEST_F(Ready, CopyInTakesDataUntilDone) {
  WireClient client = login();
  client.send(query("copy"));
  EXPECT_EQ(client.read()->type, 'G');
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += message('d', std::string(1000, 'x'));
  // Flush and Sync are ignored while copying, as a client may have sent them before it knew.
  client.send(bytes + message('H', "") + sync() + message('c', ""));
  EXPECT_EQ(client.types_until_ready(), "CZ");
  EXPECT_EQ(harness_.database.copied_bytes.load(), 1'000'000u);
  client.send(query("copy") + message('d', "x") + message('f', cstr("changed my mind")));
  EXPECT_EQ(client.types_until_ready(), "GEZ");
}

TEST_F(Ready, DataAfterAFailedCopyIsIgnored) {
  WireClient client = login();
  client.send(query("copy") + message('d', "bad") + message('d', "late") + message('c', "") + query("select 1"));
  EXPECT_EQ(client.types_until_ready(), "GEZ");
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
}

TEST_F(Ready, CopyInThroughExecuteIsReadyAfterSync) {
  WireClient client = login();
  client.send(parse("", "copy") + bind("", "") + execute("") + message('d', "x") + message('c', "") + sync());
  EXPECT_EQ(client.types_until_ready(), "12GCZ");
  client.send(parse("", "copy") + bind("", "") + execute("") + message('d', "bad") + message('c', "") + sync());
  EXPECT_EQ(client.types_until_ready(), "12GEZ");
}

TEST_F(Ready, OtherMessagesDuringCopyLoseSynchronization) {
  WireClient client = login();
  client.send(query("copy") + query("select 1"));
  std::string types;
  for (const Reply& reply : client.read_until('Z')) types += reply.type;
  EXPECT_EQ(types, "GEE");
  EXPECT_TRUE(client.closed());
}

TEST_F(Ready, FunctionCallIsNotSupported) {
  WireClient client = login();
  client.send(message('F', be32(1) + be16(0) + be16(0) + be16(0)) + query("select 1"));
  const auto replies = client.read_until('Z');
  ASSERT_EQ(replies.size(), 2u);
  EXPECT_EQ(replies[0].field('C'), "0A000");
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
}

TEST_F(Ready, BrokenMessagesEndTheirConnectionAlone) {
  const std::vector<std::string> cases = {
      message('?', "x"),
      message('p', "x"),
      std::string("Q") + be32(3),
      std::string("Q") + be32(0xffffffff),
      std::string("Q") + be32(0x7fffffff),
      std::string("S") + be32(20'000),
      message('Q', "no zero byte"),
      message('Q', std::string("two\0strings\0", 12)),
      message('P', cstr("s") + cstr("select 1") + be16(0xffff)),
      message('P', cstr("s") + cstr("select 1") + be16(1) + be16(0)),
      message('B', cstr("") + cstr("") + be16(0) + be16(0xffff)),
      message('B', cstr("") + cstr("") + be16(0xffff)),
      message('B', cstr("") + cstr("") + be16(0) + be16(1) + be32(1000) + "short" + be16(0)),
      message('B', cstr("") + cstr("") + be16(0) + be16(1) + be32(0xfffffffe) + be16(0)),
      message('B', cstr("") + cstr("") + be16(0) + be16(0)),
      message('D', "X" + cstr("s")),
      message('D', ""),
      message('C', "X" + cstr("s")),
      message('E', cstr("") + "abc"),
      message('E', cstr("") + be32(0) + "x"),
  };
  WireClient bystander = login();
  for (const std::string& bytes : cases) {
    WireClient client = login();
    client.send(parse("", "select 1") + bytes);
    const auto replies = client.read_until('E');
    ASSERT_FALSE(replies.empty());
    EXPECT_EQ(replies.back().type, 'E');
    EXPECT_EQ(replies.back().field('C'), "08P01");
    EXPECT_EQ(replies.back().field('V'), "FATAL");
    EXPECT_TRUE(client.closed());
  }
  bystander.send(query("select 1"));
  EXPECT_EQ(bystander.types_until_ready(), "TDCZ");
  EXPECT_TRUE(eventually([&] { return harness_.database.sessions.load() == 1; }));
}

TEST_F(Ready, TerminateClosesAfterTheAnswers) {
  WireClient client = login();
  client.send(query("select 1") + message('X', ""));
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(eventually([&] { return harness_.server->connections() == 0 && harness_.database.sessions.load() == 0; }));
}

TEST_F(Ready, AFatalErrorOfTheSessionClosesIt) {
  WireClient client = login();
  client.send(query("fatal"));
  EXPECT_EQ(client.read()->field('C'), "57P01");
  EXPECT_TRUE(client.closed());
}

TEST_F(Ready, WhatWasSentBeforeAHalfCloseIsAnswered) {
  WireClient client = login();
  client.send(query("select 1") + query("select 2") + "Q");
  client.shutdown_writing();
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
  EXPECT_TRUE(client.closed());
}

TEST_F(Ready, PendingStatementsHoldTheirConnectionAlone) {
  WireClient waiter = login(), other = login();
  waiter.send(query("wait") + query("select 1"));
  EXPECT_TRUE(eventually([&] { return harness_.database.waiting.load() == 1; }));
  other.send(query("select 1"));
  EXPECT_EQ(other.types_until_ready(), "TDCZ");
  EXPECT_TRUE(waiter.silent(20));
  harness_.release_waiting();
  EXPECT_EQ(waiter.types_until_ready(), "CZ");
  EXPECT_EQ(waiter.types_until_ready(), "TDCZ");
}

TEST_F(Ready, CancelReachesTheSessionWhereverItIs) {
  std::vector<WireClient> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(login());
  for (WireClient& client : clients) {
    client.send(query("wait"));
    EXPECT_TRUE(eventually([&] { return harness_.database.waiting.load() == 1; }));
    WireClient stranger = harness_.connect();
    stranger.send(be32(16) + be32(80877102) + be32(client.process_id) + be32(client.secret ^ 1));
    EXPECT_TRUE(stranger.closed());
    EXPECT_TRUE(client.silent(20));
    WireClient canceller = harness_.connect();
    canceller.send(be32(16) + be32(80877102) + be32(client.process_id) + be32(client.secret));
    EXPECT_TRUE(canceller.closed());
    const auto replies = client.read_until('Z');
    ASSERT_EQ(replies.size(), 2u);
    EXPECT_EQ(replies[0].field('C'), "57014");
    client.send(query("select 1"));
    EXPECT_EQ(client.types_until_ready(), "TDCZ");
  }
}

TEST_F(Ready, AnAdministratorCancelsAndTerminates) {
  WireClient client = login();
  client.send(query("wait"));
  EXPECT_TRUE(eventually([&] { return harness_.database.waiting.load() == 1; }));
  harness_.server->cancel_backend(static_cast<std::int32_t>(client.process_id));
  EXPECT_EQ(client.types_until_ready(), "EZ");
  client.send(query("wait"));
  EXPECT_TRUE(eventually([&] { return harness_.database.waiting.load() == 1; }));
  harness_.server->cancel_backend(12345678);
  harness_.server->terminate_backend(static_cast<std::int32_t>(client.process_id));
  EXPECT_EQ(client.read()->field('C'), "57P01");
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(eventually([&] { return harness_.database.sessions.load() == 0 && harness_.database.waiting.load() == 0; }));
}

TEST_F(Ready, DisconnectInTheMiddleOfAStatementFreesTheSession) {
  for (int i = 0; i < 20; ++i) {
    WireClient client = login();
    client.send(query("wait") + query("select 1"));
    EXPECT_TRUE(eventually([&] { return harness_.database.waiting.load() == 1; }));
    const linger hard{1, 0};   // a reset instead of an end of file
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    client.close();
    EXPECT_TRUE(eventually([&] { return harness_.database.sessions.load() == 0 && harness_.server->connections() == 0; }));
  }
}

TEST_F(Ready, PsqlIsContent) {
  if (std::system("command -v psql >/dev/null 2>&1") != 0) GTEST_SKIP() << "no psql here";
  const std::string command = "psql -X -At -h 127.0.0.1 -p " + std::to_string(harness_.server->port()) + " -U alice shop -c 'select 1' 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  char line[256] = "";
  EXPECT_NE(std::fgets(line, sizeof line, pipe), nullptr);
  EXPECT_EQ(::pclose(pipe), 0);
  EXPECT_STREQ(line, "1\n");
}

// --- answers and the disk

TEST_F(Ready, NoAnswerLeavesBeforeItsCommitIsReleased) {
  harness_.database.clock.set_automatic(false);
  WireClient client = login(), reader = login();
  client.send(query("write") + query("select 1") + query("write"));
  EXPECT_TRUE(eventually([&] { return harness_.database.clock.demanded() == 2; }));   // executed on, both demanded
  EXPECT_TRUE(client.silent(30));
  reader.send(query("select 1"));
  EXPECT_EQ(reader.types_until_ready(), "TDCZ");   // it depends on nothing
  harness_.database.clock.release(1);
  EXPECT_EQ(client.types_until_ready(), "CZ");
  EXPECT_EQ(client.types_until_ready(), "TDCZ");
  EXPECT_TRUE(client.silent(30));
  harness_.database.clock.release(2);
  EXPECT_EQ(client.types_until_ready(), "CZ");
}

TEST_F(Ready, AnswersStayInOrderAndNeverComeEarly) {
  harness_.database.clock.set_automatic(false);
  WireClient client = login();
  constexpr int kWrites = 3000;
  std::atomic<bool> done{false};
  std::atomic<std::uint64_t> released{0};
  std::thread disk([&] {
    while (!done.load()) {
      const std::uint64_t target = harness_.database.clock.demanded();
      released.store(target);
      harness_.database.clock.release(target);
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  });
  std::string bytes;
  for (int i = 0; i < kWrites; ++i) bytes += query(i % 3 == 0 ? "select 1" : "write");
  std::thread sender([&] { client.send(bytes); });
  std::uint64_t last = 0;
  for (int i = 0; i < kWrites; ++i)
    for (const Reply& reply : client.read_until('Z'))
      if (reply.type == 'C' && reply.body.starts_with("INSERT")) {
        const std::uint64_t lsn = std::stoull(reply.body.substr(9));
        EXPECT_EQ(lsn, last + 1);
        EXPECT_LE(lsn, released.load());
        last = lsn;
      }
  EXPECT_EQ(last, static_cast<std::uint64_t>(kWrites - kWrites / 3));
  done = true;
  sender.join();
  disk.join();
}

TEST_F(Ready, ManyWritersShareOneDemandATurn) {
  std::vector<WireClient> clients;
  for (int i = 0; i < 16; ++i) clients.push_back(login());
  for (int round = 0; round < 50; ++round) {
    for (WireClient& client : clients) client.send(query("write"));
    for (WireClient& client : clients) EXPECT_EQ(client.types_until_ready(), "CZ");
  }
  EXPECT_LE(harness_.database.clock.demands(), 800u);
}

// --- slow readers

TEST_F(Ready, ASlowReaderPausesItsStatementAlone) {
  WireClient slow = login(), other = login();
  const int small = 16 * 1024;
  ::setsockopt(slow.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  constexpr int kRows = 1'000'000;   // 110 MB
  slow.send(query("rows " + std::to_string(kRows)));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  other.send(query("select 1"));
  EXPECT_EQ(other.types_until_ready(), "TDCZ");
  long resident_pages = 0;
  std::ifstream("/proc/self/statm") >> resident_pages >> resident_pages;
  // Only in release: a sanitizer keeps what was freed.
#ifndef WANDIAN_DCHECK
  EXPECT_LT(resident_pages * 4096, 100'000'000);
#endif
  int rows = 0;
  while (const auto reply = slow.read()) {
    if (reply->type == 'D') ++rows;
    if (reply->type == 'Z') break;
  }
  EXPECT_EQ(rows, kRows);
}

TEST_F(Ready, AClientThatNeverReadsStopsBeingServed) {
  WireClient deaf = login();
  // Enough answers to fill every buffer, from a client that only sends.
  ::fcntl(deaf.fd(), F_SETFL, O_NONBLOCK);
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += query("select 1");
  std::uint64_t sent = 0;
  while (sent < 1'000'000'000) {
    const ssize_t n = ::send(deaf.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<std::uint64_t>(n);
      continue;
    }
    const std::uint64_t statements = harness_.database.statements.load();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (harness_.database.statements.load() == statements) break;
  }
  EXPECT_LT(sent, 1'000'000'000u);
  WireClient other = login();
  other.send(query("select 1"));
  EXPECT_EQ(other.types_until_ready(), "TDCZ");
}

TEST(GatedLimit, WhatWaitsForTheDiskIsBoundedToo) {
  Harness harness(1, [](WireOptions& options) { options.gated_output_limit_bytes = 10'000; options.output_limit_bytes = 5'000; });
  harness.start();
  harness.database.clock.set_automatic(false);
  WireClient client = harness.connect();
  ASSERT_TRUE(client.login());
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += query("write");
  client.send(bytes);
  EXPECT_TRUE(eventually([&] { return harness.database.clock.tail() > 100; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::uint64_t stopped_at = harness.database.clock.tail();
  EXPECT_LT(stopped_at, 1000u);
  std::thread disk([&] {
    while (harness.database.clock.released().bytes < 5000) {
      harness.database.clock.release(harness.database.clock.demanded());
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.types_until_ready(), "CZ") << i;
  disk.join();
}

// --- the end

TEST(Shutdown, IdleGoAtOnceBusyWhenDoneAllAtTheDeadline) {
  Harness harness(2);
  harness.start();
  WireClient idle = harness.connect(), busy = harness.connect(), stuck = harness.connect(), block = harness.connect();
  ASSERT_TRUE(idle.login() && busy.login() && stuck.login() && block.login());
  block.send(query("begin"));
  EXPECT_EQ(block.types_until_ready(), "CZ");
  busy.send(query("wait"));
  EXPECT_TRUE(eventually([&] { return harness.database.waiting.load() == 1; }));
  stuck.send(parse("", "select 1") + message('H', ""));
  EXPECT_EQ(stuck.read()->type, '1');
  harness.server->begin_shutdown(300'000);
  EXPECT_EQ(idle.read()->field('C'), "57P01");
  EXPECT_TRUE(idle.closed());
  EXPECT_EQ(block.read()->field('C'), "57P01");
  EXPECT_TRUE(busy.silent(50));
  harness.release_waiting();
  EXPECT_EQ(busy.types_until_ready(), "CZ");
  EXPECT_EQ(busy.read()->field('C'), "57P01");
  EXPECT_TRUE(busy.closed());
  EXPECT_EQ(stuck.read()->field('C'), "57P01");   // half a pipeline waits until the deadline
  EXPECT_TRUE(harness.server->wait_drained(5'000'000));
  harness.server->stop();
  EXPECT_EQ(harness.database.sessions.load(), 0);
}

TEST(Shutdown, StopEndsWhatIsThere) {
  Harness harness(2);
  harness.start();
  WireClient a = harness.connect(), b = harness.connect(), c = harness.connect();
  ASSERT_TRUE(a.login() && b.login());
  a.send(query("wait"));
  EXPECT_TRUE(eventually([&] { return harness.database.waiting.load() == 1; }));
  harness.server->stop();
  EXPECT_EQ(b.read()->field('C'), "57P01");
  EXPECT_TRUE(b.closed());
  EXPECT_EQ(harness.database.sessions.load(), 0);
  EXPECT_EQ(harness.server->connections(), 0u);
}

TEST(Shutdown, SocketsAreDealtEvenly) {
  Harness harness(2);
  harness.start();
  std::vector<WireClient> clients;
  int odd = 0;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(harness.connect());
    ASSERT_TRUE(clients.back().login());
    odd += static_cast<int>(clients.back().process_id % 2);
  }
  EXPECT_EQ(odd, 8);
}

TEST(Idle, NobodySpins) {
  Harness harness(2);
  harness.start();
  WireClient client = harness.connect();
  ASSERT_TRUE(client.login());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  std::uint64_t before = 0, after = 0;
  for (auto& shard : harness.database.shards) before += shard->turns.load();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  for (auto& shard : harness.database.shards) after += shard->turns.load();
  EXPECT_LE(after - before, 4u);
}

}  // namespace
}  // namespace wandian::wire::test
