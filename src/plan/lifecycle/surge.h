// Surge before evict: a pod that asks for it is evicted only once its replacement is Ready. Its ReplicaSet is
// made to let go of it by taking the template hash off its labels; the set makes another at once, and
// Services, which do not select on that label, go on sending to the old one. Pure; every step can be lost or
// repeated, the pod's annotation says how far it has come.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "model/cluster.h"

namespace joiner::plan {

// A replacement that is not Ready by then holds the old pod no longer.
inline constexpr Duration kSurgePatience = std::chrono::minutes{10};
// Those who send to a Service hear of the new pod a little after it is Ready.
inline constexpr Duration kSurgeSettle = std::chrono::seconds{2};

// The ReplicaSet as it was a moment ago.
struct SurgeOwner {
    bool exists = false;
    std::int64_t replicas = 0;
    std::int64_t ready = 0;  // Of its pods; those it has let go of are not among them.

    bool is_full() const { return ready >= replicas; }
};

struct SurgeFacts {
    const model::Cluster& cluster;
    const model::PodState& pod;  // REQUIRES: pod.surge.
    // A Service of the namespace selects on the hash, or nobody can tell; nullopt: not asked yet.
    std::optional<bool> service_selects_on_hash;
    std::optional<SurgeOwner> owner;     // nullopt: not asked lately.
    std::optional<WallTime> full_since;  // When the owner was first seen full, and has been since.
};

struct SurgeStep {
    enum class Kind {
        kEvict,        // As any other pod.
        kAskServices,  // Then decide.
        kRelease,      // Take the hash off the labels, and note it.
        kAskOwner,     // How many pods it wants now.
        kWait,         // For the owner to be full, or for kSurgeSettle since.
    };
    Kind kind = Kind::kEvict;
    std::string remark = {};  // Of kEvict: why it goes without a replacement, one sentence; or empty.
};

SurgeStep next_surge_step(const SurgeFacts& facts, WallTime now);

// How many pods are Ready that the selector of a ReplicaSet names.
std::int64_t ready_pods(const model::Cluster& cluster, const std::string& ns,
                        const std::optional<api::LabelSelector>& selector);

// What kSurgingAnnotation says of a pod that is being released.
std::string surging_text(const model::PodSurge& surge, WallTime now);

}  // namespace joiner::plan
