/* The producer against a mock cluster: order, partitions, and what is refused. */
#include "base/memory.h"
#include "base/text.h"
#include "worker/host/kafka_client.h"
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <test.h>

enum { patience_ms = 90 * 1000, text_size = 64, deliveries_max = 4096 };

static rd_kafka_t *client;
static rd_kafka_mock_cluster_t *cluster;
static kafka_producer *producer;
static sluice_error *err;

static void begin(int partitions, const char *name, const char *value)
{
    client = rd_kafka_new(RD_KAFKA_PRODUCER, NULL, NULL, 0);
    cluster = rd_kafka_mock_cluster_new(client, 1);
    CHECK(cluster != NULL);
    rd_kafka_mock_topic_create(cluster, "t", partitions, 1);
    err = sluice_error_new();
    sluice_props *settings = sluice_props_new();
    sluice_props_set(settings, "bootstrap.servers",
                     rd_kafka_mock_cluster_bootstraps(cluster));
    if (name != NULL) {
        sluice_props_set(settings, name, value);
    }
    CHECK_INT(kafka_producer_new(settings, &producer, err), SLUICE_OK);
    sluice_props_free(settings);
}

static void end(void)
{
    kafka_producer_free(producer);
    sluice_error_free(err);
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
}

/* --- Messages with a number each. --- */

typedef struct numbered {
    kafka_message *list;
    char (*texts)[text_size];
    size_t count;
} numbered;

static numbered numbered_new(size_t count, const char *const *keys)
{
    numbered all = {memory_zero(count * sizeof *all.list), malloc(count * text_size),
                    count};
    kafka_topic *topic = kafka_producer_topic(producer, "t", NULL);
    for (size_t i = 0; i < count; i++) {
        int len = snprintf(all.texts[i], text_size, "%zu", i);
        const char *key = keys == NULL ? NULL : keys[i];
        all.list[i] = (kafka_message){.topic = topic,
                                      .partition = -1,
                                      .timestamp = -1,
                                      .key = {key, key == NULL ? 0 : strlen(key)},
                                      .value = {all.texts[i], (size_t)len},
                                      .opaque = &all.list[i]};
    }
    return all;
}

static void numbered_done(numbered *all)
{
    free(all->list);
    free(all->texts);
}

static size_t delivered_count, failed_count;

static void delivered(void *context, void *opaque, size_t count)
{
    delivered_count += count;
}

static void failed(void *context, void *opaque, const char *topic, int32_t partition,
                   const char *reason)
{
    failed_count++;
}

static const kafka_delivery_ops ops = {.delivered = delivered, .failed = failed};

static void await_deliveries(size_t count)
{
    while (delivered_count + failed_count < count) {
        struct pollfd ready = {.fd = kafka_producer_fd(producer), .events = POLLIN};
        CHECK(poll(&ready, 1, patience_ms) == 1);
        kafka_producer_serve(producer, &ops, NULL);
    }
}

/* Hands all over; those that are refused are passed over, and counted. */
static size_t produce_all(numbered *all, kafka_lane lane)
{
    size_t refused = 0;
    delivered_count = failed_count = 0;
    for (size_t at = 0; at < all->count;) {
        size_t taken;
        sluice_status status =
            kafka_produce(producer, lane, &all->list[at], all->count - at, &taken, err);
        at += taken;
        if (status == SLUICE_RETRY) {
            await_deliveries(delivered_count + failed_count + 1);
        } else if (status != SLUICE_OK) {
            CHECK_INT(status, SLUICE_BAD_RECORD);
            refused++;
            at++;
        }
    }
    await_deliveries(all->count - refused);
    CHECK_INT(failed_count, 0);
    return refused;
}

/* --- What is in the log. --- */

typedef struct reader {
    rd_kafka_t *client;
} reader;

