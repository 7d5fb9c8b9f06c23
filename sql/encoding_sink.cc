#include "sql/encoding_sink.h"

#include <utility>

#include "sql/types/string_types.h"

namespace wandian::sql {

std::string EncodingSink::shown(std::string_view text) const {
  std::string out;
  if (encoding_->from_utf8(text, &out).ok()) return out;
  out.clear();
  for (std::size_t at = 0; at < text.size();) {   // once more, a character at a time
    const std::string_view one = text.substr(at, utf8_bytes(text[at]));
    if (!encoding_->from_utf8(one, &out).ok()) out += '?';
    at += one.size();
  }
  return out;
}

void EncodingSink::row_description(std::span<const ColumnDescription> columns, std::span<const Format> formats) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  std::vector<ColumnDescription> shown_columns(columns.begin(), columns.end());
  for (ColumnDescription& column : shown_columns) {
    names.push_back(shown(column.name));
    column.name = names.back();
  }
  client_.row_description(shown_columns, formats);
}

namespace {

template <class Convert>
void convert_texts(ErrorRecord& record, const Convert& convert) {
  for (std::string* text : {&record.message, &record.detail, &record.hint, &record.context, &record.internal_query, &record.schema, &record.table,
                            &record.column, &record.data_type, &record.constraint})
    *text = convert(*text);
}

}  // namespace

void EncodingSink::notice(const ErrorRecord& record) {
  ErrorRecord out = record;
  convert_texts(out, [this](const std::string& text) { return shown(text); });
  client_.notice(out);
}

void EncodingSink::error(const Status& status) {
  Status out = status.clone(), failure;
  convert_texts(out.error(), [&](const std::string& text) {
    std::string encoded;
    if (failure.ok()) failure = encoding_->from_utf8(text, &encoded);
    return encoded;
  });
  if (!failure.ok()) out = std::move(failure).with_severity(status.error().severity);
  client_.error(out);
}

}  // namespace wandian::sql
