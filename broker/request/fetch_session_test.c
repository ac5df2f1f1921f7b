/* Fetch sessions without a broker: what is remembered, what is news, who makes place.
 */
#include "broker/request/fetch_session.h"
#include "protocol/error_code.h"
#include "test.h"
#include <stdbool.h>
#include <time.h>

static fetch_sessions *cache;
static sluice_arena *arena;
static int64_t now_ms;
static int version;

static void begin(size_t slots)
{
    cache = fetch_sessions_new(slots, fetch_session_bytes_max);
    arena = sluice_arena_new();
    now_ms = 1000;
    version = 12;
}

static void end(void)
{
    fetch_sessions_free(cache);
    sluice_arena_free(arena);
}

/* A request of one topic. */
typedef struct question {
    fetch_request request;
    fetch_request_topic topic;
    fetch_request_partition *partitions;
    fetch_request_forgotten_topic forgotten;
    int32_t gone[8];
} question;

static question *ask_of(int32_t id, int32_t epoch, const char *topic, int32_t first,
                        int32_t count, int64_t offset)
{
    question *self = sluice_arena_take(arena, sizeof *self);
    fetch_request_init(&self->request);
    self->request.session_id = id;
    self->request.session_epoch = epoch;
    self->partitions =
        sluice_arena_take(arena, (size_t)count * sizeof *self->partitions);
    for (int32_t i = 0; i < count; i++) {
        self->partitions[i] = fetch_request_partition_defaults;
        self->partitions[i].partition = first + i;
        self->partitions[i].fetch_offset = offset;
    }
    self->topic =
        (fetch_request_topic){.topic = message_text_of(topic),
                              .partitions = {self->partitions, (size_t)count}};
    memset(&self->topic.topic_id, topic[0], sizeof self->topic.topic_id);
    self->request.topics.items = &self->topic;
    self->request.topics.count = count > 0 ? 1 : 0;
    return self;
}

static void forget(question *self, const char *topic, int32_t number)
{
    self->gone[0] = number;
    self->forgotten = (fetch_request_forgotten_topic){.topic = message_text_of(topic),
                                                      .partitions = {self->gone, 1}};
    memset(&self->forgotten.topic_id, topic[0], sizeof self->forgotten.topic_id);
    self->request.forgotten_topics_data.items = &self->forgotten;
    self->request.forgotten_topics_data.count = 1;
}

/* What came of a request whose partitions had these watermarks and records. */
typedef struct outcome {
    int16_t code;
    int32_t id;
    fetch_kind kind;
    fetch_wish *wishes;
    fetch_result *results;
    size_t count;
} outcome;

static outcome run(const question *asked, int64_t high_watermark, int32_t busy)
{
    outcome got = {0};
    got.code = fetch_sessions_begin(cache, &asked->request, version, now_ms, &got.kind);
    if (got.code != ERROR_NONE) {
        return got;
    }
    CHECK_INT(fetch_sessions_wishes(cache, &asked->request, got.kind, arena,
                                    &got.wishes, &got.count),
              ERROR_NONE);
    got.results = sluice_arena_take(arena, got.count * sizeof *got.results);
    for (size_t i = 0; i < got.count; i++) {
        got.results[i] =
            (fetch_result){.high_watermark = high_watermark,
                           .bytes = got.wishes[i].partition == busy ? 100 : 0};
    }
    got.code = fetch_sessions_end(cache, &asked->request, version, got.kind, got.wishes,
                                  got.results, got.count, now_ms, &got.id);
    return got;
}

static int32_t open_session(const char *topic, int32_t count)
{
    outcome got = run(ask_of(0, 0, topic, 0, count, 5), 10, -1);
    CHECK_INT(got.code, ERROR_NONE);
    CHECK_INT(got.kind, FETCH_FULL);
    return got.id;
}

static size_t told(const outcome *got)
{
    size_t count = 0;
    for (size_t i = 0; i < got->count; i++) {
        count += got->results[i].told;
    }
    return count;
}

/* ---- Cases ----------------------------------------------------------------------- */

TEST(a_request_without_epoch_begins_no_session)
{
    begin(10);
    outcome got = run(ask_of(0, -1, "t", 0, 2, 0), 10, -1);
    CHECK_INT(got.kind, FETCH_ALONE);
    CHECK_INT(got.id, 0);
    CHECK_INT(told(&got), 2);
    CHECK_INT(fetch_sessions_numbers(cache).sessions, 0);
    end();
}

