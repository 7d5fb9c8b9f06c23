#include "server/procedure_host.h"

#include <algorithm>

#include "engine/shard.h"
#include "server/module_loader.h"
#include "sql/catalog/stored_objects.h"

namespace wandian::server {

namespace {

sql::NativeProcedure describe(const ProcedureDefinition& definition) {
  sql::NativeProcedure out;
  out.name = definition.name;
  for (const std::string_view name : definition.argument_names) out.argument_names.emplace_back(name);
  out.arguments = definition.arguments;
  out.result = definition.result;
  out.strict = definition.strict;
  return out;
}

bool null_argument(const ProcedureDefinition& definition, std::span<const Value> args) {
  return definition.strict && std::any_of(args.begin(), args.end(), [](const Value& v) { return v.is_null; });
}

// A void result is there, and prints as nothing; it is null only where the call was not made.
Value result_of(const ProcedureDefinition& definition, const Value& value) {
  return definition.result == type_oid::kVoid ? Value::of_int(0) : value;
}

LocalRun::Request local_request(const sql::ProcedureRequest& request, const ProcedureDefinition& definition, Oid schema) {
  LocalRun::Request out;
  out.procedure = &definition;
  out.schema = schema;
  out.args = request.args;
  out.now = request.transaction_timestamp;
  out.need = Lsn{request.transaction->answer_floor()};
  return out;
}

}  // namespace

ProcedureHost::ProcedureHost(unsigned shards, std::string module_directory)
    : module_directory_(std::move(module_directory)), caches_(shards) {}

void ProcedureHost::add(const ProcedureModule& module) {
  const std::lock_guard guard(mutex_);
  keep(module);
}

const ProcedureHost::Module& ProcedureHost::keep(const ProcedureModule& module) {
  Module& kept = modules_[std::string(module.name)];
  kept.module = &module;
  sql::ExtensionInfo& info = kept.info;
  info.name = module.name;
  info.version = module.version;
  info.comment = module.comment;
  info.module = module.name;
  info.schema_sql = module.schema_sql;
  for (const ProcedureDefinition& procedure : module.procedures) info.procedures.push_back(describe(procedure));
  return kept;
}

Result<const ProcedureHost::Module*> ProcedureHost::module(std::string_view given) {
  const std::string_view name = module_name(given);
  const auto found = modules_.find(name);
  if (found != modules_.end()) return &found->second;
  if (module_directory_.empty())
    return Status{sqlstate::undefined_file, "could not access file \"" + std::string(given) + "\": No such file or directory"}.with_hint(
        "Modules are loaded from the directory that --module-dir names, which was not given.");
  const Result<const ProcedureModule*> loaded = load_module(module_directory_, name);
  if (!loaded.ok()) return loaded.status().clone();
  return &keep(*loaded.value());
}

Result<const sql::ExtensionInfo*> ProcedureHost::find_extension(std::string_view name) {
  const std::lock_guard guard(mutex_);
  // A file that is not there, or could not be one, is an extension that is not there.
  if (!modules_.contains(name) && (module_directory_.empty() || !has_module(module_directory_, name))) return nullptr;
  const Result<const Module*> found = module(name);
  if (!found.ok()) return found.status().clone();
  return &found.value()->info;
}

std::vector<const sql::ExtensionInfo*> ProcedureHost::all_extensions() const {
  const std::lock_guard guard(mutex_);
  std::vector<const sql::ExtensionInfo*> out;
  for (const auto& [name, module] : modules_) out.push_back(&module.info);
  return out;
}

Result<const ProcedureDefinition*> ProcedureHost::definition(std::string_view name, std::string_view symbol) {
  const std::lock_guard guard(mutex_);
  const Result<const Module*> found = module(name);
  if (!found.ok()) return found.status().clone();
  for (const ProcedureDefinition& procedure : found.value()->module->procedures)
    if (procedure.name == symbol) return &procedure;
  return Status{sqlstate::undefined_function,
                "could not find function \"" + std::string(symbol) + "\" in file \"" + std::string(name) + "\""};
}

Result<sql::NativeProcedure> ProcedureHost::find_procedure(std::string_view module, std::string_view symbol) {
  const Result<const ProcedureDefinition*> found = definition(module, symbol);
  if (!found.ok()) return found.status().clone();
  return describe(*found.value());
}

void ProcedureHost::find_procedures(const Catalog& catalog, Oid schema, std::string_view name,
                                    std::vector<sql::ProcedureSignature>* out) const {
  const auto& objects = catalog.objects();
  for (auto it = objects.lower_bound({ObjectKind::kFunction, 0}); it != objects.end() && it->first.first == ObjectKind::kFunction; ++it) {
    const std::shared_ptr<const ObjectDef>& object = it->second;
    // Its stored name is "f(23,25)".
    if (object->parent != schema || !object->name.starts_with(name) || object->name.size() <= name.size() || object->name[name.size()] != '(') continue;
    const std::optional<sql::FunctionObject> function = sql::FunctionObject::decode(object->definition);
    if (function && function->is_native() && function->name == name) out->push_back({object->oid, function->arguments, function->result, object});
  }
}

Result<ProcedureHost::Entry> ProcedureHost::resolve(Shard& shard, Oid oid) {
  ShardCache& cache = caches_[shard.index()];
  const std::shared_ptr<const Catalog>& catalog = shard.catalog();
  if (cache.catalog_version != catalog->version) {
    cache.by_oid.clear();
    cache.last_oid = 0;
    cache.catalog_version = catalog->version;
  }
  if (cache.last_oid == oid) return cache.last;
  auto found = cache.by_oid.find(oid);
  if (found == cache.by_oid.end()) {
    const std::shared_ptr<const ObjectDef> object = catalog->object(ObjectKind::kFunction, oid);
    const std::optional<sql::FunctionObject> function = object == nullptr ? std::nullopt : sql::FunctionObject::decode(object->definition);
    if (!function) return Status{sqlstate::undefined_function, "function with OID " + std::to_string(oid) + " does not exist"};
    const Result<const ProcedureDefinition*> code = definition(function->module, function->symbol);
    if (!code.ok()) return code.status().clone();
    if (code.value()->arguments != function->arguments || code.value()->result != function->result)
      return Status{sqlstate::invalid_function_definition, "function \"" + function->name + "\" is declared with other types than its module has"};
    found = cache.by_oid.emplace(oid, Entry{code.value(), object->parent}).first;
  }
  cache.last_oid = oid;
  cache.last = found->second;
  return found->second;
}

std::unique_ptr<LocalRun> ProcedureHost::take_run(Shard& shard) {
  std::vector<std::unique_ptr<LocalRun>>& idle = caches_[shard.index()].idle_runs;
  if (idle.empty()) return std::make_unique<LocalRun>(shard);
  std::unique_ptr<LocalRun> run = std::move(idle.back());
  idle.pop_back();
  return run;
}

void ProcedureHost::give_back(Shard& shard, std::unique_ptr<LocalRun> run) {
  std::vector<std::unique_ptr<LocalRun>>& idle = caches_[shard.index()].idle_runs;
  if (idle.size() >= 1024) return;
  run->reset();
  idle.push_back(std::move(run));
}

bool ProcedureHost::run_now(const sql::ProcedureRequest& request, Arena& arena, Value* result, std::vector<ErrorRecord>* notices, Status* status) {
  if (!request.autocommit) return false;
  const Result<Entry> entry = resolve(*request.shard, request.procedure);
  if (!entry.ok()) {
    *status = entry.status().clone();
    return true;
  }
  const ProcedureDefinition& definition = *entry.value().definition;
  if (definition.local == nullptr) return false;
  if (null_argument(definition, request.args)) {
    *result = Value::null();
    return true;
  }
  std::unique_ptr<LocalRun> run = take_run(*request.shard);
  const bool done = run->try_now(local_request(request, definition, entry.value().schema));
  if (done) {
    request.transaction->raise_answer_floor(run->floor());
    *status = run->take_status();
    *result = copy_value(arena, definition.result, result_of(definition, run->result()));
    for (ErrorRecord& notice : run->notices()) notices->push_back(std::move(notice));
  }
  give_back(*request.shard, std::move(run));
  return done;
}

// --- calls that take longer ------------------------------------------------------------------------------------------

class ProcedureHost::Refused final : public sql::RunningProcedure {
 public:
  explicit Refused(Status status) : status_(std::move(status)) {}
  bool done() override { return true; }
  Status take_status() override { return std::move(status_); }
  Value result() const override { return Value::null(); }
  void cancel(Status) override {}

