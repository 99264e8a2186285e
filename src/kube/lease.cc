#include "kube/lease.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/check.h"

namespace joiner::kube {
namespace {

using nlohmann::json;

// Tries are spread between one and this many times the retry interval while another holds the lease.
constexpr double kJitter = 1.2;
// So that one dead connection does not cost the lease: this many tries fit before the renew deadline.
constexpr int kTriesBeforeDeadline = 3;

struct LeaseRecord {
    std::string holder;
    std::string renew_time;
    std::string acquire_time;
    int lease_seconds = 0;
    int transitions = 0;

    friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

template <typename T>
T value_at(const json& object, const char* key, T otherwise) {
    const auto found = object.find(key);
    if (found == object.end()) return otherwise;
    if constexpr (std::is_same_v<T, int>) {
        return found->is_number_integer() ? found->template get<int>() : otherwise;
    } else {
        return found->is_string() ? found->template get<std::string>() : otherwise;
    }
}

LeaseRecord record_of(const json& lease) {
    const auto found = lease.find("spec");
    if (found == lease.end() || !found->is_object()) return {};
    return {.holder = value_at(*found, "holderIdentity", std::string{}),
            .renew_time = value_at(*found, "renewTime", std::string{}),
            .acquire_time = value_at(*found, "acquireTime", std::string{}),
            .lease_seconds = value_at(*found, "leaseDurationSeconds", 0),
            .transitions = value_at(*found, "leaseTransitions", 0)};
}

void write_record(json& lease, const LeaseRecord& record) {
    json& spec = lease["spec"];
    if (!spec.is_object()) spec = json::object();
    spec["holderIdentity"] = record.holder;
    spec["leaseDurationSeconds"] = record.lease_seconds;
    spec["acquireTime"] = record.acquire_time;
    spec["renewTime"] = record.renew_time;
    spec["leaseTransitions"] = record.transitions;
}

}  // namespace

// One request is under way at a time. Each try reads the lease if we do not hold a copy that is ours, then
// writes it with that copy's resourceVersion, so that of two writers one gets a conflict.
class LeaderElector::Impl {
  public:
    Impl(io::Loop& loop, Client& client, LeaseOptions options, Rng rng, std::function<void()> on_elected,
         std::function<void()> on_lost)
        : loop_(loop),
          client_(client),
          options_(std::move(options)),
          rng_(rng),
          on_elected_(std::move(on_elected)),
          on_lost_(std::move(on_lost)) {
        CHECK(!options_.identity.empty() && !options_.ns.empty());
        CHECK(options_.retry < options_.renew_deadline && options_.renew_deadline < options_.lease);
    }
    ~Impl() {
        loop_.cancel(try_timer_);
        loop_.cancel(deadline_timer_);
    }

    void start() {
        CHECK(state_ == State::kIdle);
        state_ = State::kCandidate;
        try_once();
    }

    bool is_leader() const {
        // By the clock, not by the timer: after the process was stopped for long the timer may be late.
        return state_ == State::kLeader && loop_.monotonic() - renewed_at_ < options_.renew_deadline;
    }

    void release(std::function<void()> done) {
        const bool was_leader = state_ == State::kLeader;
        state_ = State::kDone;
        loop_.cancel(std::exchange(try_timer_, 0));
        loop_.cancel(std::exchange(deadline_timer_, 0));
        if (!was_leader && !is_busy_) return loop_.post(std::move(done));
        on_released_ = std::move(done);
        // A request under way is waited for: it may be about to win the lease, or to renew it.
        if (!is_busy_) give_back();
    }

  private:
    enum class State { kIdle, kCandidate, kLeader, kDone };
    using Answer = std::function<void(Result<std::string>)>;

    Duration request_timeout() const { return options_.renew_deadline / kTriesBeforeDeadline; }

    void send(std::string method, std::string body, void (Impl::*then)(Result<std::string>)) {
        is_busy_ = true;
        const bool is_create = method == "POST";
        Request request{.method = std::move(method),
                        .path = path_of(kLeases, options_.ns, is_create ? "" : options_.name),
                        .body = std::move(body)};
        request.lane = Lane::kLease;
        request.timeout = request_timeout();
        client_.send(std::move(request),
                     [this, then, alive = std::weak_ptr<bool>(alive_)](Result<std::string> answer) {
                         if (alive.expired()) return;
                         is_busy_ = false;
                         (this->*then)(std::move(answer));
                     });
    }

    void try_once() {
        if (state_ == State::kLeader && !is_leader()) return lose();
        // Our own copy serves as long as it is newest; the first conflict makes us read again.
        if (state_ == State::kLeader && lease_) return write();
        send("GET", {}, &Impl::on_read);
    }

    void on_read(Result<std::string> answer) {
        lease_.reset();
        json lease = answer ? json::parse(*answer, nullptr, false) : json();
        if (lease.is_object()) observe(std::move(lease));
        if (state_ == State::kDone) return give_back();
        if (lease_) {
            // Whoever else holds it, the lease was taken from us, though it may have run out again since.
            if (state_ == State::kLeader && is_another(observed_->holder)) return lose();
            return is_held_by_another() ? try_later() : write();
        }
        const bool is_absent = !answer && answer.error().kind == ErrorKind::kNotFound;
        return is_absent ? write() : try_later();
    }

    bool is_another(const std::string& holder) const {
        return !holder.empty() && holder != options_.identity;
    }

