// Types: how the values of each are held, ordered and stored. sql adds text and binary forms, casts and functions.
// Owns:    the built-in types, and what the engine has to know of those that users made (engine/user_type.cc). None of it ever
//          changes for an OID: names, labels, attributes and constraints, which do, are in the catalog.
// Thread:  any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/oid.h"
#include "engine/value.h"

namespace wandian {

/// How a value is held in Value and how many bytes it takes in a row.
enum class Rep : std::uint8_t {
  kInt8Bit,   ///< bool, "char": 1 byte in a row, Value::i
  kInt16,     ///< int2
  kInt32,     ///< int4, date
  kUint32,    ///< oid, reg*, xid, cid
  kInt64,     ///< int8, time, timestamp, timestamptz, pg_lsn
  kFloat32,   ///< float4, Value::d
  kFloat64,   ///< float8, Value::d
  kFixed16,   ///< uuid, interval: 16 bytes in a row, Value::p
  kBytes,     ///< of varying length, Value::p and size
};

/// How values are compared and turned into index keys whose bytes compare in the same order (engine/key.h).
/// Those from kFirstCollated on are the orders of collations (engine/text_order.h).
enum class Order : std::uint16_t {
  kNone,      ///< no btree order (json, ...)
  kInteger,   ///< by Value::i
  kUnsigned,  ///< oid
  kFloat,     ///< PostgreSQL's order: NaN equals NaN and is above everything; -0 equals 0
  kBytes,     ///< byte by byte: text and varchar (collation "C"), name, bytea, uuid, "char"
  kPadded,    ///< bpchar: as kBytes, trailing spaces do not count
  kNumeric,
  kInterval,  ///< a month is 30 days, a day is 24 hours
  kJsonb,
  kArray,     ///< element by element, then by length and dimensions
  kRecord,    ///< field by field, nulls above everything
  kRange,     ///< empty first, then by lower bound, then by upper bound
  kFirstCollated = 64,
};

struct TypeInfo {
  Oid oid;
  std::string_view name;        ///< pg_type.typname
  std::int16_t length;          ///< pg_type.typlen: bytes, -1 varlena, -2 cstring
  Rep rep;
  Order order;
  char category;                ///< pg_type.typcategory
  bool preferred;               ///< pg_type.typispreferred
  Oid element;                  ///< of an array type, otherwise 0
  Oid array;                    ///< the array type over this type, or 0
  char kind = 'b';              ///< pg_type.typtype: b(ase), c(omposite), d(omain), e(num), p(seudo), r(ange), m(ultirange)
  Oid base = 0;                 ///< d: the type it is over; c: its relation; r: its subtype; m: its range type
  Order bounds = Order::kNone;  ///< r: of its bounds, where a collation gives them another one than their type's
};

/// Null if there is no such type.
const TypeInfo* find_type(Oid oid);
/// Makes a type of users known, before any definition or value uses it. Once known it stays so, since a value of it may be met
/// as long as the process lives; a second time with the same facts changes nothing.
void publish_type(const TypeInfo& type);
/// Built-in types alone.
const TypeInfo* find_type(std::string_view typname);
std::span<const TypeInfo> all_types();

/// The row type of a relation and the array type over it have OIDs made from the relation's; so has a composite type, which is a
/// relation without rows.
inline constexpr Oid kRowTypeBit = 0x40000000u, kRowArrayBit = 0x20000000u;
constexpr Oid row_type_of(Oid relation) { return relation | kRowTypeBit; }
constexpr Oid relation_of_row_type(Oid type) { return type & ~(kRowTypeBit | kRowArrayBit); }

/// What a domain is made over in the end; any other type is itself.
Oid base_type(Oid type);
inline char type_kind(Oid type) {
  const TypeInfo* info = find_type(type);
  return info != nullptr ? info->kind : 'b';
}

/// smallint, integer, bigint.
constexpr bool is_integer_type(Oid oid) { return oid == type_oid::kInt2 || oid == type_oid::kInt4 || oid == type_oid::kInt8; }

/// Bytes that a value of `rep` takes in the fixed part of a row; kBytes takes a 4-byte end offset there.
constexpr std::uint32_t fixed_bytes(Rep rep) {
  switch (rep) {
    case Rep::kInt8Bit: return 1;
    case Rep::kInt16: return 2;
    case Rep::kInt32: case Rep::kUint32: case Rep::kFloat32: return 4;
    case Rep::kInt64: case Rep::kFloat64: return 8;
    case Rep::kFixed16: return 16;
    case Rep::kBytes: return 4;
  }
  return 0;
}

/// Three-way comparison of two values that are not null, in the type's btree order (negative, 0, positive).
/// `order` must not be kNone. kNumeric, kJsonb and kArray are implemented in engine/numeric.cc and engine/type_order.cc.
int compare_values(Order order, const Value& a, const Value& b);
/// Equal values hash alike (1.0 and 1.00, -0 and 0, 'a' and 'a ' of bpchar).
std::uint64_t hash_value(Order order, const Value& value);

}  // namespace wandian
