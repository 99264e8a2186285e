#include "cli/top/frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace joiner::cli::top {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallTime kNow = WallTime{std::chrono::hours{500'000}};
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

struct FrameNode {
    std::string name;
    std::string pool = "general";
    double price = 0.192;
    double asked = 0.5;  // Of its CPU and memory.
    double used = -1;    // Below nought: not known.
    NodeStage stage = NodeStage::kReady;
    std::string kept_by = std::string(kOnlyItsPrice);
    bool is_estimate = false;
    int hours = 5;
};

Row row_of(const FrameNode& text) {
    Row out;
    out.name = text.name;
    out.pool = text.pool;
    out.type = "m5.xlarge";
    out.zone = "us-east-1a";
    out.capacity_type = "on-demand";
    out.created = kNow - std::chrono::hours{text.hours};
    out.stage = text.stage;
    out.kept_by = text.kept_by;
    Load& load = out.load;
    load.nodes = 1;
    load.pods = 7;
    load.cpu_allocatable = 4000;
    load.memory_allocatable = 16 * kGiB;
    load.cpu_asked = static_cast<std::int64_t>(4000 * text.asked);
    load.memory_asked = static_cast<std::int64_t>(static_cast<double>(16 * kGiB) * text.asked);
    if (text.used >= 0)
        load.use = Use{static_cast<std::int64_t>(4000 * text.used),
                       static_cast<std::int64_t>(static_cast<double>(16 * kGiB) * text.used)};
    load.price = rules::Money::from_dollars(text.price);
    load.idle = rules::Money::from_dollars(text.price * (1 - text.asked));
    load.estimated = text.is_estimate ? 1 : 0;
    return out;
}

struct Bench {
    Picture picture;
    View view;
    Style style;
    std::vector<PodRow> pods;

    explicit Bench(const std::vector<FrameNode>& nodes) {
        picture.source = "demo";
        picture.now = kNow;
        picture.waiting = 2;
        for (const FrameNode& one : nodes) {
            picture.rows.push_back(row_of(one));
            picture.sum.add(picture.rows.back().load);
        }
    }
    Frame frame(Size size) {
        const Shown shown = find_shown(picture, view, pods);
        settle(view, shown, list_lines(size));
        return draw(picture, shown, view, size, style);
    }
    std::string text(Size size) { return as_text(frame(size)); }
};

const std::vector<FrameNode> kThree = {
    {.name = "ip-10-0-0-10.ec2.internal", .asked = 0.25, .used = 0.125},
    {.name = "ip-10-0-0-11.ec2.internal",
     .asked = 0.95,
     .used = 1,
     .kept_by = "PodDisruptionBudget shop/cart allows no eviction",
     .hours = 100},
    {.name = "ip-10-0-0-12.ec2.internal",
     .pool = "spot",
     .price = 0.07,
     .stage = NodeStage::kDraining,
     .kept_by = "",
     .is_estimate = true},
};

// Of UTF-8: no byte but the first of a character counts.
std::size_t columns_of(const std::string& text) {
    std::size_t out = 0;
    for (const char c : text) out += (static_cast<unsigned char>(c) & 0xc0) == 0x80 ? 0 : 1;
    return out;
}

std::string line_of(const Line& line) {
    std::string out;
    for (const Span& span : line.spans) out += span.text;
    return out;
}

