/* connectors/file/rotation_test.c - no line is lost, however a file is rotated while it
 * is read, and while nobody reads it. */
#include "rotation.h"
#include "source_rig.h"

/* The path of a file beside the one that is followed; up to three at a time. */
static const char *beside(const rig *self, const char *name)
{
    static char paths[3][160];
    static int next;
    char *path = paths[next++ % 3];
    snprintf(path, sizeof paths[0], "%s/%s", self->folder, name);
    return path;
}

static void move(const rig *self, const char *from, const char *to)
{
    CHECK(rename(beside(self, from), beside(self, to)) == 0);
}

static void copy(const rig *self, const char *from, const char *to)
{
    char bytes[65536];
    int in = open(beside(self, from), O_RDONLY | O_CLOEXEC);
    ssize_t size = read(in, bytes, sizeof bytes);
    CHECK(size >= 0);
    append(beside(self, to), bytes, (size_t)size);
    close(in);
}

static void append_text(const char *path, const char *text)
{
    append(path, text, strlen(text));
}

/* Makes files until one is born at another tick of the kernel's clock. */
static void await_tick(const rig *self)
{
    const char *path = beside(self, "tick");
    int64_t first = 0, born = 0;
    while (born == first) {
        append_text(path, "");
        born = file_age_of_path(path).born;
        first = first == 0 ? born : first;
        unlink(path);
    }
}

/* All that polls give until there is nothing more. */
static const char *polled_all(rig *self)
{
    static char all[8192];
    const char *more;
    all[0] = '\0';
    while (*(more = polled_now(self)) != '\0') {
        strncat(all, more, sizeof all - strlen(all) - 1);
    }
    return all;
}

/* A source that has read "one" and "two" of three lines, and is no longer there. */
static void rig_init_in_the_middle(rig *self)
{
    rig_init(self);
    APPEND(self, "one\ntwo\n");
    rig_start(self);
    CHECK_TEXT(polled(self), "one@4|two@8|");
    rig_commit(self);
    APPEND(self, "three\n");
}

TEST(a_file_that_was_renamed_meanwhile_is_finished_before_the_new_one)
{
    rig self;
    rig_init_in_the_middle(&self);
    move(&self, "in.txt", "in.txt.1");
    APPEND(&self, "a new file, longer than the position in the old one\n");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self),
               "three@14|a new file, longer than the position in the old one@52|");
    rig_done(&self);
}

TEST(a_line_that_a_rotation_left_unfinished_becomes_a_record)
{
    rig self;
    rig_init_in_the_middle(&self);
    APPEND(&self, "fou");
    move(&self, "in.txt", "in.txt-20261121");
    APPEND(&self, "new\n");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self), "three@14|fou@17|new@4|");
    rig_done(&self);
}

TEST(files_that_came_and_went_meanwhile_are_read_in_their_order)
{
    rig self;
    rig_init_in_the_middle(&self);
    APPEND(&self, "four\n");
    for (int i = 0; i < 3; i++) {
        char line[16];
        rename(beside(&self, "in.txt.3"), beside(&self, "in.txt.4"));
        rename(beside(&self, "in.txt.2"), beside(&self, "in.txt.3"));
        rename(beside(&self, "in.txt.1"), beside(&self, "in.txt.2"));
        move(&self, "in.txt", "in.txt.1");
        snprintf(line, sizeof line, "new %d\n", i);
        append_text(self.path, line);
    }
    rig_restart(&self);
    CHECK_TEXT(polled(&self), "three@14|four@19|");
    CHECK_TEXT(polled(&self), "new 0@6|");
    rig_commit(&self);
    rig_restart(&self); /* In one that came in between. */
    CHECK_TEXT(polled_all(&self), "new 1@6|new 2@6|");
    rig_done(&self);
}

TEST(files_that_came_and_went_while_one_was_read_are_read_in_their_order)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    APPEND(&self, "two\n");
    move(&self, "in.txt", "in.2026-11-20.txt");
    APPEND(&self, "three\n");
    await_tick(&self); /* Dated names tell no order within one. */
    move(&self, "in.txt", "in.2026-11-21.txt");
    APPEND(&self, "four\n");
    CHECK_TEXT(polled_all(&self), "two@8|three@6|four@5|");
    rig_done(&self);
}

