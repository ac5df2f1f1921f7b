/* connectors/file/sink_test.c - records become whole lines, also after a crash. */
#include "file.h"

#include "test.h"
#include <fcntl.h>
#include <signal.h>
#include <sluice/test.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A sink task on a file of its own. */
typedef struct rig {
    char folder[64], path[96];
    sluice_fake *fake;
    sluice_batch *batch;
    sluice_offsets *safe;
    sluice_error *err;
    void *self;
} rig;

static const sluice_sink_ops *ops(void)
{
    return file_sink_feature.ops.sink;
}

static void rig_init(rig *self)
{
    memset(self, 0, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/sluice-file-XXXXXX");
    CHECK(mkdtemp(self->folder) != NULL);
    snprintf(self->path, sizeof self->path, "%s/out.txt", self->folder);
    self->fake = sluice_fake_new();
    self->batch = sluice_batch_new();
    self->safe = sluice_offsets_new();
    self->err = sluice_error_new();
    sluice_log_set_level("", SLUICE_OFF);
}

static void rig_start(rig *self)
{
    void *config = sluice_fake_config(self->fake, file_sink_feature.config, "file",
                                      self->path, NULL);
    CHECK(config != NULL);
    CHECK(ops()->create(config, sluice_fake_task(self->fake), &self->self, self->err) ==
          SLUICE_OK);
}

static void rig_done(rig *self)
{
    char other[128];
    ops()->destroy(self->self);
    unlink(self->path);
    snprintf(other, sizeof other, "%s.1", self->path);
    unlink(other);
    rmdir(self->folder);
    sluice_batch_free(self->batch);
    sluice_offsets_free(self->safe);
    sluice_error_free(self->err);
    sluice_fake_free(self->fake);
}

static void put_text(rig *self, const char *text)
{
    sluice_fake_consumed(self->batch, "t", 0, NULL, text);
}

static void put(rig *self)
{
    CHECK(ops()->put(self->self, self->batch, self->err) == SLUICE_OK);
    sluice_batch_reset(self->batch);
}

static void flush(rig *self)
{
    CHECK(ops()->flush(self->self, self->safe, self->err) == SLUICE_OK);
}

static const char *content(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t len = read(fd, text, sizeof text - 1);
    close(fd);
    CHECK(len >= 0);
    text[len] = '\0';
    return text;
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

TEST(each_put_appends_its_lines)
{
    rig self;
    rig_init(&self);
    write_file(self.path, "before\n");
    rig_start(&self);
    put_text(&self, "one");
    put_text(&self, "two");
    put(&self);
    CHECK_TEXT(content(self.path), "before\none\ntwo\n");
    put_text(&self, "three");
    put(&self);
    flush(&self);
    CHECK_TEXT(content(self.path), "before\none\ntwo\nthree\n");
    rig_done(&self);
}

TEST(values_are_written_as_java_prints_them_and_bytes_as_they_are)
{
    rig self;
    rig_init(&self);
    rig_start(&self);
    sluice_arena *arena = sluice_batch_arena(self.batch);
    sluice_value *map = sluice_map_new(arena, 1);
    sluice_map_add_text(arena, map, "a", sluice_int64(arena, 1));
    const sluice_value *values[] = {NULL, map, sluice_float64(arena, 1e10),
                                    sluice_binary(arena, "raw", 3)};
    for (size_t i = 0; i < 4; i++) {
        put_text(&self, NULL);
        sluice_record_set_value(sluice_batch_record(self.batch, i), NULL, values[i]);
    }
    put(&self);
    CHECK_TEXT(content(self.path), "null\n{a=1}\n1.0E10\nraw\n");
    rig_done(&self);
}

/* Ends the sink as a crash would: what it had written stays. */
static void rig_crash(rig *self, const char *left)
{
    ops()->destroy(self->self);
    write_file(self->path, left); /* The same file: its mark stays. */
}

TEST(a_line_that_a_crash_cut_off_is_taken_out)
{
    rig self;
    rig_init(&self);
    rig_start(&self);
    rig_crash(&self, "whole\nha");
    rig_start(&self);
    put_text(&self, "half");
    put(&self);
    if (strcmp(content(self.path), "whole\nha\nhalf\n") == 0) {
        rig_done(&self);
        SKIP("this file system keeps no marks");
    }
    CHECK_TEXT(content(self.path), "whole\nhalf\n");
    rig_done(&self);
}

TEST(an_unfinished_line_of_somebody_else_is_ended_and_stays)
{
    rig self;
    rig_init(&self);
    write_file(self.path, "not ours");
    rig_start(&self);
    put_text(&self, "ours");
    put(&self);
    CHECK_TEXT(content(self.path), "not ours\nours\n");
    rig_done(&self);
}

TEST(a_line_with_a_large_text_goes_around_the_buffer_in_order)
{
    rig self;
    struct stat status;
    static char large[100001];
    rig_init(&self);
    rig_start(&self);
    memset(large, 'x', sizeof large - 1);
    put_text(&self, "a");
    put_text(&self, large);
    put_text(&self, "b");
    for (int i = 0; i < 400; i++) {
        put_text(&self,
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123"
                 "0123456789012345678901234567890123456789012345678901234567890123");
    }
    put(&self);
    CHECK(stat(self.path, &status) == 0);
    CHECK_INT(status.st_size, 2 + 100001 + 2 + 400 * 641);
    CHECK(strncmp(content(self.path), "a\nxxx", 5) == 0);
    rig_done(&self);
}

TEST(a_file_that_was_moved_away_is_made_anew_at_the_next_flush)
{
    rig self;
    char old[128];
    rig_init(&self);
    rig_start(&self);
    put_text(&self, "one");
    put(&self);
    snprintf(old, sizeof old, "%s.1", self.path);
    CHECK(rename(self.path, old) == 0);
    put_text(&self, "two");
    put(&self);
    flush(&self);
    put_text(&self, "three");
    put(&self);
    CHECK_TEXT(content(old), "one\ntwo\n");
    CHECK_TEXT(content(self.path), "three\n");
    rig_done(&self);
}

TEST(a_file_that_cannot_be_made_is_named)
{
    rig self;
    char wanted[240];
    rig_init(&self);
    snprintf(self.path, sizeof self.path, "%s/none/out.txt", self.folder);
    void *config = sluice_fake_config(self.fake, file_sink_feature.config, "file",
                                      self.path, NULL);
    CHECK(ops()->create(config, sluice_fake_task(self.fake), &self.self, self.err) ==
          SLUICE_FATAL);
    snprintf(
        wanted, sizeof wanted,
        "Couldn't find or create file '%s' for FileStreamSinkTask: No such file or "
        "directory",
        self.path);
    CHECK_TEXT(sluice_error_text(self.err), wanted);
    rig_done(&self);
}

TEST(a_full_disk_is_told_and_the_same_lines_may_come_again)
{
    rig self;
    rig_init(&self);
    snprintf(self.path, sizeof self.path, "/dev/full");
    rig_start(&self);
    put_text(&self, "one");
    CHECK(ops()->put(self.self, self.batch, self.err) == SLUICE_RETRY);
    CHECK_TEXT(sluice_error_text(self.err),
               "cannot write to '/dev/full': No space left on device");
    ops()->destroy(self.self);
    self.self = NULL;
    snprintf(self.path, sizeof self.path, "%s/out.txt", self.folder);
    rig_done(&self);
}

TEST(a_disk_that_is_full_in_the_middle_of_a_line_leaves_whole_lines)
{
    rig self;
    struct rlimit before, room;
    rig_init(&self);
    rig_start(&self);
    put_text(&self, "one");
    put(&self);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    room = before;
    room.rlim_cur = 10; /* Ends within "three". */
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR && setrlimit(RLIMIT_FSIZE, &room) == 0);
    put_text(&self, "two");
    put_text(&self, "three");
    sluice_status full = ops()->put(self.self, self.batch, self.err);
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(full == SLUICE_RETRY);
    CHECK_TEXT(content(self.path), "one\n");
    sluice_error_clear(self.err);
    put(&self);
    flush(&self);
    CHECK_TEXT(content(self.path), "one\ntwo\nthree\n");
    rig_done(&self);
}

TEST(a_file_that_cannot_be_made_anew_is_written_where_it_is)
{
    rig self;
    char moved[128];
    rig_init(&self);
    rig_start(&self);
    snprintf(moved, sizeof moved, "%s.1", self.path);
    CHECK(rename(self.path, moved) == 0);
    CHECK(mkdir(self.path, 0700) == 0); /* A folder has the name. */
    flush(&self);
    put_text(&self, "one");
    put(&self);
    CHECK_TEXT(content(moved), "one\n");
    CHECK(rmdir(self.path) == 0);
    flush(&self);
    put_text(&self, "two");
    put(&self);
    flush(&self);
    CHECK_TEXT(content(self.path), "two\n");
    rig_done(&self);
}

TEST_MAIN
