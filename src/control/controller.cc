#include "control/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "act/binder.h"
#include "act/lifecycle.h"
#include "act/object_writer.h"
#include "act/services.h"
#include "api/codec.h"
#include "api/names.h"
#include "cloud/providers.h"
#include "control/bindings.h"
#include "control/buffer_keeper.h"
#include "control/claim_decisions.h"
#include "control/class_keeper.h"
#include "control/cloud_events.h"
#include "control/collector.h"
#include "control/consolidation.h"
#include "control/deletion_costs.h"
#include "control/disruptor.h"
#include "control/feed.h"
#include "control/legacy_repairer.h"
#include "control/metered_provider.h"
#include "control/metric_words.h"
#include "control/node_decisions.h"
#include "control/overlaid_offers.h"
#include "control/overlay_keeper.h"
#include "control/pool_keeper.h"
#include "control/provider_offers.h"
#include "control/provisioner.h"
#include "control/repair_policies.h"
#include "control/repairer.h"
#include "control/replacer.h"
#include "control/shortages.h"
#include "control/static_pools.h"
#include "control/windows.h"
#include "kube/events.h"
#include "kube/lease.h"
#include "kube/reflector.h"
#include "model/cluster.h"
#include "observe/decision_log.h"
#include "observe/log.h"
#include "plan/disrupt/empty.h"
#include "plan/lifecycle/initialization.h"
#include "rules/conditions.h"

namespace joiner::control {
namespace {

constexpr Duration kTick = std::chrono::seconds{1};
constexpr int kTicksPerSweep = 10;
// Bindings that a process killed just before us had sent may still land, and must be seen before its nodes
// are filled on.
constexpr Duration kInheritedSettle = std::chrono::seconds{3};
// After an outage the scheduler comes back to its watches one by one, each after a back-off (client-go: up to
// 30 s, doubled by its jitter). Until then it may see a node and not the pods on it, so none is opened to it.
constexpr Duration kLeastHold = std::chrono::seconds{5};
constexpr Duration kLongestHold = std::chrono::seconds{65};
constexpr Duration kEmptySoon = std::chrono::milliseconds{500};
constexpr std::string_view kLaunchFailed = "LaunchFailed";

struct Watched {
    model::Kind kind;
    kube::Resource resource;
    bool (*is_wanted)(const Options&) = nullptr;  // Always, where absent.
};
bool has_overlays(const Options& options) {
    return options.gates.node_overlay;
}
bool has_buffers(const Options& options) {
    return options.gates.capacity_buffer;
}
bool has_default_spread(const Options& options) {
    return !options.default_spread.empty();
}
bool reads_workloads(const Options& options) {
    return has_buffers(options) || has_default_spread(options);
}
const Watched kWatched[] = {
    {model::Kind::kPod, kube::kPods},
    {model::Kind::kNode, kube::kNodes},
    {model::Kind::kNodeClaim, kube::kNodeClaims},
    {model::Kind::kNodePool, kube::kNodePools},
    {model::Kind::kDaemonSet, kube::kDaemonSets},
    {model::Kind::kNamespace, kube::kNamespaces},
    {model::Kind::kPersistentVolumeClaim, kube::kPersistentVolumeClaims},
    {model::Kind::kPersistentVolume, kube::kPersistentVolumes},
    {model::Kind::kStorageClass, kube::kStorageClasses},
    {model::Kind::kCSINode, kube::kCSINodes},
    {model::Kind::kPodDisruptionBudget, kube::kPodDisruptionBudgets},
    {model::Kind::kVolumeAttachment, kube::kVolumeAttachments},
    {model::Kind::kLimitRange, kube::kLimitRanges},
    {model::Kind::kNodeOverlay, kube::kNodeOverlays, has_overlays},
    {model::Kind::kCapacityBuffer, kube::kCapacityBuffers, has_buffers},
    {model::Kind::kPodTemplate, kube::kPodTemplates, has_buffers},
    {model::Kind::kDeployment, kube::kDeployments, has_buffers},
    {model::Kind::kStatefulSet, kube::kStatefulSets, reads_workloads},
    {model::Kind::kReplicaSet, kube::kReplicaSets, reads_workloads},
    {model::Kind::kService, kube::kServices, has_default_spread},
    {model::Kind::kReplicationController, kube::kReplicationControllers, has_default_spread},
};

// What providers say of themselves, passed on. While the controller is being made there is nobody to tell,
// and all is asked for anew once it acts.
struct ReportsTo final : cloud::Reports {
    std::function<void()> on_offers;
    std::function<void(const api::NodeClassReference&)> on_class;
    std::function<void(const cloud::InstanceEvent&)> on_event;

