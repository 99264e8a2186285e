#include "kube/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/rng.h"
#include "kube/credentials.h"
#include "kube/status.h"
#include "kube/token_bucket.h"

namespace joiner::kube {
namespace {

constexpr Duration kLongestInQueue = std::chrono::seconds{30};
constexpr Duration kFirstRetryDelay = std::chrono::milliseconds{100};
constexpr int kMaxNotSentRetries = 2;
constexpr int kMaxGetRetries = 1;
constexpr int kMaxLeasesInFlight = 2;
constexpr std::size_t kLaneCount = 3;
constexpr std::string_view kDoesNotLead = "this process does not lead";

// One that has to pass the gate.
bool is_write(const Request& request) {
    return request.method != "GET" && request.method != "HEAD" && request.lane != Lane::kLease;
}

struct Job {
    Request request;
    Done done;
    Duration queued_at{0};
    int transport_retries = 0;
    bool has_renewed = false;
    std::uint64_t generation = 0;  // Of the credentials it was last sent with.
};
using JobPtr = std::shared_ptr<Job>;

struct LaneState {
    int max_in_flight = 0;
    int in_flight = 0;
    std::deque<JobPtr> queue;
};

// A stream by our own id, since it may have to wait for credentials before HttpClient knows it.
struct StreamState {
    Request request;
    Duration silence{0};
    io::StreamHandlers handlers;
    Duration queued_at{0};
    std::uint64_t generation = 0;
    io::RequestId http_id = 0;  // 0 while it waits.
};
using StreamPtr = std::shared_ptr<StreamState>;

}  // namespace

class Client::Impl {
  public:
    Impl(io::Loop& loop, io::HttpClient& http, Config config, ClientOptions options)
        : loop_(loop),
          http_(http),
          options_(std::move(options)),
          rng_(options_.seed),
          bucket_(options_.qps, options_.burst),
          credentials_(loop, std::move(config), [this] { pump(); }) {
        lane(Lane::kDefault).max_in_flight = options_.max_in_flight;
        lane(Lane::kBinding).max_in_flight = options_.max_bindings_in_flight;
        lane(Lane::kLease).max_in_flight = kMaxLeasesInFlight;
    }
    ~Impl() {
        for (const io::TimerId timer : {pump_timer_, expiry_timer_}) loop_.cancel(timer);
        for (const auto& [id, job] : in_flight_) http_.cancel(id);
        for (const auto& [id, stream] : streams_) {
            if (stream->http_id != 0) http_.cancel(stream->http_id);
        }
    }

    void send(Request request, Done done) {
        auto job = std::make_shared<Job>();
        job->request = std::move(request);
        job->done = std::move(done);
        job->queued_at = loop_.monotonic();
        if (!may_go(job->request)) return fail_soon(job, kDoesNotLead);
        if (queued() >= options_.max_queued && job->request.lane != Lane::kLease) {
            return fail_soon(job, "too many requests are waiting");
        }
        lane(job->request.lane).queue.push_back(std::move(job));
        pump();
    }

    io::RequestId stream(Request request, Duration silence, io::StreamHandlers handlers) {
        const io::RequestId id = next_stream_id_++;
        auto stream = std::make_shared<StreamState>();
        stream->request = std::move(request);
        stream->silence = silence;
        stream->handlers = std::move(handlers);
        stream->queued_at = loop_.monotonic();
        streams_.emplace(id, std::move(stream));
        waiting_streams_.push_back(id);
        pump();
        return id;
    }

    void cancel(io::RequestId id) {
        const auto found = streams_.find(id);
        if (found == streams_.end()) return;
        const StreamPtr stream = found->second;  // Its handlers may be running: they live until they return.
        streams_.erase(found);
        if (stream->http_id != 0) http_.cancel(stream->http_id);
    }

