#include "sql/index_expressions.h"

#include <algorithm>

#include "sql/expr/deparse.h"
#include "sql/expr/tree.h"
#include "sql/functions/quote.h"
#include "sql/functions/session_hooks.h"

namespace wandian::sql {

namespace {

const FormatSettings& plain_format() {
  static const FormatSettings settings;
  return settings;
}

Status bind_for(const TableDef& table, const BindContext& context, std::span<const StandaloneColumn> columns, const std::string& text,
                StandaloneUse use, BoundExpression* out, RoutineCalls calls = RoutineCalls::kInlined, bool folded = true) {
  StandaloneOptions options;
  options.calls = calls;
  options.use = use;
  options.table_name = table.name;
  options.columns = columns;
  options.fold = folded;
  WANDIAN_ASSIGN(*out, bind_standalone_expression(text, context, options));
  return {};
}

// How queries show what was written with calls, if its functions are still those whose bodies the index was made with. Where one has been
// replaced, entries stay what they were, and queries that mean the new function do not find the index.
void bind_in_queries(const TableDef& table, const BindContext& context, std::span<const StandaloneColumn> columns, const std::string& written,
                     const std::string& stored, StandaloneUse use, BoundExpression* out, std::vector<Oid>* called) {
  if (written.empty()) return;
  BoundExpression shown, now, matched;
  if (!bind_for(table, context, columns, written, use, &shown, RoutineCalls::kShown, false).ok()) return;
  for (const std::shared_ptr<const ObjectDef>& object : shown.objects)
    if (object->kind == ObjectKind::kFunction) called->push_back(object->oid);
  if (!bind_for(table, context, columns, written, use, &now, RoutineCalls::kExpanded, false).ok()) return;
  if (deparse(now.expr, {column_names(table), nullptr, false}) != stored) return;
  if (bind_for(table, context, columns, written, use, &matched, RoutineCalls::kMatched).ok()) *out = std::move(matched);
}

void add_columns(const Expr* expr, std::vector<std::uint16_t>& out) {
  for (const ColumnUse& use : collect_columns(expr)) out.push_back(static_cast<std::uint16_t>(use.column));
}

}  // namespace

Result<std::shared_ptr<const CompiledIndexKeys>> CompiledIndexKeys::compile(const TableDef& table, const BindContext& context) {
  auto out = std::make_shared<CompiledIndexKeys>();
  const std::vector<StandaloneColumn> columns = standalone_columns(table);
  CompileOptions slots;
  slots.columns_are_slots = true;
  for (const IndexDef& def : table.indexes) {
    Index& index = out->indexes_.emplace_back();
    index.computed = def.computed();
    if (!index.computed) continue;
    for (std::size_t p = 0; p < def.key_parts; ++p) {
      Part& part = index.parts.emplace_back();
      part.column = def.parts[p].column;
      if (def.inverted()) index.classes.push_back(inverted_class(def.parts[p], key_part_type(table, def.parts[p])));
      if (part.column != kExpressionPart) {
        index.columns.push_back(part.column);
        continue;
      }
      WANDIAN_TRY(bind_for(table, context, columns, def.parts[p].expression, StandaloneUse::kIndex, &part.bound));
      WANDIAN_ASSIGN(part.code, sql::compile(*part.bound.expr, out->code_arena_, slots));
      add_columns(part.bound.expr, index.columns);
      bind_in_queries(table, context, columns, def.parts[p].written, def.parts[p].expression, StandaloneUse::kIndex, &part.in_queries, &out->called_);
    }
    if (!def.predicate.empty()) {
      WANDIAN_TRY(bind_for(table, context, columns, def.predicate, StandaloneUse::kIndexPredicate, &index.predicate));
      WANDIAN_ASSIGN(index.predicate_code, sql::compile(*index.predicate.expr, out->code_arena_, slots));
      add_columns(index.predicate.expr, index.columns);
      bind_in_queries(table, context, columns, def.written_predicate, def.predicate, StandaloneUse::kIndexPredicate, &index.predicate_in_queries, &out->called_);
    }
    std::sort(index.columns.begin(), index.columns.end());
    index.columns.erase(std::unique(index.columns.begin(), index.columns.end()), index.columns.end());
  }
  return std::shared_ptr<const CompiledIndexKeys>(std::move(out));
}

Status CompiledIndexKeys::evaluate(unsigned number, const Value* row, Arena& arena, std::vector<Value>& parts) const {
  const Index& index = indexes_[number];
  EvalContext context{arena, plain_format(), nullptr, 0, 0, {}};
  ExprInput input;
  input.columns = row;
  if (index.predicate_code) {
    bool holds = false;
    if (!index.predicate_code.test(context, input, &holds)) return std::move(context.error);
    if (!holds) return {};
  }
  for (std::size_t i = 0; i < index.parts.size(); ++i) {
    const Part& part = index.parts[i];
    Value value;
    if (part.column != kExpressionPart) value = row[part.column];
    else if (!part.code.eval(context, input, &value)) return std::move(context.error);
    if (index.classes.empty()) parts.push_back(value);
    else if (!value.is_null) WANDIAN_TRY(append_elements(index.classes[i], static_cast<std::uint8_t>(i), value, arena, parts));
  }
  if (!index.classes.empty()) sort_elements(parts);
  return {};
}

BindContext definition_context(const Catalog& catalog, const TableDef& table) {
  BindContext context;
  context.catalog = catalog.weak_from_this().lock();
  // Not owned by a shared pointer: it outlives the call all the same.
  if (context.catalog == nullptr) context.catalog = std::shared_ptr<const Catalog>(std::shared_ptr<const void>(), &catalog);
  context.search_path = {kPgCatalogSchema, table.schema};
  if (const std::shared_ptr<const SchemaDef> schema = catalog.schema(table.schema)) context.database = schema->database;
  return context;
}

namespace {

// Whether an expression reads like a call, so that it needs no parentheses around it in an index's definition.
bool looks_like_call(std::string_view text) {
  if (text.starts_with('(') && text.find(" AT TIME ZONE ") != std::string_view::npos) {   // a call in SQL's own words
    int depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '(') ++depth;
      else if (text[i] == ')') --depth;
      else if (depth == 1 && text.substr(i).starts_with(" AT TIME ZONE ")) return true;
    }
  }
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || open == 0 || text.back() != ')') return false;
  for (const char c : text.substr(0, open))
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '"')) return false;
  // The parenthesis that opens there closes at the end.
  int depth = 0;
  char quote = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) quote = c == quote ? 0 : quote;
    else if (c == '\'' || c == '"') quote = c;
    else if (c == '(') ++depth;
    else if (c == ')' && --depth == 0 && i + 1 < text.size()) return false;
  }
  const std::string_view name = text.substr(0, open);
  return name != "ROW" && name != "EXTRACT" ? true : name == "EXTRACT";
}

}  // namespace

