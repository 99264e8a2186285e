#include "cli/conversion.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "api/names.h"
#include "cli/cluster_autoscaler.h"
#include "cli/scaling_group.h"

namespace joiner::cli {
namespace {

using ConvertJson = nlohmann::json;

constexpr std::string_view kRolePlaceholder = "$KARPENTER_NODE_ROLE";

bool is_provisioner(const api::Document& document) {
    return document.kind == "Provisioner" && document.api_version == api::kFirstApiVersion;
}
bool is_template(const api::Document& document) {
    return document.kind == "AWSNodeTemplate" && document.api_version == api::kFirstAwsApiVersion;
}

std::string dump_converted(const ConvertJson& json) {
    return json.dump(-1, ' ', false, ConvertJson::error_handler_t::replace);
}

// Of metadata what a person writes; marks of other controllers and of kubectl stay behind.
ConvertJson carried_metadata(const ConvertJson& object, std::string_view name) {
    ConvertJson out = {{"name", name}};
    const auto metadata = object.find("metadata");
    if (metadata == object.end() || !metadata->is_object()) return out;
    for (const char* field : {"labels", "annotations", "finalizers"}) {
        if (const auto at = metadata->find(field); at != metadata->end() && !at->empty()) out[field] = *at;
    }
    if (!out.contains("annotations") || !out["annotations"].is_object()) return out;
    for (const char* mark : {"kubectl.kubernetes.io/last-applied-configuration",
                             "karpenter.sh/provisioner-hash", "karpenter.k8s.aws/nodetemplate-hash"})
        out["annotations"].erase(mark);
    if (out["annotations"].empty()) out.erase("annotations");
    return out;
}

// The classes that an AWSNodeTemplate becomes: one for each kubelet that is asked of it.
struct TemplateClasses {
    struct Use {
        std::string class_name;
        std::string kubelet;  // JSON, or empty.
    };
    std::vector<Use> uses;
};

class FirstApiConverter {
  public:
    FirstApiConverter(const std::vector<api::Document>& documents, api::Defaults defaults, Conversion& out)
        : defaults_(defaults), out_(out) {
        for (const api::Document& document : documents) {
            if (is_template(document)) given_.insert(document.name);
            if (is_provisioner(document)) note_use(document);
        }
        for (auto& [name, classes] : classes_) name_classes(name, classes);
    }

    void convert_provisioner(const api::Document& document) {
        const auto reference = api::first_api_reference(document.json);
        if (!reference) return refuse(document, reference.error().message);
        const auto pool =
            api::first_api_pool(document.json, class_reference(document, *reference), defaults_);
        if (!pool) return refuse(document, pool.error().message);
        tell(document, pool->problems, pool->lost);
        ConvertJson object = ConvertJson::parse(pool->node_pool);
        object["metadata"] = carried_metadata(object, document.name);
        out_.objects.push_back(dump_converted(object));
        if (!reference->has_inline_provider) return check_given(document, *reference);
        if (auto read = api::first_api_class_of_provider(document.json); !read) {
            refuse(document, read.error().message);
        } else if (is_convertible(document, *read, "converting spec.provider for Provisioner")) {
            add_class(ConvertJson{{"name", document.name}}, *read);
        }
    }

    void convert_template(const api::Document& document) {
        TemplateClasses classes;
        if (const auto found = classes_.find(document.name); found != classes_.end()) classes = found->second;
        if (classes.uses.empty()) classes.uses.push_back({document.name, ""});
        bool is_first = true;
        for (const TemplateClasses::Use& use : classes.uses) {
            auto read = api::first_api_class_of_template(document.json, use.kubelet);
            if (!read) return refuse(document, read.error().message);
            if (is_first && !is_convertible(document, *read, "converting AWSNodeTemplate")) return;
            is_first = false;
            add_class(carried_metadata(ConvertJson::parse(document.json), use.class_name), *read);
        }
        if (classes.uses.size() > 1) {
            remark(document, fmt::format("its Provisioners ask for different kubelets, which a class has one "
                                         "of: it becomes {}",
                                         names_of(classes)));
        }
    }