    void offers_changed() override {
        if (on_offers) on_offers();
    }
    void class_changed(const api::NodeClassReference& reference) override {
        if (on_class) on_class(reference);
    }
    void happened(const cloud::InstanceEvent& event) override {
        if (on_event) on_event(event);
    }
};

// Turns what happened into metrics and log lines, and passes on what came of launches.
class Recorder final : public act::Notices {
  public:
    struct Listener {
        std::function<void(const api::Node&)> registered;
        std::function<void(const api::NodeClaim&, std::string_view reason)> ended;
        // It was deleted before its node came up. `reason`: as the metrics name it; `condition`: a condition
        // reason.
        std::function<void(const api::NodeClaim&, std::string_view reason, std::string_view condition)>
            given_up;
        std::function<void(const api::NodeClaim&, const Error&)> launch_failed;
    };
    Recorder(observe::Metrics& metrics, const model::Cluster& cluster, Listener listener)
        : metrics_(metrics), cluster_(cluster), listener_(std::move(listener)) {}

    void claim_created(const api::NodeClaim& claim, std::string_view reason) override {
        metrics_.count(
            "nodeclaims_created_total",
            {{"reason", std::string(reason)},
             {"nodepool", label(claim.meta, api::kNodePoolLabel)},
             {"min_values_relaxed",
              std::string(api::find_or_empty(claim.meta.annotations, api::kMinValuesRelaxedAnnotation))}});
        observe::log_info("provisioner", "created nodeclaim", {{"NodeClaim", claim.meta.name}});
    }
    void claim_disrupted(const api::NodeClaim& claim, std::string_view reason) override {
        const observe::Labels labels = {
            {"reason", std::string(reason)},
            {"nodepool", label(claim.meta, api::kNodePoolLabel)},
            {"capacity_type", label(claim.meta, api::kCapacityTypeLabel)},
            {"consolidation_policy", consolidation_policy(claim, reason)},
            {"termination_mode", termination_mode(claim.termination_grace_period)}};
        metrics_.count("nodeclaims_disrupted_total", labels);
        if (const model::NodeState* node = cluster_.node_of(claim)) {
            const auto pods = std::count_if(node->pods.begin(), node->pods.end(),
                                            [](const auto& item) { return item.second->is_reschedulable(); });
            metrics_.count("pods_disruption_initiated_total", labels, static_cast<double>(pods));
        }
        observe::log_info("disruption", "deleted nodeclaim",
                          {{"NodeClaim", claim.meta.name}, {"reason", std::string(reason)}});
        listener_.ended(claim, reason);
        if (const std::string_view condition = launch_problem(reason); !condition.empty())
            listener_.given_up(claim, reason, condition);
    }
    void launch_failed(const api::NodeClaim& claim, const Error& error) override {
        failed("launch NodeClaim " + claim.meta.name, error);
        listener_.launch_failed(claim, error);
    }
    void claim_terminated(const api::NodeClaim& claim) override {
        metrics_.count("nodeclaims_terminated_total",
                       {{"nodepool", label(claim.meta, api::kNodePoolLabel)},
                        {"capacity_type", label(claim.meta, api::kCapacityTypeLabel)},
                        {"zone", label(claim.meta, api::kZoneLabel)}});
    }
    void node_created(const api::Node& node) override {
        count_node("nodes_created_total", node);
        listener_.registered(node);
    }
    void node_terminated(const api::Node& node) override { count_node("nodes_terminated_total", node); }
    void node_drained(const api::Node& node) override {
        metrics_.count("nodes_drained_total", {{"nodepool", label(node.meta, api::kNodePoolLabel)}});
    }
    void node_rebooted(std::string_view result, Duration took, std::optional<Duration> recovery) override {
        const observe::Labels labels = {{"result", std::string(result)}};
        metrics_.count("nodes_reboots_total", labels);
        metrics_.observe("nodes_reboot_duration_seconds", labels, to_seconds(took));
        if (recovery) metrics_.observe("nodes_reboot_recovery_duration_seconds", {}, to_seconds(*recovery));
    }
    void pod_evicted(int code) override {
        metrics_.count("pods_eviction_requests_total", {{"code", std::to_string(code)}});
    }
    void pod_bound(std::string_view result) override {
        metrics_.count("joiner_pods_bound_total", {{"result", std::string(result)}});
    }
    void failed(std::string_view what, const Error& error) override {
        observe::log_error("controller", fmt::format("could not {}", what),
                           {{"error", error.message}, {"kind", to_string(error.kind)}});
    }

