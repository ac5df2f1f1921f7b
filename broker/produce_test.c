/* broker/produce_test.c - Produce over a socket: what a version may do, what is
 * answered to batches that cannot be stored, idempotent producers. */
#include "broker/in_process.h"
#include "broker/log/record_batch.h"
#include "broker/request/handler.h"

static int64_t now_ms(void)
{
    return loop_wall_ms();
}

typedef struct sent_batch {
    int records;
    int64_t timestamp; /* 0: now. */
    int64_t producer_id;
    int16_t epoch;
    int32_t sequence;
    int16_t attributes;
    bool keyless; /* Every second record. */
} sent_batch;

static void make(record_batch_writer *writer, sent_batch what)
{
    record_batch_header header = {
        .producer_id = -1, .producer_epoch = -1, .base_sequence = -1};
    if (what.producer_id > 0) {
        header.producer_id = what.producer_id;
        header.producer_epoch = what.epoch;
        header.base_sequence = what.sequence;
    }
    header.attributes = what.attributes;
    record_batch_writer_init(writer, &header);
    for (int i = 0; i < what.records; i++) {
        sluice_bytes key = {what.keyless && i % 2 == 1 ? NULL : "key", 3};
        if (key.base == NULL) {
            key.len = 0;
        }
        record_batch_writer_add(writer, what.timestamp == 0 ? now_ms() : what.timestamp,
                                key, (sluice_bytes){"value", 5});
    }
    record_batch_writer_finish(writer);
}

static void send_batch(int fd, int version, const char *name, const message_uuid *id,
                       int16_t acks, sent_batch what)
{
    record_batch_writer writer;
    make(&writer, what);
    produce_request_partition one = {.records = {writer.base, writer.size, NULL, 0}};
    produce_request_topic its = {.name = message_text_of(name),
                                 .partitions = {&one, 1}};
    if (id != NULL) {
        its.topic_id = *id;
    }
    produce_request asked = {.acks = acks, .timeout_ms = 1000, .topics = {&its, 1}};
    send_message(fd, API_PRODUCE, version, &asked);
    record_batch_writer_done(&writer);
}

static produce_response_partition produce(int fd, int version, const char *name,
                                          sent_batch what)
{
    produce_response got;
    send_batch(fd, version, name, NULL, -1, what);
    receive_message(fd, API_PRODUCE, version, &got);
    CHECK_INT(got.responses.count, 1);
    CHECK_INT(got.responses.items[0].partition_responses.count, 1);
    return got.responses.items[0].partition_responses.items[0];
}

static void create_with(int fd, const char *name, const char *key, const char *value)
{
    create_topics_request_config config = {.name = message_text_of(key),
                                           .value = message_text_of(value)};
    create_topics_request_topic one = create_topics_request_topic_defaults;
    one.name = message_text_of(name);
    one.num_partitions = 1;
    one.replication_factor = -1;
    one.configs.items = &config;
    one.configs.count = 1;
    create_topics_request asked = {.topics = {&one, 1}, .timeout_ms = 1000};
    create_topics_response got;
    ask(fd, API_CREATE_TOPICS, 7, &asked, &got);
    CHECK_INT(got.topics.items[0].error_code, ERROR_NONE);
}

static message_uuid id_of(int fd, const char *name)
{
    metadata_request_topic one = {.name = message_text_of(name)};
    metadata_request asked = {.topics = {&one, 1}};
    metadata_response got;
    ask(fd, API_METADATA, 12, &asked, &got);
    CHECK_INT(got.topics.items[0].error_code, ERROR_NONE);
    return got.topics.items[0].topic_id;
}

static int16_t code_by_id(int fd, const message_uuid *id)
{
    produce_response got;
    send_batch(fd, 13, NULL, id, 1, (sent_batch){.records = 1});
    receive_message(fd, API_PRODUCE, 13, &got);
    CHECK_INT(got.responses.count, 1);
    CHECK(memcmp(&got.responses.items[0].topic_id, id, sizeof *id) == 0);
    return got.responses.items[0].partition_responses.items[0].error_code;
}

/* ---- Versions -------------------------------------------------------------------- */

TEST(every_version_stores_a_batch)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    for (int version = 3; version <= 12; version++) {
        produce_response_partition got =
            produce(fd, version, "t", (sent_batch){.records = 2});
        CHECK_INT(got.error_code, ERROR_NONE);
        CHECK_INT(got.base_offset, 2 * (version - 3));
    }
    close(fd);
    end();
}

