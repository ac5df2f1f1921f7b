/* broker/log/segment_test.c - a segment's indexes, in memory and in files. */
#include "base/memory.h"
#include "broker/log/file.h"
#include "broker/log/segment.h"
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

static char folder[64];
static char *path;

static void begin(void)
{
    snprintf(folder, sizeof(folder), "/tmp/segment-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    path = file_path(folder, "00000000000000000000");
}

static void end(void)
{
    CHECK_INT(file_remove_folder(folder, NULL), SLUICE_OK);
    free(path);
}

static void append_bytes(const char *suffix, const void *bytes, size_t len)
{
    char *name = memory_print("%s%s", path, suffix);
    int fd = open(name, O_WRONLY | O_APPEND | O_CREAT, 0644);
    CHECK_INT(write(fd, bytes, len), len);
    close(fd);
    free(name);
}

static segment_index filled(void)
{
    segment_index index = {0};
    for (int32_t i = 1; i <= 100; i++) {
        segment_index_add_offset(&index, 10 * i, 5000 * i);
        segment_index_add_time(&index, 1000 * i, 10 * i);
    }
    return index;
}

TEST(the_nearest_entry_that_is_not_behind_is_found)
{
    segment_index index = filled();
    CHECK_INT(segment_index_position(&index, 0), 0);
    CHECK_INT(segment_index_position(&index, 9), 0);
    CHECK_INT(segment_index_position(&index, 10), 5000);
    CHECK_INT(segment_index_position(&index, 19), 5000);
    CHECK_INT(segment_index_position(&index, 1000), 500000);
    CHECK_INT(segment_index_position(&index, INT32_MAX), 500000);
    CHECK_INT(segment_index_floor(&index, 4999), 0);
    CHECK_INT(segment_index_floor(&index, 5000), 5000);
    CHECK_INT(segment_index_floor(&index, 9999), 5000);
    CHECK_INT(segment_index_offset_before(&index, 1000), 0);
    CHECK_INT(segment_index_offset_before(&index, 1001), 10);
    CHECK_INT(segment_index_offset_before(&index, 999999), 1000);
    segment_index_done(&index);
}

TEST(entries_that_do_not_ascend_are_dropped)
{
    segment_index index = filled();
    segment_index_add_offset(&index, 1000, 600000);
    segment_index_add_offset(&index, 1001, 500000);
    segment_index_add_time(&index, 100000, 2000);
    segment_index_add_time(&index, 200000, 1000);
    CHECK_INT(index.offset_count, 100);
    CHECK_INT(index.time_count, 100);
    segment_index_done(&index);
}

TEST(files_are_kafkas_and_grow_by_what_is_new)
{
    begin();
    segment_index index = filled(), again = {0};
    bool good;
    CHECK_INT(segment_index_load(&again, path, 1 << 20, &good, NULL), SLUICE_OK);
    CHECK(!good);
    CHECK_INT(segment_index_save(&index, path, NULL), SLUICE_OK);
    segment_index_add_offset(&index, 0x1234, 0x654321);
    segment_index_add_time(&index, 0x123456789a, 0x1234);
    CHECK_INT(segment_index_save(&index, path, NULL), SLUICE_OK);

    buffer content = BUFFER_INIT;
    bool there;
    char *name = memory_print("%s.index", path);
    CHECK_INT(file_load(name, 1 << 20, &content, &there, NULL), SLUICE_OK);
    CHECK_INT(content.len, 101 * 8);
    CHECK_BYTES(content.base + 800, content.len - 800, "\0\0\x12\x34\0\x65\x43\x21", 8);
    free(name);
    buffer_clear(&content);
    name = memory_print("%s.timeindex", path);
    CHECK_INT(file_load(name, 1 << 20, &content, &there, NULL), SLUICE_OK);
    CHECK_INT(content.len, 101 * 12);
    CHECK_BYTES(content.base + 1200, content.len - 1200,
                "\0\0\0\x12\x34\x56\x78\x9a\0\0\x12\x34", 12);
    free(name);
    buffer_done(&content);

    CHECK_INT(segment_index_load(&again, path, 1 << 24, &good, NULL), SLUICE_OK);
    CHECK(good);
    CHECK_INT(again.offset_count, 101);
    CHECK_INT(again.time_count, 101);
    segment_index_done(&index);
    segment_index_done(&again);
    end();
}

TEST(preallocated_zeros_are_cut_off_and_garbage_is_refused)
{
    begin();
    segment_index index = filled(), again = {0};
    bool good;
    char zeros[4000] = {0};
    CHECK_INT(segment_index_save(&index, path, NULL), SLUICE_OK);
    append_bytes(".index", zeros, sizeof(zeros));
    append_bytes(".timeindex", zeros, sizeof(zeros));
    CHECK_INT(segment_index_load(&again, path, 1 << 20, &good, NULL), SLUICE_OK);
    CHECK(good);
    CHECK_INT(again.offset_count, 100);
    CHECK_INT(segment_index_load(&again, path, 499999, &good, NULL), SLUICE_OK);
    CHECK(!good); /* Points behind the log. */
    append_bytes(".index", "x", 1);
    CHECK_INT(segment_index_load(&again, path, 1 << 20, &good, NULL), SLUICE_OK);
    CHECK(!good);
    CHECK_INT(again.offset_count, 0);
    segment_index_done(&index);
    segment_index_done(&again);
    end();
}

TEST_MAIN
