#include "sql/partition/partitioning.h"

#include <algorithm>
#include <map>

#include "engine/type.h"
#include "sql/functions/quote.h"
#include "sql/partition/hash.h"
#include "sql/types/text_io.h"
#include "sql/types/user_type.h"

namespace wandian::sql {

using Kind = BoundDatum::Kind;
using Test = PartitionTerm::Test;

// ---- Compiling ----

Status read_datums(std::span<const BoundDatum> datums, const TableDef& parent, Arena& arena, PartitionDatums* out) {
  static const FormatSettings format;
  EvalContext eval{arena, format, nullptr, 0, 0, {}};
  const bool list = parent.partition_strategy == 'l';
  for (std::size_t i = 0; i < datums.size(); ++i) {
    PartitionDatum& datum = out->emplace_back();
    datum.kind = datums[i].kind;
    if (datum.kind != Kind::kValue) continue;
    const PartitionKeyPart& part = parent.partition_key[list ? 0 : i];
    if (!value_from_text(eval, part.type, part.typmod, datums[i].text, &datum.value)) return std::move(eval.error);
    datum.value = copy_value(part.type, datum.value, arena);
  }
  return {};
}

Status Partitioning::read_children(const Catalog& catalog, const TableDef& table) {
  for (const Oid oid : table.partitions) {
    const std::shared_ptr<const TableDef> child = catalog.table(oid);
    if (child == nullptr) continue;
    Child& made = children_.emplace_back();
    made.table = oid;
    made.is_default = child->bound.is_default;
    made.modulus = child->bound.modulus;
    made.remainder = child->bound.remainder;
    WANDIAN_TRY(read_datums(child->bound.values, table, arena_, &made.values));
    WANDIAN_TRY(read_datums(child->bound.upper, table, arena_, &made.upper));
  }
  return {};
}

void Partitioning::arrange() {
  std::int32_t modulus = 0;
  for (std::uint32_t i = 0; i < children_.size(); ++i) {
    const Child& child = children_[i];
    if (child.is_default) {
      default_ = static_cast<int>(i);
      continue;
    }
    if (strategy_ == 'r') ranges_.push_back(i);
    if (strategy_ == 'h') modulus = std::max(modulus, child.modulus);
    if (strategy_ != 'l') continue;
    for (const PartitionDatum& datum : child.values) {
      if (datum.kind == Kind::kNull) null_ = static_cast<int>(i);
      else listed_.emplace_back(datum.value, i);
    }
  }
  std::sort(ranges_.begin(), ranges_.end(), [&](std::uint32_t a, std::uint32_t b) { return compare(children_[a].values, children_[b].values) < 0; });
  std::sort(listed_.begin(), listed_.end(), [&](const auto& a, const auto& b) { return compare_values_of(0, a.first, b.first) < 0; });
  by_remainder_.assign(static_cast<std::size_t>(modulus), -1);
  for (std::uint32_t i = 0; strategy_ == 'h' && i < children_.size(); ++i)
    for (std::int32_t r = children_[i].remainder; r < modulus; r += children_[i].modulus) by_remainder_[static_cast<std::size_t>(r)] = static_cast<std::int32_t>(i);
}

Result<std::shared_ptr<const Partitioning>> Partitioning::compile(const Catalog& catalog, const TableDef& table, const BindContext& context) {
  auto out = std::make_shared<Partitioning>();
  out->strategy_ = table.partition_strategy;
  const std::vector<StandaloneColumn> columns = standalone_columns(table);
  for (const PartitionKeyPart& part : table.partition_key) {
    Part& made = out->parts_.emplace_back();
    made.column = part.column;
    made.type = part.type;
    const TypeInfo* type = find_type(base_type(part.type));
    made.order = type != nullptr ? type->order : Order::kNone;
    if (part.column != kExpressionPart) continue;
    StandaloneOptions options;
    options.use = StandaloneUse::kPartitionKey;
    options.table_name = table.name;
    options.columns = columns;
    options.fold = true;
    WANDIAN_ASSIGN(made.bound, bind_standalone_expression(part.expression, context, options));
    CompileOptions compiling;
    compiling.columns_are_slots = true;
    WANDIAN_ASSIGN(made.code, sql::compile(*made.bound.expr, out->arena_, compiling));
  }
  WANDIAN_TRY(out->read_children(catalog, table));
  out->arrange();
  return std::shared_ptr<const Partitioning>(std::move(out));
}

// ---- Rows ----

Status Partitioning::key_of(std::span<const Value> row, EvalContext& eval, std::vector<Value>* key) const {
  key->resize(parts_.size());
  ExprInput input;
  input.columns = row.data();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].column != kExpressionPart) (*key)[i] = row[parts_[i].column];
    else if (!parts_[i].code.eval(eval, input, &(*key)[i])) return std::move(eval.error);
  }
  return {};
}

