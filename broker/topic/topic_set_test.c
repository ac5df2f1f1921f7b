/* broker/topic/topic_set_test.c - topics are made, changed, deleted, and known again
 * after every kind of stop. */
#include "base/memory.h"
#include "broker/log/log_fixture.h"
#include "broker/topic/topic_set.h"
#include "protocol/error_code.h"
#include <unistd.h>

static char path[64];
static properties *given;
static broker_config config;
static log_dir *dirs[2];
static size_t dir_count;
static topic_set *topics;

static void open_topics(void)
{
    sluice_log_set_level("broker", SLUICE_OFF);
    sluice_error *err = sluice_error_new();
    log_dir_options options = {.node_id = 1};
    for (size_t i = 0; i < dir_count; i++) {
        char *name = memory_print("%s/%zu", path, i);
        if (log_dir_open(name, &options, &dirs[i], err) != SLUICE_OK) {
            test_fail(__FILE__, __LINE__, "%s", sluice_error_text(err));
        }
        free(name);
    }
    if (topic_set_open(&config, dirs, dir_count, &topics, err) != SLUICE_OK) {
        test_fail(__FILE__, __LINE__, "%s", sluice_error_text(err));
    }
    sluice_error_free(err);
}

static void begin(size_t count)
{
    snprintf(path, sizeof(path), "/tmp/broker-topic-XXXXXX");
    CHECK(mkdtemp(path) != NULL);
    dir_count = count;
    given = properties_new();
    properties_set(given, "log.dirs", path);
    properties_set(given, "node.id", "1");
    CHECK_INT(broker_config_parse(given, &config, NULL), SLUICE_OK);
    open_topics();
}

static void stop(bool crash)
{
    for (size_t i = 0; crash && i < dir_count; i++) {
        log_dir_abandon(dirs[i]);
    }
    topic_set_close(topics);
    for (size_t i = 0; i < dir_count; i++) {
        log_dir_close(dirs[i]);
    }
}

static void end(void)
{
    stop(false);
    broker_config_done(&config);
    properties_free(given);
    fixture_remove_files(path);
}

static int16_t create(const char *name, int32_t partition_count, const char *key,
                      const char *value)
{
    config_pair pair = {(char *)key, (char *)value};
    topic_creation creation = {.name = name,
                               .name_len = strlen(name),
                               .partition_count = partition_count,
                               .replication_factor = -1,
                               .configs = &pair,
                               .config_count = key != NULL};
    return topic_set_create(topics, &creation, NULL, NULL);
}

static topic *find(const char *name)
{
    return topic_set_find(topics, name, strlen(name));
}

TEST(topics_are_known_again_after_every_kind_of_stop)
{
    begin(1);
    CHECK_INT(create("first", 3, "retention.ms", "1234"), ERROR_NONE);
    CHECK_INT(create("second", -1, NULL, NULL), ERROR_NONE);
    topic *first = find("first");
    uuid id = first->id;
    topic_unref(first);
    for (int crash = 0; crash < 2; crash++) {
        stop(crash);
        open_topics();
        size_t count;
        topic **list = topic_set_list(topics, &count);
        CHECK_INT(count, 2);
        CHECK_TEXT(list[0]->name, "first");
        CHECK_TEXT(list[1]->name, "second");
        CHECK_INT(list[0]->partition_count, 3);
        CHECK_INT(list[1]->partition_count, 1);
        CHECK(uuid_equal(&list[0]->id, &id));
        CHECK_INT(list[0]->config.log.retention_ms, 1234);
        CHECK_TEXT(topic_config_own(list[0], "retention.ms"), "1234");
        topic_list_free(list, count);
        topic *same = topic_set_find_id(topics, &id);
        CHECK(same != NULL);
        topic_unref(same);
    }
    end();
}

static int16_t configure(const char *name, const char *value)
{
    config_pair pair = {"retention.ms", (char *)value};
    return topic_set_configure(topics, name, strlen(name), &pair, 1, false, NULL);
}

static bool has_first_segment(void)
{
    char *name =
        memory_print("%s/0/__cluster_metadata-0/00000000000000000000.log", path);
    bool there = access(name, F_OK) == 0;
    free(name);
    return there;
}

