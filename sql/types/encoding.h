// Encodings that clients may speak: their names, and their texts to UTF-8, which is the server's, and back.
// Thread:     any; an encoding's tables are unpacked when it is first used, for all.
// Source:     what PostgreSQL 15 answers, character by character (scripts/generate_encodings).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/oid.h"
#include "sql/output.h"
#include "storage/base/status.h"

namespace wandian::sql {

inline constexpr int kSqlAsciiEncoding = 0;
inline constexpr int kUtf8Encoding = 6;

/// PostgreSQL's number of an encoding, by any of its names; -1: there is none of that name.
int encoding_number(std::string_view name);
/// Its official name; empty: no such number.
std::string_view encoding_name(int number);
/// How many bytes a character has at most.
int encoding_max_bytes(int number);

class Encoding {
 public:
  int number() const { return number_; }
  std::string_view name() const { return encoding_name(number_); }

  /// Appends `text` to *out in UTF-8. 22021: it is not of this encoding; 22P05: a character has no equivalent.
  Status to_utf8(std::string_view text, std::string* out) const;
  /// Appends `text`, which is UTF-8, to *out in this encoding. 22P05.
  Status from_utf8(std::string_view text, std::string* out) const;
  /// How many bytes at the end of `text` begin a character that is not whole.
  std::size_t unfinished(std::string_view text) const;
  /// Characters of `text`. 22021.
  Status length(std::string_view text, std::size_t* characters) const;

 private:
  friend const Encoding* find_encoding(int number);
  struct Tables;
  constexpr explicit Encoding(int number) : number_(number) {}
  const Tables& tables() const;
  int number_;
};

/// What `out` holds from `from` on, UTF-8, in another encoding. 22P05, and then nothing is changed.
Status encode_tail(const Encoding& encoding, std::size_t from, OutBuffer& out);

/// Null: this one is not converted (UTF-8 and SQL_ASCII need not be).
const Encoding* find_encoding(int number);

struct ConversionFacts {
  Oid oid;
  std::string_view name;
  int from, to;
  Oid function;
};
std::span<const ConversionFacts> conversions();

}  // namespace wandian::sql
