#include "sql/partition/tree.h"

#include "sql/exec/row_writer.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

ColumnMap::ColumnMap(const TableDef& from, const TableDef& to) {
  bool same = true;
  for (std::size_t i = 0; i < from.columns.size(); ++i) {
    const int found = from.columns[i].dropped ? -1 : to.find_column(from.columns[i].name);
    columns_.push_back(found < 0 ? kNone : static_cast<std::uint16_t>(found));
    same = same && (from.columns[i].dropped || found == static_cast<int>(i));
  }
  if (same && from.columns.size() == to.columns.size()) columns_.clear();
}

std::unique_ptr<PartitionNode> PartitionTree::make(const Catalog& catalog, std::shared_ptr<const TableDef> table, const TableDef& root) {
  auto node = std::make_unique<PartitionNode>();
  if (table->oid != root.oid) {
    node->columns = ColumnMap(root, *table);
    node->to_root = ColumnMap(*table, root);
  }
  node->partitioning = partitioning_of(*table);
  node->table = std::move(table);
  if (node->partitioning == nullptr) {
    node->leaf = leaves_.size();
    leaves_.push_back(node.get());
    return node;
  }
  for (const Partitioning::Child& child : node->partitioning->children()) node->children.push_back(make(catalog, catalog.table(child.table), root));
  return node;
}

PartitionTree::PartitionTree(const Catalog& catalog, std::shared_ptr<const TableDef> root) {
  const TableDef& top = *root;
  root_ = make(catalog, std::move(root), top);
}

const PartitionNode* PartitionTree::find(Oid table) const {
  for (const PartitionNode* leaf : leaves_)
    if (leaf->table->oid == table) return leaf;
  return nullptr;
}

std::string describe_partition_key(const TableDef& table, const Partitioning& partitioning, std::span<const Value> key, EvalContext& eval) {
  constexpr std::size_t kShownBytes = 64;
  std::string values;
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i != 0) values += ", ";
    std::string text = "null";
    if (!key[i].is_null) {
      text.clear();
      if (!append_text(eval, partitioning.parts()[i].type, key[i], text)) eval.error = {};
    }
    if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
    values += text;
  }
  return "Partition key of the failing row contains (" + partition_key_text(table, true) + ") = (" + values + ").";
}

namespace {

// The row by the node's own columns.
std::span<const Value> in_order_of(const PartitionNode& node, std::span<const Value> row, std::vector<Value>* memory) {
  if (node.to_root.same()) return row;
  memory->assign(node.table->columns.size(), Value::null());
  for (std::size_t i = 0; i < memory->size(); ++i)
    if (const std::uint16_t column = node.to_root[static_cast<std::uint16_t>(i)]; column != ColumnMap::kNone) (*memory)[i] = row[column];
  return *memory;
}

}  // namespace

Result<const PartitionNode*> PartitionTree::route(std::span<const Value> row, const Catalog& catalog, EvalContext& eval) const {
  const PartitionNode* node = root_.get();
  std::vector<Value> memory, key;
  while (node->partitioning != nullptr) {
    WANDIAN_TRY(node->partitioning->key_of(in_order_of(*node, row, &memory), eval, &key));
    const int child = node->partitioning->find(key);
    if (child < 0)
      return Status(sqlstate::check_violation, "no partition of relation \"" + node->table->name + "\" found for row")
          .with_detail(describe_partition_key(*node->table, *node->partitioning, key, eval))
          .with_table(schema_name(catalog, node->table->schema), node->table->name);
    node = node->children[static_cast<std::size_t>(child)].get();
  }
  return node;
}

std::shared_ptr<const TableDef> partition_root(const Catalog& catalog, std::shared_ptr<const TableDef> table) {
  while (table->partition_of != 0) {
    std::shared_ptr<const TableDef> parent = catalog.table(table->partition_of);
    if (parent == nullptr) break;
    table = std::move(parent);
  }
  return table;
}

std::vector<std::shared_ptr<const TableDef>> all_partitions(const Catalog& catalog, const TableDef& table) {
  std::vector<std::shared_ptr<const TableDef>> out;
  for (const Oid oid : table.partitions) {
    std::shared_ptr<const TableDef> child = catalog.table(oid);
    if (child == nullptr) continue;
    const std::vector<std::shared_ptr<const TableDef>> below = all_partitions(catalog, *child);
    out.push_back(std::move(child));
    out.insert(out.end(), below.begin(), below.end());
  }
  return out;
}

PartitionGuard::PartitionGuard(const Catalog& catalog, const TableDef& table) {
  Oid child = table.oid;
  for (std::shared_ptr<const TableDef> parent = catalog.table(table.partition_of); parent != nullptr; parent = catalog.table(parent->partition_of)) {
    levels_.push_back({parent, child, ColumnMap(*parent, table)});
    child = parent->oid;
  }
}

Status PartitionGuard::belongs(std::span<const Value> row, EvalContext& eval, bool* answer) const {
  std::vector<Value> values, key;
  *answer = true;
  for (const Level& level : levels_) {
    const Partitioning* partitioning = partitioning_of(*level.parent);
    if (partitioning == nullptr) return Status(sqlstate::internal_error, "a partitioned table was not compiled");
    values.assign(level.parent->columns.size(), Value::null());
    for (std::size_t i = 0; i < values.size(); ++i)
      if (const std::uint16_t column = level.columns[static_cast<std::uint16_t>(i)]; column < row.size()) values[i] = row[column];
    WANDIAN_TRY(partitioning->key_of(values, eval, &key));
    const int found = partitioning->find(key);
    *answer = found >= 0 && partitioning->children()[static_cast<std::size_t>(found)].table == level.child;
    if (!*answer) return {};
  }
  return {};
}

Status partition_violation(const Catalog& catalog, const TableDef& table, std::span<const Value> row, EvalContext& eval) {
  return Status(sqlstate::check_violation, "new row for relation \"" + table.name + "\" violates partition constraint")
      .with_detail(failing_row(table, row, eval))
      .with_table(schema_name(catalog, table.schema), table.name);
}

}  // namespace wandian::sql
