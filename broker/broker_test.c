/* A whole broker in this process, asked over TCP with the codec: every API at every
 * version, and the answers that clients depend on. */
#include "broker/in_process.h"
#include "broker/log/record_batch.h"
#include "broker/request/handler.h"
#include "protocol/random_message.h"
#include <poll.h>
#include <sluice/log.h>
#include <time.h>
#include <unistd.h>

/* ---- What is asked again and again ------------------------------------------------
 */

static produce_response produce(int fd, const char *topic_name, int32_t number,
                                const char *value, int version)
{
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    record_batch_writer_add(&writer, 1700000000000, (sluice_bytes){NULL, 0},
                            (sluice_bytes){value, strlen(value)});
    record_batch_writer_finish(&writer);
    produce_request_partition asked_partition = {
        .index = number, .records = {.base = writer.base, .len = writer.size}};
    produce_request_topic asked_topic = {.name = message_text_of(topic_name),
                                         .partitions = {&asked_partition, 1}};
    produce_request asked = {
        .acks = -1, .timeout_ms = 1000, .topics = {&asked_topic, 1}};
    produce_response got;
    ask(fd, API_PRODUCE, version, &asked, &got);
    record_batch_writer_done(&writer);
    return got;
}

static void send_fetch(int fd, const char *topic_name, int64_t offset,
                       int32_t min_bytes, int32_t max_wait_ms, int version)
{
    fetch_request_partition asked_partition = fetch_request_partition_defaults;
    asked_partition.fetch_offset = offset;
    asked_partition.partition_max_bytes = 1 << 20;
    fetch_request_topic asked_topic = {.topic = message_text_of(topic_name),
                                       .partitions = {&asked_partition, 1}};
    fetch_request asked;
    fetch_request_init(&asked);
    asked.min_bytes = min_bytes;
    asked.max_wait_ms = max_wait_ms;
    asked.topics.items = &asked_topic;
    asked.topics.count = 1;
    send_message(fd, API_FETCH, version, &asked);
}

static fetch_response_partition receive_fetch(int fd, int version)
{
    fetch_response got;
    receive_message(fd, API_FETCH, version, &got);
    CHECK_INT(got.error_code, ERROR_NONE);
    CHECK_INT(got.responses.count, 1);
    CHECK_INT(got.responses.items[0].partitions.count, 1);
    return got.responses.items[0].partitions.items[0];
}

static void check_value(const message_records *records, const char *wanted)
{
    record_reader reader;
    log_record one;
    bool over;
    CHECK(record_reader_init(&reader, records->base, records->len, arena, 1 << 20,
                             NULL) == SLUICE_OK);
    CHECK(record_reader_next(&reader, &one, &over, NULL) == SLUICE_OK && !over);
    CHECK_BYTES(one.value.base, one.value.len, wanted, strlen(wanted));
}

/* ---- Cases ------------------------------------------------------------------------
 */

TEST(every_api_answers_at_every_version_it_is_served_at)
{
    begin();
    int fd = connect_client();
    for (size_t i = 0; i < served_api_count; i++) {
        const served_api *api = &served_apis[i];
        const message_api *shape = message_api_find(api->key);
        for (int version = api->served_min; version <= api->version_max; version++) {
            void *asked = sluice_arena_take(arena, shape->request->body->size);
            void *got = sluice_arena_take(arena, shape->response->body->size);
            memcpy(asked, shape->request->body->defaults, shape->request->body->size);
            if (api->key == API_PRODUCE) {
                ((produce_request *)asked)->acks = 1;
            }
            ask(fd, (api_key)api->key, version, asked, got);
        }
    }
    close(fd);
    end();
}

