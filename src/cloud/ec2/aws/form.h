// The body of a request in AWS's query protocols: names and values, encoded. A builder; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"

namespace joiner::cloud::ec2::aws {

class Form {
  public:
    Form(std::string_view action, std::string_view version);

    Form& add(std::string_view name, std::string_view value);
    Form& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
    Form& add(std::string_view name, std::int64_t value);
    Form& add(std::string_view name, int value) { return add(name, std::int64_t{value}); }
    Form& add(std::string_view name, bool value) { return add(name, value ? "true" : "false"); }
    // Nothing where there is nothing to say.
    template <typename T>
    Form& add_if(std::string_view name, const std::optional<T>& value) {
        return value ? add(name, *value) : *this;
    }
    Form& add_if(std::string_view name, const std::string& value) {
        return value.empty() ? *this : add(name, value);
    }
    // "InstanceId.1", "InstanceId.2", ...
    Form& add_list(std::string_view name, const std::vector<std::string>& values);
    // "Tag.1.Key", "Tag.1.Value", ...
    Form& add_tags(std::string_view name, const api::StringMap& tags);

    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

}  // namespace joiner::cloud::ec2::aws
