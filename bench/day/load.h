#pragma once

#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/day/connection_url.h"
#include "bench/day/day.h"
#include "bench/day/histogram.h"
#include "bench/day/pg_session.h"
#include "bench/day/workload.h"

namespace wandian::bench {

// What the server acknowledged, kept so that its tables can be compared with it. Sums wrap at 2^64.
struct Books {
  struct Store {
    std::uint64_t orders = 0;
    std::uint64_t order_ids = 0;     // sum
    std::uint64_t request_ids = 0;   // sum
    std::uint64_t cents = 0;         // sum of totals
  };
  std::vector<Store> stores;         // by store_id - 1
  std::uint64_t placed = 0;
  std::uint64_t paid = 0;            // payments taken, refunded ones included
  std::uint64_t paid_cents = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t refunded = 0;
  std::uint64_t lines = 0;
  std::uint64_t total_cents = 0;
  std::uint64_t units_sold = 0;      // of orders not cancelled
  std::uint64_t restocks = 0;
  std::uint64_t units_restocked = 0;
  std::uint64_t refused_out_of_stock = 0;   // HD001, answered by restocking and asking again
  std::uint64_t retried = 0;                // 40001 and 40P01, asked again
  std::uint64_t failed = 0;                 // orders that ended with any other error
};

// Plays the orders over many pipelined connections, from one thread with one epoll, and keeps the books.
//
// An order is a chain: place_order, then what becomes of it (payment, cancellation, both, nothing), each call sent when
// the one before was answered. A connection holds up to `pipeline` chains. Closed loop: a chain that ends begins the
// next order. Open loop (`rate` > 0): order i begins at i / rate, or as soon after as a chain is free, and its latency
// counts from i / rate, so a server that stalls pays for the orders that had to wait (no coordinated omission).
//
// Restocking: the run knows each shelf's quantity from what it read at the start and asked for since; where less than
// kLow is left it restocks before it orders. Connections overtake each other, so a refusal (HD001) is still possible and
// answered by restocking the order's items and placing it again with the same request_id.
//
// The data path neither allocates nor makes a system call per order: answers are handled in the read buffer, calls
// are encoded into the connection's write buffer, and each connection is written once per turn of the loop.
class Load {
 public:
  static constexpr std::int32_t kLow = 12;
  static constexpr std::uint32_t kRestockUnits = 60;

  /// @param stock  quantity of (store * kMenuItems + item), as the database has it
  Load(const DayOptions& options, OrderGenerator& generator, std::vector<std::int32_t> stock);
  ~Load();

  /// Opens the connections and prepares the statements; on failure says why in error().
  bool connect(const ConnectionUrl& url);
  /// Returns when every order is answered (true) or a connection is lost (false, error()).
  bool run();

  const Books& books() const { return books_; }
  const Histogram& order_latency() const { return order_latency_; }
  const Histogram& payment_latency() const { return payment_latency_; }
  /// From the first call sent to the last one answered.
  double seconds() const { return static_cast<double>(last_ns_ - first_ns_) / 1e9; }
  double client_cpu_seconds() const { return client_cpu_seconds_; }
  const std::string& error() const { return error_; }
  /// The first few refusals, for the report.
  const std::vector<std::string>& refusals() const { return refusals_; }

 private:
  enum class Call : std::uint8_t { place, pay, cancel, restock };
  struct Request {
    Order order;
    std::int64_t order_id;
    std::uint64_t begun_ns;        // of the chain's order, or when the call was written
    Call call;
    std::uint8_t attempts;
    std::uint8_t item;             // restock
    std::uint32_t quantity;        // restock
  };
  struct Connection;

  void begin_order(Connection& connection, std::uint64_t begun_ns);
  void begin_due_orders();
  void restock_when_low(Connection& connection, const Order& order);
  Request& append(Connection& connection, Call call);
  void write_call(Connection& connection, const Request& request);
  void place(Connection& connection, const Order& order, std::uint64_t begun_ns, std::uint8_t attempts);
  void follow(Connection& connection, Call call, const Request& last);
  void send_restock(Connection& connection, std::uint32_t store, std::uint32_t item, std::uint32_t quantity);
  void end_chain(Connection& connection);

  bool receive(Connection& connection);
  bool handle_answers(Connection& connection);
  void answered(Connection& connection);
  void refused(Connection& connection, const Request& request);
  bool flush(Connection& connection);
  bool lost(const std::string& why);
  void report_progress();
  int wait_for_events(epoll_event* events, int most);

  const DayOptions& options_;
  OrderGenerator& generator_;
  std::vector<std::int32_t> stock_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> dirty_;      // with bytes to write
  std::size_t next_connection_ = 0;     // open loop: where to look for a free chain
  int epoll_ = -1;
  Books books_;
  Histogram order_latency_, payment_latency_;
  std::uint64_t now_ns_ = 0, first_ns_ = 0, last_ns_ = 0;
  std::uint64_t ended_ = 0;             // chains
  std::uint64_t outstanding_ = 0;       // calls without an answer
  std::uint64_t progress_ns_ = 0, progress_orders_ = 0;
  double client_cpu_seconds_ = 0;
  std::string error_;
  std::vector<std::string> refusals_;
};

}  // namespace wandian::bench
