/* Fetch and its relatives, asked over TCP: sessions, limits, epochs, offsets. */
#include "broker/in_process.h"
#include "broker/log/record_batch.h"
#include <time.h>

enum { many = 1 << 20 };

/* Appends one batch with a value of `size` bytes; its whole length is about 70 more. */
static size_t put(int fd, const char *topic_name, int32_t number, size_t size)
{
    char *value = sluice_arena_take(arena, size);
    memset(value, 'v', size);
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    record_batch_writer_add(&writer, 1700000000000, (sluice_bytes){NULL, 0},
                            (sluice_bytes){value, size});
    record_batch_writer_finish(&writer);
    produce_request_partition one = {
        .index = number, .records = {.base = writer.base, .len = writer.size}};
    produce_request_topic topic_asked = {.name = message_text_of(topic_name),
                                         .partitions = {&one, 1}};
    produce_request asked = {
        .acks = 1, .timeout_ms = 1000, .topics = {&topic_asked, 1}};
    produce_response got;
    ask(fd, API_PRODUCE, 9, &asked, &got);
    CHECK_INT(got.responses.items[0].partition_responses.items[0].error_code, 0);
    size_t bytes = writer.size;
    record_batch_writer_done(&writer);
    return bytes;
}

/* ---- A fetch of one topic's partitions from 0 on --------------------------------- */

typedef struct question {
    fetch_request request;
    fetch_request_topic topic;
    fetch_request_partition partitions[8];
} question;

static void question_init(question *self, const char *topic_name, size_t partitions)
{
    fetch_request_init(&self->request);
    self->topic = (fetch_request_topic){.topic = message_text_of(topic_name),
                                        .partitions = {self->partitions, partitions}};
    for (size_t i = 0; i < partitions; i++) {
        self->partitions[i] = fetch_request_partition_defaults;
        self->partitions[i].partition = (int32_t)i;
        self->partitions[i].partition_max_bytes = many;
    }
    self->request.min_bytes = 1;
    self->request.max_wait_ms = 0;
    self->request.topics.items = &self->topic;
    self->request.topics.count = partitions > 0 ? 1 : 0;
}

static size_t bytes_of(const fetch_response *got, int32_t number)
{
    size_t bytes = 0;
    for (size_t i = 0; i < got->responses.count; i++) {
        const fetch_response_topic *each = &got->responses.items[i];
        for (size_t j = 0; j < each->partitions.count; j++) {
            if (each->partitions.items[j].partition_index == number) {
                bytes += each->partitions.items[j].records.len;
            }
        }
    }
    return bytes;
}

static const fetch_response_partition *only(const fetch_response *got)
{
    CHECK_INT(got->error_code, ERROR_NONE);
    CHECK_INT(got->responses.count, 1);
    CHECK_INT(got->responses.items[0].partitions.count, 1);
    return got->responses.items[0].partitions.items;
}

static message_uuid id_of(int fd, const char *topic_name)
{
    metadata_request_topic named = {.name = message_text_of(topic_name)};
    metadata_request asked = {.topics = {&named, 1}};
    metadata_response got;
    ask(fd, API_METADATA, 12, &asked, &got);
    return got.topics.items[0].topic_id;
}

/* ---- Sessions -------------------------------------------------------------------- */

TEST(an_incremental_fetch_gets_news_only)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 4);
    put(fd, "t", 1, 10);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 4);
    asked.request.session_epoch = 0;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK(got.session_id > 0);
    CHECK_INT(got.responses.items[0].partitions.count, 4);
    int32_t id = got.session_id;
    question_init(&asked, "t", 2); /* The offset of partition 1 goes on. */
    asked.partitions[1].fetch_offset = 1;
    asked.request.session_id = id;
    asked.request.session_epoch = 1;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(got.session_id, id);
    CHECK_INT(got.responses.count, 0);
    put(fd, "t", 3, 10);
    question_init(&asked, "t", 0);
    asked.request.session_id = id;
    asked.request.session_epoch = 2;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(only(&got)->partition_index, 3);
    CHECK_INT(only(&got)->high_watermark, 1);
    asked.request.session_epoch = 2;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(got.error_code, ERROR_INVALID_FETCH_SESSION_EPOCH);
    asked.request.session_epoch = 3;
    asked.request.session_id = id == 1 ? 2 : id - 1;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(got.error_code, ERROR_FETCH_SESSION_ID_NOT_FOUND);
    CHECK_INT(got.session_id, 0);
    CHECK_INT(got.responses.count, 0);
    close(fd);
    end();
}

