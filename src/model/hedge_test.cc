#include "model/hedge.h"

#include <gtest/gtest.h>

namespace joiner::model {
namespace {

api::NodeClaim named(const std::string& name, const api::StringMap& annotations, bool is_deleted = false) {
    api::NodeClaim out;
    out.meta.name = name;
    out.meta.uid = name;
    out.meta.annotations = annotations;
    if (is_deleted) out.meta.deleted = parse_rfc3339("2027-03-10T12:00:00Z").value();
    return out;
}

TEST(Hedge, stands_by_while_the_other_claim_is_there_and_knows_of_it) {
    const std::string of(kHedgeOfAnnotation);
    const std::string by(kHedgedByAnnotation);
    const struct {
        const char* what;
        api::NodeClaim other;
        api::StringMap annotations;
        bool stands_by;
    } cases[] = {
        {"no hedge", named("first", {}), {}, false},
        {"its hedge", named("first", {{by, "second"}}), {{of, "first"}}, true},
        {"the other goes", named("first", {{by, "second"}}, true), {{of, "first"}}, false},
        {"the other is gone", named("third", {{by, "second"}}), {{of, "first"}}, false},
        {"the other knows of another", named("first", {{by, "third"}}), {{of, "first"}}, false},
        {"the other knows of none", named("first", {}), {{of, "first"}}, false},
    };
    for (const auto& c : cases) {
        Cluster cluster(rules::PreferencePolicy::kRespect);
        cluster.upsert(c.other);
        const api::NodeClaim second = named("second", c.annotations);
        cluster.upsert(second);
        EXPECT_EQ(stands_by(cluster, second), c.stands_by) << c.what;
        EXPECT_FALSE(stands_by(cluster, c.other)) << c.what;
    }
}

}  // namespace
}  // namespace joiner::model