TEST(a_session_remembers_what_a_request_leaves_out)
{
    begin(10);
    int32_t id = open_session("t", 3);
    CHECK(id > 0);
    outcome got = run(ask_of(id, 1, "t", 0, 0, 0), 10, -1);
    CHECK_INT(got.kind, FETCH_INCREMENTAL);
    CHECK_INT(got.id, id);
    CHECK_INT(got.count, 3);
    for (int32_t i = 0; i < 3; i++) {
        CHECK_INT(got.wishes[i].partition, i);
        CHECK_INT(got.wishes[i].offset, 5);
        CHECK_BYTES(got.wishes[i].topic.base, got.wishes[i].topic.len, "t", 1);
    }
    got = run(ask_of(id, 2, "t", 1, 1, 77), 10, -1);
    CHECK_INT(got.count, 3);
    CHECK_INT(got.wishes[1].offset, 77);
    CHECK_INT(got.wishes[2].offset, 5);
    end();
}

TEST(only_news_is_told)
{
    begin(10);
    int32_t id = open_session("t", 3);
    outcome got = run(ask_of(id, 1, "t", 0, 0, 0), 10, -1);
    CHECK_INT(told(&got), 0);
    got = run(ask_of(id, 2, "t", 0, 0, 0), 10, 1); /* Records. */
    CHECK_INT(told(&got), 1);
    CHECK(got.results[1].told);
    got = run(ask_of(id, 3, "t", 0, 0, 0), 11, -1); /* Another high watermark. */
    CHECK_INT(told(&got), 3);
    got = run(ask_of(id, 4, "t", 0, 0, 0), 11, -1);
    CHECK_INT(told(&got), 0);
    end();
}

TEST(a_moved_log_start_an_error_and_its_end_are_news)
{
    begin(10);
    int32_t id = open_session("t", 1);
    const question *asked = ask_of(id, 1, "t", 0, 0, 0);
    static const fetch_result results[] = {
        {.high_watermark = 10, .log_start_offset = 3},
        {.high_watermark = 10, .log_start_offset = 3},
        {.error_code = ERROR_OFFSET_OUT_OF_RANGE, .high_watermark = -1},
        {.error_code = ERROR_OFFSET_OUT_OF_RANGE, .high_watermark = -1},
        {.high_watermark = 10, .log_start_offset = 0},
        {.high_watermark = 10, .log_start_offset = 0},
        {.high_watermark = 10, .log_start_offset = 0, .diverged = true},
    };
    static const bool wanted[] = {true, false, true, true, true, false, true};
    for (int32_t i = 0; i < 7; i++) {
        fetch_kind kind;
        fetch_wish *wishes;
        size_t count;
        fetch_result result = results[i];
        int32_t got_id;
        ((question *)asked)->request.session_epoch = i + 1;
        CHECK_INT(fetch_sessions_begin(cache, &asked->request, 12, now_ms, &kind), 0);
        CHECK_INT(
            fetch_sessions_wishes(cache, &asked->request, kind, arena, &wishes, &count),
            0);
        CHECK_INT(fetch_sessions_end(cache, &asked->request, 12, kind, wishes, &result,
                                     1, now_ms, &got_id),
                  0);
        CHECK_INT(result.told, wanted[i]);
    }
    end();
}

TEST(what_gave_records_goes_to_the_end_of_the_order)
{
    begin(10);
    int32_t id = open_session("t", 4);
    run(ask_of(id, 1, "t", 0, 0, 0), 10, 1);
    run(ask_of(id, 2, "t", 0, 0, 0), 10, 0);
    outcome got = run(ask_of(id, 3, "t", 0, 0, 0), 10, -1);
    static const int32_t wanted[] = {2, 3, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        CHECK_INT(got.wishes[i].partition, wanted[i]);
    }
    end();
}

TEST(forgotten_partitions_are_gone_and_new_ones_are_there)
{
    begin(10);
    int32_t id = open_session("t", 3);
    question *asked = ask_of(id, 1, "u", 7, 1, 0);
    forget(asked, "t", 1);
    outcome got = run(asked, 10, -1);
    CHECK_INT(got.count, 3);
    CHECK_INT(got.wishes[1].partition, 2);
    CHECK_INT(got.wishes[2].partition, 7);
    CHECK_BYTES(got.wishes[2].topic.base, got.wishes[2].topic.len, "u", 1);
    CHECK(got.results[2].told); /* The client knows nothing of it. */
    CHECK(!got.results[0].told);
    CHECK_INT(fetch_sessions_numbers(cache).partitions, 3);
    end();
}

