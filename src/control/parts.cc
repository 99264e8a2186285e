#include "control/parts.h"

#include "api/names.h"
#include "control/claim_decisions.h"
#include "control/metered_provider.h"
#include "control/repair_policies.h"
#include "observe/log.h"
#include "plan/lifecycle/initialization.h"

namespace joiner::control {
namespace {

kube::ClientOptions client_options(const Options& options, std::function<bool()> may_write) {
    kube::ClientOptions out;
    out.may_write = std::move(may_write);
    out.qps = options.client_qps;
    out.burst = options.client_burst;
    return out;
}

std::string pool_of(const api::ObjectMeta& meta) {
    return std::string(api::find_or_empty(meta.labels, api::kNodePoolLabel));
}

}  // namespace

Parts::Parts(io::Loop& main_loop, io::HttpClient& http, kube::Config config, Options all_options,
             const std::vector<ProviderMaker>& makers, observe::Metrics& all_metrics, Rng& rng,
             std::function<bool()> may_write)
    : loop(main_loop),
      options(std::move(all_options)),
      own_namespace(options.leader_election_namespace.empty() ? config.default_namespace
                                                              : options.leader_election_namespace),
      metrics(all_metrics),
      decisions([this](const observe::Decision& decision) {
          observe::log_decision(decision);
          page_book.note(decision);
      }),
      client(loop, http, std::move(config), client_options(options, may_write)),
      providers(loop, may_write),
      cluster(options.preference_policy, make_providers(makers)),
      events(loop, client, {}),
      recorder(metrics, cluster, launch_listener()),
      own_offers(providers, cluster),
      overlaid(own_offers, cluster),
      spot_prices(overlaid, loop, cluster, options.heeds_interruption_costs),
      shortages(spot_prices, loop, cluster),
      services{loop,
               client,
               events,
               providers,
               shortages,
               cluster,
               recorder,
               [this](const std::string& claim) { dirty.mark_claim(claim); },
               [this](const std::string& node) { dirty.mark_node(node); }},
      stock_memory(services, shortages, spot_prices, own_namespace),
      repair_policies(usable_repair_policies()),
      binder(services, planned),
      coming(cluster),
      binding_windows(cluster, planned, binder, places, coming),
      lifecycle(
          services, options.pod_binding,
          [this](const std::string& claim) { return binding_windows.may_open(claim, loop.now()); },
          [this](const std::string& claim) {
              const auto it = last_pod_event.find(claim);
              return it == last_pod_event.end() ? kNoTime : it->second;
          }),
      provisioner(
          services, options, metrics, decisions, Rng(rng.next()), [this] { return watches.are_fresh(); },
          planned, places, coming, lifecycle, binding_windows),
      bindings(
          services, planned, binder, binding_windows, [this] { return is_acting && !watches.is_outage(); },
          [this] { provisioner.trigger(); }),
      ledger(loop, cluster),
      notes(services, metrics, decisions),
      ground(services, provisioner, ledger, last_pod_event),
      node_prices(shortages, cluster),
      savings(node_prices, cluster),
      disruptor(services, provisioner, lifecycle, places, ground, ledger, notes, repair_policies, savings),
      disruption{ground, ledger, notes, places, disruptor, savings},
      replacer(services, provisioner, disruption, metrics, decisions, terminate_first()),
      pool_returns(services, provisioner, disruption),
      consolidation(services, provisioner, disruption, metrics, decisions,
                    {.spot_to_spot = options.gates.spot_to_spot_consolidation}),
      static_pools(services, provisioner, lifecycle, disruption, decisions, terminate_first()),
      repairer(services, repair_policies, lifecycle, disruption, replacer, static_pools, metrics, decisions),
      legacy_repairer(services, legacy_repair_policies_of(providers), lifecycle, metrics, decisions),
      deletion_costs(services, disruption, metrics),
      emptiness(
          services, provisioner, lifecycle, disruption, metrics, decisions, [this] { return is_acting; },
          [this] { return watches.are_fresh(); }),
      pool_keeper(services, decisions, [this] { dirty.mark_pools(); }),
      overlay_keeper(services, [this] { dirty.mark_pools(); }),
      buffer_keeper(services, provisioner),
      collector(services, [this](const std::string& claim,
                                 const std::string& reason) { lifecycle.delete_claim(claim, reason); }),
      class_keeper(services),
      first_api_keeper(services),
      cloud_events(services, lifecycle, shortages, spot_prices),
      node_herald(services),
      pool_metrics(cluster, metrics),
      offering_metrics(services, metrics),
      pod_metrics(cluster, decisions, metrics),
      condition_metrics(cluster, providers, metrics),
      lease_seed(rng.next()),
      watches(loop, client, cluster, options, providers.node_class_resources(), feed_listener, rng),
      standing_matters(loop, cluster, decisions,
                       [this](const model::ClaimState& claim, const model::NodeState& node) {
                           return repairs_by_force() ? legacy_repairer.is_concerned_with(claim, node)
                                                     : plan::is_sick(repair_policies, cluster, node);
                       }),
      shortage_notes(services, shortages, metrics,
                     [this](const std::string& pool, std::string message) {
                         pool_keeper.note_sold_out(pool, std::move(message));
                     }),
      interruption_notes(services, spot_prices, metrics),
      hedges(services, options, provisioner, lifecycle, metrics) {
    if (options.gates.pod_deletion_cost_management) cluster.pass_over_deletion_costs();
    if (!reads_templates(options)) cluster.keep_only_counts();
}

// The kinds of node class that they serve.
rules::NodeClassKinds Parts::make_providers(const std::vector<ProviderMaker>& makers) {
    const auto metered = [this](cloud::Provider& guarded) {
        return std::make_unique<MeteredProvider>(guarded, loop, cluster, metrics);
    };
    for (const ProviderMaker& make : makers)
        providers.add(make({loop, client, cluster, recorder, reports}), metered);
    return providers.kinds();
}

// None where nothing is repaired by this method, and where they cannot be used: the start says so then.
plan::RepairPoliciesByClass Parts::usable_repair_policies() {
    if (!options.gates.node_repair || options.legacy_node_repair) return {};
    auto policies = repair_policies_of(providers);
    if (!policies) repair_problem = policies.error().message;
    return std::move(policies).value_or(plan::RepairPoliciesByClass{});
}

Recorder::Listener Parts::launch_listener() {
    Recorder::Listener out;
    out.registered = [this](const api::Node& node) {
        const std::string pool = pool_of(node.meta);
        if (const model::ClaimState* claim = cluster.claim_of(node))
            note_came_up(decisions, claim->claim, node.meta.name, loop.now());
        ledger.note_launch(pool, true);
        pool_keeper.note_registered(pool);
        static_pools.came_up(pool);
    };
    out.ended = [this](const api::NodeClaim& claim, std::string_view reason) {
        note_ended(decisions, claim, reason, loop.now());
        savings.note_gone(claim.meta.name);
    };
    out.given_up = [this](const api::NodeClaim& claim, std::string_view reason, std::string_view condition) {
        const model::NodeState* node = cluster.node_of(claim);
        const std::string why = plan::why_given_up(claim, node == nullptr ? nullptr : &node->node, reason);
        note_failure(claim, condition, why);
        note_given_up(decisions, claim, why, loop.now());
        provisioner.given_up(claim, reason, why);
    };
    out.launch_failed = [this](const api::NodeClaim& claim, const Error& error) {
        note_launch_failed(decisions, claim, error, loop.now());
        // Other failures are tried again under the same claim.
        if (cloud::gives_claim_up(error.kind)) note_failure(claim, kLaunchFailed, error.message);
        provisioner.launch_failed(claim, error);
        static_pools.launch_failed(claim.meta.name, error);
    };
    return out;
}

void Parts::note_failure(const api::NodeClaim& claim, std::string_view condition, const std::string& why) {
    const std::string pool = pool_of(claim.meta);
    ledger.note_launch(pool, false);
    pool_keeper.note_given_up(pool, std::string(condition), why);
}

}  // namespace joiner::control
