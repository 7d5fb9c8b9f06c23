#include "bench/day/load.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>

#include "bench/day/requests.h"

namespace wandian::bench {

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::uint8_t kMostAttempts = 50;
constexpr std::size_t kRefusalsKept = 10;

std::uint64_t monotonic_ns() {
  timespec t;
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<std::uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(t.tv_nsec);
}

double own_cpu_seconds() {
  rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint32_t get32(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}

std::uint64_t get64(const char* at) {
  std::uint64_t value;
  std::memcpy(&value, at, 8);
  return __builtin_bswap64(value);
}

}  // namespace

struct Load::Connection {
  int fd = -1;
  int chains = 0;               // under way, at most `pipeline`
  bool dirty = false;           // in dirty_
  bool watched_for_write = false;
  bool refused = false;         // an ErrorResponse came for the oldest request
  std::int64_t value = 0;       // of the oldest request's row
  PgError problem;

  // Requests without an answer, oldest first: a ring, since answers come in order.
  std::vector<Request> ring;
  std::uint64_t oldest = 0, next = 0;

  std::vector<char> in = std::vector<char>(kReadBytes);
  std::size_t in_begin = 0, in_end = 0;
  std::vector<char> out;
  std::size_t out_begin = 0, out_end = 0;
};

Load::Load(const DayOptions& options, OrderGenerator& generator, std::vector<std::int32_t> stock)
    : options_(options), generator_(generator), stock_(std::move(stock)) {
  books_.stores.resize(static_cast<std::size_t>(options.stores));
}

Load::~Load() {
  for (const auto& connection : connections_)
    if (connection->fd >= 0) ::close(connection->fd);
  if (epoll_ >= 0) ::close(epoll_);
}

bool Load::lost(const std::string& why) {
  error_ = why;
  return false;
}

bool Load::connect(const ConnectionUrl& url) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < options_.connections; ++i) {
    PgSession session;
    bool good = session.connect(url);
    for (const CallStatement* call : {&kPlaceOrder, &kPayOrder, &kCancelOrder, &kRestock})
      good = good && session.prepare(call->name, "SELECT " + options_.procedure_prefix + std::string(call->call));
    if (!good) return lost("connection " + std::to_string(i + 1) + ": " + session.error().message);

    auto connection = std::make_unique<Connection>();
    connection->fd = session.release();
    ::fcntl(connection->fd, F_SETFL, ::fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
    // A chain has one call under way, and before it at most a restock for each of its lines.
    const auto most = static_cast<std::size_t>(options_.pipeline) * (1 + kMostLines);
    connection->ring.resize(std::bit_ceil(most + 1));
    connection->out.resize((most + 1) * kLargestCall);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.get();
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd, &event);
    connections_.push_back(std::move(connection));
  }
  dirty_.reserve(connections_.size());
  return true;
}

Load::Request& Load::append(Connection& connection, Call call) {
  Request& request = connection.ring[connection.next++ & (connection.ring.size() - 1)];
  request.call = call;
  ++outstanding_;
  return request;
}

void Load::write_call(Connection& connection, const Request& request) {
  if (connection.out_end + kLargestCall > connection.out.size()) {
    std::memmove(connection.out.data(), connection.out.data() + connection.out_begin,
                 connection.out_end - connection.out_begin);
    connection.out_end -= std::exchange(connection.out_begin, 0);
    if (connection.out_end + kLargestCall > connection.out.size()) connection.out.resize(connection.out.size() * 2);
  }
  char* at = connection.out.data() + connection.out_end;
  switch (request.call) {
    case Call::place: connection.out_end += write_place_order(at, request.order); break;
    case Call::pay: connection.out_end += write_pay_order(at, request.order, request.order_id); break;
    case Call::cancel: connection.out_end += write_cancel_order(at, request.order, request.order_id); break;
    case Call::restock:
      connection.out_end += write_restock(at, request.order.store, request.item, request.quantity);
      break;
  }
  if (!connection.dirty) {
    connection.dirty = true;
    dirty_.push_back(&connection);
  }
}