static reader reader_new(int partitions)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
    rd_kafka_conf_set(conf, "group.id", "reader", NULL, 0);
    reader self = {rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0)};
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++) {
        rd_kafka_topic_partition_list_add(list, "t", i)->offset = 0;
    }
    rd_kafka_assign(self.client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return self;
}

/* The number of the next record; its partition to `ret_partition`. */
static size_t reader_next(reader *self, int32_t *ret_partition)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(self->client, patience_ms);
    CHECK(message != NULL);
    CHECK_INT(message->err, 0);
    uint64_t number;
    CHECK(text_to_uint64_of(message->payload, message->len, &number));
    *ret_partition = message->partition;
    rd_kafka_message_destroy(message);
    return number;
}

static void reader_done(reader *self)
{
    rd_kafka_consumer_close(self->client);
    rd_kafka_destroy(self->client);
}

static void expect_in_order(size_t count, size_t missing)
{
    reader from = reader_new(1);
    for (size_t i = 0; i < count; i++) {
        int32_t partition;
        if (i != missing) {
            CHECK_INT(reader_next(&from, &partition), i);
        }
    }
    reader_done(&from);
}

TEST(records_of_a_topic_with_one_partition_stay_in_order_in_both_lanes)
{
    for (int lane = KAFKA_QUICK; lane <= KAFKA_BULK; lane++) {
        begin(1, NULL, NULL);
        numbered all = numbered_new(3000, NULL);
        CHECK_INT(produce_all(&all, (kafka_lane)lane), 0);
        expect_in_order(3000, SIZE_MAX);
        end();
        numbered_done(&all);
    }
}

TEST(records_with_and_without_timestamps_and_headers_stay_in_order)
{
    begin(1, NULL, NULL);
    numbered all = numbered_new(1000, NULL);
    kafka_header header = {"h", {"x", 1}};
    for (size_t i = 0; i < all.count; i++) {
        all.list[i].timestamp = i % 7 == 0 ? 1000 : -1;
        all.list[i].headers = &header;
        all.list[i].header_count = i % 11 == 0;
    }
    CHECK_INT(produce_all(&all, KAFKA_BULK), 0);
    expect_in_order(1000, SIZE_MAX);
    end();
    numbered_done(&all);
}

TEST(a_full_queue_takes_the_front_and_the_rest_in_order_later)
{
    begin(1, "buffer.memory", "2048"); /* Of about 2,900 bytes. */
    numbered all = numbered_new(1000, NULL);
    CHECK_INT(produce_all(&all, KAFKA_BULK), 0);
    expect_in_order(1000, SIZE_MAX);
    end();
    numbered_done(&all);
}

TEST(a_record_that_is_too_large_is_refused_alone)
{
    enum { large = 2 * 1024 * 1024, at = 500 };
    begin(1, NULL, NULL);
    numbered all = numbered_new(1000, NULL);
    char *value = memory_zero(large);
    all.list[at].value = (sluice_bytes){value, large};
    CHECK_INT(produce_all(&all, KAFKA_BULK), 1);
    expect_in_order(1000, at);
    end();
    numbered_done(&all);
    free(value);
}

TEST(a_partition_that_is_asked_for_is_used)
{
    begin(3, NULL, NULL);
    numbered all = numbered_new(900, NULL);
    for (size_t i = 0; i < all.count; i++) {
        all.list[i].partition = (int32_t)(i / 300);
    }
    CHECK_INT(produce_all(&all, KAFKA_QUICK), 0);
    reader from = reader_new(3);
    for (size_t i = 0; i < all.count; i++) {
        int32_t partition;
        size_t number = reader_next(&from, &partition);
        CHECK_INT(partition, number / 300);
    }
    reader_done(&from);
    end();
    numbered_done(&all);
}

/* Keys, and the partition of five that Java's murmur2 of them gives. */
static const struct {
    const char *key;
    int32_t partition;
} java[] = {{"21", 0},
            {"foobar", 1},
            {"a-little-bit-long-string", 2},
            {"a-little-bit-longer-string", 4},
            {"abc", 2}};

