// AWSNodeTemplates and inline providers as EC2NodeClasses.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "api/first_api.h"
#include "api/first_api_part.h"
#include "base/quantity.h"

namespace joiner::api {
namespace {

// As many terms as an EC2NodeClass takes.
constexpr std::size_t kMaxTerms = 30;

enum class ClassSource { kTemplate, kProvider };

struct FamilyName {
    std::string_view first;
    std::string_view alias;  // Empty: images of its own.
    std::string_view today;
};
constexpr std::array<FamilyName, 6> kFamilies = {{{"AL2", "al2@latest", "AL2"},
                                                  {"Bottlerocket", "bottlerocket@latest", "Bottlerocket"},
                                                  {"Ubuntu", "", "AL2"},
                                                  {"Windows2019", "windows2019@latest", "Windows2019"},
                                                  {"Windows2022", "windows2022@latest", "Windows2022"},
                                                  {"Custom", "", "Custom"}}};

// "a, b,c" without its blanks, and without parts that have nothing in them.
std::vector<std::string> split_list(std::string_view list) {
    std::vector<std::string> out;
    while (true) {
        const std::size_t comma = std::min(list.find(','), list.size());
        std::string_view one = list.substr(0, comma);
        while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
        while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
        if (!one.empty()) out.emplace_back(one);
        if (comma == list.size()) return out;
        list.remove_prefix(comma + 1);
    }
}

// A selector of the first API: a map of tags to comma lists, with some keys that mean no tag.
struct FirstSelector {
    std::vector<std::string> owners;
    std::vector<std::string> ids;
    std::vector<std::string> names;
    std::vector<std::pair<std::string, std::vector<std::string>>> tags;  // By key.