TEST(TopFrame, at_80x24_as_plain_letters) {
    EXPECT_EQ("\n" + Bench(kThree).text({80, 24}), R"(
joiner top  demo  3 nodes  21 pods  2 waiting  0.4540 $/h, 0.1886 idle
CPU [############======.............] 57% asked for: 6.8 of 12.0 cores, 38% used
Mem [############======..............] 57% asked for: 27.2 of 48.0 GiB, 38% used
~ 1 estimated by cores and memory
 NAME                 CPU        MEMORY     PODS     $/H IDLE$v  AGE STATE
>ip-10-0-0-10.ec2.in~ #....  25% #....  25%    7  0.1920 0.1440   5h ready
 ip-10-0-0-12.ec2.in~ ###..  50% ###..  50%    7 ~0.0700 0.0350   5h draining
 ip-10-0-0-11.ec2.in~ #####  95% #####  95%    7  0.1920 0.0096   4d ready














ip-10-0-0-10.ec2.internal: kept by its price
? help  / filter  p pools  Enter pods  P M T $ D sort (idle dollars)  q quit
)");
}

TEST(TopFrame, at_200x60_with_blocks) {
    Bench bench(kThree);
    bench.style.has_utf8 = true;
    EXPECT_EQ("\n" + bench.text({200, 60}), R"(
joiner top  demo  3 nodes  21 pods  2 waiting  0.4540 $/h, 0.1886 idle
CPU [███████████████████████▒▒▒▒▒▒▒▒▒▒▒··························] 57% asked for: 6.8 of 12.0 cores, 38% used
Mem [███████████████████████▒▒▒▒▒▒▒▒▒▒▒··························] 57% asked for: 27.2 of 48.0 GiB, 38% used
~ 1 estimated by cores and memory
 NAME                      POOL           TYPE           CAPACITY  ZONE          CPU                 MEMORY              PODS     $/H IDLE$v  AGE STATE       KEPT BY
>ip-10-0-0-10.ec2.internal general        m5.xlarge      on-demand us-east-1a    ██▒▒··········  25% ██▒▒··········  25%    7  0.1920 0.1440   5h ready       its price
 ip-10-0-0-12.ec2.internal spot           m5.xlarge      on-demand us-east-1a    ███████·······  50% ███████·······  50%    7 ~0.0700 0.0350   5h draining    -
 ip-10-0-0-11.ec2.internal general        m5.xlarge      on-demand us-east-1a    █████████████▓  95% █████████████▓  95%    7  0.1920 0.0096   4d ready       PodDisruptionBudget shop/cart allows no e~


















































ip-10-0-0-10.ec2.internal general m5.xlarge on-demand us-east-1a: kept by its price
? help  / filter  p pools  Enter pods  P M T $ D sort (idle dollars)  q quit
)");
}

TEST(TopFrame, pools_at_80x24) {
    Bench bench(kThree);
    bench.view.shows_pools = true;
    EXPECT_EQ("\n" + bench.text({80, 14}), R"(
joiner top  demo  3 nodes  21 pods  2 waiting  0.4540 $/h, 0.1886 idle
CPU [############======.............] 57% asked for: 6.8 of 12.0 cores, 38% used
Mem [############======..............] 57% asked for: 27.2 of 48.0 GiB, 38% used
~ 1 estimated by cores and memory
 POOL         CPU        MEMORY      NODES   PODS        $/H     IDLE$v  AGE
>general      ###..  60% ###..  60%      2     14     0.3840     0.1536   4d
 spot         ###..  50% ###..  50%      1      7    ~0.0700     0.0350   5h






? help  / filter  p nodes  Enter nodes  P M T $ D sort (idle dollars)  q quit
)");
}

TEST(TopFrame, pods_of_a_node) {
    Bench bench(kThree);
    bench.view.opened = "ip-10-0-0-10.ec2.internal";
    bench.pods = {{"shop/cart-1", 500, kGiB / 2, kNow - std::chrono::minutes{3}, "", "runs"},
                  {"kube-system/proxy-1", 100, 0, kNow - std::chrono::hours{80}, "daemon", "runs"}};
    EXPECT_EQ("\n" + bench.text({80, 14}), R"(
joiner top  demo  3 nodes  21 pods  2 waiting  0.4540 $/h, 0.1886 idle
CPU [############======.............] 57% asked for: 6.8 of 12.0 cores, 38% used
Mem [############======..............] 57% asked for: 27.2 of 48.0 GiB, 38% used
~ 1 estimated by cores and memory
 POD                                        CPU     MEMORY   AGE  STATE   KIND
>shop/cart-1                               500m    0.5 GiB    3m  runs
 kube-system/proxy-1                       100m          -    3d  runs    daemon





2 pods on ip-10-0-0-10.ec2.internal; Esc goes back
? help  / filter  p pools  Enter pods  P M T $ D sort (idle dollars)  q quit
)");
}

TEST(TopFrame, every_size_is_filled_and_never_overrun) {
    std::vector<FrameNode> many;
    for (int i = 0; i < 300; ++i)
        many.push_back({.name = "a-node-of-a-rather-long-name-" + std::to_string(i),
                        .price = 12'345.678 * i,
                        .asked = i / 100.0,
                        .used = i % 3 == 0 ? -1 : i / 200.0,
                        .hours = i * 100});
    for (const bool has_utf8 : {false, true}) {
        Bench bench(many);
        bench.style.has_utf8 = has_utf8;
        for (const bool is_help : {false, true}) {
            for (int view = 0; view < 3; ++view) {
                bench.view = {};
                bench.view.shows_help = is_help;
                bench.view.shows_pools = view == 1;
                if (view == 2) {
                    bench.view.opened = "a-node-of-a-rather-long-name-1";
                    bench.pods = {{"ns/" + std::string(200, 'x'), 1, 1, kNow, "daemon", "starts"}};
                }
                for (int columns = 1; columns < 260; columns += columns < 130 ? 3 : 17) {
                    for (const int rows : {1, 5, 12, 24}) {
                        const Frame frame = bench.frame({columns, rows});
                        ASSERT_EQ(frame.size(), static_cast<std::size_t>(rows));
                        for (const Line& line : frame)
                            ASSERT_LE(columns_of(line_of(line)), static_cast<std::size_t>(columns))
                                << columns << "x" << rows << ": " << line_of(line);
                    }
                }
            }
        }
    }
}

TEST(TopFrame, no_name_can_steer_a_terminal) {
    FrameNode node{.name = "evil\x1b[2J\n\xc3\xa9-node",
                   .pool = "p\x07",
                   .kept_by =
                       "a\x9b"
                       "31mb"};
    Bench bench({node});
    bench.picture.source = "\x1b]0;title\x07";
    bench.picture.problem = "the server said \x1b[31m";
    for (const char c : bench.text({200, 12}))
        ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
    EXPECT_THAT(bench.text({200, 12}), HasSubstr("evil?[2J"));
}

TEST(TopFrame, says_what_is_wrong_and_shows_what_it_has) {
    Bench bench(kThree);
    bench.picture.problem = "nodes not seen for 12 s, trying again: connection refused";
    EXPECT_THAT(bench.text({80, 24}), AllOf(HasSubstr("nodes not seen for 12 s"), HasSubstr("ip-10-0-0-11")));
    bench.picture.problem.clear();
    bench.view.filter = "spot";
    EXPECT_THAT(bench.text({80, 24}), AllOf(HasSubstr("filter spot: 1 node shown"), HasSubstr("ip-10-0-0-12"),
                                            Not(HasSubstr("ip-10-0-0-11"))));
    bench.view.filter = "nothing like it";
    EXPECT_THAT(bench.text({80, 24}), HasSubstr("nothing to show"));
    EXPECT_THAT(bench.text({40, 10}), HasSubstr("40x10 is too small: 60x12 at least"));
}

TEST(TopFrame, the_selected_line_is_marked_and_told_in_full) {
    Bench bench(kThree);
    bench.view.selected = "ip-10-0-0-11.ec2.internal";
    const Frame frame = bench.frame({80, 24});
    std::vector<std::string> selected;
    for (const Line& line : frame) {
        if (line.is_selected) selected.push_back(line_of(line));
    }
    ASSERT_EQ(selected.size(), 1u);
    EXPECT_THAT(selected[0], ::testing::StartsWith(">ip-10-0-0-11"));
    EXPECT_EQ(selected[0].size(), 80u);
    EXPECT_THAT(line_of(frame[22]), HasSubstr("kept by PodDisruptionBudget shop/cart allows no eviction"));
}

TEST(TopFrame, sizes_are_read_strictly) {
    struct Case {
        const char* text;
        int columns;
        int rows;
    };
    for (const Case& one : {Case{"80x24", 80, 24}, Case{"200x60", 200, 60}, Case{"1x1", 1, 1}}) {
        const auto size = parse_size(one.text);
        ASSERT_TRUE(size) << one.text;
        EXPECT_EQ(size->columns, one.columns);
        EXPECT_EQ(size->rows, one.rows);
    }
    for (const char* wrong : {"", "x", "80", "80x", "x24", "80x24x", "-80x24", "80 x 24", "0x24", "80x0",
                              "99999999999x1", "5000x10", "80X24"})
        EXPECT_FALSE(parse_size(wrong)) << wrong;
}

}  // namespace
}  // namespace joiner::cli::top
