#include "cloud/ec2/node_class.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

namespace joiner::cloud::ec2 {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<AmiFamily, const char*>, 7> kFamilies = {
    {{AmiFamily::kAl2, "AL2"},
     {AmiFamily::kAl2023, "AL2023"},
     {AmiFamily::kBottlerocket, "Bottlerocket"},
     {AmiFamily::kWindows2019, "Windows2019"},
     {AmiFamily::kWindows2022, "Windows2022"},
     {AmiFamily::kWindows2025, "Windows2025"},
     {AmiFamily::kCustom, "Custom"}}};

// A part of the spec and where it stands. Of several mistakes the first is kept.
class Field {
  public:
    Field(const Json* json, std::string path, std::string& mistake)
        : json_(json != nullptr && json->is_null() ? nullptr : json),
          path_(std::move(path)),
          mistake_(mistake) {}

    bool is_there() const { return json_ != nullptr; }

    Field at(const char* key) const {
        if (json_ == nullptr) return {nullptr, path_ + "." + key, mistake_};
        if (!json_->is_object()) {
            wrong("an object");
            return {nullptr, path_ + "." + key, mistake_};
        }
        const auto it = json_->find(key);
        return {it == json_->end() ? nullptr : &*it, path_ + "." + key, mistake_};
    }

    template <typename F>
    void each(F read_item) const {
        if (json_ == nullptr) return;
        if (!json_->is_array()) return wrong("a list");
        for (std::size_t i = 0; i < json_->size(); ++i)
            read_item(Field(&(*json_)[i], fmt::format("{}[{}]", path_, i), mistake_));
    }

    std::optional<std::string> text() const {
        if (json_ == nullptr) return std::nullopt;
        if (json_->is_string()) return json_->get<std::string>();
        wrong("a string");
        return std::nullopt;
    }
    std::string text_or_empty() const { return text().value_or(std::string{}); }
    std::optional<bool> flag() const {
        if (json_ == nullptr) return std::nullopt;
        if (json_->is_boolean()) return json_->get<bool>();
        wrong("true or false");
        return std::nullopt;
    }
    template <typename Number>
    std::optional<Number> number(std::int64_t least = 0,
                                 std::int64_t most = std::numeric_limits<Number>::max()) const {
        if (json_ == nullptr) return std::nullopt;
        if (!json_->is_number_integer()) {
            wrong("a whole number");
            return std::nullopt;
        }
        // A number too large for 64 bits with a sign reads as a negative one, and is refused as such.
        const auto value = json_->get<std::int64_t>();
        if (value < least || value > most) {
            refuse(fmt::format("{} is not between {} and {}", json_->dump(), least, most));
            return std::nullopt;
        }
        return static_cast<Number>(value);
    }
    api::StringMap strings() const {
        api::StringMap out;
        if (json_ == nullptr) return out;
        if (!json_->is_object()) {
            wrong("a map of strings");
            return out;
        }
        for (const auto& [key, value] : json_->items()) {
            if (!value.is_string()) {
                refuse(fmt::format("the value of {} is no string", key));
            } else if (key.empty()) {
                refuse("a key is empty");
            } else {
                out.emplace(key, value.get<std::string>());
            }
        }
        return out;
    }
    // One of the words, or absent.
    std::optional<std::string> one_of(std::initializer_list<std::string_view> words) const {
        auto out = text();
        if (out && std::find(words.begin(), words.end(), *out) == words.end()) {
            refuse(fmt::format("\"{}\" is none of {}", *out, fmt::join(words, ", ")));
            out.reset();
        }
        return out;
    }
    const Json* json() const { return json_; }
    void refuse(const std::string& what) const {
        if (mistake_.empty()) mistake_ = fmt::format("{}: {}", path_, what);
    }

  private:
    void wrong(std::string_view wanted) const { refuse(fmt::format("must be {}", wanted)); }

