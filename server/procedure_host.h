// ProcedureHost: native modules, and the calls that SQL makes of them.
// Owns:       the modules: those linked in (hotdog) and those loaded from the configured directory (server/module_loader.h).
// Thread:     modules are added before the first session, or loaded under a mutex; calls on the session's shard.
// Errors:     those of load_module(); 42883 for a procedure that a module does not have.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "engine/procedure.h"
#include "engine/procedure_run.h"
#include "sql/bind/binder.h"
#include "sql/ddl/extension.h"
#include "sql/ddl/services.h"
#include "sql/procedure_caller.h"

namespace wandian::server {

class ProcedureHost final : public sql::ExtensionSource, public sql::ModuleSource, public sql::ProcedureLookup, public sql::ProcedureCaller {
 public:
  /// `module_directory`: where LANGUAGE C modules are loaded from; empty: from nowhere.
  ProcedureHost(unsigned shards, std::string module_directory);

  void add(const ProcedureModule& module);

  Result<const sql::ExtensionInfo*> find_extension(std::string_view name) override;
  std::vector<const sql::ExtensionInfo*> all_extensions() const override;
  Result<sql::NativeProcedure> find_procedure(std::string_view module, std::string_view symbol) override;
  void find_procedures(const Catalog& catalog, Oid schema, std::string_view name, std::vector<sql::ProcedureSignature>* out) const override;
  bool run_now(const sql::ProcedureRequest& request, Arena& arena, Value* result, std::vector<ErrorRecord>* notices, Status* status) override;
  std::unique_ptr<sql::RunningProcedure> start(const sql::ProcedureRequest& request) override;

 private:
  struct Entry {
    const ProcedureDefinition* definition = nullptr;
    Oid schema = 0;
  };
  /// One shard's look-ups and idle runs; touched by that shard alone.
  struct alignas(64) ShardCache {
    std::uint64_t catalog_version = 0;
    std::map<Oid, Entry> by_oid;
    Oid last_oid = 0;
    Entry last;
    std::vector<std::unique_ptr<LocalRun>> idle_runs;
  };
  class RunningLocal;
  class RunningGlobal;
  class Refused;

  Result<Entry> resolve(Shard& shard, Oid function);
  struct Module {
    const ProcedureModule* module = nullptr;
    sql::ExtensionInfo info;
  };
  /// The module of this name, loaded if it is not there yet; the mutex is held.
  Result<const Module*> module(std::string_view name);
  const Module& keep(const ProcedureModule& module);
  Result<const ProcedureDefinition*> definition(std::string_view module, std::string_view symbol);
  std::unique_ptr<LocalRun> take_run(Shard& shard);
  void give_back(Shard& shard, std::unique_ptr<LocalRun> run);

  std::string module_directory_;
  mutable std::mutex mutex_;
  std::map<std::string, Module, std::less<>> modules_;   ///< never removed from: pointers into it are given out
  std::vector<ShardCache> caches_;
};

}  // namespace wandian::server
