// What has changed, or is to be reconciled for other reasons, until the next round takes it. Owned by
// control; loop thread.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>

namespace joiner::control {

class Dirty {
  public:
    // Hears each mark.
    std::function<void()> on_mark;

    void mark_claim(const std::string& name) {
        claims_.insert(name);
        tell();
    }
    void mark_node(const std::string& name) {
        nodes_.insert(name);
        tell();
    }
    // The node is gone; it will be forgotten, unless one of its name is there again.
    void note_gone_node(const std::string& name) {
        gone_nodes_.insert(name);
        tell();
    }
    void mark_pools() {
        are_pools_ = true;
        tell();
    }
    void mark_headroom() {
        is_headroom_ = true;
        tell();
    }
    // Something that whoever reconciles it knows of itself.
    void wake() { tell(); }

    std::set<std::string> take_claims() { return std::exchange(claims_, {}); }
    std::set<std::string> take_nodes() { return std::exchange(nodes_, {}); }
    std::set<std::string> take_gone_nodes() { return std::exchange(gone_nodes_, {}); }
    bool take_pools() { return std::exchange(are_pools_, false); }
    bool take_headroom() { return std::exchange(is_headroom_, false); }

  private:
    void tell() {
        if (on_mark) on_mark();
    }

    std::set<std::string> claims_;
    std::set<std::string> nodes_;
    std::set<std::string> gone_nodes_;
    bool are_pools_ = false;
    bool is_headroom_ = false;
};

}  // namespace joiner::control
