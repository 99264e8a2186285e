// An answer of `joiner explain`: what is said first, sections of short lines, and what to do. Data, and its
// text for a terminal of any kind: ASCII, no colours, 100 columns. Pure; any thread.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "rules/money.h"
#include "rules/resources.h"

namespace joiner::cli {

struct AnswerLine {
    std::string text;
    int depth = 0;                 // Of indentation.
    bool is_only_verbose = false;  // Left out of an answer of one screen.
};

struct AnswerSection {
    std::string title;
    std::vector<AnswerLine> lines;

    void say(std::string text, int depth = 0) { lines.push_back({std::move(text), depth, false}); }
    void detail(std::string text, int depth = 0) { lines.push_back({std::move(text), depth, true}); }
};

struct Answer {
    std::string title;  // One sentence.
    std::vector<AnswerSection> sections;
    std::string to_do;               // The last line of the answer proper.
    std::vector<std::string> notes;  // What was not read, in sentences; after all else.
    std::string json;                // The same for scripts: members of an object, without the braces.

    // A new one, the last so far; good until the next is begun.
    AnswerSection& section(std::string section_title);
    // Once all is said: `members` are for scripts, beside the title and what to do.
    void finish(nlohmann::ordered_json members);
};

inline constexpr std::size_t kAnswerColumns = 100;
// An answer of one screen has no more lines; the longest sections are cut, and say so.
inline constexpr std::size_t kAnswerLines = 40;

std::string as_text(const Answer& answer, bool is_verbose);

// "0.0960 $ an hour".
std::string an_hour(rules::Money money);
// "0.0960 $ an hour, 70 $ a month" (of 730 hours).
std::string an_hour_and_month(rules::Money money);
// "cpu 2, memory 4Gi"; pods are left out.
std::string words_of(const rules::Resources& resources);
// "3 days", "2 hours", "40 seconds": one unit, rounded down.
std::string about(Duration duration);

// The names nearest to one that is not there, at most three: those that contain it first, then by how many
// letters differ.
std::vector<std::string> nearest_names(std::string_view wanted, const std::vector<std::string>& names);

}  // namespace joiner::cli