int Partitioning::compare(std::span<const PartitionDatum> a, std::span<const PartitionDatum> b) const {
  const auto rank = [](Kind kind) { return kind == Kind::kMinValue ? -1 : kind == Kind::kMaxValue ? 1 : 0; };
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (a[i].kind != Kind::kValue || b[i].kind != Kind::kValue) {
      const int order = rank(a[i].kind) - rank(b[i].kind);
      // Where both have the same end, what follows is the same end, too.
      if (order != 0 || a[i].kind == b[i].kind) return order;
    }
    if (const int order = compare_values_of(i, a[i].value, b[i].value); order != 0) return order;
  }
  return 0;
}

int Partitioning::compare_to_key(std::span<const PartitionDatum> bound, std::span<const Value> key) const {
  for (std::size_t i = 0; i < key.size() && i < bound.size(); ++i) {
    if (bound[i].kind == Kind::kMinValue) return -1;
    if (bound[i].kind == Kind::kMaxValue) return 1;
    if (const int order = compare_values_of(i, bound[i].value, key[i]); order != 0) return order;
  }
  return 0;
}

std::uint64_t Partitioning::hash_of(std::span<const Value> key) const {
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (!key[i].is_null) hash = combine_hashes(hash, extended_hash(parts_[i].type, key[i], kPartitionSeed));
  return hash;
}

int Partitioning::find(std::span<const Value> key) const {
  switch (strategy_) {
    case 'h': return by_remainder_.empty() ? -1 : by_remainder_[hash_of(key) % by_remainder_.size()];
    case 'l': {
      if (key[0].is_null) return null_ >= 0 ? null_ : default_;
      const auto at = std::lower_bound(listed_.begin(), listed_.end(), key[0], [&](const auto& entry, const Value& value) { return compare_values_of(0, entry.first, value) < 0; });
      if (at != listed_.end() && compare_values_of(0, at->first, key[0]) == 0) return static_cast<int>(at->second);
      return default_;
    }
    default: {
      for (const Value& value : key)
        if (value.is_null) return default_;
      // The last range that does not begin above the key.
      const auto above = std::partition_point(ranges_.begin(), ranges_.end(), [&](std::uint32_t child) { return compare_to_key(children_[child].values, key) <= 0; });
      if (above == ranges_.begin()) return default_;
      const std::uint32_t child = *(above - 1);
      return compare_to_key(children_[child].upper, key) > 0 ? static_cast<int>(child) : default_;
    }
  }
}

// ---- Pruning ----

bool Partitioning::holds(const PartitionTerm& term, const Value& value) const {
  if (term.test == Test::kIsNull) return false;
  if (term.test == Test::kIsNotNull) return true;
  if (term.test == Test::kAny)
    return std::any_of(term.values.begin(), term.values.end(), [&](const Value& wanted) { return compare_values_of(0, value, wanted) == 0; });
  const int order = compare_values_of(0, value, term.values[0]);
  switch (term.test) {
    case Test::kLess: return order < 0;
    case Test::kLessEqual: return order <= 0;
    case Test::kEqual: return order == 0;
    case Test::kGreaterEqual: return order >= 0;
    default: return order > 0;
  }
}

