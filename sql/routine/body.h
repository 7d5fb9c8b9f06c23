// RoutineBody: what a routine does, ready to run in one session; RoutineFrame: a run of one, as contexts of errors show it.
// Thread:  the session's shard.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/task.h"
#include "sql/expr/call_journal.h"
#include "sql/routine/routine.h"
#include "sql/session_impl.h"
#include "storage/base/status.h"

namespace wandian::sql {

struct RoutineRun {
  SessionImpl& session;
  RoutineCall& call;
  SessionImpl::NestedView view;
};

class RoutineBody {
 public:
  virtual ~RoutineBody() = default;
  /// Runs it: the result goes to call.result or call.rows. Recursion runs one body several times at once.
  virtual Task<Status> run(RoutineRun& run) = 0;
  std::uint64_t routine_id = 0;      ///< of the definition that it was made from
};

/// One routine under way.
class RoutineFrame {
 public:
  explicit RoutineFrame(SessionImpl& session) : session_(session) { session.frames().push_back(this); }
  virtual ~RoutineFrame() { session_.frames().pop_back(); }
  RoutineFrame(const RoutineFrame&) = delete;
  RoutineFrame& operator=(const RoutineFrame&) = delete;
  /// Appends its lines, each with a line break before it unless `out` is empty.
  virtual void append_context(std::string& out) const = 0;

 protected:
  SessionImpl& session_;
};

inline void append_context_line(std::string& out, std::string_view line) {
  if (!out.empty()) out += '\n';
  out += line;
}

/// A position in a statement's text becomes one in a text that the server ran itself, as ErrorResponse's `p` and `q` say it.
void make_internal(Status& status, std::string_view text, std::int32_t skipped_characters = 0);

Result<std::shared_ptr<RoutineBody>> make_sql_body(SessionImpl& session, const Routine& routine, std::span<const Oid> types);
Result<std::shared_ptr<RoutineBody>> make_plpgsql_body(SessionImpl& session, const Routine& routine, std::span<const Oid> types,
                                                       const TriggerEvent* trigger);
/// The body of DO.
Result<std::shared_ptr<RoutineBody>> make_do_body(SessionImpl& session, std::string_view source);
/// CREATE FUNCTION's checks of a body. Positions are in the source.
/// `uses`: gets body_columns and body_functions of the statements; may be null.
Status check_sql_body(SessionImpl& session, const Routine& routine, FunctionObject* uses = nullptr);
Status check_plpgsql_body(SessionImpl& session, const Routine& routine);

}  // namespace wandian::sql
