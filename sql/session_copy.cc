// COPY from and to the client and the server's files.
#include <algorithm>
#include <utility>

#include "engine/table.h"
#include "sql/catalog/stored_objects.h"
#include "sql/copy/copy_file.h"
#include "sql/partition/tree.h"
#include "sql/copy/copy_in.h"
#include "sql/copy/copy_options.h"
#include "sql/copy/copy_parser.h"
#include "sql/copy/copy_writer.h"
#include "sql/expr/call_journal.h"
#include "sql/expr/expression.h"
#include "sql/expr/domain_value.h"
#include "sql/expr/tree.h"
#include "sql/functions/quote.h"
#include "sql/messages.h"
#include "sql/session_portal.h"
#include "sql/session_receiver.h"
#include "sql/session_wait.h"
#include "sql/types/encoding.h"
#include "sql/types/text_io.h"

namespace wandian::sql {

namespace {

// Rows that go to their owners together: enough to share the messages, few enough for a turn.
constexpr std::size_t kBatchRows = 256;
constexpr std::int64_t kTurnMicros = 500;
constexpr std::size_t kShownFieldBytes = 100;


std::string shortened(std::string_view text) {
  if (text.size() <= kShownFieldBytes) return std::string(text);
  std::size_t cut = kShownFieldBytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return std::string(text.substr(0, cut)) + "...";
}

// The columns that the statement lists, or all of them, as positions in the table.
Result<std::vector<std::uint16_t>> copy_columns(const PgQuery__CopyStmt& copy, const TableDef& table) {
  std::vector<std::uint16_t> out;
  if (copy.n_attlist == 0) {
    for (std::size_t i = 0; i < table.columns.size(); ++i)
      if (!table.columns[i].dropped && table.columns[i].generated == 0) out.push_back(static_cast<std::uint16_t>(i));
    return out;
  }
  for (std::size_t i = 0; i < copy.n_attlist; ++i) {
    const std::string_view name = string_value(copy.attlist[i]);
    const int column = table.find_column(name);
    if (column < 0) return undefined_column(name, table.name);
    if (table.columns[static_cast<std::size_t>(column)].generated != 0)
      return Status{sqlstate::invalid_column_reference, "column \"" + std::string(name) + "\" is a generated column"}.with_detail(
          "Generated columns cannot be used in COPY.");
    if (std::find(out.begin(), out.end(), column) != out.end())
      return Status{sqlstate::duplicate_column, "column \"" + std::string(name) + "\" specified more than once"};
    out.push_back(static_cast<std::uint16_t>(column));
  }
  return out;
}

// FORCE_QUOTE and its like by position in the column list. `table` is null for a query's columns.
Status force_columns(const std::vector<std::string>& names, std::string_view option, const TableDef* table,
                     std::span<const std::string> columns, std::vector<bool>* out) {
  out->assign(columns.size(), false);
  for (const std::string& name : names) {
    if (table != nullptr && table->find_column(name) < 0) return undefined_column(name, table->name);
    const auto found = std::find(columns.begin(), columns.end(), name);
    if (found == columns.end())
      return Status{sqlstate::invalid_column_reference, std::string(option) + " column \"" + name + "\" not referenced by COPY"};
    (*out)[static_cast<std::size_t>(found - columns.begin())] = true;
  }
  return {};
}

}  // namespace

Poll SessionImpl::copy_data(std::string_view bytes) {
  return call([&] {
    if (copy_in_ == nullptr || parked_ != Parked::kCopyData) return poll_operation();
    copy_in_->event = CopyIn::Event::kData;
    copy_in_->bytes = bytes;
    parked_ = Parked::kNone;
    std::exchange(parked_handle_, {}).resume();
    return poll_operation();
  });
}

Poll SessionImpl::copy_done() {
  return call([&] {
    if (copy_in_ == nullptr || parked_ != Parked::kCopyData) return poll_operation();
    copy_in_->event = CopyIn::Event::kDone;
    parked_ = Parked::kNone;
    std::exchange(parked_handle_, {}).resume();
    return poll_operation();
  });
}

Poll SessionImpl::copy_fail(std::string_view message) {
  return call([&] {
    if (copy_in_ == nullptr || parked_ != Parked::kCopyData) return poll_operation();
    copy_in_->event = CopyIn::Event::kFail;
    copy_in_->message = message;
    parked_ = Parked::kNone;
    std::exchange(parked_handle_, {}).resume();
    return poll_operation();
  });
}

Task<Status> SessionImpl::run_copy(Portal& portal, std::string* tag) {
  const CompiledPtr statement = portal.statement;
  const PgQuery__CopyStmt& copy = *statement->node()->copy_stmt;
  if (copy.is_program != 0) co_return Status{sqlstate::feature_not_supported, "COPY to or from an external program is not supported"};
  if (!text_or_empty(copy.filename).empty() && !superuser_) {
    const char* const what = copy.is_from != 0 ? "must be superuser or have privileges of the pg_read_server_files role to COPY from a file"
                                               : "must be superuser or have privileges of the pg_write_server_files role to COPY to a file";
    co_return Status{sqlstate::insufficient_privilege, what}.with_hint(
        "Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone.");
  }
  Result<CopyOptions> options = read_copy_options(copy, statement->text());
  if (!options.ok()) co_return options.take_status();
  if (copy.is_from != 0) co_return co_await copy_from(*statement, copy, options.value(), tag);
  co_return co_await copy_to(*statement, copy, options.value(), tag);
}

// ---- TO ----

Task<Status> SessionImpl::copy_to(const CompiledStatement& statement, const PgQuery__CopyStmt& copy, const CopyOptions& options,
                                  std::string* tag) {
  CompiledPtr source;
  if (copy.query != nullptr) {
    Result<CompiledPtr> compiled = compile(statement.parsed, statement.index, copy.query, {});
    if (!compiled.ok()) co_return compiled.take_status();
    source = compiled.take();
    if (source->plan == nullptr) co_return Status{sqlstate::feature_not_supported, "COPY query must have a plan"};
    if (!source->returns_rows) co_return Status{sqlstate::feature_not_supported, "COPY query must have a RETURNING clause"};
  } else {
    const std::string_view schema = text_or_empty(copy.relation->schemaname), name = text_or_empty(copy.relation->relname);
    WANDIAN_CO_TRY(check_named_schema(schema));
    const std::optional<FoundRelation> found = find_relation(bind_context(), schema, name);
    if (!found) co_return undefined_relation(schema, name);
    const auto cannot = [&](std::string_view kind) {
      return Status{sqlstate::wrong_object_type, "cannot copy from " + std::string(kind) + " \"" + std::string(name) + "\""};
    };
    if (found->kind == FoundRelation::Kind::kView) co_return cannot("view").with_hint("Try the COPY (SELECT ...) TO variant.");
    if (found->kind == FoundRelation::Kind::kSequence) co_return cannot("sequence");
    if (found->kind == FoundRelation::Kind::kIndex) co_return cannot("index");
    std::string text = "SELECT ";
    if (found->kind == FoundRelation::Kind::kTable) {
      const std::shared_ptr<const TableDef> table = catalog()->table(found->oid);
      if (table->is_partitioned()) co_return cannot("partitioned table").with_hint("Try the COPY (SELECT ...) TO variant.");
      if (table->is_materialized_view()) co_return cannot("materialized view").with_hint("Try the COPY (SELECT ...) TO variant.");
      Result<std::vector<std::uint16_t>> columns = copy_columns(copy, *table);
      if (!columns.ok()) co_return columns.take_status();
      for (std::size_t i = 0; i < columns.value().size(); ++i)
        text += (i == 0 ? "" : ", ") + quote_identifier(table->columns[columns.value()[i]].name);
    } else {
      for (std::size_t i = 0; i < copy.n_attlist; ++i) text += (i == 0 ? "" : ", ") + quote_identifier(string_value(copy.attlist[i]));
      if (copy.n_attlist == 0) text += "*";
    }
    text += " FROM " + (schema.empty() ? "" : quote_identifier(schema) + ".") + quote_identifier(name);
    Result<CompiledPtr> compiled = compile_text(text, {});
    if (!compiled.ok()) co_return compiled.take_status();
    source = compiled.take();
  }
  WANDIAN_CO_TRY(co_await lock_and_begin(&source, false));
  WANDIAN_CO_TRY(check_may_run(*source));
  std::vector<std::string> names;
  for (const ResultColumn& column : source->columns) names.push_back(column.name);
  std::vector<bool> force;
  WANDIAN_CO_TRY(force_columns(options.force_quote, "FORCE_QUOTE", nullptr, names, &force));
  if (options.force_quote_all) force.assign(names.size(), true);
  const std::string_view path = text_or_empty(copy.filename);
  CopyFile file;
  if (!path.empty()) {
    Result<CopyFile> opened = CopyFile::open_to_write(std::string(path));
    if (!opened.ok()) co_return opened.take_status();
    file = opened.take();
  }
  CopyFileSink file_sink(file);
  SessionSink& sink = path.empty() ? static_cast<SessionSink&>(*sink_) : file_sink;
  const std::unique_ptr<Execution> execution = Execution::create(source->plan, execution_env(), {});
  sink.copy_out_response(options.format == CopyFormat::kBinary ? Format::kBinary : Format::kText,
                         static_cast<std::uint16_t>(names.size()));
  CopyWriter writer(sink, options, source->columns, std::move(force), settings_.decoded().format, this);
  CopyFileReceiver into_file(writer, file_sink);
  RowReceiver& receiver = path.empty() ? static_cast<RowReceiver&>(writer) : into_file;
  WANDIAN_CO_TRY(writer.begin());
  std::uint64_t rows = 0;
  bool finished = false;
  Status status = co_await run_execution(*execution, 0, receiver, &rows, &finished);
  transaction_.end_statement();
  WANDIAN_CO_TRY(std::move(status));
  writer.end();
  sink.copy_done();
  if (!path.empty()) {
    WANDIAN_CO_TRY(file_sink.flush());
    WANDIAN_CO_TRY(file.close());
  }
  *tag = "COPY " + std::to_string(rows);
  co_return Status{};
}

// ---- FROM ----

/// One COPY ... FROM: parses, converts, filters, and hands batches on.
class CopyRunner {
 public:
  CopyRunner(SessionImpl& session, std::shared_ptr<const TableDef> table, std::vector<std::uint16_t> columns, const CopyOptions& options,
             std::vector<std::string> names)
      : session_(session),
        table_(std::move(table)),
        columns_(std::move(columns)),
        names_(std::move(names)),
        binary_(options.format == CopyFormat::kBinary),
        encoding_(binary_                 ? nullptr
                  : options.encoding >= 0 ? find_encoding(options.encoding)
                                          : session.settings().decoded().format.client_encoding),
        parser_(options, names_) {}

