#include "cloud/ec2/calls/services.h"

#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/calls/json_call.h"
#include "cloud/ec2/calls/json_reader.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {
namespace {

using aws::Answer;
using aws::CallError;
using aws::Done;
using nlohmann::json;

// Of a call whose answer holds nothing for us.
void ask_whether(aws::Client& client, aws::Call call, Done<void> done) {
    client.send(std::move(call), [done = std::move(done)](const Answer<std::string>& answer) {
        if (!answer) return done(tl::unexpected<CallError>(answer.error()));
        done({});
    });
}

// The price in an entry of the list, which is a text of JSON itself.
void read_price(const std::string& entry, const std::string& currency, std::vector<OnDemandPrice>& out) {
    const json product = json::parse(entry, nullptr, false);
    const std::string type = text_at(at(at(product, "product"), "attributes"), "instanceType");
    if (type.empty()) return;
    for (const auto& [offer_key, offer] : at(at(product, "terms"), "OnDemand").items()) {
        for (const auto& [dimension_key, dimension] : at(offer, "priceDimensions").items()) {
            const std::string text = text_at(at(dimension, "pricePerUnit"), currency.c_str());
            double price = 0;
            std::from_chars(text.data(), text.data() + text.size(), price);
            if (price > 0) out.push_back({type, rules::Money::from_dollars(price)});
        }
    }
}

struct PriceSearch {
    aws::Client& client;
    json body;
    std::string currency;
    Done<std::vector<OnDemandPrice>> done;
    std::vector<OnDemandPrice> prices = {};
    int pages = 0;

    static void ask_page(const std::shared_ptr<PriceSearch>& search) {
        const aws::Call call =
            json_call(aws::Service::kPricing, "AWSPriceListService", "GetProducts", "1.1", search->body);
        search->client.send(call, [search](const Answer<std::string>& answer) {
            if (!answer) return search->done(tl::unexpected<CallError>(answer.error()));
            const json page = json::parse(*answer, nullptr, false);
            for (const json& entry : at(page, "PriceList")) {
                if (entry.is_string()) read_price(entry.get<std::string>(), search->currency, search->prices);
            }
            const std::string next = text_at(page, "NextToken");
            if (next.empty() || ++search->pages >= kMostPages) return search->done(std::move(search->prices));
            search->body["NextToken"] = next;
            ask_page(search);
        });
    }
};

}  // namespace

void Ssm::get_parameter(const std::string& name, Done<std::string> done) {
    ask_for_object<std::string>(
        client_, json_call(aws::Service::kSsm, "AmazonSSM", "GetParameter", "1.1", {{"Name", name}}),
        std::move(done),
        [](const json& body) -> Answer<std::string> { return text_at(at(body, "Parameter"), "Value"); });
}

void Eks::describe_cluster(const std::string& name, Done<EksCluster> done) {
    aws::Call call;
    call.service = aws::Service::kEks;
    call.protocol = aws::Protocol::kJson;
    call.name = "DescribeCluster";
    call.method = "GET";
    call.target = "/clusters/" + aws::percent_encode(name);
    ask_for_object<EksCluster>(
        client_, std::move(call), std::move(done), [](const json& body) -> Answer<EksCluster> {
            const json& cluster = at(body, "cluster");
            const json& network = at(cluster, "kubernetesNetworkConfig");
            return EksCluster{
                text_at(cluster, "endpoint"),        text_at(at(cluster, "certificateAuthority"), "data"),
                text_at(cluster, "version"),         text_at(network, "serviceIpv4Cidr"),
                text_at(network, "serviceIpv6Cidr"), text_at(cluster, "arn")};
        });
}