TEST(a_file_that_has_lost_its_name_is_read_until_the_next_one_has_something)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    move(&self, "in.txt", "in.txt.1");
    append_text(beside(&self, "in.txt.1"), "two\n");
    CHECK_TEXT(polled_now(&self), "two@8|");
    CHECK_TEXT(polled_now(&self), "");
    APPEND(&self, ""); /* logrotate's create: the writer has not heard of it yet. */
    append_text(beside(&self, "in.txt.1"), "three\nfo");
    CHECK_TEXT(polled(&self), "three@14|");
    CHECK_TEXT(polled_now(&self), "");
    append_text(beside(&self, "in.txt.1"), "ur\n");
    APPEND(&self, "five\n");
    CHECK_TEXT(polled(&self), "four@19|");
    CHECK_TEXT(polled(&self), "five@5|");
    rig_done(&self);
}

TEST(a_file_that_is_nowhere_any_more_is_gone_on_from_with_the_next_one)
{
    rig self;
    rig_init_in_the_middle(&self);
    unlink(self.path);
    append_text(beside(&self, "in.txt.1"), "in between\n");
    await_tick(&self);
    APPEND(&self, "a new file, longer than the position in the old one\n");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self),
               "in between@11|a new file, longer than the position in the old one@52|");
    rig_done(&self);
}

TEST(a_file_without_a_line_is_known_again)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "");
    rig_start(&self);
    CHECK_TEXT(polled_now(&self), "");
    APPEND(&self, "one\n");
    move(&self, "in.txt", "in.txt.1");
    APPEND(&self, "two\n");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self), "one@4|two@4|");
    rig_done(&self);
}

TEST(a_file_that_was_cut_meanwhile_is_read_from_its_start)
{
    rig self;
    rig_init_in_the_middle(&self);
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "longer than the position of before\n");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self), "longer than the position of before@35|");
    rig_done(&self);
}

TEST(what_a_copy_has_is_read_when_the_file_was_cut_meanwhile)
{
    rig self;
    rig_init_in_the_middle(&self);
    copy(&self, "in.txt", "in.txt.1");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "four, which is long enough\n");
    await_tick(&self);
    copy(&self, "in.txt", "in.txt-2");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "five\n");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self), "three@14|four, which is long enough@27|five@5|");
    rig_done(&self);
}

TEST(what_a_copy_has_is_read_when_the_file_is_cut_before_a_late_reader)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\ntwo\nthr");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|two@8|");
    APPEND(&self, "ee\nfour\n");
    copy(&self, "in.txt", "in.txt.1");
    CHECK(truncate(self.path, 0) == 0);
    APPEND(&self, "five\n");
    CHECK_TEXT(polled_all(&self), "three@14|four@19|five@5|");
    rig_done(&self);
}

TEST(a_file_that_was_brought_back_from_a_copy_is_gone_on_with)
{
    rig self;
    char first[128];
    rig_init(&self);
    memset(first, 'x', sizeof first);
    first[sizeof first - 1] = '\n';
    append(self.path, first, sizeof first);
    rig_start(&self);
    polled(&self);
    rig_commit(&self);
    APPEND(&self, "two\n");
    copy(&self, "in.txt", "other");
    move(&self, "other", "in.txt");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self), "two@132|");
    rig_done(&self);
}

TEST(a_file_that_gets_its_name_back_is_gone_on_with)
{
    rig self;
    rig_init(&self);
    APPEND(&self, "one\n");
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    move(&self, "in.txt", "in.txt.1");
    CHECK_TEXT(polled_now(&self), "");
    move(&self, "in.txt.1", "in.txt");
    APPEND(&self, "two\n");
    CHECK_TEXT(polled_all(&self), "two@8|");
    rig_done(&self);
}

TEST(a_link_that_is_switched_is_followed)
{
    rig self;
    rig_init(&self);
    append_text(beside(&self, "a.log"), "one\n");
    CHECK(symlink("a.log", self.path) == 0);
    rig_start(&self);
    CHECK_TEXT(polled(&self), "one@4|");
    rig_commit(&self);
    append_text(beside(&self, "a.log"), "two\n");
    append_text(beside(&self, "b.log"), "three, longer than what was there\n");
    CHECK(symlink("b.log", beside(&self, "new")) == 0);
    move(&self, "new", "in.txt");
    rig_restart(&self);
    CHECK_TEXT(polled_all(&self), "two@8|three, longer than what was there@34|");
    rig_done(&self);
}

