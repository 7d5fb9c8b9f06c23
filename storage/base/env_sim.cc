#include "storage/base/env_sim.h"

#include <algorithm>
#include <cstring>
#include <set>

namespace wandian {
namespace {

Status sim_error(SqlState code, std::string_view call, const std::string& path, std::string_view reason) {
  return Status{code, "could not " + std::string(call) + " \"" + path + "\": " + std::string(reason)};
}
Status io_error(std::string_view call, const std::string& path) {
  return sim_error(sqlstate::io_error, call, path, "Input/output error");
}
Status no_space(std::string_view call, const std::string& path) {
  return sim_error(sqlstate::disk_full, call, path, "No space left on device");
}

std::string directory_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

}  // namespace

/// `cache` is what processes read, `disk` what survives a power cut. A sector may differ although it is not dirty: a
/// sync failed and the kernel forgot that it had to be written.
struct SimEnv::Inode {
  std::vector<char> cache, disk;
  std::vector<std::uint64_t> dirty;  ///< by sector: the write that made it dirty, or 0
  std::vector<Scar> scars;

  bool differs(std::size_t sector) const {
    const auto [begin, end] = range(sector);
    return disk.size() < end || std::memcmp(disk.data() + begin, cache.data() + begin, end - begin) != 0;
  }
  /// Takes away the scars that touch [begin, end) and gives each to `each`.
  template <class Each>
  void take_scars(std::uint64_t begin, std::uint64_t end, Each&& each) {
    std::erase_if(scars, [&](const Scar& scar) {
      if (scar.end <= begin || scar.begin >= end) return false;
      each(scar);
      return true;
    });
  }
  void resize(std::size_t bytes) {
    cache.resize(bytes);
    dirty.resize((bytes + kSectorBytes - 1) / kSectorBytes);
  }
  std::pair<std::size_t, std::size_t> range(std::size_t sector) const {
    const std::size_t begin = sector * kSectorBytes;
    return {begin, std::min(begin + kSectorBytes, cache.size())};
  }
  void to_disk(std::size_t sector) {
    const auto [begin, end] = range(sector);
    if (disk.size() < end) disk.resize(end);
    std::memcpy(disk.data() + begin, cache.data() + begin, end - begin);
  }
  void from_disk(std::size_t sector) {
    const auto [begin, end] = range(sector);
    for (std::size_t i = begin; i < end; ++i) cache[i] = i < disk.size() ? disk[i] : '\0';
  }
};

class SimEnv::SimClock final : public Clock {
 public:
  explicit SimClock(SimEnv& env) : env_(env) {}
  std::int64_t wall_us() override {
    if (env_.clock_jumped_) env_.count(Fault::kClockJump);
    env_.clock_jumped_ = false;
    return env_.wall_us_;
  }
  std::int64_t monotonic_us() override {
    env_.advance(env_.look_us_);
    return env_.monotonic_us_;
  }

 private:
  SimEnv& env_;
};

class SimFile final : public File {
 public:
  SimFile(SimEnv& env, std::shared_ptr<SimEnv::Inode> inode, std::string path)
      : env_(env), inode_(std::move(inode)), path_(std::move(path)), generation_(env.generation_) {}

  Status write(std::span<const std::span<const char>> pieces, std::uint64_t offset) override {
    bool dies;
    if (!usable() || !env_.enter(&dies)) return io_error("write", path_);
    std::size_t total = 0;
    for (const std::span<const char> piece : pieces) total += piece.size();
    if (!dies) {
      if (env_.fires(SimEnv::Fault::kNoSpace)) return no_space("write", path_);
      if (env_.fires(SimEnv::Fault::kWriteError)) return io_error("write", path_);
      if (offset + total > inode_->cache.size() && !env_.dead_ &&
          env_.used_bytes() + offset + total - inode_->cache.size() > env_.capacity_) {
        env_.count(SimEnv::Fault::kNoSpace);
        return no_space("write", path_);
      }
    }
    const bool part = dies || env_.fires(SimEnv::Fault::kShortWrite);
    std::size_t left = part ? env_.random_.below(total + 1) : total;
    const std::uint64_t id = ++env_.writes_;
    if (left > 0 && offset + left > inode_->cache.size()) inode_->resize(offset + left);
    inode_->take_scars(offset, offset + left, [](const SimEnv::Scar&) {});
    for (const std::span<const char> piece : pieces) {
      const std::size_t n = std::min(piece.size(), left);
      if (n == 0) continue;
      std::memcpy(inode_->cache.data() + offset, piece.data(), n);
      for (std::size_t s = offset / kSectorBytes; s <= (offset + n - 1) / kSectorBytes; ++s) inode_->dirty[s] = id;
      offset += n;
      left -= n;
    }
    if (part) return io_error("write", path_);
    return {};
  }

