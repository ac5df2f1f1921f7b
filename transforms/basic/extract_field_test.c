/* transforms/basic/extract_field_test.c - Kafka Connect's own vectors. */
#include "basic.h"
#include "vector.h"

static const sluice_feature *const VALUE = &extract_field_value;

TEST(a_field_takes_the_place_of_its_struct_or_map)
{
    CHECK_TEXT(vector_value(VALUE, VECTOR_ROW, "field", "a", NULL),
               "{\"schema\":{\"type\":\"int32\",\"optional\":false},\"payload\":1}");
    CHECK_TEXT(vector_value(VALUE, "{\"a\":1}", "field", "a", NULL),
               "{\"schema\":null,\"payload\":1}");
    CHECK_TEXT(vector_key(&extract_field_key, "{\"a\":1}", "field", "a", NULL),
               "{\"schema\":null,\"payload\":1}");
}

TEST(a_missing_field_is_an_error_with_a_schema_and_null_without)
{
    CHECK_TEXT(vector_value(VALUE, VECTOR_ROW, "field", "z", NULL),
               "error: Unknown field: z");
    CHECK_TEXT(vector_value(VALUE, "{\"a\":1}", "field", "z", NULL), "null");
}

TEST(a_null_stays_null)
{
    CHECK_TEXT(vector_value(VALUE, NULL, "field", "a", NULL), "null");
}

TEST(other_values_are_refused)
{
    CHECK_TEXT(vector_value(VALUE, "{\"schema\":{\"type\":\"int32\"},\"payload\":42}",
                            "field", "a", NULL),
               "error: Only Struct objects supported for [field extraction], found: "
               "java.lang.Integer");
    CHECK_TEXT(vector_value(VALUE, "5", "field", "a", NULL),
               "error: Only Map objects supported in absence of schema for [field "
               "extraction], found: java.lang.Long");
}

TEST(dots_are_a_way_in_version_2_only)
{
    const char *both = "{\"a\":{\"b\":3},\"a.b\":9}";
    CHECK_TEXT(vector_value(VALUE, both, "field", "a.b", NULL),
               "{\"schema\":null,\"payload\":9}");
    CHECK_TEXT(
        vector_value(VALUE, both, "field", "a.b", "field.syntax.version", "V2", NULL),
        "{\"schema\":null,\"payload\":3}");
    CHECK_TEXT(
        vector_value(VALUE, both, "field", "`a.b`", "field.syntax.version", "v2", NULL),
        "{\"schema\":null,\"payload\":9}");
    CHECK_TEXT(
        vector_value(VALUE, both, "field", "a.b.c", "field.syntax.version", "V2", NULL),
        "error: Only Map objects supported in absence of schema for [nested field "
        "access], found: java.lang.Long");
}

TEST(backticks_are_literal_inside_names_and_can_be_escaped)
{
    CHECK_TEXT(vector_value(VALUE, "{\"a`b\":1}", "field", "`a`b`",
                            "field.syntax.version", "V2", NULL),
               "{\"schema\":null,\"payload\":1}");
    CHECK_TEXT(vector_value(VALUE, "{\"a`.b\":{\"c\":1}}", "field", "`a\\`.b`.c",
                            "field.syntax.version", "V2", NULL),
               "{\"schema\":null,\"payload\":1}");
}

TEST(bad_paths_and_versions_are_refused)
{
    CHECK_TEXT(
        vector_value(VALUE, "{}", "field", "`a", "field.syntax.version", "V2", NULL),
        "error: Incomplete backtick pair in path: [`a], consider adding a "
        "backslash before backtick at position 0 to escape it");
    CHECK_TEXT(
        vector_value(VALUE, "{}", "field", "a.b", "field.syntax.version", "v3", NULL),
        "error: Invalid value v3 for configuration field.syntax.version: String "
        "must be one of (case insensitive): V1, V2");
    CHECK_TEXT(vector_value(VALUE, "{}", NULL),
               "error: Missing required configuration \"field\" which has no default "
               "value.");
}

#define NESTED                                                                         \
    "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"optional\":true," \
    "\"type\":\"struct\",\"fields\":[{\"field\":\"b\",\"type\":\"int32\","             \
    "\"optional\":"                                                                    \
    "true,\"default\":5}]}]},\"payload\":"

TEST(nested_fields_have_their_schema_and_default)
{
    CHECK_TEXT(vector_value(VALUE, NESTED "{\"a\":{\"b\":7}}}", "field", "a.b",
                            "field.syntax.version", "V2", NULL),
               "{\"schema\":{\"type\":\"int32\",\"optional\":true,\"default\":5},"
               "\"payload\":7}");
    CHECK_TEXT(vector_value(VALUE, NESTED "{\"a\":{\"b\":null}}}", "field", "a.b",
                            "field.syntax.version", "V2", NULL),
               "{\"schema\":{\"type\":\"int32\",\"optional\":true,\"default\":5},"
               "\"payload\":5}");
}

TEST_MAIN
