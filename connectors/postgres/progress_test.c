/* connectors/postgres/progress_test.c - where the source stands, as people and
 * dashboards see it. */
#include "progress.h"
#include "test.h"
#include <sluice/test.h>

static int64_t gauge(const sluice_fake *fake, const char *name)
{
    return sluice_fake_gauge(fake, name);
}

TEST(a_snapshot_says_which_table_how_many_rows_and_how_long_still)
{
    char text[PROGRESS_TEXT_SIZE];
    snapshot_figures figures = {.running = true,
                                .tables = 5,
                                .tables_left = 3,
                                .rows = 1000,
                                .rows_left = 4000,
                                .begin_ms = 500,
                                .end_ms = 2500};
    CHECK_TEXT(progress_text(&figures, "public.t", text),
               "snapshot of public.t, table 2 of 5, 1000 of about 5000 rows, about 8 s "
               "left");
    figures.rows = 6000;
    figures.rows_left = 0;
    CHECK_TEXT(progress_text(&figures, "public.t", text),
               "snapshot of public.t, table 2 of 5, 6000 of about 6000 rows, about 0 s "
               "left");
    figures.rows_left = -1;
    CHECK_TEXT(progress_text(&figures, "public.t", text),
               "snapshot of public.t, table 2 of 5, 6000 rows");
    figures.rows = 0;
    figures.rows_left = INT64_MAX;
    CHECK_INT(progress_left_ms(&figures), -1);
    figures.rows = 1; /* The server expects what no server has. */
    CHECK_INT(progress_left_ms(&figures), -1);
}

TEST(a_name_of_any_length_fits_the_sentence)
{
    char text[PROGRESS_TEXT_SIZE], name[1000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snapshot_figures figures = {.tables = INT64_MAX,
                                .rows = INT64_MAX,
                                .rows_left = INT64_MAX,
                                .end_ms = INT64_MAX};
    CHECK(strlen(progress_text(&figures, name, text)) < PROGRESS_TEXT_SIZE);
}

TEST(dashboards_find_debeziums_names)
{
    sluice_fake *fake = sluice_fake_new();
    sluice_arena *arena = sluice_arena_new();
    postgres_config config = {.topic_prefix = "shop"};
    progress *to = progress_new(arena, sluice_fake_task(fake), &config);
    snapshot_figures snapshot = {
        .completed = true, .tables = 2, .rows = 7, .begin_ms = 1000, .end_ms = 4000};
    progress_snapshot(to, &snapshot);
    stream_figures stream = {.connected = true,
                             .head = 5000,
                             .acknowledged = 2000,
                             .event_us = 1000000,
                             .taken_us = 1250000,
                             .acknowledged_us = 1000000,
                             .events = 9,
                             .filtered = 4,
                             .transactions = 3};
    progress_stream(to, &stream, 8000000);
    CHECK_INT(gauge(fake, "debezium_metrics_SnapshotCompleted{context=\"snapshot\","
                          "name=\"shop\",plugin=\"postgres\"}"),
              1);
    CHECK_INT(gauge(fake, "debezium_metrics_SnapshotDurationInSeconds{context="
                          "\"snapshot\",name=\"shop\",plugin=\"postgres\"}"),
              3);
    CHECK_INT(gauge(fake, "debezium_metrics_MilliSecondsBehindSource{context="
                          "\"streaming\",name=\"shop\",plugin=\"postgres\"}"),
              250);
    CHECK_INT(gauge(fake, "debezium_metrics_NumberOfEventsFiltered{context="
                          "\"streaming\",name=\"shop\",plugin=\"postgres\"}"),
              4);
    CHECK_INT(gauge(fake, "snapshot.rows"), 7);
    CHECK_INT(gauge(fake, "lag.bytes"), 3000);
    CHECK_INT(gauge(fake, "lag.seconds"), 7);
    stream.acknowledged = 5000;
    progress_stream(to, &stream, 8000000);
    CHECK_INT(gauge(fake, "lag.bytes"), 0);
    CHECK_INT(gauge(fake, "lag.seconds"), 0);
    sluice_arena_free(arena);
    sluice_fake_free(fake);
}

TEST_MAIN
