// Pretended stock-outs: what the annotation joiner.sh/sold-out on a KWOKNodeClass takes off the shelf, so
// that a test or a rehearsal sees launches fall back, or fail, as in a cloud that has run out.
// Comma-separated TYPE[/ZONE[/CAPACITY-TYPE]], "*" for any. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/instance_type.h"

namespace joiner::cloud::kwok {

class SoldOut {
  public:
    explicit SoldOut(std::string_view annotation);
    bool empty() const { return entries_.empty(); }
    bool covers(const rules::InstanceType& type, const rules::Offering& offering) const;

  private:
    struct Entry {
        std::string type, zone, capacity_type;
    };
    std::vector<Entry> entries_;
};

}  // namespace joiner::cloud::kwok
