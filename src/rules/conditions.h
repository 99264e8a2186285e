// Status conditions as upstream's framework keeps them: dependents start Unknown, the root "Ready" follows
// from them. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/time.h"

namespace joiner::rules {

class ConditionEditor {
  public:
    // Adds what is absent: root and dependents as Unknown (AwaitingReconciliation) since the object's
    // creation.
    ConditionEditor(std::vector<api::Condition> conditions, std::vector<std::string_view> dependents,
                    std::int64_t generation, WallTime created);

    // A True condition's reason is its type unless one is given. The transition time moves only with the
    // status.
    void set(std::string_view type, std::string_view status, std::string reason, std::string message,
             WallTime now);
    void set_true(std::string_view type, WallTime now) { set(type, "True", std::string(type), "", now); }
    void remove(std::string_view type);

    // With the root worked out again. The root stands last.
    std::vector<api::Condition> finish(WallTime now);

  private:
    api::Condition& find_or_add(std::string_view type);

    std::vector<api::Condition> conditions_;
    std::vector<std::string_view> dependents_;
    std::int64_t generation_;
    WallTime created_;
};

bool is_true(const std::vector<api::Condition>& conditions, std::string_view type);

inline const std::vector<std::string_view> kClaimDependents = {"Launched", "Registered", "Initialized"};
inline const std::vector<std::string_view> kPoolDependents = {"ValidationSucceeded", "NodeClassReady"};
inline const std::vector<std::string_view> kOverlayDependents = {"ValidationSucceeded"};

}  // namespace joiner::rules
