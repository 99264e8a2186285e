#include "api/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/codec.h"

namespace joiner::api {
namespace {

using testing::HasSubstr;

// "Pod a, Pod b": what the text splits into, or "refused: <sentence>".
std::string split(const std::string& text) {
    const auto documents = split_manifest(text, "file.yaml");
    if (!documents) return "refused: " + documents.error().message;
    std::string out;
    for (const Document& document : *documents) {
        const auto meta = decode_meta(document.json);
        if (!out.empty()) out += ", ";
        out += document.kind + " " + (meta ? meta->name : "broken: " + meta.error().message);
    }
    return out;
}

TEST(Manifest, splits_into_objects) {
    const struct {
        const char* name;
        std::string text;
        const char* objects;
    } cases[] = {
        {"one document", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n", "Pod a"},
        {"several documents",
         "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n# only a comment\n---\napiVersion: v1\nkind: "
         "Node\n"
         "metadata:\n  name: b\n",
         "Pod a, Node b"},
        {"leading and trailing dashes", "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n",
         "Pod a"},
        {"json", R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}})", "Pod a"},
        {"json after blanks",
         " \n\t {\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\"}}\n", "Pod a"},
        {"yaml that begins with a brace", "{apiVersion: v1, kind: Pod, metadata: {name: a}}", "Pod a"},
        {"List",
         "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n"
         "- {apiVersion: v1, kind: Node, metadata: {name: b}}\n",
         "Pod a, Node b"},
        {"typed list without kinds",
         "apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: a}\n- metadata: {name: b}\n",
         "Pod a, Pod b"},
        {"typed json list with an empty item",
         R"({"apiVersion":"v1","kind":"PodList","items":[{},{ "metadata":{"name":"b"}}]})", "Pod , Pod b"},
        {"empty List", "apiVersion: v1\nkind: List\nitems: []\n", ""},
        {"List without items", "apiVersion: v1\nkind: List\n", ""},
        {"null items", "apiVersion: v1\nkind: PodList\nitems: null\n", ""},
        {"nested List",
         "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
         "  - {apiVersion: v1, kind: Pod, metadata: {name: a}}\n",
         "Pod a"},
        {"empty text", "", ""},
        {"only blanks and comments", "\n  \n# nothing\n", ""},
        {"an anchor used twice",
         "apiVersion: v1\nkind: List\nitems:\n- &p {apiVersion: v1, kind: Pod, metadata: {name: a}}\n- *p\n",
         "Pod a, Pod a"},
        {"not an object", "- a\n- b\n", "refused: file.yaml:1: is not an object with apiVersion and kind"},
        {"a text", "just words\n", "refused: file.yaml:1: is not an object with apiVersion and kind"},
        {"no kind", "apiVersion: v1\nmetadata: {name: a}\n", "refused: file.yaml:1: has no kind"},
        {"a kind that is no text", "apiVersion: v1\nkind: 5\n", "refused: file.yaml:1: has no kind"},
        {"no apiVersion", "kind: Pod\n", "refused: file.yaml:1: Pod has no apiVersion"},
        {"items are no list", "apiVersion: v1\nkind: List\nitems: {}\n",
         "refused: file.yaml:1: items of List is not a list"},
        {"an item is no object", "apiVersion: v1\nkind: List\nitems: [5]\n",
         "refused: file.yaml:3: item 1 of List is not an object"},
        {"an item without kind", "apiVersion: v1\nkind: List\nitems: [{}]\n",
         "refused: file.yaml:3: has no kind"},
        {"a key twice", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nkind: Node\n", "Node a"},
        {"the second document is wrong", "apiVersion: v1\nkind: Pod\n---\nkind: Pod\n",
         "refused: file.yaml:4: Pod has no apiVersion"},
        {"a kind with quotes in it", "apiVersion: v1\nkind: 'a\"bList'\nitems:\n- metadata: {name: x}\n",
         "a\"b x"},
    };
    for (const auto& c : cases) EXPECT_EQ(split(c.text), c.objects) << c.name;
}

TEST(Manifest, what_is_no_yaml_names_the_file_and_the_line) {
    for (const char* text : {"apiVersion: v1\nkind: Pod\n\tmetadata: {}\n", "a: [1, 2\n", "a: b: c\n"}) {
        const std::string answer = split(text);
        EXPECT_THAT(answer, HasSubstr("refused: file.yaml:")) << text;
    }
    EXPECT_THAT(split("apiVersion: v1\nkind: Pod\n\tmetadata: {}\n"),
                HasSubstr("file.yaml:3: not valid YAML"));
}

TEST(Manifest, what_follows_a_document_is_refused_and_not_read_for_ever) {
    for (const char* text : {",", "]", "}", "apiVersion: v1\nkind: Pod\n]\n", "---\n,\n---\n"}) {
        EXPECT_THAT(split(text), HasSubstr("refused: file.yaml:")) << text;
    }
}

TEST(Manifest, a_key_that_stands_again_is_told_and_its_last_value_counts) {
    const ManifestText read = read_manifest(
        "kind: none\napiVersion: v1\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {x: y}\n"
        "  name: b\n  name: c\n",
        "f", FieldLines::kYes);
    ASSERT_EQ(read.documents.size(), 2u);
    EXPECT_EQ(read.documents[1].name, "c");
    EXPECT_EQ(read.documents[1].field_lines.at("metadata.name"), 10);
    EXPECT_THAT(read.repeated_keys, testing::ElementsAre("f:9: name", "f:10: name"));
    EXPECT_FALSE(yaml_to_json("a: 1\na: 2\n", "f"));
}

TEST(Manifest, a_broken_document_leaves_the_others_whole) {
    const ManifestText read = read_manifest(
        "%YAML 1.2\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\nkind: [\n--- # why\nx: y\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: c}\n",
        "f");
    ASSERT_EQ(read.documents.size(), 2u);
    EXPECT_EQ(read.documents[0].name + read.documents[0].source, "af:3");
    EXPECT_EQ(read.documents[1].name + read.documents[1].source, "bf:11");
    EXPECT_EQ(read.documents[1].ns, "c");
    ASSERT_EQ(read.misread.size(), 2u);
    EXPECT_FALSE(read.misread[0].is_foreign);
    EXPECT_EQ(read.misread[1].message, "f:9: has no kind");
    EXPECT_TRUE(read.misread[1].is_foreign);
}

TEST(Manifest, a_kind_that_only_ends_like_a_list_is_an_object) {
    EXPECT_EQ(split("apiVersion: x.com/v1\nkind: AccessList\nmetadata: {name: a}\n"), "AccessList a");
}

TEST(Manifest, tells_the_line_of_each_field) {
    const char* const texts[] = {
        "# c\n---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec:\n    "
        "containers:\n"
        "    - image: i\n      name: a\n",
        "\n{\"apiVersion\": \"v1\",\n\"kind\": \"List\",\n\"items\": [\n\n{\"apiVersion\": "
        "\"v1\",\n\"kind\": "
        "\"Pod\",\n\"spec\": {\n\"containers\": [\n{\"image\": \"i\",\n\"name\": \"a\"}]}}]}\n"};
    for (const char* text : texts) {
        const ManifestText read = read_manifest(text, "f", FieldLines::kYes);
        ASSERT_EQ(read.documents.size(), 1u) << text;
        EXPECT_EQ(read.documents[0].source, "f:6") << text;
        EXPECT_EQ(read.documents[0].field_lines.at("spec.containers[0]"), 10) << text;
        EXPECT_EQ(read.documents[0].field_lines.at("spec.containers[0].name"), 11) << text;
    }
}

TEST(Manifest, broken_json_is_refused) {
    for (const char* text : {"{\"apiVersion\":\"v1\",", "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",}}"}) {
        EXPECT_THAT(split(text), HasSubstr("refused: file.yaml")) << text;
    }
}

TEST(Manifest, an_object_that_contains_itself_is_refused) {
    for (const char* text : {"apiVersion: v1\nkind: Pod\nspec: &a\n  inner: *a\n", "&a [*a]\n"}) {
        EXPECT_THAT(split(text), HasSubstr("refused: ")) << text;
    }
}

TEST(Manifest, aliases_cannot_make_a_small_text_enormous) {
    std::string text = "apiVersion: v1\nkind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 40; ++i) {
        const std::string last = "*a" + std::to_string(i - 1);
        text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + ", " + last + "]\n";
    }
    EXPECT_THAT(split(text), HasSubstr("refused: "));
}

