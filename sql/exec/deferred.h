// DeferredConstraints: what foreign keys, unique constraints and constraint triggers that are deferred have still to do before the
// transaction commits, and SET CONSTRAINTS.
// Owns:       copies of the keys' and rows' values, until they are checked or undone.
// Thread:     the session's shard.
// Errors:     std::bad_alloc when too much is deferred: 53200 at the statement's boundary.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "engine/arena.h"
#include "engine/catalog.h"
#include "engine/task.h"
#include "engine/value.h"

namespace wandian::sql {

struct ExecContext;

class DeferredConstraints {
 public:
  enum class Kind : std::uint8_t {
    kReference,   ///< a row of the table was written whose foreign key says `values` (by ForeignKeyDef::columns)
    kRemoval,     ///< the key `values` is gone (by referenced_columns), which rows of the table may refer to
    kUnique,      ///< a row of the table was written whose unique key is `values`
    kTrigger,     ///< a row was written whose old and new form are `values`: the constraint's trigger is to be fired
  };
  struct Event {
    Oid table = 0, constraint = 0;
    Kind kind = Kind::kReference;
    std::span<const Value> values;
    std::uint16_t operation = 0;      ///< kTrigger: TriggerDef::kInsert, ...
  };
  struct Mark {
    std::size_t events = 0;
    std::map<Oid, bool> modes;
    std::optional<bool> all;
  };

  bool pending() const { return !events_.empty(); }
  /// Whether rows of this table were changed that are still to be checked.
  bool pending(const Catalog& catalog, Oid table) const;
  bool is_deferred(const ForeignKeyDef& key) const { return key.deferrable && is_deferred(key.oid, key.initially_deferred); }
  bool is_deferred(const IndexDef& index) const { return index.deferrable && is_deferred(index.constraint, index.initially_deferred); }
  bool is_deferred(const TriggerDef& trigger) const { return trigger.deferrable && is_deferred(trigger.constraint, trigger.initially_deferred); }
  /// `types` are those of the values, whose bytes are copied.
  void add(Event event, std::span<const Oid> types);

  void set(Oid constraint, bool deferred) { modes_[constraint] = deferred; }
  void set_all(bool deferred) {
    modes_.clear();
    all_ = deferred;
  }
  Mark mark() const { return {events_.size(), modes_, all_}; }
  void undo_to(const Mark& mark);
  void clear();

  /// Checks what is pending: of these constraints, or with `everything` of all; it is not pending then, and what triggers have put off
  /// meanwhile neither. A check that fails ends it.
  Task<Status> check(ExecContext& ctx, bool everything, std::vector<Oid> constraints);

 private:
  Task<Status> fire(ExecContext& ctx, Event event);
  bool is_deferred(Oid constraint, bool initially) const {
    if (const auto found = modes_.find(constraint); found != modes_.end()) return found->second;
    return all_.value_or(initially);
  }
  static constexpr std::size_t kMostBytes = std::size_t{1} << 30;
  Arena memory_{kMostBytes};
  std::vector<Event> events_;
  std::map<Oid, bool> modes_;          ///< SET CONSTRAINTS name
  std::optional<bool> all_;            ///< SET CONSTRAINTS ALL
};

}  // namespace wandian::sql