  CopyParser& parser() { return parser_; }
  /// The client's bytes, in its encoding. What is not of it is told when the rows before it have been read.
  void feed(std::string_view bytes) {
    if (encoding_ == nullptr) return parser_.feed(bytes);
    if (!bad_text_.ok()) return;
    unfinished_.append(bytes);
    const std::size_t whole = unfinished_.size() - encoding_->unfinished(unfinished_);
    convert_text(std::string_view(unfinished_).substr(0, whole));
    unfinished_.erase(0, whole);
  }
  void end_of_input() {
    if (!unfinished_.empty() && bad_text_.ok()) convert_text(unfinished_);
    if (bad_text_.ok()) parser_.finish();
  }
  bool has_bad_text() const { return !bad_text_.ok(); }
  Status take_bad_text() { return bad_text_.ok() ? Status{} : with_line(std::move(bad_text_), parser_.line() + 1, ""); }
  std::uint64_t copied() const { return inserter_ != nullptr ? inserter_->inserted() : 0; }

  Status open(const ParseNode* where, std::string_view text) {
    ExecutionEnv env = session_.execution_env();
    env.routines = &session_;
    WANDIAN_ASSIGN(inserter_, BatchInserter::create(env, table_, columns_));
    if (where == nullptr) return {};
    const std::vector<StandaloneColumn> all = standalone_columns(*table_);
    StandaloneOptions options;
    options.use = StandaloneUse::kWhere;
    options.table_name = table_->name;
    options.columns = all;
    EvalContext context = session_.eval_context(where_arena_);
    BindContext names = session_.bind_context();
    names.eval = &context;
    WANDIAN_ASSIGN(where_bound_, bind_standalone_node(where, text, names, options));
    for (const ColumnUse& use : collect_columns(where_bound_.expr)) {
      if (use.column < 0 || !all[static_cast<std::size_t>(use.column)].generated) continue;
      return Status{sqlstate::invalid_column_reference, "generated columns are not supported in COPY FROM WHERE conditions"}.with_detail(
          "Column \"" + std::string(all[static_cast<std::size_t>(use.column)].name) + "\" is a generated column.");
    }
    CompileOptions compile_options;
    compile_options.columns_are_slots = true;
    compile_options.journaled = contains_routine(where_bound_.expr);
    WANDIAN_ASSIGN(where_, compile(*where_bound_.expr, where_arena_, compile_options));
    row_.resize(table_->columns.size());
    return {};
  }

