#include "sim/manifest_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/manifest.h"
#include "base/check.h"
#include "embedded_crds.h"
#include "sim/kind_rules.h"

namespace joiner::sim {
namespace {

std::string_view group_of(std::string_view api_version) {
    const std::size_t slash = api_version.find('/');
    return api_version.substr(0, slash == std::string_view::npos ? 0 : slash);
}

// Of one object, stage by stage; what a stage finds wrong is taken out before the next looks at the rest.
class Trial {
  public:
    explicit Trial(const ResourceType& type) : type_(type) {}

    void run(Json object, const AdmissionContext& context) {
        // A create brings no status along, whatever stands in it.
        if (type_.is_custom && type_.has_status) object.erase("status");
        check_types(object);
        drop_unknown(object);
        check_name(object);
        // Where the kind has a namespace and none is named, a client names its own.
        if (type_.is_namespaced) set_default(object["metadata"], "namespace", "default");
        if (type_.is_custom && type_.schema.root) apply_defaults(*type_.schema.root, object);
        const KindRules& rules = rules_of(type_);
        if (rules.set_defaults) rules.set_defaults(object);
        // The one admission that gives an object what its validation asks for.
        if (type_.resource_name() == "jobs.batch") static_cast<void>(admit_job(object, context));
        FieldProblems problems;
        if (!name_of(object).empty()) validate_metadata(type_, object, problems);
        if (rules.validate) rules.validate(object, nullptr, problems);
        add(problems);
        if (type_.is_custom && type_.schema.root) add(find_all_problems(*type_.schema.root, object));
    }

    std::vector<Mistake> mistakes;

  private:
    void add(const FieldProblems& problems) {
        for (const FieldProblem& problem : problems) {
            // What is missing because it was taken out has been told.
            const bool is_told = problem.reason == "FieldValueRequired" && taken_out_.contains(problem.field);
            if (!is_told && seen_.emplace(problem.field, problem.message).second)
                mistakes.push_back({problem.field == "<nil>" ? "" : problem.field, problem.message});
        }
    }

    void check_types(Json& object) {
        if (!at(object, {"metadata"}).is_object()) {
            add({invalid_value("metadata", object["metadata"], "must be an object")});
            object["metadata"] = Json::object();
        }
        FieldProblems problems;
        take_out_wrong_values(*core_schemas().at("meta.v1.ObjectMeta"), object["metadata"], "metadata",
                              problems);
        if (type_.schema.root) {
            Json metadata = std::move(object["metadata"]);
            object.erase("metadata");
            take_out_wrong_values(*type_.schema.root, object, "", problems);
            object["metadata"] = std::move(metadata);
        }
        add(problems);
        for (const FieldProblem& problem : problems) taken_out_.insert(problem.field);
    }

    // kubectl asks the server to refuse fields that it does not know.
    void drop_unknown(Json& object) {
        if (!type_.schema.root) return;
        std::vector<std::string> unknown;
        prune(*type_.schema.root, object, &unknown);
        FieldProblems problems;
        for (const std::string& field : unknown)
            problems.push_back({"FieldValueForbidden", field, "unknown field"});
        add(problems);
    }

    void check_name(const Json& object) {
        if (name_of(object).empty() && text_at(object, {"metadata", "generateName"}).empty())
            add({required_value("metadata.name", "name or generateName is required")});
    }

    const ResourceType& type_;
    std::set<std::pair<std::string, std::string>> seen_;
    std::set<std::string> taken_out_;
};

}  // namespace

class ManifestJudge::Impl {
  public:
    Impl() {
        for (const auto& file : embedded::crds()) {
            const auto documents = api::split_manifest(file.text, std::string(file.name));
            CHECK(documents.has_value());
            for (const api::Document& document : *documents) {
                const auto definition = parse_json(document.json);
                CHECK(definition && registry_.serve_custom(*definition));
            }
        }
    }

    Judgement judge(std::string_view api_version, std::string_view kind, std::string_view object) const {
        const ResourceType* type = registry_.find_kind(api_version, kind);
        if (type == nullptr) return judge_version(api_version, kind);
        auto json = parse_json(object);
        if (!json || !json->is_object()) return {true, {{"", "is not an object"}}};
        Trial trial(*type);
        trial.run(std::move(*json), {store_, registry_, kNoTime});
        return {true, std::move(trial.mistakes)};
    }

  private:
    // A kind that is served, but not in this version, or in another group by now.
    Judgement judge_version(std::string_view api_version, std::string_view kind) const {
        for (const ResourceType* type : registry_.types()) {
            const bool has_moved = group_of(api_version) == "extensions" && type->group == "apps";
            if (type->kind != kind || (type->group != group_of(api_version) && !has_moved)) continue;
            return {true,
                    {{"apiVersion",
                      fmt::format("{} is not served; write {}", api_version, type->api_version())}}};
        }
        return {};
    }

    Registry registry_;
    Store store_{1};
};

ManifestJudge::ManifestJudge() : impl_(std::make_unique<Impl>()) {}
ManifestJudge::~ManifestJudge() = default;

Judgement ManifestJudge::judge(std::string_view api_version, std::string_view kind,
                               std::string_view object) const {
    return impl_->judge(api_version, kind, object);
}

}  // namespace joiner::sim
