/* Schemas: built, judged, compared and copied. */
#include "test.h"
#include <sluice/value.h>

static sluice_arena *arena;

static const sluice_schema *finish(sluice_schema_builder *builder)
{
    const sluice_schema *made = NULL;
    CHECK(sluice_schema_builder_finish(builder, &made, NULL) == SLUICE_OK);
    return made;
}

static const sluice_schema *of(sluice_data_type type)
{
    return sluice_schema_of(type, false);
}

TEST(plain_schemas_are_constants_with_ids_of_their_own)
{
    for (sluice_data_type type = SLUICE_TYPE_INT8; type <= SLUICE_TYPE_BYTES; type++) {
        const sluice_schema *one = sluice_schema_of(type, true);
        CHECK(one == sluice_schema_of(type, true));
        CHECK(sluice_schema_type(one) == type);
        CHECK(sluice_schema_is_optional(one));
        CHECK(sluice_schema_id(one) != sluice_schema_id(of(type)));
        CHECK(sluice_schema_id(one) != 0);
        CHECK(!sluice_schema_equal(one, of(type)));
    }
    CHECK_TEXT(sluice_data_type_name(SLUICE_TYPE_BOOLEAN), "BOOLEAN");
    CHECK_TEXT(sluice_data_type_name(SLUICE_TYPE_STRUCT), "STRUCT");
}

static const sluice_schema *wide(size_t fields, const char *doc)
{
    sluice_schema_builder *b = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_doc(b, doc);
    for (size_t i = 0; i < fields; i++) {
        char name[16];
        snprintf(name, sizeof name, "field%zu", i);
        sluice_schema_builder_field(b, name, of(SLUICE_TYPE_INT32));
    }
    return finish(b);
}

TEST(fields_are_found_whether_few_or_many)
{
    arena = sluice_arena_new();
    for (size_t fields = 0; fields < 200; fields += fields < 10 ? 1 : 63) {
        const sluice_schema *schema = wide(fields, NULL);
        CHECK_INT(sluice_schema_field_count(schema), fields);
        for (size_t i = 0; i < fields; i++) {
            const char *name = sluice_schema_field_name(schema, i);
            CHECK_INT(sluice_schema_field_find(schema, name), i);
        }
        CHECK_INT(sluice_schema_field_find(schema, "field"), -1);
    }
    sluice_arena_free(arena);
}

TEST(all_attributes_are_kept)
{
    arena = sluice_arena_new();
    sluice_schema_builder *b = sluice_schema_builder_new(arena, SLUICE_TYPE_MAP);
    sluice_schema_builder_name(b, "m");
    sluice_schema_builder_version(b, 3);
    sluice_schema_builder_doc(b, "words");
    sluice_schema_builder_parameter(b, "p", "1");
    sluice_schema_builder_parameter(b, "q", "2");
    sluice_schema_builder_parameter(b, "p", "3");
    sluice_schema_builder_key(b, of(SLUICE_TYPE_STRING));
    sluice_schema_builder_element(b, of(SLUICE_TYPE_INT8));
    sluice_schema_builder_optional(b);
    sluice_schema_builder_default(b, NULL);
    const sluice_schema *made = finish(b);
    int32_t version = 0;
    const sluice_value *fallback = sluice_boolean(true);
    CHECK_TEXT(sluice_schema_name(made), "m");
    CHECK(sluice_schema_version(made, &version) && version == 3);
    CHECK_TEXT(sluice_schema_doc(made), "words");
    CHECK_INT(sluice_schema_parameter_count(made), 2);
    CHECK_TEXT(sluice_schema_parameter(made, "p"), "3");
    CHECK_TEXT(sluice_schema_parameter_name(made, 1), "q");
    CHECK(sluice_schema_parameter(made, "r") == NULL);
    CHECK(sluice_schema_default(made, &fallback) && fallback == NULL);
    CHECK(sluice_schema_key(made) == of(SLUICE_TYPE_STRING));
    CHECK(sluice_schema_element(made) == of(SLUICE_TYPE_INT8));
    sluice_arena_free(arena);
}

static void check_refused(sluice_schema_builder *builder, const char *text)
{
    const sluice_schema *made = NULL;
    sluice_error *err = sluice_error_new();
    char got[200];
    sluice_status status = sluice_schema_builder_finish(builder, &made, err);
    snprintf(got, sizeof got, "%s", sluice_error_text(err));
    sluice_error_free(err);
    CHECK(status == SLUICE_FATAL);
    CHECK(made == NULL);
    CHECK_TEXT(got, text);
}

static sluice_schema_builder *begin(sluice_data_type type)
{
    return sluice_schema_builder_new(arena, type);
}

