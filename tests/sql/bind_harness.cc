#include "tests/sql/bind_harness.h"

#include "sql/expr/expression.h"
#include "sql/types/text_io.h"

namespace wandian::sql::test {

using namespace type_oid;

namespace {

struct Column {
  const char* name;
  Oid type;
  std::int32_t typmod = -1;
  bool not_null = false;
  const char* fallback = "";
  char identity = 0;
};

std::shared_ptr<TableDef> make_table(Oid oid, std::string name, std::vector<Column> columns, std::vector<std::uint16_t> key) {
  auto table = std::make_shared<TableDef>();
  table->oid = oid;
  table->schema = kPublicSchema;
  table->name = std::move(name);
  table->storage_id = oid;
  for (const Column& column : columns) {
    ColumnDef def;
    def.name = column.name;
    def.type = column.type;
    def.typmod = column.typmod;
    def.not_null = column.not_null;
    def.default_expression = column.fallback;
    def.identity = column.identity;
    table->columns.push_back(std::move(def));
  }
  IndexDef primary;
  primary.oid = oid + 1;
  primary.unique = true;
  primary.name = table->name + "_pkey";
  if (key.empty()) {
    table->hidden_row_number = true;
    primary.parts.push_back({static_cast<std::uint16_t>(table->columns.size()), false, false});
    primary.primary = true;
  } else {
    for (const std::uint16_t column : key) primary.parts.push_back({column, false, false});
    primary.primary = true;
    primary.constraint = oid + 2;
  }
  primary.key_parts = static_cast<std::uint16_t>(primary.parts.size());
  table->indexes.push_back(std::move(primary));
  return table;
}

CatalogChange table_change(std::shared_ptr<TableDef> table) {
  CatalogChange change;
  change.kind = ObjectKind::kTable;
  change.oid = table->oid;
  change.table = std::move(table);
  return change;
}

CatalogChange sequence_change(Oid oid, std::string name, Oid table, std::uint16_t column) {
  CatalogChange change;
  change.kind = ObjectKind::kSequence;
  change.oid = oid;
  change.sequence = std::make_shared<SequenceDef>();
  change.sequence->oid = oid;
  change.sequence->schema = kPublicSchema;
  change.sequence->name = std::move(name);
  change.sequence->owned_by_table = table;
  change.sequence->owned_by_column = column;
  change.sequence->owned_kind = 'i';
  return change;
}

class OneProcedure : public ProcedureLookup {
 public:
  void find_procedures(const Catalog&, Oid schema, std::string_view name, std::vector<ProcedureSignature>* out) const override {
    if (schema != kPublicSchema) return;
    if (name == "place_order") out->push_back({7, {kInt4, kInt8, 1007}, kInt8, nullptr});
    if (name == "restock") out->push_back({8, {kInt4, kInt4}, kVoid, nullptr});
  }
};

}  // namespace

std::string error_text(const Status& status) {
  const ErrorRecord& error = status.error();
  std::string out = std::string(error.code.text()) + " " + error.message;
  if (error.position > 0) out += " @" + std::to_string(error.position);
  return out;
}

BindWorld::BindWorld() : eval_{arena_, format_}, procedures_(std::make_unique<OneProcedure>()) {
  context_.catalog = CatalogEditor::initial();
  std::vector<CatalogChange> changes;
  CatalogChange schema;
  schema.kind = ObjectKind::kSchema;
  schema.oid = kPublicSchema;
  schema.schema = std::make_shared<SchemaDef>();
  schema.schema->oid = kPublicSchema;
  schema.schema->name = "public";
  changes.push_back(std::move(schema));
  changes.push_back(table_change(make_table(17000, "stores",
                                            {{"store_id", kInt4, -1, true},
                                             {"region", kText, -1, true},
                                             {"name", kVarchar, 44},
                                             {"opened", kDate},
                                             {"score", kFloat8},
                                             {"tags", 1009}},
                                            {0})));
  changes.push_back(table_change(make_table(17010, "orders",
                                            {{"store_id", kInt4, -1, true},
                                             {"order_id", kInt8, -1, true},
                                             {"customer", kInt8},
                                             {"total", kNumeric, ((12 << 16) | 2) + 4, true, "0"},
                                             {"status", kVarchar, 14, false, "'new'::character varying"},
                                             {"placed", kTimestamptz, -1, false, "now()"},
                                             {"note", kText},
                                             {"paid", kBool}},
                                            {0, 1})));
  changes.push_back(table_change(make_table(17020, "menu",
                                            {{"sku", kInt4, -1, true},
                                             {"title", kText},
                                             {"price", kNumeric, ((10 << 16) | 2) + 4},
                                             {"weight", kFloat4},
                                             {"small", kInt2},
                                             {"data", kJsonb},
                                             {"raw", kJson},
                                             {"u", kUuid},
                                             {"iv", kInterval}},
                                            {0})));
  changes.push_back(table_change(make_table(17030, "gen",
                                            {{"id", kInt8, -1, true, "", 'a'}, {"did", kInt4, -1, true, "", 'd'}, {"v", kText}}, {})));
  changes.push_back(sequence_change(17035, "gen_id_seq", 17030, 0));
  changes.push_back(sequence_change(17036, "gen_did_seq", 17030, 1));
  changes.push_back(table_change(make_table(17040, "bare", {{"a", kInt4}, {"b", kText}}, {})));
  apply(std::move(changes));
  context_.search_path = {kPgCatalogSchema, kPublicSchema};
  context_.procedures = procedures_.get();
  context_.eval = &eval_;
}

void BindWorld::apply(std::vector<CatalogChange> changes) {
  auto next = CatalogEditor::apply(*context_.catalog, changes, nullptr);
  if (!next.ok()) std::abort();
  context_.catalog = next.take();
}

void BindWorld::add_view(std::string_view name, std::string_view select, std::span<const std::string> aliases) {
  auto parsed = ParsedStatements::parse(select);
  auto definition = define_view(parsed->statements()[0].node, select, aliases, context_);
  if (!definition.ok()) std::abort();
  CatalogChange change;
  change.kind = ObjectKind::kView;
  change.oid = next_oid_++;
  change.object = std::make_shared<ObjectDef>();
  change.object->kind = ObjectKind::kView;
  change.object->oid = change.oid;
  change.object->parent = kPublicSchema;
  change.object->name = name;
  change.object->definition = definition->encode();
  apply({change});
}

Result<std::shared_ptr<const BoundStatement>> BindWorld::bind(std::string_view text, std::span<const Oid> parameters) {
  WANDIAN_ASSIGN(const ParsedStatements parsed, ParsedStatements::parse(text));
  if (parsed.statements().empty()) return Status{sqlstate::syntax_error, "no statement"};
  return bind_statement(parsed.statements()[0].node, parsed.text(), context_, parameters);
}

std::string BindWorld::describe(std::string_view text, std::span<const Oid> parameters) {
  auto bound = bind(text, parameters);
  if (!bound.ok()) return error_text(bound.status());
  std::string out;
  for (const TargetEntry& column : (*bound)->result_columns()) {
    if (!out.empty()) out += ", ";
    out += std::string(column.name) + ":" + format_type(column.expr->type, column.expr->typmod);
  }
  return out;
}

std::string BindWorld::parameters(std::string_view text) {
  auto bound = bind(text);
  if (!bound.ok()) return error_text(bound.status());
  std::string out;
  for (const Oid type : (*bound)->parameter_types) out += (out.empty() ? "" : ", ") + format_type(type, -1);
  return out;
}

std::string BindWorld::value(std::string_view text) {
  auto bound = bind(text);
  if (!bound.ok()) return error_text(bound.status());
  const Expr* expr = (*bound)->query->targets[0].expr;
  Result<Value> result = evaluate_constant(*expr, eval_);
  if (!result.ok()) return error_text(result.status());
  if (result->is_null) return "NULL";
  std::string out;
  if (!append_text(eval_, expr->type, result.value(), out)) return error_text(eval_.error);
  return out;
}

}  // namespace wandian::sql::test