TEST(an_unknown_version_of_api_versions_is_answered_in_version_0)
{
    begin();
    int fd = connect_client();
    static const uint8_t frame[] = {0, 0, 0, 14, 0, 18,  0, 99, 0,
                                    0, 0, 7, 0,  1, 'c', 0, 0,  0};
    static const uint8_t wanted[] = {0, 0, 0, 16, 0, 0,  0, 7, 0, 35,
                                     0, 0, 0, 1,  0, 18, 0, 0, 0, 4};
    uint8_t got[sizeof wanted];
    CHECK_INT(send(fd, frame, sizeof frame, 0), sizeof frame);
    CHECK_INT(recv(fd, got, sizeof got, MSG_WAITALL), sizeof got);
    CHECK(memcmp(got, wanted, sizeof wanted) == 0);
    close(fd);
    end();
}

TEST(ranges_that_clients_take_for_features_are_advertised)
{
    begin();
    int fd = connect_client();
    api_versions_request asked;
    api_versions_request_init(&asked);
    api_versions_response got;
    ask(fd, API_API_VERSIONS, 3, &asked, &got);
    static const struct {
        api_key key;
        int min, max;
    } wanted[] = {
        {API_PRODUCE, 0, 13},         {API_FETCH, 2, 12},
        {API_LIST_OFFSETS, 0, 7},     {API_METADATA, 0, 12},
        {API_OFFSET_COMMIT, 1, 10},   {API_OFFSET_FETCH, 1, 10},
        {API_FIND_COORDINATOR, 0, 4}, {API_JOIN_GROUP, 0, 6},
        {API_SYNC_GROUP, 0, 3},       {API_HEARTBEAT, 0, 3},
        {API_LEAVE_GROUP, 0, 3},      {API_INIT_PRODUCER_ID, 0, 4},
        {API_DESCRIBE_ACLS, 1, 2},    {API_API_VERSIONS, 0, 4},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        size_t j = 0;
        while (j < got.api_keys.count &&
               got.api_keys.items[j].api_key != (int16_t)wanted[i].key) {
            j++;
        }
        CHECK(j < got.api_keys.count);
        CHECK(got.api_keys.items[j].min_version <= wanted[i].min);
        CHECK(got.api_keys.items[j].max_version >= wanted[i].max);
    }
    close(fd);
    end();
}

TEST(a_batch_is_fetched_as_it_was_produced)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    for (int version = 3; version <= 11; version++) {
        produce_response got = produce(fd, "t", 0, "hello", version);
        produce_response_partition *its =
            &got.responses.items[0].partition_responses.items[0];
        CHECK_INT(its->error_code, ERROR_NONE);
        CHECK_INT(its->base_offset, version - 3);
    }
    for (int version = 4; version <= 12; version++) {
        send_fetch(fd, "t", 8, 1, 1000, version);
        fetch_response_partition its = receive_fetch(fd, version);
        CHECK_INT(its.error_code, ERROR_NONE);
        CHECK_INT(its.high_watermark, 9);
        check_value(&its.records, "hello");
    }
    close(fd);
    end();
}

TEST(topics_are_fetched_by_their_ids_from_version_13_on)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    produce(fd, "t", 0, "by id", 9);
    metadata_request_topic named = {.name = message_text_of("t")};
    metadata_request who = {.topics = {&named, 1}};
    metadata_response metadata;
    ask(fd, API_METADATA, 12, &who, &metadata);
    fetch_request_partition asked_partition = fetch_request_partition_defaults;
    asked_partition.partition_max_bytes = 1 << 20;
    fetch_request_topic asked_topic = {.topic_id = metadata.topics.items[0].topic_id,
                                       .partitions = {&asked_partition, 1}};
    fetch_request asked;
    fetch_request_init(&asked);
    asked.topics.items = &asked_topic;
    asked.topics.count = 1;
    fetch_response got;
    for (int version = 13; version <= 17; version++) {
        ask(fd, API_FETCH, version, &asked, &got);
        check_value(&got.responses.items[0].partitions.items[0].records, "by id");
    }
    asked_topic.topic_id.bytes[3] ^= 1;
    ask(fd, API_FETCH, 13, &asked, &got);
    CHECK_INT(got.responses.items[0].partitions.items[0].error_code,
              ERROR_UNKNOWN_TOPIC_ID);
    close(fd);
    end();
}