    // Another's clock is not trusted: a lease runs from the moment we first saw its newest record.
    void observe(json lease) {
        LeaseRecord record = record_of(lease);
        if (!observed_ || *observed_ != record) {
            observed_ = std::move(record);
            observed_at_ = loop_.monotonic();
        }
        lease_ = std::move(lease);
    }

    bool is_held_by_another() const {
        if (!is_another(observed_->holder)) return false;
        return loop_.monotonic() - observed_at_ < std::chrono::seconds{observed_->lease_seconds};
    }

    LeaseRecord next_record() const {
        const std::string now = format_rfc3339_micro(loop_.now());
        LeaseRecord record{.holder = options_.identity,
                           .renew_time = now,
                           .acquire_time = now,
                           .lease_seconds = static_cast<int>(
                               std::chrono::ceil<std::chrono::seconds>(options_.lease).count()),
                           .transitions = 0};
        if (!lease_) return record;
        const LeaseRecord old = record_of(*lease_);
        const bool was_ours = old.holder == options_.identity;
        record.transitions = old.transitions + (was_ours ? 0 : 1);
        if (was_ours && !old.acquire_time.empty()) record.acquire_time = old.acquire_time;
        return record;
    }

    void write() {
        json lease = lease_ ? *lease_
                            : json{{"apiVersion", "coordination.k8s.io/v1"},
                                   {"kind", "Lease"},
                                   {"metadata", {{"name", options_.name}, {"namespace", options_.ns}}}};
        write_record(lease, next_record());
        // Counted from before the request: the server may have taken it at once and told us late.
        written_at_ = loop_.monotonic();
        send(lease_ ? "PUT" : "POST", lease.dump(), &Impl::on_written);
    }

    void on_written(Result<std::string> answer) {
        if (!answer) {
            // Whether it was taken is unknown, so the next try reads.
            lease_.reset();
            return state_ == State::kDone ? finish_release() : try_later();
        }
        json lease = json::parse(*answer, nullptr, false);
        if (lease.is_object()) {
            observe(std::move(lease));
        } else {
            lease_.reset();
        }
        if (state_ == State::kDone) return give_back();
        // An answer this late is no ground to act on.
        if (loop_.monotonic() - written_at_ >= options_.renew_deadline) return try_later();
        renewed_at_ = written_at_;
        const bool is_new = std::exchange(state_, State::kLeader) == State::kCandidate;
        set_deadline();
        try_later();
        if (is_new) on_elected_();
    }

    void set_deadline() {
        loop_.cancel(deadline_timer_);
        deadline_timer_ = loop_.after(renewed_at_ + options_.renew_deadline - loop_.monotonic(), [this] {
            deadline_timer_ = 0;
            lose();
        });
    }

    void try_later() {
        loop_.cancel(try_timer_);
        const double factor = state_ == State::kLeader ? 1.0 : 1.0 + kJitter * rng_.unit();
        try_timer_ = loop_.after(from_seconds(to_seconds(options_.retry) * factor), [this] {
            try_timer_ = 0;
            try_once();
        });
    }

    void lose() {
        if (state_ != State::kLeader) return;
        state_ = State::kDone;
        loop_.cancel(std::exchange(try_timer_, 0));
        loop_.cancel(std::exchange(deadline_timer_, 0));
        on_lost_();
    }

    // The lease stays, held by no one and for one second, so that whoever reads it next takes it.
    void give_back() {
        if (!on_released_) return;
        if (!lease_ || record_of(*lease_).holder != options_.identity) return finish_release();
        LeaseRecord record = record_of(*lease_);
        record.holder.clear();
        record.lease_seconds = 1;
        record.renew_time = record.acquire_time = format_rfc3339_micro(loop_.now());
        json lease = *lease_;
        write_record(lease, record);
        lease_.reset();
        send("PUT", lease.dump(), &Impl::on_given_back);
    }

    void on_given_back(Result<std::string>) { finish_release(); }  // Refused or lost, it runs out by itself.

    void finish_release() {
        if (on_released_) std::exchange(on_released_, nullptr)();
    }

    io::Loop& loop_;
    Client& client_;
    const LeaseOptions options_;
    Rng rng_;
    const std::function<void()> on_elected_;
    const std::function<void()> on_lost_;
    std::function<void()> on_released_;

    State state_ = State::kIdle;
    bool is_busy_ = false;
    std::optional<json> lease_;  // The newest copy, with its resourceVersion; nullopt: none, or in doubt.
    std::optional<LeaseRecord> observed_;
    Duration observed_at_{0};
    Duration written_at_{0};
    Duration renewed_at_{0};
    io::TimerId try_timer_ = 0;
    io::TimerId deadline_timer_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

LeaderElector::LeaderElector(io::Loop& loop, Client& client, LeaseOptions options, Rng rng,
                             std::function<void()> on_elected, std::function<void()> on_lost)
    : impl_(std::make_unique<Impl>(loop, client, std::move(options), rng, std::move(on_elected),
                                   std::move(on_lost))) {}
LeaderElector::~LeaderElector() = default;

void LeaderElector::start() {
    impl_->start();
}
void LeaderElector::release(std::function<void()> done) {
    impl_->release(std::move(done));
}
bool LeaderElector::is_leader() const {
    return impl_->is_leader();
}

}  // namespace joiner::kube
