// What one controller is made of, in the order in which it is made; each part knows those before it and none
// after it. Owned by Controller; loop thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "act/binder.h"
#include "act/lifecycle.h"
#include "act/planned_book.h"
#include "act/services.h"
#include "base/rng.h"
#include "cloud/providers.h"
#include "control/binding_windows.h"
#include "control/bindings.h"
#include "control/buffer_keeper.h"
#include "control/class_keeper.h"
#include "control/cloud_events.h"
#include "control/collector.h"
#include "control/condition_metrics.h"
#include "control/consolidation.h"
#include "control/deletion_costs.h"
#include "control/dirty.h"
#include "control/disruption.h"
#include "control/emptiness.h"
#include "control/feed.h"
#include "control/first_api_keeper.h"
#include "control/hedges.h"
#include "control/interruption_notes.h"
#include "control/kept_places.h"
#include "control/legacy_repairer.h"
#include "control/node_herald.h"
#include "control/node_prices.h"
#include "control/offering_metrics.h"
#include "control/options.h"
#include "control/overlaid_offers.h"
#include "control/overlay_keeper.h"
#include "control/page_book.h"
#include "control/pod_metrics.h"
#include "control/pool_keeper.h"
#include "control/pool_metrics.h"
#include "control/pool_returns.h"
#include "control/provider_list.h"
#include "control/provider_offers.h"
#include "control/provisioner.h"
#include "control/recorder.h"
#include "control/repairer.h"
#include "control/replacer.h"
#include "control/reports_to.h"
#include "control/savings.h"
#include "control/shortage_notes.h"
#include "control/shortages.h"
#include "control/spot_prices.h"
#include "control/standing_matters.h"
#include "control/static_pools.h"
#include "control/stock_memory.h"
#include "control/watches.h"
#include "io/scoped_loop.h"
#include "kube/events.h"
#include "model/cluster.h"
#include "observe/decision_log.h"

namespace joiner::control {

struct Parts {
    // `may_write()`: we lead at this moment, and have not been stopped.
    Parts(io::Loop& main_loop, io::HttpClient& http, kube::Config config, Options all_options,
          const std::vector<ProviderMaker>& makers, observe::Metrics& all_metrics, Rng& rng,
          std::function<bool()> may_write);
    // First of all nothing runs any more.
    ~Parts() { loop.close(); }
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    plan::TerminateFirst terminate_first() const {
        return {options.gates.terminate_first_drift, options.gates.terminate_first_repair};
    }
    bool repairs_by_force() const { return options.gates.node_repair && options.legacy_node_repair; }

    io::ScopedLoop loop;
    const Options options;
    // Where the lease and other objects of our own are.
    const std::string own_namespace;
    observe::Metrics& metrics;
    // We lead, all is known, and we have not been stopped.
    bool is_acting = false;
    // Bindings of a process before us may still land, and no node is filled on.
    bool is_settling_in = false;
    Dirty dirty;
    PodEvents last_pod_event;
    FeedListener feed_listener;  // Its functions are set by whoever listens.
    PageBook page_book;
    observe::DecisionLog decisions;
    kube::Client client;
    ReportsTo reports;
    cloud::Providers providers;
    model::Cluster cluster;
    kube::EventRecorder events;
    Recorder recorder;
    ProviderOffers own_offers;
    OverlaidOffers overlaid;
    SpotPrices spot_prices;
    Shortages shortages;
    act::Services services;
    StockMemory stock_memory;
    // Why nodes cannot be repaired though the gate NodeRepair says so; empty: they can.
    std::string repair_problem;
    const plan::RepairPoliciesByClass repair_policies;
    act::PlannedBook planned;
    KeptPlaces places;
    act::Binder binder;
    ComingPlaces coming;
    BindingWindows binding_windows;
    act::Lifecycle lifecycle;
    Provisioner provisioner;
    Bindings bindings;
    DisruptionLedger ledger;
    DisruptionNotes notes;
    const DisruptionGround ground;
    NodePrices node_prices;
    Savings savings;
    Disruptor disruptor;
    const Disruption disruption;
    Replacer replacer;
    PoolReturns pool_returns;
    Consolidation consolidation;
    StaticPools static_pools;
    Repairer repairer;
    LegacyRepairer legacy_repairer;
    DeletionCosts deletion_costs;
    Emptiness emptiness;
    PoolKeeper pool_keeper;
    OverlayKeeper overlay_keeper;
    BufferKeeper buffer_keeper;
    Collector collector;
    ClassKeeper class_keeper;
    FirstApiKeeper first_api_keeper;
    CloudEvents cloud_events;
    NodeHerald node_herald;
    PoolMetrics pool_metrics;
    OfferingMetrics offering_metrics;
    PodMetrics pod_metrics;
    ConditionMetrics condition_metrics;
    const std::uint64_t lease_seed;
    Watches watches;
    StandingMatters standing_matters;
    ShortageNotes shortage_notes;
    InterruptionNotes interruption_notes;
    Hedges hedges;

  private:
    rules::NodeClassKinds make_providers(const std::vector<ProviderMaker>& makers);
    plan::RepairPoliciesByClass usable_repair_policies();
    Recorder::Listener launch_listener();
    // A launch of the claim has come to nothing.
    void note_failure(const api::NodeClaim& claim, std::string_view condition, const std::string& why);
};

}  // namespace joiner::control
