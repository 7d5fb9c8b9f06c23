#include "bench/day/day.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include "bench/day/connection_url.h"
#include "bench/day/database.h"
#include "bench/day/load.h"
#include "bench/day/pg_session.h"
#include "bench/day/report.h"
#include "bench/day/server_process.h"

namespace wandian::bench {

namespace {

constexpr int kCouldNotStart = 2;

int could_not_start(const std::string& why) {
  std::fprintf(stderr, "wandian bench day: %s\n", why.c_str());
  return kCouldNotStart;
}

// A log position "16/B374D848" as bytes.
std::optional<std::uint64_t> log_position(PgSession& session) {
  const auto text = session.value("SELECT pg_current_wal_lsn()");
  if (!text) return std::nullopt;
  unsigned high = 0, low = 0;
  if (std::sscanf(text->c_str(), "%X/%X", &high, &low) != 2) return std::nullopt;
  return static_cast<std::uint64_t>(high) << 32 | low;
}

// A database that nothing may be asked of: the menu at its printed prices and shelves that do not run low.
Baseline assumed_baseline(int stores) {
  Baseline baseline;
  for (std::size_t i = 0; i < kMenuItems; ++i) baseline.prices[i] = menu()[i].price_cents;
  baseline.stock.assign(static_cast<std::size_t>(stores) * kMenuItems, 1'000'000);
  baseline.stores.resize(static_cast<std::size_t>(stores));
  return baseline;
}

std::string check_rules(const ConnectionUrl& url, const Baseline& baseline, const Books& books) {
  PgSession session;   // its own, since the one of the set-up may not have outlived the load
  if (!session.connect(url)) return "cannot check: " + session.error().message;
  std::string all;
  for (const std::string& finding : find_broken_rules(session, baseline, books))
    all += (all.empty() ? "" : "; ") + finding;
  return all.empty() ? "ok" : all;
}

}  // namespace

int run_day(const DayOptions& options) {
  std::string problem;
  const auto url = parse_connection_url(options.url, problem);
  if (!url) return could_not_start(problem);

  PgSession session;
  if (!session.connect(*url)) return could_not_start(session.error().message);
  if (options.setup && !set_up(session, options.stores)) {
    return could_not_start("cannot set up the database: " + session.error().message);
  }
  Baseline baseline;
  if (!options.setup && !options.checks) {
    baseline = assumed_baseline(options.stores);
  } else if (!read_baseline(session, options.stores, baseline, problem)) {
    return could_not_start("cannot read the database: " + problem);
  }

  OrderGenerator generator(options.seed, options.orders, options.stores, options.zipf, baseline.first_request,
                           baseline.prices);
  Load load(options, generator, baseline.stock);
  if (!load.connect(*url)) return could_not_start(load.error());

  const auto server = ServerProcess::find(*url);
  const auto log_before = log_position(session);
  const double cpu_before = server ? server->cpu_seconds() : 0;
  const bool finished = load.run();
  Report report{options, load, std::nullopt, std::nullopt, std::nullopt, "not checked"};
  if (server) {
    report.server_cpu_seconds = server->cpu_seconds() - cpu_before;
    report.server_rss_bytes = server->resident_bytes();
  }
  if (const auto log_after = log_position(session); log_before && log_after) report.wal_bytes = *log_after - *log_before;

  if (!finished) {
    // Calls were under way when the connection broke, so nobody knows which of them happened.
    report.invariants = "not checked: " + load.error();
  } else if (options.checks) {
    report.invariants = check_rules(*url, baseline, load.books());
  }
  print_report(report);
  if (!options.json_file.empty() && !write_json(report, options.json_file)) {
    std::fprintf(stderr, "wandian bench day: cannot write %s\n", options.json_file.c_str());
    return EXIT_FAILURE;
  }
  return report.good() ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace wandian::bench
