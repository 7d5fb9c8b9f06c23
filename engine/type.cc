#include "engine/type.h"

#include <array>

#include "engine/user_type.h"

namespace wandian {

namespace {

using namespace type_oid;

constexpr TypeInfo array_of(Oid oid, std::string_view name, Oid element) {
  return {oid, name, -1, Rep::kBytes, Order::kArray, 'A', false, element, 0};
}

constexpr TypeInfo range_over(Oid oid, std::string_view name, Oid subtype, Oid array) {
  return {oid, name, -1, Rep::kBytes, Order::kRange, 'R', false, 0, array, 'r', subtype};
}

// An array of ranges (sql/types/multirange.h).
constexpr TypeInfo multirange_over(Oid oid, std::string_view name, Oid range, Oid array) {
  return {oid, name, -1, Rep::kBytes, Order::kArray, 'R', false, 0, array, 'm', range};
}

constexpr std::array kTypes{
    TypeInfo{kBool, "bool", 1, Rep::kInt8Bit, Order::kInteger, 'B', true, 0, 1000},
    TypeInfo{kBytea, "bytea", -1, Rep::kBytes, Order::kBytes, 'U', false, 0, 1001},
    TypeInfo{kChar, "char", 1, Rep::kInt8Bit, Order::kInteger, 'Z', false, 0, 1002},
    TypeInfo{kName, "name", 64, Rep::kBytes, Order::kBytes, 'S', false, kChar, 1003},
    TypeInfo{kInt8, "int8", 8, Rep::kInt64, Order::kInteger, 'N', false, 0, 1016},
    TypeInfo{kInt2, "int2", 2, Rep::kInt16, Order::kInteger, 'N', false, 0, 1005},
    TypeInfo{kInt2Vector, "int2vector", -1, Rep::kBytes, Order::kArray, 'A', false, kInt2, 1006},
    TypeInfo{kInt4, "int4", 4, Rep::kInt32, Order::kInteger, 'N', false, 0, 1007},
    TypeInfo{kRegproc, "regproc", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 1008},
    TypeInfo{kText, "text", -1, Rep::kBytes, Order::kBytes, 'S', true, 0, 1009},
    TypeInfo{kOid, "oid", 4, Rep::kUint32, Order::kUnsigned, 'N', true, 0, 1028},
    TypeInfo{kTid, "tid", 6, Rep::kInt64, Order::kUnsigned, 'U', false, 0, 1010},
    TypeInfo{kXid, "xid", 4, Rep::kUint32, Order::kUnsigned, 'U', false, 0, 1011},
    TypeInfo{kCid, "cid", 4, Rep::kUint32, Order::kUnsigned, 'U', false, 0, 1012},
    TypeInfo{kOidVector, "oidvector", -1, Rep::kBytes, Order::kArray, 'A', false, kOid, 1013},
    TypeInfo{kJson, "json", -1, Rep::kBytes, Order::kNone, 'U', false, 0, 199},
    TypeInfo{kPgNodeTree, "pg_node_tree", -1, Rep::kBytes, Order::kNone, 'Z', false, 0, 0},
    TypeInfo{kFloat4, "float4", 4, Rep::kFloat32, Order::kFloat, 'N', false, 0, 1021},
    TypeInfo{kFloat8, "float8", 8, Rep::kFloat64, Order::kFloat, 'N', true, 0, 1022},
    TypeInfo{kUnknown, "unknown", -2, Rep::kBytes, Order::kNone, 'X', false, 0, 0, 'p'},
    TypeInfo{kAclItem, "aclitem", 12, Rep::kBytes, Order::kNone, 'U', false, 0, 1034},
    TypeInfo{kBpchar, "bpchar", -1, Rep::kBytes, Order::kPadded, 'S', false, 0, 1014},
    TypeInfo{kVarchar, "varchar", -1, Rep::kBytes, Order::kBytes, 'S', false, 0, 1015},
    TypeInfo{kDate, "date", 4, Rep::kInt32, Order::kInteger, 'D', false, 0, 1182},
    TypeInfo{kTime, "time", 8, Rep::kInt64, Order::kInteger, 'D', false, 0, 1183},
    TypeInfo{kTimestamp, "timestamp", 8, Rep::kInt64, Order::kInteger, 'D', false, 0, 1115},
    TypeInfo{kTimestamptz, "timestamptz", 8, Rep::kInt64, Order::kInteger, 'D', true, 0, 1185},
    TypeInfo{kInterval, "interval", 16, Rep::kFixed16, Order::kInterval, 'T', true, 0, 1187},
    TypeInfo{kNumeric, "numeric", -1, Rep::kBytes, Order::kNumeric, 'N', false, 0, 1231},
    TypeInfo{kRefcursor, "refcursor", -1, Rep::kBytes, Order::kNone, 'U', false, 0, 2201},
    TypeInfo{kRegprocedure, "regprocedure", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 2207},
    TypeInfo{kRegoper, "regoper", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 2208},
    TypeInfo{kRegoperator, "regoperator", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 2209},
    TypeInfo{kRegcollation, "regcollation", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 4192},
    TypeInfo{kRegclass, "regclass", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 2210},
    TypeInfo{kRegtype, "regtype", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 2211},
    TypeInfo{kRegnamespace, "regnamespace", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 4090},
    TypeInfo{kRegrole, "regrole", 4, Rep::kUint32, Order::kUnsigned, 'N', false, 0, 4097},
    TypeInfo{kRecord, "record", -1, Rep::kBytes, Order::kRecord, 'P', false, 0, 2287, 'p'},
    TypeInfo{kCstring, "cstring", -2, Rep::kBytes, Order::kNone, 'P', false, 0, 1263, 'p'},
    TypeInfo{kAny, "any", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kAnyArray, "anyarray", -1, Rep::kBytes, Order::kArray, 'P', false, 0, 0, 'p'},
    TypeInfo{kVoid, "void", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kTrigger, "trigger", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kInternal, "internal", 8, Rep::kInt64, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kAnyElement, "anyelement", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kAnyNonArray, "anynonarray", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kUuid, "uuid", 16, Rep::kFixed16, Order::kBytes, 'U', false, 0, 2951},
    TypeInfo{kPgLsn, "pg_lsn", 8, Rep::kInt64, Order::kUnsigned, 'U', false, 0, 3221},
    TypeInfo{kAnyEnum, "anyenum", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kJsonb, "jsonb", -1, Rep::kBytes, Order::kJsonb, 'U', false, 0, 3807},
    multirange_over(kInt4Multirange, "int4multirange", kInt4Range, 6150), array_of(6150, "_int4multirange", kInt4Multirange),
    multirange_over(kNumMultirange, "nummultirange", kNumRange, 6151), array_of(6151, "_nummultirange", kNumMultirange),
    multirange_over(kTsMultirange, "tsmultirange", kTsRange, 6152), array_of(6152, "_tsmultirange", kTsMultirange),
    multirange_over(kTstzMultirange, "tstzmultirange", kTstzRange, 6153), array_of(6153, "_tstzmultirange", kTstzMultirange),
    multirange_over(kDateMultirange, "datemultirange", kDateRange, 6155), array_of(6155, "_datemultirange", kDateMultirange),
    multirange_over(kInt8Multirange, "int8multirange", kInt8Range, 6157), array_of(6157, "_int8multirange", kInt8Multirange),
    TypeInfo{kAnyMultirange, "anymultirange", -1, Rep::kBytes, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kTimetz, "timetz", 12, Rep::kFixed16, Order::kBytes, 'D', false, 0, 1270}, array_of(1270, "_timetz", kTimetz),
    TypeInfo{kBit, "bit", -1, Rep::kBytes, Order::kBytes, 'V', false, 0, 1561}, array_of(1561, "_bit", kBit),
    TypeInfo{kVarbit, "varbit", -1, Rep::kBytes, Order::kBytes, 'V', true, 0, 1563}, array_of(1563, "_varbit", kVarbit),
    TypeInfo{kMoney, "money", 8, Rep::kInt64, Order::kInteger, 'N', false, 0, 791}, array_of(791, "_money", kMoney),
    TypeInfo{kXid8, "xid8", 8, Rep::kInt64, Order::kUnsigned, 'U', false, 0, 271}, array_of(271, "_xid8", kXid8),
    TypeInfo{kMacaddr8, "macaddr8", 8, Rep::kInt64, Order::kUnsigned, 'U', false, 0, 775}, array_of(775, "_macaddr8", kMacaddr8),
    TypeInfo{kJsonpath, "jsonpath", -1, Rep::kBytes, Order::kNone, 'U', false, 0, 4073}, array_of(4073, "_jsonpath", kJsonpath),
    TypeInfo{kAnyCompatible, "anycompatible", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kAnyCompatibleArray, "anycompatiblearray", -1, Rep::kBytes, Order::kArray, 'P', false, 0, 0, 'p'},
    TypeInfo{kAnyCompatibleNonArray, "anycompatiblenonarray", 4, Rep::kInt32, Order::kNone, 'P', false, 0, 0, 'p'},
    TypeInfo{kInet, "inet", -1, Rep::kBytes, Order::kBytes, 'I', true, 0, 1041},
    TypeInfo{kCidr, "cidr", -1, Rep::kBytes, Order::kBytes, 'I', false, 0, 651},
    TypeInfo{kMacaddr, "macaddr", 6, Rep::kInt64, Order::kInteger, 'U', false, 0, 1040},
    array_of(1041, "_inet", kInet), array_of(651, "_cidr", kCidr), array_of(1040, "_macaddr", kMacaddr),
    TypeInfo{kAnyRange, "anyrange", -1, Rep::kBytes, Order::kNone, 'P', false, 0, 0, 'p'},
    range_over(kInt4Range, "int4range", kInt4, 3905), range_over(kNumRange, "numrange", kNumeric, 3907),
    range_over(kTsRange, "tsrange", kTimestamp, 3909), range_over(kTstzRange, "tstzrange", kTimestamptz, 3911),
    range_over(kDateRange, "daterange", kDate, 3913), range_over(kInt8Range, "int8range", kInt8, 3927),
    array_of(3905, "_int4range", kInt4Range), array_of(3907, "_numrange", kNumRange), array_of(3909, "_tsrange", kTsRange),
    array_of(3911, "_tstzrange", kTstzRange), array_of(3913, "_daterange", kDateRange), array_of(3927, "_int8range", kInt8Range),
    array_of(1000, "_bool", kBool), array_of(1001, "_bytea", kBytea), array_of(1002, "_char", kChar),
    array_of(1003, "_name", kName), array_of(1016, "_int8", kInt8), array_of(1005, "_int2", kInt2),
    array_of(1006, "_int2vector", kInt2Vector), array_of(1007, "_int4", kInt4), array_of(1008, "_regproc", kRegproc),
    array_of(1009, "_text", kText), array_of(1028, "_oid", kOid), array_of(1010, "_tid", kTid),
    array_of(1011, "_xid", kXid), array_of(1012, "_cid", kCid), array_of(1013, "_oidvector", kOidVector),
    array_of(199, "_json", kJson), array_of(1021, "_float4", kFloat4), array_of(1022, "_float8", kFloat8),
    array_of(1034, "_aclitem", kAclItem), array_of(1014, "_bpchar", kBpchar), array_of(1015, "_varchar", kVarchar),
    array_of(1182, "_date", kDate), array_of(1183, "_time", kTime), array_of(1115, "_timestamp", kTimestamp),
    array_of(1185, "_timestamptz", kTimestamptz), array_of(1187, "_interval", kInterval),
    array_of(1231, "_numeric", kNumeric), array_of(2201, "_refcursor", kRefcursor), array_of(2207, "_regprocedure", kRegprocedure),
    array_of(2208, "_regoper", kRegoper), array_of(2209, "_regoperator", kRegoperator), array_of(4192, "_regcollation", kRegcollation), array_of(2210, "_regclass", kRegclass), array_of(2211, "_regtype", kRegtype),
    array_of(4090, "_regnamespace", kRegnamespace), array_of(4097, "_regrole", kRegrole),
    TypeInfo{2287, "_record", -1, Rep::kBytes, Order::kArray, 'P', false, kRecord, 0, 'p'},
    array_of(1263, "_cstring", kCstring), array_of(2951, "_uuid", kUuid), array_of(3221, "_pg_lsn", kPgLsn),
    array_of(3807, "_jsonb", kJsonb),
};

constexpr Oid kMaxTypeOid = 6200;

// Position in kTypes by OID, plus one.
constexpr auto kByOid = [] {
  std::array<std::uint16_t, kMaxTypeOid> table{};
  for (std::size_t i = 0; i < kTypes.size(); ++i) table[kTypes[i].oid] = static_cast<std::uint16_t>(i + 1);
  return table;
}();

}  // namespace

const TypeInfo* find_type(Oid oid) {
  if (oid >= kMaxTypeOid) [[unlikely]] return find_user_type(oid);
  if (kByOid[oid] == 0) return nullptr;
  return &kTypes[kByOid[oid] - 1u];
}

const TypeInfo* find_type(std::string_view typname) {
  for (const TypeInfo& type : kTypes)
    if (type.name == typname) return &type;
  return nullptr;
}

std::span<const TypeInfo> all_types() { return kTypes; }

Oid base_type(Oid type) {
  const TypeInfo* info = find_type(type);
  while (info != nullptr && info->kind == 'd') {
    type = info->base;
    info = find_type(type);
  }
  return type;
}

}  // namespace wandian
