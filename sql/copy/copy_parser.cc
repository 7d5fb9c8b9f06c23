#include "sql/copy/copy_parser.h"

#include <cstring>

namespace wandian::sql {

namespace {

constexpr std::string_view kSignature{"PGCOPY\n\377\r\n\0", 11};
constexpr std::size_t kShownLineBytes = 100;
constexpr std::size_t kCompactBytes = 64 * 1024;

std::uint32_t load_int32(const char* at) {
  std::uint32_t v = 0;
  std::memcpy(&v, at, 4);
  return __builtin_bswap32(v);
}
std::uint16_t load_int16(const char* at) {
  std::uint16_t v = 0;
  std::memcpy(&v, at, 2);
  return __builtin_bswap16(v);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

bool is_valid_utf8(std::string_view text, std::size_t* bad) {
  std::size_t i = 0;
  const std::size_t size = text.size();
  while (i < size) {
    // Mostly ASCII: eight bytes at once.
    std::uint64_t word;
    while (i + 8 <= size && (std::memcpy(&word, text.data() + i, 8), (word & 0x8080808080808080u) == 0)) i += 8;
    if (i >= size) break;
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    const unsigned char lead = byte(0);
    std::size_t length = 1;
    if (lead >= 0x80) {
      length = lead >= 0xC2 && lead <= 0xDF ? 2 : (lead & 0xF0) == 0xE0 ? 3 : lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
      bool good = length != 0 && i + length <= size;
      for (std::size_t k = 1; good && k < length; ++k) good = (byte(k) & 0xC0) == 0x80;
      if (good && length == 3) good = !(lead == 0xE0 && byte(1) < 0xA0) && !(lead == 0xED && byte(1) >= 0xA0);
      if (good && length == 4) good = !(lead == 0xF0 && byte(1) < 0x90) && !(lead == 0xF4 && byte(1) >= 0x90);
      if (!good) {
        *bad = i;
        return false;
      }
    } else if (lead == 0) {
      *bad = i;
      return false;
    }
    i += length;
  }
  return true;
}

CopyParser::CopyParser(const CopyOptions& options, std::vector<std::string> columns)
    : options_(options),
      columns_(std::move(columns)),
      force_not_null_(columns_.size()),
      force_null_(columns_.size()),
      header_left_(options.header != CopyHeader::kNone) {}

void CopyParser::feed(std::string_view bytes) {
  if (at_ == input_.size()) {
    input_.clear();
    at_ = scanned_ = 0;
  } else if (at_ > kCompactBytes) {
    input_.erase(0, at_);
    scanned_ -= at_;
    at_ = 0;
  }
  input_.append(bytes);
}

CopyParser::Next CopyParser::next() {
  if (ended_) return Next::kEnd;
  if (options_.format == CopyFormat::kBinary) return next_binary();
  for (;;) {
    std::string_view line;
    const Next found = next_line(&line);
    if (found != Next::kRow) return found;
    std::size_t bad = 0;
    if (!is_valid_utf8(line, &bad)) {
      char shown[64];
      std::string bytes;
      for (std::size_t i = bad; i < line.size() && i < bad + 4; ++i) {
        std::snprintf(shown, sizeof shown, "%s0x%02x", bytes.empty() ? "" : " ", static_cast<unsigned>(static_cast<unsigned char>(line[i])));
        bytes += shown;
        if (i + 1 < line.size() && (static_cast<unsigned char>(line[i + 1]) & 0xC0) != 0x80) break;
      }
      return fail(Status{sqlstate::character_not_in_repertoire, "invalid byte sequence for encoding \"UTF8\": " + bytes});
    }
    const bool split = options_.format == CopyFormat::kText ? split_text(line) : split_csv(line);
    if (header_left_) {
      header_left_ = false;
      if (options_.header == CopyHeader::kSkip) {
        error_ = {};
        continue;
      }
      if (!split || !check_header(line)) return Next::kError;
      continue;
    }
    if (!split) return Next::kError;
    if (fields_.size() < columns_.size()) {
      bad_file("missing data for column \"" + columns_[fields_.size()] + "\"");
      return Next::kError;
    }
    return Next::kRow;
  }
}

// The next line, without its end; in CSV a line ends outside quotes.
CopyParser::Next CopyParser::next_line(std::string_view* line) {
  const bool csv = options_.format == CopyFormat::kCsv;
  std::size_t i = std::max(scanned_, at_);
  bool complete = false;
  for (; i < input_.size(); ++i) {
    const char c = input_[i];
    if (csv) {
      if (in_quotes_ && c == options_.escape && options_.escape != options_.quote) {
        escaped_ = !escaped_;
        continue;
      }
      if (c == options_.quote && !escaped_) in_quotes_ = !in_quotes_;
      escaped_ = false;
      if (c == '\n' && !in_quotes_) complete = true;
    } else if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '\n') {
      complete = true;
    }
    if (complete) break;
  }
  scanned_ = i;
  if (!complete && !finished_) return Next::kNeedMore;
  if (!complete && at_ == input_.size()) {
    ended_ = true;
    return Next::kEnd;
  }
  ++line_;
  std::string_view text(input_.data() + at_, i - at_);
  at_ = complete ? i + 1 : i;
  scanned_ = at_;
  if (!complete && csv && in_quotes_) {
    line_text_ = text;
    return fail(Status{sqlstate::bad_copy_file_format, "unterminated CSV quoted field"});
  }
  escaped_ = in_quotes_ = false;
  if (text.ends_with('\r')) text.remove_suffix(1);
  line_text_ = text;
  if (text == "\\.") {
    ended_ = true;
    --line_;
    return Next::kEnd;
  }
  // In text format the mark ends the data wherever it stands; what is before it in its line is the last row.
  if (!csv && text.find("\\.") != std::string_view::npos) {
    for (std::size_t at = text.find('\\'); at + 1 < text.size(); at = text.find('\\', at + 2)) {
      if (text[at + 1] != '.') continue;
      if (at + 2 != text.size()) return fail(Status{sqlstate::bad_copy_file_format, "end-of-copy marker corrupt"});
      text.remove_suffix(2);
      ended_ = true;
      break;
    }
  }
  *line = text;
  return Next::kRow;
}

bool CopyParser::add_field(std::optional<std::string_view> field) {
  if (fields_.size() == columns_.size()) return bad_file("extra data after last expected column");
  fields_.push_back(field);
  return true;
}

bool CopyParser::split_text(std::string_view line) {
  fields_.clear();
  // A table without columns takes an empty line as its row.
  if (columns_.empty()) return line.empty() || bad_file("extra data after last expected column");
  unescaped_.clear();
  unescaped_.reserve(line.size());
  const bool plain = line.find('\\') == std::string_view::npos;
  std::size_t begin = 0;
  for (;;) {
    std::size_t end = begin;
    if (plain) {
      const void* found = std::memchr(line.data() + begin, options_.delimiter, line.size() - begin);
      end = found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - line.data()) : line.size();
    } else {
      while (end < line.size() && line[end] != options_.delimiter) end += line[end] == '\\' && end + 1 < line.size() ? 2 : 1;
    }
    const std::string_view raw = line.substr(begin, end - begin);
    if (raw == options_.null_text) {
      if (!add_field(std::nullopt)) return false;
    } else if (raw.find('\\') == std::string_view::npos) {
      if (!add_field(raw)) return false;
    } else {
      const std::size_t start = unescaped_.size();
      for (std::size_t i = 0; i < raw.size(); ++i) {
        char c = raw[i];
        if (c != '\\' || i + 1 == raw.size()) {
          unescaped_ += c;
          continue;
        }
        c = raw[++i];
        switch (c) {
          case 'b': unescaped_ += '\b'; break;
          case 'f': unescaped_ += '\f'; break;
          case 'n': unescaped_ += '\n'; break;
          case 'r': unescaped_ += '\r'; break;
          case 't': unescaped_ += '\t'; break;
          case 'v': unescaped_ += '\v'; break;
          case 'x': {
            int value = -1;
            for (int digits = 0; digits < 2 && i + 1 < raw.size() && hex_digit(raw[i + 1]) >= 0; ++digits)
              value = (value < 0 ? 0 : value * 16) + hex_digit(raw[++i]);
            unescaped_ += value < 0 ? 'x' : static_cast<char>(value);
            break;
          }
          default:
            if (c >= '0' && c <= '7') {
              int value = c - '0';
              for (int digits = 1; digits < 3 && i + 1 < raw.size() && raw[i + 1] >= '0' && raw[i + 1] <= '7'; ++digits)
                value = value * 8 + (raw[++i] - '0');
              unescaped_ += static_cast<char>(value);
            } else {
              unescaped_ += c;
            }
        }
      }
      const std::string_view value(unescaped_.data() + start, unescaped_.size() - start);
      std::size_t bad = 0;
      if (!is_valid_utf8(value, &bad)) {
        char shown[16];
        std::snprintf(shown, sizeof shown, "0x%02x", static_cast<unsigned>(static_cast<unsigned char>(value[bad])));
        error_ = Status{sqlstate::character_not_in_repertoire, std::string("invalid byte sequence for encoding \"UTF8\": ") + shown};
        return false;
      }
      if (!add_field(value)) return false;
    }
    if (end == line.size()) return true;
    begin = end + 1;
  }
}

bool CopyParser::split_csv(std::string_view line) {
  fields_.clear();
  if (columns_.empty()) return line.empty() || bad_file("extra data after last expected column");
  unescaped_.clear();
  unescaped_.reserve(line.size());
  std::size_t i = 0;
  for (;;) {
    const std::size_t start = unescaped_.size();
    bool quoted = false, inside = false;
    for (; i < line.size(); ++i) {
      const char c = line[i];
      if (!inside) {
        if (c == options_.delimiter) break;
        if (c == options_.quote) {
          inside = quoted = true;
          continue;
        }
        unescaped_ += c;
        continue;
      }
      if (c == options_.escape && i + 1 < line.size() && (line[i + 1] == options_.escape || line[i + 1] == options_.quote)) {
        unescaped_ += line[++i];
        continue;
      }
      if (c == options_.quote) {
        inside = false;
        continue;
      }
      unescaped_ += c;
    }
    if (inside) return bad_file("unterminated CSV quoted field");
    const std::string_view value(unescaped_.data() + start, unescaped_.size() - start);
    const std::size_t field = fields_.size();
    const bool matches = value == options_.null_text;
    const bool known = field < columns_.size();
    const bool is_null = matches && ((!quoted && !(known && force_not_null_[field])) || (quoted && known && force_null_[field]));
    if (!add_field(is_null ? std::nullopt : std::optional<std::string_view>(value))) return false;
    if (i >= line.size()) return true;
    ++i;
    if (i == line.size()) {
      // A delimiter at the very end is followed by an empty field.
      const std::size_t last = fields_.size();
      const bool null_last = options_.null_text.empty() && !(last < columns_.size() && force_not_null_[last]);
      return add_field(null_last ? std::nullopt : std::optional<std::string_view>(std::string_view()));
    }
  }
}

bool CopyParser::check_header(std::string_view) {
  if (fields_.size() != columns_.size())
    return bad_file("wrong number of fields in header line: got " + std::to_string(fields_.size()) + ", expected " +
                    std::to_string(columns_.size()));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (!fields_[i])
      return bad_file("column name mismatch in header line field " + std::to_string(i + 1) + ": got null value (\"" + options_.null_text +
                      "\"), expected \"" + columns_[i] + "\"");
    if (*fields_[i] != columns_[i])
      return bad_file("column name mismatch in header line field " + std::to_string(i + 1) + ": got \"" + std::string(*fields_[i]) +
                      "\", expected \"" + columns_[i] + "\"");
  }
  return true;
}

