#include "control/node_herald.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "act/object_writer.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

constexpr int kMostAtOnce = 10;
// Between two of them. Nobody waits for it, and a cloud's budget of such calls is better kept for launches.
constexpr Duration kBetween = std::chrono::milliseconds{200};
// Until then the watch has shown what was written, or it is told once more.
constexpr Duration kPause = std::chrono::minutes{1};
// After one failure upon the other.
constexpr Duration kLongestPause = std::chrono::minutes{30};

}  // namespace

const api::NodeClaim* NodeHerald::to_tell(const std::string& claim) const {
    const model::ClaimState* state = services_.cluster.find_claim(claim);
    if (state == nullptr || !state->is_ours || state->claim.meta.deleted ||
        !rules::is_true(state->claim.conditions, "Registered"))
        return nullptr;
    const bool must_hear = services_.providers.of(state->claim.node_class).must_hear_of_node(state->claim);
    return must_hear ? &state->claim : nullptr;
}

// Once, and again when the node has another memory.
void NodeHerald::show_node(const std::string& claim) {
    const model::ClaimState* state = services_.cluster.find_claim(claim);
    if (state == nullptr || !state->is_ours || !rules::is_true(state->claim.conditions, "Registered")) return;
    const model::NodeState* node = services_.cluster.node_of(state->claim);
    if (node == nullptr) return;
    const auto memory = node->node.capacity.find("memory");
    if (memory == node->node.capacity.end()) return;
    const std::int64_t bytes = memory->second.units_down();
    std::int64_t& shown = shown_[claim];
    if (shown != bytes && services_.providers.of(state->claim.node_class).note_node(state->claim, node->node))
        shown = bytes;
}

void NodeHerald::claim_changed(const std::string& claim) {
    show_node(claim);
    if (to_tell(claim) == nullptr) return stop_telling(claim);
    const auto told = told_.find(claim);
    if (told != told_.end() && services_.loop.now() < told->second.not_before) return;
    waiting_.insert(claim);
    tell_next();
}

void NodeHerald::stop_telling(const std::string& claim) {
    waiting_.erase(claim);
    told_.erase(claim);
}

void NodeHerald::forget(const std::string& claim) {
    stop_telling(claim);
    shown_.erase(claim);
}

void NodeHerald::tell_next() {
    while (under_way_ < kMostAtOnce && !waiting_.empty()) {
        const std::string name = waiting_.extract(waiting_.begin()).value();
        const api::NodeClaim* claim = to_tell(name);
        if (claim == nullptr) continue;
        const WallTime now = services_.loop.now();
        if (now < next_) {
            waiting_.insert(name);
            return tell_later(next_ - now);
        }
        next_ = now + kBetween;
        ++under_way_;
        told_[name].not_before = services_.loop.now() + kPause;
        services_.providers.of(claim->node_class)
            .hear_of_node(*claim, [this, name](const Result<api::StringMap>& annotations) {
                --under_way_;
                if (annotations)
                    write(name, *annotations);
                else
                    failed(name, annotations.error());
                tell_next();
            });
    }
}

void NodeHerald::tell_later(Duration pause) {
    if (std::exchange(is_pausing_, true)) return;
    services_.loop.after(pause, [this] {
        is_pausing_ = false;
        tell_next();
    });
}

void NodeHerald::failed(const std::string& claim, const Error& error) {
    services_.notices.failed("tell the cloud of the node of NodeClaim " + claim, error);
    const auto told = told_.find(claim);
    if (told == told_.end()) return;
    const Duration pause = std::min(kLongestPause, kPause * (1 << std::min(told->second.failures++, 6)));
    told->second.not_before = services_.loop.now() + pause;
    services_.loop.after(pause, [this, claim] { claim_changed(claim); });
}

void NodeHerald::write(const std::string& claim, const api::StringMap& annotations) {
    services_.client.patch(kube::kNodeClaims, "", claim, "", kube::PatchType::kMerge,
                           act::dump({{"metadata", {{"annotations", annotations}}}}),
                           [this, claim](const Result<std::string>& written) {
                               if (!written && written.error().kind != ErrorKind::kNotFound)
                                   services_.notices.failed("annotate NodeClaim " + claim, written.error());
                           });
}

}  // namespace joiner::control
