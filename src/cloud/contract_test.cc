// The provider contract, over every provider and the test's own, and the same again as random histories.
#include "cloud/testing/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "cloud/ec2/testing/ec2_bench.h"
#include "cloud/kwok/kwok_provider.h"
#include "cloud/kwok/types_file.h"
#include "cloud/testing/rack.h"

namespace joiner::cloud {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ContractBench;
using testing::request_for;

class RackBench final : public ContractBench {
  public:
    RackBench() { restart(); }
    io::testing::ManualLoop& loop() override { return loop_; }
    Provider& provider() override { return *provider_; }
    void restart() override { provider_ = std::make_shared<testing::RackProvider>(rack_); }
    LaunchRequest request(const std::string& name, const std::string& uid) override {
        api::NodeClass node_class;
        node_class.group = testing::kRackGroup;
        node_class.kind = testing::kRackKind;
        node_class.meta.name = "default";
        return request_for(name, uid, types_, node_class, loop_.now());
    }
    void record(const LaunchRequest&, const Instance&) override {}
    std::vector<std::string> running() override {
        std::vector<std::string> out;
        for (const testing::RackMachine& machine : rack_.machines()) {
            if (!machine.token.empty()) out.push_back(machine.id);
        }
        return out;
    }
    std::string put_foreign() override {
        return rack_.launch("", "", "", {"rack-4", "rack-a", "spot", ""})->id;
    }
    bool is_running(const std::string& id) override { return rack_.find(id) != nullptr; }
    void sell_out(const LaunchRequest&, const rules::OfferingKey& offering) override {
        rack_.sold_out.insert(offering);
    }
    void lose_next_answer() override { rack_.faults.lose_answers = 1; }
    void throttle_next() override { rack_.faults.throttle = 1; }
    void slow_down(Duration by) override { rack_.faults.slow = by; }
    void let_lists_lag(Duration by) override { rack_.faults.list_lag = by; }
    void mend() override { rack_.faults = {}; }

  private:
    io::testing::ManualLoop loop_;
    testing::Rack rack_{loop_};
    InstanceTypes types_ = std::make_shared<const std::vector<rules::InstanceType>>(testing::rack_types());
    std::shared_ptr<testing::RackProvider> provider_;
};

// The API server is the cloud, and our watch the list of what is there.
class KwokBench final : public ContractBench {
  public:
    KwokBench() { restart(); }
    io::testing::ManualLoop& loop() override { return loop_; }
    Provider& provider() override { return *provider_; }
    void restart() override {
        ++process_;
        provider_ = std::make_shared<kwok::KwokProvider>(loop_, *types_, access());
    }
    LaunchRequest request(const std::string& name, const std::string& uid) override {
        api::NodeClass node_class;
        node_class.group = "karpenter.kwok.sh";
        node_class.kind = "KWOKNodeClass";
        node_class.meta.name = "default";
        node_class.meta.annotations = {{std::string(api::kSoldOutAnnotation), sold_out_}};
        LaunchRequest out = request_for(name, uid, types_, node_class, loop_.now());
        return out;
    }
    void record(const LaunchRequest& request, const Instance& instance) override {
        api::NodeClaim claim = request.claim;
        claim.provider_id = instance.provider_id;
        claims_[instance.provider_id] = claim;
    }
    std::vector<std::string> running() override {
        std::vector<std::string> out;
        for (const auto& [name, node] : nodes_) {
            if (!foreign_.contains(node.provider_id)) out.push_back(node.provider_id);
        }
        return out;
    }
    std::string put_foreign() override {
        api::Node node;
        node.meta.name = fmt::format("kwok-other-{}", foreign_.size());
        node.meta.labels = {{"karpenter.elsewhere.sh/kwoknodeclass", "default"}};
        node.provider_id = "kwok://" + node.meta.name;
        foreign_.insert(node.provider_id);
        nodes_[node.meta.name] = node;
        return node.provider_id;
    }
    bool is_running(const std::string& id) override {
        return nodes_.contains(id.substr(std::string_view("kwok://").size()));
    }
    void sell_out(const LaunchRequest&, const rules::OfferingKey& key) override {
        sold_out_ +=
            fmt::format("{}{}/{}/{}", sold_out_.empty() ? "" : ",", key.type, key.zone, key.capacity_type);
    }
    void lose_next_answer() override { loses_ = 1; }
    void throttle_next() override { throttles_ = 1; }
    void slow_down(Duration by) override { slow_ = by; }
    void mend() override {
        loses_ = throttles_ = 0;
        slow_ = {};
    }

