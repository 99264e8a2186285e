#include "control/provider_list.h"

#include "cloud/kwok/kwok_provider.h"
#include "control/kwok_access.h"

namespace joiner::control {

std::vector<ProviderMaker> provider_list(std::vector<rules::InstanceType> kwok_types) {
    return {[types = std::move(kwok_types)](const ProviderGround& ground) {
        return std::make_unique<cloud::kwok::KwokProvider>(ground.loop, types, kwok_access(ground));
    }};
}

}  // namespace joiner::control
