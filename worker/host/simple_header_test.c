/* Headers become the texts that Kafka Connect's SimpleHeaderConverter writes. */
#include "test.h"
#include "worker/host/simple_header.h"

static sluice_arena *arena;

static const char *written(const sluice_schema *schema, const sluice_value *value)
{
    sluice_bytes bytes;
    sluice_error *err = sluice_error_new();
    const char *text = "(null)";
    if (simple_header_encode(schema, value, arena, &bytes, err) != SLUICE_OK) {
        text = sluice_arena_copy(arena, sluice_error_text(err),
                                 strlen(sluice_error_text(err)));
    } else if (bytes.base != NULL) {
        text = sluice_arena_copy(arena, bytes.base, bytes.len);
    }
    sluice_error_free(err);
    return text;
}

TEST(scalars_are_written_plainly)
{
    arena = sluice_arena_new();
    CHECK_TEXT(written(NULL, NULL), "(null)");
    CHECK_TEXT(written(NULL, sluice_text(arena, "a \"b\"")), "a \"b\"");
    CHECK_TEXT(written(NULL, sluice_int64(arena, -7)), "-7");
    CHECK_TEXT(written(NULL, sluice_float64(arena, 1e20)), "1.0E20");
    CHECK_TEXT(written(NULL, sluice_boolean(true)), "true");
    CHECK_TEXT(written(NULL, sluice_binary(arena, "\0\377", 2)), "AP8=");
    sluice_arena_free(arena);
}

TEST(structs_maps_and_lists_are_written_like_json)
{
    arena = sluice_arena_new();
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    const sluice_schema *schema;
    sluice_schema_builder_field(builder, "id",
                                sluice_schema_of(SLUICE_TYPE_INT32, false));
    sluice_schema_builder_field(builder, "n\"m",
                                sluice_schema_of(SLUICE_TYPE_STRING, true));
    CHECK(sluice_schema_builder_finish(builder, &schema, NULL) == SLUICE_OK);
    sluice_value *row = sluice_struct_new(arena, schema);
    sluice_struct_set(row, 0, sluice_int32(arena, 77));
    CHECK_TEXT(written(schema, row), "{\"id\":77,\"n\\\"m\":null}");
    sluice_value *map = sluice_map_new(arena, 2);
    sluice_value *list = sluice_array_new(arena, 2);
    sluice_array_add(arena, list, sluice_text(arena, "a\\b"));
    sluice_array_add(arena, list, sluice_binary(arena, "x", 1));
    sluice_map_add_text(arena, map, "k", list);
    sluice_map_add(arena, map, sluice_int32(arena, 1), row);
    CHECK_TEXT(written(NULL, map),
               "{\"k\":[\"a\\\\b\",\"eA==\"],1:{\"id\":77,\"n\\\"m\":null}}");
    sluice_arena_free(arena);
}

TEST(a_null_in_a_struct_is_written_as_its_default)
{
    arena = sluice_arena_new();
    const sluice_schema *field, *schema;
    sluice_schema_builder *builder =
        sluice_schema_builder_new(arena, SLUICE_TYPE_INT32);
    sluice_schema_builder_optional(builder);
    sluice_schema_builder_default(builder, sluice_int32(arena, 9));
    CHECK(sluice_schema_builder_finish(builder, &field, NULL) == SLUICE_OK);
    builder = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    sluice_schema_builder_field(builder, "n", field);
    CHECK(sluice_schema_builder_finish(builder, &schema, NULL) == SLUICE_OK);
    CHECK_TEXT(written(schema, sluice_struct_new(arena, schema)), "{\"n\":9}");
    sluice_arena_free(arena);
}

TEST(dates_and_decimals_are_written_by_their_meaning)
{
    arena = sluice_arena_new();
    const sluice_schema *stamp =
        sluice_schema_named(arena, SLUICE_TYPE_INT64, SLUICE_TIMESTAMP, false);
    const sluice_schema *date =
        sluice_schema_named(arena, SLUICE_TYPE_INT32, SLUICE_DATE, false);
    CHECK_TEXT(written(stamp, sluice_int64(arena, 1478267490123)),
               "2016-11-04T13:51:30.123Z");
    CHECK_TEXT(written(stamp, sluice_int64(arena, 86400000)), "1970-01-02");
    CHECK_TEXT(written(stamp, sluice_int64(arena, 61001)), "00:01:01.001Z");
    CHECK_TEXT(written(date, sluice_int32(arena, 17109)), "2016-11-04");
    CHECK_TEXT(written(sluice_schema_decimal(arena, 2, false),
                       sluice_binary(arena, "\4\322", 2)),
               "12.34");
    sluice_arena_free(arena);
}

TEST(what_is_nested_too_deeply_is_refused)
{
    arena = sluice_arena_new();
    const sluice_value *value = sluice_int32(arena, 1);
    for (int i = 0; i < 200; i++) {
        sluice_value *list = sluice_array_new(arena, 1);
        sluice_array_add(arena, list, value);
        value = list;
    }
    CHECK_TEXT(written(NULL, value), "a header is nested more than 100 deep");
    sluice_arena_free(arena);
}

TEST_MAIN
