#include "cloud/kwok/kwok_provider.h"

#include <gtest/gtest.h>

#include "api/names.h"
#include "cloud/kwok/types_file.h"
#include "io/testing/manual_loop.h"

namespace joiner::cloud::kwok {
namespace {

// As upstream's: the machine is there, and what keeps its node away is for the registration time-out.
TEST(KwokProvider, s4_1_a_node_that_the_server_refuses_is_launched_and_never_registers) {
    const struct {
        ErrorKind answer;
        bool is_launched;
    } cases[] = {{ErrorKind::kInvalid, true},
                 {ErrorKind::kForbidden, true},
                 {ErrorKind::kConflict, true},
                 {ErrorKind::kUnavailable, false}};
    for (const auto& c : cases) {
        io::testing::ManualLoop loop;
        ClusterAccess access;
        access.find_node = [](const std::string&) { return nullptr; };
        access.create_node = [&](const api::Node&, std::function<void(Status)> done) {
            done(fail(c.answer, "denied"));
        };
        KwokProvider provider(loop, builtin_types(), access);
        std::optional<Result<Instance>> launched;
        const InstanceTypes types = *provider.instance_types({}, nullptr);
        const LaunchChoice choice{&types->front(), &types->front().offerings.front()};
        provider.create({{}, std::make_shared<const api::NodeClass>(), {choice}, types},
                        [&](LaunchAnswer answer) { launched = std::move(answer.instance); });
        loop.run_ready();
        ASSERT_TRUE(launched);
        EXPECT_EQ(launched->has_value(), c.is_launched) << to_string(c.answer);
    }
}

// A cluster of one claim that was launched, as it is found after a restart.
struct Restarted {
    Restarted() {
        node_class.spec = R"({"nodeRegistrationDelay": "3s"})";
        claim.meta.name = "c";
        claim.meta.uid = "1";
        claim.node_class = {"karpenter.kwok.sh", "KWOKNodeClass", "default"};
        claim.provider_id = "kwok://" + node_name(claim);
        // Not what would be chosen today.
        claim.meta.labels = {{std::string(api::kInstanceTypeLabel), "m-16x-amd64-linux"},
                             {std::string(api::kZoneLabel), "test-zone-b"},
                             {std::string(api::kCapacityTypeLabel), "on-demand"}};
        access.node_class = [this](const api::NodeClassReference&) { return &node_class; };
        access.claim_with_id = [this](const std::string& id) {
            return id == claim.provider_id ? &claim : nullptr;
        };
        access.find_node = [this](const std::string& name) -> const api::Node* {
            return !made.empty() && made.front().meta.name == name ? &made.front() : nullptr;
        };
        access.nodes = [this] { return made; };
        access.create_node = [this](const api::Node& node, std::function<void(Status)> done) {
            made.push_back(node);
            done({});
        };
        access.delete_node = [this](const std::string& name, std::function<void(Status)> done) {
            deleted.push_back(name);
            done({});
        };
    }
    Result<Instance> get(const std::string& id) {
        std::optional<Result<Instance>> out;
        provider().get(id, [&](Result<Instance> result) { out = std::move(result); });
        loop.run_ready();
        return out ? std::move(*out) : fail(ErrorKind::kInternal, "no answer");
    }
    KwokProvider& provider() {
        if (!its_provider) its_provider.emplace(loop, builtin_types(), access);
        return *its_provider;
    }

    io::testing::ManualLoop loop;
    api::NodeClass node_class;
    api::NodeClaim claim;
    ClusterAccess access;
    std::vector<api::Node> made;
    std::vector<std::string> deleted;
    std::optional<KwokProvider> its_provider;
};

TEST(KwokProvider, a_machine_that_was_starting_starts_on_after_a_restart_as_what_it_was) {
    Restarted cluster;
    for (int i = 0; i < 2; ++i) {
        const auto instance = cluster.get(cluster.claim.provider_id);
        ASSERT_TRUE(instance) << instance.error().message;
        EXPECT_EQ(instance->provider_id, cluster.claim.provider_id);
    }
    EXPECT_TRUE(cluster.made.empty()) << "it has its delay";
    cluster.loop.advance(std::chrono::seconds{3});
    ASSERT_EQ(cluster.made.size(), 1u);
    EXPECT_EQ(api::find_or_empty(cluster.made[0].meta.labels, api::kInstanceTypeLabel), "m-16x-amd64-linux");
    EXPECT_TRUE(cluster.get(cluster.claim.provider_id));
    EXPECT_EQ(cluster.made.size(), 1u);
}

TEST(KwokProvider, a_machine_that_had_registered_and_has_no_node_is_gone) {
    Restarted cluster;
    cluster.claim.conditions = {{"Registered", "True", "", "", kNoTime, 0}};
    EXPECT_EQ(cluster.get(cluster.claim.provider_id).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(cluster.get("kwok://unknown").error().kind, ErrorKind::kNotFound);
}

TEST(KwokProvider, of_another_clouds_instances_it_knows_nothing) {
    Restarted cluster;
    EXPECT_EQ(cluster.get("aws:///us-east-1a/i-1").error().kind, ErrorKind::kInvalid);
    std::optional<Status> removed;
    cluster.provider().remove("aws:///us-east-1a/i-1", [&](Status status) { removed = std::move(status); });
    cluster.loop.run_ready();
    ASSERT_TRUE(removed.has_value());
    EXPECT_EQ(removed->error().kind, ErrorKind::kInvalid);
    EXPECT_TRUE(cluster.deleted.empty());
    api::Node foreign;
    foreign.provider_id = "kwok://of-another-controller";
    foreign.meta.labels = {{"other.example.com/class", "default"}};
    cluster.made = {foreign};
    std::optional<Result<std::vector<Instance>>> listed;
    cluster.provider().list([&](Result<std::vector<Instance>> all) { listed = std::move(all); });
    cluster.loop.run_ready();
    ASSERT_TRUE(listed.has_value() && listed->has_value());
    EXPECT_TRUE(listed->value().empty());
}

}  // namespace
}  // namespace joiner::cloud::kwok
