// ParsedStatements: SQL text as libpg_query's tree (PostgreSQL 15's own grammar).
// Owns:       a copy of the text and the tree, which is one block of memory.
// Thread:     parse() from any thread; the result is immutable and may be moved to another thread.
// Errors:     42601 and the other errors of PostgreSQL's scanner and grammar, with position; 54001 for nesting so deep that
//             recursion over the tree would exhaust the stack.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <pg_query/pg_query.pb-c.h>

#include "engine/arena.h"
#include "storage/base/status.h"

namespace wandian::sql {

using ParseNode = PgQuery__Node;

struct ParsedStatement {
  const ParseNode* node = nullptr;
  std::uint32_t location = 0;        ///< byte offset of the statement in the text
  std::uint32_t length = 0;          ///< bytes, without the semicolon
};

class ParsedStatements {
 public:
  /// `text` must not contain a zero byte (bytes after it would be ignored).
  static Result<ParsedStatements> parse(std::string_view text);

  /// One statement out of another one's tree, as text of its own: what CREATE SCHEMA holds.
  static Result<ParsedStatements> parse_element(const ParseNode& element);

  ParsedStatements() = default;
  ParsedStatements(ParsedStatements&&) = default;
  ParsedStatements& operator=(ParsedStatements&&) = default;

  const std::string& text() const { return *text_; }
  std::span<const ParsedStatement> statements() const { return statements_; }
  /// The part of the text that is statement `i`.
  std::string_view statement_text(std::size_t i) const {
    return std::string_view(*text_).substr(statements_[i].location, statements_[i].length);
  }

 private:
  Status read();

  std::unique_ptr<std::string> text_;
  std::unique_ptr<Arena> arena_;
  std::vector<ParsedStatement> statements_;
};

/// A number that statements share which differ in constants, names of parameters and white space alone, and the statement's text with its
/// constants as parameters (libpg_query's fingerprint and normalized form). False: the text does not parse, or nests too deep.
bool fingerprint_query(std::string_view text, std::uint64_t* number, std::string* normalized);

/// The 1-based position in characters of a byte offset of UTF-8 text, as error messages give it; 0 for a negative offset.
std::int32_t character_position(std::string_view text, std::int32_t byte_offset);

/// A string field of the tree: those that nothing was written for are null.
inline std::string_view text_or_empty(const char* text) { return text == nullptr ? std::string_view{} : std::string_view(text); }

/// The text of a String node (names, qualified names' parts); "" for any other node.
std::string_view string_value(const ParseNode* node);

/// A SELECT as it would stand without its INTO, which the grammar hangs on the SELECT itself. Refers to the original.
class SelectWithoutInto {
 public:
  explicit SelectWithoutInto(const ParseNode& select) : select_(*select.select_stmt), node_(select) {
    select_.into_clause = nullptr;
    node_.select_stmt = &select_;
  }
  SelectWithoutInto(const SelectWithoutInto&) = delete;
  SelectWithoutInto& operator=(const SelectWithoutInto&) = delete;

  const ParseNode* node() const { return &node_; }

 private:
  PgQuery__SelectStmt select_;
  PgQuery__Node node_;
};

/// An estimate of how deep the tree of `text` may get, from brackets and from tokens between commas; never too low by more
/// than a constant factor.
std::uint32_t estimate_nesting(std::string_view text);

}  // namespace wandian::sql