CopyParser::Next CopyParser::next_binary() {
  const auto need = [&](std::size_t bytes) { return input_.size() - at_ >= bytes; };
  const auto more = [&] {
    scanned_ = at_;
    if (!finished_) return Next::kNeedMore;
    return fail(Status{sqlstate::bad_copy_file_format, "unexpected EOF in COPY data"});
  };
  if (!signature_read_) {
    if (!need(kSignature.size() + 8)) {
      if (!finished_) return more();
      return fail(Status{sqlstate::bad_copy_file_format, "COPY file signature not recognized"});
    }
    const char* at = input_.data() + at_;
    if (std::string_view(at, kSignature.size()) != kSignature)
      return fail(Status{sqlstate::bad_copy_file_format, "COPY file signature not recognized"});
    const std::uint32_t flags = load_int32(at + kSignature.size()), extension = load_int32(at + kSignature.size() + 4);
    if ((flags & 0x10000u) != 0) return fail(Status{sqlstate::bad_copy_file_format, "invalid COPY file header (WITH OIDS)"});
    if ((flags >> 16) != 0) return fail(Status{sqlstate::bad_copy_file_format, "unrecognized critical flags in COPY file header"});
    if (extension > 0x3fffffff) return fail(Status{sqlstate::bad_copy_file_format, "invalid COPY file header (wrong length)"});
    if (!need(kSignature.size() + 8 + extension)) return more();
    at_ += kSignature.size() + 8 + extension;
    signature_read_ = true;
  }
  if (at_ == input_.size() && finished_) {
    ended_ = true;
    return Next::kEnd;
  }
  if (!need(2)) return more();
  const auto count = static_cast<std::int16_t>(load_int16(input_.data() + at_));
  if (count == -1) {
    at_ += 2;
    ended_ = true;
    return Next::kEnd;
  }
  if (static_cast<std::size_t>(count) != columns_.size() || count < 0) {
    ++line_;
    return fail(Status{sqlstate::bad_copy_file_format, "row field count is " + std::to_string(count) + ", expected " +
                                                           std::to_string(columns_.size())});
  }
  std::size_t at = at_ + 2;
  fields_.clear();
  for (std::int16_t i = 0; i < count; ++i) {
    if (input_.size() - at < 4) return more();
    const auto length = static_cast<std::int32_t>(load_int32(input_.data() + at));
    at += 4;
    if (length == -1) {
      fields_.push_back(std::nullopt);
      continue;
    }
    if (length < 0) {
      ++line_;
      return fail(Status{sqlstate::bad_copy_file_format, "invalid field size"});
    }
    if (input_.size() - at < static_cast<std::size_t>(length)) return more();
    fields_.push_back(std::string_view(input_.data() + at, static_cast<std::size_t>(length)));
    at += static_cast<std::size_t>(length);
  }
  at_ = at;
  ++line_;
  return Next::kRow;
}

std::string CopyParser::line_context() const {
  if (options_.format == CopyFormat::kBinary) return "";
  std::string shown(line_text_.substr(0, kShownLineBytes));
  if (line_text_.size() > kShownLineBytes) {
    while (!shown.empty() && (static_cast<unsigned char>(line_text_[shown.size()]) & 0xC0) == 0x80) shown.pop_back();
    shown += "...";
  }
  return ": \"" + shown + "\"";
}

}  // namespace wandian::sql