  private:
    // Why a claim that was deleted for `reason` has not come up; empty where it has.
    static std::string_view launch_problem(std::string_view reason) {
        if (reason == "registration_timeout") return "RegistrationFailed";
        if (reason == "initialization_timeout") return "InitializationFailed";
        return reason == "launch_timeout" ? kLaunchFailed : std::string_view{};
    }
    // Of the claim's pool, where that is what has decided.
    std::string consolidation_policy(const api::NodeClaim& claim, std::string_view reason) const {
        const model::PoolState* pool = cluster_.find_pool(label(claim.meta, api::kNodePoolLabel));
        const bool is_by_policy = reason == "empty" || reason == "underutilized";
        return pool != nullptr && is_by_policy ? snake_case(pool->pool.consolidation_policy) : std::string{};
    }
    static std::string label(const api::ObjectMeta& meta, std::string_view key) {
        return std::string(api::find_or_empty(meta.labels, key));
    }
    void count_node(std::string_view name, const api::Node& node) {
        metrics_.count(name, {{"nodepool", label(node.meta, api::kNodePoolLabel)},
                              {"zone", label(node.meta, api::kZoneLabel)}});
    }
    observe::Metrics& metrics_;
    const model::Cluster& cluster_;
    Listener listener_;
};

kube::ClientOptions client_options(const Options& options, std::function<bool()> may_write) {
    kube::ClientOptions out;
    out.may_write = std::move(may_write);
    out.qps = options.client_qps;
    out.burst = options.client_burst;
    return out;
}

}  // namespace

class Controller::Impl {
  public:
    Impl(io::Loop& loop, io::HttpClient& http, kube::Config config, Options options,
         const std::vector<ProviderMaker>& makers, observe::Metrics& metrics, Rng rng)
        : loop_(loop),
          options_(std::move(options)),
          metrics_(metrics),
          default_namespace_(config.default_namespace),
          client_(loop, http, std::move(config), client_options(options_, [this] { return may_write(); })),
          providers_(loop, [this] { return may_write(); }),
          cluster_(options_.preference_policy, make_providers(makers)),
          events_(loop, client_, {}),
          recorder_(metrics, cluster_, launch_listener()),
          own_offers_(providers_, cluster_),
          overlaid_(own_offers_, cluster_),
          shortages_(overlaid_, loop, cluster_),
          services_{loop,
                    client_,
                    events_,
                    providers_,
                    shortages_,
                    cluster_,
                    recorder_,
                    [this](const std::string& claim) { look_at_claim(claim); },
                    [this](const std::string& node) { look_at_node(node); }},
          repair_policies_(usable_repair_policies()),
          provisioner_(
              services_, options_, metrics, decisions_, Rng(rng.next()), [this] { return facts_are_fresh(); },
              [this](const std::string& claim) {
                  return lifecycle_.has_begun_to_open(claim) || windows_.is_overdue(claim, loop_.now());
              },
              [this](const model::PodState& pod) { return disruptor_.take_place(pod); }),
          planned_(provisioner_.planned()),
          binder_(services_, planned_),
          windows_(cluster_, planned_, binder_),
          bindings_(
              services_, planned_, binder_, windows_, [this] { return acting_ && !outage_began_; },
              [this] { provisioner_.trigger(); }),
          lifecycle_(
              services_, options_.pod_binding,
              [this](const std::string& claim) { return window_may_open(claim); },
              [this](const std::string& claim) {
                  const auto it = last_pod_event_.find(claim);
                  return it == last_pod_event_.end() ? kNoTime : it->second;
              }),
          disruptor_(services_, provisioner_, lifecycle_, last_pod_event_, repair_policies_, metrics,
                     decisions_),
          replacer_(services_, provisioner_, disruptor_, metrics, decisions_),
          consolidation_(services_, provisioner_, disruptor_, metrics, decisions_,
                         {.spot_to_spot = options_.gates.spot_to_spot_consolidation}),
          static_pools_(services_, provisioner_, lifecycle_, disruptor_, decisions_,
                        {options_.gates.terminate_first_drift, options_.gates.terminate_first_repair}),
          repairer_(services_, repair_policies_, lifecycle_, disruptor_, replacer_, static_pools_, metrics,
                    decisions_),
          legacy_repairer_(services_, legacy_repair_policies_of(providers_), lifecycle_, metrics, decisions_),
          deletion_costs_(services_, disruptor_, metrics),
          pool_keeper_(services_, metrics, decisions_, [this] { look_at_pools(); }),
          overlay_keeper_(services_, [this] { look_at_pools(); }),
          buffer_keeper_(services_, provisioner_),
          collector_(services_,
                     [this](const std::string& claim, const std::string& reason) {
                         lifecycle_.delete_claim(claim, reason);
                     }),
          class_keeper_(services_),
          cloud_events_(services_, lifecycle_, shortages_, metrics),
          lease_rng_(rng.next()) {
        listen();
        hear_reports();
        if (options_.gates.pod_deletion_cost_management) cluster_.pass_over_deletion_costs();
        for (const cloud::NodeClassResource& each : providers_.node_class_resources()) {
            class_feeds_.push_back(
                std::make_unique<NodeClassFeed>(cloud::kind_of(each), cluster_, listener_));
            class_reflectors_.push_back(std::make_unique<kube::Reflector>(
                loop, client_, kube::Resource{each.group, each.version, each.plural, each.kind, false},
                kube::ReflectorOptions{}, Rng(rng.next()), *class_feeds_.back()));
        }
        for (const Watched& watched : kWatched) {
            if (watched.is_wanted != nullptr && !watched.is_wanted(options_)) continue;
            watched_.push_back(watched.kind);
            feeds_.push_back(std::make_unique<Feed>(watched.kind, cluster_, listener_));
            reflectors_.push_back(std::make_unique<kube::Reflector>(
                loop, client_, watched.resource, kube::ReflectorOptions{}, Rng(rng.next()), *feeds_.back()));
        }
    }