TEST(Manifest, lists_nest_only_so_deep) {
    std::string json = R"({"apiVersion":"v1","kind":"Pod"})";
    for (int i = 0; i < 20; ++i) json = R"({"apiVersion":"v1","kind":"List","items":[)" + json + "]}";
    EXPECT_THAT(split(json), HasSubstr("Lists nest deeper than"));
}

TEST(YamlToJson, reads_scalars_as_kubernetes_does) {
    const struct {
        const char* yaml;
        const char* json;
    } cases[] = {
        {"a: 1", R"({"a":1})"},
        {"a: \"1\"", R"({"a":"1"})"},
        {"a: '1'", R"({"a":"1"})"},
        {"a: \"true\"", R"({"a":"true"})"},
        {"a: true", R"({"a":true})"},
        {"a: False", R"({"a":false})"},
        {"a:", R"({"a":null})"},
        {"a: ~", R"({"a":null})"},
        {"a: null", R"({"a":null})"},
        {"a: ''", R"({"a":""})"},
        {"a: 1.5", R"({"a":1.5})"},
        {"a: -3", R"({"a":-3})"},
        {"a: +3", R"({"a":3})"},
        {"a: 500m", R"({"a":"500m"})"},
        {"a: 1Gi", R"({"a":"1Gi"})"},
        {"a: 1e3", R"({"a":1000.0})"},
        {"a: yes", R"({"a":true})"},
        {"a: Off", R"({"a":false})"},
        {"a: 'no'", R"({"a":"no"})"},
        {"a: y", R"({"a":"y"})"},
        {"a: 0644", R"({"a":420})"},
        {"a: -0o17", R"({"a":-15})"},
        {"a: 0x1F", R"({"a":31})"},
        {"a: 0b101", R"({"a":5})"},
        {"a: 1_000", R"({"a":1000})"},
        {"a: 09", R"({"a":9.0})"},
        {"a: 0", R"({"a":0})"},
        {"a: 0x", R"({"a":"0x"})"},
        {"a: --5", R"({"a":"--5"})"},
        {"a: 18446744073709551615", R"({"a":18446744073709551615})"},
        {"a: .5", R"({"a":0.5})"},
        {"a: _1", R"({"a":"_1"})"},
        {"a: 2026-01-01", R"({"a":"2026-01-01"})"},
        {"on: a", R"({"true":"a"})"},
        {"'on': a", R"({"on":"a"})"},
        {"010: a", R"({"8":"a"})"},
        {"a: 12:30", R"({"a":"12:30"})"},
        {"a: 1.2.3", R"({"a":"1.2.3"})"},
        {"a: -", "refused"},
        {"a: 10%", R"({"a":"10%"})"},
        {"a: !!str 5", R"({"a":"5"})"},
        {"a: |\n  x\n  y\n", R"({"a":"x\ny\n"})"},
        {"a: >\n  x\n  y\n", R"({"a":"x y\n"})"},
        {"1: a", R"({"1":"a"})"},
        {"a: [1, b, {c: d}]", R"({"a":[1,"b",{"c":"d"}]})"},
        {"? [x]\n: y", "refused"},
        {"a: 99999999999999999999", R"({"a":1e+20})"},
        {"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", R"({"a":{"b":1,"c":2},"d":{"b":1,"c":3}})"},
        {"a: &x {b: 1, c: 2}\nd: {c: 3, <<: *x}", R"({"a":{"b":1,"c":2},"d":{"b":1,"c":3}})"},
        {"a: &x {b: 1}\ne: &y {b: 2, c: 2}\nd: {<<: [*x, *y]}",
         R"({"a":{"b":1},"d":{"b":1,"c":2},"e":{"b":2,"c":2}})"},
        {"a: &x {b: 1}\ne: &y {<<: *x, c: 2}\nd: {<<: *y}",
         R"({"a":{"b":1},"d":{"b":1,"c":2},"e":{"b":1,"c":2}})"},
        {"a: {<<: {b: 1}}", R"({"a":{"b":1}})"},
        {"a: {\"<<\": {b: 1}}", R"({"a":{"<<":{"b":1}}})"},
        {"a: {<<: 5}", "refused"},
    };
    for (const auto& c : cases) EXPECT_EQ(yaml_to_json(c.yaml, "s").value_or("refused"), c.json) << c.yaml;
}

}  // namespace
}  // namespace joiner::api
