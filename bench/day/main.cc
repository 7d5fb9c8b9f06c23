// The day as a program of its own, for machines that have no server of ours.

#include <CLI/CLI.hpp>

#include "bench/day/day.h"

int main(int argc, char** argv) {
  CLI::App app("A day of the chain's orders, against any server that speaks the PostgreSQL protocol");
  wandian::bench::DayOptions options;
  wandian::bench::add_day_options(app, options);
  CLI11_PARSE(app, argc, argv);
  return wandian::bench::run_day(options);
}
