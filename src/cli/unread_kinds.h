// Documents of kinds that planning does not read: said once, by kind, and apart those that may stand for
// pods, because then the plan is for less than there is. One owner.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "api/manifest.h"

namespace joiner::cli {

class UnreadKinds {
  public:
    // `has_namesake`: a kind of this name in another group is read.
    void add(const api::Document& document, bool has_namesake);

    // At most three sentences, in which each kind is named once; what may stand for pods comes first, with
    // all objects of a kind of which one does. Kinds of one name are told apart by their groups.
    std::vector<std::string> sentences() const;

  private:
    using Tally = std::map<std::pair<std::string, std::string>, std::size_t>;  // By kind and group.

    std::string words_for(const Tally& tally) const;

    Tally may_make_pods_;
    Tally scheduled_;  // CronJobs.
    Tally others_;
    std::set<std::string> namesakes_;
    std::map<std::string, std::set<std::string>> groups_;  // By kind.
};

// "ConfigMap 3, ServiceAccount 1".
std::string tally_of(const std::map<std::string, std::size_t>& tally);

}  // namespace joiner::cli
