#include "sql/functions/pgp/compression.h"

#include <zlib.h>

namespace wandian::sql::pgp {

namespace {

constexpr std::size_t kStep = std::size_t{64} << 10;
constexpr int kRawWindow = -15, kZlibWindow = 15;

int window_of(int algorithm) { return algorithm == kZip ? kRawWindow : kZlibWindow; }
Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

// One step of `run` into fresh room at the end of `out`.
int step(z_stream& stream, int (*run)(z_stream*, int), int flush, std::string* out) {
  const std::size_t had = out->size();
  out->resize(had + kStep);
  stream.next_out = reinterpret_cast<Bytef*>(out->data() + had);
  stream.avail_out = kStep;
  const int answer = run(&stream, flush);
  out->resize(had + kStep - stream.avail_out);
  return answer;
}

}  // namespace

Fault compress(int algorithm, int level, std::string_view data, std::string* out) {
  if (algorithm != kZip && algorithm != kZlib) return Fault::kUnsupportedCompression;
  z_stream stream = {};
  if (deflateInit2(&stream, level, Z_DEFLATED, window_of(algorithm), 8, Z_DEFAULT_STRATEGY) != Z_OK) return Fault::kCompression;
  stream.next_in = bytes_of(data);
  stream.avail_in = static_cast<uInt>(data.size());
  int answer;
  do answer = step(stream, deflate, Z_FINISH, out);
  while (answer == Z_OK);
  deflateEnd(&stream);
  return answer == Z_STREAM_END ? Fault::kNone : Fault::kCompression;
}

Fault decompress(int algorithm, std::string_view data, Trace& trace, std::string* out) {
  z_stream stream = {};
  if (inflateInit2(&stream, window_of(algorithm)) != Z_OK) return Fault::kCompression;
  stream.next_in = bytes_of(data);
  stream.avail_in = static_cast<uInt>(data.size());
  int answer;
  do answer = step(stream, inflate, Z_SYNC_FLUSH, out);
  while (answer == Z_OK && out->size() <= kMostBytes);
  const bool more = stream.avail_in > 0;
  inflateEnd(&stream);
  if (out->size() > kMostBytes) return Fault::kTooLong;
  if (answer != Z_STREAM_END) return trace.corrupt("decompress_read: inflate error: " + std::to_string(answer));
  return more ? trace.corrupt("decompress_read: extra bytes after end of stream") : Fault::kNone;
}

}  // namespace wandian::sql::pgp
