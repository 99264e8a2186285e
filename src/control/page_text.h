// One JSON text that many may ask for: what stands for it in a cache, and how it is compressed, are found
// when somebody first needs them. Immutable; any thread.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace joiner::control {

class PageText {
  public:
    explicit PageText(std::string json) : json_(std::make_shared<const std::string>(std::move(json))) {}

    const std::shared_ptr<const std::string>& json() const { return json_; }
    // An ETag of all but the first member, which is the time: two that differ in nothing else have the same.
    const std::string& tag() const;
    const std::shared_ptr<const std::string>& gzipped() const;

  private:
    std::shared_ptr<const std::string> json_;
    mutable std::once_flag tag_once_;
    mutable std::string tag_;
    mutable std::once_flag gzip_once_;
    mutable std::shared_ptr<const std::string> gzipped_;
};

}  // namespace joiner::control
