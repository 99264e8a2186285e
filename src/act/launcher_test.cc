#include "act/launcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <regex>

#include "act/testing/services_bench.h"
#include "api/codec.h"
#include "api/names.h"
#include "cloud/launch_group.h"
#include "cloud/testing/no_provider.h"
#include "kube/testing/kube_bench.h"

namespace joiner::act {
namespace {

using rules::Requirement;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

struct World {
    model::PoolView pool;
    plan::MachineSpec spec;
    rules::RestrictedLabels labels;

    World() {
        pool.name = pool.pool.meta.name = "default";
        pool.pool.meta.uid = "pool-uid";
        api::NodePoolTemplate& t = pool.pool.node_template;
        t.labels = {{"team", "red"}};
        t.annotations = {{"note", "x"}};
        t.node_class = {"karpenter.kwok.sh", "KWOKNodeClass", "basic"};
        t.taints = {{"k", "v", "NoSchedule", {}}};
        t.startup_taints = {{"s", "", "NoExecute", {}}};
        t.expire_after = {std::nullopt, "Never"};
        t.termination_grace_period = seconds{90};
        pool.requirements.add(Requirement::in(std::string(api::kNodePoolLabel), {"default"}));
        pool.requirements.add(Requirement::in("team", {"red"}));
        spec.types = {"small", "large"};
        spec.requirements = pool.requirements;
        spec.requests.cpu_milli = 1500;
        spec.requests.pods = 3;
    }
    api::NodeClaim claim() const { return make_claim(spec, pool, labels, "default-abcde"); }
    // "In a b" of the claim's requirement on the key; "-" when there is none.
    static std::string requirement(const api::NodeClaim& claim, std::string_view key) {
        for (const api::SelectorRequirement& r : claim.requirements) {
            if (r.key != key) continue;
            std::string out = r.op;
            for (const std::string& value : r.values) out += " " + value;
            return out;
        }
        return "-";
    }
};

TEST(LaunchGroups, launches_of_one_spec_are_together_and_no_more_than_a_group_holds) {
    const auto a = std::make_shared<const plan::MachineSpec>();
    const auto b = std::make_shared<const plan::MachineSpec>();
    const auto alone = std::make_shared<const plan::MachineSpec>();
    std::vector<std::shared_ptr<const plan::MachineSpec>> specs(cloud::kMostInALaunchGroup + 2, a);
    for (const auto& spec : {b, alone, b}) specs.push_back(spec);
    Rng rng(1);
    const std::vector<std::string> groups = launch_groups(specs, rng);
    ASSERT_EQ(groups.size(), specs.size());
    std::map<std::string, std::size_t> sizes;
    for (const std::string& each : groups) ++sizes[each];
    EXPECT_EQ(sizes.size(), 4u);
    EXPECT_EQ(sizes[groups[0]], cloud::kMostInALaunchGroup);
    EXPECT_EQ(sizes[groups[cloud::kMostInALaunchGroup]], 2u);
    EXPECT_EQ(groups[specs.size() - 3], groups[specs.size() - 1]);
    EXPECT_EQ(groups[specs.size() - 2], "");
    api::NodeClaim claim;
    claim.meta.annotations[std::string(api::kLaunchGroupAnnotation)] = groups[0];
    const auto read = cloud::launch_group_of(claim);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->count, cloud::kMostInALaunchGroup);
    EXPECT_NE(launch_groups(specs, rng)[0], groups[0]) << "each time anew";
    EXPECT_THAT(launch_groups({}, rng), testing::IsEmpty());
}

TEST(MakeClaim, carries_all_that_the_pool_says) {
    const World w;
    const api::NodeClaim claim = w.claim();
    EXPECT_EQ(claim.meta.name, "default-abcde");
    EXPECT_THAT(claim.meta.finalizers, ElementsAre(api::kTerminationFinalizer));
    ASSERT_EQ(claim.meta.owners.size(), 1u);
    EXPECT_EQ(claim.meta.owners[0].kind, "NodePool");
    EXPECT_EQ(claim.meta.owners[0].name, "default");
    EXPECT_EQ(claim.meta.owners[0].uid, "pool-uid");
    EXPECT_TRUE(claim.meta.owners[0].block_owner_deletion);
    EXPECT_THAT(claim.meta.labels, Contains(Pair(api::kNodePoolLabel, "default")));
    EXPECT_THAT(claim.meta.labels, Contains(Pair("team", "red")));
    EXPECT_THAT(claim.meta.labels, Contains(Pair("karpenter.kwok.sh/kwoknodeclass", "basic")));
    EXPECT_THAT(claim.meta.annotations, Contains(Pair("note", "x")));
    EXPECT_THAT(claim.meta.annotations,
                Contains(Pair(api::kNodePoolHashAnnotation, rules::node_pool_hash(w.pool.pool))));
    EXPECT_THAT(claim.meta.annotations, Contains(Pair(api::kNodePoolHashVersionAnnotation, "v3")));
    EXPECT_THAT(claim.meta.annotations, Contains(Pair(api::kMinValuesRelaxedAnnotation, "false")));
    EXPECT_EQ(claim.taints, w.pool.pool.node_template.taints);
    EXPECT_EQ(claim.startup_taints, w.pool.pool.node_template.startup_taints);
    EXPECT_EQ(claim.node_class, w.pool.pool.node_template.node_class);
    EXPECT_FALSE(claim.expire_after.value);
    EXPECT_EQ(claim.termination_grace_period, seconds{90});
    EXPECT_EQ(claim.requests.at("cpu"), Quantity::of_milli(1500));
    EXPECT_EQ(claim.requests.at("pods"), Quantity::of_units(3));
    EXPECT_TRUE(claim.provider_id.empty());
}

TEST(MakeClaim, lists_the_types_that_will_do_and_keeps_min_values) {
    World w;
    EXPECT_EQ(World::requirement(w.claim(), api::kInstanceTypeLabel), "In large small");
    Requirement wanted = Requirement::in(std::string(api::kInstanceTypeLabel), {"small", "large", "huge"});
    wanted.set_min_values(2);
    w.spec.requirements.add(wanted);
    w.spec.min_values_relaxed = true;
    const api::NodeClaim claim = w.claim();
    EXPECT_EQ(World::requirement(claim, api::kInstanceTypeLabel), "In large small");
    for (const api::SelectorRequirement& r : claim.requirements) {
        EXPECT_EQ(r.min_values.value_or(0), r.key == api::kInstanceTypeLabel ? 2 : 0) << r.key;
    }
    EXPECT_THAT(claim.meta.annotations, Contains(Pair(api::kMinValuesRelaxedAnnotation, "true")));
}

TEST(MakeClaim, a_custom_label_left_open_takes_a_value_and_a_well_known_one_does_not) {
    World w;
    w.spec.requirements.add(Requirement::in("colour", {"blue", "azure"}));
    w.spec.requirements.add(Requirement::in(std::string(api::kZoneLabel), {"a", "b"}));
    w.spec.requirements.add(Requirement::does_not_exist("absent"));
    w.spec.requirements.add(Requirement::not_in("other", {"x"}));
    const api::NodeClaim claim = w.claim();
    EXPECT_THAT(claim.meta.labels, Contains(Pair("colour", "azure")));
    EXPECT_FALSE(claim.meta.labels.contains(std::string(api::kZoneLabel))) << "the provider chooses the zone";
    EXPECT_FALSE(claim.meta.labels.contains("absent"));
    EXPECT_EQ(World::requirement(claim, api::kZoneLabel), "In a b");
    EXPECT_EQ(World::requirement(claim, "absent"), "DoesNotExist");
    for (const auto& requirement : w.spec.requirements) {
        const auto it = claim.meta.labels.find(requirement.key());
        EXPECT_TRUE(it == claim.meta.labels.end() || requirement.allows(it->second))
            << requirement.to_string();
    }
}

TEST(MakeClaimName, is_the_pools_with_five_letters) {
    Rng rng(1);
    std::set<std::string> names;
    for (int i = 0; i < 100; ++i) {
        const std::string name = make_claim_name("default", rng);
        EXPECT_TRUE(std::regex_match(name, std::regex("default-[a-z0-9]{5}"))) << name;
        names.insert(name);
    }
    EXPECT_GT(names.size(), 95u);
    EXPECT_LE(make_claim_name(std::string(200, 'x'), rng).size(), 63u) << "it becomes a label's value";
}

struct CreateBench : kube::testing::KubeBench, Notices {
    kube::EventRecorder events{loop, client, {}};
    cloud::testing::NoProvider provider;
    OneProvider clouds{loop, provider};
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    Services services{loop, client, events, clouds.all, clouds, cluster, *this, {}, {}};
    int created = 0;
    std::optional<Status> answer;

