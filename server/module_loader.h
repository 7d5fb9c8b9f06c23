// Users' modules: shared objects that export wandian_module(), opened from one configured directory.
// Thread:     any; the caller sees to it that a module is loaded once.
// Invariants: a file is looked at before any of its code runs, and what it declares before any of that is used; a module
//             that was accepted stays loaded until the process ends, since its code may be on some stack.
#pragma once

#include <string>
#include <string_view>

#include "engine/procedure.h"
#include "storage/base/status.h"

namespace wandian::server {

/// A module's name without the ending that CREATE FUNCTION may give it: "loyalty.so" is "loyalty".
std::string_view module_name(std::string_view name);

/// Whether `directory` has a file that could be the module of this name.
bool has_module(const std::string& directory, std::string_view name);

/// Opens `directory`/`name`.so. 42602 if the name is not a plain file name, 58P01 if there is no such file or it cannot be
/// loaded, 42P17 if it is not a module of this server's version or declares something impossible.
Result<const ProcedureModule*> load_module(const std::string& directory, std::string_view name);

/// What a module declares that no procedure can be; empty if nothing.
std::string what_is_wrong_with(const ProcedureModule& module, std::string_view name);

}  // namespace wandian::server
