/* broker/log/partition_sync_test.c - what is durable, who is told, what consumers see
 * meanwhile; with a disk that waits or fails. */
#include "broker/log/log_fixture.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

static log_fixture fixture;

/* A disk whose sync waits until it is let go, and then answers with `fault`. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int started, allowed, fault;
    int write_fault;
} disk = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0};

static int slow_sync(int fd)
{
    pthread_mutex_lock(&disk.lock);
    int mine = ++disk.started;
    pthread_cond_broadcast(&disk.changed);
    while (disk.allowed < mine) {
        pthread_cond_wait(&disk.changed, &disk.lock);
    }
    int fault = disk.fault;
    pthread_mutex_unlock(&disk.lock);
    return fault != 0 ? fault : fdatasync(fd) == 0 ? 0 : errno;
}

/* Half of it, then no more room: what a full disk does. */
static int full_write(int fd, const struct iovec *pieces, int count, int64_t position)
{
    if (disk.write_fault == 0) {
        return log_disk_real.write(fd, pieces, count, position);
    }
    CHECK(pwrite(fd, pieces[0].iov_base, pieces[0].iov_len / 2, position) > 0);
    return disk.write_fault;
}

static const log_disk slow_disk = {full_write, slow_sync};

static void begin_slow(void)
{
    disk.started = disk.allowed = disk.fault = disk.write_fault = 0;
    fixture = (log_fixture){.config = LOG_CONFIG_INIT,
                            .options.disk = &slow_disk,
                            .options.sync_threads = 1};
    snprintf(fixture.path, sizeof(fixture.path), "/tmp/broker-log-XXXXXX");
    CHECK(mkdtemp(fixture.path) != NULL);
    fixture_open(&fixture);
}

/* Lets the first `count` syncs through. */
static void let(int count)
{
    pthread_mutex_lock(&disk.lock);
    disk.allowed = count;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

static void await_sync(int number)
{
    pthread_mutex_lock(&disk.lock);
    while (disk.started < number) {
        pthread_cond_wait(&disk.changed, &disk.lock);
    }
    pthread_mutex_unlock(&disk.lock);
}

static void end_slow(void)
{
    let(1000000);
    fixture_end(&fixture);
}

static partition_append append(int16_t acks)
{
    batch_spec spec = {.records = 1, .value_len = 10, .timestamp = NOW};
    return fixture_append_spec(&fixture, spec, acks);
}

TEST(acks_all_waits_for_the_disk_and_acks_1_does_not)
{
    begin_slow();
    CHECK_INT(append(1).next_offset, 1);
    CHECK_INT(partition_high_watermark(fixture.log), 1);
    CHECK_INT(append(-1).next_offset, 2);
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, 2);
    await_sync(1);
    CHECK(!wait.done);
    CHECK_INT(partition_high_watermark(fixture.log), 1);
    CHECK_INT(partition_log_end_offset(fixture.log), 2);
    let(1);
    CHECK_INT(fixture_wait_end(&wait), ERROR_NONE);
    CHECK_INT(partition_high_watermark(fixture.log), 2);
    CHECK(!partition_wait_durable(fixture.log, &wait.wait, 2));
    end_slow();
}

TEST(one_sync_completes_all_that_was_appended_before_it_began)
{
    begin_slow();
    append(-1);
    await_sync(1); /* It covers offset 0. */
    fixture_wait waits[50];
    for (int i = 0; i < 50; i++) {
        int64_t next = append(-1).next_offset;
        fixture_wait_begin(&fixture, &waits[i], next);
    }
    let(1);
    await_sync(2);
    CHECK_INT(partition_high_watermark(fixture.log), 1);
    CHECK(!waits[0].done);
    let(2);
    for (int i = 0; i < 50; i++) {
        CHECK_INT(fixture_wait_end(&waits[i]), ERROR_NONE);
    }
    CHECK_INT(disk.started, 2);
    CHECK_INT(partition_high_watermark(fixture.log), 51);
    end_slow();
}

