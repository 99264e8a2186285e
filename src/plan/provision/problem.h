// The planning question in small integers: resources as dense vectors, pods as classes and counts, what a
// pool offers as one machine word of offerings a type. Built from a Snapshot; classes and groups are added
// while a plan is made. One owner, one thread. Strings stay behind.
//
//     kind (requests, group, rules among pods)
//        `-- class (requests, group, caps, crowd): a kind where its topology is settled, for the fill
//               `-- group (what it asks of machines) --- per alternative and pool: Match, a mask of
//                   offerings a type
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/snapshot.h"
#include "plan/provision/daemons.h"
#include "plan/provision/resource_bound.h"
#include "plan/provision/topology.h"
#include "plan/reason.h"

namespace joiner::plan {

// Offerings of one option of a type, as bits.
using OfferingMask = std::uint64_t;

// Requirements that no type decides (labels a pool leaves open), interned; 0 asks for nothing.
using OpenId = std::uint32_t;
inline constexpr OpenId kOpenConflict = ~0u;

// One type as one pool may buy it. Offerings on which different daemons stand are options of their own, and
// so are those that one mask cannot hold.
struct TypeOption {
    std::uint32_t type = 0;           // Index into the pool's types.
    std::uint32_t first = 0;          // Bit 0 is this offering of the type.
    OfferingMask offerings = 0;       // Available, and allowed by the pool and its limits.
    OfferingMask beyond_limits = 0;   // Those that only the limits forbid; with these there are no others.
    std::vector<std::uint8_t> order;  // Offerings from cheap to dear; ties by zone, then capacity type.
    DaemonList standing;              // The daemons that will stand on it.
    rules::Resources daemons;         // What they will use of it.
};

struct PoolOptions {
    std::vector<TypeOption> types;
    std::vector<double> room;             // types x dimensions: allocatable less daemons.
    std::vector<double> capacity;         // types x limited resources: what counts against the pool's limits.
    std::vector<std::uint32_t> by_price;  // Types, by their cheapest offering; ties by name.
    bool has_parts = false;               // Some type has more than one option.
    std::string nothing_because;          // Why `types` is empty.

    // Some machine of it is within its limits.
    bool sells() const {
        return std::any_of(types.begin(), types.end(),
                           [](const TypeOption& one) { return one.offerings != 0; });
    }
};

// How one alternative of one group of pods matches one pool.
struct Match {
    bool possible = false;
    OpenId open = 0;
    std::vector<OfferingMask> masks;          // By TypeOption.
    std::vector<OfferingMask> beyond_limits;  // Likewise; empty where there are none. For reasons alone.
    Rule rule = Rule::kPodItself;             // When not possible: why, and what of it.
    std::string detail;
};

// A limit on how many pods of some classes one node may hold: hostname spread, anti-affinity of a class with
// itself, host ports.
using CapId = std::uint32_t;
// Pods that get on with the same neighbours; 0 gets on with everyone.
using CrowdId = std::uint32_t;

// Pods alike in everything a plan looks at.
struct PodKind {
    std::uint32_t group = 0;
    std::vector<double> request;
    const rules::PodShape* shape = nullptr;
    PodRules rules;
    std::vector<model::PodIndex> pods;  // By age, then name.
    std::vector<CapId> caps;
    std::vector<CapId> firm_caps;
    CrowdId crowd = 0;
};

// Pods alike to the fill: caps, crowd and masks say all that is left of their rules. May be of several kinds.
struct PodClass {
    std::uint32_t group = 0;
    std::vector<double> request;
    const rules::PodShape* shape = nullptr;
    std::vector<model::PodIndex> pods;
    std::vector<CapId> caps;       // Each pod takes one unit of each.
    std::vector<CapId> firm_caps;  // Those of them that hold for any plan whatever; bounds rest on them.
    CrowdId crowd = 0;
    // Its pods ask nothing of others, nor others of them, so they may stand wherever there is room.
    bool is_free = false;
};

// Topology keys settled, with their values; by key.
using Pins = std::vector<std::pair<KeyId, std::string>>;

// Pods that may stand on the same machines.
struct Group {
    const rules::PodShape* shape = nullptr;
    DaemonRules daemons;
    std::string daemons_forbid;  // Why no machine suits, where it is for the daemons there.
    // In the order they are tried; nullptr: any of the required ones that follow (alternatives.h).
    std::vector<const rules::Requirements*> alternatives;
    std::vector<std::vector<Match>> matches;  // Alternative x pool.
};

class Problem {
  public:
    explicit Problem(const model::Snapshot& snapshot);