    void start(std::function<void()> on_lost) {
        metrics_.set("build_info",
                     {{"version", JOINER_VERSION}, {"goversion", ""}, {"goarch", ""}, {"commit", ""}}, 1);
        if (!repair_problem_.empty()) {
            observe::log_error("controller",
                               "the gate NodeRepair cannot be on: switch it off, or repair with "
                               "--legacy-node-repair",
                               {{"error", repair_problem_}});
            loop_.post(std::move(on_lost));
            return;
        }
        for (const auto& reflector : reflectors_) reflector->start();
        for (const auto& reflector : class_reflectors_) reflector->start();
        if (!options_.leader_election) {
            elected_ = true;
            return act_if_possible();
        }
        kube::LeaseOptions lease;
        lease.name = options_.leader_election_name;
        lease.ns = options_.leader_election_namespace.empty() ? default_namespace_
                                                              : options_.leader_election_namespace;
        lease.identity = options_.identity;
        elector_ = std::make_unique<kube::LeaderElector>(
            loop_, client_, lease, Rng(lease_rng_),
            [this] {
                if (is_stopping_) return;
                observe::log_info("controller", "leading", {{"identity", options_.identity}});
                elected_ = true;
                act_if_possible();
            },
            [this, on_lost = std::move(on_lost)] {
                acting_ = false;
                consolidation_.stop();
                observe::log_error("controller", "the lease is lost");
                on_lost();
            });
        elector_->start();
    }

    // The lease is given back when nothing is under way any more that it was needed for.
    void stop(std::function<void()> done) {
        if (std::exchange(is_stopping_, true)) return;
        acting_ = false;
        consolidation_.stop();
        for (const auto& reflector : reflectors_) reflector->stop();
        for (const auto& reflector : class_reflectors_) reflector->stop();
        client_.finish_writes([this, done = std::move(done)]() mutable {
            providers_.finish_changes([this, done = std::move(done)]() mutable {
                if (elector_) return elector_->release(std::move(done));
                done();
            });
        });
    }

    bool is_ready() const { return synced_; }
    // At this moment, and not as it was when the clock was last looked at.
    bool leads() const { return elector_ ? elector_->is_leader() : elected_; }
    bool may_write() const { return leads() && !is_stopping_; }
    const model::Cluster& cluster() const { return cluster_; }
    const Moves& moves() { return disruptor_.moves(); }
    const observe::DecisionLog& decisions() const { return decisions_; }

  private:
    Recorder::Listener launch_listener() {
        Recorder::Listener out;
        out.registered = [this](const api::Node& node) {
            const std::string pool(api::find_or_empty(node.meta.labels, api::kNodePoolLabel));
            if (const model::ClaimState* claim = cluster_.claim_of(node))
                note_came_up(decisions_, claim->claim, node.meta.name, loop_.now());
            disruptor_.note_launch(pool, true);
            pool_keeper_.note_registered(pool);
            static_pools_.came_up(pool);
        };
        out.ended = [this](const api::NodeClaim& claim, std::string_view reason) {
            note_ended(decisions_, claim, reason, loop_.now());
        };
        out.given_up = [this](const api::NodeClaim& claim, std::string_view reason,
                              std::string_view condition) {
            const model::NodeState* node = cluster_.node_of(claim);
            const std::string why =
                plan::why_given_up(claim, node == nullptr ? nullptr : &node->node, reason);
            note_failure(claim, condition, why);
            note_given_up(decisions_, claim, why, loop_.now());
            provisioner_.given_up(claim, reason, why);
        };
        out.launch_failed = [this](const api::NodeClaim& claim, const Error& error) {
            note_launch_failed(decisions_, claim, error, loop_.now());
            // Other failures are tried again under the same claim.
            if (cloud::gives_claim_up(error.kind)) note_failure(claim, kLaunchFailed, error.message);
            provisioner_.launch_failed(claim, error);
            static_pools_.launch_failed(claim.meta.name, error);
        };
        return out;
    }