void Load::send_restock(Connection& connection, std::uint32_t store, std::uint32_t item, std::uint32_t quantity) {
  Request& request = append(connection, Call::restock);
  request.order.store = store;
  request.item = static_cast<std::uint8_t>(item);
  request.quantity = quantity;
  request.attempts = 0;
  stock_[store * kMenuItems + item] += static_cast<std::int32_t>(quantity);
  write_call(connection, request);
}

void Load::restock_when_low(Connection& connection, const Order& order) {
  for (std::size_t line = 0; line < order.lines; ++line) {
    std::int32_t& left = stock_[order.store * kMenuItems + order.item[line]];
    left -= order.quantity[line];
    if (left < kLow) send_restock(connection, order.store, order.item[line], kRestockUnits);
  }
}

void Load::place(Connection& connection, const Order& order, std::uint64_t begun_ns, std::uint8_t attempts) {
  Request& request = append(connection, Call::place);
  request.order = order;
  request.begun_ns = begun_ns;
  request.attempts = attempts;
  write_call(connection, request);
}

void Load::begin_order(Connection& connection, std::uint64_t begun_ns) {
  Order order;
  generator_.next(order);
  restock_when_low(connection, order);
  place(connection, order, begun_ns, 0);
}

// Payment or cancellation of the order that `last` placed or paid.
void Load::follow(Connection& connection, Call call, const Request& last) {
  Request& request = append(connection, call);
  request.order = last.order;
  request.order_id = last.order_id;
  request.begun_ns = now_ns_;
  request.attempts = 0;
  write_call(connection, request);
}

void Load::end_chain(Connection& connection) {
  ++ended_;
  if (options_.rate <= 0 && generator_.made() < options_.orders) {
    begin_order(connection, now_ns_);
  } else {
    --connection.chains;
  }
}

void Load::begin_due_orders() {
  while (generator_.made() < options_.orders) {
    const auto due_ns =
        first_ns_ + static_cast<std::uint64_t>(static_cast<double>(generator_.made()) * 1e9 / options_.rate);
    if (due_ns > now_ns_) return;
    std::size_t tried = 0;
    while (tried < connections_.size() && connections_[next_connection_]->chains >= options_.pipeline) {
      next_connection_ = (next_connection_ + 1) % connections_.size();
      ++tried;
    }
    if (tried == connections_.size()) return;   // every chain is busy: this order waits, and its clock runs
    Connection& connection = *connections_[next_connection_];
    next_connection_ = (next_connection_ + 1) % connections_.size();
    ++connection.chains;
    begin_order(connection, due_ns);
  }
}

void Load::refused(Connection& connection, const Request& request) {
  const PgError& problem = connection.problem;
  if (request.attempts < kMostAttempts) {
    if (problem.sqlstate == "HD001" && request.call == Call::place) {
      ++books_.refused_out_of_stock;
      for (std::size_t line = 0; line < request.order.lines; ++line)
        send_restock(connection, request.order.store, request.order.item[line], kRestockUnits);
      place(connection, request.order, request.begun_ns, static_cast<std::uint8_t>(request.attempts + 1));
      return;
    }
    if (problem.sqlstate == "40001" || problem.sqlstate == "40P01") {
      ++books_.retried;
      Request& again = append(connection, request.call);
      again = request;
      ++again.attempts;
      write_call(connection, again);
      return;
    }
  }
  ++books_.failed;
  if (refusals_.size() < kRefusalsKept) refusals_.push_back(problem.sqlstate + ": " + problem.message);
  if (request.call != Call::restock) end_chain(connection);
}

