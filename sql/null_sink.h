// NullSink: where the answers of a session go whose client is gone.
// Thread:  the session's shard.
#pragma once

#include "engine/shard.h"
#include "sql/session_sink.h"

namespace wandian::sql {

/// Hears everything and keeps nothing. Whoever derives from it says what matters.
class SilentSink : public SessionSink {
 public:
  void parse_complete() override {}
  void bind_complete() override {}
  void close_complete() override {}
  void parameter_description(std::span<const Oid>) override {}
  void row_description(std::span<const ColumnDescription>, std::span<const Format>) override {}
  void no_data() override {}
  void command_complete(std::string_view) override {}
  void empty_query_response() override {}
  void portal_suspended() override {}
  void copy_in_response(Format, std::uint16_t) override {}
  void copy_out_response(Format, std::uint16_t) override {}
  void copy_done() override {}
  void parameter_status(std::string_view, std::string_view) override {}
  void notification(std::int32_t, std::string_view, std::string_view) override {}
  void notice(const ErrorRecord&) override {}
  void error(const Status&) override {}
  bool congested() const override { return false; }
};

class NullSink final : public SilentSink {
 public:
  NullSink(Shard& shard, Runnable& closer) : shard_(shard), closer_(closer) {}
  void forget() { shard_.unpost(closer_); }

  OutBuffer& out() override {
    out_.truncate(0);
    return out_;
  }
  void resume() override { shard_.post(closer_); }

 private:
  Shard& shard_;
  Runnable& closer_;
  OutBuffer out_;
};

}  // namespace wandian::sql
