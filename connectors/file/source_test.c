/* connectors/file/source_test.c - a file becomes records, whatever happens to it. */
#include "source_rig.h"

#include <fcntl.h>
#include <pthread.h>
#include <sluice/test.h>
#include <sys/stat.h>
#include <unistd.h>

TEST(lines_become_records_with_their_positions)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\ntwo\r\nthree\rfour");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|two@9|three@15|");
    CHECK_TEXT(polled_now(&self), "");
    APPEND(&self, " and more\n\n");
    CHECK_TEXT(polled(&self), "four and more@29|@30|");
    rig_done(&self);
}

TEST(positions_count_bytes_and_malformed_text_is_mended)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "gr\xc3\xbcn\na\xff"
                  "b\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "gr\xc3\xbcn@6|a\xef\xbf\xbd"
                              "b@10|");
    rig_done(&self);
}

TEST(a_batch_has_no_more_lines_than_it_may_and_the_rest_comes_next)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "1\n2\n3\n4\n5\n");
    rig_start_with(&self, "2", "1m");
    CHECK_TEXT(polled(&self), "1@2|2@4|");
    CHECK_TEXT(polled(&self), "3@6|4@8|");
    CHECK_TEXT(polled(&self), "5@10|");
    rig_done(&self);
}

TEST(a_stored_position_is_gone_on_from)
{
    rig self;
    rig_init(&self);
    sluice_arena *arena = sluice_arena_new();
    APPEND(&self, "one\ntwo\n");
    store_position(&self, sluice_int64(arena, 4));
    rig_start(&self);
    CHECK_TEXT(polled(&self), "two@8|");
    sluice_arena_free(arena);
    rig_done(&self);
}

TEST(a_stored_position_behind_the_end_starts_over)
{
    rig self;
    rig_init(&self);
    sluice_arena *arena = sluice_arena_new();
    APPEND(&self, "one\n");
    store_position(&self, sluice_int64(arena, 400));
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    sluice_arena_free(arena);
    rig_done(&self);
}

TEST(a_stored_position_that_is_no_number_is_refused)
{
    rig self;
    rig_init(&self);
    sluice_arena *arena = sluice_arena_new();
    store_position(&self, sluice_text(arena, "4"));
    void *config = sluice_fake_config(self.fake, file_source_feature.config, "file",
                                      self.path, "topic", "lines", NULL);
    CHECK(ops()->create(config, sluice_fake_task(self.fake), &self.self, self.err) ==
          SLUICE_FATAL);
    CHECK(strstr(sluice_error_text(self.err),
                 "Offset position is the incorrect type") != NULL);
    self.self = NULL;
    sluice_arena_free(arena);
    rig_done(&self);
}

static void *append_later(void *argument)
{
    rig *self = argument;
    append(self->path, "late\n", 5);
    return NULL;
}

/* Polls while another thread writes: the poll waits, or finds it there already. */
static const char *polled_while_appending(rig *self)
{
    pthread_t writer;
    CHECK(pthread_create(&writer, NULL, append_later, self) == 0);
    const char *out = polled(self);
    pthread_join(writer, NULL);
    return out;
}

TEST(a_file_that_is_missing_is_waited_for)
{
    rig self;
    rig_init(&self);
    rig_start(&self);
    CHECK_TEXT(polled_now(&self), "");
    CHECK_TEXT(sluice_fake_doing(self.fake), "waiting for the file to be created");
    CHECK_TEXT(polled_while_appending(&self), "late@5|");
    CHECK_TEXT(sluice_fake_doing(self.fake), "");
    rig_done(&self);
}

TEST(a_file_that_grows_wakes_its_reader)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    CHECK_TEXT(polled_while_appending(&self), "late@9|");
    rig_done(&self);
}

TEST(a_file_that_is_cut_is_read_from_its_start)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\ntwo\nthr");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|two@8|");
    CHECK_TEXT(polled_now(&self), "");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "x\n");
    CHECK_TEXT(polled(&self), "thr@11|");
    CHECK_TEXT(polled(&self), "x@2|");
    rig_done(&self);
}

TEST(a_file_that_is_cut_and_has_grown_since_is_read_from_its_start)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\ntwo\nthree\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|two@8|three@14|");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "longer\nthan what was there before\n");
    CHECK_TEXT(polled(&self), "longer@7|than what was there before@34|");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "of the same length as what was th\n");
    CHECK_TEXT(polled(&self), "of the same length as what was th@34|");
    rig_done(&self);
}

TEST(a_file_that_is_cut_behind_a_stored_position_is_read_from_its_start)
{
    rig self;
    rig_init(&self);
    sluice_arena *arena = sluice_arena_new();
    APPEND(&self, "one\ntwo\n");
    store_position(&self, sluice_int64(arena, 8));
    rig_start(&self);
    CHECK_TEXT(polled_now(&self), "");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "three\nfour\n");
    CHECK_TEXT(polled(&self), "three@6|four@11|");
    sluice_arena_free(arena);
    rig_done(&self);
}

TEST(a_file_that_is_replaced_is_read_to_its_end_first)
{
    rig self;
    char old[128];
    rig_init(&self);
    APPEND(&self, "one\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    snprintf(old, sizeof old, "%s.1", self.path);
    CHECK(rename(self.path, old) == 0);
    append(old, "two\nthr", 7);
    APPEND(&self, "new\n");
    CHECK_TEXT(polled(&self), "two@8|");
    CHECK_TEXT(polled(&self), "thr@11|");
    CHECK_TEXT(polled(&self), "new@4|");
    rig_done(&self);
}

TEST(a_line_that_is_too_long_fails_the_task_with_its_position)
{
    rig self;
    char wanted[200];
    static char text[700000];
    rig_init(&self);
    APPEND(&self, "one\n");
    memset(text, 'x', sizeof text);
    rig_start_with(&self, "2000", "100");
    CHECK_TEXT(polled(&self), "one@4|");
    append(self.path, text, sizeof text);
    sluice_batch_reset(self.batch);
    CHECK(ops()->poll(self.self, self.batch, self.err) == SLUICE_FATAL);
    snprintf(wanted, sizeof wanted,
             "the line at byte 4 of %s has more than 100 bytes: max.line.bytes is the "
             "most that is accepted",
             self.path);
    CHECK_TEXT(sluice_error_text(self.err), wanted);
    rig_done(&self);
}

TEST(a_folder_is_refused)
{
    rig self;
    rig_init(&self);
    snprintf(self.path, sizeof self.path, "%s", self.folder);
    rig_start(&self);
    CHECK(ops()->poll(self.self, self.batch, self.err) == SLUICE_FATAL);
    CHECK(strstr(sluice_error_text(self.err), "it is a folder") != NULL);
    rig_done(&self);
}

TEST(a_pipe_is_read_as_it_fills)
{
    rig self;
    rig_init(&self);
    CHECK(mkfifo(self.path, 0600) == 0);
    rig_start(&self);
    CHECK_TEXT(polled_now(&self), "");
    APPEND(&self, "one\ntw");
    CHECK_TEXT(polled(&self), "one@4|");
    APPEND(&self, "o\n");
    CHECK_TEXT(polled(&self), "two@8|");
    rig_done(&self);
}

TEST(a_topic_must_have_a_name)
{
    sluice_fake *fake = sluice_fake_new();
    CHECK(sluice_fake_config(fake, file_source_feature.config, "topic", "", NULL) ==
          NULL);
    CHECK_TEXT(sluice_fake_fault(fake),
               "Invalid value  for configuration topic: String must be non-empty");
    sluice_fake_free(fake);
}

TEST_MAIN
