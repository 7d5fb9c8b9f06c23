// EncodingSink: stands between a session and its connection while the client speaks another encoding than UTF-8. Rows are not seen
// here: whoever writes values converts them (FormatSettings::client_encoding).
// Thread:  the session's shard.
// Errors:  an error message that the client's encoding cannot show becomes the 22P05 that says so, as in PostgreSQL; of everything else,
//          such a character becomes a question mark.
#pragma once

#include <string>
#include <vector>

#include "sql/session_sink.h"
#include "sql/types/encoding.h"

namespace wandian::sql {

class EncodingSink final : public SessionSink {
 public:
  explicit EncodingSink(SessionSink& client) : client_(client) {}
  void use(const Encoding& encoding) { encoding_ = &encoding; }

  OutBuffer& out() override { return client_.out(); }
  void parse_complete() override { client_.parse_complete(); }
  void bind_complete() override { client_.bind_complete(); }
  void close_complete() override { client_.close_complete(); }
  void parameter_description(std::span<const Oid> types) override { client_.parameter_description(types); }
  void row_description(std::span<const ColumnDescription> columns, std::span<const Format> formats) override;
  void no_data() override { client_.no_data(); }
  void command_complete(std::string_view tag) override { client_.command_complete(tag); }
  void empty_query_response() override { client_.empty_query_response(); }
  void portal_suspended() override { client_.portal_suspended(); }
  void copy_in_response(Format format, std::uint16_t columns) override { client_.copy_in_response(format, columns); }
  void copy_out_response(Format format, std::uint16_t columns) override { client_.copy_out_response(format, columns); }
  void copy_done() override { client_.copy_done(); }
  void parameter_status(std::string_view name, std::string_view value) override { client_.parameter_status(name, shown(value)); }
  void notification(std::int32_t process, std::string_view channel, std::string_view payload) override {
    client_.notification(process, shown(channel), shown(payload));
  }
  void notice(const ErrorRecord& record) override;
  void error(const Status& status) override;
  bool congested() const override { return client_.congested(); }
  void resume() override { client_.resume(); }

 private:
  std::string shown(std::string_view text) const;

  SessionSink& client_;
  const Encoding* encoding_ = nullptr;
};

}  // namespace wandian::sql
