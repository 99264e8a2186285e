// How often a cloud takes spot machines back, learned by offering from what happens: interruptions by the
// hours that machines of it have run, both forgotten by half in three days. Where nothing is known one rate
// holds for all, and a single interruption changes little of it (the mean of a Gamma distribution that
// Poisson counts update). Pure; one owner, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "rules/offering_key.h"

namespace joiner::rules {

class InterruptionRates {
  public:
    // An hour of a machine of which nothing is known: one in twenty is interrupted in a month.
    static constexpr double kPrior = 0.05 / 720;
    // The prior counts as much as so many hours of what has happened.
    static constexpr double kPriorHours = 100;
    static constexpr std::size_t kMostOfferings = 4'000;  // Others stay unknown.

    struct Seen {
        double hours = 0;
        double interruptions = 0;
    };

    // Machines of the offering have run so long, all together.
    void note_run(const OfferingKey& key, double hours);
    void note_interrupted(const OfferingKey& key);
    // The share of what is known that time has left; to be called as it goes by.
    void forget(Duration passed);

    // Interruptions an hour.
    double rate(const OfferingKey& key) const;
    // What of it is more than the prior; 0 where no interruption is remembered.
    double excess(const OfferingKey& key) const;
    const std::map<OfferingKey, Seen>& seen() const { return seen_; }

    // A line for each offering, and what such lines say, added to what is known. Those that say nothing are
    // passed over, names with spaces in them are not written.
    std::string written() const;
    void remember(std::string_view text);

  private:
    Seen* find_or_add(const OfferingKey& key);

    std::map<OfferingKey, Seen> seen_;
};

// What one interruption of a machine takes.
struct InterruptionToll {
    double hours = 0;            // Of the machine's price: what replaces it is paid for beside it.
    double dollars_a_core = 0;   // Of its pods, of which nobody knows before how many there are: one a core.
    double most_of_a_price = 9;  // An hour costs no more than so many times the price: nothing is ruled out.
};

// What `excess` interruptions an hour cost of such a machine, an hour.
Money interruption_cost(double excess, Money price, double cores, const InterruptionToll& toll);

}  // namespace joiner::rules
