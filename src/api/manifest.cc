#include "api/manifest.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "api/codec.h"

namespace joiner::api {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 100;
// Aliases can make a small text enormous: a text may have a node for each of its bytes, and so many more.
constexpr std::size_t kMaxExtraNodes = 1'000'000;
constexpr int kMaxListDepth = 8;

// The words that YAML 1.1 has for true and false. "y" and "n" stay texts: as labels and values they are
// meant so.
std::optional<bool> truth_of(std::string_view text) {
    static constexpr std::array<std::string_view, 9> kTrue = {"true", "True", "TRUE", "yes", "Yes",
                                                              "YES",  "on",   "On",   "ON"};
    static constexpr std::array<std::string_view, 9> kFalse = {"false", "False", "FALSE", "no", "No",
                                                               "NO",    "off",   "Off",   "OFF"};
    if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
    if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
    return std::nullopt;
}

template <typename Number>
bool is_number(std::string_view digits, int base, Number& out) {
    const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
    return error == std::errc{} && at == digits.data() + digits.size();
}

// Digits may be set apart by "_", and 0x, 0o, 0b or a nought before them name the base.
Json whole_number(std::string text) {
    const bool is_negative = text.front() == '-';
    if (is_negative || text.front() == '+') text.erase(0, 1);
    int base = 10;
    if (text.size() > 1 && text.front() == '0') {
        const char mark = text[1];
        base = mark == 'x' || mark == 'X' ? 16 : mark == 'b' || mark == 'B' ? 2 : 8;
        text.erase(0, base == 8 && mark != 'o' && mark != 'O' ? 1 : 2);
    }
    if (text.empty() || text.front() == '-') return nullptr;
    if (std::int64_t whole = 0; is_number((is_negative ? "-" : "") + text, base, whole)) return whole;
    if (std::uint64_t whole = 0; !is_negative && is_number(text, base, whole)) return whole;
    return nullptr;
}

// A plain scalar as kubectl reads it, by YAML 1.1, but for "y" and "n".
Json scalar_to_json(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (const auto truth = truth_of(text)) return *truth;
    if (std::string_view("+-.0123456789").find(text.front()) == std::string_view::npos) return text;
    std::string plain = text;
    if (plain.front() != '.') std::erase(plain, '_');
    if (Json whole = whole_number(plain); !whole.is_null()) return whole;
    if (plain.find_first_not_of("0123456789+-.eE") == std::string::npos &&
        plain.find_first_of("0123456789") != std::string::npos) {
        double number = 0;
        const char* const end = plain.data() + plain.size();
        if (auto [at, error] = std::from_chars(plain.data() + (plain.front() == '+' ? 1 : 0), end, number);
            error == std::errc{} && at == end && std::isfinite(number)) {
            return number;
        }
    }
    return text;
}

// Keys are texts, whatever they look like: "yes" is "true", and 010 is "8".
std::string key_of(const YAML::Node& node) {
    const Json key = scalar_to_json(node);
    return key.is_boolean() || key.is_number_integer() ? key.dump() : node.Scalar();
}

bool is_merge_key(const YAML::Node& key) {
    return key.IsScalar() && key.Scalar() == "<<" && key.Tag() != "!";
}

class YamlReader {
  public:
    // `lines`, where it is not nullptr, gets the line of each field; the text begins after `lines_before`
    // others.
    explicit YamlReader(std::size_t text_bytes, std::map<std::string, int>* lines = nullptr,
                        int lines_before = 0)
        : max_nodes_(text_bytes + kMaxExtraNodes), lines_(lines), lines_before_(lines_before) {}

    struct RepeatedKey {
        std::string key;
        int line;  // Of the later one, which counts.
    };
    std::vector<RepeatedKey> repeated_keys;

    Result<Json> read(const YAML::Node& node, const std::string& path = {}, int depth = 0) {
        if (++nodes_ > max_nodes_) return invalid("its aliases make it too large");
        if (depth > kMaxDepth)
            return invalid(fmt::format("nests deeper than {} levels or contains itself", kMaxDepth));
        switch (node.Type()) {
            case YAML::NodeType::Undefined:
            case YAML::NodeType::Null:
                return Json(nullptr);
            case YAML::NodeType::Scalar:
                return scalar_to_json(node);
            case YAML::NodeType::Sequence:
                return read_sequence(node, path, depth);
            case YAML::NodeType::Map:
                return read_map(node, path, depth);
        }
        return Json(nullptr);
    }

