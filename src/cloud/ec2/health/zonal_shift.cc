#include "cloud/ec2/health/zonal_shift.h"

namespace joiner::cloud::ec2 {
namespace {

constexpr Duration kBetweenLooks = std::chrono::seconds{30};

}  // namespace

std::set<std::string> zones_shifted_away(const std::vector<ShiftedZone>& shifts, WallTime now) {
    std::set<std::string> out;
    for (const ShiftedZone& shift : shifts) {
        if (shift.is_applied && (!shift.expires || now < *shift.expires)) out.insert(shift.zone_id);
    }
    return out;
}

void ZonalShift::start() {
    if (!std::exchange(is_started_, true)) find_cluster();
}

void ZonalShift::find_cluster() {
    eks_.describe_cluster(cluster_name_, [this,
                                          is_alive = is_alive_](const aws::Answer<EksCluster>& cluster) {
        if (!*is_alive) return;
        if (cluster && !cluster->arn.empty()) {
            arn_ = cluster->arn;
            return look();
        }
        problem_ = cluster ? Error{ErrorKind::kInvalid, "eks DescribeCluster names no ARN of the cluster", 0}
                           : Error(cluster.error());
        again();
    });
}

void ZonalShift::look() {
    arc_.get_managed_resource(
        arn_, [this, is_alive = is_alive_](const aws::Answer<std::vector<ShiftedZone>>& shifts) {
            if (!*is_alive) return;
            problem_.reset();
            if (!shifts) {
                problem_ = shifts.error();
                return again();
            }
            std::set<std::string> now_shifted = zones_shifted_away(*shifts, loop_.now());
            if (now_shifted != away_from_) {
                away_from_ = std::move(now_shifted);
                ++version_;
                on_change_();
            }
            again();
        });
}

void ZonalShift::again() {
    loop_.after(kBetweenLooks, [this, is_alive = is_alive_] {
        if (!*is_alive) return;
        if (arn_.empty()) return find_cluster();
        look();
    });
}

}  // namespace joiner::cloud::ec2