// The oldest request of the connection is complete.
void Load::answered(Connection& connection) {
  const Request request = connection.ring[connection.oldest++ & (connection.ring.size() - 1)];
  --outstanding_;
  last_ns_ = now_ns_;
  if (connection.refused) {
    connection.refused = false;
    refused(connection, request);
    return;
  }
  const Order& order = request.order;
  switch (request.call) {
    case Call::place: {
      order_latency_.record(now_ns_ - request.begun_ns);
      Request placed = request;
      placed.order_id = connection.value;
      Books::Store& store = books_.stores[order.store];
      ++store.orders;
      store.order_ids += static_cast<std::uint64_t>(connection.value);
      store.request_ids += order.request_id;
      store.cents += static_cast<std::uint64_t>(order.total_cents);
      ++books_.placed;
      books_.lines += order.lines;
      books_.total_cents += static_cast<std::uint64_t>(order.total_cents);
      for (std::size_t line = 0; line < order.lines; ++line) books_.units_sold += order.quantity[line];
      if (order.fate == Fate::leave) {
        end_chain(connection);
      } else {
        follow(connection, order.fate == Fate::cancel ? Call::cancel : Call::pay, placed);
      }
      break;
    }
    case Call::pay:
      payment_latency_.record(now_ns_ - request.begun_ns);
      ++books_.paid;
      books_.paid_cents += static_cast<std::uint64_t>(order.total_cents);
      if (order.fate == Fate::pay_then_cancel) {
        follow(connection, Call::cancel, request);
      } else {
        end_chain(connection);
      }
      break;
    case Call::cancel:
      ++books_.cancelled;
      if (order.fate == Fate::pay_then_cancel) ++books_.refunded;
      for (std::size_t line = 0; line < order.lines; ++line) {
        books_.units_sold -= order.quantity[line];
        stock_[order.store * kMenuItems + order.item[line]] += order.quantity[line];
      }
      end_chain(connection);
      break;
    case Call::restock:
      ++books_.restocks;
      books_.units_restocked += request.quantity;
      break;
  }
}

bool Load::handle_answers(Connection& connection) {
  for (;;) {
    const char* at = connection.in.data() + connection.in_begin;
    const std::size_t have = connection.in_end - connection.in_begin;
    if (have < 5) break;
    const std::size_t size = get32(at + 1) + std::size_t{1};
    if (size < 5) return lost("the server sent a message of impossible length");
    if (size > have) {
      if (size > connection.in.size()) {
        std::vector<char> larger(std::bit_ceil(size));
        std::memcpy(larger.data(), at, have);
        connection.in.swap(larger);
        connection.in_begin = 0;
        connection.in_end = have;
      }
      break;
    }
    switch (*at) {
      case 'D':
        if (size >= 11) {
          const std::uint32_t length = get32(at + 7);
          if (length == 8 && size >= 19) connection.value = static_cast<std::int64_t>(get64(at + 11));
          if (length == 4 && size >= 15) connection.value = static_cast<std::int32_t>(get32(at + 11));
        }
        break;
      case 'E':
        connection.refused = true;
        connection.problem = read_error_fields({at + 5, size - 5});
        if (connection.oldest == connection.next) return lost("the server said: " + connection.problem.message);
        break;
      case 'Z':
        if (connection.oldest == connection.next) return lost("the server answered what was not asked");
        connection.in_begin += size;
        answered(connection);
        continue;
      default: break;
    }
    connection.in_begin += size;
  }
  if (connection.in_begin == connection.in_end) {
    connection.in_begin = connection.in_end = 0;
  } else if (connection.in.size() - connection.in_end < kReadBytes / 4) {
    std::memmove(connection.in.data(), connection.in.data() + connection.in_begin,
                 connection.in_end - connection.in_begin);
    connection.in_end -= std::exchange(connection.in_begin, 0);
  }
  return true;
}