  private:
    Result<Json> read_sequence(const YAML::Node& node, const std::string& path, int depth) {
        Json out = Json::array();
        for (const YAML::Node& item : node) {
            std::string inner;
            if (lines_ != nullptr) inner = note_line(fmt::format("{}[{}]", path, out.size()), item);
            TRY(Json value, read(item, inner, depth + 1));
            out.push_back(std::move(value));
        }
        return out;
    }

    Result<Json> read_map(const YAML::Node& node, const std::string& path, int depth) {
        Json out = Json::object();
        bool has_merges = false;
        for (const auto& member : node) {
            if (!member.first.IsScalar()) return invalid("a key is not a text");
            if (is_merge_key(member.first)) {
                has_merges = true;
                continue;
            }
            const std::string key = key_of(member.first);
            const auto [place, is_new] = out.emplace(key, nullptr);
            if (!is_new) repeated_keys.push_back({key, line_of(member.first)});
            std::string inner;
            if (lines_ != nullptr) inner = note_line(path.empty() ? key : path + "." + key, member.first);
            TRY(*place, read(member.second, inner, depth + 1));
        }
        if (!has_merges) return out;
        for (const auto& member : node) {
            if (!is_merge_key(member.first)) continue;
            TRY(Json value, read(member.second, path, depth + 1));
            TRY_STATUS(merge(std::move(value), out));
        }
        return out;
    }

    // What stands in `out` stays; of several objects the first wins.
    static Status merge(Json value, Json& out) {
        Json objects = value.is_array() ? std::move(value) : Json::array({std::move(value)});
        for (Json& object : objects) {
            if (!object.is_object()) return invalid("<< merges neither an object nor a list of objects");
            for (auto& [key, member] : object.items()) out.emplace(key, std::move(member));
        }
        return {};
    }

    const std::string& note_line(std::string path, const YAML::Node& node) {
        return lines_->insert_or_assign(std::move(path), line_of(node)).first->first;
    }

    int line_of(const YAML::Node& node) const { return node.Mark().line + 1 + lines_before_; }

    std::size_t max_nodes_;
    std::map<std::string, int>* lines_;
    int lines_before_;
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

// Lines of a text up to places further and further down.
class LineCounter {
  public:
    explicit LineCounter(const char* begin) : at_(begin) {}
    int lines_before(const char* place) {
        lines_ += static_cast<int>(std::count(at_, place, '\n'));
        at_ = place;
        return lines_;
    }

  private:
    const char* at_;
    int lines_ = 0;
};

class Splitter {
  public:
    Splitter(std::string source, FieldLines field_lines, ManifestText& out)
        : source_(std::move(source)), wants_lines_(field_lines == FieldLines::kYes), out_(out) {}

    void split(std::string_view text) {
        if (looks_like_json(text)) {
            if (check_json(text)) return split_json(text);
            json_problem_ = check_json(text).error().message;
        }
        // Each document by itself, as kubectl takes them, so that a broken one leaves the others whole.
        int line = 0;
        while (!text.empty()) {
            const std::size_t size = document_size(text);
            split_yaml(text.substr(0, size), line);
            line += static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(size), '\n'));
            text.remove_prefix(size);
        }
    }

  private:
    static bool looks_like_json(std::string_view text) {
        const std::size_t at = text.find_first_not_of(" \t\r\n");
        return at != std::string_view::npos && text[at] == '{';
    }