  Result<std::size_t> read(char* into, std::size_t bytes, std::uint64_t offset) override {
    bool dies;
    if (!usable() || !env_.enter(&dies) || dies || env_.fires(SimEnv::Fault::kReadError))
      return io_error("read", path_);
    const std::size_t size = inode_->cache.size();
    const std::size_t n = offset < size ? std::min<std::size_t>(bytes, size - offset) : 0;
    if (n > 0 && env_.fires(SimEnv::Fault::kShortRead)) {
      std::memcpy(into, inode_->cache.data() + offset, env_.random_.below(n));
      return io_error("read", path_);
    }
    if (n > 0) std::memcpy(into, inode_->cache.data() + offset, n);
    inode_->take_scars(offset, offset + n, [&](const SimEnv::Scar& scar) { env_.count(scar.fault); });
    return n;
  }

  Status sync() override {
    bool dies;
    if (!usable() || !env_.enter(&dies)) return io_error("fdatasync", path_);
    if (dies) return io_error("fdatasync", path_);
    if (env_.fires(SimEnv::Fault::kSyncFailure)) {
      for (std::size_t s = 0; s < inode_->dirty.size(); ++s) {
        if (inode_->dirty[s] == 0) continue;
        const std::uint64_t fate = env_.random_.below(3);
        if (fate == 0) inode_->to_disk(s);
        if (fate == 1) inode_->from_disk(s);
        inode_->dirty[s] = 0;
      }
      return io_error("fdatasync", path_);
    }
    if (inode_->disk.size() != inode_->cache.size()) inode_->disk.resize(inode_->cache.size());
    for (std::size_t s = 0; s < inode_->dirty.size(); ++s) {
      if (inode_->dirty[s] == 0) continue;
      inode_->to_disk(s);
      inode_->dirty[s] = 0;
    }
    return {};
  }

  Result<std::uint64_t> size() override {
    bool dies;
    if (!usable() || !env_.enter(&dies) || dies) return io_error("stat", path_);
    return static_cast<std::uint64_t>(inode_->cache.size());
  }

  Status allocate(std::uint64_t bytes) override {
    bool dies;
    if (!usable() || !env_.enter(&dies) || dies) return io_error("allocate space for", path_);
    if (env_.fires(SimEnv::Fault::kNoSpace)) return no_space("allocate space for", path_);
    if (bytes <= inode_->cache.size()) return {};
    if (env_.used_bytes() + bytes - inode_->cache.size() > env_.capacity_) {
      env_.count(SimEnv::Fault::kNoSpace);
      return no_space("allocate space for", path_);
    }
    inode_->resize(bytes);
    return {};
  }

  const std::string& path() const override { return path_; }

 private:
  /// A file that was open when its process ended belongs to nobody.
  bool usable() const { return generation_ == env_.generation_; }

  SimEnv& env_;
  const std::shared_ptr<SimEnv::Inode> inode_;
  const std::string path_;
  const std::uint64_t generation_;
};

class SimFileSystem final : public FileSystem {
 public:
  explicit SimFileSystem(SimEnv& env) : env_(env) {}

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const char* const call = mode == OpenMode::kCreate ? "create file" : "open file";
    bool dies;
    if (!env_.enter(&dies) || dies || env_.fires(SimEnv::Fault::kNameError)) return io_error(call, path);
    env_.notice_names({}, path);
    const auto found = env_.names_.find(path);
    if (mode != OpenMode::kCreate) {
      if (found == env_.names_.end())
        return sim_error(sqlstate::undefined_file, call, path, "No such file or directory");
      return std::unique_ptr<File>(new SimFile(env_, found->second, path));
    }
    if (env_.fires(SimEnv::Fault::kNoSpace)) return no_space(call, path);
    auto inode = std::make_shared<SimEnv::Inode>();
    env_.change_names({"", path, inode});
    return std::unique_ptr<File>(new SimFile(env_, std::move(inode), path));
  }

  Status rename(const std::string& from, const std::string& to) override {
    bool dies;
    if (!env_.enter(&dies) || env_.fires(SimEnv::Fault::kNameError)) return io_error("rename file", from);
    const auto found = env_.names_.find(from);
    if (found == env_.names_.end())
      return sim_error(sqlstate::undefined_file, "rename file", from, "No such file or directory");
    if (!dies || env_.random_.one_in(2)) env_.change_names({from, to, found->second});
    if (dies) return io_error("rename file", from);
    return {};
  }

