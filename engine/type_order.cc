// compare_values and hash_value (engine/type.h): the btree order and the hash of every type.
#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <vector>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine/array_value.h"
#include "engine/numeric.h"
#include "engine/ordered_bytes.h"
#include "engine/range_value.h"
#include "engine/text_order.h"
#include "engine/type.h"

namespace wandian {

namespace {

template <class T>
int three_way(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int compare_floats(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  return three_way(a, b);
}

int compare_bytes(std::string_view a, std::string_view b) {
  const std::size_t n = std::min(a.size(), b.size());
  const int order = n == 0 ? 0 : std::memcmp(a.data(), b.data(), n);
  return order != 0 ? order : three_way(a.size(), b.size());
}

int compare_arrays(const Value& a, const Value& b) {
  const ArrayView x(a);
  const TypeInfo* type = find_type(x.element_type());
  return compare_arrays(x, ArrayView(b), type != nullptr ? type->order : Order::kNone);
}

int compare_records(const Value& a, const Value& b) {
  const RecordView x(a);
  const RecordView y(b);
  const std::uint32_t n = std::min(x.count(), y.count());
  for (std::uint32_t i = 0; i < n; ++i) {
    const Value fx = x.field(i);
    const Value fy = y.field(i);
    if (fx.is_null || fy.is_null) {
      if (fx.is_null != fy.is_null) return fx.is_null ? 1 : -1;   // null is above everything
      continue;
    }
    if (x.type(i) != y.type(i)) return three_way(x.type(i), y.type(i));
    const TypeInfo* type = find_type(x.type(i));
    const Order order = type != nullptr ? type->order : Order::kNone;
    const int c = order == Order::kNone ? compare_bytes(fx.bytes(), fy.bytes()) : compare_values(order, fx, fy);
    if (c != 0) return c;
  }
  return three_way(x.count(), y.count());
}

// jsonb is held as its normalized text; this walks one value of it. The text is well formed.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text) : text_(text) {}
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip(std::size_t n) { at_ += n; }
  void skip_separator() {
    while (at_ < text_.size() && (text_[at_] == ',' || text_[at_] == ' ' || text_[at_] == ':')) ++at_;
  }
  // The raw text of the value here, which is passed.
  std::string_view take() {
    const std::size_t begin = at_;
    int depth = 0;
    do {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        while (text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
        ++at_;
      } else if (c == '{' || c == '[') {
        ++depth;
        ++at_;
      } else if (c == '}' || c == ']') {
        --depth;
        ++at_;
      } else if (depth > 0 && (c == ',' || c == ' ' || c == ':')) {
        ++at_;
      } else {
        while (at_ < text_.size() && std::string_view(",:]} ").find(text_[at_]) == std::string_view::npos) ++at_;
      }
    } while (depth > 0 && at_ < text_.size());
    return text_.substr(begin, at_ - begin);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::vector<std::string_view> json_items(std::string_view container) {
  std::vector<std::string_view> items;
  JsonCursor cursor(container);
  cursor.skip(1);
  for (cursor.skip_separator(); cursor.peek() != ']' && cursor.peek() != '}'; cursor.skip_separator())
    items.push_back(cursor.take());
  return items;
}

// The characters of a JSON string without quotes and escapes.
std::string json_string(std::string_view quoted) {
  std::string out;
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      out.push_back(quoted[i]);
      continue;
    }
    switch (quoted[++i]) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': {   // normalized text keeps \u only for control characters
        unsigned code = 0;
        for (int k = 1; k <= 4; ++k) {
          const char c = quoted[i + static_cast<std::size_t>(k)];
          code = code * 16 + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        i += 4;
        out.push_back(static_cast<char>(code));
        break;
      }
      default: out.push_back(quoted[i]);
    }
  }
  return out;
}

// Object > array > boolean > number > string > null.
int json_rank(std::string_view v) {
  switch (v.front()) {
    case '{': return 5;
    case '[': return 4;
    case 't': case 'f': return 3;
    case '"': return 1;
    case 'n': return 0;
    default: return 2;
  }
}

int compare_json(std::string_view a, std::string_view b, bool top) {
  if (a == b) return 0;
  const int rank_a = json_rank(a);
  const int rank_b = json_rank(b);
  if (rank_a != rank_b) {
    // An empty array at the top is below every scalar: scalars are wrapped in a one-element array in PostgreSQL.
    if (top && a == "[]" && rank_b < 4) return -1;
    if (top && b == "[]" && rank_a < 4) return 1;
    return rank_a < rank_b ? -1 : 1;
  }
  switch (rank_a) {
    case 3: return a.front() == 't' ? 1 : -1;
    case 2: {
      Numeric x, y;
      (void)parse_numeric(a, &x);
      (void)parse_numeric(b, &y);
      return compare_numeric(x, y);
    }
    case 1: return compare_bytes(json_string(a), json_string(b));
    case 0: return 0;
    default: break;
  }
  const auto items_a = json_items(a);
  const auto items_b = json_items(b);
  if (items_a.size() != items_b.size()) return items_a.size() < items_b.size() ? -1 : 1;
  for (std::size_t i = 0; i < items_a.size(); ++i) {
    const int c = compare_json(items_a[i], items_b[i], false);
    if (c != 0) return c;
  }
  return 0;
}

void append_json_hash(std::string_view v, std::string& out) {
  const int rank = json_rank(v);
  out.push_back(static_cast<char>(rank));
  if (rank == 2) {
    Arena arena;
    Value number;
    if (numeric_from_text(v, -1, arena, &number).ok()) append_numeric_key(number, out);
  } else if (rank >= 4) {
    for (const std::string_view item : json_items(v)) append_json_hash(item, out);
    out.push_back(7);
  } else {
    out.append(v);
  }
}

void append_text_key(std::string_view text, std::string& out) {
  for (const char c : text) {
    out.push_back(c);
    if (c == 0) out.push_back(static_cast<char>(0xff));
  }
  out.append(2, '\0');
}

void append_json_key(std::string_view v, bool top, std::string& out) {
  if (top && v == "[]") {   // as in compare_json()
    out.push_back(0);
    return;
  }
  const int rank = json_rank(v);
  out.push_back(static_cast<char>(rank + 1));
  switch (rank) {
    case 0: return;
    case 1: append_text_key(json_string(v), out); return;
    case 2: {
      Arena arena;
      Value number;
      if (numeric_from_text(v, -1, arena, &number).ok()) append_numeric_key(number, out);
      return;
    }
    case 3: out.push_back(v.front() == 't' ? 1 : 0); return;
    default: {
      const std::vector<std::string_view> items = json_items(v);
      for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(items.size() >> shift));
      for (const std::string_view item : items) append_json_key(item, false, out);
    }
  }
}

