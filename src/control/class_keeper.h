// Writes on each node class what its provider wants it to say: conditions, status, annotations, finalizer. A
// provider that has nothing to say costs no request. Loop thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "act/services.h"
#include "act/settled_patches.h"

namespace joiner::control {

// The merge patches that make the class as wanted: of the object, and of its status. Empty: nothing differs.
struct ClassPatches {
    std::string object;
    std::string status;
};
ClassPatches class_patches(const api::NodeClass& node_class, const cloud::WantedClassState& wanted,
                           WallTime now);

class ClassKeeper {
  public:
    explicit ClassKeeper(act::Services& services) : services_(services), patches_(services) {}

    // Asks the providers about the classes that were marked, and writes what they answer.
    void reconcile();
    void mark(const api::NodeClassReference& reference) { dirty_[reference] = true; }
    void mark_all();
    // Claims have come or gone: whether a class is in use may have changed.
    void note_claims();

  private:
    void ask(const api::NodeClass& node_class);
    void write(const api::NodeClassReference& reference, const cloud::WantedClassState& wanted);
    bool is_in_use(const api::NodeClassReference& reference) const;

    act::Services& services_;
    act::SettledPatches patches_;
    std::map<api::NodeClassReference, bool> dirty_;
    std::map<api::NodeClassReference, WallTime> asked_;  // Questions that are under way, since when.
    std::map<api::NodeClassReference, bool> used_;       // As it was when the provider was asked last.
};

}  // namespace joiner::control
