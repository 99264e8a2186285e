#include "cloud/ec2/aws/form.h"

#include <fmt/format.h>

#include "cloud/ec2/aws/encoding.h"

namespace joiner::cloud::ec2::aws {

Form::Form(std::string_view action, std::string_view version) {
    add("Action", action).add("Version", version);
}

Form& Form::add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_ += name;
    text_ += '=';
    text_ += percent_encode(value);
    return *this;
}

Form& Form::add(std::string_view name, std::int64_t value) {
    return add(name, std::string_view(std::to_string(value)));
}

Form& Form::add_list(std::string_view name, const std::vector<std::string>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) add(fmt::format("{}.{}", name, i + 1), values[i]);
    return *this;
}

Form& Form::add_tags(std::string_view name, const api::StringMap& tags) {
    int i = 0;
    for (const auto& [key, value] : tags) {
        ++i;
        add(fmt::format("{}.{}.Key", name, i), key);
        add(fmt::format("{}.{}.Value", name, i), value);
    }
    return *this;
}

}  // namespace joiner::cloud::ec2::aws