    void claim_created(const api::NodeClaim&, std::string_view) override { ++created; }
    void create() {
        create_claim(services, World().claim(), "provisioned",
                     [this](Status status) { answer = std::move(status); });
        loop.run_ready();
    }
};

TEST(CreateClaim, sends_the_claim_and_says_when_it_exists) {
    CreateBench b;
    b.create();
    ASSERT_EQ(b.http.calls.size(), 1u);
    EXPECT_EQ(b.http.last_call().request.method, "POST");
    EXPECT_EQ(api::decode_node_claim(b.http.last_call().request.body)->meta.name, "default-abcde");
    EXPECT_FALSE(b.answer);
    b.http.answer(b.http.last(), 201, "{}");
    b.loop.run_ready();
    ASSERT_TRUE(b.answer);
    EXPECT_TRUE(b.answer->has_value());
    EXPECT_EQ(b.created, 1);
}

TEST(CreateClaim, after_a_lost_answer_exists_already_is_our_own_doing) {
    CreateBench b;
    b.create();
    b.http.fail_request(b.http.last(), ErrorKind::kUnavailable, "timed out");
    b.loop.advance(seconds{30});
    ASSERT_EQ(b.http.calls.size(), 2u);
    EXPECT_EQ(b.http.call(1).request.body, b.http.call(2).request.body) << "the same name again";
    b.http.answer(b.http.last(), 409, R"({"kind":"Status","code":409,"message":"exists"})");
    b.loop.run_ready();
    ASSERT_TRUE(b.answer);
    EXPECT_TRUE(b.answer->has_value());
    EXPECT_EQ(b.created, 1);
}

TEST(CreateClaim, a_name_taken_at_once_is_somebody_elses) {
    CreateBench b;
    b.create();
    b.http.answer(b.http.last(), 409, R"({"kind":"Status","code":409,"message":"exists"})");
    b.loop.run_ready();
    ASSERT_TRUE(b.answer);
    EXPECT_EQ(b.answer->error().kind, ErrorKind::kConflict);
    EXPECT_EQ(b.created, 0);
}

TEST(CreateClaim, a_refusal_is_final_and_an_outage_has_an_end) {
    CreateBench refused;
    refused.create();
    refused.http.answer(refused.http.last(), 422, R"({"kind":"Status","code":422,"message":"no"})");
    refused.loop.advance(seconds{60});
    ASSERT_TRUE(refused.answer);
    EXPECT_EQ(refused.answer->error().kind, ErrorKind::kInvalid);
    EXPECT_EQ(refused.http.calls.size(), 1u);

    CreateBench away;
    away.http.responder = [](const io::HttpRequest&) {
        return io::HttpResponse{503, "{}", "application/json", 0};
    };
    away.create();
    away.loop.advance(seconds{300});
    ASSERT_TRUE(away.answer);
    EXPECT_EQ(away.answer->error().kind, ErrorKind::kUnavailable);
    EXPECT_LE(away.http.calls.size(), 20u);
    EXPECT_GE(away.http.calls.size(), 5u);
}

}  // namespace
}  // namespace joiner::act
