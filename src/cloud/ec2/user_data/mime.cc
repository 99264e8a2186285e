#include "cloud/ec2/user_data/mime.h"

#include <algorithm>
#include <utility>

namespace joiner::cloud::ec2 {
namespace {

constexpr std::string_view kBoundary = "//";

std::string with_unix_ends(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        out += text[i];
    }
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

// Headers, and what follows the empty line behind them.
std::pair<std::string_view, std::string_view> split_headers(std::string_view text) {
    if (text.starts_with('\n')) return {{}, text.substr(1)};
    const std::size_t end = text.find("\n\n");
    if (end == std::string_view::npos) return {text, {}};
    return {text.substr(0, end), text.substr(end + 2)};
}

std::string boundary_of(std::string_view headers) {
    const std::size_t at = lower(headers).find("boundary=");
    if (at == std::string::npos) return {};
    std::string_view rest = headers.substr(at + std::string_view("boundary=").size());
    if (rest.starts_with('"')) {
        rest.remove_prefix(1);
        return std::string(rest.substr(0, rest.find('"')));
    }
    return std::string(rest.substr(0, rest.find_first_of("; \n")));
}

}  // namespace

bool is_mime(std::string_view text) {
    return text.starts_with("MIME-Version:") || text.starts_with("Content-Type:");
}

Result<std::vector<MimePart>> read_mime(std::string_view given) {
    const std::string text = with_unix_ends(given);
    const auto [headers, body] = split_headers(text);
    const std::string boundary = boundary_of(headers);
    if (boundary.empty())
        return invalid("spec.userData: the MIME text is not multipart, or names no boundary");
    const std::string mark = "--" + boundary;
    std::vector<MimePart> out;
    std::string part;
    bool is_inside = false;
    bool has_end = false;
    const auto take = [&] {
        if (!is_inside) return;
        if (part.ends_with('\n')) part.pop_back();
        const auto [of_part, content] = split_headers(part);
        out.push_back({std::string(of_part), std::string(content)});
        part.clear();
    };
    for (std::size_t at = 0; at < body.size() && !has_end;) {
        const std::size_t end = std::min(body.find('\n', at), body.size());
        std::string_view line = body.substr(at, end - at);
        at = end + 1;
        std::string_view bare = line.substr(0, line.find_last_not_of(" \t") + 1);
        if (bare == mark || bare == mark + "--") {
            take();
            is_inside = true;
            has_end = bare != mark;
        } else if (is_inside) {
            part += line;
            part += '\n';
        }
    }
    if (!has_end)
        return invalid("spec.userData: the MIME text has no end (a line of its boundary and two dashes)");
    return out;
}

std::string write_mime(const std::vector<MimePart>& parts) {
    std::string out = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"";
    out += kBoundary;
    out += "\"\n\n";
    for (const MimePart& part : parts) {
        out += "--";
        out += kBoundary;
        out += '\n';
        out += part.headers;
        out += "\n\n";
        out += part.body;
        if (!part.body.ends_with('\n')) out += '\n';
    }
    out += "--";
    out += kBoundary;
    out += "--\n";
    return out;
}

}  // namespace joiner::cloud::ec2