TEST(a_session_waits_on_all_its_partitions)
{
    begin();
    int fd = connect_client(), other = connect_client();
    create_topic(other, "t", 3);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 3);
    asked.request.session_epoch = 0;
    ask(fd, API_FETCH, 12, &asked.request, &got);
    question again;
    question_init(&again, "t", 0);
    again.request.session_id = got.session_id;
    again.request.session_epoch = 1;
    again.request.max_wait_ms = 3600000;
    send_message(fd, API_FETCH, 12, &again.request);
    int32_t fetch_id = correlation;
    put(other, "t", 2, 10);
    correlation = fetch_id;
    receive_message(fd, API_FETCH, 12, &got);
    CHECK_INT(only(&got)->partition_index, 2);
    CHECK(only(&got)->records.len > 0);
    close(fd);
    close(other);
    end();
}

/* A consumer whose fetch is always on its way. */
typedef struct consumer {
    int fd;
    int32_t correlation, id, epoch;
    int64_t next[4]; /* Offsets. */
    bool moved[4];   /* The session does not know them yet. */
} consumer;

static void consumer_ask(consumer *self)
{
    question asked;
    question_init(&asked, "t", 4);
    size_t count = 0;
    for (int32_t i = 0; i < 4; i++) {
        if (self->moved[i]) {
            asked.partitions[count].partition = i;
            asked.partitions[count++].fetch_offset = self->next[i];
            self->moved[i] = false;
        }
    }
    asked.topic.partitions.count = count;
    asked.request.topics.count = count > 0 ? 1 : 0;
    asked.request.max_wait_ms = 3600000;
    asked.request.session_id = self->id;
    asked.request.session_epoch = self->epoch++;
    send_message(self->fd, API_FETCH, 12, &asked.request);
    self->correlation = correlation;
}

/* Takes the answer, which has one record, of partition `number`. */
static void consumer_take(consumer *self, int32_t number)
{
    fetch_response got;
    int32_t before = correlation;
    correlation = self->correlation;
    receive_message(self->fd, API_FETCH, 12, &got);
    correlation = before;
    const fetch_response_partition *its = only(&got);
    CHECK_INT(its->partition_index, number);
    record_batch_header header;
    CHECK(its->records.len >= RECORD_BATCH_HEADER_SIZE);
    record_batch_read_header(its->records.base, &header);
    CHECK_INT(record_batch_size(&header), its->records.len);
    CHECK_INT(header.base_offset, self->next[number]);
    self->next[number]++;
    self->moved[number] = true;
    CHECK(self->id == 0 || self->id == got.session_id);
    self->id = got.session_id;
}

TEST(consumers_with_sessions_see_each_record_once)
{
    enum { consumers = 6, records = 200 };
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 4);
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    consumer all[consumers] = {0};
    for (size_t i = 0; i < consumers; i++) {
        all[i] = (consumer){.fd = connect_client(), .moved = {true, true, true, true}};
        question asked;
        fetch_response got;
        question_init(&asked, "t", 4);
        asked.request.session_epoch = 0;
        ask(all[i].fd, API_FETCH, 12, &asked.request, &got);
        all[i].id = got.session_id;
        all[i].epoch = 1;
        consumer_ask(&all[i]);
    }
    for (int i = 0; i < records; i++) {
        int32_t number = rand_r(&seed) % 4;
        put(fd, "t", number, (size_t)rand_r(&seed) % 3000);
        for (size_t j = 0; j < consumers; j++) {
            consumer_take(&all[j], number);
            consumer_ask(&all[j]);
        }
        sluice_arena_reset(arena);
    }
    for (size_t i = 0; i < consumers; i++) {
        close(all[i].fd);
    }
    close(fd);
    end();
}

