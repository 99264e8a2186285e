// EC2's wire format over virtual time, for tests: an HttpClient that answers signed requests from a small
// cloud of its own, with the faults that a real one has and a mock server has not. Loop thread.
//
// A fleet takes the override with the lowest priority that is to be had. An instance is pending for 5
// seconds, and shutting down for 10.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cloud/ec2/aws/encoding.h"
#include "io/http.h"
#include "io/loop.h"
#include "rules/offering_key.h"

namespace joiner::cloud::ec2::testing {

// The fields of a form, in order.
using Fields = std::map<std::string, std::string>;

struct FakeFaults {
    int lose_answers = 0;         // So many next requests are done, and their answers never come.
    std::string lose_answers_of;  // Each request of this action is done, and its answer never comes.
    int throttle = 0;             // So many next requests are turned away.
    Duration slow{0};             // Each answer comes so much later.
    Duration list_lag{0};         // DescribeInstances shows what was so long ago.
    std::string refuse;           // Each request of this action is refused as not authorised.
};

struct FakeInstance {
    std::string id;
    std::string type;
    std::string zone;
    std::string subnet;
    std::string image_id;
    std::string lifecycle;  // "spot" or "on-demand".
    std::map<std::string, std::string> tags;
    WallTime launched = kNoTime;
    WallTime ended = WallTime::max();  // When it was told to end.
    std::vector<std::string> security_groups = {};
    std::string reservation = {};  // That it was launched into.
    std::string partition = {};    // Of a partition placement group.

    std::string state_at(WallTime at) const {
        using std::chrono::seconds;
        if (at >= ended && at - ended >= seconds{10}) return "terminated";
        if (at >= ended) return "shutting-down";
        return at - launched < seconds{5} ? "pending" : "running";
    }
};

struct FakeReservation {
    std::string id;
    std::string type;
    std::string zone;
    int total = 1;
    std::string kind = "default";
    bool is_interruptible = false;
    std::string match_criteria = "targeted";
    std::string owner = "111122223333";
    WallTime ends = WallTime::max();  // Of a capacity block.
    std::string state = "active";
    std::map<std::string, std::string> tags = {};
};

struct FakePlacementGroup {
    std::string id;
    std::string name;
    std::string strategy = "cluster";
    int partitions = 0;
    std::string state = "available";
};

class FakeEc2 final : public io::HttpClient {
  public:
    explicit FakeEc2(io::Loop& loop) : loop_(loop) {}

    FakeFaults faults;
    std::set<rules::OfferingKey> sold_out;
    std::map<rules::OfferingKey, int> stock;  // Sold out after so many.
    std::set<std::string> full_subnets;
    std::deque<FakeInstance> instances;
    std::vector<FakeReservation> reservations;
    std::vector<FakePlacementGroup> placement_groups;
    std::set<std::string> full_zones;         // Of spread placement groups.
    std::map<std::string, Fields> templates;  // By name.
    std::map<std::string, int> calls;         // By action.
    std::size_t page_size = 3;

    FakeInstance& run(FakeInstance instance) {
        instance.id = fmt::format("i-{:017x}", ++last_id_);
        instance.launched = loop_.now();
        return instances.emplace_back(std::move(instance));
    }

    io::RequestId send(io::HttpRequest request, std::function<void(io::HttpResult)> done) override {
        const io::RequestId id = ++last_request_;
        const bool is_lost = (faults.lose_answers > 0 && faults.lose_answers-- > 0) ||
                             (!faults.lose_answers_of.empty() &&
                              request.body.starts_with("Action=" + faults.lose_answers_of + "&"));
        io::HttpResponse answer = answer_to(request);
        if (is_lost) {
            loop_.after(request.timeout, [done = std::move(done)] {
                done(tl::unexpected<io::HttpError>(
                    io::HttpError({ErrorKind::kUnavailable, "no answer came in time", 0})));
            });
            return id;
        }
        loop_.after(faults.slow, [done = std::move(done), answer = std::move(answer)] { done(answer); });
        return id;
    }
    io::RequestId stream(io::HttpRequest, io::StreamHandlers) override { return ++last_request_; }
    void cancel(io::RequestId) override {}