 private:
  Status status_;
};

class ProcedureHost::RunningLocal final : public sql::RunningProcedure, public Runnable {
 public:
  RunningLocal(ProcedureHost& host, const sql::ProcedureRequest& request, const ProcedureDefinition& definition, Oid schema)
      : host_(host), shard_(*request.shard), transaction_(*request.transaction), ready_(request.ready), run_(host.take_run(*request.shard)) {
    request_ = local_request(request, definition, schema);
    request_.context = this;
    request_.done = [](void* context) { static_cast<RunningLocal*>(context)->finished(); };
    if (!request.autocommit) request_.transaction = &transaction_;
    for (std::size_t i = 0; i < request.args.size(); ++i) args_.push_back(copy_value(arena_, definition.arguments[i], request.args[i]));
    request_.args = args_;
    begin();
  }
  ~RunningLocal() override {
    shard_.unpost(*this);
    host_.give_back(shard_, std::move(run_));
  }
  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* memory, std::size_t bytes) { free_frame(memory, bytes); }

  bool done() override { return done_; }
  Status take_status() override { return run_->take_status(); }
  Value result() const override { return result_of(*request_.procedure, run_->result()); }
  std::span<const ErrorRecord> notices() const override { return run_->notices(); }
  void cancel(Status why) override {
    if (started_) run_->cancel(std::move(why));
    else cancelled_ = std::move(why);
  }
  void run() override { begin(); }

