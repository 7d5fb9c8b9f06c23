#include "server/module_loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "engine/type.h"

namespace wandian::server {

namespace {

constexpr std::string_view kEnding = ".so";
constexpr unsigned kMaxSegments = 256;

// From the one configured directory: a name, never a path.
bool is_plain(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}
std::string path_of(const std::string& directory, std::string_view name) { return directory + "/" + std::string(name) + std::string(kEnding); }

class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  bool read(void* to, std::size_t bytes, std::uint64_t offset) const {
    return ::pread(fd_, to, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
  }

 private:
  int fd_;
};

// dlopen maps what the headers claim and touches it: a file cut short would end the process with SIGBUS. Empty: whole.
std::string what_is_wrong_with_file(const File& file, std::uint64_t size) {
  Elf64_Ehdr header;
  if (!file.read(&header, sizeof header, 0) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return "It is not a shared object.";
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 || header.e_type != ET_DYN)
    return "It is not a shared object for this machine.";
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > kMaxSegments) return "Its program headers are damaged.";
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  if (!file.read(segments.data(), segments.size() * sizeof(Elf64_Phdr), header.e_phoff)) return "It is cut short.";
  for (const Elf64_Phdr& segment : segments)
    if (segment.p_filesz > size || segment.p_offset > size - segment.p_filesz) return "It is cut short.";
  return {};
}

Status not_a_module(std::string_view name) {
  return Status{sqlstate::invalid_object_definition, "\"" + std::string(name) + "\" is not a module of this server's version"}.with_hint(
      "A module exports wandian_module() and is built with the headers of this server.");
}

std::string what_is_wrong_with(const ProcedureDefinition& procedure) {
  if (procedure.name.empty()) return "A procedure has no name.";
  const std::string who = "Procedure \"" + std::string(procedure.name) + "\" ";
  if ((procedure.local == nullptr) == (procedure.global == nullptr)) return who + "must be either local or global.";
  if (procedure.bind == nullptr) return who + "has no bind function.";
  if (!procedure.argument_names.empty() && procedure.argument_names.size() != procedure.arguments.size())
    return who + "names another number of arguments than it has.";
  for (const Oid type : procedure.arguments)
    if (find_type(type) == nullptr) return who + "has an argument of unknown type " + std::to_string(type) + ".";
  if (procedure.result != type_oid::kVoid && find_type(procedure.result) == nullptr)
    return who + "has a result of unknown type " + std::to_string(procedure.result) + ".";
  if (procedure.local == nullptr) return {};
  if (procedure.key_table.empty() || procedure.key_argument >= procedure.arguments.size()) return who + "is local and has no key.";
  return is_integer_type(procedure.arguments[procedure.key_argument]) ? "" : who + "has a key that is not an integer.";
}

}  // namespace

std::string_view module_name(std::string_view name) {
  if (name.size() > kEnding.size() && name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  return name;
}

bool has_module(const std::string& directory, std::string_view name) {
  return is_plain(name) && ::access(path_of(directory, name).c_str(), F_OK) == 0;
}

std::string what_is_wrong_with(const ProcedureModule& module, std::string_view name) {
  if (module.name != name) return "The module calls itself \"" + std::string(module.name) + "\".";
  for (std::size_t i = 0; i < module.procedures.size(); ++i) {
    if (std::string wrong = what_is_wrong_with(module.procedures[i]); !wrong.empty()) return wrong;
    for (std::size_t before = 0; before < i; ++before)
      if (module.procedures[before].name == module.procedures[i].name)
        return "Procedure \"" + std::string(module.procedures[i].name) + "\" is declared twice.";
  }
  return {};
}

Result<const ProcedureModule*> load_module(const std::string& directory, std::string_view name) {
  if (!is_plain(name))
    return Status{sqlstate::invalid_name, "module name \"" + std::string(name) + "\" must be a plain file name"};
  const std::string path = path_of(directory, name);
  const File file(path);
  struct stat facts;
  if (file.fd() < 0 || ::fstat(file.fd(), &facts) != 0)
    return Status{sqlstate::undefined_file, "could not access file \"" + std::string(name) + "\": " + std::strerror(errno)};
  const auto refuse = [&](std::string why) {
    return Status{sqlstate::undefined_file, "could not load module \"" + std::string(name) + "\""}.with_detail(std::move(why));
  };
  if (!S_ISREG(facts.st_mode)) return refuse("It is not a regular file.");
  if (std::string wrong = what_is_wrong_with_file(file, static_cast<std::uint64_t>(facts.st_size)); !wrong.empty()) return refuse(std::move(wrong));

  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return refuse(::dlerror());
  auto* entry = reinterpret_cast<const ProcedureModule* (*)()>(::dlsym(library, "wandian_module"));
  Status wrong;
  const ProcedureModule* module = nullptr;
  if (entry == nullptr) {
    wrong = not_a_module(name).with_detail("It does not export wandian_module().");
  } else {
    try {
      module = entry();
    } catch (...) {
      module = nullptr;
    }
    // Nothing but the first member means anything in a module of another version.
    if (module == nullptr) {
      wrong = not_a_module(name).with_detail("wandian_module() gave nothing.");
    } else if (module->abi != ProcedureModule::kAbi) {
      wrong = not_a_module(name).with_detail("It was built for version " + std::to_string(module->abi) + " of the procedure API; this is version " +
                                             std::to_string(ProcedureModule::kAbi) + ".");
    } else if (std::string why = server::what_is_wrong_with(*module, name); !why.empty()) {
      wrong = Status{sqlstate::invalid_object_definition, "module \"" + std::string(name) + "\" is not well formed"}.with_detail(std::move(why));
    }
  }
  if (wrong.ok()) return module;
  ::dlclose(library);
  return wrong;
}

}  // namespace wandian::server