    bool repairs_by_force() const { return options_.gates.node_repair && options_.legacy_node_repair; }

    // None where nothing is repaired by this method, and where they cannot be used: the start says so then.
    plan::RepairPoliciesByClass usable_repair_policies() {
        if (!options_.gates.node_repair || options_.legacy_node_repair) return {};
        auto policies = repair_policies_of(providers_);
        if (!policies) repair_problem_ = policies.error().message;
        return std::move(policies).value_or(plan::RepairPoliciesByClass{});
    }

    void note_failure(const api::NodeClaim& claim, std::string_view condition, const std::string& why) {
        const std::string pool(api::find_or_empty(claim.meta.labels, api::kNodePoolLabel));
        disruptor_.note_launch(pool, false);
        pool_keeper_.note_given_up(pool, std::string(condition), why);
    }

    void listen() {
        listener_.pod_changed = [this](const model::PodState* before, const model::PodState* after) {
            pod_changed(before, after);
        };
        listener_.node_changed = [this](const std::string& name) {
            look_at_node(name);
            if (repairs_by_force() && acting_ && !is_settling_in_ && facts_are_fresh())
                legacy_repairer_.node_changed(name);
            repairer_.node_changed(name);
            if (const model::NodeState* node = cluster_.find_node(name)) {
                if (const model::ClaimState* claim = cluster_.claim_of(node->node))
                    look_at_claim(claim->claim.meta.name);
            } else {
                gone_nodes_.insert(name);
                // A claim that waited for its node to go.
                for (const auto& [claim, state] : cluster_.claims()) {
                    if (state.claim.meta.deleted) look_at_claim(claim);
                }
            }
        };
        listener_.claim_changed = [this](const std::string& name) {
            look_at_claim(name);
            if (const model::ClaimState* claim = cluster_.find_claim(name)) {
                if (const model::NodeState* node = cluster_.node_of(claim->claim))
                    look_at_node(node->node.meta.name);
            }
        };
        listener_.volumes_changed = [this](const std::string& node) {
            const model::NodeState* state = cluster_.find_node(node);
            if (state != nullptr && state->node.meta.deleted) look_at_node(node);
        };
        listener_.pools_changed = [this] { look_at_pools(); };
        listener_.class_changed = [this](const api::NodeClassReference& reference) {
            class_keeper_.look_at(reference);
            look_at_pools();
        };
        listener_.headroom_changed = [this] {
            headroom_dirty_ = true;
            pump_soon();
        };
        listener_.unreadable = [](std::string_view what, const Error& error) {
            observe::log_error("watch", fmt::format("could not read {}", what), {{"error", error.message}});
        };
        listener_.synced = [this] {
            synced_ = is_synced();
            metrics_.set("cluster_state_synced", {}, synced_ ? 1 : 0);
            act_if_possible();
        };
    }

    void hear_reports() {
        reports_.on_offers = [this] {
            cluster_.note_offers_changed();
            look_at_pools();
        };
        reports_.on_class = [this](const api::NodeClassReference& reference) {
            class_keeper_.look_at(reference);
            pump_soon();
        };
        reports_.on_event = [this](const cloud::InstanceEvent& event) {
            if (acting_) cloud_events_.note(event);
        };
    }

    // The kinds of node class that they serve.
    rules::NodeClassKinds make_providers(const std::vector<ProviderMaker>& makers) {
        const auto metered = [this](cloud::Provider& guarded) {
            return std::make_unique<MeteredProvider>(guarded, loop_, cluster_, metrics_);
        };
        for (const ProviderMaker& make : makers)
            providers_.add(make({loop_, client_, cluster_, recorder_, reports_}), metered);
        return providers_.kinds();
    }

    void act_if_possible() {
        if (acting_ || is_stopping_ || !elected_ || !is_synced()) return;
        acting_ = true;
        observe::log_info("controller", "acting",
                          {{"nodes", std::to_string(cluster_.nodes().size())},
                           {"pods", std::to_string(cluster_.pods().size())}});
        look_at_everything();
        class_keeper_.look_at_all();
        pools_dirty_ = true;
        headroom_dirty_ = true;
        const bool inherits_closed_nodes =
            std::any_of(cluster_.claims().begin(), cluster_.claims().end(), [](const auto& item) {
                return item.second.is_ours && !rules::is_true(item.second.claim.conditions, "Initialized");
            });
        if (inherits_closed_nodes) {
            is_settling_in_ = true;
            loop_.after(kInheritedSettle, [this] {
                is_settling_in_ = false;
                provisioner_.start();
                look_at_everything();
                pump_soon();
            });
        } else {
            provisioner_.start();
        }
        collector_.start();
        tick();
        pump_soon();
    }

