// SessionHooks: partitioned tables, for pg_get_partkeydef and its like.
#include "sql/catalog/relation_names.h"
#include "sql/ddl/partition.h"
#include "sql/expr/deparse.h"
#include "sql/messages.h"
#include "sql/session_impl.h"

namespace wandian::sql {

std::optional<std::string> SessionImpl::partition_key_definition(Oid relation) {
  const auto table = catalog()->table(relation);
  if (table == nullptr || !table->is_partitioned()) return std::nullopt;
  return partition_key_text(*table, false);
}

std::optional<std::string> SessionImpl::partition_constraint_definition(Oid relation) {
  const auto table = catalog()->table(relation);
  if (table == nullptr || table->partition_of == 0) return std::nullopt;
  const std::string text = partition_condition(*catalog(), *table);
  if (text.empty()) return std::nullopt;
  DefinitionStyle printing;
  printing.collated_constants = true;
  return print_stored(text, relation, std::move(printing));
}

namespace {

// Tables and indexes alike: what is below and above.
struct Relation {
  std::shared_ptr<const TableDef> table;
  const IndexDef* index = nullptr;

  Oid oid() const { return index != nullptr ? index->oid : table->oid; }
  bool is_leaf() const { return !table->is_partitioned(); }
};

std::optional<Relation> find_partitioned(const Catalog& catalog, Oid oid) {
  const auto facts = relation_facts(catalog, oid);
  if (!facts || facts->table == nullptr) return std::nullopt;
  if (facts->kind == FoundRelation::Kind::kIndex) {
    if (!facts->table->is_partitioned() && facts->index->parent == 0) return std::nullopt;
    return Relation{facts->table, facts->index};
  }
  if (!facts->table->is_partitioned() && facts->table->partition_of == 0) return std::nullopt;
  return Relation{facts->table, nullptr};
}

std::optional<Relation> above(const Catalog& catalog, const Relation& relation) {
  const auto parent = catalog.table(relation.table->partition_of);
  if (parent == nullptr) return std::nullopt;
  if (relation.index == nullptr) return Relation{parent, nullptr};
  for (const IndexDef& index : parent->indexes)
    if (index.oid == relation.index->parent && index.oid != 0) return Relation{parent, &index};
  return std::nullopt;
}

std::vector<Relation> below(const Catalog& catalog, const Relation& relation) {
  std::vector<Relation> out;
  for (const Oid oid : relation.table->partitions) {
    const auto partition = catalog.table(oid);
    if (relation.index == nullptr) out.push_back({partition, nullptr});
    for (const IndexDef& index : partition->indexes)
      if (relation.index != nullptr && index.parent == relation.index->oid) out.push_back({partition, &index});
  }
  return out;
}

}  // namespace

std::vector<Oid> SessionImpl::partition_ancestors(Oid oid) {
  const std::shared_ptr<const Catalog> known = catalog();
  std::vector<Oid> out;
  for (std::optional<Relation> at = find_partitioned(*known, oid); at; at = above(*known, *at)) out.push_back(at->oid());
  return out;
}

// Level by level, as PostgreSQL lists them.
std::vector<SessionHooks::PartitionRelation> SessionImpl::partition_tree(Oid oid) {
  const std::shared_ptr<const Catalog> known = catalog();
  std::vector<PartitionRelation> out;
  const std::optional<Relation> root = find_partitioned(*known, oid);
  if (!root) return out;
  const std::optional<Relation> parent = above(*known, *root);
  out.push_back({root->oid(), parent ? parent->oid() : 0, root->is_leaf(), 0});
  std::vector<std::pair<Relation, std::int32_t>> todo{{*root, 0}};
  for (std::size_t i = 0; i < todo.size(); ++i) {
    const auto [at, level] = todo[i];
    for (const Relation& next : below(*known, at)) {
      out.push_back({next.oid(), at.oid(), next.is_leaf(), level + 1});
      todo.emplace_back(next, level + 1);
    }
  }
  return out;
}

Result<std::vector<Oid>> SessionImpl::hash_partition_key(Oid oid) {
  const auto table = catalog()->table(oid);
  if (table == nullptr || table->partition_strategy != 'h') {
    const std::string name = object_name(ObjectClass::kRelation, oid).value_or(std::string());
    if (name.empty()) return Status{sqlstate::internal_error, "could not open relation with OID " + std::to_string(oid)};
    return Status{sqlstate::invalid_parameter_value, quoted(name) + " is not a hash partitioned table"};
  }
  std::vector<Oid> out;
  for (const PartitionKeyPart& part : table->partition_key) out.push_back(part.type);
  return out;
}

}  // namespace wandian::sql
