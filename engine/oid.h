// Object identifiers: PostgreSQL's own numbers for built-in objects, ours from 16384 on for what users create.
#pragma once

#include <cstdint>

namespace wandian {

using Oid = std::uint32_t;
inline constexpr Oid kInvalidOid = 0;
inline constexpr Oid kFirstUserOid = 16384;

/// pg_type OIDs of the types this server has (PostgreSQL 15, pg_type.dat). Arrays are in engine/type.h's table.
namespace type_oid {
inline constexpr Oid kBool = 16, kBytea = 17, kChar = 18, kName = 19, kInt8 = 20, kInt2 = 21, kInt2Vector = 22, kInt4 = 23,
                     kRegproc = 24, kText = 25, kOid = 26, kTid = 27, kXid = 28, kCid = 29, kOidVector = 30, kJson = 114,
                     kPgNodeTree = 194, kFloat4 = 700, kFloat8 = 701, kUnknown = 705, kAclItem = 1033, kBpchar = 1042,
                     kVarchar = 1043, kDate = 1082, kTime = 1083, kTimestamp = 1114, kTimestamptz = 1184, kInterval = 1186,
                     kTimetz = 1266, kNumeric = 1700, kRefcursor = 1790, kRegprocedure = 2202, kRegoper = 2203, kRegclass = 2205, kRegtype = 2206,
                     kRecord = 2249, kCstring = 2275, kAny = 2276, kAnyArray = 2277, kVoid = 2278, kTrigger = 2279,
                     kInternal = 2281, kAnyElement = 2283, kAnyNonArray = 2776, kUuid = 2950, kPgLsn = 3220,
                     kAnyEnum = 3500, kJsonb = 3802, kRegnamespace = 4089, kRegrole = 4096, kAnyCompatible = 5077,
                     kAnyCompatibleArray = 5078, kAnyCompatibleNonArray = 5079, kAnyRange = 3831, kCidr = 650, kMacaddr = 829, kInet = 869,
                     kBit = 1560, kVarbit = 1562, kMoney = 790, kXid8 = 5069,
                     // The extension citext's, which PostgreSQL gives an OID of users.
                     kCitext = 15900, kCitextArray = 15901,
                     kPgSnapshot = 5038, kTxidSnapshot = 2970, kMacaddr8 = 774, kRegoperator = 2204, kRegcollation = 4191, kJsonpath = 4072,
                     kInt4Multirange = 4451, kNumMultirange = 4532, kTsMultirange = 4533, kTstzMultirange = 4534, kDateMultirange = 4535,
                     kInt8Multirange = 4536, kAnyMultirange = 4537, kAnyCompatibleRange = 5080, kAnyCompatibleMultirange = 4538, kInt4Range = 3904, kNumRange = 3906, kTsRange = 3908, kTstzRange = 3910, kDateRange = 3912, kInt8Range = 3926;
}  // namespace type_oid

}  // namespace wandian
