#include "cloud/ec2/ami_families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace joiner::cloud::ec2 {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> paths(std::string_view alias, std::string_view kubernetes = "1.32") {
    const auto found = image_parameters(alias, kubernetes);
    if (!found) return {found.error().message};
    std::vector<std::string> out;
    for (const ImageParameter& one : *found) out.push_back(one.path);
    return out;
}

TEST(ImageParameters, are_where_eks_keeps_them) {
    const std::string eks = "/aws/service/eks/optimized-ami/1.32/";
    EXPECT_THAT(paths("al2023@latest"),
                testing::ElementsAre(eks + "amazon-linux-2023/x86_64/standard/recommended/image_id",
                                     eks + "amazon-linux-2023/x86_64/nvidia/recommended/image_id",
                                     eks + "amazon-linux-2023/x86_64/neuron/recommended/image_id",
                                     eks + "amazon-linux-2023/arm64/standard/recommended/image_id",
                                     eks + "amazon-linux-2023/arm64/nvidia/recommended/image_id"));
    EXPECT_EQ(
        paths("al2023@v20240807")[3],
        eks +
            "amazon-linux-2023/arm64/standard/amazon-eks-node-al2023-arm64-standard-1.32-v20240807/image_id");
    EXPECT_THAT(paths("al2@latest"), testing::ElementsAre(eks + "amazon-linux-2/recommended/image_id",
                                                          eks + "amazon-linux-2-arm64/recommended/image_id",
                                                          eks + "amazon-linux-2-gpu/recommended/image_id"));
    EXPECT_EQ(paths("al2@v1")[2], eks + "amazon-linux-2-gpu/amazon-eks-gpu-node-1.32-v1/image_id");
    EXPECT_EQ(paths("bottlerocket@latest")[0],
              "/aws/service/bottlerocket/aws-k8s-1.32/x86_64/latest/image_id");
    EXPECT_EQ(paths("bottlerocket@v1.20.4")[3],
              "/aws/service/bottlerocket/aws-k8s-1.32-nvidia/arm64/1.20.4/image_id");
    EXPECT_EQ(paths("windows2022@latest")[0],
              "/aws/service/ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-1.32/image_id");
}

TEST(ImageParameters, say_where_there_are_no_images) {
    EXPECT_THAT(paths("al2@latest", "1.33")[0], HasSubstr("no images of AL2 for Kubernetes 1.33"));
    EXPECT_THAT(paths("windows2025@latest", "1.34")[0], HasSubstr("begin with 1.35"));
    EXPECT_EQ(paths("windows2025@latest", "1.35").size(), 1u);
    EXPECT_THAT(paths("windows2022@v1")[0], HasSubstr("no version but latest"));
    EXPECT_THAT(paths("ubuntu@latest")[0], HasSubstr("is no family"));
    EXPECT_THAT(paths("al2023")[0], HasSubstr("is no alias"));
}

}  // namespace
}  // namespace joiner::cloud::ec2
