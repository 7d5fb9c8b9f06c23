// SQL text in simple Query, through parser, binder, planner and executor of a whole database (tests/fuzz/sql_host.h).
// Besides libFuzzer's own mutations of bytes there is one of words: statements cut at token borders and put together from pieces of
// others, since hardly any random byte leaves SQL that parses. The words come from the statements of the corpus.
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/sql_host.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.'; }

std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> tokens;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (is_word(text[at])) {
      while (end < text.size() && is_word(text[end])) ++end;
    } else if (text[at] == '\'' || text[at] == '"') {
      end = std::min(text.find(text[at], end), text.size() - 1) + 1;
    } else if (text[at] == ' ') {
      at = end;
      continue;
    } else {
      while (end < text.size() && std::strchr("<>=|&@-#:~!*", text[end]) != nullptr && std::strchr("<>=|&@-#:~!*", text[at]) != nullptr) ++end;
    }
    tokens.push_back(text.substr(at, end - at));
    at = end;
  }
  return tokens;
}

// Where the mutation of words gets its words: names, types, functions and literals at the edges.
constexpr std::string_view kWords[] = {
    "stores", "orders", "menu", "gen", "bare", "paid", "seq", "store_id", "order_id", "customer", "total", "status", "placed", "note", "region", "name",
    "opened", "score", "tags", "sku", "title", "price", "weight", "small", "data", "raw", "u", "iv", "t", "ts", "b", "c", "n", "a", "v", "id", "*", "o", "s",
    "NULL", "0", "1", "-1", "2147483647", "-2147483648", "9223372036854775807", "-9223372036854775808", "32768", "1e308", "-1e-320", "0.1",
    "99999999999999999999999999", "''", "'x'", "'NaN'", "'infinity'", "'-infinity'", "'{1,2}'", "'{}'", "'{\"a\":[1]}'", "'2024-02-29'", "'1 mon -1 day'",
    "'epoch'", "'\\x00'", "'%'", "'(a|b)*'", "TRUE", "FALSE", "DEFAULT", "$1", "int", "int2", "bigint", "numeric", "numeric(5,2)", "float4", "float8", "text",
    "varchar(3)", "char(4)", "date", "time", "timestamp", "timestamptz", "interval", "uuid", "json", "jsonb", "bytea", "bool", "int[]", "text[]", "oid",
    "regclass", "record", "::", "SELECT", "FROM", "WHERE", "GROUP BY", "HAVING", "ORDER BY", "LIMIT", "OFFSET", "DISTINCT", "UNION", "UNION ALL", "EXCEPT",
    "INTERSECT", "JOIN", "LEFT JOIN", "FULL JOIN", "CROSS JOIN", "LATERAL", "USING", "ON", "WITH", "RECURSIVE", "AS", "INSERT INTO", "VALUES", "UPDATE", "SET",
    "DELETE FROM", "RETURNING", "ON CONFLICT", "DO NOTHING", "DO UPDATE SET", "EXISTS", "IN", "ANY", "ALL", "BETWEEN", "LIKE", "ILIKE", "SIMILAR TO", "IS",
    "NOT", "AND", "OR", "CASE", "WHEN", "THEN", "ELSE", "END", "CAST", "COALESCE", "NULLIF", "GREATEST", "ARRAY", "ROW", "FOR UPDATE", "SKIP LOCKED", "ASC",
    "DESC", "NULLS FIRST", "count", "sum", "avg", "min", "max", "array_agg", "string_agg", "generate_series", "unnest", "now", "extract", "date_trunc",
    "to_char", "substring", "regexp_replace", "round", "power", "format", "length", "lower", "md5", "jsonb_build_object", "coalesce", "nextval", "(", ")",
    ",", "=", "<", ">=", "<>", "+", "-", "*", "/", "%", "^", "||", "->", "->>", "@>", "&&", "~", "[", "]", ":", ";", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT",
    "EXPLAIN", "CREATE TABLE", "ALTER TABLE", "DROP TABLE", "ADD COLUMN", "CREATE INDEX", "TRUNCATE", "COPY", "TO STDOUT", "FROM STDIN", "DECLARE", "CURSOR",
    "FETCH", "PREPARE", "EXECUTE", "SHOW", "RESET", "pg_class", "pg_attribute", "pg_type", "information_schema.columns", "NULLS LAST", "FILTER", "OVER"};

std::size_t put(std::string_view text, std::uint8_t* data, std::size_t max_size) {
  const std::size_t size = std::min(text.size(), max_size);
  std::memcpy(data, text.data(), size);
  return size;
}

std::string join(const std::vector<std::string_view>& tokens) {
  std::string text;
  for (const std::string_view token : tokens) {
    if (!text.empty() && token != "." && token != "," && token != ")" && token != ";") text += ' ';
    text += token;
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static wandian::sql::fuzz::SqlHost host;
  // The protocol ends a query at its first zero.
  const std::string text(reinterpret_cast<const char*>(data), size);
  host.feed(std::string_view(text.c_str()));
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 3 == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string_view> tokens = tokens_of(text);
  for (unsigned changes = 1 + random() % 3; changes != 0; --changes) {
    const std::string_view word = kWords[random() % std::size(kWords)];
    const auto at = tokens.begin() + static_cast<std::ptrdiff_t>(random() % (tokens.size() + 1));
    const bool inside = at != tokens.end();
    switch (random() % 5) {
      case 0: tokens.insert(at, word); break;
      case 1:
        if (inside) tokens.erase(at);
        break;
      case 2: {   // a stretch once more, elsewhere
        if (tokens.empty()) break;
        const std::size_t from = random() % tokens.size(), count = std::min<std::size_t>(1 + random() % 8, tokens.size() - from);
        const std::vector<std::string_view> piece(tokens.begin() + static_cast<std::ptrdiff_t>(from),
                                                  tokens.begin() + static_cast<std::ptrdiff_t>(from + count));
        tokens.insert(at, piece.begin(), piece.end());
        break;
      }
      case 3:
        if (inside) std::swap(*at, tokens[random() % tokens.size()]);
        break;
      default:
        if (inside) *at = word;
        break;
    }
  }
  return put(join(tokens), data, max_size);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size, const std::uint8_t* second, std::size_t second_size,
                                                 std::uint8_t* out, std::size_t max_size, unsigned seed) {
  std::minstd_rand random(seed);
  const std::string a(reinterpret_cast<const char*>(first), first_size), b(reinterpret_cast<const char*>(second), second_size);
  std::vector<std::string_view> head = tokens_of(a), tail = tokens_of(b);
  head.resize(random() % (head.size() + 1));
  const std::size_t skip = random() % (tail.size() + 1);
  head.insert(head.end(), tail.begin() + static_cast<std::ptrdiff_t>(skip), tail.end());
  return put(join(head), out, max_size);
}