TEST(the_metadata_log_is_written_anew_when_most_of_it_is_past)
{
    begin(1);
    CHECK_INT(create("gone", 3, NULL, NULL), ERROR_NONE);
    CHECK_INT(topic_set_delete(topics, "gone", 4, NULL), ERROR_NONE);
    CHECK_INT(create("kept", 3, NULL, NULL), ERROR_NONE);
    config_pair all = {"log.retention.bytes", "777"};
    CHECK_INT(topic_set_configure_broker(topics, CONFIG_SOURCE_ALL_NODES, &all, 1,
                                         false, NULL),
              ERROR_NONE);
    int64_t producer_id = topic_set_producer_id(topics);
    char value[16];
    for (int i = 0; i < 1100; i++) {
        snprintf(value, sizeof value, "%d", 1000 + i);
        CHECK_INT(configure("kept", value), ERROR_NONE);
    }
    CHECK(has_first_segment());
    for (int crash = 1; crash >= 0; crash--) {
        stop(crash);
        open_topics();
        CHECK(!has_first_segment());
        topic *kept = find("kept");
        CHECK_INT(kept->partition_count, 3);
        CHECK_TEXT(topic_config_own(kept, "retention.ms"), "2099");
        CHECK_INT(kept->config.log.retention_bytes, 777);
        topic_unref(kept);
        CHECK(find("gone") == NULL);
        CHECK(topic_set_producer_id(topics) > producer_id);
        CHECK_INT(configure("kept", "2100"), ERROR_NONE);
        CHECK_INT(configure("kept", "2099"), ERROR_NONE);
    }
    end();
}

