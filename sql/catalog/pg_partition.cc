// pg_inherits, pg_partitioned_table.
#include "sql/catalog/producers.h"
#include "sql/partition/hash.h"

namespace wandian::sql {

namespace {

Status pg_inherits(const SystemContext& context, SystemRows& rows) {
  for (const auto& [oid, table] : context.catalog.tables()) {
    if (table->internal || !in_database(context, table->schema)) continue;
    if (table->partition_of != 0) CatalogRow(rows).i(oid).i(table->partition_of).i(1).b(false).done();
    for (const IndexDef& index : table->indexes)
      if (index.parent != 0) CatalogRow(rows).i(index.oid).i(index.parent).i(1).b(false).done();
  }
  return {};
}

// The operator class of a part of a partition key.
Oid class_of(const TableDef& table, const PartitionKeyPart& part) {
  IndexDef index;
  index.method = table.partition_strategy == 'h' ? IndexMethod::kHash : IndexMethod::kBtree;
  IndexPart as_part;
  as_part.column = part.column;
  as_part.type = part.type;
  as_part.typmod = part.typmod;
  as_part.opclass = part.opclass;
  return operator_class_of(table, index, as_part);
}

Status pg_partitioned_table(const SystemContext& context, SystemRows& rows) {
  for (const auto& [oid, table] : context.catalog.tables()) {
    if (!table->is_partitioned() || !in_database(context, table->schema)) continue;
    Oid other = 0;
    for (const Oid partition : table->partitions)
      if (const auto found = context.catalog.table(partition); found != nullptr && found->bound.is_default) other = partition;
    std::vector<std::int16_t> columns;
    std::vector<Oid> classes, collations;
    std::string expressions;
    for (const PartitionKeyPart& part : table->partition_key) {
      columns.push_back(part.column == kExpressionPart ? std::int16_t{0} : static_cast<std::int16_t>(part.column + 1));
      classes.push_back(class_of(*table, part));
      collations.push_back(collation_of(part.type, part.collation.empty() && part.column != kExpressionPart ? table->columns[part.column].collation : part.collation));
      if (part.column == kExpressionPart) expressions += (expressions.empty() ? "" : ", ") + part.expression;
    }
    CatalogRow row(rows);
    row.i(oid).c(table->partition_strategy).i(static_cast<std::int64_t>(columns.size())).i(other).short_vector(columns).oid_vector(classes).oid_vector(collations);
    if (expressions.empty()) row.null();
    else row.t(expressions);
    row.done();
  }
  return {};
}

constexpr SystemProducer kPartitionProducers[] = {{"pg_inherits", pg_inherits}, {"pg_partitioned_table", pg_partitioned_table}};

}  // namespace

std::span<const SystemProducer> partition_producers() { return kPartitionProducers; }

}  // namespace wandian::sql
