// The EC2 provider as settings, AWS's environment variables and profiles have it.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "base/rng.h"
#include "cloud/ec2/settings.h"
#include "cloud/provider.h"
#include "io/http.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

using MakeProvider = std::function<std::unique_ptr<Provider>(io::Loop& loop, Reports& reports)>;

// Reads the environment now; asks nobody. Errors name the setting, the variable or the file that is wrong.
// The HTTP client outlives the provider.
Result<MakeProvider> provider_maker(io::HttpClient& http, Settings settings, Rng rng);

}  // namespace joiner::cloud::ec2
