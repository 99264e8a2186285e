#include "cloud/ec2/calls/ec2.h"

#include "cloud/ec2/aws/client.h"
#include "cloud/ec2/calls/ec2_answers.h"
#include "cloud/ec2/calls/ec2_requests.h"
#include "cloud/ec2/calls/paged.h"

namespace joiner::cloud::ec2 {
namespace {

using aws::Answer;
using aws::CallError;
using aws::Done;
using aws::Form;

constexpr int kPage = 1000;
constexpr int kTypesPage = 100;  // EC2 takes no more, here and where it says so.
constexpr int kTemplatesPage = 200;
constexpr int kPlacesPage = 500;

aws::Call call_named(std::string name) {
    aws::Call out;
    out.name = std::move(name);
    out.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
    return out;
}

template <typename T, T (*read)(const pugi::xml_node&)>
void push(const pugi::xml_node& item, std::vector<T>& out) {
    out.push_back(read(item));
}

template <typename T, T (*read)(const pugi::xml_node&)>
void list(aws::Client& client, const char* name, const char* set, Form form, int page_size,
          Done<std::vector<T>> done) {
    PagedList<T>::ask(client, {call_named(name), std::move(form), page_size, set, &push<T, read>},
                      std::move(done));
}

// Of a call whose answer holds nothing for us.
Done<std::string> nothing_of(Done<void> done) {
    return [done = std::move(done)](const Answer<std::string>& answer) {
        if (!answer) return done(tl::unexpected<CallError>(answer.error()));
        done({});
    };
}

// A dry run's good answer is an error of its own.
Done<void> dry_run(Done<void> done) {
    return [done = std::move(done)](const Answer<void>& answer) {
        if (!answer && answer.error().is_dry_run()) return done({});
        done(answer);
    };
}

void change(aws::Client& client, const char* name, const Form& form, Done<void> done) {
    aws::Call call = call_named(name);
    call.body = form.text();
    client.send(std::move(call), nothing_of(std::move(done)));
}

// Reads one answer that is no list.
template <typename T, T (*read)(const pugi::xml_node&)>
void ask(aws::Client& client, const char* name, const Form& form, Done<T> done) {
    aws::Call call = call_named(name);
    call.body = form.text();
    const aws::Call named = call_named(name);
    client.send(std::move(call), [named, done = std::move(done)](const Answer<std::string>& answer) {
        if (!answer) return done(tl::unexpected<CallError>(answer.error()));
        const auto document = aws::parse_xml(*answer, named.name + "Response");
        if (!document) return done(no_answer(named, document.error()));
        done(read(document->document_element()));
    });
}

LaunchTemplate read_created_template(const pugi::xml_node& root) {
    return read_launch_template(root.child("launchTemplate"));
}

void push_instances(const pugi::xml_node& reservation, std::vector<InstanceInfo>& out) {
    for (const pugi::xml_node& item : reservation.child("instancesSet").children("item"))
        out.push_back(read_instance(item));
}

Form with_filters(const char* name, const Filters& filters) {
    Form form(name, kEc2Version);
    add_filters(form, filters);
    return form;
}

}  // namespace

void Ec2::check_connection(Done<void> done) {
    Form form("DescribeInstanceTypes", kEc2Version);
    form.add("DryRun", true);
    change(client_, "DescribeInstanceTypes", form, dry_run(std::move(done)));
}

void Ec2::describe_instance_types(Done<std::vector<InstanceTypeInfo>> done) {
    list<InstanceTypeInfo, read_instance_type>(
        client_, "DescribeInstanceTypes", "instanceTypeSet",
        with_filters("DescribeInstanceTypes",
                     {{"supported-virtualization-type", {"hvm"}},
                      {"processor-info.supported-architecture", {"x86_64", "arm64"}}}),
        kTypesPage, std::move(done));
}

void Ec2::describe_instance_type_offerings(Done<std::vector<TypeInZone>> done) {
    Form form("DescribeInstanceTypeOfferings", kEc2Version);
    form.add("LocationType", "availability-zone");
    list<TypeInZone, read_type_in_zone>(client_, "DescribeInstanceTypeOfferings", "instanceTypeOfferingSet",
                                        std::move(form), kPage, std::move(done));
}

void Ec2::describe_spot_prices(WallTime now, Done<std::vector<SpotPrice>> done) {
    Form form("DescribeSpotPriceHistory", kEc2Version);
    form.add("StartTime", format_rfc3339(now))
        .add_list("ProductDescription", {"Linux/UNIX", "Linux/UNIX (Amazon VPC)"});
    list<SpotPrice, read_spot_price>(client_, "DescribeSpotPriceHistory", "spotPriceHistorySet",
                                     std::move(form), kPage, std::move(done));
}

void Ec2::describe_subnets(Filters filters, Done<std::vector<Subnet>> done) {
    list<Subnet, read_subnet>(client_, "DescribeSubnets", "subnetSet",
                              with_filters("DescribeSubnets", filters), kPlacesPage, std::move(done));
}

void Ec2::describe_security_groups(Filters filters, Done<std::vector<SecurityGroup>> done) {
    list<SecurityGroup, read_security_group>(client_, "DescribeSecurityGroups", "securityGroupInfo",
                                             with_filters("DescribeSecurityGroups", filters), kPlacesPage,
                                             std::move(done));
}

void Ec2::describe_images(Filters filters, std::vector<std::string> owners, Done<std::vector<Image>> done) {
    Form form = with_filters("DescribeImages", filters);
    form.add_list("Owner", owners).add("IncludeDeprecated", true);
    list<Image, read_image>(client_, "DescribeImages", "imagesSet", std::move(form), kPage, std::move(done));
}

void Ec2::describe_placement_groups(std::vector<std::string> ids, Filters filters,
                                    Done<std::vector<PlacementGroup>> done) {
    Form form = with_filters("DescribePlacementGroups", filters);
    form.add_list("GroupId", ids);
    list<PlacementGroup, read_placement_group>(client_, "DescribePlacementGroups", "placementGroupSet",
                                               std::move(form), 0, std::move(done));
}

void Ec2::describe_capacity_reservations(std::vector<std::string> ids, Filters filters,
                                         Done<std::vector<CapacityReservation>> done) {
    Form form = with_filters("DescribeCapacityReservations", filters);
    form.add_list("CapacityReservationId", ids);
    list<CapacityReservation, read_capacity_reservation>(client_, "DescribeCapacityReservations",
                                                         "capacityReservationSet", std::move(form),
                                                         ids.empty() ? kPage : 0, std::move(done));
}

void Ec2::describe_reserved_instances(Done<std::vector<ReservedInstances>> done) {
    list<ReservedInstances, read_reserved_instances>(
        client_, "DescribeReservedInstances", "reservedInstancesSet",
        with_filters("DescribeReservedInstances", {{"state", {"active"}}}), 0, std::move(done));
}

void Ec2::create_launch_template(const LaunchTemplateRequest& request, bool is_dry_run,
                                 Done<LaunchTemplate> done) {
    Form form = launch_template_form(request);
    if (is_dry_run) form.add("DryRun", true);
    ask<LaunchTemplate, read_created_template>(client_, "CreateLaunchTemplate", form, std::move(done));
}

void Ec2::describe_launch_templates(std::vector<std::string> names, Filters filters,
                                    Done<std::vector<LaunchTemplate>> done) {
    // A name that is not there would fail the call if it were asked for as a name.
    if (!names.empty()) filters.push_back({"launch-template-name", std::move(names)});
    list<LaunchTemplate, read_launch_template>(client_, "DescribeLaunchTemplates", "launchTemplates",
                                               with_filters("DescribeLaunchTemplates", filters),
                                               kTemplatesPage, std::move(done));
}

void Ec2::delete_launch_template(const std::string& id, Done<void> done) {
    Form form("DeleteLaunchTemplate", kEc2Version);
    form.add("LaunchTemplateId", id);
    change(client_, "DeleteLaunchTemplate", form, [done = std::move(done)](const Answer<void>& answer) {
        if (!answer && answer.error().kind == ErrorKind::kNotFound) return done({});
        done(answer);
    });
}

void Ec2::create_fleet(const FleetRequest& request, bool is_dry_run, Done<FleetAnswer> done) {
    Form form = fleet_form(request);
    if (is_dry_run) form.add("DryRun", true);
    ask<FleetAnswer, read_fleet>(client_, "CreateFleet", form, std::move(done));
}

void Ec2::dry_run_instances(const std::string& launch_template, const std::string& type,
                            const std::string& subnet, const std::string& image_id,
                            const api::StringMap& tags, Done<void> done) {
    Form form("RunInstances", kEc2Version);
    form.add("LaunchTemplate.LaunchTemplateName", launch_template)
        .add("LaunchTemplate.Version", "$Latest")
        .add("InstanceType", type)
        .add_if("ImageId", image_id)
        .add("MinCount", 1)
        .add("MaxCount", 1)
        .add("DryRun", true);
    // The interface is the template's; all that is said of it here is where it stands.
    form.add("NetworkInterface.1.DeviceIndex", 0).add("NetworkInterface.1.SubnetId", subnet);
    add_tag_specification(form, "", 1, "instance", tags);
    add_tag_specification(form, "", 2, "volume", tags);
    change(client_, "RunInstances", form, dry_run(std::move(done)));
}

void Ec2::describe_instances(Filters filters, Done<std::vector<InstanceInfo>> done) {
    PagedList<InstanceInfo>::ask(client_,
                                 {call_named("DescribeInstances"), with_filters("DescribeInstances", filters),
                                  kPage, "reservationSet", &push_instances},
                                 std::move(done));
}

void Ec2::terminate_instances(std::vector<std::string> ids, Done<void> done) {
    Form form("TerminateInstances", kEc2Version);
    form.add_list("InstanceId", ids);
    change(client_, "TerminateInstances", form, std::move(done));
}

void Ec2::reboot_instances(std::vector<std::string> ids, Done<void> done) {
    Form form("RebootInstances", kEc2Version);
    form.add_list("InstanceId", ids);
    change(client_, "RebootInstances", form, std::move(done));
}

void Ec2::create_tags(std::vector<std::string> ids, const api::StringMap& tags, Done<void> done) {
    Form form("CreateTags", kEc2Version);
    form.add_list("ResourceId", ids).add_tags("Tag", tags);
    change(client_, "CreateTags", form, std::move(done));
}

void Ec2::describe_instance_status(Filters filters, Done<std::vector<InstanceHealth>> done) {
    list<InstanceHealth, read_health>(client_, "DescribeInstanceStatus", "instanceStatusSet",
                                      with_filters("DescribeInstanceStatus", filters), kPage,
                                      std::move(done));
}

}  // namespace joiner::cloud::ec2