TEST(a_session_without_partitions_ends)
{
    begin(10);
    int32_t id = open_session("t", 1);
    question *asked = ask_of(id, 1, "t", 0, 0, 0);
    forget(asked, "t", 0);
    outcome got = run(asked, 10, -1);
    CHECK_INT(got.code, ERROR_NONE);
    CHECK_INT(got.id, 0);
    CHECK_INT(got.count, 0);
    CHECK_INT(fetch_sessions_numbers(cache).sessions, 0);
    CHECK_INT(run(ask_of(id, 2, "t", 0, 0, 0), 10, -1).code,
              ERROR_FETCH_SESSION_ID_NOT_FOUND);
    end();
}

TEST(epochs_are_checked)
{
    begin(10);
    int32_t id = open_session("t", 1);
    CHECK_INT(run(ask_of(id ^ 1, 1, "t", 0, 0, 0), 10, -1).code,
              ERROR_FETCH_SESSION_ID_NOT_FOUND);
    CHECK_INT(run(ask_of(id, 2, "t", 0, 0, 0), 10, -1).code,
              ERROR_INVALID_FETCH_SESSION_EPOCH);
    CHECK_INT(run(ask_of(id, 1, "t", 0, 0, 0), 10, -1).code, ERROR_NONE);
    CHECK_INT(run(ask_of(id, 1, "t", 0, 0, 0), 10, -1).code,
              ERROR_INVALID_FETCH_SESSION_EPOCH);
    CHECK_INT(run(ask_of(id, -7, "t", 0, 0, 0), 10, -1).code,
              ERROR_INVALID_FETCH_SESSION_EPOCH);
    CHECK_INT(run(ask_of(id, 2, "t", 0, 0, 0), 10, -1).code, ERROR_NONE);
    end();
}

TEST(names_and_ids_do_not_mix_in_a_session)
{
    begin(10);
    int32_t id = open_session("t", 1);
    version = 13;
    CHECK_INT(run(ask_of(id, 1, "t", 0, 0, 0), 10, -1).code,
              ERROR_FETCH_SESSION_TOPIC_ID_ERROR);
    id = open_session("t", 2);
    outcome got = run(ask_of(id, 1, "t", 1, 1, 9), 10, -1);
    CHECK_INT(got.count, 2);
    CHECK_INT(got.wishes[1].offset, 9);
    CHECK_INT(got.wishes[1].topic_id.bytes[15], 't');
    CHECK_INT(got.wishes[1].topic.len, 0);
    end();
}

TEST(a_full_request_ends_the_session_that_it_names)
{
    begin(10);
    int32_t id = open_session("t", 1);
    outcome got = run(ask_of(id, 0, "t", 0, 2, 0), 10, -1);
    CHECK(got.id > 0 && got.id != id);
    CHECK_INT(fetch_sessions_numbers(cache).sessions, 1);
    got = run(ask_of(got.id, -1, "t", 0, 2, 0), 10, -1);
    CHECK_INT(got.id, 0);
    CHECK_INT(told(&got), 2);
    CHECK_INT(fetch_sessions_numbers(cache).sessions, 0);
    CHECK_INT(fetch_sessions_numbers(cache).bytes, 0);
    end();
}

TEST(a_request_that_waited_while_its_session_went_on_is_told_so)
{
    begin(10);
    int32_t id = open_session("t", 1);
    const question *asked = ask_of(id, 1, "t", 0, 0, 0);
    fetch_kind kind;
    CHECK_INT(fetch_sessions_begin(cache, &asked->request, 12, now_ms, &kind), 0);
    run(ask_of(id, 2, "t", 0, 0, 0), 10, -1);
    fetch_wish *wishes;
    size_t count;
    CHECK_INT(
        fetch_sessions_wishes(cache, &asked->request, kind, arena, &wishes, &count),
        ERROR_INVALID_FETCH_SESSION_EPOCH);
    CHECK_INT(count, 0);
    run(ask_of(id, -1, "t", 0, 0, 0), 10, -1);
    CHECK_INT(
        fetch_sessions_wishes(cache, &asked->request, kind, arena, &wishes, &count),
        ERROR_FETCH_SESSION_ID_NOT_FOUND);
    end();
}

TEST(there_are_no_more_sessions_than_slots)
{
    begin(2);
    CHECK(open_session("t", 1) > 0);
    CHECK(open_session("t", 1) > 0);
    CHECK_INT(open_session("t", 100), 0); /* The others are too young to go. */
    CHECK_INT(fetch_sessions_numbers(cache).sessions, 2);
    end();
    begin(0);
    CHECK_INT(open_session("t", 1), 0);
    end();
}

