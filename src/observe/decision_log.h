// The memory of why: for each pod, claim, node and pool the last decision on each matter. Everything that
// decides writes to it through record(), and nothing that decides reads it. Bounded: what is gone is dropped
// first, then what was decided upon longest ago. Pure; loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "observe/decision.h"

namespace joiner::observe {

class DecisionLog {
  public:
    struct Bounds {
        std::size_t subjects = 200'000;
        std::size_t gone = 5'000;  // Of those, objects that are no more.
        std::size_t reasons = 20;  // A decision; the last says how many more there were.
    };
    // Hears each decision that differs from the one before it.
    using Listener = std::function<void(const Decision&)>;

    explicit DecisionLog(Listener listener = {}) : DecisionLog(std::move(listener), Bounds{}) {}
    DecisionLog(Listener listener, Bounds bounds) : listener_(std::move(listener)), bounds_(bounds) {}

    // The door. The same decision again changes nothing: the first says since when it has been so.
    void record(Decision decision);
    // The object is no more. What was decided about it stays until there is no room for it.
    void note_gone(SubjectKind kind, const std::string& ns, const std::string& name);
    // There is nothing to decide any more about the object on matters that do not stand. Of an object that is
    // no more everything stays.
    void keep_only(const Subject& subject, const std::function<bool(Matter)>& stands);

    // For those who ask why. nullptr: nothing was decided, or it is not known any more.
    const Decision* last(const Subject& subject, Matter matter) const;
    // On every matter, in their order.
    std::vector<const Decision*> all_of(const Subject& subject) const;
    std::size_t size() const { return entries_.size(); }
    std::size_t gone() const { return gone_.size(); }  // Of those.
    // Objects still there that there was no room for.
    std::uint64_t cut_off() const { return cut_off_; }

  private:
    struct Entry {
        std::vector<Decision> decisions;  // By matter.
        bool is_gone = false;
        std::list<Subject>::iterator place;  // In living_ or gone_.
    };
    // By kind, namespace and name, under which people ask.
    struct Hash {
        std::size_t operator()(const Subject& subject) const;
    };
    struct Equal {
        bool operator()(const Subject& a, const Subject& b) const;
    };
    using Entries = std::unordered_map<Subject, Entry, Hash, Equal>;

    Entry& entry_for(const Subject& subject);
    void make_room();
    void erase(Entries::iterator it);
    bool are_same(const plan::SharedReasons& a, const plan::SharedReasons& b);
    plan::SharedReasons within_bounds(plan::SharedReasons reasons);

    Listener listener_;
    Bounds bounds_;
    Entries entries_;
    // The one decided upon longest ago first.
    std::list<Subject> living_;
    std::list<Subject> gone_;
    std::uint64_t cut_off_ = 0;
    // What was last found to be the same, or cut: pods of a class come one after the other.
    std::pair<plan::SharedReasons, plan::SharedReasons> same_;
    std::pair<plan::SharedReasons, plan::SharedReasons> cut_;
};

}  // namespace joiner::observe
