// The reboot of a node in its place: what its claim says of one, and how often a machine may be started anew
// before it is replaced. Pure; any thread. Source: Karpenter's documented reboot.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "base/time.h"
#include "model/cluster.h"
#include "plan/lifecycle/node_step.h"

namespace joiner::plan {

inline constexpr std::string_view kRebooting = "Rebooting";  // A condition of the claim.
inline constexpr std::string_view kRebootRequested = "RebootRequested";
inline constexpr std::string_view kRebootIssued = "RebootIssued";
inline constexpr std::string_view kRebootSucceeded = "RebootSucceeded";
inline constexpr std::string_view kRebootFailed = "RebootFailed";

inline constexpr Duration kRebootIssueTimeout = std::chrono::minutes{5};
inline constexpr Duration kRebootRecoveryTimeout = std::chrono::minutes{20};

bool is_rebooting(const api::NodeClaim& claim);
// When the claim's last reboot was over; kNoTime: it has had none.
WallTime reboot_ended_at(const api::NodeClaim& claim);

struct RebootStep {
    enum class Kind {
        kNothing,
        kFence,              // The taint that keeps the scheduler off.
        kDrain,              // `drain` names the pods to evict for now.
        kNoteBootId,         // By which the new start is told from the old.
        kAsk,                // The cloud, to start the machine anew.
        kNoteIssued,         // It has said that it does.
        kForgetInitialized,  // The node's label: that was before.
        kUnfence,            // The machine has started anew.
        kSucceed,
        kFail,  // `result` and `message` say why.
    };
    Kind kind = Kind::kNothing;
    NodeStep drain = {};
    std::string result = {};  // As metrics put it.
    std::string message = {};
};

struct RebootFacts {
    const model::Cluster& cluster;
    const api::NodeClaim& claim;               // REQUIRES: is_rebooting(), and not deleted.
    const model::NodeState* node = nullptr;    // nullptr: there is none now.
    std::optional<WallTime> asked_since = {};  // When the cloud was first asked by this process.
};

RebootStep next_reboot_step(const RebootFacts& facts, WallTime now);

// Names one reboot, however often the cloud is asked for it.
std::string reboot_operation(const api::NodeClaim& claim);
// How long pods may hold it up; nullopt: as long as they like. Errors: what the claim says is no duration.
Result<std::optional<Duration>> reboot_grace(const api::NodeClaim& claim);

// Who was rebooted when, within a day. Kept in memory: a restart forgets it.
class RebootHistory {
  public:
    // One more reboot within the day is worth a try.
    bool allows(const std::string& claim_uid, WallTime now) const;
    void note(const std::string& claim_uid, WallTime now);

  private:
    std::map<std::string, std::vector<WallTime>> committed_;
};

}  // namespace joiner::plan
