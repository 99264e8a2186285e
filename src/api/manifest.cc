#include "api/manifest.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "api/codec.h"

namespace joiner::api {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 100;
// Aliases can make a small text enormous: a text may have a node for each of its bytes, and so many more.
constexpr std::size_t kMaxExtraNodes = 1'000'000;
constexpr int kMaxListDepth = 8;

// A plain scalar by YAML's core schema, as Kubernetes reads it (YAML 1.1 booleans are left to be texts,
// except the forms everybody means).
Json scalar_to_json(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    std::int64_t whole = 0;
    const char* const begin = text.data() + (text.front() == '+' ? 1 : 0);
    const char* const end = text.data() + text.size();
    if (auto [at, error] = std::from_chars(begin, end, whole); error == std::errc{} && at == end)
        return whole;
    if (text.find_first_not_of("0123456789+-.eE") == std::string::npos &&
        text.find_first_of("0123456789") != std::string::npos) {
        double number = 0;
        if (auto [at, error] = std::from_chars(begin, end, number);
            error == std::errc{} && at == end && std::isfinite(number)) {
            return number;
        }
    }
    return text;
}

class YamlReader {
  public:
    YamlReader(std::string source, std::size_t text_bytes)
        : source_(std::move(source)), max_nodes_(text_bytes + kMaxExtraNodes) {}

    Result<Json> read(const YAML::Node& node, int depth = 0) {
        if (++nodes_ > max_nodes_) return invalid(source_ + ": its aliases make it too large");
        if (depth > kMaxDepth) {
            return invalid(
                fmt::format("{}: nests deeper than {} levels or contains itself", source_, kMaxDepth));
        }
        switch (node.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null:
                return Json(nullptr);
            case YAML::NodeType::Scalar:
                return scalar_to_json(node);
            case YAML::NodeType::Sequence: {
                Json out = Json::array();
                for (const YAML::Node& item : node) {
                    TRY(Json value, read(item, depth + 1));
                    out.push_back(std::move(value));
                }
                return out;
            }
            case YAML::NodeType::Map: {
                Json out = Json::object();
                for (const auto& member : node) {
                    if (!member.first.IsScalar())
                        return invalid(fmt::format("{}: a key is not a text", source_));
                    const std::string& key = member.first.Scalar();
                    TRY(Json value, read(member.second, depth + 1));
                    if (!out.emplace(key, std::move(value)).second) {
                        return invalid(fmt::format("{}: key {} stands twice in one object", source_, key));
                    }
                }
                return out;
            }
        }
        return Json(nullptr);
    }

  private:
    std::string source_;
    std::size_t max_nodes_;
    std::size_t nodes_ = 0;
};

// LoadAll() never ends on a stray "," or "]": the parser makes an empty document of it and stays where it is.
// So the documents are walked once before, and one that begins where the last began is a mistake.
class ProgressCheck final : public YAML::EventHandler {
  public:
    static void run(const std::string& text) {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        ProgressCheck check;
        while (parser.HandleNextDocument(check)) {
        }
    }
    void OnDocumentStart(const YAML::Mark& mark) override {
        if (mark.pos == last_)
            throw YAML::ParserException(mark, "there is something after the end of the document");
        last_ = mark.pos;
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}

