#include "rules/selector.h"

#include <fmt/format.h>

#include <algorithm>

namespace joiner::rules {

bool matches(const api::LabelSelector& selector, const api::StringMap& labels) {
    for (const auto& [key, value] : selector.match_labels) {
        const auto it = labels.find(key);
        if (it == labels.end() || it->second != value) return false;
    }
    for (const api::SelectorRequirement& r : selector.match_expressions) {
        const auto it = labels.find(r.key);
        const bool present = it != labels.end();
        const bool listed =
            present && std::find(r.values.begin(), r.values.end(), it->second) != r.values.end();
        const bool ok = r.op == "In"             ? listed
                        : r.op == "NotIn"        ? !listed
                        : r.op == "Exists"       ? present
                        : r.op == "DoesNotExist" ? !present
                                                 : false;
        if (!ok) return false;
    }
    return true;
}

bool matches(const std::optional<api::LabelSelector>& selector, const api::StringMap& labels) {
    return selector && matches(*selector, labels);
}

namespace {

constexpr std::size_t kMaxSelectorBytes = 64 * 1024;

// A cursor over the selector's text.
class SelectorParser {
  public:
    explicit SelectorParser(std::string_view text) : text_(text) {}

    Result<api::LabelSelector> parse() {
        api::LabelSelector out;
        skip_blanks();
        while (!rest().empty()) {
            if (!parse_one(out)) {
                return invalid(fmt::format("label selector \"{}\" is not understood at \"{}\"",
                                           text_.substr(0, 80), rest().substr(0, 20)));
            }
            skip_blanks();
            if (rest().empty()) break;
            if (!eat(',')) {
                return invalid(fmt::format("label selector \"{}\" lacks a comma at \"{}\"",
                                           text_.substr(0, 80), rest().substr(0, 20)));
            }
            skip_blanks();
        }
        return out;
    }

  private:
    std::string_view rest() const { return text_.substr(at_); }
    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }
    bool eat(char c) {
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }
    std::string word() {
        skip_blanks();
        const std::size_t start = at_;
        while (at_ < text_.size() && std::string_view(" ,=!()<>").find(text_[at_]) == std::string_view::npos)
            ++at_;
        return std::string(text_.substr(start, at_ - start));
    }

    bool parse_one(api::LabelSelector& out) {
        if (eat('!')) {
            const std::string key = word();
            out.match_expressions.push_back({key, "DoesNotExist", {}, {}});
            return !key.empty();
        }
        const std::string key = word();
        if (key.empty()) return false;
        skip_blanks();
        if (eat('=')) {
            eat('=');
            out.match_expressions.push_back({key, "In", {word()}, {}});
            return true;
        }
        if (eat('!')) {
            if (!eat('=')) return false;
            out.match_expressions.push_back({key, "NotIn", {word()}, {}});
            return true;
        }
        if (rest().empty() || rest().front() == ',') {
            out.match_expressions.push_back({key, "Exists", {}, {}});
            return true;
        }
        const std::string op = word();
        if (op != "in" && op != "notin") return false;
        skip_blanks();
        if (!eat('(')) return false;
        api::SelectorRequirement r{key, op == "in" ? "In" : "NotIn", {}, {}};
        do {
            r.values.push_back(word());
            skip_blanks();
        } while (eat(','));
        if (!eat(')')) return false;
        out.match_expressions.push_back(std::move(r));
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

Result<api::LabelSelector> parse_selector(std::string_view text) {
    if (text.size() > kMaxSelectorBytes) return invalid("label selector is longer than 64 KiB");
    return SelectorParser(text).parse();
}

}  // namespace joiner::rules
