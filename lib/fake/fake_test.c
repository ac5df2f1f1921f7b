/* The fakes themselves, through the public task functions. */
#include "test.h"
#include <poll.h>
#include <sluice/test.h>

typedef struct settings {
    int32_t number;
} settings;

static const sluice_key keys[] = {{.name = "number",
                                   .type = SLUICE_INT,
                                   .offset = SLUICE_AT(int32_t, settings, number)},
                                  {0}};
static const sluice_config table = {.size = sizeof table,
                                    .key_size = sizeof(sluice_key),
                                    .struct_size = sizeof(settings),
                                    .keys = keys};

TEST(a_configuration_is_parsed_from_pairs_or_refused)
{
    sluice_fake *fake = sluice_fake_new();
    const settings *s = sluice_fake_config(fake, &table, "number", "7", NULL);
    CHECK(s != NULL && s->number == 7);
    CHECK_TEXT(sluice_fake_fault(fake), "");
    CHECK(sluice_fake_config(fake, &table, "number", "x", NULL) == NULL);
    CHECK_TEXT(sluice_fake_fault(fake),
               "Invalid value x for configuration number: Not a number of type INT");
    CHECK_TEXT(sluice_props_get(sluice_task_props(sluice_fake_task(fake)), "number"),
               "x");
    sluice_fake_free(fake);
    sluice_fake_free(NULL);
}

TEST(a_task_is_woken_once_and_stopped_for_good)
{
    sluice_fake *fake = sluice_fake_new();
    const sluice_task *task = sluice_fake_task(fake);
    CHECK_INT(sluice_task_wait(task, -1, 0, 0), SLUICE_WAIT_TIMEOUT);
    sluice_fake_wake(fake);
    CHECK_INT(sluice_task_wait(task, -1, 0, -1), SLUICE_WAIT_WAKE);
    sluice_fake_unwake(fake);
    sluice_fake_unwake(fake);
    sluice_fake_stop(fake);
    CHECK_INT(sluice_task_wait(task, -1, 0, -1), SLUICE_WAIT_STOP);
    CHECK_INT(sluice_task_wait(task, sluice_task_stop_fd(task), POLLIN, -1),
              SLUICE_WAIT_STOP | SLUICE_WAIT_READY);
    sluice_fake_free(fake);
}

TEST(what_a_plugin_asks_is_remembered)
{
    sluice_fake *fake = sluice_fake_new();
    sluice_task *task = sluice_fake_task(fake);
    sluice_error *why = sluice_error_new();
    sluice_fail(why, SLUICE_BAD_RECORD, "too big");
    CHECK(sluice_task_dead_letter(task, NULL, why) == SLUICE_OK);
    sluice_fake_tolerate(fake, false);
    CHECK(sluice_task_dead_letter(task, NULL, why) == SLUICE_BAD_RECORD);
    CHECK_INT(sluice_fake_dead_letters(fake), 2);
    CHECK_TEXT(sluice_fake_dead_letter(fake, 1), "too big");
    sluice_task_rewind(task, "t", 1, 5);
    CHECK_INT(sluice_offsets_find_topic(sluice_fake_rewinds(fake), "t", 1), 5);
    sluice_task_ask_commit(task);
    sluice_task_ask_split(task);
    sluice_task_gauge(task, "rows", 3);
    sluice_task_gauge(task, "rows", 4);
    sluice_task_doing(task, "counting");
    CHECK_INT(sluice_fake_commits_asked(fake), 1);
    CHECK_INT(sluice_fake_splits_asked(fake), 1);
    CHECK_INT(sluice_fake_gauge(fake, "rows"), 4);
    CHECK_INT(sluice_fake_gauge(fake, "none"), INT64_MIN);
    CHECK_TEXT(sluice_fake_doing(fake), "counting");
    sluice_error_free(why);
    sluice_fake_free(fake);
}

TEST(values_and_schemas_are_shown)
{
    sluice_fake *fake = sluice_fake_new();
    sluice_batch *batch = sluice_batch_new();
    sluice_arena *arena = sluice_batch_arena(batch);
    sluice_record *record = sluice_fake_consumed(batch, "t", 9, NULL, "a\"b\n");
    CHECK_TEXT(sluice_fake_show(fake, sluice_record_value(record)),
               "\"a\\\"b\\u000a\"");
    CHECK_TEXT(sluice_fake_show(fake, sluice_record_key(record)), "null");
    CHECK_TEXT(sluice_fake_show_schema(fake, sluice_record_key_schema(record)),
               "STRING?");
    sluice_value *map = sluice_map_new(arena, 1), *list = sluice_array_new(arena, 1);
    sluice_array_add(arena, list, sluice_binary(arena, "\x01\xff", 2));
    sluice_array_add(arena, list, sluice_float64(arena, 0.5));
    sluice_map_add_text(arena, map, "k", list);
    sluice_map_add_text(arena, map, "b", sluice_boolean(true));
    CHECK_TEXT(sluice_fake_show(fake, map), "{\"k\":[0x01ff,0.5],\"b\":true}");
    sluice_schema_builder *b = sluice_schema_builder_new(arena, SLUICE_TYPE_STRUCT);
    const sluice_schema *schema;
    sluice_schema_builder_name(b, "row");
    sluice_schema_builder_field(
        b, "d", sluice_schema_named(arena, SLUICE_TYPE_INT32, SLUICE_DATE, true));
    CHECK(sluice_schema_builder_finish(b, &schema, NULL) == SLUICE_OK);
    CHECK_TEXT(sluice_fake_show_schema(fake, schema),
               "STRUCT{d INT32[org.apache.kafka.connect.data.Date]?}[row]");
    sluice_batch_free(batch);
    sluice_fake_free(fake);
}

TEST_MAIN
