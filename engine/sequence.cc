#include "engine/sequence.h"

#include "engine/redo.h"
#include "engine/shard.h"
#include "engine/shard_state.h"

namespace wandian {

namespace {

/// Values promised by one log record, as PostgreSQL's SEQ_LOG_VALS.
constexpr std::int64_t kStride = 32;

// Appends a record of its own: it becomes durable with the answers that wait for its LSN, whatever the transaction does.
Result<Lsn> log_sequence(Shard& shard, Oid oid, std::int64_t value, bool is_called) {
  RecordBuffer& record = shard.state().record;
  std::string operations;
  redo::append_sequence(operations, oid, value, is_called);
  const std::int64_t now = shard.wall_us();
  record.clear();
  record.append(&now, sizeof now);
  record.append(operations.data(), operations.size());
  record.seal(RecordKind::kCommit, shard.state().new_transaction_id(shard.index()), 0);
  switch (shard.log().admit_small(record.total_bytes())) {
    case Log::Admission::kAdmitted: break;
    case Log::Admission::kDiskFull: return log_disk_full();
    case Log::Admission::kWait:
      return Status{sqlstate::insufficient_resources, "the log has no room for a sequence's next values"}
          .with_hint("Writing to disk takes long at the moment. Repeat the statement.");
  }
  const Lsn lsn = shard.log().commit(shard.index(), record, [](Lsn) {});
  shard.demand(lsn);
  return lsn;
}

Status limit_reached(const SequenceDef& sequence, bool maximum) {
  return Status{sqlstate::sequence_generator_limit_exceeded,
                std::string("nextval: reached ") + (maximum ? "maximum" : "minimum") + " value of sequence \"" + sequence.name + "\" (" +
                    std::to_string(maximum ? sequence.maximum : sequence.minimum) + ")"};
}

// The value after `from`. False at a limit.
bool advance(const SequenceDef& sequence, std::int64_t from, std::int64_t* next) {
  std::int64_t sum = 0;
  const bool overflow = __builtin_add_overflow(from, sequence.increment, &sum);
  if (sequence.increment > 0 ? (overflow || sum > sequence.maximum) : (overflow || sum < sequence.minimum)) {
    if (!sequence.cycle) return false;
    sum = sequence.increment > 0 ? sequence.minimum : sequence.maximum;
  }
  *next = sum;
  return true;
}

}  // namespace

Result<std::int64_t> sequence_next(Shard& shard, const SequenceDef& sequence, std::int64_t* last, std::uint64_t* floor) {
  SequenceState& state = *sequence.state;
  const std::lock_guard guard(state.mutex);
  std::int64_t value = state.last_value;
  if (state.is_called && !advance(sequence, state.last_value, &value)) return limit_reached(sequence, sequence.increment > 0);
  *last = value;
  for (std::int64_t i = 1, next = 0; i < sequence.cache; ++i) {
    if (!advance(sequence, *last, &next) || (sequence.increment > 0 ? next < *last : next > *last)) break;
    *last = next;
  }
  const bool promised = state.logged && state.is_called &&
                        (sequence.increment > 0 ? *last <= state.logged_until && value > state.last_value
                                                : *last >= state.logged_until && value < state.last_value);
  if (!promised) {
    std::int64_t until = *last;
    for (std::int64_t i = 1; i < kStride; ++i) {
      std::int64_t next = 0;
      if (!advance(sequence, until, &next) || (sequence.increment > 0 ? next < until : next > until)) break;
      until = next;
    }
    Result<Lsn> lsn = log_sequence(shard, sequence.oid, until, true);
    if (!lsn.ok()) return lsn.take_status();
    state.logged = true;
    state.logged_until = until;
    state.floor.store(lsn.value().bytes, std::memory_order_relaxed);
  }
  state.last_value = *last;
  state.is_called = true;
  *floor = std::max(*floor, state.floor.load(std::memory_order_relaxed));
  return value;
}

Status sequence_set(Shard& shard, const SequenceDef& sequence, std::int64_t value, bool is_called, std::uint64_t* floor) {
  if (value < sequence.minimum || value > sequence.maximum)
    return Status{sqlstate::numeric_value_out_of_range, "setval: value " + std::to_string(value) + " is out of bounds for sequence \"" +
                                                            sequence.name + "\" (" + std::to_string(sequence.minimum) + ".." +
                                                            std::to_string(sequence.maximum) + ")"};
  SequenceState& state = *sequence.state;
  const std::lock_guard guard(state.mutex);
  Result<Lsn> lsn = log_sequence(shard, sequence.oid, value, is_called);
  if (!lsn.ok()) return lsn.take_status();
  state.last_value = value;
  state.is_called = is_called;
  state.logged = false;
  state.floor.store(lsn.value().bytes, std::memory_order_relaxed);
  *floor = std::max(*floor, lsn.value().bytes);
  return {};
}

bool must_wait_for_log(Shard& shard) { return shard.log().admit(0) == Log::Admission::kWait; }

SequenceValue sequence_read(const SequenceDef& sequence) {
  const std::lock_guard guard(sequence.state->mutex);
  return {sequence.state->last_value, sequence.state->is_called};
}

}  // namespace wandian
