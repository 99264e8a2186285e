#include "cloud/ec2/make_provider.h"

#include <fmt/format.h>

#include <utility>

#include "cloud/ec2/aws/credential_plan.h"
#include "cloud/ec2/aws/credential_source.h"
#include "cloud/ec2/aws/environment.h"
#include "cloud/ec2/ec2_provider.h"

namespace joiner::cloud::ec2 {
namespace {

Status check(const Settings& settings) {
    if (!(settings.vm_memory_overhead >= 0 && settings.vm_memory_overhead < 1))
        return invalid("--vm-memory-overhead-percent must be at least 0 and less than 1");
    if (settings.reserved_enis < 0) return invalid("--reserved-enis must not be negative");
    const std::pair<const char*, Duration> kRefreshes[] = {
        {"--ami-refresh-interval", settings.ami_refresh},
        {"--subnet-refresh-interval", settings.subnet_refresh},
        {"--security-group-refresh-interval", settings.security_group_refresh}};
    for (const auto& [flag, interval] : kRefreshes) {
        if (interval < std::chrono::minutes{1}) return invalid(fmt::format("{} must be at least 1m", flag));
    }
    const std::string& url = settings.cluster_endpoint;
    if (!url.empty() && !url.starts_with("https://") && !url.starts_with("http://"))
        return invalid(fmt::format("--cluster-endpoint: \"{}\" is not a URL", url));
    return {};
}

}  // namespace

Result<MakeProvider> provider_maker(io::HttpClient& http, Settings settings, Rng rng) {
    TRY_STATUS(check(settings));
    TRY(const aws::Environment environment, aws::read_environment());
    TRY(aws::CredentialPlan plan, aws::plan_credentials(environment));
    TRY(aws::Endpoints endpoints, aws::Endpoints::read(environment, ""));
    return MakeProvider([&http, settings, rng, plan, endpoints](io::Loop& loop, Reports& reports) {
        const auto source = std::make_shared<aws::CredentialSource>(loop, http, endpoints, plan);
        return std::make_unique<Ec2Provider>(
            Ec2Ground{loop, http, reports, rng, endpoints,
                      [source](aws::CredentialsDone done) { source->fetch(std::move(done)); }},
            settings);
    });
}

}  // namespace joiner::cloud::ec2
