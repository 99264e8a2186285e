#include "observe/process_metrics.h"

#include <gmock/gmock.h>

namespace joiner::observe {
namespace {

TEST(ProcessMetrics, are_there_under_the_names_that_are_asked_for) {
    for (const char* name :
         {"process_cpu_seconds_total", "process_resident_memory_bytes", "go_gc_heap_live_bytes"})
        EXPECT_THAT(process_metrics(), testing::HasSubstr(std::string("\n") + name + " ")) << name;
}

}  // namespace
}  // namespace joiner::observe
