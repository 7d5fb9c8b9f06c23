// FOR UPDATE and its like: which rows of a query they lock, of sub-selects and views too, and what cannot be locked.
#include <algorithm>

#include "sql/bind/internal.h"
#include "sql/messages.h"

namespace wandian::sql {

RowLock row_lock(PgQuery__LockClauseStrength strength) {
  switch (strength) {
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORKEYSHARE: return RowLock::kKeyShare;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORSHARE: return RowLock::kShare;
    case PG_QUERY__LOCK_CLAUSE_STRENGTH__LCS_FORNOKEYUPDATE: return RowLock::kNoKeyUpdate;
    default: return RowLock::kUpdate;
  }
}

std::string_view lock_name(RowLock strength) {
  switch (strength) {
    case RowLock::kKeyShare: return "FOR KEY SHARE";
    case RowLock::kShare: return "FOR SHARE";
    case RowLock::kNoKeyUpdate: return "FOR NO KEY UPDATE";
    case RowLock::kUpdate: return "FOR UPDATE";
  }
  return "";
}

Status check_lockable(const Query& query, RowLock strength) {
  const char* with = query.set_operation != nullptr ? "UNION/INTERSECT/EXCEPT"
                     : query.distinct               ? "DISTINCT clause"
                     : !query.group_by.empty()      ? "GROUP BY clause"
                     : query.having != nullptr      ? "HAVING clause"
                     : query.has_aggregates         ? "aggregate functions"
                     : query.has_windows            ? "window functions"
                     : query.has_target_sets        ? "set-returning functions in the target list"
                                                    : nullptr;
  if (with == nullptr) return {};
  return Status(sqlstate::feature_not_supported, std::string(lock_name(strength)) + " is not allowed with " + with);
}

void Binder::mark_rows(Query& query, std::size_t range, RowLock strength, LockWait wait) {
  const RangeEntry& entry = *query.ranges[range];
  if (entry.access != 0) access(entry.access).privileges |= privilege::kUpdate;
  if (entry.kind == RangeKind::kSubquery) {
    // A sub-select's own tables are locked, as far as its shape allows.
    Query& inner = const_cast<Query&>(*entry.query);
    // Of a view of a set operation nothing is locked, and nothing refused. Other views are looked at when the query is planned.
    const bool through = entry.view == 0 || inner.set_operation == nullptr;
    if (entry.view == 0) must(check_lockable(inner, strength));
    for (std::size_t i = 0; through && i < inner.ranges.size(); ++i) mark_rows(inner, i, strength, wait);
  }
  if (entry.kind != RangeKind::kTable && entry.kind != RangeKind::kSubquery) return;
  std::vector<RowMark> marks(query.row_marks.begin(), query.row_marks.end());
  for (RowMark& mark : marks) {
    if (mark.range != range) continue;
    // Named twice: the stronger lock, the less patient wait.
    mark.strength = std::max(mark.strength, strength);
    if (wait == LockWait::kNoWait || (wait == LockWait::kSkip && mark.wait == LockWait::kBlock)) mark.wait = wait;
    query.row_marks = keep(marks);
    return;
  }
  marks.push_back({static_cast<std::uint16_t>(range), strength, wait});
  query.row_marks = keep(marks);
}

void Binder::note_written_mark(Query& query, std::size_t range, RowLock strength, LockWait wait) {
  const RangeKind kind = query.ranges[range]->kind;
  if (!context_.as_written || (kind != RangeKind::kTable && kind != RangeKind::kSubquery && kind != RangeKind::kSystem)) return;
  std::vector<RowMark> marks(query.written_marks.begin(), query.written_marks.end());
  const auto known = std::find_if(marks.begin(), marks.end(), [&](const RowMark& mark) { return mark.range == range; });
  if (known == marks.end()) {
    marks.push_back({static_cast<std::uint16_t>(range), strength, wait});
  } else {
    known->strength = std::max(known->strength, strength);
    if (wait == LockWait::kNoWait || (wait == LockWait::kSkip && known->wait == LockWait::kBlock)) known->wait = wait;
  }
  query.written_marks = keep(marks);
}

void Binder::bind_locking(Scope&, const PgQuery__SelectStmt& select, Query& query) {
  for (std::size_t i = 0; i < select.n_locking_clause; ++i) {
    const PgQuery__LockingClause& clause = *select.locking_clause[i]->locking_clause;
    const RowLock strength = row_lock(clause.strength);
    const std::string name(lock_name(strength));
    LockWait wait = LockWait::kBlock;
    if (clause.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitSkip) wait = LockWait::kSkip;
    if (clause.wait_policy == PG_QUERY__LOCK_WAIT_POLICY__LockWaitError) wait = LockWait::kNoWait;
    must(check_lockable(query, strength));
    if (query.with_ties && wait == LockWait::kSkip) {
      fail(Status{sqlstate::syntax_error, "SKIP LOCKED and WITH TIES options cannot be used together"});
    }
    if (clause.n_locked_rels == 0) {
      for (std::size_t range = 0; range < query.ranges.size(); ++range) {
        mark_rows(query, range, strength, wait);
        note_written_mark(query, range, strength, wait);
      }
      continue;
    }
    for (std::size_t k = 0; k < clause.n_locked_rels; ++k) {
      const PgQuery__RangeVar& relation = *clause.locked_rels[k]->range_var;
      if (relation.schemaname != nullptr && *relation.schemaname != '\0') {
        fail(at(Status{sqlstate::syntax_error, name + " must specify unqualified relation names"}, relation.location));
      }
      bool found = false;
      for (std::size_t range = 0; range < query.ranges.size(); ++range) {
        const RangeEntry& entry = *query.ranges[range];
        const bool named = context_.stored ? relation.relname == kRangeNumber + ("0." + std::to_string(range)) : entry.alias == relation.relname;
        if (!named) continue;
        found = true;
        const auto cannot = [&](const char* to) {
          fail(at(Status{sqlstate::feature_not_supported, name + " cannot be applied to " + to}, relation.location));
        };
        if (entry.kind == RangeKind::kFunction) cannot("a function");
        if (entry.kind == RangeKind::kValues) cannot("VALUES");
        if (entry.kind == RangeKind::kCte) cannot("a WITH query");
        if (entry.kind == RangeKind::kTransition) cannot("a named tuplestore");
        mark_rows(query, range, strength, wait);
        note_written_mark(query, range, strength, wait);
      }
      if (!found) {
        fail(at(Status{sqlstate::undefined_table, "relation " + quoted(relation.relname) + " in " + name + " clause not found in FROM clause"},
                relation.location));
      }
    }
  }
}

}  // namespace wandian::sql
