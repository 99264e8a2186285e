#include "api/first_api_part.h"

#include <fmt/format.h>

#include <cmath>

#include "base/cut.h"

namespace joiner::api {
namespace {

constexpr std::size_t kMaxFirstNotes = 50;
constexpr int kMaxFirstDepth = 64;

void add_first_note(std::vector<std::string>& notes, std::string_view path, std::string_view what) {
    if (notes.size() < kMaxFirstNotes)
        notes.push_back(fmt::format("{}: {}", cut_with_dots(std::string(path), 200), what));
}

bool names_word(std::string_view words, std::string_view word) {
    if (word.find(' ') != std::string_view::npos) return false;
    for (std::size_t at = words.find(word); at != std::string_view::npos; at = words.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) return true;
    }
    return false;
}

}  // namespace

void FirstNotes::problem(std::string_view path, std::string_view what) {
    add_first_note(problems, path, what);
}

void FirstNotes::lose(std::string_view path, std::string_view what) {
    add_first_note(lost, path, what);
}

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", cut_with_dots(std::string(text), 80));
}

Result<FirstJson> parse_first(std::string_view json) {
    bool is_deep = false;
    const auto look = [&](int depth, FirstJson::parse_event_t, FirstJson&) {
        is_deep |= depth > kMaxFirstDepth;
        return depth <= kMaxFirstDepth;
    };
    FirstJson out = FirstJson::parse(json, look, false);
    if (is_deep) return invalid(fmt::format("nests deeper than {} levels", kMaxFirstDepth));
    if (!out.is_object()) return invalid("is not JSON of an object");
    return out;
}

std::string dump_first(const FirstJson& json) {
    return json.dump(-1, ' ', false, FirstJson::error_handler_t::replace);
}

const FirstJson* FirstPart::find(std::string_view key) const {
    if (!json_->is_object()) return nullptr;
    const auto at = json_->find(key);
    return at == json_->end() || at->is_null() ? nullptr : &*at;
}

std::string FirstPart::path_of(std::string_view key) const {
    if (path_.empty() || key.empty()) return path_ + std::string(key);
    return fmt::format("{}.{}", path_, key);
}

std::optional<FirstPart> FirstPart::part(std::string_view key) const {
    const FirstJson* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_object()) return problem(key, "is not an object"), std::nullopt;
    return FirstPart(*found, path_of(key), *notes_);
}

std::vector<FirstPart> FirstPart::parts(std::string_view key) const {
    std::vector<FirstPart> out;
    const FirstJson* found = find(key);
    if (found == nullptr) return out;
    if (!found->is_array()) return problem(key, "is not a list"), out;
    for (std::size_t i = 0; i < found->size(); ++i) {
        FirstPart item((*found)[i], fmt::format("{}[{}]", path_of(key), i), *notes_);
        if ((*found)[i].is_object()) {
            out.push_back(std::move(item));
        } else {
            item.problem("", "is not an object");
        }
    }
    return out;
}

std::optional<std::string> FirstPart::text(std::string_view key) const {
    const FirstJson* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string()) return problem(key, "is not a string"), std::nullopt;
    return found->get<std::string>();
}

std::optional<bool> FirstPart::flag(std::string_view key) const {
    const FirstJson* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_boolean()) return problem(key, "is neither true nor false"), std::nullopt;
    return found->get<bool>();
}

std::optional<std::int64_t> FirstPart::whole(std::string_view key, std::int64_t least,
                                             std::int64_t most) const {
    const FirstJson* found = find(key);
    if (found == nullptr) return std::nullopt;
    const double number = found->is_number() ? found->get<double>() : 0.5;
    if (number != std::floor(number)) return problem(key, "is not a whole number"), std::nullopt;
    if (number < static_cast<double>(least) || number > static_cast<double>(most)) {
        problem(key, fmt::format("is {}; it may be {} to {}", number, least, most));
        return std::nullopt;
    }
    return static_cast<std::int64_t>(number);
}

std::vector<std::string> FirstPart::texts(std::string_view key) const {
    std::vector<std::string> out;
    const FirstJson* found = find(key);
    if (found == nullptr) return out;
    if (!found->is_array()) return problem(key, "is not a list"), out;
    for (std::size_t i = 0; i < found->size(); ++i) {
        if ((*found)[i].is_string()) {
            out.push_back((*found)[i].get<std::string>());
        } else {
            problem(fmt::format("{}[{}]", key, i), "is not a string; put it in quotes");
        }
    }
    return out;
}

StringMap FirstPart::map(std::string_view key) const {
    StringMap out;
    const auto object = part(key);
    if (!object) return out;
    for (const auto& [name, value] : object->json().items()) {
        if (value.is_string()) {
            out[name] = value.get<std::string>();
        } else {
            object->problem(name, "is not a string; put it in quotes");
        }
    }
    return out;
}

std::optional<Quantity> FirstPart::quantity(std::string_view key) const {
    const FirstJson* found = find(key);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string() && !found->is_number())
        return problem(key, "is not a quantity such as 500m or 2Gi"), std::nullopt;
    auto out = Quantity::parse(found->is_string() ? found->get<std::string>() : found->dump());
    if (!out) return problem(key, out.error().message), std::nullopt;
    return *out;
}

StringMap FirstPart::quantities(std::string_view key) const {
    StringMap out;
    const auto object = part(key);
    if (!object) return out;
    for (const auto& [name, value] : object->json().items()) {
        if (const auto quantity = object->quantity(name)) out[name] = quantity->to_string();
    }
    return out;
}

template <typename Tell>
void FirstPart::each_unknown(std::string_view known, Tell tell) const {
    if (!json_->is_object()) return;
    for (const auto& [key, value] : json_->items()) {
        if (!names_word(known, key)) tell(key);
    }
}

void FirstPart::refuse_unknown(std::string_view known) const {
    each_unknown(known, [&](const std::string& key) { problem(key, "is no field here; take it out"); });
}

void FirstPart::lose_unknown(std::string_view known) const {
    each_unknown(known, [&](const std::string& key) { lose(key, "is no field here, and is left out"); });
}

}  // namespace joiner::api
