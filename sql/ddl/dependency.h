// Dependencies between objects: who refers to whom, and what DROP takes with it.
// Owns:       nothing; looks at one catalog.
// Thread:     the session's shard.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sql/bind/view_uses.h"
#include "sql/ddl/context.h"

namespace wandian::sql {

enum class RefKind : std::uint8_t {
  kTable, kIndex, kSequence, kView, kKeyConstraint, kForeignKey, kDefault, kColumn, kFunction, kSchema, kExtension, kTrigger, kType, kCheck, kAttribute,
  kDomainCheck, kCollation
};

struct ObjectRef {
  RefKind kind = RefKind::kTable;
  Oid oid = 0;                       ///< constraints and indexes: their own; kDefault, kColumn: the table's; kAttribute: the composite type's
  Oid table = 0;                     ///< of constraints and indexes; kDomainCheck: the domain
  std::uint16_t column = 0;          ///< kDefault, kColumn, kAttribute
  friend auto operator<=>(const ObjectRef&, const ObjectRef&) = default;
};

/// "table t", "constraint c on table t", "default value for column a of table t".
std::string describe(DdlContext& ctx, const ObjectRef& object);

/// The objects that a DROP takes with it.
class DropPlan {
 public:
  explicit DropPlan(DdlContext& ctx) : ctx_(ctx) {}
  /// Adds a target and, transitively, what depends on it.
  void add(const ObjectRef& object);
  /// 2BP01 with PostgreSQL's detail unless cascading or nothing but the targets and what is theirs goes; then the notices.
  Status check(bool cascade);
  /// Tables that must be locked before the drop: those dropped, and those that lose a constraint or a default.
  std::set<Oid> tables();
  /// Everything but the columns that go with their types.
  Status collect(Changes& changes);
  std::vector<ObjectRef> lost_columns() const;
  std::size_t size() const { return order_.size(); }

 private:
  struct Entry {
    ObjectRef object;
    ObjectRef because;               ///< of dependents
    bool target = false, silent = false;
  };
  void visit(const ObjectRef& object, const ObjectRef* because, bool target, bool silent);
  struct Dependent {
    ObjectRef object;
    bool silent = false;
  };
  std::vector<Dependent> dependents(const ObjectRef& object);
  void type_dependents(Oid type, std::vector<Dependent>* out);
  Oid owning_range(const ObjectRef& object) const;
  void citext_dependents(Oid database, std::vector<Dependent>* out);
  void view_defaults(const std::function<bool(const std::string&)>& names_it, std::vector<Dependent>* out);
  void collation_dependents(Oid collation, std::vector<Dependent>* out);
  const ViewUses& uses(Oid view, const std::string& definition);
  void add_views(const std::function<bool(const ViewUses&)>& reads, std::vector<Dependent>* out);
  /// `column`: attribute number; 0 with a relation as a whole, or a function.
  void add_bodies(Oid oid, std::int16_t column, std::vector<Dependent>* out);
  bool planned(RefKind kind, Oid oid) const { return seen_.contains(ObjectRef{kind, oid, 0, 0}); }
  void mark_targets();

  DdlContext& ctx_;
  std::vector<Entry> order_;
  std::set<ObjectRef> seen_;
  std::map<Oid, ViewUses> views_;
  std::vector<ObjectRef> targets_;
};

Task<Status> drop_objects(DdlContext& ctx);
/// Drops what is named and what depends on it: 2BP01 unless cascading.
Task<Status> drop_targets(DdlContext& ctx, std::vector<ObjectRef> targets, bool cascade);

}  // namespace wandian::sql