void Partitioning::prune_list(std::span<const PartitionTerm> terms, std::vector<bool>& out) const {
  const PartitionTerm* keys = nullptr;   // says which values there are
  bool null_only = false, not_null = false;
  for (const PartitionTerm& term : terms) {
    if (term.test == Test::kIsNull) null_only = true;
    else not_null = true;
    if (term.test == Test::kEqual || term.test == Test::kAny) keys = &term;
  }
  if (null_only && not_null) return;
  if (!not_null) {
    if (null_ >= 0) out[static_cast<std::size_t>(null_)] = true;
    else if (default_ >= 0) out[static_cast<std::size_t>(default_)] = true;
    if (null_only) return;
  }
  for (const auto& [value, child] : listed_)
    if (std::all_of(terms.begin(), terms.end(), [&, &v = value](const PartitionTerm& term) { return holds(term, v); })) out[child] = true;
  if (default_ < 0) return;
  // The default partition has what is not listed: nothing of it is wanted if each wanted value is.
  const bool all_listed = keys != nullptr && std::all_of(keys->values.begin(), keys->values.end(), [&](const Value& value) {
    return std::any_of(listed_.begin(), listed_.end(), [&](const auto& entry) { return compare_values_of(0, entry.first, value) == 0; });
  });
  if (!all_listed) out[static_cast<std::size_t>(default_)] = true;
}

void Partitioning::prune_range(std::span<const PartitionTerm> terms, std::vector<bool>& out) const {
  std::vector<Value> low, high;
  bool low_open = false, high_open = false;   // the last of them itself does not count
  bool low_done = false, high_done = false;
  std::size_t equal = 0;
  for (const PartitionTerm& term : terms) {
    if (term.test != Test::kIsNull) continue;
    if (default_ >= 0) out[static_cast<std::size_t>(default_)] = true;
    return;   // no range has nulls
  }
  for (std::uint16_t part = 0; part < parts_.size() && !(low_done && high_done); ++part) {
    const Value* is = nullptr;
    const PartitionTerm* from = nullptr;
    const PartitionTerm* to = nullptr;
    for (const PartitionTerm& term : terms) {
      if (term.part != part) continue;
      if (term.test == Test::kEqual) is = &term.values[0];
      if (term.test == Test::kGreater || term.test == Test::kGreaterEqual)
        if (from == nullptr || compare_values_of(part, term.values[0], from->values[0]) > 0) from = &term;
      if (term.test == Test::kLess || term.test == Test::kLessEqual)
        if (to == nullptr || compare_values_of(part, term.values[0], to->values[0]) < 0) to = &term;
    }
    if (is != nullptr && !low_done && !high_done) {
      low.push_back(*is), high.push_back(*is);
      ++equal;
      continue;
    }
    if (!low_done && from != nullptr) low.push_back(from->values[0]), low_open = from->test == Test::kGreater;
    if (!high_done && to != nullptr) high.push_back(to->values[0]), high_open = to->test == Test::kLess;
    low_done = high_done = true;
  }
  bool covered = true;   // what is looked for lies within ranges
  const Child* last = nullptr;
  for (const std::uint32_t i : ranges_) {
    const Child& child = children_[i];
    if (!low.empty()) {
      const int order = compare_to_key(child.upper, low);
      const bool whole = low.size() == parts_.size() || child.upper[low.size()].kind == Kind::kMinValue;
      if (order < 0 || (order == 0 && (whole || low_open))) continue;
    }
    if (!high.empty()) {
      const int order = compare_to_key(child.values, high);
      if (order > 0 || (order == 0 && high_open)) continue;
    }
    out[i] = true;
    const bool adjoins = last != nullptr ? compare(last->upper, child.values) == 0
                                         : low.empty() ? child.values[0].kind == Kind::kMinValue : compare_to_key(child.values, low) <= 0;
    covered = covered && adjoins;
    last = &child;
  }
  if (default_ < 0) return;
  if (last == nullptr) covered = false;
  else if (high.empty()) covered = covered && last->upper[0].kind == Kind::kMaxValue;
  else covered = covered && (compare_to_key(last->upper, high) > 0 || (high_open && compare_to_key(last->upper, high) == 0));
  // A row with a null in its key is in the default partition, whatever the other parts say.
  const bool no_nulls = equal == parts_.size() || (parts_.size() == 1 && !terms.empty());
  if (!covered || !no_nulls) out[static_cast<std::size_t>(default_)] = true;
}

void Partitioning::prune_hash(std::span<const PartitionTerm> terms, std::vector<bool>& out) const {
  std::vector<Value> key(parts_.size());
  for (std::uint16_t part = 0; part < parts_.size(); ++part) {
    const PartitionTerm* known = nullptr;
    for (const PartitionTerm& term : terms)
      if (term.part == part && (term.test == Test::kEqual || term.test == Test::kIsNull || (term.test == Test::kAny && parts_.size() == 1))) known = &term;
    if (known == nullptr) {
      std::fill(out.begin(), out.end(), true);
      return;
    }
    if (known->test == Test::kAny) {
      for (const Value& value : known->values)
        if (const int child = find({&value, 1}); child >= 0) out[static_cast<std::size_t>(child)] = true;
      return;
    }
    key[part] = known->test == Test::kIsNull ? Value::null() : known->values[0];
  }
  if (const int child = find(key); child >= 0) out[static_cast<std::size_t>(child)] = true;
}

