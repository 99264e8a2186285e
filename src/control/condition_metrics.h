// The metrics of status conditions, and of objects that are on their way out, for our NodeClaims, Nodes,
// NodePools and CapacityBuffers. What changes is told at once; how long things have been so is told anew each
// ten seconds, a part of the objects a second. Loop thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/time.h"
#include "cloud/providers.h"
#include "model/cluster.h"
#include "observe/metrics.h"

namespace joiner::control {

class ConditionMetrics {
  public:
    ConditionMetrics(const model::Cluster& cluster, const cloud::Providers& providers,
                     observe::Metrics& metrics);

    // What is there now. Nothing is told before it is called, and what it finds is no change.
    void start(WallTime now);
    // The object may have changed, or may be gone.
    void node_changed(const std::string& name, WallTime now);
    void claim_changed(const std::string& name, WallTime now);
    // Each second: NodePools and CapacityBuffers too.
    void look(WallTime now);

  private:
    struct Known {
        // Those that the counts of changes have, and what the gauges have besides.
        observe::Labels labels;
        observe::Labels names;
        std::vector<api::Condition> conditions;  // Without their messages.
        std::optional<WallTime> deleted;
        std::uint64_t seen = 0;
    };
    // By namespace and name.
    using Objects = std::map<std::pair<std::string, std::string>, Known>;
    struct Kind {
        std::string_view name;
        Objects objects;
    };

    void set(Kind& kind, const api::ObjectMeta& meta, const std::vector<api::Condition>& conditions,
             WallTime now);
    void gone(Kind& kind, const std::string& name, WallTime now);
    void end(Kind& kind, Objects::iterator object, WallTime now);
    void look_at_few(WallTime now);
    void tell_ages(const Kind& kind, const Known& known, WallTime now);
    void count_changes(const Kind& kind, const Known& before, const Known& after);
    void drop(const Kind& kind, const Known& known, const api::Condition& condition);
    observe::Labels labels_of(const Kind& kind, const api::ObjectMeta& meta) const;

    const model::Cluster& cluster_;
    observe::Metrics& metrics_;
    std::vector<std::string> class_labels_;  // One a kind of node class.
    bool is_on_ = false;
    bool is_starting_ = false;
    std::uint64_t pass_ = 0;
    std::size_t second_ = 0;
    Kind nodes_{"node", {}};
    Kind claims_{"nodeclaim", {}};
    Kind pools_{"nodepool", {}};
    Kind buffers_{"capacitybuffer", {}};
};

}  // namespace joiner::control
