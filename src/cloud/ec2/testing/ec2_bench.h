// The EC2 provider over FakeEc2, for the provider contract. Test's thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/names.h"
#include "cloud/ec2/ec2_provider.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/testing/fake_ec2.h"
#include "cloud/launch_group.h"
#include "cloud/testing/contract.h"

namespace joiner::cloud::ec2::testing {

// Two sizes in two zones, spot and on demand.
inline std::vector<rules::InstanceType> bench_types() {
    const auto one = [](std::string_view key, std::string value) {
        return rules::Requirement::in(std::string(key), {std::move(value)});
    };
    std::vector<rules::InstanceType> out;
    for (const int cpu : {2, 4}) {
        rules::InstanceType type;
        type.name = cpu == 2 ? "m5.large" : "m5.xlarge";
        type.capacity.cpu_milli = cpu * 1000;
        type.capacity.memory_bytes = cpu * (std::int64_t{4} << 30);
        type.capacity.pods = 29;
        type.requirements.add(one(api::kInstanceTypeLabel, type.name));
        type.requirements.add(one(api::kArchLabel, "amd64"));
        for (const char* zone : {"us-east-1a", "us-east-1b"}) {
            for (const char* capacity_type : {"on-demand", "spot"}) {
                rules::Offering offering;
                offering.requirements.add(one(api::kZoneLabel, zone));
                offering.requirements.add(one(api::kCapacityTypeLabel, capacity_type));
                const double price = cpu * 0.05 * (std::string_view(capacity_type) == "spot" ? 0.4 : 1);
                offering.price = rules::Money::from_dollars(price + (zone[9] == 'b' ? 0.001 : 0));
                type.offerings.push_back(std::move(offering));
            }
        }
        out.push_back(std::move(type));
    }
    return out;
}

inline api::NodeClass ready_class() {
    api::NodeClass out;
    out.group = kGroup;
    out.kind = kKind;
    out.meta.name = "default";
    out.meta.generation = 1;
    out.spec = R"({"role": "node", "amiFamily": "AL2023", "amiSelectorTerms": [{"id": "ami-1"}],
        "subnetSelectorTerms": [{"tags": {"cluster": "test"}}],
        "securityGroupSelectorTerms": [{"tags": {"cluster": "test"}}]})";
    out.status = R"({
        "subnets": [{"id": "subnet-a", "zone": "us-east-1a", "zoneID": "use1-az1"},
                    {"id": "subnet-b", "zone": "us-east-1b", "zoneID": "use1-az2"}],
        "securityGroups": [{"id": "sg-1", "name": "nodes"}],
        "amis": [{"id": "ami-1", "name": "al2023", "requirements":
                  [{"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}]}],
        "instanceProfile": "nodes"})";
    out.conditions = {{"Ready", "True", "Ready", "", kNoTime, 1}};
    return out;
}

// What the provider has said without being asked.
struct HeardReports final : Reports {
    int offers = 0;
    std::vector<InstanceEvent> events;

    void offers_changed() override { ++offers; }
    void happened(const InstanceEvent& event) override { events.push_back(event); }
    // By name and the labels' values, with their sum.
    std::map<std::string, double> counts;
    std::map<std::string, std::vector<double>> values;
    static std::string series(std::string_view metric, const api::StringMap& labels) {
        std::string out(metric);
        for (const auto& [key, value] : labels) out += " " + value;
        return out;
    }
    void counted(std::string_view metric, const api::StringMap& labels, double by) override {
        counts[series(metric, labels)] += by;
    }
    void observed(std::string_view metric, const api::StringMap& labels, double value) override {
        values[series(metric, labels)].push_back(value);
    }
};

class Ec2Bench : public cloud::testing::ContractBench {
  public:
    // `claims`: of the requests, which are one launch group; 0: each is alone.
    explicit Ec2Bench(std::size_t claims = 0) : claims_(claims) { restart(); }

    io::testing::ManualLoop& loop() override { return loop_; }
    Provider& provider() override { return *provider_; }
    FakeEc2& ec2() { return fake_; }
    HeardReports reports;
    api::NodeClass node_class = ready_class();  // Of the requests.
    InstanceTypes types = std::make_shared<const std::vector<rules::InstanceType>>(bench_types());
    // What the class is to say of itself, and its status with it.
    std::optional<WantedClassState> reconcile() {
        std::optional<WantedClassState> out;
        provider_->reconcile(node_class, {true}, [&](const Result<WantedClassState>& wanted) {
            if (wanted) out = *wanted;
        });
        loop_.advance(std::chrono::minutes{1});
        return out;
    }

    void restart() override {
        provider_ = std::make_unique<Ec2Provider>(
            Ec2Ground{loop_, fake_, reports, Rng(++processes_), *aws::Endpoints::read({}, "us-east-1"),
                      [this](const aws::CredentialsDone& done) {
                          loop_.post([done] { done(aws::Credentials{"AKID", "secret", "", std::nullopt}); });
                      }},
            Settings{.cluster_name = "test",
                     .cluster_endpoint = "https://cluster",
                     .cluster_ca = "Y2E=",
                     .service_cidr = "10.0.0.0/16",
                     .kubernetes = "1.34"});
    }
    LaunchRequest request(const std::string& name, const std::string& uid) override {
        LaunchRequest out = cloud::testing::request_for(name, uid, types, node_class, loop_.now());
        if (claims_ > 0)
            out.claim.meta.annotations[std::string(api::kLaunchGroupAnnotation)] = written({"g", claims_});
        return out;
    }
    void record(const LaunchRequest&, const Instance&) override {}
    std::vector<std::string> running() override {
        std::vector<std::string> out;
        for (const FakeInstance& each : fake_.instances) {
            if (each.tags.contains(std::string(kPoolTag)) && each.ended > loop_.now())
                out.push_back(provider_id(each.zone, each.id));
        }
        return out;
    }
    std::string put_foreign() override {
        const FakeInstance& each = fake_.run({"",
                                              "m5.large",
                                              "us-east-1a",
                                              "subnet-a",
                                              "ami-1",
                                              "on-demand",
                                              {{"Name", "somebody's"}},
                                              kNoTime,
                                              WallTime::max()});
        return provider_id(each.zone, each.id);
    }
    bool is_running(const std::string& id) override {
        return std::any_of(fake_.instances.begin(), fake_.instances.end(), [&](const FakeInstance& each) {
            return provider_id(each.zone, each.id) == id && each.ended > loop_.now();
        });
    }
    void sell_out(const LaunchRequest&, const rules::OfferingKey& key) override {
        fake_.sold_out.insert(key);
    }
    void lose_next_answer() override { fake_.faults.lose_answers = 1; }
    // The provider tries again by itself.
    void throttle_next() override { fake_.faults.throttle = aws::kMostAttempts; }
    void slow_down(Duration by) override { fake_.faults.slow = by; }
    void let_lists_lag(Duration by) override { fake_.faults.list_lag = by; }
    void mend() override { fake_.faults = {}; }

  private:
    const std::size_t claims_;
    io::testing::ManualLoop loop_;
    FakeEc2 fake_{loop_};
    std::uint64_t processes_ = 0;
    std::unique_ptr<Ec2Provider> provider_;
};

}  // namespace joiner::cloud::ec2::testing
