// What the selectors of classes find: subnets, security groups, images and the parameters that name images.
// Kept for the refresh intervals of the settings, so that many classes with one selector, asked for often,
// are one call. Borrows the calls. Loop thread; answers never come from inside a call.
#pragma once

#include <string>
#include <vector>

#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/calls/services.h"
#include "cloud/ec2/classes/kept_answers.h"
#include "cloud/ec2/launch/subnet_choice.h"
#include "cloud/ec2/settings.h"
#include "io/loop.h"

namespace joiner::cloud::ec2 {

class Discovery {
  public:
    // `choice` hears of the free addresses in each answer of EC2's, and not of kept ones.
    Discovery(io::Loop& loop, Ec2& ec2, Ssm& ssm, SubnetChoice& choice, const Settings& settings)
        : loop_(loop),
          ec2_(ec2),
          ssm_(ssm),
          choice_(choice),
          settings_(settings),
          subnets_(loop),
          security_groups_(loop),
          images_(loop),
          parameters_(loop) {}

    void subnets(const Filters& filters, aws::Done<std::vector<Subnet>> done);
    void security_groups(const Filters& filters, aws::Done<std::vector<SecurityGroup>> done);
    void images(const Filters& filters, const std::vector<std::string>& owners,
                aws::Done<std::vector<Image>> done);
    // Its value; kNotFound where there is no such parameter. That of an alias is asked again when the image
    // that it names is deprecated, and at the latest after a day.
    void parameter(const ImageParameter& parameter, aws::Done<std::string> done);

  private:
    void forget_deprecated(const std::vector<Image>& images);

    io::Loop& loop_;
    Ec2& ec2_;
    Ssm& ssm_;
    SubnetChoice& choice_;
    const Settings& settings_;
    KeptAnswers<std::vector<Subnet>> subnets_;
    KeptAnswers<std::vector<SecurityGroup>> security_groups_;
    KeptAnswers<std::vector<Image>> images_;
    KeptAnswers<std::string> parameters_;
    Duration looked_for_deprecated_{0};
};

}  // namespace joiner::cloud::ec2
