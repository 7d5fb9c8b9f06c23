// EXPLAIN's text and json.
#include <algorithm>
#include <cstdio>

#include "sql/plan/explain.h"
#include "sql/plan/explain_tree.h"

namespace wandian::sql {

namespace {

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char text[200];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}
double whole_rows(double rows) { return rows < 0 ? 0 : rows; }

class TextPrinter {
 public:
  explicit TextPrinter(const ExplainOptions& options) : options_(options) {}

  std::vector<std::string> print(const ShownNode& root) {
    node(root, 0);
    if (options_.settings && !options_.settings->empty()) {
      std::string line = "Settings: ";
      for (const auto& [name, value] : *options_.settings) line += (line.size() > 10 ? ", " : "") + name + " = '" + value + "'";
      lines_.push_back(std::move(line));
    }
    if (options_.summary && options_.planning_ms) lines_.push_back(format("Planning Time: %.3f ms", *options_.planning_ms));
    if (options_.summary && options_.execution_ms) lines_.push_back(format("Execution Time: %.3f ms", *options_.execution_ms));
    return std::move(lines_);
  }

 private:
  std::string measures(const ShownNode& n) const {
    std::string out;
    if (options_.costs) out += format("  (cost=%.2f..%.2f rows=%.0f width=%d)", n.startup, n.total, whole_rows(n.rows), n.width);
    if (n.stats == nullptr) return out;
    if (n.stats->loops == 0) return out + " (never executed)";
    const auto loops = static_cast<double>(n.stats->loops);
    const auto count = static_cast<unsigned long long>(n.stats->loops);
    const double rows = static_cast<double>(n.stats->rows) / loops;
    if (!options_.timing) return out + format(" (actual rows=%.0f loops=%llu)", rows, count);
    return out + format(" (actual time=%.3f..%.3f rows=%.0f loops=%llu)", static_cast<double>(n.stats->first_nanoseconds) / loops / 1e6,
                        static_cast<double>(n.stats->nanoseconds) / loops / 1e6, rows, count);
  }
  // `indent`: of the line's arrow, or of the line where it has none.
  void node(const ShownNode& n, std::size_t indent) {
    if (!n.subplan.empty()) {
      lines_.push_back(std::string(indent, ' ') + n.subplan);
      indent += 2;
    }
    const bool arrow = !n.relationship.empty();
    lines_.push_back(std::string(indent, ' ') + (arrow ? "->  " : "") + n.title + measures(n));
    const std::size_t inside = indent + (arrow ? 6 : 2);
    for (const ShownDetail& detail : n.details) {
      if (!detail.in_text) continue;
      std::string text = detail.value.text;
      if (detail.value.kind == ShownValue::Kind::kList)
        for (std::size_t i = 0; i < detail.value.list.size(); ++i) text += (i != 0 ? ", " : "") + detail.value.list[i];
      lines_.push_back(std::string(inside, ' ') + detail.label + ": " + text);
    }
    for (const ShownNode& child : n.children) node(child, inside);
  }

  const ExplainOptions& options_;
  std::vector<std::string> lines_;
};

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\f': out += "\\f"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) out += format("\\u%04x", static_cast<unsigned>(c));
        else out += c;
    }
  }
  return out + "\"";
}

class JsonPrinter {
 public:
  explicit JsonPrinter(const ExplainOptions& options) : options_(options) {}

  std::string print(const ShownNode& root) {
    out_ = "[\n  {";
    key("Plan", 2);
    node(root, 2);
    if (options_.settings) {
      key("Settings", 2);
      out_ += "{";
      bool first = true;
      for (const auto& [name, value] : *options_.settings) {
        out_ += first ? "\n" : ",\n";
        first = false;
        out_ += std::string(6, ' ') + quoted(name) + ": " + quoted(value);
      }
      out_ += "\n    }";
    }
    if (options_.buffers) {
      key("Planning", 2);
      out_ += "{";
      fresh_ = true;
      add_buffers(3);
      out_ += "\n    }";
      fresh_ = false;
    }
    if (options_.summary && options_.planning_ms) raw("Planning Time", format("%.3f", *options_.planning_ms), 2);
    if (options_.analyze) {
      key("Triggers", 2);
      out_ += "[\n    ]";
    }
    if (options_.summary && options_.execution_ms) raw("Execution Time", format("%.3f", *options_.execution_ms), 2);
    return out_ + "\n  }\n]";
  }

