#include "cloud/ec2/classes/selectors.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/types/type_labels.h"

namespace joiner::cloud::ec2 {
namespace {

rules::Requirements requirements_for(const std::string& arch, ImageVariant variant,
                                     const FamilyTraits& traits) {
    rules::Requirements out;
    out.add(rules::Requirement::in(std::string(api::kArchLabel), {arch}));
    if (traits.is_windows) {
        out.add(rules::Requirement::in(std::string(api::kOSLabel), {"windows"}));
        out.add(rules::Requirement::in(std::string(api::kWindowsBuildLabel),
                                       {std::string(traits.windows_build)}));
    }
    const std::string gpus = std::string(kLabelDomain) + "/instance-gpu-count";
    const std::string accelerators = std::string(kLabelDomain) + "/instance-accelerator-count";
    if (variant == ImageVariant::kStandard) {
        out.add(rules::Requirement::does_not_exist(gpus));
        out.add(rules::Requirement::does_not_exist(accelerators));
    }
    if (variant == ImageVariant::kNvidia) out.add(rules::Requirement::exists(gpus));
    if (variant == ImageVariant::kNeuron) out.add(rules::Requirement::exists(accelerators));
    return out;
}

}  // namespace

Filters tag_filters(const api::StringMap& tags) {
    Filters out;
    for (const auto& [key, value] : tags) {
        if (value == "*")
            out.push_back({"tag-key", {key}});
        else
            out.push_back({"tag:" + key, {value}});
    }
    return out;
}

std::vector<Filters> subnet_questions(const std::vector<SubnetTerm>& terms) {
    std::vector<std::string> ids;
    std::vector<Filters> out;
    for (const SubnetTerm& term : terms) {
        if (!term.id.empty())
            ids.push_back(term.id);
        else
            out.push_back(tag_filters(term.tags));
    }
    if (!ids.empty()) out.push_back({{"subnet-id", ids}});
    return out;
}

std::vector<Filters> security_group_questions(const std::vector<SecurityGroupTerm>& terms) {
    std::vector<std::string> ids;
    std::vector<std::string> names;
    std::vector<Filters> out;
    for (const SecurityGroupTerm& term : terms) {
        if (!term.id.empty())
            ids.push_back(term.id);
        else if (!term.name.empty())
            names.push_back(term.name);
        else
            out.push_back(tag_filters(term.tags));
    }
    if (!ids.empty()) out.push_back({{"group-id", ids}});
    if (!names.empty()) out.push_back({{"group-name", names}});
    return out;
}

std::vector<ImageQuestion> image_questions(const std::vector<AmiTerm>& terms,
                                           const std::vector<std::string>& ids) {
    const Filter available = {"state", {"available"}};
    std::vector<std::string> all_ids = ids;
    std::vector<ImageQuestion> out;
    for (const AmiTerm& term : terms) {
        if (!term.id.empty()) {
            all_ids.push_back(term.id);
            continue;
        }
        if (term.name.empty() && term.tags.empty()) continue;
        ImageQuestion question;
        question.filters = tag_filters(term.tags);
        if (!term.name.empty()) question.filters.push_back({"name", {term.name}});
        question.filters.push_back(available);
        if (!term.owner.empty())
            question.owners = {term.owner};
        else if (!term.name.empty())
            question.owners = {"self", "amazon"};
        out.push_back(std::move(question));
    }
    if (!all_ids.empty()) out.push_back({{{"image-id", all_ids}, available}, {}});
    return out;
}

std::vector<StatusImage> choose_images(std::vector<Image> images, const ImagesOfParameters& of_parameters,
                                       const FamilyTraits& traits, WallTime now) {
    const auto is_deprecated = [&](const Image& image) {
        return image.deprecated_at && *image.deprecated_at <= now;
    };
    std::sort(images.begin(), images.end(), [&](const Image& a, const Image& b) {
        if (is_deprecated(a) != is_deprecated(b)) return is_deprecated(b);
        return std::tie(a.created, a.name, a.id) > std::tie(b.created, b.name, b.id);
    });
    std::set<std::string> served;
    std::vector<StatusImage> out;
    const auto take = [&](const Image& image, rules::Requirements requirements) {
        if (served.insert(requirements.to_string()).second)
            out.push_back({image.id, image.name, is_deprecated(image), std::move(requirements)});
    };
    for (const Image& image : images) {
        const std::string arch(arch_label(image.architecture));
        if (arch.empty()) continue;
        const auto [first, last] = of_parameters.equal_range(image.id);
        if (first == last) take(image, requirements_for(arch, ImageVariant::kAny, traits));
        for (auto it = first; it != last; ++it) {
            for (const ImageVariant variant : it->second.variants)
                take(image, requirements_for(arch, variant, traits));
        }
    }
    return out;
}

}  // namespace joiner::cloud::ec2