std::vector<bool> Partitioning::prune(std::span<const PartitionTerm> terms) const {
  std::vector<bool> out(children_.size(), false);
  // Nothing compares with null.
  for (const PartitionTerm& term : terms)
    for (const Value& value : term.values)
      if (value.is_null) return out;
  // x IN (1, 5): each value for itself, where there is an order.
  if (strategy_ == 'r')
    for (std::size_t i = 0; i < terms.size(); ++i) {
      if (terms[i].test != Test::kAny) continue;
      std::vector<PartitionTerm> one(terms.begin(), terms.end());
      for (const Value& value : terms[i].values) {
        one[i].test = Test::kEqual;
        one[i].values = {value};
        const std::vector<bool> more = prune(one);
        for (std::size_t c = 0; c < out.size(); ++c) out[c] = out[c] || more[c];
      }
      return out;
    }
  switch (strategy_) {
    case 'l': prune_list(terms, out); break;
    case 'r': prune_range(terms, out); break;
    default: prune_hash(terms, out);
  }
  return out;
}

// ---- Text ----

std::string datum_text(const BoundDatum& datum, Oid type) {
  switch (datum.kind) {
    case Kind::kNull: return "NULL";
    case Kind::kMinValue: return "MINVALUE";
    case Kind::kMaxValue: return "MAXVALUE";
    case Kind::kValue: break;
  }
  const std::string& text = datum.text;
  const bool digit = !text.empty() && text[0] >= '0' && text[0] <= '9';
  if (type == type_oid::kInt4 && digit) return text;
  if (type == type_oid::kNumeric && digit && text.find_first_of("eE.") != std::string::npos) return text;
  if (type == type_oid::kBool) return text == "t" || text == "true" ? "true" : "false";
  return quote_literal(text);
}

namespace {

std::string datum_list(const TableDef& parent, const std::vector<BoundDatum>& datums) {
  std::string out = "(";
  for (std::size_t i = 0; i < datums.size(); ++i)
    out += (i != 0 ? ", " : "") + datum_text(datums[i], parent.partition_key[parent.partition_strategy == 'l' ? 0 : i].type);
  return out + ")";
}

// Whether an expression reads like a call, so that it needs no parentheses.
bool reads_like_call(const std::string& text) {
  const std::size_t open = text.find('(');
  if (open == std::string::npos || open == 0 || text.back() != ')') return false;
  for (const char c : text.substr(0, open))
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.')) return false;
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    else if (text[i] == ')' && --depth == 0 && i + 1 < text.size()) return false;
  }
  return true;
}

}  // namespace

std::string bound_text(const TableDef& parent, const PartitionBound& bound) {
  if (bound.is_default) return "DEFAULT";
  switch (parent.partition_strategy) {
    case 'l': return "FOR VALUES IN " + datum_list(parent, bound.values);
    case 'r': return "FOR VALUES FROM " + datum_list(parent, bound.values) + " TO " + datum_list(parent, bound.upper);
    default: return "FOR VALUES WITH (modulus " + std::to_string(bound.modulus) + ", remainder " + std::to_string(bound.remainder) + ")";
  }
}

std::string partition_key_text(const TableDef& table, bool columns_only) {
  std::string list;
  for (const PartitionKeyPart& part : table.partition_key) {
    if (!list.empty()) list += ", ";
    if (part.column != kExpressionPart) list += quote_identifier(table.columns[part.column].name);
    else list += reads_like_call(part.expression) ? part.expression : "(" + part.expression + ")";
    if (columns_only) continue;
    if (!part.collation.empty()) list += " COLLATE " + shown_collation(part.collation);
    if (!part.opclass.empty()) list += " " + quote_identifier(part.opclass);
  }
  if (columns_only) return list;
  const char* word = table.partition_strategy == 'l' ? "LIST" : table.partition_strategy == 'r' ? "RANGE" : "HASH";
  return std::string(word) + " (" + list + ")";
}

}  // namespace wandian::sql