 private:
  // In an object whose members stand at this depth.
  void key(std::string_view name, std::size_t depth) {
    out_ += fresh_ ? "\n" : ",\n";
    fresh_ = false;
    out_ += std::string(2 * depth, ' ') + quoted(name) + ": ";
  }
  void raw(std::string_view name, std::string_view value, std::size_t depth) {
    key(name, depth);
    out_ += value;
  }
  void value(std::string_view name, const ShownValue& shown, std::size_t depth) {
    if (shown.kind == ShownValue::Kind::kRaw) return raw(name, shown.text, depth);
    if (shown.kind == ShownValue::Kind::kText) return raw(name, quoted(shown.text), depth);
    std::string list = "[";
    for (std::size_t i = 0; i < shown.list.size(); ++i) list += (i != 0 ? ", " : "") + quoted(shown.list[i]);
    raw(name, list + "]", depth);
  }
  void add_buffers(std::size_t depth) {
    static constexpr const char* kNames[] = {"Shared Hit Blocks", "Shared Read Blocks", "Shared Dirtied Blocks", "Shared Written Blocks",
                                             "Local Hit Blocks", "Local Read Blocks", "Local Dirtied Blocks", "Local Written Blocks",
                                             "Temp Read Blocks", "Temp Written Blocks"};
    for (const char* name : kNames) raw(name, "0", depth);
  }

  void node(const ShownNode& n, std::size_t depth) {
    const std::size_t inside = depth + 1;
    out_ += "{";
    fresh_ = true;
    // What it is, what it is to the node above, and then what it works on.
    std::size_t own = 1;
    while (own < n.identity.size() && (n.identity[own].first == "Strategy" || n.identity[own].first == "Partial Mode" ||
                                       n.identity[own].first == "Operation" || n.identity[own].first == "Command"))
      ++own;
    for (std::size_t i = 0; i < own; ++i)
      if (n.identity[i].first != "Command") value(n.identity[i].first, n.identity[i].second, inside);
    if (!n.relationship.empty()) raw("Parent Relationship", quoted(n.relationship), inside);
    if (!n.subplan.empty()) raw("Subplan Name", quoted(n.subplan), inside);
    raw("Parallel Aware", "false", inside);
    raw("Async Capable", "false", inside);
    for (std::size_t i = 0; i < n.identity.size(); ++i)
      if (i >= own || n.identity[i].first == "Command") value(n.identity[i].first, n.identity[i].second, inside);
    if (!n.join_type.empty()) raw("Join Type", quoted(n.join_type), inside);
    if (options_.costs) {
      raw("Startup Cost", format("%.2f", n.startup), inside);
      raw("Total Cost", format("%.2f", n.total), inside);
      raw("Plan Rows", format("%.0f", whole_rows(n.rows)), inside);
      raw("Plan Width", std::to_string(n.width), inside);
    }
    if (n.stats != nullptr) actual(*n.stats, inside);
    for (const ShownDetail& detail : n.details) value(detail.label, detail.value, inside);
    if (options_.buffers) add_buffers(inside);
    if (!n.children.empty()) {
      key("Plans", inside);
      out_ += "[";
      for (std::size_t i = 0; i < n.children.size(); ++i) {
        out_ += std::string(i == 0 ? "\n" : ",\n") + std::string(2 * (inside + 1), ' ');
        node(n.children[i], inside + 1);
      }
      out_ += "\n" + std::string(2 * inside, ' ') + "]";
    }
    out_ += "\n" + std::string(2 * depth, ' ') + "}";
    fresh_ = false;
  }
  void actual(const NodeStats& stats, std::size_t depth) {
    const double loops = std::max(1.0, static_cast<double>(stats.loops));
    if (options_.timing) {
      raw("Actual Startup Time", format("%.3f", static_cast<double>(stats.first_nanoseconds) / loops / 1e6), depth);
      raw("Actual Total Time", format("%.3f", static_cast<double>(stats.nanoseconds) / loops / 1e6), depth);
    }
    raw("Actual Rows", format("%.0f", static_cast<double>(stats.rows) / loops), depth);
    raw("Actual Loops", std::to_string(stats.loops), depth);
  }

  const ExplainOptions& options_;
  std::string out_;
  bool fresh_ = true;   // the object being written has no member yet
};

}  // namespace

std::vector<std::string> explain_tree(const Plan& plan, const ExplainOptions& options, const std::vector<NodeStats>& stats) {
  const ShownNode root = shown_tree(plan, stats);
  if (options.json) return {JsonPrinter(options).print(root)};
  return TextPrinter(options).print(root);
}

}  // namespace wandian::sql
