// Why something was decided, as data: the rule, the object it is about, numbers and money. Words are made of
// it here and nowhere else, for Events, logs and people; nothing reads words back. Pure; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "rules/money.h"

namespace joiner::plan {

enum class Rule : std::uint8_t {
    // Where a pod goes, and what is bought.
    kCheapestPlan,
    kWholePlan,
    kRoom,
    kKeptPlace,
    kStaticSize,
    kReplacement,
    // Why a pod has no place on new nodes of a NodePool, and waits.
    kNoNodePool,
    kNothingSold,
    kTaint,
    kRequirement,
    kNoOffering,
    kDaemons,
    kShortage,
    kLimits,
    kMinValues,
    kOtherPods,
    kPodItself,
    kUnplaced,
    kFailedLaunches,
    kNotAsPromised,
    kLateNode,
    kPoolInDoubt,
    // What came of a launch, and why a claim ended.
    kSoldOut,
    kInvalidRequest,
    kLaunchError,
    kCameUp,
    kNotComeUp,
    kEnded,
    // Why a node is disrupted.
    kEmptyNode,
    kDriftedNode,
    kExpiredNode,
    kSick,
    kHeavierPool,
    kSaves,
    // What keeps a node.
    kPodsComing,
    kNodeAnnotated,
    kPoolMissing,
    kTypesUnknown,
    kTaintAwaited,
    kPodAnnotated,
    kSeveralBudgets,
    kPodDisruptionBudget,
    kConsolidationOff,
    kEmptyNodesOnly,
    kLabelMissing,
    kTypeUnknown,
    kIdleTime,
    kHeadroom,
    kRatio,
    kSaidFirst,
    kRest,
    kNoBetterPlace,
    kNoPlace,
    kWave,
    kPutOff,
    kStaticPool,
    kManySick,
    kChangedSince,
    kControlPlane,
    kVirtualNode,
    kBarePod,
    kLocalVolume,
    kNotUp,
    // What keeps all nodes of a NodePool.
    kBudget,
    kBudgetUsedUp,
    kPaused,
    kHeld,
    kPace,
    kFruitless,
    // Why a command was given up.
    kObjection,
    kReplacementFailed,
    kClaimGone,
    // What a NodePool says of itself.
    kCondition,
    kStaticLimit,
    // More reasons than are kept.
    kCutOff,
};

// `name` is one of few words that live as long as the process.
struct Amount {
    std::string_view name;
    std::int64_t value = 0;

    friend bool operator==(const Amount&, const Amount&) = default;
};

struct Reason {
    Rule rule = Rule::kCutOff;
    std::string object = {};  // What it is about, as "NodePool default"; empty: who the decision is about.
    std::string detail = {};  // What of it.
    std::vector<Amount> amounts = {};
    std::optional<rules::Money> money = {};  // An hour.
    WallTime until = kNoTime;                // When it ends by itself, where that is known.

    friend bool operator==(const Reason&, const Reason&) = default;
};

using Reasons = std::vector<Reason>;
// Shared by all that it holds for: pods of a class, nodes of a command.
using SharedReasons = std::shared_ptr<const Reasons>;

// The rule's stable word, as logs have it: "pod-disruption-budget".
std::string_view word_for(Rule rule);
// One sentence without a full stop; of several, joined by "; ".
std::string in_words(const Reason& reason);
std::string in_words(const Reasons& reasons);
// What would have to be otherwise for the decision to be another; empty where nothing need be.
std::string what_would_change(const Reason& reason);

inline SharedReasons share(Reasons reasons) {
    return std::make_shared<const Reasons>(std::move(reasons));
}

}  // namespace joiner::plan
