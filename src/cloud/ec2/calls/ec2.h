// The calls to EC2 that we make, typed. Each answers once, on the loop's thread, and never from inside the
// call. Lists are read to their last page. Borrows the client, which signs and tries again.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cloud/ec2/aws/error.h"
#include "cloud/ec2/calls/commitment_answers.h"
#include "cloud/ec2/calls/fleet.h"
#include "cloud/ec2/calls/image.h"
#include "cloud/ec2/calls/instance.h"
#include "cloud/ec2/calls/instance_type_info.h"
#include "cloud/ec2/calls/launch_template.h"
#include "cloud/ec2/calls/network.h"
#include "cloud/ec2/calls/prices.h"

namespace joiner::cloud::ec2 {

namespace aws {
class Client;
}

// A row passes where each filter has one value that fits; values may hold `*` and `?`.
struct Filter {
    std::string name;
    std::vector<std::string> values;
};
using Filters = std::vector<Filter>;

class Ec2 {
  public:
    explicit Ec2(aws::Client& client) : client_(client) {}

    // By a dry run: a value where the region answers and the credentials may ask.
    void check_connection(aws::Done<void> done);

    void describe_instance_types(aws::Done<std::vector<InstanceTypeInfo>> done);
    void describe_instance_type_offerings(aws::Done<std::vector<TypeInZone>> done);
    // The price of each type and zone as of `now`.
    void describe_spot_prices(WallTime now, aws::Done<std::vector<SpotPrice>> done);

    void describe_subnets(Filters filters, aws::Done<std::vector<Subnet>> done);
    void describe_security_groups(Filters filters, aws::Done<std::vector<SecurityGroup>> done);
    // `owners`: account ids, "self", "amazon"; empty: whoever's may be used.
    void describe_images(Filters filters, std::vector<std::string> owners,
                         aws::Done<std::vector<Image>> done);
    void describe_placement_groups(std::vector<std::string> ids, Filters filters,
                                   aws::Done<std::vector<PlacementGroup>> done);
    // With ids, the filters must be empty: EC2 pages no question by id.
    void describe_capacity_reservations(std::vector<std::string> ids, Filters filters,
                                        aws::Done<std::vector<CapacityReservation>> done);
    // Those that are active. EC2 does not page them.
    void describe_reserved_instances(aws::Done<std::vector<ReservedInstances>> done);

    // Fails with kConflict where the name is taken.
    void create_launch_template(const LaunchTemplateRequest& request, bool is_dry_run,
                                aws::Done<LaunchTemplate> done);
    // Those of the names that are there; an unknown name is no error.
    void describe_launch_templates(std::vector<std::string> names, Filters filters,
                                   aws::Done<std::vector<LaunchTemplate>> done);
    // One that is gone already is no error.
    void delete_launch_template(const std::string& id, aws::Done<void> done);

    void create_fleet(const FleetRequest& request, bool is_dry_run, aws::Done<FleetAnswer> done);
    // Whether an instance could be run by the template; a value where it could.
    void dry_run_instances(const std::string& launch_template, const std::string& type,
                           const std::string& subnet, const std::string& image_id, const api::StringMap& tags,
                           aws::Done<void> done);

    void describe_instances(Filters filters, aws::Done<std::vector<InstanceInfo>> done);
    // All or nothing: one unknown id fails the call.
    void terminate_instances(std::vector<std::string> ids, aws::Done<void> done);
    void reboot_instances(std::vector<std::string> ids, aws::Done<void> done);
    void create_tags(std::vector<std::string> ids, const api::StringMap& tags, aws::Done<void> done);
    // Of those that the filters find sick; what the filters promise is checked by whoever reads the answer.
    void describe_instance_status(Filters filters, aws::Done<std::vector<InstanceHealth>> done);

  private:
    aws::Client& client_;
};

}  // namespace joiner::cloud::ec2
