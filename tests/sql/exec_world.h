// SQL without a session: text is parsed, bound, planned and executed over an engine on a simulated machine.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/bind/binder.h"
#include "sql/exec/execution.h"
#include "sql/exec/receiver.h"
#include "sql/parse/parser.h"
#include "sql/plan/plan.h"
#include "sql/types/text_io.h"
#include "tests/engine/fixture.h"

namespace wandian::sql {

struct ColumnSpec {
  std::string name;
  Oid type = type_oid::kInt4;
  bool not_null = false;
};
struct TableSpec {
  std::string name;
  std::vector<ColumnSpec> columns;
  std::vector<std::string> key;                        ///< empty: a hidden row number
  std::vector<std::vector<std::string>> indexes, uniques;
  std::vector<std::vector<std::string>> global_uniques;
  struct Foreign {
    std::vector<std::string> columns;
    std::string table;
    char on_delete = 'a', on_update = 'a';
  };
  std::vector<Foreign> foreign;                        ///< each refers to the other table's primary key
};

/// Collects rows as "a|b|c", nulls as "~".
class TextRows final : public RowReceiver {
 public:
  TextRows(const Plan& plan, const FormatSettings& format) : plan_(plan), eval_{arena_, format, nullptr, 0, 0, {}} {}
  Status row(std::span<const Value> values) override {
    std::string line;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) line += '|';
      if (values[i].is_null) line += '~';
      else if (!append_text(eval_, plan_.columns[i].type, values[i], line)) return std::move(eval_.error);
    }
    rows.push_back(std::move(line));
    return {};
  }
  std::vector<std::string> rows;

 private:
  const Plan& plan_;
  Arena arena_;
  EvalContext eval_;
};

struct Answer {
  std::vector<std::string> rows;
  std::string tag;
  std::string error;                                   ///< "23505: message"
  std::string detail;
  std::string text() const {
    if (!error.empty()) return error;
    std::string out;
    for (const std::string& row : rows) out += row + "\n";
    return out;
  }
};

class World {
 public:
  explicit World(unsigned shards = 2) : engine(shards) {}

  Oid add(const TableSpec& spec);

  /// One statement in a transaction of its own (or in `within`), with parameters given as text.
  Answer run(std::string_view text, std::vector<std::string> params = {}, Client* within = nullptr, std::uint64_t max_rows = 0);
  std::string query(std::string_view text) { return run(text).text(); }
  std::string explain(std::string_view text);
  Result<std::shared_ptr<const Plan>> plan(std::string_view text, const std::shared_ptr<const Catalog>& catalog);

  Engine engine;
  FormatSettings format;
  std::map<std::string, Oid> tables;
  bool use_fast_path = true;
  std::uint32_t checks_per_share = 0;
  unsigned runs = 0;                                   ///< calls of Execution::run
  unsigned fast = 0;                                   ///< statements that went the short way
  unsigned shard = 0;                                  ///< of the session
};

}  // namespace wandian::sql