  private:
    int last_ = -1;
};

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool has_no_kind(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    return parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS &&
           root["kind"].error() != simdjson::SUCCESS;
}

// Appends the object, or what is in it when it is a List.
Status add_object(std::string_view json, const std::string& source, int list_depth,
                  std::vector<Document>& out) {
    if (list_depth > kMaxListDepth)
        return invalid(fmt::format("{}: Lists nest deeper than {} levels", source, kMaxListDepth));
    simdjson::ondemand::parser parser;
    const simdjson::padded_string padded(json);
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
        return invalid(source + ": is not an object with apiVersion and kind");
    }
    std::string_view kind;
    std::string_view api_version;
    if (object["kind"].get(kind) != simdjson::SUCCESS || kind.empty())
        return invalid(source + ": has no kind");
    const std::string kind_text(kind);
    if (object["apiVersion"].get(api_version) != simdjson::SUCCESS || api_version.empty()) {
        return invalid(fmt::format("{}: {} has no apiVersion", source, kind_text));
    }
    const std::string version_text(api_version);
    if (!kind_text.ends_with("List")) {
        out.push_back({version_text, kind_text, std::string(json), source});
        return {};
    }
    simdjson::ondemand::value items;
    if (object["items"].get(items) != simdjson::SUCCESS || items.is_null()) return {};
    simdjson::ondemand::array array;
    if (items.get_array().get(array) != simdjson::SUCCESS)
        return invalid(fmt::format("{}: items of {} is not a list", source, kind_text));
    std::size_t number = 0;
    for (auto item : array) {
        simdjson::ondemand::object child;
        std::string_view raw;
        const std::string where = fmt::format("{}, item {}", source, ++number);
        if (item.get_object().get(child) != simdjson::SUCCESS ||
            child.raw_json().get(raw) != simdjson::SUCCESS) {
            return invalid(where + ": is not an object");
        }
        // kubectl's typed lists leave kind and apiVersion out of their items.
        if (kind_text != "List" && has_no_kind(raw)) {
            const std::string_view members = raw.substr(raw.find('{') + 1);
            const bool is_empty = members.find_first_not_of(" \t\r\n") == members.rfind('}');
            std::string whole =
                fmt::format(R"({{"apiVersion":{},"kind":{}{})", encode_string(version_text),
                            encode_string(kind_text.substr(0, kind_text.size() - 4)), is_empty ? "" : ",");
            whole += members;
            TRY_STATUS(add_object(whole, where, list_depth + 1, out));
        } else {
            TRY_STATUS(add_object(raw, where, list_depth + 1, out));
        }
    }
    return {};
}

bool looks_like_json(std::string_view text) {
    const std::size_t at = text.find_first_not_of(" \t\r\n");
    return at != std::string_view::npos && text[at] == '{';
}

// Whether the whole text is one JSON document; broken JSON gets simdjson's word for what is wrong.
Status check_json(std::string_view text, const std::string& source) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (const auto error = parser.parse(text.data(), text.size()).get(root)) {
        return invalid(fmt::format("{}: not valid JSON: {}", source, simdjson::error_message(error)));
    }
    return {};
}

}  // namespace

Result<std::string> yaml_to_json(std::string_view yaml, const std::string& source) {
    try {
        TRY(const Json json, YamlReader(source, yaml.size()).read(YAML::Load(std::string(yaml))));
        return dump(json);
    } catch (const YAML::Exception& e) {
        return invalid(fmt::format("{}, line {}: not valid YAML: {}", source, e.mark.line + 1, e.msg));
    }
}

Result<std::vector<Document>> split_manifest(std::string_view text, const std::string& source) {
    std::vector<Document> out;
    if (looks_like_json(text) && check_json(text, source)) {
        TRY_STATUS(add_object(text, source, 0, out));
        return out;
    }
    try {
        const std::string yaml(text);
        ProgressCheck::run(yaml);
        const std::vector<YAML::Node> documents = YAML::LoadAll(yaml);
        for (std::size_t i = 0; i < documents.size(); ++i) {
            if (!documents[i].IsDefined() || documents[i].IsNull()) continue;
            const std::string where =
                documents.size() == 1 ? source : fmt::format("{}, document {}", source, i + 1);
            TRY(const Json json, YamlReader(where, text.size()).read(documents[i]));
            if (!json.is_object()) return invalid(where + ": is not an object with apiVersion and kind");
            TRY_STATUS(add_object(dump(json), where, 0, out));
        }
    } catch (const YAML::Exception& e) {
        if (looks_like_json(text)) TRY_STATUS(check_json(text, source));
        return invalid(fmt::format("{}, line {}: not valid YAML: {}", source, e.mark.line + 1, e.msg));
    }
    return out;
}

}  // namespace joiner::api
