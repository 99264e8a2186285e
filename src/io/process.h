// Runs one child process beside the loop: a helper thread waits for it, and the loop gets the outcome as a
// task. For credential plug-ins. Created and destroyed on the loop's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"

namespace joiner::io {

struct ProcessRequest {
    std::string command;  // Looked up in $PATH unless it holds a slash.
    std::vector<std::string> arguments = {};
    std::vector<std::pair<std::string, std::string>> environment = {};  // On top of ours.
    Duration timeout = std::chrono::seconds{30};
    std::size_t max_output_bytes = 1u << 20;
};

struct ProcessOutput {
    int exit_code = 0;  // 128 + N when signal N ended it.
    std::string standard_output;
    std::string standard_error;  // Its first 4 KiB.
};

class ChildProcess {
  public:
    using Done = std::function<void(Result<ProcessOutput>)>;
    // `done` comes once, as a task of `loop`. Errors: kNotFound (no such command), kUnavailable (could not be
    // started, or took longer than `timeout` and was killed), kInvalid (printed too much, and was killed).
    ChildProcess(Loop& loop, ProcessRequest request, Done done);
    // Kills the child with its process group if it still runs, and waits for that; `done` is not called any
    // more.
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace joiner::io
