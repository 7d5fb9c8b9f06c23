// The options of COPY, checked as PostgreSQL 15 checks them.
// Thread:  pure functions.
// Errors:  42601, 0A000, 22023.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sql/parse/parser.h"
#include "storage/base/status.h"

namespace wandian::sql {

enum class CopyFormat : std::uint8_t { kText, kCsv, kBinary };
enum class CopyHeader : std::uint8_t { kNone, kSkip, kMatch };

struct CopyOptions {
  CopyFormat format = CopyFormat::kText;
  CopyHeader header = CopyHeader::kNone;
  char delimiter = '\t';
  char quote = '"';
  char escape = '"';
  std::string null_text = "\\N";
  int encoding = -1;                   ///< sql/types/encoding.h; -1: the client's
  bool force_quote_all = false;
  std::vector<std::string> force_quote, force_not_null, force_null;   ///< column names
};

Result<CopyOptions> read_copy_options(const PgQuery__CopyStmt& copy, std::string_view text);

}  // namespace wandian::sql
