#include "storage/base/status.h"

namespace wandian {

std::optional<SqlState> SqlState::parse(std::string_view text) {
  if (text.size() != 5) return std::nullopt;
  SqlState state;
  for (std::size_t i = 0; i < 5; ++i) {
    const char c = text[i];
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'))) return std::nullopt;
    state.code_[i] = c;
  }
  return state;
}

std::string_view SqlState::condition_name() const {
#define WANDIAN_SQLSTATE(name, code) \
  if (text() == code) return #name;
#include "storage/base/sqlstate.def"
#undef WANDIAN_SQLSTATE
  return {};
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kDebug: return "DEBUG";
    case Severity::kLog: return "LOG";
    case Severity::kInfo: return "INFO";
    case Severity::kNotice: return "NOTICE";
    case Severity::kWarning: return "WARNING";
    case Severity::kError: return "ERROR";
    case Severity::kFatal: return "FATAL";
    case Severity::kPanic: return "PANIC";
  }
  return "ERROR";
}

Status::Status(SqlState code, std::string message) : error_(std::make_unique<ErrorRecord>()) {
  error_->code = code;
  error_->message = std::move(message);
}

Status Status::clone() const {
  Status copy;
  if (error_) copy.error_ = std::make_unique<ErrorRecord>(*error_);
  return copy;
}

Status&& Status::with_detail(std::string text) && {
  error().detail = std::move(text);
  return std::move(*this);
}
Status&& Status::with_hint(std::string text) && {
  error().hint = std::move(text);
  return std::move(*this);
}
Status&& Status::with_context(std::string_view text) && {
  std::string& context = error().context;
  if (!context.empty()) context += '\n';
  context += text;
  return std::move(*this);
}
Status&& Status::with_position(std::int32_t one_based) && {
  error().position = one_based;
  return std::move(*this);
}
Status&& Status::with_table(std::string_view schema, std::string_view table) && {
  error().schema = schema;
  error().table = table;
  return std::move(*this);
}
Status&& Status::with_column(std::string_view column) && {
  error().column = column;
  return std::move(*this);
}
Status&& Status::with_constraint(std::string_view constraint) && {
  error().constraint = constraint;
  return std::move(*this);
}
Status&& Status::with_data_type(std::string_view name) && {
  error().data_type = name;
  return std::move(*this);
}
Status&& Status::with_severity(Severity severity) && {
  error().severity = severity;
  return std::move(*this);
}
Status&& Status::with_routine(std::string_view name) && {
  error().routine = name;
  return std::move(*this);
}

}  // namespace wandian