TEST(consumers_do_not_see_what_a_crash_could_take_back)
{
    begin_slow();
    append(1);
    append(-1);
    append(1); /* Behind one that is not on disk yet. */
    partition_data data;
    partition_read(fixture.log, 0, 1 << 20, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.high_watermark, 1);
    int64_t one = (int64_t)data.bytes;
    CHECK(one > 0);
    partition_data_done(&data);
    partition_read(fixture.log, 1, 1 << 20, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.error_code, ERROR_NONE);
    CHECK_INT(data.bytes, 0);
    partition_data_done(&data);
    partition_read(fixture.log, 0, 1 << 20, true, PARTITION_LOG_END, &data);
    CHECK_INT(data.bytes, 3 * one);
    partition_data_done(&data);
    let(2);
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, 3);
    CHECK_INT(fixture_wait_end(&wait), ERROR_NONE);
    int batches;
    CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches), 3);
    end_slow();
}

TEST(after_a_failed_sync_nothing_is_acknowledged_any_more)
{
    begin_slow();
    append(-1);
    fixture_wait wait, late;
    fixture_wait_begin(&fixture, &wait, 1);
    await_sync(1);
    disk.fault = EIO;
    let(1);
    CHECK_INT(fixture_wait_end(&wait), ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(append(-1).error_code, ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(append(0).error_code, ERROR_KAFKA_STORAGE_ERROR);
    disk.fault = 0;
    fixture_wait_begin(&fixture, &late, 1);
    CHECK_INT(fixture_wait_end(&late), ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(partition_high_watermark(fixture.log), 0);
    let(1000000);
    fixture_close(&fixture);
    fixture_open(&fixture);
    CHECK(!log_dir_was_clean(fixture.dir));
    end_slow();
}

TEST(without_sync_nobody_waits)
{
    begin_slow();
    fixture_close(&fixture);
    fixture.options.sync_none = true;
    fixture_open(&fixture);
    CHECK_INT(append(-1).next_offset, 1);
    partition_wait wait = {0};
    CHECK(!partition_wait_durable(fixture.log, &wait, 1));
    CHECK_INT(partition_high_watermark(fixture.log), 1);
    end_slow();
}

TEST(a_full_disk_refuses_and_leaves_no_trace)
{
    begin_slow();
    batch_spec spec = {
        .records = 1, .value_len = 10, .timestamp = NOW, .producer_id = 5};
    CHECK_INT(fixture_append_spec(&fixture, spec, 1).error_code, ERROR_NONE);
    int64_t size = fixture_file_size(&fixture, "00000000000000000000.log");
    disk.write_fault = ENOSPC;
    record_batch_writer first, second;
    spec.sequence = 1;
    fixture_batch(&first, spec);
    fixture_batch(&second, spec); /* The same once more. */
    partition_append appends[2] = {
        {.base = first.base, .len = first.size, .acks = 1},
        {.base = second.base, .len = second.size, .acks = 1}};
    partition_append_batches(fixture.log, appends, 2, NOW);
    CHECK_INT(appends[0].error_code, ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(appends[1].error_code, ERROR_KAFKA_STORAGE_ERROR);
    CHECK_INT(fixture_file_size(&fixture, "00000000000000000000.log"), size);
    CHECK_INT(partition_log_end_offset(fixture.log), 1);
    record_batch_writer_done(&first);
    record_batch_writer_done(&second);
    disk.write_fault = 0;
    partition_append again = fixture_append_spec(&fixture, spec, 1);
    CHECK_INT(again.error_code, ERROR_NONE);
    CHECK(!again.duplicate);
    CHECK_INT(again.base_offset, 1);
    end_slow();
}

TEST(a_deleted_partition_ends_all_waits)
{
    begin_slow();
    append(-1);
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, 1);
    await_sync(1);
    partition_delete(fixture.log);
    CHECK_INT(fixture_wait_end(&wait), ERROR_NOT_LEADER_OR_FOLLOWER);
    fixture_wait_begin(&fixture, &wait, 1);
    CHECK_INT(fixture_wait_end(&wait), ERROR_NOT_LEADER_OR_FOLLOWER);
    end_slow();
}

TEST(a_rolled_segment_is_synced_too)
{
    begin_slow();
    fixture.config.segment_bytes = 300;
    partition_set_config(fixture.log, &fixture.config);
    for (int i = 0; i < 10; i++) {
        append(1);
    }
    int64_t next = append(-1).next_offset;
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, next);
    let(1000000);
    CHECK_INT(fixture_wait_end(&wait), ERROR_NONE);
    CHECK(disk.started >= 3);
    end_slow();
}

/* ---- Watches --------------------------------------------------------------------- */

typedef struct counting_watch {
    partition_watch watch;
    atomic_int count;
} counting_watch;

static void count_wake(partition_watch *watch)
{
    ((counting_watch *)watch)->count++;
}

TEST(a_watch_is_woken_when_enough_can_be_read)
{
    begin_slow();
    append(1);
    partition_data data;
    partition_read(fixture.log, 1, 1 << 20, true, PARTITION_HIGH_WATERMARK, &data);
    CHECK_INT(data.bytes, 0);
    int64_t each = data.visible_bytes;
    partition_data_done(&data);
    counting_watch one = {.watch = {.wake = count_wake, .wanted_bytes = each + 1}};
    counting_watch three = {.watch = {.wake = count_wake, .wanted_bytes = 4 * each}};
    partition_watch_add(fixture.log, &one.watch);
    partition_watch_add(fixture.log, &three.watch);
    append(1);
    CHECK_INT(one.count, 1);
    CHECK_INT(three.count, 0);
    partition_watch_remove(fixture.log, &one.watch);
    append(1);
    CHECK_INT(three.count, 0);
    append(1);
    CHECK_INT(one.count, 1);
    CHECK_INT(three.count, 1);
    partition_watch_remove(fixture.log, &three.watch);
    partition_watch_remove(fixture.log, &three.watch);
    append(1);
    CHECK_INT(three.count, 1);
    end_slow();
}

TEST(a_watch_is_woken_by_the_sync_that_makes_records_visible)
{
    begin_slow();
    counting_watch watch = {.watch = {.wake = count_wake, .wanted_bytes = 1}};
    partition_watch_add(fixture.log, &watch.watch);
    append(-1);
    await_sync(1);
    CHECK_INT(watch.count, 0);
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, 1);
    let(1);
    fixture_wait_end(&wait);
    /* Wakes come behind the waits of the same turn: the next turn is behind both. */
    append(-1);
    let(2);
    await_sync(2);
    CHECK(watch.count >= 1);
    fixture_wait_begin(&fixture, &wait, 2);
    fixture_wait_end(&wait);
    partition_watch_remove(fixture.log, &watch.watch);
    end_slow();
}

TEST(a_watch_is_woken_when_the_partition_goes)
{
    begin_slow();
    counting_watch watch = {.watch = {.wake = count_wake, .wanted_bytes = INT64_MAX}};
    partition_watch_add(fixture.log, &watch.watch);
    partition_delete(fixture.log);
    CHECK_INT(watch.count, 1);
    partition_watch_remove(fixture.log, &watch.watch);
    end_slow();
}

/* ---- All at once ----------------------------------------------------------------- */

enum { WRITERS = 3, READERS = 2, BATCHES = 300 };
static atomic_int writers_left;

static void *write_some(void *context)
{
    int16_t acks = *(int16_t *)context;
    batch_spec spec = {.records = 2, .value_len = 100, .timestamp = NOW};
    for (int i = 0; i < BATCHES; i++) {
        partition_append done = fixture_append_spec(&fixture, spec, acks);
        fixture_wait wait;
        if (acks == -1 && i % 10 == 0) {
            fixture_wait_begin(&fixture, &wait, done.next_offset);
            fixture_wait_end(&wait);
        }
    }
    writers_left--;
    return NULL;
}

/* Reads what there is; returns the offset behind it. Batches follow without a gap. */
static int64_t read_to_end(int64_t offset)
{
    for (;;) {
        partition_data data;
        uint8_t bytes[4000];
        partition_read(fixture.log, offset, sizeof(bytes), true,
                       PARTITION_HIGH_WATERMARK, &data);
        if (data.bytes == 0) {
            partition_data_done(&data);
            return offset;
        }
        record_batch_header header;
        if (data.bytes > sizeof(bytes) ||
            partition_data_copy(&data, bytes, NULL) != SLUICE_OK) {
            abort();
        }
        for (size_t at = 0; at < data.bytes; at += (size_t)record_batch_size(&header)) {
            record_batch_read_header(bytes + at, &header);
            if (header.base_offset != offset) {
                abort();
            }
            offset = record_batch_last_offset(&header) + 1;
        }
        partition_data_done(&data);
    }
}

static void *read_some(void *context)
{
    int64_t offset = 0;
    bool last = false;
    while (!last) {
        last = writers_left == 0;
        offset = read_to_end(offset);
    }
    *(int64_t *)context = offset;
    return NULL;
}

TEST(writers_readers_and_the_background_share_a_partition)
{
    fixture_begin(&fixture);
    fixture.config.segment_bytes = 20000;
    partition_set_config(fixture.log, &fixture.config);
    pthread_t writers[WRITERS], readers[READERS];
    int16_t acks[WRITERS] = {-1, 1, -1};
    int64_t ends[READERS];
    counting_watch watch = {.watch = {.wake = count_wake}};
    partition_watch_add(fixture.log, &watch.watch);
    writers_left = WRITERS;
    for (int i = 0; i < WRITERS; i++) {
        pthread_create(&writers[i], NULL, write_some, &acks[i]);
    }
    for (int i = 0; i < READERS; i++) {
        pthread_create(&readers[i], NULL, read_some, &ends[i]);
    }
    while (writers_left > 0) {
        partition_checkpoint(fixture.log, NOW);
        partition_apply_retention(fixture.log, NOW);
        log_dir_checkpoint(fixture.dir, NULL);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i], NULL);
    }
    fixture_wait wait;
    fixture_wait_begin(&fixture, &wait, partition_log_end_offset(fixture.log));
    fixture_wait_end(&wait);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
        CHECK(ends[i] > 0);
    }
    partition_watch_remove(fixture.log, &watch.watch);
    CHECK(watch.count > 0);
    int batches;
    CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches), 2 * WRITERS * BATCHES);
    CHECK_INT(batches, WRITERS * BATCHES);
    fixture_end(&fixture);
}