std::uint64_t mix(std::uint64_t v) { return XXH3_64bits(&v, sizeof v); }

}  // namespace

int compare_arrays(const ArrayView& x, const ArrayView& y, Order order) {
  const std::uint32_t n = std::min(x.count(), y.count());
  for (std::uint32_t i = 0; i < n; ++i) {
    const Value ex = x.element(i);
    const Value ey = y.element(i);
    if (ex.is_null || ey.is_null) {
      if (ex.is_null != ey.is_null) return ex.is_null ? 1 : -1;   // null is above everything
      continue;
    }
    const int c = order == Order::kNone ? compare_bytes(ex.bytes(), ey.bytes()) : compare_values(order, ex, ey);
    if (c != 0) return c;
  }
  if (x.count() != y.count()) return three_way(x.count(), y.count());
  if (x.dimensions() != y.dimensions()) return three_way(x.dimensions(), y.dimensions());
  for (int d = 0; d < x.dimensions(); ++d)
    if (x.length(d) != y.length(d)) return three_way(x.length(d), y.length(d));
  for (int d = 0; d < x.dimensions(); ++d)
    if (x.lower_bound(d) != y.lower_bound(d)) return three_way(x.lower_bound(d), y.lower_bound(d));
  return 0;
}

void append_jsonb_key(const Value& value, std::string& out) { append_json_key(value.bytes(), true, out); }

int compare_values(Order order, const Value& a, const Value& b) {
  switch (order) {
    case Order::kInteger: return three_way(a.i, b.i);
    case Order::kUnsigned: return three_way(static_cast<std::uint64_t>(a.i), static_cast<std::uint64_t>(b.i));
    case Order::kFloat: return compare_floats(a.d, b.d);
    case Order::kBytes: return compare_bytes(a.bytes(), b.bytes());
    case Order::kPadded: return compare_bytes(without_padding(a.bytes()), without_padding(b.bytes()));
    case Order::kNumeric: return compare_numeric(a, b);
    case Order::kInterval: return three_way(interval_span(a), interval_span(b));
    case Order::kJsonb: return compare_json(a.bytes(), b.bytes(), true);
    case Order::kArray: return compare_arrays(a, b);
    case Order::kRecord: return compare_records(a, b);
    case Order::kRange: return compare_ranges(a, b);
    case Order::kNone: break;
    default: return compare_collated(order, a, b);
  }
  DB_ASSERT(order != Order::kNone);
  return 0;
}

std::uint64_t hash_value(Order order, const Value& value) {
  switch (order) {
    case Order::kInteger:
    case Order::kUnsigned: return mix(static_cast<std::uint64_t>(value.i));
    case Order::kFloat: {
      if (std::isnan(value.d)) return 0x7ff8000000000001u;
      return mix(std::bit_cast<std::uint64_t>(value.d == 0 ? 0.0 : value.d));
    }
    case Order::kBytes: return XXH3_64bits(value.p, value.size);
    case Order::kPadded: {
      const std::string_view text = without_padding(value.bytes());
      return XXH3_64bits(text.data(), text.size());
    }
    case Order::kNumeric: return hash_numeric(value);
    case Order::kInterval: {
      const Int128 span = interval_span(value);
      return XXH3_64bits(&span, sizeof span);
    }
    case Order::kJsonb: {
      std::string canonical;
      append_json_hash(value.bytes(), canonical);
      return XXH3_64bits(canonical.data(), canonical.size());
    }
    case Order::kArray: {
      const ArrayView array(value);
      const TypeInfo* type = find_type(array.element_type());
      std::uint64_t h = 1;
      for (std::uint32_t i = 0; i < array.count(); ++i) {
        const Value element = array.element(i);
        const std::uint64_t part = element.is_null                                 ? 0
                                   : type == nullptr || type->order == Order::kNone ? XXH3_64bits(element.p, element.size)
                                                                                    : hash_value(type->order, element);
        h = mix(h * 31 + part);
      }
      return h;
    }
    case Order::kRange: return hash_range(value);
    case Order::kRecord: {
      const RecordView record(value);
      std::uint64_t h = 2;
      for (std::uint32_t i = 0; i < record.count(); ++i) {
        const Value field = record.field(i);
        const TypeInfo* type = find_type(record.type(i));
        const std::uint64_t part = field.is_null                                   ? 0
                                   : type == nullptr || type->order == Order::kNone ? XXH3_64bits(field.p, field.size)
                                                                                    : hash_value(type->order, field);
        h = mix(h * 31 + part);
      }
      return h;
    }
    case Order::kNone: break;
    default: return hash_collated(order, value);
  }
  DB_ASSERT(order != Order::kNone);
  return 0;
}

}  // namespace wandian