    void sum_up() {
        if (!without_role_.empty()) {
            out_.remarks.push_back(fmt::format(
                "EC2NodeClass {}: no instanceProfile is named; put the role of your nodes where {} stands",
                fmt::join(without_role_, ", "), kRolePlaceholder));
        }
    }

  private:
    void note_use(const api::Document& document) {
        const auto reference = api::first_api_reference(document.json);
        if (!reference || reference->has_inline_provider || !reference->is_aws_node_template()) return;
        const std::string kubelet = api::first_api_kubelet(reference->kubelet);
        auto& uses = classes_[reference->provider_ref.name].uses;
        const bool is_known = std::any_of(uses.begin(), uses.end(), [&](const TemplateClasses::Use& use) {
            return use.kubelet == kubelet;
        });
        if (!is_known) uses.push_back({document.name, kubelet});
    }

    // With one kubelet for all the template's name will do. So far `class_name` is the first Provisioner's.
    static void name_classes(const std::string& name, TemplateClasses& classes) {
        const bool has_one = classes.uses.size() == 1;
        for (TemplateClasses::Use& use : classes.uses)
            use.class_name =
                has_one || use.kubelet.empty() ? name : fmt::format("{}-{}", name, use.class_name);
        std::stable_partition(classes.uses.begin(), classes.uses.end(),
                              [](const TemplateClasses::Use& use) { return use.kubelet.empty(); });
    }

    static std::string names_of(const TemplateClasses& classes) {
        std::vector<std::string> names;
        for (const TemplateClasses::Use& use : classes.uses) names.push_back(use.class_name);
        return fmt::format("{}", fmt::join(names, ", "));
    }

    api::NodeClassReference class_reference(const api::Document& document,
                                            const api::FirstApiReference& reference) const {
        api::NodeClassReference out = api::first_api_class_name(document.name, reference);
        if (reference.has_inline_provider || !reference.is_aws_node_template()) return out;
        out.name = reference.provider_ref.name;
        const auto classes = classes_.find(out.name);
        if (classes == classes_.end()) return out;
        const std::string kubelet = api::first_api_kubelet(reference.kubelet);
        for (const TemplateClasses::Use& use : classes->second.uses) {
            if (use.kubelet == kubelet) out.name = use.class_name;
        }
        return out;
    }

    void check_given(const api::Document& document, const api::FirstApiReference& reference) {
        const std::string& name = reference.provider_ref.name;
        const std::string kubelet = api::first_api_kubelet(reference.kubelet);
        if (!reference.is_aws_node_template()) {
            if (!kubelet.empty())
                remark(document, fmt::format("spec.kubeletConfiguration: is left out; {} {} says what its "
                                             "nodes' kubelets get",
                                             reference.provider_ref.kind, name));
            return;
        }
        if (given_.contains(name) || name.empty()) return;
        remark(document, fmt::format("AWSNodeTemplate {} is not among the files; convert it together with "
                                     "this, so that EC2NodeClass {} comes out of it{}",
                                     name, class_reference(document, reference).name,
                                     kubelet.empty() ? "" : " with the kubelet that is asked for here"));
    }

    bool is_convertible(const api::Document& document, const api::FirstApiClass& read,
                        std::string_view doing) {
        if (!read.launch_template.empty())
            out_.refusals.push_back(
                fmt::format(R"(error: {}, cannot convert with "spec.launchTemplate")", doing));
        tell(document, read.problems, read.lost);
        return read.launch_template.empty() && read.problems.empty();
    }

