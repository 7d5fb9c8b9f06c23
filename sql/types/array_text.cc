// Text forms of arrays, vectors, records and object names.
#include <array>
#include <string>
#include <vector>

#include "engine/array_value.h"
#include "sql/expr/domain_value.h"
#include "sql/functions/session_hooks.h"
#include "sql/types/number_text.h"
#include "sql/types/text_io.h"
#include "sql/types/type_forms.h"

namespace wandian::sql {

using namespace type_oid;

namespace {

Status malformed(std::string_view text, std::string detail) {
  Status status{sqlstate::invalid_text_representation, "malformed array literal: \"" + std::string(text) + "\""};
  if (detail.empty()) return status;
  return std::move(status).with_detail(std::move(detail));
}

bool is_null_word(std::string_view text) {
  return text.size() == 4 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'u' && (text[2] | 0x20) == 'l' &&
         (text[3] | 0x20) == 'l';
}

// Reads the braces: elements in order, and the lengths of the dimensions.
class ArrayReader {
 public:
  ArrayReader(EvalContext& ctx, Oid element, std::int32_t typmod, std::string_view text)
      : ctx_(ctx), element_(element), typmod_(typmod), text_(text) {}

  bool run(Value* out) {
    skip_blanks();
    std::vector<ArrayDimension> given;
    if (!bounds(&given)) return false;
    if (at_ == text_.size() || text_[at_] != '{')
      return bad(given.empty() ? "Array value must start with \"{\" or dimension information."
                               : "Array contents must start with \"{\".");
    if (!braces(0)) return false;
    skip_blanks();
    if (at_ != text_.size()) return bad("Junk after closing right brace.");
    if (values_.empty()) {
      *out = build_array(element_, {}, {}, ctx_.arena);
      return true;
    }
    std::vector<ArrayDimension> dimensions;
    for (int d = 0; d < depth_; ++d) dimensions.push_back({lengths_[static_cast<std::size_t>(d)], 1});
    if (!given.empty()) {
      if (given.size() != dimensions.size()) return bad("Specified array dimensions do not match array contents.");
      for (std::size_t d = 0; d < given.size(); ++d) {
        if (given[d].length != dimensions[d].length)
          return bad("Specified array dimensions do not match array contents.");
        dimensions[d].lower_bound = given[d].lower_bound;
      }
    }
    *out = build_array(element_, dimensions, values_, ctx_.arena);
    return true;
  }