/* ---- Kill -9 --------------------------------------------------------------------- */

/* Appends with acks=all, and with idempotence, until it is killed; tells each
 * acknowledged offset over the pipe. */
static void write_until_killed(int pipe_end, int32_t sequence)
{
    fixture_open(&fixture);
    for (;; sequence++) {
        batch_spec spec = {.records = 1 + sequence % 3,
                           .value_len = (size_t)(sequence % 700),
                           .timestamp = NOW + sequence};
        partition_append done = fixture_append_spec(&fixture, spec, -1);
        fixture_wait wait;
        fixture_wait_begin(&fixture, &wait, done.next_offset);
        if (done.error_code != ERROR_NONE || fixture_wait_end(&wait) != ERROR_NONE ||
            write(pipe_end, &done.next_offset, sizeof(int64_t)) != sizeof(int64_t)) {
            _exit(1);
        }
    }
}

/* Runs a writer, kills it after some acknowledgements, returns the last acknowledged.
 */
static int64_t run_and_kill(int32_t round)
{
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_until_killed(ends[1], round * 1000);
    }
    close(ends[1]);
    int64_t next = 0, got;
    for (int i = 0; i < 5 + round * 7 % 31; i++) {
        CHECK_INT(read(ends[0], &got, sizeof(got)), sizeof(got));
        next = got;
    }
    kill(child, SIGKILL);
    while (read(ends[0], &got, sizeof(got)) == sizeof(got)) {
        next = got;
    }
    int status;
    waitpid(child, &status, 0);
    close(ends[0]);
    CHECK(WIFSIGNALED(status));
    return next;
}

TEST(everything_acknowledged_is_there_after_kill_9)
{
    fixture = (log_fixture){.config = LOG_CONFIG_INIT};
    fixture.config.segment_bytes = 20000;
    snprintf(fixture.path, sizeof(fixture.path), "/tmp/broker-log-XXXXXX");
    CHECK(mkdtemp(fixture.path) != NULL);
    for (int round = 0; round < 12; round++) {
        int64_t acknowledged = run_and_kill(round);
        fixture_open(&fixture);
        int batches;
        CHECK(partition_log_end_offset(fixture.log) >= acknowledged);
        CHECK_INT(fixture_read_all(&fixture, 0, 1 << 20, &batches),
                  partition_log_end_offset(fixture.log));
        if (round % 3 == 0) {
            fixture_close(&fixture);
        } else {
            fixture_crash(&fixture);
        }
    }
    fixture_open(&fixture);
    fixture_end(&fixture);
}

TEST_MAIN
