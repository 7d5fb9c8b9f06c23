#include "wire/shard_driver.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "storage/base/assert.h"
#include "storage/base/large_memory.h"
#include "wire/tls.h"

namespace wandian::wire {
namespace {

constexpr std::size_t kReceiveBytes = 64 * 1024;
constexpr int kEventsPerWait = 256;
constexpr std::size_t kLeastBatch = 3;   // of sends: with 16 clients of sysbench a sixth more than one by one, and more than from 8 on
constexpr int kResumeRounds = 4;
// Not the protocol's 16 KiB: libpq reads into as little as this, and who waits for its socket does not see what is left of a record.
constexpr std::size_t kTlsRecordBytes = 8 * 1024;
constexpr std::int64_t kAwaitMailUs = 20;
constexpr unsigned kMostTurnsWithoutSockets = 8;

// Bytes received and not yet handled: of a message that is not whole, or of a pipeline beyond its share of the turn.
class InputBuffer {
 public:
  InputBuffer() = default;
  ~InputBuffer() { release(); }
  InputBuffer(const InputBuffer&) = delete;
  InputBuffer& operator=(const InputBuffer&) = delete;
  bool empty() const { return begin_ == end_; }
  const char* data() const { return data_ + begin_; }
  std::size_t size() const { return end_ - begin_; }
  char* tail() { return data_ + end_; }
  std::size_t room() const { return capacity_ - end_; }
  [[nodiscard]] bool append(const char* from, std::size_t bytes) {
    if (!make_room(bytes)) return false;
    std::memcpy(tail(), from, bytes);
    end_ += bytes;
    return true;
  }
  void filled(std::size_t bytes) { end_ += bytes; }
  void drop(std::size_t bytes) {
    begin_ += bytes;
    if (empty()) release();
  }
  /// False: there is no memory for it.
  [[nodiscard]] bool make_room(std::size_t bytes) {
    if (begin_ > 0) {
      std::memmove(data_, data_ + begin_, size());
      end_ -= begin_;
      begin_ = 0;
    }
    if (room() >= bytes) return true;
    const std::size_t wanted = std::max(end_ + bytes, std::size_t{512});
    char* const grown = large_memory::reallocate(data_, capacity_, wanted);
    if (grown == nullptr) return false;
    data_ = grown;
    capacity_ = wanted;
    return true;
  }
  void release() {
    std::free(data_);
    large_memory::give(capacity_);
    data_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  }