    void finish_writes(std::function<void()> done) {
        is_closed_ = true;
        on_finished_ = std::move(done);
        for (LaneState& each : lanes_) {
            for (const JobPtr& job : each.queue) {
                if (is_write(job->request)) fail_soon(job, kDoesNotLead);
            }
            std::erase_if(each.queue, [](const JobPtr& job) { return is_write(job->request); });
        }
        say_if_finished();
    }

    Counters counters_;
    bool is_unreachable_ = false;  // The last request had no answer.

  private:
    LaneState& lane(Lane which) { return lanes_[static_cast<std::size_t>(which)]; }

    bool may_write() const { return !is_closed_ && (!options_.may_write || options_.may_write()); }
    bool may_go(const Request& request) const { return !is_write(request) || may_write(); }

    void say_if_finished() {
        if (on_finished_ && writes_in_flight_ == 0) loop_.post(std::exchange(on_finished_, nullptr));
    }

    std::size_t queued() const {
        std::size_t count = 0;
        for (const LaneState& each : lanes_) count += each.queue.size();
        return count;
    }

    // Sends whatever may be sent now, and sees to it that it is called again when more may be.
    void pump() {
        const Credentials::Identity* identity = credentials_.current();
        if (identity == nullptr) {
            if (const auto& problem = credentials_.problem()) fail_waiting(*problem);
        } else {
            start_streams(*identity);
            for (LaneState& each : lanes_) pump_lane(each, *identity);
        }
        set_expiry_timer();
    }

    void pump_lane(LaneState& each, const Credentials::Identity& identity) {
        const bool is_limited = &each == &lane(Lane::kDefault);
        while (!each.queue.empty() && each.in_flight < each.max_in_flight) {
            const JobPtr job = each.queue.front();
            if (has_expired(job->queued_at)) {
                each.queue.pop_front();
                fail_soon(job, "waited too long in our own queue");
                continue;
            }
            if (!may_go(job->request)) {
                each.queue.pop_front();
                fail_soon(job, kDoesNotLead);
                continue;
            }
            if (is_limited && !bucket_.try_take(loop_.monotonic())) return set_pump_timer();
            each.queue.pop_front();
            dispatch(job, identity);
        }
    }

    void dispatch(const JobPtr& job, const Credentials::Identity& identity) {
        ++counters_.requests;
        ++lane(job->request.lane).in_flight;
        if (is_write(job->request)) ++writes_in_flight_;
        job->generation = identity.generation;
        const auto id_box = std::make_shared<io::RequestId>(0);
        *id_box = http_.send(http_request(job->request, identity, job->request.timeout),
                             [this, job, id_box](io::HttpResult response) {
                                 in_flight_.erase(*id_box);
                                 --lane(job->request.lane).in_flight;
                                 if (is_write(job->request)) --writes_in_flight_;
                                 say_if_finished();
                                 on_answer(job, std::move(response));
                             });
        in_flight_.emplace(*id_box, job);
    }

    io::HttpRequest http_request(const Request& request, const Credentials::Identity& identity,
                                 Duration timeout) const {
        io::HttpRequest http;
        http.method = request.method;
        http.endpoint = identity.endpoint;
        http.target = request.query.empty() ? request.path : request.path + "?" + request.query;
        http.headers = {{"Accept", "application/json"}, {"User-Agent", options_.user_agent}};
        if (!request.body.empty()) http.headers.emplace_back("Content-Type", request.content_type);
        if (!identity.token.empty()) http.headers.emplace_back("Authorization", "Bearer " + identity.token);
        http.body = request.body;
        http.timeout = timeout;
        http.accept_gzip = request.accept_gzip;
        if (is_write(request)) http.may_go = [this] { return may_write(); };
        return http;
    }