    const model::Snapshot& snapshot() const { return *snapshot_; }
    std::size_t dimensions() const { return dimension_names_.size(); }
    const std::vector<std::string>& dimension_names() const { return dimension_names_; }
    // Of the volumes of a CSI driver; dimensions() where no node has a limit for it.
    std::size_t dimension_of_volumes(std::string_view driver) const;
    // Some of the volumes that such pods share with others are counted on some node.
    bool counts_shared_volumes(const rules::PodShape& shape) const;
    // And new nodes take too few for all that pods ask for, so that one must know which of them share a node.
    bool may_lack_volumes(const rules::PodShape& shape) const;
    const Topology& topology() const { return topology_; }
    const std::vector<PodKind>& kinds() const { return kinds_; }
    const std::vector<PodClass>& classes() const { return classes_; }
    const std::vector<Group>& groups() const { return groups_; }
    const std::vector<PoolOptions>& pools() const { return pools_; }
    // By CapId: how many units one new node has.
    const std::vector<std::uint32_t>& caps() const { return caps_; }
    // Whether pods of the two crowds may stand on one node. A crowd gets on with itself: what keeps pods of
    // one class apart is a cap.
    bool may_share(CrowdId a, CrowdId b) const {
        return a == b || a == 0 || b == 0 || !hostile_[a * crowds_ + b];
    }
    // Pods that no plan can place, whatever there is.
    const std::vector<std::pair<model::PodIndex, std::string>>& rejected() const { return rejected_; }

    // The class of the kind's pods on machines with these values; made when first asked for.
    std::uint32_t class_of(std::uint32_t kind, const Pins& pins);
    void add_pod(std::uint32_t c, model::PodIndex pod) { classes_[c].pods.push_back(pod); }
    void drop_pods();  // Every class is empty then.
    // By pod: those are in no kind any more; and those are again, `kind_of` by pod.
    void take_out(const std::vector<bool>& pods);
    void put_back(const std::vector<model::PodIndex>& pods, const std::vector<std::uint32_t>& kind_of);
    // What all that a pool's limits leave is worth beside the price, in nano-dollars an hour, and an option's
    // part of that, a whole number.
    void set_scarcity(double nanos) { scarcity_ = nanos; }
    double surcharge(model::PoolIndex pool, std::size_t option) const;
    // One machine of the option takes no more of the pool's limits than one of the other does.
    bool counts_for_no_more(model::PoolIndex pool, std::size_t option, std::size_t other) const;
    // Whether some machine one may buy holds a pod of the class when it is alone, whatever the limits.
    bool some_machine_holds(const PodClass& pod_class) const;
    // A daemon that stands on every machine such pods may get is counted, so affinity by it is met there.
    bool is_met_by_daemons(CounterId counter) const { return is_met_by_daemons_[counter]; }
    // What new nodes of the pool may have for the key; cheapest first, then by name.
    const std::vector<std::string>& values_of(model::PoolIndex pool, KeyId key);

    // What the room has free, and what a pod asks for, its own volumes included.
    std::vector<double> free_of(const model::RoomView& room) const;
    std::vector<double> request_of(const rules::PodShape& shape) const;
    OpenId merge(OpenId a, OpenId b) const;
    const rules::Requirements& open_requirements(OpenId id) const { return open_[id]; }
    const rules::Offering& offering(model::PoolIndex pool, const TypeOption& option, std::size_t bit) const;
    const rules::InstanceType& type(model::PoolIndex pool, const TypeOption& option) const;
    // The cheapest of the offerings in `mask`, or 255.
    static std::uint8_t cheapest(const TypeOption& option, OfferingMask mask);