bool Load::receive(Connection& connection) {
  const ssize_t n =
      ::recv(connection.fd, connection.in.data() + connection.in_end, connection.in.size() - connection.in_end, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (n < 0) return lost(std::string("cannot receive: ") + std::strerror(errno));
  if (n == 0) {
    return lost(connection.refused ? "the server closed a connection: " + connection.problem.message
                                   : std::string("the server closed a connection"));
  }
  connection.in_end += static_cast<std::size_t>(n);
  return handle_answers(connection);
}

bool Load::flush(Connection& connection) {
  connection.dirty = false;
  const std::size_t size = connection.out_end - connection.out_begin;
  if (size == 0) return true;
  ssize_t n = ::send(connection.fd, connection.out.data() + connection.out_begin, size, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return lost(std::string("cannot send: ") + std::strerror(errno));
  if (n < 0) n = 0;
  connection.out_begin += static_cast<std::size_t>(n);
  if (connection.out_begin == connection.out_end) connection.out_begin = connection.out_end = 0;
  const bool more = connection.out_end != 0;
  if (more != connection.watched_for_write) {
    connection.watched_for_write = more;
    epoll_event event{};
    event.events = more ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }
  return true;
}

void Load::report_progress() {
  if (now_ns_ - progress_ns_ < 1'000'000'000) return;
  const double passed = static_cast<double>(now_ns_ - progress_ns_) / 1e9;
  const int minute = generator_.minute_of_day();
  if (!options_.quiet) {
    std::fprintf(stderr, "%6.1f s  %02d:%02d of the day  %10llu orders  %9.0f orders/s  p99 %.2f ms  failed %llu\n",
                 static_cast<double>(now_ns_ - first_ns_) / 1e9, minute / 60, minute % 60,
                 static_cast<unsigned long long>(books_.placed),
                 static_cast<double>(books_.placed - progress_orders_) / passed, order_latency_.percentile_ms(0.99),
                 static_cast<unsigned long long>(books_.failed));
  }
  progress_ns_ = now_ns_;
  progress_orders_ = books_.placed;
}

// Waits until something can be read, or, in the open loop, the next order is due; at most a second.
int Load::wait_for_events(epoll_event* events, int most) {
  std::uint64_t wait_ns = 1'000'000'000;
  if (options_.rate > 0 && generator_.made() < options_.orders) {
    const auto due_ns =
        first_ns_ + static_cast<std::uint64_t>(static_cast<double>(generator_.made()) * 1e9 / options_.rate);
    // An order that is due already waits for a chain, so for an answer, not for the clock.
    if (due_ns > now_ns_) wait_ns = std::min(wait_ns, due_ns - now_ns_);
  }
  timespec timeout{static_cast<time_t>(wait_ns / 1'000'000'000), static_cast<long>(wait_ns % 1'000'000'000)};
  return ::epoll_pwait2(epoll_, events, most, &timeout, nullptr);
}

bool Load::run() {
  if (options_.orders == 0) return true;
  ::prctl(PR_SET_TIMERSLACK, 1UL);   // the default of 50 us would be charged to the server in the open loop
  const double cpu_before = own_cpu_seconds();
  now_ns_ = first_ns_ = last_ns_ = progress_ns_ = monotonic_ns();
  if (options_.rate <= 0) {
    for (int depth = 0; depth < options_.pipeline; ++depth) {
      for (const auto& connection : connections_) {
        if (generator_.made() == options_.orders) break;
        ++connection->chains;
        begin_order(*connection, now_ns_);
      }
    }
  }
  std::vector<epoll_event> events(connections_.size());
  while (ended_ < options_.orders || outstanding_ > 0) {
    if (options_.rate > 0) begin_due_orders();
    // Every answer of this turn was handled before anything is written, so a connection is written once a turn.
    for (Connection* connection : dirty_)
      if (!flush(*connection)) return false;
    dirty_.clear();
    const int ready = wait_for_events(events.data(), static_cast<int>(events.size()));
    if (ready < 0 && errno != EINTR) return lost(std::string("epoll: ") + std::strerror(errno));
    now_ns_ = monotonic_ns();
    for (int i = 0; i < ready; ++i) {
      auto& connection = *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      const auto what = events[static_cast<std::size_t>(i)].events;
      if ((what & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && !receive(connection)) return false;
      if ((what & EPOLLOUT) != 0 && !connection.dirty && !flush(connection)) return false;
    }
    report_progress();
  }
  client_cpu_seconds_ = own_cpu_seconds() - cpu_before;
  return true;
}

}  // namespace wandian::bench
