#include "rules/limit_range.h"

namespace joiner::rules {

void ContainerDefaults::add(const api::LimitRange& range) {
    requests.insert(range.default_requests.begin(), range.default_requests.end());
    limits.insert(range.default_limits.begin(), range.default_limits.end());
}

void apply_defaults(const ContainerDefaults& defaults, api::PodSpec& spec) {
    const auto apply = [&](std::vector<api::Container>& containers) {
        for (api::Container& container : containers) {
            container.requests.insert(container.limits.begin(), container.limits.end());
            container.requests.insert(defaults.requests.begin(), defaults.requests.end());
            container.limits.insert(defaults.limits.begin(), defaults.limits.end());
            container.requests.insert(defaults.limits.begin(), defaults.limits.end());
        }
    };
    apply(spec.containers);
    apply(spec.init_containers);
}

}  // namespace joiner::rules
