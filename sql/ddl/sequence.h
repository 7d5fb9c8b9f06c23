// Sequences: their options, and the ones behind serial and identity columns.
// Thread:  the session's shard.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sql/ddl/context.h"

namespace wandian::sql {

struct SequenceChange {
  std::optional<std::int64_t> restart;       ///< RESTART [WITH n]
  bool owner_given = false;                  ///< OWNED BY
  std::vector<std::string> owner;            ///< parts of the column's name; {"none"} for OWNED BY NONE
};

/// Applies CREATE or ALTER SEQUENCE options to `sequence`, whose fields hold what was in force (or, when `creating`, defaults of no
/// particular type). 22023, 42601.
Status apply_sequence_options(DdlContext& ctx, PgQuery__Node** options, std::size_t count, bool creating, SequenceDef* sequence,
                              SequenceChange* change);

/// The sequence of a serial ('a') or identity ('i') column, not yet put into any changes.
Result<std::shared_ptr<SequenceDef>> make_owned_sequence(DdlContext& ctx, Changes& changes, const TableDef& table, std::uint16_t column, Oid type,
                                                         char kind, PgQuery__Node** options, std::size_t count);

/// Makes the sequence go on from `value`, as a change that commits or not with its transaction.
void restart_sequence(SequenceDef* sequence, std::int64_t value);

Task<Status> create_sequence(DdlContext& ctx);
Task<Status> alter_sequence(DdlContext& ctx);

}  // namespace wandian::sql
