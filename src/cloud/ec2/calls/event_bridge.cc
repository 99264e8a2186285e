#include "cloud/ec2/calls/event_bridge.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/calls/json_reader.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {
namespace {

using nlohmann::json;

constexpr std::size_t kMostRules = 100;

aws::Call event_bridge_call(const char* name, const json& body) {
    aws::Call out;
    out.service = aws::Service::kEventBridge;
    out.protocol = aws::Protocol::kJson;
    out.name = name;
    out.headers = {{"content-type", "application/x-amz-json-1.1"},
                   {"x-amz-target", std::string("AWSEvents.") + name}};
    out.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    return out;
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
    aws::Call call = event_bridge_call("ListRuleNamesByTarget", {{"TargetArn", arn}, {"Limit", kMostRules}});
    aws::Call named = call;
    named.body.clear();
    client_.send(std::move(call), [named, done = std::move(done)](const aws::Answer<std::string>& answer) {
        if (!answer) return done(tl::unexpected<aws::CallError>(answer.error()));
        const json object = json::parse(*answer, nullptr, false);
        if (!object.is_object())
            return done(
                no_answer(named, {ErrorKind::kUnavailable,
                                  "the answer is no JSON object; does AWS answer at this endpoint?", 0}));
        std::vector<std::string> out;
        for (const json& name : at(object, "RuleNames")) {
            if (name.is_string() && out.size() < kMostRules) out.push_back(name.get<std::string>());
        }
        done(std::move(out));
    });
}

void EventBridge::describe_rule(const std::string& name, aws::Done<EventRule> done) {
    client_.send(
        event_bridge_call("DescribeRule", {{"Name", name}}),
        [done = std::move(done)](const aws::Answer<std::string>& answer) {
            if (!answer) return done(tl::unexpected<aws::CallError>(answer.error()));
            const json object = json::parse(*answer, nullptr, false);
            done(EventRule{text_at(object, "EventPattern"), text_at(object, "State").starts_with("ENABLED")});
        });
}

}  // namespace joiner::cloud::ec2
