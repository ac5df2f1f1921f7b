/* bench/broker_log.c - how fast a partition takes batches, against the floor: a CRC and
 * a write of the same bytes.
 *
 * usage: broker-log DIR [RECORD_BYTES [RECORDS [MEGABYTES]]]
 * Prints a line per case: MB/s, batches/s, CPU seconds per GB. */
#include "base/crc32c.h"
#include "base/text.h"
#include "broker/log/partition.h"
#include "broker/log/record_batch.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static const int64_t first_ms = 1700000000000;

typedef struct bench {
    const char *dir;
    uint8_t *batch, *original;
    size_t size;
    int64_t count;
    double started, started_cpu;
} bench;

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void begin(bench *self)
{
    self->started = seconds(CLOCK_MONOTONIC);
    self->started_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void report(bench *self, const char *name, int64_t count)
{
    double wall = seconds(CLOCK_MONOTONIC) - self->started;
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - self->started_cpu;
    double bytes = (double)count * (double)self->size;
    printf("%-34s %8.0f MB/s %9.0f batches/s %6.2f CPU-s/GB\n", name,
           bytes / wall / 1e6, (double)count / wall, cpu / bytes * 1e9);
}

static void run_floor(bench *self)
{
    char path[300];
    snprintf(path, sizeof(path), "%s/floor", self->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);
    uint32_t crc = 0;
    begin(self);
    for (int64_t i = 0; i < self->count; i++) {
        memcpy(self->batch, self->original, self->size);
        crc ^= crc32c(0, self->batch + 21, self->size - 21);
        if (pwrite(fd, self->batch, self->size, i * (int64_t)self->size) < 0) {
            perror(path);
            return;
        }
    }
    report(self, crc == 1 ? "floor: copy, CRC, pwrite " : "floor: copy, CRC, pwrite",
           self->count);
    close(fd);
    unlink(path);
}

typedef struct waiting {
    partition_wait wait;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
} waiting;

static void note_done(partition_wait *wait, int16_t error_code)
{
    waiting *self = (waiting *)wait;
    pthread_mutex_lock(&self->lock);
    self->done = true;
    pthread_cond_signal(&self->over);
    pthread_mutex_unlock(&self->lock);
}

static void await(partition *log, int64_t offset)
{
    waiting self = {.wait.done = note_done,
                    .lock = PTHREAD_MUTEX_INITIALIZER,
                    .over = PTHREAD_COND_INITIALIZER};
    if (!partition_wait_durable(log, &self.wait, offset)) {
        return;
    }
    pthread_mutex_lock(&self.lock);
    while (!self.done) {
        pthread_cond_wait(&self.over, &self.lock);
    }
    pthread_mutex_unlock(&self.lock);
}

/* `window` 0: acks=1; otherwise acks=all, with a wait after each so many batches. */
static void run_append(bench *self, partition *log, const char *name, int64_t count,
                       int64_t window)
{
    begin(self);
    int64_t next = 0;
    for (int64_t i = 0; i < count; i++) {
        memcpy(self->batch, self->original, self->size);
        partition_append append = {
            .base = self->batch, .len = self->size, .acks = window > 0 ? -1 : 1};
        partition_append_batches(log, &append, 1, first_ms);
        if (append.error_code != 0) {
            printf("refused: %s\n", append.error_message);
            return;
        }
        next = append.next_offset;
        if (window > 0 && i % window == window - 1) {
            await(log, next);
        }
    }
    report(self, name, count);
}

static void run_read(bench *self, partition *log, size_t max_bytes, const char *name)
{
    uint8_t *bytes = malloc(max_bytes + self->size);
    int64_t offset = partition_log_start_offset(log), batches = 0;
    begin(self);
    for (;;) {
        partition_data data;
        partition_read(log, offset, max_bytes, true, PARTITION_HIGH_WATERMARK, &data);
        size_t got = data.bytes;
        if (got > 0) {
            partition_data_copy(&data, bytes, NULL);
        }
        partition_data_done(&data);
        if (got == 0) {
            break;
        }
        record_batch_header header;
        record_batch_read_header(bytes + got - self->size, &header);
        offset = record_batch_last_offset(&header) + 1;
        batches += (int64_t)(got / self->size);
    }
    report(self, name, batches);
    free(bytes);
}

static void make_batch(bench *self, int64_t record_bytes, int64_t records)
{
    record_batch_writer writer;
    record_batch_writer_init(&writer, NULL);
    char *value = malloc((size_t)record_bytes);
    for (int64_t i = 0; i < record_bytes; i++) {
        value[i] = (char)(i * 31);
    }
    for (int64_t i = 0; i < records; i++) {
        record_batch_writer_add(&writer, first_ms + i, (sluice_bytes){NULL, 0},
                                (sluice_bytes){value, (size_t)record_bytes});
    }
    record_batch_writer_finish(&writer);
    self->original = writer.base;
    self->size = writer.size;
    self->batch = malloc(self->size);
    free(value);
}

static int64_t argument(int argc, char **argv, int index, int64_t fallback)
{
    int64_t value;
    return argc > index && text_to_int64(argv[index], &value) ? value : fallback;
}

static int run(bench *self, sluice_error *err)
{
    log_dir *dir;
    partition *log;
    log_config config = LOG_CONFIG_INIT;
    log_dir_options options = {0};
    uuid id = uuid_random();
    char path[300];
    snprintf(path, sizeof(path), "%s/log", self->dir);
    if (log_dir_open(path, &options, &dir, err) != SLUICE_OK ||
        partition_open(dir, "bench", 0, &id, &config, &log, err) != SLUICE_OK) {
        return 1;
    }
    run_append(self, log, "append acks=1", self->count, 0);
    run_read(self, log, 1 << 20, "read 1 MiB at a time");
    run_read(self, log, 1, "read batch by batch");
    await(log, partition_log_end_offset(log)); /* The next cases pay for their own. */
    int64_t synced = self->count / 8 + 1;
    run_append(self, log, "append acks=all, 1 in flight", synced > 300 ? 300 : synced,
               1);
    run_append(self, log, "append acks=all, 100 in flight", synced, 100);
    int64_t size = partition_size(log);
    log_dir_abandon(dir);
    partition_unref(log);
    log_dir_close(dir);
    begin(self);
    if (log_dir_open(path, &options, &dir, err) != SLUICE_OK ||
        partition_open(dir, "bench", 0, &id, &config, &log, err) != SLUICE_OK) {
        return 1;
    }
    report(self, "recovery after a crash", size / (int64_t)self->size);
    partition_unref(log);
    log_dir_close(dir);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: broker-log DIR [RECORD_BYTES [RECORDS [MEGABYTES]]]\n");
        return 2;
    }
    bench self = {.dir = argv[1]};
    make_batch(&self, argument(argc, argv, 2, 1000), argument(argc, argv, 3, 100));
    self.count = argument(argc, argv, 4, 500) * 1000000 / (int64_t)self.size + 1;
    sluice_error *err = sluice_error_new();
    run_floor(&self);
    int outcome = run(&self, err);
    if (outcome != 0) {
        fprintf(stderr, "%s\n", sluice_error_text(err));
    }
    sluice_error_free(err);
    free(self.batch);
    free(self.original);
    return outcome;
}