  Status remove(const std::string& path) override {
    bool dies;
    if (!env_.enter(&dies) || env_.fires(SimEnv::Fault::kNameError)) return io_error("remove file", path);
    if (!env_.names_.contains(path))
      return sim_error(sqlstate::undefined_file, "remove file", path, "No such file or directory");
    if (!dies || env_.random_.one_in(2)) env_.change_names({path, "", nullptr});
    if (dies) return io_error("remove file", path);
    return {};
  }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    bool dies;
    if (!env_.enter(&dies) || dies || env_.fires(SimEnv::Fault::kNameError))
      return io_error("read directory", directory);
    env_.notice_names(directory, {});
    std::vector<std::string> names;
    for (const auto& [path, inode] : env_.names_)
      if (directory_of(path) == directory) names.push_back(path.substr(directory.size() + 1));
    return names;
  }

  /// Directories exist as soon as they are named; their own loss is not simulated.
  Status create_directory(const std::string& path) override {
    bool dies;
    if (!env_.enter(&dies) || dies || env_.fires(SimEnv::Fault::kNameError)) return io_error("create directory", path);
    return {};
  }

  Status sync_directory(const std::string& path) override {
    bool dies;
    if (!env_.enter(&dies) || dies || env_.fires(SimEnv::Fault::kNameError)) return io_error("fsync directory", path);
    std::vector<SimEnv::NameChange> others;
    for (SimEnv::NameChange& change : env_.unsynced_names_) {
      const std::string& name = change.add.empty() ? change.remove : change.add;
      if (directory_of(name) == path) {
        SimEnv::apply(env_.durable_names_, change);
      } else {
        others.push_back(std::move(change));
      }
    }
    env_.unsynced_names_ = std::move(others);
    return {};
  }

 private:
  SimEnv& env_;
};

std::string_view SimEnv::fault_name(Fault fault) {
  static constexpr std::string_view kNames[] = {
      "write error", "short write",     "no space",  "sync failure", "read error", "short read",         "name error", "torn write",
      "lost write",  "reordered write", "lost name", "bit flip",     "clock jump", "death within a call"};
  static_assert(std::size(kNames) == kFaults);
  return kNames[static_cast<std::size_t>(fault)];
}

SimEnv::SimEnv(std::uint64_t seed)
    : random_(seed), clock_(std::make_unique<SimClock>(*this)), files_(std::make_unique<SimFileSystem>(*this)) {}
SimEnv::~SimEnv() = default;

Clock& SimEnv::clock() { return *clock_; }
FileSystem& SimEnv::files() { return *files_; }

void SimEnv::entropy(void* into, std::size_t bytes) {
  char* at = static_cast<char*>(into);
  for (std::size_t i = 0; i < bytes; ++i) at[i] = static_cast<char>(random_.next() & 0xff);
}

void SimEnv::fatal(const std::string& message) {
  if (fatal_message_.empty()) fatal_message_ = message;
  dead_ = true;
}

void SimEnv::jump_wall_clock(std::int64_t us) {
  wall_us_ += us;
  clock_jumped_ = clock_jumped_ || us != 0;
}

std::uint64_t SimEnv::used_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [path, inode] : names_) bytes += inode->cache.size();
  return bytes;
}

bool SimEnv::fires(Fault fault) {
  const std::uint64_t one_in = one_in_[static_cast<std::size_t>(fault)];
  if (one_in == 0 || !random_.one_in(one_in)) return false;
  count(fault);
  return true;
}

bool SimEnv::enter(bool* dies) {
  *dies = false;
  if (dead_) return false;
  if (++calls_ == die_at_call_) {
    *dies = true;
    dead_ = true;
    count(Fault::kDeath);
  }
  return true;
}

void SimEnv::apply(Names& names, const NameChange& change) {
  if (!change.remove.empty()) names.erase(change.remove);
  if (!change.add.empty()) names[change.add] = change.inode;
}

void SimEnv::change_names(NameChange change) {
  apply(names_, change);
  unsynced_names_.push_back(std::move(change));
}

void SimEnv::restart() {
  dead_ = false;
  die_at_call_ = 0;
  fatal_message_.clear();
  ++generation_;
}

