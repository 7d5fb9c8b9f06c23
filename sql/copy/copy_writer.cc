#include "sql/copy/copy_writer.h"

#include "sql/types/encoding.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

constexpr std::string_view kHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};

}  // namespace

CopyWriter::CopyWriter(SessionSink& sink, const CopyOptions& options, std::span<const ResultColumn> columns,
                       std::vector<bool> force_quote, const FormatSettings& format, SessionHooks* session)
    : sink_(sink),
      options_(options),
      columns_(columns),
      force_quote_(std::move(force_quote)),
      encoding_(options.encoding >= 0 ? find_encoding(options.encoding) : format.client_encoding),
      context_{arena_, format, session, 0, 0, {}} {}

Status CopyWriter::begin() {
  OutBuffer& out = sink_.out();
  if (options_.format == CopyFormat::kBinary) {
    signature_due_ = true;   // it goes with the first row's message, as PostgreSQL sends it: drivers take it off there
  } else if (options_.header != CopyHeader::kNone) {
    OpenMessage message(out, 'd');
    const std::size_t line_at = out.size();
    out_ = &out;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i != 0) out.push_back(options_.delimiter);
      if (options_.format == CopyFormat::kCsv) {
        append_csv_field(columns_[i].name, false, columns_.size() == 1);
      } else {
        append_text_field(columns_[i].name);
      }
    }
    out.push_back('\n');
    if (encoding_ != nullptr) WANDIAN_TRY(encode_tail(*encoding_, line_at, out));
    message.close();
  }
  return {};
}

void CopyWriter::append_signature_if_due(OutBuffer& out) {
  if (!signature_due_) return;
  signature_due_ = false;
  out.append(kHeader);
}

void CopyWriter::end() {
  if (options_.format != CopyFormat::kBinary) return;
  OutBuffer& out = sink_.out();
  OpenMessage message(out, 'd');
  append_signature_if_due(out);
  out.append_int16(0xffff);
  message.close();
}

void CopyWriter::append_text_field(std::string_view text) {
  OutBuffer& out = *out_;
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    char letter = 0;
    switch (c) {
      case '\b': letter = 'b'; break;
      case '\f': letter = 'f'; break;
      case '\n': letter = 'n'; break;
      case '\r': letter = 'r'; break;
      case '\t': letter = 't'; break;
      case '\v': letter = 'v'; break;
      case '\\': letter = '\\'; break;
      default:
        if (c == options_.delimiter) letter = c;
    }
    if (letter == 0) continue;
    // A tab that is no delimiter is written as \t all the same.
    out.append(text.substr(plain, i - plain));
    out.push_back('\\');
    out.push_back(c == options_.delimiter && c != '\t' ? c : letter);
    plain = i + 1;
  }
  out.append(text.substr(plain));
}

void CopyWriter::append_csv_field(std::string_view text, bool force, bool alone) {
  OutBuffer& out = *out_;
  bool quote = force || text == options_.null_text || (alone && text == "\\.");
  for (std::size_t i = 0; !quote && i < text.size(); ++i)
    quote = text[i] == options_.delimiter || text[i] == options_.quote || text[i] == '\n' || text[i] == '\r';
  if (!quote) {
    out.append(text);
    return;
  }
  out.push_back(options_.quote);
  for (const char c : text) {
    if (c == options_.quote || c == options_.escape) out.push_back(options_.escape);
    out.push_back(c);
  }
  out.push_back(options_.quote);
}

Status CopyWriter::row(std::span<const Value> values) {
  OutBuffer& out = sink_.out();
  out_ = &out;
  arena_.reset();
  OpenMessage message(out, 'd');
  const std::size_t line_at = out.size();
  bool done = true;
  if (options_.format == CopyFormat::kBinary) {
    append_signature_if_due(out);
    out.append_int16(static_cast<std::uint16_t>(values.size()));
    for (std::size_t i = 0; done && i < values.size(); ++i) {
      if (values[i].is_null) {
        out.append_int32(0xffffffffu);
        continue;
      }
      const std::size_t length_at = out.size();
      out.append_int32(0);
      done = append_binary(context_, columns_[i].type, values[i], out);
      out.patch_int32(length_at, static_cast<std::uint32_t>(out.size() - length_at - 4));
    }
  } else {
    for (std::size_t i = 0; done && i < values.size(); ++i) {
      if (i != 0) out.push_back(options_.delimiter);
      if (values[i].is_null) {
        out.append(options_.null_text);
        continue;
      }
      field_.clear();
      done = append_text(context_, columns_[i].type, values[i], field_);
      if (options_.format == CopyFormat::kCsv) {
        append_csv_field(field_, i < force_quote_.size() && force_quote_[i], values.size() == 1);
      } else {
        append_text_field(field_);
      }
    }
    out.push_back('\n');
  }
  if (!done) return std::move(context_.error);
  // A line as a whole: in UTF-8 no byte of a character looks like a delimiter, a quote or a backslash.
  if (encoding_ != nullptr && options_.format != CopyFormat::kBinary) WANDIAN_TRY(encode_tail(*encoding_, line_at, out));
  message.close();
  return {};
}

}  // namespace wandian::sql
