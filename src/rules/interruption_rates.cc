#include "rules/interruption_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace joiner::rules {
namespace {

constexpr double kHalfLifeHours = 72;
constexpr double kTooLittle = 0.01;  // Hours and interruptions together.
constexpr double kMostRead = 1e7;    // Of both.
constexpr std::size_t kRateWords = 7;

std::vector<std::string_view> rate_words(std::string_view line) {
    std::vector<std::string_view> out;
    while (out.size() <= kRateWords) {
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) break;
        line.remove_prefix(begin);
        out.push_back(line.substr(0, line.find_first_of(" \t\r")));
        line.remove_prefix(out.back().size());
    }
    return out;
}

bool read_amount(std::string_view text, double& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && out >= 0 && out <= kMostRead;
}

bool is_one_word(std::string_view text) {
    return !text.empty() && text.find_first_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

InterruptionRates::Seen* InterruptionRates::find_or_add(const OfferingKey& key) {
    const auto it = seen_.find(key);
    if (it != seen_.end()) return &it->second;
    return seen_.size() < kMostOfferings ? &seen_[key] : nullptr;
}

void InterruptionRates::note_run(const OfferingKey& key, double hours) {
    if (Seen* seen = find_or_add(key)) seen->hours += std::max(0.0, hours);
}

void InterruptionRates::note_interrupted(const OfferingKey& key) {
    if (Seen* seen = find_or_add(key)) seen->interruptions += 1;
}

void InterruptionRates::forget(Duration passed) {
    const double kept = std::exp2(-std::max(0.0, to_seconds(passed)) / 3600 / kHalfLifeHours);
    for (auto& [key, seen] : seen_) {
        seen.hours *= kept;
        seen.interruptions *= kept;
    }
    std::erase_if(
        seen_, [](const auto& item) { return item.second.hours + item.second.interruptions < kTooLittle; });
}

double InterruptionRates::rate(const OfferingKey& key) const {
    const auto it = seen_.find(key);
    if (it == seen_.end()) return kPrior;
    return (kPrior * kPriorHours + it->second.interruptions) / (kPriorHours + it->second.hours);
}

double InterruptionRates::excess(const OfferingKey& key) const {
    return std::max(0.0, rate(key) - kPrior);
}

std::string InterruptionRates::written() const {
    std::string out;
    for (const auto& [key, seen] : seen_) {
        if (is_one_word(key.type) && is_one_word(key.zone) && is_one_word(key.capacity_type))
            out += fmt::format("{} {} {} hours {:.3f} interruptions {:.3f}\n", key.type, key.zone,
                               key.capacity_type, seen.hours, seen.interruptions);
    }
    return out;
}

void InterruptionRates::remember(std::string_view text) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::vector<std::string_view> words = rate_words(line);
        Seen read;
        if (words.size() != kRateWords || words[3] != "hours" || words[5] != "interruptions" ||
            !read_amount(words[4], read.hours) || !read_amount(words[6], read.interruptions))
            continue;
        Seen* seen = find_or_add({std::string(words[0]), std::string(words[1]), std::string(words[2]), {}});
        if (seen == nullptr) return;
        seen->hours += read.hours;
        seen->interruptions += read.interruptions;
    }
}

Money interruption_cost(double excess, Money price, double cores, const InterruptionToll& toll) {
    const double one = toll.hours * price.dollars() + toll.dollars_a_core * cores;
    const double most = toll.most_of_a_price * price.dollars();
    return Money::from_dollars(std::clamp(excess * one, 0.0, std::max(0.0, most)));
}

}  // namespace joiner::rules
