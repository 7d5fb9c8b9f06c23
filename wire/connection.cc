#include "wire/connection.h"

#include <new>
#include <utility>

#include "wire/protocol_writer.h"

namespace wandian::wire {

namespace {
constexpr std::string_view kSyncMessage("S\0\0\0\4", 5);
}  // namespace

Connection::Connection(ConnectionHost& host, Peer peer)
    : host_(host), output_(host.buffers()), login_(std::make_unique<Login>()) {
  login_->peer = std::move(peer);
}

Connection::~Connection() { output_.trim(); }

std::size_t Connection::consume(const char* data, std::size_t size) {
  const WireOptions& options = host_.options();
  const std::string_view input(data, size);
  std::size_t done = 0;
  unsigned share = options.messages_per_turn;
  std::int64_t turn_ends_us = 0;
  needed_ = 0;
  more_to_handle_ = false;
  output_.prepare();
  while (done < size && !closing()) {
    if (stalled()) {
      more_to_handle_ = true;
      break;
    }
    std::size_t used;
    if (phase_ == Phase::kReady) [[likely]] {
      used = consume_message(input.substr(done));
    } else if (phase_ == Phase::kStartup) {
      used = consume_startup(input.substr(done));
    } else {
      used = consume_authentication(input.substr(done));
    }
    if (used == 0) break;
    done += used;
    ++messages_;
    if (--share == 0) {
      more_to_handle_ = done < size;
      break;
    }
    // The clock is read once for a few messages: a statement sent alone never gets here.
    if ((share & 3u) == 0) {
      const std::int64_t now = host_.now_us();
      if (turn_ends_us == 0) {
        turn_ends_us = now + options.turn_budget_us;
      } else if (now >= turn_ends_us) {
        more_to_handle_ = done < size;
        break;
      }
    }
  }
  if (closing()) {
    session_.reset();
    done = size;
  }
  seal();
  output_.trim();
  return done;
}

// One message; 0 if it is not whole yet.
std::size_t Connection::consume_message(std::string_view input) {
  if (discard_ > 0) {
    const std::size_t taken = std::min(discard_, input.size());
    discard_ -= taken;
    return taken;
  }
  if (input.size() < 5) return 0;
  const char type = input.front();
  const std::uint32_t length = load_uint32(input.data() + 1);
  if (!acceptable(type, length)) return input.size();
  const std::size_t whole = 1 + std::size_t{length};
  const bool stray_copy = !copying_in_ && (type == 'd' || type == 'c' || type == 'f');   // sent before the client saw COPY fail
  if ((skip_to_sync_ && type != 'S' && type != 'X') || stray_copy) {
    discard_ = whole;
    return consume_message(input);
  }
  if (input.size() < whole) {
    needed_ = whole;
    return 0;
  }
  sync_follows_ = input.substr(whole).starts_with(kSyncMessage);
  handle(type, input.substr(5, length - 4));
  return whole;
}

// Type and length, as PostgreSQL's SocketBackend() and CopyGetData() judge them; false: the connection is closing.
bool Connection::acceptable(char type, std::uint32_t length) {
  std::size_t limit = host_.options().max_message_bytes;
  switch (type) {
    case 'Q': case 'P': case 'B': case 'F': case 'd':
      break;
    case 'C': case 'D': case 'E': case 'H': case 'S': case 'X': case 'c': case 'f':
      limit = std::min(limit, kMaxSmallMessageBytes);
      break;
    default:
      fatal(Status{sqlstate::protocol_violation,
                   "invalid frontend message type " + std::to_string(static_cast<unsigned char>(type))});
      return false;
  }
  if (length >= 4 && length - 4 <= limit) return true;
  fatal(Status{sqlstate::protocol_violation, "invalid message length"});
  return false;
}

void Connection::handle(char type, std::string_view body) {
  if (copying_in_) [[unlikely]] {
    handle_copy(type, body);
    return;
  }
  switch (type) {
    case 'Q': handle_query(body); break;
    case 'P': handle_parse(body); break;
    case 'B': handle_bind(body); break;
    case 'D': handle_describe(body); break;
    case 'E': handle_execute(body); break;
    case 'C': handle_close(body); break;
    case 'S': handle_sync(); break;
    case 'H':
      due_ = output_.appended();
      seal();
      break;
    case 'X': close(); break;
    case 'F': handle_function_call(); break;
    default: break;
  }
}

bool Connection::read_to_end(MessageReader& reader) {
  if (reader.finish()) [[likely]] return true;
  fatal(Status{sqlstate::protocol_violation, reader.error_text()});
  return false;
}

// What every call of the session is wrapped in.
#define WANDIAN_SESSION_CALL(expression) \
  do {                                   \
    in_call_ = true;                     \
    congestion_seen_ = false;            \
    const sql::Poll poll = (expression); \
    in_call_ = false;                    \
    after_call(poll);                    \
  } while (false)

void Connection::handle_query(std::string_view body) {
  MessageReader reader(body);
  const std::string_view text = reader.string();
  if (!read_to_end(reader)) return;
  extended_ = false;
  in_simple_query_ = true;
  WANDIAN_SESSION_CALL(session_->query(text));
}

void Connection::handle_parse(std::string_view body) {
  MessageReader reader(body);
  std::string_view name, text;
  DecodeScratch& scratch = host_.scratch();
  if (!decode_parse(reader, scratch, name, text)) {
    fatal(Status{sqlstate::protocol_violation, reader.error_text()});
    return;
  }
  extended_ = in_pipeline_ = true;
  WANDIAN_SESSION_CALL(session_->parse(name, text, scratch.types));
}

void Connection::handle_bind(std::string_view body) {
  MessageReader reader(body);
  sql::BindMessage message;
  if (!decode_bind(reader, host_.scratch(), message)) {
    fatal(Status{sqlstate::protocol_violation, reader.error_text()});
    return;
  }
  extended_ = in_pipeline_ = true;
  WANDIAN_SESSION_CALL(session_->bind(message));
}

void Connection::handle_describe(std::string_view body) {
  MessageReader reader(body);
  const char kind = reader.byte();
  const std::string_view name = reader.string();
  if (!read_to_end(reader)) return;
  extended_ = in_pipeline_ = true;
  if (kind == 'S') {
    WANDIAN_SESSION_CALL(session_->describe_statement(name));
  } else if (kind == 'P') {
    WANDIAN_SESSION_CALL(session_->describe_portal(name));
  } else {
    fatal(Status{sqlstate::protocol_violation,
                 "invalid DESCRIBE message subtype " + std::to_string(static_cast<unsigned char>(kind))});
  }
}

void Connection::handle_execute(std::string_view body) {
  MessageReader reader(body);
  const std::string_view portal = reader.string();
  const auto limit = static_cast<std::int32_t>(reader.int32());
  if (!read_to_end(reader)) return;
  extended_ = in_pipeline_ = true;
  if (sync_follows_) session_->expect_sync();
  // Zero and less is "all rows", as in PostgreSQL.
  WANDIAN_SESSION_CALL(session_->execute(portal, limit > 0 ? static_cast<std::uint32_t>(limit) : 0));
}

void Connection::handle_close(std::string_view body) {
  MessageReader reader(body);
  const char kind = reader.byte();
  const std::string_view name = reader.string();
  if (!read_to_end(reader)) return;
  extended_ = in_pipeline_ = true;
  if (kind == 'S') {
    WANDIAN_SESSION_CALL(session_->close_statement(name));
  } else if (kind == 'P') {
    WANDIAN_SESSION_CALL(session_->close_portal(name));
  } else {
    fatal(Status{sqlstate::protocol_violation,
                 "invalid CLOSE message subtype " + std::to_string(static_cast<unsigned char>(kind))});
  }
}

void Connection::handle_sync() {
  skip_to_sync_ = false;
  extended_ = false;
  in_sync_ = true;
  WANDIAN_SESSION_CALL(session_->sync());
}

// The fast path of libpq's large objects. The session does not hear of it, so inside a transaction block, which such an error
// has to bring down, the connection ends instead.
void Connection::handle_function_call() {
  Status status{sqlstate::feature_not_supported, "function calls through the fast-path interface are not supported"};
  if (session_->transaction_status() == 'T') return fatal(std::move(status));
  output_.prepare();
  write_error_record(output_.buffer(), 'E', status.error(), Severity::kError);
  ready_for_query();
}

void Connection::ready_for_query() {
  write_ready_for_query(output_.buffer(), session_->transaction_status());
  due_ = output_.appended();
}

void Connection::handle_copy(char type, std::string_view body) {
  switch (type) {
    case 'd':
      WANDIAN_SESSION_CALL(session_->copy_data(body));
      break;
    case 'c':
      WANDIAN_SESSION_CALL(session_->copy_done());
      break;
    case 'f': {
      MessageReader reader(body);
      const std::string_view reason = reader.string();
      if (!read_to_end(reader)) return;
      WANDIAN_SESSION_CALL(session_->copy_fail(reason));
      break;
    }
    case 'H':
    case 'S':
      break;   // a client may have sent them before it knew that its statement was a COPY
    case 'X':
      close();
      break;
    default: {
      char text[64];
      std::snprintf(text, sizeof text, "unexpected message type 0x%02X during COPY from stdin", static_cast<unsigned char>(type));
      output_.prepare();
      write_error_record(output_.buffer(), 'E', Status{sqlstate::protocol_violation, text}.error(), Severity::kError);
      fatal(Status{sqlstate::protocol_violation, "terminating connection because protocol synchronization was lost"});
    }
  }
}

void Connection::proceed() {
  if (closing() || !(pending_ || congestion_seen_) || session_ == nullptr) return;
  output_.prepare();
  WANDIAN_SESSION_CALL(session_->proceed());
  if (closing()) session_.reset();
  seal();
  output_.trim();
}
#undef WANDIAN_SESSION_CALL

void Connection::after_call(sql::Poll poll) {
  pending_ = poll == sql::Poll::kPending;
  if (pending_ || closing()) return seal();
  if (copying_in_) copying_in_ = session_->copying_in();
  if (in_sync_) {
    in_sync_ = in_pipeline_ = false;
    ready_for_query();
  } else if (in_simple_query_ && !copying_in_) {
    in_simple_query_ = in_pipeline_ = false;
    ready_for_query();
  }
  seal();
}

void Connection::seal() {
  if (output_.sealed_all()) return;
  // Taken even if nothing is sealed now: the next call may be of another transaction, which knows nothing of this one's commit.
  if (session_ != nullptr) floor_ = std::max(floor_, session_->take_answer_floor());
  const bool due = phase_ != Phase::kReady || due_ > output_.sealed() || output_.appended() - output_.sealed() >= kSendBufferBytes;
  if (due) output_.seal(std::exchange(floor_, Lsn{}));
}

void Connection::end_of_input() {
  if (closing()) return;
  close();
  seal();
  session_.reset();
}

void Connection::terminate(Status status) {
  if (closing()) return;
  if (phase_ == Phase::kStartup) {
    close();   // nobody there has said that it speaks our protocol
  } else {
    fatal(std::move(status));
    seal();
  }
  pending_ = false;
  session_.reset();
  output_.trim();
}

void Connection::cancel() {
  if (session_ != nullptr) session_->cancel();
}

bool Connection::secret_matches(std::uint32_t secret) const { return equal_in_constant_time(&secret, &secret_, sizeof secret); }

void Connection::fatal(Status status) {
  if (closing()) return;
  write_fatal(status);
  log(Severity::kFatal, status.error().message);
  close();
}

void Connection::write_fatal(const Status& status) {
  output_.prepare();
  write_record('E', status.error(), Severity::kFatal);
}

// A message may be as long as the value that it quotes.
void Connection::write_record(char type, const ErrorRecord& record, Severity severity) {
  try {
    write_error_record(output_.buffer(), type, record, severity);
  } catch (const std::bad_alloc&) {
    if (type == 'E') write_error_record(output_.buffer(), type, Status{sqlstate::out_of_memory, "out of memory"}.error(), severity);
  }
}

// The session goes when its own call is off the stack: consume(), proceed() and terminate() see to it.
void Connection::close() {
  phase_ = Phase::kClosing;
  more_to_handle_ = false;
  login_.reset();
}

void Connection::log(Severity severity, std::string_view message) const {
  if (host_.options().log) host_.options().log(severity, message);
}

bool Connection::over_limit() const {
  const std::size_t waiting = output_.waiting_bytes();
  const WireOptions& options = host_.options();
  if (waiting <= options.output_limit_bytes) [[likely]] return false;
  return waiting - output_.gated_bytes() > options.output_limit_bytes || waiting > options.gated_output_limit_bytes;
}

bool Connection::below_low_water() const {
  const std::size_t waiting = output_.waiting_bytes();
  const WireOptions& options = host_.options();
  return waiting - output_.gated_bytes() <= options.output_limit_bytes / 2 && waiting <= options.gated_output_limit_bytes / 2;
}

// --- sql::SessionSink

void Connection::parse_complete() { write_bare(out(), '1'); }
void Connection::bind_complete() { write_bare(out(), '2'); }
void Connection::close_complete() { write_bare(out(), '3'); }
void Connection::parameter_description(std::span<const Oid> types) { write_parameter_description(out(), types); }
void Connection::row_description(std::span<const sql::ColumnDescription> columns, std::span<const sql::Format> formats) {
  write_row_description(out(), columns, formats);
}
void Connection::no_data() { write_bare(out(), 'n'); }
void Connection::command_complete(std::string_view tag) { write_command_complete(out(), tag); }
void Connection::empty_query_response() { write_bare(out(), 'I'); }
void Connection::portal_suspended() { write_bare(out(), 's'); }
void Connection::copy_in_response(sql::Format format, std::uint16_t columns) {
  copying_in_ = true;
  write_copy_response(out(), 'G', format, columns);
  due_ = output_.appended();
}
void Connection::copy_out_response(sql::Format format, std::uint16_t columns) { write_copy_response(out(), 'H', format, columns); }
void Connection::copy_done() { write_bare(out(), 'c'); }

// What is appended is for now. Outside of a call (a timer, another session) no message of the client brings it out.
void Connection::promise() {
  due_ = output_.appended();
  if (!in_call_) host_.output_appended(*this);
}

void Connection::parameter_status(std::string_view name, std::string_view value) {
  output_.prepare();
  write_parameter_status(out(), name, value);
  if (!in_call_) promise();
}

void Connection::notification(std::int32_t process, std::string_view channel, std::string_view payload) {
  output_.prepare();
  write_notification(out(), process, channel, payload);
  promise();
}

void Connection::notice(const ErrorRecord& record) {
  output_.prepare();
  write_record('N', record, record.severity);
  promise();
}

void Connection::error(const Status& status) {
  const ErrorRecord& record = status.error();
  output_.prepare();
  write_record('E', record, record.severity);
  if (record.severity >= Severity::kFatal) {
    close();
  } else if (extended_) {
    skip_to_sync_ = true;
  }
  promise();
}

bool Connection::congested() const {
  if (!over_limit()) [[likely]] return false;
  congestion_seen_ = true;
  return true;
}

void Connection::resume() { host_.resume(*this); }

}  // namespace wandian::wire