TEST(from_version_13_on_topics_are_named_by_their_ids)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    message_uuid id = id_of(fd, "t"), zero = {{0}}, other = {{1, 2, 3}};
    CHECK_INT(code_by_id(fd, &id), ERROR_NONE);
    CHECK_INT(code_by_id(fd, &other), ERROR_UNKNOWN_TOPIC_ID);
    CHECK_INT(code_by_id(fd, &zero), ERROR_UNKNOWN_TOPIC_ID);
    CHECK_INT(produce(fd, 12, "not there", (sent_batch){.records = 1}).error_code,
              ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    close(fd);
    end();
}

TEST(zstd_needs_version_7)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    sent_batch what = {.records = 1, .attributes = COMPRESSION_ZSTD};
    CHECK_INT(produce(fd, 6, "t", what).error_code, ERROR_UNSUPPORTED_COMPRESSION_TYPE);
    CHECK_INT(produce(fd, 7, "t", what).error_code,
              ERROR_INVALID_RECORD); /* No zstd. */
    close(fd);
    end();
}

TEST(a_transactional_batch_is_refused_for_good)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    sent_batch what = {
        .records = 1, .producer_id = 9, .attributes = RECORD_BATCH_TRANSACTIONAL};
    CHECK_INT(produce(fd, 9, "t", what).error_code,
              ERROR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    close(fd);
    end();
}

/* Small batches wait for the end of a round, large ones do not. */
TEST(batches_of_one_connection_keep_their_order_whatever_their_size)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    enum { BATCHES = 50 };
    int64_t offset = 0;
    int32_t sequence = 0, first = correlation + 1;
    for (int i = 0; i < BATCHES; i++) {
        sent_batch what = {.records = i % 3 == 1 ? 1000 : i % 5 + 1,
                           .producer_id = 5,
                           .sequence = sequence};
        sequence += what.records;
        send_batch(fd, 9, "t", NULL, i % 2 == 0 ? 1 : -1, what);
    }
    for (int i = 0; i < BATCHES; i++) {
        produce_response got;
        correlation = first + i;
        receive_message(fd, API_PRODUCE, 9, &got);
        produce_response_partition *its =
            &got.responses.items[0].partition_responses.items[0];
        CHECK_INT(its->error_code, ERROR_NONE);
        CHECK_INT(its->base_offset, offset);
        offset += i % 3 == 1 ? 1000 : i % 5 + 1;
    }
    close(fd);
    end();
}

TEST(batches_of_many_connections_for_many_partitions_get_an_offset_each)
{
    begin();
    int fds[40];
    bool seen[40] = {false};
    fds[0] = connect_client();
    create_topic(fds[0], "t", 1);
    create_topic(fds[0], "u", 1);
    for (int i = 1; i < 40; i++) {
        fds[i] = connect_client();
    }
    for (int i = 0; i < 40; i++) {
        send_batch(fds[i], 9, i % 2 == 0 ? "t" : "u", NULL, 1,
                   (sent_batch){.records = 1});
    }
    for (int i = 0; i < 40; i++) {
        produce_response got;
        correlation -= i == 0 ? 39 : -1;
        receive_message(fds[i], API_PRODUCE, 9, &got);
        int64_t offset =
            got.responses.items[0].partition_responses.items[0].base_offset;
        CHECK(offset >= 0 && offset < 20);
        CHECK(!seen[2 * offset + i % 2]);
        seen[2 * offset + i % 2] = true;
        close(fds[i]);
    }
    end();
}

/* ---- Records --------------------------------------------------------------------- */

TEST(records_that_are_to_blame_are_listed_from_version_8_on)
{
    begin();
    int fd = connect_client();
    create_with(fd, "compacted", "cleanup.policy", "compact");
    sent_batch what = {.records = 6, .keyless = true};
    produce_response_partition got = produce(fd, 9, "compacted", what);
    CHECK_INT(got.error_code, ERROR_INVALID_RECORD);
    CHECK_INT(got.base_offset, -1);
    CHECK_INT(got.log_start_offset, 0);
    CHECK_INT(got.record_errors.count, 3);
    for (int32_t i = 0; i < 3; i++) {
        CHECK_INT(got.record_errors.items[i].batch_index, 2 * i + 1);
        CHECK(got.record_errors.items[i].batch_index_error_message.len > 0);
    }
    CHECK(got.error_message.len > 0);
    CHECK_INT(produce(fd, 7, "compacted", what).error_code, ERROR_INVALID_RECORD);
    what.keyless = false;
    CHECK_INT(produce(fd, 9, "compacted", what).base_offset, 0);
    close(fd);
    end();
}

