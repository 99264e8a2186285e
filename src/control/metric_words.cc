#include "control/metric_words.h"

#include <algorithm>
#include <cctype>

namespace joiner::control {
namespace {

bool is_upper(char c) {
    return std::isupper(static_cast<unsigned char>(c)) != 0;
}
char to_lower(char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), to_lower);
    return out;
}

std::string snake_case(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool is_word_begin =
            i > 0 && is_upper(text[i]) &&
            (!is_upper(text[i - 1]) || (i + 1 < text.size() && !is_upper(text[i + 1])));
        if (is_word_begin) out += '_';
        out += to_lower(text[i]);
    }
    return out;
}

std::string termination_mode(const std::optional<Duration>& bound) {
    if (!bound) return "graceful";
    return *bound > Duration{0} ? "eventual" : "forceful";
}

}  // namespace joiner::control
