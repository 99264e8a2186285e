// What a provider says without being asked: that its offers or a node class have changed, and what the cloud
// is about to do to an instance. Handed to a provider when it is made; its methods may be called at any time
// on the loop's thread, and do nothing but take note.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/karpenter.h"
#include "base/time.h"

namespace joiner::cloud {

// What is about to happen to an instance, or has.
struct InstanceEvent {
    enum class Kind {
        kInterruption,  // The cloud takes it back, by the deadline.
        kRebalance,     // It may be taken back before long; nothing must be done.
        kMaintenance,   // It will be stopped or restarted for maintenance, at the deadline.
        kGone,          // It has been stopped or ended.
    };
    Kind kind = Kind::kGone;
    std::string provider_id;
    std::optional<WallTime> deadline;
    std::string reason;   // As an Event names it: "SpotInterrupted".
    std::string message;  // One sentence.
};

class Reports {
  public:
    virtual ~Reports() = default;
    // Types, prices or stock: instance_types() answers otherwise from now on.
    virtual void offers_changed() {}
    // reconcile() would answer otherwise for this class.
    virtual void class_changed(const api::NodeClassReference&) {}
    virtual void happened(const InstanceEvent&) {}
    // A sentence for the log, of what people should know and no object's status says. Once, not each time.
    virtual void remarked(const std::string& /*sentence*/) {}
    // What the provider measures of its own doings, under the names of observe/metrics.cc.
    virtual void counted(std::string_view /*metric*/, const api::StringMap& /*labels*/, double /*by*/) {}
    // Into a histogram; times in seconds.
    virtual void observed(std::string_view /*metric*/, const api::StringMap& /*labels*/, double /*value*/) {}
};

}  // namespace joiner::cloud
