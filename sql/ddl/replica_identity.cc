// REPLICA IDENTITY: which columns of old rows a logical replica would be told. Nobody is; it is checked, remembered and shown.
#include "sql/ddl/statements.h"

namespace wandian::sql {

namespace {

Status check_identity(const TableDef& table, const IndexDef& index) {
  const auto unusable = [&](std::string_view kind) { return "cannot use " + std::string(kind) + " index " + quoted(index.name) + " as replica identity"; };
  if (!index.unique) return Status{sqlstate::wrong_object_type, unusable("non-unique")};
  if (index.deferrable) return feature_not_supported(unusable("non-immediate"));
  for (const IndexPart& part : index.parts)
    if (part.column == kExpressionPart) return feature_not_supported(unusable("expression"));
  if (!index.predicate.empty()) return feature_not_supported(unusable("partial"));
  for (std::size_t i = 0; i < index.key_parts; ++i)
    if (const ColumnDef& column = table.columns[index.parts[i].column]; !column.not_null)
      return Status{sqlstate::wrong_object_type, "index " + quoted(index.name) + " cannot be used as replica identity because column " +
                                                     quoted(column.name) + " is nullable"};
  return {};
}

}  // namespace

Status set_replica_identity(DdlContext& ctx, TableDef& table, const PgQuery__ReplicaIdentityStmt& node) {
  Oid chosen = 0;
  if (text_or_empty(node.identity_type) == "i") {
    WANDIAN_ASSIGN(const IndexDef* const index, find_index_of(ctx, table, text_or_empty(node.name)));
    WANDIAN_TRY(check_identity(table, *index));
    chosen = index->oid;
  }
  table.replica_identity = node.identity_type[0];
  for (IndexDef& index : table.indexes) index.replica_identity = chosen != 0 && index.oid == chosen;
  return {};
}

}  // namespace wandian::sql