    const Json* json_;
    std::string path_;
    std::string& mistake_;
};

bool has_empty_value(const api::StringMap& tags) {
    return std::any_of(tags.begin(), tags.end(), [](const auto& tag) { return tag.second.empty(); });
}

api::StringMap selector_tags(const Field& field) {
    api::StringMap out = field.strings();
    if (has_empty_value(out)) field.refuse("a value is empty; \"*\" selects by the key alone");
    return out;
}

AmiTerm read_ami_term(const Field& field) {
    AmiTerm out;
    out.alias = field.at("alias").text_or_empty();
    out.id = field.at("id").text_or_empty();
    out.name = field.at("name").text_or_empty();
    out.owner = field.at("owner").text_or_empty();
    out.ssm_parameter = field.at("ssmParameter").text_or_empty();
    out.tags = selector_tags(field.at("tags"));
    if (out.alias.empty() && out.id.empty() && out.name.empty() && out.ssm_parameter.empty() &&
        out.tags.empty())
        field.refuse("needs one of alias, id, name, ssmParameter and tags");
    if (!out.id.empty() && !out.id.starts_with("ami-")) field.at("id").refuse("is no ami-…");
    return out;
}

// The family of "al2023@v20240807"; nullopt: none that is known.
std::optional<AmiFamily> family_of_alias(std::string_view alias) {
    const std::string_view word = alias.substr(0, alias.find('@'));
    for (const auto& [family, name] : kFamilies) {
        const std::string_view spelling = name;
        if (family == AmiFamily::kCustom || spelling.size() != word.size()) continue;
        if (std::equal(word.begin(), word.end(), spelling.begin(), [](char lower, char c) {
                return lower == (c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
            }))
            return family;
    }
    return std::nullopt;
}

AmiFamily read_family(const Field& spec, const std::vector<AmiTerm>& terms) {
    std::optional<AmiFamily> of_field;
    if (const auto word = spec.at("amiFamily").text()) {
        for (const auto& [family, name] : kFamilies) {
            if (*word == name) of_field = family;
        }
        if (!of_field) spec.at("amiFamily").refuse(fmt::format("\"{}\" is no family of images", *word));
    }
    const auto term =
        std::find_if(terms.begin(), terms.end(), [](const AmiTerm& one) { return !one.alias.empty(); });
    if (term == terms.end()) {
        if (!spec.at("amiFamily").is_there())
            spec.at("amiFamily").refuse("must be there where no term of amiSelectorTerms has an alias");
        return of_field.value_or(AmiFamily::kCustom);
    }
    const Field field = spec.at("amiSelectorTerms");
    if (terms.size() > 1) field.refuse("a term with an alias stands alone");
    const std::size_t at = term->alias.find('@');
    const auto of_alias = family_of_alias(term->alias);
    if (!of_alias || at == std::string::npos || at + 1 == term->alias.size()) {
        field.refuse(fmt::format("\"{}\" is no alias; one is written family@version, as in al2023@latest",
                                 term->alias));
        return of_field.value_or(AmiFamily::kCustom);
    }
    if (of_field && *of_field != *of_alias && *of_field != AmiFamily::kCustom)
        spec.at("amiFamily").refuse(fmt::format("is not the family of the alias {}", term->alias));
    return of_field.value_or(*of_alias);
}

EbsVolume read_ebs(const Field& field) {
    EbsVolume out;
    out.delete_on_termination = field.at("deleteOnTermination").flag();
    out.encrypted = field.at("encrypted").flag();
    out.iops = field.at("iops").number<std::int64_t>();
    out.kms_key = field.at("kmsKeyID").text();
    out.snapshot = field.at("snapshotID").text();
    out.throughput = field.at("throughput").number<std::int64_t>();
    out.initialization_rate = field.at("volumeInitializationRate").number<std::int32_t>(100, 300);
    const Field size = field.at("volumeSize");
    if (const auto text = size.text()) {
        const auto quantity = Quantity::parse(*text);
        constexpr std::int64_t kMost = std::int64_t{64'000} * 1'000'000'000;
        if (!quantity || quantity->is_negative() || quantity->is_zero() || quantity->units_up() > kMost) {
            size.refuse(fmt::format("\"{}\" is no size of a volume, such as 100Gi", *text));
        } else {
            out.size = *quantity;
        }
    }
    out.type = field.at("volumeType").one_of({"standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"});
    if (!size.is_there() && !field.at("snapshotID").is_there())
        field.refuse("needs volumeSize or snapshotID");
    return out;
}

void read_block_devices(const Field& field, Ec2NodeClass& out) {
    field.each([&](const Field& item) {
        BlockDeviceMapping mapping;
        mapping.device_name = item.at("deviceName").text();
        if (item.at("ebs").is_there()) mapping.ebs = read_ebs(item.at("ebs"));
        mapping.is_root = item.at("rootVolume").flag().value_or(false);
        out.block_devices.push_back(std::move(mapping));
    });
    if (std::count_if(out.block_devices.begin(), out.block_devices.end(),
                      [](const BlockDeviceMapping& one) { return one.is_root; }) > 1)
        field.refuse("has more than one rootVolume");
}

void read_interfaces(const Field& field, Ec2NodeClass& out) {
    bool has_first = false;
    field.each([&](const Field& item) {
        NetworkInterface one;
        one.card = item.at("networkCardIndex").number<std::int32_t>().value_or(-1);
        one.device = item.at("deviceIndex").number<std::int32_t>().value_or(-1);
        one.type = item.at("interfaceType").one_of({"interface", "efa-only"}).value_or("");
        if (one.card < 0 || one.device < 0 || one.type.empty())
            item.refuse("needs networkCardIndex, deviceIndex and interfaceType");
        has_first = has_first || (one.card == 0 && one.device == 0 && one.type == "interface");
        for (const NetworkInterface& other : out.interfaces) {
            if (other.card == one.card && other.device == one.device)
                item.refuse("another entry has the same networkCardIndex and deviceIndex");
            if (other.card == one.card && other.type == "efa-only" && one.type == "efa-only")
                item.refuse("another entry of the same card is efa-only, too");
        }
        out.interfaces.push_back(std::move(one));
    });
    if (field.is_there() && !has_first && !out.interfaces.empty())
        field.refuse("needs an entry of type interface at card 0, device 0");
}

void read_tags(const Field& field, Ec2NodeClass& out) {
    out.tags = field.strings();
    for (const auto& [key, value] : out.tags) {
        const bool is_ours = key == "eks:eks-cluster-name" || key == "karpenter.sh/nodepool" ||
                             key == "karpenter.sh/nodeclaim" || key == "karpenter.k8s.aws/ec2nodeclass" ||
                             key.starts_with("kubernetes.io/cluster");
        if (is_ours) field.refuse(fmt::format("the tag {} is set by the controller", key));
    }
}

void read_who_runs_it(const Field& spec, Ec2NodeClass& out) {
    out.role = spec.at("role").text_or_empty();
    out.instance_profile = spec.at("instanceProfile").text();
    const bool has_profile = out.instance_profile && !out.instance_profile->empty();
    if (out.role.empty() == !has_profile)
        spec.at("role").refuse("exactly one of role and instanceProfile must be set");
}

void read_places(const Field& spec, Ec2NodeClass& out) {
    spec.at("subnetSelectorTerms").each([&](const Field& term) {
        SubnetTerm one{term.at("id").text_or_empty(), selector_tags(term.at("tags"))};
        if (one.id.empty() && one.tags.empty()) term.refuse("needs id or tags");
        out.subnets.push_back(std::move(one));
    });
    if (out.subnets.empty()) spec.at("subnetSelectorTerms").refuse("needs at least one term");
    spec.at("securityGroupSelectorTerms").each([&](const Field& term) {
        SecurityGroupTerm one{term.at("id").text_or_empty(), term.at("name").text_or_empty(),
                              selector_tags(term.at("tags"))};
        if (one.id.empty() && one.name.empty() && one.tags.empty()) term.refuse("needs id, name or tags");
        out.security_groups.push_back(std::move(one));
    });
    if (out.security_groups.empty()) spec.at("securityGroupSelectorTerms").refuse("needs at least one term");
    spec.at("capacityReservationSelectorTerms").each([&](const Field& term) {
        ReservationTerm one{term.at("id").text_or_empty(), term.at("ownerID").text_or_empty(),
                            term.at("instanceMatchCriteria").one_of({"open", "targeted"}).value_or(""),
                            selector_tags(term.at("tags"))};
        if (one.id.empty() && one.tags.empty() && one.match_criteria.empty())
            term.refuse("needs id, tags or instanceMatchCriteria");
        out.reservations.push_back(std::move(one));
    });
    const Field group = spec.at("placementGroupSelector");
    if (group.is_there()) {
        out.placement_group = {group.at("name").text_or_empty(), group.at("id").text_or_empty()};
        if (out.placement_group->name.empty() == out.placement_group->id.empty())
            group.refuse("needs exactly one of name and id");
    }
}

void read_options(const Field& spec, Ec2NodeClass& out) {
    out.instance_store_policy = spec.at("instanceStorePolicy").one_of({"RAID0"});
    out.detailed_monitoring = spec.at("detailedMonitoring").flag();
    const Field metadata = spec.at("metadataOptions");
    if (metadata.is_there()) {
        out.metadata = {metadata.at("httpEndpoint").one_of({"enabled", "disabled"}),
                        metadata.at("httpProtocolIPv6").one_of({"enabled", "disabled"}),
                        metadata.at("httpPutResponseHopLimit").number<std::int64_t>(1, 64),
                        metadata.at("httpTokens").one_of({"required", "optional"})};
    }
    const Field enclaves = spec.at("enclaveOptions");
    if (enclaves.is_there()) out.enclaves = enclaves.at("enabled").flag().value_or(false);
    const Field tracking = spec.at("connectionTracking");
    if (tracking.is_there()) {
        out.connection_tracking = {tracking.at("tcpEstablishedTimeout").number<std::int32_t>(60, 432'000),
                                   tracking.at("udpStreamTimeout").number<std::int32_t>(60, 180),
                                   tracking.at("udpTimeout").number<std::int32_t>(30, 60)};
    }
    out.context = spec.at("context").text();
    const Field cpu = spec.at("cpuOptions");
    out.has_cpu_options = cpu.is_there();
    out.nested_virtualization = cpu.at("nestedVirtualization").one_of({"enabled", "disabled"});
}

}  // namespace

const char* to_string(AmiFamily family) {
    for (const auto& [one, name] : kFamilies) {
        if (one == family) return name;
    }
    return "Custom";
}

Result<Ec2NodeClass> parse_node_class(const api::NodeClass& node_class) {
    const Json json = Json::parse(node_class.spec, nullptr, false);
    std::string mistake;
    Ec2NodeClass out;
    out.name = node_class.meta.name;
    if (json.is_discarded()) return invalid("spec: is no JSON");
    const Field spec(&json, "spec", mistake);
    spec.at("amiSelectorTerms").each([&](const Field& term) { out.amis.push_back(read_ami_term(term)); });
    if (out.amis.empty()) spec.at("amiSelectorTerms").refuse("needs at least one term");
    out.family = read_family(spec, out.amis);
    read_places(spec, out);
    read_who_runs_it(spec, out);
    out.has_public_ip = spec.at("associatePublicIPAddress").flag();
    out.ip_prefixes = spec.at("ipPrefixCount").number<std::int32_t>();
    out.user_data = spec.at("userData").text();
    read_tags(spec.at("tags"), out);
    if (const Field kubelet = spec.at("kubelet"); kubelet.is_there()) {
        if (kubelet.json()->is_object()) {
            out.kubelet = kubelet.json()->dump();
        } else {
            kubelet.refuse("must be an object");
        }
    }
    read_block_devices(spec.at("blockDeviceMappings"), out);
    read_interfaces(spec.at("networkInterfaces"), out);
    read_options(spec, out);
    if (!mistake.empty()) return invalid(std::move(mistake));
    return out;
}

}  // namespace joiner::cloud::ec2