TEST(a_session_that_rests_for_two_minutes_makes_place)
{
    begin(2);
    int32_t idle = open_session("t", 50), used = open_session("t", 50);
    now_ms += fetch_session_rest_ms;
    CHECK_INT(open_session("t", 50), 0); /* Not yet: it must be longer. */
    CHECK_INT(run(ask_of(used, 1, "t", 0, 0, 0), 10, -1).code, ERROR_NONE);
    now_ms += 1;
    CHECK(open_session("t", 1) > 0); /* A smaller one may too. */
    CHECK_INT(run(ask_of(idle, 1, "t", 0, 0, 0), 10, -1).code,
              ERROR_FETCH_SESSION_ID_NOT_FOUND);
    CHECK_INT(run(ask_of(used, 2, "t", 0, 0, 0), 10, -1).code, ERROR_NONE);
    CHECK_INT(fetch_sessions_numbers(cache).evictions, 1);
    end();
}

TEST(an_old_session_makes_place_for_a_larger_one)
{
    begin(2);
    int32_t large = open_session("t", 9), small = open_session("t", 5);
    for (int32_t epoch = 1; epoch <= 3; epoch++) {
        now_ms += fetch_session_rest_ms / 2 + 1;
        run(ask_of(large, epoch, "t", 0, 0, 0), 10, -1);
        run(ask_of(small, epoch, "t", 0, 0, 0), 10, -1);
    }
    CHECK_INT(open_session("t", 5), 0);
    CHECK(open_session("t", 6) > 0);
    CHECK_INT(run(ask_of(small, 4, "t", 0, 0, 0), 10, -1).code,
              ERROR_FETCH_SESSION_ID_NOT_FOUND);
    CHECK_INT(run(ask_of(large, 4, "t", 0, 0, 0), 10, -1).code, ERROR_NONE);
    CHECK_INT(open_session("t", 8),
              0); /* Smaller than the one, as the other is young. */
    end();
}

TEST(all_sessions_together_stay_within_their_memory)
{
    begin(1000);
    fetch_sessions_free(cache);
    cache = fetch_sessions_new(1000, 64 * 1024);
    int32_t id = open_session("t", 300);
    CHECK(id > 0);
    CHECK_INT(open_session("t", 5000), 0);
    CHECK(fetch_sessions_numbers(cache).bytes <= 64 * 1024);
    CHECK_INT(run(ask_of(id, 1, "t", 0, 5000, 0), 10, -1).code,
              ERROR_FETCH_SESSION_ID_NOT_FOUND);
    CHECK_INT(fetch_sessions_numbers(cache).sessions, 0);
    CHECK_INT(fetch_sessions_numbers(cache).bytes, 0);
    char name[20000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(open_session(name, 1) > 0);
    name[0] = 'm';
    CHECK_INT(open_session(name, 1), 0);
    end();
}

TEST(epochs_go_on_at_1_behind_the_last_number)
{
    CHECK_INT(fetch_session_epoch_after(1), 2);
    CHECK_INT(fetch_session_epoch_after(INT32_MAX - 1), INT32_MAX);
    CHECK_INT(fetch_session_epoch_after(INT32_MAX), 1);
}

/* A model that remembers partitions in a plain array must see the same. */
TEST(a_session_is_the_same_as_a_plain_list_under_random_changes)
{
    enum { numbers = 64, steps = 3000 };
    begin(10);
    static const char *const names[] = {"a", "b", "c"};
    int64_t model[3][numbers];
    memset(model, -1, sizeof model);
    unsigned seed = (unsigned)time(NULL);
    printf("# seed %u\n", seed);
    int32_t id = open_session("z", 1);
    for (int32_t step = 1; step <= steps; step++) {
        int which = rand_r(&seed) % 3;
        int32_t number = rand_r(&seed) % numbers;
        bool removes = rand_r(&seed) % 2 == 0;
        question *asked = ask_of(id, step, names[which], number, removes ? 0 : 1, step);
        if (removes) {
            forget(asked, names[which], number);
        }
        model[which][number] = removes ? -1 : step;
        outcome got = run(asked, 10, number);
        CHECK_INT(got.code, ERROR_NONE);
        size_t wanted = 1, seen = 0;
        for (int i = 0; i < 3 * numbers; i++) {
            wanted += model[i / numbers][i % numbers] >= 0;
        }
        for (size_t i = 0; i < got.count; i++) {
            const fetch_wish *wish = &got.wishes[i];
            char topic = *wish->topic.base;
            seen += topic == 'z' || model[topic - 'a'][wish->partition] == wish->offset;
        }
        CHECK_INT(got.count, wanted);
        CHECK_INT(seen, wanted);
        sluice_arena_reset(arena);
    }
    end();
}

TEST_MAIN
