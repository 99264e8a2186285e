#include "control/deletion_costs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "api/names.h"

namespace joiner::control {
namespace {

constexpr Duration kPeriod = std::chrono::minutes{1};
// What only time brings about is reconciled so often all the same.
constexpr Duration kLongestPeriod = std::chrono::minutes{5};
constexpr int kMostUnderWay = 8;
constexpr int kMostTries = 8;
constexpr Duration kFirstRetry = std::chrono::milliseconds{100};
constexpr Duration kLongestRetry = std::chrono::seconds{10};

}  // namespace

void DeletionCosts::reconcile() {
    const WallTime now = services_.loop.now();
    // A pass that is still being written is out of date only by what it has written.
    if (now < next_pass_ || !waiting_.empty() || under_way_ > 0) return;
    next_pass_ = now + kPeriod;
    const std::uint64_t version = services_.cluster.version();
    if (version == seen_version_ && now - last_pass_ < kLongestPeriod) return;
    seen_version_ = version;
    last_pass_ = now;
    plan::DeletionCosts plan = plan::plan_deletion_costs(
        disruption_.ground.facts(), disruption_.ledger.gate(), disruption_.ledger.leaving(), now);
    constexpr std::string_view kPending = "pod_deletion_cost_nodes_with_pending_annotation_writes";
    for (const auto& [pool, count] : plan.nodes)
        pending_.set(kPending, {{"nodepool", pool}}, static_cast<double>(count));
    pending_.end_pass();
    for (plan::DeletionCost& wanted : plan.writes) waiting_.push_back({std::move(wanted)});
    pump();
}

void DeletionCosts::pump() {
    while (!waiting_.empty() && under_way_ < kMostUnderWay) {
        Write write = std::move(waiting_.front());
        waiting_.pop_front();
        send(std::move(write));
    }
}

void DeletionCosts::send(Write write) {
    const model::PodState* pod = services_.cluster.find_pod(write.wanted.pod);
    if (pod == nullptr || pod->id.uid() != write.wanted.uid) return note("skipped_notfound");
    if (pod->deletion_cost == write.wanted.cost) return note("skipped_unchanged");
    ++under_way_;
    nlohmann::json value;
    if (write.wanted.cost) value = std::to_string(*write.wanted.cost);
    // The uid: a pod of the same name made since is refused, and is for the next pass.
    const nlohmann::json body = {
        {"metadata",
         {{"uid", write.wanted.uid}, {"annotations", {{api::kPodDeletionCostAnnotation, value}}}}}};
    const std::string ns = pod->id.ns();
    const std::string name = pod->id.name();
    services_.client.patch(kube::kPods, ns, name, "", kube::PatchType::kMerge, body.dump(),
                           [this, write = std::move(write)](const Result<std::string>& result) mutable {
                               --under_way_;
                               answered(std::move(write), result);
                               pump();
                           });
}

void DeletionCosts::answered(Write write, const Result<std::string>& result) {
    if (result) return note("updated");
    if (result.error().kind == ErrorKind::kNotFound) return note("skipped_notfound");
    if (result.error().kind == ErrorKind::kConflict) return note("skipped_conflict");
    note("error");
    if (result.error().kind != ErrorKind::kUnavailable || ++write.tries == kMostTries)
        return services_.notices.failed("write the deletion cost of pod " + write.wanted.pod, result.error());
    const Duration wait = std::min<Duration>(kFirstRetry * (1 << write.tries), kLongestRetry);
    ++under_way_;
    services_.loop.after(wait, [this, write = std::move(write)]() mutable {
        --under_way_;
        waiting_.push_back(std::move(write));
        pump();
    });
}

void DeletionCosts::note(std::string_view result) {
    metrics_.count("pod_deletion_cost_pod_annotation_writes_total", {{"result", std::string(result)}});
}

}  // namespace joiner::control