TEST(a_session_by_ids_outlives_a_topic_that_is_deleted)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    question asked;
    fetch_response got;
    question_init(&asked, "", 1);
    asked.topic.topic_id = id_of(fd, "t");
    asked.request.session_epoch = 0;
    ask(fd, API_FETCH, 18, &asked.request, &got);
    CHECK_INT(only(&got)->error_code, ERROR_NONE);
    message_text name = message_text_of("t");
    delete_topics_request deletion = {.topic_names = {&name, 1}};
    delete_topics_response deleted;
    ask(fd, API_DELETE_TOPICS, 5, &deletion, &deleted);
    question again;
    question_init(&again, "", 0);
    again.request.session_id = got.session_id;
    again.request.session_epoch = 1;
    ask(fd, API_FETCH, 18, &again.request, &got);
    CHECK_INT(only(&got)->error_code, ERROR_UNKNOWN_TOPIC_ID);
    again.request.session_epoch = 2;
    ask(fd, API_FETCH, 12, &again.request, &got);
    CHECK_INT(got.error_code, ERROR_FETCH_SESSION_TOPIC_ID_ERROR);
    close(fd);
    end();
}

/* ---- Limits ---------------------------------------------------------------------- */

TEST(the_first_batch_is_given_whole_and_the_others_within_the_limits)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 3);
    size_t one = 0;
    for (int32_t i = 0; i < 3; i++) {
        for (int j = 0; j < 4; j++) {
            one = put(fd, "t", i, 1000);
        }
    }
    static const struct {
        int32_t most, partition_most;
        size_t wanted[3]; /* Batches. */
    } cases[] = {
        {many, many, {4, 4, 4}}, {0, many, {1, 0, 0}},    {many, 0, {1, 0, 0}},
        {1, 1, {1, 0, 0}},       {-5, -5, {1, 0, 0}},     {many, 2500, {2, 2, 2}},
        {2500, many, {2, 0, 0}}, {7000, 3500, {3, 3, 0}}, {5400, many, {4, 1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        question asked;
        fetch_response got;
        question_init(&asked, "t", 3);
        asked.request.max_bytes = cases[i].most;
        for (int32_t j = 0; j < 3; j++) {
            asked.partitions[j].partition_max_bytes = cases[i].partition_most;
        }
        ask(fd, API_FETCH, 11, &asked.request, &got);
        for (int32_t j = 0; j < 3; j++) {
            CHECK_INT(bytes_of(&got, j), cases[i].wanted[j] * one);
        }
    }
    close(fd);
    end();
}

TEST(an_empty_partition_does_not_use_up_the_whole_first_batch)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 3);
    size_t one = put(fd, "t", 1, 1000);
    put(fd, "t", 2, 1000);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 3);
    asked.request.max_bytes = 10;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(bytes_of(&got, 0), 0);
    CHECK_INT(bytes_of(&got, 1), one);
    CHECK_INT(bytes_of(&got, 2), 0);
    close(fd);
    end();
}

/* With the limits of one batch, each partition of a session has its turn. */
TEST(the_partitions_of_a_session_have_their_turns)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 3);
    for (int32_t i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) {
            put(fd, "t", i, 1000);
        }
    }
    question asked;
    fetch_response got;
    question_init(&asked, "t", 3);
    asked.request.max_bytes = 10;
    asked.request.session_epoch = 0;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    asked.request.session_id = got.session_id;
    static const int32_t wanted[] = {0, 1, 2, 0, 1, 2, 0};
    asked.request.topics.count = 0;
    for (int32_t i = 0; i < 7; i++) {
        asked.request.session_epoch = i + 1;
        ask(fd, API_FETCH, 11, &asked.request, &got);
        CHECK_INT(only(&got)->partition_index, wanted[i]);
    }
    close(fd);
    end();
}

