// EC2 by the flags: its settings, and the provider of a controller. Loop thread.
#pragma once

#include "base/result.h"
#include "base/rng.h"
#include "cli/commands.h"
#include "cloud/ec2/settings.h"
#include "control/provider_list.h"
#include "io/http.h"
#include "io/real_loop.h"

namespace joiner::cli {

// Errors name the flag. REQUIRES: a cluster's name.
Result<cloud::ec2::Settings> ec2_settings(const Ec2Options& options, bool legacy_node_repair);

// Waits on the loop where the machine must be asked.
Result<std::string> region_of_machine(io::RealLoop& loop, io::HttpClient& http);

// Waits on the loop for the region, where the machine must be asked for it.
Result<control::ProviderMaker> ec2_maker(const Ec2Options& options, bool legacy_node_repair,
                                         io::RealLoop& loop, io::HttpClient& http, Rng rng);

}  // namespace joiner::cli
