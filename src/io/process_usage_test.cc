#include "io/process_usage.h"

#include <gtest/gtest.h>

#include <vector>

namespace joiner::io {
namespace {

TEST(ProcessUsage, says_what_this_process_uses) {
    const std::vector<char> some(8 << 20, 'x');
    const ProcessUsage usage = process_usage();
    EXPECT_GT(usage.cpu_seconds, 0);
    EXPECT_GT(usage.resident_bytes, some.size());
}

}  // namespace
}  // namespace joiner::io