    void on_answer(const JobPtr& job, io::HttpResult response) {
        if (options_.answered) options_.answered(job->request.method, response ? response->code : 0);
        if (response && response->code < 500 && std::exchange(is_unreachable_, false)) ++counters_.recoveries;
        if (!response) {
            ++counters_.failures;
            is_unreachable_ = true;
            if (may_retry(*job, response.error())) {
                retry_later(job);
            } else {
                Error error = std::move(response.error());
                error.message =
                    fmt::format("{} {}: {}", job->request.method, job->request.path, error.message);
                finish(job, tl::unexpected<Error>(std::move(error)));
            }
        } else if (response->code == 401 && !job->has_renewed && credentials_.refused(job->generation)) {
            job->has_renewed = true;
            lane(job->request.lane).queue.push_front(job);
            pump();
        } else if (response->code >= 200 && response->code < 300) {
            finish(job, std::move(response->body));
        } else {
            if (response->code == 429) ++counters_.throttled_by_server;
            finish(job, tl::unexpected<Error>(error_of_answer(job->request.method, job->request.path,
                                                              response->code, response->body,
                                                              response->retry_after_seconds)));
        }
    }

    // The handler may send more, and may be the last thing before the client is destroyed.
    void finish(const JobPtr& job, Result<std::string> result) {
        const std::weak_ptr<bool> alive = alive_;
        if (job->done) std::exchange(job->done, nullptr)(std::move(result));
        if (!alive.expired()) pump();
    }

    static bool may_retry(const Job& job, const io::HttpError& error) {
        if (error.kind != ErrorKind::kUnavailable) return false;
        if (!error.was_sent) return job.transport_retries < kMaxNotSentRetries;
        return job.request.method == "GET" && job.transport_retries < kMaxGetRetries;
    }

    void retry_later(const JobPtr& job) {
        const Duration base = kFirstRetryDelay * (1 << job->transport_retries++);
        const Duration delay = from_seconds(to_seconds(base) * (0.5 + rng_.unit()));
        loop_.after(delay, [this, job, alive = std::weak_ptr<bool>(alive_)] {
            if (alive.expired()) return;
            lane(job->request.lane).queue.push_front(job);
            pump();
        });
        pump();
    }

    bool has_expired(Duration queued_at) const { return loop_.monotonic() - queued_at >= kLongestInQueue; }

    // Answers by a posted task: callers do not expect an answer from inside send().
    void fail_soon(const JobPtr& job, std::string_view why) {
        loop_.post([job, why = std::string(why), alive = std::weak_ptr<bool>(alive_)] {
            if (alive.expired() || !job->done) return;
            std::exchange(job->done, nullptr)(
                fail(ErrorKind::kUnavailable,
                     fmt::format("{} {}: not sent: {}", job->request.method, job->request.path, why)));
        });
    }
    void fail_soon(const StreamPtr& stream, io::RequestId id, std::string_view why) {
        loop_.post([this, id, stream, why = std::string(why), alive = std::weak_ptr<bool>(alive_)] {
            if (alive.expired() || streams_.erase(id) == 0 || !stream->handlers.on_end) return;
            stream->handlers.on_end(
                fail(ErrorKind::kUnavailable,
                     fmt::format("{} {}: not sent: {}", stream->request.method, stream->request.path, why)));
        });
    }

    void fail_waiting(const Error& problem) {
        for (LaneState& each : lanes_) {
            for (const JobPtr& job : each.queue) fail_soon(job, problem.message);
            each.queue.clear();
        }
        for (const io::RequestId id : std::exchange(waiting_streams_, {})) {
            const auto found = streams_.find(id);
            if (found != streams_.end()) fail_soon(found->second, id, problem.message);
        }
    }

    void set_pump_timer() {
        if (pump_timer_ != 0) return;
        pump_timer_ = loop_.after(bucket_.wait(loop_.monotonic()), [this] {
            pump_timer_ = 0;
            pump();
        });
    }