  /// Parses rows until a batch is full or the input is used up.
  Task<Result<CopyParser::Next>> fill() {
    using Answer = Result<CopyParser::Next>;
    while (lines_.size() < kBatchRows) {
      const CopyParser::Next next = parser_.next();
      if (next == CopyParser::Next::kError) co_return Answer(with_line(parser_.take_error(), parser_.line(), parser_.line_context()));
      if (next != CopyParser::Next::kRow) co_return Answer(next);
      journal_.clear();
      Status status = convert();
      while (journal_.asked()) {
        const ReadView view = session_.execution_env().transaction->view();
        Status ran = co_await session_.run_routine(journal_.call(), view);
        if (!ran.ok()) co_return Answer(with_line(std::move(ran), parser_.line(), parser_.line_context()));
        journal_.answer();
        status = convert();
      }
      if (!status.ok()) co_return Answer(std::move(status));
    }
    co_return Answer(CopyParser::Next::kRow);
  }

  bool empty() const { return lines_.empty(); }
  Task<Status> insert() {
    const std::uint64_t before = inserter_->inserted();
    Status status = co_await inserter_->insert(values_);
    if (!status.ok()) {
      const std::size_t failed = std::min<std::size_t>(inserter_->inserted() - before, lines_.size() - 1);
      status = with_line(std::move(status), lines_[failed], "");
    }
    values_.clear();
    lines_.clear();
    arena_.reset();
    co_return std::move(status);
  }