static void write_at(const rig *self, const char *text, off_t at)
{
    int fd = open(self->path, O_WRONLY | O_CLOEXEC);
    CHECK(pwrite(fd, text, strlen(text), at) == (ssize_t)strlen(text));
    close(fd);
}

TEST(the_gap_that_a_writer_leaves_after_a_cut_is_passed_over)
{
    rig self;
    char line[9001];
    rig_init(&self);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    append(self.path, line, sizeof line);
    rig_start_with(&self, "2000", "10k");
    polled(&self);
    CHECK(truncate(self.path, 0) == 0);
    CHECK_TEXT(polled_now(&self), "");
    write_at(&self, "behind a hole\n", sizeof line);
    CHECK_TEXT(polled(&self), "behind a hole@9015|");
    CHECK(truncate(self.path, 0) == 0);
    write_at(&self, "behind a few\n", 100);
    CHECK_TEXT(polled(&self), "behind a few@113|");
    rig_commit(&self);
    CHECK(truncate(self.path, 0) == 0);
    write_at(&self, "far behind\n", 10000000);
    rig_restart(&self);
    CHECK_TEXT(polled(&self), "far behind@10000011|");
    rig_done(&self);
}

TEST(nul_bytes_that_were_written_stay)
{
    rig self;
    rig_init(&self);
    append(self.path, "\0a\0\nb\n", 6);
    rig_start(&self);
    CHECK(polled(&self) != NULL);
    CHECK(sluice_value_bytes(sluice_record_value(sluice_batch_record(self.batch, 0)))
              .len == 3);
    rig_done(&self);
}

static void store(rig *self, const char *file)
{
    sluice_arena *arena = sluice_arena_new();
    sluice_value *partition = sluice_map_new(arena, 1),
                 *offset = sluice_map_new(arena, 2);
    sluice_map_add_text(arena, partition, "filename", sluice_text(arena, self->path));
    sluice_map_add_text(arena, offset, "position", sluice_int64(arena, 4));
    sluice_map_add_text(arena, offset, "file", sluice_text(arena, file));
    sluice_offsets_set(sluice_fake_offsets(self->fake), partition, offset);
    sluice_arena_free(arena);
}

TEST(an_offset_that_names_no_file_is_a_position_in_any)
{
    static const char *const files[] = {
        "x",
        "inode=0 born=0.000000000 since=0.000000000 head=0:0000000000000000 "
        "tail=0@0:0000000000000000",
        "inode=1 born=0.000000000 since=0.000000000 head=9999:0000000000000000 "
        "tail=0@0:0000000000000000",
        "inode=1 born=0.000000000 since=0.000000000 head=1:0000000000000000 "
        "tail=9@4:0000000000000000",
        "inode=99999999999999999999 born=0.0 since=0.0 head=1:0 tail=0@4:0"};
    rig self;
    rig_init(&self);
    APPEND(&self, "one\ntwo\n");
    rig_start(&self);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        store(&self, files[i]);
        CHECK(ops()->alter_offsets(NULL, sluice_fake_offsets(self.fake), self.err) ==
              SLUICE_BAD_CONFIG);
        sluice_error_clear(self.err);
        rig_restart(&self);
        CHECK_TEXT(polled_all(&self), "two@8|");
    }
    store(&self, NULL);
    rig_restart(&self);
    CHECK_TEXT(polled(&self), "two@8|");
    rig_commit(&self);
    CHECK(ops()->alter_offsets(NULL, sluice_fake_offsets(self.fake), self.err) ==
          SLUICE_OK);
    rig_done(&self);
}

