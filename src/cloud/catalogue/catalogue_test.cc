#include "cloud/catalogue/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cloud/catalogue/price_tables.h"
#include "cloud/kwok/aws_catalogue.h"

namespace joiner::cloud::catalogue {
namespace {

constexpr std::int64_t kMi = 1 << 20;

const rules::InstanceType* find_type(const rules::InstanceTypes& types, std::string_view name) {
    const auto it = std::find_if(types->begin(), types->end(), [&](const auto& t) { return t.name == name; });
    return it == types->end() ? nullptr : &*it;
}

struct PriceCase {
    const char* type;
    const char* region;
    double dollars;
};

void expect_prices(Cloud cloud, const std::vector<PriceCase>& cases, double tolerance) {
    for (const PriceCase& c : cases) {
        const auto price = built_in().price_of(cloud, c.type, c.region, "on-demand");
        ASSERT_TRUE(price.has_value()) << c.type;
        EXPECT_NEAR(price->per_hour.dollars() / c.dollars, 1, tolerance) << c.type << " in " << c.region;
    }
}

// The figures are those of apache-libcloud 3.9.1, which the table was not made from.
TEST(AzurePrices, are_those_of_a_second_source) {
    expect_prices(
        Cloud::kAzure,
        {{"Standard_D2s_v3", "eastus", 0.096},         {"Standard_D4s_v3", "westeurope", 0.24},
         {"Standard_D8s_v3", "japaneast", 0.516},      {"Standard_E4s_v3", "uksouth", 0.312},
         {"Standard_F8s_v2", "westus2", 0.338},        {"Standard_B2ms", "brazilsouth", 0.134},
         {"Standard_D2_v2", "northeurope", 0.132},     {"Standard_DS3_v2", "centralindia", 0.337},
         {"Standard_NC6s_v3", "australiaeast", 4.234}, {"Standard_L8s_v2", "eastus", 0.624},
         {"Standard_D4as_v4", "eastus", 0.192},        {"Standard_E8s_v4", "westeurope", 0.608},
         {"Standard_D16d_v4", "japaneast", 1.168},     {"Standard_NC4as_T4_v3", "westus2", 0.526},
         {"Standard_E16as_v4", "westus2", 1.008},      {"Standard_D64s_v4", "brazilsouth", 4.896},
         {"Standard_B4ms", "northeurope", 0.182},      {"Standard_F4s_v2", "centralindia", 0.17},
         {"Standard_D2ds_v4", "australiaeast", 0.142}, {"Standard_DS14_v2", "francecentral", 1.874}},
        1e-6);
}

// The figures are those of Google's price list as another package than the table's source had it in April
// 2025.
TEST(GooglePrices, are_those_of_a_second_source) {
    expect_prices(Cloud::kGoogle,
                  {{"e2-medium", "us-central1", 0.03350571},
                   {"e2-standard-4", "asia-northeast3", 0.17193144},
                   {"e2-highmem-8", "australia-southeast1", 0.51305088},
                   {"n1-standard-4", "europe-west3", 0.24479},
                   {"n1-highcpu-16", "europe-north1", 0.6240576},
                   {"n2-standard-8", "us-central1", 0.388472},
                   {"n2-standard-8", "europe-west3", 0.500496},
                   {"n2d-standard-8", "us-west2", 0.405936},
                   {"c2-standard-16", "europe-north1", 0.919552}},
                  2e-3);
}

// The figures are those of apache-libcloud 3.9.1; of us-east-1 the table was not made from it.
TEST(AwsPrices, are_those_of_a_second_source) {
    expect_prices(Cloud::kAws,
                  {{"m5.large", "us-east-1", 0.096},      {"c5.xlarge", "us-east-1", 0.17},
                   {"r5.2xlarge", "us-east-1", 0.504},    {"c6g.large", "us-east-1", 0.068},
                   {"i3.large", "us-east-1", 0.156},      {"g4dn.xlarge", "us-east-1", 0.526},
                   {"m7i.large", "us-east-1", 0.1008},    {"t3a.small", "us-east-1", 0.0188},
                   {"c5a.large", "us-east-1", 0.077},     {"m5a.xlarge", "us-east-1", 0.172},
                   {"r5d.large", "us-east-1", 0.144},     {"x1.16xlarge", "us-east-1", 6.669},
                   {"g5.xlarge", "us-east-1", 1.006},     {"c6a.large", "us-east-1", 0.0765},
                   {"m5.large", "eu-central-1", 0.115},   {"c5.xlarge", "eu-central-1", 0.194},
                   {"t3.medium", "eu-central-1", 0.048},  {"m6g.xlarge", "eu-central-1", 0.184},
                   {"m5a.xlarge", "eu-central-1", 0.208}, {"m7i.large", "eu-central-1", 0.12075}},
                  2e-3);
}

TEST(Catalogue, has_a_price_and_facts_of_every_type_of_its_tables) {
    for (const MachineTable* table : {&azure_table(), &google_table()}) {
        std::set<std::string> names;
        for (const MachineRow& row : table->rows) {
            EXPECT_TRUE(names.insert(row.name).second) << row.name;
            EXPECT_GT(row.cpu, 0) << row.name;
            EXPECT_GT(row.memory_mib, 0) << row.name;
            EXPECT_TRUE(row.arch == "amd64" || row.arch == "arm64") << row.name;
            EXPECT_EQ(row.prices.size(), table->regions.size()) << row.name;
            EXPECT_TRUE(std::any_of(row.prices.begin(), row.prices.end(), [](auto p) { return p > 0; }))
                << row.name;
            EXPECT_FALSE(row.gpu_count > 0 && row.gpu_maker.empty()) << row.name;
        }
        for (const std::string& region : table->regions) EXPECT_TRUE(table->zones.contains(region)) << region;
    }
    EXPECT_EQ(azure_table().rows.size(), 1302u);
    EXPECT_EQ(azure_table().regions.size(), 57u);
    EXPECT_EQ(google_table().rows.size(), 104u);
    EXPECT_EQ(google_table().regions.size(), 22u);
    EXPECT_EQ(aws_regions().regions.size(), 33u);
    EXPECT_EQ(built_in().dated(Cloud::kAzure), "Azure retail prices of 2026-06-18");
    EXPECT_EQ(built_in().dated(Cloud::kGoogle), "Google Cloud list prices of 2025-03-02");
    EXPECT_EQ(built_in().dated(Cloud::kAws), "AWS on-demand prices of 2026-07-20");
}

TEST(Catalogue, gives_types_that_say_something_of_every_label) {
    const std::pair<Cloud, const char*> questions[] = {{Cloud::kAzure, "westeurope"},
                                                       {Cloud::kAzure, "westus"},
                                                       {Cloud::kGoogle, "europe-west4"},
                                                       {Cloud::kAws, "us-east-1"},
                                                       {Cloud::kAws, "eu-west-1"}};
    for (const auto& [cloud, region] : questions) {
        const rules::InstanceTypes types = built_in().types_of(cloud, region);
        EXPECT_GT(types->size(), cloud == Cloud::kGoogle ? 100u : 250u) << region;
        EXPECT_EQ(types, built_in().types_of(cloud, region)) << "made once";
        EXPECT_TRUE(std::is_sorted(types->begin(), types->end(),
                                   [](const auto& a, const auto& b) { return a.name < b.name; }));
        for (const rules::InstanceType& type : *types) {
            EXPECT_EQ(type.requirements.size(), types->front().requirements.size()) << type.name;
            EXPECT_FALSE(type.offerings.empty()) << type.name;
            EXPECT_LE(type.offerings.size(), 64u) << type.name;
            EXPECT_GE(type.allocatable().cpu_milli, 0) << type.name;
            EXPECT_TRUE(type.requirements.find("topology.kubernetes.io/region")->allows(region)) << type.name;
            for (const rules::Offering& offering : type.offerings) {
                EXPECT_GT(offering.price.nanos, 0) << type.name;
                EXPECT_TRUE(type.requirements.find("topology.kubernetes.io/zone")->allows(offering.zone()));
            }
        }
    }
}

TEST(Catalogue, leaves_the_table_of_us_east_1_as_it_is) {
    const rules::InstanceTypes types = built_in().types_of(Cloud::kAws, "us-east-1", {"us-east-1a", "x"});
    const auto before = kwok::aws_types();
    ASSERT_EQ(types->size(), before.size());
    EXPECT_EQ(before.size(), 1340u);
    for (std::size_t i = 0; i < before.size(); ++i) {
        EXPECT_EQ((*types)[i].requirements, before[i].requirements) << before[i].name;
        EXPECT_EQ((*types)[i].offerings.size(), before[i].offerings.size()) << before[i].name;
        EXPECT_EQ((*types)[i].offerings.front().price, before[i].offerings.front().price) << before[i].name;
    }
}

struct FactCase {
    Cloud cloud;
    const char* region;
    const char* type;
    std::int64_t cpu_milli;  // Allocatable, as the two below.
    std::int64_t memory_mib;
    std::int64_t pods;
    std::int64_t gpus;
    const char* key;
    const char* value;  // nullptr: the label is not there.
};

TEST(Catalogue, knows_named_machines) {
    const FactCase cases[] = {
        // 16 GiB less 7.5 % make 15,155 MiB; of them 2,662 are kept and 750 the threshold.
        {Cloud::kAzure, "eastus", "Standard_D4s_v5", 3860, 11743, 250, 0, "karpenter.azure.com/sku-series",
         "Ds_v5"},
        {Cloud::kAzure, "eastus", "Standard_D4ps_v5", 3860, 11743, 250, 0, "kubernetes.io/arch", "arm64"},
        {Cloud::kAzure, "eastus", "Standard_E16s_v5", 15740, 110948, 250, 0, "karpenter.azure.com/sku-cpu",
         "16"},
        {Cloud::kAzure, "eastus", "Standard_NC24ads_A100_v4", 23660, 196207, 250, 1,
         "karpenter.azure.com/sku-gpu-name", "A100"},
        {Cloud::kAzure, "eastus", "Standard_D2s_v3", 1900, 4984, 250, 0, "karpenter.azure.com/sku-gpu-name",
         nullptr},
        {Cloud::kAzure, "eastus", "Standard_B4ms", 3860, 11743, 250, 0, "karpenter.azure.com/sku-version",
         "1"},
        // 32 GiB less 7 % make 30,474 MiB; of them 3,645 are kept and 100 the threshold.
        {Cloud::kGoogle, "us-central1", "n2-standard-8", 7810, 26729, 110, 0,
         "karpenter.k8s.gcp/instance-shape", "standard"},
        {Cloud::kGoogle, "us-central1", "e2-medium", 840, 2685, 110, 0, "karpenter.k8s.gcp/instance-size",
         "medium"},
        {Cloud::kGoogle, "us-central1", "n2-standard-8", 7810, 26729, 110, 0,
         "cloud.google.com/gke-accelerator", nullptr},
        {Cloud::kAws, "eu-west-1", "m5.large", 1930, 6903, 29, 0, "karpenter.k8s.aws/instance-family", "m5"},
    };
    for (const FactCase& c : cases) {
        const rules::InstanceType* type = find_type(built_in().types_of(c.cloud, c.region), c.type);
        ASSERT_NE(type, nullptr) << c.type;
        const rules::Resources free = type->allocatable();
        EXPECT_EQ(free.cpu_milli, c.cpu_milli) << c.type;
        EXPECT_EQ(free.memory_bytes / kMi, c.memory_mib) << c.type;
        EXPECT_EQ(free.pods, c.pods) << c.type;
        EXPECT_EQ(free.get("nvidia.com/gpu"), c.gpus) << c.type;
        const rules::Requirement* label = type->requirements.find(c.key);
        ASSERT_NE(label, nullptr) << c.key;
        if (c.value != nullptr)
            EXPECT_TRUE(label->allows(c.value)) << c.type << " " << label->to_string();
        else
            EXPECT_TRUE(label->is_empty()) << c.type << " " << label->to_string();
    }
}

TEST(Catalogue, sells_in_the_zones_of_the_region_and_those_that_are_seen) {
    const auto zones = [](Cloud cloud, const char* region, const std::vector<std::string>& seen) {
        const rules::InstanceTypes types = built_in().types_of(cloud, region, seen);
        std::set<std::string, std::less<>> out;
        for (const rules::Offering& offering : types->front().offerings) out.emplace(offering.zone());
        return std::vector<std::string>(out.begin(), out.end());
    };
    using Zones = std::vector<std::string>;
    EXPECT_EQ(zones(Cloud::kAzure, "eastus", {}), (Zones{"eastus-1", "eastus-2", "eastus-3"}));
    EXPECT_EQ(zones(Cloud::kAzure, "eastus", {"0", "eastus-2", "westus2-1"}),
              (Zones{"0", "eastus-1", "eastus-2", "eastus-3"}));
    EXPECT_EQ(zones(Cloud::kAzure, "westus", {}), (Zones{"0"}));
    EXPECT_EQ(zones(Cloud::kGoogle, "europe-west1", {}),
              (Zones{"europe-west1-b", "europe-west1-c", "europe-west1-d"}));
    EXPECT_EQ(zones(Cloud::kGoogle, "mars-north1", {}),
              (Zones{"mars-north1-a", "mars-north1-b", "mars-north1-c"}));
    EXPECT_EQ(zones(Cloud::kAws, "eu-central-1", {"eu-central-1c"}), (Zones{"eu-central-1c"}));
    EXPECT_EQ(zones(Cloud::kAws, "eu-central-1", {}),
              (Zones{"eu-central-1a", "eu-central-1b", "eu-central-1c"}));
}

TEST(Catalogue, sells_what_is_sold_and_nothing_else) {
    const rules::InstanceTypes central = built_in().types_of(Cloud::kGoogle, "us-central1");
    EXPECT_EQ(find_type(central, "n2-standard-7"), nullptr);
    const rules::InstanceTypes east = built_in().types_of(Cloud::kAzure, "eastus");
    for (const char* const name : {"Standard_B1s", "Standard_E16-4s_v5", "Standard_DC4as_v5"}) {
        EXPECT_EQ(find_type(east, name), nullptr) << name << " is too small, constrained, confidential";
        EXPECT_TRUE(built_in().price_of(Cloud::kAzure, name, "eastus", "on-demand").has_value()) << name;
    }
    const auto has_spot = [](const rules::InstanceType* type) {
        return std::any_of(type->offerings.begin(), type->offerings.end(),
                           [](const rules::Offering& o) { return o.capacity_type() == "spot"; });
    };
    EXPECT_FALSE(has_spot(find_type(east, "Standard_B4ms"))) << "Azure sells no spot of these";
    EXPECT_TRUE(has_spot(find_type(east, "Standard_D4s_v5")));
    EXPECT_TRUE(has_spot(find_type(central, "n2-standard-8")));
}

struct WordsCase {
    Cloud cloud;
    const char* type;
    const char* region;
    const char* capacity_type;
    PriceSource source;
    double dollars;
    const char* words;
};

TEST(Catalogue, says_where_a_price_comes_from) {
    const WordsCase cases[] = {
        {Cloud::kAzure, "Standard_D2s_v3", "eastus", "on-demand", PriceSource::kTable, 0.096,
         "Azure retail prices of 2026-06-18"},
        {Cloud::kAzure, "Standard_D2s_v3", "eastus", "spot", PriceSource::kReckoned, 0.0384,
         "Azure retail prices of 2026-06-18; spot taken as 0.4 of on demand"},
        {Cloud::kAzure, "Standard_D2s_v3", "moonbase", "on-demand", PriceSource::kReckoned, 0.096,
         "Azure retail prices of 2026-06-18; none for moonbase: that of another region"},
        {Cloud::kGoogle, "n2-standard-8", "", "reserved", PriceSource::kReckoned, 0.388472,
         "Google Cloud list prices of 2025-03-02; no region said: priced as us-central1; reserved, at the "
         "price on "
         "demand"},
        {Cloud::kGoogle, "n2-standard-8", "us-central1", "spot", PriceSource::kTable, 0.093992,
         "Google Cloud list prices of 2025-03-02"},
        {Cloud::kGoogle, "n2-standard-8", "asia-northeast2", "spot", PriceSource::kReckoned, 0.199341,
         "Google Cloud list prices of 2025-03-02; spot taken as 0.4 of on demand"},
        // Google sells it for 8 x 0.033174 + 20 x 0.004446 = 0.3543; e2 is sold at its family's rates.
        {Cloud::kGoogle, "n2-custom-8-20480", "us-central1", "on-demand", PriceSource::kReckoned, 0.35451,
         "Google Cloud list prices of 2025-03-02; by its family's rates, as a custom machine"},
        {Cloud::kGoogle, "custom-2-8192-ext", "us-central1", "on-demand", PriceSource::kReckoned, 0.10197,
         "Google Cloud list prices of 2025-03-02; by its family's rates, as a custom machine"},
        {Cloud::kGoogle, "e2-custom-medium-4096", "us-central1", "on-demand", PriceSource::kReckoned,
         0.033506, "Google Cloud list prices of 2025-03-02; by its family's rates, as a custom machine"},
        {Cloud::kAws, "m5.large", "us-east-1", "spot", PriceSource::kReckoned, 0.0672,
         "AWS on-demand prices of 2026-07-20; spot taken as 0.7 of on demand"},
        {Cloud::kAws, "m5.large", "eu-central-1", "on-demand", PriceSource::kReckoned, 0.115,
         "AWS on-demand prices of 2026-07-20; 1.1979 times that in eu-central-1, as its family's was there "
         "in 2025-03"},
        {Cloud::kAws, "m5.large", "xx-north-9", "on-demand", PriceSource::kReckoned, 0.096,
         "AWS on-demand prices of 2026-07-20; xx-north-9 is priced as us-east-1"},
    };
    for (const WordsCase& c : cases) {
        const auto price = built_in().price_of(c.cloud, c.type, c.region, c.capacity_type);
        ASSERT_TRUE(price.has_value()) << c.type;
        EXPECT_EQ(price->source, c.source) << c.words;
        EXPECT_NEAR(price->per_hour.dollars(), c.dollars, 1e-4) << c.words;
        EXPECT_EQ(price->words, c.words);
    }
    for (const char* const nothing :
         {"Standard_D2s_v3", "x9-custom-2-4096", "n2-custom-2", "n2-custom-a-b", ""}) {
        EXPECT_FALSE(built_in().price_of(Cloud::kAws, nothing, "us-east-1", "spot").has_value()) << nothing;
        EXPECT_FALSE(built_in().price_of(Cloud::kGoogle, nothing, "us-east1", "spot").has_value()) << nothing;
    }
}

api::Node node_of(const char* provider_id, api::StringMap labels, const char* cpu = nullptr,
                  const char* memory = nullptr, const char* gpus = nullptr) {
    api::Node out;
    out.provider_id = provider_id;
    out.meta.labels = std::move(labels);
    const std::pair<const char*, const char*> capacity[] = {
        {"cpu", cpu}, {"memory", memory}, {"nvidia.com/gpu", gpus}};
    for (const auto& [name, amount] : capacity) {
        if (amount != nullptr) out.capacity[name] = *Quantity::parse(amount);
    }
    return out;
}

TEST(Catalogue, prices_nodes_by_their_labels) {
    const auto known = built_in().price_of(
        node_of("gce://p/us-central1-a/n", {{"node.kubernetes.io/instance-type", "e2-medium"}}));
    ASSERT_TRUE(known.has_value());
    EXPECT_EQ(known->source, PriceSource::kTable);
    EXPECT_NEAR(known->per_hour.dollars(), 0.0335, 1e-4);

    const auto unknown = built_in().price_of(node_of(
        "gce://p/us-central1-a/n",
        {{"node.kubernetes.io/instance-type", "ek-standard-16"}, {"cloud.google.com/gke-spot", "true"}}, "16",
        "64Gi"));
    ASSERT_TRUE(unknown.has_value());
    EXPECT_EQ(unknown->source, PriceSource::kEstimated);
    EXPECT_EQ(unknown->words,
              "ek-standard-16 is not in the table of Google Cloud: estimated by its cores and memory; spot "
              "taken as "
              "0.4 of on demand");
    EXPECT_NEAR(unknown->per_hour.dollars(), 0.28, 0.04);

    EXPECT_FALSE(
        built_in().price_of(node_of("", {{"node.kubernetes.io/instance-type", "m5.large"}})).has_value())
        << "of no cloud that it says";
    EXPECT_FALSE(built_in().price_of(node_of("azure:///x", {})).has_value()) << "neither type nor capacity";
    EXPECT_FALSE(built_in()
                     .price_of(node_of("aws:///us-east-1a/fargate-ip",
                                       {{"eks.amazonaws.com/compute-type", "fargate"}}, "2", "8Gi"))
                     .has_value())
        << "billed by the pod";
}

// The estimate of a plain machine is within a fifth of its price for most machines of each table, and GPUs
// count.
TEST(Catalogue, estimates_what_no_table_has) {
    const std::tuple<Cloud, std::int64_t, std::int64_t, double> cases[] = {
        {Cloud::kAws, 4, 16, 0.192}, {Cloud::kAzure, 4, 16, 0.192}, {Cloud::kGoogle, 4, 16, 0.194}};
    for (const auto& [cloud, cores, gib, dollars] : cases) {
        const double estimate = built_in().estimated_price(cloud, cores * 1000, gib << 30).dollars();
        EXPECT_NEAR(estimate / dollars, 1, 0.2) << name_of(cloud);
        const double with_gpu = built_in().estimated_price(cloud, cores * 1000, gib << 30, 1).dollars();
        EXPECT_GT(with_gpu, estimate + 0.2) << name_of(cloud);
        EXPECT_LT(with_gpu, estimate + 12) << name_of(cloud);
    }
}

TEST(Catalogue, warns_of_regions_that_are_not_its_own) {
    const std::tuple<Cloud, const char*, const char*> cases[] = {
        {Cloud::kAzure, "eastus", ""},
        {Cloud::kAws, "us-east-1", ""},
        {Cloud::kAws, "eu-central-1",
         "prices of eu-central-1 are those of us-east-1, times what eu-central-1 was over it in 2025-03"},
        {Cloud::kGoogle, "mars-north1",
         "the table of Google Cloud does not have mars-north1: prices are those of "
         "us-central1"},
        {Cloud::kAzure, "", "no region of Azure is said: prices are those of eastus"}};
    for (const auto& [cloud, region, sentence] : cases) EXPECT_EQ(built_in().note(cloud, region), sentence);
}

}  // namespace
}  // namespace joiner::cloud::catalogue