    // Stops counting above what is allowed.
    std::size_t term_count() const {
        std::size_t count = 1;
        const auto times = [&](std::size_t values) {
            count = std::min(count * std::max<std::size_t>(values, 1), kMaxTerms + 1);
        };
        for (const auto* list : {&owners, &ids, &names}) times(list->size());
        for (const auto& [key, values] : tags) times(values.size());
        return count;
    }
};

// Each term of `terms` with each value in turn: the values vary slowest.
void multiply(std::vector<FirstJson>& terms, const std::vector<std::string>& values, const auto& set_value) {
    if (values.empty()) return;
    std::vector<FirstJson> out;
    for (const std::string& value : values) {
        for (FirstJson term : terms) {
            set_value(term, value);
            out.push_back(std::move(term));
        }
    }
    terms = std::move(out);
}

FirstJson terms_of(const FirstSelector& selector) {
    std::vector<FirstJson> terms(1, FirstJson::object());
    for (const auto& [key, values] : selector.tags) {
        multiply(terms, values,
                 [&](FirstJson& term, const std::string& value) { term["tags"][key] = value; });
    }
    const auto field = [](const char* name) {
        return [name](FirstJson& term, const std::string& value) { term[name] = value; };
    };
    multiply(terms, selector.names, field("name"));
    multiply(terms, selector.ids, field("id"));
    multiply(terms, selector.owners, field("owner"));
    return terms;
}

bool is_id_of(std::string_view id, std::string_view prefix) {
    return id.size() > prefix.size() && id.starts_with(prefix) &&
           std::all_of(id.begin() + static_cast<std::ptrdiff_t>(prefix.size()), id.end(),
                       [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

class ClassReader {
  public:
    ClassReader(const FirstPart& spec, ClassSource source) : spec_(spec), source_(source) {}

    FirstJson read() {
        check_fields();
        launch_template_ = spec_.text("launchTemplate").value_or("");
        if (!launch_template_.empty()) check_launch_template();
        read_selector("subnetSelector", "subnet-", "subnetSelectorTerms");
        if (launch_template_.empty() || spec_.has("securityGroupSelector"))
            read_selector("securityGroupSelector", "sg-", "securityGroupSelectorTerms");
        read_images();
        for (const char* field : {"instanceProfile", "context", "userData"}) copy_text(field);
        if (const auto monitoring = spec_.flag("detailedMonitoring"))
            out_["detailedMonitoring"] = *monitoring;
        read_tags();
        read_metadata_options();
        read_block_devices();
        return std::move(out_);
    }

    const std::string& launch_template() const { return launch_template_; }

  private:
    void check_fields() {
        constexpr std::string_view kShared =
            "apiVersion kind amiFamily context instanceProfile subnetSelector securityGroupSelector tags "
            "launchTemplate metadataOptions blockDeviceMappings userData amiSelector detailedMonitoring";
        check_unknown(spec_, kShared);
        if (source_ == ClassSource::kTemplate) return;
        for (const char* field : {"userData", "amiSelector", "detailedMonitoring"}) {
            if (spec_.has(field))
                spec_.problem(field, "an inline provider has no such field; an AWSNodeTemplate has");
        }
    }

    // An inline provider is read strictly; of a template an API server prunes what it does not know.
    void check_unknown(const FirstPart& part, std::string_view known) const {
        if (source_ == ClassSource::kProvider) {
            part.refuse_unknown(known);
        } else {
            part.lose_unknown(known);
        }
    }

    void check_launch_template() {
        spec_.lose("launchTemplate",
                   "today's API has no launch templates; say in an EC2NodeClass what the template says");
        for (const char* field : {"securityGroupSelector", "metadataOptions", "amiFamily", "instanceProfile",
                                  "blockDeviceMappings", "userData", "amiSelector"}) {
            if (spec_.has(field)) spec_.problem(field, "is not for use with launchTemplate");
        }
    }

    void copy_text(const char* field) {
        if (const auto text = spec_.text(field); text && !text->empty()) out_[field] = *text;
    }

    FirstSelector selector_of(const std::string& field, std::string_view id_prefix) {
        FirstSelector out;
        const StringMap written = spec_.map(field);
        bool has_ids = false;
        for (const auto& [key, value] : written) {
            const std::string path = fmt::format("{}.{}", field, key);
            if (key.empty() || value.empty()) spec_.problem(path, "neither key nor value may be empty");
            std::vector<std::string> values = split_list(value);
            if (values.empty() && !value.empty()) spec_.problem(path, "lists nothing");
            const bool is_images = id_prefix == "ami-";
            if (key == "aws-ids" || key == "aws::ids") {
                has_ids = true;
                for (const std::string& id : values) {
                    if (!is_id_of(id, id_prefix))
                        spec_.problem(path, fmt::format("{} is not an id {}…", in_quotes(id), id_prefix));
                }
                out.ids = std::move(values);
            } else if (is_images && key == "aws::name") {
                out.names = std::move(values);
            } else if (is_images && key == "aws::owners") {
                out.owners = std::move(values);
            } else if (!key.empty() && !values.empty()) {
                out.tags.emplace_back(key, std::move(values));
            }
        }
        if (has_ids && written.size() > 1) spec_.problem(field, "ids stand alone; take out the other keys");
        return out;
    }

    void read_selector(const std::string& field, std::string_view id_prefix, const char* today) {
        if (!spec_.has(field)) return spec_.problem(field, "must be set");
        const FirstSelector selector = selector_of(field, id_prefix);
        if (selector.tags.empty() && selector.ids.empty() && selector.names.empty())
            return spec_.problem(field, "names nothing to look for, so that nothing is found");
        if (selector.term_count() > kMaxTerms) {
            return spec_.problem(
                field,
                fmt::format("comes to more than {} terms, and an EC2NodeClass takes no more", kMaxTerms));
        }
        out_[today] = terms_of(selector);
    }

    void read_images() {
        const std::string written = spec_.text("amiFamily").value_or("");
        const std::string_view name = written.empty() ? kFamilies.front().first : std::string_view(written);
        const auto family = std::find_if(kFamilies.begin(), kFamilies.end(),
                                         [&](const FamilyName& known) { return known.first == name; });
        if (family == kFamilies.end()) {
            return spec_.problem("amiFamily", fmt::format("{} is none of AL2, Bottlerocket, Ubuntu, "
                                                          "Windows2019, Windows2022 and Custom",
                                                          in_quotes(name)));
        }
        if (spec_.has("amiSelector")) {
            out_["amiFamily"] = family->today;
            read_selector("amiSelector", "ami-", "amiSelectorTerms");
        } else if (!family->alias.empty()) {
            out_["amiSelectorTerms"] = FirstJson::array({{{"alias", family->alias}}});
        } else {
            spec_.problem("amiFamily",
                          fmt::format("{} needs amiSelector: nothing of today's knows images of it", name));
        }
        if (name == "Ubuntu" && !spec_.has("blockDeviceMappings")) {
            out_["blockDeviceMappings"] = FirstJson::array(
                {{{"deviceName", "/dev/sda1"},
                  {"rootVolume", true},
                  {"ebs", {{"encrypted", true}, {"volumeSize", "20Gi"}, {"volumeType", "gp3"}}}}});
        }
    }

    void read_tags() {
        StringMap tags;
        for (const auto& [key, value] : spec_.map("tags")) {
            const std::string path = fmt::format("tags.{}", key);
            const bool is_of_cluster = key.starts_with("kubernetes.io/cluster");
            const bool is_owned =
                is_of_cluster || key == "karpenter.sh/provisioner-name" || key == "karpenter.sh/managed-by";
            if (key.empty()) {
                spec_.problem(path, "a tag needs a key");
            } else if (is_owned && source_ == ClassSource::kTemplate) {
                spec_.problem(path, "is set by the controller alone");
            } else if (is_of_cluster || key == "eks:eks-cluster-name" || key == "karpenter.sh/nodepool" ||
                       key == "karpenter.sh/nodeclaim" || key == "karpenter.k8s.aws/ec2nodeclass") {
                spec_.lose(path, "is left out: the controller sets this tag itself");
            } else {
                tags[key] = value;
            }
        }
        if (!tags.empty()) out_["tags"] = tags;
    }

    void read_choice(const FirstPart& part, const char* field, const std::set<std::string>& choices,
                     FirstJson& out) const {
        const auto text = part.text(field);
        if (!text) return;
        if (!choices.contains(*text)) {
            part.problem(field, fmt::format("{} is none of {}", in_quotes(*text), fmt::join(choices, ", ")));
        }
        out[field] = *text;
    }

    // What the first API left to EC2 where some of the options are set is said here as well: its own defaults
    // were meant.
    void read_metadata_options() {
        FirstJson options = {{"httpEndpoint", "enabled"},
                             {"httpProtocolIPv6", "disabled"},
                             {"httpPutResponseHopLimit", 2},
                             {"httpTokens", "required"}};
        if (const auto written = spec_.part("metadataOptions")) {
            check_unknown(*written, "httpEndpoint httpProtocolIPv6 httpPutResponseHopLimit httpTokens");
            read_choice(*written, "httpEndpoint", {"disabled", "enabled"}, options);
            read_choice(*written, "httpProtocolIPv6", {"disabled", "enabled"}, options);
            read_choice(*written, "httpTokens", {"optional", "required"}, options);
            if (const auto hops = written->whole("httpPutResponseHopLimit", 1, 64))
                options["httpPutResponseHopLimit"] = *hops;
        }
        out_["metadataOptions"] = std::move(options);
    }

    void read_block_devices() {
        FirstJson devices = FirstJson::array();
        for (const FirstPart& mapping : spec_.parts("blockDeviceMappings")) {
            check_unknown(mapping, "deviceName ebs");
            FirstJson device = FirstJson::object();
            if (const auto name = mapping.text("deviceName")) {
                device["deviceName"] = *name;
            } else {
                mapping.problem("deviceName", "must be set");
            }
            if (const auto ebs = mapping.part("ebs")) {
                device["ebs"] = read_volume(*ebs);
            } else {
                mapping.problem("ebs", "must be set");
            }
            devices.push_back(std::move(device));
        }
        if (!devices.empty()) out_["blockDeviceMappings"] = std::move(devices);
    }

    FirstJson read_volume(const FirstPart& ebs) const {
        check_unknown(
            ebs, "deleteOnTermination encrypted iops kmsKeyID snapshotID throughput volumeSize volumeType");
        FirstJson out = FirstJson::object();
        for (const char* field : {"deleteOnTermination", "encrypted"}) {
            if (const auto flag = ebs.flag(field)) out[field] = *flag;
        }
        for (const char* field : {"iops", "throughput"}) {
            if (const auto number = ebs.whole(field, 0, 1'000'000)) out[field] = *number;
        }
        for (const char* field : {"kmsKeyID", "snapshotID"}) {
            if (const auto text = ebs.text(field)) out[field] = *text;
        }
        read_choice(ebs, "volumeType", {"gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"}, out);
        if (const auto size = ebs.quantity("volumeSize")) {
            if (size->units_up() < 1'000'000'000 || size->units_up() > 64'000'000'000'000)
                ebs.problem("volumeSize", fmt::format("{} is not within 1G and 64T", size->to_string()));
            out["volumeSize"] = size->to_string();
        } else if (!ebs.has("snapshotID")) {
            ebs.problem("volumeSize", "volumeSize or snapshotID must be set");
        }
        return out;
    }

    const FirstPart& spec_;
    ClassSource source_;
    FirstJson out_ = FirstJson::object();
    std::string launch_template_;
};

FirstApiClass class_of(const FirstPart& spec, ClassSource source, const std::string& kubelet,
                       FirstNotes& notes) {
    ClassReader reader(spec, source);
    FirstJson out = reader.read();
    if (!kubelet.empty()) out["kubelet"] = FirstJson::parse(kubelet);
    if (spec.text("amiFamily") == "Bottlerocket" &&
        out.value("kubelet", FirstJson()).contains("podsPerCore")) {
        spec.lose("amiFamily",
                  "Bottlerocket passed over podsPerCore; today a class that has both is not Ready, so "
                  "take podsPerCore out");
    }
    return {dump_first(out), std::move(notes.problems), std::move(notes.lost), reader.launch_template()};
}

}  // namespace

Result<FirstApiClass> first_api_class_of_template(std::string_view template_json,
                                                  std::string_view kubelet_json) {
    TRY(const FirstJson json, parse_first(template_json));
    FirstNotes notes;
    const FirstJson nothing = FirstJson::object();
    const FirstPart spec =
        FirstPart(json, "", notes).part("spec").value_or(FirstPart(nothing, "spec", notes));
    return class_of(spec, ClassSource::kTemplate, first_api_kubelet(kubelet_json), notes);
}

Result<FirstApiClass> first_api_class_of_provider(std::string_view provisioner_json) {
    TRY(const FirstJson json, parse_first(provisioner_json));
    FirstNotes notes;
    const FirstJson nothing = FirstJson::object();
    const FirstPart spec =
        FirstPart(json, "", notes).part("spec").value_or(FirstPart(nothing, "spec", notes));
    const FirstPart provider = spec.part("provider").value_or(FirstPart(nothing, "spec.provider", notes));
    const auto kubelet = spec.part("kubeletConfiguration");
    return class_of(provider, ClassSource::kProvider,
                    kubelet ? first_api_kubelet(dump_first(kubelet->json())) : std::string(), notes);
}

std::string first_api_served_spec(const std::string& spec) {
    FirstJson out = FirstJson::parse(spec, nullptr, false);
    const auto kubelet = out.find("kubelet");
    const bool is_bottlerocket =
        out.value("amiSelectorTerms", FirstJson()).dump().find("bottlerocket@") != std::string::npos ||
        out.value("amiFamily", "") == "Bottlerocket";
    if (!is_bottlerocket || kubelet == out.end()) return spec;
    kubelet->erase("podsPerCore");
    if (kubelet->empty()) out.erase("kubelet");
    return dump_first(out);
}

}  // namespace joiner::api