    void add_class(ConvertJson metadata, const api::FirstApiClass& read) {
        const std::string name = metadata["name"].get<std::string>();
        ConvertJson spec = ConvertJson::parse(read.spec);
        if (!spec.contains("instanceProfile")) {
            spec["role"] = kRolePlaceholder;
            without_role_.push_back(name);
        }
        out_.objects.push_back(dump_converted({{"apiVersion", "karpenter.k8s.aws/v1"},
                                               {"kind", "EC2NodeClass"},
                                               {"metadata", std::move(metadata)},
                                               {"spec", std::move(spec)}}));
    }

    void tell(const api::Document& document, const std::vector<std::string>& problems,
              const std::vector<std::string>& lost) {
        for (const std::string& problem : problems) refuse(document, problem);
        for (const std::string& sentence : lost) remark(document, sentence);
    }
    void refuse(const api::Document& document, std::string_view what) {
        out_.refusals.push_back(
            fmt::format("error: {}: {} {}: {}", document.source, document.kind, document.name, what));
    }
    void remark(const api::Document& document, std::string_view what) {
        out_.remarks.push_back(
            fmt::format("{}: {} {}: {}", document.source, document.kind, document.name, what));
    }

    api::Defaults defaults_;
    Conversion& out_;
    std::set<std::string> given_;                     // Names of the templates among the files.
    std::map<std::string, TemplateClasses> classes_;  // By template.
    std::vector<std::string> without_role_;
};

// Keys of the first API in objects of any kind: annotations of pods, selectors, affinities, spreads.
class KeyRenamer {
  public:
    // Whether anything was renamed.
    bool rename(ConvertJson& json) {
        walk(json, 0);
        return has_renamed_;
    }
    bool has_asked_for_absence() const { return has_asked_for_absence_; }
    bool has_kept_from_consolidation() const { return has_kept_from_consolidation_; }

  private:
    static constexpr int kMaxDepth = 100;

    void walk(ConvertJson& json, int depth) {
        if (depth > kMaxDepth) return;
        if (json.is_array()) {
            keep_absence(json);
            for (ConvertJson& item : json) walk(item, depth + 1);
        } else if (json.is_object()) {
            rename_key(json, "karpenter.sh/do-not-evict", api::kDoNotDisruptAnnotation);
            has_kept_from_consolidation_ |=
                rename_key(json, "karpenter.sh/do-not-consolidate", api::kDoNotDisruptAnnotation);
            rename_key(json, api::kProvisionerLabel, api::kNodePoolLabel);
            keep_from_eviction(json);
            for (const char* field : {"key", "topologyKey"}) {
                const auto at = json.find(field);
                if (at == json.end() || *at != api::kProvisionerLabel || is_absence(json)) continue;
                *at = api::kNodePoolLabel;
                has_renamed_ = true;
            }
            for (auto& [key, value] : json.items()) walk(value, depth + 1);
        }
    }

    bool rename_key(ConvertJson& object, std::string_view from, std::string_view to) {
        const auto at = object.find(from);
        if (at == object.end()) return false;
        ConvertJson value = std::move(*at);
        object.erase(at);
        object.emplace(to, std::move(value));
        return has_renamed_ = true;
    }

    // The Cluster Autoscaler's word for a pod or a node that stays.
    void keep_from_eviction(ConvertJson& object) {
        const auto says = [&](std::string_view key, std::string_view value) {
            const auto at = object.find(key);
            return at != object.end() && *at == value;
        };
        for (const std::string_view key : {"safe-to-evict", "scale-down-disabled"}) {
            const std::string annotation = fmt::format("cluster-autoscaler.kubernetes.io/{}", key);
            const bool keeps = key == "scale-down-disabled"
                                   ? says(annotation, "true")
                                   : says(annotation, "false") || says(annotation, "on-completion");
            if (!keeps) continue;
            object[annotation] = "true";
            rename_key(object, annotation, api::kDoNotDisruptAnnotation);
        }
    }

    static bool is_absence(const ConvertJson& term) {
        const auto op = term.find("operator");
        return op != term.end() && *op == "DoesNotExist";
    }

