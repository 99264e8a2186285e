#include "cloud/ec2/doctor/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/classes/selectors.h"
#include "cloud/ec2/names.h"

namespace joiner::cloud::ec2 {
namespace {

const std::string kPolicyCure =
    "give the controller's role the policy in deploy/aws/controller-policy.json, with your names in it";

const std::string kCommitmentsCure =
    "give the controller's role the policy in deploy/aws/commitments-policy.json too, or "
    "--account-commitments "
    "off";

std::string permission_check(std::string_view action) {
    return fmt::format("permission {}", action);
}

constexpr const char* kRulesCheck = "rules of the queue";
constexpr const char* kRulesPermission =
    "the role may not see them; for this check alone it wants events:ListRuleNamesByTarget and "
    "events:DescribeRule. The rules are in deploy/aws/interruption.yaml";

// Named as in deploy/aws/interruption.yaml.
struct WantedRule {
    const char* name;
    const char* source;
    const char* detail_type;
};
constexpr WantedRule kWantedRules[] = {
    {"SpotInterruption", "aws.ec2", "EC2 Spot Instance Interruption Warning"},
    {"RebalanceRecommendation", "aws.ec2", "EC2 Instance Rebalance Recommendation"},
    {"StateChange", "aws.ec2", "EC2 Instance State-change Notification"},
    {"ScheduledChange", "aws.health", "AWS Health Event"},
    {"CapacityReservationInterruption", "aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"},
};

// Of a queue's address, "https://sqs.eu-west-1.amazonaws.com/123456789012/name"; empty: it has another form.
std::string queue_arn_of(const std::string& url, const aws::Endpoints& endpoints) {
    const std::size_t last = url.rfind('/');
    const std::size_t before = last == std::string::npos || last == 0 ? last : url.rfind('/', last - 1);
    if (before == std::string::npos || before == last) return {};
    const std::string account = url.substr(before + 1, last - before - 1);
    const std::string name = url.substr(last + 1);
    const bool is_account =
        account.size() == 12 && account.find_first_not_of("0123456789") == std::string::npos;
    if (!is_account || name.empty()) return {};
    return fmt::format("arn:{}:sqs:{}:{}:{}", endpoints.partition(), endpoints.region(), account, name);
}

// All questions, one after the other; the first error, or all that was found.
template <typename T, typename Question>
void ask_each(std::vector<Question> questions,
              std::function<void(const Question&, aws::Done<std::vector<T>>)> ask,
              aws::Done<std::vector<T>> done, std::vector<T> found = {}) {
    if (questions.empty()) return done(std::move(found));
    const Question question = std::move(questions.back());
    questions.pop_back();
    ask(question, [questions = std::move(questions), ask, done = std::move(done),
                   found = std::move(found)](const aws::Answer<std::vector<T>>& answer) mutable {
        if (!answer) return done(answer);
        found.insert(found.end(), answer->begin(), answer->end());
        ask_each<T, Question>(std::move(questions), ask, std::move(done), std::move(found));
    });
}

}  // namespace

Doctor::Doctor(Ec2Ground ground, Settings settings, std::vector<api::NodeClass> classes)
    : loop_(ground.loop),
      settings_(std::move(settings)),
      region_(ground.endpoints.region()),
      classes_(std::move(classes)),
      client_(ground.loop, ground.http, ground.rng, std::move(ground.endpoints),
              std::move(ground.fetch_credentials), "joiner-doctor/" JOINER_VERSION),
      ec2_(client_),
      iam_(client_),
      sts_(client_),
      ssm_(client_),
      eks_(client_),
      pricing_(client_),
      sqs_(client_),
      arc_(client_),
      event_bridge_(client_),
      savings_plans_(client_) {
    ours_.tags = {{std::string(kOwnedTagPrefix) + settings_.cluster_name, "owned"},
                  {std::string(kClusterTag), settings_.cluster_name},
                  {std::string(kPoolTag), "default"},
                  {std::string(kClassLabel), "default"}};
}

void Doctor::examine(std::function<void(std::vector<Check>)> done) {
    done_ = std::move(done);
    good("region", region_);
    steps_.push_back([this](Next next) { look_at_credentials(std::move(next)); });
    loop_.post([this, is_alive = is_alive_] {
        if (*is_alive) run_next();
    });
}

void Doctor::run_next() {
    if (steps_.empty()) return done_(std::move(checks_));
    const Step step = std::move(steps_.front());
    steps_.pop_front();
    // Not from inside the step: some have nothing to ask.
    step([this, is_alive = is_alive_] {
        if (!*is_alive) return;
        loop_.post([this, is_alive] {
            if (*is_alive) run_next();
        });
    });
}

void Doctor::good(std::string name, std::string message) {
    checks_.push_back({std::move(name), Check::Result::kOk, std::move(message), ""});
}
void Doctor::failed(std::string name, std::string message, std::string cure) {
    checks_.push_back({std::move(name), Check::Result::kFailed, std::move(message), std::move(cure)});
}
void Doctor::not_checked(std::string name, std::string why) {
    checks_.push_back({std::move(name), Check::Result::kNotChecked, std::move(why), ""});
}

void Doctor::note(std::string name, const TrialAnswer& answer, const std::string& cure) {
    switch (answer.verdict) {
        case Verdict::kAllowed:
            return good(std::move(name), "allowed");
        case Verdict::kForbidden:
            return failed(std::move(name), answer.message, cure);
        case Verdict::kNotKnown:
            return failed(std::move(name), answer.message, "see whether AWS can be reached, and look again");
        case Verdict::kNotTried:
            return not_checked(std::move(name), answer.message);
    }
}

// Without credentials nothing else can be looked at.
void Doctor::look_at_credentials(Next next) {
    sts_.get_caller_identity([this, next = std::move(next)](const aws::Answer<std::string>& arn) {
        if (!arn) {
            failed("credentials", arn.error().message,
                   "give the pod a role by EKS Pod Identity or IRSA, or keys in the environment; and see "
                   "whether "
                   "STS can be reached");
            return next();
        }
        good("credentials", *arn);
        plan();
        next();
    });
}

void Doctor::plan() {
    const auto then = [this](void (Doctor::*step)(Next)) {
        steps_.push_back([this, step](Next next) { (this->*step)(std::move(next)); });
    };
    then(&Doctor::look_at_ec2);
    then(&Doctor::find_what_is_ours);
    for (const Permission& permission : permissions()) {
        if (permission.trial == Trial::kDryRun)
            steps_.push_back(
                [this, &permission](Next next) { look_at_dry_run(permission, std::move(next)); });
    }
    then(&Doctor::look_at_cluster);
    then(&Doctor::look_at_prices);
    then(&Doctor::look_at_profiles);
    for (const api::NodeClass& each : classes_) {
        steps_.push_back([this, &each](Next next) { look_at_subnets(each, std::move(next)); });
        steps_.push_back([this, &each](Next next) { look_at_security_groups(each, std::move(next)); });
        steps_.push_back([this, &each](Next next) { look_at_images(each, std::move(next)); });
    }
    then(&Doctor::look_at_queue);
    then(&Doctor::look_at_rules);
    then(&Doctor::look_at_zonal_shift);
    then(&Doctor::look_at_commitments);
}

void Doctor::look_at_ec2(Next next) {
    ec2_.check_connection([this, next = std::move(next)](const aws::Answer<void>& answer) {
        const bool is_answered = answer || answer.error().kind == ErrorKind::kForbidden;
        if (is_answered)
            good("EC2", "answers");
        else
            failed("EC2", answer.error().message,
                   "see whether the endpoint of EC2 can be reached: routes, VPC endpoints, AWS_ENDPOINT_URL");
        next();
    });
}

void Doctor::find_what_is_ours(Next next) {
    const Filters of_cluster = {{"tag:" + std::string(kClusterTag), {settings_.cluster_name}},
                                {"tag-key", {std::string(kPoolTag)}}};
    ec2_.describe_instances(of_cluster, [this, of_cluster, next = std::move(next)](
                                            const aws::Answer<std::vector<InstanceInfo>>& instances) {
        for (const InstanceInfo& each : instances.value_or(std::vector<InstanceInfo>())) {
            if (each.state == "running") ours_.instance = each.id;
        }
        ec2_.describe_launch_templates(
            {}, of_cluster, [this, next](const aws::Answer<std::vector<LaunchTemplate>>& templates) {
                if (templates && !templates->empty()) ours_.launch_template = templates->front().id;
                next();
            });
    });
}

// Where a server does them in earnest, what would change something is not tried.
void Doctor::look_at_dry_run(const Permission& permission, Next next) {
    const std::string_view action = permission.action;
    const bool is_question = action.starts_with("ec2:Describe");
    if (!is_question && !heeds_dry_runs_) {
        not_checked(permission_check(action), "what answers here does not heed dry runs");
        return next();
    }
    try_by_dry_run(client_, permission, ours_,
                   [this, action, next = std::move(next)](const TrialAnswer& answer) {
                       if (answer.was_dry) heeds_dry_runs_ = true;
                       note(permission_check(action), answer, kPolicyCure);
                       next();
                   });
}

void Doctor::look_at_cluster(Next next) {
    eks_.describe_cluster(settings_.cluster_name, [this, next = std::move(next)](
                                                      const aws::Answer<EksCluster>& cluster) {
        const std::string name = "cluster " + settings_.cluster_name;
        const bool is_said = !settings_.cluster_endpoint.empty() && !settings_.cluster_ca.empty();
        if (cluster) {
            cluster_arn_ = cluster->arn;
            settings_.kubernetes = cluster->version;
            const std::string& endpoint =
                settings_.cluster_endpoint.empty() ? cluster->endpoint : settings_.cluster_endpoint;
            if (endpoint.empty())
                failed(name, "EKS names no endpoint yet", "wait until the cluster is made");
            else
                good(name, fmt::format("Kubernetes {} at {}", cluster->version, endpoint));
        } else if (is_said) {
            good(name, "endpoint and CA stand in the settings; EKS: " + cluster.error().message);
        } else {
            failed(name, cluster.error().message,
                   cluster.error().kind == ErrorKind::kForbidden
                       ? kPolicyCure
                       : "is --cluster-name right, and the region? Without EKS set --cluster-endpoint and "
                         "--cluster-ca-bundle");
        }
        next();
    });
}

void Doctor::look_at_prices(Next next) {
    const std::string name = permission_check("pricing:GetProducts");
    if (settings_.isolated_vpc || region_.starts_with("us-gov-")) {
        not_checked(name, "prices are not asked for here");
        return next();
    }
    pricing_.ask_for_one(region_, [this, name, next = std::move(next)](const aws::Answer<void>& answer) {
        note(name, verdict_of(answer ? nullptr : &answer.error()),
             kPolicyCure + "; without prices those built in serve");
        next();
    });
}

void Doctor::look_at_profiles(Next next) {
    const std::string get = permission_check("iam:GetInstanceProfile");
    if (settings_.isolated_vpc) {
        not_checked(get, "IAM is not asked here");
        return next();
    }
    iam_.get_instance_profile("joiner-doctor", [this, get, next = std::move(next)](
                                                   const aws::Answer<InstanceProfile>& answer) {
        note(get, verdict_of(answer ? nullptr : &answer.error()), kPolicyCure);
        iam_.list_instance_profiles(fmt::format("/karpenter/{}/{}/", region_, settings_.cluster_name),
                                    [this, next](const aws::Answer<std::vector<InstanceProfile>>& all) {
                                        note(permission_check("iam:ListInstanceProfiles"),
                                             verdict_of(all ? nullptr : &all.error()), kPolicyCure);
                                        for (const Permission& each : permissions()) {
                                            const std::string_view action = each.action;
                                            if (each.trial == Trial::kNone && action.starts_with("iam:"))
                                                not_checked(permission_check(action), "IAM has no dry runs");
                                        }
                                        next();
                                    });
    });
}

void Doctor::look_at_subnets(const api::NodeClass& node_class, Next next) {
    const std::string name = fmt::format("EC2NodeClass {}: subnets", node_class.meta.name);
    const auto spec = parse_node_class(node_class);
    if (!spec) {
        failed(name, spec.error().message, "mend the class's spec");
        return next();
    }
    ask_each<Subnet, Filters>(
        subnet_questions(spec->subnets),
        [this](const Filters& filters, aws::Done<std::vector<Subnet>> found) {
            ec2_.describe_subnets(filters, std::move(found));
        },
        [this, name, next = std::move(next)](const aws::Answer<std::vector<Subnet>>& found) {
            std::set<std::string> zones;
            int free = 0;
            for (const Subnet& each : found.value_or(std::vector<Subnet>())) {
                zones.insert(each.zone);
                free += each.free_addresses;
            }
            if (!found)
                failed(name, found.error().message, kPolicyCure);
            else if (found->empty())
                failed(name, "spec.subnetSelectorTerms find none",
                       "tag the subnets, or name them by id; are they in this region?");
            else if (free == 0)
                failed(name, "none of them has a free address", "add subnets or addresses");
            else
                good(name,
                     fmt::format("{} in {} zones, {} addresses free", found->size(), zones.size(), free));
            next();
        });
}

void Doctor::look_at_security_groups(const api::NodeClass& node_class, Next next) {
    const std::string name = fmt::format("EC2NodeClass {}: security groups", node_class.meta.name);
    const auto spec = parse_node_class(node_class);
    if (!spec) return next();
    ask_each<SecurityGroup, Filters>(
        security_group_questions(spec->security_groups),
        [this](const Filters& filters, aws::Done<std::vector<SecurityGroup>> found) {
            ec2_.describe_security_groups(filters, std::move(found));
        },
        [this, name, next = std::move(next)](const aws::Answer<std::vector<SecurityGroup>>& found) {
            if (!found)
                failed(name, found.error().message, kPolicyCure);
            else if (found->empty())
                failed(name, "spec.securityGroupSelectorTerms find none",
                       "tag the groups, or name them by id or name; are they in this region?");
            else
                good(name, fmt::format("{} found", found->size()));
            next();
        });
}

void Doctor::look_at_images(const api::NodeClass& node_class, Next next) {
    const std::string name = fmt::format("EC2NodeClass {}: images", node_class.meta.name);
    const auto spec = parse_node_class(node_class);
    if (!spec) return next();
    std::vector<std::string> paths;
    for (const AmiTerm& term : spec->amis) {
        if (!term.ssm_parameter.empty()) paths.push_back(term.ssm_parameter);
        if (term.alias.empty()) continue;
        const auto of_alias = image_parameters(term.alias, settings_.kubernetes);
        if (!of_alias) {
            failed(name, of_alias.error().message, "name another alias");
            return next();
        }
        for (const ImageParameter& each : *of_alias) paths.push_back(each.path);
    }
    const auto missing_is_none = [this](const std::string& path, aws::Done<std::vector<std::string>> found) {
        ssm_.get_parameter(path, [found = std::move(found)](const aws::Answer<std::string>& value) {
            if (value) return found(std::vector<std::string>{*value});
            if (value.error().kind == ErrorKind::kNotFound) return found(std::vector<std::string>());
            found(tl::unexpected<aws::CallError>(value.error()));
        });
    };
    ask_each<std::string, std::string>(
        paths, missing_is_none,
        [this, name, amis = spec->amis,
         next = std::move(next)](const aws::Answer<std::vector<std::string>>& ids) {
            if (!ids) {
                failed(name, ids.error().message, kPolicyCure);
                return next();
            }
            ask_each<Image, ImageQuestion>(
                image_questions(amis, *ids),
                [this](const ImageQuestion& question, aws::Done<std::vector<Image>> found) {
                    ec2_.describe_images(question.filters, question.owners, std::move(found));
                },
                [this, name, next](const aws::Answer<std::vector<Image>>& found) {
                    if (!found)
                        failed(name, found.error().message, kPolicyCure);
                    else if (found->empty())
                        failed(name, "spec.amiSelectorTerms find none",
                               "is the image in this region, and shared with this account? Of an alias: is "
                               "there "
                               "one for this version of Kubernetes?");
                    else
                        good(name, fmt::format("{} found", found->size()));
                    next();
                });
        });
}

void Doctor::look_at_queue(Next next) {
    const std::string name = "interruption queue";
    if (settings_.interruption_queue.empty()) {
        not_checked(name, "--interruption-queue is not set: spot instances end without a warning");
        return next();
    }
    sqs_.get_queue_url(settings_.interruption_queue,
                       [this, name, next = std::move(next)](const aws::Answer<std::string>& url) {
                           if (!url) {
                               failed(name, url.error().message,
                                      url.error().kind == ErrorKind::kForbidden
                                          ? kPolicyCure
                                          : "make it with deploy/aws/interruption.yaml, or name another one");
                               return next();
                           }
                           // Takes no message from whoever reads.
                           sqs_.peek(*url, [this, name, url = *url, next](const aws::Answer<void>& may_read) {
                               if (may_read)
                                   good(name, settings_.interruption_queue + " may be read");
                               else
                                   failed(name, may_read.error().message, kPolicyCure);
                               find_queue_arn(url, next);
                           });
                       });
}

// Most addresses say it. Otherwise the queue is asked, which the controller does not need to be allowed.
void Doctor::find_queue_arn(const std::string& url, Next next) {
    queue_arn_ = queue_arn_of(url, client_.endpoints());
    if (!queue_arn_.empty()) return next();
    sqs_.get_queue_arn(url, [this, url, next = std::move(next)](const aws::Answer<std::string>& arn) {
        if (arn) queue_arn_ = *arn;
        if (queue_arn_.empty()) {
            const bool is_forbidden = !arn && arn.error().kind == ErrorKind::kForbidden;
            not_checked(
                kRulesCheck,
                fmt::format("which rules deliver to it is not known: the address {} does not name the "
                            "account{}",
                            url,
                            is_forbidden ? ", and for this check alone the role wants "
                                           "sqs:GetQueueAttributes"
                            : arn        ? ", nor do the queue's attributes"
                                         : "; " + arn.error().message));
        }
        next();
    });
}

// The controller does not need to see the rules, so a role that may not is no fault.
void Doctor::look_at_rules(Next next) {
    if (queue_arn_.empty()) return next();
    if (settings_.isolated_vpc) {
        not_checked(kRulesCheck, "EventBridge is not asked here");
        return next();
    }
    event_bridge_.rules_of_target(
        queue_arn_, [this, next = std::move(next)](const aws::Answer<std::vector<std::string>>& names) {
            if (names) return describe_rules(*names, {}, next);
            not_checked(kRulesCheck, names.error().kind == ErrorKind::kForbidden ? kRulesPermission
                                                                                 : names.error().message);
            next();
        });
}

void Doctor::describe_rules(std::vector<std::string> names, std::vector<EventRule> found, Next next) {
    if (names.empty()) {
        note_rules(found);
        return next();
    }
    const std::string name = std::move(names.back());
    names.pop_back();
    event_bridge_.describe_rule(name, [this, names = std::move(names), found = std::move(found),
                                       next = std::move(next)](const aws::Answer<EventRule>& rule) mutable {
        if (!rule && rule.error().kind != ErrorKind::kNotFound) {
            not_checked(kRulesCheck,
                        rule.error().kind == ErrorKind::kForbidden ? kRulesPermission : rule.error().message);
            return next();
        }
        if (rule) found.push_back(*rule);
        describe_rules(std::move(names), std::move(found), std::move(next));
    });
}

void Doctor::note_rules(const std::vector<EventRule>& rules) {
    for (const WantedRule& wanted : kWantedRules) {
        const std::string name = fmt::format("rule {}", wanted.name);
        const bool is_there = std::any_of(rules.begin(), rules.end(), [&](const EventRule& each) {
            return lets_through(each, wanted.source, wanted.detail_type);
        });
        if (is_there)
            good(name, "delivers to the queue");
        else
            failed(name, fmt::format("no rule delivers \"{}\" to the queue", wanted.detail_type),
                   fmt::format("add the rule {} of deploy/aws/interruption.yaml, with the queue as its "
                               "target, or enable the one that is there",
                               wanted.name));
    }
}

void Doctor::look_at_zonal_shift(Next next) {
    if (!settings_.enable_zonal_shift) return next();
    const std::string name = "zonal shift";
    if (cluster_arn_.empty()) {
        not_checked(name, "EKS does not name the cluster");
        return next();
    }
    arc_.get_managed_resource(cluster_arn_, [this, name, next = std::move(next)](
                                                const aws::Answer<std::vector<ShiftedZone>>& shifts) {
        if (shifts)
            good(name, "the cluster is looked after");
        else
            failed(name, shifts.error().message,
                   shifts.error().kind == ErrorKind::kForbidden
                       ? kPolicyCure
                       : "switch zonal shift on for the cluster, or --enable-zonal-shift off");
        next();
    });
}

void Doctor::look_at_commitments(Next next) {
    if (!settings_.account_commitments) return next();
    ec2_.describe_reserved_instances(
        [this, next = std::move(next)](const aws::Answer<std::vector<ReservedInstances>>& reserved) {
            note(permission_check("ec2:DescribeReservedInstances"),
                 verdict_of(reserved ? nullptr : &reserved.error()), kCommitmentsCure);
            look_at_savings_plans(reserved ? reserved->size() : 0, next);
        });
}

// A plan is needed to ask for rates.
void Doctor::look_at_savings_plans(std::size_t reserved, Next next) {
    const std::string name = permission_check("savingsplans:DescribeSavingsPlans");
    const std::string of_rates = permission_check("savingsplans:DescribeSavingsPlanRates");
    if (settings_.isolated_vpc) {
        not_checked(name, "Savings Plans are not asked for here");
        return next();
    }
    savings_plans_.describe_savings_plans([this, name, of_rates, reserved, next = std::move(next)](
                                              const aws::Answer<std::vector<SavingsPlan>>& plans) {
        note(name, verdict_of(plans ? nullptr : &plans.error()), kCommitmentsCure);
        if (!plans) return next();
        good("commitments", fmt::format("{} purchases of reserved instances here, {} Savings Plans", reserved,
                                        plans->size()));
        if (plans->empty()) {
            not_checked(of_rates, "there is no Savings Plan to try it on");
            return next();
        }
        savings_plans_.describe_savings_plan_rates(
            plans->front().id, region_,
            [this, of_rates, next](const aws::Answer<std::vector<SavingsPlanRate>>& rates) {
                note(of_rates, verdict_of(rates ? nullptr : &rates.error()), kCommitmentsCure);
                next();
            });
    });
}

}  // namespace joiner::cloud::ec2
