#include "io/real_loop.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "io/steady_wall.h"
#include "io/timer_queue.h"

namespace joiner::io {
namespace {

constexpr Duration kLongestWait = std::chrono::minutes{1};
constexpr long kWarmConnections = 32;

// The write end of the signal pipe of the one loop that listens to signals; -1 when none does.
std::atomic<int> signal_pipe{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void on_raw_signal(int signal) {
    const int saved = errno;
    const auto byte = static_cast<unsigned char>(signal);
    const int fd = signal_pipe.load();
    // A full pipe means that the loop has signals to read already.
    if (fd >= 0) [[maybe_unused]]
        const ssize_t written = write(fd, &byte, 1);
    errno = saved;
}

Duration read_clock(clockid_t clock) {
    timespec ts{};
    CHECK(clock_gettime(clock, &ts) == 0);
    return std::chrono::seconds{ts.tv_sec} + std::chrono::nanoseconds{ts.tv_nsec};
}

void initialise_process_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
        signal(SIGPIPE, SIG_IGN);
    });
}

}  // namespace

class RealLoop::Impl {
  public:
    Impl() {
        initialise_process_once();
        multi_ = curl_multi_init();
        CHECK(multi_ != nullptr);
        // One request a connection, and no HTTP/2: see the decision record on the API client.
        curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
        curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kWarmConnections);
    }
    ~Impl() {
        if (pipe_[0] >= 0) {
            for (const auto& [number, task] : signal_tasks_) signal(number, SIG_DFL);
            signal_pipe.store(-1);
            close(pipe_[0]);
            close(pipe_[1]);
        }
        curl_multi_cleanup(multi_);
    }

    void post(Task task) {
        {
            const std::lock_guard lock(mutex_);
            posted_.push_back(std::move(task));
        }
        if (std::this_thread::get_id() != loop_thread_.load()) curl_multi_wakeup(multi_);
    }

    void stop() {
        stopping_.store(true);
        curl_multi_wakeup(multi_);
    }

    void on_signal(int number, Task task) {
        if (pipe_[0] < 0) {
            CHECK(pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) == 0);
            int none = -1;
            CHECK(signal_pipe.compare_exchange_strong(none, pipe_[1]));
        }
        signal_tasks_[number] = std::move(task);
        struct sigaction action{};
        action.sa_handler = on_raw_signal;
        action.sa_flags = SA_RESTART;
        CHECK(sigaction(number, &action, nullptr) == 0);
    }

    void run() {
        loop_thread_.store(std::this_thread::get_id());
        while (!stopping_.load()) {
            run_posted();
            run_due_timers();
            // Whoever stops the loop may have lost the right to send: nothing goes out after that.
            if (!stopping_.load()) run_network();
            if (!stopping_.load()) wait();
        }
        loop_thread_.store(std::thread::id{});
        stopping_.store(false);
    }

    TimerQueue timers_;
    SteadyWall wall_;
    CURLM* multi_ = nullptr;
    Task network_task_;

  private:
    void run_posted() {
        std::vector<Task> batch;
        {
            const std::lock_guard lock(mutex_);
            batch.swap(posted_);
        }
        for (Task& task : batch) {
            task();
            task = nullptr;
        }
    }

    void run_due_timers() {
        const Duration now = read_clock(CLOCK_BOOTTIME);
        const TimerId limit = timers_.end_id();
        while (auto task = timers_.take_due(now, limit)) (*task)();
    }

    void run_network() {
        int running = 0;
        CHECK(curl_multi_perform(multi_, &running) == CURLM_OK);
        if (network_task_) network_task_();
    }

    void wait() {
        curl_waitfd extra{pipe_[0], CURL_WAIT_POLLIN, 0};
        const unsigned extras = pipe_[0] >= 0 ? 1 : 0;
        CHECK(curl_multi_poll(multi_, &extra, extras, wait_milliseconds(), nullptr) == CURLM_OK);
        if (extras > 0) run_signals();
    }

    int wait_milliseconds() {
        {
            const std::lock_guard lock(mutex_);
            if (!posted_.empty()) return 0;
        }
        Duration wait = kLongestWait;
        if (const auto due = timers_.next_due()) wait = std::min(wait, *due - read_clock(CLOCK_BOOTTIME));
        if (wait <= Duration{0}) return 0;
        // Rounded up: waking before the timer is due would spin until it is.
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
    }

    void run_signals() {
        unsigned char numbers[64];
        ssize_t count = 0;
        while ((count = read(pipe_[0], numbers, sizeof numbers)) > 0) {
            for (ssize_t i = 0; i < count; ++i) {
                const Task task = signal_tasks_[numbers[i]];
                if (task) task();
            }
        }
    }

    std::mutex mutex_;
    std::vector<Task> posted_;
    std::atomic<std::thread::id> loop_thread_{};
    std::atomic<bool> stopping_{false};
    int pipe_[2] = {-1, -1};
    std::map<int, Task> signal_tasks_;
};

RealLoop::RealLoop() : impl_(std::make_unique<Impl>()) {}
RealLoop::~RealLoop() = default;

WallTime RealLoop::now() const {
    return impl_->wall_.at(WallTime{read_clock(CLOCK_REALTIME)}, read_clock(CLOCK_BOOTTIME));
}
Duration RealLoop::monotonic() const {
    return read_clock(CLOCK_BOOTTIME);
}
TimerId RealLoop::after(Duration delay, Task task) {
    return impl_->timers_.add(monotonic() + std::max(delay, Duration{0}), std::move(task));
}
void RealLoop::cancel(TimerId id) {
    impl_->timers_.cancel(id);
}
void RealLoop::post(Task task) {
    impl_->post(std::move(task));
}
void RealLoop::run() {
    impl_->run();
}
void RealLoop::stop() {
    impl_->stop();
}
void RealLoop::on_signal(int signal, Task task) {
    impl_->on_signal(signal, std::move(task));
}
void* RealLoop::multi() const {
    return impl_->multi_;
}

void RealLoop::set_network_task(Task task) {
    CHECK(!task || !impl_->network_task_);
    impl_->network_task_ = std::move(task);
}

}  // namespace joiner::io