  Task<Status> finish() { return inserter_->finish(); }

  Status with_line(Status status, std::uint64_t line, const std::string& rest) const {
    return std::move(status).with_context("COPY " + table_->name + ", line " + std::to_string(line) + rest);
  }

 private:
  void convert_text(std::string_view text) {
    std::string utf8;
    bad_text_ = encoding_->to_utf8(text, &utf8);
    parser_.feed(utf8);
  }
  // Conditions of domains and WHERE may call routines: the row is then converted again when the one that it asks for has been run.
  Status convert() {
    EvalContext context = session_.eval_context(arena_);
    journal_.rewind();
    context.journal = &journal_;
    const auto& fields = parser_.fields();
    const std::size_t start = values_.size();
    const auto failed = [&](const std::string& rest) {
      if (!journal_.asked()) return with_line(std::move(context.error), parser_.line(), rest);
      values_.resize(start);
      return Status{};
    };
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const ColumnDef& column = table_->columns[columns_[i]];
      Value value;
      if (fields[i]) {
        const std::string_view bytes = arena_.copy(*fields[i]);
        const bool done = binary_ ? value_from_binary(context, column.type, column.typmod, bytes, &value)
                                  : value_from_text(context, column.type, column.typmod, bytes, &value);
        if (!done) {
          const std::string shown = binary_ ? "" : ": \"" + shortened(*fields[i]) + "\"";
          return failed(", column " + column.name + shown);
        }
      } else if (type_kind(column.type) == 'd' && !check_domain(context, column.type, value)) {
        return failed(", column " + column.name + ": null input");
      }
      values_.push_back(value);
    }
    if (where_) {
      std::fill(row_.begin(), row_.end(), Value::null());
      for (std::size_t i = 0; i < columns_.size(); ++i) row_[columns_[i]] = values_[start + i];
      ExprInput input;
      input.columns = row_.data();
      bool passes = false;
      if (!where_.test(context, input, &passes)) return failed(parser_.line_context());
      if (!passes) {
        values_.resize(start);
        return {};
      }
    }
    lines_.push_back(parser_.line());
    return {};
  }