 private:
  char* data_ = nullptr;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace

struct ShardDriver::Client final : Connection {
  Client(ShardDriver& driver, AcceptedSocket& socket) : Connection(driver, std::move(socket.peer)), fd(socket.fd) {}
  int fd;
  std::unique_ptr<TlsChannel> tls;
  InputBuffer input;
  std::size_t index = 0;               ///< in clients_
  std::int64_t deadline_us = 0;        ///< in deadlines_; 0 = none
  bool readable = false;               ///< the socket may have more
  bool peer_closing = false;           ///< it will say end of file after what it has
  bool end_of_file = false;
  bool unhandled = false;              ///< `input` may begin with a whole message
  bool waits = false;                  ///< counted in waiting_
  bool in_runnable = false, in_resumed = false, in_dirty = false, in_gated = false;
  bool dead = false;
};

struct ShardDriver::Events {
  epoll_event list[kEventsPerWait];
};

ShardDriver::ShardDriver(ServerState& state, unsigned shard, ShardBinding binding)
    : state_(state),
      shard_(shard),
      binding_(std::move(binding)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      receive_buffer_(std::make_unique_for_overwrite<char[]>(kReceiveBytes)),
      events_(std::make_unique<Events>()) {
  DB_ASSERT(epoll_ >= 0);
  // Edge-triggered, so that a wake-up needs no read() to be taken off the descriptor.
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  const int added = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, binding_.wakeup->fd(), &event);
  DB_ASSERT(added == 0);
}

ShardDriver::~ShardDriver() {
  // Sockets that were dealt when nobody ran any more.
  for (const Mail& mail : mail_)
    if (mail.kind == Mail::Kind::kSocket) ::close(mail.socket.fd);
  ::close(epoll_);
}

// --- any thread

void ShardDriver::post(Mail mail) {
  {
    const std::lock_guard<std::mutex> lock(mail_mutex_);
    mail_.push_back(std::move(mail));
  }
  has_mail_.store(true, std::memory_order_release);   // pairs with the exchange in take_mail()
  binding_.wakeup->wake();
}

void ShardDriver::post_socket(AcceptedSocket socket) {
  Mail mail{Mail::Kind::kSocket, {}};
  mail.socket = std::move(socket);
  post(std::move(mail));
}

void ShardDriver::post_cancel(std::int32_t process_id, std::uint32_t secret) {
  Mail mail{Mail::Kind::kCancel, {}};
  mail.process_id = process_id;
  mail.secret = secret;
  post(std::move(mail));
}

void ShardDriver::post_signal(std::int32_t process_id, bool terminate) {
  Mail mail{terminate ? Mail::Kind::kTerminateSignal : Mail::Kind::kCancelSignal, {}};
  mail.process_id = process_id;
  post(std::move(mail));
}

void ShardDriver::post_drain(std::int64_t deadline_us) {
  Mail mail{Mail::Kind::kDrain, {}};
  mail.deadline_us = deadline_us;
  post(std::move(mail));
}

void ShardDriver::post_stop() { post(Mail{Mail::Kind::kStop, {}}); }

// --- the loop

void ShardDriver::run() {
  if (binding_.on_thread_start) binding_.on_thread_start();
  batch_ = SendBatch::make();
  ShardLoop& loop = *binding_.loop;
  int ready = 0;
  unsigned turns_without_sockets = 0;
  while (true) {
    loop.begin_turn();
    if (has_mail_.load(std::memory_order_acquire)) take_mail();
    services_ = 0;
    receiving_ends_us_ = 0;
    if (!runnable_.empty()) serve_runnable();   // they were ready before whoever is ready now
    for (int i = 0; i < ready; ++i) {
      const epoll_event& event = events_->list[i];
      if (event.data.ptr != nullptr) on_event(*static_cast<Client*>(event.data.ptr), event.events);
    }
    loop.catch_up();
    answer();   // what is answered by now does not wait for the long statements that go on next
    const bool more = loop.step();
    answer();
    if (!deadlines_.empty() || draining_) expire_deadlines();
    if (!dead_.empty()) bury();
    loop.end_turn();
    if (stopping_ && clients_.empty()) return;
    const bool busy = more || !runnable_.empty() || !resumed_.empty() || !dirty_.empty();
    // From begin_sleep() on whoever brings work signals; so every source is looked at once more after it.
    bool sleep = false;
    if (!busy && loop.talked() && most_wait() && await_mail() && ++turns_without_sockets < kMostTurnsWithoutSockets) {
      ready = 0;
      continue;
    }
    turns_without_sockets = 0;
    if (!busy) {
      binding_.wakeup->begin_sleep();
      sleep = loop.prepare_sleep() && !told();
      if (!sleep) binding_.wakeup->cancel_sleep();
    }
    ready = wait(sleep ? sleep_until_us() : 0);
    if (sleep) binding_.wakeup->cancel_sleep();   // the descriptor is edge-triggered: no end_sleep(), no read()
  }
}

// Whether another thread, no other shard, has brought something: mail, or a released LSN that an answer may wait for.
bool ShardDriver::told() const {
  return has_mail_.load(std::memory_order_acquire) || (!gated_.empty() && state_.clock.released() > released_);
}

// Whether next to nothing can come from the sockets: then what other shards answer is worth staying awake for. Otherwise the
// shard sleeps; a yield gives the core away for longer than a sleep does, and whoever sends a request would wait for it.
bool ShardDriver::most_wait() const { return waiting_ != 0 && 5 * waiting_ >= 4 * clients_.size(); }

// Stays awake for a little while for another shard's answer. The core is offered to others meanwhile: with fewer cores than
// threads the one that is waited for may need it.
bool ShardDriver::await_mail() {
  const std::int64_t until_us = now_us() + kAwaitMailUs;
  for (unsigned round = 1;; ++round) {
    if (binding_.loop->has_mail() || told()) return true;
    if (round % 64 != 0) continue;
    if (now_us() >= until_us) return false;
    std::this_thread::yield();
  }
}

std::int64_t ShardDriver::sleep_until_us() const {
  std::int64_t until = binding_.loop->next_deadline_us();
  if (!deadlines_.empty()) until = std::min(until, deadlines_.begin()->first);
  if (draining_ && !clients_.empty()) until = std::min(until, drain_deadline_us_);
  return until;
}

// until_us: 0 = do not block, INT64_MAX = without limit.
int ShardDriver::wait(std::int64_t until_us) {
  if (until_us == 0 || until_us == INT64_MAX) {
    const int ready = ::epoll_wait(epoll_, events_->list, kEventsPerWait, until_us == 0 ? 0 : -1);
    return std::max(ready, 0);   // EINTR: look again next turn
  }
  const std::int64_t left_us = std::max<std::int64_t>(until_us - now_us(), 0);
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(left_us / 1'000'000);
  timeout.tv_nsec = static_cast<long>(left_us % 1'000'000) * 1000;
  int ready = ::epoll_pwait2(epoll_, events_->list, kEventsPerWait, &timeout, nullptr);
  if (ready < 0 && errno == ENOSYS)   // before Linux 5.11: whole milliseconds, rounded up so that the deadline has come
    ready = ::epoll_wait(epoll_, events_->list, kEventsPerWait,
                         static_cast<int>(std::min<std::int64_t>((left_us + 999) / 1000, 60'000)));
  return std::max(ready, 0);
}

void ShardDriver::take_mail() {
  std::vector<Mail> taken;
  has_mail_.exchange(false, std::memory_order_acq_rel);
  {
    const std::lock_guard<std::mutex> lock(mail_mutex_);
    taken.swap(mail_);
  }
  for (Mail& mail : taken) handle_mail(mail);
}

void ShardDriver::handle_mail(Mail& mail) {
  const auto found = by_process_id_.find(mail.process_id);
  Client* client = found == by_process_id_.end() ? nullptr : found->second;
  switch (mail.kind) {
    case Mail::Kind::kSocket:
      add_client(std::move(mail.socket));
      break;
    case Mail::Kind::kCancel:
      if (client != nullptr && client->secret_matches(mail.secret)) client->cancel();
      break;
    case Mail::Kind::kCancelSignal:
      if (client != nullptr) client->cancel();
      break;
    case Mail::Kind::kTerminateSignal:
      if (client == nullptr) break;
      client->terminate(Status{sqlstate::admin_shutdown, "terminating connection due to administrator command"});
      settle(*client);
      break;
    case Mail::Kind::kDrain:
      draining_ = true;
      drain_deadline_us_ = std::min(drain_deadline_us_, mail.deadline_us);
      break;
    case Mail::Kind::kStop:
      stopping_ = draining_ = true;
      drain_deadline_us_ = 0;
      break;
  }
}

// --- clients

void ShardDriver::add_client(AcceptedSocket socket) {
  auto client = std::make_unique<Client>(*this, socket);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = client.get();
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, client->fd, &event) != 0) {   // out of watches or memory
    if (state_.options.log)
      state_.options.log(Severity::kLog, std::string("could not watch a new connection: ") + std::strerror(errno));
    ::close(client->fd);
    load_.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  client->index = clients_.size();
  clients_.push_back(client.get());
  set_deadline(*client, socket.accepted_us + state_.options.handshake_timeout_us);
  client.release();   // bury() deletes it
}

void ShardDriver::on_event(Client& client, std::uint32_t events) {
  if (client.dead) return;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
    // A peer that is gone for good may have left bytes behind: they are handled, unless somebody waits here for nobody.
    if ((events & EPOLLERR) != 0 || client.stalled() || client.closing()) {
      close(client);
      return;
    }
    client.peer_closing = true;
    events |= EPOLLIN;
  }
  if ((events & EPOLLRDHUP) != 0) client.peer_closing = true;
  if ((events & EPOLLOUT) != 0 && client.output().sendable() && !client.in_dirty) {
    client.in_dirty = true;
    dirty_.push_back(&client);
  }
  if ((events & EPOLLOUT) != 0 && client.tls != nullptr && !client.tls->established()) events |= EPOLLIN;   // the handshake waited for room
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) {
    client.readable = true;
    if (client.tls != nullptr) client.tls->socket_has_more();   // records that were read before hide it from the next read
    if (client.in_runnable) return;
    if (time_left()) {
      service(client);
    } else {
      run_next_turn(client);
    }
  }
}

// Handles what was received before, else receives once and handles that: one share of a turn.
void ShardDriver::service(Client& client) {
  if (client.dead || client.closing() || client.stalled()) return;
  if (client.unhandled) {
    client.unhandled = false;
    const std::size_t done = client.consume(client.input.data(), client.input.size());
    client.input.drop(done);
    settle(client);
  } else if (client.readable) {
    if (receive(client)) settle(client);
  }
}

// One recv. Into the shard's buffer if nothing is left over, so that an idle connection keeps none; else behind what is.
// Returns false if the client is dead after it.
bool ShardDriver::receive(Client& client) {
  InputBuffer& input = client.input;
  char* into = receive_buffer_.get();
  std::size_t room = kReceiveBytes;
  const bool append = !input.empty();
  if (append) {
    // Memory grows with what has arrived, not with what a length word promises.
    const std::size_t missing = std::max(client.needed_bytes(), input.size()) - input.size();
    if (!input.make_room(std::clamp(missing, kReceiveBytes / 2, std::max(input.size(), kReceiveBytes)))) {
      refuse_for_memory(client);
      return true;
    }
    into = input.tail();
    room = input.room();
  }
  const ssize_t got = client.tls == nullptr ? ::recv(client.fd, into, room, 0) : receive_tls(client, into, room);
  if (got <= 0) {
    client.readable = false;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      client.readable = errno == EINTR;
      return true;
    }
    if (got < 0) {
      close(client);
      return false;
    }
    client.end_of_file = true;
    return true;
  }
  const std::size_t bytes = static_cast<std::size_t>(got);
  // Fewer bytes than there was room for: the socket is empty, and the next ones will be an edge. Only an end of file that was
  // signalled together with these bytes would not be.
  client.readable = bytes == room || client.peer_closing || (client.tls != nullptr && client.tls->may_have_more());
  if (append) {
    input.filled(bytes);
    const std::size_t done = client.consume(input.data(), input.size());
    input.drop(done);
  } else {
    const std::size_t done = client.consume(into, bytes);
    if (done < bytes && !input.append(into + done, bytes - done)) refuse_for_memory(client);
  }
  return true;
}

// As recv() would answer.
ssize_t ShardDriver::receive_tls(Client& client, char* into, std::size_t room) {
  std::size_t got = 0;
  switch (client.tls->read(into, room, &got)) {
    case TlsChannel::Outcome::kDone: return static_cast<ssize_t>(got);
    case TlsChannel::Outcome::kClosed: return 0;
    case TlsChannel::Outcome::kFailed:
      if (!client.ready() && state_.options.log)
        state_.options.log(Severity::kLog, "could not accept SSL connection: " + client.tls->error());
      errno = ECONNRESET;
      return -1;
    default:
      errno = EAGAIN;
      return -1;
  }
}

void ShardDriver::refuse_for_memory(Client& client) {
  client.terminate(Status{sqlstate::out_of_memory, "out of memory"}.with_detail("A message does not fit."));
}

// Puts a client where its state wants it. After everything that may have changed it.
void ShardDriver::settle(Client& client) {
  if (client.dead) return;
  count_waiting(client, client.pending());
  client.unhandled = client.unhandled || client.more_to_handle();
  if (!client.in_dirty && !client.output().empty()) {
    client.in_dirty = true;
    dirty_.push_back(&client);
  }
  if (client.closing()) {
    start_closing(client);
    return;
  }
  if (client.stalled()) return;   // resume() or a flush brings it back
  if (client.unhandled || client.readable) {
    run_next_turn(client);
  } else if (client.end_of_file) {
    client.end_of_input();
    start_closing(client);
  }
}

void ShardDriver::count_waiting(Client& client, bool waits) {
  if (client.waits == waits) return;
  client.waits = waits;
  waits ? ++waiting_ : --waiting_;
}

void ShardDriver::run_next_turn(Client& client) {
  if (client.in_runnable) return;
  client.in_runnable = true;
  runnable_.push_back(&client);
}

// Whether another client may be served before what was answered so far is sent. A client alone is bounded by its own share;
// this bounds what many pipelines together put between a request and its answer.
bool ShardDriver::time_left() {
  if ((++services_ & 3u) != 0) return receiving_ends_us_ >= 0;
  if (receiving_ends_us_ < 0) return false;
  const std::int64_t now = now_us();
  if (receiving_ends_us_ == 0) {
    receiving_ends_us_ = now + state_.options.turn_budget_us;
  } else if (now >= receiving_ends_us_) {
    receiving_ends_us_ = -1;
    return false;
  }
  return true;
}

void ShardDriver::serve_runnable() {
  serving_.clear();
  serving_.swap(runnable_);
  for (Client* client : serving_) {
    client->in_runnable = false;
    if (time_left()) {
      service(*client);
    } else {
      run_next_turn(*client);
    }
  }
}

void ShardDriver::serve_resumed() {
  // What one session does may let another go on; a few rounds, then the sockets get their turn.
  for (int round = 0; round < kResumeRounds && !resumed_.empty(); ++round) {
    serving_.clear();
    serving_.swap(resumed_);
    for (Client* client : serving_) {
      client->in_resumed = false;
      if (client->dead) continue;
      client->proceed();
      if (!client->pending() && !client->input.empty()) client->unhandled = true;
      settle(*client);
    }
  }
}

void ShardDriver::answer() {
  if (!resumed_.empty()) serve_resumed();
  flush_all();
}

void ShardDriver::flush_all() {
  if (dirty_.empty() && gated_.empty()) return;
  const Lsn released = state_.clock.released();
  if (released > released_) {
    released_ = released;
    for (Client* client : gated_) {
      client->in_gated = false;
      if (client->dead || client->in_dirty) continue;
      client->in_dirty = true;
      dirty_.push_back(client);
    }
    gated_.clear();
  }
  demanded_ = Lsn{};
  serving_.clear();
  serving_.swap(dirty_);
  if (batch_ != nullptr && serving_.size() >= kLeastBatch) send_together();
  for (Client* client : serving_) {
    client->in_dirty = false;
    if (!client->dead) flush(*client);
  }
  if (demanded_ > released_) state_.clock.demand(shard_, demanded_);
}

// What many clients are to get, as far as one send each goes; flush() sees to whatever then remains of each.
void ShardDriver::send_together() {
  for (Client* client : serving_) {
    if (client->dead || client->tls != nullptr) continue;
    client->seal();
    client->output().release(released_);
    if (!client->output().sendable()) continue;
    SendBatch::Send& send = batch_->add();
    send.fd = client->fd;
    send.pieces = client->output().gather(send.piece, SendBatch::kPieces);
    batched_.push_back(client);
    if (batch_->full()) take_results();
  }
  if (!batched_.empty()) take_results();
}

// An error comes up again, and is handled, when flush() sends.
void ShardDriver::take_results() {
  const std::span<const SendBatch::Send> sends = batch_->submit();
  for (std::size_t i = 0; i < sends.size(); ++i)
    if (sends[i].sent > 0) batched_[i]->output().consumed(static_cast<std::size_t>(sends[i].sent));
  batched_.clear();
}

void ShardDriver::flush(Client& client) {
  GatedOutput& output = client.output();
  client.seal();
  output.release(released_);
  while (output.sendable()) {
    if (!(client.tls == nullptr ? send_some(client) : send_some_tls(client))) break;
  }
  if (client.dead) return;
  if (output.gated()) {
    demanded_ = std::max(demanded_, output.newest_floor());
    if (!client.in_gated) {
      client.in_gated = true;
      gated_.push_back(&client);
    }
  }
  if (client.closing()) {
    if (output.empty()) close(client);
    return;
  }
  if (client.can_resume_output()) {
    resume(client);
  } else if (!client.stalled() && (client.unhandled || client.readable || client.end_of_file)) {
    settle(client);   // it had stopped for its output's sake
  }
}

// Offers what may leave to the client's kernel. False: no more for now, or the client is dead.
bool ShardDriver::send_some(Client& client) {
  iovec pieces[SendBatch::kPieces];
  const std::size_t count = client.output().gather(pieces, SendBatch::kPieces);
  std::size_t offered = 0;
  for (std::size_t i = 0; i < count; ++i) offered += pieces[i].iov_len;
  DB_ASSERT(offered > 0);   // else the caller would go round for ever, and the shard with it
  ssize_t sent;
  if (count == 1) [[likely]] {
    sent = ::send(client.fd, pieces[0].iov_base, offered, MSG_NOSIGNAL);
  } else {
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    sent = ::sendmsg(client.fd, &message, MSG_NOSIGNAL);
  }
  if (sent < 0) {
    if (errno == EINTR) return true;
    if (errno != EAGAIN) close(client);   // else the socket's EPOLLOUT edge brings it back
    return false;
  }
  client.output().consumed(static_cast<std::size_t>(sent));
  return static_cast<std::size_t>(sent) == offered;
}

// The same through TLS, a record at most.
bool ShardDriver::send_some_tls(Client& client) {
  iovec piece;
  const std::size_t count = client.output().gather(&piece, 1);
  DB_ASSERT(count == 1 && piece.iov_len > 0);
  std::size_t taken = 0;
  switch (client.tls->write(static_cast<const char*>(piece.iov_base), std::min(piece.iov_len, kTlsRecordBytes), &taken)) {
    case TlsChannel::Outcome::kDone:
      client.output().consumed(taken);
      return true;
    case TlsChannel::Outcome::kWantsRead:
    case TlsChannel::Outcome::kWantsWrite: return false;
    default:
      close(client);
      return false;
  }
}

void ShardDriver::start_closing(Client& client) {
  client.input.release();
  client.readable = client.unhandled = false;
  if (client.output().empty()) {
    close(client);
    return;
  }
  if (client.in_gated || client.in_dirty || client.output().sendable()) {
    const std::int64_t until = now_us() + state_.options.linger_timeout_us;
    if (client.deadline_us == 0 || client.deadline_us > until) set_deadline(client, until);
  }
}

// Memory is given back at the end of the turn: the lists and this turn's events still name the client.
void ShardDriver::close(Client& client) {
  if (client.dead) return;
  client.dead = true;
  count_waiting(client, false);
  client.end_of_input();
  set_deadline(client, 0);
  if (client.tls != nullptr) client.tls->shutdown();
  if (client.output().empty() && !client.end_of_file) {
    // Closing a socket with unread bytes sends a reset, which may overtake the last answer: read them first.
    ::shutdown(client.fd, SHUT_WR);
    for (int i = 0; i < 16 && ::recv(client.fd, receive_buffer_.get(), kReceiveBytes, MSG_DONTWAIT) > 0; ++i) {
    }
  }
  ::close(client.fd);
  if (client.admitted()) state_.admitted.fetch_sub(1, std::memory_order_relaxed);
  load_.fetch_sub(1, std::memory_order_relaxed);
  if (client.process_id() != 0) by_process_id_.erase(client.process_id());
  clients_.back()->index = client.index;
  clients_[client.index] = clients_.back();
  clients_.pop_back();
  dead_.push_back(&client);
}

void ShardDriver::bury() {
  const auto is_dead = [](const Client* client) { return client->dead; };
  std::erase_if(runnable_, is_dead);
  std::erase_if(resumed_, is_dead);
  std::erase_if(dirty_, is_dead);
  std::erase_if(gated_, is_dead);
  serving_.clear();
  for (Client* client : dead_) delete client;
  dead_.clear();
}

void ShardDriver::set_deadline(Client& client, std::int64_t deadline_us) {
  if (client.deadline_us != 0) deadlines_.erase({client.deadline_us, &client});
  client.deadline_us = deadline_us;
  if (deadline_us != 0) deadlines_.insert({deadline_us, &client});
}

void ShardDriver::expire_deadlines() {
  const std::int64_t now = now_us();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Client& client = *deadlines_.begin()->second;
    if (client.closing()) {
      close(client);   // it did not fetch its last bytes
      continue;
    }
    set_deadline(client, 0);
    client.terminate(Status{sqlstate::query_canceled, "canceling authentication due to timeout"});
    settle(client);
  }
  if (draining_) drain_idle();
}

void ShardDriver::drain_idle() {
  const bool now_all = now_us() >= drain_deadline_us_;
  for (std::size_t i = clients_.size(); i-- > 0;) {   // close() puts the last one in the place of the one that went
    if (i >= clients_.size()) continue;
    Client& client = *clients_[i];
    if (client.closing()) {
      if (stopping_) close(client);
      continue;
    }
    const bool idle = client.ready() ? client.idle() && client.input.empty() && !client.readable : true;
    if (!idle && !now_all) continue;
    client.terminate(Status{sqlstate::admin_shutdown, "terminating connection due to administrator command"});
    settle(client);
  }
}

// --- ConnectionHost

Status ShardDriver::admit(Connection&) {
  switch (state_.accepting.load(std::memory_order_acquire)) {
    case ServerState::Accepting::kStarting:
      return Status{sqlstate::cannot_connect_now, "the database system is starting up"};
    case ServerState::Accepting::kShuttingDown:
      return Status{sqlstate::cannot_connect_now, "the database system is shutting down"};
    case ServerState::Accepting::kReady:
      break;
  }
  if (state_.admitted.fetch_add(1, std::memory_order_relaxed) >= state_.options.max_connections) {
    state_.admitted.fetch_sub(1, std::memory_order_relaxed);
    return Status{sqlstate::too_many_connections, "sorry, too many clients already"};
  }
  return {};
}

Status ShardDriver::admit_role(bool superuser) {
  const unsigned reserved = state_.options.superuser_reserved_connections;
  if (superuser || reserved == 0 || state_.options.max_connections <= reserved) return {};
  if (state_.admitted.load(std::memory_order_relaxed) <= state_.options.max_connections - reserved) return {};
  return Status{sqlstate::too_many_connections,
                "remaining connection slots are reserved for non-replication superuser connections"};
}

// The number names the shard, so that a CancelRequest finds it from any other: serial * shards + shard.
std::int32_t ShardDriver::assign_process_id(Connection& connection) {
  const std::uint32_t serials = static_cast<std::uint32_t>(INT32_MAX) / state_.shards - 1;
  while (true) {
    const std::uint32_t serial = next_serial_;
    next_serial_ = next_serial_ == serials ? 1 : next_serial_ + 1;
    const auto process_id = static_cast<std::int32_t>(serial * state_.shards + shard_);
    if (by_process_id_.emplace(process_id, static_cast<Client*>(&connection)).second) return process_id;
  }
}

void ShardDriver::handshake_done(Connection& connection) { set_deadline(static_cast<Client&>(connection), 0); }

bool ShardDriver::start_tls(Connection& connection, std::string_view received) {
  auto& client = static_cast<Client&>(connection);
  std::shared_ptr<const TlsContext> context = state_.tls();
  if (context == nullptr || client.tls != nullptr) return false;
  const bool direct = !received.empty();
  // One byte, the first on this socket: the kernel takes it.
  if (!direct && ::send(client.fd, "S", 1, MSG_NOSIGNAL) != 1) return false;
  client.tls = std::make_unique<TlsChannel>(std::move(context), client.fd, received, direct);
  client.readable = true;
  return true;
}

std::shared_ptr<const sql::TlsInfo> ShardDriver::tls_info(Connection& connection, std::string* end_point) {
  auto& client = static_cast<Client&>(connection);
  if (client.tls == nullptr) return nullptr;
  if (end_point != nullptr) *end_point = client.tls->context().end_point();
  return std::make_shared<const sql::TlsInfo>(client.tls->info());
}

void ShardDriver::cancel(std::int32_t process_id, std::uint32_t secret) {
  if (process_id <= 0) return;
  state_.drivers[static_cast<std::uint32_t>(process_id) % state_.shards]->post_cancel(process_id, secret);
}

void ShardDriver::output_appended(Connection& connection) {
  auto& client = static_cast<Client&>(connection);
  if (client.in_dirty || client.dead) return;
  client.in_dirty = true;
  dirty_.push_back(&client);
}

void ShardDriver::resume(Connection& connection) {
  auto& client = static_cast<Client&>(connection);
  if (client.in_resumed || client.dead) return;
  client.in_resumed = true;
  resumed_.push_back(&client);
}

}  // namespace wandian::wire
