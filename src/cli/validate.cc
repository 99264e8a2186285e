// `joiner validate`: what an API server would refuse of the manifests, by file and line. The embedded API
// server's own rules are the judge, and for NodePools and EC2NodeClasses also what the controller would not
// use.
#include <fmt/format.h>

#include <map>

#include "api/codec.h"
#include "api/first_api.h"
#include "cli/commands.h"
#include "cli/grouping.h"
#include "cli/manifest_files.h"
#include "cli/unread_kinds.h"
#include "cloud/ec2/catalogue.h"
#include "cloud/ec2/feature_gates.h"
#include "cloud/ec2/types/kubelet_of_type.h"
#include "rules/budget.h"
#include "rules/node_pool_rules.h"
#include "sim/manifest_judge.h"

namespace joiner::cli {
namespace {

// Where the field stands, or what of it is there: "spec.template.spec.requirements[0]" of "…[0].operator".
std::string place_of(const api::Document& document, std::string_view field) {
    const auto& lines = document.field_lines;
    // Entries of maps are written "labels[app]" there.
    std::string path;
    for (std::size_t i = 0; i < field.size(); ++i) {
        const bool opens_key =
            field[i] == '[' && i + 1 < field.size() && (field[i + 1] < '0' || field[i + 1] > '9');
        if (opens_key) {
            const std::size_t end = std::min(field.find(']', i), field.size());
            path += '.';
            path += field.substr(i + 1, end - i - 1);
            i = end;
        } else {
            path += field[i];
        }
    }
    while (!path.empty()) {
        if (const auto at = lines.find(path); at != lines.end()) {
            const std::size_t colon = document.source.rfind(':');
            return fmt::format("{}:{}", document.source.substr(0, colon), at->second);
        }
        const std::size_t end = path.find_last_of(".[");
        path.resize(end == std::string::npos ? 0 : end);
    }
    return document.source;
}

// Expressions are tried with the built-in types.
std::vector<std::string> unusable_node_class(const api::Document& document,
                                             const cloud::ec2::AwsFeatureGates& gates) {
    const auto read = api::decode_node_class(document.json);
    if (!read) return {read.error().message};
    const auto node_class = cloud::ec2::parse_node_class(*read);
    if (!node_class) return {node_class.error().message};
    const auto kubelet =
        cloud::ec2::parse_kubelet(node_class->kubelet, node_class->family, gates.node_class_cel);
    if (!kubelet) return {fmt::format("{}: {}", kubelet.error().reason, kubelet.error().message)};
    if (!kubelet->has_expressions()) return {};
    std::vector<cloud::ec2::InstanceTypeInfo> types;
    for (const cloud::ec2::CatalogueType& type : cloud::ec2::catalogue().types) types.push_back(type.info);
    const std::string why =
        cloud::ec2::why_expressions_fail(types, cloud::ec2::shape_of(*node_class, *kubelet, {}));
    if (!why.empty()) return {"KubeletExpressionEvaluationFailed: " + why};
    return {};
}

std::vector<std::string> unusable_class(const api::FirstApiClass& read) {
    std::vector<std::string> out = read.problems;
    if (!read.launch_template.empty())
        out.push_back(
            "spec.launchTemplate: a launch template is not used; say in an EC2NodeClass what it says");
    return out;
}

std::vector<std::string> unusable_provisioner(const api::Document& document) {
    const auto reference = api::first_api_reference(document.json);
    if (!reference) return {reference.error().message};
    const auto pool = api::first_api_pool(document.json, api::first_api_class_name(document.name, *reference),
                                          api::Defaults::kNone);
    if (!pool) return {pool.error().message};
    std::vector<std::string> out = pool->problems;
    if (!reference->has_inline_provider) return out;
    const auto provider = api::first_api_class_of_provider(document.json);
    if (!provider) return {provider.error().message};
    for (std::string& reason : unusable_class(*provider)) out.push_back(std::move(reason));
    return out;
}

// What keeps an object that an API server takes from being used.
std::vector<std::string> unusable_because(const api::Document& document,
                                          const cloud::ec2::AwsFeatureGates& gates) {
    if (document.kind == "EC2NodeClass" && document.group() == "karpenter.k8s.aws")
        return unusable_node_class(document, gates);
    if (document.kind == "Provisioner" && document.api_version == api::kFirstApiVersion)
        return unusable_provisioner(document);
    if (document.kind == "AWSNodeTemplate" && document.api_version == api::kFirstAwsApiVersion) {
        const auto read = api::first_api_class_of_template(document.json, "");
        return read ? unusable_class(*read) : std::vector<std::string>{read.error().message};
    }
    if (document.kind != "NodePool" || document.group() != "karpenter.sh") return {};
    const auto pool = api::decode_node_pool(document.json);
    if (!pool) return {pool.error().message};
    std::vector<std::string> out;
    if (std::string problems = rules::validate_node_pool(*pool, rules::RestrictedLabels{}); !problems.empty())
        out.push_back(std::move(problems));
    if (const auto budgets = rules::check_budgets(*pool); !budgets) out.push_back(budgets.error().message);
    return out;
}

class Validation {
  public:
    explicit Validation(cloud::ec2::AwsFeatureGates gates) : gates_(gates) {}

