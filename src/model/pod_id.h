// Who a pod is. It never changes while the pod lives, so the cluster's state, the questions made from it and
// what is planned share one copy: a question about 50,000 pods copies no name. Immutable; any thread may read
// it.
#pragma once

#include <memory>
#include <string>

namespace joiner::model {

class PodId {
  public:
    PodId(std::string ns, std::string name, std::string uid)
        : names_(std::make_shared<const Names>(std::move(ns), std::move(name), std::move(uid))) {}

    const std::string& ns() const { return names_->ns; }
    const std::string& name() const { return names_->name; }
    const std::string& uid() const { return names_->uid; }
    std::string full_name() const { return ns() + "/" + name(); }

    // The very same pod; one made again under its name is another.
    friend bool operator==(const PodId& a, const PodId& b) {
        return a.names_ == b.names_ || (a.uid() == b.uid() && a.name() == b.name() && a.ns() == b.ns());
    }

  private:
    struct Names {
        std::string ns;
        std::string name;
        std::string uid;
    };
    std::shared_ptr<const Names> names_;
};

}  // namespace joiner::model
