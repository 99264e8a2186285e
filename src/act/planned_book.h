// Which unbound pod is meant for which claim, both ways round. Kept from the plan until the pod is bound,
// gone or let go; after a restart it is made anew by planning. Loop thread.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "model/make_snapshot.h"
#include "rules/pod_shape.h"

namespace joiner::act {

class PlannedBook {
  public:
    using Shape = std::shared_ptr<const rules::PodShape>;

    // `bindable`: the pod's shape, if the binder will bind it; nullptr if it is left to the scheduler.
    void plan(const std::string& uid, const model::PodKey& pod, const std::string& claim, Shape bindable) {
        drop(uid);
        // A pod made again under its name takes the place of the old one.
        if (const auto pods = pods_of_.find(claim); pods != pods_of_.end()) {
            const auto old = pods->second.find(pod);
            if (old != pods->second.end()) drop(std::string(old->second));
        }
        claim_of_[uid] = claim;
        if (bindable) ++shapes_[bindable];
        pod_of_[uid] = {pod, std::move(bindable)};
        pods_of_[claim].emplace(pod, uid);
    }
    // The claim it was meant for, or empty.
    std::string drop(const std::string& uid) {
        const auto it = claim_of_.find(uid);
        if (it == claim_of_.end()) return {};
        std::string claim = std::move(it->second);
        claim_of_.erase(it);
        const auto pods = pods_of_.find(claim);
        pods->second.erase(pod_of_.at(uid).key);
        forget_pod(uid);
        if (pods->second.empty()) pods_of_.erase(pods);
        return claim;
    }
    // Whether there were any.
    bool drop_claim(const std::string& claim) {
        const auto pods = pods_of_.find(claim);
        if (pods == pods_of_.end()) return false;
        for (const auto& [pod, uid] : pods->second) {
            claim_of_.erase(uid);
            forget_pod(uid);
        }
        pods_of_.erase(pods);
        return true;
    }
    // Whether a pod that the binder will bind, whichever claim it is meant for, asks for no more than this.
    bool any_bindable_fits(const rules::Resources& room) const {
        return std::any_of(shapes_.begin(), shapes_.end(),
                           [&](const auto& item) { return rules::fits(item.first->requests, room); });
    }
    bool has(const std::string& uid) const { return claim_of_.contains(uid); }
    bool has_claim(const std::string& claim) const { return pods_of_.contains(claim); }
    std::set<model::PodKey> pods_of(const std::string& claim) const {
        std::set<model::PodKey> out;
        if (const auto pods = pods_of_.find(claim); pods != pods_of_.end()) {
            for (const auto& [pod, uid] : pods->second) out.insert(pod);
        }
        return out;
    }
    const model::PlannedPods& by_uid() const { return claim_of_; }
    const std::map<std::string, std::map<model::PodKey, std::string>>& by_claim() const { return pods_of_; }

  private:
    struct Pod {
        model::PodKey key;
        Shape bindable;
    };
    void forget_pod(const std::string& uid) {
        const auto pod = pod_of_.find(uid);
        const auto count = shapes_.find(pod->second.bindable);
        if (count != shapes_.end() && --count->second == 0) shapes_.erase(count);
        pod_of_.erase(pod);
    }

    model::PlannedPods claim_of_;
    std::map<std::string, Pod> pod_of_;
    std::map<Shape, int> shapes_;  // Of the bindable; shapes are interned, so there are few.
    std::map<std::string, std::map<model::PodKey, std::string>> pods_of_;  // Claim to pod to its uid.
};

}  // namespace joiner::act
