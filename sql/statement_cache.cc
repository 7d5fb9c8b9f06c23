#include "sql/statement_cache.h"

#include <xxhash.h>

#include "engine/type.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

namespace {
// What one compiled statement is taken to weigh beside its text.
constexpr std::size_t kStatementBytes = 16 * 1024;
}  // namespace

bool CompiledStatement::holds_in(const Catalog& now) const {
  if (catalog.get() == &now) return true;
  if (bound == nullptr) return true;
  for (const auto& table : bound->tables)
    if (now.table(table->oid) != table) return false;
  for (const auto& object : bound->objects)
    if (now.object(object->kind, object->oid) != object) return false;
  for (const auto& sequence : bound->sequences)
    if (now.sequence(sequence->oid) != sequence) return false;
  return true;
}

void describe_columns(std::span<const ResultColumn> columns, std::vector<ColumnDescription>* out) {
  out->clear();
  for (const ResultColumn& column : columns) {
    ColumnDescription description;
    description.name = column.name;
    description.table = column.table;
    description.attribute = column.attribute;
    // A domain is shown as what it is made over.
    description.type = base_type(column.type);
    description.typmod = description.type == column.type ? column.typmod : domain_typmod(column.type);
    const TypeInfo* type = find_type(description.type);
    description.type_length = type != nullptr ? type->length : std::int16_t{-1};
    out->push_back(description);
  }
}

void describe_columns(CompiledStatement& statement) { describe_columns(statement.columns, &statement.description); }

std::size_t StatementCache::Hash::operator()(const Key& key) const {
  return XXH3_64bits_withSeed(key.text.data(), key.text.size(),
                              key.context ^ XXH3_64bits(key.classes.data(), key.classes.size()));
}

CompiledPtr StatementCache::find(const Key& key, const std::shared_ptr<const Catalog>& catalog) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) {
    ++misses_;
    return nullptr;
  }
  Entry& entry = *found->second;
  if (entry.statement->catalog != catalog && entry.statement->bound != nullptr) {
    // A name may mean another object now, so it is bound anew even if all of its objects are the same.
    erase(&entry.key);
    ++misses_;
    return nullptr;
  }
  if (entry.recent != recent_.begin()) recent_.splice(recent_.begin(), recent_, entry.recent);
  ++hits_;
  return entry.statement;
}

void StatementCache::insert(const Key& key, CompiledPtr statement) {
  if (key.text.size() > max_bytes_ / 16) return;
  if (const auto found = entries_.find(key); found != entries_.end()) erase(&found->second->key);
  auto entry = std::make_unique<Entry>();
  entry->classes = key.classes;
  entry->text = key.text;
  entry->context = key.context;
  entry->statement = std::move(statement);
  entry->bytes = kStatementBytes + 4 * key.text.size();
  entry->key = {key.context, entry->classes, entry->text};
  bytes_ += entry->bytes;
  recent_.push_front(&entry->key);
  entry->recent = recent_.begin();
  const Key own = entry->key;
  entries_.emplace(own, std::move(entry));
  while (bytes_ > max_bytes_ && entries_.size() > 1) erase(recent_.back());
}

void StatementCache::erase(const Key* key) {
  const auto found = entries_.find(*key);
  DB_ASSERT(found != entries_.end());
  const std::unique_ptr<Entry> entry = std::move(found->second);
  entries_.erase(found);
  bytes_ -= entry->bytes;
  recent_.erase(entry->recent);
}

void StatementCache::clear() {
  entries_.clear();
  recent_.clear();
  bytes_ = 0;
}

}  // namespace wandian::sql
