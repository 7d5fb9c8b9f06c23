// CompiledStatement: a statement parsed, bound and planned; StatementCache: a shard's compiled statements by their text.
// Owns:       parse trees, bound trees, plans.
// Thread:     a cache belongs to its shard; a CompiledStatement is immutable.
// Invariants: the key is compared in full: context (database, search path, the settings that names and literals depend on),
//             declared parameter types or the classes of literals, text. An entry found for another catalog is not used: names
//             might mean something else now.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/catalog.h"
#include "engine/transaction.h"
#include "sql/bind/bound.h"
#include "sql/ddl/ddl.h"
#include "sql/expr/expression.h"
#include "sql/parse/normalize.h"
#include "sql/parse/parser.h"
#include "sql/parse/statement_kind.h"
#include "sql/plan/plan.h"
#include "sql/session_sink.h"
#include "sql/statement_statistics.h"

namespace wandian::sql {

struct CompiledStatement {
  std::shared_ptr<const ParsedStatements> parsed;   ///< may hold several statements: this is number `index`
  std::size_t index = 0;
  bool empty = false;                               ///< the text holds no statement
  const ParseNode* inner = nullptr;                 ///< PREPARE, DECLARE: the statement inside, instead of the whole
  StatementKind kind = StatementKind::kOther;
  std::string_view tag;                             ///< without counts

  /// Bound against this catalog; null for statements that are not bound until they run.
  std::shared_ptr<const Catalog> catalog;
  std::uint64_t context = 0;                        ///< SessionImpl::plan_context() it was bound in
  std::shared_ptr<const BoundStatement> bound;
  std::shared_ptr<const Plan> plan;                 ///< null for calls of native procedures
  std::vector<std::pair<std::shared_ptr<const TableDef>, TableLock>> locks;
  std::vector<ResultColumn> columns;
  std::vector<ColumnDescription> description;       ///< of `columns`
  bool returns_rows = false;
  bool fast = false;                                ///< run_fast() may do
  /// What the role of its context may do, decided for `access_catalog`: null, or why it may not run. For its shard's thread.
  mutable std::shared_ptr<const Status> denied;
  mutable std::shared_ptr<const Catalog> access_catalog;
  /// What its runs are counted into, once one was; and the time of its planning, in ns, until that is. For its shard's thread.
  mutable std::shared_ptr<StatementEntry> statistics;
  mutable std::int64_t planning_ns = 0;
  const TableDef* unpopulated = nullptr;            ///< of `locks`: a materialized view that has no rows to read yet
  std::vector<Oid> parameter_types;
  std::vector<Oid> declared_types;

  /// Arguments of a native procedure's call, in `code`.
  std::vector<CompiledExpr> arguments;
  std::unique_ptr<Arena> code;

  const ParseNode* node() const { return empty ? nullptr : inner != nullptr ? inner : parsed->statements()[index].node; }
  const std::string& text() const { return parsed->text(); }
  std::string_view statement_text() const { return empty ? std::string_view{} : parsed->statement_text(index); }
  StatementRef ref() const { return {node(), parsed->text(), statement_text(), kind, parameter_types, {}}; }
  bool is_procedure_call() const { return bound != nullptr && bound->kind == BoundKind::kCallProcedure; }
  /// Every definition it refers to is the same in `catalog`.
  bool holds_in(const Catalog& catalog) const;
};
using CompiledPtr = std::shared_ptr<const CompiledStatement>;

/// Fills `description` from `columns`.
void describe_columns(CompiledStatement& statement);
void describe_columns(std::span<const ResultColumn> columns, std::vector<ColumnDescription>* out);

class StatementCache {
 public:
  explicit StatementCache(std::size_t max_bytes = std::size_t{32} << 20) : max_bytes_(max_bytes) {}

  struct Key {
    std::uint64_t context = 0;
    std::string_view classes;        ///< of literals or declared types, as bytes
    std::string_view text;
  };
  /// Null if there is none for this catalog. Statements compiled for an older one are thrown away.
  CompiledPtr find(const Key& key, const std::shared_ptr<const Catalog>& catalog);
  void insert(const Key& key, CompiledPtr statement);
  void clear();
  std::size_t size() const { return entries_.size(); }
  std::uint64_t hits() const { return hits_; }
  std::uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    std::string classes, text;
    std::uint64_t context;
    CompiledPtr statement;
    std::size_t bytes;
    std::list<const Key*>::iterator recent;
    Key key;                         ///< views of the strings above
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct Equal {
    bool operator()(const Key& a, const Key& b) const {
      return a.context == b.context && a.text == b.text && a.classes == b.classes;
    }
  };
  void erase(const Key* key);

  std::size_t max_bytes_, bytes_ = 0;
  std::unordered_map<Key, std::unique_ptr<Entry>, Hash, Equal> entries_;
  std::list<const Key*> recent_;     ///< newest first
  std::uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace wandian::sql