void SimEnv::crash() {
  dead_ = true;
  // Sometimes everything goes, sometimes everything stays, mostly it is mixed.
  const std::uint64_t kind = random_.below(8);
  const std::uint64_t keep = kind == 0 ? 0 : kind == 1 ? 256 : 16 + random_.below(225);
  std::vector<const NameChange*> lost;
  for (const NameChange& change : unsynced_names_) {
    if (random_.below(256) < keep) {
      apply(durable_names_, change);
    } else {
      lost.push_back(&change);
    }
  }
  const auto survives = [&](const std::string& name) {
    const auto before = names_.find(name), after = durable_names_.find(name);
    const std::shared_ptr<Inode> none;
    return name.empty() ||
           (before == names_.end() ? none : before->second) == (after == durable_names_.end() ? none : after->second);
  };
  for (const NameChange* const change : lost)
    if (!survives(change->add) || !survives(change->remove))
      lost_names_.push_back(survives(change->add) ? change->remove : change->add);
  unsynced_names_.clear();
  names_ = durable_names_;
  std::set<Inode*> seen;
  for (const auto& [path, inode] : names_)
    if (seen.insert(inode.get()).second) crash_file(*inode, keep);
}

void SimEnv::crash_file(Inode& inode, std::uint64_t keep_in_256) {
  struct Fate {
    bool kept = false, lost = false;  ///< sectors that this changed
    std::uint64_t begin = ~std::uint64_t{0}, end = 0;  ///< of the lost ones
  };
  std::map<std::uint64_t, Fate> writes;
  const bool grows = inode.cache.size() > inode.disk.size() && random_.below(256) < keep_in_256;
  const bool in_order = random_.one_in(6);  // the device was as far as some sector, in the order of the file
  bool any_lost = false;
  std::uint64_t earliest_lost = ~std::uint64_t{0}, reordered_end = 0;
  for (std::size_t s = 0; s < inode.dirty.size(); ++s) {
    if (inode.dirty[s] == 0) continue;
    Fate& fate = writes[inode.dirty[s]];
    const auto [begin, end] = inode.range(s);
    const bool inside = grows || end <= inode.disk.size();
    const bool differs = inode.differs(s);
    if (inside && !(in_order && any_lost) && random_.below(256) < keep_in_256) {
      inode.to_disk(s);
      fate.kept = fate.kept || differs;
      if (differs && earliest_lost < begin) reordered_end = begin;
    } else {
      any_lost = true;
      if (differs) {
        fate.lost = true;
        fate.begin = std::min<std::uint64_t>(fate.begin, begin);
        fate.end = std::max<std::uint64_t>(fate.end, end);
        earliest_lost = std::min<std::uint64_t>(earliest_lost, begin);
      }
    }
    inode.dirty[s] = 0;
  }
  for (const auto& [id, fate] : writes)
    if (fate.lost) inode.scars.push_back({fate.kept ? Fault::kTornWrite : Fault::kLostWrite, fate.begin, fate.end});
  if (reordered_end != 0) inode.scars.push_back({Fault::kReorderedWrite, earliest_lost, reordered_end});
  if (grows) inode.disk.resize(inode.cache.size());
  inode.cache = inode.disk;
  inode.dirty.assign((inode.cache.size() + kSectorBytes - 1) / kSectorBytes, 0);
}

void SimEnv::flip_bit(const std::string& path, std::uint64_t bit, bool back) {
  Inode& inode = *names_.at(path);
  const auto flip = [&](std::vector<char>& bytes) {
    if (bit / 8 < bytes.size()) bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  };
  flip(inode.cache);
  flip(inode.disk);
  if (back) {
    std::erase_if(inode.scars, [&](const Scar& scar) { return scar.fault == Fault::kBitFlip && scar.begin == bit / 8; });
  } else {
    inode.scars.push_back({Fault::kBitFlip, bit / 8, bit / 8 + 1});
  }
}

void SimEnv::notice_names(const std::string& directory, const std::string& path) {
  std::erase_if(lost_names_, [&](const std::string& name) {
    if (path.empty() ? directory_of(name) != directory : name != path) return false;
    count(Fault::kLostName);
    return true;
  });
}

void SimEnv::overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  Inode& inode = *names_.at(path);
  DB_ASSERT(offset + bytes.size() <= inode.cache.size() && offset + bytes.size() <= inode.disk.size());
  std::memcpy(inode.cache.data() + offset, bytes.data(), bytes.size());
  std::memcpy(inode.disk.data() + offset, bytes.data(), bytes.size());
}

std::string SimEnv::content(const std::string& path) const {
  const Inode& inode = *names_.at(path);
  return {inode.cache.begin(), inode.cache.end()};
}

}  // namespace wandian
