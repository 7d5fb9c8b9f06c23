// The objects that the catalogs of a database show, kind by kind.
// Thread:  the session's shard; what is visited is the context's catalog.
#pragma once

#include "engine/catalog.h"
#include "sql/catalog/producers.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

template <class Visit>
void each_table(const SystemContext& context, Visit&& visit) {
  for (const auto& [oid, table] : context.catalog.tables())
    if (!table->internal && in_database(context, table->schema)) visit(*table);
}
template <class Visit>
void each_index(const SystemContext& context, Visit&& visit) {
  each_table(context, [&](const TableDef& table) {
    for (const IndexDef& index : table.indexes)
      if (index.oid != 0) visit(table, index);
  });
}
template <class Visit>
void each_sequence(const SystemContext& context, Visit&& visit) {
  for (const auto& [oid, sequence] : context.catalog.sequences())
    if (in_database(context, sequence->schema)) visit(*sequence);
}
template <class Visit>
void each_composite(const SystemContext& context, Visit&& visit) {
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kType, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kType; ++it) {
    const auto* type = static_cast<const UserType*>(it->second->compiled.get());
    if (type != nullptr && type->kind == 'c' && in_database(context, it->second->parent)) visit(*it->second, *type);
  }
}
template <class Visit>
void each_view(const SystemContext& context, Visit&& visit) {
  const auto& objects = context.catalog.objects();
  for (auto it = objects.lower_bound(std::pair(ObjectKind::kView, Oid{0})); it != objects.end() && it->first.first == ObjectKind::kView; ++it)
    if (in_database(context, it->second->parent)) visit(*it->second);
}

// Views and materialized views, with their encoded definitions.
template <class Visit>
void each_defined_view(const SystemContext& context, Visit&& visit) {
  each_view(context, [&](const ObjectDef& view) { visit(view.oid, view.definition); });
  each_table(context, [&](const TableDef& table) {
    if (table.is_materialized_view()) visit(table.oid, table.view_definition);
  });
}

/// The OID of a column's default, which has none of its own.
inline Oid default_oid(Oid table, std::size_t column) { return 0x10000000u | ((table * 131u + static_cast<Oid>(column)) & 0x0FFFFFFFu); }

}  // namespace wandian::sql
