// Which clouds this process drives. A new provider is a folder under cloud/, its CRD and RBAC rules under
// deploy/, and a line in provider_list.cc.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "act/services.h"
#include "cloud/provider.h"
#include "cloud/reports.h"
#include "io/loop.h"
#include "kube/client.h"
#include "model/cluster.h"

namespace joiner::control {

// What a provider may be made with. All of it outlives the provider.
struct ProviderGround {
    io::Loop& loop;
    kube::Client& client;
    const model::Cluster& cluster;
    act::Notices& notices;
    cloud::Reports& reports;
};
using ProviderMaker = std::function<std::unique_ptr<cloud::Provider>(const ProviderGround&)>;

// `kwok_types`: what KWOK's pretend nodes may be.
std::vector<ProviderMaker> provider_list(std::vector<rules::InstanceType> kwok_types);

}  // namespace joiner::control