TEST(a_fetch_waits_for_what_is_produced_later)
{
    begin();
    int fd = connect_client(), other = connect_client();
    create_topic(other, "t", 1);
    send_fetch(fd, "t", 0, 1, 3600000, 11);
    int32_t fetch_id = correlation;
    produce(other, "t", 0, "late", 9);
    correlation = fetch_id;
    fetch_response_partition its = receive_fetch(fd, 11);
    check_value(&its.records, "late");
    close(fd);
    close(other);
    end();
}

TEST(a_fetch_waits_for_as_many_bytes_as_it_asked_for)
{
    begin();
    int fd = connect_client(), other = connect_client();
    create_topic(other, "t", 1);
    send_fetch(fd, "t", 0, 200, 3600000, 11);
    int32_t fetch_id = correlation;
    for (int i = 0; i < 4; i++) { /* 73 bytes each. */
        produce(other, "t", 0, "12345", 9);
    }
    correlation = fetch_id;
    fetch_response_partition its = receive_fetch(fd, 11);
    CHECK(its.records.len >= 200);
    close(fd);
    close(other);
    end();
}

TEST(a_fetch_without_news_is_answered_empty_when_its_time_is_over)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    send_fetch(fd, "t", 0, 1, 20, 11);
    fetch_response_partition its = receive_fetch(fd, 11);
    CHECK_INT(its.error_code, ERROR_NONE);
    CHECK(its.records.base != NULL && its.records.len == 0);
    close(fd);
    end();
}

TEST(a_parked_fetch_does_not_hinder_the_stop)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    send_fetch(fd, "t", 0, 1, 3600000, 11);
    end();
    char byte;
    CHECK(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

TEST(a_fetch_of_what_is_not_there_says_so_at_once)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    send_fetch(fd, "none", 0, 1, 3600000, 11);
    CHECK_INT(receive_fetch(fd, 11).error_code, ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    send_fetch(fd, "t", 5, 1, 3600000, 11);
    CHECK_INT(receive_fetch(fd, 11).error_code, ERROR_OFFSET_OUT_OF_RANGE);
    close(fd);
    end();
}

TEST(acks_that_do_not_exist_are_refused)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    produce_request_partition asked_partition = {.index = 0};
    produce_request_topic asked_topic = {.name = message_text_of("t"),
                                         .partitions = {&asked_partition, 1}};
    produce_request asked = {.acks = 2, .topics = {&asked_topic, 1}};
    produce_response got;
    ask(fd, API_PRODUCE, 9, &asked, &got);
    CHECK_INT(got.responses.items[0].partition_responses.items[0].error_code,
              ERROR_INVALID_REQUIRED_ACKS);
    close(fd);
    end();
}