    void look_at(const api::Document& document) {
        ++documents_;
        const sim::Judgement judgement = judge_.judge(document.api_version, document.kind, document.json);
        if (!judgement.is_known_kind) {
            ++not_looked_at_[document.kind];
            return;
        }
        ++checked_;
        for (const sim::Mistake& mistake : judgement.mistakes) {
            tell(place_of(document, mistake.field), document,
                 mistake.field.empty() ? mistake.what : fmt::format("{}: {}", mistake.field, mistake.what));
        }
        if (!judgement.mistakes.empty()) return;
        for (const std::string& reason : unusable_because(document, gates_))
            tell(document.source, document, reason);
    }

    void no_object(const std::string& message) {
        ++documents_;
        ++mistakes_;
        fmt::print("{}\n", message);
    }
    void unreadable(const std::string& message) {
        ++unreadable_;
        fmt::print("{}\n", message);
    }

    int sum_up(const std::vector<std::string>& passed_over) const {
        std::string sentence = fmt::format("{}, {} checked: {}", count_of(documents_, "document"), checked_,
                                           mistakes_ == 0 ? "no mistakes" : count_of(mistakes_, "mistake"));
        if (unreadable_ > 0) sentence += fmt::format("; {} cannot be read", count_of(unreadable_, "part"));
        if (!not_looked_at_.empty()) sentence += "; not looked at: " + tally_of(not_looked_at_);
        for (const std::string& one : passed_over) sentence += "; " + one;
        fmt::print("{}\n", sentence);
        return unreadable_ > 0 ? 2 : mistakes_ > 0 ? 1 : 0;
    }

  private:
    void tell(const std::string& place, const api::Document& document, std::string_view what) {
        ++mistakes_;
        const std::string& name = document.name.empty() ? document.generate_name : document.name;
        fmt::print("{}: {}{}{}: {}\n", place, document.kind, name.empty() ? "" : " ", name, what);
    }

    cloud::ec2::AwsFeatureGates gates_;
    sim::ManifestJudge judge_;
    std::size_t documents_ = 0;
    std::size_t checked_ = 0;
    std::size_t mistakes_ = 0;
    std::size_t unreadable_ = 0;
    std::map<std::string, std::size_t> not_looked_at_;
};

}  // namespace

int run_validate(const ValidateOptions& options) {
    const auto gates = cloud::ec2::parse_aws_feature_gates(options.aws_feature_gates);
    if (!gates) return refuse("--aws-feature-gates: " + gates.error().message);
    const auto manifests = read_manifests({options.files, options.is_recursive}, api::FieldLines::kYes);
    if (!manifests) return refuse(manifests.error().message);
    Validation validation(*gates);
    for (const Manifest& manifest : manifests->objects) validation.look_at(manifest.document);
    for (const Misreading& misreading : manifests->misread) {
        if (misreading.what.is_foreign) {
            validation.no_object(misreading.what.message);
        } else {
            validation.unreadable(misreading.what.message);
        }
    }
    return validation.sum_up(manifests->passed_over);
}

}  // namespace joiner::cli
