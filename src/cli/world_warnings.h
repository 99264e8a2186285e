// What reading a world has to say, gathered so that each sort of remark takes a line or two. One owner.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/codec.h"
#include "api/manifest.h"
#include "cli/unread_kinds.h"
#include "cli/workload_pods.h"

namespace joiner::cli {

class WorldWarnings {
  public:
    void unread(const api::Document& document, bool has_namesake) { unread_.add(document, has_namesake); }
    void no_containers(const api::Document& document, const api::ObjectMeta& meta);
    void no_selector(const api::Document& document, const api::ObjectMeta& meta);
    void left_out(std::string why) { left_out_.push_back(std::move(why)); }
    void make_no_pods(HeldWorkloads held) { held_ = std::move(held); }
    // An autoscaler holds the workload to so many pods, which has `before` without it.
    void autoscaled(const std::string& workload, std::int64_t before, std::int64_t pods);
    void stands_again(const std::string& object) { ++repeated_[object]; }
    void on_unknown_node(const std::string& node) { ++on_unknown_nodes_[node]; }
    void unknown_fields(const api::Document& document, const api::DecodeNotes& notes);
    void other_version(const api::Document& document) {
        ++other_versions_[document.api_version][document.kind];
    }

    std::vector<std::string> sentences() const;

  private:
    void add_on_unknown_nodes(std::vector<std::string>& out) const;
    void add_repeated(std::vector<std::string>& out) const;

    UnreadKinds unread_;
    std::vector<std::string> no_containers_;
    std::vector<std::string> no_selector_;
    std::vector<std::string> left_out_;
    HeldWorkloads held_;
    std::size_t autoscalers_ = 0;
    std::vector<std::string> autoscaled_;                  // Those whose number of pods is another.
    std::map<std::string, std::size_t> on_unknown_nodes_;  // Pods, by the name of their node.
    std::map<std::string, int> repeated_;  // "Deployment default/web", and how often it stands besides once.
    std::map<std::string, std::vector<std::string>> unknown_fields_;  // By field: the objects that have it.
    std::map<std::string, std::map<std::string, std::size_t>> other_versions_;
};

}  // namespace joiner::cli
