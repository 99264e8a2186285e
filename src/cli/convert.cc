// `joiner convert`: manifests of older APIs in, today's on standard output, what could not be said on
// standard error.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/conversion.h"
#include "cli/grouping.h"
#include "cli/manifest_files.h"
#include "cli/unread_kinds.h"
#include "cli/yaml_text.h"

namespace joiner::cli {
namespace {

void print_each(const std::vector<std::string>& sentences) {
    for (const std::string& sentence : sentences) fmt::print(stderr, "{}\n", sentence);
}

void print_untouched(const std::vector<std::string>& kinds) {
    if (kinds.empty()) return;
    std::map<std::string, std::size_t> counts;
    for (const std::string& kind : kinds) ++counts[kind];
    fmt::print(stderr, "left out, as nothing in them is to be converted: {}\n", tally_of(counts));
}

}  // namespace

std::string conversion_text(const Conversion& conversion, std::string_view format) {
    std::string out;
    if (format == "json") {
        nlohmann::json items = nlohmann::json::array();
        for (const std::string& object : conversion.objects) items.push_back(nlohmann::json::parse(object));
        if (items.size() == 1) return items.front().dump(4) + "\n";
        return nlohmann::json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}}.dump(4) +
               "\n";
    }
    for (const std::string& setting : conversion.settings) out += fmt::format("# {}\n", setting);
    for (const std::string& object : conversion.objects) {
        if (!out.empty()) out += "---\n";
        out += yaml_text(object);
    }
    return out;
}

int run_convert(const ConvertOptions& options) {
    auto manifests = read_manifests({options.files, options.is_recursive});
    if (!manifests) return refuse(manifests.error().message);
    ConversionInput input;
    for (Manifest& manifest : manifests->objects) input.documents.push_back(std::move(manifest.document));
    for (Misreading& misreading : manifests->misread) {
        if (!misreading.what.is_foreign) return refuse(misreading.what.message);
        input.others.push_back(std::move(misreading.what));
    }
    const auto defaults = options.ignore_defaults ? api::Defaults::kNone : api::Defaults::kWritten;
    const Conversion conversion = convert(input, defaults);
    print_each(manifests->passed_over);
    print_each(conversion.remarks);
    print_untouched(conversion.untouched);
    print_each(conversion.refusals);
    if (!conversion.refusals.empty()) {
        fmt::print(stderr, "nothing is written, as not all of it can be converted\n");
        return 1;
    }
    if (conversion.objects.empty() && conversion.settings.empty()) {
        fmt::print(stderr, "error: no objects passed to convert\n");
        return 1;
    }
    if (options.output == "json") print_each(conversion.settings);
    const std::string text = conversion_text(conversion, options.output);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
}

}  // namespace joiner::cli
