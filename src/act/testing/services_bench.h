// act::Services on virtual time, with a provider of the test's own and an API server whose answers it writes.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "act/services.h"
#include "cloud/forwarding_provider.h"
#include "kube/testing/kube_bench.h"

namespace joiner::act {

// One provider, and what it offers as it stands.
struct OneProvider final : cloud::Offers {
    OneProvider(io::Loop& loop, cloud::Provider& own_provider)
        : provider(own_provider), all(loop, [] { return true; }) {
        all.add(std::make_unique<cloud::ForwardingProvider>(provider));
    }
    cloud::InstanceTypes instance_types(const api::NodePool& pool) override {
        return provider.instance_types(pool, nullptr).value_or(nullptr);
    }
    std::string why_no_types(const api::NodePool&) override { return "its instance types are not known"; }

    cloud::Provider& provider;
    cloud::Providers all;
};

template <typename Provider>
struct ServicesBench : kube::testing::KubeBench, Notices {
    // `ours`: the kinds of node class served; without them any is.
    template <typename... Ours>
    explicit ServicesBench(Ours&&... ours)
        : cluster(rules::PreferencePolicy::kRespect, std::forward<Ours>(ours)...) {}

    kube::EventRecorder events{loop, client, {}};
    Provider provider;
    OneProvider clouds{loop, provider};
    model::Cluster cluster;
    Services services{loop,
                      client,
                      events,
                      clouds.all,
                      clouds,
                      cluster,
                      *this,
                      [](const std::string&) {},
                      [](const std::string&) {}};
};

}  // namespace joiner::act