TEST(mistakes_are_told_in_kafka_connects_words)
{
    arena = sluice_arena_new();
    const sluice_schema *number = of(SLUICE_TYPE_INT32);
    sluice_schema_builder *b = begin(SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(b, "a", number);
    sluice_schema_builder_field(b, "a", number);
    check_refused(b, "Cannot create field because of field name duplication a");
    b = begin(SLUICE_TYPE_INT32);
    sluice_schema_builder_field(b, "a", number);
    check_refused(b, "Cannot create fields on type INT32");
    b = begin(SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(b, "", number);
    check_refused(b, "fieldName cannot be null.");
    b = begin(SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(b, "a", NULL);
    check_refused(b, "fieldSchema for field a cannot be null.");
    check_refused(begin(SLUICE_TYPE_ARRAY), "valueSchema cannot be null.");
    check_refused(begin(SLUICE_TYPE_MAP), "keySchema cannot be null.");
    b = begin(SLUICE_TYPE_INT32);
    sluice_schema_builder_default(b, sluice_text(arena, "x"));
    check_refused(b, "Invalid default value");
    sluice_arena_free(arena);
}

TEST(equality_looks_at_every_attribute)
{
    arena = sluice_arena_new();
    CHECK(sluice_schema_equal(wide(9, "a"), wide(9, "a")));
    CHECK(!sluice_schema_equal(wide(9, "a"), wide(9, "b")));
    CHECK(!sluice_schema_equal(wide(9, "a"), wide(9, NULL)));
    CHECK(!sluice_schema_equal(wide(9, "a"), wide(8, "a")));
    CHECK(!sluice_schema_equal(sluice_schema_decimal(arena, 1, false),
                               sluice_schema_decimal(arena, 2, false)));
    CHECK(sluice_schema_equal(sluice_schema_decimal(arena, 2, true),
                              sluice_schema_decimal(arena, 2, true)));
    CHECK(!sluice_schema_equal(NULL, of(SLUICE_TYPE_INT8)));
    CHECK(sluice_schema_equal(NULL, NULL));
    sluice_arena_free(arena);
}

TEST(the_decimal_schema_has_its_scale)
{
    arena = sluice_arena_new();
    const sluice_schema *decimal = sluice_schema_decimal(arena, -2, false);
    int32_t version = 0;
    CHECK_TEXT(sluice_schema_name(decimal), SLUICE_DECIMAL);
    CHECK_TEXT(sluice_schema_parameter(decimal, "scale"), "-2");
    CHECK(sluice_schema_version(decimal, &version) && version == 1);
    CHECK_INT(sluice_schema_type(decimal), SLUICE_TYPE_BYTES);
    sluice_arena_free(arena);
}

TEST(a_copy_is_equal_has_another_id_and_borrows_nothing)
{
    arena = sluice_arena_new();
    sluice_arena *other = sluice_arena_new();
    const sluice_schema *inner = wide(8, "inner");
    sluice_schema_builder *b = begin(SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(b, "outer");
    sluice_schema_builder_field(b, "inner", inner);
    sluice_schema_builder_field(b, "d", sluice_schema_decimal(arena, 2, true));
    const sluice_schema *original = finish(b);
    const sluice_schema *copy = sluice_schema_copy(other, original);
    CHECK(sluice_schema_equal(copy, original));
    CHECK(sluice_schema_id(copy) != sluice_schema_id(original));
    sluice_arena_free(arena);
    CHECK_TEXT(sluice_schema_name(copy), "outer");
    const sluice_schema *inner_copy = sluice_schema_field_schema(copy, 0);
    CHECK_INT(sluice_schema_field_find(inner_copy, "field7"), 7);
    CHECK(sluice_schema_copy(other, of(SLUICE_TYPE_INT8)) == of(SLUICE_TYPE_INT8));
    CHECK(sluice_schema_copy(other, NULL) == NULL);
    sluice_arena_free(other);
}

TEST(a_struct_may_have_a_struct_as_its_default)
{
    arena = sluice_arena_new();
    sluice_arena *other = sluice_arena_new();
    const sluice_schema *plain = wide(1, NULL);
    sluice_value *fallback = sluice_struct_new(arena, plain);
    sluice_struct_set(fallback, 0, sluice_int32(arena, 5));
    sluice_schema_builder *b = begin(SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(b, "field0", of(SLUICE_TYPE_INT32));
    sluice_schema_builder_default(b, fallback);
    const sluice_schema *copy = sluice_schema_copy(other, finish(b));
    sluice_arena_free(arena);
    const sluice_value *got = NULL;
    CHECK(sluice_schema_default(copy, &got));
    CHECK_INT(sluice_value_integer(sluice_struct_find(got, "field0")), 5);
    sluice_arena_free(other);
}

TEST_MAIN
