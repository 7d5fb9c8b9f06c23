// The chain's rules once more, as a user's module under other names: what `wandian bench day --user-procedures user_` and
// `engine_place_order --module` measure against the rules that are built in. It is linked with hotdog.cc, compiled again for
// it, and shares no code with the server's own.
#include <string>
#include <vector>

#include "procedures/hotdog.h"

extern "C" __attribute__((visibility("default"))) const wandian::ProcedureModule* wandian_module() {
  using namespace wandian;
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    for (const ProcedureDefinition& procedure : procedures::hotdog().procedures) out.push_back("user_" + std::string(procedure.name));
    return out;
  }();
  static const std::vector<ProcedureDefinition> copies = [] {
    const auto originals = procedures::hotdog().procedures;
    std::vector<ProcedureDefinition> out(originals.begin(), originals.end());
    for (std::size_t i = 0; i < out.size(); ++i) out[i].name = names[i];
    return out;
  }();
  // Without tables of its own: CREATE EXTENSION user_hotdog goes where CREATE EXTENSION hotdog went before.
  static const ProcedureModule module = {.name = "user_hotdog",
                                         .version = "1.0",
                                         .comment = "the rules of extension hotdog under other names",
                                         .procedures = copies};
  return &module;
}