TEST(a_timestamp_of_the_day_after_tomorrow_is_refused_as_kafka_does)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    create_with(fd, "stamped", "message.timestamp.type", "LogAppendTime");
    sent_batch what = {.records = 1, .timestamp = now_ms() + 2 * 86400000};
    produce_response_partition got = produce(fd, 9, "t", what);
    CHECK_INT(got.error_code, ERROR_INVALID_TIMESTAMP);
    CHECK_INT(got.record_errors.count, 1);
    int64_t before = now_ms();
    got = produce(fd, 9, "stamped", what);
    CHECK_INT(got.error_code, ERROR_NONE);
    CHECK(got.log_append_time_ms >= before && got.log_append_time_ms <= now_ms());
    close(fd);
    end();
}

TEST(more_in_sync_replicas_than_one_node_has_are_missed_with_acks_all_only)
{
    begin();
    int fd = connect_client();
    create_with(fd, "safe", "min.insync.replicas", "2");
    sent_batch what = {.records = 1};
    CHECK_INT(produce(fd, 9, "safe", what).error_code, ERROR_NOT_ENOUGH_REPLICAS);
    produce_response got;
    send_batch(fd, 9, "safe", NULL, 1, what);
    receive_message(fd, API_PRODUCE, 9, &got);
    CHECK_INT(got.responses.items[0].partition_responses.items[0].error_code,
              ERROR_NONE);
    close(fd);
    end();
}

TEST(a_batch_above_max_message_bytes_is_too_large)
{
    begin();
    int fd = connect_client();
    create_with(fd, "small", "max.message.bytes", "100");
    CHECK_INT(produce(fd, 9, "small", (sent_batch){.records = 9}).error_code,
              ERROR_MESSAGE_TOO_LARGE);
    CHECK_INT(produce(fd, 9, "small", (sent_batch){.records = 1}).error_code,
              ERROR_NONE);
    close(fd);
    end();
}

/* ---- Idempotence ----------------------------------------------------------------- */

static produce_response_partition produce_as(int fd, int16_t epoch, int32_t sequence,
                                             int records)
{
    return produce(fd, 9, "t",
                   (sent_batch){.records = records,
                                .producer_id = 4242,
                                .epoch = epoch,
                                .sequence = sequence});
}

TEST(each_of_the_last_five_batches_sent_again_gets_its_own_offset)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    for (int i = 0; i < 6; i++) {
        CHECK_INT(produce_as(fd, 0, 3 * i, 3).base_offset, 3 * i);
    }
    for (int i = 1; i < 6; i++) {
        produce_response_partition got = produce_as(fd, 0, 3 * i, 3);
        CHECK_INT(got.error_code, ERROR_NONE);
        CHECK_INT(got.base_offset, 3 * i);
    }
    CHECK_INT(produce_as(fd, 0, 0, 3).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(produce_as(fd, 0, 18, 1).base_offset, 18); /* Nothing was stored twice. */
    close(fd);
    end();
}

TEST(gaps_overlaps_and_old_epochs_are_told_apart)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    CHECK_INT(produce_as(fd, 1, 0, 2).error_code, ERROR_NONE);
    CHECK_INT(produce_as(fd, 1, 3, 1).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(produce_as(fd, 1, 1, 2).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(produce_as(fd, 1, 0, 1).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(produce_as(fd, 0, 2, 1).error_code, ERROR_INVALID_PRODUCER_EPOCH);
    CHECK_INT(produce_as(fd, 2, 2, 1).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(produce_as(fd, 2, 0, 1).base_offset, 2);
    close(fd);
    end();
}

TEST(sequences_go_on_at_0_behind_the_largest)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    CHECK_INT(produce_as(fd, 0, INT32_MAX, 3).base_offset, 0); /* Its last is 1. */
    CHECK_INT(produce_as(fd, 0, 2, 1).base_offset, 3);
    CHECK_INT(produce_as(fd, 0, INT32_MAX, 3).base_offset, 0);
    close(fd);
    end();
}

TEST(sequences_survive_a_restart)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    CHECK_INT(produce_as(fd, 0, 0, 2).base_offset, 0);
    CHECK_INT(produce_as(fd, 0, 2, 2).base_offset, 2);
    close(fd);
    broker_stop(running);
    start();
    fd = connect_client();
    CHECK_INT(produce_as(fd, 0, 2, 2).base_offset, 2); /* Kafka's snapshots have one. */
    CHECK_INT(produce_as(fd, 0, 9, 1).error_code, ERROR_OUT_OF_ORDER_SEQUENCE_NUMBER);
    CHECK_INT(produce_as(fd, 0, 4, 1).base_offset, 4);
    close(fd);
    end();
}

TEST_MAIN