  private:
    kwok::ClusterAccess access() {
        kwok::ClusterAccess out;
        const int process = process_;
        const auto answer = [this, process](std::function<void(Status)> done, Status status) {
            if (loses_ > 0 && loses_-- > 0) return;
            loop_.after(slow_, [this, process, done = std::move(done), status] {
                if (process == process_) done(status);
            });
        };
        out.create_node = [this, answer](const api::Node& node, std::function<void(Status)> done) {
            if (throttles_ > 0 && throttles_-- > 0)
                return answer(std::move(done), fail(ErrorKind::kUnavailable, "too many requests"));
            const bool is_new = nodes_.emplace(node.meta.name, node).second;
            answer(std::move(done), is_new ? Status{} : fail(ErrorKind::kConflict, "it exists"));
        };
        out.delete_node = [this, answer](const std::string& name, std::function<void(Status)> done) {
            const bool was_there = nodes_.erase(name) > 0;
            answer(std::move(done), was_there ? Status{} : fail(ErrorKind::kNotFound, "it is gone"));
        };
        out.nodes = [this] {
            std::vector<api::Node> all;
            for (const auto& [name, node] : nodes_) all.push_back(node);
            return all;
        };
        out.find_node = [this](const std::string& name) -> const api::Node* {
            const auto it = nodes_.find(name);
            return it == nodes_.end() ? nullptr : &it->second;
        };
        out.claim_with_id = [](const std::string&) -> const api::NodeClaim* { return nullptr; };
        out.node_class = [](const api::NodeClassReference&) -> const api::NodeClass* { return nullptr; };
        return out;
    }