void Pricing::on_demand_prices(const std::string& region, PriceList list,
                               Done<std::vector<OnDemandPrice>> done) {
    json filters = json::array();
    const auto want = [&](const char* field, const std::string& value) {
        filters.push_back({{"Type", "TERM_MATCH"}, {"Field", field}, {"Value", value}});
    };
    want("regionCode", region);
    want("serviceCode", "AmazonEC2");
    want("preInstalledSw", "NA");
    want("operatingSystem", "Linux");
    want("capacitystatus", "Used");
    want("marketoption", "OnDemand");
    want("tenancy", list == PriceList::kShared ? "Shared" : "Dedicated");
    want("productFamily", list == PriceList::kShared ? "Compute Instance" : "Compute Instance (bare metal)");
    PriceSearch::ask_page(std::make_shared<PriceSearch>(
        PriceSearch{client_,
                    {{"ServiceCode", "AmazonEC2"}, {"MaxResults", 100}, {"Filters", filters}},
                    region.starts_with("cn-") ? "CNY" : "USD",
                    std::move(done)}));
}

void Pricing::ask_for_one(const std::string& region, Done<void> done) {
    ask_whether(
        client_,
        json_call(aws::Service::kPricing, "AWSPriceListService", "GetProducts", "1.1",
                  {{"ServiceCode", "AmazonEC2"},
                   {"MaxResults", 1},
                   {"Filters", {{{"Type", "TERM_MATCH"}, {"Field", "regionCode"}, {"Value", region}}}}}),
        std::move(done));
}

void Sqs::get_queue_url(const std::string& name, Done<std::string> done) {
    ask_for_object<std::string>(
        client_, json_call(aws::Service::kSqs, "AmazonSQS", "GetQueueUrl", "1.0", {{"QueueName", name}}),
        std::move(done), [](const json& body) -> Answer<std::string> { return text_at(body, "QueueUrl"); });
}

void Sqs::receive(const std::string& queue_url, Done<std::vector<QueueMessage>> done) {
    aws::Call call = json_call(aws::Service::kSqs, "AmazonSQS", "ReceiveMessage", "1.0",
                               {{"QueueUrl", queue_url},
                                {"MaxNumberOfMessages", 10},
                                {"VisibilityTimeout", 20},
                                {"WaitTimeSeconds", 20},
                                {"MessageSystemAttributeNames", {"SentTimestamp"}}});
    ask_for_object<std::vector<QueueMessage>>(
        client_, std::move(call), std::move(done), [](const json& body) -> Answer<std::vector<QueueMessage>> {
            std::vector<QueueMessage> out;
            for (const json& message : at(body, "Messages")) {
                QueueMessage each = {text_at(message, "ReceiptHandle"), text_at(message, "Body"), kNoTime};
                const std::string sent = text_at(at(message, "Attributes"), "SentTimestamp");
                std::int64_t milliseconds = 0;
                std::from_chars(sent.data(), sent.data() + sent.size(), milliseconds);
                constexpr std::int64_t kMost = 9'000'000'000'000;  // Beyond it nanoseconds do not fit.
                if (milliseconds > 0 && milliseconds < kMost)
                    each.sent = WallTime{std::chrono::milliseconds{milliseconds}};
                out.push_back(std::move(each));
            }
            return out;
        });
}

void Sqs::get_queue_arn(const std::string& queue_url, Done<std::string> done) {
    ask_for_object<std::string>(client_,
                                json_call(aws::Service::kSqs, "AmazonSQS", "GetQueueAttributes", "1.0",
                                          {{"QueueUrl", queue_url}, {"AttributeNames", {"QueueArn"}}}),
                                std::move(done), [](const json& body) -> Answer<std::string> {
                                    return text_at(at(body, "Attributes"), "QueueArn");
                                });
}

void Sqs::peek(const std::string& queue_url, Done<void> done) {
    ask_whether(client_,
                json_call(aws::Service::kSqs, "AmazonSQS", "ReceiveMessage", "1.0",
                          {{"QueueUrl", queue_url},
                           {"MaxNumberOfMessages", 1},
                           {"VisibilityTimeout", 0},
                           {"WaitTimeSeconds", 0}}),
                std::move(done));
}

void Sqs::remove(const std::string& queue_url, const std::string& receipt, Done<void> done) {
    aws::Call call = json_call(aws::Service::kSqs, "AmazonSQS", "DeleteMessage", "1.0",
                               {{"QueueUrl", queue_url}, {"ReceiptHandle", receipt}});
    ask_whether(client_, std::move(call), std::move(done));
}

}  // namespace joiner::cloud::ec2
