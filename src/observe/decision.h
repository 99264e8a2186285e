// What was decided about one object, and why. Data: the controller's log has it as a line, and people's
// commands read it; nothing that decides does. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/meta.h"
#include "base/time.h"
#include "model/pod_id.h"
#include "plan/reason.h"

namespace joiner::observe {

enum class SubjectKind : std::uint8_t { kPod, kNodeClaim, kNode, kNodePool };
inline constexpr std::size_t kSubjectKinds = 4;

// Who a decision is about: namespace, name and uid, of any kind of object. The uid may be empty where the
// object is just being made.
struct Subject {
    SubjectKind kind;
    model::PodId id;  // A pod's own, so that decisions about many pods copy no names.

    static Subject pod(const model::PodId& id) { return {SubjectKind::kPod, id}; }
    static Subject claim(const std::string& name, const std::string& uid) {
        return {SubjectKind::kNodeClaim, {"", name, uid}};
    }
    static Subject claim(const api::ObjectMeta& meta) { return claim(meta.name, meta.uid); }
    static Subject node(const api::ObjectMeta& meta) {
        return {SubjectKind::kNode, {"", meta.name, meta.uid}};
    }
    static Subject pool(const api::ObjectMeta& meta) {
        return {SubjectKind::kNodePool, {"", meta.name, meta.uid}};
    }
};

// The question that was decided. Of each, the last decision about an object is kept, whatever else was
// decided about it.
enum class Matter : std::uint8_t {
    kPlacement,      // Where a pod goes.
    kPurchase,       // What is bought; of a pool, whether anything may be.
    kLaunch,         // What came of it.
    kEnd,            // Why a claim was deleted.
    kEmptiness,      // Whether a node is disrupted for it, and of a pool, whether any may be.
    kDrift,          // Likewise,
    kExpiry,         // likewise,
    kConsolidation,  // and likewise.
    kRepair,         // Whether a sick node is removed by force.
    kReadiness,      // Whether a pool may be used.
    kSize,           // How many nodes a static pool is to have.
};
inline constexpr std::size_t kMatters = 11;

enum class Verdict : std::uint8_t {
    kNewNode,       // A pod goes to a node that is bought.
    kExistingNode,  // A pod goes to a node, or a claim, that is there.
    kWaits,
    kBought,
    kFailed,
    kCameUp,
    kRemoved,
    kKept,
    kLeaves,
    kGivenUp,  // A command to disrupt the node was.
    kOpen,     // Nodes of the pool may be disrupted.
    kClosed,
    kReady,
    kNotReady,
    kAsWanted,
    kLimited,
};
inline constexpr std::size_t kVerdicts = 16;

// Stable words, as logs have them.
std::string_view word_for(SubjectKind kind);  // The object's own kind: "Pod".
std::string_view word_for(Matter matter);
std::string_view word_for(Verdict verdict);

struct Decision {
    Subject subject;
    Matter matter;
    Verdict verdict;
    plan::SharedReasons reasons;  // nullptr: none.
    WallTime at = kNoTime;        // Since when it has been so.
};

// "Pod default/web-1 waits: NodePool default: its taint …"
std::string in_words(const Decision& decision);
// One JSON object on one line; docs/decision-log.md has its fields.
std::string to_json(const Decision& decision);
// Puts it into the controller's log: at level info what is done to machines, and all about pools; at level
// debug the rest, of which a large cluster has thousands.
void log_decision(const Decision& decision);

}  // namespace joiner::observe
