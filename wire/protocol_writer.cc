#include "wire/protocol_writer.h"

#include <charconv>

namespace wandian::wire {

void write_error_record(OutBuffer& out, char type, const ErrorRecord& record, Severity severity) {
  OpenMessage message(out, type);
  const auto field = [&out, &message](char code, std::string_view text) {
    if (text.empty()) return;
    out.push_back(code);
    message.string(text);
  };
  const auto number = [&field](char code, std::int32_t value) {
    if (value == 0) return;
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    field(code, std::string_view(digits, static_cast<std::size_t>(end - digits)));
  };
  const std::string_view name = severity_name(severity);
  field('S', name);   // the localized one: we speak English
  field('V', name);
  field('C', record.code.text());
  // Clients take the message for granted, even an empty one.
  out.push_back('M');
  message.string(record.message);
  field('D', record.detail);
  field('H', record.hint);
  number('P', record.position);
  number('p', record.internal_position);
  field('q', record.internal_query);
  field('W', record.context);
  field('s', record.schema);
  field('t', record.table);
  field('c', record.column);
  field('d', record.data_type);
  field('n', record.constraint);
  field('R', record.routine);
  out.push_back(0);
  message.close();
}

}  // namespace wandian::wire
