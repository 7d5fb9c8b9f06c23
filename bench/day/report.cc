#include "bench/day/report.h"

#include <cinttypes>
#include <cstdio>

namespace wandian::bench {

namespace {

double per_order(double value, const Books& books) {
  return books.placed == 0 ? 0 : value / static_cast<double>(books.placed);
}

double rate(const Report& report) {
  const double seconds = report.load.seconds();
  return seconds > 0 ? static_cast<double>(report.load.books().placed) / seconds : 0;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

void print_latency(const char* what, const Histogram& latency) {
  std::printf("%-20s p50 %.3f  p95 %.3f  p99 %.3f  p99.9 %.3f  max %.3f ms\n", what, latency.percentile_ms(0.5),
              latency.percentile_ms(0.95), latency.percentile_ms(0.99), latency.percentile_ms(0.999),
              static_cast<double>(latency.max_ns()) / 1e6);
}

// An object written one member a line, so that `grep` finds a figure.
class JsonObject {
 public:
  void number(const char* key, double value, int digits = 3) {
    char text[64];
    std::snprintf(text, sizeof(text), "%.*f", digits, value);
    member(key, text);
  }
  void integer(const char* key, std::uint64_t value) { member(key, std::to_string(value)); }
  void text(const char* key, const std::string& value) { member(key, json_string(value)); }
  void null(const char* key) { member(key, "null"); }
  std::string finish() const { return "{\n" + body_ + "\n}\n"; }

 private:
  void member(const char* key, const std::string& value) {
    body_ += (body_.empty() ? "  \"" : ",\n  \"") + std::string(key) + "\": " + value;
  }
  std::string body_;
};

}  // namespace

bool Report::good() const {
  return load.error().empty() && load.books().failed == 0 && load.books().placed == options.orders &&
         (invariants == "ok" || invariants == "not checked");
}

void print_report(const Report& report) {
  const Books& books = report.load.books();
  const DayOptions& options = report.options;
  std::printf("%-20s %" PRIu64 " acknowledged of %" PRIu64 ", %" PRIu64 " failed\n", "orders", books.placed,
              options.orders, books.failed);
  std::printf("%-20s %.3f, %d connections, pipeline depth %d%s\n", "seconds", report.load.seconds(), options.connections,
              options.pipeline, options.rate > 0 ? ", open loop" : "");
  std::printf("%-20s %.0f\n", "orders/s", rate(report));
  print_latency("order latency", report.load.order_latency());
  print_latency("payment latency", report.load.payment_latency());
  std::printf("%-20s %" PRIu64 " paid, %" PRIu64 " cancelled (%" PRIu64 " refunded), %" PRIu64 " restocked\n", "also",
              books.paid, books.cancelled, books.refunded, books.restocks);
  std::printf("%-20s %" PRIu64 " out of stock, %" PRIu64 " serialization or deadlock\n", "asked again",
              books.refused_out_of_stock, books.retried);
  std::printf("%-20s %.2f yuan, %.2f an order\n", "value", static_cast<double>(books.total_cents) / 100,
              per_order(static_cast<double>(books.total_cents) / 100, books));
  if (report.server_cpu_seconds)
    std::printf("%-20s %.2f us an order\n", "server CPU", per_order(*report.server_cpu_seconds * 1e6, books));
  std::printf("%-20s %.2f us an order\n", "client CPU", per_order(report.load.client_cpu_seconds() * 1e6, books));
  if (report.server_rss_bytes)
    std::printf("%-20s %.1f MiB\n", "server memory", static_cast<double>(*report.server_rss_bytes) / (1 << 20));
  if (report.wal_bytes)
    std::printf("%-20s %.0f bytes an order\n", "log", per_order(static_cast<double>(*report.wal_bytes), books));
  for (const std::string& refusal : report.load.refusals()) std::printf("%-20s %s\n", "refused", refusal.c_str());
  if (!report.load.error().empty()) std::printf("%-20s %s\n", "lost", report.load.error().c_str());
  std::printf("invariants: %s\n", report.invariants.c_str());
  std::fflush(stdout);
}

bool write_json(const Report& report, const std::string& file) {
  const Books& books = report.load.books();
  const Histogram &orders = report.load.order_latency(), &payments = report.load.payment_latency();
  JsonObject json;
  json.integer("orders", books.placed);
  json.number("seconds", report.load.seconds());
  json.number("orders_per_s", rate(report), 1);
  json.number("p50_ms", orders.percentile_ms(0.5));
  json.number("p95_ms", orders.percentile_ms(0.95));
  json.number("p99_ms", orders.percentile_ms(0.99));
  json.number("p999_ms", orders.percentile_ms(0.999));
  json.number("max_ms", static_cast<double>(orders.max_ns()) / 1e6);
  json.number("payment_p50_ms", payments.percentile_ms(0.5));
  json.number("payment_p99_ms", payments.percentile_ms(0.99));
  json.number("payment_p999_ms", payments.percentile_ms(0.999));
  json.number("payment_max_ms", static_cast<double>(payments.max_ns()) / 1e6);
  if (report.server_cpu_seconds) {
    json.number("server_cpu_us_per_order", per_order(*report.server_cpu_seconds * 1e6, books));
  } else {
    json.null("server_cpu_us_per_order");
  }
  if (report.server_rss_bytes) {
    json.integer("server_rss_bytes", *report.server_rss_bytes);
  } else {
    json.null("server_rss_bytes");
  }
  if (report.wal_bytes) {
    json.number("wal_bytes_per_order", per_order(static_cast<double>(*report.wal_bytes), books), 1);
  } else {
    json.null("wal_bytes_per_order");
  }
  json.number("client_cpu_us_per_order", per_order(report.load.client_cpu_seconds() * 1e6, books));
  json.text("invariants", report.invariants);
  json.integer("failed", books.failed);
  json.integer("paid", books.paid);
  json.integer("cancelled", books.cancelled);
  json.integer("refunded", books.refunded);
  json.integer("restocks", books.restocks);
  json.integer("out_of_stock", books.refused_out_of_stock);
  json.integer("retried", books.retried);
  json.integer("total_cents", books.total_cents);
  json.integer("stores", static_cast<std::uint64_t>(report.options.stores));
  json.integer("connections", static_cast<std::uint64_t>(report.options.connections));
  json.integer("pipeline", static_cast<std::uint64_t>(report.options.pipeline));
  json.number("rate", report.options.rate);
  json.number("zipf", report.options.zipf);
  json.integer("seed", report.options.seed);
  if (!report.load.error().empty()) json.text("error", report.load.error());

  std::FILE* out = file == "-" ? stdout : std::fopen(file.c_str(), "w");
  if (out == nullptr) return false;
  const std::string text = json.finish();
  const bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  return (out == stdout ? std::fflush(out) : std::fclose(out)) == 0 && written;
}

}  // namespace wandian::bench