TEST(names_that_a_rotation_gives_are_known)
{
    static const char *const rotated[] = {
        "app.log.1",           "app.log.12",         "app.log.old",
        "app.log-20261121",    "app.log_2026-11-21", "app.log.2026-11-21T10:15:00Z",
        "app.2026-11-21.log",  "app.1.log",          "app-2026-11-21.log",
        "app-2026-11-21-1.log"};
    static const char *const others[] = {"app.log",       "app.log.1.gz", "app.log.tmp",
                                         "app.log1",      "app-2.log",    "app2.log",
                                         "error.log",     "app.log.",     "app",
                                         "app-error.log", "xapp.log.1"};
    for (size_t i = 0; i < sizeof rotated / sizeof *rotated; i++) {
        CHECK(rotation_is_name("app.log", rotated[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK(!rotation_is_name("app.log", others[i]));
    }
    CHECK(rotation_is_name("messages", "messages-20261121"));
    CHECK(!rotation_is_name("messages", "messages"));
}

/* --- At random. --- */

enum { STORIES = 25 }; /* 2000 take a minute; under valgrind one takes a second. */

/* Lines with numbers, written and rotated at random by somebody whom a source follows
 * that crashes at random. */
typedef struct story {
    rig rig;
    unsigned seed;
    bool by_copy; /* Rotated by copies, else by names. */
    int writer;   /* What the writer has open. */
    int written;  /* Lines. */
    int rotations;
    int seen_up_to; /* All lines below were seen. */
    int silent;     /* Polls without anything new, at the end. */
} story;

static int any(story *self, int below)
{
    return (int)(rand_r(&self->seed) >> 4) % below;
}

static void story_reopen(story *self)
{
    close(self->writer);
    self->writer =
        open(self->rig.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(self->writer >= 0);
}

static void story_write(story *self)
{
    char line[64];
    for (int left = any(self, 30); left > 0; left--) {
        int len = snprintf(line, sizeof line, "%d %.*s\n", self->written++,
                           any(self, 20), "of several lengths, at random");
        CHECK(write(self->writer, line, (size_t)len) == len);
    }
}

/* in.txt.1 becomes in.txt.2 and so on. */
static void story_shift(story *self)
{
    char from[32], to[32];
    for (int i = self->rotations++; i > 0; i--) {
        snprintf(from, sizeof from, "in.txt.%d", i);
        snprintf(to, sizeof to, "in.txt.%d", i + 1);
        move(&self->rig, from, to);
    }
}

static void story_rotate(story *self)
{
    story_shift(self);
    if (self->by_copy) {
        copy(&self->rig, "in.txt", "in.txt.1");
        CHECK(truncate(self->rig.path, 0) == 0);
        return;
    }
    move(&self->rig, "in.txt", "in.txt.1");
    story_write(self);
    if (any(self, 2) == 0) {
        append_text(self->rig.path, "");
        story_write(self);
    }
    story_reopen(self);
}

static void story_poll(story *self)
{
    for (int left = any(self, 6); left > 0; left--) {
        polled_now(&self->rig);
        size_t count = sluice_batch_count(self->rig.batch);
        for (size_t i = 0; i < count; i++) {
            const sluice_record *record = sluice_batch_record(self->rig.batch, i);
            int number = 0;
            CHECK(
                sscanf(
                    (const char *)sluice_value_bytes(sluice_record_value(record)).base,
                    "%d ", &number) == 1);
            CHECK(number <= self->seen_up_to); /* None is left out. */
            self->seen_up_to += number == self->seen_up_to;
        }
        if (count > 0 && any(self, 2) == 0) {
            rig_commit(&self->rig);
        }
    }
}

static void story_run(unsigned seed)
{
    story self = {.seed = seed, .writer = -1};
    self.by_copy = any(&self, 2) == 0;
    rig_init(&self.rig);
    story_reopen(&self);
    rig_start_with(&self.rig, "7", "1m");
    CHECK_TEXT(polled_now(&self.rig),
               ""); /* Without this no start knows where it was. */
    for (int step = 0; step < 60; step++) {
        switch (any(&self, 4)) {
        case 0:
            story_rotate(&self);
            break;
        case 1:
            story_write(&self);
            break;
        case 2:
            story_poll(&self);
            break;
        default:
            ops()->destroy(self.rig.self);
            rig_start_with(&self.rig, "7", "1m");
        }
    }
    while (self.seen_up_to < self.written) {
        int before = self.seen_up_to;
        story_poll(&self);
        self.silent = before == self.seen_up_to ? self.silent + 1 : 0;
        CHECK(self.silent < 1000);
    }
    close(self.writer);
    rig_done(&self.rig);
}

TEST(each_line_comes_in_its_order_whatever_happens_at_random)
{
    for (unsigned seed = 1; seed <= STORIES; seed++) {
        printf("# seed %u\n", seed);
        story_run(seed);
    }
}

TEST_MAIN
