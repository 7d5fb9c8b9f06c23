#include "sql/parse/parser.h"

#include <pg_query.h>

#include "sql/parse/lexer.h"

namespace wandian::sql {

namespace {

// The grammar, the conversion to protobuf and back, and everything here that walks the tree recurse; measured with an 8 MiB
// stack, 20,000 nested operators (40,000 tokens) pass and 100,000 do not.
constexpr std::uint32_t kMaxNesting = 12000;
// Below this a text cannot nest deep enough to matter.
constexpr std::size_t kUncheckedBytes = 4000;

SqlState code_of(std::string_view message) {
  const auto has = [&](std::string_view part) { return message.find(part) != std::string_view::npos; };
  if (has("stack depth limit exceeded")) return sqlstate::statement_too_complex;
  if (has("invalid byte sequence")) return sqlstate::character_not_in_repertoire;
  if (has("out of memory")) return sqlstate::out_of_memory;
  if (has("not yet implemented") || has("not supported") || has("unsafe use of")) return sqlstate::feature_not_supported;
  if (has("frame start") || has("frame end") || has("frame starting") || has("frame ending")) return sqlstate::windowing_error;
  if (has("precision for type float")) return sqlstate::invalid_parameter_value;
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
      default: ++top.soft; break;
    }
    deepest = std::max(deepest, below + levels.back().hard + levels.back().soft);
  }
  return deepest;
}

Result<ParsedStatements> ParsedStatements::parse(std::string_view text) {
  if (text.size() > kUncheckedBytes && estimate_nesting(text) > kMaxNesting) {
    return Status{sqlstate::statement_too_complex, "stack depth limit exceeded"}.with_hint(
        "Write the statement with less nesting: expressions, joins and set operations are too deep.");
  }
  ParsedStatements out;
  out.text_ = std::make_unique<std::string>(text);
  PgQueryProtobufParseResult result = pg_query_parse_protobuf(out.text_->c_str());
  if (result.error != nullptr) {
    const std::string message = result.error->message != nullptr ? result.error->message : "syntax error";
    Status status = Status{code_of(message), message}.with_position(std::max(result.error->cursorpos, 0));
    pg_query_free_protobuf_parse_result(result);
    return status;
  }
  out.arena_ = std::make_unique<Arena>();
  ProtobufCAllocator allocator{arena_allocate, arena_free, out.arena_.get()};
  PgQuery__ParseResult* tree = pg_query__parse_result__unpack(
      &allocator, result.parse_tree.len, reinterpret_cast<const std::uint8_t*>(result.parse_tree.data));
  pg_query_free_protobuf_parse_result(result);
  if (tree == nullptr) return Status{sqlstate::out_of_memory, "out of memory"};
  out.statements_.reserve(tree->n_stmts);
  for (std::size_t i = 0; i < tree->n_stmts; ++i) {
    const PgQuery__RawStmt& raw = *tree->stmts[i];
    if (raw.stmt == nullptr) continue;
    std::size_t begin = static_cast<std::size_t>(std::max(raw.stmt_location, 0));
    std::size_t length = raw.stmt_len > 0 ? static_cast<std::size_t>(raw.stmt_len) : text.size() - begin;
    // The grammar's location starts right after the previous semicolon.
    while (length > 0 && is_space(text[begin])) ++begin, --length;
    out.statements_.push_back({raw.stmt, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length)});
  }
  return out;
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
