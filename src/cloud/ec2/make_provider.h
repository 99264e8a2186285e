// The EC2 provider as settings, AWS's environment variables and profiles have it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/rng.h"
#include "cloud/ec2/classes/cluster_discovery.h"
#include "cloud/ec2/doctor/doctor.h"
#include "cloud/ec2/settings.h"
#include "cloud/provider.h"
#include "io/http.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

using MakeProvider =
    std::function<std::unique_ptr<Provider>(io::Loop& loop, Reports& reports, AskVersion ask_version)>;

// The region: as AWS's variables and files name it, else as this machine's metadata does. Errors say what to
// set.
void find_region(io::HttpClient& http, std::function<void(Result<std::string>)> done);

// Reads the environment now; asks nobody. Errors name the setting, the variable or the file that is wrong.
// The HTTP client outlives the provider.
Result<MakeProvider> provider_maker(io::HttpClient& http, Settings settings, Rng rng);

// What looks after all that a controller with these settings would ask of the account. As above.
Result<std::unique_ptr<Doctor>> make_doctor(io::Loop& loop, io::HttpClient& http, Reports& reports,
                                            Settings settings, Rng rng, std::vector<api::NodeClass> classes);

}  // namespace joiner::cloud::ec2
