#include "io/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <thread>

#include "base/check.h"

extern char** environ;

namespace joiner::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxErrorBytes = 4096;
// How soon an exit or a cancellation is seen when no output tells of it.
constexpr std::chrono::milliseconds kTick{20};

std::vector<std::string> merged_environment(const std::vector<std::pair<std::string, std::string>>& extra) {
    std::map<std::string, std::string> merged;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos) continue;
        merged.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    for (const auto& [name, value] : extra) merged.insert_or_assign(name, value);
    std::vector<std::string> lines;
    lines.reserve(merged.size());
    for (const auto& [name, value] : merged) lines.push_back(name + "=" + value);
    return lines;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

struct Pipe {
    int ends[2] = {-1, -1};
    Pipe() { CHECK(pipe2(ends, O_CLOEXEC) == 0); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_end(0);
        close_end(1);
    }
    void close_end(int which) {
        if (ends[which] >= 0) close(ends[which]);
        ends[which] = -1;
    }
};

// The child gets a process group of its own, default signals, no input, and none of our other descriptors.
Result<pid_t> spawn(const ProcessRequest& request, const Pipe& output, const Pipe& error) {
    std::vector<std::string> arguments{request.command};
    arguments.insert(arguments.end(), request.arguments.begin(), request.arguments.end());
    std::vector<std::string> environment = merged_environment(request.environment);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error.ends[1], STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);

    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGTERM, SIGINT, SIGHUP}) sigaddset(&defaults, number);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

    pid_t pid = 0;
    const int number = posix_spawnp(&pid, request.command.c_str(), &actions, &attributes,
                                    pointers_to(arguments).data(), pointers_to(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (number == 0) return pid;
    return fail(number == ENOENT ? ErrorKind::kNotFound : ErrorKind::kUnavailable,
                fmt::format("{}: {}", request.command, std::strerror(number)));
}

// Reads what is there now. False at the end of the stream.
bool drain(int fd, std::string& text, std::size_t keep) {
    char buffer[4096];
    while (true) {
        const ssize_t count = read(fd, buffer, sizeof buffer);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        if (count == 0) return false;
        if (text.size() < keep)
            text.append(buffer, std::min(static_cast<std::size_t>(count), keep - text.size()));
    }
}

int exit_code_of(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

class ChildProcess::Impl {
  public:
    Impl(Loop& loop, ProcessRequest request, Done done)
        : loop_(loop), request_(std::move(request)), done_(std::make_shared<Done>(std::move(done))) {
        thread_ = std::thread([this] { report(watch()); });
    }
    ~Impl() {
        killed_.store(true);
        thread_.join();
    }

  private:
    void report(Result<ProcessOutput> outcome) {
        loop_.post([done = std::weak_ptr<Done>(done_), outcome = std::move(outcome)]() mutable {
            // Held here, since the handler may destroy the ChildProcess.
            if (const auto held = done.lock()) (*held)(std::move(outcome));
        });
    }

    Result<ProcessOutput> watch() {
        Pipe output;
        Pipe error;
        TRY(const pid_t pid, spawn(request_, output, error));
        output.close_end(1);
        error.close_end(1);
        fcntl(output.ends[0], F_SETFL, O_NONBLOCK);
        fcntl(error.ends[0], F_SETFL, O_NONBLOCK);
        ProcessOutput result;
        const std::optional<Error> problem = follow(pid, output, error, result);
        if (problem) {
            kill(-pid, SIGKILL);
            int status = 0;
            waitpid(pid, &status, 0);
            return tl::unexpected<Error>(*problem);
        }
        return result;
    }

    // Until the child has exited, or an error after which it is to be killed.
    std::optional<Error> follow(pid_t pid, Pipe& output, Pipe& error, ProcessOutput& result) {
        const auto deadline = Clock::now() + request_.timeout;
        while (true) {
            pollfd fds[2] = {{output.ends[0], POLLIN, 0}, {error.ends[0], POLLIN, 0}};
            poll(fds, 2, static_cast<int>(kTick.count()));
            int status = 0;
            // Looked at before the pipes, so that all the child wrote is read after its exit was seen.
            const bool has_exited = waitpid(pid, &status, WNOHANG) == pid;
            if (output.ends[0] >= 0 &&
                !drain(output.ends[0], result.standard_output, request_.max_output_bytes + 1)) {
                output.close_end(0);
            }
            if (error.ends[0] >= 0 && !drain(error.ends[0], result.standard_error, kMaxErrorBytes))
                error.close_end(0);
            if (has_exited) {
                result.exit_code = exit_code_of(status);
                return std::nullopt;
            }
            if (result.standard_output.size() > request_.max_output_bytes) {
                return Error{ErrorKind::kInvalid, fmt::format("{}: printed more than {} bytes",
                                                              request_.command, request_.max_output_bytes)};
            }
            if (killed_.load()) return Error{ErrorKind::kUnavailable, request_.command + ": cancelled"};
            if (Clock::now() >= deadline) {
                return Error{ErrorKind::kUnavailable,
                             fmt::format("{}: did not end within {}", request_.command,
                                         format_duration(request_.timeout))};
            }
        }
    }

    Loop& loop_;
    const ProcessRequest request_;
    std::shared_ptr<Done> done_;
    std::atomic<bool> killed_{false};
    std::thread thread_;
};

ChildProcess::ChildProcess(Loop& loop, ProcessRequest request, Done done)
    : impl_(std::make_unique<Impl>(loop, std::move(request), std::move(done))) {}
ChildProcess::~ChildProcess() = default;

}  // namespace joiner::io
