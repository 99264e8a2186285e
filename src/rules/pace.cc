#include "rules/pace.h"

#include <fmt/format.h>

#include <charconv>

#include "api/names.h"

namespace joiner::rules {

std::string pause_reason(const api::NodePool& pool, WallTime now) {
    if (const auto moves = pod_moves_per_hour(pool); !moves) return moves.error().message;
    const auto it = pool.meta.annotations.find(api::kPausedAnnotation);
    if (it == pool.meta.annotations.end() || it->second == "false") return {};
    if (it->second == "true")
        return fmt::format("disruption is paused: the NodePool is annotated {}=true", api::kPausedAnnotation);
    const auto until = parse_rfc3339(it->second);
    if (!until)
        return fmt::format("disruption is paused: {}=\"{}\" is neither true nor false nor an RFC 3339 time",
                           api::kPausedAnnotation, it->second);
    if (now >= *until) return {};
    return fmt::format("disruption is paused until {}: the NodePool is annotated {}", it->second,
                       api::kPausedAnnotation);
}

Result<std::optional<std::int64_t>> pod_moves_per_hour(const api::NodePool& pool) {
    const auto it = pool.meta.annotations.find(api::kPodMovesAnnotation);
    if (it == pool.meta.annotations.end()) return std::optional<std::int64_t>{};
    const std::string& text = it->second;
    std::int64_t moves = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), moves);
    if (error != std::errc{} || end != text.data() + text.size() || moves < 0)
        return invalid(fmt::format("disruption is paused: {}=\"{}\" is not a whole number of pods",
                                   api::kPodMovesAnnotation, text));
    return std::optional(moves);
}

}  // namespace joiner::rules
