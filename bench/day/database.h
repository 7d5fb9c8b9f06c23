#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/day/load.h"
#include "bench/day/pg_session.h"
#include "bench/day/workload.h"

namespace wandian::bench {

// What stood in the database before the run, so that what the run added can be told apart.
struct Baseline {
  std::array<std::int64_t, kMenuItems> prices{};
  std::vector<std::int32_t> stock;             // by store * kMenuItems + item
  std::vector<Books::Store> stores;
  std::array<std::uint64_t, 3> orders_by_status{};
  std::uint64_t lines = 0;
  std::uint64_t payments = 0;
  std::uint64_t payments_cents = 0;
  std::uint64_t refunds = 0;
  std::uint64_t taken = 0;
  std::uint64_t first_request = 1;             // above every request_id there is
};

/// Creates the tables and procedures if there are none, by CREATE EXTENSION or, on PostgreSQL, the twin's script; adds
/// the stores, menu and stock that are missing. On failure returns false and the session's error() says why.
bool set_up(PgSession& session, int stores);

/// Reads the baseline. On failure returns false and `problem` says why.
bool read_baseline(PgSession& session, int stores, Baseline& baseline, std::string& problem);

/// Checks by SQL that no rule of the chain is broken and that the tables hold what `books` says was acknowledged, each
/// order once. Returns what is wrong, one sentence a finding; nothing when all holds.
std::vector<std::string> find_broken_rules(PgSession& session, const Baseline& baseline, const Books& books);

}  // namespace wandian::bench