    void look_at_everything() {
        for (const auto& [name, state] : cluster_.our_claims()) claims_.insert(name);
        for (const auto& [name, state] : cluster_.nodes()) nodes_.insert(name);
    }

    void look_at_pools() {
        pools_dirty_ = true;
        pump_soon();
    }
    void look_at_claim(const std::string& name) {
        claims_.insert(name);
        pump_soon();
    }
    void look_at_node(const std::string& name) {
        nodes_.insert(name);
        pump_soon();
    }

    void pod_changed(const model::PodState* before, const model::PodState* after) {
        const std::string& node_before = before == nullptr ? kNowhere : before->node_name;
        const std::string& node_after = after == nullptr ? kNowhere : after->node_name;
        const bool is_gone = before != nullptr && (after == nullptr || after->id.uid() != before->id.uid());
        if (is_gone) disruptor_.moves().forget_pod(before->id.uid());
        if (is_gone) decisions_.note_gone(observe::SubjectKind::kPod, before->id.ns(), before->id.name());
        if (is_gone || (before != nullptr && !node_after.empty())) binder_.saw_bound(before->id.uid());
        provisioner_.pod_changed(before, after);
        for (const std::string* node : {&node_before, &node_after}) {
            if (node->empty()) continue;
            const model::NodeState* state = cluster_.find_node(*node);
            if (state == nullptr) continue;
            if (state->node.meta.deleted) look_at_node(*node);
            note_pod_event(*state, before, after);
        }
    }

    // A pod came to the node, ended or is on its way out: the node's idle time begins again.
    void note_pod_event(const model::NodeState& node, const model::PodState* before,
                        const model::PodState* after) {
        const bool is_daemon = (after != nullptr ? after : before)->is_daemon;
        const bool was_active = before != nullptr && !before->node_name.empty() && before->is_active();
        const bool is_active = after != nullptr && !after->node_name.empty() && after->is_active();
        if (is_daemon || was_active == is_active || !acting_) return;
        if (is_active) disruptor_.note_bound(*after);
        if (const model::ClaimState* claim = cluster_.claim_of(node.node)) {
            last_pod_event_[claim->claim.meta.name] = loop_.now();
            if (is_active) disruptor_.moves().note_bound(*after, loop_.now());
        }
        consolidation_.note_pod_event();
        empty_soon(kEmptySoon);
    }

    // Pods, nodes and claims are seen as they are. Others change seldom, and an old state of them does no
    // harm.
    bool facts_are_fresh() const {
        for (std::size_t i = 0; i < watched_.size(); ++i) {
            const bool is_vital = watched_[i] == model::Kind::kPod || watched_[i] == model::Kind::kNode ||
                                  watched_[i] == model::Kind::kNodeClaim;
            if (is_vital && reflectors_[i]->broken_since()) return false;
        }
        return true;
    }

    // Optional kinds too: until they are known, prices are not what they will be.
    bool is_synced() const {
        return cluster_.is_synced() &&
               std::all_of(watched_.begin(), watched_.end(),
                           [this](model::Kind kind) { return cluster_.is_synced(kind); }) &&
               std::all_of(class_feeds_.begin(), class_feeds_.end(),
                           [](const auto& feed) { return feed->is_synced(); });
    }

    void watch_for_outages() {
        const WallTime now = loop_.now();
        if (!facts_are_fresh()) {
            if (!outage_began_) {
                outage_began_ = now;
                observe::log_info("controller", "watches are broken; nothing is planned until they are well");
            }
        } else if (outage_began_) {
            windows_.hold_until(
                now + std::clamp(2 * (now - *outage_began_) + kLeastHold, kLeastHold, kLongestHold));
            outage_began_.reset();
            observe::log_info("controller", "watches are well again");
            look_at_everything();
        }
        const std::uint64_t recoveries = client_.counters().recoveries;
        if (recoveries != std::exchange(recoveries_seen_, recoveries)) {
            for (const auto& reflector : reflectors_) reflector->retry_soon();
            for (const auto& reflector : class_reflectors_) reflector->retry_soon();
        }
    }

    bool window_may_open(const std::string& claim) {
        return !is_settling_in_ && !outage_began_ && !disruptor_.keeps_closed(claim) &&
               windows_.may_open(claim, loop_.now());
    }

