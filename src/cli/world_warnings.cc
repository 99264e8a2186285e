#include "cli/world_warnings.h"

#include <fmt/format.h>

#include "cli/grouping.h"

namespace joiner::cli {
namespace {

constexpr std::size_t kMostByName = 5;
constexpr std::size_t kMostFields = 20;

void add_held(const std::vector<std::string>& workloads, std::string_view kind, std::string_view state,
              std::vector<std::string>& out) {
    if (workloads.empty()) return;
    const bool is_one = workloads.size() == 1;
    out.push_back(fmt::format("{} {} {}, and {} no pods: {}", count_of(workloads.size(), kind),
                              is_one ? "is" : "are", state, is_one ? "makes" : "make", some_of(workloads)));
}

std::string name_and_place(const api::Document& document, const api::ObjectMeta& meta) {
    return fmt::format("{} {} ({})", document.kind, api::full_name(meta), document.source);
}

}  // namespace

void WorldWarnings::no_containers(const api::Document& document, const api::ObjectMeta& meta) {
    no_containers_.push_back(name_and_place(document, meta));
}

void WorldWarnings::no_selector(const api::Document& document, const api::ObjectMeta& meta) {
    no_selector_.push_back(name_and_place(document, meta));
}

void WorldWarnings::unknown_fields(const api::Document& document, const api::DecodeNotes& notes) {
    for (const std::string& field : notes.unknown_fields)
        unknown_fields_[field].push_back(fmt::format("{} {}", document.kind, document.name));
}

void WorldWarnings::autoscaled(const std::string& workload, std::int64_t before, std::int64_t pods) {
    ++autoscalers_;
    if (pods != before) autoscaled_.push_back(fmt::format("{} has {} instead of {}", workload, pods, before));
}

std::vector<std::string> WorldWarnings::sentences() const {
    std::vector<std::string> out = unread_.sentences();
    if (autoscalers_ > 0)
        out.push_back(fmt::format(
            "{} counted by {} bounds only, load may bring more pods{}",
            autoscalers_ == 1 ? "1 HorizontalPodAutoscaler is"
                              : fmt::format("{} HorizontalPodAutoscalers are", autoscalers_),
            autoscalers_ == 1 ? "its" : "their", autoscaled_.empty() ? "" : ": " + some_of(autoscaled_)));
    add_held(held_.suspended, "Job", "suspended", out);
    add_held(held_.paused, "Deployment", "paused", out);
    if (no_containers_.size() == 1) {
        out.push_back(
            fmt::format("{} has no containers; no API server takes it, and no pods are counted of it",
                        no_containers_.front()));
    } else if (!no_containers_.empty()) {
        out.push_back(fmt::format(
            "{} have no containers; no API server takes them, and no pods are counted of them: {}",
            count_of(no_containers_.size(), "object"), some_of(no_containers_)));
    }
    if (!no_selector_.empty())
        out.push_back(
            fmt::format("{} without spec.selector, as patches are; no API server takes {}, but the "
                        "pods are counted: {}",
                        count_of(no_selector_.size(), "object"), no_selector_.size() == 1 ? "it" : "them",
                        some_of(no_selector_)));
    if (!left_out_.empty())
        out.push_back(
            fmt::format("{} left out: {}", count_of(left_out_.size(), "document"), some_of(left_out_)));
    add_on_unknown_nodes(out);
    add_repeated(out);
    for (const auto& [version, kinds] : other_versions_)
        out.push_back(fmt::format("{} is no longer served; read as if it were the newest version: {}",
                                  version, tally_of(kinds)));
    std::size_t fields = 0;
    for (const auto& [field, objects] : unknown_fields_) {
        if (++fields > kMostFields) {
            out.push_back(fmt::format("{} more unknown fields; they are ignored",
                                      unknown_fields_.size() - kMostFields));
            break;
        }
        out.push_back(fmt::format("{} {} an unknown field {}; it is ignored", some_of(objects),
                                  objects.size() == 1 ? "has" : "have", field));
    }
    return out;
}

void WorldWarnings::add_on_unknown_nodes(std::vector<std::string>& out) const {
    if (on_unknown_nodes_.empty()) return;
    std::size_t pods = 0;
    std::vector<std::string> nodes;
    for (const auto& [node, count] : on_unknown_nodes_) {
        pods += count;
        nodes.push_back(node);
    }
    out.push_back(fmt::format("{} bound to {} not among the files, and not planned for: {}",
                              pods == 1 ? "1 pod is" : fmt::format("{} pods are", pods),
                              nodes.size() == 1 ? "a node that is" : "nodes that are", some_of(nodes)));
}

void WorldWarnings::add_repeated(std::vector<std::string>& out) const {
    if (repeated_.size() <= kMostByName) {
        for (const auto& [object, times] : repeated_) {
            out.push_back(times == 1
                              ? fmt::format("{} stands twice; the later one counts", object)
                              : fmt::format("{} stands {} times; the last one counts", object, times + 1));
        }
        return;
    }
    std::vector<std::string> objects;
    for (const auto& [object, times] : repeated_) objects.push_back(object);
    out.push_back(fmt::format("{} stand more than once; the last one of each counts: {}",
                              count_of(objects.size(), "object"), some_of(objects)));
}

}  // namespace joiner::cli
