// The condition that a partition's bound makes, as PostgreSQL writes it.
#include <algorithm>

#include "sql/ddl/partition.h"
#include "sql/functions/quote.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

using Kind = BoundDatum::Kind;

namespace {

class ConditionWriter {
 public:
  ConditionWriter(const Catalog& catalog, const TableDef& parent, const TableDef& table) : catalog_(catalog), parent_(parent), map_(parent, table), table_(table) {}

  /// Conditions that hold together; none: nothing is said.
  std::vector<std::string> write(const PartitionBound& bound) const {
    if (bound.is_default) {
      std::string all = default_condition();
      return all.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(all)};
    }
    switch (parent_.partition_strategy) {
      case 'l': return list(bound.values);
      case 'r': return range(bound, true);
      default: break;
    }
    std::string out = "satisfies_hash_partition('" + std::to_string(parent_.oid) + "'::oid, " + std::to_string(bound.modulus) + ", " + std::to_string(bound.remainder);
    for (std::size_t i = 0; i < parent_.partition_key.size(); ++i) out += ", " + key(i);
    return {out + ")"};
  }

 private:
  std::string key(std::size_t i) const {
    const PartitionKeyPart& part = parent_.partition_key[i];
    if (part.column == kExpressionPart) return "(" + part.expression + ")";
    return quote_identifier(table_.columns[map_[part.column]].name);
  }
  std::string constant(std::size_t i, const BoundDatum& datum) const {
    const PartitionKeyPart& part = parent_.partition_key[i];
    const std::string text = datum_text(datum, part.type);
    if (part.type == type_oid::kInt4 && text[0] != '\'') return text;
    if (part.type == type_oid::kBool) return text;
    const std::string& collation = part.collation.empty() && part.column != kExpressionPart ? parent_.columns[part.column].collation : part.collation;
    return text + "::" + format_type(part.type, part.typmod) + (collation.empty() ? "" : " COLLATE " + quote_identifier(collation));
  }
  static std::string join(const std::vector<std::string>& parts, const char* word) {
    if (parts.size() == 1) return parts[0];
    std::string out = "(";
    for (std::size_t i = 0; i < parts.size(); ++i) out += (i != 0 ? std::string(word) : std::string()) + parts[i];
    return out + ")";
  }

  std::vector<std::string> list(const std::vector<BoundDatum>& values) const {
    bool null = false;
    std::vector<std::string> listed;
    for (const BoundDatum& datum : values) {
      if (datum.kind == Kind::kNull) null = true;
      else listed.push_back(constant(0, datum));
    }
    std::string equal;
    if (listed.size() == 1) {
      equal = "(" + key(0) + " = " + listed[0] + ")";
    } else if (!listed.empty()) {
      equal = "(" + key(0) + " = ANY (ARRAY[";
      for (std::size_t i = 0; i < listed.size(); ++i) equal += (i != 0 ? ", " : "") + listed[i];
      equal += "]))";
    }
    const std::string test = "(" + key(0) + (null ? " IS NULL)" : " IS NOT NULL)");
    if (equal.empty()) return {test};
    if (null) return {"(" + test + " OR " + equal + ")"};
    return {test, equal};
  }

  std::string compare(std::size_t i, const char* op, const BoundDatum& datum) const { return "(" + key(i) + " " + op + " " + constant(i, datum) + ")"; }

  std::string arms(std::size_t first, const std::vector<BoundDatum>& side, bool lower) const {
    const std::size_t count = side.size() - first;
    std::vector<std::string> out;
    for (std::size_t arm = 0; arm < count; ++arm) {
      std::vector<std::string> terms;
      for (std::size_t j = first; j <= first + arm && side[j].kind == Kind::kValue; ++j) {
        const BoundDatum* next = j + 1 < side.size() ? &side[j + 1] : nullptr;
        const char* op = "=";
        if (j == first + arm) {
          const bool closed = lower ? arm == count - 1 || (next != nullptr && next->kind == Kind::kMinValue) : next != nullptr && next->kind == Kind::kMaxValue;
          op = lower ? (closed ? ">=" : ">") : closed ? "<=" : "<";
        }
        terms.push_back(compare(j, op, side[j]));
      }
      if (terms.empty()) break;
      out.push_back(join(terms, " AND "));
      const std::size_t last = first + arm;
      if (last + 1 >= side.size() || side[last].kind != Kind::kValue || side[last + 1].kind != Kind::kValue) break;
    }
    return out.empty() ? std::string() : join(out, " OR ");
  }

  std::vector<std::string> range(const PartitionBound& bound, bool with_nulls) const {
    std::vector<std::string> parts;
    if (with_nulls)
      for (std::size_t i = 0; i < bound.values.size(); ++i) parts.push_back("(" + key(i) + " IS NOT NULL)");
    std::size_t first = 0;
    for (; first + 1 < bound.values.size() && bound.values[first].kind == Kind::kValue && bound.values[first] == bound.upper[first]; ++first)
      parts.push_back(compare(first, "=", bound.values[first]));
    for (const bool lower : {true, false})
      if (std::string side = arms(first, lower ? bound.values : bound.upper, lower); !side.empty()) parts.push_back(std::move(side));
    return parts;
  }

  std::string default_condition() const {
    if (parent_.partition_strategy == 'l') {
      // In the order of the values.
      std::vector<BoundDatum> all;
      const Partitioning& partitioning = *partitioning_of(parent_);
      for (const auto& [value, child] : partitioning.listed()) {
        const Partitioning::Child& of = partitioning.children()[child];
        const auto bound = catalog_.table(of.table)->bound.values;
        for (std::size_t i = 0; i < bound.size(); ++i)
          if (of.values[i].kind == Kind::kValue && partitioning.compare_values_of(0, of.values[i].value, value) == 0) all.push_back(bound[i]);
      }
      if (partitioning.null_child() >= 0) all.push_back({Kind::kNull, {}});
      if (all.empty()) return {};
      return "(NOT " + join(list(all), " AND ") + ")";
    }
    std::vector<std::string> ranges;
    const Partitioning& partitioning = *partitioning_of(parent_);
    for (const std::uint32_t child : partitioning.ranges()) {
      const std::vector<std::string> one = range(catalog_.table(partitioning.children()[child].table)->bound, false);
      ranges.push_back(one.empty() ? std::string("true") : join(one, " AND "));
    }
    if (ranges.empty()) return {};
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < parent_.partition_key.size(); ++i) parts.push_back("(" + key(i) + " IS NOT NULL)");
    parts.push_back(join(ranges, " OR "));
    return "(NOT " + join(parts, " AND ") + ")";
  }

  const Catalog& catalog_;
  const TableDef& parent_;
  const ColumnMap map_;
  const TableDef& table_;
};

}  // namespace

std::string partition_condition(const Catalog& catalog, const TableDef& table) {
  std::vector<std::string> levels;
  for (const TableDef* at = &table; at->partition_of != 0;) {
    const std::shared_ptr<const TableDef> parent = catalog.table(at->partition_of);
    if (parent == nullptr) break;
    const std::vector<std::string> one = ConditionWriter(catalog, *parent, table).write(at->bound);
    levels.insert(levels.begin(), one.begin(), one.end());
    at = parent.get();
  }
  std::string out;
  for (const std::string& level : levels) out += (out.empty() ? "" : " AND ") + level;
  return out;
}

}  // namespace wandian::sql
