#include "control/shortages_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace joiner::control {
namespace {

constexpr std::string_view kOfClass = "class";
constexpr std::string_view kNothing = "-";
constexpr std::string_view kSpaces = " \t\r\n";
constexpr int kMostTimes = 100;

std::string_view or_nothing(const std::string& text) {
    return text.empty() ? kNothing : std::string_view(text);
}
std::string unless_nothing(std::string_view text) {
    return text == kNothing ? std::string() : std::string(text);
}

bool can_be_written(std::string_view text) {
    return text.find_first_of(kSpaces) == std::string_view::npos && text != kNothing;
}
bool can_be_written(const rules::OfferingKey& key) {
    return can_be_written(key.type) && can_be_written(key.zone) && can_be_written(key.capacity_type) &&
           can_be_written(key.reservation);
}

std::string line_of(const ShortagesOfClass& of) {
    return fmt::format("{} {} {} {} generation {} annotations {}\n", kOfClass,
                       or_nothing(of.node_class.group), or_nothing(of.node_class.kind),
                       or_nothing(of.node_class.name), of.generation, or_nothing(of.annotations));
}

std::string line_of(const rules::OfferingKey& key, const Shortage& shortage) {
    return fmt::format("{} {} {} {} until {} noted {} times {}\n", or_nothing(key.type), or_nothing(key.zone),
                       or_nothing(key.capacity_type), or_nothing(key.reservation),
                       format_rfc3339(shortage.until), format_rfc3339(shortage.noted), shortage.times);
}

using Words = std::vector<std::string_view>;

constexpr std::size_t kMostWords = 10;  // Of a line; more than that say nothing.

Words words_of(std::string_view line) {
    Words out;
    while (out.size() <= kMostWords) {
        const std::size_t begin = line.find_first_not_of(kSpaces);
        if (begin == std::string_view::npos) break;
        line.remove_prefix(begin);
        out.push_back(line.substr(0, line.find_first_of(kSpaces)));
        line.remove_prefix(out.back().size());
    }
    return out;
}

template <typename T>
bool is_number(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

std::optional<ShortagesOfClass> class_in(const Words& words) {
    ShortagesOfClass out;
    if (words.size() != 8 || words[0] != kOfClass || words[4] != "generation" || words[6] != "annotations" ||
        !is_number(words[5], out.generation))
        return std::nullopt;
    out.node_class = {unless_nothing(words[1]), unless_nothing(words[2]), unless_nothing(words[3])};
    out.annotations = unless_nothing(words[7]);
    return out;
}

std::optional<std::pair<rules::OfferingKey, Shortage>> offering_in(const Words& words) {
    if (words.size() != 10 || words[4] != "until" || words[6] != "noted" || words[8] != "times")
        return std::nullopt;
    const auto until = parse_rfc3339(words[5]);
    const auto noted = parse_rfc3339(words[7]);
    int times = 0;
    if (!until || !noted || !is_number(words[9], times) || times < 0 || times > kMostTimes)
        return std::nullopt;
    return std::pair(rules::OfferingKey{unless_nothing(words[0]), unless_nothing(words[1]),
                                        unless_nothing(words[2]), unless_nothing(words[3])},
                     Shortage{*until, *noted, times});
}

// When the last one that is still written was noted.
WallTime noted_since(const std::vector<ShortagesOfClass>& shortages) {
    std::vector<WallTime> noted;
    for (const ShortagesOfClass& of : shortages) {
        for (const auto& [key, shortage] : of.offerings) noted.push_back(shortage.noted);
    }
    if (noted.size() <= kMostWritten) return kNoTime;
    const auto last = noted.begin() + (kMostWritten - 1);
    std::nth_element(noted.begin(), last, noted.end(), std::greater<>());
    return *last;
}

}  // namespace

std::string written(const std::vector<ShortagesOfClass>& shortages) {
    const WallTime since = noted_since(shortages);
    std::string out;
    std::size_t count = 0;
    for (const ShortagesOfClass& of : shortages) {
        bool has_some = false;
        for (const auto& [key, shortage] : of.offerings) {
            if (shortage.noted < since || !can_be_written(key) || count == kMostWritten) continue;
            std::string lines = has_some ? std::string() : line_of(of);
            lines += line_of(key, shortage);
            if (out.size() + lines.size() > kMostWrittenBytes) return out;
            out += lines;
            has_some = true;
            ++count;
        }
    }
    return out;
}

std::vector<ShortagesOfClass> read_shortages(std::string_view text) {
    std::vector<ShortagesOfClass> out;
    std::size_t count = 0;
    while (!text.empty() && count < kMostWritten) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const Words words = words_of(line);
        if (auto of = class_in(words)) {
            out.push_back(std::move(*of));
        } else if (auto offering = offering_in(words); offering && !out.empty()) {
            out.back().offerings.push_back(std::move(*offering));
            ++count;
        }
    }
    return out;
}

}  // namespace joiner::control
