/* Values: what goes in comes out, copies are deep, and checks speak Kafka Connect. */
#include "test.h"
#include <float.h>
#include <sluice/value.h>

static sluice_arena *arena;

#define BEGIN arena = sluice_arena_new()
#define END   sluice_arena_free(arena)

TEST(scalars_keep_their_type_and_value)
{
    BEGIN;
    CHECK_INT(sluice_value_integer(sluice_int8(arena, -128)), -128);
    CHECK_INT(sluice_value_integer(sluice_int16(arena, -32768)), -32768);
    CHECK_INT(sluice_value_integer(sluice_int32(arena, INT32_MIN)), INT32_MIN);
    CHECK_INT(sluice_value_integer(sluice_int64(arena, INT64_MIN)), INT64_MIN);
    CHECK(sluice_value_float(sluice_float32(arena, 0.1f)) == (double)0.1f);
    CHECK(sluice_value_float(sluice_float64(arena, DBL_MAX)) == DBL_MAX);
    CHECK(sluice_value_boolean(sluice_boolean(true)));
    CHECK(!sluice_value_boolean(sluice_boolean(false)));
    CHECK_INT(sluice_value_type(sluice_int16(arena, 1)), SLUICE_TYPE_INT16);
    END;
}

TEST(texts_and_bytes_have_a_length_and_may_hold_nul)
{
    BEGIN;
    sluice_bytes got = sluice_value_bytes(sluice_string(arena, "a\0b", 3));
    CHECK_BYTES(got.base, got.len, "a\0b", 3);
    got = sluice_value_bytes(sluice_binary(arena, NULL, 0));
    CHECK(got.base != NULL && got.len == 0);
    static const char bytes[] = "borrowed";
    got = sluice_value_bytes(sluice_binary_borrowed(arena, bytes, 8));
    CHECK(got.base == bytes);
    CHECK(sluice_text(arena, NULL) == NULL);
    CHECK(sluice_value_is_text(sluice_text(arena, "x"), "x"));
    CHECK(!sluice_value_is_text(sluice_binary(arena, "x", 1), "x"));
    CHECK(!sluice_value_is_text(NULL, "x"));
    END;
}

TEST(arrays_and_maps_grow_and_keep_their_order)
{
    BEGIN;
    sluice_value *array = sluice_array_new(arena, 0);
    sluice_value *map = sluice_map_new(arena, 2);
    for (int i = 0; i < 1000; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        sluice_array_add(arena, array, sluice_int32(arena, i));
        sluice_map_add_text(arena, map, key, sluice_int32(arena, i));
    }
    CHECK_INT(sluice_value_count(array), 1000);
    CHECK_INT(sluice_value_count(map), 1000);
    for (size_t i = 0; i < 1000; i++) {
        CHECK_INT(sluice_value_integer(sluice_value_at(array, i)), i);
        CHECK_INT(sluice_value_integer(sluice_value_at(map, i)), i);
    }
    bool found = true;
    CHECK(sluice_value_is_text(sluice_map_key(map, 999), "k999"));
    CHECK_INT(sluice_value_integer(sluice_map_find(map, "k500", NULL)), 500);
    CHECK(sluice_map_find(map, "none", &found) == NULL && !found);
    sluice_map_add_text(arena, map, "k500", NULL);
    CHECK(sluice_map_find(map, "k500", &found) == NULL && found);
    END;
}

/* A struct {id INT64, name STRING?, tags [STRING]} named "row". */
static const sluice_schema *row_schema(void)
{
    sluice_schema_builder *tags = sluice_schema_builder_new(arena, SLUICE_TYPE_ARRAY);
    const sluice_schema *made;
    sluice_schema_builder_element(tags, sluice_schema_of(SLUICE_TYPE_STRING, false));
    CHECK(sluice_schema_builder_finish(tags, &made, NULL) == SLUICE_OK);
    sluice_schema_builder *row = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_name(row, "row");
    sluice_schema_builder_field(row, "id", sluice_schema_of(SLUICE_TYPE_INT64, false));
    sluice_schema_builder_field(row, "name",
                                sluice_schema_of(SLUICE_TYPE_STRING, true));
    sluice_schema_builder_field(row, "tags", made);
    CHECK(sluice_schema_builder_finish(row, &made, NULL) == SLUICE_OK);
    return made;
}

static sluice_value *row(const sluice_schema *schema, const char *tag)
{
    sluice_value *made = sluice_struct_new(arena, schema);
    sluice_value *tags = sluice_array_new(arena, 1);
    sluice_array_add(arena, tags, sluice_text(arena, tag));
    sluice_struct_set(made, 0, sluice_int64(arena, 7));
    sluice_struct_set(made, 2, tags);
    return made;
}

