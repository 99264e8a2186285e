#include "cloud/guarded_provider.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace joiner::cloud {
namespace {

// Longer than any cloud takes that answers at all, and well within a claim's time to launch.
constexpr Duration kChangeLimit = std::chrono::minutes{2};
constexpr Duration kQuestionLimit = std::chrono::minutes{1};

tl::unexpected<Error> does_not_lead() {
    return fail(ErrorKind::kUnavailable, "not asked of the cloud: this process does not lead");
}

}  // namespace

template <typename T>
std::function<void(T)> GuardedProvider::in_time(std::string what, Duration limit,
                                                std::function<void(T)> done) {
    struct Question {
        std::function<void(T)> done;
        io::TimerId timer = 0;
    };
    auto question = std::make_shared<Question>(Question{std::move(done)});
    question->timer = loop_.after(limit, [question, limit, what = std::move(what)] {
        if (const auto answer = std::exchange(question->done, nullptr))
            answer(T{fail(ErrorKind::kUnavailable, fmt::format("the cloud has not answered {} within {}",
                                                               what, format_duration(limit)))});
    });
    return [this, question](T result) {
        const auto answer = std::exchange(question->done, nullptr);
        if (!answer) return;
        loop_.cancel(question->timer);
        answer(std::move(result));
    };
}

template <typename T>
std::function<void(T)> GuardedProvider::counted(std::function<void(T)> done) {
    ++changes_under_way_;
    return [this, done = std::move(done)](T result) {
        --changes_under_way_;
        say_if_finished();
        done(std::move(result));
    };
}

void GuardedProvider::create(const LaunchRequest& request, LaunchDone done) {
    if (!may_change()) return loop_.post([done = std::move(done)] { done({does_not_lead()}); });
    own_.create(request, in_time("create for NodeClaim " + request.claim.meta.name, kChangeLimit,
                                 counted(std::move(done))));
}

void GuardedProvider::remove(const std::string& provider_id, std::function<void(Status)> done) {
    if (!may_change()) return loop_.post([done = std::move(done)] { done(does_not_lead()); });
    own_.remove(provider_id, in_time("remove of " + provider_id, kChangeLimit, counted(std::move(done))));
}

void GuardedProvider::get(const std::string& provider_id, std::function<void(Result<Instance>)> done) {
    own_.get(provider_id, in_time("get of " + provider_id, kQuestionLimit, std::move(done)));
}

void GuardedProvider::list(std::function<void(Result<std::vector<Instance>>)> done) {
    own_.list(in_time("list", kQuestionLimit, std::move(done)));
}

void GuardedProvider::hear_of_node(const api::NodeClaim& claim,
                                   std::function<void(Result<api::StringMap>)> done) {
    if (!may_change()) return loop_.post([done = std::move(done)] { done(does_not_lead()); });
    own_.hear_of_node(claim, in_time("the news of the node of NodeClaim " + claim.meta.name, kChangeLimit,
                                     counted(std::move(done))));
}

void GuardedProvider::reboot(const api::NodeClaim& claim, const std::string& operation,
                             std::function<void(Status)> done) {
    if (!may_change()) return loop_.post([done = std::move(done)] { done(does_not_lead()); });
    own_.reboot(claim, operation,
                in_time("reboot for NodeClaim " + claim.meta.name, kChangeLimit, counted(std::move(done))));
}

void GuardedProvider::finish_changes(std::function<void()> done) {
    is_closed_ = true;
    on_finished_ = std::move(done);
    say_if_finished();
}

void GuardedProvider::say_if_finished() {
    if (on_finished_ && changes_under_way_ == 0) loop_.post(std::exchange(on_finished_, nullptr));
}

}  // namespace joiner::cloud
