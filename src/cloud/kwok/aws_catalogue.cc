#include "cloud/kwok/aws_catalogue.h"

#include <algorithm>
#include <string>

#include "api/names.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/kwok/type_labels.h"

namespace joiner::cloud::kwok {
namespace {

using rules::InstanceType;
using rules::Offering;
using rules::Requirement;

// Published spot prices change by the hour; this share of the on-demand price stands for them.
constexpr double kSpotShare = 0.7;

void add_offerings(const ec2::Catalogue& catalogue, const ec2::CatalogueType& from, InstanceType& type) {
    std::vector<std::string> ids;
    for (const std::string& zone : from.zones) {
        const auto id = catalogue.zone_ids.find(zone);
        const auto add = [&](std::string_view capacity_type, double price) {
            Offering made = make_offering(zone, capacity_type, price);
            if (id != catalogue.zone_ids.end())
                made.requirements.add(one_value(api::kZoneIdLabel, id->second));
            type.offerings.push_back(std::move(made));
        };
        const auto is_sold = [&](std::string_view usage) {
            return std::find(from.info.usage_classes.begin(), from.info.usage_classes.end(), usage) !=
                   from.info.usage_classes.end();
        };
        if (is_sold("on-demand")) add(api::kOnDemand, from.price);
        if (is_sold("spot")) add(api::kSpot, from.price * kSpotShare);
        if (id != catalogue.zone_ids.end()) ids.push_back(id->second);
    }
    if (!ids.empty()) type.requirements.add(Requirement::in(std::string(api::kZoneIdLabel), std::move(ids)));
}

}  // namespace

std::vector<InstanceType> aws_types(AwsLabels dialect) {
    const bool is_auto = dialect == AwsLabels::kEksAuto;
    const ec2::Catalogue& catalogue = ec2::catalogue();
    ec2::NodeShape shape;
    shape.region = catalogue.region;
    shape.label_domain = is_auto ? ec2::kEksAutoDomain : ec2::kLabelDomain;
    std::vector<InstanceType> out;
    for (const ec2::CatalogueType& from : catalogue.types) {
        InstanceType type = ec2::make_instance_type(from.info, from.facts, shape);
        add_offerings(catalogue, from, type);
        if (type.offerings.empty()) continue;
        add_type_labels(type, ec2::arch_of(from.info), {"linux"});
        ec2::TypeLabels labels(shape.label_domain, type.requirements);
        // The prices are those of shared tenancy.
        labels.set("instance-tenancy", std::string("default"));
        for (const char* const reservation :
             {"capacity-reservation-id", "capacity-reservation-type", "capacity-reservation-interruptible"})
            labels.set_absent(reservation);
        if (is_auto) labels.set("compute-type", std::string("auto"));
        out.push_back(std::move(type));
    }
    return out;
}

}  // namespace joiner::cloud::kwok