  private:
    void find_dimensions();
    std::vector<double> dense(const rules::Resources& resources) const;
    void set_volumes(const model::VolumeLimits& limits, std::vector<double>& room) const;
    void make_pools();
    void count_volumes();
    void make_kinds();
    void make_company();
    void make_group_matches(Group& group);
    std::uint32_t part_of(std::uint32_t group, const Pins& pins);
    Match narrow(const Match& match, const rules::PodShape& shape, const rules::Requirements& wanted,
                 const Pins& pins, model::PoolIndex pool);
    const Match& pin_match(model::PoolIndex pool, KeyId key, const std::string& value);
    bool is_on_offerings(model::PoolIndex pool, KeyId key) const;
    PoolOptions make_pool(const model::PoolView& pool) const;
    void leave_out_too_small(PoolOptions& pool) const;
    std::vector<TypeOption> options_of(const model::PoolView& pool, const rules::Requirements& wanted,
                                       std::uint32_t type) const;
    void find_standing_daemons();
    void heed_daemons(const Group& group, model::PoolIndex pool, Match& match);
    // The value of the key on a machine of the offering; empty where it is none, or open.
    std::string value_on(model::PoolIndex pool, const TypeOption& option, std::uint8_t bit, KeyId key) const;
    // Where the daemon stands, by the key; with an empty one, anywhere.
    const std::set<std::string>& domains_of(DaemonIndex daemon, KeyId key);
    // Which part of a pool's offers says something of a key.
    struct KeyUse {
        bool on_types = false;             // Some type or offering.
        bool several_on_one_type = false;  // A type, and not its offerings, leaves a choice.
    };
    KeyUse use_of_key(model::PoolIndex pool, const std::string& key);
    Match match(const rules::PodShape& shape, const rules::Requirements& wanted, model::PoolIndex pool);
    OpenId intern_open(rules::Requirements requirements) const;

    const model::Snapshot* snapshot_;
    Topology topology_;
    Daemons daemons_;
    DaemonList standing_daemons_;          // On some machine one may buy.
    std::vector<bool> is_met_by_daemons_;  // By counter.
    std::map<std::pair<DaemonIndex, KeyId>, std::set<std::string>> daemon_domains_;
    std::vector<std::string> dimension_names_;
    std::size_t extended_end_ = 0;
    std::vector<std::string> volume_drivers_;      // The dimensions from there on; sorted.
    std::vector<double> volumes_asked_;            // By driver: by all pods.
    std::vector<double> fewest_volumes_of_types_;  // By driver: that some type takes.
    std::vector<PoolOptions> pools_;
    std::vector<PodKind> kinds_;
    std::vector<PodClass> classes_;
    std::vector<Group> groups_;
    std::deque<rules::Requirements> owned_;  // Alternatives of parts; their addresses stay.
    std::map<std::pair<std::uint32_t, Pins>, std::uint32_t> parts_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> class_of_part_;  // Kind and group.
    std::map<
        std::tuple<std::uint32_t, std::vector<double>, std::vector<CapId>, std::vector<CapId>, CrowdId, bool>,
        std::uint32_t>
        class_ids_;
    std::map<std::tuple<model::PoolIndex, KeyId, std::string>, Match> pin_matches_;
    std::map<std::pair<model::PoolIndex, KeyId>, std::vector<std::string>> values_;
    double scarcity_ = 0;
    std::map<std::pair<model::PoolIndex, std::string>, KeyUse> key_uses_;
    std::vector<std::uint32_t> caps_;
    std::size_t crowds_ = 1;
    std::vector<bool> hostile_;  // Crowd x crowd.
    std::vector<std::pair<model::PodIndex, std::string>> rejected_;
    // A memo: merging the same two requirement sets again costs one look-up.
    mutable std::vector<rules::Requirements> open_;
    mutable std::map<std::string, OpenId> open_ids_;
    mutable std::map<std::pair<OpenId, OpenId>, OpenId> merged_;
};

}  // namespace joiner::plan
