#include "sql/types/encoding.h"
#include "sql/copy/copy_options.h"

#include <algorithm>
#include <set>

namespace wandian::sql {

namespace {

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string argument_text(const ParseNode* node) {
  if (node == nullptr) return "";
  switch (node->node_case) {
    case PG_QUERY__NODE__NODE_STRING: return std::string(string_value(node));
    case PG_QUERY__NODE__NODE_INTEGER: return std::to_string(node->integer->ival);
    case PG_QUERY__NODE__NODE_BOOLEAN: return node->boolean->boolval != 0 ? "true" : "false";
    case PG_QUERY__NODE__NODE_TYPE_NAME: {
      const PgQuery__TypeName& name = *node->type_name;
      return name.n_names > 0 ? std::string(string_value(name.names[name.n_names - 1])) : "";
    }
    case PG_QUERY__NODE__NODE_LIST: {   // a name in brackets
      std::string out;
      for (std::size_t i = 0; i < node->list->n_items; ++i) out += (i != 0 ? "." : "") + argument_text(node->list->items[i]);
      return out;
    }
    default: return "";
  }
}

Status syntax(std::string message) { return Status{sqlstate::syntax_error, std::move(message)}; }
Status unsupported(std::string message) { return Status{sqlstate::feature_not_supported, std::move(message)}; }
Status invalid(std::string message) { return Status{sqlstate::invalid_parameter_value, std::move(message)}; }

Result<bool> argument_bool(const PgQuery__DefElem& option) {
  if (option.arg == nullptr) return true;
  const std::string text = lower(argument_text(option.arg));
  if (text == "1" || text == "true" || text == "on") return true;
  if (text == "0" || text == "false" || text == "off") return false;
  return syntax(std::string(option.defname) + " requires a Boolean value");
}

Result<std::vector<std::string>> column_list(const PgQuery__DefElem& option) {
  if (option.arg == nullptr || option.arg->node_case != PG_QUERY__NODE__NODE_LIST)
    return invalid("argument to option \"" + std::string(option.defname) + "\" must be a list of column names");
  std::vector<std::string> out;
  for (std::size_t i = 0; i < option.arg->list->n_items; ++i) out.emplace_back(string_value(option.arg->list->items[i]));
  return out;
}

Status check(const CopyOptions& options, bool from, const std::set<std::string>& given) {
  const bool csv = options.format == CopyFormat::kCsv, binary = options.format == CopyFormat::kBinary;
  if (binary && given.contains("delimiter")) return syntax("cannot specify DELIMITER in BINARY mode");
  if (binary && given.contains("null")) return syntax("cannot specify NULL in BINARY mode");
  if (options.delimiter == '\n' || options.delimiter == '\r') return invalid("COPY delimiter cannot be newline or carriage return");
  if (options.null_text.find_first_of("\r\n") != std::string::npos)
    return invalid("COPY null representation cannot use newline or carriage return");
  if (!csv && !binary && std::string_view("\\.abcdefghijklmnopqrstuvwxyz0123456789").find(options.delimiter) != std::string_view::npos)
    return invalid("COPY delimiter cannot be \"" + std::string(1, options.delimiter) + "\"");
  if (binary && options.header != CopyHeader::kNone) return unsupported("cannot specify HEADER in BINARY mode");
  if (!csv && given.contains("quote")) return unsupported("COPY quote available only in CSV mode");
  if (csv && options.delimiter == options.quote) return invalid("COPY delimiter and quote must be different");
  if (!csv && given.contains("escape")) return unsupported("COPY escape available only in CSV mode");
  if (!csv && (options.force_quote_all || !options.force_quote.empty())) return unsupported("COPY force quote available only in CSV mode");
  if (from && (options.force_quote_all || !options.force_quote.empty())) return unsupported("COPY force quote only available using COPY TO");
  if (!csv && !options.force_not_null.empty()) return unsupported("COPY force not null available only in CSV mode");
  if (!from && !options.force_not_null.empty()) return unsupported("COPY force not null only available using COPY FROM");
  if (!csv && !options.force_null.empty()) return unsupported("COPY force null available only in CSV mode");
  if (!from && !options.force_null.empty()) return unsupported("COPY force null only available using COPY FROM");
  if (!binary && options.null_text.find(options.delimiter) != std::string::npos)
    return unsupported("COPY delimiter must not appear in the NULL specification");
  if (csv && options.null_text.find(options.quote) != std::string::npos)
    return unsupported("CSV quote character must not appear in the NULL specification");
  return {};
}

}  // namespace

Result<CopyOptions> read_copy_options(const PgQuery__CopyStmt& copy, std::string_view text) {
  CopyOptions options;
  std::set<std::string> given;
  std::string delimiter, quote, escape, null_text;
  for (std::size_t i = 0; i < copy.n_options; ++i) {
    const PgQuery__DefElem& option = *copy.options[i]->def_elem;
    const std::string name(option.defname != nullptr ? option.defname : "");
    const std::int32_t position = character_position(text, option.location);
    if (!given.insert(name).second) return syntax("conflicting or redundant options").with_position(position);
    const std::string value = argument_text(option.arg);
    if (name == "format") {
      if (value == "text") {
        options.format = CopyFormat::kText;
      } else if (value == "csv") {
        options.format = CopyFormat::kCsv;
      } else if (value == "binary") {
        options.format = CopyFormat::kBinary;
      } else {
        return invalid("COPY format \"" + value + "\" not recognized").with_position(position);
      }
    } else if (name == "freeze") {
      WANDIAN_ASSIGN([[maybe_unused]] const bool freeze, argument_bool(option));
    } else if (name == "delimiter") {
      delimiter = value;
    } else if (name == "null") {
      null_text = value;
    } else if (name == "header") {
      if (lower(value) == "match") {
        if (copy.is_from == 0) return unsupported("cannot use \"match\" with HEADER in COPY TO");
        options.header = CopyHeader::kMatch;
      } else {
        const Result<bool> on = argument_bool(option);
        if (!on.ok()) return syntax("header requires a Boolean value or \"match\"");
        options.header = on.value() ? CopyHeader::kSkip : CopyHeader::kNone;
      }
    } else if (name == "quote") {
      quote = value;
    } else if (name == "escape") {
      escape = value;
    } else if (name == "force_quote") {
      if (option.arg != nullptr && option.arg->node_case == PG_QUERY__NODE__NODE_A_STAR) {
        options.force_quote_all = true;
      } else {
        WANDIAN_ASSIGN(options.force_quote, column_list(option));
      }
    } else if (name == "force_not_null") {
      WANDIAN_ASSIGN(options.force_not_null, column_list(option));
    } else if (name == "force_null") {
      WANDIAN_ASSIGN(options.force_null, column_list(option));
    } else if (name == "encoding") {
      options.encoding = encoding_number(value);
      if (options.encoding < 0)
        return invalid("argument to option \"encoding\" must be a valid encoding name").with_position(position);
      if (options.encoding != kUtf8Encoding && options.encoding != kSqlAsciiEncoding && find_encoding(options.encoding) == nullptr)
        return unsupported("COPY in " + std::string(encoding_name(options.encoding)) + " is not supported");
    } else {
      return syntax("option \"" + name + "\" not recognized").with_position(position);
    }
  }
  const bool csv = options.format == CopyFormat::kCsv;
  options.delimiter = csv ? ',' : '\t';
  if (given.contains("delimiter")) {
    if (delimiter.size() != 1) return unsupported("COPY delimiter must be a single one-byte character");
    options.delimiter = delimiter[0];
  }
  options.null_text = given.contains("null") ? null_text : csv ? "" : "\\N";
  if (given.contains("quote") && csv) {
    if (quote.size() != 1) return unsupported("COPY quote must be a single one-byte character");
    options.quote = quote[0];
  }
  options.escape = options.quote;
  if (given.contains("escape") && csv) {
    if (escape.size() != 1) return unsupported("COPY escape must be a single one-byte character");
    options.escape = escape[0];
  }
  WANDIAN_TRY(check(options, copy.is_from != 0, given));
  return options;
}

}  // namespace wandian::sql