    void pump_soon() {
        if (!acting_ || pump_posted_) return;
        pump_posted_ = true;
        loop_.post([this] {
            pump_posted_ = false;
            if (acting_) pump();
        });
    }

    void pump() {
        watch_for_outages();
        if (pools_dirty_) {
            pools_dirty_ = false;
            forget_gone_pools();
            pool_keeper_.look(false);
            overlay_keeper_.look(overlaid_.problems());
            provisioner_.world_changed();
        }
        if (std::exchange(headroom_dirty_, false)) {
            provisioner_.headroom_changed();
            buffer_keeper_.look();
        }
        const std::set<std::string> claims = std::move(claims_);
        claims_.clear();
        const std::set<std::string> nodes = std::move(nodes_);
        nodes_.clear();
        if (!claims.empty()) class_keeper_.note_claims();
        class_keeper_.look();
        for (const std::string& name : claims) {
            provisioner_.claim_changed(name);
            if (cluster_.find_claim(name) == nullptr) {
                lifecycle_.forget_claim(name);
                if (!provisioner_.is_creating(name))
                    decisions_.note_gone(observe::SubjectKind::kNodeClaim, "", name);
                last_pod_event_.erase(name);
                windows_.forget(name);
                continue;
            }
            if (!cluster_.find_claim(name)->is_ours) continue;
            if (options_.pod_binding == act::PodBinding::kAuto) {
                bindings_.look(name);
            }
            lifecycle_.step_claim(name);
        }
        for (const std::string& name : nodes) lifecycle_.step_node(name);
        for (const std::string& name : std::exchange(gone_nodes_, {})) {
            lifecycle_.forget_node(name);
            if (cluster_.find_node(name) == nullptr)
                decisions_.note_gone(observe::SubjectKind::kNode, "", name);
        }
        disruptor_.step();
    }

    void forget_gone_pools() {
        std::set<std::string> pools;
        for (const auto& [name, state] : cluster_.pools()) pools.insert(name);
        for (const std::string& name : std::exchange(pools_, std::move(pools))) {
            if (!pools_.contains(name)) decisions_.note_gone(observe::SubjectKind::kNodePool, "", name);
        }
    }

    // What waits for time to pass is looked at each second while it is under way, the rest each ten.
    void tick() {
        if (!acting_) return;
        const bool is_sweep = ++ticks_ % kTicksPerSweep == 0;
        for (const auto& [name, state] : cluster_.our_claims()) {
            const bool is_settled = !state.claim.meta.deleted &&
                                    rules::is_true(state.claim.conditions, "Initialized") &&
                                    !plan::is_rebooting(state.claim);
            if (is_sweep || !is_settled) claims_.insert(name);
        }
        for (const auto& [name, state] : cluster_.nodes()) {
            if (state.node.meta.deleted) nodes_.insert(name);
        }
        if (is_sweep) {
            pools_dirty_ = true;
            pool_keeper_.look(true);
            lifecycle_.sweep();
            metrics_.set("cluster_state_node_count", {}, static_cast<double>(cluster_.nodes().size()));
            empty_soon(Duration{0});
        }
        buffer_keeper_.look();
        cloud_events_.look();
        if (!is_settling_in_ && facts_are_fresh()) {
            disruptor_.look();
            repairer_.look();
            replacer_.look();
            consolidation_.look();
            lifecycle_.look_after_surges();
            if (options_.gates.static_capacity) static_pools_.look();
            if (repairs_by_force()) legacy_repairer_.look();
            if (options_.gates.pod_deletion_cost_management) deletion_costs_.look();
        }
        pump_soon();
        loop_.after(kTick, [this] { tick(); });
    }

    void empty_soon(Duration delay) {
        const Duration at = loop_.monotonic() + delay;
        if (!acting_ || (empty_timer_ != 0 && empty_at_ <= at)) return;
        // One node may have an hour to wait, and another is due in a second.
        if (empty_timer_ != 0) loop_.cancel(empty_timer_);
        empty_at_ = at;
        empty_timer_ = loop_.after(delay, [this] {
            empty_timer_ = 0;
            if (acting_) remove_empty();
        });
    }

    void remove_empty() {
        // While pods are being planned, what looks empty may be about to be used.
        if (!provisioner_.is_idle() || !facts_are_fresh()) return empty_soon(kEmptySoon);
        const WallTime now = loop_.now();
        plan::DisruptionGate gate = disruptor_.gate();
        const plan::EmptyPlan plan = plan::plan_empty(disruptor_.facts(), gate, now);
        disruptor_.report(gate);
        decide_on_empty(plan);
        for (const std::string& claim : plan.claims) lifecycle_.delete_claim(claim, "empty");
        claims_.insert(plan.unsaid.begin(), plan.unsaid.end());
        if (!plan.unsaid.empty()) pump_soon();
        if (plan.look_again_at) empty_soon(std::max<Duration>(kEmptySoon, *plan.look_again_at - now));
    }

