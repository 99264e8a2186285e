#include "cloud/ec2/calls/event_bridge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/calls/json_call.h"
#include "cloud/ec2/calls/json_reader.h"

namespace joiner::cloud::ec2 {
namespace {

using nlohmann::json;

constexpr std::size_t kMostRules = 100;

aws::Call event_bridge_call(const char* name, const json& body) {
    return json_call(aws::Service::kEventBridge, "AWSEvents", name, "1.1", body);
}

// A field that the pattern does not name may be anything.
bool allows_value(const json& pattern, const char* field, std::string_view value) {
    const json& wanted = at(pattern, field);
    if (wanted.is_null()) return true;
    return wanted.is_array() && std::any_of(wanted.begin(), wanted.end(), [&](const json& each) {
               if (each.is_string()) return each.get<std::string>() == value;
               const std::string prefix = text_at(each, "prefix");
               return !prefix.empty() && value.starts_with(prefix);
           });
}

}  // namespace

bool lets_through(const EventRule& rule, std::string_view source, std::string_view detail_type) {
    const json pattern = json::parse(rule.pattern, nullptr, false);
    return rule.is_enabled && pattern.is_object() && allows_value(pattern, "source", source) &&
           allows_value(pattern, "detail-type", detail_type);
}

void EventBridge::rules_of_target(const std::string& arn, aws::Done<std::vector<std::string>> done) {
    ask_for_object<std::vector<std::string>>(
        client_, event_bridge_call("ListRuleNamesByTarget", {{"TargetArn", arn}, {"Limit", kMostRules}}),
        std::move(done), [](const json& object) {
            std::vector<std::string> out;
            for (const json& name : at(object, "RuleNames")) {
                if (name.is_string() && out.size() < kMostRules) out.push_back(name.get<std::string>());
            }
            return out;
        });
}

void EventBridge::describe_rule(const std::string& name, aws::Done<EventRule> done) {
    ask_for_object<EventRule>(client_, event_bridge_call("DescribeRule", {{"Name", name}}), std::move(done),
                              [](const json& object) {
                                  return EventRule{text_at(object, "EventPattern"),
                                                   text_at(object, "State").starts_with("ENABLED")};
                              });
}

}  // namespace joiner::cloud::ec2
