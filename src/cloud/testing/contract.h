// What every provider must do, as tests that run over a provider and a cloud of its own with faults. A
// provider is held to it by a ContractBench and one INSTANTIATE line (contract_test.cc). Test's thread.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cloud/provider.h"
#include "io/testing/manual_loop.h"
#include "rules/node_class_kinds.h"

namespace joiner::cloud::testing {

// All choices of the types, as launch_choices() of act makes them, without a claim's wishes.
inline LaunchRequest request_for(const std::string& name, const std::string& uid, InstanceTypes types,
                                 api::NodeClass node_class, WallTime now) {
    LaunchRequest out;
    out.claim.meta.name = name;
    out.claim.meta.uid = uid;
    out.claim.node_class = node_class.reference();
    out.claim.meta.labels = {{rules::node_class_label(out.claim.node_class), node_class.meta.name}};
    out.node_class = std::make_shared<const api::NodeClass>(std::move(node_class));
    for (const rules::InstanceType& type : *types) {
        for (const rules::Offering& offering : type.offerings) out.choices.push_back({&type, &offering});
    }
    std::stable_sort(out.choices.begin(), out.choices.end(),
                     [](const auto& a, const auto& b) { return a.offering->price < b.offering->price; });
    if (out.choices.size() > 8) out.choices.resize(8);
    out.types = std::move(types);
    out.asked_at = now;
    return out;
}

// One cloud with its provider. Faults count from when they are asked for; a bench whose cloud cannot have one
// leaves it out, and the others are tested.
class ContractBench {
  public:
    virtual ~ContractBench() = default;
    virtual io::testing::ManualLoop& loop() = 0;
    virtual Provider& provider() = 0;
    // The process is gone, with all that it waited for, and another stands over the same cloud.
    virtual void restart() = 0;
    // A claim that was written down with this uid, and all that it may become.
    virtual LaunchRequest request(const std::string& name, const std::string& uid) = 0;
    // As launched: the claim has its provider id from now on.
    virtual void record(const LaunchRequest& request, const Instance& instance) = 0;
    // Ids of what runs in the cloud and is ours, whatever the provider says.
    virtual std::vector<std::string> running() = 0;
    // Somebody else's machine in the same cloud; its id.
    virtual std::string put_foreign() = 0;
    virtual bool is_running(const std::string& id) = 0;
    virtual void sell_out(const LaunchRequest& request, const rules::OfferingKey& offering) = 0;
    virtual void lose_next_answer() = 0;
    virtual void throttle_next() {}
    virtual void slow_down(Duration) {}
    virtual void let_lists_lag(Duration) {}
    // No fault from now on.
    virtual void mend() = 0;
};

// Asks and waits; nullopt where no answer came within `limit`.
template <typename T>
class Answer {
  public:
    std::function<void(T)> sink() {
        return [kept = kept_](T value) { *kept = std::move(value); };
    }
    std::optional<T> within(io::testing::ManualLoop& loop, Duration limit) {
        loop.run_ready();
        for (Duration waited{0}; !*kept_ && waited < limit; waited += std::chrono::seconds{1})
            loop.advance(std::chrono::seconds{1});
        return *kept_;
    }

  private:
    std::shared_ptr<std::optional<T>> kept_ = std::make_shared<std::optional<T>>();
};

inline constexpr Duration kAnswerLimit = std::chrono::minutes{5};

inline std::optional<LaunchAnswer> create(ContractBench& bench, const LaunchRequest& request,
                                          Duration limit = kAnswerLimit) {
    Answer<LaunchAnswer> answer;
    bench.provider().create(request, answer.sink());
    return answer.within(bench.loop(), limit);
}
inline std::optional<Result<Instance>> get(ContractBench& bench, const std::string& id) {
    Answer<Result<Instance>> answer;
    bench.provider().get(id, answer.sink());
    return answer.within(bench.loop(), kAnswerLimit);
}
inline std::optional<Status> remove(ContractBench& bench, const std::string& id) {
    Answer<Status> answer;
    bench.provider().remove(id, answer.sink());
    return answer.within(bench.loop(), kAnswerLimit);
}
inline std::optional<Result<std::vector<Instance>>> list(ContractBench& bench) {
    Answer<Result<std::vector<Instance>>> answer;
    bench.provider().list(answer.sink());
    return answer.within(bench.loop(), kAnswerLimit);
}

}  // namespace joiner::cloud::testing
