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

// What AWS's variables and files say.
struct Surroundings {
    aws::CredentialPlan plan;
    aws::Endpoints endpoints;
};
Result<Surroundings> read_surroundings(const Settings& settings) {
    TRY_STATUS(check(settings));
    TRY(const aws::Environment environment, aws::read_environment());
    TRY(aws::CredentialPlan plan, aws::plan_credentials(environment));
    TRY(aws::Endpoints endpoints, aws::Endpoints::read(environment, settings.region));
    return Surroundings{std::move(plan), std::move(endpoints)};
}

Ec2Ground make_ground(io::Loop& loop, io::HttpClient& http, Reports& reports, Rng rng,
                      const Surroundings& around) {
    const auto source = std::make_shared<aws::CredentialSource>(loop, http, around.endpoints, around.plan);
    return {loop, http, reports, rng, around.endpoints, [source](aws::CredentialsDone done) {
                source->fetch(std::move(done));
            }};
}

}  // namespace

void find_region(io::HttpClient& http, std::function<void(Result<std::string>)> done) {
    const Result<aws::Environment> environment = aws::read_environment();
    if (!environment) return done(tl::unexpected<Error>(environment.error()));
    if (std::string named = aws::region_in(*environment); !named.empty()) return done(std::move(named));
    const auto unknown = [](const std::string& why) {
        return invalid("no AWS region is known: set AWS_REGION (" + why + ")");
    };
    const Result<std::string> url = aws::metadata_url(*environment);
    if (!url) return done(unknown("AWS_EC2_METADATA_DISABLED keeps us from asking the machine"));
    aws::fetch_region(http, *url, [unknown, done = std::move(done)](const Result<std::string>& region) {
        if (!region || region->empty())
            return done(unknown(region ? "the machine names none" : region.error().message));
        done(*region);
    });
}

Result<MakeProvider> provider_maker(io::HttpClient& http, Settings settings, Rng rng) {
    TRY(const Surroundings around, read_surroundings(settings));
    return MakeProvider(
        [&http, settings, rng, around](io::Loop& loop, Reports& reports, AskVersion ask_version) {
            Ec2Ground ground = make_ground(loop, http, reports, rng, around);
            ground.ask_version = std::move(ask_version);
            return std::make_unique<Ec2Provider>(std::move(ground), settings);
        });
}

Result<std::unique_ptr<Doctor>> make_doctor(io::Loop& loop, io::HttpClient& http, Reports& reports,
                                            Settings settings, Rng rng, std::vector<api::NodeClass> classes) {
    TRY(const Surroundings around, read_surroundings(settings));
    return std::make_unique<Doctor>(make_ground(loop, http, reports, rng, around), std::move(settings),
                                    std::move(classes));
}

}  // namespace joiner::cloud::ec2