 private:
  bool bad(std::string detail) { return ctx_.fail(malformed(text_, std::move(detail))); }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  // Digits and signs, of which a number is taken as far as it goes.
  bool bound(std::int64_t* out) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || text_[at_] == '-' || text_[at_] == '+')) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    const std::size_t sign = !word.empty() && (word[0] == '-' || word[0] == '+') ? 1 : 0;
    const std::size_t end = std::min(word.find_first_of("+-", sign), word.size());
    if (!parse_int(word.substr(0, end), INT32_MIN, INT32_MAX, "integer", out).ok()) *out = 0;
    return !word.empty();
  }

  // [1:2][0:3]=
  bool bounds(std::vector<ArrayDimension>* out) {
    while (at_ < text_.size() && text_[at_] == '[') {
      if (out->size() == kMaxArrayDimensions)
        return ctx_.fail({sqlstate::program_limit_exceeded, "number of array dimensions (7) exceeds the maximum allowed (6)"});
      ++at_;
      std::int64_t lower = 1;
      std::int64_t upper;
      if (!bound(&upper)) return bad("\"[\" must introduce explicitly-specified array dimensions.");
      if (at_ < text_.size() && text_[at_] == ':') {
        lower = upper;
        ++at_;
        if (!bound(&upper)) return bad("Missing array dimension value.");
      }
      if (at_ == text_.size() || text_[at_] != ']') return bad("Missing \"]\" after array dimensions.");
      if (upper < lower) return ctx_.fail({sqlstate::array_subscript_error, "upper bound cannot be less than lower bound"});
      if (upper - lower >= INT32_MAX)
        return ctx_.fail({sqlstate::program_limit_exceeded, "array size exceeds the maximum allowed (134217727)"});
      out->push_back({static_cast<std::int32_t>(upper - lower + 1), static_cast<std::int32_t>(lower)});
      ++at_;
      skip_blanks();
    }
    if (out->empty()) return true;
    if (at_ == text_.size() || text_[at_] != '=') return bad("Missing \"=\" after array dimensions.");
    ++at_;
    skip_blanks();
    return true;
  }

  bool braces(int level) {
    if (level == kMaxArrayDimensions)
      return ctx_.fail({sqlstate::program_limit_exceeded, "number of array dimensions (7) exceeds the maximum allowed (6)"});
    ++at_;   // {
    if (level >= depth_) {
      if (bottom_) return mismatch();
      depth_ = level + 1;
      lengths_[static_cast<std::size_t>(level)] = -1;
    }
    std::int32_t count = 0;
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '}') {
      if (level > 0) return bad("Unexpected \"}\" character.");
      ++at_;
      return true;
    } else {
      for (;;) {
        skip_blanks();
        if (at_ == text_.size()) return bad("Unexpected end of input.");
        if (text_[at_] == '{') {
          if (count > 0 && bottom_ && depth_ == level + 1) return bad("Unexpected \"{\" character.");
          if (bottom_ && level + 1 >= depth_) return mismatch();
          if (!braces(level + 1)) return false;
        } else {
          if (depth_ != level + 1) return bad("Unexpected array element.");
          if (!element()) return false;
          bottom_ = true;
        }
        ++count;
        skip_blanks();
        if (at_ == text_.size()) return bad("Unexpected end of input.");
        if (text_[at_] == ',') {
          ++at_;
          continue;
        }
        if (text_[at_] != '}') return bad("Unexpected array element.");
        ++at_;
        break;
      }
    }
    std::int32_t& length = lengths_[static_cast<std::size_t>(level)];
    if (length >= 0 && length != count) return mismatch();
    length = count;
    return true;
  }
  bool mismatch() { return bad("Multidimensional arrays must have sub-arrays with matching dimensions."); }

  bool element() {
    scratch_.clear();
    bool quoted = false;
    std::size_t keep = 0;   // trailing blanks outside quotes do not count beyond this
    for (;; ++at_) {
      if (at_ == text_.size()) return bad("Unexpected end of input.");
      const char c = text_[at_];
      if (c == '\\') {
        if (++at_ == text_.size()) return bad("Unexpected end of input.");
        scratch_.push_back(text_[at_]);
        keep = scratch_.size();
      } else if (c == '"') {
        if (quoted || !scratch_.empty()) return bad("Unexpected array element.");
        quoted = true;
        for (++at_;; ++at_) {
          if (at_ == text_.size()) return bad("Unexpected end of input.");
          if (text_[at_] == '"') break;
          if (text_[at_] == '\\' && ++at_ == text_.size()) return bad("Unexpected end of input.");
          scratch_.push_back(text_[at_]);
        }
        keep = scratch_.size();
      } else if (c == ',' || c == '}') {
        break;
      } else if (c == '{') {
        return bad("Unexpected \"{\" character.");
      } else {
        if (quoted && !is_blank(c)) return bad("Unexpected array element.");
        scratch_.push_back(c);
        if (!is_blank(c)) keep = scratch_.size();
      }
    }
    scratch_.resize(keep);
    if (!quoted && scratch_.empty()) return bad(std::string("Unexpected \"") + text_[at_] + "\" character.");
    Value value;
    if (quoted || !is_null_word(scratch_)) {
      if (!value_from_text(ctx_, element_, typmod_, scratch_, &value)) return false;
    } else if (type_kind(element_) == 'd' && !check_domain(ctx_, element_, value)) {
      return false;
    }
    values_.push_back(value);
    return true;
  }

  EvalContext& ctx_;
  Oid element_;
  std::int32_t typmod_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool bottom_ = false;   // an element has fixed the number of dimensions
  std::array<std::int32_t, kMaxArrayDimensions> lengths_{};
  std::vector<Value> values_;
  std::string scratch_;
};

bool needs_quotes(std::string_view text) {
  if (text.empty() || is_null_word(text)) return true;
  for (const char c : text)
    if (c == '"' || c == '\\' || c == '{' || c == '}' || c == ',' || is_blank(c)) return true;
  return false;
}

void write_quoted(std::string_view text, TextBuilder& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

struct ObjectType {
  Oid type;
  ObjectClass kind;
  std::string_view what;
};
constexpr ObjectType kObjectTypes[] = {
    {kRegproc, ObjectClass::kFunction, "function"},       {kRegprocedure, ObjectClass::kFunctionSignature, "function"},
    {kRegoper, ObjectClass::kOperator, "operator"},       {kRegclass, ObjectClass::kRelation, "relation"},
    {kRegtype, ObjectClass::kType, "type"},               {kRegnamespace, ObjectClass::kNamespace, "schema"},
    {kRegrole, ObjectClass::kRole, "role"},               {kRegoperator, ObjectClass::kOperatorSignature, "operator"},
    {kRegcollation, ObjectClass::kCollation, "collation"},
};
const ObjectType& object_type(Oid type) {
  for (const ObjectType& o : kObjectTypes)
    if (o.type == type) return o;
  return kObjectTypes[0];
}

}  // namespace

bool array_from_text(EvalContext& ctx, Oid element, std::int32_t typmod, std::string_view text, Value* out) {
  return ArrayReader(ctx, element, typmod, text).run(out);
}

