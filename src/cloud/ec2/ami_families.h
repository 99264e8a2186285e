// What an image family decides: the volumes it wants, how pods are counted, and where its newest images are
// found. Facts of EKS's images. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cloud/ec2/node_class.h"

namespace joiner::cloud::ec2 {

struct FamilyTraits {
    // kube-reserved memory goes by the addresses of the interfaces and not by the pods that are allowed.
    bool reserves_by_addresses = false;
    // As many pods as addresses; 110 otherwise.
    bool limits_pods_to_addresses = false;
    bool takes_pods_per_core = false;
    bool is_windows = false;
    std::string_view windows_build = {};
    // Where containers and their writable layers are; empty: the image decides.
    std::string_view storage_device = {};
};

const FamilyTraits& traits_of(AmiFamily family);
// Where the class names none. Encrypted, gp3.
std::vector<BlockDeviceMapping> default_block_devices(AmiFamily family);

// Which types an image is for.
enum class ImageVariant { kAny, kStandard, kNvidia, kNeuron };

// An SSM parameter that holds an image's id.
struct ImageParameter {
    std::string path;
    std::string arch;  // "amd64" or "arm64".
    // An image may be for types of several variants.
    std::vector<ImageVariant> variants;

    friend bool operator==(const ImageParameter&, const ImageParameter&) = default;
};

// Of an alias ("al2023@latest"). `kubernetes`: the cluster's minor, "1.34". kInvalid: such images are not
// made for it, and trying again is no use.
Result<std::vector<ImageParameter>> image_parameters(std::string_view alias, std::string_view kubernetes);
// The parameter's value changes as images come out.
bool is_latest(std::string_view alias);

}  // namespace joiner::cloud::ec2
