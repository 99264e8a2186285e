#include "cloud/ec2/classes/discovery.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr Duration kAliasKept = hours{24};
// Of a parameter that a class names itself.
constexpr Duration kParameterKept = minutes{5};
constexpr Duration kBetweenLooksForDeprecated = minutes{30};

// Filters as a key.
std::string text_of(const Filters& filters) {
    std::string out;
    for (const Filter& filter : filters) {
        out += fmt::format("{}:{}", filter.name.size(), filter.name);
        for (const std::string& value : filter.values) out += fmt::format("={}:{}", value.size(), value);
        out += ';';
    }
    return out;
}

}  // namespace

void Discovery::subnets(const Filters& filters, aws::Done<std::vector<Subnet>> done) {
    const auto ask = [this, filters](aws::Done<std::vector<Subnet>> answered) {
        ec2_.describe_subnets(
            filters, [this, answered = std::move(answered)](const aws::Answer<std::vector<Subnet>>& found) {
                if (found) choice_.note(*found);
                answered(found);
            });
    };
    subnets_.get(text_of(filters), settings_.subnet_refresh, ask, std::move(done));
}

void Discovery::security_groups(const Filters& filters, aws::Done<std::vector<SecurityGroup>> done) {
    const auto ask = [this, filters](aws::Done<std::vector<SecurityGroup>> answered) {
        ec2_.describe_security_groups(filters, std::move(answered));
    };
    security_groups_.get(text_of(filters), settings_.security_group_refresh, ask, std::move(done));
}

void Discovery::images(const Filters& filters, const std::vector<std::string>& owners,
                       aws::Done<std::vector<Image>> done) {
    const auto ask = [this, filters, owners](aws::Done<std::vector<Image>> answered) {
        ec2_.describe_images(
            filters, owners,
            [this, answered = std::move(answered)](const aws::Answer<std::vector<Image>>& found) {
                if (found) forget_deprecated(*found);
                answered(found);
            });
    };
    images_.get(text_of(filters) + text_of({{"owners", owners}}), settings_.ami_refresh, ask,
                std::move(done));
}

// Images of parameters are among those that classes ask for, so nobody need ask for them again.
void Discovery::forget_deprecated(const std::vector<Image>& images) {
    std::set<std::string> deprecated;
    for (const Image& image : images) {
        if (image.deprecated_at && *image.deprecated_at <= loop_.now()) deprecated.insert(image.id);
    }
    const Duration now = loop_.monotonic();
    // A parameter may go on naming one.
    if (deprecated.empty() || now - looked_for_deprecated_ < kBetweenLooksForDeprecated) return;
    looked_for_deprecated_ = now;
    parameters_.forget_if([&](const std::string& id) { return deprecated.contains(id); });
}

void Discovery::parameter(const ImageParameter& parameter, aws::Done<std::string> done) {
    const bool is_of_alias = parameter.variants != std::vector{ImageVariant::kAny};
    const auto ask = [this, path = parameter.path](aws::Done<std::string> answered) {
        ssm_.get_parameter(path, std::move(answered));
    };
    const std::string question = fmt::format("{} {}", is_of_alias ? "alias" : "own", parameter.path);
    parameters_.get(question, is_of_alias ? kAliasKept : kParameterKept, ask, std::move(done));
}

}  // namespace joiner::cloud::ec2
