// kube-scheduler, as far as an autoscaler meets it: a queue by priority and age, filters, the emptiest node
// first, preemption, bindings at a bounded rate, the Unschedulable condition, and back-off from one second to
// ten. Loop thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "kube/token_bucket.h"
#include "sim/options.h"
#include "sim/scheduler_state.h"
#include "sim/world.h"

namespace joiner::sim {

class Scheduler final : public Controller {
  public:
    Scheduler(World& world, SchedulerOptions options);
    ~Scheduler() override;

    std::size_t pending() const { return pending_.size(); }
    // Bindings the API server refused: someone else was faster.
    std::uint64_t lost_races() const { return lost_races_; }

  private:
    struct Pending {
        SchedulerPodPtr pod;
        std::uint64_t arrival = 0;
        int attempts = 0;
        Duration not_before{0};
        enum class Place { kActive, kBackoff, kUnschedulable, kVolumes } place = Place::kActive;
        std::string chosen_node;  // While its claims are being bound.
    };
    using Rank = std::tuple<std::int32_t, std::uint64_t, std::string>;  // Falling priority, arrival, key.

    void hear_of_pod(EventType type, const ObjectPtr& object);
    void on_pod(EventType type, const ObjectPtr& object);
    void on_node(EventType type, const ObjectPtr& object);
    void on_claim(const ObjectPtr& claim);
    void forget(const std::string& key);
    void activate(const std::string& key, Pending& pending);
    void back_off(const std::string& key, Pending& pending);
    void something_helps();
    void set_backoff_timer();
    void wake();
    void run();
    void schedule(const std::string& key);
    void bind(const std::string& key, std::string node);
    void wait_for_claims(const std::string& key, const SchedulerState::Choice& choice);
    bool has_unbound_claims(const SchedulerPod& pod) const;
    void refuse(const std::string& key, const std::string& message, bool retries_anyway);
    // Pods that are less urgent make way for it, or are on their way out already. False: none would do.
    bool preempt(const SchedulerPodPtr& pod);
    bool is_emptying(const std::string& node, const SchedulerPod& pod) const;
    static Rank rank_of(const std::string& key, const Pending& pending);

    World& world_;
    const SchedulerOptions options_;
    const ResourceType& pods_type_;
    SchedulerState state_;
    kube::TokenBucket tokens_;
    std::map<std::string, Pending> pending_;  // By key.
    std::set<std::string> assumed_;           // Uids of pods it has bound and not seen bound.
    std::set<Rank> active_;
    std::set<std::pair<Duration, std::string>> backing_off_;
    std::uint64_t next_arrival_ = 1;
    std::uint64_t lost_races_ = 0;
    // Why pods of a shape found no place, as long as nothing has changed for the better.
    std::map<std::string, std::string> known_failures_;
    io::TimerId backoff_timer_ = 0;
    io::TimerId token_timer_ = 0;
    bool is_posted_ = false;
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
    Informer nodes_;
    Informer pods_;
    Informer claims_;
};

}  // namespace joiner::sim