TEST(an_error_with_acks_0_closes_the_connection)
{
    begin();
    int fd = connect_client();
    produce_request_partition asked_partition = {.index = 0};
    produce_request_topic asked_topic = {.name = message_text_of("none"),
                                         .partitions = {&asked_partition, 1}};
    produce_request asked = {.acks = 0, .topics = {&asked_topic, 1}};
    send_message(fd, API_PRODUCE, 9, &asked);
    char byte;
    CHECK(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
    end();
}

TEST(records_go_when_their_time_has_come_though_nobody_asks_for_anything)
{
    begin();
    broker_stop(running);
    properties_set(given, "log.message.timestamp.type", "LogAppendTime");
    properties_set(given, "log.retention.ms", "500");
    properties_set(given, "log.retention.check.interval.ms", "10");
    properties_set(given, "log.flush.offset.checkpoint.interval.ms", "10");
    start();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    produce(fd, "t", 0, "goes", 9);
    close(fd);
    char path[128];
    snprintf(path, sizeof path, "%s/t-0/00000000000000000000.log", folder);
    int tries = 0;
    while (access(path, F_OK) == 0 && tries++ < 6000) {
        poll(NULL, 0, 10);
    }
    CHECK(tries < 6000);
    end();
}

TEST(topics_configs_and_ids_survive_a_restart)
{
    begin();
    int fd = connect_client();
    create_topics_request_config config = {.name = message_text_of("retention.ms"),
                                           .value = message_text_of("12345")};
    create_topics_request_topic asked_topic = create_topics_request_topic_defaults;
    asked_topic.name = message_text_of("kept");
    asked_topic.num_partitions = 3;
    asked_topic.replication_factor = 1;
    asked_topic.configs.items = &config;
    asked_topic.configs.count = 1;
    create_topics_request asked = {.topics = {&asked_topic, 1}};
    create_topics_response created;
    ask(fd, API_CREATE_TOPICS, 7, &asked, &created);
    create_topic(fd, "gone", 1);
    message_text name = message_text_of("gone");
    delete_topics_request deletion = {.topic_names = {&name, 1}};
    delete_topics_response deleted;
    ask(fd, API_DELETE_TOPICS, 5, &deletion, &deleted);
    CHECK_INT(deleted.responses.items[0].error_code, ERROR_NONE);
    produce(fd, "kept", 2, "kept", 9);
    close(fd);
    broker_stop(running);
    start();
    fd = connect_client();
    metadata_request everything = {.topics = {NULL, 0}};
    metadata_response metadata;
    ask(fd, API_METADATA, 12, &everything, &metadata);
    CHECK_INT(metadata.topics.count, 2); /* And __consumer_offsets. */
    metadata_response_topic *kept = &metadata.topics.items[1];
    CHECK(message_text_is(kept->name, "kept"));
    CHECK_INT(kept->partitions.count, 3);
    CHECK(memcmp(kept->topic_id.bytes, created.topics.items[0].topic_id.bytes, 16) ==
          0);
    message_text key = message_text_of("retention.ms");
    describe_configs_request_resource resource = {.resource_type = 2,
                                                  .resource_name = kept->name,
                                                  .configuration_keys = {&key, 1}};
    describe_configs_request question = {.resources = {&resource, 1}};
    describe_configs_response configs;
    ask(fd, API_DESCRIBE_CONFIGS, 4, &question, &configs);
    CHECK_INT(configs.results.items[0].configs.count, 1);
    CHECK(message_text_is(configs.results.items[0].configs.items[0].value, "12345"));
    CHECK_INT(configs.results.items[0].configs.items[0].config_source, 1);
    produce_response got = produce(fd, "kept", 2, "more", 9);
    CHECK_INT(got.responses.items[0].partition_responses.items[0].base_offset, 1);
    close(fd);
    end();
}

TEST(configs_are_changed_one_by_one)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    incremental_alter_configs_request_config changes[] = {
        {message_text_of("retention.ms"), 0, message_text_of("5000")},
        {message_text_of("cleanup.policy"), 2, message_text_of("compact")},
    };
    incremental_alter_configs_request_resource resource = {.resource_type = 2,
                                                           .resource_name =
                                                               message_text_of("t"),
                                                           .configs = {changes, 2}};
    incremental_alter_configs_request asked = {.resources = {&resource, 1}};
    incremental_alter_configs_response got;
    ask(fd, API_INCREMENTAL_ALTER_CONFIGS, 1, &asked, &got);
    CHECK_INT(got.responses.items[0].error_code, ERROR_NONE);
    describe_configs_request_resource which = {.resource_type = 2,
                                               .resource_name = message_text_of("t")};
    describe_configs_request question = {.resources = {&which, 1}};
    describe_configs_response configs;
    ask(fd, API_DESCRIBE_CONFIGS, 4, &question, &configs);
    size_t found = 0;
    for (size_t i = 0; i < configs.results.items[0].configs.count; i++) {
        describe_configs_response_config *one =
            &configs.results.items[0].configs.items[i];
        found += message_text_is(one->name, "retention.ms") &&
                 message_text_is(one->value, "5000");
        found += message_text_is(one->name, "cleanup.policy") &&
                 message_text_is(one->value, "delete,compact");
    }
    CHECK_INT(found, 2);
    changes[0].value = message_text_of("soon");
    ask(fd, API_INCREMENTAL_ALTER_CONFIGS, 1, &asked, &got);
    CHECK_INT(got.responses.items[0].error_code, ERROR_INVALID_CONFIG);
    CHECK(message_text_is(got.responses.items[0].error_message,
                          "Invalid value soon for configuration retention.ms: Not a "
                          "number of type LONG"));
    close(fd);
    end();
}

