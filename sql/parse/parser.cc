#include "sql/parse/parser.h"

#include <pg_query.h>
#include <pthread.h>

#include <algorithm>
#include <functional>

#include "sql/parse/lexer.h"

namespace wandian::sql {

namespace {

// The grammar and the conversion to protobuf and back recurse. Measured: unpacking takes about 1 KiB of stack a message, and
// the worst construct, (select (select ..., makes three messages a token. So what may nest deeper than a stack of 8 MiB
// bears is parsed on a thread of its own with a larger one, and what nests deeper than that is refused.
constexpr std::uint32_t kMaxNestingHere = 1500, kMaxNesting = 12000;
constexpr std::size_t kDeepStackBytes = std::size_t{256} << 20;   // reserved, not touched
// Below this a text cannot nest deep enough to matter.
constexpr std::size_t kUncheckedBytes = 1500;

SqlState code_of(std::string_view message) {
  const auto has = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
  if (has("stack depth limit exceeded")) return sqlstate::statement_too_complex;
  if (has("invalid byte sequence")) return sqlstate::character_not_in_repertoire;
  if (has("out of memory")) return sqlstate::out_of_memory;
  if (has("not yet implemented") || has("not supported") || has("unsafe use of")) return sqlstate::feature_not_supported;
  if (has("frame start") || has("frame end") || has("frame starting") || has("frame ending")) return sqlstate::windowing_error;
  if (has("precision for type float")) return sqlstate::invalid_parameter_value;
  if (has("is reserved") || has("cannot be used as a role name")) return sqlstate::reserved_name;
  return sqlstate::syntax_error;
}

void* arena_allocate(void* arena, size_t size) {
  try {
    return static_cast<Arena*>(arena)->allocate(size == 0 ? 1 : size, 16);
  } catch (const std::bad_alloc&) {
    return nullptr;   // protobuf-c gives up and returns null
  }
}
void arena_free(void*, void*) {}

// Runs `work` to its end on a thread with a large stack. False: there is no such thread to be had.
bool run_on_deep_stack(const std::function<void()>& work) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_t thread;
  const bool started =
      pthread_attr_setstacksize(&attributes, kDeepStackBytes) == 0 &&
      pthread_create(
          &thread, &attributes,
          [](void* argument) -> void* {
            (*static_cast<const std::function<void()>*>(argument))();
            return nullptr;
          },
          const_cast<std::function<void()>*>(&work)) == 0;
  pthread_attr_destroy(&attributes);
  if (started) pthread_join(thread, nullptr);
  return started;
}

}  // namespace

std::uint32_t estimate_nesting(std::string_view text) {
  // Two counts a bracket level: what nests for as long as the level is open (joins, set operations), and the tokens since
  // the last comma, AND or OR, which the grammar flattens.
  struct Level {
    std::uint32_t hard = 0, soft = 0;
  };
  std::vector<Level> levels(1);
  std::uint32_t below = 0, deepest = 0;
  Lexer lexer(text);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    Level& top = levels.back();
    const auto push = [&] {
      below += levels.back().hard + levels.back().soft + 1;
      levels.emplace_back();
    };
    const auto pop = [&] {
      if (levels.size() == 1) return;
      levels.pop_back();
      below -= levels.back().hard + levels.back().soft + 1;
      ++levels.back().soft;
    };
    switch (token.kind) {
      case TokenKind::kOpen: push(); break;
      case TokenKind::kClose: pop(); break;
      case TokenKind::kComma: top.soft = 0; break;
      case TokenKind::kSemicolon: top = {}; break;
      case TokenKind::kWord:
        if (token.is("and") || token.is("or")) {
          top.soft = 0;
        } else if (token.is("join") || token.is("union") || token.is("intersect") || token.is("except")) {
          top.soft = 0;
          ++top.hard;
        } else if (token.is("case")) {
          push();
        } else if (token.is("end")) {
          pop();
        } else {
          ++top.soft;
        }
        break;
      case TokenKind::kOperator: top.soft += static_cast<std::uint32_t>(token.text.size()); break;   // +-+- may be one or four
      default: ++top.soft; break;
    }
    deepest = std::max(deepest, below + levels.back().hard + levels.back().soft);
  }
  return deepest;
}

Result<ParsedStatements> ParsedStatements::parse(std::string_view text) {
  const std::uint32_t nesting = text.size() > kUncheckedBytes ? estimate_nesting(text) : 0;
  if (nesting > kMaxNesting) {
    return Status{sqlstate::statement_too_complex, "stack depth limit exceeded"}.with_hint(
        "Write the statement with less nesting: expressions, joins and set operations are too deep.");
  }
  ParsedStatements out;
  out.text_ = std::make_unique<std::string>(text);
  out.arena_ = std::make_unique<Arena>();
  if (nesting <= kMaxNestingHere) {
    WANDIAN_TRY(out.read());
    return out;
  }
  Status status;
  const bool ran = run_on_deep_stack([&] { status = out.read(); });
  if (!ran) return Status{sqlstate::out_of_memory, "out of memory"};
  if (!status.ok()) return status;
  return out;
}

