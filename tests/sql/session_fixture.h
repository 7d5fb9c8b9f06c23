// Sessions over a whole engine in one thread: a Database on a simulated machine, its shards stepped by hand, a sink that
// writes down what a client would see.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/database.h"
#include "engine/shard.h"
#include "sql/server.h"
#include "sql/session.h"
#include "storage/base/env_sim.h"

namespace wandian::sql {

/// Messages as short words: "T(a,b)" RowDescription, "D(1,x)" DataRow, "C(SELECT 1)", "E(42601: message)", ...
class TestSink final : public SessionSink {
 public:
  OutBuffer& out() override { return out_; }
  void parse_complete() override { add("1"); }
  void bind_complete() override { add("2"); }
  void close_complete() override { add("3"); }
  void parameter_description(std::span<const Oid> types) override {
    std::string text;
    for (const Oid type : types) text += (text.empty() ? "" : ",") + std::to_string(type);
    add("t(" + text + ")");
  }
  void row_description(std::span<const ColumnDescription> columns, std::span<const Format>) override {
    std::string text;
    for (const ColumnDescription& column : columns) text += (text.empty() ? "" : ",") + std::string(column.name);
    add("T(" + text + ")");
  }
  void no_data() override { add("n"); }
  void command_complete(std::string_view tag) override { add("C(" + std::string(tag) + ")"); }
  void empty_query_response() override { add("I"); }
  void portal_suspended() override { add("s"); }
  void copy_in_response(Format format, std::uint16_t columns) override {
    add("G(" + std::to_string(static_cast<int>(format)) + "," + std::to_string(columns) + ")");
  }
  void copy_out_response(Format format, std::uint16_t columns) override {
    add("H(" + std::to_string(static_cast<int>(format)) + "," + std::to_string(columns) + ")");
  }
  void copy_done() override { add("c"); }
  void parameter_status(std::string_view name, std::string_view value) override {
    add("S(" + std::string(name) + "=" + std::string(value) + ")");
  }
  void notification(std::int32_t, std::string_view channel, std::string_view) override { add("A(" + std::string(channel) + ")"); }
  void notice(const ErrorRecord& record) override { add("N(" + std::string(record.code.text()) + ": " + record.message + ")"); }
  void error(const Status& status) override {
    add("E(" + std::string(status.code().text()) + ": " + status.error().message + ")");
    last_error = status.clone();
  }
  bool congested() const override {
    congestion_asked = congestion_asked || (limit != 0 && out_.size() >= limit);
    return limit != 0 && out_.size() >= limit;
  }
  void resume() override { resumed = true; }

  /// What came since the last call, in order; rows stand where they were sent.
  std::string take() {
    drain();
    std::string text;
    for (const std::string& message : messages_) text += (text.empty() ? "" : " ") + message;
    messages_.clear();
    return text;
  }
  void drain() {
    // Rows are only known by their bytes: 'D' and 'd' messages.
    const char* data = out_.data();
    std::size_t at = 0;
    while (at < out_.size()) {
      const std::size_t length = read_int32(data + at + 1);
      if (data[at] == 'D') {
        messages_.push_back(row_text(data + at + 5));
      } else {
        messages_.push_back("d(" + std::string(data + at + 5, length - 4) + ")");
      }
      at += 1 + length;
    }
    out_.truncate(0);
  }

  bool resumed = false;
  mutable bool congestion_asked = false;
  std::size_t limit = 0;
  Status last_error;

 private:
  void add(std::string message) {
    drain();
    messages_.push_back(std::move(message));
  }
  static std::uint32_t read_int32(const char* at) {
    std::uint32_t v = 0;
    std::memcpy(&v, at, 4);
    return __builtin_bswap32(v);
  }
  static std::string row_text(const char* at) {
    std::uint16_t count = 0;
    std::memcpy(&count, at, 2);
    count = __builtin_bswap16(count);
    at += 2;
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
      const auto size = static_cast<std::int32_t>(read_int32(at));
      at += 4;
      text += i == 0 ? "" : ",";
      text += size < 0 ? "null" : std::string(at, static_cast<std::size_t>(size));
      if (size > 0) at += size;
    }
    return "D(" + text + ")";
  }

  OutBuffer out_;
  std::vector<std::string> messages_;
};