TEST(structs_are_read_by_index_and_by_name)
{
    BEGIN;
    const sluice_schema *schema = row_schema();
    sluice_value *one = row(schema, "x");
    CHECK(sluice_struct_schema(one) == schema);
    CHECK_INT(sluice_value_count(one), 3);
    CHECK_INT(sluice_value_integer(sluice_struct_find(one, "id")), 7);
    CHECK(sluice_struct_find(one, "name") == NULL);
    CHECK(sluice_struct_find(one, "nope") == NULL);
    END;
}

TEST(a_copy_is_deep_and_equal)
{
    BEGIN;
    sluice_arena *other = sluice_arena_new();
    const sluice_schema *schema = row_schema();
    sluice_value *one = row(schema, "x");
    sluice_value *copy = sluice_value_copy(other, one);
    CHECK(sluice_value_equal(one, copy));
    CHECK(!sluice_value_equal(one, row(schema, "y")));
    sluice_value *map = sluice_map_new(arena, 1);
    sluice_map_add(arena, map, sluice_int32(arena, 1), copy);
    sluice_map_add(arena, map, NULL, sluice_boolean(true));
    sluice_value *map_copy = sluice_value_copy(other, map);
    CHECK(sluice_value_equal(map, map_copy));
    sluice_map_add(other, map_copy, NULL, NULL);
    CHECK(!sluice_value_equal(map, map_copy));
    CHECK_INT(sluice_value_count(map_copy), 3);
    CHECK(sluice_value_copy(other, NULL) == NULL);
    sluice_arena_free(other);
    END;
}

TEST(types_and_widths_are_part_of_equality)
{
    BEGIN;
    CHECK(!sluice_value_equal(sluice_int32(arena, 1), sluice_int64(arena, 1)));
    CHECK(!sluice_value_equal(sluice_text(arena, "a"), sluice_binary(arena, "a", 1)));
    CHECK(!sluice_value_equal(sluice_float64(arena, 0.0), sluice_float64(arena, -0.0)));
    CHECK(!sluice_value_equal(NULL, sluice_int32(arena, 1)));
    CHECK(sluice_value_equal(NULL, NULL));
    END;
}

static void check_says(const sluice_value *value, const sluice_schema *schema,
                       const char *text)
{
    sluice_error *err = sluice_error_new();
    sluice_status status = sluice_value_check(value, schema, err);
    char got[200];
    snprintf(got, sizeof got, "%s", sluice_error_text(err));
    sluice_error_free(err);
    CHECK_TEXT(got, text);
    CHECK(status == (*text == '\0' ? SLUICE_OK : SLUICE_BAD_RECORD));
}

TEST(a_value_that_does_not_fit_its_schema_is_named)
{
    BEGIN;
    const sluice_schema *schema = row_schema();
    const sluice_schema *number = sluice_schema_of(SLUICE_TYPE_INT32, false);
    check_says(row(schema, "x"), schema, "");
    check_says(row(schema, "x"), NULL, "");
    check_says(NULL, sluice_schema_of(SLUICE_TYPE_INT32, true), "");
    check_says(NULL, number,
               "Invalid value: null used for required value, schema type: INT32");
    check_says(sluice_text(arena, "x"), number,
               "Invalid value of type STRING for schema with type INT32");
    check_says(row(schema, NULL), schema,
               "Invalid value: null used for required element of array field: "
               "\"tags\", schema type: STRING");
    sluice_value *one = row(schema, "x");
    sluice_struct_set(one, 0, NULL);
    check_says(one, schema,
               "Invalid value: null used for required field: \"id\", schema type: "
               "INT64");
    sluice_struct_set(one, 0, sluice_int32(arena, 1));
    check_says(one, schema,
               "Invalid value of type INT32 for schema with type INT64 "
               "for field: \"id\"");
    const sluice_schema *date =
        sluice_schema_named(arena, SLUICE_TYPE_INT32, SLUICE_DATE, false);
    check_says(sluice_text(arena, "x"), date,
               "Invalid value of type STRING for schema "
               "\"org.apache.kafka.connect.data.Date\" with type INT32");
    END;
}

TEST(a_struct_of_another_schema_is_refused)
{
    BEGIN;
    sluice_schema_builder *b = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    const sluice_schema *empty;
    CHECK(sluice_schema_builder_finish(b, &empty, NULL) == SLUICE_OK);
    check_says(sluice_struct_new(arena, empty), row_schema(),
               "Struct schemas do not match.");
    check_says(row(row_schema(), "x"), row_schema(), "");
    END;
}

TEST_MAIN