    static Status check_json(std::string_view text) {
        simdjson::dom::parser parser;
        simdjson::dom::element root;
        if (const auto error = parser.parse(text.data(), text.size()).get(root))
            return invalid(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
        return {};
    }

    // Up to the next line that begins with "---".
    static std::size_t document_size(std::string_view text) {
        for (std::size_t at = text.find("\n---"); at != std::string_view::npos;
             at = text.find("\n---", at + 1)) {
            const std::size_t after = at + 4;
            if (after == text.size() || std::string_view(" \t\r\n").find(text[after]) != std::string::npos)
                return at + 1;
        }
        return text.size();
    }

    // Directives and comments may stand before the first "---".
    static bool says_nothing(std::string_view text) {
        while (!text.empty()) {
            const std::string_view line = text.substr(0, text.find('\n'));
            const std::size_t first = line.find_first_not_of(" \t\r");
            if (first != std::string_view::npos && line[first] != '#' && line[0] != '%') return false;
            text.remove_prefix(std::min(text.size(), line.size() + 1));
        }
        return true;
    }

    void split_json(std::string_view text) {
        lines_.clear();
        if (wants_lines_) {
            try {
                if (!YamlReader(text.size(), &lines_).read(YAML::Load(std::string(text)))) lines_.clear();
            } catch (const YAML::Exception&) {
                lines_.clear();  // JSON that YAML does not take: the object's own line has to do.
            }
        }
        LineCounter counter(text.data());
        const std::size_t first = text.find_first_not_of(" \t\r\n");
        add_object(text, {.line = counter.lines_before(text.data() + first) + 1, .counts_lines = true});
    }

    void split_yaml(std::string_view text, int lines_before) {
        if (says_nothing(text)) return;
        lines_.clear();
        try {
            const std::string yaml(text);
            ProgressCheck::run(yaml);
            for (const YAML::Node& document : YAML::LoadAll(yaml)) {
                if (!document.IsDefined() || document.IsNull()) continue;
                lines_.clear();
                Place place{.line = document.Mark().line + 1 + lines_before};
                YamlReader reader(text.size(), wants_lines_ ? &lines_ : nullptr, lines_before);
                const auto json = reader.read(document);
                for (const YamlReader::RepeatedKey& repeated : reader.repeated_keys)
                    out_.repeated_keys.push_back(
                        fmt::format("{}:{}: {}", source_, repeated.line, repeated.key));
                if (!json) {
                    misread(place.line, json.error().message);
                } else if (!json->is_object()) {
                    foreign(place.line, "is not an object with apiVersion and kind", dump(*json));
                } else {
                    std::vector<int> item_lines;
                    if (const YAML::Node items = document["items"]; items && items.IsSequence()) {
                        for (const YAML::Node& item : items)
                            item_lines.push_back(item.Mark().line + 1 + lines_before);
                    }
                    place.item_lines = &item_lines;
                    add_object(dump(*json), place);
                }
            }
        } catch (const YAML::Exception& e) {
            misread(e.mark.is_null() ? lines_before + 1 : e.mark.line + 1 + lines_before,
                    json_problem_.empty() ? "not valid YAML: " + e.msg : json_problem_);
        }
    }

    struct Place {
        int line = 1;
        bool counts_lines = false;                     // The text is the file's own.
        const std::vector<int>* item_lines = nullptr;  // Of a List, where they are known.
        std::string prefix = {};                       // "items[2]." in the map of lines.
        int depth = 0;
    };

    void misread(int line, const std::string& what) {
        out_.misread.push_back({.message = fmt::format("{}:{}: {}", source_, line, what)});
    }
    void foreign(int line, const std::string& what, std::string_view json) {
        out_.misread.push_back({.message = fmt::format("{}:{}: {}", source_, line, what),
                                .is_foreign = true,
                                .json = std::string(json)});
    }

    // Appends the object, or what is in it when it is a List.
    void add_object(std::string_view json, const Place& place) {
        if (place.depth > kMaxListDepth)
            return misread(place.line, fmt::format("Lists nest deeper than {} levels", kMaxListDepth));
        simdjson::ondemand::parser parser;
        const simdjson::padded_string padded(json);
        simdjson::ondemand::document document;
        simdjson::ondemand::object object;
        if (parser.iterate(padded).get(document) != simdjson::SUCCESS ||
            document.get_object().get(object) != simdjson::SUCCESS)
            return foreign(place.line, "is not an object with apiVersion and kind", json);
        std::string_view text;
        if (object["kind"].get(text) != simdjson::SUCCESS || text.empty())
            return foreign(place.line, "has no kind", json);
        Document out;
        out.kind = text;
        if (object["apiVersion"].get(text) != simdjson::SUCCESS || text.empty())
            return foreign(place.line, out.kind + " has no apiVersion", json);
        out.api_version = text;
        simdjson::ondemand::value items;
        if (out.kind.ends_with("List")) {
            const bool has_items = object["items"].get(items) == simdjson::SUCCESS;
            if (has_items && !items.is_null()) return add_items(items, out, padded, place);
            if (has_items || out.kind == "List") return;
        }
        out.source = fmt::format("{}:{}", source_, place.line);
        out.json = json;
        read_names(object, out);
        take_lines(place.prefix, out);
        out_.documents.push_back(std::move(out));
    }

    static void read_names(simdjson::ondemand::object& object, Document& out) {
        simdjson::ondemand::object metadata;
        if (object["metadata"].get_object().get(metadata) != simdjson::SUCCESS) return;
        std::string_view text;
        if (metadata["name"].get(text) == simdjson::SUCCESS) out.name = text;
        if (metadata["namespace"].get(text) == simdjson::SUCCESS) out.ns = text;
        if (metadata["generateName"].get(text) == simdjson::SUCCESS) out.generate_name = text;
    }

    void take_lines(const std::string& prefix, Document& out) const {
        for (auto it = lines_.lower_bound(prefix); it != lines_.end() && it->first.starts_with(prefix); ++it)
            out.field_lines.emplace(it->first.substr(prefix.size()), it->second);
    }

    void add_items(simdjson::ondemand::value& items, const Document& list,
                   const simdjson::padded_string& padded, const Place& place) {
        simdjson::ondemand::array array;
        if (items.get_array().get(array) != simdjson::SUCCESS)
            return misread(place.line, fmt::format("items of {} is not a list", list.kind));
        LineCounter counter(padded.data());
        std::size_t number = 0;
        for (auto item : array) {
            simdjson::ondemand::object child;
            std::string_view raw;
            Place inner{.line = place.line,
                        .prefix = fmt::format("{}items[{}].", place.prefix, number),
                        .depth = place.depth + 1};
            if (place.item_lines != nullptr && number < place.item_lines->size())
                inner.line = (*place.item_lines)[number];
            ++number;
            if (item.get_object().get(child) != simdjson::SUCCESS ||
                child.raw_json().get(raw) != simdjson::SUCCESS) {
                misread(inner.line, fmt::format("item {} of {} is not an object", number, list.kind));
                continue;
            }
            if (place.counts_lines) {
                const int before = counter.lines_before(raw.data());
                const std::size_t first = std::string_view(padded).find_first_not_of(" \t\r\n");
                const int own = static_cast<int>(std::count(padded.data(), padded.data() + first, '\n'));
                inner.line = place.line + before - own;
                inner.counts_lines = true;
            }
            // kubectl's typed lists leave kind and apiVersion out of their items.
            if (list.kind != "List" && has_no_kind(raw)) {
                const std::string_view members = raw.substr(raw.find('{') + 1);
                const bool is_empty = members.find_first_not_of(" \t\r\n") == members.rfind('}');
                std::string whole = fmt::format(
                    R"({{"apiVersion":{},"kind":{}{})", encode_string(list.api_version),
                    encode_string(list.kind.substr(0, list.kind.size() - 4)), is_empty ? "" : ",");
                whole += members;
                add_object(whole, inner);
            } else {
                add_object(raw, inner);
            }
        }
    }

    std::string source_;
    bool wants_lines_;
    ManifestText& out_;
    std::string json_problem_;
    std::map<std::string, int> lines_;  // Of the document at hand.
};

}  // namespace

