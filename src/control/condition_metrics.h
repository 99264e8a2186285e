// The metrics of status conditions, and of objects that are on their way out, for our NodeClaims, Nodes,
// NodePools and CapacityBuffers. What changes is told at once; how long things have been so is told anew each
// ten seconds, a part of the objects a second. Loop thread.
#pragma once

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/shared_values.h"
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
    // Of a condition, as its series have it.
    struct Words {
        std::string type;
        std::string status;
        std::string reason;

        friend auto operator<=>(const Words&, const Words&) = default;
    };
    struct Shown {
        std::shared_ptr<const Words> words;
        WallTime since = kNoTime;

        friend bool operator==(const Shown&, const Shown&) = default;
    };
    // Of thousands of objects, so what many of them have alike is shared.
    struct Known {
        // Those that the counts of changes have; the gauges have the object's names besides.
        std::shared_ptr<const observe::Labels> labels = nullptr;
        std::vector<Shown> conditions = {};
        std::optional<WallTime> deleted = {};
        std::uint64_t seen = 0;
    };
    using Name = std::pair<std::string, std::string>;  // Namespace and name.
    using Objects = std::map<Name, Known>;
    struct Kind {
        std::string_view name;
        Objects objects;
    };

    void set(Kind& kind, const api::ObjectMeta& meta, const std::vector<api::Condition>& conditions,
             WallTime now);
    void gone(Kind& kind, const std::string& name, WallTime now);
    void end(Kind& kind, Objects::iterator object, WallTime now);
    void look_at_few(WallTime now);
    void tell_ages(const Kind& kind, const Name& name, const Known& known, WallTime now);
    void count_changes(const Kind& kind, const Known& before, const Known& after);
    void drop(const Kind& kind, const observe::Labels& labels, const Words& condition);
    static const Shown* find(const std::vector<Shown>& conditions, std::string_view type);
    static observe::Labels of_condition(observe::Labels labels, const Words& condition);
    observe::Labels labels_of(const Kind& kind, const api::ObjectMeta& meta) const;

    const model::Cluster& cluster_;
    observe::Metrics& metrics_;
    std::vector<std::string> class_labels_;  // One a kind of node class.
    bool is_on_ = false;
    bool is_starting_ = false;
    std::uint64_t pass_ = 0;
    std::size_t second_ = 0;
    SharedValues<observe::Labels> labels_;
    SharedValues<Words> words_;
    Kind nodes_{"node", {}};
    Kind claims_{"nodeclaim", {}};
    Kind pools_{"nodepool", {}};
    Kind buffers_{"capacitybuffer", {}};
};

}  // namespace joiner::control
