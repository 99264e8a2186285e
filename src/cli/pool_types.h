// Which instance types each pool of a simulation may buy: those of the user's file, whatever the pool's
// NodeClass, or of the built-in catalogue, which knows the NodeClasses of AWS and of KWOK.
#pragma once

#include <string>

#include "api/karpenter.h"
#include "base/result.h"
#include "model/snapshot.h"
#include "rules/node_pool_rules.h"
#include "rules/overlay.h"

namespace joiner::cli {

class PoolTypes {
  public:
    // `path` empty: the built-in catalogue.
    static Result<PoolTypes> load(const std::string& path);

    // Empty for a NodeClass that nobody here knows.
    rules::InstanceTypes of(const api::NodePool& pool);
    // Of all types that some pool was given.
    rules::RestrictedLabels labels() const;
    model::TypesSource source() const;
    // What to warn of where the pool has nothing to sell; empty otherwise.
    std::string warning(const model::PoolView& pool) const;

  private:
    bool is_built_in_ = false;
    rules::InstanceTypes types_;
    rules::InstanceTypes eks_auto_types_;  // Made when first asked for.
};

}  // namespace joiner::cli
