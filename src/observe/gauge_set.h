// Gauges of objects that come and go. They are set anew as a whole, pass by pass, and what a pass has not set
// is gone with its object. Loop thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "observe/metrics.h"

namespace joiner::observe {

class GaugeSet {
  public:
    explicit GaugeSet(Metrics& metrics) : metrics_(metrics) {}
    GaugeSet(const GaugeSet&) = delete;
    GaugeSet& operator=(const GaugeSet&) = delete;

    void set(std::string_view name, const Labels& labels, double value) {
        metrics_.set(name, labels, value);
        this_pass_.emplace(name, labels);
    }
    // Drops the series that have not been set since it was called last.
    void end_pass() {
        for (const auto& [name, labels] : last_pass_) {
            if (!this_pass_.contains({name, labels})) metrics_.drop(name, labels);
        }
        last_pass_ = std::exchange(this_pass_, {});
    }

  private:
    using Series = std::set<std::pair<std::string, Labels>>;

    Metrics& metrics_;
    Series this_pass_;
    Series last_pass_;
};

}  // namespace joiner::observe
