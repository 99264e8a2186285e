#include "cloud/ec2/classes/class_reconciler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/names.h"
#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/aws/encoding.h"
#include "cloud/ec2/hash.h"
#include "cloud/ec2/kubelet.h"
#include "cloud/ec2/launch/fleet_plan.h"
#include "cloud/ec2/names.h"
#include "cloud/ec2/types/kubelet_of_type.h"
#include "rules/conditions.h"

namespace joiner::cloud::ec2 {
namespace {

using std::chrono::minutes;

constexpr Duration kValidFor = minutes{30};
constexpr Duration kLookAgain = minutes{1};
constexpr const char* kReservationsReady = "CapacityReservationsReady";
constexpr const char* kPlacementGroupReady = "PlacementGroupReady";
constexpr const char* kConditions[] = {"AMIsReady",          "SubnetsReady",       "SecurityGroupsReady",
                                       kReservationsReady,   kPlacementGroupReady, "InstanceProfileReady",
                                       "ValidationSucceeded"};

// Asks all questions at once; the first error, or all that was found.
template <typename T, typename Question>
void ask_all(const std::vector<Question>& questions,
             const std::function<void(const Question&, aws::Done<std::vector<T>>)>& ask,
             aws::Done<std::vector<T>> done) {
    struct Join {
        std::size_t left;
        aws::Answer<std::vector<T>> all;
        aws::Done<std::vector<T>> done;
    };
    const auto join = std::make_shared<Join>(Join{questions.size(), std::vector<T>(), std::move(done)});
    if (questions.empty()) return join->done(join->all);
    for (const Question& question : questions)
        ask(question, [join](const aws::Answer<std::vector<T>>& found) {
            if (!found)
                join->all = found;
            else if (join->all)
                join->all->insert(join->all->end(), found->begin(), found->end());
            if (--join->left == 0) join->done(std::move(join->all));
        });
}

template <typename T>
void sort_by_id(std::vector<T>& all) {
    std::sort(all.begin(), all.end(), [](const T& a, const T& b) { return a.id < b.id; });
    all.erase(std::unique(all.begin(), all.end(), [](const T& a, const T& b) { return a.id == b.id; }),
              all.end());
}

bool is_passing(ErrorKind kind) {
    return kind == ErrorKind::kUnavailable || kind == ErrorKind::kThrottled || kind == ErrorKind::kInternal;
}

// Of the dry runs: a type that every region has, for the image's machines.
std::string candidate_type(const StatusImage& image) {
    const rules::Requirement* arch = image.requirements.find(api::kArchLabel);
    return arch != nullptr && arch->allows("arm64") ? "m6g.large" : "m5.large";
}

}  // namespace

struct ClassReconciler::Job {
    api::NodeClass node_class;
    Ec2NodeClass spec;
    bool is_spec_read = false;  // It is as it should be.
    ClassStatus before;
    ClassStatus status;
    std::map<std::string, WantedCondition> conditions;  // By type.
    int steps_left = 0;
    std::string tried;  // The key of what is being validated; empty: nothing is.
    std::function<void(Result<WantedClassState>)> done;

