// A page that needs nothing besides itself.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

#include "cli/grouping.h"
#include "cli/simulation.h"

namespace joiner::cli {
namespace {

constexpr std::string_view kHead =
    R"(<!doctype html><html lang="en"><meta charset="utf-8"><title>Joiner: plan</title><style>
body{font:15px system-ui,sans-serif;margin:2em auto;max-width:70em;padding:0 1em}
td,th{padding:.3em .8em;text-align:left;border-bottom:1px solid #ddd;vertical-align:top}
.n{text-align:right}.w{background:#fff3cd;padding:.5em 1em}li{margin:.3em 0;overflow-wrap:anywhere}
</style><h1>Plan</h1>
)";

std::string escape(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

void print_launches(const model::Snapshot& snapshot, const std::vector<plan::Launch>& launches) {
    fmt::print(
        "<table><tr><th>Pool<th>Type<th>Zone<th>Capacity<th class=n>Nodes<th class=n>Pods"
        "<th class=n>$ an hour</tr>\n");
    for (const LaunchRow& row : group_launches(snapshot, launches)) {
        fmt::print("<tr><td>{}<td>{}<td>{}<td>{}<td class=n>{}<td class=n>{}<td class=n>{:.4f}</tr>\n",
                   escape(row.pool), escape(row.type), escape(row.zone), escape(row.capacity_type), row.nodes,
                   row.pods, row.price.dollars());
    }
    fmt::print("</table>\n");
}

void print_waits(const Simulation& s) {
    if (s.plan.waits.empty()) return;
    fmt::print("<h2>Waiting</h2><ul>\n");
    for (const WaitGroup& group : group_waits(s)) {
        fmt::print("<li>{} ({}): {}</li>\n", escape(some_of(group.pods, 3)),
                   count_of(group.pods.size(), "pod"), escape(group.reason));
    }
    fmt::print("</ul>\n");
}

void print_existing(const Simulation& s) {
    if (s.plan.placements.empty()) return;
    std::map<std::string, std::vector<std::string>> pods_of;
    for (const plan::Placement& one : s.plan.placements)
        pods_of[s.snapshot.rooms[one.room].name].push_back(s.snapshot.pods[one.pod].id.full_name());
    fmt::print("<h2>On nodes that are there</h2><table><tr><th>Node<th class=n>Pods<th></tr>\n");
    for (const auto& [node, pods] : pods_of) {
        fmt::print("<tr><td>{}<td class=n>{}<td>{}</tr>\n", escape(node), pods.size(), escape(some_of(pods)));
    }
    fmt::print("</table>\n");
}

void print_removals(const Simulation& s) {
    if (!s.has_removals) return;
    const model::Snapshot& snapshot = s.repack_question.snapshot;
    fmt::print("<h2>Removals</h2><p>{}.</p><ul>\n", escape(removal_sentence(s)));
    for (const plan::RepackStep& step : s.removals) {
        fmt::print("<li><b>{}</b> ({}): {}.", escape(fmt::format("{}", fmt::join(step.nodes, ", "))),
                   escape(step.reason), escape(step.why));
        for (const plan::Placement& one : step.placements) {
            fmt::print(" {} moves to {}.", escape(snapshot.pods[one.pod].id.full_name()),
                       escape(snapshot.rooms[one.room].name));
        }
        if (!step.launches.empty()) {
            fmt::print(" Bought instead:");
            print_launches(snapshot, step.launches);
        }
        fmt::print("</li>\n");
    }
    fmt::print("</ul>\n");
}

}  // namespace

void print_html(const Simulation& s, const std::vector<std::string>& warnings) {
    fmt::print("{}", kHead);
    const PodCounts pods = count_pods(s);
    fmt::print(
        "<p>{} of {} on {}, {} on nodes that are there, {} waiting: <b>{:.4f} $</b> an hour, at least {:.4f} "
        "$ (gap {}).</p>\n",
        pods.on_new_nodes, count_of(pods.all, "pod"), count_of(s.plan.launches.size(), "new node"),
        pods.on_existing_nodes, pods.waiting, s.plan.price.dollars(), s.plan.lower_bound.dollars(),
        gap_text(s.plan));
    for (const CommitmentNote& note : commitment_notes(s))
        fmt::print("<p>{}.</p>\n", escape(commitment_sentence(note)));
    if (!warnings.empty()) {
        fmt::print("<div class=w><h2>Warnings</h2><ul>\n");
        for (const std::string& warning : warnings) fmt::print("<li>{}</li>\n", escape(warning));
        fmt::print("</ul></div>\n");
    }
    print_launches(s.snapshot, s.plan.launches);
    print_waits(s);
    print_existing(s);
    print_removals(s);
    fmt::print("</html>\n");
}

}  // namespace joiner::cli
