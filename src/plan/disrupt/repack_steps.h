// What the search found, as steps: candidates whose pods share a purchase leave together, all others alone.
// Each step is held against the scheduler's rules by the independent checker, and against the policies.
// Pure; one owner, one thread.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plan/disrupt/repack.h"
#include "plan/disrupt/repack_search.h"
#include "plan/provision/held_ratio.h"

namespace joiner::plan {

class RepackSteps {
  public:
    // REQUIRES: the search has ended. Both are borrowed.
    RepackSteps(const RepackQuestion& question, const RepackSearch& search, const RepackOptions& options);

    // Makes and checks one step. Returns what that took, in looks of the search; 0 when there was none left.
    std::uint64_t make_one();
    std::vector<RepackStep> take();

  private:
    struct Part {
        std::vector<std::size_t> candidates;
        std::vector<std::size_t> purchases;
    };

    void find_parts();
    std::optional<RepackStep> make(const Part& part);
    // Of the parts so far that are not lone, all in one, after the steps so far.
    std::optional<RepackStep> make_joint();
    void gather_joint();
    std::vector<model::PodIndex> pods_of(const Part& part) const;
    std::optional<RepackStep> settled(const Part& part, RepackStep step, bool has_pods);
    void add_repulsions(const rules::PodShape& shape);
    bool is_lone(const std::vector<model::PodIndex>& pods);
    bool buy(const Part& part, RepackStep& step) const;
    bool is_allowed(const RepackStep& step, const std::vector<model::PodIndex>& pods) const;
    bool plan_again(RepackStep& step, const std::vector<model::PodIndex>& pods) const;
    bool keeps_balance(const Part& part, const RepackStep& step) const;
    bool keeps_ratios(const Part& part, const RepackStep& step);
    bool may_be_spot(const Part& part, const RepackStep& step);
    bool pays(const Part& part, RepackStep& step) const;
    void drop_dear_types(const Part& part, RepackStep& step);
    const rules::InstanceType* type_of(model::PoolIndex pool, const std::string& name);
    const rules::Offering* cheapest_of(const MachineSpec& spec, const std::string& name);
    void count_limits(const RepackStep& step);

    const RepackQuestion& question_;
    const RepackSearch& search_;
    const RepackOptions options_;
    ProvisionOptions provision_options_;
    std::vector<RepackPurchase> purchases_;
    std::vector<Part> parts_;  // Best first.
    Part joint_;               // What is left for one step; empty: nothing.
    std::size_t next_ = 0;
    std::size_t dependent_ = 0;  // Steps looked at that are not independent.
    std::map<std::string_view, const rules::PodSelector*>
        repulsions_;  // Whom some pod keeps away from; of a joint step, asks for.
    std::map<const rules::PodLabels*, bool> is_left_alone_;                                // A memo.
    std::vector<std::unordered_map<std::string_view, const rules::InstanceType*>> types_;  // By pool; a memo.
    // What the pools' limits leave after the steps so far, by the snapshot's pools.
    std::vector<model::PoolView> pools_;
    Mixes mixes_;  // After the steps so far.
    std::vector<RepackStep> steps_;
};

}  // namespace joiner::plan
