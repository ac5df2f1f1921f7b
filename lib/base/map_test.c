/* Maps: against a plain list as the model, and the promised order. */
#include "map.h"
#include "memory.h"
#include "test.h"

TEST(an_empty_map_answers)
{
    map m = MAP_INIT;
    size_t at = 0;
    CHECK(map_get_text(&m, "x") == NULL);
    CHECK(map_remove_text(&m, "x") == NULL);
    CHECK(map_next(&m, &at) == NULL);
    map_done(&m);
}

TEST(keys_are_bytes_and_may_be_empty_or_hold_nul)
{
    map m = MAP_INIT;
    int one, two, three;
    map_put(&m, "a\0b", 3, &one);
    map_put(&m, "a", 1, &two);
    map_put(&m, NULL, 0, &three);
    CHECK(map_get(&m, "a\0b", 3) == &one);
    CHECK(map_get(&m, "a", 1) == &two);
    CHECK(map_get(&m, "", 0) == &three);
    CHECK_INT(map_count(&m), 3);
    map_done(&m);
}

TEST(iteration_follows_the_first_put)
{
    map m = MAP_INIT;
    char value[1];
    const char *keys[] = {"c", "a", "d", "b"};
    for (size_t i = 0; i < 4; i++) {
        map_put_text(&m, keys[i], value);
    }
    CHECK(map_put_text(&m, "c", value) == value);
    map_remove_text(&m, "a");
    map_put_text(&m, "a", value);
    const char *wanted[] = {"c", "d", "b", "a"};
    size_t at = 0, i = 0;
    for (const map_entry *entry; (entry = map_next(&m, &at)) != NULL; i++) {
        CHECK_TEXT(entry->key, wanted[i]);
    }
    CHECK_INT(i, 4);
    map_done(&m);
}

TEST(ten_thousand_puts_and_removes_agree_with_a_plain_array)
{
    enum { keys = 1000 };
    static int values[keys];
    void *model[keys] = {0};
    size_t count = 0;
    map m = MAP_INIT;
    uint32_t random = 1;
    for (int step = 0; step < 10000; step++) {
        random = random * 1664525 + 1013904223;
        size_t key = (random >> 8) % keys;
        char text[16];
        snprintf(text, sizeof text, "key-%zu", key);
        if (random >> 31) {
            CHECK(map_put_text(&m, text, &values[key]) == model[key]);
            count += model[key] == NULL;
            model[key] = &values[key];
        } else {
            CHECK(map_remove_text(&m, text) == model[key]);
            count -= model[key] != NULL;
            model[key] = NULL;
        }
        CHECK_INT(map_count(&m), count);
    }
    for (size_t key = 0; key < keys; key++) {
        char text[16];
        snprintf(text, sizeof text, "key-%zu", key);
        CHECK(map_get_text(&m, text) == model[key]);
    }
    map_done(&m);
}

TEST(removing_within_the_loop_visits_each_entry_once)
{
    map m = MAP_INIT;
    char text[16];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "%d", i);
        map_put_text(&m, text, text);
    }
    size_t at = 0, seen = 0;
    for (const map_entry *entry; (entry = map_next(&m, &at)) != NULL; seen++) {
        map_remove(&m, entry->key, entry->key_len);
    }
    CHECK_INT(seen, 100);
    CHECK_INT(map_count(&m), 0);
    map_put_text(&m, "again", text);
    CHECK(map_get_text(&m, "again") == text);
    map_done(&m);
}

TEST_MAIN
