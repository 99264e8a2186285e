#include "kube/watch_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstring>
#include <optional>
#include <utility>

namespace joiner::kube {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kKeptCapacity = 1u << 20;  // A buffer that grew beyond this for one event is given back.
constexpr std::string_view kInitialEventsEnd = "k8s.io/initial-events-end";

std::optional<WatchEvent::Type> type_of(std::string_view text) {
    if (text == "ADDED") return WatchEvent::Type::kAdded;
    if (text == "MODIFIED") return WatchEvent::Type::kModified;
    if (text == "DELETED") return WatchEvent::Type::kDeleted;
    if (text == "BOOKMARK") return WatchEvent::Type::kBookmark;
    if (text == "ERROR") return WatchEvent::Type::kError;
    return std::nullopt;
}

tl::unexpected<Error> fail_json(const char* what, simdjson::error_code code) {
    return invalid(fmt::format("{}: {}", what, simdjson::error_message(code)));
}

struct Metadata {
    std::string_view resource_version;
    bool ends_initial_events = false;
};

Result<Metadata> read_metadata(ondemand::object& object) {
    ondemand::object fields;
    if (const auto code = object["metadata"].get_object().get(fields)) return fail_json("metadata", code);
    Metadata metadata;
    for (auto field : fields) {
        std::string_view key;
        if (const auto code = field.unescaped_key().get(key)) return fail_json("metadata", code);
        if (key == "resourceVersion") {
            if (const auto code = field.value().get_string().get(metadata.resource_version)) {
                return fail_json("metadata.resourceVersion", code);
            }
        } else if (key == "annotations") {
            ondemand::object annotations;
            if (field.value().get_object().get(annotations)) continue;  // null
            std::string_view value;
            if (annotations[kInitialEventsEnd].get_string().get(value)) continue;
            metadata.ends_initial_events = value == "true";
        }
    }
    if (metadata.resource_version.empty()) return invalid("the object has no metadata.resourceVersion");
    return metadata;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    return text;
}

}  // namespace
}  // namespace joiner::kube
