// What would be if these pods stood there: room and topology counts of every place, existing or about to be
// bought, changed one pod at a time and put back as easily. Whatever it lets in, kube-scheduler would let in
// at that moment, so the order of a trial is an order in which its pods can be bound. One owner, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/provision/limits.h"
#include "plan/provision/machine.h"
#include "plan/provision/problem.h"
#include "plan/provision/provision.h"

namespace joiner::plan {

// The value of each topology key at some place, as a number; kNoDomain where it has none, or none yet.
using Domains = std::vector<std::int32_t>;
inline constexpr std::int32_t kNoDomain = -1;

// rooms, then closed nodes, then machines to buy.
using Place = std::uint32_t;
inline constexpr Place kNewPlace = ~Place{0};

struct Mode {
    std::size_t dropped = 0;  // So many preferences are let go, the lightest first.
    // Spread looks at domains that have nodes, as the scheduler does, and not at all those one could buy in.
    bool is_lenient = false;
};

// A machine to buy, as far as it is settled.
struct Opened {
    Machine machine;  // Its `offerings` and `option` are the cheapest that do now.
    std::vector<OfferingMask> masks;
    std::vector<double> sum;
    std::vector<double> most;           // Of each resource, what the roomiest type left has.
    ValueCounts least_values;           // What minValues ask of it since its first pod.
    std::vector<std::string> attached;  // Volumes that its pods share with others.
    std::vector<model::PodIndex> pods;
};

class Trial {
  public:
    Trial(Problem& problem, const ProvisionOptions& options);

    Problem& problem() { return problem_; }
    std::size_t rooms() const { return rooms_; }
    std::size_t preferences(std::uint32_t kind) const;
    const std::vector<Placement>& placements() const { return placements_; }
    const std::vector<Opened>& opened() const { return opened_; }
    Place place_of(std::size_t opened) const { return static_cast<Place>(closed_end_ + opened); }

    // Rooms.
    bool admits(std::uint32_t kind, Place room) { return admits_group(problem_.kinds()[kind].group, room); }
    bool admits_group(std::uint32_t group, Place room);
    const double* free(Place room) const { return &free_[room * n_]; }  // By the problem's dimension.
    std::uint32_t how_many_fit(std::uint32_t kind, Place room) const;
    bool allows(std::uint32_t kind, Place place, const Mode& mode);
    void put(std::uint32_t kind, Place room, model::PodIndex pod);

    // Domains alone, while it is open which machine it will be.
    bool allows_at(std::uint32_t kind, const Domains& at, Place place, const Mode& mode,
                   std::string* why = nullptr);
    // What preferences the domains break, by weight.
    int regrets(std::uint32_t kind, const Domains& at);
    // Whether a preference about the node itself would be broken.
    bool regrets_node(std::uint32_t kind, Place place);
    // How full the domains are in the eyes of those who spread.
    std::pair<std::int64_t, std::int64_t> load(std::uint32_t kind, const Domains& at) const;
    void count_at(std::uint32_t kind, const Domains& at, int by);
    Pins pins(std::uint32_t kind, const Domains& at) const;
    const Domains& domains_of(Place place) const { return domains_[place]; }
    std::int32_t domain(KeyId key, const std::string& value);
    Domains nowhere() const { return Domains(problem_.topology().keys().size(), kNoDomain); }
    // Every combination of values that new nodes of the pool may have for the keys, `from` kept where it is
    // settled; the likeliest to be cheap first.
    std::vector<Domains> combinations(const std::vector<KeyId>& keys, model::PoolIndex pool,
                                      const Domains& from);
    // There were more combinations than are looked at.
    bool is_cut() const { return is_cut_; }

