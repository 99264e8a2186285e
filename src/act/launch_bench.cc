// What a launch costs us: from a NodeClaim to its instance on EC2, with a cloud that answers at once. The
// claims allow all c, m and r types, spot and on demand, in three zones.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "act/launch_request.h"
#include "api/names.h"
#include "cloud/ec2/ec2_provider.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/catalogue_region.h"
#include "cloud/ec2/types/class_types.h"
#include "cloud/launch_group.h"
#include "io/testing/manual_loop.h"

namespace joiner::act {
namespace {

namespace ec2 = cloud::ec2;

// Makes every template, and of every fleet all that it asks for.
class QuickCloud final : public io::HttpClient {
  public:
    explicit QuickCloud(io::Loop& loop) : loop_(loop) {}
    io::RequestId send(io::HttpRequest request, std::function<void(io::HttpResult)> done) override {
        bytes += request.body.size();
        std::string body;
        if (request.body.starts_with("Action=CreateFleet&")) {
            constexpr std::string_view kCount = "TotalTargetCapacity=";
            const int count = std::stoi(request.body.substr(request.body.find(kCount) + kCount.size(), 3));
            std::string ids;
            for (int i = 0; i < count; ++i) ids += fmt::format("<item>i-{:017x}</item>", ++instances);
            body = fmt::format(
                R"(<CreateFleetResponse><fleetId>f</fleetId><fleetInstanceSet><item><launchTemplateAndOverrides>
                <overrides><instanceType>m5.large</instanceType><subnetId>subnet-a</subnetId>
                <availabilityZone>us-east-1a</availabilityZone></overrides></launchTemplateAndOverrides>
                <lifecycle>spot</lifecycle><instanceIds>{}</instanceIds>
                <instanceType>m5.large</instanceType></item></fleetInstanceSet></CreateFleetResponse>)",
                ids);
        } else {
            body =
                "<CreateLaunchTemplateResponse><launchTemplate><launchTemplateId>lt-1</launchTemplateId>"
                "</launchTemplate></CreateLaunchTemplateResponse>";
        }
        loop_.post([done = std::move(done), body = std::move(body)] {
            done(io::HttpResponse{200, body, "text/xml", 0});
        });
        return ++last_;
    }
    io::RequestId stream(io::HttpRequest, io::StreamHandlers) override { return ++last_; }
    void cancel(io::RequestId) override {}

    std::size_t bytes = 0;
    std::uint64_t instances = 0;

  private:
    io::Loop& loop_;
    io::RequestId last_ = 0;
};

api::NodeClass ready_class() {
    api::NodeClass out;
    out.group = ec2::kGroup;
    out.kind = ec2::kKind;
    out.meta.name = "default";
    out.meta.resource_version = "1";
    out.meta.generation = 1;
    out.spec = R"({"role": "node", "amiSelectorTerms": [{"alias": "al2023@latest"}],
        "subnetSelectorTerms": [{"tags": {"cluster": "test"}}],
        "securityGroupSelectorTerms": [{"tags": {"cluster": "test"}}]})";
    out.status = R"({
        "subnets": [{"id": "subnet-a", "zone": "us-east-1a", "zoneID": "use1-az1"},
                    {"id": "subnet-b", "zone": "us-east-1b", "zoneID": "use1-az2"},
                    {"id": "subnet-c", "zone": "us-east-1c", "zoneID": "use1-az4"}],
        "securityGroups": [{"id": "sg-1", "name": "nodes"}],
        "amis": [{"id": "ami-1", "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]},
                 {"id": "ami-2", "requirements": [{"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}]}],
        "instanceProfile": "nodes"})";
    out.conditions = {{"Ready", "True", "Ready", "", kNoTime, 1}};
    return out;
}

api::NodeClaim claim(std::int64_t number, WallTime created) {
    api::NodeClaim out;
    out.meta.name = fmt::format("default-{}", number);
    out.meta.uid = fmt::format("00000000-0000-0000-0000-{:012}", number);
    out.meta.created = created;
    const auto group = static_cast<std::size_t>(number - 1) / cloud::kMostInALaunchGroup;
    out.meta.annotations[std::string(api::kLaunchGroupAnnotation)] =
        cloud::written({fmt::format("g{}", group), cloud::kMostInALaunchGroup});
    out.meta.labels = {{std::string(api::kNodePoolLabel), "default"}, {"team", "batch"}};
    out.node_class = {std::string(ec2::kGroup), std::string(ec2::kKind), "default"};
    out.requirements = {{"karpenter.k8s.aws/instance-category", "In", {"c", "m", "r"}, std::nullopt},
                        {std::string(api::kCapacityTypeLabel), "In", {"on-demand", "spot"}, std::nullopt},
                        {std::string(api::kArchLabel), "In", {"amd64", "arm64"}, std::nullopt}};
    return out;
}

void launch_claims(benchmark::State& state) {
    io::testing::ManualLoop loop;
    QuickCloud cloud(loop);
    cloud::Reports reports;
    const ec2::Settings settings{.cluster_name = "test",
                                 .cluster_endpoint = "https://cluster",
                                 .cluster_ca = "Y2E=",
                                 .service_cidr = "10.0.0.0/16",
                                 .kubernetes = "1.34"};
    const auto node_class = std::make_shared<const api::NodeClass>(ready_class());
    const auto parsed = ec2::parse_node_class(*node_class);
    const auto types = std::make_shared<const std::vector<rules::InstanceType>>(
        *ec2::make_class_types(ec2::testing::catalogue_region(), "us-east-1", *parsed,
                               ec2::read_status(*node_class), settings, std::nullopt));
    LaunchChooser chooser;
    std::int64_t number = 0;
    for (auto _ : state) {
        ec2::Ec2Provider provider(
            {loop, cloud, reports, Rng(1), *cloud::ec2::aws::Endpoints::read({}, "us-east-1"),
             [&loop](const ec2::aws::CredentialsDone& done) {
                 loop.post([done] { done(ec2::aws::Credentials{"AKID", "secret", "", std::nullopt}); });
             }},
            settings);
        std::int64_t launched = 0;
        for (std::int64_t i = 0; i < state.range(0); ++i) {
            cloud::LaunchRequest request;
            request.claim = claim(++number, loop.now() + std::chrono::minutes{5});
            request.node_class = node_class;
            request.types = types;
            request.choices = chooser
                                  .choices(request.claim, types, provider.labels().well_known,
                                           [](const rules::OfferingKey&) { return cloud::Stock::kThere; })
                                  .choices;
            request.asked_at = loop.now();
            provider.create(
                request, [&](const cloud::LaunchAnswer& answer) { launched += answer.instance.has_value(); });
            loop.run_ready();
        }
        loop.advance(std::chrono::seconds{1});
        if (launched != state.range(0)) state.SkipWithError("a claim was not launched");
    }
    state.counters["types"] = static_cast<double>(types->size());
    state.counters["requestBytes"] =
        benchmark::Counter(static_cast<double>(cloud.bytes) / static_cast<double>(number));
    state.counters["msPerClaim"] = benchmark::Counter(
        static_cast<double>(number) / 1000, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(launch_claims)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace joiner::act