  private:
    static io::HttpResponse error(int code, std::string_view name, std::string_view message) {
        return {
            code,
            fmt::format("<?xml version=\"1.0\"?><Response><Errors><Error><Code>{}</Code><Message>{}</Message>"
                        "</Error></Errors><RequestID>r</RequestID></Response>",
                        name, message),
            "text/xml", 0};
    }
    static io::HttpResponse ok(const std::string& action, const std::string& inner) {
        return {200,
                fmt::format("<?xml version=\"1.0\"?><{0}Response><requestId>r</requestId>{1}</{0}Response>",
                            action, inner),
                "text/xml", 0};
    }
    static std::string element(std::string_view name, std::string_view text) {
        std::string safe;
        for (const char c : text) {
            if (c == '<')
                safe += "&lt;";
            else if (c == '&')
                safe += "&amp;";
            else
                safe += c;
        }
        return fmt::format("<{0}>{1}</{0}>", name, safe);
    }
    static Fields fields_of(const std::string& body) {
        Fields out;
        std::string_view rest = body;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('&'), rest.size());
            const std::string_view pair = rest.substr(0, end);
            const std::size_t equals = std::min(pair.find('='), pair.size());
            out[std::string(pair.substr(0, equals))] =
                aws::percent_decode(pair.substr(std::min(equals + 1, pair.size())));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        return out;
    }
    static std::string at(const Fields& fields, const std::string& name) {
        const auto it = fields.find(name);
        return it == fields.end() ? std::string() : it->second;
    }
    // "name.1", "name.2", ...
    static std::vector<std::string> list_at(const Fields& fields, const std::string& name) {
        std::vector<std::string> out;
        for (int i = 1; fields.contains(fmt::format("{}.{}", name, i)); ++i)
            out.push_back(fields.at(fmt::format("{}.{}", name, i)));
        return out;
    }
    static std::map<std::string, std::string> tags_at(const Fields& fields, const std::string& prefix) {
        std::map<std::string, std::string> out;
        const std::string tag = prefix + (prefix.empty() ? "Tag" : ".Tag");
        for (int i = 1; fields.contains(fmt::format("{}.{}.Key", tag, i)); ++i)
            out[fields.at(fmt::format("{}.{}.Key", tag, i))] = at(fields, fmt::format("{}.{}.Value", tag, i));
        return out;
    }

