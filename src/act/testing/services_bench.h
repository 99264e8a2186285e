// act::Services on virtual time, with a provider of the test's own and an API server whose answers it writes.
#pragma once

#include <string>
#include <utility>

#include "act/services.h"
#include "kube/testing/kube_bench.h"

namespace joiner::act {

template <typename Provider>
struct ServicesBench : kube::testing::KubeBench, Notices {
    // `ours`: the kinds of node class served; without them any is.
    template <typename... Ours>
    explicit ServicesBench(Ours&&... ours)
        : cluster(rules::PreferencePolicy::kRespect, std::forward<Ours>(ours)...) {}

    kube::EventRecorder events{loop, client, {}};
    Provider provider;
    model::Cluster cluster;
    Services services{
        loop, client, events, provider, cluster, *this, [](const std::string&) {}, [](const std::string&) {}};
};

}  // namespace joiner::act
