// What taking nodes away was to save, and what it has saved, since the process began: dollars an hour. Not
// what stays saved: workloads grow again. Owned by control, the one source of the page and of the metrics;
// loop thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/node_prices.h"
#include "model/cluster.h"
#include "observe/metrics.h"
#include "rules/money.h"

namespace joiner::control {

class Savings {
  public:
    struct Totals {
        rules::Money promised;  // By all that was begun and not given up.
        rules::Money realised;  // By what has ended.

        friend bool operator==(const Totals&, const Totals&) = default;
    };

    // Of which nodes, as the metrics say it.
    struct Cause {
        std::string pool;
        std::string reason;
    };

    Savings(NodePrices& prices, const model::Cluster& cluster, observe::Metrics& metrics)
        : prices_(prices), cluster_(cluster), metrics_(metrics) {}

    // A command begins, or it is given up: nothing comes of it. The metrics, which only grow, keep the
    // promise.
    void promise(const Cause& cause, rules::Money saves);
    void give_up(rules::Money saves) { totals_.promised -= saves; }
    // A command has ended: its nodes cost `before`, and the claims that were bought in their stead cost what
    // their nodes cost now.
    void realise(const Cause& cause, rules::Money before, const std::set<std::string>& bought);
    // A node without pods goes by itself: its price is promised until note_gone().
    void promise_empty(const std::vector<std::string>& claims);
    void note_gone(const std::string& claim);

    const Totals& totals() const { return totals_; }

  private:
    void promise_one(const std::string& claim);
    // 0 where it has no node, or nobody says.
    rules::Money price_of(const std::string& claim) const;
    // What costs more than before adds nothing to a metric.
    void count(std::string_view metric, const Cause& cause, rules::Money saves);

    struct Empty {
        Cause cause;
        rules::Money price;
    };

    NodePrices& prices_;
    const model::Cluster& cluster_;
    observe::Metrics& metrics_;
    Totals totals_;
    std::map<std::string, Empty> empty_;  // Claims on their way out.
};

}  // namespace joiner::control