TEST(an_answer_of_many_megabytes_arrives_whole)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 2);
    size_t one = 0;
    for (int i = 0; i < 12; i++) {
        one = put(fd, "t", i % 2, 900000);
    }
    question asked;
    fetch_response got;
    question_init(&asked, "t", 2);
    asked.partitions[0].partition_max_bytes = 20 * many;
    asked.partitions[1].partition_max_bytes = 20 * many;
    asked.request.max_bytes = 20 * many;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    for (int32_t i = 0; i < 2; i++) {
        CHECK_INT(bytes_of(&got, i), 6 * one);
        const message_records *records =
            &got.responses.items[0].partitions.items[i].records;
        for (size_t j = 0; j < 6; j++) {
            record_batch_header header;
            record_batch_read_header(records->base + j * one, &header);
            CHECK_INT(header.base_offset, j);
            CHECK_INT(records->base[(j + 1) * one - 2], 'v');
        }
    }
    close(fd);
    end();
}

TEST(min_bytes_beyond_max_bytes_is_max_bytes)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    for (int i = 0; i < 3; i++) {
        put(fd, "t", 0, 1000);
    }
    question asked;
    fetch_response got;
    question_init(&asked, "t", 1);
    asked.request.min_bytes = 100000;
    asked.request.max_bytes = 1500; /* A batch and a part of one, which is not sent. */
    asked.request.max_wait_ms = 3600000;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK(bytes_of(&got, 0) > 1000 && bytes_of(&got, 0) <= 1500);
    close(fd);
    end();
}

TEST(a_fetch_does_not_wait_for_bytes_behind_the_end_of_a_segment)
{
    begin();
    int fd = connect_client();
    create_topics_request_config config = {.name = message_text_of("segment.bytes"),
                                           .value = message_text_of("1048576")};
    create_topics_request_topic made = create_topics_request_topic_defaults;
    made.name = message_text_of("t");
    made.num_partitions = 1;
    made.replication_factor = 1;
    made.configs.items = &config;
    made.configs.count = 1;
    create_topics_request creation = {.topics = {&made, 1}};
    create_topics_response created;
    ask(fd, API_CREATE_TOPICS, 7, &creation, &created);
    CHECK_INT(created.topics.items[0].error_code, ERROR_NONE);
    size_t one = put(fd, "t", 0, 600000);
    put(fd, "t", 0, 600000);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 1);
    asked.partitions[0].partition_max_bytes = 2 * many;
    asked.request.min_bytes = many;
    asked.request.max_wait_ms = 3600000;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(bytes_of(&got, 0), one);
    close(fd);
    end();
}

TEST(what_is_not_there_does_not_hinder_waiting_for_the_rest)
{
    begin();
    int fd = connect_client(), other = connect_client();
    create_topic(other, "t", 1);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 2);
    asked.request.max_wait_ms = 3600000;
    send_message(fd, API_FETCH, 11, &asked.request);
    int32_t fetch_id = correlation;
    put(other, "t", 0, 10);
    correlation = fetch_id;
    receive_message(fd, API_FETCH, 11, &got);
    CHECK(bytes_of(&got, 0) > 0);
    CHECK_INT(got.responses.items[0].partitions.items[1].error_code,
              ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    close(fd);
    close(other);
    end();
}

/* ---- Epochs ---------------------------------------------------------------------- */

