#include "rules/requirement.h"

#include <gtest/gtest.h>

namespace joiner::rules {
namespace {

Requirement make(const char* op, std::vector<std::string> values) {
    return Requirement::make({"k", op, std::move(values), {}}).value();
}

TEST(Requirement, intersections) {
    struct Case {
        Requirement a, b;
        const char* expected;
    };
    const Case cases[] = {
        {make("In", {"a", "b"}), make("In", {"b", "c"}), "k In [b]"},
        {make("In", {"a"}), make("In", {"b"}), "k In []"},
        {make("In", {"", "a"}), make("In", {""}), "k In [\"\"]"},
        {make("In", {"a", "b"}), make("NotIn", {"b"}), "k In [a]"},
        {make("NotIn", {"a"}), make("NotIn", {"b"}), "k NotIn [a b]"},
        {make("Exists", {}), make("In", {"a"}), "k In [a]"},
        {make("Exists", {}), make("NotIn", {"a"}), "k Exists NotIn [a]"},
        {make("DoesNotExist", {}), make("Exists", {}), "k In []"},
        {make("DoesNotExist", {}), make("NotIn", {"a"}), "k DoesNotExist"},
        {make("DoesNotExist", {}), make("In", {"a"}), "k In []"},
        {make("Gt", {"1"}), make("NotIn", {"a"}), "k NotIn [a] >= 2"},
        {make("Gt", {"1"}), make("DoesNotExist", {}), "k In []"},
        {make("Gt", {"1"}), make("Lt", {"5"}), "k >= 2 <= 4"},
        {make("Gte", {"1"}), make("Lte", {"5"}), "k >= 1 <= 5"},
        {make("Gt", {"4"}), make("Lt", {"5"}), "k In []"},
        {make("Gt", {"1"}), make("In", {"1", "2", "x"}), "k In [2]"},
        {make("Gt", {"9223372036854775807"}), make("Exists", {}), "k In []"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(intersect(c.a, c.b).to_string(), c.expected);
        EXPECT_EQ(intersect(c.b, c.a).to_string(), c.expected);
        EXPECT_EQ(c.a.overlaps(c.b), !intersect(c.a, c.b).is_empty())
            << c.a.to_string() << " / " << c.b.to_string();
        std::vector<api::SelectorRequirement> written;
        intersect(c.a, c.b).append_to(written);
        const auto read = make_requirements(written);
        ASSERT_TRUE(read) << c.expected;
        EXPECT_EQ(*read->find("k"), intersect(c.a, c.b)) << "written and read again";
    }
}

TEST(Requirements, copies_share_one_list_until_one_of_them_changes) {
    const Requirements a = make_requirements({{"k", "In", {"a", "b"}, {}}, {"l", "Exists", {}, {}}}).value();
    const Requirements same = a;
    EXPECT_EQ(same.begin(), a.begin());
    Requirements all;
    all.add_all(a);
    EXPECT_EQ(all.begin(), a.begin());
    using Change = void (*)(Requirements&);
    const Change changes[] = {
        [](Requirements& r) { r.add(make("In", {"b"})); },
        [](Requirements& r) { r.add_labels({{"m", "x"}}); },
        [](Requirements& r) { r.replace(make("NotIn", {"a"})); },
        [](Requirements& r) { r.remove("k"); },
    };
    for (const Change change : changes) {
        Requirements other = a;
        change(other);
        EXPECT_NE(other, a) << other.to_string();
        EXPECT_EQ(a, same);
        EXPECT_EQ(a.to_string(), "k In [a b], l Exists");
    }
    EXPECT_EQ(make_requirements({{"k", "In", {"a", "b"}, {}}, {"l", "Exists", {}, {}}}).value(), a)
        << "lists that are alike are equal, shared or not";
    EXPECT_EQ(Requirements{}, make_requirements({}).value());
}

TEST(Requirement, allows_values_within_its_bounds_only) {
    const Requirement r = intersect(make("Gt", {"4"}), make("NotIn", {"6"}));
    EXPECT_TRUE(r.allows("5"));
    EXPECT_FALSE(r.allows("4"));
    EXPECT_FALSE(r.allows("6"));
    EXPECT_FALSE(r.allows("large"));
    EXPECT_EQ(r.any_value(), "5");
    std::vector<api::SelectorRequirement> out;
    r.append_to(out);
    EXPECT_EQ(make_requirements(out)->find("k")->to_string(), r.to_string());
}

TEST(Requirement, wrong_forms_are_refused) {
    for (const char* op : {"Gt", "Lt", "Gte", "Lte"}) {
        EXPECT_FALSE(Requirement::make({"k", op, {}, {}}));
        EXPECT_FALSE(Requirement::make({"k", op, {"a"}, {}}));
        EXPECT_FALSE(Requirement::make({"k", op, {"1", "2"}, {}}));
    }
    EXPECT_FALSE(Requirement::make({"k", "in", {"a"}, {}}));
}

TEST(Requirements, undefined_keys_are_forgiven_only_where_well_known) {
    Requirements offered;
    offered.add(Requirement::in("kubernetes.io/arch", {"amd64"}));
    const WellKnownLabels well_known;
    const auto wants = [](const char* key, const char* op, std::vector<std::string> values) {
        return *make_requirements({{key, op, std::move(values), {}}});
    };
    EXPECT_TRUE(compatible(offered, wants("topology.kubernetes.io/zone", "In", {"a"}), &well_known));
    EXPECT_FALSE(compatible(offered, wants("topology.kubernetes.io/zone", "In", {"a"}), nullptr));
    EXPECT_FALSE(compatible(offered, wants("team", "In", {"a"}), &well_known));
    EXPECT_FALSE(compatible(offered, wants("team", "Exists", {}), &well_known));
    EXPECT_TRUE(compatible(offered, wants("team", "NotIn", {"a"}), &well_known));
    EXPECT_TRUE(compatible(offered, wants("team", "DoesNotExist", {}), nullptr));
    EXPECT_FALSE(compatible(offered, wants("kubernetes.io/arch", "DoesNotExist", {}), &well_known));
    EXPECT_FALSE(compatible(offered, wants("beta.kubernetes.io/arch", "In", {"arm64"}), &well_known));
}

// What the scheduler says of a node with the label, of one with another value, and of one without it.
TEST(Requirement, who_lacks_the_label_meets_it_only_where_nothing_asks_for_one) {
    struct Case {
        std::vector<std::pair<const char*, std::vector<std::string>>> all;
        bool red, five, none;
    };
    const Case cases[] = {
        {{{"In", {"red"}}}, true, false, false},
        {{{"NotIn", {"red"}}}, false, true, true},
        {{{"Exists", {}}}, true, true, false},
        {{{"DoesNotExist", {}}}, false, false, true},
        {{{"Gt", {"4"}}}, false, true, false},
        {{{"Lt", {"4"}}}, false, false, false},
        {{{"Gte", {"+5"}}}, false, true, false},
        {{{"Exists", {}}, {"NotIn", {"red"}}}, false, true, false},
        {{{"NotIn", {"red"}}, {"Exists", {}}}, false, true, false},
        {{{"NotIn", {"red"}}, {"Gt", {"4"}}}, false, true, false},
        {{{"NotIn", {"5"}}, {"Gt", {"4"}}, {"Lt", {"9"}}}, false, false, false},
        {{{"NotIn", {"red"}}, {"NotIn", {"5"}}}, false, false, true},
        {{{"NotIn", {"red"}}, {"DoesNotExist", {}}}, false, false, true},
        {{{"Exists", {}}, {"DoesNotExist", {}}}, false, false, false},
        {{{"In", {"red"}}, {"In", {"blue"}}}, false, false, false},
        {{{"In", {"red"}}, {"NotIn", {"red"}}}, false, false, false},
    };
    for (const Case& c : cases) {
        Requirements wanted;
        for (const auto& [op, values] : c.all) wanted.add(make(op, values));
        const auto is_met = [&](const api::StringMap& labels) {
            Requirements node;
            node.add_labels(labels);
            EXPECT_EQ(admits_node(node, "n", wanted), compatible(node, wanted, nullptr));
            return admits_node(node, "n", wanted);
        };
        EXPECT_EQ(is_met({{"k", "red"}}), c.red) << wanted.to_string();
        EXPECT_EQ(is_met({{"k", "5"}}), c.five) << wanted.to_string();
        EXPECT_EQ(is_met({}), c.none) << wanted.to_string();
    }
}

TEST(Requirement, no_value_is_made_up_where_none_has_to_be_there) {
    EXPECT_EQ(make("NotIn", {"red"}).any_value(), "");
    EXPECT_EQ(make("DoesNotExist", {}).any_value(), "");
    EXPECT_EQ(make("Exists", {}).any_value(), "0");
    EXPECT_EQ(intersect(make("Exists", {}), make("NotIn", {"0"})).any_value(), "1");
    EXPECT_EQ(intersect(intersect(make("Gt", {"4"}), make("Lt", {"6"})), make("NotIn", {"5"})).any_value(),
              "");
}

TEST(Requirement, min_values_stay_with_a_requirement_of_two_operators) {
    const Requirements both = *make_requirements({{"k", "Exists", {}, 2}, {"k", "NotIn", {"red"}, {}}});
    EXPECT_EQ(*make_requirements(both.to_api()), both);
    EXPECT_EQ(both.find("k")->min_values(), 2);
}

TEST(Requirements, nodes_are_known_by_name_to_who_asks_by_field) {
    api::PodSpec spec;
    const auto admits = [&](const char* op, const char* value, std::string_view name) {
        spec.required_node_terms = {{{}, {{"metadata.name", op, {value}, {}}}}};
        return admits_node({}, name, pod_requirements(spec, 0).value());
    };
    EXPECT_TRUE(admits("In", "n1", "n1"));
    EXPECT_FALSE(admits("In", "n1", "n2"));
    EXPECT_FALSE(admits("NotIn", "n1", "n1"));
    EXPECT_TRUE(admits("NotIn", "n1", "n2"));
    EXPECT_FALSE(admits("In", "n1", "")) << "a claim has no node yet";
    EXPECT_TRUE(admits("NotIn", "n1", ""));
    for (const api::SelectorRequirement& wrong :
         {api::SelectorRequirement{"metadata.name", "Exists", {}, {}},
          api::SelectorRequirement{"metadata.name", "In", {"a", "b"}, {}},
          api::SelectorRequirement{"spec.podCIDR", "In", {"a"}, {}}}) {
        spec.required_node_terms = {{{}, {wrong}}};
        EXPECT_FALSE(pod_requirements(spec, 0)) << wrong.op;
    }
    spec.required_node_terms = {{}};
    EXPECT_FALSE(pod_requirements(spec, 0)) << "an empty term matches no node";
}

TEST(Requirements, the_zone_of_a_csi_driver_is_the_zone) {
    EXPECT_EQ(normalize_label("topology.ebs.csi.aws.com/zone"), "topology.kubernetes.io/zone");
}

}  // namespace
}  // namespace joiner::rules
