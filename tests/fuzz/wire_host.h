// One connection without a socket, for fuzzers: bytes in, replies checked, time standing still.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/wire/fake_sql.h"
#include "wire/connection.h"
#include "wire/protocol_reader.h"

namespace wandian::wire::test {

inline void require(bool condition) {
  if (!condition) std::abort();
}

class FuzzHost final : public ConnectionHost {
 public:
  explicit FuzzHost(Authentication authentication) {
    options_.authentication = authentication;
    options_.max_message_bytes = 1 << 20;
    options_.output_limit_bytes = 4096;
    options_.gated_output_limit_bytes = 8192;
    database_.shards.push_back(std::make_unique<FakeShard>());
    factory_ = database_.factory();
    RoleLogin alice;
    alice.exists = alice.can_login = true;
    static const std::string verifier = make_verifier("secret", 1, "salt");
    alice.verifier = verifier;
    authenticator_.roles["alice"] = alice;
    connection_ = std::make_unique<Connection>(*this, Peer{"127.0.0.1", 1});
  }
  ~FuzzHost() override { connection_.reset(); }

  /// Feeds bytes as a socket would, in pieces of at most `piece` bytes, and checks what comes out.
  void feed(std::string_view bytes, std::size_t piece) {
    piece = std::max<std::size_t>(piece, 1);
    while (!bytes.empty() && !connection_->closing()) {
      input_.append(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      work();
    }
  }
  void finish() {
    if (!connection_->closing() && !connection_->pending()) connection_->end_of_input();
    drain();
    require(connection_->pending() || parse_replies());
  }
  Connection& connection() { return *connection_; }

  const WireOptions& options() const override { return options_; }
  Authenticator& authenticator() override { return authenticator_; }
  Result<std::unique_ptr<sql::Session>> open_session(sql::SessionSink& sink, const sql::SessionIdentity& identity) override {
    return factory_(0, sink, identity);
  }
  Status admit(Connection&) override { return {}; }
  Status admit_role(bool) override { return {}; }
  std::int32_t assign_process_id(Connection&) override { return 1; }
  void handshake_done(Connection&) override {}
  void cancel(std::int32_t, std::uint32_t) override {}
  void output_appended(Connection&) override {}
  void resume(Connection&) override {}   // work() looks itself
  std::int64_t now_us() override { return 0; }
  void entropy(void* into, std::size_t bytes) override { std::fill_n(static_cast<char*>(into), bytes, 'e'); }
  BufferPool& buffers() override { return buffers_; }
  DecodeScratch& scratch() override { return scratch_; }

 private:
  void work() {
    for (int rounds = 0; rounds < 100; ++rounds) {
      if (connection_->pending()) {
        drain();
        database_.shards[0]->release_waiting();
        database_.shards[0]->step();
        connection_->proceed();
      }
      const std::size_t done = connection_->consume(input_.data(), input_.size());
      require(done <= input_.size());
      input_.erase(0, done);
      drain();
      if (!connection_->more_to_handle() && !connection_->pending()) return;
    }
  }
  // Takes what may leave; what waits for a commit is released every other time.
  void drain() {
    GatedOutput& output = connection_->output();
    for (int i = 0; i < 2; ++i) {
      output.release(i == 0 ? database_.clock.released() : Lsn{database_.clock.tail()});
      while (output.sendable()) {
        iovec pieces[4];
        const std::size_t count = output.gather(pieces, 4);
        require(count > 0);
        std::size_t bytes = 0;
        for (std::size_t k = 0; k < count; ++k) {
          replies_.append(static_cast<const char*>(pieces[k].iov_base), pieces[k].iov_len);
          bytes += pieces[k].iov_len;
        }
        output.consumed(bytes);
      }
      parse_replies();
    }
  }
  // Replies must be well framed; returns whether none is left over in part.
  bool parse_replies() {
    std::size_t at = 0;
    while (at < replies_.size()) {
      if (replies_[at] == 'N' && (replies_.size() - at < 5 || load_uint32(replies_.data() + at + 1) > 100'000)) {
        ++at;   // the one-byte answer to SSLRequest
        continue;
      }
      constexpr std::string_view kOldError = "EFATAL:  unsupported frontend protocol ";   // as protocol 2 framed it: a string
      if (replies_.compare(at, kOldError.size(), kOldError) == 0) {
        const std::size_t zero = replies_.find('\0', at);
        require(zero != std::string::npos && zero + 1 == replies_.size() && connection_->closing());
        at = zero + 1;
        continue;
      }
      if (replies_.size() - at < 5) break;
      const std::uint32_t length = load_uint32(replies_.data() + at + 1);
      require(std::string_view("RSKZTDC123tnIsGHcEAvN").find(replies_[at]) != std::string_view::npos);
      require(length >= 4 && length < 10'000'000);
      if (replies_.size() - at < 1 + std::size_t{length}) break;
      at += 1 + std::size_t{length};
    }
    replies_.erase(0, at);
    return replies_.empty();
  }

  WireOptions options_;
  FakeDatabase database_;
  SessionFactory factory_;
  FakeAuthenticator authenticator_;
  BufferPool buffers_;
  DecodeScratch scratch_;
  std::unique_ptr<Connection> connection_;
  std::string input_, replies_;
};

}  // namespace wandian::wire::test
