// A cloud's repair policies, read: which conditions make a node sick, and what is to be done about one node
// at a time. Value type; any thread. Source: Karpenter's documented node repair.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/core.h"
#include "base/result.h"
#include "base/time.h"
#include "rules/repair_policy.h"

namespace re2 {
class RE2;
}

namespace joiner::rules {

// The condition's reason is one that the policy is for; any is, where the policy names none.
bool meets_reason(const RepairPolicy& policy, const api::Condition& condition);

// What the policies whose time has come ask for a node, taken together.
struct RepairVerdict {
    RepairAction action = RepairAction::kReplace;
    // The condition that has settled the action.
    std::string condition;
    std::string status;
    std::string reason;
    WallTime since = kNoTime;
    Duration toleration{0};
    WallTime due = kNoTime;  // When it was to be tolerated no longer.
    // The shortest that any of them gives, whichever has settled the action.
    std::optional<Duration> termination_grace;
    double score = 0;  // Who has more is repaired first: by priority, and by how long it has waited.
};

class RepairPolicies {
  public:
    // None at all is a set too, and nothing is ever sick. Errors: a policy that cannot be read, or a set
    // without exactly one policy for all other reasons.
    static Result<RepairPolicies> make(std::vector<RepairPolicy> policies);

    bool empty() const { return policies_.empty(); }
    // Some of them asks for a reboot.
    bool reboot() const;
    // Some policy is about this condition in this status, whatever its reason.
    bool cover(const api::Condition& condition) const;
    // The node has a condition that is covered, however lately.
    bool call_sick(const api::Node& node) const;
    // nullopt: nothing is due yet. `not_before`: where tolerating begins anew, as after a reboot.
    std::optional<RepairVerdict> judge(const api::Node& node, WallTime not_before, WallTime now) const;
    // When the next policy that is not due yet will be, if all stays as it is.
    std::optional<WallTime> next_due(const api::Node& node, WallTime not_before, WallTime now) const;

  private:
    struct Compiled {
        RepairPolicy policy;
        std::shared_ptr<const re2::RE2> reason;  // nullptr: the one for all other reasons.
        int rank = 0;                            // Of its priority, among those there are.
    };
    struct Match {
        const Compiled* policy;
        const api::Condition* condition;
        WallTime since;
        WallTime due;
    };
    std::vector<Match> matches(const api::Node& node, WallTime not_before) const;

    std::vector<Compiled> policies_;
    // Positions in policies_ by condition and status; the one for all other reasons is in none.
    std::map<std::pair<std::string, std::string>, std::vector<std::size_t>> by_condition_;
    std::size_t fallback_ = 0;
};

}  // namespace joiner::rules
