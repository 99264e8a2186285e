#include "cli/pool_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "api/names.h"
#include "cloud/catalogue/catalogue.h"
#include "cloud/kwok/aws_catalogue.h"
#include "cloud/kwok/types_file.h"
#include "io/file.h"
#include "plan/provision/pool_reason.h"

namespace joiner::cli {
namespace {

constexpr std::size_t kMaxTypesFileBytes = 256u << 20;

rules::InstanceTypes shared(std::vector<rules::InstanceType> types) {
    return std::make_shared<const std::vector<rules::InstanceType>>(std::move(types));
}

using cloud::catalogue::Cloud;

// Where a pool wants its nodes, by its requirements and its template's labels.
struct Place {
    std::string region;              // Empty: not said.
    std::vector<std::string> zones;  // Of any region.
};

Place place_of(const api::NodePool& pool, Cloud cloud) {
    Place out;
    const auto hear = [&](std::string_view key, const std::string& value) {
        if (key == api::kZoneLabel) out.zones.push_back(value);
        if (key == api::kRegionLabel && out.region.empty()) out.region = value;
    };
    for (const api::SelectorRequirement& one : pool.node_template.requirements) {
        if (one.op != "In") continue;
        for (const std::string& value : one.values) hear(one.key, value);
    }
    for (const auto& [key, value] : pool.node_template.labels) hear(key, value);
    for (const std::string& zone : out.zones) {
        if (!out.region.empty()) break;
        out.region = cloud::catalogue::region_of_zone(zone, cloud);
    }
    return out;
}

// Whose machines the NodeClass asks for; AWS's other kinds than EC2NodeClass have a dialect of their own.
std::optional<Cloud> cloud_of_class(const api::NodeClassReference& node_class) {
    if (node_class.group == "karpenter.k8s.aws" && node_class.kind == "EC2NodeClass") return Cloud::kAws;
    if (node_class.group == "karpenter.azure.com" && node_class.kind == "AKSNodeClass") return Cloud::kAzure;
    if (node_class.group == "karpenter.k8s.gcp" && node_class.kind == "GCENodeClass") return Cloud::kGoogle;
    return {};
}

}  // namespace

Result<PoolTypes> PoolTypes::load(const std::string& path) {
    PoolTypes out;
    if (path.empty()) {
        out.is_built_in_ = true;
        out.types_ = shared(cloud::kwok::aws_types());
        return out;
    }
    TRY(const std::string text, io::read_file(path, kMaxTypesFileBytes));
    TRY(auto types, cloud::kwok::parse_types(text, "instance types file " + path));
    out.types_ = shared(std::move(types));
    return out;
}

rules::InstanceTypes PoolTypes::of(const api::NodePool& pool) {
    const api::NodeClassReference& node_class = pool.node_template.node_class;
    if (!is_built_in_ || node_class.kind.empty() || node_class.group == "karpenter.kwok.sh") return types_;
    if (const std::optional<Cloud> cloud = cloud_of_class(node_class)) return of_cloud(pool, *cloud);
    if (node_class.group == "eks.amazonaws.com" && node_class.kind == "NodeClass") {
        if (eks_auto_types_ == nullptr)
            eks_auto_types_ = shared(cloud::kwok::aws_types(cloud::kwok::AwsLabels::kEksAuto));
        return eks_auto_types_;
    }
    return shared({});
}

rules::InstanceTypes PoolTypes::of_cloud(const api::NodePool& pool, Cloud cloud) {
    const cloud::catalogue::Catalogue& catalogue = cloud::catalogue::built_in();
    const Place place = place_of(pool, cloud);
    const bool is_known = catalogue.knows_region(cloud, place.region);
    // Of us-east-1 the table is the one of always, which says nothing where no region is named.
    if (cloud == Cloud::kAws && (!is_known || place.region == catalogue.base_region(cloud))) return types_;
    if (const std::string note = catalogue.note(cloud, place.region); !note.empty())
        notes_[pool.meta.name] =
            is_known ? note
                     : fmt::format("{} ({}); a requirement of {} or {} names another", note,
                                   catalogue.dated(cloud), api::kRegionLabel, api::kZoneLabel);
    rules::InstanceTypes out = catalogue.types_of(cloud, place.region, place.zones);
    if (std::find(cloud_types_.begin(), cloud_types_.end(), out) == cloud_types_.end())
        cloud_types_.push_back(out);
    // With AWS's types come no reserved domains, as ever.
    const std::string& group = pool.node_template.node_class.group;
    if (cloud != Cloud::kAws &&
        std::find(cloud_domains_.begin(), cloud_domains_.end(), group) == cloud_domains_.end())
        cloud_domains_.push_back(group);
    return out;
}

rules::RestrictedLabels PoolTypes::labels() const {
    rules::RestrictedLabels out = cloud::kwok::labels_of(*types_);
    out.domains.insert(out.domains.end(), cloud_domains_.begin(), cloud_domains_.end());
    for (const rules::InstanceTypes& types : cloud_types_) {
        if (types->empty()) continue;
        for (const rules::Requirement& one : types->front().requirements) out.well_known.add(one.key());
    }
    if (eks_auto_types_ != nullptr) {
        for (const rules::Requirement& one : eks_auto_types_->front().requirements)
            out.well_known.add(one.key());
    }
    return out;
}

model::TypesSource PoolTypes::source() const {
    if (is_built_in_) return {"the built-in catalogue", "--instance-types reads others"};
    return {"the file of --instance-types", ""};
}

std::string PoolTypes::warning(const model::PoolView& pool) const {
    if (const std::string why = plan::why_nothing_is_sold(pool); !why.empty())
        return fmt::format("NodePool {} cannot be bought from: {}{}", pool.name, why,
                           is_built_in_ ? "; the built-in catalogues have types and prices of AWS, Azure and "
                                          "Google Cloud, --instance-types reads others"
                                        : "");
    const auto note = notes_.find(std::string(pool.name));
    return note == notes_.end() ? std::string() : fmt::format("NodePool {}: {}", pool.name, note->second);
}

}  // namespace joiner::cli
