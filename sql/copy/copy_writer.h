// CopyWriter: rows as COPY's text, csv or binary, one CopyData message a row.
// Thread:  its session's shard.
#pragma once

#include <span>
#include <vector>

#include "sql/copy/copy_options.h"
#include "sql/exec/receiver.h"
#include "sql/session_sink.h"

namespace wandian::sql {

class CopyWriter final : public RowReceiver {
 public:
  /// `columns` outlive it. `force_quote`: by column. `session` names reg* values.
  CopyWriter(SessionSink& sink, const CopyOptions& options, std::span<const ResultColumn> columns, std::vector<bool> force_quote,
             const FormatSettings& format, SessionHooks* session);
  Status begin();                 ///< header line, signature. 22P05
  Status row(std::span<const Value> values) override;
  bool congested() override { return sink_.congested(); }
  void end();                     ///< trailer

 private:
  void append_text_field(std::string_view text);
  void append_csv_field(std::string_view text, bool force, bool alone);
  void append_signature_if_due(OutBuffer& out);

  SessionSink& sink_;
  const CopyOptions& options_;
  std::span<const ResultColumn> columns_;
  std::vector<bool> force_quote_;
  const class Encoding* encoding_;   ///< of the lines; null: UTF-8
  Arena arena_;
  EvalContext context_;
  std::string field_;
  OutBuffer* out_ = nullptr;
  bool signature_due_ = false;    ///< of the binary form: stands before the first row
};

}  // namespace wandian::sql
