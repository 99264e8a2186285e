#include "cli/doctor_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/manifest.h"
#include "cli/lease_holders.h"

namespace joiner::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kMostFields = 5;  // That are named.
constexpr const char* kCrdCure = "joiner crds | kubectl apply --server-side -f -";

const json& at(const json& object, const char* key) {
    static const json kNothing;
    const auto it = object.is_object() ? object.find(key) : object.end();
    return it == object.end() ? kNothing : *it;
}

std::string text_at(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_string() ? value.get<std::string>() : std::string();
}

std::string_view word_of(Check::Result result) {
    switch (result) {
        case Check::Result::kOk:
            return "ok";
        case Check::Result::kFailed:
            return "FAILED";
        case Check::Result::kNotChecked:
            return "not checked";
    }
    return "";
}

// Fields of `ours` that `theirs` has not: "spec.enclaveOptions". Schemas of OpenAPI.
void add_missing(const json& ours, const json& theirs, const std::string& path,
                 std::vector<std::string>& out) {
    for (const auto& [name, field] : at(ours, "properties").items()) {
        const std::string here = path.empty() ? name : path + "." + name;
        const json& there = at(at(theirs, "properties"), name.c_str());
        if (there.is_null())
            out.push_back(here);
        else
            add_missing(field, there, here, out);
    }
    if (at(ours, "items").is_object()) add_missing(at(ours, "items"), at(theirs, "items"), path, out);
}

const json& version_named(const json& crd, const std::string& name) {
    static const json kNothing;
    for (const json& version : at(at(crd, "spec"), "versions")) {
        if (text_at(version, "name") == name) return version;
    }
    return kNothing;
}

}  // namespace

bool has_failed(const std::vector<Check>& checks) {
    return std::any_of(checks.begin(), checks.end(),
                       [](const Check& check) { return check.result == Check::Result::kFailed; });
}

std::string doctor_text(const std::vector<Check>& checks) {
    std::string out;
    int failed = 0;
    for (const Check& check : checks) {
        failed += check.result == Check::Result::kFailed ? 1 : 0;
        out += fmt::format("{:<11}  {}: {}{}{}\n", word_of(check.result), check.name, check.message,
                           check.cure.empty() ? "" : "; cure: ", check.cure);
    }
    return out + fmt::format("{} checks, {} failed\n", checks.size(), failed);
}

std::string doctor_json(const std::vector<Check>& checks) {
    json out = json::array();
    for (const Check& check : checks) {
        json each = {{"check", check.name}, {"message", check.message}};
        each["result"] = check.result == Check::Result::kOk       ? "ok"
                         : check.result == Check::Result::kFailed ? "failed"
                                                                  : "notChecked";
        if (!check.cure.empty()) each["cure"] = check.cure;
        out.push_back(std::move(each));
    }
    return json{{"checks", out}, {"failed", has_failed(checks)}}.dump(2, ' ', false,
                                                                      json::error_handler_t::replace) +
           "\n";
}

Check check_crd(const std::string& name, std::string_view ours_yaml, std::string_view theirs_json) {
    Check out{"CRD " + name, Check::Result::kOk, "as this program's", ""};
    const auto fail_with = [&](std::string message) {
        return Check{out.name, Check::Result::kFailed, std::move(message), kCrdCure};
    };
    const auto text = api::yaml_to_json(ours_yaml, name);
    const json ours = json::parse(text.value_or("{}"), nullptr, false);
    const json theirs = json::parse(theirs_json, nullptr, false);
    if (!theirs.is_object()) return fail_with("what the API server says of it cannot be read");
    for (const json& version : at(at(ours, "spec"), "versions")) {
        const std::string number = text_at(version, "name");
        const json& there = version_named(theirs, number);
        if (at(there, "served") != true) return fail_with(fmt::format("version {} is not served", number));
        std::vector<std::string> missing;
        add_missing(at(at(version, "schema"), "openAPIV3Schema"), at(at(there, "schema"), "openAPIV3Schema"),
                    "", missing);
        if (missing.empty()) continue;
        const std::size_t more = missing.size() - std::min(missing.size(), kMostFields);
        missing.resize(missing.size() - more);
        return fail_with(fmt::format("it is older than this program, and lacks {}{}",
                                     fmt::join(missing, ", "),
                                     more == 0 ? "" : fmt::format(" and {} more", more)));
    }
    return out;
}

Check check_leases(std::string_view leases, WallTime now) {
    const std::string name = "other controllers";
    const auto holders = lease_holders(leases, now);
    if (!holders)
        return {name, Check::Result::kNotChecked, "what the API server says of leases cannot be read", ""};
    std::string ours;
    for (const LeaseHolder& one : *holders) {
        if (!one.is_joiner)
            return {name, Check::Result::kFailed,
                    fmt::format("{} holds the lease {}, and would take messages from the same queue",
                                one.holder, one.lease),
                    "scale that controller to 0 before this one starts"};
        ours = one.holder;
    }
    return {name, Check::Result::kOk, ours.empty() ? "none holds a lease" : "none; " + ours + " is a joiner",
            ""};
}

}  // namespace joiner::cli
