#include "sql/exec/receiver.h"

#include <charconv>

#include "sql/expr/expression.h"
#include "sql/types/encoding.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

void append_be(OutBuffer& out, const void* bytes, std::size_t size) { out.append(static_cast<const char*>(bytes), size); }

// The types that most columns have, without a call through the type tables. False: not one of them.
bool append_common_text(Oid type, const Value& value, OutBuffer& out) {
  switch (type) {
    case type_oid::kInt2:
    case type_oid::kInt4:
    case type_oid::kInt8:
    case type_oid::kOid: {
      char* at = out.reserve(24);
      char* end = std::to_chars(at + 4, at + 24, value.i).ptr;
      const auto size = static_cast<std::uint32_t>(end - at - 4);
      const std::uint32_t swapped = __builtin_bswap32(size);
      std::memcpy(at, &swapped, 4);
      out.commit(4 + size);
      return true;
    }
    case type_oid::kBool:
      out.append_int32(1);
      out.push_back(value.as_bool() ? 't' : 'f');
      return true;
    case type_oid::kText:
    case type_oid::kVarchar:
    case type_oid::kBpchar:
    case type_oid::kJson:
    case type_oid::kName:
      out.append_int32(value.size);
      append_be(out, value.p, value.size);
      return true;
    default: return false;
  }
}
bool append_common_binary(Oid type, const Value& value, OutBuffer& out) {
  switch (type) {
    case type_oid::kInt2:
      out.append_int32(2);
      out.append_int16(static_cast<std::uint16_t>(value.i));
      return true;
    case type_oid::kInt4:
    case type_oid::kOid:
      out.append_int32(4);
      out.append_int32(static_cast<std::uint32_t>(value.i));
      return true;
    case type_oid::kInt8:
      out.append_int32(8);
      out.append_int64(static_cast<std::uint64_t>(value.i));
      return true;
    case type_oid::kText:
    case type_oid::kVarchar:
    case type_oid::kBpchar:
    case type_oid::kBytea:
    case type_oid::kName:
      out.append_int32(value.size);
      append_be(out, value.p, value.size);
      return true;
    default: return false;
  }
}

// For clients that do not speak UTF-8. Binary forms convert the texts inside them themselves.
bool append_encoded_row(EvalContext& context, std::span<const ResultColumn> columns, std::span<const Format> formats,
                        std::span<const Value> values, OutBuffer& out) {
  OpenMessage message(out, 'D');
  out.append_int16(static_cast<std::uint16_t>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null) {
      out.append_int32(0xffffffffu);
      continue;
    }
    const Format format = formats.empty() ? Format::kText : formats.size() == 1 ? formats[0] : formats[i];
    const std::size_t length_at = out.size();
    out.append_int32(0);
    if (format == Format::kBinary) {
      if (!append_binary(context, columns[i].type, values[i], out)) return false;
    } else {
      if (!append_text(context, columns[i].type, values[i], out)) return false;
      Status status = encode_tail(*context.format.client_encoding, length_at + 4, out);
      if (!status.ok()) return context.fail(std::move(status));
    }
    out.patch_int32(length_at, static_cast<std::uint32_t>(out.size() - length_at - 4));
  }
  message.close();
  return true;
}

}  // namespace

bool append_data_row(EvalContext& context, std::span<const ResultColumn> columns, std::span<const Format> formats,
                     std::span<const Value> values, OutBuffer& out) {
  if (context.format.client_encoding != nullptr) [[unlikely]] return append_encoded_row(context, columns, formats, values, out);
  OpenMessage message(out, 'D');
  out.append_int16(static_cast<std::uint16_t>(values.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Value& value = values[i];
    if (value.is_null) {
      out.append_int32(0xffffffffu);
      continue;
    }
    const Oid type = columns[i].type;
    const Format format = formats.empty() ? Format::kText : formats.size() == 1 ? formats[0] : formats[i];
    if (format == Format::kText ? append_common_text(type, value, out) : append_common_binary(type, value, out)) continue;
    const std::size_t length_at = out.size();
    out.append_int32(0);
    if (!(format == Format::kText ? append_text(context, type, value, out) : append_binary(context, type, value, out))) return false;
    out.patch_int32(length_at, static_cast<std::uint32_t>(out.size() - length_at - 4));
  }
  message.close();
  return true;
}

DataRowEncoder::DataRowEncoder(SessionSink& sink, std::span<const ResultColumn> columns, std::span<const Format> formats,
                               const FormatSettings& format, SessionHooks* session)
    : sink_(sink), columns_(columns), formats_(formats), context_{arena_, format, session, 0, 0, {}} {}

Status DataRowEncoder::row(std::span<const Value> values) {
  arena_.reset();
  if (append_data_row(context_, columns_, formats_, values, sink_.out())) return {};
  return std::move(context_.error);
}

Status RowCollector::row(std::span<const Value> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values_.push_back(copy_value(types_[i], values[i], arena_));
  ++rows_;
  return {};
}

}  // namespace wandian::sql