TEST(more_replicas_than_one_are_refused_with_the_way_out)
{
    begin();
    int fd = connect_client();
    create_topics_request_topic asked_topic = create_topics_request_topic_defaults;
    asked_topic.name = message_text_of("t");
    asked_topic.num_partitions = 1;
    asked_topic.replication_factor = 3;
    create_topics_request asked = {.topics = {&asked_topic, 1}};
    create_topics_response got;
    ask(fd, API_CREATE_TOPICS, 7, &asked, &got);
    CHECK_INT(got.topics.items[0].error_code, ERROR_INVALID_REPLICATION_FACTOR);
    char *text = sluice_arena_copy(arena, got.topics.items[0].error_message.base,
                                   got.topics.items[0].error_message.len);
    CHECK(strstr(text, "set bootstrap.servers to an Apache Kafka") != NULL);
    close(fd);
    end();
}

TEST(producer_ids_are_never_given_twice)
{
    begin();
    int64_t last = -1;
    for (int round = 0; round < 3; round++) {
        int fd = connect_client();
        for (int i = 0; i < 5; i++) {
            init_producer_id_request asked;
            init_producer_id_request_init(&asked);
            init_producer_id_response got;
            ask(fd, API_INIT_PRODUCER_ID, 4, &asked, &got);
            CHECK_INT(got.error_code, ERROR_NONE);
            CHECK(got.producer_id > last);
            last = got.producer_id;
        }
        close(fd);
        broker_stop(running);
        start();
    }
    end();
}

TEST(a_second_broker_on_the_same_directory_is_refused)
{
    begin();
    broker *second;
    sluice_error *err = sluice_error_new();
    CHECK(broker_start(given, &second, err) == SLUICE_BAD_CONFIG);
    CHECK(strstr(sluice_error_text(err), folder) != NULL);
    sluice_error_free(err);
    end();
}

/* Each on a connection of its own, which is closed once it is handled. */
static void send_and_leave(const message_api *api, int version, const void *asked)
{
    char bytes[4096];
    output out;
    output_init(&out);
    CHECK(request_encode(api, version, 1, message_text_of("test"), asked, &out, NULL) ==
          SLUICE_OK);
    int fd = connect_client();
    CHECK_INT(send(fd, out.bytes.base, out.bytes.len, MSG_NOSIGNAL), out.bytes.len);
    shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof bytes, 0) > 0) {
    }
    close(fd);
    output_done(&out);
}

TEST(requests_of_nonsense_do_no_harm)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 2);
    random_message chance = {.arena = sluice_arena_new(), .plausible = true};
    uint64_t seed = (uint64_t)time(NULL) * 2654435761u | 1;
    printf("# seed %llu\n", (unsigned long long)seed);
    chance.random = seed;
    for (int i = 0; i < 3000; i++) {
        const served_api *api = &served_apis[random_next(&chance) % served_api_count];
        const message_api *shape = message_api_find(api->key);
        int versions = api->version_max - api->served_min + 1;
        chance.version =
            api->served_min + (int)(random_next(&chance) % (unsigned)versions);
        sluice_arena_reset(chance.arena);
        void *asked = sluice_arena_take(chance.arena, shape->request->body->size);
        random_fill(&chance, shape->request->body, asked);
        send_and_leave(shape, chance.version, asked);
    }
    sluice_arena_free(chance.arena);
    create_topic(fd, "still-here", 1);
    close(fd);
    end();
}

TEST_MAIN
