// What is paid for already: by the file of the options, and by the accounts that the providers ask. Borrows
// both. Loop thread.
#pragma once

#include <memory>
#include <vector>

#include "cloud/providers.h"
#include "rules/commitment.h"

namespace joiner::control {

class CommitmentBook {
  public:
    CommitmentBook(const cloud::Providers& providers, const rules::Commitments& of_file)
        : providers_(providers), of_file_(of_file), all_(of_file) {}

    // Those of the file first. The answer stands until a provider says otherwise, between two turns of the
    // loop.
    const rules::Commitments& all() const;

  private:
    const cloud::Providers& providers_;
    const rules::Commitments& of_file_;
    // What all_ was made of, by provider.
    mutable std::vector<std::shared_ptr<const rules::Commitments>> seen_;
    mutable rules::Commitments all_;
};

}  // namespace joiner::control
