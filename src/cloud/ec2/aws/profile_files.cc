#include "cloud/ec2/aws/profile_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace joiner::cloud::ec2::aws {
namespace {

enum class File { kConfig, kCredentials };

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

// The section that a header opens; nullptr: one that is nothing to us.
Profile* section_of(std::string_view header, File file, ProfileFiles& out) {
    const auto named = [&](std::string_view kind) {
        return header.starts_with(kind) && header.size() > kind.size() &&
                       (header[kind.size()] == ' ' || header[kind.size()] == '\t')
                   ? std::string(trim(header.substr(kind.size())))
                   : std::string();
    };
    if (file == File::kCredentials || header == "default") return &out.profiles[std::string(header)];
    if (const std::string name = named("profile"); !name.empty()) return &out.profiles[name];
    if (const std::string name = named("services"); !name.empty()) return &out.services[name];
    return nullptr;
}

Status parse(std::string_view text, File file, ProfileFiles& out) {
    Profile* section = nullptr;
    bool is_in_a_section = false;
    std::string nest;  // The key that the indented lines below belong to.
    int number = 0;
    const auto wrong = [&](std::string_view what) {
        return invalid(fmt::format("line {} of the {} is {}", number,
                                   file == File::kConfig ? "AWS config file" : "AWS credentials file", what));
    };
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        std::string_view content = trim(line);
        if (content.empty() || content.front() == '#' || content.front() == ';') continue;
        if (content.front() == '[') {
            const std::size_t close = content.find(']');
            if (close == std::string_view::npos) return wrong("a section without its bracket");
            section = section_of(trim(content.substr(1, close - 1)), file, out);
            is_in_a_section = true;
            nest.clear();
            continue;
        }
        if (!is_in_a_section) return wrong("outside any section");
        const std::size_t equals = content.find('=');
        if (equals == std::string_view::npos) return wrong("no section and no setting");
        const std::string key = lower(trim(content.substr(0, equals)));
        std::string_view value = content.substr(equals + 1);
        for (const std::string_view comment : {" #", " ;", "\t#", "\t;"})
            value = value.substr(0, value.find(comment));
        value = trim(value);
        if (section == nullptr) continue;
        const bool is_nested = (line.front() == ' ' || line.front() == '\t') && !nest.empty();
        if (!is_nested) nest = value.empty() ? key : "";
        (*section)[is_nested ? nest + '.' + key : key] = std::string(value);
    }
    return {};
}

}  // namespace

Result<ProfileFiles> parse_profile_files(std::string_view config, std::string_view credentials) {
    ProfileFiles out;
    TRY_STATUS(parse(config, File::kConfig, out));
    TRY_STATUS(parse(credentials, File::kCredentials, out));
    return out;
}

}  // namespace joiner::cloud::ec2::aws
