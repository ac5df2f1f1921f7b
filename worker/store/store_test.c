/* What a standalone worker remembers: across restarts, exclusively, and from Java. */
#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "folder.h"
#include "test.h"
#include "worker/store/java_map.h"
#include "worker/store/worker_file.h"
#include "worker/store/writer.h"
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static char *fresh_path(void)
{
    static int number;
    return memory_print("%s/%d", test_folder(), ++number);
}

static worker_file *open_file(const char *path)
{
    worker_file *file = NULL;
    int imported;
    sluice_error *err = sluice_error_new();
    sluice_status status = worker_file_open(path, &file, &imported, err);
    CHECK_TEXT(sluice_error_text(err), "");
    CHECK_INT(status, SLUICE_OK);
    sluice_error_free(err);
    return file;
}

static void put(worker_file *file, const char *connector, const char *pairs)
{
    json_t *json = json_loads(pairs, 0, NULL);
    CHECK_INT(worker_file_begin(file, NULL), SLUICE_OK);
    CHECK_INT(worker_file_put_offsets(file, connector, json, NULL), SLUICE_OK);
    CHECK_INT(worker_file_commit(file, NULL), SLUICE_OK);
    json_decref(json);
}

static void check_offsets(worker_file *file, const char *wanted)
{
    json_t *list;
    CHECK_INT(worker_file_offsets(file, &list, NULL), SLUICE_OK);
    char *text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    CHECK_TEXT(text, wanted);
    free(text);
}

static int mode_of(const char *path, const char *suffix)
{
    struct stat found;
    char *whole = memory_print("%s%s", path, suffix);
    CHECK_INT(stat(whole, &found), 0);
    free(whole);
    return (int)(found.st_mode & 0777);
}

TEST(a_new_file_is_its_owners_alone)
{
    char *path = fresh_path();
    worker_file *file = open_file(path);
    put(file, "c", "[[{\"a\":1},{\"p\":1}]]");
    CHECK_INT(mode_of(path, ""), 0600);
    CHECK_INT(mode_of(path, "-wal"), 0600);
    worker_file_close(file);
    free(path);
}

TEST(offsets_are_there_after_the_file_was_opened_again)
{
    char *path = fresh_path();
    worker_file *file = open_file(path);
    put(file, "c", "[[{\"b\":1,\"a\":2},{\"p\":1}]]");
    put(file, "c", "[[{\"a\":2,\"b\":1},{\"p\":2}]]");
    put(file, "d", "[[{\"a\":2},null]]");
    worker_file_close(file);
    file = open_file(path);
    check_offsets(file, "[{\"name\":\"c\",\"offsets\":[[{\"a\":2,\"b\":1},{\"p\":2}]]},"
                        "{\"name\":\"d\",\"offsets\":[[{\"a\":2},null]]}]");
    worker_file_close(file);
    free(path);
}

TEST(configurations_are_kept_and_removed)
{
    char *path = fresh_path();
    worker_file *file = open_file(path);
    json_t *config =
        json_loads("{\"config\":{\"k\":\"v\"},\"target\":\"PAUSED\"}", 0, NULL);
    CHECK_INT(worker_file_put_config(file, "c", config, NULL), SLUICE_OK);
    CHECK_INT(worker_file_put_config(file, "d", config, NULL), SLUICE_OK);
    CHECK_INT(worker_file_put_config(file, "d", NULL, NULL), SLUICE_OK);
    json_t *list;
    CHECK_INT(worker_file_configs(file, &list, NULL), SLUICE_OK);
    char *text = json_dumps(list, JSON_COMPACT);
    CHECK_TEXT(text,
               "[{\"name\":\"c\",\"config\":{\"k\":\"v\"},\"target\":\"PAUSED\"}]");
    free(text);
    json_decref(list);
    json_decref(config);
    worker_file_close(file);
    free(path);
}

TEST(what_is_not_committed_is_not_there)
{
    char *path = fresh_path();
    worker_file *file = open_file(path);
    json_t *pairs = json_loads("[[{},{}]]", 0, NULL);
    CHECK_INT(worker_file_begin(file, NULL), SLUICE_OK);
    CHECK_INT(worker_file_put_offsets(file, "c", pairs, NULL), SLUICE_OK);
    worker_file_rollback(file);
    check_offsets(file, "[]");
    json_decref(pairs);
    worker_file_close(file);
    free(path);
}

TEST(a_file_that_is_neither_kind_is_refused)
{
    char *path = fresh_path();
    FILE *file = fopen(path, "w");
    fputs("this is no database, and it is long enough to be seen as none", file);
    fclose(file);
    worker_file *store;
    int imported;
    sluice_error *err = sluice_error_new();
    CHECK_INT(worker_file_open(path, &store, &imported, err), SLUICE_FATAL);
    CHECK(strstr(sluice_error_text(err), path) != NULL);
    sluice_error_free(err);
    free(path);
}

/* The bytes of a real file, one entry without a value; see java_map.c. */
static const char java_head[] =
    "aced0005737200116a6176612e7574696c2e486173684d61700507dac1c31660d103000246000a6c6f"
    "6164"
    "466163746f724900097468726573686f6c6478703f4000000000000c770800000010";
