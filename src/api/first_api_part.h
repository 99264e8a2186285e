// Reads a part of a first-API object and notes what is wrong with it under its path. Private to
// first_api*.cc, as it shows nlohmann. One owner, one thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/quantity.h"
#include "base/result.h"

namespace joiner::api {

using FirstJson = nlohmann::json;

struct FirstNotes {
    std::vector<std::string> problems;
    std::vector<std::string> lost;

    // Both stop at some dozens.
    void problem(std::string_view path, std::string_view what);
    void lose(std::string_view path, std::string_view what);
};

// A text of others as it is quoted in a sentence.
std::string in_quotes(std::string_view text);

// Objects nest less deep than 64.
Result<FirstJson> parse_first(std::string_view json);
std::string dump_first(const FirstJson& json);

class FirstPart {
  public:
    // `json` and `notes` outlive it.
    FirstPart(const FirstJson& json, std::string path, FirstNotes& notes)
        : json_(&json), path_(std::move(path)), notes_(&notes) {}

    const FirstJson& json() const { return *json_; }
    const std::string& path() const { return path_; }
    std::string path_of(std::string_view key) const;

    // A null counts as absent. What is of the wrong type is a problem, and counts as absent.
    bool has(std::string_view key) const { return find(key) != nullptr; }
    std::optional<FirstPart> part(std::string_view key) const;
    std::vector<FirstPart> parts(std::string_view key) const;
    std::optional<std::string> text(std::string_view key) const;
    std::optional<bool> flag(std::string_view key) const;
    std::optional<std::int64_t> whole(std::string_view key, std::int64_t least, std::int64_t most) const;
    std::vector<std::string> texts(std::string_view key) const;
    StringMap map(std::string_view key) const;
    // It may be written as a number, and so may those of a map.
    std::optional<Quantity> quantity(std::string_view key) const;
    // A map of quantities in their canonical form.
    StringMap quantities(std::string_view key) const;

    // Keys beside `known` (between blanks): problems, or lost.
    void refuse_unknown(std::string_view known) const;
    void lose_unknown(std::string_view known) const;

    void problem(std::string_view key, std::string_view what) const { notes_->problem(path_of(key), what); }
    void lose(std::string_view key, std::string_view what) const { notes_->lose(path_of(key), what); }

  private:
    const FirstJson* find(std::string_view key) const;
    template <typename Tell>
    void each_unknown(std::string_view known, Tell tell) const;

    const FirstJson* json_;
    std::string path_;
    FirstNotes* notes_;
};

// What an EC2NodeClass says for a kubeletConfiguration, which is checked as v0.31's webhooks did.
FirstJson first_kubelet(const FirstPart& kubelet);

}  // namespace joiner::api
