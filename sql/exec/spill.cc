#include "sql/exec/spill.h"

#include <span>

namespace wandian::sql {

SpillPool::SpillPool(Env& env, std::string directory) : env_(env), directory_(std::move(directory)) {}

SpillPool::~SpillPool() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

SpillWait SpillPool::submit(std::function<Status()> work) {
  auto job = std::make_shared<SpillJob>();
  job->work = std::move(work);
  {
    const std::lock_guard guard(mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    jobs_.push_back(job);
  }
  changed_.notify_one();
  return job;
}

void SpillPool::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const SpillWait job = std::move(jobs_.front());
    jobs_.pop_front();
    guard.unlock();
    job->status = job->work();
    job->work = nullptr;                 // what it holds may be the last of its file
    job->done.store(true, std::memory_order_release);
    guard.lock();
  }
}

Result<std::unique_ptr<File>> SpillPool::make_file() {
  FileSystem& files = env_.files();
  if (!prepared_) {
    if (Status status = files.create_directory(directory_); !status.ok()) return status;
    Result<std::vector<std::string>> left = files.list(directory_);
    if (!left.ok()) return left.take_status();
    for (const std::string& name : left.value())
      if (Status status = files.remove(directory_ + "/" + name); !status.ok()) return status;
    prepared_ = true;
  }
  const std::string path = directory_ + "/" + std::to_string(++next_name_);
  Result<std::unique_ptr<File>> file = files.open(path, OpenMode::kCreate);
  if (!file.ok()) return file;
  // Without a name it goes with its last user, whatever becomes of the server.
  if (Status status = files.remove(path); !status.ok()) return status;
  return file;
}

SpillWait SpillFile::append(std::shared_ptr<const std::string> block) {
  const std::uint64_t offset = size_;
  size_ += block->size();
  return pool_.submit([pool = &pool_, state = state_, block = std::move(block), offset]() -> Status {
    if (state->file == nullptr) {
      Result<std::unique_ptr<File>> made = pool->make_file();
      if (!made.ok()) return made.take_status();
      state->file = made.take();
    }
    return state->file->write(std::span<const char>(block->data(), block->size()), offset);
  });
}

SpillWait SpillFile::read(std::uint64_t offset, std::shared_ptr<std::string> into) {
  return pool_.submit([state = state_, into = std::move(into), offset]() -> Status {
    Result<std::size_t> got = state->file->read(into->data(), into->size(), offset);
    if (!got.ok()) return got.take_status();
    if (got.value() != into->size()) return Status(sqlstate::io_error, "could not read from a temporary file: it ended too early");
    return Status{};
  });
}

}  // namespace wandian::sql
