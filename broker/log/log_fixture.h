/* broker/log/log_fixture.h - what tests of the log share: a directory of their own, a
 * partition in it, batches to append, a disk that fails or waits. */
#ifndef SLUICE_BROKER_LOG_LOG_FIXTURE_H
#define SLUICE_BROKER_LOG_LOG_FIXTURE_H

#include "base/memory.h"
#include "broker/log/file.h"
#include "broker/log/partition.h"
#include "broker/log/record_batch.h"
#include "protocol/error_code.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sluice/log.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOW 1700000000000

typedef struct log_fixture {
    char path[64];
    log_dir_options options;
    log_config config;
    log_dir *dir;
    partition *log;
} log_fixture;

static const uuid fixture_topic_id = {{1, 2, 3}};

__attribute__((unused)) static void fixture_open(log_fixture *self)
{
    sluice_log_set_level("broker", SLUICE_OFF);
    sluice_error *err = sluice_error_new();
    if (log_dir_open(self->path, &self->options, &self->dir, err) != SLUICE_OK ||
        partition_open(self->dir, "t", 0, &fixture_topic_id, &self->config, &self->log,
                       err) != SLUICE_OK) {
        test_fail(__FILE__, __LINE__, "%s", sluice_error_text(err));
    }
    sluice_error_free(err);
}

__attribute__((unused)) static void fixture_begin(log_fixture *self)
{
    *self = (log_fixture){.config = LOG_CONFIG_INIT};
    snprintf(self->path, sizeof(self->path), "/tmp/broker-log-XXXXXX");
    CHECK(mkdtemp(self->path) != NULL);
    fixture_open(self);
}

__attribute__((unused)) static void fixture_close(log_fixture *self)
{
    partition_unref(self->log);
    log_dir_close(self->dir);
}

/* As kill -9 would. */
__attribute__((unused)) static void fixture_crash(log_fixture *self)
{
    log_dir_abandon(self->dir);
    fixture_close(self);
}

__attribute__((unused)) static void fixture_remove_files(const char *path)
{
    DIR *folder = opendir(path);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char *name = file_path(path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(name) != 0) {
            fixture_remove_files(name);
        }
        free(name);
    }
    closedir(folder);
    rmdir(path);
}

__attribute__((unused)) static void fixture_end(log_fixture *self)
{
    fixture_close(self);
    fixture_remove_files(self->path);
}

/* "<path>/t-0/<name>": the caller's. */
__attribute__((unused)) static char *fixture_file(const log_fixture *self,
                                                  const char *name)
{
    return memory_print("%s/t-0/%s", self->path, name);
}

__attribute__((unused)) static int64_t fixture_file_size(const log_fixture *self,
                                                         const char *name)
{
    struct stat about;
    char *path = fixture_file(self, name);
    int64_t size = stat(path, &about) == 0 ? about.st_size : -1;
    free(path);
    return size;
}

typedef struct batch_spec {
    int records;
    size_t value_len;
    int64_t timestamp;
    int64_t producer_id; /* 0: none. */
    int16_t epoch;
    int32_t sequence;
    bool transactional;
} batch_spec;

/* A batch whose records have the value "<first byte>…"; done() by the caller. */
__attribute__((unused)) static void fixture_batch(record_batch_writer *writer,
                                                  batch_spec spec)
{
    record_batch_header header = {
        .producer_id = -1, .producer_epoch = -1, .base_sequence = -1};
    if (spec.producer_id > 0) {
        header.producer_id = spec.producer_id;
        header.producer_epoch = spec.epoch;
        header.base_sequence = spec.sequence;
        header.attributes = spec.transactional ? RECORD_BATCH_TRANSACTIONAL : 0;
    }
    record_batch_writer_init(writer, &header);
    char *value = memory_zero(spec.value_len + 1);
    memset(value, 'v', spec.value_len);
    for (int i = 0; i < spec.records; i++) {
        record_batch_writer_add(writer, spec.timestamp, (sluice_bytes){"key", 3},
                                (sluice_bytes){value, spec.value_len});
    }
    free(value);
    record_batch_writer_finish(writer);
}

/* Appends one batch with `acks`; the outcome is returned. */
__attribute__((unused)) static partition_append
fixture_append_spec(log_fixture *self, batch_spec spec, int16_t acks)
{
    record_batch_writer writer;
    fixture_batch(&writer, spec);
    partition_append append = {.base = writer.base, .len = writer.size, .acks = acks};
    partition_append_batches(self->log, &append, 1, NOW);
    append.base = NULL;
    record_batch_writer_done(&writer);
    return append;
}

__attribute__((unused)) static int64_t fixture_append(log_fixture *self, int records)
{
    batch_spec spec = {.records = records, .value_len = 100, .timestamp = NOW};
    partition_append append = fixture_append_spec(self, spec, 1);
    CHECK_INT(append.error_code, ERROR_NONE);
    return append.base_offset;
}

/* Reads all from `offset` on, checks each batch, and returns the offset behind the last
 * one; the number of batches to `ret_batches`. */
__attribute__((unused)) static int64_t
fixture_read_all(log_fixture *self, int64_t offset, size_t max_bytes, int *ret_batches)
{
    *ret_batches = 0;
    for (;;) {
        partition_data data;
        partition_read(self->log, offset, max_bytes, true, PARTITION_HIGH_WATERMARK,
                       &data);
        CHECK_INT(data.error_code, ERROR_NONE);
        if (data.bytes == 0) {
            partition_data_done(&data);
            return offset;
        }
        uint8_t *bytes = memory_take(data.bytes), *at = bytes, *end = at + data.bytes;
        CHECK_INT(partition_data_copy(&data, bytes, NULL), SLUICE_OK);
        for (record_batch_header header; at < end; at += record_batch_size(&header)) {
            CHECK(end - at >= RECORD_BATCH_HEADER_SIZE);
            record_batch_read_header(at, &header);
            CHECK(record_batch_header_possible(&header, end - at));
            CHECK(record_batch_crc_right(at, (size_t)record_batch_size(&header)));
            CHECK(record_batch_last_offset(&header) >= offset);
            offset = record_batch_last_offset(&header) + 1;
            (*ret_batches)++;
        }
        free(bytes);
        partition_data_done(&data);
    }
}

/* ---- Waits ----------------------------------------------------------------------- */

typedef struct fixture_wait {
    partition_wait wait;
    pthread_mutex_t lock;
    pthread_cond_t over;
    bool done;
    int16_t error_code;
} fixture_wait;

__attribute__((unused)) static void fixture_wait_done(partition_wait *wait,
                                                      int16_t error_code)
{
    fixture_wait *self = (fixture_wait *)wait;
    pthread_mutex_lock(&self->lock);
    self->done = true;
    self->error_code = error_code;
    pthread_cond_signal(&self->over);
    pthread_mutex_unlock(&self->lock);
}

__attribute__((unused)) static void
fixture_wait_begin(log_fixture *fixture, fixture_wait *self, int64_t offset)
{
    *self = (fixture_wait){.wait.done = fixture_wait_done,
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .over = PTHREAD_COND_INITIALIZER};
    if (!partition_wait_durable(fixture->log, &self->wait, offset)) {
        self->done = true;
    }
}

__attribute__((unused)) static int16_t fixture_wait_end(fixture_wait *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->done) {
        pthread_cond_wait(&self->over, &self->lock);
    }
    pthread_mutex_unlock(&self->lock);
    return self->error_code;
}

#endif
