// Which instance types each pool of a simulation may buy: those of the user's file, whatever the pool's
// NodeClass, or of the built-in catalogues, which know the NodeClasses of AWS, Azure, Google Cloud and KWOK.
// The region is the one that the pool's requirements name (docs/catalogues.md).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/karpenter.h"
#include "base/result.h"
#include "cloud/catalogue/node_place.h"
#include "model/snapshot.h"
#include "rules/node_pool_rules.h"
#include "rules/overlay.h"

namespace joiner::cli {

class PoolTypes {
  public:
    // `path` empty: the built-in catalogues.
    static Result<PoolTypes> load(const std::string& path);

    // Empty for a NodeClass that nobody here knows.
    rules::InstanceTypes of(const api::NodePool& pool);
    // Of all types that some pool was given.
    rules::RestrictedLabels labels() const;
    model::TypesSource source() const;
    // What to warn of where the pool has nothing to sell, or not at the prices of its own region; empty
    // otherwise.
    std::string warning(const model::PoolView& pool) const;

  private:
    rules::InstanceTypes of_cloud(const api::NodePool& pool, cloud::catalogue::Cloud cloud);

    bool is_built_in_ = false;
    rules::InstanceTypes types_;
    rules::InstanceTypes eks_auto_types_;            // Made when first asked for.
    std::vector<rules::InstanceTypes> cloud_types_;  // Of other tables, each once.
    std::vector<std::string> cloud_domains_;         // What users may not make labels in, with those.
    std::map<std::string, std::string> notes_;       // By pool.
};

}  // namespace joiner::cli
