// What the selector terms of a class ask EC2 for. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cloud/ec2/ami_families.h"
#include "cloud/ec2/calls/ec2.h"
#include "cloud/ec2/class_status.h"
#include "cloud/ec2/node_class.h"

namespace joiner::cloud::ec2 {

// A tag with the value `*` needs the key alone.
Filters tag_filters(const api::StringMap& tags);

// One question by all ids, one by all names, and one for each term of tags. Who passes one of them is
// selected.
std::vector<Filters> subnet_questions(const std::vector<SubnetTerm>& terms);
std::vector<Filters> security_group_questions(const std::vector<SecurityGroupTerm>& terms);

struct ImageQuestion {
    Filters filters;
    std::vector<std::string> owners;
};
// Of the terms that name no parameter. `ids`: of images that parameters name.
std::vector<ImageQuestion> image_questions(const std::vector<AmiTerm>& terms,
                                           const std::vector<std::string>& ids);

// What a parameter says of the image whose id it holds, by that id.
using ImagesOfParameters = std::multimap<std::string, ImageParameter>;

// For each sort of types that we know, one image, the best first: not deprecated, then newer, then by name.
std::vector<StatusImage> choose_images(std::vector<Image> images, const ImagesOfParameters& of_parameters,
                                       const FamilyTraits& traits, WallTime now);

}  // namespace joiner::cloud::ec2