    // "No node of a Provisioner" has to say "and no node of a NodePool" now.
    void keep_absence(ConvertJson& list) {
        const auto asks = [&](const ConvertJson& term, std::string_view key) {
            return term.is_object() && is_absence(term) && term.value("key", ConvertJson()) == key;
        };
        const bool asks_old = std::any_of(list.begin(), list.end(), [&](const ConvertJson& term) {
            return asks(term, api::kProvisionerLabel);
        });
        const bool asks_new = std::any_of(list.begin(), list.end(), [&](const ConvertJson& term) {
            return asks(term, api::kNodePoolLabel);
        });
        if (!asks_old || asks_new) return;
        list.push_back({{"key", api::kNodePoolLabel}, {"operator", "DoesNotExist"}});
        has_renamed_ = has_asked_for_absence_ = true;
    }

    bool has_renamed_ = false;
    bool has_asked_for_absence_ = false;
    bool has_kept_from_consolidation_ = false;
};

void convert_other(const api::Document& document, Conversion& out) {
    ConvertJson object = ConvertJson::parse(document.json, nullptr, false);
    KeyRenamer renamer;
    if (object.is_discarded() || !renamer.rename(object)) {
        out.untouched.push_back(document.kind);
        return;
    }
    const auto remark = [&](std::string_view what) {
        out.remarks.push_back(
            fmt::format("{}: {} {}: {}", document.source, document.kind, document.name, what));
    };
    if (renamer.has_asked_for_absence())
        remark("stays off nodes with either label, of Provisioners and of NodePools");
    if (renamer.has_kept_from_consolidation())
        remark("do-not-consolidate becomes do-not-disrupt, which keeps drift away from the node, too");
    out.objects.push_back(dump_converted(object));
}

void append(std::vector<std::string>& from, std::vector<std::string>& to) {
    for (std::string& one : from) to.push_back(std::move(one));
}

void append_without_meaning(const api::Document& document, const AutoscalerFlags& flags, Conversion& out) {
    for (const std::string& flag : flags.without_meaning)
        out.remarks.push_back(
            fmt::format("{}: {} {}: {}", document.source, document.kind, document.name, flag));
}

// Of two objects of one name the later would overwrite the other.
void refuse_repeated_names(Conversion& out) {
    std::set<std::string> seen;
    for (const std::string& text : out.objects) {
        const ConvertJson object = ConvertJson::parse(text);
        const std::string kind = object.value("kind", "");
        if (kind != "NodePool" && kind != "EC2NodeClass") continue;
        const std::string name = fmt::format("{} {}", kind, object["metadata"].value("name", ""));
        if (!seen.insert(name).second)
            out.refusals.push_back(
                fmt::format("error: {} would come out twice; rename one of the two it comes from", name));
    }
}

}  // namespace

Conversion convert(const ConversionInput& input, api::Defaults defaults) {
    Conversion out;
    AutoscalerSettings settings;
    FirstApiConverter first_api(input.documents, defaults, out);
    for (const api::Document& document : input.documents) {
        if (is_provisioner(document)) {
            first_api.convert_provisioner(document);
        } else if (is_template(document)) {
            first_api.convert_template(document);
        } else if (auto flags = autoscaler_flags(document)) {
            append(flags->meanings, out.settings);
            append_without_meaning(document, *flags, out);
            settings = std::move(flags->settings);
        } else {
            convert_other(document, out);
        }
    }
    first_api.sum_up();
    for (const api::Misread& other : input.others) {
        if (!describes_scaling_groups(other.json)) {
            out.refusals.push_back("error: " + other.message + ", and describes no Auto Scaling groups");
            continue;
        }
        const std::string source = other.message.substr(0, other.message.find(": "));
        ScalingGroups groups = convert_scaling_groups(other.json, source, settings);
        append(groups.objects, out.objects);
        append(groups.remarks, out.remarks);
        append(groups.refusals, out.refusals);
    }
    refuse_repeated_names(out);
    return out;
}

}  // namespace joiner::cli
