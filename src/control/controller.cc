#include "control/controller.h"

#include <atomic>
#include <memory>
#include <utility>

#include "control/changes.h"
#include "control/page_guard.h"
#include "control/page_keeper.h"
#include "control/page_server.h"
#include "control/parts.h"
#include "control/rounds.h"
#include "kube/lease.h"
#include "observe/log.h"

namespace joiner::control {

// Leads or stands by, and begins and ends acting; what is done while it acts, Changes and Rounds say.
class Controller::Impl {
  public:
    Impl(io::Loop& loop, io::HttpClient& http, kube::Config config, Options options,
         const std::vector<ProviderMaker>& makers, observe::Metrics& metrics, Rng rng)
        : parts_(loop, http, std::move(config), std::move(options), makers, metrics, rng,
                 [this] { return may_write(); }),
          changes_(parts_, [this] { note_synced(); }),
          rounds_(parts_),
          page_keeper_(parts_),
          page_guard_(parts_.loop, parts_.client, [this] { return may_write(); }) {}

    void start(std::function<void()> on_lost) {
        parts_.metrics.set("build_info",
                           {{"version", JOINER_VERSION}, {"goversion", ""}, {"goarch", ""}, {"commit", ""}},
                           1);
        if (!parts_.repair_problem.empty()) {
            observe::log_error("controller",
                               "the gate NodeRepair cannot be on: switch it off, or repair with "
                               "--legacy-node-repair",
                               {{"error", parts_.repair_problem}});
            parts_.loop.post(std::move(on_lost));
            return;
        }
        parts_.watches.start();
        if (page_server_) page_keeper_.start();
        if (!parts_.options.leader_election) {
            return begin_to_lead();
        }
        stand_for_election(std::move(on_lost));
    }

    // The lease is given back when nothing is under way any more that it was needed for.
    void stop(std::function<void()> done) {
        if (std::exchange(is_stopping_, true)) return;
        stop_acting();
        parts_.watches.stop();
        parts_.client.finish_writes([this, done = std::move(done)]() mutable {
            parts_.providers.finish_changes([this, done = std::move(done)]() mutable {
                if (elector_) return elector_->release(std::move(done));
                done();
            });
        });
    }

    Result<int> serve_page(const PageOptions& options) {
        TRY(page_server_, PageServer::start(options, parts_.loop, page_keeper_, page_guard_));
        return page_server_->port();
    }

    bool is_ready() const { return synced_; }
    // At this moment, and not as it was when the clock was last read.
    bool leads() const { return elector_ ? elector_->is_leader() : elected_; }
    const model::Cluster& cluster() const { return parts_.cluster; }
    const Moves& moves() { return parts_.ledger.moves(); }
    const observe::DecisionLog& decisions() const { return parts_.decisions; }

  private:
    bool may_write() const { return leads() && !is_stopping_; }

    void stand_for_election(std::function<void()> on_lost) {
        const Options& options = parts_.options;
        kube::LeaseOptions lease;
        lease.name = options.leader_election_name;
        lease.ns = parts_.own_namespace;
        lease.identity = options.identity;
        elector_ = std::make_unique<kube::LeaderElector>(
            parts_.loop, parts_.client, lease, Rng(parts_.lease_seed),
            [this] {
                if (is_stopping_) return;
                observe::log_info("controller", "leading", {{"identity", parts_.options.identity}});
                begin_to_lead();
            },
            [this, on_lost = std::move(on_lost)] {
                stop_acting();
                observe::log_error("controller", "the lease is lost");
                on_lost();
            });
        elector_->start();
    }

    // What a leader before us has left is read now, and not earlier: it may have written until a moment ago.
    void begin_to_lead() {
        elected_ = true;
        parts_.stock_memory.read([this] { act_if_possible(); });
    }

    void note_synced() {
        synced_ = parts_.watches.is_synced();
        parts_.metrics.set("cluster_state_synced", {}, synced_ ? 1 : 0);
        act_if_possible();
    }

    void act_if_possible() {
        if (parts_.is_acting || is_stopping_ || !elected_ || !parts_.watches.is_synced()) return;
        if (!parts_.stock_memory.is_read()) return;
        parts_.is_acting = true;
        observe::log_info("controller", "acting",
                          {{"nodes", std::to_string(parts_.cluster.nodes().size())},
                           {"pods", std::to_string(parts_.cluster.pods().size())}});
        rounds_.begin();
    }

    void stop_acting() {
        parts_.is_acting = false;
        parts_.consolidation.stop();
    }

    std::atomic<bool> synced_ = false;
    bool elected_ = false;
    bool is_stopping_ = false;
    Parts parts_;
    Changes changes_;
    Rounds rounds_;
    PageKeeper page_keeper_;
    PageGuard page_guard_;
    std::unique_ptr<PageServer> page_server_;
    std::unique_ptr<kube::LeaderElector> elector_;
};

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
Result<int> Controller::serve_page(const PageOptions& options) {
    return impl_->serve_page(options);
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
