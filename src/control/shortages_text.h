// What is remembered of stock-outs as lines of text, for an object that outlives the process and that people
// read: a line for each node class, and below it one for each of its offerings. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/karpenter.h"
#include "base/time.h"
#include "rules/offering_key.h"

namespace joiner::control {

struct Shortage {
    WallTime until = kNoTime;  // So long it is left alone.
    WallTime noted = kNoTime;  // When it was found short last.
    int times = 0;             // In a row.

    friend bool operator==(const Shortage&, const Shortage&) = default;
};

// Of one node class, as it was when they were noted.
struct ShortagesOfClass {
    api::NodeClassReference node_class;
    std::int64_t generation = 0;
    std::string annotations;  // A digest of them.
    std::vector<std::pair<rules::OfferingKey, Shortage>> offerings;

    friend bool operator==(const ShortagesOfClass&, const ShortagesOfClass&) = default;
};

// No more than this is written, what was noted last first; and no more is read.
inline constexpr std::size_t kMostWritten = 4'000;         // Offerings.
inline constexpr std::size_t kMostWrittenBytes = 600'000;  // An object of the API server's holds a mebibyte.

// To the second. Without offerings whose names have spaces in them.
std::string written(const std::vector<ShortagesOfClass>& shortages);
// What was written; lines that say nothing are passed over.
std::vector<ShortagesOfClass> read_shortages(std::string_view text);

}  // namespace joiner::control