 private:
  void begin() {
    if (request_.transaction != nullptr) {
      if (!transaction_.begin_statement()) {
        shard_.post_next_turn(*this);
        return;
      }
      request_.need = Lsn{std::max(transaction_.answer_floor(), transaction_.view().floor)};
    }
    started_ = true;
    if (run_->start(request_)) finished();
    else if (!cancelled_.ok()) run_->cancel(std::move(cancelled_));
  }
  void finished() {
    done_ = true;
    transaction_.raise_answer_floor(run_->floor());
    if (request_.transaction != nullptr) transaction_.end_statement();
    if (ready_ != nullptr) shard_.post(*ready_);
  }

  ProcedureHost& host_;
  Shard& shard_;
  Transaction& transaction_;
  Runnable* ready_;
  std::unique_ptr<LocalRun> run_;
  LocalRun::Request request_;
  Arena arena_;
  std::vector<Value> args_;
  Status cancelled_;
  bool started_ = false, done_ = false;
};

class ProcedureHost::RunningGlobal final : public sql::RunningProcedure {
 public:
  RunningGlobal(const sql::ProcedureRequest& request, const ProcedureDefinition& definition, Oid schema)
      : shard_(*request.shard), transaction_(*request.transaction), definition_(definition), ready_(request.ready) {
    for (std::size_t i = 0; i < request.args.size(); ++i) args_.push_back(copy_value(arena_, definition.arguments[i], request.args[i]));
    task_ = call(schema, request.transaction_timestamp);
    task_.start();
  }
  bool done() override { return task_.done(); }
  Status take_status() override { return task_.result(); }
  Value result() const override { return result_of(definition_, result_); }
  std::span<const ErrorRecord> notices() const override { return notices_; }
  void cancel(Status why) override { transaction_.cancel(std::move(why)); }

 private:
  Task<Status> call(Oid schema, std::int64_t now) {
    while (!transaction_.begin_statement()) co_await shard_.next_turn();
    Status status = co_await run_global(shard_, transaction_, definition_, schema, args_, now, arena_, &notices_, &result_);
    transaction_.end_statement();
    if (ready_ != nullptr) shard_.post(*ready_);
    co_return std::move(status);
  }

  Shard& shard_;
  Transaction& transaction_;
  const ProcedureDefinition& definition_;
  Runnable* ready_;
  Arena arena_;
  std::vector<Value> args_;
  std::vector<ErrorRecord> notices_;
  Value result_;
  Task<Status> task_;
};

std::unique_ptr<sql::RunningProcedure> ProcedureHost::start(const sql::ProcedureRequest& request) {
  const Result<Entry> entry = resolve(*request.shard, request.procedure);
  if (!entry.ok()) return std::make_unique<Refused>(entry.status().clone());
  const ProcedureDefinition& definition = *entry.value().definition;
  if (null_argument(definition, request.args)) return std::make_unique<Refused>(Status{});
  if (definition.local != nullptr) return std::make_unique<RunningLocal>(*this, request, definition, entry.value().schema);
  return std::make_unique<RunningGlobal>(request, definition, entry.value().schema);
}

}  // namespace wandian::server