TEST(a_key_decides_the_partition_as_in_java)
{
    enum { keys = sizeof java / sizeof *java, count = 40 * keys };
    const char *key_of[count];
    for (int i = 0; i < count; i++) {
        key_of[i] = java[i % keys].key;
    }
    begin(5, NULL, NULL);
    numbered all = numbered_new(count, key_of);
    CHECK_INT(produce_all(&all, KAFKA_QUICK), 0);
    reader from = reader_new(5);
    for (size_t i = 0; i < all.count; i++) {
        int32_t partition;
        size_t number = reader_next(&from, &partition);
        CHECK_INT(partition, java[number % keys].partition);
    }
    reader_done(&from);
    end();
    numbered_done(&all);
}

TEST(records_without_a_key_stay_together_and_all_partitions_get_some)
{
    enum { partitions = 3, count = 100, bursts_max = 2000 };
    bool seen[partitions] = {false};
    begin(partitions, NULL, NULL);
    reader from = reader_new(partitions);
    int bursts = 0, changes = 0, known = 0;
    for (; bursts < bursts_max && known < partitions; bursts++) {
        numbered all = numbered_new(count, NULL);
        CHECK_INT(produce_all(&all, KAFKA_QUICK), 0);
        int32_t last = -1;
        for (size_t i = 0; i < all.count; i++) {
            int32_t partition;
            reader_next(&from, &partition);
            changes += last >= 0 && partition != last;
            last = partition;
            known += !seen[partition];
            seen[partition] = true;
        }
        numbered_done(&all);
    }
    CHECK_INT(known, partitions);
    CHECK(changes < bursts * count / 2); /* By chance it would be two thirds. */
    reader_done(&from);
    end();
}

TEST(records_with_ignored_keys_come_to_all_partitions)
{
    enum { partitions = 2, bursts_max = 2000 };
    bool seen[partitions] = {false};
    begin(partitions, "partitioner.class",
          "org.apache.kafka.clients.producer.RoundRobinPartitioner");
    reader from = reader_new(partitions);
    for (int i = 0; i < bursts_max && !(seen[0] && seen[1]); i++) {
        const char *key = "abc";
        int32_t partition;
        numbered all = numbered_new(1, &key);
        CHECK_INT(produce_all(&all, KAFKA_QUICK), 0);
        reader_next(&from, &partition);
        seen[partition] = true;
        numbered_done(&all);
    }
    CHECK(seen[0] && seen[1]);
    reader_done(&from);
    end();
}

/* Whether a producer with this setting delivers. */
static bool delivers_with(const char *name, const char *value)
{
    begin(1, name, value);
    numbered all = numbered_new(10, NULL);
    bool refused = produce_all(&all, KAFKA_QUICK) != 0;
    numbered_done(&all);
    end();
    return !refused;
}

TEST(settings_that_exclude_idempotence_turn_it_off)
{
    CHECK(delivers_with("acks", "1"));
    CHECK(delivers_with("acks", "0"));
    CHECK(delivers_with("retries", "0"));
    CHECK(delivers_with("max.in.flight.requests.per.connection", "6"));
    CHECK(delivers_with("enable.idempotence", "false"));
    CHECK(delivers_with("acks", "-1"));
}

TEST(idempotence_that_is_asked_for_is_not_turned_off)
{
    sluice_props *settings = sluice_props_new();
    sluice_props_set(settings, "bootstrap.servers", "127.0.0.1:1");
    sluice_props_set(settings, "enable.idempotence", "true");
    sluice_props_set(settings, "acks", "1");
    err = sluice_error_new();
    CHECK_INT(kafka_producer_new(settings, &producer, err), SLUICE_BAD_CONFIG);
    sluice_error_free(err);
    sluice_props_free(settings);
}

TEST_MAIN
