// What an API server fills into objects when they are created, from other objects: priorities, what
// RuntimeClasses add, the defaults of LimitRanges, the default StorageClass. For objects from files, which no
// server has seen. One owner.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/core.h"
#include "rules/limit_range.h"

namespace joiner::cli {

class Admission {
  public:
    Admission();

    // Of several that a server would keep under one name, the last counts.
    void add(api::PriorityClass priority_class);
    void add(api::RuntimeClass runtime_class);
    void add(const api::LimitRange& range);
    void add(const api::StorageClass& storage_class);

    // REQUIRES: all classes have been added. `is_new`: it has not been through a server's admission.
    void admit(const std::string& ns, api::PodSpec& spec, bool is_new);
    void admit(api::PersistentVolumeClaim& claim) const;

    // Sentences: classes that pods name and that are not there.
    std::vector<std::string> missing_classes() const;

  private:
    void set_priority(api::PodSpec& spec, bool is_new);
    void add_runtime(api::PodSpec& spec);
    const std::string& default_storage_class() const;

    std::map<std::string, api::PriorityClass> priorities_;
    std::map<std::string, api::RuntimeClass> runtimes_;
    std::map<std::string, std::map<std::string, api::LimitRange>> limit_ranges_;  // By namespace and name.
    std::map<std::string, api::StorageClass> storage_classes_;
    std::set<std::string> missing_priorities_;
    std::set<std::string> missing_runtimes_;
};

}  // namespace joiner::cli
