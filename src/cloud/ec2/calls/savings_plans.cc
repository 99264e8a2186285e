#include "cloud/ec2/calls/savings_plans.h"

#include <charconv>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/calls/json_call.h"
#include "cloud/ec2/calls/json_reader.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {
namespace {

using nlohmann::json;

// As many as an answer may hold.
constexpr int kPlansPage = 1000;
// A plan has some thousand rates in a region.
constexpr int kMostPlanPages = 50;

// Amounts are texts: "0.0457". 0 where it is none.
rules::Money dollars_at(const json& object, const char* key) {
    const std::string text = text_at(object, key);
    double out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    constexpr double kMost = 1e6;
    if (error != std::errc{} || end != text.data() + text.size() || !(out > 0 && out <= kMost)) return {};
    return rules::Money::from_dollars(out);
}

SavingsPlan read_plan(const json& each) {
    SavingsPlan out;
    out.id = text_at(each, "savingsPlanId");
    out.kind = text_at(each, "savingsPlanType");
    out.state = text_at(each, "state");
    out.region = text_at(each, "region");
    out.family = text_at(each, "ec2InstanceFamily");
    out.per_hour = dollars_at(each, "commitment");
    if (const auto ends = parse_rfc3339(text_at(each, "end"))) out.ends = *ends;
    return out;
}

std::string property_of(const json& rate, std::string_view name) {
    for (const json& each : at(rate, "properties")) {
        if (text_at(each, "name") == name) return text_at(each, "value");
    }
    return {};
}

// A list that comes in pages, each a question of its own with the last one's token in it.
template <typename T>
struct PlanPages {
    aws::Client& client;
    std::string name;
    json body;
    const char* list;
    std::function<void(const json& item, std::vector<T>& out)> read;
    aws::Done<std::vector<T>> done;
    std::vector<T> items = {};
    int pages = 0;

    aws::Call call() const {
        aws::Call out;
        out.service = aws::Service::kSavingsPlans;
        out.protocol = aws::Protocol::kJson;
        out.name = name;
        out.target = "/" + name;
        out.headers = {{"content-type", "application/json"}};
        return out;
    }
    static void ask_page(const std::shared_ptr<PlanPages>& pages) {
        aws::Call call = pages->call();
        call.body = pages->body.dump();
        ask_for_object<json>(
            pages->client, std::move(call),
            [pages](const aws::Answer<json>& page) {
                if (!page) return pages->done(tl::unexpected<aws::CallError>(page.error()));
                for (const json& item : at(*page, pages->list)) pages->read(item, pages->items);
                const std::string next = text_at(*page, "nextToken");
                if (next.empty()) return pages->done(std::move(pages->items));
                if (++pages->pages >= kMostPlanPages)
                    return pages->done(
                        no_answer(pages->call(), {ErrorKind::kUnavailable, "its pages have no end", 0}));
                pages->body["nextToken"] = next;
                ask_page(pages);
            },
            [](const json& object) -> aws::Answer<json> { return object; });
    }
};

}  // namespace

void SavingsPlans::describe_savings_plans(aws::Done<std::vector<SavingsPlan>> done) {
    PlanPages<SavingsPlan>::ask_page(std::make_shared<PlanPages<SavingsPlan>>(PlanPages<SavingsPlan>{
        client_, "DescribeSavingsPlans", json{{"states", {"active"}}, {"maxResults", kPlansPage}},
        "savingsPlans",
        [](const json& item, std::vector<SavingsPlan>& out) { out.push_back(read_plan(item)); },
        std::move(done)}));
}

void SavingsPlans::describe_savings_plan_rates(const std::string& plan, const std::string& region,
                                               aws::Done<std::vector<SavingsPlanRate>> done) {
    json filters = json::array();
    const auto want = [&](const char* name, const std::string& value) {
        filters.push_back(json{{"name", name}, {"values", {value}}});
    };
    want("region", region);
    want("productDescription", "Linux/UNIX");
    want("tenancy", "shared");
    want("productType", "EC2");
    want("serviceCode", "AmazonEC2");
    PlanPages<SavingsPlanRate>::ask_page(
        std::make_shared<PlanPages<SavingsPlanRate>>(PlanPages<SavingsPlanRate>{
            client_, "DescribeSavingsPlanRates",
            json{{"savingsPlanId", plan}, {"filters", filters}, {"maxResults", kPlansPage}}, "searchResults",
            [region](const json& item, std::vector<SavingsPlanRate>& out) {
                const SavingsPlanRate rate = {property_of(item, "instanceType"), dollars_at(item, "rate")};
                // Whoever answers may pass over a filter. Reservations that nobody uses are listed too.
                const bool is_ours = property_of(item, "region") == region &&
                                     property_of(item, "productDescription") == "Linux/UNIX" &&
                                     property_of(item, "tenancy") == "shared" &&
                                     text_at(item, "unit") == "Hrs" &&
                                     text_at(item, "usageType").find("UnusedBox") == std::string::npos;
                if (is_ours && !rate.type.empty() && rate.per_hour.nanos > 0) out.push_back(rate);
            },
            std::move(done)}));
}

}  // namespace joiner::cloud::ec2
