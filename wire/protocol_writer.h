// Backend messages, encoded straight into an OutBuffer (protocol manual, 55.7 "Message Formats").
// DataRow and CopyData are not here: sql encodes them itself.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "sql/session_sink.h"

namespace wandian::wire {

using sql::OutBuffer;

enum class AuthenticationCode : std::uint32_t { kOk = 0, kSasl = 10, kSaslContinue = 11, kSaslFinal = 12 };

struct OpenMessage final : sql::OpenMessage {
  using sql::OpenMessage::OpenMessage;

  void string(std::string_view text) {
    // A zero byte would end the field early and desynchronize the client.
    text = text.substr(0, text.find('\0'));
    char* to = out_.reserve(text.size() + 1);
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    to[text.size()] = 0;
    out_.commit(text.size() + 1);
  }
};

/// ParseComplete '1', BindComplete '2', CloseComplete '3', NoData 'n', EmptyQueryResponse 'I', PortalSuspended 's', CopyDone 'c'.
inline void write_bare(OutBuffer& out, char type) {
  const char bytes[5] = {type, 0, 0, 0, 4};
  out.append(bytes, sizeof bytes);
}

inline void write_ready_for_query(OutBuffer& out, char status) {
  const char bytes[6] = {'Z', 0, 0, 0, 5, status};
  out.append(bytes, sizeof bytes);
}

inline void write_command_complete(OutBuffer& out, std::string_view tag) {
  OpenMessage message(out, 'C');
  message.string(tag);
  message.close();
}

inline void write_authentication(OutBuffer& out, AuthenticationCode code, std::string_view data = {}) {
  OpenMessage message(out, 'R');
  out.append_int32(static_cast<std::uint32_t>(code));
  if (!data.empty()) out.append(data);   // the caller's may be a null view
  message.close();
}

inline void write_parameter_status(OutBuffer& out, std::string_view name, std::string_view value) {
  OpenMessage message(out, 'S');
  message.string(name);
  message.string(value);
  message.close();
}

inline void write_backend_key_data(OutBuffer& out, std::int32_t process_id, std::uint32_t secret) {
  OpenMessage message(out, 'K');
  out.append_int32(static_cast<std::uint32_t>(process_id));
  out.append_int32(secret);
  message.close();
}

/// `latest` is the whole protocol number, as PostgreSQL 15 sends it.
inline void write_negotiate_protocol_version(OutBuffer& out, std::uint32_t latest, std::span<const std::string> unknown) {
  OpenMessage message(out, 'v');
  out.append_int32(latest);
  out.append_int32(static_cast<std::uint32_t>(unknown.size()));
  for (const std::string& option : unknown) message.string(option);
  message.close();
}

inline void write_parameter_description(OutBuffer& out, std::span<const Oid> types) {
  OpenMessage message(out, 't');
  out.append_int16(static_cast<std::uint16_t>(types.size()));
  for (const Oid type : types) out.append_int32(static_cast<std::uint32_t>(type));
  message.close();
}

inline void write_row_description(OutBuffer& out, std::span<const sql::ColumnDescription> columns,
                                  std::span<const sql::Format> formats) {
  OpenMessage message(out, 'T');
  out.append_int16(static_cast<std::uint16_t>(columns.size()));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const sql::ColumnDescription& column = columns[i];
    message.string(column.name);
    out.append_int32(static_cast<std::uint32_t>(column.table));
    out.append_int16(static_cast<std::uint16_t>(column.attribute));
    out.append_int32(static_cast<std::uint32_t>(column.type));
    out.append_int16(static_cast<std::uint16_t>(column.type_length));
    out.append_int32(static_cast<std::uint32_t>(column.typmod));
    // As Bind gave them: none is all text, one is for all columns.
    const sql::Format format = formats.empty() ? sql::Format::kText : formats.size() == 1 ? formats[0] : formats[i];
    out.append_int16(static_cast<std::uint16_t>(format));
  }
  message.close();
}

/// `type` is 'G' (CopyInResponse) or 'H' (CopyOutResponse); every column has the format of the whole.
inline void write_copy_response(OutBuffer& out, char type, sql::Format format, std::uint16_t columns) {
  OpenMessage message(out, type);
  out.push_back(static_cast<char>(format));
  out.append_int16(columns);
  for (std::uint16_t i = 0; i < columns; ++i) out.append_int16(static_cast<std::uint16_t>(format));
  message.close();
}

inline void write_notification(OutBuffer& out, std::int32_t process, std::string_view channel, std::string_view payload) {
  OpenMessage message(out, 'A');
  out.append_int32(static_cast<std::uint32_t>(process));
  message.string(channel);
  message.string(payload);
  message.close();
}

/// ErrorResponse 'E' or NoticeResponse 'N', with every field that is set (protocol manual, 55.8).
void write_error_record(OutBuffer& out, char type, const ErrorRecord& record, Severity severity);

}  // namespace wandian::wire
