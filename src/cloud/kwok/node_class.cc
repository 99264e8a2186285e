#include "cloud/kwok/node_class.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/names.h"

namespace joiner::cloud::kwok {

using Json = nlohmann::json;

Result<KwokClass> usable_class(const api::NodeClass& node_class) {
    const std::string& name = node_class.meta.name;
    const api::Condition* ready = api::find_condition(node_class.conditions, "Ready");
    if (ready != nullptr && ready->status == "False") {
        return fail(ErrorKind::kNotReady,
                    fmt::format("KWOKNodeClass {} is not ready: {}", name, ready->message));
    }
    KwokClass out;
    const Json spec = Json::parse(node_class.spec, nullptr, false);
    const auto delay = spec.is_object() ? spec.find("nodeRegistrationDelay") : spec.end();
    if (spec.is_object() && delay != spec.end()) {
        const auto parsed = parse_duration(delay->is_string() ? delay->get<std::string>() : delay->dump());
        if (!parsed) {
            return fail(ErrorKind::kNotReady, fmt::format("KWOKNodeClass {}: spec.nodeRegistrationDelay: {}",
                                                          name, parsed.error().message));
        }
        out.registration_delay = *parsed;
    }
    out.sold_out = SoldOut(api::find_or_empty(node_class.meta.annotations, api::kSoldOutAnnotation));
    return out;
}

}  // namespace joiner::cloud::kwok
