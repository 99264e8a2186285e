#include "cli/yaml_text.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace joiner::cli {
namespace {

using YamlJson = nlohmann::json;

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Words and quantities that no reader of YAML, old or new, takes for anything but text.
bool may_stand_plain(std::string_view text) {
    constexpr std::array<std::string_view, 10> kWords = {"true", "false", "yes", "no",  "on",
                                                         "off",  "null",  "nan", "inf", "y"};
    if (text.empty() || text.size() > 200) return false;
    const bool has_only_tame = std::all_of(text.begin(), text.end(), [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') ||
               std::string_view("_./$@%-").find(c) != std::string_view::npos;
    });
    if (!has_only_tame) return false;
    if (text.front() >= '0' && text.front() <= '9')
        return std::string_view("smhikMGT%").find(text.back()) != std::string_view::npos;
    if (!is_letter(text.front()) && text.front() != '/' && text.front() != '$') return false;
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return lower != "n" && std::find(kWords.begin(), kWords.end(), lower) == kWords.end();
}

// Several lines of plain text, which a block scalar keeps as they are.
bool may_stand_as_block(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n')
        return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= ' ' && c < 0x7f); });
}

class YamlWriter {
  public:
    void object(const YamlJson& json, std::size_t indent, bool is_first_on_line) {
        for (const auto& [key, value] : json.items()) {
            if (!is_first_on_line) out_.append(indent, ' ');
            is_first_on_line = false;
            out_ += may_stand_plain(key) ? key : quoted_text(key);
            out_ += ':';
            value_of_key(value, indent);
        }
    }
    std::string take() { return std::move(out_); }

  private:
    static std::string quoted_text(const std::string& text) {
        return YamlJson(text).dump(-1, ' ', false, YamlJson::error_handler_t::replace);
    }

    void value_of_key(const YamlJson& value, std::size_t indent) {
        if (value.is_object() && !value.empty()) {
            out_ += '\n';
            object(value, indent + 2, false);
        } else if (value.is_array() && !value.empty()) {
            out_ += '\n';
            for (const YamlJson& item : value) list_item(item, indent);
        } else {
            out_ += ' ';
            scalar(value, indent + 2);
        }
    }

    void list_item(const YamlJson& item, std::size_t indent) {
        out_.append(indent, ' ');
        out_ += "- ";
        if (item.is_object() && !item.empty()) {
            object(item, indent + 2, true);
        } else {
            scalar(item, indent + 2);
        }
    }

    // Empty objects and lists, and lists inside lists, stand as JSON, which is YAML.
    void scalar(const YamlJson& value, std::size_t indent) {
        if (!value.is_string()) {
            out_ += value.dump(-1, ' ', false, YamlJson::error_handler_t::replace);
        } else if (const auto& text = value.get_ref<const std::string&>(); may_stand_plain(text)) {
            out_ += text;
        } else if (may_stand_as_block(text)) {
            return block(text, indent);
        } else {
            out_ += quoted_text(text);
        }
        out_ += '\n';
    }

    void block(std::string_view text, std::size_t indent) {
        const bool ends_line = text.back() == '\n';
        out_ += !ends_line ? "|-\n" : text.ends_with("\n\n") ? "|+\n" : "|\n";
        if (ends_line) text.remove_suffix(1);
        while (true) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            if (end > 0) out_.append(indent, ' ');
            out_ += text.substr(0, end);
            out_ += '\n';
            if (end == text.size()) return;
            text.remove_prefix(end + 1);
        }
    }

    std::string out_;
};

}  // namespace

std::string yaml_text(std::string_view json) {
    YamlWriter writer;
    writer.object(YamlJson::parse(json), 0, false);
    return writer.take();
}

}  // namespace joiner::cli