    io::HttpResponse answer_to(const io::HttpRequest& request) {
        const bool is_signed =
            std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
                return header.first == "authorization" &&
                       header.second.find("/ec2/aws4_request") != std::string::npos;
            });
        const bool is_of_another_service = request.body.find("Action=") == std::string::npos ||
                                           request.body.find("Version=2016-11-15") == std::string::npos;
        if (is_of_another_service) return error(400, "InvalidAction", "The service is not here");
        if (!is_signed) return error(401, "AuthFailure", "the request is not signed");
        const Fields fields = fields_of(request.body);
        const std::string action = at(fields, "Action");
        ++calls[action];
        if (faults.throttle > 0 && faults.throttle-- > 0)
            return error(503, "RequestLimitExceeded", "Request limit exceeded.");
        if (action == faults.refuse)
            return error(403, "UnauthorizedOperation", "You are not authorized to perform this operation.");
        if (action == "CreateLaunchTemplate") return create_template(fields);
        if (action == "DescribeLaunchTemplates") return describe_templates(fields);
        if (action == "DeleteLaunchTemplate") return delete_template(fields);
        if (action == "CreateFleet") return create_fleet(fields);
        if (action == "DescribeInstances") return describe_instances(fields);
        if (action == "DescribePlacementGroups") return describe_placement_groups(fields);
        if (action == "DescribeCapacityReservations") return describe_reservations(fields);
        if (action == "TerminateInstances") return terminate(fields);
        if (action == "CreateTags") return create_tags(fields);
        return {500, "<html><body>The action is not known here</body></html>", "text/html", 0};
    }

    io::HttpResponse create_template(const Fields& fields) {
        const std::string name = at(fields, "LaunchTemplateName");
        if (templates.contains(name))
            return error(400, "InvalidLaunchTemplateName.AlreadyExistsException",
                         "Launch template name already in use.");
        const std::string token = at(fields, "ClientToken");
        // One that was made by the token, though it may have been deleted since.
        if (token.empty() || template_tokens_.insert(token).second) templates[name] = fields;
        return ok("CreateLaunchTemplate", "<launchTemplate>" + element("launchTemplateId", "lt-" + name) +
                                              element("launchTemplateName", name) + "</launchTemplate>");
    }
    io::HttpResponse describe_templates(const Fields& asked) {
        std::string items;
        for (const auto& [name, fields] : templates) {
            FakeInstance tagged;
            tagged.tags = tags_at(fields, "TagSpecification.1");
            if (!passes(tagged, "", asked)) continue;
            items += "<item>" + element("launchTemplateId", "lt-" + name) +
                     element("launchTemplateName", name) + "</item>";
        }
        return ok("DescribeLaunchTemplates", "<launchTemplates>" + items + "</launchTemplates>");
    }
    io::HttpResponse delete_template(const Fields& fields) {
        if (templates.erase(at(fields, "LaunchTemplateId").substr(3)) == 0)
            return error(400, "InvalidLaunchTemplateId.NotFound", "There is no such template.");
        return ok("DeleteLaunchTemplate", "");
    }

    struct Override {
        std::string launch_template;
        std::string type;
        std::string zone;
        std::string subnet;
        std::string image_id;
        double priority = 0;

        std::string xml() const {
            return "<launchTemplateAndOverrides><launchTemplateSpecification>" +
                   element("launchTemplateName", launch_template) +
                   "</launchTemplateSpecification><overrides>" + element("instanceType", type) +
                   element("subnetId", subnet) + element("availabilityZone", zone) +
                   element("imageId", image_id) + "</overrides></launchTemplateAndOverrides>";
        }
    };
    static std::vector<Override> overrides_of(const Fields& fields) {
        std::vector<Override> out;
        for (int i = 1;; ++i) {
            const std::string config = fmt::format("LaunchTemplateConfigs.{}.", i);
            const std::string name = at(fields, config + "LaunchTemplateSpecification.LaunchTemplateName");
            if (name.empty()) break;
            for (int j = 1; fields.contains(fmt::format("{}Overrides.{}.InstanceType", config, j)); ++j) {
                const std::string prefix = fmt::format("{}Overrides.{}.", config, j);
                out.push_back({name, at(fields, prefix + "InstanceType"),
                               at(fields, prefix + "AvailabilityZone"), at(fields, prefix + "SubnetId"),
                               at(fields, prefix + "ImageId"), std::stod(at(fields, prefix + "Priority"))});
            }
        }
        std::stable_sort(out.begin(), out.end(),
                         [](const Override& a, const Override& b) { return a.priority < b.priority; });
        return out;
    }

    io::HttpResponse create_fleet(const Fields& fields) {
        const std::string token = at(fields, "ClientToken");
        if (const auto before = fleets_.find(token); !token.empty() && before != fleets_.end()) {
            if (before->second.first == fields) return before->second.second;
            return error(400, "IdempotentParameterMismatch",
                         "The client token has been used before, with other parameters.");
        }
        const std::string capacity_type = at(fields, "TargetCapacitySpecification.DefaultTargetCapacityType");
        std::string errors;
        std::string made;
        int wanted = std::stoi(at(fields, "TargetCapacitySpecification.TotalTargetCapacity"));
        for (const Override& each : overrides_of(fields)) {
            if (!templates.contains(each.launch_template))
                return error(400, "InvalidLaunchTemplateName.NotFoundException",
                             "The specified launch template does not exist.");
            if (sold_out.contains({each.type, each.zone, capacity_type, ""})) {
                errors += "<item>" + each.xml() + element("lifecycle", capacity_type) +
                          element("errorCode", "InsufficientInstanceCapacity") +
                          element("errorMessage", "There is no capacity.") + "</item>";
                continue;
            }
            const Fields& launch_template = templates[each.launch_template];
            const std::string reservation = at(launch_template, kTarget);
            if (const std::string why = why_not_reserved(reservation, launch_template, each, capacity_type);
                !why.empty()) {
                errors += "<item>" + each.xml() + element("lifecycle", capacity_type) +
                          element("errorCode", why) + element("errorMessage", "Not in the reservation.") +
                          "</item>";
                continue;
            }
            if (launch_template.contains("LaunchTemplateData.Placement.GroupId") &&
                full_zones.contains(each.zone)) {
                errors += "<item>" + each.xml() + element("errorCode", "InvalidParameterValue") +
                          element("errorMessage",
                                  "You have reached the limit of instances in this spread placement group.") +
                          "</item>";
                continue;
            }
            if (full_subnets.contains(each.subnet)) {
                errors += "<item>" + each.xml() + element("lifecycle", capacity_type) +
                          element("errorCode", "InsufficientFreeAddressesInSubnet") +
                          element("errorMessage", "There are not enough free addresses.") + "</item>";
                continue;
            }
            std::string ids;
            const rules::OfferingKey key = {each.type, each.zone, capacity_type, ""};
            for (; wanted > 0 && !sold_out.contains(key); --wanted) {
                take_of_stock(key);
                FakeInstance& instance =
                    run({"", each.type, each.zone, each.subnet, each.image_id, capacity_type,
                         tags_at(fields, "TagSpecification.2"), kNoTime, WallTime::max(),
                         list_at(launch_template, "LaunchTemplateData.NetworkInterface.1.SecurityGroupId"),
                         reservation});
                instance.partition = partition_of(launch_template);
                ids += element("item", instance.id);
            }
            if (!ids.empty())
                made += "<item>" + each.xml() + element("lifecycle", capacity_type) + "<instanceIds>" + ids +
                        "</instanceIds>" + element("instanceType", each.type) + "</item>";
            if (wanted == 0) break;
        }
        const io::HttpResponse answer =
            ok("CreateFleet", element("fleetId", "fleet-1") + "<errorSet>" + errors +
                                  "</errorSet><fleetInstanceSet>" + made + "</fleetInstanceSet>");
        fleets_[token] = {fields, answer};
        return answer;
    }

    void take_of_stock(const rules::OfferingKey& key) {
        const auto left = stock.find(key);
        if (left == stock.end() || --left->second > 0) return;
        sold_out.insert(key);
        stock.erase(left);
    }

    static constexpr const char* kTarget =
        "LaunchTemplateData.CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId";

    int left_in(const FakeReservation& reservation) const {
        const auto holds = std::count_if(instances.begin(), instances.end(), [&](const FakeInstance& each) {
            return each.reservation == reservation.id && each.ended > loop_.now();
        });
        return reservation.total - static_cast<int>(holds);
    }
    // The code of EC2's error; empty: the launch is as the reservation, or none, wants it.
    std::string why_not_reserved(const std::string& id, const Fields& launch_template, const Override& wanted,
                                 const std::string& capacity_type) const {
        if (id.empty())
            return capacity_type == "spot" || capacity_type == "on-demand" ? "" : "InvalidParameter";
        const auto it = std::find_if(reservations.begin(), reservations.end(),
                                     [&](const FakeReservation& each) { return each.id == id; });
        if (it == reservations.end()) return "InvalidCapacityReservationId.NotFound";
        const bool is_block = it->kind == "capacity-block";
        const std::string market = is_block               ? "capacity-block"
                                   : it->is_interruptible ? "interruptible-capacity-reservation"
                                                          : "";
        const std::string target = is_block               ? "capacity-block"
                                   : it->is_interruptible ? "reserved-capacity"
                                                          : "on-demand";
        if (at(launch_template, "LaunchTemplateData.InstanceMarketOptions.MarketType") != market ||
            target != capacity_type || wanted.type != it->type || wanted.zone != it->zone)
            return "InvalidParameter";
        return left_in(*it) > 0 ? "" : "ReservationCapacityExceeded";
    }
    static bool passes(const FakeReservation& reservation, const Fields& fields) {
        for (int i = 1; fields.contains(fmt::format("Filter.{}.Name", i)); ++i) {
            const std::string name = fields.at(fmt::format("Filter.{}.Name", i));
            const std::vector<std::string> values = list_at(fields, fmt::format("Filter.{}.Value", i));
            const auto is_wanted = [&](const std::string& value) {
                return std::find(values.begin(), values.end(), value) != values.end();
            };
            if (name == "state" && !is_wanted(reservation.state)) return false;
            if (name == "owner-id" && !is_wanted(reservation.owner)) return false;
            if (name == "instance-match-criteria" && !is_wanted(reservation.match_criteria)) return false;
            if (name.starts_with("tag:")) {
                const auto tag = reservation.tags.find(name.substr(4));
                if (tag == reservation.tags.end() || !is_wanted(tag->second)) return false;
            }
        }
        return true;
    }
    // As the template has it; else the last of the group.
    std::string partition_of(const Fields& launch_template) const {
        for (const FakePlacementGroup& each : placement_groups) {
            if (each.partitions == 0 ||
                at(launch_template, "LaunchTemplateData.Placement.GroupId") != each.id)
                continue;
            const std::string asked = at(launch_template, "LaunchTemplateData.Placement.PartitionNumber");
            return asked.empty() ? std::to_string(each.partitions) : asked;
        }
        return {};
    }
    io::HttpResponse describe_placement_groups(const Fields& fields) {
        const std::vector<std::string> ids = list_at(fields, "GroupId");
        const bool is_unknown = std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
            return std::none_of(placement_groups.begin(), placement_groups.end(),
                                [&](const FakePlacementGroup& each) { return each.id == id; });
        });
        if (is_unknown) return error(400, "InvalidPlacementGroup.Unknown", "The group is unknown.");
        std::string items;
        for (const FakePlacementGroup& each : placement_groups) {
            const bool is_asked = ids.empty() || std::find(ids.begin(), ids.end(), each.id) != ids.end();
            if (!is_asked || each.state != "available") continue;
            if (at(fields, "Filter.2.Name") == "group-name" && at(fields, "Filter.2.Value.1") != each.name)
                continue;
            items += "<item>" + element("groupId", each.id) + element("groupName", each.name) +
                     element("strategy", each.strategy) + element("state", each.state) +
                     element("partitionCount", std::to_string(each.partitions)) + "</item>";
        }
        return ok("DescribePlacementGroups", "<placementGroupSet>" + items + "</placementGroupSet>");
    }
    io::HttpResponse describe_reservations(const Fields& fields) {
        const std::vector<std::string> ids = list_at(fields, "CapacityReservationId");
        if (!ids.empty() && fields.contains("MaxResults"))
            return error(400, "InvalidParameterCombination", "Ids and MaxResults do not go together.");
        std::string items;
        for (const std::string& id : ids) {
            if (std::none_of(reservations.begin(), reservations.end(),
                             [&](const FakeReservation& each) { return each.id == id; }))
                return error(400, "InvalidCapacityReservationId.NotFound", "There is no such reservation.");
        }
        for (const FakeReservation& each : reservations) {
            if (!ids.empty() && std::find(ids.begin(), ids.end(), each.id) == ids.end()) continue;
            if (!passes(each, fields)) continue;
            items += "<item>" + element("capacityReservationId", each.id) + element("ownerId", each.owner) +
                     element("instanceType", each.type) + element("availabilityZone", each.zone) +
                     element("instanceMatchCriteria", each.match_criteria) +
                     element("reservationType", each.kind) + element("state", each.state) +
                     element("interruptible", each.is_interruptible ? "true" : "false") +
                     element("availableInstanceCount", std::to_string(left_in(each))) +
                     element("totalInstanceCount", std::to_string(each.total)) +
                     (each.ends == WallTime::max() ? "" : element("endDate", format_rfc3339(each.ends))) +
                     "</item>";
        }
        return ok("DescribeCapacityReservations",
                  "<capacityReservationSet>" + items + "</capacityReservationSet>");
    }

    static bool passes(const FakeInstance& instance, const std::string& state, const Fields& fields) {
        for (int i = 1; fields.contains(fmt::format("Filter.{}.Name", i)); ++i) {
            const std::string name = fields.at(fmt::format("Filter.{}.Name", i));
            const std::vector<std::string> values = list_at(fields, fmt::format("Filter.{}.Value", i));
            const auto is_wanted = [&](const std::string& value) {
                return std::find(values.begin(), values.end(), value) != values.end();
            };
            if (name == "instance-id" && !is_wanted(instance.id)) return false;
            if (name == "instance-state-name" && !is_wanted(state)) return false;
            if (name == "tag-key" && !std::any_of(instance.tags.begin(), instance.tags.end(),
                                                  [&](const auto& tag) { return is_wanted(tag.first); }))
                return false;
            if (name.starts_with("tag:")) {
                const auto tag = instance.tags.find(name.substr(4));
                if (tag == instance.tags.end() || !is_wanted(tag->second)) return false;
            }
        }
        return true;
    }
    static std::string reservation_of(const FakeInstance& instance) {
        if (instance.reservation.empty()) return "";
        return element("capacityReservationId", instance.reservation) + "<capacityReservationSpecification>" +
               element("capacityReservationPreference", "capacity-reservations-only") +
               "</capacityReservationSpecification>";
    }
    static std::string groups_of(const FakeInstance& instance) {
        std::string out;
        for (const std::string& id : instance.security_groups)
            out += "<item>" + element("groupId", id) + "</item>";
        return "<groupSet>" + out + "</groupSet>";
    }
    io::HttpResponse describe_instances(const Fields& fields) {
        const WallTime seen_at = loop_.now() - faults.list_lag;
        std::vector<std::string> items;
        for (const FakeInstance& each : instances) {
            if (each.launched > seen_at) continue;
            const std::string state = each.state_at(seen_at);
            if (!passes(each, state, fields)) continue;
            std::string tags;
            for (const auto& [key, value] : each.tags)
                tags += "<item>" + element("key", key) + element("value", value) + "</item>";
            items.push_back(
                "<item><instancesSet><item>" + element("instanceId", each.id) +
                element("instanceType", each.type) + element("imageId", each.image_id) +
                element("subnetId", each.subnet) + "<instanceState>" + element("name", state) +
                "</instanceState><placement>" + element("availabilityZone", each.zone) +
                (each.partition.empty() ? "" : element("partitionNumber", each.partition)) + "</placement>" +
                (each.lifecycle == "spot" ? element("spotInstanceRequestId", "sir-" + each.id) : "") +
                reservation_of(each) + groups_of(each) +
                element("launchTime", format_rfc3339(each.launched)) + "<tagSet>" + tags +
                "</tagSet></item></instancesSet></item>");
        }
        const std::string token = at(fields, "NextToken");
        const std::size_t first = token.empty() ? 0 : std::stoul(token);
        const std::size_t last = std::min(items.size(), first + page_size);
        std::string page;
        for (std::size_t i = first; i < last; ++i) page += items[i];
        return ok("DescribeInstances",
                  "<reservationSet>" + page + "</reservationSet>" +
                      (last < items.size() ? element("nextToken", std::to_string(last)) : ""));
    }

    io::HttpResponse terminate(const Fields& fields) {
        std::vector<FakeInstance*> found;
        std::string unknown;
        for (const std::string& id : list_at(fields, "InstanceId")) {
            const auto it = std::find_if(instances.begin(), instances.end(),
                                         [&](const FakeInstance& each) { return each.id == id; });
            if (it == instances.end())
                unknown += (unknown.empty() ? "" : ", ") + id;
            else
                found.push_back(&*it);
        }
        if (!unknown.empty())
            return error(400, "InvalidInstanceID.NotFound",
                         fmt::format("The instance IDs '{}' do not exist", unknown));
        for (FakeInstance* each : found) each->ended = std::min(each->ended, loop_.now());
        return ok("TerminateInstances", "<instancesSet/>");
    }

    io::HttpResponse create_tags(const Fields& fields) {
        for (const std::string& id : list_at(fields, "ResourceId")) {
            for (FakeInstance& each : instances) {
                if (each.id != id) continue;
                for (const auto& [key, value] : tags_at(fields, "")) each.tags[key] = value;
            }
        }
        return ok("CreateTags", element("return", "true"));
    }

    io::Loop& loop_;
    std::map<std::string, std::pair<Fields, io::HttpResponse>> fleets_;  // By client token.
    std::set<std::string> template_tokens_;
    int last_id_ = 0;
    io::RequestId last_request_ = 0;
};

}  // namespace joiner::cloud::ec2::testing
