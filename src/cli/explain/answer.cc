#include "cli/explain/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <numeric>

namespace joiner::cli {
namespace {

constexpr std::size_t kMostTextOfOne = 600;  // Messages of others may be of any length.
constexpr std::size_t kNamesShown = 3;
constexpr std::size_t kLongestName = 80;

// Nothing of other people's that a terminal would obey.
std::string one_line(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, kMostTextOfOne)) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_space = byte == '\n' || byte == '\t' || byte == '\r';
        // Of a letter that is not ASCII, its first byte stands for all.
        if (is_space) {
            out += ' ';
        } else if (byte >= 0xc0) {
            out += '?';
        } else if (byte >= 0x20 && byte < 0x7f) {
            out += c;
        }
    }
    if (text.size() > kMostTextOfOne) out += "...";
    return out;
}

// Broken at spaces; what follows the first line stands two columns further in.
std::vector<std::string> wrapped(std::string_view text, std::size_t indent) {
    std::vector<std::string> out;
    std::string rest = one_line(text);
    std::string begin(indent, ' ');
    while (true) {
        const std::size_t room = kAnswerColumns - begin.size();
        if (rest.size() <= room) break;
        std::size_t end = rest.rfind(' ', room);
        if (end == std::string::npos || end == 0) end = rest.find(' ', room);
        if (end == std::string::npos) break;
        out.push_back(begin + rest.substr(0, end));
        rest.erase(0, end + 1);
        begin.assign(indent + 2, ' ');
    }
    out.push_back(begin + rest);
    return out;
}

struct Rendered {
    std::string title;
    std::vector<std::string> lines;
    std::size_t shown = 0;
};

// As many lines of each section as there is room for; the longest give way first.
void fit(std::vector<Rendered>& sections, std::size_t fixed) {
    const auto height = [&] {
        std::size_t out = fixed;
        for (const Rendered& one : sections) out += one.shown + 2 + (one.shown < one.lines.size() ? 1 : 0);
        return out;
    };
    while (height() > kAnswerLines) {
        const auto longest =
            std::max_element(sections.begin(), sections.end(),
                             [](const Rendered& a, const Rendered& b) { return a.shown < b.shown; });
        if (longest == sections.end() || longest->shown <= 3) return;
        --longest->shown;
    }
}

// Letters to change, add or take away to get from one to the other; stops counting at `most`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t most) {
    a = a.substr(0, kLongestName);
    b = b.substr(0, kLongestName);
    if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= most) return most;
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        std::size_t least = row[0];
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
            least = std::min(least, row[j]);
        }
        if (least >= most) return most;
    }
    return std::min(row.back(), most);
}

}  // namespace

AnswerSection& Answer::section(std::string section_title) {
    sections.push_back({std::move(section_title), {}});
    return sections.back();
}

void Answer::finish(nlohmann::ordered_json members) {
    members["message"] = title;
    members["whatToDo"] = to_do;
    const std::string text = members.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    json = text.substr(1, text.size() - 2);
}

std::string as_text(const Answer& answer, bool is_verbose) {
    std::vector<Rendered> sections;
    for (const AnswerSection& section : answer.sections) {
        Rendered one{section.title, {}, 0};
        for (const AnswerLine& line : section.lines) {
            if (line.is_only_verbose && !is_verbose) continue;
            const auto lines = wrapped(line.text, 2 + 2 * static_cast<std::size_t>(line.depth));
            one.lines.insert(one.lines.end(), lines.begin(), lines.end());
        }
        one.shown = one.lines.size();
        if (!one.lines.empty()) sections.push_back(std::move(one));
    }
    std::vector<std::string> head = wrapped(answer.title, 0);
    std::vector<std::string> tail = wrapped("To do: " + answer.to_do, 0);
    for (const std::string& note : answer.notes) {
        const auto lines = wrapped("Note: " + note, 0);
        tail.insert(tail.end(), lines.begin(), lines.end());
    }
    if (!is_verbose) fit(sections, head.size() + tail.size() + 1);
    std::string out;
    const auto add = [&](const std::string& line) { out += line + '\n'; };
    for (const std::string& line : head) add(line);
    for (const Rendered& one : sections) {
        out += '\n';
        add(one.title);
        for (std::size_t i = 0; i < one.shown; ++i) add(one.lines[i]);
        if (one.shown < one.lines.size())
            add(fmt::format("  and {} lines more; -v shows them", one.lines.size() - one.shown));
    }
    out += '\n';
    for (const std::string& line : tail) add(line);
    return out;
}

std::string an_hour(rules::Money money) {
    return fmt::format("{:.4f} $ an hour", money.dollars());
}

std::string an_hour_and_month(rules::Money money) {
    constexpr double kHoursOfMonth = 730;
    return fmt::format("{}, {:.2f} $ a month", an_hour(money), money.dollars() * kHoursOfMonth);
}

std::string words_of(const rules::Resources& resources) {
    std::string out;
    const auto add = [&](std::string_view name, std::int64_t amount) {
        if (amount == 0) return;
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, rules::amount_text(name, amount));
    };
    add("cpu", resources.cpu_milli);
    add("memory", resources.memory_bytes);
    add("ephemeral-storage", resources.ephemeral_bytes);
    for (const auto& [name, amount] : resources.extended) add(name, amount);
    return out.empty() ? "nothing" : out;
}

std::string about(Duration duration) {
    const auto text = [](std::int64_t n, std::string_view unit) {
        return fmt::format("{} {}{}", n, unit, n == 1 ? "" : "s");
    };
    const std::int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
    if (seconds < 120) return text(std::max<std::int64_t>(0, seconds), "second");
    if (seconds < 2 * 3600) return text(seconds / 60, "minute");
    if (seconds < 2 * 86'400) return text(seconds / 3600, "hour");
    return text(seconds / 86'400, "day");
}

std::vector<std::string> nearest_names(std::string_view wanted, const std::vector<std::string>& names) {
    // What shares less than half of its letters is no neighbour.
    const std::size_t most = std::max<std::size_t>(2, wanted.size() / 2 + 1);
    std::vector<std::pair<std::size_t, std::string_view>> ranked;
    for (const std::string& name : names) {
        const bool contains = wanted.size() >= 3 && name.find(wanted) != std::string::npos;
        const std::size_t rank = contains ? 0 : distance(wanted, name, most);
        if (rank < most) ranked.emplace_back(rank, name);
    }
    const std::size_t shown = std::min(kNamesShown, ranked.size());
    std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(shown), ranked.end());
    std::vector<std::string> out;
    // What is much further off than the nearest is not meant.
    for (std::size_t i = 0; i < shown && ranked[i].first <= ranked[0].first + (ranked[0].first == 0 ? 0 : 1);
         ++i)
        out.emplace_back(ranked[i].second);
    return out;
}

}  // namespace joiner::cli