TEST(names_are_judged_as_kafka_does)
{
    begin(1);
    char longest[251];
    memset(longest, 'x', 250);
    longest[249] = 0;
    CHECK_INT(create(longest, 1, NULL, NULL), ERROR_NONE);
    longest[249] = 'x';
    longest[250] = 0;
    CHECK_INT(create(longest, 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create(".", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("..", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("a/b", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("a b", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("../../etc", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("ä", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    CHECK_INT(create("__cluster_metadata", 1, NULL, NULL), ERROR_INVALID_REQUEST);
    CHECK_INT(create("a.b-C_9", 1, NULL, NULL), ERROR_NONE);
    CHECK_INT(create("a.b-C_9", 1, NULL, NULL), ERROR_TOPIC_ALREADY_EXISTS);
    CHECK_INT(create("a_b-C_9", 1, NULL, NULL), ERROR_INVALID_TOPIC_EXCEPTION);
    end();
}

TEST(a_wrong_name_is_told_in_kafkas_words)
{
    sluice_error *err = sluice_error_new();
    CHECK_INT(topic_name_check("", 0, err), SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err),
               "Topic name is invalid: the empty string is not allowed");
    CHECK_INT(topic_name_check("..", 2, err), SLUICE_BAD_CONFIG);
    CHECK_TEXT(sluice_error_text(err), "Topic name is invalid: '..' is not allowed");
    CHECK_INT(topic_name_check("a b", 3, err), SLUICE_BAD_CONFIG);
    CHECK_TEXT(
        sluice_error_text(err),
        "Topic name is invalid: 'a b' contains one or more characters other than "
        "ASCII alphanumerics, '.', '_' and '-'");
    CHECK_INT(topic_name_check("...", 3, err), SLUICE_OK);
    sluice_error_free(err);
}

TEST(what_cannot_be_made_is_refused_and_leaves_nothing)
{
    begin(1);
    CHECK_INT(create("t", 0, NULL, NULL), ERROR_INVALID_PARTITIONS);
    CHECK_INT(create("t", -2, NULL, NULL), ERROR_INVALID_PARTITIONS);
    CHECK_INT(create("t", 1, "retention.ms", "soon"), ERROR_INVALID_CONFIG);
    CHECK_INT(create("t", 1, "retention.msx", "1"), ERROR_INVALID_CONFIG);
    topic_creation creation = {
        .name = "t", .name_len = 1, .partition_count = 1, .replication_factor = 3};
    sluice_error *err = sluice_error_new();
    CHECK_INT(topic_set_create(topics, &creation, NULL, err),
              ERROR_INVALID_REPLICATION_FACTOR);
    CHECK(strstr(sluice_error_text(err), "bootstrap.servers") != NULL);
    CHECK(strstr(sluice_error_text(err), "Apache Kafka") != NULL);
    sluice_error_free(err);
    creation.replication_factor = 1;
    creation.validate_only = true;
    CHECK_INT(topic_set_create(topics, &creation, NULL, NULL), ERROR_NONE);
    CHECK(find("t") == NULL);
    end();
}

TEST(a_deleted_topic_is_gone_and_a_new_one_of_its_name_is_another)
{
    begin(1);
    for (int crash = 0; crash < 2; crash++) {
        CHECK_INT(create("t", 2, NULL, NULL), ERROR_NONE);
        topic *old = find("t");
        record_batch_writer writer;
        fixture_batch(&writer, (batch_spec){.records = 1, .timestamp = NOW});
        partition_append append = {.base = writer.base, .len = writer.size, .acks = 1};
        partition_append_batches(old->partitions[0], &append, 1, NOW);
        CHECK_INT(append.error_code, ERROR_NONE);
        record_batch_writer_done(&writer);
        CHECK_INT(topic_set_delete(topics, "t", 1, NULL), ERROR_NONE);
        CHECK(find("t") == NULL);
        CHECK(topic_set_find_id(topics, &old->id) == NULL);
        CHECK_INT(topic_set_delete(topics, "t", 1, NULL),
                  ERROR_UNKNOWN_TOPIC_OR_PARTITION);
        CHECK_INT(create("t", 1, NULL, NULL), ERROR_NONE);
        topic *young = find("t");
        CHECK(!uuid_equal(&old->id, &young->id));
        CHECK_INT(partition_log_end_offset(young->partitions[0]), 0);
        topic_unref(old);
        topic_unref(young);
        stop(crash);
        open_topics();
        young = find("t");
        CHECK_INT(young->partition_count, 1);
        topic_unref(young);
        CHECK_INT(topic_set_delete(topics, "t", 1, NULL), ERROR_NONE);
        log_dir_remove_deleted(dirs[0]);
    }
    end();
}

/* The log says that it is deleted, but its directory is still there. */
TEST(a_directory_left_by_a_deletion_that_was_cut_short_is_no_obstacle)
{
    begin(1);
    CHECK_INT(create("t", 1, NULL, NULL), ERROR_NONE);
    char *name = memory_print("%s/0/t-0", path),
         *aside = memory_print("%s/aside", path);
    CHECK(rename(name, aside) == 0);
    CHECK_INT(topic_set_delete(topics, "t", 1, NULL), ERROR_NONE);
    CHECK(rename(aside, name) == 0);
    stop(true);
    open_topics();
    CHECK(find("t") == NULL);
    CHECK_INT(create("t", 1, NULL, NULL), ERROR_NONE);
    free(name);
    free(aside);
    end();
}

TEST(partitions_are_added_and_configs_changed)
{
    begin(2);
    CHECK_INT(create("t", 2, "retention.ms", "1"), ERROR_NONE);
    topic *old = find("t");
    CHECK_INT(topic_set_grow(topics, "t", 1, 2, false, NULL), ERROR_INVALID_PARTITIONS);
    CHECK_INT(topic_set_grow(topics, "t", 1, 5, true, NULL), ERROR_NONE);
    CHECK_INT(topic_set_grow(topics, "t", 1, 5, false, NULL), ERROR_NONE);
    config_pair pair = {"segment.bytes", "4000"};
    CHECK_INT(topic_set_configure(topics, "t", 1, &pair, 1, false, NULL), ERROR_NONE);
    topic *now = find("t");
    CHECK_INT(old->partition_count, 2);
    CHECK_INT(now->partition_count, 5);
    CHECK(now->partitions[1] == old->partitions[1]);
    CHECK(topic_config_own(now, "retention.ms") == NULL);
    CHECK_INT(now->config.log.segment_bytes, 4000);
    topic_unref(old);
    topic_unref(now);
    stop(true);
    open_topics();
    now = find("t");
    CHECK_INT(now->partition_count, 5);
    CHECK_INT(now->config.log.segment_bytes, 4000);
    CHECK_INT(now->config.log.retention_ms, 604800000);
    topic_unref(now);
    end();
}

TEST(producer_ids_are_never_given_twice)
{
    begin(1);
    int64_t last = -1;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 1500; i++) {
            int64_t id = topic_set_producer_id(topics);
            CHECK(id > last);
            last = id;
        }
        stop(round % 2);
        open_topics();
    }
    end();
}

static int gone_count;

static void count_gone(void *context, const topic *gone)
{
    gone_count += strcmp(gone->name, context) == 0;
}

TEST(a_deletion_is_told)
{
    begin(1);
    CHECK_INT(create("t", 1, NULL, NULL), ERROR_NONE);
    topic_set_on_delete(topics, count_gone, "t");
    CHECK_INT(topic_set_delete(topics, "t", 1, NULL), ERROR_NONE);
    CHECK_INT(gone_count, 1);
    end();
}

static void *make_topics(void *context)
{
    for (int i = 0; i < 20; i++) {
        char name[30];
        snprintf(name, sizeof(name), "t%d", i);
        int16_t code = create(name, 1, NULL, NULL);
        *(int *)context += code == ERROR_NONE;
        topic_unref(find(name));
    }
    return NULL;
}

TEST(of_those_who_make_the_same_topic_at_once_one_succeeds)
{
    begin(1);
    pthread_t threads[4];
    int made[4] = {0};
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, make_topics, &made[i]);
    }
    int total = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        total += made[i];
    }
    CHECK_INT(total, 20);
    end();
}

TEST_MAIN