TEST(leader_epochs_of_a_fetch_are_checked)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    put(fd, "t", 0, 10);
    close(fd);
    broker_stop(running);
    start(); /* The epoch is 1 now. */
    fd = connect_client();
    question asked;
    fetch_response got;
    question_init(&asked, "", 1);
    asked.topic.topic_id = id_of(fd, "t");
    static const int16_t wanted[] = {ERROR_FENCED_LEADER_EPOCH, ERROR_NONE,
                                     ERROR_UNKNOWN_LEADER_EPOCH};
    for (int32_t epoch = 0; epoch < 3; epoch++) {
        asked.partitions[0].current_leader_epoch = epoch;
        ask(fd, API_FETCH, 18, &asked.request, &got);
        const fetch_response_partition *its = only(&got);
        CHECK_INT(its->error_code, wanted[epoch]);
        CHECK_INT(its->high_watermark, epoch == 1 ? 1 : -1);
        CHECK_INT(its->log_start_offset, epoch == 1 ? 0 : -1);
        CHECK_INT(its->current_leader.leader_epoch, epoch == 0 ? 1 : -1);
        CHECK_INT(got.node_endpoints.count, epoch == 0 ? 1 : 0);
    }
    close(fd);
    end();
}

TEST(a_log_that_went_another_way_is_told_with_its_epoch)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    put(fd, "t", 0, 10);
    put(fd, "t", 0, 10);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 1);
    asked.partitions[0].fetch_offset = 9;
    asked.partitions[0].last_fetched_epoch = 0;
    ask(fd, API_FETCH, 12, &asked.request, &got);
    CHECK_INT(only(&got)->error_code, ERROR_NONE);
    CHECK_INT(only(&got)->diverging_epoch.epoch, 0);
    CHECK_INT(only(&got)->diverging_epoch.end_offset, 2);
    CHECK_INT(only(&got)->records.len, 0);
    asked.partitions[0].fetch_offset = 1;
    ask(fd, API_FETCH, 12, &asked.request, &got);
    CHECK_INT(only(&got)->diverging_epoch.epoch, -1);
    CHECK(only(&got)->records.len > 0);
    asked.partitions[0].last_fetched_epoch = 7;
    ask(fd, API_FETCH, 12, &asked.request, &got);
    CHECK_INT(only(&got)->error_code, ERROR_OFFSET_OUT_OF_RANGE);
    close(fd);
    end();
}

TEST(nobody_is_a_replica)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 1);
    asked.request.replica_id = 1;
    ask(fd, API_FETCH, 12, &asked.request, &got);
    CHECK_INT(only(&got)->error_code, ERROR_NOT_LEADER_OR_FOLLOWER);
    CHECK_INT(only(&got)->current_leader.leader_id, 1);
    close(fd);
    end();
}

TEST(the_isolation_level_decides_whether_aborted_transactions_are_listed)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    put(fd, "t", 0, 10);
    question asked;
    fetch_response got;
    question_init(&asked, "t", 1);
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK(only(&got)->aborted_transactions.items == NULL);
    asked.request.isolation_level = 1;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK(only(&got)->aborted_transactions.items != NULL);
    CHECK_INT(only(&got)->last_stable_offset, 1);
    asked.partitions[0].fetch_offset = 5;
    ask(fd, API_FETCH, 11, &asked.request, &got);
    CHECK_INT(only(&got)->error_code, ERROR_OFFSET_OUT_OF_RANGE);
    CHECK_INT(only(&got)->last_stable_offset, -1);
    CHECK(only(&got)->aborted_transactions.items == NULL);
    close(fd);
    end();
}

/* ---- Offsets --------------------------------------------------------------------- */

static list_offsets_response_partition list_offset(int fd, int version, int64_t time)
{
    list_offsets_request_partition one = list_offsets_request_partition_defaults;
    one.timestamp = time;
    list_offsets_request_topic named = {.name = message_text_of("t"),
                                        .partitions = {&one, 1}};
    list_offsets_request asked;
    list_offsets_request_init(&asked);
    asked.topics.items = &named;
    asked.topics.count = 1;
    list_offsets_response got;
    ask(fd, API_LIST_OFFSETS, version, &asked, &got);
    return got.topics.items[0].partitions.items[0];
}