    io::testing::ManualLoop loop_;
    static InstanceTypes builtin_types() {
        static const auto kTypes =
            std::make_shared<const std::vector<rules::InstanceType>>(kwok::builtin_types());
        return kTypes;
    }
    InstanceTypes types_ = builtin_types();
    std::map<std::string, api::Node> nodes_;
    std::map<std::string, api::NodeClaim> claims_;
    std::set<std::string> foreign_;
    std::string sold_out_;
    int loses_ = 0, throttles_ = 0, process_ = 0;
    Duration slow_{0};
    std::shared_ptr<kwok::KwokProvider> provider_;
};

struct Bench {
    const char* name;
    std::unique_ptr<ContractBench> (*make)();
};
template <typename T>
std::unique_ptr<ContractBench> make_bench() {
    return std::make_unique<T>();
}
// All claims of a history.
std::unique_ptr<ContractBench> make_ec2_with_shared_fleets() {
    return std::make_unique<ec2::testing::Ec2Bench>(4);
}
const Bench kBenches[] = {{"kwok", make_bench<KwokBench>},
                          {"rack", make_bench<RackBench>},
                          {"ec2", make_bench<ec2::testing::Ec2Bench>},
                          {"ec2_with_shared_fleets", make_ec2_with_shared_fleets}};

class ProviderContract : public ::testing::TestWithParam<Bench> {
  protected:
    std::unique_ptr<ContractBench> bench_ = GetParam().make();
};
INSTANTIATE_TEST_SUITE_P(Providers, ProviderContract, ::testing::ValuesIn(kBenches),
                         [](const auto& bench) { return std::string(bench.param.name); });

TEST_P(ProviderContract, takes_the_first_choice_and_names_it) {
    const LaunchRequest request = bench_->request("a", "uid-a");
    const auto answer = create(*bench_, request);
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_EQ(answer->taken, request.choices.front().key());
    EXPECT_THAT(answer->exhausted, ::testing::IsEmpty());
    const Instance& instance = *answer->instance;
    EXPECT_EQ(instance.labels.at(std::string(api::kInstanceTypeLabel)), answer->taken.type);
    EXPECT_EQ(instance.labels.at(std::string(api::kZoneLabel)), answer->taken.zone);
    EXPECT_EQ(instance.labels.at(std::string(api::kCapacityTypeLabel)), answer->taken.capacity_type);
    EXPECT_EQ(instance.node_class, request.claim.node_class);
    EXPECT_EQ(instance.claim_name, "a");
    EXPECT_GT(instance.capacity.cpu_milli, 0);
    EXPECT_GT(instance.allocatable.cpu_milli, 0);
}

TEST_P(ProviderContract, a_second_create_finds_the_first_ones_instance) {
    const LaunchRequest request = bench_->request("a", "uid-a");
    const auto first = create(*bench_, request);
    const auto second = create(*bench_, request);
    ASSERT_TRUE(first && first->instance && second && second->instance);
    EXPECT_EQ(second->instance->provider_id, first->instance->provider_id);
    EXPECT_EQ(bench_->running().size(), 1u);
}

TEST_P(ProviderContract, a_claim_of_the_same_name_and_another_uid_is_another) {
    const auto first = create(*bench_, bench_->request("a", "uid-a"));
    const auto second = create(*bench_, bench_->request("a", "uid-b"));
    ASSERT_TRUE(first && first->instance && second && second->instance);
    EXPECT_NE(second->instance->provider_id, first->instance->provider_id);
    EXPECT_EQ(bench_->running().size(), 2u);
}

TEST_P(ProviderContract, a_crash_between_create_and_its_answer_leaves_one_instance) {
    const LaunchRequest request = bench_->request("a", "uid-a");
    bench_->lose_next_answer();
    EXPECT_FALSE(create(*bench_, request, seconds{10}));
    bench_->restart();
    bench_->mend();
    const auto answer = create(*bench_, request);
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_THAT(bench_->running(), ::testing::ElementsAre(answer->instance->provider_id));
}

TEST_P(ProviderContract, what_is_sold_out_is_said_and_the_next_choice_taken) {
    const LaunchRequest all = bench_->request("a", "uid-a");
    const std::vector<rules::OfferingKey> gone = {all.choices[0].key(), all.choices[1].key()};
    for (const rules::OfferingKey& key : gone) bench_->sell_out(all, key);
    const LaunchRequest request = bench_->request("a", "uid-a");
    const auto answer = create(*bench_, request);
    ASSERT_TRUE(answer && answer->instance);
    EXPECT_EQ(answer->exhausted, gone);
    EXPECT_EQ(answer->taken, request.choices[2].key());
}

TEST_P(ProviderContract, where_all_is_sold_out_nothing_is_made) {
    const LaunchRequest all = bench_->request("a", "uid-a");
    for (const LaunchChoice& choice : all.choices) bench_->sell_out(all, choice.key());
    const auto answer = create(*bench_, bench_->request("a", "uid-a"));
    ASSERT_TRUE(answer);
    ASSERT_FALSE(answer->instance);
    EXPECT_EQ(answer->instance.error().kind, ErrorKind::kExhausted);
    EXPECT_EQ(answer->exhausted.size(), all.choices.size());
    EXPECT_THAT(bench_->running(), ::testing::IsEmpty());
}

TEST_P(ProviderContract, what_was_removed_is_gone_for_good_and_may_be_removed_again) {
    const auto made = create(*bench_, bench_->request("a", "uid-a"));
    ASSERT_TRUE(made && made->instance);
    const std::string id = made->instance->provider_id;
    bool is_gone = false;
    for (int i = 0; i < 10 && !is_gone; ++i) {
        const auto removed = remove(*bench_, id);
        ASSERT_TRUE(removed);
        is_gone = !*removed && removed->error().kind == ErrorKind::kNotFound;
        ASSERT_TRUE(is_gone || *removed) << removed->error().message;
        bench_->loop().advance(seconds{10});
    }
    EXPECT_TRUE(is_gone);
    const auto got = get(*bench_, id);
    ASSERT_TRUE(got && !*got);
    EXPECT_EQ(got->error().kind, ErrorKind::kNotFound);
    EXPECT_THAT(bench_->running(), ::testing::IsEmpty());
}

TEST_P(ProviderContract, an_id_of_another_cloud_is_invalid_and_never_gone) {
    const auto got = get(*bench_, "elsewhere:///i-1");
    ASSERT_TRUE(got && !*got);
    EXPECT_EQ(got->error().kind, ErrorKind::kInvalid);
    const auto removed = remove(*bench_, "elsewhere:///i-1");
    ASSERT_TRUE(removed && !*removed);
    EXPECT_EQ(removed->error().kind, ErrorKind::kInvalid);
}

TEST_P(ProviderContract, a_list_names_our_instances_and_no_others) {
    const std::string foreign = bench_->put_foreign();
    std::set<std::string> ours;
    for (const char* name : {"a", "b", "c"}) {
        const auto made = create(*bench_, bench_->request(name, std::string("uid-") + name));
        ASSERT_TRUE(made && made->instance);
        ours.insert(made->instance->provider_id);
    }
    const auto listed = list(*bench_);
    ASSERT_TRUE(listed && *listed);
    std::set<std::string> seen;
    for (const Instance& instance : **listed) {
        seen.insert(instance.provider_id);
        EXPECT_FALSE(instance.claim_name.empty());
    }
    EXPECT_EQ(seen, ours);
    EXPECT_TRUE(bench_->is_running(foreign));
}

TEST_P(ProviderContract, a_request_that_is_turned_away_says_so_and_may_be_repeated) {
    bench_->throttle_next();
    const LaunchRequest request = bench_->request("a", "uid-a");
    const auto first = create(*bench_, request);
    ASSERT_TRUE(first && !first->instance);
    EXPECT_THAT(first->instance.error().kind,
                ::testing::AnyOf(ErrorKind::kThrottled, ErrorKind::kUnavailable));
    EXPECT_THAT(first->exhausted, ::testing::IsEmpty()) << "being turned away is no stock-out";
    const auto second = create(*bench_, request);
    ASSERT_TRUE(second && second->instance);
    EXPECT_EQ(bench_->running().size(), 1u);
}

TEST_P(ProviderContract, answers_never_come_from_inside_the_call) {
    const LaunchRequest request = bench_->request("a", "uid-a");
    int answers = 0;
    bench_->provider().create(request, [&](const LaunchAnswer&) { ++answers; });
    bench_->provider().get("elsewhere:///i-1", [&](const Result<Instance>&) { ++answers; });
    bench_->provider().remove("elsewhere:///i-1", [&](const Status&) { ++answers; });
    bench_->provider().list([&](const Result<std::vector<Instance>>&) { ++answers; });
    EXPECT_EQ(answers, 0);
    bench_->loop().advance(minutes{1});
    EXPECT_EQ(answers, 4);
}

// A history of launches, ends, crashes, stock-outs and faults. Whatever happened: each claim that was asked
// for has one instance in the end, what was removed is gone, and what is others' stands.
TEST_P(ProviderContract, in_any_history_a_claim_has_one_instance) {
    constexpr std::uint64_t kSeeds = 1000;
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        Rng rng(seed);
        const std::unique_ptr<ContractBench> bench = GetParam().make();
        const std::string foreign = bench->put_foreign();
        std::set<int> wanted;
        std::set<int> ended;  // Asked to be, and to end.
        const auto request = [&](int claim) {
            return bench->request(fmt::format("c{}", claim), fmt::format("uid-{}", claim));
        };
        for (int step = 0; step < 25; ++step) {
            const int claim = static_cast<int>(rng.below(4));
            switch (rng.below(9)) {
                case 0:
                    bench->lose_next_answer();
                    break;
                case 1:
                    bench->throttle_next();
                    break;
                case 2:
                    bench->slow_down(seconds{rng.below(20)});
                    break;
                case 3:
                    bench->let_lists_lag(seconds{rng.below(60)});
                    break;
                case 4:
                    bench->restart();
                    break;
                case 5:
                    // Something must be left to buy.
                    if (const auto all = request(claim); rng.below(3) == 0)
                        bench->sell_out(all, all.choices[rng.below(all.choices.size() - 1)].key());
                    break;
                case 6:
                    wanted.erase(claim);
                    ended.insert(claim);
                    if (const auto made = create(*bench, request(claim), seconds{30}); made && made->instance)
                        (void)remove(*bench, made->instance->provider_id);
                    break;
                default:
                    if (ended.contains(claim)) break;
                    wanted.insert(claim);
                    // Whoever asks does not always wait for the answer.
                    (void)create(*bench, request(claim), seconds{rng.below(30)});
            }
        }
        bench->mend();
        bench->loop().advance(minutes{2});
        std::set<std::string> ids;
        for (const int claim : wanted) {
            const auto answer = create(*bench, request(claim));
            ASSERT_TRUE(answer && answer->instance) << answer->instance.error().message;
            ids.insert(answer->instance->provider_id);
        }
        EXPECT_EQ(ids.size(), wanted.size());
        const auto listed = list(*bench);
        ASSERT_TRUE(listed && *listed);
        std::size_t of_groups = 0;
        for (const Instance& instance : **listed) {
            if (ids.contains(instance.provider_id)) continue;
            if (instance.claim_name.empty()) {
                EXPECT_FALSE(instance.launch_group.empty()) << instance.provider_id;
                ++of_groups;
            } else {
                EXPECT_TRUE(ended.contains(std::stoi(instance.claim_name.substr(1))))
                    << instance.provider_id << " of " << instance.claim_name;
            }
            (void)remove(*bench, instance.provider_id);
        }
        EXPECT_LE(of_groups, ended.size());
        const std::vector<std::string> running = bench->running();
        EXPECT_EQ(std::set<std::string>(running.begin(), running.end()), ids);
        EXPECT_TRUE(bench->is_running(foreign));
        if (HasFailure()) return;
    }
}

}  // namespace
}  // namespace joiner::cloud
