#include "io/process_usage.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>

// Of jemalloc, where the program is linked with it.
extern "C" int mallctl(const char* name, void* old, std::size_t* old_size, void* given,
                       std::size_t given_size) __attribute__((weak));

namespace joiner::io {
namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (!(statm >> size >> resident)) return 0;
    return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::uint64_t heap_bytes() {
    if (mallctl == nullptr) return mallinfo2().uordblks;
    std::uint64_t epoch = 1;
    std::size_t size = sizeof(epoch);
    (void)mallctl("epoch", &epoch, &size, &epoch, size);
    std::size_t allocated = 0;
    size = sizeof(allocated);
    return mallctl("stats.allocated", &allocated, &size, nullptr, 0) == 0 ? allocated : 0;
}

}  // namespace

ProcessUsage process_usage() {
    ProcessUsage out;
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    out.resident_bytes = resident_bytes();
    out.heap_bytes = heap_bytes();
    return out;
}

}  // namespace joiner::io
