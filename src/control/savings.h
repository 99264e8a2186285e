// What taking nodes away was to save, and what it has saved, since the process began: dollars an hour. Not
// what stays saved: workloads grow again. Owned by control; loop thread.
#pragma once

#include <map>
#include <set>
#include <string>

#include "control/node_prices.h"
#include "model/cluster.h"
#include "rules/money.h"

namespace joiner::control {

class Savings {
  public:
    struct Totals {
        rules::Money promised;  // By all that was begun and not given up.
        rules::Money realised;  // By what has ended.

        friend bool operator==(const Totals&, const Totals&) = default;
    };

    Savings(NodePrices& prices, const model::Cluster& cluster) : prices_(prices), cluster_(cluster) {}

    // A command begins, or it is given up: nothing comes of it.
    void promise(rules::Money saves) { totals_.promised += saves; }
    void give_up(rules::Money saves) { totals_.promised -= saves; }
    // A command has ended: its nodes cost `before`, and the claims that were bought in their stead cost what
    // their nodes cost now.
    void realise(rules::Money before, const std::set<std::string>& bought);
    // A node without pods goes by itself: its price is promised until note_gone().
    void promise_empty(const std::string& claim);
    void note_gone(const std::string& claim);

    const Totals& totals() const { return totals_; }

  private:
    // 0 where it has no node, or nobody says.
    rules::Money price_of(const std::string& claim) const;

    NodePrices& prices_;
    const model::Cluster& cluster_;
    Totals totals_;
    std::map<std::string, rules::Money> empty_;  // Claims on their way out, and their prices.
};

}  // namespace joiner::control