static const char java_first[] =
    "757200025b42acf317f8060854e00200007870" /* the class "[B" */
    "0000001c5b226673222c7b2266696c656e616d65223a22696e2e747874227d5d";
static const char java_second[] = /* ["fs",{}] -> {"p":7}, the class by reference */
    "75710000000000000009"
    "5b226673222c7b7d5d"
    "757100000000000000077b2270223a377d";

static void write_java(const char *path, const char *const *parts)
{
    buffer hex = BUFFER_INIT;
    for (; *parts != NULL; parts++) {
        buffer_append_text(&hex, *parts);
    }
    char *bytes = memory_take(hex.len);
    CHECK(text_unhex(bytes, hex.len / 2, hex.base, hex.len));
    FILE *file = fopen(path, "w");
    fwrite(bytes, hex.len / 2, 1, file);
    fclose(file);
    free(bytes);
    buffer_done(&hex);
}

TEST(a_file_of_kafka_connect_is_taken_over_and_kept)
{
    char *path = fresh_path();
    const char *parts[] = {java_head,   "00000002", java_first, "70",
                           java_second, "78",       NULL};
    write_java(path, parts);
    worker_file *file = NULL;
    int imported;
    sluice_error *err = sluice_error_new();
    sluice_status status = worker_file_open(path, &file, &imported, err);
    CHECK_TEXT(sluice_error_text(err), "");
    CHECK_INT(status, SLUICE_OK);
    CHECK_INT(imported, 2);
    check_offsets(file,
                  "[{\"name\":\"fs\",\"offsets\":[[{\"filename\":\"in.txt\"},null]]},"
                  "{\"name\":\"fs\",\"offsets\":[[{},{\"p\":7}]]}]");
    worker_file_close(file);
    char *kept = memory_print("%s.kafka-connect", path);
    CHECK_INT(access(kept, R_OK), 0);
    free(kept);
    sluice_error_free(err);
    free(path);
}

TEST(a_java_file_that_is_cut_anywhere_is_refused_and_left_alone)
{
    char *path = fresh_path();
    const char *parts[] = {java_head, "00000001", java_first, "70", "78", NULL};
    write_java(path, parts);
    struct stat whole;
    CHECK_INT(stat(path, &whole), 0);
    for (off_t len = whole.st_size - 2; len > 4; len -= 7) {
        worker_file *file;
        int imported;
        CHECK_INT(truncate(path, len), 0);
        CHECK_INT(worker_file_open(path, &file, &imported, NULL), SLUICE_FATAL);
        CHECK(java_map_is(path));
    }
    free(path);
}

/* --- The thread. --- */

typedef struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t count;
    uint64_t last;
    bool in_order;
} told;

static void take_done(void *context, const uint64_t *ids, size_t count)
{
    told *self = context;
    pthread_mutex_lock(&self->lock);
    for (size_t i = 0; i < count; i++) {
        self->in_order = self->in_order && ids[i] == self->last + 1;
        self->last = ids[i];
        self->count++;
    }
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void take_trouble(void *context, const char *text)
{
}

TEST(orders_are_done_in_their_order_and_then_they_are_there)
{
    char *path = fresh_path();
    worker_file *file = open_file(path);
    told seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, true};
    writer_settings settings = {file, file, take_done, take_trouble, &seen};
    writer *thread;
    CHECK_INT(writer_start(&settings, &thread, NULL), SLUICE_OK);
    for (uint64_t i = 1; i <= 100; i++) {
        json_t *pairs = json_pack("[[{s:i},{s:i}]]", "f", 1, "p", (int)i);
        writer_put(thread, WRITER_OFFSETS, i, "c", pairs);
        json_decref(pairs);
    }
    pthread_mutex_lock(&seen.lock);
    while (seen.count < 100) {
        pthread_cond_wait(&seen.changed, &seen.lock);
    }
    pthread_mutex_unlock(&seen.lock);
    CHECK(seen.in_order);
    writer_stop(thread);
    check_offsets(file, "[{\"name\":\"c\",\"offsets\":[[{\"f\":1},{\"p\":100}]]}]");
    worker_file_close(file);
    free(path);
}

TEST(the_last_orders_are_written_before_the_thread_ends)
{
    char *path = fresh_path();
    worker_file *file = open_file(path);
    told seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, true};
    writer_settings settings = {file, NULL, take_done, take_trouble, &seen};
    writer *thread;
    CHECK_INT(writer_start(&settings, &thread, NULL), SLUICE_OK);
    json_t *pairs = json_loads("[[{},{}]]", 0, NULL);
    writer_put(thread, WRITER_OFFSETS, 1, "c", pairs);
    writer_put(thread, WRITER_CONFIG, 2, "c", NULL); /* Nowhere to go, and done. */
    json_decref(pairs);
    writer_stop(thread);
    CHECK_INT(seen.count, 2);
    check_offsets(file, "[{\"name\":\"c\",\"offsets\":[[{},{}]]}]");
    worker_file_close(file);
    free(path);
}

TEST_MAIN