    void set(const char* type, const char* value, std::string reason, std::string message) {
        conditions[type] = {type, value, std::move(reason), std::move(message)};
    }
    void set_true(const char* type) { set(type, "True", type, ""); }
    // Of what a selector has found: `reason` and `message` where that is nothing.
    void set_found(const char* type, bool is_there, const char* reason, const char* message) {
        if (is_there) return set_true(type);
        set(type, "False", reason, message);
    }
    bool is_true(const char* type) const {
        const auto it = conditions.find(type);
        return it != conditions.end() && it->second.status == "True";
    }
    // Nothing new is known: it stays as it was.
    void keep(const char* type, const std::string& why) {
        const api::Condition* was = api::find_condition(node_class.conditions, type);
        if (was != nullptr && was->status != "Unknown")
            conditions[type] = {type, was->status, was->reason, was->message};
        else
            set(type, "Unknown", "AwaitingReconciliation", why);
    }
};

void ClassReconciler::reconcile(const api::NodeClass& node_class, const ClassFacts& facts,
                                std::function<void(Result<WantedClassState>)> done) {
    const auto job = std::make_shared<Job>();
    job->node_class = node_class;
    job->done = std::move(done);
    if (node_class.meta.deleted && !facts.is_in_use) return clear_away(job);
    const auto spec = parse_node_class(node_class);
    if (!spec) {
        job->set("ValidationSucceeded", "False", "InvalidSpec", spec.error().message);
        ground_.loop.post([this, job, is_alive = is_alive_] {
            if (*is_alive) finish(job);
        });
        return;
    }
    job->spec = *spec;
    job->is_spec_read = true;
    job->before = read_status(node_class);
    job->status = job->before;
    ground_.cluster.look([this, job, is_alive = is_alive_] {
        if (*is_alive) begin(job);
    });
}

void ClassReconciler::begin(const JobPtr& job) {
    job->steps_left = 6;
    find_subnets(job);
    find_security_groups(job);
    find_images(job);
    find_profile(job);
    find_reservations(job);
    find_placement_group(job);
}

void ClassReconciler::find_subnets(const JobPtr& job) {
    ask_all<Subnet, Filters>(
        subnet_questions(job->spec.subnets),
        [this](const Filters& filters, aws::Done<std::vector<Subnet>> found) {
            ground_.discovery.subnets(filters, std::move(found));
        },
        [this, job, is_alive = is_alive_](aws::Answer<std::vector<Subnet>> found) {
            if (!*is_alive) return;
            if (!found) {
                job->keep("SubnetsReady", found.error().message);
                return step_done(job);
            }
            sort_by_id(*found);
            std::stable_sort(found->begin(), found->end(), [](const Subnet& a, const Subnet& b) {
                return a.free_addresses > b.free_addresses;
            });
            job->status.subnets.clear();
            for (const Subnet& each : *found)
                job->status.subnets.push_back({each.id, each.zone, each.zone_id});
            job->set_found("SubnetsReady", !found->empty(), "SubnetsNotFound",
                           "SubnetSelector did not match any Subnets");
            step_done(job);
        });
}

void ClassReconciler::find_security_groups(const JobPtr& job) {
    ask_all<SecurityGroup, Filters>(
        security_group_questions(job->spec.security_groups),
        [this](const Filters& filters, aws::Done<std::vector<SecurityGroup>> found) {
            ground_.discovery.security_groups(filters, std::move(found));
        },
        [this, job, is_alive = is_alive_](aws::Answer<std::vector<SecurityGroup>> found) {
            if (!*is_alive) return;
            if (!found) {
                job->keep("SecurityGroupsReady", found.error().message);
                return step_done(job);
            }
            sort_by_id(*found);
            job->status.security_groups.clear();
            for (const SecurityGroup& each : *found)
                job->status.security_groups.push_back({each.id, each.name});
            job->set_found("SecurityGroupsReady", !found->empty(), "SecurityGroupsNotFound",
                           "SecurityGroupSelector did not match any SecurityGroups");
            step_done(job);
        });
}

// Parameters first, since they name images.
void ClassReconciler::find_images(const JobPtr& job) {
    std::vector<ImageParameter> parameters;
    for (const AmiTerm& term : job->spec.amis) {
        if (!term.id.empty()) continue;
        if (!term.ssm_parameter.empty()) parameters.push_back({term.ssm_parameter, "", {ImageVariant::kAny}});
        if (term.alias.empty()) continue;
        if (ground_.settings.kubernetes.empty()) {
            const auto& problem = ground_.cluster.problem();
            job->keep("AMIsReady", problem ? problem->message : "the cluster's version is not known yet");
            return step_done(job);
        }
        const auto of_alias = image_parameters(term.alias, ground_.settings.kubernetes);
        if (!of_alias) {
            job->status.images.clear();
            job->set("AMIsReady", "False", "UnsupportedAlias", of_alias.error().message);
            return step_done(job);
        }
        parameters.insert(parameters.end(), of_alias->begin(), of_alias->end());
    }
    using Found = std::pair<std::string, ImageParameter>;
    ask_all<Found, ImageParameter>(
        parameters,
        [this](const ImageParameter& parameter, aws::Done<std::vector<Found>> found) {
            ground_.discovery.parameter(
                parameter, [parameter, found = std::move(found)](const aws::Answer<std::string>& value) {
                    if (value && value->starts_with("ami-"))
                        return found(std::vector<Found>{{*value, parameter}});
                    if (value || value.error().kind == ErrorKind::kNotFound)
                        return found(std::vector<Found>());
                    found(tl::unexpected<aws::CallError>(value.error()));
                });
        },
        [this, job, is_alive = is_alive_](const aws::Answer<std::vector<Found>>& found) {
            if (!*is_alive) return;
            if (!found) {
                job->keep("AMIsReady", found.error().message);
                return step_done(job);
            }
            describe_images(job, ImagesOfParameters(found->begin(), found->end()));
        });
}

void ClassReconciler::describe_images(const JobPtr& job, const ImagesOfParameters& of_parameters) {
    std::vector<std::string> ids;
    for (const auto& [id, parameter] : of_parameters) {
        if (ids.empty() || ids.back() != id) ids.push_back(id);
    }
    ask_all<Image, ImageQuestion>(
        image_questions(job->spec.amis, ids),
        [this](const ImageQuestion& question, aws::Done<std::vector<Image>> found) {
            ground_.discovery.images(question.filters, question.owners, std::move(found));
        },
        [this, job, of_parameters, is_alive = is_alive_](aws::Answer<std::vector<Image>> found) {
            if (!*is_alive) return;
            if (!found) {
                job->keep("AMIsReady", found.error().message);
                return step_done(job);
            }
            job->status.images = choose_images(std::move(*found), of_parameters, traits_of(job->spec.family),
                                               ground_.loop.now());
            job->set_found("AMIsReady", !job->status.images.empty(), "AMINotFound",
                           "AMISelector did not match any AMIs");
            step_done(job);
        });
}

void ClassReconciler::find_profile(const JobPtr& job) {
    if (job->spec.instance_profile) {
        job->status.instance_profile = *job->spec.instance_profile;
        job->set_true("InstanceProfileReady");
        return step_done(job);
    }
    ground_.profiles.ensure(job->node_class, job->spec.role, job->before.instance_profile, job->spec.tags,
                            [this, job, is_alive = is_alive_](const aws::Answer<std::string>& name) {
                                if (!*is_alive) return;
                                if (name) {
                                    job->status.instance_profile = *name;
                                    job->set_true("InstanceProfileReady");
                                } else {
                                    job->keep("InstanceProfileReady", name.error().message);
                                }
                                step_done(job);
                            });
}

// No match is no fault: the class launches without.
void ClassReconciler::find_reservations(const JobPtr& job) {
    if (!ground_.settings.reserved_capacity) {
        job->status.reservations.clear();
        return step_done(job);
    }
    ground_.reservations.look(
        job->spec.reservations,
        [this, job, is_alive = is_alive_](const aws::Answer<std::vector<StatusReservation>>& found) {
            if (!*is_alive) return;
            if (found) {
                job->status.reservations = *found;
                job->set_true(kReservationsReady);
            } else {
                job->keep(kReservationsReady, found.error().message);
            }
            step_done(job);
        });
}

void ClassReconciler::find_placement_group(const JobPtr& job) {
    if (!job->spec.placement_group) {
        job->set_true(kPlacementGroupReady);
        return step_done(job);
    }
    ground_.placement_groups.look(
        *job->spec.placement_group,
        [this, job, is_alive = is_alive_](const aws::Answer<std::optional<PlacementGroup>>& found) {
            if (!*is_alive) return;
            if (found) {
                job->set_found(kPlacementGroupReady, found->has_value(), "PlacementGroupNotFound",
                               "PlacementGroupSelector did not match a PlacementGroup that is available");
            } else if (ground_.placement_groups.find(*job->spec.placement_group)) {
                job->set_true(kPlacementGroupReady);
            } else {
                job->set(kPlacementGroupReady, "False", "PlacementGroupResolutionFailed",
                         found.error().message);
            }
            step_done(job);
        });
}

void ClassReconciler::step_done(const JobPtr& job) {
    if (--job->steps_left > 0) return;
    if (job->spec.family == AmiFamily::kAl2023 && ground_.settings.service_cidr.empty()) {
        const auto& problem = ground_.cluster.problem();
        const std::string why = problem ? problem->message : "the cluster's service CIDR is not known yet";
        // An answer that was lost says nothing against a class that was tried before.
        if (problem && is_passing(problem->kind) &&
            rules::is_true(job->node_class.conditions, "ValidationSucceeded"))
            job->keep("ValidationSucceeded", why);
        else
            job->set("ValidationSucceeded", "False", "ClusterCIDRResolutionFailed", why);
        return finish(job);
    }
    if (!is_kubelet_usable(job)) return finish(job);
    for (const char* type : {"AMIsReady", "SubnetsReady", "SecurityGroupsReady", "InstanceProfileReady"}) {
        if (job->is_true(type)) continue;
        job->set("ValidationSucceeded", "False", "DependenciesNotReady",
                 fmt::format("{} is not True, and nothing can be tried before", type));
        return finish(job);
    }
    validate(job);
}

bool ClassReconciler::is_kubelet_usable(const JobPtr& job) const {
    const Ec2NodeClass& spec = job->spec;
    auto kubelet = parse_kubelet(spec.kubelet, spec.family, ground_.settings.node_class_cel);
    if (!kubelet) {
        job->set("ValidationSucceeded", "False", kubelet.error().reason, kubelet.error().message);
        return false;
    }
    if (!kubelet->has_expressions()) return true;
    const auto region = ground_.region_types.facts();
    if (region == nullptr) {
        job->keep("ValidationSucceeded", "EC2 has not said yet which instance types there are");
        return false;
    }
    std::string why =
        why_expressions_fail(region->types, shape_of(spec, std::move(*kubelet), ground_.settings));
    if (why.empty()) return true;
    job->set("ValidationSucceeded", "False", "KubeletExpressionEvaluationFailed", std::move(why));
    return false;
}

// By a dry run of a launch, since only EC2 knows what it would take.
void ClassReconciler::validate(const JobPtr& job) {
    if (ground_.settings.disable_dry_run) {
        job->set_true("ValidationSucceeded");
        return finish(job);
    }
    // What lasts through a restart and a refresh alike: the order of the subnets is none of it.
    std::vector<StatusSubnet> subnets = job->status.subnets;
    sort_by_id(subnets);
    ClassStatus tried = job->status;
    tried.subnets = subnets;
    const std::string key =
        job->node_class.meta.uid + aws::hex(aws::sha256(job->node_class.spec + write_status(tried)));
    const auto valid = valid_.find(key);
    if (valid != valid_.end() && ground_.loop.monotonic() - valid->second < kValidFor) {
        job->set_true("ValidationSucceeded");
        return finish(job);
    }
    std::erase_if(valid_,
                  [&](const auto& each) { return ground_.loop.monotonic() - each.second >= kValidFor; });
    job->tried = key;

    rules::InstanceType type;
    type.name = candidate_type(job->status.images.front());
    for (const rules::Requirement& each : job->status.images.front().requirements)
        type.requirements.add(each);
    type.capacity.pods = 29;
    rules::Offering offering;
    offering.requirements.add(
        rules::Requirement::in(std::string(api::kZoneLabel), {job->status.subnets.front().zone}));
    offering.requirements.add(
        rules::Requirement::in(std::string(api::kCapacityTypeLabel), {std::string(api::kOnDemand)}));
    LaunchRequest request;
    request.claim.node_class = job->node_class.reference();
    request.choices = {{&type, &offering}};
    std::optional<PlacementGroup> group;
    if (job->spec.placement_group) group = ground_.placement_groups.find(*job->spec.placement_group);
    const StatusSubnet& subnet = job->status.subnets.front();
    const auto plan =
        plan_fleet(request, {},
                   {.node_class = job->spec,
                    .status = job->status,
                    .settings = ground_.settings,
                    .subnets = {{subnet.zone, subnet.id}},
                    .reservations = nullptr,
                    .placement_group = group,
                    .region = ground_.settings.node_class_cel ? ground_.region_types.facts() : nullptr});
    if (!plan) {
        job->keep("ValidationSucceeded", plan.error().message);
        return finish(job);
    }
    const LaunchTemplateRequest launch_template = plan->parts.front().launch_template;
    ground_.templates.ensure(
        {launch_template}, [this, job, launch_template, is_alive = is_alive_](const aws::Answer<void>& made) {
            if (!*is_alive) return;
            if (!made) return refused(job, made.error(), "CreateLaunchTemplateAuthCheckFailed");
            dry_run_fleet(job, launch_template);
        });
}

void ClassReconciler::dry_run_fleet(const JobPtr& job, const LaunchTemplateRequest& launch_template) {
    const StatusSubnet& subnet = job->status.subnets.front();
    FleetRequest fleet;
    fleet.capacity_type = api::kOnDemand;
    fleet.allocation_strategy = "lowest-price";
    fleet.tags = launch_template.tags;
    fleet.templates = {{launch_template.name,
                        {{candidate_type(job->status.images.front()), subnet.zone, subnet.id,
                          launch_template.image_id, std::nullopt}}}};
    ground_.ec2.create_fleet(
        fleet, true,
        [this, job, launch_template, is_alive = is_alive_](const aws::Answer<FleetAnswer>& answer) {
            if (!*is_alive) return;
            if (!answer && !answer.error().is_dry_run())
                return refused(job, answer.error(), "CreateFleetAuthCheckFailed");
            dry_run_instance(job, launch_template, 0);
        });
}

// The first subnet's error decides, where none of them will do.
void ClassReconciler::dry_run_instance(const JobPtr& job, const LaunchTemplateRequest& launch_template,
                                       std::size_t subnet) {
    ground_.ec2.dry_run_instances(
        launch_template.name, candidate_type(job->status.images.front()), job->status.subnets[subnet].id,
        launch_template.image_id, launch_template.tags,
        [this, job, launch_template, subnet, is_alive = is_alive_](const aws::Answer<void>& answer) {
            if (!*is_alive) return;
            if (answer) {
                job->set_true("ValidationSucceeded");
                return finish(job);
            }
            if (subnet + 1 < job->status.subnets.size() && subnet < 5)
                return dry_run_instance(job, launch_template, subnet + 1);
            refused(job, answer.error(), "RunInstancesAuthCheckFailed");
        });
}

void ClassReconciler::refused(const JobPtr& job, const aws::CallError& error, const char* reason) {
    const bool names_the_profile = error.details.find("nstance Profile") != std::string::npos ||
                                   error.details.find("iamInstanceProfile") != std::string::npos;
    if (error.kind == ErrorKind::kForbidden)
        job->set("ValidationSucceeded", "False", reason, error.message);
    else if (names_the_profile && job->spec.instance_profile)
        job->set("ValidationSucceeded", "False", "InstanceProfileNotFound", error.message);
    else
        job->keep("ValidationSucceeded", error.message);
    finish(job);
}

void ClassReconciler::finish(const JobPtr& job) {
    if (!job->tried.empty() && job->is_true("ValidationSucceeded"))
        valid_[job->tried] = ground_.loop.monotonic();
    WantedClassState out;
    if (job->is_spec_read) {
        // The CA is part of the hash: while it is not known, the hash that was written stays.
        if (!ground_.settings.cluster_ca.empty()) {
            out.annotations[std::string(kHashAnnotation)] =
                node_class_hash(job->spec, ground_.settings.cluster_ca);
            out.annotations[std::string(kHashVersionAnnotation)] = kHashVersion;
        }
        out.status = write_status(job->status);
    }
    for (const char* type : kConditions) {
        if (std::string_view(type) == kReservationsReady && !ground_.settings.reserved_capacity) continue;
        if (!job->conditions.contains(type)) job->keep(type, "not looked at yet");
        out.conditions.push_back(job->conditions.at(type));
    }
    out.finalizer = kClassFinalizer;
    out.wants_finalizer = true;
    out.again_after = kLookAgain;
    job->done(std::move(out));
}

void ClassReconciler::clear_away(const JobPtr& job) {
    WantedClassState out;
    out.finalizer = kClassFinalizer;
    out.wants_finalizer = false;
    const auto finished = [job, out](const aws::Answer<void>& cleared) {
        if (!cleared) return job->done(tl::unexpected<Error>(cleared.error()));
        job->done(out);
    };
    ground_.templates.remove_all(job->node_class.meta.name, [this, job, finished, is_alive = is_alive_](
                                                                const aws::Answer<void>& removed) {
        if (!*is_alive) return;
        if (!removed || ground_.settings.isolated_vpc) return finished(removed);
        ground_.profiles.remove_all(job->node_class, finished);
    });
}

}  // namespace joiner::cloud::ec2
