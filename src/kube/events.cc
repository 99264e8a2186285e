#include "kube/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "base/cut.h"
#include "kube/token_bucket.h"

namespace joiner::kube {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxMessageBytes = 1024;
constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kMaxReasons = 1000;

std::string key_of(const Event& event) {
    const EventTarget& target = event.target;
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", event.reason, target.kind, target.ns, target.name,
                       target.uid, event.message);
}

}  // namespace

class EventRecorder::Impl {
  public:
    Impl(io::Loop& loop, Client& client, Options options)
        : loop_(loop), client_(client), options_(std::move(options)) {}

    void record(Event event) {
        event.message = cut_with_dots(std::move(event.message), kMaxMessageBytes);
        const Duration now = loop_.monotonic();
        std::string key = key_of(event);
        if (is_repeated(key, now)) return;
        if (in_flight_ >= options_.max_in_flight || !bucket_of(event.reason).try_take(now)) {
            ++dropped_;
            return;
        }
        remember(std::move(key), now + event.dedupe);
        post(event);
    }

    std::uint64_t dropped_ = 0;

  private:
    bool is_repeated(const std::string& key, Duration now) const {
        const auto found = until_.find(key);
        return found != until_.end() && now < found->second;
    }

    void remember(std::string key, Duration until) {
        // The oldest are forgotten first; an event may then be told once more than it should.
        while (order_.size() >= options_.max_remembered && !order_.empty()) {
            until_.erase(order_.front());
            order_.pop_front();
        }
        const auto [entry, is_new] = until_.insert_or_assign(key, until);
        if (is_new) order_.push_back(std::move(key));
    }

    TokenBucket& bucket_of(const std::string& reason) {
        const auto found = buckets_.find(reason);
        if (found != buckets_.end()) return found->second;
        // Reasons are few constants; should they not be, they share one bucket.
        const std::string& name = buckets_.size() < kMaxReasons ? reason : std::string();
        return buckets_.try_emplace(name, options_.per_reason_per_second, options_.per_reason_burst)
            .first->second;
    }

    void post(const Event& event) {
        const std::string ns = event.target.ns.empty() ? "default" : event.target.ns;
        ++in_flight_;
        client_.create(kEvents, ns, body_of(event, ns),
                       [this, alive = std::weak_ptr<bool>(alive_)](const Result<std::string>& answer) {
                           if (alive.expired()) return;
                           --in_flight_;
                           if (!answer) ++dropped_;
                       });
    }

    std::string body_of(const Event& event, const std::string& ns) {
        const EventTarget& target = event.target;
        const std::string now = format_rfc3339(loop_.now());
        json involved = {{"apiVersion", target.api_version}, {"kind", target.kind}, {"name", target.name}};
        if (!target.ns.empty()) involved["namespace"] = target.ns;
        if (!target.uid.empty()) involved["uid"] = target.uid;
        if (!target.resource_version.empty()) involved["resourceVersion"] = target.resource_version;
        const json body = {{"apiVersion", "v1"},
                           {"kind", "Event"},
                           {"metadata", {{"name", next_name(target.name)}, {"namespace", ns}}},
                           {"involvedObject", std::move(involved)},
                           {"reason", event.reason},
                           {"message", event.message},
                           {"type", event.warning ? "Warning" : "Normal"},
                           {"source", {{"component", options_.component}}},
                           {"reportingComponent", options_.component},
                           {"reportingInstance", options_.instance},
                           {"firstTimestamp", now},
                           {"lastTimestamp", now},
                           {"count", 1}};
        return body.dump(-1, ' ', false, json::error_handler_t::replace);
    }

    // By time, and never the same twice, though a virtual clock may stand still.
    std::string next_name(const std::string& object) {
        last_stamp_ =
            std::max(last_stamp_ + 1, static_cast<std::int64_t>(loop_.now().time_since_epoch().count()));
        const std::string suffix = fmt::format(".{:x}", last_stamp_);
        std::string name = object.substr(0, kMaxNameBytes - suffix.size());
        while (!name.empty() && (name.back() == '.' || name.back() == '-')) name.pop_back();
        return name + suffix;
    }

    io::Loop& loop_;
    Client& client_;
    const Options options_;
    std::unordered_map<std::string, Duration> until_;  // By key: repetitions before then are dropped.
    std::deque<std::string> order_;                    // The keys of until_, oldest first.
    std::map<std::string, TokenBucket> buckets_;
    std::size_t in_flight_ = 0;
    std::int64_t last_stamp_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

EventRecorder::EventRecorder(io::Loop& loop, Client& client, Options options)
    : impl_(std::make_unique<Impl>(loop, client, std::move(options))) {}
EventRecorder::~EventRecorder() = default;
void EventRecorder::record(Event event) {
    impl_->record(std::move(event));
}
std::uint64_t EventRecorder::dropped() const {
    return impl_->dropped_;
}

}  // namespace joiner::kube