std::string_view Document::group() const {
    const std::size_t slash = api_version.find('/');
    return std::string_view(api_version).substr(0, slash == std::string::npos ? 0 : slash);
}

Result<std::string> yaml_to_json(std::string_view yaml, const std::string& source) {
    try {
        YamlReader reader(yaml.size());
        const auto json = reader.read(YAML::Load(std::string(yaml)));
        if (!json) return invalid(fmt::format("{}: {}", source, json.error().message));
        if (!reader.repeated_keys.empty()) {
            const auto& [key, line] = reader.repeated_keys.front();
            return invalid(
                fmt::format("{}: key {} stands twice in one object, again in line {}", source, key, line));
        }
        return dump(*json);
    } catch (const YAML::Exception& e) {
        return invalid(fmt::format("{}, line {}: not valid YAML: {}", source, e.mark.line + 1, e.msg));
    }
}

ManifestText read_manifest(std::string_view text, const std::string& source, FieldLines field_lines) {
    ManifestText out;
    Splitter(source, field_lines, out).split(text);
    return out;
}

Result<std::vector<Document>> split_manifest(std::string_view text, const std::string& source) {
    ManifestText read = read_manifest(text, source);
    if (!read.misread.empty()) return invalid(read.misread.front().message);
    return std::move(read.documents);
}

}  // namespace joiner::api
