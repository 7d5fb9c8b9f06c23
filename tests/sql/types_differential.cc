// Reads one case a line and prints one result a line; tests/sql/compare_types runs the same cases in PostgreSQL.
//   in <type> <typmod> <text>                       the value as printed
//   fn <name> <result type> <type>=<text> ...       fields are separated by tabs; a text of \N is null
//   op <operator> <result type> <type>=<text> ...
//   set <name>=<value>                              DateStyle, IntervalStyle, TimeZone, extra_float_digits
#include <iostream>

#include "tests/sql/types_harness.h"

namespace {

using wandian::sql::FormatSettings;
using wandian::sql::Harness;

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = line.find('\t', begin);
    out.push_back(line.substr(begin, end - begin));
    if (end == std::string::npos) return out;
    begin = end + 1;
  }
}

void set(FormatSettings& format, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string name = assignment.substr(0, equals);
  const std::string value = assignment.substr(equals + 1);
  if (name == "DateStyle") {
    format.date_style = value.starts_with("ISO")   ? FormatSettings::DateStyle::kIso
                        : value.starts_with("SQL") ? FormatSettings::DateStyle::kSql
                        : value.starts_with("German") ? FormatSettings::DateStyle::kGerman
                                                      : FormatSettings::DateStyle::kPostgres;
    format.date_order = value.ends_with("DMY")   ? FormatSettings::DateOrder::kDmy
                        : value.ends_with("YMD") ? FormatSettings::DateOrder::kYmd
                                                 : FormatSettings::DateOrder::kMdy;
  } else if (name == "IntervalStyle") {
    format.interval_style = value == "postgres"           ? FormatSettings::IntervalStyle::kPostgres
                            : value == "postgres_verbose" ? FormatSettings::IntervalStyle::kPostgresVerbose
                            : value == "sql_standard"     ? FormatSettings::IntervalStyle::kSqlStandard
                                                          : FormatSettings::IntervalStyle::kIso8601;
  } else if (name == "TimeZone") {
    format.time_zone = wandian::sql::find_time_zone(value);
  } else if (name == "extra_float_digits") {
    format.extra_float_digits = std::stoi(value);
  }
}

}  // namespace

int main() {
  Harness harness;
  std::string line;
  while (std::getline(std::cin, line)) {
    const std::vector<std::string> f = fields_of(line);
    std::string result;
    if (f[0] == "set") {
      set(harness.format, f[1]);
      result = "set";
    } else if (f[0] == "in") {
      result = harness.round_trip(f[1], f[3], std::stoi(f[2]));
    } else {
      std::vector<Harness::Argument> arguments;
      for (std::size_t i = 3; i < f.size(); ++i) {
        const std::string_view one = f[i];
        const std::size_t equals = one.find('=');
        const std::string_view text = one.substr(equals + 1);
        arguments.push_back({one.substr(0, equals), text, text == "\\N"});
      }
      result = f[0] == "fn" ? harness.call(f[1], arguments, f[2]) : harness.apply(f[1], arguments, f[2]);
    }
    for (char& c : result)
      if (c == '\n') c = ' ';
    std::cout << result << "\n";
    harness.arena.reset();
  }
}
