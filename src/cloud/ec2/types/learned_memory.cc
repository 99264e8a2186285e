#include "cloud/ec2/types/learned_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "cloud/class_state.h"

namespace joiner::cloud::ec2 {
namespace {

// Of a type's name and an image's id.
constexpr std::size_t kLongestWord = 64;
// Of an annotation that is read.
constexpr std::size_t kLongestMemoryText = LearnedMemory::kMostEntries * (2 * kLongestWord + 24);

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= kLongestWord && text.find_first_of(" ,") == std::string_view::npos;
}

// Up to the separator, which goes with it.
std::string_view take_until(char separator, std::string_view& text) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return out;
}

std::optional<std::int64_t> bytes_in(std::string_view text) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

}  // namespace

bool is_likely_memory(const InstanceTypeInfo& info, std::int64_t bytes) {
    const std::int64_t said = info.memory_mib << 20;
    return bytes <= said && bytes >= said / 2;
}

bool LearnedMemory::note(const std::string& node_class, const std::string& type, const std::string& image,
                         std::int64_t bytes) {
    if (!is_word(type) || !is_word(image) || bytes <= 0) return false;
    Known& known = by_class_[node_class];
    const auto [it, is_new] = known.bytes.try_emplace({type, image}, bytes);
    if (!is_new) {
        if (bytes >= it->second) return false;
        it->second = bytes;
        ++version_;
        return true;
    }
    ++version_;
    known.order.emplace_back(type, image);
    if (known.order.size() > kMostEntries) {
        known.bytes.erase(known.order.front());
        known.order.pop_front();
    }
    return true;
}

void LearnedMemory::read(const api::NodeClass& node_class) {
    std::string_view left = api::find_or_empty(node_class.meta.annotations, kLearnedMemoryAnnotation);
    if (left.size() > kLongestMemoryText) return;
    while (!left.empty()) {
        std::string_view entry = take_until(',', left);
        const std::string type(take_until(' ', entry));
        const std::string image(take_until(' ', entry));
        if (const auto bytes = bytes_in(entry)) note(node_class.meta.name, type, image, *bytes);
    }
}

std::string LearnedMemory::written(const std::string& node_class) const {
    std::string out;
    const auto known = by_class_.find(node_class);
    if (known == by_class_.end()) return out;
    for (const auto& key : known->second.order)
        out += fmt::format("{}{} {} {}", out.empty() ? "" : ",", key.first, key.second,
                           known->second.bytes.at(key));
    return out;
}

const MemoryByImage& LearnedMemory::of(const std::string& node_class) const {
    static const MemoryByImage kNothing;
    const auto known = by_class_.find(node_class);
    return known == by_class_.end() ? kNothing : known->second.bytes;
}

}  // namespace joiner::cloud::ec2
