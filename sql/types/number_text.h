// Text forms of integers and floating-point numbers, without allocation: the hot path of every row sent.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/base/status.h"

namespace wandian::sql {

/// Bytes that any write_* below may need.
inline constexpr std::size_t kNumberTextBytes = 32;

/// Decimal digits at `out`; returns the end.
char* write_uint(std::uint64_t value, char* out);
char* write_int(std::int64_t value, char* out);
/// At least `width` digits, zeros in front.
char* write_padded(std::uint32_t value, int width, char* out);
/// float8 and float4 as PostgreSQL prints them: shortest that reads back (extra_float_digits > 0), else %g with
/// 15 (6) + extra_float_digits significant digits.
char* write_double(double value, int extra_float_digits, char* out);
char* write_float(float value, int extra_float_digits, char* out);

/// An integer with surrounding blanks. 22P02 "invalid input syntax for type <name>", 22003 "value ... is out of range".
Status parse_int(std::string_view text, std::int64_t min, std::int64_t max, std::string_view type_name, std::int64_t* out);
/// oid: unsigned 32 bits, negatives wrap as in PostgreSQL.
Status parse_oid(std::string_view text, std::string_view type_name, std::int64_t* out);
/// xid and cid: whatever digits (octal and hexadecimal, too) lead the text; never an error.
std::int64_t parse_xid(std::string_view text);
/// The same in 64 bits.
std::int64_t parse_xid8(std::string_view text);
Status parse_double(std::string_view text, double* out);
Status parse_float(std::string_view text, float* out);

bool is_blank(char c);
/// Without blanks at both ends.
std::string_view trim_blanks(std::string_view text);
/// Whether it has more than `most` bytes that are not blanks: more than a form that is copied for parsing may have in PostgreSQL.
bool more_than_blanks(std::string_view text, std::size_t most);
/// 22P02 invalid input syntax for type <name>: "<text>".
Status invalid_input(std::string_view type_name, std::string_view text);

}  // namespace wandian::sql
