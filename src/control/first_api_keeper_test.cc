#include "control/first_api_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "act/testing/services_bench.h"
#include "api/codec.h"
#include "api/names.h"
#include "cloud/testing/no_provider.h"

namespace joiner::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const api::NodeClassReference kGeneral{"karpenter.k8s.aws", "EC2NodeClass", "general"};

struct Ec2LikeProvider final : cloud::testing::NoProvider {
    std::vector<cloud::NodeClassResource> node_class_resources() const override {
        return {{"karpenter.k8s.aws", "v1", "ec2nodeclasses", "EC2NodeClass"}};
    }
};

struct KeeperBench : act::ServicesBench<Ec2LikeProvider> {
    FirstApiKeeper keeper{services};

    KeeperBench() {
        http.responder = [](const io::HttpRequest&) { return io::HttpResponse{200, "{}", "", 0}; };
    }
    // Made of an AWSNodeTemplate that is not in sight.
    void made_class() {
        api::NodeClass made;
        made.group = kGeneral.group;
        made.kind = kGeneral.kind;
        made.meta.name = kGeneral.name;
        made.meta.uid = "u";
        made.meta.annotations[std::string(api::kMadeFromAnnotation)] = "AWSNodeTemplate/general";
        cluster.upsert(std::move(made));
    }
    std::vector<std::string> writes() {
        const std::size_t before = http.calls.size();
        keeper.reconcile();
        loop.run_ready();
        std::vector<std::string> out;
        for (std::size_t i = before; i < http.calls.size(); ++i)
            out.push_back(http.calls[i].request.method + " " + http.calls[i].request.target);
        return out;
    }
};

TEST(FirstApiKeeper, a_class_without_its_source_goes_once_no_claim_is_left) {
    KeeperBench b;
    b.made_class();
    api::NodeClaim claim;
    claim.meta.name = "a";
    claim.node_class = kGeneral;
    b.cluster.upsert(std::move(claim));
    EXPECT_THAT(b.writes(), IsEmpty());
    b.cluster.remove(model::Kind::kNodeClaim, "", "a");
    EXPECT_THAT(b.writes(), ElementsAre("DELETE /apis/karpenter.k8s.aws/v1/ec2nodeclasses/general"));
}

TEST(FirstApiKeeper, a_class_that_a_node_pool_refers_to_is_handed_over_and_stays) {
    KeeperBench b;
    b.made_class();
    api::NodePool pool;
    pool.meta.name = "early";
    pool.node_template.node_class = kGeneral;
    b.cluster.upsert(std::move(pool));
    EXPECT_THAT(b.writes(), ElementsAre("PATCH /apis/karpenter.k8s.aws/v1/ec2nodeclasses/general"));
}

}  // namespace
}  // namespace joiner::control
