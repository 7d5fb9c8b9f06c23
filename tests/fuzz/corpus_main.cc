// A fuzzer's share in ordinary test runs, under any compiler: every file of its corpus, then mutations of them from a fixed seed.
//   NAME CORPUS_DIRECTORY [MUTATIONS]
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

/// A fuzzer with mutations of its own asks for libFuzzer's; nothing here calls them.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t*, std::size_t size, std::size_t) { return size; }

namespace {

std::vector<std::string> read_corpus(const char* directory) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void try_one(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

/// Bytes changed, a range moved, or a part of another input put in.
std::string mutated(const std::vector<std::string>& inputs, std::mt19937_64& random) {
  std::string input = inputs[random() % inputs.size()];
  for (std::uint64_t changes = 1 + random() % 4; changes > 0 && !input.empty(); --changes) {
    const std::size_t at = random() % input.size();
    switch (random() % 4) {
      case 0: input[at] = static_cast<char>(random()); break;
      case 1: input[at] = static_cast<char>(input[at] ^ (1 << random() % 8)); break;
      case 2: input.erase(at, random() % 600); break;
      default: {
        const std::string& other = inputs[random() % inputs.size()];
        if (!other.empty()) input.insert(at, other, random() % other.size(), random() % 600);
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::vector<std::string> inputs = read_corpus(argv[1]);
  const unsigned long mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 0;
  if (inputs.empty()) {
    std::printf("%s holds no inputs\n", argv[1]);
    return 1;
  }
  for (const std::string& input : inputs) try_one(input);
  std::mt19937_64 random(1);
  for (unsigned long i = 0; i < mutations; ++i) try_one(mutated(inputs, random));
  std::printf("%zu inputs and %lu mutations\n", inputs.size(), mutations);
  return 0;
}
