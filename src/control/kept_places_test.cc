#include "control/kept_places.h"

#include <gtest/gtest.h>

#include "control/moves.h"

namespace joiner::control {
namespace {

using Stage = KeptPlaces::Stage;

const WallTime kNow = parse_rfc3339("2027-03-10T12:00:00Z").value();

std::shared_ptr<const rules::PodShape> shape_of(std::int64_t cpu_milli) {
    auto out = std::make_shared<rules::PodShape>();
    out->requests.cpu_milli = cpu_milli;
    return out;
}

// Command 1 keeps a place for a web pod on the node of claim "new".
struct Bench {
    KeptPlaces places;
    model::Cluster cluster{rules::PreferencePolicy::kRespect};
    std::shared_ptr<const rules::PodShape> half = shape_of(500);

    Bench() {
        KeptPlaces::Kept kept;
        const model::PodState moved = web("moved");
        kept.places = {{{kin_of(moved), half, moved.labels, moved.id}, "new"}};
        kept.whole["new"].cpu_milli = 500;
        places.keep(1, std::move(kept));
    }
    static model::PodState pod(const std::string& app, const std::string& name,
                               std::shared_ptr<const rules::PodShape> shape) {
        model::PodState out({"ns", name, name});
        out.labels = std::make_shared<const rules::PodLabels>(rules::PodLabels{"ns", {{"app", app}}});
        out.shape = std::move(shape);
        return out;
    }
    model::PodState web(const std::string& name) const { return pod("web", name, half); }
    std::int64_t reserved(KeptPlaces::For asker = KeptPlaces::For::kProvisioning) const {
        const model::ReservedRoom& all = places.reserved(asker);
        const auto it = all.find("new");
        return it == all.end() ? 0 : it->second.cpu_milli;
    }
};

TEST(KeptPlaces, a_place_is_taken_once_by_a_pod_like_the_one_that_moved) {
    Bench b;
    EXPECT_EQ(b.places.take(b.web("early"), b.cluster, kNow), "") << "its node has not been let go of";
    b.places.of(1).stage = Stage::kOpen;
    EXPECT_EQ(b.places.take(Bench::pod("db", "other", b.half), b.cluster, kNow), "");
    EXPECT_EQ(b.places.take(Bench::pod("web", "larger", shape_of(1000)), b.cluster, kNow), "");
    EXPECT_TRUE(b.places.awaits(1, b.web("first")));
    EXPECT_EQ(b.places.take(b.web("first"), b.cluster, kNow), "new");
    EXPECT_EQ(b.places.of(1).taken_at, kNow);
    EXPECT_EQ(b.places.take(b.web("second"), b.cluster, kNow), "");
    EXPECT_FALSE(b.places.awaits(1, b.web("second")));
}

TEST(KeptPlaces, what_is_reserved_is_all_until_pods_come_and_then_what_they_have_not_taken) {
    Bench b;
    EXPECT_EQ(b.reserved(), 500);
    b.places.of(1).stage = Stage::kOpen;
    EXPECT_EQ(b.reserved(), 500);
    b.places.take(b.web("first"), b.cluster, kNow);
    EXPECT_EQ(b.reserved(), 0) << "the pod asks for it itself";
    EXPECT_EQ(b.places.claimed()["new"].cpu_milli, 500) << "it is on its way";
    b.places.give_up(1);
    EXPECT_TRUE(b.places.claimed().empty());
}

TEST(KeptPlaces, what_the_scheduler_places_is_kept_from_further_moves_alone_until_it_has_a_node) {
    using For = KeptPlaces::For;
    Bench b;
    b.places.of(1).binds = false;
    EXPECT_EQ(b.reserved(), 500);
    b.places.of(1).stage = Stage::kOpen;
    EXPECT_EQ(b.reserved(), 0) << "it asks for a place itself";
    EXPECT_TRUE(b.places.expected(For::kProvisioning).empty());
    EXPECT_EQ(b.places.take(b.web("first"), b.cluster, kNow), "");
    EXPECT_EQ(b.reserved(For::kMoves), 500);
    ASSERT_EQ(b.places.expected(For::kMoves).size(), 1u);
    EXPECT_EQ(b.places.expected(For::kMoves)[0].place, "new");
    EXPECT_EQ(b.places.expected(For::kMoves)[0].moved.name(), "moved");
    const model::PodState other = Bench::pod("db", "other", b.half);
    b.places.note_bound(other, kin_of(other), b.cluster);
    EXPECT_EQ(b.reserved(For::kMoves), 500);
    b.places.note_bound(b.web("first"), kin_of(b.web("first")), b.cluster);
    EXPECT_EQ(b.reserved(For::kMoves), 0);
    EXPECT_TRUE(b.places.expected(For::kMoves).empty());
}

TEST(KeptPlaces, of_places_for_pods_alike_that_of_one_that_has_gone_is_given_first) {
    Bench b;
    api::Pod stays;
    stays.meta.name = stays.meta.uid = "moved";
    stays.meta.ns = "ns";
    stays.spec.node_name = "from";
    b.cluster.upsert(stays);
    const model::PodState gone = b.web("gone");
    b.places.of(1).places.push_back({{kin_of(gone), b.half, gone.labels, gone.id}, "another"});
    b.places.of(1).stage = Stage::kOpen;
    EXPECT_EQ(b.places.take(b.web("first"), b.cluster, kNow), "another");
    EXPECT_EQ(b.places.take(b.web("second"), b.cluster, kNow), "new");
}

TEST(KeptPlaces, a_node_is_kept_closed_while_it_is_closed_for_them_and_until_all_have_come) {
    Bench b;
    EXPECT_FALSE(b.places.keeps_closed("new"));
    b.places.of(1).stage = Stage::kClosing;
    EXPECT_TRUE(b.places.keeps_closed("new"));
    EXPECT_FALSE(b.places.keeps_closed("another"));
    b.places.of(1).stage = Stage::kOpen;
    b.places.take(b.web("first"), b.cluster, kNow);
    EXPECT_FALSE(b.places.keeps_closed("new"));
}

}  // namespace
}  // namespace joiner::control
