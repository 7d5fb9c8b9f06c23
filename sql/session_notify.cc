// LISTEN, UNLISTEN, NOTIFY (PostgreSQL's manual, "LISTEN", "NOTIFY", and 55.2.7).
#include "sql/session_notify.h"

#include <algorithm>
#include <utility>

#include "sql/session_impl.h"
#include "sql/shard_share.h"

namespace wandian::sql {

namespace {

constexpr std::size_t kNameBytes = 63;
constexpr std::size_t kPayloadBytes = 7999;

Status queue_full() { return Status{sqlstate::program_limit_exceeded, "too many notifications in the NOTIFY queue"}; }

}  // namespace

// ---- SessionNotifications ----

SessionNotifications::~SessionNotifications() {
  queue_.give_back(reserved_bytes_);
  queue_.remove(reader_);
}

Status SessionNotifications::send(std::string_view channel, std::string_view payload) {
  auto one = std::make_shared<Notification>();
  one->channel = channel;
  one->payload = payload;
  one->process = process_;
  if (distinct_.contains(one.get())) return {};
  const std::size_t bytes = one->bytes();
  if (!queue_.could_hold(sent_bytes_ + bytes)) return queue_full();
  sent_.push_back(std::move(one));
  distinct_.insert(sent_.back().get());
  sent_bytes_ += bytes;
  return {};
}

void SessionNotifications::undo_to(Mark mark) {
  while (sent_.size() > mark.sent) {
    distinct_.erase(sent_.back().get());
    sent_bytes_ -= sent_.back()->bytes();
    sent_.pop_back();
  }
  if (actions_.size() > mark.actions) actions_.erase(actions_.begin() + static_cast<std::ptrdiff_t>(mark.actions), actions_.end());
}

Status SessionNotifications::prepare(unsigned shard, Lsn* floor) {
  if (prepared_) return {};
  if (!queue_.reserve(sent_bytes_)) return queue_full();
  reserved_bytes_ = sent_bytes_;
  const bool listens = std::any_of(actions_.begin(), actions_.end(), [](const Action& action) { return action.kind == Action::kListen; });
  // From before the commit on, so that nothing is missed between it and the first look; it hears its own, too.
  if (listens && !reader_.listening()) *floor = queue_.add(reader_, database_, shard, process_);
  prepared_ = true;
  return {};
}

std::uint64_t SessionNotifications::end(bool committed) {
  if (committed)
    for (const Action& action : actions_) apply(action);
  if (channels_.empty()) queue_.remove(reader_);
  queue_.give_back(std::exchange(reserved_bytes_, 0));
  sent_.clear();
  distinct_.clear();
  actions_.clear();
  sent_bytes_ = 0;
  prepared_ = false;
  return std::exchange(told_, 0);
}

void SessionNotifications::apply(const Action& action) {
  switch (action.kind) {
    case Action::kListen:
      if (wanted_.insert(action.channel).second) channels_.push_back(action.channel);
      break;
    case Action::kUnlisten:
      if (wanted_.erase(action.channel) != 0) std::erase(channels_, action.channel);
      break;
    case Action::kUnlistenAll:
      wanted_.clear();
      channels_.clear();
      break;
  }
}

// ---- Telling others ----

void ShardListeners::run() {
  for (SessionImpl* session : sessions_) session->notifications_came();
}

void NotifyMessage::deliver(Shard& here) {
  under_way.exchange(false, std::memory_order_seq_cst);
  here.post(server->share(here.index()).listeners);
}

// ---- Statements ----

SessionNotifications& SessionImpl::notifications() {
  if (notifications_ == nullptr)
    notifications_ = std::make_unique<SessionNotifications>(server_.notification_queue(), database_, identity_.process_id);
  return *notifications_;
}

Status SessionImpl::notify(std::string_view channel, std::string_view payload) {
  if (channel.empty()) return Status{sqlstate::invalid_parameter_value, "channel name cannot be empty"};
  if (channel.size() > kNameBytes) return Status{sqlstate::invalid_parameter_value, "channel name too long"};
  if (payload.size() > kPayloadBytes) return Status{sqlstate::invalid_parameter_value, "payload string too long"};
  return notifications().send(channel, payload);
}

std::vector<std::string> SessionImpl::listening_channels() {
  return notifications_ != nullptr ? notifications_->channels() : std::vector<std::string>();
}

double SessionImpl::notification_queue_usage() { return server_.notification_queue().usage(); }

Status SessionImpl::run_notify(StatementRef statement) {
  switch (statement.kind) {
    case StatementKind::kNotify: {
      const PgQuery__NotifyStmt& notify_statement = *statement.node->notify_stmt;
      return notify(text_or_empty(notify_statement.conditionname), text_or_empty(notify_statement.payload));
    }
    case StatementKind::kListen: notifications().listen(text_or_empty(statement.node->listen_stmt->conditionname)); return {};
    default: {
      if (notifications_ == nullptr) return {};   // it listens to nothing
      const std::string_view channel = text_or_empty(statement.node->unlisten_stmt->conditionname);
      channel.empty() ? notifications_->unlisten_all() : notifications_->unlisten(channel);
      return {};
    }
  }
}

// ---- The ends of transactions ----

// What of a commit can fail or wait, once: the commit may be tried again. Notifications are logged as a commit, so that they have an
// LSN, which is their place in the queue and what their delivery waits for.
Status SessionImpl::prepare_notifications() {
  Lsn floor;
  WANDIAN_TRY(notifications_->prepare(shard_.index(), &floor));
  transaction_.raise_answer_floor(floor.bytes);
  if (!notifications_->has_sent()) return {};
  WANDIAN_TRY(ensure_transaction());
  transaction_.watch_commit(notifications_.get());
  NotificationQueue& queue = server_.notification_queue();
  if (const auto slowest = queue.slowest_if_filling(database_, shard_.now_us())) [[unlikely]]
    notice(Severity::kWarning, sqlstate::warning,
           "NOTIFY queue is " + std::to_string(static_cast<int>(queue.usage() * 100 + 0.5)) + "% full",
           "The server process with PID " + std::to_string(*slowest) + " is among those with the oldest transactions.",
           "The NOTIFY queue cannot be emptied until that process ends its current transaction.");
  return {};
}

void SessionImpl::end_notifications(bool committed) {
  const bool listened = notifications_->listed;
  const std::uint64_t shards = notifications_->end(committed);
  const bool listens = notifications_->listening();
  ShardShare& share = server_.share(shard_.index());
  if (listens != listened) {
    listens ? share.listeners.add(*this) : share.listeners.remove(*this);
    notifications_->listed = listens;
  }
  for (unsigned to = 0; shards >> to != 0; ++to) {
    if ((shards >> to & 1) == 0) continue;
    if (to == shard_.index()) {
      shard_.post(share.listeners);
      continue;
    }
    NotifyMessage& message = share.notify_messages[to];
    if (!message.under_way.exchange(true, std::memory_order_seq_cst)) shard_.send(to, message);
  }
}

// ---- Delivery ----

// Between transactions only, and while the client takes what it gets: a slow one leaves the rest in the queue.
void SessionImpl::deliver_notifications() {
  std::vector<NotificationPtr> batch;
  while (!sink_->congested() && notifications_->read(&batch)) {
    for (const NotificationPtr& one : batch) {
      transaction_.raise_answer_floor(one->commit.bytes);
      sink_->notification(one->process, one->channel, one->payload);
    }
    batch.clear();
  }
}

void SessionImpl::notifications_came() {
  if (!closing_ && idle_outside_transaction() && notifications_->behind()) deliver_notifications();
}

void SessionImpl::stop_listening() {
  if (notifications_ == nullptr) return;
  if (notifications_->listed) server_.share(shard_.index()).listeners.remove(*this);
  notifications_.reset();
}

}  // namespace wandian::sql
