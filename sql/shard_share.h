// ShardShare: what the sessions of one shard share without locks.
// Thread:  its shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/arena.h"
#include "sql/session_notify.h"
#include "sql/statement_cache.h"
#include "sql/statement_statistics.h"

namespace wandian::sql {

struct ShardShare {
  StatementCache statements;
  StatementStatistics statement_statistics;   ///< entries are made here by its shard; any shard may look
  /// Numbers of contexts that statements are bound in (SessionImpl::plan_context); texts compared in full.
  std::unordered_map<std::string, std::uint64_t> contexts;
  ShardListeners listeners;
  std::unique_ptr<NotifyMessage[]> notify_messages;   ///< to each shard
  /// Memory of one row at a time, for statements that run within one call.
  Arena row_arena;
};

}  // namespace wandian::sql
