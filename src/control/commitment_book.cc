#include "control/commitment_book.h"

#include <utility>

namespace joiner::control {

const rules::Commitments& CommitmentBook::all() const {
    std::vector<std::shared_ptr<const rules::Commitments>> now;
    for (const cloud::Provider* each : providers_.all()) now.push_back(each->commitments());
    if (now == seen_) return all_;
    all_ = of_file_;
    for (const auto& of_account : now) {
        if (of_account != nullptr) all_.insert(all_.end(), of_account->begin(), of_account->end());
    }
    seen_ = std::move(now);
    return all_;
}

}  // namespace joiner::control