  SessionImpl& session_;
  const std::shared_ptr<const TableDef> table_;
  const std::vector<std::uint16_t> columns_;
  const std::vector<std::string> names_;
  const bool binary_;
  const Encoding* const encoding_;     ///< of the lines; null: UTF-8
  std::string unfinished_;             ///< the first bytes of a character
  Status bad_text_;
  CopyParser parser_;
  std::unique_ptr<BatchInserter> inserter_;
  BoundExpression where_bound_;
  CompiledExpr where_;
  Arena where_arena_;
  Arena arena_;                        ///< bytes of the batch's values
  CallJournal journal_;                ///< of the row that is converted
  std::vector<Value> values_, row_;
  std::vector<std::uint64_t> lines_;   ///< of the batch's rows
};

Task<Status> SessionImpl::copy_from(const CompiledStatement& statement, const PgQuery__CopyStmt& copy, const CopyOptions& options,
                                    std::string* tag) {
  WANDIAN_CO_TRY(ensure_transaction());
  const std::string_view schema = text_or_empty(copy.relation->schemaname), name = text_or_empty(copy.relation->relname);
  WANDIAN_CO_TRY(check_named_schema(schema));
  const std::optional<FoundRelation> found = find_relation(bind_context(), schema, name);
  if (!found) co_return undefined_relation(schema, name);
  const auto cannot = [&](std::string_view kind) {
    return Status{sqlstate::wrong_object_type, "cannot copy to " + std::string(kind) + " \"" + std::string(name) + "\""};
  };
  // A view as its triggers take it; null: a table.
  std::shared_ptr<const TableDef> view;
  if (found->kind == FoundRelation::Kind::kView) view = view_table(*catalog()->object(ObjectKind::kView, found->oid));
  if (found->kind == FoundRelation::Kind::kView && (view == nullptr || !has_instead_trigger(*view, TriggerDef::kInsert)))
    co_return cannot("view").with_hint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.");
  if (found->kind == FoundRelation::Kind::kSequence) co_return cannot("sequence");
  if (view == nullptr && found->kind != FoundRelation::Kind::kTable) co_return cannot(found->kind == FoundRelation::Kind::kIndex ? "index" : "system relation");
  if (read_only_ && found->schema != temporary_schema_)
    co_return Status{sqlstate::read_only_sql_transaction, "cannot execute COPY FROM in a read-only transaction"};
  std::shared_ptr<const TableDef> table = view != nullptr ? view : catalog()->table(found->oid);
  if (table->is_materialized_view()) co_return cannot("materialized view");
  WANDIAN_CO_TRY(check_row_security(*catalog(), *table, current_role_));
  if (view == nullptr) WANDIAN_CO_TRY(co_await lock_table(table, TableLock::kRowExclusive));
  for (const std::shared_ptr<const TableDef>& partition : all_partitions(*catalog(), *table)) WANDIAN_CO_TRY(co_await lock_table(partition, TableLock::kRowExclusive));
  co_await begin_statement();
  table = view != nullptr ? view : catalog()->table(found->oid);
  if (table == nullptr) co_return undefined_relation(schema, name);
  Result<std::vector<std::uint16_t>> columns = copy_columns(copy, *table);
  if (!columns.ok()) co_return columns.take_status();
  RelationAccess access;
  access.relation = table->oid;
  access.privileges = privilege::kInsert;
  for (const std::uint16_t column : columns.value()) access.inserted.push_back(static_cast<std::int16_t>(column + 1));
  WANDIAN_CO_TRY(check_relation_access(access_scope(), access));
  std::vector<std::string> names;
  for (const std::uint16_t column : columns.value()) names.push_back(table->columns[column].name);
  std::vector<bool> not_null, null;
  WANDIAN_CO_TRY(force_columns(options.force_not_null, "FORCE_NOT_NULL", table.get(), names, &not_null));
  WANDIAN_CO_TRY(force_columns(options.force_null, "FORCE_NULL", table.get(), names, &null));
  const std::size_t width = names.size();
  CopyRunner runner(*this, table, columns.take(), options, std::move(names));
  for (std::size_t i = 0; i < width; ++i) runner.parser().force(i, not_null[i], null[i]);
  WANDIAN_CO_TRY(runner.open(copy.where_clause, statement.text()));

  CopyFile file;
  const std::string_view path = text_or_empty(copy.filename);
  if (!path.empty()) {
    Result<CopyFile> opened = CopyFile::open_to_read(std::string(path));
    if (!opened.ok()) co_return opened.take_status();
    file = opened.take();
  }
  CopyIn input;
  struct Closing {
    CopyIn** open;
    ~Closing() { *open = nullptr; }
  } closing{&copy_in_};
  if (path.empty()) {
    copy_in_ = &input;
    sink_->copy_in_response(options.format == CopyFormat::kBinary ? Format::kBinary : Format::kText, static_cast<std::uint16_t>(width));
  }

  bool more = true;
  while (more) {
    if (path.empty()) {
      input.event = CopyIn::Event::kNone;
      co_await park(Parked::kCopyData);
    } else {
      Result<std::string_view> chunk = file.read();
      if (!chunk.ok()) co_return chunk.take_status();
      input.event = chunk->empty() ? CopyIn::Event::kDone : CopyIn::Event::kData;
      input.bytes = chunk.value();
    }
    WANDIAN_CO_TRY(check_cancel());
    switch (input.event) {
      case CopyIn::Event::kData: runner.feed(input.bytes); break;
      case CopyIn::Event::kFail:
        co_return runner.with_line(Status{sqlstate::query_canceled, "COPY from stdin failed: " + input.message},
                                   runner.parser().line() + 1, "");
      default:
        runner.end_of_input();
        more = false;
        break;
    }
    std::int64_t turn_ends = engine_database().env().clock().monotonic_us() + kTurnMicros;
    for (;;) {
      Result<CopyParser::Next> filled = co_await runner.fill();
      // A batch that is not full waits for the rows of the next message. What came before a bad row is sent first: its own
      // error counts.
      if (filled.ok() && filled.value() != CopyParser::Next::kRow && more && !runner.has_bad_text()) break;
      if (!runner.empty()) {
        Status status = co_await settled(runner.insert());
        WANDIAN_CO_TRY(std::move(status));
        transaction_.next_command();
      }
      if (!filled.ok()) co_return filled.take_status();
      if (filled.value() != CopyParser::Next::kRow) {
        if (Status bad = runner.take_bad_text(); !bad.ok()) co_return std::move(bad);
        break;
      }
      WANDIAN_CO_TRY(check_cancel());
      if (engine_database().env().clock().monotonic_us() >= turn_ends) {
        co_await pause();
        turn_ends = engine_database().env().clock().monotonic_us() + kTurnMicros;
      }
    }
  }
  WANDIAN_CO_TRY(co_await settled(runner.finish()));
  transaction_.end_statement();
  *tag = "COPY " + std::to_string(runner.copied());
  co_return Status{};
}

}  // namespace wandian::sql