/* As Apache Kafka 4.1 answered the same questions. */
TEST(special_times_are_known_from_their_versions_on)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    put(fd, "t", 0, 10);
    put(fd, "t", 0, 10);
    static const struct {
        int version;
        int64_t time;
        int16_t code;
        int64_t offset, timestamp;
        int32_t epoch;
    } cases[] = {
        {1, -1, 0, 2, -1, -1},
        {1, -2, 0, 0, -1, -1},
        {1, -3, 35, -1, -1, -1},
        {6, -3, 35, -1, -1, -1},
        {7, -3, 0, 0, 1700000000000, 0},
        {7, -4, 35, -1, -1, -1},
        {8, -4, 0, 0, -1, 0},
        {8, -5, 35, -1, -1, -1},
        {9, -5, 0, -1, -1, -1},
        {10, -6, 35, -1, -1, -1},
        {10, INT64_MIN, 35, -1, -1, -1},
        {10, -1, 0, 2, -1, 0},
        {10, -2, 0, 0, -1, 0},
        {10, 0, 0, 0, 1700000000000, 0},
        {10, INT64_MAX, 0, -1, -1, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        list_offsets_response_partition got =
            list_offset(fd, cases[i].version, cases[i].time);
        CHECK_INT(got.error_code, cases[i].code);
        CHECK_INT(got.offset, cases[i].offset);
        CHECK_INT(got.timestamp, cases[i].timestamp);
        CHECK_INT(got.leader_epoch, cases[i].epoch);
    }
    close(fd);
    end();
}

TEST(a_partition_that_is_asked_for_twice_is_refused_once)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 2);
    list_offsets_request_partition three[3];
    for (int i = 0; i < 3; i++) {
        three[i] = list_offsets_request_partition_defaults;
        three[i].timestamp = -1;
        three[i].partition_index = i == 1;
    }
    list_offsets_request_topic named = {.name = message_text_of("t"),
                                        .partitions = {three, 3}};
    list_offsets_request asked;
    list_offsets_request_init(&asked);
    asked.topics.items = &named;
    asked.topics.count = 1;
    list_offsets_response got;
    ask(fd, API_LIST_OFFSETS, 7, &asked, &got);
    CHECK_INT(got.topics.items[0].partitions.count, 2);
    CHECK_INT(got.topics.items[0].partitions.items[0].error_code,
              ERROR_INVALID_REQUEST);
    CHECK_INT(got.topics.items[0].partitions.items[1].error_code, ERROR_NONE);
    close(fd);
    end();
}

TEST(epochs_end_where_the_next_one_begins)
{
    begin();
    int fd = connect_client();
    create_topic(fd, "t", 1);
    put(fd, "t", 0, 10);
    put(fd, "t", 0, 10);
    close(fd);
    broker_stop(running);
    start();
    fd = connect_client();
    CHECK_INT(list_offset(fd, 10, -1).leader_epoch, 1); /* Nothing has it yet. */
    CHECK_INT(list_offset(fd, 10, -2).leader_epoch, 0);
    put(fd, "t", 0, 10);
    static const struct {
        int32_t asked, epoch;
        int64_t end;
    } cases[] = {{-1, -1, -1}, {0, 0, 2}, {1, 1, 3}, {2, -1, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        offset_for_leader_epoch_request_partition one =
            offset_for_leader_epoch_request_partition_defaults;
        one.leader_epoch = cases[i].asked;
        offset_for_leader_epoch_request_topic named = {.topic = message_text_of("t"),
                                                       .partitions = {&one, 1}};
        offset_for_leader_epoch_request asked;
        offset_for_leader_epoch_request_init(&asked);
        asked.topics.items = &named;
        asked.topics.count = 1;
        offset_for_leader_epoch_response got;
        ask(fd, API_OFFSET_FOR_LEADER_EPOCH, 4, &asked, &got);
        offset_for_leader_epoch_response_partition *its =
            got.topics.items[0].partitions.items;
        CHECK_INT(its->error_code, ERROR_NONE);
        CHECK_INT(its->leader_epoch, cases[i].epoch);
        CHECK_INT(its->end_offset, cases[i].end);
    }
    close(fd);
    end();
}

TEST_MAIN
