// libFuzzer entry over the framing and reading of watch streams and lists. The first byte says into how large
// pieces the rest is cut. Whole and in pieces the events must be the same, and within the text.
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc src/kube/watch_{fuzz,parser}.cc
//   src/base/*.cc -lsimdjson -lfmt
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "kube/watch_parser.h"

namespace {

using joiner::Result;
using joiner::kube::parse_list;
using joiner::kube::WatchEvent;
using joiner::kube::WatchParser;

constexpr std::size_t kMaxEventBytes = 512;

std::vector<std::string> parse_in_pieces(std::string_view text, std::size_t piece) {
    WatchParser parser(kMaxEventBytes);
    std::vector<std::string> events;
    const auto sink = [&](const Result<WatchEvent>& event) {
        if (event) {
            CHECK(event->object.size() <= kMaxEventBytes);
            CHECK(event->object.starts_with('{'));
            CHECK(event->type == WatchEvent::Type::kError || !event->resource_version.empty());
            events.push_back(fmt::format("{} {} {}", static_cast<int>(event->type), event->resource_version,
                                         event->object));
        } else {
            CHECK(!event.error().message.empty());
            events.emplace_back("bad");
        }
        return true;
    };
    for (std::size_t at = 0; at < text.size(); at += piece) parser.feed(text.substr(at, piece), sink);
    return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    CHECK(parse_in_pieces(text, std::size_t{data[0]} % 64 + 1) == parse_in_pieces(text, text.size() + 1));
    std::string body(text);
    static_cast<void>(parse_list(body, [](std::string_view item) { return item.starts_with('{'); }));
    return 0;
}
