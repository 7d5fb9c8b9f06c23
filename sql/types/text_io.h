// Text and binary forms of every type, exactly as PostgreSQL 15 reads and prints them.
// Thread:  any; memory comes from the context's arena.
#pragma once

#include <string>
#include <string_view>

#include "sql/functions/registry.h"
#include "sql/output.h"

namespace wandian::sql {

/// A value from its text form ('42', '2026-01-31', '{1,2}'). typmod -1 = none; applies length and scale as an
/// assignment does. False: ctx.error holds 22P02, 22003, 22001, 22007, 22008, ... with PostgreSQL's message.
bool value_from_text(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view text, Value* out);

/// A value from its binary form (the `recv` function). False: 22P03, 08P01, ...
bool value_from_binary(EvalContext& ctx, Oid type, std::int32_t typmod, std::string_view bytes, Value* out);

/// Appends the text form of a value that is not null. False: ctx.error (types without output).
/// `Out` is anything with append(const char*, size_t) and push_back(char): std::string and OutBuffer both.
bool append_text(EvalContext& ctx, Oid type, const Value& value, OutBuffer& out);
bool append_text(EvalContext& ctx, Oid type, const Value& value, std::string& out);

/// Appends the binary form (the `send` function), without its length.
bool append_binary(EvalContext& ctx, Oid type, const Value& value, OutBuffer& out);
bool append_binary(EvalContext& ctx, Oid type, const Value& value, std::string& out);

/// format_type(oid, typmod): "character varying(20)", "numeric(10,2)", "timestamp(3) with time zone", "integer[]".
std::string format_type(Oid type, std::int32_t typmod);
/// As messages and regtype name it: a type without its modifier, so that bpchar is "character".
std::string format_type(Oid type);

}  // namespace wandian::sql