bool append_array_text(EvalContext& ctx, const Value& value, TextBuilder& out) {
  const ArrayView array(value);
  if (array.count() == 0) {
    out.append("{}");
    return true;
  }
  const int dimensions = array.dimensions();
  bool show_bounds = false;
  for (int d = 0; d < dimensions; ++d) show_bounds = show_bounds || array.lower_bound(d) != 1;
  char text[kNumberTextBytes];
  const auto number = [&](std::int64_t v) { out.append(text, static_cast<std::size_t>(write_int(v, text) - text)); };
  if (show_bounds) {
    for (int d = 0; d < dimensions; ++d) {
      out.push_back('[');
      number(array.lower_bound(d));
      out.push_back(':');
      number(static_cast<std::int64_t>(array.lower_bound(d)) + array.length(d) - 1);
      out.push_back(']');
    }
    out.push_back('=');
  }
  for (std::uint32_t i = 0; i < array.count(); ++i) {
    // How many dimensions begin here: those whose whole extent divides the position.
    std::uint32_t extent = 1;
    int opens = 0;
    for (int d = dimensions; d-- > 0;) {
      extent *= static_cast<std::uint32_t>(array.length(d));
      if (i % extent == 0) ++opens;
    }
    if (i > 0) {
      out.append(static_cast<std::size_t>(opens), '}');
      out.push_back(',');
    }
    out.append(static_cast<std::size_t>(opens), '{');
    const Value element = array.element(i);
    if (element.is_null) {
      out.append("NULL");
      continue;
    }
    TextBuilder one(ctx.arena);
    if (!append_text(ctx, array.element_type(), element, one)) return false;
    if (needs_quotes(one.view())) write_quoted(one.view(), out);
    else out.append(one.view());
  }
  out.append(static_cast<std::size_t>(dimensions), '}');
  return true;
}

bool vector_from_text(EvalContext& ctx, Oid element, std::string_view text, Value* out) {
  std::vector<Value> values;
  std::size_t at = 0;
  for (;;) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at == text.size()) break;
    const std::size_t begin = at;
    while (at < text.size() && !is_blank(text[at])) ++at;
    if (!value_from_text(ctx, element, -1, text.substr(begin, at - begin), &values.emplace_back())) return false;
  }
  const ArrayDimension one[] = {{static_cast<std::int32_t>(values.size()), 0}};
  *out = build_array(element, one, values, ctx.arena);
  return true;
}

bool append_record_text(EvalContext& ctx, const Value& value, TextBuilder& out) {
  const RecordView record(value);
  out.push_back('(');
  bool comma = false;
  for (std::uint32_t i = 0; i < record.count(); ++i) {
    if (record.type(i) == kInvalidOid) continue;
    if (comma) out.push_back(',');
    comma = true;
    const Value field = record.field(i);
    if (field.is_null) continue;
    TextBuilder one(ctx.arena);
    if (!append_text(ctx, record.type(i), field, one)) return false;
    append_record_field(one.view(), out);
  }
  out.push_back(')');
  return true;
}

bool object_from_text(EvalContext& ctx, Oid type, std::string_view text, Value* out) {
  if (text == "-") {
    *out = Value::of_int(0);
    return true;
  }
  std::int64_t number;
  if (!text.empty() && text[0] >= '0' && text[0] <= '9' && parse_oid(text, "oid", &number).ok()) {
    *out = Value::of_int(number);
    return true;
  }
  const ObjectType& object = object_type(type);
  if (ctx.session == nullptr)
    return ctx.fail({object.kind == ObjectClass::kRelation ? sqlstate::undefined_table : sqlstate::undefined_object,
                     std::string(object.what) + " \"" + std::string(text) + "\" does not exist"});
  Result<Oid> found = ctx.session->resolve(object.kind, text, false);
  if (!found.ok()) return ctx.fail(found.take_status());
  *out = Value::of_int(found.value());
  return true;
}

void append_object_text(EvalContext& ctx, Oid type, const Value& value, TextBuilder& out) {
  if (value.i == 0) {
    out.push_back(type == kRegoper || type == kRegoperator ? '0' : '-');
    return;
  }
  if (ctx.session != nullptr) {
    if (const auto name = ctx.session->object_name(object_type(type).kind, static_cast<Oid>(value.i))) {
      out.append(*name);
      return;
    }
  }
  if (type == kRegtype && find_type(static_cast<Oid>(value.i)) != nullptr) {
    out.append(format_type(static_cast<Oid>(value.i)));
    return;
  }
  char text[kNumberTextBytes];
  out.append(text, static_cast<std::size_t>(write_uint(static_cast<std::uint32_t>(value.i), text) - text));
}

}  // namespace wandian::sql
