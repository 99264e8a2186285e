#include "observe/gauges.h"

#include <fmt/format.h>

#include <iterator>

namespace joiner::observe {
namespace {

std::string text_of_label(std::string_view key, std::string_view value) {
    std::string out(key);
    out += "=\"";
    for (const char c : value) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '\\' || c == '"') out += '\\';
        out += c;
    }
    out += '"';
    return out;
}

}  // namespace

void Gauges::set(std::string_view name, const Labels& labels, double value) {
    const std::lock_guard lock(mutex_);
    auto& values = family(name).values;
    Series series;
    if (find(labels, series)) {
        if (const auto it = values.find(series); it != values.end()) {
            it->second = value;
            return;
        }
    }
    add(labels, series);
    values.emplace(std::move(series), value);
}

void Gauges::drop(std::string_view name, const Labels& labels) {
    const std::lock_guard lock(mutex_);
    auto& values = family(name).values;
    Series series;
    if (!find(labels, series) || values.erase(series) == 0) return;
    let_go(series);
}

std::size_t Gauges::room_for_labels() const {
    const std::lock_guard lock(mutex_);
    return labels_.size();
}

Gauges::Family& Gauges::family(std::string_view name) {
    const auto it = families_.find(name);
    if (it != families_.end()) return it->second;
    return families_.emplace(std::string(name), Family{names_of_(name), {}}).first->second;
}

bool Gauges::find(const Labels& labels, Series& out) const {
    out.clear();
    for (const auto& [key, value] : labels) {
        const auto it = numbers_.find(text_of_label(key, value));
        if (it == numbers_.end()) return false;
        out.push_back(it->second);
    }
    return true;
}

void Gauges::add(const Labels& labels, Series& out) {
    out.clear();
    for (const auto& [key, value] : labels) {
        const auto [it, is_new] = numbers_.try_emplace(text_of_label(key, value));
        if (is_new && free_.empty()) {
            it->second = static_cast<char32_t>(labels_.size());
            labels_.emplace_back();
        } else if (is_new) {
            it->second = free_.back();
            free_.pop_back();
        }
        Label& label = labels_[it->second];
        label.text = &it->first;
        ++label.uses;
        out.push_back(it->second);
    }
    out.shrink_to_fit();
}

void Gauges::let_go(const Series& series) {
    for (const char32_t number : series) {
        Label& label = labels_[number];
        if (--label.uses > 0) continue;
        numbers_.erase(numbers_.find(*label.text));
        label.text = nullptr;
        free_.push_back(number);
    }
}

void Gauges::write(std::string& out) const {
    std::string last;
    while (true) {
        const std::lock_guard lock(mutex_);
        const auto it = families_.upper_bound(last);
        if (it == families_.end()) return;
        write(it->second, out);
        last = it->first;
    }
}

void Gauges::write(const Family& family, std::string& out) const {
    if (family.values.empty()) return;
    const std::string& name = family.names.full;
    const auto end = std::back_inserter(out);
    fmt::format_to(end, "# HELP {} {}\n# TYPE {} gauge\n", name, family.names.help, name);
    for (const auto& [series, value] : family.values) {
        out += name;
        for (std::size_t i = 0; i < series.size(); ++i) {
            out += i == 0 ? '{' : ',';
            out += *labels_[series[i]].text;
        }
        if (!series.empty()) out += '}';
        fmt::format_to(end, " {:.16g}\n", value);
    }
}

}  // namespace joiner::observe