Result<ParsedStatements> ParsedStatements::parse_element(const ParseNode& element) {
  PgQuery__RawStmt raw = PG_QUERY__RAW_STMT__INIT;
  raw.stmt = const_cast<ParseNode*>(&element);
  PgQuery__RawStmt* one = &raw;
  PgQuery__ParseResult tree = PG_QUERY__PARSE_RESULT__INIT;
  tree.version = PG_VERSION_NUM;
  tree.n_stmts = 1;
  tree.stmts = &one;
  std::string bytes(pg_query__parse_result__get_packed_size(&tree), '\0');
  pg_query__parse_result__pack(&tree, reinterpret_cast<std::uint8_t*>(bytes.data()));
  PgQueryDeparseResult text = pg_query_deparse_protobuf({bytes.size(), bytes.data()});
  if (text.error != nullptr) {
    pg_query_free_deparse_result(text);
    return Status{sqlstate::feature_not_supported, "this element of CREATE SCHEMA is not supported"};
  }
  const std::string query(text.query);
  pg_query_free_deparse_result(text);
  return parse(query);
}

Status ParsedStatements::read() {
  const std::string& text = *text_;
  PgQueryProtobufParseResult result = pg_query_parse_protobuf(text.c_str());
  if (result.error != nullptr) {
    const std::string message = result.error->message != nullptr ? result.error->message : "syntax error";
    Status status = Status{code_of(message), message}.with_position(std::max(result.error->cursorpos, 0));
    // The library passes no hints on.
    if (message == "subquery in FROM must have an alias") status.error().hint = "For example, FROM (SELECT ...) [AS] foo.";
    if (message == "VALUES in FROM must have an alias") status.error().hint = "For example, FROM (VALUES ...) [AS] foo.";
    pg_query_free_protobuf_parse_result(result);
    return status;
  }
  ProtobufCAllocator allocator{arena_allocate, arena_free, arena_.get()};
  PgQuery__ParseResult* tree = pg_query__parse_result__unpack(
      &allocator, result.parse_tree.len, reinterpret_cast<const std::uint8_t*>(result.parse_tree.data));
  pg_query_free_protobuf_parse_result(result);
  if (tree == nullptr) return Status{sqlstate::out_of_memory, "out of memory"};
  statements_.reserve(tree->n_stmts);
  for (std::size_t i = 0; i < tree->n_stmts; ++i) {
    const PgQuery__RawStmt& raw = *tree->stmts[i];
    if (raw.stmt == nullptr) continue;
    std::size_t begin = static_cast<std::size_t>(std::max(raw.stmt_location, 0));
    std::size_t length = raw.stmt_len > 0 ? static_cast<std::size_t>(raw.stmt_len) : text.size() - begin;
    // The grammar's location starts right after the previous semicolon.
    while (length > 0 && is_space(text[begin])) ++begin, --length;
    statements_.push_back({raw.stmt, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length)});
  }
  return {};
}

bool fingerprint_query(std::string_view text, std::uint64_t* number, std::string* normalized) {
  if (text.size() > kUncheckedBytes && estimate_nesting(text) > kMaxNestingHere) return false;
  const std::string ended(text);
  const PgQueryFingerprintResult fingerprint = pg_query_fingerprint(ended.c_str());
  const bool ok = fingerprint.error == nullptr;
  if (ok) *number = fingerprint.fingerprint;
  pg_query_free_fingerprint_result(fingerprint);
  if (!ok) return false;
  const PgQueryNormalizeResult shown = pg_query_normalize(ended.c_str());
  *normalized = shown.error == nullptr ? std::string(shown.normalized_query) : ended;
  pg_query_free_normalize_result(shown);
  return true;
}

std::int32_t character_position(std::string_view text, std::int32_t byte_offset) {
  if (byte_offset < 0) return 0;
  const std::size_t end = std::min(static_cast<std::size_t>(byte_offset), text.size());
  std::int32_t characters = 1;
  for (std::size_t i = 0; i < end; ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) ++characters;
  }
  return characters;
}

std::string_view string_value(const ParseNode* node) {
  if (node == nullptr || node->node_case != PG_QUERY__NODE__NODE_STRING || node->string->sval == nullptr) return {};
  return node->string->sval;
}

}  // namespace wandian::sql
