#include "observe/process_metrics.h"

#include <fmt/format.h>

#include "io/process_usage.h"

namespace joiner::observe {

std::string process_metrics() {
    const io::ProcessUsage usage = io::process_usage();
    const auto lines = [](std::string_view name, std::string_view type, std::string_view help, double value) {
        return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type, help, value);
    };
    return lines("process_cpu_seconds_total", "counter", "CPU time that the process has used.",
                 usage.cpu_seconds) +
           lines("process_resident_memory_bytes", "gauge", "Memory of the process that is resident.",
                 static_cast<double>(usage.resident_bytes)) +
           lines("go_gc_heap_live_bytes", "gauge",
                 "Heap in use; the name is that of programs in Go, which dashboards ask for.",
                 static_cast<double>(usage.heap_bytes));
}

}  // namespace joiner::observe
