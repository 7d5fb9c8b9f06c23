#include "wire/protocol_writer.h"

#include <gtest/gtest.h>

#include "tests/storage/request_memory_limit.h"

namespace wandian::wire {
namespace {

TEST(ProtocolWriter, AMessageThatDoesNotFitLeavesNothingBehind) {
  OutBuffer out;
  write_ready_for_query(out, 'I');
  const std::size_t before = out.size();
  const RequestMemoryLimit limit(5u << 20);
  const Status long_one{sqlstate::invalid_text_representation, std::string(6u << 20, 'x')};
  EXPECT_THROW(write_error_record(out, 'E', long_one.error(), Severity::kError), std::bad_alloc);
  EXPECT_EQ(out.size(), before);
  const Status short_one{sqlstate::out_of_memory, "out of memory"};
  write_error_record(out, 'E', short_one.error(), Severity::kError);
  EXPECT_GT(out.size(), before);
  EXPECT_EQ(out.data()[before], 'E');
}

TEST(ProtocolWriter, ABufferOfEverydaySizeIsGrantedBeyondTheLimit) {
  const RequestMemoryLimit limit(0);
  OutBuffer out;
  const std::string kilobyte(1024, 'x');
  for (int i = 0; i < 3000; ++i) out.append(kilobyte);
  EXPECT_THROW(
      {
        for (int i = 0; i < 3000; ++i) out.append(kilobyte);
      },
      std::bad_alloc);
}

}  // namespace
}  // namespace wandian::wire