class World {
 public:
  explicit World(unsigned shards = 1, std::vector<std::pair<std::string, std::string>> settings = {}) : env(7) {
    options.data_directory = "/data";
    options.shards = shards;
    options.log_ring_bytes = 4u << 20;
    options.log_segment_bytes = 4u << 20;
    options.deadlock_timeout_us = 1000;
    server_options.settings = std::move(settings);
    open();
  }
  void open() {
    Result<std::unique_ptr<Database>> opened = Database::open(env, options, &catalog_compiler(), &report);
    ASSERT_TRUE(opened.ok()) << opened.status().error().message;
    database = opened.take();
    Result<std::unique_ptr<Server>> made = Server::create(*database, server_options);
    ASSERT_TRUE(made.ok()) << made.status().error().message;
    server = made.take();
    const Status status = server->bootstrap();
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  void restart() {
    server.reset();
    database.reset();
    env.kill();
    env.restart();
    open();
  }
  void turn(unsigned index) {
    Shard& shard = database->shard(index);
    shard.begin_turn();
    shard.step();
    shard.end_turn();
  }
  void turns(int count = 1) {
    for (int i = 0; i < count; ++i) {
      for (unsigned s = 0; s < options.shards; ++s) turn(s);
      while (database->log().step()) {
      }
      env.advance(200);
    }
  }
  template <class Body>
  auto at(unsigned index, Body&& body) {
    Shard& shard = database->shard(index);
    shard.begin_turn();
    struct End {
      Shard& shard;
      ~End() {
        shard.step();
        shard.end_turn();
      }
    } end{shard};
    return body(shard);
  }

  SimEnv env;
  DatabaseOptions options;
  ServerOptions server_options;
  RecoveryReport report;
  std::unique_ptr<Database> database;
  std::unique_ptr<Server> server;
};

/// One client, with calls that wait for their answers.
class TestClient {
 public:
  explicit TestClient(World& world, unsigned shard = 0, std::string database = "wandian",
                      std::vector<std::pair<std::string, std::string>> settings = {})
      : world_(world), shard_(shard) {
    SessionIdentity identity;
    identity.user = "wandian";
    identity.database = std::move(database);
    identity.process_id = next_process_id()++;
    identity.settings = std::move(settings);
    world_.at(shard_, [&](Shard& here) {
      Result<std::unique_ptr<Session>> made = Session::create(*world_.server, here, sink, identity);
      if (made.ok()) {
        session = made.take();
      } else {
        failure = made.take_status();
      }
    });
    greeting = sink.take();
  }
  ~TestClient() { close(); }
  void close() {
    if (session == nullptr) return;
    world_.at(shard_, [&](Shard&) { session.reset(); });
    world_.turns(5);
  }

  /// Begins a call; true if it was answered within it.
  template <class Call>
  bool start(Call&& call) {
    world_.at(shard_, [&](Shard&) { pending_ = call(*session) == Poll::kPending; });
    return !pending_;
  }
  bool pending() const { return pending_; }
  bool finish(int rounds = 2000) {
    for (int i = 0; i < rounds && pending_; ++i) {
      if (sink.resumed || sink.congestion_asked) {
        sink.resumed = sink.congestion_asked = false;
        if (sink.limit != 0) sink.drain();
        world_.at(shard_, [&](Shard&) { pending_ = session->proceed() == Poll::kPending; });
      } else {
        world_.turns();
      }
    }
    return !pending_;
  }
  template <class Call>
  std::string run(Call&& call) {
    start(call);
    EXPECT_TRUE(finish());
    return sink.take();
  }
  std::string query(std::string_view text) {
    return run([&](Session& s) { return s.query(text); });
  }
  std::string parse(std::string_view name, std::string_view text, std::vector<Oid> types = {}) {
    return run([&](Session& s) { return s.parse(name, text, types); });
  }
  std::string bind(std::string_view portal, std::string_view statement, std::vector<std::optional<std::string>> values = {},
                   std::vector<Format> formats = {}) {
    std::vector<std::optional<std::string_view>> views;
    for (const auto& value : values) views.push_back(value ? std::optional<std::string_view>(*value) : std::nullopt);
    return run([&](Session& s) { return s.bind({portal, statement, {}, views, formats}); });
  }
  std::string execute(std::string_view portal = "", std::uint32_t rows = 0) {
    return run([&](Session& s) { return s.execute(portal, rows); });
  }
  std::string sync() {
    return run([&](Session& s) { return s.sync(); });
  }
  /// Parse, Bind, Execute, Sync of an unnamed statement.
  std::string extended(std::string_view text, std::vector<std::optional<std::string>> values = {}) {
    std::string out;
    for (std::string part : {parse("", text), bind("", "", std::move(values)), execute(), sync()})
      if (!part.empty()) out += (out.empty() ? "" : " ") + part;
    return out;
  }
  char status() const { return session->transaction_status(); }

  TestSink sink;
  std::unique_ptr<Session> session;
  std::string greeting;
  Status failure;

 private:
  static std::int32_t& next_process_id() {
    static std::int32_t next = 100;
    return next;
  }
  World& world_;
  unsigned shard_;
  bool pending_ = false;
};

}  // namespace wandian::sql
