// How the KWOK provider reaches the cluster, whose Node objects are its instances. Loop thread.
#pragma once

#include "cloud/kwok/kwok_provider.h"
#include "control/provider_list.h"

namespace joiner::control {

cloud::kwok::ClusterAccess kwok_access(const ProviderGround& ground);

}  // namespace joiner::control
