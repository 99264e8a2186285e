#include "cloud/ec2/aws/response.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace joiner::cloud::ec2::aws {
namespace {

// "com.amazonaws.sqs#QueueDoesNotExist:http://..." -> "QueueDoesNotExist"
std::string bare_code(std::string_view code) {
    if (const std::size_t hash = code.find('#'); hash != std::string_view::npos) code.remove_prefix(hash + 1);
    return std::string(code.substr(0, code.find(':')));
}

std::string text_at(const nlohmann::json& object, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
        if (const auto it = object.find(key); it != object.end() && it->is_string())
            return it->get<std::string>();
    }
    return {};
}

ErrorText json_error(std::string_view body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object()) return {};
    return {bare_code(text_at(json, {"__type", "code"})), text_at(json, {"message", "Message"})};
}

}  // namespace

ErrorText error_of(Protocol protocol, std::string_view body) {
    if (protocol == Protocol::kJson) return json_error(body);
    pugi::xml_document document;
    if (!document.load_buffer(body.data(), body.size())) return {};
    const pugi::xml_node root = document.document_element();
    const bool is_ec2 = std::string_view(root.name()) == "Response";
    const pugi::xml_node error = is_ec2 ? root.child("Errors").child("Error") : root.child("Error");
    return {error.child_value("Code"), error.child_value("Message")};
}

Result<pugi::xml_document> parse_xml(std::string_view body, const std::string& root) {
    pugi::xml_document document;
    const pugi::xml_parse_result parsed = document.load_buffer(body.data(), body.size());
    const std::string_view name = document.document_element().name();
    if (!parsed || name != root)
        return fail(
            ErrorKind::kUnavailable,
            fmt::format("the answer is no {}: it was cut off, or something else than AWS answers at this "
                        "endpoint",
                        root));
    return document;
}

}  // namespace joiner::cloud::ec2::aws
