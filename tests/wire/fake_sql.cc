#include "tests/wire/fake_sql.h"

#include <algorithm>
#include <charconv>

namespace wandian::wire::test {

using sql::Poll;

bool FakeShard::step() {
  if (!go_on_.exchange(false, std::memory_order_acq_rel)) return false;
  for (FakeSession* session : std::exchange(waiting, {})) session->go_on();
  return false;
}

SessionFactory FakeDatabase::factory() {
  return [this](unsigned shard, sql::SessionSink& sink, const sql::SessionIdentity& identity) -> Result<std::unique_ptr<sql::Session>> {
    {
      const std::lock_guard<std::mutex> lock(mutex);
      last_identity = identity;
    }
    if (identity.database == "nowhere")
      return Status{sqlstate::invalid_catalog_name, "database \"nowhere\" does not exist"};
    sink.parameter_status("server_version", "15.0");
    sink.parameter_status("server_encoding", "UTF8");
    sink.parameter_status("client_encoding", "UTF8");
    sink.parameter_status("DateStyle", "ISO, MDY");
    sink.parameter_status("integer_datetimes", "on");
    sink.parameter_status("standard_conforming_strings", "on");
    return std::unique_ptr<sql::Session>(std::make_unique<FakeSession>(*this, *shards[shard], sink));
  };
}

FakeSession::FakeSession(FakeDatabase& database, FakeShard& shard, sql::SessionSink& sink)
    : database_(database), shard_(shard), sink_(sink) {
  database_.sessions.fetch_add(1);
}

FakeSession::~FakeSession() {
  std::erase(shard_.waiting, this);
  if (waiting_) database_.waiting.fetch_sub(1);
  database_.sessions.fetch_sub(1);
}

void FakeSession::row(std::string_view value) {
  sql::OutBuffer& out = sink_.out();
  out.push_back('D');
  out.append_int32(static_cast<std::uint32_t>(4 + 2 + 4 + value.size()));
  out.append_int16(1);
  out.append_int32(static_cast<std::uint32_t>(value.size()));
  out.append(value);
}

void FakeSession::describe(std::string_view text) {
  if (text.starts_with("select") || text.starts_with("SELECT") || text.starts_with("rows")) {
    const sql::ColumnDescription column{.name = "value", .type = type_oid::kInt4, .type_length = 4};
    sink_.row_description({&column, 1}, {});
  } else {
    sink_.no_data();
  }
}

void FakeSession::fail(SqlState code, std::string message) {
  if (status_ == 'T') status_ = 'E';
  sink_.error(Status{code, std::move(message)});
}

// select: one row "1". write: an answer that waits for its own commit. rows N: many, pausing when congested.
// wait: pending until FakeShard::release_waiting() or cancel. copy: COPY FROM STDIN. error, fatal, begin, commit, notice.
Poll FakeSession::run(std::string_view text, bool with_description) {
  database_.statements.fetch_add(1, std::memory_order_relaxed);
  if (text.empty()) {
    sink_.empty_query_response();
    return Poll::kReady;
  }
  if (text.starts_with("select") || text.starts_with("SELECT")) {
    if (with_description) describe(text);
    row("1");
    sink_.command_complete("SELECT 1");
    return Poll::kReady;
  }
  if (text.starts_with("write")) {
    const std::uint64_t commit = database_.clock.next_commit();
    floor_ = Lsn{std::max(floor_.bytes, commit)};
    sink_.command_complete("INSERT 0 " + std::to_string(commit));
    return Poll::kReady;
  }
  if (text.starts_with("rows")) {
    if (with_description) describe(text);
    std::from_chars(text.data() + 5, text.data() + text.size(), rows_left_);
    return stream_rows();
  }
  if (text.starts_with("wait")) {
    waiting_ = true;
    cancelled_ = false;
    database_.waiting.fetch_add(1);
    shard_.waiting.push_back(this);
    return Poll::kPending;
  }
  if (text.starts_with("copy")) {
    copying_ = true;
    sink_.copy_in_response(sql::Format::kText, 1);
    return Poll::kReady;
  }
  if (text.starts_with("fatal")) {
    sink_.error(Status{sqlstate::admin_shutdown, "that is all"}.with_severity(Severity::kFatal));
    return Poll::kReady;
  }
  if (text.starts_with("notice")) {
    ErrorRecord record;
    record.severity = Severity::kNotice;
    record.code = sqlstate::successful_completion;
    record.message = "mind the gap";
    sink_.notice(record);
    sink_.command_complete("DO");
    return Poll::kReady;
  }
  if (text.starts_with("begin")) {
    status_ = 'T';
    sink_.command_complete("BEGIN");
    return Poll::kReady;
  }
  if (text.starts_with("commit")) {
    status_ = 'I';
    sink_.command_complete("COMMIT");
    return Poll::kReady;
  }
  fail(sqlstate::syntax_error, "syntax error");
  return Poll::kReady;
}

Poll FakeSession::stream_rows() {
  static const std::string kValue(100, 'x');
  while (rows_left_ > 0) {
    if (sink_.congested()) return Poll::kPending;
    row(kValue);
    --rows_left_;
  }
  sink_.command_complete("SELECT");
  return Poll::kReady;
}

Poll FakeSession::proceed() {
  if (rows_left_ > 0) return stream_rows();
  if (waiting_) {
    if (!cancelled_ && std::find(shard_.waiting.begin(), shard_.waiting.end(), this) != shard_.waiting.end()) return Poll::kPending;
    waiting_ = false;
    database_.waiting.fetch_sub(1);
    std::erase(shard_.waiting, this);
    if (cancelled_)
      fail(sqlstate::query_canceled, "canceling statement due to user request");
    else
      sink_.command_complete("WAIT");
  }
  return Poll::kReady;
}

void FakeSession::cancel() {
  if (!waiting_) return;
  cancelled_ = true;
  sink_.resume();
}

Poll FakeSession::query(std::string_view text) { return run(text, true); }

Poll FakeSession::parse(std::string_view name, std::string_view text, std::span<const Oid>) {
  if (text.starts_with("broken")) {
    fail(sqlstate::syntax_error, "syntax error");
    return Poll::kReady;
  }
  statements_[std::string(name)] = text;
  sink_.parse_complete();
  return Poll::kReady;
}

Poll FakeSession::bind(const sql::BindMessage& message) {
  if (message.statement != point_statement_ || point_statement_.empty()) {
    const auto found = statements_.find(std::string(message.statement));
    if (found == statements_.end()) {
      fail(sqlstate::invalid_sql_statement_name, "prepared statement does not exist");
      return Poll::kReady;
    }
    portals_[std::string(message.portal)] = found->second;
    point_statement_ = message.statement;
    point_portal_ = found->second;
  }
  sink_.bind_complete();
  return Poll::kReady;
}

Poll FakeSession::describe_statement(std::string_view name) {
  const auto found = statements_.find(std::string(name));
  if (found == statements_.end()) {
    fail(sqlstate::invalid_sql_statement_name, "prepared statement does not exist");
    return Poll::kReady;
  }
  const Oid type = type_oid::kInt4;
  sink_.parameter_description({&type, 1});
  describe(found->second);
  return Poll::kReady;
}

Poll FakeSession::describe_portal(std::string_view name) {
  describe(name.empty() ? point_portal_ : portals_[std::string(name)]);
  return Poll::kReady;
}

Poll FakeSession::execute(std::string_view portal, std::uint32_t max_rows) {
  if (max_rows == 77) {
    row("1");
    sink_.portal_suspended();
    return Poll::kReady;
  }
  return run(portal.empty() ? point_portal_ : portals_[std::string(portal)], false);
}

Poll FakeSession::close_statement(std::string_view name) {
  statements_.erase(std::string(name));
  point_statement_.clear();
  sink_.close_complete();
  return Poll::kReady;
}

Poll FakeSession::close_portal(std::string_view name) {
  portals_.erase(std::string(name));
  sink_.close_complete();
  return Poll::kReady;
}

Poll FakeSession::sync() { return Poll::kReady; }

Poll FakeSession::copy_data(std::string_view bytes) {
  if (bytes.starts_with("bad")) {
    copying_ = false;
    fail(sqlstate::invalid_text_representation, "bad copy data");
    return Poll::kReady;
  }
  database_.copied_bytes.fetch_add(bytes.size());
  return Poll::kReady;
}

Poll FakeSession::copy_done() {
  copying_ = false;
  sink_.command_complete("COPY 1");
  return Poll::kReady;
}

Poll FakeSession::copy_fail(std::string_view message) {
  copying_ = false;
  fail(sqlstate::query_canceled, "COPY from stdin failed: " + std::string(message));
  return Poll::kReady;
}

}  // namespace wandian::wire::test
