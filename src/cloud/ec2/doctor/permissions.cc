#include "cloud/ec2/doctor/permissions.h"

#include <optional>
#include <string_view>
#include <utility>

#include "cloud/ec2/aws/form.h"
#include "cloud/ec2/calls/ec2_requests.h"

namespace joiner::cloud::ec2 {
namespace {

// Nothing is called so.
constexpr const char* kNoTemplate = "joiner-doctor-asks-whether-it-may";

void add_tags(aws::Form& form, int number, const char* resource, const api::StringMap& tags) {
    add_tag_specification(form, "", number, resource, tags);
}

// nullopt: there is nothing to try it on.
std::optional<aws::Form> dry_run_of(std::string_view name, const TrialGround& ground) {
    aws::Form form(name, kEc2Version);
    form.add("DryRun", true);
    if (name == "DescribeInstanceTypeOfferings") form.add("LocationType", "availability-zone");
    if (name == "CreateLaunchTemplate") {
        form.add("LaunchTemplateName", kNoTemplate).add("LaunchTemplateData.InstanceType", "m5.large");
        add_tags(form, 1, "launch-template", ground.tags);
    }
    if (name == "CreateFleet") {
        form.add("Type", "instant")
            .add("TargetCapacitySpecification.TotalTargetCapacity", 1)
            .add("TargetCapacitySpecification.DefaultTargetCapacityType", "on-demand")
            .add("LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName", kNoTemplate)
            .add("LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version", "$Latest");
        add_tags(form, 1, "fleet", ground.tags);
        add_tags(form, 2, "instance", ground.tags);
    }
    if (name == "RunInstances") {
        form.add("LaunchTemplate.LaunchTemplateName", kNoTemplate).add("MinCount", 1).add("MaxCount", 1);
        add_tags(form, 1, "instance", ground.tags);
    }
    if (name == "CreateTags") {
        if (ground.instance.empty()) return std::nullopt;
        form.add("ResourceId.1", ground.instance).add("Tag.1.Key", "Name").add("Tag.1.Value", "node");
    }
    if (name == "TerminateInstances" || name == "RebootInstances") {
        if (ground.instance.empty()) return std::nullopt;
        form.add("InstanceId.1", ground.instance);
    }
    if (name == "DeleteLaunchTemplate") {
        if (ground.launch_template.empty()) return std::nullopt;
        form.add("LaunchTemplateId", ground.launch_template);
    }
    return form;
}

}  // namespace

const std::vector<Permission>& permissions() {
    static const std::vector<Permission> kPermissions = {
        {"ec2:DescribeInstanceTypes", Trial::kDryRun},
        {"ec2:DescribeInstanceTypeOfferings", Trial::kDryRun},
        {"ec2:DescribeSpotPriceHistory", Trial::kDryRun},
        {"ec2:DescribeSubnets", Trial::kDryRun},
        {"ec2:DescribeSecurityGroups", Trial::kDryRun},
        {"ec2:DescribeImages", Trial::kDryRun},
        {"ec2:DescribePlacementGroups", Trial::kDryRun},
        {"ec2:DescribeCapacityReservations", Trial::kDryRun},
        {"ec2:DescribeLaunchTemplates", Trial::kDryRun},
        {"ec2:DescribeInstances", Trial::kDryRun},
        {"ec2:DescribeInstanceStatus", Trial::kDryRun},
        {"ec2:CreateLaunchTemplate", Trial::kDryRun},
        {"ec2:DeleteLaunchTemplate", Trial::kDryRun},
        {"ec2:CreateFleet", Trial::kDryRun},
        {"ec2:RunInstances", Trial::kDryRun},
        {"ec2:CreateTags", Trial::kDryRun},
        {"ec2:TerminateInstances", Trial::kDryRun},
        {"ec2:RebootInstances", Trial::kDryRun},
        {"ssm:GetParameter", Trial::kRead},
        {"pricing:GetProducts", Trial::kRead},
        {"eks:DescribeCluster", Trial::kRead},
        {"sqs:GetQueueUrl", Trial::kRead},
        {"sqs:ReceiveMessage", Trial::kRead},
        {"sqs:DeleteMessage", Trial::kNone},
        {"arc-zonal-shift:GetManagedResource", Trial::kRead},
        {"iam:ListInstanceProfiles", Trial::kRead},
        {"iam:GetInstanceProfile", Trial::kRead},
        {"iam:CreateInstanceProfile", Trial::kNone},
        {"iam:TagInstanceProfile", Trial::kNone},
        {"iam:AddRoleToInstanceProfile", Trial::kNone},
        {"iam:RemoveRoleFromInstanceProfile", Trial::kNone},
        {"iam:DeleteInstanceProfile", Trial::kNone},
        {"iam:PassRole", Trial::kNone},
    };
    return kPermissions;
}

const std::vector<Permission>& commitment_permissions() {
    static const std::vector<Permission> kPermissions = {
        {"ec2:DescribeReservedInstances", Trial::kDryRun},
        {"savingsplans:DescribeSavingsPlans", Trial::kRead},
        {"savingsplans:DescribeSavingsPlanRates", Trial::kRead},
    };
    return kPermissions;
}

TrialAnswer verdict_of(const aws::CallError* error) {
    if (error == nullptr) return {Verdict::kAllowed};
    if (error->is_dry_run()) return {.verdict = Verdict::kAllowed, .was_dry = true};
    if (error->kind == ErrorKind::kForbidden) return {Verdict::kForbidden, error->message};
    const bool is_unknown = error->kind == ErrorKind::kUnavailable || error->kind == ErrorKind::kThrottled;
    // What is wrong with the request is said to those only who may make it.
    return {is_unknown ? Verdict::kNotKnown : Verdict::kAllowed, error->message};
}

void try_by_dry_run(aws::Client& client, const Permission& permission, const TrialGround& ground,
                    std::function<void(TrialAnswer)> done) {
    const std::string name = std::string(permission.action).substr(4);  // Behind "ec2:".
    const std::optional<aws::Form> form = dry_run_of(name, ground);
    if (!form) return done({Verdict::kNotTried, "nothing of this cluster's is there to try it on"});
    aws::Call call;
    call.service = aws::Service::kEc2;
    call.name = name;
    call.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
    call.body = form->text();
    client.send(std::move(call), [done = std::move(done)](const aws::Answer<std::string>& answer) {
        // An answer without an error comes from where dry runs are not heeded.
        done(verdict_of(answer ? nullptr : &answer.error()));
    });
}

}  // namespace joiner::cloud::ec2