    void decide_on_empty(const plan::EmptyPlan& plan) {
        NodeDecisions nodes(decisions_, cluster_);
        nodes.keep_only(observe::Matter::kEmptiness, [this](const model::ClaimState& claim) {
            const model::NodeState* node = cluster_.node_of(claim.claim);
            return node == nullptr || plan::is_empty(*node);
        });
        nodes.keep(plan.kept, observe::Matter::kEmptiness, loop_.now());
        const plan::SharedReasons why = plan::share({{.rule = plan::Rule::kEmptyNode}});
        for (const std::string& claim : plan.claims)
            nodes.record(claim, observe::Matter::kEmptiness, observe::Verdict::kLeaves, why, loop_.now());
    }

    static const std::string kNowhere;

    io::Loop& loop_;
    Options options_;
    observe::Metrics& metrics_;
    observe::DecisionLog decisions_{observe::log_decision};
    std::string default_namespace_;
    kube::Client client_;
    ReportsTo reports_;
    cloud::Providers providers_;
    model::Cluster cluster_;
    kube::EventRecorder events_;
    Recorder recorder_;
    ProviderOffers own_offers_;
    OverlaidOffers overlaid_;
    Shortages shortages_;
    act::Services services_;
    std::string repair_problem_;
    const plan::RepairPoliciesByClass repair_policies_;
    Provisioner provisioner_;
    act::PlannedBook& planned_;
    act::Binder binder_;
    Windows windows_;
    Bindings bindings_;
    act::Lifecycle lifecycle_;
    Disruptor disruptor_;
    Replacer replacer_;
    Consolidation consolidation_;
    StaticPools static_pools_;
    Repairer repairer_;
    LegacyRepairer legacy_repairer_;
    DeletionCosts deletion_costs_;
    PoolKeeper pool_keeper_;
    OverlayKeeper overlay_keeper_;
    BufferKeeper buffer_keeper_;
    Collector collector_;
    ClassKeeper class_keeper_;
    CloudEvents cloud_events_;
    FeedListener listener_;
    std::vector<model::Kind> watched_;  // Kinds; their feeds and reflectors follow in the same order.
    std::vector<std::unique_ptr<Feed>> feeds_;
    std::vector<std::unique_ptr<kube::Reflector>> reflectors_;
    std::vector<std::unique_ptr<NodeClassFeed>> class_feeds_;
    std::vector<std::unique_ptr<kube::Reflector>> class_reflectors_;
    std::unique_ptr<kube::LeaderElector> elector_;
    std::uint64_t lease_rng_;

    std::atomic<bool> synced_ = false;
    bool elected_ = false;
    bool acting_ = false;
    bool is_stopping_ = false;
    bool is_settling_in_ = false;
    bool pump_posted_ = false;
    bool pools_dirty_ = false;
    bool headroom_dirty_ = false;
    int ticks_ = 0;
    std::optional<WallTime> outage_began_;
    std::uint64_t recoveries_seen_ = 0;
    io::TimerId empty_timer_ = 0;
    Duration empty_at_{0};          // Of the loop's monotonic time.
    std::set<std::string> claims_;  // To be looked at.
    std::set<std::string> nodes_;
    std::set<std::string> gone_nodes_;
    std::set<std::string> pools_;  // That were there.
    std::map<std::string, WallTime, std::less<>> last_pod_event_;
};

const std::string Controller::Impl::kNowhere;

Controller::Controller(io::Loop& loop, io::HttpClient& http, kube::Config config, Options options,
                       const std::vector<ProviderMaker>& providers, observe::Metrics& metrics, Rng rng)
    : impl_(std::make_unique<Impl>(loop, http, std::move(config), std::move(options), providers, metrics,
                                   rng)) {}
Controller::~Controller() = default;
void Controller::start(std::function<void()> on_lost) {
    impl_->start(std::move(on_lost));
}
void Controller::stop(std::function<void()> done) {
    impl_->stop(std::move(done));
}
bool Controller::is_ready() const {
    return impl_->is_ready();
}
bool Controller::is_leader() const {
    return impl_->leads();
}
const model::Cluster& Controller::cluster() const {
    return impl_->cluster();
}

const Moves& Controller::moves() const {
    return impl_->moves();
}

const observe::DecisionLog& Controller::decisions() const {
    return impl_->decisions();
}

}  // namespace joiner::control
