/* Header lists go from one message to the next with the same headers, and to no other.
 */
#include "tests/lib/test.h"
#include "worker/host/kafka_headers.h"
#include <string.h>

#define TEXT(text)                                                                     \
    {                                                                                  \
        text, sizeof text - 1                                                          \
    }

static const kafka_header two[] = {{"origin", TEXT("db")}, {"task", TEXT("0")}};

static void put(kafka_headers *self, rd_kafka_headers_t *list)
{
    kafka_headers_put(self, &list, 1);
}

static bool has(const rd_kafka_headers_t *list, size_t index, const char *name,
                const void *value, size_t len)
{
    const char *found_name;
    const void *found;
    size_t found_len;
    return rd_kafka_header_get_all(list, index, &found_name, &found, &found_len) ==
               RD_KAFKA_RESP_ERR_NO_ERROR &&
           strcmp(found_name, name) == 0 &&
           (value == NULL ? found == NULL
                          : found_len == len && memcmp(found, value, len) == 0);
}

/* Takes a list for `wanted` while one with `two` is spare. */
static void check_right(const kafka_header *wanted, size_t count)
{
    kafka_headers one;
    kafka_headers_init(&one);
    put(&one, kafka_headers_take(&one, two, 2));
    rd_kafka_headers_t *taken = kafka_headers_take(&one, wanted, count);
    CHECK(one.count == 0);
    CHECK(rd_kafka_header_cnt(taken) == count);
    for (size_t i = 0; i < count; i++) {
        CHECK(has(taken, i, wanted[i].name, wanted[i].value.base, wanted[i].value.len));
    }
    rd_kafka_headers_destroy(taken);
    kafka_headers_done(&one);
}

TEST(a_list_that_is_given_back_is_the_next_one_with_the_same_headers)
{
    kafka_headers one;
    kafka_headers_init(&one);
    rd_kafka_headers_t *list = kafka_headers_take(&one, two, 2);
    put(&one, list);
    CHECK(kafka_headers_take(&one, two, 2) == list);
    rd_kafka_headers_t *second = kafka_headers_take(&one, two, 2);
    CHECK(second != list);
    rd_kafka_headers_destroy(list);
    rd_kafka_headers_destroy(second);
    kafka_headers_done(&one);
}

TEST(other_headers_get_a_list_of_their_own)
{
    static const kafka_header other_value[] = {{"origin", TEXT("db")},
                                               {"task", TEXT("1")}};
    static const kafka_header other_name[] = {{"origin", TEXT("db")},
                                              {"tasks", TEXT("0")}};
    static const kafka_header longer[] = {{"origin", TEXT("db")}, {"task", TEXT("00")}};
    static const kafka_header null[] = {{"origin", TEXT("db")}, {"task", {NULL, 0}}};
    static const kafka_header empty[] = {{"origin", TEXT("db")}, {"task", TEXT("")}};
    static const kafka_header more[] = {
        {"origin", TEXT("db")}, {"task", TEXT("0")}, {"task", TEXT("0")}};
    check_right(other_value, 2);
    check_right(other_name, 2);
    check_right(longer, 2);
    check_right(null, 2);
    check_right(empty, 2);
    check_right(more, 3);
    check_right(two, 1);
}

TEST(a_null_and_an_empty_value_are_not_the_same)
{
    static const kafka_header null[] = {{"note", {NULL, 0}}};
    static const kafka_header empty[] = {{"note", TEXT("")}};
    kafka_headers one;
    kafka_headers_init(&one);
    rd_kafka_headers_t *spare = kafka_headers_take(&one, empty, 1);
    put(&one, spare);
    rd_kafka_headers_t *taken = kafka_headers_take(&one, null, 1);
    CHECK(has(taken, 0, "note", NULL, 0));
    put(&one, taken);
    CHECK(kafka_headers_take(&one, null, 1) == taken);
    rd_kafka_headers_destroy(taken);
    kafka_headers_done(&one);
}

TEST(what_is_too_much_is_freed)
{
    enum { lists = 10050, at_a_time = 50 };
    kafka_headers one;
    kafka_headers_init(&one);
    for (int i = 0; i < lists / at_a_time; i++) {
        rd_kafka_headers_t *some[at_a_time];
        for (int j = 0; j < at_a_time; j++) {
            some[j] = rd_kafka_headers_new(1);
        }
        kafka_headers_put(&one, some, at_a_time);
    }
    CHECK(one.count == 10000);
    kafka_headers_trim(&one);
    CHECK(one.count == 0);
    kafka_headers_done(&one);
}

TEST_MAIN
