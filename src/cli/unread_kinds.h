// Documents of kinds that planning does not read: said once, by kind, and apart those that may stand for
// pods, because then the plan is for less than there is. One owner.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/manifest.h"

namespace joiner::cli {

class UnreadKinds {
  public:
    void add(const api::Document& document);

    // At most three sentences, in which each kind is named once; what may stand for pods comes first, with
    // all objects of a kind of which one does.
    std::vector<std::string> sentences() const;

  private:
    using Tally = std::map<std::string, std::size_t>;
    Tally may_make_pods_;
    Tally scheduled_;  // CronJobs.
    Tally others_;
};

// "ConfigMap 3, ServiceAccount 1".
std::string tally_of(const std::map<std::string, std::size_t>& tally);

}  // namespace joiner::cli