    // Machines.
    // Whether some type left may hold one more; quick, and wrong only by saying yes.
    bool may_hold(std::uint32_t kind, std::size_t opened) const;
    bool join(std::uint32_t kind, std::size_t opened, const Domains& at, model::PodIndex pod);
    bool open(std::uint32_t kind, model::PoolIndex pool, std::uint32_t alternative, const Domains& at,
              model::PodIndex pod);
    // A machine that is decided: its pods are counted on it, by the keys that they are settled by.
    void adopt(const Machine& machine, std::vector<model::PodIndex> pods,
               const std::vector<std::uint32_t>& kind_of, const Domains& at);
    const Limits& limits() const { return limits_; }
    // Of the machines to buy, and what their nodes cost besides.
    rules::Money price() const;

    // Steps can be undone while they are recorded.
    void record(bool on) { is_recording_ = on; }
    bool is_recording() const { return is_recording_; }
    std::size_t mark() const { return log_.size(); }
    void undo_to(std::size_t mark);

  private:
    struct Step {
        std::uint32_t kind = 0;
        Place place = 0;
        std::optional<Opened> before;  // Of a machine that was there; nothing for a new one.
        Domains domains_before;
        // Of a room: the shared volumes that came with the pod, and their dimensions.
        std::size_t attached = 0;
        std::vector<std::size_t> brought;
    };

    void read_places();
    void read_standing();
    bool is_eligible(FilterId filter, Place place);
    bool stays_as_eligible(const Machine& machine, Place place) const;
    bool is_eligible_there(FilterId filter, std::uint32_t pod_class);
    void count(const std::vector<CounterId>& counters, Place place, int by, bool is_going);
    int count_of(CounterId counter, const Domains& at, Place place) const;
    int least(const SpreadRule& rule, const Mode& mode);
    bool is_open(Place place, KeyId key);
    const std::vector<std::int32_t>& universe(const SpreadRule& rule);
    bool keeps_spread(const SpreadRule& rule, const Domains& at, Place place, const Mode& mode);
    bool keeps_preferences(std::uint32_t kind, const Domains& at, Place place, const Mode& mode);
    bool add_to(Opened& opened, std::uint32_t kind, std::uint32_t c, std::uint32_t alternative,
                model::PodIndex pod);
    std::vector<std::size_t> not_attached(const PodKind& kind, const std::vector<std::string>& there) const;
    static std::size_t attach(const PodKind& kind, std::vector<std::string>& there);
    bool settle(Opened& opened);
    void grow(Place place);

    Problem& problem_;
    const ProvisionOptions& options_;
    std::size_t n_;
    std::size_t rooms_;
    std::size_t closed_end_;
    Limits limits_;
    std::vector<double> free_;
    std::vector<std::vector<std::string>> attached_;  // By room: volumes that several pods use.
    std::vector<Domains> domains_;                    // By place.
    std::vector<std::vector<std::uint32_t>> ports_;   // By place.
    std::vector<std::vector<int>> counts_;            // Counter x domain; hostname: x place.
    std::vector<std::int64_t> totals_;                // By counter.
    // What the smallest count was over domains that have nodes, and how many they are, by counter.
    struct Lowest {
        std::uint64_t version = 0;
        int count = 0;
        std::size_t domains = 0;
        bool some_open = false;  // Some machine may be in any.
    };
    std::vector<Lowest> lowest_;
    std::uint64_t version_ = 1;                                    // Of the counts and places.
    std::vector<std::map<std::string, std::int32_t>> domain_ids_;  // By key.
    std::vector<std::vector<std::string>> domain_names_;
    std::vector<std::vector<signed char>> eligible_;                     // Filter x place; -1 not asked yet.
    std::map<std::pair<FilterId, std::uint32_t>, bool> eligible_there_;  // Filter and class.
    std::vector<std::vector<signed char>> admitted_;                     // Group x room.
    std::map<CounterId, std::vector<std::int32_t>> universes_;
    std::vector<Opened> opened_;
    std::vector<std::optional<rules::Requirements>> labels_;  // By machine: its node's, as it is now.
    std::vector<Placement> placements_;
    bool is_cut_ = false;
    bool is_recording_ = false;
    std::vector<Step> log_;
};

}  // namespace joiner::plan
