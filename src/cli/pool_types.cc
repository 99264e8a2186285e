#include "cli/pool_types.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

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
    if (!is_built_in_ || node_class.kind.empty() || node_class.group == "karpenter.kwok.sh" ||
        (node_class.group == "karpenter.k8s.aws" && node_class.kind == "EC2NodeClass"))
        return types_;
    if (node_class.group == "eks.amazonaws.com" && node_class.kind == "NodeClass") {
        if (eks_auto_types_ == nullptr)
            eks_auto_types_ = shared(cloud::kwok::aws_types(cloud::kwok::AwsLabels::kEksAuto));
        return eks_auto_types_;
    }
    return shared({});
}

rules::RestrictedLabels PoolTypes::labels() const {
    rules::RestrictedLabels out = cloud::kwok::labels_of(*types_);
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
    std::string why = plan::why_nothing_is_sold(pool);
    if (why.empty()) return {};
    why = fmt::format("NodePool {} cannot be bought from: {}", pool.name, why);
    if (is_built_in_)
        why +=
            "; types and prices of the built-in catalogue are those of AWS us-east-1, --instance-types reads "
            "others";
    return why;
}

}  // namespace joiner::cli
