// What this process uses of the machine, as the kernel and the allocator know it. Any thread.
#pragma once

#include <cstdint>

namespace joiner::io {

struct ProcessUsage {
    double cpu_seconds = 0;  // In user and in kernel mode, since it started.
    std::uint64_t resident_bytes = 0;
    std::uint64_t heap_bytes = 0;  // That are allocated and not given back.
};

// What cannot be found out is 0.
ProcessUsage process_usage();

}  // namespace joiner::io
