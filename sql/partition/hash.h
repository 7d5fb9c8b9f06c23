// PostgreSQL's extended hash functions, by which PARTITION BY HASH places rows: the same values go to the same partitions there.
// Bob Jenkins, lookup3 ("A hash function for hash table lookup", 2006), with PostgreSQL's constants.
// Thread:  pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/oid.h"
#include "engine/value.h"

namespace wandian::sql {

std::uint64_t hash_bytes_extended(std::string_view bytes, std::uint64_t seed);
std::uint64_t hash_uint32_extended(std::uint32_t value, std::uint64_t seed);

/// Whether values of the type have such a hash.
bool has_extended_hash(Oid type);
/// The hash of a value that is not null, as the type's hash operator class computes it.
std::uint64_t extended_hash(Oid type, const Value& value, std::uint64_t seed);

/// The seed of partitions' hashes, and how those of several columns become one.
inline constexpr std::uint64_t kPartitionSeed = 0x7A5B22367996DCFDull;
constexpr std::uint64_t combine_hashes(std::uint64_t a, std::uint64_t b) { return a ^ (b + 0x49a0f4dd15e5a8e3ull + (a << 54) + (a >> 7)); }

}  // namespace wandian::sql
