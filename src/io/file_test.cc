#include "io/file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "io/random.h"

namespace joiner::io {
namespace {

std::string scratch_file(const std::string& contents) {
    const auto path = std::filesystem::temp_directory_path() / ("joiner-file-" + std::to_string(os_seed()));
    std::ofstream(path) << contents;
    return path.string();
}

TEST(File, the_whole_file_is_read) {
    const std::string path = scratch_file(std::string(100'000, 'x'));
    EXPECT_EQ(read_file(path)->size(), 100'000u);
    std::filesystem::remove(path);
}

TEST(File, a_file_at_the_bound_is_read_and_one_byte_more_is_refused) {
    const std::string path = scratch_file(std::string(1000, 'x'));
    EXPECT_TRUE(read_file(path, 1000).has_value());
    const auto more = read_file(path, 999);
    ASSERT_FALSE(more.has_value());
    EXPECT_EQ(more.error().kind, ErrorKind::kInvalid);
    std::filesystem::remove(path);
}

TEST(File, errors_name_the_path_and_what_is_wrong) {
    const auto missing = read_file("/no/such/file");
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(missing.error().message, "/no/such/file: No such file or directory");
    const auto folder = read_file("/");
    ASSERT_FALSE(folder.has_value());
    EXPECT_EQ(folder.error().kind, ErrorKind::kInvalid);
}

TEST(Random, two_seeds_differ) {
    EXPECT_NE(os_seed(), os_seed());
}

}  // namespace
}  // namespace joiner::io