    // At the moment when the oldest waiting request has waited too long.
    void set_expiry_timer() {
        if (expiry_timer_ != 0) return;
        std::optional<Duration> oldest;
        for (const LaneState& each : lanes_) {
            if (each.queue.empty()) continue;
            const Duration at = each.queue.front()->queued_at;
            oldest = std::min(oldest.value_or(at), at);
        }
        for (const io::RequestId id : waiting_streams_) {
            const auto found = streams_.find(id);
            if (found != streams_.end())
                oldest = std::min(oldest.value_or(found->second->queued_at), found->second->queued_at);
        }
        if (!oldest) return;
        expiry_timer_ = loop_.after(*oldest + kLongestInQueue - loop_.monotonic(), [this] {
            expiry_timer_ = 0;
            expire();
            pump();
        });
    }

    void expire() {
        for (LaneState& each : lanes_) {
            while (!each.queue.empty() && has_expired(each.queue.front()->queued_at)) {
                const JobPtr job = each.queue.front();
                each.queue.pop_front();
                fail_soon(job, "waited too long in our own queue");
            }
        }
        std::erase_if(waiting_streams_, [this](io::RequestId id) {
            const auto found = streams_.find(id);
            if (found == streams_.end()) return true;
            if (!has_expired(found->second->queued_at)) return false;
            fail_soon(found->second, id, "waited too long for credentials");
            return true;
        });
    }

    void start_streams(const Credentials::Identity& identity) {
        for (const io::RequestId id : std::exchange(waiting_streams_, {})) {
            const auto found = streams_.find(id);
            if (found != streams_.end()) start_stream(id, found->second, identity);
        }
    }

    void start_stream(io::RequestId id, const StreamPtr& stream, const Credentials::Identity& identity) {
        ++counters_.requests;
        stream->generation = identity.generation;
        io::HttpRequest request = http_request(stream->request, identity, Duration{0});
        request.silence = stream->silence;
        io::StreamHandlers handlers;
        // A refused stream ends as any other; what is renewed here serves the next attempt.
        handlers.on_start = [this, stream](int code) {
            if (code == 401) credentials_.refused(stream->generation);
            if (stream->handlers.on_start) stream->handlers.on_start(code);
        };
        handlers.on_data = [stream](std::string_view data) {
            if (stream->handlers.on_data) stream->handlers.on_data(data);
        };
        handlers.on_end = [this, id, stream](Status status) {
            streams_.erase(id);
            if (!status) {
                ++counters_.failures;
                status.error().message = fmt::format("{} {}: {}", stream->request.method,
                                                     stream->request.path, status.error().message);
            }
            if (stream->handlers.on_end) stream->handlers.on_end(std::move(status));
        };
        stream->http_id = http_.stream(std::move(request), std::move(handlers));
    }

    io::Loop& loop_;
    io::HttpClient& http_;
    const ClientOptions options_;
    Rng rng_;  // Only for the jitter of retries.
    TokenBucket bucket_;
    Credentials credentials_;
    std::array<LaneState, kLaneCount> lanes_;
    std::unordered_map<io::RequestId, JobPtr> in_flight_;
    std::unordered_map<io::RequestId, StreamPtr> streams_;
    std::vector<io::RequestId> waiting_streams_;
    io::RequestId next_stream_id_ = 1;
    int writes_in_flight_ = 0;
    bool is_closed_ = false;
    std::function<void()> on_finished_;
    io::TimerId pump_timer_ = 0;
    io::TimerId expiry_timer_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Client::Client(io::Loop& loop, io::HttpClient& http, Config config, ClientOptions options)
    : impl_(std::make_unique<Impl>(loop, http, std::move(config), std::move(options))) {}
Client::~Client() = default;

void Client::send(Request request, Done done) {
    impl_->send(std::move(request), std::move(done));
}

void Client::finish_writes(std::function<void()> done) {
    impl_->finish_writes(std::move(done));
}

io::RequestId Client::stream(Request request, Duration silence, io::StreamHandlers handlers) {
    return impl_->stream(std::move(request), silence, std::move(handlers));
}
void Client::cancel(io::RequestId id) {
    impl_->cancel(id);
}
const Client::Counters& Client::counters() const {
    return impl_->counters_;
}

}  // namespace joiner::kube