std::string index_expression_text(std::string text) { return looks_like_call(text) ? std::move(text) : "(" + text + ")"; }

std::string key_part_names(const TableDef& table, const IndexDef& index, SessionHooks* session) {
  std::string out;
  for (std::size_t i = 0; i < index.key_parts && i < index.parts.size(); ++i) {
    const IndexPart& part = index.parts[i];
    if (i != 0) out += ", ";
    if (part.column != kExpressionPart) {
      out += quote_identifier(table.columns[part.column].name);
      continue;
    }
    std::optional<std::string> shown = session != nullptr ? session->expression_text(part.shown(), table.oid, true) : std::nullopt;
    out += index_expression_text(shown ? *std::move(shown) : part.shown());
  }
  return out;
}

Oid key_part_type(const TableDef& table, const IndexPart& part) {
  return part.column == kExpressionPart ? part.type : table.columns[part.column].type;
}

Status key_part_values(const TableDef& table, std::size_t number, std::span<const Value> row, Arena& arena, std::vector<Value>* out) {
  out->clear();
  const IndexDef& index = table.indexes[number];
  if (table.is_computed(static_cast<unsigned>(number))) return table.index_keys->evaluate(static_cast<unsigned>(number), row.data(), arena, *out);
  for (std::size_t i = 0; i < index.key_parts; ++i) out->push_back(row[index.parts[i].column]);
  return {};
}

}  // namespace wandian::sql
